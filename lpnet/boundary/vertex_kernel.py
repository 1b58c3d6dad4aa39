"""The inner loop of the vertex engine, compiled: floating point with a bound on every error, so that no sign is guessed.

Along the line where the units I = (i_1, …, i_{r−1}) vanish, every other unit is α_k + β_k t and f is piecewise linear. A
tableau holds each unit as an affine function of the units of a prefix of I and the remaining coordinates; adding a unit to
the prefix is one Gauss–Jordan pivot. `error[k]` bounds the error of every entry of row k, whatever happened before:
one pivot with quotient q on row i turns it into E_k + |q| E_i + (M_i + E_i) δq + 4u (R_k + |q| M_i), R and M the largest
entries of rows k and i. A line whose every decisive sign is not larger than its bound is reported and left to integers.
"""

import numba
import numpy as np

U = 2.0**-53
SAFE = 1.0 + 1e-9  # covers the rounding of the bounds themselves
DONE, DOUBTFUL = 0, 1

compiled = numba.njit(cache=True, nogil=True, error_model="numpy")


@compiled
def pivot(source, source_error, row, column, target, target_error):
    """target = source with coordinate `column` replaced by the unit of `row`; False where the pivot may be 0."""
    rows, width = source.shape
    p, error = source[row, column], source_error[row]
    if not abs(p) > 4 * error:
        return False
    largest = 0.0
    for j in range(width):
        largest = max(largest, abs(source[row, j]))
    for k in range(rows):
        q = source[k, column] / p
        size = 0.0
        for j in range(width):
            size = max(size, abs(source[k, j]))
            target[k, j] = source[k, j] - q * source[row, j]
        target[k, column] = q
        both = source_error[k] + abs(q) * error
        of_q = (1.34 * both / abs(p) + 2 * U * abs(q)) * SAFE
        target_error[k] = max(of_q, both + (largest + error) * of_q + 4 * U * (size + abs(q) * largest)) * SAFE
    return True


@compiled
def best_column(table, row, free):
    """The free coordinate with the largest coefficient in a row."""
    best = -1
    for j in range(len(free)):
        if free[j] and (best < 0 or abs(table[row, j]) > abs(table[row, best])):
            best = j
    return best


@compiled
def walk(table, error, weights, affine, prefix, count_only):
    """All vertices on the lines of the subsets I that begin with `prefix` (in increasing order).

    table: (m + 2, r + 1), the units, the direction g and the affine part l, the constant last; error: (m + 2,);
    weights: s_k times the power of two by which row k was shrunk, (m,); affine: whether l has a gradient.
    Returns the patterns (found, m) as Booleans (none if count_only), their number, the doubtful subsets
    (each a row of r − 1 indices; −1 fills a prefix all of whose lines are in doubt), and the least g at a vertex.
    """
    m, width = len(weights), table.shape[1]
    r = width - 1
    depth = len(prefix)
    tables = np.empty((r + 1, m + 2, width))
    errors = np.empty((r + 1, m + 2))
    tables[0], errors[0] = table, error
    free = np.ones(r, dtype=np.bool_)
    columns = np.full(r, -1, dtype=np.int64)
    chosen = np.full(r, -1, dtype=np.int64)

    patterns = np.empty((0 if count_only else 64, m), dtype=np.bool_)
    found = 0
    doubtful = np.full((16, max(r - 1, 1)), -1, dtype=np.int64)
    doubts = 0
    lowest = np.inf
    scratch = np.empty((10, m + 2))
    order = np.empty(m, dtype=np.int64)
    active = np.empty(m, dtype=np.bool_)
    choice = np.zeros((r, 2), dtype=np.bool_)

    for level in range(depth):
        chosen[level] = prefix[level]
        column = best_column(tables[level], prefix[level], free)
        if not pivot(tables[level], errors[level], prefix[level], column, tables[level + 1], errors[level + 1]):
            doubtful[0, : level + 1] = chosen[: level + 1]
            return patterns[:0], 0, doubtful[:1], lowest
        free[column] = False
        columns[level] = column

    level = depth
    if r - 1 > depth:
        chosen[level] = prefix[depth - 1] if depth else -1
    while level >= depth:
        if level == r - 1:
            state, number, low = line(
                tables[level], errors[level], weights, affine, chosen[: r - 1], columns[: r - 1], free, scratch, order,
                active, choice, patterns, found, count_only,
            )  # fmt: skip
            while state == -1:  # no room
                larger = np.empty((2 * len(patterns), m), dtype=np.bool_)
                larger[:found] = patterns[:found]
                patterns = larger
                state, number, low = line(
                    tables[level], errors[level], weights, affine, chosen[: r - 1], columns[: r - 1], free, scratch, order,
                    active, choice, patterns, found, count_only,
                )  # fmt: skip
            if state == DOUBTFUL:
                doubtful, doubts = noted(doubtful, doubts, chosen, r - 1)
            else:
                found += number
                lowest = min(lowest, low)
            level -= 1
            if level >= depth:
                free[columns[level]] = True
            continue
        chosen[level] += 1
        if chosen[level] > m - (r - 1 - level):
            level -= 1
            if level >= depth:
                free[columns[level]] = True
            continue
        row = chosen[level]
        column = best_column(tables[level], row, free)
        if not pivot(tables[level], errors[level], row, column, tables[level + 1], errors[level + 1]):
            doubtful, doubts = noted(doubtful, doubts, chosen, level + 1)
            continue
        free[column] = False
        columns[level] = column
        level += 1
        if level < r - 1:
            chosen[level] = row
    return patterns[: 0 if count_only else found], found, doubtful[:doubts], lowest


@compiled
def noted(doubtful, doubts, chosen, length):
    """The list of doubtful subsets, longer by one."""
    if doubts == len(doubtful):
        larger = np.full((2 * doubts, doubtful.shape[1]), -1, dtype=np.int64)
        larger[:doubts] = doubtful
        doubtful = larger
    doubtful[doubts, :length] = chosen[:length]
    return doubtful, doubts + 1


@compiled
def line(
    table, error, weights, affine, subset, columns, free, scratch, order, active, choice, patterns, found, count_only
):  # fmt: skip
    """The vertices on one line: (state, number of pieces, least g); state −1 where `patterns` has no room for them.

    The tableau is down to one coordinate t. f is signed at every breakpoint −α_k/β_k and at both ends of the line; its zeros
    lie between neighbours of different sign, which must be apart beyond doubt.
    """
    m = len(weights)
    t_column = best_column(table, 0, free)
    constant = table.shape[1] - 1
    t, dt, c, d, f = scratch[0], scratch[1], scratch[2], scratch[3], scratch[4]
    ahead, behind = scratch[5], scratch[6]
    count = 0
    alpha_sum, beta_sum, error_sum = abs(table[m + 1, constant]), abs(table[m + 1, t_column]), error[m + 1]
    for k in range(m):
        if in_subset(k, subset):
            continue
        alpha, beta, e = table[k, constant], table[k, t_column], error[k]
        if not abs(beta) > 2 * e:
            return DOUBTFUL, 0, np.inf
        at = -alpha / beta
        t[count] = at
        dt[count] = (2 * e * (1 + abs(at)) / abs(beta) + 2 * U * abs(at)) * SAFE
        order[count] = k
        count += 1
        weight = abs(weights[k])
        alpha_sum += weight * abs(alpha)
        beta_sum += weight * abs(beta)
        error_sum += weight * e
    sort_together(t, dt, order, count)
    rounding = 4 * (m + 4) * U
    error_c = (error_sum + rounding * alpha_sum) * SAFE
    error_d = (error_sum + rounding * beta_sum) * SAFE

    level_c, level_d, working = table[m + 1, constant], table[m + 1, t_column] if affine else 0.0, 0
    for index in range(count):
        k = order[index]
        if table[k, t_column] < 0:
            level_c += weights[k] * table[k, constant]
            level_d += weights[k] * table[k, t_column]
            working += 1
    before = end_sign(level_d, error_d, working, affine, table[m + 1, constant], -1.0)
    if before == 0:
        return DOUBTFUL, 0, np.inf
    c[0], d[0] = level_c, level_d
    for index in range(count):
        k = order[index]
        f[index] = level_c + level_d * t[index]
        bound = (
            error_c
            + abs(t[index]) * error_d
            + (beta_sum + error_sum) * dt[index]
            + 4 * U * (abs(level_c) + abs(level_d * t[index]))
        )
        if not abs(f[index]) > bound * SAFE:
            return DOUBTFUL, 0, np.inf
        toggle = weights[k] if table[k, t_column] > 0 else -weights[k]
        working += 1 if table[k, t_column] > 0 else -1
        level_c += toggle * table[k, constant]
        level_d += toggle * table[k, t_column]
        c[index + 1], d[index + 1] = level_c, level_d
    after = end_sign(level_d, error_d, working, affine, table[m + 1, constant], 1.0)
    if after == 0:
        return DOUBTFUL, 0, np.inf

    changes = 0
    for index in range(count + 1):
        left = before if index == 0 else np.sign(f[index - 1])
        right = after if index == count else np.sign(f[index])
        changes += left != right
    if changes == 0:
        return DONE, 0, np.inf
    far = -np.inf
    for index in range(count):
        far = max(far, t[index] + dt[index])
        ahead[index] = far
    far = np.inf
    for index in range(count - 1, -1, -1):
        far = min(far, t[index] - dt[index])
        behind[index] = far

    total, lowest = 0, np.inf
    for index in range(count + 1):
        left = before if index == 0 else np.sign(f[index - 1])
        right = after if index == count else np.sign(f[index])
        if left == right:
            continue
        if 0 < index < count and not ahead[index - 1] < behind[index]:
            return DOUBTFUL, 0, np.inf
        state, number, low = vertex(
            table, error, weights, affine, subset, columns, t_column, c[index], d[index], error_c, error_d, order, index, count,
            active, choice, patterns, found + total, count_only,
        )  # fmt: skip
        if state != DONE:
            return state, 0, np.inf
        total += number
        lowest = min(lowest, low)
    return DONE, total, lowest


@compiled
def in_subset(k, subset):
    """Whether k is one of a few indices."""
    for i in subset:  # noqa: SIM110
        if i == k:
            return True
    return False


@compiled
def sort_together(t, dt, order, count):
    """Sort by t; insertion into a binary tree of runs would cost more for so few."""
    indices = np.argsort(t[:count])
    t[:count], dt[:count], order[:count] = t[:count][indices], dt[:count][indices], order[:count][indices]


@compiled
def end_sign(d, error_d, working, affine, constant, side):
    """The sign of f far out on one side of the line, its slope there being d; 0 for doubt."""
    if working == 0 and not affine:
        return np.sign(constant)
    if not abs(d) > error_d:
        return 0.0
    return side * np.sign(d)


@compiled
def vertex(
    table, error, weights, affine, subset, columns, t_column, c, d, error_c, error_d, order, index, count, active, choice,
    patterns, start, count_only,
):  # fmt: skip
    """The pieces whose least g is at the zero of c + d·t beyond `index` breakpoints: (state, number, g)."""
    m, r = len(weights), table.shape[1] - 1
    constant = r
    if not abs(d) > 2 * error_d:
        return DOUBTFUL, 0, np.inf
    at = -c / d
    of_t = (2 * (error_c + abs(at) * error_d) / abs(d) + 2 * U * abs(at)) * SAFE
    of_sum, size = error[m + 1], 0.0
    for k in range(m):
        active[k] = False
    for position in range(count):
        k = order[position]
        alpha, beta, e = table[k, constant], table[k, t_column], error[k]
        height = alpha + beta * at
        bound = e * (1 + abs(at) + of_t) + abs(beta) * of_t + 4 * U * (abs(alpha) + abs(beta * at))
        if not abs(height) > bound * SAFE:
            return DOUBTFUL, 0, np.inf
        if (height > 0) != ((beta > 0) == (position < index)):
            return DOUBTFUL, 0, np.inf
        active[k] = height > 0
        of_sum += abs(weights[k]) * e
    # w_j = G_j − (G_t / D) (F_j [+ s_j]) decides whether g grows as unit j leaves 0 along the piece
    slope = table[m, t_column] / d
    of_g = error[m]
    of_slope = 2 * (of_g + abs(slope) * error_d) / abs(d) + 2 * U * abs(slope)
    number = 1
    for j in range(r - 1):
        column = columns[j]
        f = table[m + 1, column]
        size = abs(f)
        for k in range(m):
            if active[k]:
                f += weights[k] * table[k, column]
                size += abs(weights[k] * table[k, column])
        of_f = of_sum + 4 * (m + 4) * U * size
        for on in range(2):
            shifted = f + weights[subset[j]] * on
            w = table[m, column] - slope * shifted
            bound = of_g + abs(slope) * of_f + (abs(shifted) + of_f) * of_slope
            bound += 8 * U * (abs(table[m, column]) + abs(slope * shifted) + abs(slope))
            if not abs(w) > bound * SAFE:
                return DOUBTFUL, 0, np.inf
            choice[j, on] = (w > 0) == (on == 1)
        number *= int(choice[j, 0]) + int(choice[j, 1])
    low = table[m, constant] + table[m, t_column] * at
    low -= 2 * (of_g * (1 + abs(at)) + abs(table[m, t_column]) * of_t + 4 * U * (abs(low) + abs(table[m, constant])))
    if number == 0 or count_only:
        return DONE, number, low
    if start + number > len(patterns):
        return -1, 0, np.inf
    for position in range(number):
        rest = position
        for k in range(m):
            patterns[start + position, k] = active[k]
        for j in range(r - 1):
            both = choice[j, 0] and choice[j, 1]
            patterns[start + position, subset[j]] = rest % 2 == 1 if both else choice[j, 1]
            if both:
                rest //= 2
    return DONE, number, low
