"""What data say about a network and the half-spaces that it needs."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from lpnet.exact import FloatArray
from lpnet.networks.affine import Layer
from lpnet.networks.classifier import Classifier
from lpnet.networks.examples import Examples
from lpnet.networks.named import PLAIN_LABELS
from lpnet.networks.step import StepNetwork
from lpnet.rules.logic import words_at

AT_ONCE = 1 << 22  # signs
MOST_SIGNS = 1 << 28


@dataclass(frozen=True)
class Seen:
    """Rows of data: how many; at how many each half-space holds, None where that are too many signs; which units are active.

    accuracy: the share of rows whose class, where it is known, is the network's answer; decided: rows by the network's answer;
    never_active, always_active: numbers of hidden units from 0, of all layers.
    """

    rows: int
    accuracy: float | None
    decided: dict[str, int]
    rows_that_hold: tuple[int, ...] | None
    never_active: tuple[int, ...]
    always_active: tuple[int, ...]

    @property
    def separating(self) -> int | None:
        """How many half-spaces have rows on both sides."""
        return None if self.rows_that_hold is None else sum(0 < count < self.rows for count in self.rows_that_hold)

    def largest(self, most: int) -> list[int]:
        """Numbers of the half-spaces that divide the rows most evenly."""
        counts = self.rows_that_hold or ()
        order = sorted(range(len(counts)), key=lambda k: (-min(counts[k], self.rows - counts[k]), k))
        return [k for k in order if 0 < counts[k] < self.rows][:most]


def seen(network: Any, halfspaces: Layer, examples: Examples) -> Seen:
    """The rows of the data, seen by a network or a classifier and the half-spaces that it needs; exactly."""
    first = network.scores[0] if isinstance(network, Classifier) else network
    answers = words_at(network, examples.points)
    units = hidden_units(first)[1]
    active, holds = np.zeros(units, dtype=int), np.zeros(len(halfspaces.bias), dtype=int)
    few = examples.rows * len(halfspaces.bias) <= MOST_SIGNS
    for rows in batches(examples.points, max(units, len(halfspaces.bias), 1)):
        active += first.activation_pattern(rows).sum(axis=0)
        if few:
            holds += (halfspaces.signs(rows) >= 0).sum(axis=0)
    names, counts = np.unique(answers.astype(str), return_counts=True)
    return Seen(
        examples.rows,
        accuracy(network, answers, examples),
        dict(zip(names.tolist(), counts.tolist(), strict=True)),
        tuple(holds.tolist()) if few else None,
        tuple(np.flatnonzero(active == 0).tolist()),
        tuple(np.flatnonzero(active == examples.rows).tolist()),
    )


def hidden_units(network: Any) -> tuple[str, int]:
    """What the hidden units of a network are called, and how many there are."""
    return ("Units", network.units) if isinstance(network, StepNetwork) else ("ReLUs", network.relus)


def batches(points: FloatArray, width: int) -> Iterator[FloatArray]:
    """Rows, as many at once as have room."""
    step = max(1, AT_ONCE // width)
    for start in range(0, len(points), step):
        yield points[start : start + step]


def accuracy(network: Any, answers: Any, examples: Examples) -> float | None:
    """The share of right answers; classes 0 and 1 are −1 and +1 where the answers have no names. None where they do not fit."""
    if examples.classes is None:
        return None
    known, names = examples.classes, network.names if isinstance(network, Classifier) else network.answer_names
    if names == PLAIN_LABELS:
        words = {"0": "-1", "-1": "-1", "1": "+1", "+1": "+1", "False": "-1", "True": "+1"}
        known = np.array([words.get(name, name) for name in known], dtype=object)
    return float(np.mean(known == answers)) if set(known) & set(names) else None
