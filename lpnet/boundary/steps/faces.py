"""All faces of a network with gates that jump, of every dimension, joined with half-spaces: do these tell all its answers?

The tree of `lpnet.boundary.steps.facets`, but what lies on a cut is searched in the same way again, as a flat of one dimension
less, down to points. So every point of the domain lies on one face, and two points with the same signs on the half-spaces but
different answers are found if there are any.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from lpnet.boundary.steps.facets import depth_first
from lpnet.boundary.steps.region import Region, Split, Table
from lpnet.exact import Form, Point, primitive, sign, value
from lpnet.networks import Polyhedron
from lpnet.networks.step_form import StepForm
from lpnet.programs import Certificate
from lpnet.watch import Watch

MOST_CONFLICTS = 1000  # that are listed


class Flat:
    """R^d, or {plane = 0} in another flat, in all coordinates but one."""

    def __init__(self, dimension: int, parent: "Flat | None" = None, plane: Form = ()) -> None:
        self.parent, self.plane, self.table = parent, plane, Table(dimension)
        used = [j for j, entry in enumerate(plane[:-1]) if entry]
        self.pivot = min(used, key=lambda j: abs(plane[j])) if used else -1
        self._known: dict[Form, Form] = {}

    @property
    def dimension(self) -> int:
        """Of the flat."""
        return self.table.size - 1

    def of(self, form: Form) -> Form:
        """A form of R^d on the flat, primitive."""
        if form not in self._known:
            self._known[form] = self.restricted(self.parent.of(form)) if self.parent else form
        return self._known[form]

    def restricted(self, form: Form) -> Form:
        """A form of the flat before on this one, primitive."""
        own = self.plane[self.pivot]
        factor = form[self.pivot] * sign(own)
        made = [abs(own) * x - factor * y for x, y in zip(form, self.plane, strict=True)]
        del made[self.pivot]
        return primitive(made)

    def projected(self, at: Point) -> Point:
        """A point of the flat before that lies on this one, in its coordinates."""
        return (*at[: self.pivot], *at[self.pivot + 1 :])

    def lifted(self, at: Point) -> Point:
        """A point of the flat as one of R^d."""
        if self.parent is None:
            return at
        own = self.plane[self.pivot]
        before = (*at[: self.pivot], 0, *at[self.pivot :])
        moved = [abs(own) * entry for entry in before]
        moved[self.pivot] = -sign(own) * value(self.plane, before)
        return self.parent.lifted(primitive(moved))


class Node(NamedTuple):
    """A region of a flat, what the units before a level give out and the next ones are, in R^d, and signs of forms on it."""

    flat: Flat
    region: Region
    outputs: tuple[Form, ...]
    rows: tuple[Form, ...]
    level: int
    known: dict[Form, int]
    share: float


@dataclass(eq=False)
class Classes:
    """The sign vectors that m half-spaces take together, sgn(0) = +1, with the network's answer, and a point of each.

    answers: vector, as bytes of ±1 → the first answer seen, and where; conflicts: pairs of points with the same vector and
    different answers; faces: how many were looked at; complete: whether these are all.
    """

    halfspaces: tuple[Form, ...]
    answers: dict[bytes, tuple[int, Point]] = field(default_factory=dict)
    conflicts: list[tuple[Point, Point]] = field(default_factory=list)
    faces: int = 0
    complete: bool = False

    @property
    def vectors(self) -> np.ndarray:
        """The vectors, (count, m)."""
        table = np.frombuffer(b"".join(self.answers), dtype=np.int8)
        return table.reshape(len(self.answers), len(self.halfspaces))

    def of(self, side: int) -> np.ndarray:
        """Those with this answer."""
        return self.vectors[np.array([answer == side for answer, _ in self.answers.values()], dtype=bool)]

    def add(self, signs: Sequence[int], answer: int, at: Point) -> None:
        """Note a face: the signs of the half-spaces on it, and a point."""
        self.faces += 1
        vector = bytes(1 if s >= 0 else 255 for s in signs)
        known, first = self.answers.setdefault(vector, (answer, at))
        if known != answer and len(self.conflicts) < MOST_CONFLICTS:
            self.conflicts.append((first, at))


def find_classes(
    form: StepForm, domain: Polyhedron, halfspaces: Sequence[Form], watch: Watch | None = None, most: int | None = None
) -> Classes:
    """The classes of points that half-spaces tell apart; most: faces, after which it gives up (`complete` False)."""
    watch, found, at = watch or Watch(), Classes(tuple(halfspaces)), domain.interior
    assert not isinstance(at, Certificate)
    flat = Flat(form.inputs)
    region = Region.of(flat.table, domain.inequalities(), at)
    search, done = FaceSearch(form, found), 0.0
    search.stack.append(Node(flat, region, (), search.rows(0, ()), 0, {}, 1.0))
    for share in depth_first(search.stack, search.look):
        done += share
        if not watch(min(done, 0.999), found.faces) or (most is not None and found.faces > most):
            break
    found.complete = not search.stack and watch.stopped is None
    return found


class FaceSearch:
    """The tree of regions, walls, walls of walls, down to points."""

    def __init__(self, form: StepForm, found: Classes) -> None:
        self.form, self.found = form, found
        self.stack: list[Node] = []

    def rows(self, level: int, outputs: tuple[Form, ...]) -> tuple[Form, ...]:
        """What is to have one sign: the units of a level; beside the last one, the half-spaces."""
        own = tuple(self.form.unfold(level, outputs))
        return own if level + 1 < len(self.form.levels) else (*own, *self.found.halfspaces)

    def look(self, node: Node) -> None:
        """Cut the region, or go on to the next level, or note the face."""
        rows = [node.flat.of(row) for row in node.rows]
        open_ = dict.fromkeys(row for row in rows if any(row[:-1]) and row not in node.known)
        split = node.region.split(open_, node.known) if open_ else None
        if split:
            share = node.share / 3
            self.stack.append(self.wall(node, split)._replace(share=share))
            for part, side in ((split.positive, 1), (split.negative, -1)):
                self.stack.append(node._replace(region=part, known={**node.known, split.form: side}, share=share))
            return
        sides = [node.known[row] if any(row[:-1]) else sign(row[-1]) for row in rows]
        if node.level + 1 < len(self.form.levels):
            units = self.form.levels[node.level]
            own = (self.form.output(k, row, side) for k, row, side in zip(units, node.rows, sides, strict=True))
            outputs = (*node.outputs, *own)
            self.stack.append(node._replace(outputs=outputs, rows=self.rows(node.level + 1, outputs), level=node.level + 1))
            return
        answer, *signs = sides
        self.found.add(signs, 1 if answer >= 0 else -1, node.flat.lifted(node.region.at))

    def wall(self, node: Node, split: Split) -> Node:
        """What lies on the cut, as a flat of its own."""
        flat = Flat(node.flat.dimension - 1, node.flat, split.form)
        walls = dict.fromkeys(flat.restricted(h) for h in node.region.forms)
        inside = [h for h in walls if any(h[:-1])]
        region = Region.of(flat.table, inside, flat.projected(split.between()))
        known = {flat.restricted(row): side for row, side in node.known.items()}
        return node._replace(flat=flat, region=region, known=known)
