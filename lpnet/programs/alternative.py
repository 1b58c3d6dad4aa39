"""Motzkin's theorem of the alternative, executable: a point with given signs, or multipliers that exclude one.

For forms h_i and wanted relations r_i ∈ {+1: h_i > 0, −1: h_i < 0, +2: h_i ≥ 0, −2: h_i ≤ 0, 0: any}, and optionally one
form g that has to vanish, exactly one of these exists:
a point x with all the relations; or multipliers m_i with the sign of r_i, μ and m_0 ≥ 0 such that
Σ m_i h_i + μ g + m_0 ≡ 0 with m_0 > 0 or m_i ≠ 0 for a strict relation.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from flint import fmpz

from lpnet.exact import Form, Point, add, sign, times, value

STRICT = (1, -1)


@dataclass(frozen=True)
class Certificate:
    """Multipliers that no point with the wanted relations can satisfy.

    multipliers: (i, m_i) for the forms with m_i ≠ 0; vanishing: μ; constant: m_0. All integers.
    """

    multipliers: tuple[tuple[int, int], ...]
    vanishing: int
    constant: int

    def excludes(self, forms: Sequence[Form], relations: Sequence[int], vanishing: Form | None = None) -> bool:
        """Whether this proves, by arithmetic alone, that no point has these relations."""
        total = times(self.vanishing, vanishing) if vanishing else (0,) * len(forms[0])
        contradiction = self.constant > 0
        for index, multiplier in self.multipliers:
            if sign(multiplier) != sign(relations[index]):
                return False
            contradiction |= relations[index] in STRICT
            total = add(total, times(multiplier, forms[index]))
        return contradiction and self.constant >= 0 and not any(total[:-1]) and total[-1] == -self.constant


def holds(forms: Sequence[Form], relations: Sequence[int], at: Point, vanishing: Form | None = None) -> bool:
    """Whether the point has all the wanted relations, exactly."""
    if at[-1] <= 0 or (vanishing and value(vanishing, at)):
        return False
    for form, relation in zip(forms, relations, strict=True):
        if relation:
            here = value(form, at) * sign(relation)
            if here < 0 or (here == 0 and relation in STRICT):
                return False
    return True


def alternative(forms: Sequence[Form], relations: Sequence[int], vanishing: Form | None = None) -> Point | Certificate:
    """The point or the multipliers, by the simplex method in integers (Bland's rule: it always ends).

    Phase one of: y ≥ 0, Σ y_i r_i h_i + μ g + y_0 = 0 over all coefficients, the strict y (y_0 included) adding up to 1.
    Reaching 0 gives the multipliers; if it stays positive, the dual solution is the point.
    """
    used = [i for i, relation in enumerate(relations) if relation]
    size = len(forms[0]) if forms else len(vanishing or ())
    columns = [(*times(sign(relations[i]), forms[i]), int(relations[i] in STRICT)) for i in used]
    columns.append((0,) * (size - 1) + (1, 1))
    if vanishing:
        columns += [(*vanishing, 0), (*times(-1, vanishing), 0)]
    # fmpz, because Python divides long integers in quadratic time, and numbers of 1e-300 beside 1e300 make them long
    basis, table, scale = _phase_one(np.array([[*map(fmpz, column)] for column in columns], dtype=object).T)

    if table[-1, -1] == 0:
        found = {int(column): int(table[row, -1]) for row, column in enumerate(basis) if table[row, -1]}
        multipliers = tuple((i, sign(relations[i]) * found[c]) for c, i in enumerate(used) if c in found)
        zero = len(used)
        return Certificate(multipliers, found.get(zero + 1, 0) - found.get(zero + 2, 0), found.get(zero, 0))
    return tuple(int(cost - scale) for cost in table[-1, len(columns) : len(columns) + size])


def _phase_one(matrix: np.ndarray) -> tuple[list[int], np.ndarray, int]:
    """Minimise the artificial variables of matrix·y = (0, …, 0, 1), y ≥ 0; integer pivoting (Edmonds) over one denominator.

    Returns the basis, the final table [matrix | artificials | right-hand side] with the reduced costs as its last row,
    and the common denominator of the table.
    """
    rows, columns = matrix.shape
    right = np.array([0] * (rows - 1) + [1], dtype=object)
    table = np.column_stack([matrix, np.eye(rows, dtype=int).astype(object), right])
    costs = -table.sum(axis=0)
    costs[columns:-1] = 0
    table = np.vstack([table, costs])
    basis, scale = list(range(columns, columns + rows)), 1
    while True:
        entering = next((j for j in range(columns) if table[-1, j] < 0), None)
        if entering is None:
            return basis, table, scale
        candidates = [i for i in range(rows) if table[i, entering] > 0]
        leaving = candidates[0]
        for i in candidates[1:]:
            ahead = table[i, -1] * table[leaving, entering] - table[leaving, -1] * table[i, entering]
            if ahead < 0 or (ahead == 0 and basis[i] < basis[leaving]):
                leaving = i
        pivot, pivot_row = table[leaving, entering], table[leaving].copy()
        table = (table * pivot - np.outer(table[:, entering], pivot_row)) // scale
        table[leaving] = pivot_row
        basis[leaving], scale = entering, pivot
