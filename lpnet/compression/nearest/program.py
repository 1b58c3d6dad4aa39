"""[PS16] Eq. (10) for given columns, min over U of max_j ‖v_j − U t_j‖₁: `cvxpy_model` is the linear program.

By default it is solved by an interior point method that knows its structure:

    minimise s with E = V − UT, P = R − E ≥ 0, Q = R + E ≥ 0, z_j = s − Σ_i r_ij ≥ 0      (multipliers A, B, λ ≥ 0)

is dual to: maximise ⟨V, Y⟩, Y = A − B, with A + B = λ in every row, Σ λ_j = 1, Y Tᵀ = 0 where U is free. Both have interior
points at hand, so the method starts feasible and stays so. In a Newton step everything but dU and ds is eliminated by hand;
they solve one positive definite system of (d+1)·n + 2 unknowns, however many columns V has:

    (Σ_j θ_j β_j β_jᵀ + blockdiag(T K_1 Tᵀ, …, T K_D Tᵀ, 0)) (dU, ds) = right-hand side,   β_j = (ρ_ij t_kj for all i, k; 1),

α = A/P, β = B/Q, w = α + β, ρ = (α − β)/w, κ = 4αβ/w entry by entry, K_i = diag(κ_i), θ_j = 1 / (z_j/λ_j + Σ_i 1/w_ij).
Predictor and corrector after S. Mehrotra, *On the implementation of a primal-dual interior point method*, 1992.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from lpnet.compression.nearest.bounds import Bits, FactorProblem, independent_columns
from lpnet.errors import InputError
from lpnet.exact import FloatArray

OWN, FALLBACK = "interior", "CLARABEL"
MOST_STEPS = 100
SHORT_OF_THE_BOUNDARY = 0.9995
LOST = 10.0  # a gap that has grown by this factor: rounding undoes the steps


def solve(problem: FactorProblem, tolerance: float, solver: str) -> tuple[FloatArray, FloatArray]:
    """U and Y for min over U of max_j ‖v_j − U t_j‖₁, to about this relative gap; offset 0.

    solver: "interior", `interior_point`, which knows the structure of the program, or one of cvxpy's, which gets
    `cvxpy_model`; the multipliers of its equation are Y. Measured by `tests/benchmarks/bench_nearest.py`: of cvxpy's solvers
    Clarabel is the fastest, and "interior" faster still. Raises InputError for a solver that fails.
    """
    if solver == OWN:
        return interior_point(problem, tolerance)
    import cvxpy as cp

    model, weights, constants, equation = cvxpy_model(problem)

    options = {}
    if solver == "CLARABEL":  # its own choice of factorisation takes two to four times as long here
        options = {f"tol_{what}": tolerance for what in ("gap_abs", "gap_rel", "feas")} | {"direct_solve_method": "qdldl"}
    try:
        model.solve(solver=solver, **options)
    except cp.SolverError as error:
        raise InputError(f"solver: {solver} could not solve the program ({error})") from None
    if weights.value is None or equation.dual_value is None:
        raise InputError(f"solver: {solver} answers {model.status}, without multipliers; try CLARABEL")
    factor, dual = problem.empty_factor(), equation.dual_value
    factor[:, :-1], factor[problem.free, -1:] = weights.value, constants.value
    return factor, dual if np.vdot(dual, problem.target) > 0 else -dual  # whatever cvxpy's sign convention


def checked_solver(solver: str) -> str:
    """The solver's name as `solve` takes it; InputError for one that there is not."""
    if solver == OWN:
        return solver
    import cvxpy as cp

    if solver.upper() not in cp.installed_solvers():
        raise InputError(f"solver: wanted {OWN} or one of cvxpy's ({', '.join(cp.installed_solvers())}), got {solver}")
    return solver.upper()


def cvxpy_model(problem: FactorProblem) -> tuple[Any, Any, Any, Any]:
    """Eq. (10) in cvxpy: minimise max_j ‖e_j‖₁ over U and E = V − UT, where U's last column is free or given, row by row.

    Returned with the problem: the first n columns of U, the free entries of its last column, and the equation. The problem of a
    network is `nearest(network).approximation.problem`.
    """
    import cvxpy as cp

    rows, columns = problem.target.shape
    weights = cp.Variable((rows, len(problem.encoding)))
    constants = cp.Variable((int(problem.free.sum()), 1))
    last = np.eye(rows)[:, problem.free] @ constants + np.where(problem.free, 0.0, problem.offset)[:, None]
    fit = weights @ problem.encoding.astype(float) + last @ np.ones((1, columns))
    rest = cp.Variable((rows, columns))
    equation = rest == problem.target - fit
    return cp.Problem(cp.Minimize(cp.max(cp.sum(cp.abs(rest), axis=0))), [equation]), weights, constants, equation


@dataclass(frozen=True, eq=False)
class Iterate:
    """A value, or a direction, for every variable: U (D, n+1), s; P, Q (D, m), z (m,); A, B (D, m), λ (m,)."""

    factor: FloatArray
    s: float
    p: FloatArray
    q: FloatArray
    z: FloatArray
    a: FloatArray
    b: FloatArray
    weight: FloatArray

    def products(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """The three complementarity products, all 0 at the optimum."""
        return self.a * self.p, self.b * self.q, self.weight * self.z

    def mean(self) -> float:
        """Their mean."""
        return float(sum(part.sum() for part in self.products()) / (2 * self.p.size + self.z.size))

    def moved(self, step: "Iterate", primal: float, dual: float) -> "Iterate":
        """This far along a direction, primal and dual variables apart."""
        return Iterate(
            self.factor + primal * step.factor,
            self.s + primal * step.s,
            self.p + primal * step.p,
            self.q + primal * step.q,
            self.z + primal * step.z,
            self.a + dual * step.a,
            self.b + dual * step.b,
            self.weight + dual * step.weight,
        )

    def lengths(self, step: "Iterate", share: float) -> tuple[float, float]:
        """How far one can go, at most 1: this share of the way to where a variable vanishes."""
        primal = max((-step.p / self.p).max(), (-step.q / self.q).max(), (-step.z / self.z).max())
        dual = max((-step.a / self.a).max(), (-step.b / self.b).max(), (-step.weight / self.weight).max())
        return share / max(share, float(primal)), share / max(share, float(dual))


def interior_point(problem: FactorProblem, tolerance: float) -> tuple[FloatArray, FloatArray]:
    """U and Y for offset 0, with a relative gap within the tolerance, or the least one that rounding allows."""
    target, subsets = problem.target, problem.subsets
    unknown = determined(problem)
    at = best = start(target, len(subsets))
    best_gap = np.inf
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        for _ in range(MOST_STEPS):
            gap = 1 - float(np.vdot(at.a - at.b, target)) / at.s
            if gap < best_gap:
                best, best_gap = at, gap
            if not tolerance < gap < LOST * best_gap:
                break
            try:
                newton = Newton(at, subsets, unknown)
            except (np.linalg.LinAlgError, ValueError):  # no longer positive definite in floating point, or no longer finite
                break
            ap, bq, lz = at.products()
            ahead = newton.step(-ap, -bq, -lz)
            mean, after = at.mean(), at.moved(ahead, *at.lengths(ahead, 1.0)).mean()
            centre = (after / mean) ** 3 * mean
            da_dp, db_dq, dl_dz = ahead.products()
            step = newton.step(centre - ap - da_dp, centre - bq - db_dq, centre - lz - dl_dz)
            at = at.moved(step, *at.lengths(step, SHORT_OF_THE_BOUNDARY))
    return best.factor, best.a - best.b


def determined(problem: FactorProblem) -> Bits:
    """Entries of U, (D, n+1), that the columns determine; the others stay 0, or the system of a step would be singular."""
    unknown = np.zeros(problem.empty_factor().shape, dtype=bool)
    for rows, matrix in problem.systems():
        unknown[np.ix_(np.flatnonzero(rows), independent_columns(matrix.T))] = True
    return unknown


def start(target: FloatArray, unknowns: int) -> Iterate:
    """U = 0 and Y = 0, a little inside."""
    rows, columns = target.shape
    r = np.abs(target) + 0.1 * np.abs(target).sum(axis=0).max() / rows
    norms = r.sum(axis=0)
    s = 1.1 * float(norms.max())
    weight = np.full(columns, 1 / columns)
    half = np.tile(weight / 2, (rows, 1))
    return Iterate(np.zeros((rows, unknowns)), s, r - target, r + target, s - norms, half, half, weight)


class Newton:
    """The system of one iterate, factorised; its directions for any right-hand sides."""

    def __init__(self, at: Iterate, subsets: FloatArray, unknown: Bits) -> None:
        self.at, self.subsets, self.unknown = at, subsets, unknown
        alpha, beta = at.a / at.p, at.b / at.q
        self.w = alpha + beta
        self.rho = (alpha - beta) / self.w
        self.theta = 1 / (at.z / at.weight + (1 / self.w).sum(axis=0))
        rows = (self.rho[:, None, :] * subsets)[self.unknown]
        rows = np.vstack([rows, np.ones(len(at.z))]) * np.sqrt(self.theta)
        matrix = rows @ rows.T
        blocks = ((4 * alpha * (beta / self.w))[:, None, :] * subsets) @ subsets.T
        first = 0
        for block, used in zip(blocks, self.unknown, strict=True):
            last = first + int(used.sum())
            matrix[first:last, first:last] += block[np.ix_(used, used)]
            first = last
        self.scale = 1 / np.sqrt(np.diag(matrix))
        from scipy.linalg import cho_factor  # a third of the time in which the command would start

        self.factorised = cho_factor(matrix * self.scale * self.scale[:, None], overwrite_a=True)

    def step(self, ap: FloatArray, bq: FloatArray, lz: FloatArray) -> Iterate:
        """The direction that raises A·P, B·Q, λ·z by ap, bq, lz, and mends what rounding did to the dual equations."""
        from scipy.linalg import cho_solve

        at = self.at
        g = ap / at.p + bq / at.q - (at.weight - at.a - at.b)
        h = ap / at.p - bq / at.q
        c = lz / at.weight + (g / self.w).sum(axis=0)
        known = (h - self.rho * g + self.rho * (self.theta * c) + at.a - at.b) @ self.subsets.T
        right = np.append(known[self.unknown], self.theta @ c - (1 - at.weight.sum()))
        solution = self.scale * cho_solve(self.factorised, self.scale * right)
        factor = np.zeros(self.unknown.shape)
        factor[self.unknown], s = solution[:-1], float(solution[-1])
        e = -factor @ self.subsets
        weight = self.theta * (c - s + (self.rho * e).sum(axis=0))
        r = (g - weight) / self.w + self.rho * e
        p, q, z = r - e, r + e, s - r.sum(axis=0)
        return Iterate(factor, s, p, q, z, (ap - at.a * p) / at.p, (bq - at.b * q) / at.q, weight)
