"""`lpnet draw`."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from lpnet.cli.app import INCOMPLETE, app, failing_in_one_sentence
from lpnet.cli.options import (
    DataOption,
    DomainOption,
    File,
    Group,
    Names,
    Outputs,
    Threshold,
    TimeLimit,
    about,
    check_output,
    choice,
    own_file,
    renamed,
)
from lpnet.cli.words import closing
from lpnet.console import described, fail, printable, watched
from lpnet.equivalents import MinimalEquivalent, minimal_equivalent
from lpnet.equivalents.class_circuits import class_circuits
from lpnet.equivalents.classes import minimal_classes
from lpnet.equivalents.steps import MinimalSteps, minimal_steps
from lpnet.equivalents.tree_circuits import tree_circuit
from lpnet.equivalents.trees import minimal_trees
from lpnet.errors import InputError, Stopped
from lpnet.io import read_and_warn
from lpnet.networks import Polyhedron, ReLUNetwork, SignCircuit, SignNetwork, StepNetwork
from lpnet.networks.classifier import Classifier
from lpnet.networks.examples import Examples
from lpnet.networks.trees import TreeEnsemble
from lpnet.plots.circuit import draw_circuit
from lpnet.plots.classes import draw_classes
from lpnet.plots.figure import check_picture, rendered, save_rendered
from lpnet.plots.picture import chosen_slice, draw_slice
from lpnet.plots.section import Network
from lpnet.plots.trees import draw_trees
from lpnet.watch import Watch

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
    group: Group = None,
    threshold: Threshold = None,
    time_limit: TimeLimit = None,
    data: DataOption = None,
) -> None:
    """Draw the decision boundary of a network, or its circuit.

    With its half-spaces, needed and redundant, and the bends of its ReLUs. More than two inputs are drawn in a slice: of two
    inputs, or in the two leading directions of the boundary. The inputs are called x1, x2, …, or as in --names.
    """
    with failing_in_one_sentence():
        target = own_file(out, file, "_circuit.png" if circuit else ".png")
        check_picture(target)
        check_output("-o", target, file)
        network, place, rows = about(
            renamed(read_and_warn(file, choice(outputs, group, threshold)).network, names), domain, data
        )
        if circuit:
            picture, caption, stopped = circuit_picture(network, file, place, time_limit, target.suffix), "", ""
        elif isinstance(network, Classifier | TreeEnsemble):
            picture, caption = classes_picture(network, file, place, rows, slice_, at, time_limit, target.suffix)
            stopped = ""
        else:
            picture, caption, stopped = boundary_picture(network, file, place, rows, slice_, at, time_limit, target.suffix)
        save_rendered(picture, target)
    print("; ".join(filter(None, (f"{target}: {described(network)}", printable(caption)))))
    if not (data or domain or circuit or isinstance(network, TreeEnsemble)):
        closing("--data X.csv draws your data in it, in the window where they lie.")
    if stopped:
        fail(f"{file}: incomplete, {stopped}: the picture is right, but not all half-spaces were counted")
        raise typer.Exit(INCOMPLETE)


def boundary_picture(
    network: Network,
    file: Path,
    domain: Polyhedron | None,
    rows: Examples | None,
    plane: str | None,
    at: str | None,
    seconds: float | None,
    suffix: str,
) -> tuple[bytes, str, str]:
    """The picture of the decision boundary, which slice it is, and what stopped the search before the limits set here did.

    The search may take half of the time; once it was interrupted, the picture has a second.
    """
    answer, title, stopped = None, file.name, ""
    point, inputs = numbers(at, network.inputs) if at else None, plane.split(",") if plane else None
    clock = Watch(seconds=seconds)
    if isinstance(network, ReLUNetwork | StepNetwork):
        with watched(file.name, ENOUGH, min(SECONDS, clock.left / 2), "pieces found") as watch:
            try:
                find: Any = minimal_steps if isinstance(network, StepNetwork) else minimal_equivalent
                answer = replace(watch.call(find, network, domain, watch=watch), examples=rows)
                title += f": {needed_in_words(answer)}"
            except Stopped:
                title += ": its half-spaces were not counted"
        if watch.interrupted:
            stopped = "it was interrupted"
        elif not (answer and answer.complete) and watch.seconds != SECONDS and not watch.left:
            stopped = f"half of the time limit of {seconds:g} s was over"

    def drawn() -> tuple[bytes, str]:
        place = chosen_slice(network, answer, None, inputs, point, rows)
        return rendered(draw_slice(network, place, answer, domain, title, rows), suffix), place.caption

    limit, after = (1.0, None) if stopped == "it was interrupted" else (seconds, clock)
    with watched(f"{file.name}, picture", None, limit, after=after) as watch:
        try:
            return *watch.call(drawn), stopped
        except Stopped:
            raise Stopped(f"{file}: not drawn, {stopped or watch.stopped}") from None


def classes_picture(
    network: Classifier | TreeEnsemble,
    file: Path,
    domain: Polyhedron | None,
    rows: Examples | None,
    plane: str | None,
    at: str | None,
    seconds: float | None,
    suffix: str,
) -> tuple[bytes, str]:
    """The picture of the classes, and which slice it is."""
    point, inputs = numbers(at, network.inputs) if at else None, plane.split(",") if plane else None

    def drawn() -> tuple[bytes, str]:
        if isinstance(network, TreeEnsemble):
            figure, caption = draw_trees(network, network.input_names, inputs, point, domain, file.name)
            return rendered(figure, suffix), caption
        place = chosen_slice(network.scores[0], None, network.input_names, inputs, point, rows)
        return rendered(draw_classes(network, place, domain, file.name, rows), suffix), place.caption

    with watched(f"{file.name}, picture", None, seconds) as watch:
        return watch.call(drawn)


def circuit_picture(
    network: Network | Classifier | TreeEnsemble,
    file: Path,
    domain: Polyhedron | None,
    seconds: float | None,
    suffix: str,
) -> bytes:
    """The picture of a threshold network, of the smallest one found for a ReLU network."""
    several = isinstance(network, Classifier)
    find: Any = minimal_classes if several else minimal_steps if isinstance(network, StepNetwork) else minimal_equivalent
    if isinstance(network, TreeEnsemble):
        find = minimal_trees
    threshold = isinstance(network.scores[0] if isinstance(network, Classifier) else network, SignNetwork | SignCircuit)

    def drawn(network: Any, watch: Watch) -> bytes:
        title = f"{file.name}: {described(network)}"
        if not threshold:
            answer: Any = find(network, domain, watch=watch)
            if not answer.complete:
                raise watch.error()
            if isinstance(network, TreeEnsemble):
                network = tree_circuit(answer, watch).network
            else:
                network = (class_circuits(answer, watch) if several else answer.build_equivalent(watch)).network
            title += f"\nas a {described(network)}"
        return rendered(draw_circuit(network, None, title), suffix)

    with watched(file.name, None, seconds, "pieces found") as watch:
        try:
            return watch.call(drawn, network, watch)
        except Stopped as error:
            raise Stopped(f"{file}: incomplete, {error}: there is no circuit to draw") from None


def needed_in_words(answer: MinimalEquivalent | MinimalSteps) -> str:
    """How many half-spaces are needed, of how many; of several hidden layers, for how many pieces."""
    if not answer.complete:
        return f"{answer.units} half-spaces or more are needed"
    if isinstance(answer, MinimalSteps):
        return f"{answer.units} half-spaces are needed"
    if answer.candidates is None:
        pieces = len(answer.pieces.patterns)
        return f"{answer.units} half-spaces are needed" + f", for {pieces} pieces of the boundary" * (pieces > answer.units)
    return f"{answer.units} of {answer.candidates:,} half-spaces are needed"


def numbers(at: str, inputs: int) -> list[float]:
    """The point of --at."""
    try:
        given = [float(entry) for entry in at.split(",")]
    except ValueError:
        raise InputError(f"--at: wanted numbers with commas between them, got {at!r}") from None
    return given * inputs if len(given) == 1 else given
