"""What a network computes, followed layer by layer in symbols: affine in the input x, then in h = R(U x + b) or sgn(U x + b).

Nothing is executed. Every number stays exact: weights are floats until two affine maps meet, and rationals from then on.
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
MOST_PRODUCTS = 10**7  # of rationals; some seconds
BOOLEAN = "a comparison"  # the tail of features ±1 that stand for a Boolean
TAILS = ("Sigmoid", "Softmax", "LogSoftmax", "Tanh")


@dataclass(frozen=True)
class Signal:
    """What a value is for one point: each entry is Σ_k c_k h_k + c_0, with h = x, h = R(U x + b) or h = sgn(U x + b).

    features: how many h_k there are;
    order: where the entries are the features themselves, only rearranged: their numbers k, in the value's shape; else None;
    sums: else the coefficients (1 + features, *shape), the constants c_0 last, and their magnitude: the same sums with the
    absolute value of every number that went into them, rounded: what bounds an evaluation's errors;
    hidden: U x + b, behind a hidden layer, else None (x itself may be sgn(…) of another one);
    signs: whether that is a layer of threshold units, not of ReLUs; steps: the layers that made it since then;
    tail: the Sigmoid or the like that was put on it, or ""; names: of the entries, where they have some;
    products: how many products of rationals it took.
    """

    features: int
    order: NDArray[np.intp] | None
    sums: tuple[Numbers, FloatArray] | None = None
    hidden: "Signal | None" = None
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
        return cls(features, np.arange(features).reshape(shape), None, hidden, signs, steps)

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


HALF = np.array(fmpq(1, 2))
_rational = np.frompyfunc(lambda number: fmpq(*float(number).as_integer_ratio()) if number else 0, 1, 1)


def checked(where: str, numbers: Any) -> FloatArray:
    """Weights or biases as float64, which holds them exactly, or InputError."""
    numbers = np.asarray(numbers)
    if numbers.dtype not in (np.float32, np.float64):
        raise InputError(f"{where}: wanted float32 or float64 weights, got {numbers.dtype}")
    if not np.isfinite(numbers).all():
        raise InputError(f"{where}: wanted finite weights, got {numbers[~np.isfinite(numbers)].flat[0]}")
    return numbers.astype(np.float64)


def product(signal: Signal, where: str, weight: FloatArray, from_left: bool = False) -> Signal:
    """signal @ weight, or weight @ signal."""
    _check_before_tail(signal, where)
    if weight.ndim not in (1, 2):
        raise InputError(f"{where}: wanted a matrix of weights, got shape {weight.shape}")
    swapped = from_left and len(signal.shape) > 1
    turned, factor = (_swapped(signal) if swapped else signal), (weight.T if from_left else weight)
    if not turned.shape or turned.shape[-1] != len(factor):
        raise ValueError("shapes do not fit")
    _check_entries(where, (turned.features + 1) * prod(turned.shape[:-1]) * prod(factor.shape[1:]))
    if turned.order is not None:
        made, magnitude, products = _selected(turned, factor), _selected(turned, np.abs(factor)), signal.products
    else:
        made, products = _exact_product(where, turned, factor)
        with np.errstate(all="ignore"):
            magnitude = turned.magnitude @ np.abs(factor)
    made_signal = replace(turned, order=None, sums=(made, magnitude), products=products)
    return _stepped(_swapped(made_signal) if swapped and weight.ndim == 2 else made_signal, where)


def _selected(signal: Signal, weight: FloatArray) -> FloatArray:
    """The coefficients of signal @ weight for plain features: the weights, copied, so that −0.0 stays what it is."""
    assert signal.order is not None
    *lead, last = np.indices(signal.shape)
    made = np.zeros((signal.features + 1, *signal.shape[:-1], *weight.shape[1:]))
    made[signal.order, *lead] = weight[last]
    return made


def _exact_product(where: str, signal: Signal, weight: FloatArray) -> tuple[Numbers, int]:
    """The product in rationals, zeros left out, and how many it took in all."""
    before = signal.coefficients.shape[:-1]
    rows, columns = signal.coefficients.reshape(prod(before), len(weight)), weight.reshape(len(weight), prod(weight.shape[1:]))
    products = signal.products + int(np.count_nonzero(rows)) * columns.shape[1]
    _check_products(where, products)
    rows, columns = exact(rows), exact(columns)
    made = np.zeros((len(rows), columns.shape[1]), dtype=object)
    for made_row, row in zip(made, rows, strict=True):
        used = np.flatnonzero(row)
        if used.size:
            made_row[:] = row[used] @ columns[used]
    return made.reshape(*before, *weight.shape[1:]), products


def plus(signal: Signal, where: str, bias: Numbers) -> Signal:
    """signal + bias with broadcasting."""
    _check_before_tail(signal, where)
    total, magnitude = _broadcast(signal, where, bias)
    products = signal.products
    if total.dtype == object or bias.dtype == object or total[-1].any():
        products += int(np.count_nonzero(total))
        _check_products(where, products)
        total, bias = exact(total), exact(bias)
        total[-1] = total[-1] + bias
    else:
        total[-1] = bias
    with np.errstate(all="ignore"):
        magnitude[-1] += np.abs(bias.astype(np.float64))
    return _stepped(replace(signal, order=None, sums=(total, magnitude), products=products), where)


def scaled(signal: Signal, where: str, factor: Numbers, divide: bool = False) -> Signal:
    """signal · factor, or signal / factor, entry by entry with broadcasting."""
    _check_before_tail(signal, where)
    if divide and not factor.all():
        raise InputError(f"{where} divides by zero")
    total, magnitude = _broadcast(signal, where, factor)
    spread = np.broadcast_to(factor, total.shape[1:])
    size = np.abs(spread.astype(np.float64))
    with np.errstate(all="ignore"):
        magnitude = magnitude / size if divide else magnitude * size
    products = signal.products
    if factor.dtype != object and ((signal.plain and not divide) or (total.dtype != object and (size == 1).all())):
        total = total * spread
    else:
        used = np.nonzero(total)
        products += len(used[0])
        _check_products(where, products)
        total, by = exact(total), np.broadcast_to(exact(factor), total.shape)[used]
        total[used] = total[used] / by if divide else total[used] * by
    return _stepped(replace(signal, order=None, sums=(total, magnitude), products=products), where)


def normalised(
    signal: Signal, where: str, mean: FloatArray, variance: FloatArray, epsilon: float, weight: FloatArray, bias: FloatArray
) -> Signal:
    """(signal − mean) · weight / √(variance + ε) + bias: batch normalisation with stored statistics, the root in float64."""
    if (variance + epsilon <= 0).any():
        raise InputError(f"{where}: wanted variances > 0, got {variance.min()}")
    where = f"{where} (its √(variance + ε) rounded to float64)"
    made = scaled(scaled(plus(signal, where, -mean), where, weight), where, np.sqrt(variance + epsilon), divide=True)
    return plus(made, where, bias)


def chosen(signal: Signal, numbers: Any, axis: int) -> Signal:
    """Some of the entries along an axis, by their numbers."""
    along = axis % len(signal.shape) + 1
    made = each(signal, lambda entries: np.take(entries, numbers.ravel(), axis=along))
    once = np.unique(np.asarray(numbers) % signal.shape[axis]).size == np.size(numbers)
    return made if once else replace(made, order=None, sums=(made.coefficients, made.magnitude))  # the same will be added


def joined(signals: Sequence[Signal], axis: int) -> Signal:
    """Signals behind one hidden layer and one kind of end, side by side along an axis."""
    first = signals[0]
    if any(s.hidden is not first.hidden or s.tail != first.tail for s in signals):
        raise ValueError("of different kinds")
    if axis < -len(first.shape) or axis >= len(first.shape):
        raise ValueError("no such axis")
    along = axis if axis < 0 else axis + 1
    parts = [s.coefficients for s in signals], [s.magnitude for s in signals]
    coefficients, magnitude = (np.concatenate(part, axis=along) for part in parts)
    return replace(first, order=None, sums=(coefficients, magnitude))


def _broadcast(signal: Signal, where: str, other: Numbers) -> tuple[Numbers, FloatArray]:
    """Copies of the coefficients and magnitudes in the shape that the value has with another one."""
    shape = np.broadcast_shapes(signal.shape, other.shape)
    rows = signal.features + 1
    _check_entries(where, rows * prod(shape))
    inner = (1,) * (len(shape) - len(signal.shape)) + signal.shape
    total, magnitude = (
        np.broadcast_to(numbers.reshape(rows, *inner), (rows, *shape)).copy()
        for numbers in (signal.coefficients, signal.magnitude)
    )
    return total, magnitude


def relu(signal: Signal, where: str) -> Signal:
    """R(signal): the features of the output layer."""
    _check_before_tail(signal, where)
    if signal.hidden and signal.plain:
        before = "threshold units" if signal.signs else "another ReLU"
        raise InputError(f"{where} follows {before} with nothing between them; leave it out")
    if signal.hidden:
        second = "comes behind threshold units" if signal.signs else "is a second ReLU"
        raise InputError(f"{where} {second}; wanted one hidden layer, and its scores as the outputs")
    check_vector(where, signal.shape)
    return Signal.of_features(signal.shape, signal, steps=(_short(where),))


def threshold(signal: Signal, where: str) -> Signal:
    """Whether signal ≥ 0: the features sgn(signal), as Booleans."""
    _check_before_tail(signal, where)
    check_vector(where, signal.shape)
    return replace(Signal.of_features(signal.shape, signal, signs=True, steps=(_short(where),)), tail=BOOLEAN)


def opposite(signal: Signal) -> Signal:
    """−signal, whatever is behind it."""
    return replace(signal, order=None, sums=(-1 * signal.coefficients, signal.magnitude))


def negated(boolean: Signal) -> Signal:
    """Not."""
    return opposite(boolean)


def switched(boolean: Signal, where: str, high: FloatArray, low: FloatArray) -> Signal:
    """`high` where the Boolean holds, else `low`, entry by entry with broadcasting: (high + low)/2 + (high − low)/2 · (±1)."""
    signs = _stepped(replace(boolean, tail=""), where)
    if (high == 1).all() and (low == -1).all() and max(high.size, low.size) == 1:
        return signs
    high, low = exact(high) * HALF, exact(low) * HALF
    return plus(scaled(signs, where, np.asarray(high - low)), where, np.asarray(high + low))


def ended(signal: Signal, where: str, tail: str) -> Signal:
    """Sigmoid or the like at the end."""
    _check_before_tail(signal, where)
    if signal.hidden is None:
        raise InputError(f"{where} comes before any ReLU; wanted one hidden layer of ReLUs")
    outputs = int(np.prod(signal.shape))
    if tail in ("Softmax", "LogSoftmax") and outputs < 2:
        raise InputError(f"{where} wants two or more outputs, got {outputs}; use Sigmoid for one")
    return replace(_stepped(signal, where), tail=tail)


def reshaped(signal: Signal, shape: Shape) -> Signal:
    """The same entries in another shape."""
    return each(signal, lambda entries: entries.reshape(len(entries), *shape))


def transposed(signal: Signal, order: Any) -> Signal:
    """The entries with their axes in another order."""
    return each(signal, lambda entries: np.transpose(entries, (0, *(axis + 1 for axis in order))))


def _swapped(signal: Signal) -> Signal:
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


def _check_before_tail(signal: Signal, where: str) -> None:
    if signal.tail:
        raise InputError(f"{where} comes behind {signal.tail}; wanted nothing but reshaping there")


def _check_products(where: str, products: int) -> None:
    if products > MOST_PRODUCTS:
        raise InputError(f"{where} follows another affine layer; fold such wide layers into one before lpnet reads them")


def _check_entries(where: str, entries: int) -> None:
    if entries > MOST_ENTRIES:
        raise InputError(f"{where} makes a table of {entries} numbers; wanted a vector for each point")


def _stepped(signal: Signal, where: str) -> Signal:
    short = _short(where)
    return signal if signal.steps[-1:] == (short,) else replace(signal, steps=(*signal.steps, short))


def _short(where: str) -> str:
    first, _, rest = where.removeprefix("the ").partition(" ")
    return rest if first in ("node", "layer", "step", "activation") else where
