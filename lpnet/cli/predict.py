"""`lpnet predict`."""

import json
from pathlib import Path
from typing import Annotated

import typer

from lpnet.cli.app import app, failing_in_one_sentence
from lpnet.cli.completion import files
from lpnet.cli.options import AsJson, File, Group, Outputs, Threshold, choice
from lpnet.console import printable
from lpnet.io import load_examples, read_and_warn, replacing
from lpnet.io.examples import SUFFIXES
from lpnet.rules.logic import words_at
from lpnet.rules.seen import accuracy

TABLE = "A table of inputs: .csv, .npz, .npy, .parquet."
DataFile = Annotated[Path, typer.Argument(metavar="DATA", readable=False, autocompletion=files(SUFFIXES), help=TABLE)]
Out = Annotated[Path | None, typer.Option("-o", "--out", metavar="OUT.csv", help="Write them here, under the name “answer”.")]


@app.command()
def predict(
    file: File,
    data: DataFile,
    out: Out = None,
    outputs: Outputs = None,
    group: Group = None,
    threshold: Threshold = None,
    as_json: AsJson = False,
) -> None:
    """Answer for each row of a table, exactly.

    Of a network of any kind, one answer a line: the name of the class, or −1 and +1. Where the table has classes, the share of
    right answers is said on stderr, too.
    """
    with failing_in_one_sentence():
        network = read_and_warn(file, choice(outputs, group, threshold)).network
        rows = load_examples(data, network)
        answers = words_at(network, rows.points)
        right = accuracy(network, answers, rows)
        if out:
            with replacing(out) as stream:
                stream.write("\n".join(["answer", *answers, ""]).encode())
    if as_json:
        print(json.dumps({"file": str(file), "answers": answers.tolist(), "accuracy": right}))
    elif not out:
        print(*map(printable, answers), sep="\n")
    if right is not None:
        typer.echo(f"lpnet: {right:.1%} of {rows.rows:,} rows are answered as the table says", err=True)
