"""Lower bounds on ReLUs in the plane, against an exhaustive search (`tests/exhaustive.py`); the triangle."""

from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest
from exhaustive import excludes

import lpnet
from lpnet import ReLUNetwork, SignNetwork
from lpnet.laws import triangle_bends, triangle_relus

AXES, SQUARE = [[1.0, 0], [0, 1.0]], [[1.0, 0], [-1.0, 0], [0, 1.0], [0, -1.0]]
TRIANGLE = [[1.0, 0], [0, 1.0], [-1.0, -1.0]]
# network, and the fewest ReLUs that there are
DECISIONS = {
    "or of two": (SignNetwork.disjunction(AXES, [0, 0]), 2),
    "and of two": (SignNetwork.conjunction(AXES, [0, 0]), 2),
    "strip": (SignNetwork.conjunction(SQUARE[:2], [1, 1]), 2),
    "inside a triangle": (SignNetwork.conjunction(TRIANGLE, [1, 1, 1]), 3),
    "outside a square": (SignNetwork.disjunction(SQUARE, [-1.0] * 4), 3),
}
SLOW = ("inside a triangle", "outside a square")


def places(answer):
    """Where to look for points that tell networks apart: around the ridges, and points of the pieces."""
    seen = [*answer.surface.ridges, *answer.surface.pieces]
    return [np.array(one.point[:2], dtype=float) / one.point[2] for one in seen]


@pytest.mark.parametrize("name", [pytest.param(name, marks=[pytest.mark.slow] * (name in SLOW)) for name in DECISIONS])
def test_hand_made_decisions(name):
    """One ReLU less than `compress` finds is not enough, for any weights."""
    network, fewest = DECISIONS[name]
    answer = lpnet.compress(network, signs="both")
    assert answer.least <= answer.relus == fewest
    assert excludes(network, fewest - 1, around=places(answer))


def check(relus, seed):
    """No network has fewer bends or ReLUs than the bounds say, and the bends found are the fewest."""
    rng = np.random.default_rng([seed, relus, 77])
    rows = rng.integers(-9, 10, (relus, 3)).astype(float)
    weights = rng.choice([1.0, 2.0, 3.0], relus) * np.resize([1, -1], relus)
    network = ReLUNetwork(rows[:, :2], rows[:, 2], weights, float(rng.integers(-9, 10)))
    answer = lpnet.compress(network, signs="both")
    assert answer.verdict == "exact"
    around = places(answer) if answer.surface.pieces else []
    if answer.least:
        assert excludes(network, answer.least - 1, around=around, dense=100)
    if answer.surface.ridges:
        assert excludes(network, answer.bends - 1, affine=True, around=around, dense=100)


@pytest.mark.parametrize(("relus", "seed"), [(2, 0), (2, 4), (3, 2)])
def test_random_networks(relus, seed):
    check(relus, seed)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20))
def test_more_random_networks(seed):
    check(2, seed)
    check(3, seed)


def triangle_network(p, gamma, delta):
    """f of `triangle_relus` with six units, y_3 = 1 − y_1 − y_2; and its affine part and units with weights, as rows."""
    (one, two, three), e = p, [[1, 0, 0], [0, 1, 0], [-1, -1, 1]]
    affine = [gamma - three * delta, delta, -two * gamma]
    rows = [
        (two * gamma, [0, one, -1]),
        (gamma + three * delta, [-1, 0, two]),
        (delta, [three, -1, 0]),
        (-gamma, [1, one * two, -two]),
        (-delta, [-three, 1, two * three]),
    ]
    forms = [
        [sum(c * y[j] for c, y in zip(form, e, strict=True)) for j in range(3)] for form in (affine, *(a for _, a in rows))
    ]
    return forms, affine, rows


def test_five_bends_around_a_triangle():
    """f of the proof is right on the sides for any p, γ and δ; the symmetric one is the decision."""
    rng = np.random.default_rng(0)
    for _ in range(5):
        p = [Fraction(int(n), int(m)) for n, m in rng.integers(1, 9, (3, 2))]
        gamma, delta = (Fraction(int(z)) for z in rng.integers(1, 9, 2))
        _, affine, rows = triangle_network(p, gamma, delta)
        for i, j in ((0, 1), (1, 2), (2, 0)):
            for t in range(9):
                y = [Fraction(0)] * 3
                y[i], y[j] = Fraction(t, 8), 1 - Fraction(t, 8)
                values = (w * max(Fraction(0), sum(a * b for a, b in zip(form, y, strict=True))) for w, form in rows)
                assert sum(a * b for a, b in zip(affine, y, strict=True)) + sum(values) == 0
    forms, *_, rows = triangle_network([1.0] * 3, 1.0, 1.0)
    weights = [w for w, _ in rows]
    table = np.array([*forms, [-c for c in forms[0]]])
    found = ReLUNetwork(table[:, :2], table[:, 2], [1.0, *weights, -1.0], 0.0)
    outside = SignNetwork.disjunction([[-1.0, 0], [0, -1.0], [1.0, 1.0]], [0, 0, -1.0])
    assert lpnet.equal(found, outside).verdict == "equal"
    assert len(lpnet.networks.normal_form(found).units) == triangle_bends() == 5


def test_a_triangle_needs_six():
    """The 32 cases of the proof: coefficients of A, B, D, E, F, G at the three vertices."""
    a, b, d, e, f, g = np.eye(6, dtype=int)
    none = 0 * a
    affine = np.array([a - b, d, -e])
    units = np.array([[none, f, -e], [-a - b, none, e + g], [b, -d, none], [-a, -f, e], [b, -d, -g]])
    for size in range(6):
        for turned in combinations(range(5), size):
            total = affine + units[list(turned)].sum(axis=0)
            apart = [total[i] - total[j] for i in range(3) for j in range(3)]
            assert any(difference.any() and (difference >= 0).all() for difference in apart)
    assert triangle_relus() == 6
