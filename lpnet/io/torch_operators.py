"""What PyTorch's functions make of a signal (`lpnet.io.signal`); its first axis, of size 1, is that of the points."""

from typing import Any

import numpy as np

from lpnet.errors import InputError
from lpnet.io import torch_shapes, torch_windows
from lpnet.io.activations import (
    all_of,
    any_of,
    as_number,
    clip,
    ended,
    heaviside,
    leaky,
    maximum,
    minimum,
    negated,
    pooled,
    relu,
    sign,
    strict,
    switched,
    threshold,
)
from lpnet.io.arithmetic import added, normalised, plus, product, scaled, subtracted
from lpnet.io.reading import affine
from lpnet.io.signal import BOOLEAN, Signal
from lpnet.io.torch_numbers import numbers, of_channels
from lpnet.io.torch_shapes import Operator, listed
from lpnet.io.windowed import Reduction, mean, reduced, total

MINUS = np.array(-1.0)


def _sum(where: str, input: Any, other: Any, *, alpha: float = 1) -> Signal:
    """input + alpha · other."""
    input, other = _counted(where, input), _counted(where, other)
    if alpha != 1:
        other = _product(where, other, alpha) if isinstance(other, Signal) else alpha * other
    if isinstance(input, Signal) and isinstance(other, Signal):
        return added(input, other, where)
    signal, number = (input, other) if isinstance(input, Signal) else (other, input)
    return plus(signal, where, numbers(where, number))


def _counted(where: str, given: Any) -> Any:
    """A Boolean as 0 or 1, as it counts in sums and products."""
    return as_number(given, where) if isinstance(given, Signal) else given


def _comparison(closed: bool, turned: bool) -> Operator:
    """input ≥ other, or >; turned: the other way round."""

    def compared(where: str, input: Any, other: Any) -> Signal:
        difference = _difference(where, other, input) if turned else _difference(where, input, other)
        return (threshold if closed else strict)(difference, where)

    return compared


def _boolean(where: str, given: Any) -> Signal:
    if not isinstance(given, Signal) or given.tail != BOOLEAN:
        raise InputError(f"{where} takes no comparison; wanted one there")
    return given


def _booleans(where: str, *given: Any) -> tuple[Signal, Signal]:
    first, second = (_boolean(where, entry) for entry in given)
    return first, second


def _where(where: str, condition: Any, input: Any, other: Any) -> Signal:
    return switched(_boolean(where, condition), where, numbers(where, input), numbers(where, other))


def _cast(where: str, input: Signal, *given: Any, **more: Any) -> Signal:
    """A Boolean as a kind of float or whole number, where it is 0 or 1; numbers only as they are, in float64."""
    import torch

    if input.tail == BOOLEAN:
        return as_number(input, where)
    if all(kind in (torch.float64, "cpu") for kind in (*given, *more.values())):
        return input
    raise InputError(f"{where} rounds what is no comparison")


def _difference(where: str, input: Any, other: Any, *, alpha: float = 1) -> Signal:
    both = isinstance(input, Signal) and isinstance(other, Signal) and alpha == 1
    return subtracted(input, other, where) if both else _sum(where, input, other, alpha=-alpha)


def _product(where: str, input: Any, other: Any) -> Signal:
    signal, factor = (_counted(where, z) for z in ((input, other) if isinstance(input, Signal) else (other, input)))
    return scaled(signal, where, numbers(where, factor))


def _quotient(where: str, input: Any, other: Any) -> Signal:
    if not isinstance(input, Signal):
        raise InputError(f"{where} divides by a computed value; wanted a constant")
    return scaled(input, where, numbers(where, other), divide=True)


def _matrix_product(where: str, input: Any, other: Any) -> Signal:
    from_left = not isinstance(input, Signal)
    signal, weight = (other, input) if from_left else (input, other)
    return product(signal, where, numbers(where, weight), from_left)


def _linear(where: str, input: Signal, weight: Any, bias: Any = None) -> Signal:
    return affine(input, where, numbers(where, weight), None if bias is None else numbers(where, bias))


def _leaky_relu(where: str, input: Signal, negative_slope: float = 0.01, inplace: bool = False) -> Signal:
    """The slope in float64, as the module's own evaluation takes it."""
    return leaky(input, where, negative_slope)


def _prelu(where: str, input: Signal, weight: Any) -> Signal:
    """One slope for all, or one for each channel."""
    slope = numbers(where, weight)
    return leaky(input, where, of_channels(slope, input) if slope.size > 1 else slope.reshape(()))


def _clamp(where: str, input: Signal, min: Any = None, max: Any = None) -> Signal:
    return clip(input, where, *(None if limit is None else numbers(where, limit) for limit in (min, max)))


def _hardtanh(where: str, input: Signal, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Signal:
    return clip(input, where, min_val, max_val)


def _hard_sigmoid(where: str, input: Signal, inplace: bool = False) -> Signal:
    """Between 0 and 1, z/6 + 1/2: a sixth of what is clipped between 0 and 6."""
    return scaled(clip(plus(input, where, np.array(3.0)), where, 0, 6), where, np.array(6.0), divide=True)


def _maximum(where: str, input: Any, other: Any) -> Signal:
    if isinstance(input, Signal) and isinstance(other, Signal):
        return maximum([input, other], where)
    return _clamp(where, *((input, other) if isinstance(input, Signal) else (other, input)))


def _minimum(where: str, input: Any, other: Any) -> Signal:
    if isinstance(input, Signal) and isinstance(other, Signal):
        return minimum([input, other], where)
    signal, limit = (input, other) if isinstance(input, Signal) else (other, input)
    return _clamp(where, signal, max=limit)


def _batch_norm(
    where: str, input: Signal, running_mean: Any, running_var: Any, weight: Any = None, bias: Any = None,
    training: bool = False, momentum: Any = None, eps: float = 1e-5,
) -> Signal:  # fmt: skip
    """By the mean and the variance that are stored for each channel."""
    if running_mean is None or training:
        raise InputError(f"{where} has no stored mean and variance; wanted track_running_stats")
    if input.shape[1:2] != (len(running_mean),):
        raise InputError(f"{where} has {len(running_mean)} inputs, but {input.shape[1]} numbers come into it")
    mean, variance = (of_channels(numbers(where, given), input) for given in (running_mean, running_var))
    factor = np.ones_like(mean) if weight is None else of_channels(numbers(where, weight), input)
    offset = np.zeros_like(mean) if bias is None else of_channels(numbers(where, bias), input)
    return normalised(input, where, mean, variance, eps, factor, offset)


def _dropout(where: str, input: Signal, p: float = 0.5, training: bool = True, inplace: bool = False) -> Signal:
    if training:
        raise InputError(f"{where} drops entries also when the model predicts; give it training=self.training")
    return input


def _reduction(reduction: Reduction) -> Operator:
    def reduce(where: str, input: Signal, dim: Any = None, keepdim: bool = False) -> Signal:
        return reduced(input, where, range(len(input.shape)) if dim is None else listed(dim), keepdim, reduction)

    return reduce


def _softmax(tail: str) -> Operator:
    def softmax(where: str, input: Signal, dim: Any = None, _stacklevel: int = 3, dtype: Any = None) -> Signal:
        if dim not in (None, 1, -1):
            raise InputError(f"{where} runs over dim={dim}; wanted that of the outputs, 1")
        return ended(input, where, tail)

    return softmax


FUNCTIONS: dict[str, Operator] = {
    **torch_shapes.FUNCTIONS,
    **torch_windows.FUNCTIONS,
    "abs": lambda where, input: leaky(input, where, -1),
    "add": _sum,
    "addmm": lambda where, input, mat1, mat2: _sum(where, _matrix_product(where, mat1, mat2), input),
    "amax": _reduction(pooled),
    "amin": _reduction(lambda signal, where, groups: pooled(signal, where, groups, largest=False)),
    "batch_norm": _batch_norm,
    "clamp": _clamp,
    "clamp_max": lambda where, input, max: _clamp(where, input, None, max),
    "clamp_min": _clamp,
    "clip": _clamp,
    "div": _quotient,
    "dropout": _dropout,
    "hardsigmoid": _hard_sigmoid,
    "hardtanh": _hardtanh,
    "heaviside": lambda where, input, values: heaviside(input, where, numbers(where, values)),
    "leaky_relu": _leaky_relu,
    "linear": _linear,
    "log_softmax": _softmax("LogSoftmax"),
    "matmul": _matrix_product,
    "maximum": _maximum,
    "mean": _reduction(mean),
    "minimum": _minimum,
    "mm": _matrix_product,
    "mul": _product,
    "neg": lambda where, input: scaled(input, where, MINUS),
    "prelu": _prelu,
    "relu": lambda where, input, inplace=False: relu(input, where),
    "relu6": lambda where, input, inplace=False: clip(input, where, 0, 6),
    "sgn": lambda where, input: sign(input, where),
    "sigmoid": lambda where, input: ended(input, where, "Sigmoid"),
    "sign": lambda where, input: sign(input, where),
    "softmax": _softmax("Softmax"),
    "sub": _difference,
    "sum": _reduction(total),
    "tanh": lambda where, input: ended(input, where, "Tanh"),
    "truediv": _quotient,
    "where": _where,
    **dict.fromkeys(("ge", "greater_equal"), _comparison(closed=True, turned=False)),
    **dict.fromkeys(("gt", "greater"), _comparison(closed=False, turned=False)),
    **dict.fromkeys(("le", "less_equal"), _comparison(closed=True, turned=True)),
    **dict.fromkeys(("lt", "less"), _comparison(closed=False, turned=True)),
    **dict.fromkeys(("and", "logical_and"), lambda where, input, other: all_of(*_booleans(where, input, other), where)),
    **dict.fromkeys(("or", "logical_or"), lambda where, input, other: any_of(*_booleans(where, input, other), where)),
    **dict.fromkeys(("invert", "logical_not"), lambda where, input: negated(_boolean(where, input))),
    **dict.fromkeys(("double", "float", "int", "long", "to", "type", "type_as"), _cast),
}
