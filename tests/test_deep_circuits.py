"""Threshold equivalents of networks of several layers: right everywhere, ties included, on R^d and on boxes."""

import itertools
from fractions import Fraction
from math import lcm

import numpy as np
import pytest
from cases import affine, random_network, relu

from lpnet import Box, ReLUNetwork, equal, minimal_equivalent
from lpnet.boundary.engines import find_pieces
from lpnet.circuits.boundary import Boundary, as_bits, bits
from lpnet.circuits.parts import parts_of
from lpnet.circuits.sample import Floats
from lpnet.circuits.theorem1 import plain_dnf
from lpnet.equivalents.threshold import reduced_network
from lpnet.exact import primitive, sign, times, value
from lpnet.networks import Polyhedron, normal_form
from lpnet.networks.affine import Layer
from lpnet.networks.concave import deciding, growing, minorant
from lpnet.networks.polyhedron import as_domain
from lpnet.regions.reasons import answer_at, meet, reasons, values_at
from lpnet.regions.search import within
from lpnet.watch import Watch


def whole(rng, *shape, size=2):
    return rng.integers(-size, size + 1, shape).astype(float)


def deep(rng, inputs, widths, size=2, skips=False):
    """Small integer weights, many of them 0; with skips every layer reads the inputs and all layers before."""
    if not skips:
        sizes = [inputs, *widths, 1]
        return ReLUNetwork.of_layers(
            [(whole(rng, n, m, size=size), whole(rng, n, size=size)) for m, n in itertools.pairwise(sizes)]
        )
    read = [inputs + sum(widths[:k]) for k in range(len(widths))]
    first, *deeper = (Layer(whole(rng, n, m, size=size), whole(rng, n, size=size)) for m, n in zip(read, widths, strict=True))
    return ReLUNetwork(first.weight, first.bias, whole(rng, sum(widths), size=size), float(rng.integers(-1, 2)), None,
                       tuple(deeper), whole(rng, inputs, size=1))  # fmt: skip


def any_deep(rng, number):
    """Up to 9 units in two or three layers on up to three inputs; a third of them on a box."""
    inputs, widths = int(rng.integers(1, 4)), rng.integers(2, 4, int(rng.integers(2, 4)))
    network = deep(rng, inputs, widths.tolist(), int(rng.integers(1, 4)), bool(number % 2))
    return network, Box(np.full(inputs, -2.0), np.full(inputs, 3.0)) if number % 3 == 0 else None


def nasty_points(rng, answer):
    """Random rational ones, a lattice, the witnesses, and points on the hyperplanes of half-spaces and units."""
    inputs, form = answer.network.inputs, answer.form
    points = [(*map(int, rng.integers(-9, 10, inputs)), int(rng.integers(1, 5))) for _ in range(60)]
    points += [(*at, 1) for at in itertools.product(range(-2, 3), repeat=inputs)]
    points += answer.witnesses
    on = [on_plane(at, h) for at in points[:12] for h in (*answer.halfspaces, *form.beside(at).rows) if any(h[:-1])]
    walls = answer.domain.inequalities()
    return [at for at in (*points, *on) if all(value(h, at) > 0 for h in walls)]


def on_plane(at, h):
    """The point moved along one axis into {h = 0}."""
    j = next(j for j, e in enumerate(h[:-1]) if e)
    x = [Fraction(z, at[-1]) for z in at[:-1]]
    x[j] -= Fraction(value(h, at), at[-1] * h[j])
    q = lcm(*(z.denominator for z in x))
    return (*(int(z * q) for z in x), q)


def assert_equivalents(rng, network, box=None):
    """What was built, and Theorem 1's, answer as the network does, and the evidence holds."""
    answer = minimal_equivalent(network, box)
    built, reduced = answer.build_equivalent(), answer.reduced_equivalent
    points = nasty_points(rng, answer)
    for at in points:
        assert answer_at(network, at) == answer_at(built.network, at) == answer_at(reduced, at)
    assert built.kind == "Theorem 1" or built.first_layer == answer.units
    if built.smallest and built.smallest.inseparable:
        assert built.smallest.inseparable.holds(answer.form, built.smallest.logic.halfspaces)
        assert all(one.holds(answer.form, built.smallest.logic.halfspaces) for one in built.smallest.fooling)
    return answer, built


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 5))])
def test_random_networks(seed):
    rng = np.random.default_rng(seed)
    kinds = set()
    for number in range(15):
        network, box = any_deep(rng, number)
        _, built = assert_equivalents(rng, network, box)
        assert equal(network, built.network, box).verdict == "equal"
        kinds.add(built.kind)
    assert {"constant", "two layers"} < kinds


def wedge(rng, inputs):
    """max(min(A, −|B|), C) of affine A, B, C with small whole weights: {C ≥ 0} and a half of the hyperplane {B = 0}."""
    a, b, c = whole(rng, 3, inputs + 1)
    c[-1] -= 2
    first = np.stack([-a, b, -b, c, -c])
    inner = np.array([[0] * inputs + [-1, -1, -1, -1, 1]])  # −R(−A) − R(B) − R(−B) − C
    return ReLUNetwork(first[:, :-1], first[:, -1], [0, 0, 0, 1, -1, 1], 0.0, None, (Layer(inner.astype(float), [0.0]),))


def test_sets_without_interior():
    """Where {f ≥ 0} has a part without interior the needed half-spaces do not do, and Theorem 1's conjunctions say so."""
    rng = np.random.default_rng(5)
    found = [assert_equivalents(rng, wedge(rng, int(rng.integers(1, 4)))) for _ in range(15)]
    assert {built.kind for _, built in found} >= {"two layers", "Theorem 1"}
    for answer, built in found:
        assert built.kind != "Theorem 1" or not answer.regular


def test_touching_on_a_line():
    """Regular just where no zero stands alone, by looking at f between all points where some unit can bend."""
    rng = np.random.default_rng(7)
    alone = 0
    for number in range(60):
        network = wedge(rng, 1) if number % 3 == 0 else deep(rng, 1, [3, 2], 1, bool(number % 2))
        form = network.exact_form
        cells = [form.cell(pattern) for pattern in itertools.product((-1, 1), repeat=network.relus)]
        ends = sorted({Fraction(-c, v) for cell in cells for v, c in (*cell.rows, cell.f) if v})
        between = [ends[0] - 1, *((p + q) / 2 for p, q in itertools.pairwise(ends)), ends[-1] + 1] if ends else []
        signs = [form.sign_at((x.numerator, x.denominator)) for x in between]
        isolated = any(
            form.sign_at((x.numerator, x.denominator)) == 0 and left < 0 > right
            for x, left, right in zip(ends, signs, signs[1:], strict=False)
        )
        alone += isolated
        assert minimal_equivalent(network).regular == (not isolated)
    assert alone > 5


def test_one_layer_in_two():
    """z = R(z) − R(−z) in between changes neither half-spaces nor kind."""
    rng = np.random.default_rng(2)
    for inputs in (1, 2, 3):
        network = random_network(rng, 3, inputs)
        identity, units = np.vstack([np.eye(inputs), -np.eye(inputs)]), network.hidden_weight
        twice = ReLUNetwork.of_layers([
            (identity, np.zeros(2 * inputs)),
            (np.hstack([units, -units]), network.hidden_bias),
            (network.output_weight, network.output_bias),
        ])  # fmt: skip
        answer, other = minimal_equivalent(network), minimal_equivalent(twice)
        assert set(map(primitive, other.halfspaces)) == set(map(primitive, answer.halfspaces))
        one, two = answer.build_equivalent(), other.build_equivalent()
        assert (one.kind, one.first_layer) == (two.kind, two.first_layer)
        assert equal(network, twice).verdict == equal(network, two.network).verdict == "equal"


def test_different_networks_are_told_apart():
    rng = np.random.default_rng(3)
    verdicts = set()
    for number in range(20):
        network, box = any_deep(rng, number)
        other = ReLUNetwork(network.hidden_weight, network.hidden_bias + (rng.integers(4) == 0) / 2, network.output_weight,
                            network.output_bias, None, network.deeper, network.skip)  # fmt: skip
        found = {method: equal(network, other, box, method=method) for method in ("auto", "regions", "pieces")}
        assert len({answer.verdict for answer in found.values()}) == 1
        verdicts.add(found["auto"].verdict)
        for answer in found.values():
            if answer.point:
                assert answer_at(network, answer.point) == answer.answer_a != answer.answer_b == answer_at(other, answer.point)
    assert {"equal", "different"} <= verdicts


def test_f_is_the_largest_of_its_minorants():
    """The theorem of `lpnet.networks.concave` at random points, and its use on the cells of the units that decide."""
    rng = np.random.default_rng(4)
    for number in range(30):
        network, _ = any_deep(rng, number)
        form = normal_form(network)
        for side in (1, -1):
            own, decided = growing(form, side), deciding(form, side)
            choices = list(itertools.product((-1, 1), repeat=len(own)))[::3]
            minorants = [minorant(form, side, dict(zip(own, choice, strict=True))) for choice in choices]
            assert all(g.concave for g in minorants)
            for at in ((*map(int, rng.integers(-9, 10, network.inputs)), 2) for _ in range(5)):
                f = side * sum(form.terms_at(at))
                assert all(sum(g.terms_at(at)) <= f for g in minorants)
                signs = {k: 1 if z > 0 else -1 for k, z in enumerate(form.units_at(at))}
                assert sum(minorant(form, side, {k: signs[k] for k in own}).terms_at(at)) == f
                within_cell = minorant(form, side, {k: signs[k] for k in decided}, within=True)
                assert within_cell.concave
                assert sum(within_cell.terms_at(at)) == f
                assert len(within_cell.units) + len(decided) <= len(form.units)


def test_reasons_force_the_answer():
    """At a point its own reasons hold; where all of them hold, the answer is the same."""
    rng = np.random.default_rng(6)
    shared = 0
    for number in range(30):
        network, _ = any_deep(rng, number)
        why = reasons(network, as_domain(None, network.inputs))
        points = [(*map(int, rng.integers(-9, 10, network.inputs)), int(rng.integers(1, 4))) for _ in range(25)]
        for at in points:
            answer, literals = why(values_at(at), {})
            region = meet(literals)
            assert answer == answer_at(network, at)
            assert within(region, at)
            alike = [other for other in points if within(region, other)]
            shared += len(alike) - 1
            assert all(answer_at(network, other) == answer for other in alike)
    assert shared > 1000


def test_the_parts_are_the_answer():
    """Every point with an answer lies in one of the convex parts with that answer, and no other point does."""
    rng = np.random.default_rng(8)
    for number in range(12):
        network, box = any_deep(rng, number)
        domain = as_domain(box, network.inputs)
        form = normal_form(network, domain)
        for side in (1, -1):
            parts = parts_of(form, domain, side, Watch())
            assert all((1 if form.sign_at(at) >= 0 else -1) == side for _, at in parts)
            chosen = {part.chosen for part, _ in parts}
            for at in ((*map(int, rng.integers(-8, 12, network.inputs)), 5) for _ in range(20)):
                z = form.units_at(at)
                if (
                    all(z)
                    and (1 if form.sign_at(at) >= 0 else -1) == side
                    and all(value(h, at) > 0 for h in domain.inequalities())
                ):
                    assert tuple(sign(z[k]) for k in deciding(form, side)) in chosen


def test_one_layer_is_decided_by_the_units_of_one_sign():
    form = normal_form(relu(1, (1, 1, 0, 2), (-1, 0, 1, 1), (1, 2, 1, -1), *affine(3, 1)))
    assert deciding(form, 1) == growing(form, 1) == [k for k, s in enumerate(form.signs) if s > 0]
    assert deciding(form, -1) == [k for k, s in enumerate(form.signs) if s < 0]


@pytest.mark.parametrize("many", [False, True])
@pytest.mark.parametrize("seed", range(6))
def test_a_term_keeps_clear_of_pieces_just_where_the_tree_finds_none(seed, many, monkeypatch):
    """Literals that are false all over pieces, with and without the compiled questions, against a search in the region."""
    monkeypatch.setattr("lpnet.circuits.boundary.FEW", 0 if many else 10**9)
    rng = np.random.default_rng(seed)
    network = deep(rng, 2, [4, 3], 1 + seed % 3)
    answer = minimal_equivalent(network)
    if not answer.units:
        return
    form, domain, halfspaces = answer.form, answer.domain, answer.halfspaces
    floats = Floats(form, domain, halfspaces)
    for side in (1, -1):
        boundary = Boundary(form, domain, halfspaces, answer.pieces.patterns, side, floats, answer.witnesses)
        for _ in range(40):
            term = boundary.term(as_bits(rng.random(answer.units) < rng.uniform(0.1, 0.9)))
            boundary.keep_out([term], lambda: None)
            assert term.short & ~term.full == 0
            tried = term.short if term.right else term.full
            inside = tuple(times(side, halfspaces[k]) for k in bits(tried))
            region = Polyhedron(form.inputs, (*inside, *domain.inequalities()))
            met = not region.empty and len(find_pieces(form, region, Watch())[0].patterns) > 0
            assert met == (not term.right)


@pytest.mark.parametrize("few", [0, 100])
def test_plain_disjunctions_are_the_network(few, monkeypatch):
    monkeypatch.setattr("lpnet.circuits.theorem1.FEW", few)
    if few:  # and a sparse second layer
        monkeypatch.setattr("lpnet.networks.circuit.MOST_ENTRIES", 0)
    rng = np.random.default_rng(9)
    checked = 0
    for number in range(20):
        network, box = any_deep(rng, number)
        answer = minimal_equivalent(network, box)
        if answer.units and answer.regular:
            plain = plain_dnf(answer.form, answer.question.domain, answer.pieces.patterns, Watch())
            made = reduced_network(plain, answer.form, answer.question.onto)
            assert equal(network, made, box).verdict == "equal"
            checked += 1
    assert checked > 8


def test_without_time_a_plain_circuit_comes():
    network = deep(np.random.default_rng(12), 3, [4, 4], 3)
    built = minimal_equivalent(network).build_equivalent(patience=0.0)
    assert built.kind == "plain"
    assert built.at_least is None
    assert "not made small" in built.why
    assert equal(network, built.network).verdict == "equal"
