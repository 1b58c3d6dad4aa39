"""What passes between an engine and its caller."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from lpnet.brief import brief
from lpnet.errors import Stopped
from lpnet.exact import Point


class NotApplicable(Exception):
    """An engine cannot take this form; the message says why, and another engine can."""


@dataclass(frozen=True)
class Pieces:
    """What an engine returns.

    patterns: the activation patterns of the units of the normal form on the negative side of each piece, (pieces, m), in
    lexicographic order; witnesses: a point of each piece, where the engine has them at hand; programs: how many it solved;
    complete: whether these are all pieces; count: how many, where they were counted without being stored.
    """

    patterns: NDArray[np.bool_]
    witnesses: tuple[Point, ...] | None
    programs: int
    complete: bool = True
    count: int | None = None

    __repr__ = brief()


@dataclass
class Watch:
    """Looks on while an engine works: shows how far it is, and stops it.

    max_pieces, seconds: limits; report(share, found): called with the share of the search that is done (0 to 1) and the
    number of pieces found. Anybody may set `stopped` to a reason (`interrupted`: it was a person); the engine then returns
    what it has.
    """

    max_pieces: int | None = None
    seconds: float | None = None
    report: Callable[[float, int], None] | None = None
    stopped: str | None = None
    interrupted: bool = False
    _started: float = field(default_factory=time.monotonic)
    _whole: "Watch | None" = None

    def __call__(self, share: float, found: int) -> bool:
        """Whether to go on."""
        if self.report:
            self.report(share, found)
        if self.max_pieces is not None and found >= self.max_pieces and share < 1:
            self.stopped = self.stopped or f"the limit of {self.max_pieces} was reached"
        if self.seconds is not None and time.monotonic() - self._started > self.seconds and share < 1:
            self.stopped = self.stopped or f"the time limit of {self.seconds:g} s was reached"
        return self.stopped is None

    def part(self, start: float, end: float) -> "Watch":
        """A watch for the part of the work between two shares of it: what it sees is reported here; it stops with this one."""

        def report(share: float, found: int) -> None:
            self((1 - share) * start + share * end, found)
            inner.stopped = self.stopped

        inner = Watch(report=report, _whole=self)  # without limits of its own: one clock decides for both
        return inner

    @property
    def left(self) -> float:
        """The seconds until the limit."""
        if self._whole:
            return self._whole.left
        return math.inf if self.seconds is None else max(0.0, self._started + self.seconds - time.monotonic())

    def check(self, share: float, found: int) -> None:
        """Raise Stopped where it is not to go on: for work whose parts are of no use."""
        if not self(share, found):
            raise Stopped(f"stopped after {share:.0%}, {self.stopped}")
