"""Which forms are negative all over a convex set? By floats with a bound on every error, or left open."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lpnet.exact import UNIT_ROUNDOFF, FloatArray, Form, to_floats
from lpnet.programs.stems import dependency

SMALLEST = 2.0**-200  # of entries; nothing underflows among larger ones


class Vectors(NamedTuple):
    """Forms as vectors of R^D, D = d+1, of length 1, and what their entries may be off by, both (count, D)."""

    rows: FloatArray
    off: FloatArray

    def take(self, numbers: Sequence[int]) -> "Vectors":
        """Some of them."""
        return Vectors(self.rows[numbers], self.off[numbers])

    def times(self, factor: float) -> "Vectors":
        """Times ±1."""
        return Vectors(factor * self.rows, self.off)

    def lifted(self, size: int) -> "Vectors":
        """The same with zeros before the last entry, (count, size)."""
        padding = np.zeros((len(self.rows), size - self.rows.shape[1]))
        return Vectors(*(np.hstack([table[:, :-1], padding, table[:, -1:]]) for table in self))

    def within(self, plane: "Vectors") -> "Vectors":
        """The same on a hyperplane, (1, D), by the coordinates other than its largest one, (count, D − 1)."""
        a, p = plane.rows[0], int(np.argmax(np.abs(plane.rows[0])))
        rest = np.arange(len(a)) != p
        products = (self.rows[:, p] / a[p])[:, None] * a[rest]
        off = 16 * UNIT_ROUNDOFF * (np.abs(self.rows[:, rest]) + np.abs(products))  # of entries within 3u of theirs
        off[np.isinf(self.off).any(axis=1) | np.isinf(plane.off).any()] = np.inf
        return Vectors(self.rows[:, rest] - products, off)


def vectors(forms: Sequence[Form], kept: Sequence[int]) -> Vectors:
    """Some entries of forms, each within 3u of its own; where that might not be, a row is off by anything."""
    forms = [tuple(h[j] for j in kept) for h in forms]
    table = np.array([to_floats(h, -max(map(abs, h)).bit_length()) for h in forms])
    tiny = (np.abs(table) < SMALLEST) & np.array([[entry != 0 for entry in h] for h in forms])
    rows = table / np.sqrt((table**2).sum(axis=1, keepdims=True))
    off = 3 * UNIT_ROUNDOFF * np.abs(rows)
    off[tiny.any(axis=1)] = np.inf
    return Vectors(rows, off)


class Cone:
    """A convex set {h > 0 for some forms, h ≥ 0 for others} as the cone over it in R^D, with a point inside, (D,).

    rows: the forms as vectors; plane: one that is 0 all over the set, on which the rows are. signs: 1 for each form; 0 leaves
    it out.
    """

    def __init__(
        self, forms: Sequence[Form], rows: Vectors, strict: NDArray[np.bool_], at: FloatArray, plane: Form | None = None
    ) -> None:
        from lpnet.programs.cone_kernel import workspace

        self.forms, self.rows, self.strict, self.plane, self.at = forms, rows, strict, plane, at / np.sqrt((at**2).sum())
        count, size = rows.rows.shape
        self.signs, self._none = np.ones(count, dtype=np.int8), (np.zeros((0, size)), np.zeros(0))
        self._work = workspace(count, 0, size)

    def negative(self, targets: Sequence[Form], rows: Vectors, weak: bool) -> NDArray[np.bool_]:
        """Which targets, as forms and as vectors, are certainly negative, or at most 0 if `weak`, all over the set."""
        from lpnet.programs.below_kernel import below

        found, members = np.zeros(len(targets), dtype=np.bool_), np.full((len(targets), len(self.at) + 1), -1)
        own = (*self.rows, self.strict, self.signs, *self._none)
        below(*own, *rows, self.at, weak, self._work, found, members)
        for i in np.flatnonzero(~found & (members[:, 0] >= 0)).tolist():
            support = members[i, : int(np.argmin(members[i]))].tolist()
            found[i] = self._excludes(targets[i], support, weak)
        return found

    def above(self, target: Vectors) -> FloatArray | None:
        """A point of the set, (D,), at which the target last asked for seems to be positive, if one was met."""
        y = self._work.trial
        seen = (self.rows.rows[self.signs > 0] @ y > 0).all() and target.rows[0] @ y > 0
        return y.copy() if seen else None

    def _excludes(self, target: Form, support: Sequence[int], weak: bool) -> bool:
        """Whether −target is just one sum of these forms with positive weights, and a multiple of the plane, exactly."""
        plane = [self.plane] if self.plane else []
        found = dependency([target, *(self.forms[k] for k in support), *plane])
        if not found or found[0] <= 0 or min(found[1 : len(support) + 1], default=0) < 0:
            return False
        return weak or any(self.strict[k] and z > 0 for k, z in zip(support, found[1:], strict=False))
