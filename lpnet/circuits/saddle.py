"""Two layers cannot do where a positive and a negative unit bend the boundary at one point: a proof by four points.

Let f(x) = 0, a_i(x) = a_j(x) = 0 with s_i = +1, s_j = −1, the gradients of c, a_i and a_j independent, where
f = c + R(a_i) − R(a_j) near x. With c(u) = ½, a_i(u) = −1, a_j(u) = 0 for the gradients, f(x ± εu) = ε/2; with c(v) = −½,
a_i(v) = 0, a_j(v) = −1, f(x ± εv) = −ε/2. Half-spaces with h(x) ≠ 0 have one sign at all four points, one with h(x) = 0 has
both at x ± εu, and at x ± εv. So the sign vectors of the first two points have the sum of those of the others.
"""

import itertools
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from lpnet.circuits.separation import Inseparable
from lpnet.exact import FloatArray, Form, Point, add, primitive, times, to_floats, value
from lpnet.networks import ExactForm, Polyhedron
from lpnet.regions.reasons import ABOVE, BELOW, ON, halfspace, meet
from lpnet.regions.search import Questions

MOST_PROGRAMS = 100
BITS = 20  # of the directions


def saddle(
    form: ExactForm, domain: Polyhedron, halfspaces: Sequence[Form], patterns: NDArray[np.bool_], questions: Questions
) -> Inseparable | None:
    """The proof, if such a point is found on the pieces with these patterns, (pieces, m), by at most 100 programs."""
    if form.inputs < 3:
        return None  # three gradients are dependent
    others = [*halfspaces, *form.units, *domain.inequalities()]
    for pattern, i, j, at in itertools.islice(corners(form, patterns, questions), MOST_PROGRAMS):
        if at:
            c = form.on_cell([p and k not in (i, j) for k, p in enumerate(pattern)])
            points = beside_corner(c, form.units[i], form.units[j], at, others)
            proof = Inseparable(points, (1, 1, -1, -1)) if points else None
            if proof and proof.holds(form, halfspaces):
                return proof
    return None


def corners(
    form: ExactForm, patterns: NDArray[np.bool_], questions: Questions
) -> Iterator[tuple[NDArray[np.bool_], int, int, Point | None]]:
    """For pieces and pairs of units of either sign, a point on the piece and both bends where all others are clear, or None."""
    positive = [k for k, s in enumerate(form.signs) if s > 0]
    negative = [k for k, s in enumerate(form.signs) if s < 0]
    pairs = list(itertools.product(positive, negative))
    for number in range(max(len(pairs), len(patterns))):
        for turn, (i, j) in enumerate(pairs):
            pattern = patterns[(number + turn * 7) % len(patterns)]
            c = form.on_cell(pattern)
            if not any(c[:-1]):
                continue
            sides = [ON if k in (i, j) else ABOVE if p else BELOW for k, p in enumerate(pattern)]
            planes = [halfspace(a, side) for a, side in zip(form.units, sides, strict=True)]
            yield pattern, i, j, questions.point_in(meet(questions.walls, planes, [halfspace(c, ON)]))


def beside_corner(c: Form, a: Form, b: Form, at: Point, others: Sequence[Form]) -> tuple[Point, ...]:
    """x ± εu and x ± εv, ε so small that no other form changes its sign; none where the gradients seem dependent."""
    size = max(map(abs, (*c[:-1], *a[:-1], *b[:-1]))).bit_length()
    gradients = np.array([to_floats(h[:-1], -size) for h in (c, a, b)])
    points = []
    for wanted in ((0.5, -1.0, 0.0), (-0.5, 0.0, -1.0)):
        direction = np.linalg.lstsq(gradients, np.array(wanted), rcond=None)[0]
        if not np.allclose(gradients @ direction, wanted, atol=1e-6):
            return ()
        step = rounded(direction)
        reach = max((1 + abs(value(h, (*step, 0))) * at[-1] // abs(here) for h in others if (here := value(h, at))), default=1)
        for side in (1, -1):
            points.append(primitive(add(times(reach, at), (*times(side * at[-1], step), 0))))
    return tuple(points)


def rounded(direction: FloatArray) -> tuple[int, ...]:
    """A direction in integers of some twenty bits."""
    return tuple(int(z) for z in np.round(direction / np.abs(direction).max() * (1 << BITS)))
