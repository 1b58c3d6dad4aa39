"""One tree counted by many processes: its nodes are the units of work."""

import time
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from lpnet.boundary.pieces import Effort, Pieces
from lpnet.boundary.tree.search import STEPS, TreeSearch, tree_search
from lpnet.boundary.tree.tree_kernel import explore
from lpnet.boundary.vertices.engine import Spread
from lpnet.compiled import ready
from lpnet.networks import ExactForm, Polyhedron
from lpnet.watch import Watch

SECONDS = 2.0  # of work on a node; then what is left of it is shared out anew
Question = tuple[ExactForm, Polyhedron]


class Report(NamedTuple):
    """What was found below a node: a number of pieces, the share of the tree, what that took, and the nodes that are left."""

    number: int
    share: float
    programs: int
    effort: Effort
    left: list[list[Any]]

    def with_more(self, other: "Report") -> "Report":
        """The sum of two, without the nodes."""
        effort = Effort(*map(sum, zip(self.effort, other.effort, strict=True)))
        return Report(self.number + other.number, self.share + other.share, self.programs + other.programs, effort, [])


NOTHING = Report(0, 0.0, 0, Effort(0, 0, 0, 0, 0), [])


def count_elsewhere(form: ExactForm, domain: Polyhedron, watch: Watch, spread: Spread) -> Pieces:
    """The number of pieces of a form; nothing is stored but nodes still to be explored.

    spread: a map whose results come in order; a node explored twice, since its worker vanished, counts once.
    """
    first = tree_search(form, domain)
    if not ready(lambda: watch(0.0, 0), (explore, *first.arguments, 0)):
        return Pieces(np.zeros((0, first.m), bool), None, 0, False, 0)
    first.listed = False
    first.plant()
    found, nodes = NOTHING, report(first).left
    while nodes and watch(min(found.share, 1.0), found.number):
        asked, nodes = spread(partial(explored, (form, domain)), nodes), []
        for more in asked:
            found, nodes = found.with_more(more), [*nodes, *more.left]
            if not watch(min(found.share, 1.0), found.number):
                break
    complete = watch(1.0, found.number)
    return Pieces(np.zeros((0, first.m), bool), None, found.programs, complete, found.number, effort=found.effort)


def explored(question: Question, node: list[Any]) -> Report:
    """What a worker does with a node: all below it, or as much as it can in its time."""
    search, end = tree_search(*question), time.monotonic() + SECONDS
    search.listed = False
    search.take_on(node)
    while search.go_on(STEPS) and (time.monotonic() < end or search.hard or search.inner):
        pass
    return report(search)


def report(search: TreeSearch) -> Report:
    """What a search has found, and the nodes on its stack, taken off."""
    left = [search.taken_off() for _ in range(int(search.state[0]))]
    return Report(search.count, float(search.found.share[0]), search.programs, search.effort, left)
