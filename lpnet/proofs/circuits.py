"""Proofs that a circuit of threshold units decides like a network of ReLUs, off a set of measure zero.

The tree of the network's pieces is walked; below each of its leaves, the half-spaces of the circuit's first layer that it takes
to force the answer are split on, where both of their sides have points; and there f has that sign.
"""

import json
import math
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from lpnet.boundary.tree.crossings import Crossings
from lpnet.boundary.tree.record import BOUNDS, WITH_ROWS
from lpnet.boundary.tree.search import STEPS, TreeSearch
from lpnet.boundary.walk import EMPTY, NOT_NEGATIVE, SPLIT
from lpnet.checker import deep as leaf
from lpnet.checker.circuit import Circuit
from lpnet.checker.deep_proof import MOST_NODES
from lpnet.checker.nodes import whole_type
from lpnet.checker.proof import DEEP
from lpnet.checker.work import Work
from lpnet.errors import LpnetError
from lpnet.exact import Point, sign, value
from lpnet.io import replacing
from lpnet.networks import Polyhedron, ReLUNetwork, SignCircuit, SignNetwork, normal_form
from lpnet.networks.polyhedron import as_domain
from lpnet.programs import Certificate, SignProgram
from lpnet.proofs.deep import checkers_form
from lpnet.proofs.members import Members, header_fields, packed, plain_circuit
from lpnet.watch import Watch

Named = list[int]


def write_agreement(
    network: ReLUNetwork,
    circuit: SignCircuit | SignNetwork,
    domain: Polyhedron | None,
    path: str | Path,
    watch: Watch | None = None,
) -> None:
    """Write the proof; Stopped where the watch says so, LpnetError where the two differ on an open set."""
    watch = watch or Watch()
    place = as_domain(domain, network.inputs)
    search = Agreement(network.of_inputs(), circuit, place, watch)
    search.run()
    with replacing(path) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file:
        search.write(file)


class Agreement:
    """The tree as it is made: nodes, the rows that leaves name, and their shares of 1."""

    def __init__(self, network: ReLUNetwork, circuit: SignCircuit | SignNetwork, domain: Polyhedron, watch: Watch) -> None:
        self.network, self.domain, self.watch = network, domain, watch
        self.form, self.walls = normal_form(network, domain), tuple(domain.inequalities())
        self.fields = plain_circuit(circuit)
        self.circuit = Circuit(self.fields, network.inputs, lambda steps: None)
        theirs = checkers_form(network, domain, self.form)
        self.tree = leaf.DeepTree(theirs, self.circuit.forms, Work(math.inf, lambda share, rows: None), math.inf)
        self.m, self.last = len(self.form.units), theirs.levels[-1]
        self.nodes: list[int] = []
        self.rows: list[Named] = []
        self.full: list[list[bool]] = []
        self.known: list[int] = []  # the rows of the program about the leaf of the network's tree on which one is
        self.program = SignProgram([], network.inputs)

    def run(self) -> None:
        """The network's own tree, leaf by leaf."""
        search = TreeSearch(self.form, self.domain, boxed=False, recorded=True)
        search.plant()
        while search.go_on(STEPS):
            self.watch.check(0.1, search.count)
        assert search.stream
        part = search.stream.joined(Crossings(search).places)
        rows, full = iter(search.numbered(part.rows).tolist()), iter(part.full.astype(bool).tolist())
        more = len(self.circuit.forms)
        for number, node in enumerate(part.nodes.tolist()):
            self.watch.check(0.1 + 0.9 * number / len(part.nodes), len(self.nodes))
            if node >= SPLIT:
                self.split((node - SPLIT) // 2, 1 if (node - SPLIT) % 2 else -1)
                continue
            named = [k if k < self.m else k + more for k in next(rows) if k >= 0] if node in WITH_ROWS else []
            shares = next(full) if node in BOUNDS else None
            if node == EMPTY:
                self.leaf(leaf.EMPTY, named)
                continue
            side = 0 if shares is None else 1 if node == NOT_NEGATIVE else -1
            self.below(side, named, shares)

    def split(self, row: int, side: int) -> None:
        """Go down."""
        self.nodes.append(leaf.SPLIT + 2 * row + (side > 0))
        self.tree.split(row, side)

    def leaf(self, kind: int, named: Named, shares: list[bool] | None = None) -> None:
        """Close a node, and go to the next."""
        self.nodes.append(kind)
        self.rows.append(named)
        if kind in leaf.BOUNDS:
            self.full.append(shares or [False] * len(self.last))
        self.tree.back()

    def below(self, side: int, named: Named, shares: list[bool] | None) -> None:
        """All below a leaf of the network's tree, where f has this sign (0: any) for the reasons given."""
        depth, tree = len(self.tree.path), self.tree
        rows = (k for k in range(tree.constant) if k >= self.m or k < len(tree.rows))
        self.known = [k for k in rows if any(tree.row(k)[:-1])]
        self.program = SignProgram([tree.row(k) for k in self.known], self.network.inputs)
        while True:
            answer = self.circuit.answer(tree.signs[self.m : tree.first_wall])
            if answer:
                kind = leaf.BOTH_ABOVE if answer > 0 else leaf.BOTH_BELOW
                if side == -answer:
                    raise LpnetError(f"the circuit answers {answer:+d} on an open set where the network does not")
                self.leaf(kind, *((named, shares) if side else (self.reasons(answer),)))
            else:
                self.ask(next(j for j in range(self.m, tree.first_wall) if self.open(j)))
            if len(tree.path) <= depth:
                return

    def open(self, row: int) -> bool:
        """Whether a half-space of the circuit is neither settled nor constant."""
        return not self.tree.signs[row] and any(self.tree.row(row)[:-1])

    def ask(self, row: int) -> None:
        """Split on a half-space; a side without points is closed."""
        sides = {s: self.point(row, s) for s in (-1, 1)}
        empty = next((s for s, at in sides.items() if isinstance(at, Certificate)), None)
        self.split(row, empty or 1)
        if empty:
            self.leaf(leaf.EMPTY, self.named(sides[empty]))

    def point(self, row: int, side: int) -> Point | Certificate:
        """A point of the node on one side of one more row, or the proof that there is none."""
        relations = [self.tree.signs[k] for k in self.known]
        relations[self.known.index(row)] = side
        return self.program.decide(relations)

    def named(self, found: Any) -> Named:
        """The rows of a certificate of `point`."""
        return [self.known[k] for k, _ in found.multipliers] + [self.tree.constant] * bool(found.constant)

    def reasons(self, answer: int) -> Named:
        """Rows that show that f has this sign, where all units have signs; LpnetError where it has not."""
        tree = self.tree
        f = tree.f()
        known = [k for k in range(tree.constant) if tree.tells(k)]
        forms = [*(tree.row(k) for k in known), f]
        if not any(f[:-1]) and sign(f[-1]) in ((0, 1) if answer > 0 else (-1,)):
            return [tree.constant] if f[-1] else []
        found = SignProgram(forms, self.network.inputs).decide([*(tree.signs[k] for k in known), -answer])
        if not isinstance(found, Certificate):
            raise LpnetError(f"the circuit answers {answer:+d} where f = {value(f, found)} has the other sign")
        return [known[k] for k, _ in found.multipliers if k < len(known)] + [tree.constant] * bool(found.constant)

    def write(self, file: zipfile.ZipFile) -> None:
        """All members."""
        add, width = Members(file).add, self.network.inputs + 2
        header = header_fields(self.network, self.domain, None)
        header |= {"version": DEEP, "order": [], "units": 0, "complete": "tree", "constant": None, "idle": []}
        add("header.json", json.dumps({**header, "circuit": self.fields}).encode())
        none, kind = self.tree.none, whole_type(leaf.SPLIT + 2 * self.tree.first_wall)
        rows = np.full((len(self.rows), width), none, dtype=whole_type(none))
        for line, named in zip(rows, self.rows, strict=True):
            line[: len(named)] = named
        nodes, full = np.array(self.nodes, dtype=kind), np.array(self.full, dtype=bool).reshape(-1, len(self.last))
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
