"""Proofs that two decisions are the same, ties included or off them: the tree of pieces, and below each leaf what is to ask.

The tree of the network's pieces is walked. Below each of its leaves a point is taken, and a few rows whose signs there force
both answers: they are split on, one after the other, where both of their sides have points. Where a row is a score of
units that are free yet, it is bounded over the box around the node, or a unit is split on.
"""

import json
import math
import zipfile
from collections import deque
from collections.abc import Sequence
from operator import mul
from pathlib import Path

import numpy as np

from lpnet.boundary.tree.crossings import Crossings
from lpnet.boundary.tree.record import BOUNDS, WITH_ROWS
from lpnet.boundary.tree.search import STEPS, TreeSearch
from lpnet.boundary.walk import EMPTY, NOT_NEGATIVE, SPLIT
from lpnet.checker import claim as theirs
from lpnet.checker import deep as leaf
from lpnet.checker.deep_proof import MOST_NODES
from lpnet.checker.nodes import whole_type
from lpnet.checker.proof import DEEP
from lpnet.checker.work import Work
from lpnet.errors import LpnetError
from lpnet.exact import Point, sign, value
from lpnet.io import replacing
from lpnet.io.json_ import plain_layer
from lpnet.networks import Polyhedron, normal_form
from lpnet.networks.claim import Claim
from lpnet.networks.polyhedron import as_domain
from lpnet.programs import Certificate, SignProgram
from lpnet.proofs.deep import checkers_form, fractions_of
from lpnet.proofs.members import Members, header_fields, packed
from lpnet.watch import Watch

Named = list[int]
KEPT = 3  # reasons for a side of a row to be empty


class Different(LpnetError):
    """The decisions differ, at `point`."""

    def __init__(self, point: Point) -> None:
        super().__init__("the decisions differ at a point, so that there is no proof to be written")
        self.point = point


def write_claim(
    claim: Claim, domain: Polyhedron | None, path: str | Path | None, watch: Watch | None = None, ties: bool = True
) -> None:
    """Write the proof that two decisions are the same on a domain, to None for nowhere; Stopped where the watch says so.

    Raises Different where they are not: ties left out, on an open set.
    """
    search = Agreement(claim, as_domain(domain, claim.network.inputs), watch or Watch(), ties)
    search.run()
    if path is None:
        return
    with replacing(path) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file:
        search.write(file)


class Agreement:
    """The tree as it is made: nodes, the rows that leaves name, and their shares of 1."""

    def __init__(self, claim: Claim, domain: Polyhedron, watch: Watch, ties: bool) -> None:
        self.network, self.domain, self.watch, self.ties = claim.network, domain, watch, ties
        decisions = [[plain_layer(layer) for layer in layers] for layers in claim.decisions]
        self.fields = {"ties": ties, "rows": plain_layer(claim.rows), "decisions": decisions}
        self.claim = theirs.Claim(self.fields, claim.network.inputs, claim.network.relus, lambda steps: None)
        self.form, self.walls = normal_form(claim.network, domain), tuple(domain.inequalities())
        form = checkers_form(claim.network, domain, self.form, fractions_of(claim.rows).tolist())
        self.number, self.bounded = form.number, None not in [*domain.bounds[0], *domain.bounds[1]]
        self.tree = leaf.DeepTree(form, Work(math.inf, lambda share, rows: None), math.inf, ties)
        self.m, self.last = len(form.units), form.levels[-1]
        self.nodes: list[int] = []
        self.rows: list[Named] = []
        self.full: list[list[bool]] = []
        self.context: tuple[int, ...] | None = None  # what the program is about
        self.known: list[int] = []  # its rows
        self.program = SignProgram([], claim.network.inputs)
        self.at: Point = ()  # a point of the node on which one is, () where none is known
        self.plan: list[int] = []  # rows whose signs there force both answers
        self.shown: dict[tuple[int, int], deque[Named]] = {}  # rows that have shown a side of a row to be empty
        self.waiting: dict[int, Point] = {}  # points of the nodes to come, by their depth

    def run(self) -> None:
        """The network's own tree, leaf by leaf; all of it at once where there are no ReLUs."""
        alone = self.tree.first_wall == self.m + 1  # the same score, up to a factor, its units in whatever order
        if alone and all(len({*self.claim.answers([side] * len(self.number))}) == 1 for side in (-1, 1)):
            self.split(self.m, -1)
            self.leaf(leaf.ALIKE)
            self.leaf(leaf.ALIKE)
            return
        if not self.m:
            self.below(0, [], None)
            return
        search = TreeSearch(self.form, self.domain, boxed=self.bounded, recorded=True)
        search.plant()
        while search.go_on(STEPS):
            self.watch.check(0.1, search.count)
        assert search.stream
        part = search.stream.joined(Crossings(search).places)
        rows, full = iter(search.numbered(part.rows).tolist()), iter(part.full.astype(bool).tolist())
        more = self.tree.first_wall - self.m
        for number, node in enumerate(part.nodes.tolist()):
            self.watch.check(0.1 + 0.9 * number / len(part.nodes), len(self.nodes))
            if node >= SPLIT:
                self.split((node - SPLIT) // 2, 1 if (node - SPLIT) % 2 else -1)
                continue
            named = [k if k < self.m else k + more for k in next(rows) if k >= 0] if node in WITH_ROWS else []
            shares = next(full) if node in BOUNDS else None
            if node == EMPTY and not self.tree.empty(named):
                self.leaf(leaf.EMPTY, named)
            elif self.bounded and not named and self.tree.path and not self.tree.not_outside():
                self.leaf(leaf.OUTSIDE)
            else:
                self.below(0 if shares is None else 1 if node == NOT_NEGATIVE else -1, named, shares)

    def split(self, row: int, side: int) -> None:
        """Go down."""
        self.nodes.append(leaf.SPLIT + 2 * row + (side > 0))
        self.tree.split(row, side)

    def leaf(self, kind: int, named: Named | None = None, shares: Sequence[bool] | None = None) -> None:
        """Close a node, and go to the next."""
        self.nodes.append(kind)
        if kind in leaf.WITH_ROWS:
            self.rows.append(named or [])
        if kind in leaf.BOUNDS:
            self.full.append(list(shares or [False] * len(self.last)))
        self.tree.back()
        self.at, self.plan = self.waiting.pop(len(self.tree.path), ()), []

    def below(self, side: int, named: Named, shares: list[bool] | None) -> None:
        """All below a leaf of the network's tree, where its score has this sign (0: any) for the reasons given."""
        depth, tree = len(self.tree.path), self.tree
        self.at, self.plan = (), []
        self.waiting.clear()
        while True:
            self.watch.check(self.watch.share, len(self.nodes))
            first, second = self.claim.answers([tree.signs[self.m + k] for k in self.number])
            if first and first == second:
                self.leaf(leaf.ALIKE)
            elif not self.at and self.nowhere():
                pass
            elif (row := self.next_row()) < self.m or not tree.bends(row) or self.settled(row):
                self.ask(row)
            elif not self.bound(row, side, named, shares):
                self.ask(next(k for k in range(len(tree.rows)) if not tree.signs[k]))
            if len(tree.path) <= depth:
                return

    def settled(self, row: int) -> bool:
        """Whether all units that a score reads have signs."""
        return all(self.tree.signs[k] for k in self.tree.reads[row - self.m])

    def ready(self) -> list[int]:
        """The program's rows: what is known on the node, signs or not; relations: how a point of it lies to each."""
        tree, signs = self.tree, tuple(self.tree.signs[: self.m])
        if signs != self.context:
            rows = (k for k in range(tree.constant) if k >= self.m or k < len(tree.rows))
            self.context = signs
            self.known = [k for k in rows if k >= self.m or any(tree.rows[k][:-1])]
            self.known = [k for k in self.known if not tree.bends(k) or self.settled(k)]
            self.program = SignProgram([tree.row(k) for k in self.known], self.network.inputs)
        return [self.relation(k, tree.signs[k]) for k in self.known]

    def relation(self, row: int, side: int) -> int:
        """How points with this sign of a row lie to it: units may be 0 on either side, scores where they are not negative."""
        closed = self.ties and not self.tree.strict(row) and (row < self.m or side > 0)
        return 2 * side if closed or (side > 0 and self.vanishes(row)) else side

    def vanishes(self, row: int) -> bool:
        """Whether a score is known to be 0 all over the cell."""
        score = self.m <= row < self.tree.first_wall
        return score and (not self.tree.bends(row) or self.settled(row)) and not any(self.tree.row(row))

    def nowhere(self) -> bool:
        """Whether there is no point on the node, which is then closed; else it has one now."""
        relations = self.ready()
        found = self.program.decide(relations)
        if isinstance(found, Certificate):
            self.close(found)
            return True
        self.at, self.plan = found, []
        return False

    def close(self, found: Certificate) -> None:
        """An empty leaf."""
        named = [self.known[k] for k, _ in found.multipliers] + [self.tree.constant] * bool(found.constant)
        if why := self.tree.empty(named):
            raise LpnetError(f"the proof of an empty part is none ({why}); please report")
        if self.tree.path:
            row, side, *_ = self.tree.path[-1]
            self.shown.setdefault((row, side), deque(maxlen=KEPT)).appendleft(named)
        self.leaf(leaf.EMPTY, named)

    def next_row(self) -> int:
        """A row to split on: one of those whose signs at the point force both answers; off ties, first any that is 0 there."""
        tree = self.tree
        self.plan = [row for row in self.plan if not tree.signs[row]]
        if self.plan:
            return self.plan[0]
        outputs: list[int] = []
        for a, links in zip(tree.form.units, tree.form.links, strict=True):
            outputs.append(max(0, value(a, self.at) + sum(c * outputs[j] for j, c in links)))
        values = [value(affine, self.at) + sum(map(mul, weights, outputs)) for affine, weights in tree.form.scores]
        signs = [tree.signs[self.m + j] or (1 if here >= 0 else -1) for j, here in enumerate(values)]
        free = [j for j in range(len(signs)) if not tree.signs[self.m + j]]
        ties = () if self.ties else (self.m + j for j in free if not values[j])
        if (tie := next((row for row in ties if not self.vanishes(row)), None)) is not None:
            return tie
        first, second = self.claim.answers([signs[k] for k in self.number])
        if first != second:
            raise Different(self.at)
        self.drop(signs, free)
        self.plan = [self.m + j for j in free if signs[j]]
        return self.plan[0]

    def drop(self, signs: list[int], rows: list[int]) -> None:
        """Make the signs of rows 0 as long as the others force both answers: many at once, then in halves."""
        kept = [signs[j] for j in rows]
        for j in rows:
            signs[j] = 0
        if 0 in self.claim.answers([signs[k] for k in self.number]):
            for j, side in zip(rows, kept, strict=True):
                signs[j] = side
            if len(rows) > 1:
                self.drop(signs, rows[: len(rows) // 2])
                self.drop(signs, rows[len(rows) // 2 :])

    def ask(self, row: int) -> None:
        """Split on a row; a side without points is closed."""
        relations, at, depth, plan = self.ready(), self.at, len(self.tree.path), self.plan
        here = sign(value(self.tree.row(row), at))
        sides = [here or (1 if row >= self.m and (self.ties or self.vanishes(row)) else 0)]
        if not sides[0]:
            sides = [-1, 1]
        place, found = self.known.index(row), dict[int, Point | Certificate]()
        if len(sides) == 1 and (named := self.known_empty(row, -sides[0])):
            self.split(row, -sides[0])
            self.leaf(leaf.EMPTY, named)
            self.at, self.plan = at, plan
            return
        for side in (1, -1):
            relations[place] = self.relation(row, side)
            found[side] = at if [side] == sides else self.program.decide(relations)
        empty = next((side for side, there in found.items() if isinstance(there, Certificate)), None)
        first = empty or sides[0]
        self.split(row, first)
        if empty:
            certificate = found[empty]
            assert isinstance(certificate, Certificate)
            self.close(certificate)
        other = found[-first if not empty else -empty]
        assert not isinstance(other, Certificate)
        if empty:
            self.at = other
        else:
            self.at, self.waiting[depth + 1] = found[first], other  # type: ignore[assignment]
        self.plan = plan if self.at == at else []

    def known_empty(self, row: int, side: int) -> Named | None:
        """Rows that have shown before that a side of a row is empty, if they do so here."""
        tree = self.tree
        tree.signs[row] = side
        found = next((named for named in self.shown.get((row, side), []) if not tree.empty(named)), None)
        tree.signs[row] = 0
        return found

    def bound(self, row: int, side: int, named: Named, shares: list[bool] | None) -> bool:
        """Split on a score of free units, one side of which is closed by a bound, if it can be."""
        tree, score = self.tree, row - self.m
        for away in (1, -1):
            tree.signs[row] = away
            kind = leaf.NEGATIVE if away > 0 else leaf.NOT_NEGATIVE
            full = [self.last.start + k for k, one in enumerate(shares or []) if one]
            if self.bounded and not tree.not_kept([], score):
                kind, reasons, full = leaf.KEEPS, [], []
            elif side == -away and not tree.not_bounded(away, named, full, score):
                reasons = named
            else:
                tree.signs[row] = 0
                continue
            tree.signs[row] = 0
            self.split(row, away)
            self.leaf(kind, [row, *reasons], shares)
            return True
        return False

    def write(self, file: zipfile.ZipFile) -> None:
        """All members."""
        add, width = Members(file).add, self.network.inputs + 2
        header = header_fields(self.network, self.domain, None)
        header |= {"version": DEEP, "order": [], "units": 0, "complete": "tree", "constant": None, "idle": []}
        add("header.json", json.dumps({**header, "claim": self.fields}).encode())
        none, kind = self.tree.none, whole_type(leaf.SPLIT + 2 * self.tree.first_wall)
        rows = np.full((len(self.rows), width), none, dtype=whole_type(none))
        for line, named in zip(rows, self.rows, strict=True):
            line[: len(named)] = named
        nodes, full = np.array(self.nodes, dtype=kind), np.array(self.full, dtype=bool).reshape(len(self.full), len(self.last))
        shown = bounds = 0
        for block, start in enumerate(range(0, len(nodes), MOST_NODES)):
            here = nodes[start : start + MOST_NODES]
            counts = [int(np.count_nonzero(np.isin(here, kinds))) for kinds in (leaf.WITH_ROWS, leaf.BOUNDS)]
            columns = {"nodes": here.tobytes(), "rows": rows[shown : shown + counts[0]].tobytes()}
            columns["full"] = packed(full[bounds : bounds + counts[1]])
            for column, values in columns.items():
                if values:
                    add(f"tree/{block}/{column}", values)
            shown, bounds = shown + counts[0], bounds + counts[1]
