"""Where the units of a network with given decisions can bend: hyperplanes through the ridges of its boundary.

Around a ridge, in the flat {h = g = 0}, f is not affine, so that some unit's hyperplane {a = 0} contains it: a ∈ span(h, g).
Of two ridges on one hyperplane the spans meet in a; for d ≥ 3 two of them, planes in R^{d+1}, meet but in 0 unless there is a
reason. Whether they do is the determinant of four vectors, bilinear in the Plücker coordinates of both flats: asked of all
pairs at once, modulo a prime and after a projection to R^4. What is not 0 there is not 0.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cmp_to_key
from itertools import chain, combinations, pairwise, product
from operator import mul

import numpy as np
from flint import fmpz_mat
from numpy.typing import NDArray

from lpnet.brief import brief
from lpnet.compression.flats import Ray, cross
from lpnet.compression.surface import Piece, Ridge, Surface
from lpnet.exact import Form, Point, primitive, sign, times, value
from lpnet.networks.exact_form import beside, proportion
from lpnet.programs.integer import set_packing

PRIME = 2**31 - 1
KLEIN = ((0, 5, 1), (1, 4, -1), (2, 3, 1), (3, 2, 1), (4, 1, -1), (5, 0, 1))  # of 12, 13, 14, 23, 24, 34
PAIRS = ((0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3))
Mod = NDArray[np.int64]
Interval = tuple[tuple[Ray, Ray], list[int]]


def on_several(surface: Surface) -> list[tuple[Form, list[int]]]:
    """All hyperplanes that contain at least two ridges, each with their numbers."""
    ridges = surface.ridges
    coordinates = plucker([ridge.forms for ridge in ridges]) if surface.inputs > 2 else None
    found: list[tuple[Form, list[int]]] = []
    groups: list[list[int]] = [[] for _ in ridges]  # of each ridge, the hyperplanes found that contain it
    for first, ridge in enumerate(ridges):
        near = range(len(ridges)) if coordinates is None else np.flatnonzero(meeting(coordinates[first], coordinates)).tolist()
        others = set(near).difference([first], *(found[k][1] for k in groups[first]))
        while others:
            second = others.pop()
            plane = common(ridge, ridges[second])
            if plane is None:
                continue
            on = [k for k in {first, second, *others} if contains(plane, ridges[k])]
            others -= set(on)
            for k in on:
                groups[k].append(len(found))
            found.append((plane, sorted(on)))
    return found


def plucker(spans: Sequence[tuple[Form, Form]]) -> Mod:
    """Plücker coordinates of the spans of two forms in a random projection to four coordinates, modulo the prime; (…, 6)."""
    width = len(spans[0][0]) if spans else 4
    onto = np.random.default_rng(0).integers(1, PRIME, (width, 4)).tolist()
    if width == 4:
        onto = np.eye(4, dtype=int).tolist()
    projected = [[[sum(a * b for a, b in zip(form, column, strict=True)) % PRIME for column in zip(*onto, strict=True)]
                  for form in pair] for pair in spans]  # fmt: skip
    h, g = np.moveaxis(np.array(projected, dtype=np.int64).reshape(len(spans), 2, 4), 1, 0)
    return np.column_stack([(h[:, i] * g[:, j] % PRIME - h[:, j] * g[:, i] % PRIME) % PRIME for i, j in PAIRS])


def meeting(one: Mod, many: Mod) -> NDArray[np.bool_]:
    """With which of many planes one of them may have more than 0 in common; False is certain."""
    return sum(side * (one[i] * many[:, j] % PRIME) for i, j, side in KLEIN) % PRIME == 0


def common(ridge: Ridge, other: Ridge) -> Form | None:
    """The one hyperplane that contains two ridges; None for none, or for many."""
    kernel, nullity = fmpz_mat([*ridge.forms, *other.forms]).transpose().nullspace()
    if nullity != 1:
        return None
    h, g = ridge.forms
    alpha, beta = int(kernel[0, 0]), int(kernel[1, 0])
    plane = [alpha * a + beta * b for a, b in zip(h, g, strict=True)]
    return oriented(plane) if any(plane[:-1]) else None


def oriented(form: Iterable[int]) -> Form:
    """The primitive multiple whose first coefficient is positive: a hyperplane's name."""
    form = primitive(tuple(form))
    return times(sign(next(filter(None, form))), form)


def contains(plane: Form, ridge: Ridge) -> bool:
    """Whether a hyperplane contains a ridge."""
    return value(plane, ridge.point) == 0 and fmpz_mat([plane, *ridge.forms]).rank() == 2


def crosses(plane: Form, piece: Piece) -> bool:
    """Whether points known of a piece lie strictly on both sides of a hyperplane, so that a unit that bends there is not alone.

    On either side f would be a positive multiple of h; the difference is ω a, which vanishes on the piece only if a is a
    multiple of h, unless other units bend where {a = 0} meets the piece, too.
    """
    if proportion(plane, piece.halfspace):
        return False
    values = [value(plane, at) for at in (piece.point, *piece.corners)]
    return min(values) < 0 < max(values)


def active(plane: Form, pieces: Sequence[Piece], side: int = -1) -> tuple[bool, ...]:
    """On which pieces a unit is active, on their negative sides (or positive ones), beside their points."""
    return tuple((value(plane, p.point) or beside(plane, p.point, p.halfspace, side)) > 0 for p in pieces)


@dataclass(frozen=True)
class Bend:
    """What a unit ω R(a) adds to f where it is active: b = ω a, a combination of `generators`.

    active, beyond: on which pieces, on their negative and on their positive sides; side: 0 for the one generator a, ω of any
    sign; else the sign of ω, where a is not known: then a is a positive multiple of side·b, and the coefficients c of b have
    C c ≥ 0 for the rows of `cone`, and it is in the score of one answer alone (`score`). ridges: the numbers of those that it
    contains, whatever c. groups: answers in whose scores it has the same weight, as it crosses pieces between them.
    """

    generators: tuple[Form, ...]
    active: tuple[bool, ...]
    ridges: frozenset[int]
    side: int = 0
    cone: tuple[Form, ...] = ()
    beyond: tuple[bool, ...] = ()
    score: int | None = None
    groups: tuple[frozenset[int], ...] = ()

    __repr__ = brief()

    def at(self, x: Point) -> Form | None:
        """ω R(a(x)) as a linear function of the coefficients; None where it depends on a."""
        values = tuple(value(g, x) for g in self.generators)
        if not self.side:
            return (max(0, values[0]),)
        row = times(self.side, values)
        if row in self.cone or (self.orthant and min(row) >= 0):
            return values
        if times(-1, row) in self.cone or (self.orthant and max(row) <= 0):
            return (0,) * len(values)
        return None

    @property
    def orthant(self) -> bool:
        """Whether all coefficients are ≥ 0."""
        return bool(self.cone) and all(
            tuple(int(i == j) for j in range(len(self.generators))) in self.cone for i in range(len(self.generators))
        )

    def halves(self, x: Point) -> tuple["Bend", "Bend"]:
        """The units that are active at a point, and those that are not."""
        row = times(self.side, tuple(value(g, x) for g in self.generators))
        return replace(self, cone=(*self.cone, row)), replace(self, cone=(*self.cone, times(-1, row)))

    def row(self, y: Sequence[int]) -> Form:
        """y·b as a linear function of the coefficients."""
        return tuple(sum(map(mul, y, g)) for g in self.generators)

    def helps(self, total: Form) -> bool:
        """Whether some coefficients of it give this linear function a value > 0 (≠ 0 where ω has any sign), or may do so."""
        return any(total) if not self.orthant else max(total) > 0


def known_bends(surface: Surface, planes: Iterable[Form]) -> list[Bend]:
    """Units with a given hyperplane that does not cross pieces between all answers, active on some pieces, but not on all."""
    found = []
    for plane in dict.fromkeys(planes):
        groups = merged(plane, surface)
        if len(groups) == 1:
            continue
        on = active(plane, surface.pieces)
        off = active(plane, surface.pieces, 1)
        if any(on + off) and not all(on + off):
            through = frozenset(k for k, ridge in enumerate(surface.ridges) if contains(plane, ridge))
            found.append(Bend((plane,), on, through, beyond=off, groups=groups))
    return found


def merged(plane: Form, surface: Surface) -> tuple[frozenset[int], ...]:
    """Groups of answers, those of the pieces that a hyperplane crosses in one; where all are in one, no more are looked at."""
    groups = [frozenset([answer]) for answer in surface.answers]
    for piece in surface.pieces:
        touched = [group for group in groups if group & set(piece.answers)]
        if len(touched) == 2 and crosses(plane, piece):
            groups = [*(group for group in groups if group not in touched), frozenset().union(*touched)]
            if len(groups) == 1:
                break
    return tuple(groups)


def through_one(surface: Surface, numbers: Iterable[int]) -> Iterator[Bend]:
    """Units through a single ridge, {h = g = 0}: the intervals of the pencil α h + β g in which no piece is crossed.

    a is a combination, with coefficients ≥ 0, of the ends of an interval, for either sign of ω; for −a see R(−a) = R(a) − a.
    """
    for number, score in product(numbers, surface.scores):
        h, g = surface.ridges[number].forms
        own = [(k, piece) for k, piece in enumerate(surface.pieces) if score in piece.answers]
        owners = [k for k, piece in own for _ in (piece.point, *piece.corners)]
        places = [(value(h, at), value(g, at)) for _, piece in own for at in (piece.point, *piece.corners)]
        for reach, sides in intervals(places, owners, len(surface.pieces)):
            on = tuple(s > 0 for s in sides)
            if any(on) and not all(on):
                ends = [primitive([a * x + b * z for x, z in zip(h, g, strict=True)]) for a, b in reach]
                for side in (1, -1):
                    generators = tuple(times(side, end) for end in ends)
                    yield Bend(generators, on, frozenset([number]), side, ((1, 0), (0, 1)), score=score)


def intervals(places: Sequence[Ray], owners: Sequence[int], count: int) -> Iterator[Interval]:
    """Pairs of ends (α, β) between which α s + β t has one sign at all places (s, t) of each owner; and these signs."""
    upper: set[Ray] = {(t // c, -s // c) if (t, -s) > (0, 0) else (-t // c, s // c) for s, t in places if (c := math.gcd(s, t))}
    ends: list[Ray] = sorted(upper, key=cmp_to_key(cross), reverse=True)
    if not ends:
        return
    ends.append((-ends[0][0], -ends[0][1]))
    before: Interval | None = None
    for p, q in pairwise(ends):
        alpha, beta = p[0] + q[0], p[1] + q[1]
        if len(ends) == 2:
            alpha, beta = -p[1], p[0]
        sides = [0] * count
        for (s, t), owner in zip(places, owners, strict=True):
            here = sign(alpha * s + beta * t)
            if here and sides[owner] == -here:
                sides = []
                break
            sides[owner] = here or sides[owner]
        if before and sides == before[1]:
            before = ((before[0][0], q), sides)
            continue
        if before:
            yield before
        before = ((p, q), sides) if sides else None
    if before:
        yield before


def between(surface: Surface) -> Iterator[Bend]:
    """Units that meet no ridge: some components of the boundary on one side, the others on the other one."""
    others = list(dict.fromkeys(surface.components))[1:]
    identity = tuple(tuple(int(i == j) for j in range(surface.inputs + 1)) for i in range(surface.inputs + 1))
    chosen = chain.from_iterable(combinations(others, size) for size in range(1, len(others) + 1))
    for on, side, score in product(chosen, (1, -1), surface.scores):
        sides = tuple(c in on for c in surface.components)
        points = ((at, here) for k, here in enumerate(sides) for at in (surface.pieces[k].point, *surface.pieces[k].corners))
        cone = tuple(dict.fromkeys(times(side if here else -side, at) for at, here in points))
        yield Bend(identity, sides, frozenset(), side, cone, score=score)


def cover_bound(count: int, groups: Sequence[Sequence[int]]) -> dict[int, Fraction]:
    """Weights of ridges, on no hyperplane more than 1 in all: as every ridge has a unit through it, Σ of them bounds the units.

    groups: the ridges on one hyperplane each, for all hyperplanes that contain several. Either single ridges no two of which
    share one, as many as an integer program finds, or the weights of a linear program, made exact.
    """
    inside = np.zeros((count, len(groups)), dtype=bool)
    for number, group in enumerate(groups):
        inside[group, number] = True
    single = {int(k): Fraction(1) for k in np.flatnonzero(set_packing(inside) > 0.5)}
    raw = [Fraction(round(weight * 5040), 5040) for weight in set_packing(inside, whole=False).tolist()]
    most = max([Fraction(1), *raw, *(sum(raw[k] for k in group) for group in groups)])
    shared = {k: weight / most for k, weight in enumerate(raw) if weight > 0}
    return shared if math.ceil(sum(shared.values())) > len(single) else single


def forced(single: Iterable[int], groups: Sequence[Sequence[int]]) -> bool:
    """Whether n hyperplanes that cover all ridges can but be certain n of those that contain several.

    single: n ridges no two of which share a hyperplane. Each of n covering ones contains just one of them; so it does after
    one, r, is replaced by an r' that shares a hyperplane with r but with no other one: that through r contains r' too.
    """
    chosen = set(single)
    for r in chosen:
        others = {k for group in groups if set(group) & (chosen - {r}) for k in group}
        if not any(set(group) - others - {r} for group in groups if r in group):
            return False
    return True
