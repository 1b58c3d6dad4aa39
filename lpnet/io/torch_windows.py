"""PyTorch's convolutions and pooling, of signals of shape (1, channels, *places), and what is added around their places."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from lpnet.errors import InputError
from lpnet.io.rearranging import picked
from lpnet.io.signal import Signal
from lpnet.io.torch_numbers import numbers
from lpnet.io.torch_shapes import Operator, listed
from lpnet.io.windowed import convolved, pool


def _convolution(
    where: str, input: Signal, weight: Any, bias: Any = None,
    stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1, output_padding: Any = 0, back: bool = False,
) -> Signal:  # fmt: skip
    kernel, offset = numbers(where, weight), None if bias is None else numbers(where, bias)
    count = kernel.ndim - 2
    attributes = {"strides": _each(stride, count), "dilations": _each(dilation, count), "group": groups}
    attributes |= {"output_padding": _each(output_padding, count), "auto_pad": b"SAME_UPPER" if padding == "same" else None}
    attributes |= {} if isinstance(padding, str) else {"pads": _each(padding, count) * 2}
    return convolved(input, where, attributes, kernel, offset, back)


def _transposed_convolution(
    where: str, input: Signal, weight: Any, bias: Any = None,
    stride: Any = 1, padding: Any = 0, output_padding: Any = 0, groups: int = 1, dilation: Any = 1,
) -> Signal:  # fmt: skip
    return _convolution(where, input, weight, bias, stride, padding, dilation, groups, output_padding, back=True)


def _each(given: Any, count: int) -> tuple[int, ...]:
    """One number for each axis, from one for all or as many."""
    return tuple(listed(given)) * (count if len(listed(given)) == 1 else 1)


def _attributes(count: int, kernel: Any, stride: Any, padding: Any, ceil_mode: bool) -> dict[str, Any]:
    """What `lpnet.io.windows` wants to know of a pooling."""
    sizes = {"kernel_shape": _each(kernel, count), "strides": _each(stride or kernel, count)}
    return {**sizes, "pads": _each(padding, count) * 2, "ceil_mode": ceil_mode}


def _average_pool(count: int) -> Operator:
    def average(
        where: str, input: Signal, kernel_size: Any, stride: Any = None, padding: Any = 0,
        ceil_mode: bool = False, count_include_pad: bool = True, divisor_override: Any = None,
    ) -> Signal:  # fmt: skip
        if divisor_override is not None:
            raise InputError(f"{where} has a divisor of its own; wanted means")
        attributes = _attributes(count, kernel_size, stride, padding, ceil_mode)
        return pool(input, where, {**attributes, "count_include_pad": int(count_include_pad)}, largest=False)

    return average


def _max_pool(count: int) -> Operator:
    def largest(
        where: str, input: Signal, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1,
        ceil_mode: bool = False, return_indices: bool = False,
    ) -> Signal:  # fmt: skip
        attributes = _attributes(count, kernel_size, stride, padding, ceil_mode)
        return pool(input, where, {**attributes, "dilations": _each(dilation, count)}, largest=True)

    return largest


def _adaptive_pool(count: int) -> Operator:
    def average(where: str, input: Signal, output_size: Any) -> Signal:
        sizes = input.shape[-count:]
        pairs = [(size, wanted or size) for size, wanted in zip(sizes, _each(output_size, count), strict=True)]
        if any(size % wanted for size, wanted in pairs):
            raise InputError(f"{where} makes windows of several sizes, {output_size} of {sizes}; wanted them all alike")
        kernel = [size // wanted for size, wanted in pairs]
        return pool(input, where, {"kernel_shape": kernel, "strides": kernel}, largest=False)

    return average


def _pad(where: str, input: Signal, pad: Sequence[int], mode: str = "constant", value: Any = None) -> Signal:
    """Zeros around the last axes, those of the very last one first; of less than none, entries are cut off."""
    if mode != "constant" or value:
        raise InputError(f"{where} pads with {value or mode}; wanted zeros")
    around = [(0, 0)] * (len(input.shape) - len(pad) // 2) + list(zip(pad[::2], pad[1::2], strict=True))[::-1]
    padded = np.pad(input.entries, [(max(0, before), max(0, behind)) for before, behind in around])
    return picked(input, padded[tuple(slice(max(0, -before), -max(0, -behind) or None) for before, behind in around)])


FUNCTIONS: dict[str, Operator] = {
    "adaptive_avg_pool1d": _adaptive_pool(1),
    "adaptive_avg_pool2d": _adaptive_pool(2),
    "avg_pool1d": _average_pool(1),
    "avg_pool2d": _average_pool(2),
    "conv1d": _convolution,
    "conv2d": _convolution,
    "conv_transpose1d": _transposed_convolution,
    "conv_transpose2d": _transposed_convolution,
    "max_pool1d": _max_pool(1),
    "max_pool2d": _max_pool(2),
    "pad": _pad,
}
