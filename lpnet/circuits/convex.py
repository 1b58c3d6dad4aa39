"""Few terms where many half-spaces are needed: every convex part of the answer lies in a term, every term in the answer.

Over the needed half-spaces f's answer is monotone where {f ≥ 0} is the closure of its interior: if f(p) ≥ 0 > f(q), some needed
h has h(p) ≥ 0 > h(q) (`lpnet.circuits.classes`). So the literals of one side (`lpnet.circuits.parts`) are enough. The strongest
term for a convex part is that of all literals true all over it. Where that is no implicant, a point of the other answer fulfils
it, and the part is cut along a half-space that fails there; for a part within one class there always is one.

Then fewest terms for the parts, by set cover: a term is an implicant of the points of the other answer met so far, until it is
proved to be one of all. Both directions are exact, ties included: the parts cover the answer by construction, a literal is true
all over a part by linear programs, and f has one answer on an open polyhedron without a boundary piece: a set on which it has
the other one would have to be thin, and {f ≥ 0} has no thin parts.
"""

import itertools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lpnet.circuits.boundary import Boundary
from lpnet.circuits.classes import Classes
from lpnet.circuits.cover import Signs
from lpnet.circuits.parts import Part
from lpnet.circuits.sample import Floats, Sample
from lpnet.errors import LpnetError
from lpnet.exact import Form, Point, primitive, times
from lpnet.networks.concave import deciding
from lpnet.networks.polyhedron import Polyhedron
from lpnet.programs import Certificate
from lpnet.programs.integer import set_cover
from lpnet.regions.reasons import ABOVE, BELOW, halfspace, meet, sides_of
from lpnet.regions.search import Questions

Literals = NDArray[np.bool_]
KEPT = 200  # points of a part
AT_ONCE = 8  # points against a term
ORDERS = 4  # in which a term is grown
SEEDS = 256  # parts from which terms are grown at once
OTHERS = 512  # parts that a term may take in
POINTS = 64  # looked at together


class Examined:
    """A part with some of its points' literals, (count, m), the literals not seen to fail there, and those proved, (m,)."""

    def __init__(self, part: Part, points: Literals, proved: Literals) -> None:
        self.part, self.points, self.proved = part, points[:KEPT], proved
        self.held: Literals = np.all(points, axis=0)

    def add(self, literals: Literals) -> None:
        """Note one more point."""
        self.points = np.vstack([self.points[-KEPT:], literals])
        self.held = self.held & literals


class ConvexTerms:
    """The search for few terms that hold just where the answer is `side`."""

    def __init__(
        self,
        classes: Classes,
        boundary: Boundary,
        floats: Floats,
        seen: Sample,
        side: int,
        parts: Sequence[tuple[Part, Point]],
    ) -> None:
        self.parts, self.questions = parts, Questions(classes.domain)
        self.classes, self.boundary, self.floats, self.side, self.watch = classes, boundary, floats, side, classes.watch
        self.halfspaces = [primitive(h) for h in classes.halfspaces]
        self.pool = packed((seen.signs == side)[seen.answers != side])
        self.against = self.pool[:0]
        self.examined: list[Examined] = []
        self.proved: set[bytes] = set()
        self._seen = seen

    def terms(self) -> Signs:
        """The terms, (k, m)."""
        self._cut_out()
        columns: list[NDArray[np.uint8]] = []
        while True:
            self._split()
            held = packed(np.array([one.held for one in self.examined]))
            columns = self._columns(held, [c for c in columns if self._fits(c)])
            covered = np.array([~(c & ~held).any(axis=1) for c in columns])
            chosen = [columns[j] for j in np.flatnonzero(set_cover(covered))]
            if self._is_cover(chosen) and sum(not self._is_implicant(term) for term in chosen) == 0:  # all are looked at
                return self.side * unpacked(np.array(chosen), len(self.halfspaces)).astype(np.int8)

    def _columns(self, held: NDArray[np.uint8], columns: list[NDArray[np.uint8]]) -> list[NDArray[np.uint8]]:
        """These terms and more, so that each part lies in one."""
        rng = np.random.default_rng(len(columns))
        for order in range(ORDERS):
            seeds = rng.permutation(len(held))[:SEEDS]
            columns += in_common(held, seeds, self.against, order)
        while len(left := lying_in_none(columns, held)):
            self.watch.check(0.5, len(self.examined))
            columns += in_common(held, left[:SEEDS], self.against, 0)
        return list({c.tobytes(): c for c in columns}.values())

    def _cut_out(self) -> None:
        """All parts, with the literals seen to be true at points of each."""
        own = deciding(self.classes.form, self.side)
        right = self._seen.take(self._seen.answers == self.side)
        literals = right.signs == self.side
        nothing = np.zeros(len(self.halfspaces), dtype=bool)
        for part, at in self.parts:
            inside = (right.active[:, own] == (np.array(part.chosen) > 0)).all(axis=1)
            self.examined.append(Examined(part, np.vstack([self._literals(at), literals[inside]]), nothing.copy()))

    def _is_cover(self, chosen: Sequence[NDArray[np.uint8]]) -> bool:
        """Whether every part lies in one of the terms; else notes points of parts at which literals fail."""
        failing = False
        for done, one in enumerate(self.examined):
            self.watch.check(0.8 * done / len(self.examined), len(self.examined))
            unproved = np.bitwise_count(np.array(chosen) & ~packed(one.proved)).sum(axis=1)
            failing |= not any(self._holds(one, chosen[j]) for j in np.argsort(unproved))
        return not failing

    def _holds(self, one: Examined, term: NDArray[np.uint8]) -> bool:
        """Whether all literals of a term are true all over a part; else notes where they are not."""
        literals = unpacked(term, len(self.halfspaces))
        for k in np.flatnonzero(literals & ~one.proved):
            at = one.part.without(self.halfspaces[k]) if one.held[k] else None
            if at:
                one.add(self._literals(at))
            one.proved[k] = one.held[k]
        return not (literals & ~one.proved).any()

    def _split(self) -> None:
        """Cut every part whose literals do not keep out some point of the other answer."""
        waiting, self.examined = self.examined, []
        while waiting:
            one = waiting.pop()
            fulfilling = self.against[~(packed(one.held) & ~self.against).any(axis=1)]
            if not len(fulfilling):
                self.examined.append(one)
                continue
            failing = ~unpacked(fulfilling[0], len(self.halfspaces))
            k = int(np.argmax(np.where(failing, one.points.sum(axis=0), -1)))
            if not failing[k] or not one.points[:, k].any():
                raise LpnetError("a part of the answer could not be told from a point off it; please report")
            for true in (True, False):
                part = one.part.within(self.halfspaces[k], true)
                at = part.point()
                if at:
                    points = one.points[one.points[:, k] == true]
                    waiting.append(Examined(part, np.vstack([self._literals(at), points]), one.proved.copy()))

    def _literals(self, at: Point) -> Literals:
        """Which literals are true at a point."""
        return self.floats.signs_at(self.halfspaces, at) == self.side

    def _fits(self, term: NDArray[np.uint8]) -> bool:
        """Whether a term keeps out all points of the other answer met so far."""
        return bool((term & ~self.against).any(axis=1).all())

    def _is_implicant(self, term: NDArray[np.uint8]) -> bool:
        """Whether a term holds nowhere but at the answer; else notes points against it."""
        if term.tobytes() in self.proved:
            return True
        new = self.pool[~(term & ~self.pool).any(axis=1)][:AT_ONCE]
        if not len(new):
            literals = [self._literals(at) for at in self._points_against(term)]
            new = packed(np.array(literals, dtype=bool).reshape(-1, len(self.halfspaces)))
        self.against = np.vstack([self.against, new])
        if not len(new):
            self.proved.add(term.tobytes())
        return not len(new)

    def _points_against(self, term: NDArray[np.uint8]) -> list[Point]:
        """Points at which the term holds but the answer is another; none only if there are none."""
        form, domain, chosen = self.classes.form, self.classes.domain, unpacked(term, len(self.halfspaces))
        inside = [times(self.side, self.halfspaces[k]) for k in np.flatnonzero(chosen)] + domain.inequalities()
        region = Polyhedron(form.inputs, tuple(inside))
        at = region.interior
        if isinstance(at, Certificate):
            found = self.classes.refuted(self.side * chosen.astype(np.int8), self.side)
            return [found] if found else []
        if (form.sign_at(at) >= 0) != (self.side > 0):
            return [at]

        crossing = self.boundary.meeting(chosen, self.side, region, lambda: self.watch.check(0.5, len(self.examined)))
        patterns = list(itertools.islice(crossing, AT_ONCE))
        return [self._beside(pattern, inside) for pattern in patterns]

    def _beside(self, pattern: NDArray[np.bool_], inside: Sequence[Form]) -> Point:
        """A point with the other answer in a cell beside a boundary piece."""
        cell = self.classes.form.cell(pattern)
        here = cell if self.side > 0 else self.classes.form.across(cell)
        off = halfspace(cell.f, BELOW if self.side > 0 else ABOVE)
        at = self.questions.point_in(meet((halfspace(h, ABOVE) for h in inside), sides_of(here), [off]))
        if at is None:
            raise LpnetError("the engine found a piece where there is none; please report")
        return at


def packed(rows: Literals) -> NDArray[np.uint8]:
    """Rows of Booleans as bytes."""
    return np.packbits(rows, axis=-1)


def unpacked(rows: NDArray[np.uint8], count: int) -> Literals:
    """The Booleans in packed rows."""
    return np.unpackbits(rows, axis=-1)[..., :count].astype(bool)


def lying_in_none(terms: Sequence[NDArray[np.uint8]], held: NDArray[np.uint8]) -> NDArray[np.intp]:
    """The parts that lie in none of the terms."""
    table = np.array(terms)
    return np.flatnonzero([(table & ~one).any(axis=1).all() for one in held])


def in_common(
    held: NDArray[np.uint8], seeds: NDArray[np.intp], against: NDArray[np.uint8], order: int
) -> list[NDArray[np.uint8]]:
    """Of some parts the literals that, greedily, other parts have too, as long as they keep all points out that are not wanted.

    All at once, each with the others in an order of its own: those with most literals in common first.
    """
    count, size = len(held), -(-held.shape[1] // 8)
    padded = np.zeros((count + len(against), 8 * size), dtype=np.uint8)
    padded[:count, : held.shape[1]], padded[count:, : held.shape[1]] = held, against
    words = padded.view(np.uint64)
    others, keeping = words[:count], ~words[count:]
    terms = others[seeds]
    kept_out = [np.bitwise_count(terms & point).sum(dtype=np.int64) for point in keeping]
    keeping = keeping[np.argsort(kept_out, kind="stable")]  # what is hardest to keep out is looked at first
    jitter = np.random.default_rng(order).uniform(1.0, 1.0 + 0.5 * (order > 0), size=count)
    overlap = np.array([np.bitwise_count(one & others).sum(axis=1, dtype=np.int64) for one in terms])
    following = np.argsort(-overlap * jitter, axis=1, kind="stable")[:, :OTHERS]
    for chosen in following.T:
        shorter = terms & others[chosen]
        rows = np.flatnonzero((shorter != terms).any(axis=1))
        for start in range(0, len(keeping), POINTS):
            rows = rows[(shorter[rows, None] & keeping[start : start + POINTS]).any(axis=2).all(axis=1)]
            if not len(rows):
                break
        terms[rows] = shorter[rows]
    return list(terms.view(np.uint8)[:, : held.shape[1]])
