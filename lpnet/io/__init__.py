"""Networks from files and to files, by the file's suffix, and from other libraries' models."""

import errno
import logging
import os
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from textwrap import shorten
from typing import Any, BinaryIO

import numpy as np

from lpnet.errors import InputError
from lpnet.exact import FloatArray
from lpnet.io import json_, npz, text
from lpnet.io.json_ import from_dict, to_dict
from lpnet.io.kinds import MOST_BYTES, Network, Outputs, single_output
from lpnet.io.reading import Reading, rounded_note
from lpnet.io.sklearn_ import from_sklearn
from lpnet.networks import Box, ReLUNetwork, SignCircuit, SignNetwork
from lpnet.networks.arrays import as_array, describe

__all__ = [
    "Reading",
    "check_replaceable",
    "check_writable",
    "from_dict",
    "from_sklearn",
    "load",
    "load_box",
    "load_examples",
    "read",
    "replacing",
    "save",
    "to_dict",
]

Reader = Callable[[Any, Outputs | None], Reading]

log = logging.getLogger(__name__)
LONGEST_MESSAGE = 400  # names in a damaged file may be anything


def load(source: Any, outputs: Outputs | None = None) -> Network:
    """The network in a file or in a model: `read`, which also says how.

    Where layers had to be folded into one and float64 cannot hold the products, that is logged as a warning.
    """
    reading = read(source, outputs)
    if reading.rounding:
        name = source if isinstance(source, str | os.PathLike) else type(source).__name__
        logging.getLogger(__name__).warning("%s: %s", name, rounded_note(reading.rounding))
    return reading.network


def read(source: Any, outputs: Outputs | None = None) -> Reading:
    """The network in a file or in a model in memory, with notes on how it was read.

    Files, by suffix: .json, .npz, .onnx, .nnet, .keras, .h5 (also of weights alone), .pt and .pth (a state_dict).
    Models: scikit-learn's MLPClassifier, alone or in a Pipeline; torch.nn.Sequential or a state_dict; keras.Sequential or a
    chain of Keras layers; an onnx.ModelProto; the dict of a JSON form. Each format is described in its module of `lpnet.io`.
    outputs=(I, J), for a model with several outputs: the network that is +1 where output I ≥ output J.
    Raises InputError, its message beginning with the file's name, for whatever cannot be read.
    """
    if not isinstance(source, str | os.PathLike):
        return _read_model(source, outputs)
    path = Path(source)
    try:
        _check_file(path)
        reading = READERS[_suffix(path, READERS, "read")](path, outputs)
        log.debug("%s: read, a %s with %d inputs", path, type(reading.network).__name__, reading.network.inputs)
        return reading
    except InputError as error:
        raise InputError(f"{path}: {shorten(str(error), LONGEST_MESSAGE)}") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from None


def _read_model(model: Any, outputs: Outputs | None) -> Reading:
    """A model in memory, by the library that its class comes from."""
    if isinstance(model, ReLUNetwork | SignNetwork | SignCircuit) or (isinstance(model, dict) and "kind" in model):
        single_output(outputs)
        return Reading(from_dict(model) if isinstance(model, dict) else model)
    libraries = {kind.__module__.partition(".")[0] for kind in type(model).__mro__}
    if isinstance(model, Mapping):
        libraries |= {type(value).__module__.partition(".")[0] for value in model.values()} & {"torch"}
    for library, reader in MODELS.items():
        if library in libraries:
            return reader(model, outputs)
    raise InputError(f"wanted a file's name or a model of {', '.join(MODELS)}, got {describe(model)}")


def save(network: Network, path: str | os.PathLike[str], features: Sequence[str] | None = None) -> None:
    """Write a network to a .json, .npz or .onnx file, to the last bit, or the logic of a threshold network to a .txt file.

    features: names of the inputs for the text. An existing file is replaced, as a whole or not at all.
    Raises InputError, its message beginning with the file's name, where it cannot be written.
    """
    path = Path(path)
    try:
        suffix = _suffix(path, WRITERS, "written")
        content = text.encode(network, features) if suffix == ".txt" else WRITERS[suffix](network)
        with replacing(path) as file:
            file.write(content)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be written: {getattr(error, 'strerror', None) or error}") from None


def check_writable(path: str | os.PathLike[str], relu: bool = False) -> None:
    """Raise the InputError of `save` that can be foreseen: before the work whose result is to be written.

    relu: it will be a ReLU network, which has no text form.
    """
    path = Path(path)
    try:
        if _suffix(path, [suffix for suffix in WRITERS if not (relu and suffix == ".txt")], "written") == ".onnx":
            _check_onnx("writing")
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    if path.is_dir() or not path.parent.is_dir():
        raise InputError(f"{path}: cannot be written: {'is a directory' if path.is_dir() else 'there is no such folder'}")


def load_box(path: str | os.PathLike[str]) -> Box:
    """The box in a JSON file: {"lower": [...], "upper": [...]}, one number or null (no bound) for each input."""
    path = Path(path)
    try:
        _check_file(path)
        data = json_.parse(path)
        if not isinstance(data, dict) or set(data) != {"lower", "upper"}:
            raise InputError('wanted a box {"lower": [...], "upper": [...]}')
        ends = {"lower": -np.inf, "upper": np.inf}
        if not all(isinstance(data[name], list) for name in ends):
            raise InputError('wanted lists of numbers for "lower" and "upper"')
        lower, upper = ([end if bound is None else bound for bound in data[name]] for name, end in ends.items())
        return Box(as_array("lower", lower, (None,), finite=False), as_array("upper", upper, (len(lower),), finite=False))
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from None


def load_examples(path: str | os.PathLike[str], inputs: int) -> tuple[FloatArray, FloatArray | None]:
    """The examples X (N, inputs), N ≥ 1, in an .npz file, and their classes y (N,) as ±1 if it has them (as ±1 or 0/1)."""
    path = Path(path)
    try:
        _check_file(path)
        _suffix(path, [".npz"], "read as examples")
        arrays = npz.read_examples(path)
        points = as_array("X", arrays["X"], (None, inputs))
        if len(points) == 0:
            raise InputError("X: wanted at least one example, got none")
        if "y" not in arrays:
            return points, None
        classes = as_array("y", arrays["y"], (len(points),))
        if not np.isin(classes, [-1, 1]).all() and not np.isin(classes, [0, 1]).all():
            raise InputError("y: wanted the classes −1 and +1, or 0 and 1")
        return points, np.where(classes > 0, 1.0, -1.0)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from None


def _imported(module: str, function: str) -> Reader:
    """A reader that imports its module, and with it a library, when it is called for."""

    def reader(source: Any, outputs: Outputs | None = None) -> Reading:
        try:
            found = import_module(f"lpnet.io.{module}")
        except ImportError as error:
            if error.name and error.name.partition(".")[0] == "onnx":
                raise InputError('reading ONNX needs the package onnx: pip install "lpnet[onnx]"') from None
            raise
        reading: Reading = getattr(found, function)(source, outputs)
        return reading

    return reader


def _check_onnx(doing: str) -> None:
    try:
        import onnx  # noqa: F401
    except ImportError:
        raise InputError(f'{doing} ONNX needs the package onnx: pip install "lpnet[onnx]"') from None


def _write_onnx(network: Network) -> bytes:
    _check_onnx("writing")
    from lpnet.io import onnx_write

    return onnx_write.encode(network)


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
}
MODELS: dict[str, Reader] = {
    "sklearn": _imported("sklearn_", "read"),
    "keras": _imported("keras_", "of_model"),
    "torch": _imported("torch_", "of_model"),
    "onnx": _imported("onnx_", "of_model"),
}
PICKLES = (".pkl", ".pickle", ".joblib")
WRITERS: dict[str, Callable[[Network], bytes]] = {
    ".json": json_.encode,
    ".npz": npz.encode,
    ".onnx": _write_onnx,
    ".txt": text.encode,
}


def _suffix(path: Path, formats: Iterable[str], done: str) -> str:
    suffix = path.suffix.lower()
    if suffix not in formats:
        if suffix in PICKLES:
            raise InputError(
                "is a pickle, which may run code; load it yourself, if you trust it, and give the model to lpnet.load"
            )
        got = f"the suffix {path.suffix}" if suffix else "no suffix"
        raise InputError(f"has {got}; files ending in {', '.join(formats)} can be {done}")
    return suffix


def _check_file(path: Path) -> None:
    try:
        found = path.exists()
    except ValueError:  # a NUL character in the name
        found = False
    if not found:
        raise InputError("no such file; check the name")
    if not path.is_file():
        raise InputError(f"is {'a directory' if path.is_dir() else 'no regular file'}; wanted a file")
    if path.stat().st_size == 0:
        raise InputError("is empty; wanted a network")
    if path.stat().st_size > MOST_BYTES:
        raise InputError(f"is larger than {MOST_BYTES >> 20} MiB; wanted a network with one hidden layer")


def check_replaceable(path: Path) -> None:
    """Raise OSError where something is in the place that must not be replaced: a device, a pipe, a file nobody may write to."""
    path = Path(os.path.realpath(path))
    if os.path.lexists(path) and not path.is_file():
        raise OSError(errno.EINVAL, os.strerror(errno.EISDIR) if path.is_dir() else "is no regular file")
    if path.exists() and not os.access(path, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """A file to write beside the one named; in the end it goes through to the disk and takes its place, or vanishes.

    Raises OSError for what is no file or may not be written to.
    """
    path = Path(os.path.realpath(path))
    check_replaceable(path)
    temporary = path.with_name(f".lpnet-{secrets.token_hex(8)}")
    try:
        with temporary.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
        log.debug("%s: written", path)
    finally:
        temporary.unlink(missing_ok=True)
