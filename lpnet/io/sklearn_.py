"""scikit-learn's `MLPClassifier` or `MLPRegressor`, or a linear model, alone or at the end of a `Pipeline`, as a network."""

import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from textwrap import shorten
from typing import Any

import numpy as np

from lpnet.errors import InputError
from lpnet.io import sklearn_trees
from lpnet.io.activations import ended, relu
from lpnet.io.arithmetic import plus, product, scaled
from lpnet.io.compare import check_same, points_for
from lpnet.io.kinds import Outputs
from lpnet.io.own_code import is_of, replaced
from lpnet.io.reading import Reading, affine, finished
from lpnet.io.signal import Signal, checked
from lpnet.networks import ReLUNetwork
from lpnet.networks.arrays import describe


def from_sklearn(model: Any, outputs: Outputs | None = None) -> ReLUNetwork:
    """The network of a fitted MLPClassifier or MLPRegressor with hidden layers of ReLUs, scalers and PCA in front or not.

    Also that of a linear model, such as LogisticRegression, LinearSVC or LinearDiscriminantAnalysis, without hidden layers.
    Two classes: +1 is classes_[1]. More: outputs=(I, J), +1 where the score of classes_[I] ≥ that of classes_[J].
    A tie is +1, where scikit-learn answers with the first class. A regressor's output is the score, +1 where it is ≥ 0;
    of two outputs the second minus the first is, of more outputs=(I, J) picks two. Scalers and PCA are kept as they
    are stored, as the network's `front`, and nothing is rounded.
    Raises InputError for any other model.
    """
    network = read(model, outputs).network
    assert isinstance(network, ReLUNetwork)
    return network


def read(model: Any, outputs: Outputs | None = None) -> Reading:
    """`from_sklearn`, with what there is to say about it."""
    try:
        import sklearn.neural_network
    except ImportError:
        raise InputError('reading scikit-learn\'s models needs scikit-learn: pip install "lpnet[sklearn]"') from None
    try:
        *steps, (name, perceptron) = _steps(model)
        if type(perceptron) in sklearn_trees.kinds():
            signal = Signal.of_features((_inputs(steps, perceptron),))
            for step, transformer in steps:
                signal = _transformed(signal, step, transformer)
            return sklearn_trees.read(perceptron, model, signal, outputs)
        if type(perceptron) not in (sklearn.neural_network.MLPClassifier, sklearn.neural_network.MLPRegressor, *_linear()):
            raise InputError(
                "wanted an MLPClassifier or an MLPRegressor, a linear model such as LogisticRegression, or trees such as a "
                "RandomForestClassifier, got "
                f"{describe(perceptron)}{_if_own_class(perceptron)}"
            )
        linear = type(perceptron) in _linear()
        (_check_linear if linear else _check_perceptron)(perceptron)
        signal = Signal.of_features((_inputs(steps, perceptron),))
        for step, transformer in steps:
            signal = _transformed(signal, step, transformer)
        signal = (_linear_layer if linear else _layers)(signal, name, perceptron)
        made = finished(signal, outputs, [str(c) for c in getattr(perceptron, "classes_", [])])
        _compare(model, signal, [step for _, step in steps if hasattr(step, "__dict__")] + [perceptron])
        return made.with_features(_feature_names([model, *(step for _, step in steps), perceptron]))
    except InputError as error:
        raise InputError(f"model: {error}") from None


def _feature_names(fitted: list[Any]) -> Any:
    """Names of the columns of the data frame that the first step was fitted on, or ()."""
    return next((names for model in fitted if (names := getattr(model, "feature_names_in_", None)) is not None), ())


def _if_own_class(thing: Any) -> str:
    """What to say of a class that inherits from scikit-learn's."""
    own = type(thing).__module__.partition(".")[0] != "sklearn"
    return "; a class of its own may answer in its own way" if own and hasattr(thing, "get_params") else ""


def _compare(model: Any, signal: Signal, steps: list[Any]) -> None:
    """InputError where the model itself answers otherwise at some points."""
    numbers = [value for step in steps for value in vars(step).values() if isinstance(value, np.ndarray)]
    if hasattr(steps[-1], "coefs_"):
        numbers += [*steps[-1].coefs_, *steps[-1].intercepts_]
        ask = model.predict_proba if hasattr(model, "predict_proba") else model.predict
    else:
        ask, signal = (
            model.decision_function if hasattr(model, "decision_function") else model.predict,
            replace(signal, tail=""),
        )
    precision = np.finfo(np.float32 if any(array.dtype == np.float32 for array in numbers) else np.float64)
    points = points_for(signal)
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")  # points have no feature names
            answers = np.asarray(ask(points))
    except Exception as error:  # whatever its steps raise
        raise InputError(f"its own prediction fails ({shorten(str(error), 200)})") from None
    if signal.tail == "Sigmoid":
        answers = answers[:, 1]
    check_same(signal, points, answers, precision, "its own prediction")


def _steps(model: Any) -> Iterator[tuple[str, Any]]:
    """The steps of a pipeline, also of one in one, under their names."""
    from sklearn.pipeline import Pipeline

    if type(model) is not Pipeline:
        yield "", model
        return
    _check_methods("the Pipeline", model)
    for name, step in model.steps:
        for inner, transformer in _steps(step):
            yield inner or name, transformer


def _check_methods(where: str, model: Any) -> None:
    if name := replaced(model):
        raise InputError(f"{where} has a {name} of its own in place of scikit-learn's, which lpnet does not follow")


def _inputs(steps: list[tuple[str, Any]], perceptron: Any) -> int:
    """The number of inputs that the first step saw when it was fitted."""
    known = (getattr(step, "n_features_in_", None) for _, step in (*steps, ("", perceptron)))
    count = next((count for count in known if count is not None), None)
    if count is None:
        raise InputError(f"wanted a fitted {type(perceptron).__name__}; call its fit first")
    return int(count)


def _check_perceptron(model: Any) -> None:
    _check_methods(f"the {type(model).__name__}", model)
    if not hasattr(model, "coefs_"):
        raise InputError(f"wanted a fitted {type(model).__name__}; call its fit first")
    if model.activation != "relu":
        raise InputError(f'wanted activation "relu", got {describe(model.activation)}')
    if len(model.coefs_) < 2:
        raise InputError("wanted a hidden layer of ReLUs at least, got none")
    if model.out_activation_ not in ("identity", *TAILS):
        raise InputError(f"its output goes through {describe(model.out_activation_)}; wanted scores of both signs")
    if model.out_activation_ == "logistic" and model.n_outputs_ > 1:
        raise InputError(f"wanted one class for each point, got {model.n_outputs_} labels at once; fit one model a label")


def _layers(signal: Signal, name: str, model: Any) -> Signal:
    """What the model makes of it: affine layers, ReLUs between them, and a classifier's activation at the end."""
    where = _said(name, model)
    said = where.removeprefix("the step ")
    for number, (weight, bias) in enumerate(zip(model.coefs_, model.intercepts_, strict=True), 1):
        signal = affine(signal, f"{where}, layer {number}", np.asarray(weight).T, bias)
        if number < len(model.coefs_):
            again = f" {number}" if len(model.coefs_) > 2 else ""
            signal = relu(signal, f"the activation relu{again} of {said}")
    tail = TAILS.get(model.out_activation_)
    return ended(signal, f"the activation {model.out_activation_} of {said}", tail) if tail else signal


def _linear() -> tuple[type, ...]:
    """The linear models that are read."""
    from sklearn import discriminant_analysis, linear_model, svm

    homes = linear_model, svm, discriminant_analysis
    return tuple(getattr(home, name) for home in homes for name in LINEAR if hasattr(home, name))


def _check_linear(model: Any) -> None:
    kind = type(model).__name__
    _check_methods(f"the {kind}", model)
    if getattr(model, "kernel", "linear") != "linear":
        raise InputError(f"has the kernel {describe(model.kernel)}, which is not affine; wanted a {kind} with kernel='linear'")
    if not hasattr(model, "coef_"):
        raise InputError(f"wanted a fitted {kind}; call its fit first")
    if hasattr(model, "kernel") and len(getattr(model, "classes_", ())) > 2:
        raise InputError(f"a {kind} of several classes lets pairs of them vote; wanted a LinearSVC, or two classes")


def _linear_layer(signal: Signal, name: str, model: Any) -> Signal:
    """Its scores, of one class against the other or of each; behind them what makes probabilities of them."""
    if hasattr(model, "kernel"):
        kernel = product(signal, _said(name, model), _floats(model.support_vectors_).T)
        return affine(kernel, _said(name, model), _floats(model.dual_coef_), _floats(model.intercept_))
    weight = np.atleast_2d(_floats(model.coef_))
    signal = affine(signal, _said(name, model), weight, np.broadcast_to(_floats(model.intercept_), len(weight)))
    if not hasattr(model, "predict_proba") or not hasattr(model, "classes_"):
        return signal
    return ended(signal, f"the probabilities of {_said(name, model)}", "Sigmoid" if len(weight) == 1 else "Softmax")


LINEAR: tuple[str, ...] = (
    "LogisticRegression",
    "LogisticRegressionCV",
    "LinearDiscriminantAnalysis",
    "LinearSVC",
    "LinearSVR",
    "Perceptron",
    "PassiveAggressiveClassifier",
)
LINEAR += ("RidgeClassifier", "RidgeClassifierCV", "SGDClassifier", "SGDRegressor", "PassiveAggressiveRegressor")
LINEAR += ("LinearRegression", "Ridge", "RidgeCV", "Lasso", "LassoCV", "ElasticNet", "ElasticNetCV", "Lars", "LassoLars")
LINEAR += ("BayesianRidge", "ARDRegression", "HuberRegressor", "TheilSenRegressor", "SVC", "NuSVC", "SVR", "NuSVR")
TAILS = {"logistic": "Sigmoid", "softmax": "Softmax"}


def _said(name: str, model: Any) -> str:
    return f"the step {type(model).__name__}" + (f" {name!r}" if name else "")


def _transformed(signal: Signal, name: str, transformer: Any) -> Signal:
    """What a step in front makes of it; InputError for one that is not affine."""
    if transformer is None or transformer == "passthrough":
        return signal
    where = _said(name, transformer)
    if not is_of("sklearn", transformer) or type(transformer).__name__ not in TRANSFORMERS:
        raise InputError(f"{where} is not read; lpnet reads {', '.join(TRANSFORMERS)}")
    _check_methods(where, transformer)
    try:
        return TRANSFORMERS[type(transformer).__name__](signal, where, transformer)
    except (AttributeError, TypeError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{where} cannot be read ({error}); wanted it fitted, on {signal.shape[0]} features") from None


def _standard_scaler(signal: Signal, where: str, scaler: Any) -> Signal:
    """(x − mean) / scale."""
    if scaler.with_mean:
        signal = plus(signal, where, -_floats(scaler.mean_))
    return scaled(signal, where, _floats(scaler.scale_), divide=True) if scaler.with_std else signal


def _min_max_scaler(signal: Signal, where: str, scaler: Any) -> Signal:
    """x · scale + min."""
    if scaler.clip:
        raise InputError(f"{where} clips, which is not affine; fit it with clip=False")
    return plus(scaled(signal, where, _floats(scaler.scale_)), where, _floats(scaler.min_))


def _max_abs_scaler(signal: Signal, where: str, scaler: Any) -> Signal:
    """x / scale."""
    if getattr(scaler, "clip", False):
        raise InputError(f"{where} clips, which is not affine; fit it with clip=False")
    return scaled(signal, where, _floats(scaler.scale_), divide=True)


def _robust_scaler(signal: Signal, where: str, scaler: Any) -> Signal:
    """(x − center) / scale."""
    if scaler.with_centering:
        signal = plus(signal, where, -_floats(scaler.center_))
    return scaled(signal, where, _floats(scaler.scale_), divide=True) if scaler.with_scaling else signal


def _pca(signal: Signal, where: str, pca: Any) -> Signal:
    """(x − mean) componentsᵀ, divided by √variance where whitened: the root as scikit-learn rounds it."""
    signal = product(plus(signal, where, -_floats(pca.mean_)), where, _floats(pca.components_).T)
    if not pca.whiten:
        return signal
    deviation = np.sqrt(pca.explained_variance_)
    least = np.finfo(deviation.dtype).eps
    return scaled(signal, f"{where} (its √variance rounded as there)", _floats(np.maximum(deviation, least)), divide=True)


def _truncated_svd(signal: Signal, where: str, svd: Any) -> Signal:
    """x componentsᵀ."""
    return product(signal, where, _floats(svd.components_).T)


def _chosen(signal: Signal, where: str, selector: Any) -> Signal:
    """Some of the features."""
    kept = selector.get_support(indices=True)
    return product(signal, where, np.eye(signal.shape[0])[:, kept])


def _floats(numbers: Any) -> Any:
    return checked("numbers", np.asarray(numbers, dtype=np.float64))


TRANSFORMERS: dict[str, Callable[[Signal, str, Any], Signal]] = {
    "StandardScaler": _standard_scaler,
    "MinMaxScaler": _min_max_scaler,
    "MaxAbsScaler": _max_abs_scaler,
    "RobustScaler": _robust_scaler,
    "PCA": _pca,
    "TruncatedSVD": _truncated_svd,
    "VarianceThreshold": _chosen,
    "SelectKBest": _chosen,
}
