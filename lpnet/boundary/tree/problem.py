"""A normal form on a domain as the tree works on it: few coordinates, of balanced size, in integers and in floats.

Everything becomes homogeneous: the forms v·x + c are vectors (v, c) of R^D, and x is the ray of (x, 1). Where columns of the
forms depend on others, the inputs they belong to are held at 0: the remaining ones already give every value the forms take.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lpnet.boundary.tree.nodes import Problem
from lpnet.exact import UNIT_ROUNDOFF, FloatArray, Form, Point, add, balance, independent_inputs, times
from lpnet.networks import ExactForm, Polyhedron
from lpnet.networks.polyhedron import Ends
from lpnet.programs.certain_kernel import TINY, inside
from lpnet.programs.stems import combination

CHORD_BITS = 20
SEED = 2016  # of the direction in which the first point is moved off the hyperplanes


class Leaf(NamedTuple):
    """What a bound of f is about, exactly: one layer of units, and the rows of a node, `inner` of them of units."""

    form: ExactForm
    rows: Sequence[Form]
    inner: int
    chords: tuple[Form, ...] = ()
    denominator: int = 1


@dataclass(frozen=True)
class TreeProblem:
    """The question in integers, and what the compiled kernels need of it in floats.

    form: the normal form in the coordinates kept; walls: the inequalities of the domain likewise; scale: the power of two by
    which each homogeneous coordinate of a point is divided in floats, (D,); chords: affine upper bounds of the R(a_k) on the
    domain, times `denominator`, where that is bounded; kept: which of so many inputs these are; floats: all that for the
    kernels.
    """

    form: ExactForm
    walls: tuple[Form, ...]
    scale: tuple[int, ...]
    chords: tuple[Form, ...]
    denominator: int
    kept: tuple[int, ...]
    inputs: int
    floats: Problem

    @property
    def inner(self) -> int:
        """How many rows are units."""
        return len(self.form.units)

    @property
    def rows(self) -> list[Form]:
        """The forms whose signs make up a node: the units, then what is positive all over the domain."""
        return [*self.form.units, *self.walls, (0,) * self.form.inputs + (1,)]

    def from_floats(self, x: FloatArray) -> FloatArray:
        """Float vectors (count, D) as points in all inputs, (count, d), rounded; those that are not kept are 0."""
        at = np.zeros((len(x), self.inputs))
        with np.errstate(all="ignore"):
            at[:, self.kept] = np.ldexp(x[:, :-1] / x[:, -1:], np.array(self.scale[:-1], dtype=int) - self.scale[-1])
        return at


def tree_problem(form: ExactForm, domain: Polyhedron, bounded: bool, recorded: bool = False) -> TreeProblem:
    """bounded: whether bounds of f are to prune; recorded: whether all proofs are kept."""
    walls = domain.inequalities()
    kept = independent_inputs([form.affine, *form.units, *walls])
    affine, *others = ((*(h[j] for j in kept), h[-1]) for h in [form.affine, *form.units, *walls])
    reduced = ExactForm(affine, tuple(others[: len(form.units)]), form.signs, form.exponent, form.divisor)
    chords, denominator = _chords(form, domain, kept) if bounded else ((), 1)
    rows = [*others, (0,) * len(kept) + (1,)]
    scale = balance(rows)
    floats = _floats(reduced, rows, chords, denominator, scale, bounded)._replace(recorded=recorded)
    return TreeProblem(reduced, tuple(others[len(form.units) :]), scale, chords, denominator, tuple(kept), form.inputs, floats)


def _floats(
    form: ExactForm, rows: Sequence[Form], chords: Sequence[Form], denominator: int, scale: tuple[int, ...], bounded: bool
) -> Problem:
    """The problem for the kernels: rows one by one of length 1, f and its chords all on one scale."""
    f = [times(denominator, h) for h in (form.affine, *form.units)] + list(chords)
    table, lost = rounded(f, scale, common=True)
    directions, lost_too = rounded(rows, scale, common=False)
    directions /= np.sqrt((directions**2).sum(axis=1, keepdims=True))
    underflow = np.where(lost | lost_too, TINY, 0.0)
    m = len(form.units)
    units, outputs = table[1 : m + 1], np.array(form.signs, dtype=np.int8)
    fewer = 1 if np.count_nonzero(outputs > 0) < m / 2 else -1
    return Problem(
        rows=directions,
        units=units,
        lengths=np.sqrt((units**2).sum(axis=1)),
        outputs=outputs,
        affine=table[0],
        chords=table[m + 1 :] if chords else np.zeros_like(units),
        chorded=bool(chords),
        error=2 * (m + 4) * UNIT_ROUNDOFF * np.abs(table).sum(axis=0) + underflow,
        off=with_largest(3 * UNIT_ROUNDOFF * np.abs(directions) + underflow),
        off_units=3 * UNIT_ROUNDOFF * np.abs(units) + underflow,
        inner=m,
        turn=(outputs != fewer).astype(np.int8) if bounded and not chords else np.zeros(m, dtype=np.int8),
        bounded=bounded,
        recorded=False,
    )


def to_ray(at: Point, scale: tuple[int, ...]) -> FloatArray:
    """A point as a float vector of length 1, (D,), in coordinates divided by these powers of two."""
    most = max(scale)
    shifted = [entry << (most - s) for entry, s in zip(at, scale, strict=True)]
    largest = max(abs(entry) for entry in shifted).bit_length()
    x = np.array([entry / (1 << largest) for entry in shifted])
    return x / np.sqrt((x**2).sum())


def generic(problem: Problem, signs: NDArray[np.int8], x: FloatArray) -> FloatArray:
    """A point off special position: half of the way, or of length 1, in an arbitrary direction within what the signs allow."""
    used = signs != 0
    rows = signs[used, None] * problem.rows[used]
    direction = np.random.default_rng(SEED).normal(size=len(x))
    slope, height = rows @ direction, rows @ x
    step = min(1.0, 0.5 * (height[slope < 0] / -slope[slope < 0]).min(initial=np.inf))
    moved = x + step * direction
    moved /= np.sqrt((moved**2).sum())
    return moved if inside(problem.rows, problem.off, signs, moved) else x


def with_largest(off: FloatArray) -> FloatArray:
    """What entries may be off by, with the largest of each row in one more column, (R, D) → (R, D + 1)."""
    return np.column_stack([off, off.max(axis=1)])


def rounded(forms: Sequence[Form], scale: tuple[int, ...], common: bool) -> tuple[FloatArray, NDArray[np.bool_]]:
    """The forms with scaled columns as floats of size at most 1, by one power of two in all if `common`, else by one each;
    and the columns in which an entry became (nearly) 0 that is not, (D,).
    """
    least = min(scale)
    scaled = [[entry << (s - least) for entry, s in zip(h, scale, strict=True)] for h in forms]
    size = [max(abs(entry) for entry in h).bit_length() for h in scaled]
    if common:
        size = [max(size)] * len(size)
    table = np.array([[entry / (1 << bits) for entry in h] for h, bits in zip(scaled, size, strict=True)])
    lost = (np.abs(table) < TINY) & np.array([[entry != 0 for entry in h] for h in scaled])
    return table, lost.any(axis=0)


def _chords(form: ExactForm, domain: Polyhedron, kept: Sequence[int]) -> tuple[tuple[Form, ...], int]:
    """αa + β ≥ R(a) for each unit on a domain that bounds every input, α short and β the least possible one; else nothing.

    As integers and what they are to be divided by.
    """
    lower, upper = domain.bounds
    if None in lower or None in upper:
        return (), 1
    exact = []
    for a in form.units:
        least, most = interval(a, lower, upper)
        slope = Fraction(int((most / (most - least) if most > 0 > least else int(most > 0)) * 2**CHORD_BITS), 2**CHORD_BITS)
        height = max(-slope * least, (1 - slope) * most, Fraction(0))
        exact.append([*(slope * a[j] for j in kept), slope * a[-1] + height])
    denominator = math.lcm(1, *(entry.denominator for row in exact for entry in row))
    return tuple(tuple(int(entry * denominator) for entry in row) for row in exact), denominator


def interval(form: Form, lower: Ends, upper: Ends) -> tuple[Fraction, Fraction]:
    """The least and the largest value of a form between bounds of all inputs."""
    least = most = Fraction(form[-1])
    for coefficient, *ends in zip(form[:-1], lower, upper, strict=True):
        low, high = sorted(coefficient * end for end in ends if end is not None)
        least, most = least + low, most + high
    return least, most


def phi(problem: Leaf | TreeProblem, side: int, signs: NDArray[np.int8], facing: NDArray[np.int8]) -> Form:
    """`work.base` of a bound on side · f, exactly: times `denominator`."""
    total = times(side, problem.form.affine)
    for k, (a, s) in enumerate(zip(problem.form.units, problem.form.signs, strict=True)):
        if signs[k] > 0:
            total = add(total, times(side * s, a))
        elif signs[k] == 0 and s != side and facing[k] < 0:
            total = add(total, times(-1, a))
    total = times(problem.denominator, total)
    for k, chord in enumerate(problem.chords):
        if signs[k] == 0 and problem.form.signs[k] == side:
            total = add(total, chord)
    return total


def one_sign(
    problem: Leaf | TreeProblem, side: int, signs: NDArray[np.int8], evidence: NDArray[np.int64], facing: NDArray[np.int8]
) -> bool:
    """Whether φ = −Σ λ_i s_i h_i + Σ θ_k F_k for some λ ≥ 0 and θ in [0, 1] on the rows and units of the evidence, exactly.

    For side > 0, where that proves f ≤ 0, also whether it leaves no room for a piece; see `level_kernel.touching`.
    """
    rows, units = problem.rows, problem.form.units
    members = [int(code) for code in evidence if code >= 0]
    columns = [
        times(int(signs[code]), rows[code])
        if code < len(rows)
        else times(-int(facing[code - len(rows)]) * problem.denominator, units[code - len(rows)])
        for code in members
    ]
    shares = combination(phi(problem, side, signs, facing), columns)
    if shares is None or not all(z >= 0 and (code < len(rows) or z <= 1) for code, z in zip(members, shares, strict=True)):
        return False
    walls = [code for code, z in zip(members, shares, strict=True) if code < len(rows) and z]
    return side < 0 or len(walls) > 1 or any(code >= problem.inner for code in walls)
