"""The lines of one network spread over the workers of a Dask scheduler, by ranges of subsets."""

import itertools
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from lpnet.boundary.vertices.engine import Spread
from lpnet.cluster import RETRIES, client_of

A_RANGE = 16  # prefixes, each of some tenths of a second


@contextmanager
def on_cluster(address: str) -> Iterator[Spread]:
    """What `vertices` takes as `spread`: the workers of the scheduler at this address compute, and the answer is the same.

    Raises what `lpnet.cluster.client_of` raises.
    """
    with client_of(address) as client:
        yield lambda work, arguments: in_ranges(client, work, arguments)


def in_ranges(client: Any, work: Callable[[Any], Any], arguments: Iterable[Any]) -> Iterator[Any]:
    """The results in order; few ranges are computed ahead of being asked for."""
    remaining, ahead = iter(arguments), deque[Any]()
    most = 4 * max(1, sum(client.nthreads().values()))
    try:
        while part := list(itertools.islice(remaining, A_RANGE)):
            ahead.append(client.submit(one_range, work, part, pure=False, retries=RETRIES))
            if len(ahead) > most:
                yield from ahead.popleft().result()
        while ahead:
            yield from ahead.popleft().result()
    finally:
        client.cancel(list(ahead))


def one_range(work: Callable[[Any], Any], arguments: list[Any]) -> list[Any]:
    """What a worker does."""
    return list(map(work, arguments))
