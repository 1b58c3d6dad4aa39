"""Theorem 3: the nearest ReLU network, its exact bounds, what keeps its label, and orders of linear classes."""

import json
import re
import runpy
from dataclasses import replace
from fractions import Fraction
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest
from test_cli import run

import lpnet
from lpnet.boundary.redundancy import prune
from lpnet.boundary.theorem1 import binary_encoding, two_layers
from lpnet.compression.compress import compress
from lpnet.compression.nearest.approximation import approximate, least_squares
from lpnet.compression.nearest.bounds import FactorProblem, largest_norm, repaired
from lpnet.compression.nearest.margins import REJECTED, exact_label, hidden_layer_report, labelled
from lpnet.compression.nearest.multiclass import nearest_patterns
from lpnet.compression.nearest.nearest import nearest
from lpnet.compression.nearest.order import essentially_different, lower_bounds, subsets
from lpnet.compression.nearest.program import cvxpy_model, interior_point
from lpnet.errors import InputError
from lpnet.io import load, save
from lpnet.watch import Watch


@pytest.fixture
def rng():
    return np.random.default_rng(2016)


def random_scores(rng, relus, inputs, noise, digits=None):
    """V = UT + noise, (d+1, 2^n), w0 = −1; rounded to so many digits."""
    factor = rng.normal(size=(inputs + 1, relus + 1))
    factor[:, -1] = np.append(np.zeros(inputs), -1)
    target = factor @ np.vstack([binary_encoding(relus), np.ones(1 << relus)])
    target += noise * rng.normal(size=target.shape)
    return target if digits is None else np.round(target, digits)


def disjunction(target):
    return lpnet.SignNetwork.disjunction(target[:-1].T, target[-1])


def random_problem(rng, relus, inputs, free):
    """Noisy columns; U's last column is fixed, free in the bias row, or free."""
    mask = {"none": np.zeros(inputs + 1, dtype=bool), "bias": np.arange(inputs + 1) == inputs, "all": np.ones(inputs + 1) > 0}
    target = random_scores(rng, relus, inputs, 0.3)
    return FactorProblem(target, binary_encoding(relus) > 0, rng.normal(size=inputs + 1), mask[free])


# --- Eq. (10)


@pytest.mark.parametrize("free", ["none", "bias", "all"])
@pytest.mark.parametrize(("relus", "inputs"), [(1, 1), (2, 1), (3, 4), (5, 7)])
def test_three_solvers_agree_and_the_bounds_are_exact(rng, relus, inputs, free):
    problem = random_problem(rng, relus, inputs, free)
    own, clarabel, highs = (approximate(problem, solver=solver) for solver in ("interior", "CLARABEL", "SCIPY"))
    assert own.optimal
    for other in (clarabel, highs):
        assert own.lower_bound <= other.error
        assert other.lower_bound <= own.error
        assert float(other.error) == pytest.approx(float(own.error), rel=1e-5)
    for answer in (own, clarabel, highs):
        assert answer.verify()
        np.testing.assert_array_equal(answer.factor[~problem.free, -1], problem.offset[~problem.free])
        assert answer.error == brute_force_norm(problem, answer.factor)


def brute_force_norm(problem, factor):
    """‖(V − UT)^T‖_∞ in rationals, entry by entry."""
    rows, columns = problem.target.shape
    u = [[Fraction(x) for x in row] for row in factor.tolist()]
    return max(
        sum(
            abs(Fraction(problem.target[i, j]) - u[i][-1] - sum(u[i][k] for k in np.flatnonzero(problem.encoding[:, j])))
            for i in range(rows)
        )
        for j in range(columns)
    )


def test_the_optimum_for_two_relus_in_closed_form(rng):
    """With the whole last column free and n = 2: ‖v_00 − v_01 − v_10 + v_11‖₁ / 4, shared by the four columns."""
    for _ in range(20):
        problem = random_problem(rng, 2, int(rng.integers(1, 6)), "all")
        expected = np.abs(problem.target @ [1, -1, -1, 1]).sum() / 4
        assert float(approximate(problem).error) == pytest.approx(expected, rel=1e-6)


def test_columns_on_demand_give_the_optimum_of_all_columns(rng):
    problem = replace(random_problem(rng, 7, 3, "bias"), offset=np.zeros(4))
    answer = approximate(problem)
    assert answer.optimal
    assert answer.columns < 128
    factor, _ = interior_point(problem, 1e-9)
    assert float(largest_norm(problem, factor)) == pytest.approx(float(answer.error), rel=1e-6)


@pytest.mark.parametrize("scale", [2.0**-900, 1.0, 2.0**890])
def test_the_gap_does_not_depend_on_the_scale(rng, scale):
    problem = random_problem(rng, 3, 4, "bias")
    small = approximate(replace(problem, target=scale * problem.target, offset=scale * problem.offset))
    assert small.gap <= 1e-6
    assert float(small.error / Fraction(scale)) == pytest.approx(float(approximate(problem).error), rel=1e-6)


def test_a_tiny_error_is_found_as_precisely_as_a_large_one(rng):
    """Errors of 1e-9 and so on beside entries of 1; U in few bits, so that it is not rounding that limits the answer."""
    factor = rng.integers(-8, 9, size=(5, 4)) / 8
    factor[:-1, -1] = 0
    subset = np.vstack([binary_encoding(3), np.ones(8)])
    for size in (1e-6, 1e-9):
        noisy = factor @ subset + size * rng.normal(size=(5, 8))
        answer = approximate(FactorProblem(noisy, subset[:-1] > 0, np.zeros(5), np.arange(5) == 4))
        assert answer.gap <= 1e-6
        assert answer.error < 40 * size


# --- exactness


@pytest.mark.parametrize("relus", [1, 3, 6])
def test_exactly_v_equals_ut(rng, relus):
    network = lpnet.ReLUNetwork(rng.integers(-9, 9, (relus, 4)), rng.integers(-9, 9, relus), np.ones(relus), -1)
    answer = nearest(two_layers(network))
    assert answer.verdict == "exact"
    assert answer.error == answer.lower_bound == 0
    np.testing.assert_array_equal(answer.relu_network.hidden_weight, network.hidden_weight)
    np.testing.assert_array_equal(answer.relu_network.hidden_bias, network.hidden_bias)
    assert answer.relu_network.output_bias == -1
    assert answer.verify()


def test_one_bit_off_is_not_exact(rng):
    network = lpnet.ReLUNetwork(rng.integers(1, 9, (3, 2)), rng.integers(1, 9, 3), np.ones(3), -1)
    target = np.array(two_layers(network).hidden_weight)
    target[7, 0] = np.nextafter(target[7, 0], np.inf)
    answer = nearest(lpnet.SignNetwork.disjunction(target, two_layers(network).hidden_bias))
    assert answer.verdict != "exact"
    assert 0 < answer.error <= Fraction(target[7, 0] - np.nextafter(target[7, 0], 0)) * 2


def test_a_corrupted_dual_bound_is_refused(rng):
    problem = random_problem(rng, 4, 3, "bias")
    answer = approximate(problem)
    assert answer.verify()
    assert answer.lower_bound > 0
    for row, column in np.ndindex(answer.bound.multipliers.shape):
        wrong = answer.bound.multipliers.copy()
        wrong[row, column] += 1
        bad = replace(answer, bound=replace(answer.bound, multipliers=wrong))
        touches = problem.free[row] or problem.encoding[:, answer.bound.columns[column]].any()
        assert bad.verify() == (not touches)  # where nothing is free y is any number, and the bound is still a bound
        assert bad.lower_bound <= answer.error
        assert touches == (bad.lower_bound == 0)


def test_any_multipliers_become_a_bound_that_holds(rng):
    for free in ("none", "bias", "all"):
        problem = random_problem(rng, 3, 3, free)
        best = approximate(problem)
        for _ in range(20):
            wild = rng.normal(size=problem.target.shape) * 10.0 ** rng.integers(-8, 8)
            bound = repaired(problem, np.arange(8), wild)
            assert bound.valid(problem)
            assert bound.value(problem) <= best.error
        assert repaired(problem, np.arange(8), np.zeros((4, 8))).value(problem) == 0


def test_fewer_columns_than_unknowns(rng):
    """Subsets that do not determine U, in an order of the user's own."""
    target = random_scores(rng, 3, 2, 0.1)[:, :3]
    answer = nearest(disjunction(target), relus=3, order=[7, 0, 5])
    assert answer.relus == 3
    assert answer.error <= Fraction(1, 10**12) + abs(Fraction(target[0, 1])) + abs(Fraction(target[1, 1]))
    assert answer.verify()


# --- the answer as a network


def test_conjunctions_are_negated_disjunctions(rng):
    target = random_scores(rng, 3, 4, 0.2)
    over = nearest(disjunction(target))
    under = nearest(lpnet.SignNetwork.conjunction(-target[:-1].T, -target[-1]))
    assert under.error == over.error
    assert under.verify()
    points = rng.normal(size=(500, 4))
    np.testing.assert_array_equal(over.relu_network(points), -under.relu_network(points))
    report, same = hidden_layer_report(under, points), hidden_layer_report(over, points)
    np.testing.assert_array_equal(report.with_rejection.label, same.with_rejection.label)
    assert not (report.with_rejection.certified & ~report.with_rejection.kept).any()


def test_w0_is_free_unless_it_is_given(rng):
    target = random_scores(rng, 3, 4, 0.2)
    chosen, given = nearest(disjunction(target)), nearest(disjunction(target), output_bias=-1.0)
    assert chosen.lower_bound <= given.error
    assert given.relu_network.output_bias == -1
    assert chosen.relu_network.output_bias != -1
    negated = lpnet.SignNetwork.conjunction(-target[:-1].T, -target[-1])
    assert nearest(negated, output_bias=1.0).error == given.error


def test_the_order_of_the_units_is_the_users(rng):
    target, order = random_scores(rng, 3, 4, 0.2), rng.permutation(8)
    shuffled = nearest(disjunction(target[:, order]), order=order)
    straight = nearest(disjunction(target))
    assert float(shuffled.error) == pytest.approx(float(straight.error), rel=1e-6)
    points = rng.normal(size=(300, 4))
    one, other = (hidden_layer_report(answer, points).with_rejection for answer in (shuffled, straight))
    named = np.append(order, REJECTED)  # label −1 is the last entry
    np.testing.assert_array_equal(named[one.label], other.label)


def test_a_shuffled_order_is_found_again(rng):
    for relus in (2, 3, 4):
        target = random_scores(rng, relus, 6, 0.02)
        found = nearest(disjunction(target[:, rng.permutation(1 << relus)]), order="search")
        assert found.verify()
        assert float(found.error) <= float(nearest(disjunction(target)).error) * (1 + 1e-6)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_what_minimal_finds_is_in_binary_order(rng, sign):
    """2^n − 1 half-spaces of independent units, without the empty subset: Theorem 2's network, and exactly n ReLUs again."""
    for relus, inputs in [(2, 3), (4, 4), (5, 6)]:
        network = lpnet.ReLUNetwork(
            rng.integers(-8, 9, (relus, inputs)) + 20 * np.eye(relus, inputs),
            rng.integers(-8, 9, relus),
            sign * rng.integers(1, 4, relus),
            -sign,
        )
        found = nearest(lpnet.minimal_equivalent(network).equivalent)
        assert (found.verdict, found.relus) == ("exact", relus)
        assert found.order.tolist() == list(range(1, 1 << relus))
        assert found.verify()
        assert lpnet.equal(found.relu_network, network).verdict == "equal"


def test_the_command_takes_what_minimal_has_written(tmp_path):
    """Or says what it wants: ReLUs of both signs make a circuit, and fewer inputs than ReLUs a number of units of its own."""
    file, written = tmp_path / "network.npz", tmp_path / "threshold.json"

    def again(network):
        save(network, file)
        run("minimal", file, "-o", written)
        return run("nearest", written)

    refused = again(lpnet.extremal_network(5, 3))
    assert refused.exit_code == 2
    assert "2^5 = 32 threshold units in binary order, and there are 22; give an order" in refused.stderr
    circuit = again(load(Path(__file__).parent.parent / "data" / "wine_pca3.json"))
    assert circuit.exit_code == 2
    assert "wanted a sign network (two layers), as lpnet minimal -o writes it" in circuit.stderr


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"relus": 2}, "wanted relus=3 or more"),
        ({"relus": 4}, "give an order, the number of a subset of the ReLUs for each unit, or try lpnet compress"),
        ({"relus": 4, "order": "search"}, "there are 8"),
        ({"relus": 0}, "relus: wanted a whole number"),
        ({"order": [0, 1]}, "order: wanted 8 whole numbers"),
        ({"order": [0, 1, 2, 3, 4, 5, 6, 6]}, "order: wanted different numbers"),
        ({"order": "grey"}, 'order: wanted "binary"'),
        ({"output_bias": np.nan}, "output_bias"),
        ({"solver": "NONE"}, "solver: wanted interior or one of cvxpy's"),
    ],
)
def test_what_cannot_be_used_is_named(rng, options, sentence):
    with pytest.raises(InputError, match=sentence):
        nearest(disjunction(random_scores(rng, 3, 4, 0.2)), **options)


def test_other_networks_are_refused(rng):
    with pytest.raises(InputError, match="2\\^900"):
        nearest(disjunction(2.0**1000 * random_scores(rng, 2, 2, 0.1)))
    with pytest.raises(InputError, match="disjunction"):
        nearest(lpnet.SignNetwork(np.eye(4), np.zeros(4), [1, 1, -1, 1], 0))
    with pytest.raises(InputError, match="SignNetwork"):
        nearest(lpnet.ReLUNetwork([[1.0]], [0], [1], -1))
    with pytest.raises(InputError, match="6"):
        nearest(disjunction(random_scores(rng, 3, 4, 0.2)[:, :6]))


# --- margins


def test_condition_11_protects_the_label_only_if_rejection_is_a_class(rng):
    """Among the units alone it certifies examples that one of the networks rejects and the other does not."""
    broken = 0
    for _ in range(20):
        answer = nearest(disjunction(random_scores(rng, 3, 3, 0.05)))
        report = hidden_layer_report(answer, 2 * rng.normal(size=(1000, 3)))
        for labels in (report.with_rejection, report.units_only):
            assert not (labels.certified & ~labels.kept).any()
        assert (report.with_rejection.label == REJECTED).any()
        assert report.with_rejection.certified.any()
        broken += report.broken
    assert broken > 0


def test_condition_11_is_strict():
    """Scores (1, 0) may become (½, ½): with error ½ and margin 1 at |x| ≤ 1 nothing is promised."""
    target, points = np.array([[0.0, 0.0], [1.0, 0.0]]), np.array([[0.5], [1.0], [-1.0]])
    for error, promised in ((Fraction(1, 2), False), (Fraction(1, 2) - Fraction(1, 10**30), True)):
        label, margin, certified = labelled(target, np.arange(2), error, points)
        assert (label == 0).all()
        assert (margin == 1).all()
        assert (certified == promised).all()


def test_ties_go_to_the_smallest_subset_in_both_networks():
    network = lpnet.ReLUNetwork([[1.0, 0], [0, 1]], [0, 0], [1, 1], -1)
    report = hidden_layer_report(nearest(two_layers(network)), [[1, 0], [2, 0], [0, 0], [0, 2], [1, 1], [-1, -1], [0.5, 0.5]])
    assert report.with_rejection.label.tolist() == [2, 2, REJECTED, 1, 3, REJECTED, 3]
    assert report.with_rejection.kept.all()
    assert report.units_only.kept.all()


def test_labels_are_decided_exactly(rng):
    """Quantised scores and points: ties and near ties everywhere, against rationals."""
    target = rng.integers(-2, 3, (4, 8)) / 2 + 2.0**-52 * rng.integers(-1, 2, (4, 8))
    points = rng.integers(-2, 3, (200, 3)).astype(float)
    error = Fraction(1, 4)
    label, margin, certified = labelled(target, np.arange(8), error, points)
    for row, at in enumerate(points):
        values = [sum(Fraction(x) * Fraction(v) for x, v in zip([*at, 1], column, strict=True)) for column in target.T]
        first, second = sorted(values)[-1], sorted(values)[-2]
        assert label[row] == values.index(first) == exact_label(target, np.arange(8), at)[0]
        assert margin[row] == pytest.approx(float(first - second), abs=1e-14)
        assert certified[row] == (first - second > 2 * error * max(1, *(abs(Fraction(x)) for x in at)))


def test_missing_subsets_are_no_case_for_theorem_3(rng):
    answer = nearest(disjunction(random_scores(rng, 3, 4, 0.1)[:, :7]), order=range(7))
    with pytest.raises(InputError, match="all 2\\^3 subsets"):
        hidden_layer_report(answer, np.zeros((1, 4)))


# --- linear classes


def test_essentially_different_orders_are_all_orders():
    """Their images under the symmetries of the cube are the 4! orders, each once."""
    images = []
    for order in essentially_different(2):
        for flip in range(4):
            for swap in (False, True):
                moved = order ^ flip
                images.append(tuple((moved >> 1 | (moved & 1) << 1) if swap else moved))
    assert sorted(images) == sorted(permutations(range(4)))
    assert len(essentially_different(3)) == 840


def test_four_classes_in_the_best_order_of_all(rng):
    for _ in range(5):
        weight, bias = rng.normal(size=(4, 3)), rng.normal(size=4)
        answer = nearest_patterns(weight, bias)
        assert answer.best_order
        errors = [float(nearest_patterns(weight, bias, order).error) for order in permutations(range(4))]
        assert float(answer.error) == pytest.approx(min(errors), rel=1e-6)
        assert float(answer.lower_bound) <= min(errors)


def test_the_circuits_bounds_hold(rng):
    """They are lower bounds for every order; the best order of 8 is not beaten by 40 others."""
    weight, bias = rng.normal(size=(8, 3)), rng.normal(size=8)
    best = nearest_patterns(weight, bias)
    assert best.programs < best.orders
    target, orders = np.column_stack([weight, bias]).T, essentially_different(3)
    bounds = lower_bounds(target, orders, 3)
    for place in rng.choice(len(orders), 40, replace=False):
        answer = approximate(FactorProblem(target, subsets(orders[place], 3), np.zeros(4), np.ones(4) > 0))
        assert bounds[place] <= answer.error
        assert best.lower_bound <= answer.error
        assert answer.error * (1 + Fraction(1, 10**6)) >= best.error


def test_a_common_affine_function_changes_nothing(rng):
    weight, bias = rng.normal(size=(8, 3)), rng.normal(size=8)
    plain = nearest_patterns(weight, bias)
    lifted = nearest_patterns(weight + rng.normal(size=3), bias + 5)
    assert float(lifted.error) == pytest.approx(float(plain.error), rel=1e-5)


@pytest.mark.parametrize("relus", [1, 2, 3, 4])
def test_linear_classes_made_by_relus_are_found(rng, relus):
    """Scores a(x) + Σ_{k∈S} a_k(x), shuffled: an order with (almost) no error exists, and every label is kept."""
    factor = rng.integers(-9, 10, (6, relus + 1)).astype(float)
    target = factor @ np.vstack([binary_encoding(relus), np.ones(1 << relus)])
    target = target[:, rng.permutation(1 << relus)]
    answer = nearest_patterns(target[:-1].T, target[-1])
    assert answer.error == 0
    labels = answer.labels(rng.normal(size=(500, 5)))
    assert labels.kept.all()
    assert labels.certified.all()


def test_classes_that_keep_their_label_are_promised_to(rng):
    weight, bias = rng.normal(size=(4, 2)), rng.normal(size=4)
    answer, points = nearest_patterns(weight, bias), 3 * rng.normal(size=(2000, 2))
    labels = answer.labels(points)
    assert not (labels.certified & ~labels.kept).any()
    np.testing.assert_array_equal(labels.label, np.argmax(points @ weight.T + bias, axis=1))
    np.testing.assert_array_equal(labels.relu_label, answer(points))
    with pytest.raises(InputError, match="power of two"):
        nearest_patterns(weight[:3], bias[:3])
    with pytest.raises(InputError, match="order"):
        nearest_patterns(weight, bias, [0, 1, 2, 2])


# --- the command


@pytest.fixture
def sign_file(rng, tmp_path):
    save(disjunction(random_scores(rng, 3, 4, 0.1)), tmp_path / "sign.json")
    return tmp_path / "sign.json"


def test_the_command_prints_json_and_writes_the_network(sign_file, tmp_path, rng):
    points = rng.normal(size=(100, 4))
    np.savez(tmp_path / "X.npz", X=points, y=load(sign_file)(points))
    out = tmp_path / "relu.json"
    result = run("nearest", sign_file, "--data", tmp_path / "X.npz", "--relus", 3, "--json", "-o", out)
    assert result.exit_code == 0, result.stderr
    row = json.loads(result.stdout)
    wanted = {"file", "inputs", "sign_units", "needed_units", "relus", "verdict", "error", "lower_bound", "seconds"}
    assert wanted <= set(row)
    assert (row["inputs"], row["sign_units"], row["relus"], row["verdict"]) == (4, 8, 3, "nearest")
    assert 0 < row["lower_bound"] <= row["error"] <= row["lower_bound"] * (1 + 2e-6)
    assert row["data"]["examples"] == 100
    assert row["data"]["accuracy"] == 1
    again = nearest(load(sign_file))
    np.testing.assert_array_equal(load(out)(points), again.relu_network(points))
    table = run("nearest", sign_file, "--data", tmp_path / "X.npz")
    assert "100 examples" in table.stdout


def test_a_minimal_sign_network_goes_back_to_its_relus(tmp_path):
    """It lacks the empty set, whose half-space is {w0 ≥ 0}; the other subsets are the numbers from 1 on."""
    source = Path(__file__).parent.parent / "data" / "theorem2_n3.json"
    assert run("minimal", source, "-o", tmp_path / "sign.json").exit_code == 0
    assert re.search(r"^verdict +exact$", run("nearest", tmp_path / "sign.json").stdout, re.MULTILINE)
    result = run("nearest", tmp_path / "sign.json", "--order", "1,2,3,4,5,6,7", "--json", "-o", tmp_path / "relu.json")
    assert json.loads(result.stdout)["verdict"] == "exact"
    network, back = load(source), load(tmp_path / "relu.json")
    points = np.random.default_rng(0).normal(size=(1000, 3))
    np.testing.assert_array_equal(network(points), back(points))
    assert run("nearest", tmp_path / "sign.json", "--order", "1,2,x").exit_code == 2


def test_the_command_refuses_in_one_sentence(sign_file, tmp_path, rng):
    np.savez(tmp_path / "wide.npz", X=np.zeros((3, 5)))
    np.savez(tmp_path / "none.npz", Z=np.zeros((3, 4)))
    np.savez(tmp_path / "classes.npz", X=np.zeros((3, 4)), y=[1, 2, 3])
    np.savez(tmp_path / "pickled.npz", X=np.array([[object()]]))
    save(lpnet.ReLUNetwork([[1.0]], [0], [1], -1), tmp_path / "relu.json")
    save(disjunction(random_scores(rng, 3, 4, 0.1)[:, :5]), tmp_path / "five.json")
    calls = [[sign_file, "--data", tmp_path / f"{name}.npz"] for name in ("wide", "none", "classes", "pickled", "missing")]
    calls += [[tmp_path / "relu.json"], [tmp_path / "five.json"], [sign_file, "--relus", 5], [tmp_path / "no.json"]]
    calls += [[sign_file, "-o", sign_file], [sign_file, "-o", tmp_path / "no" / "x.json"], [sign_file, "-o", "x.txt"]]
    for call in calls:
        result = run("nearest", *call)
        assert result.exit_code == 2, call
        assert result.stdout == ""
        assert len(result.stderr.splitlines()) == 1


def test_a_time_limit_leaves_bounds(tmp_path, rng):
    save(disjunction(random_scores(rng, 7, 5, 0.1)), tmp_path / "sign.npz")
    result = run("nearest", tmp_path / "sign.npz", "--time-limit", 0, "--json")
    assert result.exit_code == 3
    row = json.loads(result.stdout)
    assert row["verdict"] == "undecided"
    assert 0 <= row["lower_bound"] <= row["error"]
    assert not row["complete"]


@pytest.mark.slow
@pytest.mark.parametrize(("relus", "inputs"), [(10, 50), (14, 50)])
def test_the_sizes_of_the_papers_experiments(rng, relus, inputs):
    answer = nearest(disjunction(random_scores(rng, relus, inputs, 0.1)))
    assert answer.verdict == "nearest"
    assert answer.gap <= 1e-6
    assert answer.verify()


def test_least_squares_is_an_upper_bound(rng):
    problem = random_problem(rng, 4, 5, "bias")
    assert approximate(problem).error <= largest_norm(problem, least_squares(problem))


def test_the_digits_table_is_printed(capsys):
    path = Path(__file__).parent.parent / "notebooks" / "digits_three_relus.py"
    runpy.run_path(str(path))["main"](((4, 3),))
    head, _, row = capsys.readouterr().out.splitlines()
    assert head.count("|") == row.count("|")


def test_the_plain_model_says_the_same(rng):
    """The program as one writes it down, with no columns on demand and no multipliers."""
    for free in ("none", "bias", "all"):
        problem = random_problem(rng, 4, 5, free)
        model, *_ = cvxpy_model(problem)
        model.solve(solver="CLARABEL")
        assert model.value == pytest.approx(float(approximate(problem).error), rel=1e-6)


def test_the_solver_is_the_users(sign_file):
    """The answer is proved by the same exact bounds, whoever solved the program."""
    rows = [json.loads(run("nearest", sign_file, "--solver", name, "--json").stdout) for name in ("interior", "clarabel")]
    assert {row["verdict"] for row in rows} == {"nearest"}
    assert rows[0]["lower_bound"] <= rows[1]["error"]
    assert rows[1]["lower_bound"] <= rows[0]["error"]
    assert run("nearest", sign_file, "--solver", "NONE").exit_code == 2


def test_needed_units_are_counted_where_that_is_cheap(tmp_path, rng):
    """A redundant unit has scores in Eq. (10) all the same."""
    target = random_scores(rng, 3, 2, 0.01)
    target[:, 3] = (target[:, 1] + target[:, 2]) / 2 - np.array([0, 0, 1])
    save(disjunction(target), tmp_path / "sign.json")
    row = json.loads(run("nearest", tmp_path / "sign.json", "--json").stdout)
    network = disjunction(target)
    assert row["needed_units"] == prune(network).units == compress(network).needed_units < 8
    save(disjunction(random_scores(rng, 9, 2, 0.01)), tmp_path / "large.npz")
    row = json.loads(run("nearest", tmp_path / "large.npz", "--json").stdout)
    assert row["needed_units"] is None
    assert "not counted above 256 units" in row["reason"]


def test_a_search_that_is_stopped_gives_its_best_order_with_bounds(rng):
    network = disjunction(rng.normal(size=(5, 16)))
    whole = nearest(network, order="search")
    for steps in (0, 1, 500):
        watch, left = Watch(), list(range(steps))

        def look(share, found, watch=watch, left=left):
            if left:
                left.pop()
            else:
                watch.stopped = "enough"

        watch.report = look
        found = nearest(network, order="search", watch=watch)
        assert sorted(found.order) == list(range(16))
        assert found.verify()
        assert found.lower_bound <= found.error
        assert not found.approximation.finished
        assert whole.lower_bound <= whole.error <= found.error


def test_the_best_order_is_only_claimed_where_all_were_looked_at(rng):
    weight, bias = rng.normal(size=(8, 3)), rng.normal(size=8)
    assert nearest_patterns(weight, bias).best_order
    stopped = nearest_patterns(weight, bias, watch=Watch(stopped="enough"))
    assert not stopped.best_order
    assert stopped.lower_bound <= stopped.error


def test_a_limit_while_the_needed_units_are_counted_keeps_the_network(rng, tmp_path, monkeypatch):
    save(disjunction(random_scores(rng, 2, 3, 0.1)), tmp_path / "sign.json")

    def stop(network, watch):
        watch.stopped = "the limit"
        watch.check(0.5, 1)

    monkeypatch.setattr("lpnet.cli.nearest.needed_units", stop)
    result = run("nearest", tmp_path / "sign.json", "-o", tmp_path / "out.json", "--json")
    assert result.exit_code == 3
    assert json.loads(result.stdout)["needed_units"] is None
    assert json.loads(result.stdout)["complete"]
    assert result.stderr == f"lpnet: {tmp_path / 'sign.json'}: incomplete, the limit: needed_units not counted\n"
    assert load(tmp_path / "out.json").relus == 2
