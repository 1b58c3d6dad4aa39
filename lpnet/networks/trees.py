"""Sums of decision trees with axis-parallel splits: trees, forests, gradient boosting."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lpnet.brief import brief
from lpnet.errors import InputError
from lpnet.exact import UNIT_ROUNDOFF, FloatArray, Numbers, Point, coordinates, fraction, fractions, nearest, point, rounding
from lpnet.networks.affine import AffineMap, Layer, is_rescaling
from lpnet.networks.arrays import as_numbers, as_points, describe
from lpnet.networks.batches import or_single
from lpnet.networks.differences import Differences
from lpnet.networks.grid import Grid
from lpnet.networks.gridding import grid_of
from lpnet.networks.named import Named

LEAF = -1
MOST_AT_ONCE = 1 << 22  # nodes of points at once


@dataclass(frozen=True, eq=False)
class TreeEnsemble(Named):
    """The class of the first of the largest scores s = A · (Σ over the trees of the values of their leaves) + a, exactly.

    All trees are in one table of n nodes. A node with feature j ≥ 0 sends z to its left child where z_j ≤ threshold, or
    z_j < threshold where it is strict, else to its right one; a leaf has feature −1 and a value in R^k. z is the input x, or an
    affine map of it.

    columns: how many numbers z has; feature, threshold, strict: (n,); children: left and right, (n, 2), behind their parents;
    value: (n, k), of leaves; roots: of the trees, (T,); output_weight, output_bias: A and a, (q, k) and (q,), q ≥ 2;
    classes: for which class each score speaks, default 0 … q − 1; names: of the classes; front: the map from x to z, or None.
    Two classes answer ±1, class 1 being +1. Numbers are float64 or, where it does not hold them, Fractions; nothing is rounded,
    neither on the way in nor in a sum. Raises InputError for what is no such table, naming the field.
    """

    columns: int
    feature: NDArray[np.intp]
    threshold: Numbers
    strict: NDArray[np.bool_]
    children: NDArray[np.intp]
    value: Numbers
    roots: NDArray[np.intp]
    output_weight: Numbers
    output_bias: Numbers
    classes: tuple[int, ...] = ()
    names: tuple[str, ...] = ()
    front: AffineMap | None = None

    __repr__ = brief("inputs", "trees", "splits", "leaves")

    def __post_init__(self) -> None:
        feature = as_indices("feature", self.feature, (None,), LEAF, self.columns)
        nodes = len(feature)
        value = as_numbers("value", self.value, (nodes, None))
        weight = as_numbers("output_weight", self.output_weight, (None, value.shape[1]))
        children = as_indices("children", self.children, (nodes, 2), LEAF, nodes)
        inner = feature >= 0
        if (children[inner] <= np.flatnonzero(inner)[:, None]).any():
            raise InputError("children: wanted those of a split behind it in the table")
        strict = np.asarray(self.strict)
        if strict.dtype != bool or strict.shape != (nodes,):
            raise InputError(f"strict: wanted {nodes} of true and false, got {describe(self.strict)}")
        classes = tuple(self.classes) or tuple(range(len(weight)))
        names = tuple(self.names) or tuple(map(str, range(max((1, *classes)) + 1)))
        if len(weight) < 2 or len(classes) != len(weight) or not set(classes) <= set(range(len(names))):
            raise InputError(
                f"classes: wanted one for each of {len(weight)} scores, two at least, numbers of {len(names)} names"
            )
        if self.front is not None and self.front.outputs != self.columns:
            raise InputError(f"front: wanted {self.columns} outputs, got {self.front.outputs}")
        made = {
            "feature": feature,
            "threshold": as_numbers("threshold", self.threshold, (nodes,)),
            "strict": strict & inner,
            "children": np.where(inner[:, None], children, LEAF),
            "value": value,
            "roots": as_indices("roots", self.roots, (None,), 0, nodes),
            "output_weight": weight,
            "output_bias": as_numbers("output_bias", self.output_bias, (len(weight),)),
            "classes": classes,
            "names": names,
        }
        for name, given in made.items():
            object.__setattr__(self, name, given)

    @property
    def inputs(self) -> int:
        """d."""
        return self.front.inputs if self.front else self.columns

    @property
    def trees(self) -> int:
        """T."""
        return len(self.roots)

    @property
    def splits(self) -> int:
        """How many nodes split."""
        return int((self.feature >= 0).sum())

    @property
    def leaves(self) -> int:
        """How many nodes do not."""
        return len(self.feature) - self.splits

    @property
    def binary(self) -> bool:
        """Whether it answers ±1."""
        return len(self.names) == 2

    @property
    def thresholds(self) -> int:
        """How many different half-spaces its splits are."""
        inner = self.feature >= 0
        return len(set(zip(self.feature[inner], self.threshold[inner], self.strict[inner], strict=True)))

    @cached_property
    def differences(self) -> Differences:
        """What its leaves add to the differences of scores, in integers."""
        return Differences.of(self.feature < 0, self.value, self.output_weight, self.output_bias, self.trees)

    @cached_property
    def grid(self) -> Grid:
        """The grid of its thresholds, and itself on it."""
        return grid_of([self])

    def behind(self, back: Layer | None) -> "TreeEnsemble":
        """The ensemble of y, z = back(y), without a front; back scales the inputs and moves their zeros, or is None for z = y.

        c y_i + b ≤ t is y_i ≤ (t − b) / c for c > 0, and not y_i < (t − b) / c for c < 0.
        """
        if back is None:
            return replace(self, front=None)
        if not is_rescaling(back.weight):
            raise InputError("front: wanted one that scales and moves each input, for trees whose splits are on inputs")
        source = (back.weight != 0).argmax(axis=1)
        inner = np.flatnonzero(self.feature >= 0)
        feature, children, strict = self.feature.copy(), self.children.copy(), self.strict.copy()
        threshold = fractions(list(map(fraction, self.threshold)), (-1,))
        scale = [fraction(row[i]) for row, i in zip(back.weight, source, strict=True)]
        for node in inner:
            j = self.feature[node]
            feature[node] = source[j]
            threshold[node] = (threshold[node] - fraction(back.bias[j])) / scale[j]
            if scale[j] < 0:
                children[node], strict[node] = children[node][::-1], not strict[node]
        return replace(self, feature=feature, children=children, strict=strict, threshold=threshold, front=None)

    @or_single
    def __call__(self, points: Any) -> NDArray[np.intp]:
        """The answers, ±1 or classes; (batch, d) → (batch,), and for a single point (d,) → (); never wrong by rounding."""
        points = as_points(points, self.inputs)
        step = max(1, MOST_AT_ONCE // max(1, self.trees))
        parts = [self._best(self.leaves_of(points[start : start + step])) for start in range(0, len(points), step)]
        return self.answer(np.concatenate([*parts, np.zeros(0, dtype=np.intp)]))

    def scores(self, points: FloatArray) -> FloatArray:
        """The scores, rounded; (batch, d) → (batch, q)."""
        return nearest(self.value)[self.leaves_of(points)].sum(axis=1) @ nearest(self.output_weight).T + nearest(
            self.output_bias
        )

    def answer(self, classes: NDArray[np.intp]) -> NDArray[np.intp]:
        """±1 for the numbers of two classes; else these themselves."""
        return 2 * classes - 1 if self.binary else classes

    def answer_at(self, at: Point) -> int:
        """The answer at an exact point (see `lpnet.exact`)."""
        z = coordinates(self.front.at(at) if self.front else at)
        leaves = np.array([[self._leaf(root, z) for root in self.roots]], dtype=np.intp)
        return int(self.answer(self._best(leaves))[0])

    def scores_at(self, at: Point) -> list[Fraction]:
        """The scores at an exact point."""
        z = coordinates(self.front.at(at) if self.front else at)
        total = [sum(map(fraction, column), Fraction(0)) for column in self.value[[self._leaf(r, z) for r in self.roots]].T]
        return [
            sum((fraction(w) * v for w, v in zip(row, total, strict=True)), fraction(bias))
            for row, bias in zip(self.output_weight, self.output_bias, strict=True)
        ]

    def _leaf(self, node: int, z: Sequence[Any]) -> int:
        while self.feature[node] >= 0:
            x, t = z[self.feature[node]], self.threshold[node]
            node = self.children[node][0 if (x < t if self.strict[node] else x <= t) else 1]
        return int(node)

    def leaves_of(self, points: FloatArray) -> NDArray[np.intp]:
        """The leaf of each tree, exactly; (batch, d) → (batch, T)."""
        z, error = points, np.zeros_like(points)
        if self.front:
            layer = self.front.composed
            z = points @ layer.floats[0].T + layer.floats[1]
            error = rounding(self.inputs + 3, np.abs(points) @ layer.reach[0].T + layer.reach[1])
        threshold = nearest(self.threshold)
        doubt = UNIT_ROUNDOFF * np.abs(threshold) if self.threshold.dtype == object else np.zeros(len(threshold))
        rows = np.arange(len(points))[:, None]
        nodes = np.tile(self.roots, (len(points), 1))
        doubtful = np.zeros(len(points), dtype=bool)
        while ((feature := self.feature[nodes]) >= 0).any():
            inner = feature >= 0
            ahead, allowed = z[rows, feature] - threshold[nodes], error[rows, feature] + doubt[nodes]
            doubtful |= (inner & (np.abs(ahead) <= allowed) & (allowed > 0)).any(axis=1)
            right = np.where(self.strict[nodes], ahead >= 0, ahead > 0)
            nodes = np.where(inner, self.children[nodes, right.astype(np.intp)], nodes)
        for row in np.flatnonzero(doubtful):
            exact = coordinates(self.front.at(point(points[row])) if self.front else point(points[row]))
            nodes[row] = [self._leaf(root, exact) for root in self.roots]
        return nodes

    def _best(self, leaves: NDArray[np.intp]) -> NDArray[np.intp]:
        return np.array(self.classes)[self.differences.first(leaves)]


def as_indices(field: str, given: Any, shape: tuple[int | None, ...], least: int, end: int) -> NDArray[np.intp]:
    """Whole numbers from `least` to below `end`, (None: any size), or InputError."""
    array = np.asarray(given)
    sizes = len(array.shape) == len(shape) and all(w in (None, s) for w, s in zip(shape, array.shape, strict=True))
    if not sizes or (array.size and array.dtype.kind not in "iu"):
        raise InputError(f"{field}: wanted whole numbers, {len(shape)}-dimensional, got {describe(given)}")
    if array.size and not (least <= array.min() and array.max() < end):
        raise InputError(f"{field}: wanted whole numbers from {least} to {end - 1}, got {array.min()} to {array.max()}")
    return array.astype(np.intp)
