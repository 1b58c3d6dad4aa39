"""The needed half-spaces of an argmax of several outputs by exact brute force, on top of the cells of `oracle`.

The differences of the outputs cut the cells like units of one more level. On what is left one output wins, and the definition
is read off the facets: a class on one side and another one on the other.
"""

import itertools
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import NamedTuple

from deep_cases import relu_network
from oracle import (
    Cell,
    Domain,
    Row,
    Units,
    Vector,
    cells_of,
    domain_forms,
    facet,
    interior,
    outputs_at,
    primitive,
    reaches,
    value,
)

from lpnet.networks.classifier import Classifier


class Piece(NamedTuple):
    """The pattern of the cell that carries it, the outputs on the other side and on this one, and the half-space."""

    pattern: tuple[bool, ...]
    pair: tuple[int, int]
    halfspace: Vector


class Classes(NamedTuple):
    """The pieces, and which outputs win on an open set, and which anywhere at all."""

    pieces: set[Piece]
    winners: set[int]
    somewhere: set[int]

    @property
    def halfspaces(self) -> set[Vector]:
        """The distinct ones."""
        return {piece.halfspace for piece in self.pieces}


class Outputs(NamedTuple):
    """Units, and rows of outputs on them."""

    units: Units
    rows: list[Row]


def solve_classes(network: Outputs, domain: Domain = None) -> Classes:
    """All pieces between classes: facets between parts of cells on which different outputs win."""
    walls = domain_forms(domain, network.units.inputs)
    refined, count = differences(network), len(network.units.rows)
    cells = cells_of(refined, walls)
    won = {id(cell): winner(cell, len(network.rows), count) for cell in cells}
    pieces = set()
    for cell in cells:
        for point, wall in facets(cell, walls):
            beyond = [other for other in cells if other is not cell and reaches(other, point)]
            if len(beyond) == 1 and won[id(beyond[0])] < won[id(cell)]:
                pair = won[id(beyond[0])], won[id(cell)]
                pieces.add(Piece(cell.pattern[:count], pair, primitive(tuple(-h for h in wall))))
    somewhere = {best(network, at) for cell in cells for at in sample(cell, walls)}
    return Classes(pieces, set(won.values()), somewhere)


def differences(network: Outputs) -> Units:
    """The units, then s_a − s_b for all ordered pairs as units of one more level."""
    inputs, rows, output = network.units
    made = [*rows]
    for a, b in itertools.permutations(range(len(network.rows)), 2):
        own = [x - y for x, y in zip(network.rows[a], network.rows[b], strict=True)]
        made.append(own + [Fraction(0)] * (len(made) - len(rows)))
    return Units(inputs, made, [*output, *[Fraction(0)] * (len(made) - len(rows))])


def winner(cell: Cell, outputs: int, count: int) -> int:
    """The first output that none exceeds there."""
    above = dict(zip(itertools.permutations(range(outputs), 2), cell.pattern[count:], strict=True))
    return next(a for a in range(outputs) if not any(above[b, a] for b in range(outputs) if b != a))


def facets(cell: Cell, walls: Sequence[Vector]) -> Iterator[tuple[Vector, Vector]]:
    """A point inside each face that lies on one wall of the cell, inside the domain, and that wall."""
    for wall in cell.cone.walls:
        face = facet(cell.cone, wall)
        point = interior(face) if face.rays else None
        if point and point[-1] > 0 and all(value(h, point) > 0 for h in walls):
            yield point, wall


def sample(cell: Cell, walls: Sequence[Vector]) -> Iterator[Vector]:
    """A point inside each face of a cell, inside the domain; few cells have many rays."""
    rays = cell.cone.rays
    for chosen in itertools.product((False, True), repeat=len(rays)) if len(rays) < 9 else ():
        kept = [ray.vector for ray, used in zip(rays, chosen, strict=True) if used]
        point = tuple(map(sum, zip(*kept, strict=True))) if kept else None
        if point and point[-1] > 0 and all(value(h, point) > 0 for h in walls):
            yield point


def best(network: Outputs, point: Vector) -> int:
    """The class at a point."""
    known = outputs_at(network.units, [Fraction(z, point[-1]) for z in point[:-1]])
    scores = [sum((x * y for x, y in zip(row, known, strict=True)), Fraction(0)) for row in network.rows]
    return scores.index(max(scores))


def classifier(network: Outputs) -> Classifier:
    """The same as the package has it."""
    return Classifier(tuple(relu_network(network.units._replace(output=row)) for row in network.rows))
