"""Tables in memory, data frames, arrays and pairs (X, y), as examples of a network.

A table's columns are those of the network's inputs: by their names where the network has names and the table has all of them,
else in their order. A column more is the class: one that is called so (`CALLED`), or one of texts, or the last one. Without a
name, or called "Unnamed: 0" or "index", the first column is a number of the row and left out where there are too many.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lpnet.errors import InputError
from lpnet.exact import FloatArray
from lpnet.networks.arrays import as_array, describe
from lpnet.networks.examples import Examples
from lpnet.networks.named import Named

CALLED = ("y", "class", "label", "target", "labels", "classes", "species", "outcome", "diagnosis")
INDEX = ("", "index", "Unnamed: 0", "__index_level_0__")
Columns = dict[str, NDArray[Any]]


def examples_of(source: Any, network: Any) -> Examples:
    """The rows of inputs of a network in a data frame, an array (N, d), a pair (X, y) or an `Examples`, or InputError."""
    try:
        return checked(source if isinstance(source, Examples) else _of_memory(source, network), network.inputs)
    except InputError as error:
        raise InputError(f"data: {error}") from None


def checked(examples: Examples, inputs: int) -> Examples:
    """The examples, if there are any and they have so many inputs."""
    rows, columns = examples.points.shape
    if columns != inputs:
        raise InputError(f"wanted {inputs} columns, one an input of the network, got {columns}")
    if not rows:
        raise InputError("wanted at least one row, got none")
    if examples.classes is not None and len(examples.classes) != rows:
        raise InputError(f"wanted a class for each of the {rows} rows, got {len(examples.classes)}")
    return examples


def _of_memory(source: Any, network: Named) -> Examples:
    """Of an array, a pair of arrays or a data frame."""
    if hasattr(source, "columns"):
        return of_columns({str(name): np.asarray(source[name]) for name in source.columns}, network)
    if isinstance(source, tuple) and len(source) == 2 and np.ndim(source[0]) == 2:
        inputs = _of_memory(source[0], network)
        return Examples(inputs.points, words(np.asarray(source[1])), inputs.features)
    if isinstance(source, Mapping):
        raise InputError(f"wanted a data frame, an array (rows, inputs) or a pair (X, y), got {describe(source)}")
    return Examples(as_array("X", source, (None, None)))


def of_columns(columns: Columns, network: Any) -> Examples:
    """The inputs among the columns of a table, and their classes."""
    if network.features and set(network.features) <= columns.keys():
        chosen = list(network.features)
    else:
        chosen = list(columns)
        extra = len(chosen) - network.inputs
        if extra > 0 and chosen[0] in INDEX:
            chosen, extra = chosen[1:], extra - 1
        if extra == 1:
            chosen.remove(class_column(chosen, columns))
        elif extra:
            raise InputError(
                f"wanted {network.inputs} columns, one an input of the network, or one more for the class, got {len(columns)}"
                + (f"; or columns named {', '.join(network.features[:5])}, …" * bool(network.features))
            )
    others = [name for name in columns if name not in chosen and name not in INDEX]
    named = not all(name.startswith("column ") for name in chosen)
    points = np.column_stack([numbers(name, columns[name]) for name in chosen])
    classes = words(columns[class_column(others, columns)]) if others else None
    return Examples(points, classes, tuple(chosen) if named else ())


def class_column(names: Sequence[str], columns: Columns) -> str:
    """The one that holds the class."""
    called = [name for name in names if name.lower() in CALLED]
    texts = [name for name in names if columns[name].dtype.kind not in "iufb"]
    return (called or texts or list(names))[-1]


def numbers(name: str, column: NDArray[Any]) -> FloatArray:
    """A column as float64; InputError for what is none, naming its row."""
    if column.dtype.kind in "iub":
        made = column.astype(np.float64)
        if (made.astype(object) != column.astype(object)).any():
            raise InputError(f"column {name!r}: has whole numbers that float64 would round; wanted smaller ones")
        return made
    try:
        made = column.astype(np.float64)
    except (TypeError, ValueError):
        row = next((k for k, value in enumerate(column.tolist()) if not is_number(value)), 0)
        raise InputError(f"column {name!r}: wanted a number, got {describe(column[row])} in row {row + 1}") from None
    if not np.isfinite(made).all():
        row = int(np.flatnonzero(~np.isfinite(made))[0])
        raise InputError(f"column {name!r}: wanted a finite number, got {made[row]} in row {row + 1}; leave such rows out")
    return made


def is_number(value: Any) -> bool:
    """Whether float takes it."""
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return True


def words(classes: Any) -> NDArray[Any] | None:
    """Classes as texts, 1.0 as "1"."""
    if classes is None:
        return None
    flat = np.asarray(classes)
    flat = flat.ravel() if flat.ndim == 2 and flat.shape[1] == 1 else flat
    if flat.ndim != 1:
        raise InputError(f"y: wanted a class for each row, got shape {flat.shape}")
    if flat.dtype.kind == "f" and (flat == np.round(flat)).all():
        flat = flat.astype(np.int64)
    return np.array([str(value) for value in flat.tolist()], dtype=object)
