"""Affine layers on signals (`lpnet.io.signal`): in floats while one number is kept for each weight, else in rationals."""

from dataclasses import replace
from fractions import Fraction
from math import isqrt, prod

import numpy as np
from numpy.typing import NDArray

from lpnet.errors import InputError
from lpnet.exact import FloatArray, nearest, to_float
from lpnet.io.signal import Numbers, Signal, all_steps, check_before_tail, check_entries, exact, in_common, selection, stepped

MOST_ENTRY_PRODUCTS = 10**7  # of rationals; some seconds
ROOT_BITS = 200  # far more than a float has, so that a root is rounded once


def product(signal: Signal, where: str, weight: FloatArray, from_left: bool = False) -> Signal:
    """signal @ weight, or weight @ signal, as numpy.matmul has it."""
    left: Numbers
    right: Numbers
    left, right = (weight, signal.entries) if from_left else (signal.entries, weight)
    if left.shape[-1] != right.shape[-2:][0]:
        raise ValueError("shapes do not fit")
    if right.ndim > 1:
        right = np.swapaxes(right, -1, -2)
    if left.ndim > 1 < right.ndim:
        left, right = left[..., :, None, :], right[..., None, :, :]
    return combined(signal, where, *((right, left) if from_left else (left, right)))


def combined(signal: Signal, where: str, numbers: NDArray[np.intp], weights: Numbers) -> Signal:
    """Σ_k weights[…, k] · (the entry with number numbers[…, k], from 1 on, or 0 for number 0), with broadcasting.

    No number but 0 is twice in a sum: products with matrices, convolutions, averages.
    """
    check_before_tail(signal, where)
    operand = signal if signal.plain else signal.as_features()
    made = selection(operand, where, numbers, weights)
    return stepped(replace(operand, order=None, sums=(made, np.abs(nearest(made)))), where)


def averaged(signal: Signal, where: str, numbers: NDArray[np.intp], counts: NDArray[np.intp]) -> Signal:
    """The sums of the entries with these numbers, as `combined`, over the whole numbers counts (…, 1)."""
    if (counts & (counts - 1)).any():
        return combined(signal, where, numbers, 1 / exact(counts))
    return combined(signal, where, numbers, 1 / counts)


def plus(signal: Signal, where: str, bias: Numbers) -> Signal:
    """signal + bias with broadcasting."""
    check_before_tail(signal, where)
    if scales_inputs(signal) and (signal.coefficients.dtype == object or signal.coefficients[-1].any()):
        signal = signal.as_features()  # so that floats keep being floats
    total, magnitude = (numbers.copy() for numbers in _broadcast(signal, where, bias))
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
        values, by = exact(total[used]), np.broadcast_to(exact(factor), total.shape)[used]
        total = np.zeros(total.shape, dtype=object)
        total[used] = values / by if divide else values * by
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
    """The coefficients and magnitudes in the shape that the value has with another one, to be read alone."""
    shape = np.broadcast_shapes(signal.shape, other.shape)
    rows = signal.features + 1
    check_entries(where, rows, prod(shape))
    inner = (1,) * (len(shape) - len(signal.shape)) + signal.shape
    total, magnitude = (
        np.broadcast_to(numbers.reshape(rows, *inner), (rows, *shape)) for numbers in (signal.coefficients, signal.magnitude)
    )
    return total, magnitude


def _check_products(where: str, products: int) -> None:
    if products > MOST_ENTRY_PRODUCTS:
        raise InputError(f"{where} follows another affine layer; fold such wide layers into one before lpnet reads them")
