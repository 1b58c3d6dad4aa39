"""A reading of an ONNX model, compared with onnx's own reference evaluation on random points."""

from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx.reference import ReferenceEvaluator
from onnx.reference.op_run import OpRun

from lpnet.errors import InputError
from lpnet.exact import FloatArray
from lpnet.io.compare import POINTS, check_same, points_for
from lpnet.io.onnx_graph import input_of, needed
from lpnet.io.onnx_values import Value, reason
from lpnet.io.signal import TAILS, Shape, Signal


def compare(model: Any, values: dict[str, Value], batch: int, shape: Shape) -> None:
    """InputError where the reading differs from onnx's evaluation by more than its precision explains."""
    names = _compared(model.graph, values)
    signals = [value for name in names if isinstance(value := values[name], Signal)]
    points = points_for(signals[0], -(-POINTS // batch) * batch)
    precision = _precision(model)
    chunks = points.reshape(-1, batch * shape[0], *shape[1:])
    for answers, signal in zip(_evaluate(model, names, chunks), signals, strict=True):
        check_same(signal, points, answers, precision, "onnx's own evaluation")


def _compared(graph: Any, values: dict[str, Value]) -> list[str]:
    """The arrays that the outputs are made from, before and behind a Sigmoid or the like; of a Softmax all entries."""
    nodes = needed(graph, (end.name for end in graph.output))
    maps = {node.output[0] for node in nodes if node.op_type == "ZipMap"}
    ends = {node.output[0] for node in nodes if node.op_type in TAILS}
    names = ends | {node.input[0] for node in nodes if node.op_type in (*TAILS, "ArgMax", "ZipMap")}
    names |= {end.name for end in graph.output} - maps

    def comparable(name: str) -> bool:
        value = values.get(name)
        return isinstance(value, Signal) and (name in ends or value.tail not in ("Softmax", "LogSoftmax"))

    return sorted(filter(comparable, names))


def _evaluate(model: Any, names: list[str], chunks: NDArray[Any]) -> list[FloatArray]:
    """These values by onnx, for all chunks of points."""
    given = input_of(model.graph)
    part = onnx.ModelProto()
    part.CopyFrom(model)
    del part.graph.node[:]
    part.graph.node.extend(needed(model.graph, names))
    dtype = onnx.helper.tensor_dtype_to_np_dtype(given.type.tensor_type.elem_type)
    try:
        evaluator = ReferenceEvaluator(part, new_ops=_corrected(part))
        answers = [evaluator.run(names, {given.name: chunk.astype(dtype)}) for chunk in chunks]
        return [np.array(values, dtype=np.float64) for values in zip(*answers, strict=True)]
    except Exception as error:  # whatever its operators raise
        raise InputError(f"onnx's own evaluation of the model fails ({reason(error)})") from None


class BatchNormalization(OpRun):
    """Of vectors, with the stored statistics, as the standard has it from opset 7 on for a node with one output.

    Below opset 14 onnx's own takes the statistics of the batch.
    """

    op_domain = ""

    def _run(self, x: Any, scale: Any, bias: Any, mean: Any, var: Any, epsilon: float, **_: Any) -> tuple[Any]:
        return ((scale * (x - mean) / np.sqrt(var + np.float32(epsilon)) + bias).astype(x.dtype),)


def _corrected(model: Any) -> list[type]:
    """The operators of this model that onnx's evaluator gets wrong."""
    opset = max((entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx")), default=0)
    return [BatchNormalization] if 7 <= opset < 14 else []


def _precision(model: Any) -> Any:
    """That of float64 only where everything is."""
    double = input_of(model.graph).type.tensor_type.elem_type == onnx.TensorProto.DOUBLE
    return np.finfo(np.float64 if double and not any(node.op_type == "Cast" for node in model.graph.node) else np.float32)
