"""From needed half-spaces to a whole threshold network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
from threadpoolctl import threadpool_limits

from lpnet.brief import brief
from lpnet.circuits.classes import Classes, TooLarge, Undetermined
from lpnet.circuits.smallest import PATIENCE, Logic, Smallest, smallest_logic
from lpnet.circuits.theorem1 import ReducedDnf, plain_dnf, reduced_dnf
from lpnet.exact import FloatArray, Form, Numbers, fractions, in_range, shortened, to_floats
from lpnet.networks import ExactForm, SignCircuit, SignNetwork
from lpnet.networks.affine import AffineMap
from lpnet.networks.decision import Decision
from lpnet.regions.regularity import regular
from lpnet.watch import Watch

if TYPE_CHECKING:
    from lpnet.equivalents.minimal import MinimalEquivalent

MOST_PROGRAMS = 5_000


@dataclass(frozen=True, eq=False)
class ThresholdEquivalent:
    """A threshold network with the decisions of a ReLU network everywhere in its (open) domain, ties included.

    network: on the exact half-spaces, behind the map to the coordinates that were searched;
    kind: "constant", "two layers", "DNF" or "CNF", all over just the needed half-spaces, or over more of them: "Theorem 1", its
    disjunction of conjunctions without redundant inequalities and conjuncts, or "plain", of cells of the units, not made small;
    reason: why no better kind; smallest: what was found over the needed half-spaces, exactly and with its evidence, where that
    had to be searched for; reduced: the disjunction exactly, where the network is one of the last two.
    """

    network: SignNetwork | SignCircuit
    kind: str
    reason: str = ""
    smallest: Smallest | None = None
    reduced: ReducedDnf | None = None

    __repr__ = brief("first_layer", "second_layer")

    @property
    def first_layer(self) -> int:
        """How many half-spaces it has."""
        return self.network.units

    @property
    def second_layer(self) -> int:
        """How many terms or clauses it has; 0 in two layers."""
        return self.network.terms if isinstance(self.network, SignCircuit) else 0

    @property
    def at_least(self) -> int | None:
        """A lower bound on the terms of every DNF and CNF over the needed half-spaces; None if it is not known."""
        if self.reduced:
            return None
        return self.smallest.lower if self.smallest else 0

    @property
    def why(self) -> str:
        """In words, how small it is, or why it is of no better kind; "" for what nothing is to be said of."""
        if self.kind == "plain":
            return f"plain, not made small: {self.reason}"
        if not self.second_layer or self.reduced:
            return self.reason
        exact = self.at_least == self.second_layer
        size = "the smallest" if exact else f"the smallest found, at least {self.at_least} are needed"
        return f"{size}; {self.reason}" if self.reason else size


def threshold_equivalent(answer: MinimalEquivalent, watch: Watch, patience: float = PATIENCE) -> ThresholdEquivalent:
    """The smallest threshold network found over the needed half-spaces, or Theorem 1's where they do not decide the ties, or a
    plain one where too much would have to be looked at, or that took more than `patience` seconds. Raises TooLarge where that
    has no room in memory, either.

    A convex f is the disjunction of its needed half-spaces, a concave one the conjunction ([PS16] Theorem 1 with N or P empty).
    """
    form, domain, onto = answer.form, answer.question.domain, answer.question.onto
    if answer.units and (form.convex or form.concave):
        layer = SignNetwork.disjunction if form.convex else SignNetwork.conjunction
        return ThresholdEquivalent(layer(*rows_of(answer.find_halfspaces(watch), form), onto), "two layers")
    if answer.constant == 1:
        return ThresholdEquivalent(constant(form.inputs, 1, onto), "constant")
    classes = Classes(form, domain, answer.find_halfspaces(watch.part(0.0, 0.02)), watch.part(0.1, 0.8), MOST_PROGRAMS)
    settled, patterns = False, answer.pieces.patterns
    try:
        if answer.constant == -1:
            if not classes.missed(np.zeros((0, 0), dtype=np.int8), 1):
                return ThresholdEquivalent(constant(form.inputs, -1, onto), "constant")
            why = "the network is +1 on a set without interior, which half-spaces alone do not describe"
        else:
            settled = regular(form, domain, answer.pieces, answer.engine, classes.questions, watch.part(0.02, 0.05))
            with threadpool_limits(1):  # small matrices: threads would only wait for each other
                witnesses = answer.find_witnesses(range(answer.units), watch.part(0.05, 0.1))
                smallest = smallest_logic(classes, patterns, witnesses, settled, patience)
            logic = smallest.logic
            network = network_of(logic, rows_of(logic.halfspaces, form), onto)
            return ThresholdEquivalent(network, logic.kind, smallest=smallest)
    except (Undetermined, TooLarge) as error:
        why = str(error)
    made = (plain_dnf if settled else reduced_dnf)(form, domain, patterns, watch.part(0.8, 1.0))
    return ThresholdEquivalent(reduced_network(made, form, onto), "plain" if settled else "Theorem 1", why, reduced=made)


def constant(inputs: int, answer: int, onto: AffineMap | None) -> SignNetwork:
    """The network that always answers so."""
    return SignNetwork(np.zeros((0, inputs)), np.zeros(0), np.zeros(0), answer, onto)


def network_of(logic: Logic, layer: tuple[Numbers, Numbers], onto: AffineMap | None) -> SignNetwork | SignCircuit:
    """The logic as a network on its half-spaces, rows and biases: a term is sgn(1 − |t| + t·z), a clause, its negation."""
    if logic.kind == "two layers":
        return SignNetwork(*layer, shortened(logic.weights[:-1]), logic.weights[-1], onto)
    side, terms = 1 if logic.kind == "DNF" else -1, logic.terms.astype(float)
    count = len(terms)
    bias = side * (1 - np.abs(terms).sum(axis=1))
    return SignCircuit(*layer, side * terms, bias, np.ones(count), side * (count - 1), onto)


def reduced_network(reduced: ReducedDnf, form: ExactForm, onto: AffineMap | None) -> SignNetwork | SignCircuit:
    """Theorem 1's disjunction without what is redundant in it as a network, of two layers if it is a mere OR or AND."""
    layer = rows_of(reduced.halfspaces, form)
    if len(reduced.terms) == 1:
        return SignNetwork.conjunction(*layer, onto)
    if all(len(term) == 1 for term in reduced.terms):
        return SignNetwork.disjunction(*layer, onto)
    return SignCircuit.dnf(*layer, reduced.terms, onto)


def rows_of(halfspaces: Sequence[Form], form: ExactForm | Decision) -> tuple[Numbers, Numbers]:
    """Weights and biases of half-spaces in the units of `form`, or of a power of two of it that float64 can hold, exactly."""
    powers = [Fraction(2) ** in_range(h, form.exponent) for h in halfspaces]
    entries = [entry * power for h, power in zip(halfspaces, powers, strict=True) for entry in h]
    rows = fractions(entries, (len(halfspaces), form.inputs + 1))
    return rows[:, :-1], rows[:, -1]


def round_forms(forms: Sequence[Form], exponent: int) -> FloatArray:
    """Forms, at least one, times 2^exponent or near that where float64 cannot hold them, as float64 rows, (count, d+1)."""
    return np.array([to_floats(h, in_range(h, exponent)) for h in forms])
