"""[PS16] Eq. (10) as a linear program: min over U of ‖(V − UT)^T‖_∞, the largest l1 norm of a column of V − UT.

Written with E = V − UT, the program is: minimise max_j ‖e_j‖₁ over (U, E); the multipliers of the equation are the Y of
`lpnet.compression.nearest.bounds`. Few columns matter at the optimum, so they are generated: solve for some, add those that the
solution leaves too long, until none is.
"""

from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache, cached_property

import numpy as np
from threadpoolctl import ThreadpoolController

from lpnet.brief import brief
from lpnet.compression.nearest.bounds import (
    DualBound,
    FactorProblem,
    float_norms,
    independent_columns,
    largest_norm,
    repaired,
    residual,
    scaled,
    solved,
)
from lpnet.compression.nearest.program import FALLBACK, OWN, solve
from lpnet.errors import InputError
from lpnet.exact import FloatArray, integers, rounded_down, to_floats
from lpnet.watch import Watch

GAP = 1e-6
# Asked of the solver first, and in the end: well below GAP, and what an interior point method in doubles reaches.
COARSEST, FINEST = 1e-2, 1e-8
# V − UT is computed in floating point where it is so many times larger than what rounding can do to it.
CLEAR = 1e8
LARGEST = 2.0**900
NO_BOUND = DualBound(np.zeros(0, dtype=np.intp), np.zeros((0, 0), dtype=object))


@dataclass(frozen=True, eq=False)
class Approximation:
    """An answer U to Eq. (10), with bounds from both sides that are computed from it in exact arithmetic.

    factor: U, (D, n+1); bound: dual multipliers; rounds, columns: how many programs were solved, and the columns in the last
    one; finished: False where it was stopped.
    """

    problem: FactorProblem
    factor: FloatArray
    bound: DualBound
    rounds: int = 0
    columns: int = 0
    finished: bool = True

    __repr__ = brief()

    @cached_property
    def error(self) -> Fraction:
        """‖(V − UT)^T‖_∞ for this U, exactly."""
        return largest_norm(self.problem, self.factor)

    @cached_property
    def lower_bound(self) -> Fraction:
        """What no U can be better than, exactly."""
        return self.bound.value(self.problem)

    @property
    def gap(self) -> Fraction:
        """(error − lower_bound) / error; 0 for an error of 0."""
        return (self.error - self.lower_bound) / self.error if self.error else Fraction(0)

    @cached_property
    def rounding(self) -> Fraction:
        """How much of the error can be due to U being rounded to float64: half a unit in the last place of each entry."""
        half = np.where(self.factor != 0, np.spacing(np.abs(self.factor)) / 2, 0.0)
        half[~self.problem.free, -1] = 0.0
        return largest_norm(replace(self.problem, target=np.zeros_like(self.problem.target)), half)

    @property
    def optimal(self) -> bool:
        """Whether the gap is at most 1e-6, or no more than rounding U to float64 explains."""
        return self.gap <= GAP or self.error - self.lower_bound <= 2 * self.rounding

    def verify(self) -> bool:
        """Whether the multipliers are valid and the bounds in order, all computed anew."""
        anew = replace(self)
        fixed = np.array_equal(self.factor[~self.problem.free, -1], self.problem.offset[~self.problem.free])
        return fixed and self.bound.valid(self.problem) and anew.lower_bound <= anew.error


def approximate(problem: FactorProblem, watch: Watch | None = None, solver: str = OWN) -> Approximation:
    """Minimise max_j ‖v_j − U t_j‖₁. solver: see `nearest.program.solve`. InputError for scores above 2^900."""
    if max(np.abs(problem.target).max(), np.abs(problem.offset).max()) > LARGEST:
        raise InputError("scores: wanted none larger than 2^900, so that their sums stay finite; scale the sign network down")
    with _blas().limit(limits=1):
        return _approximate(problem, watch or Watch(), solver)


@cache
def _blas() -> ThreadpoolController:
    """To keep linear algebra on one thread: a few hundred unknowns lose more by waiting for another than they gain by sharing.

    On two busy cores Eq. (10) took ten times as long with two threads as with one.
    """
    return ThreadpoolController()


def _approximate(problem: FactorProblem, watch: Watch, solver: str) -> Approximation:
    factor = least_squares(problem)
    norms, doubt = float_norms(problem, factor)
    if norms.max() > CLEAR * doubt.max():
        remainder, exponent = problem.target - factor @ problem.subsets, 0
    else:
        for candidate in (interpolation(problem), factor):
            answer = Approximation(problem, candidate, NO_BOUND)
            if np.isfinite(candidate).all() and answer.optimal:
                return answer
        remainder, exponent = _exact_remainder(problem, factor)
    # In units of the least-squares residual, so that a tiny error is found as precisely as a large one.
    bits = int(np.frexp(np.abs(remainder).max())[1])
    rest = replace(problem, target=np.ldexp(remainder, -bits), offset=np.zeros(len(remainder)))
    found = generate_columns(rest, watch, solver)
    return replace(found, problem=problem, factor=factor + np.ldexp(found.factor, exponent + bits))


def _exact_remainder(problem: FactorProblem, factor: FloatArray) -> tuple[FloatArray, int]:
    """V − UT, each entry correct to the last bit, and the exponent of its unit."""
    whole, exponent = residual(problem, factor)
    bits = int(np.abs(whole).max()).bit_length()
    return to_floats(whole.ravel().tolist(), -bits).reshape(whole.shape), exponent + bits


def interpolation(problem: FactorProblem) -> FloatArray:
    """U from as few columns of V as determine it, in integers and then rounded: where V = UT, this is U."""
    factor = problem.empty_factor()
    for rows, matrix in problem.systems():
        pivots, used = independent_columns(matrix), independent_columns(matrix.T)
        whole, exponent = integers(np.column_stack([problem.target[rows][:, pivots], factor[rows, -1]]))
        known = whole[:, :-1] - whole[:, -1:]
        numerators, scale = solved(matrix[np.ix_(used, pivots)].T, known.T)
        values = [rounded_down(scaled(Fraction(entry, scale), exponent)) for entry in numerators.T.ravel().tolist()]
        factor[np.ix_(np.flatnonzero(rows), used)] = np.reshape(values, known.shape)
    return factor


def least_squares(problem: FactorProblem) -> FloatArray:
    """The U with the smallest sum of squares of V − UT, in floating point."""
    factor = problem.empty_factor()
    for rows, matrix in problem.systems():
        known = problem.target[rows] - factor[rows, -1:]
        factor[rows, : len(matrix)] = np.linalg.lstsq(matrix.T.astype(float), known.T, rcond=None)[0].T
    return factor


def generate_columns(problem: FactorProblem, watch: Watch, solver: str) -> Approximation:
    """The answer for all columns from programs for some of them; offset 0.

    Each program is solved only as finely as the columns that it lacks make worth while.
    """
    norms = np.abs(problem.target).sum(axis=0)
    unknowns = problem.encoding.shape[0] * len(problem.target) + int(problem.free.sum())
    chosen = np.argsort(-norms, kind="stable")[: max(2 * len(problem.encoding) + 2, unknowns // 4)]
    best, least = problem.empty_factor(), float(norms.max())
    bound, greatest = NO_BOUND, 0.0
    tolerance, rounds = COARSEST, 0
    while True:
        rounds += 1
        factor, multipliers = solve(problem.only(chosen), tolerance, solver)
        norms = np.abs(problem.target - factor @ problem.subsets).sum(axis=0)
        if norms.max() < least:
            best, least = factor, float(norms.max())
        found = repaired(problem, chosen, multipliers)
        if (value := float(found.value(problem))) > greatest:
            bound, greatest = found, value
        gap = max((least - greatest) / least, FINEST)
        share = min(1.0, float(np.log(gap) / np.log(GAP / 2)))
        missing = np.setdiff1d(np.flatnonzero(norms > greatest * (1 + GAP / 4)), chosen)
        stuck = missing.size == 0 and tolerance == FINEST
        if not watch(share, len(chosen)) or share == 1.0 or (stuck and solver != OWN):
            return Approximation(problem, best, bound, rounds, len(chosen), share == 1.0 or stuck)
        if stuck:
            solver = FALLBACK
        tolerance = max(FINEST, min(tolerance, gap) / 100) if missing.size else FINEST
        chosen = np.concatenate([chosen, missing[np.argsort(-norms[missing], kind="stable")][: len(chosen)]])
