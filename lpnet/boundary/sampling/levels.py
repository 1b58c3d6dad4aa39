"""Every piece belongs to one line at one level: its lowest vertex is there, or lies infinitely far down.

Level 0 is f on R^r with a direction g, as in `lpnet.boundary.vertices.engine`: it has the pieces that are bounded below in g.
The others are those that meet g·x = −M for every M large enough, a question in r − 1 dimensions. A sample of vertices does
not say how large, so M is infinite: with x = M y and M → ∞, f / M becomes ∇l·y + Σ s_k R(u_k·y) on {g·y = −1}, level 1.
In general position the pieces there are those of f far down: a small change of a simple arrangement, simple at infinity too,
changes no pattern, if f has a slope along every end of a line. It has none only where no unit is active and ∇l = 0; level 0
takes g = −Σ λ_k u_k − μ ∇l, λ_k > 0, which is positive on the cone {u_k·y ≤ 0} unless all u_k·y = 0 there, so that
{g·y = −1} misses it. And so on, down to one dimension. For a convex or concave f level 0 has all pieces.
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import comb, prod

import numpy as np

from lpnet.boundary.pieces import NotApplicable
from lpnet.boundary.sampling.float_lines import Rows, Subsets, float_rows, lowest_on_lines
from lpnet.boundary.vertices.engine import DIRECTION_BITS, SEED, away_from_silence, in_balance, on_independent_inputs, uphill
from lpnet.boundary.vertices.exact_lines import exact_vertices
from lpnet.exact import FloatArray, Form, primitive, sign, times
from lpnet.networks import ExactForm


@dataclass(frozen=True)
class Level:
    """A form on R^r in general position, a direction, and both in floats."""

    form: ExactForm
    direction: Form
    rows: Rows

    @property
    def size(self) -> int:
        """|I| = r − 1."""
        return self.form.inputs - 1

    @property
    def lines(self) -> int:
        """C(m, r − 1)."""
        return comb(len(self.form.units), self.size)

    def numbers(self, subsets: Subsets) -> FloatArray:
        """How many pieces are lowest at the vertices of each line; (K, r − 1) → (K,). NotApplicable for a degenerate one."""
        numbers, doubtful = lowest_on_lines(self.rows, subsets)
        for line in np.flatnonzero(doubtful):
            at = exact_vertices(self.form, self.direction, tuple(map(int, subsets[line])))
            numbers[line] = sum(prod(map(len, states)) for _, states, _ in at)
        return numbers

    def all_lines(self) -> Subsets:
        """Every subset, (C(m, r − 1), r − 1)."""
        chosen = itertools.combinations(range(len(self.form.units)), self.size)
        return np.array(list(chosen), dtype=np.intp).reshape(self.lines, self.size)

    def some_lines(self, random: np.random.Generator, count: int) -> Subsets:
        """Subsets drawn uniformly with replacement, (count, r − 1)."""
        order = random.random((count, len(self.form.units)))
        return np.sort(np.argpartition(order, max(self.size - 1, 0), axis=1)[:, : self.size], axis=1)


def levels(form: ExactForm) -> Iterator[Level]:
    """The levels of a normal form whose units are linearly dependent, from the top. Raises NotApplicable for parallel units."""
    random = np.random.default_rng(SEED)
    form = in_balance(on_independent_inputs(form))
    if form.convex or form.concave:
        yield level(form, uphill(form, random))
        return
    if form.inputs > 1 and parallel(form):
        raise NotApplicable("two units are parallel")
    direction = into_silence(form, random)
    yield level(form, direction)
    while form.inputs > 1:
        form = in_balance(at_infinity(form, direction))
        direction = away_from_silence(form, random)
        yield level(form, direction)


def parallel(form: ExactForm) -> bool:
    """Whether two units have proportional gradients."""
    gradients = [a[:-1] for a in form.units]
    return len({primitive(times(sign(next(filter(None, u))), u)) for u in gradients}) < len(gradients)


def level(form: ExactForm, direction: Form) -> Level:
    """The level of a form and a direction."""
    return Level(form, direction, float_rows(form, direction))


def into_silence(form: ExactForm, random: np.random.Generator) -> Form:
    """−Σ λ_k u_k − μ ∇l, exactly, with random λ_k > 0 near 1 / |u_k|."""
    rows = [row[:-1] for row in (*form.units, form.affine) if any(row[:-1])]
    lengths = [max(map(abs, row)).bit_length() for row in rows]
    shares = random.integers(1 << DIRECTION_BITS - 1, 1 << DIRECTION_BITS, len(rows)).tolist()
    factors = [share << max(lengths) - length for share, length in zip(shares, lengths, strict=True)]
    return primitive([-sum(factor * row[j] for factor, row in zip(factors, rows, strict=True)) for j in range(form.inputs)])


def at_infinity(form: ExactForm, direction: Sequence[int]) -> ExactForm:
    """The recession function of the form on the hyperplane g·y = −1; the input with the largest |g_j| is replaced."""
    first = max(range(len(direction)), key=lambda j: abs(direction[j]))
    size, turn = abs(direction[first]), sign(direction[first])

    def restrict(a: Form) -> Form:
        moved = turn * a[first]  # y_first = −(1 + Σ g_j y_j) / g_first
        return (*(a[j] * size - moved * g for j, g in enumerate(direction) if j != first), -moved)

    return form.each(restrict)
