"""scikit-learn's decision trees, forests and gradient boosting as a `TreeEnsemble`."""

from collections.abc import Callable
from typing import Any

import numpy as np

from lpnet.errors import InputError
from lpnet.exact import Numbers
from lpnet.io.kinds import Outputs
from lpnet.io.own_code import replaced
from lpnet.io.reading import Reading
from lpnet.io.signal import Signal, checked
from lpnet.io.trees import CAST, NAN, check_trees, finished_trees, front_of, identity
from lpnet.networks.tree_table import Node, Table

TREES = ("DecisionTreeClassifier", "DecisionTreeRegressor", "ExtraTreeClassifier", "ExtraTreeRegressor")
FORESTS = ("RandomForestClassifier", "RandomForestRegressor", "ExtraTreesClassifier", "ExtraTreesRegressor")
BOOSTING = ("GradientBoostingClassifier", "GradientBoostingRegressor")
HISTOGRAM = ("HistGradientBoostingClassifier", "HistGradientBoostingRegressor")
IDENTITY_LINKS = ("squared_error", "absolute_error", "quantile")
Parts = tuple[Table, Numbers, Numbers]  # and the weights and biases of the outputs


def kinds() -> tuple[type, ...]:
    """The classes that are read."""
    from sklearn import ensemble, tree

    return tuple(getattr(tree, name) for name in TREES) + tuple(
        getattr(ensemble, name) for name in FORESTS + BOOSTING + HISTOGRAM
    )


def read(model: Any, whole: Any, signal: Signal, outputs: Outputs | None) -> Reading:
    """The ensemble of a fitted model of trees behind what is in front of it; whole: the pipeline, for its own answers.

    Two classes: +1 is classes_[1], and a tie is for whom scikit-learn has it: classes_[1] with GradientBoostingClassifier, else
    classes_[0].
    """
    name = type(model).__name__
    if method := replaced(model):
        raise InputError(f"the {name} has a {method} of its own in place of scikit-learn's, which lpnet does not follow")
    try:
        table, weight, bias = next(make for names, make in MAKERS if name in names)(model)
    except AttributeError as error:
        raise InputError(f"wanted a fitted {name}; call its fit first ({error})") from None
    ensemble = table.ensemble(model.n_features_in_, weight, bias, front_of(signal))
    classes = [str(c) for c in getattr(model, "classes_", [])]
    check_trees(ensemble, signal, lambda points: _asked(whole)(points), "its own prediction")
    notes = [NAN] if name in HISTOGRAM else [CAST.format(who="scikit-learn")]
    tail = "Sigmoid" if len(bias) == 1 and classes else "Softmax" if name in BOOSTING + HISTOGRAM and classes else ""
    tie = 1 if name in BOOSTING or not classes else 0
    return finished_trees(ensemble, weight, bias, outputs, classes, tail, tie, notes)


def _asked(model: Any) -> Callable[[Any], Any]:
    """What a model has scores by."""
    if hasattr(model, "decision_function"):
        return model.decision_function
    return model.predict_proba if hasattr(model, "predict_proba") else model.predict


def _tree_nodes(tree: Any, value: Any) -> Callable[[int], Node]:
    left, right = tree.children_left.tolist(), tree.children_right.tolist()
    feature, threshold = tree.feature.tolist(), tree.threshold.tolist()

    def node(k: int) -> Node:
        return Node(value[k]) if left[k] < 0 else Node((), feature[k], threshold[k], False, left[k], right[k])

    return node


def _forest(model: Any) -> Parts:
    """The mean over the trees: of the shares of the classes, or of the values."""
    if model.n_outputs_ > 1:
        raise InputError(f"wanted one answer for each point, got {model.n_outputs_} outputs at once; fit one model for each")
    members = getattr(model, "estimators_", [model])
    width = int(getattr(model, "n_classes_", 1))
    if hasattr(model, "classes_") and width < 2:
        raise InputError("was fitted on a single class; there is nothing to decide")
    table = Table(width)
    for member in members:
        table.add(0, _tree_nodes(member.tree_, checked("the trees", member.tree_.value[:, 0, :])))
    return table, identity(width, len(members)), np.zeros(width)


def _boosting(model: Any) -> Parts:
    """What the model begins with, and the learning rate times the sum of the values."""
    first = model.init_
    if not (isinstance(first, str) and first == "zero") and type(first).__name__ not in ("DummyClassifier", "DummyRegressor"):
        raise InputError(f"begins with a {type(first).__name__} of its own; wanted the default init, or 'zero'")
    start = np.asarray(model._raw_predict_init(np.zeros((1, model.n_features_in_), dtype=np.float32)), dtype=np.float64)[0]
    table = _columns(len(start), ((member.tree_, k) for row in model.estimators_ for k, member in enumerate(row)))
    return table, float(model.learning_rate) * np.eye(len(start)), checked("init", start)


def _columns(width: int, members: Any) -> Table:
    """Trees that each add to one of the sums."""
    table = Table(width)
    for tree, k in members:
        value = np.zeros((tree.node_count, width))
        value[:, k] = checked("the trees", tree.value[:, 0, 0])
        table.add(0, _tree_nodes(tree, value))
    return table


def _histogram(model: Any) -> Parts:
    """The baseline, and the sum of the values, which have the learning rate in them."""
    loss = model._loss.__class__.__name__
    if not hasattr(model, "classes_") and model.loss not in IDENTITY_LINKS:
        raise InputError(
            f"predicts through a logarithm (loss {model.loss!r}), so that no value is negative; {loss} is not read"
        )
    start = np.asarray(model._baseline_prediction, dtype=np.float64).ravel()
    table = Table(len(start))
    for row in model._predictors:
        for k, member in enumerate(row):
            nodes = member.nodes
            if nodes["is_categorical"].any():
                raise InputError("splits categories, which is no comparison of a number; fit it with categorical_features=None")
            table.add(0, _histogram_nodes(nodes, k, len(start)))
    return table, np.eye(len(start)), checked("the baseline", start)


def _histogram_nodes(nodes: Any, column: int, width: int) -> Callable[[int], Node]:
    def node(k: int) -> Node:
        own = nodes[k]
        if own["is_leaf"]:
            return Node([float(own["value"]) if j == column else 0.0 for j in range(width)])
        return Node((), int(own["feature_idx"]), float(own["num_threshold"]), False, int(own["left"]), int(own["right"]))

    return node


MAKERS: tuple[tuple[tuple[str, ...], Callable[[Any], Parts]], ...] = (
    (TREES + FORESTS, _forest),
    (BOOSTING, _boosting),
    (HISTOGRAM, _histogram),
)
