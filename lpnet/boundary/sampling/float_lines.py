"""The vertex engine's question on many single lines at once: how many pieces are lowest at the vertices of a line?

The walk over all lines shares its eliminations and bounds their errors beforehand, which is hopeless for tens of inputs. Here
every line has its own matrix B, the gradients of the units I and one more row, an approximate inverse C, and bounds after the
fact: with R = 1 − BC, ‖B⁻¹‖ ≤ ‖C‖ / (1 − ‖R‖), and the solution of B x = y is off by ‖B⁻¹‖ ‖Bx − y‖ at most. Every decisive
sign must be larger than a bound on its error, or the line is reported as doubtful.
All rows are scaled to entries of at most 1, so that bounds are a number for each line. K lines, m units, r inputs.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from lpnet.boundary.vertices.engine import float_table
from lpnet.exact import UNIT_ROUNDOFF, FloatArray, Form
from lpnet.networks import ExactForm

Subsets = NDArray[np.intp]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Rows:
    """The units a_k, then g, then l, in floats: gradients (m + 2, r), constants (m + 2,), each off by `error` at most.

    weights: s_k times a power of two, (m,); affine: whether l has a gradient.
    """

    gradients: FloatArray
    constants: FloatArray
    weights: FloatArray
    error: float
    affine: bool

    @property
    def inputs(self) -> int:
        """r."""
        return self.gradients.shape[1]

    @cached_property
    def small(self) -> float:
        """A bound on the error of u·x + b, relative to Σ |x_j| + 1, by the rounding of the row and of the sum."""
        return self.error + 4 * (self.inputs + 4) * UNIT_ROUNDOFF

    @cached_property
    def rounding(self) -> float:
        """A bound on the rounding of a sum over the units, relative to the sum of the sizes."""
        return 4 * (len(self.constants) + 4) * UNIT_ROUNDOFF

    @cached_property
    def longest(self) -> float:
        """The largest Σ |u_j| of a row."""
        return float(np.abs(self.gradients).sum(axis=1).max()) + self.inputs * self.error

    @cached_property
    def size(self) -> float:
        """1 + Σ |w_k|, a bound on the entries of l + Σ w_k a_k over any units."""
        return 1 + float(np.abs(self.weights).sum())


def float_rows(form: ExactForm, direction: Form) -> Rows:
    """The rows of a form and a direction. Raises NotApplicable where floats cannot hold them."""
    table, error, weights, _ = float_table(form, direction)
    gradients, constants = np.ascontiguousarray(table[:-1].T), np.ascontiguousarray(table[-1])
    return Rows(gradients, constants, weights, float(error.max()), any(form.affine[:-1]))


def lowest_on_lines(rows: Rows, subsets: Subsets) -> tuple[FloatArray, Flags]:
    """How many pieces are lowest at the vertices on each line, and which lines are in doubt; (K, r − 1) → (K,), (K,)."""
    with np.errstate(all="ignore"):  # what overflows is in doubt
        inverses = Inverses.of(rows, subsets)
        crossings = cross(rows, subsets, inverses)
        sure = inverses.sure & crossings.sure
        line, segment = np.nonzero(crossings.changes & sure[:, None])
        numbers, certain = choices(rows, subsets[line], inverses.at(line), crossings.active(line, segment))
    sure[line[~certain]] = False
    return np.bincount(line, numbers, len(subsets)).astype(np.float64) * sure, ~sure


@dataclass(frozen=True)
class Inverses:
    """B and C, (K, r, r); bounds on ‖B⁻¹‖_∞ and ‖B⁻¹‖_1, (K,); whether they hold, (K,)."""

    matrix: FloatArray
    inverse: FloatArray
    largest_row: FloatArray
    largest_column: FloatArray
    sure: Flags

    @staticmethod
    def of(rows: Rows, subsets: Subsets) -> "Inverses":
        """For the units I, and a last row of ±1 as good as any outside their span."""
        r = rows.inputs
        last = np.where(np.arange(r) % 3 == 1, -1.0, 1.0)
        matrix = np.concatenate([rows.gradients[subsets], np.broadcast_to(last, (len(subsets), 1, r))], axis=1)
        regular = np.linalg.slogdet(matrix)[0] != 0
        matrix[~regular] = np.eye(r)
        inverse = np.linalg.inv(matrix)
        residual, size = np.abs(np.eye(r) - matrix @ inverse), np.abs(inverse)
        row, column = size.sum(axis=2).max(axis=1), size.sum(axis=1).max(axis=1)
        residual = residual.sum(axis=1).max(axis=1) + residual.sum(axis=2).max(axis=1) + rows.small * r * (row + column + 2)
        return Inverses(matrix, inverse, 1.34 * row, 1.34 * column, regular & (residual < 0.25))

    def at(self, lines: Subsets) -> "Inverses":
        """Those of some lines."""
        bounds = self.largest_row[lines], self.largest_column[lines]
        return Inverses(self.matrix[lines], self.inverse[lines], *bounds, self.sure[lines])

    def solve(self, columns: FloatArray, small: float) -> tuple[FloatArray, FloatArray]:
        """B⁻¹ y for y (K, r), and a bound on the error of its entries, (K,)."""
        x = np.einsum("kij,kj->ki", self.inverse, columns)
        residual = np.abs(np.einsum("kij,kj->ki", self.matrix, x) - columns).max(axis=1)
        return x, self.largest_row * (residual + small * (np.abs(x).sum(axis=1) + np.abs(columns).max(axis=1)))

    def solve_left(self, rows: FloatArray, small: float) -> tuple[FloatArray, FloatArray]:
        """y B⁻¹ for y (K, r), itself off by `small` relative to its entries, and a bound on the error of its entries, (K,)."""
        x = np.einsum("ki,kij->kj", rows, self.inverse)
        residual = np.abs(np.einsum("ki,kij->kj", x, self.matrix) - rows).max(axis=1)
        return x, self.largest_column * (residual + small * (np.abs(x).sum(axis=1) + 1 + np.abs(rows).max(axis=1)))


@dataclass(frozen=True)
class Crossings:
    """Where f changes its sign on lines: between breakpoints, which are numbered from the left.

    changes: whether it does so on the segment before breakpoint i, (K, m − r + 2); place: the numbers of the breakpoints of
    the units, (K, m); rising: whether units grow, (K, m); free: whether they are not in I; sure: whether all that is certain.
    """

    changes: Flags
    place: Subsets
    rising: Flags
    free: Flags
    sure: Flags

    def active(self, line: Subsets, segment: Subsets) -> Flags:
        """The units active on segments, (Z, m)."""
        return self.free[line] & (self.rising[line] == (self.place[line] < segment[:, None]))


def cross(rows: Rows, subsets: Subsets, inverses: Inverses) -> Crossings:
    """The sign of f at all breakpoints, and far out; units are α + β t on the line, t the last row of B."""
    (count, size), m = subsets.shape, len(rows.weights)
    free = np.ones((count, m), dtype=bool)
    np.put_along_axis(free, subsets, False, axis=1)
    weights = rows.weights * free
    origin, of_origin = inverses.solve(np.column_stack([-rows.constants[subsets], np.zeros(count)]), rows.small)
    along, of_along = inverses.solve(np.broadcast_to(np.arange(size + 1) == size, (count, size + 1)) * 1.0, rows.small)
    alpha, beta = origin @ rows.gradients.T + rows.constants, along @ rows.gradients.T
    of_alpha = rows.longest * of_origin + rows.small * (np.abs(origin).sum(axis=1) + 1)
    of_beta = rows.longest * of_along + rows.small * np.abs(along).sum(axis=1)
    a, b = alpha[:, :m], beta[:, :m]
    sure = (~free | (np.abs(b) > 2 * of_beta[:, None])).all(axis=1)
    at = np.where(free, -a / np.where(free, b, 1.0), np.inf)
    of_at = 2 * (of_alpha[:, None] + np.abs(at) * of_beta[:, None]) / np.abs(b) + rows.small * np.abs(at)

    order = np.argsort(at, axis=1, kind="stable")
    place = np.argsort(order, axis=1, kind="stable")
    order = order[:, : m - size]
    rising = b > 0
    turn = np.where(rising, weights, -weights)
    constants = sums_from(alpha[:, -1] + (weights * a * ~rising).sum(axis=1), ordered(turn * a, order))
    slopes = sums_from(beta[:, -1] + (weights * b * ~rising).sum(axis=1), ordered(turn * b, order))
    heights, steepest = (np.abs(part[:, -1]) + (np.abs(weights * part[:, :m])).sum(axis=1) for part in (alpha, beta))
    of_constants = rows.size * of_alpha + rows.rounding * heights
    of_slopes = rows.size * of_beta + rows.rounding * steepest
    steepest += of_slopes

    at, of_at = ordered(at, order), ordered(of_at, order)
    values = constants[:, :-1] + slopes[:, :-1] * at
    bound = of_constants[:, None] + np.abs(at) * of_slopes[:, None] + steepest[:, None] * of_at
    bound += rows.small * (np.abs(constants[:, :-1]) + np.abs(slopes[:, :-1] * at))
    signs = np.where(np.abs(values) > bound, np.sign(values), 0.0)
    ends = [
        far_sign(rows, side * slopes[:, end], of_slopes, (free & (rising == up)).any(axis=1))
        for side, end, up in ((-1, 0, False), (1, -1, True))
    ]
    signs = np.column_stack([ends[0], signs, ends[1]])
    changes = signs[:, 1:] != signs[:, :-1]
    ahead = np.maximum.accumulate(at + of_at, axis=1)[:, :-1]
    behind = np.minimum.accumulate((at - of_at)[:, ::-1], axis=1)[:, ::-1][:, 1:]
    sure &= (signs != 0).all(axis=1) & (~changes[:, 1:-1] | (ahead < behind)).all(axis=1)
    return Crossings(changes, place, rising, free, sure)


def ordered(values: FloatArray, order: Subsets) -> FloatArray:
    """The values of the units in the order of their breakpoints."""
    return np.take_along_axis(values, order, axis=1)


def sums_from(first: FloatArray, steps: FloatArray) -> FloatArray:
    """The first value, and what it becomes step by step."""
    return np.cumsum(np.column_stack([first, steps]), axis=1)


def far_sign(rows: Rows, growth: FloatArray, error: FloatArray, working: Flags) -> FloatArray:
    """The sign of f far out, growth being its slope outwards; where nothing is active there, and l is constant, that of l."""
    signs = np.where(np.abs(growth) > error, np.sign(growth), 0.0)
    return signs if rows.affine else np.where(working, signs, np.sign(rows.constants[-1]))


def choices(rows: Rows, subsets: Subsets, inverses: Inverses, active: Flags) -> tuple[FloatArray, Flags]:
    """How many pieces are lowest at each vertex, f having these active units beside I there; (Z,), and whether that is sure.

    With ∇f = Σ F_i a_i + D t and g = Σ G_i a_i + G_t t: unit i may be inactive if G_i − (G_t / D) F_i < 0, and active if
    G_i − (G_t / D)(F_i + w_i) > 0.
    """
    gradient = rows.gradients[-1] + (rows.weights * active) @ rows.gradients[:-2]
    f, of_f = inverses.solve_left(gradient, rows.small)
    of_f += inverses.largest_column * rows.size * (rows.error + rows.rounding)
    g, of_g = inverses.solve_left(np.broadcast_to(rows.gradients[-2], gradient.shape), rows.small)
    steep = f[:, -1]
    slope = g[:, -1] / steep
    of_slope = 2 * (of_g + np.abs(slope) * of_f) / np.abs(steep) + rows.small * np.abs(slope)
    f, g, bends = f[:, :-1], g[:, :-1], rows.weights[subsets]
    inactive = g - slope[:, None] * f
    working = inactive - slope[:, None] * bends
    height = np.abs(f) + np.abs(bends)
    bound = of_g[:, None] + np.abs(slope[:, None]) * of_f[:, None] + (height + of_f[:, None]) * of_slope[:, None]
    bound += rows.small * (np.abs(g) + np.abs(slope[:, None]) * height)
    sure = (np.abs(inactive) > bound) & (np.abs(working) > bound) & (np.abs(steep) > 2 * of_f)[:, None]
    possible = (inactive < 0).astype(np.float64) + (working > 0)
    return possible.prod(axis=1), np.all(sure, axis=1)
