"""Writes a proof file; its form is described in `lpnet.checker`."""

import json
import zipfile
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from lpnet.boundary.subsets import sign_program
from lpnet.checker.counts import closed_form, most_cells
from lpnet.checker.proof import FORMAT, VERSION, as_numbers
from lpnet.checker.question import NormalForm, normal_form, numbers
from lpnet.checker.tree import LEAF
from lpnet.equivalents import MinimalEquivalent
from lpnet.equivalents.minimal import witness_of
from lpnet.exact import Point, primitive
from lpnet.io import replacing, to_dict
from lpnet.programs import Certificate, SignProgram
from lpnet.proofs.points import beside_pieces, vertex_centres
from lpnet.proofs.tree import TreeProver
from lpnet.watch import Watch

BLOCK = 1 << 11  # rows: numpy is fastest on tables that fit the cache


def write_proof(answer: MinimalEquivalent, path: str | Path, watch: Watch | None = None) -> str | None:
    """Write the proof of a minimal equivalent; returns the kind of its evidence that there is no other half-space.

    An answer that was stopped before it was complete is proved as far as it goes. Nothing is written where the search for
    evidence is stopped (Stopped).
    """
    watch = watch or Watch()
    evidence = Evidence(answer)
    with (
        threadpool_limits(1),  # small matrices: threads would only wait for each other
        replacing(path) as temporary,
        zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file,
    ):
        evidence.write(file, watch)
    return evidence.kind


class Evidence:
    """The pieces of an answer in the order of a proof file, and what shows that they are all."""

    def __init__(self, answer: MinimalEquivalent) -> None:
        self.answer = answer
        self.network = {name: value for name, value in to_dict(answer.network).items() if name not in ("kind", "inputs")}
        walls = answer.domain.inequalities()
        inputs = answer.network.inputs
        form = normal_form(numbers(self.network, inputs), inputs, walls)
        self.order = in_order(form)
        self.form = form.reordered(self.order)
        patterns = answer.pieces.patterns[:, self.order]
        first = np.zeros(len(patterns), dtype=bool)
        first[answer.first_piece] = True
        self.sorted = np.lexsort(patterns.T[::-1]) if patterns.shape[1] else np.arange(len(patterns))
        self.patterns, self.first = patterns[self.sorted], first[self.sorted]
        self.rows = np.flatnonzero(self.first)
        self.idle = constant_point(answer)
        self.kind = self.choose()

    def choose(self) -> str | None:
        """The kind of evidence for "no other": the cheapest that proves it."""
        if not self.answer.complete:
            return None
        if self.answer.engine == "independent" and closed_form(self.form) == self.answer.units:
            return "closed form"
        if self.answer.engine != "vertices":
            return "tree"
        idle = idle_cells(self.form)
        if self.answer.units == most_cells(self.form)[0] - len(idle) > 0:
            self.idle = idle
            return "bound"
        return "vertices"

    def header(self) -> dict[str, Any]:
        """header.json."""
        return {
            "format": FORMAT,
            "version": VERSION,
            "network": self.network,
            "inputs": self.answer.network.inputs,
            "inequalities": [in_hexadecimal(h) for h in self.form.walls],
            "order": self.order,
            "units": f"{self.answer.units:x}",
            "complete": self.kind,
            "constant": self.answer.constant,
            "idle": [in_hexadecimal(at) for at in self.idle],
        }

    def write(self, file: zipfile.ZipFile, watch: Watch) -> None:
        """All members."""
        file.writestr("header.json", json.dumps(self.header()))
        if self.kind == "closed form":
            return
        centres = vertex_centres(self.form, self.patterns[self.rows], watch)
        program = sign_program(self.answer.form, self.answer.domain)
        for block, start in enumerate(range(0, len(self.rows), BLOCK)):
            rows = self.rows[start : start + BLOCK]

            def witness(row: int, rows: NDArray[np.intp] = rows) -> Point:
                return self.witness(rows[row], program, watch)

            points, exact = beside_pieces(self.form, self.patterns[rows], centres[start : start + BLOCK], witness)
            file.writestr(f"units/{block}/patterns", packed(self.patterns[rows]))
            file.writestr(f"units/{block}/points", points.astype("<f8").tobytes())
            if exact:
                pairs = {str(row): [in_hexadecimal(at) for at in pair] for row, pair in exact.items()}
                file.writestr(f"units/{block}/exact.json", json.dumps(pairs))
        if self.kind == "tree":
            self.write_tree(file, watch)
        elif self.kind == "vertices":
            others = np.flatnonzero(~self.first)
            numbers = self.numbers()
            for block, start in enumerate(range(0, len(others), BLOCK)):
                rows = others[start : start + BLOCK]
                file.writestr(f"repeats/{block}/patterns", packed(self.patterns[rows]))
                file.writestr(f"repeats/{block}/numbers", np.array([numbers[row] for row in rows], dtype="<u8").tobytes())

    def witness(self, row: int, program: SignProgram, watch: Watch) -> Point:
        """An exact point of a piece."""
        watch.check(0.5 * row / len(self.first), len(self.rows))
        piece = self.sorted[row]
        known = self.answer.pieces.witnesses
        return known[piece] if known is not None else witness_of(self.answer.form, self.answer.pieces.patterns[piece], program)

    def numbers(self) -> list[int]:
        """The number of the half-space that each piece carries."""
        if self.first.all():
            return list(range(len(self.first)))
        halfspaces = [primitive(self.form.on_cell(number)) for number in self.pieces()]
        number = {halfspaces[row]: index for index, row in enumerate(self.rows)}
        return [number[h] for h in halfspaces]

    def pieces(self) -> list[int]:
        """The patterns as numbers."""
        return list(as_numbers(packed(self.patterns), len(self.form.units)))

    def write_tree(self, file: zipfile.ZipFile, watch: Watch) -> None:
        """The tree, block by block."""
        prover = TreeProver(self.form, self.pieces(), self.numbers())
        for block, leaves in enumerate(batches(prover.leaves())):
            done = prover.rows / max(1, len(self.rows))
            watch.check(0.5 + 0.49 * done, len(self.rows))
            file.writestr(f"tree/{block}/leaves", np.array(leaves, dtype=LEAF).tobytes())
            file.writestr(f"tree/{block}/certificates.json", json.dumps(prover.take()))


def batches(leaves: Iterator[tuple[int, int, int]]) -> Iterator[list[tuple[int, int, int]]]:
    """Blocks of leaves."""
    while block := list(islice(leaves, BLOCK)):
        yield block


def packed(patterns: NDArray[np.bool_]) -> bytes:
    """Patterns as bits, the first unit highest; one byte a pattern where there are no units."""
    return np.packbits(patterns, axis=1).tobytes() if patterns.shape[1] else bytes(len(patterns))


def in_hexadecimal(numbers: Sequence[int]) -> list[str]:
    """Integers as a proof file has them."""
    return [f"{number:x}" for number in numbers]


def in_order(form: NormalForm) -> list[int]:
    """The units of the fewer kind of sign first: once they are fixed, f is convex (or concave) on what is left."""
    first = -1 if sum(s < 0 for s in form.signs) <= len(form.signs) / 2 else 1
    return sorted(range(len(form.units)), key=lambda k: form.signs[k] != first)


def idle_cells(form: NormalForm) -> list[Point]:
    """A point of the cell on which all units are inactive, if there is one and f is constant on it."""
    if any(form.affine[:-1]):
        return []
    at = SignProgram([*form.units, *form.walls], len(form.affine) - 1).decide([-1] * len(form.units) + [1] * len(form.walls))
    return [] if isinstance(at, Certificate) else [at]


def constant_point(answer: MinimalEquivalent) -> list[Point]:
    """A point of the domain where f is not 0; or of a cell on which it is; for an answer without half-spaces."""
    if answer.constant is None:
        return []
    program = sign_program(answer.form, answer.domain)
    inside = [1] * (len(program.forms) - len(answer.form.units))
    signs: list[int] = []
    for rest in range(len(answer.form.units) - 1, -1, -1):  # unit by unit into a cell
        signs.append(1)
        if isinstance(program.decide([*signs, *[0] * rest, *inside]), Certificate):
            signs[-1] = -1
    at = program.decide([*signs, *inside])
    assert not isinstance(at, Certificate)
    return [at]
