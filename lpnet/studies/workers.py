"""Who computes the chunks of a study: the local cores (joblib), or a cluster (Dask distributed). Neither changes a row."""

import os
import signal
import threading
import time
import warnings
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from functools import cache, partial

import numpy as np
from threadpoolctl import threadpool_limits

from lpnet.cluster import RETRIES, client_of
from lpnet.equivalents.tightness import tightness
from lpnet.errors import Stopped
from lpnet.networks import ReLUNetwork
from lpnet.studies.study import Row, Study

Done = Generator[tuple[int, list[Row]], None, None]
ALONE = threading.Lock()


def compute(study: Study, chunk: int) -> tuple[int, list[Row]]:
    """A chunk and its rows, on one core: on small matrices threads only wait for each other, and they round differently.

    A process computes one chunk at a time, though a Dask worker has many threads by default: better several with one each.
    """
    with ALONE, threadpool_limits(1):
        warm()
        return chunk, study.rows(chunk)


@cache
def warm() -> None:
    """Load the engine that counts most networks, compiled if need be: that is no part of any network's seconds."""
    tightness(ReLUNetwork(np.array([[1.0, 0], [0, 1], [1, 1]]), np.array([1.0, 1, 3]), np.array([1.0, 1, -1]), -1))


def on_cores(study: Study, chunks: Sequence[int], workers: int | None) -> Done:
    """The chunks by so many processes (default: all cores), as they come."""
    import joblib
    from joblib.externals.loky.process_executor import TerminatedWorkerError

    warm()  # once for all workers, and where it can be said
    pool = joblib.Parallel(workers or -1, return_as="generator_unordered", initializer=follow, initargs=(os.getpid(),))
    with deaf():
        results = pool(joblib.delayed(compute)(study, chunk) for chunk in chunks)
    try:
        for result in results:  # noqa: UP028, "yield from" would close the results first
            yield result
    except TerminatedWorkerError:
        raise Stopped("a worker was killed, perhaps for want of memory") from None
    finally:
        with warnings.catch_warnings():  # that the rest was given up is what was wanted
            warnings.simplefilter("ignore", UserWarning)
            results.close()


@contextmanager
def deaf() -> Iterator[None]:
    """Ctrl-C does not reach the processes that start here, not even before they can say so themselves in `follow`."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def follow(leader: int) -> None:
    """Leave Ctrl-C to the process that this one works for, and end with it, also where it was killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def look() -> None:
        while os.getppid() == leader:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=look, daemon=True).start()


def on_cluster(study: Study, chunks: Sequence[int], address: str) -> Done:
    """The chunks by the workers of a Dask scheduler; those of a worker that vanishes are given to another."""
    with client_of(address) as client:
        from distributed import as_completed

        futures = client.map(partial(compute, study), chunks, pure=False, retries=RETRIES)
        try:
            for future in as_completed(futures, loop=client.loop):
                yield future.result()
        finally:
            client.cancel(futures, force=True)
