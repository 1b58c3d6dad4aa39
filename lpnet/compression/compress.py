"""From a sign network to a ReLU network with output weights of one sign and the same decisions, or a proof that none exists."""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from lpnet.boundary.redundancy import Operation, irredundant_forms
from lpnet.compression.backward import NEAR, deviation, distance
from lpnet.compression.bounds import LowerBound, lower_bound
from lpnet.compression.certificate import RidgeCertificate
from lpnet.compression.output_layer import Action, output_action
from lpnet.compression.recognition.recognise import Survey, recognise
from lpnet.compression.recognition.refute import refute
from lpnet.equivalents import minimal_equivalent
from lpnet.errors import InputError
from lpnet.exact import Form, balance, times, to_floats
from lpnet.networks import Box, ExactForm, ReLUNetwork, SignNetwork
from lpnet.networks.arrays import describe
from lpnet.programs import Certificate, SignProgram

Verdict = Literal["exact", "impossible", "undecided"]
# Float64 weights carry relative errors of 2^-53; sums and differences of a network's weights lose some bits more.
ROUNDING = 2.0**-40
SEARCH_NOISE = 2.0**-40  # in the floats of the search, however exact the data
ONE_SIGNED = "networks with output weights of both signs are not excluded"


@dataclass(frozen=True, eq=False)
class Compression:
    """Whether a sign network is a ReLU network with output weights of one sign.

    network: the question, None if it was asked in half-spaces; limit: the most ReLUs allowed, if any; action: what the output
    layer does.
    halfspaces: the needed units among those of `action`, exactly; inside a union K = {h_k ≤ 0} is where they answer −1, for an
    intersection where −h_k do.

    verdict: "exact": `relu_network` has the decisions of the sign network, up to `deviation`: if every needed half-space of
    either network is moved by at most this much, relative to its largest weight, the decisions are equal everywhere. This is
    proved in rationals; 0 means that they are equal as they stand.
    "impossible": no ReLU network with output weights of one sign (and at most `limit` units) has exactly the decisions of the
    weights as given, proved by `certificate` or by `bound`. Networks with both signs are not excluded.
    "undecided": neither was found.
    reason: in a few words; bound: on the ReLUs of one-signed networks with the decisions of the half-spaces as given, or, where
    an "exact" answer moves them, as moved; seconds: what it took.
    """

    network: SignNetwork | None
    limit: int | None
    action: Action
    halfspaces: tuple[Form, ...]
    verdict: Verdict
    reason: str
    relu_network: ReLUNetwork | None = None
    deviation: float | None = None
    certificate: RidgeCertificate | None = None
    bound: LowerBound | None = None
    seconds: float = 0.0

    @property
    def inputs(self) -> int:
        """d."""
        return self.network.inputs if self.network else len(self.action.halfspaces[0]) - 1

    @property
    def union(self) -> bool:
        """Whether the output layer acts as OR."""
        return self.action.operation == "or"

    @property
    def relus(self) -> int | None:
        """n of the network found."""
        return self.relu_network.relus if self.relu_network else None

    @property
    def too_many(self) -> bool:
        """Whether the network found has more ReLUs than allowed."""
        return self.relus is not None and self.limit is not None and self.relus > self.limit

    @property
    def needed_units(self) -> int:
        """How many half-spaces are needed."""
        return len(self.halfspaces)


def compress(network: SignNetwork, relus: int | None = None, rounding: float = ROUNDING) -> Compression:
    """The fewest ReLUs found, with output weights of one sign, that decide like a sign network.

    ([PS16] Lemma 3, for units in any order, each up to a positive factor, with redundant ones added or missing.) The output
    layer has to act as OR or as AND. relus: the most ReLUs allowed. rounding: how far a unit may be moved, relative to its
    largest weight (inputs brought to comparable scales), for the answer still to be "exact"; 0: not at all.
    Raises InputError for another kind of network and for options out of range.
    """
    if not isinstance(network, SignNetwork):
        raise InputError(f"network: wanted a SignNetwork, got {describe(network)}")
    started = time.perf_counter()
    action = output_action(network)
    question = Compression(network, relus, action, (), "undecided", f"the output layer is no OR and no AND: {action.reason}")
    return settled(question, rounding, started)


def compress_halfspaces(
    halfspaces: Sequence[Form],
    operation: Literal["or", "and"] = "or",
    relus: int | None = None,
    rounding: float = ROUNDING,
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
    action = Action(operation, tuple(range(len(given))), given, "as asked")
    return settled(Compression(None, relus, action, (), "undecided", ""), rounding, started)


def settled(question: Compression, rounding: float, started: float) -> Compression:
    """The question with its answer."""
    if question.limit is not None and question.limit < 0:
        raise InputError(f"relus: wanted at least 0, got {question.limit}")
    if not 0 <= rounding < NEAR:
        raise InputError(f"rounding: wanted at least 0 and less than {NEAR:g}, got {rounding}")
    answer = answered(question, rounding) if question.action.operation in ("or", "and") else question
    return replace(answer, seconds=time.perf_counter() - started)


def answered(question: Compression, rounding: float) -> Compression:
    """The answer for OR and AND."""
    union, inputs = question.union, question.inputs
    operation: Operation = "union" if union else "intersection"
    kept = irredundant_forms(question.action.halfspaces, operation, Box.everywhere(inputs)).kept
    halfspaces = tuple(times(1 if union else -1, question.action.halfspaces[k]) for k in kept)
    inside = SignProgram(halfspaces, inputs).decide([-1] * len(halfspaces)) if halfspaces else ()
    constant = constant_answer(halfspaces, union, isinstance(inside, Certificate))
    if constant:
        nothing = ReLUNetwork(np.zeros((0, inputs)), np.zeros(0), np.zeros(0), constant)
        return replace(question, verdict="exact", reason=f"constant {constant:+d}", relu_network=nothing, deviation=0.0)

    question = replace(question, halfspaces=halfspaces, bound=lower_bound(halfspaces, union, one_signed=True))
    shifts = balance(halfspaces)
    survey = None
    best = question if union else replace(question, **and_network(halfspaces))
    if not isinstance(inside, Certificate):
        inside = scaled(inside, [-s for s in shifts])
        survey = Survey(tuple(scaled(h, shifts) for h in halfspaces), inside, max(rounding, SEARCH_NOISE))
        best = recognised(best, survey, shifts, rounding)
    if best.verdict == "exact" and not best.too_many:
        return best
    return excluded(question, survey, shifts, best)


def recognised(question: Compression, survey: Survey, shifts: Sequence[int], rounding: float) -> Compression:
    """The first network recognised that has the decisions, unless the one already known has as few ReLUs."""
    orientation = 1 if question.union else -1
    for form in recognise(survey):
        found = as_network(form.each(lambda a: scaled(a, [-s for s in shifts])), orientation)
        if question.relus is not None and question.relus <= found.relus:
            continue
        needed = minimal_equivalent(found).halfspaces
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


def and_network(halfspaces: Sequence[Form]) -> dict[str, Any]:
    """The AND of the half-spaces {h_k ≤ 0}, a ReLU for each; exact unless they have more digits than floats can hold."""
    found = as_network(ExactForm((0,) * len(halfspaces[0]), tuple(halfspaces), (1,) * len(halfspaces), 0), -1)
    error = max(distance(h, a) for h, a in zip(halfspaces, found.exact_form.units, strict=True))
    return {"verdict": "exact", "reason": "an AND, a ReLU for each half-space", "relu_network": found, "deviation": error}


def scaled(form: Sequence[int], shifts: Sequence[int]) -> Form:
    """The entries times 2^shift, up to a common factor."""
    least = min(shifts)
    return tuple(z << s - least for z, s in zip(form, shifts, strict=True))


def as_network(form: ExactForm, orientation: int) -> ReLUNetwork:
    """orientation · (l + Σ R(a_k)), l constant, up to a positive factor: in floats, exactly where they can hold it.

    a_k = w_k · (a shortest integer row): weights that went into a network as floats come out as floats again.
    """
    factors = [math.gcd(*a) or 1 for a in form.units]
    rows = [tuple(z // g for z in a) for a, g in zip(form.units, factors, strict=True)]
    bits = [max(map(abs, row)).bit_length() for row in rows]
    size = max(g.bit_length() + b for g, b in zip(factors, bits, strict=True))
    table = np.array([to_floats(row, -b) for row, b in zip(rows, bits, strict=True)])
    weights = np.array([orientation * to_floats([g], b - size)[0] for g, b in zip(factors, bits, strict=True)])
    return ReLUNetwork(table[:, :-1], table[:, -1], weights, orientation * to_floats(form.affine[-1:], -size)[0])
