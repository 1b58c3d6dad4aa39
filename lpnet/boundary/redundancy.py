"""The classical redundancy program: which of a user's own half-spaces can be left out of their intersection or union?"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

from lpnet.brief import brief
from lpnet.errors import InputError
from lpnet.exact import Form, Point, forms
from lpnet.networks import Polyhedron, SignNetwork
from lpnet.networks.arrays import as_numbers, as_weights, describe
from lpnet.networks.polyhedron import as_domain
from lpnet.programs import Certificate, SignProgram
from lpnet.watch import Watch

Operation = Literal["intersection", "union"]
# For h_k ≥ 0: what "holds" and "fails" mean to each half-space k while one of them is put to the test.
_RELATIONS = {"intersection": (2, -1), "union": (-1, 2)}


@dataclass(frozen=True)
class Redundancy:
    """Which half-spaces are needed, with the evidence for each.

    kept: their indices; witnesses: for each of them a point that it alone decides (outside it but in all the others kept,
    for an intersection; in it but in no other, for a union); dropped: index → multipliers that express it by the others
    (certificate forms: the half-spaces as given, then the inequalities of the domain); programs: how many were solved.
    """

    kept: tuple[int, ...]
    witnesses: tuple[Point, ...]
    dropped: dict[int, Certificate]
    programs: int

    __repr__ = brief()


def irredundant(hidden_weight: Any, hidden_bias: Any, operation: Operation, domain: Polyhedron | None = None) -> Redundancy:
    """Leave out half-spaces {v_k·x + d_k ≥ 0}, one after the other, as long as their intersection or union stays the same.

    Half-space k is redundant in an intersection if no x in the domain has h_k(x) < 0 and h_j(x) ≥ 0 for the others; in a
    union, if none has h_k(x) ≥ 0 and h_j(x) < 0. Each question is a linear program, each answer exact. Of equal ones the
    first stays. hidden_weight (m, d), hidden_bias (m,).
    """
    if operation not in _RELATIONS:
        raise InputError(f'operation: wanted "intersection" or "union", got {operation!r}')
    weight = as_weights("hidden_weight", hidden_weight)
    bias = as_numbers("hidden_bias", hidden_bias, (len(weight),))
    return irredundant_forms(forms(weight, bias), operation, as_domain(domain, weight.shape[1]))


def irredundant_forms(
    halfspaces: Sequence[Form], operation: Operation, domain: Polyhedron, watch: Watch | None = None, witnesses: bool = True
) -> Redundancy:
    """`irredundant` for exact forms. witnesses: whether they are wanted; Stopped where the watch says so."""
    others, tested = _RELATIONS[operation]
    program = SignProgram([*halfspaces, *domain.inequalities()], domain.inputs)
    relations = [others] * len(halfspaces) + [1] * (len(program.forms) - len(halfspaces))
    dropped = {}
    for k in reversed(range(len(halfspaces))):
        relations[k] = tested
        if watch:
            watch.check(1 - (k + 1) / len(halfspaces), program.solved)
        answer = program.decide(relations)
        relations[k] = others
        if isinstance(answer, Certificate):
            dropped[k] = answer
            relations[k] = 0
    kept = tuple(k for k in range(len(halfspaces)) if k not in dropped)
    points = _witnesses(program, relations, kept, tested) if witnesses else ()
    return Redundancy(kept, points, dropped, program.solved)


def _witnesses(program: SignProgram, relations: list[int], kept: Sequence[int], tested: int) -> tuple[Point, ...]:
    """One for every half-space kept, found after all the others have been dropped: fewer rows, rounder points."""
    points = []
    for k in kept:
        answer = program.decide([*relations[:k], tested, *relations[k + 1 :]])
        assert not isinstance(answer, Certificate)  # fewer relations than when k was found to be needed
        points.append(answer)
    return tuple(points)


def prune(network: SignNetwork, domain: Polyhedron | None = None) -> SignNetwork:
    """The same disjunction or conjunction without its redundant units, with weights 1.

    Raises InputError where the output layer is neither.
    """
    if network.units == 0:
        return network
    operation = output_operation(network)
    kept = list(irredundant(network.input_layer.weight, network.input_layer.bias, operation, domain).kept)
    layer = SignNetwork.disjunction if operation == "union" else SignNetwork.conjunction
    return layer(network.hidden_weight[kept], network.hidden_bias[kept], network.front)


def output_operation(network: SignNetwork) -> Operation:
    """What sgn(w0 + Σ w_k z_k) is of the z_k = ±1: with all w_k > 0 and W = Σ w_k,

    a disjunction if w0 − W < 0 ≤ w0 − W + 2 min w_k, a conjunction if w0 + W − 2 min w_k < 0 ≤ w0 + W. Else InputError.
    """
    weights, bias = [Fraction(w) for w in network.output_weight], Fraction(network.output_bias)
    total, least = sum(weights), min(weights)
    if least > 0 and bias - total < 0 <= bias - total + 2 * least:
        return "union"
    if least > 0 and bias + total - 2 * least < 0 <= bias + total:
        return "intersection"
    size = network.units - 1
    raise InputError(
        f"output layer: wanted a disjunction (such as weights 1, bias {size}) or a conjunction (weights 1, bias {-size}), "
        f"got weights {describe(network.output_weight.tolist())} and bias {float(network.output_bias):g}"
    )
