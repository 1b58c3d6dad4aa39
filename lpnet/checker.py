"""The proof checker: confirms in exact arithmetic what a proof file says about a ReLU network.

It shares no code with the search, and needs nothing but numpy and python-flint: read this file to know what is proved.

**The statement.** f(x) = w0 + Σ w_k R(u_k·x + b_k), R(z) = max(0, z), with the floats of the file taken as exact numbers, on an
open convex polyhedron D (all of R^d without inequalities). A half-space H = {h ≥ 0} is *needed* if h = 0 separates points of D
with f < 0 (on the side h < 0) from points with f ≥ 0 along a set of dimension d − 1. Only a threshold unit on H itself tells
these two sides apart, so every layered threshold network that decides like sgn f on D has all the needed half-spaces in its
first layer. They also suffice, exactly if {f ≥ 0} is the closure of its interior, otherwise off {f = 0}.

The checker merges the units into f = l + Σ s_k R(a_k), s_k = ±1, with distinct hyperplanes {a_k = 0} (`normal_form`). For a
pattern S of active units let c_S = l + Σ_{k∈S} s_k a_k: that is f where exactly the units of S are active. In a file,
half-space number j is {c_S ≥ 0} for the pattern S of its row j.

**Needed.** Row j also has two points A and B of D, f(A) < 0 ≤ f(B). All a_k have strict signs at both: those of S at A, and the
same at B, but perhaps for one unit k with a_k proportional to c_S.
*Theorem.* Then {c_S ≥ 0} is needed. For f = c_S near A, and where the segment AB crosses c_S = 0 no other unit changes sign: on
one side f = c_S < 0, on the other f = c_S > 0, or f is a multiple of c_S that is ≥ 0 at B and hence on that whole side.
Different rows have to have different half-spaces (`check_distinct`).

**No other.** One of four kinds of evidence, `complete` in the header:
- "tree": leaves of a binary tree over the signs of a_1, a_2, …, in order; together they cover all 2^m patterns, and each is
  · a half-space: the full pattern of the next row, or a full pattern whose c_S is a positive multiple of that of some row;
  · empty: 0 = Σ λ_i σ_i h_i + c with λ_i ≥ 0 not all 0 and c ≥ 0, over the units fixed (σ_i h_i > 0) and the inequalities of D
    (Gordan): no point has these signs;
  · f ≥ 0, or f < 0: s·f ≥ Σ λ_i σ_i h_i + c on the leaf, s = ±1, λ_i ≥ 0, c ≥ 0, because units still free with s_k = s have
    R(a_k) ≥ θ_k a_k, 0 ≤ θ_k ≤ 1, the others R(a_k) ≤ a chord over a bounded D (`chords`). For s = 1, f < 0 nowhere there. For
    s = −1, c > 0 (or an inequality of D, or two different units take part, whose hyperplanes meet in dimension d − 2): no
    (d−1)-dimensional set of zeros in D bounds the leaf;
  · touching: a full pattern with c_S = −λ σ_k a_k, and c_S' a negative multiple of c_S for the pattern S' across {a_k = 0}:
    f < 0 on both sides of it.
  *Theorem.* Each piece of the boundary belongs to the pattern S of its side f < 0, so no half-space is missed.
- "vertices": D = R^d, cut to r inputs with independent columns. Every piece is then a pointed polyhedron and has a vertex,
  where r − 1 of the a_k vanish and f too. The checker goes over all (r−1)-subsets and finds the zeros of f on their lines.
  Where no other unit vanishes and f is not constant along the line, exactly the 2^(r−1) patterns around a zero carry pieces,
  and each has to be that of a row, or of a *repeat*: a pattern whose c_S is a positive multiple of that of a row.
- "bound": D = R^d. Two pieces never belong to one pattern, and an arrangement of m hyperplanes in R^r has at most
  Σ_{s≤r} C(m, s) cells (Buck), 2 Σ_{s<r} C(m−1, s) if they have a point in common (Cover). The rows are as many as that, less
  the *idle* cells shown, on which c_S is constant: so they are all.
- "closed form": D = R^d and the gradients of the a_k are linearly independent, so that every pattern occurs. Then the patterns
  that carry pieces are counted (`closed_form`); no rows are needed.

**The file** is a zip archive. header.json: format, version, network, inequalities (d+1 integers each), order (of the units of
the normal form in patterns), units (how many rows), complete, constant, idle (points). Blocks units/0, units/1, …: patterns
(⌈m/8⌉ bytes a row, first unit in the highest bit); points (A and B, 2d float64, little-endian; NaN: see exact.json, {row: [A,
B]}, each d numerators and a denominator). Blocks tree/0, …: leaves (depth u2, kind u1, number u4); certificates.json (circuits:
[[row, multiplier], …]; bounds: [multiplier of f, [[row, multiplier], …]]; a row is a unit, or m + an inequality). Blocks
repeats/0, …: patterns; numbers (u8). Large integers are hexadecimal strings.
"""

import itertools
import json
import math
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from operator import mul
from pathlib import Path
from typing import Any

import numpy as np
from flint import fmpq, fmpq_mat, fmpz_mat
from numpy.typing import NDArray

from lpnet.checker_vertices import NotSimple, boundary_vertices

FORMAT, VERSION = "lpnet proof", 1
UNIT, REPEAT, EMPTY, NOT_NEGATIVE, NEGATIVE, TOUCHING = range(6)
LEAF = np.dtype([("depth", "<u2"), ("kind", "u1"), ("number", "<u4")])
UNREADABLE = (
    zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, LookupError, TypeError, AttributeError, ValueError, OverflowError,
)  # fmt: skip
LARGEST_MEMBER = 1 << 28  # bytes: no file makes the checker fill the memory
CHORD_BITS = 20
ROUNDOFF, TINY = 2.0**-53, 2.0**-1020
PRIMES = (2147483647, 2147483629)

Form = tuple[int, ...]  # v·x + c as the integers (v, c)
Point = tuple[int, ...]  # numerators and a denominator > 0
Floats = NDArray[np.float64]
Progress = Callable[[float, int], None]


class BadProof(Exception):
    """The file is no proof that could be read."""


class Refuted(Exception):
    """What the file says does not hold, or does not follow from what it shows."""


@dataclass(frozen=True)
class Report:
    """question: what the proof is about; units: how many half-spaces are needed; proved, unproved: statements in words."""

    question: str
    units: int
    proved: tuple[str, ...]
    unproved: tuple[str, ...]


@dataclass(frozen=True)
class NormalForm:
    """f times a positive number: l + Σ s_k R(a_k) with distinct hyperplanes, on {h > 0 for all walls h}."""

    affine: Form
    units: tuple[Form, ...]
    signs: tuple[int, ...]
    walls: tuple[Form, ...]

    def on_cell(self, pattern: int) -> Form:
        """c_S, the pattern as a number with the first unit in the highest bit."""
        bits = zip(f"{pattern:0{len(self.units)}b}", self.bends, strict=True) if self.units else ()
        return tuple(map(sum, zip(self.affine, *(bend for bit, bend in bits if bit == "1"), strict=True)))

    @cached_property
    def bends(self) -> list[Form]:
        """s_k a_k."""
        return [times(s, a) for a, s in zip(self.units, self.signs, strict=True)]


def check(path: str | Path, network: Any = None, progress: Progress = lambda share, units: None) -> Report:
    """Check a proof file; with a network (anything with the fields of a ReLUNetwork), also that it is about that one.

    progress(share, rows) is called now and then. Raises Refuted, naming the place, or BadProof.
    """
    try:
        with zipfile.ZipFile(path) as file:
            return Proof(file).check(network, progress)
    except OSError as error:
        raise BadProof(f"{path}: cannot be read: {error.strerror or error}") from None
    except UNREADABLE as error:
        raise BadProof(f"{path}: not a proof file that this version reads ({type(error).__name__}: {error})") from None


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

    def check(self, network: Any, progress: Progress) -> Report:
        """What `lpnet.checker.check` says."""
        checks = {"tree": check_tree, "vertices": check_vertices, "bound": check_bound}
        if self.complete not in (None, "closed form", *checks):
            raise ValueError(f"unknown kind of completeness {self.complete!r}")
        proved = []
        if network is not None:
            check_same_network(self.network, network)
            proved.append("it is about the network given")
        if self.complete == "closed form":
            check_closed_form(self)
            proved.append(f"exactly {self.rows} half-spaces are needed (closed form: the hidden weights are independent)")
            return Report(self.question, self.rows, tuple(proved), ())
        patterns = check_needed(self, progress)
        proved.append(f"{self.rows} different half-spaces are needed (two points for each)")
        if self.complete is None:
            return Report(self.question, self.rows, tuple(proved), ("that no other half-space is needed",))
        proved.append(f"no other is needed ({checks[self.complete](self, patterns, progress)})")
        if not self.rows:
            check_constant(self)
            proved.append(f"the answer is the constant {self.constant:+d}, wherever f ≠ 0")
        return Report(self.question, self.rows, tuple(proved), ())

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
        return int.from_bytes(packed.tobytes(), "big") >> (8 * len(packed) - len(self.form.units))


def whole(entry: Any) -> int:
    """An integer, given as such or in hexadecimal."""
    if isinstance(entry, str):
        return int(entry, 16)
    if isinstance(entry, bool) or not isinstance(entry, int):
        raise TypeError(f"wanted an integer, got {entry!r}")
    return entry


# The question.


def combination(factors: Sequence[int], forms: Sequence[Form]) -> Form:
    """Σ factor · form, of at least one."""
    return tuple(sum(map(mul, factors, column)) for column in zip(*forms, strict=True))


def times(factor: int, form: Form) -> Form:
    """A multiple of a form."""
    return tuple([factor * entry for entry in form])


def value(form: Form, at: Point) -> int:
    """The form at a point, times its denominator."""
    return sum(map(mul, form, at))


def sign(number: Any) -> int:
    """−1, 0 or +1."""
    return int(number > 0) - int(number < 0)


def primitive(form: Form) -> Form:
    """The shortest integer vector that is a positive multiple."""
    divisor = math.gcd(*form) or 1
    return tuple(entry // divisor for entry in form)


def same_halfspace(left: Form, right: Form) -> bool:
    """Whether two forms, not constant, are positive multiples of each other."""
    return primitive(left) == primitive(right)


def normal_form(network: dict[str, Any], inputs: int, walls: Sequence[Form]) -> NormalForm:
    """Units with w_k = 0 or u_k = 0 go, and those that never change sign on a box; units on one hyperplane become one.

    w R(a) + w' R(ca) = (w + cw') R(a) for c > 0, and R(−a) = R(a) − a. Order and orientation: of the first on a hyperplane.
    """
    exact = [
        ([Fraction(float(e)) for e in (*u, b)], Fraction(float(w)))
        for u, b, w in zip(network["hidden_weight"], network["hidden_bias"], network["output_weight"], strict=True)
        if w
    ]
    if any(len(row) != inputs + 1 for row, _ in exact):
        raise ValueError("hidden_weight: rows of different length")
    lower, upper = bounds(inputs, walls)
    affine = [Fraction(0)] * inputs + [Fraction(float(network["output_bias"]))]
    merged: dict[tuple[Fraction, ...], tuple[list[Fraction], Fraction]] = {}
    for row, w in exact:
        least, most = extreme(row, lower, upper), extreme([-e for e in row], lower, upper)
        if least is not None and least >= 0 and any(row):
            affine = [e + w * v for e, v in zip(affine, row, strict=True)]
        elif (most is None or most < 0) and any(row):
            first = next(e for e in row if e)
            key = tuple(e / first for e in row)
            reference, bend = merged.get(key, (row, Fraction(0)))
            ratio = row[row.index(first)] / reference[row.index(first)]
            if ratio < 0:
                affine = [e + w * v for e, v in zip(affine, row, strict=True)]
            merged[key] = reference, bend + w * abs(ratio)
    units = [([abs(bend) * e for e in row], sign(bend)) for row, bend in merged.values() if bend]
    scale = math.lcm(*(e.denominator for row in [affine, *(a for a, _ in units)] for e in row))
    whole_rows = [tuple(int(e * scale) for e in row) for row in [affine, *(a for a, _ in units)]]
    return NormalForm(whole_rows[0], tuple(whole_rows[1:]), tuple(s for _, s in units), tuple(walls))


def bounds(inputs: int, walls: Sequence[Form]) -> tuple[list[Fraction | None], list[Fraction | None]]:
    """The lower and upper bounds of the inputs that inequalities in one input give."""
    lower: list[Fraction | None] = [None] * inputs
    upper: list[Fraction | None] = [None] * inputs
    for h in walls:
        used = [j for j in range(inputs) if h[j]]
        if len(used) == 1:
            j, at = used[0], Fraction(-h[-1], h[used[0]])
            if h[j] > 0:
                lower[j] = at if lower[j] is None else max(at, lower[j])  # type: ignore[type-var]
            else:
                upper[j] = at if upper[j] is None else min(at, upper[j])  # type: ignore[type-var]
    return lower, upper


def extreme(row: Sequence[Any], lower: Sequence[Fraction | None], upper: Sequence[Fraction | None]) -> Fraction | None:
    """The least value of a form on a box, None where it has none."""
    total = Fraction(row[-1])
    for entry, low, high in zip(row[:-1], lower, upper, strict=True):
        end = low if entry > 0 else high
        if entry:
            if end is None:
                return None
            total += entry * end
    return total


def check_same_network(written: dict[str, Any], given: Any) -> None:
    """Whether the network of the file is the one given, number by number."""
    for name in ("hidden_weight", "hidden_bias", "output_weight", "output_bias"):
        ours, theirs = np.asarray(written[name], dtype=float), np.asarray(getattr(given, name), dtype=float)
        if ours.size != theirs.size or not np.array_equal(ours.ravel(), theirs.ravel()):
            raise Refuted(f"the proof is about another network: {name} differs")


# Needed: two points for each half-space.


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


def check_needed(proof: Proof, progress: Progress) -> NDArray[np.uint8]:
    """Every row's two points; returns the packed patterns of all rows, (rows, ⌈m/8⌉)."""
    form, d = proof.form, proof.inputs
    signs, seen, marks, start = Signs(form), [], [], 0
    for block in proof.blocks("units"):
        packed = proof.patterns(block)
        active = proof.unpacked(packed)
        points = np.frombuffer(proof.bytes(f"{block}/points"), dtype="<f8").reshape(len(packed), 2, d)
        exact = proof.json(f"{block}/exact.json") if f"{block}/exact.json" in proof.names else {}
        low, below = signs(points[:, 0], active)
        high, above = signs(points[:, 1], active)
        wanted = np.column_stack([np.where(active, 1, -1), np.ones((len(packed), len(form.walls)), dtype=int)])
        clear = (low == wanted).all(axis=1) & (high == wanted).all(axis=1) & (below < 0) & (above > 0)
        for row in np.flatnonzero(~clear):
            pair = exact.get(str(row))
            a, b = (tuple(map(whole, at)) for at in pair) if pair else map(rational, points[row])
            why = refusal(form, proof.number(packed[row]), a, b)
            if why:
                raise Refuted(f"half-space {start + row}: {why}")
        seen.append(packed)
        marks.append(fingerprints(form, active))
        start += len(packed)
        progress(start / max(proof.rows, 1), start)
    if start != proof.rows:
        raise Refuted(f"the header speaks of {proof.rows} half-spaces, the file has {start}")
    patterns = np.concatenate([np.zeros((0, max(1, -(-len(form.units) // 8))), dtype=np.uint8), *seen])
    check_distinct(proof, patterns, np.concatenate([np.zeros(0, dtype=np.int64), *marks]))
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
    """A number for the hyperplane c_S = 0 of each pattern: different numbers, different hyperplanes. −1 for no verdict.

    c_S modulo primes as points of projective space, in a random linear form: multiples of one integer vector have one such
    point unless they vanish modulo the prime.
    """
    combined = np.zeros(len(active), dtype=np.int64)
    for prime in PRIMES:
        terms = [form.affine, *(times(s, a) for a, s in zip(form.units, form.signs, strict=True))]
        table = np.array([[entry % prime for entry in h] for h in terms], dtype=np.int64)
        c = (table[0] + active.astype(np.int64) @ table[1:]) % prime
        first = np.argmax(c != 0, axis=1)
        leading = c[np.arange(len(c)), first]
        inverse = power(leading, prime - 2, prime)
        c = c * inverse[:, None] % prime
        weights = np.random.default_rng(prime).integers(1, prime, c.shape[1])
        mark = (c * weights % prime).sum(axis=1) % prime
        combined = np.where((leading == 0) | (combined < 0), -1, combined << 31 | mark)
    return combined


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
    doubtful = np.union1d(doubtful, np.flatnonzero(marks < 0))
    known: dict[Form, int] = {}
    for row in map(int, doubtful):
        h = primitive(proof.form.on_cell(proof.number(patterns[row])))
        if h in known:
            raise Refuted(f"half-spaces {known[h]} and {row} are the same")
        known[h] = row


# No other: the tree.


def check_tree(proof: Proof, patterns: NDArray[np.uint8], progress: Progress) -> str:
    """That the leaves cover all patterns and each is what it is said to be; returns words on that."""
    form, m = proof.form, len(proof.form.units)
    tree, position, rows, leaves, end = Tree(form), 0, 0, 0, 1 << m
    for block in proof.blocks("tree"):
        found = np.frombuffer(proof.bytes(f"{block}/leaves"), dtype=LEAF)
        certificates = proof.json(f"{block}/certificates.json")
        tree.add_circuits(certificates["circuits"])
        bounds = certificates["bounds"]
        for leaf, (depth, kind, number) in enumerate(found.tolist(), leaves):
            below = 1 << (m - depth) if depth <= m else 0
            if not below or position & (below - 1) or position >= end:
                raise Refuted(f"leaf {leaf}: the tree has no leaf of depth {depth} at that place")
            if kind == UNIT:
                wrong = depth < m or rows >= len(patterns) or proof.number(patterns[rows]) != position
                why = "it is not the pattern of the next half-space" if wrong else None
                rows += 1
            elif kind == REPEAT:
                why = "there is no such half-space"
                if depth == m and number < len(patterns):
                    other = form.on_cell(proof.number(patterns[number]))
                    why = None if same_halfspace(form.on_cell(position), other) else f"it is not half-space {number}"
            elif kind == EMPTY:
                why = tree.not_empty(position, end - below, number)
            elif kind in (NOT_NEGATIVE, NEGATIVE):
                known = number < len(bounds)
                side = 1 if kind == NOT_NEGATIVE else -1
                why = tree.not_one_sign(position, depth, side, bounds[number]) if known else "there is no such bound"
            else:
                why = tree.not_touching(position, depth, number) if kind == TOUCHING else "unknown kind"
            if why:
                raise Refuted(f"leaf {leaf} (depth {depth}): {why}")
            position += below
        leaves += len(found)
        progress(float(Fraction(position, end)), rows)
    if position != end:
        raise Refuted(f"the tree ends after {leaves} leaves without covering all patterns")
    if rows != len(patterns):
        raise Refuted(f"the tree has {rows} half-spaces, the file {len(patterns)}")
    return f"{leaves} leaves cover all 2^{m} patterns; {len(tree.circuits)} circuits"


class Tree:
    """What the leaves refer to."""

    def __init__(self, form: NormalForm) -> None:
        self.form, self.circuits = form, []  # type: ignore[var-annotated]
        self.shift, self.chords = chords(form)

    def add_circuits(self, written: Sequence[Any]) -> None:
        """Check that 0 = Σ λ_i σ_i h_i + c, and keep the signs σ: bits wanted active, bits wanted inactive, reversible."""
        rows, m = [*self.form.units, *self.form.walls], len(self.form.units)
        for circuit in written:
            factors = [whole(multiplier) for _, multiplier in circuit]
            active = inactive = 0
            for (row, _), factor in zip(circuit, factors, strict=True):
                if not 0 <= row < len(rows) or not factor or (row >= m and factor < 0):
                    raise Refuted(f"circuit {len(self.circuits)}: multiplier {factor} of row {row} is not allowed")
                if row < m:
                    bit = 1 << (m - 1 - row)
                    active, inactive = (active | bit, inactive) if factor > 0 else (active, inactive | bit)
            total = combination([0, *factors], [self.form.affine, *(rows[row] for row, _ in circuit)])
            if any(total[:-1]) or total[-1] > 0 or not circuit:
                raise Refuted(f"circuit {len(self.circuits)}: its multipliers do not contradict its signs")
            reversible = total[-1] == 0 and all(row < m for row, _ in circuit)
            self.circuits.append((active, inactive, reversible))

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
        scale, pairs = whole(bound[0]), [(row, whole(multiplier)) for row, multiplier in bound[1]]
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
            forms.append(form.units[row] if row < m else form.walls[row - m])
        total = combination(factors, forms)
        if wrong:
            assert self.chords is not None
            chords = combination([scale] * len(wrong), [self.chords[k] for k in wrong])
            total = tuple((x << self.shift) - y for x, y in zip(total, chords, strict=True))
        if any(total[:-1]) or total[-1] < 0:
            return "its multipliers do not bound f"
        parts = [row for row, factor in pairs if factor and not depth <= row < m]
        if side < 0 and total[-1] == 0 and len(parts) < 2 and not any(row >= m for row in parts):
            return "f may vanish on a hyperplane"
        return None

    def not_touching(self, position: int, depth: int, unit: int) -> str | None:
        """Why c_S does not touch 0 from below on unit k's hyperplane, with f < 0 beyond."""
        form, m = self.form, len(self.form.units)
        if depth < m or unit >= m:
            return "there is no such unit"
        bit = 1 << (m - 1 - unit)
        c, other = form.on_cell(position), form.on_cell(position ^ bit)
        outward = times(-1 if position & bit else 1, form.units[unit])
        if not any(c[:-1]) or not any(other[:-1]):
            return "f is constant on one side"
        if not same_halfspace(c, outward) or not same_halfspace(other, times(-1, outward)):
            return f"f is not negative on both sides of unit {unit}"
        return None


def chords(form: NormalForm) -> tuple[int, list[Form] | None]:
    """A shift and affine forms ≥ R(a_k) · 2^shift on a bounded box D; None where D has no bounds of that kind.

    α a + β with β = max(−αL, (1−α)U, 0), L ≤ a ≤ U on the box: α a + β ≥ 0 and ≥ a. The slope α, near U / (U − L), is short.
    """
    lower, upper = bounds(len(form.affine) - 1, form.walls)
    if not form.walls or None in lower or None in upper:
        return 0, None
    exact = []
    for a in form.units:
        least, most = extreme(a, lower, upper), extreme([-e for e in a], lower, upper)
        assert least is not None  # the box is bounded
        assert most is not None
        most = -most
        slope = Fraction(int(min(max(most, Fraction(0)) / (most - least), Fraction(1)) * 2**CHORD_BITS), 2**CHORD_BITS)
        height = max(-slope * least, (1 - slope) * most, Fraction(0))
        exact.append([*(slope * e for e in a[:-1]), slope * a[-1] + height])
    denominator = math.lcm(1, *(e.denominator for row in exact for e in row))
    shift = denominator.bit_length() - 1
    if denominator != 1 << shift:
        return 0, None
    return shift, [tuple(int(e * denominator) for e in row) for row in exact]


# No other: the vertices, the bound, the closed form.


def check_vertices(proof: Proof, patterns: NDArray[np.uint8], progress: Progress) -> str:
    """That all patterns around all vertices are those of rows or repeats; returns words on that."""
    form, m = proof.form, len(proof.form.units)
    if form.walls:
        raise Refuted("vertices prove something on all of R^d only")
    known = [patterns]
    for block in proof.blocks("repeats"):
        packed = proof.patterns(block)
        numbers = np.frombuffer(proof.bytes(f"{block}/numbers"), dtype="<u8")
        for row, number in zip(packed, numbers.tolist(), strict=True):
            h = form.on_cell(proof.number(row))
            if number >= len(patterns) or not same_halfspace(h, form.on_cell(proof.number(patterns[number]))):
                raise Refuted(f"a repeat of half-space {number} is not that half-space")
        known.append(packed)
    table = Table(np.concatenate(known))
    vertices = done = 0
    try:
        for subsets, active in boundary_vertices(form.affine, form.units, form.signs):
            free = subsets.shape[1]
            for choice in itertools.product((False, True), repeat=free):
                if free:
                    active[np.arange(len(active))[:, None], subsets] = choice
                found = table.find(np.packbits(active, axis=1) if m else np.zeros((len(active), 1), dtype=np.uint8))
                if (found < 0).any():
                    at = np.flatnonzero(found < 0)[0]
                    raise Refuted(f"the pattern {''.join(map(str, active[at].astype(int)))} carries a piece and is missing")
            vertices += len(active)
            done = min(done + 1, 99)
            progress(done / 100, len(patterns))
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


def check_bound(proof: Proof, patterns: NDArray[np.uint8], progress: Progress) -> str:
    """That there are as many rows as cells that can carry a piece; returns words on that."""
    form, m = proof.form, len(proof.form.units)
    if form.walls:
        raise Refuted("the bound is about all of R^d only")
    cells, rank, central = most_cells(form)
    idle = set()
    for at in proof.idle:
        heights = [sign(value(a, at)) for a in form.units]
        pattern = sum(1 << (m - 1 - k) for k, height in enumerate(heights) if height > 0)
        if at[-1] <= 0 or 0 in heights or any(form.on_cell(pattern)[:-1]):
            raise Refuted("an idle cell is not idle: f is not constant on it")
        idle.add(pattern)
    if len(patterns) != cells - len(idle):
        raise Refuted(f"{len(patterns)} half-spaces are fewer than the {cells} cells that there may be, {len(idle)} idle")
    return (
        f"{m} hyperplanes {'with a common point ' if central else ''}in R^{rank} have at most {cells} cells, {len(idle)} idle"
    )


def most_cells(form: NormalForm) -> tuple[int, int, bool]:
    """The most cells m hyperplanes can have in R^r; r, the rank of their gradients; whether they have a common point."""
    m = len(form.units)
    rank = int(fmpz_mat([list(a[:-1]) for a in form.units]).rank()) if m else 0
    if m and fmpz_mat([list(a) for a in form.units]).rank() == rank:
        return 2 * sum(math.comb(m - 1, s) for s in range(rank)), rank, True
    return sum(math.comb(m, s) for s in range(rank + 1)), rank, False


def check_closed_form(proof: Proof) -> None:
    """That the closed form gives the number in the header."""
    form = proof.form
    number = None if form.walls else closed_form(form)
    if number is None:
        raise Refuted("there is no closed form: the hidden weights are not independent, or the domain is a part of R^d")
    if number != proof.rows:
        raise Refuted(f"the closed form gives {number} half-spaces, not {proof.rows}")


def closed_form(form: NormalForm) -> int | None:
    """How many half-spaces are needed where the gradients of the units are independent; None where that is not known.

    With y_k = a_k(x) as coordinates, f = c_0 + g(z) + Σ t_k(y_k), t_k(y) = c_k y + s_k R(y), z further coordinates. If ∇l is
    independent of the ∇a_k, f changes sign on every cell. Otherwise g = 0, and f takes both signs on a cell if and only if
    some t_k goes to the side opposite to c_0 ≠ 0 there. If c_0 = 0 and l = 0, both kinds have to be active, and each
    negative unit alone is a kink beside f = 0. Different patterns have different half-spaces.
    """
    m = len(form.units)
    rows = [list(a[:-1]) for a in form.units]
    if m and fmpz_mat(rows).rank() < m:
        return None
    flat = not any(form.affine[:-1])
    if not flat and fmpz_mat([*rows, list(form.affine[:-1])]).rank() > m:
        return 1 << m
    slopes = [fmpq(0)] * m
    if not flat:
        u = fmpq_mat(fmpz_mat(rows))
        solved = (u * u.transpose()).solve(u * fmpq_mat(len(form.affine) - 1, 1, list(form.affine[:-1])))
        slopes = [solved[k, 0] for k in range(m)]
    constant = form.affine[-1] - sum((c * a[-1] for c, a in zip(slopes, form.units, strict=True)), start=fmpq(0))
    if constant == 0:
        plus, minus = form.signs.count(1), form.signs.count(-1)
        return ((1 << plus) - 1) * ((1 << minus) - 1) + minus if flat else None
    away = -sign(constant)  # the side f has to be brought to
    idle = 1
    for c, s in zip(slopes, form.signs, strict=True):
        idle *= int(sign(-c) != away) + int(sign(c + s) != away)
    return (1 << m) - idle


def check_constant(proof: Proof) -> None:
    """That f has the sign claimed at a point of D off {f = 0}, or is 0 on a cell."""
    form, m = proof.form, len(proof.form.units)
    if proof.constant not in (1, -1) or len(proof.idle) != 1:
        raise Refuted("there is no half-space and no constant")
    at = proof.idle[0]
    if at[-1] <= 0 or any(value(h, at) <= 0 for h in form.walls):
        raise Refuted("the point of the constant lies outside the domain")
    heights = [value(a, at) for a in form.units]
    c = form.on_cell(sum(1 << (m - 1 - k) for k, height in enumerate(heights) if height > 0))
    here = sign(value(c, at)) or int(not any(c) and 0 not in heights)
    if here != proof.constant:
        raise Refuted(f"the answer is not the constant {proof.constant:+d}")
