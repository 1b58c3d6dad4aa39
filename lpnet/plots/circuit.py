"""A threshold network, layer by layer, as in [PS16] Figure 3."""

from typing import TYPE_CHECKING, Any

import numpy as np

from lpnet.exact import FloatArray
from lpnet.networks import SignCircuit, SignNetwork
from lpnet.plots.figure import BLACK, BLUE, GREY, PALE, VERMILION, new_figure, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_UNITS = 32  # of a layer; of more, only their number is drawn
MOST_TERMS = 3  # of an inequality written out
BOX = 0.42  # half the width of such a box, columns being 1 apart
Layer = tuple[FloatArray, FloatArray]


def draw_circuit(network: SignNetwork | SignCircuit, names: list[str] | None = None, title: str = "") -> "Figure":
    """Inputs, threshold units and their weights, from the left to the right.

    A solid connection has weight +1, a dashed one −1, other weights are written on it. A unit of a later layer says what it is
    of the units before it: AND, OR, or from which sum on it is +1. Of a large layer only the size is drawn.
    """
    names = names or [f"x{k + 1}" for k in range(network.inputs)]
    later = later_layers(network)
    sizes = [network.inputs, network.units, *(len(bias) for _, bias in later)]
    large = max(sizes) > MOST_UNITS
    tallest = 2 if large else max(sizes)
    column = 2.2 if large or network.inputs > MOST_TERMS else 3.2
    figure = new_figure(column * len(sizes) + 0.6, max(1.8, 0.42 * tallest + 0.8))
    axes = figure.add_subplot()
    axes.set_axis_off()
    axes.set_xlim(-0.45, len(sizes) - 0.45)
    axes.set_ylim(-0.08, 1.08)
    (draw_sizes if large else draw_units)(axes, network, later, names)
    axes.set_title(plain(title), fontsize=10, wrap=True)
    return figure


def later_layers(network: SignNetwork | SignCircuit) -> list[Layer]:
    """Weights and biases of the layers after the first."""
    output = (network.output_weight[None], np.array([network.output_bias]))
    if isinstance(network, SignCircuit):
        return [(network.middle_weight, network.middle_bias), output]
    return [output]


def draw_units(axes: "Axes", network: SignNetwork | SignCircuit, later: list[Layer], names: list[str]) -> None:
    """Every unit and every connection."""
    layers = [(network.hidden_weight, network.hidden_bias), *later]
    written = network.inputs <= MOST_TERMS
    for column, (weight, bias) in enumerate(layers):
        for row, source in np.argwhere(weight):
            w = float(weight[row, source])
            here, there = (column, height(source, weight.shape[1])), (column + 1, height(row, len(bias)))
            draw_connection(axes, here, there, w, plain=column == 0, beside=BOX if written else 0.0)
    for k, name in enumerate(names):
        draw_node(axes, 0, height(k, len(names)), name, rounded=True)
    for k in range(network.units):
        text = inequality(network.hidden_weight[k], network.hidden_bias[k], names) if written else ""
        draw_node(axes, 1, height(k, network.units), f"h{k + 1}: {text}" if written else f"h{k + 1}")
    for column, (weight, bias) in enumerate(later, 2):
        for k in range(len(bias)):
            draw_node(axes, column, height(k, len(bias)), meaning(weight[k], bias[k]))
    draw_connection(axes, (len(layers), 0.5), (len(layers) + 0.42, 0.5), 1.0, plain=True)


def draw_sizes(axes: "Axes", network: SignNetwork | SignCircuit, later: list[Layer], names: list[str]) -> None:
    """A box for each layer, with its number of units and of connections."""
    layers = [(network.hidden_weight, network.hidden_bias), *later]
    texts = [f"{network.inputs} inputs", f"{network.units:,} threshold units\nh1 … h{network.units}"]
    for weight, bias in later:
        kinds = {meaning(row, b) for row, b in zip(weight, bias, strict=True)}
        kind = kinds.pop() if len(kinds) == 1 else "threshold unit"
        texts.append(kind if len(bias) == 1 else f"{len(bias):,} × {kind}")
    for column, (weight, _) in enumerate(layers):
        draw_connection(axes, (column, 0.5), (column + 1, 0.5), 1.0, plain=True)
        axes.text(column + 0.5, 0.62, f"{np.count_nonzero(weight):,}\nweights", ha="center", va="bottom", fontsize=8)
    for column, text in enumerate(texts):
        draw_node(axes, column, 0.5, text, rounded=column == 0)


def height(number: int, count: int) -> float:
    """Where the units of a layer stand, the first at the top."""
    return 1 - (number + 0.5) / count


def draw_connection(
    axes: "Axes", here: tuple[float, float], there: tuple[float, float], weight: float, plain: bool = False, beside: float = 0.0
) -> None:
    """A line; in later layers dashed for a negative weight, the weight written on it unless it is ±1.

    beside: how far it stays beside the column of the first layer.
    """
    style: dict[str, Any] = {"color": GREY, "linewidth": 0.6}
    if not plain:
        style = {"color": BLUE, "linewidth": 1.1} if weight > 0 else {"color": VERMILION, "linewidth": 1.1, "linestyle": "--"}
    path = [here, (here[0] + beside * (here[0] == 1), here[1]), (there[0] - beside * (there[0] == 1), there[1]), there]
    axes.plot(*zip(*path, strict=True), zorder=1, **style)
    if not plain and abs(weight) != 1:
        x, y = (0.65 * a + 0.35 * b for a, b in zip(here, there, strict=True))
        box = {"facecolor": "white", "edgecolor": "none", "pad": 0.6}
        axes.text(x, y, f"{weight:.4g}".replace("-", "−"), fontsize=8, ha="center", va="center", bbox=box, zorder=2)


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
