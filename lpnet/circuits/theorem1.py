"""A right and reduced threshold circuit: Theorem 1's disjunction of conjunctions without what is redundant in it."""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lpnet.boundary.engines import find_pieces
from lpnet.boundary.redundancy import irredundant_forms
from lpnet.boundary.subsets import Pattern
from lpnet.brief import brief
from lpnet.circuits.parts import Part, patterns_of
from lpnet.exact import Form, Point, add, primitive, value
from lpnet.networks import ExactForm, Polyhedron
from lpnet.networks.exact_form import proportion
from lpnet.programs import Certificate, SignProgram
from lpnet.watch import Watch


@dataclass(frozen=True)
class ReducedDnf:
    """{f ≥ 0} as a union of polyhedra: halfspaces, and terms, each a list of indices of half-spaces that all have to hold.

    regular: whether {f ≥ 0} is the closure of its interior (every term left has an interior).
    """

    halfspaces: tuple[Form, ...]
    terms: tuple[tuple[int, ...], ...]
    regular: bool

    __repr__ = brief()


def reduced_dnf(form: ExactForm, domain: Polyhedron, patterns: NDArray[np.bool_], watch: Watch) -> ReducedDnf:
    """Theorem 1's disjunction, each conjunct cut down to its irredundant inequalities and useless conjuncts dropped.

    form: a normal form; patterns: its pieces. The conjunct of S1 ⊆ P is {f_S1 ≥ 0}, f_S1 = l + Σ_{S1} a_k − Σ_N R(a_k)
    concave, f = max f_S1, and f = f_S1 on Q_S1 = {a_k ≥ 0 on S1, a_k ≤ 0 on P∖S1}. Hence
    - a piece with pattern S1 on P, on no kink, keeps S1: near it every other f_S1' is negative;
    - where f < 0 on all of Q_S1 the conjunct is useless: every point of {f ≥ 0} is in the conjunct of its own Q;
    - any other conjunct is useless if and only if the conjuncts left cover it, which is decided by cutting it along them.
    All exactly, on the interior of the domain, ties included.
    """
    positive = [k for k, s in enumerate(form.signs) if s > 0]
    crossed = set()
    for pattern in patterns:
        watch.check(0.0, 0)
        if not on_kink(form, pattern):
            crossed.add(signs_of(pattern[positive]))
    index: dict[Form, int] = {}
    terms: dict[Pattern, list[int]] = {}
    thin = set()
    cells = patterns_of([form.units[k] for k in positive], domain, watch)
    for done, chosen in enumerate(cells):
        watch.check(0.5 * done / len(cells), len(terms))
        conjunct = _conjunct(form, positive, chosen)
        if chosen in crossed or Part(form, domain, 1, chosen).point():
            facets, has_interior = _irredundant(conjunct, domain)
            terms[chosen] = [index.setdefault(facet, len(index)) for facet in facets]
            if not has_interior:
                thin.add(chosen)
    program = SignProgram([*index, *domain.inequalities()], form.inputs)
    doubtful = [chosen for chosen in terms if chosen not in crossed]
    for done, chosen in enumerate(doubtful):
        others = [term for other, term in terms.items() if other != chosen]

        def look(share: float = 0.5 + 0.5 * done / len(doubtful)) -> None:
            watch.check(share, len(terms))

        if _uncovered(program, _inside(program, terms[chosen], len(index)), others, look) is None:
            del terms[chosen]
    return _compact(list(index), list(terms.values()), regular=not thin & terms.keys())


def signs_of(pattern: NDArray[np.bool_]) -> Pattern:
    """+1 for the active units, −1 for the others."""
    return tuple(1 if active else -1 for active in pattern)


def on_kink(form: ExactForm, pattern: NDArray[np.bool_]) -> bool:
    """Whether the hyperplane of a pattern is also the hyperplane of one of the units."""
    c = form.on_cell(pattern)
    return any(proportion(a, c) for a in form.units)


def _conjunct(form: ExactForm, positive: list[int], chosen: Pattern) -> ExactForm:
    """f_S1, S1 the positive units with chosen = +1."""
    affine = form.affine
    for k, side in zip(positive, chosen, strict=True):
        if side > 0:
            affine = add(affine, form.units[k])
    negative = tuple(a for a, s in zip(form.units, form.signs, strict=True) if s < 0)
    return ExactForm(affine, negative, (-1,) * len(negative), form.exponent, form.divisor)


def _irredundant(conjunct: ExactForm, domain: Polyhedron) -> tuple[list[Form], bool]:
    """The irredundant inequalities of {f_S1 ≥ 0}, and whether it has an interior.

    With an interior they are its facets: the pieces of f_S1. Without, the classical redundancy program finds some.
    """
    pieces, _, _ = find_pieces(conjunct, domain, Watch())
    if len(pieces.patterns):
        return list(dict.fromkeys(primitive(conjunct.on_cell(pattern)) for pattern in pieces.patterns)), True
    subsets = itertools.product((-1, 1), repeat=len(conjunct.units))
    inequalities = list(dict.fromkeys(primitive(conjunct.on_cell(pattern)) for pattern in subsets))
    answer = irredundant_forms(inequalities, "intersection", domain)
    return [inequalities[k] for k in answer.kept], not answer.kept


def _inside(program: SignProgram, term: Sequence[int], halfspaces: int) -> list[int]:
    """Relations: in the domain and in all half-spaces of the term."""
    relations = [0] * halfspaces + [1] * (len(program.forms) - halfspaces)
    for k in term:
        relations[k] = 2
    return relations


def _uncovered(program: SignProgram, relations: list[int], terms: list[list[int]], look: Callable[[], None]) -> Point | None:
    """A point with the relations that lies in none of the terms; None if they cover every such point.

    A point of the region either lies in no term, or in one whose half-spaces cut the rest of the region into parts, on each of
    which that term is spent.
    """
    look()
    at = program.decide(relations)
    if isinstance(at, Certificate):
        return None
    covering = next((term for term in terms if all(value(program.forms[k], at) >= 0 for k in term)), None)
    if covering is None:
        return at
    others = [term for term in terms if term is not covering]
    relations = list(relations)
    for k in covering:
        if relations[k] == 0:
            relations[k] = -1
            point = _uncovered(program, relations, others, look)
            if point:
                return point
            relations[k] = 2
    return None


def _compact(halfspaces: list[Form], terms: list[list[int]], regular: bool) -> ReducedDnf:
    """Number only the half-spaces that are still used."""
    used = sorted({k for term in terms for k in term})
    number = {k: i for i, k in enumerate(used)}
    return ReducedDnf(tuple(halfspaces[k] for k in used), tuple(tuple(number[k] for k in term) for term in terms), regular)
