"""What `fewest_relus` claims, for the checker: that so many bends are needed, and that certain bends do not do."""

from collections.abc import Mapping, Sequence
from fractions import Fraction

from lpnet.checker import bends as checker
from lpnet.compression.bends import Bend
from lpnet.compression.equations import Known, NoBends
from lpnet.compression.surface import Surface
from lpnet.errors import LpnetError
from lpnet.exact import fraction
from lpnet.networks import Polyhedron, ReLUNetwork, SignNetwork
from lpnet.networks.affine import Layer
from lpnet.networks.question import Network


def layers_of(network: Network, domain: Polyhedron) -> checker.Layers:
    """The network as the checker evaluates it."""
    if isinstance(network, ReLUNetwork):
        *hidden, output = network.layers
        kind = "relu"
    else:
        middle = [] if isinstance(network, SignNetwork) else [Layer(network.middle_weight, network.middle_bias)]
        hidden, output, kind = [network.input_layer, *middle], network.output_layer, "sign"
    rows = [[list(map(fraction, row)) for row in layer.rows] for layer in (*hidden, output)]
    return checker.Layers([kind] * len(hidden), rows[:-1], rows[-1][0], kind == "relu", domain.inequalities())


def check_bound(layers: checker.Layers, surface: Surface, weights: Mapping[int, Fraction]) -> None:
    """Have the lower bound checked; LpnetError where it is wrong."""
    ridges = [surface.ridges[k] for k in weights]
    given = [checker.Ridge(*r.forms, r.point, r.rays, weights[k]) for k, r in zip(weights, ridges, strict=True)]
    try:
        proved = checker.ridge_bound(layers, given)
    except ValueError as error:
        raise LpnetError(f"the checker rejects the lower bound: {error}; please report") from None
    assert proved == sum(weights.values())


def check_refutation(
    layers: checker.Layers, surface: Surface, bends: Sequence[Bend], known: Sequence[Known], proof: NoBends
) -> None:
    """Have it checked that these bends do not do; LpnetError where that is wrong."""
    try:
        checker.no_bends(layers, *statement(surface, bends, known, proof))
    except ValueError as error:
        raise LpnetError(f"the checker rejects that these bends do not do: {error}; please report") from None


def statement(
    surface: Surface, bends: Sequence[Bend], known: Sequence[Known], proof: NoBends
) -> tuple[list[checker.Unit], checker.Refutation]:
    """The units and the refutation."""
    units = [unit(bend, known) for bend in bends]
    places = [(k, row) for k, bend in enumerate(bends) for row in range(len(bend.cone))]
    used = {k for k, *_ in (*proof.pieces, *proof.beyond)}
    pieces = {k: (surface.pieces[k].halfspace, surface.pieces[k].point) for k in used}
    cones = {places[k]: m for k, m in proof.cones}
    return units, checker.Refutation(pieces, dict(proof.pieces), dict(proof.beyond), known, dict(proof.points), cones)


def unit(bend: Bend, known: Sequence[Known]) -> checker.Unit:
    """A unit as the checker knows it: of a given hyperplane, or with what is assumed of it."""
    if not bend.side:
        return checker.Unit(bend.generators)
    values = {k: bend.at(at) or () for k, (at, _) in enumerate(known)}
    return checker.Unit(bend.generators, bend.cone, dict(enumerate(bend.active)), values)
