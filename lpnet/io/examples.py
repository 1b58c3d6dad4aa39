"""Data, rows of inputs with their classes or without, from .csv, .npz, .npy and .parquet files, data frames and arrays.

Which columns are inputs and which one is the class says `lpnet.networks.table`. Decimals stand for the nearest float64; whole
numbers that float64 would round are refused.
"""

import csv
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lpnet.errors import InputError
from lpnet.exact import FloatArray
from lpnet.io import npz
from lpnet.io.files import check_file, naming
from lpnet.networks.arrays import as_array
from lpnet.networks.examples import Examples
from lpnet.networks.named import Named
from lpnet.networks.table import Columns, checked, examples_of, is_number, of_columns, words

SUFFIXES = (".csv", ".tsv", ".npz", ".npy", ".parquet")


def load_examples(source: Any, network: Any) -> Examples:
    """The rows of inputs of a network in a file, a data frame, an array (N, d), a pair (X, y) or an `Examples`.

    Raises InputError, saying what arrived and what was wanted, its message beginning with the file's name.
    """
    if isinstance(source, str | os.PathLike):
        path = Path(source)
        with naming(path):
            return checked(_read(path, network), network.inputs)
    return examples_of(source, network)


def signed_classes(examples: Examples) -> FloatArray | None:
    """The classes as ±1, where they are −1 and +1, or 0 and 1; InputError for others."""
    if examples.classes is None:
        return None
    try:
        numbers = examples.classes.astype(np.float64)
    except ValueError:
        numbers = np.full(1, np.nan)
    if not np.isin(numbers, [-1, 1]).all() and not np.isin(numbers, [0, 1]).all():
        raise InputError("y: wanted the classes −1 and +1, or 0 and 1")
    return np.where(numbers > 0, 1.0, -1.0)


def _read(path: Path, network: Named) -> Examples:
    suffix = check_file(path, SUFFIXES, "read as data")
    if suffix == ".npz":
        arrays = npz.read_examples(path)
        return Examples(as_array("X", arrays["X"], (None, None)), words(arrays.get("y")))
    if suffix == ".npy":
        return Examples(_npy(path))
    return of_columns(_parquet(path) if suffix == ".parquet" else _csv(path), network)


def _csv(path: Path) -> Columns:
    """The columns of a text file, under the names in its first line where that has one that is no number."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            head = file.read(4096)
            file.seek(0)
            separator = max(",;\t", key=head.partition("\n")[0].count)
            rows = [row for row in csv.reader(file, delimiter=separator) if row]
    except UnicodeDecodeError:
        raise InputError("is no UTF-8 text; wanted a table with commas between numbers") from None
    except csv.Error as error:
        raise InputError(f"is no table: {error}") from None
    if not rows:
        raise InputError("is empty; wanted a table")
    first = [cell.strip() for cell in rows[0]]
    names = first if not all(map(is_number, first)) else [f"column {k + 1}" for k in range(len(first))]
    if len(set(names)) < len(names):
        raise InputError(f"has two columns of the same name, {', '.join(sorted({z for z in names if names.count(z) > 1}))}")
    rows = rows[1:] if names is first else rows
    if uneven := next((k for k, row in enumerate(rows, 1) if len(row) != len(names)), None):
        raise InputError(f"row {uneven} has {len(rows[uneven - 1])} entries, but there are {len(names)} columns")
    if not rows:
        raise InputError("wanted at least one row, got none")
    return {name: column(cells) for name, cells in zip(names, zip(*rows, strict=True), strict=True)}


def column(cells: Sequence[str]) -> NDArray[Any]:
    """Numbers, or texts where one cell is none."""
    try:
        return np.array([float(cell) for cell in cells])
    except ValueError:
        return np.array([cell.strip() for cell in cells], dtype=object)


def _parquet(path: Path) -> Columns:
    """The columns of a Parquet file."""
    try:
        import pyarrow.parquet
    except ImportError:
        raise InputError('reading Parquet needs the package pyarrow: pip install "lpnet[studies]"') from None
    try:
        table = pyarrow.parquet.read_table(path)
    except (pyarrow.ArrowException, OSError, ValueError):
        raise InputError("is not a Parquet file, or is damaged") from None
    return {name: table[name].to_numpy() for name in table.column_names}


def _npy(path: Path) -> FloatArray:
    """The array in a .npy file."""
    try:
        return as_array("array", np.load(path, allow_pickle=False), (None, None))
    except (ValueError, EOFError) as error:
        raise InputError(str(error) if isinstance(error, InputError) else "is not a .npy file of plain numbers") from None
