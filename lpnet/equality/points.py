"""Points of difference: where to look for them first, how to write them shortly and exactly."""

import itertools
import math
from collections.abc import Iterator
from fractions import Fraction

import numpy as np
from flint import fmpz

from lpnet.exact import FloatArray, Point, coordinates, point, value
from lpnet.networks import Polyhedron
from lpnet.regions.reasons import ABOVE, BELOW, ON, Network
from lpnet.regions.search import Difference, within

SAMPLES = 512  # points tried at each of the scales
SCALES = 10.0 ** np.arange(-3, 4)
ENOUGH = 8  # differences at random points, most of which have an open set around them
NEIGHBOURS = 256  # float64 points tried around one that is none
FINEST, FINEST_TIE = 1200, 64  # bits after the binary point: float64 has no more than 1074; ties tend to be short or no floats


def suspects(network_a: Network, network_b: Network, domain: Polyhedron) -> Iterator[Point]:
    """A few random points inside the domain at which the networks differ."""
    points = random_points(domain)
    walls = domain.inequalities()
    for x in points[network_a(points) != network_b(points)][:ENOUGH]:
        at = point(x)
        if all(value(h, at) > 0 for h in walls):
            yield at


def random_points(domain: Polyhedron) -> FloatArray:
    """Points at several scales about the origin, or all over the bounds of the domain; not all of them lie inside."""
    random = np.random.default_rng(2016)
    points = np.concatenate([scale * random.normal(size=(SAMPLES, domain.inputs)) for scale in SCALES])
    below, above = np.isfinite(domain.lower), np.isfinite(domain.upper)
    lower, upper = np.where(below, domain.lower, 0.0), np.where(above, domain.upper, 0.0)
    share = random.uniform(size=points.shape)
    half_open = np.where(below, lower + abs(points), np.where(above, upper - abs(points), points))
    return np.where(below & above, (1 - share) * lower + share * upper, half_open)


def shortest(difference: Difference) -> Point:
    """A point of the difference with as few binary digits as can be had near the one found, a float64 point if possible.

    Where there is an open set of difference, inside it; rounded to ever more bits, the point found is there in the end.
    """
    exact = coordinates(difference.point)
    allowed = ABOVE | BELOW | (0 if difference.open else ON)
    region = {form: sides & allowed for form, sides in difference.region.items()}
    finest = FINEST if difference.open else FINEST_TIE
    short = (tuple(Fraction(round(x * 2**bits), 2**bits) for x in exact) for bits in range(finest))
    shortened = next((x for x in short if within(region, as_point(x))), exact)
    floats = (x for x in itertools.chain([shortened], neighbours(exact)) if all(map(is_float, x)))
    return as_point(next((x for x in floats if within(region, as_point(x))), shortened))


def is_float(x: Fraction) -> bool:
    """Whether a number is a float64."""
    try:
        return Fraction(float(x)) == x
    except OverflowError:
        return False


def neighbours(x: tuple[Fraction, ...]) -> Iterator[tuple[Fraction, ...]]:
    """Some of the float64 points nearest to a point, coordinates rounded up or down."""
    try:
        nearest = [float(z) for z in x]
    except OverflowError:
        return
    others = [math.nextafter(near, math.inf if z > near else -math.inf) for near, z in zip(nearest, x, strict=True)]
    corners = itertools.product(*zip(nearest, others, strict=True))
    for corner in itertools.islice(corners, NEIGHBOURS):
        if np.isfinite(corner).all():
            yield tuple(map(Fraction, corner))


def as_point(x: tuple[Fraction, ...]) -> Point:
    """The point with these coordinates."""
    q = math.lcm(*(z.denominator for z in x))
    return (*(int(z * q) for z in x), q)


def digits(x: Fraction) -> str:
    """All decimal digits of a number, or a fraction where they never end."""
    places = x.denominator.bit_length() - 1
    if x.denominator != 1 << places:
        return f"{fmpz(x.numerator)}/{fmpz(x.denominator)}"
    whole = str(fmpz(abs(x.numerator) * 5**places)).rjust(places + 1, "0")  # Python's own are slow, and have a limit
    text = f"{whole[:-places]}.{whole[-places:]}" if places else whole
    return "-" * (x < 0) + text
