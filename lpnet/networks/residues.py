"""Which half-spaces may be the same: residues of f on many cells, modulo a prime.

Positive multiples of each other have residues that are multiples of each other. So where directions of residues differ, the
half-spaces do, and only those with the same one have to be compared in integers.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lpnet.exact import Form
from lpnet.networks.exact_form import ExactForm

PRIME = 2**31 - 1
AT_ONCE = 1 << 10
Residues = NDArray[np.int64]


def groups(
    body: ExactForm,
    patterns: NDArray[np.bool_],
    affine: Sequence[Form],
    weights: Sequence[Sequence[int]],
    which: NDArray[np.intp],
) -> list[NDArray[np.intp]]:
    """Numbers of cells whose half-spaces {l + Σ w_k R(z_k) ≥ 0} may be the same, in increasing order, two at least in each.

    patterns: (cells, m); affine, weights: l and w of some outputs; which: that of each cell, (cells,).
    """
    lines, rows = residues(affine, body.inputs + 1), residues(weights, len(body.units))
    keys = np.zeros((len(patterns), body.inputs + 1), np.int64)
    for start in range(0, len(patterns), AT_ONCE):
        part = slice(start, start + AT_ONCE)
        keys[part] = direction(on_cells(body, patterns[part], lines[which[part]], rows[which[part]]))
    if not keys.any(axis=1).all():
        return [np.arange(len(patterns))]  # a multiple of the prime
    _, number, count = np.unique(keys, axis=0, return_inverse=True, return_counts=True)
    number = number.ravel()
    order = np.argsort(number, kind="stable")
    return [own for own in np.split(order, np.cumsum(count)[:-1]) if len(own) > 1]


def residues(rows: Sequence[Sequence[int]], size: int) -> Residues:
    """Of integers, (count, size)."""
    return np.array([[int(entry) % PRIME for entry in row] for row in rows], np.int64).reshape(len(rows), size)


def on_cells(body: ExactForm, patterns: NDArray[np.bool_], lines: Residues, weights: Residues) -> Residues:
    """l + Σ w_k z_k over the active units of each cell, (cells, d + 1)."""
    own = residues(body.units, body.inputs + 1)
    active: dict[int, Residues] = {}
    total = lines.copy()
    for k in range(len(body.units)):
        z = np.broadcast_to(own[k], lines.shape).copy()
        for j, c in body.links[k] if body.links else ():
            z = (z + (c % PRIME) * active[j]) % PRIME
        active[k] = z * patterns[:, k, None]
        total = (total + weights[:, k, None] * active[k]) % PRIME
    return total


def direction(rows: Residues) -> Residues:
    """The multiples of which the first entry that is not 0 is 1; rows of 0 stay."""
    first = (rows != 0).argmax(axis=1)
    return rows * powers(rows[np.arange(len(rows)), first], PRIME - 2)[:, None] % PRIME


def powers(numbers: Residues, exponent: int) -> Residues:
    """numbers ** exponent."""
    made, square = np.ones_like(numbers), numbers.copy()
    while exponent:
        if exponent & 1:
            made = made * square % PRIME
        square, exponent = square * square % PRIME, exponent >> 1
    return made
