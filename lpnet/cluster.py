"""A Dask cluster, and each way in which it fails in one sentence."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from lpnet.errors import InputError, Stopped

RETRIES = 10  # of a task whose worker vanished
SECONDS = 10  # to wait for a scheduler


@contextmanager
def client_of(address: str) -> Iterator[Any]:
    """A distributed.Client of the scheduler at this address. It is to be trusted: what it sends is unpickled.

    Raises InputError without the package distributed or a scheduler there, Stopped if the cluster fails.
    """
    try:
        import distributed
        from distributed.client import FutureCancelledError
    except ImportError:
        raise InputError('--scheduler: it needs the package distributed: pip install "lpnet[cluster]"') from None
    try:
        open_client: Any = distributed.Client
        client = open_client(address, timeout=SECONDS, set_as_default=False)
    except (OSError, ValueError) as error:
        raise InputError(f"--scheduler: {address} cannot be reached: {error}") from None
    with client:
        try:
            yield client
        except (FutureCancelledError, distributed.KilledWorker, ImportError, RuntimeError) as error:
            why = str(error.__cause__ or error).partition("\n")[0]
            raise Stopped(f"the scheduler {address} or its workers failed: {why}; they need the same lpnet as here") from None
