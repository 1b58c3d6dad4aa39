"""Minimal equivalents of networks of any depth: against the oracle, golden counts and closed forms."""

from fractions import Fraction

import numpy as np
import oracle
import pytest
from cases import random_degenerate, random_network
from deep_cases import (
    by_hand,
    deep_networks,
    golden,
    golden_layers,
    iterated_tents,
    one_as_two,
    random_deep,
    random_degenerate_deep,
    relu_network,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from lpnet import Box, Polyhedron, ReLUNetwork, minimal_equivalent, normal_form
from lpnet.boundary.engines import find_pieces
from lpnet.exact import primitive, value
from lpnet.watch import Watch

SHAPES = [(1, (3, 2, 2)), (2, (3, 3)), (2, (2, 2, 2)), (2, (3, 2, 2, 2)), (3, (4, 3)), (3, (2, 2, 2)), (4, (3, 3))]
BINARY = [name for name in golden() if len(golden_layers(name)[-1][1]) == 1]


def assert_is_the_oracles(units: oracle.Units, domain: Polyhedron | None = None) -> None:
    """The same half-spaces and constant; every witness on its half-space's hyperplane, f changing sign at it.

    Where units have merged in the normal form a piece is that of several cells of the oracle's.
    """
    network = relu_network(units)
    answer = minimal_equivalent(network, domain)
    expected = oracle.solve(units, domain.inequalities() if domain else None)
    assert answer.complete
    assert {primitive(h) for h in answer.halfspaces} == expected.halfspaces
    assert answer.units == len(expected.halfspaces)
    assert answer.units <= len(answer.pieces.patterns) <= len(expected.pieces)
    assert answer.constant == expected.constant
    for h, at in zip(answer.halfspaces, answer.witnesses, strict=True):
        assert value(h, at) == 0
        assert at[-1] > 0
        assert all(value(g, at) > 0 for g in answer.domain.inequalities())
        assert oracle.exact_value(units, [Fraction(z, at[-1]) for z in at[:-1]]) == 0


@pytest.mark.parametrize("case", [case for case in by_hand() if case.units.rows], ids=lambda case: case.name)
def test_by_hand(case):
    assert_is_the_oracles(case.units)


@pytest.mark.parametrize("name", BINARY)
def test_golden_counts(name):
    network, expected = ReLUNetwork.of_layers(golden_layers(name)), golden()[name]
    boxed = [(Box(*np.outer([-1, 1], np.ones(network.inputs))), expected[key]) for key in expected if key.startswith("box")]
    for domain, counts in [(None, expected), *boxed]:
        answer = minimal_equivalent(network, domain)
        assert answer.complete
        assert answer.units == counts.get("distinct_halfspaces", counts["boundary_cells"])
        assert len(answer.pieces.patterns) == counts["boundary_cells"]


@pytest.mark.parametrize("seed", range(6))
def test_random_integer_networks(seed):
    """Two to four levels with links, repeated and dead units, zero weights, f ≡ 0 on cells."""
    rng = np.random.default_rng(seed)
    for shape in SHAPES:
        assert_is_the_oracles(random_degenerate_deep(rng, *shape))


@pytest.mark.parametrize("links", [False, True])
def test_random_float_networks(links):
    rng = np.random.default_rng(7)
    for inputs, widths in SHAPES:
        units = random_deep(rng, inputs, widths, links)
        assert_is_the_oracles(units)
        assert len(minimal_equivalent(relu_network(units)).pieces.patterns) == len(oracle.solve(units).pieces)


KINKS_AMONG_IDLE_UNITS = [  # twice the rows and the output: pieces on kinks, in cells where some of the first units are idle
    (
        4,
        [
            [0, 1, 1, 1, -1],
            [0, 2, 2, 1, -1, 0],
            [0, 0, 0, 0, 2, -2, -2],
            [0, 0, 0, 0, 0, 1, 2, 0],
            [0, 0, 0, 0, -1, 0, 0, 0, 0],
            [2, -1, 1, -2, -1, 2, 2, 2, 0, 2],
            [0, 0, 0, 0, 2, 0, 0, 1, 0, 2, 0],
            [0, -2, -2, -1, -1, -1, 2, -2, 1, 1, 0, 0],
        ],
        [0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1, -1, -1],
    ),
    (
        3,
        [
            [-1, -2, 2, -2],
            [-2, 2, -1, -1, 0],
            [0, 0, -1, 2, -1, 1],
            [0, 0, 0, 0, 0, 0, 0],
            [0, 0, 0, -1, 0, 0, 0, 2],
            [0, 0, 0, -2, 0, 0, 2, -1, 0],
            [2, -2, -1, 2, -2, -2, 2, -1, 2, 0],
            [2, 0, 0, -2, 2, 2, 2, -1, -2, -2, 0],
        ],
        [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, -1, 1],
    ),
]


@pytest.mark.parametrize(("inputs", "rows", "output"), KINKS_AMONG_IDLE_UNITS)
def test_kinks_where_units_are_idle(inputs, rows, output):
    units = oracle.Units(
        inputs, [[Fraction(entry, 2) for entry in row] for row in rows], [Fraction(entry, 2) for entry in output]
    )
    assert_is_the_oracles(units)


@pytest.mark.slow
def test_many_small_networks_of_all_shapes():
    """3,000 in d = 3 to 6 with few active units: rows of later levels are combinations of each other on most cells."""
    rng = np.random.default_rng(7)
    shapes = [(4, (2, 3, 3)), (5, (3, 3, 2)), (3, (2, 2, 2, 2)), (4, (2, 3, 2, 2)), (4, (4, 2, 4)), (6, (3, 4)), (5, (2, 4, 3))]
    for number in range(3000):
        draw = random_degenerate_deep if number % 2 else random_deep
        assert_is_the_oracles(draw(rng, *shapes[number % len(shapes)]))


@settings(max_examples=80)
@given(deep_networks(), st.booleans())
def test_gates(units, boxed):
    if units.rows:
        assert_is_the_oracles(units, Box([-1] * units.inputs, [2] * units.inputs) if boxed else None)


def test_polyhedra():
    rng = np.random.default_rng(8)
    for inputs, widths in SHAPES:
        forms = [tuple(map(int, (*row, 4))) for row in rng.integers(-3, 4, (3, inputs))]
        assert_is_the_oracles(random_degenerate_deep(rng, inputs, widths), Polyhedron(inputs, forms))


@pytest.mark.parametrize(("times", "inputs"), [(1, 1), (2, 1), (6, 1), (1, 2), (2, 2), (3, 2), (1, 3), (2, 3)])
def test_iterated_tents(times, inputs):
    """(2^L + 1)^d − 1 half-spaces for small w0; 2^(Ld), of as many pieces, for w0 above the proper sums of the slopes."""
    slopes = [1.0, 1.4142135623730951, 1.7320508075688772][:inputs]
    small = minimal_equivalent(relu_network(iterated_tents(slopes, times, 0.25)))
    large = minimal_equivalent(relu_network(iterated_tents(slopes, times, sum(slopes) - 0.5)))
    assert small.units == (2**times + 1) ** inputs - 1
    assert large.units == len(large.pieces.patterns) == 2 ** (times * inputs)


def test_one_layer_written_as_two():
    rng = np.random.default_rng(9)
    networks = [random_degenerate(rng, int(rng.integers(1, 7)), int(rng.integers(1, 4))) for _ in range(20)]
    for network in [*networks, random_network(rng, 6, 3)]:
        one, two = minimal_equivalent(network), minimal_equivalent(relu_network(one_as_two(network)))
        assert {primitive(h) for h in one.halfspaces} == {primitive(h) for h in two.halfspaces}
        assert one.constant == two.constant


def test_regular():
    """Whether {f ≥ 0} is the closure of its interior."""
    rng = np.random.default_rng(10)
    for units in [*(case.units for case in by_hand()), *(random_degenerate_deep(rng, *shape) for shape in 3 * SHAPES)]:
        assert minimal_equivalent(relu_network(units)).regular == oracle.solve(units).regular


@pytest.mark.parametrize("seed", range(3))
def test_slivers(seed):
    """Domains far thinner than floats can tell, across kinks and along them: the tree finds what asking every pattern finds."""
    rng = np.random.default_rng(seed)
    for _ in range(4):
        units = random_degenerate_deep(rng, 2, (3, 2))
        network, (a, b, c) = relu_network(units), (int(z) for z in rng.integers(-3, 4, 3))
        sliver = ((a, b, c), (10**30 * -a + 1, 10**30 * -b, 10**30 * -c + 3), (1, 0, 3), (0, 1, 3), (-1, 0, 3), (0, -1, 3))
        domain = Polyhedron(2, sliver)
        if domain.empty or not normal_form(network, domain).links:
            continue
        form = normal_form(network, domain)
        found, expected = (find_pieces(form, domain, Watch(), engine)[0] for engine in ("tree", "expand"))
        np.testing.assert_array_equal(found.patterns, expected.patterns)
        assert found.witnesses is not None
        assert all(form.sign_at(at) == 0 and all(value(h, at) > 0 for h in sliver) for at in found.witnesses)
