"""(∗) in cvxpy: Lemma 3 with weights of both signs as a linear program; its solvers propose, rationals confirm."""

import math
import warnings
from collections.abc import Sequence
from contextlib import suppress
from fractions import Fraction
from functools import partial
from typing import Any

import numpy as np
from flint import fmpz_mat

from lpnet.compression.equations import Equations, NoBends, Solution
from lpnet.compression.flats import scaled
from lpnet.exact import FloatArray, Form, Point, to_floats
from lpnet.programs.alternative import holds

SOLVER = "SCIPY"  # HiGHS, as scipy has it: silent
MOST_ENTRIES = 10**6  # of the model; in larger ones `lpnet.programs` proposes, given what the equations leave
LARGEST = 10**6  # denominator of what floats propose


def solve(equations: Equations, solver: str = SOLVER, most: int = MOST_ENTRIES) -> Solution | NoBends:
    """A solution of (∗) or the proof that there is none, both exact: where the model is small, a solver of cvxpy's proposes."""
    entries = len(equations.pieces) * equations.width * equations.size
    return equations.solve(partial(by_cvxpy, solver) if 0 < entries <= most else None)


def stated(equations: Equations) -> tuple[Any, Any, list[int]]:
    """(∗) in cvxpy: maximise t ≤ 1 over (l, ω) and λ with l + Σ_{k: a_k(p_i) > 0} ω_k a_k = λ_i h_i, λ_i ≥ t, for each piece i.

    And what points of known answers ask for, and bends that are not given but for a factor. Returns the problem, (l, ω), and
    the exponents e of their units: column c of `Equations` is 2^-e_c times the variable.
    """
    import cvxpy as cp

    pieces, width = len(equations.pieces), equations.width
    each = [tuple(int(i == j) for i in range(width)) for j in range(width)]
    sums = [equations.row(number, entry) for number in range(pieces) for entry in each]
    left, units = in_floats(sums)
    right = np.array([scaled(piece.halfspace) for piece in equations.pieces])
    unknown, scale, margin = cp.Variable(equations.size), cp.Variable(pieces), cp.Variable()
    rules = [cp.reshape(left @ unknown, (pieces, width), order="C") == cp.diag(scale) @ right, scale >= margin, margin <= 1]
    rows, relations = equations.sides()
    if rows[pieces:]:
        most = max(units)
        rest = np.array([scaled([z << most - e for z, e in zip(row, units, strict=True)]) for row in rows[pieces:]])
        rules.append(rest @ unknown >= margin * (np.array(relations[pieces:]) == 1))
    return cp.Problem(cp.Maximize(margin), rules), unknown, units


def by_cvxpy(
    solver: str, equations: Equations, basis: fmpz_mat, forms: Sequence[Form], relations: Sequence[int]
) -> Point | None:
    """What a solver finds, in terms of a basis of the solutions, rounded to rationals, if that is one."""
    from cvxpy.error import SolverError

    problem, unknown, units = stated(equations)
    with suppress(SolverError), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it may be inaccurate
        problem.solve(solver=solver)
    if unknown.value is None:
        return None
    table, sizes = in_floats([[int(z) << e for z in row] for row, e in zip(basis.tolist(), units, strict=True)])
    found, *_ = np.linalg.lstsq(table, unknown.value, rcond=None)
    largest = np.abs(found).max(initial=0.0) or 1.0
    shares = [Fraction(float(z / largest)).limit_denominator(LARGEST) / 2**e for z, e in zip(found, sizes, strict=True)]
    common = math.lcm(*(share.denominator for share in shares))
    at = (*(int(share * common) for share in shares), 1)
    return at if holds(forms, relations, at) else None


def in_floats(rows: Sequence[Sequence[int]]) -> tuple[FloatArray, list[int]]:
    """Whole numbers as floats, each column divided by the power of two above its entries; and the exponents of these."""
    columns = list(zip(*rows, strict=True))
    exponents = [max(map(abs, column)).bit_length() for column in columns]
    return np.column_stack([to_floats(column, -e) for column, e in zip(columns, exponents, strict=True)]), exponents
