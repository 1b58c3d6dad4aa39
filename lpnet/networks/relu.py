"""The rectifier network of [PS16] Eq. (2)."""

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lpnet.brief import brief
from lpnet.exact import (
    SMALLEST_NORMAL,
    FloatArray,
    Numbers,
    common_integers,
    nearest,
    point,
    reach,
    rounding,
    sign,
)
from lpnet.networks.affine import AffineMap, AnyNetwork
from lpnet.networks.arrays import as_number, as_numbers, as_points
from lpnet.networks.batches import or_single
from lpnet.networks.exact_form import ExactForm


@dataclass(frozen=True, eq=False)
class ReLUNetwork(AnyNetwork):
    """y = sgn(w0 + Σ_k w_k R(u_k·z + b_k)), R(z) = max(0, z), sgn(0) = +1 ([PS16] Eq. 2), z = x or an affine map of x.

    hidden_weight: u_k, shape (n, k), k ≥ 1; hidden_bias: b_k, (n,); output_weight: w_k, (n,); output_bias: w0;
    front: the map from the inputs x to z (scalers, PCA, linear layers), None for z = x.
    Numbers are float64 or, where it does not hold them, Fractions: none is rounded.
    Raises InputError for a wrong shape or a number that is not finite, naming the field.
    """

    hidden_weight: Numbers
    hidden_bias: Numbers
    output_weight: Numbers
    output_bias: float | Fraction
    front: AffineMap | None = None

    __repr__ = brief("inputs", "relus")

    def __post_init__(self) -> None:
        relus = self.set_hidden_layer()
        object.__setattr__(self, "output_weight", as_numbers("output_weight", self.output_weight, (relus,)))
        object.__setattr__(self, "output_bias", as_number("output_bias", self.output_bias))

    @property
    def relus(self) -> int:
        """n, the number of hidden units."""
        return self.hidden_weight.shape[0]

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
        """a_k(x) = u_k·z + b_k in floating point; (batch, d) → (batch, n)."""
        weight, bias = self.input_layer.floats
        return as_points(points, self.inputs) @ weight.T + bias

    @or_single
    def score(self, points: Any) -> FloatArray:
        """f(x) = w0 + Σ w_k R(a_k(x)) in floating point; (batch, d) → (batch,)."""
        return np.maximum(self.preactivations(points), 0) @ self.output_layer.floats[0][0] + float(self.output_bias)

    @or_single
    def activation_pattern(self, points: Any) -> NDArray[np.bool_]:
        """Which units are active, a_k(x) > 0, decided exactly; (batch, d) → (batch, n)."""
        return self.input_layer.signs(as_points(points, self.inputs)) > 0

    @or_single
    def __call__(self, points: Any) -> NDArray[np.int8]:
        """y = sgn f(x) ∈ {−1, +1}; (batch, d) → (batch,), and for a single point (d,) → (), here and in the methods above.

        Never wrong by rounding: what the floating-point error bound leaves in doubt is settled in integers.
        """
        points = as_points(points, self.inputs)
        with np.errstate(over="ignore", invalid="ignore", under="ignore"):
            score = self.score(points)
            size = np.abs(points) @ self.input_layer.reach[0].T + self.input_layer.reach[1]
            size += SMALLEST_NORMAL  # what underflow can hide in a unit, before its output weight magnifies it
            magnitude = size @ reach(self.output_weight) + abs(float(self.output_bias))
            doubtful = ~(np.abs(score) > rounding(self.inputs + self.relus + 6, magnitude))
        answer = np.where(score >= 0, 1, -1).astype(np.int8)
        for row in np.flatnonzero(doubtful):
            answer[row] = 1 if self.exact_form.sign_at(point(points[row])) >= 0 else -1
        return answer

    @cached_property
    def exact_form(self) -> ExactForm:
        """Eq. (3) in integers: a_k = |w_k| (u_k, b_k) and s_k = sgn w_k for the units with w_k ≠ 0, and l = w0."""
        used = self.output_weight != 0
        hidden, hidden_exponent, hidden_divisor = common_integers(self.input_layer.rows[used])
        output, output_exponent, output_divisor = common_integers(self.output_weight[used])
        bias, bias_exponent, bias_divisor = common_integers(self.output_layer.bias)
        divisor = hidden_divisor * output_divisor
        shift = bias_exponent - hidden_exponent - output_exponent if bias[0] else 0
        common = math.lcm(divisor, bias_divisor)
        units = (np.abs(output)[:, None] * hidden * (common // divisor)) << max(0, -shift)
        affine = (0,) * self.inputs + (int(bias[0]) * (common // bias_divisor) << max(0, shift),)
        signs = tuple(map(sign, output))
        exponent = hidden_exponent + output_exponent + min(0, shift)
        return ExactForm(affine, tuple(map(tuple, units)), signs, exponent, common)

    def general_form(self) -> "ReLUNetwork":
        """Eq. (3): the network with |w_k| moved into the hidden units and zero output weights dropped.

        Its output weights are ±1, so that its `positive` and `negative` units are the paper's P and N.
        The products |w_k| u_k are rounded to float64; exact answers are computed from the network as given.
        Raises InputError where a product overflows.
        """
        used = self.output_weight != 0
        size = np.abs(nearest(self.output_weight[used]))
        with np.errstate(over="ignore"):
            weight, bias = size[:, None] * self.input_layer.floats[0][used], size * self.input_layer.floats[1][used]
        return ReLUNetwork(weight, bias, np.where(self.output_weight[used] > 0, 1.0, -1.0), float(self.output_bias))
