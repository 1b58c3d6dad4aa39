"""Work that cannot be stopped, done by a thread that can be left alone."""

import atexit
import threading
from collections.abc import Callable
from concurrent.futures import Future, wait

NAME = "lpnet in the background"
LOOK = 0.05  # seconds between two looks


def completed(work: Callable[[], object], go_on: Callable[[], bool], awaited: bool = False) -> bool:
    """Do the work while `go_on` is asked many times a second; False where it said no, and the work goes on unattended.

    awaited: whether the end of Python has to wait for it. Raises what the work raises.
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
        if awaited and not result.done():
            atexit.register(thread.join)
    result.result()
    return True


def unattended() -> bool:
    """Whether work that was given up goes on: then only the end of the process, by os._exit, ends it at once."""
    return any(thread.name.startswith(NAME) for thread in threading.enumerate())
