"""Affine layers on signals (`lpnet.io.signal`): in floats while one number is kept for each weight, else in rationals."""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from math import isqrt, prod

import numpy as np

from lpnet.errors import InputError
from lpnet.exact import FloatArray, to_float
from lpnet.io.rearranging import reshaped, transposed, turned
from lpnet.io.signal import Numbers, Signal, all_steps, check_before_tail, check_entries, exact, in_common, stepped

MOST_ENTRY_PRODUCTS = 10**7  # of rationals; some seconds
ROOT_BITS = 200  # far more than a float has, so that a root is rounded once


def product(signal: Signal, where: str, weight: FloatArray, from_left: bool = False) -> Signal:
    """signal @ weight, or weight @ signal."""
    check_before_tail(signal, where)
    if weight.ndim not in (1, 2):
        raise InputError(f"{where}: wanted a matrix of weights, got shape {weight.shape}")
    swapped = from_left and len(signal.shape) > 1
    operand, factor = (turned(signal) if swapped else signal), (weight.T if from_left else weight)
    if not operand.shape or operand.shape[-1] != len(factor):
        raise ValueError("shapes do not fit")
    check_entries(where, (operand.features + 1) * prod(operand.shape[:-1]) * prod(factor.shape[1:]))
    if operand.order is None:
        operand = operand.as_features()
    made_signal = replace(operand, order=None, sums=(_selected(operand, factor), _selected(operand, np.abs(factor))))
    return stepped(turned(made_signal) if swapped and weight.ndim == 2 else made_signal, where)


def _selected(signal: Signal, weight: FloatArray) -> FloatArray:
    """The coefficients of signal @ weight for plain features: the weights, copied, so that −0.0 stays what it is."""
    assert signal.order is not None
    *lead, last = np.indices(signal.shape)
    made = np.zeros((signal.features + 1, *signal.shape[:-1], *weight.shape[1:]))
    made[signal.order, *lead] = weight[last]
    return made


def plus(signal: Signal, where: str, bias: Numbers) -> Signal:
    """signal + bias with broadcasting."""
    check_before_tail(signal, where)
    if scales_inputs(signal) and (signal.coefficients.dtype == object or signal.coefficients[-1].any()):
        signal = signal.as_features()  # so that floats keep being floats
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
    return stepped(replace(signal, order=None, sums=(total, magnitude), products=products), where)


def scaled(signal: Signal, where: str, factor: Numbers, divide: bool = False) -> Signal:
    """signal · factor, or signal / factor, entry by entry with broadcasting."""
    check_before_tail(signal, where)
    if divide and not factor.all():
        raise InputError(f"{where} divides by zero")
    if scales_inputs(signal) and (signal.coefficients.dtype == object or (signal.coefficients[-1].any() and not divide)):
        signal = signal.as_features()
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
    return stepped(replace(signal, order=None, sums=(total, magnitude), products=products), where)


def added(left: Signal, right: Signal, where: str) -> Signal:
    """left + right, entry by entry with broadcasting, whatever they come from; exact where both have a number."""
    for signal in (left, right):
        check_before_tail(signal, where)
    both = in_common([signal.as_features() if signal.is_kept else signal for signal in (left, right)])
    shape = np.broadcast_shapes(left.shape, right.shape)
    (first, size), (second, size_too) = (_broadcast(signal, where, np.empty(shape)) for signal in both)
    products = max(left.products, right.products)
    meet = np.nonzero((first != 0) & (second != 0))
    if len(meet[0]) or object in (first.dtype, second.dtype):
        products += len(meet[0])
        _check_products(where, products)
        first, second = exact(first), exact(second)
    made = replace(both[0], order=None, sums=(first + second, size + size_too), steps=all_steps(both), products=products)
    return stepped(replace(made, names=()), where)


def subtracted(left: Signal, right: Signal, where: str) -> Signal:
    """left − right, as `added`."""
    check_before_tail(right, where)
    return added(left, opposite(right.as_features() if right.is_kept else right), where)


def summed(signal: Signal, where: str, axes: Sequence[int] | None = None, keep: bool = False) -> Signal:
    """The sums along axes, all if none are given; keep: these stay, of size 1."""
    count = len(signal.shape)
    along = [axis for axis in range(count) if axes is None or axis in {axis % count for axis in axes}]
    rest = [axis for axis in range(count) if axis not in along]
    left = tuple(signal.shape[axis] for axis in rest)
    turned_last = reshaped(transposed(signal, [*rest, *along]), (*left, prod(signal.shape[axis] for axis in along)))
    made = product(turned_last, where, np.ones(turned_last.shape[-1]))
    return reshaped(made, tuple(1 if axis in along else size for axis, size in enumerate(signal.shape))) if keep else made


def scales_inputs(signal: Signal) -> bool:
    """Whether each entry is an input times a number, plus a number, and not the input itself."""
    return signal.level == 0 and signal.order is None and bool((np.count_nonzero(signal.coefficients[:-1], axis=0) <= 1).all())


def opposite(signal: Signal) -> Signal:
    """−signal, whatever is behind it."""
    return replace(signal, order=None, sums=(-1 * signal.coefficients, signal.magnitude))


def normalised(
    signal: Signal, where: str, mean: FloatArray, variance: FloatArray, epsilon: float, weight: FloatArray, bias: FloatArray
) -> Signal:
    """(signal − mean) · g + bias: batch normalisation as stored, g the float64 nearest to weight / √(variance + ε)."""
    if (variance + epsilon <= 0).any():
        raise InputError(f"{where}: wanted variances > 0, got {variance.min()}")
    where = f"{where} (weight / √(variance + ε) as the nearest float64)"
    factor = np.array([over_root(w, Fraction(v) + Fraction(epsilon)) for w, v in zip(weight.flat, variance.flat, strict=True)])
    return plus(scaled(plus(signal, where, -mean), where, factor.reshape(weight.shape)), where, bias)


def over_root(number: float, square: Fraction) -> float:
    """The nearest float64 to number / √square."""
    bits = ROOT_BITS + max(0, square.denominator.bit_length() - square.numerator.bit_length())
    root = Fraction(isqrt((square.numerator << 2 * bits) // square.denominator), 1 << bits)
    return to_float(Fraction(number) / root)


def _broadcast(signal: Signal, where: str, other: Numbers) -> tuple[Numbers, FloatArray]:
    """Copies of the coefficients and magnitudes in the shape that the value has with another one."""
    shape = np.broadcast_shapes(signal.shape, other.shape)
    rows = signal.features + 1
    check_entries(where, rows * prod(shape))
    inner = (1,) * (len(shape) - len(signal.shape)) + signal.shape
    total, magnitude = (
        np.broadcast_to(numbers.reshape(rows, *inner), (rows, *shape)).copy()
        for numbers in (signal.coefficients, signal.magnitude)
    )
    return total, magnitude


def _check_products(where: str, products: int) -> None:
    if products > MOST_ENTRY_PRODUCTS:
        raise InputError(f"{where} follows another affine layer; fold such wide layers into one before lpnet reads them")
