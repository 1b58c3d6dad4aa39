"""From needed half-spaces to a whole threshold network in float64."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from threadpoolctl import threadpool_limits

from lpnet.brief import brief
from lpnet.circuits.classes import Classes, TooLarge, Undetermined
from lpnet.circuits.smallest import Logic, Smallest, smallest_logic
from lpnet.circuits.theorem1 import ReducedDnf, reduced_dnf
from lpnet.exact import FloatArray, Form, in_range, to_floats
from lpnet.networks import ExactForm, SignCircuit, SignNetwork
from lpnet.regions.regularity import regular
from lpnet.watch import Watch

if TYPE_CHECKING:
    from lpnet.equivalents.minimal import MinimalEquivalent

MOST_PROGRAMS = 5_000


@dataclass(frozen=True, eq=False)
class ThresholdEquivalent:
    """A threshold network with the decisions of a ReLU network everywhere in its (open) domain, ties included.

    network: with weights rounded to float64, so that decisions nearer to the boundary than that may differ;
    kind: "constant", "two layers", "DNF" or "CNF", all over just the needed half-spaces, or "Theorem 1", its disjunction of
    conjunctions without redundant inequalities and conjuncts, over more of them; why: why no better kind; smallest: what was
    found over the needed half-spaces, exactly and with its evidence, where that had to be searched for; reduced: Theorem 1's
    disjunction exactly, where the network is that.
    """

    network: SignNetwork | SignCircuit
    kind: str
    why: str = ""
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
        if self.kind == "Theorem 1":
            return None
        return self.smallest.lower if self.smallest else 0


def threshold_equivalent(answer: MinimalEquivalent, watch: Watch) -> ThresholdEquivalent:
    """The smallest threshold network found over the needed half-spaces, or Theorem 1's where they do not decide the ties (or,
    with thousands of cells of the units of either sign, where thousands of linear programs were not enough).

    A convex f is the disjunction of its needed half-spaces, a concave one the conjunction ([PS16] Theorem 1 with N or P empty).
    """
    form, inputs = answer.form, answer.form.inputs
    if answer.units and (form.convex or form.concave):
        layer = SignNetwork.disjunction if form.convex else SignNetwork.conjunction
        return ThresholdEquivalent(layer(answer.hidden_weight, answer.hidden_bias), "two layers")
    if answer.constant == 1:
        return ThresholdEquivalent(SignNetwork(np.zeros((0, inputs)), np.zeros(0), np.zeros(0), 1), "constant")
    classes = Classes(form, answer.domain, answer.find_halfspaces(watch.part(0.0, 0.1)), watch, MOST_PROGRAMS)
    try:
        if answer.constant == -1:
            if not classes.missed(np.zeros((0, 0), dtype=np.int8), 1):
                return ThresholdEquivalent(SignNetwork(np.zeros((0, inputs)), np.zeros(0), np.zeros(0), -1), "constant")
            why = "the network is +1 on a set without interior, which half-spaces alone do not describe"
        else:
            settled = regular(form, answer.domain, answer.pieces, answer.engine, classes.questions, watch)
            with threadpool_limits(1):  # small matrices: threads would only wait for each other
                witnesses = answer.find_witnesses(range(answer.units), watch.part(0.0, 0.1))
                smallest = smallest_logic(classes, answer.pieces.patterns, witnesses, settled)
            return ThresholdEquivalent(network_of(smallest.logic, form), smallest.logic.kind, smallest=smallest)
    except (Undetermined, TooLarge) as error:
        why = str(error)
    reduced = reduced_dnf(form, answer.domain, answer.pieces.patterns, watch)
    return ThresholdEquivalent(reduced_network(reduced, form), "Theorem 1", why, reduced=reduced)


def network_of(logic: Logic, form: ExactForm) -> SignNetwork | SignCircuit:
    """The logic as a network: a term is sgn(1 − |t| + t·z), a clause, its negation, sgn(|t| − 1 − t·z)."""
    rows = round_forms(logic.halfspaces, form)
    if logic.kind == "two layers":
        return SignNetwork(rows[:, :-1], rows[:, -1], np.array(logic.weights[:-1], dtype=float), float(logic.weights[-1]))
    side, terms = 1 if logic.kind == "DNF" else -1, logic.terms.astype(float)
    count = len(terms)
    bias = side * (1 - np.abs(terms).sum(axis=1))
    return SignCircuit(rows[:, :-1], rows[:, -1], side * terms, bias, np.ones(count), side * (count - 1))


def reduced_network(reduced: ReducedDnf, form: ExactForm) -> SignNetwork | SignCircuit:
    """Theorem 1's disjunction without what is redundant in it as a network, of two layers if it is a mere OR or AND."""
    rows = round_forms(reduced.halfspaces, form)
    weight, bias = rows[:, :-1], rows[:, -1]
    if len(reduced.terms) == 1:
        return SignNetwork.conjunction(weight, bias)
    if all(len(term) == 1 for term in reduced.terms):
        return SignNetwork.disjunction(weight, bias)
    return SignCircuit.dnf(weight, bias, reduced.terms)


def round_forms(forms: tuple[Form, ...], form: ExactForm) -> FloatArray:
    """Forms in the units of `form` as float64 rows, (count, d+1)."""
    return np.array([to_floats(h, in_range(h, form.exponent)) for h in forms]).reshape(len(forms), form.inputs + 1)
