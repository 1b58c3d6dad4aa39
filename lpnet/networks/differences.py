"""Differences of the scores of trees, in integers, and who may win by them."""

import math
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lpnet.exact import Numbers, common_integers, fraction

Integers = NDArray[Any]  # int64, or whole numbers of any length as objects
LARGEST = 1 << 62


@dataclass(frozen=True, eq=False)
class Differences:
    """The differences s_i − s_j of scores, i < j, in integers with one common unit.

    leaf: what each leaf adds to them, (n, pairs); base: what they are without trees, (pairs,); scores: q.
    """

    leaf: Integers
    base: Integers
    scores: int

    @classmethod
    def of(cls, leaves: NDArray[np.bool_], value: Numbers, weight: Numbers, bias: Numbers, trees: int) -> "Differences":
        """Those of weight · Σ value + bias; value (n, k), weight (q, k), bias (q,)."""
        pairs = list(combinations(range(len(weight)), 2))
        numbers, power, divisor = common_integers(np.where(leaves[:, None], value, 0.0 if value.dtype != object else 0))
        factors, other_power, other_divisor = common_integers(weight)
        unit = Fraction(2) ** (power + other_power) / (divisor * other_divisor)
        rows = np.array([factors[i] - factors[j] for i, j in pairs], dtype=object).reshape(len(pairs), weight.shape[1])
        leaf = numbers.astype(object) @ rows.T
        base = [(fraction(bias[i]) - fraction(bias[j])) / unit for i, j in pairs]
        finer = math.lcm(*(b.denominator for b in base))
        common = math.gcd(*leaf.ravel().tolist(), *(int(b * finer) for b in base)) if finer == 1 else 1
        scale = max(1, common)
        made = leaf * finer // scale
        start = np.array([int(b * finer) // scale for b in base] + [0], dtype=object)[:-1]
        most = trees * max(map(abs, made.ravel().tolist()), default=0) + max(map(abs, start.tolist()), default=0)
        if most < LARGEST:
            return cls(made.astype(np.int64), start.astype(np.int64), len(weight))
        return cls(made, start, len(weight))

    def first(self, leaves: NDArray[np.intp]) -> NDArray[np.intp]:
        """Which score is the first of the largest, for the leaves of all trees; (batch, T) → (batch,)."""
        ahead = self.leaf[leaves].sum(axis=1) + self.base >= 0
        return winners(ahead, ~ahead, self.scores).argmax(axis=1)


def winners(ahead: NDArray[np.bool_], behind: NDArray[np.bool_], scores: int) -> NDArray[np.bool_]:
    """Which scores may be the first of the largest, (batch, q), where s_i − s_j is ≥ 0 or < 0 for certain, (batch, pairs)."""
    possible = np.ones((len(ahead), scores), dtype=bool)
    for number, (i, j) in enumerate(combinations(range(scores), 2)):
        possible[:, j] &= ~ahead[:, number]
        possible[:, i] &= ~behind[:, number]
    return possible
