"""PyTorch: a module in memory (`lpnet.io.torch_modules`), or a state_dict in a .pt or .pth file.

Files are read with weights_only, so that no code in them runs. A state_dict has the weights alone: that there are ReLUs between
its linear layers, and nothing else, is taken for granted and said, by `lpnet.load` in a warning. TorchScript archives and whole
pickled modules hold code and are refused.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, ZipFile

from lpnet.errors import InputError
from lpnet.io.files import EXPORTED, PROGRAM
from lpnet.io.kinds import MOST_BYTES, Outputs, is_zip
from lpnet.io.layers import of_weights
from lpnet.io.reading import Reading
from lpnet.io.torch_modules import PARAMETRIZED, PARTS, of_module
from lpnet.io.torch_numbers import array
from lpnet.networks.arrays import describe

SAFE = (2, 10)  # torch.load of older versions can be made to run code or to write out of bounds, weights_only or not
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
                "give lpnet.load the module, or export it to ONNX"
            )
        if kind == "bias":
            biases[str(name).removesuffix("bias")] = array(name, tensor)
        else:
            weights.append((str(name).removesuffix("weight"), array(name, tensor)))
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
    if "state_dict" in inner:  # a checkpoint of Lightning
        return found["state_dict"]
    if len(inner) > 1 or (inner and any(_is_tensor(value) for value in found.values())):
        raise InputError(
            f"holds several state_dicts, {', '.join(map(repr, inner)):.80}; save the one that is meant: "
            f"torch.save(torch.load(FILE)[{inner[0]!r:.40}], OTHER)"
        )
    return found[inner[0]] if inner else found


def _is_tensor(value: Any) -> bool:
    return hasattr(value, "numel")


def of_model(model: Any, outputs: Outputs | None = None) -> Reading:
    """The network of an nn.Module or of a state_dict."""
    return of_state_dict(model, outputs) if isinstance(model, Mapping) else of_module(model, outputs)
