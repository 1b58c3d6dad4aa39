"""The network of a proof of version 3 in its normal form, at any depth, in integers; and what it is on a cell.

f = l + Σ w_k R(z_k), z_k = a_k + Σ_{j<k} C_kj R(z_j). Where z is c > 0 times an earlier unit z', R(z) = c R(z'); where it is
c < 0 times that, R(z) = z + |c| R(z'), since R(−z) = R(z) − z; and where it never changes sign, by intervals over the bounds of
D, R(z) is z or 0. So every R(z_k) is an affine function of x and of the R of the units kept, and those that f does not depend
on are left out.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from operator import mul
from typing import Any

from flint import fmpz_mat

from lpnet.checker.question import Form, bits_of, bounds, extreme, over, times
from lpnet.checker.work import products

Row = Sequence[Fraction]
Sum = tuple[int, int, Form, dict[int, int]]  # p/q > 0 times: integers without common factors, affine and of the R of units kept
Ends = list[Fraction | None]
Spend = Callable[[int], None]


@dataclass(frozen=True)
class DeepForm:
    """f times a positive number, on {h > 0 for all walls h}; implied: bounds of single inputs that follow from these.

    affine: l; units: a_k; weights: w_k; links: the (j, C_kj), C_kj ≠ 0. scores: other such sums (l, all w_k), all different,
    each times a positive number; number: which of them each row asked for is.
    """

    affine: Form
    units: tuple[Form, ...]
    weights: tuple[int, ...]
    links: tuple[tuple[tuple[int, int], ...], ...]
    walls: tuple[Form, ...]
    implied: tuple[Form, ...] = ()
    scores: tuple[tuple[Form, tuple[int, ...]], ...] = ()
    number: tuple[int, ...] = ()

    @cached_property
    def levels(self) -> tuple[range, ...]:
        """The units level by level: those of one level read none of each other; one level at least."""
        starts = [0]
        for k, links in enumerate(self.links):
            if any(j >= starts[-1] for j, _ in links):
                starts.append(k)
        return tuple(map(range, starts, [*starts[1:], len(self.units)]))

    @cached_property
    def bits(self) -> int:
        """The most bits that an entry of a z_k or of f on a cell can have."""
        long: list[int] = []
        for a, links in zip(self.units, self.links, strict=True):
            long.append(bits_of([a]))
            for j, c in links:
                long[-1] = max(long[-1], abs(c).bit_length() + long[j])
            long[-1] += len(links).bit_length()
        sums = [self.weights, *(weights for _, weights in self.scores)]
        outputs = (abs(w).bit_length() + bits for row in sums for w, bits in zip(row, long, strict=True) if w)
        own = bits_of([self.affine, *self.walls, *self.implied, *(affine for affine, _ in self.scores)])
        return max([own, *long, *outputs]) + len(self.units).bit_length()

    @cached_property
    def steps(self) -> tuple[int, ...]:
        """The steps (see `work`) of `unfold` for each level, with looking at its rows once."""
        size = len(self.affine)
        return tuple(
            50 + products(size * len(level) * (2 + level.start), self.bits, min(self.bits, 64 + self.bits // 2))
            for level in self.levels
        )

    @cached_property
    def read(self) -> tuple[list[int], ...]:
        """The units that those of each level read."""
        return tuple(sorted({j for k in level for j, _ in self.links[k]}) for level in self.levels)

    @cached_property
    def factors(self) -> tuple[fmpz_mat, ...]:
        """The C_kj of each level, (units, units read)."""
        made = tuple(fmpz_mat(len(level), len(read)) for level, read in zip(self.levels, self.read, strict=True))
        for level, read, factors in zip(self.levels, self.read, made, strict=True):
            number = {j: column for column, j in enumerate(read)}
            for row, k in enumerate(level):
                for j, c in self.links[k]:
                    factors[row, number[j]] = c
        return made

    def unfold(self, level: int, signs: Sequence[int], before: Sequence[Form]) -> list[Form]:
        """The z_k of a level where the units before it are `before` and have these signs."""
        units = self.levels[level]
        own = self.units[units.start : units.stop]
        silent = (0,) * len(self.affine)
        outputs = [before[j] if signs[j] > 0 else silent for j in self.read[level]]
        if not any(map(any, outputs)):
            return list(own)
        made = (self.factors[level] * fmpz_mat(outputs)).tolist()
        return [tuple(a + int(b) for a, b in zip(form, row, strict=True)) for form, row in zip(own, made, strict=True)]

    def output(self, signs: Sequence[int], rows: Sequence[Form], score: int | None = None) -> Form:
        """f, or one of the scores, with the units of positive sign, which are these rows."""
        affine, weights = (self.affine, self.weights) if score is None else self.scores[score]
        used = [k for k, w in enumerate(weights) if w and signs[k] > 0]
        return combined(affine, [weights[k] for k in used], [rows[k] for k in used])

    def beyond(self, c: Form, signs: Sequence[int], rows: Sequence[Form]) -> tuple[Form, Sequence[int]]:
        """f and the signs on the cell beyond a facet in {c = 0} of a cell where f = c < 0 and the units are these rows.

        A unit that is no multiple of c, nor 0, keeps its sign; any other is a multiple of c beyond, too, where c > 0.
        """
        found: list[Form] = []
        turned: list[int] = []
        for level in range(len(self.levels)):
            for row in self.unfold(level, turned, found):
                k = len(found)
                keeps = any(rows[k]) and not proportion(rows[k], c)
                turned.append(signs[k] if keeps else proportion(row, c) or -1)
                found.append(row)
        return self.output(turned, found), turned


def combined(affine: Form, weights: Sequence[int], rows: Sequence[Form]) -> Form:
    """A form and multiples of others."""
    if not rows:
        return affine
    return tuple([a + sum(map(mul, weights, column)) for a, column in zip(affine, zip(*rows, strict=True), strict=True)])


def proportion(row: Form, c: Form) -> int:
    """+1 or −1 for a positive or negative multiple of c, else 0; c is not constant."""
    at = next(j for j, entry in enumerate(c) if entry)
    if not row[at] or any(left * c[at] != right * row[at] for left, right in zip(row, c, strict=True)):
        return 0
    return 1 if (row[at] > 0) == (c[at] > 0) else -1


def deep_form(
    layers: Sequence[Sequence[Row]],
    inputs: int,
    walls: Sequence[Form],
    implied: Sequence[Form],
    spend: Spend,
    scores: Sequence[Row] = (),
) -> DeepForm:
    """The form of hidden layers and, last, the output: rows (weights of the inputs and all units before, bias); scores: too."""
    known = [*walls, *implied]
    wide = bits_of(known)
    spend(products(len(known), wide, wide) + len(known) * inputs)
    merging = Merging(bounds(inputs, known), spend)
    if len(layers) == 2:  # of units on one hyperplane the first that is read is kept
        (hidden, (output,)), units = layers, range(inputs, inputs + len(layers[0]))
        used = [k for k in units if output[k]]
        layers = [hidden[k - inputs] for k in used], [[*output[:inputs], *(output[k] for k in used), output[-1]]]
    for layer in layers[:-1]:
        first = len(merging.outputs)
        sums = [merging.sum(row, inputs, first) for row in layer]
        merging.outputs += [merging.output(z) for z in sums]
    sums = [merging.sum(row, inputs, len(merging.outputs)) for row in (layers[-1][0], *scores)]
    return merging.form(sums, walls, implied)


class Merging:
    """Units one after the other in terms of those kept."""

    def __init__(self, ends: tuple[Ends, Ends], spend: Spend) -> None:
        self.ends, self.spend = ends, spend
        self.silent = (0,) * (len(ends[0]) + 1)
        self.outputs: list[Sum] = []  # what R(z_k) is
        self.units: list[tuple[Form, dict[int, int]]] = []
        self.ranges: list[tuple[Fraction, Fraction | None]] = []
        self.kept: dict[Any, int] = {}

    def sum(self, row: Row, inputs: int, units: int) -> Sum:
        """A row in terms of the units kept."""
        entries = [*row[:inputs], row[-1], *(w for w in row[inputs : inputs + units] if w)]
        used = [self.outputs[k] for k, w in enumerate(row[inputs : inputs + units]) if w]
        scale = self.multiple(entry.denominator for entry in entries)
        common = self.multiple(q for _, q, _, _ in used)
        whole = over(scale, entries)
        long = bits_of([whole]) + max((p.bit_length() for p, *_ in used), default=1) + common.bit_length()
        wide = max((bits_of([own, tuple(read.values())]) for *_, own, read in used), default=1)
        steps = (10 * (len(own) + len(read)) + products(len(own) + len(read), long, wide) for *_, own, read in used)
        self.spend(30 * len(whole) + products(2 * len(whole), long, common.bit_length()) + sum(steps))
        affine, total = [common * a for a in whole[: inputs + 1]], dict[int, int]()
        for w, (p, q, own, read) in zip(whole[inputs + 1 :], used, strict=True):
            factor = w * p * (common // q)
            if any(own):
                affine = [a + factor * b for a, b in zip(affine, own, strict=True)]
            for k, c in read.items():
                total[k] = total.get(k, 0) + factor * c
        return self.reduced(scale * common, affine, {k: c for k, c in total.items() if c})

    def multiple(self, numbers: Iterable[int]) -> int:
        """The least common multiple."""
        found = 1
        for number in numbers:
            if found % number:
                self.spend(products(3, found.bit_length(), number.bit_length()))
                found = math.lcm(found, number)
        return found

    def reduced(self, q: int, affine: Sequence[int], read: dict[int, int]) -> Sum:
        """Integers over q, without common factors."""
        p = math.gcd(*affine, *read.values())
        long = max(q.bit_length(), bits_of([tuple(affine), tuple(read.values())]))
        self.spend(products(2 * (len(affine) + len(read)), long, p.bit_length()) + 10 * len(affine))
        if p == 0:
            return 1, 1, self.silent, {}
        common = math.gcd(p, q)
        return p // common, q // common, tuple([a // p for a in affine]), {k: c // p for k, c in read.items()}

    def output(self, z: Sum) -> Sum:
        """R(z)."""
        p, q, own, read = z
        least = self.least(own, read)
        minus = times(-1, own), {k: -c for k, c in read.items()}
        most = self.least(*minus)
        if most is not None and most >= 0:
            return 1, 1, self.silent, {}
        if least is not None and least >= 0:
            return z
        key, opposite = ((affine, tuple(sorted(links.items()))) for affine, links in ((own, read), minus))
        side = -1 if key not in self.kept and opposite in self.kept else 1
        if side < 0:
            key = opposite
        if key not in self.kept:
            self.kept[key] = len(self.units)
            self.units.append((own, read))
            self.ranges.append((max(Fraction(0), least or Fraction(0)), None if most is None else -most))
        k = self.kept[key]
        if side > 0:
            return p, q, self.silent, {k: 1}
        return p, q, own, read | {k: read.get(k, 0) + 1}

    def least(self, affine: Form, read: Mapping[int, int]) -> Fraction | None:
        """The least value that intervals prove, None where there is none."""
        total = extreme(affine, *self.ends, self.spend)
        for k, c in read.items():
            end = self.ranges[k][c < 0]
            if total is None or end is None:
                return None
            long = bits(total) + bits(end)
            self.spend(products(2, long, long))
            total += c * end
        return total

    def form(self, sums: Sequence[Sum], walls: Sequence[Form], implied: Sequence[Form]) -> DeepForm:
        """The units that these depend on, f and its scores, each times a positive number that makes all of it integers."""
        needed, read_by_others = {k for *_, weights in sums for k in weights}, set[int]()
        for k in reversed(range(len(self.units))):
            if k in needed:
                read_by_others.update(self.units[k][1])
                needed |= read_by_others
        number = {k: new for new, k in enumerate(sorted(needed))}
        rows = tuple(self.units[k][0] for k in number)
        links = tuple(tuple((number[j], c) for j, c in sorted(self.units[k][1].items())) for k in number)
        (f, whole), *scores = [(affine, tuple([weights.get(k, 0) for k in number])) for *_, affine, weights in sums]
        f, whole = times(sums[0][0], f), times(sums[0][0], whole)
        distinct: dict[Form, int] = {}
        places = tuple(distinct.setdefault((*affine, *weights), len(distinct)) for affine, weights in scores)
        different = tuple((key[: len(f)], key[len(f) :]) for key in distinct)
        return DeepForm(f, rows, whole, links, tuple(walls), tuple(implied), different, places)


def bits(number: Fraction) -> int:
    """The bits of the longer of numerator and denominator."""
    return max(number.numerator.bit_length(), number.denominator.bit_length())
