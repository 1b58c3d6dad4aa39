"""Linear properties of networks: is there an input in a closed polyhedron for which the outputs are as asserted?

With max for "or" and min for "and", the assertions become one score G, a network of ReLUs: those that are closed hold where G ≥
0, and all hold where G > 0. Let D be the interior of the inputs allowed, x_i fixed being put in. If G > 0 somewhere on D, that
is a counterexample. If not, but −G − ε ≥ 0 on D for some ε > 0, then, G being continuous, G ≤ −ε on the closure of D: there is
none, whatever is strict, and that −G − ε has no half-space and the constant answer +1 is proved; where all assertions are
strict, ε = 0 will do. It is proved by bounds over boxes (`lpnet.proofs.boxes`), or else by the pieces. What remains is G ≤ 0
with G = 0 somewhere or very nearly: the closed cells where G > −ε are asked for a point with G ≥ 0, which is then looked at as
the assertions say, with < and ≤ told apart. If none is found, the assertions are a threshold circuit over their atoms, a > 0
being not −a ≥ 0, and those of the inputs are among them: it is compared with the answer "no" at all points of a somewhat larger
open domain, ties included (`lpnet.proofs.claims`), which leaves no doubt.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lpnet.equivalents import MinimalEquivalent
from lpnet.equivalents.minimal import minimal_equivalent
from lpnet.errors import InputError, LpnetError
from lpnet.exact import Form, Point, coordinates, point, times
from lpnet.io.vnnlib import Atom, Formula, Linear, Property, atoms, flat
from lpnet.networks import Polyhedron, ReLUNetwork
from lpnet.networks.affine import Layer
from lpnet.networks.claim import Claim
from lpnet.networks.exact_form import Cell
from lpnet.networks.polyhedron import as_domain
from lpnet.networks.sketch import Quantity, Sketch, total
from lpnet.networks.sketch import times as scaled
from lpnet.programs import Certificate, SignProgram
from lpnet.proofs import write_proof
from lpnet.proofs.boxes import BoxTree
from lpnet.proofs.claims import Different, write_claim
from lpnet.proofs.deep import beside
from lpnet.proofs.members import constant_point
from lpnet.watch import Watch

GUESSES, MOST_GUESSES = 1 << 12, 8
WIDER = 1 << 10  # a wall of the domain is moved out by 1 in that many
FEW_RELUS, FEW_BOXES, MANY_BOXES = 64, 1 << 12, 1 << 20
ROOM = (Fraction(1, 1 << 10), Fraction(1, 1 << 40), Fraction(1, 1 << 200))  # ε


@dataclass(frozen=True)
class Checked:
    """verdict: "sat", with a point and what the outputs are there, exactly; or "unsat", proved."""

    verdict: str
    point: tuple[Fraction, ...] | None = None
    outputs: tuple[Fraction, ...] | None = None


class Question:
    """A property of a network with these scores, as networks on a polyhedron of the inputs that are not fixed."""

    def __init__(self, scores: dict[str, ReLUNetwork], asked: Property) -> None:
        for name, network in scores.items():
            if network.inputs != len(asked.inputs):
                raise InputError(f"the network has {network.inputs} inputs, the property {len(asked.inputs)} ({name})")
        self.scores, self.asked = scores, asked
        self.fixed = fixed_inputs(asked)
        self.free = [name for name in asked.inputs if name not in self.fixed]
        if not self.free:
            raise InputError("all inputs of the property are fixed; evaluate the network there instead")
        rows = []
        for wall in asked.walls:
            row = self.within(wall.linear)
            if row.keys() - {""}:
                rows.append(self.form(row))
            elif row.get("", Fraction(0)) < 0 or (wall.strict and not row):
                raise InputError("no input is allowed by the property")
        self.domain = as_domain(Polyhedron(len(self.free), tuple(rows)), len(self.free))

    @property
    def rooms(self) -> tuple[Fraction, ...]:
        """The ε for which −G − ε ≥ 0 on D says that there is no counterexample; 0 is one where all is strict."""
        return (Fraction(0),) if all(atom.strict for atom in atoms(self.asked.rest)) else ROOM

    def within(self, linear: Linear) -> Linear:
        """With the fixed inputs put in."""
        made: Linear = {}
        for name, factor in linear.items():
            place, value = ("", factor * self.fixed[name]) if name in self.fixed else (name, factor)
            made[place] = made.get(place, Fraction(0)) + value
        return {name: factor for name, factor in made.items() if factor}

    def form(self, row: Linear) -> Form:
        """An affine function of the free inputs in integers, up to a positive factor."""
        return Property(tuple(self.free), (), (), Formula(True, ())).form(row)

    def network(self, room: Fraction) -> ReLUNetwork:
        """−G − ε."""
        return self.in_parts(room)[0]

    def in_parts(self, room: Fraction = Fraction(0), rows: Sequence[Atom] = ()) -> tuple[ReLUNetwork, Layer]:
        """−G − ε, and atoms as rows of its inputs and ReLUs, those that are strict negated."""
        sketch = Sketch(len(self.free))
        inputs = [
            sketch.affine([0] * len(self.free), self.fixed[name])
            if name in self.fixed
            else sketch.affine([int(name == other) for other in self.free], 0)
            for name in self.asked.inputs
        ]
        known = dict(zip(self.asked.inputs, inputs, strict=True))
        known |= {name: sketch.score(network, inputs) for name, network in self.scores.items()}

        def score(part: Atom | Formula) -> Quantity:
            if isinstance(part, Formula):
                parts = [score(inner) for inner in part.parts]
                return sketch.minimum(*parts) if part.every else sketch.maximum(*parts)
            constant = sketch.affine([0] * len(self.free), part.linear.get("", 0))
            return total([constant, *(scaled(c, known[name]) for name, c in part.linear.items() if name)])

        negated = scaled(-1, score(self.asked.rest))
        f = total([negated, sketch.affine([0] * len(self.free), -room)])
        return sketch.with_rows(f, [scaled(-1 if atom.strict else 1, score(atom)) for atom in rows])

    def claim(self) -> tuple[Claim, Polyhedron]:
        """That the assertions hold nowhere, on an open domain that has all inputs allowed inside."""
        whole = flat(Formula(True, (*self.asked.walls, self.asked.rest)))
        rows = list(atoms(whole))
        no = Layer(np.zeros((1, len(rows))), np.array([-1.0]))
        walls = [(*times(WIDER, h[:-1]), WIDER * h[-1] + max(map(abs, h))) for h in self.domain.forms]
        return Claim(*self.in_parts(rows=rows), (circuit(whole, rows), (no,))), Polyhedron(len(self.free), tuple(walls))

    def guesses(self) -> Iterator[Point]:
        """Points of a bounded domain at random, where floats see the assertions hold."""
        low, high = self.domain.lower, self.domain.upper
        if not np.isfinite(high - low).all():
            return
        free = low + (high - low) * np.random.default_rng(0).random((GUESSES, len(low)))
        x = np.array([np.full(GUESSES, float(self.fixed.get(name, 0))) for name in self.asked.inputs]).T
        x[:, [name not in self.fixed for name in self.asked.inputs]] = free
        values = dict(zip(self.asked.inputs, x.T, strict=True)) | {"": np.ones(GUESSES)}
        values |= {name: network.score(x) for name, network in self.scores.items()}

        def true(part: Atom | Formula) -> NDArray[np.bool_]:
            if isinstance(part, Formula):
                merge = np.logical_and if part.every else np.logical_or
                return np.asarray(merge.reduce([true(inner) for inner in part.parts]))
            here = sum((float(c) * values[name] for name, c in part.linear.items()), np.zeros(GUESSES))
            return np.asarray(here >= 0)

        inside = self.domain.contains(free)
        yield from map(point, free[true(self.asked.rest) & inside][:MOST_GUESSES])

    def holds(self, at: Point) -> Checked | None:
        """The answer if the assertions hold at a point of the free inputs, exactly."""
        free = dict(zip(self.free, coordinates(at), strict=True))
        x = tuple(Fraction(free[name] if name in free else self.fixed[name]) for name in self.asked.inputs)
        values: dict[str, Fraction] = dict(zip(self.asked.inputs, x, strict=True))
        outputs = tuple(value_at(network, x) for network in self.scores.values())
        values |= dict(zip(self.scores, outputs, strict=True)) | {"": Fraction(1)}

        def true(part: Atom | Formula) -> bool:
            if isinstance(part, Formula):
                return (all if part.every else any)(map(true, part.parts))
            here = sum((c * values[name] for name, c in part.linear.items()), Fraction(0))
            return here > 0 or (here == 0 and not part.strict)

        return Checked("sat", x, outputs) if true(Formula(True, (*self.asked.walls, self.asked.rest))) else None


def check_property(
    scores: dict[str, ReLUNetwork], asked: Property, watch: Watch | None = None, proof: str | Path | None = None
) -> Checked:
    """Whether there is an input as a property asserts; scores: the outputs that it speaks of, by name.

    proof: where to write a proof of "unsat", about `Question(scores, asked).network(ε)`. Stopped where the watch says so.
    """
    watch, question = watch or Watch(), Question(scores, asked)
    if not asked.rest.parts:
        raise InputError("the property says nothing of the outputs")
    found = next(filter(None, map(question.holds, question.guesses())), None)
    if found:
        return found
    by_boxes = bounds_hold(question, watch, proof)
    if by_boxes:
        return by_boxes
    for room in dict.fromkeys((Fraction(0), *question.rooms)):
        answer = minimal_equivalent(question.network(room), question.domain, watch=watch, recorded=True)
        if not answer.complete:
            raise watch.error()
        if answer.constant == 1 and room in question.rooms:
            if proof:
                write_proof(answer, proof, watch)
            return Checked("unsat")
        candidates = (above(answer, room) if room else inside(answer, watch)) if answer.constant != 1 else iter(())
        found = next(filter(None, map(question.holds, candidates)), None)
        if found:
            return found
    try:
        write_claim(*question.claim(), proof, watch)
    except Different as found_at:
        there = question.holds(found_at.point)
        if not there:
            raise LpnetError("the assertions do not hold at a point where they should; please report") from None
        return there
    return Checked("unsat")


def bounds_hold(question: Question, watch: Watch, proof: str | Path | None) -> Checked | None:
    """The answer if bounds over boxes give one: few of them for small networks, whose pieces are soon listed."""
    network = question.network(question.rooms[-1])
    if None in [*question.domain.bounds[0], *question.domain.bounds[1]]:
        return None
    boxes = BoxTree(network, question.domain, question.holds)
    found = boxes.grow(watch, FEW_BOXES if network.relus <= FEW_RELUS else MANY_BOXES)
    if found is True and proof:
        boxes.write(proof)
    return Checked("unsat") if found is True else found or None


def inside(answer: MinimalEquivalent, watch: Watch) -> Iterator[Point]:
    """Points where f < 0."""
    walls, numbers = answer.domain.inequalities(), range(answer.units)
    if answer.constant == -1:
        yield constant_point(answer)
    for number in numbers:
        (at,) = answer.find_witnesses([number], watch)
        yield beside(answer.form, walls, answer.pieces.patterns[answer.first_piece[number]], at)[0]


def above(answer: MinimalEquivalent, room: Fraction) -> Iterator[Point]:
    """Points of closed cells where f ≤ −ε, that is G ≥ 0."""
    walls, form = answer.domain.inequalities(), answer.form
    patterns = list(answer.pieces.patterns)
    interior = answer.domain.interior
    assert not isinstance(interior, Certificate)
    for cell in [*form.cells(patterns), form.beside(interior)]:
        at = closed_point(cell, walls, room / form.scale)
        if at:
            yield at


def closed_point(cell: Cell, walls: Sequence[Form], room: Fraction) -> Point | None:
    """A point of the closure of a cell where f ≤ −room."""
    f = (*times(-room.denominator, cell.f[:-1]), -room.denominator * cell.f[-1] - room.numerator)
    rows = [(row, 2 * side) for row, side in zip(cell.rows, cell.pattern, strict=True) if any(row[:-1])]
    forms, relations = [*(row for row, _ in rows), *walls, f], [*(side for _, side in rows), *[2] * (len(walls) + 1)]
    found = SignProgram(forms, len(cell.f) - 1).decide(relations)
    return None if isinstance(found, Certificate) else found


def circuit(whole: Formula, rows: Sequence[Atom]) -> tuple[Layer, ...]:
    """Threshold units that are +1 where a formula holds, layer by layer, over the signs of its atoms, strict ones negated.

    Of n parts all hold where Σ ±1 − n ≥ 0, one does where Σ ±1 + n − 2 ≥ 0. What later layers read goes through as it is.
    """
    values: list[tuple[Atom | Formula, float]] = [(atom, -1.0 if atom.strict else 1.0) for atom in rows]
    layers: list[Layer] = []
    for height in range(1, tall(whole) + 1):
        made = [part for part in parts_of(whole) if isinstance(part, Formula) and tall(part) == height]
        read = {id(inner) for part in parts_of(whole) if tall(part) > height for inner in getattr(part, "parts", ())}
        kept = [part for part, _ in values if id(part) in read]
        weight = np.zeros((len(made) + len(kept), len(values)))
        for line, part in zip(weight, [*made, *kept], strict=True):
            own = {id(inner) for inner in part.parts} if isinstance(part, Formula) and part in made else {id(part)}
            line[:] = [factor if id(value) in own else 0.0 for value, factor in values]
        sizes = [(len(part.parts), part.every) for part in made]
        layers.append(Layer(weight, np.array([-n if every else n - 2 for n, every in sizes] + [0] * len(kept), dtype=float)))
        values = [(part, 1.0) for part in (*made, *kept)]
    return tuple(layers)


def tall(part: Atom | Formula) -> int:
    """How many formulas lie within each other."""
    return 1 + max(map(tall, part.parts), default=0) if isinstance(part, Formula) else 0


def parts_of(whole: Atom | Formula) -> Iterator[Atom | Formula]:
    """A formula and all parts of its parts."""
    yield whole
    for inner in whole.parts if isinstance(whole, Formula) else ():
        yield from parts_of(inner)


def fixed_inputs(asked: Property) -> dict[str, Fraction]:
    """The inputs that have one value only, by bounds that meet."""
    ends: dict[str, list[list[Fraction]]] = {name: [[], []] for name in asked.inputs}
    for wall in asked.walls:
        names = [*(wall.linear.keys() - {""})]
        if len(names) == 1:
            factor = wall.linear[names[0]]
            ends[names[0]][factor < 0].append(-wall.linear.get("", Fraction(0)) / factor)
    return {name: max(low) for name, (low, high) in ends.items() if low and high and max(low) == min(high)}


def value_at(network: ReLUNetwork, x: Sequence[Fraction]) -> Fraction:
    """f at a point, exactly."""
    form, size = network.exact_form, math.lcm(*(z.denominator for z in x))
    at = (*(int(z * size) for z in x), size)
    return sum(form.terms_at(at)) * form.scale / size
