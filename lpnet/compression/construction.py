"""From exact rows to networks in floats."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from lpnet.compression.backward import distance
from lpnet.exact import Form, to_floats
from lpnet.networks import ExactForm, ReLUNetwork


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
