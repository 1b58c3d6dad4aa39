"""From the thresholds that trees need to a threshold network on them, with the same answers everywhere, ties included.

Over few cells of the needed thresholds one output unit is sought, else the fewest terms of a DNF or CNF
(`lpnet.circuits.cover`). Else a sum of functions of single inputs is two layers as it stands; a tree is the disjunction of its
leaves of one answer, or the conjunction of the negations of the others; and of a sum of trees the second layer has a unit for
each leaf, weighted by what the leaf adds. Classes have a disjunction each, of leaves, or of boxes that one class fills.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate, pairwise
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lpnet.boundary.additive import is_additive, sums
from lpnet.boundary.boxes import filled_boxes
from lpnet.brief import brief
from lpnet.circuits.classes import TooLarge
from lpnet.circuits.cover import Cover, Signs, smallest_cover
from lpnet.circuits.separation import separating_weights
from lpnet.equivalents.trees import MinimalTrees, minimal_trees
from lpnet.exact import Numbers, fractions, shortened
from lpnet.networks import Polyhedron, SignCircuit, SignNetwork
from lpnet.networks.affine import AffineMap
from lpnet.networks.classifier import Classifier
from lpnet.networks.grid import Grid
from lpnet.networks.trees import TreeEnsemble
from lpnet.programs import Certificate
from lpnet.watch import Watch

MOST_CELLS, MOST_UNITS = 1000, 60  # for the fewest terms
MOST_BOXES = 20_000
Box = tuple[Sequence[int], Sequence[int]]  # the first and the last cell of each feature


@dataclass(frozen=True, eq=False)
class TreeCircuit:
    """A threshold network with the answers of trees everywhere in a domain, ties included, on just the needed half-spaces.

    kind: "constant", "two layers", "DNF", "CNF", "leaves" (a weighted sum of units for leaves) or "classes"; parts: of classes,
    the kind of each; at_least: a lower bound on the terms of every DNF and CNF on these half-spaces, or None.
    """

    network: SignNetwork | SignCircuit | Classifier
    kind: str
    at_least: int | None = None
    parts: tuple[str, ...] = ()

    __repr__ = brief("first_layer", "second_layer")

    @property
    def first_layer(self) -> int:
        """How many half-spaces it has."""
        return int(self._one.units)

    @property
    def second_layer(self) -> int:
        """How many units its second layer has; 0 in two layers."""
        return int(self._one.terms) if isinstance(self._one, SignCircuit) else 0

    @property
    def _one(self) -> Any:
        return self.network.scores[0] if isinstance(self.network, Classifier) else self.network

    @property
    def why(self) -> str:
        """In words, how small it is."""
        if self.kind in ("constant", "two layers"):
            return ""
        if self.at_least is None:
            return "not made small"
        return "the smallest" if self.at_least == self.second_layer else f"at least {self.at_least} terms are needed"


class Units:
    """The needed half-spaces as a first layer, and what literals on it say of cells."""

    def __init__(self, answer: MinimalTrees) -> None:
        self.grid: Grid = answer.reduced.grid
        self.onto: AffineMap | None = answer.question.onto
        self.first = list(accumulate(map(len, self.grid.cuts), initial=0))
        self.below = [1 if closed else -1 for own in self.grid.cuts for _, closed in own]  # the unit below its cut

    @property
    def layer(self) -> tuple[Numbers, Numbers]:
        """Weights ∓1 and biases ±t."""
        rows = [(j, t, closed) for j, own in enumerate(self.grid.cuts) for t, closed in own]
        weight = np.zeros((len(rows), self.grid.features))
        for row, (j, _, closed) in enumerate(rows):
            weight[row, j] = -1 if closed else 1
        return weight, shortened(fractions([t if closed else -t for _, t, closed in rows], (-1,)))

    def term(self, low: Sequence[int], high: Sequence[int]) -> list[int]:
        """The conjunction that holds in a box of cells."""
        made = [0] * len(self.below)
        for j, (a, b) in enumerate(zip(low, high, strict=True)):
            if a > 0:
                made[self.first[j] + a - 1] = -self.below[self.first[j] + a - 1]
            if b < len(self.grid.cuts[j]):
                made[self.first[j] + b] = self.below[self.first[j] + b]
        return made

    def cells(self) -> NDArray[np.intp]:
        """All cells, (cells, features)."""
        return np.stack(np.meshgrid(*map(np.arange, self.grid.last + 1), indexing="ij"), axis=-1).reshape(
            -1, self.grid.features
        )

    def signs(self, cells: NDArray[np.intp]) -> Signs:
        """The signs of the units in cells, (cells, m)."""
        columns = [np.where(cells[:, j] <= p, 1, -1) for j, own in enumerate(self.grid.cuts) for p in range(len(own))]
        return (
            np.array(columns, dtype=np.int8).reshape(len(columns), len(cells)).T * np.array(self.below, dtype=np.int8)
        ).astype(np.int8)

    def network(self, weights: Sequence[int]) -> SignNetwork:
        """Two layers, the last weight being the bias."""
        return SignNetwork(*self.layer, shortened(fractions(weights[:-1], (-1,))), Fraction(weights[-1]), self.onto)

    def circuit(self, terms: Any, weight: Sequence[Any], bias: Any) -> SignCircuit:
        """Three layers, conjunctions in the second, (k, m), and an output."""
        table = np.array(terms, dtype=np.float64).reshape(len(terms), len(self.below))
        output = shortened(fractions(list(weight), (-1,)))
        return SignCircuit(*self.layer, table, 1 - np.abs(table).sum(axis=1), output, Fraction(bias), self.onto)

    def logic(self, terms: Any, kind: str) -> SignNetwork | SignCircuit:
        """A DNF of these terms, or the CNF of their negations; of two layers where one term, or terms of one literal, do."""
        table, side = np.array(terms, dtype=np.int64).reshape(-1, len(self.below)), 1 if kind == "DNF" else -1
        if len(table) == 1:
            return self.network([*(side * table[0]).tolist(), side * (1 - int(np.abs(table).sum()))])
        if (np.abs(table).sum(axis=1) == 1).all() and len(table):
            return self.network([*(side * table.sum(axis=0)).tolist(), side * (len(table) - 1)])
        made = side * table
        bias = side * (1 - np.abs(table).sum(axis=1))
        count = len(table)
        return SignCircuit(*self.layer, made.astype(float), bias.astype(float), np.ones(count), side * (count - 1), self.onto)


def tree_circuit(answer: MinimalTrees, watch: Watch) -> TreeCircuit:
    """A threshold network on the needed half-spaces. Raises TooLarge where that would have too many terms."""
    units, network = Units(answer), answer.network
    if not answer.units and network.binary:
        assert answer.constant is not None
        return TreeCircuit(units.network([2 * answer.constant - 1]), "constant", 0)
    cells = prod(int(last) + 1 for last in units.grid.last) if len(units.grid.last) < 64 else MOST_CELLS + 1
    few = cells <= MOST_CELLS and answer.units <= MOST_UNITS
    if not network.binary:
        return _classes(answer, units, few, watch)
    if few:
        return _smallest(units)
    if is_additive(units.grid):
        return TreeCircuit(units.network(_weights(units)), "two layers", 0)
    if answer.reduced.trees == 1 or len(units.grid.roots) == 1:
        return _of_leaves(units)
    return _weighted(units)


def threshold_network(network: TreeEnsemble, domain: Polyhedron | None, watch: Watch) -> Any:
    """Trees as a threshold network on the half-spaces that they need on a domain. Stopped where the watch says so."""
    answer = minimal_trees(network, domain, watch)
    if not answer.complete:
        raise watch.error()
    return tree_circuit(answer, watch).network


def _smallest(units: Units) -> TreeCircuit:
    """Of few cells: one output unit, or the fewest terms of a DNF or CNF."""
    cells = units.cells()
    signs, positive = units.signs(cells), _classes_of(units, cells) == 1
    weights = separating_weights(signs, np.where(positive, 1, -1).astype(np.int8))
    if not isinstance(weights, Certificate):
        return TreeCircuit(units.network(weights), "two layers", 0)
    dnf = smallest_cover(signs[positive], signs[~positive])
    cnf = smallest_cover(signs[~positive], signs[positive], enough=len(dnf.terms))
    best, kind = min((dnf, "DNF"), (cnf, "CNF"), key=lambda made: len(made[0].terms))
    return TreeCircuit(units.logic(best.terms, kind), kind, min(dnf.lower, cnf.lower))


def _classes_of(units: Units, cells: NDArray[np.intp]) -> NDArray[np.intp]:
    leaves = units.grid.descended(np.tile(units.grid.roots, (len(cells), 1)), cells, cells)
    return units.grid.parts[0].known(leaves).argmax(axis=1)


def _side(units: Units) -> tuple[int, int]:
    """Factor and shift with which the difference of the two scores is ≥ 0 just where the answer is +1: d, or −d − 1."""
    return (1, 0) if units.grid.parts[0].classes[0] == 1 else (-1, -1)


def _weights(units: Units) -> list[int]:
    """Weights of the units, and a bias, for a sum of functions of single inputs: half of each jump, doubled."""
    table, base = sums(units.grid)
    factor, shift = _side(units)
    jumps = [after - before for own in table for before, after in pairwise(own)]
    bias = 2 * base + sum(own[0] + own[-1] for own in table)
    return [*(-factor * jump * side for jump, side in zip(jumps, units.below, strict=True)), factor * bias + shift]


def _leaves(grid: Grid, root: int) -> list[tuple[int, list[int], list[int]]]:
    """The leaves of a tree with their boxes of cells."""
    found, left = [], [(root, [0] * grid.features, grid.last.tolist())]
    while left:
        node, low, high = left.pop()
        j, place = int(grid.feature[node]), int(grid.place[node])
        if j < 0:
            found.append((node, low, high))
            continue
        if low[j] <= place:
            left.append((int(grid.left[node]), low, [*high[:j], min(high[j], place), *high[j + 1 :]]))
        if high[j] > place:
            left.append((int(grid.right[node]), [*low[:j], max(low[j], place + 1), *low[j + 1 :]], high))
    return found


def _of_leaves(units: Units) -> TreeCircuit:
    """One tree: its leaves of the answer that has fewer of them."""
    found = _leaves(units.grid, int(units.grid.roots[0]))
    nodes = np.array([[node] for node, _, _ in found])
    positive = units.grid.parts[0].known(nodes)[:, 1]
    kind = "DNF" if 2 * positive.sum() <= len(positive) else "CNF"
    terms = [units.term(low, high) for (_, low, high), plus in zip(found, positive, strict=True) if plus == (kind == "DNF")]
    return TreeCircuit(units.logic(terms, kind), kind)


def _weighted(units: Units) -> TreeCircuit:
    """A unit for each leaf, but one of each tree: +1 where Σ over the trees of what their leaves add has the sign."""
    grid, part = units.grid, units.grid.parts[0]
    factor, shift = _side(units)
    table: dict[tuple[int, ...], int] = {}
    bias = 0
    for root in grid.roots.tolist():
        found = _leaves(grid, root)
        values = [int(part.exact[node - part.first, 0]) for node, _, _ in found]
        usual = max(set(values), key=values.count)
        bias += 2 * usual
        for (_, low, high), value in zip(found, values, strict=True):
            if value != usual:
                term = tuple(units.term(low, high))
                table[term] = table.get(term, 0) + value - usual
    bias += sum(table.values())
    weight = [factor * value for value in table.values()]
    return TreeCircuit(units.circuit(list(table), weight, factor * bias + shift), "leaves")


def _classes(answer: MinimalTrees, units: Units, few: bool, watch: Watch) -> TreeCircuit:
    """For each class a disjunction: of the fewest terms, of its leaves, or of boxes that it fills."""
    names, bounds = answer.network.names, []
    if few:
        cells = units.cells()
        signs, classes = units.signs(cells), _classes_of(units, cells)
        covers: list[Cover | None] = []
        for number in range(len(names)):
            own = classes == number
            covers.append(smallest_cover(signs[own], signs[~own]) if own.any() and not own.all() else None)
        terms = [c.terms.tolist() if c else [[0] * answer.units] * int((classes == k).any()) for k, c in enumerate(covers)]
        bounds = [c.lower if c else 0 for c in covers]
    else:
        found: list[tuple[int, Sequence[int], Sequence[int]]]
        if len(units.grid.roots) == 1:
            leaves = _leaves(units.grid, int(units.grid.roots[0]))
            known = units.grid.parts[0].known(np.array([[node] for node, _, _ in leaves])).argmax(axis=1)
            found = [(int(c), low, high) for c, (_, low, high) in zip(known, leaves, strict=True)]
        else:
            found = filled_boxes(units.grid, MOST_BOXES, watch)
            if len(found) > MOST_BOXES:
                raise TooLarge(f"its classes fill more than {MOST_BOXES} boxes")
        terms = [[units.term(low, high) for c, low, high in found if c == number] for number in range(len(names))]
    middle = [term for own in terms for term in own]
    ends = list(accumulate(map(len, terms), initial=0))
    made = []
    for start, end in pairwise(ends):
        weight = np.zeros(len(middle))
        weight[start:end] = 1
        made.append(units.circuit(middle, weight.tolist(), end - start - 1))
    kinds = tuple("DNF" if own else "constant" for own in terms)
    return TreeCircuit(Classifier(tuple(made), (), names), "classes", sum(bounds) if few else None, kinds)
