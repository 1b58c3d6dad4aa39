"""`lpnet verify`."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from lpnet.checker import BadProof, Refuted, Report, check
from lpnet.cli.app import BAD_INPUT, DONE, INCOMPLETE, INTERRUPTED, NO, RESERVED, app
from lpnet.cli.options import AsJson, DomainOption, Outputs, TimeLimit, polyhedron, read_relu
from lpnet.console import fail, printable, watched
from lpnet.errors import InputError, LpnetError, Stopped

ProofFile = Annotated[Path, typer.Argument(metavar="PROOF", readable=False, help="A proof file of lpnet minimal --proof.")]
Network = Annotated[Path | None, typer.Option(metavar="FILE", help="The network that it has to be about.")]


@app.command()
def verify(
    proof: ProofFile,
    network: Network = None,
    domain: DomainOption = None,
    outputs: Outputs = None,
    time_limit: TimeLimit = None,
    as_json: AsJson = False,
) -> None:
    """Check a proof of lpnet minimal in exact arithmetic.

    None of the code that found the answer is used. Prints what was proved and what was not. Exit codes: 0 proved: these
    half-spaces are needed and no other, on all of R^d or on the domain that --domain names; 1 refuted; 2 not a proof file;
    3 proved in part: these are needed, but perhaps others too; or stopped; 4 proved on a domain that --domain does not name.

    A file that asks for more work than one of its size should counts as no proof file, unless --time-limit says how long it may
    take.
    """
    answer: dict[str, Any] = {"file": str(proof)}
    try:
        with watched(proof.name, None, time_limit, "rows checked") as watch:
            given = read_relu(network, outputs) if network else None
            if domain and not given:
                raise InputError("--domain: wanted --network too, to know the number of inputs")
            place = polyhedron(domain, given.inputs) if given else None
            report = watch.call(check, proof, given, place, watch.check, time_limit is None)
        code, verdict = judged(report, domain is not None)
        answer |= {"verdict": verdict, **contents(report)}
        lines = [report.question, *(f"  proved: {words}" for words in report.proved)]
        lines += [f"  NOT proved: {words}" for words in report.unproved]
        if code == RESERVED:
            lines.append(
                f"  NOT proved: anything beyond {report.place}; if that is what you asked about, name it with --domain"
            )
    except Refuted as error:
        code, lines = NO, [f"REFUTED: {error}"]
        answer |= {"verdict": "refuted", "reason": str(error)}
    except Stopped as error:
        fail(f"{proof}: not checked, {error}")
        code, lines = INTERRUPTED if watch.interrupted else INCOMPLETE, []
        answer |= {"verdict": "stopped", "reason": str(error)}
    except (BadProof, LpnetError) as error:
        fail(str(error))
        raise typer.Exit(BAD_INPUT) from None
    if as_json:
        print(json.dumps(answer))
    elif lines:
        print(printable(f"{proof}: {lines[0]}"), *lines[1:], sep="\n")
    raise typer.Exit(code)


def judged(report: Report, named: bool) -> tuple[int, str]:
    """The exit code and the verdict; named: whether the caller named the domain."""
    if not report.complete:
        return INCOMPLETE, "proved in part"
    if report.inequalities and not named:
        return RESERVED, "proved on a domain"
    return DONE, "proved"


def contents(report: Report) -> dict[str, Any]:
    """What a proof proves, as --json prints it."""
    return {
        "units": report.units,
        "proved": list(report.proved),
        "unproved": list(report.unproved),
        "complete": report.complete,
        "evidence": report.evidence,
        "domain": report.place if report.inequalities else None,
        "inequalities": [[f"{entry:x}" for entry in h] for h in report.inequalities],
    }
