"""What networks need before, during and after training: do they come nearer to the bounds than random ones?"""

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, ClassVar

import numpy as np

from lpnet.errors import InputError
from lpnet.exact import FloatArray
from lpnet.io import load
from lpnet.io.kinds import Choice
from lpnet.networks import ReLUNetwork
from lpnet.networks.classifier import Classifier
from lpnet.studies.distributions import he
from lpnet.studies.study import MEASURED, MOST_RELUS, Row, combination, measured

LEARNING_RATE = 0.01
NO_RATE = 1e-300  # changes no weight: scikit-learn has no fit without a step


@dataclass(frozen=True)
class DataSet:
    """One of scikit-learn's own: the name of its loader, how many features; the class to be +1, the other one (None: all).

    With neither, all classes are told apart.
    """

    loader: str
    features: int
    positive: int | None = None
    negative: int | None = None


DATA = {
    "iris": DataSet("load_iris", 4, 1, 2),
    "wine": DataSet("load_wine", 13, 0, None),
    "cancer": DataSet("load_breast_cancer", 30, 1, None),
    "digits_3v8": DataSet("load_digits", 64, 3, 8),
    "digits_4v9": DataSet("load_digits", 64, 4, 9),
    "iris_3": DataSet("load_iris", 4),
    "wine_3": DataSet("load_wine", 13),
    "digits_10": DataSet("load_digits", 64),
}
TWO_CLASSES = tuple(name for name, data in DATA.items() if data.positive is not None)
INITIAL = ("he", "glorot")


@dataclass(frozen=True)
class TrainedStudy:
    """`trials` trainings for every combination of the others, each counted after 0, 1, … epochs.

    data: of `DATA`, by default those of two classes, the features standardised and reduced to d principal components;
    relus, inputs: n and d;
    initial: the weights at the start, "he" (see `distributions.he`; b = 0, w0 = 0) or "glorot" (scikit-learn's: uniform,
    variance 2 / (inputs + outputs) of the layer, biases too); epochs: when to count; seed: of all.
    Trained by scikit-learn's MLPClassifier: Adam, learning rate 0.01, batches of 200.
    Raises InputError for names that are none and numbers out of range.
    """

    data: tuple[str, ...] = TWO_CLASSES
    relus: tuple[int, ...] = (4, 8, 12)
    inputs: tuple[int, ...] = (2, 4)
    initial: tuple[str, ...] = INITIAL
    epochs: tuple[int, ...] = (0, 1, 3, 10, 30, 100, 300)
    trials: int = 5
    seed: int = 0

    name: ClassVar[str] = "trained"
    columns: ClassVar[dict[str, type]] = {
        "network": int,
        "data": str,
        "relus": int,
        "inputs": int,
        "initial": str,
        "trial": int,
        "epoch": int,
        "accuracy": float,
        **MEASURED,
    }

    def __post_init__(self) -> None:
        for what, known in (("data", tuple(DATA)), ("initial", INITIAL)):
            if unknown := [name for name in getattr(self, what) if name not in known]:
                raise InputError(f"{what}: wanted some of {', '.join(known)}, got {unknown[0]!r}")
        for what in ("data", "relus", "inputs", "initial", "epochs"):
            if not getattr(self, what) or len(set(getattr(self, what))) < len(getattr(self, what)):
                raise InputError(f"{what}: wanted at least one value, and each once, got {list(getattr(self, what))}")
        if min(*self.relus, *self.inputs, self.trials) < 1 or min(*self.epochs, self.seed) < 0:
            raise InputError("relus, inputs, trials: wanted numbers from 1 on; epochs, seed: from 0 on")
        if max(self.relus) > MOST_RELUS:
            raise InputError(f"relus: wanted at most {MOST_RELUS}, whose 2^n − 1 is a float, got {max(self.relus)}")
        least = min(self.data, key=lambda name: DATA[name].features)
        if max(self.inputs) > DATA[least].features:
            raise InputError(f"inputs: wanted at most {DATA[least].features}, the features of {least}, got {max(self.inputs)}")

    @property
    def _axes(self) -> tuple[Sequence[Any], ...]:
        return self.data, self.initial, self.relus, self.inputs, range(self.trials)

    @property
    def chunks(self) -> int:
        """How many trainings."""
        return prod(map(len, self._axes))

    @property
    def size(self) -> int:
        """How many networks are counted."""
        return self.chunks * len(self.epochs)

    def rows(self, chunk: int) -> list[Row]:
        """The rows of one training."""
        data, initial, relus, inputs, trial = combination(self._axes, chunk)
        points, classes = examples(data, inputs)
        key = (list(DATA).index(data), INITIAL.index(initial), relus, inputs, trial)
        seed = int(np.random.SeedSequence(self.seed, spawn_key=key).generate_state(1)[0])
        first = chunk * len(self.epochs)
        rows: list[Row] = []
        for epoch, network in training(points, classes, relus, initial, sorted(self.epochs), seed):
            accuracy = float((network(points) == classes).mean())
            row = {"network": first + len(rows), "data": data, "relus": relus, "inputs": inputs, "initial": initial}
            rows.append({**row, "trial": trial, "epoch": epoch, "accuracy": accuracy, **measured(network)})
        return rows


def examples(name: str, inputs: int) -> tuple[FloatArray, FloatArray]:
    """The principal components of the standardised features, (N, d), and the classes ±1, or 0, 1, …, (N,)."""
    try:
        from sklearn import datasets
        from sklearn.decomposition import PCA
        from sklearn.preprocessing import StandardScaler
    except ImportError:
        raise InputError('training needs scikit-learn: pip install "lpnet[sklearn]"') from None

    data = DATA[name]
    points, labels = getattr(datasets, data.loader)(return_X_y=True)
    if data.positive is not None and data.negative is not None:
        kept = np.isin(labels, [data.positive, data.negative])
        points, labels = points[kept], labels[kept]
    components = PCA(inputs, svd_solver="full").fit_transform(StandardScaler().fit_transform(points))
    return components, labels if data.positive is None else np.where(labels == data.positive, 1.0, -1.0)


def training(
    points: FloatArray, classes: FloatArray, relus: int, initial: str, epochs: list[int], seed: int
) -> Iterator[tuple[int, ReLUNetwork | Classifier]]:
    """The network after each of these numbers of epochs, in increasing order."""
    from sklearn.neural_network import MLPClassifier

    random = np.random.RandomState(seed)  # an object, or every epoch would take the examples in the same order
    model = MLPClassifier((relus,), learning_rate_init=NO_RATE, max_iter=1, warm_start=True, random_state=random)
    start(model, points, classes)
    if initial == "he":
        model.coefs_, model.intercepts_ = he_layers(np.random.default_rng(seed), relus, points.shape[1], model.n_outputs_)
    model.set_params(learning_rate_init=LEARNING_RATE)
    for epoch in range(epochs[-1] + 1):
        if epoch == 1:
            start(model, points, classes)
        elif epoch > 1:
            model.partial_fit(points, classes)
        if epoch in epochs:
            network = load(model, Choice("own"))
            assert isinstance(network, ReLUNetwork | Classifier)
            yield epoch, network


def start(model: Any, points: FloatArray, classes: FloatArray) -> None:
    """One epoch with a fresh optimiser, from the weights that are there."""
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # one epoch is what is wanted
        model.fit(points, classes)


def he_layers(
    random: np.random.Generator, relus: int, inputs: int, outputs: int = 1
) -> tuple[list[FloatArray], list[FloatArray]]:
    """The weights and biases of both layers, as scikit-learn has them."""
    return [he(random, relus, inputs).T.copy(), he(random, outputs, relus).T.copy()], [np.zeros(relus), np.zeros(outputs)]
