"""The convex parts of {f ≥ 0} or {f < 0}, and which half-spaces hold all over one of them.

Side +1: where the units that decide (`lpnet.networks.concave`) have certain signs, f is a concave g = l − Σ |w_k| r_k, with
r_k = R(z_k) ≥ 0 and ≥ z_k, in which z_k grows with the r_j before. So the part of {f ≥ 0} there is convex, and a linear program
in (x, r). Side −1: the same for −f, and {−f > 0}. With one layer the units that decide are those with w_k of the side's sign.

The *literal* of a needed half-space is true where it has the sign of the side: h ≥ 0 on side +1, h < 0 on side −1.
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lpnet.boundary.engines import FEW
from lpnet.boundary.subsets import Pattern
from lpnet.boundary.tree import cells_of
from lpnet.circuits.sample import Floats, floats_of
from lpnet.exact import Form, Point, primitive, times
from lpnet.networks import ExactForm, Polyhedron
from lpnet.networks.concave import deciding, minorant
from lpnet.networks.exact_form import Cell
from lpnet.programs import Certificate, SignProgram
from lpnet.programs.below import Cone, vectors
from lpnet.regions.reasons import OFF, Literal, Region, meet, sides_of
from lpnet.regions.search import Questions, parts, search
from lpnet.watch import Watch

HOLDS, FAILS = {1: 2, -1: -1}, {1: -1, -1: 2}  # relations of a literal, by side
Cut = tuple[Form, bool]


class Part:
    """A convex part, possibly cut further by half-spaces: exact questions about it on one warm program.

    chosen: the signs of the units that decide; cuts: half-spaces, each with whether its literal is true in the part; whole:
    whether f has this side's sign wherever the units have these.
    """

    def __init__(
        self, form: ExactForm, domain: Polyhedron, side: int, chosen: Pattern, cuts: tuple[Cut, ...] = (), whole: bool = False
    ) -> None:
        self.form, self.domain, self.side, self.chosen, self.cuts, self.whole = form, domain, side, chosen, cuts, whole
        self.inside: Point | None = None  # in (x, r), once one is known

    @cached_property
    def _rows(self) -> tuple[list[Form], list[int]]:
        """Forms in (x, r), and their relations."""
        rows, relations = own_part(self.form, self.domain, self.side, self.chosen, self.whole)
        size = len(rows[0]) if rows else self.form.inputs + 1
        rows += [self._lifted(h, size) for h, _ in self.cuts]
        return rows, relations + [(HOLDS if true else FAILS)[self.side] for _, true in self.cuts]

    @cached_property
    def _program(self) -> SignProgram:
        """The program about these rows and one more."""
        rows, _ = self._rows
        return SignProgram([*rows, rows[-1]], len(rows[0]) - 1)

    def _lifted(self, h: Form, size: int) -> Form:
        return lifted(h, (0,) * (size - len(h)))

    def point(self) -> Point | None:
        """A point of the part; None if it is empty."""
        return self._decide(0)

    def without(self, h: Form, true: bool = True) -> Point | None:
        """A point of the part at which the literal of h is not `true`; None if it is so all over the part."""
        program, (rows, relations) = self._program, self._rows
        program.replace(len(relations), self._lifted(primitive(h), len(rows[0])))
        return self._decide((FAILS if true else HOLDS)[self.side])

    def possible(self, h: Form, true: bool) -> bool:
        """Whether the literal of h is `true` somewhere in the part."""
        return self.without(h, not true) is not None

    def within(self, h: Form, true: bool) -> "Part":
        """The part where the literal of h is true, or where not."""
        return Part(self.form, self.domain, self.side, self.chosen, (*self.cuts, (primitive(h), true)), self.whole)

    def cut(self, cuts: Sequence[Cut]) -> Iterator["Part"]:
        """What is left where not all of these literals are as they say: the first that is not may be any of them."""
        held = self
        for h, true in cuts:
            yield held.within(h, not true)
            held = held.within(h, true)

    def _decide(self, last: int) -> Point | None:
        at = self._program.decide([*self._rows[1], last])
        if isinstance(at, Certificate):
            return None
        self.inside = self.inside or at
        return primitive((*at[: self.form.inputs], at[-1]))

    def cone(self, floats: Floats) -> Cone | None:
        """The part in floats; None if it is empty."""
        if not (self.inside or self.point()):
            return None
        assert self.inside
        rows, relations = self._rows
        size = len(rows[0])
        known = [h if relation > 0 else times(-1, h) for h, relation in zip(rows, relations, strict=True)]
        known.append((0,) * (size - 1) + (1,))
        x, r = np.split(np.array(floats_of(self.inside)), [self.form.inputs])
        at = np.insert(floats.onto @ np.append(x, 1.0), len(floats.kept) - 1, r)
        kept = [*floats.kept[:-1], *range(self.form.inputs, size)]
        strict = np.array([*(relation in (1, -1) for relation in relations), True])
        return Cone(known, vectors(known, kept), strict, at)


def lifted(h: Form, padding: Sequence[int]) -> Form:
    """A form in x as one in (x, r)."""
    return (*h[:-1], *padding, h[-1])


def own_part(
    form: ExactForm, domain: Polyhedron, side: int, chosen: Pattern, whole: bool = False
) -> tuple[list[Form], list[int]]:
    """The part where the units that decide have these signs, as forms in (x, r) with their relations; in x if it is whole."""
    signs = dict(zip(deciding(form, side), chosen, strict=True))
    if whole:
        units = form.unfolded(lambda k, _: signs.get(k, -1)).rows
        own = [*domain.inequalities(), *(times(s, units[k]) for k, s in signs.items() if any(units[k]))]
        return own, [1] * len(own)
    cell, g = form.unfolded(lambda k, _: signs.get(k, -1)), minorant(form, side, signs, within=True)
    count = len(g.units)
    # r counts in this many, for floats
    size = 1 << max((abs(entry) for a in g.units for entry in a[:-1]), default=1).bit_length()
    unit = [tuple(size * (i == k) for i in range(count)) for k in range(count)]
    none, nothing = (0,) * count, (0,) * (form.inputs + 1)
    rows = [lifted(h, none) for h in domain.inequalities()]
    relations = [1] * len(rows)
    rows += [lifted(times(s, cell.rows[k]), none) for k, s in signs.items() if any(cell.rows[k])]
    rows += [lifted(nothing, r) for r in unit]
    for a, r, links in zip(g.units, unit, g.links or ((),) * count, strict=True):
        read = dict(links)
        rows.append(lifted(times(-1, a), [z - size * read.get(j, 0) for j, z in enumerate(r)]))
    rows.append(lifted(g.affine, [size * w for w in g.signs]))
    return rows, relations + [2] * (len(rows) - len(relations) - 1) + [2 if side > 0 else 1]


def parts_of(
    form: ExactForm,
    domain: Polyhedron,
    side: int,
    watch: Watch,
    pieces: NDArray[np.bool_] | None = None,
    most: int | None = None,
    cells: int | None = None,
) -> list[tuple[Part, Point]] | None:
    """The parts that are not empty, each with a point; None where they are more than `most`, or more than so many `cells`
    would have to be looked at.

    pieces: the patterns of all pieces, where {f ≥ 0} is the closure of its interior: then f has one answer on a cell that
    carries none, that at a point of it.
    """
    units = deciding(form, side)
    found: list[tuple[Part, Point]] = []
    crossed = None if pieces is None else {signs_of(pattern[units]) for pattern in pieces}
    looked = patterns_of(form, units, domain, watch, cells)
    if cells is not None and len(looked) > cells:
        return None
    for chosen, inside in looked.items():
        watch.check(0.0, len(found))
        whole = inside is not None and crossed is not None and chosen not in crossed
        part = Part(form, domain, side, chosen, whole=whole)
        if whole and inside:
            at = inside if (form.sign_at(inside) >= 0) == (side > 0) else None
            part.inside = at
        else:
            at = part.point()
        if at:
            found.append((part, at))
        if most is not None and len(found) > most:
            return None
    return found


def signs_of(pattern: Sequence[Any] | NDArray[np.bool_]) -> Pattern:
    """+1 for the active units, −1 for the others."""
    return tuple(1 if active > 0 else -1 for active in pattern)


def patterns_of(
    form: ExactForm, units: Sequence[int], domain: Polyhedron, watch: Watch, most: int | None = None
) -> dict[Pattern, Point | None]:
    """The signs that units, with all that they read, take on open sets of a domain, in order, and a point inside,
    where one is at hand; only some if there are more than `most`.
    """
    if len(units) > FEW:
        return tree_patterns(form, units, domain, watch, most)
    questions, found = Questions(domain), set[Pattern]()

    def look(at: Point, _: Region) -> tuple[Pattern, list[Literal]]:
        cell = form.beside(at)
        pattern, rows = tuple(cell.pattern[k] for k in units), tuple(cell.rows[k] for k in units)
        return pattern, sides_of(Cell(pattern, rows, cell.f))

    for done, pattern in search(meet(questions.walls), questions.point_in, look, partial(parts, whole=OFF)):
        watch.check(done, len(found))
        if pattern is not None:
            found.add(pattern)
        if most is not None and len(found) > most:
            break
    return dict.fromkeys(sorted(found))


def tree_patterns(
    form: ExactForm, units: Sequence[int], domain: Polyhedron, watch: Watch, most: int | None = None
) -> dict[Pattern, Point | None]:
    """`patterns_of` by the tree engine."""
    number = {k: new for new, k in enumerate(units)}
    links = tuple(tuple((number[j], c) for j, c in form.links[k]) for k in units) if form.links else ()
    read = replace(form, units=tuple(form.units[k] for k in units), signs=(1,) * len(units), links=links if any(links) else ())

    def look(share: float, found: int) -> None:
        watch.check(share, found)

    found = cells_of(read, domain, Watch(max_pieces=most, report=look))
    points = found.witnesses or itertools.repeat(None)
    return {signs_of(pattern): at for pattern, at in zip(found.patterns, points, strict=False)}
