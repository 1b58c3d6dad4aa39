"""What passes between the search of the tree engine and its compiled part."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lpnet.boundary.tree.record import Log
from lpnet.exact import FloatArray
from lpnet.programs.stems import Stems

Signs = NDArray[np.int8]
# What bounds of f say of a node: nothing, f ≥ 0 or f < 0 on it, or so by a proof to be checked exactly.
SPLIT, PRUNED_LOW, PRUNED_HIGH, CHECK_LOW, CHECK_HIGH = 0, 1, 2, 3, 4
# What became of the far side of a unit: it is empty, has a point, seems to be empty by a circuit to be checked, or is to be
# settled exactly.
EMPTY, ALIVE, CHECK, UNSETTLED = 0, 1, 2, 3


class Problem(NamedTuple):
    """f = affine + Σ s_k R(F_k) on a domain, in homogeneous coordinates of well-balanced size.

    rows: the units, the inequalities of the domain and the constant 1, each of length 1, (R, D); units: the F_k, (m, D), with
    their lengths; outputs: s_k, (m,); affine: (D,); chords: upper bounds of R(F_k) that are affine, (m, D), if chorded;
    error: a bound on the rounding of every sum of these, (D,); underflow: not 0 where an entry was too small for floats, (D,);
    turn: units of turn 0 are fixed first, (m,); bounded: whether f matters at all; recorded: whether proofs are kept that need
    no check.
    """

    rows: FloatArray
    units: FloatArray
    lengths: FloatArray
    outputs: NDArray[np.int8]
    affine: FloatArray
    chords: FloatArray
    chorded: bool
    error: FloatArray
    off: FloatArray
    off_units: FloatArray
    inner: int
    turn: NDArray[np.int8]
    bounded: bool
    recorded: bool


class Proof(NamedTuple):
    """What a program about a node has found out.

    evidence: rows (below R) and units of φ (R + k) that take part, −1 after the last (D,); facing: the sides of the units of φ
    in it (m,); programs: how many were solved so far (1,).
    """

    evidence: NDArray[np.int64]
    facing: NDArray[np.int8]
    programs: NDArray[np.int64]


def empty_proof(units: int, size: int) -> Proof:
    """Room for one."""
    return Proof(np.full(size, -1, np.int64), np.zeros(units, np.int8), np.zeros(1, np.int64))


class Net(NamedTuple):
    """The units for the kernel, scaled by powers of two to a size of about 1, in D homogeneous coordinates.

    start: the first unit of each level, and their number; place: the row of each unit; base: a_k, and what underflow took of it
    (m, D); link_start, link_unit, link_factor: the C_kj of unit k are those from link_start[k] on; weight: w_k; output: l, and
    what underflow took of it and of the chords; raw, error: z_k on the cell of the node on top of the stack, and what it may be
    off by (m, D); constant: whether it is constant there; low, up: affine functions below and above R(z_k) on a box, slack:
    what they may be off by (m, D); magnitude, doubt: for the kernel to write on; boxed: whether nodes have boxes; fixed: which
    coordinate is, in each of them; tally: what is counted of each level, see `tree_kernel`; recorded: whether all is taken
    down, log: where; stems: circuits of units of the first level.
    """

    start: NDArray[np.int64]
    place: NDArray[np.int64]
    base: FloatArray
    lost: FloatArray
    link_start: NDArray[np.int64]
    link_unit: NDArray[np.int64]
    link_factor: FloatArray
    weight: FloatArray
    output: FloatArray
    output_lost: FloatArray
    raw: FloatArray
    error: FloatArray
    constant: NDArray[np.bool_]
    low: FloatArray
    up: FloatArray
    slack: FloatArray
    magnitude: FloatArray
    doubt: FloatArray
    boxed: bool
    fixed: NDArray[np.int64]
    tally: NDArray[np.int64]
    recorded: bool
    log: Log
    stems: Stems


class Stack(NamedTuple):
    """Nodes: the signs that rows must have, the units' signs (0: open), a point, one where f > 0 or NaN; the level, how often
    the tree has forked; whether bounds of f were of no use; whether the level's rows are still to be unfolded, and its
    boxes to be cut by all rows of the level before; the ends of boxes whose rays cover it, (boxes, D), NaN for empty ones; of
    several outputs those that may be the largest.
    """

    signs: Signs
    pattern: Signs
    x: FloatArray
    above: FloatArray
    level: NDArray[np.int64]
    depth: NDArray[np.int64]
    kept: NDArray[np.bool_]
    fresh: NDArray[np.bool_]
    ended: NDArray[np.bool_]
    low: FloatArray
    high: FloatArray
    alive: NDArray[np.bool_]


class Found(NamedTuple):
    """Patterns of cells, a point of each where f < 0 and one where f > 0, and the share of the tree that is done (1,)."""

    patterns: Signs
    rays: FloatArray
    share: FloatArray


def empty_stack(nodes: int, rows: int, units: int, size: int, boxes: int, outputs: int = 0) -> Stack:
    """Room for so many nodes."""
    x, above = np.zeros((2, nodes, size))
    low, high = np.zeros((2, nodes, boxes, size))
    level, depth = np.zeros((2, nodes), np.int64)
    signs, pattern = np.zeros((nodes, rows), np.int8), np.zeros((nodes, units), np.int8)
    alive = np.zeros((nodes, outputs), np.bool_)
    kept, fresh, ended = np.zeros((3, nodes), np.bool_)
    return Stack(signs, pattern, x, above, level, depth, kept, fresh, ended, low, high, alive)
