"""f in the coordinates of a cone: what the methods find."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lpnet.exact import FloatArray

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
