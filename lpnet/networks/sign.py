"""The threshold network of [PS16] Eq. (1)."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lpnet.brief import brief
from lpnet.exact import FloatArray, affine_signs
from lpnet.networks.arrays import as_array, as_number, as_points, as_weights
from lpnet.networks.batches import or_single

SIGNS_AT_ONCE = 1 << 23


@dataclass(frozen=True, eq=False)
class SignNetwork:
    """y = sgn(w0 + Σ_k w_k sgn(v_k·x + d_k)), sgn(0) = +1 ([PS16] Eq. 1).

    hidden_weight: v_k, shape (m, d), d ≥ 1; hidden_bias: d_k, (m,); output_weight: w_k, (m,); output_bias: w0.
    m = 0 is a constant. Raises InputError for a wrong shape or a number that is not finite, naming the field.
    """

    hidden_weight: FloatArray
    hidden_bias: FloatArray
    output_weight: FloatArray
    output_bias: float

    __repr__ = brief("inputs", "units")

    def __post_init__(self) -> None:
        units = set_hidden_layer(self)
        object.__setattr__(self, "output_weight", as_array("output_weight", self.output_weight, (units,)))
        object.__setattr__(self, "output_bias", as_number("output_bias", self.output_bias))

    @classmethod
    def disjunction(cls, hidden_weight: Any, hidden_bias: Any) -> "SignNetwork":
        """+1 where at least one half-space {v_k·x + d_k ≥ 0} holds: weights 1, bias m − 1 ([PS16] Eq. 7)."""
        units = len(as_weights("hidden_weight", hidden_weight))
        return cls(hidden_weight, hidden_bias, np.ones(units), units - 1)

    @classmethod
    def conjunction(cls, hidden_weight: Any, hidden_bias: Any) -> "SignNetwork":
        """+1 where every half-space {v_k·x + d_k ≥ 0} holds: weights 1, bias 1 − m."""
        units = len(as_weights("hidden_weight", hidden_weight))
        return cls(hidden_weight, hidden_bias, np.ones(units), 1 - units)

    @property
    def inputs(self) -> int:
        """d, the number of inputs."""
        return self.hidden_weight.shape[1]

    @property
    def units(self) -> int:
        """m, the number of threshold units in the hidden layer."""
        return self.hidden_weight.shape[0]

    @or_single
    def __call__(self, points: Any) -> NDArray[np.int8]:
        """y ∈ {−1, +1}, never wrong by rounding; (batch, d) → (batch,), and for a single point (d,) → ()."""
        return in_batches(self, points, lambda signs: threshold(signs, self.output_weight[None], np.array([self.output_bias])))


def set_hidden_layer(network: Any) -> int:
    """Validate and freeze the first layer of a sign network or circuit; returns its number of units."""
    hidden_weight = as_weights("hidden_weight", network.hidden_weight)
    units = len(hidden_weight)
    object.__setattr__(network, "hidden_weight", hidden_weight)
    object.__setattr__(network, "hidden_bias", as_array("hidden_bias", network.hidden_bias, (units,)))
    return units


def threshold(values: FloatArray, weight: FloatArray, bias: FloatArray) -> FloatArray:
    """A layer of threshold units, sgn(weight·z + bias) with sgn(0) = +1; (batch, m) → (batch, k) of ±1.0."""
    return np.where(affine_signs(weight, bias, values) >= 0, 1.0, -1.0)


def in_batches(network: Any, points: Any, later_layers: Any) -> NDArray[np.int8]:
    """Evaluate a sign network or circuit, never holding more than about 2^23 first-layer signs."""
    points = as_points(points, network.inputs)
    step = max(1, SIGNS_AT_ONCE // max(1, network.units))
    answer = np.empty(len(points), dtype=np.int8)
    for start in range(0, len(points), step):
        signs = threshold(points[start : start + step], network.hidden_weight, network.hidden_bias)
        answer[start : start + step] = later_layers(signs)[:, 0]
    return answer
