"""What `lpnet minimal` says of networks with several outputs."""

import time
from typing import Any

import numpy as np

from lpnet.boundary.engines import find_pieces
from lpnet.cli.words import in_words
from lpnet.console import print_table, printable
from lpnet.equivalents.class_circuits import ClassCircuits
from lpnet.equivalents.classes import MinimalClasses
from lpnet.errors import Stopped
from lpnet.exact import Point, coordinates
from lpnet.networks import Polyhedron
from lpnet.networks.classifier import Classifier
from lpnet.networks.question import question
from lpnet.watch import Watch

WHERE = {False: "never the class", True: "the class on ties alone", None: "never the class, but perhaps on ties"}


def known_classes(network: Classifier) -> dict[str, Any]:
    """The part of a row that is known beforehand."""
    sizes = {"inputs": network.inputs, "relus": network.relus, "layers": len(network.widths)}
    return sizes | {"outputs": len(network.scores), "classes": len(network.names)}


def summary_of_classes(answer: MinimalClasses, watch: Watch) -> dict[str, Any]:
    """The answer in numbers, as --json prints it: of each two classes that touch, of each class, and which has no open set."""
    names = answer.network.names
    try:
        points: list[Point | None] | None = answer.find_points(watch) if answer.complete else None
    except Stopped:
        points = None
    return {
        **known_classes(answer.network),
        "units": answer.units,
        "pieces": len(answer.pieces.patterns),
        "constant": None if answer.constant is None else names[answer.constant],
        "pairs": [
            {"classes": [names[i], names[j]], "pieces": border.pieces, "units": border.units}
            for (i, j), border in answer.borders.items()
        ],
        "units_of_class": {name: len(answer.units_of(number)) for number, name in enumerate(names)},
        "never": {names[c]: None if points is None else points[c] is not None for c in answer.never}
        if answer.complete
        else None,
        "points": points and {name: shown(answer, c, points[c]) for c, name in enumerate(names)},
        "programs": answer.pieces.programs,
        "seconds": round(answer.seconds, 6),
        "complete": answer.complete,
        "engine": answer.engine,
        "reason": answer.reason,
    }


def shown(answer: MinimalClasses, number: int, at: Point | None) -> list[float] | list[str] | None:
    """A point with a class: the nearest floats, where they have it, too, else exactly."""
    if at is None:
        return None
    exact = coordinates(answer.question.lifted(at))
    floats = [float(x) for x in exact]
    fine = answer.network(np.array([floats]))[0] == number and answer.domain.contains(floats)
    return floats if fine else list(map(str, exact))


def counted_classes(network: Classifier, domain: Polyhedron | None, engine: str, watch: Watch) -> dict[str, Any]:
    """The number of pieces between classes as --count prints it."""
    started = time.perf_counter()
    asked = question(network, domain)
    pieces, name, _ = find_pieces(asked.network.normal_form(asked.domain), asked.domain, watch, engine)
    return {
        **known_classes(network),
        "units": None,
        "pieces": len(pieces.patterns),
        "seconds": round(time.perf_counter() - started, 6),
        "complete": pieces.complete,
        "engine": name,
    }


def sizes_of_classes(built: ClassCircuits) -> dict[str, Any]:
    """The sizes of a threshold network, and of each class's own part of it."""
    parts = {
        name: {
            "circuit": built.kinds[number],
            "second_layer": built.terms_of(number),
            "at_least": None if number == built.shared else built.alone[number].at_least,
        }
        for number, name in enumerate(built.network.names)
    }
    return {"circuit": "classes", "first_layer": built.first_layer, "second_layer": built.second_layer, "parts": parts}


def print_borders(row: dict[str, Any]) -> None:
    """Under a row: how much each two classes share, and the classes that never win."""
    if row.get("pairs"):
        print()
        print_table([in_words(pair | {"classes": " | ".join(pair["classes"])}) for pair in row["pairs"]])
    if row.get("parts"):
        print()
        print_table([in_words({"class": name} | part) for name, part in row["parts"].items()])
    for where, text in WHERE.items():
        if names := [name for name, ties in (row.get("never") or {}).items() if ties is where]:
            print(f"\n{text}: {printable(', '.join(names))}")
