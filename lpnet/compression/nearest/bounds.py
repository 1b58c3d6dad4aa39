"""Exact bounds, from both sides, for [PS16] Eq. (10): min over U of max_j ‖v_j − U t_j‖₁.

U = [A c] has D = d+1 rows; t_j = (a subset of the n units as 0/1, 1); some entries of the last column c are fixed, the
others free. Upper bound: the norm of V − UT for any U, in integers. Lower bound, by duality: for any Y of shape (D, m) with
Σ_j y_ij t_kj = 0 for every row i and every free entry (i, k) of U,

    Σ_ij y_ij (v_ij − c_i) = Σ_ij y_ij (V − UT)_ij ≤ Σ_j ‖y_j‖_∞ ‖v_j − U t_j‖₁ ≤ (Σ_j ‖y_j‖_∞) · max_j ‖v_j − U t_j‖₁.
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from flint import fmpz_mat
from numpy.typing import NDArray

from lpnet.brief import brief
from lpnet.exact import FloatArray, integers, rounding

Bits = NDArray[np.bool_]
Integers = NDArray[np.object_]
# Float multipliers become integers in units of 2^-56 of their total: finer than any solver, and int64 holds them.
FINENESS = 56


@dataclass(frozen=True, eq=False)
class FactorProblem:
    """Eq. (10): target V, (D, m); encoding, the subset of each column, (n, m); of U's last column the entries that are

    unknowns, free (D,), and the values of the others, offset (D,).
    """

    target: FloatArray
    encoding: Bits
    offset: FloatArray
    free: Bits

    __repr__ = brief()

    @property
    def subsets(self) -> FloatArray:
        """T, (n+1, m): the encoding with a row of ones below it."""
        return np.vstack([self.encoding, np.ones(self.encoding.shape[1])])

    def only(self, columns: NDArray[np.intp] | Bits) -> "FactorProblem":
        """The problem of these columns alone."""
        return FactorProblem(self.target[:, columns], self.encoding[:, columns], self.offset, self.free)

    def systems(self) -> list[tuple[Bits, NDArray[np.int64]]]:
        """The rows in which U's last entry is fixed, then those in which it is free, each with the T that they multiply."""
        groups = [(~self.free, self.encoding.astype(np.int64)), (self.free, self.subsets.astype(np.int64))]
        return [(rows, matrix) for rows, matrix in groups if rows.any()]

    def empty_factor(self) -> FloatArray:
        """U, (D, n+1), with nothing but its fixed entries."""
        weights = np.zeros((len(self.target), len(self.encoding)))
        return np.column_stack([weights, np.where(self.free, 0.0, self.offset)])


def residual(problem: FactorProblem, factor: FloatArray) -> tuple[Integers, int]:
    """V − UT as integers times 2^exponent."""
    whole, exponent = integers(np.hstack([problem.target, factor]))
    found, factor_whole = np.split(whole, [problem.target.shape[1]], axis=1)
    found = found - factor_whole[:, -1:]
    for unit, members in enumerate(problem.encoding):
        found[:, members] -= factor_whole[:, unit : unit + 1]
    return found, exponent


def scaled(number: Fraction | int, exponent: int) -> Fraction:
    """number · 2^exponent."""
    return Fraction(number) * (Fraction(1 << exponent) if exponent >= 0 else Fraction(1, 1 << -exponent))


def float_norms(problem: FactorProblem, factor: FloatArray) -> tuple[FloatArray, FloatArray]:
    """‖v_j − U t_j‖₁ in floating point and a bound of each one's rounding error; (m,), (m,)."""
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        norms = np.abs(problem.target - factor @ problem.subsets).sum(axis=0)
        size = np.abs(problem.target).sum(axis=0) + (np.abs(factor) @ problem.subsets).sum(axis=0)
        return norms, rounding(sum(factor.shape) + 2, size)


def largest_norm(problem: FactorProblem, factor: FloatArray) -> Fraction:
    """‖(V − UT)^T‖_∞ = max_j ‖v_j − U t_j‖₁, exactly: floats rule out most columns, integers compare the others."""
    norms, doubt = float_norms(problem, factor)
    with np.errstate(invalid="ignore"):
        near = ~(norms + doubt < np.max(norms - doubt))
    found, exponent = residual(problem.only(near), factor)
    return scaled(int(np.abs(found).sum(axis=0).max(initial=0)), exponent)


@dataclass(frozen=True, eq=False)
class DualBound:
    """Multipliers that no U can get around.

    columns: the j with y_j ≠ 0, (k,); multipliers: Y there, (D, k), integers.
    """

    columns: NDArray[np.intp]
    multipliers: Integers

    __repr__ = brief()

    def valid(self, problem: FactorProblem) -> bool:
        """Whether Σ_j y_ij t_kj = 0 wherever U is free."""
        if len(self.columns) == 0:
            return True
        y, matrices = self.multipliers, problem.only(self.columns).systems()
        return not any(y[np.ix_(rows, members > 0)].sum(axis=1).any() for rows, matrix in matrices for members in matrix)

    def value(self, problem: FactorProblem) -> Fraction:
        """The lower bound; 0, which always is one, if the multipliers are not valid."""
        if len(self.columns) == 0 or not self.valid(problem):
            return Fraction(0)
        total = int(np.abs(self.multipliers).max(axis=0).sum())
        whole, exponent = integers(np.hstack([problem.target[:, self.columns], problem.empty_factor()[:, -1:]]))
        product = int((self.multipliers * (whole[:, :-1] - whole[:, -1:])).sum())
        return max(Fraction(0), scaled(Fraction(product, total), exponent))


def repaired(problem: FactorProblem, columns: NDArray[np.intp], multipliers: FloatArray) -> DualBound:
    """Valid multipliers near float ones (D, k): rounded to integers, then corrected on a few columns of large weight."""
    weight = np.abs(multipliers).max(axis=0, initial=0)
    order = np.argsort(-weight, kind="stable")
    columns, multipliers = columns[order], multipliers[:, order]
    y = np.rint(np.ldexp(multipliers / (weight.sum() or 1.0), FINENESS)).astype(np.int64).astype(object)
    scales = [_annihilate(y, rows, matrix) for rows, matrix in problem.only(columns).systems()]
    if len(scales) == 2:  # each group of rows came out with a denominator of its own
        y[~problem.free] *= scales[1]
        y[problem.free] *= scales[0]
    used = np.abs(y).max(axis=0, initial=0) > 0
    return DualBound(columns[used], y[:, used])


def _annihilate(y: Integers, rows: Bits, matrix: NDArray[np.int64]) -> int:
    """Change these rows of y, after multiplying them by the number returned, so that y · matrixᵀ = 0."""
    pivots, independent = independent_columns(matrix), independent_columns(matrix.T)
    if len(pivots) == 0:
        return 1
    excess = y[rows] @ matrix[independent].T.astype(object)
    change, scale = solved(matrix[np.ix_(independent, pivots)], excess.T)
    y[rows] *= scale
    y[np.ix_(np.flatnonzero(rows), pivots)] -= change.T
    return scale


def independent_columns(matrix: NDArray[np.int64]) -> NDArray[np.intp]:
    """The first columns that are linearly independent and span all others."""
    reduced, _, rank = fmpz_mat(matrix.tolist()).rref()
    found = [next(j for j in range(reduced.ncols()) if reduced[row, j] != 0) for row in range(rank)]
    return np.array(found, dtype=np.intp)


def solved(matrix: NDArray[np.int64], right: Integers) -> tuple[Integers, int]:
    """Integers N and s > 0 with matrix · N = s · right, for a regular matrix (k, k) and right (k, r)."""
    solution: Any = fmpz_mat(matrix.tolist()).solve(fmpz_mat(right.tolist()))
    numerators, scale = solution.numer_denom()
    return np.array([[int(entry) for entry in row] for row in numerators.tolist()], dtype=object), int(scale)
