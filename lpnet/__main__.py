"""`lpnet` and `python -m lpnet`: what has to hold before the rest is loaded, which takes a moment."""

import os
import signal
import sys
from typing import Any


def main() -> None:
    """The entry point of the command."""
    heeded = signal.getsignal(signal.SIGINT) is signal.default_int_handler  # not by a shell's background jobs
    if heeded:
        signal.signal(signal.SIGINT, leave)
    open_streams()
    from lpnet.cli import load, main

    load(sys.argv[1:])
    try:
        if heeded:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        main()
    except KeyboardInterrupt:
        leave()
    finally:
        if heeded:
            signal.signal(signal.SIGINT, leave)


def leave(*_: Any) -> None:
    """Ctrl-C where nothing is to be cleaned up: while modules are loaded an exception may be lost, or become another."""
    os.write(2, b"lpnet: interrupted\n")
    os._exit(130)


def open_streams() -> None:
    """Nothing in the places of closed streams, lest a file be opened there; without an output there is no answer."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets the lowest number that is free
    sys.stdin = sys.stdin or os.fdopen(0)
    sys.stderr = sys.stderr or os.fdopen(2, "w")
    if not sys.stdout:
        os.write(2, b"lpnet: the standard output is closed, and the answer goes there; send it to a file, or to /dev/null\n")
        os._exit(2)


if __name__ == "__main__":
    main()
