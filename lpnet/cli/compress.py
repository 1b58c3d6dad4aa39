"""`lpnet compress`."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lpnet.cli import completion
from lpnet.cli.app import BAD_INPUT, DONE, INCOMPLETE, app, failing_in_one_sentence
from lpnet.cli.options import (
    AsJson,
    DomainOption,
    Files,
    Group,
    Outputs,
    ReLUOut,
    TimeLimit,
    check_network_output,
    check_output,
    choice,
    polyhedron,
)
from lpnet.cli.words import closing, plural, print_rows
from lpnet.console import described, fail, time_is_over, watched
from lpnet.errors import InputError, LpnetError, Stopped
from lpnet.io import load, load_examples, save
from lpnet.networks import ReLUNetwork
from lpnet.networks.classifier import Classifier
from lpnet.networks.trees import TreeEnsemble
from lpnet.watch import Watch

if TYPE_CHECKING:
    from lpnet.compression.both_signs import FewestReLUs
    from lpnet.compression.on_data import OnData
    from lpnet.compression.outcome import Compression

    Answer = Compression | FewestReLUs | OnData

Relus = Annotated[int | None, typer.Option("--relus", min=0, metavar="N", help="At most so many ReLUs.")]
Data = Annotated[
    Path | None,
    typer.Option(
        metavar="DATA", help="Decide alike at the rows of this table alone (.csv, .npz, .parquet); of any weights, in floats."
    ),
]
Margin = Annotated[
    float | None,
    typer.Option(
        metavar="SHARE", help="With --data: f at every example, as a share of the most that any unit adds to f; default 0.001."
    ),
]
ProofOut = Annotated[Path | None, typer.Option("--proof", metavar="OUT", help="Write what is proved, for lpnet verify.")]
Signs = Annotated[
    str,
    typer.Option(
        metavar="SIGNS",
        autocompletion=completion.values("auto", "one", "both"),
        help="Of the output weights: one, both, or auto: one if that is possible, else both.",
    ),
]


@app.command()
def compress(
    files: Files,
    domain: DomainOption = None,
    outputs: Outputs = None,
    relus: Relus = None,
    signs: Signs = "auto",
    data: Data = None,
    as_json: AsJson = False,
    time_limit: TimeLimit = None,
    out: ReLUOut = None,
    margin: Margin = None,
    proof: ProofOut = None,
    group: Group = None,
) -> None:
    """Find few ReLUs with the decisions of a network of any kind.

    Of a ReLU network, a sign network or a circuit, with one output or several: one hidden layer that decides alike everywhere,
    or on the domain, with a lower bound on its ReLUs; or a proof that there is none of some kind. With --data: that decides
    alike at these examples.
    Exit code 3: stopped, or nothing to write to OUT.
    """
    if (out or proof) and len(files) > 1:
        fail(f"{'-o' if out else '--proof'}: wanted one input file to write {out or proof} for; run them one by one")
        raise typer.Exit(BAD_INPUT)
    with failing_in_one_sentence():
        asked = choice(outputs, group)
    codes, rows, sentences = {DONE}, [], []
    watch = Watch(seconds=time_limit)
    for number, file in enumerate(files):
        if time_is_over(watch, files, number):
            codes.add(INCOMPLETE)
            break
        try:
            if out:
                check_network_output(out, file, relu=True)
            if proof:
                check_output("--proof", proof, file)
            network = load(file, asked)
            if proof and isinstance(network, TreeEnsemble):
                raise InputError("--proof: wanted a network; of trees write the circuit by lpnet minimal -o, and compress that")
            with watched(file.name, None, time_limit, "steps", after=watch) as watch:
                answer = watch.call(compressed, network, domain, relus, signs, (data, margin), watch)
            rows.append({"file": str(file), **summary(answer)})
            if as_json:
                print(json.dumps(rows[-1]), flush=True)
            sentences.append(f"{file}: {answer.verdict}, {answer.reason}")
            if proof:
                sentences.append(proved(answer, proof))
            if not answer.complete:
                codes.add(INCOMPLETE)
                fail(f"{file}: incomplete, {watch.stopped}")
            if out and answer.verdict in ("exact", "nearest") and answer.relu_network:
                save(named_alike(answer.relu_network, answer.network), out)
                sentences.append(f"{out}: {described(answer.relu_network)}")
            elif out:
                codes.add(INCOMPLETE)
                fail(f"{out}: not written, {answer.verdict}")
        except Stopped as error:
            codes.add(INCOMPLETE)
            fail(f"{file}: undecided, {error}")
        except LpnetError as error:
            codes.add(BAD_INPUT)
            fail(str(error))
            continue
        if watch.interrupted:
            break
    if rows and not as_json:
        print_rows([{name: value for name, value in row.items() if name not in ("ties", "reason")} for row in rows])
        print("", *sentences, sep="\n")
        closing(*meaning(rows, out))
    if len(codes) > 1:
        raise typer.Exit(BAD_INPUT if BAD_INPUT in codes else INCOMPLETE)


def named_alike(found: Any, network: Any) -> Any:
    """The network found, with the names of the one that was asked about."""
    return found.named_like(network) if network is not None else found


def meaning(rows: list[dict[str, Any]], out: Path | None) -> Iterator[str]:
    """What a single answer means, and what next."""
    row = rows[-1]
    if len(rows) > 1 or row["relus"] is None:
        return
    where = "at the rows of the data" if "examples" in row else "everywhere it was asked about"
    if row["verdict"] == "exact":
        least = row["lower_bound"]
        few = " No fewer do." if least == row["relus"] and "examples" not in row else ""
        few = few or (f" At least {least} are needed." if least and least < row["relus"] else "")
        yield f"{plural(row['relus'], 'ReLU')} in one hidden layer decide alike {where}.{few}"
        yield (
            ""
            if out
            else "-o few.onnx writes them; --data X.csv asks for the same decisions on your data alone."
            * ("examples" not in row)
            or "-o few.onnx writes them."
        )


def proved(answer: "Answer", proof: Path) -> str:
    """Write the evidence; what was written, in words."""
    from lpnet.compression.both_signs import FewestReLUs
    from lpnet.compression.evidence import write_evidence

    if not isinstance(answer, FewestReLUs):
        raise InputError("--proof: wanted an answer about weights of both signs; add --signs both, and leave --data out")
    write_evidence(answer, proof)
    more = ", and that certain bends do not do" if answer.certificate else ""
    return f"{proof}: that {answer.least_bends} bends are needed{more}"


def compressed(
    network: Any,
    domain: str | None,
    relus: int | None,
    signs: str,
    at: tuple[Path | None, float | None],
    watch: Watch,
) -> "Answer":
    """The answer for one network."""
    from lpnet.compression.compress import few_relus  # scipy takes its time to load, and only this command needs it
    from lpnet.compression.on_data import MARGIN, fewest_on_data

    data, margin = at
    if margin is not None and data is None:
        raise InputError("--margin: wanted --data, too")
    if data is not None:
        if (domain, relus, signs) != (None, None, "auto"):
            raise InputError("--data: asks about the examples alone; leave --domain, --relus and --signs out")
        examples = load_examples(data, network)
        return fewest_on_data(network, examples.points, MARGIN if margin is None else margin, watch)
    return few_relus(network, relus, watch=watch, domain=polyhedron(domain, network.inputs), signs=signs)


def summary(answer: "Answer") -> dict[str, Any]:
    """The answer in numbers, as --json prints it."""
    from lpnet.compression.on_data import OnData
    from lpnet.compression.outcome import Compression

    if isinstance(answer, OnData):
        return {
            "inputs": answer.network.inputs,
            "units_before": size_of(answer.network),
            "examples": answer.points,
            "relus": answer.relus,
            "verdict": answer.verdict,
            "lower_bound": answer.at_least,
            "margin": answer.margin,
            "seconds": round(answer.seconds, 6),
            "complete": answer.complete,
            "ties": [],
            "reason": answer.reason,
        }
    if isinstance(answer, Compression):
        found: dict[str, Any] = {
            "sign_units": answer.network.units if answer.network else len(answer.action.units),
            "needed_units": answer.needed_units,
            "relus": answer.relus,
            "verdict": answer.verdict,
            "error": answer.deviation,
            "lower_bound": answer.bound.relus if answer.bound else None,
        }
    else:
        seen, network = answer.surface, answer.network
        body = network.scores[0] if isinstance(network, Classifier) else network
        found = {
            "relus_before" if isinstance(body, ReLUNetwork) else "sign_units": size_of(answer.network),
            **({"classes": len(answer.network.names)} if isinstance(answer.network, Classifier) else {}),
            "pieces": len(seen.pieces) if seen else None,
            "ridges": len(seen.ridges) if seen else None,
            "relus": answer.relus,
            "verdict": answer.verdict,
            "lower_bound": answer.least if seen else None,
            "bends": answer.bends,
            "least_bends": answer.least_bends if seen else None,
        }
    ties = list(answer.ties) if isinstance(answer, Compression) else []
    ends = {"seconds": round(answer.seconds, 6), "complete": answer.complete, "ties": ties, "reason": answer.reason}
    return {"inputs": answer.inputs, **found, **ends}


def size_of(network: Any) -> int:
    """How many units its first layer has, or ReLUs all its layers."""
    body = network.scores[0] if isinstance(network, Classifier) else network
    return body.relus if isinstance(body, ReLUNetwork) else body.units
