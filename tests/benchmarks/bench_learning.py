"""The training engine against scikit-learn's loop: the same networks, rates, minibatches and epochs.

    python tests/benchmarks/bench_learning.py [--quick]

One hidden layer of tanh, plain stochastic gradient descent with minibatches of 20 and weight decay on 8,500 points, five
learning rates: lpnet's five together in one program, scikit-learn's MLPClassifier one after the other, float32 on both sides.
Seconds are those of one epoch of all five, the best of several runs in turn; the very first includes compiling, which is done
once per architecture.
"""

import sys
import time
import warnings

import jax
import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from lpnet.learning.configuration import Configuration
from lpnet.learning.data import Setting, make_problem
from lpnet.learning.protocol import arrays, parameters_of
from lpnet.learning.training import Method, fit

CONFIGURATION = Configuration()
METHOD = Method("compressed_tanh", 1.0, CONFIGURATION.l2, CONFIGURATION.batch)


def by_lpnet(points, labels, units, epochs):
    """Seconds."""
    rates = np.array(CONFIGURATION.rates, np.float32)
    rng, rows = np.random.default_rng(0), np.arange(len(points))[None]
    shapes = (points.shape[1], units), (units,), (units,), ()
    start = parameters_of(rng.uniform(-0.1, 0.1, (1, len(rates), *shape)).astype(np.float32) for shape in shapes)
    started = time.perf_counter()
    found = fit(start, rates, points, labels, rows, rows[:, :1], jax.random.key(0), epochs, epochs + 1, METHOD)
    jax.block_until_ready(found)
    return time.perf_counter() - started


def by_sklearn(points, labels, units, epochs):
    """Seconds."""
    started = time.perf_counter()
    for rate in CONFIGURATION.rates:
        MLPClassifier(
            (units,), activation="tanh", solver="sgd", alpha=CONFIGURATION.l2, batch_size=CONFIGURATION.batch,
            learning_rate_init=rate, momentum=0, max_iter=epochs, tol=0, n_iter_no_change=epochs + 1, random_state=0,
        ).fit(points, labels)  # fmt: skip
    return time.perf_counter() - started


def row(inputs, units, epochs, runs):
    """A line of the table."""
    problem = make_problem(CONFIGURATION, Setting(inputs, 10, 0))
    points, labels = arrays(problem, problem.train)
    first = by_lpnet(points, labels, units, 1)
    pairs = [[work(points, labels, units, epochs) / epochs for work in (by_lpnet, by_sklearn)] for _ in range(runs)]
    ours, theirs = np.min(pairs, axis=0)
    return f"| {inputs} | {units:,} | {ours:.3g} s | {theirs:.3g} s | {theirs / ours:.1f}× | {first:.2g} s |"


def main():
    warnings.simplefilter("ignore", ConvergenceWarning)
    quick = "--quick" in sys.argv[1:]
    print("| d | units | lpnet, an epoch | scikit-learn, an epoch | ratio | first epoch |\n|---|---|---|---|---|---|")
    for inputs, units in [(10, 10)] if quick else [(3, 3), (10, 10), (3, 92), (10, 1024), (50, 1024)]:
        print(row(inputs, units, 2 if quick else 4, 2 if quick else 3), flush=True)


if __name__ == "__main__":
    main()
