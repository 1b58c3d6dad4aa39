"""f = l + Σ ω_k R(a_k) as a network: l costs two ReLUs, or one, or none.

R(−a) = R(a) − a: turning the units of a set S round adds Σ_S ω_k a_k to l. If that makes l a constant, no unit is needed for
it: a subset sum of the gradients, met in the middle. Else R(l) − R(−l) will do, and one unit, R(l + M) − M or its opposite,
where f keeps its decisions with it.
"""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any

from lpnet.compression.equations import Unit
from lpnet.compression.surface import Surface
from lpnet.exact import Form, add, fractions, primitive, shortened, times, value
from lpnet.networks import ExactForm, ReLUNetwork

MOST_TURNED = 36  # a subset sum of more units is not tried


def same(affine: Form, units: Sequence[Unit]) -> ReLUNetwork:
    """The network of f: n units, n + 1 or n + 2."""
    turned = subset(affine, units)
    if turned is not None:
        return as_network(*turn(affine, units, turned))
    for k, (a, w) in enumerate(units):
        j = next(j for j, c in enumerate(a) if c)
        turned = subset(affine, units, a) if len(units) <= MOST_TURNED // 2 else None
        if turned is not None:  # l = r a + a constant, and r a = r R(a) − r R(−a)
            rest, several = turn(affine, units, turned)
            b, r = several[k][0], Fraction(rest[j], several[k][0][j])
            several[k] = (b, w)
            shift = rest[-1] - r * b[-1]
            return as_network(
                [*[0] * (len(affine) - 1), shift], [*several[:k], (b, w + r), *several[k + 1 :], (times(-1, b), -r)]
            )
    gradient = primitive((*affine[:-1], 0))
    size = next(a // b for a, b in zip(affine, gradient, strict=True) if b)
    return as_network(affine, [*units, (gradient, size), (times(-1, gradient), -size)])


def fewer(affine: Form, units: Sequence[Unit], seen: Surface, form: ExactForm | None) -> Iterator[ReLUNetwork]:
    """Networks with n + 1 units, which have f's boundary and perhaps more; then the network of a normal form, as it stands."""
    points = [at for piece in seen.pieces for at in (piece.point, *piece.corners) if at[-1]]
    signs = [w > 0 for _, w in units]
    choices = [[k for k, up in enumerate(signs) if up == wanted] for wanted in (True, False)]
    choices += [[], list(range(len(units)))]
    if form:
        given = set(map(primitive, form.units))
        choices.insert(0, [k for k, (a, _) in enumerate(units) if times(-1, primitive(a)) in given])
    for chosen in choices:
        rest, turned = turn(affine, units, chosen)
        for side in (1, -1):
            # side · (l + c) ≥ 0 on all points known of the boundary
            least = min(Fraction(side * value(rest, at), at[-1]) for at in points)
            for constant in {0, max(0, -(least.__floor__()) * 2)} if least < 0 else {0}:
                lifted = (*times(side, rest)[:-1], side * rest[-1] + constant)
                if least + constant >= 0:
                    yield as_network((0,) * (len(rest) - 1) + (-side * constant,), [*turned, (lifted, side)])
    if form:
        yield same(form.affine, list(zip(form.units, form.signs, strict=True)))


def turn(affine: Form, units: Sequence[Unit], chosen: Sequence[int]) -> tuple[Form, list[Unit]]:
    """The same f with some units turned round."""
    units = list(units)
    for k in chosen:
        a, w = units[k]
        affine, units[k] = add(affine, times(w, a)), (times(-1, a), w)
    return affine, units


def subset(affine: Form, units: Sequence[Unit], modulo: Form | None = None) -> list[int] | None:
    """Units whose turning makes the affine part constant; None where there are none, or too many units to know.

    modulo: or a constant and a multiple of this form.
    """
    if len(units) > MOST_TURNED:
        return None
    if modulo:
        j = next(j for j, c in enumerate(modulo) if c)
        affine = add(times(modulo[j], affine), times(-affine[j], modulo))
        units = [(add(times(modulo[j], a), times(-a[j], modulo)), w) for a, w in units]
    steps = [times(w, a[:-1]) for a, w in units]
    half = len(units) // 2
    first = sums(steps[:half], len(affine) - 1)
    wanted = times(-1, affine[:-1])
    for total, chosen in sums(steps[half:], len(affine) - 1).items():
        other = first.get(add(wanted, times(-1, total)))
        if other is not None:
            return [k for k in range(len(units)) if (other | chosen << half) >> k & 1]
    return None


def sums(steps: Sequence[Form], inputs: int) -> dict[Form, int]:
    """All sums of some of the steps, each with a set that has it."""
    found = {(0,) * inputs: 0}
    for k, step in enumerate(steps):
        found |= {add(total, step): chosen | 1 << k for total, chosen in found.items()}
    return found


def as_network(affine: Sequence[Any], units: Sequence[tuple[Form, Any]]) -> ReLUNetwork:
    """The network of a constant l and units, exactly; whole numbers or Fractions."""
    width = len(affine)
    rows = shortened(fractions([Fraction(z) for a, _ in units for z in a], (len(units), width)))
    weights = shortened(fractions([Fraction(w) for _, w in units], (len(units),)))
    return ReLUNetwork(rows[:, :-1], rows[:, -1], weights, Fraction(affine[-1]))
