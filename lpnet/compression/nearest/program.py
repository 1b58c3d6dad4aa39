"""[PS16] Eq. (10) for given columns, as a linear program in cvxpy, and who solves it."""

from typing import Any

import numpy as np

from lpnet.compression.nearest.bounds import FactorProblem
from lpnet.compression.nearest.interior_point import interior_point
from lpnet.errors import InputError
from lpnet.exact import FloatArray

OWN, FALLBACK = "structured", "CLARABEL"


def solve(problem: FactorProblem, tolerance: float, solver: str) -> tuple[FloatArray, FloatArray]:
    """U and Y for min over U of max_j ‖v_j − U t_j‖₁, to about this relative gap; offset 0.

    solver: "structured", `nearest.interior_point`, or the name of one of cvxpy's, to which the program goes as
    minimise max_j ‖e_j‖₁ over (U, E) with E = V − UT; the multipliers of the equation are Y. Measured by
    `tests/benchmarks/bench_nearest.py`: of cvxpy's solvers Clarabel is the fastest, and the structured one faster still.
    """
    if solver == OWN:
        return interior_point(problem, tolerance)
    model, weights, constants, equation = cvxpy_model(problem)
    import cvxpy as cp

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


def cvxpy_model(problem: FactorProblem) -> tuple[Any, Any, Any, Any]:
    """The program in cvxpy, the first n columns of U, the free entries of its last column, and the equation E = V − UT."""
    import cvxpy as cp

    rows, columns = problem.target.shape
    weights = cp.Variable((rows, len(problem.encoding)))
    constants = cp.Variable((int(problem.free.sum()), 1))
    fit = weights @ problem.encoding.astype(float) + np.eye(rows)[:, problem.free] @ constants @ np.ones((1, columns))
    rest = cp.Variable((rows, columns))
    equation = rest == problem.target - fit
    return cp.Problem(cp.Minimize(cp.max(cp.sum(cp.abs(rest), axis=0))), [equation]), weights, constants, equation
