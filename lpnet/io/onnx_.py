"""ONNX models of ReLUs, as scikit-learn's, PyTorch's and TensorFlow's exporters write them, and of threshold units, as lpnet
writes them.

The layers may be Gemm (any alpha, beta and trans attributes that make sense for single points, with or without C), MatMul and
Add in any order of their operands, convolutions, poolings, sums and means, scalers and further affine nodes, nodes between them
that rearrange entries, and Sigmoid, Softmax, Tanh or nothing at the end, with labels made from that. One output is the score;
of two, output 1 − output 0 is, so that class 1 is positive; of more, `outputs` picks two. Ties are +1. There may be several
hidden layers, and branches that Add, Sub, Concat, Max or Min bring together; other gates that are linear in pieces are made of
ReLUs. Affine nodes through which alone the input is read are kept one by one, others composed, and nothing is rounded; what is
computed from constants alone is what the model itself makes of them.

Threshold units are comparisons (GreaterOrEqual, Greater, Less, LessOrEqual, also with Not, And and Or behind them), made
numbers of by Where or Cast, and Sign, in any layer, before ReLUs and behind them. A single one at the end, as ±1 or as 0 and 1
(however these two numbers are made), is the answer itself. One or two layers of them alone are a sign network or a circuit,
others a network of ReLUs and steps.

Sums of trees are read by `lpnet.io.onnx_trees`.

Whatever is read is compared with onnx's own reference evaluation, in float64, on random points before it is handed on.
"""

import json
from contextlib import suppress
from dataclasses import replace
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx.external_data_helper import load_external_data_for_tensor

from lpnet.errors import InputError
from lpnet.io.kinds import MOST_BYTES, MOST_NUMBERS, Outputs
from lpnet.io.levels import same_function
from lpnet.io.onnx_compare import compare
from lpnet.io.onnx_graph import end_names, follow, input_of, needed
from lpnet.io.onnx_linear import with_plain_nodes
from lpnet.io.onnx_rearranging import ARITHMETIC
from lpnet.io.onnx_sparse import sparse_network
from lpnet.io.onnx_trees import ends_in_trees, of_trees
from lpnet.io.onnx_values import Label, Value, is_float, reason, say
from lpnet.io.reading import Reading, check_output_layer, chosen_again, finished
from lpnet.io.rearranging import joined, reshaped
from lpnet.io.signal import Shape, Signal, check_vector, same_features
from lpnet.networks.classifier import Classifier

MOST_NODES = 1000
NAMES_IN = "classes", "class_names", "labels", "names"  # keys of metadata
FEATURES_IN = "features", "feature_names", "feature_names_in", "inputs", "input_names", "columns"


def read(path: Path, outputs: Outputs | None = None) -> Reading:
    """The network in an ONNX file; InputError where it is no such model, naming the node that is in the way."""
    return of_model(_model(path), outputs)


def of_model(model: Any, outputs: Outputs | None = None) -> Reading:
    """The network of an onnx.ModelProto whose weights are all in it."""
    if network := sparse_network(model, names_in(model, NAMES_IN)):
        if not isinstance(network, Classifier) and len(names := names_in(model, NAMES_IN)) == 2:
            network = network.named(labels=names)
        return chosen_again(network, outputs).with_features(names_in(model, FEATURES_IN))
    model, columns = of_one_input(model)
    given = input_of(model.graph)
    _check_operators(model)
    if ends_in_trees(model):
        return of_trees(model, outputs)
    model = with_plain_nodes(model)
    errors = []
    shapes = _point_shapes(given)
    for batch, shape in shapes:
        try:
            with np.errstate(all="ignore"):
                values = follow(model, shape)
                signal = _result(model.graph, values)
                _check_batch(signal, batch, shapes[0][0])
                compare(model, values, batch, shape)
        except InputError as error:
            errors.append(error)
        else:
            made = finished(signal, outputs, signal.names or names_in(model, NAMES_IN))
            return made.noted(*_folded(model.graph, values)).with_features(names_in(model, FEATURES_IN) or columns)
    raise errors[-1 if set(shapes[-1][1][1:]) == {1} else 0]


def of_one_input(model: Any) -> tuple[Any, list[str]]:
    """A model with an input for each column of a data frame as one of a single input, and the names of the columns.

    Others are returned as they are.
    """
    stored = {tensor.name for tensor in model.graph.initializer}
    inputs = [given for given in model.graph.input if given.name not in stored]
    single = all([dim.dim_value for dim in given.type.tensor_type.shape.dim][1:] == [1] for given in inputs)
    if len(inputs) < 2 or not single or len({given.type.tensor_type.elem_type for given in inputs}) > 1:
        return model, []
    made, names = onnx.ModelProto(), [given.name for given in inputs]
    made.CopyFrom(model)
    del made.graph.input[:], made.graph.node[:]
    kind = inputs[0].type.tensor_type.elem_type
    made.graph.input.append(onnx.helper.make_tensor_value_info("lpnet columns", kind, [None, len(names)]))
    for k, name in enumerate(names):
        made.graph.initializer.append(onnx.numpy_helper.from_array(np.array([k]), f"lpnet column {k}"))
        made.graph.node.append(onnx.helper.make_node("Gather", ["lpnet columns", f"lpnet column {k}"], [name], axis=1))
    for node in model.graph.node:
        joins = node.op_type == "FeatureVectorizer" and all(size.ints == [1] * len(node.input) for size in node.attribute)
        made.graph.node.append(onnx.helper.make_node("Concat", node.input, node.output, axis=1) if joins else node)
    return made, names


def names_in(model: Any, keys: tuple[str, ...]) -> list[str]:
    """The names in a model's metadata, a list or the values of an object in JSON; none where it has none."""
    found = {entry.key: entry.value for entry in model.metadata_props if entry.key in keys}
    for key in keys:
        with suppress(ValueError, RecursionError):
            names = json.loads(found.get(key, ""))
            names = list(names.values()) if isinstance(names, dict) else names
            if isinstance(names, list) and all(isinstance(name, str | int) for name in names) and len(set(names)) == len(names):
                return list(map(str, names))
    return []


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
        raise InputError(f"keeps its weights in another file, which cannot be read ({reason(error)})") from None
    return model


def _check_size(folder: Path, tensor: Any) -> None:
    for entry in tensor.external_data:
        file = folder / entry.value
        if entry.key == "location" and file.is_file() and file.stat().st_size > MOST_BYTES:
            raise ValueError(f"it is larger than {MOST_BYTES >> 20} MiB")


def _check_operators(model: Any) -> None:
    """InputError for a model that gives operators a meaning of its own, or is too long."""
    if any(function.domain in ("", "ai.onnx", "ai.onnx.ml") for function in model.functions):
        raise InputError("defines the standard operators anew, which lpnet does not follow; export it with plain ones")
    functions = {(function.domain, function.name) for function in model.functions}
    if called := next((node for node in model.graph.node if (node.domain, node.op_type) in functions), None):
        raise InputError(
            f"{say(called)} is a function that the model itself defines; put the function's nodes in its place by "
            "inline_local_functions(onnx.load(FILE)) of onnx.inliner, and save that"
        )
    if len(model.graph.node) > MOST_NODES:
        raise InputError(f"has {len(model.graph.node)} nodes; lpnet reads up to {MOST_NODES}")


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
        elif isinstance(value, Signal):
            check_vector(f"the output {end.name!r}", value.shape)
            signals.append(value)
        else:
            raise InputError(f"its output {end.name!r} does not depend on its input; wanted scores that do")
    signal = _together(graph, signals or labels)
    for label in labels:
        _check_same(graph, signal, label)
    names = {given.names for given in (*signals, *labels) if given.names}
    if len(names) > 1:
        raise InputError("its outputs have different names for the classes; export the scores or probabilities alone")
    check_output_layer(signal, meant=True)  # which of them is asked for is not known here
    return replace(signal, names=names.pop() if names else ())


def _together(graph: Any, signals: list[Signal]) -> Signal:
    """One signal for several outputs: the same one, before and behind a Sigmoid or the like, or single numbers in a row."""
    first = signals[0]
    beside = all(prod(s.shape) == 1 and same_features(s, first) and s.tail == first.tail for s in signals)
    if len(signals) > 1 and beside:
        return joined([reshaped(signal, (1,)) for signal in signals], -1)
    for signal in signals:
        _check_same(graph, first, signal)
    return next((signal for signal in signals if signal.tail), first)


def _check_same(graph: Any, first: Signal, other: Signal) -> None:
    """InputError where two outputs are not the same numbers, up to Sigmoid and the like."""
    if not same_function(first, other):
        raise InputError(
            f"has {len(graph.output)} outputs{end_names(graph.output)}, which are different functions; "
            "export the scores or probabilities alone"
        )


def _folded(graph: Any, values: dict[str, Value]) -> list[str]:
    """A note on constants that the model computes, where it rounds them itself."""
    nodes = needed(graph, (end.name for end in graph.output))
    made = [node for node in nodes if node.op_type in ARITHMETIC and isinstance(values[node.output[0]], np.ndarray)]
    names = [say(node).removeprefix("the node ") for node in made if is_float(values[node.output[0]])]
    return [f"constants: those that {', '.join(names)} make, rounded as the model itself does"] if names else []


def _check_batch(signal: Signal, batch: int, possible: int) -> None:
    """InputError where a reading for one point may as well be one for a whole batch, with an output for each point."""
    if batch < possible == prod(signal.shape):
        raise InputError(
            f"takes either a batch of {possible} points or one point with {possible} outputs; export it for one point"
        )
