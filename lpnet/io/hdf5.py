"""Keras's weights in HDF5 files, which are read in a process of their own (`lpnet.io.hdf5_child`)."""

import os
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from lpnet.errors import InputError
from lpnet.io import json_
from lpnet.io.keras_config import class_of, is_model, layers_of, name_of
from lpnet.networks.arrays import describe

Group = dict[str, Any]  # "attributes": name → string or list; "members": name → Group or array
CONTAINERS = ("layers", "_layer_checkpoint_dependencies")  # of Keras 2.14 and later, and of 2.12 and 2.13
MOST_SECONDS = 30
DAMAGED = "is no HDF5 file, or a damaged one; write it anew with Keras"


def opened(source: Path | bytes) -> Group:
    """What an HDF5 file, or its bytes, hold."""
    if find_spec("h5py") is None:
        raise InputError('reading Keras files needs the package h5py: pip install "lpnet[keras]"')
    where = str(source) if isinstance(source, Path) else "-"
    command = [sys.executable, "-P", str(Path(__file__).with_name("hdf5_child.py")), where]
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    given = source if isinstance(source, bytes) else b""
    try:
        done = subprocess.run(command, input=given, capture_output=True, timeout=MOST_SECONDS, env=environment, check=True)
        with np.load(BytesIO(done.stdout), allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except (subprocess.SubprocessError, OSError, ValueError, EOFError):
        raise InputError(DAMAGED) from None
    found = json_.parsed(arrays.pop("tree").tobytes())
    if "error" in found:
        raise InputError(found["error"])
    return _filled(found, arrays)


def _filled(found: Group, arrays: dict[str, Any]) -> Group:
    """The tree with the arrays in place of their numbers."""
    members = {
        name: arrays[str(member)] if isinstance(member, int) else _filled(member, arrays)
        for name, member in found["members"].items()
    }
    return {"attributes": found["attributes"], "members": members}


def weights_by_name(parent: Group) -> Iterator[tuple[str, list[Any]]]:
    """The layers' names and arrays as Keras lists them: attributes layer_names, and weight_names in each layer's group."""
    for name in _names(parent, "layer_names"):
        layer = group(parent, name)
        yield name, [_array(layer, weight) for weight in _names(layer, "weight_names")]


def owners(parent: Group, name: str) -> dict[str, list[Any]]:
    """The arrays of the layers in a model that is a layer itself, by the names in their paths: "inner/dense/kernel"."""
    layer, found = group(parent, name), dict[str, list[Any]]()
    for path in _names(layer, "weight_names"):
        found.setdefault(path.split("/")[-2:][0], []).append(_array(layer, path))
    return found


def weights_by_class(file: Group, model: Any) -> dict[str, Any]:
    """The arrays of a model's layers, in groups called by their class and numbered in the layers' order; also of models in it.

    The numbers are 0, 1, 2, … in most versions, the 0 left out; 0, 2, 4, … in Keras 2.12 and 2.13.
    """
    parent, found = _container(file), dict[str, Any]()
    layers = [(class_of(layer), layer) for layer in layers_of(model)]
    for kind, stem in CLASSES.items():
        described = [layer for class_, layer in layers if class_ == kind]
        keys = sorted((key for key in parent["members"] if _stem(key)[0] == stem), key=_stem)
        if len(keys) != len(described):
            raise InputError(f"has the weights of {len(keys)} {kind} layers, but its configuration lists {len(described)}")
        for key, layer in zip(keys, described, strict=True):
            inside, name = group(parent, key), name_of(layer)
            stored = group(inside, "vars")
            said = stored["attributes"].get("name", name)
            if said != name:
                raise InputError(f"its weights call {describe(said)} what its configuration calls {describe(name)}")
            found[name] = weights_by_class(inside, layer) if is_model(layer) else _arrays(stored)
    return found


def _stem(key: str) -> tuple[str, int]:
    """A group's name without its number, and the number: dense_1 is the second group called dense."""
    stem, _, number = key.rpartition("_")
    return (stem, int(number)) if stem and number.isdecimal() and len(number) < 9 else (key, 0)


CLASSES = {
    "Dense": "dense",
    "Normalization": "normalization",
    "BatchNormalization": "batch_normalization",
    "PReLU": "p_re_lu",
    "Conv1D": "conv1d",
    "Conv2D": "conv2d",
    "Sequential": "sequential",
    "Functional": "functional",
}
# What an Activation computes is in no file of weights, as little as what a Dense layer does with its sums.
UNNOTICED = ("input_layer", "dropout", "flatten", "activation", "softmax")


def flattens(file: Group) -> bool:
    """Whether a file of weights alone names a Flatten, of which it does not say how."""
    return any(_stem(key)[0] == "flatten" for name in CONTAINERS for key in file["members"].get(name, {}).get("members", {}))


def dense_weights(file: Group) -> list[tuple[str, list[Any]]]:
    """All Dense layers in a file of weights alone, in order; InputError for a layer of a kind that may do anything else.

    Keras 3 names every layer by its class, also one without weights. One ReLU is what is taken for granted anyway.
    """
    for name, member in file["members"].items():
        if name not in (*CONTAINERS, "optimizer", "vars") and _tables(member):
            raise InputError(
                f"holds weights in a group {name!r}, an attribute of a class of its own: in which order its layers are used "
                "only its code says; give the same layers and weights to a keras.Sequential, and save that"
            )
    parent, found = _container(file), []
    for key in parent["members"]:
        stored = group(group(parent, key), "vars")
        stem, number = _stem(key)
        if stem == "dense":
            found.append((number, str(stored["attributes"].get("name", key)), _arrays(stored)))
        elif stored["members"] or (stem not in UNNOTICED and key != "re_lu"):
            raise InputError(f"has a layer {key!r}, whose place and settings are not in the file; wanted the whole model")
    return [(name, arrays) for _, name, arrays in sorted(found, key=lambda entry: entry[0])]


def _tables(member: Any) -> bool:
    """Whether a group holds a layer's own variables, one of them a matrix."""
    stored = _member(member, "vars") if isinstance(member, dict) else None
    return isinstance(stored, dict) and any(isinstance(a, np.ndarray) and a.ndim == 2 for a in stored["members"].values())


def text(file: Group, name: str) -> str:
    """An attribute that is a string, "" where it is not there."""
    value = file["attributes"].get(name, "")
    if not isinstance(value, str):
        raise InputError(f"its attribute {name} is {describe(value)}; wanted a string")
    return value


def group(parent: Group, name: str) -> Group:
    """A group inside another one."""
    found = _member(parent, name)
    if not isinstance(found, dict):
        raise InputError(f"has no group {name!r}; wanted the weights of a Keras model")
    return found


def _container(file: Group) -> Group:
    names = [name for name in CONTAINERS if name in file["members"]]
    if not names:
        raise InputError("has no weights of a Keras model in it; wanted what model.save or model.save_weights writes")
    return group(file, names[0])


def _member(parent: Any, path: str) -> Any:
    """What is at a path inside a group."""
    for name in filter(None, path.split("/")):
        parent = parent["members"].get(name) if isinstance(parent, dict) else None
    return parent


def _names(parent: Group, attribute: str) -> list[str]:
    """A list of names; a long one is stored in parts: layer_names0, layer_names1, …"""
    attributes = parent["attributes"]
    parts = [attribute] if attribute in attributes else [f"{attribute}{part}" for part in range(len(attributes))]
    names = [name for part in parts if isinstance(attributes.get(part), list) for name in attributes[part]]
    if not all(isinstance(name, str) for name in names):
        raise InputError(f"its attribute {attribute} is no list of names; wanted what Keras writes")
    return names


def _arrays(stored: Group) -> list[Any]:
    return [_array(stored, str(number)) for number in range(len(stored["members"]))]


def _array(parent: Group, path: str) -> Any:
    found = _member(parent, path)
    if not isinstance(found, np.ndarray):
        raise InputError(f"has no array {path!r}; wanted the weights of a Keras model")
    return found
