"""Commands and functions on networks of several hidden layers: right answers, or one sentence that says why not."""

import itertools
import json
import re
from fractions import Fraction

import numpy as np
import pytest
from deep import chain, tangled, tent
from test_plots import answers_in_view
from typer.testing import CliRunner

import lpnet
from lpnet import (
    Box,
    InputError,
    Polyhedron,
    ReLUNetwork,
    estimate_pieces,
    minimal_equivalent,
    normal_form,
    subset_verdict,
    tightness,
)
from lpnet.boundary import theorem1
from lpnet.boundary.sampling import descents
from lpnet.boundary.tree.crew import Crew
from lpnet.checker import Refuted, check
from lpnet.cli import app
from lpnet.exact import primitive, value
from lpnet.io import load, save
from lpnet.laws import deep_bound, regions
from lpnet.networks.affine import Layer
from lpnet.plots.picture import chosen_slice
from lpnet.plots.section import section
from lpnet.proofs import write_proof
from lpnet.watch import Watch

TWO = chain(np.random.default_rng(11), 2, 6, 5)
TENTS = tent(2, 1.0, 0.7312, w0=0.4)  # (2^2 + 1)^2 − 1 half-spaces
# f = x_1 − 1 + R(x_2), and the same network with an output that reads the hidden layer alone.
SKIPPING = ReLUNetwork([[0.0, 1.0]], [0.0], [1.0], -1.0, skip=[1.0, 0.0])
PLAIN = ReLUNetwork([[0.0, 1.0]], [0.0], [1.0], -1.0)


def run(*arguments):
    """What a command says, and its exit code."""
    result = CliRunner().invoke(app, [*map(str, arguments)])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.output
    return result.exit_code, result.output


@pytest.fixture
def file(tmp_path):
    """A function that writes a network into a file."""

    def written(network, name="net.json"):
        save(network, tmp_path / name)
        return tmp_path / name

    return written


# --- counts


@pytest.mark.parametrize("seed", range(6))
def test_subset_verdicts_are_the_pieces(seed):
    """On small networks every pattern is asked about, those that no point has too."""
    network = tangled(np.random.default_rng(seed), 2, 2, 3) if seed % 2 else chain(np.random.default_rng(seed), 2, 3, 2)
    patterns = itertools.product((False, True), repeat=network.relus)
    carry = [p for p in patterns if subset_verdict(network, np.flatnonzero(p)).carries_piece]
    forms = {primitive(network.exact_form.on_cell(p)) for p in carry}
    assert forms == {primitive(h) for h in minimal_equivalent(network).halfspaces}


def test_witnesses_lie_between_both_answers():
    for network in (TWO, TENTS):
        answer = minimal_equivalent(network)
        form = network.exact_form
        for h, at, pattern in zip(answer.halfspaces, answer.witnesses, answer.patterns, strict=True):
            assert form.sign_at(at) == value(h, at) == 0
            assert primitive(form.beside(at, h, -1).f) == primitive(h) == primitive(form.on_cell(pattern))
            beyond = form.beside(at, h, 1).f
            assert not any(beyond) or value(beyond, at) == 0


def test_tightness_counts_half_spaces_below_the_bound_of_cells():
    answer = tightness(TENTS)
    assert (answer.needed, answer.law, answer.theorem2) == (24, deep_bound((4, 4), 2), 255)
    assert deep_bound((4, 4), 2) == regions(4, 2) ** 2 == 121
    assert tightness(SKIPPING).needed == 2 == tightness(SKIPPING).law


def table(text):
    """What a table of one row says, by its words."""
    return dict(re.split("  +", line, maxsplit=1) for line in text.splitlines() if "  " in line)


def test_minimal_says_pieces_and_half_spaces(file):
    code, text = run("minimal", file(TENTS))
    rows = table(text)
    assert code == 0
    assert [rows[name] for name in ("ReLUs", "hidden layers", "needed half-spaces")] == ["8", "2", "24"]
    assert int(rows["boundary pieces"]) == len(minimal_equivalent(TENTS).pieces.patterns)
    assert not {"Theorem 1 offers", "positive output weights", "negative output weights"} & rows.keys()
    _, text = run("minimal", file(TENTS), "--json")
    row = json.loads(text)
    assert (row["layers"], row["units"], row["candidates"], row["positive"]) == (2, 24, None, None)
    assert row["pieces"] == int(rows["boundary pieces"])
    _, counted = run("minimal", file(TENTS), "--json", "--count")
    assert (json.loads(counted)["pieces"], json.loads(counted)["units"]) == (row["pieces"], None)
    _, boxed = run("minimal", file(TENTS), "--json", "--domain", "0.3,0.45")
    assert json.loads(boxed)["units"] == minimal_equivalent(TENTS, Box(np.full(2, 0.3), np.full(2, 0.45))).units < 24


def test_one_layer_shows_pieces_only_where_they_are_more(file):
    assert not {"boundary pieces", "hidden layers"} & table(run("minimal", file(PLAIN))[1]).keys()


def test_a_limit_leaves_what_was_found(file):
    code, text = run("minimal", file(chain(np.random.default_rng(2), 3, 8, 8)), "--max-units", 3)
    assert code == 3
    assert table(text)["needed half-spaces"] == "at least 3"
    assert "the 3 half-spaces found are needed" in text


def test_show_says_layers_skips_and_levels(file):
    code, text = run("show", file(tangled(np.random.default_rng(5), 3, 4, 4, 3)))
    assert code == 0
    assert "ReLU network, 3 inputs, 11 ReLUs in 3 layers" in text
    assert "hidden layers: 4 + 4 + 3 ReLUs" in text
    assert "normal form: 3 + 3 + 2 ReLUs, an affine part, at most 256 cells" in text
    assert "the output reads the inputs, layer 1, layer 2, layer 3" in text
    assert "Theorem 1" not in text
    assert repr(TWO).startswith("ReLUNetwork(inputs=2, relus=11")
    assert " reads " not in run("show", file(TWO))[1]


# --- estimates


def exact_counts(network, domain=None):
    """Pieces and cells of the normal form."""
    form, domain = normal_form(network, domain), domain or Polyhedron.everywhere(network.inputs)
    counted = [Crew(form, domain, pieces, 1) for pieces in (True, False)]
    for crew in counted:
        crew.run(Watch())
    return tuple(len(crew.found().patterns) for crew in counted)


@pytest.mark.parametrize("network", [TWO, TENTS, tangled(np.random.default_rng(1), 3, 4, 3)])
def test_a_narrow_tree_is_counted(network):
    answer = estimate_pieces(network)
    assert answer.exact
    assert answer.cells.exact
    assert (answer.pieces, answer.cells.pieces) == exact_counts(network)


@pytest.mark.parametrize("seed", range(6))
def test_a_narrow_tree_on_a_box_is_counted(seed):
    """One hidden layer too, and a box off the centre."""
    random = np.random.default_rng(seed)
    network = chain(random, 2, *[4] * (1 + seed % 2))
    box = Box(random.uniform(-2, -0.5, 2), random.uniform(0.5, 2, 2))
    answer = estimate_pieces(network, domain=box)
    assert answer.exact
    assert (answer.pieces, answer.cells.pieces) == exact_counts(network, box)


@pytest.mark.parametrize(("together", "domain"), [(1, None), (4, None), (2, Box([-9, -8], [7, 9]))])
def test_the_estimate_is_unbiased(together, domain, monkeypatch):
    """Many rounds of few descents, 1 being Knuth's, of a network with known numbers, and their standard error."""
    monkeypatch.setattr(descents, "TOGETHER", together)
    network = chain(np.random.default_rng(4), 2, 4, 4)
    place = domain or Polyhedron.everywhere(network.inputs)
    drawn = descents.descents(normal_form(network, domain), place, 400 * together, 0.0, 3, Watch())
    for one, number in zip(drawn, exact_counts(network, domain), strict=True):
        rounds = np.array([*map(float, one.rounds)])
        error = rounds.std(ddof=1) / len(rounds) ** 0.5
        assert error < 0.25 * number
        assert abs(rounds.mean() - number) < 4 * error


def test_the_interval_and_the_bounds_hold(monkeypatch):
    monkeypatch.setattr(descents, "TOGETHER", 40)
    network = chain(np.random.default_rng(0), 4, 8, 8)
    answer = estimate_pieces(network, samples=1600, seed=1)
    exact, cells = exact_counts(network)
    assert not answer.exact
    assert answer.at_least <= exact <= answer.bound
    assert abs(answer.pieces - exact) < 4 * answer.standard_error
    assert abs(answer.cells.pieces - cells) < 4 * answer.cells.standard_error
    again = estimate_pieces(network, samples=1600, seed=1)
    assert (again.unbiased, again.cells.unbiased) == (answer.unbiased, answer.cells.unbiased)


def test_the_command_estimates_and_says_when_it_means_nothing(file, monkeypatch):
    code, text = run("estimate", file(TENTS))
    rows = table(text)
    assert (code, rows["boundary pieces"], rows["cells"]) == (0, *(str(number) for number in exact_counts(TENTS)))
    monkeypatch.setattr(descents, "TOGETHER", 2)
    code, text = run("estimate", file(chain(np.random.default_rng(0), 4, 8, 8)), "--samples", 6)
    assert code == 0
    assert "boundary pieces, estimated" in text
    assert "draw more" in text or "next to nothing" in text
    code, text = run("estimate", file(TENTS), "--samples", 6, "--json")
    row = json.loads(text.splitlines()[0])
    assert {"pieces", "cells", "cells_standard_error", "layers"} < row.keys()
    assert "units" not in row


# --- pictures


@pytest.mark.parametrize("seed", range(4))
def test_pictures_are_exact(seed):
    """Regions, needed half-planes with their numbers, bends where a ReLU is 0; of skips and several levels too."""
    rng = np.random.default_rng(seed)
    network = [TENTS, chain(rng, 2, 6, 6), chain(rng, 2, 4, 3, 4), tangled(rng, 2, 4, 4)][seed]
    answer = minimal_equivalent(network)
    place = chosen_slice(network, answer, None, None, None)
    shown = section(network, place, order=answer.halfspaces)
    assert shown.needed == {primitive(h): k for k, h in enumerate(answer.halfspaces, 1)}
    points, positive = answers_in_view(shown)
    np.testing.assert_array_equal(network(points) > 0, positive)
    for ends in shown.bends:
        middle = tuple(a * ends[1][2] + b * ends[0][2] for a, b in zip(*ends, strict=True))
        assert 0 in network.all_units.units_at((*middle[:2], 2 * ends[0][2] * ends[1][2]))


def test_a_slice_of_more_inputs_is_the_network_there():
    network = chain(np.random.default_rng(8), 4, 6, 6)
    place = chosen_slice(network, minimal_equivalent(network), None, None, None)
    points, positive = answers_in_view(section(network, place))
    np.testing.assert_array_equal(network(place.origin + points @ place.axes) > 0, positive)


def test_too_many_cells_are_refused(monkeypatch):
    monkeypatch.setattr("lpnet.plots.section.MOST_CELLS", 5)
    with pytest.raises(InputError, match="wanted at most 5 cells in the picture, got more; ask for a smaller domain"):
        section(TWO, chosen_slice(TWO, None, None, None, None))


def test_draw_and_report(file, tmp_path):
    code, text = run("draw", file(TENTS), "-o", tmp_path / "net.png")
    assert code == 0, text
    never = ReLUNetwork.of_layers([(np.eye(2), np.zeros(2)), (np.eye(2), np.ones(2)), ([-1.0, -1.0], -1.0)])
    code, text = run("report", file(never), "-o", tmp_path / "net.html")
    page = (tmp_path / "net.html").read_text()
    assert code == 0, text
    assert "2 + 2 ReLUs" in page
    assert "Not proved here" not in page
    assert "Theorem 1 offers" not in page


# --- what takes one hidden layer


def test_a_proof_is_not_about_a_network_with_more_to_it(tmp_path):
    write_proof(minimal_equivalent(PLAIN), tmp_path / "p.zip")
    deeper = (Layer(np.zeros((1, 3)), np.zeros(1)),)
    others = [SKIPPING, ReLUNetwork(PLAIN.hidden_weight, PLAIN.hidden_bias, [1.0, 0.0], -1.0, None, deeper)]
    assert "it is about the network given" in check(tmp_path / "p.zip", PLAIN).proved
    for other in others:
        with pytest.raises(Refuted, match="about another network"):
            check(tmp_path / "p.zip", other)


@pytest.mark.parametrize(
    "ask",
    [
        theorem1.subset_forms,
        theorem1.dnf,
        theorem1.cnf,
        theorem1.two_layers,
        lambda network: theorem1.conditions(network, np.zeros((1, 2))),
        lambda network: theorem1.boolean_functions(network, np.zeros((1, 2))),
    ],
)
def test_theorem_1_takes_one_layer(ask):
    with pytest.raises(InputError, match="Theorem 1's expansion takes one hidden layer; this network has 2"):
        ask(TWO)
    with pytest.raises(InputError, match=r"Theorem 1's expansion takes .*; this one reads the inputs too"):
        ask(SKIPPING)
    with pytest.raises(InputError, match=r"the general form \(\[PS16\] Eq. 3\) takes one hidden layer; this network has 2"):
        TWO.general_form()


def test_equal_at_depth(file, tmp_path):
    save(TWO, tmp_path / "again.npz")
    assert run("equal", file(TWO), tmp_path / "again.npz")[0] == 0
    code, text = run("equal", file(TWO), file(TENTS, "other.json"))
    assert code == 1, text
    first = ReLUNetwork.of_layers([(np.eye(2), np.zeros(2)), (np.eye(2), np.ones(2)), ([1.0, -1.0], 0.0)])
    second = ReLUNetwork(np.eye(2), np.zeros(2), [1.0, -1.0], 0.0)  # R(R(x) + 1) = R(x) + 1
    assert lpnet.equal(first, second).verdict == "equal"


def test_a_skip_is_no_rounding():
    """Numbers that are the same but for what the output reads of the inputs make another network."""
    assert lpnet.equal(SKIPPING, PLAIN).verdict == "different"
    third = ReLUNetwork([[0.0, 1.0]], [0.0], [1.0], -1.0, skip=[Fraction(1, 3), 0])
    near = ReLUNetwork([[0.0, 1.0]], [0.0], [1.0], -1.0, skip=[1 / 3, 0])
    assert lpnet.equal(third, near).verdict == "different by rounding"


def test_other_engines_and_commands_say_so(file):
    code, text = run("minimal", file(TWO), "--engine", "vertices")
    assert (code, text.count("\n")) == (2, 1)
    assert "takes one hidden layer, and there are 2" in text
    code, text = run("compress", file(TWO), "--signs", "one")
    assert code == 2
    assert "wanted a SignNetwork" in text
    assert load(file(TWO), kind=ReLUNetwork).widths == (6, 5)
