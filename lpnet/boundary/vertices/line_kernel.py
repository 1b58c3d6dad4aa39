"""What happens on one line of the vertex engine, compiled: the zeros of f on it and the pieces that are lowest there.

Along the line where the units I = (i_1, …, i_{r−1}) vanish, every other unit is α_k + β_k t and f is piecewise linear.
Every decisive sign must be larger than a bound on its error, or the line is reported as doubtful.

The tableau (see `walk_kernel`) holds the units, the direction g and the affine part l column by column, so that the loops
over units run on contiguous memory.
"""

import numba
import numpy as np

U = 2.0**-53
SAFE = 1.0 + 1e-9  # covers the rounding of the bounds themselves
DONE, DOUBTFUL, NO_ROOM = 0, 1, 2

# The rows of the workspace v, each with an entry a unit (then g, then l): one array, because every view of a part of an array
# costs as much as a loop. The first hold a line, the next its sums and active units, the last what `sweep` needs.
Q, ALPHA, BETA, DELTA, WEIGHT, WA, WB, BOUND, ACTIVE = 0, 1, 2, 3, 4, 5, 6, 7, 8
T, OF_T, CONSTANT, SLOPE, VALUE, AHEAD, BEHIND = 9, 10, 11, 12, 13, 14, 15
WORKSPACE = 16

# Sums may be reassociated and contracted: the bounds hold for every order of summation.
compiled = numba.njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "contract", "nsz"})


@compiled
def quotients(tables, errors, sizes, level, row, column, v):
    """The quotients Q of a pivot on (row, column), and the errors DELTA after it; False where the pivot may be 0."""
    p, e, largest = tables[level, column, row], errors[level, row], sizes[level, row]
    if not abs(p) > 4 * e:
        return False
    inverse, spread = 1 / p, 1.34 / abs(p)
    for k in range(v.shape[1]):
        q = tables[level, column, k] * inverse
        both = errors[level, k] + abs(q) * e
        of_q = spread * both + 4 * U * abs(q)
        v[Q, k] = q
        v[DELTA, k] = SAFE * max(of_q, both + (largest + e) * of_q + 4 * U * (sizes[level, k] + abs(q) * largest))
    return True


@compiled
def best_column(tables, level, row, free):
    """The free coordinate with the largest coefficient in a row."""
    best = -1
    for j in range(len(free)):
        if free[j] and (best < 0 or abs(tables[level, j, row]) > abs(tables[level, best, row])):
            best = j
    return best


@compiled
def line(
    tables, errors, sizes, level, weights, affine, convex, chosen, columns, free, v, order, choice, patterns, found, count_only
):
    """The vertices on one line: (state, number of pieces, a lower bound on g). The tableau has all of I but its last unit."""
    m, r = len(weights), tables.shape[1] - 1
    last = 0
    if r == 1:
        for k in range(v.shape[1]):
            v[Q, k], v[ALPHA, k], v[BETA, k], v[DELTA, k] = 0.0, tables[level, 1, k], tables[level, 0, k], errors[level, k]
    else:
        last = chosen[r - 2]
        column = best_column(tables, level, last, free)
        if not quotients(tables, errors, sizes, level, last, column, v):
            return DOUBTFUL, 0, np.inf
        other = column
        for j in range(r):
            if free[j] and j != column:
                other = j
        start, slope = tables[level, r, last], tables[level, other, last]
        for k in range(v.shape[1]):
            v[ALPHA, k] = tables[level, r, k] - v[Q, k] * start
            v[BETA, k] = tables[level, other, k] - v[Q, k] * slope
    for k in range(m):
        v[WEIGHT, k] = weights[k]
    for j in range(r - 1):  # the units of I: out of the sums, and beyond doubt
        i = chosen[j]
        v[WEIGHT, i], v[ALPHA, i], v[BETA, i], v[DELTA, i] = 0.0, 1.0, 0.0, 0.0
    if not affine:
        v[BETA, m + 1] = 0.0
    alpha_sum, beta_sum = abs(v[ALPHA, m + 1]), abs(v[BETA, m + 1])
    error_sum, bend_sum = v[DELTA, m + 1], sizes[level, m + 1] + abs(v[Q, m + 1])
    largest = sizes[level, last] if r > 1 else 0.0
    for k in range(m):
        weight = abs(v[WEIGHT, k])
        v[WA, k], v[WB, k] = v[WEIGHT, k] * v[ALPHA, k], v[WEIGHT, k] * v[BETA, k]
        alpha_sum += abs(v[WA, k])
        beta_sum += abs(v[WB, k])
        error_sum += weight * v[DELTA, k]
        bend_sum += weight * (sizes[level, k] + abs(v[Q, k]) * largest + abs(v[Q, k]))
    rounding = 4 * (m + 4) * U
    v[BOUND, 0] = error_sum * SAFE  # bounds on the errors of constants, slopes and bends of f
    v[BOUND, 1] = v[BOUND, 0] + rounding * alpha_sum
    v[BOUND, 2] = v[BOUND, 0] + rounding * beta_sum
    v[BOUND, 3] = v[BOUND, 0] + rounding * bend_sum

    if convex != 0:
        c0, d0, c1, d1 = newton(v, m, convex)
        if d0 != 0.0 and d1 != 0.0:  # a convex function has no third zero
            state, number, low = vertex(tables, level, v, c0, d0, chosen, columns, choice, weights, patterns, found, count_only)
            if state != DONE:
                return state, 0, np.inf
            state, more, lower = vertex(
                tables, level, v, c1, d1, chosen, columns, choice, weights, patterns, found + number, count_only
            )
            return state, number + more, min(low, lower)
    return sweep(tables, level, v, beta_sum, affine, chosen, columns, order, choice, weights, patterns, found, count_only)


@compiled
def newton(v, m, convex):
    """c and d of f = c + d·t around its first zero from the left, and from the right; d = 0 where one was not found.

    Newton's method from outside, on both sides at once: convexity makes it monotone, and it ends when the sets of active units
    repeat.
    """
    c0 = c1 = v[ALPHA, m + 1]
    d0 = d1 = v[BETA, m + 1]
    for k in range(m):
        left = v[BETA, k] < 0
        c0 += v[WA, k] if left else 0.0
        d0 += v[WB, k] if left else 0.0
        c1 += 0.0 if left else v[WA, k]
        d1 += 0.0 if left else v[WB, k]
    for _ in range(64):
        if not (convex * d0 < 0 and convex * d1 > 0):
            break
        t0, t1 = -c0 / d0, -c1 / d1
        before = c0, d0, c1, d1
        c0 = c1 = v[ALPHA, m + 1]
        d0 = d1 = v[BETA, m + 1]
        for k in range(m):
            on0, on1 = v[ALPHA, k] + v[BETA, k] * t0 > 0, v[ALPHA, k] + v[BETA, k] * t1 > 0
            c0 += v[WA, k] if on0 else 0.0
            d0 += v[WB, k] if on0 else 0.0
            c1 += v[WA, k] if on1 else 0.0
            d1 += v[WB, k] if on1 else 0.0
        if before == (c0, d0, c1, d1):
            return before
    return 0.0, 0.0, 0.0, 0.0


@compiled
def affine_on(v, m):
    """The constant and the slope of f with these weights of the active units."""
    c, d = v[ALPHA, m + 1], v[BETA, m + 1]
    for k in range(m):
        c += v[ACTIVE, k] * v[ALPHA, k]
        d += v[ACTIVE, k] * v[BETA, k]
    return c, d


@compiled
def sweep(tables, level, v, beta_sum, affine, chosen, columns, order, choice, weights, patterns, found, count_only):
    """The vertices on a line whatever f is: its sign at every breakpoint and at both ends, then the zeros between.

    They lie between neighbours of different sign, which must be apart beyond doubt.
    """
    m = len(weights)
    count = 0
    for k in range(m):
        if v[WEIGHT, k] != 0.0:
            if not abs(v[BETA, k]) > 2 * v[DELTA, k]:
                return DOUBTFUL, 0, np.inf
            at = -v[ALPHA, k] / v[BETA, k]
            v[T, count], order[count] = at, k
            v[OF_T, count] = (2 * v[DELTA, k] * (1 + abs(at)) / abs(v[BETA, k]) + 2 * U * abs(at)) * SAFE
            count += 1
    sort_together(v, order, count)
    working = 0
    for k in range(m):
        v[ACTIVE, k] = v[WEIGHT, k] if v[BETA, k] < 0 else 0.0
        working += v[ACTIVE, k] != 0.0
    level_c, level_d = affine_on(v, m)
    before = end_sign(level_d, v[BOUND, 2], working, affine, v[ALPHA, m + 1], -1.0)
    v[CONSTANT, 0], v[SLOPE, 0] = level_c, level_d
    for index in range(count):
        k = order[index]
        v[VALUE, index] = level_c + level_d * v[T, index]
        bound = v[BOUND, 1] + abs(v[T, index]) * v[BOUND, 2] + (beta_sum + v[BOUND, 0]) * v[OF_T, index]
        bound += 4 * U * (abs(level_c) + abs(level_d * v[T, index]))
        if not abs(v[VALUE, index]) > bound * SAFE:
            return DOUBTFUL, 0, np.inf
        on = 1.0 if v[BETA, k] > 0 else -1.0
        working += int(on)
        level_c += on * v[WEIGHT, k] * v[ALPHA, k]
        level_d += on * v[WEIGHT, k] * v[BETA, k]
        v[CONSTANT, index + 1], v[SLOPE, index + 1] = level_c, level_d
    after = end_sign(level_d, v[BOUND, 2], working, affine, v[ALPHA, m + 1], 1.0)
    if before == 0 or after == 0:
        return DOUBTFUL, 0, np.inf

    far = -np.inf
    for index in range(count):
        far = max(far, v[T, index] + v[OF_T, index])
        v[AHEAD, index] = far
    far = np.inf
    for index in range(count - 1, -1, -1):
        far = min(far, v[T, index] - v[OF_T, index])
        v[BEHIND, index] = far
    total, lowest = 0, np.inf
    for index in range(count + 1):
        left = before if index == 0 else np.sign(v[VALUE, index - 1])
        right = after if index == count else np.sign(v[VALUE, index])
        if left == right:
            continue
        if 0 < index < count and not v[AHEAD, index - 1] < v[BEHIND, index]:
            return DOUBTFUL, 0, np.inf
        c, d = v[CONSTANT, index], v[SLOPE, index]
        state, number, low = vertex(
            tables, level, v, c, d, chosen, columns, choice, weights, patterns, found + total, count_only
        )
        if state != DONE:
            return state, 0, np.inf
        for position in range(count):  # the zero lies where the order of the breakpoints has it
            k = order[position]
            if (v[ACTIVE, k] != 0.0) != ((v[BETA, k] > 0) == (position < index)):
                return DOUBTFUL, 0, np.inf
        total += number
        lowest = min(lowest, low)
    return DONE, total, lowest


@compiled
def sort_together(v, order, count):
    """Sort by t (Shell's method: no allocation, and the lists are short)."""
    gap = 1
    while gap < count // 3:
        gap = 3 * gap + 1
    while gap > 0:
        for index in range(gap, count):
            at, of_t, k = v[T, index], v[OF_T, index], order[index]
            place = index
            while place >= gap and v[T, place - gap] > at:
                v[T, place], v[OF_T, place], order[place] = v[T, place - gap], v[OF_T, place - gap], order[place - gap]
                place -= gap
            v[T, place], v[OF_T, place], order[place] = at, of_t, k
        gap //= 3


@compiled
def end_sign(d, error, working, affine, constant, side):
    """The sign of f far out on one side of the line, its slope there being d; 0 for doubt."""
    if working == 0 and not affine:
        return np.sign(constant)
    if not abs(d) > error:
        return 0.0
    return side * np.sign(d)


@compiled
def vertex(tables, level, v, c, d, chosen, columns, choice, weights, patterns, start, count_only):
    """The pieces lowest at the zero of c + d·t: (state, number, a lower bound on g); sets the weights of the active units."""
    m, r = len(weights), tables.shape[1] - 1
    if not abs(d) > 4 * v[BOUND, 2]:
        return DOUBTFUL, 0, np.inf
    t = -c / d
    # c and d may be off by twice their bounds: the sums are compared with those of the active units below
    of_t = (4 * (v[BOUND, 1] + abs(t) * v[BOUND, 2]) / abs(d) + 2 * U * abs(t)) * SAFE
    reach = 1 + abs(t) + of_t
    doubts, sum_c, sum_d = 0, v[ALPHA, m + 1], v[BETA, m + 1]
    for k in range(m):
        height = v[ALPHA, k] + v[BETA, k] * t
        bound = SAFE * (v[DELTA, k] * reach + abs(v[BETA, k]) * of_t + 4 * U * (abs(v[ALPHA, k]) + abs(v[BETA, k] * t)))
        doubts += not abs(height) > bound
        v[ACTIVE, k] = v[WEIGHT, k] if height > 0 else 0.0
        sum_c += v[ACTIVE, k] * v[ALPHA, k]
        sum_d += v[ACTIVE, k] * v[BETA, k]
    # The line c + d·t has to be that of the units active at its zero
    if doubts or abs(sum_c - c) > v[BOUND, 1] or abs(sum_d - d) > v[BOUND, 2]:
        return DOUBTFUL, 0, np.inf
    # h_j = G_j − (G_t / D) (F_j [+ s_j]) decides whether g grows as unit j leaves 0 along the piece
    slope = v[BETA, m] / d
    of_g = v[DELTA, m]
    of_slope = 2 * (of_g + 2 * abs(slope) * v[BOUND, 2]) / abs(d) + 2 * U * abs(slope)
    of_last = 0.0
    for k in range(m):
        of_last += v[ACTIVE, k] * v[Q, k]
    number = 1
    for j in range(r - 1):
        if j < r - 2:
            column = columns[j]
            of_f, of_direction = tables[level, column, m + 1], tables[level, column, m]
            entry = tables[level, column, chosen[r - 2]]
            for k in range(m):
                of_f += v[ACTIVE, k] * tables[level, column, k]
            of_f -= (of_last + v[Q, m + 1]) * entry
            of_direction -= v[Q, m] * entry
        else:
            of_f, of_direction = of_last + v[Q, m + 1], v[Q, m]
        for on in range(2):
            shifted = of_f + weights[chosen[j]] * on
            h = of_direction - slope * shifted
            bound = of_g + abs(slope) * v[BOUND, 3] + (abs(shifted) + v[BOUND, 3]) * of_slope
            bound += 8 * U * (abs(of_direction) + abs(slope * shifted) + abs(slope))
            if not abs(h) > bound * SAFE:
                return DOUBTFUL, 0, np.inf
            choice[j, on] = (h > 0) == (on == 1)
        number *= int(choice[j, 0]) + int(choice[j, 1])
    low = v[ALPHA, m] + v[BETA, m] * t
    low -= 2 * (of_g * reach + abs(v[BETA, m]) * of_t + 4 * U * (abs(v[ALPHA, m]) + abs(v[BETA, m] * t)))
    if number == 0 or count_only:
        return DONE, number, low
    if start + number > len(patterns):
        return NO_ROOM, 0, np.inf
    for word in range(patterns.shape[1]):
        bits = np.uint64(0)
        for k in range(64 * word, min(m, 64 * word + 64)):
            bits |= np.uint64(v[ACTIVE, k] != 0.0) << np.uint64(63 - k % 64)
        for position in range(number):
            patterns[start + position, word] = bits
    for position in range(number):
        rest = position
        for j in range(r - 1):
            both = choice[j, 0] and choice[j, 1]
            on = rest % 2 == 1 if both else choice[j, 1]
            patterns[start + position, chosen[j] // 64] |= np.uint64(on) << np.uint64(63 - chosen[j] % 64)
            if both:
                rest //= 2
    return DONE, number, low
