"""A hyperplane in coordinates of its own."""

from collections.abc import Sequence

import numpy as np

from lpnet.exact import FloatArray, Form, Point, add, primitive, sign, times, to_floats, value
from lpnet.networks import Polyhedron
from lpnet.regions.reasons import (
    Literal,
    halfspace,
    meet,
)
from lpnet.regions.search import Questions


class Sheet:
    """A hyperplane {h = 0} in coordinates of its own, the inputs but one; and which parts of it are empty."""

    def __init__(self, h: Form, domain: Polyhedron) -> None:
        self.h = h
        self.pivot = max(range(len(h) - 1), key=lambda j: abs(h[j]))
        walls = [self.reduced(wall) for wall in domain.inequalities()]
        self.outside = any(not any(wall[:-1]) and wall[-1] <= 0 for wall in walls)  # beside the domain
        self.questions = Questions(Polyhedron(len(h) - 2, tuple(wall for wall in walls if any(wall[:-1]))))
        self.walls = meet(self.questions.walls)

    def reduced(self, form: Form) -> Form:
        """The form on the hyperplane, times a positive number."""
        j, side = self.pivot, sign(self.h[self.pivot])
        entries = add(times(side * self.h[j], form), times(-side * form[j], self.h))
        return primitive(entries[:j] + entries[j + 1 :])

    def extended(self, form: Form) -> Form:
        """A form of the coordinates as one on R^d."""
        return (*form[: self.pivot], 0, *form[self.pivot :])

    def lifted(self, at: Point) -> Point:
        """The point of R^d, or the direction, with these coordinates."""
        j, whole = self.pivot, self.extended(at)
        scaled = list(times(abs(self.h[j]), whole))
        scaled[j] = -sign(self.h[j]) * value(self.h, whole)
        return primitive(scaled)

    def literals(self, held: Sequence[Literal], but: Sequence[Form] = ()) -> list[Literal]:
        """Half-spaces of R^d as those of the hyperplane, without those that hold all over it or bound it along `but`."""
        found = ((self.reduced(form), sides) for form, sides in held)
        turned = (halfspace(form, sides) for form, sides in found if any(form[:-1]))
        return [(form, sides) for form, sides in turned if form not in but]


def scaled(form: Sequence[int]) -> FloatArray:
    """The form in floats, of length 1."""
    row = to_floats(tuple(form), -max(map(abs, form)).bit_length())
    length = np.linalg.norm(row)
    return row / length if length else row
