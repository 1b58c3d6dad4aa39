"""Why a network answers as it does at a point: a few half-spaces around the point that force the answer.

A *region* says, for some hyperplanes {g = 0}, on which sides of them a point may lie: below, on or above. It is kept by the
primitive g whose first coefficient is positive, so that no half-space goes by two names.
"""

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

import numpy as np

from lpnet.exact import Form, Numbers, Point, common_integers, primitive, sign, times, value
from lpnet.networks import ExactForm, Polyhedron, ReLUNetwork, SignCircuit, SignNetwork, StepNetwork, normal_form
from lpnet.networks.affine import Layer
from lpnet.networks.concave import FALLS, directions
from lpnet.networks.decision import Decision
from lpnet.networks.exact_form import Cell
from lpnet.networks.step_form import RELU, STEP, STRICT, StepForm

BELOW, ON, ABOVE = 1, 2, 4
ANYWHERE, OFF = BELOW | ON | ABOVE, BELOW | ABOVE
PLANES = 1 << 12  # that are kept
_TURNED = {side: (side & ON) | (ABOVE if side & BELOW else 0) | (BELOW if side & ABOVE else 0) for side in range(8)}

Network = ReLUNetwork | SignNetwork | SignCircuit | StepNetwork
Literal = tuple[Form, int]
Region = Mapping[Form, int]
ValueOf = Callable[[Form], int]
# From what forms are at a point (the sign counts, the size is a hint) and the region that it is known to lie in: the answer,
# and half-spaces that hold at the point and force the answer wherever they hold together.
Reasons = Callable[[ValueOf, Region], tuple[int, list[Literal]]]


def reasons(network: Network, domain: Polyhedron) -> Reasons:
    """The reasons of a network's answers inside a domain."""
    if isinstance(network, ReLUNetwork):
        return relu_reasons(normal_form(network, domain))
    return step_reasons(network.exact_form) if isinstance(network, StepNetwork) else sign_reasons(network)


def relu_reasons(form: ExactForm) -> Reasons:
    """For f in normal form, and c what f is on the cell of the point:

    f ≥ c where the z_k that f falls with, as they are on that cell, stay on their closed sides: R(z_k) ≥ 0 and R(z_k) ≥ z_k for
    those it grows with, and R(z) = z or 0 is the most it can be for the others. f ≤ c likewise. What a unit must be for that,
    the units that it reads must be too, but for one f grows with that is inactive. So the sides of some units and the sign of
    c force the sign of f. With one layer they are the units with s_k of the other sign.
    """
    plane = lru_cache(PLANES)(partial(halfspace, sides=ABOVE))

    def why(value_of: ValueOf, known: Region) -> tuple[int, list[Literal]]:
        def side(_: int, row: Form) -> int:
            at = value_of(row)
            if at or not any(row[:-1]):
                return at
            g, above = plane(row)
            return known.get(g, ANYWHERE) & above

        pattern, rows, c = form.unfolded(side)
        answer = 1 if value_of(c) >= 0 else -1
        ways = directions(form, answer, lambda k, ways: ways if pattern[k] > 0 else ways & FALLS)
        literals = []
        for way, active, row in zip(ways, pattern, rows, strict=True):
            if way & FALLS and any(row[:-1]):
                g, above = plane(row)
                literals.append((g, above | ON if active > 0 else ANYWHERE & ~above))
        if any(c[:-1]):
            literals.append(halfspace(c, ABOVE | ON if answer > 0 else BELOW))
        return answer, literals

    return why


def class_reasons(decision: Decision) -> Reasons:
    """Of a class: the reasons why no output before the largest one reaches it, and none after exceeds it."""
    made = {}
    for pair in itertools.combinations(range(len(decision.classes)), 2):
        made[pair] = relu_reasons(decision.pair(*pair))

    def why(value_of: ValueOf, known: Region) -> tuple[int, list[Literal]]:
        best, literals = 0, dict[Form, int]()
        for q in range(1, len(decision.classes)):
            answer, found = made[best, q](value_of, meet(known.items(), literals.items()))
            literals = meet(literals.items(), found)
            best = best if answer > 0 else q
        return decision.classes[best], list(literals.items())

    return why


def step_reasons(form: StepForm) -> Reasons:
    """For ReLUs and steps: the branches of the units that the last one depends on, those before them first.

    What is made of steps alone is forced by some of them (`Gate.forced_by`); other units need all that they read.
    """
    gates = {k: gate for k in range(len(form.units)) if (gate := junction(form, k))}

    def why(value_of: ValueOf, known: Region) -> tuple[int, list[Literal]]:
        sizes: list[int] = []

        def side(row: Form) -> int:
            sizes.append(value_of(row))
            return sign(sizes[-1])

        sides, rows = form.unfolded(side)
        values = [1 if form.active(k, s) else -1 for k, s in enumerate(sides)]
        needed, literals = {len(sides) - 1}, list[Literal]()
        for k in reversed(range(len(sides))):
            if k not in needed:
                continue
            if any(rows[k][:-1]):
                literals.append(halfspace(rows[k], branch(form.gates[k], values[k])))
            if k in gates and not (form.gates[k] == RELU and values[k] > 0):
                free = [not any(row[:-1]) for row in rows]
                needed.update(gates[k].forced_by(values, [(not f, -abs(z)) for f, z in zip(free, sizes, strict=True)])[1])
            else:
                needed.update(j for j, _ in form.links[k])
        return values[-1], literals

    return why


def branch(gate: str, active: int) -> int:
    """Where a unit has a branch of its gate; a ReLU has both where its sum is 0."""
    if active > 0:
        return ABOVE if gate == STRICT else ABOVE | ON
    return BELOW if gate == STEP else BELOW | ON


def junction(form: StepForm, k: int) -> "Gate | None":
    """A unit that reads steps alone as one on inputs ±1 that is +1 where it is active; None for others."""
    read = form.links[k]
    if any(form.units[k][:-1]) or any(form.gates[j] == RELU for j, _ in read):
        return None
    strict = form.gates[k] != STEP  # 2 (a + Σ C g) ≥ 0, or ≥ 1, with g = (1 ± 1) / 2
    return Gate(read, 2 * form.units[k][-1] + sum(c for _, c in read) - strict)


def sign_reasons(network: SignNetwork | SignCircuit) -> Reasons:
    """The reasons of a network of threshold units."""
    hidden = common_forms(network.input_layer)
    if isinstance(network, SignCircuit):
        middle = [Gate.of(weight, bias, used.tolist()) for used, weight, bias in network.middle_units]
    else:
        middle = [Gate(((k, 1),), 0) for k in range(network.units)]
    return gate_reasons(hidden, middle, Gate.of(network.output_weight, network.output_bias))


def gate_reasons(hidden: Sequence[Form], middle: Sequence["Gate"], output: "Gate") -> Reasons:
    """Threshold units whose values force the output; in a circuit, first of the middle layer, then those that force these."""
    planes = [halfspace(h, ABOVE | ON) if any(h[:-1]) else None for h in hidden]

    def why(value_of: ValueOf, known: Region) -> tuple[int, list[Literal]]:
        sizes = [value_of(h) for h in hidden]
        values = [1 if size >= 0 else -1 for size in sizes]
        sides = [
            plane and (plane[0], plane[1] if v > 0 else ANYWHERE & ~plane[1]) for plane, v in zip(planes, values, strict=True)
        ]
        free = [side is None or not known.get(side[0], ANYWHERE) & ~side[1] for side in sides]
        prices = [(not f, -abs(size)) for f, size in zip(free, sizes, strict=True)]
        forced = [gate.forced_by(values, prices) for gate in middle]
        new = [sum(not free[k] for k in units) for _, units in forced]
        answer, chosen = output.forced_by([z for z, _ in forced], new)
        units = dict.fromkeys(k for j in chosen for k in forced[j][1])
        return answer, [side for k in units if (side := sides[k]) is not None]

    return why


def common_forms(layer: Layer) -> list[Form]:
    """weight·x + bias in integers, all rows on one scale."""
    return [tuple(row) for row in common_integers(layer.rows)[0].tolist()]


@dataclass(frozen=True)
class Gate:
    """A threshold unit on inputs ±1 in integers: its inputs with their weights, none of them 0, and its bias."""

    weights: tuple[tuple[int, int], ...]
    bias: int

    @classmethod
    def of(cls, weight: Numbers, bias: Any, inputs: Iterable[int] | None = None) -> "Gate":
        """The unit with these weights; inputs: of which inputs they are, all if it is not given."""
        *exact, last = common_integers(np.append(weight, bias))[0].tolist()
        return cls(tuple((k, w) for k, w in zip(inputs or itertools.count(), exact, strict=False) if w), last)

    def forced_by(self, values: Sequence[int], prices: Sequence[Any]) -> tuple[int, list[int]]:
        """The value ±1, and a few inputs, cheap ones first, whose values force it whatever the others are."""
        total = self.bias + sum(w * values[k] for k, w in self.weights)
        answer = 1 if total >= 0 else -1
        worst = answer * self.bias - sum(abs(w) for _, w in self.weights)
        supporting = [(prices[k], -abs(w), k) for k, w in self.weights if w * values[k] * answer > 0]
        chosen = []
        for _, weight, k in sorted(supporting):
            if worst > 0 or (worst == 0 and answer > 0):
                break
            worst -= 2 * weight
            chosen.append(k)
        return answer, chosen


def halfspace(form: Form, sides: int) -> Literal:
    """Where a form that is not constant has one of these signs."""
    form = primitive(form)
    return (form, sides) if next(filter(None, form)) > 0 else (times(-1, form), _TURNED[sides])


def sides_of(cell: Cell, closed: bool = False) -> list[Literal]:
    """Where the units have the signs that they have on a cell, but for those that are constant there."""
    sides = {1: ABOVE | ON * closed, -1: BELOW | ON * closed}
    return [halfspace(row, sides[side]) for side, row in zip(cell.pattern, cell.rows, strict=True) if any(row[:-1])]


def meet(*parts: Iterable[Literal]) -> dict[Form, int]:
    """The region in which all of these half-spaces hold."""
    region: dict[Form, int] = {}
    for part in parts:
        for form, sides in part:
            region[form] = region.get(form, ANYWHERE) & sides
    return region


def values_at(at: Point) -> ValueOf:
    """The values of forms at a point, times a positive number."""
    return lambda form: value(form, at)


def answer_at(network: Network, at: Point) -> int:
    """The network's answer at an exact point, from its weights as they are given."""
    if isinstance(network, ReLUNetwork | StepNetwork):
        return 1 if network.exact_form.sign_at(at) >= 0 else -1
    signs = np.array([1.0 if value(h, at) >= 0 else -1.0 for h in network.input_layer.forms])
    return int(network.from_signs(signs.reshape(1, network.units))[0, 0])
