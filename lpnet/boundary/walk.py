"""The tree that a search walked, kept as the proof that there is no other piece.

A node fixes the signs of some units. It is split on one more unit, or a leaf of one of these kinds:
- PIECE: all signs are fixed, and a piece has this pattern; OPEN: nothing is known of it, since the search was stopped;
- EMPTY: no point of the domain has these signs, NOT_NEGATIVE: f ≥ 0 there, NEGATIVE: f < 0 up to what bounds no piece. Rows
  show it: 0, −f or f is a combination of them with positive factors, and with units still free as `lpnet.checker` says;
- TOUCHING: all signs are fixed, and f < 0 on both sides of the hyperplane of a unit, its row;
- of several levels only, OUTSIDE: a box around the node before excludes it; BOUNDED: f keeps one sign by a bound over that box.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

AT_ONCE = 1 << 12
PIECE, EMPTY, NOT_NEGATIVE, NEGATIVE, TOUCHING, OPEN, OUTSIDE, BOUNDED, SPLIT = range(9)
Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class Walk:
    """A tree in pre-order, the negative side of a unit before the positive one; L leaves have rows.

    nodes: the kind of a leaf, or SPLIT + the unit, (nodes,); rows: units, inequalities of the domain, the constant 1, and from
    there on units whose share of themselves lies between 0 and 1; −1 after the last, (L, W); full: the units with a share of 1
    as bits, the first one highest, (L, ⌈m/8⌉); order: the number of the node of each piece, (pieces,); points: of each piece,
    one of its cell where f < 0 and one where f > 0, NaN where none are at hand, (pieces, 2, d).
    """

    nodes: NDArray[np.uint16]
    rows: NDArray[np.int32]
    full: NDArray[np.uint8]
    order: Numbers
    points: NDArray[np.float64] | None

    def first(self, pieces: int) -> "Walk":
        """The same with no more pieces than these, the others being open."""
        nodes = self.nodes.copy()
        nodes[self.order[pieces:]] = OPEN
        points = None if self.points is None else self.points[:pieces]
        return replace(self, nodes=nodes, order=self.order[:pieces], points=points)


@dataclass(frozen=True)
class DeepWalk:
    """A tree in pre-order, for a proof.

    nodes: the kind of a leaf (`lpnet.boundary.walk`), or SPLIT + 2 · unit, + 1 where the positive side comes first; rows: what
    leaves with rows name: units, inequalities of the domain, 1, and units of the last level whose share of themselves lies
    between 0 and 1, −1 after the last (L, W); full: the units of the last level with a share of 1, for leaves with a bound of f
    on it, (B, own); pieces: the number of the piece of each PIECE leaf; points: of each piece, one where f < 0 and one where
    f > 0, NaN where none are at hand, (pieces, 2, d).
    """

    nodes: Numbers
    rows: Numbers
    full: NDArray[np.int8]
    pieces: Numbers
    points: NDArray[np.float64]

    def first(self, pieces: int) -> "DeepWalk":
        """The same with no more pieces than these, the others being open."""
        nodes, kept = self.nodes.copy(), self.pieces < pieces
        nodes[np.flatnonzero(nodes == PIECE)[~kept]] = OPEN
        return replace(self, nodes=nodes, pieces=self.pieces[kept], points=self.points[:pieces])


class Recorder:
    """Takes down splits and leaves in the order in which a search comes to them; the root is node 0.

    units: m; width: W.
    """

    def __init__(self, units: int, width: int) -> None:
        self.units, self.width, self.count = units, width, 1
        self.splits: list[tuple[Numbers, Numbers, Numbers]] = []
        self.leaves: list[tuple[Numbers, NDArray[np.uint8]]] = []
        self.shown: list[tuple[Numbers, NDArray[np.int32], NDArray[np.uint8]]] = []
        self.single: list[tuple[int, int, Sequence[int]]] = []

    def split(self, nodes: Any, units: Any) -> Numbers:
        """Split nodes on units; the numbers of their negative children, each followed by the positive one."""
        first = self.count + 2 * np.arange(len(nodes))
        self.count += 2 * len(nodes)
        self.splits.append((np.array(nodes), np.array(units), first))
        return first

    def close(self, nodes: Any, kinds: Any, rows: Any = None, full: Any = None) -> None:
        """Leaves; with the rows (count, ≤ W) that show it, −1 after the last, and the units with a share of 1, (count, m)."""
        if self.single:
            self.gather()
        nodes = np.array(nodes, dtype=np.int64)
        self.leaves.append((nodes, np.broadcast_to(np.asarray(kinds, dtype=np.uint8), nodes.shape)))
        if rows is not None:
            padded, bits = np.full((len(nodes), self.width), -1, np.int32), np.zeros((len(nodes), max(1, self.units)), bool)
            padded[:, : rows.shape[1]] = rows
            if full is not None:
                bits[:, : self.units] = full
            self.shown.append((nodes, padded, np.packbits(bits, axis=1)))

    def judged(self, node: int, kind: int, rows: Sequence[int]) -> None:
        """One leaf, of any kind."""
        self.single.append((node, kind, rows))
        if len(self.single) == AT_ONCE:
            self.gather()

    def gather(self) -> None:
        """Put the leaves that came one by one into arrays."""
        single, self.single = self.single, []
        self.close([node for node, _, _ in single], [kind for _, kind, _ in single])
        shown = [(node, rows) for node, kind, rows in single if kind != PIECE]
        table = np.full((len(shown), self.width), -1, np.int32)
        for line, (_, rows) in zip(table, shown, strict=True):
            line[: len(rows)] = rows
        bits = np.zeros((len(shown), -(-max(1, self.units) // 8)), np.uint8)
        self.shown.append((np.array([node for node, _ in shown], dtype=np.int64), table, bits))

    def split_all(self) -> list[int]:
        """Split all nodes on all units, in order; the leaves in that of their patterns."""
        level = np.zeros(1, dtype=np.int64)
        for unit in range(self.units):
            level = (self.split(level, np.full(len(level), unit))[:, None] + np.arange(2)).ravel()
        return level.tolist()

    def walk(self, order: Any = slice(None), points: NDArray[np.float64] | None = None) -> Walk:
        """The tree, once all is done or given up; order: of the pieces, among themselves; points: in that order."""
        self.close([], EMPTY, np.zeros((0, 0)))
        nodes, child = np.full(self.count, OPEN, dtype=np.uint16), np.zeros(self.count, dtype=np.int64)
        for split, units, first in self.splits:
            nodes[split], child[split] = SPLIT + units, first
        for leaves, kinds in self.leaves:
            nodes[leaves] = kinds
        levels, level = [], np.zeros(1, dtype=np.int64)
        while len(level):
            levels.append(level[nodes[level] >= SPLIT])
            level = (child[levels[-1]][:, None] + np.arange(2)).ravel()
        size, place = np.ones((2, self.count), dtype=np.int64)
        for level in reversed(levels):
            size[level] += size[child[level]] + size[child[level] + 1]
        place[0] = 0
        for level in levels:
            place[child[level]] = place[level] + 1
            place[child[level] + 1] = place[level] + 1 + size[child[level]]
        pieces = np.concatenate([np.zeros(0, dtype=np.int64), *(leaves[kinds == PIECE] for leaves, kinds in self.leaves)])
        leaves, rows, full = map(np.concatenate, zip(*self.shown, strict=True))
        in_order, sorted_nodes = np.argsort(place[leaves]), np.empty_like(nodes)
        sorted_nodes[place] = nodes
        return Walk(sorted_nodes, rows[in_order], full[in_order], place[pieces][order], points)
