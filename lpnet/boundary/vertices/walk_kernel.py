"""The walk over the lines of the vertex engine, compiled: floating point with a bound on every error.

A tableau holds each unit as an affine function of the units of a prefix of I and the remaining coordinates; adding a unit to
the prefix is one Gauss–Jordan pivot, shared by all I with this prefix. A row holds what one coordinate contributes to every
unit, so that the loops over units run on contiguous memory. E_k bounds the error of every entry of unit k, M_k is the largest:
one pivot with quotient q on unit i turns E_k into E_k + |q| E_i + (M_i + E_i) δq + 4u (M_k + |q| M_i).
"""

import numpy as np

from lpnet.boundary.vertices.line_kernel import (
    CHOSEN,
    COLUMN,
    DOUBTFUL,
    ERROR,
    EXTRA_COLUMNS,
    EXTRA_ROWS,
    FAST,
    NO_ROOM,
    SAFE,
    SIZE,
    WEIGHT,
    U,
    inlined,
    lean,
    lowest_pieces,
    pivoted_error,
)
from lpnet.compiled import compiled

allocating = compiled(**FAST)


@allocating
def walk(table, error, weights, affine, convex, prefix, count_only):
    """All vertices on the lines of the subsets I that begin with `prefix` (in increasing order).

    table: (r + 1, m + 2), the units, the direction g and the affine part l, the constant last; error: (m + 2,);
    weights: s_k times the power of two by which row k was shrunk, (m,); affine: whether l has a gradient; convex: +1 or −1
    where f is convex or concave, else 0.
    Returns the patterns as bits, the first unit highest, (found, ⌈m / 64⌉) (none if count_only), their number, the doubtful
    subsets (each a row of r − 1 indices; −1 fills a prefix all of whose lines are in doubt), and a lower bound on g at the
    vertices.
    """
    m, r = len(weights), len(table) - 1
    last_level = max(r - 2, 0)  # where what is left is a plane
    tables = np.empty((last_level + 1, r + EXTRA_ROWS, m + EXTRA_COLUMNS))
    tables[0, : r + 1, : m + 2], tables[0, ERROR, : m + 2], tables[0, WEIGHT, :m] = table, error, weights
    for k in range(m + 2):
        tables[0, SIZE, k] = np.abs(table[:, k]).max()
    add_up(tables[0])
    at = np.empty((4, max(m, r)), dtype=np.int64)
    at[CHOSEN], at[COLUMN, :r] = -1, np.arange(r)
    patterns = np.empty((0 if count_only else 1024, (m + 63) // 64), dtype=np.uint64)
    doubtful = np.empty((16, max(r - 1, 1)), dtype=np.int64)
    found, doubts, lowest = np.int64(0), np.int64(0), np.inf
    plane, chosen = tables[last_level], at[CHOSEN]
    level, depth = np.int64(0), len(prefix)
    while True:
        unit = prefix[level] if level < depth else chosen[level] + 1
        if r > 1 and unit > m - (r - 1 - level):
            level -= 1
            if level < depth:
                break
            continue
        chosen[level] = unit
        if level < last_level and pivot(tables, at, level):
            level += 1
            chosen[level] = unit
            continue
        state, number, low = DOUBTFUL, 0, np.inf
        if level == last_level:
            if r > 1:
                plane[WEIGHT, unit] = 0.0
            state = NO_ROOM
        while state == NO_ROOM:
            state, number, low = lowest_pieces(plane, at, weights, affine, convex, patterns, found, count_only)
            if state == NO_ROOM:
                patterns = larger_copy(patterns, found)
        if r > 1:
            plane[WEIGHT, unit] = weights[unit]
        if state == DOUBTFUL:
            doubtful, doubts = noted(doubtful, doubts, chosen, level + 1)
        else:
            found += number
            lowest = min(lowest, low)
        if r == 1 or level < depth:
            break
    return patterns[: 0 if count_only else found], found, doubtful[:doubts], lowest


@allocating
def noted(doubtful, doubts, chosen, length):
    """The list of doubtful subsets, longer by one."""
    if doubts == len(doubtful):
        doubtful = larger_copy(doubtful, doubts)
    for j in range(doubtful.shape[1]):
        doubtful[doubts, j] = chosen[j] if j < length else -1
    return doubtful, doubts + 1


@allocating
def larger_copy(rows, used):
    """The rows in an array with room for twice as many."""
    larger = np.empty((2 * len(rows), rows.shape[1]), dtype=rows.dtype)
    larger[:used] = rows[:used]
    return larger


@inlined
def pivot(tables, at, level):
    """The next tableau: unit CHOSEN[level] instead of the best free coordinate, which takes its place in COLUMN[level].

    False where the pivot may be 0.
    """
    old, new = tables[level], tables[level + 1]
    r, m, unit = len(old) - EXTRA_ROWS, old.shape[1] - EXTRA_COLUMNS, at[CHOSEN, level]
    columns = at[COLUMN]
    for j in range(level + 1, r):
        if abs(old[columns[j], unit]) > abs(old[columns[level], unit]):
            columns[level], columns[j] = columns[j], columns[level]
    column, of_pivot, largest = columns[level], old[ERROR, unit], old[SIZE, unit]
    p = old[column, unit]
    if not abs(p) > 4 * of_pivot:
        return False
    quotients, errors, sizes, inverse = new[column], new[ERROR], new[SIZE], 1 / p
    for k in range(m + 2):
        q = old[column, k] * inverse
        quotients[k], sizes[k] = q, abs(q)
        errors[k] = pivoted_error(old[ERROR, k], old[SIZE, k], q, inverse, of_pivot, largest)
    for j in range(r + 1):
        if j != column:
            source, target, entry = old[j], new[j], old[j, unit]
            for k in range(m + 2):
                target[k] = source[k] - quotients[k] * entry
                sizes[k] = max(sizes[k], abs(target[k]))
    for k in range(m):
        new[WEIGHT, k] = old[WEIGHT, k]
    new[WEIGHT, unit] = 0.0
    add_up(new)
    return True


@lean
def add_up(table):
    """Bounds on the error and the size of any entry of a sum l + Σ s_k a_k over some units, in the last column."""
    m = table.shape[1] - EXTRA_COLUMNS
    sizes, errors, weights = table[SIZE], table[ERROR], table[WEIGHT]
    error, size = errors[m + 1], sizes[m + 1]
    for k in range(m):
        error += abs(weights[k]) * errors[k]
        size += abs(weights[k]) * sizes[k]
    errors[m + 2], sizes[m + 2] = SAFE * (error + 4 * (m + 4) * U * size), SAFE * size
