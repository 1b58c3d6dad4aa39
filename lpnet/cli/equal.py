"""`lpnet equal`."""

import json
from collections.abc import Sequence
from decimal import Context, Decimal
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any

import typer

import lpnet
from lpnet.cli.app import DONE, INCOMPLETE, NO, RESERVED, app, failing_in_one_sentence
from lpnet.cli.options import (
    AsJson,
    DataOption,
    DomainOption,
    FileA,
    FileB,
    Group,
    Outputs,
    Threshold,
    TimeLimit,
    about,
    check_output,
    choice,
)
from lpnet.cli.words import closing, verbose
from lpnet.console import watched
from lpnet.equality import Comparison
from lpnet.equality.disagreement import Disagreement, disagreement
from lpnet.errors import InputError
from lpnet.exact import Form, Point, coordinates
from lpnet.io import load
from lpnet.io.kinds import Choice, SingleOutput
from lpnet.networks import ReLUNetwork
from lpnet.networks.classifier import Classifier
from lpnet.networks.examples import Examples
from lpnet.networks.trees import TreeEnsemble
from lpnet.proofs import write_equality

CODES = {"equal": DONE, "different": NO, "equal off ties": NO, "undecided": INCOMPLETE, "different by rounding": RESERVED}
EqualityProof = Annotated[
    Path | None,
    typer.Option("--proof", metavar="OUT", help="Write a proof that they are equal, for lpnet verify --against."),
]
Regions = Annotated[
    bool, typer.Option("--regions", help="Also list all regions where they differ, with their shares of a bounded domain.")
]
MOST_SHOWN = 20  # regions, in words; --json has all
MOST_DIGITS = 24  # --json has all
NEAR = Fraction(1, 10**12)


@app.command()
def equal(
    file_a: FileA,
    file_b: FileB,
    domain: DomainOption = None,
    outputs: Outputs = None,
    group: Group = None,
    threshold: Threshold = None,
    as_json: AsJson = False,
    time_limit: TimeLimit = None,
    proof: EqualityProof = None,
    regions: Regions = False,
    data: DataOption = None,
) -> None:
    """Decide whether two networks are the same function.

    They may be ReLU networks, sign networks, circuits or trees. Exit code 0: equal, proved; 1: different, or equal off ties,
    with a point where they differ; 3: undecided; 4: different, but only because numbers were rounded, for a file say.
    """
    with failing_in_one_sentence():
        network_a, network_b = loaded([file_a, file_b], choice(outputs, group, threshold))
        if any(isinstance(network, TreeEnsemble) for network in (network_a, network_b)) and (proof or regions):
            raise InputError("--proof, --regions: wanted networks; of trees there is the verdict alone")
        if proof:
            check_output("--proof", proof, file_a)
            check_output("--proof", proof, file_b)
        network_a, place, rows = about(network_a, domain, data)
        if data:
            network_b, _, _ = about(network_b, domain, data)
        with watched(f"{file_a.name}, {file_b.name}", None, time_limit) as watch:
            answer = watch.call(lpnet.equal, network_a, network_b, place, watch)
        if proof and answer.verdict in ("equal", "equal off ties"):
            with watched(f"{file_a.name}, {file_b.name}, proof", None, time_limit, after=watch) as watch:
                watch.call(write_equality, network_a, network_b, place, proof, watch, answer.verdict == "equal")
        where = None
        if regions:
            with watched(f"{file_a.name}, {file_b.name}, regions", None, time_limit, "regions", after=watch) as watch:
                where = watch.call(disagreement, network_a, network_b, place, watch)
    if as_json:
        listed: dict[str, Any] = {"regions": in_regions(where)} if where else {}
        listed |= {"rows": rows.rows, "rows_alike": alike(network_a, network_b, rows)} if rows else {}
        print(json.dumps({"file_a": str(file_a), "file_b": str(file_b), **summary(answer), **listed}))
    else:
        print(sentences(answer), *(listing(where) if where else []), sep="\n")
        if rows:
            print(f"  rows of data decided alike: {alike(network_a, network_b, rows):,} of {rows.rows:,}")
        closing(
            MEANING[answer.verdict]
            + (" on the box of the data" if rows and not domain else " on the domain" if domain else "")
            + "."
        )
    raise typer.Exit(INCOMPLETE if where and not where.complete else CODES[answer.verdict])


MEANING = {
    "equal": "One can take the place of the other: they answer alike at every input, ties included",
    "different": "They are not the same function: an input is named at which they answer otherwise",
    "equal off ties": "They answer alike but on ties, where a score is 0",
    "undecided": "Not known yet: more time may tell",
    "different by rounding": "They differ only by the rounding of numbers, as of a file that holds floats",
}


def alike(network_a: Any, network_b: Any, rows: Examples) -> int:
    """At how many rows they have the same answer."""
    return int((network_a(rows.points) == network_b(rows.points)).sum())


def loaded(files: Sequence[Path], outputs: Choice) -> list[Any]:
    """The networks in some files, by two of its outputs where one has several; InputError where none has."""
    networks, single = [], []
    for file in files:
        try:
            networks.append(load(file, outputs))
        except SingleOutput as error:
            single.append(error)
            networks.append(load(file, Choice("own")))
    if len(single) == len(files):
        raise single[0]
    return networks


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
    how = f"method: {answer.method}, {answer.programs} programs, " if verbose() else ""
    lines = [f"{answer.verdict}: {answer.detail} ({how}{answer.seconds:.3g} s)"]
    if answer.point:
        place = ", ".join(digits if len(digits) <= MOST_DIGITS else f"{digits[:MOST_DIGITS]}…" for digits in answer.digits)
        networks = ("the first", answer.network_a), ("the second", answer.network_b)
        if isinstance(answer.network_a, Classifier | TreeEnsemble) and len(answer.network_a.names) > 2:
            classes = (answer.network_a.names[answer.answer_a or 0], answer.network_b.names[answer.answer_b or 0])
            lines.append(f"  at ({place}) the classes are {' and '.join(classes)}")
            lines += [scores(name, network, answer.point) for name, network in networks if getattr(network, "relus", 0)]
        else:
            lines.append(f"  at ({place}) the answers are {answer.answer_a:+d} and {answer.answer_b:+d}")
        lines += [score(name, network, answer.point) for name, network in networks if isinstance(network, ReLUNetwork)]
        lines += [tree_sums(name, network, answer.point) for name, network in networks if isinstance(network, TreeEnsemble)]
    lines += [f"  the point lies on {equation(plane)}" for plane in answer.planes]
    return "\n".join(lines)


def in_regions(where: Disagreement) -> dict[str, Any]:
    """Regions as --json prints them; each is {h > 0 for all inequalities h}, d + 1 integers in hexadecimal."""
    regions = [
        {
            "point": [str(x) for x in coordinates(region.point)],
            "answers": region.answers,
            "share": None if region.share is None else float(region.share),
            "exact": None if region.share is None or region.error else str(region.share),
            "error": region.error,
            "inequalities": [[f"{entry:x}" for entry in h] for h in region.inequalities],
        }
        for region in where.regions
    ]
    share = None if where.share is None else float(where.share)
    return {"complete": where.complete, "share": share, "error": where.error, "listed": regions}


def listing(where: Disagreement) -> list[str]:
    """Regions in words."""
    at_least = "" if where.complete else "at least "
    lines = [f"  they differ in {at_least}{len(where.regions)} convex regions{in_all(where.share, where.error, at_least)}"]
    for region in where.regions[:MOST_SHOWN]:
        place = ", ".join(f"{float(x):.6g}" if x.denominator > 1 else str(x) for x in coordinates(region.point))
        a, b = (f"{answer:+d}" if region.answers[0] * region.answers[1] < 0 else str(answer) for answer in region.answers)
        lines.append(f"    at about ({place}): {a} and {b}{in_all(region.share, region.error, '')}")
    rest = len(where.regions) - MOST_SHOWN
    return [*lines, f"    and {rest} more; --json has all, with their exact points"] if rest > 0 else lines


def in_all(share: Fraction | None, error: float, at_least: str) -> str:
    """A share of the domain in words."""
    if share is None:
        return ""
    doubt = f" ± {error:.1g} (one standard error, of points at random)" if error else ", exactly" if not at_least else ""
    return f", a share of {at_least}{float(share):.3g} of the domain{doubt}"


def scores(name: str, network: Classifier, at: Point) -> str:
    """The scores of the classes at a point."""
    form = network.exact_form
    unit = form.body.scale / at[-1]
    listed = (f"{network.names[c]} {short(z * unit)}" for c, z in zip(form.classes, form.scores_at(at), strict=True))
    return f"  {name} has the scores {', '.join(listed)}"


def tree_sums(name: str, network: TreeEnsemble, at: Point) -> str:
    """The scores of trees at a point."""
    listed = (f"{network.names[c]} {short(s)}" for c, s in zip(network.classes, network.scores_at(at), strict=True))
    return f"  {name} has the sums {', '.join(listed)}"


def score(name: str, network: ReLUNetwork, at: Point) -> str:
    """How near to its decision boundary a network is at a point."""
    form = network.exact_form
    total, unit = sum(form.terms_at(at)), form.scale / at[-1]
    largest = max(abs(weight * x) for plane in (form.affine, *form.units) for weight, x in zip(plane, at, strict=True))
    if not total:
        return f"  {name} has a score of 0 there: a tie"
    near = ", so near to 0 that rounding weights to float64 can be why they differ" * (abs(total) < NEAR * largest)
    return f"  {name} has a score of {short(total * unit)} there, added up from products of up to {short(largest * unit)}{near}"


def short(number: Fraction) -> str:
    """Three digits of a number, however large or small."""
    return f"{Context(prec=3).divide(Decimal(number.numerator), Decimal(number.denominator)):.3g}"


def equation(plane: Form) -> str:
    """A hyperplane, exactly."""
    terms = " ".join(f"{c:+d}·x{k}" for k, c in enumerate(plane[:-1], 1) if c)
    return f"{terms} {plane[-1]:+d} = 0" if plane[-1] else f"{terms} = 0"
