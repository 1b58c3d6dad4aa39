"""The tree that a search walked, kept as the proof that there is no other piece.

A node fixes the signs of some units. It is split on one more unit, or a leaf of one of these kinds:
- PIECE: all signs are fixed, and a piece has this pattern; OPEN: nothing is known of it, since the search was stopped;
- EMPTY: no point of the domain has these signs, NOT_NEGATIVE: f ≥ 0 there, NEGATIVE: f < 0 up to what bounds no piece. Rows
  show it: 0, −f or f is a combination of them with positive factors, and with units still free as `lpnet.checker` says;
- TOUCHING: all signs are fixed, and f < 0 on both sides of the hyperplane of a unit, its row;
- of several levels only, OUTSIDE: a box around the node before excludes it; BOUNDED: f keeps one sign by a bound over that box.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

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
