"""[PS16] Eq. (10) as a linear program: min over U of ‖(V − UT)^T‖_∞, the largest l1 norm of a column of V − UT.

Written with E = V − UT, the program is: minimise max_j ‖e_j‖₁ over (U, E); the multipliers of the equation are the Y of
`lpnet.compression.bounds`. Few columns matter at the optimum, so they are generated: solve for some, add those that the
solution leaves too long, until none is.
"""

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np

from lpnet.boundary.pieces import Watch
from lpnet.compression.bounds import (
    Bits,
    DualBound,
    float_norms,
    independent_columns,
    largest_norm,
    repaired,
    residual,
    scaled,
    solved,
    systems,
)
from lpnet.exact import FloatArray, integers, rounded_down, to_floats

GAP = 1e-6
# Asked of the solver in the end: well below GAP, and what an interior point method in doubles reaches.
COARSEST, FINEST = 1e-2, 1e-8
# Clarabel with this factorisation was the fastest of those measured (see tests/benchmarks/bench_nearest.py); its own choice
# of factorisation is two to four times slower here.
SOLVER, OPTIONS = "CLARABEL", {"direct_solve_method": "qdldl"}


NO_BOUND = DualBound(np.zeros(0, dtype=np.intp), np.zeros((0, 0), dtype=object))


@dataclass(frozen=True, eq=False)
class Approximation:
    """An answer U to Eq. (10), with bounds from both sides that are computed from it in exact arithmetic.

    target: V, (D, m); encoding: the subset of each column, (n, m); free: which entries of U's last column c are unknowns,
    (D,); factor: U, (D, n+1); bound: dual multipliers; rounds, columns: how many programs were solved, and the columns in the
    last one; finished: False where it was stopped.
    """

    target: FloatArray
    encoding: Bits
    free: Bits
    factor: FloatArray
    bound: DualBound
    rounds: int
    columns: int
    finished: bool

    @cached_property
    def error(self) -> Fraction:
        """‖(V − UT)^T‖_∞ for this U, exactly."""
        return largest_norm(self.target, self.encoding, self.factor)

    @cached_property
    def lower_bound(self) -> Fraction:
        """What no U can be better than, exactly."""
        return self.bound.value(self.target, self.encoding, self.factor[:, -1], self.free)

    @property
    def gap(self) -> Fraction:
        """(error − lower_bound) / error; 0 for an error of 0."""
        return (self.error - self.lower_bound) / self.error if self.error else Fraction(0)

    @cached_property
    def rounding(self) -> Fraction:
        """How much of the error can be due to U being rounded to float64: half a unit in the last place of each entry."""
        half = np.where(self.factor != 0, np.spacing(np.abs(self.factor)) / 2, 0.0)
        half[~self.free, -1] = 0.0
        return largest_norm(np.zeros_like(self.target), self.encoding, half)

    @property
    def optimal(self) -> bool:
        """Whether the gap is at most 1e-6, or no more than rounding U to float64 explains."""
        return self.gap <= GAP or self.error - self.lower_bound <= 2 * self.rounding

    def verify(self) -> bool:
        """Whether the multipliers are valid and the bounds in order, all computed anew."""
        error = largest_norm(self.target, self.encoding, self.factor)
        lower = self.bound.value(self.target, self.encoding, self.factor[:, -1], self.free)
        return (
            self.bound.valid(self.encoding, self.free) and lower <= error and (lower, error) == (self.lower_bound, self.error)
        )


def approximate(
    target: FloatArray, encoding: Bits, offset: FloatArray, free: Bits, watch: Watch | None = None
) -> Approximation:
    """Minimise max_j ‖v_j − U t_j‖₁; target (D, m), encoding (n, m), offset (D,): the fixed entries of U's last column."""
    for start in (interpolation, least_squares):
        factor = start(target, encoding, offset, free)
        answer = Approximation(target, encoding, free, factor, NO_BOUND, 0, 0, True)
        if np.isfinite(factor).all() and _nearly_fits(answer) and answer.optimal:
            return answer
    # From here on in units of the least-squares residual, so that a tiny error is found as precisely as a large one.
    whole, exponent = residual(target, encoding, factor)
    bits = int(np.abs(whole).max()).bit_length()
    remainder = to_floats(whole.ravel().tolist(), -bits).reshape(whole.shape)
    change, bound, rounds, columns, finished = generate_columns(remainder, encoding, free, watch or Watch())
    factor = factor + np.ldexp(change, exponent + bits)
    return Approximation(target, encoding, free, factor, bound, rounds, columns, finished)


def _nearly_fits(answer: Approximation) -> bool:
    """Whether floating point leaves it open that V = UT."""
    norms, doubt = float_norms(answer.target, answer.encoding, answer.factor)
    return not (norms > doubt).any()


def interpolation(target: FloatArray, encoding: Bits, offset: FloatArray, free: Bits) -> FloatArray:
    """U from as few columns of V as determine it, in integers and then rounded: where V = UT, this is U."""
    factor = _empty_factor(target, encoding, offset, free)
    for rows, matrix in systems(encoding, free):
        pivots, used = independent_columns(matrix), independent_columns(matrix.T)
        whole, exponent = integers(np.column_stack([target[rows][:, pivots], factor[rows, -1]]))
        known = whole[:, :-1] - whole[:, -1:]
        numerators, scale = solved(matrix[np.ix_(used, pivots)].T, known.T)
        values = [rounded_down(scaled(Fraction(entry, scale), exponent)) for entry in numerators.T.ravel().tolist()]
        factor[np.ix_(np.flatnonzero(rows), used)] = np.reshape(values, known.shape)
    return factor


def least_squares(target: FloatArray, encoding: Bits, offset: FloatArray, free: Bits) -> FloatArray:
    """The U with the smallest sum of squares of V − UT, in floating point."""
    factor = _empty_factor(target, encoding, offset, free)
    for rows, matrix in systems(encoding, free):
        known = target[rows] - factor[rows, -1:]
        factor[rows, : len(matrix)] = np.linalg.lstsq(matrix.T.astype(float), known.T, rcond=None)[0].T
    return factor


def _empty_factor(target: FloatArray, encoding: Bits, offset: FloatArray, free: Bits) -> FloatArray:
    """U with nothing but its fixed entries."""
    return np.column_stack([np.zeros((len(target), len(encoding))), np.where(free, 0.0, offset)])


def generate_columns(
    target: FloatArray, encoding: Bits, free: Bits, watch: Watch
) -> tuple[FloatArray, DualBound, int, int, bool]:
    """U (its fixed entries 0) and Y for all columns; the number of programs, of columns in the last, and whether not stopped.

    Each program is solved only as finely as the columns that it lacks make worth while.
    """
    subsets = np.vstack([encoding, np.ones(encoding.shape[1])])
    norms = np.abs(target).sum(axis=0)
    unknowns = encoding.shape[0] * len(target) + int(free.sum())
    chosen = np.argsort(-norms, kind="stable")[: max(2 * len(encoding) + 2, unknowns // 4)]
    best, least = np.zeros((len(target), len(subsets))), float(norms.max())
    bound, greatest = NO_BOUND, -1.0
    tolerance, rounds = COARSEST, 0
    while True:
        rounds += 1
        factor, multipliers = solve(target[:, chosen], encoding[:, chosen], free, tolerance)
        norms = np.abs(target - factor @ subsets).sum(axis=0)
        if norms.max() < least:
            best, least = factor, float(norms.max())
        found = repaired(chosen, multipliers, encoding, free)
        value = float(found.value(target, encoding, np.zeros(len(target)), free))
        if value > greatest:
            bound, greatest = found, value
        gap = max((least - greatest) / least, FINEST)
        share = min(1.0, float(np.log(gap) / np.log(GAP / 2)))
        missing = np.setdiff1d(np.flatnonzero(norms > greatest * (1 + GAP / 4)), chosen)
        done = share == 1.0 or (missing.size == 0 and tolerance == FINEST)
        if not watch(share, len(chosen)) or done:
            return best, bound, rounds, len(chosen), done
        tolerance = max(FINEST, min(tolerance, gap) / 100) if missing.size else FINEST
        chosen = np.concatenate([chosen, missing[np.argsort(-norms[missing], kind="stable")][: len(chosen)]])


def solve(target: FloatArray, encoding: Bits, free: Bits, tolerance: float) -> tuple[FloatArray, FloatArray]:
    """U and Y of the program for all the columns given, by cvxpy; fixed entries of U are 0."""
    import cvxpy as cp

    units, columns = encoding.shape
    weights = cp.Variable((len(target), units))
    constants = cp.Variable((int(free.sum()), 1))
    rest = cp.Variable(target.shape)
    fit = weights @ encoding.astype(float) + np.eye(len(target))[:, free] @ constants @ np.ones((1, columns))
    equation = rest == target - fit
    problem = cp.Problem(cp.Minimize(cp.max(cp.sum(cp.abs(rest), axis=0))), [equation])
    problem.solve(solver=SOLVER, tol_gap_abs=tolerance, tol_gap_rel=tolerance, tol_feas=tolerance, **OPTIONS)
    factor = np.zeros((len(target), units + 1))
    factor[:, :-1], factor[free, -1:] = weights.value, constants.value
    dual = equation.dual_value
    return factor, dual if np.vdot(dual, target) > 0 else -dual  # whatever cvxpy's sign convention
