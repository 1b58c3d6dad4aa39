"""ONNX operators on windows and along axes: convolutions, poolings, sums, means and extremes."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lpnet.errors import InputError
from lpnet.io.activations import leaky, pooled
from lpnet.io.arithmetic import averaged, combined, plus
from lpnet.io.onnx_values import Value, numbers_of, say, signal_of
from lpnet.io.rearranging import reshaped
from lpnet.io.signal import Signal
from lpnet.io.windows import convolution, pooling, transposed_convolution


def _conv(node: Any, attributes: dict[str, Any], value: Any, weight: Any, bias: Any = None) -> Signal:
    signal = signal_of(node, value)
    terms = (convolution if node.op_type == "Conv" else transposed_convolution)(
        attributes, signal.shape, numbers_of(node, weight)
    )
    made = reshaped(combined(signal, say(node), terms.numbers, terms.weights), terms.shape)
    return made if bias is None else plus(made, say(node), numbers_of(node, bias).reshape(-1, *[1] * len(terms.shape[2:])))


def _pool(node: Any, attributes: dict[str, Any], value: Any) -> Signal:
    signal = signal_of(node, value)
    groups, counts = pooling(attributes, signal.shape)
    return pooled(signal, say(node), groups) if node.op_type == "MaxPool" else averaged(signal, say(node), groups, counts)


def _reduce(node: Any, attributes: dict[str, Any], value: Any, axes: Any = None) -> Signal:
    """Along axes, or all of them; Global poolings along all but the first two."""
    signal = signal_of(node, value)
    if isinstance(axes, Signal):
        raise InputError(f"{say(node)} has computed axes; wanted constant ones")
    along = attributes.get("axes") if axes is None else axes
    if node.op_type.startswith("Global"):
        along = range(2, len(signal.shape))
    elif along is None or not len(along):
        along = () if attributes.get("noop_with_empty_axes") else range(len(signal.shape))
    chosen = sorted(int(axis) % len(signal.shape) for axis in along)
    last = range(len(signal.shape) - len(chosen), len(signal.shape))
    numbers = np.moveaxis(signal.entries, chosen, list(last))
    groups = numbers.reshape(*numbers.shape[: len(signal.shape) - len(chosen)], -1)
    made = REDUCED[node.op_type](signal, say(node), groups)
    if attributes.get("keepdims", 1):
        return reshaped(made, tuple(1 if axis in chosen else size for axis, size in enumerate(signal.shape)))
    return made


def _mean(signal: Signal, where: str, groups: NDArray[np.intp]) -> Signal:
    return averaged(signal, where, groups, np.array([groups.shape[-1]]))


def _sum(signal: Signal, where: str, groups: NDArray[np.intp]) -> Signal:
    return combined(signal, where, groups, np.ones(1))


REDUCED: dict[str, Callable[..., Signal]] = {
    "GlobalAveragePool": _mean,
    "GlobalMaxPool": pooled,
    "ReduceL1": lambda signal, where, groups: _sum(leaky(signal, where, -1), where, groups),
    "ReduceMax": pooled,
    "ReduceMean": _mean,
    "ReduceMin": lambda signal, where, groups: pooled(signal, where, groups, largest=False),
    "ReduceSum": _sum,
}
OPERATORS: dict[str, Callable[..., Value]] = {
    "AveragePool": _pool,
    "Conv": _conv,
    "ConvTranspose": _conv,
    "MaxPool": _pool,
    **dict.fromkeys(REDUCED, _reduce),
}
