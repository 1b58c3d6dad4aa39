"""Networks of any depth along lines, in rationals: another way to see boundary pieces than the oracle's."""

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import pairwise
from math import gcd, lcm

import numpy as np
from oracle import Units, Vector, dot, exact_units, outputs_at

from lpnet import ReLUNetwork

Point = list[Fraction]
Stop = tuple[Fraction, Point, Fraction]


def lowest_terms(form: Iterable[Fraction]) -> Vector:
    """The form as a primitive integer vector, up to a positive factor."""
    form = list(form)
    scale = lcm(*(z.denominator for z in form))
    whole = [int(z * scale) for z in form]
    return tuple(z // (gcd(*whole) or 1) for z in whole)


def along(start: Sequence[Fraction], step: Sequence[Fraction], t: Fraction) -> Point:
    """start + t·step."""
    return [x + t * s for x, s in zip(start, step, strict=True)]


def random_fractions(rng: np.random.Generator, count: int, size: int = 2) -> Point:
    """Random rationals on no special line or plane."""
    return [Fraction(int(z), 999_983) for z in rng.integers(-size * 999_983, size * 999_983 + 1, count)]


def pattern_at(network: Units | ReLUNetwork, x: Point) -> tuple[bool, ...]:
    """Which units are active at x."""
    return tuple(z > 0 for z in outputs_at(network, x)[len(x) + 1 :])


def f_form(network: Units | ReLUNetwork, x: Point) -> Vector:
    """f near x, where no unit is 0 but near x as well, as a primitive integer vector."""
    units = exact_units(network)
    forms = [[Fraction(int(i == j)) for j in range(len(x) + 1)] for i in range(len(x) + 1)]
    for row, active in zip([*units.rows, units.output], [*pattern_at(network, x), True], strict=True):
        forms.append([dot(row, column) if active else Fraction(0) for column in zip(*forms, strict=True)])
    return lowest_terms(forms[-1])


def stops_on_line(network: Units | ReLUNetwork, start: Point, step: Point, reach: int) -> list[tuple[Fraction, Fraction]]:
    """t and f(start + t·step): at −reach, at reach, and between them wherever a unit or f changes its sign."""
    units = exact_units(network)
    stops = [(t, [*along(start, step, t), Fraction(1)]) for t in (Fraction(-reach), Fraction(reach))]
    for row in units.rows:
        stops = [(t, [*known, max(z, Fraction(0))]) for t, known, z in cut(stops, row)]
    return [(t, f) for t, _, f in cut(stops, units.output)]


def cut(stops: list[tuple[Fraction, Point]], row: Point) -> Iterator[Stop]:
    """The stops and z there, and one more wherever z changes its sign between two; all that is known is affine between them."""
    valued = [(t, known, dot(row, known)) for t, known in stops]
    for (s, before, p), (t, after, q) in pairwise(valued):
        yield s, before, p
        if p * q < 0:
            part = p / (p - q)
            yield s + part * (t - s), [y + part * (z - y) for y, z in zip(before, after, strict=True)], Fraction(0)
    yield valued[-1]


def pieces_on_line(
    network: Units | ReLUNetwork, start: Point, step: Point, reach: int = 64, walls: Sequence[Vector] = ()
) -> set[tuple[tuple[bool, ...], Vector]]:
    """Where f changes between < 0 and ≥ 0 on a segment, inside the walls: the pattern and f on the negative side.

    Some of the pieces, if the line is generic.
    """
    stops = stops_on_line(network, start, step, reach)
    parts = [((s + t) / 2, f + g < 0) for (s, f), (t, g) in pairwise(stops)]
    found = set()
    for (before, p), (t, _), (after, q) in zip(parts, stops[1:], parts[1:], strict=False):
        if p != q and all(dot(wall, [*along(start, step, t), Fraction(1)]) > 0 for wall in walls):
            x = along(start, step, before if p else after)
            found.add((pattern_at(network, x), f_form(network, x)))
    return found


def met_on_line(network: Units | ReLUNetwork, start: Point, step: Point, reach: int = 64) -> set[Vector]:
    """The half-spaces of `pieces_on_line`: some of the needed ones."""
    return {form for _, form in pieces_on_line(network, start, step, reach)}


def random_line(rng: np.random.Generator, inputs: int) -> tuple[Point, Point]:
    """A point and a direction, generic."""
    return random_fractions(rng, inputs), random_fractions(rng, inputs, 1)


def met_on_lines(network: Units | ReLUNetwork, rng: np.random.Generator, lines: int) -> set[Vector]:
    """`met_on_line` for many lines."""
    units = exact_units(network)
    return set().union(*(met_on_line(units, *random_line(rng, units.inputs)) for _ in range(lines)))
