"""The fewest bends: an integer program over what the equations ask for."""

from collections.abc import Iterable, Iterator
from itertools import chain, combinations

import numpy as np

from lpnet.compression.bends import Bend, known_bends, oriented, through_one
from lpnet.compression.equations import Equations, Known, NoBends, Solution
from lpnet.compression.surface import Surface
from lpnet.compression.turning import same
from lpnet.exact import Form
from lpnet.networks import ReLUNetwork
from lpnet.programs.integer import set_cover
from lpnet.watch import Watch

MOST_CUTS = 150  # choices of bends that do not do, before any that do is taken
MOST_WORK = 10**8  # signs of forms at points
MOST_TRIED = 8  # units, of which all are turned round that can be


class Search:
    """The fewest of given bends with which (∗) has a solution: an integer program for what every proof of the contrary asks.

    Every ridge wants a bend through it. Where the bends chosen do not do, the multipliers that prove it (`NoBends`) hold for
    all choices without those bends with which they vanish no longer: one of these is wanted. own: hyperplanes to fall back on;
    complete: whether all bends that cross no piece are among them.
    """

    def __init__(self, seen: Surface, bends: Iterable[Bend], own: Iterable[Form] = ()) -> None:
        self.own = set(own)
        self.complete = seen.inputs == 2
        self.seen, self.pieces, self.bends, self.unique = seen, seen.pieces, list(bends), False
        self.known: list[Known] = []
        self.most = MOST_CUTS
        wanted = (frozenset(k for k, bend in enumerate(self.bends) if r in bend.ridges) for r in range(len(seen.ridges)))
        self.cuts = [set(cut) for cut in dict.fromkeys(wanted) if cut]

    def learn(self, at: tuple[int, ...], answer: int) -> None:
        """A point at which f was wrong; bends that may be active there or not are two from now on."""
        self.known.append((at, answer))
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
            self.equations = equations = Equations([self.bends[k] for k in chosen], self.pieces, self.known)
            answer = equations.solve()
            if isinstance(answer, Solution):
                self.unique = answer.free == 1
                return answer
            helping = {k for k, bend in enumerate(self.bends) if k not in chosen and equations.helps(answer, bend)}
            if not helping:
                answer = Equations(self.bends, self.pieces, self.known).solve()
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
        found.complete = True
        for at, answer in self.known:
            found.learn(at, answer)
        return found

    def few(self) -> Solution | None:
        """A solution with a network's own bends, or of given hyperplanes, none of which can be left out alone."""
        self.most = 0  # no second attempt
        chosen = [k for k, bend in enumerate(self.bends) if not bend.side and (bend.generators[0] in self.own or not self.own)]
        best = None
        for left_out in (None, *chosen):
            fewer = [k for k in chosen if k != left_out]
            equations = Equations([self.bends[k] for k in fewer], self.pieces, self.known)
            answer = equations.solve()
            if isinstance(answer, Solution):
                self.equations, self.unique, chosen, best = equations, answer.free == 1, fewer, answer
        return best

    def constant(self) -> Iterator[ReLUNetwork]:
        """Of several solutions with the last bends, those whose affine part is constant for some turning of the units."""
        count = len(self.equations.bends)
        if self.unique or count > MOST_TRIED:
            return
        for turned in chain.from_iterable(combinations(range(count), size) for size in range(count + 1)):
            found = self.equations.constant(turned)
            if found:
                yield same(found.affine, found.units)

    def cover(self) -> list[int]:
        """A smallest set of bends that has one of each cut."""
        if not self.cuts:
            return []
        table = np.array([[k in cut for cut in self.cuts] for k in range(len(self.bends))])
        return [int(k) for k in np.flatnonzero(set_cover(table))]
