"""Signals (`lpnet.io.signal`) with their entries rearranged, and side by side."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lpnet.exact import FloatArray
from lpnet.io.signal import Numbers, Shape, Signal, all_steps, check_entries, exact, in_common, selection


def picked(signal: Signal, numbers: NDArray[np.intp]) -> Signal:
    """The entries with these numbers, row by row from 1 on, in their shape, and 0 where the number is 0."""
    if signal.order is not None:
        if numbers.all() and len(np.unique(numbers)) == numbers.size:
            return replace(signal, order=signal.order.ravel()[numbers - 1])
        made = selection(signal, "its rearranging", numbers[..., None], np.ones(1))
        return replace(signal, order=None, sums=(made, made))
    return replace(signal, sums=(_taken(signal.coefficients, numbers), _taken(signal.magnitude, numbers)))


def _taken(table: Numbers, numbers: NDArray[np.intp]) -> Numbers:
    check_entries("its rearranging", len(table), numbers.size)
    made = table.reshape(len(table), -1)[:, numbers - 1] if table.size else np.zeros((len(table), *numbers.shape))
    made[:, numbers == 0] = 0
    return made


def fixed(numbers: FloatArray, signal: Signal) -> Signal:
    """Constants as a signal, of the features of another one."""
    made = np.zeros((signal.features + 1, *numbers.shape))
    made[-1] = numbers
    return replace(signal, order=None, sums=(made, np.abs(made)), steps=(), names=())


def joined(signals: Sequence[Signal], axis: int) -> Signal:
    """Signals of one kind of end, side by side along an axis."""
    signals = in_common(signals)
    first = signals[0]
    if any(signal.tail != first.tail for signal in signals):
        raise ValueError("of different kinds")
    if axis < -len(first.shape) or axis >= len(first.shape):
        raise ValueError("no such axis")
    made = replace(first, steps=all_steps(signals), products=max(signal.products for signal in signals), names=())
    orders = [signal.order for signal in signals if signal.order is not None]
    if len(orders) == len(signals):
        order = np.concatenate(orders, axis=axis)
        if len(np.unique(order)) == order.size:
            return replace(made, order=order)
    along = axis if axis < 0 else axis + 1
    numbers = [signal.coefficients for signal in signals]
    if any(part.dtype == object for part in numbers):
        numbers = [exact(part) for part in numbers]
    parts = numbers, [signal.magnitude for signal in signals]
    coefficients, magnitude = (np.concatenate(part, axis=along) for part in parts)
    return replace(made, order=None, sums=(coefficients, magnitude))


def reshaped(signal: Signal, shape: Shape) -> Signal:
    """The same entries in another shape."""
    return each(signal, lambda entries: entries.reshape(len(entries), *shape))


def transposed(signal: Signal, order: Any) -> Signal:
    """The entries with their axes in another order."""
    return each(signal, lambda entries: np.transpose(entries, (0, *(axis + 1 for axis in order))))


def each(signal: Signal, change: Callable[[NDArray[Any]], NDArray[Any]]) -> Signal:
    """The entries rearranged, in an array with one more axis in front."""
    if signal.order is not None:
        return replace(signal, order=change(signal.order[None])[0])
    return replace(signal, sums=(change(signal.coefficients), change(signal.magnitude)))
