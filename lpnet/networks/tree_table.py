"""Trees of any source, node by node, as a `TreeEnsemble`."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from lpnet.errors import InputError
from lpnet.exact import Numbers, fractions, shortened
from lpnet.networks.affine import AffineMap
from lpnet.networks.trees import TreeEnsemble

MOST_NODES = 10**6


class Node(NamedTuple):
    """A split, or a leaf with what it adds to the sums."""

    value: Sequence[Any] = ()
    feature: int = -1
    threshold: Any = 0.0
    strict: bool = False
    left: Any = None
    right: Any = None


@dataclass
class Table:
    """Trees in one table (`TreeEnsemble`), node by node."""

    width: int
    feature: list[int] = field(default_factory=list)
    threshold: list[Any] = field(default_factory=list)
    strict: list[bool] = field(default_factory=list)
    children: list[list[int]] = field(default_factory=list)
    value: list[Sequence[Any]] = field(default_factory=list)
    roots: list[int] = field(default_factory=list)

    def add(self, root: Any, node_of: Callable[[Any], Node]) -> None:
        """A tree: node_of says what a node is, by any name of it; a threshold ∞ sends all numbers to the left."""
        self.roots.append(len(self.feature))
        left: list[tuple[Any, int, int]] = [(root, -1, 0)]
        seen = 0
        while left:
            name, parent, side = left.pop()
            node = node_of(name)
            while node.feature >= 0 and abs(node.threshold) == np.inf:
                node = node_of(node.left if node.threshold > 0 else node.right)
            if parent >= 0:
                self.children[parent][side] = len(self.feature)
            if node.feature >= 0:
                left += (node.right, len(self.feature), 1), (node.left, len(self.feature), 0)
            self.feature.append(node.feature)
            self.threshold.append(node.threshold if node.feature >= 0 else 0.0)
            self.strict.append(node.strict)
            self.children.append([-1, -1])
            self.value.append(node.value if node.feature < 0 else [0.0] * self.width)
            seen += 1
            if seen > MOST_NODES:
                raise InputError(f"has a tree of more than {MOST_NODES} nodes, or one that comes back to itself")

    def ensemble(self, features: int, weight: Numbers, bias: Numbers, front: AffineMap | None = None) -> TreeEnsemble:
        """The ensemble with these scores, a single one against 0."""
        value = fractions([entry for row in self.value for entry in row], (len(self.feature), self.width))
        return TreeEnsemble(
            features,
            np.array(self.feature, dtype=np.intp),
            shortened(fractions(self.threshold, (-1,))),
            np.array(self.strict, dtype=bool),
            np.array(self.children, dtype=np.intp).reshape(-1, 2),
            shortened(value),
            np.array(self.roots, dtype=np.intp),
            *two_at_least(weight, bias),
            front=front,
        )


def two_at_least(weight: Numbers, bias: Numbers) -> tuple[Numbers, Numbers]:
    """Scores, a single one against 0."""
    if len(bias) > 1:
        return weight, bias
    return np.concatenate([weight, 0 * weight]), np.concatenate([bias, 0 * bias])
