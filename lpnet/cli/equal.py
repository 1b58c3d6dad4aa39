"""`lpnet equal`."""

import json
from typing import Any

import typer

import lpnet
from lpnet.cli.app import DONE, INCOMPLETE, NO, app, failing_in_one_sentence
from lpnet.cli.options import AsJson, DomainOption, FileA, FileB, Outputs, TimeLimit, box, pair
from lpnet.console import watched
from lpnet.equality import Comparison
from lpnet.exact import Form
from lpnet.io import load

CODES = {"equal": DONE, "different": NO, "equal off ties": NO, "undecided": INCOMPLETE}


@app.command()
def equal(
    file_a: FileA,
    file_b: FileB,
    domain: DomainOption = None,
    outputs: Outputs = None,
    as_json: AsJson = False,
    time_limit: TimeLimit = None,
) -> None:
    """Decide whether two networks are the same function.

    They may be ReLU networks, sign networks or circuits. Exit code 0: equal, proved; 1: different, or equal off ties, with a
    point where they differ; 3: undecided.
    """
    with failing_in_one_sentence():
        network_a, network_b = (load(file, pair("--outputs", outputs, int)) for file in (file_a, file_b))
        with watched(f"{file_a.name}, {file_b.name}", None, time_limit) as watch:
            answer = lpnet.equal(network_a, network_b, box(domain, network_a.inputs), watch)
    print(json.dumps({"file_a": str(file_a), "file_b": str(file_b), **summary(answer)}) if as_json else sentences(answer))
    raise typer.Exit(CODES[answer.verdict])


def summary(answer: Comparison) -> dict[str, Any]:
    """The answer as --json prints it; numbers that have to be exact are strings."""
    return {
        "verdict": answer.verdict,
        "point": answer.digits or None,
        "answer_a": answer.answer_a,
        "answer_b": answer.answer_b,
        "ties": [equation(plane) for plane in answer.planes],
        "method": answer.method,
        "detail": answer.detail,
        "programs": answer.programs,
        "seconds": round(answer.seconds, 6),
    }


def sentences(answer: Comparison) -> str:
    """The answer in words."""
    lines = [f"{answer.verdict}: {answer.detail} (method: {answer.method}, {answer.programs} programs, {answer.seconds:.3g} s)"]
    if answer.point:
        lines.append(f"  at ({', '.join(answer.digits)}) the answers are {answer.answer_a:+d} and {answer.answer_b:+d}")
    lines += [f"  the point lies on {equation(plane)}" for plane in answer.planes]
    return "\n".join(lines)


def equation(plane: Form) -> str:
    """A hyperplane, exactly."""
    terms = " ".join(f"{c:+d}·x{k}" for k, c in enumerate(plane[:-1], 1) if c)
    return f"{terms} {plane[-1]:+d} = 0" if plane[-1] else f"{terms} = 0"
