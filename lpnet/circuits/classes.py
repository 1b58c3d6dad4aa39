"""The classes of points that the needed half-spaces cannot tell apart, those met so far, each with a point and f's answer.

A class is the set of points of the domain with the same signs on all needed half-spaces, sgn(0) = +1: a cell of their
arrangement with some of its faces, or some faces alone. Where {f ≥ 0} is the closure of its interior, f has one answer on a
class. *Proof.* Let f(p) ≥ 0 > f(q). There are p' → p with f > 0 nearby, generic, so that the segment from p' to q, which
ends with f < 0, meets the boundary at interior points of pieces only; at one of them it leaves {f ≥ 0}. The half-space h of
that piece has h(p') > 0 > h(q); one h does so for infinitely many p', and then h(p) ≥ 0 > h(q): p and q differ. ∎
On an open cell the same holds off {f = 0} whatever f is. Where two points of one class do have different answers, the needed
half-spaces cannot decide f, and `Undetermined` shows the two.

All answers are exact. Terms and vectors are those of `lpnet.circuits.cover`.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np

from lpnet.circuits.cover import Signs, grown
from lpnet.errors import LpnetError
from lpnet.exact import Form, Point, nudged, primitive, times, value
from lpnet.networks import ExactForm, Polyhedron
from lpnet.regions.reasons import (
    ABOVE,
    BELOW,
    ON,
    Literal,
    Region,
    halfspace,
    meet,
    relu_reasons,
    values_at,
)
from lpnet.regions.search import Questions, parts, search
from lpnet.watch import Watch

Look = Callable[[Point, dict[Form, int]], tuple[Point | None, list[Literal]]]


class Undetermined(LpnetError):
    """Two points have the same signs on all needed half-spaces but different answers."""

    def __init__(self, first: Point, second: Point) -> None:
        super().__init__("the needed half-spaces alone do not decide the network's answers where f = 0")
        self.points = first, second


class TooLarge(LpnetError):
    """More linear programs, time or memory than were allowed."""


class Classes:
    """The classes met so far, and questions about those that were not.

    form: f; vectors: (count, m); points: one of each; answers: f's there, ±1.
    """

    def __init__(
        self, form: ExactForm, domain: Polyhedron, halfspaces: Sequence[Form], watch: Watch, most_programs: int
    ) -> None:
        self.form, self.domain, self.halfspaces, self.watch = form, domain, tuple(halfspaces), watch
        self.points: list[Point] = []
        self.answers: list[int] = []
        self.questions = Questions(domain)
        self.most_programs = most_programs
        self._last_program = most_programs
        self.why = relu_reasons(form)
        self._number: dict[bytes, int] = {}
        self._vectors: list[Signs] = []
        positive = [halfspace(h, ABOVE | ON) for h in self.halfspaces]
        negative = [halfspace(h, BELOW) for h in self.halfspaces]
        self._literals = {1: positive, -1: negative}

    @property
    def vectors(self) -> Signs:
        """The sign vectors, (count, m)."""
        return np.array(self._vectors, dtype=np.int8).reshape(len(self._vectors), len(self.halfspaces))

    def of(self, side: int) -> Signs:
        """The vectors with this answer."""
        return self.vectors[np.array(self.answers, dtype=int) == side]

    def add(self, at: Point) -> None:
        """Note the class of a point. Raises Undetermined where another point of it has another answer."""
        vector = self.vector(at)
        answer = 1 if self.form.sign_at(at) >= 0 else -1
        known = self._number.setdefault(vector.tobytes(), len(self.points))
        if known < len(self.points):
            if self.answers[known] != answer:
                raise Undetermined(self.points[known], at)
            return
        self._vectors.append(vector)
        self.points.append(at)
        self.answers.append(answer)

    def allow_programs(self) -> None:
        """Allow most_programs from now on."""
        self._last_program = self.questions.asked + self.most_programs

    def vector(self, at: Point) -> Signs:
        """The signs of the half-spaces at a point, sgn(0) = +1; (m,)."""
        return np.array([1 if value(h, at) >= 0 else -1 for h in self.halfspaces], dtype=np.int8)

    def add_sides(self, witnesses: Iterable[Point]) -> None:
        """Note a point close to the witness of each needed half-space, and one on either side of its hyperplane."""
        walls = self.domain.inequalities()
        for h, at in zip(self.halfspaces, witnesses, strict=True):
            self.watch.check(0.0, len(self.points))
            self.add(at)
            normal = primitive(h[:-1])
            forms = [*self.halfspaces, *self.form.beside(at, h).rows, *walls]
            for side in (1, -1):
                self.add(nudged(at, times(side, normal), forms))

    def refuted(self, term: Signs, side: int) -> Point | None:
        """A point at which a term holds although the answer is not `side`; None: there is none."""

        def look(at: Point, region: Region) -> tuple[Point | None, list[Literal]]:
            answer, literals = self.why(values_at(at), region)
            return at if answer != side else None, literals

        return next(self._search(meet(self.questions.walls, self.literals(term)), look), None)

    def missed(self, terms: Signs, side: int) -> list[Point]:
        """Points with the answer `side` at which no term holds, enough of them for all of these; none if there are none."""
        held = [(term, self.literals(term)) for term in terms]

        def look(at: Point, region: Region) -> tuple[Point | None, list[Literal]]:
            answer, literals = self.why(values_at(at), region)
            if answer != side:
                return None, literals
            vector = self.vector(at)
            covering = [literals for term, literals in held if (vector[term != 0] == term[term != 0]).all()]
            if covering:
                return None, min(covering, key=lambda literals: sum(region.get(g, 7) & ~sides > 0 for g, sides in literals))
            term = grown(vector, self.of(side), self.of(-side))
            held.append((term, self.literals(term)))
            return at, held[-1][1]

        found = []
        for at in self._search(meet(self.questions.walls), look):
            self.add(at)
            found.append(at)
        return found

    def literals(self, term: Signs) -> list[Literal]:
        """The half-spaces of a term: {h ≥ 0} is closed, its negation open."""
        return [self._literals[int(term[k])][k] for k in np.flatnonzero(term)]

    def _search(self, region: dict[Form, int], look: Look) -> Iterator[Point]:
        """The points that `look` finds in a region; what its half-spaces hold together is cut out each time."""
        for _, at in search(region, self.questions.point_in, look, parts):
            if at:
                yield at
            self.watch.check(0.5, len(self.points))
            if self.questions.asked > self._last_program:
                raise TooLarge(f"more than {self.most_programs} linear programs")
