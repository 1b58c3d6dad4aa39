"""`lpnet report`."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

import lpnet
from lpnet.cli.app import INCOMPLETE, app, failing_in_one_sentence
from lpnet.cli.options import DomainOption, File, Names, Outputs, box, check_output, features, own_file, pair
from lpnet.console import described, fail, watched
from lpnet.equivalents import MinimalEquivalent, minimal_equivalent
from lpnet.errors import InputError
from lpnet.io import Reading, read_and_warn, replacing
from lpnet.networks import Box, ReLUNetwork
from lpnet.plots.figure import check_matplotlib
from lpnet.report.page import Part, page
from lpnet.report.parts import (
    boundary_part,
    circuit_part,
    compression_part,
    equivalent_of,
    logic_part,
    minimal_part,
    network_part,
    proof_part,
)

SECONDS = 20.0

Page = Annotated[Path | None, typer.Option("-o", "--out", metavar="OUT.html", help="The page (else FILE's name with .html).")]
StepLimit = Annotated[
    float, typer.Option("--time-limit", min=0, metavar="SECONDS", help="For each step; what takes longer is left out.")
]


@app.command()
def report(
    file: File,
    out: Page = None,
    domain: DomainOption = None,
    names: Names = None,
    outputs: Outputs = None,
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
        reading = read_and_warn(file, pair("--outputs", outputs, int))
        network = reading.network
        place, named = box(domain, network.inputs), features(names, network.inputs)
        named = named or [f"x{k + 1}" for k in range(network.inputs)]
        answer = None
        if isinstance(network, ReLUNetwork):
            with watched(file.name, None, time_limit, "pieces found") as watch:
                answer = minimal_equivalent(network, place, watch=watch)
        parts = list(parts_of(reading, answer, place, named, file, time_limit))
        content = page(file.name, f"{described(network)}; report by lpnet {lpnet.__version__}", parts)
        try:
            with replacing(target) as stream:
                stream.write(content)
        except OSError as error:
            raise InputError(f"{target}: cannot be written: {error.strerror or error}") from None
    print(f"{target}: report on a {described(network)}")
    if answer and not answer.complete:
        fail(f"{file}: incomplete, {watch.stopped}: the {answer.units} units found are needed, but there may be more")
        raise typer.Exit(INCOMPLETE)


def parts_of(
    reading: Reading, answer: MinimalEquivalent | None, domain: Box | None, names: list[str], file: Path, seconds: float
) -> Iterator[Part]:
    """The parts of the page, in order; Ctrl-C ends a step."""
    network = reading.network
    yield network_part(reading, domain)
    if answer:
        yield minimal_part(answer)
    yield boundary_part(network, answer, domain, names)
    threshold = None if isinstance(network, ReLUNetwork) else network
    if answer:
        with watched(f"{file.name}, circuit", None, seconds) as watch:
            threshold, part = equivalent_of(answer, watch)
        yield part
    if threshold:
        yield logic_part(threshold, names)
        yield circuit_part(threshold, names)
    if answer:
        with watched(f"{file.name}, proof", None, seconds) as watch:
            yield proof_part(answer, domain, watch)
    if threshold:
        with watched(f"{file.name}, compression", None, seconds, "steps") as watch:
            yield compression_part(threshold, answer, watch)
