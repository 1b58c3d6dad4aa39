"""`lpnet warm`."""

import json
import time

import numpy as np

from lpnet.cli.app import app, failing_in_one_sentence
from lpnet.cli.options import AsJson
from lpnet.console import print_answers, watched
from lpnet.equivalents import minimal_equivalent
from lpnet.errors import InputError, Stopped
from lpnet.networks import ReLUNetwork

SMALL = ReLUNetwork(np.array([[1.0, 0], [0, 1], [1, 1]]), np.array([1.0, 1, 3]), np.array([1.0, 1, -1]), -1)


@app.command()
def warm(as_json: AsJson = False) -> None:
    """Compile the engines of this version for this user.

    Otherwise the first network with more than a few units does. They are kept in the user's cache, or in NUMBA_CACHE_DIR.
    """
    from lpnet.compiled import FUNCTIONS, folder

    started = time.monotonic()
    with failing_in_one_sentence():
        with watched("warm", None, None) as watch:
            watch.report = None  # a search that is over at once
            for engine in ("vertices", "tree"):
                if not watch.stopped:
                    minimal_equivalent(SMALL, None, engine, watch)
        if watch.stopped:
            raise Stopped(f"warm: not complete, {watch.stopped}; what is compiled is kept")
        kept = folder()
        if not kept or not kept.is_dir():
            raise InputError(f"warm: {kept or 'the cache'} cannot be written; set NUMBA_CACHE_DIR to a folder that can be")
    row = {"functions": len(FUNCTIONS), "seconds": round(time.monotonic() - started, 3), "kept": str(kept)}
    print(json.dumps(row)) if as_json else print_answers([row])
