"""What a picture of a network in the plane shows: where it answers +1, and which lines that takes. Exactly."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from lpnet.boundary.theorem1 import binary_encoding
from lpnet.errors import InputError
from lpnet.exact import Form, Point, primitive, times, value
from lpnet.networks import Box, ExactForm, Polyhedron, ReLUNetwork, SignCircuit, SignNetwork
from lpnet.plots.plane import (
    Edge,
    Polygon,
    cells,
    centre,
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

Network = ReLUNetwork | SignNetwork | SignCircuit

MOST_LINES = 300  # 45,000 cells
MOST_RELUS = 5  # whose 2^n candidates are shown


@dataclass(frozen=True, eq=False)
class Section:
    """A network in a plane, its half-planes {h ≥ 0} in the shortest integers.

    view: x_min, x_max, y_min, y_max; frame: the part of it that is in the domain; positive: the closed curves around {f ≥ 0}
    within the frame, that set to their left; edges: the decision boundary within it, by the half-plane to its left;
    needed: the half-planes that carry a piece of the boundary anywhere in the plane and the domain, and their numbers;
    redundant: other candidates, those of Theorem 1 or the units of a threshold network, as far as they are known to be
    redundant and are few; bends: the lines {a_k = 0} of a ReLU network, or in a slice those of units not needed in it.
    """

    view: View
    frame: Polygon
    positive: list[Polygon]
    edges: dict[Form, list[Edge]]
    needed: dict[Form, int]
    redundant: list[Form]
    bends: list[Form]


def section(network: Network, place: Slice, domain: Polyhedron | None = None, order: Sequence[Form] = ()) -> Section:
    """The picture of a network in a slice, on a domain (default: all of it).

    order: half-spaces of R^d; the needed half-planes get the numbers of those that they are the slices of.
    Raises InputError for more lines than can be told apart, and for a domain that the slice misses.
    """
    in_slice = place.substitution()
    lines, parts_in, candidates = prepared(network, in_slice)
    walls = [in_slice(h) for h in domain.inequalities()] if domain else []
    half = reach([*lines, *walls, (0, 1, 1)])
    everywhere = clipped(square(half), [*walls, (0, 1, 1), (0, -1, 1)] if place.flat else walls)
    if not everywhere:
        raise InputError("the slice does not meet the domain; choose a point inside it")
    crossing = [line for line in dict.fromkeys(map(primitive, lines)) if meets(everywhere, line)]
    if len(crossing) > MOST_LINES:
        raise InputError(f"wanted at most {MOST_LINES} lines in the picture, got {len(crossing)}; ask for a smaller domain")

    parts = parts_in(everywhere)
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
    unused = [h for h in candidates if not {h, times(-1, h)} & needed.keys()]
    redundant, bends = ([], unused) if place.caption else (unused, [])
    if isinstance(network, ReLUNetwork):
        bends = crossing
        redundant = [h for h in unused if h not in numbers] if order else redundant  # a number: it is needed in R^d
    return Section(view, frame, loops(shown), by_halfplane(shown, frame), needed, redundant, bends)


def numbered(order: Sequence[Form], in_slice: Callable[[Form], Form]) -> dict[Form, int]:
    """The half-planes that half-spaces, either way round, are sliced to, and the numbers of these from 1."""
    numbers: dict[Form, int] = {}
    for number, h in enumerate(order, 1):
        for oriented in (h, times(-1, h)):
            numbers.setdefault(primitive(in_slice(oriented)), number)
    return numbers


Parts = Callable[[Polygon], list[Polygon]]


def prepared(network: Network, in_slice: Callable[[Form], Form]) -> tuple[list[Form], Parts, list[Form]]:
    """The lines between which a network is affine or constant, the parts of a polygon where it answers +1, the candidates."""
    if isinstance(network, ReLUNetwork):
        form = network.exact_form.each(in_slice)
        candidates: list[Form] = []
        if len(form.units) <= MOST_RELUS:
            candidates = lines_of(form.on_cell(pattern) for pattern in binary_encoding(len(form.units)).T)
        return [form.affine, *form.units], lambda polygon: relu_parts(form, polygon), candidates
    halfplanes = [in_slice(h) for h in network.input_layer.forms]
    return halfplanes, lambda polygon: sign_parts(network, halfplanes, polygon), lines_of(halfplanes)


def lines_of(halfplanes: Iterable[Form]) -> list[Form]:
    """The different ones that are bounded by a line."""
    return list(dict.fromkeys(primitive(h) for h in halfplanes if any(h[:-1])))


def relu_parts(form: ExactForm, polygon: Polygon) -> list[Polygon]:
    """{f ≥ 0} in each cell of the lines {a_k = 0}, where it is {c_S ≥ 0}."""
    found = []
    for cell in cells(polygon, form.units):
        at = centre(cell)
        found.append(cut(cell, form.on_cell([value(a, at) for a in form.units]))[0])
    return [part for part in found if part]


def sign_parts(network: SignNetwork | SignCircuit, halfplanes: Sequence[Form], polygon: Polygon) -> list[Polygon]:
    """The cells of the half-planes' lines in which a threshold network answers +1."""
    found = list(cells(polygon, halfplanes))
    units, columns = len(halfplanes), max(len(halfplanes), 1)
    signs = np.ones((len(found), columns))
    for row, at in zip(signs, map(centre, found), strict=True):
        row[[value(h, at) < 0 for h in halfplanes] + [False] * (columns - units)] = -1.0
    later_layers = replace(network, hidden_weight=np.eye(units, columns), hidden_bias=np.zeros(units), front=None)
    answers = later_layers(signs)
    return [cell for cell, answer in zip(found, answers, strict=True) if answer > 0]


def by_halfplane(edges: Iterable[Edge], around: Polygon) -> dict[Form, list[Edge]]:
    """The edges that are not on the rim of a polygon, by the half-plane to their left."""
    rim = sides(around)
    found: dict[Form, list[Edge]] = defaultdict(list)
    for edge in edges:
        h = to_the_left(edge)
        if h not in rim:
            found[h].append(edge)
    return dict(found)
