"""Keras models in memory: nothing in them runs code of its own, and they answer as they were read."""

import sys
import warnings
from textwrap import shorten
from typing import Any

import numpy as np

from lpnet.errors import InputError
from lpnet.io.compare import check_same, points_for
from lpnet.io.own_code import is_of, replaced
from lpnet.io.signal import Signal

WRAPPED = ("build", "quantize")  # Keras 3 does so on every layer
LARGEST = 2**20  # of whole numbers, in models whose inputs are such
COARSE = np.finfo(np.float16)  # graphics processors multiply in fewer bits than float32 has


def check_objects(model: Any) -> None:
    """InputError for a model, a layer or an activation function that is not Keras's own, or whose methods were replaced."""
    if not is_of("keras", model) or type(model).__name__ not in ("Sequential", "Functional"):
        raise InputError(f"a {type(model).__name__} runs code of its own; give a keras.Sequential or a functional model")
    _check_methods(f"the {type(model).__name__} model", model)
    for layer in model.layers:
        where = f"the layer {type(layer).__name__} {layer.name!r}"
        if not is_of("keras", layer):
            raise InputError(f"{where} is code of its own, which lpnet never runs")
        if hasattr(layer, "layers"):
            check_objects(layer)
        _check_methods(where, layer)
        activation = getattr(layer, "activation", None)
        named = getattr(activation, "__name__", "")
        if activation is not None and not is_of("keras", activation) and not _is_kerass(activation, named):
            raise InputError(
                f"{where} has an activation of its own, {named or type(activation).__name__}; "
                f'name one of Keras\'s, such as activation="relu"'
            )


def _is_kerass(function: Any, name: str) -> bool:
    """Whether a function is the one that Keras has under that name."""
    return getattr(sys.modules["keras"].activations, name, None) is function


def _check_methods(where: str, thing: Any) -> None:
    if name := replaced(thing, WRAPPED):
        raise InputError(f"{where} has a {name} of its own in place of Keras's, which lpnet does not follow")


def compare(model: Any, signal: Signal) -> None:
    """InputError where the model itself answers otherwise at some points, not training."""
    points = points_for(signal)
    given = model.inputs[0]
    whole, double = ("int" in str(given.dtype), "float64" in str(given.dtype))
    if whole:
        points = np.rint(points).clip(-LARGEST, LARGEST)
    batch = points.reshape(len(points), *(size or -1 for size in given.shape[1:]))
    batch = batch.astype(np.int32 if whole else np.float64 if double else np.float32)
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")  # JAX has float64 only where it is asked to
            answers = model(batch, training=False)
    except Exception as error:  # whatever its layers and backend raise
        raise InputError(f"its own prediction fails ({shorten(str(error), 200)})") from None
    on_processor = "cpu" in str(getattr(answers, "device", "")).lower()
    answers = np.asarray(answers.detach().cpu() if hasattr(answers, "detach") else answers)
    check_same(signal, points, answers, np.finfo(np.float32) if on_processor else COARSE, "its own prediction")
