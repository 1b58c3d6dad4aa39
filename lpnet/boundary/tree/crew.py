"""Several threads on one deep tree: who has nothing left takes a node from another's stack."""

import os
import threading
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from lpnet.background import LOOK
from lpnet.boundary.pieces import Effort, NotApplicable, Pieces
from lpnet.boundary.tree.class_search import ClassSearch
from lpnet.boundary.tree.crossings import Crossings
from lpnet.boundary.tree.record import Stream, negative_first
from lpnet.boundary.tree.search import STEPS, TreeSearch, tree_search
from lpnet.boundary.walk import DeepWalk, Walk
from lpnet.compiled import ready
from lpnet.networks import ExactForm, Polyhedron
from lpnet.networks.decision import Decision
from lpnet.watch import Watch

SEARCHES: dict[type, Any] = {ExactForm: tree_search, Decision: ClassSearch}


class Crew:
    """Enumerates or counts the pieces of a form of several levels or outputs on a domain, or (pieces=False) its cells.

    workers: threads (default: one a core); their number does not change the answer. recorded: whether with the tree.
    """

    def __init__(
        self,
        form: ExactForm | Decision,
        domain: Polyhedron,
        pieces: bool = True,
        workers: int | None = None,
        recorded: bool = False,
        listed: bool = True,
        deep: bool = False,
    ) -> None:
        self.kind, self.listed = SEARCHES[type(form)], listed
        self.question: tuple[Any, ...] = form, domain, pieces
        self.more = {"recorded": recorded, "deep": deep} if self.kind is tree_search else {}
        self.complete = True
        self.members: list[TreeSearch] = [self.member()]
        self.workers = workers or os.cpu_count() or 1
        self.stream = self.members[0].stream
        self.waiting: deque[tuple[list[Any], Stream | None]] = deque()
        self.idle, self.change = 0, threading.Condition()
        self.stopped = False

    def member(self) -> TreeSearch:
        """One thread's search."""
        made: TreeSearch = self.kind(*self.question, **self.more)
        made.listed = self.listed
        return made

    def run(self, watch: Watch, most: int | None = None) -> None:
        """Search until nothing is left or the watch says stop. Raises NotApplicable after more than `most` programs."""
        self.most = most
        first = self.members[0]
        if not ready(lambda: watch(0.0, 0), (first.kernel, *first.arguments, 0)):
            self.complete = False
            return
        first.plant()
        if first.go_on(STEPS):
            self.stopped = not self.look(watch)
            if not self.stopped:
                self.share_out(watch)
        self.complete = not self.stopped and watch(1.0, sum(member.count for member in self.members))

    def share_out(self, watch: Watch) -> None:
        """All at work, while this thread looks on."""
        self.members += [self.member() for _ in range(1, self.workers)]
        with ThreadPoolExecutor(len(self.members)) as pool:
            futures = [pool.submit(self.work, member) for member in self.members]
            try:
                while not all(future.done() for future in futures):
                    with self.change:
                        self.change.wait(LOOK)
                    if not self.look(watch):
                        self.stopped = True
            finally:
                self.stopped = self.stopped or not all(future.done() for future in futures)
        for future in futures:
            future.result()

    def look(self, watch: Watch) -> bool:
        """Whether to go on."""
        if self.most is not None and self.programs > self.most:
            raise NotApplicable(f"the tree needs more than {self.most} programs")
        share = sum(float(member.found.share[0]) for member in self.members)
        return watch(min(share, 1.0), sum(member.count for member in self.members))

    def work(self, member: TreeSearch) -> None:
        """What one thread does."""
        try:
            while not self.stopped and (member.busy or self.given(member)):
                member.go_on(STEPS)
                if member.state[0] > 1 and self.idle > len(self.waiting):
                    with self.change:
                        self.waiting.append((member.taken_off(), member.hand_over()))
                        self.change.notify_all()
        except BaseException:
            self.stopped = True
            raise
        finally:
            with self.change:
                self.change.notify_all()

    def given(self, member: TreeSearch) -> bool:
        """Wait for a node of another's; False where there will be none."""
        with self.change:
            self.idle += 1
            while not self.waiting and self.idle < len(self.members) and not self.stopped:
                self.change.wait(LOOK)
            if not self.waiting:
                self.change.notify_all()
                return False
            self.idle -= 1
            node, stream = self.waiting.popleft()
        member.take_on(node)
        if stream:
            member.stream, stream.searcher = stream, self.members.index(member)
        return True

    def found(self) -> Pieces:
        """What has been found, in lexicographic order."""
        if not self.listed:
            nothing, number = np.zeros((0, self.members[0].m), bool), sum(member.count for member in self.members)
            return Pieces(nothing, None, self.programs, self.complete, number, effort=self.effort)
        crossings = Crossings(*self.members)
        tree: Walk | DeepWalk | None = None
        pairs = crossings.pairs.reshape(-1, 2) if self.kind is ClassSearch else None
        effort = None if self.kind is ClassSearch else self.effort
        if self.stream:
            search, part = self.members[0], self.stream.joined(crossings.places)
            tree = DeepWalk(part.nodes, search.numbered(part.rows), part.full, part.pieces, crossings.points)
            if search.flat:
                tree = negative_first(tree, search.m, search.given + 2)
        return Pieces(crossings.patterns, crossings, self.programs, self.complete, tree=tree, pairs=pairs, effort=effort)

    @property
    def programs(self) -> int:
        """How many were solved."""
        return sum(member.programs for member in self.members)

    @property
    def effort(self) -> Effort:
        """What was looked at, by all together."""
        return Effort(*map(sum, zip(*(member.effort for member in self.members), strict=True)))
