"""A threshold network, layer by layer, as in [PS16] Figure 3."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lpnet.exact import FloatArray, nearest
from lpnet.networks import SignCircuit, SignNetwork
from lpnet.networks.arrays import full
from lpnet.networks.classifier import Classifier
from lpnet.plots.figure import BLACK, BLUE, GREY, PALE, VERMILION, broken, new_figure, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

MOST_UNITS = 32  # of a layer; of more, only their number is drawn
MOST_LINES = 100  # between two layers; more are drawn pale
MOST_TERMS = 3  # of an inequality written out
LETTER, ROW, GAP, MARGIN = 0.063, 0.27, 0.7, 0.3  # inches: of text in 8 points, between units, between layers, around all
POSITIVE: Any = {"color": BLUE, "linewidth": 1.1}
NEGATIVE: Any = {"color": VERMILION, "linewidth": 1.1, "linestyle": "--"}
Layer = tuple[FloatArray, FloatArray]
Threshold = SignNetwork | SignCircuit | Classifier


@dataclass(frozen=True)
class Column:
    """A layer in a picture: the texts of its boxes, from the top down, its middle and its width, in inches."""

    texts: list[str]
    x: float
    width: float

    def height(self, number: int) -> float:
        """Where a box stands, from 0 to 1."""
        return 1 - (number + 0.5) / len(self.texts)


def draw_circuit(network: Threshold, names: list[str] | None = None, title: str = "") -> "Figure":
    """Inputs, threshold units and their weights, from the left to the right.

    A solid connection has weight +1, a dashed one −1, other weights are written on it. A unit of a later layer says what it is
    of the units before it: AND, OR, or from which sum on it is +1; an output of several, its class too. Of a large layer only
    the size is drawn; of many connections pale ones and their number.
    """
    names = names or network.input_names
    first = network.scores[0] if isinstance(network, Classifier) else network
    layers = [first.input_layer.floats, *later_layers(network)]
    large = max(network.inputs, *(len(bias) for _, bias in layers)) > MOST_UNITS
    columns = placed(sizes(network, layers) if large else units(network, layers, names))
    width = columns[-1].x + columns[-1].width / 2 + GAP / 2
    figure = new_figure(width + 2 * MARGIN, ROW * max(3, *(len(column.texts) for column in columns)) + 0.6)
    axes = figure.add_subplot()
    axes.set_axis_off()
    axes.set_xlim(0, width)
    axes.set_ylim(-0.02, 1.02)
    for number, (weight, _) in enumerate(layers):
        here, there = columns[number : number + 2]
        if large:
            draw_connection(axes, here, there, (0, 0), 1.0, first=True)
        else:
            for row, source in np.argwhere(weight):
                draw_connection(axes, here, there, (source, row), float(weight[row, source]), not number, pale(weight))
        if large or pale(weight) < 1:
            text, middle = f"{np.count_nonzero(weight):,}\nweights", (here.x + here.width / 2 + there.x - there.width / 2) / 2
            box = {"facecolor": "white", "edgecolor": "none", "pad": 0.6, "alpha": 0 if large else 0.85}
            axes.text(middle, 0.56, text, ha="center", va="bottom", fontsize=8, bbox=box, zorder=2)
    for k in range(len(columns[-1].texts)):
        axes.plot([columns[-1].x, width], [columns[-1].height(k)] * 2, color=GREY, linewidth=0.6, zorder=1)
    for number, column in enumerate(columns):
        for k, text in enumerate(column.texts):
            draw_node(axes, column.x, column.height(k), text, rounded=not number)
    axes.set_title(plain(broken(title, int(width / LETTER))), fontsize=8.5)
    if not large and any((weight < 0).any() for weight, _ in layers[1:]):
        figure.legend(handles=signs(), loc="outside lower center", ncols=2, fontsize=8, frameon=False)
    return figure


def pale(weight: FloatArray) -> float:
    """How strongly a layer's connections are drawn, from 0 to 1."""
    return float(min(1.0, (MOST_LINES / max(int(np.count_nonzero(weight)), 1)) ** 0.5))


def later_layers(network: Threshold) -> list[Layer]:
    """Weights and biases of the layers after the first, the last one of all outputs."""
    scores = network.scores if isinstance(network, Classifier) else (network,)
    weight, bias = zip(*(score.output_layer.floats for score in scores), strict=True)
    output = np.vstack(weight), np.concatenate(bias)
    if isinstance(scores[0], SignCircuit):
        return [(nearest(full(scores[0].middle_weight)), nearest(scores[0].middle_bias)), output]
    return [output]


def units(network: Threshold, layers: list[Layer], names: list[str]) -> list[list[str]]:
    """The texts of all inputs and units, by layer."""
    numbers = [f"h{k + 1}" for k in range(len(layers[0][1]))]
    if network.inputs <= MOST_TERMS:
        rows = zip(numbers, *layers[0], strict=True)
        numbers = [f"{number}: {inequality(weight, bias, names)}" for number, weight, bias in rows]
    later = [[meaning(row, b) for row, b in zip(weight, bias, strict=True)] for weight, bias in layers[1:]]
    if isinstance(network, Classifier):
        later[-1] = [f"{network.names[c]}: {text}" for c, text in zip(network.classes, later[-1], strict=True)]
    return [names, numbers, *later]


def sizes(network: Threshold, layers: list[Layer]) -> list[list[str]]:
    """A text for each layer: what it has of what."""
    count = len(layers[0][1])
    texts = [f"{network.inputs} inputs", f"{count:,} threshold units\nh1 … h{count}"]
    for weight, bias in layers[1:]:
        kinds = {meaning(row, b) for row, b in zip(weight, bias, strict=True)}
        kind = kinds.pop() if len(kinds) == 1 else "threshold unit"
        texts.append(kind if len(bias) == 1 else f"{len(bias):,} × {kind}")
    return [[text] for text in texts]


def placed(layers: list[list[str]]) -> list[Column]:
    """Side by side, each as wide as its texts."""
    columns, right = [], -GAP
    for texts in layers:
        width = LETTER * (max((len(line) for text in texts for line in text.split("\n")), default=0) + 2)
        columns.append(Column(texts, right + GAP + width / 2, width))
        right += GAP + width
    return columns


def draw_connection(
    axes: "Axes", here: Column, there: Column, ends: tuple[int, int], weight: float, first: bool, strength: float = 1.0
) -> None:
    """A line from box to box; in later layers dashed for a negative weight, which is written on it unless it is ±1 or pale."""
    low, high = here.height(ends[0]), there.height(ends[1])
    start, end = here.x + here.width / 2, there.x - there.width / 2
    style: Any = {"color": GREY, "linewidth": 0.6} if first else POSITIVE if weight > 0 else NEGATIVE
    style = {**style, "linewidth": style["linewidth"] * strength, "alpha": strength}
    axes.plot([here.x, start, end, there.x], [low, low, high, high], zorder=1, **style)
    if not first and abs(weight) != 1 and strength == 1:
        box = {"facecolor": "white", "edgecolor": "none", "pad": 0.6}
        at = 0.7 * start + 0.3 * end, 0.7 * low + 0.3 * high
        axes.text(*at, f"{weight:.4g}".replace("-", "−"), fontsize=8, ha="center", va="center", bbox=box, zorder=2)


def signs() -> "list[Line2D]":
    """The entries of the legend."""
    from matplotlib.lines import Line2D

    return [Line2D([], [], label="positive weight", **POSITIVE), Line2D([], [], label="negative weight", **NEGATIVE)]


def draw_node(axes: "Axes", x: float, y: float, text: str, rounded: bool = False) -> None:
    """A unit: its text in a box."""
    box = {"boxstyle": "round,pad=0.35" if rounded else "square,pad=0.35", "edgecolor": BLACK, "linewidth": 0.8}
    box["facecolor"] = "white" if rounded else PALE
    axes.text(x, y, plain(text), ha="center", va="center", fontsize=8, bbox=box, zorder=3)


def meaning(weight: FloatArray, bias: float) -> str:
    """What a threshold unit is of the units before it: AND, OR, or its threshold."""
    used = weight[weight != 0]
    if not len(used):
        return "always" if bias >= 0 else "never"
    if (np.abs(used) == 1).all() and abs(bias) == len(used) - 1:
        return "=" if len(used) == 1 else "OR" if bias > 0 else "AND"
    return f"sum ≥ {0.0 - bias:.4g}".replace("-", "−")


def inequality(weight: FloatArray, bias: float, names: list[str]) -> str:
    """v·x ≥ −c in a few digits."""
    used = [(w, name) for w, name in zip(weight.tolist(), names, strict=True) if w]
    terms = [f"{'−' if w < 0 else '+'} {'' if abs(w) == 1 else f'{abs(w):.3g} '}{name}" for w, name in used]
    left = " ".join(terms).removeprefix("+ ") or "0"
    right = f"{0.0 - bias:.3g}".replace("-", "−")
    return f"{left.replace('− ', '−', 1) if left.startswith('−') else left} ≥ {right}"
