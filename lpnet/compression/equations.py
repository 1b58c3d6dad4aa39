"""[PS16] Lemma 3 with weights of both signs, for the pieces that there are.

Wanted is f = l + Σ_k ω_k R(a_k), l affine, with given hyperplanes {a_k = 0}, weights ω_k of any sign, and a given boundary:
pieces on half-spaces h_i, p_i a point of piece i. Near p_i, where h_i < 0, f is affine and < 0, and it vanishes for h_i = 0:

    l + Σ_{k: a_k(p_i) > 0} ω_k a_k = λ_i h_i,   λ_i > 0,   for every piece i.                                      (∗)

It is linear in (l, ω, λ). In matrix form V diag(λ) = U T, T the patterns at the pieces: Lemma 3 for the pieces that there are
instead of all 2^n subsets. Points x of known answers add f(x) ≥ 0 or f(x) < 0.
For several classes there is a score s_c = l_c + Σ_k ω_kc R(a_k) for each, on the same hyperplanes, and (∗) is asked of
s_c − s_q at the pieces between c and q; s is 0 for the last one, as only differences count. f is s_1 − s_−1.
If there is no solution, there are vectors Y_i and numbers μ_x ≥ 0 that prove it (`NoBends`).
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, product
from typing import Any, NamedTuple

from flint import fmpz_mat, nmod_mat

from lpnet.brief import brief
from lpnet.compression.bends import Bend
from lpnet.compression.surface import Answers, Surface
from lpnet.exact import LARGE_PRIME, Form, Point, add, primitive, times
from lpnet.programs import Certificate, SignProgram


class Known(NamedTuple):
    """A point, the answer there, and another one; or (`toward` a point) c ≥ q there, as c is the answer on the way.

    Such a point may be a direction, with a last entry 0: the answer far away in it.
    """

    at: Point
    answer: int
    other: int
    toward: Point = ()

    @property
    def relation(self) -> int:
        """Of s_answer − s_other to 0, as of `lpnet.programs.alternative`."""
        return 1 if self.other > self.answer and not self.toward else 2


Unit = tuple[Form, tuple[int, ...]]  # a and its weights in the scores but the last, which is 0


@dataclass(frozen=True)
class NoBends:
    """Why no l + Σ ω_k R(a_k) with these a_k has these decisions: Y_i for pieces i, and μ_x ≥ 0 for known points.

    Σ_i Y_i·(l + Σ_{a_k(p_i) > 0} ω_k a_k) + Σ_x μ_x y_x f(x), y_x = ±1 the answer at x, is 0 for all l and ω, where by (∗) it
    is Σ_i λ_i Y_i·h_i + Σ_x μ_x |f(x)| > 0: all Y_i·h_i ≥ 0, and one of them > 0, or one μ_x with y_x = −1. Of several scores
    likewise; `lpnet.checker.bends` has all of it.
    """

    pieces: tuple[tuple[int, Form], ...]
    points: tuple[tuple[int, int], ...]
    beyond: tuple[tuple[int, int], ...]
    cones: tuple[tuple[int, int], ...]

    __repr__ = brief()


@dataclass(frozen=True)
class Solution:
    """Scores l + Σ ω_k R(a_k), but for the last one, 0, up to a positive factor; free: of how many dimensions they are."""

    affine: tuple[Form, ...]
    units: tuple[Unit, ...]
    free: int


class Equations:
    """(∗) for given bends, a boundary and points."""

    def __init__(self, bends: Sequence[Bend], seen: Surface, known: Sequence[Known] = ()) -> None:
        self.bends, self.pieces, self.known = list(bends), list(seen.pieces), list(known)
        self.width = seen.inputs + 1
        *self.scores, self.last = seen.answers
        self.places, start = list[range](), self.width * len(self.scores)  # the columns of each bend
        for bend in self.bends:
            self.places.append(range(start, start + (len(bend.groups) - 1 if bend.score is None else len(bend.generators))))
            start = self.places[-1].stop
        self.size = start
        self.bent = [
            k for k in range(len(self.pieces)) if any(bend.beyond and bend.beyond[k] != bend.active[k] for bend in self.bends)
        ]
        self.straight = [row for number in range(len(self.pieces)) for row in self._straight(number)]

    def spread(self, bend: Bend, answers: Answers, row: Form) -> Form:
        """What is linear in ω a, for the difference of two scores, as a linear function of the columns of a bend."""
        above, below = answers
        if bend.score is None:
            groups = (group for group in bend.groups if self.last not in group)
            return tuple(((above in group) - (below in group)) * row[0] for group in groups)
        return times((bend.score == above) - (bend.score == below), row)

    def whole(self, answers: Answers, affine: Sequence[int], rows: Iterable[Form]) -> Form:
        """A linear function of the l and of all ω a, for the difference of two scores."""
        above, below = answers
        own = chain.from_iterable(times((c == above) - (c == below), tuple(affine)) for c in self.scores)
        return (*own, *chain.from_iterable(self.spread(b, answers, row) for b, row in zip(self.bends, rows, strict=True)))

    def row(self, number: int, y: Sequence[int], beyond: bool = False) -> Form:
        """y·(l + Σ ω_k a_k), before piece `number` or beyond it, as a linear function of (l, ω)."""
        return self.whole(self.pieces[number].answers, y, (piece_row(bend, number, y, beyond) for bend in self.bends))

    def point_row(self, known: Known) -> Form:
        """s_c(x) − s_q(x), times a positive number."""
        rows = (point_row(bend, known.at) for bend in self.bends)
        return self.whole((known.answer, known.other), known.at, rows)

    def cone_rows(self) -> list[Form]:
        """What has to be ≥ 0 for the bends that are not given but for a factor."""
        return [
            (*(0,) * place.start, *row, *(0,) * (self.size - place.stop))
            for bend, place in zip(self.bends, self.places, strict=True)
            for row in bend.cone
        ]

    def _straight(self, number: int) -> list[tuple[int, Form, Form]]:
        """Vectors y ⊥ h that span all of them: with each the left side of (∗) has the product 0."""
        h = self.pieces[number].halfspace
        j = max(range(self.width), key=lambda k: abs(h[k]))
        found = []
        for k in (k for k in range(self.width) if k != j):
            y = [0] * self.width
            y[k], y[j] = h[j], -h[k]
            y = list(primitive(y))
            found.append((number, tuple(y), self.row(number, y)))
        return found

    def sides(self) -> tuple[list[Form], list[int]]:
        """What is not to be negative, as linear functions of (l, ω), and how; first λ_i |h_i|² for the pieces."""
        rows = [self.row(number, piece.halfspace) for number, piece in enumerate(self.pieces)]
        rows += list(map(self.point_row, self.known))
        relations = [1] * len(self.pieces) + [known.relation for known in self.known]
        rows += [self.row(k, self.pieces[k].halfspace, True) for k in self.bent] + self.cone_rows()
        return rows, relations + [2] * (len(rows) - len(relations))

    def solve(self, propose: "Proposer | None" = None) -> Solution | NoBends:
        """A solution, or the proof that there is none; both exact.

        propose: finds a solution, perhaps, as `lpnet.compression.lemma3.by_cvxpy` does; by default, and where it does not,
        HiGHS, given what is left once the equations are solved in integers.
        """
        rows = [row for *_, row in self.straight]
        chosen, sides, at = self._decided(rows, propose)
        if isinstance(at, Certificate):
            return NoBends(*self._lifted(dict(at.multipliers), sides, chosen))
        return at

    def constant(self, turned: Sequence[int]) -> Solution | None:
        """A solution whose affine parts are constant once these units are turned round (R(−a) = R(a) − a); None for none."""
        rows = [row for *_, row in self.straight]
        for c, j in product(self.scores, range(self.width - 1)):
            entry = [int(i == j) for i in range(self.width)]
            used = (times(int(k in turned), tuple(g[j] for g in b.generators)) for k, b in enumerate(self.bends))
            rows.append(self.whole((c, self.last), entry, used))
        *_, at = self._decided(rows)
        return None if isinstance(at, Certificate) else at

    def _decided(
        self, rows: Sequence[Form], propose: "Proposer | None" = None
    ) -> tuple[list[int], list[Form], Solution | Certificate]:
        """Independent rows, what is not to be negative where they vanish, and a solution or why there is none."""
        chosen = independent(rows)
        basis = kernel([rows[k] for k in chosen], self.size)
        sides, relations = self.sides()
        if basis is None:
            return chosen, sides, Certificate(((0, 1),), 0, 0)
        forms = [(*map(int, row), 0) for row in (fmpz_mat(sides) * basis).tolist()]
        near = propose(self, basis, forms, relations) if propose else None
        at = near or proposed(forms, relations) or SignProgram(forms, basis.ncols()).decide(relations)
        if isinstance(at, Certificate):
            return chosen, sides, at
        found = primitive([int(entry) for (entry,) in (basis * fmpz_mat([[z] for z in at[:-1]])).tolist()])
        affine = tuple(found[self.width * k : self.width * (k + 1)] for k in range(len(self.scores)))
        return chosen, sides, Solution(affine, tuple(self.units(found)), basis.ncols())

    def units(self, found: Form) -> Iterator[Unit]:
        """The units a and ω that are not 0."""
        for bend, place in zip(self.bends, self.places, strict=True):
            amounts = found[place.start : place.stop]
            if bend.score is None and any(amounts):
                groups = [group for group in bend.groups if self.last not in group]
                own = {c: amount for group, amount in zip(groups, amounts, strict=True) for c in group}
                yield bend.generators[0], tuple(own.get(c, 0) for c in self.scores)
            elif any(amounts):
                b = [sum(c * g[j] for c, g in zip(amounts, bend.generators, strict=True)) for j in range(self.width)]
                size = math.gcd(*b)
                weights = (self.spread(bend, (c, self.last), (bend.side * size,))[0] for c in self.scores)
                yield tuple(bend.side * entry // size for entry in b), tuple(weights)

    def _lifted(
        self, multipliers: Mapping[int, int], sides: Sequence[Form], chosen: Sequence[int]
    ) -> tuple[Any, Any, Any, Any]:
        """The Y_i, μ_x and so on of multipliers whose combination vanishes wherever the chosen rows do."""
        total = [sum(m * sides[k][j] for k, m in multipliers.items()) for j in range(self.size)]
        rows = [self.straight[k] for k in chosen]
        relation, _ = fmpz_mat([*(row for *_, row in rows), total]).transpose().nullspace()
        *amounts, factor = [int(relation[k, 0]) for k in range(len(rows) + 1)]
        nothing = (0,) * self.width
        ys: dict[int, Form] = {}
        for (number, y, _), amount in zip(rows, amounts, strict=True):
            ys[number] = add(ys.get(number, nothing), times(amount if factor > 0 else -amount, y))
        found: tuple[list[tuple[int, int]], ...] = ([], [], [])
        for k, m in multipliers.items():
            if k < len(self.pieces):
                ys[k] = add(ys.get(k, nothing), times(abs(factor) * m, self.pieces[k].halfspace))
                continue
            for kind, numbers in enumerate((range(len(self.known)), self.bent, range(len(sides)))):
                place = k - len(self.pieces) - (len(self.known) * (kind > 0)) - (len(self.bent) * (kind > 1))
                if 0 <= place < len(numbers):
                    found[kind].append((numbers[place], abs(factor * m)))
                    break
        points, beyond, cones = map(tuple, found)
        return tuple(sorted((k, y) for k, y in ys.items() if any(y))), points, beyond, cones

    def helps(self, proof: NoBends, bend: Bend) -> bool:
        """Whether one more bend may refute the proof that there is no solution."""
        rows = [(self.pieces[k].answers, piece_row(bend, k, y)) for k, y in proof.pieces]
        for k, m in proof.beyond:
            piece = self.pieces[k]
            rows.append((piece.answers, piece_row(bend, k, times(m, piece.halfspace), True)))
        for k, m in proof.points:
            at, answer, other, _ = self.known[k]
            rows.append(((answer, other), times(m, point_row(bend, at))))
        return bend.helps(tuple(map(sum, zip(*(self.spread(bend, *row) for row in rows), strict=True))))


def piece_row(bend: Bend, number: int, y: Sequence[int], beyond: bool = False) -> Form:
    """y·(ω a beside a piece) as a linear function of the coefficients of a bend."""
    active = bend.beyond if beyond and bend.beyond else bend.active
    return bend.row(y) if active[number] else (0,) * len(bend.generators)


def point_row(bend: Bend, at: Point) -> Form:
    """ω R(a(x)) likewise, for a bend of which it is known whether it is active there."""
    row = bend.at(at)
    assert row is not None
    return row


def proposed(forms: Sequence[Form], relations: Sequence[int]) -> Point | None:
    """One of the two directions, where there is but one line of solutions."""
    if len(forms[0]) > 2:
        return None
    for at in ((1, 1), (-1, 1)):
        signs = [form[0] * at[0] for form in forms]
        if all((z > 0, z >= 0, z < 0)[(1, 2, -1).index(r)] for z, r in zip(signs, relations, strict=True)):
            return at
    return None


def independent(rows: Sequence[Form]) -> list[int]:
    """Rows that are linearly independent, a largest set of them modulo a prime."""
    found, rank = nmod_mat([list(row) for row in rows], LARGE_PRIME).transpose().rref()
    chosen, column = [], 0
    for r in range(rank):
        while int(found[r, column]) == 0:
            column += 1
        chosen.append(column)
    return chosen


def kernel(rows: Sequence[Form], size: int) -> fmpz_mat | None:
    """A basis of what the rows vanish on, as columns; None where that is 0."""
    if not rows:
        return fmpz_mat(size, size, [int(i == j) for i in range(size) for j in range(size)])
    whole, nullity = fmpz_mat(rows).nullspace()
    if nullity == 0:
        return None
    columns = [primitive([int(whole[i, k]) for i in range(size)]) for k in range(nullity)]
    return fmpz_mat(columns).transpose()


Proposer = Callable[[Equations, fmpz_mat, Sequence[Form], Sequence[int]], Point | None]
