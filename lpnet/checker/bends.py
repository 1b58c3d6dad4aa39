"""Bends of networks of one hidden layer with given decisions: that n are needed, and that certain ones do not do.

Both are about f = l + Σ_k ω_k R(a_k), l affine, a_k not constant, and the answers y = ±1 of a network, +1 where f ≥ 0.

*Infinitesimal points.* x + ε v_1 + ε² v_2 + … with small ε > 0: values of affine functions there are compared like tuples,
first entry first, and R(z) = max(0, z) and sgn work on tuples. So a network can be evaluated there, exactly, from its weights.

*Ridges* (`ridge_bound`). h = g = 0 defines a flat of dimension d − 2. Near a point of it, moved generically along it, let the
answers change across two independent rays (h, g) = (s_i, t_i). If f were affine there, it would be α h + β g + c with c = 0, as
the answers are not all the same, and α s_i + β t_i = 0 for both rays: f = 0 and all answers +1. So f bends all along a part of
the flat, and one of the finitely many hyperplanes {a_k = 0} contains it. So does one for every such ridge; where weights of
ridges are ≤ 1 in all on every hyperplane, there are at least as many bends as the sum of all weights.

*Equations* (`no_bends`). Let y be −1 just below {h_i = 0} and +1 just above it, near p_i moved generically within it. There,
below, f = λ_i h_i with λ_i > 0, and above it is ≥ 0. With vectors Y_i and numbers β_i, μ_x, ν ≥ 0, add up

    Y_i·(f below p_i),  β_i h_i·(f above p_i),  μ_x y_x f(x) for points x with the answer y_x,  ν (what is ≥ 0 by assumption).

If the sum is 0 whatever l and the ω_k are, but all Y_i·h_i ≥ 0 and one of them, or a μ_x with y_x = −1, is > 0, there is no f.
Assumptions are made of units that are given only as far as that b = ω a is Σ c_j g_j with C c ≥ 0, active on certain pieces.
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
    """A network: hidden layers "relu" or "sign", each with rows (weights of what it reads, bias); and the output's row.

    everything: whether a layer reads the inputs and all units before it, else only the layer before; walls: the network is
    asked about only where these affine functions are > 0.
    """

    kinds: Sequence[str]
    rows: Sequence[Sequence[Sequence[Fraction]]]
    output: Sequence[Fraction]
    everything: bool
    walls: Sequence[Vector] = ()

    def answer(self, point: Sequence[Value]) -> int:
        """±1 at an infinitesimal point: the coordinates as tuples. ValueError outside the walls."""
        read = list(point)
        one = (Fraction(1), *(Fraction(0),) * (len(point[0]) - 1))
        zero = (Fraction(0),) * len(one)
        if any(form_at(wall, point) <= zero for wall in self.walls):
            raise ValueError("a point outside the domain")
        for kind, rows in zip(self.kinds, self.rows, strict=True):
            values = [combination(row, [*read, one]) for row in rows]
            if kind == "sign":
                values = [one if z >= zero else tuple(-c for c in one) for z in values]
            else:
                values = [max(z, zero) for z in values]
            read = [*read, *values] if self.everything else values
        return 1 if combination(self.output, [*read, one]) >= zero else -1


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
    """{h = g = 0}, a point of it, two rays (s, t), and its weight."""

    h: Vector
    g: Vector
    point: Vector
    rays: tuple[tuple[int, int], tuple[int, int]]
    weight: Fraction


def is_ridge(network: Layers, ridge: Ridge) -> bool:
    """Whether f cannot be affine near the point."""
    h, g, at = ridge.h, ridge.g, ridge.point
    if any(sum(a * b for a, b in zip(form, at, strict=True)) for form in (h, g)):
        return False
    gradients = fmpz_mat([list(h[:-1]), list(g[:-1])])
    (s, t), (p, q) = ridge.rays
    if gradients.rank() < 2 or s * q == t * p:
        return False
    kernel, nullity = gradients.nullspace()
    along = [[int(kernel[row, k]) for row in range(len(h) - 1)] for k in range(nullity)]
    gram = [[sum(x * y for x, y in zip(a[:-1], b[:-1], strict=True)) for b in (h, g)] for a in (h, g)]

    def step(s: int, t: int) -> list[int]:
        """The direction a h + b g whose slopes are (s, t), times the determinant of the Gram matrix, which is > 0."""
        a, b = s * gram[1][1] - t * gram[0][1], t * gram[0][0] - s * gram[1][0]
        return [a * x + b * y for x, y in zip(h[:-1], g[:-1], strict=True)]

    beside = [
        [network.answer(moved(at, [*along, step(s, t), step(*turn)])) for turn in ((-t, s), (t, -s))] for s, t in ridge.rays
    ]
    return all(left != right for left, right in beside)


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


@dataclass(frozen=True)
class Refutation:
    """pieces: h_i and p_i by number; the Y_i, β_i, μ_x (with x and its answer) and ν (by unit and row of its cone)."""

    pieces: Mapping[int, tuple[Vector, Vector]]
    multipliers: Mapping[int, Vector]
    beyond: Mapping[int, int]
    points: Sequence[tuple[Vector, int]]
    weights: Mapping[int, int]
    cones: Mapping[tuple[int, int], int]


def no_bends(network: Layers, units: Sequence[Unit], proof: Refutation) -> None:
    """Check that no f with these units has the network's answers; ValueError where that is not proved."""
    width = len(next(iter(proof.pieces.values()))[0])
    total, amounts = [0] * width, [[0] * len(unit.generators) for unit in units]
    positive = False
    for number, y in [*proof.multipliers.items(), *((k, None) for k in proof.beyond)]:
        h, at = proof.pieces[number]
        check_piece(network, h, at)
        vector = [proof.beyond[number] * c for c in h] if y is None else list(y)
        product = sum(a * b for a, b in zip(vector, h, strict=True))
        if product < 0:
            raise ValueError(f"piece {number}: a multiplier < 0")
        positive |= y is not None and product > 0
        place = moved(at, [*within(h), [c * (1 if y is None else -1) for c in h[:-1]]])
        add(total, vector)
        for unit, amount in zip(units, amounts, strict=True):
            if is_active(unit, number, place):
                add(amount, [sum(a * b for a, b in zip(vector, g, strict=True)) for g in unit.generators])
    for k, m in proof.weights.items():
        at, answer = proof.points[k]
        if m < 0 or network.answer(moved(at, ())) != answer:
            raise ValueError(f"point {k}: another answer, or a multiplier < 0")
        positive |= m > 0 and answer < 0
        add(total, [m * answer * c for c in at])
        for unit, amount in zip(units, amounts, strict=True):
            add(amount, [m * answer * c for c in value_at(unit, k, at)])
    for (k, row), m in proof.cones.items():
        if m < 0:
            raise ValueError("a multiplier < 0")
        add(amounts[k], [m * c for c in units[k].cone[row]])
    if not positive or any(total) or any(any(amount) for amount in amounts):
        raise ValueError("the sum is not 0 for all weights, or nothing in it is > 0")


def check_piece(network: Layers, h: Vector, at: Vector) -> None:
    """ValueError unless the answers change from −1 to +1 across {h = 0} at a point of it, moved within it."""
    if sum(a * b for a, b in zip(h, at, strict=True)) or not any(h[:-1]):
        raise ValueError("a point that is not on its hyperplane")
    for side in (-1, 1):
        if network.answer(moved(at, [*within(h), [side * c for c in h[:-1]]])) != side:
            raise ValueError("a piece that is none")


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
