"""The small program behind every node of the tree, compiled: is φ > 0 somewhere in a cone?

Everything is homogeneous: a point x of R^d is the ray of (x, 1) in R^D, D = d+1, and a form is one vector of R^D.
The cone is {y: s_i h_i·y ≥ 0 for the rows i with s_i ≠ 0}, and φ is concave: φ(y) = b·y − Σ_k R(F_k·y) over some units.

φ is the least of the b_T·y, b_T = b − Σ_{k∈T} F_k, so φ ≤ 0 on the whole cone just where 0 = b − Σ θ_k F_k + Σ λ_i s_i h_i
for some θ ∈ [0, 1], λ ≥ 0. The right-hand side of least length is found by an active set method (Lawson & Hanson's for
non-negative least squares, here with bounds 1 too). If it is not 0 it is itself a point y of the cone with φ(y) = |y|² > 0.
Long before it is least, x + τy may do: x is a point inside the cone, and φ(x + τy) ≥ φ(x) + τφ(y), so a ratio test tells.

All of this only proposes. `lpnet.programs.certain_kernel` says what is certain.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lpnet.compiled import compiled

plain = compiled()
any_order = compiled(fastmath={"reassoc", "contract"})

FOUND, VANISHES, UNDECIDED = 0, 1, 2
# Shares of a vector's length that count as nothing when the next step is chosen.
NOTHING = 1e-11
Floats = NDArray[np.float64]


class Work(NamedTuple):
    """What a program needs while it runs, and leaves behind.

    base: b_T, (D,); y: the least vector so far, (D,); members: the c_j with b_T + Σ z_j c_j = y, as numbers of rows, or
    R + k for a unit of φ, (D,); columns: the c_j, (D, D); basis, triangle: their QR factors; weights, trial: z, (D,);
    facing: the sign of −F_k in `base`'s favour: +1 where T lacks k, −1 where it has it, 0 for no unit of φ, (m,);
    heights: h_i·x, (R,).
    """

    base: Floats
    y: Floats
    members: NDArray[np.int64]
    columns: Floats
    basis: Floats
    triangle: Floats
    weights: Floats
    trial: Floats
    facing: NDArray[np.int8]
    heights: Floats


def workspace(rows: int, units: int, size: int) -> Work:
    """An empty Work for R rows, m units, dimension D."""
    base, y, weights, trial = np.zeros((4, size))
    columns, basis, triangle = np.zeros((3, size, size))
    members, facing, heights = np.zeros(size, dtype=np.int64), np.zeros(units, dtype=np.int8), np.zeros(rows)
    return Work(base, y, members, columns, basis, triangle, weights, trial, facing, heights)


@any_order
def dot(left, right):
    """left · right, each (D,)."""
    total = 0.0
    for j in range(len(left)):
        total += left[j] * right[j]
    return total


@any_order
def dot_row(matrix, i, vector):
    """Row i of a matrix · a vector; without the view of the row, which costs more than the product."""
    total = 0.0
    for j in range(len(vector)):
        total += matrix[i, j] * vector[j]
    return total


@plain
def add_row(target, factor, matrix, i):
    """target += factor · row i of a matrix."""
    for j in range(len(target)):
        target[j] += factor * matrix[i, j]


@plain
def add_to(target, factor, source):
    """target += factor · source, each (D,)."""
    for j in range(len(target)):
        target[j] += factor * source[j]


@plain
def copy(target, factor, source):
    """target = factor · source, each (D,)."""
    for j in range(len(target)):
        target[j] = factor * source[j]


@plain
def reduce(work, count):
    """y = base minus its projection on the columns; done twice, so that y is orthogonal to them in floats too."""
    y, basis = work.y, work.basis
    copy(y, 1.0, work.base)
    for _ in range(2):
        for c in range(count):
            add_row(y, -dot_row(basis, c, y), basis, c)


@plain
def append(work, count):
    """Bring columns[count] into the QR factorisation; False where it depends on the others as far as floats can see."""
    basis, triangle = work.basis, work.triangle
    q = basis[count]
    copy(q, 1.0, work.columns[count])
    length = np.sqrt(dot(q, q))
    for c in range(count):
        triangle[c, count] = 0.0
    for _ in range(2):
        for c in range(count):
            share = dot_row(basis, c, q)
            triangle[c, count] += share
            add_row(q, -share, basis, c)
    rest = np.sqrt(dot(q, q))
    triangle[count, count] = rest
    if not rest > NOTHING * length:
        return False
    copy(q, 1 / rest, q)
    return True


@plain
def solve(work, count):
    """trial: the z without bounds that make base + Σ z_j c_j shortest."""
    triangle, trial = work.triangle, work.trial
    for c in range(count - 1, -1, -1):
        total = -dot_row(work.basis, c, work.base)
        for k in range(c + 1, count):
            total -= triangle[c, k] * trial[k]
        trial[c] = total / triangle[c, c]


@plain
def settle(work, count, rows):
    """Move z towards the unbounded optimum, dropping members that reach a bound, until it is reached; returns their number.

    A unit of φ that reaches 1 changes sides: its column joins the base. −1 where floats fail.
    """
    for _ in range(4 * len(work.base) + 10):
        solve(work, count)
        share, worst = 1.0, -1
        for c in range(count):
            upper = 1.0 if work.members[c] >= rows else np.inf
            start, end = work.weights[c], work.trial[c]
            if end <= 0 or end >= upper:
                limit = start / (start - end) if end <= 0 else (upper - start) / (end - start)
                if limit < share or worst < 0:
                    share, worst = min(share, limit), c
        if worst < 0:
            for c in range(count):
                work.weights[c] = work.trial[c]
            return count
        for c in range(count):
            work.weights[c] += share * (work.trial[c] - work.weights[c])
        if work.trial[worst] > 0:
            add_to(work.base, 1.0, work.columns[worst])
            work.facing[work.members[worst] - rows] *= -1
        for c in range(worst, count - 1):
            work.members[c], work.weights[c] = work.members[c + 1], work.weights[c + 1]
            copy(work.columns[c], 1.0, work.columns[c + 1])
        count -= 1
        for c in range(worst, count):
            if not append(work, c):
                return -1
    return -1


@plain
def look(rows, signs, units, lengths, work):
    """Along y: the largest τ with x + τy in the cone, φ(y), and what most forbids y (a row, R + a unit of φ, −1 nothing)."""
    y, heights, facing = work.y, work.heights, work.facing
    limit, entering, depth = np.inf, -1, -NOTHING * np.sqrt(dot(y, y))
    for i in range(len(signs)):
        if signs[i]:
            slope = signs[i] * dot_row(rows, i, y)
            if slope < 0:
                room = heights[i] * signs[i] / -slope
                if slope < depth and room < limit:
                    entering = i
                limit = min(limit, room)
    value = dot(work.base, y)
    for k in range(len(facing)):
        if facing[k]:
            slope = -facing[k] * dot_row(units, k, y)
            if slope < 0:
                value += slope
                if slope < depth * lengths[k] and (entering < 0 or value <= 0):
                    entering, depth = len(rows) + k, slope / lengths[k]
    return limit, value, entering


@plain
def advance(x, start, limit, value, work):
    """Whether φ > 0 somewhere on x + τy, 0 < τ < limit, as φ(x) = start and φ(y) = value promise; trial is then there."""
    if not (value > 0 and -start < limit * value):
        return False
    needed = max(0.0, -start / value)
    free = needed + np.sqrt(dot(x, x) / dot(work.y, work.y))
    copy(work.trial, 1.0, x)
    add_to(work.trial, min(0.5 * (needed + limit), free), work.y)
    copy(work.trial, 1 / np.sqrt(dot(work.trial, work.trial)), work.trial)
    return True


@plain
def lean(rows, signs, work):
    """y = b_T in the metric of the (diagonal of the) Dikin ellipsoid around x: short where the cone's faces are near."""
    y, heights = work.y, work.heights
    copy(y, 0.0, y)
    for i in range(len(signs)):
        if signs[i]:
            nearness = 1 / (heights[i] * heights[i])
            for j in range(len(y)):
                y[j] += rows[i, j] * rows[i, j] * nearness
    for j in range(len(y)):
        y[j] = work.base[j] / (y[j] + 1.0)


@plain
def enter(rows, signs, units, entering, count, work):
    """Let a row or a unit of φ join the members; returns their number then, −1 where floats fail."""
    if entering < 0 or count == len(work.base):
        return -1
    if entering < len(rows):
        copy(work.columns[count], signs[entering], rows[entering])
    else:
        copy(work.columns[count], -work.facing[entering - len(rows)], units[entering - len(rows)])
    work.members[count], work.weights[count] = entering, 0.0
    return settle(work, count + 1, len(rows)) if append(work, count) else -1


@plain
def program(rows, signs, units, lengths, x, start, work):
    """Looks for y with φ > 0 in the cone, from a point x inside it where φ(x) = start.

    rows: (R, D), of length 1; signs: (R,); units: F, (m, D), with their lengths; work.base, .facing, .heights: set by the
    caller. FOUND: work.trial is such a point; VANISHES: base + Σ z_j c_j seems to be 0; otherwise UNDECIDED.
    Returns that, the number of members, and how many least squares problems were solved.
    """
    count, shortest = 0, np.inf
    lean(rows, signs, work)
    limit, value, _ = look(rows, signs, units, lengths, work)
    if advance(x, start, limit, value, work):
        return FOUND, 0, 0
    for step in range(20 * len(x) + 50):
        reduce(work, count)
        square = dot(work.y, work.y)
        if not square < shortest:
            break
        if not square > NOTHING**2 * dot(work.base, work.base):
            return VANISHES, count, step
        limit, value, entering = look(rows, signs, units, lengths, work)
        if advance(x, start, limit, value, work):
            return FOUND, count, step
        shortest = square
        count = enter(rows, signs, units, entering, count, work)
        if count < 0:
            break
    return UNDECIDED, 0, step
