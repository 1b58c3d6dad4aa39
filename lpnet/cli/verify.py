"""`lpnet verify`."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from lpnet.checker import BadProof, Refuted, check
from lpnet.cli.app import BAD_INPUT, DONE, INTERRUPTED, NO, app
from lpnet.cli.options import AsJson, DomainOption, Outputs, box, read_relu
from lpnet.console import fail, watched
from lpnet.errors import InputError, LpnetError, Stopped

ProofFile = Annotated[Path, typer.Argument(metavar="PROOF", readable=False, help="A proof file of lpnet minimal --proof.")]
Network = Annotated[Path | None, typer.Option(metavar="FILE", help="The network that it has to be about.")]


@app.command()
def verify(
    proof: ProofFile,
    network: Network = None,
    domain: DomainOption = None,
    outputs: Outputs = None,
    as_json: AsJson = False,
) -> None:
    """Check a proof of lpnet minimal in exact arithmetic.

    None of the code that found the answer is used. Prints what was proved and what was not. Exit codes: 0 proved, 1 refuted, 2
    not a proof file.
    """
    code = DONE
    answer: dict[str, Any] = {"file": str(proof), "verdict": "proved"}
    try:
        with watched(proof.name, None, None, "rows checked") as watch:
            given = read_relu(network, outputs) if network else None
            if domain and not given:
                raise InputError("--domain: wanted --network too, to know the number of inputs")
            place = box(domain, given.inputs) if given else None
            report = watch.call(check, proof, given, place, watch.check)
        answer |= {"units": report.units, "proved": list(report.proved), "unproved": list(report.unproved)}
    except Refuted as error:
        code, answer = NO, {**answer, "verdict": "refuted", "reason": str(error)}
    except Stopped as error:
        fail(f"{proof}: not checked, {error}")
        raise typer.Exit(INTERRUPTED) from None
    except (BadProof, LpnetError) as error:
        fail(str(error))
        raise typer.Exit(BAD_INPUT) from None
    if as_json:
        print(json.dumps(answer))
    elif code == NO:
        print(f"{proof}: REFUTED: {answer['reason']}")
    else:
        print(f"{proof}: {report.question}")
        for mark, statements in (("proved", report.proved), ("NOT proved", report.unproved)):
            for statement in statements:
                print(f"  {mark}: {statement}")
    raise typer.Exit(code)
