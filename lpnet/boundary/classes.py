"""The pieces of the boundary between classes: which cells have a part of it, and between which two outputs.

The class of a point is that of the first output with the largest score (`lpnet.networks.decision`); see `lpnet.laws` for why
this is the union of k − 1 binary decisions. A piece between outputs i < j is a (d−1)-dimensional set with class i's output on
one side and class j's on the other; on it s_i = s_j, and nothing exceeds them. Its cell S is that on j's side, its half-space
{c ≥ 0}, c = s_i − s_j on S: closed on i's side. So S carries a piece of i and j if and only if

1. c is not constant;
2. some x in the domain has c(x) = 0, z_k(x) with the signs of S, for all units with z_k neither constant nor proportional to c,
   and s_q(x) < s_i(x) for all outputs q with s_i − s_q neither 0 nor proportional to c on S, the *rivals*;
3. units with z_k ∝ c (the piece lies on their kink) are active on the side c < 0 just where S says so;
4. outputs q with s_i − s_q = γ c on S, which are as large as s_i and s_j all over the piece, let j win where c < 0 (γ < 1, or
   γ = 1 and j < q), and j and all such q let i win on the cell across: s_i − s_q there is a positive multiple of c, or 0 and
   i < q.

With two outputs of scores f and 0 these are the conditions of `lpnet.boundary.subsets`.
"""

import itertools
from collections.abc import Iterator, Sequence

import numpy as np

from lpnet.boundary.pieces import Pieces
from lpnet.exact import Form, Point, add, times
from lpnet.networks import Polyhedron
from lpnet.networks.decision import Decision, Pair
from lpnet.networks.exact_form import Cell, proportion
from lpnet.programs import Certificate, SignProgram
from lpnet.watch import Watch

Found = tuple[tuple[int, ...], Pair, Point]  # the pattern of a piece's cell, its two outputs, and a point of it


def expand_classes(decision: Decision, domain: Polyhedron, watch: Watch) -> Pieces:
    """The plain engine: the conditions for each of the 2^m subsets of the units and each pair of outputs."""
    total, found, programs = 1 << len(decision.body.units), list[Found](), 0
    for done, pattern in enumerate(itertools.product((-1, 1), repeat=len(decision.body.units))):
        if not watch(done / total, len(found)):
            break
        on_cell = OnCell(decision, pattern, domain.inequalities())
        found += on_cell.pieces(decision.pairs)
        programs += on_cell.programs
    return gathered(decision, found, programs, watch.stopped is None)


def gathered(decision: Decision, found: Sequence[Found], programs: int, complete: bool) -> Pieces:
    """What was found, as an engine returns it: in lexicographic order of patterns, then of pairs."""
    found = sorted(found, key=lambda piece: piece[:2])
    patterns = np.array([pattern for pattern, _, _ in found]).reshape(len(found), len(decision.body.units)) > 0
    pairs = np.array([pair for _, pair, _ in found], dtype=np.intp).reshape(len(found), 2)
    return Pieces(patterns, tuple(at for _, _, at in found), programs, complete, pairs=pairs)


class OnCell:
    """The exact questions about one cell."""

    def __init__(self, decision: Decision, pattern: Sequence[int], walls: Sequence[Form]) -> None:
        self.decision, self.walls, self.cell = decision, walls, decision.body.cell(pattern)
        self.scores = decision.scores(self.cell)
        self.constant = [k for k, z in enumerate(self.cell.rows) if not any(z[:-1])]
        self.program: SignProgram | None = None

    @property
    def programs(self) -> int:
        """How many were solved."""
        return self.program.solved if self.program else 0

    def pieces(self, pairs: Sequence[Pair]) -> Iterator[Found]:
        """The pieces between these pairs of outputs."""
        pattern, rows, _ = self.cell
        if all((rows[k][-1] > 0) == (pattern[k] > 0) for k in self.constant):
            for pair in pairs:
                if at := self.point(pair):
                    yield pattern, pair, at

    def point(self, pair: Pair) -> Point | None:
        """A point of the piece between two outputs, if there is one."""
        i, j = pair
        c = self.ahead(i, j)
        if not any(c[:-1]):
            return None
        rivals = {q: self.ahead(i, q) for q in range(len(self.scores)) if q not in pair}
        tied = {q: g for q, g in rivals.items() if not any(g) or proportion(g, c)}
        kinks = {k: slope for k, z in enumerate(self.cell.rows) if any(z) and (slope := proportion(z, c))}
        if any(self.cell.pattern[k] != -slope for k, slope in kinks.items()) or not self.changes(pair, c, tied, bool(kinks)):
            return None
        free = {*kinks, *self.constant}
        sides = [0 if k in free else side for k, side in enumerate(self.cell.pattern)]
        beaten = [(q > i) - (q < i) if q in rivals and q not in tied else 0 for q in range(len(self.scores))]
        if any(not any(g[:-1]) and g[-1] < 0 for q, g in rivals.items() if q not in tied):
            return None
        answer = self.asked([*sides, *[1] * len(self.walls), *self.differences(i, beaten)], c)
        return None if isinstance(answer, Certificate) else answer

    def ahead(self, i: int, q: int) -> Form:
        """s_i − s_q on the cell."""
        return add(self.scores[i], times(-1, self.scores[q]))

    def changes(self, pair: Pair, c: Form, tied: dict[int, Form], kink: bool) -> bool:
        """Condition 4."""
        i, j = pair
        for q in tied:
            behind = self.ahead(j, q)
            if not (j < q if not any(behind) else proportion(behind, c) < 0):
                return False
        scores = self.decision.scores(self.decision.body.across(Cell(*self.cell[:2], c))) if kink else self.scores
        for q in (j, *tied):
            before = add(scores[i], times(-1, scores[q]))
            if not (i < q if not any(before) else proportion(before, c) > 0):
                return False
        return True

    def differences(self, i: int, beaten: Sequence[int]) -> list[int]:
        """The relations of all s_a − s_b, a < b, where i is to be ahead of those q with beaten_q ≠ 0."""
        every = itertools.combinations(range(len(self.scores)), 2)
        return [beaten[b] if a == i else beaten[a] if b == i else 0 for a, b in every]

    def asked(self, relations: Sequence[int], c: Form) -> Point | Certificate:
        """A point of {c = 0} with these relations."""
        if self.program is None:
            pairs = itertools.combinations(range(len(self.scores)), 2)
            forms = [*self.cell.rows, *self.walls, *(self.ahead(a, b) for a, b in pairs)]
            self.program = SignProgram(forms, self.decision.inputs)
        constant = (0 if not any(h[:-1]) else r for h, r in zip(self.program.forms, relations, strict=True))
        return self.program.decide(list(constant), vanishing=c)
