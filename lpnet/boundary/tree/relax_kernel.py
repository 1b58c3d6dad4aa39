# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators
"""Bounds of f on a node within boxes, compiled: every unit still open is put between two affine functions.

In homogeneous coordinates y one of them is fixed in a box: the last one, 1, where a node has but one box on a bounded domain,
and any other one where the node is covered by the rays through several boxes (`boxes.boxes_around`).
R(z) ≥ 0, R(z) ≥ z, and R(z) ≤ αz + β, the chord over [l, u] ∋ z (Zhang et al. 2018, Singh et al. 2019: CROWN, DeepPoly).
Forward: z_k of later levels lies between a_k + Σ C⁺ low_j + Σ C⁻ up_j and the same with low and up exchanged, and so does f.
Each function comes with a bound on the errors of its entries; l and u are rounded outwards, β upwards.
"""

import numpy as np

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
    """Cut a box by side · row · y ≥ 0, coordinate by coordinate. False where nothing is left of it."""
    size = len(row)
    total, slack = 0.0, 0.0
    for j in range(size):
        entry = side * row[j]
        total += entry * (high[j] if entry > 0 else low[j])
        slack += (4 * (size + 2) * U * abs(entry) + 2 * off[j]) * max(abs(low[j]), abs(high[j]))
    slack += TINY
    if total + slack < 0:
        return False
    for j in range(size):
        entry = side * row[j]
        if abs(entry) <= 1e-9 or low[j] == high[j]:
            continue
        rest = total - entry * (high[j] if entry > 0 else low[j])
        bound = -(rest + slack) / entry
        if entry > 0:
            low[j] = max(low[j], bound - 4 * U * abs(bound))
        else:
            high[j] = min(high[j], bound + 4 * U * abs(bound))
        if low[j] > high[j]:
            return False
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
def shrink_boxes(problem, row, side, low, high):
    """Cut each of a node's boxes by side · row · y ≥ 0, (boxes, D); one of which nothing is left becomes NaN."""
    for b in range(len(low)):
        if not np.isnan(low[b, 0]) and not shrink(problem.rows[row], problem.off[row], side, low[b], high[b]):
            low[b, 0] = np.nan


@plain
def shrink_by_all(problem, net, signs, end, low, high):
    """Cut a node's boxes by all rows that have a sign there, of the units up to `end` and the domain."""
    for k in range(end + len(signs) - 1 - len(net.place)):
        row = net.place[k] if k < end else len(net.place) + k - end
        if signs[row]:
            shrink_boxes(problem, row, signs[row], low, high)


@plain
def settled(problem, net, pattern, signs, first, end, low, high, held):
    """Fix the units of a level whose signs the boxes decide, but not what is recorded; how many are open still.

    held: whether their rows join those of the node, which imply them.
    """
    still = 0
    for k in range(first, end):
        if pattern[k] == 0 and net.recorded:
            still += 1
        elif pattern[k] == 0:
            row = net.place[k]
            side = side_of(problem.rows[row], problem.off[row], low, high)
            if side:
                pattern[k] = side
                if held:
                    signs[row] = side
            else:
                still += 1
    return still


@plain
def side_of(row, off, low, high):
    """The sign that a row has on all boxes, up to zeros; 0 for none."""
    found = 0
    for b in range(len(low)):
        if np.isnan(low[b, 0]):
            continue
        if found >= 0 and least(row, off, 1, low[b], high[b]) >= 0:
            found = 1
        elif found <= 0 and least(row, off, -1, low[b], high[b]) >= 0:
            found = -1
        else:
            return 0
    return found


@plain
def relax(net, pattern, known, low, high, fixed):
    """low_k ≤ R(z_k) ≤ up_k on a box, for all units: the first `known` ones are affine on the node; fixed: a coordinate."""
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
            slope, height = chord_over(bottom, top)
            for j in range(size):
                error[j] += 2 * U * abs(above[j]) + underflow(slope * above[j], above[j], error[j])
                above[j] *= slope
            above[fixed] += height / low[fixed]
            error[fixed] += 4 * U * (abs(above[fixed]) + height / abs(low[fixed]))


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
def relaxed(net, side, output, lost, weights, base, error):
    """base: an affine function above side · (output + Σ weights_k R(z_k)) on the box of `relax`, with bounds on the errors of
    its entries; lost: what underflow took of the output.
    """
    size = len(base)
    magnitude = net.magnitude
    for j in range(size):
        base[j], error[j], magnitude[j] = side * output[j], lost[j], abs(output[j])
    terms = 4.0
    for k in range(len(weights)):
        weight = side * weights[k]
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
def only_box(low):
    """The number of the one box that is not empty, or −1."""
    found = -1
    for b in range(len(low)):
        if not np.isnan(low[b, 0]):
            if found >= 0:
                return -1
            found = b
    return found


@plain
def put_chords(problem, chorded, signs, low, high, fixed):
    """The chords of the open units of the last level over a box, and what they add to the errors of f."""
    size = len(low)
    for j in range(size):
        chorded.error[j] = problem.error[j]
    for k in range(len(problem.turn)):
        if signs[k] == 0:
            unit, off, chord = problem.units[k], problem.off_units[k], chorded.chords[k]
            bottom, top = least(unit, off, 1, low, high), -least(unit, off, -1, low, high)
            slope, height = chord_over(bottom, top)
            for j in range(size):
                chord[j] = slope * unit[j]
                missing = slope * off[j] + underflow(chord[j], unit[j], off[j])
                chorded.error[j] += 1.001 * missing + 4 * len(problem.rows) * U * abs(chord[j])
            chord[fixed] += height / low[fixed]
            chorded.error[fixed] += 4 * len(problem.rows) * U * height / abs(low[fixed])


@plain
def chord_over(bottom, top):
    """α, β with R(z) ≤ αz + β for bottom ≤ z ≤ top, as they are in floats."""
    if top <= 0:
        return 0.0, 0.0
    if bottom >= 0:
        return 1.0, 0.0
    slope = top / (top - bottom)
    return slope, max(-slope * bottom, (1 - slope) * top) * (1 + 16 * U) + TINY


@plain
def keeps_sign(problem, net, signs, pattern, x, known, low, high, work, state):
    """Whether f ≥ 0 on the node, or f < 0 on its closure up to faces of no account, by bounds over all of its boxes.

    What is recorded is to hold with room for others' rounding. state[6]: the number of rows that it takes, of the last box.
    """
    for k in range(len(work.facing)):
        work.facing[k] = 0
    found = 0
    for b in range(len(low)):
        if np.isnan(low[b, 0]):
            continue
        relax(net, pattern, known, low[b], high[b], net.fixed[b])
        if found <= 0 and one_sign(problem, net, signs, -1, x, low[b], high[b], work, state):
            found = -1
        elif found >= 0 and one_sign(problem, net, signs, 1, x, low[b], high[b], work, state):
            found = 1
        else:
            return False
    return found != 0


@plain
def one_sign(problem, net, signs, side, x, low, high, work, state):
    """Whether side · f < 0 (side > 0) or ≤ 0 within a box, up to faces of no account, by the bounds of `relax`."""
    relaxed(net, side, net.output, net.output_lost, net.weight, work.base, net.doubt)
    give_room(net, work.base, low, high)
    state[6] = 0
    if least(work.base, net.doubt, -1, low, high) > 0:
        return True
    start = dot(work.base, x)
    if start > 0:
        return False
    verdict, count, solved = program(problem.rows, signs, problem.units, problem.lengths, x, start, work)
    state[2] += solved > 0
    if verdict != VANISHES or (side > 0 and touching(work, count, len(problem.rows), problem.inner)):
        return False
    relaxed(net, side, net.output, net.output_lost, net.weight, work.base, net.doubt)
    give_room(net, work.base, low, high)
    state[6] = count
    return positive(work, count, problem.off, problem.off_units, net.doubt)


@plain
def give_room(net, base, low, high):
    """Raise an affine function by a small share of its size on a box, where what it shows is recorded."""
    if net.recorded:
        last = len(base) - 1
        total = 0.0
        for j in range(last + 1):
            total += abs(base[j]) * max(abs(low[j]), abs(high[j]))
        base[last] += ROOM * total / low[last]
