"""A picture of a network: of all of its inputs where these are one or two, else of a slice."""

from collections.abc import Sequence
from textwrap import shorten
from typing import TYPE_CHECKING, Any

import numpy as np

from lpnet.equivalents import MinimalEquivalent
from lpnet.equivalents.steps import MinimalSteps
from lpnet.equivalents.threshold import round_forms
from lpnet.errors import InputError
from lpnet.exact import FloatArray, Form
from lpnet.networks import Polyhedron, ReLUNetwork, StepNetwork
from lpnet.networks.arrays import as_array
from lpnet.networks.examples import Examples
from lpnet.plots.boundary import draw_section
from lpnet.plots.marks import draw_rows, slice_through
from lpnet.plots.section import Network, section
from lpnet.plots.slices import Slice, along_inputs, leading_directions, middle

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ENOUGH = 1000  # half-spaces to take directions from
MOST_NUMBERED = 10_000


def draw_network(
    network: Network,
    answer: MinimalEquivalent | MinimalSteps | None = None,
    domain: Polyhedron | None = None,
    names: Sequence[str] | None = None,
    inputs: Sequence[str] | None = None,
    at: Any = None,
    title: str = "",
    examples: Examples | None = None,
) -> "Figure":
    """The decision boundary and its half-spaces, as in [PS16] Figure 1, on a domain (default: all of R^d).

    answer: of a ReLU network, for the numbers of its half-spaces and for the directions of a slice. names: of the inputs;
    inputs: the two of them whose plane is drawn, through the point `at`, (d,). Without, a network of three or more inputs is
    drawn in the two leading directions of its boundary, or with rows of data in the plane of the two inputs that matter most,
    through the row nearest to the median. `at` is by default the point nearest to the boundary's hyperplanes.
    Raises InputError for inputs that there are not, for a point outside the domain and for more lines than can be told apart.
    """
    place = chosen_slice(network, answer, names, inputs, at, examples)
    return draw_slice(network, place, answer, domain, title, examples)


def draw_slice(
    network: Network,
    place: Slice,
    answer: MinimalEquivalent | MinimalSteps | None,
    domain: Polyhedron | None,
    title: str = "",
    examples: Examples | None = None,
) -> "Figure":
    """`draw_network` for a slice that is chosen."""
    shown = section(network, place, domain, halfspaces(network, answer))
    own = {ReLUNetwork: "bend: a ReLU is 0", StepNetwork: "a ReLU or a step is 0"}
    bends = own.get(type(network), "unit without boundary here")
    rows = (lambda axes: draw_rows(axes, network, place, examples, shown.view)) if examples else None
    return draw_section(shown, place, title, bends, network.labels, rows)


def chosen_slice(
    network: Network,
    answer: MinimalEquivalent | MinimalSteps | None,
    names: Sequence[str] | None,
    inputs: Sequence[str] | None,
    at: Any,
    examples: Examples | None = None,
) -> Slice:
    """The slice that `draw_network` is asked for."""
    names = network.input_names if names is None else list(names)
    if unknown := [name for name in inputs or () if name not in names]:
        raise InputError(f"slice: wanted two of the inputs {shorten(', '.join(names), 80)}, got {unknown[0]!r}")
    origin = None if at is None else as_array("at", at, (network.inputs,))
    if network.inputs == 1:
        return along_inputs(names, 0, None, np.zeros(1))
    if inputs is None and network.inputs == 2:
        return along_inputs(names, 0, 1, np.zeros(2))
    weight, bias = hyperplanes(network, answer)
    if inputs is None and examples is not None and origin is None:
        return slice_through(network, examples, names, answer, weight)
    if inputs is None:
        return leading_directions(weight, bias, names, origin)
    if len(inputs) != 2 or inputs[0] == inputs[1]:
        raise InputError(f"slice: wanted two different inputs, got {', '.join(inputs)!r}")
    first, second = map(names.index, inputs)
    if origin is None and examples is not None:
        origin = np.median(examples.points, axis=0)
    return along_inputs(names, first, second, middle(weight, bias) if origin is None else origin)


def hyperplanes(network: Network, answer: MinimalEquivalent | MinimalSteps | None) -> tuple[FloatArray, FloatArray]:
    """Weights (m, d) and biases (m,) of hyperplanes of the boundary, a thousand or so if known, else of the first layer."""
    if not answer or not answer.units:
        return network.input_layer.floats
    if isinstance(answer, MinimalSteps):
        return answer.hidden_weight[:ENOUGH], answer.hidden_bias[:ENOUGH]
    some = answer.first_piece[:: answer.units // ENOUGH + 1]
    rows = round_forms(
        [answer.question.pulled(answer.form.on_cell(answer.pieces.patterns[k])) for k in some], answer.form.exponent
    )
    return rows[:, :-1], rows[:, -1]


def halfspaces(network: Network, answer: MinimalEquivalent | MinimalSteps | None) -> Sequence[Form]:
    """Those that have numbers: the needed ones of a ReLU network, if known and not too many, or a threshold network's units."""
    if isinstance(network, ReLUNetwork | StepNetwork):
        return answer.halfspaces if answer and answer.complete and answer.units <= MOST_NUMBERED else ()
    return network.input_layer.forms
