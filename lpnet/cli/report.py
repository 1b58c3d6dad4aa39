"""`lpnet report`."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import typer

import lpnet
from lpnet.circuits.classes import TooLarge
from lpnet.cli.app import INCOMPLETE, app, failing_in_one_sentence
from lpnet.cli.options import (
    DomainOption,
    File,
    Group,
    Names,
    Outputs,
    Threshold,
    check_output,
    choice,
    features,
    own_file,
    polyhedron,
)
from lpnet.console import described, fail, watched
from lpnet.equivalents import minimal_equivalent
from lpnet.equivalents.classes import minimal_classes
from lpnet.equivalents.steps import minimal_steps
from lpnet.errors import InputError, Stopped
from lpnet.io import Reading, read_and_warn, replacing
from lpnet.networks import Polyhedron, ReLUNetwork, StepNetwork
from lpnet.networks.classifier import Classifier
from lpnet.plots.figure import check_matplotlib
from lpnet.report.classes import circuits_part, classes_part, classifier_part, regions_part
from lpnet.report.page import Part, page
from lpnet.report.parts import (
    BACK,
    BOUNDARY,
    CIRCUIT,
    EQUIVALENT,
    MINIMAL,
    PROOF,
    boundary_part,
    circuit_part,
    compression_part,
    equivalent_of,
    logic_part,
    minimal_part,
    network_part,
    proof_part,
)
from lpnet.report.steps import steps_circuit, steps_part
from lpnet.watch import Watch

SECONDS = 60.0

Page = Annotated[Path | None, typer.Option("-o", "--out", metavar="OUT.html", help="The page (else FILE's name with .html).")]
StepLimit = Annotated[
    float,
    typer.Option(
        "--time-limit",
        min=0,
        metavar="SECONDS",
        help="For all steps together; what takes longer is left out.",
    ),
]


@app.command()
def report(
    file: File,
    out: Page = None,
    domain: DomainOption = None,
    names: Names = None,
    outputs: Outputs = None,
    group: Group = None,
    threshold: Threshold = None,
    time_limit: StepLimit = SECONDS,
) -> None:
    """Write a page about a network, to be opened in a browser.

    Without network access or scripts. What it is, its minimal threshold equivalent in numbers and in words, pictures, whether
    the answer is proved, and whether the threshold network can be compressed to ReLUs.
    """
    with failing_in_one_sentence():
        target = own_file(out, file, ".html")
        check_output("-o", target, file)
        if target.suffix not in (".html", ".htm"):
            raise InputError(f"-o: {target} would be a page; wanted a name that ends in .html")
        check_matplotlib()
        reading = read_and_warn(file, choice(outputs, group, threshold))
        network = reading.network
        place, named = polyhedron(domain, network.inputs), features(names, network.inputs)
        named = named or [f"x{k + 1}" for k in range(network.inputs)]
        clock = Watch(seconds=time_limit)
        parts = list(parts_of(reading, place, named, file, clock))
        content = page(file.name, f"{described(network)}; report by lpnet {lpnet.__version__}", parts)
        try:
            with replacing(target) as stream:
                stream.write(content)
        except OSError as error:
            raise InputError(f"{target}: cannot be written: {error.strerror or error}") from None
    print(f"{target}: report on a {described(network)}")
    if clock.stopped:
        fail(f"{file}: incomplete, {clock.stopped}; the page says what is left out")
        raise typer.Exit(INCOMPLETE)


def parts_of(reading: Reading, domain: Polyhedron | None, names: list[str], file: Path, clock: Watch) -> Iterator[Part]:
    """The parts of the page, in order, each with an equal share of the time that is left; Ctrl-C leaves out the rest."""
    network = reading.network
    if isinstance(network, Classifier):
        yield from parts_of_classes(reading, network, domain, names, file, clock)
        return
    yield network_part(reading, domain)
    answer, threshold = None, None if isinstance(network, ReLUNetwork | StepNetwork) else network
    if isinstance(network, StepNetwork):
        yield from parts_of_steps(network, domain, names, file, clock)
        return
    if isinstance(network, ReLUNetwork):
        with step(file.name, clock, 6, "pieces found") as watch:
            try:
                answer = watch.call(minimal_equivalent, network, domain, watch=watch)
                yield minimal_part(answer)
            except Stopped:
                yield Part(MINIMAL, [f"There are at least {watch.found} boundary pieces: the search was stopped."])
            if not (answer and answer.complete):
                clock.stopped = clock.stopped or watch.stopped
    with step(f"{file.name}, picture", clock, 5) as watch:
        yield in_time(watch, BOUNDARY, boundary_part, network, answer, domain, names)
    if answer:
        with step(f"{file.name}, circuit", clock, 4) as watch:
            try:
                threshold, part = watch.call(equivalent_of, answer, watch)
            except Stopped as error:
                part = Part(EQUIVALENT, [f"Left out: {error}."])
        yield part
    if threshold:
        with step(f"{file.name}, circuit's picture", clock, 3) as watch:
            yield in_time(watch, "In words", logic_part, threshold, names)
            yield in_time(watch, CIRCUIT, circuit_part, threshold, names)
    if answer:
        with TemporaryDirectory(ignore_cleanup_errors=True) as folder, step(f"{file.name}, proof", clock, 2) as watch:
            yield in_time(watch, PROOF, proof_part, answer, domain, watch, Path(folder))
    if threshold:
        with step(f"{file.name}, compression", clock, 1, "steps") as watch:
            yield in_time(watch, BACK, compression_part, threshold, answer, watch)


def parts_of_steps(
    network: StepNetwork, domain: Polyhedron | None, names: list[str], file: Path, clock: Watch
) -> Iterator[Part]:
    """The same of ReLUs and steps, behind the first part."""
    threshold = None
    with step(file.name, clock, 4, "pieces found") as watch:
        answer = watch.call(minimal_steps, network, domain, watch)
        yield steps_part(answer)
    with step(f"{file.name}, picture", clock, 3) as watch:
        yield in_time(watch, BOUNDARY, boundary_part, network, answer, domain, names)
    if answer.complete:
        with step(f"{file.name}, circuit", clock, 2) as watch:
            try:
                threshold, part = watch.call(steps_circuit, answer, watch)
            except (Stopped, TooLarge) as error:
                part = Part(EQUIVALENT, [f"Left out: {error}."])
        yield part
    if threshold:
        with step(f"{file.name}, circuit's picture", clock, 1) as watch:
            yield in_time(watch, "In words", logic_part, threshold, names)
            yield in_time(watch, CIRCUIT, circuit_part, threshold, names)
    clock.stopped = clock.stopped or (None if answer.complete else "the search was stopped")


def parts_of_classes(
    reading: Reading, network: Classifier, domain: Polyhedron | None, names: list[str], file: Path, clock: Watch
) -> Iterator[Part]:
    """Likewise of several outputs."""
    if not isinstance(network.scores[0], ReLUNetwork):
        raise InputError("a page is about ReLU networks, and threshold networks with one output")
    yield classifier_part(reading, network, domain)
    with step(file.name, clock, 5, "pieces found") as watch:
        answer = watch.call(minimal_classes, network, domain, watch=watch)
        yield classes_part(answer)
    with step(f"{file.name}, picture", clock, 4) as watch:
        yield in_time(watch, BOUNDARY, regions_part, network, domain, names)
    if answer.complete:
        with step(f"{file.name}, circuit", clock, 3) as watch:
            try:
                threshold, part = watch.call(circuits_part, answer, watch)
                yield part
                yield in_time(watch, "In words", logic_part, threshold, names)
                yield in_time(watch, CIRCUIT, circuit_part, threshold, names)
            except Stopped as error:
                yield Part(EQUIVALENT, [f"Left out: {error}."])
        with TemporaryDirectory(ignore_cleanup_errors=True) as folder, step(f"{file.name}, proof", clock, 1) as watch:
            yield in_time(watch, PROOF, proof_part, answer, domain, watch, Path(folder))
    clock.stopped = clock.stopped or (None if answer.complete else "the search was stopped")


@contextmanager
def step(name: str, clock: Watch, steps: int, counted: str = "found") -> Iterator[Watch]:
    """A watch for the next of so many steps."""
    with watched(name, None, clock.left / steps, counted) as watch:
        watch.stopped, watch.interrupted = (clock.stopped, True) if clock.interrupted else (None, False)
        yield watch
        if watch.interrupted:
            clock.stopped, clock.interrupted = watch.stopped, True


def in_time(watch: Watch, title: str, part: Callable[..., Part], *arguments: Any) -> Part:
    """A part of the page, or that it was left out."""
    try:
        return watch.call(part, *arguments)
    except Stopped as error:
        return Part(title, [f"Left out: {error}."])
