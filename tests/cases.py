"""Networks for the tests: random, degenerate by hand (the number of needed half-spaces known), degenerate at random; points."""

from itertools import combinations
from typing import NamedTuple

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from lpnet.networks import Box, Polyhedron, ReLUNetwork

Rows = list[list[float]]


class Case(NamedTuple):
    """A network and how many half-spaces it needs (None: not known by hand)."""

    name: str
    network: ReLUNetwork
    expected: int | None


class BoxedCase(NamedTuple):
    """A network on a box and how many half-spaces it needs there."""

    name: str
    network: ReLUNetwork
    box: Box
    expected: int


def relu(output_bias: float, *units: tuple[float, ...]) -> ReLUNetwork:
    """w0 + Σ w R(u·x + b), a unit written (w, u_1, …, u_d, b)."""
    table = np.array(units, dtype=float)
    return ReLUNetwork(table[:, 1:-1], table[:, -1], table[:, 0], output_bias)


def affine(*weights: float, bias: float = 0.0) -> list[tuple[float, ...]]:
    """Two units that make an affine function: a = R(a) − R(−a)."""
    return [(1, *weights, bias), (-1, *(-u for u in weights), -bias)]


# --- Gaussian


def random_network(
    rng: np.random.Generator,
    relus: int,
    inputs: int,
    signs: str = "mixed",
    bias: float = 1.0,
    output_bias: float | None = None,
) -> ReLUNetwork:
    """Gaussian weights; b_k Gaussian of deviation `bias`; w0 Gaussian unless given; signs: "mixed", "positive", "negative"."""
    output = rng.normal(size=relus)
    flip = {"mixed": output, "positive": np.abs(output), "negative": -np.abs(output)}[signs]
    w0 = rng.normal() if output_bias is None else output_bias
    return ReLUNetwork(rng.normal(size=(relus, inputs)), bias * rng.normal(size=relus), flip, w0)


# --- degenerate, by hand


def degenerate_networks() -> list[Case]:
    """One or more of every degenerate kind there is, with the number of needed half-spaces."""
    return [
        *constant_networks(),
        *repeated_unit_networks(),
        *kink_networks(),
        *zero_weight_networks(),
        *low_rank_networks(),
        *structured_networks(),
        *one_input_networks(),
        *scaled_networks(),
    ]


def constant_cases() -> list[tuple[str, ReLUNetwork, int]]:
    """Classifiers that need no half-space, with their constant sign off a set without interior."""
    return [
        ("R(x) + 1", relu(1, (1, 1, 0)), 1),
        ("R(x)", relu(0, (1, 1, 0)), 1),
        ("-R(x) - 1", relu(-1, (-1, 1, 0)), -1),
        ("thin: -R(x) - R(-x)", relu(0, (-1, 1, 0), (-1, -1, 0)), -1),
        ("thin: -|x| in the plane", relu(0, (-1, 1, 0, 0), (-1, -1, 0, 0)), -1),
        ("thin: -|x| - |y|", relu(0, (-1, 1, 0, 0), (-1, -1, 0, 0), (-1, 0, 1, 0), (-1, 0, -1, 0)), -1),
        ("thin: -|x - y| - |y - z|", relu(0, *absolute(-1, 1, -1, 0), *absolute(-1, 0, 1, -1)), -1),
        ("|x|", relu(0, (1, 1, 0), (1, -1, 0)), 1),
        ("R(x) + R(y), w0 = 0", relu(0, (1, 1, 0, 0), (1, 0, 1, 0)), 1),
        ("R(x) + R(y) - R(x + y), 0 on two cells", relu(0, (1, 1, 0, 0), (1, 0, 1, 0), (-1, 1, 1, 0)), 1),
        ("identically 0: two units cancel", relu(0, (1, 2, 1), (-2, 1, 0.5)), 1),
        ("identically 0: zero output weight", relu(0, (0, 1, 0)), 1),
        ("identically 0: R(1) - 1", relu(-1, (1, 0, 1)), 1),
        ("no unit matters, w0 < 0", relu(-1, (0, 1, 0), (1, 0, -1)), -1),
        ("no hidden unit, w0 < 0", ReLUNetwork(np.zeros((0, 2)), np.zeros(0), np.zeros(0), -1.0), -1),
        ("no hidden unit, w0 = 0", ReLUNetwork(np.zeros((0, 3)), np.zeros(0), np.zeros(0), 0.0), 1),
    ]


def absolute(weight: float, *form: float, bias: float = 0.0) -> list[tuple[float, ...]]:
    """Two units that make weight·|a|."""
    return [(weight, *form, bias), (weight, *(-u for u in form), -bias)]


def constant_networks() -> list[Case]:
    """`constant_cases`: no half-space at all."""
    return [Case(f"constant: {name}", network, 0) for name, network, _ in constant_cases()]


def repeated_unit_networks() -> list[Case]:
    """Coincident hyperplanes: copies, scaled copies, opposite units, cancelling weights; parallel units; affine networks."""
    x, y = (1, 1, 0, 0), (1, 0, 1, 0)
    return [
        Case("repeated unit", relu(-1, x, x, y), 3),
        Case("scaled copies", relu(-1, x, (1, 2, 0, 0), (1, 0, 0.5, 0)), 3),
        Case("merged weights cancel", relu(-1, x, (-0.5, 2, 0, 0), y), 1),
        Case("merged weights cancel to the last bit but one", relu(-1, (0.1, 1, 0, 0), (0.2, 1, 0, 0), (-0.3, 1, 0, 0), y), 3),
        Case("|x + y| - |x - y|", relu(0, *absolute(1, 1, 1), *absolute(-1, 1, -1)), 4),
        Case("|x| - 1", relu(-1, *absolute(1, 1)), 2),
        Case("2R(x) - R(-x), leaky", relu(0, (2, 1, 0), (-1, -1, 0)), 1),
        Case("2R(x) - R(-x) + 1, leaky", relu(1, (2, 1, 0), (-1, -1, 0)), 1),
        Case("opposite of different scale", relu(1, (-3, 2, 0, 0), (-1, -0.5, 0, 0), y), 4),
        Case("affine", relu(0, *affine(2, -1, bias=1)), 1),
        Case("affine, two inputs, from four units", relu(0, *affine(1, 0), *affine(0, -1)), 1),
        Case("affine, three inputs, from six units", relu(0.5, *affine(1, 0, 0), *affine(0, 3, 0), *affine(0, 0, -1)), 1),
        Case("affine plus ReLU beyond the rank of U: x + R(y)", relu(0, *affine(1, 0), y), 2),
        Case("parallel units: a slab", relu(-0.5, (1, 1, 1, 0), (-2, 1, 1, -1), (1, 1, 1, -2)), 2),
        Case("parallel and opposite: |x| + |x - 1| - 2", relu(-2, *absolute(1, 1, 0), *absolute(1, 1, 0, bias=-1)), 2),
    ]


def kink_networks() -> list[Case]:
    """Pieces on a hyperplane a_k = 0 itself, with f > 0 or f ≡ 0 behind; f ≡ 0 on cells; isolated touching points."""
    x, y = (1, 1, 0, 0), (1, 0, 1, 0)
    return [
        Case("R(x) + R(x - 1) - 1", relu(-1, (1, 1, 0), (1, 1, -1)), 1),
        Case("R(x) + R(x - 1) + R(y) - 1", relu(-1, x, (1, 1, 0, -1), y), 3),
        Case("-R(x), f = 0 on a half-line", relu(0, (-1, 1, 0)), 1),
        Case("-R(x) - R(y), f = 0 on a quadrant", relu(0, (-1, 1, 0, 0), (-1, 0, 1, 0)), 2),
        Case("-R(x - 1) - R(-x), f = 0 on an interval", relu(0, (-1, 1, -1), (-1, -1, 0)), 2),
        Case("R(x) - R(y)", relu(0, x, (-1, 0, 1, 0)), 2),
        Case("R(x + y) - R(x) - R(y), both sides of a kink", relu(0, (1, 1, 1, 0), (-1, 1, 0, 0), (-1, 0, 1, 0)), 4),
        Case("clip(x) + clip(y) - 1", relu(-1, x, (-1, 1, 0, -1), y, (-1, 0, 1, -1)), 3),
        Case("AND of three half-planes", relu(0, (-1, 1, 0, 0), (-1, 0, 1, 0), (-1, -1, -1, -2)), 3),
        Case("R(x) - R(x - 1) - R(y) - 1, never positive", relu(-1, x, (-1, 1, 0, -1), (-1, 0, 1, 0)), 2),
        Case("thin and thick: 3R(x - 1) - |x|", relu(0, *absolute(-1, 1), (3, 1, -1)), 1),
        Case("same hyperplane from two cells: R(y) + tent(x) - 1", tent(0.5), 3),
        Case("same hyperplane from two cells, touching 0 on a half-line", tent(1.0), 3),
    ]


def tent(height: float) -> ReLUNetwork:
    """R(y) − 1 plus a tent of that height over 0 ≤ x ≤ 2: y = 1 is f = 0 on both sides of the tent."""
    h = height
    return relu(-1, (1, 0, 1, 0), (h, 1, 0, 0), (-2 * h, 1, 0, -1), (h, 1, 0, -2))


def zero_weight_networks() -> list[Case]:
    """Units without effect: w_k = 0, or u_k = 0 with b_k > 0, = 0, < 0; w0 = 0."""
    x, y = (1, 1, 0, 0), (1, 0, 1, 0)
    return [
        Case("zero output weight", relu(-1, (0, 1, 0, 0), y), 1),
        Case("u = 0, b > 0 lifts", relu(-2, (1, 0, 0, 1), x), 1),
        Case("u = 0, b > 0 lifts to w0 = 0", relu(1, (-1, 0, 0, 1), x, (-1, 0, 1, 0)), 2),
        Case("u = 0, b < 0", relu(-1, (1, 0, 0, -1), x), 1),
        Case("u = 0, b = 0", relu(-1, (5, 0, 0, 0), x), 1),
        Case("negative zeros", relu(-1, (1, -0.0, 1, -0.0), (-0.0, 1, 0, 0)), 1),
        Case("an input nobody reads", relu(-1, (1, 1, 0, 0, 0), (1, 0, 0, 1, 0)), 3),
        Case("R(x) + R(y) - R(z), w0 = 0", relu(0, (1, 1, 0, 0, 0), (1, 0, 1, 0, 0), (-1, 0, 0, 1, 0)), 4),
        Case("1 - R(x) - R(y)", relu(1, (-1, 1, 0, 0), (-1, 0, 1, 0)), 3),
    ]


def low_rank_networks() -> list[Case]:
    """First layers of lower rank than min(n, d)."""
    return [
        Case("rank 1 staircase in three inputs", relu(-0.5, (1, 1, 1, 1, 0), (-2, 1, 1, 1, -1), (2, 1, 1, 1, -2)), 3),
        Case("rank 2 in four inputs", relu(-1, (1, 1, 0, 1, 0, 0), (1, 0, 1, 0, 1, 0), (1, 1, 1, 1, 1, 0)), 5),
        Case("three normals that sum to zero", relu(-1, (1, 1, 0, 0), (1, 0, 1, 0), (1, -1, -1, 0)), 6),
        Case("braid on 3, one way", relu(-1, *(sum_difference(3, i, j) for i, j in combinations(range(3), 2))), 5),
        Case("braid on 4, one way", relu(-1, *(sum_difference(4, i, j) for i, j in combinations(range(4), 2))), 23),
        Case("braid on 3, both ways", relu(-1, *(unit for i, j in combinations(range(3), 2) for unit in both(3, i, j))), 6),
        Case("braid on 4, both ways", relu(-1, *(unit for i, j in combinations(range(4), 2) for unit in both(4, i, j))), 24),
    ]


def sum_difference(inputs: int, i: int, j: int) -> tuple[float, ...]:
    """The unit R(x_i − x_j)."""
    return (1, *(int(k == i) - int(k == j) for k in range(inputs)), 0)


def both(inputs: int, i: int, j: int) -> list[tuple[float, ...]]:
    """The units R(x_i − x_j) and R(x_j − x_i)."""
    return [sum_difference(inputs, i, j), sum_difference(inputs, j, i)]


def structured_networks() -> list[Case]:
    """Central arrangements and integer lattice weights."""
    octahedron = [(1, *row, 0) for row in np.vstack([np.eye(3), -np.eye(3)]).astype(int).tolist()]
    return [
        Case("central, some x makes all negative", relu(-1, (1, 1, 0, 0), (1, 0, 1, 0), (1, 1, 1, 0), (1, 1, -1, 0)), 7),
        Case("central, one-norm ball", relu(-1, *octahedron), 8),
        Case("central, w0 = 0, cone", relu(0, (1, 1, 0, 0), (1, -1, 0, 0), (-1, 0, 1, 0)), 2),
        Case("central, rank n", relu(-1, (1, 1, 0, 0, 0), (1, 0, 1, 0, 0), (1, 1, 1, 1, 0)), 7),
        Case("integer lattice", relu(-1, (1, 1, 0, 0), (1, 1, 0, -1), (1, 0, 1, 0), (1, 0, 1, -1)), 3),
        Case(
            "integer lattice, mixed", relu(-1, (2, 1, 0, 0), (-1, 1, 1, 0), (1, 1, -1, 1), (-2, 0, 1, -1), (1, 1, 2, 1)), None
        ),
        Case("all hyperplanes through one point", relu(-1, (1, 1, 0, -1), (1, 0, 1, -1), (-1, 1, 1, -2), (1, 1, -1, 0)), None),
        Case("max(x, y) - 1 = x + R(y - x) - 1", relu(-1, *affine(1, 0), (1, -1, 1, 0)), 2),
    ]


def one_input_networks() -> list[Case]:
    """d = 1."""
    return [
        Case("d = 1, four crossings from three units", relu(9, (-3, 1, 0), (2, 1, -2), (-2, -1, 4)), 4),
        Case("d = 1, one unit", relu(-1, (1, 2, -1)), 1),
        Case("d = 1, two units, same half-line", relu(-1, (1, 1, 0), (1, 1, -5)), 1),
        Case("d = 1, touches 0 at a point, -1 far out", relu(0, (-1, 1, 0), (-1, -1, 0), (1, 1, -1), (1, -1, -1)), 0),
        Case("d = 1, sawtooth", relu(-0.25, (1, 1, 0), (-2, 1, -1), (2, 1, -2), (-2, 1, -3)), 4),
    ]


def scaled_networks() -> list[Case]:
    """Floats of very different size, where a tolerance goes wrong but the numbers are exact."""
    big, small = 2.0**200, 2.0**-200
    return [
        Case("weights 2^±200", relu(-1, (big, small, 0, 0), (small, 0, big, 0)), 3),
        Case("w0 tiny", relu(-small, (1, 1, 0, 0), (1, 0, 1, 0)), 3),
        Case("almost parallel", relu(-1, (1, 1, 1, 0), (1, 1, 1 + 2.0**-52, 0)), 3),
        Case("a kink missed by one bit", relu(-1, (1, 1, 0), (1, 1, -(1 - 2.0**-53))), 1),
        Case("a piece in a cell without a float", relu(-(2.0**-53), (1, 1, -1), (-1, 1, -(1 + 2.0**-52))), 1),
        Case("a subnormal weight", relu(-1, (1, 5e-324, 0, 0), (1, 0, 1, 0)), 3),
    ]


def boxed_cases() -> list[BoxedCase]:
    """Only the interior of the box counts."""
    plane, kink = relu(-1, (1, 1, 0, 0), (1, 0, 1, 0)), relu(-1, (1, 1, 0), (1, 1, -1))
    return [
        BoxedCase("both units always active", plane, Box([0, 0], [1, 1]), 1),
        BoxedCase("both units never active", plane, Box([-2, -2], [0, 0]), 0),
        BoxedCase("the boundary meets a corner only", plane, Box([-1, -1], [0.5, 0.5]), 0),
        BoxedCase("pieces on the faces do not count", plane, Box([-1, -1], [1, 1]), 1),
        BoxedCase("half-infinite, face on a hyperplane a = 0", plane, Box([-np.inf, -np.inf], [0, np.inf]), 1),
        BoxedCase("everything", plane, Polyhedron.everywhere(2), 3),
        BoxedCase("kink on the face", kink, Box([-np.inf], [1]), 0),
        BoxedCase("kink inside", kink, Box([0], [2]), 1),
        BoxedCase("a box of two neighbouring floats", kink, Box([np.nextafter(1, 0)], [np.nextafter(1, 2)]), 1),
    ]


# --- degenerate, at random


def random_degenerate(rng: np.random.Generator, relus: int, inputs: int) -> ReLUNetwork:
    """Weights and biases in {−2, …, 2}/2, with copies, opposites, scalings, sums, shifts, zero rows; low rank at times.

    One network in five is folded (see `folded`). Most have both answers, some are constant.
    """
    for _ in range(4):
        network = any_degenerate(rng, relus, inputs)
        answers = network(3 * rng.normal(size=(200, inputs)))
        if answers.min() < answers.max():
            break
    return network


def any_degenerate(rng: np.random.Generator, relus: int, inputs: int) -> ReLUNetwork:
    """`random_degenerate`, without a second try at a constant one."""
    basis = quantised(rng, (rng.integers(1, inputs + 1), inputs)) if rng.random() < 0.3 else np.eye(inputs)
    central = rng.random() < 0.25
    rows: Rows = []
    for _ in range(relus):
        fresh = [*(quantised(rng, len(basis)) @ basis), 0.0 if central else float(quantised(rng, ()))]
        rows.append(degenerate_row(rng, rows, fresh))
    table = np.array(rows).reshape(relus, inputs + 1)
    output = quantised(rng, relus) if rng.random() < 0.4 else rng.choice([-1.0, 1.0], relus)
    if rng.random() < 0.2:
        return folded(table, output)
    return ReLUNetwork(table[:, :-1], table[:, -1], output, float(rng.choice([-1.0, 0.0, 1.0, -0.5, 0.5, -2.0])))


def folded(table: NDArray[np.float64], output: NDArray[np.float64]) -> ReLUNetwork:
    """The pairs −w R(a) − w R(−a) for the first units, the last one or two as given, w0 = 0: {f ≥ 0} often has thin parts."""
    pairs = max(0, len(output) - 1) // 2
    first, last = table[:pairs], table[2 * pairs :]
    rows = np.concatenate([first, -first, last])
    weights = np.concatenate([-np.abs(output[:pairs]), -np.abs(output[:pairs]), output[2 * pairs :]])
    return ReLUNetwork(rows[:, :-1], rows[:, -1], weights, 0.0)


def quantised(rng: np.random.Generator, shape: object) -> NDArray[np.float64]:
    """Numbers from {−1, −½, 0, ½, 1}."""
    return rng.integers(-2, 3, shape) / 2


def degenerate_row(rng: np.random.Generator, rows: Rows, fresh: list[float]) -> list[float]:
    """A new row (u, b), or one in some special position to the rows before it."""
    if not rows or rng.random() < 0.6:
        return fresh
    old, older = (np.array(rows[rng.integers(len(rows))]) for _ in range(2))
    shift = np.zeros(len(fresh))
    shift[-1] = rng.choice([-1.0, 0.5, 1.0])
    bare = np.append(np.zeros(len(fresh) - 1), fresh[-1])
    scaled = rng.choice([2, 0.5, 3, -1, -2]) * old
    choices = [old, -old, scaled, scaled, old + shift, shift - old, old + older, old - older, bare]
    return list(choices[rng.integers(len(choices))])


@st.composite
def networks(draw: st.DrawFn, max_relus: int = 4, max_inputs: int = 3) -> ReLUNetwork:
    """Small networks full of coincidences; now and then a weight is not a small fraction but any float of moderate size."""
    relus, inputs = draw(st.integers(0, max_relus)), draw(st.integers(1, max_inputs))
    number = st.one_of(
        st.integers(-2, 2).map(float), st.sampled_from([-0.5, 0.5, 0.25, 3.0, 0.1]), st.floats(-8, 8, allow_subnormal=False)
    )
    rows: Rows = []
    for _ in range(relus):
        fresh = st.lists(number, min_size=inputs + 1, max_size=inputs + 1)
        multiple = st.tuples(st.sampled_from(rows or [[0.0] * (inputs + 1)]), st.sampled_from([-2.0, -1.0, 0.5, 1.0, 2.0]))
        rows.append(draw(st.one_of(fresh, multiple.map(lambda pair: [pair[1] * z for z in pair[0]]))))
    table = np.array(rows).reshape(relus, inputs + 1)
    output = draw(st.lists(number, min_size=relus, max_size=relus))
    return ReLUNetwork(table[:, :-1], table[:, -1], np.array(output), draw(number))


# --- points


def boundary_points(rng: np.random.Generator, network: ReLUNetwork, count: int) -> NDArray[np.float64]:
    """Points to compare classifiers on, (count, d), shuffled: half are pairs that straddle the boundary, half lattice points.

    A pair comes from bisecting a segment between points of opposite sign to 1e-6 or 1e-9 of its size. Where no two points
    of opposite sign were found, plain random points stand in for the pairs.
    """
    lattice = rng.integers(-6, 7, (count - count // 2, network.inputs)) / 2
    points = np.vstack([straddling_points(rng, network, count // 2), lattice])
    return rng.permutation(points)


def straddling_points(rng: np.random.Generator, network: ReLUNetwork, count: int) -> NDArray[np.float64]:
    """`count` points in pairs of opposite sign, 1e-6 or 1e-9 apart relatively; plain random points if all are equal."""
    size = rng.choice([0.3, 1.0, 3.0, 30.0], (40 * count + 400, 1))
    sample = size * rng.normal(size=(len(size), network.inputs))
    answers = network(sample)
    below, above = sample[answers < 0], sample[answers > 0]
    if not (len(below) and len(above)):
        return sample[:count]
    pairs = (count + 1) // 2
    below, above = below[rng.integers(len(below), size=pairs)], above[rng.integers(len(above), size=pairs)]
    below, above = bisect(network, below, above, rng.choice([1e-6, 1e-9], pairs))
    return np.stack([below, above], axis=1).reshape(-1, network.inputs)[:count]


def bisect(
    network: ReLUNetwork, below: NDArray[np.float64], above: NDArray[np.float64], apart: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Halve the segments from f < 0 to f ≥ 0 until their ends are closer than `apart` times their size."""
    for _ in range(60):
        size = np.maximum(1, np.abs(below).max(axis=1))
        wide = np.abs(above - below).max(axis=1) > apart * size
        if not wide.any():
            break
        middle = (below + above) / 2
        positive = network(middle) > 0
        above = np.where((wide & positive)[:, None], middle, above)
        below = np.where((wide & ~positive)[:, None], middle, below)
    return below, above
