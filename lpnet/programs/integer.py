"""The one door to integer programs, HiGHS through pulp, large set covers through scipy: packings, few groups, small weights."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lpnet.errors import LpnetError
from lpnet.exact import FloatArray
from lpnet.programs.linear import maximum

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


def minimum(
    cost: FloatArray,
    rows: NDArray[Any],
    reach: tuple[ArrayLike, ArrayLike],
    bounds: tuple[ArrayLike, ArrayLike],
    whole: ArrayLike,
    seconds: float = SECONDS,
) -> tuple[FloatArray | None, float]:
    """z with the least cost·z found, and a lower bound: low ≤ rows·z ≤ high (`reach`), z in its bounds, whole where `whole`.

    By the solver's word. None where nothing is found in so many seconds; the bound is ∞ where it says that there is nothing.
    """
    import pulp

    program = pulp.LpProblem("integer", pulp.LpMinimize)
    ends = zip(*(np.broadcast_to(end, len(cost)).tolist() for end in (*bounds, whole)), strict=True)
    z = [
        program.add_variable(f"z{j}", *(e if math.isfinite(e) else None for e in (low, high)), "Integer" if w else "Continuous")
        for j, (low, high, w) in enumerate(ends)
    ]
    program += pulp.lpSum(c * z[j] for j, c in enumerate(cost.tolist()) if c)
    for row, low, high in zip(rows, *(np.broadcast_to(end, len(rows)).tolist() for end in reach), strict=True):
        total = pulp.lpSum(float(row[j]) * z[j] for j in np.flatnonzero(row).tolist())
        if low == high:
            program += total == low
        else:
            if low > -np.inf:
                program += total >= low
            if high < np.inf:
                program += total <= high
    status = program.solve(solver(timeLimit=seconds))
    if status == pulp.LpStatusInfeasible:
        return None, math.inf
    bound = float(program.solverModel.getInfo().mip_dual_bound)
    if program.sol_status not in (pulp.LpSolutionOptimal, pulp.LpSolutionIntegerFeasible):
        return None, bound
    return np.array([variable.value() or 0.0 for variable in z]), bound


def set_packing(inside: NDArray[np.bool_], whole: bool = True) -> FloatArray:
    """A largest packing: max Σ z_j, Σ_j inside[j, i] z_j ≤ 1 for all i, z_j ∈ {0, 1}; (sets, elements).

    Or 0 ≤ z_j ≤ 1, if not `whole`. As the solver has it, nothing is checked here; the best found in five seconds.
    """
    found, _ = minimum(-np.ones(len(inside)), inside.T, (-np.inf, 1), (0, 1), whole)
    return np.zeros(len(inside)) if found is None else found


def fewest_groups(rows: FloatArray, groups: Sequence[int], largest: float, seconds: float) -> tuple[FloatArray | None, float]:
    """Weights w with rows·w ≥ 1 and |w_j| ≤ largest that use few groups of columns, and a lower bound on how many are needed.

    min Σ z_g, |w_j| ≤ largest·z_g for the columns j of group g, z_g ∈ {0, 1}; columns of group −1 are free. None where none are
    found in so many seconds. The bound is the solver's word.
    """
    columns, names = rows.shape[1], sorted(set(groups) - {-1})
    own = np.array([[g == name for name in names] for g in groups], dtype=float).reshape(columns, len(names))
    tied = own.any(axis=1)
    part = np.eye(columns)[tied], largest * own[tied]
    table = np.block([[rows, np.zeros((len(rows), len(names)))], [part[0], -part[1]], [part[0], part[1]]])
    least = np.repeat([1.0, -np.inf, 0.0], [len(rows), tied.sum(), tied.sum()])
    most = np.repeat([np.inf, 0.0, np.inf], [len(rows), tied.sum(), tied.sum()])
    bounds = np.repeat([-largest, 0.0], [columns, len(names)]), np.repeat([largest, 1.0], [columns, len(names)])
    cost = np.repeat([0.0, 1.0], [columns, len(names)])
    found, bound = minimum(cost, table, (least, most), bounds, cost > 0, seconds)
    if found is None:
        return None, bound
    used = ~tied | (own @ found[columns:] > 0.5)
    return np.where(used, widest(rows[:, used], largest, np.flatnonzero(used), columns), 0.0), bound


def widest(rows: FloatArray, largest: float, places: NDArray[np.intp], size: int) -> FloatArray:
    """Weights w, |w_j| ≤ largest, with the largest least entry of rows·w, at these places among so many."""
    inside = np.vstack([np.eye(len(places)), -np.eye(len(places))])
    table = np.block([[-rows, np.ones((len(rows), 1))], [inside, np.zeros((len(inside), 1))]])
    best = maximum(np.eye(len(places) + 1)[-1], table, np.repeat([0.0, largest], [len(rows), len(inside)]))
    found = np.zeros(size)
    found[places] = 0.0 if best is None else best.at[:-1]
    return found


def small_weights(above: NDArray[np.int8], below: NDArray[np.int8]) -> list[int] | None:
    """Integers w minimising Σ|w_k| with w·z ≥ 0 for the rows z of `above` and w·z ≤ −1 for those of `below`, |w_k| ≤ 64.

    None where none are found in five seconds. The rounded answer is not checked here.
    """
    count = above.shape[1]
    one, signs = np.eye(count), np.vstack([above, -below]).astype(float)
    table = np.block([[signs, np.zeros((len(signs), count))], [one, one], [-one, one]])  # |w| ≤ s
    least = np.repeat([0.0, 1.0, 0.0], [len(above), len(below), 2 * count])
    largest = np.repeat([LARGEST_WEIGHT, np.inf], count)
    cost, bounds = np.repeat([0.0, 1.0], count), (np.repeat([-LARGEST_WEIGHT, 0.0], count), largest)
    found, _ = minimum(cost, table, (least, np.inf), bounds, cost == 0)
    return None if found is None else [round(value) for value in found[:count].tolist()]


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
