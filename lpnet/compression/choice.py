"""The fewest bends: an integer program over what the equations ask for."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, combinations

import numpy as np
from flint import fmpz_mat

from lpnet.compression.bends import Bend, known_bends, oriented, through_one
from lpnet.compression.equations import Equations, Known, NoBends, Solution
from lpnet.compression.flats import scaled
from lpnet.compression.lemma3 import solve
from lpnet.compression.scores import Scores
from lpnet.compression.surface import Network, Surface, answers_of
from lpnet.errors import LpnetError
from lpnet.exact import Form, Point, add, primitive, times, value
from lpnet.networks import Polyhedron
from lpnet.programs.integer import COVER_SECONDS, minimum
from lpnet.programs.linear import maximum
from lpnet.regions.reasons import ABOVE, BELOW, OFF, values_at
from lpnet.watch import Watch

MOST_CUTS = 150  # choices of bends that do not do, before any that do is taken
MOST_WORK = 10**8  # signs of forms at points
CLEAR = 1e-9  # what counts as 0 where floats propose
MOST_TRIED = 8  # units, of which all are turned round that can be


class Search:
    """The fewest of given bends with which (∗) has a solution: an integer program for what every proof of the contrary asks.

    Every ridge wants a bend through it. Where the bends chosen do not do, the multipliers that prove it (`NoBends`) hold for
    all choices without those bends with which they vanish no longer: one of these is wanted. own: hyperplanes to fall back on;
    complete: whether all bends that cross no piece are among them.
    """

    def __init__(self, seen: Surface, bends: Iterable[Bend], own: Iterable[Form] = ()) -> None:
        self.own = set(own)
        self.complete = seen.inputs == 2 and seen.complete
        self.seen, self.pieces, self.bends, self.unique = seen, seen.pieces, list(bends), False
        self.known: list[Known] = []
        self.most = MOST_CUTS
        wanted = (frozenset(k for k, bend in enumerate(self.bends) if r in bend.ridges) for r in range(len(seen.ridges)))
        self.cuts = [set(cut) for cut in dict.fromkeys(wanted) if cut]

    def learn(self, at: Point, answer: int, toward: Point = ()) -> None:
        """A point at which scores were wrong, or a corner seen from one; bends that may be active there or not are two now."""
        self.known += [Known(at, answer, other, toward) for other in self.seen.answers if other != answer]
        for k, bend in enumerate(self.bends):
            if bend.at(at) is None:
                self.bends[k], other = bend.halves(at)
                self.bends.append(other)
                for cut in self.cuts:
                    if k in cut:
                        cut.add(len(self.bends) - 1)

    def fewest(self, watch: Watch) -> Solution | NoBends | None:
        """The solution with the fewest bends, or the proof that all of them together do not do; None: given up."""
        while True:
            watch.check(watch.share, len(self.cuts))
            chosen = self.cover()
            self.equations = equations = Equations([self.bends[k] for k in chosen], self.seen, self.known)
            answer = solve(equations)
            if isinstance(answer, Solution):
                self.unique = answer.free == 1
                return answer
            helping = {k for k, bend in enumerate(self.bends) if k not in chosen and equations.helps(answer, bend)}
            if not helping:
                answer = solve(Equations(self.bends, self.seen, self.known))
                assert isinstance(answer, NoBends)
                return answer
            self.cuts.append(helping)
            if len(self.cuts) > self.most:
                return self.few()

    def extended(self) -> "Search | None":
        """The search with all bends that meet a ridge and cross no piece; None if it is that, or would take too long."""
        points = sum(1 + len(piece.corners) for piece in self.pieces)
        if self.complete or len(self.seen.ridges) * points**2 > MOST_WORK:
            return None
        single = frozenset(r for bend in self.bends if bend.side and len(bend.ridges) == 1 for r in bend.ridges)
        more = through_one(self.seen, [r for r in range(len(self.seen.ridges)) if r not in single])
        known = {bend.generators[0] for bend in self.bends if not bend.side}
        own = known_bends(self.seen, {oriented(piece.halfspace) for piece in self.pieces} - known)
        found = Search(self.seen, [*self.bends, *own, *more], self.own)
        found.complete = self.seen.complete
        for at, answer, toward in dict.fromkeys((at, answer, toward) for at, answer, _, toward in self.known):
            found.learn(at, answer, toward)
        return found

    def few(self) -> Solution | None:
        """A solution with a network's own bends, or of given hyperplanes, none of which can be left out alone."""
        self.most = 0  # no second attempt
        chosen = [k for k, bend in enumerate(self.bends) if not bend.side and (bend.generators[0] in self.own or not self.own)]
        best = None
        for left_out in (None, *chosen):
            fewer = [k for k in chosen if k != left_out]
            equations = Equations([self.bends[k] for k in fewer], self.seen, self.known)
            answer = solve(equations)
            if isinstance(answer, Solution):
                self.equations, self.unique, chosen, best = equations, answer.free == 1, fewer, answer
        return best

    def constant(self) -> Iterator[Scores]:
        """Of several solutions with the last bends, those whose affine part is constant for some turning of the units."""
        count = len(self.equations.bends)
        if self.unique or count > MOST_TRIED:
            return
        for turned in chain.from_iterable(combinations(range(count), size) for size in range(count + 1)):
            found = self.equations.constant(turned)
            if found:
                yield Scores(found.affine, found.units)

    def corner(self, solution: Solution, at: Point, answer: int, region: Sequence[Form]) -> Point | None:
        """Where a solution is most wrong: a corner, perhaps at infinity, of a region with one answer in which no unit bends.

        region: what is ≥ 0 in it; at: a point of it with another score ahead. There are finitely many corners.
        """
        scores = dict.fromkeys(self.seen.answers, (0,) * len(at)) | dict(zip(self.seen.answers, solution.affine, strict=False))
        rows = [*region, (0,) * (len(at) - 1) + (1,)]
        for a, weights in solution.units:
            active = value(a, at) > 0
            rows.append(a if active else times(-1, a))
            for c, w in zip(self.seen.answers, weights, strict=False) if active else ():
                scores[c] = add(scores[c], times(w, a))
        own = scores.pop(answer)
        ahead = max(scores.values(), key=lambda score: value(score, at))
        return most(add(ahead, times(-1, own)), rows)

    def cover(self) -> list[int]:
        """A smallest set of bends that has one of each cut."""
        if not self.cuts:
            return []
        table = np.array([[k in cut for k in range(len(self.bends))] for cut in self.cuts])
        found, _ = minimum(np.ones(len(self.bends)), table, (1, np.inf), (0, 1), True, COVER_SECONDS)
        chosen = [] if found is None else [int(k) for k in np.flatnonzero(found > 0.5)]
        if not table[:, chosen].any(axis=1).all():
            raise LpnetError("the integer program for the bends failed; please report")
        return chosen


def most(gain: Form, rows: Sequence[Form]) -> Point | None:
    """An extreme ray of the cone in which all rows are ≥ 0 on which gain is > 0; as floats find it, confirmed in integers."""
    table = np.array([scaled(row) for row in rows])
    best = maximum(scaled(gain), -table, 0.0, (table.sum(axis=0)[None], [1.0]))
    if best is None:
        return None
    near = [rows[k] for k in np.argsort(table @ best.at) if table[k] @ best.at < CLEAR]
    span, nullity = fmpz_mat([list(row) for row in near]).nullspace() if near else (None, 0)
    if span is None or nullity != 1:
        return None
    at = primitive([int(span[k, 0]) for k in range(len(gain))])
    at = at if value(gain, at) > 0 else times(-1, at)
    return at if value(gain, at) > 0 and all(value(row, at) >= 0 for row in rows) else None


def around(network: Network, domain: Polyhedron, at: Point) -> list[Form]:
    """Forms that are ≥ 0 at a point, and where they are > 0 the answer is the one there."""
    _, held = answers_of(network, domain)(values_at(at), {})
    sides = [*domain.inequalities()]
    for form, side in held:
        if side & OFF in (ABOVE, BELOW):
            sides.append(form if side & ABOVE else times(-1, form))
    return sides
