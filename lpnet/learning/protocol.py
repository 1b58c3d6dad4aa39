"""One bar of Figure 4 for one network: choose the learning rate, train, and measure."""

import time
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.random import Generator

from lpnet.learning.configuration import Configuration
from lpnet.learning.data import Problem, Setting, make_problem
from lpnet.learning.learners import LEARNERS, Learner, exact_equivalent, hidden_units, layers
from lpnet.learning.training import Fit, Parameters, errors_of, fit

Row = dict[str, Any]


def measure(configuration: Configuration, setting: Setting, name: str) -> list[Row]:
    """The rows of the table for one learner and one network.

    The exact start has a row for the start itself, with rate 0, and one for each rate; the others one, for the chosen rate.
    """
    learner, started = LEARNERS[name], time.perf_counter()
    problem = make_problem(configuration, setting)
    rng = np.random.default_rng([configuration.seed, setting.inputs, setting.relus, setting.network, [*LEARNERS].index(name)])
    found = keep(configuration, problem, learner, rng) if learner.exact_start else learn(configuration, problem, learner, rng)
    known = {
        "inputs": setting.inputs,
        "relus": setting.relus,
        "network": setting.network,
        "learner": name,
        "positive_share": float((problem.labels > 0).mean()),
        "positive_test_share": float((problem.labels[problem.test] > 0).mean()),
    }
    seconds = round(time.perf_counter() - started, 2)
    return [{**known, **row, "seconds": seconds} for row in found]


def learn(configuration: Configuration, problem: Problem, learner: Learner, rng: Generator) -> list[Row]:
    """Cross-validation of the learning rate, then training with it from several starts, with early stopping."""
    units, inputs = hidden_units(learner, problem.network), problem.network.inputs
    rates, folds = np.array(configuration.rates), configuration.folds
    rows = rng.permutation(problem.train.stop)
    held_out = rows[: len(rows) // folds * folds].reshape(folds, -1)
    others = np.array([np.delete(held_out, fold, axis=0).ravel() for fold in range(folds)])
    start = random_start(rng, (folds, len(rates)), inputs, units)
    tried = train(configuration, problem, learner, start, rates, others, held_out, configuration.fold_epochs, None, rng)
    fold_errors = np.asarray(tried.error).mean(axis=0)
    best = int(np.argmin(fold_errors))

    starts = configuration.starts
    validation, remaining = (np.tile(part, (starts, 1)) for part in np.split(rows, [configuration.validation_points]))
    start = random_start(rng, (starts, 1), inputs, units)
    fitted = train(
        configuration, problem, learner, start, rates[[best]], remaining, validation,
        configuration.epochs, configuration.patience, rng,
    )  # fmt: skip
    parameters = jax.tree.map(lambda array: array[:, 0], fitted.best)
    trained, tested = (errors(configuration, problem, learner, parameters, part) for part in (remaining[0], problem.test))
    chosen = int(np.argmin(fitted.error[:, 0]))
    row = {
        "units": units,
        "rate": float(rates[best]),
        "epochs": float(fitted.epoch.mean()),
        "fold_error": float(fold_errors[best]),
        "validation_error": float(fitted.error.mean()),
        "train_error": float(trained.mean()),
        "test_error": float(tested.mean()),
        "chosen_train_error": float(trained[chosen]),
        "chosen_test_error": float(tested[chosen]),
    }
    return [{name: significant(value) for name, value in row.items()}]


def keep(configuration: Configuration, problem: Problem, learner: Learner, rng: Generator) -> list[Row]:
    """Train the exact equivalent on all training points, for a fixed time at each rate: does its error stay where it starts?"""
    rates = np.array(configuration.rates)
    equivalent = exact_equivalent(problem.network)
    exact = Parameters(*(jnp.asarray(array, jnp.float32) for array in layers(equivalent)))
    start = jax.tree.map(lambda array: jnp.broadcast_to(array, (1, len(rates), *array.shape)), exact)
    rows = np.arange(problem.train.stop)
    fitted = train(
        configuration, problem, learner, start, rates, rows[None], rows[None, :1], configuration.exact_epochs, None, rng
    )
    both = jax.tree.map(lambda first, last: jnp.concatenate([first[None], last[0]]), exact, fitted.last)
    trained, tested = (errors(configuration, problem, learner, both, part) for part in (problem.train, problem.test))
    return [
        {
            "units": equivalent.units,
            "rate": float(rate),
            "epochs": float(configuration.exact_epochs if rate else 0),
            "train_error": significant(float(trained[lane])),
            "test_error": significant(float(tested[lane])),
        }
        for lane, rate in enumerate([0.0, *rates])
    ]


def significant(value: float) -> float:
    """Six digits, more than any of these shares has."""
    return float(f"{value:.6g}")


def random_start(rng: Generator, lanes: tuple[int, int], inputs: int, units: int) -> Parameters:
    """Uniform in ±1/√(inputs of the layer), the same for all rates of a fold or start; (folds or starts, rates, …)."""
    folds, rates = lanes
    shapes = (inputs, units), (units,), (units,), ()
    bounds = inputs**-0.5, inputs**-0.5, units**-0.5, units**-0.5
    drawn = [rng.uniform(-bound, bound, (folds, 1, *shape)) for bound, shape in zip(bounds, shapes, strict=True)]
    return Parameters(*(jnp.asarray(np.repeat(array, rates, axis=1), jnp.float32) for array in drawn))


def train(
    configuration: Configuration, problem: Problem, learner: Learner, start: Parameters, rates: Any, rows: Any, held_out: Any,
    epochs: int, patience: int | None, rng: Generator,
) -> Fit:  # fmt: skip
    """`fit` with the settings of the configuration; patience None: no early stopping."""
    points, labels = arrays(problem, slice(None))
    return fit(
        start, jnp.asarray(rates, jnp.float32), points, labels, jnp.asarray(rows), jnp.asarray(held_out),
        jax.random.key(int(rng.integers(1 << 31))), configuration.l2, epochs, epochs + 1 if patience is None else patience,
        name=learner.activation, compression=configuration.compression, batch=configuration.batch,
        trains_hidden=learner.trains_hidden,
    )  # fmt: skip


def errors(configuration: Configuration, problem: Problem, learner: Learner, parameters: Parameters, rows: Any) -> Any:
    """Error rates of lanes of networks on some rows, (lanes,)."""
    return errors_of(parameters, *arrays(problem, rows), name=learner.activation, compression=configuration.compression)


def arrays(problem: Problem, rows: Any) -> tuple[jax.Array, jax.Array]:
    """Points and labels in float32, which holds the points exactly."""
    return jnp.asarray(problem.points[rows], jnp.float32), jnp.asarray(problem.labels[rows], jnp.float32)
