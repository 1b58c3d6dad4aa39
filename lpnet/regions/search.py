"""The search of regions: look at one point, cut out where what was seen there holds, go on.

What is seen at a point of a region comes with half-spaces that hold there; where all of them hold, nothing is left to ask. A
point of the region where not all of them hold violates a first one, so what is left of the region is a disjoint union of
smaller regions, one for each half-space. Where there are only finitely many half-spaces, no set of them comes twice on the way
down: the search ends. Every region is asked about in exact arithmetic, and nothing is lost: regions are half-open.

For a point at which two networks differ, the half-spaces are the reasons of both for their answers, and ties are compared like
all other points. Where the answers differ, they do so on the whole region of the reasons. Its interior, where all inequalities
are strict, is an open set of difference; if it is empty, the networks differ there only on a part of a hyperplane, and the
search goes on.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from lpnet.exact import Form, Point, sign, times, value
from lpnet.networks import Polyhedron
from lpnet.programs import Certificate, SignProgram
from lpnet.regions.reasons import ABOVE, ANYWHERE, BELOW, OFF, ON, Literal, Reasons, Region, ValueOf, halfspace, meet, values_at
from lpnet.watch import Watch

R = TypeVar("R")
L = TypeVar("L")
T = TypeVar("T")

_RELATIONS = {ABOVE: 1, ABOVE | ON: 2, BELOW: -1, BELOW | ON: -2}


@dataclass(frozen=True)
class Difference:
    """A point at which the answers differ, and the region on which they do for the same reasons; open: whether it is open."""

    point: Point
    region: dict[Form, int]
    open: bool


class Questions:
    """Which regions are empty? One warm program, whose rows are changed from region to region."""

    def __init__(self, domain: Polyhedron) -> None:
        self.walls = [halfspace(h, ABOVE) for h in domain.inequalities()]
        self.asked = 0
        self.inputs = domain.inputs
        self._rows: dict[Form, int] = {}
        self._program = SignProgram([], self.inputs)

    def point_in(self, region: Region) -> Point | None:
        """A point of the region, inside it rather than on its border where that can be; None if it is empty."""
        return self.decide(region)[0] if all(region.values()) else None

    def decide(self, region: Region) -> tuple[Point | None, list[Form]]:
        """A point of a region that says something of each of its hyperplanes, or hyperplanes of which it says too much."""
        self.asked += 1
        vanishing = next((form for form, sides in region.items() if sides == ON), None)
        wanted = {}
        for form, sides in region.items():
            if sides == ON and form is not vanishing:
                wanted[form] = wanted[times(-1, form)] = 2
            elif sides in _RELATIONS:
                wanted[form] = _RELATIONS[sides]
        self._bring_in(wanted)
        relations = [0] * len(self._program.forms)
        for form, relation in wanted.items():
            relations[self._rows[form]] = relation
        at = self._program.decide(relations, vanishing)
        return (None, [self._program.forms[k] for k, _ in at.multipliers]) if isinstance(at, Certificate) else (at, [])

    def _bring_in(self, wanted: Region) -> None:
        """Give every wanted form a row of the program, leaving those alone that have one."""
        if len(wanted) > len(self._program.forms):
            several = [*wanted] * (3 + 8 // len(wanted))
            self._program = SignProgram(several, self.inputs)
            self._rows = {form: row for row, form in enumerate(wanted)}
            return
        taken = {self._rows[form] for form in wanted if form in self._rows}
        free = (row for row in range(len(self._program.forms)) if row not in taken)
        for form in wanted:
            if form not in self._rows:
                row = next(free)
                before = self._program.forms[row]
                if self._rows.get(before) == row:
                    del self._rows[before]
                self._program.replace(row, form)
                self._rows[form] = row


def search(
    region: R,
    point_in: Callable[[R], Point | None],
    look: Callable[[Point, R], tuple[T | None, Sequence[L]]],
    parts: Callable[[R, Sequence[L]], Iterator[R]],
) -> Iterator[tuple[float, T | None]]:
    """Everything that `look` finds in a region; after each question the share that is done, and what was found or None.

    point_in: a point of a region, None if it is empty; look: what is found at a point of a region, None for nothing, and what
    holds there, to be cut out; parts: what is left of a region where not all of that holds.
    """
    done = 0.0
    stack = [(iter([region]), 1.0)]
    while stack:
        rest, share = stack[-1]
        part = next(rest, None)
        if part is None:
            stack.pop()
            continue
        at, found = point_in(part), None
        if at:
            found, held = look(at, part)
            share /= len(held) + 1
            stack.append((parts(part, held), share))
        done += share
        yield min(done, 0.999), found


def first_difference(a: Reasons, b: Reasons, questions: Questions, watch: Watch) -> tuple[Difference | None, bool]:
    """An open set on which the answers differ; if there is none, a point at which they do; None if they agree everywhere.

    And whether the search came to its end: a point without an open set may also be what was found before it was stopped.
    """
    tie, seen = None, 0

    def look(at: Point, region: dict[Form, int]) -> tuple[Difference | None, list[Literal]]:
        nonlocal seen
        seen += 1
        return compare(a, b, values_at(at), region, questions)

    if watch(0.0, 0):
        for done, difference in search(meet(questions.walls), questions.point_in, look, parts):
            if difference and difference.open:
                return difference, True
            tie = tie or difference
            if not watch(done, seen):
                return tie, False
    return tie, watch.stopped is None


def compare(
    a: Reasons, b: Reasons, value_of: ValueOf, region: Region, questions: Questions
) -> tuple[Difference | None, list[Literal]]:
    """The two answers at a point, or infinitely near one, with their reasons; and the difference, if there is one."""
    answer_a, why_a = a(value_of, region)
    answer_b, why_b = b(value_of, meet(region.items(), why_a))
    literals = [*why_a, *why_b]
    if answer_a == answer_b:
        return None, literals
    around = meet(questions.walls, literals)
    inside = questions.point_in({form: sides & ~ON for form, sides in around.items()})
    if inside:
        return Difference(inside, around, True), literals
    at = questions.point_in(around)
    assert at  # the point itself lies there
    return Difference(at, around, False), literals


def uncovered(
    region: Region, terms: Sequence[Region], questions: Questions, watch: Watch, share: float, whole: int = ANYWHERE
) -> Point | None:
    """A point of a region that lies in the closure of none of the terms; None if they cover it.

    share: of the work that is done; whole: ANYWHERE for closed terms; OFF where region and terms are open (in a hyperplane): it
    is enough that they cover almost all of it.
    """
    closed = [{g: sides | ON for g, sides in term.items()} for term in terms]

    def look(at: Point, _: Region) -> tuple[Point | None, list[Literal]]:
        covering = next((term for term, closure in zip(terms, closed, strict=True) if within(closure, at)), None)
        return (at, []) if covering is None else (None, list(covering.items()))

    for _, at in search(region, questions.point_in, look, partial(parts, whole=whole)):
        if at:
            return at
        watch.check(share, questions.asked)
    return None


def within(region: Region, at: Point) -> bool:
    """Whether a point lies in a region."""
    return all((BELOW, ON, ABOVE)[sign(value(form, at)) + 1] & sides for form, sides in region.items())


def parts(region: Region, literals: Sequence[Literal], whole: int = ANYWHERE) -> Iterator[dict[Form, int]]:
    """What is left of a region where not all of the half-spaces hold: the first that fails may be any of them.

    whole: where a point may lie to a hyperplane of which the region says nothing; OFF leaves sets of measure zero out.
    """
    held = dict(region)
    for form, sides in literals:
        before = held.get(form, whole)
        rest = before & ~sides
        if rest:
            yield from ({**held, form: side} for side in ((BELOW, ABOVE) if rest == OFF else (rest,)))
            held[form] = before & sides
