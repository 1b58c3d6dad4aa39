"""A proof file, read column by column."""

import itertools
import json
import zipfile
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lpnet.checker.question import bounds, normal_form, numbers

FORMAT, VERSION = "lpnet proof", 1
MOST_INPUTS = 1 << 16
LARGEST_MEMBER = 1 << 25  # bytes
MOST_ROWS = 1 << 16  # a block
Progress = Callable[[float, int], None]


class Proof:
    """An open proof file: its header, and its columns block by block."""

    def __init__(self, file: zipfile.ZipFile) -> None:
        self.file, self.names = file, set(file.namelist())
        if "header.json" not in self.names:
            raise ValueError("it has no header.json in it")
        header = self.json("header.json")
        if (header["format"], header["version"]) != (FORMAT, VERSION):
            raise ValueError(f"wanted {FORMAT}, version {VERSION}, got {header['format']!r}, version {header['version']!r}")
        self.inputs, self.rows, self.order = whole(header["inputs"]), whole(header["units"]), list(map(whole, header["order"]))
        if not 1 <= self.inputs <= MOST_INPUTS:
            raise ValueError(f"wanted 1 to {MOST_INPUTS} inputs, got {self.inputs}")
        self.network = numbers(header["network"], self.inputs)
        self.complete, self.constant = header["complete"], header["constant"]
        self.idle = [tuple(map(whole, at)) for at in header["idle"]]
        walls = [tuple(map(whole, h)) for h in header["inequalities"]]
        if any(len(h) != self.inputs + 1 for h in walls) or any(len(at) != self.inputs + 1 for at in self.idle):
            raise ValueError(f"wanted {self.inputs + 1} numbers in each inequality and point")
        form = normal_form(self.network, self.inputs, walls)
        if sorted(self.order) != list(range(len(form.units))):
            raise ValueError(f"the order is not one of the {len(form.units)} units of the normal form")
        self.form = form.reordered(self.order)

    @property
    def question(self) -> str:
        """What the proof is about, in words."""
        relus, units = len(self.network["output_weight"]), len(self.form.units)
        return f"a network of {relus} ReLUs ({units} in its normal form) on {self.place}"

    @property
    def place(self) -> str:
        """The domain, in words."""
        if not self.form.walls:
            return f"R^{self.inputs}"
        lower, upper = bounds(self.inputs, self.form.walls)
        if all(sum(map(bool, h[:-1])) == 1 for h in self.form.walls):
            return " × ".join(f"({shown(low, '−∞')}, {shown(high, '∞')})" for low, high in zip(lower, upper, strict=True))
        return f"the points of R^{self.inputs} with " + ", ".join(f"{h[:-1]}·x + {h[-1]} > 0" for h in self.form.walls)

    def json(self, name: str) -> Any:
        """A JSON member."""
        return json.loads(self.bytes(name))

    def bytes(self, name: str) -> bytes:
        """A member's content."""
        member = self.file.getinfo(name)
        if member.file_size > LARGEST_MEMBER or member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise ValueError(f"{name} is larger than {LARGEST_MEMBER} bytes, or not deflated")
        with self.file.open(member) as stream:  # no more is decompressed than the size stated
            return stream.read(member.file_size)

    def blocks(self, section: str) -> Iterator[str]:
        """The names of the blocks of a section."""
        for index in itertools.count():
            if not any(f"{section}/{index}/{column}" in self.names for column in ("patterns", "leaves")):
                return
            yield f"{section}/{index}"

    def patterns(self, block: str) -> NDArray[np.uint8]:
        """The patterns of a block as packed bits, (rows, ⌈m/8⌉)."""
        units = len(self.form.units)
        packed = np.frombuffer(self.bytes(f"{block}/patterns"), dtype=np.uint8).reshape(-1, max(1, -(-units // 8)))
        if len(packed) > MOST_ROWS or (packed[:, -1] & ((1 << -units % 8) - 1 if units else 255)).any():
            raise ValueError(f"{block}: more than {MOST_ROWS} rows, or bits beyond the units")
        return packed

    def unpacked(self, packed: NDArray[np.uint8]) -> NDArray[np.bool_]:
        """Patterns as Booleans, (rows, m)."""
        return np.unpackbits(packed, axis=1, count=len(self.form.units)).view(np.bool_)

    def number(self, packed: NDArray[np.uint8]) -> int:
        """A pattern as a number, the first unit in the highest bit."""
        return next(self.numbers(packed[None]))

    def numbers(self, packed: NDArray[np.uint8]) -> Iterator[int]:
        """Patterns as numbers."""
        return as_numbers(packed.tobytes(), len(self.form.units))


def as_numbers(packed: bytes, units: int) -> Iterator[int]:
    """Packed patterns, one after the other, as numbers."""
    width = max(1, -(-units // 8))
    return (int.from_bytes(packed[k : k + width], "big") >> (8 * width - units) for k in range(0, len(packed), width))


def shown(end: Fraction | None, none: str) -> str:
    """A bound in digits, to be read by people."""
    return none if end is None else f"{float(end):g}"


def whole(entry: Any) -> int:
    """An integer, given as such or in hexadecimal."""
    if isinstance(entry, str):
        return int(entry, 16)
    if isinstance(entry, bool) or not isinstance(entry, int):
        raise TypeError(f"wanted an integer, got {entry!r}")
    return entry
