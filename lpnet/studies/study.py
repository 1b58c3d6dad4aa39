"""What a study is, whatever it studies; one row of its table."""

import time
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, ClassVar, Protocol, TypeVar

import numpy as np

from lpnet.equivalents.tightness import tightness
from lpnet.errors import InputError, LpnetError
from lpnet.networks import ReLUNetwork
from lpnet.networks.classifier import Classifier
from lpnet.watch import Watch

Row = dict[str, Any]
MOST_RELUS = 1023
T = TypeVar("T")

# Floats for the bounds: 2^n − 1 has no end. `needed` and what follows from it are empty where `status` is not "complete".
# The seconds of the first network of a process that needs the tree are mostly those of loading it.
MEASURED: dict[str, type] = {
    "positive": int,
    "negative": int,
    "needed": int,
    "law": float,
    "theorem2": float,
    "ratio": float,
    "engine": str,
    "seconds": float,
    "status": str,
}


class Study(Protocol):
    """A frozen dataclass of numbers and names that says what is to be counted, in chunks that do not depend on each other.

    name: of the command; columns: of the table, with the type of each; chunks: how many; size: how many rows in all;
    rows(chunk): the rows of one chunk, always the same but for "seconds".
    """

    name: ClassVar[str]
    columns: ClassVar[dict[str, type]]

    @property
    def chunks(self) -> int: ...
    @property
    def size(self) -> int: ...
    def rows(self, chunk: int) -> list[Row]: ...


def parameters(study: Any) -> Row:
    """All that determines the rows of a study, as JSON has it."""
    fields = {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(study).items()}
    return {"study": study.name, **fields}


def combination(axes: Sequence[Sequence[Any]], number: int) -> list[Any]:
    """The one with this number of all that take one value of each axis; the last axis goes fastest."""
    places = np.unravel_index(number, [len(axis) for axis in axes])
    return [axis[int(place)] for axis, place in zip(axes, places, strict=True)]


def from_parameters(kind: type[T], found: Row) -> T:
    """The study with these parameters, the inverse of `parameters`; InputError where they are none of its."""
    fields = {name: tuple(value) if isinstance(value, list) else value for name, value in found.items() if name != "study"}
    try:
        return kind(**fields)
    except TypeError as error:
        raise InputError(f"parameters of a study: {error}") from None


def measured(network: ReLUNetwork | Classifier, max_units: int | None = None) -> Row:
    """The columns `MEASURED` of a network: needed half-spaces, `lpnet.tightness`' bounds, needed / law, engine, seconds.

    Of several outputs no numbers of positive and negative units. max_units: stop there, with that as the status.
    """
    row: Row = dict.fromkeys(MEASURED)
    if isinstance(network, ReLUNetwork):
        row |= {"positive": len(network.positive), "negative": len(network.negative)}
    row["status"] = "complete"
    started = time.perf_counter()
    try:
        answer = tightness(network, watch=Watch(max_units))
        row |= {"needed": answer.needed, "law": float(answer.law), "theorem2": float(answer.theorem2)}
        row |= {"ratio": answer.of_law, "engine": answer.engine}
    except LpnetError as error:
        row["status"] = str(error)
    row["seconds"] = time.perf_counter() - started
    return row
