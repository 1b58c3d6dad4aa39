"""A reading of an ONNX model, compared with onnx's own reference evaluation on random points."""

from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx.reference import ReferenceEvaluator
from onnx.reference.op_run import OpRun

from lpnet.errors import InputError
from lpnet.exact import FloatArray
from lpnet.io.onnx_graph import input_of, needed
from lpnet.io.onnx_values import Value, reason
from lpnet.io.signal import BOOLEAN, TAILS, Shape, Signal

POINTS = 64
LEAST_LOGARITHM = -80.0  # below, float32 loses the probability
SCALES = (0.1, 1.0, 10.0, 1000.0)


def compare(model: Any, values: dict[str, Value], batch: int, shape: Shape) -> None:
    """InputError where the reading differs from onnx's evaluation by more than float32 rounding explains."""
    names = _compared(model.graph, values)
    signals = [value for name in names if isinstance(value := values[name], Signal)]
    rng = np.random.default_rng(0)
    count = -(-POINTS // batch) * batch
    scale = np.resize(SCALES, count)[:, None]
    precision = _precision(model)
    points = (scale * rng.standard_normal((count, int(np.prod(shape))))).astype(np.float32)
    for wanted, signal in zip(_evaluate(model, names, points.reshape(-1, batch * shape[0], *shape[1:])), signals, strict=True):
        scores, tolerance, _ = _scores(signal, points.astype(np.float64), precision)
        final, tolerance = _with_tail(signal.tail, scores, tolerance)
        if wanted.size != final.size or not _near(wanted.reshape(final.shape), final, tolerance).all():
            raise InputError("lpnet's reading of the model disagrees with onnx's own evaluation, so it is not used")


def _near(wanted: FloatArray, final: FloatArray, tolerance: FloatArray) -> NDArray[np.bool_]:
    """Whether they are no further apart; where sums overflow, floats cannot tell."""
    with np.errstate(all="ignore"):
        return (np.abs(wanted - final) <= tolerance) | ~np.isfinite(tolerance)


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


def _scores(signal: Signal, points: FloatArray, precision: Any) -> tuple[FloatArray, FloatArray, FloatArray]:
    """The entries before Sigmoid or the like, as read, how far the model's precision may be from them, and the sums of the
    absolute values of all that was added on the way; each (points, entries).

    |error| ≤ what comes in with the features, and γ Σ |all that is added|, γ about one rounding for each of the terms; four
    times that is allowed.
    """
    features, error, reach = _features(signal, points, precision)
    weight, bias = _floats(*signal.affine())
    reach_weight, reach_bias = signal.magnitudes()
    magnitude = reach @ reach_weight.T + reach_bias
    underflow = float(precision.tiny) * (1 + reach_weight.sum(axis=1))
    rounding = 4 * (sum(weight.shape) + 8) * len(signal.steps) * (float(precision.eps) * magnitude + underflow)
    return features @ weight.T + bias, error @ reach_weight.T + rounding, magnitude


def _features(signal: Signal, points: FloatArray, precision: Any) -> tuple[FloatArray, FloatArray, FloatArray]:
    """The same for the features of a signal: a threshold unit whose sum may be on either side of 0 may be off by 2."""
    if signal.base:
        return _scores(signal.base, points, precision)
    if signal.hidden is None:
        return points, np.zeros_like(points), np.abs(points)
    scores, tolerance, magnitude = _scores(signal.hidden, points, precision)
    if not signal.signs:
        return np.maximum(scores, 0), tolerance, magnitude
    return np.where(scores >= 0, 1.0, -1.0), np.where(np.abs(scores) > tolerance, 0.0, 2.0), np.ones_like(scores)


def _precision(model: Any) -> Any:
    """That of float64 only where everything is."""
    double = input_of(model.graph).type.tensor_type.elem_type == onnx.TensorProto.DOUBLE
    return np.finfo(np.float64 if double and not any(node.op_type == "Cast" for node in model.graph.node) else np.float32)


def _floats(*numbers: Any) -> list[FloatArray]:
    try:
        return [np.array([float(entry) for entry in array.flat]).reshape(array.shape) for array in map(np.asarray, numbers)]
    except OverflowError:
        raise InputError("folding its layers into one gives weights that float64 cannot hold") from None


def _with_tail(tail: str, scores: FloatArray, tolerance: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Sigmoid or the like of the scores; the slopes of Sigmoid, Softmax, Tanh and LogSoftmax are at most 1/4, 1/2, 1 and 2."""
    rounding = 16 * float(np.finfo(np.float32).eps)
    if tail == BOOLEAN:
        return (1 + scores) / 2, tolerance / 2
    if tail == "Sigmoid":
        return 1 / (1 + np.exp(-scores)), tolerance / 4 + rounding
    if tail == "Tanh":
        return np.tanh(scores), tolerance + rounding
    if tail:
        powers = np.exp(scores - scores.max(axis=1, keepdims=True))
        worst, total = tolerance.max(axis=1, keepdims=True), powers.sum(axis=1, keepdims=True)
        if tail == "Softmax":
            return powers / total, worst / 2 + rounding
        logarithm = scores - scores.max(axis=1, keepdims=True) - np.log(total)
        kept = logarithm > LEAST_LOGARITHM
        return logarithm, np.where(kept, 2 * worst + rounding * (1 + np.abs(logarithm)), np.inf)
    return scores, tolerance
