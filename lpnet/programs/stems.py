"""Circuits: the smallest sets of forms that contradict each other, found once and then recognised wherever they recur.

Forms h_i with Σ λ_i σ_i h_i = 0, all λ_i > 0, take the signs σ_i nowhere together. ISF (Dussault, Gilbert &
Plaquevent-Jourdain, Math. Prog. Comp. 2025) calls σ a stem vector and reads it off the dual of an infeasible program.
"""

from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
from flint import fmpz_mat
from numpy.typing import NDArray

from lpnet.exact import Form, primitive, sign, times

Signed = tuple[tuple[int, int], ...]
Numbers = NDArray[np.int64]


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


class Stems(NamedTuple):
    """Signs that no point has, for compiled code.

    masks: of unit k on side −1 and +1 the stems that want it, at 2k and 2k + 1: bits of the units they want positive, then of
    those they want negative (2 · units, room, 2 · words); numbers: of these stems (2 · units, room), counts: how many there are
    (2 · units,); rows: of each stem those that contradict each other, −1 after the last (stems, size).
    """

    masks: NDArray[np.uint64]
    numbers: Numbers
    counts: Numbers
    rows: Numbers


class StemPool:
    """The stem vectors known so far, for so many units, from circuits no longer than `size`.

    A stem that involves no inequality of the domain holds with all its signs reversed too.
    """

    def __init__(self, units: int, size: int) -> None:
        self.known: set[Signed] = set()
        masks = np.zeros((2 * units, 1, 2 * max(1, -(-units // 64))), np.uint64)
        counts, rows = np.zeros(2 * units, np.int64), np.zeros((1, size), np.int64)
        self.arrays = Stems(masks, np.zeros((2 * units, 1), np.int64), counts, rows)

    def add(self, signs: Iterable[tuple[int, int]], rows: Sequence[int]) -> None:
        """Note the signs (unit, σ) of a circuit of these rows, of which the others are inequalities that always hold."""
        stem = tuple(sorted(signs))
        for signed in (stem, tuple((unit, -side) for unit, side in stem)) if len(stem) == len(rows) else (stem,):
            if signed not in self.known:
                self._put(signed, rows)

    def _put(self, stem: Signed, rows: Sequence[int]) -> None:
        masks, numbers, counts, table = self.arrays
        if any(counts[2 * unit + (side > 0)] == masks.shape[1] for unit, side in stem):
            masks, numbers = (np.concatenate([array, np.zeros_like(array)], axis=1) for array in (masks, numbers))
        if len(self.known) == len(table):
            table = np.concatenate([table, table])
        self.arrays = Stems(masks, numbers, counts, table)
        wanted = [0] * masks.shape[2]
        for unit, side in stem:
            wanted[unit // 64 + (len(wanted) // 2 if side < 0 else 0)] |= 1 << unit % 64
        row = np.array(wanted, np.uint64)
        for unit, side in stem:  # a few of them: faster one by one
            bucket = 2 * unit + (side > 0)
            at = counts[bucket]
            masks[bucket, at], numbers[bucket, at], counts[bucket] = row, len(self.known), at + 1
        table[len(self.known)] = [*rows, *[-1] * (table.shape[1] - len(rows))]
        self.known.add(stem)
