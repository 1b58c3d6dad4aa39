"""Bounds over a box: what the inequalities of a node leave of D's bounds, and affine functions below and above f there.

In floats, every one with a bound on what it is off by. Sums of p products err by at most 2 (p + 2) U of the sum of their sizes
(Higham 2002, §3.1, with room for the rounding of that bound), and entries that are too small for floats by TINY each.
"""

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lpnet.checker.deep_form import DeepForm
from lpnet.checker.question import Form, bounds

Floats = NDArray[np.float64]
U, TINY = 2.0**-53, 2.0**-1000
MARGIN = 2.0**-28  # of the size of a bound on f, by which it is to hold
EVEN = (
    1 + 2.0**-20
)  # times −l, up to which u counts as no more than that: the search has to come to the same, whatever rounding
SMALLEST = 1e-9  # the share of a row in one input, from which on it is used to bound that


class Box(NamedTuple):
    """Bounds of the scaled inputs and of 1, d + 1 each."""

    low: list[float]
    high: list[float]

    def parts(self, row: Sequence[float]) -> tuple[list[float], float]:
        """The most that each r_j y_j can be, and what all such sums together may be off by; r is off by U of each, or TINY."""
        most = [r * (high if r > 0 else low) for r, low, high in zip(row, self.low, self.high, strict=True)]
        reach = [max(abs(low), abs(high)) for low, high in zip(self.low, self.high, strict=True)]
        size = len(row)
        magnitude = sum(abs(r) * far for r, far in zip(row, reach, strict=True))
        return most, 2 * (size + 4) * U * magnitude + size * TINY * (1 + sum(reach))

    def excludes(self, row: Sequence[float]) -> bool:
        """Whether r · y < 0 all over the box."""
        most, slack = self.parts(row)
        return sum(most) + slack < 0

    def cut(self, row: Sequence[float]) -> "Box":
        """What is left of it where r · y ≥ 0: that bounds r_j y_j below by what is left at the ends of the others."""
        most, slack = self.parts(row)
        total, low, high = sum(most) + slack, list(self.low), list(self.high)
        for j, (r, best) in enumerate(zip(row[:-1], most, strict=False)):
            if abs(r) > SMALLEST:
                end = (best - total) / r
                if r > 0:
                    low[j] = max(low[j], end - 4 * U * abs(end))
                else:
                    high[j] = min(high[j], end + 4 * U * abs(end))
        return Box(low, high)

    def least(self, rows: Floats, errors: Floats) -> Floats:
        """Lower bounds of rows · y, the rows off by the errors; (n, d + 1) → (n,)."""
        low, high = np.array(self.low), np.array(self.high)
        ends = np.where(rows > 0, rows * low, rows * high)
        size = rows.shape[-1]
        missing = (np.abs(rows) * (2 * (size + 4) * U) + errors) @ np.maximum(np.abs(low), np.abs(high))
        return np.asarray(ends.sum(axis=-1) - 1.01 * missing - TINY)

    def size(self, row: Floats) -> float:
        """Σ |r_j y_j| at most, rounded."""
        return float(np.abs(row) @ np.maximum(np.abs(self.low), np.abs(self.high)))


class Relaxation:
    """f and its units in floats, each divided by a power of two, of inputs scaled likewise, on a bounded D; `box`: D's bounds.

    Raises ValueError where D has no bounds.
    """

    def __init__(self, form: DeepForm) -> None:
        lower, upper = bounds(len(form.affine) - 1, [*form.walls, *form.implied])
        if None in lower or None in upper:
            raise ValueError("a bound over a box, on a domain that is in none")
        pairs = [(low, high) for low, high in zip(lower, upper, strict=True) if low is not None and high is not None]
        self.shifts = [scale(max(abs(low), abs(high))) for low, high in pairs] + [0]
        self.box = Box(
            [*(outwards(low, -s, -1) for (low, _), s in zip(pairs, self.shifts, strict=False)), 1.0],
            [*(outwards(high, -s, 1) for (_, high), s in zip(pairs, self.shifts, strict=False)), 1.0],
        )
        self.form = form
        sizes: list[int] = []
        for a, links in zip(form.units, form.links, strict=True):
            sizes.append(max([length(self.scaled(a)), *(abs(c).bit_length() + sizes[j] for j, c in links)]))
        self.sizes = sizes
        self.base = np.array([divided(self.scaled(a), bits) for a, bits in zip(form.units, sizes, strict=True)])
        self.base = self.base.reshape(len(sizes), len(form.affine))
        self.factors = [np.zeros((len(level), len(read))) for level, read in zip(form.levels, form.read, strict=True)]
        for level, read, factors in zip(form.levels, form.read, self.factors, strict=True):
            number = {j: column for column, j in enumerate(read)}
            for row, k in enumerate(level):
                for j, c in form.links[k]:
                    factors[row, number[j]] = ratio(c, sizes[j] - sizes[k])
        self.outputs: dict[int | None, tuple[Floats, Floats]] = {}

    def output(self, score: int | None) -> tuple[Floats, Floats]:
        """l and the w_k of f, or of a score, each divided by the same power of two."""
        if score not in self.outputs:
            affine, given = (self.form.affine, self.form.weights) if score is None else self.form.scores[score]
            used = [(k, w) for k, w in enumerate(given) if w]
            common = max([length(self.scaled(affine)), *(abs(w).bit_length() + self.sizes[k] for k, w in used)])
            weights = np.zeros(len(self.sizes))
            for k, w in used:
                weights[k] = ratio(w, self.sizes[k] - common)
            self.outputs[score] = divided(self.scaled(affine), common), weights
        return self.outputs[score]

    def scaled(self, form: Form) -> Form:
        """A form of the scaled inputs, times a power of two."""
        least = min(self.shifts)
        return tuple(entry << (s - least) for entry, s in zip(form, self.shifts, strict=True))

    def row(self, form: Form) -> list[float]:
        """A form divided by a power of two, so that it is of about size 1."""
        moved = self.scaled(form)
        one = 1 << length(moved)
        return [entry / one for entry in moved]

    def of_units(self, first: int, rows: Sequence[Form]) -> Floats:
        """The z_k from unit `first` on, on a node where they are these rows."""
        made = [divided(self.scaled(h), bits) for h, bits in zip(rows, self.sizes[first:], strict=False)]
        return np.array(made).reshape(len(made), len(self.shifts))

    def above(
        self, side: int, known: Floats, signs: NDArray[np.int8], box: Box, score: int | None = None
    ) -> tuple[Floats, float]:
        """An affine function of y and a number that together are ≥ side · f on a box where the first z_k are these rows.

        side · f = side · (l + Σ w_k R(z_k)), and every R(z_k) lies between affine functions: it is 0 or z_k, where the sign of
        z_k is known or the box tells it; else, for l ≤ z_k ≤ u there, from below 0, or z_k where u is more than −l, and from
        above the chord α z_k + β, α = u / (u − l), β = max(−α l, (1 − α) u).
        """
        size, m = len(self.shifts), len(self.sizes)
        low, up, error = np.zeros((3, m, size))
        for level, before, factors in zip(self.form.levels, self.form.read, self.factors, strict=True):
            part = slice(level.start, level.stop)
            if level.start < len(known):
                low[part] = up[part] = known[part]
                error[part] = U * np.abs(known[part]) + TINY
            else:
                rising, falling, reach = np.maximum(factors, 0), np.minimum(factors, 0), np.abs(factors)
                low[part] = self.base[part] + rising @ low[before] + falling @ up[before]
                up[part] = self.base[part] + rising @ up[before] + falling @ low[before]
                most = np.abs(self.base[part]) + reach @ np.maximum(np.abs(low[before]), np.abs(up[before])) + size * TINY
                error[part] = 1.01 * (reach @ error[before] + 2 * (level.start + 6) * U * most + (level.start + 1) * TINY)
            self.bend(low, up, error, part, signs, box)
        affine, given = self.output(score)
        weights = side * given
        bound = np.where(weights[:, None] > 0, up, low)
        reach = np.abs(weights)
        base = side * affine + weights @ bound
        most = np.abs(affine) + reach @ np.abs(bound) + m * TINY
        doubt = 1.01 * (reach @ error + 2 * (m + 6) * U * most + (m + 1) * TINY)
        return base, 1.02 * box.size(doubt) + TINY

    def bend(self, low: Floats, up: Floats, error: Floats, part: slice, signs: NDArray[np.int8], box: Box) -> None:
        """From bounds of z_k to those of R(z_k), for the units of a level, in their place."""
        below, above, off, fixed = low[part], up[part], error[part], signs[part]
        bottom, top = box.least(below, off), -box.least(-above, off)
        off_units = (fixed < 0) | ((fixed == 0) & (top <= 0))
        below[off_units] = above[off_units] = off[off_units] = 0.0
        bent = np.flatnonzero((fixed == 0) & (top > 0) & (bottom < 0))
        below[bent[top[bent] <= -EVEN * bottom[bent]]] = 0.0
        bottom, top = bottom[bent], top[bent]
        slope = np.minimum(top / (top - bottom), 1.0)
        height = np.maximum(-slope * bottom, (1 - slope) * top) * (1 + 16 * U) + TINY
        above[bent] *= slope[:, None]
        off[bent] += 2 * U * np.abs(above[bent]) + TINY
        above[bent, -1] += height
        off[bent, -1] += 4 * U * np.abs(above[bent, -1])


def bounded(base: Floats, off: float, columns: Floats, box: Box) -> bool:
    """Whether base · y + off < 0 on a box where all columns · y ≥ 0, by some multiples of these (n, d + 1)."""
    size = len(base)
    room = off + MARGIN * box.size(base)
    total, errors = base.copy(), np.zeros(size)

    def negative(errors: Floats) -> bool:
        """Whether the total is, where its entries are off by so much."""
        return bool(-box.least(-total[None], errors[None])[0] + 1.01 * off < 0)

    if len(columns):
        wanted = base.copy()
        wanted[-1] += room
        z = np.maximum(np.linalg.lstsq(columns.T, -wanted, rcond=None)[0], 0.0)
        if not np.isfinite(z).all():
            return False
        total = base + z @ columns
        most = np.abs(base) + z @ np.abs(columns)
        tiny = (len(columns) + 1) * TINY * (1 + z.sum())
        errors = 2 * (len(columns) + 6) * U * most + tiny
        if not negative(errors) and negative(0 * errors):  # on a sliver z is large: what the columns are off by is left
            terms = ((x, zip(z, column, strict=True)) for x, column in zip(base, columns.T, strict=True))
            exact = (Fraction(x) + sum(Fraction(a) * Fraction(b) for a, b in products) for x, products in terms)
            total = np.array([*map(float, exact)])
            errors = 2 * U * (most + np.abs(total)) + tiny
    return negative(errors)


def scale(size: object) -> int:
    """The power of two, as an exponent, at about a rational number."""
    return size.numerator.bit_length() - size.denominator.bit_length() if size else 0  # type: ignore[attr-defined]


def outwards(number: object, exponent: int, side: int) -> float:
    """number · 2^exponent as a float on one side of it."""
    p, q = number.numerator << max(exponent, 0), number.denominator << max(-exponent, 0)  # type: ignore[attr-defined]
    return float(np.nextafter(p / q, side * np.inf))


def length(form: Form) -> int:
    """The bits of the largest entry, 1 at least."""
    return max(1, *(abs(entry).bit_length() for entry in form))


def divided(form: Form, bits: int) -> Floats:
    """The entries over 2^bits, each to the nearest float."""
    return np.array([entry / (1 << bits) for entry in form])


def ratio(number: int, exponent: int) -> float:
    """number · 2^exponent, to the nearest float; OverflowError beyond their range."""
    return (number << exponent) / 1 if exponent >= 0 else number / (1 << -exponent)
