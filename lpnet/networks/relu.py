"""The rectifier network of [PS16] Eq. (2)."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lpnet.brief import brief
from lpnet.exact import SMALLEST_NORMAL, FloatArray, affine_signs, integers, point, rounding
from lpnet.networks.arrays import as_array, as_number, as_points, as_weights
from lpnet.networks.batches import or_single
from lpnet.networks.exact_form import ExactForm


@dataclass(frozen=True, eq=False)
class ReLUNetwork:
    """y = sgn(w0 + Σ_k w_k R(u_k·x + b_k)), R(z) = max(0, z), sgn(0) = +1 ([PS16] Eq. 2).

    hidden_weight: u_k, shape (n, d), d ≥ 1; hidden_bias: b_k, (n,); output_weight: w_k, (n,); output_bias: w0.
    Raises InputError for a wrong shape or a number that is not finite, naming the field.
    """

    hidden_weight: FloatArray
    hidden_bias: FloatArray
    output_weight: FloatArray
    output_bias: float

    __repr__ = brief("inputs", "relus")

    def __post_init__(self) -> None:
        hidden_weight = as_weights("hidden_weight", self.hidden_weight)
        relus = len(hidden_weight)
        object.__setattr__(self, "hidden_weight", hidden_weight)
        object.__setattr__(self, "hidden_bias", as_array("hidden_bias", self.hidden_bias, (relus,)))
        object.__setattr__(self, "output_weight", as_array("output_weight", self.output_weight, (relus,)))
        object.__setattr__(self, "output_bias", as_number("output_bias", self.output_bias))

    @property
    def inputs(self) -> int:
        """d, the number of inputs."""
        return self.hidden_weight.shape[1]

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
        """a_k(x) = u_k·x + b_k in floating point; (batch, d) → (batch, n)."""
        return as_points(points, self.inputs) @ self.hidden_weight.T + self.hidden_bias

    @or_single
    def score(self, points: Any) -> FloatArray:
        """f(x) = w0 + Σ w_k R(a_k(x)) in floating point; (batch, d) → (batch,)."""
        return np.maximum(self.preactivations(points), 0) @ self.output_weight + self.output_bias

    @or_single
    def activation_pattern(self, points: Any) -> NDArray[np.bool_]:
        """Which units are active, a_k(x) > 0, decided exactly; (batch, d) → (batch, n)."""
        return affine_signs(self.hidden_weight, self.hidden_bias, as_points(points, self.inputs)) > 0

    @or_single
    def __call__(self, points: Any) -> NDArray[np.int8]:
        """y = sgn f(x) ∈ {−1, +1}; (batch, d) → (batch,), and for a single point (d,) → (), here and in the methods above.

        Never wrong by rounding: what the floating-point error bound leaves in doubt is settled in integers.
        """
        points = as_points(points, self.inputs)
        with np.errstate(over="ignore", invalid="ignore", under="ignore"):
            score = self.score(points)
            reach = np.abs(points) @ np.abs(self.hidden_weight).T + np.abs(self.hidden_bias)
            reach += SMALLEST_NORMAL  # what underflow can hide in a unit, before its output weight magnifies it
            magnitude = reach @ np.abs(self.output_weight) + abs(self.output_bias)
            doubtful = ~(np.abs(score) > rounding(self.inputs + self.relus + 4, magnitude))
        answer = np.where(score >= 0, 1, -1).astype(np.int8)
        for row in np.flatnonzero(doubtful):
            answer[row] = 1 if self.exact_form.sign_at(point(points[row])) >= 0 else -1
        return answer

    @cached_property
    def exact_form(self) -> ExactForm:
        """Eq. (3) in integers: a_k = |w_k| (u_k, b_k) and s_k = sgn w_k for the units with w_k ≠ 0, and l = w0."""
        used = self.output_weight != 0
        hidden, hidden_exponent = integers(np.column_stack([self.hidden_weight, self.hidden_bias])[used])
        output, output_exponent = integers(self.output_weight[used])
        bias, bias_exponent = integers([self.output_bias])
        exponent = hidden_exponent + output_exponent
        shift = bias_exponent - exponent if bias[0] else 0
        units = (np.abs(output)[:, None] * hidden) << max(0, -shift)
        affine = (0,) * self.inputs + (int(bias[0]) << max(0, shift),)
        signs = tuple(int(s) for s in np.sign(self.output_weight[used]))
        return ExactForm(affine, tuple(map(tuple, units)), signs, exponent + min(0, shift))

    def general_form(self) -> "ReLUNetwork":
        """Eq. (3): the network with |w_k| moved into the hidden units and zero output weights dropped.

        Its output weights are ±1, so that its `positive` and `negative` units are the paper's P and N.
        The products |w_k| u_k are rounded to float64; exact answers are computed from the network as given.
        Raises InputError where a product overflows.
        """
        used = self.output_weight != 0
        size = np.abs(self.output_weight[used])
        with np.errstate(over="ignore"):
            weight, bias = size[:, None] * self.hidden_weight[used], size * self.hidden_bias[used]
        return ReLUNetwork(weight, bias, np.sign(self.output_weight[used]), self.output_bias)
