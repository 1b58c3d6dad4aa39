# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators
"""Proofs on cells where few units are active, compiled: in terms of these units, of which all rows of the next level are sums.

In terms of the inputs such rows depend on each other in ways that floats cannot confirm. In terms of the active units that they
read, z_k = c_k + Σ C_kj z_j, they are independent as a rule, and what is 0 = base + Σ z_c column_c there is so of the rows.
"""

import numpy as np

from lpnet.programs.certain_kernel import U, positive, underflow
from lpnet.programs.cone_kernel import append, plain


@plain
def add_unit(net, pattern, k, factor, vector, error, number, used):
    """vector += factor · z_k in terms of the active units that it reads and of 1, with bounds on the errors.

    number: the coordinate of each unit, −1 for none as yet, that of 1 last; used: how many there are. Returns how many then,
    −1 where z_k reads inputs or they are too many.
    """
    last = net.base.shape[1] - 1
    for j in range(last):
        if net.base[k, j] != 0 or net.lost[k, j] != 0:
            return -1
    if net.lost[k, last] != 0:
        return -1
    for item in range(net.link_start[k], net.link_start[k + 1]):
        if used >= 0 and pattern[net.link_unit[item]] > 0:
            used = add_term(net.link_unit[item], factor, net.link_factor[item], vector, error, number, used)
    if used >= 0 and net.base[k, last] != 0:
        used = add_term(len(number) - 1, factor, net.base[k, last], vector, error, number, used)
    return used


@plain
def add_term(unit, factor, coefficient, vector, error, number, used):
    """vector += factor · coefficient in the coordinate of a unit; returns how many coordinates there are then."""
    if number[unit] < 0:
        if used == len(vector):
            return -1
        number[unit] = used
        used += 1
    at, term = number[unit], factor * coefficient
    vector[at] += term
    error[at] += 4 * U * (abs(term) + abs(vector[at])) + underflow(term, coefficient, 0.0)
    return used


@plain
def add_f(problem, net, signs, pattern, side, first, work, error, number):
    """`work.base` of a bound of side · f on the last level (see `level_kernel.assemble`); returns the number of coordinates."""
    last = net.base.shape[1] - 1
    for j in range(last + 1):
        if net.output_lost[j] != 0 or (j < last and net.output[j] != 0):
            return -1
    used = add_term(len(number) - 1, side, net.output[last], work.base, error, number, 0)
    for k in range(first):
        if used >= 0 and pattern[k] > 0 and net.weight[k] != 0:
            used = add_term(k, side, net.weight[k], work.base, error, number, used)
    for k in range(len(problem.turn)):
        size = abs(net.weight[first + k])
        factor = side * problem.outputs[k] * size if signs[k] > 0 else -size if signs[k] == 0 and work.facing[k] < 0 else 0.0
        if used >= 0 and factor != 0:
            used = add_unit(net, pattern, first + k, factor, work.base, error, number, used)
    return used


@plain
def proved(problem, net, signs, pattern, level, unit, side, evidence, work):
    """Whether the rows and units of the evidence prove what `evidence` is to prove, by these coefficients, with certainty.

    That is side · z_unit ≤ 0 on the node, or, for unit < 0, the bound of side · f.
    """
    first, size, rows = net.start[level], len(work.base), len(problem.rows)
    number = np.full(first + 1, -1, np.int64)
    off, off_units, error = np.zeros((size, size + 1)), np.zeros((size, size)), np.zeros(size)
    for j in range(size):
        work.base[j] = 0.0
    if unit >= 0:
        used = add_unit(net, pattern, unit, side, work.base, error, number, 0)
    else:
        used = add_f(problem, net, signs, pattern, side, first, work, error, number)
    count = 0
    while used >= 0 and count < size and evidence[count] >= 0:
        code = evidence[count]
        lost = off_units[count] if code >= rows else off[count, :size]
        for j in range(size):
            work.columns[count, j] = 0.0
        used = add_member(problem, net, signs, pattern, level, code, work.columns[count], lost, number, used, work.facing)
        work.members[count] = size + count if code >= rows else count
        count += 1
    if used < 0 or used != count:
        return False
    for c in range(count):
        if not append(work, c):
            return False
    return positive(work, count, off, off_units, error)


@plain
def add_member(problem, net, signs, pattern, level, code, column, error, number, used, facing):
    """One member of the evidence: a row with its sign, or a unit of the last level as it bends f; see `cone_kernel.Work`."""
    units, rows, own, first = len(pattern), len(problem.rows), len(problem.turn), net.start[level]
    if code == rows - 1:
        return add_term(first, 1.0, 1.0, column, error, number, used)
    if code >= rows:
        k = units - own + code - rows
        return add_unit(net, pattern, k, -facing[code - rows] * abs(net.weight[k]), column, error, number, used)
    if code >= units:
        return -1
    k = units - own + code if code < own else code - own
    if k >= first:
        return add_unit(net, pattern, k, signs[code], column, error, number, used)
    return add_term(k, 1.0, 1.0, column, error, number, used) if pattern[k] > 0 else -1
