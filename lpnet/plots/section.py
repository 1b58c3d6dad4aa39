"""What a picture of a network in the plane shows: where it answers +1, and which lines that takes. Exactly."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lpnet.boundary.theorem1 import binary_encoding
from lpnet.errors import InputError
from lpnet.exact import Form, Point, primitive, sign, times, value
from lpnet.networks import Box, ExactForm, Polyhedron, ReLUNetwork, SignCircuit, SignNetwork, StepNetwork
from lpnet.networks.step_form import RELU, StepForm
from lpnet.plots.plane import (
    Edge,
    Polygon,
    cells,
    centre,
    chord,
    clipped,
    cut,
    loops,
    meets,
    outline,
    reach,
    sides,
    square,
    to_the_left,
)
from lpnet.plots.slices import Slice
from lpnet.plots.window import View, around_polygon, chosen_window

Network = ReLUNetwork | SignNetwork | SignCircuit | StepNetwork

MOST_LINES, MOST_CELLS = 300, 45_000
MOST_RELUS = 5  # whose 2^n candidates are shown


@dataclass(frozen=True, eq=False)
class Section:
    """A network in a plane, its half-planes {h ≥ 0} in the shortest integers.

    view: x_min, x_max, y_min, y_max; frame: the part of it that is in the domain; positive: the closed curves around {f ≥ 0}
    within the frame, that set to their left; edges: the decision boundary within it, by the half-plane to its left;
    needed: the half-planes that carry a piece of the boundary anywhere in the plane and the domain, and their numbers;
    redundant: other candidates, those of Theorem 1 or the units of a threshold network, as far as they are known to be
    redundant and are few; bends: where a ReLU's z_k is 0, or in a slice the lines of units not needed in it, within the frame.
    """

    view: View
    frame: Polygon
    positive: list[Polygon]
    edges: dict[Form, list[Edge]]
    needed: dict[Form, int]
    redundant: list[Form]
    bends: list[Edge]


def section(
    network: Network,
    place: Slice,
    domain: Polyhedron | None = None,
    order: Sequence[Form] = (),
    answers: Callable[[Any], NDArray[Any]] | None = None,
) -> Section:
    """The picture of a network in a slice, on a domain (default: all of it).

    answers: of a threshold network, others in the place of its own, from the signs of its first layer, +1 where it is;
    order: half-spaces of R^d; the needed half-planes get the numbers of those that they are the slices of.
    Raises InputError for more lines than can be told apart, and for a domain that the slice misses.
    """
    in_slice = place.substitution()
    drawn = prepared(network, in_slice, answers)
    walls = [in_slice(h) for h in domain.inequalities()] if domain else []
    half = reach([drawn.largest, *map(size, walls), 1])
    everywhere = clipped(square(half), [*walls, (0, 1, 1), (0, -1, 1)] if place.flat else walls)
    if not everywhere:
        raise InputError("the slice does not meet the domain; choose a point inside it")
    crossing = [line for line in dict.fromkeys(map(primitive, drawn.lines)) if meets(everywhere, line)]
    if len(crossing) > MOST_LINES:
        raise InputError(f"wanted at most {MOST_LINES} lines in the picture, got {len(crossing)}; ask for a smaller domain")

    parts = drawn.parts(everywhere)
    boundary = by_halfplane(outline(parts), everywhere)

    def finite(at: Point) -> bool:
        return max(abs(at[0]), abs(at[1])) < half * at[2]

    try:
        bounded = all(map(finite, everywhere))
        with np.errstate(over="raise"):
            view = around_polygon(everywhere) if bounded else chosen_window(boundary, crossing, finite, place)
    except ArithmeticError:
        raise InputError("the boundary lies where float64 ends; bring the weights to a common scale") from None
    frame = clipped(everywhere, Box(np.array(view[::2]), np.array(view[1::2])).inequalities())
    view = around_polygon(frame)
    shown = outline(part for part in (clipped(part, sides(frame)) for part in parts) if part)
    numbers = numbered(order, in_slice)
    needed = {h: numbers.get(h, len(order) + k) for k, h in enumerate(boundary, 1)}
    unused = [h for h in drawn.candidates if not {h, times(-1, h)} & needed.keys()]
    redundant, idle = ([], unused) if place.caption else (unused, [])
    bends = [edge for line in idle if (edge := chord(frame, line))]
    if isinstance(network, ReLUNetwork | StepNetwork):
        bends = drawn.bends(frame)
        redundant = [h for h in unused if h not in numbers] if order else redundant  # a number: it is needed in R^d
    return Section(view, frame, loops(shown), by_halfplane(shown, frame), needed, redundant, bends)


def numbered(order: Sequence[Form], in_slice: Callable[[Form], Form]) -> dict[Form, int]:
    """The half-planes that half-spaces, either way round, are sliced to, and the numbers of these from 1."""
    numbers: dict[Form, int] = {}
    for number, h in enumerate(order, 1):
        for oriented in (h, times(-1, h)):
            numbers.setdefault(primitive(in_slice(oriented)), number)
    return numbers


@dataclass(frozen=True, eq=False)
class Drawn:
    """What is to be drawn of a network in a slice, s and t its inputs.

    lines: of the first layer; largest: no line between parts on which it is affine or constant has larger integers, nor have
    all that a part is made of; parts: of a polygon, where it answers +1; bends: in a polygon; candidates: see `Section`.
    """

    lines: list[Form]
    largest: int
    parts: Callable[[Polygon], list[Polygon]]
    bends: Callable[[Polygon], list[Edge]]
    candidates: list[Form]


def prepared(network: Network, in_slice: Callable[[Form], Form], answers: Callable[[Any], NDArray[Any]] | None = None) -> Drawn:
    """The network in the slice."""
    if isinstance(network, ReLUNetwork):
        form = network.exact_form.each(in_slice)
        candidates: list[Form] = []
        if not form.links and len(form.units) <= MOST_RELUS:
            candidates = lines_of(form.on_cell(pattern) for pattern in binary_encoding(len(form.units)).T)
        first = [form.units[k] for k in form.levels[0]]
        return Drawn(
            first, sizes(form), lambda polygon: relu_parts(form, polygon), lambda polygon: bends(form, polygon), candidates
        )
    if isinstance(network, StepNetwork):
        steps = network.exact_form
        return Drawn(
            [in_slice(steps.units[k]) for k in steps.levels[0]],
            step_sizes(steps, in_slice),
            lambda polygon: [part for row, cell in step_cells(steps, in_slice, polygon) if (part := cut(cell, row)[0])],
            lambda polygon: step_bends(steps, in_slice, polygon),
            [],
        )
    halfplanes = [in_slice(h) for h in network.input_layer.forms]
    largest = sum(map(size, halfplanes))
    decide = answers or behind(network)
    return Drawn(
        halfplanes, largest, lambda polygon: sign_parts(decide, halfplanes, polygon), lambda _: [], lines_of(halfplanes)
    )


def behind(network: SignNetwork | SignCircuit) -> SignNetwork | SignCircuit:
    """The later layers of a threshold network, of the signs of the first one."""
    units, columns = network.units, max(network.units, 1)
    return replace(network, hidden_weight=np.eye(units, columns), hidden_bias=np.zeros(units), front=None)


def size(form: Form) -> int:
    """Its largest integer."""
    return max(map(abs, form))


def sizes(form: ExactForm) -> int:
    """What the integers of f and of all units together come to at most, on any cell."""
    found: list[int] = []
    for a, links in zip(form.units, form.links or [()] * len(form.units), strict=True):
        found.append(size(a) + sum(abs(c) * found[j] for j, c in links))
    return size(form.affine) + sum(max(1, abs(w)) * most for w, most in zip(form.signs, found, strict=True))


def lines_of(halfplanes: Iterable[Form]) -> list[Form]:
    """The different ones that are bounded by a line."""
    return list(dict.fromkeys(primitive(h) for h in halfplanes if any(h[:-1])))


class Table(NamedTuple):
    """A cell of the levels before one: their signs and rows there, and the units of the level, all affine."""

    polygon: Polygon
    signs: list[int]
    rows: list[Form]
    units: Sequence[Form]


def tables(form: ExactForm, polygon: Polygon) -> Iterator[list[Table]]:
    """All the tables of each level within a polygon, level by level. InputError for more cells than can be told apart."""
    tables = [Table(polygon, [], [], form.unfold(0, [], []))]
    for level in range(1, len(form.levels)):
        yield tables
        found = [(cell, signs, rows) for table in tables for cell, signs, rows in divided(table)]
        if len(found) > MOST_CELLS:
            raise InputError(f"wanted at most {MOST_CELLS} cells in the picture, got more; ask for a smaller domain")
        tables = [Table(cell, signs, rows, form.unfold(level, signs, rows)) for cell, signs, rows in found]
    yield tables


def divided(table: Table) -> Iterator[tuple[Polygon, list[int], list[Form]]]:
    """The cells of a table, with the signs and rows of its level too."""
    rows = [*table.rows, *table.units]
    for cell in cells(table.polygon, table.units):
        at = centre(cell)
        yield cell, [*table.signs, *(value(z, at) for z in table.units)], rows


def relu_parts(form: ExactForm, polygon: Polygon) -> list[Polygon]:
    """{f ≥ 0} in each cell, where f is affine."""
    *_, last = tables(form, polygon)
    found = (cut(cell, form.output(signs, rows))[0] for table in last for cell, signs, rows in divided(table))
    return [part for part in found if part]


def bends(form: ExactForm, polygon: Polygon) -> list[Edge]:
    """Where units are 0 within a polygon: in a cell of the levels before them, a part of a line."""
    parts = (chord(table.polygon, z) for level in tables(form, polygon) for table in level for z in table.units)
    return [(start, end) for start, end in dict.fromkeys(tuple(sorted(edge)) for edge in parts if edge)]


def sign_parts(decide: Callable[[Any], NDArray[Any]], halfplanes: Sequence[Form], polygon: Polygon) -> list[Polygon]:
    """The cells of the half-planes' lines in which a threshold network answers +1."""
    found = list(cells(polygon, halfplanes))
    units, columns = len(halfplanes), max(len(halfplanes), 1)
    signs = np.ones((len(found), columns))
    for row, at in zip(signs, map(centre, found), strict=True):
        row[[value(h, at) < 0 for h in halfplanes] + [False] * (columns - units)] = -1.0
    return [cell for cell, answer in zip(found, decide(signs), strict=True) if answer > 0]


def step_sizes(form: StepForm, in_slice: Callable[[Form], Form]) -> int:
    """What the integers of all units of a network of ReLUs and steps come to at most in a slice."""
    found, one = list[int](), size(in_slice((0,) * form.inputs + (1,)))
    for a, links in zip(form.units, form.links, strict=True):
        found.append(size(in_slice(a)) + sum(abs(c) * (found[j] if form.gates[j] == RELU else one) for j, c in links))
    return sum(found)


def step_cells(
    form: StepForm, in_slice: Callable[[Form], Form], polygon: Polygon, bends: list[Edge] | None = None
) -> Iterator[tuple[Form, Polygon]]:
    """The cells of the hidden units within a polygon, with what the last unit is there; notes where units are 0."""
    found: list[tuple[Polygon, tuple[Form, ...]]] = [(polygon, ())]
    for level, units in enumerate(form.levels):
        before, found = found, []
        for part, outputs in before:
            rows = form.unfold(level, outputs)
            lines = list(map(in_slice, rows))
            if level + 1 == len(form.levels):
                yield lines[0], part
                continue
            if bends is not None:
                bends += [edge for line in lines if any(line[:-1]) and (edge := chord(part, line))]
            for cell in cells(part, lines):
                at = centre(cell)
                own = (form.output(k, row, sign(value(z, at))) for k, row, z in zip(units, rows, lines, strict=True))
                found.append((cell, (*outputs, *own)))
        if len(found) > MOST_CELLS:
            raise InputError(f"wanted at most {MOST_CELLS} cells in the picture, got more; ask for a smaller domain")


def step_bends(form: StepForm, in_slice: Callable[[Form], Form], polygon: Polygon) -> list[Edge]:
    """Where hidden units are 0 within a polygon."""
    found: list[Edge] = []
    for _ in step_cells(form, in_slice, polygon, found):
        pass
    return [(start, end) for start, end in dict.fromkeys(tuple(sorted(edge)) for edge in found)]


def by_halfplane(edges: Iterable[Edge], around: Polygon) -> dict[Form, list[Edge]]:
    """The edges that are not on the rim of a polygon, by the half-plane to their left."""
    rim = sides(around)
    found: dict[Form, list[Edge]] = defaultdict(list)
    for edge in edges:
        h = to_the_left(edge)
        if h not in rim:
            found[h].append(edge)
    return dict(found)
