"""What a network computes, followed layer by layer in symbols: affine in the input x, then in h = R(U x + b) or sgn(U x + b).

Nothing is executed. Every number stays exact, and no two matrices are multiplied: behind a layer that is not just a change of
scales the entries are features of their own.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Any

import numpy as np
from flint import fmpq
from numpy.typing import NDArray

from lpnet.errors import InputError
from lpnet.exact import FloatArray

Numbers = NDArray[Any]  # float64, or exact rationals (flint.fmpq) as objects
Shape = tuple[int, ...]
MOST_FEATURES, MOST_SQUARED = 10**6, 5000  # in all; where a table of all of them by all of them is made
MOST_ENTRIES = 3 * 10**7
BOOLEAN = "a comparison"  # the tail of features ±1 that stand for a Boolean
TAILS = ("Sigmoid", "Softmax", "LogSoftmax", "Tanh")


@dataclass(frozen=True)
class Signal:
    """What a value is for one point: each entry is Σ_k c_k h_k + c_0, with h = x, R(U x + b), sgn(U x + b) or A x + a.

    features: how many h_k there are;
    order: where the entries are the features themselves, only rearranged: their numbers k, in the value's shape; else None;
    sums: else the coefficients (1 + features, *shape), the constants c_0 last, and their magnitude: the same sums with the
    absolute value of every number that went into them, rounded: what bounds an evaluation's errors;
    base: A x + a, behind an affine layer, else None; hidden: U x + b, behind a hidden layer and perhaps affine ones, else None
    (x itself may be sgn(…) of another one);
    signs: whether that is a layer of threshold units, not of ReLUs; steps: the layers that made it since then;
    tail: the Sigmoid or the like that was put on it, or ""; names: of the entries, where they have some;
    products: how many products and sums of rationals it took.
    """

    features: int
    order: NDArray[np.intp] | None
    sums: tuple[Numbers, FloatArray] | None = None
    hidden: "Signal | None" = None
    base: "Signal | None" = None
    signs: bool = False
    steps: tuple[str, ...] = ()
    tail: str = ""
    names: tuple[str, ...] = ()
    products: int = 0

    @classmethod
    def of_features(
        cls, shape: Shape, hidden: "Signal | None" = None, signs: bool = False, steps: tuple[str, ...] = ()
    ) -> "Signal":
        """The features themselves, in this shape."""
        features = prod(shape)
        if features > MOST_FEATURES:
            raise InputError(f"has a layer {features} wide, inputs included; lpnet reads up to {MOST_FEATURES}")
        return cls(features, np.arange(features).reshape(shape), None, hidden, None, signs, steps)

    def as_features(self) -> "Signal":
        """The same with its entries for features."""
        made = Signal.of_features(self.shape, self.hidden, self.signs, self.steps)
        return replace(made, base=self, names=self.names, products=self.products)

    @property
    def plain(self) -> bool:
        """Whether the entries are the features themselves, only rearranged."""
        return self.order is not None

    @property
    def shape(self) -> Shape:
        """The shape of the value for one point."""
        return self.order.shape if self.order is not None else self.coefficients.shape[1:]

    @property
    def coefficients(self) -> Numbers:
        """The coefficients; of plain features zeros and ones."""
        return self._sums()[0]

    @property
    def magnitude(self) -> FloatArray:
        """The magnitude of the coefficients."""
        return self._sums()[1]

    def _sums(self) -> tuple[Numbers, FloatArray]:
        if self.sums is not None:
            return self.sums
        if self.features > MOST_SQUARED:
            raise InputError(
                f"has a layer {self.features} wide, inputs included, with more behind it than the product with a matrix; "
                f"lpnet reads such layers up to {MOST_SQUARED}"
            )
        assert self.order is not None
        made = np.zeros((self.features + 1, *self.shape))
        made[self.order, *np.indices(self.shape)] = 1
        return made, made

    def affine(self) -> tuple[Numbers, Numbers]:
        """Weights (entries, features) and constants (entries,)."""
        return _flat(self.coefficients)

    def magnitudes(self) -> tuple[FloatArray, FloatArray]:
        """The magnitudes of `affine`."""
        return _flat(self.magnitude)


def _flat(coefficients: Numbers) -> tuple[Numbers, Numbers]:
    flat = coefficients.reshape(len(coefficients), -1)
    return flat[:-1].T, flat[-1]


def exact(numbers: Any) -> Numbers:
    """Floats as rationals; zeros as the whole number 0."""
    numbers = np.asarray(numbers)
    return numbers if numbers.dtype == object else np.asarray(_rational(numbers.astype(np.float64)), dtype=object)


_rational = np.frompyfunc(lambda number: fmpq(*float(number).as_integer_ratio()) if number else 0, 1, 1)


def checked(where: str, numbers: Any) -> FloatArray:
    """Weights or biases as float64, which holds them exactly, or InputError."""
    numbers = np.asarray(numbers)
    if numbers.dtype not in (np.float32, np.float64):
        raise InputError(f"{where}: wanted float32 or float64 weights, got {numbers.dtype}")
    if not np.isfinite(numbers).all():
        raise InputError(f"{where}: wanted finite weights, got {numbers[~np.isfinite(numbers)].flat[0]}")
    return numbers.astype(np.float64)


def chosen(signal: Signal, numbers: Any, axis: int) -> Signal:
    """Some of the entries along an axis, by their numbers."""
    along = axis % len(signal.shape) + 1
    made = each(signal, lambda entries: np.take(entries, numbers.ravel(), axis=along))
    once = np.unique(np.asarray(numbers) % signal.shape[axis]).size == np.size(numbers)
    return made if once else replace(made, order=None, sums=(made.coefficients, made.magnitude))  # the same will be added


def same_features(left: Signal, right: Signal) -> bool:
    """Whether two signals are of the same features."""
    return left.hidden is right.hidden and left.base is right.base


def joined(signals: Sequence[Signal], axis: int) -> Signal:
    """Signals of the same features and one kind of end, side by side along an axis."""
    first = signals[0]
    if any(not same_features(s, first) or s.tail != first.tail for s in signals):
        raise ValueError("of different kinds")
    if axis < -len(first.shape) or axis >= len(first.shape):
        raise ValueError("no such axis")
    along = axis if axis < 0 else axis + 1
    numbers = [s.coefficients for s in signals]
    if any(part.dtype == object for part in numbers):
        numbers = [exact(part) for part in numbers]
    parts = numbers, [s.magnitude for s in signals]
    coefficients, magnitude = (np.concatenate(part, axis=along) for part in parts)
    return replace(first, order=None, sums=(coefficients, magnitude))


def reshaped(signal: Signal, shape: Shape) -> Signal:
    """The same entries in another shape."""
    return each(signal, lambda entries: entries.reshape(len(entries), *shape))


def transposed(signal: Signal, order: Any) -> Signal:
    """The entries with their axes in another order."""
    return each(signal, lambda entries: np.transpose(entries, (0, *(axis + 1 for axis in order))))


def turned(signal: Signal) -> Signal:
    """The entries with the last two axes exchanged."""
    return each(signal, lambda entries: np.swapaxes(entries, -1, -2))


def each(signal: Signal, change: Callable[[NDArray[Any]], NDArray[Any]]) -> Signal:
    """The entries rearranged, in an array with one more axis in front."""
    if signal.order is not None:
        return replace(signal, order=change(signal.order[None])[0])
    return replace(signal, sums=(change(signal.coefficients), change(signal.magnitude)))


def check_vector(where: str, shape: Shape) -> None:
    """InputError where one point gives a table and no vector."""
    if sum(size > 1 for size in shape) > 1:
        raise InputError(f"{where} gets an array of shape {shape} for a single point; wanted a vector")


def check_before_tail(signal: Signal, where: str) -> None:
    """InputError for what comes behind a Sigmoid or the like."""
    if signal.tail:
        raise InputError(f"{where} comes behind {signal.tail}; wanted nothing but reshaping there")


def check_entries(where: str, entries: int) -> None:
    """InputError for too large a table."""
    if entries > MOST_ENTRIES:
        raise InputError(f"{where} makes a table of {entries} numbers; wanted a vector for each point")


def stepped(signal: Signal, where: str) -> Signal:
    """The same with one more step, once."""
    short = step_name(where)
    return signal if signal.steps[-1:] == (short,) else replace(signal, steps=(*signal.steps, short))


def step_name(where: str) -> str:
    """A step without "the node" or the like in front."""
    first, _, rest = where.removeprefix("the ").partition(" ")
    return rest if first in ("node", "layer", "step", "activation") else where
