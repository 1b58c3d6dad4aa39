"""What an ONNX graph computes, as signals (`lpnet.io.signal`), node by node; nothing of the graph is executed."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from onnx import helper

from lpnet.errors import InputError
from lpnet.io import onnx_classes, onnx_operators, onnx_signs, onnx_windows
from lpnet.io.onnx_rearranging import ON_CONSTANTS, evaluated, is_rearranging, rearranged
from lpnet.io.onnx_values import FLOATS, READ, Label, Value, constant, say
from lpnet.io.signal import Shape, Signal

OPERATORS = onnx_operators.OPERATORS | onnx_windows.OPERATORS | onnx_classes.OPERATORS | onnx_signs.OPERATORS
MOST_COMPUTED = 10**8
LEARNING = ("ArrayFeatureExtractor", "Scaler", "ZipMap")  # of the domain ai.onnx.ml
OF_LABELS = ("ArrayFeatureExtractor", "Cast", "Flatten", "Gather", "Identity", "Reshape", "Squeeze", "Unsqueeze")


def follow(model: Any, shape: Shape) -> dict[str, Value]:
    """The values that the outputs of the model's graph come from, for one input of this shape.

    Raises InputError naming the first node that lpnet cannot take.
    """
    graph = model.graph
    values: dict[str, Value] = {tensor.name: constant(tensor) for tensor in graph.initializer}
    values |= {given.name: Signal.of_features(shape) for given in graph.input if given.name not in values}
    computed = 0
    for node in needed(graph, (end.name for end in graph.output)):
        results = _results(node, values, model.opset_import)
        computed += sum(value.size for value in results if isinstance(value, np.ndarray))
        if computed > MOST_COMPUTED:
            raise InputError(
                f"{say(node)} makes {computed} constants with those before it; lpnet computes up to {MOST_COMPUTED}"
            )
        values |= zip(node.output, results, strict=False)
    return values


def input_of(graph: Any) -> Any:
    """The only input."""
    stored = {tensor.name for tensor in graph.initializer}
    inputs = [given for given in graph.input if given.name not in stored]
    if graph.sparse_initializer:
        raise InputError("has sparse weights; store them as dense tensors")
    if len(inputs) != 1:
        raise InputError(f"has {len(inputs)} inputs{end_names(inputs)}; wanted one, a vector")
    if not graph.output:
        raise InputError("has no output")
    if inputs[0].type.tensor_type.elem_type not in FLOATS:
        raise InputError(
            f"its input {inputs[0].name!r} is no tensor of float32 or float64 numbers; export it with such an input"
        )
    return inputs[0]


def end_names(ends: Any) -> str:
    """The names of inputs or outputs for a message; damaged ones are bytes."""
    return f" ({', '.join(repr(end.name) for end in ends)})" if ends else ""


def needed(graph: Any, names: Iterable[str]) -> list[Any]:
    """The nodes that these values come from, in the graph's order."""
    wanted, kept = set(names), []
    for node in reversed(graph.node):
        if wanted.intersection(node.output):
            wanted.update(node.input)
            kept.append(node)
    return kept[::-1]


def _results(node: Any, values: dict[str, Value], opsets: Any) -> Sequence[Value]:
    """What a node makes of what comes into it."""
    own = "ai.onnx.ml" if node.op_type in LEARNING else "ai.onnx"
    if (node.domain or "ai.onnx") != own or not node.output:
        raise _unknown(node)
    if lost := [name for name in node.input if name and name not in values]:
        raise InputError(f"{say(node)} takes {lost[0]!r}, which no node before it makes")
    given = [values[name] if name else None for name in node.input]
    if any(isinstance(value, Label) for value in given) and node.op_type not in OF_LABELS:
        raise InputError(f"{say(node)} works on a label; wanted nothing but a name for it there")
    try:
        computed = any(isinstance(value, Signal | Label) for value in given)
        if given and not computed and node.op_type in ON_CONSTANTS:
            return evaluated(node, opsets, given)
        if is_rearranging(node, given):
            return rearranged(node, opsets, given)
        if node.op_type not in OPERATORS:
            raise _unknown(node)
        attributes = {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}
        return (OPERATORS[node.op_type](node, attributes, *given),)
    except InputError:
        raise
    except (TypeError, ValueError, LookupError, AttributeError, OverflowError, MemoryError):
        shapes = " and ".join(str(getattr(value, "shape", "of a label")) for value in given if value is not None) or "none"
        raise InputError(f"{say(node)} does not fit what comes into it, for one point the shapes {shapes}") from None


def _unknown(node: Any) -> InputError:
    return InputError(f"{say(node)} cannot be taken; lpnet reads networks made of {READ}")
