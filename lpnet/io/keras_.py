"""Keras models: .keras files, .h5 files, files of weights alone, and models in memory; read without Keras, nothing is executed.

A model is a chain of layers or a graph of them, also with models for layers: Dense, convolutions, Normalization or the like,
sums, joins and extremes of branches, and ReLUs or other gates that are linear in pieces.
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
from lpnet.io import hdf5, json_, keras_gates, keras_merges, keras_windows
from lpnet.io.arithmetic import normalised, plus, scaled
from lpnet.io.files import look
from lpnet.io.keras_config import (
    START,
    calls_of,
    class_of,
    is_builtin,
    is_model,
    layers_of,
    name_of,
    precision_of,
    said,
    shape_of,
)
from lpnet.io.keras_gates import Operator, activated, number_of, precision
from lpnet.io.keras_objects import check_objects, compare
from lpnet.io.kinds import MOST_BYTES, Outputs, is_zip
from lpnet.io.layers import of_weights
from lpnet.io.reading import Reading, affine, finished
from lpnet.io.rearranging import reshaped, transposed
from lpnet.io.signal import Signal, checked
from lpnet.networks.arrays import describe

Weights = Mapping[str, Any]  # the arrays of a layer by its name, or the weights of a model in the model
LEAST_DEVIATION = 1e-7  # keras.config.epsilon(): Normalization divides by no less


def read(path: Path, outputs: Outputs | None = None) -> Reading:
    """The network in a .keras or .h5 file."""
    if path.suffix.lower() != ".keras" or look(path) == "an HDF5 file":  # until version 2.12 Keras wrote .keras files as HDF5
        return _of_h5(hdf5.opened(path), outputs)
    config, weights, version = _members(path)
    stored = hdf5.weights_by_class(hdf5.opened(weights), config)
    return _network(config, stored, outputs, "activation functions", version)


def of_model(model: Any, outputs: Outputs | None = None) -> Reading:
    """The network of a keras.Sequential or of a functional keras.Model."""
    check_objects(model)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what Keras's backends say to numpy is not the user's concern
        config = json.loads(model.to_json())
        weights = _weights(model)
    signal = _signal(config, weights)
    made = finished(signal, outputs)
    compare(model, signal)
    return made


def _weights(model: Any) -> Weights:
    """The arrays of a model's layers, by their names."""
    return {layer.name: _weights(layer) if hasattr(layer, "layers") else list(layer.get_weights()) for layer in model.layers}


def _members(path: Path) -> tuple[Any, bytes, str]:
    """The configuration and the weights in a .keras archive, and Keras's version."""
    if not is_zip(path):
        raise InputError("is not a .keras archive; write one with model.save")
    try:
        with ZipFile(path) as archive:
            members = {member.filename: member for member in archive.infolist()}
            if missing := [name for name in ("config.json", "model.weights.h5") if name not in members]:
                raise InputError(f"has no {missing[0]} in it; write a .keras archive with model.save")
            if sum(members[name].file_size for name in ("config.json", "model.weights.h5")) > MOST_BYTES:
                raise InputError(f"unpacks to more than {MOST_BYTES >> 20} MiB; wanted the weights of a network")
            about = json_.parsed(archive.read("metadata.json")) if "metadata.json" in members else {}
            config, weights = json_.parsed(archive.read("config.json")), archive.read("model.weights.h5")
            return config, weights, str(about.get("keras_version", ""))
    except InputError:
        raise
    except Exception:  # zipfile and zlib raise many kinds
        raise InputError("is a damaged .keras archive; write it anew with model.save") from None


def _of_h5(file: Any, outputs: Outputs | None) -> Reading:
    """A whole model with its configuration, or weights alone, of Keras 2 or 3."""
    if config := hdf5.text(file, "model_config"):
        described, stored = json_.parsed(config.encode(errors="surrogatepass")), hdf5.group(file, "model_weights")
        inner = {name_of(layer) for layer in layers_of(described) if is_model(layer)}
        weights = {
            name: hdf5.owners(stored, name) if name in inner else arrays for name, arrays in hdf5.weights_by_name(stored)
        }
        return _network(described, weights, outputs, "layers and activation functions", hdf5.text(file, "keras_version"))
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


def _network(config: Any, weights: Weights, outputs: Outputs | None, named: str, version: str) -> Reading:
    """The network of a model's configuration; named: what the file holds the names of alone."""
    if not version.startswith("3") and "hard_sigmoid" in json.dumps(config):
        raise InputError("has a hard_sigmoid, whose slope is 0.2 in Keras 2 and 1/6 in Keras 3; save the model by Keras 3")
    note = f"names: of {named} the file says the names alone, and they are taken for Keras's own"
    return finished(_signal(config, weights), outputs).noted(note)


def _signal(config: Any, weights: Weights) -> Signal:
    """What a model makes of a point."""
    layers = layers_of(config)
    shape = shape_of(config)
    if shape is None:
        if moved := next(filter(_channels_first, layers), None):
            raise InputError(f"{said(moved)} moves channels, and of what shape is not said; give the model an Input")
        sizes = [len(arrays[0]) for layer in layers if (arrays := weights.get(name_of(layer))) and np.ndim(arrays[0])]
        if not sizes:
            raise InputError("says no shape of its input; give it an Input")
        shape = (sizes[0],)
    return _model(Signal.of_features(shape), config, weights)


def _model(signal: Signal, config: Any, weights: Weights) -> Signal:
    """What a model, also one that is a layer of another one, makes of a signal."""
    calls, output = calls_of(config)
    made = {START: signal}
    for call in calls:
        made[call.made] = _called(call.layer, [made[source] for source in call.sources], weights)
    return made[output]


def _called(layer: Any, signals: list[Signal], weights: Weights) -> Signal:
    """What a layer makes of signals; the weights of models in models may be all in one place."""
    if not is_model(layer):
        _check_known(layer)
    where, config = said(layer), layer["config"]
    try:
        if class_of(layer) in keras_merges.MERGES:
            return keras_merges.MERGES[class_of(layer)](signals, where, config)
        (signal,) = signals
        if is_model(layer):
            return _model(signal, layer, weights.get(name_of(layer), weights))
        return LAYERS[class_of(layer)](signal, where, config, weights.get(name_of(layer), []))
    except InputError:
        raise
    except (ValueError, TypeError, KeyError, IndexError) as error:
        raise InputError(f"{where} cannot be taken ({error}); wanted what Keras itself writes") from None


def _channels_first(layer: Any) -> bool:
    return class_of(layer) == "Flatten" and layer["config"].get("data_format") == "channels_first"


def _check_known(layer: Any) -> None:
    """InputError for code of the user's own, for layers that lpnet does not know, and for half precision."""
    if not is_builtin(layer) or class_of(layer) == "Lambda" or ">" in class_of(layer):
        raise InputError(f"{said(layer)} is code of its own, which lpnet never runs")
    if class_of(layer) not in (known := {**LAYERS, **keras_merges.MERGES}):
        raise InputError(f"{said(layer)} cannot be taken; lpnet reads {', '.join(known)}")
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
    _check_axis(signal, where, config)
    if config.get("invert"):
        raise InputError(f"{where} inverts a normalisation; wanted one in front")
    given = arrays[:2] if arrays else [config.get("mean"), config.get("variance")]
    mean, variance = (_spread(where, numbers, signal, precision(config)) for numbers in given)
    variance = np.maximum(variance, LEAST_DEVIATION**2)
    return normalised(signal, where, mean, variance, 0.0, np.ones_like(mean), np.zeros_like(mean))


def _batch_normalization(signal: Signal, where: str, config: Any, arrays: list[Any]) -> Signal:
    _check_axis(signal, where, config)
    has = [bool(config.get("scale", True)), bool(config.get("center", True))]
    if len(arrays) != 2 + sum(has):
        raise InputError(f"{where} has {len(arrays)} arrays, but its configuration says {2 + sum(has)}")
    stored = [_spread(where, numbers, signal, precision(config)) for numbers in arrays]
    mean, variance = stored[-2:]
    weight = stored[0] if has[0] else np.ones_like(mean)
    bias = stored[int(has[0])] if has[1] else np.zeros_like(mean)
    return normalised(signal, where, mean, variance, number_of(where, config.get("epsilon", 1e-3)), weight, bias)


def _check_axis(signal: Signal, where: str, config: Any) -> None:
    """InputError where the numbers of a normalisation are not those of the last axis."""
    last = len(signal.shape)
    if config.get("axis", -1) not in (None, -1, last, [-1], [last]):
        raise InputError(f"{where} runs along axis {describe(config['axis'])}; wanted the last one")


def _rescaling(signal: Signal, where: str, config: Any, arrays: list[Any]) -> Signal:
    """x · scale + offset, the two in float32 whatever the layer's precision, as TensorFlow takes them."""
    given = [config.get(name, default) for name, default in (("scale", 1.0), ("offset", 0.0))]
    scale, offset = (_spread(where, numbers, signal, np.float32) for numbers in given)
    return plus(scaled(signal, where, scale), where, offset)


def _spread(where: str, numbers: Any, signal: Signal, dtype: Any) -> Any:
    """One float of this precision for each feature, from one for all or as many."""
    try:
        return np.broadcast_to(checked(where, np.asarray(numbers, dtype=dtype)).ravel(), signal.shape)
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


def _permute(signal: Signal, where: str, config: Any, arrays: list[Any]) -> Signal:
    return transposed(signal, [axis - 1 for axis in config["dims"]])


def _reshape(signal: Signal, where: str, config: Any, arrays: list[Any]) -> Signal:
    return reshaped(signal, np.broadcast_to(np.int8(0), signal.shape).reshape(config["target_shape"]).shape)


def _nothing(signal: Signal, where: str, config: Any, arrays: list[Any]) -> Signal:
    return signal


LAYERS: dict[str, Operator] = {
    "InputLayer": _nothing,
    "Dense": _dense,
    **keras_gates.LAYERS,
    "Normalization": _normalization,
    "BatchNormalization": _batch_normalization,
    "Rescaling": _rescaling,
    **keras_windows.LAYERS,
    "Cast": _cast,
    "Dropout": _nothing,
    "SpatialDropout1D": _nothing,
    "SpatialDropout2D": _nothing,
    "GaussianNoise": _nothing,
    "GaussianDropout": _nothing,
    "ActivityRegularization": _nothing,
    "Flatten": _flatten,
    "Permute": _permute,
    "Reshape": _reshape,
}
