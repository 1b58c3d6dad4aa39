"""`lpnet learn figure4`."""

from pathlib import Path
from typing import Annotated, Any

import typer

from lpnet.cli.app import BAD_INPUT, INCOMPLETE, app
from lpnet.cli.options import TimeLimit
from lpnet.console import fail, print_table, watched
from lpnet.errors import InputError, LpnetError, Stopped

learn = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
app.add_typer(learn, name="learn")

Quick = Annotated[bool, typer.Option("--quick", help="Few, small settings, in some two minutes.")]
Folder = Annotated[Path, typer.Option("--out", metavar="DIR", help="A folder for the results; a stopped run goes on from it.")]


@learn.callback()
def experiments() -> None:
    """Experiments in learning ([PS16] section 5)."""


@learn.command("figure4")
def figure4_command(quick: Quick = False, out: Folder = Path("figure4"), time_limit: TimeLimit = None) -> None:
    """Learn random ReLU networks from labelled points.

    With ReLUs and with threshold units ([PS16] Figure 4, and further). Writes figure4.csv, figure4.parquet and figure4.png, and
    prints mean errors with standard errors.
    """
    try:
        check_installed()
        from lpnet.learning.configuration import QUICK, Configuration
        from lpnet.learning.figure4 import figure4
        from lpnet.learning.table import summary, write_table
        from lpnet.plots.figure import save_picture
        from lpnet.plots.learning import learning_figure

        with watched("figure 4", None, time_limit, "runs done") as watch:
            rows = watch.call(figure4, QUICK if quick else Configuration(), out, watch)
        written = [*write_table(rows, out), out / "figure4.png"]
        save_picture(learning_figure(rows), written[-1])
    except (LpnetError, OSError) as error:
        fail(f"--out: {out} cannot be written: {error.strerror or error}" if isinstance(error, OSError) else str(error))
        raise typer.Exit(INCOMPLETE if isinstance(error, Stopped) else BAD_INPUT) from None
    print_table([printed(line) for line in summary(rows)])
    print("", *written, sep="\n")


def printed(line: dict[str, Any]) -> dict[str, Any]:
    """A line of the summary as it is shown: each mean with its standard error in one column."""
    shown = {name: value for name, value in line.items() if "error" not in name}
    for name in ("train_error", "test_error", "chosen_test_error"):
        shown[name] = None if line[name] is None else f"{line[name]:.3f} ± {line[f'{name}_se']:.3f}"
    return shown


def check_installed() -> None:
    """InputError where the extra `learning` is missing."""
    try:
        import filelock  # noqa: F401
        import jax  # noqa: F401
        import joblib  # noqa: F401
        import matplotlib  # noqa: F401
        import optax  # noqa: F401
        import pyarrow  # noqa: F401
    except ImportError as error:
        raise InputError(f'lpnet learn needs the package {error.name}: pip install "lpnet[learning]"') from None
