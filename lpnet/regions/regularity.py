"""Is {f ≥ 0} the closure of its interior, so that its boundary pieces decide the ties f = 0 too?"""

import math
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from lpnet.boundary.engines import find_pieces
from lpnet.boundary.pieces import Pieces
from lpnet.errors import Stopped
from lpnet.exact import add, times
from lpnet.networks import ExactForm, Polyhedron
from lpnet.regions.reasons import ON, halfspace, meet, sides_of
from lpnet.regions.search import Questions
from lpnet.watch import Watch


def regular(form: ExactForm, domain: Polyhedron, pieces: Pieces, engine: str, questions: Questions, watch: Watch) -> bool:
    """Whether {f ≥ 0} is proved to be the closure of its interior; False leaves it open. pieces: those of f, by an engine.

    It is if f is convex, by the mean of f at x ± v, or concave with an interior of {f ≥ 0}. Let f(x) = 0, but x not in that
    closure: then on a cell about x, f ≤ 0, and {f = 0} is a face of it, f ≢ 0. In general position f ≠ 0 where r units of rank
    r vanish, which every face reaches unless f increases along a line on which no unit changes.
    If the gradients of the units are independent, f > 0 somewhere near x, or f = 0 on an open set. Otherwise the cell carries
    no piece of f, but one of `raised`, and {c_S = 0} touches it inside the domain.
    """
    if form.convex or (form.concave and len(pieces.patterns)) or pieces.position:
        return True
    others, _, _ = find_pieces(raised(form, domain), domain, watch, engine)
    if not others.complete:
        raise Stopped(f"stopped after {len(others.patterns)} boundary pieces, {watch.stopped}")
    known = {pattern.tobytes() for pattern in pieces.patterns}
    return not any(touches(form, p, questions) for p in others.patterns if p.tobytes() not in known)


def touches(form: ExactForm, pattern: NDArray[np.bool_], questions: Questions) -> bool:
    """Whether c_S vanishes at some point of the domain in the closed cell of a pattern."""
    cell = form.cell(pattern)
    return questions.point_in(meet(questions.walls, sides_of(cell, closed=True), [halfspace(cell.f, ON)])) is not None


def raised(form: ExactForm, domain: Polyhedron) -> ExactForm:
    """f + δ, times 1/δ, with δ > 0 smaller than every |f(v)| ≠ 0 where units and walls of full rank vanish.

    In a cell as in `regular` f + δ is positive near x and negative elsewhere, where f < −δ at another vertex or f falls along
    an edge without end. (If there is a line on which no unit changes, f is constant on it, else it would be positive near x;
    leave it out.) And f has no piece there: one on a kink would put f ≥ 0 on an open set that reaches x.
    δ: by Cramer's rule f(v) is an integer over a minor of the gradients, and by Hadamard's inequality this is at most the
    product of the largest of their lengths, whatever units are active.
    """
    lengths = [*form.slopes, *(sum(map(abs, h[:-1])) for h in domain.inequalities())]
    bits = math.prod(sorted(lengths, reverse=True)[: form.inputs]).bit_length()
    larger = form.each(partial(times, 1 << bits))
    return replace(larger, affine=add(larger.affine, (0,) * form.inputs + (1,)), exponent=form.exponent - bits)
