"""f = l + Σ w_k R(z_k), z_k = a_k + Σ_{j<k} C_kj R(z_j), in integers: a network of any depth without any rounding."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from flint import fmpz_mat
from numpy.typing import NDArray

from lpnet.brief import brief
from lpnet.exact import Form, Numbers, Point, add, common_integers, sign, times, value

Links = tuple[tuple[int, int], ...]  # (j, C_kj)
Sum = tuple[Form, dict[int, int]]  # an affine function and multiples of units


class Cell(NamedTuple):
    """An activation pattern, ±1 for each unit, what the units z_k are where it holds, and f."""

    pattern: tuple[int, ...]
    rows: tuple[Form, ...]
    f: Form


@dataclass(frozen=True)
class ExactForm:
    """f(x) = 2^exponent / divisor · (l(x) + Σ_k w_k R(z_k(x))), z_k = a_k + Σ_{j<k} C_kj R(z_j), without any rounding.

    affine: l, d+1 integers; units: a_k, m times d+1 integers; signs: w_k, integers, ±1 for units that no other one reads;
    divisor: odd, 1 where all numbers are floats; links: the C_kj ≠ 0 of each unit, () where there is but one layer (C = 0).
    """

    affine: Form
    units: tuple[Form, ...]
    signs: tuple[int, ...]
    exponent: int
    divisor: int = 1
    links: tuple[Links, ...] = ()

    __repr__ = brief("inputs")

    @property
    def inputs(self) -> int:
        """d."""
        return len(self.affine) - 1

    @property
    def scale(self) -> Fraction:
        """2^exponent / divisor."""
        return Fraction(2) ** self.exponent / self.divisor

    @property
    def convex(self) -> bool:
        """Whether every w_k ≥ 0 and C_kj > 0, so that f is convex and {f < 0} too."""
        return all(s >= 0 for s in self.signs) and self._increasing

    @property
    def concave(self) -> bool:
        """Whether every w_k ≤ 0 and C_kj > 0, so that f is concave and {f ≥ 0} convex."""
        return all(s <= 0 for s in self.signs) and self._increasing

    @property
    def _increasing(self) -> bool:
        return all(c > 0 for links in self.links for _, c in links)

    @cached_property
    def levels(self) -> tuple[range, ...]:
        """The units level by level: those of one level read none of each other."""
        starts = [0]
        for k, links in enumerate(self.links):
            if any(j >= starts[-1] for j, _ in links):
                starts.append(k)
        return tuple(map(range, starts, [*starts[1:], len(self.units)]))

    @cached_property
    def slopes(self) -> list[int]:
        """For each unit a number that its gradient is no longer than, whatever units are active."""
        lengths: list[int] = []
        for k, a in enumerate(self.units):
            read = self.links[k] if self.links else ()
            lengths.append(sum(map(abs, a[:-1])) + sum(abs(c) * lengths[j] for j, c in read))
        return lengths

    def cell(self, pattern: Sequence[int] | NDArray[np.bool_]) -> Cell:
        """What the units and f are where exactly the units with pattern_k > 0 are active."""
        return next(self.cells([pattern]))

    def cells(self, patterns: Iterable[Sequence[int] | NDArray[np.bool_]]) -> Iterator[Cell]:
        """The cells of many patterns; where one begins like the one before, the levels that they share are unfolded once."""
        known: list[tuple[tuple[int, ...], Sequence[Form]]] = []
        for given in patterns:
            pattern = tuple(1 if active > 0 else -1 for active in given)
            rows: list[Form] = []
            for level, units in enumerate(self.levels):
                before = pattern[: units.start]
                if level == len(known) or known[level][0] != before:
                    known[level:] = [(before, self.unfold(level, pattern, rows))]
                rows += known[level][1]
            yield Cell(pattern, tuple(rows), self.output(pattern, rows))

    def output(self, pattern: Sequence[int] | NDArray[Any], rows: Sequence[Form]) -> Form:
        """f where the units are these rows and have these signs."""
        total = self.affine
        for row, weight, active in zip(rows, self.signs, pattern, strict=True):
            if weight and active > 0:
                total = add(total, times(weight, row))
        return total

    def unfold(self, level: int, pattern: Sequence[int] | NDArray[Any], before: Sequence[Form]) -> Sequence[Form]:
        """The units of a level, in terms of x, where those before it are `before` and have these signs."""
        units = self.levels[level]
        own, silent = self.units[units.start : units.stop], (0,) * len(self.affine)
        read, factors = self._factors[level]
        outputs = [before[j] if pattern[j] > 0 else silent for j in read]
        if not any(map(any, outputs)):
            return own
        made = factors * fmpz_mat(outputs)
        return [add(a, tuple(map(int, row))) for a, row in zip(own, made.tolist(), strict=True)]

    @cached_property
    def _factors(self) -> list[tuple[list[int], fmpz_mat]]:
        """The units that each level reads, and the C_kj, (units, units read)."""
        made = []
        for level in self.levels:
            read = sorted({j for k in level for j, _ in self.links[k]}) if self.links else []
            number, factors = {j: column for column, j in enumerate(read)}, fmpz_mat(len(level), len(read))
            for row, k in enumerate(level):
                for j, c in self.links[k] if self.links else ():
                    factors[row, number[j]] = c
            made.append((read, factors))
        return made

    def beside(self, at: Point, h: Form | None = None, side: int = -1) -> Cell:
        """The cell that begins at a point, infinitesimally: a generic step within {h = 0}, then a smaller one to a side of it.

        Without h the step is a generic one. Units that are 0 all over that cell count as inactive.
        """
        return self.unfolded(lambda k, row: beside(row, at, h, side))

    def across(self, cell: Cell) -> Cell:
        """The cell beyond the facet of a cell that lies in {f = 0}: units that are not 0 there keep their signs."""

        def beyond(k: int, row: Form) -> int:
            here = cell.rows[k]
            return cell.pattern[k] if any(here) and not proportion(here, cell.f) else proportion(row, cell.f)

        return self.unfolded(beyond)

    def unfolded(self, side: Callable[[int, Form], int]) -> Cell:
        """The cell in which unit k, being `row` there in terms of x, is active where side(k, row) > 0; unit by unit."""
        rows: list[Form] = []
        pattern: list[int] = []
        f = self.affine
        for k, (row, weight) in enumerate(zip(self.units, self.signs, strict=True)):
            for j, factor in self.links[k] if self.links else ():
                if pattern[j] > 0:
                    row = add(row, times(factor, rows[j]))
            rows.append(row)
            pattern.append(1 if side(k, row) > 0 else -1)
            if weight and pattern[k] > 0:
                f = add(f, times(weight, row))
        return Cell(tuple(pattern), tuple(rows), f)

    def on_cell(self, pattern: Sequence[int] | NDArray[np.bool_]) -> Form:
        """c_S: what f is where exactly the units S with pattern_k > 0 are active; l + Σ_{k∈S} s_k a_k for one layer."""
        return self.cell(pattern).f if self.links else self.output(pattern, self.units)

    def on_cells(self, patterns: Iterable[Sequence[int] | NDArray[np.bool_]]) -> Iterator[Form]:
        """`on_cell` of many patterns."""
        return (cell.f for cell in self.cells(patterns)) if self.links else map(self.on_cell, patterns)

    def each(self, change: Callable[[Form], Form]) -> "ExactForm":
        """The form with l and every a_k changed in the same way: by a linear substitution of the inputs."""
        units = tuple(map(change, self.units))
        return ExactForm(change(self.affine), units, self.signs, self.exponent, self.divisor, self.links)

    def sign_at(self, at: Point) -> int:
        """The sign (−1, 0, +1) of f at an exact point."""
        return sign(sum(self.terms_at(at)))

    def terms_at(self, at: Point) -> list[int]:
        """l and all w_k R(z_k) at an exact point p, times its denominator p[d]; f is their sum, times `scale` / p[d]."""
        outputs = [max(0, z) for z in self.units_at(at)]
        return [value(self.affine, at), *(s * out for out, s in zip(outputs, self.signs, strict=True))]

    def units_at(self, at: Point) -> list[int]:
        """All z_k at an exact point p, times p[d]."""
        values: list[int] = []
        for k, a in enumerate(self.units):
            links = self.links[k] if self.links else ()
            values.append(value(a, at) + sum(c * values[j] for j, c in links if values[j] > 0))
        return values


def integer_form(levels: Sequence[Numbers], output: Numbers, inputs: int) -> ExactForm:
    """The form of hidden layers and an output, rows (weight, bias) that read the inputs and all units before, (n_i, d + … + 1).

    A level's z_k are integers times one number; what the units before are times is taken into the weights that read them.
    """
    affine, weights, body = shared_form(levels, output, inputs)
    outputs, units, links = list(weights[0]), list(body.units), list(body.links or [()] * len(body.units))
    read_by_others = {j for row in links for j, _ in row}
    for k in (k for k, w in enumerate(outputs) if w and k not in read_by_others):
        factor = abs(outputs[k])
        units[k], links[k] = times(factor, units[k]), tuple((j, factor * c) for j, c in links[k])
        outputs[k] = sign(outputs[k])
    return replace(body, affine=affine[0], units=tuple(units), signs=tuple(outputs), links=tuple(links) if any(links) else ())


def shared_form(
    levels: Sequence[Numbers], outputs: Numbers, inputs: int
) -> tuple[list[Form], list[tuple[int, ...]], ExactForm]:
    """The affine parts and the weights of one output or several on the same hidden layers, and a form with these units, f = 0.

    All outputs are integers times its one scale; rows as in `integer_form`.
    """
    scales: list[Fraction] = []
    made: list[tuple[NDArray[np.object_], list[NDArray[np.object_]]]] = []
    for rows in (*levels, outputs):
        cuts = np.cumsum([inputs, *(len(before) for before in levels[: len(scales)])])
        own, *read = np.split(rows[:, :-1], cuts[:-1], axis=1)
        blocks = [common_integers(block) for block in (np.column_stack([own, rows[:, -1]]), *read)]
        sizes = [
            Fraction(2) ** exponent / divisor * scale
            for (_, exponent, divisor), scale in zip(blocks, [Fraction(1), *scales], strict=True)
        ]
        scales.append(common_scale([size for (whole, _, _), size in zip(blocks, sizes, strict=True) if whole.any()]))
        first, *others = (whole * int(size / scales[-1]) for (whole, _, _), size in zip(blocks, sizes, strict=True))
        made.append((first, others))
    affine, weights = made.pop()
    table = [tuple(int(w) for block in weights for w in block[o]) for o in range(len(affine))]
    units = tuple(tuple(row) for own, _ in made for row in own.tolist())
    links: list[Links] = []
    if len(levels) > 1:
        links = [
            tuple((j, c) for j, c in enumerate(np.concatenate([block[row] for block in read]) if read else ()) if c)
            for own, read in made
            for row in range(len(own))
        ]
    exponent = scales[-1].numerator.bit_length() - (scales[-1].denominator & -scales[-1].denominator).bit_length()
    divisor = scales[-1].denominator >> max(0, -exponent)
    nothing = (0,) * (inputs + 1)
    body = ExactForm(nothing, units, (0,) * len(units), exponent, divisor, tuple(links) if any(links) else ())
    return list(map(tuple, affine.tolist())), table, body


def combined(row: Form, read: Iterable[tuple[int, int]], rising: Mapping[int, Sum], falling: Mapping[int, Sum]) -> Sum:
    """row + Σ c · (what unit j is: in `rising` for c > 0, else in `falling`)."""
    total: dict[int, int] = {}
    for j, c in read:
        if c:
            own, others = (rising if c > 0 else falling)[j]
            row = add(row, times(c, own)) if any(own) else row
            for unit, weight in others.items():
                total[unit] = total.get(unit, 0) + c * weight
    return row, {unit: weight for unit, weight in total.items() if weight}


def common_scale(scales: Sequence[Fraction]) -> Fraction:
    """The largest rational of which all these are whole multiples; 1 for none."""
    common = math.lcm(*(scale.denominator for scale in scales))
    return Fraction(math.gcd(*(int(scale * common) for scale in scales)), common) if scales else Fraction(1)


def beside(form: Form, at: Point, h: Form | None = None, side: int = -1) -> int:
    """The sign of a form at a point moved infinitesimally: by a generic step within {h = 0}, then a smaller one to a side."""
    gradient, normal = form[:-1], (h or (0,) * len(form))[:-1]
    slope = sum(a * b for a, b in zip(gradient, normal, strict=True))
    size = sum(b * b for b in normal) or 1
    along = (size * a - slope * b for a, b in zip(gradient, normal, strict=True))
    return next((sign(step) for step in (value(form, at), *along, side * slope) if step), 0)


def proportion(a: Form, c: Form) -> int:
    """+1 or −1 where a is a positive or negative multiple of c, else 0; c is not constant."""
    first = next(i for i, entry in enumerate(c) if entry)
    if all(left * c[first] == right * a[first] for left, right in zip(a, c, strict=True)):
        return sign(a[first]) * sign(c[first])
    return 0
