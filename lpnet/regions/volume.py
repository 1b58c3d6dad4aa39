"""Volumes of bounded polyhedra: exactly, by their facets, or by points at random."""

from collections.abc import Sequence
from fractions import Fraction
from math import prod

import numpy as np

from lpnet.exact import Form, primitive, to_floats
from lpnet.networks.polyhedron import Polyhedron
from lpnet.programs import Certificate, SignProgram
from lpnet.programs.extent import extent

MOST_FACES = 20_000  # to be gone through for an exact volume
POINTS = 1 << 12


def volume(place: Polyhedron) -> tuple[Fraction, float] | None:
    """The volume of an open polyhedron and its standard error, 0 where it is exact; None where it is unbounded.

    Exact where its facets, with theirs and so on, are few (Lasserre 1983); else the share of points at random in its bounds.
    """
    d, facets = place.inputs, facets_of(place)
    if d > 1 and prod(max(1, len(facets) - k) for k in range(d - 1)) <= MOST_FACES and bounds_of(place):
        return by_facets(facets, d), 0.0
    ends = bounds_of(place)
    if ends is None:
        return None
    size = prod((high - low for low, high in ends), start=Fraction(1))
    if place.box:
        return size, 0.0
    low, high = (np.array([float(end) for end in side]) for side in zip(*ends, strict=True))
    random = np.random.default_rng(0).random((POINTS, d))
    points = np.column_stack([low + (high - low) * random, np.ones(POINTS)])
    inside = np.ones(POINTS, dtype=bool)
    for h in facets:
        inside &= points @ to_floats(h, -max(map(abs, h)).bit_length()) > 0
    p = float(inside.mean())
    return size * Fraction(p), float(size) * float(np.sqrt(max(p * (1 - p), 1 / POINTS**2) / POINTS))


def facets_of(place: Polyhedron) -> list[Form]:
    """The inequalities of a polyhedron with an interior that do not follow from the others."""
    forms = list(dict.fromkeys(primitive(h) for h in place.forms if any(h[:-1])))
    program, relations = SignProgram(forms, place.inputs), [1] * len(forms)
    for k in range(len(forms)):
        relations[k] = -2
        relations[k] = 0 if isinstance(program.decide(relations), Certificate) else 1
    return [h for h, relation in zip(forms, relations, strict=True) if relation]


def bounds_of(place: Polyhedron) -> list[tuple[Fraction, Fraction]] | None:
    """How far a polyhedron reaches along each axis; None where that is unbounded."""
    if isinstance(place.interior, Certificate):
        return None
    ends: list[dict[int, Fraction]] = [{} for _ in range(place.inputs)]
    for bound in extent(place.forms, place.interior):
        ends[bound.axis][bound.side] = bound.at
    return [(end[1], end[-1]) for end in ends] if all(len(end) == 2 for end in ends) else None


def by_facets(forms: Sequence[Form], d: int) -> Fraction:
    """The volume of {h ≥ 0}, bounded: Σ c_i / (d |a_ij|) times that of the face h_i = a_i·x + c_i = 0 without input j."""
    if d == 1:
        ends: list[list[Fraction]] = [[], []]
        for a, c in forms:
            ends[a < 0].append(Fraction(-c, a))
        return max(Fraction(0), min(ends[1]) - max(ends[0]))
    total = Fraction(0)
    for i, h in enumerate(forms):
        j = max(range(d), key=lambda k: abs(h[k]))
        others = dict[Form, None]()
        for k, g in enumerate(forms):
            row = [abs(h[j]) * y - (g[j] if h[j] > 0 else -g[j]) * x for x, y in zip(h, g, strict=True) if k != i]
            del row[j : j + 1]
            if any(row[:-1]):
                others[primitive(row)] = None
            elif row and row[-1] < 0:
                break
        else:
            if h[-1]:
                total += Fraction(h[-1], d * abs(h[j])) * by_facets(list(others), d - 1)
    return total


def share_of(part: Polyhedron, whole: Fraction) -> tuple[Fraction, float] | None:
    """The volume of a part by that of the whole, with its standard error."""
    found = volume(part)
    return found and (found[0] / whole, found[1] / float(whole))
