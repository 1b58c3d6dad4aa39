"""Equality of a ReLU network and a circuit that is a DNF or a CNF, term by term, ties included.

A DNF holds where one of its terms does; a CNF fails where one of its terms, the negations of its clauses, does. So the networks
are the same if and only if no term meets the network's other answer, and every convex part of its own
(`lpnet.circuits.parts`) is covered by terms: lies in one of them, or is cut along a half-space of one and both halves are.
Each question is a linear program with an exact answer; a part is asked once whether a half-space of several terms meets it.
"""

from collections.abc import Callable, Sequence
from functools import cache

import numpy as np

from lpnet.boundary.engines import find_pieces
from lpnet.circuits.parts import Cut, Part, parts_of
from lpnet.exact import Form, Point, primitive, times, value
from lpnet.networks import ExactForm, Polyhedron, SignCircuit
from lpnet.programs import Certificate
from lpnet.regions.reasons import Gate, common_forms
from lpnet.regions.search import search
from lpnet.watch import Watch

Term = tuple[Cut, ...]


def terms_of(circuit: SignCircuit) -> tuple[int, list[Term]] | None:
    """Side +1 and the terms of a DNF, side −1 and those of a CNF; None for other circuits.

    A term is a list of half-spaces, each with whether it holds on side +1, or fails on side −1.
    """
    hidden = common_forms(circuit.input_layer)
    middle = [Gate.of(weight, bias, used.tolist()) for used, weight, bias in circuit.middle_units]
    output = Gate.of(circuit.output_weight, circuit.output_bias)
    if len(output.weights) < len(middle) or any(w < 0 for _, w in output.weights) or not all(any(h[:-1]) for h in hidden):
        return None
    for side in (1, -1):
        if is_junction(output, side) and all(is_junction(gate, -side) for gate in middle):
            terms = [tuple((primitive(hidden[k]), w > 0) for k, w in gate.weights) for gate in middle]
            return side, terms
    return None


def is_junction(gate: Gate, side: int) -> bool:
    """Whether a unit is the disjunction (side +1) or conjunction (−1) of all its inputs, some perhaps negated."""
    sizes = [abs(w) for _, w in gate.weights]
    return bool(sizes) and (
        gate.bias - sum(sizes) < 0 <= gate.bias - sum(sizes) + 2 * min(sizes)
        if side > 0
        else gate.bias + sum(sizes) - 2 * min(sizes) < 0 <= gate.bias + sum(sizes)
    )


def point_of_difference(
    form: ExactForm,
    domain: Polyhedron,
    side: int,
    terms: Sequence[Term],
    watch: Watch,
    whole: Callable[[], bool] = lambda: False,
) -> Point | None:
    """A point at which the terms and the network in normal form differ; None if they are the same.

    whole: whether {f ≥ 0} is known to be the closure of its interior.
    """
    doubtful = []
    for done, term in enumerate(terms):
        share = 0.05 + 0.35 * done / len(terms)
        if not keeps_to(form, domain, side, term, whole, watch.part(share, share)):
            watch.check(share, done)
            doubtful.append(term)
    right, wrong = (parts_of(form, domain, answer, watch) if doubtful or answer == side else [] for answer in (side, -side))
    assert right is not None
    assert wrong is not None
    for done, (part, _) in enumerate(wrong):
        possible = cache(part.possible)
        for term in doubtful:
            watch.check(0.4 + 0.1 * done / len(wrong), done)
            cuts = tuple((h, not true) for h, true in term)
            if all(possible(h, true) for h, true in cuts):
                at = Part(form, domain, -side, part.chosen, cuts).point()
                if at:
                    return at
    for done, (part, _) in enumerate(right):
        found = point_outside(part, terms, watch, 0.5 + 0.5 * done / len(right))
        if found:
            return found
    return None


def keeps_to(form: ExactForm, domain: Polyhedron, side: int, term: Term, whole: Callable[[], bool], watch: Watch) -> bool:
    """Whether f has the answer `side` wherever a term holds, since no piece lies inside; False leaves it open.

    Then f keeps one sign inside but for a thin {f = 0}: with f > 0 somewhere, f ≥ 0 on the closure; with f < 0 somewhere, f < 0
    on an open term where {f ≥ 0} has no thin parts.
    """
    own = [times(1 if true == (side > 0) else -1, h) for h, true in term]
    region = Polyhedron(form.inputs, (*own, *domain.inequalities()))
    inside = region.interior
    if isinstance(inside, Certificate) or form.sign_at(inside) != side:
        return False
    if side < 0 and not (all(true for _, true in term) and whole()):
        return False
    watch.max_pieces = 0  # one is enough
    pieces, _, _ = find_pieces(form, region, watch)
    return pieces.complete and not len(pieces.patterns)


def point_outside(part: Part, terms: Sequence[Term], watch: Watch, share: float) -> Point | None:
    """A point of a part in none of the terms; None if they cover it."""

    def look(at: Point, part: Part) -> tuple[Point | None, Term]:
        holding = sorted((term for term in terms if holds(term, part.side, at)), key=len)
        if not holding:
            return at, ()
        return None, () if any(part_within(part, term, watch, share) for term in holding) else holding[0]

    for _, at in search(part, Part.point, look, Part.cut):
        watch.check(share, len(terms))
        if at:
            return at
    return None


def part_within(part: Part, term: Term, watch: Watch, share: float) -> bool:
    """Whether a term holds all over a part."""
    watch.check(share, len(term))
    return not any(part.without(*cut) for cut in term)


def holds(term: Term, side: int, at: Point) -> bool:
    """Whether a term holds at a point."""
    return all(((value(h, at) >= 0) == (side > 0)) == true for h, true in term)


def missing(needed: Sequence[Form], circuit_forms: Sequence[Form]) -> list[int]:
    """Which needed half-spaces have their hyperplane nowhere among those of a circuit."""
    known = {primitive(h) for h in circuit_forms}
    known |= {tuple(-entry for entry in h) for h in known}
    return np.flatnonzero([primitive(h) not in known for h in needed]).tolist()
