"""That rows contradict each other, or bound f, where a file names the rows and not their multipliers.

A claim is 0 = b + Σ z_j c_j for some z_j ≥ 0, z_j ≤ 1 for the shares of units: b and the c_j are given by the signs of a leaf
and the rows that it names. Where these are as many as there are coordinates, floats find the z_j and how far they may be off;
other claims, and those that floats leave in doubt, are decided in integers.
"""

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from flint import fmpz_mat
from numpy.typing import NDArray

from lpnet.checker.lines import U, inverses
from lpnet.checker.question import Form, NormalForm, Spend

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
SMALL = 1e-300  # U · SMALL is more than what underflow can do
FLOATS = 1 << 10  # coordinates: with more, inverses would take too much memory


class Claims(NamedTuple):
    """Claims about leaves: side: 0 (no point), −1 (f ≥ 0), +1 (f < 0), (n,); fixed, active: units, (n, m); rows: the numbers of
    units, inequalities and the constant 1, then those of units with a share, `none` after the last, (n, W); full: units with a
    share of 1, (n, m).
    """

    side: NDArray[np.int8]
    fixed: Bools
    active: Bools
    rows: NDArray[np.int64]
    full: Bools

    def take(self, chosen: object) -> "Claims":
        """Some of them."""
        return Claims(*(array[chosen] for array in self))  # type: ignore[call-overload]


class Supports:
    """The forms that claims are about, in floats: each row divided by a power of two, f by another.

    forms: of the units and the inequalities, 1, in integers and independent coordinates; chords: of the units, where D is
    bounded, times `denominator`.
    """

    def __init__(self, form: NormalForm, inputs: list[int], chords: list[Form] | None, denominator: int, spend: Spend) -> None:
        self.form, self.units, self.outputs = form, len(form.units), np.array(form.signs, dtype=np.int8)
        self.inputs, self.denominator = [*inputs, len(form.affine) - 1], denominator
        self.rows = [self.cut(h) for h in (*form.units, *form.walls, (0,) * (len(form.affine) - 1) + (1,))]
        self.chords = None if chords is None else [self.cut(h) for h in chords]
        self.affine, self.size = self.cut(form.affine), len(self.inputs)
        self.none = len(self.rows) + self.units
        columns = [sum(map(abs, column)).bit_length() for column in zip(self.affine, *self.rows, strict=True)]
        shifts = [max(columns) - bits for bits in columns]
        entries = (len(self.rows) + self.units + 1) * self.size
        spend(entries * (4 + (2 * max(columns) + denominator.bit_length()) // 500))
        rows = [scaled(h, shifts) for h in self.rows]
        bits = [sum(map(abs, h)).bit_length() for h in rows]
        affine = scaled(self.affine, shifts)
        common = max([*bits[: self.units], sum(map(abs, affine)).bit_length()])
        self.table = np.array([floats(h, 1 << b) for h, b in zip(rows, bits, strict=True)])
        self.weights = np.ldexp(1.0, np.array(bits[: self.units], dtype=np.int64) - common)
        self.level = np.array(floats(affine, 1 << common))
        slopes = [floats(scaled(h, shifts), denominator << common) for h in self.chords or ()]
        self.slopes = np.array(slopes).reshape(-1, self.size) if slopes else np.zeros((self.units, self.size))
        with np.errstate(all="ignore"):  # what is no number is never certain
            parts = np.abs(self.level) + self.weights @ np.abs(self.table[: self.units]) + np.abs(self.slopes).sum(axis=0)
            self.error = 4 * (self.units + 8) * U * (parts + SMALL)

    def cut(self, form: Form) -> Form:
        """A form in the independent coordinates."""
        return tuple([form[j] for j in self.inputs])

    def allowed(self, claims: Claims) -> Bools:
        """Whether claims name only rows whose signs are fixed, and shares of units that are free and bend the right way."""
        known = np.ones((len(claims.side), self.none + 1), dtype=np.bool_)
        bends = ~claims.fixed & (self.outputs == -claims.side[:, None])
        known[:, : self.units] = claims.fixed
        known[:, len(self.rows) : self.none] = bends & ~claims.full
        wanted = ~claims.fixed & (self.outputs == claims.side[:, None])
        rows = np.minimum(claims.rows, self.none)
        fine = np.take_along_axis(known, rows, axis=1).all(axis=1) & ~(claims.full & ~bends).any(axis=1)
        return fine & (~wanted.any(axis=1) if self.chords is None else True)

    def certain(self, claims: Claims) -> Bools:
        """Whether claims hold beyond doubt.

        With C the matrix of the c_j, if E = I − C X has |E| ≤ ε < 1 as a sum of each column, then 0 = b + z C has one solution,
        and a float z is off by at most y + ε/(1 − ε) max y, y = |r| |X|, r = b + z C. Sums of n products err by at most n U /
        (1 − n U) of the sum of their absolute values; every such term is taken twice.
        """
        size = self.size
        count = size + (claims.side == 0)
        square = ((claims.rows < self.none) == (np.arange(claims.rows.shape[1]) < count[:, None])).all(axis=1)
        if size <= FLOATS:
            square[square] = self.certain_squares(claims.take(square))
        return np.asarray(square & (size <= FLOATS), dtype=np.bool_)

    def certain_squares(self, claims: Claims) -> Bools:
        """`certain` for claims that name as many rows as there are coordinates, and one more where side = 0."""
        n, size, rows, m = len(claims.side), self.size, claims.rows, self.units
        empty = claims.side == 0
        signs = np.ones((n, self.none), dtype=np.float64)
        signs[:, :m] = np.where(claims.active, 1.0, -1.0)
        signs[:, len(self.rows) :] = -1.0
        table = np.concatenate([self.table, self.table[:m]])
        named = np.minimum(rows, self.none - 1)
        columns = np.take_along_axis(signs, named, axis=1)[:, :, None] * table[named]
        base = self.base(claims)
        base[empty], error = columns[empty, 0], np.where(empty[:, None], U * (np.abs(columns[:, 0]) + SMALL), self.error)
        start = np.arange(size) + empty[:, None]
        c = np.take_along_axis(columns, start[:, :, None], axis=1)
        codes = np.take_along_axis(rows, start, axis=1)
        share = codes >= len(self.rows)
        upper = np.where(share, self.weights[np.where(share, codes - len(self.rows), 0)] if m else 0.0, np.inf)
        with np.errstate(all="ignore"):
            x, slack = inverses(c), 2 * (size + 8) * U
            reach, identity = np.abs(c) + SMALL, np.eye(size)
            epsilon = (np.abs(identity - c @ x) + slack * (reach @ np.abs(x) + identity)).sum(axis=1).max(axis=1)
            z = -(base[:, None, :] @ x)[:, 0]
            residual = np.abs(base + (z[:, None, :] @ c)[:, 0])
            residual += slack * (np.abs(base) + (np.abs(z)[:, None, :] @ reach)[:, 0]) + error
            y = ((2 * residual)[:, None, :] @ np.abs(x))[:, 0]
            off = y + 2 * epsilon[:, None] * y.max(axis=1, keepdims=True) + SMALL
            fine = (z > off) & (z + off < upper) & (np.abs(z) < 1e100)
            certain = (epsilon < 0.25) & fine.all(axis=1)
        of_f = (codes < len(self.rows)).sum(axis=1) > 1  # two hyperplanes, or one and a wall
        of_f |= ((codes >= m) & (codes < len(self.rows))).any(axis=1)
        return np.asarray(certain & (of_f | (claims.side <= 0)), dtype=np.bool_)

    def base(self, claims: Claims) -> Floats:
        """side · f with chords for the units that bend it upwards and full shares of others, affine on a leaf; (n, D)."""
        side = claims.side[:, None].astype(np.float64)
        factors = (side * self.outputs * claims.active - claims.full) * self.weights
        wanted = ~claims.fixed & (self.outputs == claims.side[:, None])
        with np.errstate(all="ignore"):
            return side * self.level + factors @ self.table[: self.units] + wanted @ self.slopes

    def exactly(self, claim: Claims) -> bool:
        """Whether a single claim, of arrays without their first axis, holds."""
        active, numbers, side = claim.active.tolist(), claim.rows[claim.rows < self.none].tolist(), int(claim.side)
        vectors = [self.column(number, active) for number in numbers]
        if side:
            vectors.insert(0, self.exact_base(side, claim))
        elif not vectors:
            return False
        kernel, nullity = fmpz_mat(vectors).transpose().nullspace()
        z = [int(kernel[j, 0]) for j in range(len(vectors))] if nullity == 1 else [0]
        shares = [Fraction(entry, z[0]) for entry in z[1:]] if z[0] else [Fraction(-1)]
        if any(share < 0 for share in shares):
            return False
        if not side:
            return True
        if any(number >= len(self.rows) and share > 1 for number, share in zip(numbers, shares, strict=True)):
            return False
        parts = [number for number, share in zip(numbers, shares, strict=True) if share and number < len(self.rows)]
        return side < 0 or len(parts) > 1 or any(number >= self.units for number in parts)

    def column(self, number: int, active: Sequence[bool]) -> list[int]:
        """c_j for a row, or the share of a unit."""
        if number >= len(self.rows):
            return [-self.denominator * entry for entry in self.rows[number - len(self.rows)]]
        turn = -1 if number < self.units and not active[number] else 1
        return [turn * entry for entry in self.rows[number]]

    def exact_base(self, side: int, claim: Claims) -> list[int]:
        """`base` in integers, times `denominator`."""
        total = list(self.affine)
        for k in np.flatnonzero(claim.active).tolist():
            total = [e + self.form.signs[k] * a for e, a in zip(total, self.rows[k], strict=True)]
        total = [side * e for e in total]
        for k in np.flatnonzero(claim.full).tolist():
            total = [e - a for e, a in zip(total, self.rows[k], strict=True)]
        total = [self.denominator * e for e in total]
        if self.chords is not None:
            for k in np.flatnonzero(~claim.fixed & (self.outputs == side)).tolist():
                total = [e + a for e, a in zip(total, self.chords[k], strict=True)]
        return total


def scaled(form: Form, shifts: Sequence[int]) -> Form:
    """A form in other units of length."""
    return tuple([entry << shift for entry, shift in zip(form, shifts, strict=True)])


def floats(form: Form, divisor: int) -> list[float]:
    """The entries divided, each to the nearest float; NaN beyond their range."""
    try:
        return [entry / divisor for entry in form]
    except OverflowError:
        return [np.nan] * len(form)
