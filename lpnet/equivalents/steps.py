"""The minimal threshold equivalent of a network with gates that jump: ReLUs and steps in any mixture, of any depth.

What is needed, and how far that suffices: `lpnet.boundary.steps.facets`.
"""

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from lpnet.boundary.steps import Facets, find_facets
from lpnet.boundary.steps.faces import Classes, find_classes
from lpnet.brief import brief
from lpnet.circuits.classes import TooLarge
from lpnet.circuits.cover import smallest_cover
from lpnet.circuits.separation import Inseparable, separating_weights
from lpnet.circuits.smallest import Logic, Smallest
from lpnet.equivalents.needed import Needed
from lpnet.equivalents.threshold import ThresholdEquivalent, constant, network_of
from lpnet.exact import FloatArray, Form, Numbers, Point, fraction, fractions, primitive, sign, times, value
from lpnet.networks import Polyhedron, SignCircuit, SignNetwork
from lpnet.networks.affine import Layer
from lpnet.networks.examples import Examples
from lpnet.networks.polyhedron import as_domain
from lpnet.networks.question import Question, question
from lpnet.networks.step import StepNetwork
from lpnet.networks.step_form import STEP, StepForm
from lpnet.programs import Certificate
from lpnet.watch import Watch

log = logging.getLogger(__name__)
MOST_FACES = 20_000  # that are looked at for ties and circuits


@dataclass(frozen=True, eq=False)
class MinimalSteps(Needed):
    """The needed half-spaces of a network of ReLUs and steps on a domain (`lpnet.boundary.steps.facets`).

    On a hyperplane both {h ≥ 0} and {h ≤ 0} may be needed. They tell the answers off a set of measure zero, and everywhere
    where `exception` is None. If the search was stopped (`complete` False), they are those found so far.

    network, domain, question, form, first_piece, constant, seconds, examples: as in `MinimalEquivalent`;
    pieces: the facets found.
    """

    network: StepNetwork
    domain: Polyhedron
    question: Question[StepNetwork]
    form: StepForm
    pieces: Facets
    first_piece: NDArray[np.intp]
    constant: int | None
    seconds: float
    examples: Examples | None = None

    __repr__ = brief("units", "complete")

    @property
    def slits(self) -> int:
        """How many of the facets have the same answer on both sides, and the other one on them."""
        return sum(facet.slit for facet in self.pieces.facets)

    def find_halfspaces(self, watch: Watch) -> tuple[Form, ...]:
        """The needed half-spaces in the coordinates of `form`, primitive."""
        return tuple(self.pieces.halfspaces)

    @cached_property
    def classes(self) -> Classes:
        """The classes of points that the needed half-spaces tell apart, as far as MOST_FACES faces show them."""
        return self.find_classes(Watch())

    def find_classes(self, watch: Watch, most: int = MOST_FACES) -> Classes:
        """`classes`, with somebody looking on, or with fewer faces."""
        self._check_complete()
        known: Classes | None = self.__dict__.get("classes")
        if known:
            return known
        found = find_classes(self.form, self.question.domain, self.find_halfspaces(watch), watch, most)
        if found.complete:
            self.__dict__["classes"] = found
        return found

    @property
    def exception(self) -> tuple[Point, Point] | None:
        """Two points with the same signs on the needed half-spaces and different answers; None if there are none.

        Raises TooLarge where that was left open.
        """
        return self.exception_in(self.classes)

    def exception_in(self, classes: Classes) -> tuple[Point, Point] | None:
        """The same by these classes."""
        if classes.conflicts:
            first, second = map(self.question.lifted, classes.conflicts[0])
            return first, second
        if not classes.complete:
            raise TooLarge(f"more than {classes.faces - 1:,} faces")
        return None

    def rows(self, halfspaces: Sequence[Form]) -> tuple[Numbers, Numbers]:
        """Weights and biases of half-spaces: as in the network's first layer, where they are there, else near 1; exactly."""
        return as_given(halfspaces, self.question.network.body.hidden_layer)

    @cached_property
    def _rounded(self) -> FloatArray:
        return np.column_stack(self.hidden_layer.floats)

    @cached_property
    def equivalent(self) -> SignNetwork | SignCircuit:
        """A threshold network with the same answers everywhere in the (open) domain, as `build_equivalent` makes it."""
        return self.build_equivalent().network

    def build_equivalent(self, watch: Watch | None = None) -> ThresholdEquivalent:
        """The smallest two layers, DNF or CNF found on the needed half-spaces, and on more where these do not tell all answers.

        Raises TooLarge where more than MOST_FACES faces would have to be looked at.
        """
        built = steps_equivalent(self, watch or Watch())
        return replace(built, network=built.network.named_like(self.network))


def minimal_steps(network: StepNetwork, domain: Polyhedron | None = None, watch: Watch | None = None) -> MinimalSteps:
    """Find the needed half-spaces of a network of ReLUs and steps on a domain (default: all of R^d)."""
    started = time.perf_counter()
    domain = as_domain(domain, network.inputs)
    asked = question(network, domain)
    form = asked.network.exact_form
    found = find_facets(form, asked.domain, watch)
    first = np.array(list(found.halfspaces.values()), dtype=np.intp)
    constant = None if len(first) or not found.complete else 1 if found.positive else -1
    seconds = time.perf_counter() - started
    log.debug("%d cells, %d facets, %d half-spaces in %.3g s", found.cells, len(found.facets), len(first), seconds)
    return MinimalSteps(network, domain, asked, form, found, first, constant, seconds)


def steps_equivalent(answer: MinimalSteps, watch: Watch) -> ThresholdEquivalent:
    """The smallest threshold network found over the needed half-spaces, and those of units that tell exceptions apart."""
    form, domain, onto = answer.form, answer.question.domain, answer.question.onto
    classes, more = answer.find_classes(watch.part(0.0, 0.5)), list[Form]()
    while True:
        if not classes.complete:
            watch.check(0.5, classes.faces)
            raise TooLarge(f"more than {MOST_FACES:,} faces")
        if not classes.conflicts:
            break
        more.append(separator(form, *classes.conflicts[0]))
        classes = find_classes(form, domain, [*answer.find_halfspaces(watch), *more], watch.part(0.5, 0.5), MOST_FACES)
    why = f"{len(more)} half-spaces more, for ties that the needed ones do not tell" if more else ""
    if not classes.halfspaces:
        ((side, _),) = classes.answers.values()
        return ThresholdEquivalent(constant(form.inputs, side, onto), "constant")
    smallest = smallest_of(classes)
    network = network_of(smallest.logic, answer.rows(smallest.logic.halfspaces), onto)
    return ThresholdEquivalent(network, smallest.logic.kind, why, smallest)


def smallest_of(classes: Classes) -> Smallest:
    """The smallest logic of classes that are all there are: two layers if one output unit can do it, else a DNF or CNF."""
    answers = np.array([side for side, _ in classes.answers.values()], dtype=np.int8)
    halfspaces, none = classes.halfspaces, np.zeros((0, len(classes.halfspaces)), dtype=np.int8)
    weights = separating_weights(classes.vectors, answers)
    if not isinstance(weights, Certificate):
        return Smallest(Logic("two layers", halfspaces, weights, none), None, 0, "", (), 0)
    points = [at for _, at in classes.answers.values()]
    members, multipliers = zip(*weights.multipliers, strict=True)
    inseparable = Inseparable(tuple(points[i] for i in members), multipliers)
    covers = {side: smallest_cover(classes.of(side), classes.of(-side)) for side in (1, -1)}
    side = min(covers, key=lambda side: len(covers[side].terms))
    weakest, terms = min(covers.values(), key=lambda cover: cover.lower), covers[side].terms
    logic = Logic("DNF" if side > 0 else "CNF", halfspaces, (), terms)
    return Smallest(logic, inseparable, min(weakest.lower, len(terms)), weakest.proof, (), 0)


def separator(form: StepForm, first: Point, second: Point) -> Form:
    """The half-space of a unit that is active at just one of two points, where those before it are alike."""
    values = zip(*(map(sign, form.units_at(at)) for at in (first, second)), strict=True)
    k = next(k for k, (p, q) in enumerate(values) if form.active(k, p) != form.active(k, q))
    _, rows = form.unfolded(lambda row: sign(value(row, first)))
    return primitive(times(1 if form.gates[k] == STEP else -1, rows[k]))


def as_given(halfspaces: Sequence[Form], layer: Layer) -> tuple[Numbers, Numbers]:
    """Weights and biases of primitive half-spaces, (m, d), (m,): as a layer has them, or turned round, else divided by 2^e."""
    known = {primitive(h): row for h, row in zip(layer.forms, layer.rows, strict=True)}
    made = list[object]()
    for h in halfspaces:
        turned = times(-1, h)
        if h in known or turned in known:
            made += [fraction(entry) * (1 if h in known else -1) for entry in known.get(h, known.get(turned, ()))]
        else:
            made += [fraction(entry) / (1 << max(0, max(map(abs, h)).bit_length() - 1)) for entry in h]
    rows = fractions(made, (len(halfspaces), layer.rows.shape[1]))
    return rows[:, :-1], rows[:, -1]
