"""The decision boundary of a network in the plane, as in [PS16] Figure 1."""

from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from lpnet.exact import Form, Point
from lpnet.networks import Box
from lpnet.plots.figure import BLACK, BLUE, GREY, PALE, SKY, VERMILION, new_figure, plain
from lpnet.plots.plane import Edge, Polygon, chord, clipped, square
from lpnet.plots.section import Section
from lpnet.plots.slices import Slice

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_LABELS = 16
MOST_LINES = 40  # of the needed half-planes; of more, only the boundary itself is drawn
ARROW = 0.045  # of the width of the picture; an edge not twice as long gets no label
OUTSIDE = "#E0E0E0"
LABEL = {"facecolor": "white", "edgecolor": "none", "alpha": 0.75, "pad": 0.5}


def draw_section(shown: Section, place: Slice, title: str = "", bends: str = "a = 0 for a ReLU") -> "Figure":
    """The set where a network answers +1, its boundary, the lines of needed and redundant half-planes, and the bends.

    bends: what these are called.
    """
    figure = new_figure(6.4, 2.6 if place.flat else 6.6)
    axes = figure.add_subplot()
    fill(axes, shown)
    frame = corners(shown)
    draw_lines(axes, frame, shown.bends, color=GREY, linestyle=":", linewidth=1.0, label=bends)
    needed = [h for h in shown.needed if chord(frame, h)]
    if shown.redundant:
        draw_lines(axes, frame, shown.redundant, color=VERMILION, linestyle="--", linewidth=1.1, label="redundant half-space")
    if len(needed) <= MOST_LINES:
        draw_lines(axes, frame, needed, color=BLUE, linestyle="-", linewidth=0.9, label="needed half-space")
    draw_boundary(axes, shown, labelled=len(needed) <= MOST_LABELS)
    finish(figure, axes, shown, place, title)
    return figure


def fill(axes: "Axes", shown: Section) -> None:
    """{f ≥ 0}, shaded and hatched: one path, so that no seams show between its parts. Outside the domain all is grey."""
    from matplotlib.patches import PathPatch, Polygon
    from matplotlib.path import Path

    if set(map(rounded, shown.frame)) != set(product(shown.view[:2], shown.view[2:])):
        axes.set_facecolor(OUTSIDE)
        axes.fill([], [], facecolor=OUTSIDE, label="outside the domain")
        axes.add_patch(Polygon([*map(rounded, shown.frame)], facecolor="white", edgecolor=GREY, zorder=0))
    rings = [Path([*map(rounded, loop), rounded(loop[0])], closed=True) for loop in shown.positive]
    if rings:
        style = {"facecolor": PALE, "edgecolor": SKY, "linewidth": 0, "hatch": "//"}
        axes.add_patch(PathPatch(Path.make_compound_path(*rings), label="answer +1", zorder=0, **style))


def draw_lines(axes: "Axes", frame: Polygon, lines: list[Form], label: str, **style: Any) -> None:
    """The lines of half-planes, from rim to rim."""
    for edge in filter(None, (chord(frame, line) for line in lines)):
        axes.plot(*zip(*map(rounded, edge), strict=True), label=label, zorder=1, **style)
        label = ""


def draw_boundary(axes: "Axes", shown: Section, labelled: bool) -> None:
    """The boundary; on the longest visible edge of each half-plane an arrow to the side where it holds, and its number."""
    label = "decision boundary"
    for h, edges in shown.edges.items():
        for edge in edges:
            axes.plot(
                *zip(*map(rounded, edge), strict=True),
                color=BLACK,
                linewidth=2.4,
                zorder=3,
                solid_capstyle="round",
                label=label,
            )
            label = ""
        longest = max(edges, key=lambda edge: length(edge, shown))
        if labelled and length(longest, shown) > 2 * ARROW:
            draw_arrow(axes, shown, longest, f"h{shown.needed[h]}")


def draw_arrow(axes: "Axes", shown: Section, edge: Edge, text: str) -> None:
    """From the middle of an edge to its left, at right angles in the picture; the text on the other side."""
    wide, high = shown.view[1] - shown.view[0], shown.view[3] - shown.view[2]
    here, there = (np.array(rounded(end)) for end in edge)
    along = (there - here) / (wide, high)
    left = np.array([-along[1], along[0]]) / np.hypot(*along) * ARROW
    middle = (here + there) / 2
    style = {"arrowstyle": "-|>", "color": BLACK, "shrinkA": 0, "shrinkB": 0}
    axes.annotate("", middle + left * (wide, high), middle, arrowprops=style, zorder=4)
    axes.annotate(text, middle - 0.7 * left * (wide, high), ha="center", va="center", fontsize=9, zorder=5, bbox=LABEL)


def finish(figure: "Figure", axes: "Axes", shown: Section, place: Slice, title: str) -> None:
    """Limits, labels, title and legend."""
    low_x, high_x, low_y, high_y = shown.view
    axes.set_xlim(low_x, high_x)
    axes.set_ylim(low_y, high_y)
    axes.set_xlabel(plain(place.labels[0]))
    axes.set_ylabel(plain(place.labels[1]))
    if place.flat:
        axes.set_yticks([])
    elif np.isclose(high_x - low_x, high_y - low_y):
        axes.set_aspect("equal")
    unseen = len(shown.needed) - len(shown.edges)
    outside = f"{unseen} of {len(shown.needed)} needed in this plane have no edge in this window" if unseen else ""
    axes.set_title(plain("\n".join(filter(None, (title, place.caption, outside)))), fontsize=10, wrap=True)
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=3, fontsize=8, frameon=False)


def corners(shown: Section) -> Polygon:
    """The view as a polygon."""
    low, high = np.array(shown.view[::2]), np.array(shown.view[1::2])
    return clipped(square(int(np.abs(shown.view).max()) + 1), Box(low, high).inequalities())


def length(edge: Edge, shown: Section) -> float:
    """Of an edge, the picture being 1 wide and 1 high."""
    x_min, x_max, y_min, y_max = shown.view
    (x, y), (to_x, to_y) = map(rounded, edge)
    return float(np.hypot((to_x - x) / (x_max - x_min), (to_y - y) / (y_max - y_min)))


def rounded(at: Point) -> tuple[float, float]:
    """A point in floats."""
    return at[0] / at[2], at[1] / at[2]
