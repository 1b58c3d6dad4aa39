"""The thresholds that a decision by trees really needs."""

import logging
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lpnet.boundary.boxes import start_box
from lpnet.boundary.thresholds import Changes, changes
from lpnet.brief import brief
from lpnet.equivalents.classes import Border
from lpnet.errors import LpnetError
from lpnet.exact import Form, Point, primitive
from lpnet.networks import Polyhedron
from lpnet.networks.grid import Grid
from lpnet.networks.polyhedron import as_domain
from lpnet.networks.question import Question, question
from lpnet.networks.tree_table import Node, Table
from lpnet.networks.trees import TreeEnsemble
from lpnet.watch import Watch

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class MinimalTrees:
    """The distinct half-spaces at whose hyperplanes the answer of a tree ensemble changes, on a domain.

    Each is a cut, z_j ≤ t or z_j ≥ t, with the side closed that t belongs to. *Needed*: two cells of the grid that have this
    cut between them, and all else in common, have different answers; where no other cut is a single point, they share a face of
    dimension d − 1, and near a generic point of it a layered threshold network without the unit that is closed on the same
    side answers alike on the face and on its open side. *Sufficient*, everywhere, ties included: at any other cut the answers
    on both sides are the same whatever the other features are, so they do not depend on it. ∎
    If the search was stopped (`complete` False), they are those found so far.

    network, domain: what was asked; question: the same in the coordinates that were searched; changes: what was found there;
    seconds: what it took.
    """

    network: TreeEnsemble
    domain: Polyhedron
    question: Question[Any]
    changes: Changes
    seconds: float

    __repr__ = brief("units", "thresholds", "complete")

    @property
    def units(self) -> int:
        """How many half-spaces are needed."""
        return len(self.changes.cuts)

    @property
    def thresholds(self) -> int:
        """How many different ones the trees have."""
        return self.network.thresholds

    @property
    def complete(self) -> bool:
        """Whether the search came to its end."""
        return self.changes.complete

    @property
    def grid(self) -> Grid:
        """The grid that was searched."""
        return self.question.network.grid

    @cached_property
    def halfspaces(self) -> tuple[Form, ...]:
        """The needed half-spaces {h ≥ 0} of the inputs, exactly, in primitive integers."""
        return tuple(primitive(self.question.pulled(self.grid.halfspace(j, place))) for j, place in self.changes.cuts.tolist())

    @cached_property
    def witnesses(self) -> tuple[Point, ...]:
        """For each half-space a point on its hyperplane, beyond which, or at which, the answer changes."""
        return tuple(self._witnesses())

    def _witnesses(self) -> Iterator[Point]:
        low, high = self.question.domain.bounds
        for (j, place), cells in zip(self.changes.cuts.tolist(), self.changes.cells.tolist(), strict=True):
            z = [self.grid.within(k, cell, a, b) for k, (cell, a, b) in enumerate(zip(cells, low, high, strict=True))]
            z[j] = self.grid.cuts[j][place][0]
            yield self.question.lifted(as_integers(z))

    @cached_property
    def borders(self) -> dict[tuple[int, int], Border]:
        """For each two classes that touch, by their numbers, how many half-spaces they have between them."""
        counts = self.changes.classes.sum(axis=0)
        return {(i, j): Border(int(counts[i, j]), int(counts[i, j])) for i, j in np.argwhere(np.triu(counts)).tolist()}

    def units_of(self, number: int) -> NDArray[np.intp]:
        """The half-spaces that bound a class."""
        return np.flatnonzero(self.changes.classes[:, number].any(axis=1))

    @cached_property
    def constant(self) -> int | None:
        """Where no half-space is needed, the number of the only class."""
        if self.units or not self.complete:
            return None
        low, _ = start_box(self.grid, self.question.domain)
        leaves = self.grid.descended(self.grid.roots[None].copy(), low[None], low[None])
        return int(self.grid.parts[0].known(leaves)[0].argmax())

    @property
    def never(self) -> tuple[int, ...]:
        """The classes that are nowhere. Known where the search is complete."""
        self._check_complete()
        winners = np.asarray(self.changes.classes.any(axis=(0, 1)))
        return tuple(c for c in range(len(self.network.names)) if not winners[c] and c != self.constant)

    @cached_property
    def reduced(self) -> TreeEnsemble:
        """The same decision on the domain, by the same trees with needed thresholds alone; without a front."""
        self._check_complete()
        return reduced(self)

    def _check_complete(self) -> None:
        if not self.complete:
            raise LpnetError(f"the search was stopped after {self.units} half-spaces; a network on them would be wrong")


def as_integers(z: Sequence[Fraction]) -> Point:
    """The point with these coordinates."""
    common = math.lcm(*(x.denominator for x in z))
    return (*(int(x * common) for x in z), common)


def minimal_trees(network: TreeEnsemble, domain: Polyhedron | None = None, watch: Watch | None = None) -> MinimalTrees:
    """Find the half-spaces that a tree ensemble needs on a domain, a box (default: all of R^d).

    watch follows the search and may stop it. Raises InputError for a domain that is no box, and for a front that does not keep
    what the trees read apart.
    """
    started = time.perf_counter()
    domain = as_domain(domain, network.inputs)
    asked = question(network, domain)
    found = changes(asked.network.grid, asked.domain, watch or Watch())
    seconds = time.perf_counter() - started
    log.debug("boxes: %d of %d half-spaces, %d boxes in %.3g s", len(found.cuts), network.thresholds, found.boxes, seconds)
    return MinimalTrees(network, domain, asked, found, seconds)


def reduced(answer: MinimalTrees) -> TreeEnsemble:
    """The trees with needed thresholds alone, each cell of these standing for the others that they do not tell apart.

    Its scores are the differences from the last one, in integers.
    """
    grid, part = answer.grid, answer.grid.parts[0]
    first, _ = start_box(grid, answer.question.domain)
    cells = [[int(a)] for a in first]
    for j, place in answer.changes.cuts.tolist():
        cells[j].append(place + 1)
    scores = len(part.classes)
    columns = [k for k, (_, j) in enumerate(combinations(range(scores), 2)) if j == scores - 1]

    def node_of(node: int) -> Node:
        while (j := int(grid.feature[node])) >= 0:
            below = sum(cell <= grid.place[node] for cell in cells[j])
            if 0 < below < len(cells[j]):
                t, closed = grid.cuts[j][cells[j][below] - 1]
                return Node((), j, t, not closed, int(grid.left[node]), int(grid.right[node]))
            node = int(grid.left[node] if below else grid.right[node])
        return Node([int(v) for v in part.exact[node - part.first, columns]])

    table = Table(scores - 1)
    for root in grid.roots.tolist():
        table.add(root, node_of)
    weight = np.vstack([np.eye(scores - 1), np.zeros((1, scores - 1))])
    made = table.ensemble(grid.features, weight, np.zeros(scores))
    return replace(made, classes=answer.network.classes, names=answer.network.names)
