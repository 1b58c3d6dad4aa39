"""`lpnet estimate`."""

import json
from decimal import Decimal
from typing import Annotated, Any

import typer

from lpnet.boundary.sampling import Estimate, estimate_pieces
from lpnet.cli.app import INCOMPLETE, app, failing_in_one_sentence
from lpnet.cli.options import DataOption, DomainOption, File, Group, Outputs, Threshold, about, choice, read_decision
from lpnet.cli.words import closing, print_rows
from lpnet.console import fail, watched
from lpnet.errors import InputError
from lpnet.networks import ReLUNetwork
from lpnet.networks.classifier import Classifier

Samples = Annotated[
    int | None,
    typer.Option(
        min=1, metavar="N", help="Draw N lines (descents), in whole rounds; 20,000 (2,000) if no error is asked for either."
    ),
]
RelativeError = Annotated[
    float | None, typer.Option(min=1e-6, metavar="E", help="Draw until the standard error is at most E times the estimate.")
]
Seed = Annotated[int, typer.Option(min=0, metavar="S", help="The answer depends on it, not on the number of workers.")]
Workers = Annotated[int | None, typer.Option(min=1, metavar="W", help="Threads; by default all cores.")]
TimeLimit = Annotated[float | None, typer.Option(min=0, metavar="SECONDS", help="End then with what was drawn (exit code 3).")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object on one line instead of text.")]
FEW = 100  # effective samples
SAMPLED = ("standard_error", "low", "high", "samples", "hits", "effective")  # what an exact answer has none of
LARGE = 1 / 3  # of the estimate
HIDDEN = ("seed", "unbiased", "cells_exact")
SPELT_OUT = {
    "low": "low_95%",
    "high": "high_95%",
    "at_least": "proved_at_least",
    "at_most": "proved_at_most",
    "lines": "lines_in_all",
    "samples": "lines_drawn",
    "hits": "lines_with_pieces",
    "effective": "worth_equal_lines",
}
DESCENTS = SPELT_OUT | {"samples": "descents", "hits": "pieces_met"}


@app.command()
def estimate(
    file: File,
    samples: Samples = None,
    relative_error: RelativeError = None,
    time_limit: TimeLimit = None,
    seed: Seed = 0,
    workers: Workers = None,
    outputs: Outputs = None,
    group: Group = None,
    threshold: Threshold = None,
    domain: DomainOption = None,
    data: DataOption = None,
    as_json: AsJson = False,
) -> None:
    """Estimate how many threshold units are needed.

    For networks that need too many to count (n = 128, d = 30), on all of R^d or a domain. Prints an estimate with its standard
    error and an interval of 95 % confidence, from a random sample of the lines on which the boundary has its vertices, and the
    bounds that are proved: below by the pieces seen, above by the law for n and d. The estimate is unbiased; where it is beyond
    a proved bound, the bound stands for it, and the command says so. The network has to be in general position.

    Of several hidden layers, of the class of several outputs, or on a domain, the pieces of the boundary and the cells are
    estimated, by random descents through the tree of activation patterns, in general position or not.
    """
    with failing_in_one_sentence():
        network, place, _ = about(read_decision(file, choice(outputs, group, threshold)), domain, data)
        try:
            with watched(file.name, None, time_limit, "drawn") as watch:
                answer = watch.call(estimate_pieces, network, samples, relative_error, seed, watch, workers, place)
        except InputError as error:
            raise InputError(f"{file}: {error}") from None
    row = {"file": str(file), **summary(network, answer)}
    if as_json:
        print(json.dumps(row), flush=True)
    else:
        hidden = (*HIDDEN, *(("at_least", *SAMPLED) if answer.exact else ("exact",)))
        hidden += ("cells_standard_error",) if answer.cells and answer.cells.exact else ()
        spelt_out = DESCENTS if answer.cells else SPELT_OUT
        estimated = [] if answer.exact else ["units", "pieces"]
        estimated += ["cells"] if answer.cells and not answer.cells.exact else []
        names = {name: f"estimated_{name}" if name in estimated else spelt_out.get(name, name) for name in row}
        print_rows([{names[name]: rounded(value) for name, value in row.items() if name not in hidden}])
        what = "boundary pieces, each on a needed half-space," if answer.cells else "half-spaces"
        number = rounded(answer.pieces) if isinstance(answer.pieces, int) else f"{answer.pieces:.4g}"
        where = "the box of the data" if data and not domain else "the domain" if place else f"all of R^{network.inputs}"
        closing(
            f"{'' if answer.exact else 'About '}{number} {what} are needed on {where}.",
            "" if place else "lpnet estimate FILE --data X.csv asks on the box of your data, where often far fewer are needed.",
        )
    for sentence in remarks(answer):
        fail(f"{file}: {sentence}")
    if answer.stopped:
        raise typer.Exit(INCOMPLETE)


def summary(network: ReLUNetwork | Classifier, answer: Estimate) -> dict[str, Any]:
    """The answer in numbers, as --json prints it; counts are whole numbers, however long.

    Of one hidden layer, each piece has a unit of its own; of several, or of several outputs, pieces and cells are estimated.
    """
    deep = answer.cells is not None
    row = {
        "inputs": network.inputs,
        "relus": network.relus,
        **({"layers": len(network.widths)} if deep else {}),
        "pieces" if deep else "units": answer.pieces,
        "standard_error": answer.standard_error,
        "low": answer.interval[0],
        "high": answer.interval[1],
        "at_least": answer.at_least,
        "at_most": answer.bound,
        **({} if deep else {"lines": answer.lines}),
        "samples": answer.samples,
        "hits": answer.hits,
        **({} if deep else {"effective": round(answer.effective, 1)}),
        "exact": answer.exact,
        "unbiased": answer.unbiased,
    }
    if answer.cells:
        cells = answer.cells
        row |= {"cells": cells.pieces, "cells_standard_error": cells.standard_error, "cells_exact": cells.exact}
    return row | {"seconds": round(answer.seconds, 6), "complete": answer.stopped is None}


def rounded(value: Any) -> Any:
    """Long whole numbers with five digits."""
    return f"{Decimal(value):.4e}" if isinstance(value, int) and abs(value) >= 10**9 else value


def remarks(answer: Estimate) -> list[str]:
    """What has to be said beside the numbers."""
    sentences, drawn = [], "descents" if answer.cells else "lines"
    if answer.stopped:
        sentences.append(f"incomplete, {answer.stopped}: the estimate is that of {answer.samples} {drawn}")
    if answer.unbiased > answer.bound:
        sentences.append(f"the sample alone says {rounded(answer.unbiased)}, more than is possible, so the proved bound stands")
    if not answer.exact and not answer.hits:
        sentences.append(f"none of the {answer.samples} {drawn} has met a piece: the estimate says next to nothing")
    elif answer.cells:
        known = (("pieces", answer), ("cells", answer.cells))
        sentences += [
            f"the standard error is {one.relative_error:.0%} of the estimate of {what}, which may be far off; draw more"
            for what, one in known
            if one.relative_error > LARGE
        ]
    elif not answer.exact and answer.effective < FEW:
        sentences.append(
            f"the sample is worth {answer.effective:.0f} equal ones only, and its interval is not to be relied on; draw more"
        )
    return sentences
