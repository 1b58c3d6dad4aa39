"""Keras's convolutions and pooling, of signals of shape (*places, channels)."""

from collections.abc import Callable
from typing import Any

import numpy as np

from lpnet.errors import InputError
from lpnet.io.keras_gates import Operator, activated
from lpnet.io.rearranging import reshaped, transposed
from lpnet.io.signal import Signal, checked
from lpnet.io.windowed import convolved, mean, pool, reduced


def _with_channels_first(signal: Signal, config: Any, change: Callable[[Signal], Signal]) -> Signal:
    """What a change of (1, channels, *places) makes of a signal with its channels where the configuration says."""
    axes, last = list(range(len(signal.shape))), config.get("data_format") != "channels_first"
    first = transposed(signal, [*axes[-1:], *axes[:-1]]) if last else signal
    made = change(reshaped(first, (1, *first.shape)))
    made = reshaped(made, made.shape[1:])
    return transposed(made, [*axes[1:], 0]) if last else made


def _attributes(where: str, config: Any, kernel: Any) -> dict[str, Any]:
    """What `lpnet.io.windows` wants to know; what is around the input counts for nothing."""
    pads = {"valid": None, "same": b"SAME_UPPER"}
    if (padding := config.get("padding", "valid")) not in pads:
        raise InputError(f"{where} pads by {padding!r}; wanted 'valid' or 'same'")
    strides, dilations = config.get("strides") or kernel, config.get("dilation_rate")
    found = {"kernel_shape": kernel, "strides": strides, "dilations": dilations, "auto_pad": pads[padding]}
    return {**found, "group": config.get("groups", 1)}


def _convolution(signal: Signal, where: str, config: Any, arrays: list[Any]) -> Signal:
    """The kernel is (*places, channels / groups, outputs)."""
    weight = np.moveaxis(checked(where, arrays[0]), (-1, -2), (0, 1))
    bias = checked(where, arrays[1]) if arrays[1:] else None
    attributes = _attributes(where, config, weight.shape[2:])
    made = _with_channels_first(signal, config, lambda given: convolved(given, where, attributes, weight, bias))
    return activated(made, where, config, config.get("activation", "linear"))


def _pool(largest: bool) -> Operator:
    def layer(signal: Signal, where: str, config: Any, arrays: list[Any]) -> Signal:
        attributes = _attributes(where, config, config["pool_size"])
        return _with_channels_first(signal, config, lambda given: pool(given, where, attributes, largest))

    return layer


def _global_average(signal: Signal, where: str, config: Any, arrays: list[Any]) -> Signal:
    places = range(1, len(signal.shape)) if config.get("data_format") == "channels_first" else range(len(signal.shape) - 1)
    return reduced(signal, where, places, bool(config.get("keepdims")), mean)


LAYERS: dict[str, Operator] = {
    "Conv1D": _convolution,
    "Conv2D": _convolution,
    "AveragePooling1D": _pool(False),
    "AveragePooling2D": _pool(False),
    "MaxPooling1D": _pool(True),
    "MaxPooling2D": _pool(True),
    "GlobalAveragePooling1D": _global_average,
    "GlobalAveragePooling2D": _global_average,
}
