"""The smallest threshold network over the needed half-spaces: two layers where that can be, else a smallest DNF or CNF.

Over the needed half-spaces, f's answer is a partial Boolean function: of the sign vectors that occur
(`lpnet.circuits.classes`). Two layers do if one threshold unit computes it (`lpnet.circuits.saddle`, `.separation`). Otherwise
a second layer of conjunctions is sought that together hold just where f ≥ 0 (a DNF), or just where f < 0 (their negations are
the clauses of a CNF). One for every few convex parts of that set is found first (`lpnet.circuits.convex`), with a lower bound
from points that need terms of their own (`lpnet.circuits.fooling`). Where these differ and the half-spaces are few, the fewest
for the classes met so far follow (`lpnet.circuits.fewest`): where exact arithmetic finds a point at which they are wrong, its
class is added. What comes out is right everywhere, ties included.

Conjunctions are not all that a threshold unit can do: the bound is one for DNFs and CNFs, not for every three-layer circuit.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lpnet.brief import brief
from lpnet.circuits.boundary import Boundary
from lpnet.circuits.classes import Classes, TooLarge
from lpnet.circuits.convex import ConvexTerms
from lpnet.circuits.cover import MOST_UNITS, Signs, holds_at
from lpnet.circuits.fewest import Terms, fewest_terms, first_bound
from lpnet.circuits.fooling import FoolingSet, fooling_by_segments
from lpnet.circuits.parts import Part, parts_of
from lpnet.circuits.saddle import saddle
from lpnet.circuits.sample import Floats, floats_of, sample
from lpnet.circuits.separation import Inseparable, separate
from lpnet.exact import Form, Point
from lpnet.networks import ExactForm
from lpnet.networks.concave import deciding

MOST_CELLS = 20_000
PATIENCE = 600.0  # seconds
SEARCHED = ((0.6, 1.0), (0.1, 0.5))  # shares of the work: the terms of the second side, those of the first
SHARE = 0.6  # of a time limit, so that there is time for a circuit that is not small
Layers = Literal["two layers", "DNF", "CNF"]


@dataclass(frozen=True, eq=False)
class Logic:
    """A threshold function of half-spaces {h ≥ 0}, exactly.

    kind: "two layers": +1 where weights·z ≥ 0, z the signs of the half-spaces and a last 1; "DNF": where one of the terms
    holds; "CNF": where none of them does, so that their negations are the clauses.
    halfspaces: m integer forms; weights: (m + 1,) integers, or none; terms: (k, m), see `lpnet.circuits.cover`, or (0, m).
    """

    kind: Layers
    halfspaces: tuple[Form, ...]
    weights: tuple[int, ...]
    terms: Signs

    __repr__ = brief()

    def at(self, vectors: Signs) -> Signs:
        """The answers ±1 for sign vectors, (count, m) → (count,)."""
        if self.kind == "two layers":
            table = np.column_stack([vectors, np.ones(len(vectors), dtype=np.int8)]).astype(object)
            return np.where(table @ np.array(self.weights, dtype=object) >= 0, 1, -1).astype(np.int8)
        held = holds_at(self.terms, vectors).any(axis=0)
        return np.where(held == (self.kind == "DNF"), 1, -1).astype(np.int8)


@dataclass(frozen=True, eq=False)
class Smallest:
    """The smallest network found over the needed half-spaces, right everywhere inside the domain, ties included.

    logic: the network; inseparable: why two layers do not do, where it has three (None: left open); lower: at least so many
    second-layer units has every DNF and every CNF over these half-spaces (0 for two layers), proof: what the bound rests on
    (see `lpnet.circuits.cover.Cover`); fooling: for DNF and CNF the points that prove at least their number; programs: how many
    linear programs were solved about classes; those about convex parts are not counted.
    """

    logic: Logic
    inseparable: Inseparable | None
    lower: int
    proof: str
    fooling: tuple[FoolingSet, ...]
    programs: int

    __repr__ = brief()

    @property
    def optimal(self) -> bool:
        """Whether no DNF or CNF over the needed half-spaces has fewer terms, or two layers do."""
        return len(self.logic.terms) == self.lower


def smallest_logic(
    classes: Classes, patterns: NDArray[np.bool_], witnesses: Sequence[Point], regular: bool, patience: float = PATIENCE
) -> Smallest:
    """The smallest network over the needed half-spaces: optimal, or the best found.

    patterns: of the pieces, (pieces, n); witnesses: a point on a piece of each half-space; regular: whether {f ≥ 0} is known
    to be the closure of its interior.
    Raises Undetermined where these half-spaces do not decide f's ties, TooLarge where nothing was found within the limits: of
    linear programs, and of so many seconds for the terms of one side, or most of what the watch leaves.
    """
    halfspaces = classes.halfspaces
    form, inseparable = classes.form, None
    if isinstance(form, ExactForm):
        inseparable = saddle(form, classes.domain, halfspaces, patterns, classes.questions)
    known = terms_of_parts(classes, patterns, witnesses, patience) if regular else []
    for one in known:
        if one.terms is not None and len(one.terms) == 1:
            used = np.abs(one.terms[0]).astype(int)
            return two_layers(classes, (*used.tolist(), one.side * (1 - int(used.sum()))))
    few = len(halfspaces) <= MOST_UNITS
    if regular and not known and not few:
        raise TooLarge(f"the units take more than {MOST_CELLS:,} sign patterns")
    if few or not known or inseparable is None:
        classes.add_sides(witnesses)
    if inseparable is None:
        separation = separate(classes)
        if isinstance(separation, tuple):
            return two_layers(classes, separation)
        inseparable = separation
    if few or not known:
        first, second = known or sorted((first_bound(classes, side) for side in (1, -1)), key=lambda one: one.lower)
        first = fewest_terms(classes, first, None if second.terms is None else len(second.terms))
        second = fewest_terms(classes, second, None if first.terms is None else len(first.terms))
        known = [first, second]
    found = [(len(one.terms), one.side, one.terms) for one in known if one.terms is not None]
    if not found:
        raise TooLarge(f"no DNF or CNF was found within {classes.most_programs} linear programs")
    size, side, terms = min(found, key=lambda one: one[0])
    weakest = min(known, key=lambda one: one.lower)
    logic = Logic("DNF" if side > 0 else "CNF", halfspaces, (), terms)
    fooling = tuple(one.fooling for one in known)
    return Smallest(logic, inseparable, min(weakest.lower, size), weakest.proof, fooling, classes.questions.asked)


def two_layers(classes: Classes, weights: tuple[int, ...]) -> Smallest:
    """One output unit with these weights, w_0 last; that of a single term is the conjunction or disjunction."""
    none = np.zeros((0, len(classes.halfspaces)), dtype=np.int8)
    return Smallest(Logic("two layers", classes.halfspaces, weights, none), None, 0, "", (), classes.questions.asked)


def terms_of_parts(classes: Classes, patterns: NDArray[np.bool_], witnesses: Sequence[Point], patience: float) -> list[Terms]:
    """Terms from the convex parts of {f ≥ 0} or {f < 0}, with bounds for both; none where the parts of both are many.

    First for the side whose answer a sample finds in fewer cells; the other is tried too, unless its bound says that it does
    not help, or its parts are more than twice as many as the terms found.
    """
    form, domain, watch = classes.form, classes.domain, classes.watch
    floats = Floats(form, domain, classes.halfspaces)
    seen = sample(floats, witnesses)
    right = {side: seen.take(seen.answers == side) for side in (1, -1)}
    few = {side: len(np.unique(right[side].active[:, deciding(form, side)], axis=0)) for side in right}

    def terms_of(side: int, parts: Sequence[tuple[Part, Point]]) -> Signs:
        seconds = min(patience, SHARE * watch.left)
        boundary = Boundary(form, domain, classes.halfspaces, patterns, side, floats, witnesses)
        return ConvexTerms(classes, boundary, seen, parts, seconds, watch.part(*SEARCHED[side == first])).terms()

    for first in sorted(right, key=lambda side: few[side]):
        parts = parts_of(form, domain, first, watch.part(0.0, 0.1), patterns, cells=MOST_CELLS)
        if parts is not None:
            break
    else:
        return []
    terms = {first: terms_of(first, parts)}
    size = len(terms[first])
    inside = {first: np.array([floats_of(at) for _, at in parts]), -first: right[-first].points}
    looking = watch.part(0.5, 0.5)
    fooling = {
        side: fooling_by_segments(form, floats, inside[side], right[side].points, side, size, looking)
        for side in (first, -first)
    }
    if len(fooling[-first].points) < size:
        others = parts_of(form, domain, -first, watch.part(0.5, 0.6), patterns, 2 * size, MOST_CELLS)
        if others is not None:
            with suppress(TooLarge):  # the terms found do
                terms[-first] = terms_of(-first, others)
    return [Terms(side, terms.get(side), len(fooling[side].points), "pairs", fooling[side]) for side in (first, -first)]
