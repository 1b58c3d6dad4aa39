"""The minimal equivalent: needed half-spaces against an exact oracle, counts against theorems, networks against networks."""

import itertools

import cdd
import numpy as np
import oracle
import pytest
from cases import boundary_points, boxed_cases, degenerate_networks, networks, random_degenerate, random_network
from hypothesis import given, settings
from hypothesis import strategies as st

from lpnet import (
    Box,
    InputError,
    LpnetError,
    Polyhedron,
    ReLUNetwork,
    SignCircuit,
    SignNetwork,
    minimal_equivalent,
    subset_verdict,
)
from lpnet.errors import Stopped
from lpnet.exact import coordinates, primitive, value
from lpnet.laws import one_sign_bound
from lpnet.watch import Watch

SIGNS = ["positive", "negative", "mixed"]


def assert_is_the_oracles(network, box=None):
    """The same half-spaces, constant and regularity, with evidence for every half-space; returns the answer."""
    answer = minimal_equivalent(network, box, engine="expand")
    expected = oracle.solve(network, box)
    assert {primitive(h) for h in answer.halfspaces} == expected.halfspaces
    assert answer.units == len(expected.halfspaces)
    assert answer.constant == expected.constant
    assert answer.regular == expected.regular
    assert answer.patterns.shape == (answer.units, network.relus)
    for h, at, pattern in zip(answer.halfspaces, answer.witnesses, answer.patterns, strict=True):
        assert value(h, at) == 0
        assert all(value(g, at) > 0 for g in answer.domain.inequalities())
        assert subset_verdict(network, np.flatnonzero(pattern), box).carries_piece
    return answer


def assert_equivalent(rng, answer, count):
    """The threshold network decides as the ReLU network, in particular within 1e-6 to 1e-9 of the boundary and on a lattice.

    Its weights are c_S rounded to float64, so the two may differ where f is 0 within rounding.
    """
    network, box = answer.network, answer.domain
    near = boundary_points(rng, network, min(count, 500))
    jitter = 10.0 ** rng.integers(-9, -5, (count, 1)) * rng.normal(size=(count, network.inputs))
    points = np.concatenate([near, near[rng.integers(len(near), size=count - len(near))] + jitter[len(near) :]])
    points = points[((points > box.lower) & (points < box.upper)).all(axis=1)]
    wrong = points[answer.equivalent(points) != network(points)]
    reach = (np.abs(wrong) @ np.abs(network.hidden_weight).T + np.abs(network.hidden_bias)) @ np.abs(network.output_weight)
    exact = all(abs(entry) < 2**53 for h in answer.halfspaces for entry in primitive(h))
    assert not (len(wrong) and exact and isinstance(answer.equivalent, SignNetwork))
    assert (np.abs(network.score(wrong)) <= 1e-15 * (reach + abs(network.output_bias))).all()


def random_box(rng, inputs):
    return Box(-rng.integers(1, 4, inputs) / 2, rng.integers(1, 4, inputs) / 2)


@pytest.mark.parametrize("seed", [0, 1, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(2, 10))])
def test_200_random_networks_against_the_oracle(seed):
    """Gaussian and degenerate, n ≤ 7, d ≤ 4, on R^d and on boxes; equal as functions on 10^5 points each."""
    rng = np.random.default_rng(seed)
    for trial in range(20):
        relus, inputs = int(rng.integers(1, 8)), int(rng.integers(1, 5))
        if trial % 2:
            network = random_degenerate(rng, relus, inputs)
        else:
            network = random_network(rng, relus, inputs, SIGNS[trial // 2 % 3], bias=rng.choice([0, 0.3, 1]))
        box = random_box(rng, inputs) if trial % 5 == 4 else None
        assert_equivalent(rng, assert_is_the_oracles(network, box), 100_000)


@pytest.mark.parametrize("case", degenerate_networks(), ids=lambda case: case.name)
def test_degenerate_by_hand(case):
    answer = assert_is_the_oracles(case.network)
    assert case.expected in (None, answer.units)
    assert_equivalent(np.random.default_rng(0), answer, 2000)


@pytest.mark.parametrize("case", boxed_cases(), ids=lambda case: case.name)
def test_boxes_by_hand(case):
    answer = assert_is_the_oracles(case.network, case.box)
    assert answer.units == case.expected
    assert_equivalent(np.random.default_rng(0), answer, 2000)


@settings(max_examples=150)
@given(networks(), st.booleans(), st.integers(0, 2**32 - 1))
def test_nasty_networks(network, boxed, seed):
    rng = np.random.default_rng(seed)
    answer = assert_is_the_oracles(network, random_box(rng, network.inputs) if boxed else None)
    lattice = rng.integers(-12, 13, (300, network.inputs)) / 4
    inside = lattice[((lattice > answer.domain.lower) & (lattice < answer.domain.upper)).all(axis=1)]
    clear = inside[np.abs(network.score(inside)) > 1e-6]
    np.testing.assert_array_equal(answer.equivalent(clear), network(clear))
    assert_equivalent(rng, answer, 600)


def independent(rng, positive, negative, w0, spare=0):
    """A network with linearly independent weights, d = n + spare."""
    relus = positive + negative
    output = np.concatenate([rng.uniform(0.5, 2, positive), -rng.uniform(0.5, 2, negative)])
    return ReLUNetwork(rng.normal(size=(relus, relus + spare)), rng.normal(size=relus), output, w0)


@pytest.mark.parametrize(("positive", "negative"), [(p, n) for p in range(5) for n in range(5) if 1 <= p + n <= 6])
def test_independent_weights_give_the_closed_forms(positive, negative):
    """theory: every sign pattern occurs. All positive and w0 < 0: 2^n − 1, [PS16] Theorem 2."""
    rng = np.random.default_rng(10 * positive + negative)
    p, n = 2**positive, 2**negative
    expected = {-1.0: (p - 1) * n, 1.0: p * (n - 1), 0.0: (p - 1) * (n - 1) + negative}
    for w0, count in expected.items():
        if w0 == 0 and not positive:
            continue  # −Σ R(a_k): f ≤ 0 everywhere, every a_k is a kink beside f ≡ 0 all the same
        assert minimal_equivalent(independent(rng, positive, negative, w0, spare=int(rng.integers(3)))).units == count


@pytest.mark.parametrize("relus", range(1, 6))
def test_only_negative_units_and_no_bias(relus):
    network = independent(np.random.default_rng(relus), 0, relus, 0.0)
    assert minimal_equivalent(network).units == relus


@pytest.mark.parametrize(("relus", "inputs"), [(n, d) for n in range(2, 8) for d in range(1, n)])
def test_one_signed_networks_never_exceed_the_law_and_reach_it(relus, inputs):
    rng = np.random.default_rng(100 * relus + inputs)
    largest = 0
    for trial in range(12):
        w0 = -1.0 if trial % 2 else 1.0
        signs = "positive" if trial % 2 else "negative"
        bias = (0.0, 0.1, 1.0)[trial % 3]
        units = minimal_equivalent(random_network(rng, relus, inputs, signs, bias, w0)).units
        assert units <= one_sign_bound(relus, inputs)
        largest = max(largest, units)
    assert one_sign_bound(relus, inputs) < 2**relus - 1 or inputs >= relus  # Theorem 2's d ≥ n is sharp
    assert largest >= one_sign_bound(relus, inputs) - 1  # the central case, less 1 if all u_k lie in an open half-space


def test_the_answer_says_everything_that_was_asked():
    network = ReLUNetwork([[1, 0], [0, 1], [1, 1]], [0, 0, 0], [2, 1, 0], -1)
    seen = []
    answer = minimal_equivalent(network, engine="expand", watch=Watch(report=lambda share, found: seen.append((share, found))))
    assert (answer.units, answer.candidates, answer.pieces.programs) == (3, 4, 3)
    assert (answer.engine, answer.reason, answer.complete) == ("expand", "asked for", True)
    assert seen == [(0.0, 0), (0.25, 0), (0.5, 1), (0.75, 2)]
    assert answer.seconds > 0
    np.testing.assert_array_equal(answer.patterns, [[False, True, False], [True, False, False], [True, True, False]])
    np.testing.assert_array_equal(answer.hidden_weight, [[0, 1], [2, 0], [2, 1]])
    np.testing.assert_array_equal(answer.hidden_bias, [-1, -1, -1])
    with pytest.raises(AttributeError):
        answer.units = 4


def test_one_signed_networks_become_two_layers_on_just_the_needed_half_spaces():
    rng = np.random.default_rng(3)
    for signs, w0 in (("positive", -1.0), ("negative", 1.0)):
        answer = minimal_equivalent(random_network(rng, 5, 2, signs, output_bias=w0))
        assert isinstance(answer.equivalent, SignNetwork)
        assert answer.equivalent.units == answer.units
        assert answer.equivalent.output_bias == (answer.units - 1) * (1 if signs == "positive" else -1)


def uphill(answer):
    """Points from each witness into the positive side, in steps of ten: near a piece its own conjunct alone is positive."""
    for at, v in zip(answer.witnesses, answer.hidden_weight, strict=True):
        x = np.array([float(entry) for entry in coordinates(at)])
        yield x + 10.0 ** np.arange(-16, 1)[:, None] * (1 + np.abs(x).max()) * v / np.linalg.norm(v)


def without_one_term(circuit):
    """The circuit without each of its conjuncts in turn."""
    groups = [np.flatnonzero(row) for row in circuit.middle_weight]
    for term in range(circuit.terms):
        yield SignCircuit.dnf(circuit.hidden_weight, circuit.hidden_bias, groups[:term] + groups[term + 1 :])


def test_no_conjunct_and_no_inequality_of_a_circuit_is_useless():
    """cddlib finds every inequality of every conjunct needed there; leaving out any conjunct changes the function."""
    rng = np.random.default_rng(4)
    circuits = 0
    for _ in range(20):
        network = random_network(rng, 5, 2, bias=0.5)
        answer = minimal_equivalent(network)
        circuit = answer.reduced_equivalent
        if not isinstance(circuit, SignCircuit):
            continue
        circuits += 1
        rows = np.column_stack([circuit.hidden_bias, circuit.hidden_weight])
        for conjunct in circuit.middle_weight:
            matrix = cdd.matrix_from_array(rows[conjunct > 0], rep_type=cdd.RepType.INEQUALITY)
            assert not cdd.redundant_rows(matrix)
        size = 10.0 ** rng.uniform(-1, 3, (50_000, 1))
        points = np.concatenate([size * rng.normal(size=(50_000, 2)), *uphill(answer)])
        answers = network(points)
        for smaller in without_one_term(circuit):
            assert (smaller(points) != answers).any()
    assert circuits > 10


def test_cutting_theorem_1_down_to_the_needed_half_spaces_would_be_wrong():
    """The trap of three layers: conjuncts also use hyperplanes inside the positive region."""
    rng = np.random.default_rng(5)
    more = 0
    for _ in range(20):
        answer = minimal_equivalent(random_network(rng, 5, 2))
        more += answer.reduced_equivalent.units > answer.units
    assert more > 0


def test_thin_sets_are_reported_and_kept():
    """3R(x−1) − |x|: one piece, and f(0) = 0 alone among negative neighbours."""
    network = ReLUNetwork([[1.0], [1.0], [-1.0]], [-1, 0, 0], [3, -1, -1], 0.0)
    answer = minimal_equivalent(network)
    assert (answer.units, answer.regular) == (1, False)
    points = np.arange(-12, 13)[:, None] / 4
    np.testing.assert_array_equal(answer.equivalent(points), network(points))


def test_bad_requests_are_refused():
    network = ReLUNetwork(np.eye(2), [0, 0], [1, 1], -1)
    with pytest.raises(InputError, match="domain: wanted 2 inputs as the network has, got 3"):
        minimal_equivalent(network, Polyhedron.everywhere(3))
    with pytest.raises(InputError, match="engine: wanted auto or one of expand, tree"):
        minimal_equivalent(network, engine="guess")


@pytest.mark.slow
def test_sixteen_relus():
    """65,536 subsets are within reach of the expanding engine."""
    network = random_network(np.random.default_rng(0), 16, 4, "positive", 0.0, -1.0)
    assert minimal_equivalent(network, engine="expand").units in (one_sign_bound(16, 4), one_sign_bound(16, 4) - 1)


def test_patterns_are_the_ones_beside_the_piece_whatever_cancels():
    """R(x) − R(−x) − R(y) + R(y) − 1 = x − 1: the patterns of units that cancel are those at the witness."""
    network = ReLUNetwork([[1, 0], [-1, 0], [0, 1], [0, 1]], np.zeros(4), [1, -1, -1, 1], -1)
    answer = assert_is_the_oracles(network)
    assert answer.units == 1
    for subset in itertools.product([False, True], repeat=2):
        if (answer.patterns[0, 2:] == subset).all():
            assert subset[0] == subset[1]


def test_an_answer_that_is_not_complete_claims_nothing():
    network = random_network(np.random.default_rng(1), 4, 2, "positive", output_bias=-1.0)
    for watch in (Watch(seconds=0), Watch(max_pieces=1)):
        answer = minimal_equivalent(network, engine="expand", watch=watch)
        assert (answer.complete, answer.constant) == (False, None)
        for claim in ("equivalent", "regular"):
            with pytest.raises(LpnetError, match="the search was stopped"):
                getattr(answer, claim)


def test_looking_for_half_spaces_and_witnesses_can_be_stopped():
    network = ReLUNetwork(np.random.default_rng(5).normal(size=(5, 3)), np.ones(5), np.array([1.0, 1, 1, -1, -1]), -1.0)
    answer = minimal_equivalent(network, engine="vertices")
    assert answer.pieces.witnesses is None
    some = [2, 0]
    assert answer.find_witnesses(some, Watch()) == tuple(answer.witnesses[k] for k in some)
    with pytest.raises(Stopped, match="enough"):
        answer.find_witnesses(some, Watch(stopped="enough"))
    assert answer.find_halfspaces(Watch()) == answer.halfspaces
    with pytest.raises(Stopped, match="enough"):
        minimal_equivalent(network, engine="vertices").find_halfspaces(Watch(stopped="enough"))
