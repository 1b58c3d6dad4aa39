"""From exact rows to networks in floats."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from lpnet.compression.backward import distance
from lpnet.exact import ABSENT, Form, balance, leading, to_floats
from lpnet.networks import ExactForm, ReLUNetwork

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
