"""A proof file of version 3: about a network of any depth, by a tree over the signs of its units."""

import math
import zipfile
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lpnet.checker.claim import Claim
from lpnet.checker.deep import (
    ALIKE,
    BOUNDS,
    EMPTY,
    KEEPS,
    NEGATIVE,
    OPEN,
    OUTSIDE,
    REPEAT,
    SPLIT,
    UNIT,
    WITH_ROWS,
    DeepTree,
)
from lpnet.checker.deep_form import deep_form
from lpnet.checker.front import check_same_domain, check_same_layers
from lpnet.checker.nodes import whole_type
from lpnet.checker.proof import ProofFile
from lpnet.checker.question import Form, Point, Refuted, rationals, sign, value
from lpnet.checker.work import FREE_STEPS, STEPS_PER_BYTE, Work, longest, products, whole

MOST_NODES = 1 << 12  # a block
MOST_LAYERS = 1 << 10
LOOK_EVERY = 64  # nodes


class DeepProof(ProofFile):
    """A file of version 3, of so many bytes; network, walls: what it has to be about, Refuted where it is not.

    layers: those that it is about, where they are made of the network's.
    """

    def __init__(
        self,
        file: zipfile.ZipFile,
        header: Any,
        network: Any,
        walls: Sequence[Form] | None,
        work: Work,
        size: int,
        layers: Sequence[NDArray[Any]] | None = None,
    ) -> None:
        super().__init__(file, header, work)
        from_file = network is None or (bool(self.written) and walls is None)
        self.layers = list(layers) if layers else read_layers(self.header["network"], self.inputs, work)
        if network is not None and not layers:
            check_same_layers(self.layers, self.onto, network, lambda steps: work.spend(steps, False))
        if walls is not None:
            check_same_domain(self.inequalities, walls)
        given, units = self.header.get("claim"), sum(map(len, self.layers[:-1]))
        self.claim = None if given is None else Claim(given, self.inputs, units, lambda steps: work.spend(steps, from_file))
        forms: list[Any] = [(*h[:-1], *[0] * units, h[-1]) for h in map(self.form_of, self.header.get("forms", []))]
        self.form = deep_form(
            [layer.tolist() for layer in self.layers], self.inputs, self.written, self.implied,
            lambda steps: work.spend(steps, from_file), self.claim.rows.tolist() if self.claim else forms,
        )  # fmt: skip
        self.rows = whole(self.header["units"], 64)
        self.longest = longest(self.inputs, len(self.form.units), self.form.bits)
        self.points = [self.point(at) for at in self.header["idle"]]
        own = STEPS_PER_BYTE if from_file else max(STEPS_PER_BYTE, sum(self.form.steps))
        most = FREE_STEPS + own * size if work.most < np.inf else np.inf
        self.tree = DeepTree(self.form, work, most, self.claim is not None and self.claim.ties)
        self.tree.later = True

    def point(self, entries: Any) -> Point:
        """A point of a file."""
        return tuple(whole(x, self.longest) for x in entries)

    @property
    def question(self) -> str:
        """What the proof is about, in words."""
        *hidden, _ = self.layers
        relus, layers = sum(map(len, hidden)), len(hidden)
        if self.claim:
            units = f" and {len(self.form.units)} ReLUs" if self.form.units else ""
            what = f"whether a decision is {self.claim.constant:+d}" if self.claim.constant else "two decisions"
            return f"{what}, over {len(self.form.scores)} rows{units}, on {self.place}"
        words = f"{layers} hidden layers" if layers > 1 else "a hidden layer"
        return f"a network of {relus} ReLUs in {words} ({len(self.form.units)} in its normal form) on {self.place}"

    def check(self) -> str:
        """All nodes; returns words on that."""
        for block in self.blocks("tree"):
            self.check_block(block)
        tree = self.tree
        if not tree.done:
            raise Refuted(f"the tree ends after {tree.leaves} leaves without covering all patterns")
        if len(tree.halfspaces) != self.rows:
            raise Refuted(f"the tree has {len(tree.halfspaces)} half-spaces, the header speaks of {self.rows}")
        if not tree.repeats <= tree.halfspaces.keys():
            raise Refuted("a leaf repeats a half-space that there is not")
        if tree.stopped and self.complete:
            raise Refuted("the tree has open leaves")
        rest = f" but a share of {tree.open:.2g}" if tree.stopped else ""
        return f"{tree.leaves} leaves cover all 2^{tree.m} patterns{rest}"

    def check_block(self, block: str) -> None:
        """The nodes of a block, with what they name."""
        tree, width = self.tree, self.inputs + 2
        nodes = np.frombuffer(self.bytes(f"{block}/nodes"), dtype=whole_type(SPLIT + 2 * tree.first_wall))
        if len(nodes) > MOST_NODES:
            raise ValueError(f"{block}: more than {MOST_NODES} nodes")
        rows = self.column(f"{block}/rows", whole_type(tree.none)).reshape(-1, width)
        last = self.form.levels[-1]
        full = np.unpackbits(self.column(f"{block}/full", np.dtype(np.uint8)).reshape(-1, max(1, -(-len(last) // 8))), axis=1)
        points = self.column(f"{block}/points", np.dtype("<f8")).reshape(-1, 2, self.inputs)
        exact = self.json(f"{block}/exact.json") if f"{block}/exact.json" in self.names else {}
        units = iter(self.pairs(points, exact))
        pairs = zip(rows.tolist(), (rows != tree.none).all(axis=1).tolist(), strict=True)
        named = (row if entire else [number for number in row if number != tree.none] for row, entire in pairs)
        shares = ([last.start + int(k) for k in np.flatnonzero(row)] for row in full[:, : len(last)])
        for node in nodes.tolist():
            if tree.done:
                raise Refuted(f"node {tree.nodes}: the tree has no node any more")
            self.work.spend(30)
            if node >= SPLIT:
                tree.split((node - SPLIT) // 2, 1 if node % 2 else -1)
            else:
                if why := self.wrong(node, named, shares, units):
                    raise Refuted(f"leaf {tree.leaves}: {why}")
                tree.leaves += 1
                tree.back()
            tree.nodes += 1
            if tree.nodes % LOOK_EVERY == 0:
                self.work.share, self.work.rows = tree.share, len(tree.halfspaces)
        if found := tree.settle():
            raise Refuted(f"leaf {found[0]}: {found[1]}")
        if any(next(column, None) is not None for column in (named, shares, units)):
            raise ValueError(f"{block}: rows or points of leaves that there are not")

    def pairs(self, points: NDArray[np.float64], exact: Any) -> Any:
        """The two points of each row of a block."""
        for number, pair in enumerate(points):
            written = exact.get(str(number))
            first, second = map(self.point, written) if written else map(exactly, pair.tolist())
            yield first, second

    def column(self, name: str, kind: Any) -> NDArray[Any]:
        """A column of a block; empty where there is none."""
        return np.frombuffer(self.bytes(name) if name in self.names else b"", dtype=kind)

    def wrong(self, kind: int, named: Any, shares: Any, points: Any) -> str | None:
        """Why a leaf is not what it is said to be."""
        tree = self.tree
        rows = taken(named) if kind in WITH_ROWS else []
        if kind == EMPTY:
            return tree.empty(rows)
        if self.claim and kind not in (OPEN, OUTSIDE):
            return self.not_alike(kind, rows, shares)
        if kind in BOUNDS:
            return tree.not_bounded(1 if kind == NEGATIVE else -1, rows, taken(shares))
        if kind == KEEPS:
            return tree.not_kept(rows)
        if kind == OUTSIDE:
            return tree.not_outside()
        if kind == OPEN:
            tree.stopped, tree.open = True, tree.open + 0.5 ** min(len(tree.path), 1000)
            return None
        if not tree.full:
            return "some signs are free"
        if kind == UNIT:
            return tree.unit(*taken(points))
        if kind == REPEAT:
            return tree.repeat()
        return tree.not_touching(rows[0]) if rows else "it names no unit"

    def not_alike(self, kind: int, rows: list[int], shares: Any) -> str | None:
        """Why a leaf about two decisions does not show that they are the same: by signs known, or a bound of a score."""
        assert self.claim
        tree = self.tree
        if kind == ALIKE:
            self.work.spend(self.claim.steps)
            first, second = self.claim.answers([tree.signs[tree.m + k] for k in self.form.number])
            return None if first and first == second else "the signs known there do not force both to answer the same"
        if kind not in (KEEPS, *BOUNDS):
            return "it says nothing of two decisions"
        row, *rows = rows or [0]
        if not tree.m <= row < tree.first_wall or tree.signs[row] == 0:
            return "it bounds no score of known sign"
        if kind == KEEPS:
            return tree.not_kept(rows, row - tree.m)
        side = 1 if kind == NEGATIVE else -1
        wrong = tree.signs[row] != side
        return "the score has that sign" if wrong else tree.not_bounded(side, rows, taken(shares), row - tree.m)

    def check_constant(self) -> None:
        """That f has the sign claimed at a point of D off {f = 0}, or is 0 on a cell."""
        if self.constant not in (1, -1) or len(self.points) != 1:
            raise Refuted("there is no half-space and no constant")
        (at,) = self.points
        entries = sum(len(level) * (level.start + self.inputs + 1) for level in self.form.levels)
        self.work.spend(sum(self.form.steps) + products(entries, self.form.bits, self.longest))
        if len(at) != self.inputs + 1 or at[-1] <= 0 or any(value(h, at) <= 0 for h in self.form.walls):
            raise Refuted("the point of the constant lies outside the domain")
        signs, rows, strict = list[int](), list[Form](), True
        for level in range(len(self.form.levels)):
            for row in self.form.unfold(level, signs, rows):
                here = sign(value(row, at))
                strict &= here != 0 or not any(row)
                signs.append(here)
                rows.append(row)
        c = self.form.output(signs, rows)
        if (sign(value(c, at)) or int(strict and not any(c))) != self.constant:
            raise Refuted(f"the answer is not the constant {self.constant:+d}")


def taken(column: Iterator[Any]) -> Any:
    """The next entry of a column of a block."""
    entry = next(column, None)
    if entry is None:
        raise ValueError("its leaves have more rows or points than there are")
    return entry


def exactly(point: list[float]) -> Point:
    """A float point as numerators and a denominator; () where it is not finite."""
    if not all(map(math.isfinite, point)):
        return ()
    ratios = [x.as_integer_ratio() for x in point]
    scale = max(q for _, q in ratios)  # powers of two
    return (*(p * (scale // q) for p, q in ratios), scale)


def read_layers(network: Any, inputs: int, work: Work) -> list[NDArray[Any]]:
    """The hidden layers and the output of a network in a header, as Fractions: rows (inputs, units before, bias)."""
    deeper, skip = network.get("deeper", []), network.get("skip")
    if not isinstance(network, dict) or not isinstance(deeper, list) or len(deeper) > MOST_LAYERS:
        raise ValueError(f"network: wanted an object, of at most {MOST_LAYERS} layers")
    output = {
        "weight": [[*([0] * inputs if skip is None else skip), *network["output_weight"]]],
        "bias": [network["output_bias"]],
    }
    first = {"weight": network["hidden_weight"], "bias": network["hidden_bias"]}
    layers, width = [], inputs
    for layer in (first, *deeper, output):
        weight, bias = np.array(layer["weight"], dtype=object), np.array(layer["bias"], dtype=object)
        weight = weight if weight.size else weight.reshape(0, width)
        if bias.ndim != 1 or weight.shape != (len(bias), width):
            raise ValueError(f"network: wanted layers that read the {width} numbers before them")
        layers.append(np.column_stack([rationals(weight, work.spend), rationals(bias, work.spend)]))
        width += len(bias)
    return layers
