"""ONNX models with one hidden layer of ReLUs, as scikit-learn's, PyTorch's and TensorFlow's exporters write them.

The layers may be Gemm (any alpha, beta and trans attributes that make sense for single points, with or without C) or MatMul
and Add in any order of their operands, scalers and further affine nodes in front, nodes between them that only reshape a
vector, and Sigmoid, Softmax, Tanh or nothing at the end, with labels made from that. One output is the score; of two, output
1 − output 0 is, so that class 1 is positive; of more, `outputs` picks two. Ties are +1. Affine nodes with no Relu between them
are multiplied in rationals and rounded once to float64; stored float32 numbers become float64 exactly.

Whatever is read is compared with onnx's own reference evaluation on random points before it is handed on.
"""

from pathlib import Path
from textwrap import shorten
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx.external_data_helper import load_external_data_for_tensor
from onnx.reference import ReferenceEvaluator
from onnx.reference.op_run import OpRun

from lpnet.errors import InputError
from lpnet.exact import FloatArray
from lpnet.io.kinds import MOST_BYTES, MOST_NUMBERS, Outputs
from lpnet.io.onnx_graph import FLOATS, Label, Value, follow, needed
from lpnet.io.reading import Reading, check_output_layer, finished
from lpnet.io.signal import TAILS, Shape, Signal, check_vector, joined

POINTS = 64
MOST_NODES = 1000
LEAST_LOGARITHM = -80.0  # below, float32 loses the probability
SCALES = (0.1, 1.0, 10.0, 1000.0)


def read(path: Path, outputs: Outputs | None = None) -> Reading:
    """The network in an ONNX file; InputError where it is no such model, naming the node that is in the way."""
    return of_model(_model(path), outputs)


def of_model(model: Any, outputs: Outputs | None = None) -> Reading:
    """The network of an onnx.ModelProto whose weights are all in it."""
    given = _input(model.graph)
    _check_operators(model)
    errors = []
    shapes = _point_shapes(given)
    for batch, shape in shapes:
        try:
            with np.errstate(all="ignore"):
                values = follow(model.graph, shape)
                signal = _result(model.graph, values)
                _check_batch(signal, batch, shapes[0][0])
                _compare(model, values, batch, shape)
        except InputError as error:
            errors.append(error)
        else:
            return finished(signal, outputs, signal.names)
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
    folder = path.resolve().parent
    try:
        for tensor in model.graph.initializer:
            if tensor.data_location == onnx.TensorProto.EXTERNAL:
                _check_size(folder, tensor)
                load_external_data_for_tensor(tensor, str(folder))
                tensor.data_location = onnx.TensorProto.DEFAULT
    except Exception as error:
        raise InputError(f"keeps its weights in another file, which cannot be read ({_reason(error)})") from None
    return model


def _check_size(folder: Path, tensor: Any) -> None:
    for entry in tensor.external_data:
        file = folder / entry.value
        if entry.key == "location" and file.is_file() and file.stat().st_size > MOST_BYTES:
            raise ValueError(f"it is larger than {MOST_BYTES >> 20} MiB")


def _reason(error: Exception) -> str:
    return shorten(str(error), 200) or type(error).__name__


def _input(graph: Any) -> Any:
    """The only input."""
    stored = {tensor.name for tensor in graph.initializer}
    inputs = [given for given in graph.input if given.name not in stored]
    if graph.sparse_initializer:
        raise InputError("has sparse weights; store them as dense tensors")
    if len(inputs) != 1:
        raise InputError(f"has {len(inputs)} inputs{_names(inputs)}; wanted one, a vector")
    if not graph.output:
        raise InputError("has no output")
    if inputs[0].type.tensor_type.elem_type not in FLOATS:
        raise InputError(
            f"its input {inputs[0].name!r} is no tensor of float32 or float64 numbers; export it with such an input"
        )
    return inputs[0]


def _check_operators(model: Any) -> None:
    """InputError for a model that gives operators a meaning of its own, or is too long."""
    if any(function.domain in ("", "ai.onnx", "ai.onnx.ml") for function in model.functions):
        raise InputError("defines the standard operators anew, which lpnet does not follow; export it with plain ones")
    if len(model.graph.node) > MOST_NODES:
        raise InputError(f"has {len(model.graph.node)} nodes; lpnet reads one hidden layer, and up to {MOST_NODES}")


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


def _result(graph: Any, values: dict[str, Value]) -> Signal:
    """The model's outputs: the numbers among the graph's outputs, side by side, which its labels have to be made from."""
    signals, labels = [], []
    for end in graph.output:
        value = values.get(end.name)
        if isinstance(value, Label):
            labels.append(value.source)
        elif isinstance(value, Signal) and value.hidden is not None:
            check_vector(f"the output {end.name!r}", value.shape)
            signals.append(value)
        else:
            raise InputError(
                f"has no Relu between its input and its output {end.name!r}; wanted one hidden layer of Relu units"
            )
    signal = _together(graph, signals or labels)
    for label in labels:
        _check_same(graph, signal, label)
    names = {given.names for given in (*signals, *labels) if given.names}
    if len(names) > 1:
        raise InputError("its outputs have different names for the classes; export the scores or probabilities alone")
    check_output_layer(signal)
    return Signal(**{**vars(signal), "names": names.pop() if names else ()})


def _together(graph: Any, signals: list[Signal]) -> Signal:
    """One signal for several outputs: the same one, before and behind a Sigmoid or the like, or single numbers in a row."""
    first = signals[0]
    if len(signals) > 1 and all(signal.coefficients[0].size == 1 for signal in signals):
        return joined([Signal(**{**vars(signal), **_row(signal)}) for signal in signals], -1)
    for signal in signals:
        _check_same(graph, first, signal)
    return next((signal for signal in signals if signal.tail), first)


def _row(signal: Signal) -> dict[str, Any]:
    return {name: getattr(signal, name).reshape(-1, 1) for name in ("coefficients", "magnitude")}


def _check_same(graph: Any, first: Signal, other: Signal) -> None:
    """InputError where two outputs are not the same numbers, up to Sigmoid and the like."""
    same = first.hidden is other.hidden and first.coefficients[0].size == other.coefficients[0].size
    if not same or not all((a == b).all() for a, b in zip(first.affine(), other.affine(), strict=True)):
        raise InputError(
            f"has {len(graph.output)} outputs{_names(graph.output)}, which are different functions; "
            "export the scores or probabilities alone"
        )


def _check_batch(signal: Signal, batch: int, possible: int) -> None:
    """InputError where a reading for one point may as well be one for a whole batch, with an output for each point."""
    if batch < possible == signal.coefficients[0].size:
        raise InputError(
            f"takes either a batch of {possible} points or one point with {possible} outputs; export it for one point"
        )


def _compare(model: Any, values: dict[str, Value], batch: int, shape: Shape) -> None:
    """InputError where the reading differs from onnx's evaluation by more than float32 rounding explains."""
    names = _compared(model.graph, values)
    signals = [value for name in names if isinstance(value := values[name], Signal)]
    rng = np.random.default_rng(0)
    count = -(-POINTS // batch) * batch
    scale = np.resize(SCALES, count)[:, None]
    points = (scale * rng.standard_normal((count, int(np.prod(shape))))).astype(np.float32)
    for wanted, signal in zip(_evaluate(model, names, points.reshape(-1, batch * shape[0], *shape[1:])), signals, strict=True):
        scores, tolerance = _scores(signal, points.astype(np.float64))
        final, tolerance = _with_tail(signal.tail, scores, tolerance)
        if wanted.size != final.size or not (np.abs(wanted.reshape(final.shape) - final) <= tolerance).all():
            raise InputError("lpnet's reading of the model disagrees with onnx's own evaluation, so it is not used")


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
    given = _input(model.graph)
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
        raise InputError(f"onnx's own evaluation of the model fails ({_reason(error)})") from None


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


def _scores(signal: Signal, points: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The entries before Sigmoid or the like, as read, and how far float32 may be from them; both (points, entries).

    |error| ≤ γ Σ |all that is added|, γ about one rounding for each of the terms on the way; four times that is allowed.
    """
    assert signal.hidden is not None
    weight, bias, output_weight, output_bias = _floats(*signal.hidden.affine(), *signal.affine())
    hidden = np.maximum(points @ weight.T + bias, 0)
    reach_weight, reach_bias, output_reach, output_reach_bias = (*signal.hidden.magnitudes(), *signal.magnitudes())
    reach = np.abs(points) @ reach_weight.T + reach_bias
    magnitude = reach @ output_reach.T + output_reach_bias
    single = np.finfo(np.float32)
    underflow = float(single.tiny) * (1 + output_reach.sum(axis=1))
    operations = (sum(weight.shape) + 8) * (len(signal.hidden.steps) + len(signal.steps))
    return hidden @ output_weight.T + output_bias, 4 * operations * (float(single.eps) * magnitude + underflow)


def _floats(*numbers: Any) -> list[FloatArray]:
    return [np.array([float(entry) for entry in array.flat]).reshape(array.shape) for array in map(np.asarray, numbers)]


def _with_tail(tail: str, scores: FloatArray, tolerance: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Sigmoid or the like of the scores; the slopes of Sigmoid, Softmax, Tanh and LogSoftmax are at most 1/4, 1/2, 1 and 2."""
    rounding = 16 * float(np.finfo(np.float32).eps)
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
