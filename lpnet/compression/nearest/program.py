"""[PS16] Eq. (10) for given columns: the linear program is `cvxpy_model`; this is what is solved, by cvxpy or otherwise."""

from typing import Any

import numpy as np

from lpnet.compression.nearest.bounds import FactorProblem
from lpnet.compression.nearest.interior_point import interior_point
from lpnet.errors import InputError
from lpnet.exact import FloatArray

OWN, FALLBACK = "interior", "CLARABEL"


def solve(problem: FactorProblem, tolerance: float, solver: str) -> tuple[FloatArray, FloatArray]:
    """U and Y for min over U of max_j ‖v_j − U t_j‖₁, to about this relative gap; offset 0.

    solver: "interior", `nearest.interior_point`, which knows the structure of the program, or one of cvxpy's, which gets
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
