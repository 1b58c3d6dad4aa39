"""Turning what a user gives into frozen float64 arrays, or saying what is wrong with it."""

from typing import Any

import numpy as np

from lpnet.errors import InputError
from lpnet.exact import FloatArray


def as_array(field: str, given: Any, shape: tuple[int | None, ...], finite: bool = True) -> FloatArray:
    """A read-only float64 copy of `given`, of the wanted shape (None: any size).

    Raises InputError, naming the field, what arrived and what was wanted.
    """
    wanted = "(" + ", ".join("any" if size is None else str(size) for size in shape) + ("," if len(shape) == 1 else "") + ")"
    try:
        array = np.asarray(given)
        if array.dtype.kind not in "fiub" and array.size:
            raise TypeError
        array = np.array(array, dtype=np.float64, order="C")
    except (TypeError, ValueError, OverflowError):
        raise InputError(f"{field}: wanted an array of real numbers of shape {wanted}, got {describe(given)}") from None
    if len(array.shape) != len(shape) or any(w not in (None, s) for w, s in zip(shape, array.shape, strict=True)):
        raise InputError(f"{field}: wanted shape {wanted}, got shape {array.shape}")
    bad = ~np.isfinite(array) if finite else np.isnan(array)
    if bad.any():
        where = tuple(int(i) for i in np.argwhere(bad)[0])
        raise InputError(f"{field}: wanted {'finite ' * finite}numbers, got {array[where]} at index {where}")
    array.setflags(write=False)
    return array


def as_weights(field: str, given: Any) -> FloatArray:
    """The weights of a layer, (units, d) with d ≥ 1."""
    weights = as_array(field, given, (None, None))
    if weights.shape[1] == 0:
        raise InputError(f"{field}: wanted at least one input, got shape {weights.shape}")
    return weights


def as_number(field: str, given: Any) -> float:
    """A finite float, or InputError."""
    if np.shape(given) == (1,):
        given = np.asarray(given)[0]
    return float(as_array(field, given, ()))


def as_points(given: Any, inputs: int) -> FloatArray:
    """A batch of points (batch, d)."""
    return as_array("points", given, (None, inputs))


def describe(given: Any) -> str:
    """What arrived, short enough for one sentence."""
    text = repr(given)
    return f"{type(given).__name__} {text if len(text) <= 40 else text[:37] + '...'}"
