"""Cells and pieces of a network of several hidden layers, estimated by random descents through their tree.

Knuth (1975): go down from the root, at every fork into either child with equal probability; a leaf that is reached counts as
many times as the numbers of children at its forks, multiplied. Here many descents go together (stochastic enumeration, Vaisman
and Kroese 2017): a population goes down fork by fork, and of the N children of its nodes at most B are kept, any B of them as
likely; what is met from there on counts N / B times as much. By induction over the depth every node of the tree is expected to
count once, so the sum over the leaves is an unbiased estimate of their number; with B = 1 it is Knuth's. A tree that is nowhere
wider than B is counted exactly. The tree is the engine's (`lpnet.boundary.tree.search`, of several outputs `class_search`):
what floats leave in doubt is settled in integers.
"""

from contextlib import suppress
from fractions import Fraction
from typing import Any

import numpy as np

from lpnet.boundary.sampling.sample import Sample
from lpnet.boundary.tree.class_search import ClassSearch
from lpnet.boundary.tree.nodes import Stack
from lpnet.boundary.tree.search import STEPS, TreeSearch
from lpnet.compiled import ready
from lpnet.errors import Stopped
from lpnet.networks import ExactForm, Polyhedron
from lpnet.networks.decision import Decision
from lpnet.watch import Watch

TOGETHER = 200  # descents, B
LEAST = 5  # rounds, before their error decides anything
Node = list[Any]


class Descents:
    """Rounds of descents through the tree of the pieces of a form or a decision on a domain, or (pieces=False) of its cells."""

    def __init__(self, form: ExactForm | Decision, domain: Polyhedron, pieces: bool, seed: int) -> None:
        if isinstance(form, Decision):
            self.search: TreeSearch = ClassSearch(form, domain) if pieces else TreeSearch(form.body, domain, False)
        else:
            self.search = TreeSearch(form, domain, pieces)
        # With no room for more the kernel comes back from every fork.
        self.search.stack = Stack._make(array[:3].copy() for array in self.search.stack)
        self.random = np.random.default_rng([seed, pieces])
        self.rounds: list[Fraction] = []
        self.sampled = False

    @property
    def count(self) -> int:
        """How many were met."""
        return self.search.count

    def descend(self, watch: Watch) -> None:
        """One round more. Stopped where the watch says so."""
        search = self.search
        before, search.state[0] = self.count, 0
        search.plant()
        nodes, weight, total = self.children(), Fraction(1), Fraction(self.count - before)
        while nodes:
            if len(nodes) > TOGETHER:
                weight, self.sampled = weight * Fraction(len(nodes), TOGETHER), True
                nodes = [nodes[k] for k in self.random.choice(len(nodes), TOGETHER, replace=False)]
            before, parents, nodes = self.count, nodes, []
            for node in parents:
                watch.check(watch.share, self.count)
                search.take_on(node)
                nodes += self.children()
            total += weight * (self.count - before)
        self.rounds.append(total)
        search.rays.clear()

    def children(self) -> list[Node]:
        """The nodes of the next fork, taken off the stack; the rows of their levels are to be unfolded again.

        What is beyond floats is counted to its end before.
        """
        while self.search.state[0] == 1 or self.search.hard or self.search.inner:
            self.search.go_on(STEPS)
        nodes = [dict(zip(Stack._fields, self.search.taken_off(), strict=True)) for _ in range(self.search.state[0])]
        return [[*(node | {"level": 0, "fresh": True}).values()] for node in nodes]

    @property
    def sample(self) -> Sample:
        """What the rounds say: of an exact count nothing was drawn."""
        if not self.sampled:
            return Sample((), int(self.rounds[0]), np.zeros((4, 0)))
        most = max(1, *map(round, self.rounds))
        x = np.array([float(number / most) for number in self.rounds])
        met = [np.concatenate(part) for part in (self.search.patterns, self.search.pairs) if part]
        seen = len(np.unique(np.column_stack(met), axis=0)) if met else 0
        return Sample((most,), 0, np.array([[len(x)], [x.sum()], [(x**2).sum()], [np.count_nonzero(x)]]), seen)


def descents(
    form: ExactForm | Decision, domain: Polyhedron, samples: float, relative_error: float, seed: int, watch: Watch
) -> tuple[Descents, Descents]:
    """Those for pieces and for cells, two rounds at least, until there are `samples` descents or the error of both is small.

    Or until the watch says no: Stopped where that is before there are two rounds of each.
    """
    both = Descents(form, domain, True, seed), Descents(form, domain, False, seed)
    ready(lambda: watch(0.0, 0), *((one.search.kernel, *one.search.arguments, 0) for one in both))
    rounds = max(2.0, samples / TOGETHER)
    with suppress(Stopped):
        while any(more := [wanted(one, rounds, relative_error) for one in both]):
            for one in (one for one, go in zip(both, more, strict=True) if go):
                watch.check(min(1.0, len(one.rounds) / rounds), both[0].count)
                one.descend(watch)
    if any(len(one.rounds) < 1 + one.sampled for one in both):
        raise watch.error()
    return both


def wanted(one: Descents, rounds: float, relative_error: float) -> bool:
    """Whether more rounds are to be drawn."""
    if not one.rounds or (one.sampled and len(one.rounds) < 2):
        return True
    enough = relative_error and len(one.rounds) >= LEAST and one.sample.relative_error <= relative_error
    return one.sampled and len(one.rounds) < rounds and not enough
