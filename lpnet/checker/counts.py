"""That no other half-space is needed, because there are as many as there can be; and constants."""

import math
from collections.abc import Sequence

import numpy as np
from flint import fmpq, fmpz_mat, nmod_mat
from numpy.typing import NDArray

from lpnet.checker.lines import elimination
from lpnet.checker.proof import Proof
from lpnet.checker.question import Form, NormalForm, Refuted, combination, sign, value
from lpnet.checker.work import longest, products

PRIME = 2**61 - 1


def check_bound(proof: Proof, patterns: NDArray[np.uint8]) -> str:
    """That there are as many rows as cells that can carry a piece; returns words on that."""
    form, m = proof.form, len(proof.form.units)
    if form.walls:
        raise Refuted("the bound is about all of R^d only")
    proof.work.spend(2 * elimination(m, len(form.affine), form.bits), proof.from_file)
    cells, rank, central = most_cells(form, len(patterns) + len(proof.idle))
    idle = set()
    for at in proof.idle:
        spend_on_idle(proof)
        pattern, strict = form.pattern_at(at)
        if at[-1] <= 0 or not strict or any(form.on_cell(pattern)[:-1]):
            raise Refuted("an idle cell is not idle: f is not constant on it")
        idle.add(pattern)
    if len(patterns) != cells - len(idle):
        raise Refuted(f"{len(patterns)} half-spaces are fewer than the {cells} cells that there may be, {len(idle)} idle")
    return (
        f"{m} hyperplanes {'with a common point ' if central else ''}in R^{rank} have at most {cells} cells, {len(idle)} idle"
    )


def spend_on_idle(proof: Proof) -> None:
    """Count the steps of looking at an idle point."""
    form, d = proof.form, proof.inputs
    entries = (len(form.units) + len(form.walls) + 1) * (d + 1)
    proof.work.spend(2 * form.halfspace_steps + products(entries, form.bits, longest(d, len(form.units), form.bits)))


def most_cells(form: NormalForm, enough: float = math.inf) -> tuple[int, int, bool]:
    """The most cells m hyperplanes can have in R^r; r, the rank of their gradients; whether they have a common point.

    More than `enough` cells may be counted as any such number.
    """
    m = len(form.units)
    rank = int(fmpz_mat([list(a[:-1]) for a in form.units]).rank()) if m else 0
    if m and fmpz_mat([list(a) for a in form.units]).rank() == rank:
        return 2 * sum_of_choices(m - 1, rank - 1, enough), rank, True
    return sum_of_choices(m, rank, enough), rank, False


def sum_of_choices(m: int, largest: int, enough: float) -> int:
    """Σ C(m, s) over s ≤ largest, or a part of it that is more than enough."""
    total, term = 0, 1
    for s in range(largest + 1):
        total, term = total + term, term * (m - s) // (s + 1)
        if total > enough:
            break
    return total


def check_closed_form(proof: Proof) -> None:
    """That the closed form gives the number in the header."""
    form, m, columns = proof.form, len(proof.form.units), len(proof.form.affine)
    modular = m * m * columns * (1 + form.bits // 30) // 30  # elimination, and p-adic lifting to numbers of m times the bits
    proof.work.spend(modular + products(m * columns, form.bits, m * (form.bits + m.bit_length())), proof.from_file)
    number = None if form.walls else closed_form(form)
    if number is None:
        raise Refuted("there is no closed form: the hidden weights are not independent, or the domain is a part of R^d")
    if number != proof.rows:
        raise Refuted(f"the closed form gives {number} half-spaces, not {proof.rows}")


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


def check_constant(proof: Proof) -> None:
    """That f has the sign claimed at a point of D off {f = 0}, or is 0 on a cell."""
    form = proof.form
    if proof.constant not in (1, -1) or len(proof.idle) != 1:
        raise Refuted("there is no half-space and no constant")
    spend_on_idle(proof)
    at = proof.idle[0]
    if at[-1] <= 0 or any(value(h, at) <= 0 for h in form.walls):
        raise Refuted("the point of the constant lies outside the domain")
    pattern, strict = form.pattern_at(at)
    c = form.on_cell(pattern)
    here = sign(value(c, at)) or int(not any(c) and strict)
    if here != proof.constant:
        raise Refuted(f"the answer is not the constant {proof.constant:+d}")
