"""`lpnet export-proof`."""

from pathlib import Path
from typing import Annotated

import typer

from lpnet.checker import Refuted
from lpnet.cli.app import DONE, NO, app, failing_in_one_sentence
from lpnet.cli.options import TimeLimit
from lpnet.cli.verify import ProofFile
from lpnet.console import fail, watched
from lpnet.proofs.alethe import export_proof

Exported = Annotated[Path, typer.Argument(metavar="OUT", help="OUT.smt2 and OUT.alethe are written.")]


@app.command("export-proof")
def export(proof: ProofFile, out: Exported, time_limit: TimeLimit = None) -> None:
    """Write a proof's empty parts for other checkers.

    A problem in SMT-LIB and its refutation in Alethe, of a proof of several layers, of equal or of check. The proof is checked
    first (exit code 1: refuted). Each part takes one step of the rule la_generic, with the multipliers that show that it is
    empty; carcara checks such files.
    """
    with failing_in_one_sentence(), watched(proof.name, None, time_limit, "rows checked") as watch:
        try:
            count = watch.call(export_proof, proof, out, watch)
        except Refuted as error:
            fail(f"{proof}: REFUTED: {error}")
            raise typer.Exit(NO) from None
    print(f"{out.with_suffix('.smt2')}, {out.with_suffix('.alethe')}: {count} empty parts")
    raise typer.Exit(DONE)
