"""f as the largest of concave functions: [PS16] Theorem 1 at any depth.

With some R(z_k) f grows, with some it falls, with some it does one or the other, depending on the units between. Give each
unit two copies, L_k where f grows with it and U_k where it falls: for a choice of σ_k ∈ {0, 1}

    L_k = σ_k (a_k + Σ_{C>0} C_kj L_j + Σ_{C<0} C_kj U_j),  U_k = R(a_k + Σ_{C>0} C_kj U_j + Σ_{C<0} C_kj L_j),
    g_σ = l + Σ_{w>0} w_k L_k + Σ_{w<0} w_k U_k.

Theorem. g_σ is concave, g_σ ≤ f, and g_σ(x) = f(x) where σ_k = [z_k(x) > 0].
Proof. Unit by unit, L_k is concave and at most R(z_k), because R(z) ≥ 0 and R(z) ≥ z; U_k is convex and at least R(z_k); with
that σ both are R(z_k) at x. And g_σ adds concave functions, each at most what stands in f. ∎

So {f ≥ 0} is the union of the {g_σ ≥ 0}. A U_k is the larger of 0 and its argument, and g_σ falls with it: {g_σ ≥ 0} is the
intersection of the half-spaces {c_στ ≥ 0}, c_στ = g_σ with each U_k put to one of the two. So three layers of threshold units
over half-spaces decide as f does, everywhere. With one layer L_k = σ_k a_k for w_k = 1 and U_k = R(a_k) for w_k = −1, and this
is Theorem 1.
"""

from collections.abc import Callable, Mapping, Sequence

from lpnet.exact import times
from lpnet.networks.exact_form import ExactForm, Sum, combined

GROWS, FALLS = 1, 2


def directions(form: ExactForm, side: int = 1, passed: Callable[[int, int], int] = lambda k, ways: ways) -> list[int]:
    """Of each unit, whether side · f grows with R(z_k), falls with it, or both (GROWS | FALLS).

    passed: which of the two go on from unit k to those that it reads; default both.
    """
    ways = [(GROWS if side * w > 0 else FALLS) if w else 0 for w in form.signs]
    for k in reversed(range(len(form.links))):
        on = passed(k, ways[k])
        turned = on >> 1 | (on & 1) << 1
        for j, c in form.links[k]:
            ways[j] |= on if c > 0 else turned
    return ways


def growing(form: ExactForm, side: int) -> list[int]:
    """The units with which side · f grows: those that have a σ_k."""
    return [k for k, way in enumerate(directions(form, side)) if way & GROWS]


def deciding(form: ExactForm, side: int) -> list[int]:
    """The units with which side · f grows and all that these read: where their signs are fixed, side · f is concave."""
    found = set(growing(form, side))
    for k in reversed(range(len(form.links))):
        found.update(j for j, _ in form.links[k] if k in found)
    return sorted(found)


def minorant(form: ExactForm, side: int, chosen: Mapping[int, int], within: bool = False) -> ExactForm:
    """g_σ of side · f; chosen: ±1 for each unit of `growing`, σ_k = 1 for +1.

    within: chosen has a sign for each unit of `deciding`, and only where they have these signs is it wanted what g_σ is there,
    side · f: then U_k is L_k for them, and the units are the others.
    """
    ways, nothing = directions(form, side), (0,) * len(form.affine)
    lower: dict[int, Sum] = {}
    upper: dict[int, Sum] = {}
    units: list[Sum] = []
    for k, a in enumerate(form.units):
        read = form.links[k] if form.links else ()
        if k in chosen:
            lower[k] = combined(a, read, lower, upper) if chosen[k] > 0 else (nothing, {})
        if within and k in chosen:
            upper[k] = lower[k]
        elif ways[k] & FALLS:
            units.append(combined(a, read, upper, lower))
            upper[k] = nothing, {len(units) - 1: 1}
    affine, weights = combined(times(side, form.affine), ((k, side * w) for k, w in enumerate(form.signs)), lower, upper)
    links = [tuple(sorted(read.items())) for _, read in units]
    signs = tuple(weights.get(k, 0) for k in range(len(units)))
    rows = tuple(row for row, _ in units)
    return ExactForm(affine, rows, signs, form.exponent, form.divisor, tuple(links) if any(links) else ())


def strictly(form: ExactForm, pattern: Sequence[int]) -> bool:
    """Whether near the points of this cell where f = 0 every g_σ is negative but the one with σ_k = [pattern_k > 0].

    It is if f grows with each unit of `growing` by a way through active units alone, and no z_k is 0 there.
    Proof. Let σ differ, at some of these units, and go down from f towards one of them, to the first unit at which it differs.
    There L_k < R(z_k), since z_k ≠ 0, and the units above it are active and as chosen: each hands on that its L is less, its
    U greater. So g_σ < f. ∎
    """
    ways = directions(form, 1, lambda k, ways: ways if pattern[k] > 0 else 0)
    return all(ways[k] & GROWS for k in growing(form, 1))
