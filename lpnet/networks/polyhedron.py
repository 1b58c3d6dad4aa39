"""Where a network is asked about: all of R^d, or an open polyhedron in it."""

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lpnet.brief import brief
from lpnet.errors import InputError
from lpnet.exact import FloatArray, Form, Point, forms, rounded_down, rounded_up, shortened
from lpnet.networks.affine import Layer
from lpnet.networks.arrays import as_array, as_numbers, as_points, as_weights, describe
from lpnet.networks.batches import or_single
from lpnet.programs import Certificate, SignProgram
from lpnet.programs.extent import Bound, extent

Ends = list[Fraction | None]


@dataclass(frozen=True, eq=False)
class Polyhedron:
    """The open polyhedron {x: h(x) > 0 for all forms h}, d+1 integers each (see `lpnet.exact`); without forms, all of R^d.

    Questions on it are about its interior; a network's answers on its faces follow by continuity, off {f = 0}.
    `Polyhedron.of` makes one of numbers, `Box` of bounds.
    """

    inputs: int
    forms: tuple[Form, ...]

    __repr__ = brief()

    @classmethod
    def everywhere(cls, inputs: int) -> "Polyhedron":
        """All of R^d."""
        return cls(inputs, ())

    @classmethod
    def of(cls, weight: Any, bias: Any) -> "Polyhedron":
        """{x: A x + b > 0}, shapes (m, d), (m,), of floats, whole numbers or Fractions, none of them rounded.

        Raises InputError for a wrong shape or a number that is not finite.
        """
        weight = as_weights("weight", weight)
        return cls(weight.shape[1], tuple(forms(weight, as_numbers("bias", bias, (len(weight),)))))

    def inequalities(self) -> list[Form]:
        """The forms."""
        return list(self.forms)

    @cached_property
    def interior(self) -> Point | Certificate:
        """A point inside, d numerators and a denominator; where there is none, the multipliers m ≥ 0 that prove it.

        Then Σ m_i h_i + m_0 = 0 identically (`lpnet.programs.alternative`).
        """
        return SignProgram(self.forms, self.inputs).decide([1] * len(self.forms))

    @cached_property
    def empty(self) -> bool:
        """Whether there is no point inside; of a box this is seen without a program."""
        if not self.box:
            return isinstance(self.interior, Certificate)
        return any(low is not None and high is not None and low >= high for low, high in zip(*self._given, strict=True))

    @or_single
    def contains(self, points: Any) -> NDArray[np.bool_]:
        """Which points lie inside, exactly; (batch, d) → (batch,), and for a single point (d,) → ()."""
        return np.asarray((self._layer.signs(as_points(points, self.inputs)) > 0).all(axis=1), dtype=np.bool_)

    @cached_property
    def bounds(self) -> tuple[Ends, Ends]:
        """The lower and the upper bounds of the inputs; None where there is none.

        Those that inequalities in one input give, and the tightest where the others imply more (`implied`).
        """
        lower, upper = map(list, self._given)
        for bound in self.implied:
            (lower if bound.side > 0 else upper)[bound.axis] = bound.at
        return lower, upper

    @cached_property
    def implied(self) -> tuple[Bound, ...]:
        """The bounds that inequalities in several inputs imply, proved, where they are tighter than those given.

        Rounded outwards to float64, so that numbers stay short.
        """
        if self.box or isinstance(self.interior, Certificate):
            return ()
        return tuple(filter(self._says_more, filter(None, map(rounded, extent(self.forms, self.interior)))))

    @property
    def lower(self) -> FloatArray:
        """The lower bounds in floats, (d,), rounded down; −∞ where there is none."""
        return np.array([-np.inf if end is None else rounded_down(end) for end in self.bounds[0]])

    @property
    def upper(self) -> FloatArray:
        """The upper bounds in floats, (d,), rounded up; ∞ where there is none."""
        return np.array([np.inf if end is None else rounded_up(end) for end in self.bounds[1]])

    @cached_property
    def box(self) -> bool:
        """Whether every inequality is one in one input."""
        return all(sum(map(bool, h[:-1])) == 1 for h in self.forms)

    @cached_property
    def _given(self) -> tuple[Ends, Ends]:
        """The bounds that inequalities in one input give."""
        lower: Ends = [None] * self.inputs
        upper: Ends = [None] * self.inputs
        for h in self.forms:
            used = [j for j, coefficient in enumerate(h[:-1]) if coefficient]
            if len(used) == 1:
                (j,) = used
                at, side, better = (Fraction(-h[-1], h[j]), lower, max) if h[j] > 0 else (Fraction(-h[-1], h[j]), upper, min)
                known = side[j]
                side[j] = at if known is None else better(at, known)
        return lower, upper

    def _says_more(self, bound: Bound) -> bool:
        """Whether a bound is tighter than the one given."""
        known = self._given[bound.side < 0][bound.axis]
        return known is None or (bound.at - known) * bound.side > 0

    @cached_property
    def _layer(self) -> Layer:
        """The forms as rows of numbers."""
        rows = shortened(np.array(self.forms, dtype=object).reshape(-1, self.inputs + 1))
        return Layer(rows[:, :-1], rows[:, -1])


def rounded(bound: Bound) -> Bound | None:
    """A bound that is a float64, outwards of this one; None where that is infinite."""
    end = rounded_down(bound.at) if bound.side > 0 else rounded_up(bound.at)
    return bound._replace(at=Fraction(end)) if np.isfinite(end) else None


def Box(lower: Any, upper: Any) -> Polyhedron:
    """The polyhedron lower < x < upper, shapes (d,), of floats; a bound may be infinite.

    Raises InputError where lower < upper fails: such a box has no interior.
    """
    lower = as_array("lower", lower, (None,), finite=False)
    upper = as_array("upper", upper, lower.shape, finite=False)
    if not (lower < upper).all():
        where = int(np.flatnonzero(~(lower < upper))[0])
        raise InputError(
            f"box: wanted lower < upper for every input, got [{lower[where]:g}, {upper[where]:g}] for input {where}; "
            "fold an input that is fixed into the biases"
        )
    identity, below, above = np.eye(len(lower)), np.isfinite(lower), np.isfinite(upper)
    return Polyhedron(len(lower), (*forms(identity[below], -lower[below]), *forms(-identity[above], upper[above])))


def as_domain(given: Polyhedron | None, inputs: int) -> Polyhedron:
    """The domain, all of R^d for None; InputError for anything else, for the wrong number of inputs and for an empty one."""
    domain = Polyhedron.everywhere(inputs) if given is None else given
    if not isinstance(domain, Polyhedron):
        raise InputError(f"domain: wanted a Polyhedron, such as a Box, got {describe(given)}")
    if domain.inputs != inputs:
        raise InputError(f"domain: wanted {inputs} inputs as the network has, got {domain.inputs}")
    if domain.empty:
        raise InputError("domain: wanted a polyhedron with an interior, got one without")
    return domain
