"""What `fewest_relus` claims, for the checker: that so many bends are needed, and that certain bends do not do."""

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

from lpnet.checker import bends as checker
from lpnet.checker.bends_file import write_bends
from lpnet.compression.bends import Bend
from lpnet.compression.equations import Known, NoBends
from lpnet.compression.surface import Network, Surface, numbers
from lpnet.errors import InputError, LpnetError
from lpnet.exact import fraction
from lpnet.networks import Polyhedron, ReLUNetwork, SignNetwork
from lpnet.networks.affine import Layer
from lpnet.networks.arrays import full
from lpnet.networks.classifier import Classifier


def layers_of(network: Network, domain: Polyhedron) -> checker.Layers:
    """The network as the checker evaluates it."""
    answers = [numbers(network)[c] for c in network.classes] if isinstance(network, Classifier) else []
    scores = network.scores if isinstance(network, Classifier) else (network,)
    body = scores[0]
    if isinstance(body, ReLUNetwork):
        *hidden, _ = body.layers
        outputs = [row for score in scores for row in score.layers[-1].rows]
        kinds = ["relu"] * len(hidden)
    else:
        middle = [] if isinstance(body, SignNetwork) else [Layer(full(body.middle_weight), body.middle_bias)]
        hidden = [body.input_layer, *middle]
        outputs = [row for score in scores for row in score.output_layer.rows]
        kinds = ["sign"] * len(hidden)
    rows = [exact_rows(layer.rows) for layer in hidden]
    last = exact_rows(outputs)
    if answers and kinds[0] == "sign":  # the answers ±1 of outputs are compared
        rows.append(last)
        kinds.append("sign")
        last = [[Fraction(int(i == j)) for j in range(len(last) + 1)] for i in range(len(last))]
    return checker.Layers(kinds, rows, last, kinds[0] == "relu", domain.inequalities(), answers)


def exact_rows(rows: Iterable[Any]) -> list[list[Fraction]]:
    """Rows of numbers as Fractions."""
    return [list(map(fraction, row)) for row in rows]


def write_evidence(answer: Any, path: str | Path) -> None:
    """Write what an answer of `fewest_relus` proves, for `lpnet verify`; InputError where there was no boundary to look at."""
    if answer.asked is None or answer.surface is None:
        raise InputError("there is nothing to prove: no boundary was found")
    ridges = given_ridges(answer.surface, answer.weights)
    refuted = answer.certificate and statement(answer.surface, answer.candidates, answer.known, answer.certificate)
    write_bends(path, layers_of(*answer.asked), ridges, refuted)


def given_ridges(surface: Surface, weights: Mapping[int, Fraction]) -> list[checker.Ridge]:
    """The ridges with weights, as the checker knows them."""
    return [checker.Ridge(*r.forms, r.point, r.terms, weight) for k, weight in weights.items() for r in [surface.ridges[k]]]


def check_bound(layers: checker.Layers, surface: Surface, weights: Mapping[int, Fraction]) -> None:
    """Have the lower bound checked; LpnetError where it is wrong."""
    given = given_ridges(surface, weights)
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
    pieces = {k: (piece.halfspace, piece.point, piece.answers) for k in used for piece in [surface.pieces[k]]}
    cones = {places[k]: m for k, m in proof.cones}
    return units, checker.Refutation(pieces, dict(proof.pieces), dict(proof.beyond), known, dict(proof.points), cones)


def unit(bend: Bend, known: Sequence[Known]) -> checker.Unit:
    """A unit as the checker knows it: of a given hyperplane, or with what is assumed of it."""
    if not bend.side:
        return checker.Unit(bend.generators, groups=bend.groups)
    values = {k: bend.at(at) or () for k, (at, *_) in enumerate(known)}
    return checker.Unit(bend.generators, bend.cone, dict(enumerate(bend.active)), values, bend.score)
