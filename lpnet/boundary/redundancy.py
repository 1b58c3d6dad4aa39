"""The classical redundancy program: which of a user's own half-spaces can be left out of their intersection or union?"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from lpnet.errors import InputError
from lpnet.exact import Form, Point, forms
from lpnet.networks import Box, Domain, SignNetwork
from lpnet.networks.arrays import as_array
from lpnet.programs import Certificate, SignProgram

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


def irredundant(hidden_weight: Any, hidden_bias: Any, operation: Operation, domain: Domain | None = None) -> Redundancy:
    """Leave out half-spaces {v_k·x + d_k ≥ 0}, one after the other, as long as their intersection or union stays the same.

    Half-space k is redundant in an intersection if no x in the domain has h_k(x) < 0 and h_j(x) ≥ 0 for the others; in a
    union, if none has h_k(x) ≥ 0 and h_j(x) < 0. Each question is a linear program, each answer exact. Of equal ones the
    first stays. hidden_weight (m, d), hidden_bias (m,).
    """
    if operation not in _RELATIONS:
        raise InputError(f'operation: wanted "intersection" or "union", got {operation!r}')
    weight = as_array("hidden_weight", hidden_weight, (None, None))
    bias = as_array("hidden_bias", hidden_bias, (len(weight),))
    return irredundant_forms(forms(weight, bias), operation, domain or Box.everywhere(weight.shape[1]))


def irredundant_forms(halfspaces: Sequence[Form], operation: Operation, domain: Domain) -> Redundancy:
    """`irredundant` for exact forms."""
    others, tested = _RELATIONS[operation]
    program = SignProgram([*halfspaces, *domain.inequalities()], domain.inputs)
    relations = [others] * len(halfspaces) + [1] * (len(program.forms) - len(halfspaces))
    dropped = {}
    for k in reversed(range(len(halfspaces))):
        relations[k] = tested
        answer = program.decide(relations)
        relations[k] = others
        if isinstance(answer, Certificate):
            dropped[k] = answer
            relations[k] = 0
    kept = tuple(k for k in range(len(halfspaces)) if k not in dropped)
    return Redundancy(kept, _witnesses(program, relations, kept, tested), dropped, program.solved)


def _witnesses(program: SignProgram, relations: list[int], kept: Sequence[int], tested: int) -> tuple[Point, ...]:
    """One for every half-space kept, found after all the others have been dropped: fewer rows, rounder points."""
    points = []
    for k in kept:
        answer = program.decide([*relations[:k], tested, *relations[k + 1 :]])
        assert not isinstance(answer, Certificate)  # fewer relations than when k was found to be needed
        points.append(answer)
    return tuple(points)


def prune(network: SignNetwork, domain: Domain | None = None) -> SignNetwork:
    """The same disjunction or conjunction without its redundant units.

    Raises InputError where the output layer is neither (all weights equal and positive, bias ±(m − 1) times the weight).
    """
    weights, size = network.output_weight, network.units - 1
    scale = weights[0] if network.units else 1.0
    if scale > 0 and (weights == scale).all() and abs(network.output_bias) == scale * size:
        union = network.output_bias > 0 or size == 0
        answer = irredundant(network.hidden_weight, network.hidden_bias, "union" if union else "intersection", domain)
        kept = np.array(answer.kept, dtype=np.intp)
        layer = SignNetwork.disjunction if union else SignNetwork.conjunction
        return layer(network.hidden_weight[kept], network.hidden_bias[kept])
    raise InputError(
        f"output layer: wanted a disjunction (weights 1, bias {size}) or a conjunction (weights 1, bias {-size}), "
        f"got weights {weights.tolist()[:5]} and bias {network.output_bias:g}"
    )
