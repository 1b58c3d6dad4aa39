"""ONNX operators that threshold units are made of: a comparison, then Where or Cast; Sign.

A comparison is the features sgn(s) = ±1 of a score s, with the tail BOOLEAN; Where and Cast make numbers of it, sgn(s) itself
from Where(s ≥ 0, 1, −1) and from 2 · Cast(s ≥ 0) − 1. Sign, which is 0 at 0, is a sum of two: [s ≥ 0] + [s > 0] − 1.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from onnx import TensorProto

from lpnet.errors import InputError
from lpnet.io.activations import all_of, any_of, negated, sign, switched, threshold
from lpnet.io.arithmetic import plus, scaled, subtracted
from lpnet.io.onnx_values import FLOATS, Label, Value, is_float, numbers_of, say, signal_of
from lpnet.io.signal import BOOLEAN, Signal

WHOLE = (TensorProto.INT8, TensorProto.UINT8, TensorProto.INT32, TensorProto.INT64)


def _comparison(node: Any, attributes: dict[str, Any], left: Any, right: Any) -> Signal:
    """left ≥ right is sgn(left − right) = +1; left < right its contrary; and the same from the right."""
    if node.op_type in ("LessOrEqual", "Greater"):
        left, right = right, left
    made = threshold(_difference(node, left, right), say(node))
    return made if node.op_type in ("GreaterOrEqual", "LessOrEqual") else negated(made)


def _difference(node: Any, left: Any, right: Any) -> Signal:
    """left − right; nothing is computed for a constant 0 on the right."""
    if isinstance(left, Signal) and isinstance(right, Signal):
        return subtracted(left, right, say(node))
    if isinstance(left, Signal):
        number = numbers_of(node, right)
        return plus(left, say(node), -number) if number.any() or number.size > 1 else left
    return plus(scaled(signal_of(node, right), say(node), np.array(-1.0)), say(node), numbers_of(node, left))


def _not(node: Any, attributes: dict[str, Any], value: Any) -> Signal:
    return negated(_boolean(node, value))


def _where(node: Any, attributes: dict[str, Any], condition: Any, high: Any, low: Any) -> Signal:
    return switched(_boolean(node, condition), say(node), numbers_of(node, high), numbers_of(node, low))


def _boolean(node: Any, value: Any) -> Signal:
    """The value as a computed Boolean."""
    if not isinstance(value, Signal) or value.tail != BOOLEAN:
        raise InputError(f"{say(node)} takes no comparison; wanted a score compared with a constant there")
    return value


def _cast(node: Any, attributes: dict[str, Any], value: Any) -> Value:
    if isinstance(value, Label):
        return value
    if value.tail == BOOLEAN and attributes["to"] in (*FLOATS, *WHOLE):
        return switched(value, say(node), np.array(1.0), np.array(0.0))
    if attributes["to"] not in FLOATS:
        raise InputError(f"{say(node)} rounds to {TensorProto.DataType.Name(attributes['to'])}; wanted a kind of float")
    return value


def _cast_like(node: Any, attributes: dict[str, Any], value: Any, like: Any) -> Value:
    whole = isinstance(like, np.ndarray) and not is_float(like)
    return _cast(node, {"to": TensorProto.INT64 if whole else TensorProto.DOUBLE}, value)


def _sign(node: Any, attributes: dict[str, Any], value: Any) -> Value:
    return sign(signal_of(node, value), say(node))


def _both(node: Any, attributes: dict[str, Any], left: Any, right: Any) -> Signal:
    join = all_of if node.op_type == "And" else any_of
    return join(_boolean(node, left), _boolean(node, right), say(node))


OPERATORS: dict[str, Callable[..., Value]] = {
    "And": _both,
    "Cast": _cast,
    "CastLike": _cast_like,
    "Not": _not,
    "Or": _both,
    "Sign": _sign,
    "Where": _where,
    **dict.fromkeys(("Greater", "GreaterOrEqual", "Less", "LessOrEqual"), _comparison),
}
