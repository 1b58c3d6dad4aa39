"""`lpnet report`."""

from pathlib import Path
from typing import Annotated

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
    about,
    check_output,
    choice,
    own_file,
    renamed,
)
from lpnet.cli.words import closing
from lpnet.console import described, fail
from lpnet.errors import InputError
from lpnet.io import read_and_warn, replacing
from lpnet.pages.whole import SECONDS, whole_page
from lpnet.plots.figure import check_matplotlib
from lpnet.watch import Watch

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
    data: DataOption = None,
) -> None:
    """Write a page about a network, to be opened in a browser.

    One file, without network access. What it is, its minimal threshold equivalent in numbers and in words, pictures, what the
    data say, whether the answer is proved, and whether the threshold network can be compressed to ReLUs.
    """
    with failing_in_one_sentence():
        target = own_file(out, file, ".html")
        check_output("-o", target, file)
        if target.suffix not in (".html", ".htm"):
            raise InputError(f"-o: {target} would be a page; wanted a name that ends in .html")
        check_matplotlib()
        reading = read_and_warn(file, choice(outputs, group, threshold))
        network, place, rows = about(renamed(reading.network, names), domain, data)
        clock = Watch(seconds=time_limit)
        content = whole_page(reading.of(network), place, rows, file.name, clock)
        try:
            with replacing(target) as stream:
                stream.write(content)
        except OSError as error:
            raise InputError(f"{target}: cannot be written: {error.strerror or error}") from None
    print(f"{target}: report on a {described(network)}")
    closing(
        "Open it in a browser, or send it: it is one file, and loads nothing.",
        "" if data else "--data X.csv shows your data in it, and asks on the box around them.",
    )
    if clock.stopped:
        fail(f"{file}: incomplete, {clock.stopped}; the page says what is left out")
        raise typer.Exit(INCOMPLETE)
