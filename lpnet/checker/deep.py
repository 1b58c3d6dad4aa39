"""A proof of version 3: the nodes of a tree over the signs of the units of a network of any depth, and what its leaves say."""

from array import array
from collections.abc import Sequence
from functools import cached_property
from typing import Any, TypeAlias

from flint import fmpz_mat

from lpnet.checker.deep_form import DeepForm, combined, proportion
from lpnet.checker.question import Form, Point, Refuted, primitive, sign, times
from lpnet.checker.relaxed import Floats, divided, shifts
from lpnet.checker.together import NO_CONTRADICTION, TELLS_NOTHING, Contradiction, Kept, Outside, Together
from lpnet.checker.work import TooMuch, Work, products

UNIT, REPEAT, EMPTY, NOT_NEGATIVE, NEGATIVE, TOUCHING, OPEN, OUTSIDE, KEEPS, ALIKE = range(10)
SPLIT = 16  # + 2 · row, + 1 where the positive side comes first
BOUNDS = (NOT_NEGATIVE, NEGATIVE)
WITH_ROWS = (EMPTY, TOUCHING, KEEPS, *BOUNDS)
Signs: TypeAlias = Any  # an array of 8 bits each, array("b")
Empty = tuple[tuple[Form, int, bool], ...]  # rows with their signs, their multipliers, and whether they are > 0


class Table:
    """The z_k of one level on one cell of the levels before, in floats where wanted, and the circuits found to hold there."""

    def __init__(self, rows: list[Form], shifts: Sequence[int]) -> None:
        self.rows, self.shifts, self.circuits = rows, shifts, set[tuple[int, ...]]()
        self.units: Floats | None = None  # as `Relaxation.of_units`

    @cached_property
    def floats(self) -> Floats:
        """The rows, each divided by a power of two."""
        return divided(self.rows, self.shifts)


class DeepTree:
    """Where one is in the tree, and what is known there: signs and rows of the units, levels unfolded, a box.

    Rows are numbered: the units, the scores of the form, which nodes may be split on, too, the walls and 1.
    most: how many steps unfolding may take; see `lpnet.checker.work`; ties: whether a score that is not negative may be 0.
    """

    def __init__(self, form: DeepForm, work: Work, most: float, ties: bool = False) -> None:
        self.form, self.work, self.most, self.m = form, work, most, len(form.units)
        self.own, self.ties, self.shifts = 0, ties, shifts(form)
        self.heard: list[Empty] | None = None  # what was shown to be empty, for somebody who listens
        one = (0,) * (len(form.affine) - 1) + (1,)
        self.walls: list[Form] = [*form.walls, one]
        self.first_wall = self.m + len(form.scores)
        self.constant = self.first_wall + len(form.walls)
        self.none = self.constant + 1 + self.m
        self.signs: Signs = array("b", [0] * self.first_wall + [1] * len(self.walls))
        self.reads = [[k for k, w in enumerate(weights) if w] for _, weights in form.scores]
        self.level_of = [number for number, level in enumerate(form.levels) for _ in level]
        self.free = list(map(len, form.levels))
        self.tables: list[Table] = []
        self.context: tuple[Table, ...] = ()  # the same
        self.always = Table(self.walls, self.shifts)  # what is the same everywhere
        self.rows: list[Form] = []  # of all units of the levels that are unfolded
        self.settled: list[list[int]] = []  # the units of a level that are constant on the cell of its table
        self.path: list[list[int]] = []  # row, side, whether the other one is still to come, whether the box knows the side
        self.boxes: list[int] = []  # at the first nodes of the path, as `together` numbers them
        self.together = Together(form, self.first_wall, self.always)
        self.later = False  # whether leaves may be looked at together, in `settle`
        self.halfspaces: dict[Form, int] = {}
        self.repeats: set[Form] = set()
        self.nodes = self.leaves = 0
        self.stopped = self.done = False
        self.open = 0.0
        self.unfold()

    def spend(self, steps: int) -> None:
        """Count steps that the size of the network explains."""
        self.own += steps
        if self.own > self.most:
            raise TooMuch("it asks for more work than a file of its size should")
        self.work.spend(steps, False)

    def unfold(self) -> None:
        """The rows of the levels that are known now; the sign of a unit that is constant there is known, too."""
        while len(self.tables) < len(self.form.levels) and not any(self.free[: len(self.tables)]):
            level = len(self.tables)
            self.spend(self.form.steps[level])
            table = Table(self.form.unfold(level, self.signs, self.rows), self.shifts)
            constant = []
            for k, row in zip(self.form.levels[level], table.rows, strict=True):
                if not any(row[:-1]):
                    self.signs[k] = 1 if row[-1] > 0 else -1
                    constant.append(k)
            self.free[level] -= len(constant)
            self.tables.append(table)
            self.settled.append(constant)
            self.rows += table.rows
            self.context = tuple(self.tables)

    def fold(self, levels: int) -> None:
        """Forget the rows of all levels but so many."""
        while len(self.tables) > levels:
            self.tables.pop()
            constant = self.settled.pop()
            self.free[len(self.tables)] += len(constant)
            for k in constant:
                self.signs[k] = 0
        del self.rows[self.form.levels[levels].start :]
        self.context = tuple(self.tables)

    def split(self, row: int, side: int) -> None:
        """Go down to one side of a row."""
        told = row >= self.first_wall or self.signs[row]
        if told or (row < self.m and (len(self.rows) <= row or not any(self.rows[row][:-1]))):
            raise Refuted(f"node {self.nodes}: row {row} is not one to be split on there")
        self.path.append([row, side, 1, 0])
        self.go(row, side)

    def go(self, row: int, side: int) -> None:
        """Fix the sign of a row."""
        self.signs[row] = side
        if row < self.m:
            level = self.level_of[row]
            self.free[level] -= 1
            if not self.free[level]:
                self.unfold()

    def back(self) -> None:
        """To the next node after a leaf."""
        while self.path:
            row, side, first, known = self.path[-1]
            del self.boxes[len(self.path) :]
            if row < self.m:
                level = self.level_of[row]
                if len(self.tables) > level + 1:
                    self.fold(level + 1)
                self.free[level] += 1
            self.signs[row] = 0
            if first:
                self.path[-1] = [row, -side, 0, known]
                self.go(row, -side)
                return
            self.path.pop()
        self.done = True

    @property
    def full(self) -> bool:
        """Whether all units have signs."""
        return not any(self.free)

    @property
    def share(self) -> float:
        """The share of the tree that is behind, about."""
        passed = (0.5 ** (depth + 1) for depth, (_, _, first, _) in enumerate(self.path[:40]) if not first)
        return float(self.done) + sum(passed)

    def row(self, number: int) -> Form:
        """A row by its number."""
        if number < self.m:
            return self.rows[number]
        if number >= self.first_wall:
            return self.walls[number - self.first_wall]
        self.work.spend(20 + len(self.reads[number - self.m]) * len(self.form.affine) * (1 + self.form.bits // 3000))
        return self.form.output(self.signs, self.rows, number - self.m)

    def bends(self, number: int) -> bool:
        """Whether a row is a score that depends on units."""
        return self.m <= number < self.first_wall and bool(self.reads[number - self.m])

    def tells(self, number: int) -> bool:
        """Whether a row and its sign are known: what is 0 all over a cell is neither positive nor negative there.

        Only of scores with ties a sign of + says no more than ≥ 0.
        """
        if number > self.constant or not self.signs[number]:
            return False
        if number < self.m:
            return any(self.rows[number])
        if self.bends(number) and not all(self.signs[k] for k in self.reads[number - self.m]):
            return False
        return self.ties or self.signs[number] < 0 or any(self.row(number))

    def strict(self, number: int) -> bool:
        """Whether a row is > 0, not only ≥ 0, with its sign at all points that a claim of two decisions speaks of."""
        return number >= self.first_wall or (number >= self.m and self.signs[number] < 0)

    def signed(self, number: int) -> Form:
        """A row with its sign: it is > 0 on the node."""
        return times(self.signs[number], self.row(number))

    def box(self, depth: int) -> int:
        """The box around the node at a depth of the path."""
        if not self.boxes:
            self.boxes.append(self.together.root)
        for row, side, _, known in self.path[len(self.boxes) - 1 : depth]:
            before, free = self.boxes[-1], known or self.bends(row)
            cut = before if free else self.together.cut(before, side * self.floats(row), len(self.boxes))
            self.boxes.append(cut)
        return self.boxes[depth]

    def floats(self, number: int) -> Floats:
        """A row in floats."""
        if number < self.m:
            level = self.level_of[number]
            return self.tables[level].floats[number - self.form.levels[level].start]
        if number >= self.first_wall:
            return self.always.floats[number - self.first_wall]
        return divided([self.row(number)], self.shifts)[0]

    def settle(self) -> tuple[int, str] | None:
        """The first leaf that is not as it should be, of those not looked at yet, and why."""
        found, self.boxes = self.together.wrong(self.boxes, self.relation), [*range(len(self.boxes))]
        return found

    @property
    def reason(self) -> str | None:
        """Why what was last left to be looked at together is not so, where that cannot wait."""
        found = None if self.later else self.settle()
        return found and found[1]

    # --- leaves

    def empty(self, named: list[int]) -> str | None:
        """Why the rows named do not contradict each other: 0 = Σ z_j σ_j h_j, z_j ≥ 0 not all 0, of strict inequalities.

        Where scores are among them, which may be 0, one of the z_j > 0 has to belong to a row that may not.
        """
        if self.later and self.heard is None and len(named) == len(self.form.affine) + 1 and not self.has_scores(named):
            self.work.spend(20 + len(named) ** 3)
            self.together.contradictions.append(Contradiction(self.leaves, named, self.signs.tobytes(), self.context))
            return None
        if not named or not all(map(self.tells, named)):
            return TELLS_NOTHING
        level = max((self.level_of[k] for k in named if k < self.m), default=-1)
        circuits = (self.tables[level] if level >= 0 else self.always).circuits
        scores = [k for k in named if self.m <= k < self.first_wall]
        turn = self.signs[named[0]] if max(named) < self.m else 1
        key = (*named, *(turn * self.signs[k] for k in named))
        kept = not any(map(self.bends, scores))  # else it holds under these signs of all units only
        if kept and key in circuits:
            return None
        z = self.relation([self.signed(k) for k in named])
        if z is None:
            return NO_CONTRADICTION
        used = [k for k, entry in zip(named, z, strict=True) if entry]
        if self.ties and any(k in scores for k in used) and not any(map(self.strict, used)):
            return "what it names may hold on a border"
        if kept:
            circuits.add(key)
        if self.heard is not None:
            pairs = ((k, entry) for k, entry in zip(named, z, strict=True) if entry and k < self.constant)
            self.heard.append(
                tuple((self.signed(k), entry, not self.ties or not scores or self.strict(k)) for k, entry in pairs)
            )
        return None

    def has_scores(self, named: list[int]) -> bool:
        """Whether there are scores among some rows, or what is no row."""
        return max(named) > self.constant or any(self.m <= k < self.first_wall for k in named)

    def relation(self, vectors: list[Form]) -> list[int] | None:
        """The one relation of vectors, its first number not 0 positive, if all of its numbers are ≥ 0; else None."""
        size, count = len(vectors[0]), len(vectors)
        if count > size + 1:  # more than one relation
            return None
        long = self.form.bits * min(size, count)
        self.work.spend(20 + count * size * min(count, size) * (1 + long * long // 6_000_000))
        kernel, nullity = fmpz_mat(vectors).transpose().nullspace()
        if nullity != 1:
            return None
        z = [int(kernel[j, 0]) for j in range(count)]
        if next((entry for entry in z if entry), 0) < 0:
            z = [-entry for entry in z]
        return None if any(entry < 0 for entry in z) else z

    def not_bounded(self, side: int, named: list[int], full: Sequence[int], score: int | None = None) -> str | None:
        """Why side · f ≤ 0 does not follow on a node of the last level, with room for no piece where side > 0.

        Of a score, whose sign is known: why it cannot have the other one, which is side · score ≤ 0, or < 0 if it may be 0.
        """
        form, last = self.form, self.form.levels[-1]
        weights = form.weights if score is None else form.scores[score][1]
        if len(self.tables) < len(form.levels):
            return "it bounds f, of which the last level is not known there"
        free = [k for k in last if not self.signs[k]]
        if any(weights[k] * side > 0 for k in free):
            return "a unit that is free may bend f beyond its bound"
        shares = [number - self.constant - 1 for number in named if number > self.constant]
        named = [number for number in named if number <= self.constant]
        if not all(map(self.tells, named)) or any(self.signs[k] for k in [*shares, *full]) or set(shares) & set(full):
            return TELLS_NOTHING
        self.work.spend(20 + self.m * len(form.affine) * (1 + form.bits // 3000))
        base = times(side, form.output(self.signs, self.rows, score))
        base = combined(base, [-abs(weights[k]) for k in full], [self.rows[k] for k in full])
        parts = [times(-abs(weights[k]), self.rows[k]) for k in shares]
        z = self.relation([base, *map(self.signed, named), *parts])
        if z is None or not z[0] or any(z[0] < entry for entry in z[1 + len(named) :]):
            return "the rows that it names do not bound f"
        used = [number for number, entry in zip(named, z[1:], strict=False) if entry]
        if score is not None:
            fine = side < 0 or any(map(self.strict, used)) or (not self.ties and used)  # > 0 off their hyperplanes
            return None if fine else "what it names may hold on a border"
        if side > 0 and len(used) < 2 and not any(number >= self.first_wall for number in used):
            return "f may vanish on a hyperplane"
        return None

    def not_kept(self, named: list[int], score: int | None = None) -> str | None:
        """Why f does not keep one sign, and is not 0, on a node and its border, by a bound over its box.

        Of a score, whose sign is known: why it may have it there.
        """
        if not all(map(self.tells, named)) or any(map(self.bends, named)):
            return TELLS_NOTHING
        box, size, known = self.box(len(self.path)), len(self.form.affine), len(self.rows)
        self.work.spend(1000 + 2 * (known + len(named)) * size)
        self.spend(sum(len(level) * (level.start + 1) * size for level in self.form.levels) // 4)
        for table, level in zip(self.tables, self.form.levels, strict=False):
            if table.units is None:
                table.units = self.together.relaxation.of_units(level.start, table.rows)
        columns = [self.signs[k] * self.floats(k) for k in named]
        tables = [table.units for table in self.tables if table.units is not None]
        sides = (1, -1) if score is None else (self.signs[self.m + score],)
        self.together.kept.append(Kept(self.leaves, box, tables, self.signs.tobytes(), columns, score, sides))
        return self.reason

    def not_outside(self) -> str | None:
        """Why the box of the node before does not exclude the sign of the row that was split last."""
        if not self.path:
            return "the root is no child"
        row, side, *_ = self.path[-1]
        if self.bends(row):
            return "its row is none of the inputs alone"
        box = self.box(len(self.path) - 1)
        self.work.spend(200)
        self.together.outside.append(Outside(self.leaves, box, side * self.floats(row)))
        why = self.reason
        if not why:
            self.path[-1][3] = 1  # and a cut would leave it as it is
        return why

    def f(self) -> Form:
        """f on the cell, c."""
        self.work.spend(20 + self.m * len(self.form.affine) * (1 + self.form.bits // 3000))
        return self.form.output(self.signs, self.rows)

    def not_touching(self, unit: int) -> str | None:
        """Why c < 0 does not touch 0 on the hyperplane of a unit, with f < 0 beyond."""
        c = self.f()
        if unit >= self.m or not any(c[:-1]) or proportion(self.rows[unit], c) != -self.signs[unit]:
            return "f is not negative up to the hyperplane of its unit"
        self.spend(sum(self.form.steps))
        other, _ = self.form.beyond(c, self.signs, self.rows)
        return None if any(other) and proportion(other, c) < 0 else "f is not negative beyond the hyperplane of its unit"

    def not_needed(self, c: Form, a: Point, b: Point) -> str | None:
        """Why two points do not show that {c ≥ 0} is needed; None if they do."""
        size = len(self.form.affine)
        if any(len(at) != size or at[-1] <= 0 for at in (a, b)):
            return "its points are not two points"
        rows = fmpz_mat([*self.rows, *self.form.walls, c])
        values = (rows * fmpz_mat([list(pair) for pair in zip(a, b, strict=True)])).tolist()
        below, above = values.pop()
        if any(x <= 0 for pair in values[self.m :] for x in pair):
            return "a point lies outside the domain"
        if below >= 0 or above <= 0:
            return "f is not negative at the first point and positive at the second"
        kinks = False
        for k, (row, (x, y)) in enumerate(zip(self.rows, values[: self.m], strict=True)):
            wanted = self.signs[k]
            if sign(x) == wanted == sign(y):
                continue
            if not any(row):
                continue
            if sign(x) != wanted:
                return f"unit {k} is not as its pattern says at the first point"
            if not proportion(row, c):
                return f"unit {k} changes sign between its points and is not proportional to f"
            kinks = True
        if kinks:
            self.spend(sum(self.form.steps))
            other, _ = self.form.beyond(c, self.signs, self.rows)
            if any(other) and proportion(other, c) <= 0:
                return "f is not ≥ 0 beyond the hyperplane"
        return None

    def unit(self, a: Point, b: Point) -> str | None:
        """Why the cell of a leaf does not give the next half-space."""
        c = self.f()
        long = max((abs(x).bit_length() for x in (*a, *b)), default=1)
        entries = (self.m + len(self.form.walls) + 1) * len(c)
        self.work.spend(20 + products(2 * entries, self.form.bits, long) + products(len(c), self.form.bits, self.form.bits))
        if not any(c[:-1]):
            return "f is constant on its cell"
        h = primitive(c)
        if h in self.halfspaces:
            return f"half-spaces {self.halfspaces[h]} and {len(self.halfspaces)} are the same"
        self.halfspaces[h] = len(self.halfspaces)
        return self.not_needed(c, a, b)

    def repeat(self) -> str | None:
        """Why the cell of a leaf can have no half-space; whether that is one of the rows' is asked at the end."""
        c = self.f()
        self.work.spend(products(len(c), self.form.bits, self.form.bits))
        if not any(c[:-1]):
            return "f is constant on its cell"
        self.repeats.add(primitive(c))
        return None
