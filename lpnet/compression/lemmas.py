"""[PS16] Lemmas 1 and 2 as constructions: threshold units, AND and OR in ReLUs, and where ReLUs cost more."""

import math
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lpnet.errors import InputError
from lpnet.exact import FloatArray, common_integers, nearest, rounding
from lpnet.networks import ReLUNetwork, SignNetwork
from lpnet.networks.arrays import as_array, as_points, as_weights


@dataclass(frozen=True, eq=False)
class OnData:
    """A ReLU network made to decide like a sign network on given points.

    epsilon: the width of the strip beside each hyperplane in which it may decide otherwise, (m,); wrong: the numbers of the
    points on which it does, exactly.
    """

    network: ReLUNetwork
    epsilon: FloatArray
    wrong: NDArray[np.intp]

    @property
    def exact(self) -> bool:
        """Whether it decides like the sign network on all the points."""
        return not len(self.wrong)


def sign_approximation(network: SignNetwork, points: Any, epsilon: float | None = None) -> OnData:
    """Lemma 1: w0 + Σ w_k ((2/ε_k)(R(h_k + ε_k) − R(h_k)) − 1), 2m ReLUs for m threshold units.

    (R(z + ε) − R(z))·2/ε − 1 is +1 for z ≥ 0, as sgn is, and −1 for z ≤ −ε; the paper's version is 0 for z = 0. ε_k is the
    largest power of two at most |h_k(x)| for every point with h_k(x) < 0, and at least the rounding of the bias (or `epsilon`,
    for all). w0 is raised to between the scores on the points, so that no rounding turns a score of 0. points (batch, d).
    """
    points = as_points(points, network.inputs)
    widths = strips(network, points) if epsilon is None else np.full(network.units, positive("epsilon", epsilon))
    hidden = network.input_layer.floats
    weight, bias = np.repeat(hidden[0], 2, axis=0), np.repeat(hidden[1], 2)
    bias[::2] += widths
    output = np.repeat(2 * nearest(network.output_weight) / widths, 2)
    output[1::2] *= -1
    w0 = float(network.output_bias) - nearest(network.output_weight).sum() + slack(network, points)
    found = ReLUNetwork(weight, bias, output, w0)
    return OnData(found, widths, np.flatnonzero(found(points) != network(points)))


def strips(network: SignNetwork, points: FloatArray) -> FloatArray:
    """ε_k of `sign_approximation`; 1 where no point has h_k(x) < 0."""
    weight, bias = network.input_layer.floats
    inside = network.input_layer.signs(points) < 0
    magnitude = np.abs(points) @ np.abs(weight).T + np.abs(bias)
    size = np.abs(points @ weight.T + bias) - rounding(network.inputs + 2, magnitude)
    for row, k in np.argwhere(inside & (size <= 0)):
        pairs = zip(weight[k].tolist(), points[row].tolist(), strict=True)
        exact = sum((Fraction(w) * Fraction(x) for w, x in pairs), Fraction(bias[k]))
        size[row, k] = float(-exact)
    least = np.where(inside, size, np.inf).min(axis=0, initial=np.inf)
    powers = np.ldexp(1.0, np.frexp(np.where(np.isfinite(least), least, 1.0))[1] - 1)
    return np.maximum(powers, np.spacing(np.abs(bias)))


def slack(network: SignNetwork, points: FloatArray) -> float:
    """Half the distance from 0 to the largest score < 0 on the points; 0 if there is none."""
    signs = np.where(network.input_layer.signs(points) >= 0, 1, -1)
    weights, exponent, divisor = common_integers(network.output_layer.rows[0])
    scores = np.unique(signs, axis=0).astype(object) @ weights[:-1] + weights[-1]
    below = [int(score) for score in scores if score < 0]
    return float(Fraction(-max(below)) * Fraction(2) ** exponent / (2 * divisor)) if below else 0.0


def conjunction(hidden_weight: Any, hidden_bias: Any) -> ReLUNetwork:
    """AND of m half-spaces {h_k ≥ 0} in m ReLUs, exactly: sgn(−Σ R(−h_k)). hidden_weight (m, d), hidden_bias (m,)."""
    weight = as_weights("hidden_weight", hidden_weight)
    bias = as_array("hidden_bias", hidden_bias, (len(weight),))
    return ReLUNetwork(-weight, -bias, -np.ones(len(weight)), 0.0)


def disjunction_of_two(hidden_weight: Any, hidden_bias: Any) -> ReLUNetwork:
    """OR of two half-spaces in two ReLUs: R(h_2 − h_1) − R(−h_1).

    It is R(h_2 − h_1) ≥ 0 where h_1 ≥ 0, and max(h_1, h_2) where h_1 < 0: exact but for the rounding of h_2 − h_1 to float64.
    Its output weights have both signs; with one sign there is none unless the two are parallel. hidden_weight (2, d).
    """
    weight = as_weights("hidden_weight", hidden_weight)
    if len(weight) != 2:
        raise InputError(f"hidden_weight: wanted two half-spaces, got {len(weight)}")
    bias = as_array("hidden_bias", hidden_bias, (2,))
    table = np.column_stack([weight, bias])
    table = np.array([table[1] - table[0], -table[0]])
    return ReLUNetwork(table[:, :-1], table[:, -1], np.array([1.0, -1.0]), 0.0)


def disjunction_on(points: Any, hidden_weight: Any, hidden_bias: Any) -> OnData:
    """OR of m half-spaces in m ReLUs on given points: −ε + Σ R(h_k + ε).

    +1 where some h_k ≥ 0, −1 where all h_k ≤ −ε; ε is a power of two, at most −max_k h_k(x) for every point where all are
    < 0. points (batch, d), hidden_weight (m, d), hidden_bias (m,).
    """
    network = SignNetwork.disjunction(hidden_weight, hidden_bias)
    points = as_points(points, network.inputs)
    outside = points[network(points) < 0]
    widths = strips(network, outside)
    epsilon = float(min(widths, default=1.0))
    hidden = network.input_layer.floats
    found = ReLUNetwork(hidden[0], hidden[1] + epsilon, np.ones(network.units), -epsilon)
    return OnData(found, np.full(network.units, epsilon), np.flatnonzero(found(points) != network(points)))


def positive(field: str, number: float) -> float:
    """A positive number, or InputError."""
    if not 0 < number < math.inf:
        raise InputError(f"{field}: wanted a positive number, got {number}")
    return number


@dataclass(frozen=True, eq=False)
class ThreeUnits:
    """The paper's example after Lemma 3: a disjunction of three threshold units in two ReLUs.

    order: the units that play 1, 2, 3; p, q: v_3 = p v_1 + q v_2; gap: d_3 − p d_1 − q d_2. The ReLU network exists, as
    sgn(w0 + R(p h_1 − w0) + R(q h_2 − w0)) with w0 = −gap, if p, q > 0 and gap > 0: then its subsets are
    p h_1, q h_2 and h_3. The paper asks for gap ≠ 0 only. With gap ≤ 0 unit 3 is redundant; with p or q < 0 a half-space
    is turned round, unless the units can be taken in another order.
    """

    order: tuple[int, int, int]
    p: Fraction
    q: Fraction
    gap: Fraction
    relu_network: ReLUNetwork


def three_units(hidden_weight: Any, hidden_bias: Any) -> ThreeUnits | None:
    """The example for three half-spaces in any order: two ReLUs up to the rounding of the weights, or None.

    hidden_weight (3, d), hidden_bias (3,). v_1 and v_2 have to be independent and v_3 in their span.
    """
    weight = as_weights("hidden_weight", hidden_weight)
    if len(weight) != 3:
        raise InputError(f"hidden_weight: wanted three half-spaces, got {len(weight)}")
    rows = [
        [Fraction(z) for z in row] for row in np.column_stack([weight, as_array("hidden_bias", hidden_bias, (3,))]).tolist()
    ]
    for order in ((0, 1, 2), (0, 2, 1), (1, 2, 0)):
        first, second, third = (rows[k] for k in order)
        p, q = coefficients(first[:-1], second[:-1], third[:-1])
        gap = third[-1] - p * first[-1] - q * second[-1]
        if p > 0 and q > 0 and gap > 0:
            units = [[p * z for z in first], [q * z for z in second]]
            table = np.array([[float(z) for z in (*unit[:-1], unit[-1] + gap)] for unit in units])
            return ThreeUnits(order, p, q, gap, ReLUNetwork(table[:, :-1], table[:, -1], np.ones(2), -float(gap)))
    return None


def coefficients(first: list[Fraction], second: list[Fraction], third: list[Fraction]) -> tuple[Fraction, Fraction]:
    """p and q with third = p·first + q·second; (0, 0) if there are none, or more than one pair."""
    for i, j in combinations(range(len(first)), 2):
        determinant = first[i] * second[j] - first[j] * second[i]
        if determinant:
            p = (third[i] * second[j] - third[j] * second[i]) / determinant
            q = (first[i] * third[j] - first[j] * third[i]) / determinant
            same = all(c == p * a + q * b for a, b, c in zip(first, second, third, strict=True))
            return (p, q) if same else (Fraction(0), Fraction(0))
    return Fraction(0), Fraction(0)


def simplex_family(units: int) -> SignNetwork:
    """OR of n ≥ 3 half-spaces in R^{n−1}: −x_i ≥ 0 for every input, and Σ x_i ≥ 1. It needs n(n − 1)/2 ReLUs or more.

    Stronger than Lemma 2, and for output weights of any sign. Proof. Let f be the network's score. The complement of the
    union is an open simplex Δ; f < 0 on it, f ≥ 0 outside, so f = 0 on its boundary. Take a ridge of Δ, the intersection of two
    facets, and a point inside it. If f were affine in Δ near the point, it would vanish on both facets, so everywhere near:
    but f < 0. So the hyperplane of a ReLU enters Δ at each such point, and as these are finitely many, one of them contains
    the ridge. A hyperplane through two ridges of a simplex contains all vertices but two (one ridge) and another vertex: all
    but one, thus a facet, and it does not enter Δ. So each of the n(n − 1)/2 ridges takes a ReLU of its own.
    """
    if units < 3:
        raise InputError(f"units: wanted at least 3 half-spaces, got {units}")
    d = units - 1
    return SignNetwork.disjunction(np.vstack([-np.eye(d), np.ones(d)]), np.append(np.zeros(d), -1.0))
