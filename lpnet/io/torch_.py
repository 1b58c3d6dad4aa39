"""PyTorch: an `nn.Sequential`, or a state_dict in a .pt or .pth file, read with weights_only so that no code in it runs.

A state_dict has the weights alone: that there are ReLUs between its linear layers, and nothing else, is taken for granted and
said, by `lpnet.load` in a warning. TorchScript archives and whole pickled modules hold code and are refused.
"""

import warnings
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from pathlib import Path
from textwrap import shorten
from typing import Any
from zipfile import BadZipFile, ZipFile

import numpy as np

from lpnet.errors import InputError
from lpnet.io.activations import clip, ended, leaky, relu
from lpnet.io.arithmetic import normalised, plus, scaled
from lpnet.io.compare import check_same, points_for
from lpnet.io.files import EXPORTED, PROGRAM
from lpnet.io.kinds import MOST_BYTES, MOST_NUMBERS, Outputs, is_zip
from lpnet.io.layers import of_weights
from lpnet.io.own_code import replaced
from lpnet.io.reading import Reading, affine, finished
from lpnet.io.signal import Signal
from lpnet.networks.arrays import describe

SAFE = (2, 10)  # torch.load of older versions can be made to run code or to write out of bounds, weights_only or not
HOW = "save its weights: torch.save(model.state_dict(), FILE)"
PARAMETRIZED = (
    "weight_norm, spectral_norm, pruning and their like make a weight anew at every call; make it a plain one first, with "
    'remove_parametrizations(layer, "weight") of torch.nn.utils.parametrize, or remove_weight_norm and the like'
)
PARTS = ("weight_g", "weight_v", "weight_orig", "weight_u", "weight_mask")  # of weights that hooks make


def read(path: Path, outputs: Outputs | None = None) -> Reading:
    """The network whose state_dict is in a .pt or .pth file."""
    _check_archive(path)
    torch = _torch()
    if tuple(int(part) for part in torch.__version__.split(".")[:2]) < SAFE:
        raise InputError(
            f"needs torch ≥ {SAFE[0]}.{SAFE[1]} to be read safely, found {torch.__version__}; pip install -U torch"
        )
    try:
        found = torch.load(path, map_location="cpu", weights_only=True)
    except OSError:
        raise
    except Exception as error:  # a damaged file can raise almost anything
        if any(f"unsupported {kind}" in str(error).lower() for kind in ("global", "class")):
            raise InputError(f"holds Python objects that run code when they are loaded, so it is not; {HOW}") from None
        raise InputError(f"is not a PyTorch file, or is damaged; {HOW}") from None
    return of_state_dict(found, outputs)


def _torch() -> Any:
    try:
        import torch
    except ImportError:
        raise InputError('reading PyTorch files needs the package torch: pip install "lpnet[torch]"') from None
    return torch


def _check_archive(path: Path) -> None:
    """InputError for a zip archive with code in it, or which unpacks to more than it should."""
    if not is_zip(path):
        return
    try:
        with ZipFile(path) as archive:
            members = archive.infolist()
    except (BadZipFile, ValueError, NotImplementedError):
        raise InputError(f"is a damaged PyTorch file; {HOW}") from None
    if any("code" in Path(member.filename).parts or member.filename.endswith("/constants.pkl") for member in members):
        raise InputError(f"is a TorchScript archive, which holds code and is not read; {HOW}")
    if any(Path(member.filename).name in EXPORTED for member in members):
        raise InputError(PROGRAM)
    if sum(member.file_size for member in members) > MOST_BYTES:
        raise InputError(f"unpacks to more than {MOST_BYTES >> 20} MiB; wanted the weights of a network")


def of_state_dict(found: Any, outputs: Outputs | None = None) -> Reading:
    """The network of a state_dict, alone or in a checkpoint."""
    found = _state_dict(found)
    weights, biases = [], {}
    for name, tensor in found.items():
        kind = str(name).rpartition(".")[2]
        if ".parametrizations." in f".{name}" or kind in PARTS:
            raise InputError(f"holds {name!r:.80}, a part of a weight; {PARAMETRIZED}")
        if not _is_tensor(tensor):
            raise InputError(f"holds {name!r:.80}, which is {describe(tensor)} and no tensor; wanted a state_dict: {HOW}")
        if kind not in ("weight", "bias"):
            raise InputError(
                f"holds {name!r:.80}, which belongs to no linear layer (BatchNorm?); "
                "give lpnet.load the nn.Sequential, or export it to ONNX"
            )
        if kind == "bias":
            biases[str(name).removesuffix("bias")] = _array(name, tensor)
        else:
            weights.append((str(name).removesuffix("weight"), _array(name, tensor)))
    layers = [(f"the layer {name.rstrip('.')!r}", weight, biases.pop(name, None)) for name, weight in weights]
    if biases:
        raise InputError(f"has the bias {next(iter(biases))!r} without a weight")
    return of_weights(layers, outputs, "a state_dict")


def _state_dict(found: Any) -> Any:
    """The state_dict in a checkpoint, or what it is itself; InputError where there are several or none."""
    if not isinstance(found, Mapping) or not found:
        raise InputError(f"holds {describe(found)}; wanted a state_dict: {HOW}")
    inner = [
        name
        for name, value in found.items()
        if isinstance(value, Mapping) and value and all(_is_tensor(entry) for entry in value.values())
    ]
    if len(inner) > 1 or (inner and any(_is_tensor(value) for value in found.values())):
        raise InputError(
            f"holds several state_dicts, {', '.join(map(repr, inner)):.80}; save the one that is meant: "
            f"torch.save(torch.load(FILE)[{inner[0]!r:.40}], OTHER)"
        )
    return found[inner[0]] if inner else found


def _is_tensor(value: Any) -> bool:
    return hasattr(value, "numel")


def _array(where: Any, tensor: Any) -> Any:
    """The numbers of a tensor, exactly; half precision too."""
    import torch

    if type(tensor) not in (torch.Tensor, torch.nn.Parameter):
        raise InputError(f"{where}: a {type(tensor).__name__} may run code of its own; wanted a plain tensor of floats")
    if tensor.layout != torch.strided or tensor.is_quantized or tensor.is_meta or not tensor.is_floating_point():
        raise InputError(f"{where}: wanted a plain tensor of floats, got {tensor.dtype}, {tensor.layout} on {tensor.device}")
    if tensor.numel() > MOST_NUMBERS:
        raise InputError(f"{where}: has {tensor.numel()} numbers; lpnet reads up to {MOST_NUMBERS}")
    return tensor.detach().cpu().to(torch.float64).numpy()


def of_model(model: Any, outputs: Outputs | None = None) -> Reading:
    """The network of an nn.Sequential or of a state_dict."""
    return of_state_dict(model, outputs) if isinstance(model, Mapping) else of_module(model, outputs)


def of_module(model: Any, outputs: Outputs | None = None) -> Reading:
    """The network of an nn.Sequential (also one in one), as it is in evaluation mode."""
    layers = list(_layers(model))
    sizes = [layer.in_features if hasattr(layer, "in_features") else layer.num_features for _, layer in layers if _sized(layer)]
    if not sizes:
        raise InputError("has no Linear layer; wanted hidden layers of ReLUs")
    signal = Signal.of_features((sizes[0],))
    for name, layer in layers:
        signal = LAYERS[type(layer).__name__](signal, f"the layer {type(layer).__name__} {name!r}", layer)
    made = finished(signal, outputs)
    _compare(model, signal)
    return made


def _compare(model: Any, signal: Signal) -> None:
    """InputError where the module itself, in evaluation mode, answers otherwise at some points.

    A copy is asked, in float64 and on the processor, where graphics processors and half precision round nothing.
    """
    import torch

    points = points_for(signal)
    try:
        with torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a Softmax without dim
            answers = deepcopy(model).eval().to("cpu", torch.float64)(torch.from_numpy(points)).numpy()
    except Exception as error:  # whatever its layers raise
        raise InputError(f"its own evaluation fails ({shorten(str(error), 200)})") from None
    check_same(signal, points, answers, np.finfo(np.float64), "its own evaluation")


def _sized(layer: Any) -> bool:
    return hasattr(layer, "in_features") or hasattr(layer, "num_features")


def _layers(model: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """The layers one after the other, under their names; InputError for one that lpnet does not know."""
    from torch import nn

    if type(model) is not nn.Sequential:
        raise InputError(
            f"a {type(model).__name__} runs code of its own, which lpnet does not follow; "
            "give an nn.Sequential, its state_dict, or export it to ONNX"
        )
    _check_own_code("the nn.Sequential", model)
    for name, layer in model._modules.items():  # named_children leaves out a layer that comes again
        where = f"the layer {type(layer).__name__} {prefix + name!r}"
        if type(layer) is nn.Sequential:
            yield from _layers(layer, f"{prefix}{name}.")
        elif nn.utils.parametrize.is_parametrized(layer):
            raise InputError(f"{where} has a parametrization; {PARAMETRIZED}")
        elif type(layer) is not getattr(nn, type(layer).__name__, None) or type(layer).__name__ not in LAYERS:
            raise InputError(f"{where} cannot be taken; lpnet reads {', '.join(LAYERS)}")
        else:
            _check_own_code(where, layer)
            yield prefix + name, layer


def _check_own_code(where: str, layer: Any) -> None:
    """InputError for hooks, of this layer or of all, and for methods that were replaced on the layer."""
    from torch.nn.modules import module

    if layer._forward_hooks or layer._forward_pre_hooks:
        norm = f"; {PARAMETRIZED}" if any(hasattr(layer, part) for part in PARTS) else ""
        raise InputError(f"{where} has hooks, which lpnet does not run{norm}")
    if module._global_forward_hooks or module._global_forward_pre_hooks:
        raise InputError("there are forward hooks for all modules, which lpnet does not run; remove them first")
    if name := replaced(layer):
        raise InputError(f"{where} has a {name} of its own in place of PyTorch's, which lpnet does not follow")


def _leaky(signal: Signal, where: str, layer: Any) -> Signal:
    """One slope for all, in float64 as the module's own evaluation takes it, or one for each entry."""
    return leaky(signal, where, layer.negative_slope if hasattr(layer, "negative_slope") else _array(where, layer.weight))


def _clip(signal: Signal, where: str, layer: Any) -> Signal:
    """Hardtanh, and ReLU6, which is one between 0 and 6."""
    return clip(signal, where, layer.min_val, layer.max_val)


def _hard_sigmoid(signal: Signal, where: str, layer: Any) -> Signal:
    """Between 0 and 1, z/6 + 1/2: a sixth of what is clipped between 0 and 6."""
    return scaled(clip(plus(signal, where, np.array(3.0)), where, 0, 6), where, np.array(6.0), divide=True)


def _flatten(signal: Signal, where: str, layer: Any) -> Signal:
    if layer.start_dim != 1:
        raise InputError(f"{where} mixes the points, start_dim={layer.start_dim}; wanted 1")
    if layer.end_dim not in (-1, 1):
        raise InputError(f"{where} leaves a table for each point, end_dim={layer.end_dim}; wanted -1")
    return signal


def _linear(signal: Signal, where: str, layer: Any) -> Signal:
    return affine(signal, where, _array(where, layer.weight), None if layer.bias is None else _array(where, layer.bias))


def _batch_norm(signal: Signal, where: str, layer: Any) -> Signal:
    if layer.running_mean is None:
        raise InputError(f"{where} has no stored mean and variance; wanted track_running_stats")
    if signal.shape != (layer.num_features,):
        raise InputError(f"{where} has {layer.num_features} inputs, but {signal.shape[0]} numbers come into it")
    mean, variance = _array(where, layer.running_mean), _array(where, layer.running_var)
    weight = np.ones_like(mean) if layer.weight is None else _array(where, layer.weight)
    bias = np.zeros_like(mean) if layer.bias is None else _array(where, layer.bias)
    return normalised(signal, where, mean, variance, layer.eps, weight, bias)


def _softmax(signal: Signal, where: str, layer: Any) -> Signal:
    if layer.dim not in (None, 1, -1):
        raise InputError(f"{where} runs over dim={layer.dim}; wanted that of the outputs, 1")
    return ended(signal, where, type(layer).__name__)


def _tail(signal: Signal, where: str, layer: Any) -> Signal:
    return ended(signal, where, type(layer).__name__)


def _nothing(signal: Signal, where: str, layer: Any) -> Signal:
    return signal


LAYERS: dict[str, Callable[[Signal, str, Any], Signal]] = {
    "Linear": _linear,
    "ReLU": lambda signal, where, layer: relu(signal, where),
    "LeakyReLU": _leaky,
    "PReLU": _leaky,
    "ReLU6": _clip,
    "Hardtanh": _clip,
    "Hardsigmoid": _hard_sigmoid,
    "BatchNorm1d": _batch_norm,
    "Sigmoid": _tail,
    "Tanh": _tail,
    "Softmax": _softmax,
    "LogSoftmax": _softmax,
    "Dropout": _nothing,
    "Flatten": _flatten,
    "Identity": _nothing,
}
