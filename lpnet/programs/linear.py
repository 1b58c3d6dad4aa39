"""Linear programs in floats, by HiGHS through scipy: what they find is a proposal."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from lpnet.exact import FloatArray

Bounds = tuple[float | None, float | None]
FREE: Bounds = (None, None)
POSITIVE: Bounds = (0, None)


class Optimum(NamedTuple):
    """gain·z, and z."""

    value: float
    at: FloatArray


def maximum(
    gain: ArrayLike,
    rows: ArrayLike,
    most: ArrayLike = 0.0,
    section: tuple[ArrayLike, ArrayLike] | None = None,
    bounds: Bounds = FREE,
) -> Optimum | None:
    """max gain·z over rows·z ≤ most, A z = b for the section (A, b), each z_j within the bounds; None where there is none."""
    from scipy.optimize import linprog  # it takes its time to load

    table: Any = np.asarray(rows, dtype=np.float64)
    equal, values = (None, None) if section is None else section
    best = linprog(-np.asarray(gain), table, np.broadcast_to(most, len(table)), equal, values, bounds)
    return Optimum(-float(best.fun), best.x) if best.status == 0 else None
