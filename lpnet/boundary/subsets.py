"""The compact linear program: does a cell carry a piece of the decision boundary?

A boundary piece is a (d−1)-dimensional set on which a hyperplane separates points with f < 0 from points with f ≥ 0.
On the negative side exactly the units of some S are active, and the hyperplane is {c_S = 0}, c_S = f on the cell of S
(for one layer l + Σ_{k∈S} s_k a_k); its half-space is {c_S ≥ 0}. So S carries a piece if and only if

1. c_S is not constant;
2. some x in the domain has c_S(x) = 0, z_k(x) > 0 for k ∈ S and z_k(x) < 0 for k ∉ S, z_k as it is on the cell, for all units
   with z_k neither 0 nor proportional to c_S there; those that are 0 all over the cell are not in S;
3. the units with z_k ∝ c_S (the piece lies on their kink) are active on the side c_S < 0 just where S says so, and f ≥ 0
   on the cell across, which these units enter with the other sign.
"""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from lpnet.boundary.pieces import Pieces
from lpnet.boundary.walk import EMPTY, NEGATIVE, NOT_NEGATIVE, OPEN, PIECE, SPLIT, TOUCHING, Walk
from lpnet.errors import InputError
from lpnet.exact import Form, Point
from lpnet.networks import ExactForm, Polyhedron, ReLUNetwork
from lpnet.networks.exact_form import Cell, proportion
from lpnet.networks.polyhedron import as_domain
from lpnet.programs import Certificate, SignProgram
from lpnet.watch import Watch

Pattern = tuple[int, ...]


@dataclass(frozen=True)
class Verdict:
    """Whether the hyperplane {c_S = 0} carries a piece, with the evidence.

    pattern: +1 for the units of S, −1 for the others; halfspace: c_S.
    witness: a point as in condition 2, where it carries one; otherwise `certificate` excludes every such point
    (its forms: the units, then the inequalities of the domain), or, where it is None, `reason` says what fails by itself.
    """

    pattern: Pattern
    halfspace: Form
    witness: Point | None
    certificate: Certificate | None
    reason: str

    @property
    def carries_piece(self) -> bool:
        """The answer."""
        return self.witness is not None


def subset_verdict(network: ReLUNetwork, subset: Iterable[int], domain: Polyhedron | None = None) -> Verdict:
    """Whether the hyperplane of one subset S of the units carries a piece of the network's decision boundary.

    subset: indices of units (from 0); those with output weight 0 have no say. domain: default all of R^d.
    """
    chosen = set(subset)
    if not chosen <= set(range(network.relus)):
        raise InputError(f"subset: wanted unit indices from 0 to {network.relus - 1}, got {sorted(chosen)}")
    used = network.used
    form, domain = network.exact_form, as_domain(domain, network.inputs)
    return decide(form, tuple(1 if k in chosen else -1 for k in used), sign_program(form, domain))


def expand(form: ExactForm, domain: Polyhedron, watch: Watch, recorded: bool = False) -> Pieces:
    """The expanding engine: asks the compact program about each of the 2^m subsets of the units of a normal form.

    recorded: whether the pieces come with the tree of all subsets, as a proof.
    """
    program = sign_program(form, domain)
    total = 1 << len(form.units)
    found: list[tuple[Pattern, Point]] = []
    leaves: list[tuple[int, list[int]]] = []
    for done, pattern in enumerate(itertools.product((-1, 1), repeat=len(form.units))):
        if not watch(done / total, len(found)):
            break
        verdict = decide(form, pattern, program)
        if verdict.witness is not None:
            found.append((pattern, verdict.witness))
        if recorded:
            leaves.append(closing(form, verdict, len(program.forms)))
    patterns = np.array([pattern for pattern, _ in found]).reshape(len(found), len(form.units)) > 0
    walk = walk_of(leaves, len(form.units), form.inputs + 2) if recorded else None
    return Pieces(patterns, tuple(witness for _, witness in found), program.solved, watch.stopped is None, tree=walk)


def walk_of(leaves: Sequence[tuple[int, list[int]]], units: int, width: int) -> Walk:
    """The tree that fixes all units in order, as far as its leaves are known: their kinds and the rows that show them."""
    kinds = [kind for kind, _ in leaves] + [OPEN] * ((1 << units) - len(leaves))
    nodes: list[int] = []
    for number, kind in enumerate(kinds):
        new = (number & -number).bit_length() - 1 if number else units  # units that change with the number
        nodes += [*(SPLIT + unit for unit in range(units - new, units)), kind]
    shown = [rows for kind, rows in leaves if kind != PIECE]
    table = np.full((len(shown), width), -1, np.int32)
    for line, rows in zip(table, shown, strict=True):
        line[: len(rows)] = rows
    full = np.zeros((len(shown), -(-max(1, units) // 8)), np.uint8)
    return Walk(np.array(nodes, np.uint16), table, full, np.flatnonzero(np.array(nodes) == PIECE), None)


def sign_program(form: ExactForm, domain: Polyhedron) -> SignProgram:
    """The program whose forms are the units and the inequalities of the domain."""
    return SignProgram([*form.units, *domain.inequalities()], form.inputs)


def decide(form: ExactForm, pattern: Pattern, program: SignProgram) -> Verdict:
    """The three conditions; program: that of `sign_program(form, domain)`."""
    cell = form.cell(pattern)
    c = cell.f
    if form.links:
        program = SignProgram([*cell.rows, *program.forms[len(pattern) :]], form.inputs)
    if not any(c[:-1]):
        return Verdict(pattern, c, None, None, "c_S is constant")
    constant = [k for k, z in enumerate(cell.rows) if not any(z[:-1])]
    if any((cell.rows[k][-1] > 0) != (pattern[k] > 0) for k in constant):
        return Verdict(pattern, c, None, None, "a constant unit is active exactly if its bias is positive")
    kinks = {k: slope for k, z in enumerate(cell.rows) if any(z) and (slope := proportion(z, c))}
    if kinks and not _changes_sign(form, cell, kinks):
        return Verdict(pattern, c, None, None, "no change of sign where the piece would lie on a kink")
    free = {*kinks, *constant}
    relations = [0 if k in free else side for k, side in enumerate(pattern)] + [1] * (len(program.forms) - len(pattern))
    answer = program.decide(relations, vanishing=c)
    if isinstance(answer, Certificate):
        return Verdict(pattern, c, None, answer, "no point of the hyperplane has the activation pattern S")
    return Verdict(pattern, c, answer, None, "carries a piece")


def closing(form: ExactForm, verdict: Verdict, one: int) -> tuple[int, list[int]]:
    """The kind of leaf that a subset is in a tree, and the rows that show it (`lpnet.boundary.walk`); one: the constant's."""
    c, found = verdict.halfspace, verdict.certificate
    if verdict.carries_piece:
        return PIECE, []
    if not any(c[:-1]):
        return NOT_NEGATIVE if c[-1] >= 0 else NEGATIVE, [one] if c[-1] else []
    if found:
        rows = [row for row, _ in found.multipliers] + ([one] if found.constant else [])
        return (NOT_NEGATIVE if found.vanishing < 0 else NEGATIVE if found.vanishing else EMPTY), rows
    units = form.cell(verdict.pattern).rows
    kinks = [(k, slope) for k, z in enumerate(units) if any(z) and (slope := proportion(z, c))]
    above = [k for k, slope in kinks if verdict.pattern[k] == slope]
    return (NOT_NEGATIVE, above[:1]) if above else (TOUCHING, [kinks[0][0]])


def _changes_sign(form: ExactForm, cell: Cell, kinks: dict[int, int]) -> bool:
    """Condition 3."""
    if any(cell.pattern[k] != -slope for k, slope in kinks.items()):
        return False
    beyond = form.across(cell).f
    return not any(beyond) or proportion(beyond, cell.f) > 0
