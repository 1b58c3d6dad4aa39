"""Many points of a domain with the signs of half-spaces and f's answers there, in floats: to steer a search, not to prove.

Points at which a sign is within rounding of 0 are left out, so that as good as all of these signs are right.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lpnet.circuits.cover import Signs
from lpnet.exact import FloatArray, Form, Point, independent_inputs, rounding, to_floats, value
from lpnet.networks import ExactForm, Polyhedron

SCALES = 10.0 ** np.arange(-4, 4)  # times the middle size of the witnesses
PAIRS = 4000  # of witnesses, and of points on either side of the boundary
HALVINGS = 10
MOST_WITNESSES = 500
BATCH = 2000
DIRECTIONS = 8  # in which a convex set is measured
FARTHEST = 1e3  # times the size of the points
HALVINGS_OF_STEPS = 40


@dataclass(frozen=True, eq=False)
class Sample:
    """points (s, d); signs: of the half-spaces, ±1, (s, m); active: which units are > 0, (s, n); answers: ±1, (s,)."""

    points: FloatArray
    signs: Signs
    active: NDArray[np.bool_]
    answers: Signs

    def take(self, chosen: Any) -> "Sample":
        """Some of the points."""
        return Sample(self.points[chosen], self.signs[chosen], self.active[chosen], self.answers[chosen])


class Floats:
    """A form, a domain and half-spaces in floats."""

    def __init__(self, form: ExactForm, domain: Polyhedron, halfspaces: Sequence[Form]) -> None:
        self.halfspaces, self.walls = rows_of(halfspaces, form.inputs), rows_of(domain.inequalities(), form.inputs)
        self.levels, reads = form.levels, form.links or ((),) * len(form.units)
        bits: list[int] = []  # entry by entry a unit is at most 1 in units of 2^bits
        for a, read in zip(form.units, reads, strict=True):
            bits.append(max(longest(a), *(longest([c]) + bits[j] for j, c in read), 0))
        whole = max(longest(form.affine), *(longest([w]) + e for w, e in zip(form.signs, bits, strict=True)), 0)
        self.units = np.array([to_floats(a, -e) for a, e in zip(form.units, bits, strict=True)]).reshape(-1, form.inputs + 1)
        self.read = np.zeros((len(bits), len(bits)))
        for k, j, c in ((k, j, c) for k, read in enumerate(reads) for j, c in read):
            self.read[k, j] = to_floats([c], bits[j] - bits[k])[0]
        self.affine = to_floats(form.affine, -whole)
        self.outputs = np.array([to_floats([w], e - whole)[0] for w, e in zip(form.signs, bits, strict=True)])
        rows = [h for h in (form.affine, *form.units, *domain.inequalities()) if any(h)]
        self.kept = [*independent_inputs(rows), form.inputs]  # of (x, 1): what all forms are of depends on these
        table = rows_of(rows, form.inputs)
        self.onto = np.linalg.lstsq(table[:, self.kept], table)[0] if len(self.kept) <= form.inputs else np.eye(len(self.kept))
        self.sizes = np.abs(self.units)
        for level in self.levels[1:]:
            self.sizes[level] += np.abs(self.read[level]) @ self.sizes
        self.size = np.abs(self.affine) + np.abs(self.outputs) @ self.sizes

    def look(self, points: FloatArray) -> Sample:
        """What is known at those of the points inside the domain where everything is clear."""
        parts = [self._look(points[start : start + BATCH]) for start in range(0, max(1, len(points)), BATCH)]
        fields = ([getattr(part, name) for part in parts] for name in ("points", "signs", "active", "answers"))
        return Sample(*map(np.concatenate, fields))

    def _look(self, points: FloatArray) -> Sample:
        signs, clear = clear_signs(self.halfspaces, points)
        walls, clear_walls = clear_signs(self.walls, points)
        extended = np.column_stack([points, np.ones(len(points))])
        z, f = self.followed(extended @ self.units.T, extended @ self.affine)
        clear_units = (np.abs(z) > self.doubt(points, self.sizes.T)).all(axis=1)
        known = clear & clear_walls & clear_units & (walls > 0).all(axis=1) & (np.abs(f) > self.doubt(points, self.size))
        return Sample(points[known], signs[known], z[known] > 0, np.where(f[known] > 0, 1, -1).astype(np.int8))

    def followed(self, units: FloatArray, affine: FloatArray) -> tuple[FloatArray, FloatArray]:
        """All z_k, and f, times positive numbers, from the a_k and l; (…, n), (…,)."""
        z = units.copy() if len(self.levels) > 1 else units
        for level in self.levels[1:]:
            z[..., level] += np.maximum(z, 0) @ self.read[level].T
        return z, affine + np.maximum(z, 0) @ self.outputs

    def doubt(self, points: FloatArray, sizes: FloatArray) -> FloatArray:
        """Bounds on the errors of what has entries of these sizes, (s, d), (d + 1, …) → (s, …)."""
        operations = 4 * len(self.levels) * (len(self.units) + points.shape[1] + 4)
        return rounding(operations, np.abs(np.column_stack([points, np.ones(len(points))])) @ sizes)

    def signs_at(self, halfspaces: Sequence[Form], at: Point, settle: Callable[[int], int] | None = None) -> Signs:
        """The exact signs of the half-spaces at a point, sgn(0) = +1, (m,): integers settle what floats leave open.

        settle: another sign of half-space k, where floats do; by default at the point.
        """
        x = np.array([floats_of(at)])
        with np.errstate(invalid="ignore", over="ignore"):
            signs, clear = signs_and_clarity(self.halfspaces, x)
        for k in np.flatnonzero(~clear[0]).tolist():
            signs[0, k] = 1 if (settle(k) if settle else value(halfspaces[k], at)) >= 0 else -1
        return signs[0]

    def active(self, points: FloatArray) -> NDArray[np.bool_]:
        """Which units seem to be > 0; (…, d) → (…, n)."""
        extended = np.concatenate([points, np.ones((*points.shape[:-1], 1))], axis=-1)
        return np.asarray(self.followed(extended @ self.units.T, extended @ self.affine)[0] > 0)

    def score(self, points: FloatArray) -> FloatArray:
        """f, times a positive number; (s, d) → (s,)."""
        extended = np.column_stack([points, np.ones(len(points))])
        return self.followed(extended @ self.units.T, extended @ self.affine)[1]

    def inside(self, points: FloatArray) -> NDArray[np.bool_]:
        """Which points are finite and seem to lie in the domain."""
        above: NDArray[np.bool_] = np.column_stack([points, np.ones(len(points))]) @ self.walls.T > 0
        return np.all(above, axis=1) & np.isfinite(points).all(axis=1)


@np.errstate(invalid="ignore", over="ignore")
def spread(
    floats: Floats, starts: FloatArray, active: NDArray[np.bool_], units: Any, answer: int, planes: FloatArray | None = None
) -> FloatArray:
    """Points of convex sets, near their borders, from one point of each: (s, d) → (s, 1 + 2 · DIRECTIONS, d).

    The sets: where units are active as `active` says, (s, units), and f has the sign `answer`, any for 0; planes: gradients of
    hyperplanes, (s, d), in which they lie.
    """
    rng, (count, inputs) = np.random.default_rng(0), starts.shape
    steps = rng.normal(size=(count, DIRECTIONS, inputs))
    if planes is not None:
        normals = planes / np.linalg.norm(planes, axis=1, keepdims=True)
        steps -= (steps @ normals[:, :, None]) * normals[:, None]
    steps = np.concatenate([steps, -steps], axis=1).reshape(-1, inputs)
    owner = np.repeat(np.arange(count), 2 * DIRECTIONS)
    reach = np.full(len(steps), FARTHEST * (1.0 + np.abs(starts).max(initial=0.0)))

    def outside(rows: NDArray[np.intp], lengths: FloatArray) -> NDArray[np.bool_]:
        points = starts[owner[rows]] + lengths[:, None] * steps[rows]
        extended = np.column_stack([points, np.ones(len(points))])
        z, f = floats.followed(extended @ floats.units.T, extended @ floats.affine)
        belongs = ((z[:, units] > 0) == active[owner[rows]]).all(axis=1) & floats.inside(points)
        return np.asarray(~(belongs & (f * answer > 0)) if answer else ~belongs)

    left = np.arange(len(steps))
    for _ in range(HALVINGS_OF_STEPS):
        left = left[outside(left, reach[left])]
        reach[left] /= 2
    reach[left] = 0.0
    everything = np.arange(len(steps))
    for share in (1.5, 1.25, 1.125):
        longer = reach * share
        reach = np.where(outside(everything, longer), reach, longer)
    ends = (starts[owner] + reach[:, None] * steps).reshape(count, -1, inputs)
    return np.concatenate([starts[:, None], ends], axis=1)


def longest(form: Sequence[int]) -> int:
    """The bits of the largest entry."""
    return max(map(abs, form)).bit_length()


def rows_of(forms: Sequence[Form], inputs: int) -> FloatArray:
    """The forms in floats, each of size at most 1."""
    rows = [to_floats(h, -longest(h)) for h in forms]
    return np.array(rows).reshape(len(forms), inputs + 1)


def clear_signs(rows: FloatArray, points: FloatArray) -> tuple[Signs, NDArray[np.bool_]]:
    """The signs ±1 of forms at points, (s, m), and at which points all of them are beyond rounding, (s,)."""
    signs, clear = signs_and_clarity(rows, points)
    return signs, np.all(clear, axis=1)


def signs_and_clarity(rows: FloatArray, points: FloatArray) -> tuple[Signs, NDArray[np.bool_]]:
    """The signs ±1 of forms at points, and which are beyond the rounding of rows, points and sums; (s, m) both."""
    extended = np.column_stack([points, np.ones(len(points))])
    values = extended @ rows.T
    error = rounding(4 * (rows.shape[1] + 4), np.abs(extended).sum(axis=1))  # entries of rows are at most 1
    return np.where(values > 0, 1, -1).astype(np.int8), np.abs(values) > error[:, None]


def floats_of(at: Point) -> list[float]:
    """The coordinates of a point, rounded."""
    return [quotient(entry, at[-1]) for entry in at[:-1]]


def quotient(numerator: int, denominator: int) -> float:
    """Their quotient, infinite where it is too large."""
    try:
        return numerator / denominator
    except OverflowError:
        return np.inf if numerator > 0 else -np.inf


@np.errstate(invalid="ignore", over="ignore")
def sample(floats: Floats, witnesses: Sequence[Point]) -> Sample:
    """Points about the witnesses of the pieces, between them, and close to the boundary on both of its sides."""
    rng = np.random.default_rng(2016)
    near = np.array([floats_of(at) for at in witnesses])
    near = np.where(np.isfinite(near), near, 0.0)
    near = near[rng.permutation(len(near))[:MOST_WITNESSES]]
    size = float(np.median(np.abs(near).max(axis=1))) or 1.0
    around = [near + scale * size * rng.normal(size=near.shape) for scale in SCALES]
    around += [scale * size * rng.normal(size=(PAIRS // 10, near.shape[1])) for scale in SCALES]
    share = rng.uniform(-0.2, 1.2, size=(PAIRS, 1))
    first, second = near[rng.integers(len(near), size=(2, PAIRS))]
    points = np.concatenate([*around, share * first + (1 - share) * second])
    points = points[floats.inside(points)]
    found = floats.look(np.concatenate([points, *closer(floats, points, rng)]) if len(points) else points)
    _, distinct = np.unique(np.packbits(found.signs > 0, axis=1), axis=0, return_index=True)
    return found.take(np.sort(distinct))


def closer(floats: Floats, points: FloatArray, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    """Pairs of points on either side of the boundary, halved until they are near to each other."""
    above = floats.score(points) > 0
    if above.all() or not above.any():
        return points[:0], points[:0]
    high, low = (rng.choice(points[side], PAIRS) for side in (above, ~above))
    for _ in range(HALVINGS):
        middle = (high + low) / 2
        up = (floats.score(middle) > 0)[:, None]
        high, low = np.where(up, middle, high), np.where(up, low, middle)
    return high, low
