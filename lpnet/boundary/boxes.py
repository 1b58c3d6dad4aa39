"""Boxes of cells of a grid, divided until the answer in each is known, without any program (`lpnet.networks.grid`).

A *row* is a box with the node that each tree has come to in it. The sums of the leaves below these nodes are bounded by whole
numbers; where the bounds leave one class, or what is asked cannot be any more, the box is dropped. Else it is divided at the
cut of the node that leaves most open, and in the parts all trees go down further. Where every tree has come to a leaf, the
answer is known exactly. The last boxes made are looked at first, many at once, and of these first where the sums are near to a
change: what there is is found early, and only what there is not takes the whole tree of boxes.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from lpnet.errors import InputError
from lpnet.networks import Polyhedron
from lpnet.networks.grid import Grid
from lpnet.watch import Watch

AT_ONCE = 1 << 16  # nodes of rows, about
LEAST_AT_ONCE = 32
Look = Callable[["Rows"], "Rows"]  # notes what is known of rows, and says which are still open


class Deciding(Protocol):
    """What says which classes there may be (`lpnet.networks.grid.Part`)."""

    def possible(self, nodes: NDArray[np.intp]) -> NDArray[np.bool_]:
        """Which classes there may be, (batch, T) → (batch, classes)."""
        ...

    def known(self, leaves: NDArray[np.intp]) -> NDArray[np.bool_]:
        """The same for leaves: one each."""
        ...


class Rows(NamedTuple):
    """Rows: the node of each tree, (rows, T); the first and the last cell of each feature, (rows, features); two for each step.

    In the search of needed cuts two successive rows are the two sides of a cut, and `about` is its number for both.
    """

    nodes: NDArray[np.intp]
    low: NDArray[np.intp]
    high: NDArray[np.intp]
    about: NDArray[np.intp]

    def at(self, which: NDArray[np.intp] | slice) -> "Rows":
        """Some of them."""
        return Rows(*(part[which] for part in self))


def start_box(grid: Grid, domain: Polyhedron) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The cells that a domain meets; InputError where it is no box."""
    if domain.forms and not domain.box:
        raise InputError("domain: wanted a box, bounds of the inputs, for decisions by splits of single inputs")
    return grid.cells_in(*domain.bounds)


def difference(
    grid: Grid, one: Deciding, other: Deciding, domain: Polyhedron, watch: Watch
) -> tuple[list[int] | None, bool, int, bool]:
    """A cell of a domain in which two decisions on one grid have different classes, one with an interior where there is any.

    Also whether it has one, how many boxes were looked at, and whether the search came to its end.
    """
    found: dict[bool, list[int]] = {}
    boxes = 0

    def look(rows: Rows) -> Rows:
        nonlocal boxes
        boxes += len(rows.about)
        done = np.flatnonzero((grid.feature[rows.nodes] < 0).all(axis=1))
        open_ = np.ones(len(rows.about), dtype=bool)
        open_[done] = False
        first, second = one.possible(rows.nodes), other.possible(rows.nodes)
        first[done], second[done] = one.known(rows.nodes[done]), other.known(rows.nodes[done])
        alike = (first.sum(axis=1) == 1) & (second.sum(axis=1) == 1) & (first == second).all(axis=1)
        for row in np.flatnonzero(~(first & second).any(axis=1)):
            cells = [grid.roomy(j, int(a), int(b)) for j, (a, b) in enumerate(zip(rows.low[row], rows.high[row], strict=True))]
            found.setdefault(not any(grid.is_point(j, cell) for j, cell in enumerate(cells)), cells)
        return rows.at(slice(0)) if True in found else rows.at(np.flatnonzero(~alike & open_ & (first & second).any(axis=1)))

    low, high = (ends[None].copy() for ends in start_box(grid, domain))
    root = Rows(grid.descended(grid.roots[None].copy(), low, high), low, high, np.zeros(1, dtype=np.intp))
    complete = searched(grid, root, 1, look, watch, 0.0, lambda: boxes)
    return found.get(True, found.get(False)), True in found, boxes, complete


def filled_boxes(grid: Grid, most: int, watch: Watch) -> list[tuple[int, Sequence[int], Sequence[int]]]:
    """Disjoint boxes of cells that each one class of an ensemble fills: the class, the first and the last cells.

    All of them, or more than `most`.
    """
    part = grid.parts[0]
    found: list[tuple[int, Sequence[int], Sequence[int]]] = []

    def look(rows: Rows) -> Rows:
        done = (grid.feature[rows.nodes] < 0).all(axis=1)
        possible = part.possible(rows.nodes)
        leaves = np.flatnonzero(done)
        possible[leaves] = part.known(rows.nodes[leaves])
        single = possible.sum(axis=1) == 1
        for row in np.flatnonzero(single):
            found.append((int(possible[row].argmax()), rows.low[row].tolist(), rows.high[row].tolist()))
        return rows.at(np.flatnonzero(~single)) if len(found) <= most else rows.at(slice(0))

    low, high = np.zeros((1, grid.features), dtype=np.intp), grid.last[None].copy()
    root = Rows(grid.descended(grid.roots[None].copy(), low, high), low, high, np.zeros(1, dtype=np.intp))
    if not searched(grid, root, 1, look, watch, watch.share, lambda: len(found)):
        raise watch.error()
    return found


def searched(grid: Grid, rows: Rows, sides: int, look: Look, watch: Watch, share: float, seen: Callable[[], int]) -> bool:
    """Look at rows and all their parts; whether the watch let it come to its end."""
    most = sides * max(LEAST_AT_ONCE, AT_ONCE // max(1, len(grid.roots)))
    stack = [look(rows)]
    while stack:
        rows = stack.pop()
        if len(rows.about) > most:
            stack.append(rows.at(slice(0, len(rows.about) - most)))
            rows = rows.at(slice(len(rows.about) - most, None))
        if not len(rows.about):
            continue
        if not watch(share, seen()):
            return False
        parts = look(_divided(grid, rows, sides))
        if len(parts.about):
            stack.append(parts.at(_nearest_last(grid, parts, sides)))
    return True


def _divided(grid: Grid, rows: Rows, sides: int) -> Rows:
    """The two parts of each box, at the cut of the node that leaves most open on either side."""
    steps = len(rows.about) // sides
    open_ = grid.spread[rows.nodes].reshape(steps, -1)
    node = rows.nodes.reshape(steps, -1)[np.arange(steps), open_.argmax(axis=1)]
    feature, place = np.repeat(grid.feature[node], sides), np.repeat(grid.place[node], sides)
    each = np.arange(len(rows.about))
    below, above = rows.high.copy(), rows.low.copy()
    below[each, feature], above[each, feature] = place, place + 1
    both = Rows(
        np.concatenate([rows.nodes, rows.nodes]),
        np.concatenate([rows.low, above]),
        np.concatenate([below, rows.high]),
        np.concatenate([rows.about, rows.about]),
    )
    grid.descended(both.nodes, both.low, both.high)
    return both


def _nearest_last(grid: Grid, rows: Rows, sides: int) -> NDArray[np.intp]:
    """The order of steps in which those come last whose sums are nearest to a change."""
    middle = np.zeros(len(rows.about) // sides)
    for part in grid.parts:
        own = rows.nodes[:, part.columns] - part.first
        sums = (part.low[own].astype(np.float64) + part.high[own]).sum(axis=1)
        middle += np.abs(sums.reshape(len(middle), sides, -1)).min(axis=2).sum(axis=1)
    order = np.argsort(-middle, kind="stable")
    return twice(order) if sides == 2 else order


def twice(steps: NDArray[np.intp]) -> NDArray[np.intp]:
    """Both rows of each step."""
    return (2 * steps[:, None] + np.arange(2)).ravel()
