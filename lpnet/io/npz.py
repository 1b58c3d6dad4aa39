"""Networks as numpy's .npz: `kind`, a string, and arrays under the names of the network's fields; see `lpnet.io.json_`.

"inputs" and "comment" may be there and mean what they mean in JSON. Nothing pickled is read.
"""

from collections.abc import Container
from io import BytesIO
from pathlib import Path
from textwrap import shorten
from typing import Any

import numpy as np

from lpnet.errors import InputError
from lpnet.io.kinds import IGNORED, MOST_BYTES, NUMBERS, Network, Outputs, build, is_zip, kind_of, numbers_of, single_output
from lpnet.io.reading import Reading


def encode(network: Network) -> bytes:
    """The bytes of an .npz file that holds the network."""
    buffer = BytesIO()
    np.savez(buffer, kind=np.array(kind_of(network)), **numbers_of(network))
    return buffer.getvalue()


def read(path: Path, outputs: Outputs | None = None) -> Reading:
    """The network in an .npz file; InputError where it cannot be read as one."""
    single_output(outputs)
    arrays = _arrays(path)
    for field in NUMBERS:
        _check_exact(field, arrays.get(field, np.zeros(0)))
    return Reading(build({name: array if name in NUMBERS else _scalar(array) for name, array in arrays.items()}))


def read_examples(path: Path) -> dict[str, Any]:
    """The arrays X and, where it is there, y of a data set in an .npz file; InputError where they cannot be read."""
    arrays = _arrays(path, {"X", "y"})
    if "X" not in arrays:
        raise InputError(f"X: wanted an array of examples under this name, found {', '.join(sorted(arrays)) or 'nothing'}")
    arrays = {name: arrays[name] for name in ("X", "y") if name in arrays}
    for field, array in arrays.items():
        _check_exact(field, array)
    return arrays


def _arrays(path: Path, wanted: Container[str] = frozenset({"kind", "inputs", *NUMBERS})) -> dict[str, Any]:
    """The arrays of the file; one that is not wanted is named but not read."""
    with path.open("rb") as file:
        if not is_zip(file):
            raise InputError("is not an .npz file; write one with lpnet.io.save or numpy.savez")
        file.seek(0)
        try:
            with np.load(file, allow_pickle=False) as archive:
                if sum(member.file_size for member in archive.zip.infolist()) > MOST_BYTES:
                    raise ValueError(f"it unpacks to more than {MOST_BYTES >> 20} MiB")
                return {name: archive[name] if name in wanted else np.zeros(0) for name in archive.files if name != IGNORED}
        except Exception as error:  # a damaged archive can raise almost anything
            reason = shorten(str(error), 100) or type(error).__name__
            raise InputError(f"cannot be read as an .npz file of plain arrays ({reason})") from None


def _scalar(array: Any) -> Any:
    """The string or number in a 0-dimensional array; what else it is stays for the error message."""
    value = array.item() if isinstance(array, np.ndarray) and array.ndim == 0 else array
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def _check_exact(field: str, array: Any) -> None:
    """InputError for what is no array of real numbers, or holds numbers that float64 would round."""
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "iuf":
        raise InputError(f"{field}: wanted an array of real numbers, got {getattr(array, 'dtype', type(array).__name__)}")
    with np.errstate(over="ignore"):
        rounded = array.astype(np.float64)
    if array.dtype.kind != "f":
        rounded, array = rounded.astype(object), array.astype(object)
    different = (rounded != array) & (array == array)
    if different.any():
        raise InputError(f"{field}: float64 would round {array[different][0]}; store the array as float64 if that is meant")
