"""f = l + Σ s_k R(a_k) with distinct hyperplanes: what is left of a network when everything degenerate is merged."""

from collections import defaultdict
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from lpnet.errors import InputError
from lpnet.exact import Form, integers, primitive, sign
from lpnet.networks.domain import Box, Domain
from lpnet.networks.relu import ReLUNetwork


@dataclass(frozen=True)
class NormalForm:
    """f(x) = 2^exponent · (l(x) + Σ_k s_k R(a_k(x))), exactly, on the domain that it was made for.

    affine: l, d+1 integers; units: a_k, (m, d+1) integers, none of them constant and no two of them proportional;
    signs: s_k = ±1. Every network has one: see `normal_form`.
    """

    affine: Form
    units: tuple[Form, ...]
    signs: tuple[int, ...]
    exponent: int

    @property
    def inputs(self) -> int:
        """d."""
        return len(self.affine) - 1

    @property
    def convex(self) -> bool:
        """Whether every s_k = +1, so that f is convex and {f < 0} too."""
        return all(s > 0 for s in self.signs)

    @property
    def concave(self) -> bool:
        """Whether every s_k = −1, so that f is concave and {f ≥ 0} convex."""
        return all(s < 0 for s in self.signs)

    def on_cell(self, pattern: NDArray[np.int8]) -> Form:
        """g_S = l + Σ_{k∈S} s_k a_k: what f is on the cell where a_k > 0 for pattern_k = +1 and a_k < 0 for −1; (m,)."""
        total = list(self.affine)
        for a, s, active in zip(self.units, self.signs, pattern, strict=True):
            if active > 0:
                total = [left + s * right for left, right in zip(total, a, strict=True)]
        return tuple(total)


def normal_form(network: ReLUNetwork, domain: Domain | None = None) -> NormalForm:
    """The normal form of a network on a domain (default: all of R^d).

    Units on one hyperplane are merged: w R(a) + w' R(ca) = (w + cw') R(a) for c > 0, and R(−a) = R(a) − a moves the
    two-sided ones into l; what cancels, w_k = 0 and constant units leave; a unit that never changes sign on a box joins l
    or vanishes. All in integers: no coincidence of hyperplanes is missed or invented.
    """
    domain = domain or Box.everywhere(network.inputs)
    if domain.inputs != network.inputs:
        raise InputError(f"domain: wanted {network.inputs} inputs as the network has, got {domain.inputs}")
    contributions, bias, exponent = _contributions(network)
    affine = np.array([0] * network.inputs + [bias], dtype=object)
    hidden = integers(np.column_stack([network.hidden_weight, network.hidden_bias]))[0]

    on_hyperplane: dict[Form, list[tuple[int, int]]] = defaultdict(list)
    for unit, weight in enumerate(network.output_weight):
        if weight == 0 or not hidden[unit].any():
            continue
        settled = _settled_sign(tuple(hidden[unit]), domain)
        if settled > 0:
            affine += contributions[unit]
        elif settled == 0:
            form = primitive(tuple(hidden[unit]))
            orientation = sign(next(entry for entry in form if entry))
            on_hyperplane[tuple(orientation * entry for entry in form)].append((unit, orientation))

    units, signs = [], []
    for members in on_hyperplane.values():
        reference = members[0][1]
        jump = np.zeros(network.inputs + 1, dtype=object)
        for unit, orientation in members:
            jump += contributions[unit] * (orientation * reference)
            if orientation != reference:
                affine += contributions[unit]
        first = members[0][0]
        leading = np.flatnonzero(hidden[first])[0]
        s = sign(jump[leading]) * sign(hidden[first][leading])
        if s:
            units.append(tuple(s * jump))
            signs.append(s)
    return NormalForm(tuple(affine), tuple(units), tuple(signs), exponent)


def _contributions(network: ReLUNetwork) -> tuple[NDArray[np.object_], int, int]:
    """Integers p_k = w_k (u_k, b_k) (n, d+1) and w0 over one common power of two."""
    hidden, hidden_exponent = integers(np.column_stack([network.hidden_weight, network.hidden_bias]))
    output, output_exponent = integers(network.output_weight)
    bias, bias_exponent = integers([network.output_bias])
    product_exponent = hidden_exponent + output_exponent
    exponent = min(product_exponent, bias_exponent) if bias[0] else product_exponent
    products = (output[:, None] * hidden) << (product_exponent - exponent)
    return products, int(bias[0]) << max(0, bias_exponent - exponent), exponent


def _settled_sign(form: Form, domain: Domain) -> int:
    """+1 or −1 where the form is nowhere < 0 or nowhere > 0 on the domain, by interval arithmetic; 0 where it may change."""
    if not any(form[:-1]):
        return sign(form[-1]) or -1
    if isinstance(domain, Box):
        for orientation in (1, -1):
            least = _minimum(tuple(orientation * entry for entry in form), domain)
            if least is not None and least >= 0:
                return orientation
    return 0


def _minimum(form: Form, box: Box) -> Fraction | None:
    """The least value of a form on a box; None where it has none."""
    least = Fraction(form[-1])
    for coefficient, lower, upper in zip(form[:-1], box.lower, box.upper, strict=True):
        if coefficient:
            end = lower if coefficient > 0 else upper
            if not np.isfinite(end):
                return None
            least += coefficient * Fraction(end)
    return least
