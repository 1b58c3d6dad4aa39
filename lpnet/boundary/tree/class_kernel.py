# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators
"""The tree of a network with several outputs, compiled: cells as in `tree_kernel`, and on each of them the classes that meet.

A node keeps the outputs that may still be the largest. One is discarded where another exceeds it all over the node; a node on
which one class is left has no boundary. On a cell all outputs are affine: from a point where output o is the largest, a program
with k − 2 more rows, s_o > s_q, looks for a point where s_j > s_o. If there is one, the two meet on the way there, and o's
neighbours are met one after the other until none is new. What floats leave in doubt is handed back.
"""

import numpy as np

from lpnet.boundary.tree.level_kernel import measure
from lpnet.boundary.tree.relax_kernel import least, only_box, relax, relaxed, settled, shrink_by_all
from lpnet.boundary.tree.tree_kernel import (
    CLEAR,
    DECIDE,
    DONE,
    HELD,
    PAUSED,
    SETTLE,
    SHORTEST,
    TRIED,
    UNFOLD,
    choose,
    drop,
    place_row,
    settle_constants,
    split,
    unfold,
    worth_it,
)
from lpnet.programs.certain_kernel import U, certain, inside, positive, underflow
from lpnet.programs.cone_kernel import FOUND, VANISHES, copy, dot, plain, program


@plain
def explore_classes(problem, net, outputs, stack, found, out, work, state, steps):
    """Goes on until something stops it; see `tree_kernel.explore`, also for `state`."""
    last = len(net.start) - 2
    room = len(outputs.row)  # a cell has no more pieces than pairs
    for _ in range(steps):
        if state[0] == 0:
            return DONE
        if state[0] + 1 >= len(stack.level) or state[1] + room > len(found.patterns):
            return PAUSED
        top = state[0] - 1
        level = stack.level[top]
        first, end = net.start[level], net.start[level + 1]
        if stack.fresh[top]:
            unfold(net, stack.pattern[top], level)
            for k in range(first, end):
                if not place_row(problem, net, k):
                    return UNFOLD
            settle_constants(net, stack.signs[top], stack.pattern[top], level)
            stack.fresh[top] = False
        signs, pattern, x = stack.signs[top], stack.pattern[top], stack.x[top]
        measure(problem.rows, x, work.heights)
        if net.boxed:
            low, high, tally, alive = stack.low[top], stack.high[top], net.tally[level], stack.alive[top]
            if stack.ended[top]:
                shrink_by_all(problem, net, signs, end, low, high)
                stack.ended[top] = False
            still, b = settled(problem, net, pattern, signs, first, end, low, high, level == last), only_box(low)
            if still and b >= 0 and worth_it(tally):
                relax(net, pattern, end, low[b], high[b], net.fixed[b])
                kept = one_class(problem, net, outputs, signs, x, alive, low[b], high[b], work, state)
                tally[TRIED], tally[HELD] = tally[TRIED] + 1, tally[HELD] + kept
                if kept:
                    drop(stack, found, state)
                    continue
        unit = choose(problem, net, pattern, work.heights, first, end, False)
        if unit >= 0:
            if not split(problem, net, stack, unit, net.boxed, out, work, state):
                return SETTLE
        elif level < last:
            stack.level[top] += 1
            stack.fresh[top] = stack.ended[top] = True
        else:
            before = state[1]
            if not meet(problem, net, outputs, stack, found, work, state):
                state[1] = before
                return DECIDE
            drop(stack, found, state)
    return PAUSED


@plain
def one_class(problem, net, outputs, signs, x, alive, low, high, work, state):
    """Whether one class is left on a node; discards outputs by bounds over its box, the most likely ones to stay last."""
    best = largest(net, outputs, alive, x)
    for k in range(len(work.facing)):
        work.facing[k] = 0
    for j in range(len(alive)):
        if alive[j] and j != best:
            relaxed_difference(net, outputs, j, best, work.base, net.doubt)
            outputs.height[j] = dot(work.base, x) / np.sqrt(dot(work.base, work.base))
            alive[j] = not least(work.base, net.doubt, -1, low, high) > 0
    while True:
        hardest = -1
        for j in range(len(alive)):
            rival = alive[j] and outputs.label[j] != outputs.label[best]
            if rival and (hardest < 0 or outputs.height[j] > outputs.height[hardest]):
                hardest = j
        if hardest < 0:
            return True
        if not outputs.height[hardest] <= 0:
            return False
        relaxed_difference(net, outputs, hardest, best, work.base, net.doubt)
        start = dot(work.base, x)
        verdict, count, solved = program(problem.rows, signs, problem.units, problem.lengths, x, start, work)
        state[2] += solved > 0
        if verdict != VANISHES or single(work, count, problem.inner):
            return False
        relaxed_difference(net, outputs, hardest, best, work.base, net.doubt)
        if not positive(work, count, problem.off, problem.off_units, net.doubt):
            return False
        alive[hardest] = False


@plain
def single(work, count, inner):
    """Whether a proof of φ ≤ 0 leaves room for φ = 0 on a whole facet inside the domain: no row but a unit's is in it."""
    return count == 0 or (count == 1 and work.members[0] < inner)


@plain
def largest(net, outputs, alive, x):
    """Which of the outputs that are left is the largest at x, as far as floats can see."""
    values = outputs.values
    for k in range(len(values)):
        total = dot(net.base[k], x)
        for item in range(net.link_start[k], net.link_start[k + 1]):
            total += net.link_factor[item] * values[net.link_unit[item]]
        values[k] = max(total, 0.0)
    best = -1
    for o in range(len(alive)):
        if alive[o]:
            if best < 0:
                best = o
                continue
            p = outputs.number[best, o]
            total = dot(outputs.affine[p], x)
            for k in range(len(values)):
                total += outputs.weight[p, k] * values[k]
            if total < 0:
                best = o
    return best


@plain
def relaxed_difference(net, outputs, i, j, base, error):
    """base: an affine function above s_i − s_j on the box of `relax`, with bounds on the errors of its entries."""
    p = outputs.number[i, j]
    relaxed(net, 1.0 if i < j else -1.0, outputs.affine[p], outputs.lost[p], outputs.weight[p], base, error)


@plain
def compare(net, outputs, pattern, i, j):
    """s_i − s_j on the cell, of length 1; False where it may be constant, or may be too short for floats."""
    p, size = outputs.number[i, j], net.base.shape[1]
    row, off, magnitude = outputs.row[p], outputs.off[p], net.magnitude
    for c in range(size):
        row[c], off[c], magnitude[c] = outputs.affine[p, c], outputs.lost[p, c], abs(outputs.affine[p, c])
    terms = 4.0
    for k in range(len(pattern)):
        weight = outputs.weight[p, k]
        if pattern[k] > 0 and weight != 0:
            terms += 1.0
            for c in range(size):
                term = weight * net.raw[k, c]
                row[c] += term
                magnitude[c] += abs(term)
                off[c] += abs(weight) * net.error[k, c] + underflow(term, net.raw[k, c], net.error[k, c])
    gradient, doubt = 0.0, 0.0
    for c in range(size):
        off[c] = 1.001 * (off[c] + terms * U * magnitude[c])
        if c < size - 1:
            gradient += row[c] * row[c]
            doubt += off[c] * off[c]
    length = np.sqrt(gradient + row[size - 1] * row[size - 1])
    if not (gradient > CLEAR * CLEAR * doubt and length > SHORTEST):
        return False
    for c in range(size):
        row[c] /= length
        off[c] = 4 * U * abs(row[c]) + 1.001 * off[c] / length
    return True


@plain
def meet(problem, net, outputs, stack, found, work, state):
    """Note all pieces on the cell on top; False where floats do not know them."""
    top = state[0] - 1
    alive, pattern, x = stack.alive[top], stack.pattern[top], stack.x[top]
    count = len(alive)
    for i in range(count):
        for j in range(i + 1, count):
            if alive[i] and alive[j] and not compare(net, outputs, pattern, i, j):
                return False
    best = leader(outputs, alive, x)
    if best < 0:
        return False
    copy_rows(problem, stack.signs[top], outputs.rest)
    queue, seen, done = outputs.queue, outputs.seen, outputs.done
    seen[:] = False
    done[:] = False
    queue[0], seen[best] = best, True
    copy(outputs.points[best], 1.0, x)
    length, at = 1, 0
    while at < length:
        o = queue[at]
        at += 1
        for j in range(count):
            if not alive[j] or j == o or done[outputs.number[o, j]]:
                continue
            done[outputs.number[o, j]] = True
            verdict = neighbour(problem, outputs, len(stack.signs[top]), alive, o, j, work, state)
            if verdict < 0:
                return False
            if verdict > 0:
                if outputs.label[o] != outputs.label[j]:
                    note(outputs, found, pattern, o, j, work, state)
                if not seen[j]:
                    seen[j] = True
                    copy(outputs.points[j], 1.0, work.trial)
                    queue[length] = j
                    length += 1
    return True


@plain
def leader(outputs, alive, x):
    """The output that exceeds all others left at x for certain, or −1."""
    for o in range(len(alive)):
        if alive[o]:
            ahead = True
            for q in range(len(alive)):
                if alive[q] and q != o:
                    p = outputs.number[o, q]
                    ahead &= certain(outputs.row[p], x, outputs.off[p]) == (1 if o < q else -1)
            if ahead:
                return o
    return -1


@plain
def copy_rows(problem, signs, rest):
    """The rows of the cell, before those of the comparisons."""
    size = rest.rows.shape[1]
    for i in range(len(signs)):
        rest.signs[i] = signs[i]
        rest.off[i, size] = problem.off[i, size]
        for c in range(size):
            rest.rows[i, c], rest.off[i, c] = problem.rows[i, c], problem.off[i, c]


@plain
def neighbour(problem, outputs, own, alive, o, j, work, state):
    """Whether s_j > s_o > all others somewhere on a cell, at work.trial then: 1, 0, or −1 for what floats do not know.

    From a point of the cell where o is ahead; the cell has `own` rows, in outputs.rest.
    """
    rest, size = outputs.rest, len(work.base)
    for q in range(len(alive)):
        p = outputs.number[o, q]
        rest.signs[own + q] = 0
        if alive[q] and q != o and q != j:
            largest_off = 0.0
            for c in range(size):
                rest.rows[own + q, c] = outputs.row[p, c]
                rest.off[own + q, c] = outputs.off[p, c]
                largest_off = max(largest_off, outputs.off[p, c])
            rest.off[own + q, size] = largest_off
            rest.signs[own + q] = 1 if o < q else -1
    x, p = outputs.points[o], outputs.number[o, j]
    measure(rest.rows, x, rest.work.heights)
    for k in range(len(rest.work.facing)):
        rest.work.facing[k] = 0
    side = -1.0 if o < j else 1.0
    copy(rest.work.base, side, outputs.row[p])
    start = min(0.0, dot(rest.work.base, x))
    verdict, count, solved = program(rest.rows, rest.signs, problem.units, problem.lengths, x, start, rest.work)
    state[2] += solved > 0
    if verdict == FOUND:
        copy(work.trial, 1.0, rest.work.trial)
        if inside(rest.rows, rest.off, rest.signs, work.trial) and certain(outputs.row[p], work.trial, outputs.off[p]) == side:
            return 1
        return -1
    if verdict != VANISHES or count == 0:
        return -1
    if count == 1:
        member = rest.work.members[0]
        if member >= own or (member < problem.inner and j < o):
            return -1
    copy(rest.work.base, side, outputs.row[p])
    return 0 if positive(rest.work, count, rest.off, problem.off_units, outputs.off[p]) else -1


@plain
def note(outputs, found, pattern, o, j, work, state):
    """A piece between two outputs, on the way from the one's point to the other's."""
    number = state[1]
    for k in range(len(pattern)):
        found.patterns[number, k] = pattern[k]
    copy(found.rays[number, 1 if o < j else 0], 1.0, outputs.points[o])
    copy(found.rays[number, 0 if o < j else 1], 1.0, work.trial)
    outputs.pairs[number, 0], outputs.pairs[number, 1] = min(o, j), max(o, j)
    state[1] += 1
