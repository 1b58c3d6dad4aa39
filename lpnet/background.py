"""Work that cannot be stopped, done by a thread that can be left alone."""

import atexit
import threading
from collections.abc import Callable
from concurrent.futures import Future, wait

NAME = "lpnet in the background"
LOOK = 0.1  # seconds between two looks


def completed(work: Callable[[], object], go_on: Callable[[], bool]) -> bool:
    """Do the work while `go_on` is asked a few times a second; False where it said no, and the work goes on unattended.

    Raises what the work raises.
    """
    result: Future[object] = Future()

    def run() -> None:
        try:
            result.set_result(work())
        except BaseException as error:
            result.set_exception(error)

    thread = threading.Thread(target=run, name=NAME, daemon=True)
    thread.start()
    try:
        while not wait([result], LOOK).done:
            if not go_on():
                return False
    finally:
        if not result.done():
            atexit.register(thread.join)  # what it runs must not be torn down beneath it
    result.result()
    return True


def unattended() -> bool:
    """Whether work that was given up goes on: then only the end of the process, by os._exit, ends it at once."""
    return any(thread.name == NAME for thread in threading.enumerate())
