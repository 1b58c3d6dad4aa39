"""The minimal threshold equivalent of a network with several outputs: the class of the largest one."""

import itertools
import logging
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lpnet.boundary.engines import find_pieces
from lpnet.boundary.pieces import Pieces
from lpnet.brief import brief
from lpnet.equivalents.minimal import MinimalEquivalent, minimal_equivalent
from lpnet.equivalents.needed import Needed
from lpnet.exact import Form, Point, add, nudged, primitive, sign, times, value
from lpnet.networks import Polyhedron
from lpnet.networks.classifier import Classifier, network_of_form
from lpnet.networks.decision import Decision, Pair
from lpnet.networks.exact_form import beside
from lpnet.networks.examples import Examples
from lpnet.networks.polyhedron import as_domain
from lpnet.networks.question import Question, question
from lpnet.programs import Certificate, SignProgram
from lpnet.watch import Watch

log = logging.getLogger(__name__)


class Border(NamedTuple):
    """Between two classes: how many pieces, and how many half-spaces, some of which others may have, too."""

    pieces: int
    units: int


@dataclass(frozen=True, eq=False)
class MinimalClasses(Needed):
    """The distinct half-spaces that carry a piece of the boundary between two classes of a classifier, on a domain.

    Each of them is needed in the first layer of any layered threshold network from whose outputs the class can be told, and
    they suffice off the ties, where several scores are the largest (`lpnet.laws.classes_bound`). Each is closed on the side of
    the output that comes first. If the search was stopped (`complete` False), they are those found so far.

    network, domain, question, form, pieces, engine, reason, first_piece, seconds: as in `MinimalEquivalent`;
    examples: as in `MinimalEquivalent`;
    piece_units: which half-space each piece lies on; constant: where none is needed, the class everywhere off the ties.
    """

    network: Classifier
    domain: Polyhedron
    question: Question[Any]
    form: Decision
    pieces: Pieces
    engine: str
    reason: str
    first_piece: NDArray[np.intp]
    piece_units: NDArray[np.intp]
    constant: int | None
    seconds: float
    examples: Examples | None = None

    __repr__ = brief("units", "complete")

    def forms_of(self, numbers: NDArray[np.intp]) -> Iterable[Form]:
        """c_S of some pieces."""
        assert self.pieces.pairs is not None
        return self.form.halfspaces(self.pieces.patterns[numbers], self.pieces.pairs[numbers])

    @cached_property
    def pairs(self) -> NDArray[np.intp]:
        """The classes between which each piece lies, (pieces, 2): that of {h ≥ 0}, and that of {h < 0}."""
        assert self.pieces.pairs is not None
        return np.array(self.form.classes)[self.pieces.pairs]

    @cached_property
    def borders(self) -> dict[Pair, Border]:
        """For each two classes that touch, by their numbers, how much of the boundary is theirs."""
        found: dict[Pair, list[int]] = {}
        for (i, j), unit in zip(self.pairs.tolist(), self.piece_units.tolist(), strict=True):
            found.setdefault((min(i, j), max(i, j)), []).append(unit)
        return {pair: Border(len(units), len(set(units))) for pair, units in sorted(found.items())}

    def units_of(self, number: int) -> NDArray[np.intp]:
        """The half-spaces that bound a class."""
        return np.unique(self.piece_units[(self.pairs == number).any(axis=1)])

    @cached_property
    def equivalent(self) -> Classifier:
        """A threshold network with an output for each class, the class being the first that is +1, as `class_circuits` builds.

        Raises LpnetError for an answer that is not complete.
        """
        from lpnet.equivalents.class_circuits import class_circuits

        self._check_complete()
        return class_circuits(self, Watch()).network

    @property
    def never(self) -> tuple[int, ...]:
        """The classes that win nowhere, or only on ties: on no open set. Known where the search is complete."""
        self._check_complete()
        winners = {self.constant} if self.constant is not None else set(self.pairs.ravel().tolist())
        return tuple(c for c in range(len(self.network.names)) if c not in winners)

    @cached_property
    def points(self) -> tuple[Point | None, ...]:
        """An exact point with each class: inside its regions where it has some, else on ties; None if it is nowhere.

        Known where the search is complete.
        """
        return tuple(at and self.question.lifted(at) for at in self.find_points(Watch()))

    def find_points(self, watch: Watch) -> list[Point | None]:
        """`points` in the coordinates of `form`; Stopped where the watch says so."""
        return [on_ties(self, c, watch) if c in self.never else self.inside(c) for c in range(len(self.network.names))]

    def inside(self, number: int) -> Point:
        """A point inside a region of a class, in the coordinates of `form`, a little beside a piece of its boundary."""
        walls, body = self.question.domain.inequalities(), self.form.body
        if number == self.constant:
            at = self.question.domain.interior
            assert not isinstance(at, Certificate)
            cell = body.beside(at)
            forms = (*cell.rows, *differences(self.form.scores(cell)), *walls)
            for k in range(len(at) - 1):  # as `beside` steps
                at = nudged(at, [int(j == k) for j in range(len(at) - 1)], forms)
            return at
        assert self.pieces.witnesses is not None
        k, side = next((k, 1 - 2 * j) for k, pair in enumerate(self.pairs.tolist()) for j in (0, 1) if pair[j] == number)
        (h,), at = self.forms_of(np.array([k])), self.pieces.witnesses[k]
        cell = body.beside(at, h, side)
        return nudged(at, times(side, h[:-1]), (*cell.rows, *differences(self.form.scores(cell)), *walls))


def differences(scores: Sequence[Form]) -> list[Form]:
    """Of all pairs of scores."""
    return [add(a, times(-1, b)) for a, b in itertools.combinations(scores, 2)]


def alone(answer: MinimalClasses, number: int, watch: Watch) -> MinimalEquivalent:
    """One class against the rest, as `Decision.parted` has it. Stopped where the watch says so."""
    parted, _ = answer.form.parted(answer.question.domain)
    form = parted.against([o for o, c in enumerate(answer.form.classes) if c == number])
    found = minimal_equivalent(network_of_form(form), answer.question.domain, watch=watch)
    if not found.complete:
        raise watch.error()
    return found


def on_ties(answer: MinimalClasses, number: int, watch: Watch) -> Point | None:
    """A point with a class that has no open set, in the coordinates of the form; None where it is the class nowhere.

    On a cell that such a point belongs to, with its border, the scores of `Decision.parted` have a boundary between the class
    and the rest: the class is there, for it is at the point, and not everywhere, for then it would have an open set.
    """
    form, walls = answer.form, answer.question.domain.inequalities()
    own = [o for o, c in enumerate(form.classes) if c == number]
    if not own or len(own) == len(form.classes):
        return None
    found, seen = alone(answer, number, watch), set[tuple[int, ...]]()
    witnesses = found.pieces.witnesses
    if witnesses is None:
        witnesses = found.missing_witnesses(np.arange(len(found.pieces.patterns)), watch)
    for done, at in enumerate(witnesses):
        watch.check(watch.share, done)
        cell = form.body.beside(at)
        if cell.pattern in seen:
            continue
        seen.add(cell.pattern)
        scores = form.scores(cell)
        closed = [(times(side, row), 2) for side, row in zip(cell.pattern, cell.rows, strict=True)]
        for o in own:
            ahead = [(add(scores[o], times(-1, s)), 1 if q < o else 2) for q, s in enumerate(scores) if q != o]
            rows = [*closed, *ahead, *((h, 1) for h in walls)]
            if any(h[-1] < 0 or (h[-1] == 0 and relation == 1) for h, relation in rows if not any(h[:-1])):
                continue
            asked = [(h, relation) for h, relation in rows if any(h[:-1])]
            place = SignProgram([h for h, _ in asked], form.inputs).decide([relation for _, relation in asked])
            if not isinstance(place, Certificate):
                return place
    return None


def minimal_classes(
    network: Classifier, domain: Polyhedron | None = None, engine: str = "auto", watch: Watch | None = None
) -> MinimalClasses:
    """Find the half-spaces needed to tell the classes of a network apart on a domain (default: all of R^d).

    engine: auto, tree or expand; watch follows the search and may stop it.
    """
    started = time.perf_counter()
    domain = as_domain(domain, network.inputs)
    asked = question(network, domain)
    form: Decision = asked.network.normal_form(asked.domain)
    pieces, name, reason = find_pieces(form, asked.domain, watch or Watch(), engine)
    first, units = units_of_pieces(form, pieces)
    constant = None if len(first) or not pieces.complete else constant_class(form, asked.domain)
    seconds = time.perf_counter() - started
    log.debug("engine %s (%s): %d pieces, %d half-spaces in %.3g s", name, reason, len(units), len(first), seconds)
    return MinimalClasses(network, domain, asked, form, pieces, name, reason, first, units, constant, seconds)


def units_of_pieces(form: Decision, pieces: Pieces) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The first piece of each of the different half-spaces, and on which of these each piece lies; (units,), (pieces,)."""
    assert pieces.pairs is not None
    same = np.arange(len(pieces.patterns))
    for group in form.perhaps_equal(pieces.patterns, pieces.pairs):
        seen: dict[Form, int] = {}
        for number, c in zip(group.tolist(), form.halfspaces(pieces.patterns[group], pieces.pairs[group]), strict=True):
            same[number] = seen.setdefault(primitive(c), number)
    return np.unique(same, return_inverse=True)


def constant_class(form: Decision, domain: Polyhedron) -> int:
    """The class almost everywhere in a domain without a boundary between classes."""
    at = domain.interior
    assert not isinstance(at, Certificate)
    scores = form.scores(form.body.beside(at))
    best = 0
    for q, score in enumerate(scores):
        ahead = tuple(a - b for a, b in zip(score, scores[best], strict=True))
        if any(ahead) and (sign(value(ahead, at)) or beside(ahead, at)) > 0:
            best = q
    return form.classes[best]
