"""The search behind the tree engine: a stack of nodes, chunks of them expanded compiled, exact arithmetic for the rest."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lpnet.boundary.pieces import NotApplicable, Pieces
from lpnet.boundary.subsets import Pattern, closing, decide
from lpnet.boundary.tree.level_kernel import expand_nodes
from lpnet.boundary.tree.nodes import (
    ALIVE,
    CHECK,
    CHECK_LOW,
    COVERED,
    JUDGE,
    LEAF,
    SPLIT,
    UNSETTLED,
    Nodes,
    Result,
    Stems,
    empty_result,
)
from lpnet.boundary.tree.problem import TreeProblem, generic, one_sign, to_ray, tree_problem
from lpnet.boundary.tree.record import TreeRecorder
from lpnet.boundary.walk import EMPTY, NEGATIVE, NOT_NEGATIVE
from lpnet.compiled import ready
from lpnet.exact import Point, sign, value
from lpnet.networks import ExactForm, Polyhedron
from lpnet.programs import Certificate, SignProgram
from lpnet.programs.certain_kernel import inside
from lpnet.programs.cone_kernel import workspace
from lpnet.programs.stems import StemPool, contradiction
from lpnet.watch import Watch

WORK = 2**19  # numbers per chunk in one pass over its nodes
Signs = NDArray[np.int8]


class Thin(NamedTuple):
    """A node without a float point whose signs are certain: signs (R,), depth, number, and an exact point."""

    signs: Signs
    depth: int
    number: int
    at: Point


class Block(NamedTuple):
    """Nodes on the stack (see `lpnet.boundary.tree.nodes`), how many units of each are fixed, and its number in the record."""

    signs: Signs
    x: NDArray[np.float64]
    above: NDArray[np.float64]
    kept: NDArray[np.bool_]
    depth: NDArray[np.int64]
    number: NDArray[np.int64]

    def take(self, chosen: Any) -> "Block":
        """Some of the nodes."""
        return Block(*(array[chosen] for array in self))


def joined(blocks: list[Block]) -> Block:
    """The nodes of all the blocks, in this order, in arrays of their own."""
    arrays: list[Any] = [np.concatenate(parts) for parts in zip(*blocks, strict=True)]
    return Block(*arrays)


class TreeSearch:
    """Enumerates the pieces of a normal form on a domain, or (pieces=False) just the cells of its units.

    recorded: whether the pieces come with the tree.
    """

    def __init__(self, form: ExactForm, domain: Polyhedron, pieces: bool, workers: int = 1, recorded: bool = False) -> None:
        self.problem: TreeProblem = tree_problem(form, domain, pieces, recorded)
        self.pieces = pieces
        self.rows = self.problem.rows
        self.units = len(form.units)
        self.exact = SignProgram([*self.problem.form.units, *self.problem.walls], self.problem.form.inputs)
        self.stems = StemPool(self.units)
        self.programs = 0
        self.share = 0.0
        self.complete = True
        self.blocks: list[Block] = []
        self.thin: list[Thin] = []
        self.patterns: list[NDArray[np.uint8]] = []
        self.count = 0
        self.record = TreeRecorder(self.problem) if recorded else None
        self.chunk = max(32, min(2048, WORK // (len(self.rows) * len(self.rows[0]))))
        self._work = [workspace(len(self.rows), self.units, len(self.rows[0])) for _ in range(workers)]

    def found(self) -> Pieces:
        """What the search has found, in lexicographic order."""
        packed = np.concatenate(self.patterns or [np.zeros((0, max(1, -(-self.units // 8))), np.uint8)])
        order = np.lexsort(packed.T[::-1])
        patterns = np.unpackbits(packed[order], axis=1)[:, : self.units].astype(bool)
        tree = self.record.of_pieces(order) if self.record else None
        return Pieces(patterns, None, self.programs + self.exact.solved, self.complete, tree=tree)

    def run(self, watch: Watch, most: int | None = None) -> None:
        """Search until nothing is left or the watch says stop. Raises NotApplicable after more than `most` programs."""
        if not self._compiled(watch):
            self.complete = False
            return
        self._plant()
        with ThreadPoolExecutor(len(self._work)) as pool:  # joblib polls, which takes longer than a chunk
            self._search(watch, pool, most)

    def _compiled(self, watch: Watch) -> bool:
        """Whether the kernels are compiled, or could be before the watch said stop."""
        size, signs = len(self.rows[0]), np.zeros((0, len(self.rows)), np.int8)
        x, above = np.zeros((2, 0, size))
        nodes, out = Nodes(signs, x, above, np.zeros(0, np.bool_)), empty_result(0, self.units, size)
        return ready(
            lambda: watch(0.0, 0),
            (inside, self.problem.floats.rows, self.problem.floats.off, np.zeros(len(self.rows), np.int8), np.zeros(size)),
            (expand_nodes, self.problem.floats, Stems(*self.stems.arrays()), nodes, out, self._work[0]),
        )

    def _search(self, watch: Watch, pool: ThreadPoolExecutor, most: int | None) -> None:
        while self.blocks or self.thin:
            if not watch(min(self.share, 1.0), self.count):
                self.complete = False
                return
            if most is not None and self.programs + self.exact.solved > most:
                raise NotApplicable(f"the tree needs more than {most} programs")
            if self.thin:
                self._grow_thin(self.thin.pop())
            else:
                self._grow(self._pop(), pool)

    def _plant(self) -> None:
        """The root: no sign fixed, a point inside the domain."""
        walls = len(self.problem.walls)
        at = self.exact.decide([0] * self.units + [1] * walls) if walls else (0,) * self.problem.form.inputs + (1,)
        signs = np.array([0] * self.units + [1] * (walls + 1), dtype=np.int8)
        if not isinstance(at, Certificate):
            self._push_exact(signs, 0, 0, at)
        elif self.record:
            self.record.excluded(0, at)

    def _push_exact(self, signs: Signs, depth: int, number: int, at: Point) -> None:
        """A node with an exact point: onto the stack if its nearest float will do, else aside."""
        x = to_ray(at, self.problem.scale)
        if inside(self.problem.floats.rows, self.problem.floats.off, signs, x):
            if depth == 0:
                x = generic(self.problem.floats, signs, x)
            above = np.full_like(x, np.nan)
            arrays = signs[None], x[None], above[None], np.zeros(1, bool), np.array([depth]), np.array([number])
            self.blocks.append(Block(*arrays))
        else:
            self.thin.append(Thin(signs, depth, number, at))

    def _pop(self) -> Block:
        """The last nodes, a chunk of them if there are so many."""
        taken = [self.blocks.pop()]
        size = len(taken[0].depth)
        while self.blocks and size < self.chunk:
            taken.append(self.blocks.pop())
            size += len(taken[-1].depth)
        block = (
            taken[0] if len(taken) == 1 else Block(*(np.concatenate(arrays) for arrays in zip(*reversed(taken), strict=True)))
        )
        if size > self.chunk:
            self.blocks.append(block.take(slice(0, size - self.chunk)))
            block = block.take(slice(size - self.chunk, size))
        return block

    def _finish(self, depth: NDArray[np.int64]) -> None:
        """Nothing is left to do below these nodes."""
        self.share += float(np.ldexp(1.0, -depth).sum())

    def _emit(self, signs: Signs) -> None:
        """Note pieces (or cells) with these signs, (count, at least m)."""
        self.count += len(signs)
        self.patterns.append(np.packbits(signs[:, : max(1, self.units)] > 0, axis=1))

    def _grow(self, block: Block, pool: ThreadPoolExecutor) -> None:
        """Expand a chunk and see to everything that the kernel left open."""
        out = self._expand(block, pool)
        self._finish(block.depth[(out.node != SPLIT) & (out.node < CHECK_LOW)])
        leaves = block.signs[out.node == LEAF]
        if len(leaves):
            self._emit(leaves)
        if self.record:
            self.record.chunk(block, out)
        for i in np.flatnonzero(out.node == JUDGE).tolist():
            self._judge(block.signs[i], int(block.number[i]))
        for i in np.flatnonzero(out.node >= CHECK_LOW).tolist():
            self._check_bound(block.take(slice(i, i + 1)), out, i)
        self._push_children(block, out)

    def _expand(self, block: Block, pool: ThreadPoolExecutor) -> Result:
        """The kernel's verdicts on a chunk, shared out among the threads; the same for any number of them."""
        out = empty_result(len(block.depth), self.units, len(self.rows[0]))
        stems = Stems(*self.stems.arrays())
        bounds = np.linspace(0, len(block.depth), len(self._work) + 1).astype(int).tolist()
        calls = []
        for part, work in zip(map(slice, bounds, bounds[1:]), self._work, strict=True):
            arrays: list[Any] = [array[part] for array in out]
            nodes = Nodes(*block.take(part)[:4])
            calls.append(partial(expand_nodes, self.problem.floats, stems, nodes, Result(*arrays), work))
        futures = [pool.submit(call) for call in calls[1:]]
        calls[0]()
        for future in futures:
            future.result()
        self.programs += int(out.programs.sum())
        return out

    def _push_children(self, block: Block, out: Result) -> None:
        """The children of the nodes that were split."""
        split = np.flatnonzero(out.node == SPLIT)
        first = self.record.split(block.number[split], out.unit[split]) if self.record else np.zeros(len(split), np.int64)
        upwards = (self.problem.floats.units[out.unit[split]] * block.above[split]).sum(axis=1) > 0
        for child, side in enumerate((-1, 1)):
            fate = out.child[split, child]
            alive, numbers = split[fate == ALIVE], first[fate == ALIVE] + child
            signs = block.signs[alive]
            signs[np.arange(len(alive)), out.unit[alive]] = side
            above = np.where((upwards[fate == ALIVE] == (side > 0))[:, None], block.above[alive], np.nan)
            if len(alive):
                kept, depth = np.zeros(len(alive), bool), block.depth[alive] + 1
                self.blocks.append(Block(signs, out.points[alive, child], above, kept, depth, numbers))
            self._finish(block.depth[split[fate <= COVERED]] + 1)
            if self.record:
                self.record.children(first + child, out, split, child, self.stems)
            open_nodes = (fate == CHECK) | (fate == UNSETTLED)
            for i, number in zip(split[open_nodes].tolist(), (first[open_nodes] + child).tolist(), strict=True):
                signs = block.signs[i].copy()
                signs[out.unit[i]] = side
                circuit = out.child[i, child] == CHECK and self._circuit(signs, out.unit[i], out.evidence[i, child])
                if circuit:
                    self._finish(block.depth[i : i + 1] + 1)
                    if self.record:
                        self.record.judged(number, EMPTY, circuit)
                else:
                    self._settle(signs, int(block.depth[i]) + 1, number)

    def _circuit(self, signs: Signs, unit: int, evidence: NDArray[np.int64]) -> list[int]:
        """Those of a unit and the rows of the evidence that contradict each other, exactly, which join the stems; or none."""
        circuit = contradiction(self.rows, signs, [int(unit), *(int(row) for row in evidence if row >= 0)])
        self.stems.add((row, int(signs[row])) for row in circuit)
        return circuit

    def _settle(self, signs: Signs, depth: int, number: int) -> None:
        """Decide exactly whether a node has a point, and push it with that point if so."""
        at = self.exact.decide([int(s) for s in signs[:-1]])
        if isinstance(at, Certificate):
            self._finish(np.array([depth]))
            if self.record:
                self.record.excluded(number, at)
        else:
            self._push_exact(signs, depth, number, at)

    def _check_bound(self, node: Block, out: Result, i: int) -> None:
        """Drop a node if the proposed proof that f keeps one sign on it holds exactly; else go on without such bounds."""
        side = -1 if out.node[i] == CHECK_LOW else 1
        if one_sign(self.problem, side, node.signs[0], out.evidence[i, 0], out.facing[i]):
            self._finish(node.depth)
            if self.record:
                self.record.bounds(node.number, NOT_NEGATIVE if side < 0 else NEGATIVE, out, [i])
        else:
            node.kept[0] = True
            self.blocks.append(node)

    def _judge(self, signs: Signs, number: int) -> None:
        """Ask the compact program about a cell."""
        pattern: Pattern = tuple(int(s) for s in signs[: self.units])
        verdict = decide(self.problem.form, pattern, self.exact)
        if verdict.carries_piece:
            self._emit(signs[None])
        if self.record:
            self.record.judged(number, *closing(self.problem.form, verdict, len(self.rows) - 1))

    def _grow_thin(self, node: Thin) -> None:
        """Expand a node in exact arithmetic."""
        free = np.flatnonzero(node.signs == 0)
        if not len(free):
            self._judge(node.signs, node.number) if self.pieces else self._emit(node.signs[None])
            self._finish(np.array([node.depth]))
            return
        unit = free[0]
        here = sign(value(self.rows[unit], node.at))
        first = int(self.record.split([node.number], [unit])[0]) if self.record else 0
        for child, side in enumerate((-1, 1)):
            signs = node.signs.copy()
            signs[unit] = side
            if side == here:
                self._push_exact(signs, node.depth + 1, first + child, node.at)
            else:
                self._settle(signs, node.depth + 1, first + child)
