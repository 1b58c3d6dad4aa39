"""How many ReLUs a sign network needs at least."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import comb

from lpnet.boundary.redundancy import irredundant_forms
from lpnet.compression.output_layer import output_action
from lpnet.compression.surface import Surface
from lpnet.errors import InputError
from lpnet.exact import Form, independent_inputs, times
from lpnet.laws import classes_bound, mixed_bound, one_sign_bound, regions
from lpnet.networks import Polyhedron, SignNetwork
from lpnet.programs import Certificate, SignProgram


@dataclass(frozen=True)
class LowerBound:
    """No ReLU network with fewer than `relus` hidden units has the decisions; the reason in a few words."""

    relus: int
    reason: str


def relu_lower_bound(network: SignNetwork, one_signed: bool = False) -> LowerBound:
    """The best lower bound known for the ReLUs of a disjunction or conjunction of half-spaces; InputError for other networks.

    one_signed: for networks whose output weights have one sign only.
    """
    action = output_action(network)
    if action.operation not in ("or", "and"):
        raise InputError(f"output layer: wanted one that acts as OR or AND, got one that acts as neither ({action.reason})")
    union = action.operation == "or"
    everywhere = Polyhedron.everywhere(network.inputs)
    kept = irredundant_forms(action.halfspaces, "union" if union else "intersection", everywhere).kept
    halfspaces = [times(1 if union else -1, action.halfspaces[k]) for k in kept]
    return lower_bound([h for h in halfspaces if any(h[:-1])], union, one_signed)


def lower_bound(halfspaces: Sequence[Form], union: bool, one_signed: bool) -> LowerBound:
    """The bound for m irredundant half-spaces whose complements {h_k ≤ 0} meet in K; r is the rank of their gradients.

    Divided by the lines in K, the network is one on R^r with n units. Then:
    - each piece of the boundary belongs to one cell, the one on its negative side: m ≤ min(2^n − 1, Σ_{s≤r} C(n, s));
    - one-signed: m ≤ T(n, r) = min(2^n − 1, 2·Σ_{s<r} C(n − 1, s)), the bound for convex regions;
    - one-signed, r = 2: every vertex of the cone over K is passed by a unit (`certificate`, 2), and a unit passes two at most;
      they are as many as its facets: m, and one at infinity if K contains a cone with an interior;
    - n ≥ r, since f varies in n directions only; n ≥ r + 1 if K is bounded: with n = r independent units, where f has one sign
      at a point it has it on a ray from there, as f is affine or constant beyond;
    - a union of r + 1 ≥ 3 half-spaces whose complement K is bounded, a simplex: n ≥ r(r + 1)/2. See `lemmas.simplex_family`.
    """
    count = len(halfspaces)
    if count == 0:
        return LowerBound(0, "constant")
    rank = len(independent_inputs(halfspaces))
    bounded = count > rank and is_bounded(halfspaces)
    bounds = [
        LowerBound(rank, f"the half-spaces have rank {rank}"),
        LowerBound(smallest(count, rank, mixed_bound), f"{count} half-spaces of rank {rank} need as many cells"),
    ]
    if one_signed:
        bounds.append(
            LowerBound(smallest(count, rank, one_sign_bound), f"{count} facets of a convex region, T(n, {rank}) at most")
        )
        if rank == 2 and not bounded:
            vertices = count + has_inner_ray(halfspaces)
            bounds.append(LowerBound((vertices + 1) // 2, f"{vertices} vertices, at infinity too, and a unit passes two"))
    if bounded:
        bounds.append(LowerBound(rank + 1, f"a bounded region of dimension {rank}"))
        if union and count == rank + 1 >= 3:
            bounds.append(LowerBound(comb(count, 2), f"a simplex: a bend for each of its {comb(count, 2)} ridges"))
    return max(bounds, key=lambda bound: bound.relus)


def smallest(count: int, rank: int, most: Callable[[int, int], int]) -> int:
    """The smallest n with most(n, rank) ≥ count."""
    n = 1
    while most(n, rank) < count:
        n += 1
    return n


def has_inner_ray(halfspaces: Sequence[Form]) -> bool:
    """Whether some direction has all slopes < 0."""
    return not recession(halfspaces).empty


def recession(halfspaces: Sequence[Form]) -> Polyhedron:
    """The directions with all slopes < 0."""
    return Polyhedron(len(halfspaces[0]) - 1, tuple((*times(-1, h)[:-1], 0) for h in halfspaces))


def is_bounded(halfspaces: Sequence[Form]) -> bool:
    """Whether {h_k ≤ 0} holds on no ray, modulo lines: no direction has all slopes ≤ 0 and one of them < 0.

    Mostly it is enough to ask for all slopes < 0: where some of them, of the rank of all, have a positive combination that
    vanishes, these are 0 along every such direction, and so are all.
    """
    slopes, strict = [(*h[:-1], 0) for h in halfspaces], recession(halfspaces).interior
    if not isinstance(strict, Certificate):
        return False
    if len(independent_inputs([slopes[k] for k, _ in strict.multipliers])) == len(independent_inputs(slopes)):
        return True
    total = tuple(map(sum, zip(*slopes, strict=True)))
    program = SignProgram([*slopes, total], len(total) - 1)
    return isinstance(program.decide([-2] * len(slopes) + [-1]), Certificate)


def least_by_rank(seen: Surface) -> int:
    """How many ReLUs the number and the rank of the half-spaces ask for (`laws.mixed_bound`, `laws.classes_bound`)."""
    halfspaces = list({piece.halfspace for piece in seen.pieces})
    rank, classes = len(independent_inputs(halfspaces)), len(seen.answers)

    def most(relus: int, inputs: int) -> int:
        return mixed_bound(relus, inputs) if classes == 2 else classes_bound(regions(relus, inputs), classes)

    return max(rank, smallest(len(halfspaces), rank, most))
