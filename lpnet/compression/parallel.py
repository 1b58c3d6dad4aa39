"""The fewest ReLUs where the boundary is parallel hyperplanes: functions of one variable (`lpnet.laws.line_relus`)."""

from collections.abc import Sequence
from fractions import Fraction

from lpnet.compression.surface import Piece
from lpnet.compression.turning import as_network
from lpnet.exact import Form
from lpnet.networks import ReLUNetwork

Kink = tuple[int, Fraction, int]  # ±1, k and δ: δ R(±(t − k))


def parallel_network(pieces: Sequence[Piece]) -> ReLUNetwork:
    """A network with these half-spaces, all parallel, as its boundary, and as few ReLUs as `line_relus` says."""
    gradient = pieces[0].halfspace[:-1]
    j = next(k for k, c in enumerate(gradient) if c)
    # with t = gradient·x, h = (h_j / gradient_j) (t − z)
    zeros = sorted({(Fraction(-h[-1] * gradient[j], h[j]), h[j] * gradient[j] > 0) for h in (p.halfspace for p in pieces)})
    places, side = [z for z, _ in zeros], 1 if zeros[0][1] else -1
    found = kinks(places, side)
    constant = -sum((delta * max(Fraction(0), turn * (places[0] - at)) for turn, at, delta in found), Fraction(0))
    units: list[tuple[Form, Fraction]] = []
    for turn, at, delta in found:
        row = tuple(turn * at.denominator * c for c in gradient)
        units.append(((*row, -turn * at.numerator), Fraction(delta, at.denominator)))
    return as_network([0] * len(gradient) + [constant], units)


def kinks(zeros: Sequence[Fraction], side: int) -> list[Kink]:
    """The units of a function of t that changes its sign at just these places, first to `side`; see `line_relus`."""
    count = len(zeros)
    if count == 1:
        return [(1, zeros[0] - 1, side)]
    if count == 2:
        middle = (zeros[0] + zeros[1]) / 2
        return [(1, middle, -side), (-1, middle, -side)]
    sizes = [1, 1, 1, 2, *[1] * count][:count]
    at = [(p * s + q * t) / (s + t) for p, q, s, t in zip(zeros, zeros[1:], sizes, sizes[1:], strict=False)]
    slopes = [side * (-1) ** k * size for k, size in enumerate(sizes)]
    turned = {1, 2}
    if count == 3:
        at, slopes, turned = [*at, zeros[2] + 1], [*slopes, 2 * side], {0, 2}
    steps = zip(at, slopes, slopes[1:], strict=False)
    return [(-1 if k in turned else 1, kink, after - before) for k, (kink, before, after) in enumerate(steps)]
