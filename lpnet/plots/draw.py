"""`lpnet.draw`."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from lpnet.equivalents import minimal_equivalent
from lpnet.errors import Stopped
from lpnet.io import load, load_examples
from lpnet.io.kinds import Choice
from lpnet.networks import Polyhedron, ReLUNetwork
from lpnet.networks.classifier import Classifier
from lpnet.plots.classes import draw_classes
from lpnet.plots.picture import chosen_slice, draw_network
from lpnet.watch import Watch

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ENOUGH = 1000  # half-spaces that a slice takes its directions from


def draw(
    network: Any,
    data: Any = None,
    domain: Polyhedron | None = None,
    inputs: Any = None,
    at: Any = None,
    title: str = "",
    time_limit: float = 10.0,
) -> "Figure":
    """The decision boundary of a network, a model or a file, with rows of data, as a figure of matplotlib; notebooks show it.

    data: as in `lpnet.minimal_equivalent`: its rows are drawn, in the window where they lie; inputs: the names of the two that
    span the plane drawn; at: a point of it, (d,); time_limit: seconds for the search of half-spaces, those found being drawn.
    """
    chosen = load(network, Choice("own"))
    rows = None if data is None else load_examples(data, chosen)
    if rows:
        chosen, domain = rows.about(chosen if chosen.features else chosen.named(rows.features or None), domain)
    if isinstance(chosen, Classifier):
        place = chosen_slice(chosen.scores[0], None, chosen.input_names, inputs, at, rows)
        return draw_classes(chosen, place, domain, title, rows)
    answer = None
    if isinstance(chosen, ReLUNetwork):
        watch = Watch(ENOUGH, time_limit)
        try:
            answer = replace(watch.call(minimal_equivalent, chosen, domain, watch=watch), examples=rows)
        except Stopped:
            answer = None
    return draw_network(chosen, answer, domain, None, inputs, at, title, rows)
