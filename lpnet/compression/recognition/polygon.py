"""Rank 2: the units are chords of a polygon, and the fewest are found by exhaustive search.

C is a cone over a polygon (the facet at infinity included). Facets s and s + 1 meet in the vertex z_s, an extreme ray. A unit
whose line enters C passes through two vertices, neither neighbours nor equal: the form A of the chord is α h_s − β h_{s+1} with
α, β > 0 or the negative of that. If the chords at z_s have strengths w ≥ 0, then λ_s = Σ w α and λ_{s+1} = Σ w β: for every
facet the sums from its two vertices have to agree. Conversely each w ≥ 0, w ≠ 0, with these F equations gives the bends of an
f that vanishes on the boundary (one vertex with a chord has λ > 0 on its facets, so has its neighbour, and so on round).
A solution with the fewest chords is unique up to a factor: of two, a combination would need one chord less.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations, islice

import numpy as np
from numpy.typing import NDArray

from lpnet.compression.recognition.cone import CLEAR, TIGHT, Bends, Cone, Pair
from lpnet.exact import FloatArray
from lpnet.watch import Watch

MOST_NODES = 30_000
MOST_COVERS = 200
# Which vertex to close next, by whether it has a chord and how many of its neighbours are closed: as many equations as possible
# for as few new strengths, so that wrong choices show early.
URGENCY = np.array([[0, 1, 6], [3, 8, 10]])


@dataclass(frozen=True)
class Polygon:
    """The facets in cyclic order with a point inside each, and the chords.

    chords: pairs of vertices; planes: their forms, (E, 3); ahead: α and behind: β of each chord at each vertex, (F, E), 0 where
    it does not pass; noise: the relative error of the data.
    """

    facets: NDArray[np.intp]
    points: FloatArray
    rows: FloatArray
    chords: tuple[Pair, ...]
    planes: FloatArray
    ahead: FloatArray
    behind: FloatArray
    noise: float

    def bends(self, chosen: list[int], strengths: FloatArray) -> Bends:
        """The bends with these chords."""
        units = strengths[:, None] * self.planes[chosen]
        gradients = (self.ahead[:, chosen] @ strengths)[:, None] * self.rows
        affine = (gradients - (self.points @ units.T > 0) @ units).mean(axis=0)
        after = np.roll(self.facets, -1)
        through = tuple(tuple((int(self.facets[s]), int(after[s])) for s in self.chords[k]) for k in chosen)
        return Bends(self.facets, self.points, affine, units, through)


def polygon(cone: Cone, facets: NDArray[np.intp], points: FloatArray) -> Polygon:
    """Given the facets and a point inside each, in any order."""
    order = around(cone, facets)
    facets, points, rows = facets[order], points[order], cone.rows[facets[order]]
    count = len(facets)
    z = np.cross(rows, np.roll(rows, -1, axis=0))
    z *= -np.sign(z @ rows.sum(axis=0))[:, None]
    z /= np.linalg.norm(z, axis=1, keepdims=True)
    chords = tuple((s, t) for s, t in combinations(range(count), 2) if 2 <= t - s <= count - 2)
    planes = np.array([np.cross(z[s], z[t]) for s, t in chords]).reshape(-1, 3)
    planes /= np.linalg.norm(planes, axis=1, keepdims=True)
    passes = np.array([[s in chord for chord in chords] for s in range(count)]).reshape(count, -1)
    after, before = np.roll(z, -1, axis=0), np.roll(z, 1, axis=0)
    ahead = np.abs(after @ planes.T) / np.abs(np.sum(rows * after, axis=1))[:, None]
    behind = np.abs(before @ planes.T) / np.abs(np.sum(np.roll(rows, -1, axis=0) * before, axis=1))[:, None]
    return Polygon(facets, points, rows, chords, planes, ahead * passes, behind * passes, cone.noise)


def around(cone: Cone, facets: NDArray[np.intp]) -> list[int]:
    """The facets in cyclic order, by angle: their rows are the vertices of a polygon in the plane {row·centre = −1}.

    Without those that the errors of the data may make redundant, as they lie on the line between their neighbours.
    """
    flat = cone.rows[facets] - cone.rows[facets].mean(axis=0)
    plane = flat @ np.linalg.svd(flat, full_matrices=False)[2][:2].T
    order = np.argsort(np.arctan2(plane[:, 1], plane[:, 0])).tolist()
    while len(order) > 3:
        at = plane[order]
        (x, y), (dx, dy) = (at - np.roll(at, 1, axis=0)).T, (np.roll(at, -1, axis=0) - np.roll(at, 1, axis=0)).T
        height = np.abs(x * dy - y * dx) / np.hypot(dx, dy)
        if height.min() > CLEAR * cone.noise:
            break
        del order[int(height.argmin())]
    return order


def fewest_chords(shape: Polygon, watch: Watch) -> Iterator[Bends]:
    """The solutions with the smallest possible number of chords, as long as they are not too many."""
    count = len(shape.facets)
    search = Search(shape, watch)
    for most in range((count + 1) // 2, count - 1):
        found = False
        for chosen, strengths in islice(search.covers(most), MOST_COVERS):
            found = True
            yield shape.bends(chosen, strengths)
        if found or search.nodes > MOST_NODES:
            return


class Search:
    """Depth-first search: the vertices are closed one after the other, each with chords to some that are still open.

    basis: (chords chosen, k), the strengths that satisfy the equations between closed vertices.
    """

    def __init__(self, shape: Polygon, watch: Watch) -> None:
        self.terms = shape.ahead - np.roll(shape.behind, 1, axis=0)  # the equation at each facet
        self.count = len(shape.facets)
        self.number = np.full((self.count, self.count), -1)
        for k, (s, t) in enumerate(shape.chords):
            self.number[s, t] = self.number[t, s] = k
        self.zero, self.least = CLEAR * shape.noise, TIGHT * shape.noise
        self.watch, self.nodes = watch, 0

    def covers(self, most: int) -> Iterator[tuple[list[int], FloatArray]]:
        """At most so many chords, at least one at every vertex, with strengths that are unique up to a factor."""
        nobody = np.zeros(self.count, dtype=bool)
        yield from self._extend(most, [], np.zeros((0, 0)), nobody, nobody)

    def _extend(
        self, most: int, chosen: list[int], basis: FloatArray, closed: NDArray[np.bool_], covered: NDArray[np.bool_]
    ) -> Iterator[tuple[list[int], FloatArray]]:
        self.nodes += 1
        self.watch.check(0.5, self.nodes)
        still_open = np.flatnonzero(~closed)
        if not len(still_open):
            if basis.shape[1] == 1:
                yield chosen, basis[:, 0]
            return
        if self.nodes > MOST_NODES:
            return
        neighbours = closed[still_open - 1].astype(int) + closed[(still_open + 1) % self.count]
        s = int(still_open[URGENCY[covered[still_open].astype(int), neighbours].argmax()])
        now_closed = closed.copy()
        now_closed[s] = True
        for partners in self._partners(s, still_open, covered, most - len(chosen)):
            more = [*chosen, *(int(self.number[s, t]) for t in partners)]
            wider = np.zeros((len(more), basis.shape[1] + len(partners)))
            wider[: len(chosen), : basis.shape[1]] = basis
            wider[len(chosen) :, basis.shape[1] :] = np.eye(len(partners))
            solved = self._solved(wider, more, s, now_closed)
            if solved is not None:
                now_covered = covered.copy()
                now_covered[[s, *partners]] = True
                yield from self._extend(most, more, solved, now_closed, now_covered)

    def _partners(
        self, s: int, still_open: NDArray[np.intp], covered: NDArray[np.bool_], left: int
    ) -> Iterator[tuple[int, ...]]:
        """Sets of open vertices for chords from s that leave enough chords for the vertices without."""
        possible = [int(t) for t in still_open if self.number[s, t] >= 0]
        bare = int((~covered[still_open]).sum()) - int(not covered[s])
        for size in range(int(not covered[s]), left + 1):
            for partners in combinations(possible, size):
                rest = bare - sum(not covered[t] for t in partners)
                if size + (rest + 1) // 2 <= left:
                    yield partners

    def _solved(self, basis: FloatArray, chosen: list[int], s: int, closed: NDArray[np.bool_]) -> FloatArray | None:
        """The strengths left by the equations that closing s completes; None if none can be positive."""
        for facet in (s, (s + 1) % self.count):
            if closed[facet] and closed[facet - 1]:
                products = self.terms[facet, chosen][:, None] * basis
                value, size = products.sum(axis=0), np.abs(products).sum(axis=0)
                value[np.abs(value) <= self.zero * size] = 0
                if value.any():
                    pivot = int(np.abs(value).argmax())
                    basis = np.delete(basis - np.outer(basis[:, pivot], value / value[pivot]), pivot, axis=1)
                    basis /= np.abs(basis).max(axis=0)
        if basis.shape[1] == 1:
            basis = basis * np.sign(basis.sum())
        return None if basis.shape[1] == 0 or (basis.shape[1] == 1 and basis.min() <= self.least) else basis
