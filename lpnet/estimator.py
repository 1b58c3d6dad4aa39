"""A scikit-learn classifier whose answers come from a threshold network, the minimal equivalent of a trained one."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.neural_network import MLPClassifier
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from lpnet.api import load, minimal_classes, minimal_equivalent
from lpnet.io.kinds import Choice
from lpnet.networks.classifier import Classifier


class ThresholdClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Fit a classifier of ReLUs, and answer by its minimal threshold equivalent: the same class at every point, exactly.

    estimator: what `lpnet.load` reads once it is fitted, an MLPClassifier, a linear model or a Pipeline that ends in one; by
    default an MLPClassifier of `relus` ReLUs. A tie of two classes is for the second one, of more for the first.

    After `fit`: estimator_, the fitted one; answer_, the `MinimalEquivalent` or `MinimalClasses`, with its `rules()`;
    equivalent_, the threshold network; classes_ and n_features_in_ as everywhere.
    """

    def __init__(self, estimator: Any = None, relus: int = 3, random_state: Any = None) -> None:
        self.estimator = estimator
        self.relus = relus
        self.random_state = random_state

    def fit(self, X: Any, y: Any) -> "ThresholdClassifier":
        """Train, and find the equivalent. Raises ValueError for less than two classes."""
        _, labels = validate_data(self, X, y)
        check_classification_targets(labels)
        self.classes_ = np.unique(labels)
        if len(self.classes_) < 2:
            raise ValueError(f"wanted two classes at least, got {len(self.classes_)} class")
        default = MLPClassifier((self.relus,), solver="lbfgs", max_iter=2000, random_state=self.random_state)
        self.estimator_ = (default if self.estimator is None else clone(self.estimator)).fit(X, y)
        network = load(self.estimator_, Choice("own"))
        find: Any = minimal_classes if isinstance(network, Classifier) else minimal_equivalent
        self.answer_ = find(network)
        self.equivalent_ = self.answer_.equivalent
        return self

    def predict(self, X: Any) -> NDArray[Any]:
        """The classes; (rows, d) → (rows,)."""
        check_is_fitted(self)
        answers = self.equivalent_(validate_data(self, X, reset=False, dtype=np.float64))
        several = isinstance(self.equivalent_, Classifier)
        return np.asarray(self.classes_[answers if several else (answers > 0).astype(int)])

    def rules(self, digits: int | None = 3, keep: float | None = None, data: Any = None) -> Any:
        """The threshold network in rules, as `lpnet.MinimalEquivalent.rules` has them."""
        check_is_fitted(self)
        return self.answer_.rules(digits, data, keep)
