"""The class of largest score, in integers: k outputs of the same units, of any depth, without any rounding.

A tie goes to the output that comes first, as argmax has it in numpy, torch and scikit-learn. Only differences of scores matter.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lpnet.brief import brief
from lpnet.exact import Form, Point, add, times, value
from lpnet.networks.exact_form import Cell, ExactForm, Links, Sum
from lpnet.networks.normal_form import normalised_outputs
from lpnet.networks.polyhedron import Polyhedron
from lpnet.networks.residues import groups

Pair = tuple[int, int]


@dataclass(frozen=True)
class Decision:
    """The class of the first output o with the largest s_o(x) = 2^exponent / divisor · (l_o(x) + Σ_k w_ok R(z_k(x))).

    body: the z_k and the scale, as a form that is 0; affine: l_o; weights: w_ok, integers; classes: for which class each output
    speaks. Outputs are known here by their place, and what is equal to an earlier one may be left out.
    """

    body: ExactForm
    affine: tuple[Form, ...]
    weights: tuple[tuple[int, ...], ...]
    classes: tuple[int, ...]

    __repr__ = brief("inputs")

    @property
    def inputs(self) -> int:
        """d."""
        return self.body.inputs

    @property
    def exponent(self) -> int:
        """Of the scale of all scores."""
        return self.body.exponent

    @cached_property
    def pairs(self) -> list[Pair]:
        """Two outputs that speak for different classes, the first one winning ties."""
        k = len(self.classes)
        return [(i, j) for i in range(k) for j in range(i + 1, k) if self.classes[i] != self.classes[j]]

    def pair(self, i: int, j: int) -> ExactForm:
        """s_i − s_j; its weights may be any integers."""
        signs = tuple(a - b for a, b in zip(self.weights[i], self.weights[j], strict=True))
        return replace(self.body, affine=add(self.affine[i], times(-1, self.affine[j])), signs=signs)

    def against(self, members: Sequence[int]) -> ExactForm:
        """The largest s_o of some outputs less the largest of the others, max(p, q) = p + R(q − p) being one more unit each."""
        units, links = list(self.body.units), list(self.body.links or [()] * len(self.body.units))
        outputs = [(line, dict(enumerate(row))) for line, row in zip(self.affine, self.weights, strict=True)]
        first, second = (
            _largest([output for o, output in enumerate(outputs) if (o in members) == wanted], units, links)
            for wanted in (True, False)
        )
        f, weights = _minus(first, second)
        signs = tuple(weights.get(k, 0) for k in range(len(units)))
        return replace(self.body, affine=f, units=tuple(units), signs=signs, links=tuple(links))

    def parted(self, domain: Polyhedron) -> tuple["Decision", int]:
        """The decision by s_o − ε 256^o, in which no tie is left, and b.

        *Theorem.* Let B be a function of the signs of forms h + e ε, h a z_k or a difference of scores on a cell, sgn(0) = +1,
        and F_ε one of these scores (or the largest of some) less the largest of the others. If B = [F_ε ≥ 0] at all points of
        the domain, then with h + e ε replaced by [h ≥ 0] for e ≥ 0, by [h > 0] for e < 0, B says exactly where the class is one
        of those, ties included.
        *Proof.* Where the two differ is a union of faces of an arrangement of hyperplanes in (x, ε), whose extent in ε has its
        ends at vertices, or at 0. By Cramer's rule and Hadamard's inequality these have ε ≥ 2^−(d+1)b, where 2^b is more than
        the lengths of all gradients in (x, ε), and ε here is less: so B = [F_ε ≥ 0] for all smaller ε > 0, too. Let ε → 0 at x:
        F_ε(x) ≥ 0 at the end just where no score before the largest of these reaches it, and none behind exceeds it. ∎
        And h is known from h + e ε (`lpnet.equivalents.class_circuits.limit`): gradients have entries of less than 2^b, and
        ε = 2^−(d+2)b−1 is small enough for both.
        """
        weight = [1 << 8 * o for o in range(len(self.classes))]
        slopes = self.body.slopes
        scores = [
            sum(map(abs, row[:-1])) + sum(abs(w) * slope for w, slope in zip(weights, slopes, strict=True))
            for row, weights in zip(self.affine, self.weights, strict=True)
        ]
        walls = [sum(map(abs, h[:-1])) for h in domain.inequalities()]
        bits = max([*slopes, 2 * (max(scores) + weight[-1]), *walls]).bit_length()
        larger = self.each(partial(times, 1 << (self.inputs + 2) * bits + 1))
        body = replace(larger.body, exponent=self.exponent - (self.inputs + 2) * bits - 1)
        nothing = (0,) * self.inputs
        affine = tuple(add(row, (*nothing, -w)) for row, w in zip(larger.affine, weight, strict=True))
        return replace(larger, affine=affine, body=body), bits

    def scores(self, cell: Cell) -> list[Form]:
        """What the outputs are on a cell."""
        made = []
        for affine, weights in zip(self.affine, self.weights, strict=True):
            for row, weight, side in zip(cell.rows, weights, cell.pattern, strict=True):
                if weight and side > 0:
                    affine = add(affine, times(weight, row))
            made.append(affine)
        return made

    def scores_at(self, at: Point) -> list[int]:
        """All s_o at an exact point p, times p[d] and divided by the scale."""
        outputs = [max(0, z) for z in self.body.units_at(at)]
        return [
            value(affine, at) + sum(w * out for w, out in zip(weights, outputs, strict=True))
            for affine, weights in zip(self.affine, self.weights, strict=True)
        ]

    def class_at(self, at: Point) -> int:
        """The class at an exact point."""
        scores = self.scores_at(at)
        return self.classes[scores.index(max(scores))]

    def halfspaces(self, patterns: NDArray[np.bool_], pairs: NDArray[np.intp]) -> Any:
        """s_i − s_j on the cells of pieces, one after the other; (pieces, m), (pieces, 2)."""
        for cell, (i, j) in zip(self.body.cells(patterns), pairs, strict=True):
            signs = [a - b for a, b in zip(self.weights[i], self.weights[j], strict=True)]
            form = add(self.affine[i], times(-1, self.affine[j]))
            for row, weight, side in zip(cell.rows, signs, cell.pattern, strict=True):
                if weight and side > 0:
                    form = add(form, times(weight, row))
            yield form

    def perhaps_equal(self, patterns: NDArray[np.bool_], pairs: NDArray[np.intp]) -> list[NDArray[np.intp]]:
        """Numbers of pieces whose half-spaces may be the same (`lpnet.networks.residues`)."""
        forms = [self.pair(i, j) for i, j in self.pairs]
        number = {pair: k for k, pair in enumerate(self.pairs)}
        which = np.array([number[i, j] for i, j in pairs.tolist()], dtype=np.intp)
        return groups(self.body, patterns, [form.affine for form in forms], [form.signs for form in forms], which)

    def each(self, change: Any) -> "Decision":
        """The decision with all that is affine changed in the same way: by a linear substitution of the inputs."""
        return replace(self, body=self.body.each(change), affine=tuple(map(change, self.affine)))


def _largest(outputs: Sequence[Sum], units: list[Form], links: list[Links]) -> Sum:
    """The largest of some sums, in pairs, then of what is left in pairs; the units that this takes join the others."""
    while len(outputs) > 1:
        larger = []
        for first, second in zip(outputs[::2], outputs[1::2], strict=False):
            row, read = _minus(second, first)
            units.append(row)
            links.append(tuple(sorted((k, w) for k, w in read.items() if w)))
            larger.append((first[0], first[1] | {len(units) - 1: 1}))
        outputs = [*larger, *outputs[len(outputs) & ~1 :]]
    return outputs[0]


def _minus(left: Sum, right: Sum) -> Sum:
    weights = {k: left[1].get(k, 0) - right[1].get(k, 0) for k in {*left[1], *right[1]}}
    return add(left[0], times(-1, right[0])), weights


def normal_decision(
    affine: Sequence[Form], weights: Sequence[Sequence[int]], body: ExactForm, classes: Sequence[int], domain: Polyhedron
) -> Decision:
    """The decision in normal form on a domain: distinct units on which some difference of scores depends, distinct outputs.

    An output equal to an earlier one never wins, and is left out. The last one is subtracted from all.
    """
    moved, table, form = normalised_outputs(affine, weights, body, domain)
    distinct = dict[tuple[Form, tuple[int, ...]], int]()
    for place, output in enumerate(zip(moved, table, strict=True)):
        distinct.setdefault(output, place)
    lines, rows = zip(*distinct, strict=True)
    return Decision(form, tuple(lines), tuple(rows), tuple(classes[place] for place in distinct.values()))
