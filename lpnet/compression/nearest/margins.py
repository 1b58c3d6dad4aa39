"""Which inputs keep their hidden-layer label in the nearest ReLU network: [PS16] Theorem 3, condition (11).

The label of x is the highest scoring hidden unit; no label ("rejected") if no unit is active. γ(x) is the difference of the
two highest scores, ‖x‖_∞ = max(1, |x_1|, …, |x_d|), the constant feature counted in. Condition (11), strictly:

    ‖(V − UT)^T‖_∞ < γ(x) / (2‖x‖_∞).

No score moves by more than ‖(V − UT)^T‖_∞ ‖x‖_∞ < γ(x)/2, so the highest one stays the highest. The paper leaves out that
a rejected x may so become accepted, or the reverse: γ among the units says nothing of it. Count rejection as one more class,
its score 0 in both networks, and the same proof covers it. (11) must be strict: scores (1, 0) may become (½, ½).

Labels and (11) are decided exactly: floating point settles what lies outside its error bound, integers the rest.
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lpnet.compression.nearest.bounds import scaled
from lpnet.compression.nearest.nearest import NearestReLU, scores
from lpnet.errors import InputError
from lpnet.exact import FloatArray, integers, point, rounding
from lpnet.networks.affine import Layer
from lpnet.networks.arrays import as_points

REJECTED = -1
SCORES_AT_ONCE = 1 << 22


@dataclass(frozen=True, eq=False)
class Labels:
    """Examples before and after: one entry an example, (batch,).

    label: the highest scoring class, the one of the smallest subset among equal ones, or REJECTED; relu_label: that of the
    ReLU network; margin: γ(x), rounded; certified: whether (11) holds, exactly.
    """

    label: NDArray[np.intp]
    relu_label: NDArray[np.intp]
    margin: FloatArray
    certified: NDArray[np.bool_]

    @property
    def kept(self) -> NDArray[np.bool_]:
        """Which examples have the same label in both networks."""
        return self.label == self.relu_label

    @property
    def share_certified(self) -> float:
        """The share of the examples that (11) promises to keep their label."""
        return float(self.certified.mean())

    @property
    def share_kept(self) -> float:
        """The share of the examples that do."""
        return float(self.kept.mean())


@dataclass(frozen=True, eq=False)
class HiddenLayerReport:
    """What a data set keeps: with rejection as a class of score 0, and among the units alone."""

    with_rejection: Labels
    units_only: Labels

    @property
    def broken(self) -> int:
        """How many examples (11) as printed promises to keep, although just one of the two networks rejects them."""
        return int((self.units_only.certified & ~self.with_rejection.kept).sum())


def hidden_layer_report(answer: NearestReLU, points: Any) -> HiddenLayerReport:
    """Labels, margins and condition (11) for the examples; points (batch, d). Raises InputError for missing subsets.

    A conjunction is read as its complement: the lowest score is the label, and x is rejected where the network says +1.
    """
    points = as_points(points, answer.sign_network.inputs)
    if len(points) == 0:
        raise InputError("points: wanted at least one example, got none")
    if answer.sign_network.units < 1 << answer.relus:
        raise InputError(
            f"Theorem 3 compares all 2^{answer.relus} subsets, but the sign network has only {answer.sign_network.units} units"
        )
    target, order, error = scores(answer.sign_network), answer.order, answer.error
    unit_of = np.argsort(order)  # the unit that stands for a subset
    network = answer.relu_network
    after = unit_of[pattern_numbers(*network.input_layer.floats, points)]
    silent = np.zeros((len(target), 1))
    # Score 0 is active in a disjunction; in a conjunction, read as its complement, it is not.
    silent_rank = -1 if answer.conjunction else len(order)
    ranks = np.append(order, silent_rank)
    label, margin, certified = labelled(np.hstack([target, silent]), ranks, error, points)
    unit, unit_margin, unit_certified = labelled(target, order, error, points)
    rejected = network(points) == (1 if answer.conjunction else -1)
    return HiddenLayerReport(
        Labels(np.where(label == len(order), REJECTED, label), np.where(rejected, REJECTED, after), margin, certified),
        Labels(unit, after, unit_margin, unit_certified),
    )


def pattern_numbers(weight: FloatArray, bias: FloatArray, points: FloatArray) -> NDArray[np.intp]:
    """The number of the activation pattern {k: u_k·x + b_k > 0}, unit 1 the highest bit, decided exactly; (batch,)."""
    return (Layer(weight, bias).signs(points) > 0) @ (1 << np.arange(len(weight))[::-1])


def labelled(
    target: FloatArray, ranks: NDArray[np.intp], error: Fraction, points: FloatArray
) -> tuple[NDArray[np.intp], FloatArray, NDArray[np.bool_]]:
    """The highest scoring column of V (D, m), the one of lowest rank among equal ones; γ; and (11); each (batch,)."""
    step = max(1, SCORES_AT_ONCE // target.shape[1])
    parts = [_labelled(target, ranks, error, points[start : start + step]) for start in range(0, len(points), step)]
    label, margin, certified = (np.concatenate(part) for part in zip(*parts, strict=True))
    return label, margin, certified


def _labelled(
    target: FloatArray, ranks: NDArray[np.intp], error: Fraction, points: FloatArray
) -> tuple[NDArray[np.intp], FloatArray, NDArray[np.bool_]]:
    rows = np.arange(len(points))
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        values = points @ target[:-1] + target[-1]
        doubt = rounding(len(target) + 1, np.abs(points) @ np.abs(target[:-1]) + np.abs(target[-1]))
        label = np.argmax(values, axis=1)
        others = values.copy()
        others[rows, label] = -np.inf
        margin = values[rows, label] - others.max(axis=1)
        # Twice each score's doubt, and the roundings of this comparison itself, which a few more units cover.
        unsure = 4 * doubt.max(axis=1) + rounding(4, np.abs(margin))
        needed = 2 * float(error) * np.maximum(1, np.abs(points).max(axis=1))
        certified = margin > needed
        doubtful = ~((margin > unsure) & (np.abs(margin - needed) > unsure + rounding(4, needed)))
    for row in np.flatnonzero(doubtful):
        label[row], gamma = exact_label(target, ranks, points[row])
        margin[row] = float(gamma)
        certified[row] = gamma > 2 * error * Fraction(max(1.0, float(np.abs(points[row]).max())))
    return label, margin, certified


def exact_label(target: FloatArray, ranks: NDArray[np.intp], at: FloatArray) -> tuple[int, Fraction]:
    """The label and γ of one example (d,), in integers; at least two columns."""
    whole, exponent = integers(target)
    place = np.array(point(at), dtype=object)
    values = place @ whole
    best = max(range(len(values)), key=lambda j: (values[j], -ranks[j]))
    others = [value for j, value in enumerate(values) if j != best]
    return best, scaled(Fraction(int(values[best] - max(others)), int(place[-1])), exponent)
