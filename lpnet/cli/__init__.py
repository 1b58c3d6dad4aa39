"""The `lpnet` command: one module a command, registered by importing it.

Exit codes: 0 done; 1 the answer to a question is no; 2 bad input, one sentence on stderr, the other files are still done;
3 stopped by a limit or Ctrl-C, what was found so far is printed and marked incomplete;
130 stopped by Ctrl-C with nothing found.
"""

import sys
from io import TextIOWrapper

from lpnet.cli import compress, draw, equal, estimate, learn, minimal, nearest, report, show, studies, verify
from lpnet.cli.app import BAD_INPUT, INTERRUPTED, app, leave
from lpnet.console import fail

__all__ = [
    "app",
    "compress",
    "draw",
    "equal",
    "estimate",
    "learn",
    "main",
    "minimal",
    "nearest",
    "report",
    "show",
    "studies",
    "verify",
]

ORDER = (
    "minimal", "verify", "equal", "show", "draw", "report", "compress", "nearest", "estimate", "tightness", "trained",
)  # fmt: skip
app.registered_commands.sort(key=lambda command: ORDER.index(command.name or getattr(command.callback, "__name__", "")))


def main() -> None:
    """The entry point of the `lpnet` command."""
    sys.set_int_max_str_digits(0)  # 2^n has more than 4300 digits from n = 14,285 on
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # the terminal may not know all characters, or a name may have none
    try:
        app()
    except SystemExit as end:
        if end.code == INTERRUPTED:
            fail("interrupted")
        leave(end.code)
        raise
    except OSError as error:  # no room for what numba keeps, say
        fail(f"stopped by the system: {error.strerror or error}{f', {error.filename}' if error.filename else ''}")
        sys.exit(BAD_INPUT)
