"""Closed forms: networks whose hidden weights are linearly independent, where every sign pattern occurs."""

import numpy as np
from flint import fmpq, fmpq_mat, fmpz_mat
from numpy.typing import NDArray

from lpnet.boundary.pieces import NotApplicable, Pieces
from lpnet.errors import SizeError
from lpnet.networks import ExactForm, Polyhedron
from lpnet.watch import Watch

MOST_STORED = 24  # units; 2^24 patterns are what fits
CHUNK = 1 << 16


def independent(form: ExactForm, domain: Polyhedron, watch: Watch, store: bool = True) -> Pieces:
    """The pieces where the m gradients of the units are linearly independent, on all of R^d; no program is solved.

    Then a = (a_k) takes every value in R^m. If ∇l is independent of them too, f changes sign on every cell. Otherwise
    f = c_0 + Σ_k (c_k + s_k [a_k > 0]) a_k, and a cell carries a piece if and only if f takes both signs on it:
    a negative one if c_0 < 0 or some slope times a_k is negative there, a positive one likewise. For w0 = c_0 = 0 and l
    constant the s_k = −1 add their kinks beside f ≡ 0. All positive with w0 < 0 gives 2^n − 1, [PS16] Theorem 2.

    Raises NotApplicable for other forms, and SizeError where more than 2^24 patterns would be stored.
    """
    m = len(form.units)
    if domain.inequalities() or (m and fmpz_mat([list(a[:-1]) for a in form.units]).rank() < m):
        raise NotApplicable("the hidden weights are not linearly independent, or the domain is a part of R^d")
    constant, slopes = in_units(form)
    if constant == 0 and slopes is not None and any(slopes):
        raise NotApplicable("f is 0 where all units are, and has an affine part")
    if not store:
        return Pieces(np.zeros((0, m), dtype=bool), None, 0, count=number(form, constant, slopes), position="independent")
    if m > MOST_STORED and (watch.max_pieces or 1 << m) > 1 << MOST_STORED:
        raise SizeError(
            f"the network needs {number(form, constant, slopes)} threshold units (its {m} hidden weights are linearly "
            f"independent), too many to list; ask for their number only"
        )
    found, count = [np.zeros((0, m), dtype=bool)], 0
    for start in range(0, 1 << m, CHUNK):
        if not watch(start / (1 << m), count):
            break
        patterns = binary(np.arange(start, min(start + CHUNK, 1 << m), dtype=np.uint64), m)
        found.append(patterns[carry(form, constant, slopes, patterns)])
        count += len(found[-1])
    return Pieces(np.concatenate(found), None, 0, watch.stopped is None, position="independent")


def binary(numbers: NDArray[np.uint64], bits: int) -> NDArray[np.bool_]:
    """The numbers in binary, highest bit first; (count,) → (count, bits)."""
    digits = np.unpackbits(numbers.astype(">u8").view(np.uint8).reshape(-1, 8), axis=1).view(np.bool_)
    return np.pad(digits, ((0, 0), (max(0, bits - 64), 0)))[:, -bits:] if bits else digits[:, :0]


def carry(form: ExactForm, constant: fmpq, slopes: list[fmpq] | None, patterns: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which patterns carry a piece."""
    if slopes is None:
        return np.ones(len(patterns), dtype=bool)
    negative = np.full(len(patterns), constant < 0)
    positive = np.full(len(patterns), constant > 0)
    for active, (down, up) in zip(patterns.T, turns(form, slopes), strict=True):
        negative |= np.where(active, down[1], down[0])
        positive |= np.where(active, up[1], up[0])
    if constant == 0:  # one negative unit alone: its kink beside f = 0
        return (negative & positive) | ((patterns.sum(axis=1) == 1) & ~positive)
    return negative & positive


def in_units(form: ExactForm) -> tuple[fmpq, list[fmpq] | None]:
    """c_0 and the c_k of l = c_0 + Σ c_k a_k; None for the latter where ∇l is independent of the units."""
    gradients = fmpq_mat(fmpz_mat([list(a[:-1]) for a in form.units] or [[0] * form.inputs])).transpose()
    gradient = fmpq_mat(form.inputs, 1, list(form.affine[:-1]))
    if not any(form.affine[:-1]):
        return fmpq(form.affine[-1]), [fmpq(0)] * len(form.units)
    rows = [list(a[:-1]) for a in (*form.units, form.affine)]
    if fmpz_mat(rows).rank() > len(form.units):
        return fmpq(form.affine[-1]), None
    normal = gradients.transpose() * gradients
    c = normal.solve(gradients.transpose() * gradient)
    slopes = [c[k, 0] for k in range(len(form.units))]
    return form.affine[-1] - sum((s * a[-1] for s, a in zip(slopes, form.units, strict=True)), start=fmpq(0)), slopes


def turns(form: ExactForm, slopes: list[fmpq]) -> list[tuple[tuple[bool, bool], tuple[bool, bool]]]:
    """For each unit, whether its term can be negative, and whether positive: while it is inactive, while active."""
    return [((c > 0, c + s < 0), (c < 0, c + s > 0)) for c, s in zip(slopes, form.signs, strict=True)]


def number(form: ExactForm, constant: fmpq, slopes: list[fmpq] | None) -> int:
    """How many patterns carry a piece."""
    total = 1 << len(form.units)
    if slopes is None:
        return total
    without_negative = without_positive = without_both = 1
    for down, up in turns(form, slopes):
        without_negative *= sum(not d for d in down)
        without_positive *= sum(not u for u in up)
        without_both *= sum(not d and not u for d, u in zip(down, up, strict=True))
    if constant < 0:
        return total - without_positive
    if constant > 0:
        return total - without_negative
    return total - without_negative - without_positive + without_both + sum(s < 0 for s in form.signs)
