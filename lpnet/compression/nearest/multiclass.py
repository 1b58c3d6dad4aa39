"""[PS16] Theorem 3 for a plain linear classifier with 2^n classes: which n ReLUs label most like it?

The class of x is the highest of the scores v_c·x + d_c, so a common affine function may be added to all of them: of U the
whole last column is free, V ≈ [u_1 … u_n a; b_1 … b_n a_0] T. Nor has a class a subset of its own: the order of the columns
is sought, too. The label of the n ReLUs is their activation pattern {k: u_k·x + b_k > 0}, and condition (11) protects it as
before; nothing is rejected.
"""

import time
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from lpnet.compression.nearest.approximation import Approximation
from lpnet.compression.nearest.bounds import FactorProblem
from lpnet.compression.nearest.margins import Labels, labelled, pattern_numbers
from lpnet.compression.nearest.order import Orders, best_of, essentially_different, local_search, subsets
from lpnet.errors import InputError
from lpnet.exact import FloatArray
from lpnet.networks.arrays import as_array, as_points, as_weights
from lpnet.watch import Watch

EXACT_RELUS = 3  # 840 orders; for four ReLUs there are 15!/4! > 5e10


@dataclass(frozen=True, eq=False)
class NearestPatterns:
    """n ReLUs for 2^n linear classes.

    order: the subset of each class, the first ReLU the highest bit; approximation: U with its exact bounds for this order;
    lower_bound: what no U reaches in any order if `best_order`, else in this order; orders: how many essentially different
    ones were compared; programs: for how many of them Eq. (10) was solved.
    """

    order: Orders
    approximation: Approximation
    lower_bound: Fraction
    best_order: bool
    orders: int
    programs: int
    seconds: float

    @property
    def error(self) -> Fraction:
        """‖(V − UT)^T‖_∞, exactly."""
        return self.approximation.error

    @property
    def hidden_weight(self) -> FloatArray:
        """u_k, (n, d)."""
        return self.approximation.factor[:-1, :-1].T

    @property
    def hidden_bias(self) -> FloatArray:
        """b_k, (n,)."""
        return self.approximation.factor[-1, :-1]

    def __call__(self, points: Any) -> Orders:
        """The class that the activation pattern of the ReLUs stands for, decided exactly; (batch, d) → (batch,)."""
        points = as_points(points, len(self.hidden_weight.T))
        return np.argsort(self.order)[pattern_numbers(self.hidden_weight, self.hidden_bias, points)]

    def labels(self, points: Any) -> Labels:
        """The classes of the linear classifier and of the ReLUs, the margins and condition (11); points (batch, d)."""
        points = as_points(points, len(self.hidden_weight.T))
        label, margin, certified = labelled(self.approximation.problem.target, self.order, self.error, points)
        return Labels(label, self(points), margin, certified)


def nearest_patterns(weight: Any, bias: Any, order: Any = None, watch: Watch | None = None) -> NearestPatterns:
    """The n ReLUs and the order with the smallest ‖(V − UT)^T‖_∞ for 2^n classes; weight (2^n, d), bias (2^n,).

    The best order of all for 2, 4 and 8 classes, proved by bounds on each; above that a good one by local search. order: the
    subset of each class, where it is given. Raises InputError for another number of classes or a wrong order.
    """
    started, watch = time.perf_counter(), watch or Watch()
    weight = as_weights("weight", weight)
    bias = as_array("bias", bias, (len(weight),))
    relus = (len(weight) - 1).bit_length()
    if len(weight) < 2 or len(weight) != 1 << relus:
        raise InputError(f"weight: wanted 2, 4, 8, … classes, a power of two, got {len(weight)}")
    target, free = np.column_stack([weight, bias]).T.copy(), np.ones(weight.shape[1] + 1, dtype=bool)
    if order is not None:
        if sorted(np.ravel(order).tolist()) != list(range(len(weight))):
            raise InputError(f"order: wanted the numbers from 0 to {len(weight) - 1}, each once, got {order!r}")
        orders = np.array(order, dtype=np.intp).reshape(1, -1)
    elif relus <= EXACT_RELUS:
        orders = essentially_different(relus)
    else:
        orders = local_search(target, relus, free, watch)
    problem = FactorProblem(target, subsets(orders[0], relus), np.zeros(len(target)), free)
    best, approximation, lower, programs = best_of(problem, orders, watch)
    exact = order is None and relus <= EXACT_RELUS and not watch.stopped
    if not exact:
        lower = approximation.lower_bound
    return NearestPatterns(best, approximation, lower, exact, len(orders), programs, time.perf_counter() - started)
