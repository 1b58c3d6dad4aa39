"""What a proof is about: the network of a file in its normal form, in integers."""

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from operator import mul
from typing import Any

import numpy as np
from flint import fmpz
from numpy.typing import NDArray

from lpnet.checker.work import MOST_NUMBER_DIGITS, brief, products

Form = tuple[int, ...]  # v·x + c as the integers (v, c)
Point = tuple[int, ...]  # numerators and a denominator > 0
Spend = Callable[[int], None]

EXACT = re.compile(r"-?[0-9]+(/0*[1-9][0-9]*)?")
FIELDS = ("hidden_weight", "hidden_bias", "output_weight", "output_bias")


class Refuted(Exception):
    """What the file says does not hold, or does not follow from what it shows."""


@dataclass(frozen=True)
class NormalForm:
    """f times a positive number: l + Σ s_k R(a_k) with distinct hyperplanes, on {h > 0 for all walls h}.

    implied: bounds of single inputs that follow from the walls, as forms > 0 there (`implied_bound`).
    """

    affine: Form
    units: tuple[Form, ...]
    signs: tuple[int, ...]
    walls: tuple[Form, ...]
    implied: tuple[Form, ...] = ()

    def reordered(self, order: Sequence[int]) -> "NormalForm":
        """The same with its units in another order."""
        return replace(self, units=tuple(self.units[k] for k in order), signs=tuple(self.signs[k] for k in order))

    @cached_property
    def bits(self) -> int:
        """The bits of the largest entry of a form."""
        return max(abs(entry).bit_length() for h in (self.affine, *self.units, *self.walls, *self.implied) for entry in h)

    @cached_property
    def cell_steps(self) -> int:
        """The steps (see `work`) of `on_cell`."""
        return 10 + (len(self.units) + 1) * len(self.affine) * (1 + self.bits // 3000)

    @cached_property
    def halfspace_steps(self) -> int:
        """The steps of bringing it to its shortest, too."""
        return self.cell_steps + products(len(self.affine), self.bits, self.bits)

    def on_cell(self, pattern: int) -> Form:
        """c_S, the pattern as a number with the first unit in the highest bit."""
        octets = pattern.to_bytes(-(-len(self.units) // 8), "little")
        parts = [self.part(index, octet) for index, octet in enumerate(octets) if octet]
        return tuple(map(sum, zip(self.affine, *parts, strict=True)))

    def pattern_at(self, at: Point) -> tuple[int, bool]:
        """The units active at a point, as a number; and whether none is 0 there."""
        heights, last = [value(a, at) for a in self.units], len(self.units) - 1
        return sum(1 << (last - k) for k, height in enumerate(heights) if height > 0), 0 not in heights

    def part(self, index: int, octet: int) -> Form:
        """Σ s_k a_k over eight units, those with a bit in the octet; every sum is made once."""
        if (index, octet) not in self.parts:
            last = len(self.units) - 1 - 8 * index
            chosen = [last - bit for bit in range(8) if octet >> bit & 1]
            self.parts[index, octet] = combination([self.signs[k] for k in chosen], [self.units[k] for k in chosen])
        return self.parts[index, octet]

    @cached_property
    def parts(self) -> dict[tuple[int, int], Form]:
        """What `part` has made so far."""
        return {}


def combination(factors: Sequence[int], forms: Sequence[Form]) -> Form:
    """Σ factor · form, of at least one."""
    return tuple(sum(map(mul, factors, column)) for column in zip(*forms, strict=True))


def times(factor: int, form: Form) -> Form:
    """A multiple of a form."""
    return tuple([factor * entry for entry in form])


def value(form: Form, at: Point) -> int:
    """The form at a point, times its denominator."""
    return sum(map(mul, form, at))


def sign(number: Any) -> int:
    """−1, 0 or +1."""
    return int(number > 0) - int(number < 0)


def primitive(form: Form) -> Form:
    """The shortest integer vector that is a positive multiple."""
    divisor = math.gcd(*form) or 1
    return tuple(entry // divisor for entry in form)


def same_halfspace(left: Form, right: Form) -> bool:
    """Whether two forms, not constant, are positive multiples of each other."""
    return primitive(left) == primitive(right)


def numbers(network: Any, inputs: int, spend: Spend = lambda steps: None) -> dict[str, NDArray[np.object_]]:
    """The fields of a network with d inputs as arrays of Fractions; ValueError where they are anything else."""
    units = len(network["output_weight"])
    arrays = {}
    for name, shape in zip(FIELDS, ((units, inputs), (units,), (units,), ()), strict=True):
        given = np.array(network[name], dtype=object)
        if (given.size or units) and given.shape != shape:
            raise ValueError(f"{name}: wanted numbers of shape {shape}")
        arrays[name] = rationals(given, spend).reshape(shape)
    return arrays


def rationals(given: NDArray[Any], spend: Spend) -> NDArray[np.object_]:
    """Floats, integers, Fractions or words such as "-1/3" as Fractions, exactly."""
    made = np.empty(given.size, dtype=object)
    made[:] = [rational(entry, spend) for entry in given.astype(object).flat]
    return made.reshape(given.shape)


def rational(entry: Any, spend: Spend) -> Fraction:
    """One of them."""
    if isinstance(entry, str):
        if len(entry) > MOST_NUMBER_DIGITS or not EXACT.fullmatch(entry):
            raise ValueError(f"wanted a number, got {brief(entry)}")
        spend(len(entry) + len(entry) ** 2 // 1000)
        parts = [int(fmpz(part)) for part in entry.split("/")]
        return Fraction(*parts)
    if isinstance(entry, bool) or not isinstance(entry, int | float | Fraction):
        raise ValueError(f"wanted a number, got {brief(entry)}")
    return Fraction(entry)


def normal_form(
    network: dict[str, NDArray[np.object_]],
    inputs: int,
    walls: Sequence[Form],
    implied: Sequence[Form] = (),
    spend: Spend = lambda steps: None,
) -> NormalForm:
    """Units with w_k = 0 or u_k = 0 go, and those that never change sign between bounds; units on one hyperplane become one.

    w R(a) + w' R(ca) = (w + cw') R(a) for c > 0, and R(−a) = R(a) − a. Order and orientation: of the first on a hyperplane.
    spend: called with the steps (see `work`) before they are taken.
    """
    exact = [
        ([*u, b], w)
        for u, b, w in zip(network["hidden_weight"], network["hidden_bias"], network["output_weight"], strict=True)
        if w
    ]
    known = [*walls, *implied]
    wide = bits_of(known)
    spend(products(len(known), wide, wide) + len(known) * inputs)
    lower, upper = bounds(inputs, known)
    affine = [Fraction(0)] * inputs + [network["output_bias"].item()]
    merged: dict[Form, tuple[list[Fraction], Fraction]] = {}
    for row, w in exact:
        long = max(max(e.numerator.bit_length(), e.denominator.bit_length()) for e in (w, *row))
        spend(30 * len(row) + products(4 * len(row), long, long))
        least, most = extreme(row, lower, upper, spend), extreme([-e for e in row], lower, upper, spend)
        if least is not None and least >= 0 and any(row):
            affine = [e + w * v for e, v in zip(affine, row, strict=True)]
        elif (most is None or most < 0) and any(row):
            first = next(j for j, e in enumerate(row) if e)
            common = math.lcm(*(e.denominator for e in row))
            spend(products(2 * len(row), long + common.bit_length(), long + common.bit_length()))
            line = primitive(over(common, row))
            key = line if line[first] > 0 else times(-1, line)
            reference, bend = merged.get(key, (row, Fraction(0)))
            ratio = row[first] / reference[first]
            if ratio < 0:
                affine = [e + w * v for e, v in zip(affine, row, strict=True)]
            merged[key] = reference, bend + w * abs(ratio)
    units = [([abs(bend) * e for e in row], sign(bend)) for row, bend in merged.values() if bend]
    scale = 1
    for row in [affine, *(a for a, _ in units)]:
        spend(len(row) * (1 + scale.bit_length() // 1000))
        scale = math.lcm(scale, *(e.denominator for e in row))
    spend((len(units) + 1) * len(affine) * (1 + scale.bit_length() // 100))
    whole_rows = [over(scale, row) for row in [affine, *(a for a, _ in units)]]
    return NormalForm(whole_rows[0], tuple(whole_rows[1:]), tuple(s for _, s in units), tuple(walls), tuple(implied))


def bits_of(forms: Sequence[Form]) -> int:
    """The bits of the longest entry."""
    return max((abs(entry).bit_length() for h in forms for entry in h), default=0)


def implied_bound(h: Form, multipliers: Sequence[tuple[int, int]], walls: Sequence[Form]) -> Form:
    """h, in one input, where it is > 0 on {w > 0 for all walls w}; Refuted where that does not follow.

    *Theorem.* For m_i ≥ 0, not all 0, Σ m_i w_i > 0 there. If that is q h − c with q > 0 and c ≥ 0, then h > 0.
    """
    used = [j for j, entry in enumerate(h[:-1]) if entry]
    if len(used) != 1 or not multipliers or not all(0 <= i < len(walls) and m > 0 for i, m in multipliers):
        raise Refuted("an implied bound is none of one input, or its multipliers are not allowed")
    g, (j,) = combination([m for _, m in multipliers], [walls[i] for i, _ in multipliers]), used
    if [k for k, entry in enumerate(g[:-1]) if entry] != used or g[j] * h[j] < 0 or h[-1] * abs(g[j]) < g[-1] * abs(h[j]):
        raise Refuted(f"the multipliers of an implied bound of input {j} do not imply it")
    return h


def over(denominator: int, row: Sequence[Fraction]) -> Form:
    """The numerators of a row over a common denominator."""
    return tuple(e.numerator * (denominator // e.denominator) for e in row)


def bounds(inputs: int, walls: Sequence[Form]) -> tuple[list[Fraction | None], list[Fraction | None]]:
    """The lower and upper bounds of the inputs that inequalities in one input give."""
    lower: list[Fraction | None] = [None] * inputs
    upper: list[Fraction | None] = [None] * inputs
    for h in walls:
        used = [j for j in range(inputs) if h[j]]
        if len(used) == 1:
            j, at = used[0], Fraction(-h[-1], h[used[0]])
            if h[j] > 0:
                lower[j] = at if lower[j] is None else max(at, lower[j])  # type: ignore[type-var]
            else:
                upper[j] = at if upper[j] is None else min(at, upper[j])  # type: ignore[type-var]
    return lower, upper


def extreme(
    row: Sequence[Any], lower: Sequence[Fraction | None], upper: Sequence[Fraction | None], spend: Spend = lambda steps: None
) -> Fraction | None:
    """The least value of a form on a box, None where it has none."""
    total = Fraction(row[-1])
    for entry, low, high in zip(row[:-1], lower, upper, strict=True):
        end = low if entry > 0 else high
        if entry:
            if end is None:
                return None
            long = total.denominator.bit_length() + end.denominator.bit_length() + end.numerator.bit_length()
            spend(products(2, long, long))
            total += entry * end
    return total
