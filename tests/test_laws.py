"""The laws: against recursions, against each other, and against exact counts by the engines."""

import itertools

import numpy as np
import pytest
from cases import random_network
from deep import tent
from flint import fmpq_mat, fmpz_mat

from lpnet import InputError, Polyhedron, ReLUNetwork, extremal_network, minimal_equivalent, normal_form, tightness
from lpnet.boundary.independent import independent
from lpnet.errors import Stopped
from lpnet.laws import (
    bounded_regions,
    central_number,
    central_regions,
    independent_number,
    mixed_bound,
    one_sign_bound,
    regions,
    tents_number,
    theorem2_bound,
)
from lpnet.watch import Watch


def test_regions_obey_deletion_and_restriction():
    """r(n, d) = r(n − 1, d) + r(n − 1, d − 1), so for the bounded ones; the central ones are those of a slice, twice."""
    for n, d in itertools.product(range(1, 12), range(1, 12)):
        assert regions(n, d) == regions(n - 1, d) + regions(n - 1, d - 1)
        assert central_regions(n, d) == 2 * regions(n - 1, d - 1)
        if n > 1:
            assert bounded_regions(n, d) == bounded_regions(n - 1, d) + bounded_regions(n - 1, d - 1)
    assert [regions(n, 2) for n in range(5)] == [1, 2, 4, 7, 11]
    assert [bounded_regions(n, 2) for n in range(5)] == [0, 0, 0, 1, 3]


def test_theorem_2_needs_as_many_inputs_as_units():
    for n, d in itertools.product(range(1, 20), range(1, 20)):
        assert (one_sign_bound(n, d) == theorem2_bound(n)) == (d >= n)
        assert one_sign_bound(n, d) <= mixed_bound(n, d) <= theorem2_bound(n)
    assert all(one_sign_bound(n, n - 1) == 2**n - 2 for n in range(2, 20))
    assert one_sign_bound(0, 3) == mixed_bound(0, 3) == 0


@pytest.mark.parametrize("w0", [-1.0, 0.0, 0.7])
def test_independent_weights_have_the_number_of_the_closed_form(w0):
    rng = np.random.default_rng(1)
    for positive, negative in itertools.product(range(4), range(4)):
        relus, expected = positive + negative, independent_number(positive, negative, w0)
        if relus:
            output = [1.5] * positive + [-0.5] * negative
            network = ReLUNetwork(rng.normal(size=(relus, relus)), rng.normal(size=relus), output, w0)
            assert minimal_equivalent(network, engine="expand").units == expected
            assert independent(normal_form(network), Polyhedron.everywhere(relus), Watch(), store=False).count == expected


def test_central_networks_have_the_number_of_the_closed_form():
    """With all u_k on one side of a hyperplane, or not."""
    rng = np.random.default_rng(2)
    for relus, inputs in [(1, 1), (3, 3), (2, 4), (7, 2), (8, 3), (9, 4)]:
        weight = rng.normal(size=(relus, inputs))
        weight[:, 0] = np.abs(weight[:, 0])
        network = ReLUNetwork(weight, np.zeros(relus), np.ones(relus), -1.0)
        assert tightness(network).needed == central_number(relus, inputs, silent=True)
        if relus > inputs:
            weight[-1] = -weight[:inputs].sum(axis=0)
            network = ReLUNetwork(weight, np.zeros(relus), np.ones(relus), -1.0)
            assert tightness(network).needed == central_number(relus, inputs, silent=False)


@pytest.mark.parametrize("levels", [1, 2, 3])
@pytest.mark.parametrize("threshold", [0.25, 1.1, 1.6, 2.6, 4.0, 5.0])
def test_iterated_tents_have_the_number_of_the_closed_form(levels, threshold):
    """With every number of inputs, and with some sums of heights above the threshold, all, or none."""
    for inputs in range(1, 4 if levels < 3 else 3):
        heights = [1.0, 2**0.5, 3**0.5][:inputs]
        expected = tents_number(levels, heights, threshold)
        assert minimal_equivalent(tent(levels, *heights, w0=threshold)).units == expected
        assert expected == (2**levels + 1) ** inputs - 1 or threshold > 1
        assert expected == 2 ** (levels * inputs) or not sum(heights[1:]) < threshold < sum(heights)


def test_depth_outgrows_width():
    """n ReLUs on one input: n + 1 cells in one layer, 2^(n/2) half-spaces in n/2 layers."""
    network = tent(10, 1.0, w0=0.5)
    assert minimal_equivalent(network).units == tents_number(10, [1.0], 0.5) == 1024 > mixed_bound(network.relus, 1) == 21


def test_tightness_of_a_network():
    answer = tightness(ReLUNetwork(np.eye(4), np.zeros(4), [1, 1, 0, 1], -1.0))
    assert (answer.needed, answer.theorem2, answer.law, answer.of_theorem2, answer.of_law) == (7, 7, 7, 1.0, 1.0)
    mixed = random_network(np.random.default_rng(3), 8, 2)
    answer = tightness(mixed)
    assert (answer.theorem2, answer.law) == (255, 37)
    assert answer.needed == minimal_equivalent(mixed, engine="tree").units == round(answer.of_law * 37)
    assert tightness(ReLUNetwork(np.zeros((0, 2)), np.zeros(0), np.zeros(0), -1.0)).of_law == 0
    with pytest.raises(Stopped, match="stopped after 1 half-spaces, the limit of 1 was reached"):
        tightness(mixed, "expand", Watch(max_pieces=1))
    with pytest.raises(InputError, match="engine: wanted auto"):
        tightness(mixed, engine="guess")


@pytest.mark.parametrize("relus", range(1, 13))
def test_extremal_networks_reach_the_law(relus):
    for inputs in range(1, 7):
        network = extremal_network(relus, inputs)
        assert tightness(network).needed == one_sign_bound(relus, inputs)
        assert (network.hidden_weight == np.round(network.hidden_weight)).all()


def test_extremal_networks_are_in_general_position():
    """Any d rows are independent, and the rows are positively dependent, for more inputs than can be counted too."""
    rng = np.random.default_rng(4)
    for relus, inputs in [(9, 4), (40, 13), (60, 59)]:
        weight = extremal_network(relus, inputs).hidden_weight.astype(int)
        for _ in range(30):
            assert fmpz_mat(weight[rng.choice(relus, inputs, replace=False)].tolist()).rank() == inputs
        kernel = fmpq_mat(fmpz_mat(weight[:inputs].T.tolist())).inv() * fmpq_mat(fmpz_mat([[-int(x)] for x in weight[inputs]]))
        assert all(kernel[k, 0] > 0 for k in range(inputs))
    with pytest.raises(InputError, match="at least one ReLU and one input, got 3 and 0"):
        extremal_network(3, 0)


SMALL = [(2, 1, 2), (3, 1, 1), (4, 1, 1), (2, 2, 1)]
LARGER = [pytest.param(*case, marks=pytest.mark.slow) for case in [(3, 1, 2), (4, 1, 2), (3, 2, 1)]]


@pytest.mark.parametrize(("relus", "inputs", "largest"), SMALL + LARGER)
def test_exhaustive_search_reaches_the_law_and_never_exceeds_it(relus, inputs, largest):
    """All units with small integer weights and biases, w0 = −1: every multiset of them."""
    values = range(-largest, largest + 1)
    units = [row for row in itertools.product(values, repeat=inputs + 1) if any(row[:-1])]
    most = 0
    for chosen in itertools.combinations_with_replacement(units, relus):
        rows = np.array(chosen, dtype=float)
        network = ReLUNetwork(rows[:, :-1], rows[:, -1], np.ones(relus), -1.0)
        most = max(most, tightness(network).needed)
    assert most == one_sign_bound(relus, inputs)
    assert inputs >= relus or most <= 2**relus - 2


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_random_search_never_exceeds_the_bounds_and_reaches_the_law(seed):
    """1,000 networks: Gaussian and small whole weights, biases of all sizes, both signs of w0 and of the units, and mixed."""
    rng, reached = np.random.default_rng(seed), set()
    for trial in range(1000):
        relus, inputs = int(rng.integers(1, 9)), int(rng.integers(1, 7))
        weight, bias = rng.normal(size=(relus, inputs)), rng.normal(size=relus) * rng.choice([0, 0.03, 0.3, 3])
        if trial % 3 == 0:
            weight, bias = rng.integers(-3, 4, (relus, inputs)).astype(float), rng.integers(-1, 2, relus).astype(float)
        kind = int(rng.integers(3))
        output = rng.choice([-1.0, 1.0], relus) if kind == 2 else np.full(relus, 1.0 - 2 * kind)
        answer = tightness(ReLUNetwork(weight, bias, output, rng.choice([-1.0, 1.0, -0.01, 0.01])))
        assert answer.needed <= answer.law <= answer.theorem2
        if kind < 2 and answer.needed == answer.law:
            reached.add((relus, inputs))
        assert kind == 2 or inputs >= relus or answer.needed <= 2**relus - 2
    assert len(reached) >= 30
