"""Rank 2: the units are chords of a polygon, one at every vertex in the generic case.

Let facets s and s + 1 meet in the vertex z_s (an extreme ray of C, which is a cone over a polygon, the facet at infinity
included). A unit through z_s and z_t is the only one there if λ_s h_s − λ_{s+1} h_{s+1} and λ_{t+1} h_{t+1} − λ_t h_t are
the same form, one that vanishes at both vertices. This fixes the ratios of the four λ, so a perfect matching of the vertices
by chords with ratios that agree is a network.
"""

from collections.abc import Iterator
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from lpnet.compression.recognition.bends import Bends
from lpnet.compression.recognition.cone import CLEAR, Cone
from lpnet.exact import FloatArray

MOST_NODES = 10_000
MOST_MATCHINGS = 100


def matchings(cone: Cone, facets: NDArray[np.intp], points: FloatArray) -> Iterator[Bends]:
    """Perfect matchings whose ratios agree, depth first; facets and a point inside each, in any order."""
    order = around(cone, facets)
    facets, points = facets[order], points[order]
    rows, count = cone.rows[facets], len(facets)
    if count % 2 or count < 4:
        return
    ahead, across = ratios(rows, vertices(rows, cone.centre))
    for chords, logs in islice(Matching(ahead, across, CLEAR * cone.noise).search(), MOST_MATCHINGS):
        gradients = np.exp(logs)[:, None] * rows
        first = np.array([s for s, _ in chords])
        units = gradients[first] - gradients[(first + 1) % count]
        active = points @ units.T > 0
        yield Bends(facets, points, (gradients - active @ units).mean(axis=0), units)


def around(cone: Cone, facets: NDArray[np.intp]) -> NDArray[np.intp]:
    """The facets in cyclic order, by angle: their rows are the vertices of a polygon in the plane {row·centre = −1}."""
    flat = cone.rows[facets] - cone.rows[facets].mean(axis=0)
    plane = flat @ np.linalg.svd(flat, full_matrices=False)[2][:2].T
    return np.argsort(np.arctan2(plane[:, 1], plane[:, 0]))


def vertices(rows: FloatArray, centre: FloatArray) -> FloatArray:
    """z_s on facets s and s + 1, of length 1, (F, 3)."""
    z = np.cross(rows, np.roll(rows, -1, axis=0))
    z *= -np.sign(z @ rows.sum(axis=0))[:, None]
    return z / np.linalg.norm(z, axis=1, keepdims=True)


def ratios(rows: FloatArray, z: FloatArray) -> tuple[FloatArray, FloatArray]:
    """log λ_{s+1} / λ_s and log λ_t / λ_s for a chord from vertex s to t, each (F, F); nan where there is no such chord."""
    after = np.roll(rows, -1, axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = (rows @ z.T) / (after @ z.T)
        jump = rows[:, None, :] - ratio[:, :, None] * after[:, None, :]
        other = jump.transpose(1, 0, 2)
        across = -np.sum(jump * other, axis=2) / np.sum(other * other, axis=2)
        ahead, across = np.log(ratio), np.log(across)
    steps = np.arange(len(rows))
    none = np.isin((steps[:, None] - steps) % len(rows), [0, 1, len(rows) - 1])
    none |= ~np.isfinite(ahead) | ~np.isfinite(ahead.T) | ~np.isfinite(across)
    return np.where(none, np.nan, ahead), np.where(none, np.nan, across)


class Matching:
    """Depth-first search over chords, always from the vertex with the fewest partners whose ratios agree with the λ known."""

    def __init__(self, ahead: FloatArray, across: FloatArray, tolerance: float) -> None:
        self.ahead, self.across, self.tolerance = ahead, across, tolerance
        self.count = len(ahead)
        self.nodes = 0

    def search(self) -> Iterator[tuple[list[tuple[int, int]], FloatArray]]:
        """The chords and the log λ of every matching."""
        logs = np.full(self.count, np.nan)
        logs[0] = 0.0
        yield from self._extend([], np.ones(self.count, dtype=bool), logs)

    def _extend(
        self, chords: list[tuple[int, int]], free: NDArray[np.bool_], logs: FloatArray
    ) -> Iterator[tuple[list[tuple[int, int]], FloatArray]]:
        self.nodes += 1
        if not free.any():
            yield chords, logs
            return
        if self.nodes > MOST_NODES:
            return
        s, partners = self._narrowest(free, logs)
        for t in partners:
            updated, left = logs.copy(), free.copy()
            start = self._start(s, logs)[t]
            known = [start, start + self.ahead[s, t], start + self.across[s, t]]
            known.append(known[2] + self.ahead[t, s])
            for facet, value in zip((s, (s + 1) % self.count, t, (t + 1) % self.count), known, strict=True):
                if np.isnan(updated[facet]):
                    updated[facet] = value
            left[[s, t]] = False
            yield from self._extend([*chords, (s, t)], left, updated)

    def _start(self, s: int, logs: FloatArray) -> FloatArray:
        """log λ_s for every partner t of s, from the facet that is known."""
        return np.where(np.isnan(logs[s]), logs[(s + 1) % self.count] - self.ahead[s], logs[s])

    def _narrowest(self, free: NDArray[np.bool_], logs: FloatArray) -> tuple[int, list[int]]:
        """The free vertex at a known facet with the fewest partners, and these."""
        after = np.roll(logs, -1)
        reachable = np.flatnonzero(free & ~(np.isnan(logs) & np.isnan(after)))
        best: tuple[int, list[int]] = (int(reachable[0]), [])
        for rank, s in enumerate(map(int, reachable)):
            start = self._start(s, logs)
            there = start + self.across[s]
            agrees = free & ~np.isnan(self.across[s])
            for wanted, known in (
                (start + self.ahead[s], after[s]), (there, logs), (there + self.ahead[:, s], after),
            ):  # fmt: skip
                agrees &= np.isnan(known) | (np.abs(wanted - known) < self.tolerance)
            partners = [int(t) for t in np.flatnonzero(agrees)]
            if rank == 0 or len(partners) < len(best[1]):
                best = (s, partners)
            if not partners:
                break
        return best
