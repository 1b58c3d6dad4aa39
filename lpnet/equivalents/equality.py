"""Are two networks the same function?"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

import numpy as np

from lpnet.boundary.pieces import Watch
from lpnet.equivalents.reasons import ABOVE, BELOW, ON, Network, Region, answer_at, reasons, values_at
from lpnet.equivalents.regions import Difference, Questions, compare, first_difference
from lpnet.errors import InputError, LpnetError, Stopped
from lpnet.exact import FloatArray, Form, Point, coordinates, point, sign, value
from lpnet.networks import Box, Domain, ReLUNetwork, SignCircuit, SignNetwork
from lpnet.networks.arrays import describe
from lpnet.networks.domain import as_domain

Verdict = Literal["equal", "different", "equal off ties", "undecided"]
SAMPLES = 512  # points tried at each of the scales
SCALES = 10.0 ** np.arange(-3, 4)
# Whose reasons are cut out first: those of few and global half-spaces before those that hold on one cell only.
ORDER = (SignNetwork, ReLUNetwork, SignCircuit)
FINEST = 1200  # bits after the binary point when a point is shortened; float64 has no more than 1074


@dataclass(frozen=True, eq=False)
class Comparison:
    """Whether two networks answer alike everywhere in a domain, with the evidence.

    verdict: "equal": everywhere, ties included; "different": on an open set around `point`; "equal off ties": at `point`, but
    on no open set; "undecided": the work was stopped, and no difference was found before.
    point: where they differ (see `lpnet.exact`), with their answers there; planes: the hyperplanes {g = 0} of a tie through
    that point, primitive integers; method: what decided; detail: what that means, in a few words; programs: how many linear
    programs were solved; seconds.
    """

    network_a: Network
    network_b: Network
    domain: Domain
    verdict: Verdict
    point: Point | None
    answer_a: int | None
    answer_b: int | None
    planes: tuple[Form, ...]
    method: str
    detail: str
    programs: int
    seconds: float

    @property
    def digits(self) -> tuple[str, ...]:
        """The coordinates of the point in full: decimal digits, or a fraction where these never end."""
        return tuple(map(digits, coordinates(self.point))) if self.point else ()


def equal(network_a: Network, network_b: Network, domain: Domain | None = None, watch: Watch | None = None) -> Comparison:
    """Decide in exact arithmetic whether two networks, of any kinds, are the same function inside a domain (default: R^d).

    Raises InputError for networks with different numbers of inputs.
    """
    started = time.perf_counter()
    check(network_a, network_b)
    domain = as_domain(domain, network_a.inputs)
    questions = Questions(domain)
    try:
        method, difference = decide(network_a, network_b, domain, questions, watch or Watch())
        verdict: Verdict = "equal" if difference is None else "different" if difference.open else "equal off ties"
        detail = EVIDENCE[verdict]
    except Stopped as reason:
        method, difference, verdict, detail = "regions", None, "undecided", str(reason)
    at = shortest(difference, inside=difference.open) if difference else None
    answer_a, answer_b = (answer_at(network, at) if at else None for network in (network_a, network_b))
    if at and answer_a == answer_b:
        raise LpnetError(f"both networks answer {answer_a} at what should be a point of difference; please report")
    planes = tuple(g for g in difference.region if value(g, at) == 0) if difference and at and not difference.open else ()
    seconds = time.perf_counter() - started
    return Comparison(
        network_a, network_b, domain, verdict, at, answer_a, answer_b, planes, method, detail, questions.asked, seconds
    )


EVIDENCE = {
    "equal": "proved, ties included",
    "different": "on an open set around the point",
    "equal off ties": "they differ at the point, but on no open set",
}


def check(network_a: Any, network_b: Any) -> None:
    """InputError where there is nothing to compare."""
    for name, network in (("first", network_a), ("second", network_b)):
        if not isinstance(network, ReLUNetwork | SignNetwork | SignCircuit):
            raise InputError(f"{name} network: wanted a ReLUNetwork, SignNetwork or SignCircuit, got {describe(network)}")
    if network_a.inputs != network_b.inputs:
        raise InputError(f"wanted networks with equally many inputs, got {network_a.inputs} and {network_b.inputs}")


def decide(
    network_a: Network, network_b: Network, domain: Domain, questions: Questions, watch: Watch
) -> tuple[str, Difference | None]:
    """The method that decided, and a difference if there is one."""
    a, b = (reasons(network, domain) for network in sorted((network_a, network_b), key=lambda n: ORDER.index(type(n))))
    for at in suspects(network_a, network_b, domain):
        difference, _ = compare(a, b, values_at(at), {}, questions)
        if difference and difference.open:
            return "samples", difference
    return "regions", first_difference(a, b, questions, watch)


def suspects(network_a: Network, network_b: Network, domain: Domain) -> Iterator[Point]:
    """A few random points inside the domain at which the networks differ."""
    points = random_points(domain)
    points = points[network_a(points) != network_b(points)]
    walls = domain.inequalities()
    for x in points[:8]:
        at = point(x)
        if all(value(h, at) > 0 for h in walls):
            yield at


def random_points(domain: Domain) -> FloatArray:
    """Points at several scales about the origin, or all over a box."""
    random = np.random.default_rng(2016)
    points = np.concatenate([scale * random.normal(size=(SAMPLES, domain.inputs)) for scale in SCALES])
    if isinstance(domain, Box):
        below, above = np.isfinite(domain.lower), np.isfinite(domain.upper)
        share = random.uniform(size=points.shape)
        with np.errstate(invalid="ignore", over="ignore"):
            inner = domain.lower + share * (domain.upper - domain.lower)
            points = np.where(below, domain.lower + abs(points), np.where(above, domain.upper - abs(points), points))
            points = np.where(below & above, inner, points)
    return points[np.isfinite(points).all(axis=1)]


def shortest(difference: Difference, inside: bool) -> Point:
    """A point of the difference with as few binary digits as can be had near the one found, a float64 point if possible."""
    exact = coordinates(difference.point)
    region = {form: sides & ~ON for form, sides in difference.region.items()} if inside else difference.region
    rounded = [tuple(map(nearest_float, exact))]
    short = (tuple(Fraction(round(x * 2**bits), 2**bits) for x in exact) for bits in range(FINEST if inside else 64))
    candidate = next((x for x in short if within(region, as_point(x))), exact)
    for x in (candidate, *rounded):
        if all(nearest_float(z) == z for z in x) and within(region, as_point(x)):
            return as_point(x)
    return as_point(candidate)


def nearest_float(x: Fraction) -> Fraction:
    """The float64 nearest to a number, 0 for one out of range."""
    try:
        return Fraction(float(x))
    except OverflowError:
        return Fraction(0)


def as_point(x: tuple[Fraction, ...]) -> Point:
    """The point with these coordinates."""
    denominator = np.lcm.reduce([z.denominator for z in x], dtype=object)
    return (*(int(z * denominator) for z in x), int(denominator))


def within(region: Region, at: Point) -> bool:
    """Whether a point lies in a region."""
    return all((BELOW, ON, ABOVE)[sign(value(form, at)) + 1] & sides for form, sides in region.items())


def digits(x: Fraction) -> str:
    """All decimal digits of a number, or a fraction where they never end."""
    places = x.denominator.bit_length() - 1
    if x.denominator != 1 << places:
        return str(x)
    whole = str(abs(x.numerator) * 5**places).rjust(places + 1, "0")
    text = f"{whole[:-places]}.{whole[-places:]}" if places else whole
    return "-" * (x < 0) + text
