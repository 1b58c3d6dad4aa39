"""Keras layers that take several values: sums, differences, means, extremes and joins of branches."""

from collections.abc import Callable
from functools import reduce
from typing import Any

import numpy as np

from lpnet.errors import InputError
from lpnet.io.activations import maximum, minimum
from lpnet.io.arithmetic import added, scaled, subtracted
from lpnet.io.rearranging import joined
from lpnet.io.signal import Signal

Merge = Callable[[list[Signal], str, Any], Signal]


def _sum(signals: list[Signal], where: str, config: Any) -> Signal:
    return reduce(lambda left, right: added(left, right, where), signals)


def _difference(signals: list[Signal], where: str, config: Any) -> Signal:
    left, right = signals
    return subtracted(left, right, where)


def _average(signals: list[Signal], where: str, config: Any) -> Signal:
    return scaled(_sum(signals, where, config), where, np.array(float(len(signals))), divide=True)


def _joined(signals: list[Signal], where: str, config: Any) -> Signal:
    axis = config.get("axis", -1)
    if not isinstance(axis, int) or axis == 0:
        raise InputError(f"{where} joins along axis {axis!r}, that of the points; wanted another one")
    return joined(signals, axis - (axis > 0))


MERGES: dict[str, Merge] = {
    "Add": _sum,
    "Subtract": _difference,
    "Average": _average,
    "Maximum": lambda signals, where, config: maximum(signals, where),
    "Minimum": lambda signals, where, config: minimum(signals, where),
    "Concatenate": _joined,
}
