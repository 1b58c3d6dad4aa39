"""The command itself: its options, its exit codes."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

import lpnet
from lpnet.console import fail, log_to_stderr
from lpnet.errors import Interrupted, LpnetError, Stopped

DONE, NO, BAD_INPUT, INCOMPLETE, RESERVED, INTERRUPTED, UNREAD = 0, 1, 2, 3, 4, 130, 141

HELP = {"help_option_names": ["-h", "--help"]}
app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, pretty_exceptions_enable=False, context_settings=HELP)


def print_version(wanted: bool) -> None:
    """--version."""
    if wanted:
        print(f"lpnet {lpnet.__version__}")
        raise typer.Exit


Version = Annotated[bool, typer.Option("--version", callback=print_version, is_eager=True, help="Print the version.")]


Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress: nothing on stderr but errors.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Say on stderr what is read, done and written.")]


@app.callback()
def options(context: typer.Context, version: Version = False, quiet: Quiet = False, verbose: Verbose = False) -> None:
    """Minimal threshold equivalents of ReLU networks, by linear programming and in exact arithmetic."""
    context.call_on_close(log_to_stderr("ERROR" if quiet else "DEBUG" if verbose else "INFO"))


@contextmanager
def failing_in_one_sentence() -> Iterator[None]:
    """What lpnet raises on purpose ends the command with its sentence: exit code 3 where the work was stopped, else 2."""
    try:
        yield
    except Interrupted:
        raise typer.Exit(INTERRUPTED) from None
    except LpnetError as error:
        fail(str(error))
        raise typer.Exit(INCOMPLETE if isinstance(error, Stopped) else BAD_INPUT) from None
