"""What passes between an engine and its caller."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lpnet.boundary.walk import DeepWalk, Walk
from lpnet.brief import brief
from lpnet.exact import Point

Position = Literal["independent", "general", ""]


class NotApplicable(Exception):
    """An engine cannot take this form; the message says why, and another engine can."""


class Effort(NamedTuple):
    """What the tree of a form of several levels looked at.

    nodes; pruned: those dropped with units still open, since f keeps one sign on them; cells: with all units fixed;
    barren: of these the ones without a piece; exact: questions that floats left to integers.
    """

    nodes: int
    pruned: int
    cells: int
    barren: int
    exact: int


@dataclass(frozen=True)
class Pieces:
    """What an engine returns.

    patterns: the activation patterns of the units of the normal form on the negative side of each piece, (pieces, m), in
    lexicographic order; witnesses: a point of each piece, where the engine has them at hand; programs: how many it solved;
    complete: whether these are all pieces; count: how many, where they were counted without being stored; tree: what shows
    that there are no others, where the engine was to record it; effort: of a tree of several levels.
    position: what the engine has seen of f on R^d: "independent": the gradients of the units are; "general": f ≠ 0 wherever r
    units of rank r vanish, r the rank of all of them with l; "": nothing.
    pairs: of a decision of several outputs, the two between which each piece lies, (pieces, 2); a cell may have many.
    """

    patterns: NDArray[np.bool_]
    witnesses: Sequence[Point] | None
    programs: int
    complete: bool = True
    count: int | None = None
    tree: Walk | DeepWalk | None = None
    position: Position = ""
    pairs: NDArray[np.intp] | None = None
    effort: Effort | None = None

    __repr__ = brief()
