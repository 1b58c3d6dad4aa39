"""The rectifier network of [PS16] Eq. (2), and of any depth."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lpnet.brief import brief
from lpnet.errors import InputError
from lpnet.exact import (
    SMALLEST_NORMAL,
    FloatArray,
    Numbers,
    nearest,
    point,
    rounding,
    shortened,
)
from lpnet.networks.affine import AffineMap, AnyNetwork, Layer, after, side_by_side
from lpnet.networks.arrays import as_number, as_numbers, as_points, as_weights
from lpnet.networks.batches import or_single
from lpnet.networks.exact_form import ExactForm, integer_form


@dataclass(frozen=True, eq=False)
class ReLUNetwork(AnyNetwork):
    """y = sgn f(x), sgn(0) = +1, of a network of ReLUs R(z) = max(0, z) of any depth; z = x or an affine map of x.

    With one hidden layer f = w0 + Σ_k w_k R(u_k·z + b_k) ([PS16] Eq. 2):
    hidden_weight: u_k, shape (n, k), k ≥ 1; hidden_bias: b_k, (n,); output_weight: w_k, (n,); output_bias: w0;
    front: the map from the inputs x to z (scalers, PCA, linear layers), None for z = x.
    Further layers read z and all ReLUs before them, each a column, in this order:
    deeper: a `Layer` for each, weight (n_i, k + n_1 + … + n_{i−1}), bias (n_i,); output_weight is then of all n_1 + n_2 + …
    ReLUs; skip: what f reads of z itself, (k,), or None. `of_layers` makes it of layers that read only the one before.
    Numbers are float64 or, where it does not hold them, Fractions: none is rounded.
    Raises InputError for a wrong shape or a number that is not finite, naming the field.
    """

    hidden_weight: Numbers
    hidden_bias: Numbers
    output_weight: Numbers
    output_bias: float | Fraction
    front: AffineMap | None = None
    deeper: tuple[Layer, ...] = ()
    skip: Numbers | None = None

    __repr__ = brief("inputs", "relus")

    def __post_init__(self) -> None:
        relus = self.set_hidden_layer()
        inputs, made = self.hidden_weight.shape[1], []
        for number, layer in enumerate(self.deeper, 2):
            weight = as_numbers(f"layer {number}, weight", layer.weight, (None, inputs + relus))
            made.append(Layer(weight, as_numbers(f"layer {number}, bias", layer.bias, (len(weight),))))
            relus += len(weight)
        object.__setattr__(self, "deeper", tuple(made))
        object.__setattr__(self, "output_weight", as_numbers("output_weight", self.output_weight, (relus,)))
        object.__setattr__(self, "output_bias", as_number("output_bias", self.output_bias))
        if self.skip is not None:
            skip = as_numbers("skip", self.skip, (inputs,))
            object.__setattr__(self, "skip", skip if skip.any() else None)

    @classmethod
    def of_layers(cls, layers: Sequence[tuple[Any, Any]], front: AffineMap | None = None) -> "ReLUNetwork":
        """The network of dense layers (weight (n_i, n_{i−1}), bias (n_i,)), the last one the output, (1, n) or (n,).

        Raises InputError where they do not fit, and where there is no hidden layer.
        """
        if len(layers) < 2:
            raise InputError(f"layers: wanted a hidden layer and an output layer at least, got {len(layers)}")
        (weight, bias), *deeper, (last, constant) = layers
        first = as_weights("layer 1, weight", weight)
        inputs, before, skipped, made = first.shape[1], len(first), 0, []
        for number, (own, own_bias) in enumerate(deeper, 2):
            own = as_numbers(f"layer {number}, weight", own, (None, before))
            made.append(Layer(side_by_side(np.zeros((len(own), inputs + skipped)), own), own_bias))
            skipped, before = skipped + before, len(own)
        row = np.reshape(last if isinstance(last, np.ndarray) else np.array(last, dtype=object), (1, -1))
        output = as_numbers("output layer, weight", row, (1, before))
        return cls(first, bias, side_by_side(np.zeros((1, skipped)), output)[0], constant, front, tuple(made))

    @property
    def relus(self) -> int:
        """n, the number of hidden units, of all layers."""
        return len(self.output_weight)

    @property
    def widths(self) -> tuple[int, ...]:
        """The numbers of units of the hidden layers."""
        return (len(self.hidden_bias), *(len(layer.bias) for layer in self.deeper))

    @cached_property
    def given_layers(self) -> tuple[Layer, ...]:
        """The hidden layers and the output one as they are given, behind the front: each reads z and all ReLUs before it."""
        skip = np.zeros(self.hidden_weight.shape[1]) if self.skip is None else self.skip
        weight = side_by_side(skip[None], self.output_weight[None])
        return (self.hidden_layer, *self.deeper, Layer(weight, shortened([self.output_bias])))

    @cached_property
    def layers(self) -> tuple[Layer, ...]:
        """The same, each reading the inputs x themselves and all ReLUs before it."""
        front = self.front and self.front.composed
        later = self.given_layers[1:]
        return (self.input_layer, *(of_inputs(layer, front) if front else layer for layer in later))

    @cached_property
    def reads(self) -> tuple[tuple[int, ...], ...]:
        """What each hidden layer and the output read with weights that are not 0: 0 the inputs, k the ReLUs of layer k."""
        widths = [self.hidden_weight.shape[1], *self.widths]
        blocks = (np.split(layer.weight, np.cumsum(widths)[:k], axis=1) for k, layer in enumerate(self.given_layers, 1))
        return tuple(tuple(j for j, block in enumerate(own) if block.any()) for own in blocks)

    def of_inputs(self) -> "ReLUNetwork":
        """The same network without a front: its layers read the inputs themselves."""
        first, *deeper, output = self.layers
        skip = output.weight[0, : self.inputs]
        return ReLUNetwork(first.weight, first.bias, self.output_weight, output.bias[0], None, tuple(deeper), skip)

    def behind(self, back: Layer | None) -> "ReLUNetwork":
        """The network of y, z = back(y), without a front; None for z = y."""
        inner = replace(self, front=AffineMap((back,)) if back else None)
        return inner.of_inputs()

    def check_one_layer(self, asker: str) -> None:
        """InputError, in the name of who asks, for several hidden layers and for an output that reads the inputs too."""
        if self.deeper:
            raise InputError(f"{asker} takes one hidden layer; this network has {len(self.widths)}")
        if self.skip is not None:
            raise InputError(f"{asker} takes an output that reads but the hidden layer; this one reads the inputs too")

    @property
    def positive(self) -> NDArray[np.intp]:
        """P of Eq. (3): the units with w_k > 0."""
        return np.flatnonzero(self.output_weight > 0)

    @property
    def negative(self) -> NDArray[np.intp]:
        """N of Eq. (3): the units with w_k < 0. Units with w_k = 0 belong to neither set."""
        return np.flatnonzero(self.output_weight < 0)

    @or_single
    def preactivations(self, points: Any) -> FloatArray:
        """All z_k(x) in floating point; (batch, d) → (batch, n)."""
        return self._followed(as_points(points, self.inputs))[0]

    @or_single
    def score(self, points: Any) -> FloatArray:
        """f(x) in floating point; (batch, d) → (batch,)."""
        return self._followed(as_points(points, self.inputs))[2]

    @or_single
    def activation_pattern(self, points: Any) -> NDArray[np.bool_]:
        """Which units are active, z_k(x) > 0, decided exactly; (batch, d) → (batch, n)."""
        points = as_points(points, self.inputs)
        values, doubts, *_ = self._followed(points)
        active = values > 0
        for row in np.flatnonzero(~(np.abs(values) > doubts).all(axis=1)):
            active[row] = np.array(self.all_units.units_at(point(points[row]))) > 0
        return active

    @or_single
    def __call__(self, points: Any) -> NDArray[np.int8]:
        """y = sgn f(x) ∈ {−1, +1}; (batch, d) → (batch,), and for a single point (d,) → (), here and in the methods above.

        Never wrong by rounding: what the floating-point error bound leaves in doubt is settled in integers.
        """
        points = as_points(points, self.inputs)
        _, _, score, doubt = self._followed(points)
        answer = np.where(score >= 0, 1, -1).astype(np.int8)
        for row in np.flatnonzero(~(np.abs(score) > doubt)):
            answer[row] = 1 if self.exact_form.sign_at(point(points[row])) >= 0 else -1
        return answer

    def _followed(self, points: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
        """All z_k(x) and bounds on their errors, (batch, n), f(x) and such a bound, (batch,).

        A sum of products of what went through such sums before has an error of γ, for all operations in a row together, times
        what the network would be with all its numbers positive: R moves no two numbers apart.
        """
        with np.errstate(over="ignore", invalid="ignore", under="ignore"):
            read, sizes, operations = points, np.abs(points), 0
            values, doubts = [], []
            for layer in self.layers:
                weight, bias = layer.floats
                values.append(read @ weight.T + bias)
                size = sizes @ layer.reach[0].T + layer.reach[1] + SMALLEST_NORMAL
                operations += weight.shape[1] + 6
                doubts.append(rounding(operations, size))
                read, sizes = np.hstack([read, np.maximum(values[-1], 0)]), np.hstack([sizes, size])
        return np.hstack(values[:-1]), np.hstack(doubts[:-1]), values[-1][:, 0], doubts[-1][:, 0]

    @property
    def used(self) -> NDArray[np.intp]:
        """The units of `exact_form`: with one hidden layer those with w_k ≠ 0, else all."""
        return np.arange(self.relus) if self.deeper else np.flatnonzero(self.output_weight)

    @cached_property
    def exact_form(self) -> ExactForm:
        """Eq. (3) in integers: a_k = |w_k| (u_k, b_k) and s_k = sgn w_k for the units with w_k ≠ 0, and l = w0.

        With several hidden layers: of all units, and the weights of those that others read stay where they are.
        """
        if self.deeper:
            return self.all_units
        hidden, output = (layer.rows for layer in self.layers)
        chosen = np.concatenate([np.arange(self.inputs), self.inputs + self.used, [-1]])
        return integer_form([hidden[self.used]], output[:, chosen], self.inputs)

    @cached_property
    def all_units(self) -> ExactForm:
        """The same with the units that have w_k = 0."""
        *hidden, output = (layer.rows for layer in self.layers)
        return integer_form(hidden, output, self.inputs)

    def general_form(self) -> "ReLUNetwork":
        """Eq. (3): the network with |w_k| moved into the hidden units and zero output weights dropped.

        Its output weights are ±1, so that its `positive` and `negative` units are the paper's P and N.
        The products |w_k| u_k are rounded to float64; exact answers are computed from the network as given.
        Raises InputError where a product overflows, and for more than one hidden layer.
        """
        self.check_one_layer("the general form ([PS16] Eq. 3)")
        used = self.output_weight != 0
        size = np.abs(nearest(self.output_weight[used]))
        with np.errstate(over="ignore"):
            weight, bias = size[:, None] * self.input_layer.floats[0][used], size * self.input_layer.floats[1][used]
        return ReLUNetwork(weight, bias, np.where(self.output_weight[used] > 0, 1.0, -1.0), float(self.output_bias))


def of_inputs(layer: Layer, front: Layer) -> Layer:
    """A layer that reads z = front(x) and more, as one that reads x and more."""
    inputs = len(front.bias)
    own = after(Layer(layer.weight[:, :inputs], layer.bias), front)
    return Layer(side_by_side(own.weight, layer.weight[:, inputs:]), own.bias)
