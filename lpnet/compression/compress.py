"""From a sign network to a ReLU network with output weights of one sign and the same decisions, or a proof that none exists."""

import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Literal

import numpy as np

from lpnet.boundary.redundancy import Operation, irredundant_forms
from lpnet.compression.both_signs import FewestReLUs, fewest_relus
from lpnet.compression.bounds import lower_bound
from lpnet.compression.construction import NEAR, and_network, as_network, comparable, deviation, scaled
from lpnet.compression.outcome import Compression
from lpnet.compression.output_layer import Action, output_action
from lpnet.compression.recognition.recognise import Survey, recognise
from lpnet.compression.recognition.refute import refute
from lpnet.compression.surface import Network
from lpnet.equivalents import minimal_equivalent
from lpnet.equivalents.steps import minimal_steps
from lpnet.equivalents.tree_circuits import threshold_network
from lpnet.errors import InputError, Stopped
from lpnet.exact import Form, times
from lpnet.networks import Polyhedron, ReLUNetwork, SignCircuit, SignNetwork, StepNetwork
from lpnet.networks.arrays import describe
from lpnet.networks.classifier import Classifier
from lpnet.networks.question import question
from lpnet.networks.trees import TreeEnsemble
from lpnet.programs import Certificate, SignProgram
from lpnet.watch import Watch

# Float64 weights carry relative errors of 2^-53; sums and differences of a network's weights lose some bits more.
ROUNDING = 2.0**-40
SEARCH_NOISE = 2.0**-40  # in the floats of the search, however exact the data
ONE_SIGNED = "networks with output weights of both signs are not excluded"
NOT_EXCLUDED = f"; {ONE_SIGNED}"
SIGNS = ("auto", "one", "both")


def few_relus(
    network: Network | StepNetwork | TreeEnsemble,
    relus: int | None = None,
    rounding: float = ROUNDING,
    watch: Watch | None = None,
    domain: Polyhedron | None = None,
    signs: str = "auto",
) -> Compression | FewestReLUs:
    """`compress`, or `fewest_relus` with weights of both signs where that has no answer or is not for this network.

    signs: "one" or "both" for just one of them; "auto". Raises InputError for other signs, and for "one" where
    `compress` is not for this network or there is a domain. A network with gates that jump is taken as its threshold circuit.
    """
    watch = watch or Watch()
    if isinstance(network, StepNetwork):
        network = minimal_steps(network, domain, watch.part(0.0, 0.2)).build_equivalent(watch.part(0.2, 0.4)).network
    if isinstance(network, TreeEnsemble):
        network = threshold_network(network, domain, watch)
    if not isinstance(network, ReLUNetwork | SignNetwork | SignCircuit | Classifier):
        raise InputError(f"network: wanted a ReLUNetwork, SignNetwork, SignCircuit or Classifier, got {describe(network)}")
    if signs not in SIGNS:
        raise InputError(f"signs: wanted one of {', '.join(SIGNS)}, got {signs!r}")
    check_options(relus, rounding)
    if signs == "one" and domain is not None:
        raise InputError("signs: networks with weights of one sign are found on all of R^d; leave the domain out")
    one = None
    if signs == "one" or (signs == "auto" and domain is None and isinstance(network, SignNetwork)):
        one = compress(network, relus, rounding, watch)  # type: ignore[arg-type]
        if signs == "one" or one.verdict in ("exact", "nearest") or not one.complete:
            return one
    both = fewest_relus(network, domain, relus, watch)
    if one is None or both.verdict in ("exact", "nearest"):
        return both
    told = f"with both signs {both.verdict}: {both.reason}"
    return replace(one, reason=f"{one.reason.removesuffix(NOT_EXCLUDED)}; {told}", complete=both.complete)


def compress(
    network: SignNetwork, relus: int | None = None, rounding: float = ROUNDING, watch: Watch | None = None
) -> Compression:
    """The fewest ReLUs found, with output weights of one sign, that decide like a sign network.

    ([PS16] Lemma 3, for units in any order, each up to a positive factor, with redundant ones added or missing.) The output
    layer has to act as OR or as AND, perhaps of units turned round. relus: the most ReLUs allowed. rounding: how far a unit
    may be moved, relative to its largest weight (inputs brought to comparable scales, behind the front of a network that has
    one), for the answer still to be "exact"; 0: not at all. watch: may stop the work, which then is "undecided" (or an AND,
    with a ReLU for each half-space).
    Raises InputError for another kind of network and for options out of range.
    """
    if not isinstance(network, SignNetwork):
        raise InputError(f"network: wanted a SignNetwork, got {describe(network)}")
    started, watch = time.perf_counter(), watch or Watch()
    check_options(relus, rounding)
    asked = question(network)
    try:
        action = output_action(asked.network, watch=watch.part(0.0, 0.1))
    except Stopped as reason:
        action = Action("unknown", (), (), str(reason))
        return Compression(
            network, relus, action, (), "undecided", f"{reason}: whether the output layer is an OR", complete=False
        )
    found = Compression(asked.network, relus, action, (), "undecided", f"the output layer is no OR and no AND: {action.reason}")
    found = settled(found, rounding, started, watch)
    back = found.relu_network and replace(found.relu_network, front=asked.onto)
    return replace(found, network=network, relu_network=back)


def compress_halfspaces(
    halfspaces: Sequence[Form],
    operation: Literal["or", "and"] = "or",
    relus: int | None = None,
    rounding: float = ROUNDING,
    watch: Watch | None = None,
) -> Compression:
    """`compress` for half-spaces {h ≥ 0} in integers of any size (see `lpnet.exact`), such as `MinimalEquivalent.halfspaces`.

    Half-spaces of a one-signed ReLU network have more digits than its weights. Rounded to float64 they are no network's, and
    the answer is one up to rounding; from the integers the very network can come back.
    """
    started = time.perf_counter()
    given = tuple(tuple(map(int, h)) for h in halfspaces)
    if not given or len({len(h) for h in given}) > 1 or len(given[0]) < 2:
        raise InputError(f"halfspaces: wanted one or more, each d + 1 integers, d ≥ 1, got {describe(halfspaces)}")
    if operation not in ("or", "and"):
        raise InputError(f'operation: wanted "or" or "and", got {operation!r}')
    check_options(relus, rounding)
    action = Action(operation, tuple(range(len(given))), given, "as asked")
    return settled(Compression(None, relus, action, (), "undecided", ""), rounding, started, watch or Watch())


def check_options(relus: int | None, rounding: float) -> None:
    """InputError for options out of range."""
    if relus is not None and relus < 0:
        raise InputError(f"relus: wanted at least 0, got {relus}")
    if not 0 <= rounding < NEAR:
        raise InputError(f"rounding: wanted at least 0 and less than {NEAR:g}, got {rounding}")


def settled(question: Compression, rounding: float, started: float, watch: Watch) -> Compression:
    """The question with its answer."""
    try:
        answer = answered(question, rounding, watch) if question.action.operation in ("or", "and") else question
    except Stopped as reason:
        answer = replace(question, reason=str(reason), complete=False)
    return replace(answer, seconds=time.perf_counter() - started)


def answered(question: Compression, rounding: float, watch: Watch) -> Compression:
    """The answer for OR and AND, exact about ties too."""
    action = question.action
    if action.turned and not question.union and action.empty():
        return constant(question, -1)
    answer = closed(question, rounding, watch)
    ties = action.ties() if answer.verdict == "exact" else ()
    if not ties:
        return answer
    where = ", ".join(map(str, ties[:3])) + (f" and {len(ties) - 3} more" if len(ties) > 3 else "")
    reason = (
        f"{answer.reason}; but on the hyperplane{'s' * (len(ties) > 1)} of unit {where}, where no ReLU network does as it does"
    )
    return replace(answer, verdict="nearest", ties=ties, reason=reason)


def constant(question: Compression, answer: int) -> Compression:
    """A network without ReLUs."""
    nothing = ReLUNetwork(np.zeros((0, question.inputs)), np.zeros(0), np.zeros(0), answer)
    return replace(question, verdict="exact", reason=f"constant {answer:+d}", relu_network=nothing, deviation=0.0)


def closed(question: Compression, rounding: float, watch: Watch) -> Compression:
    """The answer for the closed half-spaces."""
    union, inputs = question.union, question.inputs
    operation: Operation = "union" if union else "intersection"
    everywhere = Polyhedron.everywhere(inputs)
    kept = irredundant_forms(question.action.halfspaces, operation, everywhere, watch.part(0.1, 0.3), witnesses=False).kept
    halfspaces = tuple(times(1 if union else -1, question.action.halfspaces[k]) for k in kept)
    shifts = comparable(halfspaces) if halfspaces else ()
    rows = tuple(scaled(h, shifts) for h in halfspaces)  # in these coordinates the point inside is well in the middle
    inside = Polyhedron(inputs, tuple(times(-1, h) for h in rows)).interior
    same_everywhere = constant_answer(halfspaces, union, isinstance(inside, Certificate))
    if same_everywhere:
        return constant(question, same_everywhere)

    question = replace(question, halfspaces=halfspaces, bound=lower_bound(halfspaces, union, one_signed=True))
    best = question if union else replace(question, **and_network(halfspaces))
    try:
        if isinstance(inside, Certificate):
            survey = None
        else:
            survey = Survey(rows, inside, max(rounding, SEARCH_NOISE), watch.part(0.3, 0.9))
            with suppress(np.linalg.LinAlgError), np.errstate(all="ignore"):  # beyond floats: nothing is found
                best = recognised(best, survey, shifts, rounding, watch)
        if best.verdict == "exact" and not best.too_many:
            return best
        return excluded(question, survey, shifts, best)
    except Stopped as reason:
        if best.verdict == "exact" and not best.too_many:
            return replace(best, reason=f"{best.reason}; {reason}", complete=False)
        return replace(question, reason=str(reason), complete=False)


def recognised(question: Compression, survey: Survey, shifts: Sequence[int], rounding: float, watch: Watch) -> Compression:
    """The first network recognised that has the decisions, unless the one already known has as few ReLUs."""
    orientation = 1 if question.union else -1
    for form in recognise(survey):
        found = as_network(form.each(lambda a: scaled(a, [-s for s in shifts])), orientation)
        if question.relus is not None and question.relus <= found.relus:
            continue
        minimal = minimal_equivalent(found, watch=watch.part(0.9, 1.0))
        watch.check(0.9, minimal.units)
        needed = minimal.halfspaces
        given = question.action.halfspaces
        error, common = deviation([scaled(h, shifts) for h in given], [scaled(h, shifts) for h in needed], orientation)
        if error <= rounding:
            moved = [times(orientation, needed[j]) for j in common] if error else question.halfspaces
            bound = lower_bound(moved, question.union, one_signed=True)
            return replace(question, verdict="exact", reason="recognised", relu_network=found, deviation=error, bound=bound)
    return question


def excluded(question: Compression, survey: Survey | None, shifts: Sequence[int], best: Compression) -> Compression:
    """The verdict where no network was found, or none with so few ReLUs."""
    bound, limit = question.bound, question.limit
    if bound and limit is not None and bound.relus > limit:
        return replace(question, verdict="impossible", reason=f"at least {bound.relus} ReLUs: {bound.reason}; {ONE_SIGNED}")
    none_known = best.verdict != "exact" or not question.union
    certificate = None
    with suppress(np.linalg.LinAlgError), np.errstate(all="ignore"):
        certificate = refute(survey) if survey and none_known else None
    if certificate:
        certificate = certificate.scaled(shifts)
        if certificate.excludes(question.halfspaces):
            only = "" if question.union else f" but the AND of {len(question.halfspaces)}"
            reason = f"{certificate.sentence}, so no one-signed network{only}; {ONE_SIGNED}"
            return replace(question, verdict="impossible", reason=reason, certificate=certificate)
    if best.verdict == "exact" and bound:
        return replace(question, reason=f"{best.relus} ReLUs suffice; whether {limit} do is open, {bound.relus} are needed")
    return replace(question, reason="no network and no proof that there is none was found")


def constant_answer(halfspaces: Sequence[Form], union: bool, no_interior: bool) -> int:
    """The answer where it is the same everywhere, else 0."""
    if not halfspaces:
        return -1 if union else 1
    if union:
        return 1 if no_interior else 0
    if no_interior:
        program = SignProgram(halfspaces, len(halfspaces[0]) - 1)
        return -1 if isinstance(program.decide([-2] * len(halfspaces)), Certificate) else 0
    return 0
