"""Networks as numpy's .npz: `kind`, a string, and arrays under the names of the network's fields; see `lpnet.io.json_`.

"inputs" and "comment" may be there and mean what they mean in JSON. The layers in front are the arrays front0_weight and
front0_bias, front1_weight and so on; each row of front0_weight and front0_bias is divided by front0_divisor, if that is there.
Likewise for the lists of layers that ReLU networks have in JSON: deeper0_weight and so on, or layers0_weight and so on.
A sparse second layer is middle_weight_data, middle_weight_indices and middle_weight_indptr, as scipy's csr_array has them.
"gates", of a network of ReLUs and steps, holds names, of all hidden units or of each layer.
What is written is rounded to float64 where it cannot be held so. Nothing pickled is read.
"""

import re
from collections.abc import Container
from io import BytesIO
from pathlib import Path
from textwrap import shorten
from typing import Any

import numpy as np

from lpnet.errors import InputError
from lpnet.io.divided import divided, exact_quotient
from lpnet.io.kinds import (
    IGNORED,
    LISTS,
    MOST_BYTES,
    NUMBERS,
    WORDS,
    Network,
    Outputs,
    build,
    floats_of,
    is_zip,
    kind_of,
    layers_of,
    words_of,
)
from lpnet.io.reading import Reading, chosen_again
from lpnet.networks.affine import Layer
from lpnet.networks.arrays import is_sparse
from lpnet.networks.classifier import Classifier

SPARSE = tuple(f"middle_weight_{part}" for part in ("data", "indices", "indptr"))
OF_LAYERS = re.compile(rf"({'|'.join(LISTS)})[0-9]+_(weight|bias|divisor)")


def encode(network: Network | Classifier) -> bytes:
    """The bytes of an .npz file that holds the network."""
    arrays: dict[str, Any] = {**floats_of(network)}
    if is_sparse(arrays.get("middle_weight")):
        middle = arrays.pop("middle_weight")
        arrays |= dict(zip(SPARSE, (middle.data, middle.indices, middle.indptr), strict=True))
    for name, k, layer in ((name, k, layer) for name, layers in layers_of(network).items() for k, layer in enumerate(layers)):
        rows, divisor = divided(layer)
        arrays |= {f"{name}{k}_weight": rows[:, :-1], f"{name}{k}_bias": rows[:, -1]}
        if (divisor != 1).any():
            arrays[f"{name}{k}_divisor"] = divisor
    buffer = BytesIO()
    words: dict[str, Any] = {name: np.array(own) for name, own in words_of(network).items()}
    np.savez(buffer, kind=np.array(kind_of(network)), **words, **arrays)
    return buffer.getvalue()


def read(path: Path, outputs: Outputs | None = None) -> Reading:
    """The network in an .npz file; InputError where it cannot be read as one."""
    arrays = _arrays(path)
    given: dict[str, Any] = {}
    lists: dict[str, dict[str, Any]] = {}
    for name, array in arrays.items():
        found = OF_LAYERS.fullmatch(name)
        if found or name in NUMBERS:
            _check_real(name, array)
        if found:
            lists.setdefault(found[1], {})[name] = array
        else:
            given[name] = array if name in (*NUMBERS, *SPARSE) else array.tolist() if name in WORDS else _scalar(array)
    if not {*SPARSE}.isdisjoint(given):
        given["middle_weight"] = _sparse([given.pop(name, None) for name in SPARSE], given.get("hidden_weight"))
    network = build(given | {field: _layers(field, mine) for field, mine in lists.items()})
    return chosen_again(network, outputs)


def _sparse(parts: list[Any], hidden: Any) -> Any:
    """The sparse matrix of these parts over the units of the first layer; InputError where they are none."""
    from scipy.sparse import csr_array

    data, indices, indptr = parts
    try:
        for name, array in zip(SPARSE, parts, strict=True):
            if array is None or array.ndim != 1 or array.dtype.kind not in ("f" if array is data else "iu"):
                raise ValueError(f"{name} is missing or no list of numbers")
        made = csr_array((data, indices, indptr), (len(indptr) - 1, len(hidden)))
        made.check_format(full_check=True)
    except (TypeError, ValueError) as error:
        raise InputError(f"{', '.join(SPARSE)}: wanted those of a csr_array ({error})") from None
    return made


def _layers(field: str, arrays: dict[str, Any]) -> tuple[Layer, ...]:
    """A list of layers; InputError for arrays that are missing or too many."""
    layers: list[Layer] = []
    while {f"{field}{len(layers)}_{name}" for name in ("weight", "bias")} <= arrays.keys():
        name = f"{field}{len(layers)}"
        weight, bias, divisor = (arrays.pop(f"{name}_{part}", None) for part in ("weight", "bias", "divisor"))
        if divisor is not None:
            if weight.ndim != 2 or bias.shape != divisor.shape or bias.shape != weight.shape[:1] or not (divisor > 0).all():
                raise InputError(
                    f"{name}_divisor: wanted a number > 0 for each row of {name}_weight, got shape {divisor.shape}"
                )
            rows = exact_quotient(np.column_stack([weight, bias]), divisor[:, None])
            weight, bias = rows[:, :-1], rows[:, -1]
        layers.append(Layer(weight, bias))
    if arrays:
        raise InputError(f"{min(arrays)}: wanted {field}0_weight and {field}0_bias, {field}1_weight and so on, in pairs")
    return tuple(layers)


def read_examples(path: Path) -> dict[str, Any]:
    """The arrays X and, where it is there, y of a data set in an .npz file; InputError where they cannot be read."""
    arrays = _arrays(path, {"X", "y"})
    if "X" not in arrays:
        raise InputError(f"X: wanted an array of examples under this name, found {', '.join(sorted(arrays)) or 'nothing'}")
    check_exact("X", arrays["X"])
    return {name: arrays[name] for name in ("X", "y") if name in arrays}


def _arrays(path: Path, wanted: Container[str] = frozenset({"kind", "inputs", *WORDS, *NUMBERS, *SPARSE})) -> dict[str, Any]:
    """The arrays of the file; one that is not wanted, and belongs to no list, is named but not read."""
    with path.open("rb") as file:
        if not is_zip(file):
            raise InputError("is not an .npz file; write one with lpnet.io.save or numpy.savez")
        file.seek(0)
        try:
            with np.load(file, allow_pickle=False) as archive:
                if sum(member.file_size for member in archive.zip.infolist()) > MOST_BYTES:
                    raise ValueError(f"it unpacks to more than {MOST_BYTES >> 20} MiB")
                names = [name for name in archive.files if name != IGNORED]
                return {name: archive[name] if name in wanted or OF_LAYERS.fullmatch(name) else np.zeros(0) for name in names}
        except Exception as error:  # a damaged archive can raise almost anything
            reason = shorten(str(error), 100) or type(error).__name__
            raise InputError(f"cannot be read as an .npz file of plain arrays ({reason})") from None


def _scalar(array: Any) -> Any:
    """The string or number in a 0-dimensional array; what else it is stays for the error message."""
    value = array.item() if isinstance(array, np.ndarray) and array.ndim == 0 else array
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def _check_real(field: str, array: Any) -> None:
    """InputError for what is no array of real numbers."""
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "iuf":
        raise InputError(f"{field}: wanted an array of real numbers, got {getattr(array, 'dtype', type(array).__name__)}")


def check_exact(field: str, array: Any) -> None:
    """The same, and InputError for numbers that float64 would round."""
    _check_real(field, array)
    with np.errstate(over="ignore"):
        rounded = array.astype(np.float64)
    if array.dtype.kind != "f":
        rounded, array = rounded.astype(object), array.astype(object)
    different = (rounded != array) & (array == array)
    if different.any():
        raise InputError(f"{field}: float64 would round {array[different][0]}; store the array as float64 if that is meant")
