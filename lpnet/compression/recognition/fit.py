"""The ReLU network with known activation patterns on known half-spaces: exactly in rationals, or by least squares.

If the units of S_k are active on facet k, then c_{S_k} = −e + Σ_{i∈S_k} a_i is a multiple of h_k, e the constant 1: linear
equations in the a_i.
"""

import math
from collections.abc import Sequence

import numpy as np
from flint import fmpz_mat
from numpy.typing import NDArray
from scipy.linalg import qr

from lpnet.compression.recognition.cone import unit_row
from lpnet.exact import FloatArray, Form, add, integers, sign, times
from lpnet.networks import ExactForm

REWEIGHTINGS = 3
RANK = 1e-9  # a pivot below this share of the first is taken for 0: it steers the choice of equations, not the answer


def fits(halfspaces: Sequence[Form], patterns: NDArray[np.bool_]) -> ExactForm | None:
    """−1 + Σ R(a_i) up to a positive factor, for half-spaces h_k and the units active on the facet of each, (m, n)."""
    form = exactly(halfspaces, patterns)
    if form is None:
        units = least_squares(halfspaces, patterns)
        if np.isfinite(units).all():
            constant = np.append(np.zeros(units.shape[1] - 1), -1.0)
            whole = [tuple(map(int, row)) for row in integers(np.vstack([units, constant]))[0]]
            form = ExactForm(whole[-1], tuple(whole[:-1]), (1,) * len(units), 0)
    return form


def least_squares(halfspaces: Sequence[Form], patterns: NDArray[np.bool_]) -> FloatArray:
    """The a_i (n, d + 1) with the least Σ |c_{S_k} − its projection on h_k|² / |c_{S_k}|²."""
    rows = np.array([unit_row(h) for h in halfspaces])
    columns = np.abs(rows).max(axis=0)
    columns[columns == 0] = 1.0
    rows = rows / columns
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    size, width = rows.shape
    across = np.eye(width) - rows[:, :, None] * rows[:, None, :]
    weight = np.ones(size)
    for _ in range(REWEIGHTINGS):
        scaled = across * weight[:, None, None]
        matrix = (patterns[:, None, :, None] * scaled[:, :, None, :]).reshape(size * width, -1)
        units = np.linalg.lstsq(matrix, scaled[:, :, -1].ravel() / columns[-1], rcond=None)[0].reshape(-1, width)
        total = patterns @ units
        total[:, -1] -= 1 / columns[-1]
        weight = 1 / np.maximum(np.linalg.norm(total, axis=1), np.finfo(np.float64).tiny)
    return units * columns


def exactly(halfspaces: Sequence[Form], patterns: NDArray[np.bool_]) -> ExactForm | None:
    """The a_i in integers over a common denominator, where every c_{S_k} is exactly a positive multiple of h_k."""
    relus, width = patterns.shape[1], len(halfspaces[0])
    equations, right = [], []
    for h, pattern in zip(halfspaces, patterns.tolist(), strict=True):
        pivot = max(range(width), key=lambda j: abs(h[j]))
        for j in range(width):
            if j != pivot:
                row = [0] * (relus * width)
                for i in range(relus):
                    if pattern[i]:
                        row[i * width + j], row[i * width + pivot] = h[pivot], -h[j]
                equations.append(row)
                right.append(h[pivot] if j == width - 1 else -h[j] if pivot == width - 1 else 0)
    floats = np.array([unit_row(tuple(row)) for row in equations])
    _, triangle, order = qr(floats.T, mode="economic", pivoting=True)
    size = np.abs(np.diag(triangle))
    rank = int((size > RANK * size[0]).sum())
    if rank < relus * width:
        return None
    chosen = order[:rank]
    try:
        solution = fmpz_mat([equations[k] for k in chosen]).solve(fmpz_mat([[right[k]] for k in chosen]))
    except ZeroDivisionError:
        return None
    numbers = [solution[k, 0] for k in range(rank)]
    denominator = math.lcm(*(int(z.q) for z in numbers))
    whole = [int(z.p) * (denominator // int(z.q)) for z in numbers]
    units = [tuple(whole[i * width : (i + 1) * width]) for i in range(relus)]
    form = ExactForm((0,) * (width - 1) + (-denominator,), tuple(units), (1,) * relus, 0)
    matches = all(parallel(form.on_cell(pattern), h) for h, pattern in zip(halfspaces, patterns, strict=True))
    return form if matches else None


def parallel(left: Form, right: Form) -> bool:
    """Whether one form is a positive multiple of the other."""
    pivot = max(range(len(right)), key=lambda j: abs(right[j]))
    a, b = left[pivot], right[pivot]
    return sign(a) * sign(b) > 0 and not any(add(times(b, left), times(-a, right)))
