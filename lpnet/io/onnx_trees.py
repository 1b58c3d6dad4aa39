"""ONNX models that end in trees: TreeEnsembleClassifier or TreeEnsembleRegressor of ai.onnx.ml, perhaps behind scalers.

Thresholds and values are those stored (float32, as a rule), and sums of them are exact, where runtimes round them. All six
kinds of comparison are read; x = t is two splits, x ≤ t and x < t. Of a classifier with one score the class is the second one
where the score is > 1/2 (no transform behind it) or > 0 (Sigmoid or the like), as onnx's own evaluation has it, with which the
sums are compared.
"""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
import onnx
from onnx import helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from lpnet.errors import InputError
from lpnet.exact import FloatArray, Numbers, fraction, shortened
from lpnet.io.kinds import Outputs
from lpnet.io.onnx_graph import follow, input_of, needed
from lpnet.io.onnx_values import reason, say
from lpnet.io.reading import Reading
from lpnet.io.signal import Signal, checked
from lpnet.io.trees import CAST, NAN, check_trees, finished_trees, front_of, identity
from lpnet.networks.tree_table import Node, Table

CLASSIFIER, REGRESSOR = "TreeEnsembleClassifier", "TreeEnsembleRegressor"
OPERATORS = (CLASSIFIER, REGRESSOR)
BEHIND = ("Cast", "Identity", "Normalizer", "ZipMap")
TRANSFORMS = {"NONE": "", "LOGISTIC": "Sigmoid", "SOFTMAX": "Softmax", "SOFTMAX_ZERO": "Softmax"}


def ends_in_trees(model: Any) -> bool:
    """Whether a model has trees that this module reads."""
    return any(node.op_type in OPERATORS for node in model.graph.node)


def of_trees(model: Any, outputs: Outputs | None) -> Reading:
    """The ensemble of a model with one node of trees."""
    given = input_of(model.graph)
    nodes = [node for node in model.graph.node if node.op_type in OPERATORS]
    if len(nodes) != 1 or nodes[0].domain != "ai.onnx.ml" or not nodes[0].input or not nodes[0].output:
        raise InputError(f"has {len(nodes)} nodes of trees; wanted one, of the domain ai.onnx.ml, with an input and an output")
    (node,) = nodes
    signal = _in_front(model, given, node)
    _check_behind(model.graph, node)
    features = int(np.prod(signal.shape))
    try:
        own = {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}
        parts = _parts(node, own, features)
        ensemble = parts.table.ensemble(features, parts.weight, parts.bias, front_of(signal))
    except InputError:
        raise
    except (TypeError, ValueError, LookupError, AttributeError, StopIteration) as error:
        raise InputError(f"{say(node)} is damaged: its attributes do not fit together ({reason(error)})") from None
    check_trees(ensemble, signal, lambda points: _scores(model, given, node, own, parts, points), "onnx's own evaluation")
    notes = [CAST.format(who="a runtime that takes float32"), NAN]
    return finished_trees(ensemble, parts.weight, parts.bias, outputs, parts.names, parts.tail, parts.tie, notes)


def _in_front(model: Any, given: Any, node: Any) -> Signal:
    """What the trees read."""
    part = onnx.ModelProto()
    part.CopyFrom(model)
    part.graph.ClearField("output")
    part.graph.output.append(helper.make_tensor_value_info(node.input[0], onnx.TensorProto.FLOAT, None))
    shape = tuple(dim.dim_value if dim.dim_value > 0 else 1 for dim in given.type.tensor_type.shape.dim)
    if len(shape) != 2 or shape[1] < 1:
        raise InputError(f"its input {given.name!r} has the shape {shape}; wanted points in rows, of a fixed width")
    value = follow(part, (1, shape[1])).get(node.input[0])
    if not isinstance(value, Signal):
        raise InputError(f"{say(node)} does not read the input; wanted trees that do")
    return value


def _check_behind(graph: Any, node: Any) -> None:
    """InputError for what changes the labels or scores."""
    made = set(node.output)
    for other in graph.node:
        if made.intersection(other.input):
            if other.op_type not in BEHIND:
                raise InputError(f"{say(other)} comes behind the trees; wanted nothing but {', '.join(BEHIND)} there")
            made.update(other.output)


class Parts(NamedTuple):
    """Trees, the outputs made of their sums, the names of the classes, what is put on the outputs, and who wins a tie."""

    table: Table
    weight: Numbers
    bias: Numbers
    names: Sequence[Any]
    tail: str
    tie: int


def _parts(node: Any, own: dict[str, Any], features: int) -> Parts:
    classifier = node.op_type == CLASSIFIER
    kind = "class" if classifier else "target"
    transform = own.get("post_transform", b"NONE").decode()
    if transform not in TRANSFORMS or (transform != "NONE" and not classifier):
        raise InputError(f"{say(node)} has the transform {transform}; wanted {', '.join(TRANSFORMS)}, of a regressor NONE")
    names = [
        c.decode() if isinstance(c, bytes) else c for c in own.get("classlabels_strings", own.get("classlabels_int64s", []))
    ]
    ids = own.get(f"{kind}_ids", [])
    width = max(len(names), 1) if classifier else own.get("n_targets", 1)
    single = classifier and len(set(ids)) == 1 and width <= 2
    table = _table(node, own, kind, 1 if single else width, features)
    share = 1
    if not classifier and (how := own.get("aggregate_function", b"SUM")) != b"SUM":
        if how != b"AVERAGE":
            raise InputError(f"{say(node)} takes the {how.decode()} over its trees; wanted SUM or AVERAGE")
        share = len(table.roots)
    base = checked(say(node), np.asarray(_floats(own, "base_values") or [0.0] * table.width, dtype=np.float64))
    if len(base) != table.width and not (single and len(base) == 1):
        raise InputError(f"{say(node)} has {len(base)} base values for {table.width} sums")
    if single and transform == "NONE":
        base = shortened([fraction(base[0]) - Fraction(1, 2)])
    return Parts(table, identity(table.width, share), base, names, TRANSFORMS[transform], 0 if classifier else 1)


def _floats(own: dict[str, Any], name: str) -> list[float]:
    """Floats of an attribute, of float32, or of a tensor of doubles."""
    tensor = own.get(f"{name}_as_tensor")
    return list(own.get(name, [])) if tensor is None else numpy_helper.to_array(tensor).astype(np.float64).tolist()


def _table(node: Any, own: dict[str, Any], kind: str, width: int, features: int) -> Table:
    """The trees."""
    keys = list(zip(own["nodes_treeids"], own["nodes_nodeids"], strict=True))
    rows = dict(zip(keys, range(len(keys)), strict=True))
    adds: dict[tuple[int, int], list[float]] = {}
    listed = zip(
        own[f"{kind}_treeids"], own[f"{kind}_nodeids"], own[f"{kind}_ids"], _floats(own, f"{kind}_weights"), strict=True
    )
    for tree, name, column, weight in listed:
        value = adds.setdefault((tree, name), [0.0] * width)
        value[column if width > 1 else 0] += weight
    values = _floats(own, "nodes_values")

    def node_of(key: Any) -> Node:
        row = rows[key[:2]]
        mode = own["nodes_modes"][row].decode()
        if mode == "LEAF":
            return Node(adds.get(key[:2], [0.0] * width))
        yes, no = ((key[0], own[f"nodes_{side}nodeids"][row]) for side in ("true", "false"))
        feature, t = own["nodes_featureids"][row], values[row]
        if not 0 <= feature < features:
            raise InputError(f"{say(node)} splits input {feature} of {features}")
        if len(key) == 3:  # the second split of x = t or x ≠ t
            return Node((), feature, t, True, *((no, yes) if mode == "BRANCH_EQ" else (yes, no)))
        if mode in ("BRANCH_EQ", "BRANCH_NEQ"):
            return Node((), feature, t, False, (*key, "="), no if mode == "BRANCH_EQ" else yes)
        if mode not in MODES:
            raise InputError(f"{say(node)} compares by {mode}; wanted {', '.join(MODES)}")
        strict, turned = MODES[mode]
        return Node((), feature, t, strict, *((no, yes) if turned else (yes, no)))

    table = Table(width)
    for tree in sorted(set(own["nodes_treeids"])):
        table.add(next(key for key in keys if key[0] == tree), node_of)
    return table


MODES = {  # x < t rather than x ≤ t, and whether its true side is the right one
    "BRANCH_LEQ": (False, False),
    "BRANCH_LT": (True, False),
    "BRANCH_GTE": (True, True),
    "BRANCH_GT": (False, True),
}


def _scores(model: Any, given: Any, node: Any, own: dict[str, Any], parts: Parts, points: FloatArray) -> FloatArray:
    """The sums as onnx's own evaluation has them, without what is put on them."""
    part = onnx.ModelProto()
    part.CopyFrom(model)
    name = node.output[1] if node.op_type == CLASSIFIER else node.output[0]
    for other in part.graph.node:
        for attribute in other.attribute:
            if other.op_type in OPERATORS and attribute.name == "post_transform":
                attribute.s = b"NONE"
    part.graph.ClearField("output")
    part.graph.output.append(helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None))
    kept = needed(part.graph, [name])
    part.graph.ClearField("node")
    part.graph.node.extend(kept)
    wide = given.type.tensor_type.elem_type == onnx.TensorProto.DOUBLE
    points = points.astype(np.float64 if wide else np.float32)
    try:
        (scores,) = ReferenceEvaluator(part).run([name], {given.name: points})
    except Exception as error:  # whatever its operators raise
        raise InputError(f"onnx's own evaluation of the model fails ({str(error)[:100]})") from None
    scores = np.asarray(scores, dtype=np.float64)
    single = len(parts.bias) == 1 and scores.shape[1] == 2
    if single:
        base = _floats(own, "base_values") or [0.0]
        return scores[:, 1:] - base[0] + float(parts.bias[0])
    return scores
