"""That no other half-space is needed, because there are as many as there can be; and constants."""

import math

import numpy as np
from flint import fmpz_mat
from numpy.typing import NDArray

from lpnet.checker.lines import elimination
from lpnet.checker.proof import Proof
from lpnet.checker.question import NormalForm, Refuted, sign, value
from lpnet.checker.work import longest, products


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
