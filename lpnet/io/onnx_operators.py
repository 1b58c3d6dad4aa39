"""ONNX operators that compute: affine ones, Relu and other gates, Sigmoid and the like, and constants."""

from collections.abc import Callable
from functools import reduce
from math import prod
from typing import Any

import numpy as np

from lpnet.errors import InputError
from lpnet.io.activations import clip, ended, leaky, maximum, minimum, relu
from lpnet.io.arithmetic import added, normalised, opposite, plus, product, scaled, subtracted
from lpnet.io.onnx_classes import check_axis
from lpnet.io.onnx_values import Constant, Value, constant, numbers_of, say, signal_of
from lpnet.io.rearranging import transposed
from lpnet.io.signal import TAILS, Signal, exact


def _product(node: Any, left: Any, right: Any) -> Signal:
    """left @ right, one of them constant."""
    from_left = not isinstance(left, Signal)
    signal, weight = signal_of(node, right if from_left else left), numbers_of(node, left if from_left else right)
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
        made = scaled(made, say(node), np.asarray(numbers_of(node, alpha)))
    if bias is None or beta == 0:
        return made
    bias = numbers_of(node, bias)
    return plus(made, say(node), bias if beta == 1 else np.asarray(exact(bias) * exact(numbers_of(node, beta))[()]))


def _matmul(node: Any, attributes: dict[str, Any], left: Any, right: Any) -> Signal:
    return _product(node, left, right)


def _add(node: Any, attributes: dict[str, Any], left: Any, right: Any) -> Signal:
    if isinstance(left, Signal) and isinstance(right, Signal):
        return added(left, right, say(node))
    if not isinstance(left, Signal):
        left, right = right, left
    return plus(signal_of(node, left), say(node), numbers_of(node, right))


def _sum(node: Any, attributes: dict[str, Any], *values: Any) -> Signal:
    """Sum or Mean of computed values and of constants."""
    made = reduce(lambda left, right: _add(node, attributes, left, right), values)
    return scaled(made, say(node), np.array(len(values)), divide=True) if node.op_type == "Mean" else made


def _sub(node: Any, attributes: dict[str, Any], left: Any, right: Any) -> Signal:
    """Also 1 − σ(s) = σ(−s)."""
    if isinstance(left, Signal) and isinstance(right, Signal):
        return subtracted(left, right, say(node))
    if isinstance(left, Signal):
        return plus(left, say(node), -numbers_of(node, right))
    signal, number = signal_of(node, right), numbers_of(node, left)
    if signal.tail == "Sigmoid" and (number == 1).all() and number.size == 1:
        return opposite(signal)
    return plus(scaled(signal, say(node), np.array(-1.0)), say(node), number)


def _mul(node: Any, attributes: dict[str, Any], left: Any, right: Any) -> Signal:
    if not isinstance(left, Signal):
        left, right = right, left
    return scaled(signal_of(node, left), say(node), numbers_of(node, right))


def _div(node: Any, attributes: dict[str, Any], left: Any, right: Any) -> Signal:
    if not isinstance(left, Signal) and isinstance(right, Signal):
        raise InputError(f"{say(node)} divides by a computed value; wanted a constant")
    return scaled(signal_of(node, left), say(node), numbers_of(node, right), divide=True)


def _scaler(node: Any, attributes: dict[str, Any], value: Any) -> Signal:
    offset, scale = (np.array(attributes.get(name, [default]), dtype=np.float64) for name, default in DEFAULT_SCALER)
    moved = plus(signal_of(node, value), say(node), -numbers_of(node, offset))
    return scaled(moved, say(node), numbers_of(node, scale))


DEFAULT_SCALER = (("offset", 0.0), ("scale", 1.0))


def _batch_normalization(node: Any, attributes: dict[str, Any], value: Any, *stored: Any) -> Signal:
    signal, numbers = signal_of(node, value), [numbers_of(node, array) for array in stored]
    if attributes.get("training_mode") or len(node.output) > 1:
        raise InputError(f"{say(node)} is in training mode; export the model for inference")
    weight, bias, mean, variance = (array.reshape(-1, *[1] * (len(signal.shape) - 2)) for array in numbers)
    return normalised(signal, say(node), mean, variance, attributes.get("epsilon", float(np.float32(1e-5))), weight, bias)


def _relu(node: Any, attributes: dict[str, Any], value: Any) -> Signal:
    return relu(signal_of(node, value), say(node))


def _leaky_relu(node: Any, attributes: dict[str, Any], value: Any, slope: Any = None) -> Signal:
    """LeakyRelu, its slope an attribute; PRelu, its slopes a tensor."""
    slope = np.float32(attributes.get("alpha", 0.01)) if slope is None else slope
    return leaky(signal_of(node, value), say(node), numbers_of(node, slope))


def _abs(node: Any, attributes: dict[str, Any], value: Any) -> Signal:
    return leaky(signal_of(node, value), say(node), -1)


def _neg(node: Any, attributes: dict[str, Any], value: Any) -> Signal:
    return scaled(signal_of(node, value), say(node), np.array(-1.0))


def _clip(node: Any, attributes: dict[str, Any], value: Any, least: Any = None, largest: Any = None) -> Signal:
    """No limit where there is none, or it is as large as a float can be; the limits were attributes before opset 11."""
    if isinstance(least, Signal) or isinstance(largest, Signal):
        raise InputError(f"{say(node)} has computed limits; wanted constant ones")
    low, high = (
        np.asarray(np.float32(attributes.get(name, outside)) if given is None else given)
        for name, given, outside in (("min", least, -np.inf), ("max", largest, np.inf))
    )
    limits = (None if abs(limit.item()) >= np.finfo(limit.dtype).max else numbers_of(node, limit) for limit in (low, high))
    return clip(signal_of(node, value), say(node), *limits)


def _hard_sigmoid(node: Any, attributes: dict[str, Any], value: Any) -> Signal:
    """max(0, min(1, alpha · z + beta))."""
    slope, bias = (np.float64(attributes.get(name, np.float32(default))) for name, default in (("alpha", 0.2), ("beta", 0.5)))
    moved = plus(scaled(signal_of(node, value), say(node), np.asarray(slope)), say(node), np.asarray(bias))
    return clip(moved, say(node), 0, 1)


def _extreme(node: Any, attributes: dict[str, Any], *values: Any) -> Signal:
    """Max or Min of computed values and of constants."""
    signals = [value for value in values if isinstance(value, Signal)]
    largest = node.op_type == "Max"
    made = (maximum if largest else minimum)(signals, say(node))
    for limit in (numbers_of(node, value) for value in values if not isinstance(value, Signal)):
        made = clip(made, say(node), limit if largest else None, None if largest else limit)
    return made


def _tail(node: Any, attributes: dict[str, Any], value: Any) -> Signal:
    signal = ended(signal_of(node, value), say(node), node.op_type)
    if node.op_type in ("Softmax", "LogSoftmax"):
        check_axis(node, attributes, signal.shape)
    return signal


def _dropout(node: Any, attributes: dict[str, Any], value: Any, ratio: Any = None, training: Any = None) -> Value:
    if training is not None and (isinstance(training, Signal) or training.any()):
        raise InputError(f"{say(node)} is in training mode; export the model for inference")
    return value


def _shape(node: Any, attributes: dict[str, Any], value: Any) -> Constant:
    return np.array(value.shape[slice(attributes.get("start", 0), attributes.get("end"))], dtype=np.int64)


def _size(node: Any, attributes: dict[str, Any], value: Any) -> Constant:
    return np.array(prod(value.shape), dtype=np.int64)


def _constant(node: Any, attributes: dict[str, Any]) -> Value:
    ((name, value),) = attributes.items()
    if name == "value":
        return constant(value)
    if name in ("value_float", "value_floats"):
        return np.asarray(value, dtype=np.float32)
    if name in ("value_int", "value_ints"):
        return np.asarray(value, dtype=np.int64)
    raise InputError(f"{say(node)} holds a {name}; wanted a tensor of numbers")


def _quantised(node: Any, attributes: dict[str, Any], value: Any, scale: Any, zero: Any = None) -> Constant:
    """QuantizeLinear and DequantizeLinear of stored numbers, as ONNX has them: in the floats of the scale, ties to even."""
    if any(isinstance(given, Signal) for given in (value, scale, zero)):
        raise InputError(f"{say(node)} quantises computed values, which is no piecewise linear function; weights alone may be")
    if attributes.get("block_size"):
        raise InputError(f"{say(node)} has blocks of its own scales; wanted one scale, or one along an axis")
    shape = [1] * value.ndim
    if scale.size > 1:
        axis = attributes.get("axis", 1)
        if not -value.ndim <= axis < value.ndim or value.shape[axis] != scale.size:
            raise InputError(
                f"{say(node)} has {scale.size} scales along axis {axis} of {value.shape}; wanted one for each place"
            )
        shape[axis] = scale.size
    zeros = np.zeros(scale.size, dtype=np.uint8) if zero is None else zero
    factors, shifts = scale.reshape(shape), zeros.reshape(shape)
    if node.op_type == "DequantizeLinear":
        return np.asarray((value.astype(np.int64) - shifts.astype(np.int64)).astype(scale.dtype) * factors)
    if shifts.dtype.name not in ("int8", "uint8", "int16", "uint16"):
        raise InputError(f"{say(node)} makes {shifts.dtype.name} of floats; wanted int8, uint8, int16 or uint16")
    ends = np.iinfo(shifts.dtype)
    return np.asarray(np.clip(np.rint(value / factors) + shifts, ends.min, ends.max).astype(shifts.dtype))


OPERATORS: dict[str, Callable[..., Value]] = {
    "Abs": _abs,
    "Add": _add,
    "BatchNormalization": _batch_normalization,
    "Clip": _clip,
    "Constant": _constant,
    "DequantizeLinear": _quantised,
    "Div": _div,
    "Dropout": _dropout,
    "Gemm": _gemm,
    "HardSigmoid": _hard_sigmoid,
    "LeakyRelu": _leaky_relu,
    "MatMul": _matmul,
    "Max": _extreme,
    "Mean": _sum,
    "Min": _extreme,
    "Mul": _mul,
    "Neg": _neg,
    "PRelu": _leaky_relu,
    "QuantizeLinear": _quantised,
    "Relu": _relu,
    "Scaler": _scaler,
    "Shape": _shape,
    "Size": _size,
    "Sub": _sub,
    "Sum": _sum,
    **dict.fromkeys(TAILS, _tail),
}
