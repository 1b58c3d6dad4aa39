"""The normal form of a network: f = l + Σ s_k R(a_k) with distinct hyperplanes."""

from collections import defaultdict
from fractions import Fraction
from operator import mul

from lpnet.exact import Form, add, primitive, sign, times
from lpnet.networks.exact_form import ExactForm
from lpnet.networks.polyhedron import Ends, Polyhedron, as_domain
from lpnet.networks.relu import ReLUNetwork


def normal_form(network: ReLUNetwork, domain: Polyhedron | None = None) -> ExactForm:
    """f on a domain (default: all of R^d) with no constant a_k and no two proportional ones.

    Units on one hyperplane are merged: w R(a) + w' R(ca) = (w + cw') R(a) for c > 0, and R(−a) = R(a) − a moves the
    two-sided ones into l; what cancels leaves; a unit that never changes sign within the domain's bounds joins l or vanishes.
    All in integers: no coincidence of hyperplanes is missed or invented.
    """
    domain = as_domain(domain, network.inputs)
    form = network.exact_form
    affine = form.affine
    on_hyperplane: dict[Form, list[tuple[Form, int, int]]] = defaultdict(list)
    for a, s in zip(form.units, form.signs, strict=True):
        settled = _settled_sign(a, domain.bounds)
        if settled > 0:
            affine = add(affine, times(s, a))
        elif settled == 0:
            side = sign(next(filter(None, a)))
            on_hyperplane[primitive(times(side, a))].append((a, s, side))

    units, signs = [], []
    for members in on_hyperplane.values():
        first, _, reference = members[0]
        bend: Form = (0,) * len(affine)
        for a, s, side in members:
            bend = add(bend, times(s * side * reference, a))
            if side != reference:
                affine = add(affine, times(s, a))
        orientation = sign(sum(map(mul, bend, first)))
        if orientation:
            units.append(times(orientation, bend))
            signs.append(orientation)
    return ExactForm(affine, tuple(units), tuple(signs), form.exponent, form.divisor)


def _settled_sign(form: Form, ends: tuple[Ends, Ends]) -> int:
    """+1 or −1 where the form is nowhere < 0 or nowhere > 0 on the domain, by interval arithmetic; 0 where it may change."""
    if not any(form[:-1]):
        return sign(form[-1]) or -1
    for orientation in (1, -1):
        least = _minimum(times(orientation, form), ends)
        if least is not None and least >= 0:
            return orientation
    return 0


def _minimum(form: Form, ends: tuple[Ends, Ends]) -> Fraction | None:
    """The least value of a form between these bounds; None where it has none."""
    least = Fraction(form[-1])
    for coefficient, lower, upper in zip(form[:-1], *ends, strict=True):
        if coefficient:
            end = lower if coefficient > 0 else upper
            if end is None:
                return None
            least += coefficient * end
    return least
