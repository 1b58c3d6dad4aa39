"""`lpnet verify`."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from lpnet.checker import BadProof, Refuted, Report, check
from lpnet.checker.bends_file import check_bends
from lpnet.cli.app import BAD_INPUT, DONE, INCOMPLETE, INTERRUPTED, NO, RESERVED, app
from lpnet.cli.check import scores_of
from lpnet.cli.options import (
    AsJson,
    DataOption,
    DomainOption,
    Group,
    Outputs,
    Threshold,
    TimeLimit,
    about,
    choice,
    polyhedron,
    read_decision,
)
from lpnet.cli.words import closing
from lpnet.console import fail, printable, watched
from lpnet.errors import InputError, LpnetError, Stopped
from lpnet.io import load
from lpnet.io.vnnlib import load_property
from lpnet.networks import StepNetwork
from lpnet.networks.claim import Claim
from lpnet.networks.classifier import Classifier
from lpnet.proofs import claim_of, shows_equality
from lpnet.properties import Question

ProofFile = Annotated[
    Path, typer.Argument(metavar="PROOF", readable=False, help="A proof file of lpnet minimal, equal or compress --proof.")
]
Network = Annotated[Path | None, typer.Option(metavar="FILE", help="The network that it has to be about.")]
Against = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Another network: the proof has to be that of lpnet equal for the two.")
]

PropertyOption = Annotated[
    Path | None,
    typer.Option("--property", metavar="FILE", help="VNN-LIB: the proof has to be that of lpnet check for it."),
]


MEANING = {
    DONE: "Every step was gone over in exact arithmetic, without the code that found the answer.",
    NO: "Do not rely on it: the file does not prove what it claims, or not about this.",
    INCOMPLETE: "What is proved holds; what is not proved may or may not.",
    RESERVED: "What is proved holds, with the reservation named.",
}
OTHERS = "about another", "one network alone", "to be named"  # reasons why a proof is about something else


@app.command()
def verify(
    proof: ProofFile,
    network: Network = None,
    against: Against = None,
    asserted: PropertyOption = None,
    domain: DomainOption = None,
    outputs: Outputs = None,
    group: Group = None,
    threshold: Threshold = None,
    time_limit: TimeLimit = None,
    as_json: AsJson = False,
    data: DataOption = None,
) -> None:
    """Check a proof, exactly: of minimal, equal, check, compress.

    None of the code that found the answer is used. Prints what was proved and what was not. Exit codes: 0 proved: these
    half-spaces are needed and no other, on all of R^d or on the domain that --domain names; 1 refuted; 2 not a proof file;
    3 proved in part: these are needed, but perhaps others too; or stopped; 4 proved on a domain that --domain does not
    name, or that two networks are equal off ties.

    A file that asks for more work than one of its size should counts as no proof file, unless --time-limit says how long it may
    take.
    """
    answer: dict[str, Any] = {"file": str(proof)}
    of_classes = False
    try:
        with watched(proof.name, None, time_limit, "rows checked") as watch:
            if about_bends(proof):
                report = watch.call(of_bends, proof, network, domain, choice(outputs, group))
            elif asserted:
                report = watch.call(of_property, proof, network, asserted, (watch.check, time_limit is None))
            else:
                asked, claim = choice(outputs, group, threshold), None
                given = None
                if network:
                    given = load(network, choice(outputs)) if against else read_decision(network, asked)
                if (domain or data) and not given:
                    raise InputError("--domain, --data: wanted --network too, to know the number of inputs")
                place = None
                if given:
                    given, place, _ = about(given, domain, data)
                if against:
                    claim, of_classes = both(given, against, outputs), isinstance(given, Classifier)
                    given = claim.network
                report = watch.call(check, proof, given, place, watch.check, time_limit is None, claim)
        if (against or asserted) and report.complete and not shows_equality(report):
            raise Refuted("the score that it is about is less than 0 somewhere")
        code, verdict = judged(report, bool(domain or data or asserted))
        answer |= {"verdict": verdict, **contents(report)}
        lines = [report.question]
        if asserted and report.complete:
            lines.append("  proved: at no input allowed are the outputs as the property asserts")
        if against and report.complete and report.evidence != "tree":
            lines.append(f"  proved: both networks have the same {'class' if of_classes else 'answer'}, as follows")
        lines += [*(f"  proved: {words}" for words in report.proved)]
        lines += [f"  NOT proved: {words}" for words in report.unproved]
        if report.complete and report.inequalities and not (domain or data or asserted):
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
        closing(MEANING[code])
    raise typer.Exit(code)


def about_bends(proof: Path) -> bool:
    """Whether a file is one of `lpnet compress --proof`: no zip archive, but JSON."""
    try:
        with proof.open("rb") as file:
            return file.read(1) == b"{"
    except OSError:
        return False


def of_bends(proof: Path, network: Path | None, domain: str | None, asked: Any) -> Report:
    """The report on such a file."""
    from lpnet.compression.both_signs import behind_front
    from lpnet.compression.evidence import layers_of

    if not network:
        return check_bends(proof)
    given = load(network, asked)
    if isinstance(given, StepNetwork):
        raise InputError("--network: wanted ReLUs or threshold units alone, got a network of both")
    _, question = behind_front(given, polyhedron(domain, given.inputs))
    return check_bends(proof, layers_of(*question))


def both(given: Any, against: Path, outputs: str | None) -> Claim:
    """What a proof that two networks are equal is about."""
    if not given:
        raise InputError("--against: wanted --network too")
    other = load(against, choice(outputs) if outputs else None)
    return claim_of(given, other)


def of_property(proof: Path, network: Path | None, asserted: Path, how: tuple[Any, bool]) -> Report:
    """The report on a proof that there is no input as a property asserts, for whichever of its ε it may be."""
    if not network:
        raise InputError("--property: wanted --network too")
    wanted = load_property(asserted)
    question = Question(scores_of(network, wanted), wanted)
    claim, around = question.claim()
    attempts: list[tuple[Any, ...]] = [(question.network(room), question.domain, *how) for room in question.rooms]
    attempts.append((claim.network, around, *how, claim))
    reasons = []
    for attempt in attempts:
        try:
            return check(proof, *attempt)
        except Refuted as error:
            reasons.append(error)
    told = [error for error in reasons if not any(words in str(error) for words in OTHERS)]
    raise told[0] if told else reasons[0]


def judged(report: Report, named: bool) -> tuple[int, str]:
    """The exit code and the verdict; named: whether the caller named the domain."""
    if not report.complete:
        return INCOMPLETE, "proved in part"
    if report.unproved:
        return RESERVED, "proved off ties"
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
