"""A right and reduced threshold circuit: Theorem 1's disjunction of conjunctions without what is redundant in it."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lpnet.boundary.engines import find_pieces
from lpnet.boundary.redundancy import irredundant_forms
from lpnet.brief import brief
from lpnet.circuits.classes import TooLarge
from lpnet.circuits.parts import Part, patterns_of, signs_of
from lpnet.circuits.sample import Floats, floats_of
from lpnet.exact import Form, Point, primitive, times
from lpnet.networks import ExactForm, Polyhedron
from lpnet.networks.concave import deciding, growing, minorant, strictly
from lpnet.networks.exact_form import proportion
from lpnet.networks.normal_form import normalised
from lpnet.programs import Certificate, SignProgram
from lpnet.programs.below import Cone, vectors
from lpnet.regions.reasons import ABOVE, ON, halfspace, meet
from lpnet.regions.search import Questions, uncovered
from lpnet.watch import Watch

MOST_CELLS = 200_000
MOST_LITERALS = 1 << 24  # of all terms
FEW = 100  # cells: with fewer a compiled function is not worth its loading


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

    form: a normal form; patterns: its pieces. The conjuncts are the {g_σ ≥ 0} of `lpnet.networks.concave`; f = max g_σ, and
    f = g_σ where the units with a σ_k have these signs; σ is chosen by a cell of all that decide, and with one layer g_σ is
    f_S1 = l + Σ_{S1} a_k − Σ_N R(a_k). Hence
    - a piece on no kink keeps its own conjunct where near it every other g_σ is negative (`strictly`: always with one layer);
    - where f < 0 on all of the cells that choose it a conjunct is useless: each point of {f ≥ 0} is in the conjunct of its own;
    - any other conjunct is useless if and only if the conjuncts left cover it, which is decided by cutting it along them.
    All exactly, on the interior of the domain, ties included.
    """
    decided, own = deciding(form, 1), growing(form, 1)
    crossed = set()
    for pattern in patterns:
        watch.check(0.0, 0)
        if not on_kink(form, pattern) and strictly(form, signs_of(pattern)):
            crossed.add(signs_of(pattern[own]))
    conjuncts: dict[ExactForm, list[Form]] = {}
    kept, thin = set[ExactForm](), set[ExactForm]()
    cells = patterns_of(form, decided, domain, watch.part(0.0, 0.1))
    for done, chosen in enumerate(cells):
        watch.check(0.1 + 0.4 * done / len(cells), len(conjuncts))
        sigma = {k: side for k, side in zip(decided, chosen, strict=True) if k in own}
        keeps = tuple(sigma.values()) in crossed
        conjunct = normalised(minorant(form, 1, sigma), domain)
        if keeps:
            kept.add(conjunct)
        if conjunct not in conjuncts and (keeps or Part(form, domain, 1, chosen).point()):
            conjuncts[conjunct], has_interior = _irredundant(conjunct, domain)
            if not has_interior:
                thin.add(conjunct)
    terms = {c: meet(halfspace(facet, ABOVE | ON) for facet in facets) for c, facets in conjuncts.items()}
    questions, doubtful = Questions(domain), [conjunct for conjunct in terms if conjunct not in kept]
    for done, conjunct in enumerate(doubtful):
        others = [term for other, term in terms.items() if other is not conjunct]
        share = 0.5 + 0.5 * done / len(doubtful)
        if uncovered(meet(questions.walls, terms[conjunct].items()), others, questions, watch, share) is None:
            del terms[conjunct]
    return _compact([conjuncts[conjunct] for conjunct in terms], regular=not thin & terms.keys())


def plain_dnf(form: ExactForm, domain: Polyhedron, patterns: NDArray[np.bool_], watch: Watch) -> ReducedDnf:
    """A disjunction that is made without a search: for each cell of the units that decide, the part of {f ≥ 0} in its closure.

    form: a normal form whose {f ≥ 0} is the closure of its interior; patterns: its pieces. On such a cell C f is concave, and
    the facets of C ∩ {f ≥ 0} inside C lie on pieces whose patterns belong to C; on all of C f ≤ c_N for each of these. So where
    some point p of C has all c_N > 0 and f ≥ 0, closure of C ∩ ⋂ {c_N ≥ 0} is the closure of C ∩ {f ≥ 0}: from a point of it
    with f < 0 the way to p would leave {f < 0} by a piece inside C, on which c_N is 0 and was less before. Else C has no open
    set of {f ≥ 0}. Half-spaces that are certainly implied by others of a term are left out.
    Raises TooLarge where the terms have more than MOST_LITERALS, or the cells are more than MOST_CELLS.
    """
    units = deciding(form, 1)
    carried: dict[tuple[int, ...], dict[Form, None]] = {}
    for pattern, c in zip(patterns, form.on_cells(patterns), strict=True):
        carried.setdefault(signs_of(pattern[units]), {})[primitive(c)] = None
    cells = patterns_of(form, units, domain, watch.part(0.0, 0.1), MOST_CELLS)
    if len(cells) > MOST_CELLS:
        raise TooLarge(f"the units take more than {MOST_CELLS:,} sign patterns")
    floats, walls, terms, literals = Floats(form, domain, ()), domain.inequalities(), list[list[Form]](), 0
    for done, (chosen, at) in enumerate(cells.items()):
        watch.check(0.1 + 0.9 * done / len(cells), len(terms))
        signs, needed = dict(zip(units, chosen, strict=True)), list(carried.get(chosen, ()))
        rows = form.unfolded(lambda k, _, signs=signs: signs.get(k, -1)).rows  # type: ignore[misc]
        own = list(dict.fromkeys(primitive(times(signs[k], rows[k])) for k in units if any(rows[k][:-1])))
        inside = [*needed, *own, *walls]
        if needed or at is None:
            found = SignProgram(inside, form.inputs).decide([1] * len(inside))
            at = None if isinstance(found, Certificate) else found
        if at is None or form.sign_at(at) < 0:
            continue
        few = len(cells) <= FEW
        terms.append([*needed, *own] if few else irredundant(inside, len(needed), len(inside) - len(walls), at, floats))
        literals += len(terms[-1])
        if literals > MOST_LITERALS:
            raise TooLarge(f"a plain circuit has more than {len(terms):,} terms with {literals:,} literals")
    return _compact(terms, regular=True)


def irredundant(forms: Sequence[Form], kept: int, most: int, at: Point, floats: Floats) -> list[Form]:
    """Of the forms up to `most` the first `kept`, and those of the others that are not certainly implied by what is left."""
    table = vectors(forms, floats.kept)
    cone = Cone(forms, table, np.ones(len(forms), dtype=bool), floats.onto @ [*floats_of(at), 1.0])
    for k in range(kept, most):
        cone.signs[k] = 0
        cone.signs[k] = not cone.negative([times(-1, forms[k])], table.take([k]).times(-1.0), weak=True)[0]
    return [form for form, there in zip(forms[:most], cone.signs, strict=False) if there]


def on_kink(form: ExactForm, pattern: NDArray[np.bool_]) -> bool:
    """Whether the hyperplane of a pattern is also the hyperplane of one of the units, or one is 0 all over its cell."""
    cell = form.cell(pattern)
    return any(not any(z) or proportion(z, cell.f) for z in cell.rows)


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


def _compact(facets: Sequence[Sequence[Form]], regular: bool) -> ReducedDnf:
    """Number the half-spaces."""
    index: dict[Form, int] = {}
    terms = tuple(tuple(index.setdefault(facet, len(index)) for facet in term) for term in facets)
    return ReducedDnf(tuple(index), terms, regular)
