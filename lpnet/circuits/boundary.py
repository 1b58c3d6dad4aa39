"""The boundary of f as the union of its pieces: which of them meet a conjunction of half-spaces?"""

from collections.abc import Iterator, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from lpnet.exact import Form
from lpnet.networks import ExactForm, Polyhedron
from lpnet.regions.reasons import ABOVE, BELOW, ON, halfspace, meet, sides_of
from lpnet.regions.search import Questions


class Piece:
    """A piece as a region of its hyperplane, exact questions about it, and conjunctions known to be false all over it.

    false: by side, sets of half-spaces as bits: nowhere on the piece do all of them have that side's sign.
    """

    def __init__(self, form: ExactForm, domain: Polyhedron, pattern: NDArray[np.bool_], number: dict[Form, int]) -> None:
        cell, self.pattern, self.questions = form.cell(pattern), pattern, Questions(domain)
        plane, _ = halfspace(cell.f, ON)
        self.region = meet(self.questions.walls, sides_of(cell)) | {plane: ON}
        own = 1 << number[plane]
        self.false = {1: [own], -1: [own]}


class Boundary:
    """All pieces of a form on a domain; halfspaces: those needed, (m,); patterns: of the pieces, (pieces, n)."""

    def __init__(self, form: ExactForm, domain: Polyhedron, halfspaces: Sequence[Form], patterns: NDArray[np.bool_]) -> None:
        self.form, self.domain, self.patterns = form, domain, patterns
        self.literals = {side: [halfspace(h, sides) for h in halfspaces] for side, sides in ((1, ABOVE), (-1, BELOW))}
        self.number = {plane: k for k, (plane, _) in enumerate(self.literals[1])}

    @cached_property
    def pieces(self) -> list[Piece]:
        """The pieces."""
        return [Piece(self.form, self.domain, pattern, self.number) for pattern in self.patterns]

    def meeting(self, chosen: NDArray[np.bool_], side: int) -> Iterator[NDArray[np.bool_] | None]:
        """The patterns of pieces that meet the open region where the chosen half-spaces have this side's sign.

        None for one that does not, so that somebody may look at the clock.
        """
        numbers = np.flatnonzero(chosen).tolist()
        term, literals = sum(1 << k for k in numbers), [self.literals[side][k] for k in numbers]
        for piece in self.pieces:
            if any(known & term == known for known in piece.false[side]):
                continue
            region = dict(piece.region)
            contradicting = []
            for plane, sides in literals:
                region[plane] = region.get(plane, sides) & sides
                if not region[plane]:
                    contradicting.append(plane)
            at = None
            if not contradicting:
                at, contradicting = piece.questions.decide(region)
            if at is None:
                given = {self.number[plane] for plane in contradicting if plane in self.number}
                piece.false[side].append(sum(1 << k for k in given.intersection(numbers)))
            yield None if at is None else piece.pattern
