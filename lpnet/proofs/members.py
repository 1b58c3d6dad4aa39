"""The header and the members of a proof file."""

import zipfile
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lpnet.checker.proof import FORMAT
from lpnet.checker.work import FREE_BYTES, MOST_WALL_BITS, RATIO
from lpnet.equivalents import MinimalEquivalent
from lpnet.errors import InputError
from lpnet.exact import Point
from lpnet.io import to_dict
from lpnet.io.json_ import plain_layer
from lpnet.io.kinds import CLASSES, NAMES
from lpnet.networks import Polyhedron, ReLUNetwork, SignCircuit, SignNetwork
from lpnet.networks.affine import AffineMap
from lpnet.networks.classifier import Classifier
from lpnet.programs import Certificate, SignProgram
from lpnet.programs.extent import Bound


class Members:
    """The members of a proof file."""

    def __init__(self, file: zipfile.ZipFile) -> None:
        self.file, self.length, self.deflated = file, 0, 0

    def add(self, name: str, content: bytes, folder: str = "") -> None:
        """Write one; as it is where deflating it would have the file stand for more than its checker allows."""
        self.length += len(content)
        method, allowed = zipfile.ZIP_DEFLATED, FREE_BYTES + RATIO * self.deflated
        if self.length > allowed and self.length > allowed + RATIO * len(zlib.compress(content, 1)):
            method = zipfile.ZIP_STORED
        self.file.writestr(folder + name, content, method)
        self.deflated += self.file.getinfo(folder + name).compress_size


def header_of(answer: MinimalEquivalent, version: int, kind: str | None, idle: Sequence[Point]) -> dict[str, Any]:
    """header.json; InputError for a domain whose numbers are too long for the checker."""
    asked = answer.question
    return header_fields(asked.network, asked.domain, asked.onto) | {
        "version": version,
        "order": list(range(len(answer.form.units))),
        "units": f"{answer.units:x}",
        "complete": kind,
        "constant": answer.constant,
        "idle": [in_hexadecimal(at) for at in idle],
    }


def header_fields(network: ReLUNetwork | Classifier, domain: Polyhedron, onto: AffineMap | None) -> dict[str, Any]:
    """What a header says of a network behind a map, and of a domain."""
    walls, inputs = domain.inequalities(), network.inputs
    if any(abs(entry).bit_length() > MOST_WALL_BITS for h in walls for entry in h):
        raise InputError(f"domain: wanted inequalities of at most {MOST_WALL_BITS} bits a number, to write a proof")
    return {
        "format": FORMAT,
        "network": fields_of(network),
        **({"onto": plain_layer(onto.composed)} if onto else {}),
        "inputs": inputs,
        "inequalities": [in_hexadecimal(h) for h in walls],
        **({"implied": [shown(bound, inputs) for bound in domain.implied]} if domain.implied else {}),
    }


def plain_circuit(circuit: SignCircuit | SignNetwork) -> dict[str, Any]:
    """The fields of a circuit, its first layer as one of the inputs themselves."""
    given = {name: entry for name, entry in to_dict(circuit).items() if name not in ("kind", "inputs", "front")}
    first = plain_layer(circuit.input_layer)
    return given | {"hidden_weight": first["weight"], "hidden_bias": first["bias"]}


def fields_of(network: ReLUNetwork | Classifier) -> dict[str, Any]:
    """The fields of a network as a header has them."""
    return {name: value for name, value in to_dict(network).items() if name not in ("kind", "inputs", NAMES, CLASSES)}


def shown(bound: Bound, inputs: int) -> dict[str, Any]:
    """A bound that the inequalities imply, with what shows it."""
    return {
        "bound": in_hexadecimal(bound.form(inputs)),
        "multipliers": [in_hexadecimal(pair) for pair in bound.multipliers],
    }


def in_hexadecimal(numbers: Sequence[int]) -> list[str]:
    """Integers as a proof file has them."""
    return [f"{number:x}" for number in numbers]


def constant_point(answer: MinimalEquivalent) -> Point:
    """A point of a cell, where f has the one sign that it has, for an answer without half-spaces."""
    walls, at = answer.question.domain.inequalities(), answer.question.domain.interior
    assert not isinstance(at, Certificate)
    cell = answer.form.beside(at)
    used = [(row, side) for row, side in zip(cell.rows, cell.pattern, strict=True) if any(row[:-1])]
    rows, sides = [*(row for row, _ in used), *walls], [*(side for _, side in used), *[1] * len(walls)]
    found = SignProgram(rows, answer.form.inputs).decide(sides)
    assert not isinstance(found, Certificate)
    return found


def packed(patterns: NDArray[np.bool_]) -> bytes:
    """Patterns as bits, the first unit highest; one byte a pattern where there are no units."""
    return np.packbits(patterns, axis=1).tobytes() if patterns.shape[1] else bytes(len(patterns))
