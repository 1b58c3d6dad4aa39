"""Are two decisions the same function, one of them made by trees?

Two that both split single inputs, trees or threshold networks of such half-spaces, are compared on their common grid, box by
box, without any program (`lpnet.boundary.boxes`). A tree and any other network are compared by their reasons (`lpnet.regions`):
those of trees are the sides of thresholds between which the sums leave one answer.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lpnet.boundary.boxes import Deciding, difference
from lpnet.equality.classes import class_at, reasons_of
from lpnet.equality.equality import EVIDENCE, Comparison, Verdict
from lpnet.equality.points import as_point, shortest
from lpnet.errors import InputError
from lpnet.exact import Form, Point, fraction, primitive, value
from lpnet.networks import Polyhedron, SignCircuit, SignNetwork
from lpnet.networks.arrays import used_in_rows
from lpnet.networks.classifier import Classifier
from lpnet.networks.grid import Grid
from lpnet.networks.gridding import grid_of
from lpnet.networks.polyhedron import as_domain
from lpnet.networks.question import Question, common_questions
from lpnet.networks.tree_table import Node, Table
from lpnet.networks.trees import TreeEnsemble
from lpnet.regions.reasons import ABOVE, BELOW, ON, Literal, Reasons, Region, ValueOf, answer_at, halfspace, reasons
from lpnet.regions.search import Questions, first_difference
from lpnet.watch import Watch


def equal_trees(network_a: Any, network_b: Any, domain: Polyhedron | None = None, watch: Watch | None = None) -> Comparison:
    """Decide in exact arithmetic whether trees, and another decision of any kind, have the same answer inside a domain.

    As `lpnet.equality.equality.equal`. Raises InputError for different numbers of inputs or of classes.
    """
    started, watch = time.perf_counter(), watch or Watch()
    counts = [count_of_classes(network) for network in (network_a, network_b)]
    for what, left, right in (("inputs", network_a.inputs, network_b.inputs), ("classes", *counts)):
        if left != right:
            raise InputError(f"wanted networks with equally many {what}, got {left} and {right}")
    domain = as_domain(domain, network_a.inputs)
    first, second = common_questions(network_a, network_b, domain)
    both = [as_trees(asked.network) for asked in (first, second)]
    on_a_grid = all(both) and (not first.domain.forms or first.domain.box)
    compare = _on_a_grid if on_a_grid else _by_reasons
    return replace(compare(network_a, network_b, first, second, both, domain, watch), seconds=time.perf_counter() - started)


def count_of_classes(network: Any) -> int:
    """How many classes a decision has; two of those that answer ±1."""
    return len(network.names) if isinstance(network, Classifier | TreeEnsemble) else 2


def _on_a_grid(
    a: Any, b: Any, first: Question[Any], second: Question[Any], both: Sequence[Any], domain: Polyhedron, watch: Watch
) -> Comparison:
    ensembles = [ensemble for outputs in both for ensemble in outputs]
    grid = grid_of(ensembles)
    count = len(both[0])
    one, other = (
        decided(grid, range(start, start + len(own)), network)
        for start, own, network in ((0, both[0], first.network), (count, both[1], second.network))
    )
    cells, open_, boxes, complete = difference(grid, one, other, first.domain, watch)
    verdict: Verdict = "equal" if cells is None else "different" if open_ else "equal off ties"
    at: Point | None = None
    planes: tuple[Form, ...] = ()
    if cells is not None:
        ends = zip(*first.domain.bounds, strict=True)
        z = [grid.within(j, cell, *end) for j, (cell, end) in enumerate(zip(cells, ends, strict=True))]
        at = first.lifted(as_point(tuple(z)))
        points = [grid.halfspace(j, cell) for j, cell in enumerate(cells) if grid.is_point(j, cell)]
        planes = tuple(primitive(first.pulled(h)) for h in points)
    if not complete and not open_:
        verdict = "undecided"
    detail = EVIDENCE.get(verdict, f"stopped after {boxes} boxes, {watch.stopped}")
    own, others = (answer_of(network, at) if at else None for network in (a, b))
    return Comparison(a, b, domain, verdict, at, own, others, planes, "boxes", detail, 0, 0.0)


def _by_reasons(
    a: Any, b: Any, first: Question[Any], second: Question[Any], both: Sequence[Any], domain: Polyhedron, watch: Watch
) -> Comparison:
    questions = Questions(first.domain)
    why, why_b = (reasons_for(asked.network, asked.domain) for asked in (first, second))
    found, complete = first_difference(why, why_b, questions, watch)
    verdict: Verdict = "different" if found and found.open else "equal off ties" if found else "equal"
    if not complete:
        verdict = "undecided"
    at = shortest(found) if found else None
    planes = tuple(g for g in found.region if value(g, at) == 0) if found and at else ()
    at, planes = at and first.lifted(at), tuple(primitive(first.pulled(g)) for g in planes)
    detail = EVIDENCE[verdict] if complete else f"stopped after {questions.asked} programs, {watch.stopped}"
    own, others = (answer_of(network, at) if at else None for network in (a, b))
    return Comparison(a, b, domain, verdict, at, own, others, planes, "regions", detail, questions.asked, 0.0)


def answer_of(network: Any, at: Point) -> int:
    """The answer of any decision at an exact point."""
    if isinstance(network, TreeEnsemble):
        return network.answer_at(at)
    return class_at(network, at) if isinstance(network, Classifier) else answer_at(network, at)


def reasons_for(network: Any, domain: Polyhedron) -> Reasons:
    """The reasons of any decision."""
    if isinstance(network, TreeEnsemble):
        return tree_reasons(network)
    return reasons_of(network, domain) if isinstance(network, Classifier) else reasons(network, domain)


def tree_reasons(ensemble: TreeEnsemble) -> Reasons:
    """The thresholds around a point between which the bounds of the sums leave its class, as few as are easily seen."""
    grid, part = ensemble.grid, ensemble.grid.parts[0]
    planes = [[halfspace(grid.halfspace(j, place), ABOVE | ON) for place in range(len(own))] for j, own in enumerate(grid.cuts)]
    forms = [[grid.halfspace(j, place) for place in range(len(own))] for j, own in enumerate(grid.cuts)]

    def side(j: int, place: int, below: bool) -> Literal:
        g, held = planes[j][place]
        return g, held if below == bool(grid.cuts[j][place][1]) else (ABOVE | BELOW | ON) & ~held

    def is_below(value_of: ValueOf, j: int, place: int) -> bool:
        return (value_of(forms[j][place]) >= 0) == bool(grid.cuts[j][place][1])

    def cell_at(value_of: ValueOf, j: int) -> int:
        low, high = 0, len(grid.cuts[j])
        while low < high:
            middle = (low + high) // 2
            low, high = (low, middle) if is_below(value_of, j, middle) else (middle + 1, high)
        return low

    def why(value_of: ValueOf, known: Region) -> tuple[int, list[Literal]]:
        cells = np.array([[cell_at(value_of, j) for j in range(grid.features)]], dtype=np.intp)
        low, high = grown(grid, part, cells)
        literals = [side(j, int(a) - 1, False) for j, a in enumerate(low) if a > 0]
        literals += [side(j, int(b), True) for j, b in enumerate(high) if b < len(grid.cuts[j])]
        leaves = grid.descended(grid.roots[None].copy(), cells, cells)
        return int(ensemble.answer(part.known(leaves).argmax(axis=1))[0]), literals

    return why


def grown(grid: Grid, part: Deciding, cells: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """A large box of cells around one, (1, features), on which the bounds leave one class: its first and last cells."""
    low, high = cells.copy(), cells.copy()
    for ends, furthest in ((high, grid.last), (low, np.zeros_like(grid.last))):
        for j in range(grid.features):
            near, far = int(ends[0, j]), int(furthest[j])
            while near != far:  # the furthest for which it holds, as bounds are looser on larger boxes
                ends[0, j] = (near + far + (far > near)) // 2 if abs(far - near) > 1 else far
                nodes = grid.descended(grid.roots[None].copy(), low, high)
                if part.possible(nodes).sum() == 1 or (low == high).all():
                    near = int(ends[0, j])
                else:
                    far = int(ends[0, j]) + (1 if far < near else -1)
            ends[0, j] = near
    return low[0], high[0]


@dataclass(frozen=True)
class Firsts:
    """The class of the first output that is +1, of several threshold networks; of none it is that of the first output."""

    outputs: tuple[Any, ...]
    classes: tuple[int, ...]
    count: int

    def possible(self, nodes: NDArray[np.intp]) -> NDArray[np.bool_]:
        """Which classes there may be, (batch, T) → (batch, classes)."""
        return self._of([output.possible(nodes) for output in self.outputs])

    def known(self, leaves: NDArray[np.intp]) -> NDArray[np.bool_]:
        """The same for leaves."""
        return self._of([output.known(leaves) for output in self.outputs])

    def _of(self, signs: Sequence[NDArray[np.bool_]]) -> NDArray[np.bool_]:
        made = np.zeros((len(signs[0]), self.count), dtype=bool)
        reached = np.ones(len(made), dtype=bool)
        for number, may in zip(self.classes, signs, strict=True):
            made[:, number] |= reached & may[:, 1]
            reached &= may[:, 0]
        made[:, self.classes[0]] |= reached
        return made


def decided(grid: Grid, numbers: range, network: Any) -> Deciding:
    """What some of the ensembles on a grid, the outputs of a network, decide together."""
    parts = tuple(grid.parts[k] for k in numbers)
    return Firsts(parts, network.classes, len(network.names)) if isinstance(network, Classifier) else parts[0]


def as_trees(network: Any) -> list[TreeEnsemble] | None:
    """A decision without a front as tree ensembles, one for each output; None where it has other half-spaces or units."""
    if isinstance(network, TreeEnsemble):
        return [network]
    outputs = network.scores if isinstance(network, Classifier) else (network,)
    if not isinstance(outputs[0], SignNetwork | SignCircuit):
        return None
    made = [of_threshold_units(output) for output in outputs]
    return None if None in made else [ensemble for ensemble in made if ensemble]


def of_threshold_units(network: SignNetwork | SignCircuit) -> TreeEnsemble | None:
    """A tree for each unit of the last hidden layer, of single inputs, ANDs and ORs of them, ± its weight; else None."""
    splits = [split_of(row, bias) for row, bias in zip(network.hidden_weight, network.hidden_bias, strict=True)]
    if None in splits:
        return None
    table, numbers = Table(1), range(len(splits))
    units: Iterator[tuple[Any, Any, Any]] = (([k], [1], 0) for k in numbers)
    if isinstance(network, SignCircuit):
        rows = used_in_rows(network.middle_weight)
        units = ((used, w, bias) for (used, w), bias in zip(rows, network.middle_bias, strict=True))
    total = fraction(network.output_bias)
    for (used, weights, bias), output in zip(units, network.output_weight, strict=True):
        out = fraction(output)
        if not len(used):
            total += out if bias >= 0 else -out
            continue
        if any(abs(w) != 1 for w in weights) or abs(bias) != len(used) - 1:
            return None
        conjunction = bias <= 0
        _add_path(table, [(splits[k], (w > 0) == conjunction) for k, w in zip(used, weights, strict=True)], out, conjunction)
    made = table.ensemble(network.hidden_weight.shape[1], np.ones((1, 1)), np.array([total], dtype=object))
    return replace(made, classes=(1, 0))


def split_of(row: Any, bias: Any) -> Node | bool | None:
    """A unit of a single input as a split, its left saying where it is +1; True or False where it is constant; else None."""
    used = np.flatnonzero(row)
    if len(used) > 1:
        return None
    if not len(used):
        return bool(bias >= 0)
    weight = fraction(row[used[0]])
    return Node((), int(used[0]), -fraction(bias) / weight, weight > 0, weight < 0)


def _add_path(table: Table, literals: Sequence[tuple[Any, bool]], out: Fraction, conjunction: bool) -> None:
    """A tree that goes on as long as literals hold, unit and wanted value, to ±out: + at the end of a conjunction."""
    end, fail = ([out], [-out]) if conjunction else ([-out], [out])

    def node_of(place: int) -> Node:
        while 0 <= place < len(literals) and isinstance(literals[place][0], bool):
            place = place + 1 if literals[place][0] == literals[place][1] else -1
        if place < 0 or place == len(literals):
            return Node(fail if place < 0 else end)
        unit, wanted = literals[place]
        on_left = unit.left == wanted
        return Node((), unit.feature, unit.threshold, unit.strict, *((place + 1, -1) if on_left else (-1, place + 1)))

    table.add(0, node_of)
