"""The vertex engine: no linear program, work in proportion to the number of vertices of the boundary.

Let f = l + Σ s_k R(a_k) be a normal form on R^r, r = rank [U; ∇l], in general position. Every boundary piece is a pointed
polyhedron in its hyperplane, so it has vertices: points where r − 1 of the a_k vanish, and f too. On the line where the
units I, |I| = r − 1, vanish, f is piecewise linear; its zeros are all the vertices, and around each the 2^(r−1) patterns
(I free, the others as they are signed there) are pieces. For a generic direction g, the pieces bounded below in g have one
lowest vertex, and are reported there only: with x* the vertex and ∇f = Σ F_i a_i + D t in the coordinates (a_i, i ∈ I; t) of
the line, G likewise for g, unit i may be active iff G_i − (F_i + s_i) G_t / D > 0 and inactive iff G_i − F_i G_t / D < 0.
If f is convex, g = −(∇l + Σ λ_k u_k) with 0 < λ_k < 1 grows along every direction y in which {f ≤ 0} is unbounded, because
∇l·y + Σ λ_k u_k·y < ∇l·y + Σ R(u_k·y) ≤ 0: every piece is bounded below; likewise, with the sign turned, if f is concave.
Otherwise the pieces unbounded below are those that meet the hyperplane g·x = −M, M so large that it lies below every vertex:
the same question in r − 1 dimensions.

Every sign is decided beyond its error bound, or in rationals. A tie that matters means that the arrangement is
not simple there: NotApplicable.
"""

import itertools
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from math import comb
from operator import mul
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lpnet.boundary.pieces import NotApplicable, Pieces
from lpnet.boundary.vertices.exact_lines import Patterns, bits, exact_line
from lpnet.exact import ABSENT, FloatArray, Form, balance, independent_inputs, leading, primitive, sign, times, to_floats
from lpnet.networks import ExactForm, Polyhedron
from lpnet.watch import Watch, in_parallel

Words = NDArray[np.uint64]
Spread = Callable[[Callable[[Any], Any], Iterable[Any]], Iterator[Any]]  # a map whose results come in order
SEED = 20160619  # the direction g must not come from the same stream as anybody's weights
DIRECTION_BITS = 16
FEW_LINES, MANY_LINES = 2_000, 20_000  # below: one call of the kernel; above: threads pay
AT_ONCE = 2_000_000  # at most so many lines, times the units, between two looks of the watch: some tenths of a second
WIDEST = 900  # bits; beyond, the small would be lost below the smallest floats


def vertices(
    form: ExactForm,
    domain: Polyhedron,
    watch: Watch,
    store: bool = True,
    workers: int | None = None,
    spread: Spread | None = None,
) -> Pieces:
    """The pieces of a normal form on all of R^d; with store=False they are only counted.

    workers: threads (default: all cores for many lines); spread: others to compute, as `cluster.on_cluster`; neither changes
    the answer.
    Raises NotApplicable where the boundary meets the arrangement in a degenerate way, and for a domain that is a part of R^d.
    """
    if domain.inequalities():
        raise NotApplicable("the domain is not all of R^d")
    reduced, m = on_independent_inputs(form), len(form.units)
    found, count = [np.zeros((0, -(-m // 64)), dtype=np.uint64)], 0  # a bit a unit until all are found
    random = np.random.default_rng(SEED)
    one_sided = form.convex or form.concave
    rounds = [comb(m, r - 1) for r in range(reduced.inputs, 0, -1)][: 1 if one_sided else None]
    parts = itertools.starmap(watch.part, itertools.pairwise(done / sum(rounds) for done in itertools.accumulate([0, *rounds])))
    if reduced.inputs and not spread:
        compile_kernels(watch)
    while reduced.inputs and watch.stopped is None:
        reduced = in_balance(reduced)
        direction = uphill(reduced, random) if one_sided else away_from_silence(reduced, random)
        lines = comb(m, reduced.inputs - 1)
        reaches, part = [], next(parts)
        for patterns, number, reach in on_all_lines(reduced, direction, part, store, spread or threads(workers, lines), count):
            if store:
                found.append(patterns)
            count += number
            reaches += [reach] if reach is not None else []
        if one_sided or reduced.inputs == 1 or not reaches:  # no vertex, no piece
            break
        reduced = far_down(reduced, direction, max(reaches))
    complete = watch.stopped is None
    return Pieces(in_order(np.concatenate(found), m), None, 0, complete, count, position="general")


def compile_kernels(watch: Watch) -> None:
    """Have the kernels compiled, if they are not, until the watch says stop."""
    from lpnet.boundary.vertices.order_kernel import sort_words, unpack
    from lpnet.boundary.vertices.walk_kernel import walk
    from lpnet.compiled import ready

    if all(kernel.overloads for kernel in (walk, sort_words, unpack)):  # each is called with one type of arguments only
        return
    floats, prefix, words = np.empty((2, 3)), np.empty(0, dtype=np.int64), np.empty((0, 1), dtype=np.uint64)
    ready(
        lambda: watch(0.0, 0),
        (walk, floats, floats[0], floats[0], True, 1, prefix, True),
        (sort_words, words, words, 1),
        (unpack, words, np.empty((0, 1), dtype=np.bool_)),
    )


def in_order(words: Words, units: int) -> Patterns:
    """The patterns with these bits, in lexicographic order; (pieces, ⌈units / 64⌉) → (pieces, units)."""
    patterns = np.empty((len(words), units), dtype=np.bool_)
    if not len(words):
        return patterns
    from lpnet.boundary.vertices.order_kernel import sort_words, unpack

    unpack(sort_words(words.copy(), np.empty_like(words), units), patterns)
    return patterns


def as_words(patterns: Patterns) -> Words:
    """The patterns as bits, the first unit highest; (pieces, units) → (pieces, ⌈units / 64⌉)."""
    packed = np.packbits(patterns, axis=1)
    octets = np.pad(packed, ((0, 0), (0, -packed.shape[1] % 8)))
    return np.ascontiguousarray(octets).view(">u8").astype(np.uint64)


def on_independent_inputs(form: ExactForm) -> ExactForm:
    """The form on r = rank [U; ∇l] of its inputs, the others being 0: f is constant along what is left out."""
    columns = independent_inputs([*form.units, form.affine])
    if len(columns) == form.inputs:
        return form

    def cut(a: Form) -> Form:
        return (*(a[j] for j in columns), a[-1])

    return form.each(cut)


def in_balance(form: ExactForm) -> ExactForm:
    """The form in inputs scaled by powers of two such that none is out of proportion."""
    powers = balance([*form.units, form.affine])
    if not any(powers):
        return form
    least = min(powers)

    def scaled(a: Form) -> Form:
        return tuple(entry << power - least for entry, power in zip(a, powers, strict=True))

    return form.each(scaled)


def away_from_silence(form: ExactForm, random: np.random.Generator) -> Form:
    """A direction near −Σ λ_k u_k / |u_k|, λ_k > 0 random, with short entries.

    Any generic direction would do. This one grows along the cone on which every unit is inactive, so that the hyperplanes far
    down do not meet that cone: there f stays w0 however far one goes, and its size would be lost among the others'.
    """
    rows = np.array([to_floats(a[:-1], -max(1, *map(abs, a[:-1])).bit_length()) for a in form.units])
    shares = random.uniform(0.5, 1, len(rows)) / np.maximum(np.linalg.norm(rows, axis=1), 2.0**-60)
    g = -shares @ rows + random.uniform(-1, 1, form.inputs) / 64
    return tuple(int(e) or 1 for e in np.round(g / np.abs(g).max() * 2**DIRECTION_BITS))


def uphill(form: ExactForm, random: np.random.Generator) -> Form:
    """∓(∇l + Σ λ_k s_k u_k), 0 < λ_k < 1, for a convex or concave f: bounded below on the convex one of {f ≤ 0} and {f ≥ 0}."""
    shares = random.integers(1, 1 << DIRECTION_BITS, len(form.units))
    total = list(times(1 << DIRECTION_BITS, form.affine))
    factors = list(map(mul, shares.tolist(), form.signs))
    for j, column in enumerate(zip(*form.units, strict=True)):
        total[j] += sum(map(mul, factors, column))
    return primitive(times(-1 if form.convex else 1, tuple(total[:-1])))


def far_down(form: ExactForm, direction: Sequence[int], reach: int) -> ExactForm:
    """The form on the hyperplane g·x = −M, M a power of two, at least 2^reach; the input on which g depends most is replaced.

    Replacing another would leave all units nearly parallel, and most lines in doubt.
    """
    _, lengths = leading([*form.units, form.affine])
    power = max(reach, length_scale(lengths[:-1], lengths[-1])) + 1
    steepest = max(range(form.inputs), key=lambda j: abs(direction[j]))
    others = (*direction[:steepest], *direction[steepest + 1 :])
    size, turn = abs(direction[steepest]), sign(direction[steepest])

    def restrict(a: Form) -> Form:
        *u, b = a
        if power >= 0:
            u = [entry << power for entry in u]
        else:
            b <<= -power
        moved = turn * u.pop(steepest)  # x_j = −(1 + Σ g_i x_i) / g_j in units of 2^power
        return (*(v * size - moved * g for v, g in zip(u, others, strict=True)), b * size - moved)

    return form.each(restrict)


def on_all_lines(
    form: ExactForm, direction: Sequence[int], watch: Watch, store: bool, spread: Spread, before: int
) -> Iterator[tuple[Words, int, int | None]]:
    """The pieces lowest at their vertex, in batches: (patterns, number, some e with g > −2^e at the vertices if any)."""
    table, error, weights, scale = float_table(form, direction)
    m, size = len(form.units), form.inputs - 1
    affine, convex = any(form.affine[:-1]), int(form.convex) - int(form.concave)
    lines, done, found = comb(m, size), 0, before
    at_once = min(AT_ONCE // max(m, 1), lines // 64 + FEW_LINES)
    length = next(k for k in range(size + 1) if k >= size - 1 or comb(m - k, size - k) <= at_once)
    prefixes = itertools.combinations(range(m), length)

    for prefix, (patterns, number, doubtful, low) in spread(
        partial(walk_from, table, error, weights, affine, convex, not store), prefixes
    ):
        done += comb(m - 1 - prefix[-1], size - len(prefix)) if prefix else lines
        found += number
        yield patterns, number, (bits(low) + scale if np.isfinite(low) else None)
        for subset in completed(doubtful, m, size):
            patterns, reach = exact_line(form, direction, subset)
            found += len(patterns)
            yield as_words(patterns), len(patterns), reach
            if not watch((done - 1) / lines, found):
                return
        if not watch(done / lines if lines else 1.0, found):
            return


def walk_from(
    table: FloatArray,
    error: FloatArray,
    weights: FloatArray,
    affine: bool,
    convex: int,
    count_only: bool,
    prefix: Sequence[int],
) -> Any:
    """The prefix, and what `walk_kernel.walk` finds on the lines of the subsets that begin with it."""
    from lpnet.boundary.vertices.walk_kernel import walk

    return prefix, walk(table, error, weights, affine, convex, np.array(prefix, dtype=np.int64), count_only)


def threads(workers: int | None, lines: int) -> Spread:
    """`in_parallel` on so many threads; by default, on all cores for many lines."""
    return partial(in_parallel, workers=workers or (os.cpu_count() or 1 if lines > MANY_LINES else 1))


def float_table(form: ExactForm, direction: Sequence[int]) -> tuple[FloatArray, FloatArray, FloatArray, int]:
    """The rows a_k, g, l in floats with a bound on their errors, each row and the unit of x scaled by powers of two.

    Returns table (r + 1, m + 2), error (m + 2,), weights (m,) and e: g of the table is 2^−e times g.
    """
    mantissa, exponent = leading([*form.units, (*direction, 0), form.affine])
    exponent[:, :-1] += length_scale(exponent[:-2], exponent[-1])
    size = exponent.max(axis=1)
    own, common = size[:-2], size[:-2].max(initial=size[-1])
    if common - own.min(initial=common) > WIDEST:
        raise NotApplicable(f"the units differ in size by more than 2^{WIDEST}")
    size[-1] = common
    table = np.ldexp(mantissa, exponent - size[:, None])
    error = 2.0**-52 * np.abs(table).max(axis=1) + 1e-300
    weights = np.ldexp(np.array(form.signs, dtype=np.float64), own - common)
    return np.ascontiguousarray(table.T), error, weights, int(size[-2])


def length_scale(units: NDArray[np.intp], affine: NDArray[np.intp]) -> int:
    """The power of two nearest to the middle one of the distances |b_k| / |u_k|, or to |w0| / |u| where all of those are 0.

    By the lengths of the entries of all a_k and of l.
    """
    gradients, constants, constant = units[:, :-1].max(axis=1).tolist(), units[:, -1].tolist(), int(affine[-1])
    away = sorted(b - u for b, u in zip(constants, gradients, strict=True) if min(b, u) > ABSENT)
    if not away and constant > ABSENT:
        away = sorted(constant - u for u in gradients if u > ABSENT)
    return away[len(away) // 2] if away else 0


def completed(doubtful: NDArray[np.int64], m: int, size: int) -> Iterator[tuple[int, ...]]:
    """The subsets of `size` units that begin with the given ones (−1: left open)."""
    for row in doubtful:
        prefix = tuple(int(i) for i in row[:size] if i >= 0)
        start = prefix[-1] + 1 if prefix else 0
        yield from (prefix + rest for rest in itertools.combinations(range(start, m), size - len(prefix)))
