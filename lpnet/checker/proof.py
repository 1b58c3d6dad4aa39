"""A proof file, read column by column."""

import itertools
import json
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lpnet.checker.question import NormalForm, normal_form

FORMAT, VERSION = "lpnet proof", 1
LARGEST_MEMBER = 1 << 28  # bytes: no file makes the checker fill the memory
Progress = Callable[[float, int], None]


class Proof:
    """An open proof file: its header, and its columns block by block."""

    def __init__(self, file: zipfile.ZipFile) -> None:
        self.file, self.names = file, set(file.namelist())
        header = self.json("header.json")
        if (header["format"], header["version"]) != (FORMAT, VERSION):
            raise ValueError(f"wanted {FORMAT}, version {VERSION}, got {header['format']!r}, version {header['version']!r}")
        self.network, self.order = header["network"], [int(k) for k in header["order"]]
        self.rows = whole(header["units"])
        self.complete, self.constant = header["complete"], header["constant"]
        self.idle = [tuple(map(whole, at)) for at in header["idle"]]
        self.inputs = len(self.network["hidden_weight"][0]) if self.network["hidden_weight"] else int(header["inputs"])
        walls = [tuple(map(whole, h)) for h in header["inequalities"]]
        if any(len(h) != self.inputs + 1 for h in walls) or any(len(at) != self.inputs + 1 for at in self.idle):
            raise ValueError(f"wanted {self.inputs + 1} numbers in each inequality and point")
        form = normal_form(self.network, self.inputs, walls)
        if sorted(self.order) != list(range(len(form.units))):
            raise ValueError(f"the order is not one of the {len(form.units)} units of the normal form")
        self.form = NormalForm(
            form.affine, tuple(form.units[k] for k in self.order), tuple(form.signs[k] for k in self.order), form.walls
        )

    @property
    def question(self) -> str:
        """What the proof is about, in words."""
        walls = len(self.form.walls)
        place = f"R^{self.inputs}" + (f" within {walls} inequalities" if walls else "")
        return f"a network of {len(self.network['output_weight'])} ReLUs ({len(self.form.units)} in its normal form) on {place}"

    def json(self, name: str) -> Any:
        """A JSON member."""
        return json.loads(self.bytes(name))

    def bytes(self, name: str) -> bytes:
        """A member's content."""
        if self.file.getinfo(name).file_size > LARGEST_MEMBER:
            raise ValueError(f"{name} is larger than {LARGEST_MEMBER} bytes")
        return self.file.read(name)

    def blocks(self, section: str) -> Iterator[str]:
        """The names of the blocks of a section."""
        for index in itertools.count():
            if not any(f"{section}/{index}/{column}" in self.names for column in ("patterns", "leaves")):
                return
            yield f"{section}/{index}"

    def patterns(self, block: str) -> NDArray[np.uint8]:
        """The patterns of a block as packed bits, (rows, ⌈m/8⌉)."""
        width = max(1, -(-len(self.form.units) // 8))
        return np.frombuffer(self.bytes(f"{block}/patterns"), dtype=np.uint8).reshape(-1, width)

    def unpacked(self, packed: NDArray[np.uint8]) -> NDArray[np.bool_]:
        """Patterns as Booleans, (rows, m)."""
        return np.unpackbits(packed, axis=1, count=len(self.form.units)).view(np.bool_)

    def number(self, packed: NDArray[np.uint8]) -> int:
        """A pattern as a number, the first unit in the highest bit."""
        return next(self.numbers(packed[None]))

    def numbers(self, packed: NDArray[np.uint8]) -> Iterator[int]:
        """Patterns as numbers."""
        width, units = packed.shape[1], len(self.form.units)
        data = packed.tobytes()
        return (int.from_bytes(data[k : k + width], "big") >> (8 * width - units) for k in range(0, len(data), width))


def whole(entry: Any) -> int:
    """An integer, given as such or in hexadecimal."""
    if isinstance(entry, str):
        return int(entry, 16)
    if isinstance(entry, bool) or not isinstance(entry, int):
        raise TypeError(f"wanted an integer, got {entry!r}")
    return entry
