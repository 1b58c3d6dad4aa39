"""The boundary of f as the union of its pieces: which of them meet a conjunction of half-spaces?"""

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from lpnet.boundary.engines import find_pieces
from lpnet.exact import Form
from lpnet.networks import ExactForm, Polyhedron
from lpnet.regions.reasons import ABOVE, BELOW, ON, halfspace, meet, sides_of
from lpnet.regions.search import Questions
from lpnet.watch import Watch

MOST_ASKED = 500
SOME = 8


class Piece:
    """A piece as a region of its hyperplane, exact questions about it, and conjunctions known to be false all over it.

    false: by side, sets of half-spaces as bits: nowhere on the piece do all of them have that side's sign.
    """

    def __init__(self, form: ExactForm, domain: Polyhedron, pattern: NDArray[np.bool_], planes: Sequence[Form]) -> None:
        cell, self.pattern, self.questions = form.cell(pattern), pattern, Questions(domain)
        plane, _ = halfspace(cell.f, ON)
        self.region = meet(self.questions.walls, sides_of(cell)) | {plane: ON}
        own = [1 << k for k, other in enumerate(planes) if other == plane]
        self.false = {1: own.copy(), -1: own.copy()}


class Boundary:
    """All pieces of a form on a domain; halfspaces: those needed, (m,); patterns: of the pieces, (pieces, n)."""

    def __init__(self, form: ExactForm, domain: Polyhedron, halfspaces: Sequence[Form], patterns: NDArray[np.bool_]) -> None:
        self.form, self.domain, self.patterns = form, domain, patterns
        self.literals = {side: [halfspace(h, sides) for h in halfspaces] for side, sides in ((1, ABOVE), (-1, BELOW))}

    @cached_property
    def pieces(self) -> list[Piece]:
        """The pieces."""
        planes = [plane for plane, _ in self.literals[1]]
        return [Piece(self.form, self.domain, pattern, planes) for pattern in self.patterns]

    def meeting(
        self, chosen: NDArray[np.bool_], side: int, region: Polyhedron, look: Callable[[], None]
    ) -> Iterator[NDArray[np.bool_]]:
        """The patterns of pieces that meet the region where the chosen half-spaces have this side's sign; look: at the clock.

        Of one level, or of many pieces, some are searched for anew in that region. Between the rows of many levels it is a
        sliver in which the tree finds its way in integers only; there each piece is asked.
        """
        if not self.form.links or len(self.patterns) > MOST_ASKED:
            watch = Watch(max_pieces=SOME, report=lambda share, found: look())
            yield from find_pieces(self.form, region, watch)[0].patterns
            return
        literals = {int(k): self.literals[side][k] for k in np.flatnonzero(chosen)}
        term = sum(1 << k for k in literals)
        for piece in self.pieces:
            if any(known & term == known for known in piece.false[side]):
                continue
            both = meet(piece.region.items(), literals.values())
            contradicting = [plane for plane, sides in both.items() if not sides]
            at, excluding = (None, contradicting) if contradicting else piece.questions.decide(both)
            if at:
                yield piece.pattern
            else:
                piece.false[side].append(sum(1 << k for k, (plane, _) in literals.items() if plane in excluding))
            look()
