"""`lpnet check`."""

import json
from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any

import typer

from lpnet.cli.app import DONE, INCOMPLETE, INTERRUPTED, NO, app, failing_in_one_sentence
from lpnet.cli.options import AsJson, File, TimeLimit, check_output
from lpnet.console import fail, watched
from lpnet.errors import InputError, Stopped
from lpnet.io import load
from lpnet.io.kinds import Choice, SingleOutput
from lpnet.io.vnnlib import Property, load_property
from lpnet.networks import ReLUNetwork
from lpnet.properties import check_property

PropertyFile = Annotated[Path, typer.Option("--property", metavar="FILE", help="What is asserted, in VNN-LIB.")]
PropertyProof = Annotated[
    Path | None, typer.Option("--proof", metavar="OUT", help="Where there is no such input, write a proof, for lpnet verify.")
]
CODES = {"sat": NO, "unsat": DONE}
WORDS = {
    "sat": "sat: the assertions hold at an input, exactly",
    "unsat": "unsat: the assertions hold at no input, proved",
}


@app.command()
def check(
    file: File,
    asked: PropertyFile,
    proof: PropertyProof = None,
    as_json: AsJson = False,
    time_limit: TimeLimit = None,
) -> None:
    """Decide whether a property of the outputs can hold.

    Exit code 0: unsat, there is none, proved; 1: sat, with such an input in rational numbers; 3: stopped.
    """
    with failing_in_one_sentence():
        if proof:
            check_output("--proof", proof, file)
        wanted = load_property(asked)
        scores = scores_of(file, wanted)
        try:
            with watched(file.name, None, time_limit) as watch:
                found = watch.call(check_property, scores, wanted, watch, proof)
        except Stopped as error:
            fail(f"{file}: undecided, {error}")
            raise typer.Exit(INTERRUPTED if watch.interrupted else INCOMPLETE) from None
    values = {"inputs": named(wanted.inputs, found.point), "outputs": named(scores, found.outputs)}
    if as_json:
        print(json.dumps({"file": str(file), "verdict": found.verdict, **values}))
    else:
        print(WORDS[found.verdict])
        for name, numbers in values.items():
            if numbers:
                print(f"  {name}: {', '.join(f'{key} = {number}' for key, number in numbers.items())}")
    raise typer.Exit(CODES[found.verdict])


def scores_of(file: Path, wanted: Property) -> dict[str, ReLUNetwork]:
    """The outputs of a network that a property speaks of."""
    made: dict[str, Any] = {}
    for number, name in enumerate(wanted.outputs):
        try:
            made[name] = load(file, Choice("itself", (number,)))
        except SingleOutput:
            if number:
                raise
            made[name] = load(file)
        if not isinstance(made[name], ReLUNetwork):
            raise InputError(f"{file}: wanted a network of ReLUs")
    return made


def named(names: Iterable[str], numbers: Sequence[Fraction] | None) -> dict[str, str] | None:
    """Rational numbers as words, by name."""
    return None if numbers is None else {name: str(number) for name, number in zip(names, numbers, strict=True)}
