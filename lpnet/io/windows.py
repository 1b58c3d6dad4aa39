"""What convolutions and poolings read, as ONNX defines them: the numbers of entries (`lpnet.io.signal`), 0 for none.

attributes are those of the ONNX operators; arrays have the axes points, channels, places …
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lpnet.exact import FloatArray
from lpnet.io.signal import Shape, entry_numbers

Sizes = Sequence[int]
SAME = (b"SAME_UPPER", b"SAME_LOWER")


@dataclass(frozen=True)
class Windows:
    """Their sizes, strides and dilations, and how far an array is extended in front of each axis and behind it."""

    kernel: Sizes
    strides: Sizes
    dilations: Sizes
    begins: Sizes
    ends: Sizes

    @classmethod
    def of(cls, attributes: dict[str, Any], kernel: Sizes, sizes: Sizes) -> "Windows":
        """On axes of these sizes, without what ceil_mode adds."""
        axes = len(kernel)
        if len(sizes) != axes:
            raise ValueError("shapes do not fit")
        strides, dilations = (attributes.get(name) or [1] * axes for name in ("strides", "dilations"))
        pads = attributes.get("pads") or [0] * 2 * axes
        made = cls(kernel, strides, dilations, pads[:axes], pads[axes:])
        if attributes.get("auto_pad") not in SAME:
            return made
        wanted = zip(sizes, made.reach, strides, strict=True)
        totals = [max(0, (-(-size // stride) - 1) * stride + reach - size) for size, reach, stride in wanted]
        return cls(kernel, strides, dilations, *_halves(totals, attributes))

    @property
    def reach(self) -> tuple[int, ...]:
        """How long they are."""
        return tuple((size - 1) * step + 1 for size, step in zip(self.kernel, self.dilations, strict=True))

    @property
    def around(self) -> list[tuple[int, int]]:
        """What is added to points, channels and places, for numpy.pad."""
        return [(0, 0), (0, 0), *zip(self.begins, self.ends, strict=True)]

    def beyond(self, sizes: Sizes) -> list[int]:
        """How far behind that the last windows reach that begin in the array or in front of it (ceil_mode)."""
        more = []
        for size, reach, step, begin, end in zip(sizes, self.reach, self.strides, self.begins, self.ends, strict=True):
            last = -(-(begin + size + end - reach) // step)
            last -= last * step >= begin + size
            more.append(max(0, last * step + reach - (begin + size + end)))
        return more

    def over(self, numbers: NDArray[Any]) -> NDArray[Any]:
        """All windows: (points, channels, *windows, *kernel)."""
        padded = np.pad(numbers, [(max(0, begin), max(0, end)) for begin, end in self.around])
        inner = [slice(max(0, -begin), -max(0, -end) or None) for begin, end in self.around]
        view = np.lib.stride_tricks.sliding_window_view(padded[*inner], self.reach, axis=tuple(range(2, numbers.ndim)))
        return view[..., *_every(self.strides), *_every(self.dilations)]


@dataclass(frozen=True)
class Terms:
    """Sums Σ_k weights[…, k] · (entry numbers[…, k]), with broadcasting, and the shape they are put in."""

    numbers: NDArray[np.intp]
    weights: FloatArray
    shape: Shape


def convolution(attributes: dict[str, Any], shape: Shape, weight: FloatArray) -> Terms:
    """Conv of an array of this shape; weight (M, C / group, *kernel)."""
    windows = Windows.of(attributes, weight.shape[2:], shape[2:])
    return _terms(windows.over(entry_numbers(shape)), weight, attributes.get("group", 1))


def transposed_convolution(attributes: dict[str, Any], shape: Shape, weight: FloatArray) -> Terms:
    """ConvTranspose, weight (C, M / group, *kernel): a convolution, with the kernel turned round and strides 1, of the array
    with strides − 1 zeros between its entries."""
    kernel, groups, padding = weight.shape[2:], attributes.get("group", 1), attributes.get("auto_pad")
    windows = Windows.of({**attributes, "auto_pad": None}, kernel, shape[2:])
    more = attributes.get("output_padding") or [0] * len(kernel)
    spread = [(size - 1) * step + 1 for size, step in zip(shape[2:], windows.strides, strict=True)]
    wanted = attributes.get("output_shape")
    if wanted is None and padding in SAME:
        wanted = [size * step for size, step in zip(shape[2:], windows.strides, strict=True)]
    begins, ends = windows.begins, windows.ends
    if wanted is not None:
        sizes = zip(spread, windows.reach, more, wanted[-len(kernel) :], strict=True)
        begins, ends = _halves([size + reach - 1 + far - size_wanted for size, reach, far, size_wanted in sizes], attributes)
    numbers = np.zeros((*shape[:2], *spread), dtype=np.intp)
    numbers[..., *_every(windows.strides)] = entry_numbers(shape)
    begins = [reach - 1 - begin for reach, begin in zip(windows.reach, begins, strict=True)]
    ends = [reach - 1 - end + far for reach, end, far in zip(windows.reach, ends, more, strict=True)]
    turned = np.flip(weight, tuple(range(2, weight.ndim))).reshape(groups, -1, *weight.shape[1:])
    turned = np.swapaxes(turned, 1, 2).reshape(-1, turned.shape[1], *kernel)
    return _terms(Windows(kernel, [1] * len(kernel), windows.dilations, begins, ends).over(numbers), turned, groups)


def pooling(attributes: dict[str, Any], shape: Shape) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The entries in each window in a row, and how many AveragePool counts there, (…, 1).

    It counts what pads add where count_include_pad says so, and never what ceil_mode adds.
    """
    kernel, sizes = attributes["kernel_shape"], shape[2:]
    windows = Windows.of(attributes, kernel, sizes)
    none = [0] * len(kernel)
    inner = Windows(
        kernel, windows.strides, windows.dilations, none, windows.beyond(sizes) if attributes.get("ceil_mode") else none
    )
    counted = np.pad(np.ones((1, 1, *sizes), np.intp), windows.around, constant_values=attributes.get("count_include_pad", 0))
    groups, counts = (
        made.reshape(*made.shape[: len(shape)], -1)
        for made in map(inner.over, (np.pad(entry_numbers(shape), windows.around), counted))
    )
    return groups, counts.sum(axis=-1, keepdims=True)


def _terms(numbers: NDArray[np.intp], weight: FloatArray, groups: int) -> Terms:
    """Sums over the channels of a group and the places in windows (points, C, *windows, *kernel); weight (M, C / groups, …)."""
    points, channels, *places = numbers.shape[: weight.ndim]
    if channels != weight.shape[1] * groups:
        raise ValueError("shapes do not fit")
    rows = numbers.reshape(points, groups, weight.shape[1], prod(places), -1)
    rows = np.moveaxis(rows, 2, 3).reshape(points, groups, 1, prod(places), -1)
    return Terms(rows, weight.reshape(groups, len(weight) // groups, 1, -1), (points, len(weight), *places))


def _halves(totals: Sizes, attributes: dict[str, Any]) -> tuple[list[int], list[int]]:
    """Whole numbers in two parts; where it is odd, the second one is larger for SAME_UPPER, else the first one."""
    begins = [total // 2 if attributes.get("auto_pad") == b"SAME_UPPER" else total - total // 2 for total in totals]
    return begins, [total - begin for total, begin in zip(totals, begins, strict=True)]


def _every(steps: Sizes) -> list[Any]:
    return [slice(None, None, step) for step in steps]
