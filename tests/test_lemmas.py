"""Lemmas 1 and 2 of [PS16] as constructions, and lower bounds."""

from fractions import Fraction

import numpy as np
import pytest
from cases import random_network
from hypothesis import given
from hypothesis import strategies as st

from lpnet import InputError, ReLUNetwork, SignNetwork, minimal_equivalent, normal_form
from lpnet.compression.bounds import relu_lower_bound, smallest
from lpnet.compression.lemmas import (
    conjunction,
    disjunction_of_two,
    disjunction_on,
    sign_approximation,
    simplex_family,
    three_units,
)
from lpnet.laws import mixed_bound, one_sign_bound

small = st.integers(-3, 3).map(float)


def rows(count, inputs):
    return st.lists(st.lists(small, min_size=inputs + 1, max_size=inputs + 1), min_size=count, max_size=count).map(np.array)


def grid(inputs, side=2):
    """All points with coordinates −side, −side + ½, …, side: many of them on hyperplanes with small integer weights."""
    axis = np.arange(-2 * side, 2 * side + 1) / 2
    return np.stack(np.meshgrid(*[axis] * inputs), axis=-1).reshape(-1, inputs)


# --- Lemma 1


@given(rows(4, 2), st.lists(small, min_size=5, max_size=5))
def test_lemma_1_is_exact_on_the_data_ties_included(table, output):
    network = SignNetwork(table[:, :-1], table[:, -1], np.array(output[:-1]), output[-1])
    answer = sign_approximation(network, grid(2))
    assert answer.network.relus == 2 * network.units
    assert answer.exact
    np.testing.assert_array_equal(answer.network(grid(2)), network(grid(2)))


def test_lemma_1_on_rough_data_says_where_it_is_wrong():
    rng = np.random.default_rng(0)
    network = SignNetwork(rng.normal(size=(6, 3)), rng.normal(size=6), rng.normal(size=6), 0.1)
    points = rng.normal(size=(3000, 3))
    assert sign_approximation(network, points).exact
    wide = sign_approximation(network, points, epsilon=0.5)
    assert not wide.exact
    differ = np.flatnonzero(wide.network(points) != network(points))
    np.testing.assert_array_equal(wide.wrong, differ)
    distance = points @ network.hidden_weight.T + network.hidden_bias
    assert ((distance[differ] > -0.5) & (distance[differ] < 0)).any(axis=1).all()  # only within a strip


def test_lemma_1_as_printed_is_wrong_at_0():
    zero = np.zeros((1, 1))
    network = SignNetwork([[1.0]], [0.0], [1.0], -0.5)
    printed = ReLUNetwork([[1.0], [1.0]], [0.5, -0.5], [2.0, -2.0], -1 - 0.5)  # (R(z + ε) − R(z − ε))/ε − 1
    assert network(zero) == 1 != printed(zero)
    assert sign_approximation(network, zero).network(zero) == 1


# --- AND, OR


@given(rows(4, 3))
def test_and_is_exact_everywhere(table):
    network = SignNetwork.conjunction(table[:, :-1], table[:, -1])
    relu = conjunction(table[:, :-1], table[:, -1])
    assert relu.relus == 4
    np.testing.assert_array_equal(relu(grid(3)), network(grid(3)))


@given(rows(2, 3))
def test_or_of_two_is_exact_everywhere(table):
    network = SignNetwork.disjunction(table[:, :-1], table[:, -1])
    np.testing.assert_array_equal(disjunction_of_two(table[:, :-1], table[:, -1])(grid(3)), network(grid(3)))


@given(rows(5, 2))
def test_or_on_data(table):
    network = SignNetwork.disjunction(table[:, :-1], table[:, -1])
    answer = disjunction_on(grid(2), table[:, :-1], table[:, -1])
    assert answer.exact
    assert answer.network.relus == 5
    np.testing.assert_array_equal(answer.network(grid(2)), network(grid(2)))


def test_bad_input_is_named():
    with pytest.raises(InputError, match="two half-spaces, got 3"):
        disjunction_of_two(np.ones((3, 2)), np.ones(3))
    with pytest.raises(InputError, match="epsilon: wanted a positive number"):
        sign_approximation(SignNetwork.disjunction([[1.0]], [0.0]), [[0.0]], epsilon=0.0)
    with pytest.raises(InputError, match="three half-spaces, got 2"):
        three_units(np.ones((2, 2)), np.ones(2))
    with pytest.raises(InputError, match="at least 3"):
        simplex_family(2)


# --- the example of three units


@given(rows(2, 2), st.integers(-3, 3), st.integers(-3, 3), st.integers(-3, 3), st.permutations(range(3)))
def test_three_units(table, p, q, gap, order):
    third = p * table[0] + q * table[1] + np.array([0, 0, gap])
    table = np.vstack([table, third])[order]
    found = three_units(table[:, :-1], table[:, -1])
    independent = abs(np.linalg.det(table[[order.index(0), order.index(1)], :-1])) > 0.5
    if independent and p > 0 and q > 0:
        assert (found is not None) == (gap > 0)
    if found:
        network = SignNetwork.disjunction(table[:, :-1], table[:, -1])
        assert found.relu_network.relus == 2
        np.testing.assert_array_equal(found.relu_network(grid(2)), network(grid(2)))


def test_the_papers_weaker_condition_fails():
    """v3 = v1 + v2 and d3 ≠ d1 + d2, but d3 smaller: the network of the identities is another one."""
    assert three_units([[1, 0], [0, 1], [1, 1]], [0, 0, -1]) is None
    gap = -1.0
    as_in_the_paper = ReLUNetwork([[1, 0], [0, 1]], [gap, gap], [1, 1], -gap)  # c_{1} = h1, c_{2} = h2, c_{12} = h3
    network = SignNetwork.disjunction([[1, 0], [0, 1], [1, 1]], [0, 0, -1])
    assert (as_in_the_paper([[-1.0, -1.0]]), network([[-1.0, -1.0]])) == (1, -1)
    found = three_units([[1, 0], [0, 1], [1, 1]], [0, 0, 1])
    assert (found.p, found.q, found.gap) == (1, 1, Fraction(1))


# --- Lemma 2


def triangle():
    """Nine ReLUs for the smallest of the family, y_i the barycentric coordinates (at the positive half-spaces y_i < 0)."""
    y = np.array([[1, 0, 0], [0, 1, 0], [-1, -1, 1]], dtype=float)
    units = [(2, y[i] - y[(i + 1) % 3]) for i in range(3)]
    units += [(-2, y[i] - np.array([0, 0, 0.5])) for i in range(3)] + [(4, -y[i]) for i in range(3)]
    table = np.array([row for _, row in units])
    return ReLUNetwork(table[:, :-1], table[:, -1], np.array([w for w, _ in units]), -1.0)


def test_lemma_2_a_kink_through_every_ridge_of_the_simplex():
    network = triangle()
    answer = minimal_equivalent(network)
    assert answer.units == 3
    np.testing.assert_array_equal(simplex_family(3)(grid(2)), network(grid(2)))
    corners = np.array([[0, 0, 1], [1, 0, 1], [0, 1, 1]])
    kinks = [np.array(a) for a in normal_form(network).units if min(corners @ a) < 0 < max(corners @ a)]
    through = [sum(c @ a == 0 for c in corners) for a in kinks]
    assert max(through) == 1
    assert all(any(c @ a == 0 for a in kinks) for c in corners)


@pytest.mark.parametrize("units", [3, 4, 7])
def test_lemma_2_bound(units):
    bound = relu_lower_bound(simplex_family(units))
    assert bound.relus == max(units * (units - 1) // 2, units)
    assert units == 3 or "simplex" in bound.reason


# --- lower bounds


@pytest.mark.parametrize(("relus", "inputs"), [(1, 1), (2, 2), (3, 2), (4, 3), (5, 2), (5, 5)])
@pytest.mark.parametrize("signs", ["positive", "negative"])
def test_lower_bounds_are_met_by_networks(relus, inputs, signs):
    rng = np.random.default_rng(relus + inputs)
    for w0 in (-1.0, 1.0):
        network = random_network(rng, relus, inputs, signs, bias=0.3, output_bias=w0)
        threshold = minimal_equivalent(network).equivalent
        assert relu_lower_bound(threshold).relus <= relu_lower_bound(threshold, one_signed=True).relus <= relus


def test_lower_bounds_by_hand():
    cube = SignNetwork.conjunction(np.vstack([np.eye(3), -np.eye(3)]), np.ones(6))
    assert relu_lower_bound(cube).relus == 4  # bounded
    assert relu_lower_bound(SignNetwork.disjunction(-np.eye(3), np.zeros(3))).relus == 3  # rank
    assert relu_lower_bound(SignNetwork.disjunction(np.zeros((0, 2)), [])).relus == 0
    assert relu_lower_bound(SignNetwork.conjunction([[1.0, 0], [2.0, 0]], [0, 1])).relus == 1
    with pytest.raises(InputError, match="neither"):
        relu_lower_bound(SignNetwork(np.eye(3), np.zeros(3), np.ones(3), 0.0))  # two of three


def test_counts_of_cells_and_facets():
    assert [smallest(count, 2, one_sign_bound) for count in (1, 2, 3, 4, 5, 6)] == [1, 2, 2, 3, 3, 3]
    assert [mixed_bound(3, 3), mixed_bound(4, 2)] == [7, 11]
    assert [one_sign_bound(3, 2), one_sign_bound(4, 3), one_sign_bound(3, 5)] == [6, 14, 7]
