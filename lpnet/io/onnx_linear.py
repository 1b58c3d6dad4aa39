"""ONNX's linear models, LinearClassifier, LinearRegressor and SVMRegressor of ai.onnx.ml, put as nodes that all readers know.

Coefficients stay those stored. What a model answers so is compared with what it answered before.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from lpnet.errors import InputError
from lpnet.io.onnx_values import reason, say
from lpnet.io.signal import checked

LINEAR = ("LinearClassifier", "LinearRegressor", "SVMRegressor")
ENDS = {"NONE": "Identity", "LOGISTIC": "Sigmoid", "SOFTMAX": "Softmax"}
OPSET, POINTS, NEAR = 13, 16, 1e-4


def with_plain_nodes(model: Any) -> Any:
    """The model without linear models of ai.onnx.ml: a copy, or itself where there are none."""
    if not any(node.op_type in LINEAR and node.domain == "ai.onnx.ml" for node in model.graph.node):
        return model
    made = onnx.ModelProto()
    made.CopyFrom(model)
    made.graph.ClearField("node")
    for entry in made.opset_import:
        if entry.domain in ("", "ai.onnx") and entry.version < OPSET:
            entry.version = OPSET
    constants: list[Any] = []
    scores: dict[str, tuple[str, int]] = {}
    for number, node in enumerate(model.graph.node):
        try:
            own = {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}
            made.graph.node.extend(_plain(node, own, f"linear_{number}_", constants, scores))
        except InputError:
            raise
        except (TypeError, ValueError, LookupError, AttributeError, MemoryError) as error:
            raise InputError(f"{say(node)} is damaged: its attributes do not fit together ({reason(error)})") from None
    made.graph.initializer.extend(constants)
    _check_same_labels(model, made)
    return made


def _plain(
    node: Any, own: dict[str, Any], prefix: str, constants: list[Any], scores: dict[str, tuple[str, int]]
) -> Iterator[Any]:
    """The nodes in the place of one; scores: how outputs of linear models end, and how many there are."""
    if node.op_type in ("LinearRegressor", "SVMRegressor") and own.get("post_transform", b"NONE") != b"NONE":
        raise InputError(f"{say(node)} has the transform {own['post_transform'].decode()}; wanted NONE")
    if node.op_type == "LinearRegressor":
        weight, bias = _rows(node, own, own.get("targets", 1))
        yield _layer(node.input[0], node.output[0], weight, bias, prefix, constants)
    elif node.op_type == "SVMRegressor":
        if own.get("kernel_type", b"LINEAR") != b"LINEAR" or own.get("one_class"):
            raise InputError(f"{say(node)} has the kernel {own.get('kernel_type', b'').decode()}; wanted LINEAR")
        factors = np.array(own["coefficients"], dtype=np.float32)[None]
        vectors = np.array(own["support_vectors"], dtype=np.float32).reshape(factors.size, -1)
        zeros = np.zeros(factors.size, dtype=np.float32)
        yield _layer(node.input[0], f"{prefix}kernel", vectors, zeros, f"{prefix}k", constants)
        rho = np.array(own.get("rho", [0.0]), dtype=np.float32)
        yield _layer(f"{prefix}kernel", node.output[0], factors, rho, prefix, constants)
    elif node.op_type == "LinearClassifier":
        yield from _classifier(node, own, prefix, constants, scores)
    elif node.op_type == "Normalizer" and node.input[0] in scores:
        end, count = scores[node.input[0]]
        if own.get("norm", b"MAX") != b"L1" or not (end == "SOFTMAX" or (end == "LOGISTIC" and count == 2)):
            raise InputError(f"{say(node)} rescales the outputs of a linear model; wanted its scores, or a SOFTMAX of them")
        scores[node.output[0]] = end, count
        yield helper.make_node("Identity", node.input, node.output)
    elif node.op_type == "ArrayFeatureExtractor" and node.input[0] in scores:
        if scores[node.input[0]][1] != 2:
            raise InputError(f"{say(node)} picks one of several scores; wanted all of them, or the second of two")
        yield helper.make_node(
            "Identity", node.input[:1], node.output
        )  # both: the other one is its negative, or shares with it
    else:
        yield node


def _classifier(
    node: Any, own: dict[str, Any], prefix: str, constants: list[Any], scores: dict[str, tuple[str, int]]
) -> Iterator[Any]:
    """Scores, what is put on them, and the label."""
    labels = own.get("classlabels_strings") or own.get("classlabels_ints") or []
    end = own.get("post_transform", b"NONE").decode()
    if end not in ENDS or len(labels) < 2:
        raise InputError(f"{say(node)} has the transform {end} and {len(labels)} classes; wanted {', '.join(ENDS)}, and two")
    weight, bias = _rows(node, own, len(own.get("intercepts", labels)))
    if len(weight) == 1 and len(labels) == 2:
        weight, bias = np.vstack([-weight, weight]), np.append(-bias, bias)
    kept = [name for name in node.output if name]
    yield _layer(node.input[0], f"{prefix}scores", weight, bias, prefix, constants)
    if len(node.output) > 1 and node.output[1]:
        scores[node.output[1]] = end, len(weight)
        made = helper.make_node(ENDS[end], [f"{prefix}scores"], [node.output[1]])
        made.attribute.extend([helper.make_attribute("axis", 1)] * (end == "SOFTMAX"))
        yield made
    if kept and kept[0] == node.output[0]:
        names = np.array([label.decode() if isinstance(label, bytes) else label for label in labels])
        names = names.astype(object) if names.dtype.kind == "U" else names.astype(np.int64)
        constants.append(numpy_helper.from_array(names, f"{prefix}labels"))
        yield helper.make_node("ArgMax", [f"{prefix}scores"], [f"{prefix}label"], axis=1, keepdims=0)
        found = [f"{prefix}labels", f"{prefix}label"]
        yield helper.make_node("ArrayFeatureExtractor", found, [f"{prefix}name"], domain="ai.onnx.ml")
        yield helper.make_node("Identity", [f"{prefix}name"], [node.output[0]])


def _rows(node: Any, own: dict[str, Any], count: int) -> tuple[Any, Any]:
    """Weights and biases, as they are stored."""
    weight = np.array(own.get("coefficients", []), dtype=np.float32)
    if not weight.size or weight.size % count:
        raise InputError(f"{say(node)} has {weight.size} coefficients for {count} scores")
    checked(say(node), weight)
    return weight.reshape(count, -1), np.array(own.get("intercepts", [0.0] * count), dtype=np.float32)


def _layer(source: str, target: str, weight: Any, bias: Any, prefix: str, constants: list[Any]) -> Any:
    constants.append(numpy_helper.from_array(weight, f"{prefix}weight"))
    constants.append(numpy_helper.from_array(bias, f"{prefix}bias"))
    return helper.make_node("Gemm", [source, f"{prefix}weight", f"{prefix}bias"], [target], transB=1)


def _check_same_labels(model: Any, made: Any) -> None:
    """InputError where onnx's evaluation of the two differs, as far as it takes the model."""
    given = model.graph.input[0]
    sizes = [dim.dim_value for dim in given.type.tensor_type.shape.dim]
    points = np.random.default_rng(0).normal(size=(POINTS, sizes[-1] if sizes and sizes[-1] > 0 else 1)).astype(np.float32)
    try:
        before, after = (ReferenceEvaluator(_evaluable(m)).run(None, {given.name: points}) for m in (model, made))
    except Exception as error:  # whatever its operators raise
        raise InputError(f"onnx's own evaluation of the model fails ({reason(error)})") from None
    for one, other in zip(before, after, strict=True):
        one, other = np.asarray(one).ravel(), np.asarray(other).ravel()
        other = other[1::2] if one.dtype.kind == "f" and other.size == 2 * one.size else other
        same = np.isclose(one, other, rtol=NEAR, atol=NEAR) if one.dtype.kind == "f" else one.astype(str) == other.astype(str)
        if one.shape != other.shape or not same.all():
            raise InputError("lpnet's reading of its linear model disagrees with onnx's own evaluation, so it is not used")


def _evaluable(model: Any) -> Any:
    """The model without ZipMaps, which onnx does not evaluate: what goes into them in their place."""
    made = onnx.ModelProto()
    made.CopyFrom(model)
    maps = {node.output[0]: node.input[0] for node in model.graph.node if node.op_type == "ZipMap"}
    made.graph.ClearField("node")
    made.graph.node.extend(node for node in model.graph.node if node.op_type != "ZipMap")
    names = [maps.get(end.name, end.name) for end in model.graph.output]
    made.graph.ClearField("output")
    made.graph.output.extend(helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None) for name in names)
    return made
