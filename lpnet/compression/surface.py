"""The decision boundary of a network of any kind: its pieces, and the ridges where it turns.

A *piece* is a convex polyhedron of dimension d − 1 in a hyperplane {h = 0}, with −1 on the side h < 0 and +1 beyond. Those of a
ReLU network are found by an engine, a cell each; those of threshold units by cutting every hyperplane along the reasons of the
answers on both of its sides (`lpnet.regions`). A facet of a piece lies in a flat {h = g = 0}. The answers around a generic
point of it are those of a fan of sectors in the plane of (h, g): if just two of its rays are boundary, opposite ones on one
half-space, the boundary goes on straight; else the flat is a *ridge*.
All in exact arithmetic; a facet is cut where the fan changes along it.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

from lpnet.boundary.engines import find_pieces
from lpnet.brief import brief
from lpnet.compression.fan import Fan, Flat, Ray, cross, flat_of
from lpnet.exact import Form, Point, add, primitive, sign, times, value
from lpnet.networks import Polyhedron, ReLUNetwork, normal_form
from lpnet.networks.exact_form import beside
from lpnet.regions.reasons import ABOVE, OFF, ON, Literal, Network, Reasons, Region, halfspace, meet, reasons, sides_of
from lpnet.regions.search import Questions, parts, search
from lpnet.watch import Watch


@dataclass(frozen=True)
class Piece:
    """A piece in {h = 0}: h primitive, a point inside, and points of its facets; directions of rays have a last entry 0."""

    halfspace: Form
    point: Point
    corners: tuple[Point, ...]


class Ridge(NamedTuple):
    """Forms h and g that vanish on a flat of dimension d − 2, a point of the ridge, and the pieces that meet there.

    rays: two independent ones at which the answers change.
    """

    forms: tuple[Form, Form]
    point: Point
    pieces: tuple[int, ...]
    rays: tuple[Ray, Ray]


@dataclass(frozen=True)
class Surface:
    """The boundary: pieces, one ridge of each flat that has some, and for each piece the number of its component."""

    inputs: int
    pieces: tuple[Piece, ...]
    ridges: tuple[Ridge, ...]
    components: tuple[int, ...]

    __repr__ = brief("inputs")


class Sheet:
    """A hyperplane {h = 0} in coordinates of its own, the inputs but one; and which parts of it are empty."""

    def __init__(self, h: Form, domain: Polyhedron) -> None:
        self.h = h
        self.pivot = max(range(len(h) - 1), key=lambda j: abs(h[j]))
        walls = [self.reduced(wall) for wall in domain.inequalities()]
        self.outside = any(not any(wall[:-1]) and wall[-1] <= 0 for wall in walls)  # beside the domain
        self.questions = Questions(Polyhedron(len(h) - 2, tuple(wall for wall in walls if any(wall[:-1]))))
        self.walls = meet(self.questions.walls)

    def reduced(self, form: Form) -> Form:
        """The form on the hyperplane, times a positive number."""
        j, side = self.pivot, sign(self.h[self.pivot])
        entries = add(times(side * self.h[j], form), times(-side * form[j], self.h))
        return primitive(entries[:j] + entries[j + 1 :])

    def extended(self, form: Form) -> Form:
        """A form of the coordinates as one on R^d."""
        return (*form[: self.pivot], 0, *form[self.pivot :])

    def lifted(self, at: Point) -> Point:
        """The point of R^d with these coordinates."""
        j, whole = self.pivot, self.extended(at)
        scaled = list(times(abs(self.h[j]), whole))
        scaled[j] = -sign(self.h[j]) * value(self.h, whole)
        return primitive(scaled)

    def literals(self, held: Sequence[Literal], but: Sequence[Form] = ()) -> list[Literal]:
        """Half-spaces of R^d as those of the hyperplane, without those that hold all over it or bound it along `but`."""
        found = ((self.reduced(form), sides) for form, sides in held)
        turned = (halfspace(form, sides) for form, sides in found if any(form[:-1]))
        return [(form, sides) for form, sides in turned if form not in but]


def surface(network: Network, domain: Polyhedron, watch: Watch) -> Surface:
    """The boundary of a network without a front, d ≥ 2; Stopped where the watch says so."""
    why = reasons(network, domain)
    cutting = watch.part(0.0, 0.5)
    if isinstance(network, ReLUNetwork):
        found = relu_parts(network, domain, cutting)
    else:
        found = unit_parts(network, domain, why, cutting)
    building = _Building(why, isinstance(network, ReLUNetwork) and not network.deeper)
    for h, sheet, region in found:
        building.add(h, sheet, region)
    return building.surface(network.inputs, watch.part(0.5, 1.0))


def relu_parts(network: ReLUNetwork, domain: Polyhedron, watch: Watch) -> Iterator[tuple[Form, Sheet, dict[Form, int]]]:
    """The pieces of a ReLU network, one a cell: half-space, hyperplane, region in it."""
    form = normal_form(network, domain)
    pieces, *_rest = find_pieces(form, domain, watch)
    if not pieces.complete:
        raise watch.error()
    for cell in form.cells(pieces.patterns):
        h = primitive(cell.f)
        sheet = Sheet(h, domain)
        yield h, sheet, meet(sheet.walls.items(), sheet.literals(sides_of(cell)))


def unit_parts(
    network: Network, domain: Polyhedron, why: Reasons, watch: Watch
) -> Iterator[tuple[Form, Sheet, dict[Form, int]]]:
    """The pieces of threshold units: on each of their hyperplanes, where the answers on both sides differ."""
    planes = sorted({halfspace(h, ON)[0] for h in network.input_layer.forms if any(h[:-1])})
    for done, plane in enumerate(planes):
        sheet, below = Sheet(plane, domain), times(-1, plane)
        if sheet.outside:
            continue

        def look(
            at: Point, region: Region, sheet: Sheet = sheet, plane: Form = plane, below: Form = below
        ) -> tuple[tuple[Form, dict[Form, int]] | None, list[Literal]]:
            x = sheet.lifted(at)
            first, held = why(partial(beside, at=x, h=plane), {})
            second, more = why(partial(beside, at=x, h=below), {})
            literals = sheet.literals([*held, *more])
            differ = (plane if first < 0 else below, meet(region.items(), literals)) if first != second else None
            return differ, literals

        for share, found in search(sheet.walls, sheet.questions.point_in, look, partial(parts, whole=OFF)):
            watch.check((done + share) / len(planes), done)
            if found:
                yield found[0], sheet, found[1]


class _Building:
    """Pieces as they are found, with their regions.

    cells: whether they are cells of hyperplanes, so that two pieces that meet in a facet have it in common.
    """

    def __init__(self, why: Reasons, cells: bool) -> None:
        self.why, self.cells = why, cells
        self.common: dict[tuple[int, Form], Point] = {}
        self.found: list[tuple[Form, Sheet, dict[Form, int], Point]] = []
        self.on: dict[Form, list[int]] = defaultdict(list)
        self.parent: list[int] = []

    def add(self, h: Form, sheet: Sheet, region: Region) -> None:
        """One more piece, unless it has no interior."""
        inside = {form: sides & ~ON for form, sides in region.items()}
        at = None if sheet.outside else sheet.questions.point_in(inside)
        if at:
            self.on[h].append(len(self.found))
            self.parent.append(len(self.found))
            self.found.append((h, sheet, inside, sheet.lifted(at)))

    def surface(self, inputs: int, watch: Watch) -> Surface:
        """All facets of all pieces looked at."""
        pieces, ridges = [], dict[Form, Ridge]()
        for number, (h, _, region, at) in enumerate(self.found):
            corners = []
            for wall in region:
                watch.check(number / len(self.found), number)
                for corner, ridge in self.facet(number, wall):
                    corners.append(corner)
                    if ridge:
                        ridges.setdefault(flat_of(ridge.forms), ridge)
            if inputs == 2 and len(corners) < 2:
                corners += ends(h, at, corners)
            pieces.append(Piece(h, at, tuple(corners)))
        return Surface(inputs, tuple(pieces), tuple(ridges.values()), tuple(map(self.root, range(len(pieces)))))

    def facet(self, number: int, wall: Form) -> Iterator[tuple[Point, Ridge | None]]:
        """Points of the facet of a piece in {wall = 0}, with the ridge there if it is one."""
        h, sheet, region, _ = self.found[number]
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
                x, rays = found
                pieces = tuple(dict.fromkeys([number, *(k for f, ray in rays for k in self.beyond(f, flat, x, ray))]))
                for k in pieces:
                    if self.cells:
                        self.common[k, name] = x
                    self.parent[self.root(k)] = self.root(number)
                other = next((ray for _, ray in rays if cross(rays[0][1], ray)), None)
                yield x, Ridge((h, g), x, pieces, (rays[0][1], other)) if other else None

    def beyond(self, h: Form, flat: Flat, at: Point, ray: Ray) -> Iterator[int]:
        """The piece that goes on from a point of a flat in the direction of a ray."""
        for k in self.on[h]:
            _, sheet, region, _ = self.found[k]
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
