"""Affine layers, and those in front of a network, kept as they were given."""

import itertools
import math
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from operator import add
from typing import Any

import numpy as np
from flint import fmpq, fmpq_mat
from numpy.typing import NDArray

from lpnet.brief import brief
from lpnet.errors import InputError
from lpnet.exact import (
    FloatArray,
    Form,
    Numbers,
    Point,
    common_integers,
    coordinates,
    forms,
    fraction,
    fractions,
    independent_inputs,
    nearest,
    point,
    product,
    rationals,
    reach,
    rounding,
    shortened,
    sign,
    value,
)
from lpnet.networks.arrays import as_numbers, as_weights, describe, full
from lpnet.networks.named import Named

MOST_COMPOSED = 2 * 10**9  # of rationals; a minute or so


@dataclass(frozen=True, eq=False)
class Layer:
    """weight·x + bias, exactly; shapes (m, d), (m,). A sparse weight (see `lpnet.networks.circuit`) is good for `signs`."""

    weight: Any
    bias: Numbers

    @cached_property
    def floats(self) -> tuple[FloatArray, FloatArray]:
        """The nearest float64."""
        return nearest(self.weight), nearest(self.bias)

    @cached_property
    def reach(self) -> tuple[FloatArray, FloatArray]:
        """The sizes of the numbers, for `lpnet.exact.rounding`."""
        return reach(self.weight), reach(self.bias)

    @cached_property
    def rows(self) -> Numbers:
        """(weight, bias), (m, d + 1)."""
        return side_by_side(self.weight, self.bias[:, None])

    @cached_property
    def forms(self) -> list[Form]:
        """The rows as forms, each in integers on its own."""
        return forms(self.weight, self.bias)

    def signs(self, points: FloatArray) -> NDArray[np.int8]:
        """The exact signs (−1, 0, +1) at every point; (batch, d) → (batch, m).

        Floating point settles what lies outside its error bound |error| ≤ γ (|weight|·|x| + |bias|), γ = (d+2)u / (1−(d+2)u),
        whatever the order of summation (Higham, *Accuracy and Stability of Numerical Algorithms*, §3.1), with one rounding more
        for numbers that are none of float64; integers settle the rest.
        """
        with np.errstate(over="ignore", invalid="ignore", under="ignore"):
            values = points @ self.floats[0].T + self.floats[1]
            magnitude = np.abs(points) @ self.reach[0].T + self.reach[1]
            doubtful = ~(np.abs(values) > rounding(self.weight.shape[1] + 3, magnitude))
        signs = np.sign(np.where(doubtful, 0.0, values)).astype(np.int8)
        rows: dict[int, Form] = {}
        for row in np.flatnonzero(doubtful.any(axis=1)):
            at = point(points[row])
            for unit in map(int, np.flatnonzero(doubtful[row])):
                if unit not in rows:
                    rows[unit] = forms(full(self.weight[unit : unit + 1]), self.bias[unit : unit + 1])[0]
                signs[row, unit] = sign(value(rows[unit], at))
        return signs


@dataclass(frozen=True, eq=False)
class AffineMap:
    """y = A_L(… (A_1 x + a_1) …) + a_L, exactly: scalers, PCA and linear layers with nothing between them.

    layers: pairs of a weight A, shape (k', k), and a bias a, (k',), each of float64 or of Fractions, the first one first.
    Raises InputError for wrong shapes, numbers that are not finite and where there is no layer.
    """

    layers: tuple[Layer, ...]

    __repr__ = brief("inputs", "outputs")

    def __post_init__(self) -> None:
        made: list[Layer] = []
        for layer in self.layers:
            weight = as_weights("front, weight", layer.weight)
            if made and weight.shape[1] != len(made[-1].bias):
                raise InputError(f"front, weight: wanted {len(made[-1].bias)} columns, got shape {weight.shape}")
            made.append(Layer(weight, as_numbers("front, bias", layer.bias, (len(weight),))))
        if not made:
            raise InputError("front: wanted at least one layer, got none")
        rest = list(itertools.dropwhile(lambda layer: is_rescaling(layer.weight), made))
        work = sum(len(layer.bias) * layer.weight.shape[1] * made[0].weight.shape[1] for layer in rest[1:])
        if work > MOST_COMPOSED:
            raise InputError(f"front: wanted layers that are composed by {MOST_COMPOSED:.0g} products at most, got {work:.1g}")
        object.__setattr__(self, "layers", tuple(made))

    @property
    def inputs(self) -> int:
        """d, how many numbers go in."""
        return self.layers[0].weight.shape[1]

    @property
    def outputs(self) -> int:
        """k, how many come out."""
        return len(self.layers[-1].bias)

    @cached_property
    def composed(self) -> Layer:
        """All layers as one, (k, d) and (k,)."""
        layer = self.layers[0]
        for later in self.layers[1:]:
            layer = after(later, layer)
        return layer

    def at(self, x: Point) -> Point:
        """The image of an exact point (see `lpnet.exact`)."""
        rows, divisor = self._common
        return (*(value(row, x) for row in rows), divisor * x[-1])

    def pulled(self, form: Form) -> Form:
        """h(A x + a) for a form h of the outputs, times a positive number."""
        rows, divisor = self._common
        total = [sum(v * row[j] for v, row in zip(form, rows, strict=False)) for j in range(self.inputs + 1)]
        return (*total[:-1], total[-1] + divisor * form[-1])

    def lifted(self, y: Point) -> Point:
        """A point whose image is this one, where the map is onto: 0 in all inputs but some that suffice."""
        columns, inverse = self._inverse
        bias = rationals(self.composed.bias)
        moved = [fmpq(z.numerator, z.denominator) - a for z, a in zip(coordinates(y), bias, strict=True)]
        solved = inverse * fmpq_mat(len(moved), 1, moved)
        x = [Fraction(0)] * self.inputs
        for j, z in zip(columns, solved.entries(), strict=True):
            x[j] = fraction(z)
        whole = math.lcm(*(z.denominator for z in x))
        return (*(int(z * whole) for z in x), whole)

    @cached_property
    def _common(self) -> tuple[list[Form], int]:
        """The rows (A, a), all times one positive number, and that number."""
        whole, exponent, divisor = common_integers(self.composed.rows)
        up, down = max(exponent, 0), max(-exponent, 0)
        return [tuple(entry << up for entry in row) for row in whole.tolist()], divisor << down

    @cached_property
    def _inverse(self) -> tuple[list[int], fmpq_mat]:
        """As many inputs as outputs, and the inverse of A on them."""
        weight = self.composed.weight
        columns = independent_inputs([(*row, 0) for row in _rows(weight)])
        return columns, fmpq_mat(len(columns), len(columns), rationals(weight[:, columns])).inv()


def side_by_side(*parts: Numbers) -> Numbers:
    """Numbers next to each other, (m, k), (m, k'), … → (m, k + k' + …)."""
    made = np.hstack(parts)
    return shortened(made) if made.dtype == object else made


def after(second: Layer, first: Layer) -> Layer:
    """The layer `second` behind the layer `first`, as one."""
    return Layer(
        product(second.weight, first.weight),
        shortened(fractions(list(map(add, without_zeros(second.weight, first.bias), map(fraction, second.bias))), (-1,))),
    )


def without_zeros(weight: Numbers, bias: Numbers) -> list[Fraction]:
    """weight @ bias, without the products of zeros."""
    if is_rescaling(weight):
        return [fraction(row[k]) * fraction(bias[k]) for row, k in zip(weight, (weight != 0).argmax(axis=1), strict=True)]
    used = np.flatnonzero(bias)
    factors, power, divisor = common_integers(weight[:, used])
    terms, power_too, divisor_too = common_integers(bias[used])
    scale = Fraction(2) ** (power + power_too) / (divisor * divisor_too)
    return [int(total) * scale for total in factors @ terms]


def onto_and_back(front: AffineMap) -> tuple[AffineMap | None, Layer | None]:
    """The front as a map onto R^r, r its rank, and an affine layer behind it; None for one that changes nothing."""
    weight, bias = front.composed.weight, front.composed.bias
    rows = _rows(weight)
    chosen = independent_inputs([(*column, 0) for column in zip(*rows, strict=True)])
    if len(chosen) == len(rows):
        return front, None
    if len(chosen) in (0, front.inputs):
        return None, front.composed
    onto = AffineMap((Layer(weight[chosen], bias[chosen]),))
    columns, inverse = onto._inverse
    share = fmpq_mat(len(rows), len(columns), rationals(weight[:, columns])) * inverse
    back = fractions(list(map(fraction, share.entries())), (len(rows), len(columns)))
    moved = [fraction(b) - c for b, c in zip(bias, back @ fractions(list(map(fraction, bias[chosen])), (-1,)), strict=True)]
    return onto, Layer(back, fractions(moved, (-1,)))


def rescaling_and_rest(front: AffineMap) -> tuple[AffineMap | None, Layer | None]:
    """The front as a change of the inputs' scales, order and zeros, and an affine layer behind it; None where there is none."""
    count = next((k for k, layer in enumerate(front.layers) if not is_rescaling(layer.weight)), len(front.layers))
    rescaling = AffineMap(front.layers[:count]) if count else None
    return rescaling, AffineMap(front.layers[count:]).composed if count < len(front.layers) else None


def is_rescaling(weight: Numbers) -> bool:
    """Whether each input goes to an output of its own."""
    used: NDArray[Any] = weight != 0
    return used.shape[0] == used.shape[1] and bool((used.sum(axis=0) == 1).all() and (used.sum(axis=1) == 1).all())


def _rows(weight: Numbers) -> list[tuple[int, ...]]:
    """The rows, each in integers on its own."""
    return [row[:-1] for row in forms(weight, np.zeros(len(weight)))]


class AnyNetwork(Named):
    """What networks of every kind have: a first layer, perhaps behind affine ones, and one output unit."""

    hidden_weight: Numbers
    hidden_bias: Numbers
    output_weight: Numbers
    output_bias: float | Fraction
    front: AffineMap | None

    def set_hidden_layer(self) -> int:
        """Validate and freeze the first layer, and what is in front of it; returns its number of units."""
        weight = as_weights("hidden_weight", self.hidden_weight)
        object.__setattr__(self, "hidden_weight", weight)
        object.__setattr__(self, "hidden_bias", as_numbers("hidden_bias", self.hidden_bias, (len(weight),)))
        front = self.front
        if front is not None and not isinstance(front, AffineMap):
            raise InputError(f"front: wanted an AffineMap or None, got {describe(front)}")
        if front is not None and front.outputs != weight.shape[1]:
            raise InputError(
                f"hidden_weight: wanted {front.outputs} columns as the front has outputs, got shape {weight.shape}"
            )
        return len(weight)

    @property
    def inputs(self) -> int:
        """d, the number of inputs."""
        return self.front.inputs if self.front else self.hidden_weight.shape[1]

    @property
    def hidden_layer(self) -> Layer:
        """The first layer as it is given, behind the front."""
        return Layer(self.hidden_weight, self.hidden_bias)

    def behind(self, back: Layer | None) -> Any:
        """The network of y, z = back(y), without a front; None for z = y."""
        layer = after(self.hidden_layer, back) if back else self.hidden_layer
        return replace(self, hidden_weight=layer.weight, hidden_bias=layer.bias, front=None)  # type: ignore[type-var]

    @cached_property
    def input_layer(self) -> Layer:
        """The first layer as one of the inputs themselves, exactly."""
        return after(self.hidden_layer, self.front.composed) if self.front else self.hidden_layer

    @cached_property
    def output_layer(self) -> Layer:
        """The output weights and bias as a layer of one unit, exactly."""
        return Layer(self.output_weight[None], shortened([self.output_bias]))
