"""The estimate against exact counts: every level completely, unbiased, covered by its interval; the command."""

import json

import numpy as np
import pytest
from cases import random_degenerate, random_network
from typer.testing import CliRunner

from lpnet import (
    Box,
    InputError,
    Polyhedron,
    ReLUNetwork,
    estimate_pieces,
    extremal_network,
    minimal_equivalent,
    normal_form,
    tightness,
)
from lpnet.boundary.pieces import NotApplicable
from lpnet.boundary.sampling import estimate as module
from lpnet.boundary.sampling.float_lines import lowest_on_lines
from lpnet.boundary.sampling.levels import levels
from lpnet.boundary.vertices import vertices
from lpnet.boundary.vertices.exact_lines import exact_vertices
from lpnet.cli import app
from lpnet.io import load, save
from lpnet.watch import Watch

SIGNS = ["positive", "negative", "mixed"]


def count(network):
    return vertices(normal_form(network), Polyhedron.everywhere(network.inputs), Watch(), store=False).count


def on_all_lines(network):
    """The sum over every line of every level, and how many were in doubt."""
    total = doubts = 0
    for level in levels(normal_form(network)):
        subsets = level.all_lines()
        doubts += lowest_on_lines(level.rows, subsets)[1].sum()
        total += level.numbers(subsets).sum()
    return total, doubts


def test_the_levels_have_every_piece_once():
    rng = np.random.default_rng(1)
    for trial in range(150):
        inputs = int(rng.integers(1, 6))
        relus = inputs + int(rng.integers(1, 6))
        w0 = rng.choice([-1.0, -0.1, 1.0])
        network = random_network(rng, relus, inputs, SIGNS[trial % 3], rng.choice([0, 0.3, 1, 3]), w0)
        assert on_all_lines(network) == (count(network), 0)


def test_an_affine_part_and_a_silent_cone():
    """R(a) and R(−a) make l; units that all fall in one direction leave a cone on which f = w0."""
    rng = np.random.default_rng(2)
    for _ in range(20):
        a = random_network(rng, 6, 3)
        weight, bias = np.vstack([a.hidden_weight, -a.hidden_weight[:2]]), np.append(a.hidden_bias, -a.hidden_bias[:2])
        network = ReLUNetwork(weight, bias, np.append(a.output_weight, [2.0, -0.5]), a.output_bias)
        assert on_all_lines(network)[0] == count(network)
        weight = a.hidden_weight * np.where(a.hidden_weight[:, :1] > 0, -1, 1)
        silent = ReLUNetwork(weight, a.hidden_bias, a.output_weight, a.output_bias)
        assert on_all_lines(silent)[0] == count(silent)


@pytest.mark.parametrize("epsilon", [0.0, 1e-15, 1e-9])
def test_nearly_degenerate_networks_are_right_or_refused(epsilon):
    """Integer weights a little moved: floats are in doubt, the answer must not be wrong."""
    rng = np.random.default_rng(3)
    outcomes = []
    for _ in range(60):
        weight = rng.integers(-2, 3, (6, 3)) + epsilon * rng.normal(size=(6, 3))
        bias, output = rng.integers(-2, 3, 6) + epsilon * rng.normal(size=6), rng.choice([-1.0, 1.0], 6)
        network = ReLUNetwork(weight, bias, output, -1.0)
        try:
            outcomes.append(on_all_lines(network)[0] == count(network))
        except NotApplicable:
            outcomes.append(None)
    assert False not in outcomes
    assert True in outcomes


def test_float_lines_in_many_dimensions_are_the_exact_ones():
    """30 inputs: nearly no line is in doubt, and those that are not have the exact number."""
    rng = np.random.default_rng(4)
    for signs, bias in (("positive", 0.0), ("mixed", 1.0)):
        level = next(levels(normal_form(random_network(rng, 60, 30, signs, bias, -1.0))))
        subsets = level.some_lines(rng, 1000)
        assert (np.diff(subsets, axis=1) > 0).all()
        numbers, doubtful = lowest_on_lines(level.rows, subsets)
        assert doubtful.mean() < 0.02
        for line in np.flatnonzero(~doubtful)[:4]:
            at = exact_vertices(level.form, level.direction, tuple(map(int, subsets[line])))
            assert numbers[line] == sum(np.prod([len(states) for states in choices]) for _, choices, _ in at)


def covered(network, runs, samples):
    """How many intervals hold the number; the mean of the estimates, by the number; its standard error."""
    exact = count(network)
    answers = [estimate_pieces(network, samples, seed=seed, workers=1) for seed in range(runs)]
    assert not any(answer.exact for answer in answers)
    ratios = np.array([answer.unbiased for answer in answers]) / exact
    inside = sum(answer.interval[0] <= exact <= answer.interval[1] for answer in answers)
    return inside / runs, ratios.mean(), ratios.std() / np.sqrt(runs)


@pytest.mark.parametrize(("signs", "bias"), [("positive", 0.0), ("mixed", 1.0)])
def test_unbiased_and_covered(signs, bias):
    network = random_network(np.random.default_rng(5), 20, 7, signs, bias, -1.0)
    coverage, mean, error = covered(network, 50, 2000)
    assert coverage >= 0.86
    assert abs(mean - 1) < 4 * error


@pytest.mark.slow
@pytest.mark.parametrize("signs", SIGNS)
@pytest.mark.parametrize("bias", [0.0, 0.3, 1.0])
def test_coverage_over_many_runs(signs, bias):
    network = random_network(np.random.default_rng(6), 20, 7, signs, bias, 3.0 if signs == "negative" else -3.0)
    coverage, mean, error = covered(network, 1000, 2000)
    print(f"{signs}, bias {bias:g}: coverage {coverage:.1%}, mean / exact {mean:.4f} ± {error:.4f}")
    assert 0.92 <= coverage <= 0.98
    assert abs(mean - 1) < 4 * error


def test_where_enumeration_is_hopeless():
    """n = 128, d = 30: the law is reached, and the estimate finds it."""
    network = extremal_network(128, 30)
    answer = estimate_pieces(network, samples=4000)
    assert answer.interval[0] <= answer.bound <= answer.interval[1]
    assert answer.relative_error < 0.02
    assert answer.lines > 10**28


def test_same_seed_same_numbers_whatever_the_workers():
    network = random_network(np.random.default_rng(7), 20, 7)
    one, two = (estimate_pieces(network, 3000, seed=8, workers=workers) for workers in (1, 2))
    assert (one.pieces, one.interval, one.samples) == (two.pieces, two.interval, two.samples)
    assert estimate_pieces(network, 3000, seed=9).pieces != one.pieces


def test_goals():
    network = random_network(np.random.default_rng(10), 24, 7, "positive", 0.0, -1.0)
    assert estimate_pieces(network, relative_error=0.01).relative_error <= 0.01
    assert 5000 <= estimate_pieces(network, 5000).samples < 7000
    stopped = estimate_pieces(network, relative_error=1e-6, watch=Watch(seconds=0))
    assert stopped.stopped == "the time limit of 0 s was reached"
    assert stopped.interval[0] < tightness(network).needed <= stopped.interval[1]


def test_few_lines_and_independent_weights_are_exact():
    rng = np.random.default_rng(11)
    for relus, inputs in [(5, 5), (40, 60), (12, 3), (9, 1), (0, 2)]:
        network = random_network(rng, relus, inputs, "mixed") if relus else ReLUNetwork(np.zeros((0, 2)), [], [], -1.0)
        answer = estimate_pieces(network)
        assert answer.exact
        assert answer.interval == (answer.pieces, answer.pieces)
        assert relus == 40 or answer.pieces == minimal_equivalent(network).units


def test_general_position_is_asked_for():
    rng = np.random.default_rng(12)
    parallel = ReLUNetwork([[1, 0], [1, 0], [0, 1], [1, 1]], [0, 1, 2, 0.5], [1, -1, 1, 1], -1.0)
    with pytest.raises(InputError, match=r"not in general position \(two units are parallel\), so an estimate could be wrong"):
        estimate_pieces(parallel)
    answered = []
    for _ in range(150):
        network = random_degenerate(rng, int(rng.integers(2, 7)), int(rng.integers(1, 4)))
        try:
            answered.append(estimate_pieces(network).pieces == len(minimal_equivalent(network, engine="tree").pieces.patterns))
        except InputError:
            continue
    assert all(answered)
    assert answered


def test_nothing_found_is_said(monkeypatch):
    """f > 0 everywhere near the data's scale: no line drawn has a piece, and the interval says nothing."""
    monkeypatch.setattr(module, "A_ROUND", 100)
    network = random_network(np.random.default_rng(13), 60, 8, "positive", 1.0, -1e-9)
    answer = estimate_pieces(network, 200)
    assert (answer.pieces, answer.hits, answer.interval) == (0, 0, (0, answer.bound))
    assert answer.relative_error == np.inf


def test_nothing_is_beyond_the_proved_bounds():
    """On the network that reaches the law half of all samples say more than it; interval and estimate end there."""
    network, above = extremal_network(40, 8), 0
    for seed in range(6):
        answer = estimate_pieces(network, 300, seed=seed)
        assert 1 <= answer.at_least <= answer.interval[0] < answer.pieces <= answer.interval[1] <= answer.bound
        assert answer.pieces == min(answer.unbiased, answer.bound)
        assert answer.interval[0] < answer.bound * (1 - answer.relative_error)
        above += answer.unbiased > answer.bound
    assert 0 < above < 6


def test_the_bound_holds_for_opposite_units_too():
    """R(a) − R(−a) = a: the normal form has fewer units than the network, and an affine part, which the laws do not have."""
    rng = np.random.default_rng(15)
    assert estimate_pieces(ReLUNetwork([[1], [-1]], [0, 0], [1, -1], 0)).bound == 3
    for output in ([1.0, -1.0], [2.0, -1.0], [1.0, 3.0]):
        for signs in SIGNS:
            a = random_network(rng, 5, 3, signs)
            weight, bias = np.vstack([a.hidden_weight, -a.hidden_weight[0]]), np.append(a.hidden_bias, -a.hidden_bias[0])
            network = ReLUNetwork(weight, bias, np.append(a.output_weight * output[0], output[1]), -0.5)
            answer = estimate_pieces(network)
            assert answer.exact
            assert answer.at_least == answer.pieces == answer.unbiased <= answer.bound


def run(*arguments):
    return CliRunner().invoke(app, ["estimate", *map(str, arguments)])


def test_the_command(tmp_path):
    file = tmp_path / "network.json"
    network = random_network(np.random.default_rng(14), 24, 7, "positive", 0.0, -1.0)
    save(network, file)
    done = run(file, "--samples", 3000, "--seed", 1, "--json")
    row = json.loads(done.stdout)
    assert done.exit_code == 0
    assert row["low"] < row["units"] <= row["high"] <= row["at_most"]
    assert row["units"] == estimate_pieces(network, 3000, seed=1).pieces
    stopped = run(file, "--relative-error", 1e-6, "--time-limit", 0)
    assert stopped.exit_code == 3
    assert "incomplete, the time limit of 0 s was reached" in stopped.stderr
    save(extremal_network(40, 8), file)
    above = run(file, "--samples", 300)
    assert "the sample alone says 39179441, more than is possible, so the proved bound stands" in above.stderr
    columns = dict(line.rsplit(maxsplit=1) for line in above.stdout.partition("\n\n")[0].splitlines())
    at_most = columns["proved: at most"]
    assert columns["needed half-spaces, estimated"] == at_most == columns["95 % sure: to"] == "38622976"
    save(extremal_network(64, 20), file)
    assert "e+" in run(file, "--samples", 100).stdout
    save(extremal_network(4, 2), file)
    exact = run(file).stdout
    columns = dict(line.rsplit(maxsplit=1) for line in exact.partition("\n\n")[0].splitlines())
    assert (columns["exact"], columns["needed half-spaces"]) == ("yes", "8")
    assert "standard error" not in exact
    assert "8 half-spaces are needed on all of R^2" in exact
    rows = np.array([[-1, -1], [1, 1], [0.5, -0.25]])
    np.savetxt(tmp_path / "rows.csv", rows, delimiter=",", header="a,b", comments="")
    known = minimal_equivalent(load(file), Box([-1, -1], [1, 1])), minimal_equivalent(load(file), data=rows)
    for where, answer in zip((["--domain", "-1,1"], ["--data", tmp_path / "rows.csv"]), known, strict=True):
        assert json.loads(run(file, *where, "--json").stdout)["pieces"] == len(answer.patterns)
    assert "needed on the box of the data" in run(file, "--data", tmp_path / "rows.csv").stdout
    save(ReLUNetwork([[1, 0], [1, 0], [0, 1], [1, 1]], [0, 1, 2, 0.5], [1, -1, 1, 1], -1.0), file)
    refused = run(file)
    assert refused.exit_code == 2
    assert "not in general position" in refused.stderr
    assert run(tmp_path / "missing.json").exit_code == 2
