"""The methods in order: what each proposes is fitted to the half-spaces."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from lpnet.compression.recognition.cone import Cone, cone_over
from lpnet.compression.recognition.fit import fits
from lpnet.compression.recognition.line import line
from lpnet.compression.recognition.orientation import patterns
from lpnet.compression.recognition.polygon import matchings
from lpnet.compression.recognition.quads import Bends, Walk, bends, walk
from lpnet.exact import Form, Point
from lpnet.networks import ExactForm


@dataclass(frozen=True)
class Survey:
    """K = {h_k ≤ 0} as the methods see it.

    halfspaces: irredundant; inside: a point inside K; noise: the relative error of the half-spaces.
    """

    halfspaces: tuple[Form, ...]
    inside: Point
    noise: float

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
        return walk(self.cone, np.random.default_rng(0))


def recognise(survey: Survey) -> Iterator[ExactForm]:
    """Networks f = −c + Σ R(a_i), up to a positive factor, that perhaps have K as {f ≤ 0}. Nothing is proved here."""
    if survey.rank == 1:
        yield line(survey.halfspaces)
        return
    oriented = ((found, patterns(survey.cone, found)) for found in generic(survey))
    for found, active in sorted(((b, a) for b, a in oriented if a is not None), key=lambda pair: pair[1].shape[1]):
        facets = [survey.halfspaces[k] for k in found.facets if k != survey.cone.infinity]
        form = fits(facets, active)
        if form:
            yield form


def generic(survey: Survey) -> Iterator[Bends]:
    """The bends, if no two units meet more of the boundary than they have to."""
    seen = survey.walk
    if survey.rank > 2:
        found = bends(seen)
        if found:
            yield found
    else:
        yield from matchings(survey.cone, np.array(list(seen.points)), np.array(list(seen.points.values())))
