"""Training networks with one hidden layer, many at once: one compiled program for all folds and learning rates.

Arrays carry two leading axes, (folds, rates): the rates of a fold see the same minibatches, so that their products with the
hidden weights share one operand.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax
from jax import Array

BLOCK = 50  # points evaluated at once; keeps the hidden layers of all lanes in the cache


class Parameters(NamedTuple):
    """hidden_weight: (d, m); hidden_bias: (m,); output_weight: (m,); output_bias: ()."""

    hidden_weight: Array
    hidden_bias: Array
    output_weight: Array
    output_bias: Array


class Activation(NamedTuple):
    """value(z) and slope(z, value(z)), which the straight-through estimator does not take from the value."""

    value: Callable[[Array], Array]
    slope: Callable[[Array, Array], Array]


class Fit(NamedTuple):
    """last: the parameters at the end; best: those of the smallest validation error; error: that; epoch: when."""

    last: Parameters
    best: Parameters
    error: Array
    epoch: Array


def activation(name: str, compression: float) -> Activation:
    """relu: R(z); compressed_tanh: tanh(c z); straight_through: tanh(c z) with the slope of z clipped to [−1, 1]."""
    compressed = lambda z: jnp.tanh(compression * z)  # noqa: E731
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


@partial(jax.jit, static_argnames=("name", "compression", "batch", "trains_hidden"))
def fit(
    start: Parameters, rates: Array, points: Array, labels: Array, train: Array, validation: Array, key: Array,
    l2: float, epochs: int, patience: int, *, name: str, compression: float, batch: int, trains_hidden: bool,
) -> Fit:  # fmt: skip
    """Stochastic gradient descent from `start`, (folds, rates, …), with weight decay and early stopping.

    points: (all, d); labels: (all,), ±1; train, validation: rows of them, (folds, count); a lane is over when its validation
    error has not fallen for `patience` epochs; the program ends with the last one, or after `epochs`.
    """
    act = activation(name, compression)
    steps = train.shape[1] // batch

    def step(parameters: Parameters, rate: Array, x: Array, y: Array) -> Parameters:
        optimiser = optax.chain(optax.add_decayed_weights(l2), optax.sgd(rate))
        updates, _ = optimiser.update(gradient(parameters, x, y, act), optimiser.init(parameters), parameters)
        if not trains_hidden:
            updates = jax.tree.map(jnp.zeros_like, parameters)._replace(output_weight=updates[2], output_bias=updates[3])
        return optax.apply_updates(parameters, updates)

    every_rate = jax.vmap(jax.vmap(step, (0, 0, None, None)), (0, None, 0, 0))

    def epoch(parameters: Parameters, number: Array) -> Parameters:
        keys = jax.random.split(jax.random.fold_in(key, number), len(train))
        rows = jax.vmap(jax.random.permutation)(keys, train)[:, : steps * batch].reshape(len(train), steps, batch)

        def minibatch(current: Parameters, at: Array) -> tuple[Parameters, None]:
            return every_rate(current, rates, points[at], labels[at]), None

        return jax.lax.scan(minibatch, parameters, rows.swapaxes(0, 1))[0]

    errors = jax.vmap(jax.vmap(lambda p, x, y: error_rate(p, x, y, act), (0, None, None)))
    held_out = points[validation], labels[validation]

    def running(fitted: Fit, number: Array) -> Array:
        return number - fitted.epoch < patience

    def go_on(state: tuple[Fit, Array]) -> Array:
        fitted, number = state
        return (number < epochs) & running(fitted, number).any()

    def advance(state: tuple[Fit, Array]) -> tuple[Fit, Array]:
        fitted, number = state
        last = epoch(fitted.last, number)
        error = errors(last, *held_out)
        better = (error < fitted.error) & running(fitted, number)
        best = jax.tree.map(lambda new, old: jnp.where(_like(better, new), new, old), last, fitted.best)
        found = Fit(last, best, jnp.where(better, error, fitted.error), jnp.where(better, number + 1, fitted.epoch))
        return found, number + 1

    first = errors(start, *held_out)
    return jax.lax.while_loop(go_on, advance, (Fit(start, start, first, jnp.zeros(first.shape, int)), jnp.array(0)))[0]


def _like(choice: Array, array: Array) -> Array:
    """(folds, rates) with as many axes as the array."""
    return choice.reshape(choice.shape + (1,) * (array.ndim - choice.ndim))


@partial(jax.jit, static_argnames=("name", "compression"))
def errors_of(parameters: Parameters, points: Array, labels: Array, *, name: str, compression: float) -> Array:
    """Error rates of networks with one leading axis, (lanes, …) → (lanes,)."""
    act = activation(name, compression)
    return jax.vmap(lambda p: error_rate(p, points, labels, act))(parameters)
