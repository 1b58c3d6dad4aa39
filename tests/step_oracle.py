"""What a network with gates that jump needs, by brute force in rationals, for a handful of units: an outside oracle.

Nothing is shared with the package. Every row that any unit can be, for any choice of the branches of the units before it, gives
a hyperplane; together they cut R^d into faces on each of which the answer is one. A point of each face of an arrangement: on
every hyperplane the same question in one dimension less, then a step from there to either side, shorter than to any other.
"""

from fractions import Fraction
from itertools import product

Vector = tuple[Fraction, ...]
RELU, STEP, STRICT, SIGN, STRICT_SIGN = "relu", "step", "strict_step", "sign", "strict_sign"


class Net:
    """Layers (weight, bias) that read the one before, the last of one row; gates: a name for every hidden unit, by layers."""

    def __init__(self, layers, gates):
        self.layers = [([[Fraction(w) for w in row] for row in weight], [Fraction(b) for b in bias]) for weight, bias in layers]
        self.gates = gates
        self.inputs = len(self.layers[0][0][0])

    def __call__(self, x):
        z = list(x)
        for (weight, bias), gates in zip(self.layers, [*self.gates, None], strict=True):
            sums = [sum(w * v for w, v in zip(row, z, strict=True)) + b for row, b in zip(weight, bias, strict=True)]
            if gates is None:
                return 1 if sums[0] >= 0 else -1
            z = [gated(gate, s) for gate, s in zip(gates, sums, strict=True)]

    def rows(self):
        """All affine functions (v, c) that are not constant and that some unit, or f, is for some branches."""
        d = self.inputs
        branches = [[(*(Fraction(i == j) for j in range(d)), Fraction(0)) for i in range(d)]]
        found = set()
        for (weight, bias), gates in zip(self.layers, [*self.gates, None], strict=True):
            after = []
            for z in branches:
                rows = []
                for row, b in zip(weight, bias, strict=True):
                    total = [sum(w * v[i] for w, v in zip(row, z, strict=True)) for i in range(d + 1)]
                    rows.append((*total[:-1], total[-1] + b))
                found |= {scaled(row) for row in rows if any(row[:-1])}
                if gates is not None:
                    after += [
                        list(chosen)
                        for chosen in product(*(outputs(gate, row, d) for gate, row in zip(gates, rows, strict=True)))
                    ]
            branches = [list(z) for z in {tuple(z) for z in after}]
        return found


def gated(gate, s):
    high = {RELU: s, STEP: Fraction(1), STRICT: Fraction(1), SIGN: Fraction(1), STRICT_SIGN: Fraction(1)}[gate]
    low = Fraction(-1) if gate in (SIGN, STRICT_SIGN) else Fraction(0)
    return high if (s > 0 or (s == 0 and gate in (STEP, SIGN))) else low


def outputs(gate, row, d):
    zero, one = (Fraction(0),) * (d + 1), (*(Fraction(0),) * d, Fraction(1))
    low = tuple(-e for e in one) if gate in (SIGN, STRICT_SIGN) else zero
    return [low, row if gate == RELU else one]


def scaled(row):
    """The multiple of a hyperplane's row whose first entry that is not 0 is 1."""
    lead = next(v for v in row if v)
    return tuple(Fraction(v) / lead for v in row)


def at(row, x):
    return sum(v * c for v, c in zip(row, x, strict=False)) + row[-1]


def step(rows, x, v):
    """A length for which x + length · v, and x − length · v, stay on the sides of all hyperplanes that x is not on."""
    lengths = [abs(at(row, x) / s) for row in rows if at(row, x) and (s := sum(a * b for a, b in zip(row, v, strict=False)))]
    return min(lengths, default=Fraction(2)) / 2


def within(rows, plane):
    """The hyperplanes that others leave on {plane = 0}, in the coordinates without its first one; and the way back."""
    k = next(i for i, v in enumerate(plane) if v)
    made = set()
    for row in rows:
        rest = [a - row[k] / plane[k] * b for a, b in zip(row, plane, strict=True)]
        del rest[k]
        if any(rest[:-1]):
            made.add(scaled(rest))

    def back(y):
        x = [*y[:k], Fraction(0), *y[k:]]
        x[k] = -at(plane, x) / plane[k]
        return tuple(x)

    return made, back


def cells(rows, d):
    """A point of each cell of the arrangement, some of them twice."""
    if not rows:
        yield (Fraction(0),) * d
    for plane, x in facets(rows, d):
        s = step(rows, x, plane[:-1])
        for side in (1, -1):
            yield tuple(c + side * s * v for c, v in zip(x, plane[:-1], strict=True))


def facets(rows, d):
    """Each hyperplane with a point of each of its parts between the others."""
    for plane in rows:
        inside, back = within(rows, plane)
        for y in cells(inside, d - 1):
            yield plane, back(y)


def faces(rows, d):
    """A point of each face, of all dimensions."""
    yield from cells(rows, d)
    for plane in rows:
        inside, back = within(rows, plane)
        yield from map(back, faces(inside, d - 1))


def needed(net, rows=None):
    """The half-spaces that the network needs, as rows whose first entry that is not 0 is ±1."""
    rows, found = rows or net.rows(), set()
    for plane, x in facets(rows, net.inputs):
        s = step(rows, x, plane[:-1])
        below, on, above = (net(tuple(c + side * s * v for c, v in zip(x, plane[:-1], strict=True))) for side in (-1, 0, 1))
        found |= {plane} if on != below else set()
        found |= {tuple(-v for v in plane)} if on != above else set()
    return found


def undetermined(net, halfspaces, rows=None):
    """Whether two points have the same signs on the half-spaces but different answers."""
    seen = {}
    for x in faces((rows or net.rows()) | {scaled(h) for h in halfspaces}, net.inputs):
        signs = tuple(at(h, x) >= 0 for h in halfspaces)
        if seen.setdefault(signs, net(x)) != net(x):
            return True
    return False
