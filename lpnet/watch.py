"""Looking on while something works, and stopping it: by a limit, by the clock, or by Ctrl-C."""

import math
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Any, TypeVar

from lpnet.background import LOOK, NAME, completed
from lpnet.errors import Interrupted, Stopped

T = TypeVar("T")
GRACE = 0.6  # seconds, for work that is stopped to come back with what it has


@dataclass
class Watch:
    """Looks on while an engine works: shows how far it is, and stops it.

    max_pieces, seconds: limits; report(share, found): called with the share of the search that is done (0 to 1) and the
    number of pieces found, neither of which ever falls. Anybody may set `stopped` to a reason (`interrupted`: it was a
    person); the engine then returns what it has. It stops at more than max_pieces, so that just as many can be complete.
    """

    max_pieces: int | None = None
    seconds: float | None = None
    report: Callable[[float, int], None] | None = None
    stopped: str | None = None
    interrupted: bool = False
    share: float = 0.0
    found: int = 0
    started: float = field(default_factory=time.monotonic)
    _whole: "Watch | None" = None

    def __call__(self, share: float, found: int) -> bool:
        """Whether to go on."""
        self.share, self.found = max(share, self.share), max(found, self.found)
        if self.report:
            self.report(self.share, self.found)
        if self.max_pieces is not None and found > self.max_pieces and share < 1:
            self.stopped = self.stopped or f"the limit of {self.max_pieces} was reached"
        if share < 1:
            self._look_at_clock()
        return self.stopped is None

    def _look_at_clock(self) -> None:
        if self.seconds is not None and not self.left:
            self.stopped = self.stopped or f"the time limit of {round(self.seconds, 2):g} s was reached"

    def _pressing(self) -> bool:
        """Whether Ctrl-C or the clock says stop, which is not left for later like a number of pieces."""
        whole = self._whole
        if whole and whole._pressing():
            self.stopped, self.interrupted = whole.stopped, whole.interrupted
        self._look_at_clock()
        return self.interrupted or not self.left

    def part(self, start: float, end: float) -> "Watch":
        """A watch for the part of the work between two shares of it: what it sees is reported here; it stops with this one."""

        def report(share: float, found: int) -> None:
            self((1 - share) * start + share * end, found)
            inner.stopped, inner.interrupted = self.stopped, self.interrupted

        inner = Watch(report=report, _whole=self)
        return inner

    @property
    def spent(self) -> float:
        """The seconds since it began to look on."""
        return time.monotonic() - self.started

    @property
    def left(self) -> float:
        """The seconds until the limit."""
        own = math.inf if self.seconds is None else max(0.0, self.seconds - self.spent)
        return min(own, self._whole.left) if self._whole else own

    def check(self, share: float, found: int) -> None:
        """Raise Stopped where it is not to go on: for work whose parts are of no use."""
        if not self(share, found):
            raise self.error()

    def error(self) -> Stopped:
        """What to raise where the work was stopped and has nothing to return."""
        kind = Interrupted if self.interrupted and not self.found else Stopped
        return kind(f"stopped after {self.share:.0%}, {self.stopped}")

    def call(self, work: Callable[..., T], *arguments: Any, **options: Any) -> T:
        """work(*arguments, **options), in a thread of its own: for work that looks here seldom, or cannot.

        Once Ctrl-C or the clock says stop, it has GRACE seconds to come back with what it has (none, where it was Ctrl-C before
        it began); then Stopped is raised, and nobody waits for it any longer. It goes on unattended (see `background`): what
        it is given is not to be used again.
        """
        if self.interrupted:
            raise self.error()
        found: list[T] = []
        late = math.inf

        def go_on() -> bool:
            nonlocal late
            if self._pressing():
                late = min(late, time.monotonic())
            return time.monotonic() - late <= GRACE

        if not completed(lambda: found.append(work(*arguments, **options)), go_on):
            raise self.error()
        return found[0]


def in_parallel(work: Callable[..., Any], arguments: Iterable[Any], workers: int, watch: Watch | None = None) -> Iterator[Any]:
    """The results in order, by threads where there is more than one worker; few are computed ahead of being asked for.

    watch: raises Stopped where it says so, and leaves the threads to their work.
    """
    if workers == 1 and watch is None:
        yield from map(work, arguments)
        return
    pool, ahead = ThreadPoolExecutor(workers, NAME), deque[Future[Any]]()
    try:
        for argument in arguments:
            ahead.append(pool.submit(work, argument))
            if len(ahead) > 4 * workers:
                yield awaited(ahead.popleft(), watch)
        while ahead:
            yield awaited(ahead.popleft(), watch)
    finally:  # nobody asks for more
        pool.shutdown(wait=watch is None, cancel_futures=True)


def awaited(future: Future[Any], watch: Watch | None) -> Any:
    """The result; Stopped where the watch does not want to wait for it."""
    while watch and not wait([future], LOOK).done:
        watch.check(watch.share, watch.found)
    return future.result()
