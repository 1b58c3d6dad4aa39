"""PyTorch's tensors as exact numbers."""

from typing import Any

import numpy as np

from lpnet.errors import InputError
from lpnet.io.kinds import MOST_NUMBERS
from lpnet.io.signal import Numbers, Signal


def array(where: Any, tensor: Any) -> Any:
    """The numbers of a tensor of floats, exactly; half precision too."""
    import torch

    if type(tensor) not in (torch.Tensor, torch.nn.Parameter):
        raise InputError(f"{where}: a {type(tensor).__name__} may run code of its own; wanted a plain tensor of floats")
    if tensor.layout != torch.strided or tensor.is_quantized or tensor.is_meta or not tensor.is_floating_point():
        raise InputError(f"{where}: wanted a plain tensor of floats, got {tensor.dtype}, {tensor.layout} on {tensor.device}")
    if tensor.numel() > MOST_NUMBERS:
        raise InputError(f"{where}: has {tensor.numel()} numbers; lpnet reads up to {MOST_NUMBERS}")
    return tensor.detach().cpu().to(torch.float64).numpy()


def numbers(where: str, given: Any) -> Numbers:
    """A number, or a tensor, that a calculation takes beside a signal."""
    if isinstance(given, Signal):
        raise InputError(f"{where} takes two computed values; wanted one of them constant")
    return np.asarray(float(given)) if isinstance(given, int | float) else array(where, given)


def of_channels(given: Numbers, signal: Signal) -> Numbers:
    """One number for each channel, the second axis, in a shape that broadcasts."""
    return given.reshape(-1, *(1,) * (len(signal.shape) - 2))
