"""What floats leave in doubt about nodes of the tree, answered in integers."""

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from lpnet.boundary.subsets import sign_program
from lpnet.boundary.tree.bounds import Chords, Leaf, one_sign
from lpnet.boundary.tree.nodes import Proof, Signs
from lpnet.exact import Form, Point
from lpnet.networks import ExactForm, Polyhedron
from lpnet.programs import Certificate, SignProgram
from lpnet.programs.stems import contradiction


class Exactly:
    """A form on a domain, its rows in the kernel's order: `place` tells that of each unit, (m,). solved: questions so far.

    A node is given by its level, the signs of its rows and the pattern of its units.
    """

    def __init__(self, form: ExactForm, walls: Sequence[Form], place: NDArray[np.int64]) -> None:
        self.form, self.walls, self.place, self.solved = form, walls, place, 0
        self._rows: dict[int, tuple[bytes, list[Form]]] = {}
        self._programs: dict[int, tuple[bytes, SignProgram]] = {}

    @cached_property
    def everywhere(self) -> SignProgram:
        """The program of the form and the domain: models are only made where somebody asks."""
        return sign_program(self.form, Polyhedron(self.form.inputs, tuple(self.walls)))

    def rows(self, pattern: Signs, level: int) -> list[Form]:
        """The rows of all levels up to one, in the kernel's order, then the walls and 1; those of other levels are 0."""
        key = pattern[: self.form.levels[level].start].tobytes()
        if level not in self._rows or self._rows[level][0] != key:
            units: list[Form] = []
            for lower in range(level + 1):
                units += self.form.unfold(lower, pattern, units)
            one = (0,) * self.form.inputs + (1,)
            rows = [(0,) * len(one)] * len(self.form.units)
            for k, unit in enumerate(units):
                rows[self.place[k]] = unit
            self._rows[level] = key, [*rows, *self.walls, one]
        return self._rows[level][1]

    def program(self, pattern: Signs, level: int) -> SignProgram:
        """The program of these rows."""
        key = pattern[: self.form.levels[level].start].tobytes()
        if level not in self._programs or self._programs[level][0] != key:
            self._programs[level] = key, SignProgram(self.rows(pattern, level)[:-1], self.form.inputs)
        return self._programs[level][1]

    def ask(self, signs: Signs, pattern: Signs, level: int, row: int, side: int) -> Point | Certificate:
        """A point of the node on one side of a row, or the proof that there is none."""
        rows, program = self.rows(pattern, level), self.program(pattern, level)
        relations = [int(s) if any(h[:-1]) else 0 for s, h in zip(signs[:-1], rows, strict=False)]
        relations[row] = side
        self.solved += 1
        return program.decide(relations)

    def circuit(self, signs: Signs, pattern: Signs, level: int, row: int, side: int, proof: Proof) -> list[int]:
        """Those of a row on one side and the evidence that contradict each other; none where they are not seen to."""
        self.solved += 1
        signs[row] = side
        found = contradiction(self.rows(pattern, level), signs, [row, *(int(code) for code in proof.evidence if code >= 0)])
        signs[row] = 0
        return found

    def keeps_sign(self, side: int, signs: Signs, pattern: Signs, proof: Proof, chords: Chords) -> bool:
        """Whether the proposed proof that f keeps one sign on a node of the last level holds."""
        rows, last = self.rows(pattern, len(self.form.levels) - 1), self.form.levels[-1]
        affine = self.form.output([*pattern[: last.start], *[0] * len(last)], [rows[row] for row in self.place])
        leaf = ExactForm(affine, tuple(rows[: len(last)]), self.form.signs[last.start :], 0)
        self.solved += 1
        return one_sign(Leaf(leaf, rows, len(self.place), chords), side, signs, proof.evidence, proof.facing)

    def point_of(self, pattern: Signs) -> Point | None:
        """A point of a cell, if there is any."""
        level = len(self.form.levels) - 1
        rows = self.rows(pattern, level)
        signs = np.ones(len(rows), np.int8)
        signs[self.place] = pattern
        row = next(row for row in self.place if any(rows[row][:-1]))
        found = self.ask(signs, pattern, level, row, int(signs[row]))
        return None if isinstance(found, Certificate) else found
