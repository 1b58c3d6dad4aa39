"""Circuits: the smallest sets of forms that contradict each other, found once and then recognised wherever they recur.

Forms h_i with Σ λ_i σ_i h_i = 0, all λ_i > 0, take the signs σ_i nowhere together. ISF (Dussault, Gilbert &
Plaquevent-Jourdain, Math. Prog. Comp. 2025) calls σ a stem vector and reads it off the dual of an infeasible program.
"""

from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from flint import fmpz_mat
from numpy.typing import NDArray

from lpnet.exact import Form, primitive, sign, times

GROWTH = 1.05  # of the pool before it is packed anew
Signed = tuple[tuple[int, int], ...]


def dependency(vectors: Sequence[Form]) -> list[int] | None:
    """The integers z with Σ z_j v_j = 0, z_0 > 0 or the first of them not 0 positive, if there is just one such line of z."""
    kernel, nullity = fmpz_mat([list(v) for v in vectors]).transpose().nullspace()
    if nullity != 1:
        return None
    found = primitive([int(kernel[row, 0]) for row in range(len(vectors))])
    return list(times(next(sign(z) for z in found if z), found))


def contradiction(rows: Sequence[Form], signs: Any, support: Sequence[int]) -> list[int]:
    """Those of the rows in a support whose signs contradict each other, exactly; none where they are not seen to."""
    multipliers = dependency([times(int(signs[row]), rows[row]) for row in support])
    if multipliers is None or min(multipliers) < 0:
        return []
    return [row for row, z in zip(support, multipliers, strict=True) if z]


def combination(target: Form, vectors: Sequence[Form]) -> list[Fraction] | None:
    """The rationals z with target + Σ z_j v_j = 0 if the vectors are independent and such z exist."""
    found = dependency([target, *vectors])
    return [Fraction(z, found[0]) for z in found[1:]] if found and found[0] else None


class StemPool:
    """The stem vectors known so far, as bit masks over the units.

    A stem that involves no inequality of the domain holds with all its signs reversed too.
    """

    def __init__(self, units: int) -> None:
        self.units = units
        self.known: dict[Signed, tuple[int, ...]] = {}
        self.packed: list[Signed] = []
        self._arrays = self._pack()

    def add(self, circuit: Iterable[tuple[int, int]]) -> None:
        """Note the signs (row, σ) of a circuit; rows from `units` on are inequalities that always hold."""
        circuit = list(circuit)
        signs = tuple(sorted((row, side) for row, side in circuit if row < self.units))
        rows = tuple(row for row, _ in circuit)
        self.known[signs] = rows
        if len(signs) == len(circuit):
            self.known[tuple((row, -side) for row, side in signs)] = rows

    def arrays(self) -> tuple[NDArray[np.uint64], NDArray[np.uint64], NDArray[np.int64], NDArray[np.int64]]:
        """The masks of the units wanted positive and negative, (count, words), and which stems want unit k on side ±1:
        items[start[2k]:start[2k+1]] (−1) and items[start[2k+1]:start[2k+2]] (+1). The very latest may be missing.
        """
        if len(self.known) > GROWTH * len(self.packed):
            self._arrays = self._pack()
        return self._arrays

    def rows(self, stem: int) -> tuple[int, ...]:
        """The rows of a stem by its number in the arrays last asked for."""
        return self.known[self.packed[stem]]

    def _pack(self) -> tuple[NDArray[np.uint64], NDArray[np.uint64], NDArray[np.int64], NDArray[np.int64]]:
        self.packed = sorted(self.known, key=len)
        table = np.zeros((len(self.known), self.units), dtype=np.int8)
        for row, stem in enumerate(self.packed):
            for unit, side in stem:
                table[row, unit] = side
        wants = np.stack([table < 0, table > 0], axis=2).reshape(len(table), 2 * self.units)
        bucket, items = np.nonzero(wants.T)
        start = np.searchsorted(bucket, np.arange(2 * self.units + 1)).astype(np.int64)
        return masks(table > 0), masks(table < 0), start, items.astype(np.int64)


def masks(members: NDArray[np.bool_]) -> NDArray[np.uint64]:
    """Rows of Booleans as rows of 64-bit words, the first in the lowest bit; (count, units) → (count, words)."""
    count, units = members.shape
    words = max(1, -(-units // 64))
    padded = np.zeros((count, 64 * words), dtype=bool)
    padded[:, :units] = members
    return np.packbits(padded, axis=1, bitorder="little").view("<u8").reshape(count, words).astype(np.uint64)
