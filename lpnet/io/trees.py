"""From trees in any format to a `TreeEnsemble`, and what has to be said about it."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np

from lpnet.errors import InputError
from lpnet.exact import FloatArray, Numbers, fractions
from lpnet.io.choice import chosen_of
from lpnet.io.compare import points_for
from lpnet.io.kinds import Choice, Outputs
from lpnet.io.levels import Levels
from lpnet.io.reading import Reading
from lpnet.io.signal import Signal
from lpnet.networks.affine import AffineMap
from lpnet.networks.tree_table import two_at_least
from lpnet.networks.trees import TreeEnsemble

POINTS = 256
CAST = (
    "inputs: real numbers, compared with the thresholds as they are stored; {who} first rounds its inputs to float32, which "
    "changes none that is a float32"
)
NAN = "missing values: where the trees send NaN is left out; the inputs are real numbers"


def front_of(signal: Signal) -> AffineMap | None:
    """The affine map of the inputs that a signal is; InputError where it is none."""
    if signal.tail or signal.level:
        raise InputError(
            f"has trees behind {signal.tail or signal.steps[0]}; wanted nothing but affine layers in front of them"
        )
    levels = Levels(signal)
    *_, last = levels.layers
    layers = list(levels.front_layers)
    if last.weight.shape[0] != last.weight.shape[1] or (last.weight != np.eye(len(last.weight))).any() or last.bias.any():
        layers.append(last)
    return AffineMap(tuple(layers)) if layers else None


def finished_trees(
    ensemble: TreeEnsemble,
    weight: Numbers,
    bias: Numbers,
    outputs: Outputs | None,
    names: Sequence[Any],
    tail: str = "",
    tie: int = 0,
    notes: Sequence[str] = (),
) -> Reading:
    """The ensemble that decides by outputs weight · Σ + bias; names: of the classes, or none for a regressor.

    By default it is the class of the first of the largest outputs. A single output: +1, or class 1, where it is > 0 (tie 0) or
    ≥ 0 (tie 1). outputs: another decision, see `lpnet.io.choice`.
    """
    count = len(bias)
    own = outputs is None or (isinstance(outputs, Choice) and outputs.rule in ("own", "argmax"))
    labels, classes = tuple(map(str, names)), tuple[int, ...]()
    if own and count == 1:
        rows, constants = two_at_least(weight, bias)
        sign = "≥ 0, so that 0 itself is +1" if tie else "> 0, so that 0 itself is −1"
        said = f"+1{f', class {labels[1]},' if len(labels) == 2 else ''} where the sum is {sign}"
        labels = labels if len(labels) == 2 else ("-1", "+1")
        rows, constants, classes = (rows, constants, (1, 0)) if tie else (rows[::-1], constants[::-1], (0, 1))
    elif own:
        rows, constants, classes = weight, bias, tuple(range(count))
        labels = labels if len(labels) == count else tuple(map(str, range(count)))
        said = f"the class of the largest of {count} sums, a tie being for the first of them; classes {', '.join(labels)}"
        said += "; +1 is the second one" if count == 2 else ""
    else:
        chosen = chosen_of(weight, bias, outputs, names, tail)
        said, (rows, constants) = chosen.said, two_at_least(chosen.weight, chosen.bias)
        classes, labels = chosen.classes or (1, 0), chosen.names or ("-1", "+1")
        if len(chosen.names) == 2:  # one of a group, or of the rest
            classes, labels = tuple(1 - c for c in classes), labels[::-1]
    made = replace(ensemble, output_weight=rows, output_bias=constants, classes=classes, names=labels)
    return described_trees(made, said, notes)


def trees_again(ensemble: TreeEnsemble, outputs: Outputs | None) -> Reading:
    """An ensemble as lpnet keeps it, and what of its scores is asked for."""
    own = outputs is None or (isinstance(outputs, Choice) and outputs.rule in ("own", "argmax"))
    weight, bias = ensemble.output_weight, ensemble.output_bias
    single = [o for o in (0, 1) if len(bias) == 2 and not weight[o].any() and not bias[o]]
    if own:
        said = "the class of the largest of its sums, a tie being for the first of them"
        if ensemble.binary:
            said = f"+1 where the sum of class {ensemble.names[1]} is ahead; a tie is for {ensemble.names[ensemble.classes[0]]}"
        return described_trees(ensemble, said)
    if single and isinstance(outputs, Choice) and outputs.rule == "single":
        kept = [1 - single[0]]
        return finished_trees(ensemble, weight[kept], bias[kept], outputs, ())
    if ensemble.classes != tuple(range(len(ensemble.classes))):
        raise InputError("is a decision among classes, of which no other one can be made")
    return finished_trees(ensemble, weight, bias, outputs, ensemble.names)


def described_trees(made: TreeEnsemble, said: str, notes: Sequence[str] = ()) -> Reading:
    """An ensemble with what there is to say about it."""
    size = f"trees: {made.trees}, {made.splits:,} splits on {made.thresholds:,} different thresholds, {made.leaves:,} leaves"
    numbers = "numbers: exactly those given; sums are exact, where the library's own are rounded; nothing is rounded"
    front = () if not made.front else (f"front: affine, from {made.inputs} inputs to {made.columns} numbers, kept as given",)
    return Reading(made, (size, *front, *notes, numbers, f"answer: {said}"))


def check_trees(ensemble: TreeEnsemble, signal: Signal, ask: Callable[[FloatArray], Any], by: str) -> None:
    """InputError where a source's own scores, (batch, q), are others at some points: of its thresholds, and around them."""
    points = tree_points(ensemble, signal)
    answers = np.asarray(ask(points), dtype=np.float64).reshape(len(points), -1)
    scores = ensemble.scores(points)
    size = np.abs(scores).max(initial=0.0) + np.abs(ensemble.value.astype(np.float64)).max(initial=0.0) * ensemble.trees
    if answers.shape[1] == 1:
        scores = scores[:, :1]
    if answers.shape != scores.shape or not (np.abs(answers - scores) <= 1e-5 * size).all():
        raise InputError(f"lpnet's reading of the trees disagrees with {by}, so it is not used")


def tree_points(ensemble: TreeEnsemble, signal: Signal) -> FloatArray:
    """Points of float32, some at thresholds and the next floats; none near to one, where something is in front."""
    random = np.random.default_rng(0)
    near = points_for(signal, POINTS)
    inner = ensemble.feature >= 0
    if not inner.any():
        return near
    if ensemble.front is None:
        for j in range(ensemble.columns):
            own = np.asarray(ensemble.threshold[inner & (ensemble.feature == j)], dtype=np.float32)
            if len(own):
                chosen = random.choice(own, size=POINTS)
                moved = np.nextafter(chosen, random.choice([-np.inf, np.inf], size=POINTS).astype(np.float32))
                near[:, j] = np.where(
                    random.random(POINTS) < 0.7, np.where(random.random(POINTS) < 0.5, chosen, moved), near[:, j]
                )
        return near[np.isfinite(near).all(axis=1)]
    z = near @ ensemble.front.composed.floats[0].T + ensemble.front.composed.floats[1]
    gap = np.abs(z[:, ensemble.feature[inner]] - ensemble.threshold[inner].astype(np.float64))
    return near[(gap > 1e-5 * (np.abs(z).max(axis=1, keepdims=True) + 1e-30)).all(axis=1)]


def identity(count: int, share: int = 1) -> Numbers:
    """The matrix of one output a sum, divided by a whole number, exactly."""
    if share == 1:
        return np.eye(count)
    return fractions([Fraction(int(i == j), share) for i in range(count) for j in range(count)], (count, count))
