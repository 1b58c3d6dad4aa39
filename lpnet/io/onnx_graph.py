"""What an ONNX graph computes, in symbols: entries that are affine in the input, then affine in R(U x + b).

Nothing is executed: each node that is understood has one function here that says what it does to the coefficients.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from textwrap import shorten
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from lpnet.errors import InputError
from lpnet.exact import FloatArray

Constant = NDArray[Any]
Shape = tuple[int, ...]
MOST_FEATURES = 5000
FLOATS = (TensorProto.FLOAT, TensorProto.DOUBLE)
READ = "Gemm, MatMul, Add, Relu, nodes that reshape, and Sigmoid or Softmax at the end"


@dataclass(frozen=True)
class Signal:
    """What a value of the graph is for one point: each entry is Σ_k c_k h_k + c_0, with h = x or h = R(U x + b).

    coefficients: (1 + features, *shape), the constants c_0 last; hidden: (U, b) behind the Relu, or None;
    plain: whether the entries are the features h themselves, only rearranged;
    tail: the Sigmoid or Softmax that was put on it, or ""; before_tail: the name of the value that it was put on.
    """

    coefficients: FloatArray
    hidden: tuple[FloatArray, FloatArray] | None = None
    plain: bool = True
    tail: str = ""
    before_tail: str = ""

    @classmethod
    def of_features(cls, shape: Shape, hidden: tuple[FloatArray, FloatArray] | None = None) -> "Signal":
        """The features themselves, in this shape."""
        features = int(np.prod(shape, dtype=object))
        if features > MOST_FEATURES:
            raise InputError(f"has a layer {features} wide, inputs included; lpnet reads up to {MOST_FEATURES}")
        return cls(np.eye(features + 1, features).reshape(features + 1, *shape), hidden)

    @property
    def shape(self) -> Shape:
        """The shape of the value for one point."""
        return self.coefficients.shape[1:]

    def affine(self) -> tuple[FloatArray, FloatArray]:
        """Weights (entries, features) and constants (entries,)."""
        flat = self.coefficients.reshape(len(self.coefficients), -1)
        return flat[:-1].T, flat[-1]


Value = Signal | Constant


def follow(graph: Any, shape: Shape) -> dict[str, Value]:
    """Every value of the graph for one input of this shape; InputError naming the first node that lpnet cannot take."""
    values: dict[str, Value] = {tensor.name: constant(tensor) for tensor in graph.initializer}
    values |= {given.name: Signal.of_features(shape) for given in graph.input if given.name not in values}
    for node in graph.node:
        values[node.output[0]] = _result(node, values)
    return values


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
    if node.domain not in ("", "ai.onnx") or node.op_type not in OPERATORS or not node.output:
        raise InputError(f"{say(node)} cannot be taken; lpnet reads one hidden layer made of {READ}")
    if lost := [name for name in node.input if name and name not in values]:
        raise InputError(f"{say(node)} takes {lost[0]!r}, which no node before it makes")
    given = [values[name] if name else None for name in node.input]
    try:
        attributes = {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}
        return OPERATORS[node.op_type](node, attributes, *given)
    except InputError:
        raise
    except (TypeError, ValueError, LookupError, AttributeError, OverflowError, MemoryError):
        shapes = " and ".join(str(value.shape) for value in given if value is not None) or "none"
        raise InputError(f"{say(node)} does not fit what comes into it, for one point the shapes {shapes}") from None


def _signal(node: Any, value: Any) -> Signal:
    """The value as one that the network computes and that may still be computed with."""
    if not isinstance(value, Signal):
        raise InputError(f"{say(node)} works on constants only, which lpnet does not compute; fold it into one constant first")
    if value.tail:
        raise InputError(f"{say(node)} comes behind {value.tail}; wanted nothing but reshaping there")
    return value


def _numbers(node: Any, value: Any) -> FloatArray:
    """The weights or biases of a node, exactly."""
    if isinstance(value, Signal):
        raise InputError(f"{say(node)} combines two computed values; wanted constant weights")
    if value.dtype not in (np.float32, np.float64):
        raise InputError(f"{say(node)}: wanted float32 or float64 weights, got {value.dtype}")
    if not np.isfinite(value).all():
        raise InputError(f"{say(node)}: wanted finite weights, got {value[~np.isfinite(value)].flat[0]}")
    return value.astype(np.float64)


def _product(node: Any, left: Any, right: Any) -> Signal:
    """left @ right, one of them constant."""
    from_left = isinstance(left, Signal)
    signal, weight = _signal(node, left if from_left else right), _numbers(node, right if from_left else left)
    if not signal.plain:
        raise InputError(f"{say(node)} follows another Gemm, MatMul or Add with no Relu between them; fold them into one first")
    if weight.ndim > 2:
        raise InputError(f"{say(node)}: wanted a matrix of weights, got shape {weight.shape}")
    if from_left:
        product = signal.coefficients @ weight
    elif len(signal.shape) == 1:
        product = signal.coefficients @ weight.T
    else:
        product = weight @ signal.coefficients
    return replace(signal, coefficients=product, plain=False)


def _sum(node: Any, signal: Any, bias: Any) -> Signal:
    """signal + bias with broadcasting."""
    signal, bias = _signal(node, signal), _numbers(node, bias)
    shape = np.broadcast_shapes(signal.shape, bias.shape)
    features = len(signal.coefficients)
    aligned = signal.coefficients.reshape(features, *(1,) * (len(shape) - len(signal.shape)), *signal.shape)
    total = np.broadcast_to(aligned, (features, *shape)).copy()
    total[-1] += bias
    return replace(signal, coefficients=total, plain=False)


def _transposed(value: Any) -> Any:
    if isinstance(value, Signal):
        return replace(value, coefficients=np.swapaxes(value.coefficients, -1, -2))
    return np.swapaxes(value, -1, -2)


def _gemm(node: Any, attributes: dict[str, Any], left: Any, right: Any, bias: Any = None) -> Signal:
    """alpha·A·B + beta·C. With one point a row or a column, transA only turns the one into the other."""
    if attributes.get("transA"):
        if isinstance(left, Signal) and left.shape[-1] != 1:
            raise InputError(f"{say(node)} has transA=1, so that points are mixed; wanted a point in each row")
        left = _transposed(left)
    product = _product(node, left, _transposed(right) if attributes.get("transB") else right)
    product = replace(product, coefficients=attributes.get("alpha", 1.0) * product.coefficients)
    beta = attributes.get("beta", 1.0)
    return product if bias is None or beta == 0 else _sum(node, product, beta * _numbers(node, bias))


def _matmul(node: Any, attributes: dict[str, Any], left: Any, right: Any) -> Signal:
    return _product(node, left, right)


def _add(node: Any, attributes: dict[str, Any], left: Any, right: Any) -> Signal:
    return _sum(node, left, right) if isinstance(left, Signal) else _sum(node, right, left)


def _relu(node: Any, attributes: dict[str, Any], value: Any) -> Signal:
    signal = _signal(node, value)
    if signal.hidden:
        raise InputError(f"{say(node)} is a second Relu; wanted one hidden layer")
    check_vector(say(node), signal.shape)
    return Signal.of_features(signal.shape, hidden=signal.affine())


def check_vector(where: str, shape: Shape) -> None:
    """InputError where one point gives a table and no vector."""
    if sum(size > 1 for size in shape) > 1:
        raise InputError(f"{where} gets an array of shape {shape} for a single point; wanted a vector")


def _tail(node: Any, attributes: dict[str, Any], value: Any) -> Signal:
    signal = _signal(node, value)
    if signal.hidden is None:
        raise InputError(f"{say(node)} comes before any Relu; wanted one hidden layer of Relu units")
    if node.op_type == "Softmax":
        _check_softmax(node, attributes, signal.shape)
    return replace(signal, tail=node.op_type, before_tail=node.input[0])


def _check_softmax(node: Any, attributes: dict[str, Any], shape: Shape) -> None:
    outputs = int(np.prod(shape))
    if outputs < 2:
        raise InputError(f"{say(node)} wants two or more outputs, got {outputs}; use Sigmoid for one")
    if "axis" in attributes and shape[attributes["axis"]] != outputs:
        raise InputError(f"{say(node)} runs along axis {attributes['axis']}; wanted the axis of the outputs, shape {shape}")


def _cast(node: Any, attributes: dict[str, Any], value: Any) -> Value:
    if not isinstance(value, Signal):
        return value.astype(helper.tensor_dtype_to_np_dtype(attributes["to"]))
    if attributes["to"] not in FLOATS:
        raise InputError(f"{say(node)} rounds to {TensorProto.DataType.Name(attributes['to'])}; wanted float32 or float64")
    return value


def _transpose(node: Any, attributes: dict[str, Any], value: Any) -> Value:
    order = attributes.get("perm", range(len(value.shape))[::-1])
    if isinstance(value, Signal):
        return replace(value, coefficients=np.transpose(value.coefficients, (0, *(axis + 1 for axis in order))))
    return np.transpose(value, order)


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
        shape = new_shape(value.shape, attributes, *others)
        if not isinstance(value, Signal):
            return np.reshape(value, shape)
        return replace(value, coefficients=value.coefficients.reshape(len(value.coefficients), *shape))

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
    "Cast": _cast,
    "Constant": _constant,
    "Dropout": _dropout,
    "Flatten": _reshaping(_flatten),
    "Gemm": _gemm,
    "Identity": _identity,
    "MatMul": _matmul,
    "Relu": _relu,
    "Reshape": _reshaping(_reshape),
    "Sigmoid": _tail,
    "Softmax": _tail,
    "Squeeze": _reshaping(_squeeze),
    "Transpose": _transpose,
    "Unsqueeze": _reshaping(_unsqueeze),
}
