"""The normal form of a network: f = l + Σ w_k R(z_k) with distinct hyperplanes, and without units that say nothing."""

import math
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from lpnet.exact import Form, add, times
from lpnet.networks.exact_form import ExactForm, Links, Sum, combined
from lpnet.networks.polyhedron import Ends, Polyhedron, as_domain
from lpnet.networks.relu import ReLUNetwork

Vector = dict[int, int]  # of units, by their new numbers


def normal_form(network: ReLUNetwork, domain: Polyhedron | None = None) -> ExactForm:
    """f on a domain (default: all of R^d) with no constant z_k, no two proportional ones, and none that f does not depend on.

    Units that are multiples of each other are merged: w R(z) + w' R(cz) = (w + cw') R(z) for c > 0, and R(−z) = R(z) − z
    moves the two-sided ones into what is linear; what cancels leaves; a unit that never changes sign on the domain, by interval
    arithmetic, joins what reads it or vanishes. All in integers: no coincidence of hyperplanes is missed or invented.
    """
    domain = as_domain(domain, network.inputs)
    return normalised(network.exact_form, domain)


def normalised(form: ExactForm, domain: Polyhedron) -> ExactForm:
    """`normal_form` of a form."""
    made = _Merging(form, domain.bounds)
    affine, weights = combined(form.affine, enumerate(form.signs), made.outputs, made.outputs)
    return _without_idle(form, affine, made.units, weights)


class _Merging:
    """Units one after the other in terms of those kept: z_k → affine + Σ factor R(kept)."""

    def __init__(self, form: ExactForm, ends: tuple[Ends, Ends]) -> None:
        self.nothing: Form = (0,) * len(form.affine)
        self.outputs: dict[int, Sum] = {}  # what R(z_k) is
        self.units: list[tuple[Form, Links]] = []
        self.ranges: list[tuple[Fraction, Fraction | None]] = []  # of the kept units' outputs
        self.kept: dict[tuple[Form, Links], int] = {}
        for k, a in enumerate(form.units):
            row, read = combined(a, form.links[k] if form.links else (), self.outputs, self.outputs)
            self.outputs[k] = self.output(row, read, ends)

    def output(self, row: Form, read: Vector, ends: tuple[Ends, Ends]) -> Sum:
        """R(z) of z = row + Σ read."""
        least, most = self.least(row, read, ends), self.least(times(-1, row), {j: -c for j, c in read.items()}, ends)
        if most is not None and most >= 0:
            return self.nothing, {}
        if least is not None and least >= 0:
            return row, read
        vector = *row, *(factor for _, factor in sorted(read.items()))
        size = math.gcd(*vector)
        side = 1
        key = reduced(row, read, size)
        if key not in self.kept:
            opposite = reduced(row, read, -size)
            side, key = (-1, opposite) if opposite in self.kept else (1, key)
        if key not in self.kept:
            self.kept[key] = len(self.units)
            self.units.append(key)
            self.ranges.append((max(Fraction(0), least or Fraction(0)) / size, None if most is None else -most / size))
        bend = {self.kept[key]: size}
        if side > 0:
            return self.nothing, bend
        return row, {unit: read.get(unit, 0) + bend.get(unit, 0) for unit in {*read, *bend}}

    def least(self, row: Form, read: Vector, ends: tuple[Ends, Ends]) -> Fraction | None:
        """The least value of row + Σ read on the domain that interval arithmetic proves; None where there is none."""
        total = _minimum(row, ends)
        for unit, factor in read.items():
            end = self.ranges[unit][factor < 0]
            if total is None or end is None:
                return None
            total += factor * end
        return total


def reduced(row: Form, read: Vector, size: int) -> tuple[Form, Links]:
    """A unit divided by a whole number."""
    return tuple(entry // size for entry in row), tuple(sorted((unit, factor // size) for unit, factor in read.items()))


def _without_idle(form: ExactForm, affine: Form, units: Sequence[tuple[Form, Links]], weights: Vector) -> ExactForm:
    """The form of the units that f depends on; |w_k| joins those that nothing else reads."""
    number, read_by_others = _read(set(weights), units)
    rows, signs, links = [], [], []
    for k in number:
        weight, (row, read) = weights.get(k, 0), units[k]
        factor = 1 if k in read_by_others else abs(weight)
        rows.append(times(factor, row))
        links.append(tuple((number[j], factor * c) for j, c in read))
        signs.append(weight // factor)
    return ExactForm(affine, tuple(rows), tuple(signs), form.exponent, form.divisor, tuple(links) if any(links) else ())


def _read(needed: set[int], units: Sequence[tuple[Form, Links]]) -> tuple[Vector, set[int]]:
    """New numbers of these units and of those that they read, and which of them others read."""
    read_by_others: set[int] = set()
    for k in reversed(range(len(units))):
        if k in needed:
            read_by_others.update(j for j, _ in units[k][1])
            needed |= read_by_others
    return {k: new for new, k in enumerate(sorted(needed))}, read_by_others


def normalised_outputs(
    affine: Sequence[Form], weights: Sequence[Sequence[int]], body: ExactForm, domain: Polyhedron
) -> tuple[list[Form], list[tuple[int, ...]], ExactForm]:
    """Outputs s_o = l_o + Σ w_ok R(z_k) of the units of one form less the last one of them, and these units, in normal form.

    Units that no output depends on after that leave, as do those that all outputs add alike.
    """
    made = _Merging(body, domain.bounds)
    sums = [combined(row, enumerate(own), made.outputs, made.outputs) for row, own in zip(affine, weights, strict=True)]
    last, common = sums[-1]
    rows = [add(row, times(-1, last)) for row, _ in sums]
    differences = [{k: w for k in {*own, *common} if (w := own.get(k, 0) - common.get(k, 0))} for _, own in sums]
    number, _ = _read({k for own in differences for k in own}, made.units)
    links = tuple(tuple((number[j], c) for j, c in made.units[k][1]) for k in number)
    units = tuple(made.units[k][0] for k in number)
    form = replace(body, units=units, signs=(0,) * len(units), links=links if any(links) else ())
    return rows, [tuple(own.get(k, 0) for k in number) for own in differences], form


def _minimum(form: Form, ends: tuple[Ends, Ends]) -> Fraction | None:
    """The least value of a form between these bounds; None where it has none."""
    least = Fraction(form[-1])
    for coefficient, lower, upper in zip(form[:-1], *ends, strict=True):
        if coefficient:
            end = lower if coefficient > 0 else upper
            if end is None:
                return None
            least += coefficient * end
    return least
