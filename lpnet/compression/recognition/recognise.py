"""The methods in order: what each proposes is fitted to the half-spaces."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from lpnet.compression.recognition.cone import Cone, Draft, cone_over, oriented
from lpnet.compression.recognition.cuts import all_cuts
from lpnet.compression.recognition.fit import fits
from lpnet.compression.recognition.polygon import fewest_chords, polygon
from lpnet.compression.recognition.quads import Walk, bends, walk
from lpnet.exact import FloatArray, Form, Point, times
from lpnet.networks import ExactForm
from lpnet.watch import Watch


@dataclass(frozen=True)
class Survey:
    """K = {h_k ≤ 0} as the methods see it.

    halfspaces: irredundant; inside: a point inside K; noise: the relative error of the half-spaces; watch: may stop the
    methods, which then raise Stopped.
    """

    halfspaces: tuple[Form, ...]
    inside: Point
    noise: float
    watch: Watch = field(default_factory=Watch)

    @cached_property
    def cone(self) -> Cone:
        """The cone over K in floats."""
        return cone_over(self.halfspaces, self.inside, self.noise)

    @property
    def rank(self) -> int:
        """Of the gradients, in floats."""
        return len(self.cone.centre) - 1

    @cached_property
    def walk(self) -> Walk:
        """A walk on the boundary."""
        return walk(self.cone, np.random.default_rng(0), self.watch.part(0.0, 0.5))

    def clearance(self, corner: FloatArray) -> float:
        """How far the fourth half-space is from a point where three meet."""
        return float(np.sort(np.abs(self.cone.rows @ corner))[3])

    @cached_property
    def hopeless(self) -> bool:
        """Whether just three half-spaces meet in some face, beyond doubt: then there is no network, however they are moved.

        In particular K may then have far too many faces to list them all.
        """
        return self.rank > 2 and any(self.clearance(corner) > np.sqrt(self.noise) for corner in self.walk.simple.values())


def recognise(survey: Survey) -> Iterator[ExactForm]:
    """Networks f = −c + Σ R(a_i), up to a positive factor, that perhaps have K as {f ≤ 0}. Nothing is proved here."""
    cone = survey.cone
    if survey.rank == 1:
        met = cone.shoot(cone.centre, np.array([[1.0, -1.0], [-1.0, 1.0]]) * cone.rows.mean(axis=0)[::-1], [])[1]
        yield line([survey.halfspaces[k] for k in met if k != cone.infinity])
        return
    if survey.rank == 0:  # beyond floats
        return
    for draft in generic(survey) if survey.rank > 2 else planar(survey):
        yield from fitted(survey, draft)
    for draft in all_cuts(survey.cone, survey.watch.part(0.5, 1.0)) if not survey.hopeless else ():
        yield from fitted(survey, draft)


def fitted(survey: Survey, draft: Draft) -> Iterator[ExactForm]:
    """The draft fitted to the half-spaces, if it can be."""
    form = fits(survey.halfspaces, draft)
    if form:
        yield form


def generic(survey: Survey) -> Iterator[Draft]:
    """The network, if no two units meet more of the boundary than they have to."""
    found = bends(survey.walk)
    draft = oriented(survey.cone, found) if found else None
    if draft:
        yield draft


def planar(survey: Survey) -> Iterator[Draft]:
    """The networks with a unit for each of the fewest chords; if there are none, those with one more unit."""
    seen, more = survey.walk, []
    shape = polygon(survey.cone, np.array(list(seen.points)), np.array(list(seen.points.values())))
    for found in fewest_chords(shape, survey.watch.part(0.5, 1.0)):
        draft = oriented(survey.cone, found)
        if draft and draft.extra:
            more.append(draft)
        elif draft:
            yield draft
    yield from more


def line(halfspaces: Sequence[Form]) -> ExactForm:
    """f = −c + Σ R(h_k + c), up to a positive factor.

    One half-space v·x + b ≥ 0: c = −b or b, whichever is positive. Two, with h_1 = −h_2 − s and s > 0, the gradients of the
    same length: c = s/2, so that f = −c also where both units are active.
    """
    if len(halfspaces) == 1:
        h = halfspaces[0]
        c = abs(h[-1]) or max(map(abs, h))
        return ExactForm(constant(h, -c), (raised(h, c),), (1,), 0)
    first, second = opposite(*halfspaces)
    s = -(first[-1] + second[-1])
    return ExactForm(constant(first, -s), (raised(times(2, first), s), raised(times(2, second), s)), (1, 1), 0)


def constant(h: Form, c: int) -> Form:
    """The constant c as a form."""
    return (*(0,) * (len(h) - 1), c)


def raised(h: Form, c: int) -> Form:
    """h + c."""
    return (*h[:-1], h[-1] + c)


def opposite(first: Form, second: Form) -> tuple[Form, Form]:
    """The two scaled to opposite gradients; where these are parallel but for rounding, the second's direction is given up."""
    pivot = max(range(len(first) - 1), key=lambda j: abs(first[j]))
    first, second = times(abs(second[pivot]), first), times(abs(first[pivot]), second)
    return first, (*times(-1, first[:-1]), second[-1])
