"""What is asked of every file before its format's reader sees it, and how errors name it."""

import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from textwrap import shorten
from zipfile import ZipFile

from lpnet.errors import InputError
from lpnet.io.kinds import MOST_BYTES

LONGEST_MESSAGE = 400  # names in a damaged file may be anything
PROGRAM = (
    "is an archive of torch.export, which holds a program and is not read; save the weights of its model, "
    "torch.save(model.state_dict(), FILE), or export it to ONNX"
)
EXPORTED = frozenset({"archive_format", "serialized_exported_program.json"})  # members of its archives, new and old
PICKLES = (".pkl", ".pickle", ".joblib")
FORMATS = {
    "a JSON file": (".json",),
    "an .npz file": (".npz",),
    "an ONNX file": (".onnx",),
    "a .nnet file": (".nnet",),
    "a .keras archive": (".keras",),
    "an HDF5 file": (".h5", ".hdf5", ".keras"),
    "a PyTorch file": (".pt", ".pth", ".ckpt", ".bin"),
    "a .safetensors file": (".safetensors",),
    "a text file": (".json", ".nnet"),
    "a zip archive": (".npz", ".keras", ".pt", ".pth", ".ckpt", ".bin"),
    "a pickle": (".pt", ".pth", ".ckpt", ".bin"),
    "a .npy file": (),
}


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """What goes wrong in reading a file, as an InputError of one line that begins with its name."""
    try:
        yield
    except InputError as error:
        raise type(error)(f"{path}: {unlike(path) or shorten(str(error), LONGEST_MESSAGE)}") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from None


def check_file(path: Path, formats: Collection[str], done: str = "read") -> str:
    """The suffix of a file that is there and not too large; or InputError."""
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
        raise InputError(f"is larger than {MOST_BYTES >> 20} MiB; wanted a smaller network")
    return suffix_of(path, formats, done)


def suffix_of(path: Path, formats: Collection[str], done: str) -> str:
    """The suffix in small letters, if it is one of these; or InputError."""
    suffix = path.suffix.lower()
    if suffix not in formats:
        if suffix == ".pt2":
            raise InputError(PROGRAM)
        if suffix in PICKLES:
            raise InputError(
                "is a pickle, which may run code; load it yourself, if you trust it, and give the model to lpnet.load"
            )
        got = f"the suffix {path.suffix}" if suffix else "no suffix"
        raise InputError(f"has {got}; files ending in {', '.join(formats)} can be {done}")
    return suffix


def unlike(path: Path) -> str:
    """That a file which could not be read is not what its suffix says, but what it looks like; else ""."""
    wanted = [name for name, suffixes in FORMATS.items() if path.suffix.lower() in suffixes]
    try:
        looks = look(path) if wanted and path.is_file() else ""
    except OSError:
        return ""
    return f"is not {wanted[0]}: it looks like {looks}" if looks and looks not in wanted else ""


def look(path: Path) -> str:
    """What a file looks like by its first bytes, a zip archive by what is in it; "" where that says nothing."""
    with path.open("rb") as file:
        start = file.read(64)
    if start.startswith(b"PK\x03\x04"):
        return _archive(path)
    if start.startswith(b"\x89HDF\r\n\x1a\n"):
        return "an HDF5 file"
    if start[8:10] == b'{"' and int.from_bytes(start[:8], "little") < MOST_BYTES:
        return "a .safetensors file"
    if start.startswith(b"\x93NUMPY"):
        return "a .npy file"
    if start[:1] == b"\x80" and start[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"):
        return "a pickle"
    if start[:1] == b"\x08" and start[2:3] in (b"\x12", b"\x1a", b":", b"B"):  # ir_version; producer, graph or operators
        return "an ONNX file"
    if start.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"{", b"["):
        return "a JSON file"
    return "a text file" if all(32 <= byte < 127 or byte in b"\t\r\n" for byte in start) else ""


def _archive(path: Path) -> str:
    """What kind of zip archive it is."""
    try:
        with ZipFile(path) as archive:
            names = [os.path.basename(name) for name in archive.namelist()]
    except Exception:  # a damaged one can raise almost anything
        return "a zip archive"
    if "data.pkl" in names or EXPORTED.intersection(names):
        return "a PyTorch file"
    if "model.weights.h5" in names:
        return "a .keras archive"
    return "an .npz file" if any(name.endswith(".npy") for name in names) else "a zip archive"
