"""ONNX models with one hidden layer of ReLUs.

The layers may be Gemm (any alpha, beta and trans attributes that make sense for single points, with or without C) or MatMul
and Add in any order of their operands, with nodes between them that only reshape a vector, and Sigmoid, Softmax or nothing
at the end. One output is the score; of two, output 1 − output 0 is, so that class 1 is positive; of more, `outputs` picks two.
Ties are +1. Stored float32 numbers become float64 exactly; alpha, beta and differences of outputs are folded in float64.

Whatever is read is compared with onnx's own reference evaluation on random points before it is handed on.
"""

from dataclasses import dataclass
from pathlib import Path
from textwrap import shorten
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx.reference import ReferenceEvaluator

from lpnet.errors import InputError
from lpnet.exact import FloatArray
from lpnet.io.kinds import Outputs, score_of
from lpnet.io.onnx_graph import FLOATS, Shape, Signal, check_vector, follow, say
from lpnet.networks import ReLUNetwork

POINTS = 64
MOST_NUMBERS = 10**7
SCALES = (0.1, 1.0, 10.0, 1000.0)


@dataclass(frozen=True)
class Reading:
    """What a model computes: W R(U x + b) + c, with Sigmoid, Softmax or nothing behind.

    batch: how many points the model wants at once; shape: what one point is in it;
    hidden_weight: U, (n, d); hidden_bias: b, (n,); weight: W, (m, n); bias: c, (m,);
    tail: "Sigmoid", "Softmax" or ""; scores: the name of W R(U x + b) + c in the graph.
    """

    batch: int
    shape: Shape
    hidden_weight: FloatArray
    hidden_bias: FloatArray
    weight: FloatArray
    bias: FloatArray
    tail: str
    scores: str


def read(path: Path, outputs: Outputs | None = None) -> ReLUNetwork:
    """The network in an ONNX file; InputError where it is no such model, naming the node that is in the way."""
    model = _model(path)
    given, result = _ends(model.graph)
    errors = []
    shapes = _point_shapes(given)
    for batch, shape in shapes:
        try:
            with np.errstate(all="ignore"):
                reading = _reading(model.graph, result, batch, shape)
                _check_batch(reading, shapes[0][0])
                _compare(model, reading)
        except InputError as error:
            errors.append(error)
        else:
            weight, bias = score_of(reading.weight, reading.bias, outputs)
            return ReLUNetwork(reading.hidden_weight, reading.hidden_bias, weight, bias)
    raise errors[-1 if set(shapes[-1][1][1:]) == {1} else 0]


def _model(path: Path) -> Any:
    """The file's content, with its external data.

    onnx's checker is not asked: it wants shapes that many exporters leave out, and nothing here relies on what it checks.
    """
    try:
        model = onnx.load(path, load_external_data=False)
    except OSError:
        raise
    except Exception:  # protobuf's own errors are no public type
        raise InputError("is not an ONNX file, or is cut off") from None
    try:
        onnx.load_external_data_for_model(model, str(path.resolve().parent))
    except Exception as error:
        raise InputError(f"keeps its weights in another file, which cannot be read ({_reason(error)})") from None
    return model


def _reason(error: Exception) -> str:
    return shorten(str(error), 200) or type(error).__name__


def _ends(graph: Any) -> tuple[Any, str]:
    """The only input and the name of the only output."""
    stored = {tensor.name for tensor in graph.initializer}
    inputs = [given for given in graph.input if given.name not in stored]
    if graph.sparse_initializer:
        raise InputError("has sparse weights; store them as dense tensors")
    if len(inputs) != 1:
        raise InputError(f"has {len(inputs)} inputs{_names(inputs)}; wanted one, a vector")
    if len(graph.output) != 1:
        raise InputError(_too_many_outputs(graph))
    if inputs[0].type.tensor_type.elem_type not in FLOATS:
        raise InputError(
            f"its input {inputs[0].name!r} is no tensor of float32 or float64 numbers; export it with such an input"
        )
    return inputs[0], graph.output[0].name


def _too_many_outputs(graph: Any) -> str:
    labels = [node for node in graph.node if node.domain not in ("", "ai.onnx") or node.op_type == "ArgMax"]
    culprit = f", and {say(labels[0])} makes labels, which lpnet does not read" if labels else ""
    return f"has {len(graph.output)} outputs{_names(graph.output)}{culprit}; export the scores or probabilities alone"


def _names(ends: Any) -> str:
    """The names of inputs or outputs for a message; damaged ones are bytes."""
    return f" ({', '.join(repr(end.name) for end in ends)})" if ends else ""


def _point_shapes(given: Any) -> list[tuple[int, Shape]]:
    """The batch size that the model wants and the shape of one point in it, in all ways in which its input can be meant.

    Where every size is fixed, the first is that of a batch, or else the input is one point, such as a column.
    """
    sizes = [dim.dim_value if dim.dim_value > 0 else None for dim in given.type.tensor_type.shape.dim]
    if not sizes or sum(size is None for size in sizes) > 1:
        raise InputError(f"its input {given.name!r} does not say how many numbers a point has; export it with a fixed width")
    shape = tuple(size or 1 for size in sizes)
    if np.prod(shape, dtype=object) > MOST_NUMBERS:
        raise InputError(f"its input {given.name!r} takes an array of shape {shape}; export it for a single point")
    as_batch = [(shape[0], (1, *shape[1:]))] if len(shape) > 1 and shape[0] > 1 and None not in sizes else []
    return [*as_batch, (1, shape)]


def _reading(graph: Any, result: str, batch: int, shape: Shape) -> Reading:
    """What the graph's output is, each point having this shape."""
    signal = follow(graph, shape).get(result)
    if not isinstance(signal, Signal) or signal.hidden is None:
        raise InputError(f"has no Relu between its input and its output {result!r}; wanted one hidden layer of Relu units")
    check_vector(f"the output {result!r}", signal.shape)
    return Reading(batch, shape, *signal.hidden, *signal.affine(), signal.tail, signal.before_tail or result)


def _check_batch(reading: Reading, possible: int) -> None:
    """InputError where a reading for one point may as well be one for a whole batch, with an output for each point."""
    if reading.batch < possible == len(reading.bias):
        raise InputError(
            f"takes either a batch of {possible} points or one point with {possible} outputs; export it for one point"
        )


def _compare(model: Any, reading: Reading) -> None:
    """InputError where the reading differs from onnx's evaluation by more than float32 rounding explains."""
    rng = np.random.default_rng(0)
    count = -(-POINTS // reading.batch) * reading.batch
    scale = np.resize(SCALES, count)[:, None]
    points = (scale * rng.standard_normal((count, reading.hidden_weight.shape[1]))).astype(np.float32)
    wanted, wanted_scores = _evaluate(model, reading, points)
    scores, tolerance = _scores(reading, points.astype(np.float64))
    final, final_tolerance = _with_tail(reading.tail, scores, tolerance)
    agree = (np.abs(wanted_scores - scores) <= tolerance) & (np.abs(wanted - final) <= final_tolerance)
    if not agree.all():
        raise InputError("lpnet's reading of the model disagrees with onnx's own evaluation, so it is not used")


def _evaluate(model: Any, reading: Reading, points: NDArray[Any]) -> list[FloatArray]:
    """The model's output, and its value before Sigmoid or Softmax, by onnx; both (points, outputs)."""
    given, result = _ends(model.graph)
    dtype = onnx.helper.tensor_dtype_to_np_dtype(given.type.tensor_type.elem_type)
    chunks = points.astype(dtype).reshape(-1, reading.batch * reading.shape[0], *reading.shape[1:])
    try:
        evaluator = ReferenceEvaluator(model)
        answers = [evaluator.run([result, reading.scores], {given.name: chunk}) for chunk in chunks]
        return [
            np.array(values, dtype=np.float64).reshape(len(points), len(reading.bias)) for values in zip(*answers, strict=True)
        ]
    except Exception as error:  # whatever its operators raise
        raise InputError(f"onnx's own evaluation of the model fails ({_reason(error)})") from None


def _scores(reading: Reading, points: FloatArray) -> tuple[FloatArray, FloatArray]:
    """All outputs before Sigmoid or Softmax, as read, and how far float32 may be from them; both (points, outputs).

    |error| ≤ γ (|W| (|U||x| + |b|) + |c|) with γ about one rounding for each of the d + n terms; four times that is allowed.
    """
    hidden = np.maximum(points @ reading.hidden_weight.T + reading.hidden_bias, 0)
    reach = np.abs(points) @ np.abs(reading.hidden_weight).T + np.abs(reading.hidden_bias)
    magnitude = reach @ np.abs(reading.weight).T + np.abs(reading.bias)
    single = np.finfo(np.float32)
    underflow = float(single.tiny) * (1 + np.abs(reading.weight).sum(axis=1))
    operations = sum(reading.hidden_weight.shape) + 8
    return hidden @ reading.weight.T + reading.bias, 4 * operations * (float(single.eps) * magnitude + underflow)


def _with_tail(tail: str, scores: FloatArray, tolerance: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Sigmoid or Softmax of the scores; their slopes are at most 1/4 and 1/2."""
    rounding = 16 * float(np.finfo(np.float32).eps)
    if tail == "Sigmoid":
        return 1 / (1 + np.exp(-scores)), tolerance / 4 + rounding
    if tail == "Softmax":
        powers = np.exp(scores - scores.max(axis=1, keepdims=True))
        return powers / powers.sum(axis=1, keepdims=True), tolerance.max(axis=1, keepdims=True) / 2 + rounding
    return scores, tolerance
