"""f = l + Σ s_k R(a_k) in integers: [PS16] Eq. (3) without any rounding."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from lpnet.brief import brief
from lpnet.exact import Form, Point, add, sign, times, value


@dataclass(frozen=True)
class ExactForm:
    """f(x) = 2^exponent / divisor · (l(x) + Σ_k s_k R(a_k(x))), without any rounding.

    affine: l, d+1 integers; units: a_k, m times d+1 integers; signs: s_k = ±1; divisor: odd, 1 where all numbers are floats.
    """

    affine: Form
    units: tuple[Form, ...]
    signs: tuple[int, ...]
    exponent: int
    divisor: int = 1

    __repr__ = brief("inputs")

    @property
    def inputs(self) -> int:
        """d."""
        return len(self.affine) - 1

    @property
    def scale(self) -> Fraction:
        """2^exponent / divisor."""
        return Fraction(2) ** self.exponent / self.divisor

    @property
    def convex(self) -> bool:
        """Whether every s_k = +1, so that f is convex and {f < 0} too."""
        return all(s > 0 for s in self.signs)

    @property
    def concave(self) -> bool:
        """Whether every s_k = −1, so that f is concave and {f ≥ 0} convex."""
        return all(s < 0 for s in self.signs)

    def on_cell(self, pattern: Sequence[int] | NDArray[np.bool_]) -> Form:
        """c_S = l + Σ_{k∈S} s_k a_k, where S are the units with pattern_k > 0: what f is where exactly they are active."""
        total = self.affine
        for a, s, active in zip(self.units, self.signs, pattern, strict=True):
            if active > 0:
                total = add(total, times(s, a))
        return total

    def each(self, change: Callable[[Form], Form]) -> "ExactForm":
        """The form with l and every a_k changed in the same way: by a linear substitution of the inputs."""
        return ExactForm(change(self.affine), tuple(map(change, self.units)), self.signs, self.exponent, self.divisor)

    def sign_at(self, at: Point) -> int:
        """The sign (−1, 0, +1) of f at an exact point."""
        return sign(sum(self.terms_at(at)))

    def terms_at(self, at: Point) -> list[int]:
        """l and all s_k R(a_k) at an exact point p, times its denominator p[d]; f is their sum, times `scale` / p[d]."""
        return [value(self.affine, at), *(s * max(0, value(a, at)) for a, s in zip(self.units, self.signs, strict=True))]
