"""Lower bounds on the terms of a DNF or CNF: points no two of which one term can hold at.

A term that holds at p and q holds wherever every half-space has its sign at p or at q, so all along the segment from p to q. If
the answer is another one somewhere on the segment, p and q need terms of their own, in whatever half-spaces. Points that lie
so in pairs are sought among a sample, by adding and exchanging; what comes out is confirmed exactly.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lpnet.brief import brief
from lpnet.circuits.sample import Floats
from lpnet.exact import FloatArray, Form, Point, add, point, primitive, times, value
from lpnet.networks import ExactForm
from lpnet.watch import Watch

PARTS = 16  # of a segment
MOST_POINTS = 4000
STEPS = 1000  # of the search
TABU = 8  # steps that a point dropped stays away
CHOICES = 8  # points compared before one is added
COMPARED = 32  # points that are added so
FEW_POINTS = 1000
MOST_EXCHANGED = 100  # wanted; where more are, points are only added


@dataclass(frozen=True, eq=False)
class FoolingSet:
    """Why a DNF (side +1) or the CNF (side −1) needs at least len(points) terms.

    points: with f's answer `side`; between: for each pair of them a point with the other answer at which every half-space has
    the sign that it has at one of the two. A term that holds at both would hold there too.
    """

    side: int
    points: tuple[Point, ...]
    between: dict[tuple[int, int], Point]

    __repr__ = brief()

    def moved(self, move: Callable[[Point], Point]) -> "FoolingSet":
        """The same with other points."""
        return FoolingSet(self.side, tuple(map(move, self.points)), {pair: move(at) for pair, at in self.between.items()})

    def holds(self, form: ExactForm, halfspaces: tuple[Form, ...]) -> bool:
        """Whether that is so, by arithmetic alone."""
        return self.holds_for(lambda at: form.sign_at(at) >= 0, halfspaces)

    def holds_for(self, answer: Callable[[Point], bool], halfspaces: Sequence[Form]) -> bool:
        """Whether that is so of another decision."""

        def signs(at: Point) -> NDArray[np.bool_]:
            return np.array([value(h, at) >= 0 for h in halfspaces])

        def right(at: Point) -> bool:
            return answer(at) == (self.side > 0)

        vectors = [signs(at) for at in self.points]
        for j in range(len(vectors)):
            for i in range(j):
                at = self.between.get((i, j))
                if at is None or right(at):
                    return False
                if ((vectors[i] == vectors[j]) & (signs(at) != vectors[i])).any():
                    return False
        return all(map(right, self.points))


def fooling_by_segments(
    form: ExactForm, floats: Floats, inside: FloatArray, sample: FloatArray, side: int, enough: int, watch: Watch
) -> FoolingSet:
    """A fooling set among points with the answer `side`, as large as found, or of `enough` points.

    inside: a point of each convex part, (k, d); sample: others, (s, d), of which some are looked at, with the first and,
    where that is not enough, without them: the points in the middle of parts are good to begin with, those near the
    boundary to go on.
    """
    sample = np.random.default_rng(0).permutation(sample)[: MOST_POINTS if enough <= MOST_EXCHANGED else FEW_POINTS]
    best = confirmed(form, floats, np.vstack([inside, sample]), side, enough, watch)
    if len(best.points) < enough <= MOST_EXCHANGED:
        best = max(best, confirmed(form, floats, sample, side, enough, watch), key=lambda found: len(found.points))
    return best


@np.errstate(invalid="ignore", over="ignore")
def confirmed(form: ExactForm, floats: Floats, points: FloatArray, side: int, enough: int, watch: Watch) -> FoolingSet:
    """A fooling set among some points, those that floats can hold, confirmed exactly."""
    points = points[np.isfinite(points).all(axis=1)]
    apart = Apart(floats, points, side)
    chosen: list[int] = []
    between: dict[tuple[int, int], Point] = {}
    exact: list[Point] = []
    for j in clique(apart, len(points), enough, watch):
        at = point(points[j])
        crossed = [apart.crossing(form, i, j) for i in chosen]
        if (form.sign_at(at) >= 0) == (side > 0) and all(crossed):
            between |= {(i, len(chosen)): z for i, z in enumerate(crossed) if z}
            chosen.append(j)
            exact.append(at)
    return FoolingSet(side, tuple(exact), between)


class Apart:
    """Which points have the other answer between them, in floats, row by row."""

    def __init__(self, floats: Floats, points: FloatArray, side: int) -> None:
        extended = np.column_stack([points, np.ones(len(points))])
        self.points, self.side, self.floats = points, side, floats
        self.units, self.affine = extended @ floats.units.T, extended @ floats.affine
        self.margin = 1e-12 * (np.abs(extended) @ floats.size)
        self._rows: dict[int, NDArray[np.bool_]] = {}

    def row(self, i: int) -> NDArray[np.bool_]:
        """Which points are apart from point i."""
        if i not in self._rows:
            self._rows[i] = (self._along(i, slice(None)).min(axis=0) < -self.margin - self.margin[i]) & np.isfinite(self.margin)
        return self._rows[i]

    def crossing(self, form: ExactForm, i: int, j: int) -> Point | None:
        """A point with the other answer on the segment from i to j, exactly; None if that was a mistake."""
        step = 1 + int(np.argmin(self._along(i, slice(j, j + 1))[:, 0]))
        p, q = point(self.points[i]), point(self.points[j])
        at = primitive(add(times((PARTS - step) * q[-1], p), times(step * p[-1], q)))
        return at if (form.sign_at(at) >= 0) != (self.side > 0) else None

    def _along(self, i: int, others: slice) -> FloatArray:
        """f · side at the inner points of the segments; (PARTS − 1, others)."""
        rows = []
        for t in np.arange(1, PARTS) / PARTS:
            units, affine = ((1 - t) * every[i] + t * every[others] for every in (self.units, self.affine))
            rows.append(self.side * self.floats.followed(units, affine)[1])
        return np.array(rows)


def clique(apart: Apart, count: int, enough: int, watch: Watch) -> list[int]:
    """Points each two of which are apart: one is added where that can be, else exchanged for the only one that it is not
    apart from (which then stays away for some steps), else one is dropped. Where many are wanted, one is only ever added.
    """
    rng = np.random.default_rng(0)
    best: list[int] = []
    chosen: list[int] = []
    banned, together = np.zeros(count, dtype=int), np.zeros(count, dtype=int)  # together: not apart from so many
    for step in range(max(STEPS, enough) if count else 0):
        watch.check(0.9, len(best))
        allowed = banned <= step
        free, single = np.flatnonzero((together == 0) & allowed), np.flatnonzero((together == 1) & allowed)
        single = single[~np.isin(single, chosen)]
        left: list[int] = []
        if len(free):
            few = rng.choice(free, min(CHOICES if len(chosen) < COMPARED else 1, len(free)), replace=False)
            new = max(few.tolist(), key=lambda j: apart.row(j)[free].sum()) if len(few) > 1 else int(few[0])
        elif enough > MOST_EXCHANGED:
            break
        elif len(single):
            new = int(rng.choice(single))
            left = [i for i in chosen if not apart.row(new)[i]]
        elif chosen:
            new, left = -1, [chosen[int(rng.integers(len(chosen)))]]
        else:
            continue
        for i in left:
            chosen.remove(i)
            together -= ~apart.row(i)
        banned[left] = step + TABU
        if new >= 0:
            chosen.append(new)
            together += ~apart.row(new)
        best = max(best, list(chosen), key=len)
        if len(best) >= enough:
            break
    return best
