"""That no other half-space is needed, by the nodes of a tree over the signs of the units in any order (format version 2)."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lpnet.checker.lines import independent_inputs_of
from lpnet.checker.proof import MOST_ROWS, Proof
from lpnet.checker.question import Form, Refuted, same_halfspace
from lpnet.checker.supports import FLOATS, Claims, Supports
from lpnet.checker.tree import chords, not_touching

UNIT, REPEAT, EMPTY, NOT_NEGATIVE, NEGATIVE, TOUCHING, OPEN, SPLIT = range(8)
BOUNDS, WITH_ROWS = (NOT_NEGATIVE, NEGATIVE), (EMPTY, NOT_NEGATIVE, NEGATIVE, TOUCHING)
NUMBERS = 1 << 18  # in a table: beyond, it leaves the cache
LEVELS_SHOWN = 40
LONGEST_BLOCK, LARGEST_BLOCK = 1 << 12, 1 << 22  # nodes, and nodes times units


def whole_type(largest: int) -> np.dtype[np.unsignedinteger]:
    """The shortest unsigned integers, little-endian, that go so far."""
    return np.dtype(next(name for name in ("<u1", "<u2", "<u4", "<u8") if largest <= np.iinfo(name).max))


def most_nodes(units: int) -> int:
    """The most nodes of a block."""
    return max(1, min(LONGEST_BLOCK, LARGEST_BLOCK // (units + 1)))


class Leaves(NamedTuple):
    """The leaves of a block: kinds, (n,); the units fixed, and those active, as bits, the first one highest, (n, ⌈m/8⌉)."""

    kinds: NDArray[np.uint8]
    fixed: NDArray[np.uint8]
    active: NDArray[np.uint8]


class Descent:
    """Where one is in a tree whose nodes are told in pre-order."""

    def __init__(self, units: int) -> None:
        self.width, self.units = max(1, -(-units // 8)), units
        self.path: list[int] = []
        self.fixed = self.active = self.nodes = self.leaves = 0
        self.done, self.stopped, self.open = False, False, 0.0

    def follow(self, nodes: Sequence[int]) -> Leaves:
        """The leaves among the next nodes; Refuted where these are not those of a tree."""
        kinds, places, path, highest = [], [], self.path, 1 << (8 * self.width - 1)
        for number, node in enumerate(nodes, self.nodes):
            if self.done:
                raise Refuted(f"node {number}: the tree has no node any more")
            if node >= SPLIT:
                bit = highest >> (node - SPLIT)
                if node - SPLIT >= self.units or self.fixed & bit:
                    raise Refuted(f"node {number}: unit {node - SPLIT} is not one to be split on there")
                path.append(bit)
                self.fixed |= bit
                continue
            kinds.append(node)
            places.append((self.fixed, self.active))
            if node == OPEN:
                self.stopped, self.open = True, self.open + math.ldexp(1.0, -len(path))
            while path and self.active & path[-1]:
                bit = path.pop()
                self.fixed, self.active = self.fixed ^ bit, self.active ^ bit
            if path:
                self.active |= path[-1]
            self.done = not path
        self.nodes, self.leaves = self.nodes + len(nodes), self.leaves + len(kinds)
        fixed, active = (b"".join([place[k].to_bytes(self.width, "big") for place in places]) for k in range(2))
        packed = [np.frombuffer(bits, dtype=np.uint8).reshape(-1, self.width) for bits in (fixed, active)]
        return Leaves(np.array(kinds, dtype=np.uint8), *packed)

    @property
    def share(self) -> float:
        """The share of all patterns that is behind, about."""
        levels = enumerate(self.path[:LEVELS_SHOWN], 1)
        return float(self.done) + sum(math.ldexp(bool(self.active & bit), -depth) for depth, bit in levels)


class NodeChecker:
    """What the leaves of a proof are checked against."""

    def __init__(self, proof: Proof, patterns: NDArray[np.uint8]) -> None:
        form, self.proof, self.patterns, self.rows = proof.form, proof, patterns, 0
        self.form, self.work, self.units = form, proof.work, len(form.units)
        forms = [form.affine, *form.units, *form.walls]

        def spend(steps: int) -> None:
            self.work.spend(steps, proof.from_file)

        denominator, ends = chords(form, spend)
        self.supports = Supports(form, independent_inputs_of(forms, spend), ends, denominator, spend)
        self.bits = form.bits + denominator.bit_length()
        self.known: set[tuple[bytes, bytes]] = set()

    def check(self, block: str, leaves: Leaves, start: int) -> None:
        """All leaves of a block, the first of which has this number; Refuted where one is not what it is said to be."""
        fixed, active = self.proof.unpacked(leaves.fixed), self.proof.unpacked(leaves.active)
        whole = fixed.all(axis=1)
        unknown = (leaves.kinds >= OPEN) if self.proof.complete else leaves.kinds > OPEN
        self.refuse(unknown, start, "unknown kind")
        self.refuse(~whole & np.isin(leaves.kinds, (UNIT, REPEAT, TOUCHING)), start, "some signs are free")
        units = np.flatnonzero(leaves.kinds == UNIT)
        rows = self.patterns[self.rows : self.rows + len(units)]
        wrong = np.ones(len(units), dtype=np.bool_)
        wrong[: len(rows)] = (leaves.active[units[: len(rows)]] != rows).any(axis=1)
        self.refuse(units[wrong], start, "it is not the pattern of the next half-space")
        self.rows += len(units)
        repeats = np.flatnonzero(leaves.kinds == REPEAT)
        numbers = self.column(f"{block}/numbers", np.dtype("<u4"))
        for leaf, number in zip(repeats.tolist(), numbers.tolist(), strict=True):
            self.work.spend(2 * self.form.halfspace_steps)
            known = number < len(self.patterns)
            if not known or not same_halfspace(self.cell(leaves.active[leaf]), self.cell(self.patterns[number])):
                raise Refuted(f"leaf {start + leaf}: it is not half-space {number}")
        self.check_supports(block, leaves, fixed, active, start)

    def column(self, name: str, kind: np.dtype[Any]) -> NDArray[Any]:
        """A column of a block; empty where there is none."""
        return np.frombuffer(self.proof.bytes(name) if name in self.proof.names else b"", dtype=kind)

    def cell(self, packed: NDArray[np.uint8]) -> Form:
        """c_S."""
        return self.form.on_cell(self.proof.number(packed))

    def refuse(self, leaves: NDArray[np.bool_] | NDArray[np.intp], start: int, why: str) -> None:
        """Refuted where there is one."""
        found = np.flatnonzero(leaves) if leaves.dtype == np.bool_ else leaves
        if len(found):
            raise Refuted(f"leaf {start + int(found[0])}: {why}")

    def check_supports(
        self, block: str, leaves: Leaves, fixed: NDArray[np.bool_], active: NDArray[np.bool_], start: int
    ) -> None:
        """The leaves that name rows."""
        shown = np.flatnonzero(np.isin(leaves.kinds, WITH_ROWS))
        none, width = self.supports.none, self.proof.inputs + 2
        rows = self.column(f"{block}/rows", whole_type(none)).reshape(-1, width)
        kinds = leaves.kinds[shown]
        bounding = np.isin(kinds, BOUNDS)
        packed = self.column(f"{block}/full", np.dtype(np.uint8)).reshape(-1, leaves.active.shape[1])
        if len(rows) != len(shown) or len(packed) != np.count_nonzero(bounding) or (rows > none).any():
            raise ValueError(f"{block}: rows or shares of other leaves, or that there are not")
        full = np.zeros((len(shown), self.units), dtype=np.bool_)
        full[bounding] = self.proof.unpacked(packed)
        for at in np.flatnonzero(kinds == TOUCHING).tolist():
            number = self.proof.number(leaves.active[shown[at]])
            if why := not_touching(self.form, number, int(rows[at, 0]), self.work):
                raise Refuted(f"leaf {start + shown[at]}: {why}")
        sides = (kinds == NEGATIVE).astype(np.int8) - (kinds == NOT_NEGATIVE).astype(np.int8)
        claims = Claims(sides, fixed[shown], active[shown], rows, full)
        named = np.flatnonzero(kinds != TOUCHING)
        at_once = max(1, NUMBERS // (width * width + self.units))
        for part in np.split(named, range(at_once, len(named), at_once)):
            self.check_claims(claims.take(part)._replace(rows=rows[part].astype(np.int64)), shown[part], start)

    def check_claims(self, claims: Claims, leaves: NDArray[np.intp], start: int) -> None:
        """Some of the claims, those of leaves with these numbers."""
        size = self.supports.size
        self.work.spend(len(leaves) * (20 + self.units // 4 + min(size, FLOATS) ** 2 * (self.units + size) // 64))
        self.refuse(leaves[~self.supports.allowed(claims)], start, "it names a row that tells nothing there")
        for at in np.flatnonzero(~self.supports.certain(claims)).tolist():
            claim = claims.take(at)
            named = claim.rows[claim.rows < self.supports.none]
            signs = claim.active[named[named < self.units]]
            key = (named.tobytes(), signs.tobytes())
            if claim.side == 0 and key in self.known:
                self.work.spend(20)
                continue
            if len(named) > size + int(claim.side == 0):  # more than one relation, whose multipliers are no longer told
                raise Refuted(f"leaf {start + leaves[at]}: it names more rows than a certificate has")
            count = min(len(named) + 1, size + 1)
            minor = min(count, size) * (self.bits + size.bit_length())
            self.work.spend(self.form.cell_steps + count * size * min(count, size) * (1 + minor * minor // 6_000_000))
            if not self.supports.exactly(claim):
                what = "bound f" if claim.side else "exclude its signs"
                raise Refuted(f"leaf {start + leaves[at]}: the rows that it names do not {what}")
            if claim.side == 0 and len(self.known) < MOST_ROWS:
                self.known.add(key)


def check_nodes(proof: Proof, patterns: NDArray[np.uint8]) -> str:
    """That the leaves cover all patterns and each is what it is said to be; returns words on that."""
    m = len(proof.form.units)
    checker, descent = NodeChecker(proof, patterns), Descent(m)
    for block in proof.blocks("tree"):
        nodes = np.frombuffer(proof.bytes(f"{block}/nodes"), dtype=whole_type(SPLIT + m))
        if len(nodes) > most_nodes(m):
            raise ValueError(f"{block}: more than {most_nodes(m)} nodes")
        proof.work.spend(len(nodes) * (10 + m // 50))
        before, leaves = descent.leaves, descent.follow(nodes.tolist())
        proof.work.share = 0.5 + 0.5 * descent.share
        checker.check(block, leaves, before)
    if not descent.done:
        raise Refuted(f"the tree ends after {descent.leaves} leaves without covering all patterns")
    if checker.rows != len(patterns):
        raise Refuted(f"the tree has {checker.rows} half-spaces, the file {len(patterns)}")
    if descent.stopped:
        return f"{descent.leaves} leaves cover all 2^{m} patterns but a share of {descent.open:.2g}"
    return f"{descent.leaves} leaves cover all 2^{m} patterns"
