"""Is the difference between two networks only that numbers of the one were rounded for a file?"""

from collections.abc import Sequence
from dataclasses import fields, replace
from fractions import Fraction
from typing import Any

import numpy as np

from lpnet.circuits.theorem1 import reduced_dnf
from lpnet.equivalents.classes import MinimalClasses, minimal_classes
from lpnet.equivalents.minimal import MinimalEquivalent, minimal_equivalent
from lpnet.exact import UNIT_ROUNDOFF, FloatArray, Form, Numbers, Point, fraction, nearest, times
from lpnet.networks import Polyhedron, ReLUNetwork, SignCircuit, SignNetwork, StepNetwork
from lpnet.networks.affine import AffineMap
from lpnet.networks.classifier import Classifier
from lpnet.networks.question import Network, question
from lpnet.watch import Watch

PRECISIONS = {"float64": np.float64, "float32": np.float32}
AT_ONCE = 1 << 22  # entries of a table of distances


def rounded_to(left: Network | StepNetwork | Classifier, right: Network | StepNetwork | Classifier) -> str:
    """The precision to which all numbers of one network have to be rounded for it to become the other; "" if there is none."""
    if type(left) is not type(right) or any(getattr(left, own, ()) != getattr(right, own, ()) for own in ("classes", "gates")):
        return ""
    left, right = (network.body if isinstance(network, StepNetwork) else network for network in (left, right))
    for name, precision in PRECISIONS.items():
        for given, wanted in ((left, right), (right, left)):
            if any(_round(made(given), made(wanted), precision) for made in (_as_given, _folded)):
                return name
    return ""


def _as_given(network: Network | Classifier) -> list[Numbers]:
    """All numbers of a network, with those of its front."""
    if isinstance(network, Classifier):
        return [numbers for score in network.scores for numbers in _as_given(score)]
    deeper = [*(layer.rows for layer in network.deeper), *_given(network.skip)] if isinstance(network, ReLUNetwork) else []
    return [*_later(network), network.hidden_weight, network.hidden_bias, *deeper, *_rows(network.front)]


def _folded(network: Network | Classifier) -> list[Numbers]:
    """All numbers of a network, its front and the layers that read it made one."""
    if isinstance(network, Classifier):
        return [numbers for score in network.scores for numbers in _folded(score)]
    if isinstance(network, ReLUNetwork):
        return [layer.rows for layer in network.layers]
    return [*_later(network), network.input_layer.rows]


def _later(network: Network) -> list[Numbers]:
    names = [field.name for field in fields(network) if field.name.startswith(("middle", "output"))]
    numbers = [np.asarray(getattr(network, name)) for name in names]
    return [*numbers, *(layer.rows for layer in network.given_layers[1:])] if isinstance(network, ReLUNetwork) else numbers


def _given(numbers: Numbers | None) -> list[Numbers]:
    return [] if numbers is None else [numbers]


def _rows(front: AffineMap | None) -> list[Numbers]:
    return [layer.rows for layer in front.layers] if front else []


def _round(given: Sequence[Numbers], wanted: Sequence[Numbers], precision: Any) -> bool:
    """Whether the arrays wanted are those given, their numbers rounded or not; precision None: not."""
    if [array.shape for array in given] != [array.shape for array in wanted]:
        return False
    with np.errstate(over="ignore"):
        pairs = ((a, b, nearest(a).astype(precision) if precision else a) for a, b in zip(given, wanted, strict=True))
        return all(bool(((a == b) | (rounded == b)).all()) for a, b, rounded in pairs)


def _near(network: SignNetwork | SignCircuit, at: Point) -> bool:
    """Whether some unit of the first layer is 0 at a point up to the rounding of its numbers."""
    y = network.front.at(at) if network.front else at
    terms = ([fraction(entry) * x for entry, x in zip(row, y, strict=True)] for row in network.hidden_layer.rows)
    return any(abs(sum(row, Fraction(0))) <= 2 * Fraction(UNIT_ROUNDOFF) * sum(map(abs, row)) for row in terms)


def unrounded(
    relu: ReLUNetwork | Classifier,
    network: SignNetwork | SignCircuit | Classifier,
    at: Point,
    domain: Polyhedron,
    watch: Watch,
) -> SignNetwork | SignCircuit | Classifier | None:
    """The threshold network on the half-spaces of the ReLU network's equivalent of which its own are roundings to float64.

    The equivalent on the domain or on all of R^d; None where one of the units, or the front, is no such rounding. at: a point
    where the networks differ, which then lies between a unit's hyperplane and the exact one, unless the front is rounded too.
    """
    first = network.scores[0] if isinstance(network, Classifier) else network
    for place in [domain, Polyhedron.everywhere(relu.inputs)][: 2 if domain.inequalities() else 1]:
        onto = question(relu, place).onto
        fronts = _rows(onto), _rows(network.front)
        if _round(*fronts, np.float64) and (_near(first, at) or not _round(*fronts, None)):
            rows = first.hidden_layer.rows
            exact = _exact(relu, rows, place, watch)
            if exact is not None:
                made = np.array(exact, dtype=object).reshape(rows.shape)
                changed: dict[str, Any] = {"hidden_weight": made[:, :-1], "hidden_bias": made[:, -1], "front": onto}
                if isinstance(network, Classifier):
                    return replace(network, scores=tuple(replace(score, **changed) for score in network.scores))
                return replace(network, **changed)
    return None


def _exact(relu: ReLUNetwork | Classifier, rows: Numbers, domain: Polyhedron, watch: Watch) -> list[Form] | None:
    """The half-spaces of which the rows are roundings: needed ones, or those of Theorem 1 without what is redundant in it."""
    most = 4 * len(rows) + 4  # each half-space has a unit, and few have two pieces
    while True:
        part = watch.part(0.0, 1.0)
        part.max_pieces = most
        if isinstance(relu, Classifier):
            answer: MinimalClasses | MinimalEquivalent = minimal_classes(relu, domain, watch=part)
        else:
            answer = minimal_equivalent(relu, domain, watch=part)
        if answer.complete:
            break
        watch.check(watch.share, watch.found)
        if answer.units > len(rows):
            return None
        most *= 4
    exact = _matched(rows, answer.find_halfspaces(watch))
    if exact is None and len(answer.pieces.patterns) and isinstance(answer, MinimalEquivalent):
        reduced = reduced_dnf(answer.form, answer.question.domain, answer.pieces.patterns, watch)
        exact = _matched(rows, reduced.halfspaces)
    return exact


def _matched(rows: Numbers, halfspaces: Sequence[Form]) -> list[Form] | None:
    """For each row the form that it is a rounding of, up to a positive factor."""
    if not len(halfspaces):
        return [] if not len(rows) else None
    both = [*halfspaces, *(times(-1, h) for h in halfspaces)]
    directions, found = _directions(both), []
    for start in range(0, len(rows), step := AT_ONCE // len(both) + 1):
        nearness = _directions(rows[start : start + step]) @ directions.T
        found += [both[k] for k in nearness.argmax(axis=1)]
    return found if all(map(is_rounding, rows, found)) else None


def _directions(rows: Any) -> FloatArray:
    """The rows with length 1, about; (m, d + 1)."""
    sizes = [max(map(abs, map(fraction, row))) or 1 for row in rows]
    scaled = np.array([[float(fraction(entry) / size) for entry in row] for row, size in zip(rows, sizes, strict=True)])
    return scaled / np.maximum(np.linalg.norm(scaled, axis=1, keepdims=True), 1e-9)


def is_rounding(row: Numbers, form: Form) -> bool:
    """Whether some s > 0 has |row − s·form| ≤ 2^-53 |s·form|, entry by entry."""
    low, high, off = Fraction(0), None, Fraction(UNIT_ROUNDOFF)
    for entry, exact in zip(map(fraction, row), form, strict=True):
        if not entry or not exact:
            if entry or exact:
                return False
            continue
        ratio = entry / exact
        low = max(low, ratio / (1 + off))
        high = ratio / (1 - off) if high is None else min(high, ratio / (1 - off))
    return high is not None and low <= high and high > 0
