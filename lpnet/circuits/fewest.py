"""The fewest terms of a DNF or CNF by counterexamples: optimal for the classes met so far, until they are right everywhere."""

from dataclasses import dataclass

import numpy as np

from lpnet.circuits.classes import Classes, TooLarge
from lpnet.circuits.cover import Signs, fooling_set, grown, holds_at, shrunk, smallest_cover
from lpnet.circuits.fooling import FoolingSet

ROUNDS = 8


@dataclass(frozen=True, eq=False)
class Terms:
    """Terms that hold just where the answer is `side`, or None where that many are too many; any such terms are `lower`.

    proof: what the bound rests on, see `lpnet.circuits.cover.Cover`; fooling: points that prove at least their number.
    """

    side: int
    terms: Signs | None
    lower: int
    proof: str
    fooling: FoolingSet


def fewest_terms(classes: Classes, known: Terms, enough: int | None = None) -> Terms:
    """The same with fewer terms or a better bound; fewest, if eight rounds are enough to find them.

    enough: stop with a proof that so many are needed, whether or not there are terms.
    """
    side, best, lower, proof, fooling = known.side, known.terms, known.lower, known.proof, known.fooling
    proved: dict[bytes, Signs] = {} if best is None else {term.tobytes(): term for term in best}
    classes.allow_programs()
    try:
        for _ in range(ROUNDS):
            aim = min((n for n in (enough, None if best is None else len(best)) if n is not None), default=None)
            if aim is not None and lower >= aim:
                return Terms(side, best, lower, proof, fooling)
            cover = smallest_cover(classes.of(side), classes.of(-side), aim)
            if cover.lower > lower:
                lower, proof = cover.lower, cover.proof
            if len(cover.fooling) > len(fooling.points):
                fooling = shown(classes, side, cover.fooling)
            if _prove(classes, cover.terms, side, proved) and not classes.missed(cover.terms, side):
                return Terms(side, cover.terms, lower, proof, fooling)
        if best is None:
            best = _settled(classes, side, proved)
    except TooLarge:
        pass  # the best found until then
    return Terms(side, best, lower, proof, fooling)


def first_bound(classes: Classes, side: int) -> Terms:
    """No terms yet, and a bound from the classes met so far."""
    fooling = shown(classes, side, tuple(fooling_set(classes.of(side), classes.of(-side), ())))
    return Terms(side, None, len(fooling.points), "pairs", fooling)


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


def shown(classes: Classes, side: int, rows: tuple[int, ...]) -> FoolingSet:
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
