"""A study's table in a few rows."""

from collections.abc import Sequence

from lpnet.studies.folder import Table
from lpnet.studies.study import Row

VARIED = ("data", "initial", "signs", "weights", "bias", "output_bias", "epoch")


def summary(table: Table, by: Sequence[str] | None = None) -> list[Row]:
    """For each combination of some columns (default: whatever else than n and d was varied), in order, over what was counted:

    networks; needed and ratio: their means, and `most` and `largest`, the greatest; reached: how many needed as many as the law
    allows; beyond: how many needed more, which would refute it; given_up: how many were not counted.
    """
    import pyarrow.compute as pc

    if by is None:
        by = [name for name in VARIED if name in table.column_names and len(pc.unique(table[name])) > 1]
    counts = {
        "reached": pc.equal(table["needed"], table["law"]),
        "beyond": pc.greater(table["needed"], table["law"]),
        "given_up": pc.is_null(table["needed"]),
    }
    for name, flags in counts.items():
        table = table.append_column(name, pc.cast(flags, "int64"))
    wanted = {("needed", "mean"): "needed", ("needed", "max"): "most", ("ratio", "mean"): "ratio", ("ratio", "max"): "largest"}
    wanted |= {("status", "count"): "networks", **{(name, "sum"): name for name in counts}}
    found = table.group_by(list(by), use_threads=False).aggregate(list(wanted))
    if by:
        found = found.sort_by([(name, "ascending") for name in by])
    rows = found.select([*by, *(f"{column}_{how}" for column, how in wanted)]).rename_columns([*by, *wanted.values()])
    first = [*by, "networks"]
    return rows.select([*first, *(name for name in rows.column_names if name not in first)]).to_pylist()
