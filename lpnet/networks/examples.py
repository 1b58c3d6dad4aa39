"""Data: rows of inputs, and the box around them in which a network is asked about them."""

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from lpnet.brief import brief
from lpnet.exact import FloatArray
from lpnet.networks.arrays import as_array
from lpnet.networks.polyhedron import Box, Polyhedron
from lpnet.networks.question import substituted

N = TypeVar("N", bound=Any)


@dataclass(frozen=True, eq=False)
class Examples:
    """Rows of inputs, (N, d), N ≥ 1, and their classes in words, (N,), where these are known.

    features: names of the inputs, or ().
    """

    points: FloatArray
    classes: NDArray[Any] | None = None
    features: tuple[str, ...] = ()

    __repr__ = brief("rows")

    def __post_init__(self) -> None:
        object.__setattr__(self, "points", as_array("data", self.points, (None, None)))

    @property
    def rows(self) -> int:
        """N."""
        return len(self.points)

    @cached_property
    def constants(self) -> dict[int, Fraction]:
        """The inputs that are the same number in all rows."""
        low, high = self.points.min(axis=0), self.points.max(axis=0)
        return {int(k): Fraction(low[k]) for k in np.flatnonzero(low == high)}

    @cached_property
    def box(self) -> Polyhedron:
        """The open box that holds all rows, its bounds the floats next to their least and largest ones; none of `constants`."""
        low, high = (
            np.nextafter(ends, side) for ends, side in ((self.points.min(axis=0), -np.inf), (self.points.max(axis=0), np.inf))
        )
        constant = list(self.constants)
        low[constant], high[constant] = -np.inf, np.inf
        return Box(low, high)

    def about(self, network: N, domain: Polyhedron | None = None) -> tuple[N, Polyhedron]:
        """What a question about a network on this data is about: its constant inputs substituted, on the box of the rows.

        A domain that is given takes the place of both.
        """
        if domain is not None:
            return network, domain
        return substituted(network, self.constants), self.box
