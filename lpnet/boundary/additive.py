"""Which thresholds a sum of functions of single inputs needs: stumps, and trees that split one input each.

f(z) = Σ_j g_j(z_j), each g_j constant on the cells of its cuts. A cut of z_j with g_j = a below it and b above is needed just
where Σ_{k≠j} g_k takes a value in [−max(a, b), −min(a, b)): then one side has f ≥ 0 and the other has not. Whether it does is
searched from the largest g_k to the smallest, those that are left being bounded; the last of them are one sorted list of sums.
Numbers are whole ones rounded down to 62 bits, and what they say is confirmed with all digits.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lpnet.networks.grid import Grid
from lpnet.watch import Watch

MOST_LISTED, AT_ONCE = 1 << 16, 1 << 12
Table = list[list[int]]  # for each feature, what g is on each of its cells


def is_additive(grid: Grid) -> bool:
    """Whether it is one ensemble of two classes and every tree splits one input alone."""
    part = grid.parts[0]
    pure = all(len(set(grid.feature[own][grid.feature[own] >= 0])) <= 1 for own in _trees(grid))
    return pure and len(part.classes) == 2 and part.classes[0] != part.classes[1]


def sums(grid: Grid) -> tuple[Table, int]:
    """g of each feature on its cells, and the constant, in integers."""
    part, base = grid.parts[0], 0
    made = [[0] * (last + 1) for last in grid.last.tolist()]
    for root, own in zip(grid.roots.tolist(), _trees(grid), strict=True):
        features = grid.feature[own][grid.feature[own] >= 0]
        if not len(features):
            base += int(part.exact[root, 0])
            continue
        j = int(features[0])
        for cell in range(len(made[j])):
            node = root
            while grid.feature[node] >= 0:
                node = grid.left[node] if cell <= grid.place[node] else grid.right[node]
            made[j][cell] += int(part.exact[node, 0])
    return made, base


def needed(
    grid: Grid, low: NDArray[np.intp], high: NDArray[np.intp], watch: Watch
) -> tuple[list[tuple[int, int, bool, list[int]]], bool]:
    """The needed cuts of a box of cells: feature, place, whether f ≥ 0 below it, a cell below it; and whether these are all."""
    table, base = sums(grid)
    found: list[tuple[int, int, bool, list[int]]] = []
    total = int(grid.last.sum())
    for j in range(grid.features):
        rest = [
            {value: cell for cell, value in reversed(list(enumerate(own[a : b + 1], a)))}
            for own, a, b in zip(table, low.tolist(), high.tolist(), strict=True)
        ]
        rest[j] = {base: 0}
        others = Others(rest)
        for place in range(low[j], high[j]):
            if not watch(len(found) / (total + 1), len(found)):
                return found, False
            below, above = table[j][place : place + 2]
            if below == above:
                continue
            cells = others.within(-max(below, above), -min(below, above), watch)
            if watch.stopped:
                return found, False
            if cells:
                cells[j] = place
                found.append((j, place, below > above, cells))
    return found, True


class Others:
    """The sums of one value of each feature."""

    def __init__(self, values: Sequence[dict[int, int]]) -> None:
        self.values = values
        order = sorted(range(len(values)), key=lambda k: min(values[k]) - max(values[k]))
        most = sum(max(map(abs, own)) for own in values)
        self.shift = max(0, most.bit_length() - 61)
        tables = [np.array([value >> self.shift for value in values[k]], dtype=np.int64) for k in order]
        listed, count = len(order), 1
        while listed and count * len(tables[listed - 1]) <= MOST_LISTED:
            listed -= 1
            count *= len(tables[listed])
        tail = np.zeros(1, dtype=np.int64)
        for own in tables[listed:]:
            tail = (tail[:, None] + own).ravel()
        self.order, self.head = order, tables[:listed]
        self.sizes = [len(own) for own in tables[listed:]]
        self.tail_order = np.argsort(tail, kind="stable")
        self.tail = tail[self.tail_order]
        least = [int(own.min()) for own in self.head] + [int(self.tail[0])]
        most_of = [int(own.max()) for own in self.head] + [int(self.tail[-1])]
        self.least, self.most = (np.cumsum(ends[::-1])[::-1].tolist() for ends in (least, most_of))

    def within(self, start: int, end: int, watch: Watch) -> list[int] | None:
        """Cells whose values have a sum from `start` to below `end`; None where there are none, or the watch said stop."""
        first, last = (start >> self.shift) - len(self.order), (end >> self.shift) + 1
        stack = [(0, np.zeros(1, dtype=np.int64), np.zeros((1, 0), dtype=np.intp))]
        while stack:
            depth, total, chosen = stack.pop()
            if not watch(watch.share, watch.found):
                return None
            if len(total) > AT_ONCE:
                stack.append((depth, total[:-AT_ONCE], chosen[:-AT_ONCE]))
                total, chosen = total[-AT_ONCE:], chosen[-AT_ONCE:]
            if depth == len(self.head):
                if cells := self._listed(total, chosen, first, last, start, end):
                    return cells
                continue
            own = self.head[depth]
            sums = (total[:, None] + own).ravel()
            low, high = sums + self.least[depth + 1], sums + self.most[depth + 1]
            keep = np.flatnonzero((high >= first) & (low <= last))
            keep = keep[np.argsort(-np.abs(low[keep] // 2 + high[keep] // 2 - (first // 2 + last // 2)), kind="stable")]
            if len(keep):
                stack.append((depth + 1, sums[keep], np.column_stack([chosen[keep // len(own)], keep % len(own)])))
        return None

    def _listed(
        self, total: NDArray[np.int64], chosen: NDArray[np.intp], first: int, last: int, start: int, end: int
    ) -> list[int] | None:
        """The same with one of the list of sums for the rest, with all digits."""
        begin, stop = np.searchsorted(self.tail, first - total), np.searchsorted(self.tail, last - total, side="right")
        for row in np.flatnonzero(begin < stop)[::-1]:
            middle = (begin[row] + stop[row]) // 2
            for place in sorted(range(begin[row], stop[row]), key=lambda k: abs(k - middle)):
                rest = np.unravel_index(self.tail_order[place], self.sizes) if self.sizes else ()
                keys = [list(self.values[k])[int(i)] for k, i in zip(self.order, [*chosen[row], *rest], strict=True)]
                if start <= sum(keys) < end:
                    cells = [0] * len(self.values)
                    for k, value in zip(self.order, keys, strict=True):
                        cells[k] = self.values[k][value]
                    return cells
        return None


def _trees(grid: Grid) -> list[NDArray[np.intp]]:
    """The nodes of each tree."""
    found: list[NDArray[np.intp]] = []
    for root in grid.roots.tolist():
        nodes, left = [], [root]
        while left:
            node = left.pop()
            nodes.append(node)
            if grid.feature[node] >= 0:
                left += int(grid.left[node]), int(grid.right[node])
        found.append(np.array(nodes, dtype=np.intp))
    return found
