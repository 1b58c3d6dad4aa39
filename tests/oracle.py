"""The needed half-spaces of a network of any depth by exact brute force, for small networks: an outside oracle.

Nothing is shared with the package but the fields of its input types, and no linear program is solved. The units cut R^d one
after another; every cell is kept as a cone over its vertices, rays and lines (double description in integers), every unit is
an affine function on it, and the definition is read off: the sign of an affine function on a cell is its sign on the cell's
generators.

A point x is (x, 1) up to a positive factor, a direction is (x, 0), an affine function h(x) = v·x + c is (v_1, …, v_d, c).
"""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from math import gcd, lcm
from typing import NamedTuple

import numpy as np

from lpnet.networks import Polyhedron, ReLUNetwork

Vector = tuple[int, ...]
Row = list[Fraction]


class Units(NamedTuple):
    """A network as its units in order: unit k is R(row k · (x_1, …, x_d, 1, units 0 … k − 1)), f the output row likewise."""

    inputs: int
    rows: list[Row]
    output: Row


class Ray(NamedTuple):
    """A generator, and the constraints of its cone that it lies on (a bit set)."""

    vector: Vector
    tight: int


class Cone(NamedTuple):
    """All sums of the lines (either way) and of the rays, full-dimensional: where every wall is ≥ 0, and t ≥ 0."""

    lines: list[Vector]
    rays: list[Ray]
    walls: tuple[Vector, ...]


class Cell(NamedTuple):
    """A full-dimensional cell: which units are active (z > 0), its closure, and on it the affine functions that are the inputs,
    the constant 1, what every unit gives out (up to a positive factor of the unit's own) and, at the end, f."""

    pattern: tuple[bool, ...]
    forms: list[Vector]
    cone: Cone

    @property
    def f(self) -> Vector:
        """f up to a positive factor common to all cells."""
        return self.forms[-1]


class Answer(NamedTuple):
    """What `solve` finds: the half-spaces, constant sign and regularity (see `needed_halfspaces`, `constant_sign`, `regular`),
    the number of cells, and of each piece the pattern of the one cell that carries it."""

    halfspaces: set[Vector]
    constant: int | None
    regular: bool
    cells: int
    pieces: set[tuple[bool, ...]]


Domain = Polyhedron | Sequence[Vector] | None  # {x: h(x) > 0 for every h}, with an interior


def needed_halfspaces(network: Units | ReLUNetwork, domain: Domain = None) -> set[Vector]:
    """The half-spaces {v·x + c ≥ 0} that carry a boundary piece, f ≥ 0 on that side, as primitive integers (v, c)."""
    return solve(network, domain).halfspaces


def constant_sign(network: Units | ReLUNetwork, domain: Domain = None) -> int | None:
    """+1 where f ≥ 0 everywhere, −1 where f < 0 off a set without interior, None where a half-space is needed."""
    return solve(network, domain).constant


def regular(network: Units | ReLUNetwork, domain: Domain = None) -> bool:
    """Whether {f ≥ 0} is the closure of its interior (all inside the open domain)."""
    return solve(network, domain).regular


def solve(network: Units | ReLUNetwork, domain: Domain = None) -> Answer:
    """Cells, then the two kinds of boundary pieces.

    A cell carries one piece at most: f vanishes there on one hyperplane, and the cell's closure is convex.
    """
    units = exact_units(network)
    walls = domain_forms(domain, units.inputs)
    cells = cells_of(units, walls)
    carriers = [*filter(crosses, cells), *kinks(cells, walls)]
    constant = None if carriers else constant_on(cells)
    halfspaces = {primitive(cell.f) for cell in carriers}
    return Answer(halfspaces, constant, is_regular(cells, walls), len(cells), {cell.pattern for cell in carriers})


def exact_value(network: Units | ReLUNetwork, point: Sequence[Fraction]) -> Fraction:
    """f(x), exactly."""
    return dot(exact_units(network).output, outputs_at(network, point))


def outputs_at(network: Units | ReLUNetwork, point: Sequence[Fraction]) -> Row:
    """x, 1 and what every unit gives out at x."""
    known = [*point, Fraction(1)]
    for row in exact_units(network).rows:
        known.append(max(dot(row, known), Fraction(0)))
    return known


def dot(left: Sequence[Fraction], right: Sequence[Fraction]) -> Fraction:
    """The inner product."""
    return sum((x * y for x, y in zip(left, right, strict=True)), Fraction(0))


# --- the network in integers


def exact_units(network: Units | ReLUNetwork) -> Units:
    """The units of a ReLUNetwork without a front, level by level; their columns are the inputs' first."""
    if isinstance(network, Units):
        return network
    inputs = network.hidden_weight.shape[1]
    rows = []
    for layer in (network.input_layer, *network.deeper):
        table = np.insert(layer.weight.astype(object), inputs, layer.bias, axis=1).tolist()
        rows += [[Fraction(z) for z in row] + [Fraction(0)] * k for k, row in enumerate(table)]
    skip = [0] * inputs if network.skip is None else network.skip
    return Units(inputs, rows, [Fraction(z) for z in (*skip, network.output_bias, *network.output_weight)])


def integer_rows(units: Units) -> list[list[int]]:
    """The rows and the output row in integers, for units that give out positive multiples of what they did."""
    scales = [1] * (units.inputs + 1)
    rows = []
    for row in [*units.rows, units.output]:
        exact = [z / scale for z, scale in zip(row, scales, strict=True)]
        scales.append(lcm(*(z.denominator for z in exact)))
        rows.append([int(z * scales[-1]) for z in exact])
    return rows


def to_integers(row: Sequence[float]) -> Vector:
    """The row times a positive number."""
    exact = [Fraction(z) for z in row]
    scale = lcm(*(z.denominator for z in exact))
    return tuple(int(z * scale) for z in exact)


def primitive(vector: Vector) -> Vector:
    """The vector divided by the greatest common divisor; orientation kept."""
    divisor = gcd(*vector)
    return tuple(z // divisor for z in vector) if divisor > 1 else tuple(vector)


def domain_forms(domain: Domain, inputs: int) -> list[Vector]:
    """The affine functions that are positive exactly inside the domain."""
    return [*domain.forms] if isinstance(domain, Polyhedron) else list(domain or [])


# --- cells


def value(form: Vector, at: Vector) -> int:
    """h at a point or along a direction, up to the point's positive factor."""
    return sum(h * x for h, x in zip(form, at, strict=True))


def combine(p: int, first: Vector, q: int, second: Vector) -> Vector:
    """p·first + q·second, divided by the greatest common divisor."""
    return primitive(tuple(p * x + q * y for x, y in zip(first, second, strict=True)))


def cells_of(units: Units, walls: Sequence[Vector]) -> list[Cell]:
    """Every cell inside the walls: one unit cuts after another."""
    whole = [tuple(int(i == j) for j in range(units.inputs + 1)) for i in range(units.inputs + 1)]
    cone: Cone | None = Cone(whole[:-1], [Ray(whole[-1], 0)], ())
    for wall in walls:
        cone = cone and half(cone, wall)
    cells = [Cell((), whole, cone)] if cone else []
    *rows, output = integer_rows(units)
    for row in rows:
        cells = [part for cell in cells for part in split(cell, row)]
    return [cell._replace(forms=[*cell.forms, total(output, cell.forms)]) for cell in cells]


def split(cell: Cell, row: list[int]) -> Iterator[Cell]:
    """The parts of the cell where a unit is active and where it is not; one that is 0 throughout is not."""
    z = total(row, cell.forms)
    nothing = tuple(0 for _ in z)
    for active, form in ((True, z), (False, tuple(-c for c in z))):
        cone = half(cell.cone, primitive(form)) if any(z) else (None if active else cell.cone)
        if cone:
            yield Cell((*cell.pattern, active), [*cell.forms, z if active else nothing], cone)


def total(row: list[int], forms: list[Vector]) -> Vector:
    """The sum of the forms, weighted."""
    terms = [(c, form) for c, form in zip(row, forms, strict=True) if c]
    return tuple(sum(c * form[i] for c, form in terms) for i in range(len(forms[0])))


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
    new = 2 << len(cone.walls)
    others = [other for other in cone.lines if other not in (line, tuple(-z for z in line))]
    lines = [combine(height, other, -value(form, other), line) for other in others]
    rays = [Ray(combine(height, ray, -value(form, ray), line), tight | new) for ray, tight in cone.rays]
    return Cone(lines, [*rays, Ray(line, new - 1)], (*cone.walls, form))


def half_by_rays(cone: Cone, form: Vector, heights: list[int]) -> Cone:
    """`half` where h is 0 on every line: keep the rays with h ≥ 0 and cut every edge that h = 0 crosses.

    A sum of two rays lies exactly on the constraints common to both. Modulo the lines the cone is pointed, so its extreme
    rays are those that lie on a maximal set of constraints, and different ones lie on different sets.
    """
    new = 2 << len(cone.walls)
    rays = list(zip(cone.rays, heights, strict=True))
    kept = {ray.tight | (new if h == 0 else 0): ray.vector for ray, h in rays if h >= 0}
    crossed = {up.tight & down.tight | new: (p, up, q, down) for up, p in rays if p > 0 for down, q in rays if q < 0}
    everything = [*kept, *crossed]
    for tight, (p, up, q, down) in crossed.items():
        if tight not in kept and not any(tight & other == tight != other for other in everything):
            kept[tight] = combine(-q, up.vector, p, down.vector)
    return Cone(cone.lines, [Ray(vector, tight) for tight, vector in kept.items()], (*cone.walls, form))


def interior(cone: Cone) -> Vector:
    """A point in the interior."""
    return tuple(sum(column) for column in zip(*(ray.vector for ray in cone.rays), strict=True))


# --- the definition


def signs(form: Vector, cone: Cone) -> set[int]:
    """The signs that h takes on the cone's generators; a line goes both ways."""
    heights = [value(form, ray.vector) for ray in cone.rays]
    along = [value(form, line) for line in cone.lines]
    return {(h > 0) - (h < 0) for h in [*heights, *along, *(-h for h in along)]}


def crosses(cell: Cell) -> bool:
    """Whether a piece lies inside the open cell: f takes both signs there."""
    return {1, -1} <= signs(cell.f, cell.cone)


def kinks(cells: list[Cell], walls: Sequence[Vector]) -> Iterator[Cell]:
    """Cells before a piece that lies between two cells: f = 0 on the common facet, < 0 before it, ≥ 0 behind.

    Around a point inside a face of a cell, the cells are cones, and convex. If there is only one beside this cell, both are
    half-spaces and the face is a facet; if there are more, the face is smaller, as two half-spaces fill R^d already.
    """
    for cell in cells:
        point = touching_point(cell, walls)
        beyond = [other for other in cells if other is not cell and reaches(other, point)] if point else []
        if len(beyond) == 1 and -1 not in signs(beyond[0].f, beyond[0].cone):
            yield cell


def facet(cone: Cone, form: Vector) -> Cone:
    """The face of the cone on {h = 0}, where the cone lies on one side of it."""
    return cone._replace(rays=[ray for ray in cone.rays if value(form, ray.vector) == 0])


def constant_on(cells: list[Cell]) -> int:
    """The sign of f off a set without interior, where no half-space is needed."""
    negative = [-1 in signs(cell.f, cell.cone) for cell in cells]
    if any(negative) != all(negative):
        raise AssertionError("f < 0 on one cell and f ≥ 0 on another, but no boundary piece between")
    return -1 if any(negative) else 1


def is_regular(cells: list[Cell], walls: Sequence[Vector]) -> bool:
    """Whether {f ≥ 0} is the closure of its interior.

    The closure of the interior is the union of {f ≥ 0} over the cells where that has an interior. On another cell it is the
    face {f = 0}; a point inside that face must lie in the closure of a cell of the first kind, and then the whole face does:
    near all points inside a face of a cell the network is the same but for a shift along the face, by induction over the units.
    """
    thick = [cell for cell in cells if 1 in signs(cell.f, cell.cone) or not any(cell.f)]
    touching = (touching_point(cell, walls) for cell in cells)
    return all(any(reaches(other, point) for other in thick) for point in touching if point)


def touching_point(cell: Cell, walls: Sequence[Vector]) -> Vector | None:
    """A point inside the face {f = 0} of a cell with f ≤ 0, f ≢ 0; None if there is none, or at infinity or in a wall only."""
    if 1 in signs(cell.f, cell.cone) or not any(cell.f):
        return None
    face = facet(cell.cone, cell.f)
    point = interior(face) if face.rays else None
    return point if point and point[-1] > 0 and all(value(wall, point) > 0 for wall in walls) else None


def reaches(cell: Cell, point: Vector) -> bool:
    """Whether the cell's closure contains the point."""
    return all(value(wall, point) >= 0 for wall in cell.cone.walls)
