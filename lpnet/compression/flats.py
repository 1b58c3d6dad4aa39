"""Hyperplanes in coordinates of their own; and around flats of dimension d − 2 the answers, a fan of sectors across."""

from collections.abc import Iterator, Sequence
from operator import mul
from typing import NamedTuple

import numpy as np
from flint import fmpz_mat

from lpnet.exact import FloatArray, Form, Point, add, primitive, sign, times, to_floats, value
from lpnet.networks import Polyhedron
from lpnet.programs import Certificate, SignProgram
from lpnet.regions.reasons import Literal, Reasons, halfspace, meet
from lpnet.regions.search import Questions

Ray = tuple[int, int]  # (h, g) along it


class Turn(NamedTuple):
    """A ray at which the answer changes: a half-space, the ray, and the answers to its left and right."""

    halfspace: Form
    ray: Ray
    left: int
    right: int


class Term(NamedTuple):
    """s_answer ≥ s_other along a ray, times a multiplier: the answer just left of it (turn 1), right (−1) or on both sides (0).

    On both sides, and if `other` wins ties, it is even s_answer > s_other.
    """

    ray: Ray
    turn: int
    answer: int
    other: int
    multiplier: int


Fan = list[Turn]


class Flat:
    """{h = g = 0}, of dimension d − 2, and the plane of directions (h, g) around it."""

    def __init__(self, h: Form, g: Form) -> None:
        self.h, self.g = h, g
        inputs = range(len(h) - 1)
        self.i, self.j = next((i, j) for i in inputs for j in inputs if h[i] * g[j] != h[j] * g[i])
        self.det = h[self.i] * g[self.j] - h[self.j] * g[self.i]
        kernel, nullity = fmpz_mat([h[:-1], g[:-1]]).nullspace()
        self.along = [tuple(int(kernel[row, k]) for row in inputs) for k in range(nullity)]

    def coefficients(self, form: Form) -> Ray:
        """(α, β) with form = α h + β g but for a positive factor, of a form that vanishes on the flat."""
        i, j, turn = self.i, self.j, sign(self.det)
        alpha = form[i] * self.g[j] - form[j] * self.g[i]
        beta = self.h[i] * form[j] - self.h[j] * form[i]
        return turn * alpha, turn * beta

    def step(self, ray: Ray) -> Form:
        """A direction across the flat with the slopes of a ray, times a positive number."""
        h, g = self.h[:-1], self.g[:-1]
        hh, hg, gg = (sum(map(mul, a, b)) for a, b in ((h, h), (h, g), (g, g)))
        s, t = ray
        return primitive((*add(times(s * gg - t * hg, h), times(t * hh - s * hg, g)), 0))

    def within(self, form: Form, at: Point) -> int:
        """The sign of a form at a point of the flat, moved infinitesimally along it; 0 where it vanishes all over it."""
        steps = (sum(a * b for a, b in zip(form, v, strict=False)) for v in self.along)
        return sign(value(form, at)) or next((sign(step) for step in steps if step), 0)

    def side(self, form: Form, at: Point, ray: Ray, turn: int = 0) -> int:
        """The sign beside such a point, in the direction of a ray, or just left of it (`turn`)."""
        here = self.within(form, at)
        if here:
            return here
        alpha, beta = self.coefficients(form)
        return sign(alpha * ray[0] + beta * ray[1]) or turn * sign(beta * ray[0] - alpha * ray[1])

    def fan(self, at: Point, why: Reasons, start: Ray) -> tuple[Fan, list[Literal]]:
        """The boundary rays around a point, each with its half-space, and what holds there off the flat.

        start: a ray that is boundary. Sector after sector to the left, each as wide as the reasons for its answer reach.
        """
        sectors: list[tuple[Ray, int]] = []
        held: list[Literal] = []
        ray = start
        while True:
            answer, literals = why(lambda form, ray=ray: self.side(form, at, ray, 1), {})  # type: ignore[misc]
            sectors.append((ray, answer))
            vanishing = [form for form, _ in literals if not self.within(form, at)]
            held += [(form, sides) for form, sides in literals if form not in vanishing]
            following = next_ray(ray, map(self.coefficients, vanishing))
            if following is None or (len(sectors) > 1 and passed(ray, following, start)):
                break
            ray = following
        rays = []
        for number, (ray, answer) in enumerate(sectors):
            before = sectors[number - 1][1]
            if answer != before:
                beyond = add(times(ray[1], self.h), times(-ray[0], self.g))  # negative to the left of the ray
                rays.append(Turn(primitive(times(-1 if answer > before else 1, beyond)), ray, answer, before))
        return rays, held


def bends(fan: Sequence[Turn]) -> bool:
    """Whether no scores that are affine around the flat have these answers; of two rays, if they are not opposite."""
    return cross(fan[0].ray, fan[1].ray) != 0 if len(fan) == 2 else bool(bent(fan))


def bent(fan: Sequence[Turn]) -> tuple[Term, ...]:
    """Why no scores that are affine around the flat have these answers, the largest score winning; () where some have.

    Scores on the plane are vectors s_c of which s_c(r) ≥ s_q(r) is asked at the ends of a sector of c, and in its inside, there
    s_c(r) > s_q(r) where q would win a tie: the multipliers of a combination that is 0.
    """
    if len(fan) == 2 and not cross(fan[0].ray, fan[1].ray):
        return ()
    if len({turn.left for turn in fan}) == len(fan) > 2 and not straight(fan):
        return ()  # a sector for each answer, of less than half a turn
    answers = sorted({turn.left for turn in fan})
    asked: list[tuple[Ray, int, int]] = []
    for (_, ray, answer, _), (_, following, *_) in zip(fan, [*fan[1:], fan[0]], strict=True):
        asked += [(ray, 1, answer), (following, -1, answer)]
        if cross(ray, following) > 0:
            asked.append(((ray[0] + following[0], ray[1] + following[1]), 0, answer))
        else:
            asked += [((-ray[1], ray[0]), 0, answer), ((following[1], -following[0]), 0, answer)]
    terms = [Term(*place, other, 1) for place in asked for other in answers if other != place[2]]
    forms = []
    for (s, t), _, answer, other, _ in terms:
        sides = [(c == answer) - (c == other) for c in answers[1:]]
        forms.append((*(side * z for side in sides for z in (s, t)), 0))
    strict = [1 if term.turn == 0 and term.other > term.answer else 2 for term in terms]
    found = SignProgram(forms, len(forms[0]) - 1).decide(strict)
    if not isinstance(found, Certificate):
        return ()
    used = [terms[k]._replace(multiplier=m) for k, m in found.multipliers]
    named = {term.answer for term in used}  # that the others are answers around is part of the proof
    return (*used, *(next(t for t in terms if t.answer == c)._replace(multiplier=0) for c in answers if c not in named))


def straight(fan: Sequence[Turn]) -> bool:
    """Whether some sector is half a turn wide, or wider."""
    return any(cross(turn.ray, after.ray) <= 0 for turn, after in zip(fan, [*fan[1:], fan[0]], strict=True))


def next_ray(ray: Ray, forms: Iterator[Ray]) -> Ray | None:
    """The first ray to the left, by up to half a turn, at which one of the forms (α, β) vanishes."""
    best = None
    for alpha, beta in forms:
        found = (beta, -alpha)
        side = cross(ray, found)
        if side < 0 or (side == 0 and ray[0] * found[0] + ray[1] * found[1] > 0):
            found = (-beta, alpha)
        if best is None or cross(best, found) < 0:
            best = found
    return best


def passed(ray: Ray, following: Ray, start: Ray) -> bool:
    """Whether `start` lies left of a ray and not left of the following one, at most half a turn on."""
    left = cross(ray, start)
    ahead = left > 0 or (left == 0 and ray[0] * start[0] + ray[1] * start[1] < 0)
    return ahead and (cross(start, following) > 0 or same_ray(start, following))


def same_ray(ray: Ray, other: Ray) -> bool:
    """Whether two rays have one direction."""
    return cross(ray, other) == 0 and ray[0] * other[0] + ray[1] * other[1] > 0


def cross(left: Ray, right: Ray) -> int:
    """> 0 where the right one is to the left of the other, by less than half a turn."""
    return left[0] * right[1] - left[1] * right[0]


def flat_of(forms: tuple[Form, Form]) -> Form:
    """The Plücker coordinates of the span of two forms, primitive and with a positive first one: a name of the flat."""
    h, g = forms
    size = range(len(h))
    minors = primitive([h[i] * g[j] - h[j] * g[i] for i in size for j in size if i < j])
    return times(sign(next(filter(None, minors))), minors)


class Sheet:
    """A hyperplane {h = 0} in coordinates of its own, the inputs but one; and which parts of it are empty."""

    def __init__(self, h: Form, domain: Polyhedron) -> None:
        self.h = h
        self.pivot = max(range(len(h) - 1), key=lambda j: abs(h[j]))
        walls = [self.reduced(wall) for wall in domain.inequalities()]
        self.outside = any(not any(wall[:-1]) and wall[-1] <= 0 for wall in walls)  # beside the domain
        self.questions = Questions(Polyhedron(len(h) - 2, tuple(wall for wall in walls if any(wall[:-1]))))
        self.walls = meet(self.questions.walls)

    def reduced(self, form: Form) -> Form:
        """The form on the hyperplane, times a positive number."""
        j, side = self.pivot, sign(self.h[self.pivot])
        entries = add(times(side * self.h[j], form), times(-side * form[j], self.h))
        return primitive(entries[:j] + entries[j + 1 :])

    def extended(self, form: Form) -> Form:
        """A form of the coordinates as one on R^d."""
        return (*form[: self.pivot], 0, *form[self.pivot :])

    def lifted(self, at: Point) -> Point:
        """The point of R^d, or the direction, with these coordinates."""
        j, whole = self.pivot, self.extended(at)
        scaled = list(times(abs(self.h[j]), whole))
        scaled[j] = -sign(self.h[j]) * value(self.h, whole)
        return primitive(scaled)

    def literals(self, held: Sequence[Literal], but: Sequence[Form] = ()) -> list[Literal]:
        """Half-spaces of R^d as those of the hyperplane, without those that hold all over it or bound it along `but`."""
        found = ((self.reduced(form), sides) for form, sides in held)
        turned = (halfspace(form, sides) for form, sides in found if any(form[:-1]))
        return [(form, sides) for form, sides in turned if form not in but]


def scaled(form: Sequence[int]) -> FloatArray:
    """The form in floats, of length 1."""
    row = to_floats(tuple(form), -max(map(abs, form)).bit_length())
    length = np.linalg.norm(row)
    return row / length if length else row
