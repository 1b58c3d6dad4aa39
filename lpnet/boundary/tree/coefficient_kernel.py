# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators
"""Proofs on cells where few units are active, compiled: in terms of these units, of which all rows of later levels are sums.

In terms of the inputs such rows depend on each other in ways that floats cannot confirm. In terms of the active units before
some level that they come from, by z_k = c_k + Σ C_kj z_j over and over, they are independent as a rule, and what is
0 = base + Σ z_c column_c there is so of the rows.
"""

import numpy as np

from lpnet.programs.certain_kernel import U, positive, underflow
from lpnet.programs.cone_kernel import append, plain


@plain
def expand(net, pattern, first, weights, slack, vector, error, number, used):
    """vector += Σ weights_k z_k in terms of the active units before `first` and of 1, with bounds on the errors.

    weights, and what they may be off by, are empty after that. number: the coordinate of each unit, −1 for none as yet, that of
    1 last; used: how many there are. Returns how many then, −1 where inputs are read, an idle unit is or they are too many.
    """
    last = net.base.shape[1] - 1
    for k in range(len(weights) - 1, -1, -1):
        weight, off = weights[k], slack[k]
        weights[k] = slack[k] = 0.0
        if used < 0 or (weight == 0 and off == 0):
            continue
        if k < first:
            used = add_entry(k, weight, off, vector, error, number, used) if pattern[k] > 0 else -1
            continue
        for j in range(last + 1):
            if net.lost[k, j] != 0 or (j < last and net.base[k, j] != 0):
                used = -1
        for item in range(net.link_start[k], net.link_start[k + 1]):
            source, factor = net.link_unit[item], net.link_factor[item]
            if pattern[source] > 0:
                term = weight * factor
                weights[source] += term
                slack[source] += (
                    1.001 * abs(factor) * off + 4 * U * (abs(term) + abs(weights[source])) + underflow(term, factor, 0.0)
                )
        if used >= 0 and net.base[k, last] != 0:
            term = weight * net.base[k, last]
            off = 1.001 * abs(net.base[k, last]) * off + 4 * U * abs(term) + underflow(term, net.base[k, last], 0.0)
            used = add_entry(len(number) - 1, term, off, vector, error, number, used)
    return used


@plain
def add_entry(unit, entry, off, vector, error, number, used):
    """vector += entry in the coordinate of a unit; returns how many coordinates there are then."""
    if number[unit] < 0:
        if used == len(vector):
            return -1
        number[unit] = used
        used += 1
    at = number[unit]
    vector[at] += entry
    error[at] += off + 4 * U * (abs(entry) + abs(vector[at]))
    return used


@plain
def weigh_f(problem, net, signs, pattern, side, facing, weights):
    """The units in `work.base` of a bound of side · f on the last level (see `level_kernel.assemble`), but for its constant."""
    first = len(net.weight) - len(problem.turn)
    for k in range(first):
        if pattern[k] > 0:
            weights[k] = side * net.weight[k]
    for k in range(len(problem.turn)):
        size = abs(net.weight[first + k])
        if signs[k] > 0:
            weights[first + k] = side * problem.outputs[k] * size
        elif signs[k] == 0 and facing[k] < 0:
            weights[first + k] = -size


@plain
def proved(problem, net, signs, pattern, level, unit, side, evidence, work):
    """Whether the rows and units of the evidence prove what `evidence` is to prove, by these coefficients, with certainty.

    That is side · z_unit ≤ 0 on the node, or, for unit < 0, the bound of side · f.
    """
    last = net.base.shape[1] - 1
    if unit < 0:
        for j in range(last + 1):
            if net.output_lost[j] != 0 or (j < last and net.output[j] != 0):
                return False
    for lower in range(level, 0, -1):
        if proved_from(problem, net, signs, pattern, net.start[lower], unit, side, evidence, work):
            return True
    return False


@plain
def proved_from(problem, net, signs, pattern, first, unit, side, evidence, work):
    """The same in terms of the units before `first`. Members that cannot be told in them are left out.

    f ≤ −Σ λ_i s_i h_i still has to leave no room for a piece, then: two rows or 1 in it, see `level_kernel.touching`.
    """
    size, rows = len(work.base), len(problem.rows)
    number, weights, slack = np.full(len(pattern) + 1, -1, np.int64), np.zeros(len(pattern)), np.zeros(len(pattern))
    off, off_units, error = np.zeros((size, size + 1)), np.zeros((size, size)), np.zeros(size)
    for j in range(size):
        work.base[j] = 0.0
    used = 0
    if unit >= 0:
        weights[unit] = side
    else:
        weigh_f(problem, net, signs, pattern, side, work.facing, weights)
        if net.output[size - 1] != 0:
            used = add_entry(len(pattern), side * net.output[size - 1], 0.0, work.base, error, number, used)
    used = expand(net, pattern, first, weights, slack, work.base, error, number, used)
    count, faces = 0, 0
    for c in range(size):
        if used < 0 or evidence[c] < 0:
            break
        code = evidence[c]
        k, factor = member(problem, net, signs, code, work.facing)
        if k < 0 or (k < first and pattern[k] <= 0):
            continue
        faces += 0 if code >= rows else 2 if k == len(pattern) else 1
        lost = off_units[count] if code >= rows else off[count, :size]
        for j in range(size):
            work.columns[count, j] = 0.0
        if k == len(pattern):
            used = add_entry(k, 1.0, 0.0, work.columns[count], lost, number, used)
        else:
            weights[k] = factor
            used = expand(net, pattern, first, weights, slack, work.columns[count], lost, number, used)
        work.members[count] = size + count if code >= rows else count
        count += 1
    if used < 0 or used != count or (unit < 0 and side > 0 and faces < 2):
        return False
    for c in range(count):
        if not append(work, c):
            return False
    return positive(work, count, off, off_units, error)


@plain
def member(problem, net, signs, code, facing):
    """The unit in one member of the evidence and its factor: a row with its sign, or a unit of the last level as it bends f.

    The number of units for 1, −1 for inequalities of the domain; see `cone_kernel.Work`.
    """
    units, rows, own = len(net.weight), len(problem.rows), len(problem.turn)
    if code == rows - 1:
        return units, 1.0
    if code >= rows:
        k = units - own + code - rows
        return k, -facing[code - rows] * abs(net.weight[k])
    if code >= units:
        return -1, 0.0
    return (units - own + code if code < own else code - own), 1.0 * signs[code]
