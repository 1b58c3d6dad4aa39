"""From bends to a network: which way round the units are, and whether one more is needed.

f = l + Σ R(D_i) on K, and R(D) = D + R(−D) turns units round. A network −c + Σ R(±D_i), c > 0, needs a set T with
l + Σ_{i∈T} D_i = −c·e. If −e is a facet, T is the units with D_i > 0 there. Otherwise no unit may be active on a ray in K, and
the rest is a subset-sum problem. Where it has no solution one more unit does: l vanishes on the rays in K, so with c large
a_0 = l + c·e ≥ 0 on K; there f and −c + R(a_0) + Σ R(D_i) agree, and elsewhere the latter is ≥ f > 0.
"""

import numpy as np
from numpy.typing import NDArray

from lpnet.compression.recognition.cone import CLEAR, Bends, Cone, Draft
from lpnet.exact import FloatArray
from lpnet.programs.linear import maximum

LARGEST_SEARCH = 36  # units: 2^18 sums on either side


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
