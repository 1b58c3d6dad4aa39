"""One bar of Figure 4 for one network: choose the learning rate, train, and measure."""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.random import Generator

from lpnet.errors import Stopped
from lpnet.exact import FloatArray
from lpnet.learning.configuration import Configuration
from lpnet.learning.data import Problem, Setting, make_problem
from lpnet.learning.learners import LEARNERS, Learner, exact_equivalent, hidden_units, layers
from lpnet.learning.table import Row
from lpnet.learning.training import Fit, Method, Parameters, errors_of, fit
from lpnet.watch import Watch


@dataclass(frozen=True, eq=False)
class Work:
    """What one run is about; rng: where all that is random in it comes from; watch: may stop it."""

    configuration: Configuration
    problem: Problem
    learner: Learner
    rng: Generator
    watch: Watch

    @property
    def method(self) -> Method:
        """How the learner is trained."""
        choices = self.configuration.compression, self.configuration.l2, self.configuration.batch
        return Method(self.learner.activation, *choices, self.learner.trains_hidden)

    def check(self) -> None:
        """Stopped, if somebody wants it."""
        if self.watch.stopped:
            raise Stopped(self.watch.stopped)


def measure(configuration: Configuration, setting: Setting, name: str, watch: Watch) -> list[Row]:
    """The rows of the table for one learner and one network; Stopped within some epochs where the watch is.

    The exact start has a row for the start itself, with rate 0, and one for each rate; the others one, for the chosen rate.
    """
    started, problem = time.perf_counter(), make_problem(configuration, setting)
    rng = np.random.default_rng([configuration.seed, setting.inputs, setting.relus, setting.network, [*LEARNERS].index(name)])
    work = Work(configuration, problem, LEARNERS[name], rng, watch)
    found = keep(work) if work.learner.exact_start else learn(work)
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


def learn(work: Work) -> list[Row]:
    """Cross-validation of the learning rate, then training with it from several starts, with early stopping."""
    choices, problem = work.configuration, work.problem
    units, rows = hidden_units(work.learner, problem.network), work.rng.permutation(problem.train.stop)
    fold_errors = cross_validate(work, units, rows)
    best = int(np.argmin(fold_errors))
    validation, remaining = (np.tile(part, (choices.starts, 1)) for part in np.split(rows, [choices.validation_points]))
    start = random_start(work, (choices.starts, 1), units)
    fitted = train(work, start, (choices.rates[best],), remaining, validation, choices.epochs, choices.patience)
    parameters = parameters_of(array[:, 0] for array in fitted.best)
    trained, tested = (errors(work, parameters, part) for part in (remaining[0], problem.test))
    chosen = int(np.argmin(fitted.error[:, 0]))
    row = {
        "rate": choices.rates[best],
        "epochs": fitted.epoch.mean(),
        "fold_error": fold_errors[best],
        "validation_error": fitted.error.mean(),
        "train_error": trained.mean(),
        "test_error": tested.mean(),
        "chosen_train_error": trained[chosen],
        "chosen_test_error": tested[chosen],
    }
    return [{"units": units, **{name: six_digits(value) for name, value in row.items()}}]


def cross_validate(work: Work, units: int, rows: Any) -> FloatArray:
    """The mean error on the held-out folds of each rate at its best epoch, (rates,)."""
    folds, rates = work.configuration.folds, work.configuration.rates
    held_out = rows[: len(rows) // folds * folds].reshape(folds, -1)
    others = np.array([np.delete(held_out, fold, axis=0).ravel() for fold in range(folds)])
    start = random_start(work, (folds, len(rates)), units)
    tried = train(work, start, rates, others, held_out, work.configuration.fold_epochs, None)
    return np.asarray(tried.error).mean(axis=0)


def keep(work: Work) -> list[Row]:
    """Train the exact equivalent on all training points, for a fixed time at each rate: does its error stay where it starts?"""
    rates, epochs = work.configuration.rates, work.configuration.exact_epochs
    equivalent = exact_equivalent(work.problem.network)
    exact = [np.asarray(array, np.float32) for array in layers(equivalent)]
    start = parameters_of(np.broadcast_to(array, (1, len(rates), *array.shape)) for array in exact)
    rows = np.arange(work.problem.train.stop)[None]
    fitted = train(work, start, rates, rows, rows[:, :1], epochs, None)
    both = parameters_of(np.concatenate([first[None], last[0]]) for first, last in zip(exact, fitted.last, strict=True))
    trained, tested = (errors(work, both, part) for part in (work.problem.train, work.problem.test))
    return [
        {
            "units": equivalent.units,
            "rate": rate,
            "epochs": float(epochs if rate else 0),
            "train_error": six_digits(trained[lane]),
            "test_error": six_digits(tested[lane]),
        }
        for lane, rate in enumerate([0.0, *rates])
    ]


def six_digits(value: Any) -> float:
    """More than any of these shares has."""
    return float(f"{value:.6g}")


def random_start(work: Work, lanes: tuple[int, int], units: int) -> Parameters:
    """Uniform in ±1/√(inputs of the layer), the same for all rates of a fold or start; (folds or starts, rates, …)."""
    (folds, rates), inputs = lanes, work.problem.network.inputs
    shapes = (inputs, units), (units,), (units,), ()
    bounds = inputs**-0.5, inputs**-0.5, units**-0.5, units**-0.5
    drawn = [work.rng.uniform(-bound, bound, (folds, 1, *shape)) for bound, shape in zip(bounds, shapes, strict=True)]
    return parameters_of(np.repeat(array, rates, axis=1).astype(np.float32) for array in drawn)


def parameters_of(given: Iterable[Any]) -> Parameters:
    """Numpy arrays as `Parameters`."""
    return Parameters(*map(jnp.asarray, given))


def train(
    work: Work, start: Parameters, rates: tuple[float, ...], rows: Any, held_out: Any, epochs: int, patience: int | None
) -> Fit:
    """`fit` with the settings of the configuration, as numpy arrays; patience None: no early stopping."""
    points, labels = map(jnp.asarray, arrays(work.problem, slice(None)))
    key = jax.random.key(int(work.rng.integers(1 << 31)))
    patience = epochs + 1 if patience is None else patience
    lanes = jnp.asarray(np.array(rates, np.float32)), points, labels, jnp.asarray(rows), jnp.asarray(held_out)
    return jax.device_get(fit(start, *lanes, key, epochs, patience, work.method, work.check))


def errors(work: Work, parameters: Parameters, rows: Any) -> FloatArray:
    """Error rates of lanes of networks on some rows, (lanes,)."""
    return np.asarray(errors_of(parameters, *arrays(work.problem, rows), work.method))


def arrays(problem: Problem, rows: Any) -> tuple[Any, Any]:
    """Points and labels in float32, which holds the points exactly."""
    return problem.points[rows].astype(np.float32), problem.labels[rows].astype(np.float32)
