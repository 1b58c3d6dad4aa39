"""A form on a domain as the tree works on it: scaled floats, and room for its tables.

Everything becomes homogeneous: the forms v·x + c are vectors (v, c) of R^D, and x is the ray of (x, 1). Where columns of the
forms depend on others, the inputs they belong to are held at 0: the remaining ones already give every value the forms take.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lpnet.boundary.tree.bounds import Chords
from lpnet.boundary.tree.nodes import Net, Problem
from lpnet.boundary.tree.record import empty_log
from lpnet.exact import UNIT_ROUNDOFF, FloatArray, Form, Point, balance, integers, sign, to_floats
from lpnet.networks import ExactForm
from lpnet.programs.certain_kernel import TINY, inside
from lpnet.programs.stems import Stems

SEED = 2016  # of the direction in which the first point is moved off the hyperplanes


def floats(
    form: ExactForm, walls: Sequence[Form], pieces: bool, bounds: Chords, stems: Stems
) -> tuple[Net, Problem, tuple[int, ...], list[int]]:
    """The form for the kernel, the table that it fills, the scale of the coordinates and the size of each unit in bits.

    pieces: whether f matters; bounds: upper ones of the units of its one level, if there are any.
    """
    size, m, one = form.inputs + 1, len(form.units), (0,) * form.inputs + (1,)
    last = form.levels[-1]
    scale = balance([*(a for a in form.units if any(a)), *walls, one])
    bits: list[int] = []
    base, lost, factors = np.zeros((m, size)), np.zeros((m, size)), []
    for k, a in enumerate(form.units):
        links = form.links[k] if form.links else ()
        bits.append(max([length(a, scale), *(abs(c).bit_length() + bits[j] for j, c in links)]))
        base[k], lost[k] = in_floats(a, scale, bits[k])
        factors += [not_zero(c, bits[j] - bits[k]) for j, c in links]
    total = max([length(form.affine, scale), *(abs(w).bit_length() + bits[k] for k, w in enumerate(form.signs) if w)])
    output, output_lost = in_floats(form.affine, scale, total)
    chords, missing = bounds.in_floats(scale, total)
    place = np.array([k - last.start if k >= last.start else len(last) + k for k in range(m)], dtype=np.int64)
    net = Net(
        start=np.array([*(level.start for level in form.levels), m]),
        place=place,
        base=base,
        lost=lost,
        link_start=np.cumsum([0, *map(len, form.links or [()] * m)]),
        link_unit=np.array([j for links in form.links for j, _ in links], dtype=np.int64),
        link_factor=np.array(factors, dtype=np.float64),
        weight=np.array([not_zero(w, bits[k] - total) for k, w in enumerate(form.signs)]),
        output=output,
        output_lost=output_lost + missing,
        raw=np.zeros((m, size)),
        error=np.zeros((m, size)),
        constant=np.zeros(m, np.bool_),
        low=np.zeros((m, size)),
        up=np.zeros((m, size)),
        slack=np.zeros((m, size)),
        magnitude=np.zeros(size),
        doubt=np.zeros(size),
        boxed=False,
        fixed=np.zeros(0, np.int64),
        tally=np.zeros((len(form.levels), 8), dtype=np.int64),
        recorded=False,
        log=empty_log(m, len(last), size, 0, False),
        stems=stems,
    )
    outputs = np.array(form.signs[last.start :], dtype=np.int8)
    fewer = 1 if np.count_nonzero(outputs > 0) < len(last) / 2 else -1
    table, off = np.zeros((m + len(walls) + 1, size)), np.zeros((m + len(walls) + 1, size + 1))
    directions, underflow = rounded([*walls, one], scale, common=False)
    table[m:] = directions / np.sqrt((directions**2).sum(axis=1, keepdims=True))
    off[m:] = with_largest(3 * UNIT_ROUNDOFF * np.abs(table[m:]) + np.where(underflow, TINY, 0.0))
    units, off_units = np.zeros((2, len(last), size))
    affine, error = np.zeros((2, size))
    problem = Problem(
        rows=table,
        units=units,
        lengths=np.zeros(len(last)),
        outputs=outputs,
        affine=affine,
        chords=chords if bounds.forms else np.zeros_like(units),
        chorded=bool(bounds.forms),
        error=error,
        off=off,
        off_units=off_units,
        inner=m,
        turn=(outputs != fewer).astype(np.int8) if pieces and not bounds.forms else np.zeros(len(last), np.int8),
        bounded=pieces,
        recorded=False,
    )
    return net, problem, scale, bits


def in_floats(form: Form, scale: tuple[int, ...], bits: int) -> tuple[FloatArray, FloatArray]:
    """A form with scaled columns over 2^bits, and what is lost where an entry becomes (nearly) 0 that is not."""
    least = min(scale)
    entries = [entry << (s - least) for entry, s in zip(form, scale, strict=True)]
    made = to_floats(entries, -bits)
    return made, np.where((np.abs(made) < TINY) & np.array([entry != 0 for entry in entries]), TINY, 0.0)


def not_zero(factor: int, exponent: int) -> float:
    """factor · 2^exponent, rounded, but to 0 only where it is 0."""
    return float(to_floats((factor,), exponent)[0]) or sign(factor) * math.ulp(0.0)


def length(form: Form, scale: tuple[int, ...]) -> int:
    """How many bits the largest entry has, with scaled columns."""
    return max(abs(entry).bit_length() + s - min(scale) for entry, s in zip(form, scale, strict=True))


def from_ray(x: FloatArray, scale: tuple[int, ...]) -> Point:
    """The point that a float vector is, exactly."""
    whole, _ = integers(x)
    return tuple(int(entry) << (s - min(scale)) for entry, s in zip(whole, scale, strict=True))


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
