"""The decision boundary of a network in the plane, as in [PS16] Figure 1."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import product
from textwrap import shorten
from typing import TYPE_CHECKING, Any

import numpy as np

from lpnet.exact import FloatArray, Form
from lpnet.networks import Box
from lpnet.plots.figure import BLACK, BLUE, GREY, PALE, VERMILION, broken, new_figure, plain
from lpnet.plots.plane import Edge, Polygon, chord, clipped, square
from lpnet.plots.section import Section
from lpnet.plots.slices import Slice
from lpnet.plots.window import lengths_within, rounded

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_LINES = 40  # of the needed half-planes; of more, only the boundary itself is drawn
MOST_BENDS = 300  # of more, the lines are finer
ARROW = 0.06  # of the width of the picture; a shorter edge gets no label
PLACES = (0.5, 0.35, 0.65, 0.2, 0.8)  # of an arrow along its edge
LETTER, LINE, GAP = 0.021, 0.036, 0.012  # widths and heights of labels, and their distance from the edge
OUTSIDE, DOTS = "#E0E0E0", "#A4AEB6"
LABEL = {"facecolor": "white", "edgecolor": "none", "alpha": 0.85, "pad": 0.4}
TITLE, SAID, AXIS = 62, 84, 44  # letters a line
QUIET = "#444444"
MOST_TICKS = 5  # long numbers need room


def draw_section(
    shown: Section,
    place: Slice,
    title: str = "",
    bends: str = "a = 0 for a ReLU",
    labels: Sequence[str] = (),
    rows: "Callable[[Axes], None] | None" = None,
) -> "Figure":
    """The set where a network answers +1, its boundary, the lines of needed and redundant half-planes, and the bends.

    bends: what these are called; labels: names of the answers −1 and +1; rows: draws those of data.
    """
    figure = new_figure(4.0, 2.0 if place.flat else 4.6)
    axes = figure.add_subplot()
    fill(axes, shown, labels)
    frame = corners(shown)
    fine = 0.5 if len(shown.bends) > MOST_BENDS else 1.0
    draw_edges(axes, shown.bends, color=GREY, linestyle=":", linewidth=fine, label=bends, zorder=1)
    needed = [h for h in shown.needed if chord(frame, h)]
    if shown.redundant:
        draw_lines(axes, frame, shown.redundant, color=VERMILION, linestyle="--", linewidth=1.1, label="redundant half-space")
    if len(needed) <= MOST_LINES:
        draw_lines(axes, frame, needed, color=BLUE, linestyle="-", linewidth=0.9, label="needed half-space")
    style: Any = {"color": BLACK, "linewidth": 2.0, "capstyle": "round", "zorder": 3}  # thicker than all lines
    for number, (h, edges) in enumerate(shown.edges.items()):
        label = "_" * bool(number) + "decision boundary"  # once in the legend
        draw_edges(axes, edges, label=label, gid=f"piece-h{shown.needed[h]}", **style)
    if len(needed) <= MOST_LINES:
        draw_labels(axes, shown)
    if rows:
        rows(axes)
    finish(figure, axes, shown, place, title)
    return figure


def fill(axes: "Axes", shown: Section, labels: Sequence[str] = ()) -> None:
    """{f ≥ 0}, shaded and hatched: one path, so that no seams show between its parts. Outside the domain all is grey."""
    from matplotlib.patches import PathPatch, Polygon
    from matplotlib.path import Path

    if set(map(rounded, shown.frame)) != set(product(shown.view[:2], shown.view[2:])):
        axes.set_facecolor(OUTSIDE)
        axes.fill([], [], facecolor=OUTSIDE, label="outside the domain")
        axes.add_patch(Polygon([*map(rounded, shown.frame)], facecolor="white", edgecolor=GREY, zorder=0))
    rings = [Path([*map(rounded, loop), rounded(loop[0])], closed=True) for loop in shown.positive]
    if not rings:
        axes.fill([], [], facecolor="white", edgecolor=GREY, label=plain(f"answer {labels[0] if labels else '−1'}"))
    else:
        style = {"facecolor": PALE, "edgecolor": DOTS, "linewidth": 0, "hatch": "...."}  # no lines
        axes.add_patch(
            PathPatch(
                Path.make_compound_path(*rings), label=plain(f"answer {labels[1] if labels else '+1'}"), zorder=0, **style
            )
        )


def draw_lines(axes: "Axes", frame: Polygon, lines: list[Form], label: str, **style: Any) -> None:
    """The lines of half-planes, from rim to rim."""
    draw_edges(axes, filter(None, (chord(frame, line) for line in lines)), label, zorder=1, **style)


def draw_edges(axes: "Axes", edges: Iterable[Edge], label: str, **style: Any) -> None:
    """Segments, in the legend if there are any."""
    from matplotlib.collections import LineCollection

    if segments := [list(map(rounded, edge)) for edge in edges]:
        axes.add_collection(LineCollection(segments, label=label, **style))


def draw_labels(axes: "Axes", shown: Section) -> None:
    """On the longest edge of each half-plane an arrow to the side where it holds, and behind it its number.

    Both are left out where they would cover those of a longer edge, or the number another edge.
    """
    low, size = np.array(shown.view[::2]), np.subtract(shown.view[1::2], shown.view[::2])
    edges = {h: [(np.array([*map(rounded, edge)]) - low) / size for edge in parts] for h, parts in shown.edges.items()}
    ends = np.array([edge for parts in edges.values() for edge in parts]).reshape(-1, 2, 2)
    longest = {h: max(parts, key=length) for h, parts in edges.items()}
    taken: list[FloatArray] = []
    for h, edge in sorted(longest.items(), key=lambda item: -length(item[1])):
        text = f"h{shown.needed[h]}"
        for tail, tip, middle in label_places(edge, text):
            half = np.array([LETTER * len(text), LINE]) / 2
            label, arrow = np.array([middle - half, middle + half]), np.sort([tail, tip], axis=0)
            if (
                inside(label)
                and not covers(label, ends)
                and not any(meet(mine, box) for mine in (label, arrow) for box in taken)
            ):
                taken += [label, arrow]
                draw_label(axes, low + size * tail, low + size * tip, low + size * middle, text)
                break


def draw_label(axes: "Axes", tail: FloatArray, tip: FloatArray, middle: FloatArray, text: str) -> None:
    """An arrow and a text."""
    style = {"arrowstyle": "-|>", "color": BLACK, "shrinkA": 0, "shrinkB": 0, "mutation_scale": 8, "linewidth": 0.8}
    axes.annotate("", (tip[0], tip[1]), (tail[0], tail[1]), arrowprops=style, zorder=4)
    axes.text(middle[0], middle[1], text, ha="center", va="center", fontsize=8, zorder=5, bbox=LABEL)


def label_places(edge: FloatArray, text: str) -> Iterator[tuple[FloatArray, FloatArray, FloatArray]]:
    """Where the arrow from an edge to its left may start and end, and the middle of the text on the other side be."""
    if length(edge) <= ARROW:
        return
    along = (edge[1] - edge[0]) / length(edge)
    left = np.array([-along[1], along[0]])
    behind = GAP + np.abs(left) @ [LETTER * len(text) / 2, LINE / 2]
    for share in PLACES:
        tail = edge[0] + share * (edge[1] - edge[0])
        yield tail, tail + ARROW * left, tail - behind * left


def inside(box: FloatArray) -> bool:
    """Whether a box lies in the picture, this being 1 wide and 1 high."""
    return bool((box[0] >= 0).all() and (box[1] <= 1).all())


def covers(box: FloatArray, edges: FloatArray) -> bool:
    """Whether a box covers a part of some edges, (m, 2, 2)."""
    return bool((lengths_within(edges[:, 0], edges[:, 1], *box) > 0).any())


def meet(box: FloatArray, other: FloatArray) -> bool:
    """Whether two boxes, rows of their low and high corners, overlap."""
    return bool((box[0] <= other[1]).all() and (other[0] <= box[1]).all())


def finish(figure: "Figure", axes: "Axes", shown: Section, place: Slice, title: str) -> None:
    """Limits, labels, title and legend."""
    low_x, high_x, low_y, high_y = shown.view
    axes.set_xlim(low_x, high_x)
    axes.set_ylim(low_y, high_y)
    axes.set_xlabel(plain(broken(place.labels[0], AXIS)), fontsize=9)
    axes.set_ylabel(plain(broken(place.labels[1], AXIS)), fontsize=9)
    axes.locator_params(nbins=MOST_TICKS)
    if place.flat:
        axes.set_yticks([])
    elif np.isclose(high_x - low_x, high_y - low_y):
        axes.set_aspect("equal")
    unseen = len(shown.needed) - len(shown.edges)
    outside = f"outside the window: {unseen} of {len(shown.needed)} needed in this plane" if unseen else ""
    axes.tick_params(labelsize=8)
    for axis in (axes.xaxis, axes.yaxis):
        axis.get_offset_text().set_fontsize(8)
    if title:
        figure.suptitle(plain(shorten(title, TITLE, placeholder=" …")), fontsize=9.5)
    if title or outside:
        said = "; ".join(filter(None, (place.caption if title else "", outside)))
        axes.set_title(plain(broken(said, SAID)), fontsize=7, color=QUIET)
    style: Any = {"loc": "outside lower center", "ncols": 2, "fontsize": 8, "frameon": False, "borderpad": 0.8}
    figure.legend(*axes.get_legend_handles_labels(), **style)


def corners(shown: Section) -> Polygon:
    """The view as a polygon."""
    low, high = np.array(shown.view[::2]), np.array(shown.view[1::2])
    return clipped(square(int(np.abs(shown.view).max()) + 1), Box(low, high).inequalities())


def length(edge: FloatArray) -> float:
    """Of an edge, (2, 2), the picture being 1 wide and 1 high."""
    return float(np.hypot(*(edge[1] - edge[0])))
