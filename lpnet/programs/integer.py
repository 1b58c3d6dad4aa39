"""Integer programs, by HiGHS through pulp: smallest set covers, and small integer weights that separate."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lpnet.errors import LpnetError
from lpnet.exact import FloatArray

SECONDS = 5.0
LARGEST_WEIGHT = 64


def set_cover(covered: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which sets of a smallest cover to take: min Σ z_j, Σ_j covered[j, i] z_j ≥ 1 for all i, z_j ∈ {0, 1}; (sets, elements).

    That it is a cover is checked here; that it is a smallest one is the solver's word.
    """
    import pulp

    program = pulp.LpProblem("cover", pulp.LpMinimize)
    take = [program.add_variable(f"z{j}", cat="Binary") for j in range(len(covered))]
    program += pulp.lpSum(take)
    for sets in covered.T:
        program += pulp.lpSum(take[j] for j in np.flatnonzero(sets)) >= 1
    status = program.solve(_solver())
    chosen = np.array([(variable.value() or 0) > 0.5 for variable in take], dtype=bool)
    if status != pulp.LpStatusOptimal or not covered[chosen].any(axis=0).all():
        raise LpnetError("the integer program for a set cover failed; please report")
    return chosen


def set_packing(inside: NDArray[np.bool_], whole: bool = True) -> FloatArray:
    """A largest packing: max Σ z_j, Σ_j inside[j, i] z_j ≤ 1 for all i, z_j ∈ {0, 1}; (sets, elements).

    Or 0 ≤ z_j ≤ 1, if not `whole`. As the solver has it, nothing is checked here; the best found in five seconds.
    """
    import pulp

    program = pulp.LpProblem("packing", pulp.LpMaximize)
    take = [program.add_variable(f"z{j}", 0, 1, "Integer" if whole else "Continuous") for j in range(len(inside))]
    program += pulp.lpSum(take)
    for sets in inside.T:
        program += pulp.lpSum(take[j] for j in np.flatnonzero(sets)) <= 1
    program.solve(_solver(timeLimit=SECONDS))
    return np.array([variable.value() or 0.0 for variable in take])


def small_weights(above: NDArray[np.int8], below: NDArray[np.int8]) -> list[int] | None:
    """Integers w minimising Σ|w_k| with w·z ≥ 0 for the rows z of `above` and w·z ≤ −1 for those of `below`, |w_k| ≤ 64.

    None where none are found in five seconds. The rounded answer is not checked here.
    """
    import pulp

    program = pulp.LpProblem("weights", pulp.LpMinimize)
    count = above.shape[1]
    weight = [program.add_variable(f"w{k}", -LARGEST_WEIGHT, LARGEST_WEIGHT, "Integer") for k in range(count)]
    size = [program.add_variable(f"s{k}", 0) for k in range(count)]
    program += pulp.lpSum(size)
    for w, s in zip(weight, size, strict=True):
        program += w <= s
        program += -1 * w <= s
    for rows, side in ((above, 1), (below, -1)):
        for row in rows.tolist():
            program += pulp.lpSum(side * z * w for z, w in zip(row, weight, strict=True)) >= (side < 0)
    program.solve(_solver(timeLimit=SECONDS))
    found = [variable.value() for variable in weight]
    return None if None in found else [round(value) for value in found]


def _solver(**options: Any) -> Any:
    import pulp
    from highspy._core import _Highs

    class QuietHiGHS(pulp.HiGHS):  # type: ignore[misc]  # pulp is untyped
        """Without the banner that highspy.Highs() prints on stdout before it can be told not to."""

        def createAndConfigureSolver(self, lp: Any) -> None:  # pulp's name
            lp.solverModel = _Highs()
            lp.solverModel.setOptionValue("output_flag", False)
            if self.timeLimit is not None:
                lp.solverModel.setOptionValue("time_limit", float(self.timeLimit))

    return QuietHiGHS(msg=False, **options)
