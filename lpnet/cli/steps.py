"""What `lpnet minimal` says of networks with gates that jump."""

from pathlib import Path
from typing import Any

from lpnet.circuits.classes import TooLarge
from lpnet.equality.points import digits
from lpnet.equivalents.steps import MOST_FACES, MinimalSteps
from lpnet.errors import InputError, Stopped
from lpnet.exact import Point, coordinates
from lpnet.networks.step import StepNetwork
from lpnet.watch import Watch

MOST_DIGITS = 24
FEW_FACES = 5_000  # that are looked at for ties where no circuit is wanted


def check_options(engine: str, proof: Path | None, scheduler: str | None) -> None:
    """InputError for what is there for ReLU networks only."""
    if engine != "auto":
        raise InputError(f"engine: wanted auto for a network with steps, got {engine!r}")
    if proof:
        raise InputError("--proof: wanted a ReLU network; there are no proofs for networks with steps yet")
    if scheduler:
        raise InputError("--scheduler: wanted a ReLU network; networks with steps are searched on one machine")


def known_steps(network: StepNetwork) -> dict[str, Any]:
    """The part of a row that is known beforehand."""
    return {
        "inputs": network.inputs,
        "hidden_units": network.units,
        "steps": network.steps,
        "layers": len(network.widths),
    }


def summary_of_steps(answer: MinimalSteps) -> dict[str, Any]:
    """The answer in numbers, as --json prints it."""
    return {
        **known_steps(answer.network),
        "cells": answer.pieces.cells,
        "units": answer.units,
        "pieces": len(answer.pieces.facets),
        "slits": answer.slits,
        "constant": answer.constant,
        "seconds": round(answer.seconds, 6),
        "complete": answer.complete,
    }


def ties(answer: MinimalSteps, watch: Watch, built: bool) -> dict[str, Any]:
    """Whether the needed half-spaces tell all answers; if not, two points with different ones that they do not tell apart."""
    try:
        exception = answer.exception_in(watch.call(answer.find_classes, watch, MOST_FACES if built else FEW_FACES))
    except (TooLarge, Stopped) as error:
        return {"ties": f"open: {error}"}
    if exception is None:
        return {"ties": "decided"}
    first, second = map(shown, exception)
    return {"ties": "not decided", "exception": [first, second]}


def shown(at: Point) -> list[str]:
    """The coordinates of a point, exactly."""
    return list(map(digits, coordinates(at)))


def print_exceptions(row: dict[str, Any]) -> None:
    """Under a row: two points that the needed half-spaces do not tell apart."""
    if row.get("exception"):
        first, second = (
            ", ".join(x if len(x) <= MOST_DIGITS else f"{x[:MOST_DIGITS]}…" for x in at) for at in row["exception"]
        )
        print(f"\nthe needed half-spaces do not tell ({first}) from ({second}), where the answer is another one")
