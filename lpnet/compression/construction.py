"""From exact rows to networks in floats, and how far half-spaces have to be moved until a network has their decisions."""

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from lpnet.compression.recognition.cone import unit_row
from lpnet.exact import ABSENT, FloatArray, Form, balance, leading, to_floats
from lpnet.networks import ExactForm, ReLUNetwork
from lpnet.programs.linear import POSITIVE, maximum

NEAR = 1e-3  # half-spaces further apart than this are not taken for the same one


def deviation(given: Sequence[Form], needed: Sequence[Form], orientation: int) -> tuple[float, list[int]]:
    """A small δ such that two lists of half-spaces, moved by at most δ each, have equal decisions: |h' − h| ≤ δ |h|.

    |h| is the largest coefficient. orientation +1: both lists are disjunctions; −1: conjunctions. Half-spaces that the lists
    have in common are moved onto each other; every other one has to become redundant: Σ μ_j (common h_j) ∓ s, μ, s ≥ 0.
    All of this is computed in rationals and rounded up. 0 is a proof that the decisions are equal as they stand; inf: not
    found, there are half-spaces on one side that have no counterpart on the other. Also the numbers of the needed half-spaces
    that the lists have in common: with them alone the decisions are those of the lists once moved.
    """
    if not needed:
        return (math.inf if given else 0.0), []
    left, right = (np.array([unit_row(h) / np.abs(unit_row(h)).max() for h in forms]) for forms in (given, needed))
    nearest = [int(np.abs(right - row).max(axis=1).argmin()) for row in left]
    pairs = [(k, j) for k, j in enumerate(nearest) if np.abs(right[j] - left[k]).max() < NEAR]
    common = sorted({j for _, j in pairs})
    if not common:
        return math.inf, []
    distances = [distance(given[k], needed[j]) for k, j in pairs]
    matched = {k for k, _ in pairs}
    rest = [(given[k], left[k]) for k in range(len(given)) if k not in matched]
    rest += [(needed[j], right[j]) for j in range(len(needed)) if j not in common]
    forms = [needed[j] for j in common]
    distances += [from_redundant(h, forms, row, right[common], orientation) for h, row in rest]
    return max(distances), common


def distance(h: Form, other: Form) -> float:
    """The distance from h to a positive multiple of another form, relative to the largest coefficient of h; rounded up."""
    pivot = max(range(len(h)), key=lambda j: abs(h[j]))
    if h[pivot] * other[pivot] <= 0:
        return math.inf
    return relative(h, [Fraction(h[pivot] * z, other[pivot]) for z in other])


def relative(h: Form, other: Sequence[Fraction]) -> float:
    """max |h_j − other_j| / max |h_j| as a float that is not too small."""
    exact = max(abs(a - b) for a, b in zip(h, other, strict=True)) / max(map(abs, h))
    return math.nextafter(float(exact), math.inf) if exact else 0.0


def from_redundant(h: Form, needed: Sequence[Form], row: FloatArray, rows: FloatArray, orientation: int) -> float:
    """The distance from h to a half-space that follows from the others: Σ μ_j h_j less or plus a constant."""
    width = len(row)
    constant = np.append(np.zeros(width - 1), -orientation)
    generators = np.vstack([rows, constant])
    ends = np.ones((width, 1))
    # minimise ε over (μ, s, ε) ≥ 0 with |Σ μ_j h_j ∓ s − h| ≤ ε
    bounds = np.block([[generators.T, -ends], [-generators.T, -ends]])
    best = maximum(np.append(np.zeros(len(generators)), -1.0), bounds, np.concatenate([row, -row]), bounds=POSITIVE)
    if best is None:
        return math.inf
    exact = [[Fraction(z, max(map(abs, form))) for z in form] for form in needed] + [[Fraction(int(z)) for z in constant]]
    weights = [Fraction(max(0.0, float(weight))) for weight in best.at[:-1]]
    total = [sum((w * form[j] for w, form in zip(weights, exact, strict=True) if w), Fraction(0)) for j in range(width)]
    size = max(map(abs, h))
    return relative(h, [size * z for z in total])


TURNS = 50
MISLED = 10  # bits


def comparable(halfspaces: Sequence[Form]) -> tuple[int, ...]:
    """Powers of two for the inputs that make the entries of the half-spaces comparable.

    Those of `balance`, unless a few rows of another kind than the rest mislead it: then those of geometric means, by turns of
    rows and columns, over the entries that are not 0.
    """
    shifts = balance(halfspaces)
    size = leading(halfspaces)[1].astype(float)
    size[size < ABSENT / 2] = np.nan
    used = ~np.isnan(size).all(axis=0)
    if not used.any():
        return shifts
    size, column = size[~np.isnan(size).all(axis=1)][:, used], np.zeros(int(used.sum()))
    for _ in range(TURNS):
        row = np.nanmean(size + column, axis=1)
        column = -np.nanmean(size - row[:, None], axis=0)
    column -= column.min()
    if np.ptp(column - np.array(shifts)[used]) <= MISLED:
        return shifts
    means = np.zeros(len(used), dtype=int)
    means[used] = np.rint(column)
    return tuple(means.tolist())


def and_network(halfspaces: Sequence[Form]) -> dict[str, Any]:
    """The AND of the half-spaces {h_k ≤ 0}, a ReLU for each; exact unless they have more digits than floats can hold."""
    found = as_network(ExactForm((0,) * len(halfspaces[0]), tuple(halfspaces), (1,) * len(halfspaces), 0), -1)
    error = max(distance(h, a) for h, a in zip(halfspaces, found.exact_form.units, strict=True))
    return {"verdict": "exact", "reason": "an AND, a ReLU for each half-space", "relu_network": found, "deviation": error}


def scaled(form: Sequence[int], shifts: Sequence[int]) -> Form:
    """The entries times 2^shift, up to a common factor."""
    least = min(shifts)
    return tuple(z << s - least for z, s in zip(form, shifts, strict=True))


def as_network(form: ExactForm, orientation: int) -> ReLUNetwork:
    """orientation · (l + Σ R(a_k)), l constant, up to a positive factor: in floats, exactly where they can hold it.

    a_k = w_k · (a shortest integer row): weights that went into a network as floats come out as floats again.
    """
    factors = [math.gcd(*a) or 1 for a in form.units]
    rows = [tuple(z // g for z in a) for a, g in zip(form.units, factors, strict=True)]
    bits = [max(map(abs, row)).bit_length() for row in rows]
    size = max(g.bit_length() + b for g, b in zip(factors, bits, strict=True))
    table = np.array([to_floats(row, -b) for row, b in zip(rows, bits, strict=True)])
    weights = np.array([orientation * to_floats([g], b - size)[0] for g, b in zip(factors, bits, strict=True)])
    return ReLUNetwork(table[:, :-1], table[:, -1], weights, orientation * to_floats(form.affine[-1:], -size)[0])
