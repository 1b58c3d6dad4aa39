"""That no other half-space is needed, by the leaves of a tree over the signs of the units in order (format version 1)."""

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lpnet.checker.proof import MOST_ROWS, Proof
from lpnet.checker.question import (
    Form,
    NormalForm,
    Refuted,
    Spend,
    bounds,
    combination,
    extreme,
    primitive,
    same_halfspace,
    times,
)
from lpnet.checker.work import Work, brief, longest, products, whole

UNIT, REPEAT, EMPTY, NOT_NEGATIVE, NEGATIVE, TOUCHING = range(6)
LEAF = np.dtype([("depth", "<u2"), ("kind", "u1"), ("number", "<u4")])
CHORD_BITS = 20
LOOK_EVERY = 100  # leaves


def check_tree(proof: Proof, patterns: NDArray[np.uint8]) -> str:
    """That the leaves cover all patterns and each is what it is said to be; returns words on that."""
    form, m, work = proof.form, len(proof.form.units), proof.work
    tree, position, rows, leaves, end = Tree(form, work, proof.from_file), 0, 0, 0, 1 << m
    next_row = proof.numbers(patterns)
    for block in proof.blocks("tree"):
        found = np.frombuffer(proof.bytes(f"{block}/leaves"), dtype=LEAF)
        if len(found) > MOST_ROWS:
            raise ValueError(f"{block}: more than {MOST_ROWS} leaves")
        certificates = proof.json(f"{block}/certificates.json")
        tree.add_circuits(certificates["circuits"])
        bounds = certificates["bounds"]
        for leaf, (depth, kind, number) in enumerate(found.tolist(), leaves):
            work.spend(20 + m // 100)
            below = 1 << (m - depth) if depth <= m else 0
            if not below or position & (below - 1) or position >= end:
                raise Refuted(f"leaf {leaf}: the tree has no leaf of depth {depth} at that place")
            if kind == UNIT:
                why = None if depth == m and next(next_row, -1) == position else "it is not the pattern of the next half-space"
                rows += 1
            elif kind == REPEAT:
                why = "there is no such half-space"
                if depth == m and number < len(patterns):
                    work.spend(2 * form.halfspace_steps)
                    other = form.on_cell(proof.number(patterns[number]))
                    why = None if same_halfspace(form.on_cell(position), other) else f"it is not half-space {number}"
            elif kind == EMPTY:
                why = tree.not_empty(position, end - below, number)
            elif kind in (NOT_NEGATIVE, NEGATIVE):
                known = number < len(bounds)
                side = 1 if kind == NOT_NEGATIVE else -1
                why = tree.not_one_sign(position, depth, side, bounds[number]) if known else "there is no such bound"
            else:
                why = not_touching(form, position, number, work) if kind == TOUCHING and depth == m else "unknown kind"
            if why:
                raise Refuted(f"leaf {leaf} (depth {depth}): {why}")
            position += below
            if leaf % LOOK_EVERY == 0:
                work.share = 0.5 + 0.5 * float(Fraction(position, end))
        leaves += len(found)
    if position != end:
        raise Refuted(f"the tree ends after {leaves} leaves without covering all patterns")
    if rows != len(patterns):
        raise Refuted(f"the tree has {rows} half-spaces, the file {len(patterns)}")
    return f"{leaves} leaves cover all 2^{m} patterns; {len(tree.circuits)} circuits"


class Tree:
    """What the leaves refer to."""

    def __init__(self, form: NormalForm, work: Work, counted: bool) -> None:
        self.form, self.circuits, self.work = form, [], work  # type: ignore[var-annotated]
        self.longest = longest(len(form.affine) - 1, len(form.units), form.bits)
        self.rows = [*map(primitive, form.units), *form.walls]  # whose signs count: the shorter, the faster
        self.denominator, self.chords = chords(form, lambda steps: self.work.spend(steps, counted))

    def add_circuits(self, written: Sequence[Any]) -> None:
        """Check that 0 = Σ λ_i σ_i h_i + c, and keep the signs σ: bits wanted active, bits wanted inactive, reversible."""
        rows, m = self.rows, len(self.form.units)
        for circuit in written:
            factors = [whole(multiplier, self.longest) for _, multiplier in circuit]
            self.spend_on(factors)
            active = inactive = 0
            for (row, _), factor in zip(circuit, factors, strict=True):
                if not 0 <= row < len(rows) or not factor or (row >= m and factor < 0):
                    raise Refuted(
                        f"circuit {len(self.circuits)}: multiplier {brief(factor)} of row {brief(row)} is not allowed"
                    )
                if row < m:
                    bit = 1 << (m - 1 - row)
                    active, inactive = (active | bit, inactive) if factor > 0 else (active, inactive | bit)
            total = combination([0, *factors], [self.form.affine, *(rows[row] for row, _ in circuit)])
            if any(total[:-1]) or total[-1] > 0 or not circuit:
                raise Refuted(f"circuit {len(self.circuits)}: its multipliers do not contradict its signs")
            reversible = total[-1] == 0 and all(row < m for row, _ in circuit)
            self.circuits.append((active, inactive, reversible))

    def spend_on(self, factors: Sequence[int]) -> None:
        """Count the steps of a combination of forms."""
        longest = max((abs(factor).bit_length() for factor in factors), default=0)
        self.work.spend(20 + products((len(factors) + 1) * len(self.form.affine), self.form.bits, longest))

    def not_empty(self, position: int, fixed: int, number: int) -> str | None:
        """Why a circuit does not exclude the signs of a leaf: bits that are active, bits that are fixed."""
        if number >= len(self.circuits):
            return "there is no such circuit"
        active, inactive, reversible = self.circuits[number]
        off = fixed & ~position
        if active & ~position == 0 and inactive & ~off == 0:
            return None
        if reversible and inactive & ~position == 0 and active & ~off == 0:
            return None
        return f"circuit {number} does not exclude its signs"

    def not_one_sign(self, position: int, depth: int, side: int, bound: Any) -> str | None:
        """Why a bound does not prove that side · f ≥ 0, with room for no piece if side = −1."""
        form, m = self.form, len(self.form.units)
        scale, pairs = whole(bound[0], self.longest), [(row, whole(multiplier, self.longest)) for row, multiplier in bound[1]]
        self.work.spend(form.cell_steps)
        self.spend_on([scale, *(factor for _, factor in pairs), *[scale] * (m - depth if self.chords else 0)])
        if scale <= 0 or len(dict(pairs)) != len(pairs):
            return "its multipliers are not allowed"
        wrong = [k for k in range(depth, m) if form.signs[k] != side]
        if wrong and self.chords is None:
            return f"unit {wrong[0]} is free and has no chord"
        factors, forms = [side * scale], [form.on_cell(position)]
        for row, factor in pairs:  # the bits of free units are 0 in the position
            if factor < 0 or not 0 <= row < m + len(form.walls):
                return "its multipliers are not allowed"
            if depth <= row < m and not (factor <= scale and form.signs[row] == side):
                return f"the share of unit {row} is not between 0 and 1"
            taken = -1 if row >= m or (row < depth and position >> (m - 1 - row) & 1) else 1
            factors.append(taken * factor)
            forms.append(form.units[row] if depth <= row < m else self.rows[row])
        total = combination(factors, forms)
        if wrong:
            assert self.chords is not None
            chords = combination([scale] * len(wrong), [self.chords[k] for k in wrong])
            total = tuple(x * self.denominator - y for x, y in zip(total, chords, strict=True))
        if any(total[:-1]) or total[-1] < 0:
            return "its multipliers do not bound f"
        parts = [row for row, factor in pairs if factor and not depth <= row < m]
        if side < 0 and total[-1] == 0 and len(parts) < 2 and not any(row >= m for row in parts):
            return "f may vanish on a hyperplane"
        return None


def not_touching(form: NormalForm, position: int, unit: int, work: Work) -> str | None:
    """Why c_S does not touch 0 from below on unit k's hyperplane, with f < 0 beyond, S a full pattern as a number."""
    m = len(form.units)
    if unit >= m:
        return "there is no such unit"
    work.spend(4 * form.halfspace_steps)
    bit = 1 << (m - 1 - unit)
    c, other = form.on_cell(position), form.on_cell(position ^ bit)
    outward = times(-1 if position & bit else 1, form.units[unit])
    if not any(c[:-1]) or not any(other[:-1]):
        return "f is constant on one side"
    if not same_halfspace(c, outward) or not same_halfspace(other, times(-1, outward)):
        return f"f is not negative on both sides of unit {unit}"
    return None


def chords(form: NormalForm, spend: Spend = lambda steps: None) -> tuple[int, list[Form] | None]:
    """A number q and affine forms ≥ q R(a_k) on a bounded box D; None where D has no bounds of that kind.

    α a + β with β = max(−αL, (1−α)U, 0), L ≤ a ≤ U on the box: α a + β ≥ 0 and ≥ a. The slope α, near U / (U − L), is short.
    """
    lower, upper = bounds(len(form.affine) - 1, [*form.walls, *form.implied])
    if not form.walls or None in lower or None in upper:
        return 1, None
    exact, q = [], 1
    for a in form.units:
        least, most = extreme(a, lower, upper, spend), extreme([-e for e in a], lower, upper, spend)
        assert least is not None  # the box is bounded
        assert most is not None
        most = -most
        slope = Fraction(int(min(max(most, Fraction(0)) / (most - least), Fraction(1)) * 2**CHORD_BITS), 2**CHORD_BITS)
        height = max(-slope * least, (1 - slope) * most, Fraction(0))
        long = max(abs(x).bit_length() for x in (least.numerator, least.denominator, most.numerator, most.denominator))
        spend(products(4 * len(a), long, long))
        exact.append([*(slope * e for e in a[:-1]), slope * a[-1] + height])
        q = math.lcm(q, 1 << CHORD_BITS, exact[-1][-1].denominator)
        spend(len(a) * (1 + q.bit_length() // 1000))
    spend(products(len(form.units) * len(form.affine), q.bit_length(), q.bit_length()))
    return q, [tuple(int(e * q) for e in row) for row in exact]
