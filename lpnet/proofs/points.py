"""Two points for each needed half-space, on either side of a piece of the boundary; the theorem is in `lpnet.checker`."""

import itertools
from collections.abc import Callable
from math import comb

import numpy as np
from numpy.typing import NDArray

from lpnet.checker.lines import NotSimple, boundary_vertices
from lpnet.checker.needed import Signs
from lpnet.checker.question import NormalForm
from lpnet.checker.vertices import in_words, one_key
from lpnet.exact import FloatArray, Form, Point, coordinates, independent_inputs, times, value
from lpnet.watch import Watch

Pair = tuple[Point, Point]
MOST_LINES = 50  # a half-space: beyond, a program for each is cheaper


def beside_pieces(
    form: NormalForm, patterns: NDArray[np.bool_], proposed: FloatArray, witness: Callable[[int], Point]
) -> tuple[FloatArray, dict[int, Pair]]:
    """The points A and B (rows, 2, d) for pieces with these patterns.

    proposed: such points, NaN where none are known (rows, 2, d); witness(row): an exact point of a piece, asked for where
    they do not prove the half-space. Where no floats do, NaN and a pair of exact points, by row.
    """
    signs, points, exact = Signs(form), proposed.copy(), {}
    failed = np.flatnonzero(~signs.show_needed(points, patterns))
    witnesses = [witness(row) for row in failed.tolist()]
    again = np.array([nearest_floats(at) for at in witnesses]).reshape(len(failed), points.shape[2])
    points[failed] = step_off(form, again, patterns[failed])
    still = ~signs.show_needed(points[failed], patterns[failed])
    for row, at, fails in zip(failed.tolist(), witnesses, still, strict=True):
        if fails:
            exact[row] = exact_pair(form, patterns[row], at)
            points[row] = np.nan
    return points, exact


def nearest_floats(at: Point) -> list[float]:
    """The coordinates of a point rounded to float64; NaN beyond its range."""
    try:
        return [x.numerator / x.denominator for x in coordinates(at)]
    except OverflowError:
        return [np.nan] * (len(at) - 1)


def step_off(form: NormalForm, centres: FloatArray, patterns: NDArray[np.bool_]) -> FloatArray:
    """Each centre moved down and up the gradient of c_S, half the way to the next hyperplane; (rows, d) → (rows, 2, d)."""
    signs = Signs(form)
    rows = signs.rows
    with np.errstate(all="ignore"):
        gradients = signs.f[0, :-1] + (patterns * signs.outputs) @ signs.f[1:, :-1]
        direction = gradients / np.linalg.norm(gradients, axis=1, keepdims=True)
        heights = np.abs(centres @ rows[:, :-1].T + rows[:, -1])
        speeds = np.abs(direction @ rows[:, :-1].T)
        lengths = np.linalg.norm(rows[:, :-1], axis=1)
        kink = (speeds > (1 - 1e-12) * lengths) & (heights < 1e-9 * lengths)  # perhaps; it is checked in the end
        room = np.where(kink, np.inf, heights / speeds).min(axis=1, initial=np.inf)
        step = np.minimum(room, 2 * (1 + np.linalg.norm(centres, axis=1)))[:, None] / 2 * direction
    return np.stack([centres - step, centres + step], axis=1)


def exact_pair(form: NormalForm, pattern: NDArray[np.bool_], at: Point) -> Pair:
    """A = p − t v and B = p + t v, v = ∇c_S and t a power of two so small that only a unit ∝ c_S changes sign on the way."""
    c = form.on_cell(sum(1 << k for k, active in enumerate(pattern[::-1]) if active))
    direction = (*c[:-1], 0)
    smallest = 1
    for h in (*form.units, *form.walls):
        height, speed = abs(value(h, at)), abs(value(h, direction))
        if height:
            smallest = max(smallest, (speed * at[-1] // height).bit_length() + 1)
    scale = 1 << smallest
    centre = times(scale, at)
    step: Form = times(at[-1], direction)
    low, high = (tuple(x + s * y for x, y in zip(centre, step, strict=True)) for s in (-1, 1))
    return low, high


def vertex_centres(form: NormalForm, patterns: NDArray[np.bool_], watch: Watch) -> FloatArray:
    """Points on pieces with these patterns, in floats, off a vertex of each; NaN where none was found; (rows, d).

    At a vertex, where the units I vanish and f too, x* solves a_i = 0 for i in I and c_S = 0. The centre is x* + t y, y inside
    the piece's cone: u_i·y = ±1 as the pattern says, ∇c_S·y = 0; t is half of what the other units allow.
    """
    centres = np.full((len(patterns), len(form.affine) - 1), np.nan)
    inputs = independent_inputs([*form.units, form.affine])
    if form.walls or not patterns.size or comb(len(form.units), len(inputs) - 1) > MOST_LINES * len(patterns):
        return centres
    keys, waiting = one_key(in_words(np.packbits(patterns, axis=1))), np.ones(len(patterns), dtype=bool)
    order = np.argsort(keys)
    try:
        for subsets, active in boundary_vertices(form.affine, form.units, form.signs):
            for choice in itertools.product((False, True), repeat=subsets.shape[1]):
                active[np.arange(len(active))[:, None], subsets] = choice
                around, first = np.unique(one_key(in_words(np.packbits(active, axis=1))), return_index=True)
                rows = order[np.minimum(np.searchsorted(keys, around, sorter=order), len(keys) - 1)]
                new = (keys[rows] == around) & waiting[rows]
                rows, first = rows[new], first[new]
                waiting[rows] = False
                centres[rows] = 0.0
                centres[rows[:, None], inputs] = into_pieces(form, inputs, patterns[rows], subsets[first])
            watch.check(0.25 * (1 - waiting.mean()), len(patterns))
    except (NotSimple, np.linalg.LinAlgError):
        pass  # every centre is a proposal: the others are found by a program each
    return centres


def into_pieces(form: NormalForm, inputs: list[int], patterns: NDArray[np.bool_], subsets: NDArray[np.int64]) -> FloatArray:
    """The centres of `vertex_centres` for the vertices with these units, in the independent inputs; (rows, r)."""
    signs = Signs(form)
    rows, f = signs.rows[:, [*inputs, -1]], signs.f[:, [*inputs, -1]]
    c = f[0] + (patterns * signs.outputs) @ f[1:]
    wanted = np.where(np.take_along_axis(patterns, subsets, axis=1), 1.0, -1.0)
    matrix = np.concatenate([rows[subsets], c[:, None]], axis=1)
    with np.errstate(all="ignore"):
        matrix /= np.linalg.norm(matrix[:, :, :-1], axis=2, keepdims=True)
        right = np.stack([-matrix[:, :, -1], np.column_stack([wanted, np.zeros(len(c))])], axis=2)
        vertex, direction = np.moveaxis(np.linalg.solve(matrix[:, :, :-1], right), 2, 0)
        heights = np.abs(vertex @ rows[:, :-1].T + rows[:, -1])
        np.put_along_axis(heights, subsets, np.inf, axis=1)
        room = (heights / np.abs(direction @ rows[:, :-1].T)).min(axis=1, initial=np.inf)
        reach = (1 + np.linalg.norm(vertex, axis=1)) / np.linalg.norm(direction, axis=1)
        return vertex + (np.minimum(room, reach) / 2)[:, None] * direction
