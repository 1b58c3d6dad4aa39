"""A network on a domain, asked about in as few coordinates as it needs."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, TypeVar

import numpy as np

from lpnet.exact import Form, Point, common_integers, fraction
from lpnet.networks.affine import AffineMap, onto_and_back, rescaling_and_rest
from lpnet.networks.circuit import SignCircuit
from lpnet.networks.classifier import Classifier
from lpnet.networks.exact_form import ExactForm
from lpnet.networks.normal_form import normal_form
from lpnet.networks.polyhedron import Polyhedron, as_domain
from lpnet.networks.relu import ReLUNetwork
from lpnet.networks.sign import SignNetwork
from lpnet.networks.step import StepNetwork

Network = ReLUNetwork | SignNetwork | SignCircuit
N = TypeVar("N", bound=Network | StepNetwork | Classifier)


@dataclass(frozen=True, eq=False)
class Question(Generic[N]):
    """f(x) = g(y), y = A x + a: what is true of g on the image of a domain is true of f on the domain.

    On all of R^d, y are the outputs of the network's front, or where that is not onto, some of them that determine the rest.
    Such a map takes open sets to open sets, so that g has the pieces of f: {h ≥ 0} is needed for g just where
    {h(A x + a) ≥ 0} is for f. On a part of R^d only the inputs' scales, order and zeros may change.

    network: g, which has no front; domain: of y; onto: the map, or None where y = x.
    """

    network: N
    domain: Polyhedron
    onto: AffineMap | None

    @cached_property
    def form(self) -> ExactForm:
        """The normal form of g on its domain, of a ReLU network."""
        assert isinstance(self.network, ReLUNetwork)
        return normal_form(self.network, self.domain)

    def pulled(self, form: Form) -> Form:
        """A form of y as one of x, times a positive number."""
        return self.onto.pulled(form) if self.onto else form

    def lifted(self, point: Point) -> Point:
        """A point x for a point y."""
        return self.onto.lifted(point) if self.onto else point


def question(network: N, domain: Polyhedron | None = None) -> Question[N]:
    """The question about a network on a domain (default: all of R^d) behind its front."""
    domain = as_domain(domain, network.inputs)
    if network.front is None:
        return Question(network, domain, None)
    everywhere = not domain.inequalities()
    onto, back = (onto_and_back if everywhere else rescaling_and_rest)(network.front)
    behind: Any = network.behind(back)
    if onto is None:
        return Question(behind, domain, None)
    return Question(behind, as_domain(None, onto.outputs) if everywhere else image(domain, onto), onto)


def common_questions(left: N, right: N, domain: Polyhedron) -> tuple[Question[N], Question[N]]:
    """The questions about two networks in the same coordinates: behind their fronts where these agree, else the inputs."""
    first, second = question(left, domain), question(right, domain)
    fronts = [asked.onto.composed.rows for asked in (first, second) if asked.onto]
    if not fronts or (len(fronts) == 2 and fronts[0].shape == fronts[1].shape and bool((fronts[0] == fronts[1]).all())):
        return first, second
    return Question(folded(left), domain, None), Question(folded(right), domain, None)


def folded(network: N) -> N:
    """The same network without a front, its first layer one of the inputs themselves."""
    made: Any = network.behind(network.front.composed if network.front else None)
    return made


def image(domain: Polyhedron, rescaling: AffineMap) -> Polyhedron:
    """The image of a domain under a change of the inputs' scales, order and zeros."""
    weight, bias = rescaling.composed.weight, rescaling.composed.bias
    source = [int(j) for j in (weight != 0).argmax(axis=1)]
    scale = [fraction(row[j]) for row, j in zip(weight, source, strict=True)]

    def moved(h: Form) -> Form:
        entries = [h[j] / z for j, z in zip(source, scale, strict=True)]
        constant = h[-1] - sum(e * fraction(b) for e, b in zip(entries, bias, strict=True))
        return tuple(common_integers(np.array([*entries, constant], dtype=object))[0])

    return Polyhedron(len(source), tuple(map(moved, domain.inequalities())))
