"""ONNX operators on windows and along axes: convolutions, poolings, sums, means and extremes."""

from collections.abc import Callable
from typing import Any

from lpnet.errors import InputError
from lpnet.io.activations import leaky, pooled
from lpnet.io.onnx_values import Value, numbers_of, say, signal_of
from lpnet.io.signal import Signal
from lpnet.io.windowed import Reduction, convolved, mean, pool, reduced, total


def _conv(node: Any, attributes: dict[str, Any], value: Any, weight: Any, bias: Any = None) -> Signal:
    numbers, offset = numbers_of(node, weight), None if bias is None else numbers_of(node, bias)
    return convolved(signal_of(node, value), say(node), attributes, numbers, offset, back=node.op_type == "ConvTranspose")


def _pool(node: Any, attributes: dict[str, Any], value: Any) -> Signal:
    return pool(signal_of(node, value), say(node), attributes, largest=node.op_type == "MaxPool")


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
    return reduced(signal, say(node), along, bool(attributes.get("keepdims", 1)), REDUCED[node.op_type])


REDUCED: dict[str, Reduction] = {
    "GlobalAveragePool": mean,
    "GlobalMaxPool": pooled,
    "ReduceL1": lambda signal, where, groups: total(leaky(signal, where, -1), where, groups),
    "ReduceMax": pooled,
    "ReduceMean": mean,
    "ReduceMin": lambda signal, where, groups: pooled(signal, where, groups, largest=False),
    "ReduceSum": total,
}
OPERATORS: dict[str, Callable[..., Value]] = {
    "AveragePool": _pool,
    "Conv": _conv,
    "ConvTranspose": _conv,
    "MaxPool": _pool,
    **dict.fromkeys(REDUCED, _reduce),
}
