"""The deep tree for several outputs: pieces between the classes of the largest one."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lpnet.boundary.classes import OnCell
from lpnet.boundary.tree.class_kernel import explore_classes
from lpnet.boundary.tree.nodes import Signs
from lpnet.boundary.tree.problem import in_floats, length, not_zero
from lpnet.boundary.tree.search import AT_ONCE, TreeSearch
from lpnet.boundary.tree.zoom import Zoom
from lpnet.exact import FloatArray, Form
from lpnet.networks import Polyhedron
from lpnet.networks.decision import Decision, Pair
from lpnet.programs.cone_kernel import Work, workspace


class Rest(NamedTuple):
    """A program about a cell: the node's rows and those of k comparisons, and room to work."""

    rows: FloatArray
    off: FloatArray
    signs: Signs
    work: Work


class Outputs(NamedTuple):
    """The outputs for the kernel: of each pair p of i < j the difference s_i − s_j, and room for what becomes of it on a cell.

    affine, lost: l, and what underflow took of it (p, D); weight: (p, m); number: of the pair of two outputs (k, k); label: the
    class of each; row, off: the difference on a cell, of length 1, and what its entries may be off by (p, D); done: whether
    the two have been compared there; points: where each output was found ahead (k, D), seen: whether it was, queue: in which
    order; height: of bounds (k,); values: of all units at a point (m,); pairs: of the pieces found; rest: see there.
    """

    affine: FloatArray
    lost: FloatArray
    weight: FloatArray
    number: NDArray[np.int64]
    label: NDArray[np.int64]
    row: FloatArray
    off: FloatArray
    done: NDArray[np.bool_]
    points: FloatArray
    seen: NDArray[np.bool_]
    queue: NDArray[np.int64]
    height: FloatArray
    values: FloatArray
    pairs: NDArray[np.int64]
    rest: Rest


class ClassSearch(TreeSearch):
    """Enumerates the pieces of a decision of several outputs on a domain, of networks of any depth, even of none."""

    kernel: Any = staticmethod(explore_classes)

    def __init__(self, decision: Decision, domain: Polyhedron, pieces: bool = True, boxed: bool = True) -> None:
        super().__init__(decision.body, domain, pieces, boxed, decision.affine, len(decision.classes))
        self.decision = decision.each(self.reduced)
        self.outputs = outputs_of(self.decision, self.scale, self.sizes, len(self.problem.rows))

    @property
    def arguments(self) -> tuple[Any, ...]:
        """What the kernel takes, but for the number of its steps."""
        return self.problem, self.net, self.outputs, self.stack, self.found, self.out, self.work, self.state

    def halfspace(self, pattern: NDArray[np.bool_], pair: Any = None) -> Form:
        """What is 0 on a piece."""
        return self.decision.pair(*pair).on_cell(pattern)

    def zoomed(self, zoom: Zoom) -> "ClassSearch":
        """The same search in other coordinates."""
        walls = tuple(map(zoom.form, self.walls))
        return ClassSearch(self.decision.each(zoom.form), Polyhedron(self.inputs, walls), boxed=False)

    def _emit(self, patterns: Signs, rays: FloatArray, *pairs: Any) -> None:
        super()._emit(patterns, rays)
        if len(patterns):
            self.pairs.append(np.array(pairs).reshape(-1, 2) if pairs else self.outputs.pairs[: len(patterns)].copy())

    def _decide(self) -> None:
        """Ask the exact programs about the cell on top."""
        left = np.flatnonzero(self.stack.alive[self.state[0] - 1])
        _, pattern, _, depth, _ = self._pop()
        self._judge(pattern, [pair for pair in self.decision.pairs if set(pair) <= set(left.tolist())])
        self.found.share[0] += 2.0**-depth

    def _judge(self, pattern: Signs, pairs: Sequence[Pair] | None = None) -> None:
        on_cell = OnCell(self.decision, tuple(pattern.tolist()), self.walls)
        for _, pair, at in on_cell.pieces(self.decision.pairs if pairs is None else pairs):
            self.known[self.count] = at
            self._emit(pattern[None], self.nowhere, pair)
        self.exactly.solved += on_cell.programs


def outputs_of(decision: Decision, scale: tuple[int, ...], sizes: Sequence[int], rows: int) -> Outputs:
    """The outputs for the kernel, the differences of all on one scale."""
    k, m, size = len(decision.classes), len(sizes), decision.inputs + 1
    pairs = [(i, j) for i in range(k) for j in range(i + 1, k)]
    forms = [decision.pair(i, j) for i, j in pairs]
    longest = [abs(w).bit_length() + bits for form in forms for w, bits in zip(form.signs, sizes, strict=True) if w]
    total = max([*(length(form.affine, scale) for form in forms), *longest], default=0)
    lines = [in_floats(form.affine, scale, total) for form in forms]
    weight = [[not_zero(w, bits - total) for w, bits in zip(form.signs, sizes, strict=True)] for form in forms]
    number = np.zeros((k, k), np.int64)
    for p, (i, j) in enumerate(pairs):
        number[i, j] = number[j, i] = p
    both = rows + k
    affine, lost, row, off = np.zeros((4, len(pairs), size))
    for p, (line, missing) in enumerate(lines):
        affine[p], lost[p] = line, missing
    rest = Rest(np.zeros((both, size)), np.zeros((both, size + 1)), np.zeros(both, np.int8), workspace(both, 0, size))
    return Outputs(
        affine=affine,
        lost=lost,
        weight=np.array(weight).reshape(len(pairs), m),
        number=number,
        label=np.array(decision.classes, dtype=np.int64),
        row=row,
        off=off,
        done=np.zeros(len(pairs), np.bool_),
        points=np.zeros((k, size)),
        seen=np.zeros(k, np.bool_),
        queue=np.zeros(k, np.int64),
        height=np.zeros(k),
        values=np.zeros(m),
        pairs=np.zeros((AT_ONCE, 2), np.int64),
        rest=rest,
    )
