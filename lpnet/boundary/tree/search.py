"""The search behind the tree engine: cells level by level, the pieces on the last one; exact arithmetic where floats fail."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lpnet.boundary.pieces import Effort
from lpnet.boundary.subsets import closing, decide
from lpnet.boundary.tree.bounds import Chords, chords_on
from lpnet.boundary.tree.boxes import boxes_around, no_boxes
from lpnet.boundary.tree.crossings import Crossings
from lpnet.boundary.tree.exactly import Exactly
from lpnet.boundary.tree.nodes import CHECK as CIRCUIT
from lpnet.boundary.tree.nodes import Found, Signs, empty_proof, empty_stack
from lpnet.boundary.tree.problem import floats, generic, in_floats, to_ray
from lpnet.boundary.tree.record import Stream, empty_log
from lpnet.boundary.tree.relax_kernel import shrink_boxes
from lpnet.boundary.tree.tree_kernel import (
    BARREN,
    CHECK,
    DECIDE,
    NODES,
    PRUNED,
    SETTLE,
    UNFOLD,
    explore,
    place,
    settle_constants,
    unfold,
)
from lpnet.boundary.tree.zoom import Zoom
from lpnet.boundary.walk import EMPTY, NEGATIVE, NOT_NEGATIVE, SPLIT
from lpnet.exact import UNIT_ROUNDOFF, FloatArray, Form, Point, independent_inputs, times
from lpnet.networks import ExactForm, Polyhedron
from lpnet.programs import Certificate
from lpnet.programs.certain_kernel import inside
from lpnet.programs.cone_kernel import workspace
from lpnet.programs.stems import StemPool

AT_ONCE = 1 << 12  # pieces
STEPS = 1 << 12  # nodes between two looks at the others
MOST_ZOOMS = 30  # one in the other
MOST_DOUBTS = 20  # between two looks at the clock


class TreeSearch:
    """Enumerates the pieces of a form of several levels on a domain, or (pieces=False) its cells, depth first.

    boxed: whether nodes have boxes; others: more forms whose values matter, for searches derived from this one; outputs: how
    many those have; recorded: whether the tree is taken down, in `stream`; chorded: whether bounds of f have chords of the
    units over the whole domain, of one level only.
    """

    kernel: Any = staticmethod(explore)

    def __init__(
        self,
        form: ExactForm,
        domain: Polyhedron,
        pieces: bool = True,
        boxed: bool = True,
        others: Sequence[Form] = (),
        outputs: int = 0,
        recorded: bool = False,
        chorded: bool = False,
    ) -> None:
        walls = domain.inequalities()
        kept = independent_inputs([form.affine, *form.units, *walls, *others])
        self.kept, self.given = kept, form.inputs
        self.form = form.each(self.reduced)
        self.walls = tuple(map(self.reduced, walls))
        self.inputs, self.pieces = len(kept), pieces
        self.m = len(form.units)
        self.flat, self.chords = chorded, chords_on(domain, form, kept) if chorded and pieces else Chords()
        self.stems = StemPool(len(form.levels[0]), len(kept) + 2)
        self.net, self.problem, self.scale, self.sizes = floats(self.form, self.walls, pieces, self.chords, self.stems.arrays)
        none = no_boxes(len(self.scale))
        boxes = boxes_around(domain, kept, self.scale, self.net.base[: self.net.start[1]]) if boxed else none
        self.boxes = none if recorded and len(boxes.low) > 1 else boxes  # of several boxes a proof says nothing
        self.zooms, self.inner = 0, list[tuple[TreeSearch, Zoom, int]]()
        self.problem = self.problem._replace(recorded=recorded)
        rows, size = self.problem.rows.shape
        self.log = empty_log(self.m, len(self.problem.turn), size, rows, recorded)
        self.net = self.net._replace(boxed=len(self.boxes.low) > 0, fixed=self.boxes.fixed, recorded=recorded, log=self.log)
        self.stream = Stream(size, len(self.problem.turn)) if recorded else None
        chords, error = np.zeros_like(self.problem.units), np.zeros(size)
        self.chorded = self.problem._replace(chorded=True, chords=chords, error=error)
        self.units_of = np.argsort(self.net.place)
        self.exactly = Exactly(self.form, self.walls, self.net.place)
        self.work = workspace(rows, len(self.problem.turn), size)
        self.out = empty_proof(len(self.problem.turn), size)
        self.stack = empty_stack(self.m + 8, rows, self.m, size, len(self.boxes.low), outputs)
        self.found = Found(np.zeros((AT_ONCE, self.m), np.int8), np.zeros((AT_ONCE, 2, size)), np.zeros(1))
        self.state = np.zeros(7, np.int64)
        self.patterns: list[NDArray[np.uint8]] = []
        self.rays: list[FloatArray] = []
        self.known: dict[int, Point] = {}
        self.hard: list[tuple[Signs, int]] = []  # patterns and depths of nodes beyond floats
        self.count, self.listed = 0, True  # else pieces are only counted
        self.pairs: list[NDArray[np.intp]] = []  # of outputs, where there are several

    def reduced(self, h: Form) -> Form:
        """A form in the inputs that are kept."""
        return (*(h[j] for j in self.kept), h[-1])

    @property
    def arguments(self) -> tuple[Any, ...]:
        """What the kernel takes, but for the number of its steps."""
        return self.problem, self.chorded, self.net, self.stack, self.found, self.out, self.work, self.state

    @property
    def programs(self) -> int:
        """How many were solved."""
        return int(self.state[2] + self.out.programs[0]) + self.exactly.solved

    @property
    def effort(self) -> Effort:
        """What was looked at for the pieces found so far."""
        nodes, pruned, barren = (int(self.net.tally[:, kind].sum()) for kind in (NODES, PRUNED, BARREN))
        return Effort(nodes, pruned, self.count + barren, barren, self.exactly.solved)

    def go_on(self, steps: int) -> bool:
        """Search some more; whether something is left."""
        answers = {SETTLE: self._settle, UNFOLD: self._unfold, CHECK: self._check, DECIDE: self._decide}
        for _ in range(MOST_DOUBTS):
            if self.inner:
                self._search_inside(steps)
                break
            if self.hard:
                self._search_exactly()
                continue
            code = self.kernel(*self.arguments, steps)
            if self.stream:
                self.stream.flush(self.log, self.count)
            self._emit(self.found.patterns[: self.state[1]], self.found.rays[: self.state[1]])
            self.state[1] = 0
            if code not in answers:
                break
            answers[code]()
        return self.busy

    @property
    def busy(self) -> bool:
        """Whether something is left."""
        return bool(self.state[0] or self.hard or self.inner)

    @property
    def nowhere(self) -> FloatArray:
        """No two points, of a piece whose point is known."""
        return np.full((1, 2, self.inputs + 1), np.nan)

    def halfspace(self, pattern: NDArray[np.bool_], pair: Any = None) -> Form:
        """What is 0 on a piece."""
        return self.form.on_cell(pattern)

    def _emit(self, patterns: Signs, rays: FloatArray, *pairs: Any) -> None:
        self.count += len(patterns)
        if len(patterns) and self.listed:
            self.patterns.append(np.packbits(patterns > 0, axis=1))
            self.rays.append(rays.copy())

    def plant(self) -> None:
        """The root: no sign fixed, a point inside the domain."""
        signs, pattern = np.zeros(len(self.problem.rows), np.int8), np.zeros(self.m, np.int8)
        signs[self.m :] = 1
        at = self.exactly.everywhere.decide([0] * self.m + [1] * len(self.walls)) if self.walls else (0,) * self.inputs + (1,)
        if isinstance(at, Certificate):
            self._note(EMPTY, self._named(at))
            return
        self._push(signs, pattern, 0, 0, at, self.boxes[:2])
        if self.state[0]:
            self.stack.x[0] = generic(self.problem, signs, self.stack.x[0])
            self.stack.fresh[0] = True

    def _note(self, node: int, rows: Sequence[int] | None = None, full: Any = None, piece: int | None = None) -> None:
        if self.stream:
            self.stream.note(node, rows, full, piece)

    def _named(self, found: Certificate) -> list[int]:
        """The rows of a certificate."""
        return [row for row, _ in found.multipliers] + [len(self.problem.rows) - 1] * bool(found.constant)

    def _note_fork(self, unit: int, side: int, rows: Sequence[int] | None = None) -> None:
        """A fork on a unit, and which side comes first; with rows, that one is empty."""
        self._note(SPLIT + 2 * unit + (side > 0))
        if rows is not None:
            self._note(EMPTY, rows)

    def _push(self, signs: Signs, pattern: Signs, level: int, depth: int, at: Point, box: Any) -> tuple[int, int]:
        """A node with an exact point: onto the stack if its nearest float will do, else searched exactly.

        Of two, that with the larger tuple comes first.
        """
        x = to_ray(at, self.scale)
        if not inside(self.problem.rows, self.problem.off, signs, x):
            return self._put_aside(signs, pattern, level, depth, at)
        top = self.state[0]
        self.state[0] += 1
        self.stack.signs[top], self.stack.pattern[top], self.stack.x[top] = signs, pattern, x
        self.stack.above[top], self.stack.level[top], self.stack.depth[top] = np.nan, level, depth
        self.stack.kept[top] = self.stack.fresh[top] = False
        self.stack.alive[top] = True
        self.stack.ended[top] = True
        if box:
            self.stack.low[top], self.stack.high[top] = box
        return 0, int(top)

    def _pop(self) -> tuple[Signs, Signs, int, int, Any]:
        """The node on top, taken off: its signs, pattern, level, depth and box."""
        self.state[0] -= 1
        top = self.state[0]
        signs, pattern = self.stack.signs[top].copy(), self.stack.pattern[top].copy()
        return signs, pattern, int(self.stack.level[top]), int(self.stack.depth[top]), self._box(top)

    def _box(self, place: int) -> Any:
        return (self.stack.low[place].copy(), self.stack.high[place].copy()) if self.net.boxed else None

    def _settle(self) -> None:
        """Decide exactly on which sides of a unit the node on top has points."""
        unit, side = int(self.state[3]), int(self.state[4])
        row = self.net.place[unit]
        if side == 0:
            signs, pattern, level, depth, box = self._pop()
            found = {s: self.exactly.ask(signs, pattern, level, row, s) for s in (-1, 1)}
            sides = {s: at for s, at in found.items() if not isinstance(at, Certificate)}
            self._note_empty(unit, found)
            where = []
            for s, point in sides.items():
                signs[row] = pattern[unit] = s
                where.append((self._push(signs, pattern, level, depth + len(sides) - 1, point, box), s))
                self._cut(where[-1][0], row, s)
            if len(sides) > 1:
                self._note_fork(unit, max(where)[1])
            return
        top = self.state[0] - 1
        signs, pattern = self.stack.signs[top].copy(), self.stack.pattern[top].copy()
        level, depth = int(self.stack.level[top]), int(self.stack.depth[top])
        signs[row] = pattern[unit] = 0
        box = self._box(top)
        self._cut((0, top), row, -side)
        circuit = self._circuit(signs, pattern, level, row, side) if self.state[5] == CIRCUIT else []
        at = None if circuit else self.exactly.ask(signs, pattern, level, row, side)
        if at is None or isinstance(at, Certificate):
            self._note_fork(unit, side, self._named(at) if at else circuit)
            self.stack.depth[top] -= 1
            return
        self._note_fork(unit, side)
        signs[row] = pattern[unit] = side
        self._cut(self._push(signs, pattern, level, depth, at, box), row, side)

    def _cut(self, place: tuple[int, int], row: int, side: int) -> None:
        """Cut the boxes of a node on the stack by a row: a proof has them cut by each row that was split."""
        if self.net.boxed and place[0] == 0:
            shrink_boxes(self.problem, row, side, self.stack.low[place[1]], self.stack.high[place[1]])

    def _note_empty(self, unit: int, found: dict[int, Point | Certificate]) -> None:
        """A fork on a unit where one of the sides is empty."""
        for side, at in found.items():
            if isinstance(at, Certificate):
                self._note_fork(unit, side, self._named(at))

    def _circuit(self, signs: Signs, pattern: Signs, level: int, row: int, side: int) -> list[int]:
        """Those of a row and the evidence that contradict each other, exactly, kept where they do so on all cells; or none."""
        found = self.exactly.circuit(signs, pattern, level, row, side, self.out)
        units = {member: int(self.units_of[member]) for member in found if member < self.m}
        if found and all(unit < self.net.start[1] for unit in units.values()):
            self.stems.add([(unit, side if member == row else int(signs[member])) for member, unit in units.items()], found)
            self.net = self.net._replace(stems=self.stems.arrays)
        return found

    def _unfold(self) -> None:
        """The rows of the level of the node on top, exactly."""
        top = self.state[0] - 1
        pattern, level = self.stack.pattern[top], int(self.stack.level[top])
        if self._refine(pattern, level):
            settle_constants(self.net, self.stack.signs[top], pattern, level)
            self.stack.fresh[top] = False
        else:
            _, pattern, _, depth, _ = self._pop()
            self.hard.append((pattern, depth))

    def _refine(self, pattern: Signs, level: int) -> bool:
        """Put the exact rows of a level, rounded, into the table; False where even so one cannot be told from 0."""
        rows = self.exactly.rows(pattern, level)
        for k in self.form.levels[level]:
            self.net.raw[k], lost = in_floats(rows[self.net.place[k]], self.scale, self.sizes[k])
            self.net.error[k] = UNIT_ROUNDOFF * np.abs(self.net.raw[k]) + lost
        return bool(place(self.problem, self.net, pattern, level))

    def taken_off(self) -> list[Any]:
        """The node at the bottom of the stack, for somebody else: it has the most below it."""
        node = [array[0].copy() for array in self.stack]
        for array in self.stack:
            array[: self.state[0] - 1] = array[1 : self.state[0]]
        self.state[0] -= 1
        return node

    def hand_over(self) -> Stream | None:
        """The record of the node that was taken off last."""
        if not self.stream:
            return None
        self.stream.taken.append(Stream(self.stream.size, self.stream.own))
        return self.stream.taken[-1]

    def numbered(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """The kernel's numbers of rows as those of `DeepWalk`: the units in order, and shares after 1."""
        count, first = len(self.problem.rows), self.form.levels[-1].start
        numbers = np.array([*self.units_of, *range(self.m, count), *range(count + first, count + self.m), -1])
        return numbers[rows]

    def take_on(self, node: list[Any]) -> None:
        """Go on with a node of somebody else's: its tables are unfolded once more."""
        arrays: list[Any] = list(self.stack)
        for array, entry in zip(arrays, node, strict=True):
            array[0] = entry
        self.state[0] = 1
        pattern = self.stack.pattern[0]
        for level in range(int(self.stack.level[0]) + (not self.stack.fresh[0])):
            unfold(self.net, pattern, level)
            if not place(self.problem, self.net, pattern, level):
                self._refine(pattern, level)

    def _check(self) -> None:
        """Drop the node on top if the proposed proof that f keeps one sign on it holds exactly; else go on without bounds."""
        top = self.state[0] - 1
        node = self.stack.signs[top], self.stack.pattern[top]
        if self.exactly.keeps_sign(int(self.state[4]), *node, self.out, self.chords):
            self._note_bound()
            _, pattern, _, depth, _ = self._pop()
            self.net.tally[-1, PRUNED if (pattern == 0).any() else BARREN] += 1
            self.found.share[0] += 2.0**-depth
        else:
            self.stack.kept[top] = True

    def _note_bound(self) -> None:
        """The bound of f that was proposed."""
        rows, count = [int(code) for code in self.out.evidence if code >= 0], len(self.problem.rows)
        full = self.out.facing < 0
        full[[code - count for code in rows if code >= count]] = False
        self._note(NOT_NEGATIVE if self.state[4] < 0 else NEGATIVE, rows, full)

    def _decide(self) -> None:
        """Ask the compact program about the cell on top."""
        _, pattern, _, depth, _ = self._pop()
        self._judge(pattern)
        self.found.share[0] += 2.0**-depth

    def _judge(self, pattern: Signs) -> None:
        if self.pieces:
            self.exactly.solved += 1
            verdict = decide(self.form, tuple(pattern.tolist()), self.exactly.everywhere)
            at = verdict.witness
            if self.stream:
                kind, shown = closing(self.form, verdict, len(self.problem.rows) - 1)
                named = [int(self.net.place[row]) if row < self.m else row for row in shown]
                self._note(kind, None if at else named, None, self.count if at else None)
        else:
            at = self.exactly.point_of(pattern)
        if at:
            if self.listed:
                self.known[self.count] = at
            self._emit(pattern[None], self.nowhere)
        else:
            self.net.tally[-1, BARREN] += 1

    def _put_aside(self, signs: Signs, pattern: Signs, level: int, depth: int, at: Point) -> tuple[int, int]:
        """A node in which floats do not find their way, for a search in coordinates in which they do, or in integers."""
        rows = self.exactly.rows(pattern, level)
        zoom = Zoom([times(int(s), h) for s, h in zip(signs[:-1], rows, strict=False) if s and any(h[:-1])], at)
        inner = self.zoomed(zoom)
        inner.zooms, inner.listed = self.zooms + 1, self.listed
        if inner.zooms <= MOST_ZOOMS and inner.inputs == self.inputs and inner.begin(signs, pattern, level):
            self.inner.append((inner, zoom, depth))
            return 2, len(self.inner)
        self.hard.append((pattern.copy(), depth))
        return 1, len(self.hard)

    def zoomed(self, zoom: Zoom) -> "TreeSearch":
        """The same search in other coordinates."""
        walls = tuple(map(zoom.form, self.walls))
        recorded = self.stream is not None
        form, domain = self.form.each(zoom.form), Polyhedron(self.inputs, walls)
        return TreeSearch(form, domain, self.pieces, boxed=False, recorded=recorded)

    def begin(self, signs: Signs, pattern: Signs, level: int) -> bool:
        """Take on a node with the point 0; False where that will not do either."""
        for lower in range(level + 1):
            unfold(self.net, pattern, lower)
            if not place(self.problem, self.net, pattern, lower) and not self._refine(pattern, lower):
                return False
        x = to_ray((0,) * self.inputs + (1,), self.scale)
        if not inside(self.problem.rows, self.problem.off, signs, x):
            return False
        self._push(signs, pattern, level, 0, (0,) * self.inputs + (1,), None)
        self.stack.x[0] = generic(self.problem, signs, x)
        return True

    def _search_inside(self, steps: int) -> None:
        """Go on in other coordinates; what was found there comes here at the end."""
        inner, zoom, depth = self.inner[-1]
        if inner.go_on(steps):
            return
        self.inner.pop()
        self.exactly.solved += inner.programs
        self.net.tally[:] += inner.net.tally
        self.found.share[0] += 2.0**-depth
        if not self.listed:
            self.count += inner.count
            return
        found = Crossings(inner)
        if self.stream and inner.stream:
            part = inner.stream.joined(found.places)
            self.stream.parts.append(part._replace(pieces=part.pieces + self.count))
        for k in range(inner.count):
            self.known[self.count] = zoom.point(found[k])
            self._emit(np.where(found.patterns[k : k + 1], 1, -1).astype(np.int8), self.nowhere, *found.pairs[k : k + 1])

    def _search_exactly(self) -> None:
        """Fix one more unit of a node that is searched in exact arithmetic, or judge its cell."""
        here, depth = self.hard.pop()
        free = np.flatnonzero(here == 0)
        if not len(free):
            self._judge(here)
            self.found.share[0] += 2.0**-depth
            return
        k = int(free[0])
        level = int(np.searchsorted(self.net.start, k, side="right")) - 1
        rows, row = self.exactly.rows(here, level), self.net.place[k]
        signs = np.ones(len(rows), np.int8)
        signs[self.net.place] = here
        constant = [1 if rows[row][-1] > 0 else -1] if not any(rows[row][:-1]) else []
        answers = {} if constant else {side: self.exactly.ask(signs, here, level, row, side) for side in (-1, 1)}
        sides = constant or [side for side, at in answers.items() if not isinstance(at, Certificate)]
        self._note_empty(k, answers)
        if len(sides) > 1:
            self._note_fork(k, sides[-1])
        for side in sides:
            here[k] = side
            self.hard.append((here.copy(), depth + len(sides) - 1))


def tree_search(
    form: ExactForm, domain: Polyhedron, pieces: bool = True, recorded: bool = False, deep: bool = False
) -> TreeSearch:
    """The search that suits a form: of one level with chords over the whole domain, else (or deep) with boxes on nodes."""
    flat = len(form.levels) == 1 and not deep
    return TreeSearch(form, domain, pieces, boxed=not flat, recorded=recorded, chorded=flat)
