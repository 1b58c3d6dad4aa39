"""ONNX operators that only rearrange entries."""

from collections.abc import Callable
from typing import Any

import numpy as np

from lpnet.errors import InputError
from lpnet.io.onnx_values import Label, Value, say, signal_of
from lpnet.io.rearranging import each, joined, reshaped, transposed
from lpnet.io.signal import Shape, Signal


def _concat(node: Any, attributes: dict[str, Any], *values: Any) -> Value:
    return joined([signal_of(node, value) for value in values], attributes["axis"])


def _slice(node: Any, attributes: dict[str, Any], value: Any, *limits: Any) -> Signal:
    """Of the first axes where none are named; before opset 10 all of it was in attributes."""
    given = dict(zip(("starts", "ends", "axes", "steps"), limits, strict=False)) if limits else attributes
    starts, ends, axes, steps = given["starts"], given["ends"], given.get("axes"), given.get("steps")
    signal, chosen = signal_of(node, value), [slice(None)] * len(value.shape)
    for axis, start, end in zip(range(len(starts)) if axes is None else axes, starts, ends, strict=True):
        chosen[axis] = slice(int(start), int(end))
    if steps is not None and not (steps == 1).all():
        raise InputError(f"{say(node)} skips entries; wanted steps of 1")
    cut = (slice(None), *chosen)
    return each(signal, lambda entries: entries[cut])


def _transpose(node: Any, attributes: dict[str, Any], value: Any) -> Value:
    order = attributes.get("perm", range(len(value.shape))[::-1])
    return transposed(value, order) if isinstance(value, Signal) else np.transpose(value, order)


def _reshaping(new_shape: Callable[..., Shape]) -> Callable[..., Value]:
    """The operator that only changes the shape, row by row, to what `new_shape(shape, attributes, *others)` says."""

    def operator(node: Any, attributes: dict[str, Any], value: Any, *others: Any) -> Value:
        if any(isinstance(other, Signal) for other in others):
            raise InputError(f"{say(node)} takes its shape from the input; wanted a constant shape")
        if isinstance(value, Label):
            return value
        shape = new_shape(value.shape, attributes, *others)
        if not isinstance(value, Signal):
            return np.reshape(value, shape)
        return reshaped(value, shape)

    return operator


def _reshape(shape: Shape, attributes: dict[str, Any], wanted: Any = None) -> Shape:
    sizes = [int(size) for size in (attributes["shape"] if wanted is None else wanted)]
    if not attributes.get("allowzero"):
        sizes = [shape[axis] if size == 0 else size for axis, size in enumerate(sizes)]
    return np.broadcast_to(np.int8(0), shape).reshape(sizes).shape


def _flatten(shape: Shape, attributes: dict[str, Any]) -> Shape:
    axis = attributes.get("axis", 1)
    return int(np.prod(shape[:axis])), int(np.prod(shape[axis:]))


def _axes(attributes: dict[str, Any], given: Any) -> Shape | None:
    axes = attributes.get("axes") if given is None else given
    return None if axes is None else tuple(int(axis) for axis in axes)


def _squeeze(shape: Shape, attributes: dict[str, Any], axes: Any = None) -> Shape:
    return np.squeeze(np.broadcast_to(np.int8(0), shape), _axes(attributes, axes)).shape


def _unsqueeze(shape: Shape, attributes: dict[str, Any], axes: Any = None) -> Shape:
    return np.expand_dims(np.broadcast_to(np.int8(0), shape), _axes(attributes, axes) or ()).shape


OPERATORS: dict[str, Callable[..., Value]] = {
    "Concat": _concat,
    "Flatten": _reshaping(_flatten),
    "Reshape": _reshaping(_reshape),
    "Slice": _slice,
    "Squeeze": _reshaping(_squeeze),
    "Transpose": _transpose,
    "Unsqueeze": _reshaping(_unsqueeze),
}
