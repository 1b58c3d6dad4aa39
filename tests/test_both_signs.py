"""Fewest ReLUs with the same decisions, weights of both signs: round trips, lower bounds, certificates, hand-made networks."""

import json
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from typer.testing import CliRunner

import lpnet
from lpnet import Box, InputError, Polyhedron, ReLUNetwork, SignCircuit, SignNetwork
from lpnet.checker import bends as checker
from lpnet.cli import app
from lpnet.compression.bends import contains
from lpnet.compression.both_signs import fewest_relus
from lpnet.compression.compress import few_relus
from lpnet.compression.equations import Equations, NoBends
from lpnet.compression.evidence import layers_of, statement
from lpnet.compression.lemma3 import solve, stated
from lpnet.io import save
from lpnet.laws import determined_bends, line_relus, triangle_bends
from lpnet.networks import normal_form


def whole(rng, relus, inputs, largest=9):
    """Integer weights, output weights of both signs."""
    numbers = rng.integers(-largest, largest + 1, (relus, inputs + 1)).astype(float)
    weights = rng.choice([1.0, 2.0, 3.0], relus) * np.resize([1, -1], relus)
    return ReLUNetwork(numbers[:, :-1], numbers[:, -1], weights, float(rng.integers(-largest, largest + 1)))


def crossing(network, seen):
    """How many of its units' hyperplanes contain a ridge."""
    return sum(any(contains(a, ridge) for ridge in seen.ridges) for a in normal_form(network).units)


def check_round_trip(network):
    """It comes back: the bends that cross the boundary, none more, and a proof that fewer do not do. Returns the answer."""
    answer = fewest_relus(network)
    if not answer.surface.pieces:
        return None
    assert answer.verdict == "exact"
    assert lpnet.equal(network, answer.relu_network).verdict == "equal"
    assert answer.relus <= network.relus
    unmet = len(normal_form(network).units) - crossing(network, answer.surface)
    if len(set(answer.surface.components)) == 1:
        assert answer.bends == answer.least_bends == determined_bends(len(normal_form(network).units), unmet)
    else:
        assert answer.least_bends <= answer.bends <= network.relus
    return answer


@pytest.mark.parametrize(("inputs", "relus"), [(3, 5), (3, 6), (4, 5)])
def test_round_trips(inputs, relus):
    rng = np.random.default_rng(relus)
    found = [check_round_trip(whole(rng, relus, inputs)) for _ in range(4)]
    assert sum(answer is not None for answer in found) > 2


@pytest.mark.slow
@pytest.mark.parametrize(("inputs", "relus"), [(3, 9), (3, 12), (4, 8), (4, 10), (5, 8), (6, 7)])
def test_more_round_trips(inputs, relus):
    rng = np.random.default_rng(inputs)
    for _ in range(10):
        check_round_trip(whole(rng, relus, inputs))


def test_redundancy_is_removed():
    """Units split, doubled, turned round, dead, always active, or with bends that never meet the boundary."""
    rng = np.random.default_rng(3)
    network = whole(rng, 5, 3)
    plain = fewest_relus(network)
    weight, bias = network.hidden_weight, network.hidden_bias
    out = network.output_weight.copy()
    out[:2] /= 2
    rows = np.vstack([weight, weight[:1], 3 * weight[1:2], np.zeros((1, 3)), -weight[2:3], weight[2:3]])
    biases = np.concatenate([bias, bias[:1], 3 * bias[1:2], [-1.0], -bias[2:3], bias[2:3]])
    weights = np.concatenate([out, out[:1], out[1:2] / 3, [5.0], [1.0], [-1.0]])  # R(-a) - R(a) = -a
    planted = ReLUNetwork(rows, biases, weights, network.output_bias)
    answer = fewest_relus(planted)
    assert answer.verdict == plain.verdict == "exact"
    assert answer.bends == plain.bends == answer.least_bends
    far = ReLUNetwork(np.vstack([weight, [[1.0, 0, 0]]]), np.append(bias, -1e6), np.append(network.output_weight, 1e-9), -3.0)
    assert fewest_relus(far).bends <= 6


def test_circuits_come_back():
    """Threshold circuits from `minimal`, exact half-spaces."""
    rng = np.random.default_rng(5)
    for _ in range(3):
        network = whole(rng, 5, 3)
        circuit = lpnet.minimal_equivalent(network).equivalent
        answer = lpnet.compress(circuit, signs="both")
        assert isinstance(circuit, SignCircuit)
        assert answer.verdict == "exact"
        if len(set(answer.surface.components)) == 1:
            assert answer.bends == answer.least_bends == crossing(network, answer.surface)
        assert lpnet.equal(answer.relu_network, network).verdict == "equal"


def test_half_spaces():
    """OR of two: two ReLUs, which weights of one sign cannot; the AND of three; a simplex is none without bends that cancel."""
    two = SignNetwork.disjunction([[1.0, 0, 0], [0, 1.0, 2]], [0, 1.0])
    answer = lpnet.compress(two)
    assert (answer.verdict, answer.relus, answer.bends, answer.least) == ("exact", 2, 1, 2)
    assert lpnet.compress(two, signs="one").verdict == "impossible"
    three = SignNetwork.conjunction([[1.0, 0, 0], [0, 1.0, 2], [1, 1, 1]], [0, 1.0, 2])
    answer = fewest_relus(three)
    assert (answer.verdict, answer.relus, answer.least) == ("exact", 3, 3)
    simplex = SignNetwork.disjunction(np.vstack([-np.eye(3), np.ones((1, 3))]), [0, 0, 0, -1.0])
    assert fewest_relus(simplex).verdict == "not with these bends"


def test_a_limit():
    network = whole(np.random.default_rng(1), 5, 3)
    least = fewest_relus(network).least
    assert fewest_relus(network, relus=least - 1).verdict == "not so few"


def test_constants_and_ties():
    for answer in (1, -1):
        found = fewest_relus(ReLUNetwork([[1.0, 2.0, 3.0]], [0.0], [float(answer)], 1.0 * answer))
        assert (found.verdict, found.relus) == ("exact", 0)
    touching = fewest_relus(ReLUNetwork([[1.0, 0, 0], [-1.0, 0, 0]], [0.0, 0.0], [-1.0, -1.0], 0.0))
    assert touching.verdict == "nearest"
    strict = SignNetwork([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]], [0.0, 0.0], [-1.0, -1.0], -1.5)  # x < 0 and y < 0, both strict
    assert fewest_relus(strict).verdict == "nearest"


def test_deeper_networks():
    """One layer will do for two of them where the second says nothing new."""
    rng = np.random.default_rng(0)
    first = whole(rng, 4, 3)
    same = ReLUNetwork.of_layers(
        [
            (first.hidden_weight, first.hidden_bias),
            (np.vstack([first.output_weight, -first.output_weight]), [first.output_bias, -first.output_bias]),
            ([1.0, -1.0], 0.0),
        ]
    )
    answer = fewest_relus(same)
    assert answer.verdict == "exact"
    assert answer.relus <= 4


def test_on_a_domain():
    """Fewer bends on a box; one unit at most for the affine part."""
    network = whole(np.random.default_rng(2), 7, 3)
    everywhere = fewest_relus(network)
    box = Box([-1.0] * 3, [1.0] * 3)
    inside = fewest_relus(network, box)
    assert inside.verdict == everywhere.verdict == "exact"
    assert inside.bends < everywhere.bends
    assert inside.relus <= inside.bends + 1
    assert lpnet.equal(network, inside.relu_network, box).verdict == "equal"


def run(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_command(tmp_path):
    network = whole(np.random.default_rng(4), 5, 3)
    save(network, tmp_path / "net.json")
    result = run("compress", tmp_path / "net.json", "--json", "-o", tmp_path / "out.json")
    row = json.loads(result.stdout)
    assert result.exit_code == 0
    assert (row["verdict"], row["relus_before"], row["complete"]) == ("exact", 5, True)
    assert row["lower_bound"] <= row["relus"] <= 5
    assert run("equal", tmp_path / "net.json", tmp_path / "out.json").exit_code == 0
    assert run("compress", tmp_path / "net.json", "--signs", "one").exit_code == 2
    assert run("compress", tmp_path / "net.json", "--signs", "none").exit_code == 2
    assert run("compress", tmp_path / "net.json", "--domain", "2,1").exit_code == 2
    few = run("compress", tmp_path / "net.json", "--relus", 1, "--json", "-o", tmp_path / "few.json")
    assert (few.exit_code, json.loads(few.stdout)["verdict"]) == (3, "not so few")


def test_options_are_checked():
    with pytest.raises(InputError, match="wanted a ReLUNetwork, SignNetwork, SignCircuit or Classifier"):
        few_relus("nothing")
    network = whole(np.random.default_rng(4), 3, 3)
    with pytest.raises(InputError, match="signs: wanted one of"):
        lpnet.compress(network, signs="three")
    with pytest.raises(InputError, match="wanted a SignNetwork"):
        lpnet.compress(network, signs="one")
    with pytest.raises(InputError, match="leave the domain out"):
        lpnet.compress(network, signs="one", domain=Box([0.0] * 3, [1.0] * 3))


# --- the line and the plane


@pytest.mark.parametrize("normal", [[1.0], [1.0, -2.0, 3.0]])
def test_crossings_on_a_line(normal):
    """m places where the answer changes, also as parallel hyperplanes: as few ReLUs as the law says."""
    for count in range(1, 8):
        turns = np.resize([1.0, -1.0], count)
        network = SignNetwork(np.outer(turns, normal), -turns * np.arange(count) ** 2.0, np.ones(count), count % 2 - 1.0)
        found = fewest_relus(network)
        assert len({piece.halfspace for piece in found.surface.pieces}) == count
        assert (found.verdict, found.relus, found.least) == ("exact", line_relus(count), line_relus(count))
        assert found.relus == (count if count < 4 else count - 1)


def test_in_the_plane():
    """Never more than the source has, and no more bends than cross; the bound holds; boundaries in two parts too."""
    rng = np.random.default_rng(7)
    parts = set()
    for relus in (3, 4, 4, 5):
        network = whole(rng, relus, 2)
        found = fewest_relus(network)
        if not found.surface.pieces:
            continue
        assert found.verdict == "exact"
        assert found.least <= found.relus <= relus
        parts.add(len(set(found.surface.components)))
        if len(set(found.surface.components)) == 1:
            assert found.least_bends <= found.bends <= crossing(network, found.surface)
    assert parts


def test_convex_polygons():
    """No more bends with weights of both signs than ReLUs with those of one sign, which an exhaustive search finds."""
    square = SignNetwork.disjunction([[-1.0, 0], [0, -1.0], [1, 0], [0, 1]], [-1.0] * 4)
    one, both = lpnet.compress(square, signs="one"), lpnet.compress(square, signs="both")
    assert (one.relus, both.relus, both.bends, both.least_bends) == (3, 3, 2, 2)
    for seed in range(3):
        network = ReLUNetwork(np.random.default_rng(seed).integers(-5, 6, (4, 2)), [1.0, 2.0, -1.0, 0.0], [1.0] * 4, -3.0)
        sign = lpnet.minimal_equivalent(network).equivalent
        one, both = lpnet.compress(sign, signs="one"), lpnet.compress(sign, signs="both")
        assert one.verdict == both.verdict == "exact"
        assert both.bends <= one.relus
        assert both.relus <= both.bends + 2


def test_a_star_of_three_lines_is_no_network():
    """Opposite sectors have opposite answers, so that each wants bends of the other sign; and every line bends in both."""
    star = SignNetwork([[1.0, 0], [0, 1.0], [1, 1]], [0, 0, 0.0], [1, 1, -1], -0.5)
    assert fewest_relus(star).verdict == "not with these bends"


def test_bends_that_cancel():
    """A triangle's complement: bends that cancel on its sides, six ReLUs with five bends or six; without that there is none."""
    y = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [-1.0, -1.0, 1.0]])  # barycentric coordinates, as forms
    triangle = SignNetwork.disjunction(-y[:, :2], -y[:, 2])
    rows = np.vstack([y - np.roll(y, -1, axis=0), y - [0, 0, 0.5]])
    symmetric = ReLUNetwork(rows[:, :2], rows[:, 2], np.repeat([2.0, -2.0], 3), -1.0)
    assert lpnet.equal(symmetric, triangle).verdict == "equal"
    one, two, three = y
    lines = np.array([three - two, one - three, two - one, one - two, one + two - three, two + three - one])
    few = ReLUNetwork(lines[:, :2], lines[:, 2], [1.0, 2.0, 2.0, -1.0, -1.0, -1.0], 0.0)
    assert lpnet.equal(few, triangle).verdict == "equal"
    assert len(normal_form(few).units) == triangle_bends() == 5
    answer = fewest_relus(triangle)
    assert (answer.verdict, answer.least_bends) == ("not with these bends", 2)


# --- the equations and the checker


def equations():
    """Those of a triangle's complement, with bends that do not do, and of a network."""
    simplex = SignNetwork.disjunction(np.vstack([-np.eye(3), np.ones((1, 3))]), [0, 0, 0, -1.0])
    return fewest_relus(simplex), fewest_relus(whole(np.random.default_rng(1), 5, 3))


def test_the_model_in_cvxpy_agrees():
    for answer in equations():
        posed = Equations(answer.candidates, answer.surface, answer.known)
        problem, *_ = stated(posed)
        problem.solve()
        exact = solve(posed)
        assert isinstance(exact, NoBends) == isinstance(posed.solve(), NoBends)
        assert isinstance(exact, NoBends) == (problem.value < 1e-6)
        assert isinstance(exact, NoBends) or problem.value > 1 - 1e-6


def test_the_checker_refuses_what_is_wrong():
    refuted, found = equations()
    layers = layers_of(refuted.network, refuted.domain)
    units, proof = statement(refuted.surface, refuted.candidates, refuted.known, refuted.certificate)
    checker.no_bends(layers, units, proof)
    k = next(iter(proof.multipliers))
    longer = {**proof.multipliers, k: tuple(2 * y for y in proof.multipliers[k])}
    turned = {i: tuple(-y for y in z) for i, z in proof.multipliers.items()}
    h, at, answers = proof.pieces[k]
    off = {**proof.pieces, k: (h, tuple(5 * z + 1 for z in at), answers)}
    other = {**proof.pieces, k: (tuple(-c for c in h), at, answers)}
    others = {**proof.pieces, k: (h, at, answers[::-1])}
    for wrong in (
        replace(proof, multipliers=longer),
        replace(proof, multipliers=turned),
        replace(proof, multipliers={}),
        replace(proof, pieces=off),
        replace(proof, pieces=other),
        replace(proof, pieces=others),
    ):
        with pytest.raises(ValueError, match=r"multiplier|weights|hyperplane|none"):
            checker.no_bends(layers, units, wrong)

    layers = layers_of(found.network, found.domain)
    ridges = [found.surface.ridges[k] for k in found.weights]
    given = [checker.Ridge(*r.forms, r.point, r.terms, w) for r, w in zip(ridges, found.weights.values(), strict=True)]
    assert checker.ridge_bound(layers, given) == sum(found.weights.values())
    first, *others = given[0].terms
    h, at = ridges[0].forms[0], ridges[0].point
    for wrong in (
        replace(given[0], terms=others),
        replace(given[0], terms=[first._replace(multiplier=2 * first.multiplier + 1), *others]),
        replace(given[0], terms=[first._replace(answer=-first.answer, other=first.answer), *others]),
        replace(given[0], terms=[first._replace(ray=(-first.ray[0], -first.ray[1])), *others]),
        replace(given[0], point=tuple(3 * z + 1 for z in at)),
        replace(given[0], g=h),
        replace(given[0], weight=Fraction(3, 2)),
    ):
        with pytest.raises(ValueError, match=r"ridge 0|weight"):
            checker.ridge_bound(layers, [wrong, *given[1:]])
    with pytest.raises(ValueError, match="on a hyperplane are more than 1"):
        checker.ridge_bound(layers, [given[0], *given])


def test_the_checker_evaluates_networks_as_they_are():
    """At infinitesimal points of piecewise linear functions, and at points, as the networks answer."""
    rng = np.random.default_rng(0)
    first = whole(rng, 4, 3)
    deep = ReLUNetwork.of_layers([
        (first.hidden_weight, first.hidden_bias), (rng.integers(-3, 4, (3, 4)), [1.0, 0.0, -2.0]), ([1.0, -2.0, 1.0], 1.0)
    ])  # fmt: skip
    circuit = lpnet.minimal_equivalent(first).equivalent
    for network in (first, deep, circuit):
        layers = layers_of(network, Polyhedron.everywhere(3))
        for x in rng.integers(-5, 6, (40, 3)).tolist():
            assert layers.answer(checker.moved([*x, 1], ())) == network(np.array(x, dtype=float))
    relu = layers_of(ReLUNetwork([[1.0]], [0.0], [1.0], 0.0, skip=[-1.0]), Polyhedron.everywhere(1))  # R(x) - x
    steps = [relu.answer(checker.moved([0, 1], [[side]])) for side in (1, -1)]
    assert steps == [1, 1]


# --- data


def test_on_data():
    """Two clouds need one ReLU, whatever the network; every answer is kept."""
    rng = np.random.default_rng(0)
    network = whole(rng, 6, 3)
    points = rng.normal(size=(200, 3)) * 3
    answer = lpnet.compress(network, data=points)
    assert answer.verdict == "exact"
    assert answer.at_least <= answer.relus <= network.relus
    np.testing.assert_array_equal(answer.relu_network(points), network(points))
    clouds = points + np.where(rng.random(200) < 0.5, 100, -100)[:, None]
    apart = ReLUNetwork(np.vstack([np.ones((1, 3)), network.hidden_weight]), np.append(0.0, network.hidden_bias),
                        np.append(100.0, network.output_weight / 100), -1.0)  # fmt: skip
    few = lpnet.compress(apart, data=clouds)
    assert (few.relus, few.at_least) == (1, 1)
    with pytest.raises(InputError, match="points alone"):
        lpnet.compress(network, data=points, relus=3)


def test_the_command_on_data(tmp_path):
    network = whole(np.random.default_rng(4), 5, 3)
    save(network, tmp_path / "net.json")
    np.savez(tmp_path / "x.npz", X=np.random.default_rng(1).normal(size=(50, 3)))
    result = run("compress", tmp_path / "net.json", "--data", tmp_path / "x.npz", "--json", "-o", tmp_path / "few.json")
    row = json.loads(result.stdout)
    assert result.exit_code == 0
    assert row["lower_bound"] <= row["relus"] <= 5
    assert run("compress", tmp_path / "net.json", "--data", tmp_path / "x.npz", "--relus", 3).exit_code == 2
