"""Are two networks the same function?"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Literal

from lpnet.brief import brief
from lpnet.equality.boundaries import beside_point, boundary_difference, boundary_of
from lpnet.equality.points import digits, shortest, suspects
from lpnet.equality.rounding import rounded_to, unrounded
from lpnet.equality.terms import missing, point_of_difference, terms_of
from lpnet.equivalents.minimal import minimal_equivalent
from lpnet.errors import InputError, LpnetError, SizeError, Stopped
from lpnet.exact import Form, Point, add, coordinates, primitive, times, value
from lpnet.networks import ExactForm, Polyhedron, ReLUNetwork, SignCircuit, SignNetwork, StepNetwork, normal_form
from lpnet.networks.arrays import describe
from lpnet.networks.polyhedron import as_domain
from lpnet.networks.question import common_questions
from lpnet.regions.reasons import ABOVE, Network, answer_at, halfspace, reasons, values_at
from lpnet.regions.regularity import regular
from lpnet.regions.search import Difference, Questions, compare, first_difference
from lpnet.watch import Watch

Verdict = Literal["equal", "different", "different by rounding", "equal off ties", "undecided"]
Decision = tuple[str, Difference | None, str]

METHODS = ("auto", "regions", "pieces", "terms")
FEW = 16  # units of both together: their regions are searched faster than a compiled engine is loaded
# Whose reasons are cut out first: those of few and global half-spaces before those that hold on one cell only.
ORDER = (SignNetwork, ReLUNetwork, StepNetwork, SignCircuit)
EVIDENCE = {
    "equal": "proved, ties included",
    "different": "on an open set around the point",
    "equal off ties": "they differ at the point, but on no open set",
}


@dataclass(frozen=True, eq=False)
class Comparison:
    """Whether two networks answer alike everywhere in a domain, with the evidence.

    verdict: "equal": everywhere, ties included; "different": on an open set around `point`; "equal off ties": they differ at
    `point`, but on no open set; "different by rounding": they differ at `point`, but only because the numbers of the one are
    those of the other rounded to float64 or float32, or its half-spaces those of the other's threshold equivalent rounded so
    (with the exact ones it is equal, proved); "undecided": the work was stopped before that (if there is a point, they differ
    at it, but perhaps on no open set).
    point: where they differ (see `lpnet.exact`), with their answers there, ±1 or numbers of classes; planes: of a tie, the
    hyperplanes {g = 0} through the point that have a part in it, in primitive integers; method: what decided; detail: what that
    proves, in a few words;
    programs: how many linear programs were solved for it, not counting those of an engine; seconds.
    """

    network_a: Any
    network_b: Any
    domain: Polyhedron
    verdict: Verdict
    point: Point | None
    answer_a: int | None
    answer_b: int | None
    planes: tuple[Form, ...]
    method: str
    detail: str
    programs: int
    seconds: float

    __repr__ = brief()

    @property
    def digits(self) -> tuple[str, ...]:
        """The coordinates of the point in full: decimal digits, or a fraction where these never end."""
        return tuple(map(digits, coordinates(self.point))) if self.point else ()


def equal(
    network_a: Network,
    network_b: Network,
    domain: Polyhedron | None = None,
    watch: Watch | None = None,
    method: str = "auto",
) -> Comparison:
    """Decide in exact arithmetic whether two networks, of any kinds, are the same function inside a domain (default: R^d).

    watch may stop the work. method: "regions" cuts out the reasons of the answers (`lpnet.regions.search`), for networks
    of all kinds; "pieces" compares the decision boundaries (`lpnet.equality.boundaries`) of ReLU networks, disjunctions and
    conjunctions, "terms" a ReLU network with a DNF or CNF term by term (`lpnet.equality.terms`); both leave other networks,
    and ties that the boundaries do not settle, to regions; "auto" compares the formulas and the answers at random points
    first, and then takes terms or pieces where the units are many.
    Raises InputError for networks with different numbers of inputs or an unknown method.
    """
    check(network_a, network_b, method)
    domain, watch = as_domain(domain, network_a.inputs), watch or Watch()
    started = time.perf_counter()
    answer = compared(network_a, network_b, domain, watch, method)
    if answer.verdict in ("different", "equal off ties") and (why := only_rounding(answer, watch, compared)):
        answer = replace(answer, verdict="different by rounding", detail=why)
    return replace(answer, seconds=time.perf_counter() - started)


def compared(network_a: Network, network_b: Network, domain: Polyhedron, watch: Watch, method: str) -> Comparison:
    """`equal` without looking why the networks differ."""
    asked, other = common_questions(network_a, network_b, domain)
    questions = Questions(asked.domain)
    how, difference, unsettled = decide(asked.network, other.network, asked.domain, questions, watch, method)
    verdict: Verdict = "equal"
    if unsettled:
        verdict = "undecided"
    elif difference:
        verdict = "different" if difference.open else "equal off ties"
    at = shortest(difference) if difference else None
    planes = tuple(g for g in difference.region if value(g, at) == 0) if difference and at else ()
    at, planes = at and asked.lifted(at), tuple(primitive(asked.pulled(g)) for g in planes)
    answer_a, answer_b = (answer_at(network, at) if at else None for network in (network_a, network_b))
    if at and answer_a == answer_b:
        raise LpnetError(f"both networks answer {answer_a} at what should be a point of difference; please report")
    detail = unsettled or EVIDENCE[verdict]
    return Comparison(network_a, network_b, domain, verdict, at, answer_a, answer_b, planes, how, detail, questions.asked, 0.0)


def only_rounding(answer: Comparison, watch: Watch, compared: Callable[..., Comparison]) -> str:
    """In a few words how rounding alone makes two different networks of one, as `compared` has it; "" where it does not."""
    a, b, at = answer.network_a, answer.network_b, answer.point
    if precision := rounded_to(a, b):
        return f"the numbers of one are those of the other, rounded to {precision}"
    for relu, other in ((a, b), (b, a)):
        if at and has_relus(relu) and not has_relus(other) and not isinstance(other, StepNetwork):
            try:
                exact = unrounded(relu, other, at, answer.domain, watch)
            except Stopped:
                return ""
            if exact and compared(relu, exact, answer.domain, watch, "auto").verdict == "equal":
                return "the half-spaces are rounded to float64; with the exact ones they are equal, proved"
    return ""


def has_relus(network: Any) -> bool:
    """Whether the scores of a network are those of ReLUs."""
    return isinstance(getattr(network, "scores", (network,))[0], ReLUNetwork)


def check(network_a: Any, network_b: Any, method: str) -> None:
    """InputError where there is nothing to compare."""
    for name, network in (("first", network_a), ("second", network_b)):
        if not isinstance(network, ReLUNetwork | SignNetwork | SignCircuit | StepNetwork):
            raise InputError(f"{name} network: wanted a network of lpnet with one output, got {describe(network)}")
    if network_a.inputs != network_b.inputs:
        raise InputError(f"wanted networks with equally many inputs, got {network_a.inputs} and {network_b.inputs}")
    if method not in METHODS:
        raise InputError(f"method: wanted one of {', '.join(METHODS)}, got {describe(method)}")


def decide(
    network_a: Network, network_b: Network, domain: Polyhedron, questions: Questions, watch: Watch, method: str
) -> Decision:
    """The method that decided, a difference if there is one, and what was left open if the work was stopped."""
    first, second = sorted((network_a, network_b), key=lambda network: ORDER.index(type(network)))
    if method == "auto" and same_score(first, second, domain):
        return "formula", None, ""
    a, b = reasons(first, domain), reasons(second, domain)
    if method == "auto":
        for at in suspects(first, second, domain):
            difference, _ = compare(a, b, values_at(at), {}, questions)
            if difference and difference.open:
                return "samples", difference, ""
    known = ""
    if method == "terms" or (method == "auto" and size(first) + size(second) > FEW):
        decision = by_terms(first, second, domain, questions, watch)
        if decision:
            return decision
    if method == "pieces" or (method == "auto" and size(first) + size(second) > FEW):
        decision = by_pieces(first, second, domain, questions, watch)
        if decision and (decision[1] or not decision[2] or watch.stopped):
            return decision
        known = decision[2] if decision else ""
    difference, complete = first_difference(a, b, questions, watch)
    return "regions", difference, "" if complete else f"{known}stopped after {questions.asked} programs, {watch.stopped}"


def by_terms(first: Network, second: Network, domain: Polyhedron, questions: Questions, watch: Watch) -> Decision | None:
    """What the terms of a circuit tell about it and a ReLU network; None for others."""
    if not (isinstance(first, ReLUNetwork) and isinstance(second, SignCircuit)):
        return None
    logic = terms_of(second)
    form = normal_form(first, domain)
    if logic is None or form.convex or form.concave:
        return None
    a, b = reasons(first, domain), reasons(second, domain)
    try:
        answer = minimal_equivalent(first, domain, watch=watch.part(0.0, 0.05))
        if not answer.complete:
            raise Stopped(f"stopped after {answer.units} half-spaces, {watch.stopped}")
        absent = missing(answer.halfspaces, second.input_layer.forms)
        if absent:
            (witness,) = answer.find_witnesses(absent[:1], watch)
            difference = beside_point(witness, answer.halfspaces[absent[0]], a, b, questions)
            if difference is None:
                raise LpnetError("a half-space that is needed seems not to be; please report")
            return "terms", difference, ""

        @cache
        def whole() -> bool:
            return regular(form, answer.domain, answer.pieces, answer.engine, questions, watch)

        at = point_of_difference(form, domain, *logic, watch, whole)
    except Stopped as reason:
        return "terms", None, str(reason)
    if at is None:
        return "terms", None, ""
    difference, _ = compare(a, b, values_at(at), {}, questions)
    if difference is None:
        raise LpnetError("the terms contradict the networks; please report")
    return ("terms", difference, "") if difference.open else None


def by_pieces(first: Network, second: Network, domain: Polyhedron, questions: Questions, watch: Watch) -> Decision | None:
    """What the boundaries tell; None if they cannot be had."""
    known = ""
    try:
        boundary, other = (boundary_of(network, domain, watch, questions) for network in (first, second))
        if not (boundary and other):
            return None
        a, b = reasons(first, domain), reasons(second, domain)
        difference = boundary_difference(boundary, other, a, b, questions, watch)
        known = "equal off a set of measure zero, proved; ties: "
        settled = difference or (boundary.regular() and other.regular())
        return "pieces", difference, "" if settled else known
    except SizeError:
        return None
    except Stopped as reason:
        return "pieces", None, f"{known}{reason}"


def same_score(network_a: Network, network_b: Network, domain: Polyhedron) -> bool:
    """Whether both are ReLU networks with f_A = λ f_B, λ > 0, on the domain; with several layers, only if unit by unit."""
    if not (isinstance(network_a, ReLUNetwork) and isinstance(network_b, ReLUNetwork)):
        return False
    first, second = (normal_form(network, domain) for network in (network_a, network_b))
    if first.links or second.links:
        return replace(first, exponent=0, divisor=1) == replace(second, exponent=0, divisor=1)
    return bends(first) == bends(second)


def bends(form: ExactForm) -> tuple[list[Form], Form]:
    """The hyperplanes of the units, and the affine part and what f gains beyond each, up to a positive factor: f is unique."""
    affine, found = form.affine, {}
    for a, s in zip(form.units, form.signs, strict=True):
        plane, side = halfspace(a, ABOVE)
        found[plane] = times(s if side == ABOVE else -s, a)
        if side != ABOVE:  # R(a) = R(−a) + a
            affine = add(affine, times(s, a))
    planes = sorted(found)
    return planes, primitive([*affine, *(entry for plane in planes for entry in found[plane])])


def size(network: Network) -> int:
    """How many hyperplanes it has; of a network of several layers, how many bends."""
    return network.relus if isinstance(network, ReLUNetwork) else network.units
