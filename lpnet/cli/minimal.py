"""`lpnet minimal`."""

import json
import os
import time
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import typer

from lpnet.boundary.engines import count_pieces
from lpnet.boundary.pieces import Pieces
from lpnet.boundary.vertices.cluster import on_cluster
from lpnet.circuits.classes import TooLarge
from lpnet.cli.app import BAD_INPUT, DONE, INCOMPLETE, INTERRUPTED, app, failing_in_one_sentence
from lpnet.cli.classes import counted_classes, known_classes, print_borders, sizes_of_classes, summary_of_classes
from lpnet.cli.options import (
    AsJson,
    Circuit,
    Count,
    DataOption,
    Digits,
    DomainOption,
    EngineOption,
    Files,
    Group,
    Keep,
    MaxUnits,
    Names,
    Out,
    Outputs,
    ProofOut,
    Scheduler,
    Threshold,
    TimeLimit,
    about,
    check_network_output,
    check_output,
    choice,
    read_network,
    renamed,
)
from lpnet.cli.steps import check_options, known_steps, print_exceptions, summary_of_steps, ties
from lpnet.cli.trees import check_trees, counted_trees, known_trees, sizes_of_trees, summary_of_trees
from lpnet.cli.words import closing, plural, print_rows, verbose
from lpnet.console import described, fail, print_table, time_is_over, watched
from lpnet.equivalents import MinimalEquivalent, minimal_equivalent
from lpnet.equivalents.class_circuits import ClassCircuits, class_circuits
from lpnet.equivalents.classes import MinimalClasses, minimal_classes
from lpnet.equivalents.minimal import all_differ
from lpnet.equivalents.steps import MinimalSteps, minimal_steps
from lpnet.equivalents.threshold import ThresholdEquivalent
from lpnet.equivalents.tree_circuits import TreeCircuit, tree_circuit
from lpnet.equivalents.trees import MinimalTrees, minimal_trees
from lpnet.errors import InputError, Interrupted, LpnetError, Stopped
from lpnet.io import save
from lpnet.io.writing import PAGES
from lpnet.networks import Polyhedron, ReLUNetwork, StepNetwork
from lpnet.networks.classifier import Classifier
from lpnet.networks.question import question
from lpnet.networks.trees import TreeEnsemble
from lpnet.rules.rules import inequality
from lpnet.rules.seen import Seen
from lpnet.watch import Watch


@app.command()
def minimal(
    files: Files,
    domain: DomainOption = None,
    engine: EngineOption = "auto",
    outputs: Outputs = None,
    group: Group = None,
    threshold: Threshold = None,
    as_json: AsJson = False,
    count: Count = False,
    max_units: MaxUnits = None,
    time_limit: TimeLimit = None,
    out: Out = None,
    proof: ProofOut = None,
    circuit: Circuit = False,
    names: Names = None,
    scheduler: Scheduler = None,
    data: DataOption = None,
    digits: Digits = None,
    keep: Keep = None,
) -> None:
    """Find the smallest first layer of a threshold equivalent.

    Its threshold units are needed in every layered threshold network with the decisions of the ReLU network, and together
    they are enough. Of a network with three outputs or more the decision is the class of the largest, unless options say
    otherwise.
    """
    with failing_in_one_sentence():
        check_combination(files, out, proof, circuit, count, scheduler)
        check_rules(out, data, digits, keep)
        asked = choice(outputs, group, threshold)
    codes, rows, written = {DONE}, [], []
    watch = Watch(seconds=time_limit)
    for number, file in enumerate(files):
        if time_is_over(watch, files, number):
            codes.add(INCOMPLETE)
            break
        try:
            if out:
                check_network_output(out, file)
            if proof:
                check_output("--proof", proof, file)
            network, place, examples = about(renamed(read_network(file, asked), names), domain, data)
            if isinstance(network, StepNetwork):
                check_options(engine, proof, scheduler)
            if isinstance(network, TreeEnsemble):
                check_trees(engine, proof, scheduler)
            with watched(file.name, max_units, time_limit, "pieces found", after=watch) as watch:
                answer, row = search(network, place, engine, count, scheduler, watch, proof is not None)
            if watch.interrupted and not row["units"] and not row.get("pieces"):
                raise Interrupted("interrupted")
            built, stopped = None, None
            if examples and answer and not isinstance(answer, MinimalTrees):
                answer = replace(answer, examples=examples)
                row |= seen_in_numbers(answer.seen)
            if out or circuit:
                short = SIZES[:4] if isinstance(network, TreeEnsemble) or not circuit else SIZES
                row |= dict.fromkeys(SIZES[:3] if isinstance(network, Classifier) else short)
            if answer and row["complete"] and (out or circuit):
                try:
                    with watched(f"{file.name}, circuit", None, time_limit, after=watch) as watch:
                        built, wide = watch.call(build, answer, circuit, watch)
                        row |= wide
                except (Stopped, TooLarge) as error:
                    stopped = Stopped(f"{out or file}: not {'written' if out else 'complete'}, {error}")
            if isinstance(answer, MinimalSteps) and row["complete"]:
                with watched(f"{file.name}, ties", None, time_limit, "faces", after=watch) as watch:
                    row |= ties(answer, watch, bool(out or circuit))
            rows.append({"file": str(file), **row})
            if as_json:
                print(json.dumps(rows[-1]), flush=True)
            if proof and answer and not isinstance(answer, MinimalSteps):
                with watched(f"{file.name}, proof", None, time_limit, after=watch) as proving:
                    written.append(write_evidence(answer, proof, proving))
            if not row["complete"]:
                hint = "" if count or "trees" in row else "; how many is counted by --count, estimated by lpnet estimate"
                if missing := [str(target) for target in (out, None if answer else proof) if target]:
                    hint += f"; not written: {', '.join(missing)}"
                known = (
                    f"the {found(row)} found are needed, but there may be more" if found(row)[0] != "0" else "none was found"
                )
                raise Stopped(f"{file}: incomplete, {watch.stopped}: {known}{hint}")
            if stopped:
                raise stopped
            if out and built:
                share = None if keep is None else keep / 100
                save(built.network, out, digits=digits, data=examples if suffix_has_rules(out) else None, keep=share)
                written.append(f"{out}: {described(built.network)}{f'; {built.why}' if built.why else ''}")
        except Interrupted:
            codes.add(INTERRUPTED)
            break
        except Stopped as error:
            codes.add(INCOMPLETE)
            fail(str(error))
            if watch.interrupted:
                break
        except LpnetError as error:
            codes.add(BAD_INPUT)
            fail(str(error))
    if rows and not as_json:
        print_rows([printed(row) for row in rows], DETAILS)
        for row in rows:
            print_borders(row)
            print_exceptions(row)
        if len(files) == 1 and examples and answer and not isinstance(answer, MinimalTrees):
            print_halfspaces(answer)
        if written:
            print("", *written, sep="\n")
        closing(*meaning(rows, out, domain, data))
    if len(codes) > 1:
        raise typer.Exit(next(code for code in (BAD_INPUT, INCOMPLETE, INTERRUPTED) if code in codes))


def check_combination(
    files: list[Path], out: Path | None, proof: Path | None, circuit: bool, count: bool, scheduler: str | None
) -> None:
    """InputError for options that do not go together."""
    for option, target in (("-o", out), ("--proof", proof)):
        if target and (len(files) > 1 or count):
            raise InputError(f"{option}: wanted one input file to write {target} for, without --count; run them one by one")
    if out and proof and os.path.realpath(out) == os.path.realpath(proof):
        raise InputError(f"-o, --proof: wanted two files, got {out} for both")
    if circuit and count:
        raise InputError("--circuit: wanted without --count, which keeps no half-space to build a network on")
    if scheduler and not count:
        raise InputError("--scheduler: wanted --count beside it; half-spaces themselves are listed on one machine")


def check_rules(out: Path | None, data: Path | None, digits: int | None, keep: float | None) -> None:
    """InputError for options of rules without a file for rules, or without data that they want."""
    for option, value in (("--digits", digits), ("--keep", keep)):
        if value is not None and not (out and suffix_has_rules(out)):
            raise InputError(f"{option}: wanted -o with a .txt, .md or .html file, to write rules in")
    if keep is not None and data is None:
        raise InputError("--keep: wanted --data, too, on whose rows decisions are counted")


def suffix_has_rules(out: Path) -> bool:
    """Whether a file of this name says what a network does in words."""
    return out.suffix.lower() in PAGES


MOST_HALFSPACES = 10  # shown beside the data
DETAILS = ("positive", "negative", "programs", "reason")
UNDER = ("pairs", "units_of_class", "never", "points", "parts")  # the row, of several outputs
EFFORT = ("nodes", "pruned", "visited", "barren", "exact_share")


def printed(row: dict[str, Any]) -> dict[str, Any]:
    """A row as it is shown: two layers have no second one of terms, and no bound on them.

    Of the pieces it is said how many there are where each unit does not have just one, and of several hidden layers.
    """
    known = {name: f"at least {row[name]}" for name in ("units", "pieces") if not row["complete"] and row.get(name) is not None}
    counts = {name: len(row[name]) for name in ("never_active", "always_active") if name in row}
    row = row | counts | {"accuracy": f"{row['accuracy']:.1%}" if row.get("accuracy") is not None else None} if counts else row
    if "steps" in row:
        slits = {} if row.get("slits") else {"slits": None}
        return row | known | slits | dict.fromkeys(("exception", "decided", "rows_that_hold"))
    hidden = ["layers"] if row.get("layers") == 1 else []
    hidden += (*UNDER, "circuit") if "pairs" in row else ()
    hidden += ["pieces"] if row.get("pieces") == row["units"] and not verbose() else []
    hidden += () if row.get("constant") is not None else ["constant"]
    hidden += ["decided", "rows_that_hold"]
    hidden += SIZES[2:4] if row.get("circuit") in ("constant", "two layers") else ()
    return row | known | dict.fromkeys([*hidden, *EFFORT])


def meaning(rows: list[dict[str, Any]], out: Path | None, domain: str | None, data: Path | None) -> Iterator[str]:
    """What the answer means, and what next."""
    row, where = (
        rows[-1],
        "" if not (domain or data) else " on the box of the data" if data and not domain else " on the domain",
    )
    if len(rows) == 1 and row["complete"] and row.get("constant") is not None:
        yield (
            f"It answers {row['constant']:+d} everywhere{where}."
            if isinstance(row["constant"], int)
            else (f"Its answer{where} is always {row['constant']}.")
        )
    elif len(rows) == 1 and row["complete"] and row["units"] is not None:
        yield (
            f"{plural(row['units'], 'half-space is', 'half-spaces are')} needed{where}, and no other: every layered\n"
            "network of threshold units with the same decisions has them in its first layer."
        )
    if not data and not domain and "splits" not in row:
        yield "Where do your inputs lie? --data X.csv asks on the box of your data,\nwhere often far fewer are needed."
    elif not out and row["units"]:
        keep = " --keep 99" if data else ""
        yield f"-o rules.md{keep} writes them as rules, -o f.py or -o f.c as a function that decides alike."


def seen_in_numbers(found: Seen) -> dict[str, Any]:
    """What the rows of the data say, as --json prints it."""
    return {
        "rows": found.rows,
        "accuracy": found.accuracy,
        "decided": found.decided,
        "separating": found.separating,
        "rows_that_hold": found.rows_that_hold,
        "never_active": found.never_active,
        "always_active": found.always_active,
    }


def print_halfspaces(answer: MinimalEquivalent | MinimalClasses | MinimalSteps) -> None:
    """The half-spaces that divide the data most evenly."""
    found, (weight, bias) = answer.seen, answer.hidden_layer.floats
    names, counts = answer.network.input_names, found.rows_that_hold or ()
    table = [
        {
            "half-space": f"h{k + 1}",
            "rows that hold": counts[k],
            "do not": found.rows - counts[k],
            "holds where": inequality(weight[k], bias[k], names, 3)[-1],
        }
        for k in found.largest(MOST_HALFSPACES)
    ]
    if table:
        print()
        print_table(table)


def search(
    network: ReLUNetwork | Classifier | StepNetwork | TreeEnsemble,
    domain: Polyhedron | None,
    engine: str,
    count: bool,
    scheduler: str | None,
    watch: Watch,
    recorded: bool,
) -> tuple[MinimalEquivalent | MinimalClasses | MinimalSteps | MinimalTrees | None, dict[str, Any]]:
    """The answer, where it is more than a number and came in time, and its row."""
    try:
        if isinstance(network, TreeEnsemble):
            trees = watch.call(minimal_trees, network, domain, watch)
            return (None, counted_trees(trees)) if count else (trees, summary_of_trees(trees))
        if isinstance(network, StepNetwork):
            steps = watch.call(minimal_steps, network, domain, watch)
            return None if count else steps, summary_of_steps(steps)
        if isinstance(network, Classifier):
            if count:
                return None, watch.call(counted_classes, network, domain, engine, watch)
            classes = watch.call(minimal_classes, network, domain, engine, watch)
            return classes, summary_of_classes(classes, watch)
        if count:
            return None, watch.call(counted, network, domain, engine, watch, scheduler)
        answer = watch.call(minimal_equivalent, network, domain, engine, watch, recorded)
        return answer, summary(answer)
    except Stopped:
        if not watch.stopped:  # the workers failed
            raise
        row = {**known(network), "units": None, "pieces": watch.found, "seconds": watch.spent, "complete": False}
        return None, row if count else row | dict.fromkeys(("constant", "programs", "engine", "reason", *EFFORT))


def build(
    answer: MinimalEquivalent | MinimalClasses | MinimalSteps | MinimalTrees, circuit: bool, watch: Watch
) -> tuple[ThresholdEquivalent | ClassCircuits | TreeCircuit, dict[str, Any]]:
    """The threshold network, and its sizes."""
    if isinstance(answer, MinimalTrees):
        of_trees = tree_circuit(answer, watch)
        return of_trees, sizes_of_trees(of_trees)
    if isinstance(answer, MinimalClasses):
        classes = class_circuits(answer, watch)
        return classes, sizes_of_classes(classes)
    built = answer.build_equivalent(watch)
    return built, sizes(built, answer if circuit and isinstance(answer, MinimalEquivalent) else None)


SIZES = ("circuit", "first_layer", "second_layer", "at_least", "reduced_first", "reduced_second", "theorem1_second")


def sizes(built: ThresholdEquivalent, answer: MinimalEquivalent | None) -> dict[str, Any]:
    """The sizes of a threshold network; with the answer that it was built for, those of Theorem 1's, reduced and in full, too.

    Theorem 1's first layer in full is "candidates".
    """
    row = dict(zip(SIZES, (built.kind, built.first_layer, built.second_layer, built.at_least), strict=False))
    if answer:
        reduced = built.reduced or answer.reduced
        full = None if answer.network.deeper else 1 << len(answer.network.positive)
        row |= dict(zip(SIZES[4:], (len(reduced.halfspaces), len(reduced.terms), full), strict=True))
    return row


def known(network: ReLUNetwork | Classifier | StepNetwork | TreeEnsemble) -> dict[str, Any]:
    """The part of a row that is known beforehand; n1 and n2 are those of one hidden layer."""
    if isinstance(network, TreeEnsemble):
        return known_trees(network)
    if isinstance(network, StepNetwork):
        return known_steps(network)
    if isinstance(network, Classifier):
        return known_classes(network)
    positive, negative = len(network.positive), len(network.negative)
    row = {"inputs": network.inputs, "relus": network.relus, "layers": len(network.widths)}
    if network.deeper:
        return row | dict.fromkeys(("positive", "negative", "candidates"))
    return row | {"positive": positive, "negative": negative, "candidates": 1 << positive + negative}


def summary(answer: MinimalEquivalent) -> dict[str, Any]:
    """The answer in numbers, as --json prints it."""
    return {
        **known(answer.network),
        "units": answer.units,
        "pieces": len(answer.pieces.patterns),
        "constant": answer.constant,
        "programs": answer.pieces.programs,
        "seconds": round(answer.seconds, 6),
        "complete": answer.complete,
        "engine": answer.engine,
        "reason": answer.reason,
        **effort(answer.pieces),
    }


def effort(pieces: Pieces) -> dict[str, Any]:
    """What the tree of several levels looked at: cells, those without a piece, nodes dropped, the share of exact questions."""
    made = pieces.effort
    if not made:
        return dict.fromkeys(EFFORT)
    share = round(made.exact / max(1, pieces.programs), 6)
    return dict(zip(EFFORT, (made.nodes, made.pruned, made.cells, made.barren, share), strict=True))


def found(row: dict[str, Any]) -> str:
    """How many there are of what a row counts."""
    return f"{row['units']} half-spaces" if row["units"] is not None else f"{row['pieces']} pieces"


def write_evidence(answer: MinimalEquivalent | MinimalClasses | MinimalTrees, proof: Path, watch: Watch) -> str:
    """Write the proof, and say in a few words what is in it."""
    from lpnet.proofs import write_proof  # which loads numba

    try:
        kind = watch.call(write_proof, answer, proof, watch)
    except Stopped as error:
        raise Stopped(f"{proof}: not written, {error}") from None
    except OSError as error:
        raise InputError(f"{proof}: cannot be written: {error.strerror or error}") from None
    what = f'"no other" by {kind}' if kind else "nothing on others"
    return f"{proof}: proof that {answer.units} half-spaces are needed, {what}; lpnet verify checks it"


def counted(
    network: ReLUNetwork, domain: Polyhedron | None, engine: str, watch: Watch, scheduler: str | None = None
) -> dict[str, Any]:
    """The number of boundary pieces as --count prints it: for one-signed networks of one layer, the number of units."""
    started = time.perf_counter()
    asked = question(network, domain)
    form = asked.form
    with on_cluster(scheduler) if scheduler else nullcontext() as spread:
        number, name, complete = count_pieces(form, asked.domain, watch, engine, spread)
    return {
        **known(network),
        "units": number if all_differ(form) else None,
        "pieces": number,
        "seconds": round(time.perf_counter() - started, 6),
        "complete": complete,
        "engine": name,
    }
