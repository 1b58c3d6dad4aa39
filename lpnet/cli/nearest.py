"""`lpnet nearest`."""

import json
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

import typer

from lpnet.cli.app import INCOMPLETE, app, failing_in_one_sentence
from lpnet.cli.options import File, ReLUOut, TimeLimit, check_network_output
from lpnet.cli.words import print_rows
from lpnet.compression.nearest.margins import hidden_layer_report
from lpnet.compression.nearest.nearest import MOST_PRUNED, NearestReLU, nearest, needed_units
from lpnet.compression.nearest.program import OWN
from lpnet.console import described, fail, watched
from lpnet.errors import InputError, Stopped
from lpnet.exact import FloatArray, rounded_down, rounded_up
from lpnet.io import load, load_examples, save
from lpnet.io.examples import signed_classes
from lpnet.networks import SignNetwork

Data = Annotated[
    Path | None, typer.Option(metavar="X.npz", help="Examples X (N, d) and, if wanted, their classes y (N,): ±1 or 0/1.")
]
Relus = Annotated[
    int | None,
    typer.Option(min=1, metavar="N", help="The number of ReLUs n; the file has 2^n threshold units, or fewer and an order."),
]
Order = Annotated[
    str, typer.Option(metavar="ORDER", help="Which subset each unit stands for: binary, search, or numbers with commas.")
]
Solver = Annotated[str, typer.Option(metavar="NAME", help=f"{OWN}, or one of cvxpy's: CLARABEL, HIGHS, …")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object on one line instead of text.")]


@app.command("nearest")
def nearest_command(
    file: File,
    data: Data = None,
    relus: Relus = None,
    order: Order = "binary",
    as_json: AsJson = False,
    time_limit: TimeLimit = None,
    solver: Solver = OWN,
    out: ReLUOut = None,
) -> None:
    """Find the ReLU network nearest to a sign network.

    Nearest in all its hidden-layer scores ([PS16] Theorem 3). Threshold unit 1, 2, 3, … stands for the subset of the ReLUs that
    is 0, 1, 2, … in binary, the first ReLU the highest bit; of 2^n − 1 units the first stands for 1, as the empty subset needs
    none in a network that lpnet minimal -o has written. With --data, counts the examples that keep their hidden-layer
    label, and those that Theorem 3 promises to keep it.
    """
    with failing_in_one_sentence():
        if out:
            check_network_output(out, file, relu=True)
        network = load(file)
        if not isinstance(network, SignNetwork):
            raise InputError(
                f"{file}: holds a {described(network)}; wanted a sign network (two layers), as lpnet minimal -o writes it "
                f"for a network whose output weights have one sign"
            )
        examples, needed = load_examples(data, network) if data else None, None
        if examples and network.units.bit_count() != 1:
            raise InputError(f"{file}: --data needs a unit for each of the 2^n subsets, and there are {network.units} units")
        try:
            with watched(file.name, None, time_limit, "units in the program") as watch:
                answer = watch.call(nearest, network, relus, subset_numbers(order), watch=watch, solver=solver)
                with suppress(Stopped):
                    needed = watch.call(needed_units, network, watch)
        except InputError as error:
            raise InputError(f"{file}: {error}") from None
        row = {"file": str(file), **summary(answer, needed)}
        if needed is None:
            row["reason"] = "needed_units: stopped" if watch.stopped else f"needed_units: not counted above {MOST_PRUNED} units"
        if examples:
            row["data"] = shares(answer, examples.points, signed_classes(examples))
        out = out if row["complete"] else None
        if out:
            save(answer.relu_network, out)
    if as_json:
        print(json.dumps(row), flush=True)
    else:
        print_answer(row, answer, out)
    if watch.stopped:
        known = "needed_units not counted" if row["complete"] else f"between {row['lower_bound']:.6g} and {row['error']:.6g}"
        fail(f"{file}: incomplete, {watch.stopped}: {known}")
        raise typer.Exit(INCOMPLETE)


def subset_numbers(order: str) -> str | list[int]:
    """The order by name, or the numbers in it."""
    try:
        return [int(number) for number in order.split(",")]
    except ValueError:
        return order


def summary(answer: NearestReLU, needed: int | None) -> dict[str, Any]:
    """The answer in numbers, as --json prints it; the bounds rounded outwards."""
    return {
        "inputs": answer.sign_network.inputs,
        "sign_units": answer.sign_network.units,
        "needed_units": needed,
        "relus": answer.relus,
        "verdict": answer.verdict,
        "error": rounded_up(answer.error),
        "lower_bound": rounded_down(answer.lower_bound),
        "gap": rounded_up(answer.approximation.gap),
        "output_bias": answer.relu_network.output_bias,
        "seconds": round(answer.seconds, 6),
        "complete": answer.approximation.finished,
    }


def shares(answer: NearestReLU, points: FloatArray, classes: FloatArray | None) -> dict[str, Any]:
    """What the examples keep."""
    report = hidden_layer_report(answer, points)
    counted, units_only = report.with_rejection, report.units_only
    row = {
        "examples": len(points),
        "certified": counted.share_certified,
        "kept": counted.share_kept,
        "units_only_certified": units_only.share_certified,
        "units_only_kept": units_only.share_kept,
        "broken": report.broken,
    }
    if classes is not None:
        row["accuracy"] = float((answer.sign_network(points) == classes).mean())
        row["relu_accuracy"] = float((answer.relu_network(points) == classes).mean())
    return row


def print_answer(row: dict[str, Any], answer: NearestReLU, written: Path | None) -> None:
    """The table, what the examples keep, and where the network went."""
    hidden = {"data", "complete", "reason"}
    print_rows([{name: value for name, value in row.items() if name not in hidden}])
    if "data" in row:
        data = row["data"]
        print(f"\n{data['examples']} examples, condition (11) with rejection as a class of score 0, and among the units alone:")
        print(f"  certified to keep their hidden-layer label: {data['certified']:.2%}; {data['units_only_certified']:.2%}")
        print(f"  keep it: {data['kept']:.2%}; {data['units_only_kept']:.2%}")
        if "accuracy" in data:
            print(f"  decided as y says by the threshold units: {data['accuracy']:.2%}; by ReLUs: {data['relu_accuracy']:.2%}")
    if row["relus"] is not None:
        print(
            f"\nThe {row['relus']} ReLUs found miss no half-space by more than {row['error']:.3g}; none could by less than ",
            end="",
        )
        print(f"{row['lower_bound']:.3g}.")
    if written:
        print(f"\n{written}: {described(answer.relu_network)}")
