"""PyTorch's functions that rearrange a signal (`lpnet.io.signal`); its first axis, of size 1, is that of the points."""

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

import numpy as np

from lpnet.errors import InputError
from lpnet.io.rearranging import joined, picked, reshaped, transposed
from lpnet.io.signal import Signal

Operator = Callable[..., Any]  # of what to call it in messages, and of PyTorch's arguments under PyTorch's names


def listed(given: Any) -> Sequence[Any]:
    """Several, or one alone."""
    return given if isinstance(given, tuple | list) else [given]


def _all(given: Sequence[Any]) -> Sequence[Any]:
    """Arguments that are given one by one, or as one list."""
    return listed(given[0]) if len(given) == 1 else given


def _flatten(where: str, input: Signal, start_dim: int = 0, end_dim: int = -1) -> Signal:
    shape = input.shape
    start, end = (range(len(shape))[axis] for axis in (start_dim, end_dim))
    if start == 0 and shape[1:]:
        raise InputError(f"{where} mixes the points, start_dim={start_dim}; wanted 1")
    return reshaped(input, (*shape[:start], prod(shape[start : end + 1]), *shape[end + 1 :]))


def _unflatten(where: str, input: Signal, dim: int, sizes: Any) -> Signal:
    axis = dim % len(input.shape)
    return _view(where, input, (*input.shape[:axis], *sizes, *input.shape[axis + 1 :]))


def _view(where: str, input: Signal, *shape: Any) -> Signal:
    return reshaped(input, np.broadcast_to(np.int8(0), input.shape).reshape(_all(shape)).shape)


def _permute(where: str, input: Signal, *dims: Any) -> Signal:
    return transposed(input, [axis % len(input.shape) for axis in _all(dims)])


def _transpose(where: str, input: Signal, dim0: int = 0, dim1: int = 1) -> Signal:
    axes = np.arange(len(input.shape))
    axes[[dim0, dim1]] = axes[[dim1, dim0]]
    return transposed(input, axes)


def _squeeze(where: str, input: Signal, dim: Any = None) -> Signal:
    """Without axes of size 1, that of the points kept if none are named."""
    count = len(input.shape)
    gone = range(1, count) if dim is None else [axis % count for axis in listed(dim)]
    return reshaped(input, tuple(size for axis, size in enumerate(input.shape) if size != 1 or axis not in gone))


def _unsqueeze(where: str, input: Signal, dim: int) -> Signal:
    return reshaped(input, np.expand_dims(np.broadcast_to(np.int8(0), input.shape), dim).shape)


def _cat(where: str, tensors: Sequence[Any], dim: int = 0) -> Signal:
    if not all(isinstance(tensor, Signal) for tensor in tensors):
        raise InputError(f"{where} joins computed values and constants; wanted computed ones alone")
    return joined(tensors, dim)


def _stack(where: str, tensors: Sequence[Any], dim: int = 0) -> Signal:
    return _cat(where, [_unsqueeze(where, tensor, dim) for tensor in tensors], dim)


def _split(where: str, input: Signal, split_size_or_sections: Any, dim: int = 0) -> list[Signal]:
    """In parts of one size, the last one perhaps smaller, or of given sizes."""
    size = input.shape[dim]
    given = split_size_or_sections
    sizes = given if isinstance(given, tuple | list) else [given] * -(-size // given)
    numbers = np.moveaxis(np.arange(prod(input.shape)).reshape(input.shape), dim, 0)
    parts = np.split(numbers, np.cumsum(sizes)[:-1])
    return [_at(input, np.moveaxis(part, 0, dim)) for part in parts]


def _chunk(where: str, input: Signal, chunks: int, dim: int = 0) -> list[Signal]:
    return _split(where, input, -(-input.shape[dim] // chunks), dim)


def _item(where: str, input: Any, index: Any) -> Any:
    """One of several, or the entries at whole numbers, slices, lists of numbers, … and None."""
    if not isinstance(input, Signal):
        return input[index]
    if any(isinstance(part, Signal) for part in listed(index)):
        raise InputError(f"{where} picks entries by a computed value; wanted constant places")
    return _at(input, np.arange(prod(input.shape)).reshape(input.shape)[_plain(index)])


def _at(signal: Signal, places: Any) -> Signal:
    """The entries with these numbers, counted in order."""
    return picked(signal, lambda entries: entries.reshape(len(entries), -1)[:, places])


def _plain(index: Any) -> Any:
    """An index with lists in place of tensors."""
    return tuple(map(_plain, index)) if isinstance(index, tuple) else index.tolist() if hasattr(index, "tolist") else index


def _attribute(where: str, input: Any, name: str) -> Any:
    if isinstance(input, Signal) and name in ("T", "mT"):
        return _transpose(where, input, -2, -1)
    if isinstance(input, Signal) and name not in ("shape", "ndim"):
        raise InputError(f"{where} asks a computed value for its {name}; export the model to ONNX")
    return len(input.shape) if name == "ndim" else getattr(input, name)


def _itself(where: str, input: Any) -> Any:
    return input


FUNCTIONS: dict[str, Operator] = {
    "cat": _cat,
    "chunk": _chunk,
    "clone": _itself,
    "concat": _cat,
    "contiguous": _itself,
    "detach": _itself,
    "dim": lambda where, input: len(input.shape),
    "flatten": _flatten,
    "getattr": _attribute,
    "getitem": _item,
    "permute": _permute,
    "reshape": _view,
    "size": lambda where, input, dim=None: input.shape if dim is None else input.shape[dim],
    "split": _split,
    "squeeze": _squeeze,
    "stack": _stack,
    "t": _transpose,
    "transpose": _transpose,
    "unflatten": _unflatten,
    "unsqueeze": _unsqueeze,
    "view": _view,
}
