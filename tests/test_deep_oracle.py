"""The oracle at depth: golden counts, hand answers, closed forms, along lines, a sweep in d = 1, areas in d = 2."""

from fractions import Fraction
from itertools import pairwise, product

import numpy as np
import pytest
from cases import random_degenerate, random_network
from deep_cases import (
    by_hand,
    deep_networks,
    golden,
    golden_layers,
    iterated_tents,
    of_layers,
    one_as_two,
    random_deep,
    random_degenerate_deep,
    relu_network,
)
from hypothesis import given, settings
from lines import pattern_at, pieces_on_line, random_fractions, random_line, stops_on_line
from oracle import Cell, Units, cells_of, domain_forms, exact_units, exact_value, interior, needed_halfspaces, solve

from lpnet.networks import Box

HAND = by_hand()
SHAPES = [(1, (2, 2)), (1, (3, 2, 2)), (2, (3, 2)), (2, (2, 2, 2)), (2, (2, 2, 2, 2)), (3, (3, 3)), (4, (3, 3))]
TENTS = [(1, 1), (2, 1), (5, 1), (1, 2), (2, 2), (3, 2), (1, 3), (2, 3)]


def degenerate(seed: int, count: int) -> list[Units]:
    """Random ones of all shapes."""
    rng = np.random.default_rng(seed)
    return [random_degenerate_deep(rng, *SHAPES[k % len(SHAPES)]) for k in range(count)]


@pytest.mark.parametrize("name", [name for name in golden() if name != "4-8-8-1"])
def test_golden_counts(name):
    """The cells of the three-output network too; its first output's sign is not what was counted. A box in R^10 is too much."""
    units, expected = of_layers(*golden_layers(name)), golden()[name]
    boxed = [(Box(*np.outer([-1, 1], np.ones(units.inputs))), expected[key]) for key in expected if key.startswith("box")]
    for domain, counts in [(None, expected), *boxed[: units.inputs < 10]]:
        answer = solve(units, domain)
        assert answer.cells == counts["cells"]
        if len(golden_layers(name)[-1][1]) == 1:
            assert len(answer.pieces) == counts["boundary_cells"]
            assert len(answer.halfspaces) == counts.get("distinct_halfspaces", counts["boundary_cells"])


@pytest.mark.parametrize("case", HAND, ids=lambda case: case.name)
def test_by_hand(case):
    answer = solve(case.units)
    assert answer.halfspaces == case.halfspaces
    assert (len(answer.pieces), answer.constant, answer.regular) == (case.pieces, case.constant, case.regular)


@pytest.mark.parametrize(("times", "inputs"), TENTS)
def test_iterated_tents(times, inputs):
    """(2^L + 1)^d − 1 half-spaces for small w0, 2^(Ld) for large; a cell more for every x_i > 1, where T² = 0 once more."""
    slopes = [1.0, 1.4142135623730951, 1.7320508075688772][:inputs]
    small, large = solve(iterated_tents(slopes, times, 0.25)), solve(iterated_tents(slopes, times, sum(slopes) - 0.5))
    zero = 1 if times == 1 else 2
    assert len(small.halfspaces) == (2**times + 1) ** inputs - 1
    assert len(small.pieces) == (2**times + zero) ** inputs - zero**inputs
    assert len(large.halfspaces) == len(large.pieces) == 2 ** (times * inputs)
    assert (small.regular, large.regular) == (True, True)


def test_one_layer_written_as_two():
    rng = np.random.default_rng(1)
    networks = [random_degenerate(rng, int(rng.integers(1, 6)), int(rng.integers(1, 4))) for _ in range(25)]
    for network in [*networks, random_network(rng, 4, 3)]:
        one, two = solve(network), solve(one_as_two(network))
        assert one[:3] == two[:3]
        assert len(one.pieces) <= len(two.pieces)


def test_one_input_swept():
    """d = 1: cells, pieces, half-spaces, sign and touching points read off the real line."""
    rng = np.random.default_rng(2)
    far = 10**9
    for widths in [(3,), (2, 2), (3, 2), (2, 2, 2), (2, 2, 2, 1)] * 15:
        units = random_degenerate_deep(rng, 1, widths)
        answer, line = solve(units), ([Fraction(0)], [Fraction(1)])
        stops = stops_on_line(units, *line, far)
        patterns = {pattern_at(units, [(s + t) / 2]) for (s, _), (t, _) in pairwise(stops)}
        pieces = pieces_on_line(units, *line, far)
        negative = [f + g < 0 for (_, f), (_, g) in pairwise(stops)]
        touching = [f >= 0 and p and q for (_, f), p, q in zip(stops[1:-1], negative, negative[1:], strict=False)]
        assert answer.cells == len(patterns)
        assert answer.pieces == {pattern for pattern, _ in pieces}
        assert answer.halfspaces == {form for _, form in pieces}
        assert answer.regular == (not any(touching))
        assert (answer.constant == -1, answer.constant == 1) == (all(negative), not any(negative))


def area(cell: Cell) -> Fraction:
    """Of a bounded cell in the plane: the triangles between its first vertex and its edges, a pair tight on one wall."""
    vertices = [(tuple(Fraction(z, ray.vector[2]) for z in ray.vector[:2]), ray.tight) for ray in cell.cone.rays]
    (x, y), _ = vertices[0]
    edges = [(p, q) for k, (p, s) in enumerate(vertices) for q, t in vertices[:k] if s & t]
    return sum((abs((p[0] - x) * (q[1] - y) - (p[1] - y) * (q[0] - x)) for p, q in edges), Fraction(0)) / 2


def test_cells_fill_the_plane():
    """d = 2: different patterns, each that of a point inside, and the areas add up to the box's: no cell is missing."""
    rng = np.random.default_rng(3)
    box = Box([-3, -2], [2, 3])
    for widths in [(4,), (3, 3), (2, 2, 2), (2, 2, 2, 2)] * 8:
        units = random_degenerate_deep(rng, 2, widths)
        cells = cells_of(units, domain_forms(box, 2))
        inside = [interior(cell.cone) for cell in cells]
        assert [pattern_at(units, [Fraction(x, t), Fraction(y, t)]) for x, y, t in inside] == [cell.pattern for cell in cells]
        assert len({cell.pattern for cell in cells}) == len(cells)
        assert sum(map(area, cells)) == 25


def test_lines_meet_nothing_else():
    """A generic line meets only the pieces, and on them the half-spaces, of the answer; on polyhedra too."""
    rng = np.random.default_rng(4)
    for units in [*degenerate(5, 70), *(random_deep(rng, *shape, links=True) for shape in SHAPES)]:
        walls = [tuple(int(z) for z in (*row, 4)) for row in rng.integers(-3, 4, (2, units.inputs))]
        for domain in ([], walls):
            answer = solve(units, domain)
            lines = [pieces_on_line(units, *random_line(rng, units.inputs), walls=domain) for _ in range(4)]
            assert {pattern for line in lines for pattern, _ in line} <= answer.pieces
            assert {form for line in lines for _, form in line} <= answer.halfspaces


@pytest.mark.parametrize("seed", range(4))
def test_lines_meet_everything(seed):
    """Enough lines meet all pieces, on networks of moderate numbers."""
    rng = np.random.default_rng(seed)
    networks = [case.units for case in HAND[seed::4]] + [random_degenerate_deep(rng, *shape) for shape in SHAPES[:5]]
    for units in networks:
        answer, met = solve(units), set()
        for _ in range(500):
            met |= pieces_on_line(units, *random_line(rng, units.inputs))
            if len(met) == len(answer.pieces):
                break
        assert {pattern for pattern, _ in met} == answer.pieces
        assert {form for _, form in met} == answer.halfspaces


@settings(max_examples=100)
@given(deep_networks())
def test_lines_on_gates(units):
    rng, answer = np.random.default_rng(8), solve(units)
    for _ in range(4):
        assert pieces_on_line(units, *random_line(rng, units.inputs)) <= set(product(answer.pieces, answer.halfspaces))
    if answer.constant is not None:
        points = [random_fractions(rng, units.inputs) for _ in range(10)]
        assert {exact_value(units, x) >= 0 for x in points} == {answer.constant > 0}


def test_domains():
    """The two sides of a hyperplane keep all but what lies in it."""
    rng = np.random.default_rng(9)
    for units in degenerate(10, 35):
        wall = tuple(map(int, rng.integers(1, 1000, units.inputs + 1)))
        parts = [needed_halfspaces(units, [wall]), needed_halfspaces(units, [tuple(-z for z in wall)])]
        assert set.union(*parts) == needed_halfspaces(units)


@settings(max_examples=100)
@given(deep_networks())
def test_as_levels(units):
    """Written as a ReLUNetwork it is the same function with the same answer, whatever the order of its units."""
    if not units.rows:
        return
    again, rng = exact_units(relu_network(units)), np.random.default_rng(11)
    points = [random_fractions(rng, units.inputs, 4) for _ in range(8)]
    assert [exact_value(again, x) for x in points] == [exact_value(units, x) for x in points]
    one, other = solve(units), solve(again)
    assert (one[:-1], len(one.pieces)) == (other[:-1], len(other.pieces))
