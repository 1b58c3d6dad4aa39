"""Networks from files and to files, by the file's suffix, and from other libraries' models."""

import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar, overload

from lpnet.errors import InputError
from lpnet.io import json_, npz
from lpnet.io.data import load_domain
from lpnet.io.examples import load_examples
from lpnet.io.files import check_file, naming
from lpnet.io.json_ import from_dict, to_dict
from lpnet.io.kinds import Network, Outputs
from lpnet.io.places import STDIN, configuration, from_stdin, in_folder, with_labels
from lpnet.io.reading import Reading, chosen_again
from lpnet.io.sklearn_ import from_sklearn
from lpnet.io.trees import trees_again
from lpnet.io.writing import check_onnx, check_replaceable, check_writable, replacing, save
from lpnet.networks import ReLUNetwork, SignCircuit, SignNetwork, StepNetwork
from lpnet.networks.arrays import describe
from lpnet.networks.classifier import Classifier
from lpnet.networks.trees import TreeEnsemble

__all__ = [
    "Reading",
    "check_replaceable",
    "check_writable",
    "from_dict",
    "from_sklearn",
    "load",
    "load_domain",
    "load_examples",
    "read",
    "read_and_warn",
    "replacing",
    "save",
    "to_dict",
]

Kind = TypeVar("Kind", ReLUNetwork, SignNetwork, SignCircuit, StepNetwork, Classifier, TreeEnsemble)
Reader = Callable[[Any, Outputs | None], Reading]

log = logging.getLogger(__name__)


@overload
def load(source: Any, outputs: Outputs | None = None) -> Network: ...
@overload
def load(source: Any, outputs: Outputs | None = None, *, kind: type[Kind]) -> Kind: ...
def load(source: Any, outputs: Outputs | None = None, *, kind: type[Any] | None = None) -> Any:
    """The network in a file or in a model, with warnings as of `read_and_warn`; `read` also says how it was read.

    kind: ReLUNetwork, SignNetwork or SignCircuit; InputError for a network of another kind.
    """
    network = read_and_warn(source, outputs).network
    if kind and not isinstance(network, kind):
        raise InputError(f"network: wanted a {kind.__name__}, or what can be read as one, got a {type(network).__name__}")
    return network


def read_and_warn(source: Any, outputs: Outputs | None = None) -> Reading:
    """As `read`; what was assumed is logged as a warning."""
    reading = read(source, outputs)
    if reading.assumed:
        name = source if isinstance(source, str | os.PathLike) else type(source).__name__
        log.warning("%s: assumed: %s", name, reading.assumed)
    return reading


def read(source: Any, outputs: Outputs | None = None) -> Reading:
    """The network in a file or in a model in memory, with notes on how it was read.

    Files, by suffix: .json, .npz, .onnx, .nnet, .keras, .h5 (also of weights alone), .pt, .pth, .bin and .ckpt (a
    state_dict, alone or in a checkpoint), .safetensors; a folder as model hubs have them; "-", the standard input.
    Models: scikit-learn's MLPClassifier or MLPRegressor, a linear one, or trees, alone or in a Pipeline; a
    torch.nn.Module or a
    state_dict; keras.Sequential or a functional keras.Model; an onnx.ModelProto; the dict of a JSON form. Each format is
    described in its module of `lpnet.io`.
    outputs=(I, J), for a model with several outputs: the network that is +1 where output I ≥ output J; a
    `lpnet.io.kinds.Choice`, for other decisions, such as Choice("argmax"): a `Classifier`, the class of the largest output.
    Raises InputError, its message beginning with the file's name, for whatever cannot be read.
    """
    if not isinstance(source, str | os.PathLike):
        return _read_model(source, outputs)
    path = Path(source)
    with naming(path):
        if str(source) == STDIN:
            return READERS[check_file(file := from_stdin(), READERS)](file, outputs)
        if path.is_dir() and path.suffix.lower() not in READERS:
            said, file = configuration(path), in_folder(path)
            return with_labels(READERS[check_file(file, READERS)](file, outputs), said)
        reading = READERS[check_file(path, READERS)](path, outputs)
        log.debug("%s: read, a %s with %d inputs", path, type(reading.network).__name__, reading.network.inputs)
        return reading


def _read_model(model: Any, outputs: Outputs | None) -> Reading:
    """A model in memory, by the library that its class comes from."""
    own = ReLUNetwork | SignNetwork | SignCircuit | StepNetwork | Classifier | TreeEnsemble
    if isinstance(model, own) or (isinstance(model, dict) and "kind" in model):
        network = from_dict(model) if isinstance(model, dict) else model
        made = trees_again(network, outputs) if isinstance(network, TreeEnsemble) else chosen_again(network, outputs)
        return replace(made, notes=())
    libraries = {kind.__module__.partition(".")[0] for kind in type(model).__mro__}
    if isinstance(model, Mapping):
        inner = [entry for value in model.values() if isinstance(value, Mapping) for entry in value.values()]  # checkpoints
        libraries |= {type(value).__module__.partition(".")[0] for value in (*model.values(), *inner)} & {"torch"}
    for library, reader in MODELS.items():
        if library in libraries:
            return reader(model, outputs)
    raise InputError(f"wanted a file's name or a model of {', '.join(MODELS)}, got {describe(model)}")


def _imported(module: str, function: str) -> Reader:
    """A reader that imports its module, and with it a library, when it is called for."""

    def reader(source: Any, outputs: Outputs | None = None) -> Reading:
        if module == "onnx_":
            check_onnx("reading")
        found = import_module(f"lpnet.io.{module}")
        reading: Reading = getattr(found, function)(source, outputs)
        return reading

    return reader


READERS: dict[str, Reader] = {
    ".json": json_.read,
    ".npz": npz.read,
    ".onnx": _imported("onnx_", "read"),
    ".nnet": _imported("nnet", "read"),
    ".keras": _imported("keras_", "read"),
    ".h5": _imported("keras_", "read"),
    ".hdf5": _imported("keras_", "read"),
    ".pt": _imported("torch_", "read"),
    ".pth": _imported("torch_", "read"),
    ".ckpt": _imported("torch_", "read"),
    ".bin": _imported("torch_", "read"),
    ".safetensors": _imported("safetensors_", "read"),
}
MODELS: dict[str, Reader] = {
    "sklearn": _imported("sklearn_", "read"),
    "keras": _imported("keras_", "of_model"),
    "torch": _imported("torch_", "of_model"),
    "onnx": _imported("onnx_", "of_model"),
}
