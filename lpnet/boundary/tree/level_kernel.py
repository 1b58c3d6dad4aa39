"""One node of the tree on its last level, compiled: bounds of f, the far side of a unit, circuits known so far.

A node is a partial sign vector with a point x whose signs are certain. Everything that is said to be so here is certain,
by `lpnet.programs.certain_kernel` or by a circuit known to be exact; the rest is handed back to be settled.
"""

import numpy as np

from lpnet.boundary.tree.nodes import (
    ALIVE,
    CHECK,
    CHECK_HIGH,
    CHECK_LOW,
    EMPTY,
    PRUNED_HIGH,
    PRUNED_LOW,
    SPLIT,
    UNSETTLED,
)
from lpnet.programs.certain_kernel import certain, inside, positive
from lpnet.programs.cone_kernel import FOUND, UNDECIDED, VANISHES, add_row, copy, dot, dot_row, plain, program


@plain
def measure(rows, x, heights):
    """heights = rows · x."""
    for i in range(len(rows)):
        heights[i] = dot_row(rows, i, x)


@plain
def bounding(problem, signs, side, x, work):
    """Set up φ ≥ side · f, concave, on a node: the units that bend side · f upwards are replaced by their chords.

    False where they have none. φ(x) is then base · x.
    """
    for k in range(len(problem.turn)):
        work.facing[k] = 0
        if signs[k] == 0 and problem.outputs[k] == side:
            if not problem.chorded:
                return False
        elif signs[k] == 0:
            work.facing[k] = -1 if dot_row(problem.units, k, x) > 0 else 1
    assemble(problem, signs, side, work)
    return True


@plain
def assemble(problem, signs, side, work):
    """base = b_T for the T that `facing` tells, a sum of at most m + 1 terms."""
    base, units, outputs, facing = work.base, problem.units, problem.outputs, work.facing
    copy(base, side, problem.affine)
    for k in range(len(problem.turn)):
        if signs[k] > 0:
            add_row(base, side * outputs[k], units, k)
        elif signs[k] == 0 and facing[k] < 0:
            add_row(base, -1.0, units, k)
        elif signs[k] == 0 and facing[k] == 0:
            add_row(base, 1.0, problem.chords, k)


@plain
def bound(problem, signs, x, above, out, work):
    """Whether a node can be pruned because f ≥ 0 all over it, or f < 0 on its closure, up to faces of no account.

    Where f < 0 somewhere, x is moved there; where f > 0 somewhere, `above` is.
    """
    for side in (-1, 1):
        if side > 0 and not np.isnan(above[0]) and bounding(problem, signs, side, above, work) and dot(work.base, above) > 0:
            continue
        if not bounding(problem, signs, side, x, work):
            continue
        start = dot(work.base, x)
        if start > 0:
            if side > 0:
                copy(above, 1.0, x)
            continue
        verdict, count, solved = program(problem.rows, signs, problem.units, problem.lengths, x, start, work)
        out.programs[0] += solved > 0
        if verdict == FOUND:
            if side > 0:
                copy(above, 1.0, work.trial)
            elif inside(problem.rows, problem.off, signs, work.trial):
                copy(x, 1.0, work.trial)
                measure(problem.rows, x, work.heights)
        elif verdict == VANISHES and (side < 0 or not touching(work, count, len(problem.rows), problem.inner)):
            assemble(problem, signs, side, work)
            proved = positive(work, count, problem.off, problem.off_units, problem.error)
            if problem.recorded or not proved:
                note(work, count, out)
            if proved:
                return PRUNED_LOW if side < 0 else PRUNED_HIGH
            return CHECK_LOW if side < 0 else CHECK_HIGH
    return SPLIT


@plain
def touching(work, count, rows, inner):
    """Whether a proof of f ≤ 0 leaves room for a piece: f ≤ −Σ λ_i s_i h_i is 0 only where all these h_i are.

    That is a whole facet inside the domain only if just one of them takes part, a unit (or none does, and f may be 0);
    inner: as many rows are units, of this level and those before.
    """
    found, last = 0, -1
    for c in range(count):
        if work.members[c] < rows:
            found, last = found + 1, work.members[c]
    return found == 0 or (found == 1 and last < inner)


@plain
def note(work, count, out):
    """Leave a proof."""
    for c in range(len(work.members)):
        out.evidence[c] = work.members[c] if c < count else -1
    for k in range(len(work.facing)):
        out.facing[k] = work.facing[k]


@plain
def crossing(problem, signs, x, above, work):
    """Whether f takes both signs in a cell, with certainty: f(x) < 0 < f(above)."""
    if np.isnan(above[0]) or not inside(problem.rows, problem.off, signs, above):
        return False
    bounding(problem, signs, 1, x, work)
    return certain(work.base, x, problem.error) < 0 and certain(work.base, above, problem.error) > 0


@plain
def far_side(problem, signs, x, unit, side, out, work):
    """Whether a node has points on one side of a unit's hyperplane, on which x does not lie for certain: work.trial is one."""
    start = side * work.heights[unit]
    verdict, count, solved = program(problem.rows, signs, problem.units, problem.lengths, x, min(start, 0.0), work)
    out.programs[0] += solved > 0
    if verdict == FOUND:
        signs[unit] = side
        found = inside(problem.rows, problem.off, signs, work.trial)
        signs[unit] = 0
        return ALIVE if found else UNSETTLED
    if verdict == UNDECIDED:
        return UNSETTLED
    copy(work.y, 1.0, problem.off[unit])
    proved = positive(work, count, problem.off, problem.off_units, work.y)
    if problem.recorded or not proved:
        note(work, count, out)
    return EMPTY if proved else CHECK


@plain
def covered(stems, signs, unit, side):
    """The number of a circuit known so far that a node contradicts, or −1."""
    bucket = 2 * unit + (side > 0)
    if stems.counts[bucket] == 0:
        return -1
    words = stems.masks.shape[2] // 2
    lacking = np.full(2 * words, ~np.uint64(0))  # units that are not positive, units that are not negative
    for k in range(len(stems.counts) // 2):
        if signs[k]:
            lacking[k // 64 + (words if signs[k] < 0 else 0)] &= ~(np.uint64(1) << np.uint64(k % 64))
    for number in range(stems.counts[bucket] - 1, -1, -1):  # the latest is the likeliest
        missing = np.uint64(0)
        for w in range(2 * words):
            missing |= stems.masks[bucket, number, w] & lacking[w]
        if missing == 0:
            return stems.numbers[bucket, number]
    return -1
