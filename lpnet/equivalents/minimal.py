"""The minimal threshold equivalent of a ReLU network."""

import time
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from lpnet.boundary.engines import ENGINES
from lpnet.boundary.pieces import Pieces, Watch
from lpnet.boundary.subsets import decide, sign_program
from lpnet.equivalents.circuits import ReducedDnf, reduced_dnf, signs_of
from lpnet.errors import InputError
from lpnet.exact import FloatArray, Form, Point, primitive, sign, to_floats, value
from lpnet.networks import Box, Domain, ExactForm, ReLUNetwork, SignCircuit, SignNetwork, normal_form
from lpnet.programs import Certificate, SignProgram


@dataclass(frozen=True, eq=False)
class MinimalEquivalent:
    """The distinct half-spaces that carry a piece of the decision boundary of a ReLU network on a domain.

    Each of them is needed in the first layer of any layered threshold network with the same decisions, and they suffice:
    exactly if {f ≥ 0} is the closure of its interior (`regular`), otherwise off {f = 0}.

    network, domain: the question; form: its normal form; pieces: the engine's answer; engine: its name;
    first_piece: for each needed half-space, the number of the first piece that it carries, (units,);
    constant: where no half-space is needed, the one answer ±1 (off {f = 0} if not `regular`), else None;
    seconds: what the search took.
    """

    network: ReLUNetwork
    domain: Domain
    form: ExactForm
    pieces: Pieces
    engine: str
    first_piece: NDArray[np.intp]
    constant: int | None
    seconds: float

    @property
    def units(self) -> int:
        """How many half-spaces are needed."""
        return len(self.first_piece)

    @property
    def candidates(self) -> int:
        """2^(n1+n2), the subsets of the units with w_k ≠ 0: the first layer of Theorem 1's expansion."""
        return 1 << int(np.count_nonzero(self.network.output_weight))

    @cached_property
    def halfspaces(self) -> tuple[Form, ...]:
        """The needed half-spaces {h ≥ 0}, exactly: h = c_S · 2^−exponent in integers, exponent that of `form`."""
        return tuple(self.form.on_cell(self.pieces.patterns[k]) for k in self.first_piece)

    @cached_property
    def hidden_weight(self) -> FloatArray:
        """v of the half-spaces {v·x + c ≥ 0}, f ≥ 0 on that side: the gradient of c_S rounded to float64, (units, d)."""
        return self._rounded[:, :-1]

    @cached_property
    def hidden_bias(self) -> FloatArray:
        """c of the half-spaces, (units,)."""
        return self._rounded[:, -1]

    @cached_property
    def _rounded(self) -> FloatArray:
        return round_forms(self.halfspaces, self.form)

    @cached_property
    def witnesses(self) -> tuple[Point, ...]:
        """For each half-space, an exact point of a piece that it carries (see `lpnet.exact`)."""
        if self.pieces.witnesses is not None:
            return tuple(self.pieces.witnesses[k] for k in self.first_piece)
        program = sign_program(self.form, self.domain)
        verdicts = (decide(self.form, signs_of(self.pieces.patterns[k]), program) for k in self.first_piece)
        return tuple(verdict.witness for verdict in verdicts if verdict.witness is not None)

    @cached_property
    def patterns(self) -> NDArray[np.bool_]:
        """S for each half-space: the units of the network that are active on the negative side of its witness, (units, n)."""
        used = np.flatnonzero(self.network.output_weight)
        patterns = np.zeros((self.units, self.network.relus), dtype=bool)
        for row, (h, at) in enumerate(zip(self.halfspaces, self.witnesses, strict=True)):
            patterns[row, used] = [beside(a, at, h) > 0 for a in self.network.exact_form.units]
        return patterns

    @property
    def regular(self) -> bool:
        """Whether {f ≥ 0} is the closure of its interior, so that the needed half-spaces decide the ties f = 0 too."""
        return self.form.convex or self._reduced.regular

    @cached_property
    def equivalent(self) -> SignNetwork | SignCircuit:
        """A threshold network with the decisions of the ReLU network everywhere in the (open) domain, ties included.

        A `SignNetwork` on just the needed half-spaces where f is convex or concave in its normal form, as one-signed
        networks are; otherwise Theorem 1's `SignCircuit` without its redundant inequalities and conjuncts. Where `regular`
        is False it has more half-spaces than are needed, to settle the ties. Its weights are those of c_S rounded to float64.
        """
        inputs = self.network.inputs
        if self.constant is not None and self.regular:
            return SignNetwork(np.zeros((0, inputs)), np.zeros(0), np.zeros(0), self.constant)
        if self.form.convex:
            return SignNetwork.disjunction(self.hidden_weight, self.hidden_bias)
        rows = round_forms(self._reduced.halfspaces, self.form)
        weight, bias = rows[:, :-1], rows[:, -1]
        if len(self._reduced.terms) == 1:
            return SignNetwork.conjunction(weight, bias)
        if all(len(term) == 1 for term in self._reduced.terms):
            return SignNetwork.disjunction(weight, bias)
        return SignCircuit.dnf(weight, bias, self._reduced.terms)

    @cached_property
    def _reduced(self) -> ReducedDnf:
        return reduced_dnf(self.form, self.domain, self.pieces.patterns, ENGINES[self.engine])


def minimal_equivalent(
    network: ReLUNetwork, domain: Domain | None = None, engine: str = "expand", watch: Watch | None = None
) -> MinimalEquivalent:
    """Find the needed half-spaces of a ReLU network on a domain (default: all of R^d).

    engine: "expand" asks about all 2^n subsets; watch follows the search and may
    stop it: the answer then has `pieces.complete` False.
    """
    if engine not in ENGINES:
        raise InputError(f"engine: wanted one of {', '.join(ENGINES)}, got {engine!r}")
    started = time.perf_counter()
    domain = domain or Box.everywhere(network.inputs)
    form = normal_form(network, domain)
    pieces = ENGINES[engine](form, domain, watch or Watch())
    first_piece = distinct_halfspaces(form, pieces.patterns)
    constant = None if len(first_piece) else constant_sign(form, domain)
    return MinimalEquivalent(network, domain, form, pieces, engine, first_piece, constant, time.perf_counter() - started)


def distinct_halfspaces(form: ExactForm, patterns: NDArray[np.bool_]) -> NDArray[np.intp]:
    """The first of the patterns for each of the different half-spaces {c_S ≥ 0}; (pieces, m) → (units,)."""
    first: dict[Form, int] = {}
    for number, pattern in enumerate(patterns):
        first.setdefault(primitive(form.on_cell(pattern)), number)
    return np.array(list(first.values()), dtype=np.intp)


def constant_sign(form: ExactForm, domain: Domain) -> int:
    """The sign of f, sgn(0) = +1, almost everywhere in a domain that has no boundary piece."""
    inside = SignProgram(domain.inequalities(), form.inputs)
    at = inside.decide([1] * len(inside.forms))
    if isinstance(at, Certificate):
        raise InputError("domain: wanted a domain with an interior, got one without")
    nowhere = (0,) * (form.inputs + 1)
    f = form.on_cell([beside(a, at, nowhere) for a in form.units])
    return 1 if beside(f, at, nowhere) >= 0 else -1


def beside(form: Form, at: Point, h: Form) -> int:
    """The sign of a form at a point moved by infinitesimal steps: a generic one within {h = 0}, then a smaller one down h."""
    gradient, normal = form[:-1], h[:-1]
    slope = sum(a * b for a, b in zip(gradient, normal, strict=True))
    size = sum(b * b for b in normal) or 1
    along = (size * a - slope * b for a, b in zip(gradient, normal, strict=True))
    return next((sign(step) for step in (value(form, at), *along, -slope) if step), 0)


def round_forms(forms: tuple[Form, ...], form: ExactForm) -> FloatArray:
    """Forms in the units of `form` as float64 rows, (count, d+1)."""
    return np.array([to_floats(h, form.exponent) for h in forms]).reshape(len(forms), form.inputs + 1)
