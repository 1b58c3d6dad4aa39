"""Bounds over a box: what the inequalities of a node leave of D's bounds, and affine functions below and above f there.

In floats, every one with a bound on what it is off by. Sums of p products err by at most 2 (p + 2) U of the sum of their sizes
(Higham 2002, §3.1, with room for the rounding of that bound), and entries that are too small for floats by TINY each.
"""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any, NamedTuple

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


class Boxes(NamedTuple):
    """Bounds of the scaled inputs and of 1, d + 1 each, of so many boxes: (N, d + 1)."""

    low: Floats
    high: Floats

    def of(self, numbers: Any) -> "Boxes":
        """Some of them."""
        return Boxes(self.low[numbers], self.high[numbers])

    @property
    def reach(self) -> Floats:
        """The largest size of each input."""
        return np.maximum(np.abs(self.low), np.abs(self.high))

    def parts(self, rows: Floats) -> tuple[Floats, Floats]:
        """The most that each r_j y_j can be, and what all such sums together may be off by; r is off by U of each, or TINY."""
        reach, size = self.reach, rows.shape[-1]
        slack = 2 * (size + 4) * U * (np.abs(rows) * reach).sum(axis=1) + size * TINY * (1 + reach.sum(axis=1))
        return rows * np.where(rows > 0, self.high, self.low), slack

    def exclude(self, rows: Floats) -> NDArray[np.bool_]:
        """Whether r · y < 0 all over each box, for its row."""
        most, slack = self.parts(rows)
        return np.asarray(most.sum(axis=1) + slack < 0)

    def cut(self, rows: Floats) -> "Boxes":
        """What is left of each where r · y ≥ 0: that bounds r_j y_j below by what is left at the ends of the others."""
        most, slack = self.parts(rows)
        total, used = most.sum(axis=1) + slack, np.abs(rows) > SMALLEST
        used[:, -1] = False
        end = (most - total[:, None]) / np.where(used, rows, 1.0)
        low = np.where(used & (rows > 0), np.maximum(self.low, end - 4 * U * np.abs(end)), self.low)
        return Boxes(low, np.where(used & (rows < 0), np.minimum(self.high, end + 4 * U * np.abs(end)), self.high))

    def least(self, rows: Floats, errors: Floats) -> Floats:
        """Lower bounds of rows · y, the rows off by the errors, some for each box; (N, n, d + 1) → (N, n)."""
        ends = rows * np.where(rows > 0, self.low[:, None], self.high[:, None])
        missing = (np.abs(rows) * (2 * (rows.shape[-1] + 4) * U) + errors) @ self.reach[:, :, None]
        return np.asarray(ends.sum(axis=-1) - 1.01 * missing[:, :, 0] - TINY)

    def sizes(self, rows: Floats) -> Floats:
        """Σ |r_j y_j| at most, rounded, of a row for each."""
        return np.asarray((np.abs(rows) * self.reach).sum(axis=1))


class Relaxation:
    """f and its units in floats, each divided by a power of two, of inputs scaled likewise, on a bounded D; `box`: D's bounds.

    Raises ValueError where D has no bounds.
    """

    def __init__(self, form: DeepForm) -> None:
        lower, upper = bounds(len(form.affine) - 1, [*form.walls, *form.implied])
        pairs = [(low, high) for low, high in zip(lower, upper, strict=True) if low is not None and high is not None]
        if len(pairs) < len(lower):
            raise ValueError("a bound over a box, on a domain that is in none")
        self.shifts = shifts(form)
        low = [*(outwards(low, -s, -1) for (low, _), s in zip(pairs, self.shifts, strict=False)), 1.0]
        high = [*(outwards(high, -s, 1) for (_, high), s in zip(pairs, self.shifts, strict=False)), 1.0]
        self.box = Boxes(np.array([low]), np.array([high]))
        self.form = form
        sizes: list[int] = []
        for a, links in zip(form.units, form.links, strict=True):
            sizes.append(max([length(self.scaled(a)), *(abs(c).bit_length() + sizes[j] for j, c in links)]))
        self.sizes = sizes
        self.base = divided(form.units, self.shifts, sizes).reshape(len(sizes), len(form.affine))
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
            self.outputs[score] = divided([affine], self.shifts, [common])[0], weights
        return self.outputs[score]

    def scaled(self, form: Form) -> Form:
        """A form of the scaled inputs, times a power of two."""
        return scaled(form, self.shifts)

    def of_units(self, first: int, rows: Sequence[Form]) -> Floats:
        """The z_k from unit `first` on, on a node where they are these rows."""
        return divided(rows, self.shifts, self.sizes[first : first + len(rows)])

    def units(self, known: Floats, signs: NDArray[np.int8], boxes: Boxes) -> tuple[Floats, Floats, Floats]:
        """Affine functions of y below and above the R(z_k) on boxes where the first z_k are `known`, and what they are off by.

        Every R(z_k) is 0 or z_k, where the sign of z_k is known or the box tells it; else, for l ≤ z_k ≤ u there, from below 0,
        or z_k where u is more than −l, and from above the chord α z_k + β, α = u / (u − l), β = max(−α l, (1 − α) u).
        known: (N, units, d + 1); signs (N, m); the bounds (N, m, d + 1).
        """
        size, m = len(self.shifts), len(self.sizes)
        low, up, error = np.zeros((3, len(known), m, size))
        for level, read, factors in zip(self.form.levels, self.form.read, self.factors, strict=True):
            part, before = np.s_[:, level.start : level.stop], np.s_[:, np.array(read, dtype=np.intp)]
            if level.start < known.shape[1]:
                low[part] = up[part] = known[part]
                error[part] = U * np.abs(known[part]) + TINY
            else:
                base = self.base[level.start : level.stop]
                rising, falling, reach = np.maximum(factors, 0), np.minimum(factors, 0), np.abs(factors)
                low[part] = base + rising @ low[before] + falling @ up[before]
                up[part] = base + rising @ up[before] + falling @ low[before]
                most = np.abs(base) + reach @ np.maximum(np.abs(low[before]), np.abs(up[before])) + size * TINY
                error[part] = 1.01 * (reach @ error[before] + 2 * (level.start + 6) * U * most + (level.start + 1) * TINY)
            self.bend(low[part], up[part], error[part], signs[part], boxes)
        return low, up, error

    def above(
        self, side: int, low: Floats, up: Floats, error: Floats, boxes: Boxes, score: int | None = None
    ) -> tuple[Floats, Floats]:
        """Affine functions of y and numbers that together are ≥ side · f = side · (l + Σ w_k R(z_k)), the R(z_k) as in `units`.

        They are (N, d + 1) and (N,).
        """
        affine, given = self.output(score)
        weights, m = side * given, len(self.sizes)
        bound = np.where(weights[:, None] > 0, up, low)
        reach = np.abs(weights)
        base = side * affine + weights @ bound
        most = np.abs(affine) + reach @ np.abs(bound) + m * TINY
        doubt = 1.01 * (reach @ error + 2 * (m + 6) * U * most + (m + 1) * TINY)
        return base, 1.02 * boxes.sizes(doubt) + TINY

    def bend(self, below: Floats, above: Floats, off: Floats, fixed: NDArray[np.int8], boxes: Boxes) -> None:
        """From bounds of z_k to those of R(z_k), for the units of a level, in their place."""
        bottom, top = boxes.least(below, off), -boxes.least(-above, off)
        off_units = (fixed < 0) | ((fixed == 0) & (top <= 0))
        below[off_units] = above[off_units] = off[off_units] = 0.0
        bent = np.nonzero((fixed == 0) & ~(top <= 0) & ~(bottom >= 0))
        bottom, top = bottom[bent], top[bent]
        below[tuple(place[top <= -EVEN * bottom] for place in bent)] = 0.0
        slope = np.minimum(top / (top - bottom), 1.0)
        height = np.maximum(-slope * bottom, (1 - slope) * top) * (1 + 16 * U) + TINY
        chord, doubt = above[bent] * slope[:, None], off[bent]
        doubt += 2 * U * np.abs(chord) + TINY
        chord[:, -1] += height
        doubt[:, -1] += 4 * U * np.abs(chord[:, -1])
        above[bent], off[bent] = chord, doubt


def bounded(base: Floats, off: Floats, columns: Floats, boxes: Boxes) -> NDArray[np.bool_]:
    """On which boxes base · y + off < 0 where all columns · y ≥ 0, by some multiples of these.

    base (N, d + 1), off (N,), columns (N, n, d + 1).
    """

    def negative(total: Floats, errors: Floats) -> NDArray[np.bool_]:
        """Of which that is so for the totals, whose entries are off by so much."""
        return np.asarray(-boxes.least(-total[:, None], errors[:, None])[:, 0] + 1.01 * off < 0)

    if not columns.shape[1]:
        return negative(base, np.zeros_like(base))
    wanted = base.copy()
    wanted[:, -1] += off + MARGIN * boxes.sizes(base)
    with np.errstate(all="ignore"):
        z = np.maximum(-(wanted[:, None] @ np.linalg.pinv(columns))[:, 0], 0.0)
        total = base + (z[:, None] @ columns)[:, 0]
        most = np.abs(base) + (z[:, None] @ np.abs(columns))[:, 0]
        tiny = (columns.shape[1] + 1) * TINY * (1 + z.sum(axis=1, keepdims=True))
        fine = negative(total, 2 * (columns.shape[1] + 6) * U * most + tiny)
        sliver = ~fine & np.isfinite(z).all(axis=1) & negative(total, 0 * most)
        for k in np.flatnonzero(sliver):  # there z is large: what the columns are off by is left
            total[k] = exactly(base[k], z[k], columns[k])
        return fine | (sliver & negative(total, 2 * U * (most + np.abs(total)) + tiny))


def exactly(base: Floats, z: Floats, columns: Floats) -> list[float]:
    """base + z · columns, rounded once."""
    terms = ((x, zip(z, column, strict=True)) for x, column in zip(base, columns.T, strict=True))
    return [float(Fraction(x) + sum(Fraction(a) * Fraction(b) for a, b in products)) for x, products in terms]


def shifts(form: DeepForm) -> list[int]:
    """The powers of two, as exponents, by which inputs are divided, and 1 for what is constant: about the bounds of D."""
    lower, upper = bounds(len(form.affine) - 1, [*form.walls, *form.implied])
    ends = zip(lower, upper, strict=True)
    return [0 if low is None or high is None else scale(max(abs(low), abs(high))) for low, high in ends] + [0]


def scaled(form: Form, shifts: Sequence[int]) -> Form:
    """A form of the scaled inputs, times a power of two."""
    least = min(shifts)
    return tuple([entry << (s - least) for entry, s in zip(form, shifts, strict=True)]) if any(shifts) else form


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


def divided(rows: Sequence[Form], shifts: Sequence[int], bits: Sequence[int] | None = None) -> Floats:
    """The forms of the scaled inputs over 2^bits, one for each, every entry to the nearest float; without bits: of size 1."""
    moves = np.array(shifts) - min(shifts)
    try:
        made = np.array(rows, dtype=float).reshape(len(rows), len(shifts))
    except OverflowError:  # their quotients are floats
        moved = [scaled(row, shifts) for row in rows]
        each = bits or [*map(length, moved)]
        return np.array([[entry / (1 << b) for entry in row] for row, b in zip(moved, each, strict=True)])
    ends = np.max(np.frexp(made)[1] + moves, axis=1, where=made != 0, initial=0) if bits is None else np.array(bits, dtype=int)
    return np.asarray(np.ldexp(made, moves - ends.reshape(-1, 1)))


def ratio(number: int, exponent: int) -> float:
    """number · 2^exponent, to the nearest float; OverflowError beyond their range."""
    return (number << exponent) / 1 if exponent >= 0 else number / (1 << -exponent)
