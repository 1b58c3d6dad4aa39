"""The `lpnet` command: one module a command, loaded when it is asked for.

Exit codes: 0 done; 1 the answer to a question is no; 2 bad input, one sentence on stderr, the other files are still done;
3 stopped by a limit or Ctrl-C, what was found so far is printed and marked incomplete; 4 yes or no with a reservation;
130 stopped by Ctrl-C with nothing found; 141 nobody reads the output any more.
"""

import os
import sys
from contextlib import suppress
from importlib import import_module
from io import TextIOWrapper

from lpnet.background import unattended
from lpnet.cli.app import BAD_INPUT, COMMANDS, DONE, INTERRUPTED, UNREAD, app

__all__ = ["app", "load", "main"]


def load(arguments: list[str]) -> None:
    """Load the module of the command that is asked for, so that Ctrl-C finds nothing half loaded later."""
    asked = next((word for word in arguments if word in COMMANDS), None)
    if asked:
        import_module(f"lpnet.cli.{COMMANDS[asked][0]}")


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
            failed(f"stopped by the system: {error.strerror or error}{f', {error.filename}' if error.filename else ''}")
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
            failed("interrupted")
        return int(end.code or DONE)
    return DONE


def failed(sentence: str) -> None:
    """`lpnet.console.fail`, which is loaded for it."""
    from lpnet.console import fail

    fail(sentence)
