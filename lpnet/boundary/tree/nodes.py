"""What passes between the search of the tree engine and its compiled part."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
# What became of a node: split in two, f ≥ 0 or f < 0 below it, a leaf, a leaf to judge exactly, a bound of f to check exactly.
SPLIT, PRUNED_LOW, PRUNED_HIGH, LEAF, JUDGE, CHECK_LOW, CHECK_HIGH = 0, 1, 2, 3, 4, 5, 6
# What became of a child: it is empty, or by a stem, has a point, seems to be empty by a circuit to be checked, or is to be
# settled exactly.
EMPTY, COVERED, ALIVE, CHECK, UNSETTLED = 0, 1, 2, 3, 4


class Problem(NamedTuple):
    """f = affine + Σ s_k R(F_k) on a domain, in homogeneous coordinates of well-balanced size.

    rows: the units, the inequalities of the domain and the constant 1, each of length 1, (R, D); units: the F_k, (m, D), with
    their lengths; outputs: s_k, (m,); affine: (D,); chords: upper bounds of R(F_k) that are affine, (m, D), if chorded;
    error: a bound on the rounding of every sum of these, (D,); underflow: not 0 where an entry was too small for floats, (D,);
    turn: units of turn 0 are fixed first, (m,); bounded: whether f matters at all; recorded: whether proofs are kept that need
    no check.
    """

    rows: Floats
    units: Floats
    lengths: Floats
    outputs: NDArray[np.int8]
    affine: Floats
    chords: Floats
    chorded: bool
    error: Floats
    off: Floats
    off_units: Floats
    inner: int
    turn: NDArray[np.int8]
    bounded: bool
    recorded: bool


class Stems(NamedTuple):
    """Signs that no point has: bit masks of the units wanted positive and negative, (count, words) each.

    Those that want unit k on side ±1 are items[start[2k]:start[2k+1]] (−1) and items[start[2k+1]:start[2k+2]] (+1).
    """

    positive: NDArray[np.uint64]
    negative: NDArray[np.uint64]
    start: NDArray[np.int64]
    items: NDArray[np.int64]


class Nodes(NamedTuple):
    """A chunk: signs (N, R), the inequalities of the domain always +1; x (N, D); above: a point of the closed node where f > 0,
    or NaN (N, D); kept: whether bounds of f were found to be of no use (N,).
    """

    signs: NDArray[np.int8]
    x: Floats
    above: Floats
    kept: NDArray[np.bool_]


class Result(NamedTuple):
    """What became of each node (N,) and its children (N, 2), negative side first; see the constants.

    unit: which one was fixed (N,); points: the children's (N, 2, D); evidence: rows (below R) and units of φ (R + k) in the
    proof about a node (its first row) or a child, −1 after the last (N, 2, D), or the number of the stem;
    facing: the sides of the units of φ in it (N, m); programs (N,).
    """

    node: NDArray[np.int8]
    child: NDArray[np.int8]
    unit: NDArray[np.int64]
    points: Floats
    evidence: NDArray[np.int64]
    facing: NDArray[np.int8]
    programs: NDArray[np.int64]


def empty_result(nodes: int, units: int, size: int) -> Result:
    """An empty Result."""
    child, unit, programs = np.zeros((nodes, 2), np.int8), np.zeros(nodes, np.int64), np.zeros(nodes, np.int64)
    evidence, facing = np.empty((nodes, 2, size), np.int64), np.zeros((nodes, units), np.int8)
    return Result(np.zeros(nodes, np.int8), child, unit, np.zeros((nodes, 2, size)), evidence, facing, programs)
