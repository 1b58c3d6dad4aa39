"""Convolutions, poolings and reductions of signals, as `lpnet.io.windows` says what they read."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lpnet.exact import FloatArray
from lpnet.io.activations import pooled
from lpnet.io.arithmetic import averaged, combined, plus
from lpnet.io.rearranging import reshaped
from lpnet.io.signal import Signal
from lpnet.io.windows import convolution, pooling, transposed_convolution

Reduction = Callable[[Signal, str, NDArray[np.intp]], Signal]


def convolved(
    signal: Signal, where: str, attributes: dict[str, Any], weight: FloatArray, bias: Any = None, back: bool = False
) -> Signal:
    """A convolution or, back, a transposed one, of (points, channels, *places), with a bias for each output channel."""
    terms = (transposed_convolution if back else convolution)(attributes, signal.shape, weight)
    made = reshaped(combined(signal, where, terms.numbers, terms.weights), terms.shape)
    return made if bias is None else plus(made, where, bias.reshape(-1, *[1] * len(terms.shape[2:])))


def pool(signal: Signal, where: str, attributes: dict[str, Any], largest: bool) -> Signal:
    """The largest entry, or the mean, of each window of (points, channels, *places)."""
    groups, counts = pooling(attributes, signal.shape)
    return pooled(signal, where, groups) if largest else averaged(signal, where, groups, counts)


def reduced(signal: Signal, where: str, axes: Iterable[int], keep: bool, reduction: Reduction) -> Signal:
    """What a reduction makes of the entries along axes; keep: these stay, of size 1."""
    count = len(signal.shape)
    chosen = sorted(int(axis) % count for axis in axes)
    numbers = np.moveaxis(signal.entries, chosen, list(range(count - len(chosen), count)))
    made = reduction(signal, where, numbers.reshape(*numbers.shape[: count - len(chosen)], -1))
    return reshaped(made, tuple(1 if a in chosen else size for a, size in enumerate(signal.shape))) if keep else made


def mean(signal: Signal, where: str, groups: NDArray[np.intp]) -> Signal:
    """The means of groups of entries (…, k)."""
    return averaged(signal, where, groups, np.array([groups.shape[-1]]))


def total(signal: Signal, where: str, groups: NDArray[np.intp]) -> Signal:
    """The sums of groups of entries (…, k)."""
    return combined(signal, where, groups, np.ones(1))
