"""Integer programs, by HiGHS through pulp: smallest set covers, and small integer weights that separate."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lpnet.errors import LpnetError
from lpnet.exact import FloatArray

SECONDS = 5.0
COVER_SECONDS = 60.0
LARGEST_WEIGHT = 64


def set_cover(covered: NDArray[np.bool_], known: Sequence[bool] | None = None) -> NDArray[np.bool_]:
    """Which sets of a smallest cover to take: min Σ z_j, Σ_j covered[j, i] z_j ≥ 1 for all i, z_j ∈ {0, 1}; (sets, elements).

    known: sets that are taken rather than others. That it is a cover is checked here; that it is a smallest one is the solver's
    word, or, after a minute, the best it has found.
    """
    from scipy.optimize import Bounds, LinearConstraint, milp
    from scipy.sparse import csr_array

    rows = np.unique(covered.T, axis=0)
    price = np.ones(len(covered))
    if known is not None:
        price += (1.0 - np.array(known)) / (2 * len(covered))
    wanted = LinearConstraint(csr_array(rows.astype(float)), 1, np.inf)
    found = milp(price, constraints=wanted, integrality=1, bounds=Bounds(0, 1), options={"time_limit": COVER_SECONDS})
    chosen = np.zeros(len(covered), dtype=bool) if found.x is None else found.x > 0.5
    if not covered[chosen].any(axis=0).all():
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
    program.solve(solver(timeLimit=SECONDS))
    return np.array([variable.value() or 0.0 for variable in take])


def fewest_groups(rows: FloatArray, groups: Sequence[int], largest: float, seconds: float) -> tuple[FloatArray | None, float]:
    """Weights w with rows·w ≥ 1 and |w_j| ≤ largest that use few groups of columns, and a lower bound on how many are needed.

    min Σ z_g, |w_j| ≤ largest·z_g for the columns j of group g, z_g ∈ {0, 1}; columns of group −1 are free. None where none are
    found in so many seconds. The bound is the solver's word.
    """
    import pulp

    program = pulp.LpProblem("groups", pulp.LpMinimize)
    take = {g: program.add_variable(f"z{g}", cat="Binary") for g in sorted(set(groups)) if g >= 0}
    weight = [program.add_variable(f"w{j}", -largest, largest) for j in range(rows.shape[1])]
    program += pulp.lpSum(take.values())
    for w, g in zip(weight, groups, strict=True):
        if g >= 0:
            program += w <= largest * take[g]
            program += -1 * w <= largest * take[g]
    for row in rows.tolist():
        program += pulp.lpSum(z * w for z, w in zip(row, weight, strict=True) if z) >= 1
    status = program.solve(solver(timeLimit=seconds))
    if status == pulp.LpStatusInfeasible:
        return None, math.inf
    bound = float(program.solverModel.getInfo().mip_dual_bound)
    found = [variable.value() for variable in weight]
    if None in found:
        return None, bound
    used = [g < 0 or (take[g].value() or 0) > 0.5 for g in groups]
    return np.where(used, widest(rows[:, used], largest, np.flatnonzero(used), rows.shape[1]), 0.0), bound


def widest(rows: FloatArray, largest: float, places: NDArray[np.intp], size: int) -> FloatArray:
    """Weights w, |w_j| ≤ largest, with the largest least entry of rows·w, at these places among so many."""
    import pulp

    program = pulp.LpProblem("widest", pulp.LpMaximize)
    weight = [program.add_variable(f"w{j}", -largest, largest) for j in range(rows.shape[1])]
    margin = program.add_variable("t")
    program += margin
    for row in rows.tolist():
        program += pulp.lpSum(z * w for z, w in zip(row, weight, strict=True) if z) >= margin
    program.solve(solver())
    found = np.zeros(size)
    found[places] = [variable.value() or 0.0 for variable in weight]
    return found


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
    program.solve(solver(timeLimit=SECONDS))
    found = [variable.value() for variable in weight]
    return None if None in found else [round(value) for value in found]


def solver(**options: Any) -> Any:
    """HiGHS for a program of pulp's; options: timeLimit, seconds."""
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
