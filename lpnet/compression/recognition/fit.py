"""The network with known activation patterns on known half-spaces: exactly in rationals, or else by least squares.

If the units of S_k are active on facet k, then c_{S_k} = −e + Σ_{i∈S_k} a_i is a multiple of h_k, e the constant 1: linear
equations in the a_i. With a last unit that is active on all facets, −e + a_n is any affine form l, so that the scale is free:
c_{S_k} = l + Σ a_i, as long as h_k on one facet; then a_n = l + c·e, with c so large that a_n ≥ 0 on K.
"""

import math
from collections.abc import Iterator, Sequence

import numpy as np
from flint import fmpz_mat
from numpy.typing import NDArray
from scipy.linalg import qr
from scipy.optimize import linprog

from lpnet.compression.recognition.cone import unit_row
from lpnet.exact import Form, add, integers, sign, times
from lpnet.networks import ExactForm

REWEIGHTINGS = 3
RANK = 1e-9  # a pivot below this share of the first is taken for 0: it steers the choice of equations, not the answer
Equation = tuple[list[int], int]


def fits(halfspaces: Sequence[Form], patterns: NDArray[np.bool_]) -> ExactForm | None:
    """−c + Σ R(a_i) up to a positive factor, for half-spaces h_k and the units active on the facet of each, (m, n)."""
    extra = bool(patterns[:, -1].all())
    rows = exactly(halfspaces, patterns, extra) or least_squares(halfspaces, patterns, extra)
    if rows is None:
        return None
    form = ExactForm(rows[-1], tuple(rows[:-1]), (1,) * (len(rows) - 1), 0)
    return lifted(halfspaces, form) if extra else form


def exactly(halfspaces: Sequence[Form], patterns: NDArray[np.bool_], extra: bool) -> list[Form] | None:
    """a_1, …, a_n and −e, or a_1, …, a_{n−1} and l, up to a factor, where every c_{S_k} is exactly h_k times a positive number."""
    count, width = patterns.shape[1], len(halfspaces[0])
    system = list(equations(halfspaces, patterns, extra))
    _, triangle, order = qr(np.array([unit_row(tuple(row)) for row, _ in system]).T, mode="economic", pivoting=True)
    size = np.abs(np.diag(triangle))
    rank = int((size > RANK * size[0]).sum())
    if rank < count * width:
        return None
    chosen = [system[k] for k in order[:rank]]
    try:
        solution = fmpz_mat([row for row, _ in chosen]).solve(fmpz_mat([[right] for _, right in chosen]))
    except ZeroDivisionError:
        return None
    numbers = [solution[k, 0] for k in range(rank)]
    denominator = math.lcm(*(int(z.q) for z in numbers))
    whole = [int(z.p) * (denominator // int(z.q)) for z in numbers]
    rows = [tuple(whole[i * width : (i + 1) * width]) for i in range(count)]
    if not extra:
        rows.append((0,) * (width - 1) + (-denominator,))
    form = ExactForm(rows[-1], tuple(rows[:-1]), (1,) * (len(rows) - 1), 0)
    matches = (parallel(form.on_cell(pattern[: len(rows) - 1]), h) for h, pattern in zip(halfspaces, patterns, strict=True))
    return rows if all(matches) else None


def equations(halfspaces: Sequence[Form], patterns: NDArray[np.bool_], extra: bool) -> Iterator[Equation]:
    """Integer equations in the entries of a_1, …, a_n (or l): h_k[p]·c_{S_k}[j] = h_k[j]·c_{S_k}[p], p a large entry of h_k."""
    count, width = patterns.shape[1], len(halfspaces[0])
    last = width - 1
    for number, (h, pattern) in enumerate(zip(halfspaces, patterns.tolist(), strict=True)):
        pivot = largest(h)
        active = [i * width for i in range(count) if pattern[i]]
        for j in range(width):
            row = [0] * (count * width)
            if j != pivot:
                for start in active:
                    row[start + j], row[start + pivot] = h[pivot], -h[j]
                yield row, 0 if extra else h[pivot] if j == last else -h[j] if pivot == last else 0
            elif extra and number == 0:
                for start in active:
                    row[start + pivot] = 1
                yield row, h[pivot]


def least_squares(halfspaces: Sequence[Form], patterns: NDArray[np.bool_], extra: bool) -> list[Form] | None:
    """The same in floats, with the least Σ |c_{S_k} − its projection on h_k|² / |c_{S_k}|²."""
    h = np.array([unit_row(form) for form in halfspaces])
    h /= np.linalg.norm(h, axis=1, keepdims=True)
    size, width = h.shape
    across = np.eye(width) - h[:, :, None] * h[:, None, :]
    if extra:
        across[0] = np.eye(width)
    weight, constant = np.ones(size), np.append(np.zeros(width - 1), 1.0)
    for _ in range(REWEIGHTINGS):
        scaled = across * weight[:, None, None]
        matrix = (patterns[:, None, :, None] * scaled[:, :, None, :]).reshape(size * width, -1)
        right = np.zeros((size, width)) if extra else scaled[:, :, -1]
        if extra:
            right[0] = weight[0] * h[0]
        units = np.linalg.lstsq(matrix, right.ravel(), rcond=None)[0].reshape(-1, width)
        total = patterns @ units - (0 if extra else constant)
        weight = 1 / np.maximum(np.linalg.norm(total, axis=1), np.finfo(np.float64).tiny)
    rows = units if extra else np.vstack([units, -constant])
    return [tuple(map(int, row)) for row in integers(rows)[0]] if np.isfinite(rows).all() else None


def lifted(halfspaces: Sequence[Form], form: ExactForm) -> ExactForm | None:
    """l + Σ R(a_i) with one more unit, R(l + c·e) − c·e in place of l; None where l has no lower bound on K."""
    rows = np.array([unit_row(h) for h in halfspaces])
    affine = unit_row(form.affine)
    lowest = linprog(affine[:-1], rows[:, :-1], -rows[:, -1], bounds=(None, None))
    if lowest.status != 0:
        return None
    scale = 1 << max(map(abs, form.affine)).bit_length()
    below = max(-(lowest.fun + affine[-1]), 2.0**-20)
    constant = math.ceil(1.25 * below * scale)
    last = len(form.affine) - 1
    raised = (*form.affine[:last], form.affine[last] + constant)
    return ExactForm((0,) * last + (-constant,), (*form.units, raised), (*form.signs, 1), form.exponent)


def largest(form: Form) -> int:
    """The index of the largest entry."""
    return max(range(len(form)), key=lambda j: abs(form[j]))


def parallel(left: Form, right: Form) -> bool:
    """Whether one form is a positive multiple of the other."""
    pivot = largest(right)
    a, b = left[pivot], right[pivot]
    return sign(a) * sign(b) > 0 and not any(add(times(b, left), times(-a, right)))
