"""All vertices of the decision boundary of a normal form, for the checker: it shares no code with the search.

Let f = l + Σ s_k R(a_k) on R^r, r = rank [U; ∇l], the hyperplanes {a_k = 0} distinct. Every boundary piece lies in a pointed
polyhedron, which has a vertex: a point where f = 0 and r − 1 of the a_k with independent gradients vanish. If, at every zero of
f on every line {a_k = 0, k ∈ I} with |I| = r − 1 and independent gradients, no other a_k vanishes and f has a slope along the
line, then the pieces are exactly the 2^(r−1) patterns around these zeros (I free, the others as signed there). Subsets I with
dependent gradients play no part: where their units meet, so do those of an independent I, and more units vanish on its line.

On a line f is piecewise linear. Where f ≠ 0 at every breakpoint (a zero of one a_k), there is one zero between neighbouring
breakpoints at which f has different signs, and none between others; beyond the outer breakpoints the sign far out tells.
Which units are active at the zero follows from the order of the breakpoints, so that it need not be computed itself.
"""

import itertools
import math
import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from operator import mul
from typing import NamedTuple

import numpy as np
from flint import fmpq, fmpz_mat, nmod_mat
from numpy.typing import NDArray

from lpnet.checker.work import products

Form = tuple[int, ...]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Subsets = NDArray[np.int64]
Zeros = tuple[NDArray[np.intp], Bools, Bools]

U = 2.0**-53
PRIME = 2**61 - 1
SINGLE_THREADED = 1 << 18  # products: beyond, a BLAS takes threads, which costs more than such small matrices are worth


class NotSimple(Exception):
    """The boundary meets the arrangement of the units in a degenerate way; the theorem does not apply."""


class FloatForms(NamedTuple):
    """The a_k and, last, l: gradients (m + 1, r) and constants (m + 1,); f ∝ l + Σ weights_k R(a_k).

    Each row is scaled by a power of two to Σ |entries| ≤ 1; an entry is off by at most U of itself, or by 2^-1075.
    total: 1 + Σ |weights_k|; flat: whether l is constant.
    """

    gradients: Floats
    constants: Floats
    weights: Floats
    total: float
    flat: bool


def boundary_vertices(
    affine: Form,
    units: Sequence[Form],
    signs: Sequence[int],
    at_once: int | None = None,
    spend: Callable[[int, float], None] = lambda steps, share: None,
) -> Iterator[tuple[Subsets, Bools]]:
    """The zeros of f on the lines, in batches: their subsets I (count, r − 1), and which a_k are > 0 there (count, m).

    affine, units: l and the a_k as integers (v, c); signs: the s_k. The units of I count as not active.
    at_once: lines a batch, of about 150 m bytes each. spend: called with the steps (see `work`) of what comes next, and the
    share of the lines that is done.
    Raises NotSimple where the condition of the theorem fails.
    """
    bits = max(abs(entry).bit_length() for h in (affine, *units) for entry in h)
    spend(elimination(len(units) + 1, len(affine), bits), 0.0)
    affine, *units = independent_inputs([affine, *units])
    r, m = len(affine) - 1, len(units)
    if r == 0:  # f is constant
        return
    forms = float_forms(affine, units, signs)
    at_once = at_once or max(1, min(1 << 11, SINGLE_THREADED // (r * (m + 1))))
    count, done = math.comb(m, r - 1), 0
    workers = (os.cpu_count() or 1) if count > at_once else 0
    of_line, of_exact = m + (r + 1) ** 2 * (m + r) // 64, elimination(r - 1, r + 1, bits) + products(4 * m * r, bits, r * bits)
    subsets = itertools.combinations(range(m), r - 1)

    def batches() -> Iterator[Subsets]:
        while chunk := list(itertools.islice(subsets, at_once)):
            spend(len(chunk) * of_line, done / count)
            yield np.array(chunk, dtype=np.int64).reshape(len(chunk), r - 1)

    for lines, (line, active, certain) in ahead(partial(certain_zeros, forms), batches(), workers):
        yield lines[line], active
        for index in np.flatnonzero(~certain):
            spend(of_exact, done / count)
            active = exact_zeros(affine, units, signs, lines[index].tolist())
            yield np.repeat(lines[index : index + 1], len(active), axis=0), active
        done += len(lines)


def ahead(function: Callable[[Subsets], Zeros], batches: Iterator[Subsets], workers: int) -> Iterator[tuple[Subsets, Zeros]]:
    """Each batch and what the function makes of it, in order; so many threads, if any, are a few batches ahead."""
    if not workers:
        yield from ((batch, function(batch)) for batch in batches)
        return
    with ThreadPoolExecutor(workers) as pool:
        waiting = deque((batch, pool.submit(function, batch)) for batch in itertools.islice(batches, workers + 1))
        while waiting:
            batch, result = waiting.popleft()
            yield batch, result.result()
            waiting.extend((batch, pool.submit(function, batch)) for batch in itertools.islice(batches, 1))


def elimination(rows: int, columns: int, bits: int) -> int:
    """The steps of eliminating in integers of so many bits, all minors of which Hadamard bounds."""
    rank = min(rows, columns)
    minor = rank * (bits + rank.bit_length())
    return products(rows * columns * rank, minor, minor)


def independent_inputs(forms: Sequence[Form]) -> list[Form]:
    """The forms on a largest set of inputs with independent columns, the others being 0: they take all their values there."""
    columns = independent_inputs_of(forms)
    return [(*(form[j] for j in columns), form[-1]) for form in forms]


def independent_inputs_of(forms: Sequence[Form], spend: Callable[[int], None] = lambda steps: None) -> list[int]:
    """A largest set of inputs with independent columns; spend: called with the steps (see `work`) before they are taken."""
    table, bits = [list(form[:-1]) for form in forms], max(abs(entry).bit_length() for h in forms for entry in h)
    rows, columns = len(table), len(table[0])
    spend(rows * columns * (1 + min(rows, columns) // 50 + bits // 1000))
    if nmod_mat(table, PRIME).rank() == columns:
        return list(range(columns))
    spend(elimination(rows, columns, bits))
    gradients, _, rank = fmpz_mat(table).rref()
    return [first_entry(gradients, row) for row in range(rank)]


def first_entry(matrix: fmpz_mat, row: int) -> int:
    """The column of the first entry ≠ 0 of a row."""
    return next(j for j in range(matrix.ncols()) if matrix[row, j] != 0)


def float_forms(affine: Form, units: Sequence[Form], signs: Sequence[int]) -> FloatForms:
    """The forms in floats. The inputs, and the unit of length, are scaled first, such that none is out of proportion."""
    columns = [sum(map(abs, column)).bit_length() for column in zip(affine, *units, strict=True)]
    shifts = [max(columns) - bits for bits in columns]
    rows = [tuple(entry << shift for entry, shift in zip(form, shifts, strict=True)) for form in (*units, affine)]
    bits = [sum(map(abs, row)).bit_length() for row in rows]
    common = max(bits)
    table = np.array([[e / (1 << b) for e in row] for row, b in zip(rows, [*bits[:-1], common], strict=True)])
    weights = np.ldexp(np.array(signs, dtype=np.float64), np.array(bits[:-1], dtype=np.int64) - common)
    return FloatForms(table[:, :-1], table[:, -1], weights, 1 + float(np.abs(weights).sum()), not any(affine[:-1]))


def certain_zeros(forms: FloatForms, subsets: Subsets) -> Zeros:
    """The zeros on the lines about which floats leave no doubt: line (zeros,), active (zeros, m), and certain (lines,).

    With B the gradients of I and one more row e, and b_I their constants, the line is p + t·q, q = B⁻¹ e_r, p = −B⁻¹ (b_I, 0).
    If some X has E = I − X B with |E| ≤ ε < 1/4 in the ∞-norm, then B⁻¹ = (I − E)⁻¹ X exists, and B⁻¹ y differs from X y by
    at most ε / (1 − ε) |X y|. Here |·| of a vector is its ∞-norm. The rows of the forms and e have a 1-norm ≤ 1, so |q| ≥ 1.
    A sum of products errs by at most γ_n = n U / (1 − n U) ≤ 1.01 n U of the sum of their absolute values, n operations
    deep and in whatever order. Every such term is taken twice or more, which covers the rounding of the bounds themselves, and
    underflow, which is far below U (1 + |p| + |t q|).
    """
    (lines, size), m, n = subsets.shape, len(forms.weights), len(forms.weights) - subsets.shape[1]
    with np.errstate(all="ignore"):  # lines with large numbers, where something could overflow, are not certain
        e = np.random.default_rng(2016).uniform(-1, 1, size + 1) / (size + 1)
        b = np.concatenate([forms.gradients[subsets], np.broadcast_to(e, (lines, 1, size + 1))], axis=1)
        x = inverses(b)
        residual, magnitude = np.abs(np.eye(size + 1) - x @ b).sum(axis=2), np.abs(x)
        slack = 2 * (size + 4) * U * (magnitude.sum(axis=2) + size + 1)  # B's own rounding included
        epsilon = (residual + slack).max(axis=1)
        q, ends = x[:, :, -1], forms.constants[subsets][:, :, None]
        p = -(x[:, :, :-1] @ ends)[:, :, 0]
        of_p = (magnitude[:, :, :-1] @ (np.abs(ends) + 1e-300))[:, :, 0].max(axis=1)
        norm_p, norm_q = np.abs(p).max(axis=1), np.abs(q).max(axis=1)

        # a_k = alpha + beta·t and l likewise, beyond their errors on x and by rounding; the latter with enough room for
        # all the sums below: |f(t) − its sum in floats| ≤ total·(of_alpha + |t|·of_beta), likewise for its slopes
        alpha, beta = p @ forms.gradients.T + forms.constants, q @ forms.gradients.T
        rounding = 8 * (m + size + 12) * U
        of_alpha = 2 * epsilon * norm_p + 4 * (size + 4) * U * of_p + rounding * (1 + norm_p)
        of_beta = (2 * epsilon + rounding) * norm_q

        # the breakpoints t = −alpha / beta, in order but for their errors; those of I are put last, and left out
        t = -alpha[:, :m] / beta[:, :m]
        np.put_along_axis(t, subsets, np.inf, axis=1)
        order = np.argsort(t, axis=1)[:, :n]
        each = np.arange(lines)[:, None]
        t, slope = t.take(each * m + order), beta.take(each * (m + 1) + order)
        # |alpha + beta·t| at the float t is at most h = of_alpha + |t|·of_beta, and |beta| in truth at least half of what it is
        of_t = 2 * (of_alpha[:, None] + np.abs(t) * of_beta[:, None]) / np.abs(slope)
        certain = (epsilon < 0.25) & (norm_p + norm_q < 1e100) & (np.abs(t) < 1e100).all(axis=1)
        certain &= (np.abs(slope) > 4 * of_beta[:, None]).all(axis=1)

        # f at the breakpoints: each unit that is passed adds |beta|·(t − its own) times its weight. The error is at most
        # total·h, and f's steepness, ≤ 1.5 total·|q|, times of_t: together 2.1 total·|q|·of_t, because 2 h = |beta|·of_t. (A
        # breakpoint counted on the wrong side of an equal float is within U |t| of it, which `rounding` covers.) So where the
        # sign is certain, |f| at the true breakpoint is more than 1.9 total·|q|·of_t, and f cannot change its sign between
        # two of them that are closer than both of_t together: those of different signs are truly in the order of the floats.
        # Hence breakpoints of equal signs follow each other, in whatever order, with no zero between them
        falling, bend = slope < 0, forms.weights[order] * np.abs(slope)
        moment = bend * t
        first_c, first_d = alpha[:, m] + (moment * falling).sum(axis=1), beta[:, m] - (bend * falling).sum(axis=1)
        last_d = first_d + bend.sum(axis=1)
        value = (first_c[:, None] - moment.cumsum(axis=1)) + (first_d[:, None] + bend.cumsum(axis=1)) * t
        certain &= (np.abs(value) > 4 * forms.total * norm_q[:, None] * of_t).all(axis=1)

        # far out: by the slope there, or f is l and constant
        far = []
        for d, silent in ((-first_d, ~falling.any(axis=1)), (last_d, falling.all(axis=1))):
            silent &= forms.flat
            far.append(np.where(silent, forms.constants[m], d))
            certain &= np.where(silent, forms.constants[m] != 0, np.abs(d) > 2 * forms.total * of_beta)

        sign = np.sign(np.column_stack([far[0], value, far[1]]))
        change = sign[:, 1:] != sign[:, :-1]

    line, gap = np.nonzero(change & certain[:, None])
    active = np.zeros((len(line), m), dtype=np.bool_)
    np.put_along_axis(active, order[line], falling[line] ^ (np.arange(n) < gap[:, None]), axis=1)
    return line, active, certain


def inverses(matrices: Floats) -> Floats:
    """Approximate inverses (count, r, r) of matrices (count, r, r); 0 for those that are singular in floats."""
    try:
        return np.asarray(np.linalg.inv(matrices), dtype=np.float64)
    except np.linalg.LinAlgError:
        if len(matrices) == 1:
            return np.zeros_like(matrices)
        return np.concatenate([inverses(half) for half in np.array_split(matrices, 2)])


def exact_zeros(affine: Form, units: Sequence[Form], signs: Sequence[int], subset: Sequence[int]) -> Bools:
    """The zeros on one line in integers, plainly: which units are active at each, (zeros, m); none where there is no line."""
    r, m = len(affine) - 1, len(units)
    solved, scale, rank = fmpz_mat(r - 1, r + 1, [entry for k in subset for entry in units[k]]).rref()
    pivots = [first_entry(solved, row) for row in range(rank)]
    if rank < r - 1 or r in pivots:  # dependent gradients
        return np.zeros((0, m), dtype=np.bool_)
    (free,) = set(range(r)) - set(pivots)
    start, step = [0] * r + [abs(int(scale))], [0] * (r + 1)  # |scale|·(x, 1) = start + t·step
    step[free] = abs(int(scale))
    for row, j in enumerate(pivots):
        turn = 1 if scale < 0 else -1
        start[j], step[j] = turn * int(solved[row, r]), turn * int(solved[row, free])

    def on_line(form: Form) -> tuple[int, int]:
        return sum(map(mul, form, start)), sum(map(mul, form, step))

    on = {k: on_line(a) for k, a in enumerate(units) if k not in subset}
    breakpoints = sorted((fmpq(-alpha, beta), k) for k, (alpha, beta) in on.items() if beta)
    active = {k for k, (alpha, beta) in on.items() if beta < 0 or (beta == 0 and alpha > 0)}  # far to the left
    c, d = on_line(affine)  # f = c + d·t from one breakpoint to the next
    c, d = c + sum(signs[k] * on[k][0] for k in active), d + sum(signs[k] * on[k][1] for k in active)
    found: list[Bools] = []
    for (left, passed), (right, _) in itertools.pairwise([(None, None), *breakpoints, (None, None)]):  # None: infinity
        if passed is not None:
            turn = -signs[passed] if passed in active else signs[passed]
            c, d = c + turn * on[passed][0], d + turn * on[passed][1]
            active ^= {passed}
        zero = fmpq(-c, d) if d else None
        if zero is None and c != 0:
            continue
        if zero is not None and ((left is not None and zero < left) or (right is not None and right < zero)):
            continue
        if zero in (None, left, right) or (0, 0) in on.values():
            raise NotSimple(f"where f = 0 and the units {list(subset)} vanish, one more unit vanishes, or f is 0 on a line")
        found.append(np.isin(np.arange(m), list(active)))
    return np.array(found, dtype=np.bool_).reshape(len(found), m)
