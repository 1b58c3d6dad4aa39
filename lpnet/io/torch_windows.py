"""PyTorch's convolutions and pooling, of signals of shape (1, channels, *sizes)."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from lpnet.errors import InputError
from lpnet.io import windows
from lpnet.io.arithmetic import plus, product
from lpnet.io.rearranging import transposed
from lpnet.io.signal import Shape, Signal
from lpnet.io.torch_numbers import numbers, of_channels
from lpnet.io.torch_shapes import Operator


def _convolution(
    where: str, input: Signal, weight: Any, bias: Any = None,
    stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1,
) -> Signal:  # fmt: skip
    kernel = numbers(where, weight)
    count = kernel.ndim - 2
    strides, dilations = _each(stride, count), _each(dilation, count)
    spans = [d * (k - 1) for d, k in zip(dilations, kernel.shape[2:], strict=True)]
    named = {"valid": [(0, 0)] * count, "same": [(span // 2, span - span // 2) for span in spans]}
    pads = named[padding] if isinstance(padding, str) else _pads(padding, count)
    return _biased(windows.convolved(input, where, kernel, strides, pads, dilations, groups), where, bias)


def _transposed_convolution(
    where: str, input: Signal, weight: Any, bias: Any = None,
    stride: Any = 1, padding: Any = 0, output_padding: Any = 0, groups: int = 1, dilation: Any = 1,
) -> Signal:  # fmt: skip
    kernel = numbers(where, weight)
    count = kernel.ndim - 2
    strides, dilations, extra = (_each(given, count) for given in (stride, dilation, output_padding))
    made = windows.transposed_convolution(input, where, kernel, strides, _pads(padding, count), dilations, groups, extra)
    return _biased(made, where, bias)


def _biased(signal: Signal, where: str, bias: Any) -> Signal:
    return signal if bias is None else plus(signal, where, of_channels(numbers(where, bias), signal))


def _each(given: Any, count: int) -> Shape:
    """One number for each axis, from one for all or as many."""
    found = tuple(given) if isinstance(given, tuple | list) else (given,)
    return found * count if len(found) == 1 else found


def _pads(given: Any, count: int) -> windows.Pads:
    return [(pad, pad) for pad in _each(given, count)]


def _average_pool(count: int) -> Operator:
    def pool(
        where: str, input: Signal, kernel_size: Any, stride: Any = None, padding: Any = 0,
        ceil_mode: bool = False, count_include_pad: bool = True, divisor_override: Any = None,
    ) -> Signal:  # fmt: skip
        if ceil_mode or divisor_override is not None:
            raise InputError(f"{where} has ceil_mode or a divisor of its own; wanted whole windows and their means")
        kernel = _each(kernel_size, count)
        return windows.averaged(input, where, kernel, _each(stride or kernel, count), _pads(padding, count), count_include_pad)

    return pool


def _max_pool(count: int) -> Operator:
    def pool(
        where: str, input: Signal, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1,
        ceil_mode: bool = False, return_indices: bool = False,
    ) -> Signal:  # fmt: skip
        if ceil_mode or return_indices:
            raise InputError(f"{where} has ceil_mode or return_indices; wanted whole windows and their largest entries")
        kernel, dilations = _each(kernel_size, count), _each(dilation, count)
        return windows.largest(input, where, kernel, _each(stride or kernel, count), _pads(padding, count), dilations)

    return pool


def _adaptive_pool(count: int) -> Operator:
    def pool(where: str, input: Signal, output_size: Any) -> Signal:
        sizes = input.shape[-count:]
        pairs = [(size, wanted or size) for size, wanted in zip(sizes, _each(output_size, count), strict=True)]
        if any(size % wanted for size, wanted in pairs):
            raise InputError(f"{where} makes windows of several sizes, {output_size} of {sizes}; wanted them all alike")
        kernel = tuple(size // wanted for size, wanted in pairs)
        return windows.averaged(input, where, kernel, kernel, _pads(0, count), True)

    return pool


def _pad(where: str, input: Signal, pad: Sequence[int], mode: str = "constant", value: Any = None) -> Signal:
    """Zeros around the last axes, those of the very last one first; of less than none, entries are cut off."""
    if mode != "constant" or value:
        raise InputError(f"{where} pads with {value or mode}; wanted zeros")
    axes = np.arange(len(input.shape))
    for axis, before, behind in zip(axes[::-1], pad[::2], pad[1::2], strict=False):
        order, size = np.roll(axes, -1 - axis), input.shape[axis]
        places = np.eye(size, size + before + behind, before)
        input = transposed(product(transposed(input, order), where, places), np.argsort(order))
    return input


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
