"""The boundary of many threshold units, from piece to piece across its ridges.

The answer is a function of the sides of the units' hyperplanes, a row of signs. A piece on a hyperplane is bounded by walls;
where the answers above and below stop being those of the piece on a segment from a point of it, there is one. When segments to
all corners of the polyhedron that the walls bound stay on the piece, it is that polyhedron, if it is convex. On a facet the
hyperplanes through its flat bound sectors with an answer each, and the rays at which it changes lead to the pieces next to it.
All in exact arithmetic, but for the lines that look for the first pieces. What is found is a part of the boundary: of the
components that these lines meet.
"""

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cmp_to_key

import numpy as np
from flint import fmpz_mat

from lpnet.compression.flats import Fan, Flat, Sheet, Turn, bends, cross, flat_of
from lpnet.compression.sides import Sides, Signs, crossed, extreme, middle
from lpnet.compression.surface import Answers, Network, Piece, Ridge, Surface
from lpnet.exact import FloatArray, Form, Point, add, point, primitive, sign, times, value
from lpnet.networks import Polyhedron
from lpnet.regions.reasons import ABOVE, BELOW, ON, meet
from lpnet.watch import Watch

SHOTS = 300  # lines, to find the first pieces


@dataclass
class Part:
    """A piece on hyperplane k, h the half-space: an exact point with its signs, and its walls.

    region: the walls in coordinates of the hyperplane; facets: which wall each of these half-spaces is.
    """

    k: int
    h: Form
    sheet: Sheet
    answers: Answers
    point: Point
    signs: Signs
    walls: list[int] = field(default_factory=list)
    region: dict[Form, int] = field(default_factory=dict)
    facets: dict[Form, int] = field(default_factory=dict)
    corners: list[Point] = field(default_factory=list)

    def bound(self, walls: Sequence[int], planes: Sequence[Form]) -> None:
        """Walls in addition."""
        self.walls += walls
        for j in walls:
            for form, side in self.sheet.literals([(planes[j], ABOVE if self.signs[j] > 0 else BELOW)]):
                self.region[form] = side
                self.facets.setdefault(form, j)

    def ends(self) -> list[Point]:
        """The extreme rays of the piece, points and directions; where it has lines, these forth and back, and no rays."""
        rows = [form if side == ABOVE else times(-1, form) for form, side in self.region.items()]
        span, nullity = fmpz_mat([list(form[:-1]) for form in rows] or [[0] * (len(self.h) - 2)]).nullspace()
        lines = [primitive([*(int(span[j, k]) for j in range(len(self.h) - 2)), 0]) for k in range(nullity)]
        found = [times(side, line) for line in lines for side in (1, -1)] if lines else extreme(rows)
        return [self.sheet.lifted(end) for end in found]

    def facet_points(self, units: int, planes: Sequence[Form]) -> Iterator[tuple[int, Point]]:
        """A point inside each facet, and which unit's hyperplane it lies in."""
        for wall, j in self.facets.items():
            if j >= units:
                continue
            on = [end for end in self.corners if value(planes[j], end) == 0]
            if any(end[-1] for end in on) and len(on) + 2 >= len(self.h) - 1:
                yield j, middle(on)
            elif not any(end[-1] for end in self.corners):  # a piece with lines
                at = self.sheet.questions.point_in({**self.region, wall: ON})
                if at:
                    yield j, self.sheet.lifted(at)

    def contains(self, signs: Signs) -> bool:
        """Whether the piece has the points with these signs."""
        return bool((signs[self.walls] == self.signs[self.walls]).all())


def walked(network: Network, domain: Polyhedron, watch: Watch, through: Sequence[Point] = ()) -> Surface:
    """The boundary of a network of threshold units, without a front, d ≥ 2; Stopped where the watch says so.

    through: points that some of the first lines are to meet.
    """
    walk = Walk(Sides(network, domain), domain, watch)
    places = [np.array([z / at[-1] for z in at[:-1]]) for at in through]
    for number in range(SHOTS):
        watch.check(0.5 * number / SHOTS, len(walk.parts))
        for k, at in walk.crossings(places[number % len(places)] if places else None):
            walk.start(k, at)
    return walk.surface()


class Walk:
    """Pieces as they are found."""

    def __init__(self, sides: Sides, domain: Polyhedron, watch: Watch) -> None:
        self.sides, self.domain, self.watch = sides, domain, watch
        self.rng = np.random.default_rng(0)
        self.parts: list[Part] = []
        self.on: dict[int, list[int]] = defaultdict(list)
        self.parent: list[int] = []
        self.sheets: dict[int, Sheet] = {}

    def crossings(self, via: FloatArray | None = None) -> Iterator[tuple[int, FloatArray]]:
        """Where a line past two vertices of hyperplanes, drawn at random, or one and a point, meets the boundary; and which."""
        table, d = self.sides.table, self.domain.inputs
        drawn = np.stack([self.rng.choice(len(table), d, replace=len(table) < d) for _ in range(2)])
        try:
            start, end = np.linalg.solve(table[drawn][..., :-1], -table[drawn][..., -1:])[..., 0]
        except np.linalg.LinAlgError:
            return
        size = np.abs(end - start) / 9
        start, end = start + self.rng.normal(size=d) * size, end + self.rng.normal(size=d) * size
        start = start if via is None else via
        order, places, signs = crossed(table[:, :-1] @ start + table[:, -1], table[:, :-1] @ (end - start))
        answers = self.sides.answers(signs)
        for j in np.flatnonzero(answers[1:] != answers[:-1]):
            if order[j] < self.sides.units:
                yield order[j], start + places[j] * (end - start)

    def start(self, k: int, at: FloatArray) -> None:
        """Begin with the piece on hyperplane k at a point near to it, if there is one."""
        sheet = self.sheet(k)
        x = sheet.lifted(point(np.delete(at, sheet.pivot)))
        signs = self.sides.at(x)
        if np.count_nonzero(signs == 0) == 1 and (signs[self.sides.units :] >= 0).all():
            self.piece(k, signs, x)

    def sheet(self, k: int) -> Sheet:
        """A hyperplane with its coordinates."""
        if k not in self.sheets:
            self.sheets[k] = Sheet(self.sides.planes[k], self.domain)
        return self.sheets[k]

    def piece(self, k: int, signs: Signs, x: Point | None = None) -> int | None:
        """The number of the piece on hyperplane k with these signs, which may be a new one; None where there is none."""
        known = next((p for p in self.on[k] if self.parts[p].contains(signs)), None)
        if known is not None:
            return known
        above, below = self.sides.across(signs[None].copy(), k)[0]
        if above == below:
            return None
        sheet = self.sheet(k)
        if x is None:  # inside the cell with these signs
            others = [(p, ABOVE if s > 0 else BELOW) for p, s in zip(self.sides.planes, signs.tolist(), strict=True) if s]
            inside = sheet.questions.point_in(meet(sheet.walls.items(), sheet.literals(others)))
            assert inside
            x = sheet.lifted(inside)
        h, number = times(1 if above > below else -1, self.sides.planes[k]), len(self.parts)
        answers = (int(max(above, below)), int(min(above, below)))
        part = Part(k, h, sheet, answers, x, signs)
        part.bound(range(self.sides.units, len(self.sides.planes)), self.sides.planes)
        part.corners = self.cut(part)
        self.parts.append(part)
        self.on[k].append(number)
        self.parent.append(number)
        return number

    def cut(self, part: Part) -> list[Point]:
        """Bound a piece around its point, until it is where segments to all extreme rays stay; these."""
        seen = set[Point]()
        while True:
            self.watch.check(self.watch.share, len(self.parts))
            ends = part.ends()
            for end in ends:
                more = [] if end in seen else self.segment(part, end)
                if more:
                    part.bound(more, self.sides.planes)
                    break
                seen.add(end)
            else:
                return ends

    def segment(self, part: Part, end: Point) -> list[int]:
        """New walls where the segment from the point of a piece to another one, or the ray in a direction, leaves it."""
        places: dict[Fraction, list[int]] = defaultdict(list)
        for j in np.flatnonzero(self.sides.at(end) * part.signs < 0).tolist():
            start, stop = (value(self.sides.planes[j], at) for at in (part.point, end))
            places[Fraction(start, start - stop)].append(j)
        signs, order = [part.signs], [places[place] for place in sorted(places)]
        for group in order:
            signs.append(signs[-1].copy())
            signs[-1][group] *= -1
        above = 1 if part.h == self.sides.planes[part.k] else -1
        right = (self.sides.across(np.array(signs), part.k)[:, ::above] == part.answers).all(axis=1)
        return order[int(np.argmin(right)) - 1] if not right.all() else []

    def surface(self) -> Surface:
        """The pieces next to those known, and next to them, with all facets."""
        pieces, ridges, seen = [], dict[Form, Ridge](), set[tuple[int, Form]]()
        for number, part in enumerate(self.parts):  # more join them on the way
            for j, at in part.facet_points(self.sides.units, self.sides.planes):
                name = flat_of((part.h, self.sides.planes[j]))
                if (number, name) not in seen:  # nor has a piece beyond been there
                    around, ridge = self.ridge(number, j, at)
                    seen.update((p, name) for p in around)
                    if ridge:
                        ridges.setdefault(name, ridge)
            pieces.append(Piece(part.h, part.point, tuple(part.corners), part.answers))
        components = tuple(map(self.root, range(len(pieces))))
        answers = tuple(sorted({c for piece in pieces for c in piece.answers}, reverse=True))
        return Surface(self.domain.inputs, tuple(pieces), tuple(ridges.values()), components, answers, False)

    def ridge(self, number: int, j: int, at: Point) -> tuple[list[int], Ridge | None]:
        """What is around a point of the facet of a piece in hyperplane j: the pieces there, and the ridge if it is one."""
        part = self.parts[number]
        flat = Flat(part.h, self.sides.planes[j])
        signs = self.sides.at(at)
        through = []
        for k in np.flatnonzero(signs[: self.sides.units] == 0).tolist():
            signs[k] = flat.within(self.sides.planes[k], at)
            if not signs[k]:
                through.append(k)
        fan = self.fan(flat, through, signs)
        around = (self.next_to(flat, through, signs, turn) for turn in fan)
        pieces = list(dict.fromkeys([number, *(p for p in around if p is not None)]))
        for p in pieces:
            self.parent[self.root(p)] = self.root(number)
        return pieces, Ridge((flat.h, flat.g), at, tuple(pieces), tuple(fan)) if fan and bends(fan) else None

    def fan(self, flat: Flat, through: Sequence[int], signs: Signs) -> Fan:
        """The rays around a flat at which the answer changes, of the hyperplanes through it."""
        forms = [flat.coefficients(self.sides.planes[k]) for k in through]
        found = {(s // c, t // c) for a, b in forms for s, t in ((b, -a), (-b, a)) if (c := math.gcd(s, t))}
        upper = sorted((ray for ray in found if ray > (0, 0)), key=cmp_to_key(cross), reverse=True)
        rays = [*upper, *((-s, -t) for s, t in upper)]
        rows = np.repeat(signs[None], len(rays), axis=0)
        for row, ray, following in zip(rows, rays, [*rays[1:], rays[0]], strict=True):
            s, t = ray[0] + following[0], ray[1] + following[1]
            row[through] = [sign(a * s + b * t) for a, b in forms]
        answers = self.sides.answers(rows).tolist()
        fan = []
        for ray, left, right in zip(rays, answers, [answers[-1], *answers[:-1]], strict=True):
            if left != right:
                beyond = add(times(ray[1], flat.h), times(-ray[0], flat.g))  # negative to the left of the ray
                fan.append(Turn(primitive(times(-1 if left > right else 1, beyond)), ray, left, right))
        return fan

    def next_to(self, flat: Flat, through: Sequence[int], signs: Signs, turn: Turn) -> int | None:
        """The piece that goes on from a point of a flat in the direction of a ray, perhaps a new one."""
        beside = signs.copy()
        forms = (flat.coefficients(self.sides.planes[k]) for k in through)
        beside[through] = [sign(a * turn.ray[0] + b * turn.ray[1]) for a, b in forms]
        (k,) = (k for k in through if beside[k] == 0)
        return self.piece(k, beside)

    def root(self, number: int) -> int:
        """The first piece of its component, as far as it is known."""
        while self.parent[number] != number:
            self.parent[number] = number = self.parent[self.parent[number]]
        return number
