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

import operator
import time
from collections.abc import Callable, Iterator, Sequence
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lpnet.circuits.boundary import Boundary, Term, as_bits, bits, unpacked
from lpnet.circuits.classes import Classes, TooLarge
from lpnet.circuits.cover import Signs
from lpnet.circuits.parts import Part, lifted
from lpnet.circuits.sample import Sample, clear_signs, floats_of, spread
from lpnet.errors import LpnetError
from lpnet.exact import Point, times
from lpnet.networks.concave import deciding
from lpnet.networks.polyhedron import Polyhedron
from lpnet.programs import Certificate
from lpnet.programs.integer import set_cover
from lpnet.watch import Watch

KEPT = 200  # points of a part
ORDERS = 4  # in which a term is grown
SEEDS = 256  # parts from which terms are grown at once
OTHERS = 512  # parts that a term may take in


class Examined:
    """A part with the literals true at some of its points, those not seen to fail there, and those proved, all as bits."""

    def __init__(self, part: Part, points: Sequence[int], proved: int) -> None:
        self.part, self.points, self.proved = part, list(points[:KEPT]), proved
        self.held = reduce(operator.and_, points)

    def add(self, true: int) -> None:
        """Note one more point."""
        self.points = [*self.points[-KEPT:], true]
        self.held &= true


class ConvexTerms:
    """The search for few terms that hold just where the answer is `side`."""

    def __init__(
        self,
        classes: Classes,
        boundary: Boundary,
        seen: Sample,
        parts: Sequence[tuple[Part, Point]],
        seconds: float,
        watch: Watch,
    ) -> None:
        self.until, self.seconds = time.monotonic() + seconds, seconds
        self.classes, self.boundary, self.parts, self.watch = classes, boundary, parts, watch
        self.floats, self.side, self.halfspaces = boundary.floats, boundary.side, boundary.halfspaces
        self.examined: list[Examined] = []
        self._seen = seen

    def terms(self) -> Signs:
        """The terms, (k, m). Raises TooLarge where that takes longer than it may."""
        self._cut_out()
        known: list[Term] = []
        while True:
            self._split()
            known = self._more([term for term in known if term.proved or self.boundary.keeps_off(term)])
            covered = np.array([[not term.short & ~one.held for one in self.examined] for term in known])
            chosen = [known[j] for j in np.flatnonzero(set_cover(covered, [term.proved for term in known]))]
            self.boundary.keep_out([term for term in chosen if not term.proved], self._look)
            if not sum(not self._is_implicant(term) for term in chosen) and self._is_cover(chosen):  # all are looked at
                return self.side * unpacked([term.short for term in chosen], len(self.halfspaces)).astype(np.int8)

    def _more(self, terms: list[Term]) -> list[Term]:
        """These terms and more, so that each part lies in one."""
        rng, held = np.random.default_rng(len(terms)), [one.held for one in self.examined]
        made = {term.full: term for term in terms}

        def grow(seeds: NDArray[np.intp], order: int) -> None:
            self._look()
            for full in in_common(held, seeds, self.boundary.point_inside, order, len(self.halfspaces)):
                made[full] = made.get(full) or self.boundary.term(full)

        proved = [term.short for term in terms if term.proved and len(held) > SEEDS]
        waiting = [i for i, one in enumerate(held) if all(term & ~one for term in proved)]
        for order in range(ORDERS if waiting else 0):
            grow(rng.permutation(waiting)[:SEEDS], order)
        while left := [i for i, one in enumerate(held) if all(term.short & ~one for term in made.values())]:
            grow(np.array(left[:SEEDS]), 0)
        return list(made.values())

    def _cut_out(self) -> None:
        """All parts, with the literals seen to be true at points of each."""
        own = deciding(self.classes.form, self.side)
        right = self._seen.take(self._seen.answers == self.side)
        inside: dict[bytes, list[int]] = {}
        for active, signs in zip(right.active[:, own], right.signs, strict=True):
            inside.setdefault(active.tobytes(), []).append(as_bits(signs == self.side))
        starts = np.nan_to_num(np.array([floats_of(at) for _, at in self.parts]), posinf=0.0, neginf=0.0)
        chosen = np.array([part.chosen for part, _ in self.parts]).reshape(len(starts), -1) > 0
        reached = spread(self.floats, starts, chosen, own, self.side)
        for (part, at), active, points in zip(self.parts, chosen, reached, strict=True):
            signs, clear = clear_signs(self.floats.halfspaces, points)
            true = [as_bits(row == self.side) for row in signs[clear]]
            self.examined.append(Examined(part, [self._true(at), *true, *inside.get(active.tobytes(), [])], 0))

    def _is_cover(self, chosen: Sequence[Term]) -> bool:
        """Whether every part lies in one of the terms; else notes points of parts at which literals fail."""
        failing = False
        for done, one in enumerate(self.examined):
            self._look(0.8 * done / len(self.examined))
            order = sorted(chosen, key=lambda term: (term.short & ~one.proved).bit_count())
            failing |= not any(self._holds(one, term.short) for term in order)
        return not failing

    def _holds(self, one: Examined, term: int) -> bool:
        """Whether all literals of a term are true all over a part; else notes where they are not."""
        if term & ~one.held:
            return False
        asked = list(bits(term & ~one.proved))
        if asked and self.boundary.many and (cone := one.part.cone(self.floats)):
            literals = self.boundary.vectors.take(asked).times(-1.0).lifted(len(cone.at))
            padding = (0,) * (len(cone.forms[0]) - len(self.halfspaces[0]))
            forms = [lifted(times(-self.side, self.halfspaces[k]), padding) for k in asked]
            true = cone.negative(forms, literals, weak=self.side > 0)
            one.proved |= sum(1 << k for k, known in zip(asked, true, strict=True) if known)
        for k in bits(term & ~one.proved):
            at = one.part.without(self.halfspaces[k]) if one.held >> k & 1 else None
            if at:
                one.add(self._true(at))
            one.proved |= one.held & 1 << k
        return not term & ~one.proved

    def _split(self) -> None:
        """Cut every part whose literals do not keep out some point of the other answer."""
        waiting, self.examined = self.examined, []
        while waiting:
            one = waiting.pop()
            false = self.boundary.point_inside(one.held)
            if false is None:
                self.examined.append(one)
                continue
            true = unpacked(one.points, len(self.halfspaces)).sum(axis=0)
            k = max(bits(false), key=true.__getitem__, default=None)
            if k is None or not true[k]:
                raise LpnetError("a part of the answer could not be told from a point off it; please report")
            for holds in (True, False):
                part = one.part.within(self.halfspaces[k], holds)
                at = part.point()
                if at:
                    points = [point for point in one.points if point >> k & 1 == holds]
                    waiting.append(Examined(part, [self._true(at), *points], one.proved))

    def _true(self, at: Point) -> int:
        """The literals that are true at a point."""
        return as_bits(self.floats.signs_at(self.halfspaces, at) == self.side)

    def _look(self, share: float = 0.5) -> None:
        self.watch.check(share, len(self.examined))
        if time.monotonic() > self.until:
            raise TooLarge(f"no small DNF or CNF was found within {self.seconds:.0f} s")

    def _is_implicant(self, term: Term) -> bool:
        """Whether a term without a piece holds nowhere but at the answer; else notes a point against it.

        It holds at some point with the answer, and so all over its interior; on side +1 it is closed, and may have none.
        """
        if not term.right or self.side < 0:
            return term.right
        form, domain = self.classes.form, self.classes.domain
        middle = Polyhedron(form.inputs, (*(self.halfspaces[k] for k in bits(term.short)), *domain.inequalities())).interior
        if isinstance(middle, Certificate):
            at = self.classes.refuted(unpacked([term.short], len(self.halfspaces))[0].astype(np.int8), 1)
        else:
            at = None if form.sign_at(middle) >= 0 else middle
        if at:
            self.boundary.others.append(as_bits(self.floats.signs_at(self.halfspaces, at) < 0))
            term.right = term.proved = False
        return term.right


def in_common(
    held: Sequence[int], seeds: NDArray[np.intp], inside: Callable[[int], Any], order: int, count: int
) -> Iterator[int]:
    """Of some parts the literals that, greedily, other parts have too, as long as they leave no unwanted point inside.

    Each with the others in an order of its own: those with most literals in common first.
    """
    table = unpacked(held, count).astype(np.float32)
    jitter = np.random.default_rng(order).uniform(1.0, 1.0 + 0.5 * (order > 0), size=len(held))
    following = np.argsort(-(table[seeds] @ table.T) * jitter, axis=1, kind="stable")[:, :OTHERS]
    for seed, others in zip(seeds.tolist(), following.tolist(), strict=True):
        term = held[seed]
        for other in others:
            shorter = term & held[other]
            if shorter != term and inside(shorter) is None:
                term = shorter
        yield term
