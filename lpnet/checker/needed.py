"""That half-spaces are needed: two points for each, and no two alike."""

import math
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from lpnet.checker.proof import Proof
from lpnet.checker.question import Form, NormalForm, Point, Refuted, primitive, same_halfspace, sign, times, value
from lpnet.checker.work import FLOAT_BITS, longest, products, whole

Floats = NDArray[np.float64]
ROUNDOFF, TINY = 2.0**-53, 2.0**-1020
SINGLE_THREADED = 1 << 18  # products: beyond, a BLAS takes threads, which costs more than such small matrices are worth
PRIME = 2147483647


class Signs:
    """The signs of the units, the walls and f at float points, where rounding leaves no doubt (0: doubt).

    Every entry of the tables is within ROUNDOFF of the exact one, relatively, or within TINY; a sum of p products is then
    within 2 (p + 2) ROUNDOFF Σ|products| (Higham 2002, §3.1, with room for the rounding of that bound) + TINY (1 + Σ|x|).
    """

    def __init__(self, form: NormalForm) -> None:
        rows = [*form.units, *form.walls]
        self.rows = np.array([floats(h, size(h)) for h in rows]).reshape(len(rows), len(form.affine))
        common = max(map(size, (form.affine, *form.units)))
        self.f = np.array([floats(h, common) for h in (form.affine, *form.units)])
        self.outputs = np.array(form.signs, dtype=float)

    def show_needed(self, points: Floats, active: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Which half-spaces two points (rows, 2, d) show to be needed, beyond doubt and within one cell; (rows,)."""
        at_once = max(1, SINGLE_THREADED // (self.rows.size + 1))
        if len(points) > at_once:
            parts = range(0, len(points), at_once)
            return np.concatenate([self.show_needed(points[k : k + at_once], active[k : k + at_once]) for k in parts])
        (low, below), (high, above) = self(points[:, 0], active), self(points[:, 1], active)
        walls = self.rows.shape[0] - active.shape[1]
        wanted = np.column_stack([np.where(active, 1, -1), np.ones((len(active), walls), dtype=int)])
        return (low == wanted).all(axis=1) & (high == wanted).all(axis=1) & (below < 0) & (above > 0)

    def __call__(self, points: Floats, active: NDArray[np.bool_]) -> tuple[NDArray[np.int8], NDArray[np.int8]]:
        """Signs of the rows (count, m + walls) and of c_S for the active units (count,) at points (count, d)."""
        x = np.column_stack([points, np.ones(len(points))])
        reach = np.abs(x)
        with np.errstate(all="ignore"):
            room = TINY * (reach.sum(axis=1, keepdims=True) + 1)
            rows = certain(x @ self.rows.T, x.shape[1], reach @ np.abs(self.rows).T, room)
            terms, most = x @ self.f.T, reach @ np.abs(self.f).T
            total = terms[:, 0] + (terms[:, 1:] * active) @ self.outputs
            most_total = most[:, 0] + (most[:, 1:] * active).sum(axis=1)
            return rows, certain(total, x.shape[1] + active.shape[1] + 1, most_total, room[:, 0] * (active.shape[1] + 1))


def size(form: Form) -> int:
    """The bits of the largest entry."""
    return max(map(abs, form)).bit_length()


def floats(form: Form, bits: int) -> list[float]:
    """The entries divided by 2^bits, rounded."""
    return [entry / (1 << bits) for entry in form]


def certain(values: Floats, operations: int, magnitude: Floats, room: Floats) -> NDArray[np.int8]:
    """The signs of values that are larger than the bound on their errors; 0 for the others."""
    bound = 2 * (operations + 2) * ROUNDOFF * magnitude + room
    return np.where(np.abs(values) > bound, np.sign(values), 0).astype(np.int8)


def check_needed(proof: Proof) -> NDArray[np.uint8]:
    """Every row's two points; returns the packed patterns of all rows, (rows, ⌈m/8⌉)."""
    form, d, work = proof.form, proof.inputs, proof.work
    entries, most = (len(form.units) + len(form.walls) + 1) * (d + 1), longest(d, len(form.units), form.bits)
    work.spend(2 * entries * (1 + form.bits // 1000), proof.from_file)
    signs, seen, marks, start = Signs(form), [], [], 0
    for block in proof.blocks("units"):
        packed = proof.patterns(block)
        work.spend(entries * (4 + form.bits // 500) + len(packed) * (10 + entries // 8))
        active = proof.unpacked(packed)
        points = np.frombuffer(proof.bytes(f"{block}/points"), dtype="<f8").reshape(len(packed), 2, d)
        exact = proof.json(f"{block}/exact.json") if f"{block}/exact.json" in proof.names else {}
        for row in np.flatnonzero(~signs.show_needed(points, active)):
            pair = exact.get(str(row))
            a, b = (tuple(whole(x, most) for x in at) for at in pair) if pair else map(rational, points[row])
            long = max((abs(x).bit_length() for x in (*a, *b)), default=0) if pair else FLOAT_BITS
            work.spend(2 * form.halfspace_steps + products(2 * entries, form.bits, long))
            why = refusal(form, proof.number(packed[row]), a, b)
            if why:
                raise Refuted(f"half-space {start + row}: {why}")
        seen.append(packed)
        marks.append(fingerprints(form, active))
        start += len(packed)
        work.rows, work.share = start, (0.5 if proof.complete else 1.0) * min(start / max(proof.rows, 1), 1.0)
    patterns = together(proof, seen)
    check_distinct(proof, patterns, np.concatenate([np.zeros(0, dtype=np.int64), *marks]))
    return patterns


def together(proof: Proof, blocks: list[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """The packed patterns of all rows, as many as the header says, (rows, ⌈m/8⌉)."""
    patterns = np.concatenate([np.zeros((0, max(1, -(-len(proof.form.units) // 8))), dtype=np.uint8), *blocks])
    if len(patterns) != proof.rows:
        raise Refuted(f"the header speaks of {proof.rows} half-spaces, the file has {len(patterns)}")
    return patterns


def rational(point: Floats) -> Point:
    """A float point as numerators and a denominator; () where it is not finite."""
    if not np.isfinite(point).all():
        return ()
    ratios = [Fraction(float(x)) for x in point]
    scale = math.lcm(1, *(x.denominator for x in ratios))
    return (*(int(x * scale) for x in ratios), scale)


def refusal(form: NormalForm, pattern: int, a: Point, b: Point) -> str | None:
    """Why two points do not show that c_S is needed, exactly; None if they do."""
    if any(len(at) != len(form.affine) or at[-1] <= 0 for at in (a, b)):
        return "its points are not two points"
    if any(value(h, at) <= 0 for h in form.walls for at in (a, b)):
        return "a point lies outside the domain"
    m, crossed, across = len(form.units), [], pattern
    for k, unit in enumerate(form.units):
        wanted = 1 if pattern >> (m - 1 - k) & 1 else -1
        if sign(value(unit, a)) != wanted:
            return f"unit {k} is not as its pattern says at the first point"
        there = sign(value(unit, b))
        if there == 0:
            return f"unit {k} is 0 at the second point"
        if there != wanted:
            crossed.append(k)
            across ^= 1 << (m - 1 - k)
    c = form.on_cell(pattern)
    if value(c, a) >= 0 or value(form.on_cell(across), b) < 0:
        return "f is not negative at the first point and ≥ 0 at the second"
    if crossed and (len(crossed) > 1 or not any(c[:-1]) or not parallel(form.units[crossed[0]], c)):
        return f"unit {crossed[0]} changes sign between its points and is not proportional to c_S"
    return None


def parallel(left: Form, right: Form) -> bool:
    """Whether two forms, not 0, are multiples of each other."""
    return same_halfspace(left, right) or same_halfspace(tuple(-entry for entry in left), right)


def fingerprints(form: NormalForm, active: NDArray[np.bool_]) -> NDArray[np.int64]:
    """A number for the hyperplane c_S = 0 of each pattern: different numbers, different hyperplanes; −1 may be any.

    c_S modulo a prime as a point of projective space, in a random linear form: multiples of one integer vector have one such
    point unless they vanish modulo the prime. The sums of c_S are below 2^53, exact in floats, which are faster.
    """
    if len(form.units) >= 1 << 21:
        return np.full(len(active), -1)
    terms = [form.affine, *(times(s, a) for a, s in zip(form.units, form.signs, strict=True))]
    table = np.array([[entry % PRIME for entry in h] for h in terms], dtype=np.float64)
    c = (table[0] + active.astype(np.float64) @ table[1:]).astype(np.int64) % PRIME
    leading = c[np.arange(len(c)), np.argmax(c != 0, axis=1)]
    c = c * power(leading, PRIME - 2, PRIME)[:, None] % PRIME
    weights = np.random.default_rng(PRIME).integers(1, PRIME, c.shape[1])
    return np.where(leading == 0, -1, (c * weights % PRIME).sum(axis=1) % PRIME)


def power(base: NDArray[np.int64], exponent: int, modulus: int) -> NDArray[np.int64]:
    """base^exponent modulo a number below 2^31."""
    result = np.ones_like(base)
    while exponent:
        if exponent & 1:
            result = result * base % modulus
        base, exponent = base * base % modulus, exponent >> 1
    return result


def check_distinct(proof: Proof, patterns: NDArray[np.uint8], marks: NDArray[np.int64]) -> None:
    """That no two rows have the same half-space: exactly for those whose fingerprints do not tell."""
    order = np.argsort(marks, kind="stable")
    same = marks[order[1:]] == marks[order[:-1]]
    doubtful = np.union1d(order[1:][same], order[:-1][same])
    if (marks < 0).any():  # such a row may be like any other
        doubtful = np.arange(len(marks))
    known: dict[Form, int] = {}
    for row in map(int, doubtful):
        proof.work.spend(10 + proof.form.halfspace_steps)
        h = primitive(proof.form.on_cell(proof.number(patterns[row])))
        if h in known:
            raise Refuted(f"half-spaces {known[h]} and {row} are the same")
        known[h] = row
