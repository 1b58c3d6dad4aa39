"""The walk over the lines of the vertex engine, compiled: floating point with a bound on every error.

A tableau holds each unit as an affine function of the units of a prefix of I and the remaining coordinates; adding a unit to
the prefix is one Gauss–Jordan pivot, shared by all I with this prefix. `error[k]` bounds the error of every entry of row k:
one pivot with quotient q on row i turns it into E_k + |q| E_i + (M_i + E_i) δq + 4u (R_k + |q| M_i), R and M the largest
entries of rows k and i.
"""

import numpy as np

from lpnet.boundary.vertices.line_kernel import DELTA, DOUBTFUL, NO_ROOM, WORKSPACE, Q, best_column, compiled, line, quotients


@compiled
def walk(table, error, weights, affine, convex, prefix, count_only):
    """All vertices on the lines of the subsets I that begin with `prefix` (in increasing order).

    table: (r + 1, m + 2), the units, the direction g and the affine part l, the constant last; error: (m + 2,);
    weights: s_k times the power of two by which row k was shrunk, (m,); affine: whether l has a gradient; convex: +1 or −1
    where f is convex or concave, else 0.
    Returns the patterns as bits, the first unit highest, (found, ⌈m / 64⌉) (none if count_only), their number, the doubtful
    subsets (each a row of r − 1 indices; −1 fills a prefix all of whose lines are in doubt), and a lower bound on g at the
    vertices.
    """
    m, width = len(weights), len(table)
    r = width - 1
    tables, errors, sizes = np.empty((r, width, m + 2)), np.empty((r, m + 2)), np.empty((r, m + 2))
    for k in range(m + 2):
        errors[0, k] = error[k]
        for j in range(width):
            tables[0, j, k] = table[j, k]
    largest_entries(tables, sizes, 0)
    free = np.ones(r, dtype=np.bool_)
    columns = np.zeros(r, dtype=np.int64)
    chosen = np.zeros(r, dtype=np.int64)
    chosen[0] = -1
    v = np.empty((WORKSPACE, m + 2))
    order = np.empty(m, dtype=np.int64)
    choice = np.zeros((r, 2), dtype=np.bool_)
    patterns = np.empty((0 if count_only else 64, (m + 63) // 64), dtype=np.uint64)
    doubtful = np.empty((16, max(r - 1, 1)), dtype=np.int64)
    found, doubts, lowest = np.int64(0), np.int64(0), np.inf
    level, depth = np.int64(0), len(prefix)
    while True:
        if level < depth:
            chosen[level] = prefix[level]
        else:
            chosen[level] += 1
        row = chosen[level] if r > 1 else 0
        if r > 1 and row > m - (r - 1 - level):
            level -= 1
            if level < depth:
                break
            free[columns[level]] = True
            continue
        if level >= r - 2:
            state = NO_ROOM
            while state == NO_ROOM:
                state, number, low = line(
                    tables, errors, sizes, level, weights, affine, convex, chosen, columns, free, v, order, choice, patterns,
                    found, count_only,
                )  # fmt: skip
                if state == NO_ROOM:
                    patterns = larger_copy(patterns, found)
            if state == DOUBTFUL:
                doubtful, doubts = noted(doubtful, doubts, chosen, r - 1)
            else:
                found += number
                lowest = min(lowest, low)
            if r == 1 or level < depth:
                break
            continue
        column = best_column(tables, level, row, free)
        if not quotients(tables, errors, sizes, level, row, column, v):
            doubtful, doubts = noted(doubtful, doubts, chosen, level + 1)
            if level < depth:
                break
            continue
        pivot(tables, errors, level, row, column, v)
        largest_entries(tables, sizes, level + 1)
        free[column] = False
        columns[level] = column
        level += 1
        chosen[level] = row
    return patterns[: 0 if count_only else found], found, doubtful[:doubts], lowest


@compiled
def noted(doubtful, doubts, chosen, length):
    """The list of doubtful subsets, longer by one."""
    if doubts == len(doubtful):
        doubtful = larger_copy(doubtful, doubts)
    for j in range(doubtful.shape[1]):
        doubtful[doubts, j] = chosen[j] if j < length else -1
    return doubtful, doubts + 1


@compiled
def larger_copy(rows, used):
    """The rows in an array with room for twice as many."""
    larger = np.empty((2 * len(rows), rows.shape[1]), dtype=rows.dtype)
    for i in range(used):
        for j in range(rows.shape[1]):
            larger[i, j] = rows[i, j]
    return larger


@compiled
def largest_entries(tables, sizes, level):
    """sizes[level, k] = max_j |tables[level, j, k]|."""
    for k in range(sizes.shape[1]):
        sizes[level, k] = abs(tables[level, 0, k])
    for j in range(1, tables.shape[1]):
        for k in range(sizes.shape[1]):
            sizes[level, k] = max(sizes[level, k], abs(tables[level, j, k]))


@compiled
def pivot(tables, errors, level, row, column, v):
    """The next level's table and errors: coordinate `column` replaced by the unit of `row`, with the quotients Q."""
    for j in range(tables.shape[1]):
        entry = tables[level, j, row]
        for k in range(v.shape[1]):
            tables[level + 1, j, k] = tables[level, j, k] - v[Q, k] * entry
    for k in range(v.shape[1]):
        tables[level + 1, column, k] = v[Q, k]
        errors[level + 1, k] = v[DELTA, k]
