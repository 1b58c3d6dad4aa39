"""What can go wrong, each in one sentence: what arrived, what was wanted, what to do."""


class LpnetError(Exception):
    """Every error that lpnet raises on purpose."""


class InputError(LpnetError, ValueError):
    """The data, file or option given cannot be used."""


class Stopped(LpnetError):
    """A limit or somebody stopped the work before it was done."""


class Interrupted(Stopped):
    """Somebody stopped the work before anything was found."""


class SizeError(LpnetError, MemoryError):
    """The answer asked for would not fit in memory."""
