"""Proofs that a network is positive all over a bounded domain: boxes cut in two until a bound through its layers holds on each.

Where networks are deep and boxes small, bounds decide what no list of pieces could. They are the checker's own, with room, so
that it comes to the same (`lpnet.checker.relaxed`); the box of the input that moves the bounds most is halved first.
"""

import json
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from lpnet.checker import deep as leaf
from lpnet.checker.deep_form import DeepForm, deep_form
from lpnet.checker.deep_proof import MOST_NODES
from lpnet.checker.nodes import whole_type
from lpnet.checker.proof import DEEP
from lpnet.checker.relaxed import MARGIN, Boxes, Floats, Relaxation, bounded, divided
from lpnet.checker.work import Work
from lpnet.exact import Form, Point, point, primitive
from lpnet.io import replacing
from lpnet.networks import Polyhedron, ReLUNetwork
from lpnet.programs import Certificate
from lpnet.proofs.deep import fractions_of
from lpnet.proofs.members import Members, header_fields, in_hexadecimal
from lpnet.watch import Watch

T = TypeVar("T")
AT_ONCE = 1 << 18  # entries of bounds of units
TRIED = 8  # points a round


@dataclass
class BoxTree(Generic[T]):
    """Boxes of a bounded domain, a tree of them; look: what there is to say at a point where the network is not positive.

    splits: the number of the form {x_j = c} that halves each box, −1 where it is whole, with the numbers of its two parts.
    """

    network: ReLUNetwork
    domain: Polyhedron
    look: Callable[[Point], T | None]
    forms: dict[Form, int] = field(default_factory=dict)
    splits: list[tuple[int, int, int]] = field(default_factory=lambda: [(-1, 0, 0)])

    def grow(self, watch: Watch, most: int) -> T | bool:
        """True once the network is positive on all boxes, False where that takes more than so many; or what `look` had to say.

        Stopped where the watch says so.
        """
        relaxation = Relaxation(form_of(self.network, self.domain))
        boxes, numbers = relaxation.box, np.zeros(1, dtype=np.int64)
        while len(numbers):
            watch.check(watch.share, len(self.splits))
            fine, moves = looked_at(relaxation, boxes, watch)
            boxes, numbers, moves = boxes.of(~fine), numbers[~fine], moves[~fine]
            if (seen := self.seen(relaxation, boxes)) is not None:
                return seen
            if len(self.splits) + 2 * len(numbers) > most:
                return False
            rows = self.halve(relaxation, boxes, numbers, moves)
            if rows is None:
                return False
            parts = boxes.cut(-rows), boxes.cut(rows)
            boxes = Boxes(*(np.concatenate(ends) for ends in zip(*parts, strict=True)))
            numbers = np.concatenate([np.array([self.splits[k][side] for k in numbers], dtype=np.int64) for side in (1, 2)])
        return True

    def halve(self, relaxation: Relaxation, boxes: Boxes, numbers: NDArray[np.int64], moves: Floats) -> Floats | None:
        """Split boxes in the middle of the input that moves most: rows > 0 on the upper half; None where floats end."""
        made, inputs = list[Form](), moves.argmax(axis=1)
        for k, (j, low, high) in enumerate(zip(inputs, boxes.low, boxes.high, strict=True)):
            middle = (low[j] + high[j]) / 2
            if not low[j] < middle < high[j]:
                return None
            at = Fraction(middle) * Fraction(2) ** relaxation.shifts[j]
            form = [0] * boxes.low.shape[1]
            form[j], form[-1] = at.denominator, -at.numerator
            made.append(primitive(form))
            parts = len(self.splits), len(self.splits) + 1
            self.splits += [(-1, 0, 0), (-1, 0, 0)]
            self.splits[numbers[k]] = (self.forms.setdefault(made[-1], len(self.forms)), *parts)
        return divided(made, relaxation.shifts)

    def seen(self, relaxation: Relaxation, boxes: Boxes) -> T | None:
        """What there is to say at the middle of a box."""
        middles = np.ldexp((boxes.low + boxes.high) / 2, relaxation.shifts)[:, :-1]
        if not len(middles):
            return None
        tried = middles[(self.network.score(middles) <= 0) & self.domain.contains(middles)]
        return next((found for at in tried[:TRIED] if (found := self.look(point(at))) is not None), None)

    def write(self, path: str | Path) -> None:
        """The proof that the answer is the constant +1."""
        header = header_fields(self.network, self.domain, None)
        at = self.domain.interior
        assert not isinstance(at, Certificate)
        header |= {"version": DEEP, "order": [], "units": 0, "complete": "tree", "constant": 1, "idle": [in_hexadecimal(at)]}
        forms, width = list(map(in_hexadecimal, self.forms)), self.network.inputs + 2
        form = form_of(self.network, self.domain, list(self.forms))
        tree = leaf.DeepTree(form, Work(np.inf, lambda share, rows: None), np.inf)
        nodes = np.array(list(self.in_order(len(form.units), form.number)), whole_type(leaf.SPLIT + 2 * tree.first_wall))
        with replacing(path) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file:
            add = Members(file).add
            add("header.json", json.dumps({**header, "forms": forms}).encode())
            for block, start in enumerate(range(0, len(nodes), MOST_NODES)):
                here = nodes[start : start + MOST_NODES]
                leaves = np.count_nonzero(here == leaf.KEEPS)
                add(f"tree/{block}/nodes", here.tobytes())
                if leaves:
                    add(f"tree/{block}/rows", np.full((leaves, width), tree.none, whole_type(tree.none)).tobytes())

    def in_order(self, units: int, number: tuple[int, ...]) -> Any:
        """The codes of the nodes, lower halves first."""
        left = [0]
        while left:
            split, low, high = self.splits[left.pop()]
            yield leaf.KEEPS if split < 0 else leaf.SPLIT + 2 * (units + number[split])
            left += [high, low] if split >= 0 else []


def form_of(network: ReLUNetwork, domain: Polyhedron, forms: list[Form] | None = None) -> DeepForm:
    """The checker's form, with other forms of the inputs as scores."""
    layers = [rows.tolist() for rows in map(fractions_of, network.given_layers)]
    implied = [bound.form(network.inputs) for bound in domain.implied]
    none = [Fraction(0)] * network.relus
    scores = [[*map(Fraction, h[:-1]), *none, Fraction(h[-1])] for h in forms or []]
    return deep_form(layers, network.inputs, domain.inequalities(), implied, lambda steps: None, scores)


def looked_at(relaxation: Relaxation, boxes: Boxes, watch: Watch) -> tuple[NDArray[np.bool_], Floats]:
    """On which boxes the network is positive, with room; and how far each input moves its bounds, (N, d)."""
    fine, moves, units, size = [], [], len(relaxation.sizes), boxes.low.shape[1]
    step = max(1, AT_ONCE // ((units + 1) * size))
    for start in range(0, len(boxes.low), step):
        watch.check(watch.share, watch.found)
        part = boxes.of(slice(start, start + step))
        count = len(part.low)
        bounds = relaxation.units(np.zeros((count, 0, size)), np.zeros((count, units), np.int8), part)
        (above, off), (below, _) = (relaxation.above(side, *bounds, part) for side in (-1, 1))
        moves.append(((np.abs(above) + np.abs(below)) * (part.high - part.low))[:, :-1])
        above[:, -1] += MARGIN * part.sizes(above)
        fine.append(bounded(above, off, np.zeros((count, 0, size)), part))
    return np.concatenate(fine), np.concatenate(moves)
