"""Back from sign networks to ReLU networks: round trips, special polytopes, certificates, Lemma 3."""

import json
import signal
import subprocess
import sys
from dataclasses import replace
from fractions import Fraction
from itertools import combinations, product

import numpy as np
import pytest
from cases import random_network
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

import lpnet
from lpnet import InputError, ReLUNetwork, SignNetwork, minimal_equivalent
from lpnet.boundary.theorem1 import two_layers
from lpnet.cli import app
from lpnet.compression.bounds import is_bounded
from lpnet.compression.certificate import cut, dot
from lpnet.compression.compress import ROUNDING, compress, compress_halfspaces
from lpnet.compression.factorisation import factorise
from lpnet.compression.output_layer import output_action
from lpnet.compression.recognition.refute import multipliers
from lpnet.exact import forms, integers, primitive
from lpnet.io import load, save
from lpnet.watch import Watch

small = st.integers(-3, 3).map(float)


def rows(least, most, inputs):
    return st.lists(st.lists(small, min_size=inputs + 1, max_size=inputs + 1), min_size=least, max_size=most).map(np.array)


def grid(inputs):
    axis = np.arange(-8, 9) / (4 if inputs < 3 else 2)
    return np.stack(np.meshgrid(*[axis if inputs < 4 else axis[::4]] * inputs), axis=-1).reshape(-1, inputs)


def one_signed(rng, relus, inputs, sign=1):
    """Output weights of one sign and w0 of the other: K = {f ≤ 0} (or {f ≥ 0}) has an interior."""
    network = random_network(rng, relus, inputs, "positive" if sign > 0 else "negative", bias=0.3, output_bias=-1.5 * sign)
    return network


def shuffled(rng, network, scales=None):
    """Its minimal equivalent with the units in another order, each times a positive number; None where it is constant."""
    answer = minimal_equivalent(network)
    if answer.units == 0:
        return None
    threshold = answer.equivalent
    order = rng.permutation(threshold.units)
    scales = np.exp(rng.normal(size=threshold.units)) if scales is None else scales(rng, threshold.units)
    layer = SignNetwork.disjunction if network.output_weight[0] > 0 else SignNetwork.conjunction
    return layer((threshold.hidden_weight * scales[:, None])[order], (threshold.hidden_bias * scales)[order])


def powers(rng, count):
    return 2.0 ** rng.integers(-5, 6, size=count)


def same_halfspaces(network, answer):
    """Whether a network's needed half-spaces are those of an answer, exactly."""
    turn = 1 if answer.union else -1
    needed = {primitive([turn * z for z in h]) for h in minimal_equivalent(network).halfspaces}
    return needed == {primitive(h) for h in answer.halfspaces}


def check_round_trip(rng, relus, inputs, sign):
    network = one_signed(rng, relus, inputs, sign)
    threshold = shuffled(rng, network)
    if threshold is None:
        return
    answer = compress(threshold)
    assert answer.verdict == "exact"
    assert answer.relus <= relus
    assert answer.bound.relus <= answer.relus
    assert answer.deviation <= ROUNDING
    points = 2 * rng.normal(size=(2000, inputs))
    np.testing.assert_array_equal(answer.relu_network(points), network(points))


# --- round trips


@pytest.mark.parametrize("inputs", [1, 2, 3, 4, 6])
@pytest.mark.parametrize("relus", [1, 2, 3, 4, 5])
def test_round_trip(relus, inputs):
    rng = np.random.default_rng([relus, inputs])
    for sign in (1, -1):
        check_round_trip(rng, relus, inputs, sign)


@pytest.mark.slow
def test_round_trip_on_three_hundred_networks():
    sizes = [(relus, inputs) for relus in range(2, 9) for inputs in range(2, 9)]
    for number in range(300):
        relus, inputs = sizes[number % len(sizes)]
        check_round_trip(np.random.default_rng([number, 5]), relus, inputs, (-1) ** number)


@pytest.mark.parametrize(("relus", "inputs"), [(2, 2), (3, 5), (5, 3), (6, 2), (5, 4)])
def test_round_trip_through_integers_is_exact(relus, inputs):
    network = one_signed(np.random.default_rng([relus, inputs, 1]), relus, inputs)
    minimal = minimal_equivalent(network)
    answer = compress_halfspaces(minimal.halfspaces)
    assert (answer.verdict, answer.deviation) == ("exact", 0)
    assert answer.relus <= relus
    assert {primitive(h) for h in minimal_equivalent(answer.relu_network).halfspaces} == set(map(primitive, minimal.halfspaces))


def rounded_weights(rng):
    return np.round(rng.normal(size=(6, 4)) * 16) / 16, np.round(rng.normal(size=6) * 4) / 16


def small_integers(rng):
    return rng.integers(-3, 4, size=(6, 3)), rng.integers(-1, 2, size=6)


def parallel(rng):
    weight, bias = rng.integers(-3, 4, size=(6, 3)), rng.integers(-2, 3, size=6)
    weight[1], weight[2], weight[3] = weight[0], -weight[0], 2 * weight[0]
    return weight, bias


def two_sided(rng):
    weight, bias = rng.integers(-5, 6, size=(6, 3)), rng.integers(-2, 3, size=6)
    return np.vstack([weight[:5], -weight[:1]]), np.append(bias[:5], -bias[0])


def concurrent(rng):
    weight, bias = rng.integers(-5, 6, size=(6, 4)), rng.integers(-2, 3, size=6)
    weight[2], bias[2] = weight[0] + weight[1], bias[0] + bias[1]
    return weight, bias


def low_rank(rng):
    return rng.integers(-5, 6, size=(5, 3)) @ rng.integers(-2, 3, size=(3, 6)), rng.integers(-2, 3, size=5)


def central(rng):
    return rng.integers(-5, 6, size=(6, 3)), np.zeros(6)


def braid(rng):
    return np.array([[float(k == i) - float(k == j) for k in range(4)] for i, j in combinations(range(4), 2)]), np.zeros(6)


DEGENERATE = [rounded_weights, small_integers, parallel, two_sided, concurrent, low_rank, central, braid]


@pytest.mark.parametrize("kind", DEGENERATE, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("sign", [1, -1])
def test_degenerate_networks_with_few_digits_come_back_exactly(kind, sign):
    for seed in range(3):
        rng = np.random.default_rng(seed)
        weight, bias = kind(rng)
        network = ReLUNetwork(weight, bias, sign * np.ones(len(weight)), -2.0 * sign)
        threshold = shuffled(rng, network, powers)
        if threshold is None:
            continue
        answer = compress(threshold)
        assert (answer.verdict, answer.deviation) == ("exact", 0)
        assert answer.relus <= len(weight)
        assert same_halfspaces(answer.relu_network, answer)


@pytest.mark.parametrize("kind", DEGENERATE, ids=lambda kind: kind.__name__)
def test_degenerate_networks_after_rounding(kind):
    rng = np.random.default_rng(7)
    weight, bias = kind(rng)
    network = ReLUNetwork(weight, bias, np.ones(len(weight)), -2.0)
    threshold = shuffled(rng, network)
    if threshold:
        answer = compress(threshold)
        assert answer.verdict == "exact"
        assert answer.relus <= len(weight)


PLANAR = {
    "a vertex with two chords": ([[2, -1], [0, 2], [1, -2], [0, -1], [0, 1], [-2, 2]], [-2, 1, -2, -1, 2, 0], -2, 6),
    "another one": ([[2, 2], [1, -2], [-2, 0], [-2, -2], [-2, 0], [2, -2]], [-1, -1, 2, 0, 0, -2], -3, 6),
    "and another": ([[3, -2], [-1, 4], [-2, 4], [3, -3], [-3, 2], [-5, -1]], [-2, -1, -1, -3, 3, 3], -3, 6),
    "only one of six covers is turned the right way": ([[0, -1], [-1, 0], [2, 2], [2, -1], [-1, 1]], [-2, -2, -1, 1, 0], -1, 5),
    "one chord more than a matching has": ([[3, 3], [-1, -4], [5, 0], [-1, -3], [3, 2], [-2, 0]], [2, -2, 2, 1, 0, -4], -3, 6),
    "fewer than it was made from": ([[0, 0], [0, -2], [-2, 2], [1, 2], [1, 1], [2, -2]], [1, -2, -1, 0, 1, 0], -2, 5),
}


@pytest.mark.parametrize("name", PLANAR)
def test_the_fewest_chords_of_a_polygon(name):
    weight, bias, output_bias, relus = PLANAR[name]
    network = ReLUNetwork(weight, bias, np.ones(len(bias)), output_bias)
    answer = compress(minimal_equivalent(network).equivalent)
    assert (answer.verdict, answer.relus, answer.deviation) == ("exact", relus, 0)
    assert lpnet.equal(network, answer.relu_network).verdict == "equal"


def planar_degenerate(number):
    rng = np.random.default_rng([number, 77])
    relus, largest = 5 + number % 2, (2, 3, 5)[number % 3]
    weight, bias = (rng.integers(-largest, largest + 1, size=size) for size in ((relus, 2), relus))
    return ReLUNetwork(weight, bias, np.ones(relus), -float(rng.integers(1, 4)))


@pytest.mark.parametrize("count", [30, pytest.param(1000, marks=pytest.mark.slow)])
def test_degenerate_planar_networks_come_back_with_no_more_units(count):
    for number in range(count):
        network = planar_degenerate(number)
        answer = compress(minimal_equivalent(network).equivalent)
        assert (answer.verdict, answer.deviation) == ("exact", 0)
        assert answer.bound is None or answer.bound.relus <= answer.relus <= network.relus


def test_exact_answers_are_equal_by_the_other_method():
    """deviation 0 is a comparison of half-spaces; `equal` decides it for the networks themselves, ties included."""
    rng = np.random.default_rng(12)
    for number in range(100):
        relus, inputs, sign = 1 + number % 5, 1 + number % 4, (-1) ** (number // 20)
        weight, bias = rng.integers(-4, 5, size=(relus, inputs)), rng.integers(-4, 5, size=relus)
        network = ReLUNetwork(weight, bias, sign * np.ones(relus), -sign * float(rng.integers(1, 4)))
        threshold = shuffled(rng, network, powers)
        answer = compress(threshold) if threshold else compress(SignNetwork.disjunction(np.zeros((0, inputs)), []))
        assert (answer.verdict, answer.deviation) == ("exact", 0)
        assert lpnet.equal(answer.relu_network, answer.network).verdict == "equal"
        if threshold:
            assert lpnet.equal(answer.relu_network, network).verdict == "equal"


def test_from_integers_the_answer_is_equal_to_the_network():
    """Weights with 53 bits, whose half-spaces no float holds."""
    for number in range(30):
        rng = np.random.default_rng([number, 31])
        network = one_signed(rng, 1 + number % 5, 1 + number % 4)
        network = ReLUNetwork(network.hidden_weight, network.hidden_bias, np.ones(network.relus), network.output_bias)
        answer = compress_halfspaces(minimal_equivalent(network).halfspaces) if minimal_equivalent(network).units else None
        if answer and answer.deviation == 0:
            assert lpnet.equal(answer.relu_network, network).verdict == "equal"
        assert answer is None or (answer.verdict == "exact" and answer.deviation < 1e-15)


def test_redundant_and_repeated_units_do_no_harm():
    rng = np.random.default_rng(3)
    network = one_signed(rng, 4, 3)
    threshold = shuffled(rng, network)
    weight, bias = threshold.hidden_weight, threshold.hidden_bias
    more = (
        np.vstack([weight, weight[:3] * 2, weight[0] + weight[1]]),
        np.concatenate([bias, bias[:3] * 2, [bias[0] + bias[1] - 1]]),
    )
    answer = compress(SignNetwork.disjunction(*more))
    assert answer.verdict == "exact"
    assert answer.relus <= 4
    assert answer.needed_units <= threshold.units + 1  # the sum of two units, rounded, is redundant up to rounding only


@given(st.integers(1, 5), st.integers(1, 3), st.data())
@settings(max_examples=40)
def test_networks_with_small_integers_are_never_called_impossible(relus, inputs, data):
    table = data.draw(rows(relus, relus, inputs))
    network = ReLUNetwork(table[:, :-1], table[:, -1], np.ones(relus), -1.0)
    threshold = minimal_equivalent(network).equivalent
    answer = compress(threshold)
    assert answer.verdict == "exact"
    assert answer.relus <= relus
    assert answer.deviation == 0
    np.testing.assert_array_equal(answer.relu_network(grid(inputs)), network(grid(inputs)))


# --- special polytopes


def regular(corners):
    angle = 2 * np.pi * np.arange(corners) / corners
    return np.column_stack([np.cos(angle), np.sin(angle)]), -np.ones(corners)


def cross(inputs):
    return np.array(list(product([1.0, -1.0], repeat=inputs))), -np.ones(1 << inputs)


def cube(inputs):
    return np.vstack([np.eye(inputs), -np.eye(inputs)]), -np.ones(2 * inputs)


FOUND = {
    "half-space": ([[1, 2]], [3], 1),
    "slab": ([[1, 2], [-2, -4]], [-3, -8], 2),
    "square": (*cube(2), 3),
    "octahedron": (*cross(3), 4),
    "cross-polytope in four dimensions": (*cross(4), 5),
    "three units in the plane": ([[1, 0], [0, 1], [2, 3]], [0, 0, 1], 2),
    "5-gon": (*regular(5), 3),
    "6-gon": (*regular(6), 3),
    "8-gon": (*regular(8), 4),
}
IMPOSSIBLE = {
    "wedge": ([[1, 0], [0, 1]], [0, 0]),
    "three units, d3 too small": ([[1, 0], [0, 1], [2, 3]], [0, 0, -1]),
    "triangle": ([[1, 0], [0, 1], [-1, -1]], [-1, -1, -1]),
    "half-strip": ([[1, 0], [0, 1], [-1, 0]], [-1, -1, -1]),
    "cube": cube(3),
    "simplex": (np.vstack([np.eye(4), -np.ones(4)]), -np.ones(5)),
    "orthant": (np.eye(4), np.zeros(4)),
    "prism over a square and a cut": (np.vstack([cube(3)[0], np.ones(3)]), np.append(cube(3)[1], -2.5)),
}


def test_almost_parallel_half_spaces():
    """Parallel but for the last bit, so that none of them is redundant: a slab up to rounding."""
    network = SignNetwork.disjunction([[0.1, 0.3], [0.1 * 3, 0.3 * 3], [-0.1 * 7, -0.3 * 7]], [-1, -3.5, -2])
    answer = compress(network)
    assert (answer.verdict, answer.relus, answer.needed_units) == ("exact", 2, 3)
    assert 0 < answer.deviation < 1e-15


def test_the_fewest_units_where_the_cuts_leave_a_choice():
    """Three cuts bend this K, and only some of their strengths do without a fourth unit."""
    network = ReLUNetwork([[-1, -1], [3, 0], [-3, 0]], [0.5, 0, -2], np.ones(3), -1.0)
    answer = compress(minimal_equivalent(network).equivalent)
    assert (answer.verdict, answer.relus, answer.deviation) == ("exact", 3, 0)


@pytest.mark.parametrize("name", FOUND)
def test_found(name):
    weight, bias, relus = FOUND[name]
    network = SignNetwork.disjunction(weight, bias)
    answer = compress(network)
    assert (answer.verdict, answer.relus) == ("exact", relus)
    if answer.deviation == 0:
        np.testing.assert_array_equal(answer.relu_network(grid(network.inputs)), network(grid(network.inputs)))


@pytest.mark.parametrize("name", IMPOSSIBLE)
def test_impossible(name):
    network = SignNetwork.disjunction(*IMPOSSIBLE[name])
    answer = compress(network)
    assert answer.verdict == "impossible"
    assert answer.relu_network is None
    assert answer.certificate.excludes(answer.halfspaces)
    assert "networks with output weights of both signs are not excluded" in answer.reason


@pytest.mark.parametrize("name", IMPOSSIBLE)
def test_what_is_no_or_may_be_an_and(name):
    weight, bias = IMPOSSIBLE[name]
    network = SignNetwork.conjunction(-np.asarray(weight), -np.asarray(bias))
    answer = compress(network)
    assert (answer.verdict, answer.deviation) == ("exact", 0)
    assert answer.relus == answer.needed_units
    np.testing.assert_array_equal(answer.relu_network(grid(network.inputs)), network(grid(network.inputs)))
    fewer = compress(network, relus=answer.relus - 1)
    assert fewer.verdict == "impossible"


@pytest.mark.parametrize(
    ("network", "constant"),
    [
        (SignNetwork.disjunction(np.zeros((0, 2)), []), -1),
        (SignNetwork.conjunction(np.zeros((0, 2)), []), 1),
        (SignNetwork.disjunction([[1, 0], [-1, 0]], [0, 0]), 1),
        (SignNetwork.conjunction([[1, 0], [-1, 0]], [-1, 0]), -1),
        (SignNetwork.disjunction([[0, 0]], [-1]), -1),
        (SignNetwork.disjunction([[0, 0], [1, 0]], [0, 0]), 1),
        (SignNetwork([[1, 0], [0, 1]], [0, 0], [1, 1], 5), 1),
    ],
)
def test_constants(network, constant):
    answer = compress(network)
    assert (answer.verdict, answer.relus, answer.needed_units) == ("exact", 0, 0)
    assert (answer.relu_network(grid(2)) == constant).all()


def test_a_thin_intersection():
    network = SignNetwork.conjunction([[1, 0], [-1, 0]], [0, 0])
    answer = compress(network)
    assert (answer.verdict, answer.relus, answer.deviation) == ("exact", 2, 0)
    np.testing.assert_array_equal(answer.relu_network(grid(2)), network(grid(2)))


@given(rows(1, 6, 2))
@settings(max_examples=60)
def test_any_disjunction_in_the_plane(table):
    network = SignNetwork.disjunction(table[:, :-1], table[:, -1])
    answer = compress(network)
    assert answer.verdict != "undecided"
    if answer.verdict == "impossible":
        assert answer.certificate.excludes(answer.halfspaces)
    elif answer.deviation == 0:
        np.testing.assert_array_equal(answer.relu_network(grid(2)), network(grid(2)))


# --- certificates


def perturbed(rng, relus, inputs):
    """A round trip with one number changed by a thousandth of its unit."""
    threshold = shuffled(rng, one_signed(rng, relus, inputs))
    if threshold is None:
        return None
    weight, bias = threshold.hidden_weight.copy(), threshold.hidden_bias.copy()
    k = rng.integers(len(bias))
    if rng.random() < 0.5:
        bias[k] += 1e-3 * np.abs(bias[k])
    else:
        weight[k, rng.integers(inputs)] *= 1 + 1e-3
    return SignNetwork.disjunction(weight, bias)


@pytest.mark.parametrize(("relus", "inputs"), [(3, 3), (3, 5), (4, 3), (4, 4), (5, 3), (5, 4), (6, 3)])
def test_perturbed_networks_are_impossible(relus, inputs):
    answer = compress(perturbed(np.random.default_rng([relus, inputs]), relus, inputs))
    assert answer.verdict == "impossible"
    assert answer.certificate.excludes(answer.halfspaces)


@pytest.mark.slow
def test_two_hundred_perturbed_networks_are_impossible():
    sizes = [(relus, inputs) for relus in range(3, 9) for inputs in range(3, 9)]
    for number in range(200):
        relus, inputs = sizes[number % len(sizes)]
        answer = compress(perturbed(np.random.default_rng([number, 11]), relus, inputs))
        assert answer.verdict == "impossible"
        assert answer.certificate.excludes(answer.halfspaces)


def test_wrong_certificates_are_refused():
    rng = np.random.default_rng(0)
    threshold = shuffled(rng, one_signed(rng, 4, 3))
    possible = compress(threshold).halfspaces
    bias = threshold.hidden_bias.copy()
    bias[0] *= 1.001
    answer = compress(SignNetwork.disjunction(threshold.hidden_weight, bias))
    certificate, halfspaces = answer.certificate, answer.halfspaces
    assert certificate.excludes(halfspaces)
    assert not certificate.excludes(possible)  # its points are not on these facets
    ridge = certificate.ridges[0]
    for wrong in (
        replace(certificate, ridges=()),
        replace(certificate, points=()),
        replace(certificate, points=certificate.points[:1]),
        replace(certificate, points=(*certificate.points, (0, 0, 0, 0))),
        replace(certificate, points=(*certificate.points, (10**9, 0, 0, 1))),
        replace(certificate, points=(*certificate.points, (0, 0, 0, -1))),
        replace(certificate, ridges=(replace(ridge, k=ridge.l, l=ridge.k),)),
        replace(certificate, ridges=(replace(ridge, multipliers=tuple(-z for z in ridge.multipliers)),)),
        replace(certificate, ridges=(replace(ridge, multipliers=(0, 0, 0, 0)),)),
        replace(certificate, ridges=(replace(ridge, witness=certificate.points[0]),)),
    ):
        assert not wrong.excludes(halfspaces)


def test_all_ridges_together_where_each_alone_may_bend():
    """A three-dimensional cube seen in perspective has a unit for each direction; moved along one edge, its ratios disagree."""
    weight, bias = cross(3)
    bias[:4] -= np.array([0, 1, 1, 2]) / 8
    answer = compress(SignNetwork.disjunction(weight, bias))
    assert answer.verdict == "impossible"
    assert answer.certificate.excludes(answer.halfspaces)


@pytest.mark.parametrize("last", [Fraction(5), Fraction(1, 2), Fraction(2)])
def test_multipliers_of_ridges_whose_ratios_disagree(last):
    """One plane for each ridge fixes λ_{k+1} / λ_k; round a hexagon the ratios have to multiply to 1."""
    forms = [(1, 0, -2), (1, 1, -3), (0, 1, -2), (-1, 0, -2), (-1, -1, -3), (0, -1, -2)]
    ratios = [Fraction(2), Fraction(1, 3), Fraction(1), Fraction(3), Fraction(1, 4), last]
    planes = {(k, (k + 1) % 6): [cut(forms[k], forms[(k + 1) % 6], ratio)] for k, ratio in enumerate(ratios)}
    found = multipliers(forms, planes)
    if last == 2:
        assert found is None
        return
    sums = [dot(found[k, (k + 1) % 6], forms[k]) - dot(found[k - 1 if k else 5, k], forms[k]) for k in range(6)]
    assert min(sums) >= 0
    assert max(sums) > 0
    assert all(dot(y, plane) <= 0 for pair, y in found.items() for plane in planes[pair])


@pytest.mark.parametrize("seed", range(8))
def test_inputs_in_very_different_units(seed):
    """Columns and rows times powers of two change nothing, though some half-spaces have no bias to compare with."""
    rng = np.random.default_rng(seed)
    relus, inputs = 3 + seed % 3, 2 + seed % 4
    weight, bias = rng.integers(-2, 3, size=(relus, inputs)), rng.integers(-2, 3, size=relus)
    weight = weight * (2.0 ** rng.integers(-60, 60, size=inputs) if seed % 2 else 2.0**-146)
    network = ReLUNetwork(weight, bias, np.ones(relus), -0.5)
    threshold = shuffled(rng, network, lambda rng, count: 2.0 ** rng.integers(-40, 40, size=count))
    answer = compress(threshold)
    assert (answer.verdict, answer.deviation) == ("exact", 0)
    assert answer.relus <= relus
    assert lpnet.equal(answer.relu_network, threshold).verdict == "equal"


# --- the question


def test_the_limit_on_relus():
    network = SignNetwork.disjunction(*cross(3))
    assert compress(network, relus=4).verdict == "exact"
    fewer = compress(network, relus=3)
    assert (fewer.verdict, fewer.relu_network) == ("impossible", None)
    assert "at least 4 ReLUs" in fewer.reason


def test_a_limit_in_the_plane_is_settled_by_the_vertices():
    """A polygon with many corners is always some network, but not one of few units."""
    octagon = SignNetwork.disjunction(*regular(8))
    assert compress(octagon, relus=4).verdict == "exact"
    fewer = compress(octagon, relus=3)
    assert (fewer.verdict, fewer.bound.relus) == ("impossible", 4)
    slope = np.arange(8.0)  # above a parabola: seven corners, and two at infinity
    parabola = SignNetwork.disjunction(np.column_stack([2 * slope, -np.ones(8)]), -(slope**2))
    answer = compress(parabola, relus=4)
    assert (answer.verdict, answer.bound.relus) == ("impossible", 5)
    assert "9 vertices" in answer.reason
    rng = np.random.default_rng(8)
    for number in range(4):
        relus = 3 + number % 2
        moved = perturbed(rng, relus, 2)
        limited = compress(moved, relus=relus - 1)
        assert limited.verdict in ("impossible", "undecided")
        assert limited.relu_network is None
        if limited.verdict == "impossible":
            assert limited.certificate or limited.bound.relus >= relus
        free = compress(moved)
        assert free.verdict != "undecided"
        if free.verdict == "impossible":
            assert free.certificate.excludes(free.halfspaces)
            assert free.needed_units <= 3


@given(rows(1, 6, 1), st.booleans())
@settings(max_examples=60)
def test_one_input(table, union):
    """Every union of rays is one or two ReLUs, every interval too: nothing is impossible."""
    layer = SignNetwork.disjunction if union else SignNetwork.conjunction
    answer = compress(layer(table[:, :-1], table[:, -1]))
    assert answer.verdict == "exact"
    assert answer.relus == answer.needed_units <= 2
    for limit in range(answer.relus):
        assert compress(answer.network, relus=limit).verdict == "impossible"


def test_it_can_be_stopped():
    threshold = shuffled(np.random.default_rng(0), one_signed(np.random.default_rng(0), 6, 6))
    for seconds in (0.0, 0.02, 0.1):
        answer = compress(threshold, watch=Watch(seconds=seconds))
        assert answer.verdict in ("undecided", "exact")
        assert answer.complete == (answer.verdict == "exact")
        assert answer.complete or "time limit" in answer.reason
    seen = []
    assert compress(threshold, watch=Watch(report=lambda share, found: seen.append(share))).verdict == "exact"
    assert len(seen) > 50
    assert 0 <= min(seen) < 0.2
    assert 0.8 < max(seen) <= 1
    watch = Watch()
    watch.report = lambda share, found: setattr(watch, "stopped", "it was interrupted" if share > 0.3 else None)
    stopped = compress(SignNetwork.conjunction(np.eye(5), np.zeros(5)), watch=watch)
    assert (stopped.verdict, stopped.relus, stopped.complete) == ("exact", 5, False)
    assert "it was interrupted" in stopped.reason


def test_bad_input_is_named():
    network = SignNetwork.disjunction([[1.0]], [0.0])
    for call, sentence in [
        (lambda: compress(ReLUNetwork([[1.0]], [0.0], [1.0], -1.0)), "wanted a SignNetwork"),
        (lambda: compress(network, relus=-1), "relus: wanted at least 0"),
        (lambda: compress(network, rounding=1.0), "rounding: wanted"),
        (lambda: compress_halfspaces([]), "halfspaces: wanted"),
        (lambda: compress_halfspaces([(1, 2)], "xor"), 'wanted "or" or "and"'),
        (lambda: factorise(SignNetwork.disjunction(np.eye(3), np.zeros(3))), r"wanted 2\^n threshold units"),
    ]:
        with pytest.raises(InputError, match=sentence):
            call()


# --- the output layer


@given(rows(1, 4, 2), st.lists(small, min_size=4, max_size=4), small)
@settings(max_examples=60)
def test_the_output_layer_is_judged_by_the_signs_that_occur(table, output, bias):
    network = SignNetwork(table[:, :-1], table[:, -1], np.array(output[: len(table)]), bias)
    action = output_action(network)
    points = grid(2)
    holds = points @ network.hidden_weight.T + network.hidden_bias >= 0
    counts = holds[:, list(action.units)] ^ np.isin(action.units, action.turned)
    if action.operation in ("or", "and"):
        same = counts.any(axis=1) if action.operation == "or" else counts.all(axis=1)
        np.testing.assert_array_equal(network(points) > 0, same)


@given(rows(1, 4, 2), st.lists(st.booleans(), min_size=4, max_size=4), st.booleans())
@settings(max_examples=60)
def test_units_turned_round_and_their_ties(table, turn, union):
    """Off the ties that it names, the network found is the one given; elsewhere on them no ReLU network is."""
    signs = np.where(turn[: len(table)], -1.0, 1.0)
    network = SignNetwork(table[:, :-1], table[:, -1], signs, (len(table) - 1) * (1 if union else -1))
    answer = compress(network)
    assert answer.verdict != "undecided"
    if answer.verdict == "impossible":
        assert union
        assert answer.certificate.excludes(answer.halfspaces)
        return
    outcome = lpnet.equal(network, answer.relu_network)
    assert (answer.verdict == "exact") == (not answer.ties)
    if answer.deviation == 0:
        assert outcome.verdict == ("equal off ties" if answer.ties else "equal")
        if answer.ties:
            planes = {primitive(h) for k in answer.ties for h in both_ways(network, k)}
            assert planes & set(outcome.planes)
            assert "no ReLU network does" in answer.reason


def both_ways(network, unit):
    h = integers([*network.hidden_weight[unit], network.hidden_bias[unit]])[0]
    return [tuple(map(int, h)), tuple(int(-z) for z in h)]


def test_a_half_space_without_its_boundary_is_no_relu_network_but_nearly():
    network = SignNetwork([[1.0, 0.0], [0.0, 1.0]], [0.0, 0.0], [1.0, -1.0], -1.0)  # x ≥ 0 and y < 0
    answer = compress(network)
    assert (answer.verdict, answer.relus, answer.ties, answer.deviation) == ("nearest", 2, (1,), 0)
    assert answer.relu_network([[1, 0]])[0] != network([[1, 0]])[0]
    inside = SignNetwork([[1.0], [1.0]], [0.0, -1.0], [-1.0, 1.0], 1.0)  # x < 0 or x ≥ 1
    assert (compress(inside).verdict, compress(inside).relus) == ("nearest", 2)
    hidden = SignNetwork([[1.0], [1.0]], [0.0, 1.0], [-1.0, -1.0], 1.0)  # x < 0 or x < −1
    assert compress(hidden).ties == (0,)
    both = SignNetwork([[1.0], [-1.0], [-2.0]], [0.0, 0.0, 0.0], [-1.0, 1.0, 1.0], 2.0)  # x < 0 or −x ≥ 0: ties do not matter
    assert (compress(both).verdict, compress(both).ties, compress(both).relus) == ("exact", (), 1)
    nowhere = SignNetwork([[1.0], [1.0]], [0.0, 0.0], [1.0, -1.0], -1.0)  # x ≥ 0 and x < 0
    assert (compress(nowhere).verdict, compress(nowhere).reason) == ("exact", "constant -1")


def test_signs_that_do_not_occur_do_not_count():
    nested = SignNetwork([[1.0], [1.0], [1.0]], [0.0, 1.0, 2.0], [1.0, 1.0, 1.0], 0.0)  # two of three: x + 1 ≥ 0
    action = output_action(nested)
    assert action.operation == "or"
    assert "programs" in action.reason
    assert compress(nested).relus == 1
    majority = SignNetwork(np.eye(3), np.zeros(3), np.ones(3), 0.0)
    assert output_action(majority).operation == "neither"
    answer = compress(majority)
    assert (answer.verdict, answer.relu_network) == ("undecided", None)
    assert output_action(majority, programs=1).operation == "unknown"


# --- Lemma 3


@pytest.mark.parametrize(("relus", "inputs"), [(1, 1), (2, 2), (3, 5), (4, 3), (6, 6)])
def test_lemma_3(relus, inputs):
    rng = np.random.default_rng(relus)
    network = ReLUNetwork(eighths(rng, (relus, inputs)), eighths(rng, relus), np.ones(relus), -1.5)
    threshold = two_layers(network)
    scales = powers(rng, threshold.units)
    weight, bias = threshold.hidden_weight * scales[:, None], threshold.hidden_bias * scales
    found = factorise(threshold)
    assert found.residual == 0
    np.testing.assert_allclose(found.relu_network.hidden_weight, network.hidden_weight, atol=1e-12)
    assert factorise(SignNetwork.disjunction(weight, bias), scaled=True).residual < 1e-14
    if relus > 1:
        assert factorise(SignNetwork.disjunction(weight, bias)).certificate.excludes(whole(weight, bias))
    if relus > 2:
        bias[-1] *= 1.001
        changed = factorise(SignNetwork.disjunction(weight, bias), scaled=True)
        assert changed.relu_network is None
        assert changed.certificate.excludes(whole(weight, bias))
        assert not changed.certificate.excludes(whole(threshold.hidden_weight, threshold.hidden_bias))


def eighths(rng, shape):
    return np.round(8 * rng.normal(size=shape)) / 8


def whole(weight, bias):
    """Vᵀ in integers, up to one factor."""
    return [tuple(map(int, row)) for row in integers(np.column_stack([weight, bias]))[0]]


@given(rows(2, 3, 2))
@settings(max_examples=30)
def test_lemma_3_is_exact_for_few_digits(table):
    network = ReLUNetwork(table[:, :-1], table[:, -1], np.ones(len(table)), -1.0)
    threshold = two_layers(network)
    assert factorise(threshold).residual == 0
    assert factorise(threshold, scaled=True).residual <= ROUNDING


# --- the command


def run(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_command(tmp_path):
    rng = np.random.default_rng(1)
    network = one_signed(rng, 4, 3)
    save(shuffled(rng, network), tmp_path / "sign.json")
    save(SignNetwork.disjunction(*cube(3)), tmp_path / "cube.npz")
    save(network, tmp_path / "relu.json")
    result = run("compress", tmp_path / "sign.json", "--json", "-o", tmp_path / "out.json")
    assert result.exit_code == 0
    (row,) = map(json.loads, result.stdout.splitlines())
    wanted = ["file", "inputs", "sign_units", "needed_units", "relus", "verdict", "error", "lower_bound", "seconds"]
    assert list(row)[: len(wanted)] == wanted
    assert (row["complete"], row["ties"], row["reason"]) == (True, [], "recognised")
    assert (row["verdict"], row["relus"], row["lower_bound"]) == ("exact", 4, 4)
    assert row["error"] <= ROUNDING
    points = rng.normal(size=(2000, 3))
    np.testing.assert_array_equal(load(tmp_path / "out.json")(points), network(points))

    result = run("compress", tmp_path / "sign.json", tmp_path / "relu.json", tmp_path / "cube.npz", "--signs", "one")
    assert result.exit_code == 2
    assert "wanted a SignNetwork" in result.stderr
    assert "cube.npz: impossible, no units can pass" in result.stdout

    result = run("compress", tmp_path / "cube.npz", "-o", tmp_path / "cube_out.json", "--json", "--relus", 20)
    assert result.exit_code == 3
    assert json.loads(result.stdout)["relus"] is None
    assert "not written, impossible" in result.stderr
    assert not (tmp_path / "cube_out.json").exists()
    assert run("compress", tmp_path / "sign.json", "-o", tmp_path / "sign.json").exit_code == 2
    for name in ("x.txt", "x.pdf", "x"):
        result = run("compress", tmp_path / "sign.json", "-o", tmp_path / name)
        assert result.exit_code == 2
        assert result.stdout == ""
        assert "can be written" in result.stderr


def test_command_with_a_time_limit(tmp_path):
    rng = np.random.default_rng(1)
    save(shuffled(rng, one_signed(rng, 6, 6)), tmp_path / "sign.json")
    result = run("compress", tmp_path / "sign.json", "--time-limit", 0, "--json", "-o", tmp_path / "out.json")
    assert result.exit_code == 3
    row = json.loads(result.stdout)
    assert (row["verdict"], row["relus"], row["needed_units"], row["complete"]) == ("undecided", None, None, False)
    assert "time limit" in result.stderr
    assert not (tmp_path / "out.json").exists()


def test_ctrl_c_stops_cleanly(tmp_path):
    around = np.random.default_rng(1).normal(size=(800, 6))  # tangent to a ball: none is redundant
    save(SignNetwork.disjunction(around / np.linalg.norm(around, axis=1, keepdims=True), -np.ones(800)), tmp_path / "sign.npz")
    command = [sys.executable, "-m", "lpnet", "compress", "sign.npz", "sign.npz", "--json"]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    first = process.stderr.readline()  # the first line of progress
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert "done" in first
    assert process.returncode == 3
    (row,) = map(json.loads, out.splitlines())
    assert (row["verdict"], row["complete"]) == ("undecided", False)
    assert "interrupted" in err
    assert "Traceback" not in err
    assert [path.name for path in tmp_path.iterdir()] == ["sign.npz"]


def test_a_bounded_region_is_seen_without_exact_pivots(monkeypatch):
    """A redundant sum among the slopes leaves the float multipliers of the weak question without a unique support."""

    def never(*_):
        raise AssertionError("asked exactly")

    monkeypatch.setattr("lpnet.programs.signs.alternative", never)
    slopes = np.random.default_rng(3).normal(size=(200, 20))
    assert is_bounded(forms(slopes, -np.ones(200)))
    assert not is_bounded(forms(np.abs(slopes), -np.ones(200)))


@pytest.mark.parametrize(
    ("slopes", "bounded"),
    [
        ([[1, 0], [0, 1], [-1, -1]], True),
        ([[1, 0], [-1, 0], [0, 1], [0, -1]], True),  # a box: two of them exclude all slopes < 0, and have rank 1
        ([[1, 0], [-1, 0], [0, 1]], False),
        ([[1, 0, 0], [-1, 0, 0], [2, 0, 0]], True),  # modulo lines
        ([[1, 0], [0, 1]], False),
    ],
)
def test_bounded_modulo_lines(slopes, bounded):
    assert is_bounded(forms(np.array(slopes, dtype=float), -np.ones(len(slopes)))) == bounded
