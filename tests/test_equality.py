"""Equality of networks: pairs made equal, pairs made to differ in one small place, ties, two oracles, the command."""

import inspect
import itertools
import json
import math
import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import milp
import numpy as np
import pytest
from cases import affine, any_degenerate, boxed_cases, constant_cases, degenerate_networks, random_network, relu
from typer.testing import CliRunner

import lpnet
from lpnet import Box, InputError, Polyhedron, ReLUNetwork, SignCircuit, SignNetwork, equal, minimal_equivalent, normal_form
from lpnet.circuits.parts import parts_of
from lpnet.cli import app
from lpnet.equality.disagreement import disagreement
from lpnet.equality.equality import METHODS
from lpnet.equality.terms import point_outside
from lpnet.exact import coordinates
from lpnet.io import save
from lpnet.regions.reasons import answer_at
from lpnet.regions.volume import volume
from lpnet.watch import Watch

DATA = Path(__file__).parent.parent / "data"


# --- networks evaluated in fractions, sharing nothing with lpnet


def affine_values(weight, bias, x):
    rows = zip(weight.tolist(), np.asarray(bias).tolist(), strict=True)
    return [sum((Fraction(u) * z for u, z in zip(row, x, strict=True)), Fraction(b)) for row, b in rows]


def exact_answer(network, x):
    values = affine_values(network.hidden_weight, network.hidden_bias, x)
    if isinstance(network, ReLUNetwork):
        values = [max(v, Fraction(0)) for v in values]
    else:
        values = [1 if v >= 0 else -1 for v in values]
        if isinstance(network, SignCircuit):
            values = [1 if v >= 0 else -1 for v in affine_values(network.middle_weight, network.middle_bias, values)]
    (score,) = affine_values(network.output_weight[None], [network.output_bias], values)
    return 1 if score >= 0 else -1


def assert_differs(answer, verdict="different"):
    """The verdict, and a point inside the domain with the answers it claims."""
    assert answer.verdict == verdict
    x = coordinates(answer.point)
    assert all(lo < z < hi for lo, z, hi in zip(answer.domain.lower.tolist(), x, answer.domain.upper.tolist(), strict=True))
    assert (answer.answer_a, answer.answer_b) == (exact_answer(answer.network_a, x), exact_answer(answer.network_b, x))
    assert answer.answer_a != answer.answer_b
    assert [Fraction(text) for text in answer.digits] == list(x)
    return x


def assert_equal(network_a, network_b, domain=None):
    """By every method that can."""
    for method in METHODS:
        answer = equal(network_a, network_b, domain, Watch(seconds=60), method)
        assert (answer.verdict, answer.point) == ("equal", None), answer


# --- networks and what can be done to them without changing the function


def whole(rng, *shape, size=5):
    return rng.integers(-size, size + 1, shape).astype(float)


def whole_network(rng, relus, inputs, signs="mixed"):
    """Small integers with both answers, if that is easily had: all that follows is exact."""
    for _ in range(20):
        output = whole(rng, relus, size=3)
        output = {"mixed": output, "positive": np.abs(output), "negative": -np.abs(output)}[signs]
        network = ReLUNetwork(whole(rng, relus, inputs), whole(rng, relus), output, float(rng.integers(-12, 13)))
        answers = network(3 * rng.normal(size=(100, inputs)))
        if answers.min() < answers.max():
            break
    return network


def changed(network, hidden_weight, hidden_bias, output_weight, output_bias=None):
    """A network of the same kind with another hidden layer."""
    return ReLUNetwork(hidden_weight, hidden_bias, output_weight, network.output_bias if output_bias is None else output_bias)


def with_units(network, *units):
    """More units, written (w, u_1, …, u_d, b)."""
    table = np.array(units, dtype=float)
    return changed(
        network,
        np.vstack([network.hidden_weight, table[:, 1:-1]]),
        np.append(network.hidden_bias, table[:, -1]),
        np.append(network.output_weight, table[:, 0]),
    )


def shuffled(rng, network):
    order, factor = rng.permutation(network.relus), 2.0 ** rng.integers(-4, 5, network.relus)
    u, b, w = network.hidden_weight * factor[:, None], network.hidden_bias * factor, network.output_weight / factor
    return changed(network, u[order], b[order], w[order])


def tripled(rng, network):
    """3 f, by threes in the hidden or the output weights."""
    inside = rng.random(network.relus) < 0.5
    factor = np.where(inside, 3.0, 1.0)
    u, b = network.hidden_weight * factor[:, None], network.hidden_bias * factor
    return changed(network, u, b, network.output_weight * 3 / factor, 3 * network.output_bias)


def halved(rng, network):
    """w R(a) = w/2 R(a) + w/2 R(a)."""
    k = rng.integers(network.relus)
    w = network.output_weight.copy()
    w[k] /= 2
    halves = changed(network, network.hidden_weight, network.hidden_bias, w)
    return with_units(halves, (w[k], *network.hidden_weight[k], network.hidden_bias[k]))


def turned(rng, network):
    """w R(a) = w R(−a) + w a, and a = Σ u_i (R(x_i) − R(−x_i)) + b."""
    k = rng.integers(network.relus)
    u, b, w = network.hidden_weight.copy(), network.hidden_bias.copy(), network.output_weight[k]
    units = [(side * w * u[k, i], *(side * np.eye(network.inputs)[i]), 0) for i in range(network.inputs) for side in (1, -1)]
    bias = network.output_bias + w * b[k]
    u[k], b[k] = -u[k], -b[k]
    return with_units(changed(network, u, b, network.output_weight, bias), *units)


def with_dead_units(rng, network):
    inputs = network.inputs
    fresh, nothing = whole(rng, inputs + 1), np.zeros(inputs)
    return with_units(
        network,
        (0, *fresh),
        (5, *nothing, -1),
        (2, *fresh),
        (-1, *fresh),
        (-0.5, *(2 * fresh)),
        (3, *nothing, 0),
    )


def thickened(rng, network):
    """f + R(c_S) ≥ f for positive weights, where c_S ≤ f: no sign changes, but a hyperplane is new; −R(−c_S) for negative."""
    sign = np.sign(network.output_weight.sum()) or 1.0
    chosen = network.output_weight * (rng.random(network.relus) < 0.5)
    c = np.append(chosen @ network.hidden_weight, chosen @ network.hidden_bias + network.output_bias)
    return with_units(network, (sign, *(sign * c)))


CHANGES = [shuffled, tripled, halved, turned, with_dead_units]


def random_box(rng, inputs):
    return Box(-rng.integers(1, 5, inputs) / 2, rng.integers(1, 5, inputs) / 2)


@pytest.mark.parametrize("seed", range(10))
def test_the_same_relu_network_in_other_words(seed):
    """100 pairs: shuffled, rescaled, split, merged, turned, dead and superfluous units; on R^d and on boxes."""
    rng = np.random.default_rng(seed)
    for trial in range(10):
        relus, inputs = int(rng.integers(2, 8)), int(rng.integers(1, 4))
        signs = ["positive", "negative", "mixed"][trial % 3]
        network = whole_network(rng, relus, inputs, signs)
        other = CHANGES[trial % 5](rng, network)
        for change in rng.choice(CHANGES[:3], 2):
            other = change(rng, other)
        if signs != "mixed" and network.output_weight.any():
            other = thickened(rng, other) if trial % 5 in (0, 1, 2) else other
        assert_equal(network, other, random_box(rng, inputs) if trial % 2 else None)


@pytest.mark.parametrize("seed", range(10))
def test_minimal_equivalents_are_equal(seed):
    """100 pairs: the weights are small whole numbers, so nothing is rounded."""
    rng = np.random.default_rng(seed)
    for trial in range(10):
        relus, inputs = int(rng.integers(2, 7)), int(rng.integers(1, 4))
        network = whole_network(rng, relus, inputs, ["positive", "negative", "mixed"][trial % 3])
        box = random_box(rng, inputs) if trial % 2 else None
        assert_equal(network, minimal_equivalent(network, box).equivalent, box)


@pytest.mark.parametrize("case", degenerate_networks(), ids=lambda case: case.name)
def test_degenerate_minimal_equivalents_are_equal(case):
    assert equal(case.network, minimal_equivalent(case.network).equivalent).verdict == "equal"


@pytest.mark.parametrize("case", boxed_cases(), ids=lambda case: case.name)
def test_equal_on_the_box_only(case):
    inside = equal(case.network, minimal_equivalent(case.network, case.box).equivalent, case.box)
    assert inside.verdict == "equal"


def sign_layer(rng, units, inputs):
    return whole(rng, units, inputs), whole(rng, units)


def monotone_terms(rng, units):
    return [np.flatnonzero(rng.random(units) < 0.5) for _ in range(rng.integers(1, 4))]


def clauses(terms, units):
    """The conjunction of disjunctions with the values of a disjunction of conjunctions: a clause excludes one false vector."""
    vectors = itertools.product([False, True], repeat=units)
    false = [np.array(v) for v in vectors if not any(all(v[k] for k in term) for term in terms)]
    return [np.flatnonzero(~v) for v in false]


def negated_twice(network):
    """NOT NOT: weights are whole or halves, so −score − 1/4 ≥ 0 exactly where the score is < 0."""
    w, w0 = network.output_weight, network.output_bias
    return SignCircuit(network.hidden_weight, network.hidden_bias, -w[None], [-w0 - 0.25], [-1.0], 0.0)


def sign_pair(rng, kind):
    """A threshold network and another way to write it."""
    units, inputs = int(rng.integers(1, 5)), int(rng.integers(1, 4))
    weight, bias = sign_layer(rng, units, inputs)
    union = rng.random() < 0.5
    layer = SignNetwork.disjunction if union else SignNetwork.conjunction
    again = rng.integers(units, size=3)
    if kind == "repeated":
        factor = rng.choice([1.0, 2.0, 3.0, 0.5], 3)
        rows, numbers = np.vstack([weight, weight[again] * factor[:, None]]), np.append(bias, bias[again] * factor)
        order = rng.permutation(len(rows))
        return layer(weight, bias), layer(rows[order], numbers[order])
    if kind == "redundant":
        shift = -1 if union else 1
        return layer(weight, bias), layer(np.vstack([weight, weight[again]]), np.append(bias, bias[again] + shift))
    if kind == "negated":
        network = SignNetwork(weight, bias, whole(rng, units, size=3), float(rng.integers(-3, 4)))
        return network, negated_twice(network)
    terms = monotone_terms(rng, units)
    return SignCircuit.dnf(weight, bias, terms), SignCircuit.cnf(weight, bias, clauses(terms, units))


@pytest.mark.parametrize("kind", ["repeated", "redundant", "negated", "normal forms"])
def test_the_same_threshold_network_in_other_words(kind):
    """100 pairs: units repeated and rescaled, redundant ones, double negation, DNF and CNF."""
    rng = np.random.default_rng(len(kind))
    for trial in range(25):
        network, other = sign_pair(rng, kind)
        assert_equal(network, other, random_box(rng, network.inputs) if trial % 2 else None)


# --- pairs that differ in one small place only


def corner(rng, network, box, size):
    """A form that is ≥ 0 in the box only near a corner, within `size` of it in the sum norm, and f at the corner."""
    side = rng.choice([-1.0, 1.0], network.inputs)
    at = np.where(side > 0, box.upper, box.lower)
    return np.append(side, size - side @ at), float(network.score(at[None])[0])


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("seed", [0, 1, 2, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(3, 10))])
def test_a_tiny_corner_of_a_box_changes_its_answer(seed, method):
    """120 pairs, by every method: f ∓ K R(g), g ≥ 0 only within 2^-21 < 1e-6 of a corner."""
    rng, size, done = np.random.default_rng(seed), 2.0**-21, 0
    while done < 12:
        relus, inputs = int(rng.integers(2, 11)), int(rng.integers(1, 4))
        network, box = whole_network(rng, relus, inputs), random_box(rng, inputs)
        g, score = corner(rng, network, box, size)
        if not score:
            continue
        done += 1
        other = shuffled(rng, with_units(network, (-4 * score / size, *g)))
        answer = equal(network, other, box, Watch(seconds=60), method)
        x = assert_differs(answer)
        assert affine_values(g[None, :-1], g[-1:], x)[0] > 0
        harmless = with_units(network, (np.sign(score), *g))
        assert equal(network, harmless, box, Watch(seconds=60), method).verdict == "equal"


def cell_circuit(weight, bias, vectors):
    """+1 on the cells with these sign vectors."""
    vectors = np.array(vectors).reshape(-1, len(bias))
    middle_bias = np.full(len(vectors), 1.0 - len(bias))
    return SignCircuit(weight, bias, vectors, middle_bias, np.ones(len(vectors)), len(vectors) - 1)


def test_one_cell_of_a_circuit_flips():
    """60 pairs: the networks differ on one cell of the arrangement, and the point is in it."""
    rng, done = np.random.default_rng(1), 0
    while done < 60:
        units, inputs = int(rng.integers(2, 7)), int(rng.integers(1, 4))
        weight, bias = rng.normal(size=(units, inputs)), rng.normal(size=units)
        points = 3 * rng.normal(size=(200, inputs))
        vectors = np.unique(np.where(points @ weight.T + bias >= 0, 1.0, -1.0), axis=0)
        if len(vectors) < 2:
            continue
        done += 1
        flipped = rng.integers(len(vectors))
        chosen = rng.random(len(vectors)) < 0.5
        other = chosen.copy()
        other[flipped] = not other[flipped]
        x = assert_differs(equal(cell_circuit(weight, bias, vectors[chosen]), cell_circuit(weight, bias, vectors[other])))
        assert [1 if v >= 0 else -1 for v in affine_values(weight, bias, x)] == vectors[flipped].tolist()


@pytest.mark.parametrize("method", METHODS)
def test_one_hyperplane_moves_by_one_ulp(method):
    """60 pairs: of a disjunction or conjunction, pruned, so that every half-space counts."""
    rng = np.random.default_rng(2)
    done = 0
    while done < 60:
        units, inputs = int(rng.integers(1, 7)), int(rng.integers(1, 4))
        layer = [SignNetwork.disjunction, SignNetwork.conjunction][rng.integers(2)]
        network = lpnet.prune(layer(rng.normal(size=(units, inputs)), rng.normal(size=units)))
        answers = network(5 * rng.normal(size=(200, inputs)))
        if answers.min() == answers.max():
            continue
        done += 1
        k, bias = rng.integers(network.units), network.hidden_bias.copy()
        bias[k] = np.nextafter(bias[k], np.inf * rng.choice([-1, 1]))
        other = SignNetwork(network.hidden_weight, bias, network.output_weight, network.output_bias)
        x = assert_differs(equal(network, other, None, None, method))
        moved = [affine_values(n.hidden_weight[k : k + 1], n.hidden_bias[k : k + 1], x)[0] >= 0 for n in (network, other)]
        assert moved[0] != moved[1]


def test_one_more_half_space_cuts_off_a_corner():
    """60 pairs: a cone or its complement, less or more a simplex of size 2^-21 at the apex."""
    rng = np.random.default_rng(3)
    for trial in range(60):
        inputs = int(rng.integers(1, 5))
        weight, apex = whole(rng, inputs, inputs), whole(rng, inputs)
        while abs(np.linalg.det(weight)) < 0.5:
            weight = whole(rng, inputs, inputs)
        rows, bias = np.vstack([weight, weight.sum(axis=0)]), np.append(-weight @ apex, -weight.sum(axis=0) @ apex - 2.0**-21)
        turn = -1.0 if trial % 2 else 1.0
        layer = SignNetwork.disjunction if trial % 2 else SignNetwork.conjunction
        x = assert_differs(equal(layer(turn * rows[:-1], turn * bias[:-1]), layer(turn * rows, turn * bias)))
        assert max(abs(z - Fraction(p)) for z, p in zip(x, apex.tolist(), strict=True)) < 2.0**-12


def test_points_are_short():
    a, b = SignNetwork.disjunction([[1.0]], [0.0]), SignNetwork.disjunction([[1.0]], [-0.3])
    assert equal(a, b).digits in {("0.125",), ("0.25",)}
    far = equal(SignNetwork.disjunction([[1.0]], [-1e300]), SignNetwork.disjunction([[1.0]], [-1e301]))
    (x,) = assert_differs(far)
    assert float(x) == x
    third = equal(relu(0, (-1, 3, -1), (-1, -3, 1)), relu(-1, (0, 1, 0)))
    assert (third.verdict, third.digits) == ("equal off ties", ("1/3",))
    assert third.planes == ((3, -1),)


# --- ties


NEVER = SignNetwork(np.zeros((0, 1)), np.zeros(0), np.zeros(0), -1.0)
TIES = [
    ("touching 0 from below", relu(0, (-1, 1, 0), (-1, -1, 0)), NEVER, {(1, 0)}),
    ("sgn h and NOT sgn −h", SignNetwork([[1.0]], [0.0], [1.0], 0.0), SignNetwork([[-1.0]], [0.0], [-1.0], -0.5), {(1, 0)}),
    ("h ≥ 0 and −h ≥ 0", SignNetwork.conjunction([[1.0], [-1.0]], [0.0, 0.0]), NEVER, {(1, 0)}),
    ("touching 0, one unit less", relu(0, (-1, 1, 0), (-1, -1, 0)), relu(-1, (-1, 1, 0)), {(1, 0)}),
    ("thin and thick", relu(0, (-1, 1, 0), (-1, -1, 0), (3, 1, -1)), relu(-3, *affine(2)), {(1, 0)}),
    ("strict and weak", relu(0, (1, 1, 0), (-1, -1, 0)), SignNetwork([[-1.0]], [0.0], [-1.0], -0.5), {(1, 0)}),
    (
        "an AND of open half-spaces",
        relu(0, (-1, 1, 0, 0), (-1, 0, 1, 0)),
        SignNetwork([[1.0, 0.0], [0.0, 1.0]], [0.0, 0.0], [-1.0, -1.0], -2.0),
        {(1, 0, 0), (0, 1, 0)},
    ),
]


@pytest.mark.parametrize(("network", "other", "planes"), [case[1:] for case in TIES], ids=[case[0] for case in TIES])
def test_equal_off_ties(network, other, planes):
    for a, b, method in ((a, b, method) for a, b in ((network, other), (other, network)) for method in METHODS):
        answer = equal(a, b, None, None, method)
        x = assert_differs(answer, "equal off ties")
        assert answer.planes
        assert set(answer.planes) & planes
        assert all(sum(c * z for c, z in zip(g, [*x, 1], strict=True)) == 0 for g in answer.planes)


@pytest.mark.parametrize(("name", "network", "constant"), constant_cases(), ids=[name for name, _, _ in constant_cases()])
def test_constants(name, network, constant):
    inputs = network.inputs
    plain = SignNetwork(np.zeros((0, inputs)), np.zeros(0), np.zeros(0), float(constant))
    thin = "thin" in name or "touches 0" in name
    assert equal(network, plain).verdict == ("equal off ties" if thin else "equal")
    assert equal(network, SignNetwork(np.zeros((0, inputs)), np.zeros(0), np.zeros(0), -float(constant))).verdict == "different"


def test_ties_of_networks_with_many_units():
    """max(−|x|, g) with ten more units far away: the boundaries agree with those of max(−1, g), the ties do not."""
    rng = np.random.default_rng(4)
    far = [(1, *whole(rng, 2), -40.0) for _ in range(20)]
    network = relu(0, (-1, 1, 0, 0), (-1, -1, 0, 0), *far)
    e = minimal_equivalent(network)
    assert not e.regular
    plain = SignCircuit(*open_layer(e.equivalent), *later_layers(e.equivalent))
    assert equal(network, e.equivalent).verdict == "equal"
    assert_differs(equal(network, plain), "equal off ties")


# --- oracles


def lines(network):
    """Lines between which the network's answer cannot change: its hyperplanes and, for ReLUs, all its c_S = 0."""
    rows = np.column_stack([network.hidden_weight, network.hidden_bias]).tolist()
    hidden = [[Fraction(z) for z in row] for row in rows]
    if not isinstance(network, ReLUNetwork):
        return hidden
    weights, sums = [Fraction(w) for w in network.output_weight.tolist()], []
    for chosen in itertools.product([0, 1], repeat=len(hidden)):
        active = [[w * z for z in row] for s, w, row in zip(chosen, weights, hidden, strict=True) if s]
        sums.append([sum(column) for column in zip([0, 0, Fraction(network.output_bias)], *active, strict=True)])
    return hidden + sums


def faces(every):
    """A point of each vertex, edge and cell of the arrangement of lines u·x + c = 0 in the plane: (dimension, point)."""
    every = [line for line in every if line[0] or line[1]]
    every = list({tuple(z / next(filter(None, line)) for z in line) for line in every})
    if not every:
        yield 2, (Fraction(0), Fraction(0))
    for u, v, c in every:
        foot = (-u * c / (u * u + v * v), -v * c / (u * u + v * v))
        slopes = [(p * -v + q * u, p * foot[0] + q * foot[1] + r) for p, q, r in every]
        crossings = sorted({-at / slope for slope, at in slopes if slope}) or [Fraction(0)]
        middles = [(s + t) / 2 for s, t in itertools.pairwise(crossings)]
        for t in crossings:
            yield 0, (foot[0] - t * v, foot[1] + t * u)
        for t in [crossings[0] - 1, *middles, crossings[-1] + 1]:
            x, y = foot[0] - t * v, foot[1] + t * u
            yield 1, (x, y)
            rates = [(p * u + q * v, p * x + q * y + r) for p, q, r in every]
            steps = [abs(at / rate) for rate, at in rates if rate and at]
            step = min(steps, default=Fraction(2)) / 2
            yield 2, (x + step * u, y + step * v)
            yield 2, (x - step * u, y - step * v)


def brute_force(network_a, network_b):
    """The verdict in the plane, from a point of every face."""
    differing = {
        dim for dim, x in faces(lines(network_a) + lines(network_b)) if exact_answer(network_a, x) != exact_answer(network_b, x)
    }
    return "different" if 2 in differing else "equal off ties" if differing else "equal"


def any_network(rng):
    """Any kind of network in the plane, from few hyperplanes, so that coincidences abound."""
    kind, units = rng.integers(4), int(rng.integers(1, 4))
    if kind == 0:
        return any_degenerate(rng, units, 2)
    weight, bias = whole(rng, units, 2, size=1), whole(rng, units, size=1)
    if kind == 1:
        return ReLUNetwork(weight, bias, rng.choice([-1.0, 1.0], units), float(rng.integers(-1, 2)))
    if kind == 2:
        return SignNetwork(weight, bias, whole(rng, units, size=2), float(rng.integers(-2, 3)))
    terms = int(rng.integers(1, 4))
    middle = whole(rng, terms, units, size=1), whole(rng, terms, size=1)
    return SignCircuit(weight, bias, *middle, whole(rng, terms, size=1), float(rng.integers(-1, 2)))


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 11))])
def test_against_every_face_of_the_plane(seed):
    """120 pairs a seed of any kinds, some made alike, against exact enumeration; all three verdicts occur often."""
    rng = np.random.default_rng([5, seed])
    seen = {"equal": 0, "different": 0, "equal off ties": 0}
    for trial in range(120):
        a = any_network(rng)
        if trial % 3 == 0:
            b = any_network(rng)
        elif isinstance(a, ReLUNetwork):
            b = minimal_equivalent(a).equivalent if trial % 3 == 1 else lower_at_ties(a)
        else:
            b = SignCircuit(*open_layer(a), *later_layers(a)) if trial % 3 == 1 else any_like(rng, a)
        verdict = brute_force(a, b)
        seen[verdict] += 1
        for method in METHODS:
            answer = equal(a, b, None, None, method)
            assert answer.verdict == verdict
            if verdict != "equal":
                assert_differs(answer, verdict)
    assert min(seen.values()) >= 8, seen


def lower_at_ties(network):
    """The circuit of a ReLU network with every unit h ≥ 0 exchanged for NOT (−h ≥ 0): half-spaces become open."""
    e = minimal_equivalent(network).equivalent
    return SignCircuit(*open_layer(e), *later_layers(e))


def open_layer(network):
    return -network.hidden_weight, -network.hidden_bias


def later_layers(network):
    """The later layers of a circuit that reads −z for z."""
    if isinstance(network, SignCircuit):
        return -network.middle_weight, network.middle_bias, network.output_weight, network.output_bias
    return -network.output_weight[None], [network.output_bias], [1.0], 0.0


def any_like(rng, network):
    """Another later part on the same hidden units."""
    k = network.units
    return SignNetwork(network.hidden_weight, network.hidden_bias, whole(rng, k, size=2), float(rng.integers(-2, 3)))


def test_against_a_mixed_integer_program_on_boxes():
    """60 pairs of any kinds: a difference by a margin is found by both, and where `equal` sees none, there is none."""
    rng = np.random.default_rng(6)
    verdicts = []
    for trial in range(60):
        inputs = int(rng.integers(1, 4))
        box = random_box(rng, inputs)
        a = whole_network(rng, int(rng.integers(2, 7)), inputs)
        b = [shuffled(rng, a), minimal_equivalent(a, box).equivalent, whole_network(rng, 4, inputs)][trial % 3]
        if trial % 4 == 3 and isinstance(b, ReLUNetwork):
            b = changed(b, b.hidden_weight, b.hidden_bias + whole(rng, b.relus, size=1) / 4, b.output_weight)
        answer, point = equal(a, b, box), milp.difference(a, b, box)
        verdicts.append(answer.verdict)
        if point is not None:
            assert assert_differs(answer)
        elif answer.verdict == "different":
            assert milp.difference(a, b, box, 1e-6) is not None
    assert verdicts.count("equal") >= 20
    assert verdicts.count("different") >= 15


# --- both methods, limits, input


@pytest.mark.parametrize("seed", range(5))
def test_pieces_and_regions_agree(seed):
    rng = np.random.default_rng(seed)
    for trial in range(12):
        relus, inputs = int(rng.integers(2, 8)), int(rng.integers(1, 4))
        signs = ["positive", "negative", "mixed"][trial % 3]
        a = any_degenerate(rng, relus, inputs) if trial % 4 == 0 else whole_network(rng, relus, inputs, signs)
        b = with_units(a, (rng.choice([-1.0, 1.0]) / 4, *whole(rng, inputs + 1)))
        box = random_box(rng, inputs) if trial % 2 else None
        by_pieces, by_regions = (equal(a, b, box, None, method) for method in ("pieces", "regions"))
        assert by_pieces.verdict == by_regions.verdict
        for answer in (by_pieces, by_regions):
            if answer.verdict != "equal":
                assert_differs(answer, answer.verdict)


def test_the_same_half_spaces_with_other_pieces():
    """OR and AND of the same half-planes: only the covering of the pieces tells them apart; and other half-spaces."""
    weight, bias = [[1.0, 0.0], [0.0, 1.0]], [0.0, 0.0]
    x = assert_differs(equal(SignNetwork.disjunction(weight, bias), SignNetwork.conjunction(weight, bias), method="pieces"))
    assert (x[0] >= 0) != (x[1] >= 0)
    steps = SignNetwork.disjunction([[0.0, 1.0]], [0.0])
    quadrants = ReLUNetwork([[1, 1], [1, -1], [-1, 1], [-1, -1]], np.zeros(4), [1, -1, -1, 1], 0.0)  # |x + y| − |x − y|
    diagonal = ReLUNetwork([[1, 0], [0, 1], [-1, 0], [0, -1]], np.zeros(4), [1, 1, -1, -1], 0.0)  # x + y
    for a, b in itertools.combinations((steps, quadrants, diagonal), 2):
        assert_differs(equal(a, b, method="pieces"))


@pytest.mark.parametrize("method", METHODS)
def test_constants_on_a_box_are_told_apart(method):
    """OR and AND without a piece inside the box."""
    box, never, always = Box([-1], [1]), SignNetwork.disjunction([[1.0]], [-5.0]), SignNetwork.conjunction([[1.0]], [5.0])
    positive, negative = relu(1, (1, 1, 0)), relu(-1, (-1, 1, 0))
    for a, b in [(never, positive), (negative, always), (never, always), (never, relu(1, (-1, 1, -5)))]:
        assert_differs(equal(a, b, box, None, method))
    for a, b in [(never, negative), (positive, always), (never, SignNetwork.disjunction([[1.0], [-1.0]], [-2.0, -1.0]))]:
        assert equal(a, b, box, None, method).verdict == "equal"


def test_larger_networks_by_their_pieces():
    """n = 24 in R^3 and n = 40 on a box of R^3: equal with a hyperplane more, different by one ulp."""
    rng = np.random.default_rng(7)
    network = ReLUNetwork(whole(rng, 24, 3, size=30), whole(rng, 24, size=3), np.ones(24), -200.0)
    assert equal(network, shuffled(rng, thickened(rng, network))).method == "pieces"
    assert_equal_by_pieces(network, shuffled(rng, thickened(rng, network)), None)
    box, mixed = Box([-1, -1, -1], [1, 1, 1]), random_network(rng, 40, 3, output_bias=0.5)
    bias = np.nextafter(mixed.hidden_bias, np.inf)
    assert_differs(equal(mixed, changed(mixed, mixed.hidden_weight, bias, mixed.output_weight), box))
    g, score = corner(rng, mixed, box, 2.0**-21)
    assert_equal_by_pieces(mixed, with_units(mixed, (np.sign(score), *g)), box)


def assert_equal_by_pieces(a, b, box):
    answer = equal(a, b, box, Watch(seconds=60))
    assert (answer.verdict, answer.method) == ("equal", "pieces")


def test_a_limit_leaves_it_undecided():
    rng = np.random.default_rng(8)
    network = whole_network(rng, 7, 3, "mixed")
    for method in ("regions", "pieces"):
        answer = equal(network, with_units(network, (2.0**-40, 1, 2, 3, -50)), None, Watch(seconds=0), method)
        assert (answer.verdict, answer.point) == ("undecided", None)
        assert "time limit" in answer.detail


def test_bad_input():
    network = relu(0, (1, 1, 0))
    with pytest.raises(InputError, match="equally many inputs, got 1 and 2"):
        equal(network, relu(0, (1, 1, 0, 0)))
    with pytest.raises(InputError, match="no such file"):
        equal(network, "network")
    with pytest.raises(InputError, match="method: wanted"):
        equal(network, network, method="guess")
    with pytest.raises(InputError, match="domain"):
        equal(network, network, Box([0, 0], [1, 1]))


# --- the command


def run(*arguments):
    return CliRunner().invoke(app, ["equal", *map(str, arguments)])


def test_the_command(tmp_path):
    minimal = tmp_path / "minimal.json"
    save(minimal_equivalent(lpnet.io.load(DATA / "theorem2_n4.json")).equivalent, minimal)
    result = run(DATA / "theorem2_n4.json", minimal, "--json")
    assert result.exit_code == 0
    answer = json.loads(result.stdout)
    assert (answer["file_a"], answer["file_b"]) == (str(DATA / "theorem2_n4.json"), str(minimal))
    assert (answer["verdict"], answer["point"], answer["answer_a"], answer["answer_b"]) == ("equal", None, None, None)
    assert answer["method"] == "pieces"
    assert answer["seconds"] > 0
    assert run(DATA / "wine_pca3.json", DATA / "wine_pca3.onnx").stdout.startswith("equal: proved")


def test_the_command_tells_a_difference_and_where(tmp_path):
    save(SignNetwork.disjunction([[1.0]], [0.0]), tmp_path / "a.json")
    save(SignNetwork.disjunction([[1.0]], [-0.5]), tmp_path / "b.json")
    save(SignNetwork([[-1.0]], [0.0], [-1.0], -0.5), tmp_path / "c.json")
    result = run(tmp_path / "a.json", tmp_path / "b.json", "--json")
    assert result.exit_code == 1
    answer = json.loads(result.stdout)
    assert (answer["verdict"], answer["point"], answer["answer_a"], answer["answer_b"]) == ("different", ["0.25"], 1, -1)
    result = run(tmp_path / "a.json", tmp_path / "c.json")
    assert result.exit_code == 1
    assert "equal off ties" in result.stdout
    assert "at (0) the answers are +1 and -1" in result.stdout
    assert "+1·x1 = 0" in result.stdout
    assert run(tmp_path / "a.json", tmp_path / "b.json", "--domain", "0.5,2").exit_code == 0
    assert run(tmp_path / "a.json", tmp_path / "b.json", "--domain", "0.25,2").exit_code == 1


def test_the_command_refuses_and_stops(tmp_path):
    result = run(DATA / "theorem2_n3.json", DATA / "theorem2_n4.json")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "equally many inputs, got 3 and 4" in result.stderr
    assert run(DATA / "missing.json", DATA / "theorem2_n4.json").exit_code == 2
    network = lpnet.io.load(DATA / "wine_pca3.json")
    save(minimal_equivalent(network).equivalent, tmp_path / "circuit.json")
    result = run(DATA / "wine_pca3.json", tmp_path / "circuit.json", "--time-limit", 0, "--json")
    assert result.exit_code == 3
    assert json.loads(result.stdout)["verdict"] == "undecided"


def test_a_part_cut_more_often_than_python_calls_itself():
    """f = 1 − R(x) ≥ 0 for x ≤ 1, covered by the slabs −k ≤ x ≤ 2 − k, or by all but two; the cuts lie within each other."""
    form = normal_form(ReLUNetwork(np.ones((1, 1)), np.zeros(1), -np.ones(1), 1.0))
    ((part, _),) = parts_of(form, Polyhedron.everywhere(1), 1, Watch())
    slabs = [(((1, k), True), ((-1, 2 - k), True)) for k in range(150)] + [(((-1, -149), True),)]
    before, depth = sys.getrecursionlimit(), len(inspect.stack())
    sys.setrecursionlimit(depth + 100)
    try:
        assert point_outside(part, slabs, Watch(), 0.5) is None
        x, unit = point_outside(part, slabs[:100] + slabs[102:], Watch(), 0.5)
    finally:
        sys.setrecursionlimit(before)
    assert -100 < Fraction(x, unit) < -99


# --- regions


def squares(network_a, network_b, inside):
    """The regions of disagreement on a box, none of which has a point in common with another, and points at random."""
    box = Box(-np.ones(network_a.inputs), np.ones(network_a.inputs))
    found = disagreement(network_a, network_b, box)
    assert found.complete
    points = np.random.default_rng(0).uniform(-1, 1, (inside, network_a.inputs))
    holding = np.zeros(len(points), dtype=int)
    for region in found.regions:
        place = Polyhedron(network_a.inputs, region.inequalities)
        holding += place.contains(points)
        assert (answer_at(network_a, region.point), answer_at(network_b, region.point)) == region.answers
        assert region.answers[0] != region.answers[1]
        assert all(sum(a * x for a, x in zip(h, region.point, strict=True)) > 0 for h in region.inequalities)
    assert (holding == (network_a(points) != network_b(points))).all()
    return found


def test_the_regions_of_two_half_planes():
    """x ≥ 0 against y ≥ 0: two squares, a quarter of the box each; against itself: none."""
    first, second = SignNetwork([[1.0, 0.0]], [0.0], [1.0], 0.0), SignNetwork([[0.0, 1.0]], [0.0], [1.0], 0.0)
    found = squares(first, second, 500)
    assert [region.share for region in found.regions] == [Fraction(1, 4)] * 2
    assert (found.share, found.error) == (Fraction(1, 2), 0.0)
    assert not squares(first, first, 10).regions
    assert disagreement(first, second).share is None


@pytest.mark.parametrize("seed", range(4))
def test_the_regions_of_random_networks(seed):
    """A network, itself quantised to 8 levels or without its least weight, and its circuit against another network."""
    rng = np.random.default_rng(seed)
    layers = [(rng.normal(size=shape), rng.normal(size=shape[0])) for shape in ((4, 2), (3, 4))]
    last = rng.normal(size=3), 0.1
    network = ReLUNetwork.of_layers([*layers, last])
    quantised = ReLUNetwork.of_layers([*((np.round(4 * w) / 4, b) for w, b in layers), last])
    found = squares(network, quantised, 300)
    points = rng.uniform(-1, 1, (4000, 2))
    sampled = np.mean(network(points) != quantised(points))
    assert abs(float(found.share) - sampled) < 4 * np.sqrt(max(sampled, 1e-3) / 4000)
    box = Box(-np.ones(2), np.ones(2))
    squares(minimal_equivalent(network, box).equivalent, quantised, 100)


def test_the_regions_of_one_ulp():
    network = random_network(np.random.default_rng(1), 5, 2)
    weight = np.array(network.hidden_weight, dtype=float)
    weight[0, 0] = np.nextafter(weight[0, 0], 9)
    found = squares(network, replace(network, hidden_weight=weight), 10)
    assert found.regions
    assert 0 < found.share < 1e-12


@pytest.mark.parametrize("d", [1, 2, 3, 4])
def test_volumes(d):
    """Of a simplex, a cube with an inequality twice, and a corner cut off it."""
    axes = [(*(int(i == j) for i in range(d)), 0) for j in range(d)]
    tops = [(*(-int(i == j) for i in range(d)), 1) for j in range(d)]
    assert volume(Polyhedron(d, (*axes, (*[-1] * d, 1)))) == (Fraction(1, math.factorial(d)), 0.0)
    assert volume(Polyhedron(d, (*axes, *tops, tuple(2 * z for z in tops[0])))) == (1, 0.0)
    assert volume(Polyhedron(d, (*axes, *tops, (*[2] * d, -1)))) == (1 - Fraction(1, 2**d * math.factorial(d)), 0.0)
    assert volume(Polyhedron(d, tuple(axes))) is None


def test_the_command_lists_regions(tmp_path):
    for name, weight in (("a", [[1.0, 0.0]]), ("b", [[0.0, 1.0]])):
        save(SignNetwork(weight, [0.0], [1.0], 0.0), tmp_path / f"{name}.json")
    ask = ["equal", *(str(tmp_path / f"{name}.json") for name in "ab"), "--regions", "--domain", "-1,1"]
    said = CliRunner().invoke(app, ask)
    assert said.exit_code == 1
    assert "they differ in 2 convex regions, a share of 0.5 of the domain, exactly" in said.output
    made = json.loads(CliRunner().invoke(app, [*ask, "--json"]).output.splitlines()[-1])["regions"]
    assert [region["exact"] for region in made["listed"]] == ["1/4", "1/4"]
    assert {tuple(region["answers"]) for region in made["listed"]} == {(1, -1), (-1, 1)}
