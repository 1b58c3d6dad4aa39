"""Where a network with several outputs has which class, in the plane."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lpnet.exact import Form, shortened
from lpnet.networks import Box, Polyhedron, ReLUNetwork
from lpnet.networks.classifier import Classifier, network_of_form
from lpnet.networks.examples import Examples
from lpnet.plots.boundary import OUTSIDE, draw_edges, finish
from lpnet.plots.figure import BLACK, GREY, new_figure, plain
from lpnet.plots.marks import draw_rows
from lpnet.plots.section import Section, behind, section
from lpnet.plots.slices import Slice
from lpnet.plots.window import rounded

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Pale ones of Okabe and Ito's colours; hatches tell apart what colours do not.
COLOURS = ("#DDF0FB", "#F9D9C4", "#CDEBDF", "#FBE8C3", "#F3DCE9", "#E6E6E6")
HATCHES = ("", "....", "////", "\\\\\\\\", "xxxx")


def draw_classes(
    network: Classifier, place: Slice, domain: Polyhedron | None = None, title: str = "", examples: Examples | None = None
) -> "Figure":
    """The regions of the classes in a slice, in colours with their names, and the boundary between them; exactly.

    A class's region is where no score exceeds its own, its border included; of threshold units, where it is the class.
    """
    figure = new_figure(4.0, 2.0 if place.flat else 4.6)
    axes = figure.add_subplot()
    shown = sections(network, place, domain)
    frame, view = shown[0].frame, shown[0].view
    if set(map(rounded, frame)) != set(product(view[:2], view[2:])):
        axes.set_facecolor(OUTSIDE)
    for number, (name, each) in enumerate(zip(network.names, shown, strict=True)):
        fill_class(axes, each, number, name)
    edges = (edge for each in shown for own in each.edges.values() for edge in own)
    boundary = [(min(edge), max(edge)) for edge in edges]  # each once from either side
    draw_edges(axes, dict.fromkeys(boundary), label="decision boundary", color=BLACK, linewidth=1.5, capstyle="round", zorder=3)
    if examples:
        draw_rows(axes, network, place, examples, view)
    finish(figure, axes, shown[0], place, title)
    return figure


def sections(network: Classifier, place: Slice, domain: Polyhedron | None) -> list[Section]:
    """Each class against the others, all in the same window: one that shows what each of them would be shown in."""
    in_slice = place.substitution()
    flat = Slice(np.zeros(2), np.diag([1.0, 0.0 if place.flat else 1.0]), place.labels, place.caption, place.one_scale)
    walls = tuple(map(in_slice, domain.inequalities())) if domain else ()
    sliced = of_relus if isinstance(network.scores[0], ReLUNetwork) else of_threshold_units
    shown = [partial(section, place=flat, **one) for one in sliced(network, in_slice)]
    views = np.array([one(domain=Polyhedron(2, walls)).view for one in shown])
    window = Box(views[:, ::2].min(axis=0), views[:, 1::2].max(axis=0))
    return [one(domain=Polyhedron(2, (*walls, *window.forms))) for one in shown]


def of_relus(network: Classifier, in_slice: Callable[[Form], Form]) -> Iterator[dict[str, Any]]:
    """Of each class of a ReLU network a network of two inputs, ≥ 0 where no score exceeds its own."""
    for number in range(len(network.names)):
        yield {"network": network_of_form(network.form_against(number).each(in_slice))}


def of_threshold_units(network: Classifier, in_slice: Callable[[Form], Form]) -> Iterator[dict[str, Any]]:
    """Of each class of a threshold network its first layer on two inputs, and whether its signs are those of the class."""
    first, later = network.scores[0], [behind(score) for score in network.scores]
    rows = np.array([in_slice(h) for h in first.input_layer.forms], dtype=object).reshape(-1, 3)
    sliced = replace(first, hidden_weight=shortened(rows[:, :-1]), hidden_bias=shortened(rows[:, -1]), front=None)

    def answers(signs: Any, number: int) -> NDArray[np.intp]:
        classes = np.array(network.classes)[np.argmax([score(signs) for score in later], axis=0)]
        return np.where(classes == number, 1, -1)

    for number in range(len(network.names)):
        yield {"network": sliced, "answers": partial(answers, number=number)}


def fill_class(axes: "Axes", shown: Section, number: int, name: str) -> None:
    """The region of a class: one path, so that no seams show between its parts."""
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    style: Any = {"facecolor": COLOURS[number % len(COLOURS)], "hatch": HATCHES[number // len(COLOURS) % len(HATCHES)]}
    style |= {"label": plain(name), "zorder": 0, "linewidth": 0, "edgecolor": GREY}
    rings = [Path([*map(rounded, loop), rounded(loop[0])], closed=True) for loop in shown.positive]
    if rings:
        axes.add_patch(PathPatch(Path.make_compound_path(*rings), **style))
