"""A form of several levels as the compiled search works on it: scaled floats, and room for its tables and nodes."""

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lpnet.boundary.tree.deep_record import Log, empty_log
from lpnet.boundary.tree.nodes import Problem
from lpnet.boundary.tree.problem import rounded, with_largest
from lpnet.exact import (
    UNIT_ROUNDOFF,
    FloatArray,
    Form,
    Point,
    balance,
    integers,
    rounded_down,
    rounded_up,
    sign,
    to_floats,
)
from lpnet.networks import ExactForm, Polyhedron
from lpnet.programs.certain_kernel import TINY

Signs = NDArray[np.int8]
MOST_INPUTS = 20  # for boxes around all of R^d
REACH = 2.0  # of the one around 0, in terms of the median distance of the first hyperplanes


class Net(NamedTuple):
    """The units for the kernel, scaled by powers of two to a size of about 1, in D homogeneous coordinates.

    start: the first unit of each level, and their number; place: the row of each unit; base: a_k, and what underflow took of it
    (m, D); link_start, link_unit, link_factor: the C_kj of unit k are those from link_start[k] on; weight: w_k; output: l, and
    what underflow took of it; raw, error: z_k on the cell of the node on top of the stack, and what it may be off by (m, D);
    constant: whether it is constant there; low, up: affine functions below and above R(z_k) on a box, slack: what they may
    be off by (m, D); magnitude, doubt: for the kernel to write on; boxed: whether nodes have boxes; fixed: which
    coordinate is, in each of them; tally: what is counted of each level, see `deep_kernel`; recorded: whether all is taken
    down, log: where.
    """

    start: NDArray[np.int64]
    place: NDArray[np.int64]
    base: FloatArray
    lost: FloatArray
    link_start: NDArray[np.int64]
    link_unit: NDArray[np.int64]
    link_factor: FloatArray
    weight: FloatArray
    output: FloatArray
    output_lost: FloatArray
    raw: FloatArray
    error: FloatArray
    constant: NDArray[np.bool_]
    low: FloatArray
    up: FloatArray
    slack: FloatArray
    magnitude: FloatArray
    doubt: FloatArray
    boxed: bool
    fixed: NDArray[np.int64]
    tally: NDArray[np.int64]
    recorded: bool
    log: Log


class Stack(NamedTuple):
    """Nodes: the signs that rows must have, the units' signs (0: open), a point, one where f > 0 or NaN; the level, how often
    the tree has forked; whether bounds of f were of no use; whether the level's rows are still to be unfolded, and its
    boxes to be cut by all rows of the level before; the ends of boxes whose rays cover it, (boxes, D), NaN for empty ones; of
    several outputs those that may be the largest.
    """

    signs: Signs
    pattern: Signs
    x: FloatArray
    above: FloatArray
    level: NDArray[np.int64]
    depth: NDArray[np.int64]
    kept: NDArray[np.bool_]
    fresh: NDArray[np.bool_]
    ended: NDArray[np.bool_]
    low: FloatArray
    high: FloatArray
    alive: NDArray[np.bool_]


class Found(NamedTuple):
    """Patterns of cells, a point of each where f < 0 and one where f > 0, and the share of the tree that is done (1,)."""

    patterns: Signs
    rays: FloatArray
    share: FloatArray


def empty_stack(nodes: int, rows: int, units: int, size: int, boxes: int, outputs: int = 0) -> Stack:
    """Room for so many nodes."""
    x, above = np.zeros((2, nodes, size))
    low, high = np.zeros((2, nodes, boxes, size))
    level, depth = np.zeros((2, nodes), np.int64)
    signs, pattern = np.zeros((nodes, rows), np.int8), np.zeros((nodes, units), np.int8)
    alive = np.zeros((nodes, outputs), np.bool_)
    kept, fresh, ended = np.zeros((3, nodes), np.bool_)
    return Stack(signs, pattern, x, above, level, depth, kept, fresh, ended, low, high, alive)


def floats(form: ExactForm, walls: Sequence[Form], pieces: bool) -> tuple[Net, Problem, tuple[int, ...], list[int]]:
    """The form for the kernel, the table that it fills, the scale of the coordinates and the size of each unit in bits."""
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
        output_lost=output_lost,
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
        tally=np.zeros((len(form.levels), 6), dtype=np.int64),
        recorded=False,
        log=empty_log(m, len(last), size, 0, False),
    )
    outputs = np.array(form.signs[last.start :], dtype=np.int8)
    fewer = 1 if np.count_nonzero(outputs > 0) < len(last) / 2 else -1
    table, off = np.zeros((m + len(walls) + 1, size)), np.zeros((m + len(walls) + 1, size + 1))
    directions, underflow = rounded([*walls, one], scale, common=False)
    table[m:] = directions / np.sqrt((directions**2).sum(axis=1, keepdims=True))
    off[m:] = with_largest(3 * UNIT_ROUNDOFF * np.abs(table[m:]) + np.where(underflow, TINY, 0.0))
    units, off_units, chords = np.zeros((3, len(last), size))
    affine, error = np.zeros((2, size))
    problem = Problem(
        rows=table,
        units=units,
        lengths=np.zeros(len(last)),
        outputs=outputs,
        affine=affine,
        chords=chords,
        chorded=False,
        error=error,
        off=off,
        off_units=off_units,
        inner=m,
        turn=(outputs != fewer).astype(np.int8),
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


class Boxes(NamedTuple):
    """Boxes whose rays cover a cone: their ends, (boxes, D), and which coordinate is the same at both, (boxes,)."""

    low: FloatArray
    high: FloatArray
    fixed: NDArray[np.int64]


def boxes_around(domain: Polyhedron, kept: Sequence[int], scale: tuple[int, ...], units: FloatArray) -> Boxes:
    """Boxes around a domain: itself where it is bounded, else the facets of a cube around 0 in R^D with y_D ≥ 0.

    t f(x/t) has the sign of f(x/t) for t > 0 and is the same network with all biases times t, so all that is to be known is
    on max(|x_j|/s, t) = 1: the box |x| ≤ s for t = 1, and x_j = ±s with t in [0, 1]; s is about as far from 0 as the
    hyperplanes of the first units are, (units, D). None for many inputs.
    """
    box, size = box_around(domain, kept, scale), len(scale)
    if box:
        return Boxes(box[0][None], box[1][None], np.array([size - 1]))
    if size > MOST_INPUTS + 1:
        return no_boxes(size)
    slope = np.sqrt((units[:, :-1] ** 2).sum(axis=1))
    with np.errstate(all="ignore"):
        away = np.sort(np.abs(units[slope > 0, -1]) / slope[slope > 0])
    reach = REACH * away[len(away) // 2] if len(away) else 0.0  # np.median would load numpy.ma
    half = np.full(size, reach if np.isfinite(reach) and reach > 0 else 1.0)
    half[-1] = 1.0
    fixed = np.repeat(np.arange(size), 2)[:-1]
    low, high = np.tile(-half, (len(fixed), 1)), np.tile(half, (len(fixed), 1))
    low[:, -1] = 0.0
    for b, j in enumerate(fixed):
        low[b, j] = high[b, j] = half[j] * (1 if b % 2 == 0 else -1)
    return Boxes(low, high, fixed)


def no_boxes(size: int) -> Boxes:
    """None at all, of D coordinates."""
    return Boxes(np.zeros((0, size)), np.zeros((0, size)), np.zeros(0, np.int64))


def box_around(domain: Polyhedron, kept: Sequence[int], scale: tuple[int, ...]) -> tuple[FloatArray, FloatArray] | None:
    """The ends of a bounded domain in the kernel's coordinates, rounded outwards, (D,) each; None for another one."""
    lower, upper = domain.bounds
    ends = [(low, high) for j in kept if (low := lower[j]) is not None and (high := upper[j]) is not None]
    if len(ends) < len(kept):
        return None
    scaled = [(low * Fraction(2) ** -s, high * Fraction(2) ** -s) for (low, high), s in zip(ends, scale, strict=False)]
    last = float(Fraction(2) ** -scale[-1])
    below = np.array([*(rounded_down(low) for low, _ in scaled), last])
    above = np.array([*(rounded_up(high) for _, high in scaled), last])
    return (below, above) if np.isfinite(below).all() and np.isfinite(above).all() and last > 0 else None
