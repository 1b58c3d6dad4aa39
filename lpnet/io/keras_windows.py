"""Keras's convolutions and pooling, of signals of shape (*sizes, channels)."""

from collections.abc import Callable
from typing import Any

import numpy as np

from lpnet.errors import InputError
from lpnet.io import windows
from lpnet.io.arithmetic import plus, scaled, summed
from lpnet.io.keras_gates import Operator, activated
from lpnet.io.rearranging import transposed
from lpnet.io.signal import Shape, Signal, checked


def _channels_moved(change: Callable[[Signal], Signal], signal: Signal, config: Any) -> Signal:
    """What a change that wants (channels, *sizes) makes of a signal with its channels where the configuration says."""
    if config.get("data_format") == "channels_first":
        return change(signal)
    axes = list(range(len(signal.shape)))
    return transposed(change(transposed(signal, [*axes[-1:], *axes[:-1]])), [*axes[1:], 0])


def _pads(config: Any, where: str, sizes: Shape, kernel: Shape, strides: Shape, dilations: Shape) -> windows.Pads:
    """Nothing around the input, or so much that every stride has its window, where it is odd more behind."""
    if config.get("padding", "valid") == "valid":
        return [(0, 0)] * len(sizes)
    if config["padding"] != "same":
        raise InputError(f"{where} pads by {config['padding']!r}; wanted 'valid' or 'same'")
    spans = zip(sizes, kernel, strides, dilations, strict=True)
    totals = [max(0, (-(-size // stride) - 1) * stride + (k - 1) * d + 1 - size) for size, k, stride, d in spans]
    return [(total // 2, total - total // 2) for total in totals]


def _convolution(signal: Signal, where: str, config: Any, arrays: list[Any]) -> Signal:
    """The kernel is (*sizes, channels / groups, outputs)."""
    weight = np.moveaxis(checked(where, arrays[0]), (-1, -2), (0, 1))
    kernel, strides, dilations = weight.shape[2:], tuple(config["strides"]), tuple(config.get("dilation_rate", (1, 1)))

    def convolved(given: Signal) -> Signal:
        pads = _pads(config, where, given.shape[1:], kernel, strides, dilations)
        made = windows.convolved(given, where, weight, strides, pads, dilations, config.get("groups", 1))
        return plus(made, where, checked(where, arrays[1]).reshape(-1, *(1,) * len(kernel))) if arrays[1:] else made

    return activated(_channels_moved(convolved, signal, config), where, config, config.get("activation", "linear"))


def _pooled(largest: bool) -> Operator:
    def layer(signal: Signal, where: str, config: Any, arrays: list[Any]) -> Signal:
        """What is around the input counts for nothing."""
        kernel, strides = tuple(config["pool_size"]), tuple(config.get("strides") or config["pool_size"])
        once = (1,) * len(kernel)

        def pooled(given: Signal) -> Signal:
            pads = _pads(config, where, given.shape[1:], kernel, strides, once)
            if largest:
                return windows.largest(given, where, kernel, strides, pads, once)
            return windows.averaged(given, where, kernel, strides, pads, False)

        return _channels_moved(pooled, signal, config)

    return layer


def _global_average(signal: Signal, where: str, config: Any, arrays: list[Any]) -> Signal:
    first = config.get("data_format") == "channels_first"
    axes = range(1, len(signal.shape)) if first else range(len(signal.shape) - 1)
    size = np.prod([signal.shape[axis] for axis in axes], dtype=float)
    return scaled(summed(signal, where, axes, bool(config.get("keepdims"))), where, np.array(size), divide=True)


LAYERS: dict[str, Operator] = {
    "Conv1D": _convolution,
    "Conv2D": _convolution,
    "AveragePooling1D": _pooled(False),
    "AveragePooling2D": _pooled(False),
    "MaxPooling1D": _pooled(True),
    "MaxPooling2D": _pooled(True),
    "GlobalAveragePooling1D": _global_average,
    "GlobalAveragePooling2D": _global_average,
}
