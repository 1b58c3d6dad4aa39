"""[PS16] Theorem 3: the ReLU network nearest to a disjunction of 2^n threshold units, or to a conjunction of them.

A network sgn(w0 + Σ R(u_k·x + b_k)) has the hidden-layer scores c_S(x) = w0 + Σ_{k ∈ S} (u_k·x + b_k), one for each subset S
of its units: the columns of UT, U = [u_1 … u_n 0; b_1 … b_n w0]. Given scores v_k·x + d_k, the columns of V, and a subset for
each, Eq. (10) minimises ‖(V − UT)^T‖_∞ over U, w0 included, as Lemma 3 has it: of the last column only the bias row is an
unknown. Scores count as they are: a positive factor for a single unit leaves the decision alone, but not the hidden layer.
"""

import time
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from lpnet.boundary.redundancy import irredundant_forms, output_operation
from lpnet.brief import brief
from lpnet.compression.nearest.approximation import Approximation, approximate
from lpnet.compression.nearest.bounds import FactorProblem
from lpnet.compression.nearest.order import best_of, local_search, subsets
from lpnet.compression.nearest.program import OWN, checked_solver
from lpnet.errors import InputError
from lpnet.networks import Polyhedron, ReLUNetwork, SignNetwork
from lpnet.networks.arrays import as_number, describe
from lpnet.watch import Watch

MOST_RELUS = 24  # 2^24 columns are as many as fit in memory for ordinary d
MOST_PRUNED = 256  # units, some seconds for d = 50


@dataclass(frozen=True, eq=False)
class NearestReLU:
    """The answer to Eq. (10) for a sign network.

    sign_network: as given; order (m,): the subset of each of its units, as a number in binary, unit 1 the highest bit;
    approximation: U with its exact bounds; relu_network: w0 + Σ R(a_k), or for a conjunction w0 − Σ R(a_k).
    """

    sign_network: SignNetwork
    order: NDArray[np.intp]
    approximation: Approximation
    seconds: float

    __repr__ = brief("relus")

    @property
    def conjunction(self) -> bool:
        """Whether V and U are those of the complement, a disjunction: −V ≈ UT."""
        return output_operation(self.sign_network) == "intersection"

    @cached_property
    def relu_network(self) -> ReLUNetwork:
        """Eq. (9), rounded nowhere: its parameters are the entries of U."""
        factor, sign = self.approximation.factor, -1.0 if self.conjunction else 1.0
        weights, constant = factor[:, :-1], factor[-1, -1]
        return ReLUNetwork(weights[:-1].T, weights[-1], np.full(weights.shape[1], sign), sign * constant)

    @property
    def relus(self) -> int:
        """n."""
        return len(self.approximation.problem.encoding)

    @property
    def error(self) -> Fraction:
        """‖(V − UT)^T‖_∞ of this U, exactly."""
        return self.approximation.error

    @property
    def lower_bound(self) -> Fraction:
        """The error that no U can go below, from exactly checked dual multipliers."""
        return self.approximation.lower_bound

    @property
    def gap(self) -> float:
        """(error − lower_bound) / error."""
        return float(self.approximation.gap)

    @property
    def verdict(self) -> Literal["exact", "nearest", "undecided"]:
        """exact: V = UT; nearest: no U is better by more than 1e-6 of the error or than rounding explains; else undecided."""
        if self.error == 0:
            return "exact"
        return "nearest" if self.approximation.optimal else "undecided"

    def verify(self) -> bool:
        """Whether this is an answer for this network and order, its multipliers valid and its bounds in order; in integers."""
        asked = self.approximation.problem
        same = np.array_equal(asked.target, scores(self.sign_network))
        same &= np.array_equal(asked.encoding, subsets(self.order, self.relus))
        only_bias = not asked.offset[:-1].any() and not asked.free[:-1].any()
        return bool(same) and only_bias and self.approximation.verify()


def nearest(
    network: SignNetwork,
    relus: int | None = None,
    order: Any = "binary",
    output_bias: float | None = None,
    watch: Watch | None = None,
    solver: str = OWN,
) -> NearestReLU:
    """Minimise ‖(V − UT)^T‖_∞ over U for the 2^n units of a disjunction or conjunction ([PS16] Eq. 10, Theorem 3).

    relus: n, needed only where `order` leaves it open. order: which subset of the ReLUs each threshold unit stands for, m
    different numbers below 2^n, the first ReLU the highest bit; "binary": 0, 1, …, 2^n − 1, the columns of the paper's T_n and
    the units of `lpnet.boundary.theorem1`, or without 0, the empty subset, as in Theorem 2; "search": a good one found by
    exchanging units, the best one nearly always for up to 16 units, no more than an attempt above. With an order there may be
    fewer than 2^n units: only the given columns count.
    output_bias: w0, where it is not to be chosen; w0 of the ReLU network, so −1 is usual for a disjunction, +1 for a
    conjunction. solver: "interior", or the name of one of cvxpy's (`lpnet.compression.nearest.program`).
    Raises InputError for a wrong number of units or order, for any other output layer, and for a solver that fails.
    """
    started = time.perf_counter()
    if not isinstance(network, SignNetwork):
        raise InputError(f"network: wanted a SignNetwork, got {describe(network)}")
    if network.units == 0:
        raise InputError("network: has no units, so it is a constant and has no hidden layer to come near to")
    solver = checked_solver(solver)
    sign = -1.0 if output_operation(network) == "intersection" else 1.0
    searched = isinstance(order, str) and order == "search"
    numbers, relus = _resolve(network.units, relus, "binary" if searched else order)
    offset, free = np.zeros(network.inputs + 1), _only_bias(network.inputs)
    if output_bias is not None:
        offset[-1], free = sign * float(as_number("output_bias", output_bias)), np.zeros_like(free)
    problem = FactorProblem(scores(network), subsets(numbers, relus), offset, free)
    if searched and network.units < 1 << relus:
        raise InputError(f'order: "search" wants all 2^{relus} = {1 << relus} threshold units, and there are {network.units}')
    if searched:
        watch = watch or Watch()
        numbers, found, _, _ = best_of(problem, local_search(problem.target, relus, free, watch), watch, solver)
    else:
        found = approximate(problem, watch, solver)
    return NearestReLU(network, numbers, found, time.perf_counter() - started)


def needed_units(network: SignNetwork, watch: Watch | None = None) -> int | None:
    """How many of the half-spaces of a disjunction or conjunction are needed, exactly; None for more than 256.

    Eq. (10) counts all of them: a redundant unit has scores, too. Each takes a linear program with a row for every other one.
    Stopped where the watch says so.
    """
    if network.units > MOST_PRUNED:
        return None
    operation = output_operation(network)
    halfspaces = network.input_layer.forms
    return len(irredundant_forms(halfspaces, operation, Polyhedron.everywhere(network.inputs), watch, witnesses=False).kept)


def scores(network: SignNetwork) -> NDArray[np.float64]:
    """V of Eq. (8), shape (d+1, m): the column (v_k, d_k) for each unit; negated for a conjunction."""
    rows = np.column_stack(network.input_layer.floats).T
    return -rows if output_operation(network) == "intersection" else rows.copy()


def _only_bias(inputs: int) -> NDArray[np.bool_]:
    return np.arange(inputs + 1) == inputs


def _resolve(units: int, relus: int | None, order: Any) -> tuple[NDArray[np.intp], int]:
    """The subset of each unit, and n."""
    if relus is not None and not (isinstance(relus, int | np.integer) and 1 <= relus <= MOST_RELUS):
        raise InputError(f"relus: wanted a whole number from 1 to {MOST_RELUS}, got {relus!r}")
    if isinstance(order, str):
        if order != "binary":
            raise InputError(f'order: wanted "binary", "search" or the number of a subset for each unit, got {describe(order)}')
        wanted = relus if relus is not None else max(1, (units - 1).bit_length())
        missing = (1 << wanted) - units
        if missing not in (0, 1) or units == 1:  # one column leaves w0 open
            raise InputError(_wrong_count(units, relus))
        return np.arange(missing, 1 << wanted), wanted
    return _checked_order(units, relus, order)


def _wrong_count(units: int, relus: int | None) -> str:
    fits = relus if relus is not None else max(1, (units - 1).bit_length())
    what = f"{fits} ReLUs stand for 2^{fits} = {1 << fits} threshold units in binary order, and there are {units}"
    if units < 1 << fits:
        return (
            f"{what}; give an order, the number of a subset of the ReLUs for each unit, or try lpnet compress, which finds the "
            f"subsets where the network is exactly that of few ReLUs, as lpnet minimal -o writes them"
        )
    return f"{what}; wanted relus={max(1, (units - 1).bit_length())} or more"


def _checked_order(units: int, relus: int | None, order: Any) -> tuple[NDArray[np.intp], int]:
    given = np.asarray(order)
    if given.shape != (units,) or given.dtype.kind not in "iu":
        raise InputError(f"order: wanted {units} whole numbers, one for each unit, got {describe(order)}")
    relus = relus if relus is not None else max(1, int(given.max()).bit_length())
    if given.min() < 0 or given.max() >= 1 << relus or len(np.unique(given)) < units:
        raise InputError(f"order: wanted different numbers from 0 to {(1 << relus) - 1}, got {describe(order)}")
    return given.astype(np.intp), relus
