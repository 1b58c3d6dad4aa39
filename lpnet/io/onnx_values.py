"""What the values of an ONNX graph are for lpnet, and how its nodes are called in messages."""

from dataclasses import dataclass
from textwrap import shorten
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto, numpy_helper

from lpnet.errors import InputError
from lpnet.exact import FloatArray
from lpnet.io.signal import Signal, checked

Constant = NDArray[Any]
FLOATS = (TensorProto.FLOAT16, TensorProto.BFLOAT16, TensorProto.FLOAT, TensorProto.DOUBLE)
READ = (
    "affine operators (Gemm, Conv, BatchNormalization …), gates linear in pieces (Relu, LeakyRelu, Clip, Max, MaxPool …), or "
    "comparisons with Where or Cast for threshold units, nodes that rearrange, Sigmoid, Softmax or Tanh at the end, and labels "
    "made from that"
)


@dataclass(frozen=True)
class Label:
    """The class whose score is largest, the first one of several."""

    source: Signal


Value = Signal | Label | Constant


def constant(tensor: Any) -> Constant:
    """The numbers of a tensor stored in the file."""
    try:
        return np.asarray(numpy_helper.to_array(tensor))
    except Exception as error:  # onnx checks little before it converts
        raise InputError(f"the stored tensor {tensor.name!r} is damaged ({shorten(str(error), 100)})") from None


def is_float(value: Any) -> bool:
    """Whether these are floats of some kind."""
    return bool(value.dtype.kind == "f" or value.dtype.name == "bfloat16")


def say(node: Any) -> str:
    """A node's operator and name, for messages."""
    return f"the node {node.op_type} {node.name or node.output[0]!r}" if node.output else f"the node {node.op_type}"


def signal_of(node: Any, value: Any) -> Signal:
    """The value as one that the network computes."""
    if not isinstance(value, Signal):
        raise InputError(f"{say(node)} works on constants only; fold it into one constant first")
    return value


def numbers_of(node: Any, value: Any) -> FloatArray:
    """The weights or biases of a node, exactly."""
    if isinstance(value, Signal):
        raise InputError(f"{say(node)} combines two computed values; wanted constant weights")
    return checked(say(node), value)


def reason(error: Exception) -> str:
    """Why something failed, in a line."""
    return shorten(str(error), 200) or type(error).__name__
