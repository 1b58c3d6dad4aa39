"""What the inputs and the answers of a network are called."""

import copy
from collections.abc import Sequence
from typing import Any, TypeVar

from lpnet.errors import InputError

N = TypeVar("N", bound="Named")
PLAIN_LABELS = ("-1", "+1")


class Named:
    """A network that may have names; they change no answer, and a network made of this one has none unless it is given some.

    features: of the d inputs, or (); labels: of the answers −1 and +1, or (): a classifier has `names` of its classes instead.
    """

    features: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()

    def named(self: N, features: Sequence[str] | None = None, labels: Sequence[str] | None = None) -> N:
        """The same network with names, None leaving them as they are.

        Raises InputError where they are not as many different texts as there are inputs, or not two different ones.
        """
        inputs: int = self.inputs  # type: ignore[attr-defined]
        made, given = copy.copy(self), {"features": (features, inputs), "labels": (labels, 2)}
        for field, (names, count) in given.items():
            if names is not None:
                object.__setattr__(made, field, checked_names(field, names, count))
        return made

    def named_like(self: N, other: "Named") -> N:
        """The same network with the names of another one that answers the same questions."""
        inputs: int = self.inputs  # type: ignore[attr-defined]
        return self.named(other.features if len(other.features) == inputs else (), other.labels)

    @property
    def input_names(self) -> list[str]:
        """Names of the inputs: x1, x2, … where they have none."""
        inputs: int = self.inputs  # type: ignore[attr-defined]
        return list(self.features) or [f"x{k + 1}" for k in range(inputs)]

    @property
    def answer_names(self) -> tuple[str, ...]:
        """Names of the answers −1 and +1."""
        return self.labels or PLAIN_LABELS


def checked_names(field: str, names: Any, count: int) -> tuple[str, ...]:
    """So many different texts, or none at all."""
    if isinstance(names, str) or not isinstance(names, Sequence) or not all(isinstance(name, str) for name in names):
        raise InputError(f"{field}: wanted a list of texts")
    if names and (len(names) != count or len(set(names)) != count):
        raise InputError(f"{field}: wanted {count} different names, got {len(names)}, {len(set(names))} of them different")
    return tuple(names)
