"""Polygons and lines in the plane, exactly: what a picture shows is decided in integers, only the drawing is rounded.

Points are (X, Y, q), q > 0, for (X/q, Y/q), and forms (v1, v2, c), see `lpnet.exact`; a polygon is convex, its corners
counterclockwise.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from lpnet.exact import Form, Point, add, primitive, times, value

Polygon = tuple[Point, ...]
Edge = tuple[Point, Point]


def square(half: int) -> Polygon:
    """|x|, |y| ≤ half."""
    return ((-half, -half, 1), (half, -half, 1), (half, half, 1), (-half, half, 1))


def reach(sizes: Iterable[int]) -> int:
    """A square of half this width encloses all intersections of lines {h = 0} with no integer larger than all sizes together.

    Cramer's rule: a coordinate of an intersection is a quotient of 2 × 2 determinants of integers, the lower one at least 1.
    """
    largest = sum(sizes)
    return 2 * largest * largest + 2


def cut(polygon: Polygon, form: Form) -> tuple[Polygon, Polygon]:
    """The parts of a polygon where the form is ≥ 0 and where it is ≤ 0; a part without interior is ()."""
    values = [value(form, corner) for corner in polygon]
    if not polygon or min(values) >= 0:
        return polygon, ()
    if max(values) <= 0:
        return (), polygon
    above, below = [], []
    for here, v, there, w in zip(polygon, values, polygon[1:] + polygon[:1], values[1:] + values[:1], strict=True):
        if v >= 0:
            above.append(here)
        if v <= 0:
            below.append(here)
        if v * w < 0:
            crossing = primitive(add(times(abs(w), here), times(abs(v), there)))
            above.append(crossing)
            below.append(crossing)
    return tuple(above), tuple(below)


def clipped(polygon: Polygon, forms: Iterable[Form]) -> Polygon:
    """The part of a polygon where all forms are ≥ 0."""
    for form in forms:
        polygon = cut(polygon, form)[0]
    return polygon


def cells(polygon: Polygon, lines: Sequence[Form]) -> Iterator[Polygon]:
    """The cells of an arrangement of lines within a polygon; only the lines that meet a part are handed on to it."""
    waiting = [(polygon, list(lines))]
    while waiting:
        part, crossing = waiting.pop()
        halves: tuple[Polygon, Polygon] = (part, ())
        while crossing and not halves[1]:
            middle = crossing.pop(len(crossing) // 2)
            halves = cut(part, middle)
            halves = halves if halves[0] else (halves[1], ())
        if not halves[1]:
            yield part
            continue
        for half in halves:
            waiting.append((half, [line for line in crossing if meets(half, line)]))


def meets(polygon: Polygon, line: Form) -> bool:
    """Whether a line runs through the interior of a polygon."""
    values = [value(line, corner) for corner in polygon]
    return min(values) < 0 < max(values)


def centre(polygon: Polygon) -> Point:
    """A point in the interior: the mean of the corners, weighted by their denominators."""
    total = polygon[0]
    for corner in polygon[1:]:
        total = add(total, corner)
    return total


def outline(polygons: Iterable[Polygon]) -> list[Edge]:
    """The edges of a union of cells, or of parts of cells cut alike along common edges; the union lies to their left."""
    edges: set[Edge] = set()
    for polygon in polygons:
        for here, there in zip(polygon, polygon[1:] + polygon[:1], strict=True):
            if (there, here) in edges:
                edges.remove((there, here))
            else:
                edges.add((here, there))
    return sorted(edges)


def loops(edges: Iterable[Edge]) -> list[Polygon]:
    """Edges as closed curves."""
    onward: dict[Point, list[Point]] = defaultdict(list)
    for here, there in edges:
        onward[here].append(there)
    found = []
    while onward:
        at = next(iter(onward))
        loop = []
        while at in onward:
            loop.append(at)
            ends = onward[at]
            following = ends.pop()
            if not ends:
                del onward[at]
            at = following
        found.append(tuple(loop))
    return found


def to_the_left(edge: Edge) -> Form:
    """The half-plane {h ≥ 0} to the left of an edge, in the shortest integers: h(x) is the determinant of (here, there, x)."""
    (a, b, c), (d, e, f) = edge
    return primitive((b * f - c * e, c * d - a * f, a * e - b * d))


def sides(polygon: Polygon) -> list[Form]:
    """The half-planes whose intersection it is."""
    return [to_the_left(side) for side in zip(polygon, polygon[1:] + polygon[:1], strict=True)]


def chord(polygon: Polygon, line: Form) -> Edge | None:
    """The part of a line that runs through the interior of a polygon."""
    above, below = cut(polygon, line)
    ends = [corner for corner in above if corner in below]
    return (ends[0], ends[1]) if len(ends) == 2 else None
