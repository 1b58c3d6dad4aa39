"""What an ONNX graph computes, by the functions of `lpnet.io.signal`, node by node; nothing of the graph is executed."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from textwrap import shorten
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from lpnet.errors import InputError
from lpnet.exact import FloatArray
from lpnet.io.signal import (
    TAILS,
    Shape,
    Signal,
    checked,
    chosen,
    ended,
    exact,
    joined,
    normalised,
    plus,
    product,
    relu,
    reshaped,
    scaled,
    transposed,
)

Constant = NDArray[Any]
FLOATS = (TensorProto.FLOAT, TensorProto.DOUBLE)
READ = (
    "Gemm, MatMul, Add, Sub, Mul, Div, Scaler, BatchNormalization, one Relu (or Clip from 0), nodes that reshape, "
    "Sigmoid, Softmax or Tanh at the end, and labels made from that"
)


@dataclass(frozen=True)
class Label:
    """The class whose score is largest, the first one of several."""

    source: Signal


Value = Signal | Label | Constant


def follow(graph: Any, shape: Shape) -> dict[str, Value]:
    """The values that the graph's outputs come from, for one input of this shape.

    Raises InputError naming the first node that lpnet cannot take.
    """
    values: dict[str, Value] = {tensor.name: constant(tensor) for tensor in graph.initializer}
    values |= {given.name: Signal.of_features(shape) for given in graph.input if given.name not in values}
    for node in needed(graph, (end.name for end in graph.output)):
        values[node.output[0] if node.output else ""] = _result(node, values)
    return values


def needed(graph: Any, names: Iterable[str]) -> list[Any]:
    """The nodes that these values come from, in the graph's order."""
    wanted, kept = set(names), []
    for node in reversed(graph.node):
        if wanted.intersection(node.output):
            wanted.update(node.input)
            kept.append(node)
    return kept[::-1]


def constant(tensor: Any) -> Constant:
    """The numbers of a tensor stored in the file."""
    try:
        return np.asarray(numpy_helper.to_array(tensor))
    except Exception as error:  # onnx checks little before it converts
        raise InputError(f"the stored tensor {tensor.name!r} is damaged ({shorten(str(error), 100)})") from None


def say(node: Any) -> str:
    """A node's operator and name, for messages."""
    return f"the node {node.op_type} {node.name or node.output[0]!r}" if node.output else f"the node {node.op_type}"


def _result(node: Any, values: dict[str, Value]) -> Value:
    """What a node makes of what comes into it."""
    own = "ai.onnx.ml" if node.op_type in LEARNING else "ai.onnx"
    if (node.domain or "ai.onnx") != own or node.op_type not in OPERATORS or not node.output:
        raise InputError(f"{say(node)} cannot be taken; lpnet reads one hidden layer made of {READ}")
    if lost := [name for name in node.input if name and name not in values]:
        raise InputError(f"{say(node)} takes {lost[0]!r}, which no node before it makes")
    given = [values[name] if name else None for name in node.input]
    if any(isinstance(value, Label) for value in given) and node.op_type not in OF_LABELS:
        raise InputError(f"{say(node)} works on a label; wanted nothing but a name for it there")
    try:
        attributes = {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}
        return OPERATORS[node.op_type](node, attributes, *given)
    except InputError:
        raise
    except (TypeError, ValueError, LookupError, AttributeError, OverflowError, MemoryError):
        shapes = " and ".join(str(getattr(value, "shape", "of a label")) for value in given if value is not None) or "none"
        raise InputError(f"{say(node)} does not fit what comes into it, for one point the shapes {shapes}") from None


def _signal(node: Any, value: Any) -> Signal:
    """The value as one that the network computes."""
    if not isinstance(value, Signal):
        raise InputError(f"{say(node)} works on constants only, which lpnet does not compute; fold it into one constant first")
    return value


def _numbers(node: Any, value: Any) -> FloatArray:
    """The weights or biases of a node, exactly."""
    if isinstance(value, Signal):
        raise InputError(f"{say(node)} combines two computed values; wanted constant weights")
    return checked(say(node), value)


def _product(node: Any, left: Any, right: Any) -> Signal:
    """left @ right, one of them constant."""
    from_left = not isinstance(left, Signal)
    signal, weight = _signal(node, right if from_left else left), _numbers(node, left if from_left else right)
    return product(signal, say(node), weight, from_left)


def _transposed(value: Any) -> Any:
    if isinstance(value, Signal):
        axes = list(range(len(value.shape)))
        return transposed(value, [*axes[:-2], axes[-1], axes[-2]])
    return np.swapaxes(value, -1, -2)


def _gemm(node: Any, attributes: dict[str, Any], left: Any, right: Any, bias: Any = None) -> Signal:
    """alpha·A·B + beta·C. With one point a row or a column, transA only turns the one into the other."""
    if attributes.get("transA"):
        if isinstance(left, Signal) and left.shape[-1] != 1:
            raise InputError(f"{say(node)} has transA=1, so that points are mixed; wanted a point in each row")
        left = _transposed(left)
    made = _product(node, left, _transposed(right) if attributes.get("transB") else right)
    alpha, beta = (np.float64(attributes.get(name, 1.0)) for name in ("alpha", "beta"))
    if alpha != 1:
        made = scaled(made, say(node), np.asarray(_numbers(node, alpha)))
    if bias is None or beta == 0:
        return made
    bias = _numbers(node, bias)
    return plus(made, say(node), bias if beta == 1 else np.asarray(exact(bias) * exact(_numbers(node, beta))[()]))


def _matmul(node: Any, attributes: dict[str, Any], left: Any, right: Any) -> Signal:
    return _product(node, left, right)


def _add(node: Any, attributes: dict[str, Any], left: Any, right: Any) -> Signal:
    if not isinstance(left, Signal):
        left, right = right, left
    return plus(_signal(node, left), say(node), _numbers(node, right))


def _sub(node: Any, attributes: dict[str, Any], left: Any, right: Any) -> Signal:
    """Also 1 − σ(s) = σ(−s)."""
    if isinstance(left, Signal):
        return plus(left, say(node), -_numbers(node, right))
    signal, number = _signal(node, right), _numbers(node, left)
    if signal.tail == "Sigmoid" and (number == 1).all() and number.size == 1:
        return replace(signal, coefficients=-1 * signal.coefficients)
    return plus(scaled(signal, say(node), np.array(-1.0)), say(node), number)


def _mul(node: Any, attributes: dict[str, Any], left: Any, right: Any) -> Signal:
    if not isinstance(left, Signal):
        left, right = right, left
    return scaled(_signal(node, left), say(node), _numbers(node, right))


def _div(node: Any, attributes: dict[str, Any], left: Any, right: Any) -> Signal:
    if not isinstance(left, Signal) and isinstance(right, Signal):
        raise InputError(f"{say(node)} divides by a computed value; wanted a constant")
    return scaled(_signal(node, left), say(node), _numbers(node, right), divide=True)


def _scaler(node: Any, attributes: dict[str, Any], value: Any) -> Signal:
    offset, scale = (np.array(attributes.get(name, [default]), dtype=np.float64) for name, default in DEFAULT_SCALER)
    moved = plus(_signal(node, value), say(node), -_numbers(node, offset))
    return scaled(moved, say(node), _numbers(node, scale))


DEFAULT_SCALER = (("offset", 0.0), ("scale", 1.0))


def _batch_normalization(node: Any, attributes: dict[str, Any], value: Any, *stored: Any) -> Signal:
    weight, bias, mean, variance = (_numbers(node, array) for array in stored)
    signal = _signal(node, value)
    if attributes.get("training_mode") or len(node.output) > 1:
        raise InputError(f"{say(node)} is in training mode; export the model for inference")
    if len(signal.shape) != 2:
        raise InputError(f"{say(node)} gets an array of shape {signal.shape} for a single point; wanted a vector")
    return normalised(signal, say(node), mean, variance, attributes.get("epsilon", 1e-5), weight, bias)


def _relu(node: Any, attributes: dict[str, Any], value: Any) -> Signal:
    return relu(_signal(node, value), say(node))


def _clip(node: Any, attributes: dict[str, Any], value: Any, least: Any = None, largest: Any = None) -> Signal:
    """A ReLU where it clips at 0 from below alone, as keras2onnx writes one; the limits were attributes before opset 11."""
    limits = [
        np.asarray(attributes.get(name, outside) if given is None else _numbers(node, given)).ravel().tolist()
        for name, given, outside in (("min", least, -FLOAT_MAX), ("max", largest, FLOAT_MAX))
    ]
    if limits[0] != [0] or not limits[1][0] >= FLOAT_MAX:
        raise InputError(f"{say(node)} keeps between {limits[0][0]:g} and {limits[1][0]:g}; wanted a ReLU, from 0 upwards")
    return relu(_signal(node, value), say(node))


FLOAT_MAX = float(np.finfo(np.float32).max)


def _tail(node: Any, attributes: dict[str, Any], value: Any) -> Signal:
    signal = ended(_signal(node, value), say(node), node.op_type)
    if node.op_type in ("Softmax", "LogSoftmax"):
        _check_axis(node, attributes, signal.shape)
    return signal


def _check_axis(node: Any, attributes: dict[str, Any], shape: Shape) -> None:
    if "axis" in attributes and shape[attributes["axis"]] != int(np.prod(shape)):
        raise InputError(f"{say(node)} runs along axis {attributes['axis']}; wanted the axis of the outputs, shape {shape}")


def _arg_max(node: Any, attributes: dict[str, Any], value: Any) -> Label:
    signal = _signal(node, value)
    _check_axis(node, {"axis": attributes.get("axis", 0)}, signal.shape)
    if attributes.get("select_last_index"):
        raise InputError(f"{say(node)} takes the last of equal scores; export the scores alone")
    return Label(signal)


def _zip_map(node: Any, attributes: dict[str, Any], value: Any) -> Signal:
    (names,) = attributes.values()
    return replace(_signal(node, value), names=_names(names))


def _class_of(node: Any, attributes: dict[str, Any], classes: Any, label: Any) -> Value:
    """ArrayFeatureExtractor or Gather: some of the features, or the name of the class."""
    if isinstance(classes, Signal) and not isinstance(label, Signal | Label):
        axis = attributes.get("axis", 0 if node.op_type == "Gather" else len(classes.shape) - 1)
        return chosen(classes, label.astype(np.int64), axis)
    if not isinstance(label, Label) or isinstance(classes, Signal | Label):
        raise InputError(f"{say(node)} picks numbers; wanted a label and the names of the classes there")
    names = _names(classes.ravel())
    if len(names) != int(np.prod(label.source.shape)) or len(set(names)) != len(names):
        raise InputError(f"{say(node)} has the class names {', '.join(names)}; wanted a different one for each output")
    return Label(replace(label.source, names=names))


def _names(names: Iterable[Any]) -> tuple[str, ...]:
    return tuple(name.decode("utf-8", "replace") if isinstance(name, bytes) else str(name) for name in names)


def _concat(node: Any, attributes: dict[str, Any], *values: Any) -> Value:
    return joined([_signal(node, value) for value in values], attributes["axis"])


def _slice(node: Any, attributes: dict[str, Any], value: Any, starts: Any, ends: Any, axes: Any, steps: Any = None) -> Signal:
    signal, chosen = _signal(node, value), [slice(None)] * len(value.shape)
    for axis, start, end in zip(axes, starts, ends, strict=True):
        chosen[axis] = slice(int(start), int(end))
    if steps is not None and not (steps == 1).all():
        raise InputError(f"{say(node)} skips entries; wanted steps of 1")
    cut = (slice(None), *chosen)
    return replace(signal, coefficients=signal.coefficients[cut], magnitude=signal.magnitude[cut], plain=False)


def _sqrt(node: Any, attributes: dict[str, Any], value: Any) -> Constant:
    """Of a constant, in its own precision, as the model itself computes it."""
    if isinstance(value, Signal):
        raise InputError(f"{say(node)} is not affine; lpnet reads one hidden layer made of {READ}")
    return np.asarray(np.sqrt(value))


def _cast(node: Any, attributes: dict[str, Any], value: Any) -> Value:
    if isinstance(value, Label):
        return value
    if not isinstance(value, Signal):
        return value.astype(helper.tensor_dtype_to_np_dtype(attributes["to"]))
    if attributes["to"] not in FLOATS:
        raise InputError(f"{say(node)} rounds to {TensorProto.DataType.Name(attributes['to'])}; wanted float32 or float64")
    return value


def _transpose(node: Any, attributes: dict[str, Any], value: Any) -> Value:
    order = attributes.get("perm", range(len(value.shape))[::-1])
    return transposed(value, order) if isinstance(value, Signal) else np.transpose(value, order)


def _dropout(node: Any, attributes: dict[str, Any], value: Any, ratio: Any = None, training: Any = None) -> Value:
    if training is not None and (isinstance(training, Signal) or training.any()):
        raise InputError(f"{say(node)} is in training mode; export the model for inference")
    return value


def _identity(node: Any, attributes: dict[str, Any], value: Any) -> Value:
    return value


def _constant(node: Any, attributes: dict[str, Any]) -> Value:
    ((name, value),) = attributes.items()
    if name == "value":
        return constant(value)
    if name in ("value_float", "value_floats"):
        return np.asarray(value, dtype=np.float32)
    if name in ("value_int", "value_ints"):
        return np.asarray(value, dtype=np.int64)
    raise InputError(f"{say(node)} holds a {name}; wanted a tensor of numbers")


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
    "Add": _add,
    "ArgMax": _arg_max,
    "ArrayFeatureExtractor": _class_of,
    "BatchNormalization": _batch_normalization,
    "Cast": _cast,
    "Clip": _clip,
    "Concat": _concat,
    "Constant": _constant,
    "Div": _div,
    "Dropout": _dropout,
    "Flatten": _reshaping(_flatten),
    "Gather": _class_of,
    "Gemm": _gemm,
    "Identity": _identity,
    "MatMul": _matmul,
    "Mul": _mul,
    "Relu": _relu,
    "Reshape": _reshaping(_reshape),
    "Scaler": _scaler,
    "Slice": _slice,
    "Sqrt": _sqrt,
    "Squeeze": _reshaping(_squeeze),
    "Sub": _sub,
    "Transpose": _transpose,
    "Unsqueeze": _reshaping(_unsqueeze),
    "ZipMap": _zip_map,
    **dict.fromkeys(TAILS, _tail),
}
LEARNING = ("ArrayFeatureExtractor", "Scaler", "ZipMap")  # of the domain ai.onnx.ml
OF_LABELS = ("ArrayFeatureExtractor", "Cast", "Flatten", "Gather", "Identity", "Reshape", "Squeeze", "Unsqueeze")
