"""ReLUs and steps in integers: z_k = a_k + Σ_{j<k} C_kj g_j(z_j), the last unit deciding, without any rounding.

A step's active branch is the constant 1. Of each z_k only the sign counts, and for a ReLU R(cz) = c R(z), c > 0: so every unit
is in whole numbers of its own.
"""

import math
import operator
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

from flint import fmpz_mat

from lpnet.brief import brief
from lpnet.exact import Form, Numbers, Point, add, fraction, sign, value
from lpnet.networks.exact_form import Links

RELU, STEP, STRICT = "relu", "step", "strict_step"  # max(0, z); 1 where z ≥ 0, else 0; 1 where z > 0, else 0


@dataclass(frozen=True)
class StepForm:
    """+1 where the last unit is active, else −1.

    units: a_k, d+1 integers each; links: (j, C_kj) with C_kj ≠ 0, by units; gates: RELU, STEP or STRICT, the last one STEP.
    """

    units: tuple[Form, ...]
    links: tuple[Links, ...]
    gates: tuple[str, ...]

    __repr__ = brief("inputs")

    @property
    def inputs(self) -> int:
        """d."""
        return len(self.units[0]) - 1

    @cached_property
    def levels(self) -> tuple[range, ...]:
        """The units level by level: those of one level read none of each other. The last level is the one that decides."""
        starts = [0]
        for k, links in enumerate(self.links):
            if any(j >= starts[-1] for j, _ in links):
                starts.append(k)
        last = len(self.units) - 1
        starts += [last] if starts[-1] < last else []
        return tuple(map(range, starts, [*starts[1:], len(self.units)]))

    @cached_property
    def read_later(self) -> tuple[tuple[int, ...], ...]:
        """The units before each level that are read in it or later."""
        return tuple(
            tuple(sorted({j for links in self.links[level.start :] for j, _ in links if j < level.start}))
            for level in self.levels
        )

    @cached_property
    def constant(self) -> tuple[bool, ...]:
        """Of each level, whether its units are constant wherever the signs of those before are fixed."""
        plain = (not any(any(a[:-1]) for a in self.units[level.start : level.stop]) for level in self.levels)
        return tuple(map(operator.and_, plain, self._of_steps))

    @cached_property
    def constant_from(self) -> tuple[bool, ...]:
        """Of each level, whether no unit in it or later reads an input itself."""
        return tuple(not any(any(a[:-1]) for a in self.units[level.start :]) for level in self.levels)

    def active(self, k: int, side: int) -> bool:
        """Whether unit k is active where z_k has this sign."""
        return side > 0 or (side == 0 and self.gates[k] == STEP)

    def output(self, k: int, row: Form, side: int) -> Form:
        """g_k where z_k is `row` and has this sign."""
        if not self.active(k, side):
            return self._zero
        return row if self.gates[k] == RELU else self._one

    @cached_property
    def _zero(self) -> Form:
        return (0,) * (self.inputs + 1)

    @cached_property
    def _one(self) -> Form:
        return (0,) * self.inputs + (1,)

    @cached_property
    def _of_steps(self) -> tuple[bool, ...]:
        """Of each level, whether its units read no ReLU."""
        return tuple(all(self.gates[j] != RELU for k in level for j, _ in self.links[k]) for level in self.levels)

    def unfold(self, level: int, outputs: Sequence[Form]) -> Sequence[Form]:
        """The units of a level, in terms of x, where those before it give out these forms."""
        units = self.levels[level]
        own = self.units[units.start : units.stop]
        if self._of_steps[level]:
            on = [out is self._one for out in outputs]
            more = (sum([c for j, c in self.links[k] if on[j]]) for k in units)
            return [(*a[:-1], a[-1] + extra) if extra else a for a, extra in zip(own, more, strict=True)]
        if not any(map(any, outputs)):
            return own
        made = self._factors[level] * fmpz_mat(list(outputs))
        return [add(a, tuple(map(int, row))) for a, row in zip(own, made.tolist(), strict=True)]

    @cached_property
    def _factors(self) -> list[fmpz_mat]:
        """The C_kj of each level, (units, units before)."""
        made = [fmpz_mat(len(level), level.start) for level in self.levels]
        for level, factors in zip(self.levels, made, strict=True):
            for row, k in enumerate(level):
                for j, c in self.links[k]:
                    factors[row, j] = c
        return made

    def unfolded(self, side: Callable[[Form], int]) -> tuple[list[int], list[Form]]:
        """The signs of all units, and what they are, where a unit that is `row` there has the sign side(row)."""
        sides: list[int] = []
        rows: list[Form] = []
        outputs: list[Form] = []
        for level in range(len(self.levels)):
            own = self.unfold(level, outputs)
            found = list(map(side, own))
            outputs += [self.output(k, row, s) for k, row, s in zip(self.levels[level], own, found, strict=True)]
            rows, sides = [*rows, *own], [*sides, *found]
        return sides, rows

    def sign_at(self, at: Point) -> int:
        """The answer ±1 at an exact point."""
        return 1 if self.units_at(at)[-1] >= 0 else -1

    def units_at(self, at: Point) -> list[int]:
        """All z_k at an exact point p, times p[d] > 0."""
        values: list[int] = []
        for a, links in zip(self.units, self.links, strict=True):
            read = ((j, c) for j, c in links if self.active(j, sign(values[j])))
            values.append(value(a, at) + sum(c * (values[j] if self.gates[j] == RELU else at[-1]) for j, c in read))
        return values


def step_form(layers: Sequence[Numbers], gates: Iterable[str], inputs: int) -> StepForm:
    """The form of layers of units, rows (weight, bias) that read the inputs and all units before; gates: of all, in order."""
    kinds, scales = tuple(gates), list[Fraction]()
    units, links = list[Form](), list[Links]()
    for rows in layers:
        before = len(units)
        for row in rows:
            *entries, bias = map(fraction, row)
            own = [*entries[:inputs], bias]
            read = {j: c / scales[j] if kinds[j] == RELU else c for j, c in enumerate(entries[inputs : inputs + before]) if c}
            whole, scale = in_integers([*own, *read.values()])
            scales.append(scale)
            units.append(tuple(whole[: inputs + 1]))
            links.append(tuple(zip(read, whole[inputs + 1 :], strict=True)))
    return StepForm(tuple(units), tuple(links), kinds)


def in_integers(numbers: Sequence[Fraction]) -> tuple[list[int], Fraction]:
    """The shortest integers in these proportions, and the positive number that they are these times."""
    common = math.lcm(*(number.denominator for number in numbers))
    scale = Fraction(common, math.gcd(*(int(number * common) for number in numbers)) or 1)
    return [int(number * scale) for number in numbers], scale
