"""The three-layer threshold circuit of [PS16] section 3.1, Figure 3."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lpnet.brief import brief
from lpnet.errors import InputError
from lpnet.exact import FloatArray
from lpnet.networks.arrays import as_array, as_number, describe
from lpnet.networks.batches import or_single
from lpnet.networks.sign import in_batches, set_hidden_layer, threshold

Groups = Sequence[Sequence[int]] | NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class SignCircuit:
    """y = sgn(o·sgn(M·sgn(V x + d) + m) + o0), sgn(0) = +1: threshold units in three layers.

    hidden_weight: V, shape (m, d), d ≥ 1; hidden_bias: d, (m,); middle_weight: M, (k, m); middle_bias: m, (k,);
    output_weight: o, (k,); output_bias: o0.
    Raises InputError for a wrong shape or a number that is not finite, naming the field.

    The text of section 3.1 has the biases of both later layers with the wrong sign for units of this form:
    a conjunction of m units needs 1 − m, a disjunction m − 1.
    """

    hidden_weight: FloatArray
    hidden_bias: FloatArray
    middle_weight: FloatArray
    middle_bias: FloatArray
    output_weight: FloatArray
    output_bias: float

    __repr__ = brief("inputs", "units", "terms")

    def __post_init__(self) -> None:
        units = set_hidden_layer(self)
        middle_weight = as_array("middle_weight", self.middle_weight, (None, units))
        terms = len(middle_weight)
        object.__setattr__(self, "middle_weight", middle_weight)
        object.__setattr__(self, "middle_bias", as_array("middle_bias", self.middle_bias, (terms,)))
        object.__setattr__(self, "output_weight", as_array("output_weight", self.output_weight, (terms,)))
        object.__setattr__(self, "output_bias", as_number("output_bias", self.output_bias))

    @classmethod
    def dnf(cls, hidden_weight: Any, hidden_bias: Any, terms: Groups) -> "SignCircuit":
        """The disjunction of conjunctions: +1 where all units of at least one term (a list of unit indices) are +1."""
        return cls(hidden_weight, hidden_bias, *_layer(len(hidden_weight), terms, -1), np.ones(len(terms)), len(terms) - 1)

    @classmethod
    def cnf(cls, hidden_weight: Any, hidden_bias: Any, clauses: Groups) -> "SignCircuit":
        """The conjunction of disjunctions: +1 where every clause (a list of unit indices) has a unit that is +1."""
        return cls(
            hidden_weight, hidden_bias, *_layer(len(hidden_weight), clauses, +1), np.ones(len(clauses)), 1 - len(clauses)
        )

    @property
    def inputs(self) -> int:
        """d, the number of inputs."""
        return self.hidden_weight.shape[1]

    @property
    def units(self) -> int:
        """m, the number of threshold units in the first layer."""
        return self.hidden_weight.shape[0]

    @property
    def terms(self) -> int:
        """k, the number of threshold units in the second layer."""
        return self.middle_weight.shape[0]

    @or_single
    def __call__(self, points: Any) -> NDArray[np.int8]:
        """y ∈ {−1, +1}, never wrong by rounding; (batch, d) → (batch,), and for a single point (d,) → ()."""

        def later_layers(signs: FloatArray) -> FloatArray:
            middle = threshold(signs, self.middle_weight, self.middle_bias)
            return threshold(middle, self.output_weight[None], np.array([self.output_bias]))

        return in_batches(self, points, later_layers)


def _layer(units: int, groups: Groups, orientation: int) -> tuple[FloatArray, FloatArray]:
    """Weights and biases of one unit a group: a disjunction (+1: bias size − 1) or a conjunction (−1: bias 1 − size)."""
    weight = np.zeros((len(groups), units))
    for row, group in enumerate(groups):
        indices = np.asarray(group, dtype=np.intp)
        if indices.size and not (indices.min() >= 0 and indices.max() < units):
            raise InputError(f"term {row}: wanted indices of units from 0 to {units - 1}, got {describe(group)}")
        weight[row, indices] = 1
    return weight, orientation * (weight.sum(axis=1) - 1)
