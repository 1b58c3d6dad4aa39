"""The engines agree with each other, with the oracle and with the theorems; counts, far regions, general position or not."""

import itertools
import time
from math import comb

import numpy as np
import oracle
import pytest
from cases import degenerate_networks, random_degenerate, random_network

from lpnet import Box, Polyhedron, ReLUNetwork, SizeError, minimal_equivalent, normal_form
from lpnet.boundary.engines import count_pieces, find_pieces
from lpnet.boundary.independent import independent
from lpnet.boundary.pieces import NotApplicable
from lpnet.boundary.subsets import expand
from lpnet.boundary.vertices.engine import (
    away_from_silence,
    far_down,
    float_table,
    in_order,
    on_independent_inputs,
    uphill,
    vertices,
)
from lpnet.boundary.vertices.exact_lines import LEAST_REACH, bits, exact_line
from lpnet.exact import primitive
from lpnet.watch import Watch, in_parallel

SIGNS = ["positive", "negative", "mixed"]


def same(network, engine):
    """Whether an engine finds the pieces that the expanding engine finds; None where it cannot take the network."""
    form, everywhere = normal_form(network), Polyhedron.everywhere(network.inputs)
    try:
        found = engine(form, everywhere, Watch())
    except NotApplicable:
        return None
    expected = expand(form, everywhere, Watch())
    assert engine(form, everywhere, Watch(), store=False).count == len(expected.patterns)
    return np.array_equal(found.patterns, expected.patterns)


@pytest.mark.parametrize("seed", range(4))
def test_vertices_and_subsets_give_the_same_pieces(seed):
    rng = np.random.default_rng(seed)
    for trial in range(45):
        relus, inputs = int(rng.integers(1, 9)), int(rng.integers(1, 6))
        network = random_network(rng, relus, inputs, SIGNS[trial % 3], bias=rng.choice([0, 0.3, 1]))
        assert same(network, vertices)


@pytest.mark.parametrize("engine", [vertices, independent])
def test_degenerate_networks_are_answered_right_or_handed_on(engine):
    rng = np.random.default_rng(7)
    networks = [case.network for case in degenerate_networks() if len(normal_form(case.network).units) < 9]
    networks += [random_degenerate(rng, int(rng.integers(1, 6)), int(rng.integers(1, 5))) for _ in range(150)]
    answers = [same(network, engine) for network in networks]
    assert False not in answers
    assert answers.count(True) > 40


@pytest.mark.parametrize("w0", [-1.0, 0.0, 0.7])
def test_independent_weights(w0):
    rng = np.random.default_rng(8)
    for positive, negative in itertools.product(range(4), repeat=2):
        output = [1.5] * positive + [-0.5] * negative
        relus = positive + negative
        if relus:
            network = ReLUNetwork(rng.normal(size=(relus, relus + 1)), rng.normal(size=relus), output, w0)
            assert same(network, independent) is True


def test_independent_weights_with_an_affine_part():
    """R(a) − R(−b) with parallel a, b makes an affine part, inside or outside the span of the other units."""
    rng = np.random.default_rng(9)
    answered = 0
    for _ in range(60):
        u = rng.integers(-2, 3, (3, 4)).astype(float)
        weight = np.concatenate([u, -u[:2], rng.integers(-2, 3, (1, 4))])
        network = ReLUNetwork(weight, [0.5, -1, 0, -0.5, 1, 0], rng.choice([-1.0, 1.0, 2.0], 6), rng.choice([-1.0, 0.0, 1.0]))
        answer = same(network, independent)
        assert answer is not False
        answered += answer is True
    assert answered > 10


def test_too_many_to_list_are_counted():
    network = ReLUNetwork(np.eye(40), np.zeros(40), np.ones(40), -1.0)
    form, everywhere = normal_form(network), Polyhedron.everywhere(40)
    assert count_pieces(form, everywhere, Watch())[:2] == (2**40 - 1, "independent")
    with pytest.raises(SizeError, match=f"needs {2**40 - 1} threshold units"):
        minimal_equivalent(network)


@pytest.mark.parametrize(("relus", "inputs"), [(30, 2), (25, 3), (16, 4), (14, 5), (30, 4), (20, 6)])
def test_central_one_signed_networks_have_the_number_of_the_theory(relus, inputs):
    """2 Σ_{s<d} C(n−1, s), less 1 if all u_k lie in an open half-space (never, for so many)."""
    rng = np.random.default_rng(relus)
    expected = 2 * sum(comb(relus - 1, s) for s in range(inputs))
    network = random_network(rng, relus, inputs, "positive", bias=0.0, output_bias=-1.0)
    answer = minimal_equivalent(network)
    assert (answer.engine, answer.units) == ("vertices", expected)
    opposite = ReLUNetwork(network.hidden_weight, network.hidden_bias, -network.output_weight, 1.0)
    assert minimal_equivalent(opposite).units == expected


def test_many_units_in_few_dimensions():
    rng = np.random.default_rng(11)
    for relus, inputs, expected in ((500, 2, 1000), (60, 3, 2 * (1 + 59 + comb(59, 2)))):
        network = random_network(rng, relus, inputs, "positive", bias=0.0, output_bias=-1.0)
        form, everywhere = normal_form(network), Polyhedron.everywhere(inputs)
        assert count_pieces(form, everywhere, Watch())[:2] == (expected, "vertices")


def test_one_dimension_is_the_sign_changes_along_a_line():
    rng = np.random.default_rng(12)
    network = random_network(rng, 80, 1)
    grid = np.sort(-network.hidden_bias / network.hidden_weight[:, 0])
    grid = np.concatenate([[grid[0] - 1e6], grid, [grid[-1] + 1e6]])[:, None]
    changes = np.count_nonzero(np.diff(network(grid)))
    assert minimal_equivalent(network).units == changes


def test_the_number_of_workers_changes_nothing():
    form = normal_form(random_network(np.random.default_rng(13), 16, 4, "mixed"))
    one, two = (vertices(form, Polyhedron.everywhere(4), Watch(), workers=workers) for workers in (1, 2))
    np.testing.assert_array_equal(one.patterns, two.patterns)


def test_compiled_lines_are_the_plain_exact_ones():
    from lpnet.boundary.vertices.walk_kernel import walk

    rng = np.random.default_rng(14)
    for trial in range(12):
        form = on_independent_inputs(normal_form(random_network(rng, 7, 3, SIGNS[trial % 3], bias=0.5)))
        convex = int(form.convex) - int(form.concave)
        choose = uphill if form.convex or form.concave else away_from_silence
        direction = choose(form, np.random.default_rng(trial))
        table, error, weights, scale = float_table(form, direction)
        for first in range(7):
            patterns, number, doubtful, low = walk(table, error, weights, False, convex, np.array([first]), False)
            lines = [exact_line(form, direction, (first, second)) for second in range(first + 1, 7)]
            reaches = [reach for _, reach in lines if reach is not None]
            expected = [tuple(row) for found, _ in lines for row in found]
            assert len(doubtful) == 0
            assert sorted(map(tuple, in_order(patterns, 7))) == sorted(expected)
            assert number == len(expected)
            assert np.isfinite(low) == bool(reaches)
            if reaches and max(reaches) > LEAST_REACH:
                assert abs(bits(low) + scale - max(reaches)) <= 3  # both are upper bounds, each within a factor of 8


@pytest.mark.parametrize("epsilon", [0.0, 1e-15, 1e-12, 1e-9])
def test_nearly_degenerate_networks(epsilon):
    """Integer weights a little moved: floats cannot tell, the answer must."""
    rng = np.random.default_rng(15)
    for _ in range(25):
        relus, inputs = int(rng.integers(2, 8)), int(rng.integers(1, 4))
        weight = rng.integers(-2, 3, (relus, inputs)) * (1 + epsilon * rng.normal(size=(relus, inputs)))
        bias = rng.integers(-1, 2, relus) * (1 + epsilon * rng.normal(size=relus))
        network = ReLUNetwork(weight, bias, rng.choice([-1.0, 1.0], relus), rng.choice([-1.0, 0.0, 1.0]))
        answer = minimal_equivalent(network, engine="auto")
        assert {primitive(h) for h in answer.halfspaces} == oracle.needed_halfspaces(network)
        assert same(network, vertices) is not False


def rounded(rng, relus, inputs, how):
    """Gaussian weights as formats of few bits hold them."""
    parts = [rng.normal(size=(relus, inputs)), rng.normal(size=relus), rng.normal(size=relus), rng.normal()]
    to = {"8 bits": lambda z: np.round(z * 32) / 32, "4 bits": lambda z: np.round(z * 2) / 2, "float32": np.float32}[how]
    return ReLUNetwork(*(np.asarray(to(part), dtype=float) for part in parts))


@pytest.mark.parametrize("how", ["8 bits", "4 bits", "float32"])
def test_networks_of_few_bits(how):
    rng = np.random.default_rng(16)
    for _ in range(25):
        network = rounded(rng, int(rng.integers(2, 8)), int(rng.integers(1, 4)), how)
        answer = minimal_equivalent(network)
        assert {primitive(h) for h in answer.halfspaces} == oracle.needed_halfspaces(network)
        assert same(network, vertices) is not False


@pytest.mark.parametrize("scale", [1e-150, 1e-20, 1e20, 1e150])
def test_scales(scale):
    """Of the weights, of the inputs, of single units: the number of pieces does not change, and every engine knows it."""
    rng = np.random.default_rng(17)
    for trial in range(6):
        plain = random_network(rng, 6, 3, SIGNS[trial % 3])
        u, b, w, w0 = plain.hidden_weight, plain.hidden_bias, plain.output_weight, plain.output_bias
        power = 2.0 ** np.round(np.log2(scale))
        one = np.where(np.arange(6) == 2, power, 1.0)
        for network in (
            ReLUNetwork(u * power, b * power, w, w0 * power),
            ReLUNetwork(u, b * power, w, w0 * power),
            ReLUNetwork(u * one[:, None], b * one, w / one, w0),
        ):
            expected = expand(normal_form(plain), Polyhedron.everywhere(3), Watch()).patterns
            for engine in ("expand", "vertices", "tree", "auto"):
                found, _, _ = find_pieces(normal_form(network), Polyhedron.everywhere(3), Watch(), engine)
                np.testing.assert_array_equal(found.patterns, expected)


@pytest.mark.parametrize("boxed", [False, True])
def test_all_engines_give_one_set(boxed):
    rng = np.random.default_rng(18)
    for trial in range(60):
        relus, inputs = int(rng.integers(1, 9)), int(rng.integers(1, 5))
        maker = random_degenerate if trial % 2 else random_network
        network = maker(rng, relus, inputs)
        box = Box(-rng.integers(1, 4, inputs) / 2, rng.integers(1, 4, inputs) / 2) if boxed else None
        answers = [minimal_equivalent(network, box, engine) for engine in ("expand", "tree", "auto")]
        for answer in answers[1:]:
            assert answer.halfspaces == answers[0].halfspaces
            np.testing.assert_array_equal(answer.pieces.patterns, answers[0].pieces.patterns)


def test_limits_stop_the_vertices():
    form = normal_form(random_network(np.random.default_rng(19), 40, 4, "positive", 0.0, -1.0))
    stopped = vertices(form, Polyhedron.everywhere(4), Watch(max_pieces=100))
    whole = vertices(form, Polyhedron.everywhere(4), Watch())
    assert not stopped.complete
    assert 100 <= len(stopped.patterns) < len(whole.patterns)
    assert {tuple(row) for row in stopped.patterns} <= {tuple(row) for row in whole.patterns}


def agreement(rng, trial):
    """One random network (n ≤ 12, d ≤ 6; on R^d or a box), asked of every engine that can take it."""
    relus, inputs = int(rng.integers(1, 13)), int(rng.integers(1, 7))
    network = random_network(rng, relus, inputs, SIGNS[trial % 3], bias=rng.choice([0, 0.3, 1]))
    boxed = trial % 2 == 1
    box = Box(-rng.uniform(0.2, 2, inputs), rng.uniform(0.2, 2, inputs)) if boxed else Polyhedron.everywhere(inputs)
    form = normal_form(network, box)
    answers = [find_pieces(form, box, Watch(), "tree")[0].patterns, find_pieces(form, box, Watch())[0].patterns]
    if not boxed:
        answers.append(vertices(form, box, Watch()).patterns)
    if len(form.units) <= 9 or trial % 40 == 0:
        answers.append(expand(form, box, Watch()).patterns)
    return answers


@pytest.mark.parametrize(("first", "count"), [(0, 120), pytest.param(120, 1880, marks=pytest.mark.slow)])
def test_engines_agree_on_2000_random_networks(first, count):
    for trial in range(first, first + count):
        one, *others = agreement(np.random.default_rng(1000 + trial), trial)
        for other in others:
            np.testing.assert_array_equal(one, other, err_msg=f"trial {trial}")


def test_zaslavsky_counts_the_cells():
    """With an output weight each, every cell of a generic arrangement is a piece of x_{d+1} + f(x) at most once."""
    rng = np.random.default_rng(20)
    for relus, inputs in ((8, 2), (9, 3), (7, 4)):
        weight, bias = rng.normal(size=(relus, inputs)), rng.normal(size=relus)
        free = np.eye(inputs + 1)[-1]
        network = ReLUNetwork(
            np.vstack([np.column_stack([weight, np.zeros(relus)]), free, -free]),
            np.concatenate([bias, [0, 0]]),
            np.concatenate([rng.choice([-1.0, 1.0], relus), [1, -1]]),
            0.5,
        )
        cells = sum(comb(relus, s) for s in range(inputs + 1))  # f + x_{d+1} changes sign over every one of them
        for engine in ("tree", "vertices"):
            assert (
                len(find_pieces(normal_form(network), Polyhedron.everywhere(inputs + 1), Watch(), engine)[0].patterns) == cells
            )


def test_many_tiny_units_beside_a_large_one():
    """Weights 10^−310 of the largest: what floats would drop still makes the boundary."""
    rng = np.random.default_rng(21)
    tiny = rng.normal(size=(20, 3)) * 1e-160
    network = ReLUNetwork(
        np.vstack([tiny[:, :2], [[1.0, 0.0], [0.0, 0.0]]]),
        np.concatenate([tiny[:, 2], [-0.3, 1e-160]]),
        np.concatenate([np.full(20, 1e-150), [1.0, -8e-150]]),
        0.0,
    )
    form, plane = normal_form(network), Polyhedron.everywhere(2)
    found, engine, reason = find_pieces(form, plane, Watch())
    assert (engine, reason) == ("tree", "the units differ in size by more than 2^900")
    assert len(found.patterns) > 10


@pytest.mark.parametrize("size", [1e-20, 1e-153, 1e-158, 1e-165])
def test_equal_half_spaces_are_recognised_at_every_size(size):
    network = ReLUNetwork([[1, 0], [1, 1], [0, 1], [1, 0]], [0, -1, 0, -1000], [size, 2 * size / 3, -2 * size / 3, 1], -size)
    answer = minimal_equivalent(network)
    assert {primitive(h) for h in answer.halfspaces} == oracle.needed_halfspaces(network)
    assert answer.units == len(set(map(primitive, answer.halfspaces)))


def test_inputs_in_very_different_units_stay_in_floats():
    """The scale of an input is only a change of variables."""
    plain = random_network(np.random.default_rng(22), 24, 3)
    expected = find_pieces(normal_form(plain), Polyhedron.everywhere(3), Watch(), "vertices")[0].patterns
    for power in (-400, -40, 40, 400):
        scaled = ReLUNetwork(
            plain.hidden_weight * [1, 2.0**power, 1], plain.hidden_bias, plain.output_weight, plain.output_bias
        )
        found = find_pieces(normal_form(scaled), Polyhedron.everywhere(3), Watch(), "vertices")[0].patterns
        np.testing.assert_array_equal(found, expected)


def test_far_down_the_units_stay_apart():
    """g = (1, 2^16, 2^16): on g·x = −M the first input must stay, or all units would be nearly multiples of (1, 1)."""
    form = normal_form(random_network(np.random.default_rng(24), 12, 3))
    rows = np.array(far_down(form, (1, 1 << 16, 1 << 16), 10).units, dtype=float)[:, :-1]
    rows /= np.linalg.norm(rows, axis=1)[:, None]
    assert np.abs(rows @ rows.T).min() < 0.1


def test_a_walk_over_billions_of_lines_can_be_stopped():
    network = random_network(np.random.default_rng(23), 60, 10, "positive", 0.0, -1.0)
    started = time.monotonic()
    number, engine, complete = count_pieces(normal_form(network), Polyhedron.everywhere(10), Watch(seconds=1))
    assert (engine, complete) == ("vertices", False)
    assert number > 0
    assert time.monotonic() - started < 10


@pytest.mark.parametrize("signs", SIGNS)
def test_vertices_report_a_share_that_only_the_end_makes_whole(signs):
    """Also where they go on at infinity: 100 % comes with all that there is, and the share never falls."""
    seen = []
    network = random_network(np.random.default_rng(3), 7, 4, signs)
    pieces = vertices(
        normal_form(network), Polyhedron.everywhere(4), Watch(report=lambda share, found: seen.append((share, found)))
    )
    assert seen == sorted(seen)
    assert seen[-1] == (1.0, len(pieces.patterns))
    assert all(share < 1 for share, _ in seen[:-1])


@pytest.mark.parametrize("workers", [1, 2])
def test_work_that_nobody_asks_for_any_more_is_not_begun(workers):
    begun = []

    def work(number):
        begun.append(number)
        time.sleep(0.02)
        return number

    for number in in_parallel(work, itertools.count(), workers):
        if number == 3:
            break
    assert len(begun) <= 4 + 2 * workers


def test_no_limit_falls_between_two_looks_at_the_clock(monkeypatch):
    """Whenever the time is over by a clock that counts how often it is looked at, what is not all is not called complete."""
    random = np.random.default_rng(0)
    network = ReLUNetwork(random.normal(size=(40, 5)), random.normal(size=40), -np.ones(40), 30.0)
    form, domain = normal_form(network), Polyhedron.everywhere(5)
    everything = vertices(form, domain, Watch(), store=False, workers=1).count
    answers = []
    for limit in (*range(1, 60), 10**9):
        clock = itertools.count()
        monkeypatch.setattr("lpnet.watch.time.monotonic", lambda clock=clock: next(clock))
        answers.append(vertices(form, domain, Watch(seconds=limit, started=0), store=False, workers=1))
        monkeypatch.undo()
    assert {answer.count for answer in answers if answer.complete} == {everything}
    assert not answers[0].complete
