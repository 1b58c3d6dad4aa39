"""Whether an object in memory runs code of its own, by what its class is and not by what it is called."""

import sys
from collections.abc import Collection
from typing import Any


def is_of(library: str, thing: Any) -> bool:
    """Whether a thing's class is the very one that the library holds under that name."""
    kind = type(thing)
    module = kind.__module__ if kind.__module__.partition(".")[0] == library else ""
    return getattr(sys.modules.get(module), kind.__name__, None) is kind


def replaced(thing: Any, wrapped: Collection[str] = ()) -> str:
    """The name of a method that a thing has of its own in place of its class's, or "".

    wrapped: the methods that its library itself replaces on every object.
    """
    return next((n for n in vars(thing) if n not in wrapped and callable(getattr(type(thing), n, None))), "")
