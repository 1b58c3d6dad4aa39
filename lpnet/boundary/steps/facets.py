"""Which half-spaces does a network with gates that jump need?

Let a network of ReLUs and steps answer +1 or −1 on an open polyhedron D ⊆ R^d. Where the signs (−, 0, +) of all its units are
fixed, all units are affine: D is the union of finitely many relatively open polyhedra, the *faces*, with one answer each; the
*cells* are those of dimension d. A *generic* point x of a hyperplane {h = 0}, off all other hyperplanes in which faces lie, has
a neighbourhood of three parts, h < 0, h = 0 and h > 0, with one answer each: a−, a0, a+.

*Definition.* sgn(h), +1 on {h ≥ 0}, is *needed* if a0 ≠ a− at some generic point of {h = 0}; sgn(−h) if a0 ≠ a+.
So a piece (a− ≠ a+) needs the unit that is closed on the side that answers as the hyperplane itself does: where that is +1,
{h ≥ 0} is the closed side of +1, as in a ReLU network; where it is −1, the unit points to the side of −1. A *slit*,
a− = a+ ≠ a0, needs both units.

*Theorem 1 (necessary).* Every layered threshold network with these answers in D has, in its first layer, a positive multiple of
each needed h.
Proof. Near a generic x on {h = 0} with a0 ≠ a−, also off the hyperplanes of the first layer that are not {h = 0}, take a point
of {h < 0} in a neighbourhood that none of these meets. All units of the first layer but those on {h = 0} have the same signs
there as at x, so that one of these differs: v with v(x) = 0, which is +1, and v < 0 on {h < 0}. ∎

*Theorem 2 (sufficient).* Let N be the needed units and p, q two points with the same signs on N.
(a) If both lie in cells, their answers are the same.
(b) If p is a generic point of {h = 0} and not both of ±h are needed, p has the answer of nearby cells with its signs on N.
(c) So N tells all answers off a set that consists of parts of hyperplanes {h = 0} with both ±h ∈ N, and of faces of dimension
d − 2 or less.
Proof. (a) Go a little from each point towards the other, inside the cells: then a unit of N that is 0 at one of them is 0 at
both. Move both by one small generic vector: now none is 0, and the signs are still the same. Move one again, until the segment
between them meets facets at generic points alone. Along it the signs on N do not change, so that at such a point neither of ±h
is needed, a− = a0 = a+, and nothing changes on the whole way. (b) Off {h = 0} no unit of N is 0 near p. If sgn(−h) is not
needed, a0 = a+, and points of h > 0 have the signs of p on N; if sgn(h) is not, so it is with h < 0. (c) is the rest. ∎
Where both ±h are needed, the answers on {h = 0} may change from one part to another where no unit of N does: in the plane,
{y = 0, x ≥ 0} needs y and −y, and *some* unit that tells x ≥ 0 from x < 0 on that line, though any other line through 0 does.
`lpnet.boundary.steps.faces` looks at all faces: whether N tells all answers, and if not, at which points.

For a ReLU network a0 = +1 wherever a− ≠ a+, since f is continuous, and the half-spaces of its pieces are those of
`lpnet.boundary`: Theorem 1 of [PS16] at any depth. It may have slits, too, where f = 0 on a part of a hyperplane with f < 0
around it.

*The search.* A tree over the units, level by level: a region where units have fixed signs is cut by the next unit that has both
signs on it. What lies on the cut, a *wall* of dimension d − 1, is looked at three times at once: with the signs of the units as
they are infinitesimally below, on and above it. A generic point of a hyperplane lies on the wall where its way down the tree
meets the hyperplane, so the walls show all needed units. That a form has one sign on a region is proved by floats with bounds
on their errors, or by integers; that it has both, by two points.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from lpnet.boundary.steps.region import Region, Table
from lpnet.brief import brief
from lpnet.exact import Form, Point, primitive, sign, times
from lpnet.networks import Polyhedron
from lpnet.networks.exact_form import proportion
from lpnet.networks.step_form import StepForm
from lpnet.programs import Certificate
from lpnet.watch import Watch


class Facet(NamedTuple):
    """A part of {plane = 0} on which the answers below, on and above it are one each, not all the same; a point of it."""

    plane: Form
    answers: tuple[int, int, int]
    at: Point

    @property
    def needed(self) -> tuple[Form, ...]:
        """The half-spaces that it needs, primitive."""
        below, on, above = self.answers
        return (*((self.plane,) if on != below else ()), *((times(-1, self.plane),) if on != above else ()))

    @property
    def slit(self) -> bool:
        """Whether both sides answer alike."""
        return self.answers[0] == self.answers[2]


@dataclass(frozen=True, eq=False)
class Facets:
    """All facets found; halfspaces: each needed one with the number of its first facet; cells: how many, with how many +1.

    complete: whether these are all.
    """

    facets: tuple[Facet, ...]
    halfspaces: dict[Form, int]
    cells: int
    positive: int
    complete: bool

    __repr__ = brief()

    @property
    def witnesses(self) -> tuple[Point, ...]:
        """A point of each facet."""
        return tuple(facet.at for facet in self.facets)


class Strand(NamedTuple):
    """One way to look at a region: from a side of its plane (0: on it, or there is none), as far as the units are known.

    outputs: what the units of the levels before give out; rows: those of this level.
    """

    side: int
    outputs: tuple[Form, ...]
    rows: tuple[Form, ...]


class Node(NamedTuple):
    """A region, the ways to look at it, the level of the next units, forms with one sign on it, and its share of the work."""

    region: Region
    strands: tuple[Strand, ...]
    level: int
    known: dict[Form, int]
    share: float


def find_facets(form: StepForm, domain: Polyhedron, watch: Watch | None = None) -> Facets:
    """The facets of a network on a domain, and the half-spaces that they need."""
    watch, search = watch or Watch(), Search(form, domain)
    done = 0.0
    for share in depth_first(search.stack, search.look):
        done += share
        if not watch(min(done, 0.999), len(search.facets)):
            break
    complete = not search.stack and watch.stopped is None
    if complete:
        watch(1.0, len(search.facets))
    halfspaces: dict[Form, int] = {}
    for number, facet in enumerate(search.facets):
        for h in facet.needed:
            halfspaces.setdefault(h, number)
    return Facets(tuple(search.facets), halfspaces, search.cells, search.positive, complete)


def depth_first(stack: list[Any], look: Callable[[Any], None]) -> Iterator[float]:
    """Look at all nodes of a stack, which gets more by that; the share of the work that each one was."""
    while stack:
        node = stack.pop()
        before = len(stack)
        look(node)
        yield 0.0 if len(stack) > before else node.share


class Search:
    """The tree of regions and walls."""

    def __init__(self, form: StepForm, domain: Polyhedron) -> None:
        self.form, at = form, domain.interior
        assert not isinstance(at, Certificate)
        self.facets: list[Facet] = []
        self.cells = self.positive = 0
        region = Region.of(Table(form.inputs), domain.inequalities(), at)
        self.stack = [Node(region, (Strand(0, (), tuple(form.unfold(0, ()))),), 0, {}, 1.0)]

    def look(self, node: Node) -> None:
        """Cut the region, or go on to the next level, or note what there is."""
        region, plane = node.region, node.region.plane
        open_: dict[Form, None] = {}
        constant = self.form.constant[node.level]
        for row in () if constant else dict.fromkeys(row for strand in node.strands for row in strand.rows):
            if any(row[:-1]) and row not in node.known and not (plane and proportion(row, plane)):
                open_[row] = None
        split = region.split(open_, node.known) if open_ else None
        if split:
            share = node.share / (2 if plane else 3)
            if not plane:
                wall = split.wall(region)
                strands = tuple(node.strands[0]._replace(side=side) for side in (-1, 0, 1))
                self.stack.append(Node(wall, strands, node.level, dict(node.known), share))
            for part, side in ((split.positive, 1), (split.negative, -1)):
                self.stack.append(Node(part, node.strands, node.level, {**node.known, split.form: side}, share))
            return
        if constant:
            sides = [[sign(row[-1]) for row in strand.rows] for strand in node.strands]
        else:
            sides = [[self.side(row, strand.side, plane, node.known) for row in strand.rows] for strand in node.strands]
        if node.level + 1 < len(self.form.levels):
            outputs = [self.outputs(strand, node.level, own) for strand, own in zip(node.strands, sides, strict=True)]
            if plane is None or self.differ(outputs, node.level + 1):
                rows = {read: tuple(self.form.unfold(node.level + 1, read)) for read in outputs}
                strands = tuple(Strand(strand.side, own, rows[own]) for strand, own in zip(node.strands, outputs, strict=True))
                self.stack.append(Node(region, strands, node.level + 1, node.known, node.share))
            return
        answers = [1 if own[-1] >= 0 else -1 for own in sides]
        if plane is None:
            self.cells, self.positive = self.cells + 1, self.positive + (answers[0] > 0)
        elif len(set(answers)) > 1:
            below, on, above = answers
            self.facets.append(Facet(primitive(plane), (below, on, above), region.at))

    def side(self, row: Form, side: int, plane: Form | None, known: dict[Form, int]) -> int:
        """The sign of a row on a region, from a side of its plane."""
        if not any(row[:-1]) or plane is None or row in known:
            return known[row] if any(row[:-1]) else sign(row[-1])
        return side * proportion(row, plane)

    def outputs(self, strand: Strand, level: int, sides: Sequence[int]) -> tuple[Form, ...]:
        """What the units up to a level give out."""
        own = zip(self.form.levels[level], strand.rows, sides, strict=True)
        return (*strand.outputs, *(self.form.output(k, row, side) for k, row, side in own))

    def differ(self, outputs: Sequence[tuple[Form, ...]], level: int) -> bool:
        """Whether ways to look may end differently: what is still read differs, or depends on x, so that it may vanish here."""
        first, *others = ([own[j] for j in self.form.read_later[level]] for own in outputs)
        constant = self.form.constant_from[level] and not any(any(row[:-1]) for row in first)
        return not constant or any(other != first for other in others)
