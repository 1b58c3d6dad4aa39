"""The threshold network of [PS16] Eq. (1)."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lpnet.brief import brief
from lpnet.exact import FloatArray, Numbers
from lpnet.networks.affine import AffineMap, AnyNetwork, Layer
from lpnet.networks.arrays import as_number, as_numbers, as_points, as_weights
from lpnet.networks.batches import or_single

SIGNS_AT_ONCE = 1 << 23


@dataclass(frozen=True, eq=False)
class SignNetwork(AnyNetwork):
    """y = sgn(w0 + Σ_k w_k sgn(v_k·z + d_k)), sgn(0) = +1 ([PS16] Eq. 1), z = x or an affine map of x.

    hidden_weight: v_k, shape (m, k), k ≥ 1; hidden_bias: d_k, (m,); output_weight: w_k, (m,); output_bias: w0;
    front: the map from the inputs x to z, None for z = x. Numbers are float64 or, where it does not hold them, Fractions.
    m = 0 is a constant. Raises InputError for a wrong shape or a number that is not finite, naming the field.
    """

    hidden_weight: Numbers
    hidden_bias: Numbers
    output_weight: Numbers
    output_bias: float | Fraction
    front: AffineMap | None = None

    __repr__ = brief("inputs", "units")

    def __post_init__(self) -> None:
        units = self.set_hidden_layer()
        object.__setattr__(self, "output_weight", as_numbers("output_weight", self.output_weight, (units,)))
        object.__setattr__(self, "output_bias", as_number("output_bias", self.output_bias))

    @classmethod
    def disjunction(cls, hidden_weight: Any, hidden_bias: Any, front: AffineMap | None = None) -> "SignNetwork":
        """+1 where at least one half-space {v_k·x + d_k ≥ 0} holds: weights 1, bias m − 1 ([PS16] Eq. 7)."""
        units = len(as_weights("hidden_weight", hidden_weight))
        return cls(hidden_weight, hidden_bias, np.ones(units), units - 1, front)

    @classmethod
    def conjunction(cls, hidden_weight: Any, hidden_bias: Any, front: AffineMap | None = None) -> "SignNetwork":
        """+1 where every half-space {v_k·x + d_k ≥ 0} holds: weights 1, bias 1 − m."""
        units = len(as_weights("hidden_weight", hidden_weight))
        return cls(hidden_weight, hidden_bias, np.ones(units), 1 - units, front)

    @property
    def units(self) -> int:
        """m, the number of threshold units in the hidden layer."""
        return self.hidden_weight.shape[0]

    @or_single
    def __call__(self, points: Any) -> NDArray[np.int8]:
        """y ∈ {−1, +1}, never wrong by rounding; (batch, d) → (batch,), and for a single point (d,) → ()."""
        return in_batches(self, points)

    def from_signs(self, signs: FloatArray) -> FloatArray:
        """y from the values ±1 of the hidden layer; (batch, m) → (batch, 1)."""
        return threshold(signs, self.output_layer)


def threshold(values: FloatArray, layer: Layer) -> FloatArray:
    """A layer of threshold units, sgn(weight·z + bias) with sgn(0) = +1; (batch, m) → (batch, k) of ±1.0."""
    return np.where(layer.signs(values) >= 0, 1.0, -1.0)


def in_batches(network: Any, points: Any) -> NDArray[np.int8]:
    """Evaluate a sign network or circuit, never holding more than about 2^23 first-layer signs."""
    points = as_points(points, network.inputs)
    step = max(1, SIGNS_AT_ONCE // max(1, network.units))
    answer = np.empty(len(points), dtype=np.int8)
    for start in range(0, len(points), step):
        signs = threshold(points[start : start + step], network.input_layer)
        answer[start : start + step] = network.from_signs(signs)[:, 0]
    return answer
