"""Rows of data in a picture: where they lie, and in which class they are."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from lpnet.equivalents import MinimalEquivalent
from lpnet.equivalents.steps import MinimalSteps
from lpnet.exact import FloatArray
from lpnet.networks.classifier import Classifier
from lpnet.networks.examples import Examples
from lpnet.plots.figure import BLACK, BLUE, GREEN, GREY, ORANGE, SKY, VERMILION, plain
from lpnet.plots.slices import Slice, along_inputs
from lpnet.plots.window import View
from lpnet.rules.logic import words_at

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SHAPES = "osD^vPX*"
COLOURS = (BLUE, VERMILION, GREEN, ORANGE, SKY, GREY)
MOST_ROWS = 2000  # drawn; of more, evenly spaced ones


def slice_through(
    network: Any, examples: Examples, names: Sequence[str], answer: MinimalEquivalent | MinimalSteps | None, weight: FloatArray
) -> Slice:
    """The plane of the two inputs that matter most to the hyperplanes, (m, d), in units of the data's spread, through a row.

    The row is that nearest to the median, in these units; half-spaces count that separate rows, as far as they are known.
    """
    points = examples.points
    spread = points.std(axis=0)
    if answer is not None and answer.examples is not None and (most := answer.seen.largest(100)):
        weight = answer.hidden_layer.floats[0][most]
    effect = np.abs(weight) * spread
    total = effect.sum(axis=1, keepdims=True)
    share = (effect / np.where(total > 0, total, 1.0)).sum(axis=0)
    first, second = sorted(np.argsort(-share, kind="stable")[:2].tolist())
    scaled = points / np.where(spread > 0, spread, 1.0)
    row = int(np.abs(scaled - np.median(scaled, axis=0)).sum(axis=1).argmin())
    return along_inputs(names, first, second, points[row], f"through row {row + 1} of the data")


def draw_rows(axes: "Axes", network: Any, place: Slice, examples: Examples, view: View) -> None:
    """The rows within the view, projected on the slice, by class; by the network's answer where classes are not known."""
    step = examples.rows // MOST_ROWS + 1
    points, answers = examples.points[::step], words_at(network, examples.points[::step])
    classes = answers if examples.classes is None else examples.classes[::step]
    at = projected(points, place)
    seen = ((at >= view[::2]) & (at <= view[1::2])).all(axis=1)
    at, answers, classes = at[seen], answers[seen], classes[seen]
    names = network.names if isinstance(network, Classifier) else network.answer_names
    order = [name for name in names if name in set(classes)] + sorted(set(classes) - set(names))
    for number, name in enumerate(order):
        mine = classes == name
        style: Any = {"marker": SHAPES[number % len(SHAPES)], "color": COLOURS[number % len(COLOURS)]}
        label = f"row: {name}"
        style |= {"s": 9, "linewidths": 0.3, "edgecolors": "white", "zorder": 5, "clip_on": False}
        axes.scatter(*at[mine].T, label=plain(label), **style)
    if examples.classes is not None and set(classes) <= set(names) and (wrong := classes != answers).any():
        ring: Any = {"s": 40, "facecolors": "none", "edgecolors": BLACK, "linewidths": 0.8, "zorder": 6, "clip_on": False}
        axes.scatter(*at[wrong].T, label="decided otherwise", **ring)


def projected(points: FloatArray, place: Slice) -> FloatArray:
    """Coordinates in the slice of the nearest points of it, (rows, 2)."""
    if place.flat:
        s = (points - place.origin) @ place.axes[0]
        return np.column_stack([s, np.zeros(len(s))])
    return np.asarray(np.linalg.lstsq(place.axes.T, (points - place.origin).T, rcond=None)[0].T, dtype=np.float64)
