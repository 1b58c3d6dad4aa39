"""A network on a domain, asked about in as few coordinates as it needs."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import Any, Generic, TypeVar

import numpy as np

from lpnet.exact import Form, Point, common_integers, fraction, shortened
from lpnet.networks.affine import AffineMap, Layer, is_rescaling, onto_and_back, rescaling_and_rest
from lpnet.networks.circuit import SignCircuit
from lpnet.networks.classifier import Classifier
from lpnet.networks.exact_form import ExactForm
from lpnet.networks.normal_form import normal_form
from lpnet.networks.polyhedron import Polyhedron, as_domain
from lpnet.networks.relu import ReLUNetwork
from lpnet.networks.sign import SignNetwork
from lpnet.networks.step import StepNetwork
from lpnet.networks.trees import TreeEnsemble

Network = ReLUNetwork | SignNetwork | SignCircuit
N = TypeVar("N", bound=Network | StepNetwork | Classifier | TreeEnsemble)


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


def substituted(network: N, values: Mapping[int, Fraction]) -> N:
    """The same network with numbers in the places of some inputs, exactly: it still has these inputs, but no longer reads them.

    Scales and order of the inputs stay in front, so that the others keep their short numbers.
    """
    if not values:
        return network
    layers = network.front.layers if network.front else ()
    count = next((k for k, layer in enumerate(layers) if not is_rescaling(layer.weight)), len(layers))
    first = AffineMap(layers[:count]).composed if count else Layer(np.eye(network.inputs), np.zeros(network.inputs))
    source = (first.weight != 0).argmax(axis=1)
    fixed = {
        row: fraction(first.weight[row, j]) * values[j] + fraction(first.bias[row])
        for row, j in enumerate(source.tolist())
        if j in values
    }
    kept = np.diag([0.0 if row in fixed else 1.0 for row in range(network.inputs)])
    between = Layer(kept, shortened([fixed.get(row, 0.0) for row in range(network.inputs)]))
    front = AffineMap((*layers[:count], between, *layers[count:]))
    made: Any
    if isinstance(network, Classifier):
        made = replace(network, scores=tuple(replace(score, front=front) for score in network.scores))
    elif isinstance(network, StepNetwork):
        made = replace(network, body=replace(network.body, front=front))
    else:
        made = replace(network, front=front)
    return made.named_like(network)


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
