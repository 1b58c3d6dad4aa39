"""ONNX operators that make labels from scores, or work on labels."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import numpy as np

from lpnet.errors import InputError
from lpnet.io.arithmetic import scaled
from lpnet.io.onnx_values import Label, Value, say, signal_of
from lpnet.io.signal import Shape, Signal


def check_axis(node: Any, attributes: dict[str, Any], shape: Shape) -> None:
    """InputError where an operator runs along another axis than that of the outputs."""
    if "axis" in attributes and shape[attributes["axis"]] != int(np.prod(shape)):
        raise InputError(f"{say(node)} runs along axis {attributes['axis']}; wanted the axis of the outputs, shape {shape}")


def _arg_max(node: Any, attributes: dict[str, Any], value: Any) -> Label:
    signal = signal_of(node, value)
    check_axis(node, {"axis": attributes.get("axis", 0)}, signal.shape)
    if attributes.get("select_last_index"):
        raise InputError(f"{say(node)} takes the last of equal scores; export the scores alone")
    return Label(signal)


def _arg_min(node: Any, attributes: dict[str, Any], value: Any) -> Label:
    """The class of the least score: of the largest of the negated ones."""
    return Label(scaled(_arg_max(node, attributes, value).source, say(node), np.array(-1.0)))


def _zip_map(node: Any, attributes: dict[str, Any], value: Any) -> Signal:
    (names,) = attributes.values()
    return replace(signal_of(node, value), names=_names(names))


def _class_of(node: Any, attributes: dict[str, Any], classes: Any, label: Any) -> Value:
    """ArrayFeatureExtractor or Gather: the name of the class."""
    if not isinstance(label, Label) or isinstance(classes, Signal | Label):
        raise InputError(f"{say(node)} picks numbers; wanted a label and the names of the classes there")
    names = _names(classes.ravel())
    if len(names) != int(np.prod(label.source.shape)) or len(set(names)) != len(names):
        raise InputError(f"{say(node)} has the class names {', '.join(names)}; wanted a different one for each output")
    return Label(replace(label.source, names=names))


def _same(node: Any, attributes: dict[str, Any], value: Any, *others: Any) -> Value:
    return value


def _names(names: Iterable[Any]) -> tuple[str, ...]:
    return tuple(name.decode("utf-8", "replace") if isinstance(name, bytes) else str(name) for name in names)


OPERATORS: dict[str, Callable[..., Value]] = {
    "ArgMax": _arg_max,
    "ArgMin": _arg_min,
    **dict.fromkeys(("ArrayFeatureExtractor", "Gather"), _class_of),
    **dict.fromkeys(("Flatten", "Identity", "Reshape", "Squeeze", "Unsqueeze"), _same),
    "ZipMap": _zip_map,
}
