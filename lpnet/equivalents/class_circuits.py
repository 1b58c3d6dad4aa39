"""From half-spaces needed for several classes to a threshold network with an output for each class."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lpnet.brief import brief
from lpnet.circuits.classes import Classes, OneClass, TooLarge, Undetermined
from lpnet.circuits.smallest import Smallest, smallest_logic
from lpnet.equivalents.classes import MinimalClasses
from lpnet.equivalents.minimal import minimal_equivalent
from lpnet.equivalents.threshold import MOST_PROGRAMS, rows_of
from lpnet.exact import Form, Numbers, Point, primitive
from lpnet.networks import SignCircuit, SignNetwork
from lpnet.networks.classifier import Classifier, network_of_form
from lpnet.watch import Watch

Unit = tuple[tuple[int, ...], int]  # weights on the half-spaces' signs, and a bias
Output = tuple[dict[int, int], int]  # weights on the second layer, and a bias
Planes = dict[Form, tuple[int, Form]]  # half-spaces by their primitive forms, with their numbers
MOST_UNITS = 40  # half-spaces, for circuits of one class alone


@dataclass(frozen=True, eq=False)
class ClassCircuits:
    """A threshold network with an output for each class: the class is the first output that is +1.

    network: on shared half-spaces and units of the second layer; logics: what was found for each class alone over the needed
    half-spaces, with its evidence; None for a class that never is, and where that was too much, or they do not settle its ties:
    then its output is +1 where the class is it or an earlier one; kinds: "two layers", "DNF", "CNF", "constant", "Theorem 1".
    """

    network: Classifier
    logics: tuple[Smallest | None, ...]
    kinds: tuple[str, ...]

    __repr__ = brief("first_layer", "second_layer")

    @property
    def why(self) -> str:
        """What outputs are +1 for earlier classes, too, or ""."""
        wide = [k for k, kind in enumerate(self.kinds) if kind != "constant" and not self.logics[k]]
        names = ", ".join(self.network.names[k] for k in wide)
        return f"{names}: +1 for earlier classes, too" if wide else ""

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
    outputs, logics, kinds = list[Output](), list[Smallest | None](), list[str]()
    for c in range(len(answer.network.names)):
        logics.append(None)
        if c not in answer.form.classes:
            outputs.append(({}, -1))
            kinds.append("constant")
            continue
        try:
            if len(needed) > MOST_UNITS:
                raise TooLarge(f"more than {MOST_UNITS} half-spaces")
            found = logics[-1] = of_class(answer, c, needed, watch)
            outputs.append(output_of(found, middle) if found else ({}, 0 if c == answer.constant else -1))
            kinds.append(found.logic.kind if found else "constant")
        except (Undetermined, TooLarge):
            output, kind = up_to(answer, c, planes, middle, watch)
            outputs.append(output)
            kinds.append(kind)
    network = network_of(answer, [h for _, h in planes.values()], middle, outputs)
    return ClassCircuits(network, tuple(logics), tuple(kinds))


def somewhere(answer: MinimalClasses, number: int, watch: Watch, most_programs: int = MOST_PROGRAMS) -> Point | None:
    """A point with this class, of one that has no open set: on ties; None where it is the class nowhere, decided exactly.

    Raises TooLarge where that takes more linear programs.
    """
    if number not in answer.form.classes:
        return None
    classes = Classes(OneClass(answer.form, number), answer.question.domain, (), watch, most_programs)
    found = classes.missed(np.zeros((0, 0), dtype=np.int8), 1)
    return answer.question.lifted(found[0]) if found else None


def of_class(answer: MinimalClasses, number: int, halfspaces: Sequence[Form], watch: Watch) -> Smallest | None:
    """The smallest logic of one class; None where there are no half-spaces. Raises Undetermined and TooLarge."""
    classes = Classes(OneClass(answer.form, number), answer.question.domain, halfspaces, watch, MOST_PROGRAMS)
    if not halfspaces:
        if number != answer.constant and classes.missed(np.zeros((0, 0), dtype=np.int8), 1):
            raise Undetermined(*classes.points[:1] * 2)
        return None
    witnesses = answer.find_witnesses(range(answer.units), watch.part(0.0, 0.1))
    return smallest_logic(classes, answer.pieces.patterns, witnesses, False)


def up_to(answer: MinimalClasses, number: int, planes: Planes, middle: dict[Unit, int], watch: Watch) -> tuple[Output, str]:
    """An output that is +1 where the class is this one or an earlier one, and its kind.

    That is one binary decision, F_m of `lpnet.laws.classes_bound`, and its half-spaces are among those needed; others that it
    has, where those do not settle its ties, join them.
    """
    members = [o for o, c in enumerate(answer.form.classes) if c <= number]
    if len(members) == len(answer.form.classes):
        return ({}, 0), "constant"
    form = answer.form.against(members)
    built = minimal_equivalent(network_of_form(form), answer.question.domain, watch=watch).build_equivalent(watch)
    network = built.network
    own = [planes.setdefault(primitive(h), (len(planes), h))[0] for h in network.hidden_layer.forms]

    def unit(weights: Numbers, bias: Any) -> int:
        spread = [0] * (1 + max(own, default=-1))
        for k, w in zip(own, weights, strict=True):
            spread[k] = int(w)
        return unit_of(tuple(spread), int(bias), middle)

    if isinstance(network, SignNetwork):
        return ({unit(network.output_weight, network.output_bias): 1}, 0), built.kind
    units = list(map(unit, network.middle_weight, network.middle_bias))
    return (dict(zip(units, map(int, network.output_weight), strict=True)), int(network.output_bias)), built.kind


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
