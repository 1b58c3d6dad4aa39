"""Two decisions at once: threshold circuits over rows that are affine in the inputs and the ReLUs of one network."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from lpnet.exact import Numbers
from lpnet.networks.affine import Layer
from lpnet.networks.arrays import full
from lpnet.networks.circuit import SignCircuit
from lpnet.networks.relu import ReLUNetwork
from lpnet.networks.sign import SignNetwork
from lpnet.networks.sketch import Quantity, Sketch, smaller_score

Circuit = tuple[Layer, ...]


class Claim(NamedTuple):
    """That two decisions are the same.

    network: its ReLUs; its score is negative only where they differ, if it has ReLUs of both; rows: (n, d + ReLUs) and biases;
    decisions: for each, layers of threshold units over the signs of the rows, sgn(0) = +1, the last one of one unit.
    """

    network: ReLUNetwork
    rows: Layer
    decisions: tuple[Circuit, Circuit]


def same(first: ReLUNetwork | SignNetwork | SignCircuit, second: ReLUNetwork | SignNetwork | SignCircuit) -> Claim:
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


def decision(network: ReLUNetwork | SignNetwork | SignCircuit, sketch: Sketch) -> tuple[list[Quantity], list[Layer]]:
    """The rows of a network in terms of a sketch, and what is made of their signs."""
    if isinstance(network, ReLUNetwork):
        return [sketch.score(network)], [layer([[1.0]], [0.0])]
    first = network.input_layer
    rows = [sketch.affine(weight, bias) for weight, bias in zip(first.weight, first.bias, strict=True)]
    middle = [Layer(full(network.middle_weight), network.middle_bias)] if isinstance(network, SignCircuit) else []
    return rows, [*middle, layer([network.output_weight], [network.output_bias])]


def layer(weight: Sequence[Numbers | Sequence[float]], bias: Sequence[object]) -> Layer:
    """A layer of numbers of any kind."""
    made = np.array(bias)
    return Layer(np.array(weight).reshape(len(made), -1), made)
