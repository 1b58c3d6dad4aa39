"""The needed half-spaces of a network by exact brute force, for small networks: an outside oracle.

Nothing is shared with the package but the two input types, and no linear program is solved. Every cell of the arrangement
of the hyperplanes {a_k = 0} is kept as a cone over its vertices, rays and lines (double description in integers), and the
definition is read off them: the sign of an affine function on a cell is its sign on the cell's generators.

A point x is (x, 1) up to a positive factor, a direction is (x, 0), an affine function h(x) = v·x + c is (v_1, …, v_d, c).
"""

from collections.abc import Iterator
from fractions import Fraction
from math import gcd, lcm
from typing import NamedTuple

import numpy as np

from lpnet.networks import Polyhedron, ReLUNetwork

Vector = tuple[int, ...]


class Ray(NamedTuple):
    """A generator, and the constraints of its cone that it lies on (a bit set)."""

    vector: Vector
    tight: int


class Cone(NamedTuple):
    """All sums of the lines (either way) and of the rays, full-dimensional; `constraints` counts the inequalities so far."""

    lines: list[Vector]
    rays: list[Ray]
    constraints: int


class Cell(NamedTuple):
    """A full-dimensional cell: its side (±1) of every hyperplane, f on it as an affine function, and its closure."""

    sides: Vector
    f: Vector
    cone: Cone


class Answer(NamedTuple):
    """What `solve` finds; see `needed_halfspaces`, `constant_sign` and `regular`."""

    halfspaces: set[Vector]
    constant: int | None
    regular: bool


def needed_halfspaces(network: ReLUNetwork, box: Polyhedron | None = None) -> set[Vector]:
    """The half-spaces {v·x + c ≥ 0} that carry a boundary piece, f ≥ 0 on that side, as primitive integers (v, c)."""
    return solve(network, box).halfspaces


def constant_sign(network: ReLUNetwork, box: Polyhedron | None = None) -> int | None:
    """+1 where f ≥ 0 everywhere, −1 where f < 0 off a set without interior, None where a half-space is needed."""
    return solve(network, box).constant


def regular(network: ReLUNetwork, box: Polyhedron | None = None) -> bool:
    """Whether {f ≥ 0} is the closure of its interior (all inside the open box)."""
    return solve(network, box).regular


def solve(network: ReLUNetwork, box: Polyhedron | None = None) -> Answer:
    """Cells, then the two kinds of boundary pieces."""
    units, bias = scaled_units(network)
    walls = box_forms(box, network.inputs)
    planes = hyperplanes(units)
    cells = [
        Cell(sides, active_sum(units, bias, interior(cone)), cone) for sides, cone in arrangement(network.inputs, planes, walls)
    ]
    halfspaces = set(crossings(cells)) | set(kinks(cells, planes))
    constant = None if halfspaces else constant_on(cells)
    return Answer(halfspaces, constant, is_regular(cells, planes, walls))


def exact_value(network: ReLUNetwork, point: list[Fraction]) -> Fraction:
    """f(x), exactly."""
    total = Fraction(network.output_bias)
    for row, b, w in zip(network.hidden_weight, network.hidden_bias, network.output_weight, strict=True):
        a = sum((Fraction(u) * x for u, x in zip(row.tolist(), point, strict=True)), Fraction(float(b)))
        total += Fraction(float(w)) * max(a, Fraction(0))
    return total


# --- the network in integers


def scaled_units(network: ReLUNetwork) -> tuple[list[tuple[Vector, Vector]], int]:
    """Per unit a_k up to a positive factor, and w_k a_k; w0; the last two times one positive number common to all."""
    rows = np.column_stack([network.hidden_weight, network.hidden_bias]).tolist()
    terms = [[Fraction(w) * Fraction(z) for z in row] for row, w in zip(rows, network.output_weight.tolist(), strict=True)]
    w0 = Fraction(network.output_bias)
    scale = lcm(w0.denominator, *(z.denominator for term in terms for z in term))
    units = [(primitive(to_integers(row)), tuple(int(z * scale) for z in term)) for row, term in zip(rows, terms, strict=True)]
    return units, int(w0 * scale)


def to_integers(row: list[float]) -> Vector:
    """The row times a positive number."""
    exact = [Fraction(z) for z in row]
    scale = lcm(*(z.denominator for z in exact))
    return tuple(int(z * scale) for z in exact)


def primitive(vector: Vector) -> Vector:
    """The vector divided by the greatest common divisor; orientation kept."""
    divisor = gcd(*vector)
    return tuple(z // divisor for z in vector) if divisor > 1 else tuple(vector)


def hyperplanes(units: list[tuple[Vector, Vector]]) -> list[Vector]:
    """The distinct hyperplanes {a_k = 0}; a unit with u_k = 0 has none, one with w_k = 0 is kept (it does no harm)."""
    proper = [a for a, _ in units if any(a[:-1])]
    return list(dict.fromkeys(max(a, tuple(-z for z in a)) for a in proper))


def box_forms(box: Polyhedron | None, inputs: int) -> list[Vector]:
    """The affine functions that are positive exactly inside the box."""
    forms = []
    for i, (lower, upper) in enumerate(zip(box.lower.tolist(), box.upper.tolist(), strict=True) if box else []):
        for side, bound in ((1.0, lower), (-1.0, upper)):
            if np.isfinite(bound):
                forms.append(to_integers([side * (j == i) for j in range(inputs)] + [-side * bound]))
    return forms


def active_sum(units: list[tuple[Vector, Vector]], bias: int, at: Vector) -> Vector:
    """f near a point on no {a_k = 0}: w0 plus the units active there."""
    active = [term for a, term in units if value(a, at) > 0]
    constant = (*(0 for _ in at[1:]), bias)
    return tuple(sum(column) for column in zip(constant, *active, strict=True))


# --- cells


def value(form: Vector, at: Vector) -> int:
    """h at a point or along a direction, up to the point's positive factor."""
    return sum(h * x for h, x in zip(form, at, strict=True))


def combine(p: int, first: Vector, q: int, second: Vector) -> Vector:
    """p·first + q·second, divided by the greatest common divisor."""
    return primitive(tuple(p * x + q * y for x, y in zip(first, second, strict=True)))


def arrangement(inputs: int, planes: list[Vector], walls: list[Vector]) -> list[tuple[Vector, Cone]]:
    """Every cell of the hyperplanes inside the walls: its sides and its closure, one hyperplane cut after another."""
    unit = [tuple(int(i == j) for j in range(inputs + 1)) for i in range(inputs + 1)]
    cells: list[tuple[Vector, Cone]] = [((), Cone(unit[:-1], [Ray(unit[-1], 0)], 1))]
    for wall in walls:
        cells = [(sides, part) for sides, cone in cells if (part := half(cone, wall))]
    for plane in planes:
        opposite = tuple(-z for z in plane)
        cut = [((*sides, side), half(cone, h)) for sides, cone in cells for side, h in ((1, plane), (-1, opposite))]
        cells = [(sides, part) for sides, part in cut if part]
    return cells


def half(cone: Cone, form: Vector) -> Cone | None:
    """The part of the cone with h ≥ 0; None if that part has no interior."""
    crossing = next((line for line in cone.lines if value(form, line)), None)
    if crossing is not None:
        return half_by_line(cone, form, crossing)
    heights = [value(form, ray.vector) for ray in cone.rays]
    if max(heights) <= 0:
        return None
    return half_by_rays(cone, form, heights)


def half_by_line(cone: Cone, form: Vector, line: Vector) -> Cone:
    """`half` where h varies along a line: that line becomes a ray, everything else is moved along it into {h = 0}."""
    height = value(form, line)
    if height < 0:
        height, line = -height, tuple(-z for z in line)
    new = 1 << cone.constraints
    others = [other for other in cone.lines if other not in (line, tuple(-z for z in line))]
    lines = [combine(height, other, -value(form, other), line) for other in others]
    rays = [Ray(combine(height, ray, -value(form, ray), line), tight | new) for ray, tight in cone.rays]
    return Cone(lines, [*rays, Ray(line, new - 1)], cone.constraints + 1)


def half_by_rays(cone: Cone, form: Vector, heights: list[int]) -> Cone:
    """`half` where h is 0 on every line: keep the rays with h ≥ 0 and cut every edge that h = 0 crosses.

    A sum of two rays lies exactly on the constraints common to both. Modulo the lines the cone is pointed, so its extreme
    rays are those that lie on a maximal set of constraints, and different ones lie on different sets.
    """
    new = 1 << cone.constraints
    rays = list(zip(cone.rays, heights, strict=True))
    kept = {ray.tight | (new if h == 0 else 0): ray.vector for ray, h in rays if h >= 0}
    crossed = {up.tight & down.tight | new: (p, up, q, down) for up, p in rays if p > 0 for down, q in rays if q < 0}
    everything = [*kept, *crossed]
    for tight, (p, up, q, down) in crossed.items():
        if tight not in kept and not any(tight & other == tight != other for other in everything):
            kept[tight] = combine(-q, up.vector, p, down.vector)
    return Cone(cone.lines, [Ray(vector, tight) for tight, vector in kept.items()], cone.constraints + 1)


def interior(cone: Cone) -> Vector:
    """A point in the interior."""
    return tuple(sum(column) for column in zip(*(ray.vector for ray in cone.rays), strict=True))


# --- the definition


def signs(form: Vector, cone: Cone) -> set[int]:
    """The signs that h takes on the cone's generators; a line goes both ways."""
    heights = [value(form, ray.vector) for ray in cone.rays]
    along = [value(form, line) for line in cone.lines]
    return {(h > 0) - (h < 0) for h in [*heights, *along, *(-h for h in along)]}


def crossings(cells: list[Cell]) -> Iterator[Vector]:
    """Half-spaces of the pieces inside an open cell: f takes both signs there."""
    for cell in cells:
        if {1, -1} <= signs(cell.f, cell.cone):
            yield primitive(cell.f)


def kinks(cells: list[Cell], planes: list[Vector]) -> Iterator[Vector]:
    """Half-spaces of the pieces on a hyperplane between two cells: f = 0 on the common facet, < 0 before it, ≥ 0 behind.

    Two cells on different sides of just one hyperplane share a facet: a segment between generic points of theirs crosses it.
    """
    by_sides = {cell.sides: cell for cell in cells}
    for cell in cells:
        if 1 in signs(cell.f, cell.cone) or not any(cell.f):
            continue
        for k, plane in enumerate(planes):
            other = by_sides.get((*cell.sides[:k], -cell.sides[k], *cell.sides[k + 1 :]))
            if other and signs(cell.f, facet(cell.cone, plane)) == {0} and -1 not in signs(other.f, other.cone):
                yield primitive(cell.f)


def facet(cone: Cone, form: Vector) -> Cone:
    """The face of the cone on {h = 0}, where the cone lies on one side of it."""
    return cone._replace(rays=[ray for ray in cone.rays if value(form, ray.vector) == 0])


def constant_on(cells: list[Cell]) -> int:
    """The sign of f off a set without interior, where no half-space is needed."""
    negative = [-1 in signs(cell.f, cell.cone) for cell in cells]
    if any(negative) != all(negative):
        raise AssertionError("f < 0 on one cell and f ≥ 0 on another, but no boundary piece between")
    return -1 if any(negative) else 1


def is_regular(cells: list[Cell], planes: list[Vector], walls: list[Vector]) -> bool:
    """Whether {f ≥ 0} is the closure of its interior.

    The closure of the interior is the union of {f ≥ 0} over the cells where that has an interior. On another cell it is the
    face {f = 0}; a point inside that face must lie in the closure of a cell of the first kind, and then the whole face does.
    """
    thick = [cell for cell in cells if 1 in signs(cell.f, cell.cone) or not any(cell.f)]
    touching = (touching_point(cell, walls) for cell in cells if 1 not in signs(cell.f, cell.cone))
    return all(any(reaches(other, planes, point) for other in thick) for point in touching if point)


def touching_point(cell: Cell, walls: list[Vector]) -> Vector | None:
    """A point inside the face {f = 0} of a cell with f ≤ 0; None if the face is empty, at infinity or in the box's boundary."""
    face = facet(cell.cone, cell.f)
    point = interior(face) if face.rays else None
    return point if point and point[-1] > 0 and all(value(wall, point) > 0 for wall in walls) else None


def reaches(cell: Cell, planes: list[Vector], point: Vector) -> bool:
    """Whether the cell's closure contains the point."""
    return all(side * value(plane, point) >= 0 for side, plane in zip(cell.sides, planes, strict=True))
