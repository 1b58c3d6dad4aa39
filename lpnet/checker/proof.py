"""A proof file, read column by column."""

import itertools
import zipfile
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lpnet.checker.front import check_same_domain, check_same_network, onto, pulled
from lpnet.checker.question import Form, bits_of, bounds, implied_bound, normal_form, numbers
from lpnet.checker.work import FREE_BYTES, MOST_WALL_BITS, RATIO, Work, brief, longest, parsed, products, whole

FORMAT, VERSION, DEEP, CLASSES, VERSIONS = "lpnet proof", 2, 3, 4, (1, 2, 3, 4)
MOST_INPUTS = 1 << 16
LARGEST_MEMBER = 1 << 25  # bytes
MOST_ROWS = 1 << 16  # a block
MOST_SHOWN = 8  # inequalities, in words


class ProofFile:
    """An open proof file: its header, and its columns block by block. work: counts the steps."""

    def __init__(self, file: zipfile.ZipFile, header: Any, work: Work) -> None:
        self.file, self.names, self.work, self.header = file, set(file.namelist()), work, header
        self.version = header["version"]
        self.inputs = whole(header["inputs"], 64)
        if not 1 <= self.inputs <= MOST_INPUTS:
            raise ValueError(f"wanted 1 to {MOST_INPUTS} inputs, got {self.inputs}")
        self.onto = onto(header["onto"], self.inputs, work.spend) if "onto" in header else None
        self.complete, self.constant = header["complete"], header["constant"]
        if self.complete is not None and not isinstance(self.complete, str):
            raise ValueError(f"unknown kind of completeness {brief(self.complete)}")
        self.written = [self.form_of(h) for h in header["inequalities"]]
        self.inequalities = pulled(self.written, self.onto, work.spend)  # in the inputs of the network
        self.implied = [self.implied_by(entry, self.written) for entry in header.get("implied", [])]

    def form_of(self, entries: Any) -> Form:
        """An affine form of a header."""
        form = tuple(whole(x, MOST_WALL_BITS) for x in entries)
        if len(form) != self.inputs + 1:
            raise ValueError(f"wanted {self.inputs + 1} numbers in each inequality and point")
        return form

    def implied_by(self, entry: Any, walls: Sequence[Form]) -> Form:
        """A bound of one input that follows from the inequalities, with the multipliers that show it."""
        wide = bits_of(walls)
        most = longest(self.inputs, 0, wide)
        h = self.form_of(entry["bound"])
        multipliers = [(whole(i, 64), whole(m, most)) for i, m in entry["multipliers"]]
        self.work.spend(
            50 + products((len(multipliers) + 1) * len(h), wide, max((m.bit_length() for _, m in multipliers), default=0))
        )
        return implied_bound(h, multipliers, walls)

    @property
    def place(self) -> str:
        """The domain, in words."""
        inputs, walls = (self.inputs if self.onto is None else self.onto.shape[1] - 1), self.inequalities
        if not walls:
            return f"R^{inputs}"
        lower, upper = bounds(inputs, walls)
        if all(sum(map(bool, h[:-1])) == 1 for h in walls):
            return " × ".join(f"({shown(low, '−∞')}, {shown(high, '∞')})" for low, high in zip(lower, upper, strict=True))
        words = [f"({', '.join(map(written, h))})" for h in walls[:MOST_SHOWN]]
        rest = len(walls) - len(words)
        return f"the points of R^{inputs} with v·x + c > 0 for (v, c) = {', '.join(words)}{f' and {rest} more' * (rest > 0)}"

    def json(self, name: str) -> Any:
        """A JSON member."""
        return in_json(self.bytes(name), self.work)

    def bytes(self, name: str) -> bytes:
        """A member's content."""
        return content(self.file, name, self.work)

    def blocks(self, section: str) -> Iterator[str]:
        """The names of the blocks of a section."""
        for index in itertools.count():
            if not any(f"{section}/{index}/{column}" in self.names for column in ("patterns", "leaves", "nodes")):
                return
            yield f"{section}/{index}"


class Proof(ProofFile):
    """A file of version 1 or 2, of one hidden layer.

    network, walls: what it has to be about; Refuted where it is not. from_file: whether those steps count that follow from the
    network, because the caller does not know it.
    """

    def __init__(self, file: zipfile.ZipFile, header: Any, network: Any, walls: Sequence[Form] | None, work: Work) -> None:
        super().__init__(file, header, work)
        self.order = [whole(unit, 64) for unit in header["order"]]
        self.network = numbers(header["network"], self.inputs, work.spend)
        self.rows = whole(header["units"], len(self.network["output_weight"]) + 1)
        if any(len(at) != self.inputs + 1 for at in header["idle"]):
            raise ValueError(f"wanted {self.inputs + 1} numbers in each inequality and point")
        if network is not None:
            check_same_network(self.network, self.onto, network, lambda steps: work.spend(steps, False))
        if walls is not None:
            check_same_domain(self.inequalities, walls)
        self.from_file = network is None or (bool(self.written) and walls is None)
        form = normal_form(
            self.network, self.inputs, self.written, self.implied, lambda steps: work.spend(steps, self.from_file)
        )
        most = longest(self.inputs, len(form.units), form.bits)
        self.idle = [tuple(whole(x, most) for x in at) for at in header["idle"]]
        if sorted(self.order) != list(range(len(form.units))):
            raise ValueError(f"the order is not one of the {len(form.units)} units of the normal form")
        self.form = form.reordered(self.order)

    @property
    def question(self) -> str:
        """What the proof is about, in words."""
        relus, units = len(self.network["output_weight"]), len(self.form.units)
        return f"a network of {relus} ReLUs ({units} in its normal form) on {self.place}"

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


def read_header(file: zipfile.ZipFile, size: int, work: Work) -> Any:
    """The header of a file of so many bytes; ValueError where it is not of a version known."""
    check_members(file.infolist(), size)
    if "header.json" not in file.namelist():
        raise ValueError("it has no header.json in it")
    header = in_json(content(file, "header.json", work), work)
    if header["format"] != FORMAT or header["version"] not in VERSIONS:
        got = f"{brief(header['format'])}, version {brief(header['version'])}"
        raise ValueError(f"wanted {FORMAT}, version {' or '.join(map(str, VERSIONS))}, got {got}")
    return header


def content(file: zipfile.ZipFile, name: str, work: Work) -> bytes:
    """A member's content."""
    member = file.getinfo(name)
    if member.file_size > LARGEST_MEMBER or member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ValueError(f"{name} is larger than {LARGEST_MEMBER} bytes, or not deflated")
    work.spend(100 + member.file_size // 100)
    with file.open(member) as stream:  # no more is decompressed than the size stated
        return stream.read(member.file_size)


def in_json(text: bytes, work: Work) -> Any:
    """JSON."""
    work.spend(len(text) // 2)
    return parsed(text)


def check_members(members: Sequence[zipfile.ZipInfo], size: int) -> None:
    """ValueError where members share a name or bytes of the file, or are together longer than RATIO allows."""
    if len({member.filename for member in members}) < len(members) or sum(member.compress_size for member in members) > size:
        raise ValueError("some of its members are the same, or lie over each other")
    total = sum(member.file_size for member in members)
    if total > FREE_BYTES + RATIO * size:
        raise ValueError(f"{size} bytes stand for {total}, more than {RATIO} times as many")


def as_numbers(packed: bytes, units: int) -> Iterator[int]:
    """Packed patterns, one after the other, as numbers."""
    width = max(1, -(-units // 8))
    return (int.from_bytes(packed[k : k + width], "big") >> (8 * width - units) for k in range(0, len(packed), width))


def shown(end: Fraction | None, none: str) -> str:
    """A bound in digits, to be read by people."""
    try:
        return none if end is None else f"{float(end):g}"
    except OverflowError:
        return "more than 1e308" if end and end > 0 else "less than −1e308"


def written(entry: int) -> str:
    """A whole number in digits, to be read by people."""
    return str(entry) if abs(entry) < 10**15 else shown(Fraction(entry), "")
