"""Do two networks with several outputs have the same class everywhere?"""

import time
from dataclasses import replace
from typing import Any

from lpnet.equality.equality import EVIDENCE, Comparison, Verdict, only_rounding
from lpnet.equality.points import shortest
from lpnet.errors import InputError
from lpnet.exact import Form, Point, primitive, value
from lpnet.networks import Polyhedron, ReLUNetwork
from lpnet.networks.classifier import Classifier
from lpnet.networks.polyhedron import as_domain
from lpnet.networks.question import common_questions
from lpnet.regions.reasons import Literal, Reasons, Region, ValueOf, answer_at, class_reasons, meet, sign_reasons
from lpnet.regions.search import Questions, first_difference
from lpnet.watch import Watch


def equal_classes(
    network_a: Classifier, network_b: Classifier, domain: Polyhedron | None = None, watch: Watch | None = None
) -> Comparison:
    """Decide in exact arithmetic whether two classifiers, of any kinds, have the same class inside a domain (default: R^d).

    By cutting out the reasons of both for their classes (`lpnet.regions.search`), ties included; the answers are the numbers of
    the classes. watch may stop the work. Raises InputError for different numbers of inputs or of classes.
    """
    started, watch = time.perf_counter(), watch or Watch()
    answer = compared(network_a, network_b, as_domain(domain, network_a.inputs), watch)
    if answer.verdict in ("different", "equal off ties") and (why := only_rounding(answer, watch, compared)):
        answer = replace(answer, verdict="different by rounding", detail=why)
    return replace(answer, seconds=time.perf_counter() - started)


def compared(
    network_a: Classifier, network_b: Classifier, domain: Polyhedron, watch: Watch, method: str = "auto"
) -> Comparison:
    """`equal_classes` without looking why they differ."""
    for what, left, right in (
        ("inputs", network_a.inputs, network_b.inputs),
        ("classes", len(network_a.names), len(network_b.names)),
    ):
        if left != right:
            raise InputError(f"wanted networks with equally many {what}, got {left} and {right}")
    first, second = common_questions(network_a, network_b, domain)
    questions = Questions(first.domain)
    why_a, why_b = (reasons_of(asked.network, asked.domain) for asked in (first, second))
    difference, complete = first_difference(why_a, why_b, questions, watch)
    verdict: Verdict = "different" if difference and difference.open else "equal off ties" if difference else "equal"
    if not complete:
        verdict = "undecided"
    at = shortest(difference) if difference else None
    planes = tuple(g for g in difference.region if value(g, at) == 0) if difference and at else ()
    at, planes = at and first.lifted(at), tuple(primitive(first.pulled(g)) for g in planes)
    one, other = (class_at(network, at) if at else None for network in (network_a, network_b))
    detail = EVIDENCE[verdict] if complete else f"stopped, {watch.stopped}"
    return Comparison(network_a, network_b, domain, verdict, at, one, other, planes, "regions", detail, questions.asked, 0.0)


def reasons_of(network: Any, domain: Polyhedron) -> Reasons:
    """The reasons of a classifier's classes inside a domain."""
    if isinstance(network.scores[0], ReLUNetwork):
        return class_reasons(network.normal_form(domain))
    outputs = [sign_reasons(score) for score in network.scores]

    def why(value_of: ValueOf, known: Region) -> tuple[int, list[Literal]]:
        literals: dict[Form, int] = {}
        for number, output in zip(network.classes, outputs, strict=True):
            answer, found = output(value_of, meet(known.items(), literals.items()))
            literals = meet(literals.items(), found)
            if answer > 0:
                return number, list(literals.items())
        return network.classes[0], list(literals.items())

    return why


def class_at(network: Classifier, at: Point) -> int:
    """The class at an exact point, from the weights as they are given."""
    if isinstance(network.scores[0], ReLUNetwork):
        return network.exact_form.class_at(at)
    answers = [answer_at(score, at) for score in network.scores]
    return network.classes[answers.index(max(answers))]
