"""That the rows are all half-spaces that are needed, by the vertices of the boundary."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from lpnet.checker.lines import Bools, NotSimple, Subsets, boundary_vertices
from lpnet.checker.needed import check_distinct, fingerprints, together
from lpnet.checker.proof import Proof
from lpnet.checker.question import Refuted, same_halfspace

Words = NDArray[np.uint64]
AT_ONCE, BLOCK = 1 << 16, 1 << 12  # patterns around vertices, and rows: numpy is fastest on tables that fit the cache


def check_vertices(proof: Proof) -> str:
    """That the patterns around all vertices are those of the rows and repeats, no more and no less; returns words on that."""
    if proof.form.walls:
        raise Refuted("vertices prove something on all of R^d only")
    patterns = together(proof, [proof.patterns(block) for block in proof.blocks("units")])
    proof.work.rows = len(patterns)
    check_different(proof, patterns)
    table = Table(np.concatenate([patterns, *repeats(proof, patterns)]), len(proof.form.units))
    try:
        vertices = meet_all(proof, table)
    except NotSimple as reason:
        raise Refuted(f"the vertices do not prove that no other is needed: {reason}") from None
    if not table.met.all():
        row = int(table.order[np.argmin(table.met)])
        kind = "half-space" if row < len(patterns) else "repeat"
        raise Refuted(f"the pattern of {kind} {row} is at no vertex, or is there twice")
    return f"their patterns are those around the {vertices} vertices of the boundary"


def check_different(proof: Proof, patterns: NDArray[np.uint8]) -> None:
    """That different patterns that carry pieces have different half-spaces: so it is for a convex or concave f."""
    form = proof.form
    if abs(sum(form.signs)) < len(form.units):
        proof.work.spend(len(patterns) * (2 + len(form.units) * proof.inputs // 200))
        parts = (patterns[start : start + BLOCK] for start in range(0, len(patterns), BLOCK))
        marks = [fingerprints(form, proof.unpacked(part)) for part in parts]
        check_distinct(proof, patterns, np.concatenate([np.zeros(0, dtype=np.int64), *marks]))


def repeats(proof: Proof, patterns: NDArray[np.uint8]) -> Iterator[NDArray[np.uint8]]:
    """The packed patterns of the repeats, each shown to have the half-space of its row."""
    form = proof.form
    for block in proof.blocks("repeats"):
        packed = proof.patterns(block)
        numbers = np.frombuffer(proof.bytes(f"{block}/numbers"), dtype="<u8")
        for row, number in zip(packed, numbers.tolist(), strict=True):
            proof.work.spend(10 + 2 * form.halfspace_steps)
            h = form.on_cell(proof.number(row))
            if number >= len(patterns) or not same_halfspace(h, form.on_cell(proof.number(patterns[number]))):
                raise Refuted(f"a repeat of half-space {number} is not that half-space")
        yield packed


def meet_all(proof: Proof, table: "Table") -> int:
    """Meet the patterns around all vertices, which have to be in the table; returns the number of vertices."""
    form, work, vertices = proof.form, proof.work, 0

    def spend(steps: int, share: float) -> None:
        work.share = 0.5 + 0.5 * share
        work.spend(steps, proof.from_file)

    for subsets, active in boundary_vertices(form.affine, form.units, form.signs, spend=spend):
        around = 1 << subsets.shape[1]
        if around > len(table.keys) and len(active):
            raise Refuted(f"a vertex has {around} patterns around it, the file has {len(table.keys)}: some are missing")
        at_once = max(1, AT_ONCE // around)
        for start in range(0, len(active), at_once):
            part = slice(start, start + at_once)
            work.spend(200 + len(active[part]) * around, proof.from_file)
            missing = table.meet(subsets[part], active[part])
            if missing is not None:
                raise Refuted(f"the pattern {missing} carries a piece and is missing")
        vertices += len(active)
    return vertices


class Table:
    """A list of packed patterns of m units, and which of them were met."""

    def __init__(self, packed: NDArray[np.uint8], units: int) -> None:
        self.units = units
        keys = one_key(in_words(packed))
        self.order = np.argsort(keys, kind="stable")
        self.keys, self.met = keys[self.order], np.zeros(len(keys), dtype=np.bool_)

    def meet(self, subsets: Subsets, active: Bools) -> str | None:
        """Note the patterns around vertices, as `boundary_vertices` has them; returns one that is not in the list."""
        packed = np.packbits(active, axis=1) if self.units else np.zeros((len(active), 1), dtype=np.uint8)
        words = in_words(packed)[None]
        for unit in subsets.T:
            bit = np.zeros(words.shape[1:], dtype=np.uint64)
            bit[np.arange(len(unit)), unit // 64] = np.uint64(1) << (63 - unit % 64).astype(np.uint64)
            words = np.concatenate([words, words | bit])
        keys = one_key(words.reshape(-1, words.shape[2]))
        keys.sort()
        keys = keys[np.concatenate([[True], keys[1:] != keys[:-1]])]
        at = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        lost = np.flatnonzero(self.keys[at] != keys)
        if len(lost):
            octets = np.frombuffer(np.asarray(keys[lost[0]], dtype=keys.dtype.newbyteorder(">")).tobytes(), dtype=np.uint8)
            return "".join(map(str, np.unpackbits(octets, count=self.units)))
        self.met[at] = True
        return None


def in_words(packed: NDArray[np.uint8]) -> Words:
    """Packed patterns in words of 64 bits, the first unit highest, (rows, words)."""
    octets = np.pad(packed, ((0, 0), (0, -packed.shape[1] % 8)))
    return np.ascontiguousarray(octets).view(">u8").astype(np.uint64)


def one_key(words: Words) -> NDArray[np.generic]:
    """Each row of words as one that can be compared, in the order of patterns."""
    if words.shape[1] == 1:
        return np.ascontiguousarray(words[:, 0])
    return np.ascontiguousarray(words).astype(">u8").view(f"S{8 * words.shape[1]}")[:, 0]
