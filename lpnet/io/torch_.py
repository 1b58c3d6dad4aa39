"""PyTorch: an `nn.Sequential`, or a state_dict in a .pt or .pth file, read with weights_only so that no code in it runs.

A state_dict has the weights alone: that there is a ReLU between its two linear layers, and nothing else, is taken for granted
and said, by `lpnet.load` in a warning. TorchScript archives and whole pickled modules hold code and are refused.
"""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, ZipFile

import numpy as np

from lpnet.errors import InputError
from lpnet.io.activations import ended, relu
from lpnet.io.arithmetic import normalised
from lpnet.io.kinds import MOST_BYTES, MOST_NUMBERS, Outputs, is_zip
from lpnet.io.layers import two_layers
from lpnet.io.reading import Reading, affine, finished
from lpnet.io.signal import Signal
from lpnet.networks.arrays import describe

SAFE = (2, 10)  # torch.load of older versions can be made to run code or to write out of bounds, weights_only or not
WRAPPERS = ("state_dict", "model_state_dict", "model")
HOW = "save its weights: torch.save(model.state_dict(), FILE)"


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
    if sum(member.file_size for member in members) > MOST_BYTES:
        raise InputError(f"unpacks to more than {MOST_BYTES >> 20} MiB; wanted the weights of one hidden layer")


def of_state_dict(found: Any, outputs: Outputs | None = None) -> Reading:
    """The network of a state_dict, alone or in a checkpoint."""
    if isinstance(found, Mapping):
        inner = [found[name] for name in WRAPPERS if isinstance(found.get(name), Mapping)]
        found = inner[0] if len(inner) == 1 else found
    if not isinstance(found, Mapping) or not found:
        raise InputError(f"holds {describe(found)}; wanted a state_dict: {HOW}")
    weights, biases = [], {}
    for name, tensor in found.items():
        kind = str(name).rpartition(".")[2]
        if kind not in ("weight", "bias") or not hasattr(tensor, "numel"):
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
    return two_layers(layers, outputs, "a state_dict")


def _array(where: Any, tensor: Any) -> Any:
    """The numbers of a tensor, exactly; half precision too."""
    import torch

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
        raise InputError("has no Linear layer; wanted one hidden layer of ReLUs")
    signal = Signal.of_features((sizes[0],))
    for name, layer in layers:
        signal = LAYERS[type(layer).__name__](signal, f"the layer {type(layer).__name__} {name!r}", layer)
    return finished(signal, outputs)


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
    if _hooked(model):
        raise InputError("the nn.Sequential has hooks, which lpnet does not run")
    for name, layer in model.named_children():
        if type(layer) is nn.Sequential:
            yield from _layers(layer, f"{prefix}{name}.")
        elif type(layer) is not getattr(nn, type(layer).__name__, None) or type(layer).__name__ not in LAYERS:
            raise InputError(
                f"the layer {type(layer).__name__} {prefix + name!r} cannot be taken; lpnet reads {', '.join(LAYERS)}"
            )
        elif _hooked(layer):
            raise InputError(f"the layer {type(layer).__name__} {prefix + name!r} has hooks, which lpnet does not run")
        else:
            yield prefix + name, layer


def _hooked(layer: Any) -> bool:
    return bool(layer._forward_hooks or layer._forward_pre_hooks)


def _flatten(signal: Signal, where: str, layer: Any) -> Signal:
    if layer.start_dim != 1:
        raise InputError(f"{where} mixes the points, start_dim={layer.start_dim}; wanted 1")
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
    "BatchNorm1d": _batch_norm,
    "Sigmoid": _tail,
    "Tanh": _tail,
    "Softmax": _softmax,
    "LogSoftmax": _softmax,
    "Dropout": _nothing,
    "Flatten": _flatten,
    "Identity": _nothing,
}
