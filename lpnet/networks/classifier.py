"""ReLU networks with several outputs: the class of the largest one, or of the least, or of a group of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lpnet.brief import brief
from lpnet.errors import InputError
from lpnet.exact import Numbers, point, shortened
from lpnet.networks.affine import AffineMap, Layer
from lpnet.networks.arrays import as_points, full
from lpnet.networks.batches import or_single
from lpnet.networks.circuit import SignCircuit
from lpnet.networks.decision import Decision, normal_decision
from lpnet.networks.exact_form import ExactForm, shared_form
from lpnet.networks.named import Named
from lpnet.networks.polyhedron import Polyhedron, as_domain
from lpnet.networks.relu import ReLUNetwork


@dataclass(frozen=True, eq=False)
class Classifier(Named):
    """The class of the first output with the largest score; the scores are networks of one kind with the same hidden layers.

    scores: s_o, k ≥ 2 of them, the one that wins ties first; of threshold networks the answers ±1 are the scores;
    classes: for which class each speaks, default 0 … k − 1;
    names: of the classes. `of_layers` makes it of layers; `least` and `group` are other ways to decide by the same scores.
    Raises InputError where the scores have different hidden layers.
    """

    scores: tuple[Any, ...]
    classes: tuple[int, ...] = ()
    names: tuple[str, ...] = ()

    __repr__ = brief("inputs", "relus")

    def __post_init__(self) -> None:
        first, *others = self.scores
        if not others:
            raise InputError("scores: wanted two at least, got one; its sign is a decision of two classes")
        for other in others:
            if not _same_body(first, other):
                raise InputError("scores: wanted the same hidden layers in all of them")
        classes = tuple(self.classes) or tuple(range(len(self.scores)))
        names = tuple(self.names) or tuple(map(str, range(max(classes) + 1)))
        if len(classes) != len(self.scores) or not set(classes) <= set(range(len(names))):
            raise InputError(f"classes: wanted one for each of the {len(self.scores)} scores, numbers of {len(names)} names")
        object.__setattr__(self, "classes", classes)
        object.__setattr__(self, "names", names)

    @classmethod
    def of_layers(
        cls, layers: Sequence[tuple[Any, Any]], front: AffineMap | None = None, names: Sequence[str] = ()
    ) -> "Classifier":
        """The classifier of dense layers (weight (n_i, n_{i−1}), bias (n_i,)), the last one of the scores, (k, n) and (k,)."""
        *hidden, (weight, bias) = layers
        body = ReLUNetwork.of_layers([*hidden, (np.zeros(np.shape(weight)[1]), 0.0)], front)
        skipped = len(body.output_weight) - np.shape(weight)[1]
        rows = [np.concatenate([np.zeros(skipped), row]) for row in np.asarray(weight)]
        scores = (replace(body, output_weight=w, output_bias=b) for w, b in zip(rows, bias, strict=True))
        return cls(tuple(scores), (), tuple(names))

    @property
    def inputs(self) -> int:
        """d."""
        return int(self.scores[0].inputs)

    @property
    def relus(self) -> int:
        """n, the number of hidden ReLUs, of all layers."""
        return int(self.scores[0].relus) if isinstance(self.scores[0], ReLUNetwork) else 0

    @property
    def widths(self) -> tuple[int, ...]:
        """The numbers of units of the hidden layers."""
        return tuple(self.scores[0].widths)

    @property
    def front(self) -> AffineMap | None:
        """The map from the inputs to what the first layer reads."""
        front: AffineMap | None = self.scores[0].front
        return front

    def behind(self, back: Layer | None) -> "Classifier":
        """The classifier of y, z = back(y), without a front; None for z = y."""
        return replace(self, scores=tuple(score.behind(back) for score in self.scores))

    def least(self) -> "Classifier":
        """The class of the first output with the least score, as networks that give costs are read."""
        return replace(self, scores=tuple(map(_negated, self.scores)))

    def group(self, members: Sequence[int], name: str, rest: str) -> "Classifier":
        """Whether the class is one of some, or one of the rest: two classes, the group first, which wins their ties."""
        inside = [c in set(members) for c in self.classes]
        if all(inside) or not any(inside):
            raise InputError(f"group: wanted some but not all of the classes 0 to {len(self.names) - 1}, got {list(members)}")
        order = sorted(range(len(inside)), key=lambda o: not inside[o])
        return Classifier(tuple(self.scores[o] for o in order), tuple(int(not inside[o]) for o in order), (name, rest))

    def form_against(self, number: int) -> ExactForm:
        """A form that is ≥ 0 where no score exceeds all of a class: its largest less the largest of the others."""
        return self.exact_form.against([o for o, c in enumerate(self.classes) if c == number])

    @cached_property
    def all_outputs(self) -> tuple[list[tuple[int, ...]], list[tuple[int, ...]], Any]:
        """Affine parts and weights of the scores, and the units, in integers (`shared_form`)."""
        *hidden, _ = (layer.rows for layer in self.scores[0].layers)
        outputs = np.vstack([score.layers[-1].rows for score in self.scores])
        return shared_form(hidden, outputs, self.inputs)

    @cached_property
    def exact_form(self) -> Decision:
        """The decision in integers, of all units and outputs as they are given."""
        affine, weights, body = self.all_outputs
        return Decision(body, tuple(affine), tuple(weights), self.classes)

    def normal_form(self, domain: Polyhedron | None = None) -> Decision:
        """The decision in normal form on a domain (default: all of R^d)."""
        affine, weights, body = self.all_outputs
        return normal_decision(affine, weights, body, self.classes, as_domain(domain, self.inputs))

    @or_single
    def __call__(self, points: Any) -> NDArray[np.intp]:
        """The classes; (batch, d) → (batch,), and for a single point (d,) → ().

        Never wrong by rounding: what the floating-point error bounds leave in doubt is settled in integers.
        """
        points = as_points(points, self.inputs)
        if not isinstance(self.scores[0], ReLUNetwork):
            answers = np.stack([score(points) for score in self.scores])
            return np.array(self.classes)[answers.argmax(axis=0)]
        followed = [score._followed(points)[2:] for score in self.scores]
        values, doubts = (np.stack(part) for part in zip(*followed, strict=True))
        best = values.argmax(axis=0)
        columns = np.arange(len(points))
        others = values + doubts
        others[best, columns] = -np.inf
        clear = values[best, columns] - doubts[best, columns] > others.max(axis=0)
        answer = np.array(self.classes)[best]
        for row in np.flatnonzero(~clear):
            answer[row] = self.exact_form.class_at(point(points[row]))
        return answer


def network_of_form(form: ExactForm) -> ReLUNetwork:
    """The network with this form, up to its scale; levels as they are in it."""
    made, d = list[Layer](), form.inputs
    for units in form.levels:
        table = np.zeros((len(units), d + units.start), dtype=object)
        for row, k in enumerate(units):
            table[row, :d] = form.units[k][:-1]
            for j, c in form.links[k] if form.links else ():
                table[row, d + j] = c
        made.append(Layer(shortened(table), shortened([form.units[k][-1] for k in units])))
    first, *deeper = made
    weights, skip = shortened(list(form.signs)), shortened(list(form.affine[:-1]))
    return ReLUNetwork(first.weight, first.bias, weights, Fraction(form.affine[-1]), None, tuple(deeper), skip)


def _same_body(left: Any, right: Any) -> bool:
    """Whether two networks are of one kind and have the same hidden layers behind the same front."""
    if type(left) is not type(right) or (left.front is None) != (right.front is None):
        return False
    bodies = [list(_body(network)) for network in (left, right)]
    return len(bodies[0]) == len(bodies[1]) and all(map(_equal, *bodies))


def _body(network: Any) -> Iterator[Numbers]:
    """All numbers of a network but those of its output."""
    lists = [network.front.layers if network.front else (), getattr(network, "deeper", ())]
    for layer in (network.hidden_layer, *lists[0], *lists[1]):
        yield from (layer.weight, layer.bias)
    if isinstance(network, SignCircuit):
        yield from (network.middle_weight, network.middle_bias)


def _equal(left: Numbers, right: Numbers) -> bool:
    return left is right or (left.shape == right.shape and bool((full(left) == full(right)).all()))


def _negated(score: ReLUNetwork) -> ReLUNetwork:
    skip = None if score.skip is None else -score.skip
    return replace(score, output_weight=-score.output_weight, output_bias=-score.output_bias, skip=skip)
