"""Two layers cannot do where one unit bends the boundary up and another one down at one point: a proof by four points.

Let f(x) = 0, z_i(x) = z_j(x) = 0, and near x f = c + R(a) − R(b) with positive multiples a, b of z_i, z_j, the gradients of c,
a and b independent. With c(u) = ½, a(u) = −1, b(u) = 0 for the gradients, f(x ± εu) = ε/2; with c(v) = −½, a(v) = 0,
b(v) = −1, f(x ± εv) = −ε/2. Half-spaces with h(x) ≠ 0 have one sign at all four points, one with h(x) = 0 has both at x ± εu,
and at x ± εv. So the sign vectors of the first two points have the sum of those of the others.
"""

import itertools
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from lpnet.circuits.separation import Inseparable
from lpnet.exact import FloatArray, Form, Point, add, primitive, times, to_floats, value
from lpnet.networks import ExactForm, Polyhedron
from lpnet.networks.exact_form import Cell, proportion
from lpnet.regions.reasons import ON, halfspace, meet, sides_of
from lpnet.regions.search import Questions

MOST_PROGRAMS = 100
BITS = 20  # of the directions


def saddle(
    form: ExactForm, domain: Polyhedron, halfspaces: Sequence[Form], patterns: NDArray[np.bool_], questions: Questions
) -> Inseparable | None:
    """The proof, if such a point is found on the pieces with these patterns, (pieces, m), by at most 100 programs."""
    if form.inputs < 3:
        return None  # three gradients are dependent
    others = [*halfspaces, *domain.inequalities()]
    for cell, up, down, at in itertools.islice(corners(form, patterns, questions), MOST_PROGRAMS):
        points = beside_corner(cell.f, up, down, at, [*others, *cell.rows]) if at else ()
        proof = Inseparable(points, (1, 1, -1, -1)) if points else None
        if proof and proof.holds(form, halfspaces):
            return proof
    return None


def corners(
    form: ExactForm, patterns: NDArray[np.bool_], questions: Questions
) -> Iterator[tuple[Cell, Form, Form, Point | None]]:
    """For two units that bend f up and down where four pieces meet: the cell without both, what each adds to f or takes from
    it, and a point on the pieces and both bends where all others are clear, or None.
    """
    known = {pattern.tobytes() for pattern in patterns}

    def carries(pattern: NDArray[np.bool_], *units: int) -> bool:
        more = pattern.copy()
        more[list(units)] = True
        return more.tobytes() in known

    for pattern in patterns:
        beyond = [k for k in np.flatnonzero(~pattern).tolist() if carries(pattern, k)]
        pairs = [pair for pair in itertools.combinations(beyond, 2) if carries(pattern, *pair)]
        if not pairs:
            continue
        cell = form.cell(pattern)
        gains = {k: added(form, cell, k) for k in {k for pair in pairs for k in pair}}
        bends = {k: bend(cell, k, gain) for k, gain in gains.items()}
        for i, j in pairs:
            if bends[i] * bends[j] < 0 and any(cell.f[:-1]):
                up, down = (i, j) if bends[i] > 0 else (j, i)
                yield cell, gains[up], times(-1, gains[down]), corner(cell, up, down, questions)


def corner(cell: Cell, i: int, j: int, questions: Questions) -> Point | None:
    """A point where f and two units are 0, and all others as on the cell."""
    on = dict(halfspace(h, ON) for h in (cell.f, cell.rows[i], cell.rows[j]))
    return questions.point_in(meet(questions.walls, sides_of(cell)) | on)


def added(form: ExactForm, cell: Cell, unit: int) -> Form:
    """What f gains on a cell where a unit becomes active."""
    return add(form.on_cell([p if k != unit else 1 for k, p in enumerate(cell.pattern)]), times(-1, cell.f))


def bend(cell: Cell, unit: int, gain: Form) -> int:
    """+1 or −1 where what a unit adds is a positive or negative multiple of it, else 0."""
    return proportion(gain, cell.rows[unit]) if any(cell.rows[unit][:-1]) else 0


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
