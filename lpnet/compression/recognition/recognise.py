"""The methods in order: what each proposes is fitted to the half-spaces."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from lpnet.compression.recognition.cone import Cone, cone_over
from lpnet.compression.recognition.fit import fits
from lpnet.compression.recognition.line import line
from lpnet.compression.recognition.orientation import patterns
from lpnet.compression.recognition.quads import Walk, bends, walk
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
    elif survey.rank > 2:
        found = bends(survey.walk)
        if found:
            active = patterns(survey.cone, found)
            if active is not None:
                yield from fitted(survey, found.facets, active)


def fitted(survey: Survey, facets: NDArray[np.intp], active: NDArray[np.bool_]) -> Iterator[ExactForm]:
    """The network with these patterns on these facets."""
    form = fits([survey.halfspaces[k] for k in facets if k != survey.cone.infinity], active)
    if form:
        yield form
