"""What the shell completes: files by their suffixes, values by their names."""

import os
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

from lpnet.errors import LpnetError


def files(suffixes: Collection[str]) -> Callable[[str], list[str]]:
    """Completes the names of folders, and of files that end so."""

    def complete(incomplete: str) -> list[str]:
        folder, slash, start = incomplete.rpartition("/")
        try:
            found = sorted(os.scandir(folder + slash or "."), key=lambda entry: entry.name)
        except OSError:
            return []
        return [
            f"{folder}{slash}{entry.name}{'/' * entry.is_dir()}"
            for entry in found
            if entry.name.startswith(start)
            and (not entry.name.startswith(".") or start)
            and (entry.is_dir() or Path(entry.name).suffix.lower() in suffixes)
        ]

    return complete


def values(*known: str) -> Callable[[str], list[str]]:
    """Completes one of some values."""
    return lambda incomplete: [value for value in known if value.startswith(incomplete)]


def outputs(incomplete: str) -> list[str]:
    """argmax, argmin, and the names of the classes of the file on the line, one after the other."""
    from lpnet.io import READERS, read
    from lpnet.io.kinds import Choice

    words = (os.environ.get("COMP_WORDS") or os.environ.get("_TYPER_COMPLETE_ARGS") or "").split()
    given = [word for word in words if Path(word).suffix.lower() in READERS and Path(word).is_file()]
    names: tuple[str, ...] = ()
    if given:
        try:
            network: Any = read(given[0], Choice("own")).network
            names = tuple(getattr(network, "names", ()) or network.labels)
        except LpnetError:
            names = ()
    before, comma, start = incomplete.rpartition(",")
    known = names if comma else ("argmax", "argmin", *names)
    return [f"{before}{comma}{name}" for name in known if name.startswith(start) and name != before]
