"""Deep networks at the limits of floats: weights far apart, numbers that overflow, and a search that stops where it is told."""

import time
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest

from lpnet import ReLUNetwork
from lpnet.boundary.engines import find_pieces
from lpnet.exact import point
from lpnet.networks import Box, Polyhedron, normal_form
from lpnet.watch import Watch

TINY = 2.0**-600


def far_apart(rng, inputs, widths, bits):
    """Weights in {−2, …, 2}, some of them times up to 2^±bits."""
    sizes = [inputs, *widths, 1]
    layers = [(rng.integers(-2, 3, (m, n)), rng.integers(-2, 3, m)) for n, m in pairwise(sizes)]

    def spread(numbers):
        exact = [
            Fraction(int(z)) * Fraction(2) ** int(rng.integers(-bits, bits + 1) * (rng.random() < 0.3)) for z in numbers.flat
        ]
        return np.array(exact, dtype=object).reshape(numbers.shape)

    return ReLUNetwork.of_layers([tuple(map(spread, layer)) for layer in layers])


def assert_as_expand(network, domain):
    form = normal_form(network, domain)
    found, expected = (find_pieces(form, domain, Watch(), engine)[0] for engine in ("tree", "expand"))
    np.testing.assert_array_equal(found.patterns, expected.patterns)
    assert found.complete
    return len(found.patterns)


@pytest.mark.parametrize("tiny", [TINY, TINY**1.5])
def test_a_small_weight_counts_where_the_large_ones_have_gone(tiny):
    """On the cell where the large terms of a unit are inactive it is not constant, and f not what is left without it."""
    hidden = [[1, 0], [0, 1], [1, 1]], [0, 0, -1]
    later = [[1, tiny, -tiny], [1, 0, 1]], [0, 0]
    for output in ([[1, -1]], [-tiny]), ([[1, -tiny]], [-tiny]):
        for domain in (Polyhedron.everywhere(2), Box([-1, -1], [2, 2])):
            assert_as_expand(ReLUNetwork.of_layers([hidden, later, output]), domain)


@pytest.mark.parametrize("bits", [30, 300, 600])
def test_weights_far_apart(bits):
    rng, found = np.random.default_rng(bits), 0
    for _ in range(12):
        network = far_apart(rng, 2, (3, 3), bits)
        found += sum(assert_as_expand(network, domain) for domain in (Polyhedron.everywhere(2), Box([-1, -2], [2, 1])))
    assert found > 20


def test_a_search_beyond_floats_stops_in_time():
    rng = np.random.default_rng(1)
    network = far_apart(rng, 3, (12, 12), 600)
    watch, start = Watch(seconds=1.0), time.monotonic()
    pieces = find_pieces(normal_form(network), Polyhedron.everywhere(3), watch, "tree")[0]
    assert not pieces.complete
    assert watch.share < 1
    assert time.monotonic() - start < 10


def test_the_share_of_the_search_ends_at_1():
    rng = np.random.default_rng(2)
    for bits in (0, 600):
        watch = Watch()
        find_pieces(normal_form(far_apart(rng, 2, (3, 3), bits)), Polyhedron.everywhere(2), watch, "tree")
        assert watch.share == 1


def test_activation_patterns_where_floats_overflow():
    rng = np.random.default_rng(3)
    for inputs in range(2, 20):
        network = ReLUNetwork(rng.choice([1e300, -1e300], (1, inputs)), [0.0], [1.0], 0.0)
        points = 1e10 * rng.integers(1, 9, (5, inputs))
        expected = [[z > 0 for z in network.all_units.units_at(point(row))] for row in points]
        np.testing.assert_array_equal(network.activation_pattern(points), expected)
