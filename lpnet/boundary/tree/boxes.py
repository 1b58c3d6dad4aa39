"""Boxes around a domain, and around all of R^d in homogeneous coordinates."""

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lpnet.exact import FloatArray, rounded_down, rounded_up
from lpnet.networks import Polyhedron

MOST_INPUTS = 20  # for boxes around all of R^d
REACH = 2.0  # of the one around 0, in terms of the median distance of the first hyperplanes


class Boxes(NamedTuple):
    """Boxes whose rays cover a cone: their ends, (boxes, D), and which coordinate is the same at both, (boxes,)."""

    low: FloatArray
    high: FloatArray
    fixed: NDArray[np.int64]


def boxes_around(domain: Polyhedron, kept: Sequence[int], scale: tuple[int, ...], units: FloatArray) -> Boxes:
    """Boxes around a domain: itself where it is bounded, else the facets of a cube around 0 in R^D with y_D ≥ 0.

    t f(x/t) has the sign of f(x/t) for t > 0 and is the same network with all biases times t, so all that is to be known is
    on max(|x_j|/s, t) = 1: the box |x| ≤ s for t = 1, and x_j = ±s with t in [0, 1]; s is about as far from 0 as the
    hyperplanes of the first units are, (units, D). None for many inputs.
    """
    box, size = box_around(domain, kept, scale), len(scale)
    if box:
        return Boxes(box[0][None], box[1][None], np.array([size - 1]))
    if size > MOST_INPUTS + 1:
        return no_boxes(size)
    slope = np.sqrt((units[:, :-1] ** 2).sum(axis=1))
    with np.errstate(all="ignore"):
        away = np.sort(np.abs(units[slope > 0, -1]) / slope[slope > 0])
    reach = REACH * away[len(away) // 2] if len(away) else 0.0  # np.median would load numpy.ma
    half = np.full(size, reach if np.isfinite(reach) and reach > 0 else 1.0)
    half[-1] = 1.0
    fixed = np.repeat(np.arange(size), 2)[:-1]
    low, high = np.tile(-half, (len(fixed), 1)), np.tile(half, (len(fixed), 1))
    low[:, -1] = 0.0
    for b, j in enumerate(fixed):
        low[b, j] = high[b, j] = half[j] * (1 if b % 2 == 0 else -1)
    return Boxes(low, high, fixed)


def no_boxes(size: int) -> Boxes:
    """None at all, of D coordinates."""
    return Boxes(np.zeros((0, size)), np.zeros((0, size)), np.zeros(0, np.int64))


def box_around(domain: Polyhedron, kept: Sequence[int], scale: tuple[int, ...]) -> tuple[FloatArray, FloatArray] | None:
    """The ends of a bounded domain in the kernel's coordinates, rounded outwards, (D,) each; None for another one."""
    lower, upper = domain.bounds
    ends = [(low, high) for j in kept if (low := lower[j]) is not None and (high := upper[j]) is not None]
    if len(ends) < len(kept):
        return None
    scaled = [(low * Fraction(2) ** -s, high * Fraction(2) ** -s) for (low, high), s in zip(ends, scale, strict=False)]
    last = float(Fraction(2) ** -scale[-1])
    below = np.array([*(rounded_down(low) for low, _ in scaled), last])
    above = np.array([*(rounded_up(high) for _, high in scaled), last])
    return (below, above) if np.isfinite(below).all() and np.isfinite(above).all() and last > 0 else None
