"""The `lpnet` command: one module a command, registered by importing it.

Exit codes: 0 done; 1 the answer to a question is no; 2 bad input, one sentence on stderr, the other files are still done;
3 stopped by a limit or Ctrl-C, what was found so far is printed and marked incomplete; 4 yes or no with a reservation;
130 stopped by Ctrl-C with nothing found; 141 nobody reads the output any more.
"""

import os
import sys
from contextlib import suppress
from io import TextIOWrapper

from lpnet.background import unattended
from lpnet.cli import (
    check,
    compress,
    draw,
    equal,
    estimate,
    export_proof,
    learn,
    minimal,
    nearest,
    report,
    show,
    studies,
    verify,
    warm,
)
from lpnet.cli.app import BAD_INPUT, DONE, INTERRUPTED, UNREAD, app
from lpnet.console import fail

__all__ = [
    "app",
    "check",
    "compress",
    "draw",
    "equal",
    "estimate",
    "export_proof",
    "learn",
    "main",
    "minimal",
    "nearest",
    "report",
    "show",
    "studies",
    "verify",
    "warm",
]

ORDER = (
    "minimal", "verify", "export-proof", "equal", "check", "show", "draw", "report", "compress", "nearest", "estimate",
    "tightness", "trained", "warm",
)  # fmt: skip
app.registered_commands.sort(key=lambda command: ORDER.index(command.name or getattr(command.callback, "__name__", "")))


def main() -> None:
    """What `lpnet.__main__` does when everything is loaded."""
    sys.set_int_max_str_digits(0)  # 2^n has more than 4300 digits from n = 14,285 on
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # the terminal may not know all characters, or a name may have none
    try:
        code = code_of_app()
        sys.stdout.flush()
        sys.stderr.flush()
    except BrokenPipeError:
        os._exit(UNREAD)  # another flush, at the end of Python, would fail again, and say so
    except OSError as error:
        with suppress(OSError):
            fail(f"stopped by the system: {error.strerror or error}{f', {error.filename}' if error.filename else ''}")
        os._exit(BAD_INPUT)
    if unattended():
        os._exit(code)
    sys.exit(code)


def code_of_app() -> int:
    """Run the command, and return its exit code; BrokenPipeError where nobody reads what it says."""
    try:
        app()
    except SystemExit as end:
        if isinstance(end.__context__, BrokenPipeError):  # click ends with 1, our "no"
            raise end.__context__ from None
        if end.code == INTERRUPTED:
            fail("interrupted")
        return int(end.code or DONE)
    return DONE
