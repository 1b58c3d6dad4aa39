"""Lines of the vertex engine in rationals, and plainly: for those on which `line_kernel.line` is in doubt."""

import itertools
from collections.abc import Iterator, Sequence
from fractions import Fraction

import numpy as np
from flint import fmpq_mat, fmpz_mat
from numpy.typing import NDArray

from lpnet.boundary.pieces import NotApplicable
from lpnet.exact import sign
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
    found, reaches = [], []
    for on, choices, height in exact_vertices(form, direction, subset):
        reaches.append(bits(height))
        for choice in itertools.product(*choices):
            pattern = np.zeros(len(form.units), dtype=bool)
            pattern[on] = True
            pattern[list(subset)] = choice
            found.append(pattern)
    return np.array(found, dtype=bool).reshape(len(found), len(form.units)), max(reaches, default=None)


def exact_vertices(
    form: ExactForm, direction: Sequence[int], subset: tuple[int, ...]
) -> Iterator[tuple[list[int], list[list[bool]], Fraction]]:
    """The vertices on a line: the active units beside I, the states of each of I in which it can be the lowest, and g there."""
    m, size = len(form.units), len(subset)
    table = exact_table(form, direction, subset)
    if table is None:
        return
    *units, g, affine, scale = table
    others = [k for k in range(m) if k not in subset]
    if any(not units[k][size] and not units[k][size + 1] for k in others):
        raise NotApplicable("a unit vanishes on a line of others")
    breakpoints = {k: Fraction(-units[k][size + 1], units[k][size]) for k in others if units[k][size]}
    on = {k for k in others if units[k][size] < 0 or (not units[k][size] and units[k][size + 1] > 0)}
    d, c = (affine[j] + sum(form.signs[k] * units[k][j] for k in on) for j in (size, size + 1))
    low: Fraction | None = None
    for high, turning in (*at_once(breakpoints), (None, [])):
        at = zero_between(c, d, low, high)
        if at is not None:
            slopes = [affine[j] + sum(form.signs[k] * units[k][j] for k in on) for j in range(size)]
            bends = [form.signs[i] * scale[0] for i in subset]
            choices = [allowed(g[j] * d, slopes[j], bends[j], g[size], sign(d)) for j in range(size)]
            yield sorted(on), choices, (g[-1] + at * g[size]) / scale[0]
        on ^= set(turning)
        for k in turning:
            step = form.signs[k] * sign(units[k][size])
            d, c = d + step * units[k][size], c + step * units[k][size + 1]
        low = high


def exact_table(form: ExactForm, direction: Sequence[int], subset: tuple[int, ...]) -> list[list[int]] | None:
    """a_k, g and l as affine functions of (a_i, i ∈ I; t), the constant last, times the positive number that is the last row.

    None where the units have no line.
    """
    r, size = form.inputs, len(subset)
    gradients = fmpz_mat(size, r, [e for i in subset for e in form.units[i][:-1]])
    rank = gradients.rank() if size else 0
    if rank < size:
        if fmpz_mat([list(form.units[i]) for i in subset]).rank() > rank:
            return None
        raise NotApplicable("units share more than a line")
    axis = next(j for j in range(r) if square(form, subset, j).rank() == r)
    inverse, scale = fmpq_mat(square(form, subset, axis)).inv().numer_denom()
    constants = fmpz_mat(r, 1, [form.units[i][-1] for i in subset] + [0])
    origin = -(inverse * constants)
    homogeneous = [[*(inverse[i, j] for j in range(r)), origin[i, 0]] for i in range(r)] + [[0] * r + [scale]]
    rows = [*form.units, (*direction, 0), form.affine]
    product = fmpz_mat([list(row) for row in rows]) * fmpz_mat(homogeneous)
    return [[int(product[i, j]) for j in range(r + 1)] for i in range(len(rows))] + [[int(scale)]]


def square(form: ExactForm, subset: tuple[int, ...], axis: int) -> fmpz_mat:
    """The gradients of the units of I and of one coordinate."""
    rows = [list(form.units[i][:-1]) for i in subset]
    return fmpz_mat([*rows, [int(j == axis) for j in range(form.inputs)]])


def at_once(breakpoints: dict[int, Fraction]) -> Iterator[tuple[Fraction, list[int]]]:
    """The breakpoints in order, each with the units that have it."""
    for place, units in itertools.groupby(sorted(breakpoints, key=breakpoints.__getitem__), key=breakpoints.__getitem__):
        yield place, list(units)


def zero_between(c: int, d: int, low: Fraction | None, high: Fraction | None) -> Fraction | None:
    """The zero of c + d·t in an open interval; NotApplicable where it lies on the end of it or is no single point."""
    if not d:
        if not c:
            raise NotApplicable("f is 0 on a segment")
        return None
    at = Fraction(-c, d)
    if at in (low, high):
        raise NotApplicable("one more unit vanishes at a vertex")
    return at if (low is None or low < at) and (high is None or at < high) else None


def allowed(g: int, f: int, bend: int, slope: int, side: int) -> list[bool]:
    """In which of the two states, inactive and active, a unit of I may be for the vertex to be the lowest.

    g: G_i D; f: F_i; bend: s_i; slope: G_t; side: the sign of D.
    """
    inactive, active = side * (g - slope * f), side * (g - slope * (f + bend))
    if not inactive or not active:
        raise NotApplicable("the direction is not generic")
    return [state for state, ok in ((False, inactive < 0), (True, active > 0)) if ok]
