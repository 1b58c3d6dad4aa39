"""(∗) in cvxpy: Lemma 3 with weights of both signs as a linear program, and what its solvers propose."""

import math
from collections.abc import Sequence
from contextlib import suppress
from fractions import Fraction
from functools import partial
from typing import Any

import numpy as np
from flint import fmpz_mat

from lpnet.compression.equations import LARGEST, Equations, NoBends, Solution
from lpnet.compression.sheet import scaled
from lpnet.exact import Form, Point, to_floats
from lpnet.programs.alternative import holds


def stated(equations: Equations) -> tuple[Any, Any, Any]:
    """(∗) in cvxpy: maximise t ≤ 1 over l, ω and λ ≥ t, with |ω_k a_k| and |h_i| for ω_k and h_i. Returns problem, l, ω.

    l (scores but the last, d + 1), ω (scores but the last, columns of the bends).
    """
    import cvxpy as cp

    h = np.array([scaled(piece.halfspace) for piece in equations.pieces])
    columns = [(bend, g) for bend in equations.bends for g in bend.generators]
    vectors = np.array([scaled(g) for _, g in columns]).reshape(-1, equations.width)
    affine, weights = cp.Variable((len(equations.scores), equations.width)), cp.Variable((len(equations.scores), len(columns)))
    scale, margin = cp.Variable(len(h)), cp.Variable()
    rules = [scale >= margin, margin <= 1]
    for k, (bend, _) in enumerate(columns):
        for group in bend.groups:
            places = [c for c, answer in enumerate(equations.scores) if answer in group]
            first = 0 if equations.last in group else weights[places[0], k]
            rules += [weights[c, k] == first for c in (places if equations.last in group else places[1:])]
    for above, below in dict.fromkeys(piece.answers for piece in equations.pieces):
        own = [k for k, piece in enumerate(equations.pieces) if piece.answers == (above, below)]
        signs, ones = np.array([(c == above) - (c == below) for c in equations.scores]), np.ones(len(own))
        on = np.array([[bend.active[k] for bend, _ in columns] for k in own], dtype=float).reshape(len(own), -1)
        bent = cp.multiply(on, cp.outer(ones, signs @ weights)) @ vectors
        right = cp.multiply(cp.reshape(scale[own], (len(own), 1), order="C"), h[own])
        rules.append(cp.outer(ones, signs @ affine) + bent == right)
    return cp.Problem(cp.Maximize(margin), rules), affine, weights


def by_cvxpy(
    solver: str, equations: Equations, basis: fmpz_mat, forms: Sequence[Form], relations: Sequence[int]
) -> Point | None:
    """What a solver of `model` finds, in terms of a basis of the solutions, rounded to rationals, if that is one."""
    from cvxpy.error import SolverError

    problem, affine, weights = stated(equations)
    with suppress(SolverError):
        problem.solve(solver=solver)
    if affine.value is None or any(bend.score is not None for bend in equations.bends):
        return None
    lengths = [np.linalg.norm(to_floats(bend.generators[0], 0)) for bend in equations.bends]
    columns = [
        weights.value[next(c for c, answer in enumerate(equations.scores) if answer in group), k] / lengths[k]
        for k, bend in enumerate(equations.bends)
        for group in bend.groups
        if equations.last not in group
    ]
    table = np.array([[float(int(entry)) for entry in row] for row in basis.tolist()])
    found, *_ = np.linalg.lstsq(table, np.array([*affine.value.ravel(), *columns]), rcond=None)
    largest = np.abs(found).max(initial=0.0)
    shares = [Fraction(float(z / largest)).limit_denominator(LARGEST) if largest else Fraction(0) for z in found]
    common = math.lcm(*(share.denominator for share in shares))
    at = (*(int(share * common) for share in shares), 1)
    return at if holds(forms, relations, at) else None


def solve(equations: Equations, solver: str) -> Solution | NoBends:
    """`Equations.solve`, where a solver of cvxpy's proposes and rationals confirm."""
    return equations.solve(partial(by_cvxpy, solver))
