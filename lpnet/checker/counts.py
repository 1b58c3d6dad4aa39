"""That no other half-space is needed, because there are as many as there can be; and constants."""

import math

import numpy as np
from flint import fmpq, fmpq_mat, fmpz_mat
from numpy.typing import NDArray

from lpnet.checker.proof import Progress, Proof
from lpnet.checker.question import NormalForm, Refuted, sign, value


def check_bound(proof: Proof, patterns: NDArray[np.uint8], progress: Progress) -> str:
    """That there are as many rows as cells that can carry a piece; returns words on that."""
    form, m = proof.form, len(proof.form.units)
    if form.walls:
        raise Refuted("the bound is about all of R^d only")
    cells, rank, central = most_cells(form)
    idle = set()
    for at in proof.idle:
        pattern, strict = form.pattern_at(at)
        if at[-1] <= 0 or not strict or any(form.on_cell(pattern)[:-1]):
            raise Refuted("an idle cell is not idle: f is not constant on it")
        idle.add(pattern)
    if len(patterns) != cells - len(idle):
        raise Refuted(f"{len(patterns)} half-spaces are fewer than the {cells} cells that there may be, {len(idle)} idle")
    return (
        f"{m} hyperplanes {'with a common point ' if central else ''}in R^{rank} have at most {cells} cells, {len(idle)} idle"
    )


def most_cells(form: NormalForm) -> tuple[int, int, bool]:
    """The most cells m hyperplanes can have in R^r; r, the rank of their gradients; whether they have a common point."""
    m = len(form.units)
    rank = int(fmpz_mat([list(a[:-1]) for a in form.units]).rank()) if m else 0
    if m and fmpz_mat([list(a) for a in form.units]).rank() == rank:
        return 2 * sum(math.comb(m - 1, s) for s in range(rank)), rank, True
    return sum(math.comb(m, s) for s in range(rank + 1)), rank, False


def check_closed_form(proof: Proof) -> None:
    """That the closed form gives the number in the header."""
    form = proof.form
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
    negative unit alone is a kink beside f = 0. Different patterns have different half-spaces.
    """
    m = len(form.units)
    rows = [list(a[:-1]) for a in form.units]
    if m and fmpz_mat(rows).rank() < m:
        return None
    flat = not any(form.affine[:-1])
    if not flat and fmpz_mat([*rows, list(form.affine[:-1])]).rank() > m:
        return 1 << m
    slopes = [fmpq(0)] * m
    if not flat:
        u = fmpq_mat(fmpz_mat(rows))
        solved = (u * u.transpose()).solve(u * fmpq_mat(len(form.affine) - 1, 1, list(form.affine[:-1])))
        slopes = [solved[k, 0] for k in range(m)]
    constant = form.affine[-1] - sum((c * a[-1] for c, a in zip(slopes, form.units, strict=True)), start=fmpq(0))
    if constant == 0:
        plus, minus = form.signs.count(1), form.signs.count(-1)
        return ((1 << plus) - 1) * ((1 << minus) - 1) + minus if flat else None
    away = -sign(constant)  # the side f has to be brought to
    idle = 1
    for c, s in zip(slopes, form.signs, strict=True):
        idle *= int(sign(-c) != away) + int(sign(c + s) != away)
    return (1 << m) - idle


def check_constant(proof: Proof) -> None:
    """That f has the sign claimed at a point of D off {f = 0}, or is 0 on a cell."""
    form = proof.form
    if proof.constant not in (1, -1) or len(proof.idle) != 1:
        raise Refuted("there is no half-space and no constant")
    at = proof.idle[0]
    if at[-1] <= 0 or any(value(h, at) <= 0 for h in form.walls):
        raise Refuted("the point of the constant lies outside the domain")
    pattern, strict = form.pattern_at(at)
    c = form.on_cell(pattern)
    here = sign(value(c, at)) or int(not any(c) and strict)
    if here != proof.constant:
        raise Refuted(f"the answer is not the constant {proof.constant:+d}")
