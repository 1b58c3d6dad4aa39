"""That no other half-space is needed, by the vertices of the boundary."""

import itertools

import numpy as np
from numpy.typing import NDArray

from lpnet.checker.lines import NotSimple, boundary_vertices
from lpnet.checker.proof import Proof
from lpnet.checker.question import Refuted, same_halfspace


def check_vertices(proof: Proof, patterns: NDArray[np.uint8]) -> str:
    """That all patterns around all vertices are those of rows or repeats; returns words on that."""
    form, m, work = proof.form, len(proof.form.units), proof.work
    if form.walls:
        raise Refuted("vertices prove something on all of R^d only")
    known = [patterns]
    for block in proof.blocks("repeats"):
        packed = proof.patterns(block)
        numbers = np.frombuffer(proof.bytes(f"{block}/numbers"), dtype="<u8")
        for row, number in zip(packed, numbers.tolist(), strict=True):
            work.spend(10 + 2 * form.halfspace_steps)
            h = form.on_cell(proof.number(row))
            if number >= len(patterns) or not same_halfspace(h, form.on_cell(proof.number(patterns[number]))):
                raise Refuted(f"a repeat of half-space {number} is not that half-space")
        known.append(packed)
    table = Table(np.concatenate(known))
    vertices = 0

    def spend(steps: int, share: float) -> None:
        work.share = 0.5 + 0.5 * share
        work.spend(steps, proof.from_file)

    try:
        for subsets, active in boundary_vertices(form.affine, form.units, form.signs, spend=spend):
            free = subsets.shape[1]
            for choice in itertools.product((False, True), repeat=free):
                work.spend(200 + len(active) * (m + 20) // 40, proof.from_file)
                if free:
                    active[np.arange(len(active))[:, None], subsets] = choice
                found = table.find(np.packbits(active, axis=1) if m else np.zeros((len(active), 1), dtype=np.uint8))
                if (found < 0).any():
                    at = np.flatnonzero(found < 0)[0]
                    raise Refuted(f"the pattern {''.join(map(str, active[at].astype(int)))} carries a piece and is missing")
            vertices += len(active)
    except NotSimple as reason:
        raise Refuted(f"the vertices do not prove that no other is needed: {reason}") from None
    return f"all patterns around the {vertices} vertices of the boundary"


class Table:
    """A set of packed patterns."""

    def __init__(self, packed: NDArray[np.uint8]) -> None:
        keys = self.keys(packed)
        self.order = np.argsort(keys, kind="stable")
        self.sorted, self.packed = keys[self.order], packed[self.order]

    def keys(self, packed: NDArray[np.uint8]) -> NDArray[np.uint64]:
        """A 64-bit number for each pattern, the same for equal ones."""
        width = -(-packed.shape[1] // 8)
        words = np.zeros((len(packed), 8 * width), dtype=np.uint8)
        words[:, : packed.shape[1]] = packed
        factors = np.random.default_rng(1).integers(0, 1 << 63, width, dtype=np.uint64) * np.uint64(2) + np.uint64(1)
        return (words.view("<u8") * factors).sum(axis=1, dtype=np.uint64)

    def find(self, packed: NDArray[np.uint8]) -> NDArray[np.intp]:
        """The numbers of patterns in the set, −1 for those that are not in it."""
        if not len(self.sorted):
            return np.full(len(packed), -1)
        keys = self.keys(packed)
        at = np.minimum(np.searchsorted(self.sorted, keys), len(self.sorted) - 1)
        same_key = self.sorted[at] == keys
        same = same_key & (self.packed[at] == packed).all(axis=1)
        found = np.where(same, self.order[at], -1)
        for row in np.flatnonzero(same_key & ~same):  # one key for different patterns, if it ever happens
            known = np.flatnonzero((self.sorted == keys[row]) & (self.packed == packed[row]).all(axis=1))
            found[row] = self.order[known[0]] if len(known) else -1
        return found
