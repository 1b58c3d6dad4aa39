"""Networks put together from others: sums, products with numbers, max and min of their scores, exactly."""

from collections.abc import Sequence
from fractions import Fraction
from functools import reduce
from typing import Any

import numpy as np

from lpnet.exact import fraction, fractions, shortened
from lpnet.networks.affine import Layer
from lpnet.networks.relu import ReLUNetwork

Quantity = dict[int, Fraction]  # the factors of x_1, …, x_d, 1 and, from place d + 1 on, of the ReLUs


class Sketch:
    """Quantities that are sums of inputs and of ReLUs of others; `network` makes that of one of them."""

    def __init__(self, inputs: int) -> None:
        self.inputs = inputs
        self.rows: list[Quantity] = []
        self.known: dict[tuple[tuple[int, Fraction], ...], Quantity] = {}

    def relu(self, z: Quantity) -> Quantity:
        """R(z), of a new unit where there is none of the same z."""
        key = tuple(sorted(z.items()))
        if key not in self.known:
            self.known[key] = {self.inputs + 1 + len(self.rows): Fraction(1)}
            self.rows.append(z)
        return self.known[key]

    def maximum(self, first: Quantity, *others: Quantity) -> Quantity:
        """max(p, q) = q + R(p − q), one after the other."""
        return reduce(lambda p, q: total([q, self.relu(total([p, times(-1, q)]))]), others, first)

    def minimum(self, first: Quantity, *others: Quantity) -> Quantity:
        """min(p, q) = −max(−p, −q)."""
        return times(-1, self.maximum(times(-1, first), *(times(-1, q) for q in others)))

    def affine(self, weights: Sequence[Any], constant: Any) -> Quantity:
        """weights · x + constant."""
        entries = enumerate([*map(fraction, weights), fraction(constant)])
        return {k: Fraction(entry) for k, entry in entries if entry}

    def score(self, network: ReLUNetwork, inputs: Sequence[Quantity] | None = None) -> Quantity:
        """f of a network, of these inputs."""
        given = inputs or [{k: Fraction(1)} for k in range(self.inputs)]
        outputs: list[Quantity] = []
        *hidden, output = network.layers

        def sums(layer: Layer) -> list[Quantity]:
            made, none = [], [0] * self.inputs
            for row, bias in zip(layer.weight, layer.bias, strict=True):
                read = (times(fraction(w), z) for w, z in zip(row, [*given, *outputs], strict=True) if w)
                made.append(total([self.affine(none, bias), *read]))
            return made

        for layer in hidden:
            outputs += [self.relu(z) for z in sums(layer)]
        return sums(output)[0]

    def network(self, f: Quantity) -> ReLUNetwork:
        """The network with this score, a unit's layer being the longest way to it from the inputs."""
        return self.with_rows(f, [])[0]

    def with_rows(self, f: Quantity, rows: Sequence[Quantity]) -> tuple[ReLUNetwork, Layer]:
        """The same, and other quantities as rows of the inputs and all of its ReLUs."""
        d, levels = self.inputs, list[int]()
        for row in self.rows:
            levels.append(1 + max((levels[j - d - 1] for j in row if j > d), default=0))
        layers, order = list[Layer](), list[int]()
        for number in range(1, max(levels, default=0) + 1):
            own = [k for k, level in enumerate(levels) if level == number]
            layers.append(self.layer([self.rows[k] for k in own], order))
            order += own
        output = self.layer([f], order)
        first = layers[0] if layers else Layer(np.zeros((0, d)), np.zeros(0))
        weight = output.weight[0]
        made = ReLUNetwork(first.weight, first.bias, weight[d:], output.bias[0], None, tuple(layers[1:]), weight[:d])
        return made, self.layer(rows, order)

    def layer(self, rows: Sequence[Quantity], order: Sequence[int]) -> Layer:
        """Rows that read the inputs and the units in this order."""
        places = [*range(self.inputs), *(self.inputs + 1 + k for k in order)]
        entries = [row.get(place, Fraction(0)) for row in rows for place in places]
        weight = fractions(entries, (len(rows), len(places)))
        return Layer(weight, shortened([row.get(self.inputs, Fraction(0)) for row in rows]))


def total(quantities: Sequence[Quantity]) -> Quantity:
    """The sum."""
    made: Quantity = {}
    for quantity in quantities:
        for place, factor in quantity.items():
            made[place] = made.get(place, Fraction(0)) + factor
    return {place: factor for place, factor in made.items() if factor}


def times(factor: Any, quantity: Quantity) -> Quantity:
    """A multiple."""
    return {place: factor * entry for place, entry in quantity.items() if factor}


def smaller_score(sketch: Sketch, f: Quantity, g: Quantity) -> Quantity:
    """R(f + g) − R(f − g) − g: min(|f|, |g|), less than 0 where their signs differ.

    So it is nowhere less than 0 just where f and g have nowhere opposite signs.
    """
    rising, falling = sketch.relu(total([f, g])), sketch.relu(total([f, times(-1, g)]))
    return total([rising, times(-1, falling), times(-1, g)])
