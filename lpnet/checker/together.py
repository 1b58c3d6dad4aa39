"""Leaves of a tree that are looked at together, in floats whose errors are bounded; what these do not settle is asked alone.

Boxes are those of `relaxed`, one below the other: all at one depth are cut at once.
"""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from lpnet.checker.deep_form import DeepForm
from lpnet.checker.question import Form, times
from lpnet.checker.relaxed import TINY, Boxes, Floats, Relaxation, U, bounded

ENTRIES = 1 << 18  # of the units of leaves that are looked at in one go
NO_CONTRADICTION, TELLS_NOTHING = "the rows that it names do not exclude its signs", "it names a row that tells nothing there"
Relation = Callable[[list[Form]], list[int] | None]


class Rows(Protocol):
    """The z_k of a level, or the inequalities and 1: in integers and in floats, each divided by a power of two."""

    rows: list[Form]

    @property
    def floats(self) -> Floats:
        """In floats."""
        ...


class Contradiction(NamedTuple):
    """d + 2 rows that are said to exclude their signs, no scores; signs: of all rows (bytes); tables: of the levels known."""

    leaf: int
    named: list[int]
    signs: bytes
    tables: tuple[Rows, ...]


class Kept(NamedTuple):
    """A leaf on which f, or a score, is said to have one sign, or one of those.

    tables: the z_k of the levels known; signs: of all units; columns: rows ≥ 0 there.
    """

    leaf: int
    box: int
    tables: list[Floats]
    signs: bytes
    columns: list[Floats]
    score: int | None
    sides: Sequence[int]


class Outside(NamedTuple):
    """A leaf whose row is said to be negative all over a box."""

    leaf: int
    box: int
    row: Floats


class Together:
    """What is to be looked at, and the boxes that it is about: those known, and parents and rows of those to be cut."""

    def __init__(self, form: DeepForm, first_wall: int, always: Rows) -> None:
        self.form, self.first_wall, self.always = form, first_wall, always
        self.contradictions: list[Contradiction] = []
        self.kept: list[Kept] = []
        self.outside: list[Outside] = []
        self.boxes = Boxes(np.zeros((0, 0)), np.zeros((0, 0)))
        self.cuts: list[tuple[int, int, Floats]] = []  # depth, parent and row

    @cached_property
    def relaxation(self) -> Relaxation:
        """The relaxation of the form. ValueError where its domain has no bounds."""
        return Relaxation(self.form)

    @property
    def root(self) -> int:
        """The number of the domain's box."""
        if not len(self.boxes.low):
            self.boxes = self.relaxation.box
        return 0

    def cut(self, parent: int, row: Floats, depth: int) -> int:
        """The number of a box cut by a row ≥ 0; depth: more than that of the parent."""
        self.cuts.append((depth, parent, row))
        return len(self.boxes.low) + len(self.cuts) - 1

    def wrong(self, boxes: Sequence[int], relation: Relation) -> tuple[int, str] | None:
        """The first leaf that is not as it should be, and why; of the boxes keep these, numbered anew in this order.

        relation: solves for the multipliers of a contradiction in integers, None where there are none.
        """
        self.cut_boxes()
        found = [*self.wrong_contradictions(relation), *self.wrong_outside(), *self.wrong_kept()]
        self.contradictions, self.outside, self.kept = [], [], []
        self.boxes = self.boxes.of(list(boxes))
        return min(found, default=None)

    def cut_boxes(self) -> None:
        """The bounds of all boxes: depth by depth."""
        known = len(self.boxes.low)
        low, high = (np.concatenate([end, np.zeros((len(self.cuts), end.shape[1]))]) for end in self.boxes)
        by_depth: dict[int, list[int]] = {}
        for number, (depth, _, _) in enumerate(self.cuts):
            by_depth.setdefault(depth, []).append(number)
        for _, numbers in sorted(by_depth.items()):
            parents = [self.cuts[number][1] for number in numbers]
            rows = np.array([self.cuts[number][2] for number in numbers])
            at = known + np.array(numbers)
            low[at], high[at] = Boxes(low[parents], high[parents]).cut(rows)
        self.boxes, self.cuts = Boxes(low, high), []

    def wrong_contradictions(self, relation: Relation) -> list[tuple[int, str]]:
        """Leaves that are not empty by their rows."""
        step = max(1, 4 * ENTRIES // (self.first_wall + len(self.always.rows)))
        parts = (self.contradictions[start : start + step] for start in range(0, len(self.contradictions), step))
        return [one for part in parts for one in self.wrong_of(part, relation)]

    def wrong_of(self, part: list[Contradiction], relation: Relation) -> list[tuple[int, str]]:
        """Those among some."""
        tables = {id(table): table for one in part for table in one.tables}
        sizes = [len(table.rows) for table in (self.always, *tables.values())]
        places = self.places(part, dict(zip(tables, np.cumsum(sizes).tolist(), strict=False)))
        rows = np.concatenate([table.floats for table in (self.always, *tables.values())])
        named = np.array([one.named for one in part])
        turns = np.take_along_axis(signs_of(part), named, axis=1)
        at = np.take_along_axis(places, named, axis=1)
        tell = ((turns != 0) & np.asarray(rows.any(axis=1))[at]).all(axis=1)
        found = [(part[k].leaf, TELLS_NOTHING) for k in np.flatnonzero(~tell)]
        fine = ~tell | exclude(rows[at] * turns[:, :, None])
        if not fine.all():
            exact = [*self.always.rows, *(row for table in tables.values() for row in table.rows)]
            for k in np.flatnonzero(~fine):
                if not relation([times(int(turn), exact[place]) for turn, place in zip(turns[k], at[k], strict=True)]):
                    found.append((part[k].leaf, NO_CONTRADICTION))
        return found

    def places(self, part: list[Contradiction], first: dict[int, int]) -> NDArray[np.int64]:
        """Where the rows of each leaf are, one after the other: inequalities and 1 first, then tables from these places on."""
        units = np.array([k - level.start for level in self.form.levels for k in level], dtype=np.int64)
        contexts = {id(one.tables): one.tables for one in part}
        known = {name: [first[id(table)] for table in tables] for name, tables in contexts.items()}
        missing = len(self.form.levels)
        starts = np.array([known[id(one.tables)] + [0] * (missing - len(one.tables)) for one in part])
        of_units = np.repeat(starts, list(map(len, self.form.levels)), axis=1) + units
        others = np.zeros((len(part), self.first_wall - len(units)), dtype=np.int64)
        walls = np.broadcast_to(np.arange(len(self.always.rows)), (len(part), len(self.always.rows)))
        return np.concatenate([of_units, others, walls], axis=1)

    def wrong_outside(self) -> list[tuple[int, str]]:
        """Leaves whose box has points with their signs, perhaps."""
        if not self.outside:
            return []
        rows = np.array([one.row for one in self.outside])
        fine = self.boxes.of([one.box for one in self.outside]).exclude(rows)
        return [(self.outside[k].leaf, "the box does not exclude it") for k in np.flatnonzero(~fine)]

    def wrong_kept(self) -> list[tuple[int, str]]:
        """Leaves on which f may change its sign."""
        found, groups = list[tuple[int, str]](), dict[tuple[int, int | None], list[Kept]]()
        for one in self.kept:
            groups.setdefault((len(one.tables), one.score), []).append(one)
        for (_, score), group in groups.items():
            most = max(1, ENTRIES // (len(self.form.affine) * (1 + len(self.form.units))))
            for start in range(0, len(group), most):
                part = group[start : start + most]
                fine = self.bounds(part, score)
                found += [(part[k].leaf, "the rows that it names do not bound f") for k in np.flatnonzero(~fine)]
        return found

    def bounds(self, part: Sequence[Kept], score: int | None) -> NDArray[np.bool_]:
        """Of which leaves, known to the same level, the bound holds."""
        size = self.boxes.low.shape[1]
        boxes = self.boxes.of([one.box for one in part])
        known = np.array([np.concatenate(one.tables) for one in part]) if part[0].tables else np.zeros((len(part), 0, size))
        columns = np.zeros((len(part), max(len(one.columns) for one in part), size))
        for place, one in zip(columns, part, strict=True):
            if one.columns:
                place[: len(one.columns)] = one.columns
        units = self.relaxation.units(known, signs_of(part)[:, : len(self.form.units)], boxes)
        fine = np.zeros(len(part), dtype=bool)
        for side in (1, -1):
            left = np.array([k for k, one in enumerate(part) if side in one.sides and not fine[k]], dtype=int)
            if len(left):
                low, up, error = (bound[left] for bound in units)
                base, off = self.relaxation.above(side, low, up, error, boxes.of(left), score)
                fine[left] = bounded(base, off, columns[left], boxes.of(left))
        return fine


def signs_of(part: Sequence[Contradiction] | Sequence[Kept]) -> NDArray[np.int8]:
    """The signs of all rows on each leaf."""
    return np.frombuffer(b"".join(one.signs for one in part), dtype=np.int8).reshape(len(part), -1)


def exclude(rows: Floats) -> NDArray[np.bool_]:
    """For which n + 1 vectors in R^n, off by U of each entry or TINY, floats show 0 = Σ z_i v_i, all z_i > 0.

    (N, n + 1, n) → (N,). Let z_0 = 1, W be the other vectors, R about their inverse, z about −v_0 R. If all columns of |1 − WR|
    have sums ≤ q < 1 then W has an inverse, and the solution is off z by at most max |(v_0 + zW) R| / (1 − q) (Rump 2010,
    §10.8).
    """
    size = rows.shape[-1]
    first, rest = rows[:, :1], rows[:, 1:]
    with np.errstate(all="ignore"):
        regular = np.isfinite(rest).all(axis=(1, 2)) & (np.linalg.det(rest) != 0)
        one, eps = np.eye(size), 2 * (size + 6) * U
        inverse = np.linalg.inv(np.where(regular[:, None, None], rest, one))
        z, far = -first @ inverse, np.abs(inverse)
        defect = np.abs(one - rest @ inverse) + eps * (one + np.abs(rest) @ far) + size * TINY * (1 + far.sum(1, keepdims=True))
        rest_of = np.abs(first + z @ rest) + eps * (np.abs(first) + np.abs(z) @ np.abs(rest))
        rest_of += size * TINY * (1 + np.abs(z).sum(2, keepdims=True))
        off = 2.1 * (rest_of @ far).max(axis=(1, 2)) + TINY
        small = defect.sum(axis=1).max(axis=1) < 0.5
        return np.asarray(regular & small & (z.min(axis=(1, 2)) > off))
