"""Proof files: written and accepted for every kind of network and engine; false ones refused, whatever is false in them."""

import itertools
import json
import zipfile
from pathlib import Path

import cases
import numpy as np
import pytest
from test_cli import DATA, run
from typer.testing import CliRunner

from lpnet import Box, minimal_equivalent
from lpnet.boundary import engines
from lpnet.boundary.pieces import Pieces
from lpnet.checker import BadProof, Refuted, check
from lpnet.checker import tree as version_1
from lpnet.checker.nodes import BOUNDS, EMPTY, NEGATIVE, NOT_NEGATIVE, OPEN, REPEAT, SPLIT, TOUCHING, UNIT, WITH_ROWS
from lpnet.checker.question import normal_form, numbers
from lpnet.cli import app
from lpnet.errors import InputError, LpnetError
from lpnet.io import load, save
from lpnet.networks import ReLUNetwork
from lpnet.programs import Certificate, SignProgram
from lpnet.proofs import write_proof
from lpnet.watch import Watch

KINDS = {"closed form", "tree", "vertices"}
VERSION_1 = Path(__file__).parent / "version_1"


def proved(network, path, domain=None, engine="auto", recorded=True):
    """The kind of the proof that is written for a network, once the checker accepted it."""
    answer = minimal_equivalent(network, domain, engine, recorded=recorded)
    kind = write_proof(answer, path)
    report = check(path, network)
    assert report.units == answer.units
    assert not report.unproved
    return kind


# --- true proofs


@pytest.mark.parametrize("file", sorted(p.name for p in DATA.iterdir() if p.suffix in (".json", ".onnx")))
def test_the_networks_in_data(file, tmp_path):
    network = load(DATA / file)
    for engine in ["auto", "tree"] if file.endswith(".json") else ["auto"]:  # both formats hold the same networks
        assert proved(network, tmp_path / "proof", engine=engine) in KINDS


@pytest.mark.parametrize("case", cases.degenerate_networks(), ids=lambda case: case.name)
def test_degenerate_networks(case, tmp_path):
    for engine in ("tree", "auto"):
        proved(case.network, tmp_path / "proof", engine=engine)


@pytest.mark.parametrize("case", cases.boxed_cases(), ids=lambda case: case.name)
def test_boxes(case, tmp_path):
    for engine in ("tree", "expand"):
        assert proved(case.network, tmp_path / "proof", case.box, engine) == "tree"


def random_question(rng, number):
    """A random network, Gaussian or degenerate, on R^d or on a box."""
    relus, inputs = int(rng.integers(1, 8)), int(rng.integers(1, 5))
    signs = ["mixed", "positive", "negative"][number % 3]
    network = [
        lambda: cases.random_network(rng, relus, inputs, signs),
        lambda: cases.random_degenerate(rng, relus, inputs),
        lambda: cases.any_degenerate(rng, relus, inputs),
        lambda: cases.random_network(rng, relus, inputs, signs, bias=0.0, output_bias=-1.0),
    ][number % 4]()
    lower = rng.integers(-3, 1, inputs).astype(float)
    return network, Box(lower, lower + rng.integers(1, 4, inputs)) if number % 5 == 0 else None


@pytest.mark.slow
def test_five_hundred_random_networks_across_the_engines(tmp_path):
    rng, kinds, written = np.random.default_rng(4), set(), 0
    for number in range(500):
        network, box = random_question(rng, number)
        for engine in [["tree", "expand", "auto"][number % 3], "vertices"]:
            try:
                kinds.add(proved(network, tmp_path / "proof", box, engine, number % 7 > 0))
            except InputError:
                assert engine == "vertices"  # a box, or degenerate
            else:
                written += engine != "vertices"
    assert written == 500
    assert kinds == KINDS


def test_a_network_with_two_boundary_components(tmp_path):
    """f = |x| − 1 in the plane and beyond: the vertices (none of them) and the tree have to see both."""
    far = cases.relu(-1.0, (1, 1, 0.1, 0), (1, -1, 0.1, 0), (0.01, 0.3, 1, 0.2), (-0.01, 0.2, 1, 0.5))
    assert {proved(far, tmp_path / "proof", engine=engine) for engine in ("tree", "vertices")} == {"tree", "vertices"}


@pytest.mark.parametrize("scale", [1e-150, 1e-9, 1e150])
def test_scales(scale, tmp_path):
    rng = np.random.default_rng(7)
    network = cases.random_network(rng, 6, 3)
    scaled = ReLUNetwork(network.hidden_weight * scale, network.hidden_bias, network.output_weight, network.output_bias)
    for engine in ("tree", "vertices"):
        assert proved(scaled, tmp_path / "proof", engine=engine) == engine


def test_thousands_of_units_from_the_vertices(tmp_path):
    network = cases.random_network(np.random.default_rng(3), 16, 5, "positive", 0.2, -1.0)
    assert proved(network, tmp_path / "proof") == "vertices"
    answer = minimal_equivalent(network)
    assert (tmp_path / "proof").stat().st_size < 120 * answer.units


@pytest.mark.parametrize("engine", ["expand", "tree", "vertices"])
@pytest.mark.parametrize("recorded", [True, False])
def test_a_stopped_search_is_proved_as_far_as_it_went(engine, recorded, tmp_path):
    network = cases.random_network(np.random.default_rng(3), 10, 4)
    answer = minimal_equivalent(network, engine=engine, watch=Watch(max_pieces=20), recorded=recorded)
    assert write_proof(answer, tmp_path / "proof") is None
    report = check(tmp_path / "proof", network)
    assert report.units == answer.units == 20
    assert report.unproved
    assert any("but a share" in said for said in report.proved) == (recorded and engine != "vertices")


def test_the_leaves_of_a_stopped_search_are_checked(tmp_path):
    network = cases.random_network(np.random.default_rng(3), 10, 4)
    answer = minimal_equivalent(network, engine="tree", watch=Watch(max_pieces=20), recorded=True)
    write_proof(answer, tmp_path / "proof")
    proof = Forged(tmp_path / "proof")
    header, nodes = proof.json("header.json"), proof.array("tree/0/nodes", np.uint8)
    assert proof.verdict({"header.json": {**header, "complete": "tree"}})
    for at in np.flatnonzero(nodes == OPEN):
        for kind in (UNIT, EMPTY, NOT_NEGATIVE, NEGATIVE, TOUCHING):
            forged = nodes.copy()
            forged[at] = kind
            assert proof.verdict({"tree/0/nodes": forged.tobytes()})


@pytest.mark.parametrize("path", sorted(VERSION_1.iterdir()), ids=lambda path: path.stem)
def test_files_of_version_1_are_still_verified(path):
    report = check(path)
    assert report.complete
    units = {"tree": 18, "box": 6, "vertices": 18, "odd": 4, "kink": 3, "touching": 2, "repeats": 3, "constant": 0}
    units["bound"] = 32
    assert report.units == units[path.stem]


def test_thousands_of_leaves_are_short(tmp_path):
    """At most 150 bytes a leaf, with its points."""
    answer = minimal_equivalent(cases.random_network(np.random.default_rng(3), 14, 5), engine="tree", recorded=True)
    write_proof(answer, tmp_path / "proof")
    assert check(tmp_path / "proof").units == answer.units > 900
    assert (tmp_path / "proof").stat().st_size < 75 * len(answer.pieces.tree.nodes)


# --- false proofs


class Forged:
    """A proof file as a dictionary of members, to be spoilt and put together again."""

    def __init__(self, path, target=None):
        self.path = target or path
        with zipfile.ZipFile(path) as file:
            self.members = {name: file.read(name) for name in file.namelist()}

    def json(self, name):
        return json.loads(self.members[name])

    def array(self, name, dtype):
        return np.frombuffer(self.members[name], dtype=dtype).copy()

    def verdict(self, changes, network=None):
        """None where the checker accepts it, else what it says."""
        target = self.path.with_suffix(".forged")
        with zipfile.ZipFile(target, "w") as file:
            for name, value in {**self.members, **changes}.items():
                if value is not None:
                    file.writestr(name, value if isinstance(value, bytes) else json.dumps(value))
        try:
            check(target, network)
        except (Refuted, BadProof) as error:
            return str(error)
        return None


@pytest.fixture(scope="module")
def honest(tmp_path_factory):
    """Proofs with every kind of evidence and leaf: tree on R^d or a box, kinks and repeats, vertices, bound, constant."""
    folder = tmp_path_factory.mktemp("proofs")
    rng = np.random.default_rng(11)
    mixed = cases.random_network(rng, 6, 3)
    central = cases.random_network(rng, 6, 3, "positive", 0.0, -1.0)
    odd = cases.relu(0.0, (1, 1, 1, 0), (1, -1, -1, 0), (-1, 1, -1, 0), (-1, -1, 1, 0))
    kink = cases.relu(-1.0, (1, 1, 0, 0), (1, 1, 0, -1), (1, 0, 1, 0))
    touching = cases.relu(0.0, *cases.absolute(-1, 1, 0), (1, 0, 1, -1))
    repeats = cases.relu(0.0, *cases.affine(1, 0), (1, 0, 1, 0), (-2, 0, 1, -1), (1, 0, 1, -2))
    made = {
        "tree": (mixed, None, "tree"),
        "box": (mixed, Box(np.full(3, -1.0), np.full(3, 1.0)), "tree"),
        "vertices": (mixed, None, "vertices"),
        "convex": (cases.random_network(rng, 6, 3, "positive", 1.0, -3.0), None, "vertices"),
        "twice": (repeats, None, "vertices"),
        "odd": (odd, None, "tree"),
        "kink": (kink, None, "tree"),
        "touching": (touching, None, "tree"),
        "repeats": (repeats, None, "tree"),
        "constant": (cases.relu(-1.0, (-1, 1, 0, 0), (-2, 0, 1, 0), (-1, 1, 1, 1)), None, "tree"),
        "closed": (cases.random_network(rng, 3, 4), None, "auto"),
        "cones": (central, None, "vertices"),
    }
    proofs = {"bound": Forged(VERSION_1 / "bound.proof", folder / "bound")}  # nothing writes it any more
    proofs["bound"].network = central
    for name, (network, box, engine) in made.items():
        write_proof(minimal_equivalent(network, box, engine, recorded=True), folder / name)
        proofs[name] = Forged(folder / name)
        proofs[name].network = network
        assert proofs[name].verdict({}) is None
    return proofs


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    """Proofs of version 1."""
    folder = tmp_path_factory.mktemp("version_1")
    return {path.stem: Forged(path, folder / path.stem) for path in VERSION_1.iterdir()}


def test_the_honest_proofs_have_every_kind_of_leaf(honest, first):
    kinds = set()
    for proof in honest.values():
        if "tree/0/nodes" in proof.members:
            kinds |= set(np.minimum(proof.array("tree/0/nodes", np.uint8), SPLIT).tolist())
    assert kinds == {UNIT, REPEAT, EMPTY, NOT_NEGATIVE, NEGATIVE, TOUCHING, SPLIT}
    trees = [proof for proof in first.values() if "tree/0/leaves" in proof.members]
    leaves = [proof.array("tree/0/leaves", version_1.LEAF) for proof in trees]
    assert set(np.concatenate(leaves)["kind"].tolist()) == {UNIT, REPEAT, EMPTY, NOT_NEGATIVE, NEGATIVE, TOUCHING}


POINTS = ["tree", "box", "bound", "odd", "kink", "touching", "repeats"]
ROWS = [*POINTS, "vertices", "convex", "twice"]
TREES = ["tree", "box", "odd", "kink", "touching", "repeats", "constant"]


@pytest.mark.parametrize("name", POINTS)
def test_a_moved_or_exchanged_witness_is_refused(honest, name):
    proof = honest[name]
    points = proof.array("units/0/points", "<f8")
    inputs = len(proof.json("header.json")["network"]["hidden_weight"][0])
    points = points.reshape(-1, 2, inputs)
    for row in range(len(points)):
        if np.isnan(points[row]).any():
            continue
        for spoilt in (points[row, ::-1], points[row, [0, 0]], points[row, [1, 1]], points[row] * np.nan, -1e3 * points[row]):
            forged = points.copy()
            forged[row] = spoilt
            assert proof.verdict({"units/0/points": forged.tobytes()}), (row, spoilt)
    if len(points) > 1:
        assert proof.verdict({"units/0/points": np.roll(points, 1, axis=0).tobytes()})
    assert proof.verdict({"units/0/points": points[:-1].tobytes()})


def test_exact_witnesses_are_checked(honest):
    checked = 0
    for proof in honest.values():
        if "units/0/exact.json" not in proof.members:
            continue
        pairs = proof.json("units/0/exact.json")
        for row, (a, b) in pairs.items():
            for spoilt in ([b, a], [a, a], [b, b], [a[:-1], b], [[*a[:-1], "0"], b], [[*a[:-1], "-1"], b], [a]):
                assert proof.verdict({"units/0/exact.json": {**pairs, row: spoilt}})
            checked += 1
        assert proof.verdict({"units/0/exact.json": None})
    assert checked


@pytest.mark.parametrize("name", ROWS)
def test_every_bit_of_every_pattern_counts(honest, name):
    proof = honest[name]
    patterns = proof.array("units/0/patterns", np.uint8)
    units = len(proof.json("header.json")["order"])
    for row, bit in itertools.product(range(len(patterns)), range(units)):
        forged = patterns.copy()
        forged[row] ^= 1 << (7 - bit)
        assert proof.verdict({"units/0/patterns": forged.tobytes()}), (row, bit)


@pytest.mark.parametrize("name", ROWS)
def test_a_unit_removed_or_added_is_refused(honest, name):
    proof = honest[name]
    header = proof.json("header.json")
    width = -(-len(header["order"]) // 8)
    patterns = proof.array("units/0/patterns", np.uint8).reshape(-1, width)
    points = proof.array("units/0/points", "<f8").reshape(len(patterns), -1) if name in POINTS else patterns  # not looked at
    fewer, more = {**header, "units": f"{len(patterns) - 1:x}"}, {**header, "units": f"{len(patterns) + 1:x}"}
    for claim in (fewer, more):
        assert proof.verdict({"header.json": claim})
    exact = proof.json("units/0/exact.json") if "units/0/exact.json" in proof.members else {}
    for row in range(len(patterns)):
        rest = [k for k in range(len(patterns)) if k != row]
        changes = {
            "header.json": fewer,
            "units/0/patterns": patterns[rest].tobytes(),
            "units/0/points": points[rest].tobytes(),
            "units/0/exact.json": {str(rest.index(int(k))): pair for k, pair in exact.items() if int(k) in rest},
        }
        assert proof.verdict(changes)  # the tree, the vertices or the bound miss it
        if "tree/0/nodes" in proof.members:
            tree = Tree(proof)
            at = np.flatnonzero(tree.nodes == UNIT)[row]
            for code in range(tree.none):
                for kind in WITH_ROWS:
                    assert proof.verdict({**changes, **tree.with_leaf(at, kind, [code])}), (row, kind, code)
            for number in range(8):
                assert proof.verdict({**changes, **tree.with_leaf(at, REPEAT, [], number)}), (row, number)
    twice = [*range(len(patterns)), 0]
    added = {str(len(patterns)): exact["0"]} if "0" in exact else {}
    changes = {"units/0/patterns": patterns[twice].tobytes(), "units/0/points": points[twice].tobytes()}
    said = "is there twice" if name == "convex" else "are the same"
    assert said in proof.verdict({**changes, "header.json": more, "units/0/exact.json": {**exact, **added}})


def test_repeats_at_vertices_are_looked_at(honest):
    """Each is of one half-space, is needed for the whole, and stands there once."""
    proof = honest["twice"]
    patterns, numbers = proof.array("repeats/0/patterns", np.uint8), proof.array("repeats/0/numbers", "<u8")
    rows, header = proof.array("units/0/patterns", np.uint8), proof.json("header.json")
    assert len(rows) == 3
    assert len(numbers) > 0
    for row, number in itertools.product(range(len(numbers)), range(5)):
        forged = numbers.copy()
        forged[row] = number
        assert (proof.verdict({"repeats/0/numbers": forged.tobytes()}) is None) == (number == numbers[row])
    for row, bit in itertools.product(range(len(numbers)), range(len(header["order"]))):
        forged = patterns.copy()
        forged[row] ^= 1 << (7 - bit)
        assert proof.verdict({"repeats/0/patterns": forged.tobytes()})
    assert "missing" in proof.verdict({"repeats/0/patterns": b"", "repeats/0/numbers": b""})
    again = {"repeats/0/patterns": patterns.tobytes() * 2, "repeats/0/numbers": numbers.tobytes() * 2}
    assert "is there twice" in proof.verdict(again)
    as_row = {"units/0/patterns": bytes([*rows, *patterns]), "header.json": {**header, "units": len(rows) + len(patterns)}}
    assert "are the same" in proof.verdict({**as_row, "repeats/0/patterns": b"", "repeats/0/numbers": b""})


class Tree:
    """The tree of a proof of version 2, in one block, to be spoilt."""

    def __init__(self, proof):
        header = proof.json("header.json")
        self.units, self.walls = len(header["order"]), len(header["inequalities"])
        self.none = 2 * self.units + self.walls + 1
        columns = {name: proof.members.get(f"tree/0/{name}", b"") for name in ("nodes", "rows", "full", "numbers")}
        self.nodes, rows, full = (np.frombuffer(columns[name], np.uint8) for name in ("nodes", "rows", "full"))
        self.rows, self.full = rows.reshape(-1, header["inputs"] + 2), full.reshape(-1, max(1, -(-self.units // 8)))
        self.numbers = np.frombuffer(columns["numbers"], "<u4")

    def members(self, nodes=None, rows=None, full=None, numbers=None):
        changed = {"nodes": nodes, "rows": rows, "full": full, "numbers": numbers}
        return {f"tree/0/{name}": array.tobytes() for name, array in changed.items() if array is not None}

    def with_leaf(self, at, kind, codes, number=None):
        """The leaf of a half-space at this node replaced by another one."""
        nodes = self.nodes.copy()
        nodes[at] = kind
        before = self.nodes[:at]
        row = np.full(self.rows.shape[1], self.none, np.uint8)
        row[: len(codes)] = codes
        rows = np.insert(self.rows, np.isin(before, WITH_ROWS).sum(), row, axis=0) if kind in WITH_ROWS else None
        full = np.insert(self.full, np.isin(before, BOUNDS).sum(), 0, axis=0) if kind in BOUNDS else None
        numbers = None if number is None else np.insert(self.numbers, (before == REPEAT).sum(), number)
        return self.members(nodes, rows, full, numbers)


@pytest.mark.parametrize("name", TREES)
def test_every_node_counts(honest, name):
    proof, tree = honest[name], Tree(honest[name])
    for at in range(len(tree.nodes)):
        assert proof.verdict(tree.members(np.delete(tree.nodes, at)))
        for value in {*range(SPLIT + tree.units + 1), 255} - {int(tree.nodes[at])}:
            forged, inserted = tree.nodes.copy(), np.insert(tree.nodes, at, value)
            forged[at] = value
            assert proof.verdict(tree.members(inserted)), (at, value)
            said = proof.verdict(tree.members(forged))
            assert said or {value, tree.nodes[at]} <= {*BOUNDS, EMPTY} or value >= SPLIT, (at, value)
    assert proof.verdict(tree.members(tree.nodes[::-1])) or len(tree.nodes) == 1
    assert proof.verdict(tree.members(tree.nodes[:0]))
    assert proof.verdict(tree.members(np.append(tree.nodes, UNIT)))
    assert proof.verdict({"tree/0/nodes": None})


def shown_leaves(tree):
    """The kind and the signs of each leaf that names rows, in order."""
    path, found = [], []
    for node in tree.nodes.tolist():
        if node >= SPLIT:
            path.append([node - SPLIT, -1])
            continue
        if node in WITH_ROWS:
            found.append((node, dict(path)))
        while path and path[-1][1] > 0:
            path.pop()
        if path:
            path[-1][1] = 1
    return found


def true_leaf(proof, kind, signs):
    """Whether no point of the domain has these signs, or none with f < 0 (or f > 0), by an exact program for each pattern."""
    header = proof.json("header.json")
    walls = [tuple(int(x, 16) for x in h) for h in header["inequalities"]]
    form = normal_form(numbers(header["network"], header["inputs"]), header["inputs"], walls)
    for pattern in itertools.product((-1, 1), repeat=len(form.units)):
        if any(pattern[unit] != sign for unit, sign in signs.items()):
            continue
        c = form.on_cell(int("".join(str(int(s > 0)) for s in pattern) or "0", 2))
        wanted = {EMPTY: 0, NOT_NEGATIVE: -1, NEGATIVE: 1, TOUCHING: 1}[kind]
        if not any(c[:-1]) and wanted * c[-1] < 0:
            continue
        program = SignProgram([*form.units, *walls, c], header["inputs"])
        if not isinstance(program.decide([*pattern, *[1] * len(walls), wanted]), Certificate):
            return False
    return True


@pytest.mark.parametrize("name", TREES)
def test_a_leaf_names_rows_that_are_there(honest, name):
    """Rows whose signs are fixed, each once, and shares of units that are free; what they show is then decided exactly."""
    proof, tree = honest[name], Tree(honest[name])
    leaves, refused = shown_leaves(tree), 0
    for at, column in np.ndindex(tree.rows.shape):
        kind, signs = leaves[at]
        assert column or true_leaf(proof, kind, signs)
        first_share = tree.none - tree.units
        for value in {*range(tree.none + 1), 255} - {int(tree.rows[at, column])}:
            forged = tree.rows.copy()
            forged[at, column] = value
            said = proof.verdict(tree.members(rows=forged))
            twice = value != tree.none and value in tree.rows[at]
            absent = value in range(tree.units) and value not in signs
            no_share = value in range(first_share, tree.none) and (value - first_share in signs or kind == EMPTY)
            assert said or not (value > tree.none or twice or absent or no_share) or (kind == TOUCHING and column)
            refused += said is not None
    assert refused > 0.5 * tree.rows.size or not tree.rows.size or name == "touching"
    for forged in (tree.rows[1:], np.append(tree.rows, tree.rows[:1], axis=0)):
        assert proof.verdict(tree.members(rows=forged)) or not tree.rows.size


@pytest.mark.parametrize("name", TREES)
def test_full_shares_are_of_free_units(honest, name):
    proof, tree = honest[name], Tree(honest[name])
    bounds = [signs for kind, signs in shown_leaves(tree) if kind in BOUNDS]
    for (at, signs), unit in itertools.product(enumerate(bounds), range(tree.units)):
        forged = tree.full.copy()
        forged[at, unit // 8] ^= 128 >> unit % 8
        assert proof.verdict(tree.members(full=forged)) or unit not in signs
    assert proof.verdict(tree.members(full=tree.full[1:])) or not len(tree.full)


@pytest.mark.parametrize("name", TREES)
def test_every_leaf_counts_in_version_1(first, name):
    proof = first[name]
    leaves = proof.array("tree/0/leaves", version_1.LEAF)
    for at in range(len(leaves)):
        without, twice = np.delete(leaves, at), np.insert(leaves, at, leaves[at])
        assert proof.verdict({"tree/0/leaves": without.tobytes()})
        assert proof.verdict({"tree/0/leaves": twice.tobytes()})
        for change in (-1, 1):
            forged = leaves.copy()
            forged["depth"][at] = (int(leaves["depth"][at]) + change) % (1 << 16)
            assert proof.verdict({"tree/0/leaves": forged.tobytes()})
        for kind in {UNIT, 6, 255} - {int(leaves[at]["kind"])}:
            forged = leaves.copy()
            forged["kind"][at] = kind
            assert proof.verdict({"tree/0/leaves": forged.tobytes()})
        forged = leaves.copy()
        forged["number"][at] += 1 << 30
        assert proof.verdict({"tree/0/leaves": forged.tobytes()}) or leaves[at]["kind"] == UNIT
    assert proof.verdict({"tree/0/leaves": leaves[::-1].tobytes()}) or len(np.unique(leaves)) == 1
    assert proof.verdict({"tree/0/leaves": b""}) or not len(leaves)


@pytest.mark.parametrize("name", TREES)
def test_every_multiplier_counts_in_version_1(first, name):
    proof = first[name]
    written = proof.json("tree/0/certificates.json")

    def refused(kind, index, value):
        spoilt = {**written, kind: [value if k == index else entry for k, entry in enumerate(written[kind])]}
        return proof.verdict({"tree/0/certificates.json": spoilt})

    for index, circuit in enumerate(written["circuits"]):
        for k, (row, multiplier) in enumerate(circuit):
            for changed in (f"{int(multiplier, 16) + 1:x}", f"{-int(multiplier, 16):x}", "0"):
                assert refused("circuits", index, [*circuit[:k], [row, changed], *circuit[k + 1 :]])
            for other in (row + 1, -1, 99):
                assert refused("circuits", index, [*circuit[:k], [other, multiplier], *circuit[k + 1 :]])
            assert refused("circuits", index, [*circuit[:k], *circuit[k + 1 :]])
        assert refused("circuits", index, [])
    for index, (scale, pairs) in enumerate(written["bounds"]):
        if pairs:
            assert refused("bounds", index, [f"{int(scale, 16) + 1:x}", pairs])
        assert refused("bounds", index, [f"{-int(scale, 16):x}", pairs])
        assert refused("bounds", index, ["0", []])
        for k, (row, multiplier) in enumerate(pairs):
            for changed in (f"{int(multiplier, 16) + 1:x}", f"{-int(multiplier, 16):x}"):
                assert refused("bounds", index, [scale, [*pairs[:k], [row, changed], *pairs[k + 1 :]]])
            assert refused("bounds", index, [scale, [*pairs[:k], *pairs[k + 1 :]]])
            assert refused("bounds", index, [scale, [*pairs, [row, multiplier]]])
            assert refused("bounds", index, [scale, [*pairs[:k], [row + 50, multiplier], *pairs[k + 1 :]]])


@pytest.mark.parametrize("name", TREES)
def test_exchanged_certificates_are_refused_in_version_1(first, name):
    proof = first[name]
    written = proof.json("tree/0/certificates.json")
    for kind in ("circuits", "bounds"):
        if len({json.dumps(entry) for entry in written[kind]}) > 1:
            assert proof.verdict({"tree/0/certificates.json": {**written, kind: written[kind][::-1]}})
            assert proof.verdict({"tree/0/certificates.json": {**written, kind: written[kind][1:]}})


@pytest.mark.parametrize("name", [*ROWS, "constant", "closed"])
def test_the_header_counts(honest, name):
    proof = honest[name]
    header = proof.json("header.json")
    for claim in (
        {"version": 1 if name in TREES else 4},
        {"version": 4},
        {"format": "something"},
        {"units": "ffff"},
        {"units": "-1"},
        {"complete": "believe me"},
        {"order": header["order"][:-1]},
        {"order": [0] * len(header["order"])},
        {"network": {}},
        {"inequalities": [["1"]]},
        {"idle": [["0", "1"]]} if name != "idle" else {},
    ):
        assert proof.verdict({"header.json": {**header, **claim}}), claim
    for missing in header:
        if missing != "inputs":
            assert proof.verdict({"header.json": {k: v for k, v in header.items() if k != missing}}), missing
    for field in ("hidden_weight", "hidden_bias", "output_weight"):
        network = json.loads(json.dumps(header["network"]))
        row = network[field][0] if field == "hidden_weight" else network[field]
        row[0] = float(np.nextafter(row[0], 9))
        assert proof.verdict({"header.json": {**header, "network": network}}, proof.network)


def test_kinds_of_completeness_are_not_exchanged(honest):
    for name, other in itertools.product(ROWS, ("closed form", "bound", "vertices", "tree")):
        proof = honest[name]
        header = proof.json("header.json")
        holds = {"tree": {"vertices"}, "bound": {"vertices", "closed form"}, "odd": {"bound"}}  # nothing else is in the file
        true = holds.get(name, set())
        if other != header["complete"] and other not in true:
            assert proof.verdict({"header.json": {**header, "complete": other}}), (name, other)


def test_a_constant_of_the_other_sign_is_refused(honest):
    proof = honest["constant"]
    header = proof.json("header.json")
    assert header["constant"] in (1, -1)
    assert proof.verdict({"header.json": {**header, "constant": -header["constant"]}})
    assert proof.verdict({"header.json": {**header, "constant": None}})
    assert proof.verdict({"header.json": {**header, "idle": []}})


def test_a_proof_is_about_one_network(honest, tmp_path):
    network = cases.random_network(np.random.default_rng(5), 4, 2)
    write_proof(minimal_equivalent(network), tmp_path / "proof")
    check(tmp_path / "proof", network)
    bias = network.hidden_bias.copy()
    bias[0] = np.nextafter(bias[0], 9)
    other = ReLUNetwork(network.hidden_weight, bias, network.output_weight, network.output_bias)
    with pytest.raises(Refuted, match="the first layer differs"):
        check(tmp_path / "proof", other)


# --- a search that errs


def forgetful(engine, which):
    """An engine that loses a piece, or (which=None) every piece of a subtree."""

    def search(form, domain, watch, recorded=False):
        found = engines_before[engine](form, domain, watch)
        keep = np.ones(len(found.patterns), dtype=bool)
        if which is None:
            keep[found.patterns[:, 0]] = False
        else:
            keep[which % len(keep)] = False
        witnesses = tuple(w for w, k in zip(found.witnesses, keep, strict=True) if k) if found.witnesses else None
        return Pieces(found.patterns[keep], witnesses, found.programs, found.complete)

    return search


engines_before = dict(engines.ENGINES)


@pytest.mark.parametrize("engine", ["tree", "expand", "vertices"])
@pytest.mark.parametrize("which", [0, 5, -1, None])
def test_a_search_that_loses_pieces_is_found_out(engine, which, tmp_path, monkeypatch):
    network = cases.random_network(np.random.default_rng(21), 6, 3)
    truth = minimal_equivalent(network, engine=engine).units
    monkeypatch.setitem(engines.ENGINES, engine, forgetful(engine, which))
    answer = minimal_equivalent(network, engine=engine)
    assert answer.units < truth
    if engine == "vertices":
        write_proof(answer, tmp_path / "proof")
        with pytest.raises(Refuted, match="missing"):
            check(tmp_path / "proof")
    else:
        with pytest.raises(LpnetError, match="contradicts the engine"):
            write_proof(answer, tmp_path / "proof")
        assert not (tmp_path / "proof").exists()


def test_a_search_that_invents_a_piece_is_found_out(tmp_path, monkeypatch):
    network = cases.random_network(np.random.default_rng(21), 6, 3)

    def inventive(form, domain, watch):
        found = engines_before["tree"](form, domain, watch)
        rows = {tuple(row) for row in found.patterns.tolist()}
        new = next(p for p in itertools.product((False, True), repeat=6) if p not in rows)
        return Pieces(np.array(sorted([*rows, new])), None, 0)

    monkeypatch.setitem(engines.ENGINES, "tree", inventive)
    with pytest.raises(LpnetError, match="contradicts the engine"):
        write_proof(minimal_equivalent(network, engine="tree"), tmp_path / "proof")


# --- the file and the command


def test_files_that_are_no_proofs(tmp_path):
    for number, content in enumerate([b"", b"PK\x03\x04 not a zip", b'{"format": "lpnet proof"}']):
        (tmp_path / f"{number}").write_bytes(content)
        with pytest.raises(BadProof):
            check(tmp_path / f"{number}")
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as file:
        file.writestr("readme", "hello")
    with pytest.raises(BadProof):
        check(tmp_path / "other.zip")


def test_damage_at_any_byte_is_noticed(honest):
    """Flipping bits of the file: refused, unreadable, or (in what a zip file does not use) the very same proof."""
    proof = honest["odd"]
    content = proof.path.read_bytes()
    rng, target = np.random.default_rng(0), proof.path.with_suffix(".damaged")
    for at in rng.integers(0, len(content), 300):
        damaged = bytearray(content)
        damaged[at] ^= 1 << int(rng.integers(8))
        target.write_bytes(damaged)
        try:
            check(target)
        except (Refuted, BadProof):
            continue
        assert Forged(target).members == proof.members


def test_lpnet_verify(tmp_path):
    network, other = tmp_path / "network.json", tmp_path / "other.json"
    save(cases.random_network(np.random.default_rng(2), 6, 3), network)
    save(cases.random_network(np.random.default_rng(3), 6, 3), other)
    proof = tmp_path / "network.proof"
    result = run("minimal", network, "--proof", proof)
    assert result.exit_code == 0
    assert "lpnet verify" in result.stdout
    result = run("verify", proof, "--network", network)
    assert result.exit_code == 0
    assert "proved" in result.stdout
    answer = json.loads(run("verify", proof, "--json").stdout)
    assert answer["verdict"] == "proved"
    assert answer["units"] == json.loads(run("minimal", network, "--json").stdout)["units"]
    result = run("verify", proof, "--network", other)
    assert result.exit_code == 1
    assert "REFUTED" in result.stdout
    assert run("verify", network).exit_code == 2
    assert run("verify", tmp_path / "nothing").exit_code == 2


def test_the_place_for_the_proof_is_checked_before_the_work(tmp_path):
    network = DATA / "running_example.json"
    for place in (tmp_path / "no" / "folder", tmp_path, network):
        result = run("minimal", network, "--proof", place)
        assert result.exit_code == 2
        assert not result.stdout
    result = CliRunner().invoke(app, ["minimal", str(network), str(network), "--proof", str(tmp_path / "p")])
    assert result.exit_code == 2


def test_what_is_no_proof_is_one_sentence(tmp_path):
    (tmp_path / "text").write_text("no proof")
    np.savez(tmp_path / "arrays.npz", a=np.zeros(3))
    sentences = {"text": "is not a proof file; wanted what lpnet minimal --proof wrote, whole"}
    sentences["arrays.npz"] = "is not a proof file that this version reads: it has no header.json in it"
    for name, sentence in sentences.items():
        done = CliRunner().invoke(app, ["verify", str(tmp_path / name)])
        assert (done.exit_code, done.stderr) == (2, f"lpnet: {tmp_path / name}: {sentence}\n")
