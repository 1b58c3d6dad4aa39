"""Networks to files, whole or not at all."""

import errno
import logging
import os
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from html import escape
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from lpnet.errors import InputError
from lpnet.io import json_, npz, text
from lpnet.io.divided import is_divided
from lpnet.io.files import suffix_of
from lpnet.io.kinds import Network, layers_of, numbers_of
from lpnet.networks import ReLUNetwork
from lpnet.networks.arrays import is_sparse
from lpnet.networks.classifier import Classifier
from lpnet.networks.examples import Examples
from lpnet.rules import rules
from lpnet.rules.code import as_c, as_python

try:
    import fcntl
except ImportError:  # on Windows nothing is locked, and nothing removed
    fcntl = None  # type: ignore[assignment]

log = logging.getLogger(__name__)


def save(
    network: Network | Classifier,
    path: str | os.PathLike[str],
    features: Sequence[str] | None = None,
    digits: int | None = None,
    data: Examples | None = None,
    keep: float | None = None,
) -> None:
    """Write a network to a .json, .npz or .onnx file, or what a threshold network says to a .txt, .md, .html, .py or .c file.

    JSON holds every number exactly; .npz and .onnx round to float64 what that does not hold, and a warning says so. Python and
    C are a function that predicts exactly. The others are `lpnet.rules` (.txt without digits, data and keep the bare logic).

    features: names of the inputs, by default its own; digits, data, keep: as in `lpnet.rules.rules`, digits by default all in
    .txt, else three. An existing file is replaced, as a whole or not at all.
    Raises InputError, its message beginning with the file's name, where it cannot be written.
    """
    path = Path(path)
    try:
        suffix = suffix_of(path, WRITERS, "written")
        if features is not None:
            network = network.named(features)
        if suffix in PAGES and (suffix != ".txt" or (digits, data, keep) != (None, None, None)):
            shown = 3 if digits is None and suffix != ".txt" else digits
            content = PAGES[suffix](_threshold(network), path.stem, shown, data, keep).encode()
        else:
            content = WRITERS[suffix](network)
        with replacing(path) as file:
            file.write(content)
        if is_rounded(network, path):
            log.warning("%s: some numbers are rounded to float64 (by 1e-16); a .json file holds them exactly", path)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be written: {getattr(error, 'strerror', None) or error}") from None


def is_rounded(network: Network | Classifier, path: str | os.PathLike[str]) -> bool:
    """Whether a file of this name holds rounded numbers of the network: no float64, and none over a float64 in a list."""
    if Path(path).suffix.lower() not in (".npz", ".onnx"):
        return False
    rounded = any(not is_sparse(own) and np.asarray(own).dtype == object for own in numbers_of(network).values())
    return rounded or not all(is_divided(layer) for layers in layers_of(network).values() for layer in layers)


def check_writable(path: str | os.PathLike[str], relu: bool = False) -> None:
    """Raise the InputError of `save` that can be foreseen: before the work whose result is to be written.

    relu: it will be a ReLU network, which has no rules.
    """
    path = Path(path)
    try:
        if suffix_of(path, [suffix for suffix in WRITERS if not (relu and suffix not in NETWORKS)], "written") == ".onnx":
            check_onnx("writing")
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    if path.is_dir() or not path.parent.is_dir():
        raise InputError(f"{path}: cannot be written: {'is a directory' if path.is_dir() else 'there is no such folder'}")


def check_replaceable(path: Path) -> None:
    """Raise OSError where something is in the place that must not be replaced: a device, a pipe, a file nobody may write to."""
    path = Path(os.path.realpath(path))
    if os.path.lexists(path) and not path.is_file():
        raise OSError(errno.EINVAL, os.strerror(errno.EISDIR) if path.is_dir() else "is no regular file")
    if path.exists() and not os.access(path, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """A file to write beside the one named; in the end it goes through to the disk and takes its place, or vanishes.

    What killed processes left there is removed. Raises OSError for what is no file or may not be written to.
    """
    path = Path(os.path.realpath(path))
    check_replaceable(path)
    remove_abandoned(path.parent)
    temporary, file = begun(path.parent)
    try:
        with file:
            yield file
            file.flush()
            os.fsync(file.fileno())
            if not fcntl:
                file.close()  # Windows moves no open file
            os.replace(temporary, path)  # still locked
        log.debug("%s: written", path)
    finally:
        temporary.unlink(missing_ok=True)


def begun(folder: Path) -> tuple[Path, BinaryIO]:
    """A new file, locked as long as it is open: the system frees the lock however the process ends."""
    while True:
        temporary = folder / f".lpnet-{secrets.token_hex(8)}"
        file = temporary.open("xb")
        if fcntl:
            with suppress(OSError):  # no locks on this file system, and then nobody removes anything
                fcntl.flock(file, fcntl.LOCK_EX)
        if os.fstat(file.fileno()).st_nlink:
            return temporary, file
        file.close()  # taken for abandoned before it was locked


@cache
def remove_abandoned(folder: Path) -> None:
    """Remove what processes that are no more left half-written in a folder; once, as it may hold thousands of files."""
    for file in folder.glob(".lpnet-" + 16 * "[0-9a-f]"):
        with suppress(OSError):  # another's, or locked
            if fcntl and file.is_file():
                with file.open("rb") as left:
                    fcntl.flock(left, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    file.unlink()


def check_onnx(doing: str) -> None:
    """InputError where the extra `onnx` is missing."""
    try:
        import onnx  # noqa: F401
    except ImportError:
        raise InputError(f'{doing} ONNX needs the package onnx: pip install "lpnet[onnx]"') from None


def _write_onnx(network: Network | Classifier) -> bytes:
    check_onnx("writing")
    from lpnet.io import onnx_write

    return onnx_write.encode(network)


def _threshold(network: Network | Classifier) -> Any:
    """The network, if it has rules."""
    first = network.scores[0] if isinstance(network, Classifier) else network
    if isinstance(first, ReLUNetwork):
        raise InputError("a ReLU network has no rules; wanted a threshold network, such as its equivalent")
    return network


def _html(network: Any, title: str, *how: Any) -> str:
    return PAGE.format(title=escape(title), body=rules(network, *how).html())


PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 1rem; overflow-x: auto; }}
table {{ border-collapse: collapse; font-size: .9rem; margin: 1rem 0; }}
th, td {{ text-align: left; vertical-align: top; padding: .25rem .8rem .25rem 0; border-bottom: 1px solid #8886; }}
</style>
</head>
<body>
<h1>{title}</h1>
{body}
</body>
</html>
"""
PAGES: dict[str, Callable[..., str]] = {
    ".txt": lambda network, title, *how: rules(network, *how).text(),
    ".md": lambda network, title, *how: f"# {title}\n\n{rules(network, *how).markdown()}\n",
    ".html": _html,
}
NETWORKS = (".json", ".npz", ".onnx")
WRITERS: dict[str, Callable[[Network | Classifier], bytes]] = {
    ".json": json_.encode,
    ".npz": npz.encode,
    ".onnx": _write_onnx,
    ".txt": text.encode,
    ".md": text.encode,
    ".html": text.encode,
    ".py": lambda network: as_python(_threshold(network)).encode(),
    ".c": lambda network: as_c(_threshold(network)).encode(),
}
