"""The boundary of f from one side: which conjunctions of half-spaces does it keep out of?

A *literal* is true where its half-space has the sign of the side (`lpnet.circuits.parts`); literals come as bits of integers.
A conjunction keeps clear of a piece of the boundary if one of its literals is false all over the piece, which holds for all
conjunctions with that literal and is remembered, or if several of them together are. What floats see at points of the pieces
says which literals are worth a question; integers answer it.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from lpnet.circuits.sample import Floats, floats_of, rows_of, signs_and_clarity, spread
from lpnet.exact import FloatArray, Form, Point, primitive, times
from lpnet.networks import ExactForm, Polyhedron
from lpnet.networks.exact_form import beside
from lpnet.programs import Certificate, SignProgram
from lpnet.programs.below import Cone, Vectors, vectors
from lpnet.regions.reasons import ABOVE, BELOW, ON, Literal, halfspace, meet, sides_of
from lpnet.regions.search import Questions

TRIED = 6  # literals that are not false all over a piece, before several together are looked at
FEW = 100  # pieces: fewer are asked about before a compiled function is loaded


@dataclass(eq=False)
class Term:
    """A conjunction, and some of its literals that are to do instead, both as bits; right: False where a piece is met."""

    full: int
    short: int
    right: bool = True
    proved: bool = False


class Piece:
    """A piece with literals false all over it: `false`, proved, and at all its `points`, which have false literals each.

    together: sets of literals, proved not to be true together anywhere on it.
    """

    def __init__(self, pattern: NDArray[np.bool_], halfspace: Form, own: int, everything: int) -> None:
        self.pattern, self.halfspace, self.false, self.perhaps = pattern, halfspace, own, everything
        self.at: FloatArray | None = None
        self.points: list[int] = []
        self.together: list[int] = []

    def note(self, false: int) -> None:
        """One more point."""
        self.points.append(false | self.false)
        self.perhaps &= self.points[-1]

    def off(self, term: int) -> bool:
        """Whether it is known that a term meets it nowhere."""
        return bool(term & self.false) or any(known & term == known for known in self.together)


class Boundary:
    """All pieces of a form on a domain, from a side; halfspaces: those needed, m primitive forms; patterns: (pieces, n)."""

    def __init__(
        self,
        form: ExactForm,
        domain: Polyhedron,
        halfspaces: Sequence[Form],
        patterns: NDArray[np.bool_],
        side: int,
        floats: Floats,
        witnesses: Sequence[Point],
    ) -> None:
        self.form, self.side, self.floats, self.questions = form, side, floats, Questions(domain)
        self.halfspaces = list(map(primitive, halfspaces))
        self.walls = domain.inequalities()
        own: dict[Form, int] = {}
        for k, h in enumerate(halfspaces):
            plane, _ = halfspace(h, ON)
            own[plane] = own.get(plane, 0) | 1 << k
        everything, carried = (1 << len(halfspaces)) - 1, list(map(primitive, form.on_cells(patterns)))
        self.pieces = [Piece(p, h, own[halfspace(h, ON)[0]], everything) for p, h in zip(patterns, carried, strict=True)]
        self.vectors = vectors(self.halfspaces, floats.kept).times(side)
        self.many = len(self.pieces) > FEW
        self.others: list[int] = []  # the literals false at points elsewhere
        self._look(witnesses)
        self._in_order = list(self.pieces)
        self.common = unpacked([piece.perhaps for piece in self.pieces], len(halfspaces)).sum(axis=0).tolist()

    def point_inside(self, term: int) -> int | None:
        """The literals false at a known point of the boundary inside a term; None: no such point is known."""
        if any(not term & false for false in self.others):
            return next(false for false in self.others if not term & false)
        for number, piece in enumerate(self._in_order):
            if term & piece.perhaps:
                continue
            for false in piece.points:
                if not term & false:
                    self._in_order.insert(0, self._in_order.pop(number))  # it will keep others from growing, too
                    return false
        return None

    def term(self, full: int) -> Term:
        """A term with a few literals that keep it clear of all known points, where that can be."""
        short = 0
        for piece in self.pieces:
            if short & piece.perhaps:
                continue
            for false in (piece.perhaps,) if full & piece.perhaps else piece.points:
                if full & false and not short & false:
                    short |= 1 << max(bits(full & false), key=self.common.__getitem__)
        return Term(full, short)

    def keeps_off(self, term: Term) -> bool:
        """Whether a term keeps off all known points, perhaps with other literals."""
        if self.point_inside(term.short) is not None:
            term.right = self.point_inside(term.full) is None
            term.short = self.term(term.full).short
        return term.right

    def keep_out(self, terms: Sequence[Term], look: Callable[[], None]) -> None:
        """Give short terms literals of the full ones until no piece meets them; or note points of pieces in the full ones."""
        for piece in self.pieces:
            waiting = [term for term in terms if term.right and not piece.off(term.short)]
            if waiting:
                look()
                question = Question(self, piece)
                for term in waiting:
                    self._keep_out(piece, term, question)
        for term in terms:
            term.proved = term.right

    def _keep_out(self, piece: Piece, term: Term, question: "Question") -> None:
        tried = 0
        while not piece.off(term.short):
            likely = term.short & piece.perhaps or term.full & piece.perhaps
            if likely and tried < TRIED:
                tried += 1
                k = max(bits(likely), key=self.common.__getitem__)
                if question.false(k):
                    piece.false |= 1 << k
                    term.short |= 1 << k
                continue
            true = ABOVE if self.side > 0 else BELOW
            literals = {halfspace(self.halfspaces[k], true): 1 << k for k in bits(term.short)}
            region = meet(self._region(piece), literals)
            contradicting = [plane for plane, sides in region.items() if not sides]
            found, excluding = (None, contradicting) if contradicting else self.questions.decide(region)
            if found is None:
                piece.together.append(sum(bit for (plane, _), bit in literals.items() if plane in excluding))
                return
            false = self.false_beside(piece, found)
            piece.note(false)
            if not term.full & false:
                term.right = False
                return
            term.short |= 1 << max(bits(term.full & false), key=self.common.__getitem__)

    def _region(self, piece: Piece) -> list[Literal]:
        return [*self.questions.walls, *self.sides(piece), halfspace(piece.halfspace, ON)]

    def sides(self, piece: Piece) -> list[Literal]:
        """Where the units have their signs on a piece, but for those that are 0 all over it."""
        plane, _ = halfspace(piece.halfspace, ON)
        return [literal for literal in sides_of(self.form.cell(piece.pattern)) if literal[0] != plane]

    def false_beside(self, piece: Piece, at: Point) -> int:
        """The literals false beside a point of a piece, generically, where the answer is the other one."""

        def settle(k: int) -> int:
            return beside(self.halfspaces[k], at, piece.halfspace, -self.side)

        return as_bits(self.floats.signs_at(self.halfspaces, at, settle) != self.side)

    def _look(self, witnesses: Sequence[Point]) -> None:
        """Note points of the pieces on which the witnesses are seen to lie."""
        starts = np.array([x for x in map(floats_of, witnesses) if np.isfinite(x).all()]).reshape(-1, self.form.inputs)
        number = {piece.pattern.tobytes(): piece for piece in self.pieces}
        active = self.floats.active(starts)
        on = [(k, number[row.tobytes()]) for k, row in enumerate(active) if row.tobytes() in number]
        if not on:
            return
        starts, active = starts[[k for k, _ in on]], active[[k for k, _ in on]]
        planes = rows_of([piece.halfspace for _, piece in on], self.form.inputs)[:, :-1]
        points = spread(self.floats, starts, active, slice(None), 0, planes)
        for (_, piece), some in zip(on, points, strict=True):
            piece.at = some[0] if self.many else None
            signs, clear = signs_and_clarity(self.floats.halfspaces, some)
            clear[:, list(bits(piece.false))] = True
            for row in signs[clear.all(axis=1)]:
                piece.note(as_bits(row != self.side))


class Question:
    """Is a literal false all over a piece?"""

    def __init__(self, boundary: Boundary, piece: Piece) -> None:
        sides = [(row, 1 if side == ABOVE else -1) for row, side in boundary.sides(piece)]
        self.rows = [*((h, 1) for h in boundary.walls), *sides, (piece.halfspace, 0)]
        self.boundary, self.piece, self.relations = boundary, piece, [relation for _, relation in self.rows]

    @cached_property
    def _program(self) -> SignProgram:
        forms = [form for form, _ in self.rows]
        return SignProgram([*forms, forms[-1]], len(forms[0]) - 1)

    @cached_property
    def _cone(self) -> tuple[Cone, Vectors] | None:
        """The piece in floats, and the literals on its hyperplane; None where no point of it is at hand."""
        if self.piece.at is None:
            return None
        floats, inputs = self.boundary.floats, len(self.piece.halfspace) - 1
        plane = vectors([self.piece.halfspace], floats.kept)
        forms = [times(side, form) for form, side in self.rows[:-1]] + [(0,) * inputs + (1,)]
        at = np.delete(floats.onto @ np.append(self.piece.at, 1.0), np.argmax(np.abs(plane.rows[0])))
        own, strict = vectors(forms, floats.kept).within(plane), np.ones(len(forms), dtype=bool)
        return Cone(forms, own, strict, at, self.piece.halfspace), self.boundary.vectors.within(plane)

    def false(self, k: int) -> bool:
        """Whether literal k is false all over the piece; else notes a point of it where it is true."""
        boundary, piece = self.boundary, self.piece
        if self._cone:
            cone, literals = self._cone
            own = literals.take([k])
            if cone.negative([times(boundary.side, boundary.halfspaces[k])], own, weak=True)[0]:
                return True
            if self._seen(k, cone.above(own)):
                return False
        self._program.replace(len(self.relations), boundary.halfspaces[k])
        at = self._program.decide([*self.relations, boundary.side], piece.halfspace)
        if not isinstance(at, Certificate):
            piece.note(boundary.false_beside(piece, at))
        return isinstance(at, Certificate)

    def _seen(self, k: int, y: FloatArray | None) -> bool:
        """Note a point that floats see on the piece, given by its coordinates there, if literal k is clearly true at it."""
        if y is None:
            return False
        floats, plane = self.boundary.floats, vectors([self.piece.halfspace], self.boundary.floats.kept).rows[0]
        p = int(np.argmax(np.abs(plane)))
        y = np.insert(y, p, -(np.delete(plane, p) @ y) / plane[p])
        x = np.zeros((1, len(self.piece.halfspace) - 1))
        x[0, floats.kept[:-1]] = y[:-1] / y[-1]
        signs, clear = signs_and_clarity(floats.halfspaces, x)
        clear[:, list(bits(self.piece.false))] = True
        if clear.all() and signs[0, k] == self.boundary.side:
            self.piece.note(as_bits(signs[0] != self.boundary.side))
            return True
        return False


def bits(number: int) -> Iterator[int]:
    """The places of its ones."""
    while number:
        lowest = number & -number
        yield lowest.bit_length() - 1
        number ^= lowest


def as_bits(row: NDArray[np.bool_]) -> int:
    """Booleans as the bits of an integer."""
    return int.from_bytes(np.packbits(row, bitorder="little").tobytes(), "little")


def unpacked(numbers: Sequence[int], count: int) -> NDArray[np.bool_]:
    """The bits of integers as Booleans, (numbers, count)."""
    size = -(-count // 8)
    rows = np.frombuffer(b"".join(number.to_bytes(size, "little") for number in numbers), dtype=np.uint8)
    return np.unpackbits(rows.reshape(len(numbers), size), axis=1, count=count, bitorder="little").astype(bool)
