"""The `lpnet` command.

Exit codes: 0 done; 2 bad input, one sentence on stderr, the other files are still done; 3 stopped by a limit or Ctrl-C, what
was found so far is printed and marked incomplete.
"""

import json
import sys
import time
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

import lpnet
from lpnet.boundary.engines import ENGINES, count_pieces
from lpnet.boundary.pieces import Watch
from lpnet.console import abbreviated, described, fail, print_table, watched
from lpnet.equivalents import MinimalEquivalent, minimal_equivalent
from lpnet.errors import InputError, LpnetError, Stopped
from lpnet.io import check_writable, load, load_box, save
from lpnet.networks import Box, ReLUNetwork
from lpnet.networks.domain import as_domain

DONE, BAD_INPUT, INCOMPLETE = 0, 2, 3

app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None, pretty_exceptions_enable=False)

Files = Annotated[
    list[Path],
    typer.Argument(metavar="FILE...", readable=False, help="Network files: .json, .npz or .onnx.", show_default=False),
]
File = Annotated[Path, typer.Argument(metavar="FILE", readable=False, help="A network file: .json, .npz or .onnx.")]
Outputs = Annotated[
    str | None, typer.Option(metavar="I,J", help="For a model with several outputs: +1 where output I is at least output J.")
]
DomainOption = Annotated[
    str | None,
    typer.Option(
        "--domain", metavar="LO,HI", help='Only inputs between LO and HI, or in a box.json {"lower": […], "upper": […]}.'
    ),
]
EngineOption = Annotated[str, typer.Option(metavar="NAME", help="How to search: auto, " + ", ".join(ENGINES) + ".")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object a file, on one line, instead of the table.")]
Count = Annotated[bool, typer.Option("--count", help="Only count the boundary pieces, without storing them.")]
MaxUnits = Annotated[int | None, typer.Option(min=1, help="Stop after so many boundary pieces (exit code 3).")]
TimeLimit = Annotated[float | None, typer.Option(min=0, metavar="SECONDS", help="Stop the search then (exit code 3).")]
Out = Annotated[Path | None, typer.Option("-o", metavar="OUT", help="Write the threshold network (.json or .npz).")]


def print_version(wanted: bool) -> None:
    """--version."""
    if wanted:
        print(f"lpnet {lpnet.__version__}")
        raise typer.Exit


Version = Annotated[bool, typer.Option("--version", callback=print_version, is_eager=True, help="Print the version.")]


@app.callback()
def options(version: Version = False) -> None:
    """Minimal threshold equivalents of ReLU networks, by linear programming and in exact arithmetic."""


@app.command()
def minimal(
    files: Files,
    domain: DomainOption = None,
    engine: EngineOption = "auto",
    outputs: Outputs = None,
    as_json: AsJson = False,
    count: Count = False,
    max_units: MaxUnits = None,
    time_limit: TimeLimit = None,
    out: Out = None,
) -> None:
    """Find the smallest first layer of a threshold network with the decisions of a ReLU network.

    Prints the number of threshold units that are needed; together they are enough.
    """
    if out and (len(files) > 1 or count):
        fail(f"-o: wanted one input file to write {out} for, without --count; run them one by one")
        raise typer.Exit(BAD_INPUT)
    codes, rows, written = {DONE}, [], ""
    for file in files:
        try:
            if out:
                check_output(out, file)
            network = read_relu(file, outputs)
            place = box(domain, network.inputs)
            with watched(file.name, max_units, time_limit) as watch:
                answer = None if count else minimal_equivalent(network, place, engine, watch)
                row = summary(answer) if answer else counted(network, place, engine, watch)
            rows.append({"file": str(file), **row})
            if as_json:
                print(json.dumps(rows[-1]), flush=True)
            if not row["complete"]:
                raise Stopped(f"{file}: incomplete, {watch.stopped}: the {found(row)} found are needed, but there may be more")
            if out and answer:
                with watched(f"{file.name}, circuit", None, time_limit) as watch:
                    written = write(answer, out, watch)
        except Stopped as error:
            codes.add(INCOMPLETE)
            fail(str(error))
            if watch.interrupted:
                break
        except LpnetError as error:
            codes.add(BAD_INPUT)
            fail(str(error))
    if rows and not as_json:
        print_table(rows)
        if written:
            print(f"\n{written}")
    if len(codes) > 1:
        raise typer.Exit(BAD_INPUT if BAD_INPUT in codes else INCOMPLETE)


@app.command()
def show(file: File, outputs: Outputs = None) -> None:
    """Print what a file holds."""
    try:
        network = load(file, pair("--outputs", outputs, int))
    except LpnetError as error:
        fail(str(error))
        raise typer.Exit(BAD_INPUT) from None
    print(f"{file}: {described(network)}")
    if isinstance(network, ReLUNetwork):
        form = lpnet.normal_form(network)
        zero = network.relus - len(network.positive) - len(network.negative)
        print(f"  output weights: {len(network.positive)} positive, {len(network.negative)} negative, {zero} zero")
        print(f"  normal form: {len(form.units)} distinct hyperplanes, {'an' if any(form.affine[:-1]) else 'no'} affine part")
        print(f"  Theorem 1 expands it to 2^{network.relus - zero} threshold units")
    for name, value in ((name, getattr(network, name)) for name in network.__dataclass_fields__):
        print(f"  {name}{getattr(value, 'shape', '')}: {abbreviated(value)}")


TIES = "; more than the needed ones, because points with f = 0 lie outside the closure of {f > 0}"


def question(network: ReLUNetwork) -> dict[str, Any]:
    """The part of a row that is known beforehand."""
    positive, negative = len(network.positive), len(network.negative)
    return {
        "inputs": network.inputs,
        "relus": network.relus,
        "positive": positive,
        "negative": negative,
        "candidates": 1 << positive + negative,
    }


def summary(answer: MinimalEquivalent) -> dict[str, Any]:
    """The answer in numbers, as --json prints it."""
    return {
        **question(answer.network),
        "units": answer.units,
        "constant": answer.constant,
        "programs": answer.pieces.programs,
        "seconds": round(answer.seconds, 6),
        "complete": answer.complete,
        "engine": answer.engine,
        "reason": answer.reason,
    }


def found(row: dict[str, Any]) -> str:
    """How many there are of what a row counts."""
    return f"{row['units']} units" if row["units"] is not None else f"{row['pieces']} pieces"


def write(answer: MinimalEquivalent, out: Path, watch: Watch) -> str:
    """Write the threshold network, and say in a few words what it is."""
    try:
        network = answer.build_equivalent(watch)
    except Stopped as error:
        raise Stopped(f"{out}: not written, {error}") from None
    save(network, out)
    return f"{out}: {described(network)}{'' if answer.regular else TIES}"


def counted(network: ReLUNetwork, domain: Box | None, engine: str, watch: Watch) -> dict[str, Any]:
    """The number of boundary pieces as --count prints it: for one-signed networks, the number of units."""
    started = time.perf_counter()
    form = lpnet.normal_form(network, domain)
    number, name, complete = count_pieces(form, as_domain(domain, network.inputs), watch, engine)
    return {
        **question(network),
        "units": number if form.convex or form.concave else None,
        "pieces": number,
        "seconds": round(time.perf_counter() - started, 6),
        "complete": complete,
        "engine": name,
    }


def read_relu(file: Path, outputs: str | None) -> ReLUNetwork:
    """The ReLU network in a file, or InputError."""
    network = load(file, pair("--outputs", outputs, int))
    if not isinstance(network, ReLUNetwork):
        raise InputError(f"{file}: holds a {described(network)}; wanted a ReLU network")
    return network


def check_output(out: Path, file: Path) -> None:
    """InputError for a place that cannot be written to, before anything is computed."""
    check_writable(out)
    if out.resolve() == file.resolve():
        raise InputError(f"-o: {out} is the input itself; give another name")


def box(domain: str | None, inputs: int) -> Box | None:
    """The box of --domain."""
    if domain is not None and domain.endswith(".json"):
        return load_box(domain)
    bounds = pair("--domain", domain, float)
    if bounds and not bounds[0] < bounds[1]:
        raise InputError(f"--domain: wanted LO < HI, got {domain}")
    return Box(np.full(inputs, bounds[0]), np.full(inputs, bounds[1])) if bounds else None


def pair(option: str, text: str | None, number: type) -> tuple[Any, Any] | None:
    """Two numbers with a comma between them."""
    if text is None:
        return None
    try:
        first, second = map(number, text.split(","))
    except ValueError:
        kind = "whole numbers" if number is int else "numbers"
        raise InputError(f"{option}: wanted two {kind} with a comma between them, got {text!r}") from None
    return first, second


def main() -> None:
    """The entry point of the `lpnet` command."""
    sys.set_int_max_str_digits(0)  # 2^n has more than 4300 digits from n = 14,285 on
    app()
