"""Which part of a plane a picture shows: where the corners of the boundary lie, as far as one picture can show them."""

from collections.abc import Callable, Iterator, Sequence
from itertools import combinations

import numpy as np

from lpnet.exact import FloatArray, Form, Point
from lpnet.plots.plane import Edge, Polygon
from lpnet.plots.slices import Slice

View = tuple[float, float, float, float]

FEW = 3  # corners; where there are fewer, lines count too
MOST_WINDOWS = 64
VISIBLE = 0.05, 0.25  # of the width of a window: the length of an edge that is seen; that of all together
MARGIN = 0.35
FINEST = 2.0**-40  # of the distance from 0: less is hard to tell apart in floats
STRETCHED = 4.0  # times as much spread along one axis, and the axes get scales of their own
LONG = 1e3  # times as long as all windows are wide: an edge without end


def chosen_window(
    boundary: dict[Form, list[Edge]], lines: Sequence[Form], finite: Callable[[Point], bool], place: Slice
) -> View:
    """x_min, x_max, y_min, y_max of the window that shows most of a boundary, given by half-plane.

    The windows grow corner by corner. That is taken in which most half-planes have an edge long enough to be seen; of equal
    ones the largest. Where there are few corners the crossings of the lines are taken in too, and else their points nearest
    to 0. `finite` tells corners from ends of edges without end. Raises ArithmeticError beyond float64.
    """
    corners = {rounded(end) for edges in boundary.values() for edge in edges for end in edge if finite(end)}
    around = corners if len(corners) >= FEW else corners | set(crossings(lines))
    around = around if len(around) > 1 else around | set(map(nearest, [*boundary, *lines]))
    points = np.array(sorted(around) or [(0.0, 0.0)])
    if place.flat:
        points = np.unique(points * (1.0, 0.0), axis=0)
        edges = np.column_stack([np.arange(len(points) - 1), points[:-1], points[1:]])
    else:
        edges = segments(boundary, finite, LONG * np.abs(points).max())
    scale = scales(points, place.one_scale)
    windows = [window(some, scale, place.flat) for some in growing(points, scale)]
    enough = min(VISIBLE[0], VISIBLE[1] / (len(boundary) or 1))

    def seen(view: View) -> int:
        lengths = lengths_within(edges[:, 1:3], edges[:, 3:], np.array(view[::2]), np.array(view[1::2]))
        return len(set(edges[lengths > enough, 0].tolist()))

    return max(reversed(windows), key=seen)


def scales(points: FloatArray, one: bool) -> FloatArray:
    """How much points spread along either axis, (2,), far ones aside; the same for both if the picture is to have one scale."""
    apart = np.abs(points - np.median(points, axis=0))
    spread = np.array([np.median(column[column > 0]) if column.any() else 0.0 for column in apart.T])
    if one or len(points) < FEW or spread.max() <= STRETCHED * spread.min() or not spread.min():
        spread[:] = spread.max() or 1.0
    return spread


def growing(points: FloatArray, scale: FloatArray) -> Iterator[FloatArray]:
    """More and more of some points, all of them at last, those nearest to the median first."""
    order = (np.abs(points - np.median(points, axis=0)) / scale).max(axis=1).argsort(kind="stable")
    for count in np.unique(np.linspace(min(2, len(points)), len(points), MOST_WINDOWS).round().astype(int)):
        yield points[order[:count]]


def window(points: FloatArray, scale: FloatArray, flat: bool) -> View:
    """Around some points, with a margin; as many times as wide as high as the scales say."""
    low, high = points.min(axis=0), points.max(axis=0)
    middle = (low + high) / 2
    size = scale * ((high - low) / scale).max()
    size = size if size.any() else np.full(2, max(1.0, np.abs(middle).max()))
    half_size = np.maximum(size, FINEST * np.abs(middle).max()) * (0.5 + MARGIN)
    if flat:
        half_size[1] = 1.0
    return limits(middle - half_size, middle + half_size)


def segments(boundary: dict[Form, list[Edge]], finite: Callable[[Point], bool], long: float) -> FloatArray:
    """The number of its half-plane, the start and the end of every edge, (m, 5); edges without end end after `long`."""
    rows = []
    for owner, (h, edges) in enumerate(boundary.items()):
        v = np.array([h[1] / max(map(abs, h[:2])), -h[0] / max(map(abs, h[:2]))])  # along the edges, h being to their left
        for edge in edges:
            start, end = (np.array(rounded(at)) if finite(at) else None for at in edge)
            base = start if start is not None else end if end is not None else np.array(nearest(h))
            rows.append((owner, *(base - long * v if start is None else start), *(base + long * v if end is None else end)))
    return np.array(rows).reshape(-1, 5)


def lengths_within(starts: FloatArray, ends: FloatArray, low: FloatArray, high: FloatArray) -> FloatArray:
    """The lengths of segments (m, 2), (m, 2) in a window, this being 1 wide and 1 high."""
    with np.errstate(all="ignore"):  # along an axis it is ±inf, which is right, or on the rim NaN, which counts as no limit
        along = ends - starts
        enter, leave = (low - starts) / along, (high - starts) / along
    first = np.fmax.reduce(np.fmin(enter, leave), axis=1, initial=0.0)
    last = np.fmin.reduce(np.fmax(enter, leave), axis=1, initial=1.0)
    return np.asarray(np.maximum(last - first, 0.0) * np.hypot(*(along / (high - low)).T), dtype=np.float64)


def crossings(lines: Sequence[Form]) -> Iterator[tuple[float, float]]:
    """Of lines, pairwise."""
    for (a, b, c), (d, e, f) in combinations(lines, 2):
        q = a * e - b * d
        if q:
            yield rounded(((b * f - c * e) * (q // abs(q)), (c * d - a * f) * (q // abs(q)), abs(q)))


def around_polygon(polygon: Polygon) -> View:
    """The limits of a polygon."""
    points = np.array([rounded(corner) for corner in polygon])
    return limits(points.min(axis=0), points.max(axis=0))


def limits(low: FloatArray, high: FloatArray) -> View:
    """x_min, x_max, y_min, y_max."""
    return float(low[0]), float(high[0]), float(low[1]), float(high[1])


def rounded(at: Point) -> tuple[float, float]:
    """A point in floats."""
    return at[0] / at[2], at[1] / at[2]


def nearest(line: Form) -> tuple[float, float]:
    """The point of a line that is nearest to 0."""
    a, b, c = line
    return rounded((-a * c, -b * c, a * a + b * b))
