"""[PS16] Lemma 3 with weights of both signs, for the pieces that there are.

Wanted is f = l + Σ_k ω_k R(a_k), l affine, with given hyperplanes {a_k = 0}, weights ω_k of any sign, and a given boundary:
pieces on half-spaces h_i, p_i a point of piece i. Near p_i, where h_i < 0, f is affine and < 0, and it vanishes for h_i = 0:

    l + Σ_{k: a_k(p_i) > 0} ω_k a_k = λ_i h_i,   λ_i > 0,   for every piece i.                                      (∗)

It is linear in (l, ω, λ). In matrix form V diag(λ) = U T, T the patterns at the pieces: Lemma 3 for the pieces that there are
instead of all 2^n subsets. Points x of known answers add f(x) ≥ 0 or f(x) < 0.
If there is no solution, there are vectors Y_i and numbers μ_x ≥ 0 that prove it (`NoBends`).
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
from flint import fmpz_mat, nmod_mat

from lpnet.brief import brief
from lpnet.compression.bends import Bend
from lpnet.compression.surface import Piece
from lpnet.exact import LARGE_PRIME, FloatArray, Form, Point, add, primitive, times, to_floats
from lpnet.programs import Certificate, SignProgram

Known = tuple[Point, int]  # a point and the answer there
Unit = tuple[Form, int]  # a and ω: ω R(a)


@dataclass(frozen=True)
class NoBends:
    """Why no l + Σ ω_k R(a_k) with these a_k has these decisions: Y_i for pieces i, and μ_x ≥ 0 for known points.

    Σ_i Y_i·(l + Σ_{a_k(p_i) > 0} ω_k a_k) + Σ_x μ_x y_x f(x), y_x = ±1 the answer at x, is 0 for all l and ω, where by (∗) it
    is Σ_i λ_i Y_i·h_i + Σ_x μ_x |f(x)| > 0: all Y_i·h_i ≥ 0, and one of them > 0, or one μ_x with y_x = −1.
    """

    pieces: tuple[tuple[int, Form], ...]
    points: tuple[tuple[int, int], ...]
    beyond: tuple[tuple[int, int], ...]
    cones: tuple[tuple[int, int], ...]

    __repr__ = brief()


@dataclass(frozen=True)
class Solution:
    """l and the units ω_k R(a_k), up to a positive factor; free: of how many dimensions the solutions are."""

    affine: Form
    units: tuple[Unit, ...]
    free: int


class Equations:
    """(∗) for given bends, pieces and points."""

    def __init__(self, bends: Sequence[Bend], pieces: Sequence[Piece], known: Sequence[Known] = ()) -> None:
        self.bends, self.pieces, self.known = list(bends), list(pieces), list(known)
        self.width = len(pieces[0].halfspace)
        self.size = self.width + sum(len(bend.generators) for bend in bends)
        self.bent = [
            k for k in range(len(pieces)) if any(bend.beyond and bend.beyond[k] != bend.active[k] for bend in self.bends)
        ]
        self.straight = [row for number in range(len(pieces)) for row in self._straight(number)]

    def row(self, number: int, y: Sequence[int], beyond: bool = False) -> Form:
        """y·(l + Σ ω_k a_k), before piece `number` or beyond it, as a linear function of (l, ω)."""
        return (*y, *chain.from_iterable(piece_row(bend, number, y, beyond) for bend in self.bends))

    def point_row(self, at: Point) -> Form:
        """f(x), times a positive number."""
        return (*at, *chain.from_iterable(point_row(bend, at) for bend in self.bends))

    def cone_rows(self) -> list[Form]:
        """What has to be ≥ 0 for the bends that are not given but for a factor."""
        found, start = [], self.width
        for bend in self.bends:
            found += [(*(0,) * start, *row, *(0,) * (self.size - start - len(row))) for row in bend.cone]
            start += len(bend.generators)
        return found

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

    def solve(self) -> Solution | NoBends:
        """A solution, or the proof that there is none."""
        rows = [row for *_, row in self.straight]
        chosen, sides, at = self._decided(rows)
        if isinstance(at, Certificate):
            return NoBends(*self._lifted(dict(at.multipliers), sides, chosen))
        return at

    def constant(self, turned: Sequence[int]) -> Solution | None:
        """A solution whose affine part is constant once these units are turned round (R(−a) = R(a) − a); None for none."""
        on = [k in turned for k, bend in enumerate(self.bends) for _ in bend.generators]
        columns = [g for bend in self.bends for g in bend.generators]
        rows = [row for *_, row in self.straight]
        for j in range(self.width - 1):
            own = (int(i == j) for i in range(self.width))
            rows.append((*own, *(g[j] if used else 0 for g, used in zip(columns, on, strict=True))))
        *_, at = self._decided(rows)
        return None if isinstance(at, Certificate) else at

    def _decided(self, rows: Sequence[Form]) -> tuple[list[int], list[Form], Solution | Certificate]:
        """Independent rows, what is not to be negative where they vanish, and a solution or why there is none."""
        chosen = independent(rows)
        basis = kernel([rows[k] for k in chosen], self.size)
        sides = [self.row(number, piece.halfspace) for number, piece in enumerate(self.pieces)]
        sides += [self.point_row(at) for at, _ in self.known]
        relations = [1] * len(self.pieces) + [2 if answer > 0 else -1 for _, answer in self.known]
        sides += [self.row(k, self.pieces[k].halfspace, True) for k in self.bent] + self.cone_rows()
        relations += [2] * (len(sides) - len(relations))
        if basis is None:
            return chosen, sides, Certificate(((0, 1),), 0, 0)
        forms = [(*map(int, row), 0) for row in (fmpz_mat(sides) * basis).tolist()]
        at = proposed(forms, relations) or SignProgram(forms, basis.ncols()).decide(relations)
        if isinstance(at, Certificate):
            return chosen, sides, at
        found = primitive([int(entry) for (entry,) in (basis * fmpz_mat([[z] for z in at[:-1]])).tolist()])
        return chosen, sides, Solution(found[: self.width], tuple(self.units(found)), basis.ncols())

    def units(self, found: Form) -> Iterator[Unit]:
        """The units a and ω that are not 0."""
        start = self.width
        for bend in self.bends:
            amounts = found[start : start + len(bend.generators)]
            start += len(amounts)
            if not bend.side and amounts[0]:
                yield bend.generators[0], amounts[0]
            elif any(amounts):
                b = [sum(c * g[j] for c, g in zip(amounts, bend.generators, strict=True)) for j in range(self.width)]
                size = math.gcd(*b)
                yield tuple(bend.side * entry // size for entry in b), bend.side * size

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
        total = [0] * len(bend.generators)
        for number, y in proof.pieces:
            total = [a + b for a, b in zip(total, piece_row(bend, number, y), strict=True)]
        for number, m in proof.beyond:
            h = times(m, self.pieces[number].halfspace)
            total = [a + b for a, b in zip(total, piece_row(bend, number, h, True), strict=True)]
        for number, m in proof.points:
            at, answer = self.known[number]
            total = [a + m * answer * b for a, b in zip(total, point_row(bend, at), strict=True)]
        return bend.helps(tuple(total))

    def model(self) -> tuple[Any, Any, Any]:
        """(∗) in cvxpy: maximise t ≤ 1 over l, ω and λ ≥ t, with |ω_k a_k| and |h_i| for ω_k and h_i. Returns problem, l, ω."""
        import cvxpy as cp

        h = np.array([scaled(piece.halfspace) for piece in self.pieces])
        table = np.array(
            [[self.row(k, y) for y in np.eye(self.width, dtype=int).tolist()] for k in range(len(h))], dtype=object
        )
        bends = np.array([scaled(g) for bend in self.bends for g in bend.generators]).reshape(-1, self.width)
        on = (table[:, :, self.width :] != 0).any(axis=1)
        affine, weights, scale, margin = cp.Variable(self.width), cp.Variable(len(bends)), cp.Variable(len(h)), cp.Variable()
        sums = cp.multiply(on.astype(float), cp.reshape(weights, (1, len(bends)), order="C")) @ bends
        left = cp.reshape(affine, (1, self.width), order="C") + sums
        right = cp.multiply(cp.reshape(scale, (len(h), 1), order="C"), h)
        return cp.Problem(cp.Maximize(margin), [left == right, scale >= margin, margin <= 1]), affine, weights


def piece_row(bend: Bend, number: int, y: Sequence[int], beyond: bool = False) -> Form:
    """y·(ω a beside a piece) as a linear function of the coefficients of a bend."""
    active = bend.beyond if beyond and bend.beyond else bend.active
    return bend.row(y) if active[number] else (0,) * len(bend.generators)


def point_row(bend: Bend, at: Point) -> Form:
    """ω R(a(x)) likewise, for a bend of which it is known whether it is active there."""
    row = bend.at(at)
    assert row is not None
    return row


def scaled(form: Sequence[int]) -> FloatArray:
    """The form in floats, of length 1."""
    row = to_floats(tuple(form), -max(map(abs, form)).bit_length())
    length = np.linalg.norm(row)
    return row / length if length else row


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
