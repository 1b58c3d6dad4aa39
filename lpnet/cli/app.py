"""The command itself: its options, its exit codes."""

from typing import Annotated

import typer

import lpnet
from lpnet.console import log_to_stderr

DONE, NO, BAD_INPUT, INCOMPLETE = 0, 1, 2, 3

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, pretty_exceptions_enable=False)


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
