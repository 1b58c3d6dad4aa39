"""A study's folder: nothing in it is lost or doubled, whenever its process is killed.

study.json: what the study is; parts/: the rows of each finished chunk, a Parquet file each, written as a whole or not at all;
networks.parquet: all rows, in the order of the chunks, once they are there; lock: held by the process at work.
"""

import json
import os
import platform
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

from lpnet.errors import InputError
from lpnet.io import replacing
from lpnet.studies.study import Row, Study, parameters

MANIFEST, TABLE, PARTS, LOCK = "study.json", "networks.parquet", "parts", "lock"
MADE_WITH = ("lpnet", "numpy", "scikit-learn")
NUMBERED = 8 * "[0-9]" + ".parquet"
Table = Any  # a pyarrow.Table


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """The folder, made if need be, for one process alone, without what a killed one left half-written in it.

    The system frees it when the process ends, however it ends. Raises InputError where another process has it.
    """
    from filelock import FileLock, Timeout

    try:
        folder.mkdir(parents=True, exist_ok=True)
        held = FileLock(folder / LOCK).acquire(timeout=0)
    except Timeout:
        raise InputError(f"{folder}: another process is at work in it; wait for its end, or name another folder") from None
    except OSError as error:
        raise InputError(f"{folder}: cannot be written: {error.strerror or error}") from None
    with held:
        for unfinished in [*folder.glob(".lpnet-*"), *folder.glob("*/.lpnet-*")]:
            with suppress(OSError):
                unfinished.unlink()
        yield


def manifest(folder: Path) -> Row | None:
    """The parameters of the study in a folder, if there is one."""
    try:
        found = dict(json.loads((folder / MANIFEST).read_text())["parameters"])
        return {"study": found["study"], **found}
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{folder / MANIFEST}: cannot be read: {error}") from None


def claim(folder: Path, study: Study) -> None:
    """Say in the folder what study it holds; InputError if it holds another one."""
    there, wanted = manifest(folder), parameters(study)
    if there is None and ((folder / TABLE).exists() or (folder / PARTS).exists()):
        raise InputError(f"{folder}: has {TABLE} or {PARTS}/ without {MANIFEST}; name another folder")
    if there is not None and there != wanted:
        what = next(name for name in [*wanted, *there] if there.get(name) != wanted.get(name))
        raise InputError(
            f"{folder}: holds a study with {what} {there.get(what)}, and {wanted.get(what)} was asked for; name another folder"
        )
    try:
        if there is None:
            with replacing(folder / MANIFEST) as file:
                file.write(json.dumps({"parameters": wanted, "versions": versions()}).encode() + b"\n")
        (folder / PARTS).mkdir(exist_ok=True)
    except OSError as error:
        raise InputError(f"{folder}: cannot be written: {error.strerror or error}") from None


def versions() -> dict[str, str]:
    """Those of what the rows depend on."""
    from importlib.metadata import distributions

    there = {found.name: found.version for found in distributions()}
    return {"python": platform.python_version(), **{name: there[name] for name in MADE_WITH if name in there}}


def finished(folder: Path, study: Study) -> set[int]:
    """The chunks whose rows are there."""
    if (folder / TABLE).exists():
        return set(range(study.chunks))
    return {int(file.stem) for file in (folder / PARTS).glob(NUMBERED)}


def write_part(folder: Path, study: Study, chunk: int, rows: list[Row]) -> None:
    """The rows of a chunk."""
    _write(_table(study, rows), folder / PARTS / f"{chunk:08d}.parquet")


def merge(folder: Path, study: Study) -> Table:
    """All rows, from the parts, which are then removed, or as they were merged before.

    The table's metadata has the manifest, under "study".
    """
    import pyarrow as pa

    files = sorted((folder / PARTS).glob(NUMBERED))
    if not (folder / TABLE).exists():
        table = pa.concat_tables([_read(file) for file in files])
        if table.num_rows != study.size:
            raise InputError(f"{folder}: has {table.num_rows} rows in {PARTS}/, wanted {study.size}; name another folder")
        _write(table.replace_schema_metadata({"study": (folder / MANIFEST).read_text()}), folder / TABLE)
    for file in files:  # of no use once the table is there, also where the process was killed before this
        file.unlink()
    with suppress(OSError):  # somebody else's file in it
        (folder / PARTS).rmdir()
    return _read(folder / TABLE)


def write_csv(table: Table, path: Path) -> None:
    """The table with commas, its names in the first line."""
    from pyarrow import csv

    _write(table, path, csv.write_csv)


def load_study(folder: str | os.PathLike[str]) -> Table:
    """The rows of a finished study as a pyarrow.Table. Raises InputError if there is none."""
    check_installed()
    if not (Path(folder) / TABLE).exists():
        raise InputError(f"{folder}: holds no finished study; lpnet tightness or lpnet trained makes or finishes one")
    return _read(Path(folder) / TABLE)


def check_installed() -> None:
    """InputError where the libraries of the extra `studies` are missing."""
    try:
        import filelock  # noqa: F401
        import joblib  # noqa: F401
        import pyarrow  # noqa: F401
    except ImportError as error:
        raise InputError(f'studies need the package {error.name}: pip install "lpnet[studies]"') from None


def _table(study: Study, rows: list[Row]) -> Table:
    import pyarrow as pa

    types = {int: pa.int64(), float: pa.float64(), str: pa.string()}
    return pa.Table.from_pylist(rows, pa.schema([(name, types[kind]) for name, kind in study.columns.items()]))


def _write(table: Table, path: Path, write: Callable[[Table, BinaryIO], None] | None = None) -> None:
    from pyarrow import parquet

    try:
        with replacing(path) as file:
            (write or parquet.write_table)(table, file)
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror or error}") from None


def _read(path: Path) -> Table:
    import pyarrow as pa
    from pyarrow import parquet

    try:
        return parquet.read_table(path)
    except (OSError, pa.ArrowException) as error:
        raise InputError(f"{path}: cannot be read ({error}); remove it, and it is made anew") from None
