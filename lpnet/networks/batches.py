"""Batches of points, and single ones."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

T = TypeVar("T", bound=np.generic)


def or_single(of_batch: Callable[[Any, Any], NDArray[T]]) -> Callable[[Any, Any], NDArray[T]]:
    """A method of batches (batch, d) → (batch, …) that takes a single point (d,) → (…) as well."""

    @wraps(of_batch)
    def of_either(network: Any, points: Any) -> NDArray[T]:
        try:
            single = np.shape(points) == (network.inputs,)
        except ValueError:  # rows of different lengths
            single = False
        return of_batch(network, [points])[0] if single else of_batch(network, points)

    return of_either
