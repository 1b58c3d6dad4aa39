# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators
"""What is certain about the proposals of the cone kernel, compiled: floating point with a bound on every error."""

import numpy as np

from lpnet.programs.cone_kernel import plain, solve

U = 2.0**-53
TINY = 2.0**-1000  # more than everything that underflow can do while no factor exceeds HUGE
HUGE = 2.0**60


@plain
def inside(rows, off, signs, x):
    """Whether s_i h_i·x > 0 for all s_i ≠ 0, with certainty; the entries of h_i may be off by those of `off` from the true row.

    |error| ≤ γ_D Σ|h_ij x_j| + Σ off_ij |x_j|, and twice that covers the rounding of the sums themselves. off has one more
    column, the largest entry of each row: nearly always that is enough to know.
    """
    size = len(x)
    total = 0.0
    for j in range(size):
        total += abs(x[j])
    for i in range(len(signs)):
        if signs[i]:
            value, magnitude = 0.0, 0.0
            for j in range(size):
                term = rows[i, j] * x[j]
                value += term
                magnitude += abs(term)
            rounding = 2 * (size + 1) * U * magnitude + TINY
            if not value * signs[i] > rounding + 3 * off[i, size] * total:
                lost = 0.0
                for j in range(size):
                    lost += off[i, j] * abs(x[j])
                if not value * signs[i] > rounding + 2 * lost:
                    return False
    return True


@plain
def certain(vector, x, error):
    """The sign of vector · x where it is certain, else 0; entries of the vector may be off by `error`, and 3u relatively."""
    value, magnitude, off = 0.0, 0.0, 0.0
    for j in range(len(x)):
        term = vector[j] * x[j]
        value += term
        magnitude += abs(term)
        off += error[j] * abs(x[j])
    if abs(value) > 2 * (len(x) + 4) * U * magnitude + 2 * off + TINY:
        return 1 if value > 0 else -1
    return 0


@plain
def underflow(term, raw, error):
    """What underflow may have taken of a product term = factor · raw, or of its factor; 0 where raw is 0 for certain."""
    size = abs(raw) + error
    return 4 * TINY * (1 + size) if size > 0 and abs(term) < 2 * TINY * (1 + size) else 0.0


@plain
def positive(work, count, off, off_units, base_error):
    """Whether the z of base + Σ z_j c_j = 0 surely exist and lie strictly within their bounds.

    That is so where the columns, cut down to the coordinates in which something is not 0, are a square matrix M and regular:
    with X ≈ M⁻¹ from the QR factors and α = ‖I − XM‖ < 1, |z − z̃| ≤ |X||base + Mz̃| + α/(1−α)·max, all with rounding on top.
    base_error: a bound on the error of each entry of base, (D,), not 0 where entries are lost to underflow;
    off, off_units: likewise of the rows, (R, D), and units, (m, D), that the columns are.
    """
    used = np.empty(len(work.base), dtype=np.int64)
    rows, size = len(off), len(work.base)
    lost = np.empty((count, size))
    for c in range(count):
        for j in range(size):
            lost[c, j] = off[work.members[c], j] if work.members[c] < rows else off_units[work.members[c] - rows, j]
    if support(work, count, base_error, lost, used) != count or count == 0:
        return False
    solve(work, count)
    inverse = np.empty((count, count))
    largest = invert(work, count, used, inverse)
    for c in range(count):
        largest = max(largest, abs(work.trial[c]))
    if not largest < HUGE:
        return False
    error = np.zeros(count)
    alpha = deviation(work, count, used, inverse, base_error, lost, error)
    if not alpha < 0.5:
        return False
    worst = 0.0
    for c in range(count):
        worst = max(worst, error[c])
    for c in range(count):
        bound = (1 + 2 * (count + 6) * U) * (error[c] + 2 * alpha * worst) + TINY
        upper = 1.0 if work.members[c] >= rows else np.inf
        if not (work.trial[c] > bound and work.trial[c] + 2 * bound < upper):
            return False
    return True


@plain
def support(work, count, base_error, lost, used):
    """The coordinates in which the base or a column is not 0, into `used`; returns how many."""
    found = 0
    for j in range(len(work.base)):
        needed = work.base[j] != 0 or base_error[j] != 0
        for c in range(count):
            needed |= work.columns[c, j] != 0 or lost[c, j] != 0
        if needed:
            used[found] = j
            found += 1
    return found


@plain
def invert(work, count, used, inverse):
    """X = R⁻¹Qᵀ, (count, count), into `inverse`; returns its largest entry."""
    largest = 0.0
    for j in range(count):
        for c in range(count - 1, -1, -1):
            total = work.basis[c, used[j]]
            for k in range(c + 1, count):
                total -= work.triangle[c, k] * inverse[k, j]
            inverse[c, j] = total / work.triangle[c, c]
            largest = max(largest, abs(inverse[c, j]))
    return largest


@plain
def deviation(work, count, used, inverse, base_error, lost, error):
    """A bound on ‖I − XM‖, and into `error` one on |X||base + Mz̃|, z̃ = work.trial; lost: errors of the columns."""
    slack = 2 * (count + 3) * U
    alpha = 0.0
    for j in range(count):
        value, magnitude, missing = work.base[used[j]], abs(work.base[used[j]]), base_error[used[j]] + TINY
        for c in range(count):
            term = work.columns[c, used[j]] * work.trial[c]
            value += term
            magnitude += abs(term)
            missing += lost[c, used[j]] * abs(work.trial[c])
        residual = (1 + slack) * (abs(value) + slack * magnitude + missing)
        for c in range(count):
            error[c] += abs(inverse[c, j]) * residual
    for c in range(count):
        row = 0.0
        for k in range(count):
            value = magnitude = 1.0 if c == k else 0.0
            missing = TINY
            for j in range(count):
                term = inverse[c, j] * work.columns[k, used[j]]
                value -= term
                magnitude += abs(term)
                missing += abs(inverse[c, j]) * lost[k, used[j]]
            row += abs(value) + slack * magnitude + missing
        alpha = max(alpha, (1 + slack) * row)
    return alpha
