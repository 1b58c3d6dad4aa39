"""Two decisions at once: threshold circuits over rows that are affine in the inputs and the ReLUs of one network."""

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from lpnet.errors import InputError
from lpnet.exact import Numbers, fractions, shortened
from lpnet.networks.affine import Layer
from lpnet.networks.arrays import full
from lpnet.networks.circuit import SignCircuit
from lpnet.networks.classifier import Classifier
from lpnet.networks.relu import ReLUNetwork
from lpnet.networks.sign import SignNetwork
from lpnet.networks.sketch import Quantity, Sketch, smaller_score, times, total
from lpnet.networks.step import StepNetwork
from lpnet.networks.step_form import RELU, STRICT, StepForm

Circuit = tuple[Layer, ...]
Network = ReLUNetwork | SignNetwork | SignCircuit | StepNetwork


class Claim(NamedTuple):
    """That two decisions are the same.

    network: its ReLUs; its score is negative only where they differ, if it has ReLUs of both; rows: (n, d + ReLUs) and biases;
    decisions: for each, layers of threshold units over the signs of the rows, sgn(0) = +1, the last one of one unit.
    """

    network: ReLUNetwork
    rows: Layer
    decisions: tuple[Circuit, Circuit]


def same(first: Network, second: Network) -> Claim:
    """That two networks are the same, of any kinds."""
    sketch = Sketch(first.inputs)
    parts = [decision(network, sketch) for network in (first, second)]
    (rows_a, _), (rows_b, _) = parts
    scores = [rows[0] for (rows, _), network in zip(parts, (first, second), strict=True) if isinstance(network, ReLUNetwork)]
    f: Quantity = smaller_score(sketch, *scores) if len(scores) == 2 else scores[0] if scores else {}
    network, rows = sketch.with_rows(f, [*rows_a, *rows_b])
    before, made = 0, list[Circuit]()
    for own, (layer, *later) in parts:
        weight = np.zeros((len(layer.bias), len(rows.bias)), dtype=layer.weight.dtype)
        weight[:, before : before + len(own)] = layer.weight
        made.append((Layer(weight, layer.bias), *later))
        before += len(own)
    return Claim(network, rows, (made[0], made[1]))


def same_classes(first: Classifier, second: Classifier) -> Claim:
    """That two classifiers, of any kinds, have the same class: for one class, an output of each wins that speaks for it.

    The second decision is +1 everywhere. The network's score is negative only where outputs of different numbers win, if it has
    ReLUs of both, and 0 only where outputs are equal, if it has those of one.
    """
    sketch = Sketch(first.inputs)
    cuts = [cuts_of(classifier, sketch) for classifier in (first, second)]
    parts = [winners(classifier, sketch) for classifier in (first, second)]
    if all(cuts) and len(cuts[0]) == len(cuts[1]):
        f = sketch.minimum(*(smaller_score(sketch, *pair) for pair in zip(*cuts, strict=True)))
    else:
        own = cuts[0] or cuts[1]
        f = sketch.maximum(*(total([z, times(-2, sketch.relu(z))]) for z in own)) if own else {}  # −min |z|
    network, rows = sketch.with_rows(f, [row for own, _ in parts for row in own])
    longest = max(len(layers) for _, layers in parts)
    layers = [beside(*pair) for pair in zip(*(lengthened(len(own), made, longest) for own, made in parts), strict=True)]
    pairs = [(o, p) for o, c in enumerate(first.classes) for p, other in enumerate(second.classes) if c == other]
    both = np.zeros((len(pairs), len(first.classes) + len(second.classes)))
    for row, (o, p) in zip(both, pairs, strict=True):
        row[[o, len(first.classes) + p]] = 1.0
    layers += [Layer(both, np.full(len(pairs), -2.0)), Layer(np.ones((1, len(pairs))), np.array([len(pairs) - 2.0]))]
    yes = Layer(np.zeros((1, len(rows.bias))), np.array([1.0]))
    return Claim(network, rows, (tuple(layers), (yes,)))


def cuts_of(classifier: Classifier, sketch: Sketch) -> list[Quantity]:
    """The largest of the first outputs less the largest of the others, for any number of them; none without ReLUs."""
    if not isinstance(classifier.scores[0], ReLUNetwork):
        return []
    scores = [sketch.score(score) for score in classifier.scores]
    sides = ((scores[:k], scores[k:]) for k in range(1, len(scores)))
    return [total([sketch.maximum(*before), times(-1, sketch.maximum(*behind))]) for before, behind in sides]


def winners(classifier: Classifier, sketch: Sketch) -> tuple[list[Quantity], list[Layer]]:
    """Rows, and layers over their signs, the last one with a unit for each output that is +1 where it is the first largest."""
    count = len(classifier.scores)
    outputs = np.arange(count)
    if isinstance(classifier.scores[0], ReLUNetwork):
        pairs = [(o, p) for o in range(count) for p in range(o + 1, count)]
        scores = [sketch.score(score) for score in classifier.scores]
        rows = [total([scores[o], times(-1, scores[p])]) for o, p in pairs]
        weight = np.array([[float(o == k) - float(p == k) for o, p in pairs] for k in outputs])
        return rows, [Layer(weight, np.full(count, 1.0 - count))]
    rows, made = decision(classifier.scores[0], sketch)
    last = [decision(score, sketch)[1][-1] for score in classifier.scores]
    answers = Layer(np.vstack([layer.weight for layer in last]), np.concatenate([layer.bias for layer in last]))
    first = np.where(outputs < outputs[:, None], -1.0, 0.0) + np.eye(count)  # +1 there, and −1 at those before
    bias = -np.arange(count, dtype=float)
    first[0], bias[0] = np.where(outputs == 0, count, -1.0), 1.0  # where none is +1 it is the first one, too
    return rows, [*made[:-1], answers, Layer(first, bias)]


def lengthened(rows: int, layers: list[Layer], length: int) -> list[Layer]:
    """As many layers: units that hand the signs of rows on come first."""
    return [Layer(np.eye(rows), np.zeros(rows))] * (length - len(layers)) + layers


def beside(first: Layer, second: Layer) -> Layer:
    """A layer of two parts that do not read each other."""
    left = np.concatenate([first.weight, np.zeros((len(first.bias), second.weight.shape[1]))], axis=1)
    right = np.concatenate([np.zeros((len(second.bias), first.weight.shape[1])), second.weight], axis=1)
    return Layer(np.concatenate([left, right]), np.concatenate([first.bias, second.bias]))


def decision(network: Network, sketch: Sketch) -> tuple[list[Quantity], list[Layer]]:
    """The rows of a network in terms of a sketch, and what is made of their signs."""
    if isinstance(network, ReLUNetwork):
        return [sketch.score(network)], [layer([[1.0]], [0.0])]
    if isinstance(network, StepNetwork):
        return steps_decision(network.exact_form, sketch)
    first = network.input_layer
    rows = [sketch.affine(weight, bias) for weight, bias in zip(first.weight, first.bias, strict=True)]
    middle = [Layer(full(network.middle_weight), network.middle_bias)] if isinstance(network, SignCircuit) else []
    return rows, [*middle, layer([network.output_weight], [network.output_bias])]


def steps_decision(form: StepForm, sketch: Sketch) -> tuple[list[Quantity], list[Layer]]:
    """The same of ReLUs and steps: rows are the steps that read inputs and ReLUs, and layers of units the others.

    g = (1 + s) / 2, s = ±1, and where z > 0 is asked for, s is −sgn(−z). Raises InputError for a step that reads both ReLUs or
    inputs and steps, or steps of different levels, and for a ReLU that reads steps.
    """
    outputs, rows, place = dict[int, Quantity](), list[Quantity](), dict[int, tuple[int, int]]()
    layers = list[list[tuple[dict[int, int], int]]]()
    for k, (own, links, gate) in enumerate(zip(form.units, form.links, form.gates, strict=True)):
        side = -1 if gate == STRICT else 1
        if all(form.gates[j] == RELU for j, _ in links):
            z = total([sketch.affine(own[:-1], own[-1]), *(times(c, outputs[j]) for j, c in links)])
            if gate == RELU:
                outputs[k] = sketch.relu(z)
            else:
                place[k] = -1, len(rows)
                rows.append(times(side, z))
            continue
        levels = {place[j][0] if j in place else None for j, _ in links}
        if gate == RELU or any(own[:-1]) or len(levels) > 1 or None in levels:
            raise InputError("a proof is about ReLUs followed by layers of steps, each of which reads the one before alone")
        (level,) = levels
        assert level is not None
        signs = {place[j][1]: side * c * (-1 if form.gates[j] == STRICT else 1) for j, c in links}
        layers += [[]] if level + 1 == len(layers) else []
        place[k] = level + 1, len(layers[level + 1])
        layers[level + 1].append((signs, side * (2 * own[-1] + sum(c for _, c in links))))
    widths = [len(rows), *map(len, layers)]
    made = [table(own, width) for own, width in zip(layers, widths, strict=False)]
    return rows, made or [layer([[1.0]], [0.0])]


def table(units: Sequence[tuple[dict[int, int], int]], width: int) -> Layer:
    """Units of so many inputs, given by their weights and biases, as a layer."""
    weights = [[Fraction(read.get(j, 0)) for j in range(width)] for read, _ in units]
    return Layer(fractions([w for row in weights for w in row], (len(units), width)), shortened([b for _, b in units]))


def layer(weight: Sequence[Numbers | Sequence[float]], bias: Sequence[object]) -> Layer:
    """A layer of numbers of any kind."""
    made = np.array(bias)
    return Layer(np.array(weight).reshape(len(made), -1), made)
