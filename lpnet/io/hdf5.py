"""Keras's weights in HDF5 files. No link to another file is followed, no filter but the standard ones is run."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from lpnet.errors import InputError
from lpnet.io.kinds import MOST_NUMBERS
from lpnet.networks.arrays import describe

CONTAINERS = ("layers", "_layer_checkpoint_dependencies")  # of Keras 3 and of Keras 2.12 to 2.15
FILTERS = (None, "gzip")
DAMAGED = "is a damaged HDF5 file; write it anew with Keras"


@contextmanager
def opened(source: Any) -> Iterator[Any]:
    """The HDF5 file at a path or in a buffer; what its library raises becomes an InputError."""
    try:
        import h5py
    except ImportError:
        raise InputError('reading Keras files needs the package h5py: pip install "lpnet[keras]"') from None
    try:
        with h5py.File(source, "r") as file:
            yield file
    except InputError:
        raise
    except (OSError, KeyError, RuntimeError, ValueError, TypeError, MemoryError, OverflowError):
        raise InputError(DAMAGED) from None


def weights_by_name(parent: Any) -> Iterator[tuple[str, list[Any]]]:
    """The layers' names and arrays as Keras lists them: attributes layer_names, and weight_names in each layer's group."""
    for name in _names(parent, "layer_names"):
        layer = group(parent, name)
        yield name, [_array(layer, weight) for weight in _names(layer, "weight_names")]


def weights_by_class(file: Any, layers: list[tuple[str, str]]) -> dict[str, list[Any]]:
    """The arrays of the layers (class, name), in groups called dense, dense_1, … by their class and order."""
    found, parent, counts = {}, _container(file), dict[str, int]()
    for kind, name in layers:
        if kind not in CLASSES:
            continue
        count = counts.get(kind, 0)
        counts[kind] = count + 1
        key = CLASSES[kind] + (f"_{count}" if count else "")
        stored = group(group(parent, key), "vars")
        said = stored.attrs.get("name")
        if said is not None and said != name:
            raise InputError(f"its weights call {describe(said)} what its configuration calls {describe(name)}")
        found[name] = _arrays(stored)
    return found


CLASSES = {"Dense": "dense", "Normalization": "normalization", "BatchNormalization": "batch_normalization"}


def dense_weights(file: Any) -> list[tuple[str, list[Any]]]:
    """All Dense layers in a file of weights alone, in order; InputError for a layer of another kind."""
    parent, found = _container(file), []
    for key in parent:
        stored = group(group(parent, key), "vars")
        if not len(stored):
            continue
        kind, _, count = key.rpartition("_") if key.rpartition("_")[2].isdigit() else (key, "", "0")
        if kind != "dense":
            raise InputError(f"has the weights of a layer {key!r}, whose place is not in the file; wanted the whole model")
        found.append((int(count), str(stored.attrs.get("name", key)), _arrays(stored)))
    return [(name, arrays) for _, name, arrays in sorted(found, key=lambda entry: entry[0])]


def text(file: Any, name: str) -> str:
    """An attribute that is a string, "" where it is not there."""
    value = file.attrs.get(name, "")
    value = value.decode("utf-8", "replace") if isinstance(value, bytes) else value
    if not isinstance(value, str):
        raise InputError(f"its attribute {name} is {describe(value)}; wanted a string")
    return value


def group(parent: Any, name: str) -> Any:
    """A group inside another one, of the same file."""
    import h5py

    found = _member(parent, name)
    if not isinstance(found, h5py.Group):
        raise InputError(f"has no group {name!r}; wanted the weights of a Keras model")
    return found


def _container(file: Any) -> Any:
    names = [name for name in CONTAINERS if name in file]
    if not names:
        raise InputError("has no weights of a Keras model in it; wanted what model.save or model.save_weights writes")
    return group(file, names[0])


def _member(parent: Any, path: str) -> Any:
    """What is at a path inside a group, reached by plain links only."""
    import h5py

    for name in filter(None, path.split("/")):
        if not isinstance(parent, h5py.Group) or name not in parent:
            return None
        if not isinstance(parent.get(name, getlink=True), h5py.HardLink):
            raise InputError(f"{name!r} is a link to elsewhere, which is not followed")
        parent = parent[name]
    return parent


def _names(parent: Any, attribute: str) -> list[str]:
    """A list of names; a long one is stored in parts: layer_names0, layer_names1, …"""
    parts = [attribute] if attribute in parent.attrs else [f"{attribute}{part}" for part in range(len(parent.attrs))]
    names = [name for part in parts if part in parent.attrs for name in np.ravel(parent.attrs[part])]
    names = [name.decode("utf-8", "replace") if isinstance(name, bytes) else name for name in names]
    if not all(isinstance(name, str) for name in names):
        raise InputError(f"its attribute {attribute} is no list of names; wanted what Keras writes")
    return names


def _arrays(stored: Any) -> list[Any]:
    return [_array(stored, str(number)) for number in range(len(stored))]


def _array(parent: Any, path: str) -> Any:
    """The numbers of a dataset."""
    import h5py

    found = _member(parent, path)
    if not isinstance(found, h5py.Dataset):
        raise InputError(f"has no array {path!r}; wanted the weights of a Keras model")
    if found.is_virtual or found.external or found.compression not in FILTERS or found.scaleoffset is not None:
        raise InputError(f"the array {path!r} is kept elsewhere or packed in an unusual way; write it anew with Keras")
    if found.dtype.kind not in "fiu" or (found.size or 0) > MOST_NUMBERS:
        raise InputError(f"the array {path!r}: wanted up to {MOST_NUMBERS} numbers, got {found.size} of {found.dtype}")
    return np.asarray(found[()])
