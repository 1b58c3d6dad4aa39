"""From half-spaces needed for several classes to a threshold network with an output for each class.

A class against the rest is a decision of one output, but for its ties: those with later outputs are its own, those with earlier
ones are not. So it is asked with scores that differ by as good as nothing, and its half-spaces are put back where they were
(`Decision.parted`): one that was moved outwards is closed, one that was moved inwards is the complement of a closed one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
from scipy.sparse import lil_array

from lpnet.brief import brief
from lpnet.circuits.smallest import PATIENCE, SHARE
from lpnet.equivalents.classes import MinimalClasses, alone, on_ties
from lpnet.equivalents.threshold import ThresholdEquivalent, rows_of
from lpnet.exact import Form, Point, nudged, primitive, times, value
from lpnet.networks import SignCircuit, SignNetwork
from lpnet.networks.arrays import MOST_ENTRIES
from lpnet.networks.classifier import Classifier
from lpnet.programs import Certificate, SignProgram
from lpnet.watch import Watch

Unit = tuple[tuple[tuple[int, int], ...], int]  # weights on the signs of some half-spaces, by their numbers, and a bias
Planes = dict[Form, tuple[int, Form]]  # half-spaces by their primitive forms, with their numbers


class OneClass(NamedTuple):
    """A class alone: where one of the units of the second layer is +1 (side 1), or where none is (side −1).

    kind: as in `ThresholdEquivalent`; at_least: every DNF and CNF of the class over the half-spaces that bound it has so many
    terms (0 for two layers; None where it has more half-spaces); why: in words, how small it is.
    """

    kind: str
    side: int
    units: tuple[Unit, ...]
    at_least: int | None = 0
    why: str = ""


@dataclass(frozen=True, eq=False)
class ClassCircuits:
    """A threshold network with an output for each class, +1 just where it is the class; ties included.

    network: on shared half-spaces and units of the second layer; alone: what was found for each class; shared: the class, if
    any, whose output reads the units of all others, being +1 where none of them is, as that takes fewer; needed: so many of the
    half-spaces are needed, the others are for ties.
    """

    network: Classifier
    alone: tuple[OneClass, ...]
    shared: int | None
    needed: int

    __repr__ = brief("first_layer", "second_layer")

    @property
    def kinds(self) -> tuple[str, ...]:
        """Of the circuit of each class."""
        return tuple("the rest" if c == self.shared else one.kind for c, one in enumerate(self.alone))

    @property
    def why(self) -> str:
        """Which classes have circuits that are not the smallest, and how many half-spaces are for ties, or ""."""
        said = [f"{name}: {one.why}" for name, one in zip(self.network.names, self.alone, strict=True) if one.at_least is None]
        more = self.first_layer - self.needed
        return "; ".join([*said, *[f"{more} half-spaces more than needed, for ties"] * (more > 0)])

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
    """The smallest DNF or CNF found for each class over the needed half-spaces; units of the second layer are shared.

    Where all classes but one are disjunctions (or one unit), the last one may be where none of their terms holds.
    """
    planes = {primitive(h): (k, h) for k, h in enumerate(answer.find_halfspaces(watch))}
    count = len(answer.network.names)
    found: tuple[OneClass, ...] = ()
    for c in range(count):
        patience = min(PATIENCE / count, SHARE * watch.left / (count - c))
        found += (of_class(answer, c, planes, patience, watch.part(c / count, (c + 1) / count)),)
    negative = [c for c, one in enumerate(found) if one.side < 0]
    shared = None
    if answer.constant is None and len(negative) < 2:
        shared = negative[0] if negative else max(range(count), key=lambda c: len(found[c].units))
    middle: dict[Unit, int] = {}
    outputs = [
        (one.side, [middle.setdefault(unit, len(middle)) for unit in one.units]) if c != shared else (-1, [])
        for c, one in enumerate(found)
    ]
    if shared is not None:
        outputs[shared] = -1, [*range(len(middle))]
    network = network_of(answer, [h for _, h in planes.values()], middle, outputs)
    return ClassCircuits(network, found, shared, answer.units)


def of_class(answer: MinimalClasses, number: int, planes: Planes, patience: float, watch: Watch) -> OneClass:
    """The circuit of one class; half-spaces that it needs for its ties alone join the others. Raises TooLarge."""
    classes = answer.form.classes
    if number == answer.constant and set(classes) == {number}:
        return OneClass("constant", -1, ())
    if answer.constant != number and number in answer.never and on_ties(answer, number, watch.part(0.0, 0.1)) is None:
        return OneClass("constant", 1, ())
    built = alone(answer, number, watch.part(0.1, 0.2)).build_equivalent(watch.part(0.2, 1.0), patience)
    _, bits = answer.form.parted(answer.question.domain)
    network = built.network
    if built.kind == "constant":
        assert isinstance(network, SignNetwork)
        return OneClass("constant", -1 if network.output_bias >= 0 else 1, ())
    moved = [limit(h, bits) for h in network.hidden_layer.forms]
    own = [(planes.setdefault(h, (len(planes), h))[0], side) for h, side in moved]

    def unit(read: Sequence[tuple[int, int]], weights: Any, bias: Any, side: int) -> Unit:
        total: dict[int, int] = {}
        for (k, sign), w in zip(read, weights, strict=True):
            total[k] = total.get(k, 0) + side * sign * int(w)
        return tuple(sorted((k, w) for k, w in total.items() if w)), side * int(bias)

    if isinstance(network, SignNetwork):
        return OneClass(
            built.kind, 1, (unit(own, network.output_weight, network.output_bias, 1),), at_least(answer, number, built)
        )
    side = -1 if built.kind == "CNF" else 1  # a clause is the negation of a term
    units = [unit([own[k] for k in used], weights, bias, side) for used, weights, bias in network.middle_units]
    possible = tuple(one for one in units if one[1] + sum(abs(w) for _, w in one[0]) >= 0)
    return OneClass(built.kind, side, possible, at_least(answer, number, built), built.why)


def at_least(answer: MinimalClasses, number: int, built: ThresholdEquivalent) -> int | None:
    """A bound on the terms of a class, by the points that show it: they are not to owe it to scores that were moved."""
    if built.reduced or not built.second_layer:
        return None if built.reduced else 0
    assert built.smallest
    own, moved = [answer.find_halfspaces(Watch())[k] for k in answer.units_of(number)], built.smallest.logic.halfspaces
    shown = [fooling.moved(lambda at: off(at, moved)) for fooling in built.smallest.fooling]
    return min(len(one.points) if one.holds_for(lambda at: answer.form.class_at(at) == number, own) else 1 for one in shown)


def off(at: Point, halfspaces: Sequence[Form]) -> Point:
    """A point moved a little into the half-spaces on whose borders it lies, where that can be."""
    on = [(*h[:-1], 0) for h in halfspaces if not value(h, at)]
    inwards = SignProgram(on, len(at) - 1).decide([1] * len(on)) if on else None
    return at if inwards is None or isinstance(inwards, Certificate) else nudged(at, inwards[:-1], halfspaces)


def limit(moved: Form, bits: int) -> tuple[Form, int]:
    """h and 1 for h + e ε, e ≥ 0, or −h and −1 for e < 0: it is ≥ 0 where the one is ≥ 0, or where the other is not."""
    *gradient, constant = moved
    size = next(abs(entry) for entry in gradient if entry)
    there = Fraction(constant, size)
    ratio = there.limit_denominator(1 << bits)
    side = 1 if there >= ratio else -1
    h = (*(entry * ratio.denominator for entry in gradient), size * ratio.numerator)
    return primitive(times(side, h)), side


def network_of(
    answer: MinimalClasses,
    halfspaces: Sequence[Form],
    middle: dict[Unit, int],
    outputs: Sequence[tuple[int, Sequence[int]]],
) -> Classifier:
    """The outputs, each with its side and its units, on shared layers, as a classifier."""
    shape, bias = (len(middle), len(halfspaces)), np.zeros(len(middle))
    weight: Any = np.zeros(shape) if shape[0] * shape[1] <= MOST_ENTRIES else lil_array(shape)
    for (row, constant), unit in middle.items():
        for k, w in row:
            weight[unit, k] = w
        bias[unit] = constant
    weight = weight if isinstance(weight, np.ndarray) else weight.tocsr()
    made = []
    for side, units in outputs:
        signs = np.zeros(len(middle))
        signs[units] = side
        constant = side * (len(units) - 1)
        made.append(SignCircuit(*rows_of(halfspaces, answer.form), weight, bias, signs, constant, answer.question.onto))
    return Classifier(tuple(made), (), answer.network.names).named_like(answer.network)
