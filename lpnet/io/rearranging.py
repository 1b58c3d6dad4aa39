"""Signals (`lpnet.io.signal`) with their entries rearranged, and side by side."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lpnet.io.signal import Shape, Signal, all_steps, exact, in_common


def chosen(signal: Signal, numbers: Any, axis: int) -> Signal:
    """Some of the entries along an axis, by their numbers."""
    along = axis % len(signal.shape) + 1
    return picked(signal, lambda entries: np.take(entries, numbers.ravel(), axis=along))


def picked(signal: Signal, change: Callable[[NDArray[Any]], NDArray[Any]]) -> Signal:
    """As `each`, where entries may come more than once."""
    made = each(signal, change)
    once = made.order is None or len(np.unique(made.order)) == made.order.size
    return made if once else replace(made, order=None, sums=(made.coefficients, made.magnitude))  # the same will be added


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


def turned(signal: Signal) -> Signal:
    """The entries with the last two axes exchanged."""
    return each(signal, lambda entries: np.swapaxes(entries, -1, -2))


def each(signal: Signal, change: Callable[[NDArray[Any]], NDArray[Any]]) -> Signal:
    """The entries rearranged, in an array with one more axis in front."""
    if signal.order is not None:
        return replace(signal, order=change(signal.order[None])[0])
    return replace(signal, sums=(change(signal.coefficients), change(signal.magnitude)))
