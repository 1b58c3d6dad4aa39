"""The smallest threshold network over the needed half-spaces: two layers where that can be, else a smallest DNF or CNF.

Over the needed half-spaces, f's answer is a partial Boolean function: of the sign vectors that occur
(`lpnet.circuits.classes`). Two layers do if one threshold unit computes it (`lpnet.equivalents.separation`). Otherwise a
second layer of conjunctions is sought that together hold just where f ≥ 0 (a DNF), or just where f < 0 (their negations are
the clauses of a CNF): the fewest for the classes met so far (`lpnet.circuits.cover`). Where exact arithmetic then finds a
point at which they are wrong, its class is added. In the end they are right everywhere, ties included; a lower bound that
holds for some of the classes holds for all of them, so that fewest for those met are fewest.

Conjunctions are not all that a threshold unit can do: the bound is one for DNFs and CNFs, not for every three-layer circuit.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from lpnet.circuits.classes import Classes, TooLarge
from lpnet.circuits.cover import Signs, fooling_set, grown, holds_at, shrunk, smallest_cover
from lpnet.circuits.separation import Inseparable, separate
from lpnet.exact import Form, Point, value
from lpnet.networks import ExactForm

ROUNDS = 8

Layers = Literal["two layers", "DNF", "CNF"]


@dataclass(frozen=True, eq=False)
class Logic:
    """A threshold function of half-spaces {h ≥ 0}, exactly.

    kind: "two layers": +1 where weights·z ≥ 0, z the signs of the half-spaces and a last 1; "DNF": where one of the terms
    holds; "CNF": where none of them does, so that their negations are the clauses.
    halfspaces: m integer forms; weights: (m + 1,) integers, or none; terms: (k, m), see `lpnet.circuits.cover`, or (0, m).
    """

    kind: Layers
    halfspaces: tuple[Form, ...]
    weights: tuple[int, ...]
    terms: Signs

    def at(self, vectors: Signs) -> Signs:
        """The answers ±1 for sign vectors, (count, m) → (count,)."""
        if self.kind == "two layers":
            table = np.column_stack([vectors, np.ones(len(vectors), dtype=np.int8)]).astype(object)
            return np.where(table @ np.array(self.weights, dtype=object) >= 0, 1, -1).astype(np.int8)
        held = holds_at(self.terms, vectors).any(axis=0)
        return np.where(held == (self.kind == "DNF"), 1, -1).astype(np.int8)


@dataclass(frozen=True, eq=False)
class FoolingSet:
    """Why a DNF (side +1) or the CNF (side −1) needs at least len(points) terms.

    points: with f's answer `side`; between: for each pair of them a point with the other answer at which every half-space has
    the sign that it has at one of the two. A term that holds at both would hold there too.
    """

    side: int
    points: tuple[Point, ...]
    between: dict[tuple[int, int], Point]

    def holds(self, form: ExactForm, halfspaces: tuple[Form, ...]) -> bool:
        """Whether that is so, by arithmetic alone."""

        def signs(at: Point) -> list[bool]:
            return [value(h, at) >= 0 for h in halfspaces]

        vectors = [signs(at) for at in self.points]
        if any((form.sign_at(at) >= 0) != (self.side > 0) for at in self.points):
            return False
        for j in range(len(vectors)):
            for i in range(j):
                at = self.between.get((i, j))
                if at is None or (form.sign_at(at) >= 0) == (self.side > 0):
                    return False
                if any(z not in (p, q) for z, p, q in zip(signs(at), vectors[i], vectors[j], strict=True)):
                    return False
        return True


@dataclass(frozen=True, eq=False)
class Smallest:
    """The smallest network found over the needed half-spaces, right everywhere inside the domain, ties included.

    logic: the network; inseparable: why two layers do not do, where it has three; lower: at least so many second-layer units
    has every DNF and every CNF over these half-spaces (0 for two layers), proof: what the bound rests on (see
    `lpnet.circuits.cover.Cover`); fooling: for DNF and CNF the points that prove at least their number; programs: how many
    linear programs were solved.
    """

    logic: Logic
    inseparable: Inseparable | None
    lower: int
    proof: str
    fooling: tuple[FoolingSet, ...]
    programs: int

    @property
    def optimal(self) -> bool:
        """Whether no DNF or CNF over the needed half-spaces has fewer terms, or two layers do."""
        return len(self.logic.terms) == self.lower


@dataclass(frozen=True, eq=False)
class _Terms:
    """Terms that hold just where the answer is `side`, or None where that many are too many; any such terms are `lower`."""

    side: int
    terms: Signs | None
    lower: int
    proof: str
    fooling: FoolingSet


def smallest_logic(classes: Classes, candidates: dict[int, Signs] | None = None) -> Smallest:
    """The smallest network over the needed half-spaces, from the classes of points met so far.

    candidates: for each side ±1 terms that may be worth a try. Where the optimum takes too many programs it is the best found.
    Raises Undetermined where these half-spaces do not decide f's ties, TooLarge where nothing was found in time.
    """
    halfspaces = classes.halfspaces
    none = np.zeros((0, len(halfspaces)), dtype=np.int8)
    separation = separate(classes)
    if not isinstance(separation, Inseparable):
        return Smallest(Logic("two layers", halfspaces, separation, none), None, 0, "", (), classes.questions.asked)
    tried = candidates or {1: none, -1: none}
    first = min((1, -1), key=lambda side: len(fooling_set(classes.of(side), classes.of(-side), ())))
    one = fewest_terms(classes, first, tried[first])
    enough = None if one.terms is None else len(one.terms)
    other = fewest_terms(classes, -first, tried[-first], enough)
    found = [side for side in (one, other) if side.terms is not None]
    if not found:
        raise TooLarge(f"no DNF or CNF was found within {classes.most_programs} linear programs")
    best = min(found, key=lambda side: len(side.terms if side.terms is not None else ()))
    assert best.terms is not None
    weakest = min((one, other), key=lambda side: side.lower)
    logic = Logic("DNF" if best.side > 0 else "CNF", halfspaces, (), best.terms)
    lower = min(weakest.lower, len(best.terms))
    return Smallest(logic, separation, lower, weakest.proof, (one.fooling, other.fooling), classes.questions.asked)


def fewest_terms(classes: Classes, side: int, candidates: Signs, enough: int | None = None) -> _Terms:
    """Terms that hold just where the answer is `side`, right everywhere; fewest, if eight rounds are enough to find them.

    enough: stop with a proof that so many are needed, whether or not there are terms.
    """
    proved: dict[bytes, Signs] = {}
    best: Signs | None = None
    shown = _shown(classes, side, tuple(fooling_set(classes.of(side), classes.of(-side), ())))
    lower, proof = len(shown.points), "pairs"
    classes.allow_programs()
    try:
        _prove(classes, [term for term in candidates if not holds_at(term[None], classes.of(-side)).any()], side, proved)
        if proved and not classes.missed(terms := shrunk(np.array(list(proved.values())), classes.of(side)), side):
            best = terms
        for _ in range(ROUNDS):
            aim = min((n for n in (enough, None if best is None else len(best)) if n is not None), default=None)
            cover = smallest_cover(classes.of(side), classes.of(-side), aim)
            if cover.lower > lower:
                lower, proof = cover.lower, cover.proof
            if len(cover.fooling) > len(shown.points):
                shown = _shown(classes, side, cover.fooling)
            if aim is not None and lower >= aim:
                return _Terms(side, best, lower, proof, shown)
            if _prove(classes, cover.terms, side, proved) and not classes.missed(cover.terms, side):
                return _Terms(side, cover.terms, lower, proof, shown)
        terms = _settled(classes, side, proved)
        best = terms if best is None or len(terms) < len(best) else best
    except TooLarge:
        pass  # the best found until then
    return _Terms(side, best, lower, proof, shown)


def _settled(classes: Classes, side: int, proved: dict[bytes, Signs]) -> Signs:
    """Few terms that hold just where the answer is `side`, from implicants that are proved and stay."""
    while True:
        for vector in classes.of(side):
            if not proved or not holds_at(np.array(list(proved.values())), vector[None]).any():
                while not _prove(classes, [grown(vector, classes.of(side), classes.of(-side))], side, proved):
                    pass
        terms = shrunk(np.array(list(proved.values())), classes.of(side))
        if not classes.missed(terms, side):
            return terms


def _prove(classes: Classes, terms: Signs | list[Signs], side: int, proved: dict[bytes, Signs]) -> bool:
    """Whether the terms hold nowhere but where the answer is `side`; notes those that do so, and points against the others."""
    points = []
    for term in terms:
        if term.tobytes() not in proved:
            at = classes.refuted(term, side)
            if at is None:
                proved[term.tobytes()] = term
            else:
                points.append(at)
    for at in points:
        classes.add(at)
    return not points


def _shown(classes: Classes, side: int, rows: tuple[int, ...]) -> FoolingSet:
    """The points of a fooling set, given by rows of classes.of(side)."""
    answers = np.array(classes.answers)
    numbers, others = np.flatnonzero(answers == side)[list(rows)], np.flatnonzero(answers == -side)
    vectors = classes.vectors
    between = {}
    for j in range(len(numbers)):
        for i in range(j):
            p, q = vectors[numbers[i]], vectors[numbers[j]]
            inside = ((vectors[others] == p) | (vectors[others] == q)).all(axis=1)
            between[i, j] = classes.points[others[int(np.argmax(inside))]]
    return FoolingSet(side, tuple(classes.points[k] for k in numbers), between)
