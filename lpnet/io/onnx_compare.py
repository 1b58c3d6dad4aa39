"""A reading of an ONNX model, compared with onnx's own reference evaluation on random points."""

from typing import Any

import numpy as np
import onnx
from onnx.reference import ReferenceEvaluator

from lpnet.errors import InputError
from lpnet.exact import FloatArray
from lpnet.io.compare import POINTS, check_same, points_for
from lpnet.io.onnx_corrected import corrected
from lpnet.io.onnx_graph import input_of, needed
from lpnet.io.onnx_values import FLOATS, Value, constant, is_float, reason
from lpnet.io.signal import TAILS, Shape, Signal


def compare(model: Any, values: dict[str, Value], batch: int, shape: Shape) -> None:
    """InputError where the reading differs from onnx's evaluation by more than its precision explains."""
    names = _compared(model.graph, values)
    signals = [value for name in names if isinstance(value := values[name], Signal)]
    points = points_for(signals[0], -(-POINTS // batch) * batch)
    chunks = points.reshape(-1, batch * shape[0], *shape[1:])
    for answers, signal in zip(_evaluate(_in_float64(model, values, names), names, chunks), signals, strict=True):
        check_same(signal, points, answers, np.finfo(np.float64), "onnx's own evaluation")


def _compared(graph: Any, values: dict[str, Value]) -> list[str]:
    """The arrays that the outputs are made from, before and behind a Sigmoid or the like; of a Softmax all entries."""
    nodes = needed(graph, (end.name for end in graph.output))
    maps = {node.output[0] for node in nodes if node.op_type == "ZipMap"}
    ends = {node.output[0] for node in nodes if node.op_type in TAILS}
    names = ends | {node.input[0] for node in nodes if node.op_type in (*TAILS, "ArgMax", "ArgMin", "ZipMap")}
    names |= {end.name for end in graph.output} - maps

    def comparable(name: str) -> bool:
        value = values.get(name)
        return isinstance(value, Signal) and (name in ends or value.tail not in ("Softmax", "LogSoftmax"))

    return sorted(filter(comparable, names))


def _in_float64(model: Any, values: dict[str, Value], names: list[str]) -> Any:
    """The part of the model that computes these values, in float64, its constants as they are stored, or computed."""
    part = onnx.ModelProto()
    part.CopyFrom(model)
    graph, given = part.graph, input_of(model.graph)
    for field in ("node", "initializer", "input", "output", "value_info"):
        graph.ClearField(field)
    graph.node.extend(node for node in needed(model.graph, names) if isinstance(values.get(node.output[0]), Signal))
    for node in graph.node:
        if node.op_type == "MaxPool":
            del node.output[1:]
        for attribute in node.attribute:
            if node.op_type == "Cast" and attribute.name == "to" and attribute.i in FLOATS:
                attribute.i = onnx.TensorProto.DOUBLE
    constants = values | {tensor.name: constant(tensor) for tensor in model.graph.initializer}
    for name in {name for node in graph.node for name in node.input if name} - {given.name}:
        if isinstance(value := constants[name], np.ndarray):
            wide = value.astype(np.float64) if is_float(value) else value
            graph.initializer.append(onnx.numpy_helper.from_array(wide, name))
    graph.input.append(onnx.helper.make_tensor_value_info(given.name, onnx.TensorProto.DOUBLE, None))
    graph.output.extend(onnx.helper.make_tensor_value_info(name, onnx.TensorProto.DOUBLE, None) for name in names)
    return part


def _evaluate(model: Any, names: list[str], chunks: FloatArray) -> list[FloatArray]:
    """These values by onnx, for all chunks of points."""
    try:
        opset = max((entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx")), default=0)
        evaluator = ReferenceEvaluator(model, new_ops=corrected(opset))
        answers = [evaluator.run(names, {model.graph.input[0].name: chunk}) for chunk in chunks]
        return [np.array(values, dtype=np.float64) for values in zip(*answers, strict=True)]
    except Exception as error:  # whatever its operators raise
        raise InputError(f"onnx's own evaluation of the model fails ({reason(error)})") from None
