"""The convex parts of {f ≥ 0} or {f < 0}, and which half-spaces hold all over one of them.

Side +1: where the units that decide (`lpnet.networks.concave`) have certain signs, f is a concave g = l − Σ |w_k| r_k, with
r_k = R(z_k) ≥ 0 and ≥ z_k, in which z_k grows with the r_j before. So the part of {f ≥ 0} there is convex, and a linear program
in (x, r). Side −1: the same for −f, and {−f > 0}. With one layer the units that decide are those with w_k of the side's sign.

The *literal* of a needed half-space is true where it has the sign of the side: h ≥ 0 on side +1, h < 0 on side −1.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial

from lpnet.boundary.engines import FEW
from lpnet.boundary.subsets import Pattern
from lpnet.boundary.tree import cells
from lpnet.exact import Form, Point, primitive, times
from lpnet.networks import ExactForm, Polyhedron
from lpnet.networks.concave import deciding, minorant
from lpnet.networks.exact_form import Cell
from lpnet.programs import Certificate, SignProgram
from lpnet.regions.reasons import OFF, Literal, Region, meet, sides_of
from lpnet.regions.search import Questions, parts, search
from lpnet.watch import Watch

HOLDS, FAILS = {1: 2, -1: -1}, {1: -1, -1: 2}  # relations of a literal, by side
MOST_PARTS = 1000
Cut = tuple[Form, bool]


class Part:
    """A convex part, possibly cut further by half-spaces: exact questions about it on one warm program.

    chosen: the signs of the units that decide; cuts: half-spaces, each with whether its literal is true in the part.
    """

    def __init__(self, form: ExactForm, domain: Polyhedron, side: int, chosen: Pattern, cuts: tuple[Cut, ...] = ()) -> None:
        self.form, self.domain, self.side, self.chosen, self.cuts = form, domain, side, chosen, cuts
        rows, self._relations = own_part(form, domain, side, chosen)
        padding = (0,) * (len(rows[0]) - form.inputs - 1)
        self._lift = partial(lifted, padding=padding)
        for h, true in cuts:
            rows.append(self._lift(h))
            self._relations.append((HOLDS if true else FAILS)[side])
        self._program = SignProgram([*rows, rows[-1]], len(rows[0]) - 1)

    def point(self) -> Point | None:
        """A point of the part; None if it is empty."""
        return self._decide(0)

    def without(self, h: Form, true: bool = True) -> Point | None:
        """A point of the part at which the literal of h is not `true`; None if it is so all over the part."""
        self._program.replace(len(self._relations), self._lift(primitive(h)))
        return self._decide((FAILS if true else HOLDS)[self.side])

    def within(self, h: Form, true: bool) -> "Part":
        """The part where the literal of h is true, or where not."""
        return Part(self.form, self.domain, self.side, self.chosen, (*self.cuts, (primitive(h), true)))

    def cut(self, cuts: Sequence[Cut]) -> Iterator["Part"]:
        """What is left where not all of these literals are as they say: the first that is not may be any of them."""
        held = self
        for h, true in cuts:
            yield held.within(h, not true)
            held = held.within(h, true)

    def _decide(self, last: int) -> Point | None:
        at = self._program.decide([*self._relations, last])
        return None if isinstance(at, Certificate) else primitive((*at[: self.form.inputs], at[-1]))


def lifted(h: Form, padding: Sequence[int]) -> Form:
    """A form in x as one in (x, r)."""
    return (*h[:-1], *padding, h[-1])


def own_part(form: ExactForm, domain: Polyhedron, side: int, chosen: Pattern) -> tuple[list[Form], list[int]]:
    """The part where the units that decide have these signs, as forms in (x, r) with their relations."""
    signs = dict(zip(deciding(form, side), chosen, strict=True))
    cell, g = form.unfolded(lambda k, _: signs.get(k, -1)), minorant(form, side, signs, within=True)
    count = len(g.units)
    # r counts in this many, for floats
    size = 1 << max((abs(entry) for a in g.units for entry in a[:-1]), default=1).bit_length()
    unit = [tuple(size * (i == k) for i in range(count)) for k in range(count)]
    none, nothing = (0,) * count, (0,) * (form.inputs + 1)
    rows = [lifted(h, none) for h in domain.inequalities()]
    relations = [1] * len(rows)
    rows += [lifted(times(s, cell.rows[k]), none) for k, s in signs.items()]
    rows += [lifted(nothing, r) for r in unit]
    for a, r, links in zip(g.units, unit, g.links or ((),) * count, strict=True):
        read = dict(links)
        rows.append(lifted(times(-1, a), [z - size * read.get(j, 0) for j, z in enumerate(r)]))
    rows.append(lifted(g.affine, [size * w for w in g.signs]))
    return rows, relations + [2] * (len(rows) - len(relations) - 1) + [2 if side > 0 else 1]


def parts_of(
    form: ExactForm, domain: Polyhedron, side: int, watch: Watch, most: int | None = MOST_PARTS, cells: int | None = MOST_PARTS
) -> list[tuple[Part, Point]] | None:
    """The parts that are not empty, each with a point; None where they are more than `most`, or more than so many `cells`
    would have to be looked at.
    """
    patterns = patterns_of(form, deciding(form, side), domain, watch, cells)
    if cells is not None and len(patterns) > cells:
        return None
    found: list[tuple[Part, Point]] = []
    for chosen in patterns:
        watch.check(0.0, len(found))
        part = Part(form, domain, side, chosen)
        at = part.point()
        if at:
            found.append((part, at))
        if most is not None and len(found) > most:
            return None
    return found


def patterns_of(
    form: ExactForm, units: Sequence[int], domain: Polyhedron, watch: Watch, most: int | None = None
) -> list[Pattern]:
    """The signs that units, with all that they read, take on open sets of a domain; only some if there are more than `most`."""
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
    return sorted(found)


def tree_patterns(
    form: ExactForm, units: Sequence[int], domain: Polyhedron, watch: Watch, most: int | None = None
) -> list[Pattern]:
    """`patterns_of` by the tree engine."""
    number = {k: new for new, k in enumerate(units)}
    links = tuple(tuple((number[j], c) for j, c in form.links[k]) for k in units) if form.links else ()
    kept = tuple(form.units[k] for k in units)
    signs = (1,) * len(units)

    def look(share: float, found: int) -> None:
        watch.check(share, found)

    limited = Watch(max_pieces=most, report=look)
    found = cells(replace(form, units=kept, signs=signs, links=links if any(links) else ()), domain, limited)
    return [tuple(1 if active else -1 for active in pattern) for pattern in found.patterns]
