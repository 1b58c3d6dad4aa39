"""Scores l + Σ ω_k R(a_k) as networks: l costs two ReLUs for each dimension of its gradients, or one, or none.

R(−a) = R(a) − a: turning the units of a set S round adds Σ_S ω_k a_k to l. If that makes l a constant, no unit is needed for
it: a subset sum of the gradients, met in the middle. Else R(g) − R(−g) will do for a gradient g, and one unit, R(g + M) − M or
its opposite, where the network keeps its decisions with it. Scores are less the last one, as in `lpnet.compression.equations`.
"""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import chain, islice, product
from typing import Any, NamedTuple

from flint import fmpq_mat, fmpz_mat

from lpnet.compression.equations import Unit
from lpnet.compression.surface import Network, Piece, Surface, numbers
from lpnet.exact import Form, Point, add, fraction, fractions, primitive, shortened, times, value
from lpnet.networks import Polyhedron, ReLUNetwork, normal_form
from lpnet.networks.classifier import Classifier

MOST_TURNED = 36  # a subset sum of more units is not tried
MOST_LIFTED = 16  # ways to write l with one unit for each dimension
Affine = Sequence[Form]
Kink = tuple[int, Fraction, int]  # ±1, k and δ: δ R(±(t − k))


class Scores(NamedTuple):
    """l and units, with a weight in each score but the last, which is 0; whole numbers or Fractions."""

    affine: Sequence[Any]
    units: Sequence[tuple[Any, Any]]


def same(given: Scores) -> Scores:
    """The same scores with constant l: n units; for one score n + 1 or n + 2."""
    affine, units = given
    turned = subset(affine, units)
    if turned is not None:
        return turn(given, turned)
    for k, (a, _) in enumerate(units):
        turned = subset(affine, units, a) if len(units) <= MOST_TURNED // 2 else None
        if turned is not None:  # l = r a + a constant, and r a = r R(a) − r R(−a)
            rest, several = turn(given, turned)
            b, weights = several[k]
            j = next(j for j, c in enumerate(b) if c)
            r = [Fraction(line[j], b[j]) for line in rest]
            shifted = [line[-1] - s * b[-1] for line, s in zip(rest, r, strict=True)]
            both = [(b, [w + s for w, s in zip(weights, r, strict=True)]), (times(-1, b), [-s for s in r])]
            return Scores(constants(shifted, len(a)), [*several[:k], *several[k + 1 :], *both])
    more = [(times(side, g), [side * w for w in weights]) for g, weights in directions(affine) for side in (1, -1)]
    return Scores(constants([line[-1] for line in affine], len(affine[0])), [*units, *more])


def fewer(given: Scores, seen: Surface, own: Scores | None) -> Iterator[Scores]:
    """Scores with n + 1 units (n + r for l of r dimensions), of the boundary and perhaps more; the network's own; an AND's."""
    points = [at for piece in seen.pieces for at in (piece.point, *piece.corners)]
    signs = [sum(weights) > 0 for _, weights in given.units]
    choices = [[k for k, up in enumerate(signs) if up == wanted] for wanted in (True, False)]
    choices += [[], list(range(len(signs)))]
    if own:
        known = {primitive(a) for a, _ in own.units}
        choices.insert(0, [k for k, (a, _) in enumerate(given.units) if times(-1, primitive(a)) in known])
    for chosen in choices:
        rest, turned = turn(given, chosen)
        several = [list(lifts(g, weights, rest, points)) for g, weights in directions(rest)]
        for lifted in islice(product(*several), MOST_LIFTED):
            shifted = [line[-1] - sum(a[-1] * weights[c] for a, weights in lifted) for c, line in enumerate(rest)]
            yield Scores(constants(shifted, len(rest[0])), [*turned, *lifted])
    if own:
        yield same(own)
    if len(seen.answers) == 2:  # −Σ R(−h_i), where the first answer is that of a convex region
        halfspaces = dict.fromkeys(piece.halfspace for piece in seen.pieces)
        yield Scores(constants([0], len(given.affine[0])), [(times(-1, h), [-1]) for h in halfspaces])


def constants(values: Sequence[Any], width: int) -> list[Sequence[Any]]:
    """These as affine functions."""
    return [(*[0] * (width - 1), z) for z in values]


def directions(affine: Affine) -> list[tuple[Form, list[Fraction]]]:
    """As few linear g as there are with multiples of them adding up to the gradients of all l: g, and its share in each."""
    table = fmpz_mat([list(line[:-1]) for line in affine])
    echelon, rank = table.transpose().rref()[::2]
    if not rank:
        return []
    chosen = [next(c for c in range(len(affine)) if int(echelon[r, c])) for r in range(rank)]
    basis = fmpq_mat(fmpz_mat([table.tolist()[c] for c in chosen]))
    shares = fmpq_mat(table) * basis.transpose() * (basis * basis.transpose()).inv()
    return [((*affine[c][:-1], 0), [fraction(shares[line, k]) for line in range(len(affine))]) for k, c in enumerate(chosen)]


def lifts(g: Form, weights: Sequence[Fraction], rest: Affine, points: Sequence[Point]) -> Iterator[tuple[Form, list[Fraction]]]:
    """Units that are g times the weights, and a constant, at all points."""
    for side in (1, -1):
        turned = times(side, g)
        if any(at[-1] == 0 and value(turned, at) < 0 for at in points):
            continue
        least = min(Fraction(value(turned, at), at[-1]) for at in points if at[-1])
        shift = side * rest[0][-1] if len(rest) == 1 else 0
        if least + shift < 0:
            shift += 2 * -(least + shift).__floor__()
        yield (*turned[:-1], shift), [side * w for w in weights]


def turn(given: Scores, chosen: Sequence[int]) -> Scores:
    """The same scores with some units turned round."""
    affine, units = list(given.affine), list(given.units)
    for k in chosen:
        a, weights = units[k]
        affine = [add(line, times(w, a)) for line, w in zip(affine, weights, strict=True)]
        units[k] = times(-1, a), weights
    return Scores(affine, units)


def subset(affine: Affine, units: Sequence[Unit], modulo: Form | None = None) -> list[int] | None:
    """Units whose turning makes the affine parts constant; None where there are none, or too many units to know.

    modulo: or a constant and a multiple of this form.
    """
    if len(units) > MOST_TURNED:
        return None
    if modulo:
        j = next(j for j, c in enumerate(modulo) if c)
        affine = [add(times(modulo[j], line), times(-line[j], modulo)) for line in affine]
        units = [(add(times(modulo[j], a), times(-a[j], modulo)), w) for a, w in units]
    steps = [tuple(chain.from_iterable(times(w, a[:-1]) for w in weights)) for a, weights in units]
    wanted = tuple(chain.from_iterable(times(-1, line[:-1]) for line in affine))
    half = len(units) // 2
    first = sums(steps[:half], len(wanted))
    for total, chosen in sums(steps[half:], len(wanted)).items():
        other = first.get(add(wanted, times(-1, total)))
        if other is not None:
            return [k for k in range(len(units)) if (other | chosen << half) >> k & 1]
    return None


def sums(steps: Sequence[Form], size: int) -> dict[Form, int]:
    """All sums of some of the steps, each with a set that has it."""
    found = {(0,) * size: 0}
    for k, step in enumerate(steps):
        found |= {add(total, step): chosen | 1 << k for total, chosen in found.items()}
    return found


def parallel(pieces: Sequence[Piece]) -> Scores:
    """One score with these half-spaces, all parallel, as its boundary, and as few ReLUs as `lpnet.laws.line_relus` says."""
    gradient = pieces[0].halfspace[:-1]
    j = next(k for k, c in enumerate(gradient) if c)
    # with t = gradient·x, h = (h_j / gradient_j) (t − z)
    zeros = sorted({(Fraction(-h[-1] * gradient[j], h[j]), h[j] * gradient[j] > 0) for h in (p.halfspace for p in pieces)})
    places, side = [z for z, _ in zeros], 1 if zeros[0][1] else -1
    found = kinks(places, side)
    constant = -sum((delta * max(Fraction(0), turn * (places[0] - at)) for turn, at, delta in found), Fraction(0))
    units = [([*(turn * c for c in gradient), -turn * at], [delta]) for turn, at, delta in found]
    return Scores(constants([constant], len(gradient) + 1), units)


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


def realised(network: Network, seen: Surface, scores: Scores) -> ReLUNetwork | Classifier:
    """The network of scores, exactly; the classes that are nowhere are always behind another one."""
    width = seen.inputs + 1
    rows = shortened(fractions([Fraction(z) for a, _ in scores.units for z in a], (len(scores.units), width)))
    columns = {c: [Fraction(w[k]) for _, w in scores.units] for k, c in enumerate(seen.answers[:-1])}
    biases = {c: Fraction(line[-1]) for c, line in zip(seen.answers[:-1], scores.affine, strict=True)}
    nothing = [Fraction(0)] * len(scores.units)
    columns[seen.answers[-1]], biases[seen.answers[-1]] = nothing, Fraction(0)

    def one(weights: Sequence[Fraction], bias: Fraction) -> ReLUNetwork:
        return ReLUNetwork(rows[:, :-1], rows[:, -1], shortened(fractions(weights, (len(weights),))), bias)

    if not isinstance(network, Classifier):
        ahead, behind = (columns.get(c, nothing) for c in (1, -1))
        least = min(biases.values()) - 1
        return one([a - b for a, b in zip(ahead, behind, strict=True)], biases.get(1, least) - biases.get(-1, least))
    first = seen.answers[0]
    named = numbers(network)
    made = (one(columns.get(c, columns[first]), biases.get(c, biases[first] - 1)) for c in named.values())
    return Classifier(tuple(made), tuple(named), network.names)


def own_scores(network: Network, domain: Polyhedron, answers: Sequence[int]) -> tuple[Sequence[Form], Scores | None]:
    """Of a ReLU network with one hidden layer the units in normal form; and its scores, where each answer has just one."""
    if isinstance(network, ReLUNetwork):
        form = normal_form(network, domain)
        scores = Scores([form.affine], [(a, [w]) for a, w in zip(form.units, form.signs, strict=True)])
        return ((), None) if form.links else (form.units, scores)
    if not isinstance(network, Classifier) or not isinstance(network.scores[0], ReLUNetwork):
        return (), None
    decision, named = network.normal_form(domain), numbers(network)
    units, spoken = decision.body.units, [named[c] for c in decision.classes]
    if decision.body.links:
        return (), None
    if any(spoken.count(c) != 1 for c in answers):
        return units, None
    *places, last = map(spoken.index, answers)
    affine = [add(decision.affine[o], times(-1, decision.affine[last])) for o in places]
    weights = ([own[o] - own[last] for o in places] for own in zip(*decision.weights, strict=True))
    return units, Scores(affine, list(zip(units, weights, strict=True)))
