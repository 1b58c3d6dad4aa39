"""`lpnet draw`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lpnet.cli.app import INCOMPLETE, app, failing_in_one_sentence
from lpnet.cli.options import DomainOption, File, Names, Outputs, TimeLimit, box, check_output, features, own_file, pair
from lpnet.console import described, fail, printable, watched
from lpnet.equivalents import MinimalEquivalent, minimal_equivalent
from lpnet.errors import InputError, Stopped
from lpnet.io import load
from lpnet.networks import Box, ReLUNetwork
from lpnet.plots.circuit import draw_circuit
from lpnet.plots.figure import check_picture, save_picture
from lpnet.plots.picture import chosen_slice, draw_slice
from lpnet.plots.section import Network

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ENOUGH, SECONDS = 500, 10.0  # the half-spaces that a slice takes its directions from, and how long they are looked for

Picture = Annotated[
    Path | None,
    typer.Option(
        "-o", "--out", metavar="OUT", help="The picture: .png, .svg or .pdf (else FILE's name with .png or _circuit.png)."
    ),
]
Circuit = Annotated[bool, typer.Option("--circuit", help="Draw the threshold network instead, layer by layer.")]
SliceOption = Annotated[str | None, typer.Option("--slice", metavar="A,B", help="The plane of two inputs, by their names.")]
At = Annotated[str | None, typer.Option("--at", metavar="X1,…,XD", help="A point of the slice; one number for all inputs.")]


@app.command()
def draw(
    file: File,
    out: Picture = None,
    domain: DomainOption = None,
    circuit: Circuit = False,
    slice_: SliceOption = None,
    at: At = None,
    names: Names = None,
    outputs: Outputs = None,
    time_limit: TimeLimit = None,
) -> None:
    """Draw the decision boundary of a network, or its circuit.

    With its half-spaces, needed and redundant, and the bends of its ReLUs. More than two inputs are drawn in a slice: of two
    inputs, or in the two leading directions of the boundary. The inputs are called x1, x2, …, or as in --names.
    """
    with failing_in_one_sentence():
        target = own_file(out, file, "_circuit.png" if circuit else ".png")
        check_picture(target)
        check_output("-o", target, file)
        network = load(file, pair("--outputs", outputs, int))
        place, named = box(domain, network.inputs), features(names, network.inputs)
        if circuit:
            figure, caption, stopped = circuit_picture(network, file, place, named, time_limit), "", ""
        else:
            figure, caption, stopped = boundary_picture(network, file, place, named, slice_, at, time_limit)
        save_picture(figure, target)
    print("; ".join(filter(None, (f"{target}: {described(network)}", printable(caption)))))
    if stopped:
        fail(f"{file}: incomplete, {stopped}: the picture is right, but not all half-spaces were counted")
        raise typer.Exit(INCOMPLETE)


def boundary_picture(
    network: Network,
    file: Path,
    domain: Box | None,
    names: list[str] | None,
    plane: str | None,
    at: str | None,
    seconds: float | None,
) -> "tuple[Figure, str, str]":
    """The picture of the decision boundary, which slice it is, and what stopped the search before the limits set here did."""
    answer, title, stopped = None, f"{file.name}: {described(network)}", ""
    if isinstance(network, ReLUNetwork):
        with watched(file.name, ENOUGH, SECONDS if seconds is None else seconds, "pieces found") as watch:
            answer = minimal_equivalent(network, domain, watch=watch)
        title += f"\n{needed_in_words(answer)}"
        if not answer.complete and (watch.interrupted or (seconds is not None and not watch.left)):
            stopped = "it was interrupted" if watch.interrupted else f"the time limit of {seconds:g} s was reached"
    point = numbers(at, network.inputs) if at else None
    place = chosen_slice(network, answer, names, plane.split(",") if plane else None, point)
    return draw_slice(network, place, answer, domain, title), place.caption, stopped


def circuit_picture(
    network: Network, file: Path, domain: Box | None, names: list[str] | None, seconds: float | None
) -> "Figure":
    """The picture of a threshold network, of the smallest one found for a ReLU network."""
    title = f"{file.name}: {described(network)}"
    if isinstance(network, ReLUNetwork):
        with watched(file.name, None, seconds, "pieces found") as watch:
            answer = minimal_equivalent(network, domain, watch=watch)
            if not answer.complete:
                raise Stopped(f"{file}: incomplete, {watch.stopped}: there is no circuit to draw")
            network = answer.build_equivalent(watch).network
        title += f"\nas a {described(network)}"
    return draw_circuit(network, names, title)


def needed_in_words(answer: MinimalEquivalent) -> str:
    """How many half-spaces are needed, of how many."""
    if not answer.complete:
        return f"{answer.units} half-spaces or more are needed"
    return f"{answer.units} of {answer.candidates:,} half-spaces are needed"


def numbers(at: str, inputs: int) -> list[float]:
    """The point of --at."""
    try:
        given = [float(entry) for entry in at.split(",")]
    except ValueError:
        raise InputError(f"--at: wanted numbers with commas between them, got {at!r}") from None
    return given * inputs if len(given) == 1 else given
