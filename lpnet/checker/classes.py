"""A proof file of version 4: about the class of the largest of several outputs, by trees for the cuts of the classes in two."""

import zipfile
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lpnet.checker.deep_proof import DeepProof, read_layers
from lpnet.checker.front import check_same_domain, check_same_layers
from lpnet.checker.proof import ProofFile
from lpnet.checker.question import Form, Refuted, rationals
from lpnet.checker.work import Work, whole

MOST_OUTPUTS = 1 << 10
Rows = NDArray[Any]
Sum = tuple[NDArray[Any], dict[int, int]]  # a row, and multiples of units that come after those it reads


class Folder:
    """The members of a zip archive in one folder, as an archive of their own."""

    def __init__(self, file: zipfile.ZipFile, name: str) -> None:
        self.file, self.before = file, f"{name}/"

    def namelist(self) -> list[str]:
        """The names in the folder."""
        return [name.removeprefix(self.before) for name in self.file.namelist() if name.startswith(self.before)]

    def getinfo(self, name: str) -> zipfile.ZipInfo:
        """A member."""
        return self.file.getinfo(self.before + name)

    def open(self, member: zipfile.ZipInfo) -> Any:
        """Its stream."""
        return self.file.open(member)

    @property
    def size(self) -> int:
        """The bytes that its members take."""
        return sum(self.getinfo(name).compress_size for name in self.namelist())


class ClassProof(ProofFile):
    """A file of version 4; network, walls: what it has to be about, Refuted where it is not."""

    def __init__(self, file: zipfile.ZipFile, header: Any, network: Any, walls: Sequence[Form] | None, work: Work) -> None:
        super().__init__(file, header, work)
        self.given, self.walls = network, walls
        self.layers = layers_of(header["network"], self.inputs, work)
        self.labels = tuple(whole(label, 64) for label in header["labels"])
        self.rows = whole(header["units"], 64)
        if network is not None:
            check_same_layers(self.layers, self.onto, network, lambda steps: work.spend(steps, False))
            if tuple(network.classes) != self.labels:
                raise Refuted("the proof is about other classes of the outputs")
        if walls is not None:
            check_same_domain(self.inequalities, walls)

    @property
    def question(self) -> str:
        """What the proof is about, in words."""
        *hidden, outputs = self.layers
        relus = sum(map(len, hidden))
        return f"the class of the largest of {len(outputs)} outputs of a network of {relus} ReLUs on {self.place}"

    def check(self) -> tuple[str, int | None]:
        """All cuts: words on their trees, and the class where no half-space is needed."""
        places, cuts = cuts_of(self.labels, len(self.layers[-1])), self.header["cuts"]
        if self.complete != "tree" or len(cuts) != len(places):
            raise ValueError(f"wanted a complete tree for each of {len(places)} cuts")
        halfspaces, leaves, constant = set[Form](), 0, None
        outputs, width = self.layers[-1].shape
        for number, (place, cut) in enumerate(zip(places, cuts, strict=True)):
            self.work.spend(outputs * (outputs + width) + 3 * len(self.names), self.given is None)
            folder: Any = Folder(self.file, str(number))
            about = self.header | {name: cut[name] for name in ("units", "constant", "idle")}
            proof = DeepProof(folder, about, self.given, self.walls, self.work, folder.size, cut_at(self.layers, place))
            try:
                proof.check()
                if not proof.rows:
                    proof.check_constant()
            except Refuted as error:
                raise Refuted(f"cut {number}: {error}") from None
            halfspaces |= proof.tree.halfspaces.keys()
            leaves += proof.tree.leaves
            if constant is None and not proof.rows and proof.constant > 0:
                constant = self.labels[place - 1]
        if len(halfspaces) != self.rows:
            raise Refuted(f"the cuts have {len(halfspaces)} half-spaces, the header speaks of {self.rows}")
        words = f"{leaves} leaves cover all patterns for each of {len(cuts)} cuts of the classes in two"
        return words, None if self.rows else self.labels[-1] if constant is None else constant


def cuts_of(labels: Sequence[int], outputs: int) -> list[int]:
    """Before which outputs another class begins. ValueError where the outputs of a class are not side by side."""
    places = [k for k in range(1, len(labels)) if labels[k] != labels[k - 1]]
    if len(labels) != outputs or not places or len(set(labels)) != len(places) + 1:
        raise ValueError(f"labels: wanted one for each of {outputs} outputs, of two classes or more, equal ones side by side")
    return places


def layers_of(network: Any, inputs: int, work: Work) -> list[Rows]:
    """The hidden layers and the outputs of a network in a header, as `read_layers`."""
    weights, constants, skips = network["output_weight"], network["output_bias"], network.get("skip")
    if not isinstance(constants, list) or not 2 <= len(constants) <= MOST_OUTPUTS:
        raise ValueError(f"network: wanted 2 to {MOST_OUTPUTS} outputs")
    skips = [[0] * inputs for _ in constants] if skips is None else skips
    of_first = {"output_weight": weights[0], "output_bias": constants[0], "skip": skips[0]}
    *hidden, first = read_layers(network | of_first, inputs, work)
    rows = [[*skip, *weight, bias] for skip, weight, bias in zip(skips, weights, constants, strict=True)]
    table = np.array(rows, dtype=object)
    if table.shape != (len(rows), first.shape[1]):
        raise ValueError("network: wanted outputs that all read the same numbers")
    return [*hidden, rationals(table, work.spend)]


def cut_at(layers: Sequence[Rows], place: int) -> list[Rows]:
    """The layers of the largest of the outputs before a place less the largest of the others.

    max(p, q) = p + R(q − p), in pairs, then of what is left in pairs, and so on, each a unit more.
    """
    *made, outputs = layers
    sides: list[list[Sum]] = [[(row, {}) for row in part] for part in (outputs[:place], outputs[place:])]
    count = 0  # units more
    while max(map(len, sides)) > 1:
        units: list[Sum] = []
        for number, side in enumerate(sides):
            larger = []
            for first, second in zip(side[::2], side[1::2], strict=False):
                larger.append((first[0], first[1] | {count + len(units): 1}))
                units.append(less(second, first))
            sides[number] = larger + side[len(side) & ~1 :]
        made.append(np.array([reading(unit, count) for unit in units]))
        count += len(units)
    return [*made, reading(less(sides[0][0], sides[1][0]), count)[None]]


def less(left: Sum, right: Sum) -> Sum:
    """A difference."""
    return left[0] - right[0], left[1] | {k: left[1].get(k, 0) - factor for k, factor in right[1].items()}


def reading(total: Sum, count: int) -> Rows:
    """A sum as a row that reads so many units more."""
    row, factors = total
    more = np.full(count, Fraction(0))
    for k, factor in factors.items():
        more[k] = Fraction(factor)
    return np.concatenate([row[:-1], more, row[-1:]])
