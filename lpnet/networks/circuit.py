"""The three-layer threshold circuit of [PS16] section 3.1, Figure 3."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lpnet.brief import brief
from lpnet.errors import InputError
from lpnet.exact import FloatArray, Numbers
from lpnet.networks.affine import AffineMap, AnyNetwork, Layer
from lpnet.networks.arrays import MOST_ENTRIES, as_matrix, as_number, as_numbers, describe, used_in_rows
from lpnet.networks.batches import or_single
from lpnet.networks.sign import in_batches, threshold

Groups = Sequence[Sequence[int]] | NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class SignCircuit(AnyNetwork):
    """y = sgn(o·sgn(M·sgn(V z + d) + m) + o0), sgn(0) = +1: threshold units in three layers; z = x or an affine map of x.

    hidden_weight: V, shape (m, d), d ≥ 1; hidden_bias: d, (m,); middle_weight: M, (k, m); middle_bias: m, (k,);
    output_weight: o, (k,); output_bias: o0; front: the map from the inputs x to z, None for z = x.
    Numbers are float64 or, where it does not hold them, Fractions. M may be a sparse matrix of scipy, of float64, and is one
    where `dnf` and `cnf` would need more than 2^26 numbers for it.
    Raises InputError for a wrong shape or a number that is not finite, naming the field.

    The text of section 3.1 has the biases of both later layers with the wrong sign for units of this form:
    a conjunction of m units needs 1 − m, a disjunction m − 1.
    """

    hidden_weight: Numbers
    hidden_bias: Numbers
    middle_weight: Any
    middle_bias: Numbers
    output_weight: Numbers
    output_bias: float | Fraction
    front: AffineMap | None = None

    __repr__ = brief("inputs", "units", "terms")

    def __post_init__(self) -> None:
        units = self.set_hidden_layer()
        middle_weight = as_matrix("middle_weight", self.middle_weight, units)
        terms = middle_weight.shape[0]
        object.__setattr__(self, "middle_weight", middle_weight)
        object.__setattr__(self, "middle_bias", as_numbers("middle_bias", self.middle_bias, (terms,)))
        object.__setattr__(self, "output_weight", as_numbers("output_weight", self.output_weight, (terms,)))
        object.__setattr__(self, "output_bias", as_number("output_bias", self.output_bias))

    @classmethod
    def dnf(cls, hidden_weight: Any, hidden_bias: Any, terms: Groups, front: AffineMap | None = None) -> "SignCircuit":
        """The disjunction of conjunctions: +1 where all units of at least one term (a list of unit indices) are +1."""
        count = len(terms)
        return cls(hidden_weight, hidden_bias, *_layer(len(hidden_weight), terms, -1), np.ones(count), count - 1, front)

    @classmethod
    def cnf(cls, hidden_weight: Any, hidden_bias: Any, clauses: Groups, front: AffineMap | None = None) -> "SignCircuit":
        """The conjunction of disjunctions: +1 where every clause (a list of unit indices) has a unit that is +1."""
        count = len(clauses)
        return cls(hidden_weight, hidden_bias, *_layer(len(hidden_weight), clauses, +1), np.ones(count), 1 - count, front)

    @property
    def units(self) -> int:
        """m, the number of threshold units in the first layer."""
        return self.hidden_weight.shape[0]

    @property
    def terms(self) -> int:
        """k, the number of threshold units in the second layer."""
        return self.middle_weight.shape[0]

    @property
    def middle_units(self) -> Iterator[tuple[NDArray[np.intp], Numbers, Any]]:
        """The units of the second layer: which of the first each reads, with which weights, and its bias."""
        rows = zip(used_in_rows(self.middle_weight), self.middle_bias, strict=True)
        return ((used, weight, bias) for (used, weight), bias in rows)

    @or_single
    def __call__(self, points: Any) -> NDArray[np.int8]:
        """y ∈ {−1, +1}, never wrong by rounding; (batch, d) → (batch,), and for a single point (d,) → ()."""
        return in_batches(self, points)

    def from_signs(self, signs: FloatArray) -> FloatArray:
        """y from the values ±1 of the first layer; (batch, m) → (batch, 1)."""
        return threshold(threshold(signs, Layer(self.middle_weight, self.middle_bias)), self.output_layer)


def _layer(units: int, groups: Groups, orientation: int) -> tuple[Any, FloatArray]:
    """Weights and biases of one unit a group: a disjunction (+1: bias size − 1) or a conjunction (−1: bias 1 − size)."""
    used = [np.unique(np.asarray(group, dtype=np.intp)) for group in groups]
    for row, indices in enumerate(used):
        if indices.size and not (indices[0] >= 0 and indices[-1] < units):
            raise InputError(f"term {row}: wanted indices of units from 0 to {units - 1}, got {describe(groups[row])}")
    sizes = np.array([indices.size for indices in used], dtype=float)
    return _ones(used, units), orientation * (sizes - 1)


def _ones(used: Sequence[NDArray[np.intp]], columns: int) -> Any:
    """A matrix with a 1 at these columns of each row."""
    if len(used) * columns <= MOST_ENTRIES:
        made = np.zeros((len(used), columns))
        for row, indices in enumerate(used):
            made[row, indices] = 1
        return made
    from scipy.sparse import csr_array

    ends = np.cumsum([0, *(indices.size for indices in used)])
    return csr_array((np.ones(ends[-1]), np.concatenate(used), ends), (len(used), columns))
