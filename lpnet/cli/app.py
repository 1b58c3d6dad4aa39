"""The command itself: its options, its exit codes."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Annotated, Any

import typer
import typer.main
from typer.core import TyperGroup

import lpnet
from lpnet.errors import Interrupted, LpnetError, Stopped

DONE, NO, BAD_INPUT, INCOMPLETE, RESERVED, INTERRUPTED, UNREAD = 0, 1, 2, 3, 4, 130, 141

HELP = {"help_option_names": ["-h", "--help"]}
COMMANDS = {  # its module and the first line of its help: both are known before the module is loaded, which takes a moment
    "minimal": ("minimal", "Find the smallest first layer of a threshold equivalent."),
    "verify": ("verify", "Check a proof, exactly: of minimal, equal, check, compress."),
    "export-proof": ("export_proof", "Write a proof's empty parts for other checkers."),
    "equal": ("equal", "Decide whether two networks are the same function."),
    "check": ("check", "Decide whether a property of the outputs can hold."),
    "show": ("show", "Print what a file holds."),
    "predict": ("predict", "Answer for each row of a table, exactly."),
    "draw": ("draw", "Draw the decision boundary of a network, or its circuit."),
    "report": ("report", "Write a page about a network, to be opened in a browser."),
    "compress": ("compress", "Find few ReLUs with the decisions of a network of any kind."),
    "nearest": ("nearest", "Find the ReLU network nearest to a sign network."),
    "estimate": ("estimate", "Estimate how many threshold units are needed."),
    "tightness": ("studies", "Count what random networks need, next to the bounds."),
    "trained": ("studies", "Count what networks need while they are trained."),
    "warm": ("warm", "Compile the engines of this version for this user."),
    "learn": ("learn", "Experiments in learning ([PS16] section 5)."),
}


class Lazy(TyperGroup):
    """Commands whose modules are loaded when they are asked for: a page of help, or another command, does not wait for them."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Their names, in order."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of a name, or None."""
        if cmd_name not in COMMANDS:
            return None
        import_module(f"lpnet.cli.{COMMANDS[cmd_name][0]}")
        whole: Any = typer.main.get_group(app)
        return whole.commands[cmd_name]

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """The list in the page of help."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


app = typer.Typer(cls=Lazy, no_args_is_help=True, rich_markup_mode=None, pretty_exceptions_enable=False, context_settings=HELP)


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
    from lpnet.console import log_to_stderr

    context.call_on_close(log_to_stderr("ERROR" if quiet else "DEBUG" if verbose else "INFO"))


@contextmanager
def failing_in_one_sentence() -> Iterator[None]:
    """What lpnet raises on purpose ends the command with its sentence: exit code 3 where the work was stopped, else 2."""
    try:
        yield
    except Interrupted:
        raise typer.Exit(INTERRUPTED) from None
    except LpnetError as error:
        from lpnet.console import fail

        fail(str(error))
        raise typer.Exit(INCOMPLETE if isinstance(error, Stopped) else BAD_INPUT) from None
