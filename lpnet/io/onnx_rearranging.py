"""ONNX operators that only rearrange entries, tried on the entries' numbers; and constants, computed as the model itself does.

Both by onnx's own reference evaluation of the single node.
"""

from collections.abc import Sequence
from itertools import accumulate
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper, shape_inference
from onnx.reference import ReferenceEvaluator

from lpnet.errors import InputError
from lpnet.io.kinds import MOST_NUMBERS
from lpnet.io.onnx_values import Label, numbers_of, reason, say
from lpnet.io.rearranging import fixed, joined, picked, reshaped
from lpnet.io.signal import Signal

SINGLE = 100  # entries of constants that may say how large a result is
REARRANGING = {  # which of the inputs are rearranged, None for all; the others say how
    **dict.fromkeys(("Flatten", "Reshape", "Squeeze", "Transpose", "Unsqueeze"), (0,)),
    **dict.fromkeys(("ArrayFeatureExtractor", "Compress", "Gather", "GatherElements", "GatherND", "Slice", "Split"), (0,)),
    **dict.fromkeys(("DepthToSpace", "Expand", "Resize", "SpaceToDepth", "Tile", "Trilu", "Upsample"), (0,)),
    **dict.fromkeys(("Pad", "ScatterElements", "ScatterND"), (0, 2)),
    "Concat": None,
    "Where": (1, 2),
}
SELECTING = ("Compress", "NonZero")  # not more than there is
ARITHMETIC = {
    *("Abs", "Add", "Ceil", "Clip", "CumSum", "Div", "Exp", "Floor", "Gemm", "Log", "MatMul", "Max", "Mean", "Min", "Mod"),
    *("Mul", "Neg", "Pow", "Reciprocal", "ReduceMax", "ReduceMean", "ReduceMin", "ReduceProd", "ReduceSum", "Round"),
    *("Sqrt", "Sub", "Sum"),
}
ON_CONSTANTS = {
    *(*REARRANGING, *ARITHMETIC, "And", "Cast", "CastLike", "ConstantOfShape", "Equal", "EyeLike", "Greater", "GreaterOrEqual"),
    *("Identity", "Less", "LessOrEqual", "NonZero", "Not", "OneHot", "Or", "Range", "Shape", "Sign", "Size", "Xor"),
}


def is_rearranging(node: Any, values: Sequence[Any]) -> bool:
    """Whether a node only rearranges entries of signals; Where does by a constant condition."""
    chooses = node.op_type == "Where" and isinstance(values[0], Signal)
    return node.op_type in REARRANGING and not chooses and not any(isinstance(value, Label) for value in values)


def rearranged(node: Any, opsets: Any, values: Sequence[Any]) -> list[Signal]:
    """What a node makes that only rearranges entries, those of constants among them."""
    if node.op_type == "Resize" and any(a.name == "mode" and a.s != b"nearest" for a in node.attribute):
        raise InputError(f"{say(node)} computes new entries; wanted mode nearest")
    chosen = REARRANGING[node.op_type]
    places = [k for k, value in enumerate(values) if value is not None and (chosen is None or k in chosen)]
    if any(isinstance(value, Signal) for k, value in enumerate(values) if k not in places):
        raise InputError(f"{say(node)} takes a shape or places from the input; wanted constant ones")
    fill = [np.float32(a.f) for a in node.attribute if a.name == "value" and a.f]  # of Pad before opset 11
    signals = _signals(node, [*(values[k] for k in places), *fill])
    whole = joined([reshaped(signal, (signal.entries.size,)) for signal in signals], 0) if signals[1:] else signals[0]
    starts = accumulate((signal.entries.size for signal in signals), initial=0)
    numbers = {k: signal.entries + start for k, signal, start in zip(places, signals, starts, strict=False)}
    made = evaluated(node, opsets, [numbers.get(k, value) for k, value in enumerate(values)])
    return [picked(whole, np.where(entries == 0, whole.entries.size, entries) if fill else entries) for entries in made]


def _signals(node: Any, values: list[Any]) -> list[Signal]:
    """The same with constants as signals."""
    like = next(value for value in values if isinstance(value, Signal))
    return [value if isinstance(value, Signal) else fixed(numbers_of(node, value), like) for value in values]


def evaluated(node: Any, opsets: Any, values: Sequence[Any]) -> list[NDArray[Any]]:
    """onnx's own evaluation of a node; InputError where it fails or its result is too large."""
    given = {name: value for name, value in zip(node.input, values, strict=True) if name and value is not None}
    small = [numpy_helper.from_array(value, name) for name, value in given.items() if value.size <= SINGLE]
    kinds = {name: helper.np_dtype_to_tensor_dtype(value.dtype) for name, value in given.items()}
    ends = [helper.make_tensor_value_info(name, kinds[name], value.shape) for name, value in given.items()]
    names = [name for name in node.output if name]
    outputs = [helper.make_tensor_value_info(name, TensorProto.UNDEFINED, None) for name in names]
    graph = helper.make_graph([node], "g", ends, outputs)
    model = helper.make_model(graph, opset_imports=opsets)
    evaluator = ReferenceEvaluator(model)
    graph.initializer.extend(small)
    for end in shape_inference.infer_shapes(helper.make_model(graph, opset_imports=opsets), data_prop=True).graph.output:
        shape = end.type.tensor_type.shape if end.type.tensor_type.HasField("shape") else None
        if node.op_type not in SELECTING and (shape is None or not all(dim.HasField("dim_value") for dim in shape.dim)):
            raise ValueError("of no shape that the inputs' shapes and constants tell")
        size = prod(dim.dim_value for dim in shape.dim) if shape else 0
        if size > MOST_NUMBERS:
            raise InputError(f"{say(node)} makes {size} numbers; lpnet reads up to {MOST_NUMBERS}")
    try:
        return [np.asarray(made) for made in evaluator.run(names, given)]
    except Exception as error:  # whatever its operators raise
        raise InputError(f"{say(node)} cannot be evaluated ({reason(error)})") from None
