"""The grid that the thresholds of tree ensembles make, and the ensembles on it: boxes of cells, and bounds of sums on them.

A *cut* of feature j is a threshold t with the side to which t itself belongs: z_j ≤ t, or z_j < t. The cuts of a feature, in
order, divide the line into *cells*: intervals, or single points. A product of cells is where no split of any tree divides, and
the answer is the same all over it, borders included.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lpnet.exact import Form
from lpnet.networks.differences import Integers, winners

Cut = tuple[Fraction, int]  # a threshold, and whether it belongs to the cell below: 1, or 0 to the one above
LEAF = -1


class Part(NamedTuple):
    """One ensemble on the grid.

    columns: its trees among all; first: its first node; low, high: bounds of what a node adds to the differences of scores, in
    int64 and a unit of their own; exact: what its leaves add; lossless: whether the bounds of a leaf are what it adds;
    classes: for which class each score speaks; names: how many classes there are.
    """

    columns: slice
    first: int
    low: NDArray[np.int64]
    high: NDArray[np.int64]
    exact: Integers
    lossless: bool
    classes: NDArray[np.intp]
    names: int

    def possible(self, nodes: NDArray[np.intp]) -> NDArray[np.bool_]:
        """Which classes there may be where each tree has come to this node, (batch, all trees) → (batch, classes)."""
        own = nodes[:, self.columns] - self.first
        low, high = self.low[own].sum(axis=1), self.high[own].sum(axis=1)
        return self.of_scores(winners(low >= 0, high < 0, len(self.classes)))

    def known(self, leaves: NDArray[np.intp]) -> NDArray[np.bool_]:
        """The same for leaves, exactly: one class each."""
        if self.lossless:
            return self.possible(leaves)
        ahead = self.exact[leaves[:, self.columns] - self.first].sum(axis=1) >= 0
        return self.of_scores(winners(ahead, ~ahead, len(self.classes)))

    def of_scores(self, possible: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Classes for scores."""
        made = np.zeros((len(possible), self.names), dtype=bool)
        for score, number in enumerate(self.classes):
            made[:, number] |= possible[:, score]
        return made


@dataclass(frozen=True, eq=False)
class Grid:
    """Ensembles on the grid of all their thresholds.

    cuts: of each feature, in order; feature, place, left, right: of all nodes, (n,): left where the cell is not beyond cut
    number `place`; spread: how much is open beneath a node, −1 at leaves; roots: of all trees; parts: the ensembles. Trees that
    split a single feature, the same one, are one tree here.
    """

    cuts: tuple[tuple[Cut, ...], ...]
    feature: NDArray[np.intp]
    place: NDArray[np.intp]
    left: NDArray[np.intp]
    right: NDArray[np.intp]
    spread: NDArray[np.float64]
    roots: NDArray[np.intp]
    parts: tuple[Part, ...]

    @property
    def features(self) -> int:
        """How many there are."""
        return len(self.cuts)

    @cached_property
    def last(self) -> NDArray[np.intp]:
        """The last cell of each feature."""
        return np.array([len(own) for own in self.cuts], dtype=np.intp)

    def descended(self, nodes: NDArray[np.intp], low: NDArray[np.intp], high: NDArray[np.intp]) -> NDArray[np.intp]:
        """Where each tree comes to in boxes of cells low … high: down from its node as long as one side alone is met.

        nodes: (boxes, T), changed in place; low, high: (boxes, features).
        """
        flat, trees = nodes.reshape(-1), nodes.shape[1]
        open_ = np.flatnonzero(self.feature[flat] >= 0)
        while len(open_):
            node = flat[open_]
            box, feature, place = open_ // trees, self.feature[node], self.place[node]
            down, up = high[box, feature] <= place, low[box, feature] > place
            moved = down | up
            open_, node, down = open_[moved], node[moved], down[moved]
            flat[open_] = node = np.where(down, self.left[node], self.right[node])
            open_ = open_[self.feature[node] >= 0]
        return nodes

    def cells_in(self, low: Sequence[Fraction | None], high: Sequence[Fraction | None]) -> tuple[Any, Any]:
        """The first and the last cell of each feature that the open interval low … high meets."""
        first = [0 if a is None else sum(t <= a for t, _ in own) for own, a in zip(self.cuts, low, strict=True)]
        last = [len(own) if b is None else sum(t < b for t, _ in own) for own, b in zip(self.cuts, high, strict=True)]
        return np.array(first, dtype=np.intp), np.array(last, dtype=np.intp)

    def halfspace(self, feature: int, place: int) -> Form:
        """The closed half-space of a cut: {t − z ≥ 0} where t belongs to the cell below, {z − t ≥ 0} where to the one above."""
        (t, below), form = self.cuts[feature][place], [0] * (self.features + 1)
        form[feature], form[-1] = (-t.denominator, t.numerator) if below else (t.denominator, -t.numerator)
        return tuple(form)

    def is_point(self, feature: int, cell: int) -> bool:
        """Whether a cell is a single number."""
        cuts = self.cuts[feature]
        return 0 < cell < len(cuts) and cuts[cell - 1][0] == cuts[cell][0]

    def roomy(self, feature: int, low: int, high: int) -> int:
        """One of some successive cells, no single number where there is another one."""
        return low + 1 if low < high and self.is_point(feature, low) else low

    def within(self, feature: int, cell: int, low: Fraction | None = None, high: Fraction | None = None) -> Fraction:
        """A number in a cell and in an open interval that meets it."""
        cuts = self.cuts[feature]
        if self.is_point(feature, cell):
            return cuts[cell][0]
        least = [end for end in (cuts[cell - 1][0] if cell else None, low) if end is not None]
        most = [end for end in (cuts[cell][0] if cell < len(cuts) else None, high) if end is not None]
        if least and most:
            return simple_between(max(least), min(most))
        return max(least) + 1 if least else min(most) - 1 if most else Fraction(0)


def simple_between(a: Fraction, b: Fraction) -> Fraction:
    """The number between a and b that has the fewest binary digits after the point, near their middle."""
    bits = 0
    while True:
        middle = Fraction(round((a + b) / 2 * (1 << bits)), 1 << bits)
        if a < middle < b:
            return middle
        bits += 1
