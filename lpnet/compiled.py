"""Functions compiled by numba when they are first used, and kept on disk for later runs wherever a folder can be written to."""

import logging
from collections.abc import Callable
from typing import Any

import numba
from numba.core import event

log = logging.getLogger(__name__)


def compiled(**options: Any) -> Callable[[Any], Any]:
    """`numba.njit` with these options and without Python's global lock."""
    options = {"nogil": True, "error_model": "numpy", **options}

    def compile_later(function: Any) -> Any:
        try:
            return numba.njit(cache=True, **options)(function)
        except RuntimeError:  # neither beside the source nor in the user's own cache may anything be written
            return numba.njit(**options)(function)

    return compile_later


class Announcement(event.Listener):
    """Says so, once a process, where something is really compiled and not only read from the disk."""

    def on_start(self, event_: Any) -> None:
        """A compilation begins; others will follow."""
        event.unregister("numba:compile", self)  # type: ignore[no-untyped-call]
        if event_.data["dispatcher"].stats.cache_path:
            log.info("compiling the engines, once; about a minute")
        else:
            log.info("compiling the engines, about a minute; set NUMBA_CACHE_DIR to a folder to keep them in for the next run")

    def on_end(self, event_: Any) -> None:
        """Nothing more to say."""


event.register("numba:compile", Announcement())  # type: ignore[no-untyped-call]
