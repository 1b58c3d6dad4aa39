"""Lines of the vertex engine in rationals, and plainly: for those on which `line_kernel.line` is in doubt."""

import itertools
from collections.abc import Iterator, Sequence
from fractions import Fraction

import numpy as np
from flint import fmpq_mat, fmpz_mat
from numpy.typing import NDArray

from lpnet.boundary.pieces import NotApplicable
from lpnet.networks import ExactForm

Patterns = NDArray[np.bool_]
LEAST_REACH = -(1 << 30)


def bits(height: float | Fraction) -> int:
    """Some e with height > −2^e."""
    if height >= 0:
        return LEAST_REACH
    exact = Fraction(height)
    return abs(exact.numerator).bit_length() - exact.denominator.bit_length() + 2


def exact_line(form: ExactForm, direction: Sequence[int], subset: tuple[int, ...]) -> tuple[Patterns, int | None]:
    """What `line_kernel.line` does, in rationals and plainly: the patterns lowest at a vertex, an e with g > −2^e there."""
    m, size = len(form.units), len(subset)
    table = exact_table(form, direction, subset)
    if table is None:
        return np.zeros((0, m), dtype=bool), None
    *units, g, affine = table
    others = [k for k in range(m) if k not in subset]
    if any(not units[k][size] and not units[k][size + 1] for k in others):
        raise NotApplicable("a unit vanishes on a line of others")

    def f_on(units_on: Sequence[int]) -> tuple[Fraction, ...]:
        return tuple(affine[j] + sum(form.signs[k] * units[k][j] for k in units_on) for j in range(size + 2))

    def on_at(t: Fraction) -> list[int]:
        return [k for k in others if units[k][size + 1] + t * units[k][size] > 0]

    found, reaches = [], []
    for low, high in segments([-units[k][size + 1] / units[k][size] for k in others if units[k][size]]):
        on = on_at(between(low, high))
        *slopes, d, c = f_on(on)
        at = zero_between(c, d, low, high)
        if at is None:
            continue
        reaches.append(bits(g[-1] + at * g[size]))
        choices = [allowed(g[j], slopes[j], form.signs[subset[j]], g[size] / d) for j in range(size)]
        for choice in itertools.product(*choices):
            pattern = np.zeros(m, dtype=bool)
            pattern[on] = True
            pattern[list(subset)] = choice
            found.append(pattern)
    return np.array(found, dtype=bool).reshape(len(found), m), max(reaches, default=None)


def exact_table(form: ExactForm, direction: Sequence[int], subset: tuple[int, ...]) -> list[list[Fraction]] | None:
    """a_k, g and l as rational affine functions of (a_i, i ∈ I; t), the constant last; None where the units have no line."""
    r, size = form.inputs, len(subset)
    gradients = fmpz_mat(size, r, [e for i in subset for e in form.units[i][:-1]])
    rank = gradients.rank() if size else 0
    if rank < size:
        if fmpz_mat([list(form.units[i]) for i in subset]).rank() > rank:
            return None
        raise NotApplicable("units share more than a line")
    axis = next(j for j in range(r) if square(form, subset, j).rank() == r)
    inverse = fmpq_mat(square(form, subset, axis)).inv()
    to_x = [[inverse[i, j] for j in range(r)] for i in range(r)]
    origin = [-sum((to_x[i][j] * form.units[k][-1] for j, k in enumerate(subset)), start=0 * inverse[0, 0]) for i in range(r)]
    homogeneous = fmpq_mat(r + 1, r + 1, [e for row, p in zip(to_x, origin, strict=True) for e in (*row, p)] + [0] * r + [1])
    rows = [*form.units, (*direction, 0), form.affine]
    product = fmpq_mat(fmpz_mat([list(row) for row in rows])) * homogeneous
    return [[Fraction(int(product[i, j].p), int(product[i, j].q)) for j in range(r + 1)] for i in range(len(rows))]


def square(form: ExactForm, subset: tuple[int, ...], axis: int) -> fmpz_mat:
    """The gradients of the units of I and of one coordinate."""
    rows = [list(form.units[i][:-1]) for i in subset]
    return fmpz_mat([*rows, [int(j == axis) for j in range(form.inputs)]])


def segments(breakpoints: Sequence[Fraction]) -> Iterator[tuple[Fraction | None, Fraction | None]]:
    """The intervals between breakpoints; None is infinity."""
    ends: list[Fraction | None] = [None, *sorted(set(breakpoints)), None]
    return itertools.pairwise(ends)


def between(low: Fraction | None, high: Fraction | None) -> Fraction:
    """Some number in the interval."""
    if low is None:
        return Fraction(0) if high is None else high - 1
    return low + 1 if high is None else (low + high) / 2


def zero_between(c: Fraction, d: Fraction, low: Fraction | None, high: Fraction | None) -> Fraction | None:
    """The zero of c + d·t in an open interval; NotApplicable where it lies on the end of it or is no single point."""
    if not d:
        if not c:
            raise NotApplicable("f is 0 on a segment")
        return None
    at = -c / d
    if at in (low, high):
        raise NotApplicable("one more unit vanishes at a vertex")
    return at if (low is None or low < at) and (high is None or at < high) else None


def allowed(g: Fraction, f: Fraction, s: int, slope: Fraction) -> list[bool]:
    """In which of the two states, inactive and active, a unit of I may be for the vertex to be the lowest."""
    inactive, active = g - slope * f, g - slope * (f + s)
    if not inactive or not active:
        raise NotApplicable("the direction is not generic")
    return [state for state, ok in ((False, inactive < 0), (True, active > 0)) if ok]
