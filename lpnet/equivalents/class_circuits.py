"""From half-spaces needed for several classes to a threshold network with an output for each class."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lpnet.boundary.engines import find_pieces
from lpnet.brief import brief
from lpnet.circuits.classes import Classes, OneClass, TooLarge, Undetermined
from lpnet.circuits.smallest import Smallest, smallest_logic
from lpnet.circuits.theorem1 import reduced_dnf
from lpnet.equivalents.classes import MinimalClasses
from lpnet.equivalents.threshold import MOST_PROGRAMS, rows_of
from lpnet.exact import Form, primitive
from lpnet.networks import SignCircuit
from lpnet.networks.classifier import Classifier
from lpnet.networks.normal_form import normalised
from lpnet.watch import Watch

Unit = tuple[tuple[int, ...], int]  # weights on the half-spaces' signs, and a bias
Output = tuple[dict[int, int], int]  # weights on the second layer, and a bias


@dataclass(frozen=True, eq=False)
class ClassCircuits:
    """A threshold network with an output for each class: the class is the first output that is +1.

    network: on shared half-spaces and units of the second layer; logics: what was found for each class over the needed
    half-spaces alone, with its evidence, None for a class that never is; whys: for those classes whose answer needs more, or
    too much work, why: theirs is Theorem 1's disjunction, +1 on ties, too.
    """

    network: Classifier
    logics: tuple[Smallest | None, ...]
    whys: dict[int, str]

    __repr__ = brief("first_layer", "second_layer")

    @property
    def why(self) -> str:
        """Why there are more half-spaces than are needed, or ""."""
        return "; ".join(f"{self.network.names[c]}: {why}" for c, why in self.whys.items())

    def kind_of(self, number: int) -> str:
        """What the output of a class is."""
        found = self.logics[number]
        return "Theorem 1" if number in self.whys else found.logic.kind if found else "constant"

    def terms_of(self, number: int) -> int:
        """How many units of the second layer the output of a class reads."""
        return int(np.count_nonzero(self.network.scores[number].output_weight))

    @property
    def first_layer(self) -> int:
        """How many half-spaces it has."""
        return int(self.network.scores[0].units)

    @property
    def second_layer(self) -> int:
        """How many units its second layer has."""
        return int(self.network.scores[0].terms)


def class_circuits(answer: MinimalClasses, watch: Watch) -> ClassCircuits:
    """The smallest DNF or CNF found for each class over the needed half-spaces; units of the second layer are shared."""
    planes = {primitive(h): (k, h) for k, h in enumerate(answer.find_halfspaces(watch))}
    needed = [h for _, h in planes.values()]
    middle: dict[Unit, int] = {}
    outputs, logics, whys = list[Output](), list[Smallest | None](), dict[int, str]()
    for c in range(len(answer.network.names)):
        logics.append(None)
        if c not in answer.form.classes:
            outputs.append(({}, -1))
            continue
        try:
            logics[-1] = of_class(answer, c, needed, watch)
            outputs.append(output_of(logics[-1], middle) if logics[-1] else ({}, 0 if c == answer.constant else -1))
        except (Undetermined, TooLarge) as error:
            whys[c] = str(error)
            outputs.append(by_theorem1(answer, c, planes, middle, watch))
    return ClassCircuits(network_of(answer, [h for _, h in planes.values()], middle, outputs), tuple(logics), whys)


def of_class(answer: MinimalClasses, number: int, halfspaces: Sequence[Form], watch: Watch) -> Smallest | None:
    """The smallest logic of one class; None where there are no half-spaces. Raises Undetermined and TooLarge."""
    classes = Classes(OneClass(answer.form, number), answer.question.domain, halfspaces, watch, MOST_PROGRAMS)
    if not halfspaces:
        if number != answer.constant and classes.missed(np.zeros((0, 0), dtype=np.int8), 1):
            raise Undetermined(*classes.points[:1] * 2)
        return None
    witnesses = answer.find_witnesses(range(answer.units), watch.part(0.0, 0.1))
    return smallest_logic(classes, answer.pieces.patterns, witnesses, False)


def by_theorem1(
    answer: MinimalClasses, number: int, planes: dict[Form, tuple[int, Form]], middle: dict[Unit, int], watch: Watch
) -> Output:
    """The output that is +1 where no score exceeds those of a class, ties included; its half-spaces join the others."""
    domain, members = answer.question.domain, [o for o, c in enumerate(answer.form.classes) if c == number]
    form = normalised(answer.form.against(members), domain)
    pieces, _, _ = find_pieces(form, domain, watch)
    reduced = reduced_dnf(form, domain, pieces.patterns, watch)
    own = [planes.setdefault(primitive(h), (len(planes), h))[0] for h in reduced.halfspaces]
    units = []
    for term in reduced.terms:
        weights = [0] * (1 + max((own[k] for k in term), default=-1))
        for k in term:
            weights[own[k]] = 1
        units.append(unit_of(tuple(weights), 1 - len(term), middle))
    return dict.fromkeys(units, 1), len(units) - 1


def network_of(
    answer: MinimalClasses, halfspaces: Sequence[Form], middle: dict[Unit, int], outputs: Sequence[Output]
) -> Classifier:
    """The outputs on shared layers, as a classifier."""
    weight, bias = np.zeros((len(middle), len(halfspaces))), np.zeros(len(middle))
    for (row, constant), unit in middle.items():
        weight[unit, : len(row)], bias[unit] = row, constant
    made = []
    for own, constant in outputs:
        signs = np.zeros(len(middle))
        signs[list(own)] = list(own.values())
        made.append(SignCircuit(*rows_of(halfspaces, answer.form), weight, bias, signs, constant, answer.question.onto))
    return Classifier(tuple(made), (), answer.network.names)


def output_of(smallest: Smallest, middle: dict[Unit, int]) -> Output:
    """Weights of an output on the second layer, whose new units join it, and its bias."""
    logic = smallest.logic
    if logic.kind == "two layers":
        return {unit_of(tuple(logic.weights[:-1]), logic.weights[-1], middle): 1}, 0
    side = 1 if logic.kind == "DNF" else -1
    terms = [tuple(map(int, term)) for term in logic.terms]
    units = [unit_of(term, 1 - sum(map(abs, term)), middle) for term in terms]
    return dict.fromkeys(units, side), side * (len(units) - 1)


def unit_of(weights: tuple[int, ...], bias: int, middle: dict[Unit, int]) -> int:
    """The number of a unit of the second layer, an old one or a new one."""
    return middle.setdefault((weights, bias), len(middle))
