"""Files with proofs about bends: what `lpnet.checker.bends` checks, and nothing else, as JSON.

format "lpnet bends", version 1; network: kinds, rows, outputs, everything, answers, walls of `Layers`; ridges: h, g, point,
terms, weight each; refutation, or null: units (generators, cone, active, values, score, groups) and pieces, multipliers,
beyond, points, weights, cones of `Refutation`, mappings as lists of pairs. Whole numbers are in hexadecimal, fractions two of
them with a stroke between.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

from lpnet.checker.bends import Layers, Refutation, Ridge, Unit, no_bends, ridge_bound
from lpnet.checker.check import UNREADABLE, BadProof, Report
from lpnet.checker.question import Refuted
from lpnet.checker.work import brief, parsed, whole

FORMAT, VERSION = "lpnet bends", 1
MOST_BYTES = 1 << 28
MOST_BITS = 1 << 20


def write_bends(path: str | Path, network: Layers, ridges: Sequence[Ridge], refuted: tuple[Any, Refutation] | None) -> None:
    """Write a file; refuted: units and why they do not do."""
    content = {
        "format": FORMAT,
        "version": VERSION,
        "network": packed(vars(network)),
        "ridges": [packed(vars(ridge)) for ridge in ridges],
        "refutation": refuted and {"units": [packed(vars(unit)) for unit in refuted[0]], **packed(vars(refuted[1]))},
    }
    Path(path).write_text(json.dumps(content))


def packed(entry: Any) -> Any:
    """Numbers as words, mappings of numbers as lists of pairs, all else as JSON has it."""
    if isinstance(entry, Mapping):
        if all(isinstance(key, str) for key in entry):
            return {key: packed(value) for key, value in entry.items()}
        return [[packed(key), packed(value)] for key, value in entry.items()]
    if isinstance(entry, Fraction):
        return f"{entry.numerator:x}/{entry.denominator:x}"
    if entry is None or isinstance(entry, bool | str):
        return entry
    return f"{int(entry):x}" if not isinstance(entry, Sequence | frozenset) else [packed(value) for value in entry]


def check_bends(path: str | Path, network: Layers | None = None) -> Report:
    """Check such a file; with a network, also that it is about that one. Raises Refuted and BadProof."""
    try:
        if Path(path).stat().st_size > MOST_BYTES:
            raise ValueError(f"larger than {MOST_BYTES} bytes")
        content = parsed(Path(path).read_bytes())
        if (content["format"], content["version"]) != (FORMAT, VERSION):
            raise ValueError(f"wanted format {FORMAT!r}, version {VERSION}")
        layers = layers_in(content["network"])
        ridges = [ridge_in(entry) for entry in content["ridges"]]
        refuted = content["refutation"] and refutation_in(content["refutation"])
    except (OSError, *UNREADABLE) as error:
        raise BadProof(f"{path}: no proof that could be read: {brief(error)}") from None
    proved = []
    if network is not None:
        if plain(network) != plain(layers):
            raise Refuted("the proof is about another network, or another domain")
        proved.append("it is about the network given, on the domain given")
    try:
        bound = -int(-ridge_bound(layers, ridges) // 1)
        proved.append(f"no network of one hidden layer with fewer than {bound} bends decides alike ({len(ridges)} ridges)")
        if refuted:
            no_bends(layers, *refuted)
            kinds = sum(unit.score is None for unit in refuted[0])
            proved.append(
                f"none with bends in {kinds} hyperplanes"
                + (f", and units of {len(refuted[0]) - kinds} kinds more," if kinds < len(refuted[0]) else "")
                + " does, whatever its weights"
            )
    except UNREADABLE as error:
        raise Refuted(str(error)) from None
    inputs = len(layers.rows[0][0]) - 1 if layers.rows and layers.rows[0] else 0
    walls = tuple(map(tuple, layers.walls))
    place = f"{len(walls)} inequalities" if walls else f"all of R^{inputs}"
    return Report(f"bends of networks with the decisions of one, on {place}", 0, tuple(proved), (), "bends", place, walls)


def plain(layers: Layers) -> Any:
    """What two descriptions of one network share."""
    return packed(vars(layers))


def number(entry: Any) -> int:
    """A whole number."""
    return whole(entry, MOST_BITS)


def ratio(entry: str) -> Fraction:
    """A fraction."""
    upper, lower = entry.split("/")
    return Fraction(number(upper), number(lower))


def vector(entries: Any) -> tuple[int, ...]:
    """Whole numbers."""
    return tuple(map(number, entries))


def mapping(entries: Any, value: Callable[[Any], Any], key: Callable[[Any], Any] = number) -> dict[Any, Any]:
    """A mapping from its pairs."""
    return {key(k): value(v) for k, v in entries}


def layers_in(entry: Any) -> Layers:
    """A network."""
    kinds = [str(kind) for kind in entry["kinds"]]
    if any(kind not in ("relu", "sign") for kind in kinds):
        raise ValueError("layers: wanted relu or sign")
    rows = [[list(map(ratio, row)) for row in layer] for layer in entry["rows"]]
    outputs = [list(map(ratio, row)) for row in entry["outputs"]]
    answers = [number(c) for c in entry["answers"]]
    return Layers(kinds, rows, outputs, entry["everything"] is True, list(map(vector, entry["walls"])), answers)


def ridge_in(entry: Any) -> Ridge:
    """A ridge."""
    terms = [((number(s), number(t)), *map(number, rest)) for (s, t), *rest in entry["terms"]]
    return Ridge(vector(entry["h"]), vector(entry["g"]), vector(entry["point"]), terms, ratio(entry["weight"]))  # type: ignore[arg-type]


def refutation_in(entry: Any) -> tuple[list[Unit], Refutation]:
    """Units, and why they do not do."""
    units = [
        Unit(
            list(map(vector, unit["generators"])),
            list(map(vector, unit["cone"])),
            None if unit["active"] is None else mapping(unit["active"], bool),
            None if unit["values"] is None else mapping(unit["values"], vector),
            None if unit["score"] is None else number(unit["score"]),
            [frozenset(vector(group)) for group in unit["groups"]],
        )
        for unit in entry["units"]
    ]
    pieces = mapping(entry["pieces"], lambda piece: (vector(piece[0]), vector(piece[1]), vector(piece[2])))
    points = [(vector(at), number(c), number(q), vector(toward)) for at, c, q, toward in entry["points"]]
    cones = mapping(entry["cones"], number, lambda key: (number(key[0]), number(key[1])))
    weights = (mapping(entry[name], number) for name in ("beyond", "weights"))
    beyond, of_points = weights
    return units, Refutation(pieces, mapping(entry["multipliers"], vector), beyond, points, of_points, cones)
