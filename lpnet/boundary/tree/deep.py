"""The tree engine for networks of several hidden layers: cells level by level, the pieces on the last one."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lpnet.boundary.pieces import Pieces
from lpnet.boundary.subsets import decide, sign_program
from lpnet.boundary.tree.deep_kernel import CHECK, DECIDE, DONE, SETTLE, UNFOLD, explore, place, settle_constants
from lpnet.boundary.tree.nodes import CHECK as CIRCUIT
from lpnet.boundary.tree.nodes import Problem, empty_result
from lpnet.boundary.tree.problem import Leaf, one_sign, rounded, with_largest
from lpnet.compiled import ready
from lpnet.exact import UNIT_ROUNDOFF, FloatArray, Form, Point, add, balance, independent_inputs, times, to_floats
from lpnet.networks import Domain, ExactForm
from lpnet.networks.domain import Polyhedron
from lpnet.programs import Certificate, SignProgram
from lpnet.programs.certain_kernel import TINY, inside
from lpnet.programs.cone_kernel import workspace
from lpnet.programs.stems import dependency
from lpnet.watch import Watch

STEPS = 1 << 13
AT_ONCE = 1 << 12  # pieces
SEED = 2016
Signs = NDArray[np.int8]


class Net(NamedTuple):
    """The units for the kernel, scaled by powers of two to a size of about 1, in D homogeneous coordinates.

    start: the first unit of each level, and their number; place: the row of each unit; base: a_k, and what underflow took of it
    (m, D); link_start, link_unit, link_factor: the C_kj of unit k are those from link_start[k] on; weight: w_k; output: l, and
    what underflow took of it; raw, error: z_k on the cell of the node on top of the stack, and what it may be off by (m, D);
    constant: whether it is constant there; magnitude: for the kernel to write on.
    """

    start: NDArray[np.int64]
    place: NDArray[np.int64]
    base: FloatArray
    lost: FloatArray
    link_start: NDArray[np.int64]
    link_unit: NDArray[np.int64]
    link_factor: FloatArray
    weight: FloatArray
    output: FloatArray
    output_lost: FloatArray
    raw: FloatArray
    error: FloatArray
    constant: NDArray[np.bool_]
    magnitude: FloatArray


class Stack(NamedTuple):
    """Nodes: the signs that rows must have, the units' signs (0: open), a point, one where f > 0 or NaN; the level, how often
    the tree has forked; whether bounds of f were of no use; whether the level's rows are still to be unfolded.
    """

    signs: Signs
    pattern: Signs
    x: FloatArray
    above: FloatArray
    level: NDArray[np.int64]
    depth: NDArray[np.int64]
    kept: NDArray[np.bool_]
    fresh: NDArray[np.bool_]


class Found(NamedTuple):
    """Patterns of cells, and the share of the tree that is done (1,)."""

    patterns: Signs
    share: FloatArray


class DeepSearch:
    """Enumerates the pieces of a form of several levels on a domain, or (pieces=False) its cells, depth first."""

    def __init__(self, form: ExactForm, domain: Domain, pieces: bool = True) -> None:
        walls = domain.inequalities()
        kept = independent_inputs([form.affine, *form.units, *walls])
        self.form = form.each(lambda h: (*(h[j] for j in kept), h[-1]))
        self.walls = tuple((*(h[j] for j in kept), h[-1]) for h in walls)
        self.inputs, self.pieces = len(kept), pieces
        self.m = len(form.units)
        self.net, self.problem, self.scale, self.sizes = floats(self.form, self.walls, pieces)
        rows, size = self.problem.rows.shape
        self.work = workspace(rows, len(self.problem.turn), size)
        self.out = empty_result(1, len(self.problem.turn), size)
        self.stack, self.found = (
            empty_stack(self.m + 8, rows, self.m, size),
            Found(np.zeros((AT_ONCE, self.m), np.int8), np.zeros(1)),
        )
        self.state = np.zeros(6, np.int64)
        self.everywhere = sign_program(self.form, Polyhedron(self.inputs, self.walls))
        self.patterns: list[NDArray[np.uint8]] = []
        self.count, self.complete, self.exact = 0, True, 0
        self._tables: dict[int, tuple[bytes, list[Form]]] = {}
        self._programs: dict[int, tuple[bytes, SignProgram]] = {}

    def found_pieces(self) -> Pieces:
        """What the search has found, in lexicographic order."""
        packed = np.concatenate(self.patterns or [np.zeros((0, max(1, -(-self.m // 8))), np.uint8)])
        packed = packed[np.lexsort(packed.T[::-1])]
        patterns = np.unpackbits(packed, axis=1)[:, : self.m].astype(bool)
        return Pieces(patterns, None, int(self.state[2]) + self.exact, self.complete)

    def run(self, watch: Watch) -> None:
        """Search until nothing is left or the watch says stop."""
        arguments = self.problem, self.net, self.stack, self.found, self.out, self.work, self.state
        if not ready(lambda: watch(0.0, 0), (explore, *arguments, 0)):
            self.complete = False
            return
        self._plant()
        answers = {SETTLE: self._settle, UNFOLD: self._unfold, CHECK: self._check, DECIDE: self._decide}
        code = -1
        while code != DONE:
            code = explore(*arguments, STEPS)
            self._collect()
            if not watch(min(1.0, self.found.share[0]), self.count):
                self.complete = False
                return
            answers.get(code, lambda: None)()

    def _collect(self) -> None:
        """Take what the kernel has found."""
        self._emit(self.found.patterns[: self.state[1]])
        self.state[1] = 0

    def _emit(self, patterns: Signs) -> None:
        self.count += len(patterns)
        if len(patterns):
            self.patterns.append(np.packbits(patterns > 0, axis=1))

    def _plant(self) -> None:
        """The root: no sign fixed, a point inside the domain."""
        signs, pattern = np.zeros(len(self.problem.rows), np.int8), np.zeros(self.m, np.int8)
        signs[self.m :] = 1
        at = self.everywhere.decide([0] * self.m + [1] * len(self.walls)) if self.walls else (0,) * self.inputs + (1,)
        if not isinstance(at, Certificate):
            self._push(signs, pattern, 0, 0, at)
            if self.state[0]:
                self.stack.x[0] = self._generic(signs, self.stack.x[0])
                self.stack.fresh[0] = True

    def _generic(self, signs: Signs, x: FloatArray) -> FloatArray:
        """A point off special position: half of the way, or of length 1, in an arbitrary direction within the domain."""
        rows = self.problem.rows[self.m :]
        direction = np.random.default_rng(SEED).normal(size=len(x))
        slope, height = rows @ direction, rows @ x
        step = min(1.0, 0.5 * (height[slope < 0] / -slope[slope < 0]).min(initial=np.inf))
        moved = x + step * direction
        moved /= np.sqrt((moved**2).sum())
        return moved if inside(self.problem.rows, self.problem.off, signs, moved) else x

    def _push(self, signs: Signs, pattern: Signs, level: int, depth: int, at: Point) -> None:
        """A node with an exact point: onto the stack if its nearest float will do, else searched exactly."""
        x = to_ray(at, self.scale)
        if not inside(self.problem.rows, self.problem.off, signs, x):
            self._search_exactly(pattern)
            self.found.share[0] += 2.0**-depth
            return
        top = self.state[0]
        self.state[0] += 1
        self.stack.signs[top], self.stack.pattern[top], self.stack.x[top] = signs, pattern, x
        self.stack.above[top], self.stack.level[top], self.stack.depth[top] = np.nan, level, depth
        self.stack.kept[top] = self.stack.fresh[top] = False

    def _pop(self) -> tuple[Signs, Signs, int, int]:
        """The node on top, taken off: its signs, pattern, level and depth."""
        self.state[0] -= 1
        top = self.state[0]
        signs, pattern = self.stack.signs[top].copy(), self.stack.pattern[top].copy()
        return signs, pattern, int(self.stack.level[top]), int(self.stack.depth[top])

    def _settle(self) -> None:
        """Decide exactly on which sides of a unit the node on top has points."""
        unit, side = int(self.state[3]), int(self.state[4])
        row = self.net.place[unit]
        if side == 0:
            signs, pattern, level, depth = self._pop()
            sides = {s: at for s in (-1, 1) if (at := self._point(signs, pattern, level, row, s))}
            for s, at in sides.items():
                signs[row] = pattern[unit] = s
                self._push(signs, pattern, level, depth + len(sides) - 1, at)
            return
        top = self.state[0] - 1
        signs, pattern = self.stack.signs[top].copy(), self.stack.pattern[top].copy()
        level, depth = int(self.stack.level[top]), int(self.stack.depth[top])
        signs[row] = pattern[unit] = 0
        at = (
            None
            if self.state[5] == CIRCUIT and self._circuit(signs, pattern, level, row, side)
            else self._point(signs, pattern, level, row, side)
        )
        if at is None:
            self.stack.depth[top] -= 1
            return
        signs[row] = pattern[unit] = side
        self._push(signs, pattern, level, depth, at)

    def _circuit(self, signs: Signs, pattern: Signs, level: int, row: int, side: int) -> bool:
        """Whether a row and those of the evidence contradict each other, exactly."""
        rows = self._rows(pattern, level)
        support = [int(row), *(int(code) for code in self.out.evidence[0, 0] if code >= 0)]
        signed = [side, *(int(signs[code]) for code in support[1:])]
        self.exact += 1
        multipliers = dependency([times(s, rows[code]) for s, code in zip(signed, support, strict=True)])
        return multipliers is not None and min(multipliers) >= 0

    def _point(self, signs: Signs, pattern: Signs, level: int, row: int, side: int) -> Point | None:
        """A point of the node on one side of a row, exactly."""
        rows, program = self._rows(pattern, level), self._program(pattern, level)
        relations = [int(s) if any(h[:-1]) else 0 for s, h in zip(signs[:-1], rows, strict=False)]
        relations[row] = side
        self.exact += 1
        at = program.decide(relations)
        return None if isinstance(at, Certificate) else at

    def _rows(self, pattern: Signs, level: int) -> list[Form]:
        """The rows of all levels up to one, exactly, in the kernel's order; the others are 0."""
        key = pattern[: self.net.start[level]].tobytes()
        if level not in self._tables or self._tables[level][0] != key:
            units: list[Form] = []
            for lower in range(level + 1):
                units += self.form.unfold(lower, pattern, units)
            rows = [(0,) * (self.inputs + 1)] * self.m
            for k, unit in enumerate(units):
                rows[self.net.place[k]] = unit
            self._tables[level] = key, [*rows, *self.walls, (0,) * self.inputs + (1,)]
        return self._tables[level][1]

    def _program(self, pattern: Signs, level: int) -> SignProgram:
        """The program of these rows."""
        key = pattern[: self.net.start[level]].tobytes()
        if level not in self._programs or self._programs[level][0] != key:
            self._programs[level] = key, SignProgram(self._rows(pattern, level)[:-1], self.inputs)
        return self._programs[level][1]

    def _unfold(self) -> None:
        """The rows of the level of the node on top, exactly."""
        top = self.state[0] - 1
        pattern, level = self.stack.pattern[top], int(self.stack.level[top])
        rows = self._rows(pattern, level)
        for k in self.form.levels[level]:
            bits = self.sizes[k]
            self.net.raw[k], lost = in_floats(rows[self.net.place[k]], self.scale, bits)
            self.net.error[k] = UNIT_ROUNDOFF * np.abs(self.net.raw[k]) + lost
        if place(self.problem, self.net, pattern, level):
            settle_constants(self.net, self.stack.signs[top], pattern, level)
            self.stack.fresh[top] = False
        else:
            _, pattern, _, depth = self._pop()
            self._search_exactly(pattern)
            self.found.share[0] += 2.0**-depth

    def _check(self) -> None:
        """Drop the node on top if the proposed proof that f keeps one sign on it holds exactly; else go on without bounds."""
        top = self.state[0] - 1
        pattern, level = self.stack.pattern[top], len(self.form.levels) - 1
        rows, first = self._rows(pattern, level), self.form.levels[-1].start
        own = len(self.problem.turn)
        affine = self.form.affine
        for k in range(first):
            if pattern[k] > 0 and self.form.signs[k]:
                affine = add(affine, times(self.form.signs[k], rows[self.net.place[k]]))
        leaf = ExactForm(affine, tuple(rows[:own]), self.form.signs[first:], 0)
        self.exact += 1
        if one_sign(
            Leaf(leaf, rows, self.m), int(self.state[4]), self.stack.signs[top], self.out.evidence[0, 0], self.out.facing[0]
        ):
            _, _, _, depth = self._pop()
            self.found.share[0] += 2.0**-depth
        else:
            self.stack.kept[top] = True

    def _decide(self) -> None:
        """Ask the compact program about the cell on top."""
        _, pattern, _, depth = self._pop()
        self._judge(pattern)
        self.found.share[0] += 2.0**-depth

    def _judge(self, pattern: Signs) -> None:
        self.exact += 1
        if not self.pieces or decide(self.form, tuple(pattern.tolist()), self.everywhere).carries_piece:
            self._emit(pattern[None])

    def _search_exactly(self, pattern: Signs) -> None:
        """All cells below a node, in exact arithmetic, one unit after the other."""
        waiting = [pattern.copy()]
        while waiting:
            here = waiting.pop()
            free = np.flatnonzero(here == 0)
            if not len(free):
                self._judge(here)
                continue
            k = int(free[0])
            level = int(np.searchsorted(self.net.start, k, side="right")) - 1
            rows, row = self._rows(here, level), self.net.place[k]
            if not any(rows[row][:-1]):
                here[k] = 1 if rows[row][-1] > 0 else -1
                waiting.append(here)
                continue
            signs = np.ones(len(rows), np.int8)
            signs[self.net.place] = here
            for side in (-1, 1):
                if self._point(signs, here, level, row, side):
                    child = here.copy()
                    child[k] = side
                    waiting.append(child)


def empty_stack(nodes: int, rows: int, units: int, size: int) -> Stack:
    """Room for so many nodes."""
    x, above = np.zeros((2, nodes, size))
    level, depth = np.zeros((2, nodes), np.int64)
    kept, fresh = np.zeros((2, nodes), np.bool_)
    return Stack(np.zeros((nodes, rows), np.int8), np.zeros((nodes, units), np.int8), x, above, level, depth, kept, fresh)


def floats(form: ExactForm, walls: Sequence[Form], pieces: bool) -> tuple[Net, Problem, tuple[int, ...], list[int]]:
    """The form for the kernel, the table that it fills, the scale of the coordinates and the size of each unit in bits."""
    size, m, one = form.inputs + 1, len(form.units), (0,) * form.inputs + (1,)
    last = form.levels[-1]
    scale = balance([*(a for a in form.units if any(a)), *walls, one])
    bits: list[int] = []
    base, lost, factors = np.zeros((m, size)), np.zeros((m, size)), []
    for k, a in enumerate(form.units):
        links = form.links[k]
        bits.append(max([length(a, scale), *(abs(c).bit_length() + bits[j] for j, c in links)]))
        base[k], lost[k] = in_floats(a, scale, bits[k])
        factors += [to_floats((c,), bits[j] - bits[k])[0] for j, c in links]
    total = max([length(form.affine, scale), *(abs(w).bit_length() + bits[k] for k, w in enumerate(form.signs) if w)])
    output, output_lost = in_floats(form.affine, scale, total)
    place = np.array([k - last.start if k >= last.start else len(last) + k for k in range(m)], dtype=np.int64)
    net = Net(
        start=np.array([*(level.start for level in form.levels), m]),
        place=place,
        base=base,
        lost=lost,
        link_start=np.cumsum([0, *map(len, form.links)]),
        link_unit=np.array([j for links in form.links for j, _ in links], dtype=np.int64),
        link_factor=np.array(factors, dtype=np.float64),
        weight=np.array([to_floats((w,), bits[k] - total)[0] for k, w in enumerate(form.signs)]),
        output=output,
        output_lost=output_lost,
        raw=np.zeros((m, size)),
        error=np.zeros((m, size)),
        constant=np.zeros(m, np.bool_),
        magnitude=np.zeros(size),
    )
    outputs = np.array(form.signs[last.start :], dtype=np.int8)
    fewer = 1 if np.count_nonzero(outputs > 0) < len(last) / 2 else -1
    table, off = np.zeros((m + len(walls) + 1, size)), np.zeros((m + len(walls) + 1, size + 1))
    directions, underflow = rounded([*walls, one], scale, common=False)
    table[m:] = directions / np.sqrt((directions**2).sum(axis=1, keepdims=True))
    off[m:] = with_largest(3 * UNIT_ROUNDOFF * np.abs(table[m:]) + np.where(underflow, TINY, 0.0))
    units, off_units, chords = np.zeros((3, len(last), size))
    affine, error = np.zeros((2, size))
    problem = Problem(
        rows=table,
        units=units,
        lengths=np.zeros(len(last)),
        outputs=outputs,
        affine=affine,
        chords=chords,
        chorded=False,
        error=error,
        off=off,
        off_units=off_units,
        inner=m,
        turn=(outputs != fewer).astype(np.int8),
        bounded=pieces,
        recorded=False,
    )
    return net, problem, scale, bits


def in_floats(form: Form, scale: tuple[int, ...], bits: int) -> tuple[FloatArray, FloatArray]:
    """A form with scaled columns over 2^bits, and what is lost where an entry becomes (nearly) 0 that is not."""
    least = min(scale)
    entries = [entry << (s - least) for entry, s in zip(form, scale, strict=True)]
    made = to_floats(entries, -bits)
    return made, np.where((np.abs(made) < TINY) & np.array([entry != 0 for entry in entries]), TINY, 0.0)


def length(form: Form, scale: tuple[int, ...]) -> int:
    """How many bits the largest entry has, with scaled columns."""
    return max(abs(entry).bit_length() + s - min(scale) for entry, s in zip(form, scale, strict=True))


def to_ray(at: Point, scale: tuple[int, ...]) -> FloatArray:
    """A point as a float vector of length 1, (D,)."""
    most = max(scale)
    shifted = [entry << (most - s) for entry, s in zip(at, scale, strict=True)]
    largest = max(abs(entry) for entry in shifted).bit_length()
    x = np.array([entry / (1 << largest) for entry in shifted])
    return x / np.sqrt((x**2).sum())
