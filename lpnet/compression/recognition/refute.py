"""Finds certificates that K is no ReLU network's of one sign: proposals of the walk, and all ridges together, made exact."""

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import islice

import numpy as np
from flint import fmpz_mat
from numpy.typing import NDArray
from scipy.linalg import qr

from lpnet.compression.certificate import OneSignedCertificate, Ridge, allowed, cut, dot, is_ridge, with_infinity, without_cut
from lpnet.compression.recognition.cone import Cone, Pair, unit_row
from lpnet.compression.recognition.cuts import skeleton
from lpnet.compression.recognition.recognise import Survey
from lpnet.exact import FloatArray, Form, Point, add, independent_inputs, integers, primitive, sign, times, to_floats, value
from lpnet.programs import Certificate, SignProgram
from lpnet.programs.linear import maximum
from lpnet.watch import Watch

TRIES = 20
SMALLEST_STEP = 60  # halvings
CLEAR_MULTIPLIER = 1e-7  # it chooses the ridges for the exact program, nothing else


def refute(survey: Survey) -> OneSignedCertificate | None:
    """A certificate, checked."""
    return next((found for found in candidates(survey) if found.excludes(survey.halfspaces)), None)


def candidates(survey: Survey) -> Iterator[OneSignedCertificate]:
    """Certificates to be checked."""
    if survey.rank < 2:
        return
    simple = survey.walk.simple
    for facets in islice(sorted(simple, key=lambda key: -survey.clearance(simple[key])), TRIES):
        survey.watch.check(0.5, len(simple))
        found = simple_face(survey, facets, simple[facets])
        if found:
            yield found
    if not survey.hopeless:
        yield from by_ridges(survey.halfspaces, survey.cone, survey.watch.part(0.5, 1.0))


def simple_face(survey: Survey, facets: Sequence[int], corner: FloatArray) -> OneSignedCertificate | None:
    """Where just three independent half-spaces meet, a unit through the ridge of two of them would cross the third."""
    forms = with_infinity(survey.halfspaces)
    chosen = [forms[k] for k in facets]
    start = tuple(int(z) for z in integers(survey.cone.lift @ corner)[0])
    pivots = qr(np.array([unit_row(h) for h in chosen]), mode="r", pivoting=True)[1][:3]
    for halvings in range(0, SMALLEST_STEP, 4):
        points = [at_values(chosen, start, pivots, values, halvings) for values in ((0, 0, -1), (0, -1, 0), (-1, 0, 0))]
        witness, first, second = points
        if witness and first and second and all(inside_but(forms, facets, at) for at in points if at):
            return without_cut((facets[0], facets[1]), witness, [first, second], survey.halfspaces)
    return None


def at_values(forms: Sequence[Form], start: Point, pivots: Sequence[int], values: Sequence[int], halvings: int) -> Point | None:
    """The point near `start` at which the three forms have these values, less than their own size by a power of two."""
    scale = max(map(abs, start)) or 1
    matrix = fmpz_mat([[h[j] for j in pivots] for h in forms])
    right = [
        [v * max(map(abs, h)) * scale - (value(h, start) - sum(h[j] * start[j] for j in pivots) << halvings)]
        for h, v in zip(forms, values, strict=True)
    ]
    determinant = int(matrix.det())
    if determinant == 0:
        return None
    solution = matrix.solve(fmpz_mat(right))
    whole = [int((solution[k, 0] * determinant).p) for k in range(3)]
    at = [z * abs(determinant) << halvings for z in start]
    for j, z in zip(pivots, whole, strict=True):
        at[j] = z * sign(determinant)
    return primitive(at)


def inside_but(forms: Sequence[Form], facets: Sequence[int], at: Point) -> bool:
    """Whether the point lies in C, and off all other facets."""
    return all(value(h, at) < 0 or (k in facets and value(h, at) <= 0) for k, h in enumerate(forms))


def by_ridges(halfspaces: Sequence[Form], cone: Cone, watch: Watch) -> Iterator[OneSignedCertificate]:
    """Certificates to be checked: a ridge that no hyperplane may pass, or all ridges together."""
    faces = skeleton(cone)
    if faces is None:
        return
    forms = with_infinity(halfspaces)
    points = [at for at in (extreme_ray(forms, tight) for tight in faces.tight.T) if at]
    planes: dict[Pair, list[Form]] = {}
    witnesses: dict[Pair, Point] = {}
    for done, (k, l) in enumerate(faces.ridges):  # noqa: E741
        watch.check(done / len(faces.ridges), done)
        on = [at for at in points if value(forms[k], at) == 0 == value(forms[l], at)]
        ratios = allowed(forms, k, l, points)
        witness = tuple(map(sum, zip(*on, strict=True)))
        if ratios is None or not on or not is_ridge(forms, k, l, witness):
            continue
        if not ratios:
            yield without_cut((k, l), witness, points, halfspaces)
        planes[k, l], witnesses[k, l] = [cut(forms[k], forms[l], ratio) for ratio in ratios], witness
    found = multipliers(forms, planes)
    if found:
        yield OneSignedCertificate(tuple(Ridge(*pair, witnesses[pair], y) for pair, y in found.items()), tuple(points))


def extreme_ray(forms: Sequence[Form], tight: NDArray[np.bool_]) -> Point | None:
    """The ray of C on which these forms vanish, modulo the lines in C, if there is just one."""
    inputs = [*independent_inputs(forms[:-1]), len(forms[0]) - 1]
    kernel, nullity = fmpz_mat([[forms[k][j] for j in inputs] for k in map(int, np.flatnonzero(tight))]).nullspace()
    if nullity != 1:
        return None
    at = [0] * len(forms[0])
    for row, j in enumerate(inputs):
        at[j] = int(kernel[row, 0])
    at = list(times(-sign(sum(value(h, tuple(at)) for h in forms)), tuple(at)))
    return primitive(at) if all(value(h, tuple(at)) <= 0 for h in forms) else None


def multipliers(forms: Sequence[Form], planes: Mapping[Pair, Sequence[Form]]) -> dict[Pair, Form] | None:
    """y for each ridge with Σ y·(h_k λ_k − h_l λ_l) ≥ 0, somewhere > 0, and Σ y·A ≤ 0: exactly on the support of float ones.

    A y counts by y·h_k = p and y·h_l = −q: the sums are Σ p and Σ q for each facet, and α p + β q for A = α h_k − β h_l.
    """
    if not planes:
        return None
    rows, facets = conditions(forms, planes)
    matrix = np.array([to_floats(row, -max(map(abs, row)).bit_length())[:-1] for row in rows])
    best = maximum(matrix[:facets].sum(axis=0), -matrix, bounds=(-1, 1))
    if best is None or best.value < CLEAR_MULTIPLIER:
        return None
    large = np.abs(best.at).reshape(-1, 2).max(axis=1) > CLEAR_MULTIPLIER
    support = {pair: planes[pair] for pair, used in zip(planes, large, strict=True) if used}
    rows, facets = conditions(forms, support)
    total = tuple(map(sum, zip(*rows[:facets], strict=True)))
    at = SignProgram([*rows, total], len(total) - 1).decide([2] * len(rows) + [1])
    if isinstance(at, Certificate):
        return None
    found = {pair: with_products(forms, pair, at[2 * n], at[2 * n + 1]) for n, pair in enumerate(support)}
    common = math.lcm(*(size for _, size in found.values()))
    return {pair: times(common // size, y) for pair, (y, size) in found.items()}


def conditions(forms: Sequence[Form], planes: Mapping[Pair, Sequence[Form]]) -> tuple[list[Form], int]:
    """What has to be ≥ 0, as forms in (p, q) of every ridge and the constant 0: first the facets, how many, then the planes."""
    width = 2 * len(planes) + 1
    facets: dict[int, list[int]] = defaultdict(lambda: [0] * width)
    sums: dict[Form, list[Fraction]] = defaultdict(lambda: [Fraction(0)] * width)
    for number, ((k, l), through) in enumerate(planes.items()):  # noqa: E741
        facets[k][2 * number] += 1
        facets[l][2 * number + 1] += 1
        for plane in through:
            alpha, beta = combination(forms[k], forms[l], plane)
            row = sums[times(sign(next(filter(None, plane))), plane)]
            row[2 * number] -= alpha
            row[2 * number + 1] -= beta
    return [*map(tuple, facets.values()), *(whole(row) for row in sums.values())], len(facets)


def combination(h: Form, other: Form, plane: Form) -> tuple[Fraction, Fraction]:
    """α and β with plane = α h − β other, for independent h and other."""
    a, b, c = dot(h, h), dot(h, other), dot(other, other)
    first, second = dot(plane, h), dot(plane, other)
    determinant = a * c - b * b
    return Fraction(first * c - second * b, determinant), Fraction(first * b - second * a, determinant)


def with_products(forms: Sequence[Form], pair: Pair, p: int, q: int) -> tuple[Form, int]:
    """y and s > 0 with y·h_k = s p and y·h_l = −s q."""
    h, other = forms[pair[0]], forms[pair[1]]
    a, b, c = dot(h, h), dot(h, other), dot(other, other)
    return add(times(p * c + q * b, h), times(-(p * b + q * a), other)), a * c - b * b


def whole(row: Sequence[Fraction]) -> Form:
    """The row times a positive number, in integers."""
    denominator = math.lcm(*(z.denominator for z in row))
    return primitive([int(z * denominator) for z in row])
