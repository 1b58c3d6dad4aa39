"""Where a network is asked about: all of R^d, or a part of it."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from lpnet.brief import brief
from lpnet.errors import InputError
from lpnet.exact import FloatArray, Form, forms
from lpnet.networks.arrays import as_array, as_points, describe

Ends = list[Fraction | None]


class Domain(Protocol):
    """An open polyhedron in R^d. lpnet asks no more of a domain than this, so any polyhedron can be one.

    Questions are about its interior; a network's answers on its faces follow by continuity, off {f = 0}.
    """

    @property
    def inputs(self) -> int:
        """d."""

    def inequalities(self) -> list[Form]:
        """Exact forms h (see `lpnet.exact`) whose common strict inequalities h > 0 are the domain."""


def as_domain(given: Domain | None, inputs: int) -> Domain:
    """The domain, all of R^d for None; InputError for anything else and for the wrong number of inputs."""
    domain = Box.everywhere(inputs) if given is None else given
    if not hasattr(domain, "inequalities"):
        raise InputError(f"domain: wanted a Box or another Domain, got {describe(given)}")
    if domain.inputs != inputs:
        raise InputError(f"domain: wanted {inputs} inputs as the network has, got {domain.inputs}")
    return domain


@dataclass(frozen=True, eq=False)
class Box:
    """The box lower < x < upper, shapes (d,); a bound may be infinite.

    Raises InputError where lower < upper fails: such a box has no interior.
    """

    lower: FloatArray
    upper: FloatArray

    __repr__ = brief("inputs")

    def __post_init__(self) -> None:
        lower = as_array("lower", self.lower, (None,), finite=False)
        upper = as_array("upper", self.upper, lower.shape, finite=False)
        if not (lower < upper).all():
            where = int(np.flatnonzero(~(lower < upper))[0])
            raise InputError(
                f"box: wanted lower < upper for every input, got [{lower[where]:g}, {upper[where]:g}] for input {where}; "
                "fold an input that is fixed into the biases"
            )
        object.__setattr__(self, "lower", lower)
        object.__setattr__(self, "upper", upper)

    @classmethod
    def everywhere(cls, inputs: int) -> "Box":
        """All of R^d."""
        return cls(np.full(inputs, -np.inf), np.full(inputs, np.inf))

    @property
    def inputs(self) -> int:
        """d."""
        return len(self.lower)

    @property
    def bounded_somewhere(self) -> bool:
        """Whether it is not all of R^d."""
        return bool(np.isfinite(self.lower).any() or np.isfinite(self.upper).any())

    def inequalities(self) -> list[Form]:
        """x_i − lower_i > 0 and upper_i − x_i > 0 for the finite bounds."""
        if not self.bounded_somewhere:
            return []
        identity = np.eye(self.inputs)
        below, above = np.isfinite(self.lower), np.isfinite(self.upper)
        return forms(identity[below], -self.lower[below]) + forms(-identity[above], self.upper[above])

    def contains(self, points: Any) -> NDArray[np.bool_]:
        """Which points lie in the closed box; (batch, d) → (batch,)."""
        points = as_points(points, self.inputs)
        return ((self.lower <= points) & (points <= self.upper)).all(axis=1)


@dataclass(frozen=True, eq=False)
class Polyhedron:
    """The open polyhedron in R^d where all of these forms, d+1 integers each, are positive."""

    inputs: int
    forms: tuple[Form, ...]

    __repr__ = brief()

    def inequalities(self) -> list[Form]:
        """The forms."""
        return list(self.forms)


def bounds(domain: Domain) -> tuple[Ends, Ends]:
    """The lower and the upper bounds of the inputs that inequalities in one input give; None where there is none."""
    lower: Ends = [None] * domain.inputs
    upper: Ends = [None] * domain.inputs
    for h in domain.inequalities():
        used = [j for j, coefficient in enumerate(h[:-1]) if coefficient]
        if len(used) == 1:
            (j,) = used
            at, side, better = (Fraction(-h[-1], h[j]), lower, max) if h[j] > 0 else (Fraction(-h[-1], h[j]), upper, min)
            known = side[j]
            side[j] = at if known is None else better(at, known)
    return lower, upper
