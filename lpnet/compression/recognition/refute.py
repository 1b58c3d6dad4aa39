"""Finds certificates that K is no ReLU network's: the proposals of the walk, made exact."""

from collections.abc import Iterator, Sequence
from itertools import islice

import numpy as np
from flint import fmpz_mat
from scipy.linalg import qr

from lpnet.compression.certificate import OneSignedCertificate, with_infinity, without_cut
from lpnet.compression.recognition.cone import unit_row
from lpnet.compression.recognition.contradiction import by_ridges
from lpnet.compression.recognition.recognise import Survey
from lpnet.exact import FloatArray, Form, Point, integers, primitive, sign, value

TRIES = 20
SMALLEST_STEP = 60  # halvings


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
