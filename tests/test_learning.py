"""Section 5 of the paper: data, training, the protocol, and the command."""

import json
import sys
from dataclasses import asdict
from math import comb

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from typer.testing import CliRunner

from lpnet.cli import app
from lpnet.errors import InputError, Stopped
from lpnet.learning.configuration import QUICK, Configuration
from lpnet.learning.data import Setting, make_problem
from lpnet.learning.figure4 import figure4, place
from lpnet.learning.learners import LEARNERS, PAPER, exact_equivalent, hidden_units, layers
from lpnet.learning.protocol import measure
from lpnet.learning.table import mean_and_error, read_table, summary
from lpnet.learning.training import Method, Parameters, activation, error_rate, fit, gradient, score
from lpnet.watch import Watch

RATES = np.array([0.5, 0.05, 0.005], np.float32)


def random_parameters(rng, *lead, inputs=4, units=7):
    shapes = (inputs, units), (units,), (units,), ()
    return Parameters(*(jnp.asarray(rng.normal(size=(*lead, *shape)), jnp.float32) for shape in shapes))


def examples(rng, count, inputs=4):
    return rng.normal(size=(count, inputs)).astype(np.float32), rng.choice([-1, 1], count).astype(np.float32)


@pytest.mark.parametrize(("name", "compression"), [("relu", 1.0), ("compressed_tanh", 1.0), ("compressed_tanh", 30.0)])
def test_gradients_are_those_of_automatic_differentiation(name, compression):
    rng = np.random.default_rng(0)
    parameters, (points, labels) = random_parameters(rng), examples(rng, 20)
    act = activation(name, compression)
    expected = jax.grad(lambda p: jnp.mean(jax.nn.softplus(-labels * score(p, points, act))))(parameters)
    for found, wanted in zip(gradient(parameters, points, labels, act), expected, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-6)


def test_the_straight_through_slope_is_not_that_of_its_value():
    z = jnp.array([-2.0, -0.5, 0.0, 0.5, 2.0])
    act = activation("straight_through", 1e4)
    np.testing.assert_array_equal(act.value(z), [-1, -1, 0, 1, 1])
    np.testing.assert_array_equal(act.slope(z, act.value(z)), [0, 1, 1, 1, 0])


def plain_descent(start, rate, points, labels, l2, epochs):
    """ReLUs, in float64, with whole batches."""
    v, b, w, w0 = (np.asarray(array, np.float64) for array in start)
    for _ in range(epochs):
        z = points @ v + b
        at_score = -labels / (1 + np.exp(labels * (np.maximum(z, 0) @ w + w0))) / len(labels)
        at_z = np.outer(at_score, w) * (z > 0)
        slopes = points.T @ at_z, at_z.sum(axis=0), at_score @ np.maximum(z, 0), at_score.sum()
        v, b, w, w0 = (p - rate * (slope + l2 * p) for p, slope in zip((v, b, w, w0), slopes, strict=True))
    return v, b, w, w0


def test_all_folds_and_rates_together_are_as_each_alone():
    rng = np.random.default_rng(1)
    points, labels = examples(rng, 60)
    start, rows = random_parameters(rng, 2, 3), np.array([np.arange(40), np.arange(20, 60)])
    method = Method("relu", 1.0, l2=0.01, batch=40)
    found = fit(start, RATES, points, labels, rows, rows[:, :5], jax.random.key(0), 6, 100, method)
    for fold in range(2):
        for lane, rate in enumerate(RATES):
            alone = [array[fold, lane] for array in start]
            expected = plain_descent(alone, rate, points[rows[fold]], labels[rows[fold]], 0.01, 6)
            for ours, theirs in zip(found.last, expected, strict=True):
                np.testing.assert_allclose(ours[fold, lane], theirs, rtol=2e-3, atol=2e-4)


def test_early_stopping_returns_the_best_epoch_and_what_it_was():
    rng = np.random.default_rng(2)
    points, _ = examples(rng, 300)
    labels = np.where(points[:, 0] > 0, 1, -1).astype(np.float32)
    start, train, held_out = random_parameters(rng, 1, 3), np.arange(200)[None], np.arange(200, 300)[None]
    method = Method("relu", 1.0, l2=1e-4, batch=20)
    found = fit(start, RATES, points, labels, train, held_out, jax.random.key(0), 50, 5, method)
    for lane in range(3):
        best, first = (Parameters(*(array[0, lane] for array in each)) for each in (found.best, start))
        act = activation("relu", 1.0)
        now, before = (float(error_rate(each, points[held_out[0]], labels[held_out[0]], act)) for each in (best, first))
        assert float(found.error[0, lane]) == pytest.approx(now, abs=1e-6)
        assert now <= before
    assert found.error.min() < 0.1
    again = fit(start, RATES, points, labels, train, held_out, jax.random.key(0), int(found.epoch[0, 0]), 99, method)
    for ours, theirs in zip(again.last, found.best, strict=True):
        np.testing.assert_array_equal(ours[0, 0], theirs[0, 0])


def test_nothing_is_better_than_no_error():
    """Patience runs out, and the start is what is returned."""
    rng = np.random.default_rng(3)
    points, _ = examples(rng, 100)
    start, rows = random_parameters(rng, 1, 3), np.arange(100)[None]
    start = Parameters(*(jnp.broadcast_to(array[:, :1], array.shape) for array in start))
    labels = np.where(score(Parameters(*(a[0, 0] for a in start)), points, activation("relu", 1.0)) >= 0, 1.0, -1.0)
    method = Method("relu", 1.0, l2=1e-4, batch=10)
    found = fit(start, RATES, points, labels.astype(np.float32), rows, rows, jax.random.key(0), 1_000_000_000, 3, method)
    assert not found.error.any()
    assert not found.epoch.any()
    for ours, theirs in zip(found.best, start, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_hidden_layer_that_does_not_train_stays():
    rng = np.random.default_rng(4)
    points, labels = examples(rng, 100)
    start, rows = random_parameters(rng, 1, 3), np.arange(100)[None]
    method = Method("compressed_tanh", 1e4, l2=0.1, batch=10, trains_hidden=False)
    found = fit(start, RATES, points, labels, rows, rows, jax.random.key(0), 2, 9, method).last
    np.testing.assert_array_equal(found.hidden_weight, start.hidden_weight)
    np.testing.assert_array_equal(found.hidden_bias, start.hidden_bias)
    assert (found.output_weight != start.output_weight).all()


@pytest.mark.parametrize("count", [1, 50, 123])
def test_errors_are_counted_in_blocks(count):
    rng = np.random.default_rng(5)
    parameters, (points, labels) = random_parameters(rng), examples(rng, count)
    hidden = np.maximum(points @ np.asarray(parameters.hidden_weight) + np.asarray(parameters.hidden_bias), 0)
    right = (hidden @ np.asarray(parameters.output_weight) + float(parameters.output_bias) >= 0) == (labels > 0)
    assert float(error_rate(parameters, points, labels, activation("relu", 1.0))) == pytest.approx(1 - right.mean(), abs=1e-6)


@pytest.mark.parametrize(("inputs", "relus"), [(3, 3), (3, 10), (10, 10), (50, 3)])
def test_data_are_balanced_and_follow_from_the_seed(inputs, relus):
    problem = make_problem(Configuration(), Setting(inputs, relus, 1))
    assert problem.points.shape == (10_000, inputs)
    assert (problem.labels > 0).mean() == 0.5
    assert len(problem.labels[problem.test]) == 1_500
    assert len(problem.labels[problem.train]) == 8_500
    assert (problem.network.output_weight > 0).all()
    np.testing.assert_array_equal(problem.points, problem.points.astype(np.float32))
    same, other = (make_problem(Configuration(), Setting(inputs, relus, network)) for network in (1, 2))
    np.testing.assert_array_equal(same.points, problem.points)
    assert not np.array_equal(other.network.hidden_weight, problem.network.hidden_weight)
    changed = make_problem(Configuration(seed=1), Setting(inputs, relus, 1))
    assert not np.array_equal(changed.points, problem.points)


@pytest.mark.parametrize(("inputs", "relus"), [(3, 10), (10, 3), (10, 6)])
def test_the_exact_start_decides_as_the_network_and_has_the_units_that_are_needed(inputs, relus):
    """At most T(n, d) = min(2^n − 1, 2 Σ_{s<d} C(n − 1, s)) units, and 2^n − 1 for d ≥ n."""
    problem = make_problem(Configuration(), Setting(inputs, relus, 0))
    equivalent = exact_equivalent(problem.network)
    most = min(2**relus - 1, 2 * sum(comb(relus - 1, s) for s in range(inputs)))
    assert hidden_units(LEARNERS["exact_start"], problem.network) == equivalent.units <= most
    assert equivalent.units == most or inputs < relus
    parameters = Parameters(*(jnp.asarray(array, jnp.float32) for array in layers(equivalent)))
    act = activation("compressed_tanh", 1e4)
    assert error_rate(parameters, problem.points, problem.labels, act) < 1e-3


def test_means_and_standard_errors():
    assert mean_and_error([1.0, 2.0, 3.0]) == (2.0, pytest.approx(1 / np.sqrt(3)))
    mean, error = mean_and_error([4.0])
    assert mean == 4.0
    assert np.isnan(error)


@pytest.fixture(scope="module")
def quick(tmp_path_factory):
    """One quick run by the command, from nothing."""
    folder = tmp_path_factory.mktemp("learning") / "figure4"
    result = CliRunner().invoke(app, ["learn", "figure4", "--quick", "--out", str(folder)])
    assert result.exit_code == 0, result.output
    return folder, result


@pytest.mark.slow
def test_a_quick_run_writes_one_table_twice_and_a_chart(quick):
    folder, result = quick
    rows = read_table(folder / "figure4.csv")
    assert rows == read_table(folder / "figure4.parquet")
    runs = len(QUICK.inputs) * len(QUICK.relus) * QUICK.networks
    assert len(rows) == runs * (len(LEARNERS) - 1 + 1 + len(QUICK.rates))
    assert {row["learner"] for row in rows} == set(LEARNERS)
    assert all(0 <= row[name] <= 1 for row in rows for name in ("train_error", "test_error", "positive_test_share"))
    assert (folder / "figure4.png").read_bytes().startswith(b"\x89PNG")
    assert len(result.stdout.splitlines()) == len(summary(rows)) + 1 + 4


@pytest.mark.slow
def test_what_is_expressible_starts_without_error_and_relus_learn_best(quick):
    lines = summary(read_table(quick[0] / "figure4.csv"))
    starts = [line for line in lines if line["learner"] == "exact_start" and line["rate"] == 0]
    assert len(starts) == len(QUICK.relus)
    assert all(line["test_error"] < 0.002 for line in starts)
    for relus in QUICK.relus:
        error = {line["learner"]: line["test_error"] for line in lines if line["relus"] == relus}
        assert error["relu"] == min(error[name] for name in PAPER)


@pytest.mark.slow
def test_a_run_that_was_cut_off_goes_on_and_comes_to_the_same(quick):
    folder, _ = quick
    before = read_table(folder / "figure4.csv")
    lost = place(folder, Setting(3, 3, 1), "relu")
    lost.unlink()
    stopped = Watch(stopped="it was interrupted")
    with pytest.raises(Stopped, match=r"27 of 28 runs are done, it was interrupted"):
        figure4(QUICK, folder, stopped)
    assert not lost.exists()
    seen = []
    rows = figure4(QUICK, folder, Watch(report=lambda share, found: seen.append(found)))
    assert seen == [28]
    for row, old in zip(rows, before, strict=True):
        assert {**old, "seconds": 0} == {**dict.fromkeys(old), **row, "seconds": 0}


@pytest.mark.slow
def test_results_of_another_configuration_are_neither_mixed_nor_lost(quick):
    folder, _ = quick
    content = (folder / "figure4.csv").read_bytes()
    result = CliRunner().invoke(app, ["learn", "figure4", "--out", str(folder)])
    assert result.exit_code == 2
    assert "another configuration; give another folder" in result.stderr
    assert (folder / "figure4.csv").read_bytes() == content


@pytest.mark.slow
def test_a_damaged_run_is_named(quick):
    folder, _ = quick
    file = place(folder, Setting(3, 3, 0), "relu")
    whole = file.read_text()
    file.write_text(whole[:20])
    with pytest.raises(InputError, match=r"d3_n3_0_relu\.json: is not what lpnet wrote; delete it"):
        figure4(QUICK, folder, Watch())
    file.write_text(whole)


def test_a_run_under_way_is_stopped():
    with pytest.raises(Stopped, match="it was interrupted"):
        measure(QUICK, Setting(3, 3, 0), "relu", Watch(stopped="it was interrupted"))


def test_a_missing_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "optax", None)
    result = CliRunner().invoke(app, ["learn", "figure4", "--quick", "--out", str(tmp_path / "new")])
    assert result.exit_code == 2
    assert 'needs the package optax: pip install "lpnet[learning]"' in result.stderr
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("where", ["file", "file/below"])
def test_a_folder_that_cannot_be_made_is_refused(tmp_path, where):
    (tmp_path / "file").write_text("")
    result = CliRunner().invoke(app, ["learn", "figure4", "--quick", "--out", str(tmp_path / where)])
    assert result.exit_code == 2
    assert "cannot be written" in result.stderr
    assert "Traceback" not in result.output


def test_a_table_that_is_none_is_refused(tmp_path):
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    (tmp_path / "noise.parquet").write_bytes(b"noise")
    for name in ("other.csv", "noise.parquet", "missing.csv"):
        with pytest.raises(InputError, match=name):
            read_table(tmp_path / name)


@pytest.mark.slow
def test_the_configuration_is_written_with_its_results(quick):
    written = json.loads((quick[0] / "configuration.json").read_text())
    assert written == json.loads(json.dumps(asdict(QUICK)))
