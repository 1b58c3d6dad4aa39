"""Open polyhedra, also in a hyperplane: which signs do forms take on them? In floats with bounds on errors, else exactly."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from lpnet.exact import UNIT_ROUNDOFF, FloatArray, Form, Point, integers, primitive, times, value
from lpnet.programs import Certificate, SignProgram
from lpnet.programs.below import Cone, Vectors, vectors


class Table:
    """Forms as vectors, each made once."""

    def __init__(self, inputs: int) -> None:
        self.size = inputs + 1
        self._known: dict[Form, tuple[FloatArray, FloatArray]] = {}

    def rows(self, forms: Sequence[Form]) -> Vectors:
        """The vectors of these forms, none of them 0."""
        new = [form for form in dict.fromkeys(forms) if form not in self._known]
        if new:
            made = vectors(new, range(self.size))
            self._known |= zip(new, zip(made.rows, made.off, strict=True), strict=True)
        if not forms:
            return Vectors(np.zeros((0, self.size)), np.zeros((0, self.size)))
        rows, off = zip(*(self._known[form] for form in forms), strict=True)
        return Vectors(np.array(rows), np.array(off))


@dataclass(frozen=True, eq=False)
class Region:
    """{x: h(x) > 0 for all forms h, and g(x) = 0 for the plane g if there is one}, known to have a point.

    forms: the constant 1 is one of them; rows: the same as vectors, on the plane; y: a point in floats, in their coordinates,
    certainly inside; None: it is known exactly only, as `exact`.
    """

    table: Table
    forms: tuple[Form, ...]
    rows: Vectors
    plane: Form | None
    y: FloatArray | None
    exact: Point | None = None

    @classmethod
    def of(cls, table: Table, walls: Sequence[Form], at: Point) -> "Region":
        """{h > 0 for the walls}, with a point of it."""
        forms = (*walls, (0,) * (table.size - 1) + (1,))
        return placed(cls(table, forms, table.rows(forms), None, None), at)

    @cached_property
    def _cone(self) -> Cone | None:
        if self.y is None:
            return None
        return Cone(self.forms, self.rows, np.ones(len(self.forms), dtype=bool), self.y, self.plane)

    def reduced(self, forms: Sequence[Form]) -> Vectors:
        """Forms as vectors on the plane."""
        rows = self.table.rows(forms)
        return rows.within(self.table.rows([self.plane])) if self.plane else rows

    @cached_property
    def at(self) -> Point:
        """A point inside, exactly."""
        return self.exact or self._exactly(self.y)

    def _exactly(self, y: FloatArray | None) -> Point:
        """The point with these coordinates."""
        assert y is not None
        whole = integers(y)[0].tolist()
        if self.plane:
            dropped = int(np.argmax(np.abs(self.table.rows([self.plane]).rows[0])))
            whole.insert(dropped, 0)
            rest, own = value(self.plane, whole), self.plane[dropped]
            whole = [entry * abs(own) for entry in whole]
            whole[dropped] = -rest if own > 0 else rest
        return primitive(whole)

    def cut(self, form: Form, row: Vectors, y: FloatArray | None, exact: Point | None) -> "Region":
        """Where a form is positive, too, with a point of that."""
        rows = Vectors(np.vstack([self.rows.rows, row.rows]), np.vstack([self.rows.off, row.off]))
        return Region(self.table, (*self.forms, form), rows, self.plane, y, exact)

    def split(self, open_: dict[Form, None], known: dict[Form, int]) -> "Split | None":
        """Forms that are not constant on it, with both signs: the first one, and the two parts; None if none has both.

        Notes the signs of those that have one in `known`, and takes them out of `open_`.
        """
        forms = list(open_)
        rows = self.reduced(forms)
        sides = self._sides_here(rows, forms)
        if self._cone:
            turned = [times(-side, form) for side, form in zip(sides.tolist(), forms, strict=True)]
            factor = -sides[:, None].astype(float)
            sure = self._cone.negative(turned, Vectors(rows.rows * factor, rows.off), weak=True)
        else:
            sure = np.zeros(len(forms), dtype=bool)
        for form, side, certain in zip(forms, sides.tolist(), sure.tolist(), strict=True):
            if certain and side:
                known[form] = side
                del open_[form]
        for k in np.flatnonzero(~sure | (sides == 0)).tolist():
            form, row, side = forms[k], rows.take([k]), int(sides[k])
            parts = {s: self._part(form, row, s, s == side) for s in (1, -1)}
            del open_[form]
            if parts[1] and parts[-1]:
                return Split(form, parts[1], parts[-1])
            known[form] = 1 if parts[1] else -1
        return None

    def _sides_here(self, rows: Vectors, forms: Sequence[Form]) -> NDArray[np.int64]:
        """The signs of forms at the point, 0 where they are 0 or floats do not tell."""
        if self.y is None:
            return np.array([np.sign(value(form, self.at)) for form in forms], dtype=np.int64)
        return signs_at(rows, self.y)

    def _part(self, form: Form, row: Vectors, side: int, here: bool) -> "Region | None":
        """Where a form has a sign; here: whether it has it at the point."""
        own, turned = times(side, form), row.times(float(side))
        if here:
            return self.cut(own, turned, self.y, self.exact)
        if self._cone:
            self._cone.negative([own], turned, weak=True)
            y = self._cone.above(turned)
            if y is not None and signs_at(turned, y)[0] > 0 and (signs_at(self.rows, y) > 0).all():
                return self.cut(own, turned, y, None)
        at = SignProgram([*self.forms, form], self.table.size - 1).decide([1] * len(self.forms) + [side], self.plane)
        return None if isinstance(at, Certificate) else placed(self.cut(own, turned, None, None), at)


@dataclass(frozen=True, eq=False)
class Split:
    """A region cut by a form, and its parts."""

    form: Form
    positive: Region
    negative: Region

    def wall(self, region: Region) -> Region:
        """What the cut itself is, where the region has no plane: {form = 0} in it."""
        table, rows = region.table, region.rows.within(region.table.rows([self.form]))
        return placed(Region(table, region.forms, rows, self.form, None), self.between())

    def between(self) -> Point:
        """A point of the region on the cut."""
        p, q = self.positive.at, self.negative.at
        a, b = value(self.form, p), -value(self.form, q)
        return primitive([b * x + a * z for x, z in zip(p, q, strict=True)])


def placed(region: Region, at: Point) -> Region:
    """The region with this point of it."""
    y = np.array([entry / at[-1] for entry in at[:-1]] + [1.0]) if max(map(abs, at)).bit_length() < 1000 else None
    if y is not None and region.plane:
        y = np.delete(y, int(np.argmax(np.abs(region.table.rows([region.plane]).rows[0]))))
    certain = y is not None and (signs_at(region.rows, y) > 0).all()
    return replace(region, y=y if certain else None, exact=at)


def signs_at(rows: Vectors, y: FloatArray) -> NDArray[np.int64]:
    """The signs of vectors at a point, 0 where they may be either."""
    size = np.abs(y)
    values = rows.rows @ y
    error = rows.off @ size + 4 * (len(y) + 2) * UNIT_ROUNDOFF * (np.abs(rows.rows) @ size)
    return np.where(np.abs(values) > 2 * error, np.sign(values), 0).astype(np.int64)
