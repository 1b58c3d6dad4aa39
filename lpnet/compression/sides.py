"""Threshold units as a function of the sides of their hyperplanes; lines across these, and corners of what they bound."""

import math
from collections.abc import Sequence
from fractions import Fraction
from itertools import combinations, islice

import numpy as np
from flint import fmpz_mat
from numpy.typing import NDArray

from lpnet.compression.flats import scaled
from lpnet.compression.surface import Network, numbers
from lpnet.exact import FloatArray, Form, Point, primitive, sign, times, to_floats, value
from lpnet.networks import Polyhedron
from lpnet.networks.classifier import Classifier
from lpnet.regions.reasons import ABOVE, halfspace

MOST_CORNERS = 50000  # sets of walls that may have one in common
CLEAR = 1e-9  # what counts as 0 where floats propose
Signs = NDArray[np.int8]


class Sides:
    """The answers of threshold units as a function of the sides of their distinct hyperplanes; then the domain's walls."""

    def __init__(self, network: Network, domain: Polyhedron) -> None:
        self.scores = network.scores if isinstance(network, Classifier) else (network,)
        named = numbers(network) if isinstance(network, Classifier) else {}
        self.named = np.array([named[c] for c in network.classes]) if isinstance(network, Classifier) else None
        forms = self.scores[0].input_layer.forms
        turned = [halfspace(h, ABOVE) if any(h[:-1]) else None for h in forms]
        self.planes: list[Form] = list(dict.fromkeys(side[0] for side in turned if side))
        number = {plane: k for k, plane in enumerate(self.planes)}
        self.units = len(self.planes)
        self.column = np.array([number[side[0]] if side else -1 for side in turned])
        ways = [(1 if side[1] == ABOVE else -1) if side else sign(h[-1]) or 1 for side, h in zip(turned, forms, strict=True)]
        self.turn = np.array(ways)
        self.planes += domain.inequalities()
        self.table = np.array([scaled(plane) for plane in self.planes])

    def answers(self, signs: Signs) -> NDArray[np.int_]:
        """The answers for rows of signs ±1 of the hyperplanes; (batch, planes) → (batch,)."""
        padded = np.column_stack([signs, np.ones(len(signs), dtype=np.int8)])
        given = (padded[:, self.column] * self.turn).astype(float)
        found = np.stack([score.from_signs(given)[:, 0] for score in self.scores])
        return found[0].astype(int) if self.named is None else self.named[found.argmax(axis=0)]

    def across(self, signs: Signs, k: int) -> NDArray[np.int_]:
        """The answers above and below hyperplane k; (batch, 2)."""
        both = []
        for side in (1, -1):
            signs[:, k] = side
            both.append(self.answers(signs))
        return np.stack(both, axis=1)

    def at(self, x: Point) -> Signs:
        """The exact signs, 0 where a hyperplane contains the point."""
        place = to_floats(x, -max(map(abs, x)).bit_length())
        values, sizes = self.table @ place, np.abs(self.table) @ np.abs(place)
        signs = np.sign(values).astype(np.int8)
        for k in np.flatnonzero(np.abs(values) <= CLEAR * sizes):
            signs[k] = sign(value(self.planes[k], x))
        return signs


def crossed(heights: FloatArray, slopes: FloatArray) -> tuple[list[int], FloatArray, Signs]:
    """The hyperplanes that a line meets, in order, where it meets them, and the signs between and beyond."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        places = -heights / slopes
    order = np.argsort(places)[: np.isfinite(places).sum()]
    places = places[order]
    ends = np.array([places[0] - 1, *places, places[-1] + 1]) if len(places) else np.array([-1.0, 1.0])
    signs = np.sign(heights + ((ends[1:] + ends[:-1]) / 2)[:, None] * slopes).astype(np.int8)
    return order.tolist(), places, signs


def middle(ends: Sequence[Point]) -> Point:
    """A point between points, and beyond directions."""
    total = [Fraction(0)] * len(ends[0])
    for end in ends:
        size = end[-1] or max(map(abs, end))
        total = [t + Fraction(z, size) for t, z in zip(total, end, strict=True)]
    common = math.lcm(*(t.denominator for t in total))
    return primitive([int(t * common) for t in total])


def extreme(rows: Sequence[Form]) -> list[Point]:
    """The extreme rays of the cone in which these and the last coordinate are ≥ 0; floats propose, integers confirm."""
    size = len(rows[0])
    rows = [*rows, (0,) * (size - 1) + (1,)]
    table = np.array([scaled(row) for row in rows])
    chosen = np.array(list(islice(combinations(range(len(rows)), size - 1), MOST_CORNERS)))
    minors = [np.linalg.det(np.delete(table[chosen], j, axis=2)) * (-1) ** j for j in range(size)]
    found = np.stack(minors, axis=1)
    lengths = np.linalg.norm(found, axis=1)
    found = found[lengths > CLEAR] / lengths[lengths > CLEAR, None]
    values = found @ table.T
    good = (values > -CLEAR).all(axis=1) | (values < CLEAR).all(axis=1)
    rays = dict[Point, None]()
    for active in {tuple(np.flatnonzero(np.abs(row) <= CLEAR)) for row in values[good]}:
        span, nullity = fmpz_mat([list(rows[k]) for k in active]).nullspace()
        if nullity == 1:
            ray = primitive([int(span[j, 0]) for j in range(size)])
            for end in (ray, times(-1, ray)):
                if all(value(row, end) >= 0 for row in rows):
                    rays[end] = None
    return list(rays)
