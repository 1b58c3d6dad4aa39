"""The cone over K in good coordinates, rays shot on its boundary, and f in these coordinates: from bends to a network.

f = l + Σ R(D_i) on K, and R(D) = D + R(−D) turns units round. A network −c + Σ R(±D_i), c > 0, needs a set T with
l + Σ_{i∈T} D_i = −c·e. If −e is a facet, T is the units with D_i > 0 there. Otherwise no unit may be active on a ray in K, and
the rest is a subset-sum problem. Where it has no solution one more unit does: l vanishes on the rays in K, so with c large
a_0 = l + c·e ≥ 0 on K; there f and −c + R(a_0) + Σ R(D_i) agree, and elsewhere the latter is ≥ f > 0.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from lpnet.exact import FloatArray, Form, Point, to_floats
from lpnet.programs.linear import maximum

# What errors of the size `noise` in the data become in the coordinates used here: below FLOOR·noise differences mean nothing,
# up to TIGHT·noise a value may be 0, from CLEAR·noise on it is not. This steers the search, never the answer.
FLOOR, TIGHT, CLEAR = 2.0**-12, 2.0**8, 2.0**16
LARGEST_SEARCH = 36  # units to turn: 2^18 sums on either side


@dataclass(frozen=True)
class Cone:
    """C = {z : rows·z ≤ 0}, z in p = r + 1 coordinates, r the rank of the gradients: the lines in C are divided out.

    rows: (m + 1, p), the half-spaces and then −e, scaled so that every row is −1 at the centre, a point (p,) of the bounded
    section {mean row · z = −1}; noise: the relative error of the data.
    lift: (d + 1, p), the point z is lift·z in the coordinates of the half-spaces; coordinates: (p, d + 1), the form g is
    g·coordinates there.
    """

    rows: FloatArray
    centre: FloatArray
    lift: FloatArray
    coordinates: FloatArray
    noise: float

    @property
    def infinity(self) -> int:
        """The index of −e."""
        return len(self.rows) - 1

    @cached_property
    def bounded(self) -> bool:
        """Whether there is no ray in K: −e < 0 on all of C but 0."""
        section, infinity = self.rows.mean(axis=0), self.rows[self.infinity]
        best = maximum(infinity, self.rows, section=(section[None], [-1]))
        return bool(best and -best.value > np.sqrt(CLEAR * self.noise))

    def tight(self, z: FloatArray) -> tuple[NDArray[np.bool_], bool]:
        """Which rows vanish at a boundary point z of the section: those below the widest gap that may be due to errors.

        And whether this gap is clear.
        """
        size = np.abs(self.rows @ z)
        order = np.sort(np.maximum(size, self.noise * FLOOR))
        steps = order[1:] / order[:-1]
        steps[order[:-1] > TIGHT * self.noise] = 0
        widest = int(steps.argmax())
        return size <= order[widest], bool(steps[widest] >= CLEAR / TIGHT)

    def shoot(self, z: FloatArray, directions: FloatArray, within: Sequence[int]) -> tuple[FloatArray, NDArray[np.intp]]:
        """From a point of the face {rows[within] = 0} along its section: where each ray leaves C, and the row that it meets."""
        normals = np.linalg.qr(np.vstack([self.rows.mean(axis=0), self.rows[list(within)]]).T)[0]
        directions = directions - (directions @ normals) @ normals.T
        directions /= np.linalg.norm(directions, axis=1, keepdims=True)
        speed, room = directions @ self.rows.T, -(self.rows @ z)
        speed[:, list(within)] = 0
        with np.errstate(divide="ignore", invalid="ignore"):
            time = np.where(speed > CLEAR * self.noise, np.maximum(room, 0) / speed, np.inf)
        met = time.argmin(axis=1)
        return z + time[np.arange(len(met)), met, None] * directions, met


def cone_over(halfspaces: Sequence[Form], inside: Point, noise: float) -> Cone:
    """The cone over K = {h_k ≤ 0}, given a point inside K."""
    raw = np.array([unit_row(h) for h in halfspaces])
    at = to_floats(inside, -max(map(int.bit_length, inside)))
    rows = np.vstack([raw, np.eye(raw.shape[1])[-1:] * -1.0])
    rows /= -(rows @ at)[:, None]
    u, size, v = np.linalg.svd(rows, full_matrices=False)
    rank = numerical_rank(size, noise)
    # The left singular vectors as coordinates: isotropic rows.
    coordinates = (size[:rank, None] * v[:rank]) / np.sqrt(len(rows))
    lift = np.sqrt(len(rows)) * (v[:rank] / size[:rank, None]).T
    rows, centre = u[:, :rank] * np.sqrt(len(rows)), coordinates @ at
    return Cone(rows / -(rows @ centre)[:, None], centre, lift, coordinates, noise)


def unit_row(form: Form) -> FloatArray:
    """A form in floats, its largest coefficient near 1."""
    return to_floats(form, -max(abs(entry) for entry in form).bit_length())


def numerical_rank(size: FloatArray, noise: float) -> int:
    """How many of the singular values (decreasing) are not noise: up to the widest gap whose lower end may be noise."""
    relative = np.maximum(size / size[0], noise * 2.0**-10)
    ends = [k for k in range(1, len(size)) if relative[k] < CLEAR * noise]
    return max(ends, key=lambda k: relative[k - 1] / relative[k]) if ends else len(size)


Pair = tuple[int, int]


@dataclass(frozen=True)
class Bends:
    """f = l + Σ R(D_i) on K up to a positive factor.

    facets: the rows that are facets, (F,); points: one inside each, (F, p); affine: l, (p,); units: D_i, (n, p), each up to
    its orientation, as R(D) = D + R(−D); through: ridges, as pairs of rows, that D_i = 0 has to contain, for each unit, where
    this does not follow from the facets.
    """

    facets: NDArray[np.intp]
    points: FloatArray
    affine: FloatArray
    units: FloatArray
    through: tuple[tuple[Pair, ...], ...] = ()


@dataclass(frozen=True)
class Draft:
    """f = −c + Σ R(a_i) up to a positive factor, with a last unit l + c·e, active on all facets, if there is an `extra` one.

    facets: half-spaces, (m,); active: the units on the facet of each, (m, n); rows: a_1, …, a_n and −c·e, or, with an extra
    unit, a_1, …, a_{n−1} and l; in the coordinates of the half-spaces, (n + 1 or n, d + 1); through: as in `Bends`.
    """

    facets: NDArray[np.intp]
    active: NDArray[np.bool_]
    rows: FloatArray
    extra: bool
    through: tuple[tuple[Pair, ...], ...]


def oriented(cone: Cone, bends: Bends) -> Draft | None:
    """The network with these bends on K; None where there is no c, or a unit takes both signs on the rays in K."""
    active = bends.points @ bends.units.T > 0
    real = bends.facets != cone.infinity
    if not real.all():
        return draft(cone, bends, active[~real][0], extra=False)
    at_infinity = [0 if cone.bounded else sign_on_rays(cone, unit) for unit in bends.units]
    if None in at_infinity:
        return None
    turned = np.array(at_infinity) == 1
    free = np.flatnonzero(np.array(at_infinity) == 0)
    more = subset(bends.affine + bends.units[turned].sum(axis=0), bends.units[free], cone)
    if more is not None:
        turned[free[more]] = True
    return draft(cone, bends, turned, extra=more is None)


def draft(cone: Cone, bends: Bends, turned: NDArray[np.bool_], extra: bool) -> Draft:
    """The bends with these units turned round."""
    real = bends.facets != cone.infinity
    active = (bends.points @ bends.units.T > 0) ^ turned
    affine = bends.affine + bends.units[turned].sum(axis=0)
    rows = np.vstack([np.where(turned[:, None], -bends.units, bends.units), affine]) @ cone.coordinates
    if extra:
        active = np.column_stack([active, np.ones(len(active), dtype=bool)])
    return Draft(bends.facets[real], active[real], rows, extra, bends.through)


def sign_on_rays(cone: Cone, unit: FloatArray) -> int | None:
    """The sign of a form on the rays in K: 0 if it vanishes on all of them or there is none; None if it takes both signs."""
    section = np.vstack([cone.rows.mean(axis=0), cone.rows[cone.infinity]])
    found = set()
    for side in (1, -1):
        best = maximum(side * unit, cone.rows, section=(section, [-1, 0]))
        if best and best.value > np.sqrt(CLEAR * cone.noise) * np.abs(unit).max():
            found.add(side)
    return None if len(found) == 2 else next(iter(found), 0)


def subset(affine: FloatArray, units: FloatArray, cone: Cone) -> NDArray[np.intp] | None:
    """T with affine + Σ_T units a positive multiple of −e, meeting in the middle: the sorted sums over either half."""
    if len(units) > LARGEST_SEARCH:
        return None
    infinity = cone.rows[cone.infinity]
    across = np.eye(len(infinity)) - np.outer(infinity, infinity) / (infinity @ infinity)
    near = CLEAR * cone.noise * (np.abs(affine).max() + np.abs(units).max(initial=0.0))
    probe = across @ np.random.default_rng(0).normal(size=len(infinity))
    half = len(units) // 2
    left, right = (all_sums(part @ probe) for part in (units[:half], units[half:]))
    order = np.argsort(right)
    wanted = -(affine @ probe) - left
    reach = near * np.abs(probe).sum()
    low, high = (np.searchsorted(right[order], wanted + side * reach) for side in (-1, 1))
    for first in np.flatnonzero(low < high):
        for second in order[low[first] : high[first]]:
            chosen = np.flatnonzero(
                [(number >> k) & 1 for number, size in ((first, half), (second, len(units) - half)) for k in range(size)]
            )
            total = affine + units[chosen].sum(axis=0)
            if np.abs(across @ total).max() < near and total @ infinity > 0:
                return chosen
    return None


def all_sums(values: FloatArray) -> FloatArray:
    """The sum over every subset; bit k of its number says whether value k is in it."""
    sums = np.zeros(1)
    for value in values:
        sums = np.concatenate([sums, sums + value])
    return sums
