"""What searches of a deep tree have found, put together."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from lpnet.boundary.tree.problem import from_ray
from lpnet.exact import FloatArray, Point, add, primitive, times, value


class Crossings(Sequence[Point]):
    """What searches have found, in lexicographic order: patterns, (pieces, m), and of each piece (or cell) a point; of several
    outputs also pairs of them, (pieces, 2), else (pieces, 0).

    That is where f is 0 between two points of its cell (or one point of it), or one that was found exactly. places: those of
    the pieces of each search.
    """

    def __init__(self, *searches: Any) -> None:
        first = searches[0]
        self.halfspace, self.scale, self.kept, self.inputs = first.halfspace, first.scale, first.kept, first.given
        self.pieces = first.pieces
        packed = [patterns for search in searches for patterns in search.patterns]
        rows = np.concatenate([np.zeros((0, -(-first.m // 8)), np.uint8), *packed])
        rays = [part for search in searches for part in search.rays]
        pairs = [part for search in searches for part in search.pairs]
        both = np.concatenate([np.zeros((0, 2), np.intp), *pairs]) if pairs else np.zeros((len(rows), 0), np.intp)
        order = np.lexsort((*both.T[::-1], *rows.T[::-1], np.zeros(len(rows))))
        self.patterns = np.unpackbits(rows[order], axis=1)[:, : first.m].astype(bool)
        self.pairs = both[order]
        self.rays = np.concatenate([np.zeros((0, 2, len(first.scale))), *rays])[order]
        ends = np.cumsum([search.count for search in searches])
        self.places = np.split(np.argsort(order), ends[:-1])
        self.known: dict[int, Point] = {}
        for search, place in zip(searches, self.places, strict=True):
            self.known |= {int(place[number]): at for number, at in search.known.items()}

    def __len__(self) -> int:
        return len(self.patterns)

    def __getitem__(self, k: Any) -> Any:
        if isinstance(k, slice):
            return tuple(self[i] for i in range(*k.indices(len(self))))
        at = self.known.get(k) or (self.between(k) if self.pieces else from_ray(self.rays[k, 0], self.scale))
        point = [0] * self.inputs
        for j, entry in zip(self.kept, at, strict=False):
            point[j] = entry
        return (*point, at[-1])

    @property
    def points(self) -> FloatArray:
        """Of each piece, the points of its cell where f < 0 and where f > 0, rounded; NaN where there are none."""
        at = np.zeros((len(self), 2, self.inputs))
        with np.errstate(all="ignore"):
            exponents = np.array(self.scale[:-1], dtype=int) - self.scale[-1]
            at[:, :, self.kept] = np.ldexp(self.rays[:, :, :-1] / self.rays[:, :, -1:], exponents)
        return at

    def between(self, k: int) -> Point:
        """Where f is 0 on the way from one of the two points to the other."""
        f = self.halfspace(self.patterns[k], *self.pairs[k : k + 1])
        below, above = (from_ray(x, self.scale) for x in self.rays[k])
        return primitive(add(times(value(f, above), below), times(-value(f, below), above)))
