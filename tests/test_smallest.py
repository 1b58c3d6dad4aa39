"""The smallest threshold network: right everywhere, ties included, and as small as the certificates say."""

import itertools
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import onnx
import pytest
from cases import degenerate_networks, random_degenerate, random_network
from onnx.reference import ReferenceEvaluator

from lpnet import Box, InputError, ReLUNetwork, SignCircuit, SignNetwork, equal, minimal_equivalent
from lpnet.boundary.tree import cells
from lpnet.circuits.classes import Classes
from lpnet.circuits.cover import holds_at, prime_implicants, smallest_cover
from lpnet.circuits.fooling import FoolingSet
from lpnet.circuits.sample import Floats, sample
from lpnet.circuits.separation import Inseparable, separating_weights, wrong_at
from lpnet.equality.terms import holds, point_of_difference
from lpnet.exact import primitive, times
from lpnet.io import load, save
from lpnet.io.text import described_logic
from lpnet.programs import Certificate, SignProgram
from lpnet.regions.reasons import Gate, gate_reasons, relu_reasons
from lpnet.regions.search import Questions, first_difference
from lpnet.watch import Watch

DATA = Path(__file__).parent.parent / "data"


def short(rng, relus, inputs):
    """A random mixed network with weights of a few bits, so that sums of them are floats."""
    network = random_network(rng, relus, inputs)
    rounded = [np.round(16 * part) / 16 for part in (network.hidden_weight, network.hidden_bias, network.output_weight)]
    return ReLUNetwork(*rounded, np.round(16 * network.output_bias) / 16)


def assert_exact(answer, built):
    """The logic, before any rounding of half-spaces, decides as the network everywhere, ties included; and its evidence."""
    logic, form = built.smallest.logic, answer.form
    units = len(logic.halfspaces)
    if logic.kind == "two layers":
        middle = [Gate(((k, 1),), 0) for k in range(units)]
        output = Gate(tuple((k, w) for k, w in enumerate(logic.weights[:-1]) if w), logic.weights[-1])
    else:
        side = 1 if logic.kind == "DNF" else -1
        middle = [
            Gate(tuple((int(k), side * int(t[k])) for k in np.flatnonzero(t)), side * (1 - int(abs(t).sum())))
            for t in logic.terms
        ]
        output = Gate(tuple((j, 1) for j in range(len(middle))), side * (len(middle) - 1))
    assert_evidence(answer, built)
    logic_reasons = gate_reasons(logic.halfspaces, middle, output)
    assert first_difference(relu_reasons(form), logic_reasons, Questions(answer.domain), Watch()) == (None, True)


def assert_evidence(answer, built):
    """The certificates that two layers do not do and that so many terms are needed."""
    if built.smallest and built.smallest.inseparable:
        logic = built.smallest.logic
        assert built.smallest.inseparable.holds(answer.form, logic.halfspaces)
        assert all(fooling.holds(answer.form, logic.halfspaces) for fooling in built.smallest.fooling)
        assert built.smallest.lower <= len(logic.terms)


def assert_smallest(network, box=None):
    """The network that was built is right, on just the needed half-spaces unless these do not decide; returns it."""
    answer = minimal_equivalent(network, box)
    built = answer.build_equivalent()
    if built.smallest:
        assert_exact(answer, built)
    if built.kind == "Theorem 1":
        assert not answer.regular
    else:
        assert built.first_layer == answer.units
    exact = all(abs(entry) < 2**53 for h in answer.halfspaces for entry in primitive(h))
    if exact:
        assert equal(network, built.network, box).verdict == "equal"
    return built


@pytest.mark.parametrize("seed", range(4))
def test_random_networks(seed):
    """Ten mixed networks each, n ≤ 10, d ≤ 4, on R^d and on boxes; equal, proved."""
    rng = np.random.default_rng(seed)
    kinds = set()
    for number in range(10):
        inputs = int(rng.integers(1, 5))
        relus = int(rng.integers(2, 11 if inputs < 3 else 7 if inputs == 3 else 6))
        box = Box(np.full(inputs, -1.0), np.full(inputs, 2.0)) if number % 3 == 0 else None
        kinds.add(assert_smallest(short(rng, relus, inputs), box).kind)
    assert {"two layers"} < kinds


@pytest.mark.slow
@pytest.mark.parametrize("chunk", range(10))
def test_300_random_networks(chunk):
    """Circuits equal to their networks, proved, n ≤ 10 and d ≤ 4; on R^d these all have closed-up interiors."""
    rng = np.random.default_rng(100)
    for number in range(300):
        inputs, relus = int(rng.integers(1, 5)), int(rng.integers(2, 11))
        network = short(rng, relus, inputs)
        if number % 10 == chunk:
            answer = minimal_equivalent(network)
            built = answer.build_equivalent()
            assert built.kind != "Theorem 1"
            assert built.first_layer == answer.units
            assert equal(network, built.network).verdict == "equal", number


def test_degenerate_networks_ties_included():
    rng = np.random.default_rng(3)
    for case in degenerate_networks():
        assert_smallest(case.network)
    for _ in range(30):
        assert_smallest(random_degenerate(rng, int(rng.integers(2, 6)), int(rng.integers(1, 4))))


@pytest.mark.parametrize(
    ("name", "kind", "units", "terms"),
    [
        ("wine_pca3", "CNF", 14, 3),
        ("running_example", "two layers", 4, 0),
        ("theorem2_n3", "two layers", 7, 0),
        ("theorem2_n5", "two layers", 31, 0),
        ("theorem2_n8", "two layers", 255, 0),
        ("cancer_all30", "CNF", 240, 15),
        pytest.param("cancer_pca5", "DNF", 436, 8, marks=pytest.mark.slow),
    ],
)
def test_data(name, kind, units, terms):
    network = load(DATA / f"{name}.json")
    answer = minimal_equivalent(network)
    built = answer.build_equivalent()
    assert (built.kind, built.first_layer, built.second_layer, built.at_least) == (kind, units, terms, terms)
    assert_evidence(answer, built)
    if terms:
        assert point_of_difference(answer.form, answer.domain, *logic_terms(built.smallest.logic), Watch()) is None
    else:
        assert equal(network, built.network).verdict == "equal"


def test_points_that_floats_cannot_hold():
    """The witnesses have coordinates of about 1e400: no warning, and the circuit is the network."""
    weight = 2.0**-665 * np.array([[2.0, 3.0], [-1.0, 1.0], [3.0, 1.0], [0.0, 3.0]])
    network = ReLUNetwork(weight, 2.0**665 * np.array([1.0, 1.0, -1.0, 2.0]), [-1.0, 1.0, -1.0, 1.0], 3 * 2.0**665)
    built = minimal_equivalent(network).build_equivalent()
    assert built.kind == "two layers"
    assert equal(network, built.network).verdict == "equal"


@pytest.mark.slow
def test_digits():
    """3,294 half-spaces and 57 clauses: equal to the network term by term, and at points near the boundary."""
    network = load(DATA / "digits_3v8_pca6.json")
    answer = minimal_equivalent(network)
    built = answer.build_equivalent()
    assert (built.kind, built.first_layer) == ("CNF", 3294)
    assert 30 <= built.at_least <= built.second_layer <= 57
    assert_evidence(answer, built)
    seen = sample(Floats(answer.form, answer.domain, answer.halfspaces), answer.witnesses[::7])
    assert len(seen.points) > 3000
    np.testing.assert_array_equal(built.network(seen.points), seen.answers)
    assert point_of_difference(answer.form, answer.domain, *logic_terms(built.smallest.logic), Watch()) is None


def logic_terms(logic):
    """A DNF or CNF as side and terms of `lpnet.equality.terms`."""
    side = 1 if logic.kind == "DNF" else -1
    halfspaces = [primitive(h) for h in logic.halfspaces]
    return side, [tuple((halfspaces[k], t[k] == side) for k in np.flatnonzero(t)) for t in logic.terms]


def test_a_term_or_a_literal_less_is_noticed():
    """Equality term by term: without a term, or with a literal of one, the circuit differs, and at the point that is named."""
    network = load(DATA / "wine_pca3.json")
    answer = minimal_equivalent(network)
    side, terms = logic_terms(answer.build_equivalent().smallest.logic)
    for k, term in enumerate(terms):
        for changed in ([*terms[:k], *terms[k + 1 :]], [*terms[:k], term[1:], *terms[k + 1 :]]):
            at = point_of_difference(answer.form, answer.domain, side, changed, Watch())
            held = any(holds(t, side, at) for t in changed)
            assert held != ((answer.form.sign_at(at) >= 0) == (side > 0))


def test_terms_and_regions_agree_on_equality():
    """Two methods with nothing in common say the same of circuits as they are, and with one literal changed."""
    rng = np.random.default_rng(5)
    verdicts = []
    while len(verdicts) < 12:
        network = short(rng, 4, 3)
        circuit = minimal_equivalent(network).build_equivalent().network
        if not isinstance(circuit, SignCircuit):
            continue
        middle = circuit.middle_weight.copy()
        if len(verdicts) % 2:
            row, column = np.argwhere(middle)[rng.integers(np.count_nonzero(middle))]
            middle[row, column] *= -1
        other = replace(circuit, middle_weight=middle)
        found = {equal(network, other, method=method).verdict for method in ("terms", "regions")}
        assert len(found) == 1
        verdicts += found
    assert {"equal", "different"} <= set(verdicts)


def test_a_circuit_without_a_needed_halfspace_differs():
    """`equal` says so at once, with a point next to the half-space that was moved."""
    network = load(DATA / "wine_pca3.json")
    circuit = minimal_equivalent(network).build_equivalent().network
    hidden = circuit.hidden_weight.copy()
    hidden[0, 0] *= 1 + Fraction(1, 2**50)
    found = equal(network, replace(circuit, hidden_weight=hidden), method="terms")
    assert (found.verdict, found.method) == ("different", "terms")


def test_larger_networks_on_half_spaces_by_the_hundred():
    """Kinds, sizes and bounds of some d = 4 networks; the four points that exclude two layers, and the bounds, checked."""
    rng = np.random.default_rng(2)
    for relus in (6, 7, 8):
        answer = minimal_equivalent(random_network(rng, relus, 4))
        built = answer.build_equivalent()
        assert built.first_layer == answer.units
        assert_evidence(answer, built)


def labelled_cells(answer):
    """Every cell of the arrangement of the needed half-spaces: its signs, and f's answer at a point inside."""
    halfspaces = [primitive(h) for h in answer.halfspaces]
    planes = list(dict.fromkeys(max(h, times(-1, h)) for h in halfspaces))
    program = SignProgram(planes, answer.form.inputs)
    points = [program.decide((2 * row.astype(int) - 1).tolist()) for row in cells(planes, answer.domain, Watch()).patterns]
    classes = Classes(answer.form, answer.domain, answer.halfspaces, Watch(), 0)
    for at in points:
        classes.add(at)
    return classes


def test_no_fewer_terms_cover_all_cells():
    """The optimum over the few classes met is the optimum of the set cover over all cells of the arrangement."""
    rng = np.random.default_rng(8)
    compared = 0
    while compared < 8:
        answer = minimal_equivalent(random_network(rng, 5, 2))
        built = answer.build_equivalent() if answer.units else None
        if built is None or built.kind not in ("DNF", "CNF") or not built.smallest.optimal:
            continue
        classes = labelled_cells(answer)
        assert (built.smallest.logic.at(classes.vectors) == classes.answers).all()
        sizes = [len(smallest_cover(classes.of(side), classes.of(-side)).terms) for side in (1, -1)]
        assert min(sizes) == built.second_layer
        compared += 1


def fewest_by_trying(wanted, unwanted):
    """The size of a smallest cover by trying all terms."""
    terms = np.array(list(itertools.product((-1, 0, 1), repeat=wanted.shape[1])), dtype=np.int8)
    covered = np.unique(holds_at(terms[~holds_at(terms, unwanted).any(axis=1)], wanted), axis=0)
    sizes = (k for k in itertools.count() for sets in itertools.combinations(covered, k) if np.any(sets, axis=0).all())
    return next(sizes)


def test_the_smallest_cover_is_that_of_brute_force():
    rng = np.random.default_rng(0)
    for _ in range(60):
        m = int(rng.integers(2, 6))
        table = np.array(list(itertools.product((-1, 1), repeat=m)), dtype=np.int8)
        table = rng.permutation(table)[: rng.integers(2, min(16, len(table)) + 1)]
        cut = int(rng.integers(1, len(table)))
        cover = smallest_cover(table[:cut], table[cut:])
        assert len(cover.terms) == fewest_by_trying(table[:cut], table[cut:]) == cover.lower
        assert holds_at(cover.terms, table[:cut]).any(axis=0).all()
        assert not holds_at(cover.terms, table[cut:]).any()


def test_prime_implicants_are_all_of_them():
    rng = np.random.default_rng(1)
    table = rng.permutation(np.array(list(itertools.product((-1, 1), repeat=5)), dtype=np.int8))
    vector, unwanted = table[0], table[1:12]
    terms = np.array(list(itertools.product((0, 1), repeat=5)), dtype=np.int8) * vector
    implicants = {tuple(map(int, np.flatnonzero(term))) for term in terms[~holds_at(terms, unwanted).any(axis=1)]}
    primes = {s for s in implicants if not any(set(t) < set(s) for t in implicants)}
    assert {tuple(map(int, np.flatnonzero(term))) for term in prime_implicants(vector, unwanted)} == primes
    assert prime_implicants(vector, unwanted, most=1) is None


def test_separation_is_decided():
    """Threshold functions get their weights back, small ones; exclusive or is proved to be none."""
    table = np.array(list(itertools.product((-1, 1), repeat=4)), dtype=np.int8)
    majority = np.where(table.sum(axis=1) >= 0, 1, -1).astype(np.int8)
    weights = separating_weights(table, majority)
    extended = np.column_stack([table, np.ones(16, dtype=np.int8)])
    assert len(wrong_at(weights, extended, majority)) == 0
    assert max(map(abs, weights)) == 1
    assert isinstance(separating_weights(table, np.prod(table, axis=1, dtype=np.int8)), Certificate)


def test_false_certificates_are_refused():
    network = load(DATA / "wine_pca3.json")
    answer = minimal_equivalent(network)
    smallest = answer.build_equivalent().smallest
    form, halfspaces, proof = answer.form, smallest.logic.halfspaces, smallest.inseparable
    assert proof.holds(form, halfspaces)
    assert not Inseparable((), ()).holds(form, halfspaces)
    assert not Inseparable(proof.points, tuple(-m for m in proof.multipliers)).holds(form, halfspaces)
    assert not Inseparable(proof.points[1:], proof.multipliers[1:]).holds(form, halfspaces)
    assert not Inseparable(proof.points, (proof.multipliers[0] + 1, *proof.multipliers[1:])).holds(form, halfspaces)
    fooling = max(smallest.fooling, key=lambda one: len(one.points))
    assert fooling.holds(form, halfspaces)
    assert not FoolingSet(-fooling.side, fooling.points, fooling.between).holds(form, halfspaces)
    assert not FoolingSet(fooling.side, (*fooling.points, fooling.points[0]), fooling.between).holds(form, halfspaces)
    swapped = dict.fromkeys(fooling.between, fooling.points[0])
    assert not FoolingSet(fooling.side, fooling.points, swapped).holds(form, halfspaces)


def evaluated(path, points):
    return ReferenceEvaluator(onnx.load(path)).run(None, {"x": np.asarray(points, dtype=np.float64)})[0][:, 0]


def test_onnx_answers_alike_ties_included(tmp_path):
    """By onnx's reference evaluator, on a lattice full of ties, where its arithmetic is exact too."""
    rng = np.random.default_rng(2)
    kinds = set()
    for _ in range(12):
        built = minimal_equivalent(random_degenerate(rng, 4, 2)).build_equivalent()
        points = rng.integers(-8, 9, (500, 2)) / 4
        save(built.network, tmp_path / "network.onnx")
        np.testing.assert_array_equal(evaluated(tmp_path / "network.onnx", points), built.network(points))
        kinds.add(type(built.network))
    assert kinds == {SignNetwork, SignCircuit}
    ties = SignNetwork([[1.0, -1.0]], [0.0], [1.0], 0.0)
    save(ties, tmp_path / "ties.onnx")
    np.testing.assert_array_equal(evaluated(tmp_path / "ties.onnx", [[1, 1], [-0.0, 0.0], [0, 1e-300]]), [1, 1, -1])


def test_a_relu_network_comes_back_from_onnx(tmp_path):
    network = load(DATA / "wine_pca3.json")
    save(network, tmp_path / "network.onnx")
    again = load(tmp_path / "network.onnx")
    for field in network.__dataclass_fields__:
        np.testing.assert_array_equal(getattr(network, field), getattr(again, field))


def test_the_logic_in_words(tmp_path):
    circuit = SignCircuit.dnf([[1, 0], [0, -2], [1, 1]], [-1, 3, 0.5], [[0, 1], [2]])
    assert described_logic(circuit, ["age", "size"]).splitlines() == [
        "positive if (h1 and h2) or h3",
        "h1: age >= 1",
        "h2: -2 size >= -3",
        "h3: age + size >= -0.5",
    ]
    negated = SignCircuit([[1.0], [-1.0]], [0, 0], [[1, -1], [0, -1]], [-1, 0], [1, 1], -1)
    assert described_logic(negated).startswith("positive if (h1 and not h2) and not h2\n")
    weighted = SignNetwork([[1.0], [-1.0]], [0, 0], [2, -1], 0.5)
    assert described_logic(weighted).startswith("positive if 2 h1 - h2 >= -0.5\n")
    save(circuit, tmp_path / "logic.txt")
    assert (tmp_path / "logic.txt").read_text() == described_logic(circuit)
    with pytest.raises(InputError, match="wanted 2 names"):
        described_logic(circuit, ["age"])
    with pytest.raises(InputError, match="no logic"):
        save(load(DATA / "wine_pca3.json"), tmp_path / "logic.txt")
