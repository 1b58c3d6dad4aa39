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

# Sums may be reassociated and contracted: the bounds hold for every order of summation.
compiled = numba.njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "contract", "nsz"})


@compiled
def quotients(table, error, size, row, column, q, new_error):
    """The quotients of a pivot on (row, column), and the errors of all rows after it; False where the pivot may be 0."""
    p, e, largest = table[column, row], error[row], size[row]
    if not abs(p) > 4 * e:
        return False
    inverse, spread = 1 / p, 1.34 / abs(p)
    for k in range(len(q)):
        q[k] = table[column, k] * inverse
        both = error[k] + abs(q[k]) * e
        of_q = spread * both + 4 * U * abs(q[k])
        new_error[k] = SAFE * max(of_q, both + (largest + e) * of_q + 4 * U * (size[k] + abs(q[k]) * largest))
    return True


@compiled
def best_column(table, row, free):
    """The free coordinate with the largest coefficient in a row."""
    best = -1
    for j in range(len(free)):
        if free[j] and (best < 0 or abs(table[j, row]) > abs(table[best, row])):
            best = j
    return best


@compiled
def line(
    table, error, size, weights, affine, convex, subset, columns, free, scratch, order, choice, patterns, found, count_only
):
    """The vertices on one line: (state, number of pieces, a lower bound on g). The tableau has all of I but its last unit."""
    m, r = len(weights), len(table) - 1
    q, alpha, beta, delta, w, bend = scratch[0], scratch[1], scratch[2], scratch[3], scratch[4], scratch[5]
    wa, wb = scratch[14], scratch[15]
    last = 0
    if r == 1:
        for k in range(m + 2):
            q[k], alpha[k], beta[k], delta[k] = 0.0, table[1, k], table[0, k], error[k]
        column = -1
    else:
        last = subset[r - 2]
        column = best_column(table, last, free)
        if not quotients(table, error, size, last, column, q, delta):
            return DOUBTFUL, 0, np.inf
        other = best_column(table, last, free)
        for j in range(r):
            if free[j] and j != column:
                other = j
        start, slope = table[r, last], table[other, last]
        for k in range(m + 2):
            alpha[k] = table[r, k] - q[k] * start
            beta[k] = table[other, k] - q[k] * slope
    for k in range(m):
        w[k] = weights[k]
    for i in subset:  # the units of I: out of the sums, and beyond doubt
        w[i], alpha[i], beta[i], delta[i] = 0.0, 1.0, 0.0, 0.0
    if not affine:
        beta[m + 1] = 0.0
    alpha_sum, beta_sum, error_sum, bend_sum = abs(alpha[m + 1]), abs(beta[m + 1]), delta[m + 1], size[m + 1] + abs(q[m + 1])
    largest = size[last] if r > 1 else 0.0
    for k in range(m):
        weight = abs(w[k])
        wa[k], wb[k] = w[k] * alpha[k], w[k] * beta[k]
        alpha_sum += abs(wa[k])
        beta_sum += abs(wb[k])
        error_sum += weight * delta[k]
        bend_sum += weight * (size[k] + abs(q[k]) * largest + abs(q[k]))
    rounding = 4 * (m + 4) * U
    bend[0] = error_sum * SAFE  # bounds on the errors of constants, slopes and bends of f
    bend[1], bend[2], bend[3] = bend[0] + rounding * alpha_sum, bend[0] + rounding * beta_sum, bend[0] + rounding * bend_sum

    if convex != 0:
        c0, d0 = newton(alpha, beta, wa, wb, m, convex, -1.0)
        if d0 != 0.0:
            c1, d1 = newton(alpha, beta, wa, wb, m, convex, 1.0)
            if d1 != 0.0:  # a convex function has no third zero
                state, number, low = vertex(
                    table, delta, alpha, beta, w, q, bend, c0, d0, subset, columns, column, choice, scratch[7], weights,
                    patterns, found, count_only,
                )  # fmt: skip
                if state != DONE:
                    return state, 0, np.inf
                state, more, lower = vertex(
                    table, delta, alpha, beta, w, q, bend, c1, d1, subset, columns, column, choice, scratch[7], weights,
                    patterns, found + number, count_only,
                )  # fmt: skip
                return state, number + more, min(low, lower)
    return sweep(
        table, delta, alpha, beta, w, q, bend, beta_sum, affine, subset, columns, column, order, choice, scratch, weights,
        patterns, found, count_only,
    )  # fmt: skip


@compiled
def newton(alpha, beta, wa, wb, m, convex, side):
    """c and d of f = c + d·t around its first zero from the left (side −1) or right (+1); d = 0 where none was found.

    Newton's method from outside: convexity makes it monotone, and it ends when the set of active units repeats.
    """
    c, d = alpha[m + 1], beta[m + 1]
    for k in range(m):
        c += wa[k] if beta[k] * side > 0 else 0.0
        d += wb[k] if beta[k] * side > 0 else 0.0
    for _ in range(64):
        if not convex * side * d > 0:
            return 0.0, 0.0
        t = -c / d
        before_c, before_d = c, d
        c, d = alpha[m + 1], beta[m + 1]
        for k in range(m):
            c += wa[k] if alpha[k] + beta[k] * t > 0 else 0.0
            d += wb[k] if alpha[k] + beta[k] * t > 0 else 0.0
        if c == before_c and d == before_d:
            return c, d
    return 0.0, 0.0


@compiled
def affine_on(alpha, beta, active, m):
    """The constant and the slope of f with these weights of the active units."""
    c, d = alpha[m + 1], beta[m + 1]
    for k in range(m):
        c += active[k] * alpha[k]
        d += active[k] * beta[k]
    return c, d


@compiled
def sweep(
    table, delta, alpha, beta, w, q, bend, beta_sum, affine, subset, columns, column, order, choice, scratch, weights, patterns,
    found, count_only,
):  # fmt: skip
    """The vertices on a line whatever f is: its sign at every breakpoint and at both ends, then the zeros between.

    They lie between neighbours of different sign, which must be apart beyond doubt.
    """
    m = len(weights)
    t, dt, c, d, f, ahead, behind = scratch[7], scratch[8], scratch[9], scratch[10], scratch[11], scratch[12], scratch[13]
    count = 0
    for k in range(m):
        if w[k] != 0.0:
            if not abs(beta[k]) > 2 * delta[k]:
                return DOUBTFUL, 0, np.inf
            at = -alpha[k] / beta[k]
            t[count], order[count] = at, k
            dt[count] = (2 * delta[k] * (1 + abs(at)) / abs(beta[k]) + 2 * U * abs(at)) * SAFE
            count += 1
    sort_together(t, dt, order, count)
    working, active = 0, scratch[6]
    for k in range(m):
        active[k] = w[k] if beta[k] < 0 else 0.0
        working += active[k] != 0.0
    level_c, level_d = affine_on(alpha, beta, active, m)
    before = end_sign(level_d, bend[2], working, affine, alpha[m + 1], -1.0)
    c[0], d[0] = level_c, level_d
    for index in range(count):
        k = order[index]
        f[index] = level_c + level_d * t[index]
        bound = bend[1] + abs(t[index]) * bend[2] + (beta_sum + bend[0]) * dt[index]
        bound += 4 * U * (abs(level_c) + abs(level_d * t[index]))
        if not abs(f[index]) > bound * SAFE:
            return DOUBTFUL, 0, np.inf
        on = 1.0 if beta[k] > 0 else -1.0
        working += int(on)
        level_c += on * w[k] * alpha[k]
        level_d += on * w[k] * beta[k]
        c[index + 1], d[index + 1] = level_c, level_d
    after = end_sign(level_d, bend[2], working, affine, alpha[m + 1], 1.0)
    if before == 0 or after == 0:
        return DOUBTFUL, 0, np.inf

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
            table, delta, alpha, beta, w, q, bend, c[index], d[index], subset, columns, column, choice, active, weights,
            patterns, found + total, count_only,
        )  # fmt: skip
        if state != DONE:
            return state, 0, np.inf
        for position in range(count):  # the zero lies where the order of the breakpoints has it
            k = order[position]
            if (active[k] != 0.0) != ((beta[k] > 0) == (position < index)):
                return DOUBTFUL, 0, np.inf
        total += number
        lowest = min(lowest, low)
    return DONE, total, lowest


@compiled
def sort_together(t, dt, order, count):
    """Sort by t (Shell's method: no allocation, and the lists are short)."""
    gap = 1
    while gap < count // 3:
        gap = 3 * gap + 1
    while gap > 0:
        for index in range(gap, count):
            at, of_t, k = t[index], dt[index], order[index]
            place = index
            while place >= gap and t[place - gap] > at:
                t[place], dt[place], order[place] = t[place - gap], dt[place - gap], order[place - gap]
                place -= gap
            t[place], dt[place], order[place] = at, of_t, k
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
def vertex(
    table, delta, alpha, beta, w, q, bend, c, d, subset, columns, column, choice, active, weights, patterns, start, count_only
):
    """The pieces lowest at the zero of c + d·t: (state, number, a lower bound on g); sets the weights of the active units."""
    m, r = len(weights), len(table) - 1
    if not abs(d) > 4 * bend[2]:
        return DOUBTFUL, 0, np.inf
    t = -c / d
    of_t = (4 * (bend[1] + abs(t) * bend[2]) / abs(d) + 2 * U * abs(t)) * SAFE  # c and d may be off by twice their bounds
    reach = 1 + abs(t) + of_t
    doubts, sum_c, sum_d = 0, alpha[m + 1], beta[m + 1]
    for k in range(m):
        height = alpha[k] + beta[k] * t
        bound = SAFE * (delta[k] * reach + abs(beta[k]) * of_t + 4 * U * (abs(alpha[k]) + abs(beta[k] * t)))
        doubts += not abs(height) > bound
        active[k] = w[k] if height > 0 else 0.0
        sum_c += active[k] * alpha[k]
        sum_d += active[k] * beta[k]
    # The line c + d·t has to be that of the units active at its zero
    if doubts or abs(sum_c - c) > bend[1] or abs(sum_d - d) > bend[2]:
        return DOUBTFUL, 0, np.inf
    # h_j = G_j − (G_t / D) (F_j [+ s_j]) decides whether g grows as unit j leaves 0 along the piece
    slope = beta[m] / d
    of_g = delta[m]
    of_slope = 2 * (of_g + 2 * abs(slope) * bend[2]) / abs(d) + 2 * U * abs(slope)
    of_last = 0.0
    for k in range(m):
        of_last += active[k] * q[k]
    number = 1
    for j in range(r - 1):
        if j < r - 2:
            of_f, of_direction = table[columns[j], m + 1], table[columns[j], m]
            entry = table[columns[j], subset[r - 2]]
            for k in range(m):
                of_f += active[k] * table[columns[j], k]
            of_f -= (of_last + q[m + 1]) * entry
            of_direction -= q[m] * entry
        else:
            of_f, of_direction = of_last + q[m + 1], q[m]
        for on in range(2):
            shifted = of_f + weights[subset[j]] * on
            h = of_direction - slope * shifted
            bound = of_g + abs(slope) * bend[3] + (abs(shifted) + bend[3]) * of_slope
            bound += 8 * U * (abs(of_direction) + abs(slope * shifted) + abs(slope))
            if not abs(h) > bound * SAFE:
                return DOUBTFUL, 0, np.inf
            choice[j, on] = (h > 0) == (on == 1)
        number *= int(choice[j, 0]) + int(choice[j, 1])
    low = alpha[m] + beta[m] * t
    low -= 2 * (of_g * reach + abs(beta[m]) * of_t + 4 * U * (abs(alpha[m]) + abs(beta[m] * t)))
    if number == 0 or count_only:
        return DONE, number, low
    if start + number > len(patterns):
        return NO_ROOM, 0, np.inf
    for position in range(number):
        rest = position
        for k in range(m):
            patterns[start + position, k] = active[k] != 0.0
        for j in range(r - 1):
            both = choice[j, 0] and choice[j, 1]
            patterns[start + position, subset[j]] = rest % 2 == 1 if both else choice[j, 1]
            if both:
                rest //= 2
    return DONE, number, low
