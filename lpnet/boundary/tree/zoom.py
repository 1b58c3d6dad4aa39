"""New coordinates for a thin polyhedron, exactly: in them it contains a ball and lies in none that is much larger."""

from collections.abc import Sequence
from fractions import Fraction

from flint import fmpq, fmpq_mat

from lpnet.exact import Form, Point, primitive, value


class Zoom:
    """x = p + M y for a point p inside {h > 0 for all walls h}: y_i = h_i(x) / h_i(p) − 1 for d of the walls.

    They are chosen by complete pivoting among the gradients of h / h(p), so that in terms of theirs no other one is large;
    where these do not span R^d, inputs take the missing places. M is exact, and so is all that is moved.
    """

    def __init__(self, walls: Sequence[Form], at: Point) -> None:
        self.at, inputs = at, len(at) - 1
        rows = [[Fraction(entry * at[-1], value(h, at)) for entry in h[:-1]] for h in walls if any(h[:-1])]
        chosen, columns = _pivots(rows, inputs)
        basis = [rows[i] for i in chosen] + [
            [Fraction(i == j) for i in range(inputs)] for j in range(inputs) if j not in columns
        ]
        inverse = fmpq_mat(inputs, inputs, [fmpq(z.numerator, z.denominator) for row in basis for z in row]).inv()
        whole, common = inverse.numer_denom()
        self.matrix = [[int(z) for z in row] for row in whole.tolist()]
        self.common = int(common)

    def form(self, h: Form) -> Form:
        """h as one of y, times a positive number that is the same for all."""
        moved = [self.at[-1] * sum(v * row[j] for v, row in zip(h, self.matrix, strict=False)) for j in range(len(h) - 1)]
        return (*moved, self.common * value(h, self.at))

    def point(self, y: Point) -> Point:
        """x for a point y."""
        size = self.common * y[-1]
        moved = [sum(row[j] * y[j] for j in range(len(row))) for row in self.matrix]
        x = [p * size + self.at[-1] * z for p, z in zip(self.at, moved, strict=False)]
        return primitive((*x, self.at[-1] * size))


def _pivots(rows: Sequence[Sequence[Fraction]], inputs: int) -> tuple[list[int], list[int]]:
    """Independent rows, the largest first, and the columns of their pivots."""
    left = {i: list(row) for i, row in enumerate(rows)}
    chosen: list[int] = []
    columns: list[int] = []
    while left and len(chosen) < inputs:
        i, j = max(((i, j) for i in left for j in range(inputs)), key=lambda place: abs(left[place[0]][place[1]]))
        pivot = left.pop(i)
        if not pivot[j]:
            break
        chosen.append(i)
        columns.append(j)
        for row in left.values():
            share = row[j] / pivot[j]
            if share:
                row[:] = [a - share * b for a, b in zip(row, pivot, strict=True)]
    return chosen, columns
