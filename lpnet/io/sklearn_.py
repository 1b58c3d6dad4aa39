"""scikit-learn's `MLPClassifier` as a network."""

from typing import Any

import numpy as np

from lpnet.errors import InputError
from lpnet.io.kinds import Outputs, score_of
from lpnet.networks import ReLUNetwork
from lpnet.networks.arrays import describe


def from_sklearn(model: Any, outputs: Outputs | None = None) -> ReLUNetwork:
    """The network of a fitted MLPClassifier with one hidden layer of ReLUs.

    Two classes: +1 is classes_[1]. More: outputs=(I, J), +1 where the score of classes_[I] ≥ that of classes_[J].
    A tie is +1, where scikit-learn answers with the first class. Weights are taken exactly, differences in float64.
    Raises InputError for any other model.
    """
    try:
        from sklearn.neural_network import MLPClassifier
    except ImportError:
        raise InputError('from_sklearn needs scikit-learn: pip install "lpnet[sklearn]"') from None
    if not isinstance(model, MLPClassifier):
        raise InputError(f"model: wanted an MLPClassifier, got {describe(model)}")
    if not hasattr(model, "coefs_"):
        raise InputError("model: wanted a fitted MLPClassifier; call its fit first")
    if model.activation != "relu":
        raise InputError(f'model: wanted activation "relu", got {describe(model.activation)}')
    if len(model.coefs_) != 2:
        raise InputError(f"model: wanted one hidden layer, got {len(model.coefs_) - 1}")
    if model.out_activation_ != "softmax" and model.n_outputs_ > 1:
        raise InputError(
            f"model: wanted one class for each point, got {model.n_outputs_} labels at once; fit one model a label"
        )
    hidden, output = (np.asarray(weight, dtype=np.float64).T for weight in model.coefs_)
    hidden_bias, output_bias = (np.asarray(bias, dtype=np.float64) for bias in model.intercepts_)
    try:
        return ReLUNetwork(hidden, hidden_bias, *score_of(output, output_bias, outputs))
    except InputError as error:
        raise InputError(f"model: {error}") from None
