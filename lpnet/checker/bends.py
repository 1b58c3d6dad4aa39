"""Bends of networks of one hidden layer with given decisions: that n are needed, and that certain ones do not do.

Answers are whole numbers c with scores s_c: the largest score wins, and of equal ones that of the larger answer. A network with
one output f has the answers ±1, s_1 − s_−1 = f. Both proofs are of scores l_c + Σ_k ω_kc R(a_k), l_c affine, no a_k constant.

*Infinitesimal points.* x + ε v_1 + ε² v_2 + … with small ε > 0: values of affine functions there are compared like tuples,
first entry first, and R(z) = max(0, z) and sgn work on tuples. So a network can be evaluated there, exactly, from its weights.

*Ridges* (`ridge_bound`). h = g = 0 defines a flat of dimension d − 2. Near a point of it, moved generically along it, let the
answer be c just left, or right, of a ray (h, g) = r, and let q be another answer around. If all scores were affine there, s_c
and s_q would be equal, the largest, on the flat, and s_c − s_q = α h + β g with (α, β)·r ≥ 0. If the answer is c on both sides
of r, and q wins ties, it is > 0, as 0 would be < 0 on one side or 0 on both. So where Σ m (e_c − e_q) ⊗ r = 0, m ≥ 0, with one
m > 0 of that kind, some score bends all along a part of the flat, and one of the finitely many hyperplanes {a_k = 0} contains
it. So does one for every such ridge; where weights of ridges are ≤ 1 in all on every hyperplane, there are at least as many
bends as the sum of all weights.

*Equations* (`no_bends`). Let the answers be q just below {h_i = 0} and c > q just above it, near p_i moved generically within
it. There, below, s_c − s_q = λ_i h_i with λ_i > 0, and above it is ≥ 0. With vectors Y_i and numbers β_i, μ_x, ν ≥ 0, add up

    Y_i·((s_c − s_q) below p_i),  β_i h_i·((s_c − s_q) above p_i),  μ_x (s_c − s_q)(x) for points x with the answer c,
    or where it is the answer on the way to another point, or x at infinity,  ν (what is ≥ 0 by assumption).

If the sum is 0 whatever the l_c and the ω_kc are, but all Y_i·h_i ≥ 0 and one of them is > 0, or a μ_x with q > c and the
answer c at x itself, there are no such scores. Assumptions are made of units: that they have the same weight in the scores of
several answers; or, of some that are given only so far, that they are in the score of one answer alone, that b = ω a is
Σ c_j g_j with C c ≥ 0, and on which pieces they are active.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations

from flint import fmpz_mat

Vector = Sequence[int]
Value = tuple[Fraction, ...]


@dataclass(frozen=True)
class Layers:
    """A network: hidden layers "relu" or "sign", each with rows (weights of what it reads, bias); and the outputs' rows.

    everything: whether a layer reads the inputs and all units before it, else only the layer before; walls: the network is
    asked about only where these affine functions are > 0; answers: for which one each of several outputs speaks, the first
    one of the largest winning.
    """

    kinds: Sequence[str]
    rows: Sequence[Sequence[Sequence[Fraction]]]
    outputs: Sequence[Sequence[Fraction]]
    everything: bool
    walls: Sequence[Vector] = ()
    answers: Sequence[int] = ()

    def answer(self, point: Sequence[Value], one: Value = ()) -> int:
        """The answer at an infinitesimal point: the coordinates as tuples. ValueError outside the walls.

        one: the denominator of the coordinates, by default 1; one that is infinitesimal makes a point far away.
        """
        read = list(point)
        one = one or (Fraction(1), *(Fraction(0),) * (len(point[0]) - 1))
        zero = (Fraction(0),) * len(one)
        if any(combination(list(map(Fraction, wall)), [*point, one]) <= zero for wall in self.walls):
            raise ValueError("a point outside the domain")
        for kind, rows in zip(self.kinds, self.rows, strict=True):
            values = [combination(row, [*read, one]) for row in rows]
            if kind == "sign":
                values = [one if z >= zero else tuple(-c for c in one) for z in values]
            else:
                values = [max(z, zero) for z in values]
            read = [*read, *values] if self.everything else values
        values = [combination(row, [*read, one]) for row in self.outputs]
        if self.answers:
            return dict(zip(values[::-1], self.answers[::-1], strict=True))[max(values)]
        (value,) = values
        return 1 if value >= zero else -1


def combination(row: Sequence[Fraction], values: Sequence[Value]) -> Value:
    """Σ row_j values_j."""
    if len(row) != len(values):
        raise ValueError(f"wanted {len(values)} weights, got {len(row)}")
    used = [(w, z) for w, z in zip(row, values, strict=True) if w]
    return tuple(sum((w * z[k] for w, z in used), Fraction(0)) for k in range(len(values[0])))


def moved(at: Vector, steps: Iterable[Sequence[int]]) -> list[Value]:
    """The coordinates of a point, numerators and a denominator > 0, moved by steps of falling size."""
    if at[-1] <= 0:
        raise ValueError("wanted a point with a denominator > 0")
    steps = list(steps)
    return [(Fraction(at[j], at[-1]), *(Fraction(v[j]) for v in steps)) for j in range(len(at) - 1)]


def form_at(form: Vector, point: Sequence[Value]) -> Value:
    """The value of an affine function."""
    one = (Fraction(1), *(Fraction(0),) * (len(point[0]) - 1))
    return combination(list(map(Fraction, form)), [*point, one])


def within(h: Vector) -> list[list[int]]:
    """Steps within {h = 0} that span it: the axes less their parts along its normal."""
    size = sum(c * c for c in h[:-1])
    return [[size * (i == j) - h[i] * h[j] for j in range(len(h) - 1)] for i in range(len(h) - 1)]


@dataclass(frozen=True)
class Ridge:
    """{h = g = 0}, a point of it, terms (r, turn, c, q, m), and its weight.

    turn: 1 or −1 for an answer c just left or right of the ray r, 0 for both.
    """

    h: Vector
    g: Vector
    point: Vector
    terms: Sequence[tuple[tuple[int, int], int, int, int, int]]
    weight: Fraction


def is_ridge(network: Layers, ridge: Ridge) -> bool:
    """Whether scores cannot be affine near the point."""
    h, g, at = ridge.h, ridge.g, ridge.point
    if any(sum(a * b for a, b in zip(form, at, strict=True)) for form in (h, g)):
        return False
    gradients = fmpz_mat([list(h[:-1]), list(g[:-1])])
    if gradients.rank() < 2:
        return False
    kernel, nullity = gradients.nullspace()
    along = [[int(kernel[row, k]) for row in range(len(h) - 1)] for k in range(nullity)]
    gram = [[sum(x * y for x, y in zip(a[:-1], b[:-1], strict=True)) for b in (h, g)] for a in (h, g)]

    def step(s: int, t: int) -> list[int]:
        """The direction a h + b g whose slopes are (s, t), times the determinant of the Gram matrix, which is > 0."""
        a, b = s * gram[1][1] - t * gram[0][1], t * gram[0][0] - s * gram[1][0]
        return [a * x + b * y for x, y in zip(h[:-1], g[:-1], strict=True)]

    total: dict[int, list[int]] = {}
    contradiction = False
    for (s, t), turn, answer, other, m in ridge.terms:
        for side in (1, -1) if turn == 0 else (turn,):
            if network.answer(moved(at, [*along, step(s, t), step(-side * t, side * s)])) != answer:
                return False
        if m < 0 or turn not in (-1, 0, 1) or (s, t) == (0, 0):
            return False
        contradiction |= m > 0 and turn == 0 and other > answer
        for c, side in ((answer, m), (other, -m)):
            add(total.setdefault(c, [0, 0]), [side * s, side * t])
    named = {answer for _, _, answer, _, _ in ridge.terms}
    return contradiction and named >= total.keys() and not any(map(any, total.values()))


def ridge_bound(network: Layers, ridges: Sequence[Ridge]) -> Fraction:
    """How many bends are needed at least: the sum of the weights. ValueError where they prove nothing."""
    for number, ridge in enumerate(ridges):
        if ridge.weight < 0 or not is_ridge(network, ridge):
            raise ValueError(f"ridge {number}: it is none, or has a weight < 0")
    if any(ridge.weight > 1 for ridge in ridges):
        raise ValueError("a weight > 1")
    for one, other in combinations(ridges, 2):
        kernel, nullity = fmpz_mat([list(f) for f in (one.h, one.g, other.h, other.g)]).transpose().nullspace()
        if nullity == 0:
            continue
        plane = [int(kernel[0, 0]) * a + int(kernel[1, 0]) * b for a, b in zip(one.h, one.g, strict=True)]
        if nullity == 1 and not any(plane[:-1]):
            continue
        total = one.weight + other.weight
        if nullity == 1:
            total = sum((r.weight for r in ridges if fmpz_mat([plane, list(r.h), list(r.g)]).rank() == 2), Fraction(0))
        if total > 1:
            raise ValueError("the weights of the ridges on a hyperplane are more than 1")
    return sum((ridge.weight for ridge in ridges), Fraction(0))


@dataclass(frozen=True)
class Unit:
    """A unit on {generator = 0}; or one of whose b = Σ c_j g_j it is known that C c ≥ 0, and on which pieces it is active."""

    generators: Sequence[Vector]
    cone: Sequence[Vector] = ()
    active: Mapping[int, bool] | None = None
    values: Mapping[int, Vector] | None = None  # of the known points: ω R(a) in terms of c
    score: int | None = None  # the answer in whose score alone it is
    groups: Sequence[Iterable[int]] = ()  # answers in whose scores it has the same weight


@dataclass(frozen=True)
class Refutation:
    """pieces: h_i, p_i and the answers above and below by number; the Y_i, β_i, μ_x and ν (by unit and row of its cone).

    points: x, the answer c, q, and () or the point on the way to which c is the answer; μ_x by the number of the point.
    """

    pieces: Mapping[int, tuple[Vector, Vector, tuple[int, int]]]
    multipliers: Mapping[int, Vector]
    beyond: Mapping[int, int]
    points: Sequence[tuple[Vector, int, int, Vector]]
    weights: Mapping[int, int]
    cones: Mapping[tuple[int, int], int]


def no_bends(network: Layers, units: Sequence[Unit], proof: Refutation) -> None:
    """Check that no scores with these units have the network's answers; ValueError where that is not proved."""
    total: dict[int, list[int]] = {}
    amounts: list[dict[int, list[int]]] = [{} for _ in units]  # of the scores

    def count(answers: tuple[int, int], vector: Sequence[int], shares: Iterable[Sequence[int]]) -> None:
        """Add s_c − s_q for answers (c, q): of the affine parts, and of the units."""
        for c, side in zip(answers, (1, -1), strict=True):
            add(total.setdefault(c, [0] * len(vector)), [side * z for z in vector])
            for amount, share in zip(amounts, shares, strict=True):
                add(amount.setdefault(c, [0] * len(share)), [side * z for z in share])

    positive = False
    for number, y in [*proof.multipliers.items(), *((k, None) for k in proof.beyond)]:
        h, at, answers = proof.pieces[number]
        check_piece(network, h, at, answers)
        vector = [proof.beyond[number] * c for c in h] if y is None else list(y)
        if y is None and proof.beyond[number] < 0:
            raise ValueError(f"piece {number}: a multiplier < 0")
        product = sum(a * b for a, b in zip(vector, h, strict=True))
        if product < 0:
            raise ValueError(f"piece {number}: a multiplier < 0")
        positive |= y is not None and product > 0
        place = moved(at, [*within(h), [c * (1 if y is None else -1) for c in h[:-1]]])
        count(
            answers,
            vector,
            [
                [is_active(unit, number, place) * sum(a * b for a, b in zip(vector, g, strict=True)) for g in unit.generators]
                for unit in units
            ],
        )
    for k, m in proof.weights.items():
        at, answer, other, toward = proof.points[k]
        if m < 0 or not answered(network, at, answer, toward):
            raise ValueError(f"point {k}: another answer, or a multiplier < 0")
        positive |= m > 0 and other > answer and not toward
        count((answer, other), [m * c for c in at], [[m * c for c in value_at(unit, k, at)] for unit in units])
    for unit, amount in zip(units, amounts, strict=True):
        if unit.score is not None:
            own = amount.get(unit.score, [0] * len(unit.generators))
            amount.clear()
            amount[unit.score] = own
        for group in unit.groups:
            (first, *others) = group
            for c in others:
                add(amount.setdefault(first, [0] * len(unit.generators)), amount.pop(c, []))
    for (k, row), m in proof.cones.items():
        score = units[k].score
        if m < 0 or score is None:
            raise ValueError("a multiplier < 0, or of a unit in several scores")
        add(amounts[k][score], [m * c for c in units[k].cone[row]])
    if not positive or any(map(any, total.values())) or any(any(map(any, amount.values())) for amount in amounts):
        raise ValueError("the sum is not 0 for all weights, or nothing in it is > 0")


def check_piece(network: Layers, h: Vector, at: Vector, answers: tuple[int, int]) -> None:
    """ValueError unless the answers change to the larger one across {h = 0} at a point of it, moved within it."""
    if sum(a * b for a, b in zip(h, at, strict=True)) or not any(h[:-1]):
        raise ValueError("a point that is not on its hyperplane")
    beside = tuple(network.answer(moved(at, [*within(h), [side * c for c in h[:-1]]])) for side in (1, -1))
    if beside != tuple(answers) or beside[0] <= beside[1]:
        raise ValueError("a piece that is none")


def answered(network: Layers, at: Vector, answer: int, toward: Vector) -> bool:
    """Whether the network has an answer at a point, or infinitely near to it on the way to another one."""
    if not toward:
        return network.answer(moved(at, ())) == answer
    if at[-1] < 0 or toward[-1] <= 0:
        raise ValueError("wanted points with denominators > 0, or a direction")
    *point, one = ((Fraction(x), Fraction(y)) for x, y in zip(at, toward, strict=True))
    return network.answer(point, one) == answer


def is_active(unit: Unit, number: int, place: Sequence[Value]) -> bool:
    """Whether the unit is active beside a piece."""
    if unit.active is not None:
        return unit.active[number]
    (generator,) = unit.generators
    return form_at(generator, place) > (Fraction(0),) * len(place[0])


def value_at(unit: Unit, number: int, at: Vector) -> Sequence[int]:
    """ω R(a), times the denominator, at a known point."""
    if unit.values is not None:
        return unit.values[number]
    (generator,) = unit.generators
    return [max(0, sum(a * b for a, b in zip(generator, at, strict=True)))]


def add(total: list[int], more: Sequence[int]) -> None:
    """Add a vector to a total."""
    for j, z in enumerate(more):
        total[j] += z
