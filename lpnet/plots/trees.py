"""Which answers trees give in the plane of two inputs: rectangles between thresholds, exactly."""

from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lpnet.errors import InputError
from lpnet.exact import FloatArray, fraction
from lpnet.networks import Polyhedron
from lpnet.networks.arrays import as_array
from lpnet.networks.grid import Grid
from lpnet.networks.polyhedron import as_domain
from lpnet.networks.trees import TreeEnsemble
from lpnet.plots.boundary import MOST_TICKS, TITLE
from lpnet.plots.classes import COLOURS, HATCHES
from lpnet.plots.figure import BLACK, GREY, broken, new_figure, plain

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_CELLS = 250_000
MARGIN = 0.15  # of the width of all thresholds, beyond them


class Plane(NamedTuple):
    """The plane of one or two inputs through a point: the first cells' borders on each axis, and the classes between them.

    classes: (columns, rows).
    """

    inputs: tuple[int, ...]
    at: tuple[Fraction, ...]
    borders: tuple[FloatArray, ...]
    classes: NDArray[np.intp]


def draw_trees(
    network: TreeEnsemble,
    names: Sequence[str] | None = None,
    inputs: Sequence[str] | None = None,
    at: Any = None,
    domain: Polyhedron | None = None,
    title: str = "",
) -> tuple["Figure", str]:
    """The regions of the answers in the plane of two inputs, by default those of most thresholds, and which plane it is.

    at: a point of it, (d,); by default the medians of the thresholds. Raises InputError for a front that turns the inputs.
    """
    named = [f"x{k + 1}" for k in range(network.inputs)] if names is None else list(names)
    shown = plane(network, named, inputs, at, as_domain(domain, network.inputs))
    caption = caption_of(shown, named)
    figure = new_figure(4.0, 2.0 if len(shown.inputs) == 1 else 4.6)
    axes = figure.add_subplot()
    x, y = (*shown.borders, np.array([-1.0, 1.0]))[:2]
    from matplotlib.collections import LineCollection
    from matplotlib.patches import Patch, PathPatch
    from matplotlib.path import Path

    handles: list[Any] = []
    for number, name in enumerate(answers_of(network)):
        style: Any = {"facecolor": COLOURS[number % len(COLOURS)], "hatch": HATCHES[number // len(COLOURS) % len(HATCHES)]}
        style |= {"linewidth": 0, "edgecolor": GREY}
        boxes = [
            Path([(x[a], y[b]), (x[a + 1], y[b]), (x[a + 1], y[b + 1]), (x[a], y[b + 1]), (x[a], y[b])], closed=True)
            for a, b in np.argwhere(shown.classes == number)
        ]
        if boxes:
            axes.add_patch(PathPatch(Path.make_compound_path(*boxes), **style, zorder=0))
        handles.append(Patch(**style, label=plain(name)))
    axes.vlines(x[1:-1], y[0], y[-1], color=GREY, linestyle=":", linewidth=0.5, zorder=1)
    axes.hlines(y[1:-1] if len(shown.inputs) == 2 else [], x[0], x[-1], color=GREY, linestyle=":", linewidth=0.5, zorder=1)
    lines = LineCollection(edges(shown, x, y), colors=BLACK, linewidths=1.5, zorder=3, label="decision boundary")
    axes.add_collection(lines)
    finish(figure, axes, [*handles, lines], (x, y), [named[j] for j in shown.inputs], "\n".join(filter(None, (title, caption))))
    return figure, caption


def finish(figure: "Figure", axes: Any, handles: list[Any], borders: Any, labels: list[str], title: str) -> None:
    """Limits, labels, title and legend."""
    axes.set_xlim(borders[0][0], borders[0][-1])
    axes.set_ylim(borders[1][0], borders[1][-1])
    axes.set_xlabel(plain(labels[0]), fontsize=9)
    if len(labels) == 2:
        axes.set_ylabel(plain(labels[1]), fontsize=9)
    else:
        axes.set_yticks([])
    axes.locator_params(axis="x", nbins=MOST_TICKS)
    axes.tick_params(labelsize=8)
    axes.set_title(plain(broken(title, TITLE)), fontsize=8.5)
    style: Any = {"loc": "outside lower center", "ncols": 2, "fontsize": 8, "frameon": False, "borderpad": 0.8}
    figure.legend(handles=handles, **style)


def answers_of(network: TreeEnsemble) -> list[str]:
    """The answers' names."""
    numbered = network.names in (("0", "1"), ("-1", "+1"))
    signs = ["answer -1", "answer +1"]
    if not network.binary:
        return list(network.names)
    return signs if numbered else [f"{name} ({sign[-2:]})" for name, sign in zip(network.names, signs, strict=True)]


def edges(shown: Plane, x: FloatArray, y: FloatArray) -> list[Any]:
    """The segments between cells of different answers."""
    classes = shown.classes
    upright = [((x[a + 1], y[b]), (x[a + 1], y[b + 1])) for a, b in np.argwhere(classes[:-1] != classes[1:])]
    level = [((x[a], y[b + 1]), (x[a + 1], y[b + 1])) for a, b in np.argwhere(classes[:, :-1] != classes[:, 1:])]
    return upright + level


def caption_of(shown: Plane, names: Sequence[str]) -> str:
    """Which plane it is, "" where there are no other inputs."""
    rest = [
        f"{name} = {float(z):.4g}" for k, (name, z) in enumerate(zip(names, shown.at, strict=True)) if k not in shown.inputs
    ]
    more = f" and {len(rest) - 4} more" if len(rest) > 4 else ""
    return f"slice: {', '.join(names[j] for j in shown.inputs)}, at {', '.join(rest[:4])}{more}" if rest else ""


def plane(network: TreeEnsemble, names: Sequence[str], inputs: Sequence[str] | None, at: Any, domain: Polyhedron) -> Plane:
    """The plane that is asked for."""
    if inputs is not None and (len(set(inputs)) != 2 or not set(inputs) <= set(names)):
        raise InputError(f"slice: wanted two of the inputs {', '.join(names[:9])}, got {', '.join(inputs)}")
    try:
        own = network.behind(network.front.composed if network.front else None)
    except InputError:
        raise InputError("pictures are of trees on the inputs themselves, scaled or not; what is in front turns them") from None
    grid = own.grid
    if inputs is None:
        most = sorted(range(grid.features), key=lambda j: -len(grid.cuts[j]))[:2]
        axes_of = tuple(sorted(most))
    else:
        axes_of = tuple(map(names.index, inputs))
    point = middle(grid) if at is None else [fraction(x) for x in as_array("at", at, (network.inputs,))]
    ends = domain.bounds
    if domain.forms and not domain.box:
        raise InputError("domain: wanted a box, bounds of the inputs, for a picture of trees")
    cells = [sum(t < x or (t == x and not below) for t, below in c) for c, x in zip(grid.cuts, point, strict=True)]
    ranges, borders = [], []
    for j in axes_of:
        low, high = window(grid, j, ends[0][j], ends[1][j])
        first, last = grid.cells_in(
            [low if k == j else None for k in range(grid.features)], [high if k == j else None for k in range(grid.features)]
        )
        ranges.append(np.arange(first[j], last[j] + 1))
        inner = [float(grid.cuts[j][place][0]) for place in range(first[j], last[j])]
        borders.append(np.array([float(low), *inner, float(high)]))
    if np.prod([len(r) for r in ranges]) > MOST_CELLS:
        raise InputError(f"wanted at most {MOST_CELLS:,} rectangles in the picture; ask for a smaller domain")
    table = np.stack(np.meshgrid(*ranges, indexing="ij"), axis=-1).reshape(-1, len(ranges))
    boxes = np.tile(np.array(cells, dtype=np.intp), (len(table), 1))
    boxes[:, axes_of] = table
    leaves = grid.descended(np.tile(grid.roots, (len(boxes), 1)), boxes, boxes)
    classes = grid.parts[0].known(leaves).argmax(axis=1).reshape([len(r) for r in ranges] + [1] * (2 - len(ranges)))
    return Plane(axes_of, tuple(point), tuple(borders), classes)


def middle(grid: Grid) -> list[Fraction]:
    """The medians of the thresholds."""
    return [own[len(own) // 2][0] if own else Fraction(0) for own in grid.cuts]


def window(grid: Grid, j: int, low: Fraction | None, high: Fraction | None) -> tuple[Fraction, Fraction]:
    """What is shown of an input: its thresholds and a margin, within its bounds."""
    ends = [t for t, _ in (grid.cuts[j][:1] + grid.cuts[j][-1:])] or [Fraction(-1), Fraction(1)]
    margin = fraction(float(ends[-1] - ends[0]) * MARGIN) or Fraction(1)
    return (ends[0] - margin if low is None else low), (ends[-1] + margin if high is None else high)
