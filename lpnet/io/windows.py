"""Convolutions and pooling of signals of shape (…, channels, *sizes), for one point: each output reads one window."""

from collections.abc import Sequence
from math import prod

import numpy as np
from numpy.typing import NDArray

from lpnet.exact import FloatArray
from lpnet.io.activations import maximum
from lpnet.io.arithmetic import product, scaled
from lpnet.io.rearranging import picked, reshaped
from lpnet.io.signal import Shape, Signal, check_entries

Pads = Sequence[tuple[int, int]]


def convolved(
    signal: Signal, where: str, weight: FloatArray, strides: Shape, pads: Pads, dilations: Shape, groups: int = 1
) -> Signal:
    """The convolution with weight (outputs, channels / groups, *kernel), zeros around the input: pads before and behind it."""
    lead, channels, sizes = _split(signal, weight.ndim - 2)
    if channels != weight.shape[1] * groups or len(weight) % groups:
        raise ValueError(f"weights of shape {weight.shape} in {groups} groups do not fit {channels} channels")
    taps = windows(sizes, weight.shape[2:], strides, pads, dilations)
    return _sent(signal, where, _matrix(where, taps, prod(sizes), weight, groups), (*lead, len(weight), *taps.shape[:-1]))


def transposed_convolution(
    signal: Signal, where: str, weight: FloatArray, strides: Shape, pads: Pads, dilations: Shape, groups: int, extra: Shape
) -> Signal:
    """The transpose of a convolution, weight (channels, outputs / groups, *kernel); extra: how much larger it is behind."""
    lead, channels, sizes = _split(signal, weight.ndim - 2)
    if channels != len(weight):
        raise ValueError(f"weights of shape {weight.shape} do not fit {channels} channels")
    spans = zip(sizes, strides, pads, dilations, weight.shape[2:], extra, strict=True)
    made = tuple((size - 1) * stride - sum(pad) + (k - 1) * d + 1 + more for size, stride, pad, d, k, more in spans)
    taps = windows(made, weight.shape[2:], strides, pads, dilations)
    matrix = _matrix(where, taps, prod(made), weight, groups).T
    return _sent(signal, where, matrix, (*lead, weight.shape[1] * groups, *made))


def averaged(signal: Signal, where: str, kernel: Shape, strides: Shape, pads: Pads, padding_counts: bool) -> Signal:
    """The mean of each window; padding_counts: what is around the input counts as zeros, else not at all."""
    _, channels, sizes = _split(signal, len(kernel))
    ones, once = np.ones((channels, 1, *kernel)), (1,) * len(kernel)
    count = np.array(float(prod(kernel)))
    if not padding_counts:
        count = (windows(sizes, kernel, strides, pads, once) >= 0).sum(axis=-1).astype(np.float64)
    return scaled(convolved(signal, where, ones, strides, pads, once, channels), where, count, divide=True)


def largest(signal: Signal, where: str, kernel: Shape, strides: Shape, pads: Pads, dilations: Shape) -> Signal:
    """The largest entry of each window."""
    lead, channels, sizes = _split(signal, len(kernel))
    taps = windows(sizes, kernel, strides, pads, dilations)
    taps = np.where(taps < 0, taps.max(axis=-1, keepdims=True), taps)  # outside, an entry that is in the window anyway
    flat = reshaped(signal, (*lead, channels, prod(sizes)))
    parts = [picked(flat, lambda entries, at=tap: entries[..., at]) for tap in np.moveaxis(taps, -1, 0)]  # type: ignore[misc]
    return maximum(parts, where)


def windows(sizes: Shape, kernel: Shape, strides: Shape, pads: Pads, dilations: Shape) -> NDArray[np.intp]:
    """The numbers of the entries in each window, (*outputs, entries), −1 for those outside."""
    grid = np.pad(np.arange(prod(sizes)).reshape(sizes), pads, constant_values=-1)
    spans = [(k - 1) * d + 1 for k, d in zip(kernel, dilations, strict=True)]
    found = np.lib.stride_tricks.sliding_window_view(grid, spans)
    found = found[tuple(slice(None, None, step) for step in (*strides, *dilations))]
    return found.reshape(*found.shape[: len(sizes)], -1)


def _matrix(where: str, taps: NDArray[np.intp], size: int, weight: FloatArray, groups: int) -> FloatArray:
    """The convolution as a matrix (channels · size, outputs · windows): no entry is more than one weight."""
    outputs, inner = weight.shape[:2]
    flat = taps.reshape(-1, taps.shape[-1])
    check_entries(where, inner * groups * (size + 1) * outputs * len(flat))
    made = np.zeros((inner * groups, size + 1, outputs, len(flat)))
    numbers = np.arange(outputs)
    channels = (numbers // (outputs // groups) * inner)[:, None] + np.arange(inner)
    places = channels[..., None, None], flat, numbers[:, None, None, None], np.arange(len(flat))[:, None]
    made[places] = weight.reshape(outputs, inner, 1, -1)
    return made[:, :-1].reshape(inner * groups * size, -1)


def _split(signal: Signal, dimensions: int) -> tuple[Shape, int, Shape]:
    """The shape in front of the channels, all 1; the number of channels; the sizes."""
    shape = signal.shape
    if len(shape) <= dimensions or any(size != 1 for size in shape[: -dimensions - 1]):
        raise ValueError(f"an array of shape {shape} has no channels and {dimensions} sizes")
    return shape[: -dimensions - 1], shape[-dimensions - 1], shape[-dimensions:]


def _sent(signal: Signal, where: str, matrix: FloatArray, shape: Shape) -> Signal:
    return reshaped(product(reshaped(signal, (prod(signal.shape),)), where, matrix), shape)
