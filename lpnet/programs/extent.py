"""How far a polyhedron reaches along each axis: proposed by linear programs in floats, proved in integers."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

import highspy
import numpy as np
from flint import fmpz_mat

from lpnet.exact import Form, Point, balance, sign, times, value
from lpnet.programs.signs import CLEAR_DUAL, normalised, warm_model


class Bound(NamedTuple):
    """x_i ≥ at (side 1) or x_i ≤ at (side −1) where all h_k ≥ 0: some Σ m_k h_k, m_k > 0, is a multiple of ±(x_i − at).

    axis: i; multipliers: (k, m_k), integers.
    """

    axis: int
    side: int
    at: Fraction
    multipliers: tuple[tuple[int, int], ...]

    def form(self, inputs: int) -> Form:
        """±(x_i − at), times a positive number, of so many inputs."""
        entries = [0] * inputs + [-self.side * self.at.numerator]
        entries[self.axis] = self.side * self.at.denominator
        return tuple(entries)


def extent(forms: Sequence[Form], inside: Point) -> Iterator[Bound]:
    """The bounds of the inputs on {x: h_k(x) ≥ 0 for all k}, which has the point inside; none where it is unbounded.

    Each is the optimum of a program and its dual multipliers, in floats about the point; of those only the support counts: it
    has to have one dependency with the axis, of nonnegative multipliers, which proves the bound. A bound without is left out.
    """
    used = [k for k, h in enumerate(forms) if any(h[:-1])]
    model, inputs = _program(inside, [forms[k] for k in used]), len(inside) - 1
    for axis in range(inputs):
        for side in (1, -1):
            model.changeColCost(axis, -float(side))
            model.run()
            if model.getModelStatus() == highspy.HighsModelStatus.kOptimal:
                duals = np.abs(model.getSolution().row_dual)
                support = [used[k] for k in np.flatnonzero(duals > CLEAR_DUAL * duals.max(initial=0))]
                bound = proved(forms, support, axis, side)
                if bound:
                    yield bound
        model.changeColCost(axis, 0.0)


def proved(forms: Sequence[Form], support: Sequence[int], axis: int, side: int) -> Bound | None:
    """The bound that these forms give, exactly; None where they give none, or more than one."""
    along = tuple(int(j == axis) for j in range(len(forms[0]) - 1))
    kernel, nullity = fmpz_mat([*(forms[k][:-1] for k in support), along]).transpose().nullspace()
    if nullity != 1:
        return None
    found = [int(kernel[row, 0]) for row in range(len(support) + 1)]
    turn = -side * sign(found[-1])
    multipliers = tuple((k, turn * m) for k, m in zip(support, found, strict=False) if m)
    if not turn or any(m < 0 for _, m in multipliers):
        return None
    constant = sum(m * forms[k][-1] for k, m in multipliers)
    return Bound(axis, side, Fraction(-side * constant, abs(found[-1])), multipliers)


def _program(inside: Point, forms: Sequence[Form]) -> Any:
    """max 0 where the forms are ≥ 0, with the point as 0 and each input in a unit of its own."""
    moved = [(*times(inside[-1], h[:-1]), value(h, inside)) for h in forms]
    shifts = balance(moved) if moved else ()
    rows = [normalised(tuple(entry << (s - min(shifts)) for entry, s in zip(h, shifts, strict=True))) for h in moved]
    table = np.array(rows).reshape(len(rows), len(inside))
    table[~np.isfinite(table).all(axis=1)] = 0.0  # too far away for floats
    inputs = len(inside) - 1
    model = warm_model(table[:, :-1], [0.0] * inputs, [np.inf] * inputs)
    for row, constant in enumerate(table[:, -1]):
        model.changeRowBounds(row, -constant, np.inf)
    model.setOptionValue("simplex_strategy", 4)  # the primal simplex: a changed cost leaves its basis feasible
    return model
