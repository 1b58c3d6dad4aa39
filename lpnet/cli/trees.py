"""What `lpnet minimal` says of trees."""

from pathlib import Path
from typing import Any

import numpy as np

from lpnet.equivalents.tree_circuits import TreeCircuit
from lpnet.equivalents.trees import MinimalTrees
from lpnet.errors import InputError
from lpnet.networks.classifier import Classifier
from lpnet.networks.trees import TreeEnsemble


def known_trees(network: TreeEnsemble) -> dict[str, Any]:
    """The part of a row that is known beforehand."""
    sizes = {"inputs": network.inputs, "trees": network.trees, "splits": network.splits, "thresholds": network.thresholds}
    return sizes if network.binary else sizes | {"classes": len(network.names)}


def summary_of_trees(answer: MinimalTrees) -> dict[str, Any]:
    """The answer in numbers, as --json prints it: of several classes also what two of them that touch, and each, need."""
    names = answer.network.names
    row: dict[str, Any] = {**known_trees(answer.network), "units": answer.units}
    if answer.network.binary:
        row["constant"] = None if answer.constant is None else 2 * answer.constant - 1
    else:
        row |= {
            "constant": None if answer.constant is None else names[answer.constant],
            "pairs": [{"classes": [names[i], names[j]], "units": b.units} for (i, j), b in answer.borders.items()],
            "units_of_class": {name: len(answer.units_of(number)) for number, name in enumerate(names)},
            "never": {names[number]: False for number in answer.never} if answer.complete else None,
        }
    seconds = {"boxes": answer.changes.boxes, "seconds": round(answer.seconds, 6), "complete": answer.complete}
    return row | seconds | {"engine": "boxes"}


def counted_trees(answer: MinimalTrees) -> dict[str, Any]:
    """What --count prints."""
    row = summary_of_trees(answer)
    return {name: row[name] for name in (*known_trees(answer.network), "units", "seconds", "complete", "engine")}


def sizes_of_trees(built: TreeCircuit) -> dict[str, Any]:
    """The sizes of a threshold network, and of each class's own part of it."""
    row = {
        "circuit": built.kind,
        "first_layer": built.first_layer,
        "second_layer": built.second_layer,
        "at_least": built.at_least,
    }
    if not isinstance(built.network, Classifier):
        return row
    scores = zip(built.network.names, built.parts, built.network.scores, strict=True)
    parts = {
        name: {"circuit": kind, "second_layer": int(np.count_nonzero(score.output_weight))} for name, kind, score in scores
    }
    return row | {"parts": parts}


def check_trees(engine: str, proof: Path | None, scheduler: str | None) -> None:
    """InputError for options that are not for trees."""
    if engine != "auto":
        raise InputError(f"--engine: trees have one of their own, got {engine}")
    if proof:
        raise InputError("--proof: there are no proofs yet of what trees need; leave it out")
    if scheduler:
        raise InputError("--scheduler: trees are searched on one machine; leave it out")
