"""Writes the proof of a network of several hidden layers; its form is described in `lpnet.checker`."""

import json
import zipfile
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lpnet.boundary.pieces import Pieces
from lpnet.boundary.tree import tree
from lpnet.boundary.tree.record import BOUNDS, WITH_ROWS
from lpnet.boundary.walk import BOUNDED, EMPTY, NEGATIVE, NOT_NEGATIVE, OPEN, OUTSIDE, PIECE, SPLIT, TOUCHING, DeepWalk
from lpnet.checker import deep as leaf
from lpnet.checker.deep_form import DeepForm, deep_form
from lpnet.checker.deep_proof import MOST_NODES
from lpnet.checker.nodes import whole_type
from lpnet.checker.proof import DEEP
from lpnet.checker.question import rationals
from lpnet.equivalents import MinimalEquivalent
from lpnet.errors import LpnetError
from lpnet.exact import FloatArray, Form, Point, primitive, rounding, to_floats, value
from lpnet.networks import ExactForm, Polyhedron, ReLUNetwork
from lpnet.networks.affine import Layer
from lpnet.proofs.members import Members, constant_point, header_of, in_hexadecimal, packed
from lpnet.watch import Watch

KINDS = {
    PIECE: leaf.UNIT, EMPTY: leaf.EMPTY, NOT_NEGATIVE: leaf.NOT_NEGATIVE, NEGATIVE: leaf.NEGATIVE, TOUCHING: leaf.TOUCHING,
    OPEN: leaf.OPEN, OUTSIDE: leaf.OUTSIDE, BOUNDED: leaf.KEEPS,
}  # fmt: skip
AT_ONCE = 1 << 10  # pieces


class DeepEvidence:
    """The tree of an answer, and two points for each of its half-spaces; kind: "tree", None for a search that was stopped."""

    def __init__(self, answer: MinimalEquivalent, watch: Watch) -> None:
        self.answer, self.form, self.kind = answer, answer.form, "tree" if answer.complete else None
        found = answer.pieces if isinstance(answer.pieces.tree, DeepWalk) else walked(answer, watch)
        assert isinstance(found.tree, DeepWalk)
        assert found.witnesses is not None
        self.walk, self.witnesses = found.tree, found.witnesses
        asked = answer.question
        self.walls = asked.domain.inequalities()
        checkers_form(asked.network, asked.domain, self.form)
        self.first = self.first_of_halfspaces()

    def first_of_halfspaces(self) -> NDArray[np.bool_]:
        """Which pieces, in the order of their leaves, are the first with their half-space."""
        patterns = self.answer.pieces.patterns[self.walk.pieces]
        if self.answer.units == len(patterns):
            return np.ones(len(patterns), dtype=bool)
        seen: set[Form] = set()
        first = np.zeros(len(patterns), dtype=bool)
        for number, c in enumerate(self.form.on_cells(patterns)):
            h = primitive(c)
            first[number] = h not in seen
            seen.add(h)
        return first

    def write(self, file: zipfile.ZipFile, watch: Watch) -> None:
        """All members."""
        add = Members(file).add
        add("header.json", json.dumps(header_of(self.answer, DEEP, self.kind, self.idle)).encode())
        self.write_tree(add, watch)

    @property
    def idle(self) -> list[Point]:
        """The point that shows a constant answer."""
        return [constant_point(self.answer)] if self.answer.constant else []

    def write_tree(self, add: Callable[[str, bytes], None], watch: Watch) -> None:
        """The tree, block by block."""
        walk, width = self.walk, self.answer.question.network.inputs + 2
        units, none = len(self.form.units), 2 * len(self.form.units) + len(self.walls) + 1
        codes = np.array([KINDS[kind] for kind in range(SPLIT)] + [leaf.SPLIT + k for k in range(2 * units)])
        nodes = codes[walk.nodes]
        pieces = np.flatnonzero(walk.nodes == PIECE)
        nodes[pieces[~self.first]] = leaf.REPEAT
        rows = np.full((len(walk.rows), width), none, dtype=whole_type(none))
        rows[:, : walk.rows.shape[1]] = np.where(walk.rows < 0, none, walk.rows)
        shown, bounds, found = 0, 0, 0
        for block, start in enumerate(range(0, len(nodes), MOST_NODES)):
            watch.check(0.5 + 0.5 * start / len(nodes), found)
            here = walk.nodes[start : start + MOST_NODES]
            with_rows, with_full = (int(np.count_nonzero(np.isin(here, kinds))) for kinds in (WITH_ROWS, BOUNDS))
            there = int(np.count_nonzero(here == PIECE))
            numbers = walk.pieces[found : found + there][self.first[found : found + there]]
            points, exact = self.points(numbers, watch)
            columns = {
                "nodes": nodes[start : start + MOST_NODES].astype(whole_type(leaf.SPLIT + 2 * units)).tobytes(),
                "rows": rows[shown : shown + with_rows].tobytes(),
                "full": packed(walk.full[bounds : bounds + with_full].astype(bool)),
                "points": points.astype("<f8").tobytes(),
            }
            for column, values in columns.items():
                if values:
                    add(f"tree/{block}/{column}", values)
            if exact:
                add(f"tree/{block}/exact.json", json.dumps(exact).encode())
            shown, bounds, found = shown + with_rows, bounds + with_full, found + there

    def points(self, numbers: NDArray[np.int64], watch: Watch) -> tuple[FloatArray, dict[str, Any]]:
        """Two points for each of some pieces, (n, 2, d); exact ones for those that floats do not have."""
        patterns, points = self.answer.pieces.patterns[numbers], self.walk.points[numbers]
        fine = certain(self.form, self.walls, patterns, points)
        exact = {}
        for row in np.flatnonzero(~fine).tolist():
            watch.check(watch.share, row)
            pair = beside(self.form, self.walls, patterns[row], self.witnesses[int(numbers[row])])
            exact[str(row)] = [in_hexadecimal(at) for at in pair]
        return points, exact


def walked(answer: MinimalEquivalent, watch: Watch) -> Pieces:
    """The pieces with the tree, of an answer whose search did not record it. Stopped where the watch says so."""
    found = tree(answer.form, answer.question.domain, watch.part(0, 0.5), recorded=True, deep=True)
    if not found.complete or not isinstance(found.tree, DeepWalk):
        raise watch.error()
    if not np.array_equal(found.patterns, answer.pieces.patterns):
        raise LpnetError(f"the tree contradicts the engine {answer.engine} about the pieces; please report")
    return found


def checkers_form(
    network: ReLUNetwork, domain: Polyhedron, form: ExactForm, scores: Sequence[Sequence[Fraction]] = ()
) -> DeepForm:
    """The form that the checker will have, with other scores; LpnetError where it has other units than the search."""
    layers = [rows.tolist() for rows in map(fractions_of, network.given_layers)]
    implied = [bound.form(network.inputs) for bound in domain.implied]
    theirs = deep_form(layers, network.inputs, domain.inequalities(), implied, lambda steps: None, scores)
    if [len(level) for level in theirs.levels] != [len(level) for level in form.levels]:
        raise LpnetError("the checker and the search do not have the same units; please report")
    return theirs


def fractions_of(layer: Layer) -> NDArray[Any]:
    """The rows of a layer, exactly."""
    return rationals(np.asarray(layer.rows), lambda steps: None)


def certain(form: ExactForm, walls: Sequence[Form], patterns: NDArray[np.bool_], points: FloatArray) -> NDArray[np.bool_]:
    """Whether f < 0 and f > 0 at the two points (n, 2, d), inside the walls and the cells of the patterns, beyond rounding.

    A sum of products of what went through such sums before has an error of γ, for all operations in a row, times what the form
    would be with all its numbers positive.
    """
    size, m = len(form.affine), len(form.units)
    x = np.concatenate([points.reshape(-1, size - 1), np.ones((2 * len(points), 1))], axis=1).T
    reach, active, fine = np.abs(x), np.repeat(patterns, 2, axis=0).T, np.ones(2 * len(points), dtype=bool)
    bits = [0] * m
    z, most, operations = np.zeros((m, x.shape[1])), np.zeros((m, x.shape[1])), size + 6
    with np.errstate(all="ignore"):
        for level in form.levels:
            for k in level:
                links = form.links[k] if form.links else ()
                bits[k] = max([longest(form.units[k]), *(abs(c).bit_length() + bits[j] for j, c in links)])
                row = to_floats(form.units[k], -bits[k])
                factors = np.array([float(to_floats((c,), bits[j] - bits[k])[0]) for j, c in links])
                sources = [j for j, _ in links]
                z[k] = row @ x + factors @ (z[sources] * active[sources])
                most[k] = np.abs(row) @ reach + np.abs(factors) @ most[sources] + 1e-290
                fine &= (np.abs(z[k]) > rounding(operations, most[k])) & ((z[k] > 0) == active[k])
            operations += len(level) + m + 6
        common = max([longest(form.affine), *(abs(w).bit_length() + b for w, b in zip(form.signs, bits, strict=True))])
        row = to_floats(form.affine, -common)
        weights = np.array([float(to_floats((w,), b - common)[0]) for w, b in zip(form.signs, bits, strict=True)])
        f = row @ x + weights @ (z * active)
        size_f = np.abs(row) @ reach + np.abs(weights) @ most + 1e-290
        fine &= (np.abs(f) > rounding(operations, size_f)) & ((f > 0) == np.tile([False, True], len(points)))
        for h in walls:
            row = to_floats(h, -longest(h))
            fine &= row @ x > rounding(size + 6, np.abs(row) @ reach + 1e-290)
    return np.asarray(fine.reshape(-1, 2).all(axis=1))


def longest(form: Form) -> int:
    """The bits of the largest entry."""
    return max(abs(entry).bit_length() for entry in form)


def beside(form: ExactForm, walls: Sequence[Form], pattern: NDArray[np.bool_], at: Point) -> tuple[Point, Point]:
    """From a point of a piece to either side of it, along the gradient v of f: p ∓ 2^−t v, where no other sign changes."""
    cell = form.cell(pattern)
    v, q = cell.f[:-1], at[-1]
    shift = 0
    for h in (*cell.rows, *walls):
        here, slope = abs(value(h, at)), abs(sum(a * b for a, b in zip(h, v, strict=False))) * q
        if here and slope:
            shift = max(shift, slope.bit_length() - here.bit_length() + 2)
    scale = 1 << shift
    moved = [[entry * scale + side * step * q for entry, step in zip(at, v, strict=False)] for side in (-1, 1)]
    return (*moved[0], q * scale), (*moved[1], q * scale)
