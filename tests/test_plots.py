"""Pictures: what they show agrees with the networks, exactly, and the files are what their names say."""

import signal
import subprocess
import sys
from io import BytesIO
from itertools import combinations, pairwise
from math import comb
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.path import Path as Curve
from PIL import Image
from typer.testing import CliRunner

import lpnet
import lpnet.cli.draw
from lpnet.boundary.theorem1 import dnf
from lpnet.cli import app
from lpnet.exact import coordinates, forms, point, primitive, times, value
from lpnet.io import load, save
from lpnet.plots.boundary import draw_section, rounded
from lpnet.plots.circuit import draw_circuit
from lpnet.plots.figure import broken, rendered, small_png
from lpnet.plots.picture import chosen_slice, draw_network
from lpnet.plots.plane import cells, chord, cut, outline, square, to_the_left
from lpnet.plots.section import section
from lpnet.plots.slices import Slice, along_inputs, in_words, leading_directions

DATA = Path(__file__).parent.parent / "data"
PLANE = along_inputs(["x", "y"], 0, 1, np.zeros(2))
small = st.integers(-2, 2)


def run(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def gaussian(relus, inputs, seed):
    rng = np.random.default_rng(seed)
    weights = rng.choice([-1.0, 1.0], relus)
    return lpnet.ReLUNetwork(rng.normal(size=(relus, inputs)), rng.normal(size=relus), weights, rng.normal())


@st.composite
def integer_networks(draw):
    """Parallel, repeated and vanishing units, and boundaries on bends, are the rule here."""
    relus = draw(st.integers(1, 5))
    rows = st.lists(st.tuples(small, small, small), min_size=relus, max_size=relus)
    table = np.array(draw(rows), dtype=float)
    weights = draw(st.lists(st.sampled_from([-2.0, -1.0, 0.0, 1.0]), min_size=relus, max_size=relus))
    return lpnet.ReLUNetwork(table[:, :2], table[:, 2], np.array(weights), draw(small))


def answers_in_view(shown, count=300):
    """Points of the view away from the boundary, and whether the picture shows them as +1."""
    x_min, x_max, y_min, y_max = shown.view
    points = np.random.default_rng(0).uniform((x_min, y_min), (x_max, y_max), (count, 2))
    inside = np.zeros(count, dtype=int)
    for loop in shown.positive:
        inside += Curve([*map(rounded, loop), rounded(loop[0])], closed=True).contains_points(points)
    return points, inside % 2 == 1


@pytest.mark.parametrize("lines", [1, 2, 3, 7, 20])
def test_lines_in_general_position_have_as_many_cells_as_zaslavsky_says(lines):
    rng = np.random.default_rng(lines)
    rows = forms(rng.normal(size=(lines, 2)), rng.normal(size=lines))
    found = list(cells(square(1 << 200), rows))
    assert len(found) == 1 + lines + comb(lines, 2)
    assert set(outline(found)) == set(outline(found[::-1]))
    assert all(any(to_the_left(edge)[k] for k in (0, 1)) for cell in found for edge in [(cell[0], cell[1])])


def test_both_parts_of_a_cut_lie_on_their_sides_and_meet_in_the_line():
    polygon, line = square(3), (2, 1, -1)
    above, below = cut(polygon, line)
    assert min(value(line, corner) for corner in above) == 0 == max(value(line, corner) for corner in below)
    assert len(set(above) & set(below)) == 2
    assert cut(polygon, (1, 0, 3)) == (polygon, ())
    assert cut(polygon, (0, 0, 0)) == (polygon, ())


@given(integer_networks())
def test_the_boundary_drawn_is_carried_by_the_needed_half_spaces(network):
    shown = section(network, PLANE)
    answer = lpnet.minimal_equivalent(network)
    assert set(shown.needed) == {primitive(h) for h in answer.halfspaces}
    points, positive = answers_in_view(shown, 40)
    np.testing.assert_array_equal(network(points) > 0, positive)


@given(integer_networks(), st.tuples(st.integers(-3, 1), small, st.integers(1, 3), st.integers(1, 3)))
def test_in_a_box_too(network, box):
    x, y, wide, high = box
    place = lpnet.Box(np.array([x, y], dtype=float), np.array([x + wide, y + high], dtype=float))
    shown = section(network, PLANE, place)
    assert set(shown.needed) == {primitive(h) for h in lpnet.minimal_equivalent(network, place).halfspaces}
    points, positive = answers_in_view(shown, 20)
    np.testing.assert_array_equal(network(points) > 0, positive)


@given(st.lists(st.lists(st.floats(-1e300, 1e300), min_size=5, max_size=5), min_size=1, max_size=3), st.floats(-1e9, 1e9))
def test_whatever_the_weights_a_picture_or_a_sentence(rows, bias):
    table = np.array(rows)
    for inputs in (2, 3):
        network = lpnet.ReLUNetwork(table[:, :inputs], table[:, 3], table[:, 4], bias)
        place = chosen_slice(network, None, list("abc")[:inputs], None, None)
        try:
            shown = section(network, place)
        except lpnet.InputError as error:
            assert "float64 ends" in str(error)  # noqa: PT017 -- a picture is right too
        else:
            assert np.isfinite(shown.view).all()
            assert shown.view[0] < shown.view[1]
            assert shown.view[2] < shown.view[3]


@pytest.mark.parametrize("scale", [1e-300, 1e-9, 1e9, 1e200])
def test_strange_scales_and_letters_are_drawn(scale):
    network = lpnet.ReLUNetwork(scale * np.eye(2), scale * np.array([1e-3, 1e12]), [1.0, -1.0], scale)
    figure = draw_network(network, title="\x1b[31m\x00 \u732b $\\x$")
    ElementTree.fromstring(rendered(figure, ".svg"))


@pytest.mark.parametrize(("relus", "seed"), [(4, 0), (10, 1), (25, 2), (60, 3)])
def test_gaussian_networks(relus, seed):
    network = gaussian(relus, 2, seed)
    answer = lpnet.minimal_equivalent(network)
    shown = section(network, PLANE, order=answer.halfspaces)
    assert shown.needed == {primitive(h): k for k, h in enumerate(answer.halfspaces, 1)}
    assert set(shown.edges) <= set(shown.needed)
    points, positive = answers_in_view(shown)
    np.testing.assert_array_equal(network(points) > 0, positive)
    assert len(shown.bends) == sum(chord(shown.frame, line) is not None for line in network.exact_form.units)


def test_a_box_gives_the_view_and_its_own_needed_half_spaces():
    network, place = gaussian(12, 2, 5), lpnet.Box(np.array([-1.0, 0.0]), np.array([1.0, 3.0]))
    shown = section(network, PLANE, place)
    assert shown.view == (-1.0, 1.0, 0.0, 3.0)
    assert set(shown.needed) == {primitive(h) for h in lpnet.minimal_equivalent(network, place).halfspaces}
    far = along_inputs(["x", "y", "z"], 0, 1, np.array([0.0, 0.0, 9.0]))
    with pytest.raises(lpnet.InputError, match="does not meet the domain"):
        section(gaussian(3, 3, 0), far, lpnet.Box(np.full(3, -1.0), np.full(3, 1.0)))


def test_what_lies_outside_the_domain_is_marked():
    network, half_plane = gaussian(5, 2, 0), lpnet.Box(np.array([-np.inf, 0.5]), np.array([np.inf, np.inf]))
    assert section(network, PLANE, half_plane).view[2] >= 0.5
    network = gaussian(4, 3, 1)
    legends = []
    for place in (None, lpnet.Box(np.full(3, -1.0), np.full(3, 1.0))):
        figure = draw_network(network, lpnet.minimal_equivalent(network, place), place)
        legends.append([text.get_text() for text in figure.legends[0].get_texts()])
    assert ["outside the domain" in legend for legend in legends] == [False, True]


def test_edges_outside_the_window_are_counted():
    """The square |x1| + |x2| ≤ 1, and a wedge beyond x1 = 1.5·10^6: six half-planes, and a window for the four at 0."""
    weight = [[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0], [1.0, 0.0]]
    network = lpnet.ReLUNetwork(weight, [0.0, 0.0, 0.0, 0.0, -1e6], [-1.0, -1.0, -1.0, -1.0, 3.0], 1.0)
    shown = section(network, PLANE)
    assert (len(shown.needed), len(shown.edges)) == (6, 4)
    assert "outside the window: 2 of 6 needed in this plane" in draw_section(shown, PLANE).axes[0].get_title()
    near = section(network, PLANE, lpnet.Box([-2.0, -2.0], [2.0, 2.0]))
    assert len(near.needed) == len(near.edges) == 4


@pytest.mark.parametrize("seed", range(6))
def test_all_corners_are_in_the_window_where_one_picture_can_show_them(seed):
    """Polygons round 0 or far from it."""
    rng = np.random.default_rng(seed)
    centre = rng.choice([0.0, 1e4], 2)
    angles = 2 * np.pi * (np.arange(8) + rng.uniform(0, 0.5, 8)) / 8
    weight = np.column_stack([np.cos(angles), np.sin(angles)])
    network = lpnet.ReLUNetwork(weight, -weight @ centre, -np.ones(8), 1.0)
    shown = section(network, PLANE)
    assert len(shown.edges) == len(shown.needed)
    corners = np.array([rounded(end) for edges in shown.edges.values() for edge in edges for end in edge])
    assert (corners > np.array(shown.view[::2])).all()
    assert (corners < np.array(shown.view[1::2])).all()
    assert np.ptp(corners, axis=0).max() > 0.3 * (shown.view[1] - shown.view[0])


@pytest.mark.parametrize(("relus", "seed"), [(8, 7), (8, 22), (12, 7), (12, 21), (20, 6)])
def test_no_label_covers_another_or_leaves_the_picture(relus, seed):
    network = gaussian(relus, 2, seed)
    figure = draw_network(network, lpnet.minimal_equivalent(network))
    rendered(figure, ".png")
    figure.draw_without_rendering()
    axes = figure.axes[0]
    boxes = [text.get_window_extent() for text in axes.texts if text.get_text()]
    assert len(boxes) >= 2
    assert not any(one.overlaps(other) for one, other in combinations(boxes, 2))
    assert all(axes.bbox.contains(*corner) for box in boxes for corner in (box.min, box.max))


def test_threshold_networks_are_drawn_as_they_answer():
    network = load(DATA / "running_example.json")
    for threshold, redundant in ((dnf(network), 3), (lpnet.minimal_equivalent(network).equivalent, 0)):
        shown = section(threshold, PLANE)
        points, positive = answers_in_view(shown)
        np.testing.assert_array_equal(threshold(points) > 0, positive)
        assert len(shown.needed) == 4
        assert len(shown.redundant) == redundant
    constant = lpnet.SignNetwork(np.zeros((0, 2)), np.zeros(0), np.zeros(0), 1)
    assert section(constant, PLANE).positive
    never = draw_network(lpnet.ReLUNetwork(np.eye(2), [0.0, 0.0], [-1.0, -1.0], -1.0))
    assert "answer −1" in [text.get_text() for text in never.legends[0].get_texts()]


def test_figure_1_of_the_running_example():
    shown = section(load(DATA / "running_example.json"), PLANE)
    assert shown.positive == [((-1, 0, 1), (0, -1, 1), (1, 0, 1), (0, 1, 1))]
    assert set(shown.needed) == {(1, 1, 1), (-1, 1, 1), (1, -1, 1), (-1, -1, 1)}
    assert set(shown.redundant) == {(-2, 0, -1), (0, -2, -1), (-2, -2, -1)}  # and w0 ≥ 0, which has no line


@pytest.mark.parametrize("seed", range(3))
def test_a_slice_is_the_network_in_two_variables(seed):
    network = gaussian(6, 5, seed)
    answer = lpnet.minimal_equivalent(network)
    for place in (
        leading_directions(answer.hidden_weight, answer.hidden_bias, list("abcde")),
        along_inputs(list("abcde"), 3, 1, np.arange(5.0)),
    ):
        shown = section(network, place, order=answer.halfspaces)
        points, positive = answers_in_view(shown)
        np.testing.assert_array_equal(network(points @ place.axes + place.origin) > 0, positive)
        assert all(number <= answer.units for number in shown.needed.values())
        assert len(shown.redundant) <= answer.candidates - answer.units


def test_the_substitution_of_a_slice_is_exact():
    rng = np.random.default_rng(1)
    place = Slice(rng.normal(size=4), rng.normal(size=(2, 4)), ("s", "t"))
    (form, other), (s, t) = forms(rng.normal(size=(2, 4)), rng.normal(size=2)), (3, -2)
    exact = [
        a + s * b + t * c for a, b, c in zip(*(coordinates(point(row)) for row in (place.origin, *place.axes)), strict=True)
    ]
    values = [sum(v * x for v, x in zip(h, [*exact, 1], strict=True)) for h in (form, other)]
    sliced = [value(place.substitution()(h), (s, t, 1)) for h in (form, other)]
    assert values[0] * sliced[1] == values[1] * sliced[0] != 0
    assert times(-1, place.substitution()(form)) == place.substitution()(times(-1, form))


def test_one_input_is_a_line():
    network = lpnet.ReLUNetwork([[1.0], [1.0], [1.0]], [0.0, -1.0, -3.0], [1.0, -2.0, 4.0], -0.5)
    place = along_inputs(["x"], 0, None, np.zeros(1))
    shown = section(network, place, order=lpnet.minimal_equivalent(network).halfspaces)
    assert sorted(edge[0][0] / edge[0][2] for edges in shown.edges.values() for edge in edges) == [0.5, 1.5, 3.5]
    assert len(shown.positive) == 2
    assert shown.view[2:] == (-1.0, 1.0)


def test_too_many_lines_are_refused():
    with pytest.raises(lpnet.InputError, match="at most 300 lines"):
        section(gaussian(301, 2, 0), PLANE)


def test_every_kind_of_line_has_its_own_style_without_colour():
    figure = draw_network(load(DATA / "running_example.json"))
    collections = figure.axes[0].collections
    named = {lines.get_label(): str((lines.get_linestyle(), lines.get_linewidth())) for lines in collections}
    named = {label: style for label, style in named.items() if not label.startswith("_")}  # once in the legend
    assert len(named) == 4
    assert len(set(named.values())) == 4
    assert figure.axes[0].patches[0].get_hatch()


@pytest.mark.parametrize(("suffix", "start"), [(".png", b"\x89PNG"), (".svg", b"<?xml"), (".pdf", b"%PDF")])
def test_files(tmp_path, suffix, start):
    out = tmp_path / f"picture{suffix}"
    assert run("draw", DATA / "running_example.json", "-o", out).exit_code == 0
    first = out.read_bytes()
    assert first.startswith(start)
    assert run("draw", DATA / "running_example.json", "-o", out).exit_code == 0
    assert out.read_bytes() == first
    assert [file.name for file in tmp_path.iterdir()] == [out.name]


def test_small_pictures_look_the_same():
    network = load(DATA / "running_example.json")
    content = small_png(draw_network(network))
    draw_network(network).savefig(full := BytesIO(), facecolor="white", bbox_inches="tight", pad_inches=0.04)
    assert len(content) < len(full.getvalue()) / 2
    small = Image.open(BytesIO(content))
    assert small.mode == "P"
    difference = np.abs(np.asarray(small.convert("RGB"), dtype=float) - np.asarray(Image.open(full).convert("RGB")))
    assert difference.mean() < 2


def test_names_with_dollars_are_no_formulas(tmp_path):
    figure = draw_network(load(DATA / "running_example.json"), names=["$x", "$\\frac$"], title="$_$")
    assert b"<svg" in rendered(figure, ".svg")


def test_the_default_file_is_not_overwritten(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run("draw", DATA / "running_example.json").exit_code == 0
    Path("running_example.png").write_text("mine")
    result = run("draw", DATA / "running_example.json")
    assert result.exit_code == 2
    assert "-o" in result.stderr
    assert Path("running_example.png").read_text() == "mine"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["-o", "x.jpg"], "wanted a name that ends in .png, .svg, .pdf"),
        (["-o", "nowhere/x.png"], "there is no such folder"),
        (["--slice", "x1"], "two different inputs"),
        (["--slice", "x1,x1"], "two different inputs"),
        (["--slice", "x1,x9"], "got 'x9'"),
        (["--at", "1,2"], "at"),
        (["--at", "a"], "wanted numbers"),
        (["--names", "a,b"], "wanted 3 different names"),
        (["--slice", "x1,x2", "--at", "9", "--domain", "0,1"], "does not meet the domain"),
        (["--outputs", "0,1"], "output"),
        (["--circuit", "--time-limit", "0"], "incomplete"),
    ],
)
def test_bad_requests_are_one_sentence(tmp_path, monkeypatch, arguments, sentence):
    monkeypatch.chdir(tmp_path)
    result = run("draw", DATA / "wine_pca3.json", *arguments)
    assert result.exit_code in (2, 3)
    assert len(result.stderr.splitlines()) == 1
    assert sentence in result.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("stop", ["time", "Ctrl-C"])
def test_a_search_that_is_stopped_is_drawn_and_said(tmp_path, monkeypatch, stop):
    honest = lpnet.cli.draw.minimal_equivalent

    def stopped(network, domain, watch):
        if stop == "time":
            watch.seconds = 0.0
        else:
            signal.raise_signal(signal.SIGINT)
        return honest(network, domain, watch=watch)

    monkeypatch.setattr(lpnet.cli.draw, "minimal_equivalent", stopped)
    out = tmp_path / "x.svg"
    result = run("draw", DATA / "wine_pca3.json", "-o", out, *(["--time-limit", "60"] if stop == "time" else []))
    assert result.exit_code == 3
    assert len(result.stderr.splitlines()) == 1
    assert ("half of the time limit of 60 s" if stop == "time" else "it was interrupted") in result.stderr
    assert str(out) in result.stdout
    ElementTree.fromstring(out.read_bytes())


def test_the_values_of_the_other_inputs_are_said(tmp_path):
    result = run("draw", DATA / "cancer_pca5.json", "-o", tmp_path / "x.svg", "--slice", "x1,x2", "--at=-0.12345")
    assert "slice at x3 = −0.123, x4 = −0.123, x5 = −0.123" in result.stdout
    many = along_inputs([f"x{k}" for k in range(9)], 0, 1, np.arange(9.0))
    assert many.caption == "slice at x2 = 2, x3 = 3, x4 = 4, x5 = 5, … (7 inputs)"


def test_directions_are_given_in_inputs_and_the_share_is_that_of_the_normals():
    """Most normals point along c."""
    weight = np.array([[0, 0, 5], [0, 0, 1], [0, 0, 2], [0, 0, -3], [0, 3, 4], [4, 3, 0]], dtype=float)
    place = leading_directions(weight, np.zeros(6), ["a", "b", "c"])
    normals = weight / np.linalg.norm(weight, axis=1, keepdims=True)
    share = np.linalg.norm(normals @ place.axes.T, axis=1) ** 2
    assert f"{share.mean():.0%} of their normals' squared length" in place.caption
    assert place.labels[0].startswith("first direction: ")
    assert float(place.labels[0].split()[2]) == pytest.approx(place.axes[0, 2], rel=0.06)
    assert place.labels[0].split()[3] == "c"
    assert in_words(np.array([0.1, -0.5, 0.0, 0.7, 0.3]), list("vwxyz")) == "0.7 y − 0.5 w + 0.3 z + …"


def test_lines_are_broken_at_commas():
    title = "a.json: sign network (two layers), 2 inputs, 4 threshold units"
    assert broken(title, 56) == "a.json: sign network (two layers), 2 inputs,\n4 threshold units"
    assert max(map(len, broken(f"{'x' * 100}, y z", 30).split("\n"))) == 30


@pytest.mark.parametrize(
    ("low", "high"), [(0.4995, 0.5005), (-1e6, 1e6), (-0.13, 0.1), (999999.0, 1000001.0), (-123456.0, 0.0), (-1e-9, 0.12)]
)
def test_numbers_along_the_axis_stay_apart(low, high):
    figure = draw_network(gaussian(3, 2, 0), domain=lpnet.Box(np.full(2, low), np.full(2, high)))
    figure.draw_without_rendering()
    boxes = [label.get_window_extent() for label in figure.axes[0].get_xticklabels() if low <= label.get_position()[0] <= high]
    assert len(boxes) >= 2
    assert all(right.x0 - left.x1 > 3 for left, right in pairwise(boxes))  # dots of 1/100 inch


def test_slices_and_circuits_from_the_command_line(tmp_path):
    for number, arguments in enumerate(
        [[], ["--slice", "x1,x3"], ["--slice", "b,c", "--names", "a,b,c", "--at", "0.5"], ["--circuit"], ["--domain=-2,2"]]
    ):
        result = run("draw", DATA / "wine_pca3.json", "-o", tmp_path / f"{number}.svg", *arguments)
        assert result.exit_code == 0, result.stderr
    save(lpnet.minimal_equivalent(load(DATA / "wine_pca3.json")).equivalent, tmp_path / "circuit.json")
    for arguments in ([], ["--circuit"]):
        assert run("draw", tmp_path / "circuit.json", "-o", tmp_path / "x.svg", *arguments).exit_code == 0


def test_the_circuit_shows_every_unit_or_how_many_there_are():
    circuit = dnf(load(DATA / "running_example.json"))
    texts = [text.get_text() for text in draw_circuit(circuit, ["x", "y"]).axes[0].texts]
    assert [text for text in texts if text in ("AND", "OR")] == ["AND", "AND", "OR"]
    assert "h2: −2 y ≥ 1" in texts
    assert len(texts) == 2 + 8 + 2 + 1
    texts = [text.get_text() for text in draw_circuit(dnf(load(DATA / "cancer_all30.json"))).axes[0].texts]
    assert {"30 inputs", "16 × AND", "OR"} <= set(texts)
    weighted = lpnet.SignNetwork([[1.0, 0.0], [0.0, 1.0]], [0.0, 1.0], [2.0, -3.0], -1.0)
    texts = [text.get_text() for text in draw_circuit(weighted).axes[0].texts]
    assert {"2", "−3", "sum ≥ 1"} <= set(texts)


def test_many_connections_are_pale_and_counted():
    few, many = (lpnet.SignNetwork(np.ones((units, 10)), np.zeros(units), np.full(units, 2.0), 0.0) for units in (10, 30))
    for network, alpha, counted in ((few, 1.0, False), (many, 3**-0.5, True)):
        axes = draw_circuit(network).axes[0]
        assert axes.lines[0].get_alpha() == pytest.approx(alpha)
        assert any(text.get_text() == "300\nweights" for text in axes.texts) == counted


def test_without_matplotlib_one_sentence():
    code = "import sys; sys.modules['matplotlib'] = None; from lpnet.cli import main; main()"
    command = [sys.executable, "-c", code, "draw", str(DATA / "running_example.json"), "-o", "/nonexistent.png"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr == 'lpnet: pictures need the package matplotlib: pip install "lpnet[plots]"\n'
