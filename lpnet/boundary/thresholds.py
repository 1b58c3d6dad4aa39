"""The thresholds at which a decision by axis-parallel splits changes.

A sum of functions of single inputs has a search of its own (`lpnet.boundary.additive`). Of others, points near each cut go to
where both sides of it are near to a change, and note it where there is one: what is needed is mostly found so. What is left is
decided by boxes (`lpnet.boundary.boxes`).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lpnet.boundary.additive import is_additive, needed
from lpnet.boundary.boxes import AT_ONCE, LEAST_AT_ONCE, Rows, searched, start_box, twice
from lpnet.networks import Polyhedron
from lpnet.networks.grid import Grid
from lpnet.watch import Watch

WALKERS, IDLE = 32, 4
ROUNDS, MOVES, MOST_ON_LINE = 8, 40, 24
FEW_BOXES = 1 << 12


@dataclass(frozen=True, eq=False)
class Changes:
    """The cuts at which the answer changes.

    cuts: numbers (feature, place), (units, 2), in order; classes: which two lie beside each, (units, K, K); cells: of each of
    them, one cell just below it at which it does; boxes: looked at; complete: whether the search came to its end.
    """

    cuts: NDArray[np.intp]
    classes: NDArray[np.bool_]
    cells: NDArray[np.intp]
    boxes: int
    complete: bool


def changes(grid: Grid, domain: Polyhedron, watch: Watch) -> Changes:
    """The cuts of one ensemble at which its answer changes in a domain.

    Points near cuts go first to where both sides are near to a change, and note it. A cut that is left is asked about in the
    box of each node that splits at it: with the cell below it, and with the one above it; those that take many boxes come last.
    """
    search = Search(grid, *start_box(grid, domain), watch)
    if is_additive(grid):
        search.add_up()
    else:
        search.approach()
        if search.part.names > 2:
            search.walk()
        search.exclude()
    units = np.flatnonzero(search.found.any(axis=(1, 2)))
    feature = np.searchsorted(search.first, units, side="right") - 1
    watch(1.0, len(units))
    cuts = np.column_stack([feature, units - search.first[feature]])
    return Changes(cuts, search.found[units], search.cells[units], search.boxes, watch.stopped is None)


class Search:
    """The search of the cuts at which the answer changes in a box of cells low … high, and what is known so far.

    first: number of the first cut of each feature; found: (cuts, K, K), which two classes lie beside each; cells: one below it.
    """

    def __init__(self, grid: Grid, low: NDArray[np.intp], high: NDArray[np.intp], watch: Watch) -> None:
        self.grid, self.low, self.high, self.watch, self.part = grid, low, high, watch, grid.parts[0]
        self.first = np.concatenate([[0], np.cumsum(grid.last)])
        self.found = np.zeros((self.first[-1], self.part.names, self.part.names), dtype=bool)
        self.cells = np.zeros((self.first[-1], grid.features), dtype=np.intp)
        self.wanted = ~np.eye(self.part.names, dtype=bool)
        self.boxes, self.seen = 0, 0

    def note(self, unit: int, pairs: NDArray[np.bool_], cells: NDArray[np.intp]) -> None:
        """That the answer changes at a cut."""
        if not self.found[unit].any():
            self.seen += 1
            self.cells[unit] = cells
        self.found[unit] |= pairs | pairs.T

    def add_up(self) -> None:
        """Of a sum of functions of single inputs (`lpnet.boundary.additive`)."""
        found, _ = needed(self.grid, self.low, self.high, self.watch)
        for j, place, below_is_first, cells in found:
            pairs = np.zeros_like(self.wanted)
            a, b = self.part.classes if below_is_first else self.part.classes[::-1]
            pairs[a, b] = True
            self.note(self.first[j] + place, pairs, np.array(cells))

    def walk(self) -> None:
        """Note the changes along lines through points that go where the sums are near to a change, until they see no more."""
        random, walkers = np.random.default_rng(0), np.zeros((WALKERS, 1), dtype=np.intp)
        low, high = self.low + walkers, self.high + walkers
        at = random.integers(low, high + 1)
        free = np.flatnonzero(self.high > self.low)
        idle = 0
        while len(free) and idle < IDLE * len(free) and self.watch(0.0, self.seen):
            before = self.found.sum()
            features = random.choice(free, size=WALKERS)
            cells, walker, line = lines_through(at, features, low, high)
            answers, away = self._looked(cells)
            steps = np.flatnonzero((walker[1:] == walker[:-1]) & (answers[1:] != answers[:-1]))
            for k in steps:
                self._note_pair(self.first[features[walker[k]]] + line[k], answers[k], answers[k + 1], cells[k])
            move(at, features, walker, line, away, random)
            idle = 0 if self.found.sum() > before else idle + 1

    def approach(self) -> None:
        """Of each cut that is still open, let points near it go where its two sides are near to a change."""
        random = np.random.default_rng(1)
        nodes, low, high = splits_of(self.grid, self.low, self.high, self.first, np.asarray(~self.found.any(axis=(1, 2))))
        size = max(LEAST_AT_ONCE, 16 * AT_ONCE // (MOST_ON_LINE * len(self.grid.roots)))
        for _ in range(ROUNDS):
            for start in range(0, len(nodes), size):
                part = slice(start, start + size)
                if not self._approach(nodes[part], low[part], high[part], random):
                    return

    def _approach(
        self, nodes: NDArray[np.intp], low: NDArray[np.intp], high: NDArray[np.intp], random: np.random.Generator
    ) -> bool:
        """The same for some splits and the boxes that come to them, from random points there; whether the watch let it."""
        at = random.integers(low, high + 1)
        for _ in range(MOVES):
            feature, place = self.grid.feature[nodes], self.grid.place[nodes]
            kept = ~self.found[self.first[feature] + place].any(axis=(1, 2))
            nodes, low, high, at, feature, place = (part[kept] for part in (nodes, low, high, at, feature, place))
            if not len(nodes) or not self.watch(0.0, self.seen):
                break
            which = np.arange(len(nodes))
            at[which, feature] = place
            room = (high > low).astype(float) + 1e-9
            room[which, feature] = 0
            chosen = (room * random.random(room.shape)).argmax(axis=1)
            below, walker, line = lines_through(at, chosen, low, high, random)
            each = np.arange(len(below))
            below[each, feature[walker]] = place[walker]  # where there is no other feature to go along
            above = below.copy()
            above[each, feature[walker]] += 1
            (answers, away), (others, away_too) = self._looked(below), self._looked(above)
            for k in np.flatnonzero(answers != others):
                self._note_pair(self.first[feature[walker[k]]] + place[walker[k]], answers[k], others[k], below[k])
            move(at, chosen, walker, line, np.minimum(away, away_too), random)
        return self.watch.stopped is None

    def _looked(self, cells: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        """The classes in cells, and how far the sums are from another one."""
        leaves = self.grid.descended(np.tile(self.grid.roots, (len(cells), 1)), cells, cells)
        own = leaves[:, self.part.columns] - self.part.first
        away = np.abs(self.part.low[own].sum(axis=1).astype(np.float64)).min(axis=1)
        return self.part.known(leaves).argmax(axis=1), away

    def _note_pair(self, unit: int, below: int, above: int, cells: NDArray[np.intp]) -> None:
        pair = np.zeros_like(self.wanted)
        pair[below, above] = True
        self.note(unit, pair, cells)

    def exclude(self) -> None:
        """Decide about all cuts: with few boxes each, and those that take more with ever more."""
        open_, budget = np.ones(self.first[-1], dtype=bool), FEW_BOXES
        while open_.any():
            over = np.zeros_like(open_)
            if not self._within(open_, budget, over):
                return
            open_, budget = over, 8 * budget

    def _within(self, open_: NDArray[np.bool_], budget: int, over: NDArray[np.bool_]) -> bool:
        """Decide about some cuts with so many boxes each; `over` are those that take more. Whether the watch let it."""
        grid, part, used = self.grid, self.part, np.zeros(len(open_), dtype=np.intp)

        def look(rows: Rows) -> Rows:
            about = rows.about[::2]
            self.boxes += len(about)
            np.add.at(used, about, 1)
            over[used > budget] = True
            done = (grid.feature[rows.nodes] < 0).all(axis=1).reshape(-1, 2).all(axis=1)
            possible = part.possible(rows.nodes)
            leaves = twice(np.flatnonzero(done))
            possible[leaves] = part.known(rows.nodes[leaves])
            pairs = possible[::2, :, None] & possible[1::2, None, :] & self.wanted & ~self.found[about]
            hopeful = pairs.any(axis=(1, 2))
            for step in np.flatnonzero(done & hopeful):
                self.note(about[step], pairs[step], rows.low[2 * step])
            return rows.at(twice(np.flatnonzero(hopeful & ~done & ~over[about])))

        total = len(open_)
        for rows in _starts(grid, self.low, self.high, self.first, open_):
            share = 1 - open_.sum() / total
            if not searched(grid, rows, 2, look, self.watch, share, lambda: self.seen):
                return False
        return True


def _starts(
    grid: Grid, low: NDArray[np.intp], high: NDArray[np.intp], first: NDArray[np.intp], open_: NDArray[np.bool_]
) -> Iterator[Rows]:
    """The two sides of each open cut, in the box of each node that splits at it, some at a time."""
    nodes, lows, highs = splits_of(grid, low, high, first, open_)
    size = max(LEAST_AT_ONCE, AT_ONCE // max(1, len(grid.roots)))
    for start in range(0, len(nodes), size):
        split = nodes[start : start + size]
        feature, place = grid.feature[split], grid.place[split]
        below, above = np.repeat(lows[start : start + size], 2, axis=0), np.repeat(highs[start : start + size], 2, axis=0)
        each, cell = np.arange(2 * len(split)), np.column_stack([place, place + 1]).ravel()
        below[each, np.repeat(feature, 2)] = above[each, np.repeat(feature, 2)] = cell
        trees = grid.descended(np.tile(grid.roots, (len(each), 1)), below, above)
        yield Rows(trees, below, above, np.repeat(first[feature] + place, 2))


def lines_through(
    at: NDArray[np.intp],
    features: NDArray[np.intp],
    low: NDArray[np.intp],
    high: NDArray[np.intp],
    random: np.random.Generator | None = None,
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
    """The cells of a line through each point, along one feature within its box; which point's each is, and which on the line.

    random: where the lines are to be sampled, if they are long.
    """
    which = np.arange(len(at))
    room = high[which, features] - low[which, features] + 1
    count = np.minimum(room, MOST_ON_LINE) if random else room
    walker = np.repeat(which, count)
    step = np.arange(len(walker)) - np.repeat(np.cumsum(count) - count, count)
    if random:
        step = ((step + random.random(len(step))) * (room / count)[walker]).astype(np.intp)
    line = step + low[which, features][walker]
    cells = at[walker]
    cells[np.arange(len(walker)), features[walker]] = line
    return cells, walker, line


def move(
    at: NDArray[np.intp],
    features: NDArray[np.intp],
    walker: NDArray[np.intp],
    line: NDArray[np.intp],
    away: NDArray[np.float64],
    random: np.random.Generator,
) -> None:
    """Let each point go along its line to where it is nearest to a change, or nearly so."""
    order = np.lexsort((away * random.uniform(0.5, 2.0, size=len(away)), walker))
    first = order[np.searchsorted(walker[order], np.arange(len(at)))]
    at[np.arange(len(at)), features] = line[first]


def splits_of(
    grid: Grid, low: NDArray[np.intp], high: NDArray[np.intp], first: NDArray[np.intp], open_: NDArray[np.bool_]
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
    """The nodes that split at open cuts, and the boxes of cells that come to them."""
    nodes, lows, highs = _boxes_of_splits(grid, low, high)
    chosen = np.flatnonzero(open_[first[grid.feature[nodes]] + grid.place[nodes]])
    return nodes[chosen], lows[chosen], highs[chosen]


def _boxes_of_splits(
    grid: Grid, low: NDArray[np.intp], high: NDArray[np.intp]
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
    """All nodes that divide what comes to them, and the boxes of cells that do; the smallest trees' first."""
    found: list[tuple[int, NDArray[np.intp], NDArray[np.intp]]] = []
    for root in grid.roots.tolist():
        left = [(root, low, high)]
        while left:
            node, a, b = left.pop()
            j, place = grid.feature[node], grid.place[node]
            if j < 0:
                continue
            if a[j] <= place < b[j]:
                found.append((node, a, b))
            if a[j] <= place:
                end = b.copy()
                end[j] = min(b[j], place)
                left.append((int(grid.left[node]), a, end))
            if b[j] > place:
                begin = a.copy()
                begin[j] = max(a[j], place + 1)
                left.append((int(grid.right[node]), begin, b))
    if not found:
        return np.zeros(0, dtype=np.intp), np.zeros((0, grid.features), np.intp), np.zeros((0, grid.features), np.intp)
    nodes, lows, highs = zip(*found[::-1], strict=True)
    return np.array(nodes, dtype=np.intp), np.array(lows), np.array(highs)
