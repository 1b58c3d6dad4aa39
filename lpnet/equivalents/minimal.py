"""The minimal threshold equivalent of a ReLU network."""

import logging
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from lpnet.boundary.engines import find_pieces
from lpnet.boundary.pieces import Pieces
from lpnet.boundary.subsets import decide, sign_program
from lpnet.brief import brief
from lpnet.circuits.parts import signs_of
from lpnet.circuits.smallest import PATIENCE
from lpnet.circuits.theorem1 import ReducedDnf, reduced_dnf
from lpnet.equivalents.needed import Needed
from lpnet.equivalents.threshold import ThresholdEquivalent, reduced_network, threshold_equivalent
from lpnet.errors import LpnetError
from lpnet.exact import Form, Point, primitive, rounding, to_floats
from lpnet.networks import ExactForm, Polyhedron, ReLUNetwork, SignCircuit, SignNetwork
from lpnet.networks.exact_form import beside
from lpnet.networks.examples import Examples
from lpnet.networks.polyhedron import as_domain
from lpnet.networks.question import Question, question
from lpnet.programs import Certificate, SignProgram
from lpnet.watch import Watch

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class MinimalEquivalent(Needed):
    """The distinct half-spaces that carry a piece of the decision boundary of a ReLU network on a domain.

    Each of them is needed in the first layer of any layered threshold network with the same decisions, and they suffice:
    exactly if {f ≥ 0} is the closure of its interior (`regular`), otherwise off {f = 0}. If the search was stopped
    (`complete` False), they are those found so far: needed, but perhaps not all.

    network, domain: what was asked; question: the same in the coordinates that were searched (`lpnet.networks.question`);
    form: the normal form there; pieces: the engine's answer; engine, reason: its name and why it;
    first_piece: for each needed half-space, the number of the first piece that it carries, (units,);
    constant: where no half-space is needed, the one answer ±1 (off {f = 0} if not `regular`), else None;
    seconds: what the search took; examples: the rows of the data that the answer was asked for, or None.
    """

    network: ReLUNetwork
    domain: Polyhedron
    question: Question[ReLUNetwork]
    form: ExactForm
    pieces: Pieces
    engine: str
    reason: str
    first_piece: NDArray[np.intp]
    constant: int | None
    seconds: float
    examples: Examples | None = None

    __repr__ = brief("units", "candidates", "complete")

    @property
    def candidates(self) -> int | None:
        """2^(n1+n2), the subsets of the units with w_k ≠ 0: the first layer of Theorem 1's expansion; of one hidden layer."""
        return None if self.network.deeper else 1 << len(self.network.used)

    def forms_of(self, numbers: NDArray[np.intp]) -> Iterable[Form]:
        """c_S of some pieces."""
        return self.form.on_cells(self.pieces.patterns[numbers])

    def missing_witnesses(self, numbers: NDArray[np.intp], watch: Watch) -> tuple[Point, ...]:
        """Points of pieces of which the engine gave none."""
        program, found = sign_program(self.form, self.question.domain), []
        for done, k in enumerate(numbers):
            watch.check(done / len(numbers), done)
            found.append(witness_of(self.form, self.pieces.patterns[k], program))
        return tuple(found)

    @cached_property
    def patterns(self) -> NDArray[np.bool_]:
        """S for each half-space: the units of the network that are active on the negative side of its witness, (units, n)."""
        patterns = np.zeros((self.units, self.network.relus), dtype=bool)
        form = self.question.network.exact_form
        for row, (h, at) in enumerate(zip(self.find_halfspaces(Watch()), self._witnesses, strict=True)):
            patterns[row, self.network.used] = np.array(form.beside(at, h).pattern) > 0
        return patterns

    @property
    def regular(self) -> bool:
        """Whether {f ≥ 0} is the closure of its interior, so that the needed half-spaces decide the ties f = 0 too."""
        self._check_complete()
        return self.form.convex or self.reduced.regular

    @cached_property
    def reduced(self) -> ReducedDnf:
        """Theorem 1's disjunction of conjunctions without redundant inequalities and conjuncts; exact, ties included."""
        self._check_complete()
        return reduced_dnf(self.form, self.question.domain, self.pieces.patterns, Watch())

    @property
    def reduced_equivalent(self) -> SignNetwork | SignCircuit:
        """`reduced` as a network."""
        return reduced_network(self.reduced, self.form, self.question.onto).named_like(self.network)

    @cached_property
    def equivalent(self) -> SignNetwork | SignCircuit:
        """A threshold network with the decisions of the ReLU network everywhere in the (open) domain, ties included.

        The smallest one found over just the needed half-spaces; where these do not decide the ties, Theorem 1's
        `SignCircuit` without its redundant inequalities and conjuncts (see `ThresholdEquivalent`). Nothing is rounded.
        Raises LpnetError for an answer that is not complete.
        """
        return self.build_equivalent().network

    def build_equivalent(self, watch: Watch | None = None, patience: float = PATIENCE) -> ThresholdEquivalent:
        """`equivalent` with its kind and the evidence, and somebody looking on: a large one takes its time.

        patience: seconds for either side of a smallest circuit, after which it is a plain one.
        """
        self._check_complete()
        built = threshold_equivalent(self, watch or Watch(), patience)
        return replace(built, network=built.network.named_like(self.network))


def minimal_equivalent(
    network: ReLUNetwork,
    domain: Polyhedron | None = None,
    engine: str = "auto",
    watch: Watch | None = None,
    recorded: bool = False,
) -> MinimalEquivalent:
    """Find the needed half-spaces of a ReLU network on a domain (default: all of R^d).

    engine: see `lpnet.boundary.engines.find_pieces`; watch follows the search and may
    stop it: the answer then has `pieces.complete` False. recorded: whether the search keeps what a proof needs, which is then
    written faster.
    """
    started = time.perf_counter()
    domain = as_domain(domain, network.inputs)
    asked = question(network, domain)
    form = asked.form
    pieces, name, reason = find_pieces(form, asked.domain, watch or Watch(), engine, recorded=recorded)
    first_piece = distinct_halfspaces(form, pieces.patterns)
    constant = None if len(first_piece) or not pieces.complete else constant_sign(form, asked.domain)
    seconds = time.perf_counter() - started
    log.debug(
        "engine %s (%s): %d pieces, %d half-spaces in %.3g s", name, reason, len(pieces.patterns), len(first_piece), seconds
    )
    if effort := pieces.effort:
        log.debug("%d nodes, %d pruned; %d cells, %d without a piece; %d questions for integers", *effort)
    return MinimalEquivalent(network, domain, asked, form, pieces, name, reason, first_piece, constant, seconds)


def witness_of(form: ExactForm, pattern: NDArray[np.bool_], program: SignProgram) -> Point:
    """A point of the piece of a pattern."""
    witness = decide(form, signs_of(pattern), program).witness
    if witness is None:
        raise LpnetError(
            f"the compact program contradicts the engine about the pattern {np.flatnonzero(pattern)}; please report"
        )
    return witness


def distinct_halfspaces(form: ExactForm, patterns: NDArray[np.bool_]) -> NDArray[np.intp]:
    """The first of the patterns for each of the different half-spaces {c_S ≥ 0}; (pieces, m) → (units,)."""
    if all_differ(form):
        return np.arange(len(patterns))
    first = np.ones(len(patterns), dtype=bool)
    for group in perhaps_equal(form, patterns):
        seen: set[Form] = set()
        for number, c in zip(group, form.on_cells(patterns[group]), strict=True):
            h = primitive(c)
            first[number] = h not in seen
            seen.add(h)
    return np.flatnonzero(first)


def all_differ(form: ExactForm) -> bool:
    """Whether the half-spaces of its pieces are known to differ: for one layer and a convex or concave f.

    A half-space carries one facet of a convex set, and on the negative side of a facet there is but one pattern, since c_S
    changes by ±a_k, not proportional to it, where it crosses {a_k = 0}.
    """
    return not form.links and (form.convex or form.concave)


def perhaps_equal(form: ExactForm, patterns: NDArray[np.bool_]) -> list[NDArray[np.intp]]:
    """Groups of patterns that floats cannot tell to have different half-spaces, each in increasing order.

    The direction c_S / |c_S| is projected on a random vector; equal half-spaces have equal projections. Sorted by them, groups
    are the runs in which the error intervals of the projections overlap. With several layers they are all one group.
    """
    if form.links:
        return [np.arange(len(patterns))]
    size = max(max(map(abs, row)) for row in (*form.units, form.affine)).bit_length()
    bends = np.array([s * to_floats(a, -size) for a, s in zip(form.units, form.signs, strict=True)])
    affine, inputs = to_floats(form.affine, -size), form.inputs
    probe = np.random.default_rng(0).normal(size=inputs + 1)
    low, high = np.empty(len(patterns)), np.empty(len(patterns))
    for start in range(0, len(patterns), 1 << 14):
        rows = patterns[start : start + (1 << 14)].astype(np.float64)
        c = affine + rows @ bends.reshape(-1, inputs + 1)
        error = rounding(len(bends) + 3, np.abs(affine) + rows @ np.abs(bends).reshape(-1, inputs + 1)).sum(axis=1)
        largest = np.abs(c).max(axis=1)
        known = largest > np.maximum(2 * error, 2.0**-900)
        scale = np.where(known, largest, 1.0)
        c, error = c / scale[:, None], error / scale
        length = np.maximum(np.linalg.norm(c, axis=1), 0.5)
        doubt = np.linalg.norm(probe) * (4 * error / length + rounding(4 * inputs + 16, np.ones(1)))
        at = c @ probe / length
        low[start : start + len(rows)] = np.where(known, at - doubt, -np.inf)
        high[start : start + len(rows)] = np.where(known, at + doubt, np.inf)
    order = np.argsort(low, kind="stable")
    reach = np.maximum.accumulate(high[order])
    cuts = np.flatnonzero(low[order][1:] > reach[:-1]) + 1
    ends = np.concatenate([[0], cuts, [len(order)]])
    long = np.flatnonzero(np.diff(ends) > 1)
    return [np.sort(order[ends[k] : ends[k + 1]]) for k in long]


def constant_sign(form: ExactForm, domain: Polyhedron) -> int:
    """The sign of f, sgn(0) = +1, almost everywhere in a domain that has no boundary piece."""
    at = domain.interior
    assert not isinstance(at, Certificate)
    return 1 if beside(form.beside(at).f, at) >= 0 else -1
