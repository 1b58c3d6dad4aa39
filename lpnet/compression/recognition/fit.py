"""The network with known activation patterns on known half-spaces: exactly in rationals, or else by least squares.

If the units of S_k are active on facet k, then c_{S_k} = −e + Σ_{i∈S_k} a_i is a multiple of h_k, e the constant 1: linear
equations in the a_i. With a last unit that is active on all facets, −e + a_n is any affine form l, so that the scale is free:
c_{S_k} = l + Σ a_i, as long as h_k on one facet; then a_n = l + c·e, with c so large that a_n ≥ 0 on K.
"""

import math
from collections.abc import Iterator, Sequence
from fractions import Fraction

import numpy as np
from flint import fmpq, fmpq_mat, fmpz_mat
from numpy.typing import NDArray
from scipy.linalg import qr

from lpnet.compression.recognition.cone import Draft, unit_row
from lpnet.exact import FloatArray, Form, add, integers, primitive, sign, times, value
from lpnet.networks import ExactForm
from lpnet.programs.linear import maximum

REWEIGHTINGS = 3
RANK = 1e-9  # a pivot below this share of the first is taken for 0: it steers the choice of equations, not the answer
Equation = tuple[list[int], int]


def fits(halfspaces: Sequence[Form], draft: Draft) -> ExactForm | None:
    """The network of a draft, improved to fit the half-spaces of its facets: −c + Σ R(a_i) up to a positive factor."""
    normals = across_ridges([*halfspaces, (0,) * (len(halfspaces[0]) - 1) + (-1,)], draft)
    halfspaces = [halfspaces[k] for k in draft.facets]
    start = normalised(halfspaces, draft)
    rows = exactly(halfspaces, draft, start, normals) or least_squares(halfspaces, draft, start, normals)
    if rows is None:
        return None
    form = as_form(rows)
    return lifted(halfspaces, form) if draft.extra else form


def across_ridges(forms: Sequence[Form], draft: Draft) -> list[tuple[int, Form]]:
    """(i, n): a_i·n = 0 where the hyperplane of a_i contains ridges (k, l), as it then is a sum of multiples of h_k and h_l."""
    found: list[tuple[int, Form]] = []
    for i, ridges in enumerate(draft.through):
        for k, l in ridges:  # noqa: E741
            kernel, nullity = fmpz_mat([forms[k], forms[l]]).nullspace()
            found += [(i, primitive([int(kernel[row, j]) for row in range(len(forms[0]))])) for j in range(nullity)]
    return found


def as_form(rows: Sequence[Form]) -> ExactForm:
    """l + Σ R(a_i), l the last row."""
    return ExactForm(rows[-1], tuple(rows[:-1]), (1,) * (len(rows) - 1), 0)


def normalised(halfspaces: Sequence[Form], draft: Draft) -> FloatArray:
    """The rows of the draft that the equations are about, in their scale."""
    if not draft.extra:
        return draft.rows[:-1] / -draft.rows[-1, -1]
    pivot = largest(halfspaces[0])
    value = draft.active[0] @ draft.rows[:, pivot]
    return draft.rows * (unit_row(halfspaces[0])[pivot] / value)


def exactly(
    halfspaces: Sequence[Form], draft: Draft, start: FloatArray, normals: Sequence[tuple[int, Form]]
) -> list[Form] | None:
    """The rows of the network up to a factor, where every c_{S_k} is exactly a positive multiple of h_k.

    What the equations leave free stays as at the start, to a few digits.
    """
    system = list(equations(halfspaces, draft.active, draft.extra))
    width = start.shape[1]
    system += [([*[0] * (i * width), *n, *[0] * (start.size - (i + 1) * width)], 0) for i, n in normals]
    matrix = np.array([unit_row(tuple(row)) for row, _ in system])
    order, rank = independent(matrix.T)
    columns = independent(matrix[order[:rank]])[0]
    unknown, free = columns[:rank], columns[rank:]
    fixed = [fmpq(*few_digits(value).as_integer_ratio()) for value in start.ravel()[free]]
    chosen = [system[k] for k in order[:rank]]
    right = [[right - sum((row[j] * z for j, z in zip(free, fixed, strict=True)), fmpq(0))] for row, right in chosen]
    try:
        solution = fmpq_mat(fmpz_mat([[row[j] for j in unknown] for row, _ in chosen])).solve(fmpq_mat(right))
    except ZeroDivisionError:
        return None
    numbers = dict(zip(free.tolist(), fixed, strict=True)) | {int(j): solution[k, 0] for k, j in enumerate(unknown)}
    denominator = math.lcm(*(int(z.q) for z in numbers.values()))
    whole = [int(numbers[j].p) * (denominator // int(numbers[j].q)) for j in range(start.size)]
    rows = [tuple(whole[i : i + width]) for i in range(0, start.size, width)]
    if not draft.extra:
        rows.append((0,) * (width - 1) + (-denominator,))
    form = as_form(rows)
    units = len(form.units)
    matches = (parallel(form.on_cell(pattern[:units]), h) for h, pattern in zip(halfspaces, draft.active, strict=True))
    return rows if all(matches) and not any(value(rows[i], n) for i, n in normals) else None


def independent(matrix: FloatArray) -> tuple[NDArray[np.intp], int]:
    """The columns in an order in which the first ones are independent, and how many."""
    _, triangle, order = qr(matrix, mode="economic", pivoting=True)
    size = np.abs(np.diag(triangle))
    return order, int((size > RANK * size[0]).sum())


def few_digits(value: float) -> float:
    """The value to 16 bits."""
    mantissa, exponent = math.frexp(value)
    return math.ldexp(round(mantissa * 2**16), exponent - 16)


def equations(halfspaces: Sequence[Form], patterns: NDArray[np.bool_], extra: bool) -> Iterator[Equation]:
    """Integer equations in the entries of a_1, …, a_n (or l): h_k[p]·c_{S_k}[j] = h_k[j]·c_{S_k}[p], p a large entry of h_k."""
    count, width = patterns.shape[1], len(halfspaces[0])
    last = width - 1
    for number, (h, pattern) in enumerate(zip(halfspaces, patterns.tolist(), strict=True)):
        pivot, size = largest(h), max(map(abs, h)).bit_length()
        active = [i * width for i in range(count) if pattern[i]]
        for j in range(width):
            row = [0] * (count * width)
            if j != pivot:
                for start in active:
                    row[start + j], row[start + pivot] = h[pivot], -h[j]
                yield row, 0 if extra else h[pivot] if j == last else -h[j] if pivot == last else 0
            elif extra and number == 0:
                for start in active:
                    row[start + pivot] = 1 << size
                yield row, h[pivot]


def least_squares(
    halfspaces: Sequence[Form], draft: Draft, start: FloatArray, normals: Sequence[tuple[int, Form]]
) -> list[Form] | None:
    """The same in floats, near the start, with the least Σ |c_{S_k} − its projection on h_k|² / |c_{S_k}|²."""
    patterns, extra = draft.active, draft.extra
    h = np.array([unit_row(form) for form in halfspaces])
    first = h[0]
    h = h / np.linalg.norm(h, axis=1, keepdims=True)
    size, width = h.shape
    across = np.eye(width) - h[:, :, None] * h[:, None, :]
    if extra:
        across[0] = np.eye(width)
    constant = np.append(np.zeros(width - 1), 0.0 if extra else 1.0)
    ridges = np.zeros((len(normals), *start.shape))
    for number, (i, n) in enumerate(normals):
        ridges[number, i] = unit_row(n) / np.linalg.norm(start[i])
    rows = start
    for _ in range(REWEIGHTINGS):
        weight = 1 / np.linalg.norm(patterns @ rows - constant, axis=1)
        scaled = across * weight[:, None, None]
        facets = (patterns[:, None, :, None] * scaled[:, :, None, :]).reshape(size * width, -1)
        matrix = np.vstack([facets, ridges.reshape(-1, start.size)])
        right = scaled @ constant
        if extra:
            right[0] = weight[0] * first
        error = np.append(right.ravel(), np.zeros(len(normals))) - matrix @ rows.ravel()
        rows = rows + np.linalg.lstsq(matrix, error, rcond=None)[0].reshape(-1, width)
    rows = rows if extra else np.vstack([rows, -constant])
    return [tuple(map(int, row)) for row in integers(rows)[0]] if np.isfinite(rows).all() else None


def lifted(halfspaces: Sequence[Form], form: ExactForm) -> ExactForm | None:
    """l + Σ R(a_i) with one more unit, R(l + c·e) − c·e in place of l; None where l has no lower bound on K."""
    rows = np.array([unit_row(h) for h in halfspaces])
    affine = unit_row(form.affine)
    lowest = maximum(-affine[:-1], rows[:, :-1], -rows[:, -1])
    if lowest is None:
        return None
    scale = 1 << max(map(abs, form.affine)).bit_length()
    below = max(lowest.value - affine[-1], 2.0**-20)
    constant = math.ceil(Fraction(1.25 * below) * scale)
    last = len(form.affine) - 1
    raised = (*form.affine[:last], form.affine[last] + constant)
    return ExactForm((0,) * last + (-constant,), (*form.units, raised), (*form.signs, 1), form.exponent, form.divisor)


def largest(form: Form) -> int:
    """The index of the largest entry."""
    return max(range(len(form)), key=lambda j: abs(form[j]))


def parallel(left: Form, right: Form) -> bool:
    """Whether one form is a positive multiple of the other."""
    pivot = largest(right)
    a, b = left[pivot], right[pivot]
    return sign(a) * sign(b) > 0 and not any(add(times(b, left), times(-a, right)))
