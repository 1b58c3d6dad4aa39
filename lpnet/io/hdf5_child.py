"""Reads an HDF5 file in a process of its own: python hdf5_child.py FILE, or - for the bytes on the standard input.

The HDF5 library can hang or crash on a damaged file, so lpnet never calls it in its own process. This script imports nothing of
lpnet and writes an .npz archive to the standard output: "tree", JSON in UTF-8, is {"attributes": {…}, "members": {name: …}}
where a member is such a group again or the number of a dataset, stored as an array under that number; or {"error": sentence}.
No link to another file is followed, no dataset that lies in another file is read, no filter but the standard ones is run.
"""

import json
import sys
from io import BytesIO
from typing import Any

import h5py
import numpy as np

MOST_NUMBERS, MOST_MEMBERS, MOST_DEEP = 10**7, 10**4, 12
MOST_MEMORY, MOST_SECONDS = 4 << 30, 20
FILTERS = (None, "gzip")


class RefusedError(Exception):
    """One sentence on what the file holds that is not read."""


def tree(group: Any, arrays: list[Any], seen: list[int], deep: int = 0) -> dict[str, Any]:
    """A group's attributes and members; its datasets are appended to the arrays."""
    if deep > MOST_DEEP:
        raise RefusedError("has groups nested too deeply; wanted the weights of a Keras model")
    members: dict[str, Any] = {}
    for name in group:
        seen[0] += 1
        if seen[0] > MOST_MEMBERS:
            raise RefusedError(f"has more than {MOST_MEMBERS} groups and arrays; wanted a small network")
        if not isinstance(group.get(name, getlink=True), h5py.HardLink):
            raise RefusedError(f"{name!r} in it is a link to elsewhere, which is not followed")
        member = group[name]
        if isinstance(member, h5py.Group):
            members[name] = tree(member, arrays, seen, deep + 1)
        elif isinstance(member, h5py.Dataset):
            members[name] = len(arrays)
            arrays.append(numbers(name, member, arrays))
    return {"attributes": {name: attribute(group.attrs[name]) for name in group.attrs}, "members": members}


def attribute(value: Any) -> Any:
    """A string, a list of strings, or null for anything else."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, np.ndarray):
        return [attribute(entry) for entry in value.ravel()]
    return str(value) if isinstance(value, str) else None


def numbers(name: str, dataset: Any, arrays: list[Any]) -> Any:
    """The numbers of a dataset; an empty array for what is no numbers."""
    if dataset.is_virtual or dataset.external or dataset.compression not in FILTERS or dataset.scaleoffset is not None:
        raise RefusedError(f"the array {name!r} in it is kept elsewhere or packed in an unusual way; write it anew with Keras")
    if dataset.dtype.kind not in "fiu":
        return np.zeros(0)
    size = dataset.size or 0
    if size + sum(array.size for array in arrays) > MOST_NUMBERS:
        raise RefusedError(f"has more than {MOST_NUMBERS} numbers in its arrays; wanted a small network")
    return np.asarray(dataset[()])


def limit() -> None:
    """No more memory and time than these, where the system can hold a process to them."""
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
        resource.setrlimit(resource.RLIMIT_CPU, (MOST_SECONDS, MOST_SECONDS))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    except (ImportError, ValueError, OSError):
        pass


def main(path: str) -> None:
    """Write what the file holds to the standard output."""
    limit()
    arrays: list[Any] = []
    try:
        with h5py.File(BytesIO(sys.stdin.buffer.read()) if path == "-" else path, "r") as file:
            found = tree(file, arrays, [0])
    except RefusedError as error:
        arrays, found = [], {"error": str(error)}
    buffer = BytesIO()
    text = np.frombuffer(json.dumps(found).encode("utf-8", "replace"), dtype=np.uint8)
    np.savez(buffer, tree=text, **{str(number): array for number, array in enumerate(arrays)})
    sys.stdout.buffer.write(buffer.getvalue())


if __name__ == "__main__":
    main(sys.argv[1])
