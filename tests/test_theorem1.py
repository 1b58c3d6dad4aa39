"""Theorem 1: network, conditions, Boolean functions and circuits agree, ties included."""

import itertools

import numpy as np
import pytest
from cases import random_network

from lpnet import InputError, ReLUNetwork, SizeError
from lpnet.boundary.theorem1 import binary_encoding, boolean_functions, cnf, conditions, dnf, subset_forms, two_layers

RUNNING_EXAMPLE = ReLUNetwork([[1, 0], [0, 1], [1, 1]], [0, 0, -1], [1, -1, -1], -1)  # Eq. (4), with dyadic weights


def dyadic(rng, relus, inputs, signs, w0):
    """A network on which floating-point arithmetic is exact at dyadic points."""
    output = {"positive": [0.5, 1, 2], "negative": [-0.5, -1, -2], "mixed": [-2, -1, -0.5, 0, 0.5, 1, 2]}[signs]
    return ReLUNetwork(rng.integers(-4, 5, (relus, inputs)) / 2, rng.integers(-4, 5, relus) / 2, rng.choice(output, relus), w0)


def nasty_points(rng, network):
    """Random and lattice points, and exact solutions of c_S(x) = 0 along a lattice."""
    d = network.inputs
    lattice = np.array(list(itertools.product(np.arange(-3, 3.5, 0.5), repeat=min(d, 2))))
    lattice = np.column_stack([lattice, rng.integers(-4, 5, (len(lattice), d - lattice.shape[1])) / 2])
    weight, bias = subset_forms(network)
    on = []
    for v, c in zip(weight.reshape(-1, d), bias.ravel(), strict=True):
        axis = np.argmax(np.abs(v))
        x = rng.integers(-4, 5, d) / 2
        if v[axis] and np.log2(abs(v[axis])) % 1 == 0:
            x[axis] = -(v @ x - v[axis] * x[axis] + c) / v[axis]
            on.append(x)
    return np.concatenate([rng.normal(size=(200, d)) * 3, lattice, np.array(on).reshape(-1, d)])


def assert_theorem_1(network, points):
    answer = network(points) > 0
    three = conditions(network, points)
    for other in (three.network_positive, three.exists_forall, three.forall_exists):
        np.testing.assert_array_equal(other, answer)
    np.testing.assert_array_equal(dnf(network)(points) > 0, answer)
    np.testing.assert_array_equal(cnf(network)(points) > 0, answer)
    if not (len(network.positive) and len(network.negative)):
        np.testing.assert_array_equal(two_layers(network)(points) > 0, answer)


@pytest.mark.parametrize("w0", [-1.0, 0.0, 0.5])
@pytest.mark.parametrize("signs", ["positive", "negative", "mixed"])
def test_everything_agrees_also_at_ties(signs, w0):
    rng = np.random.default_rng(1)
    ties = 0
    for relus, inputs in itertools.product([1, 2, 4, 5], [1, 2, 3]):
        network = dyadic(rng, relus, inputs, signs, w0)
        points = nasty_points(rng, network)
        weight, bias = subset_forms(network)
        ties += np.count_nonzero(np.tensordot(points, weight, (1, 2)) + bias == 0)
        assert_theorem_1(network, points)
    assert ties > 0


@pytest.mark.parametrize("signs", ["positive", "negative", "mixed"])
def test_everything_agrees_on_gaussian_networks(signs):
    rng = np.random.default_rng(2)
    for relus, inputs in [(3, 2), (6, 4), (8, 10)]:
        assert_theorem_1(random_network(rng, relus, inputs, signs), rng.normal(size=(500, inputs)))


def test_running_example():
    assert_theorem_1(RUNNING_EXAMPLE, nasty_points(np.random.default_rng(0), RUNNING_EXAMPLE))
    circuit = dnf(RUNNING_EXAMPLE)
    assert (circuit.units, circuit.terms) == (8, 2)  # Figure 3: two groups of four
    np.testing.assert_array_equal(circuit.middle_bias, [-3, -3])
    assert circuit.output_bias == 1
    circuit = cnf(RUNNING_EXAMPLE)
    assert (circuit.units, circuit.terms) == (8, 4)  # Eq. (5): four clauses of two
    np.testing.assert_array_equal(circuit.middle_bias, [1, 1, 1, 1])
    assert circuit.output_bias == -3


def test_boolean_functions_are_equation_6():
    x = np.array([[2.0, 0.25]])
    a = RUNNING_EXAMPLE.preactivations(x)[0]
    holds = boolean_functions(RUNNING_EXAMPLE, x)[0]
    for i, j in itertools.product(range(2), range(4)):
        c = -1 + i * a[0] - (j // 2) * a[1] - (j % 2) * a[2]
        assert holds[i, j] == (c >= 0)


def test_binary_encoding_is_the_papers():
    expected = [[0, 0, 0, 0, 1, 1, 1, 1], [0, 0, 1, 1, 0, 0, 1, 1], [0, 1, 0, 1, 0, 1, 0, 1]]
    np.testing.assert_array_equal(binary_encoding(3), expected)


def test_two_layers_have_the_bias_of_equation_7():
    network = ReLUNetwork(np.eye(3), np.zeros(3), np.ones(3), -1)
    assert (two_layers(network).units, two_layers(network).output_bias) == (8, 7)
    with pytest.raises(InputError, match="1 positive and 2 negative"):
        two_layers(RUNNING_EXAMPLE)


@pytest.mark.parametrize("expansion", [dnf, cnf, subset_forms, two_layers])
def test_an_expansion_that_does_not_fit_is_refused_before_it_is_made(expansion):
    network = ReLUNetwork(np.ones((60, 3)), np.ones(60), np.ones(60), -1)
    with pytest.raises(SizeError, match=rf"2\^60 = {1 << 60} threshold units and needs \d+ bytes"):
        expansion(network)


def test_conditions_count_the_batch_into_the_memory():
    network = ReLUNetwork(np.eye(4), np.zeros(4), np.ones(4), -1)
    with pytest.raises(SizeError, match="bytes"):
        conditions(network, np.zeros((1000, 4)), memory=100_000)


def test_the_conditions_are_exact_where_rounding_would_decide():
    """Weights in tenths on a lattice of tenths: ties that floats miss."""
    rng = np.random.default_rng(3)
    for _ in range(40):
        relus, inputs = int(rng.integers(1, 5)), int(rng.integers(1, 3))
        tenths = [rng.integers(-9, 10, shape) / 10 for shape in ((relus, inputs), relus, relus, ())]
        network = ReLUNetwork(*tenths[:3], float(tenths[3]))
        three = conditions(network, rng.integers(-9, 10, (300, inputs)) / 10)
        np.testing.assert_array_equal(three.exists_forall, three.network_positive)
        np.testing.assert_array_equal(three.forall_exists, three.network_positive)
