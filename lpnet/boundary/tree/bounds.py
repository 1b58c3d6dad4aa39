"""Bounds of f on a node of the last level, exactly: upper bounds of its units, and proofs that f keeps one sign."""

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lpnet.exact import FloatArray, Form, add, times
from lpnet.networks import ExactForm, Polyhedron
from lpnet.networks.polyhedron import Ends
from lpnet.programs.certain_kernel import TINY
from lpnet.programs.stems import combination

CHORD_BITS = 20


class Chords(NamedTuple):
    """Affine upper bounds of the R(a_k) on a domain, times a denominator; or none."""

    forms: tuple[Form, ...] = ()
    denominator: int = 1

    def in_floats(self, scale: tuple[int, ...], bits: int) -> tuple[FloatArray, FloatArray]:
        """With scaled columns over 2^bits, and what is lost where an entry becomes (nearly) 0 that is not, (D,)."""
        least, size = min(scale), self.denominator << max(bits, 0)
        entries = [[entry << (s - least + max(-bits, 0)) for entry, s in zip(h, scale, strict=True)] for h in self.forms]
        made = np.array([[entry / size for entry in h] for h in entries]).reshape(-1, len(scale))
        lost = (np.abs(made) < TINY) & np.array([[entry != 0 for entry in h] for h in entries], bool).reshape(made.shape)
        return made, np.where(lost.any(axis=0), TINY, 0.0)


class Leaf(NamedTuple):
    """What a bound of f is about, exactly: one layer of units, and the rows of a node, `inner` of them of units."""

    form: ExactForm
    rows: Sequence[Form]
    inner: int
    chords: Chords


def chords_on(domain: Polyhedron, form: ExactForm, kept: Sequence[int]) -> Chords:
    """αa + β ≥ R(a) for each unit on a domain that bounds every input, α short and β the least possible one; else none."""
    lower, upper = domain.bounds
    if None in lower or None in upper:
        return Chords()
    exact = []
    for a in form.units:
        least, most = interval(a, lower, upper)
        slope = Fraction(int((most / (most - least) if most > 0 > least else int(most > 0)) * 2**CHORD_BITS), 2**CHORD_BITS)
        height = max(-slope * least, (1 - slope) * most, Fraction(0))
        exact.append([*(slope * a[j] for j in kept), slope * a[-1] + height])
    denominator = math.lcm(1, *(entry.denominator for row in exact for entry in row))
    return Chords(tuple(tuple(int(entry * denominator) for entry in row) for row in exact), denominator)


def interval(form: Form, lower: Ends, upper: Ends) -> tuple[Fraction, Fraction]:
    """The least and the largest value of a form between bounds of all inputs."""
    least = most = Fraction(form[-1])
    for coefficient, *ends in zip(form[:-1], lower, upper, strict=True):
        low, high = sorted(coefficient * end for end in ends if end is not None)
        least, most = least + low, most + high
    return least, most


def phi(problem: Leaf, side: int, signs: NDArray[np.int8], facing: NDArray[np.int8]) -> Form:
    """`work.base` of a bound on side · f, exactly: times `denominator`."""
    total = times(side, problem.form.affine)
    for k, (a, s) in enumerate(zip(problem.form.units, problem.form.signs, strict=True)):
        if signs[k] > 0:
            total = add(total, times(side * s, a))
        elif signs[k] == 0 and s != side and facing[k] < 0:
            total = add(total, times(-1, a))
    total = times(problem.chords.denominator, total)
    for k, chord in enumerate(problem.chords.forms):
        if signs[k] == 0 and problem.form.signs[k] == side:
            total = add(total, chord)
    return total


def one_sign(problem: Leaf, side: int, signs: NDArray[np.int8], evidence: NDArray[np.int64], facing: NDArray[np.int8]) -> bool:
    """Whether φ = −Σ λ_i s_i h_i + Σ θ_k F_k for some λ ≥ 0 and θ in [0, 1] on the rows and units of the evidence, exactly.

    For side > 0, where that proves f ≤ 0, also whether it leaves no room for a piece; see `level_kernel.touching`.
    """
    rows, units = problem.rows, problem.form.units
    members = [int(code) for code in evidence if code >= 0]
    columns = [
        times(int(signs[code]), rows[code])
        if code < len(rows)
        else times(-int(facing[code - len(rows)]) * problem.chords.denominator, units[code - len(rows)])
        for code in members
    ]
    shares = combination(phi(problem, side, signs, facing), columns)
    if shares is None or not all(z >= 0 and (code < len(rows) or z <= 1) for code, z in zip(members, shares, strict=True)):
        return False
    walls = [code for code, z in zip(members, shares, strict=True) if code < len(rows) and z]
    return side < 0 or len(walls) > 1 or any(code >= problem.inner for code in walls)
