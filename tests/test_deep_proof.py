"""Proofs of networks of several hidden layers: written and accepted for all of them; nothing false passes the checker."""

import io
import itertools
import json
import math
import time
import zipfile
from fractions import Fraction

import numpy as np
import pytest
from deep_cases import by_hand, golden_layers, iterated_tents, random_deep, random_degenerate_deep, relu_network
from flint import fmpz_mat
from forged import Forged
from typer.testing import CliRunner

from lpnet import Box, Polyhedron, ReLUNetwork, minimal_equivalent
from lpnet.boundary.tree import crew
from lpnet.boundary.tree.search import TreeSearch
from lpnet.checker import BadProof, Refuted, check
from lpnet.checker import deep as leaf
from lpnet.checker.deep_form import deep_form
from lpnet.checker.deep_proof import read_layers
from lpnet.checker.relaxed import Boxes, bounded, divided
from lpnet.checker.together import exclude
from lpnet.checker.work import Work
from lpnet.cli import app
from lpnet.io import save
from lpnet.networks import normal_form
from lpnet.networks.affine import AffineMap, Layer
from lpnet.proofs import write_proof
from lpnet.proofs.members import fields_of
from lpnet.watch import Watch

CASES = [case for case in by_hand() if case.units.rows]
SHAPES = [(1, (3, 2, 2)), (2, (3, 3)), (2, (2, 2, 2)), (3, (3, 2)), (3, (2, 2, 2))]
NO_WORK = Work(math.inf, lambda share, units: None)


def simplex(inputs):
    """x_j > −1, Σ x_j < 2."""
    corner = [(*(int(i == j) for i in range(inputs)), 1) for j in range(inputs)]
    return Polyhedron(inputs, ((*[-1] * inputs, 2), *corner))


def domains(inputs):
    """R^d, a box, a bounded and an unbounded polyhedron."""
    return [None, Box(-np.ones(inputs), 1.5 * np.ones(inputs)), simplex(inputs), Polyhedron(inputs, ((*[1] * inputs, 1),))]


def proved(network, path, domain=None, **options):
    """The checker's report on a proof, which has to be complete."""
    answer = minimal_equivalent(network, domain, recorded=True, **options)
    write_proof(answer, path)
    report = check(path, network, domain)
    assert report.units == answer.units
    assert report.complete
    return report


# --- true proofs


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_by_hand(case, tmp_path):
    assert proved(relu_network(case.units), tmp_path / "proof").units == len(case.halfspaces)


@pytest.mark.parametrize("seed", range(3))
def test_random_networks(seed, tmp_path):
    rng = np.random.default_rng(seed)
    for shape in SHAPES:
        for units in (random_degenerate_deep(rng, *shape), random_deep(rng, *shape, links=seed > 0)):
            for domain in domains(units.inputs):
                proved(relu_network(units), tmp_path / "proof", domain)


def test_bounds_over_boxes(tmp_path):
    network = ReLUNetwork.of_layers(golden_layers("2-8-8-1"))
    assert proved(network, tmp_path / "proof", Box([-1.0, -1.0], [1.0, 1.0])).units == 11
    with zipfile.ZipFile(tmp_path / "proof") as file:
        assert {leaf.KEEPS, leaf.OUTSIDE} <= {*file.read("tree/0/nodes")}


def test_a_network_behind_a_map(tmp_path):
    rng = np.random.default_rng(3)
    front = AffineMap((Layer(rng.normal(size=(2, 3)), rng.normal(size=2)),))
    layers = [
        (rng.normal(size=(3, 2)), rng.normal(size=3)),
        (rng.normal(size=(3, 3)), rng.normal(size=3)),
        ([1.0, -1, 1], -0.5),
    ]
    network = ReLUNetwork.of_layers(layers, front)
    proved(network, tmp_path / "proof")
    proved(network, tmp_path / "proof", Box(-np.ones(3), np.ones(3)))


def test_scales_that_floats_do_not_hold(tmp_path):
    units = random_deep(np.random.default_rng(5), 2, (3, 3))
    network = relu_network(
        units._replace(rows=[[z * Fraction(10) ** (400 - 300 * k) for z in row] for k, row in enumerate(units.rows)])
    )
    proved(network, tmp_path / "proof")


@pytest.mark.parametrize("workers", [1, 3])
def test_any_number_of_threads(workers, tmp_path, monkeypatch):
    """Nodes that were taken by others have their place in the tree."""
    monkeypatch.setattr(crew, "STEPS", 3)
    network = ReLUNetwork.of_layers(golden_layers("3-6-6-1"))
    answer = minimal_equivalent(network)
    searched = crew.Crew(answer.form, answer.question.domain, True, workers, recorded=True)
    searched.run(Watch())
    object.__setattr__(answer, "pieces", searched.found())
    assert len(searched.members) == workers
    write_proof(answer, tmp_path / "proof")
    assert check(tmp_path / "proof", network).complete


@pytest.mark.parametrize("pieces", [0, 1, 5, 40])
def test_a_search_that_was_stopped_is_proved_as_far_as_it_came(pieces, tmp_path):
    network = ReLUNetwork.of_layers(golden_layers("3-6-6-1"))
    watch = Watch(pieces) if pieces else Watch(seconds=1e-9)
    answer = minimal_equivalent(network, watch=watch, recorded=True)
    if pieces:
        assert not answer.complete
        write_proof(answer, tmp_path / "proof")
        report = check(tmp_path / "proof", network)
        assert not report.complete
        assert report.units == answer.units == pieces
        assert "cover all 2^12 patterns but a share of" in report.proved[-1]


def test_nodes_beyond_floats(tmp_path, monkeypatch):
    """Every node is put aside: searched in other coordinates, or in integers."""
    monkeypatch.setattr(
        TreeSearch,
        "_push",
        lambda self, signs, pattern, level, depth, at, box: self._put_aside(signs, pattern, level, depth, at),
    )
    for case in CASES[:8]:
        proved(relu_network(case.units), tmp_path / "proof")


def test_the_command_line(tmp_path):
    network, proof = tmp_path / "net.json", tmp_path / "p.zip"
    save(relu_network(iterated_tents([1.0, 0.7], 2, 0.3)), network)
    made = CliRunner().invoke(app, ["minimal", str(network), "--proof", str(proof)])
    assert made.exit_code == 0, made.output
    checked = CliRunner().invoke(app, ["verify", str(proof), "--network", str(network)])
    assert checked.exit_code == 0, checked.output
    assert "24 different half-spaces are needed" in checked.output


# --- false ones


def form_of(network, domain=None):
    """The checker's own form of a network."""
    layers = [rows.tolist() for rows in read_layers(fields_of(network), network.inputs, NO_WORK)]
    return deep_form(layers, network.inputs, tuple(domain.inequalities()) if domain else (), (), lambda steps: None)


def small(number, domain=None):
    """A small random network, the checker's form of it and the patterns of its pieces, by the expanding engine."""
    rng = np.random.default_rng(number)
    while True:
        make = random_deep if number % 2 else random_degenerate_deep
        units = make(rng, 2, [(3, 2), (2, 2, 2), (2, 3)][number % 3])
        network = relu_network(units)
        form = form_of(network, domain)
        answer = minimal_equivalent(network, domain, "expand")
        if len(form.levels) > 1 and answer.units > 2:
            assert len(form.units) == len(normal_form(network, domain).units)
            return rng, network, form, answer.pieces.patterns


def below(patterns, signs):
    """Whether a piece has the signs that are fixed, but for constant units, which are as they are."""
    fixed = np.array(signs) != 0
    return bool((patterns[:, fixed] == (np.array(signs) > 0)[fixed]).all(axis=1).any()) if len(patterns) else False


@pytest.mark.parametrize("number", range(6))
def test_no_rows_close_a_leaf_below_which_a_piece_lies(number):
    """All sets of rows at every node of a random walk through the tree, contradictions being kept from node to node."""
    domain = [None, Box([-1.0, -0.5], [0.75, 1.0])][number // 3]
    rng, _, form, patterns = small(number, domain)
    tree = leaf.DeepTree(form, NO_WORK, math.inf)
    accepted = refused = 0
    while not tree.done:
        lost = below(patterns, tree.signs[: tree.m])
        rows = range(tree.none)
        sets = [list(named) for size in range(4) for named in itertools.combinations(rows, size)]
        for named in (sets[k] for k in rng.permutation(len(sets))[:60]):
            full = [k for k in form.levels[-1] if not tree.signs[k] and rng.random() < 0.3]
            claims = [tree.empty(named), *(tree.not_bounded(side, named, full) for side in (-1, 1))]
            if tree.full:
                claims.append(tree.not_touching(named[0]) if named and named[0] < tree.m else "no unit")
            if domain:
                claims += [tree.not_kept(named), tree.not_outside()]
            accepted += claims.count(None)
            refused += lost
            assert not (lost and None in claims), (named, tree.signs)
        free = [k for k in range(len(tree.rows)) if not tree.signs[k]]
        if free:
            tree.split(int(rng.choice(free)), int(rng.choice([-1, 1])))
        else:
            tree.back()
    assert accepted > 5, accepted
    assert refused > 10, refused


@pytest.mark.parametrize("number", [0, 1, 2, 4])
def test_no_points_show_a_half_space_that_is_not_needed(number):
    """Any two points, at every cell; and those beside a piece show that it is needed."""
    rng, _, form, patterns = small(number)
    points = [*map(tuple, rng.integers(-20, 21, (1500, 2)).tolist())]
    cells = [tuple(z > 0 for z in exact_score(form, [Fraction(x, 4) for x in at])[1]) for at in points]
    needed = {tuple(row) for row in patterns.tolist()}
    tree = leaf.DeepTree(form, NO_WORK, math.inf)
    shown = set()
    while not tree.done:
        if not tree.full:
            tree.split(next(k for k in range(len(tree.rows)) if not tree.signs[k]), 1)
            continue
        c = tree.f()
        cell = tuple(s > 0 for s in tree.signs[: tree.m])
        for a in [at for at, own in zip(points, cells, strict=True) if own == cell][:40] if any(c[:-1]) else ():
            for b in rng.choice(len(points), 40):
                if tree.not_needed(c, (*a, 4), (*points[b], 4)) is None:
                    shown.add(cell)
        tree.back()
    assert shown
    assert shown <= needed


def exact_score(form, at):
    """f and the z_k at a point of Fractions."""
    z = []
    for a, links in zip(form.units, form.links, strict=True):
        z.append(sum(v * x for v, x in zip(a, (*at, 1), strict=True)) + sum(c * max(z[j], 0) for j, c in links))
    f = sum(v * x for v, x in zip(form.affine, (*at, 1), strict=True))
    return f + sum(w * max(value, 0) for w, value in zip(form.weights, z, strict=True)), z


@pytest.mark.parametrize("number", range(6))
def test_boxes_and_relaxations_hold_at_points(number):
    """Points of a node lie in its box, and f there below its bound, exactly, all divided by one number."""
    domain = [Box([-1.0, -0.5], [0.75, 1.0]), simplex(2)][number % 2]
    rng, _, form, _ = small(number, domain)
    form = form.__class__(*(getattr(form, name) for name in ("affine", "units", "weights", "links", "walls")), implied(domain))
    tree = leaf.DeepTree(form, NO_WORK, math.inf)
    points = [(Fraction(int(x), 32), Fraction(int(y), 32)) for x, y in rng.integers(-32, 96, (400, 2))]
    points = [at for at in points if all(sum(v * x for v, x in zip(h, (*at, 1), strict=True)) > 0 for h in form.walls)]
    checked = 0
    while not tree.done:
        tree.box(len(tree.path))
        relaxation = tree.together.relaxation
        assert tree.settle() is None
        box = tree.together.boxes.of([tree.box(len(tree.path))])
        known, signs = relaxation.of_units(0, tree.rows)[None], np.array([tree.signs[: tree.m]], dtype=np.int8)
        units = relaxation.units(known, signs, box)
        bounds = {side: [found[0] for found in relaxation.above(side, *units, box)] for side in (-1, 1)}
        for at in points:
            f, z = exact_score(form, at)
            if any(s * value <= 0 for s, value in zip(tree.signs, z, strict=False) if s):
                continue
            y = [x / Fraction(2) ** s for x, s in zip((*at, 1), relaxation.shifts, strict=True)]
            ends = zip(map(Fraction, box.low[0]), y, map(Fraction, box.high[0]), strict=True)
            assert all(low <= here <= high for low, here, high in ends)
            for side, (base, off) in bounds.items():
                scaled = f * ratio(relaxation, form)
                assert side * scaled <= sum(Fraction(b) * here for b, here in zip(base, y, strict=True)) + Fraction(off)
                checked += 1
        free = [k for k in range(len(tree.rows)) if not tree.signs[k]]
        if free and rng.random() < 0.7:
            tree.split(int(rng.choice(free)), int(rng.choice([-1, 1])))
        else:
            tree.back()
    assert checked > 100


def implied(domain):
    """The bounds that inequalities in several inputs imply."""
    return tuple(bound.form(domain.inputs) for bound in domain.implied)


def ratio(relaxation, form):
    """What f is multiplied by in floats."""
    affine, weights = relaxation.output(None)
    for scaled, entry, shift in zip(affine, form.affine, relaxation.shifts, strict=True):
        if entry:
            return Fraction(scaled) / entry / Fraction(2) ** shift
    k = next(k for k, w in enumerate(form.weights) if w)
    column = next(j for j, entry in enumerate(form.units[k]) if entry)
    unit = Fraction(relaxation.base[k, column]) / form.units[k][column] / Fraction(2) ** relaxation.shifts[column]
    return Fraction(weights[k]) * unit / form.weights[k]


def test_a_bound_on_a_sliver():
    """Rows that all but contradict each other: multiples are large, and what rounding makes of their sum larger than f."""
    rows = np.array([
        [0.518418, -0.03878017, 0.06125513, 0.02302058], [-0.90410105, 0.03729043, -0.82412268, -0.37006635],
        [-0.98320891, 0.14474627, 0.04612768, 0.04471462], [-0.71061697, 0.03126173, -0.05939133, -0.02514542],
    ])  # fmt: skip
    low, high = [-0.04718127, -0.58373681, -0.84584989, 1.0], [0.06767719, 0.73578216, -0.34606694, 1.0]
    boxes = Boxes(np.array([low, low]), np.array([high, high]))
    above = np.array([-2.94687778e-03, 2.03681841e-04, -1.77143445e-06, -3.86051214e-05])
    below = np.array([4.17997328e-04, -5.87203646e-05, 8.14743765e-05, 4.10745051e-04])
    found = bounded(np.array([above, below]), np.full(2, 1e-15), np.array([rows, rows]), boxes)
    assert found.tolist() == [True, False]


@pytest.mark.parametrize("number", range(4))
def test_no_half_space_can_be_left_out(number, tmp_path):
    """Every leaf of a half-space, and every node above one, becomes a leaf of any other kind, with any rows."""
    domain = [None, Box([-1.0, -0.5], [0.75, 1.0])][number % 2]
    rng, network, form, _ = small(number, domain)
    report = proved(network, tmp_path / "proof", domain)
    forged = Forged(tmp_path / "proof")
    nodes = np.frombuffer(forged.members["tree/0/nodes"], np.uint8)
    width, none = 4, 2 * len(form.units) + len(form.walls) + 1
    rows = np.frombuffer(forged.members.get("tree/0/rows", b""), np.uint8).reshape(-1, width)
    full = np.frombuffer(forged.members.get("tree/0/full", b""), np.uint8)
    points = np.frombuffer(forged.members["tree/0/points"]).reshape(-1, 2, 2)
    tried = 0
    for at in range(len(nodes)):
        end, open_nodes = at, 1
        while open_nodes:
            open_nodes += 1 if nodes[end] >= leaf.SPLIT else -1
            end += 1
        lost = np.count_nonzero(nodes[at:end] == leaf.UNIT)
        if not lost:
            continue
        for kind in (*range(1, 6), 7, 8):
            named = np.full((1 if kind in leaf.WITH_ROWS else 0, width), none, np.uint8)
            count = int(rng.integers(0, 4))
            named[:, :count] = rng.choice(none, count, replace=False)

            def cut(values, kinds, new, at=at, end=end):
                first, last = (np.count_nonzero(np.isin(nodes[:k], kinds)) for k in (at, end))
                return np.concatenate([values[:first], new, values[last:]]).tobytes()

            changes = {
                "tree/0/nodes": bytes([*nodes[:at], kind, *nodes[end:]]),
                "tree/0/rows": cut(rows, leaf.WITH_ROWS, named),
                "tree/0/full": cut(full, leaf.BOUNDS, np.zeros(int(kind in leaf.BOUNDS), np.uint8)),
                "tree/0/points": cut(points, (leaf.UNIT,), points[:0]),
            }
            assert forged.verdict(changes, units=f"{report.units - lost:x}"), (at, kind, named)
            tried += 1
    assert tried > 20


def test_what_is_written_counts(tmp_path):
    """Cut and lengthened trees, unknown kinds and rows, other numbers in the header, another network or domain."""
    network = ReLUNetwork.of_layers(golden_layers("2-8-8-1"))
    box = Box([-1.0, -1.0], [1.0, 1.0])
    proved(network, tmp_path / "proof", box)
    forged = Forged(tmp_path / "proof")
    nodes, rows = forged.members["tree/0/nodes"], forged.members["tree/0/rows"]
    assert forged.verdict({}) is None
    for changed in (nodes[:-1], nodes + nodes[-1:], bytes([15]) + nodes[1:], bytes([15 + 2 * 30]) + nodes[1:], b"", b"\x06"):
        assert forged.verdict({"tree/0/nodes": changed})
    assert forged.verdict({"tree/0/rows": rows[:-4]})
    assert forged.verdict({"tree/0/rows": rows + rows[:4]})
    assert forged.verdict({"tree/0/rows": b"\xff" + rows[1:]})
    assert forged.verdict({"tree/0/points": forged.members["tree/0/points"][32:]})
    for claim in (
        {"units": "a"}, {"units": "c"}, {"complete": "vertices"}, {"network": {}}, {"inequalities": []}, {"version": 2},
        {"inputs": 3}, {"forms": [["0", "0", "1"]]}, {"onto": {"weight": [[1, 0], [2, 0]], "bias": [0, 0]}},
    ):  # fmt: skip
        assert forged.verdict({}, **claim), claim
    (first, *rest), output = forged.header["network"]["deeper"], forged.header["network"]["output_weight"]
    weight = [[2 * z for z in row] if not k else row for k, row in enumerate(first["weight"])]
    assert forged.verdict({}, network={**forged.header["network"], "deeper": [{**first, "weight": weight}, *rest]})
    assert forged.verdict({}, network={**forged.header["network"], "output_weight": [-z for z in output]})
    other = golden_layers("2-8-8-1")
    other[1] = (other[1][0].astype(float), np.nextafter(other[1][1].astype(float), 9))
    with pytest.raises(Refuted, match="another network"):
        check(tmp_path / "proof", ReLUNetwork.of_layers(other))
    with pytest.raises(Refuted, match="another domain"):
        check(tmp_path / "proof", network, Box([-1.0, -1.0], [1.0, 2.0]))


def test_a_tree_may_be_split_on_any_form(tmp_path):
    """The whole tree on one side of a form of the header, and the other one open, or wrongly said to be empty."""
    network = ReLUNetwork.of_layers(golden_layers("2-8-8-1"))
    proved(network, tmp_path / "proof")
    forged = Forged(tmp_path / "proof")
    nodes, rows = forged.members["tree/0/nodes"], forged.members["tree/0/rows"]
    m = len(form_of(network).units)
    shifted = bytes(row + (row >= m) for row in rows)  # 1 and what follows
    forms = [["0", "1", "ffff"]]
    assert forged.verdict({"tree/0/rows": shifted}, forms=forms) is None
    whole = bytes([leaf.SPLIT + 2 * m + 1]) + nodes
    partly = {"tree/0/nodes": whole + bytes([leaf.OPEN]), "tree/0/rows": shifted}
    assert forged.verdict(partly, forms=forms, complete=None) is None
    assert forged.verdict(partly, forms=forms)
    empty = {"tree/0/nodes": whole + bytes([leaf.EMPTY]), "tree/0/rows": shifted + bytes([m, m + 1, 2 * m + 2, 2 * m + 2])}
    assert forged.verdict(empty, forms=forms)
    below = [["0", "-1", "ffff"], ["0", "1", "ffff"]]  # the second one is < 0 where the first is > 0: never on both sides
    assert forged.verdict(empty, forms=below)


def hostile(units, nodes, long=1.0):
    """A file with a tree over the units of two hidden layers, so many each."""
    rng = np.random.default_rng(0)
    first, second = rng.normal(size=(units, 3)) * long, rng.normal(size=(units, units + 3)) * long
    network = {
        "hidden_weight": first.tolist(), "hidden_bias": [0.5] * units, "output_weight": [1.0] * (2 * units), "output_bias": 1.0,
        "deeper": [{"weight": second.tolist(), "bias": [0.25] * units}],
    }  # fmt: skip
    header = {
        "format": "lpnet proof", "version": 3, "network": network, "inputs": 3, "inequalities": [], "order": [], "units": 0,
        "complete": None, "constant": None, "idle": [],
    }  # fmt: skip
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("header.json", json.dumps(header))
        for block, start in enumerate(range(0, len(nodes), 4096)):
            archive.writestr(f"tree/{block}/nodes", nodes[start : start + 4096])
    return file, ReLUNetwork(first, [0.5] * units, [1.0] * (2 * units), 1.0, None, (Layer(second, [0.25] * units),))


@pytest.mark.parametrize(("units", "repeats", "long"), [(40, 200_000, 1.0), (100, 2_000, 1e150), (100, 20_000, 1.0)])
def test_files_that_ask_for_much_are_given_up(units, repeats, long):
    """A tree that has the second layer made anew at every other node: refused before it takes long, or it was short."""
    down = bytes(leaf.SPLIT + 2 * k for k in range(min(units, 100)))
    file, network = hostile(units, down + bytes([leaf.OPEN]) * repeats, long)
    for known in (None, network):
        started = time.process_time()
        with pytest.raises((BadProof, Refuted)):
            check(file, known)
        assert time.process_time() - started < 10 + 4 * len(file.getvalue()) / 1e5


@pytest.mark.parametrize(
    "deeper", [None, {}, [[]], [{}], [{"weight": [[1, 2]], "bias": [1]}] * 2000, [{"weight": 1, "bias": []}]]
)
def test_layers_that_are_none_are_refused(deeper, tmp_path):
    network = ReLUNetwork.of_layers(golden_layers("2-8-8-1"))
    proved(network, tmp_path / "proof")
    forged = Forged(tmp_path / "proof")
    assert forged.verdict({}, network={**forged.header["network"], "deeper": deeper})


@pytest.mark.parametrize("size", [2, 3, 5])
def test_floats_show_contradictions_only_where_integers_do(size):
    """n + 1 vectors of long integers, many of them all but dependent, or with a multiplier that is all but 0."""
    rng = np.random.default_rng(size)
    vectors = rng.integers(-(1 << 62), 1 << 62, (600, size + 1, size)).astype(object)
    z = rng.integers(1, 1000, (600, size + 1))
    for number, (own, factors) in enumerate(zip(vectors, z, strict=True)):
        own[-1] = -sum(int(k) * v for k, v in zip(factors, own[:-1], strict=False)) + rng.integers(-9, 9, size) * (number % 4)
        if number % 3 == 0:  # two are parallel but for the last bits: where one of them has a side is rounding's to say
            own[1] = own[0] * int(rng.choice([1, -1])) + rng.integers(-2, 3, size)
    floats = np.array([divided([tuple(map(int, v)) for v in own], [0] * size) for own in vectors])
    found = exclude(floats)
    for own, fine in zip(vectors, found, strict=True):
        kernel, nullity = fmpz_mat([[*map(int, v)] for v in own]).transpose().nullspace()
        signs = {(int(kernel[j, 0]) > 0) - (int(kernel[j, 0]) < 0) for j in range(size + 1)}
        assert not fine or (nullity == 1 and len(signs) == 1 and 0 not in signs)
    assert found.sum() > 200
    assert not found.all()
