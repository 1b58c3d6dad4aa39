"""Tree ensembles put on the grid of their thresholds (`lpnet.networks.grid`)."""

from collections.abc import Sequence
from operator import add
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lpnet.exact import fraction
from lpnet.networks.differences import LARGEST, Integers
from lpnet.networks.grid import LEAF, Cut, Grid, Part


def grid_of(ensembles: Sequence[Any]) -> Grid:
    """The grid of some `TreeEnsemble`s that split the same features."""
    keys = [[(fraction(t), int(not s)) for t, s in zip(e.threshold, e.strict, strict=True)] for e in ensembles]
    found: list[set[Cut]] = [set() for _ in range(ensembles[0].columns)]
    for e, own in zip(ensembles, keys, strict=True):
        for j in range(e.columns):
            found[j].update(own[node] for node in np.flatnonzero(e.feature == j))
    cuts = [tuple(sorted(own)) for own in found]
    places = [{cut: k for k, cut in enumerate(own)} for own in cuts]
    tables: list[list[NDArray[Any]]] = [[] for _ in range(5)]
    roots, parts, nodes = list[int](), list[Part](), 0
    for e, own in zip(ensembles, keys, strict=True):
        at = [places[j][key] if j >= 0 else 0 for j, key in zip(e.feature.tolist(), own, strict=True)]
        made, trees = _nodes(e, at, cuts)
        feature, place, left, right = (np.array(table, dtype=np.intp) for table in made.tables)
        sums = _bounds(feature, left, right, made.value, len(trees))
        columns = slice(len(roots), len(roots) + len(trees))
        parts.append(Part(columns, nodes, *sums, np.array(e.classes), len(e.names)))
        for table, column in zip(tables, (feature, place, left + nodes, right + nodes, _spread(feature, sums)), strict=True):
            table.append(column)
        roots += [root + nodes for root in trees]
        nodes += len(feature)
    feature, place, left, right, spread = map(np.concatenate, tables)
    return Grid(tuple(cuts), feature, place, left, right, spread, np.array(roots, dtype=np.intp), tuple(parts))


class Nodes:
    """A table of nodes in the making, children before their parents, without splits that make no difference."""

    def __init__(self) -> None:
        self.feature, self.place, self.left, self.right = list[int](), list[int](), list[int](), list[int]()
        self.value: list[tuple[int, ...]] = []

    @property
    def tables(self) -> tuple[list[int], ...]:
        """Features, places, left and right children."""
        return self.feature, self.place, self.left, self.right

    def add(self, value: tuple[int, ...], feature: int = LEAF, place: int = 0, left: int = LEAF, right: int = LEAF) -> int:
        """A new node, or one of its children where they are the same leaf."""
        if feature != LEAF and self.feature[left] == self.feature[right] == LEAF and self.value[left] == self.value[right]:
            return left
        for table, entry in ((self.feature, feature), (self.place, place), (self.left, left), (self.right, right)):
            table.append(entry)
        self.value.append(value)
        return len(self.feature) - 1

    def used(self, root: int) -> frozenset[int]:
        """The features that a tree splits."""
        found, left = set[int](), [root]
        while left:
            node = left.pop()
            if self.feature[node] != LEAF:
                found.add(self.feature[node])
                left += self.left[node], self.right[node]
        return frozenset(found)

    def fill(self, root: int, cells: list[tuple[int, ...]]) -> None:
        """Add what a tree of one feature is on each of its cells."""
        left = [(root, 0, len(cells))]
        while left:
            node, low, high = left.pop()
            if self.feature[node] == LEAF:
                for cell in range(low, high):
                    cells[cell] = tuple(map(add, cells[cell], self.value[node]))
            else:
                middle = min(high, max(low, self.place[node] + 1))
                left += (self.left[node], low, middle), (self.right[node], middle, high)

    def balanced(self, feature: int, cells: Sequence[tuple[int, ...]]) -> int:
        """A tree of one feature that is this on its cells."""
        ends = [place for place in range(len(cells) - 1) if cells[place] != cells[place + 1]]

        def build(low: int, high: int) -> int:
            if low == high:
                return self.add(cells[ends[low] if low < len(ends) else -1])
            middle = (low + high) // 2
            return self.add(cells[0], feature, ends[middle], build(low, middle), build(middle + 1, high))

        return build(0, len(ends))


def _nodes(ensemble: Any, places: Sequence[int], cuts: Sequence[Sequence[Cut]]) -> tuple[Nodes, list[int]]:
    """The trees of an ensemble on the grid; those of a single feature joined, the scores without trees being one of none."""
    nodes, made, differences = Nodes(), dict[int, int](), ensemble.differences
    feature, children = ensemble.feature.tolist(), ensemble.children.tolist()
    values = list(map(tuple, differences.leaf.tolist()))
    for node in range(len(feature) - 1, -1, -1):
        if feature[node] == LEAF:
            made[node] = nodes.add(values[node])
        else:
            made[node] = nodes.add(values[node], feature[node], places[node], *(made[child] for child in children[node]))
    groups: dict[frozenset[int], list[int]] = {frozenset(): [nodes.add(tuple(differences.base.tolist()))]}
    roots = []
    for root in (made[root] for root in ensemble.roots.tolist()):
        used = nodes.used(root)
        if len(used) <= 1:
            groups.setdefault(used, []).append(root)
        else:
            roots.append(root)
    for used, trees in groups.items():
        j = next(iter(used), 0)
        cells = [tuple([0] * len(differences.base))] * (len(cuts[j]) + 1 if used else 1)
        for root in trees:
            nodes.fill(root, cells)
        roots.append(trees[0] if len(trees) == 1 else nodes.balanced(j, cells))
    return nodes, roots


class Sums(NamedTuple):
    """What is known of sums: see `Part`."""

    low: NDArray[np.int64]
    high: NDArray[np.int64]
    exact: Integers
    lossless: bool


def _spread(feature: NDArray[np.intp], sums: Sums) -> NDArray[np.float64]:
    """How much is open beneath each node, as a share of the most; −1 at leaves."""
    open_ = (sums.high - sums.low).max(axis=1, initial=0)
    return np.where(feature >= 0, open_ / max(1, int(open_.max(initial=0))), -1.0)


def _bounds(
    feature: NDArray[np.intp], left: NDArray[np.intp], right: NDArray[np.intp], value: Sequence[tuple[int, ...]], trees: int
) -> Sums:
    """The least and the most that a node adds, rounded outwards to a unit in which all sums fit, and the rest of `Sums`."""
    exact = np.array(value, dtype=object).reshape(len(feature), -1)
    most = trees * max(map(abs, exact.ravel().tolist()), default=0)
    shift = max(0, most.bit_length() - 61)
    low, high = ((exact >> shift).astype(np.int64), (-(-exact >> shift)).astype(np.int64)) if exact.size else (exact, exact)
    for node in np.flatnonzero(feature >= 0):
        children = [left[node], right[node]]
        low[node], high[node] = low[children].min(axis=0), high[children].max(axis=0)
    return Sums(low, high, exact.astype(np.int64) if most < LARGEST else exact, not shift)
