"""`lpnet tightness` and `lpnet trained`."""

from pathlib import Path
from typing import Annotated, Any

import typer

from lpnet.cli.app import app, failing_in_one_sentence
from lpnet.cli.options import TimeLimit
from lpnet.console import print_table, watched
from lpnet.errors import InputError, Stopped
from lpnet.plots.figure import check_matplotlib
from lpnet.studies.distributions import OUTPUT_BIASES, SIGNS, WEIGHTS
from lpnet.studies.folder import TABLE, manifest, write_csv
from lpnet.studies.grid import RandomStudy
from lpnet.studies.run import run
from lpnet.studies.study import Row, from_parameters, parameters
from lpnet.studies.summary import summary
from lpnet.studies.trained import DATA, INITIAL, TrainedStudy

Folder = Annotated[Path, typer.Option("--out", metavar="DIR", help="Where the rows go. A study that is there already goes on.")]
Relus = Annotated[str | None, typer.Option(metavar="N", help="Units n: 2:9 for 2 to 9, 2:14:4 for 2, 6, 10, 14, or 3,5,8.")]
Inputs = Annotated[str | None, typer.Option(metavar="D", help="Inputs d, in the same way.")]
Trials = Annotated[int | None, typer.Option(min=1, metavar="N", help="How many networks for each combination of the others.")]
Seed = Annotated[int | None, typer.Option(min=0, metavar="S", help="The same seed, the same networks.")]
Signs = Annotated[str | None, typer.Option(metavar="A,B,…", help=f"Signs of the output weights: {', '.join(SIGNS)}.")]
Weights = Annotated[str | None, typer.Option(metavar="A,B,…", help=f"Distributions of the weights: {', '.join(WEIGHTS)}.")]
Bias = Annotated[str | None, typer.Option(metavar="X,Y,…", help="Deviations of the Gaussian hidden biases.")]
OutputBias = Annotated[str | None, typer.Option("--w0", metavar="A,B,…", help=f"Output bias: {', '.join(OUTPUT_BIASES)}.")]
MaxUnits = Annotated[int | None, typer.Option(min=1, metavar="N", help="Give up a network after so many.")]
Data = Annotated[str | None, typer.Option(metavar="A,B,…", help=f"Data sets of scikit-learn: {', '.join(DATA)}.")]
Initial = Annotated[str | None, typer.Option(metavar="A,B,…", help=f"Weights at the start: {', '.join(INITIAL)}.")]
Epochs = Annotated[str | None, typer.Option(metavar="E", help="After which epochs to count: 0,1,10,100.")]
Workers = Annotated[int | None, typer.Option(min=1, metavar="W", help="Processes on this machine (default: one a core).")]
Scheduler = Annotated[
    str | None, typer.Option(metavar="ADDRESS", help="Use the workers of this Dask scheduler, tcp://HOST:PORT, instead.")
]
Csv = Annotated[bool, typer.Option("--csv", help="Write networks.csv, too.")]
Pictures = Annotated[bool, typer.Option("--pictures", help="Draw pictures of the (finished) study into DIR, as PNG and SVG.")]


@app.command()
def tightness(
    out: Folder,
    relus: Relus = None,
    inputs: Inputs = None,
    signs: Signs = None,
    weights: Weights = None,
    bias: Bias = None,
    w0: OutputBias = None,
    trials: Trials = None,
    seed: Seed = None,
    max_units: MaxUnits = None,
    workers: Workers = None,
    scheduler: Scheduler = None,
    csv: Csv = False,
    pictures: Pictures = False,
    time_limit: TimeLimit = None,
) -> None:
    """Count what random networks need, next to the bounds.

    By default 40 networks for n from 2 to 9, d from 1 to 5 and each sign mix, Gaussian, biases of deviation 1, w0 = -1, seed 0.
    Stopped or killed, it goes on where it was with the same command, or with --out alone.
    """
    given = {"relus": relus, "inputs": inputs, "signs": signs, "weights": weights, "bias": bias, "output_bias": w0}
    carry_out(
        RandomStudy(),
        out,
        {**given, "trials": trials, "seed": seed, "max_units": max_units},
        workers,
        scheduler,
        csv,
        pictures,
        time_limit,
    )


@app.command()
def trained(
    out: Folder,
    data: Data = None,
    relus: Relus = None,
    inputs: Inputs = None,
    initial: Initial = None,
    epochs: Epochs = None,
    trials: Trials = None,
    seed: Seed = None,
    workers: Workers = None,
    scheduler: Scheduler = None,
    csv: Csv = False,
    pictures: Pictures = False,
    time_limit: TimeLimit = None,
) -> None:
    """Count what networks need while they are trained.

    Small ones, on real data, before, during and after the training. By default 5 trainings of up to 300 epochs for n = 4, 8,
    12, d = 2, 4, each data set and both starts, seed 0. Stopped or killed, it goes on where it was with the same command, or
    with --out alone.
    """
    given = {"data": data, "relus": relus, "inputs": inputs, "initial": initial, "epochs": epochs, "trials": trials}
    carry_out(TrainedStudy(), out, {**given, "seed": seed}, workers, scheduler, csv, pictures, time_limit)


def carry_out(
    default: RandomStudy | TrainedStudy,
    out: Path,
    given: Row,
    workers: int | None,
    scheduler: str | None,
    csv: bool,
    pictures: bool,
    time_limit: float | None,
) -> None:
    """Do the study, or its rest: what is not given is as in the folder, or else as in `default`."""
    with failing_in_one_sentence():
        there = manifest(out) or parameters(default)
        if there["study"] != default.name:
            raise InputError(f"--out: {out} holds a study of lpnet {there['study']}; name another folder")
        if pictures:
            check_matplotlib()
        study = from_parameters(type(default), there | values(default, given))
        try:
            with watched(str(out), None, time_limit, "networks", kept=True) as watch:
                table = run(study, out, workers, scheduler, watch)
        except Stopped as error:
            raise Stopped(f"{out}: {error}; lpnet {default.name} --out {out} goes on") from None
        written = [f"{out / TABLE}: {table.num_rows} networks"]
        if csv:
            write_csv(table, out / "networks.csv")
        if pictures:
            from lpnet.plots.tightness import draw_study

            written += draw_study(table, out)
    print_table(summary(table))
    print("", *written, sep="\n")


def values(default: RandomStudy | TrainedStudy, given: Row) -> Row:
    """The options given, read like the fields of the default study."""
    texts = {name: value for name, value in given.items() if value is not None}
    return {name: read(name, value, getattr(default, name)) for name, value in texts.items()}


MOST_VALUES = 10_000


def read(name: str, text: Any, like: Any) -> Any:
    """A list with commas, of words or numbers as in `like`; whole numbers also as FIRST:LAST or FIRST:LAST:STEP."""
    if not isinstance(like, tuple):
        return text
    kind = type(like[0])
    try:
        if kind is not int or ":" not in text:
            return [kind(word.strip()) for word in text.split(",")]
        first, last, *step = map(int, text.split(":"))
        values = range(first, last + 1, *step)
    except (ValueError, TypeError):
        wanted = "whole numbers like 2:9 or 3,5,8" if kind is int else "numbers with commas between them"
        raise InputError(f"{name}: wanted {wanted}, got {text!r}") from None
    if 0 < len(values) <= MOST_VALUES:
        return list(values)
    raise InputError(f"{name}: wanted at least one value, and at most {MOST_VALUES:,}, got {text!r}")
