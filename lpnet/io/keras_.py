"""Keras models: .keras files, .h5 files, files of weights alone, and models in memory; read without Keras, nothing is executed.

A model is a chain of Dense layers, Normalization or the like, and ReLUs or other gates that are linear in pieces.
A file of weights alone has Dense layers, and that there is a ReLU between any two of them is taken for granted and said.
"""

import json
import math
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np

from lpnet.errors import InputError
from lpnet.io import hdf5, json_, keras_gates
from lpnet.io.arithmetic import normalised, plus, scaled
from lpnet.io.files import look
from lpnet.io.keras_config import built_shape, class_of, given_shape, is_builtin, layers_of, name_of, precision_of, said
from lpnet.io.keras_gates import Operator, activated, number_of, precision
from lpnet.io.keras_objects import check_objects, compare
from lpnet.io.kinds import MOST_BYTES, Outputs, is_zip
from lpnet.io.layers import of_weights
from lpnet.io.reading import Reading, affine, finished
from lpnet.io.rearranging import reshaped, transposed
from lpnet.io.signal import Signal, checked
from lpnet.networks.arrays import describe

Weights = Mapping[str, list[Any]]
LEAST_DEVIATION = 1e-7  # keras.config.epsilon(): Normalization divides by no less


def read(path: Path, outputs: Outputs | None = None) -> Reading:
    """The network in a .keras or .h5 file."""
    if path.suffix.lower() != ".keras" or look(path) == "an HDF5 file":  # until version 2.12 Keras wrote .keras files as HDF5
        return _of_h5(hdf5.opened(path), outputs)
    config, weights = _members(path)
    layers = layers_of(config)
    stored = hdf5.weights_by_class(hdf5.opened(weights), [(class_of(layer), name_of(layer)) for layer in layers])
    return _network(layers, stored, outputs, "activation functions")


def of_model(model: Any, outputs: Outputs | None = None) -> Reading:
    """The network of a keras.Sequential, or of a keras.Model that is a chain of layers."""
    check_objects(model)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what Keras's backends say to numpy is not the user's concern
        layers = layers_of(json.loads(model.to_json()))
        weights = {layer.name: list(layer.get_weights()) for layer in model.layers}
    signal = _signal(layers, weights)
    made = finished(signal, outputs)
    compare(model, signal)
    return made


def _members(path: Path) -> tuple[Any, bytes]:
    """The configuration and the weights in a .keras archive."""
    if not is_zip(path):
        raise InputError("is not a .keras archive; write one with model.save")
    try:
        with ZipFile(path) as archive:
            members = {member.filename: member for member in archive.infolist()}
            if missing := [name for name in ("config.json", "model.weights.h5") if name not in members]:
                raise InputError(f"has no {missing[0]} in it; write a .keras archive with model.save")
            if sum(members[name].file_size for name in ("config.json", "model.weights.h5")) > MOST_BYTES:
                raise InputError(f"unpacks to more than {MOST_BYTES >> 20} MiB; wanted the weights of a network")
            return json_.parsed(archive.read("config.json")), archive.read("model.weights.h5")
    except InputError:
        raise
    except Exception:  # zipfile and zlib raise many kinds
        raise InputError("is a damaged .keras archive; write it anew with model.save") from None


def _of_h5(file: Any, outputs: Outputs | None) -> Reading:
    """A whole model with its configuration, or weights alone, of Keras 2 or 3."""
    if config := hdf5.text(file, "model_config"):
        layers = layers_of(json_.parsed(config.encode(errors="surrogatepass")))
        weights = dict(hdf5.weights_by_name(hdf5.group(file, "model_weights")))
        return _network(layers, weights, outputs, "layers and activation functions")
    if any(name.startswith("layer_names") for name in file["attributes"]):
        found = [(name, arrays) for name, arrays in hdf5.weights_by_name(file) if arrays]
    else:
        found = hdf5.dense_weights(file)
    layers = [_dense_arrays(f"the layer {name!r}", arrays) for name, arrays in found]
    also = "; its Flatten is taken to be channels_last" if hdf5.flattens(file) else ""
    return of_weights(layers, outputs, "a file of weights", also)


def _dense_arrays(where: str, arrays: list[Any]) -> tuple[str, Any, Any]:
    """Weight (out, in) and bias of a Dense layer."""
    if not 1 <= len(arrays) <= 2 or np.ndim(arrays[0]) != 2:
        raise InputError(f"{where} has arrays of shapes {', '.join(str(np.shape(a)) for a in arrays)}; wanted a Dense layer's")
    return where, np.asarray(arrays[0]).T, arrays[1] if len(arrays) > 1 else None


def _network(layers: list[Any], weights: Weights, outputs: Outputs | None, named: str) -> Reading:
    """The network that is the chain of these layers; named: what the file holds the names of alone."""
    note = f"names: of {named} the file says the names alone, and they are taken for Keras's own"
    return finished(_signal(layers, weights), outputs).noted(note)


def _signal(layers: list[Any], weights: Weights) -> Signal:
    """What the chain of these layers makes of a point."""
    for layer in layers:
        _check_known(layer)
    sizes = [len(arrays[0]) for layer in layers if (arrays := weights.get(name_of(layer))) and np.ndim(arrays[0])]
    if not sizes:
        raise InputError("has no Dense layer; wanted hidden layers of ReLUs")
    for layer in layers:
        _check_input_shape(layer, sizes[0])
    moved = [number for number, layer in enumerate(layers) if _channels_first(layer)]
    shape = _input_shape(layers[: moved[0] + 1]) if moved else (sizes[0],)
    if shape is None or math.prod(shape) != sizes[0]:
        raise InputError(f"{said(layers[moved[0]])} moves channels, and of what shape is not said; give the model an Input")
    signal = Signal.of_features(shape)
    for layer in layers:
        arrays = weights.get(name_of(layer), [])
        signal = LAYERS[class_of(layer)](signal, said(layer), layer["config"], arrays)
    return signal


def _input_shape(layers: list[Any]) -> tuple[int, ...] | None:
    """The shape of what comes into the first of these layers that says it."""
    return next((shape for layer in layers if (shape := given_shape(layer) or built_shape(layer))), None)


def _channels_first(layer: Any) -> bool:
    return class_of(layer) == "Flatten" and layer["config"].get("data_format") == "channels_first"


def _check_input_shape(layer: Any, inputs: int) -> None:
    """InputError where a layer says that the model has another number of inputs than its weights have."""
    shape = given_shape(layer)
    if shape and math.prod(shape) != inputs:
        raise InputError(f"{said(layer)} says inputs of shape {describe(list(shape))}, but its first weights have {inputs}")


def _check_known(layer: Any) -> None:
    """InputError for code of the user's own, for layers that lpnet does not know, and for half precision."""
    if not is_builtin(layer) or class_of(layer) == "Lambda" or ">" in class_of(layer):
        raise InputError(f"{said(layer)} is code of its own, which lpnet never runs")
    if class_of(layer) not in LAYERS:
        raise InputError(f"{said(layer)} cannot be taken; lpnet reads {', '.join(LAYERS)}")
    precision = precision_of(layer)
    whole = class_of(layer) == "InputLayer" and isinstance(precision, str) and precision.startswith(("int", "uint"))
    if precision not in (None, "float32", "float64") and class_of(layer) != "Cast" and not whole:
        raise InputError(
            f"{said(layer)} computes in {describe(precision)}, and lpnet reads only what computes in float32 or float64; "
            'make the model anew with dtype="float32", and give it these weights by set_weights'
        )


def _dense(signal: Signal, where: str, config: Any, arrays: list[Any]) -> Signal:
    _, weight, bias = _dense_arrays(where, arrays)
    if (bias is not None) != bool(config.get("use_bias", True)):
        raise InputError(f"{where} has {len(arrays)} arrays of weights, but its configuration says otherwise")
    units = config.get("units", config.get("output_dim", len(weight)))
    if units != len(weight):
        raise InputError(f"{where} has {describe(units)} units by its configuration, and {len(weight)} by its weights")
    return activated(affine(signal, where, weight, bias), where, config, config.get("activation", "linear"))


def _normalization(signal: Signal, where: str, config: Any, arrays: list[Any]) -> Signal:
    """(x − mean) / √variance, the two stored as weights or in the configuration."""
    if config.get("invert"):
        raise InputError(f"{where} inverts a normalisation; wanted one in front")
    given = arrays[:2] if arrays else [config.get("mean"), config.get("variance")]
    mean, variance = (_spread(where, numbers, signal, precision(config)) for numbers in given)
    variance = np.maximum(variance, LEAST_DEVIATION**2)
    return normalised(signal, where, mean, variance, 0.0, np.ones_like(mean), np.zeros_like(mean))


def _batch_normalization(signal: Signal, where: str, config: Any, arrays: list[Any]) -> Signal:
    has = [bool(config.get("scale", True)), bool(config.get("center", True))]
    if len(arrays) != 2 + sum(has):
        raise InputError(f"{where} has {len(arrays)} arrays, but its configuration says {2 + sum(has)}")
    stored = [_spread(where, numbers, signal, precision(config)) for numbers in arrays]
    mean, variance = stored[-2:]
    weight = stored[0] if has[0] else np.ones_like(mean)
    bias = stored[int(has[0])] if has[1] else np.zeros_like(mean)
    return normalised(signal, where, mean, variance, number_of(where, config.get("epsilon", 1e-3)), weight, bias)


def _rescaling(signal: Signal, where: str, config: Any, arrays: list[Any]) -> Signal:
    """x · scale + offset, the two in float32 whatever the layer's precision, as TensorFlow takes them."""
    given = [config.get(name, default) for name, default in (("scale", 1.0), ("offset", 0.0))]
    scale, offset = (_spread(where, numbers, signal, np.float32) for numbers in given)
    return plus(scaled(signal, where, scale), where, offset)


def _spread(where: str, numbers: Any, signal: Signal, dtype: Any) -> Any:
    """One float of this precision for each feature, from one for all or as many."""
    try:
        array = checked(where, np.asarray(numbers, dtype=dtype)).ravel()
        return np.broadcast_to(array, signal.shape)
    except (TypeError, ValueError, OverflowError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{where}: wanted {signal.shape[0]} numbers, got {describe(numbers)}") from None


def _cast(signal: Signal, where: str, config: Any, arrays: list[Any]) -> Signal:
    """To the precision of the next layer, as Keras 3 puts it behind an input of another one."""
    if config.get("dtype") not in ("float32", "float64"):
        raise InputError(f"{where} rounds to {describe(config.get('dtype'))}; wanted float32 or float64")
    return signal


def _flatten(signal: Signal, where: str, config: Any, arrays: list[Any]) -> Signal:
    """In C order, the axis of the channels taken last where the configuration says that it comes first."""
    form = config.get("data_format")
    if form not in (None, "channels_last", "channels_first"):
        raise InputError(f'{where} has the data_format {describe(form)}; wanted "channels_last" or "channels_first"')
    if form == "channels_first":
        signal = transposed(signal, [*range(1, len(signal.shape)), 0])
    return reshaped(signal, (math.prod(signal.shape),))


def _nothing(signal: Signal, where: str, config: Any, arrays: list[Any]) -> Signal:
    return signal


LAYERS: dict[str, Operator] = {
    "InputLayer": _nothing,
    "Dense": _dense,
    **keras_gates.LAYERS,
    "Normalization": _normalization,
    "BatchNormalization": _batch_normalization,
    "Rescaling": _rescaling,
    "Cast": _cast,
    "Dropout": _nothing,
    "Flatten": _flatten,
}
