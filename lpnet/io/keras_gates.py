"""What ends a layer of a Keras model: activation functions, and layers that are one."""

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from lpnet.errors import InputError
from lpnet.io.activations import clip, ended, leaky, relu
from lpnet.io.arithmetic import plus, scaled
from lpnet.io.keras_config import is_builtin, precision_of
from lpnet.io.signal import Signal, checked
from lpnet.networks.arrays import describe

Operator = Callable[[Signal, str, Any, list[Any]], Signal]


def activated(signal: Signal, where: str, config: Any, activation: Any) -> Signal:
    """What a layer's activation makes of it; InputError for one that lpnet does not follow."""
    if isinstance(activation, dict) and activation.get("class_name") in LAYERS and is_builtin(activation):
        return LAYERS[activation["class_name"]](signal, where, activation["config"], [])
    if isinstance(activation, dict):  # {"class_name": "function", "config": "relu"} and the like
        if activation.get("class_name") != "function" or activation.get("module") not in FUNCTIONS_IN:
            got = describe(activation.get("class_name"))
            raise InputError(f"{where} has the activation {got}, no function of Keras's; give it relu by its name")
        activation = activation.get("config")
    if activation is None or activation == "linear":
        return signal
    said = where.removeprefix("the layer ")
    if isinstance(activation, str) and activation in GATES:
        return GATES[activation](signal, f"the activation {activation} of {said}", precision(config))
    if isinstance(activation, str) and activation in TAILS:
        return ended(signal, f"the activation {activation} of {said}", TAILS[activation])
    raise InputError(
        f"{where} has the activation {describe(activation)}; wanted {', '.join(GATES)}, or {', '.join(TAILS)} at the end"
    )


FUNCTIONS_IN = (None, "builtins", "keras.activations", "keras.src.activations")
GATES: dict[str, Callable[[Signal, str, Any], Signal]] = {
    "relu": lambda signal, where, precision: relu(signal, where),
    "relu6": lambda signal, where, precision: clip(signal, where, 0, 6),
    "leaky_relu": lambda signal, where, precision: leaky(signal, where, precision(0.2)),
    "hard_sigmoid": lambda signal, where, precision: scaled(
        clip(plus(signal, where, np.array(3.0)), where, 0, 6), where, np.array(6.0), divide=True
    ),
    "hard_tanh": lambda signal, where, precision: clip(signal, where, -1, 1),
}
TAILS = {"sigmoid": "Sigmoid", "softmax": "Softmax", "log_softmax": "LogSoftmax", "tanh": "Tanh"}


def _activation(signal: Signal, where: str, config: Any, arrays: list[Any]) -> Signal:
    return activated(signal, where, config, config.get("activation"))


def _relu(signal: Signal, where: str, config: Any, arrays: list[Any]) -> Signal:
    if config.get("threshold"):
        raise InputError(f"{where} has a threshold, {describe(config['threshold'])}, where it jumps; wanted a continuous one")
    slope, largest = config.get("negative_slope"), config.get("max_value")
    number = precision(config)
    made = leaky(signal, where, number(number_of(where, slope))) if slope else relu(signal, where)
    return made if largest is None else clip(made, where, None, number(number_of(where, largest)))


def _leaky_relu(signal: Signal, where: str, config: Any, arrays: list[Any]) -> Signal:
    """Its slope was called alpha in Keras 2."""
    slope = number_of(where, config.get("negative_slope", config.get("alpha", 0.3)))
    return leaky(signal, where, precision(config)(slope))


def _prelu(signal: Signal, where: str, config: Any, arrays: list[Any]) -> Signal:
    if len(arrays) != 1:
        raise InputError(f"{where} has {len(arrays)} arrays of weights; wanted one")
    return leaky(signal, where, checked(where, arrays[0]))


def _softmax(signal: Signal, where: str, config: Any, arrays: list[Any]) -> Signal:
    if config.get("axis", -1) not in (-1, 1, [-1], [1]):
        raise InputError(f"{where} runs along axis {describe(config['axis'])}; wanted that of the outputs")
    return ended(signal, where, "Softmax")


def precision(config: Any) -> Any:
    """The precision that a layer computes with."""
    return np.float64 if precision_of({"config": config}) == "float64" else np.float32


def number_of(where: str, given: Any) -> float:
    """A number of a configuration, or InputError."""
    if isinstance(given, bool) or not isinstance(given, int | float) or not abs(given) < sys.float_info.max:
        raise InputError(f"{where}: wanted a number, got {describe(given)}")
    return float(given)


LAYERS: dict[str, Operator] = {
    "ReLU": _relu,
    "LeakyReLU": _leaky_relu,
    "PReLU": _prelu,
    "Activation": _activation,
    "Softmax": _softmax,
}
