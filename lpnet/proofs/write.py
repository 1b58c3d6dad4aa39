"""Writes a proof file; its form is described in `lpnet.checker`."""

import itertools
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from lpnet.boundary.subsets import sign_program
from lpnet.boundary.tree import tree
from lpnet.boundary.walk import EMPTY, NEGATIVE, NOT_NEGATIVE, OPEN, PIECE, SPLIT, TOUCHING, Walk
from lpnet.checker import nodes as leaf
from lpnet.checker.closed import cells_at_point, closed_form
from lpnet.checker.proof import MOST_ROWS, VERSION
from lpnet.checker.question import normal_form, numbers
from lpnet.equivalents import MinimalEquivalent
from lpnet.equivalents.classes import MinimalClasses
from lpnet.equivalents.minimal import perhaps_equal, witness_of
from lpnet.errors import LpnetError
from lpnet.exact import Form, Point, primitive
from lpnet.io import replacing
from lpnet.programs import SignProgram
from lpnet.proofs.classes import write_classes
from lpnet.proofs.deep import DeepEvidence
from lpnet.proofs.members import Members, constant_point, fields_of, header_of, in_hexadecimal, packed
from lpnet.proofs.points import beside_pieces, step_off, vertex_centres
from lpnet.watch import Watch

BLOCK = 1 << 11  # rows: numpy is fastest on tables that fit the cache
LARGE = 1 << 20  # bytes of points: with as many, a block ends
KINDS = {PIECE: leaf.UNIT, EMPTY: leaf.EMPTY, NOT_NEGATIVE: leaf.NOT_NEGATIVE, NEGATIVE: leaf.NEGATIVE}
KINDS |= {TOUCHING: leaf.TOUCHING, OPEN: leaf.OPEN}


def write_proof(answer: MinimalEquivalent | MinimalClasses, path: str | Path, watch: Watch | None = None) -> str | None:
    """Write the proof of a minimal equivalent; returns the kind of its evidence that there is no other half-space.

    Of several outputs: `write_classes`. An answer that was stopped before it was complete is proved as far as it goes. If the
    evidence is a tree that the search did not record (`recorded`), the tree engine is asked once more. Nothing is written where
    the search for evidence is stopped (Stopped). Raises InputError for a domain whose numbers are too long for the checker.
    """
    watch = watch or Watch()
    if isinstance(answer, MinimalClasses):
        return write_classes(answer, path, watch)
    deep = answer.network.deeper or answer.network.skip is not None
    evidence = DeepEvidence(answer, watch) if deep else Evidence(answer, watch)
    with replacing(path) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file:
        evidence.write(file, watch)
    return evidence.kind


class Evidence:
    """The pieces of an answer in the order of a proof file, and what shows that they are all."""

    def __init__(self, answer: MinimalEquivalent, watch: Watch) -> None:
        self.answer = answer
        asked = answer.question
        walls, inputs, implied = asked.domain.inequalities(), asked.network.inputs, asked.domain.implied
        network = numbers(fields_of(asked.network), inputs)
        self.form = normal_form(network, inputs, walls, [bound.form(inputs) for bound in implied])
        self.patterns, self.rows = answer.pieces.patterns, answer.first_piece
        self.first = np.zeros(len(self.patterns), dtype=bool)
        self.first[self.rows] = True
        self.idle = [constant_point(answer)] if answer.constant else []
        self.kind = self.choose()
        known = answer.pieces.tree if isinstance(answer.pieces.tree, Walk) else None
        self.walk = known or (walked(answer, watch) if self.kind == "tree" else None)
        if self.walk:  # rows in the order of their leaves
            self.rows = self.rows[np.argsort(self.walk.order[self.rows])]

    def choose(self) -> str | None:
        """The kind of evidence for "no other": the cheapest that proves it."""
        if not self.answer.complete:
            return None
        if self.answer.engine == "independent" and closed_form(self.form) == self.answer.units:
            return "closed form"
        if self.answer.engine != "vertices":
            return "tree"
        most = cells_at_point(self.form)  # so many only in general position
        return "closed form" if most and most[1] > 1 and most[0] - self.answer.units in (0, 1) else "vertices"

    def write(self, file: zipfile.ZipFile, watch: Watch) -> None:
        """All members."""
        add = Members(file).add
        add("header.json", json.dumps(header_of(self.answer, VERSION, self.kind, self.idle)).encode())
        if self.kind == "vertices":
            self.write_patterns(add)
        elif self.kind != "closed form":
            with threadpool_limits(1):  # small matrices: threads would only wait for each other
                self.write_points(add, watch)
        if self.walk and self.kind != "closed form":
            self.write_tree(self.walk, add, watch)

    def write_points(self, add: Callable[[str, bytes], None], watch: Watch) -> None:
        """The patterns of the rows with their points."""
        centres = None if self.walk else vertex_centres(self.form, self.patterns[self.rows], watch)
        program = sign_program(self.answer.form, self.answer.question.domain)
        block = itertools.count()
        for start in range(0, len(self.rows), BLOCK):
            rows = self.rows[start : start + BLOCK]

            def witness(row: int, rows: NDArray[np.intp] = rows) -> Point:
                return self.witness(rows[row], program, watch)

            patterns = self.patterns[rows]
            if self.walk and self.walk.points is not None:
                points = self.walk.points[rows]
            elif centres is not None:
                points = step_off(self.form, centres[start : start + BLOCK], patterns)
            else:
                points = np.full((len(rows), 2, len(self.form.affine) - 1), np.nan)
            points, exact = beside_pieces(self.form, patterns, points, witness)
            pairs = {row: [in_hexadecimal(at) for at in pair] for row, pair in exact.items()}
            length = sum(len(x) for pair in pairs.values() for at in pair for x in at)
            for part in np.array_split(np.arange(len(rows)), min(1 + length // LARGE, len(rows))):
                name, here = f"units/{next(block)}", {str(row - part[0]): pairs[row] for row in part.tolist() if row in pairs}
                add(f"{name}/patterns", packed(patterns[part]))
                add(f"{name}/points", points[part].astype("<f8").tobytes())
                if here:
                    add(f"{name}/exact.json", json.dumps(here).encode())

    def write_patterns(self, add: Callable[[str, bytes], None]) -> None:
        """The patterns of the rows, and of the repeats with the numbers of their rows."""
        for block, start in enumerate(range(0, len(self.rows), MOST_ROWS)):
            add(f"units/{block}/patterns", packed(self.patterns[self.rows[start : start + MOST_ROWS]]))
        others, numbers = np.flatnonzero(~self.first), self.numbers()
        for block, start in enumerate(range(0, len(others), MOST_ROWS)):
            rows = others[start : start + MOST_ROWS]
            add(f"repeats/{block}/patterns", packed(self.patterns[rows]))
            add(f"repeats/{block}/numbers", np.array([numbers[row] for row in rows], dtype="<u8").tobytes())

    def witness(self, row: int, program: SignProgram, watch: Watch) -> Point:
        """An exact point of a piece."""
        watch.check(0.5 * row / len(self.first), len(self.rows))
        known = self.answer.pieces.witnesses
        return known[row] if known is not None else witness_of(self.answer.form, self.patterns[row], program)

    def numbers(self) -> dict[int, int]:
        """The number of the half-space of each piece that carries one of a row, too."""
        number, others = {int(piece): index for index, piece in enumerate(self.rows)}, {}
        for group in [] if self.first.all() else perhaps_equal(self.answer.form, self.patterns):
            halfspaces: dict[Form, int] = {}
            for piece in group.tolist():
                h = primitive(self.answer.form.on_cell(self.patterns[piece]))
                if self.first[piece]:
                    halfspaces[h] = number[piece]
                else:
                    others[piece] = halfspaces[h]
        return others

    def write_tree(self, walk: Walk, add: Callable[[str, bytes], None], watch: Watch) -> None:
        """The tree, block by block."""
        units = len(self.form.units)
        kinds = np.array([KINDS.get(kind, leaf.OPEN) for kind in range(SPLIT)] + [leaf.SPLIT + k for k in range(units)])
        nodes = kinds[walk.nodes]
        numbers = {int(walk.order[piece]): number for piece, number in self.numbers().items()}
        nodes[list(numbers)] = leaf.REPEAT
        none, first = len(self.form.walls) + 1 + 2 * units, 0
        rows = np.where(walk.rows < 0, none, walk.rows).astype(leaf.whole_type(none))
        size = leaf.most_nodes(units)
        for block, start in enumerate(range(0, len(nodes), size)):
            watch.check(0.5 + 0.49 * start / len(nodes), len(self.rows))
            here = nodes[start : start + size]
            shown = here[np.isin(here, leaf.WITH_ROWS)]
            part, bounds = slice(first, first + len(shown)), np.isin(shown, leaf.BOUNDS)
            repeated = [numbers[start + node] for node in np.flatnonzero(here == leaf.REPEAT).tolist()]
            columns = {"nodes": here.astype(leaf.whole_type(leaf.SPLIT + units)), "rows": rows[part]}
            columns |= {"full": walk.full[part][bounds], "numbers": np.array(repeated, dtype="<u4")}
            for column, values in columns.items():
                if len(values):
                    add(f"tree/{block}/{column}", values.tobytes())
            first += len(shown)


def walked(answer: MinimalEquivalent, watch: Watch) -> Walk:
    """The tree of an answer whose search did not record it. Stopped where the watch says so; LpnetError for other pieces."""
    found = tree(answer.form, answer.question.domain, watch.part(0, 0.5), recorded=True)
    if not found.complete or not isinstance(found.tree, Walk):
        raise watch.error()
    if not np.array_equal(found.patterns, answer.pieces.patterns):
        raise LpnetError(f"the tree contradicts the engine {answer.engine} about the pieces; please report")
    return found.tree
