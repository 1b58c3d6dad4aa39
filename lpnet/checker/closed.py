"""Closed forms of the number of half-spaces that are needed, on all of R^d."""

import itertools
import math
from collections.abc import Callable, Sequence

import numpy as np
from flint import fmpq, fmpz_mat, nmod_mat
from numpy.typing import NDArray

from lpnet.checker.counts import most_cells
from lpnet.checker.lines import Floats, U, elimination, float_forms, independent_inputs
from lpnet.checker.proof import Proof
from lpnet.checker.question import Form, NormalForm, Refuted, combination, sign
from lpnet.checker.work import products

PRIME = 2**61 - 1
AT_ONCE = 1 << 20  # determinants


def check_closed_form(proof: Proof) -> str:
    """That a closed form gives the number in the header; returns words on why there is one."""
    form, m, columns = proof.form, len(proof.form.units), len(proof.form.affine)
    modular = m * m * columns * (1 + form.bits // 30) // 30  # elimination, and p-adic lifting to numbers of m times the bits
    proof.work.spend(modular + products(m * columns, form.bits, m * (form.bits + m.bit_length())), proof.from_file)
    number, why = None if form.walls else closed_form(form), "the hidden weights are independent"
    if number is None:
        number = of_cones(form, lambda steps: proof.work.spend(steps, proof.from_file))
        why = f"{m} hyperplanes through one point, in general position, and weights of one sign"
    if number is None:
        raise Refuted("there is no closed form that this network on this domain is known to have")
    if number != proof.rows:
        raise Refuted(f"the closed form gives {number} half-spaces, not {proof.rows}")
    return why


def closed_form(form: NormalForm) -> int | None:
    """How many half-spaces are needed where the gradients of the units are independent; None where that is not known.

    With y_k = a_k(x) as coordinates, f = c_0 + g(z) + Σ t_k(y_k), t_k(y) = c_k y + s_k R(y), z further coordinates. If ∇l is
    independent of the ∇a_k, f changes sign on every cell. Otherwise g = 0, and f takes both signs on a cell if and only if
    some t_k goes to the side opposite to c_0 ≠ 0 there. If c_0 = 0 and l = 0, both kinds have to be active, and each
    negative unit alone is a kink beside f = 0. Different patterns have different half-spaces. Gradients that are independent
    modulo a prime are independent; others are left to another kind of evidence.
    """
    m = len(form.units)
    basis = independent_columns([a[:-1] for a in form.units]) if m else []
    if len(basis) < m:
        return None
    flat = not any(form.affine[:-1])
    slopes = [fmpq(0)] * m
    if not flat and m:
        square = fmpz_mat([[a[j] for a in form.units] for j in basis])
        solved = square.solve(fmpz_mat(m, 1, [form.affine[j] for j in basis]))
        slopes = [solved[k, 0] for k in range(m)]
    scale = math.lcm(*(int(c.q) for c in slopes))
    *rest, constant = combination([scale, *(-int(c * scale) for c in slopes)], [form.affine, *form.units])  # of l, and c_0
    if any(rest):
        return 1 << m
    if constant == 0:
        plus, minus = form.signs.count(1), form.signs.count(-1)
        return ((1 << plus) - 1) * ((1 << minus) - 1) + minus if flat else None
    away = -sign(constant)  # the side f has to be brought to
    idle = 1
    for c, s in zip(slopes, form.signs, strict=True):
        idle *= int(sign(-c) != away) + int(sign(c + s) != away)
    return (1 << m) - idle


def independent_columns(rows: Sequence[Form]) -> list[int]:
    """Columns in which the rows are independent, as many as there are independent ones; both modulo a prime."""
    reduced, rank = nmod_mat([list(row) for row in rows], PRIME).rref()
    return [next(j for j in range(reduced.ncols()) if int(reduced[row, j])) for row in range(rank)]


def cells_at_point(form: NormalForm) -> tuple[int, int] | None:
    """The most cells that the hyperplanes can have, and their rank; None unless they have a common point, on all of R^d, where
    f is a constant ≠ 0 and all units turn it to the other side.
    """
    turns = set(form.signs)
    if form.walls or any(form.affine[:-1]) or len(turns) != 1 or turns != {-sign(form.affine[-1])}:
        return None
    cells, rank, central = most_cells(form)
    return (cells, rank) if central else None


def of_cones(form: NormalForm, spend: Callable[[int], None]) -> int | None:
    """How many half-spaces are needed where all hyperplanes go through one point, in general position; None for other forms.

    Let all a_k vanish at p, any r of their gradients be independent, r the rank of them all, s_k = s for all k, and l constant,
    of sign −s. Then f − l is positively homogeneous about p, and of sign s on each cell but the one on which no unit is active:
    c_S takes both signs there. No piece lies in {a_k = 0}, because c_S(p) = l ≠ 0; and different patterns have different
    half-spaces, because f is convex or concave. So they are all 2 Σ_{i<r} C(m−1, i) cells, less that one if there is one.
    spend: called with the steps (see `work`) of what comes next.
    """
    found = cells_at_point(form)
    if not found or found[1] < 2:  # one unit has a form for independent ones
        return None
    idle = idle_cell(independent_inputs([(*a[:-1], 0) for a in form.units]), found[1], spend)
    return None if idle is None else found[0] - idle


def idle_cell(units: Sequence[Form], r: int, spend: Callable[[int], None]) -> bool | None:
    """Whether units (v, 0) on R^r, that span it, are all negative somewhere; None where r of them are dependent.

    The cell would be a pointed cone with a ray: one half of a line on which r − 1 of the a_k vanish and all others are
    negative. Conversely, those that vanish there are independent, and can be made negative at once. So the signs of all
    det(u_I, u_k), |I| = r − 1, tell.
    """
    m, idle = len(units), False
    bits = max(abs(entry).bit_length() for a in units for entry in a)
    rows = float_forms((0,) * (r + 1), units, [1] * m).gradients[:m]
    prefixes = itertools.combinations(range(m - 1), r - 2)
    while chunk := list(itertools.islice(prefixes, max(1, AT_ONCE // m**2))):
        spend(len(chunk) * (1 + (r * 2**r + m * (m + r)) // 60))
        subsets, signs = signs_of_determinants(rows, np.array(chunk, dtype=np.int64).reshape(len(chunk), r - 2))
        for index in np.flatnonzero(np.count_nonzero(signs, axis=1) < m - r + 1):
            spend((m - r + 1) * elimination(r, r, bits))
            subset = subsets[index].tolist()
            others = [k for k in range(m) if k not in subset]
            signs[index, others] = [sign(fmpz_mat([list(units[i][:-1]) for i in (*subset, k)]).det()) for k in others]
            if not signs[index, others].all():
                return None
        idle |= bool((np.abs(signs.sum(axis=1, dtype=np.int64)) == m - r + 1).any())
    return idle


def signs_of_determinants(rows: Floats, prefixes: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int8]]:
    """The sets I that begin with a prefix of r − 2 rows, (count, r − 1), and the signs of det(u_I, u_k), (count, m); 0: doubt.

    Rows have a 1-norm ≤ 1, and entries off by U relatively, or by far less than U. A determinant expanded in minors is Σ ± Π u
    over permutations, each product with at most r (r + 3) roundings, and Σ Π |u| ≤ 1; twice the bound covers its own rounding.
    """
    m, r = rows.shape
    minors: dict[tuple[int, ...], Floats] = {(): np.ones(1)}
    group = np.zeros(len(prefixes), dtype=np.int64)
    for size in range(1, r - 1):  # those of the first rows once for all prefixes that begin with them
        new = np.concatenate([[True], (prefixes[1:, :size] != prefixes[:-1, :size]).any(axis=1)])
        last, before = rows[prefixes[new, size - 1]].T, {columns: minor[group[new]] for columns, minor in minors.items()}
        group = new.cumsum() - 1
        minors = {
            columns: sum(
                (-1) ** (size - 1 - i) * last[j] * before[columns[:i] + columns[i + 1 :]] for i, j in enumerate(columns)
            )
            for columns in itertools.combinations(range(r), size)
        }
    forms = np.zeros((len(prefixes), r, r))  # det(u_P, y, z) = y·F z
    for a, b in itertools.combinations(range(r), 2):
        minor = (-1) ** (a + b + 1) * minors[tuple(j for j in range(r) if j not in (a, b))]
        forms[:, a, b], forms[:, b, a] = minor, -minor
    first = prefixes[:, -1] + 1 if r > 2 else np.zeros(1, dtype=np.int64)
    of, unit = np.nonzero(np.arange(m) >= first[:, None])
    subsets = np.column_stack([prefixes[of], unit])
    values = (rows[unit, None] @ forms[of])[:, 0] @ rows.T
    signs = np.where(np.abs(values) > 2 * r * (r + 3) * U, np.sign(values), 0).astype(np.int8)
    np.put_along_axis(signs, subsets, 0, axis=1)
    return subsets, signs
