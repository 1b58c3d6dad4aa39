"""The command itself: its options, its exit codes."""

from typing import Annotated

import typer

import lpnet

DONE, NO, BAD_INPUT, INCOMPLETE = 0, 1, 2, 3

app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None, pretty_exceptions_enable=False)


def print_version(wanted: bool) -> None:
    """--version."""
    if wanted:
        print(f"lpnet {lpnet.__version__}")
        raise typer.Exit


Version = Annotated[bool, typer.Option("--version", callback=print_version, is_eager=True, help="Print the version.")]


@app.callback()
def options(version: Version = False) -> None:
    """Minimal threshold equivalents of ReLU networks, by linear programming and in exact arithmetic."""
