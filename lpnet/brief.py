"""Short texts for results that hold long arrays."""

from collections.abc import Callable
from dataclasses import fields
from typing import Any

import numpy as np

MOST_ENTRIES, MOST_CHARACTERS = 16, 80
LONG = " " * (MOST_CHARACTERS + 1)


def brief(*properties: str) -> Callable[[Any], str]:
    """A `__repr__` for a dataclass: these properties, then its fields, without absent ones; "…" stands for what is long."""

    def text(value: Any) -> str:
        own = [f.name for f in fields(value) if not (_nothing(f.default) and _nothing(getattr(value, f.name)))]
        names = [*(name for name in properties if getattr(value, name) is not None), *own]
        texts = [f"{name}={entry}" for name in names if len(entry := _text(getattr(value, name))) <= MOST_CHARACTERS]
        return f"{type(value).__name__}({', '.join([*texts, '…'] if len(texts) < len(names) else texts)})"

    return text


def _nothing(value: Any) -> bool:
    """Whether it says that an optional field is not there."""
    return value is None or (isinstance(value, tuple) and not value)


def _text(value: Any) -> str:
    """The text of a value; of one with many entries something too long, without making all of it."""
    if isinstance(value, np.ndarray):
        value = value.tolist() if value.size <= MOST_ENTRIES else range(MOST_ENTRIES + 1)
    many = isinstance(value, tuple | list | dict | range) and len(value) > MOST_ENTRIES
    try:
        return LONG if many else repr(value)
    except ValueError:  # Python writes no whole number of more than 4300 digits
        return LONG
