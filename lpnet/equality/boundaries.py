"""Equality off ties through the decision boundaries: the same pieces, on the same sides, mean the same answers.

Let two networks have the same boundary pieces, up to sets of dimension d − 2, each with +1 on the same side. A generic segment
between two points crosses pieces only; both networks change their answers at the same crossings, so if they agree at one point
they do at almost all, and next to a piece they agree. Conversely, where a generic point of a piece of one network lies on no
piece of the other on the same hyperplane with the same side, the other network does not change from −1 to +1 there: infinitely
near that point, on one side or the other, the answers differ, and they do so on an open set.

Ties: if {+1} is the closure of its interior for both networks (`regular`), it is known once it is known almost everywhere.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from lpnet.boundary.redundancy import Operation, output_operation
from lpnet.equivalents.minimal import MinimalEquivalent, minimal_equivalent
from lpnet.errors import InputError, Stopped
from lpnet.exact import Form, Point, primitive, times
from lpnet.networks import Polyhedron, ReLUNetwork, SignNetwork
from lpnet.networks.exact_form import beside
from lpnet.regions.reasons import (
    ABOVE,
    ANYWHERE,
    BELOW,
    OFF,
    ON,
    Literal,
    Network,
    Reasons,
    Region,
    halfspace,
    meet,
    sides_of,
)
from lpnet.regions.regularity import regular
from lpnet.regions.search import Difference, Questions, compare, parts, search, within
from lpnet.watch import Watch


@dataclass(frozen=True)
class Boundary:
    """The pieces of a network's decision boundary inside a domain.

    pieces: half-space, primitive and with +1 on its side → numbers of the pieces on its hyperplane; region: the interior of a
    piece, by number, empty for a redundant half-space; operation: what {+1} is of the half-spaces, if it is their union or
    intersection; regular: whether {+1} is proved to be the closure of its interior.
    """

    pieces: dict[Form, list[int]]
    region: Callable[[int], dict[Form, int]]
    operation: Operation | None
    regular: Callable[[], bool]


def boundary_of(network: Network, domain: Polyhedron, watch: Watch, questions: Questions) -> Boundary | None:
    """The boundary of a ReLU network, or of a disjunction or conjunction of threshold units; None for others."""
    if isinstance(network, ReLUNetwork):
        return relu_boundary(minimal_equivalent(network, domain, watch=watch), watch, questions)
    if isinstance(network, SignNetwork) and network.units and network.input_layer.weight.any(axis=1).all():
        try:
            operation = output_operation(network)
        except InputError:
            return None
        return sign_boundary(network.input_layer.forms, operation, questions)
    return None


def relu_boundary(answer: MinimalEquivalent, watch: Watch, questions: Questions) -> Boundary:
    """The pieces of a ReLU network: on {c_S = 0}, between the hyperplanes of the units."""
    form, patterns = answer.form, answer.pieces.patterns
    if not answer.complete:
        raise Stopped(f"stopped after {len(patterns)} boundary pieces, {watch.stopped}")
    pieces = defaultdict(list)
    for number, pattern in enumerate(patterns):
        watch.check(0.5, number)
        pieces[primitive(form.on_cell(pattern))].append(number)

    def region(number: int) -> dict[Form, int]:
        cell = form.cell(patterns[number])
        return meet(questions.walls, sides_of(cell)) | dict([halfspace(cell.f, ON)])

    operation: Operation | None = "union" if form.convex else "intersection" if form.concave and pieces else None
    return Boundary(
        dict(pieces), region, operation, lambda: regular(form, answer.domain, answer.pieces, answer.engine, questions, watch)
    )


def sign_boundary(halfspaces: Sequence[Form], operation: Operation, questions: Questions) -> Boundary | None:
    """The facets of a union or intersection of half-spaces, with redundant half-spaces that carry an empty piece.

    That is enough to compare: where the union leaves something of the domain over, or the intersection has an interior, that
    convex set is the intersection of the half-spaces that carry its facets. A union is the closure of its interior, and so is
    an intersection with an interior. None for an intersection without.
    """
    inner = BELOW if operation == "union" else ABOVE
    distinct = list(dict.fromkeys(primitive(h) for h in halfspaces))
    walls = meet(questions.walls)
    inside = meet(walls.items(), (halfspace(h, inner) for h in distinct))
    if questions.point_in(inside) is None:
        return Boundary({}, lambda _: {}, operation, lambda: True) if operation == "union" else None

    def region(number: int) -> dict[Form, int]:
        plane, _ = halfspace(distinct[number], ON)
        return inside | {plane: ON & walls.get(plane, ANYWHERE)}  # nothing on a wall

    return Boundary({h: [k] for k, h in enumerate(distinct)}, region, operation, lambda: True)


def boundary_difference(
    boundary_a: Boundary, boundary_b: Boundary, a: Reasons, b: Reasons, questions: Questions, watch: Watch
) -> Difference | None:
    """An open set on which the answers differ, or None if they agree almost everywhere.

    For two unions, the half-spaces that carry a piece of one are among those of the other: then the complement of each, being
    the intersection of their complements, contains that of the other; likewise for two intersections.
    """
    inside = questions.point_in(meet(questions.walls))
    assert inside  # as `as_domain` wants
    difference = beside_point(inside, (0,) * (questions.inputs + 1), a, b, questions)
    if difference:
        return difference
    both = ((boundary_b, boundary_a), (boundary_a, boundary_b))
    for one, other in both:
        for h, numbers in one.pieces.items():
            at = None if h in other.pieces else questions.point_in(one.region(numbers[0]))
            watch.check(0.5, questions.asked)
            if at:
                return beside_point(at, h, a, b, questions)
    if boundary_a.operation and boundary_a.operation == boundary_b.operation:
        return None
    for one, other in both:
        for done, (h, numbers) in enumerate(one.pieces.items()):
            watch.check(done / len(one.pieces), done)
            at = next(filter(None, (uncovered_part(one, other, h, number, questions, watch) for number in numbers)), None)
            if at:
                return beside_point(at, h, a, b, questions)
    return None


def uncovered_part(one: Boundary, other: Boundary, h: Form, number: int, questions: Questions, watch: Watch) -> Point | None:
    """A point inside a piece of one boundary, off all pieces of the other with the same half-space."""
    piece = one.region(number)
    terms = []
    for candidate in other.pieces.get(h, []):
        terms.append({g: sides for g, sides in other.region(candidate).items() if piece.get(g, ANYWHERE) & ~sides})
        if not terms[-1]:
            return None

    def look(at: Point, _: Region) -> tuple[Point | None, list[Literal]]:
        covering = next((term for term in terms if within({g: sides | ON for g, sides in term.items()}, at)), None)
        return (at, []) if covering is None else (None, list(covering.items()))

    for _, at in search(piece, questions.point_in, look, partial(parts, whole=OFF)):
        watch.check(0.5, 0)
        if at:
            return at
    return None


def beside_point(at: Point, h: Form, a: Reasons, b: Reasons, questions: Questions) -> Difference | None:
    """The difference infinitely near a point, on either side of {h = 0}."""
    differences = (compare(a, b, partial(beside, at=at, h=times(side, h)), {}, questions)[0] for side in (1, -1))
    return next(filter(None, differences), None)
