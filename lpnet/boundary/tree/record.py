"""The tree that a deep search walked, taken down as it goes: a stream of nodes in pre-order, each fork with its first side."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lpnet.boundary.walk import BOUNDED, EMPTY, NEGATIVE, NOT_NEGATIVE, OPEN, PIECE, SPLIT, TOUCHING, DeepWalk, Walk
from lpnet.programs.cone_kernel import plain

ROOM = 1 << 12  # nodes, besides what a step can add
BOUNDS, WITH_ROWS = (NOT_NEGATIVE, NEGATIVE), (EMPTY, NOT_NEGATIVE, NEGATIVE, TOUCHING, BOUNDED)
Numbers = NDArray[np.int64]


class Log(NamedTuple):
    """What the kernel writes on: nodes (N,), the rows of leaves that have some, −1 for none (N, D + 1), and the units of the
    last level with a share of 1 (N, own); how many nodes and leaves with rows there are (2,), and how many rows (1,).
    """

    nodes: Numbers
    rows: Numbers
    full: NDArray[np.int8]
    written: Numbers
    base: Numbers


def empty_log(units: int, own: int, size: int, rows: int, recorded: bool) -> Log:
    """Room for a chunk of nodes."""
    room = ROOM + 2 * units if recorded else 1
    return Log(
        np.zeros(room, np.int64), np.zeros((room, size + 1), np.int64), np.zeros((room, own), np.int8),
        np.zeros(2, np.int64), np.array([rows]),
    )  # fmt: skip


@plain
def reorder(nodes: Numbers, place: Numbers) -> None:
    """Where nodes stand once the negative side of each unit comes before the positive one; place: room for that (nodes,)."""
    size = np.ones(len(nodes), np.int64)
    for i in range(len(nodes) - 1, -1, -1):
        if nodes[i] >= SPLIT:
            size[i] += size[i + 1] + size[i + 1 + size[i + 1]]
    place[0] = 0
    for i in range(len(nodes)):
        if nodes[i] >= SPLIT:
            first, second = i + 1, i + 1 + size[i + 1]
            if (nodes[i] - SPLIT) % 2:
                first, second = second, first
            place[first], place[second] = place[i] + 1, place[i] + 1 + size[first]


def negative_first(walk: DeepWalk, units: int, width: int) -> Walk:
    """The tree of one level with the negative side of each unit before the positive one, its rows as wide as that."""
    place = np.zeros(len(walk.nodes), np.int64)
    reorder(walk.nodes, place)
    nodes = np.zeros(len(place), np.uint16)
    nodes[place] = np.where(walk.nodes >= SPLIT, SPLIT + (walk.nodes - SPLIT) // 2, walk.nodes)
    shown, bounds = (np.isin(walk.nodes, kinds) for kinds in (WITH_ROWS, BOUNDS))
    rows = np.full((np.count_nonzero(shown), width), -1, np.int32)
    rows[:, : walk.rows.shape[1]] = walk.rows[:, :width]
    full = np.zeros((len(rows), max(1, units)), bool)
    full[bounds[shown], :units] = walk.full
    order, in_order = np.zeros(len(walk.pieces), np.int64), np.argsort(place[shown])
    order[walk.pieces] = place[walk.nodes == PIECE]
    return Walk(nodes, rows[in_order], np.packbits(full[in_order], axis=1), order, walk.points)


class Part(NamedTuple):
    """Some nodes, with the rows that leaves name, the shares of 1 in bounds on the last level, and the numbers of pieces."""

    nodes: Numbers
    rows: Numbers
    full: NDArray[np.int8]
    pieces: Numbers


@dataclass
class Stream:
    """What is taken down below one node by the searcher with this number.

    taken: the streams of nodes that others took off the bottom of its stack: the one taken last comes first.
    """

    size: int
    own: int
    searcher: int = 0
    parts: list[Part] = field(default_factory=list)
    taken: list["Stream"] = field(default_factory=list)

    def note(self, node: int, rows: Sequence[int] | None = None, full: Any = None, piece: int | None = None) -> None:
        """One more node."""
        named = np.full((int(rows is not None), self.size + 1), -1, np.int64)
        if rows is not None:
            named[0, : len(rows)] = rows
        shares = np.zeros((int(node in BOUNDS), self.own), np.int8)
        if full is not None:
            shares[0] = full
        pieces = np.array([] if piece is None else [piece], np.int64)
        self.parts.append(Part(np.array([node], np.int64), named, shares, pieces))

    def flush(self, log: Log, first: int) -> None:
        """What the kernel has written, its pieces having the numbers from this one on."""
        count, shown = log.written.tolist()
        if count:
            nodes = log.nodes[:count].copy()
            bounds = np.isin(nodes[np.isin(nodes, WITH_ROWS)], BOUNDS)
            pieces = first + np.arange(np.count_nonzero(nodes == PIECE))
            self.parts.append(Part(nodes, log.rows[:shown].copy(), log.full[:shown][bounds], pieces))
            log.written[:] = 0

    def joined(self, places: Sequence[Numbers]) -> Part:
        """All of it in order, open where it was not done; places: those of the pieces of each searcher."""
        parts, left = [], [self]
        while left:
            stream = left.pop()
            nodes = [part.nodes for part in stream.parts]
            forks = sum(int(np.count_nonzero(part >= SPLIT)) for part in nodes)
            missing = 1 + 2 * forks - sum(map(len, nodes)) - len(stream.taken)
            parts += [part._replace(pieces=places[stream.searcher][part.pieces]) for part in stream.parts]
            parts.append(self.empty(np.full(missing, OPEN, np.int64)))
            left += stream.taken
        return Part(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))

    def empty(self, nodes: Numbers) -> Part:
        """Nodes of which there is no more to say."""
        none = np.zeros(0, np.int64)
        return Part(nodes, np.zeros((0, self.size + 1), np.int64), np.zeros((0, self.own), np.int8), none)
