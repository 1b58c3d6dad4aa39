"""The results as a table, and what it says in short: means over networks, with standard errors."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from lpnet.errors import InputError
from lpnet.io import replacing

Row = dict[str, Any]

# inputs, relus, network, learner: what was measured. units: hidden units. rate: the chosen one; for exact_start 0 is the start
# itself. epochs: the number of the best one. fold_error: of the rate in cross-validation. validation_, train_, test_error:
# shares of wrong labels, like `epochs` means over starts; chosen_…: those of the start with the smallest validation error.
# positive_share, positive_test_share: labels +1 among all points and the test points. seconds: of the run, cores being shared.
COLUMNS = {
    "inputs": int, "relus": int, "network": int, "learner": str, "units": int, "rate": float, "epochs": float,
    "fold_error": float, "validation_error": float, "train_error": float, "test_error": float,
    "chosen_train_error": float, "chosen_test_error": float, "positive_share": float, "positive_test_share": float,
    "seconds": float,
}  # fmt: skip


def write_table(rows: list[Row], folder: Path) -> list[Path]:
    """`figure4.csv` and `figure4.parquet` in a folder: numbers of one run a line, an empty field where there is none."""
    import pyarrow as pa
    from pyarrow import csv, parquet

    kinds = {int: pa.int64(), str: pa.string(), float: pa.float64()}
    table = pa.Table.from_pylist(rows, pa.schema([(name, kinds[kind]) for name, kind in COLUMNS.items()]))
    paths = [folder / "figure4.csv", folder / "figure4.parquet"]
    for path, write in zip(paths, (csv.write_csv, parquet.write_table), strict=True):
        with replacing(path) as out:
            write(table, out)
    return paths


def read_table(path: Path) -> list[Row]:
    """The rows of a CSV or Parquet file that `write_table` made."""
    from pyarrow import ArrowException, csv, parquet

    try:
        rows = (parquet.read_table(path) if path.suffix == ".parquet" else csv.read_csv(path)).to_pylist()
    except (OSError, ArrowException) as error:
        raise InputError(f"{path}: cannot be read as a table: {error}") from None
    if not rows or set(rows[0]) != set(COLUMNS):
        raise InputError(f"{path}: wanted the columns {', '.join(COLUMNS)}")
    return rows


def mean_and_error(values: Iterable[float]) -> tuple[float, float]:
    """The mean over networks and its standard error, s/√k with s² = Σ(v − mean)²/(k − 1); no number (nan) for k = 1."""
    array = np.array(list(values), dtype=float)
    spread = array.std(ddof=1) / np.sqrt(len(array)) if len(array) > 1 else np.nan
    return float(array.mean()), float(spread)


def summary(rows: list[Row]) -> list[Row]:
    """One row a setting and learner, and for the exact start a row a rate: means over networks with standard errors (…_se)."""
    groups: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        rate = row["rate"] if row["learner"] == "exact_start" else None
        groups.setdefault((row["relus"], row["inputs"], row["learner"], rate), []).append(row)
    found = []
    for (relus, inputs, learner, rate), members in groups.items():
        line = {"relus": relus, "inputs": inputs, "learner": learner, "rate": rate, "networks": len(members)}
        line["units"] = float(np.mean([row["units"] for row in members]))
        for name in ("train_error", "test_error", "chosen_test_error"):
            known = members[0].get(name) is not None
            line[name], line[f"{name}_se"] = mean_and_error(row[name] for row in members) if known else (None, None)
        found.append(line)
    return found
