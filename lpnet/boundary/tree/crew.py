"""Several threads on one deep tree: who has nothing left takes a node from another's stack."""

import os
import threading
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lpnet.background import LOOK
from lpnet.boundary.pieces import Pieces
from lpnet.boundary.tree.deep import DeepSearch
from lpnet.boundary.tree.deep_kernel import explore
from lpnet.boundary.tree.deep_problem import from_ray
from lpnet.compiled import ready
from lpnet.exact import FloatArray, Point, add, primitive, times, value
from lpnet.networks import ExactForm, Polyhedron
from lpnet.watch import Watch

STEPS = 1 << 12  # nodes between two looks at the others


class Crew:
    """Enumerates the pieces of a form of several levels on a domain, or (pieces=False) its cells.

    workers: threads (default: one a core); their number does not change the answer.
    """

    def __init__(self, form: ExactForm, domain: Polyhedron, pieces: bool = True, workers: int | None = None) -> None:
        self.form, self.complete = form, True
        first = DeepSearch(form, domain, pieces)
        self.members = [first, *(first.another() for _ in range(1, workers or os.cpu_count() or 1))]
        self.waiting: deque[list[Any]] = deque()
        self.idle, self.change = 0, threading.Condition()
        self.stopped = False

    def run(self, watch: Watch) -> None:
        """Search until nothing is left or the watch says stop."""
        first = self.members[0]
        if not ready(lambda: watch(0.0, 0), (explore, *first.arguments, 0)):
            self.complete = False
            return
        first.plant()
        if first.go_on(STEPS):
            self.share_out(watch)
        self.complete = not self.stopped and watch(1.0, sum(member.count for member in self.members))

    def share_out(self, watch: Watch) -> None:
        """All at work, while this thread looks on."""
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
        share = sum(float(member.found.share[0]) for member in self.members)
        return watch(min(share, 1.0), sum(member.count for member in self.members))

    def work(self, member: DeepSearch) -> None:
        """What one thread does."""
        try:
            while not self.stopped and (member.busy or self.given(member)):
                member.go_on(STEPS)
                if member.state[0] > 1 and self.idle > len(self.waiting):
                    with self.change:
                        self.waiting.append(member.taken_off())
                        self.change.notify_all()
        except BaseException:
            self.stopped = True
            raise
        finally:
            with self.change:
                self.change.notify_all()

    def given(self, member: DeepSearch) -> bool:
        """Wait for a node of another's; False where there will be none."""
        with self.change:
            self.idle += 1
            while not self.waiting and self.idle < len(self.members) and not self.stopped:
                self.change.wait(LOOK)
            if not self.waiting:
                self.change.notify_all()
                return False
            self.idle -= 1
            node = self.waiting.popleft()
        member.take_on(node)
        return True

    def found(self) -> Pieces:
        """What has been found, in lexicographic order."""
        first, units = self.members[0], len(self.form.units)
        packed = [patterns for member in self.members for patterns in member.patterns]
        rows = np.concatenate([np.zeros((0, max(1, -(-units // 8))), np.uint8), *packed])
        order = np.lexsort(rows.T[::-1])
        patterns = np.unpackbits(rows[order], axis=1)[:, :units].astype(bool)
        witnesses = None
        if first.pieces:
            rays = np.concatenate(
                [np.zeros((0, 2, len(first.scale))), *(part for member in self.members for part in member.rays)]
            )
            place, start = np.argsort(order), 0
            known: dict[int, Point] = {}
            for member in self.members:
                known |= {int(place[start + number]): at for number, at in member.known.items()}
                start += member.count
            witnesses = Crossings(first, patterns, rays[order], known)
        return Pieces(patterns, witnesses, sum(member.programs for member in self.members), self.complete)


class Crossings(Sequence[Point]):
    """A point of each piece: where f is 0 between two points of its cell, or as it was found exactly."""

    def __init__(self, search: DeepSearch, patterns: NDArray[np.bool_], rays: FloatArray, known: dict[int, Point]) -> None:
        self.form, self.scale, self.kept, self.inputs = search.form, search.scale, search.kept, search.given
        self.patterns, self.rays, self.known = patterns, rays, known

    def __len__(self) -> int:
        return len(self.patterns)

    def __getitem__(self, k: Any) -> Any:
        if isinstance(k, slice):
            return tuple(self[i] for i in range(*k.indices(len(self))))
        at = self.known.get(k) or self.between(k)
        point = [0] * self.inputs
        for j, entry in zip(self.kept, at, strict=False):
            point[j] = entry
        return (*point, at[-1])

    def between(self, k: int) -> Point:
        """Where f is 0 on the way from one of the two points to the other."""
        f = self.form.on_cell(self.patterns[k])
        below, above = (from_ray(x, self.scale) for x in self.rays[k])
        return primitive(add(times(value(f, above), below), times(-value(f, below), above)))
