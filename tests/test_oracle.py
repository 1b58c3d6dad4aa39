"""The oracle itself: hand counts, closed forms, bounds, and other methods (along lines; d = 1; touching points in d = 2)."""

from fractions import Fraction
from itertools import pairwise, product
from math import comb, gcd

import numpy as np
import pytest
from cases import (
    boundary_points,
    boxed_cases,
    constant_cases,
    degenerate_networks,
    networks,
    random_degenerate,
    random_network,
    relu,
)
from hypothesis import given, settings
from lines import Point, along, f_form, lowest_terms, met_on_line, met_on_lines, stops_on_line
from oracle import Vector, constant_sign, dot, exact_value, needed_halfspaces, regular, solve

from lpnet.networks import Box, Polyhedron, ReLUNetwork

HAND = degenerate_networks()
OUT_OF_REACH = {
    "weights 2^±200",
    "w0 tiny",
    "almost parallel",
    "a subnormal weight",
    "a piece in a cell without a float",
    "merged weights cancel to the last bit but one",
    "braid on 4, one way",
}
SMALL = [(1, 1), (3, 1), (2, 2), (4, 2), (6, 2), (3, 3), (5, 3), (4, 4), (6, 4)]


# --- other methods


def affine_pieces(network: ReLUNetwork) -> list[tuple[Point, Fraction]]:
    """(u_k, b_k) in rationals."""
    rows = zip(network.hidden_weight.tolist(), network.hidden_bias.tolist(), strict=True)
    return [([Fraction(u) for u in row], Fraction(b)) for row, b in rows]


def needed_in_the_plane(network: ReLUNetwork) -> set[Vector]:
    """All of them for d = 2: of every c_S, whether f changes its answer across it anywhere along that line."""
    lines = [(u, b) for u, b in affine_pieces(network) if any(u)]
    return {
        form for form in subset_forms(network) if any(changes_at(network, lines, form, x) for x in edge_points(lines, form))
    }


def subset_forms(network: ReLUNetwork) -> set[Vector]:
    """All c_S, S any subset, with a gradient."""
    forms = {(*(Fraction(0) for _ in range(network.inputs)), Fraction(network.output_bias))}
    for w, (u, b) in zip(network.output_weight.tolist(), affine_pieces(network), strict=True):
        forms |= {tuple(z + Fraction(w) * a for z, a in zip(form, [*u, b], strict=True)) for form in forms}
    return {lowest_terms(form) for form in forms if any(form[:-1])}


def edge_points(lines: list[tuple[Point, Fraction]], form: Vector) -> list[Point]:
    """A point inside each edge into which the other lines cut a line in the plane."""
    u, foot = form[:2], [Fraction(-form[2] * z, form[0] ** 2 + form[1] ** 2) for z in form[:2]]
    step = [Fraction(-u[1]), Fraction(u[0])]
    others = [(dot(v, foot) + c, dot(v, step)) for v, c in lines]
    cuts = sorted({-height / slope for height, slope in others if slope}) or [Fraction(0)]
    return [along(foot, step, t) for t in [cuts[0] - 1, cuts[-1] + 1, *((s + t) / 2 for s, t in pairwise(cuts))]]


def changes_at(network: ReLUNetwork, lines: list[tuple[Point, Fraction]], form: Vector, x: Point) -> bool:
    """Whether f < 0 just off x where the form is negative, and there f is the form up to a factor, and f ≥ 0 across."""
    away = [abs(dot(u, x) + b) / (abs(dot(u, list(form[:2]))) + 1) for u, b in lines if dot(u, x) + b != 0]
    step = min(away, default=Fraction(1)) / 2
    before, behind = (along(x, [Fraction(z) for z in form[:2]], side * step) for side in (-1, 1))
    return exact_value(network, before) < 0 <= exact_value(network, behind) and f_form(network, before) == form


def regular_in_the_plane(network: ReLUNetwork) -> bool:
    """`regular` for d = 2: every point of the arrangement's vertices and edges where f = 0, by the sectors around it."""
    lines = [(u, b) for u, b in affine_pieces(network) if any(u)]
    return all(thick_at(network, lines, x) for x in skeleton(lines) if exact_value(network, x) == 0)


def skeleton(lines: list[tuple[Point, Fraction]]) -> list[Point]:
    """All vertices of an arrangement of lines in the plane, and a point of every edge."""
    points = []
    for u, b in lines:
        foot, step = [-b * u[0] / dot(u, u), -b * u[1] / dot(u, u)], [-u[1], u[0]]
        others = [(dot(v, foot) + c, dot(v, step)) for v, c in lines]
        crossings = sorted({-height / slope for height, slope in others if slope})
        ends = [crossings[0] - 1, *crossings, crossings[-1] + 1] if crossings else [Fraction(0)]
        points += [along(foot, step, t) for t in [*ends, *((s + t) / 2 for s, t in pairwise(ends))]]
    return points


def thick_at(network: ReLUNetwork, lines: list[tuple[Point, Fraction]], x: Point) -> bool:
    """Whether f > 0 or f ≡ 0 on some sector at x between neighbouring lines through x, where f(x) = 0 (f is linear there)."""
    through = [u for u, b in lines if dot(u, x) + b == 0]
    axes = [[sign * -u[1], sign * u[0]] for u in through for sign in (1, -1)]
    axes.sort(key=lambda v: np.arctan2(float(v[1]), float(v[0])))
    rays = [
        v for v, after in zip(axes, axes[1:] + axes[:1], strict=True) if v[0] * after[1] != v[1] * after[0] or dot(v, after) < 0
    ]
    away = [abs(dot(u, x) + b) / sum(map(abs, u)) for u, b in lines if dot(u, x) + b != 0]
    step = min(away, default=Fraction(1)) / 4
    for v, w in zip(rays, rays[1:] + rays[:1], strict=True):
        between = [-v[1], v[0]] if dot(v, w) < 0 and v[0] * w[1] == v[1] * w[0] else along(unit(v), unit(w), Fraction(1))
        values = [exact_value(network, along(x, unit(z), step)) for z in (v, between, w)]
        if max(values) > 0 or values[0] == values[1] == values[2] == 0:
            return True
    return False


def unit(v: Point) -> Point:
    """v scaled to largest absolute coordinate 1."""
    return [z / max(map(abs, v)) for z in v]


# --- by hand


@pytest.mark.parametrize("case", HAND, ids=lambda case: case.name)
def test_hand_counts(case):
    if case.expected is not None:
        assert len(needed_halfspaces(case.network)) == case.expected


@pytest.mark.parametrize("case", boxed_cases(), ids=lambda case: case.name)
def test_hand_counts_on_boxes(case):
    assert len(needed_halfspaces(case.network, case.box)) == case.expected


@pytest.mark.parametrize(
    ("name", "network", "sign"), constant_cases(), ids=lambda value: value if isinstance(value, str) else ""
)
def test_constant_classifiers(name, network, sign):
    assert constant_sign(network) == sign
    assert regular(network) == ("thin" not in name)


def test_the_half_spaces_themselves():
    """Orientation, the negative side's hyperplane at a kink, lowest terms."""
    assert needed_halfspaces(relu(-1, (1, 1, 0), (1, 1, -1))) == {(1, -1)}
    assert needed_halfspaces(relu(0, (-3, 2, 1))) == {(-2, -1)}
    assert needed_halfspaces(relu(0, (1, 1, 1, 0), (1, -1, -1, 0), (-1, 1, -1, 0), (-1, -1, 1, 0))) == {
        (1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0)
    }  # fmt: skip
    assert needed_halfspaces(relu(-0.5, (0.25, 3, 0), (0.25, 0.5, 0))) == {(7, -4)}


def test_thin_parts():
    irregular = {case.name for case in HAND if not regular(case.network)}
    assert {name for name in irregular if not name.startswith("constant: thin")} == {
        "thin and thick: 3R(x - 1) - |x|",
        "same hyperplane from two cells, touching 0 on a half-line",
        "d = 1, touches 0 at a point, -1 far out",
    }
    plane = relu(0, (-1, 1, 0, 0), (-1, -1, 0, 0))
    assert regular(plane, Box([0, -1], [1, 1]))
    assert not regular(plane, Box([-1, -1], [1, 1]))


# --- closed forms and bounds


@pytest.mark.parametrize(("positive", "negative"), [(p, n) for p, n in product(range(4), range(4)) if 0 < p + n <= 5])
@pytest.mark.parametrize("spare", [0, 1])
def test_independent_normals(positive, negative, spare):
    """rank(U) = n: the counts of every sign pattern and sign of w0."""
    n = positive + negative
    network = random_network(np.random.default_rng(100 * positive + 10 * negative + spare), n, min(n + spare, 5), "positive")
    output = network.output_weight * np.repeat([1, -1], [positive, negative])
    if np.linalg.matrix_rank(network.hidden_weight) < n:
        pytest.skip("no room for a spare input")
    counts = {
        -1.0: (2**positive - 1) * 2**negative,
        1.0: 2**positive * (2**negative - 1),
        0.0: (2**positive - 1) * (2**negative - 1) + negative,
    }
    for w0, count in counts.items():
        assert len(needed_halfspaces(ReLUNetwork(network.hidden_weight, network.hidden_bias, output, w0))) == count


def test_one_sign_bound_is_reached_and_never_exceeded():
    """At most T(n, d) = min(2^n − 1, 2 Σ_{s<d} C(n − 1, s)) for one sign."""
    rng = np.random.default_rng(5)
    for n, d in [(2, 1), (4, 1), (3, 2), (4, 2), (5, 2), (4, 3)]:
        bound = min(2**n - 1, 2 * sum(comb(n - 1, s) for s in range(d)))
        counts = [len(needed_halfspaces(one_signed(rng, n, d))) for _ in range(40)]
        assert max(counts) == bound


def one_signed(rng: np.random.Generator, n: int, d: int) -> ReLUNetwork:
    """Units that look outward, one sign, w0 of the other sign and not small: often as many pieces as there can be."""
    signs, sign = ("positive", -1) if rng.random() < 0.5 else ("negative", 1)
    return random_network(rng, n, d, signs, bias=float(rng.choice([0, 0.3, 1])), output_bias=sign * float(rng.choice([0.5, 4])))


@pytest.mark.parametrize(("n", "d"), [(3, 2), (6, 2), (5, 3), (6, 4), (4, 4), (3, 4)])
def test_central_one_sign(n, d):
    """b = 0, w0 < 0, general position: 2 Σ C(n − 1, s), less 1 if some x makes every a_k negative."""
    rng = np.random.default_rng(n + 10 * d)
    network = random_network(rng, n, d, "positive", bias=0, output_bias=-1)
    if d <= n and rng.random() < 0.5:
        network = ReLUNetwork(np.abs(network.hidden_weight), network.hidden_bias, network.output_weight, -1)
    regions = 2 * sum(comb(n - 1, s) for s in range(d))
    shifted = ReLUNetwork(network.hidden_weight, network.hidden_bias, np.ones(n), 0.0)
    some_inactive = bool((shifted.score(rng.normal(size=(200_000, d))) == 0).any())
    assert len(needed_halfspaces(network)) == regions - some_inactive


def test_mixed_bound():
    """At most one piece per cell."""
    rng = np.random.default_rng(6)
    for n, d in [(4, 1), (5, 2), (5, 3), (6, 3)]:
        bound = min(2**n - 1, sum(comb(n, s) for s in range(d + 1)))
        assert max(len(needed_halfspaces(random_network(rng, n, d))) for _ in range(10)) <= bound


# --- against other methods


@pytest.mark.parametrize(("n", "d"), SMALL)
def test_lines_meet_nothing_else(n, d):
    """A generic line meets needed half-spaces only; the answer says there are none only if no line meets one."""
    rng = np.random.default_rng(n + 10 * d)
    for network in [*(random_degenerate(rng, n, d) for _ in range(12)), random_network(rng, n, d)]:
        assert met_on_lines(network, rng, 6) <= needed_halfspaces(network)


@pytest.mark.parametrize("case", [case for case in HAND if case.network.relus <= 7], ids=lambda case: case.name)
def test_lines_meet_everything(case):
    """Enough lines meet all of them, on networks of moderate numbers."""
    if case.name in OUT_OF_REACH:
        pytest.skip("a piece too far away or too small for a few random lines")
    rng = np.random.default_rng(8)
    needed, met = needed_halfspaces(case.network), set()
    for _ in range(300):
        met |= met_on_lines(case.network, rng, 5)
        if met >= needed:
            break
    assert met == needed


@settings(max_examples=60, deadline=None, derandomize=True)
@given(networks())
def test_lines_on_nasty_networks(network):
    assert met_on_lines(network, np.random.default_rng(9), 4) <= needed_halfspaces(network)


def test_one_input_directly():
    """d = 1: half-spaces and touching points read off the real line."""
    rng = np.random.default_rng(10)
    for _ in range(150):
        network = random_degenerate(rng, int(rng.integers(1, 6)), 1)
        stops = [t for t, _ in stops_on_line(network, [Fraction(0)], [Fraction(1)], 1000)]
        middles = [exact_value(network, [(s + t) / 2]) for s, t in pairwise(stops)]
        isolated = [
            exact_value(network, [t]) >= 0 and before < 0 and after < 0
            for t, before, after in zip(stops[1:-1], middles, middles[1:], strict=False)
        ]
        answer = solve(network)
        assert answer.halfspaces == met_on_line(network, [Fraction(0)], [Fraction(1)], 1000)
        assert answer.regular == (not any(isolated))
        assert (answer.constant == -1) == all(middle < 0 for middle in middles)
        assert (answer.constant == 1) == all(middle >= 0 for middle in middles)


def test_every_line_in_the_plane():
    """d = 2, exactly: no half-space too many or too few."""
    rng = np.random.default_rng(15)
    by_hand = [case.network for case in HAND if case.network.inputs == 2]
    random = [random_degenerate(rng, int(rng.integers(1, 6)), 2) for _ in range(80)]
    for network in [*by_hand, *random, random_network(rng, 4, 2), random_network(rng, 5, 2)]:
        assert needed_halfspaces(network) == needed_in_the_plane(network)


def test_touching_points_in_the_plane():
    rng = np.random.default_rng(11)
    answers = []
    for _ in range(120):
        network = random_degenerate(rng, int(rng.integers(1, 6)), 2)
        network = with_fold(rng, network) if rng.random() < 0.6 else network
        answers.append(regular(network))
        assert answers[-1] == regular_in_the_plane(network)
    assert 15 < sum(answers) < 105


def with_fold(rng: np.random.Generator, network: ReLUNetwork) -> ReLUNetwork:
    """f − w0 − 2|a|, so that {f ≥ 0} is thin at places."""
    row, bias = rng.integers(-2, 3, network.inputs) / 2, rng.integers(-2, 3) / 2
    rows = np.vstack([network.hidden_weight, row, -row])
    return ReLUNetwork(rows, np.r_[network.hidden_bias, bias, -bias], np.r_[network.output_weight, -2, -2], 0.0)


def test_boxes():
    """A box keeps some; cells of a subdivision keep all but what lies in their walls."""
    rng = np.random.default_rng(12)
    for n, d in SMALL:
        network = random_degenerate(rng, n, d)
        everywhere, cut = needed_halfspaces(network), 0.3
        low, high = np.full(d, -np.inf), np.full(d, np.inf)
        parts = [(low, np.r_[cut, high[1:]]), (np.r_[cut, low[1:]], high)]
        assert set().union(*(needed_halfspaces(network, Box(*part)) for part in parts)) == everywhere
        assert needed_halfspaces(network, Polyhedron.everywhere(d)) == everywhere


def test_the_answer_depends_on_the_function_only():
    """Units reordered, split in two halves, rescaled by powers of 2, and R(a) = R(−a) + R(a) − R(−a)."""
    rng = np.random.default_rng(13)
    for n, d in SMALL[:-1]:
        network = random_degenerate(rng, n, d)
        weight, bias, output = network.hidden_weight, network.hidden_bias, network.output_weight
        order = rng.permutation(n)
        scale = 2.0 ** rng.integers(-3, 4, n)
        first = [scale[:, None] * weight, scale * bias, output / scale]
        opposite = [-weight[:1], -bias[:1], output[:1]]
        affine = [[weight[:1], bias[:1], output[:1]], [-weight[:1], -bias[:1], -output[:1]]]
        rest = [part[order[order != 0]] for part in first]
        parts = [np.concatenate(columns) for columns in zip(opposite, *affine, rest, strict=True)]
        assert described(ReLUNetwork(*parts, network.output_bias)) == described(network)


def described(network: ReLUNetwork) -> tuple[object, ...]:
    """The answer but for the names of the cells."""
    answer = solve(network)
    return *answer[:-1], len(answer.pieces)


def test_boundary_points_straddle():
    rng = np.random.default_rng(14)
    network = random_network(rng, 5, 3)
    points = boundary_points(rng, network, 400)
    assert points.shape == (400, 3)
    assert 80 < (network(points) > 0).sum() < 320
    assert (np.abs(network.score(points)) < 1e-4).mean() > 0.45
    assert boundary_points(rng, relu(1, (1, 1, 0)), 7).shape == (7, 1)


def test_lowest_terms():
    for case in HAND:
        assert all(gcd(*vector) == 1 and any(vector[:-1]) for vector in needed_halfspaces(case.network))
