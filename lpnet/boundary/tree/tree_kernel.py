# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators
"""The tree of a network with several hidden layers, compiled: depth first, level by level.

A node fixes the signs of all units of the levels before its own and of some of its own. Where all of its level are fixed, the
rows of the next level follow from the pattern: row_k = a_k + Σ C_kj row_j over the active j. They are kept in one table, which
is right for every node on the stack: what was unfolded for one cell is not needed when the next one comes to be unfolded.
What floats leave in doubt is handed back, and the stack waits.
"""

import numpy as np

from lpnet.boundary.tree.coefficient_kernel import proved
from lpnet.boundary.tree.level_kernel import bound, covered, crossing, far_side, measure
from lpnet.boundary.tree.nodes import ALIVE, CHECK_HIGH, CHECK_LOW, EMPTY, PRUNED_HIGH, PRUNED_LOW, SPLIT
from lpnet.boundary.tree.nodes import CHECK as POSSIBLE
from lpnet.boundary.tree.relax_kernel import decided, keeps_sign, only_box, put_chords, settled, shrink_boxes, shrink_by_all
from lpnet.boundary.walk import BOUNDED, NEGATIVE, NOT_NEGATIVE, OUTSIDE, PIECE
from lpnet.boundary.walk import EMPTY as EXCLUDED
from lpnet.boundary.walk import SPLIT as FORK
from lpnet.programs.certain_kernel import U, certain, underflow
from lpnet.programs.cone_kernel import copy, dot, plain

# Why the search came back: nothing is left, the work allowed is done or there is no room for more, a child to settle exactly, a
# level to unfold exactly, a cell to judge exactly, a bound of f to check exactly.
DONE, PAUSED, SETTLE, UNFOLD, DECIDE, CHECK = 0, 1, 2, 3, 4, 5
CLEAR = 8.0  # a gradient so many times as large as its error is not 0
SHORTEST = 1e-100
# What is counted of each level: nodes, those dropped with units open, cells without a piece; how often bounds over boxes were
# tried, held, and could have been tried; how many boxes were looked at, and how many programs that saved.
NODES, PRUNED, BARREN, TRIED, HELD, ASKED, LOOKED, SAVED = 0, 1, 2, 3, 4, 5, 6, 7
SELDOM = 6  # bounds that succeed less often cost more than they save
DEAR = 8  # boxes that are looked at in the time of a program
DROPPED = 4  # programs that a node would have taken, at least
UNKNOWN = -1  # not one of the verdicts on a node
NO_ROW = 1e-60  # a row so short is never looked at


@plain
def explore(problem, chorded, net, stack, found, out, work, state, steps):
    """Goes on until something stops it; see the constants. What it does is taken down in net.log, where net.recorded: then it
    has one box, cut by one row after the other, and no chords but those of `keeps_sign`, as the checker has it.

    state: nodes on the stack, pieces found, programs solved, unit in question, its side (0: both), and what is known of that.
    """
    last, log = len(net.start) - 2, net.log
    for _ in range(steps):
        if state[0] == 0:
            return DONE
        if state[0] + 1 >= len(stack.level) or state[1] == len(found.patterns):
            return PAUSED
        if net.recorded and log.written[0] + 2 * stack.pattern.shape[1] + 4 > len(log.nodes):
            return PAUSED
        top = state[0] - 1
        level = stack.level[top]
        if stack.fresh[top]:
            unfold(net, stack.pattern[top], level)
            if not place(problem, net, stack.pattern[top], level):
                return UNFOLD
            settle_constants(net, stack.signs[top], stack.pattern[top], level)
            stack.fresh[top] = False
        tally = net.tally[level]
        tally[NODES] += 1
        signs, pattern, x, above = stack.signs[top], stack.pattern[top], stack.x[top], stack.above[top]
        first, end = net.start[level], net.start[level + 1]
        measure(problem.rows, x, work.heights)
        still, alone, look = 0, -1, net.boxed and (net.recorded or worth_boxes(tally, stack.low.shape[1]))
        if look:
            low, high = stack.low[top], stack.high[top]
            before = count_open(pattern, first, end)
            if net.recorded:
                note_settled(problem, net, pattern, signs, first, end, low[0], high[0], log)
            elif stack.ended[top]:
                shrink_by_all(problem, net, signs, end, low, high)
            stack.ended[top] = False
            still = settled(problem, net, pattern, signs, first, end, low, high, level == last)
            tally[LOOKED], tally[SAVED] = tally[LOOKED] + len(low), tally[SAVED] + before - still
            alone = -1 if net.recorded else only_box(low)
            if problem.bounded and still and (level < last or alone < 0) and worth_it(tally):
                kept = keeps_sign(problem, net, signs, pattern, x, end, low, high, work, state)
                tally[TRIED], tally[HELD] = tally[TRIED] + 1, tally[HELD] + kept
                if kept:
                    tally[SAVED] += DROPPED
                    if net.recorded:
                        note_rows(log, BOUNDED, work.members, state[6], -1)
                    tally[PRUNED] += 1
                    drop(stack, found, state)
                    continue
        if level == last and problem.bounded and not stack.kept[top]:
            verdict = UNKNOWN
            if alone >= 0 and still:
                put_chords(problem, chorded, signs, low[alone], high[alone], net.fixed[alone])
                verdict = bound(chorded, signs, x, above, out, work)
                held = verdict in (PRUNED_LOW, PRUNED_HIGH)
                tally[TRIED], tally[HELD], tally[SAVED] = tally[TRIED] + 1, tally[HELD] + held, tally[SAVED] + DROPPED * held
            if verdict not in (SPLIT, PRUNED_LOW, PRUNED_HIGH):
                verdict = bound(problem, signs, x, above, out, work)
            if verdict in (CHECK_LOW, CHECK_HIGH):
                state[4] = -1 if verdict == CHECK_LOW else 1
                if net.recorded or not proved(problem, net, signs, pattern, level, -1, state[4], out.evidence, work):
                    return CHECK
                verdict = PRUNED_LOW if verdict == CHECK_LOW else PRUNED_HIGH
            if verdict != SPLIT:
                if net.recorded:
                    note_bound(log, NOT_NEGATIVE if verdict == PRUNED_LOW else NEGATIVE, out)
                tally[BARREN if choose(problem, net, pattern, work.heights, first, end, True) < 0 else PRUNED] += 1
                drop(stack, found, state)
                continue
        unit = choose(problem, net, pattern, work.heights, first, end, level == last)
        if unit >= 0:
            if not split(problem, net, stack, unit, look, out, work, state):
                return SETTLE
        elif level < last:
            stack.level[top] += 1
            stack.fresh[top] = stack.ended[top] = True
        elif not problem.bounded or crossing(problem, signs, x, above, work):
            if net.recorded:
                note(log, PIECE)
            emit(stack, found, state)
        else:
            return DECIDE
    return PAUSED


@plain
def worth_it(tally):
    """Whether bounds are to be tried on one more node of a level: always where one in so many succeeds, else now and then."""
    tally[ASKED] += 1
    return tally[TRIED] < 64 or tally[HELD] * SELDOM > tally[TRIED] or tally[ASKED] % 32 == 0


@plain
def worth_boxes(tally, boxes):
    """Whether a node's boxes are to be looked at: a single one, several where they save more than they cost, or now and then.

    Those of other nodes are left as they are, and hold them still.
    """
    return boxes == 1 or tally[LOOKED] < 64 * boxes or DEAR * tally[SAVED] > tally[LOOKED] or tally[NODES] % 32 == 0


@plain
def count_open(pattern, first, end):
    """How many units of a level have no sign yet."""
    count = 0
    for k in range(first, end):
        count += pattern[k] == 0
    return count


@plain
def drop(stack, found, state):
    """Nothing is left to do below the node on top."""
    state[0] -= 1
    found.share[0] += 2.0 ** -stack.depth[state[0]]


@plain
def emit(stack, found, state):
    """The cell on top is one of those that are looked for."""
    top = state[0] - 1
    for k in range(stack.pattern.shape[1]):
        found.patterns[state[1], k] = stack.pattern[top, k]
    copy(found.rays[state[1], 0], 1.0, stack.x[top])
    copy(found.rays[state[1], 1], 1.0, stack.above[top])
    state[1] += 1
    drop(stack, found, state)


@plain
def unfold(net, pattern, level):
    """row_k = a_k + Σ C_kj row_j of a level where the units before have these signs, and bounds on the errors."""
    size = net.base.shape[1]
    for k in range(net.start[level], net.start[level + 1]):
        raw, error, magnitude = net.raw[k], net.error[k], net.magnitude
        terms = 4.0
        for j in range(size):
            raw[j], error[j], magnitude[j] = net.base[k, j], net.lost[k, j], abs(net.base[k, j])
        for item in range(net.link_start[k], net.link_start[k + 1]):
            source, factor = net.link_unit[item], net.link_factor[item]
            if pattern[source] > 0:
                terms += 1.0
                for j in range(size):
                    term = factor * net.raw[source, j]
                    raw[j] += term
                    magnitude[j] += abs(term)
                    error[j] += abs(factor) * net.error[source, j] + underflow(term, net.raw[source, j], net.error[source, j])
        for j in range(size):
            error[j] = 1.001 * (error[j] + terms * U * magnitude[j])


@plain
def place(problem, net, pattern, level):
    """The rows of a level, of length 1, and f, if it is the last one; False where a gradient may be 0 but need not."""
    for k in range(net.start[level], net.start[level + 1]):
        if not place_row(problem, net, k):
            return False
    if level == len(net.start) - 2:
        place_f(problem, net, pattern, level)
    return True


@plain
def place_row(problem, net, k):
    """One row, with what its entries may be off by. Where z_k is constant its sign is known, and the row of no account."""
    raw, error, row = net.raw[k], net.error[k], net.place[k]
    last = len(raw) - 1
    gradient, doubt, constant = 0.0, 0.0, True
    for j in range(last):
        gradient += raw[j] * raw[j]
        doubt += error[j] * error[j]
        constant &= raw[j] == 0 and error[j] == 0
    net.constant[k] = constant
    if constant:
        for j in range(last):
            problem.rows[row, j] = problem.off[row, j] = 0.0
        problem.rows[row, last] = NO_ROW if raw[last] > 0 else -NO_ROW
        problem.off[row, last] = problem.off[row, last + 1] = 0.0
        return abs(raw[last]) > CLEAR * error[last] or (raw[last] == 0 and error[last] == 0)
    length = np.sqrt(gradient + raw[last] * raw[last])
    if not (gradient > CLEAR * CLEAR * doubt and length > SHORTEST):
        return False
    largest = 0.0
    for j in range(last + 1):
        problem.rows[row, j] = raw[j] / length
        problem.off[row, j] = 4 * U * abs(problem.rows[row, j]) + 1.001 * error[j] / length
        largest = max(largest, problem.off[row, j])
    problem.off[row, last + 1] = largest
    return True


@plain
def place_f(problem, net, pattern, level):
    """f on the last level: what the units before add to its affine part, and the units of the level with their weights."""
    size, first, end = net.base.shape[1], net.start[level], net.start[level + 1]
    magnitude = net.magnitude
    for j in range(size):
        problem.affine[j], problem.error[j], magnitude[j] = net.output[j], net.output_lost[j], abs(net.output[j])
    for k in range(end):
        if (k >= first or pattern[k] > 0) and net.weight[k] != 0:
            for j in range(size):
                term = net.weight[k] * net.raw[k, j]
                problem.error[j] += abs(net.weight[k]) * net.error[k, j] + underflow(term, net.raw[k, j], net.error[k, j])
                magnitude[j] += abs(term)
                if k < first:
                    problem.affine[j] += term
    if problem.chorded:
        for k in range(end - first):
            for j in range(size):
                magnitude[j] += abs(problem.chords[k, j])
    for k in range(first, end):
        length = 0.0
        for j in range(size):
            term = abs(net.weight[k]) * net.raw[k, j]
            problem.units[k - first, j] = term
            missing = abs(net.weight[k]) * net.error[k, j] + underflow(term, net.raw[k, j], net.error[k, j])
            problem.off_units[k - first, j] = 1.001 * missing + 4 * U * abs(term)
            length += term * term
        problem.lengths[k - first] = np.sqrt(length)
    for j in range(size):
        problem.error[j] = 1.001 * (problem.error[j] + 2 * (end + 8) * U * magnitude[j])


@plain
def settle_constants(net, signs, pattern, level):
    """The signs of units that are constant on the cell."""
    last = net.base.shape[1] - 1
    for k in range(net.start[level], net.start[level + 1]):
        if net.constant[k]:
            pattern[k] = signs[net.place[k]] = 1 if net.raw[k, last] > 0 else -1


@plain
def choose(problem, net, pattern, heights, first, end, turns):
    """The unit of a level to fix next: of those whose turn it is, the one whose hyperplane is farthest from x."""
    best, height = -1, 0.0
    for k in range(first, end):
        if pattern[k] == 0:
            far = abs(heights[net.place[k]])
            earlier = best < 0 or (turns and problem.turn[k - first] < problem.turn[best - first])
            level = not turns or best < 0 or problem.turn[k - first] == problem.turn[best - first]
            if earlier or (level and far > height):
                best, height = k, far
    return best


@plain
def split(problem, net, stack, unit, look, out, work, state):
    """Look for a point on either side of a unit's hyperplane, and put the children on the stack in the node's place.

    look: whether its boxes are cut. False where the side in state[4] is to be settled exactly, the unit in state[3]; that of x
    is on the stack before.
    """
    top = state[0] - 1
    row = net.place[unit]
    signs, x = stack.signs[top], stack.x[top]
    here = certain(problem.rows[row], x, problem.off[row])
    for k in range(len(work.facing)):
        work.facing[k] = 0
    state[3] = unit
    if here == 0:
        here = stepped_off(problem, signs, x, row, out, work)
    if here == 0:
        state[4] = 0
        return False
    stack.depth[top] += 1
    pattern, level, proof, stem = stack.pattern[top], stack.level[top], out.evidence, -1
    if unit < net.start[1]:
        pattern[unit] = -here
        stem = covered(net.stems, pattern, unit, -here)
    if stem >= 0:
        fate = EMPTY
    else:
        copy(work.base, -here, problem.rows[row])
        fate = far_side(problem, signs, x, row, -here, out, work)
    if fate == POSSIBLE and not net.recorded and proved(problem, net, signs, pattern, level, unit, -here, proof, work):
        fate = EMPTY
    if net.recorded and fate in (ALIVE, EMPTY):
        log = net.log
        note(log, FORK + 2 * unit + (here < 0))
        if stem >= 0:
            note_rows(log, EXCLUDED, net.stems.rows[stem], net.stems.rows.shape[1], -1)
        elif fate == EMPTY:
            note_rows(log, EXCLUDED, proof, len(proof), row)
    if fate == ALIVE:
        fork(stack, state)
        copy(stack.x[top + 1], 1.0, work.trial)
        stack.signs[top + 1, row] = stack.pattern[top + 1, unit] = -here
        # It stays where it lies.
        stack.above[top if here * dot(problem.rows[row], stack.above[top]) < 0 else top + 1, 0] = np.nan
        if look:
            shrink_boxes(problem, row, -here, stack.low[top + 1], stack.high[top + 1])
    if look and fate in (ALIVE, EMPTY):
        shrink_boxes(problem, row, here, stack.low[top], stack.high[top])
    stack.pattern[top, unit] = here
    if net.recorded or fate != EMPTY or row < len(problem.turn):  # else the other rows imply it
        signs[row] = here
    if fate == ALIVE:
        stack.ended[top] = stack.ended[top + 1] = True
        return True
    if fate == EMPTY:
        stack.depth[top] -= 1  # its share stays with the other one
        return True
    state[4], state[5] = -here, fate
    return False


@plain
def stepped_off(problem, signs, x, row, out, work):
    """Move x, which may lie on a hyperplane, to a point of the node that surely lies on one side; returns that, or 0."""
    for side in (-1, 1):
        copy(work.base, side, problem.rows[row])
        if far_side(problem, signs, x, row, side, out, work) == ALIVE:
            copy(x, 1.0, work.trial)
            measure(problem.rows, x, work.heights)
            return side
    return 0


@plain
def fork(stack, state):
    """A copy of the node on top, on top of it."""
    top = state[0] - 1
    state[0] += 1
    for k in range(stack.signs.shape[1]):
        stack.signs[top + 1, k] = stack.signs[top, k]
    for k in range(stack.pattern.shape[1]):
        stack.pattern[top + 1, k] = stack.pattern[top, k]
    copy(stack.x[top + 1], 1.0, stack.x[top])
    copy(stack.above[top + 1], 1.0, stack.above[top])
    for b in range(stack.low.shape[1]):
        copy(stack.low[top + 1, b], 1.0, stack.low[top, b])
        copy(stack.high[top + 1, b], 1.0, stack.high[top, b])
    stack.level[top + 1], stack.depth[top + 1] = stack.level[top], stack.depth[top]
    stack.kept[top + 1], stack.fresh[top + 1] = stack.kept[top], False
    for o in range(stack.alive.shape[1]):
        stack.alive[top + 1, o] = stack.alive[top, o]
    stack.ended[top + 1] = stack.ended[top]


@plain
def note(log, node):
    """Take down a node."""
    log.nodes[log.written[0]] = node
    log.written[0] += 1


@plain
def note_rows(log, kind, rows, count, first):
    """Take down a leaf with some of the rows that show it, and one more before them, if any."""
    note(log, kind)
    shown = log.rows[log.written[1]]
    at = 0
    for k in range(len(shown)):
        shown[k] = -1
    if first >= 0:
        shown[0], at = first, 1
    for c in range(count):
        if rows[c] >= 0:
            shown[at] = rows[c]
            at += 1
    log.written[1] += 1


@plain
def note_bound(log, kind, out):
    """Take down a leaf with a bound of f on the last level: its rows, and the units with a share of 1."""
    full, facing = log.full[log.written[1]], out.facing
    for k in range(len(full)):
        full[k] = facing[k] < 0
    rows, base = out.evidence, log.base[0]
    for c in range(len(rows)):
        if rows[c] >= base:
            full[rows[c] - base] = 0
    note_rows(log, kind, rows, len(rows), -1)


@plain
def note_settled(problem, net, pattern, signs, first, end, low, high, log):
    """Fix the units of a level whose signs the box decides, with room, and take that down; no others are to be settled."""
    for k in range(first, end):
        if pattern[k] == 0:
            row = net.place[k]
            side = decided(problem.rows[row], problem.off[row], low, high)
            if side != 0:
                pattern[k] = signs[row] = side
                note(log, FORK + 2 * k + (side < 0))
                note(log, OUTSIDE)
