"""Training networks with one hidden layer, many at once: one compiled program for all folds and learning rates.

Arrays carry two leading axes, (folds, rates): the rates of a fold see the same minibatches, so that their products with the
hidden weights share one operand.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax
from jax import Array

BLOCK = 50  # points evaluated at once; keeps the hidden layers of all lanes in the cache
EPOCHS = 10  # in one call of the compiled program: between two of them somebody may stop the work


class Parameters(NamedTuple):
    """hidden_weight: (d, m); hidden_bias: (m,); output_weight: (m,); output_bias: ()."""

    hidden_weight: Array
    hidden_bias: Array
    output_weight: Array
    output_bias: Array


@dataclass(frozen=True)
class Method:
    """How to train: the name of the activation and its c, the L2 coefficient, the size of a minibatch, what is trained."""

    activation: str
    compression: float
    l2: float
    batch: int
    trains_hidden: bool = True


class Activation(NamedTuple):
    """value(z) and slope(z, value(z)), which the straight-through estimator does not take from the value."""

    value: Callable[[Array], Array]
    slope: Callable[[Array, Array], Array]


class Fit(NamedTuple):
    """last: the parameters at the end; best: those of the smallest validation error; error: that; epoch: after how many."""

    last: Parameters
    best: Parameters
    error: Array
    epoch: Array


def activation(name: str, compression: float) -> Activation:
    """relu: R(z); compressed_tanh: tanh(c z); straight_through: tanh(c z) with the slope of z clipped to [−1, 1]."""

    def compressed(z: Array) -> Array:
        return jnp.tanh(compression * z)

    return {
        "relu": Activation(jax.nn.relu, lambda z, h: (z > 0).astype(z.dtype)),
        "compressed_tanh": Activation(compressed, lambda z, h: compression * (1 - h * h)),
        "straight_through": Activation(compressed, lambda z, h: (jnp.abs(z) <= 1).astype(z.dtype)),
    }[name]


def score(parameters: Parameters, points: Array, act: Activation) -> Array:
    """w0 + Σ w_k act(v_k·x + d_k); (batch, d) → (batch,)."""
    hidden = act.value(points @ parameters.hidden_weight + parameters.hidden_bias)
    return hidden @ parameters.output_weight + parameters.output_bias


def gradient(parameters: Parameters, points: Array, labels: Array, act: Activation) -> Parameters:
    """The gradient of the mean logistic loss, with the activation's own slope.

    By hand: XLA's products for a single output column cost half as much again.
    """
    z = points @ parameters.hidden_weight + parameters.hidden_bias
    hidden = act.value(z)
    scores = hidden @ parameters.output_weight + parameters.output_bias
    at_score = -labels * jax.nn.sigmoid(-labels * scores) / len(labels)
    at_z = at_score[:, None] * parameters.output_weight * act.slope(z, hidden)
    return Parameters(points.T @ at_z, at_z.sum(axis=0), at_score @ hidden, at_score.sum())


def error_rate(parameters: Parameters, points: Array, labels: Array, act: Activation) -> Array:
    """The share of points whose sign is wrong, a score of 0 counting as +1 and no number as −1."""

    def right(block: tuple[Array, Array]) -> Array:
        return (score(parameters, block[0], act) >= 0) == (block[1] > 0)

    size = min(BLOCK, len(points))
    full = len(points) // size * size
    blocks = points[:full].reshape(-1, size, points.shape[1]), labels[:full].reshape(-1, size)
    wrong = jnp.sum(~jax.lax.map(right, blocks)) + jnp.sum(~right((points[full:], labels[full:])))
    return wrong / len(points)


def step(parameters: Parameters, rate: Array, points: Array, labels: Array, method: Method) -> Parameters:
    """One step of gradient descent with weight decay, on a minibatch (batch, d)."""
    optimiser = optax.chain(optax.add_decayed_weights(method.l2), optax.sgd(rate))
    slope = gradient(parameters, points, labels, activation(method.activation, method.compression))
    updates, _ = optimiser.update(slope, optimiser.init(parameters), parameters)
    if not method.trains_hidden:
        updates = jax.tree.map(jnp.zeros_like, parameters)._replace(output_weight=updates[2], output_bias=updates[3])
    return optax.apply_updates(parameters, updates)


def epoch(
    parameters: Parameters, rates: Array, points: Array, labels: Array, rows: Array, key: Array, method: Method
) -> Parameters:
    """One pass over the rows of each fold, (folds, count), in a random order; an incomplete last minibatch is left out."""
    folds, count = rows.shape
    steps = count // method.batch
    shuffled = jax.vmap(jax.random.permutation)(jax.random.split(key, folds), rows)
    batches = shuffled[:, : steps * method.batch].reshape(folds, steps, method.batch)
    every_rate = jax.vmap(jax.vmap(partial(step, method=method), (0, 0, None, None)), (0, None, 0, 0))

    def minibatch(current: Parameters, at: Array) -> tuple[Parameters, None]:
        return every_rate(current, rates, points[at], labels[at]), None

    return jax.lax.scan(minibatch, parameters, batches.swapaxes(0, 1))[0]


def fit(
    start: Parameters, rates: Array, points: Array, labels: Array, train: Array, validation: Array, key: Array,
    epochs: int, patience: int, method: Method, check: Callable[[], None] = lambda: None,
) -> Fit:  # fmt: skip
    """Stochastic gradient descent from `start`, (folds, rates, …), with early stopping.

    points: (all, d); labels: (all,), ±1; train, validation: rows of them, (folds, count); a lane is over when its validation
    error has not fallen for `patience` epochs; all end with the last one, or after `epochs`. check: called now and then; what
    it raises ends the work.
    """
    number, fitted = 0, begin(start, points, labels, validation, method)
    while number < epochs and bool(waiting(fitted, number, patience).any()):
        check()
        until = min(number + EPOCHS, epochs)
        fitted, at = advance(fitted, number, until, rates, points, labels, train, validation, key, patience, method)
        number = int(at)
    return fitted


def waiting(fitted: Fit, number: Array | int, patience: Array | int) -> Array:
    """Which lanes may still become better after so many epochs, (folds, rates)."""
    return number - fitted.epoch < patience


@partial(jax.jit, static_argnames="method")
def begin(start: Parameters, points: Array, labels: Array, validation: Array, method: Method) -> Fit:
    """Before the first epoch."""
    error = errors(start, points[validation], labels[validation], method)
    return Fit(start, start, error, jnp.zeros(error.shape, int))


@partial(jax.jit, static_argnames="method")
def advance(
    fitted: Fit, number: int, until: int, rates: Array, points: Array, labels: Array, train: Array, validation: Array,
    key: Array, patience: int, method: Method,
) -> tuple[Fit, Array]:  # fmt: skip
    """From so many epochs on `until` so many, or all lanes are over; and the number then."""
    held_out = points[validation], labels[validation]

    def go_on(state: tuple[Fit, Array]) -> Array:
        before, done = state
        return (done < until) & waiting(before, done, patience).any()

    def one_more(state: tuple[Fit, Array]) -> tuple[Fit, Array]:
        before, done = state
        last = epoch(before.last, rates, points, labels, train, jax.random.fold_in(key, done), method)
        error = errors(last, *held_out, method)
        better = (error < before.error) & waiting(before, done, patience)
        best = jax.tree.map(lambda new, old: jnp.where(like(better, new), new, old), last, before.best)
        found = Fit(last, best, jnp.where(better, error, before.error), jnp.where(better, done + 1, before.epoch))
        return found, done + 1

    return jax.lax.while_loop(go_on, one_more, (fitted, jnp.asarray(number)))


def errors(parameters: Parameters, points: Array, labels: Array, method: Method) -> Array:
    """Error rates of lanes (folds, rates, …) on points of each fold (folds, count, d); (folds, rates)."""
    one = partial(error_rate, act=activation(method.activation, method.compression))
    return jax.vmap(jax.vmap(one, (0, None, None)))(parameters, points, labels)


def like(choice: Array, array: Array) -> Array:
    """(folds, rates) with as many axes as the array."""
    return choice.reshape(choice.shape + (1,) * (array.ndim - choice.ndim))


@partial(jax.jit, static_argnames="method")
def errors_of(parameters: Parameters, points: Array, labels: Array, method: Method) -> Array:
    """Error rates of networks with one leading axis, (lanes, …) → (lanes,)."""
    act = activation(method.activation, method.compression)
    return jax.vmap(lambda lane: error_rate(lane, points, labels, act))(parameters)
