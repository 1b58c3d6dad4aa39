"""What happens on one line of the vertex engine, compiled: the zeros of f on it and the pieces that are lowest there.

The line lies in a plane on which all units of I but the last vanish. There every unit is c_k + x_k s + y_k t, an affine
function of two coordinates; every entry of its row of the plane's tableau (see `walk_kernel`) has an error of at most E_k, and
is at most M_k in size. The last unit of I vanishes where s = −(κ + λ t): t is the coordinate along the line, and f is
piecewise linear in it. Every decisive sign must be larger than a bound on its error, or the line is reported as doubtful.
"""

from typing import Any, NamedTuple

import numpy as np

from lpnet.compiled import compiled

U = 2.0**-53
SAFE = 1.0 + 1e-9  # covers the rounding of the bounds themselves
FAR = 2.0**60  # where Newton's method starts
DONE, DOUBTFUL, NO_ROOM = 0, 1, 2

# The rows of a tableau, from the end, behind those of the r coordinates: constants, E_k, M_k, the weights of the units, 0 for
# those of I, and of the active ones; the others are for `sweep`. Columns: the units, then g, l and a bound for the sums of f.
CONSTANT, ERROR, SIZE, WEIGHT, ACTIVE, ALPHA, BETA, DELTA, T, OF_T, LEFT_C, LEFT_D, VALUE, AHEAD, BEHIND = range(-15, 0)
EXTRA_ROWS, EXTRA_COLUMNS = 15, 3
# The rows of the integers `at`: the units of I; their coordinates, and then the free ones; their states; the order in `sweep`.
CHOSEN, COLUMN, STATE, ORDER = 0, 1, 2, 3
INACTIVE, IS_ACTIVE, BOTH = 0, 1, 2

# Sums may be reassociated and contracted: the bounds hold for every order of summation. Nothing is allocated here, and without
# numba's reference counts, an atomic operation for every argument of every call, a line takes a tenth less time.
FAST: dict[str, Any] = {"fastmath": {"reassoc", "contract", "nsz"}}
LEAN: dict[str, Any] = {**FAST, "_nrt": False}
lean = compiled(**LEAN)
inlined = compiled(**LEAN, forceinline=True)


class Line(NamedTuple):
    """s = −(κ + λ t), x = s, y = t on the plane, where unit `last` vanishes; the pivot, bounds on errors."""

    x: int
    y: int
    last: int
    pivot: float
    inverse: float
    of_pivot: float
    size: float
    kappa: float
    of_kappa: float
    lam: float
    of_lam: float


@inlined
def quotient_error(error, q, inverse, of_pivot):
    """A bound on the error of q = a · (1 / p), a being off by `error` and p by of_pivot < |p| / 4."""
    return SAFE * (1.34 * (error + abs(q) * of_pivot) * abs(inverse) + 4 * U * abs(q))


@inlined
def pivoted_error(error, size, q, inverse, of_pivot, largest):
    """A bound on the errors of a row (entries off by `error`, at most `size`) after a pivot with quotient q: see `walk_kernel`.

    The row of the pivot has entries of at most `largest`, off by of_pivot.
    """
    of_q = quotient_error(error, q, inverse, of_pivot)
    both = error + abs(q) * of_pivot
    return SAFE * max(of_q, both + (largest + of_pivot) * of_q + 4 * U * (size + abs(q) * largest))


@inlined
def lowest_pieces(table, at, weights, affine, convex, patterns, found, count_only):
    """The pieces lowest at a vertex of one line: (state, their number, a lower bound on g); their patterns go to `patterns`."""
    line = line_on(table, at)
    if not abs(line.pivot) > 4 * line.of_pivot:
        return DOUBTFUL, 0, np.inf
    if convex != 0:
        both, t, sums, t1, sums1 = newton(table, line, convex)
        total, lowest, zero = 0, np.inf, 0
        while both and zero < 2:  # a convex function has no third zero
            state, number, low = vertex(table, at, weights, line, t, sums, patterns, found + total, count_only)
            if state != DONE:
                return state, 0, np.inf
            total += number
            lowest = min(low, lowest)
            t, sums = t1, sums1
            zero += 1
        if both:
            return DONE, total, lowest
    return sweep(table, at, weights, line, affine, patterns, found, count_only)


@inlined
def line_on(table, at):
    """The line of the plane on which the last unit of I vanishes too; with only one input, all there is."""
    r = len(table) - EXTRA_ROWS
    if r == 1:
        return Line(0, 0, 0, np.inf, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    x, y, last = at[COLUMN, r - 2], at[COLUMN, r - 1], at[CHOSEN, r - 2]
    if abs(table[y, last]) > abs(table[x, last]):
        x, y = y, x
    p, e = table[x, last], table[ERROR, last]
    inverse = 1 / p
    kappa, lam = table[CONSTANT, last] * inverse, table[y, last] * inverse
    of_kappa, of_lam = quotient_error(e, kappa, inverse, e), quotient_error(e, lam, inverse, e)
    return Line(x, y, last, p, inverse, e, table[SIZE, last], kappa, of_kappa, lam, of_lam)


@inlined
def active_sums(table, line, t0, t1):
    """The entries (c, x, y) of l + Σ s_k a_k over the units active at each of two points of the line."""
    m = table.shape[1] - EXTRA_COLUMNS
    c, x, y, w = table[CONSTANT], table[line.x], table[line.y], table[WEIGHT]
    s0, s1 = -(line.kappa + line.lam * t0), -(line.kappa + line.lam * t1)
    c0 = c1 = c[m + 1]
    x0 = x1 = x[m + 1]
    y0 = y1 = y[m + 1]
    for k in range(m):
        on0 = w[k] if c[k] + x[k] * s0 + y[k] * t0 > 0 else 0.0
        on1 = w[k] if c[k] + x[k] * s1 + y[k] * t1 > 0 else 0.0
        c0 += on0 * c[k]
        x0 += on0 * x[k]
        y0 += on0 * y[k]
        c1 += on1 * c[k]
        x1 += on1 * x[k]
        y1 += on1 * y[k]
    return (c0, x0, y0), (c1, x1, y1)


@inlined
def newton(table, line, convex):
    """Whether two zeros of f were found; where they are, the first and the last; and the sums over the active units there.

    Newton's method from outside, on both sides at once: convexity makes it monotone, and it ends when the sets of active units
    repeat.
    """
    t0, t1 = -FAR, FAR
    left = right = (0.0, 0.0, 0.0)
    for _ in range(64):
        before = left, right
        left, right = active_sums(table, line, t0, t1)
        if before == (left, right):
            return True, t0, left, t1, right
        d0, d1 = left[2] - left[1] * line.lam, right[2] - right[1] * line.lam
        if not (convex * d0 < 0 and convex * d1 > 0):
            break
        t0, t1 = (left[1] * line.kappa - left[0]) / d0, (right[1] * line.kappa - right[0]) / d1
    return False, t0, left, t1, right


@inlined
def vertex(table, at, weights, line, t, sums, patterns, start, count_only):
    """The pieces lowest at the zero of f near t: (state, number, a lower bound on g).

    sums: those of the units active at t. With these units f would be C + D·t on the line, and its zero would be off t by at
    most `away`; no unit changes its sign on the way there, so that it is a zero of f.
    """
    m = len(weights)
    q = sums[1] * line.inverse
    of_f = pivoted_error(table[ERROR, m + 2], table[SIZE, m + 2], q, line.inverse, line.of_pivot, line.size)
    c, d = sums[0] - q * table[CONSTANT, line.last], sums[2] - q * table[line.y, line.last]
    if not abs(d) > 4 * of_f:
        return DOUBTFUL, 0, np.inf
    per_slope = 1 / d
    away = 1.34 * SAFE * (abs(c + d * t) + of_f * (1 + abs(t)) + 4 * U * (abs(c) + abs(d * t))) * abs(per_slope)
    s = -(line.kappa + line.lam * t)
    of_s = SAFE * (line.of_kappa + line.of_lam * abs(t) + 4 * U * (abs(line.kappa) + abs(line.lam * t)))
    moved = (1 + abs(line.lam) + line.of_lam) * away
    reach = 1 + abs(s) + abs(t) + of_s
    per_error, per_size = SAFE * (reach + moved), SAFE * (of_s + moved + 8 * U * reach)
    if not signs_are_sure(table, line, s, t, per_error, per_size):
        return DOUBTFUL, 0, np.inf
    low = table[CONSTANT, m] + table[line.x, m] * s + table[line.y, m] * t
    low -= 2 * (per_error * table[ERROR, m] + per_size * table[SIZE, m])
    state, number = states(table, at, weights, line, q, per_slope, of_f)
    if state == DOUBTFUL or number == 0 or count_only:
        return state, number, low
    if start + number > len(patterns):
        return NO_ROOM, 0, np.inf
    write(table, at, patterns, start)
    return DONE, number, low


@inlined
def signs_are_sure(table, line, s, t, per_error, per_size):
    """Whether |a_k| > E_k · per_error + M_k · per_size at (s, t) for all units not in I; notes the active ones.

    The bound is more than twice the rounding of a_k, so that a sure sign is also that of any other order of summation.
    """
    c, x, y, w, active = table[CONSTANT], table[line.x], table[line.y], table[WEIGHT], table[ACTIVE]
    error, size = table[ERROR], table[SIZE]
    doubts = 0.0
    for k in range(table.shape[1] - EXTRA_COLUMNS):
        height = c[k] + x[k] * s + y[k] * t
        doubts += 0.0 if abs(height) > error[k] * per_error + size[k] * per_size else abs(w[k])
        active[k] = w[k] if height > 0 else 0.0
    return doubts == 0.0


@inlined
def states(table, at, weights, line, f_last, per_slope, of_f):
    """In which of its two states each unit of I may be for the vertex to be the lowest: (state, number of combinations).

    h_j = G_j − (G_t / D) (F_j [+ s_j]) decides whether g grows as unit j leaves 0 along the piece.
    """
    m, size = len(weights), len(table) - EXTRA_ROWS - 1
    g_last = table[line.x, m] * line.inverse
    of_g = pivoted_error(table[ERROR, m], table[SIZE, m], g_last, line.inverse, line.of_pivot, line.size)
    slope = (table[line.y, m] - g_last * table[line.y, line.last]) * per_slope
    of_slope = quotient_error(of_g, slope, per_slope, of_f)
    number = 1
    for j in range(size - 1, -1, -1):
        g, f = g_last, f_last
        if j < size - 1:
            row, active = table[at[COLUMN, j]], table[ACTIVE]
            f = row[m + 1] - f_last * row[line.last]
            for k in range(m):
                f += active[k] * row[k]
            g = row[m] - g_last * row[line.last]
        bend = weights[at[CHOSEN, j]]
        if_inactive = g - slope * f
        if_active = if_inactive - slope * bend
        largest = abs(f) + abs(bend)
        bound = of_g + abs(slope) * of_f + (largest + of_f) * of_slope + 8 * U * (abs(g) + abs(slope) * largest)
        if not min(abs(if_inactive), abs(if_active)) > bound * SAFE:
            return DOUBTFUL, 0
        if if_inactive < 0:
            at[STATE, j] = BOTH if if_active > 0 else INACTIVE
            number *= 2 if if_active > 0 else 1
        elif if_active > 0:
            at[STATE, j] = IS_ACTIVE
        else:
            return DONE, 0
    return DONE, number


@inlined
def write(table, at, patterns, start):
    """The patterns: the units not in I as they are at the vertex, those of I in every combination of their states."""
    m, active = table.shape[1] - EXTRA_COLUMNS, table[ACTIVE]
    for word in range(patterns.shape[1]):
        bits, part = np.uint64(0), active[64 * word : min(m, 64 * word + 64)]
        for k in range(len(part)):
            bits |= np.uint64(part[k] != 0.0) << np.uint64(63 - k)
        patterns[start, word] = bits
    end = start + 1
    for j in range(len(table) - EXTRA_ROWS - 1):
        unit, state, stop = at[CHOSEN, j], at[STATE, j], end
        if state == BOTH:
            for position in range(start, stop):
                for word in range(patterns.shape[1]):
                    patterns[end, word] = patterns[position, word]
                end += 1
        if state != INACTIVE:
            for position in range(start, stop):
                patterns[position, unit // 64] |= np.uint64(1) << np.uint64(63 - unit % 64)


@lean
def sweep(table, at, weights, line, affine, patterns, found, count_only):
    """The vertices on a line whatever f is: its sign at every breakpoint and at both ends, then the zeros between.

    They lie between neighbours of different sign, which must be apart beyond doubt.
    """
    m, v, order = len(weights), table, at[ORDER]
    of_sums, of_constant, of_slope, slopes = along(table, line)
    count = 0
    for k in range(m):
        if v[WEIGHT, k] != 0.0:
            if not abs(v[BETA, k]) > 2 * v[DELTA, k]:
                return DOUBTFUL, 0, np.inf
            t = -v[ALPHA, k] / v[BETA, k]
            v[T, count], order[count] = t, k
            v[OF_T, count] = (2 * v[DELTA, k] * (1 + abs(t)) / abs(v[BETA, k]) + 2 * U * abs(t)) * SAFE
            count += 1
    sort_together(v, order, count)
    working = 0
    c, d = v[ALPHA, m + 1], v[BETA, m + 1]
    for k in range(m):
        if v[BETA, k] < 0:
            c += v[WEIGHT, k] * v[ALPHA, k]
            d += v[WEIGHT, k] * v[BETA, k]
            working += v[WEIGHT, k] != 0.0
    before = end_sign(d, of_slope, working, affine, v[ALPHA, m + 1], -1.0)
    v[LEFT_C, 0], v[LEFT_D, 0] = c, d
    for index in range(count):
        k = order[index]
        v[VALUE, index] = c + d * v[T, index]
        bound = of_constant + abs(v[T, index]) * of_slope + (slopes + of_sums) * v[OF_T, index]
        bound += 4 * U * (abs(c) + abs(d * v[T, index]))
        if not abs(v[VALUE, index]) > bound * SAFE:
            return DOUBTFUL, 0, np.inf
        on = 1.0 if v[BETA, k] > 0 else -1.0
        working += int(on)
        c += on * v[WEIGHT, k] * v[ALPHA, k]
        d += on * v[WEIGHT, k] * v[BETA, k]
        v[LEFT_C, index + 1], v[LEFT_D, index + 1] = c, d
    after = end_sign(d, of_slope, working, affine, v[ALPHA, m + 1], 1.0)
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
        t = -v[LEFT_C, index] / v[LEFT_D, index]
        sums, _ = active_sums(table, line, t, t)
        state, number, low = vertex(table, at, weights, line, t, sums, patterns, found + total, count_only)
        if state != DONE:
            return state, 0, np.inf
        for position in range(count):  # the zero lies where the order of the breakpoints has it
            k = order[position]
            if (v[ACTIVE, k] != 0.0) != ((v[BETA, k] > 0) == (position < index)):
                return DOUBTFUL, 0, np.inf
        total += number
        lowest = min(lowest, low)
    return DONE, total, lowest


@lean
def along(v, line):
    """All units, g and l as α + β t on the line, with bounds DELTA on the errors of both.

    Returns the sum of these bounds for f, bounds on the errors of constants and slopes of partial sums of f, one on |slopes|.
    """
    m = v.shape[1] - EXTRA_COLUMNS
    q = max(abs(line.kappa), abs(line.lam))
    of_q = max(line.of_kappa, line.of_lam)
    for k in range(m + 2):
        v[ALPHA, k] = v[CONSTANT, k] - v[line.x, k] * line.kappa
        v[BETA, k] = v[line.y, k] - v[line.x, k] * line.lam
        v[DELTA, k] = SAFE * (v[ERROR, k] * (1 + q + of_q) + v[SIZE, k] * (of_q + 4 * U * (1 + q)))
    errors, constants, slopes = v[DELTA, m + 1], abs(v[ALPHA, m + 1]), abs(v[BETA, m + 1])
    for k in range(m):
        weight = abs(v[WEIGHT, k])
        errors += weight * v[DELTA, k]
        constants += weight * abs(v[ALPHA, k])
        slopes += weight * abs(v[BETA, k])
    rounding = 4 * (m + 4) * U
    errors *= SAFE
    return errors, errors + rounding * constants, errors + rounding * slopes, slopes


@lean
def sort_together(v, order, count):
    """Sort by t (Shell's method: no allocation, and the lists are short)."""
    gap = 1
    while gap < count // 3:
        gap = 3 * gap + 1
    while gap > 0:
        for index in range(gap, count):
            t, of_t, k = v[T, index], v[OF_T, index], order[index]
            place = index
            while place >= gap and v[T, place - gap] > t:
                v[T, place], v[OF_T, place], order[place] = v[T, place - gap], v[OF_T, place - gap], order[place - gap]
                place -= gap
            v[T, place], v[OF_T, place], order[place] = t, of_t, k
        gap //= 3


@lean
def end_sign(d, error, working, affine, constant, side):
    """The sign of f far out on one side of the line, its slope there being d; 0 for doubt."""
    if working == 0 and not affine:
        return np.sign(constant)
    if not abs(d) > error:
        return 0.0
    return side * np.sign(d)
