"""Rank 1: a half-space is one ReLU, a slab two."""

from collections.abc import Sequence

from lpnet.exact import Form, times
from lpnet.networks import ExactForm


def line(halfspaces: Sequence[Form]) -> ExactForm:
    """f = −c + Σ R(h_k + c), up to a positive factor.

    One half-space v·x + b ≥ 0: c = −b or b, whichever is positive. Two, with h_1 = −h_2 − s and s > 0, the gradients of the
    same length: c = s/2, so that f = −c also where both units are active.
    """
    if len(halfspaces) == 1:
        h = halfspaces[0]
        c = abs(h[-1]) or max(map(abs, h))
        return ExactForm(constant(h, -c), (raised(h, c),), (1,), 0)
    first, second = opposite(*halfspaces)
    s = -(first[-1] + second[-1])
    return ExactForm(constant(first, -s), (raised(times(2, first), s), raised(times(2, second), s)), (1, 1), 0)


def constant(h: Form, c: int) -> Form:
    """The constant c as a form."""
    return (*(0,) * (len(h) - 1), c)


def raised(h: Form, c: int) -> Form:
    """h + c."""
    return (*h[:-1], h[-1] + c)


def opposite(first: Form, second: Form) -> tuple[Form, Form]:
    """The two scaled to opposite gradients; where these are parallel but for rounding, the second's direction is given up."""
    pivot = max(range(len(first) - 1), key=lambda j: abs(first[j]))
    first, second = times(abs(second[pivot]), first), times(abs(first[pivot]), second)
    return first, (*times(-1, first[:-1]), second[-1])
