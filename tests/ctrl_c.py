"""Commands that heed Ctrl-C, or ignore it, whatever the shell that runs the tests has its background jobs do."""

import sys


def heeding(command, heeded=True):
    """The command behind an exec that sets it so: a process with threads, as that of the tests, must not do it by a fork."""
    action = "SIG_DFL" if heeded else "SIG_IGN"
    program = f"import os, signal, sys; signal.signal(signal.SIGINT, signal.{action}); os.execv(sys.argv[1], sys.argv[1:])"
    return [sys.executable, "-c", program, *map(str, command)]
