"""The decision boundary of a network of any kind: its pieces, and the ridges where it turns.

Answers are whole numbers, and the larger one wins ties: ±1, or of a network with several outputs 0, −1, … for its classes in
the order of their outputs. A *piece* is a convex polyhedron of dimension d − 1 in a hyperplane {h = 0}, with one answer on the
side h < 0 and a larger one beyond. Those of a ReLU network are found by an engine, a cell each; those of threshold units by
cutting every hyperplane along the reasons of the answers on both of its sides (`lpnet.regions`). A facet of a piece lies in a
flat {h = g = 0}. The answers around a generic point of it are those of a fan of sectors in the plane of (h, g): where no scores
that are affine there have them, as if just two rays are boundary, but not opposite ones, the flat is a *ridge*.
All in exact arithmetic; a facet is cut where the fan changes along it.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

from lpnet.boundary.engines import find_pieces
from lpnet.brief import brief
from lpnet.compression.flats import Fan, Flat, Ray, Sheet, Term, Turn, bends, bent, flat_of
from lpnet.equality.classes import class_at, reasons_of
from lpnet.exact import Form, Point, add, primitive, sign, times
from lpnet.networks import Polyhedron, ReLUNetwork, SignCircuit, SignNetwork, normal_form
from lpnet.networks.classifier import Classifier
from lpnet.networks.exact_form import beside
from lpnet.regions.reasons import (
    ABOVE,
    OFF,
    ON,
    Literal,
    Reasons,
    Region,
    ValueOf,
    answer_at,
    halfspace,
    meet,
    reasons,
    sides_of,
)
from lpnet.regions.search import parts, search
from lpnet.watch import Watch

Network = ReLUNetwork | SignNetwork | SignCircuit | Classifier
Answers = tuple[int, int]  # above and below a piece


@dataclass(frozen=True)
class Piece:
    """A piece in {h = 0}: h primitive, a point inside, and points of its facets; directions of rays have a last entry 0.

    answers: where h > 0, and where h < 0.
    """

    halfspace: Form
    point: Point
    corners: tuple[Point, ...]
    answers: Answers = (1, -1)


class Ridge(NamedTuple):
    """Forms h and g that vanish on a flat of dimension d − 2, a point of the ridge, the pieces that meet there, their fan."""

    forms: tuple[Form, Form]
    point: Point
    pieces: tuple[int, ...]
    fan: tuple[Turn, ...]

    @property
    def terms(self) -> tuple[Term, ...]:
        """Why scores bend there."""
        return bent(self.fan)


@dataclass(frozen=True)
class Surface:
    """The boundary: pieces, one ridge of each flat that has some, and for each piece the number of its component.

    answers: those that there are, the first of which win ties; complete: whether it is known to be all of it.
    """

    inputs: int
    pieces: tuple[Piece, ...]
    ridges: tuple[Ridge, ...]
    components: tuple[int, ...]
    answers: tuple[int, ...] = (1, -1)
    complete: bool = True

    __repr__ = brief("inputs")

    @property
    def scores(self) -> tuple[int, ...]:
        """The answers in whose scores alone a unit may be; of two, one is enough."""
        return self.answers[:1] if len(self.answers) == 2 else self.answers


def numbers(network: Classifier) -> dict[int, int]:
    """The answers for a network's classes."""
    return {c: -place for place, c in enumerate(dict.fromkeys(network.classes))}


def answers_of(network: Network, domain: Polyhedron) -> Reasons:
    """A network's answers inside a domain, with their reasons."""
    if not isinstance(network, Classifier):
        return reasons(network, domain)
    why, named = reasons_of(network, domain), numbers(network)

    def answers(value_of: ValueOf, known: Region) -> tuple[int, list[Literal]]:
        answer, held = why(value_of, known)
        return named[answer], held

    return answers


def exact_answer(network: Network, at: Point) -> int:
    """A network's answer at an exact point."""
    if isinstance(network, Classifier):
        return numbers(network)[class_at(network, at)]
    return answer_at(network, at)


def surface(network: Network, domain: Polyhedron, watch: Watch) -> Surface:
    """The boundary of a network without a front, d ≥ 2; Stopped where the watch says so."""
    why = answers_of(network, domain)
    cutting = watch.part(0.0, 0.5)
    several = isinstance(network, Classifier)
    body = network.scores[0] if isinstance(network, Classifier) else network
    found = unit_parts if not isinstance(body, ReLUNetwork) else class_parts if several else relu_parts
    building = _Building(why, isinstance(network, ReLUNetwork) and not network.deeper)
    for part in found(network, domain, why, cutting):
        building.add(*part)
    return building.surface(network.inputs, watch.part(0.5, 1.0))


Part = tuple[Form, "Sheet", dict[Form, int], Answers]


def relu_parts(network: Any, domain: Polyhedron, why: Reasons, watch: Watch) -> Iterator[Part]:
    """The pieces of a ReLU network, one a cell: half-space, hyperplane, region in it, answers above and below."""
    form = normal_form(network, domain)
    for cell in form.cells(complete_pieces(form, domain, watch).patterns):
        h = primitive(cell.f)
        sheet = Sheet(h, domain)
        yield h, sheet, meet(sheet.walls.items(), sheet.literals(sides_of(cell))), (1, -1)


def class_parts(network: Any, domain: Polyhedron, why: Reasons, watch: Watch) -> Iterator[Part]:
    """The same of one with several outputs, where no other score reaches the two that are equal."""
    form, named = network.normal_form(domain), numbers(network)
    pieces, answers = complete_pieces(form, domain, watch), [named[c] for c in form.classes]
    for cell, pair in zip(form.body.cells(pieces.patterns), pieces.pairs.tolist(), strict=True):
        i, j = sorted(pair, key=lambda o: -answers[o])
        scores = form.scores(cell)
        h = primitive(add(scores[i], times(-1, scores[j])))
        ahead = (add(scores[i], times(-1, scores[q])) for q in range(len(scores)) if q not in pair)
        literals = [*sides_of(cell), *(halfspace(a, ABOVE) for a in ahead if any(a[:-1]))]
        sheet = Sheet(h, domain)
        yield h, sheet, meet(sheet.walls.items(), sheet.literals(literals)), (answers[i], answers[j])


def complete_pieces(form: Any, domain: Polyhedron, watch: Watch) -> Any:
    """The pieces by an engine; Stopped where they are not all."""
    pieces, *_rest = find_pieces(form, domain, watch)
    if not pieces.complete:
        raise watch.error()
    return pieces


def unit_parts(network: Any, domain: Polyhedron, why: Reasons, watch: Watch) -> Iterator[Part]:
    """The pieces of threshold units: on each of their hyperplanes, where the answers on both sides differ."""
    layer = (network.scores[0] if isinstance(network, Classifier) else network).input_layer
    planes = sorted({halfspace(h, ON)[0] for h in layer.forms if any(h[:-1])})
    for done, plane in enumerate(planes):
        sheet, below = Sheet(plane, domain), times(-1, plane)
        if sheet.outside:
            continue

        def look(
            at: Point, region: Region, sheet: Sheet = sheet, plane: Form = plane, below: Form = below
        ) -> tuple[tuple[Form, dict[Form, int], Answers] | None, list[Literal]]:
            x = sheet.lifted(at)
            first, held = why(partial(beside, at=x, h=plane), {})
            second, more = why(partial(beside, at=x, h=below), {})
            literals = sheet.literals([*held, *more])
            if first == second:
                return None, literals
            h, answers = (plane, (second, first)) if first < second else (below, (first, second))
            return (h, meet(region.items(), literals), answers), literals

        for share, found in search(sheet.walls, sheet.questions.point_in, look, partial(parts, whole=OFF)):
            watch.check((done + share) / len(planes), done)
            if found:
                yield found[0], sheet, *found[1:]


class _Building:
    """Pieces as they are found, with their regions.

    cells: whether they are cells of hyperplanes, so that two pieces that meet in a facet have it in common.
    """

    def __init__(self, why: Reasons, cells: bool) -> None:
        self.why, self.cells = why, cells
        self.common: dict[tuple[int, Form], Point] = {}
        self.found: list[tuple[Form, Sheet, dict[Form, int], Point, Answers]] = []
        self.on: dict[Form, list[int]] = defaultdict(list)
        self.parent: list[int] = []

    def add(self, h: Form, sheet: Sheet, region: Region, answers: Answers) -> None:
        """One more piece, unless it has no interior."""
        inside = {form: sides & ~ON for form, sides in region.items()}
        at = None if sheet.outside else sheet.questions.point_in(inside)
        if at:
            self.on[h].append(len(self.found))
            self.parent.append(len(self.found))
            self.found.append((h, sheet, inside, sheet.lifted(at), answers))

    def surface(self, inputs: int, watch: Watch) -> Surface:
        """All facets of all pieces looked at."""
        pieces, ridges = [], dict[Form, Ridge]()
        for number, (h, _, region, at, beside_it) in enumerate(self.found):
            corners = []
            for wall in region:
                watch.check(number / len(self.found), number)
                for corner, ridge in self.facet(number, wall):
                    corners.append(corner)
                    if ridge:
                        ridges.setdefault(flat_of(ridge.forms), ridge)
            if inputs == 2 and len(corners) < 2:
                corners += ends(h, at, corners)
            pieces.append(Piece(h, at, tuple(corners), beside_it))
        components = tuple(map(self.root, range(len(pieces))))
        answers = tuple(sorted({c for piece in pieces for c in piece.answers}, reverse=True))
        return Surface(inputs, tuple(pieces), tuple(ridges.values()), components, answers)

    def facet(self, number: int, wall: Form) -> Iterator[tuple[Point, Ridge | None]]:
        """Points of the facet of a piece in {wall = 0}, with the ridge there if it is one."""
        h, sheet, region, *_ = self.found[number]
        g = sheet.extended(wall)
        name = flat_of((h, g))
        if (number, name) in self.common:
            yield self.common[number, name], None
            return
        flat = Flat(h, g)
        start = 1 if region[wall] == ABOVE else -1

        def look(at: Point, _: Region) -> tuple[tuple[Point, Fan], list[Literal]]:
            x = sheet.lifted(at)
            found, held = flat.fan(x, self.why, (0, start))
            return (x, found), sheet.literals(held, (wall,))

        outer = wall in sheet.walls
        for _share, found in search({**region, wall: ON}, sheet.questions.point_in, look, partial(parts, whole=OFF)):
            if found and outer:
                yield found[0], None
            elif found:
                x, fan = found
                around = (k for turn in fan for k in self.beyond(turn.halfspace, flat, x, turn.ray))
                pieces = tuple(dict.fromkeys([number, *around]))
                for k in pieces:
                    if self.cells:
                        self.common[k, name] = x
                    self.parent[self.root(k)] = self.root(number)
                yield x, Ridge((h, g), x, pieces, tuple(fan)) if bends(fan) else None

    def beyond(self, h: Form, flat: Flat, at: Point, ray: Ray) -> Iterator[int]:
        """The piece that goes on from a point of a flat in the direction of a ray."""
        for k in self.on[h]:
            _, sheet, region, *_ = self.found[k]
            sides = ((sheet.extended(form), wanted) for form, wanted in region.items())
            if all(flat.side(form, at, ray) == (1 if wanted == ABOVE else -1) for form, wanted in sides):
                yield k

    def root(self, number: int) -> int:
        """The first piece of its component, as far as it is known."""
        while self.parent[number] != number:
            self.parent[number] = number = self.parent[self.parent[number]]
        return number


def ends(h: Form, at: Point, corners: Sequence[Point]) -> list[Point]:
    """The directions of the infinite ends of a piece in the plane."""
    forth = (-h[1], h[0], 0)
    if not corners:
        return [forth, times(-1, forth)]
    step = [x * corners[0][-1] - z * at[-1] for x, z in zip(at[:2], corners[0], strict=False)]
    return [times(sign(sum(a * b for a, b in zip(step, forth, strict=False))), forth)]
