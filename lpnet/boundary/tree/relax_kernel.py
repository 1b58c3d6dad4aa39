# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators
"""Bounds of f on a node within a bounded box, compiled: every unit still open is put between two affine functions.

R(z) ≥ 0, R(z) ≥ z, and R(z) ≤ αz + β, the chord over [l, u] ∋ z (Zhang et al. 2018, Singh et al. 2019: CROWN, DeepPoly).
Forward: z_k of later levels lies between a_k + Σ C⁺ low_j + Σ C⁻ up_j and the same with low and up exchanged, and so does f.
Each function comes with a bound on the errors of its entries; l and u are rounded outwards, β upwards.
"""

from lpnet.boundary.tree.level_kernel import touching
from lpnet.programs.certain_kernel import TINY, U, positive, underflow
from lpnet.programs.cone_kernel import VANISHES, dot, plain, program

ROOM = 2.0**-28  # what a bound that is recorded is to hold by
EVEN = 1 + 2.0**-20  # a tie is decided alike whatever rounding


@plain
def least(row, error, side, low, high):
    """A lower bound of side · row · y for low ≤ y ≤ high, the row's entries being off by `error`."""
    total, magnitude = 0.0, 0.0
    for j in range(len(row)):
        entry = side * row[j]
        total += entry * (low[j] if entry > 0 else high[j])
        magnitude += (2 * (len(row) + 2) * U * abs(entry) + error[j]) * max(abs(low[j]), abs(high[j]))
    return total - 1.001 * magnitude - TINY


@plain
def shrink(row, off, side, low, high):
    """Cut a box by side · row · y ≥ 0, coordinate by coordinate; the last one is fixed. False where nothing is left of it."""
    size = len(row) - 1
    total, slack = 0.0, 0.0
    for j in range(size + 1):
        entry = side * row[j]
        total += entry * (high[j] if entry > 0 else low[j])
        slack += (4 * (size + 3) * U * abs(entry) + 2 * off[j]) * max(abs(low[j]), abs(high[j]))
    slack += TINY
    if total + slack < 0:
        return False
    for j in range(size):
        entry = side * row[j]
        if abs(entry) <= 1e-9:
            continue
        rest = total - entry * (high[j] if entry > 0 else low[j])
        bound = -(rest + slack) / entry
        if entry > 0:
            low[j] = max(low[j], bound - 4 * U * abs(bound))
        else:
            high[j] = min(high[j], bound + 4 * U * abs(bound))
    return True


@plain
def decided(row, off, low, high):
    """The sign of a row on a box, where there is room for the rounding of others who look at that; else 0."""
    room = 0.0
    for j in range(len(row)):
        room += ROOM * abs(row[j]) * max(abs(low[j]), abs(high[j]))
    if least(row, off, 1, low, high) > room:
        return 1
    return -1 if least(row, off, -1, low, high) > room else 0


@plain
def settled(problem, net, pattern, signs, first, end, low, high):
    """Fix the units of a level whose signs the box decides, but not what is recorded; how many are open still."""
    still = 0
    for k in range(first, end):
        if pattern[k] == 0 and net.recorded:
            still += 1
        elif pattern[k] == 0:
            row = net.place[k]
            if least(problem.rows[row], problem.off[row], 1, low, high) >= 0:
                pattern[k] = signs[row] = 1
            elif least(problem.rows[row], problem.off[row], -1, low, high) >= 0:
                pattern[k] = signs[row] = -1
            else:
                still += 1
    return still


@plain
def relax(net, pattern, known, low, high):
    """low_k ≤ R(z_k) ≤ up_k on a box, for all units: the first `known` ones are affine on the node."""
    size = net.base.shape[1]
    for k in range(len(net.weight)):
        below, above, error = net.low[k], net.up[k], net.slack[k]
        if k < known:
            for j in range(size):
                below[j] = above[j] = net.raw[k, j]
                error[j] = net.error[k, j]
        else:
            forward(net, k)
        if k < known and pattern[k] > 0:
            continue
        bottom, top = least(below, error, 1, low, high), -least(above, error, -1, low, high)
        if (k < known and pattern[k] < 0) or top <= 0:
            for j in range(size):
                below[j] = above[j] = error[j] = 0.0
        elif bottom < 0:
            if top <= -EVEN * bottom:
                for j in range(size):
                    below[j] = 0.0
            slope = top / (top - bottom)
            height = max(-slope * bottom, (1 - slope) * top) * (1 + 16 * U) + TINY
            for j in range(size):
                error[j] += 2 * U * abs(above[j]) + underflow(slope * above[j], above[j], error[j])
                above[j] *= slope
            above[size - 1] += height / low[size - 1] * (1 + 4 * U)
            error[size - 1] += 4 * U * abs(above[size - 1])


@plain
def forward(net, k):
    """z_k between two affine functions of x."""
    size = net.base.shape[1]
    below, above, error, magnitude = net.low[k], net.up[k], net.slack[k], net.magnitude
    terms = 4.0
    for j in range(size):
        below[j] = above[j] = net.base[k, j]
        error[j], magnitude[j] = net.lost[k, j], abs(net.base[k, j])
    for item in range(net.link_start[k], net.link_start[k + 1]):
        source, factor = net.link_unit[item], net.link_factor[item]
        terms += 1.0
        first, second = (net.low[source], net.up[source]) if factor > 0 else (net.up[source], net.low[source])
        for j in range(size):
            left, right, slack = factor * first[j], factor * second[j], net.slack[source, j]
            below[j] += left
            above[j] += right
            magnitude[j] += max(abs(left), abs(right))
            error[j] += abs(factor) * slack + underflow(left, first[j], slack) + underflow(right, second[j], slack)
    for j in range(size):
        error[j] = 1.001 * (error[j] + terms * U * magnitude[j])


@plain
def relaxed_f(net, side, base, error):
    """base: an affine function above side · f, with bounds on the errors of its entries."""
    size = len(base)
    magnitude = net.magnitude
    for j in range(size):
        base[j], error[j], magnitude[j] = side * net.output[j], net.output_lost[j], abs(net.output[j])
    terms = 4.0
    for k in range(len(net.weight)):
        weight = side * net.weight[k]
        if weight != 0:
            terms += 1.0
            bound = net.up[k] if weight > 0 else net.low[k]
            for j in range(size):
                term = weight * bound[j]
                base[j] += term
                magnitude[j] += abs(term)
                error[j] += abs(weight) * net.slack[k, j] + underflow(term, bound[j], net.slack[k, j])
    for j in range(size):
        error[j] = 1.001 * (error[j] + terms * U * magnitude[j])


@plain
def keeps_sign(problem, net, signs, pattern, x, known, low, high, work, state):
    """Whether f ≥ 0 on the node, or f < 0 on its closure up to faces of no account, by bounds over its box.

    What is recorded is to hold with room for others' rounding. state[6]: the number of rows that it takes.
    """
    relax(net, pattern, known, low, high)
    for k in range(len(work.facing)):
        work.facing[k] = 0
    for side in (-1, 1):
        relaxed_f(net, side, work.base, net.doubt)
        give_room(net, work.base, low, high)
        start = dot(work.base, x)
        if start > 0:
            continue
        state[6] = 0
        if least(work.base, net.doubt, -1, low, high) > 0:
            return True
        verdict, count, solved = program(problem.rows, signs, problem.units, problem.lengths, x, start, work)
        state[2] += solved > 0
        if verdict == VANISHES and (side < 0 or not touching(work, count, len(problem.rows), problem.inner)):
            relaxed_f(net, side, work.base, net.doubt)
            give_room(net, work.base, low, high)
            state[6] = count
            if positive(work, count, problem.off, problem.off_units, net.doubt):
                return True
    return False


@plain
def give_room(net, base, low, high):
    """Raise an affine function by a small share of its size on a box, where what it shows is recorded."""
    if net.recorded:
        last = len(base) - 1
        total = 0.0
        for j in range(last + 1):
            total += abs(base[j]) * max(abs(low[j]), abs(high[j]))
        base[last] += ROOM * total / low[last]
