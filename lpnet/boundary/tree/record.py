"""What the tree search found, taken down as a proof."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lpnet.boundary.tree.nodes import COVERED, LEAF, PRUNED_HIGH, PRUNED_LOW, Result
from lpnet.boundary.tree.nodes import EMPTY as EXCLUDED
from lpnet.boundary.tree.problem import TreeProblem
from lpnet.boundary.walk import EMPTY, NEGATIVE, NOT_NEGATIVE, PIECE, Recorder, Walk
from lpnet.programs import Certificate
from lpnet.programs.stems import StemPool


class TreeRecorder(Recorder):
    """Takes down chunks of nodes (`lpnet.boundary.tree.search.Block`) and what the kernel says of them."""

    def __init__(self, problem: TreeProblem) -> None:
        super().__init__(len(problem.form.units), problem.inputs + 2)
        self.problem, self.rows = problem, len(problem.rows)
        self.points: list[NDArray[np.float64]] = []

    def chunk(self, block: Any, out: Result) -> None:
        """The nodes that need nothing more."""
        leaves = out.node == LEAF
        self.close(block.number[leaves], PIECE)
        self.points.append(np.stack([block.x[leaves], block.above[leaves]], axis=1))
        for verdict, kind in ((PRUNED_LOW, NOT_NEGATIVE), (PRUNED_HIGH, NEGATIVE)):
            nodes = np.flatnonzero(out.node == verdict)
            self.bounds(block.number[nodes], kind, out, nodes)

    def bounds(self, numbers: Any, kind: int, out: Result, nodes: Any) -> None:
        """Nodes with these numbers, on which f keeps one sign."""
        rows, full = out.evidence[nodes, 0], out.facing[nodes] < 0
        at, column = np.nonzero(rows >= self.rows)
        full[at, rows[at, column] - self.rows] = False
        self.close(numbers, kind, rows, full)

    def children(self, numbers: Any, out: Result, nodes: Any, child: int, stems: StemPool) -> None:
        """Children that are empty, of nodes that were split; the numbers are the children's."""
        fate = out.child[nodes, child]
        empty, covered = nodes[fate == EXCLUDED], nodes[fate == COVERED]
        self.close(numbers[fate == EXCLUDED], EMPTY, np.column_stack([out.unit[empty], out.evidence[empty, child]]))
        for number, stem in zip(numbers[fate == COVERED], out.evidence[covered, child, 0].tolist(), strict=True):
            self.judged(number, EMPTY, stems.rows(stem))

    def excluded(self, number: int, found: Certificate) -> None:
        """A node that is empty."""
        self.judged(number, EMPTY, [row for row, _ in found.multipliers] + [self.rows - 1] * bool(found.constant))

    def judged(self, node: int, kind: int, rows: Any) -> None:
        """One leaf, of any kind; a piece without points."""
        super().judged(node, kind, rows)
        if kind == PIECE:
            self.points.append(np.full((1, 2, len(self.problem.scale)), np.nan))

    def of_pieces(self, order: NDArray[np.intp]) -> Walk:
        """The tree, with the pieces in this order."""
        x = np.concatenate([np.zeros((0, 2, len(self.problem.scale))), *self.points])
        points = self.problem.from_floats(x.reshape(-1, x.shape[2])).reshape(-1, 2, self.problem.inputs)
        return self.walk(order, points[order])
