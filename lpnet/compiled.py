# mypy: allow-untyped-calls
"""Functions compiled by numba when they are first used, and kept on disk for later runs of the same user.

numba's own cache looks at the file of a function alone, not at those of what it calls, and its processes share an index in
which one may come to name another's code. Here a folder belongs to one state of everything that goes into the code, and each
file in it to one function compiled for one machine and one type of arguments.
"""

import hashlib
import logging
import os
import pickle
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import llvmlite
import numba
import numpy as np
from numba.core import caching, compiler, event, serialize

from lpnet.background import completed

log = logging.getLogger(__name__)

PACKAGE = Path(__file__).parent
SOURCES = [PACKAGE / name for name in ("__init__.py", "compiled.py", "boundary/walk.py", "boundary/tree/nodes.py")]
SOURCES += sorted(PACKAGE.rglob("*_kernel.py"))
UNUSED = 30 * 24 * 3600.0  # seconds after which a folder is removed: until then some other lpnet of this user may need it
CONFIG: Any = numba.config
LINE_EVERY = 5.0  # seconds
FUNCTIONS: list[Any] = []


def compiled(**options: Any) -> Callable[[Any], Any]:
    """`numba.njit` with these options and without Python's global lock."""

    def compile_later(function: Any) -> Any:
        dispatcher = numba.njit(nogil=True, error_model="numpy", **options)(function)
        dispatcher._cache = Kept(function)
        FUNCTIONS.append(dispatcher)
        return dispatcher

    return compile_later


def ready(go_on: Callable[[], bool], *calls: tuple[Any, ...]) -> bool:
    """Whether functions are compiled for their arguments; if not, that is done while `go_on` is asked a few times a second.

    calls: each a function and its arguments. Where `go_on` says no it is False, and the rest is compiled in the background.
    """
    if CONFIG.DISABLE_JIT:
        return True
    wanted = [(function, tuple(map(function.typeof_pyval, arguments))) for function, *arguments in calls]
    missing = [(function, types) for function, types in wanted if types not in function.overloads]
    # A compiler must not be torn down beneath its work.
    if missing and not completed(lambda: [function.compile(types) for function, types in missing], go_on, awaited=True):
        log.info("the engines were not compiled by then; lpnet warm compiles them")
        return False
    PROGRESS.end()
    return True


@cache
def folder() -> Path | None:
    """Where compiled functions are kept: NUMBA_CACHE_DIR or the user's cache, and in it a folder for the state of the sources.

    None where there is no such place, or no source.
    """
    try:
        state = [source.read_bytes() for source in SOURCES]
        state += [repr((sys.version, numba.__version__, llvmlite.__version__, np.__version__)).encode()]
        shared = CONFIG.CACHE_DIR or os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        path = Path(shared, "lpnet", hashlib.sha256(b"\0".join(state)).hexdigest()[:20]).absolute()
        with suppress(OSError):
            os.utime(path)
        return path
    except (OSError, RuntimeError):
        return None


@cache
def made(path: Path) -> None:
    """Make the folder, and remove those beside it that have not been used for long."""
    path.mkdir(parents=True, exist_ok=True)
    for other in path.parent.iterdir():
        with suppress(OSError):
            if time.time() - other.stat().st_mtime > UNUSED:
                shutil.rmtree(other)


class Kept(caching.FunctionCache):
    """The compiled forms of one function in files of their own; one that is missing, damaged or of no use is compiled anew."""

    def __init__(self, function: Any) -> None:
        self._py_func = function
        self._cache_path = str(folder() or "")

    def file(self, key: Any) -> Path | None:
        """Where the function compiled for this key is kept."""
        name = f"{self._py_func.__module__}.{self._py_func.__name__}"
        path = folder()
        return path and path / f"{name}-{hashlib.sha256(repr(key).encode()).hexdigest()[:20]}"

    def load_overload(self, signature: Any, target: Any) -> Any:
        """What numba asks for before it compiles."""
        target.refresh()
        key = self._index_key(signature, target.codegen())
        path = self.file(key)
        try:
            content = path.read_bytes() if path else b""
            if content[:32] != hashlib.sha256(content[32:]).digest():
                return None
            kept, code = pickle.loads(content[32:])
            return compiler.CompileResult._rebuild(target, *code) if kept == key else None
        except Exception:
            return None

    def save_overload(self, signature: Any, result: Any) -> None:
        """What numba offers when it has compiled."""
        key = self._index_key(signature, result.codegen)
        path = self.file(key)
        if not path:
            return
        content = serialize.dumps((key, result._reduce()))
        with suppress(OSError):  # no room, or not to be written to: it works without
            made(path.parent)
            with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
                try:
                    file.write(hashlib.sha256(content).digest() + content)
                    file.flush()
                    os.replace(file.name, path)
                except OSError:
                    os.unlink(file.name)
                    raise
            PROGRESS.kept = True


class Progress(event.Listener):
    """Says so where something is really compiled and not only read from the disk, and how far that is."""

    begun, kept = False, False
    started: float | None = None

    def on_start(self, event_: Any) -> None:
        """A compilation begins; inside it others will."""
        if self.started is None and event_.data["dispatcher"] in FUNCTIONS:
            self.started = self.said = time.monotonic()
            if not self.begun:
                log.info("compiling the engines, once: about half a minute")
            self.begun = True

    def on_end(self, event_: Any) -> None:
        """One function is done."""
        if self.started is not None and time.monotonic() - self.said > LINE_EVERY:
            self.said = time.monotonic()
            log.info("compiling the engines: %d of %d functions", sum(bool(f.overloads) for f in FUNCTIONS), len(FUNCTIONS))

    def end(self) -> None:
        """All that was wanted is done."""
        if self.started is not None:
            where = f"kept in {folder()}" if self.kept else "not kept: set NUMBA_CACHE_DIR to a folder that can be written to"
            log.info("compiling the engines: done in %.0f s, %s", time.monotonic() - self.started, where)
            self.started = None


PROGRESS = Progress()
event.register("numba:compile", PROGRESS)
