"""The convex parts of {f ≥ 0} or {f < 0}, and which half-spaces hold all over one of them.

Side +1: {f ≥ 0} is the union, over S1 ⊆ P, of its parts in Q_S1 = {a_k ≥ 0 on S1, a_k ≤ 0 on P∖S1}; there f = f_S1, the concave
l + Σ_{S1} a_k − Σ_N R(a_k). Side −1: the same for −f, whose positive units are N, and {−f > 0}. So each part is convex, and a
linear program in (x, r), r_k ≥ R(a_k).

The *literal* of a needed half-space is true where it has the sign of the side: h ≥ 0 on side +1, h < 0 on side −1.
"""

from collections.abc import Sequence
from functools import partial

from lpnet.boundary.subsets import Pattern
from lpnet.exact import Form, Point, add, primitive, times
from lpnet.networks import ExactForm, Polyhedron
from lpnet.programs import Certificate, SignProgram
from lpnet.watch import Watch

HOLDS, FAILS = {1: 2, -1: -1}, {1: -1, -1: 2}  # relations of a literal, by side
MOST_PARTS = 1000
Cut = tuple[Form, bool]


class Part:
    """A convex part, possibly cut further by half-spaces: exact questions about it on one warm program.

    cuts: half-spaces, each with whether its literal is true in the part.
    """

    def __init__(self, form: ExactForm, domain: Polyhedron, side: int, chosen: Pattern, cuts: tuple[Cut, ...] = ()) -> None:
        self.form, self.domain, self.side, self.chosen, self.cuts = form, domain, side, chosen, cuts
        rows, self._relations = own_part(form, domain, side, chosen)
        padding = (0,) * (len(rows[0]) - form.inputs - 1)
        self._lift = partial(lifted, padding=padding)
        for h, true in cuts:
            rows.append(self._lift(h))
            self._relations.append((HOLDS if true else FAILS)[side])
        self._program = SignProgram([*rows, rows[-1]], len(rows[0]) - 1)

    def point(self) -> Point | None:
        """A point of the part; None if it is empty."""
        return self._decide(0)

    def without(self, h: Form, true: bool = True) -> Point | None:
        """A point of the part at which the literal of h is not `true`; None if it is so all over the part."""
        self._program.replace(len(self._relations), self._lift(primitive(h)))
        return self._decide((FAILS if true else HOLDS)[self.side])

    def cut(self, h: Form) -> list["Part"]:
        """The part where the literal of h is true, and where not."""
        return [
            Part(self.form, self.domain, self.side, self.chosen, (*self.cuts, (primitive(h), true))) for true in (True, False)
        ]

    def _decide(self, last: int) -> Point | None:
        at = self._program.decide([*self._relations, last])
        return None if isinstance(at, Certificate) else primitive((*at[: self.form.inputs], at[-1]))


def lifted(h: Form, padding: Sequence[int]) -> Form:
    """A form in x as one in (x, r)."""
    return (*h[:-1], *padding, h[-1])


def own_part(form: ExactForm, domain: Polyhedron, side: int, chosen: Pattern) -> tuple[list[Form], list[int]]:
    """The part of S1 as forms in (x, r) with their relations; chosen: +1 for the units of S1, −1 for the others of its sign."""
    first = [a for a, s in zip(form.units, form.signs, strict=True) if s == side]
    rest = [a for a, s in zip(form.units, form.signs, strict=True) if s != side]
    affine = times(side, form.affine)
    for a, active in zip(first, chosen, strict=True):
        if active > 0:
            affine = add(affine, a)
    size = 1 << max((abs(entry) for a in rest for entry in a[:-1]), default=1).bit_length()  # r counts in this many, for floats
    unit = [tuple(size * (i == k) for i in range(len(rest))) for k in range(len(rest))]
    none, nothing = (0,) * len(rest), (0,) * (form.inputs + 1)
    rows = [lifted(h, none) for h in domain.inequalities()]
    relations = [1] * len(rows)
    rows += [lifted(times(active, a), none) for a, active in zip(first, chosen, strict=True)]
    rows += [lifted(nothing, r) for r in unit]
    rows += [lifted(times(-1, a), r) for a, r in zip(rest, unit, strict=True)]
    rows.append(lifted(affine, [-size] * len(rest)))
    return rows, relations + [2] * (len(rows) - len(relations) - 1) + [2 if side > 0 else 1]


def parts_of(
    form: ExactForm, domain: Polyhedron, side: int, watch: Watch, most: int | None = MOST_PARTS
) -> list[tuple[Part, Point]] | None:
    """The parts that are not empty, each with a point; None where more than `most` cells would have to be looked at."""
    patterns = patterns_of([a for a, s in zip(form.units, form.signs, strict=True) if s == side], domain, watch, most)
    if most is not None and len(patterns) > most:
        return None
    found: list[tuple[Part, Point]] = []
    for chosen in patterns:
        watch.check(0.0, len(found))
        part = Part(form, domain, side, chosen)
        at = part.point()
        if at:
            found.append((part, at))
    return found


def patterns_of(units: Sequence[Form], domain: Polyhedron, watch: Watch, most: int | None = None) -> list[Pattern]:
    """The sign patterns that units take on open sets of a domain, unit by unit; only of the first units if more than `most`."""
    program = SignProgram([*units, *domain.inequalities()], domain.inputs)
    within = [1] * (len(program.forms) - len(units))
    found: list[Pattern] = [()]
    for depth in range(1, len(units) + 1):
        watch.check(0.0, 0)
        rest = [0] * (len(units) - depth) + within
        longer = [(*pattern, side) for pattern in found for side in (-1, 1)]
        found = [pattern for pattern in longer if not isinstance(program.decide([*pattern, *rest]), Certificate)]
        if most is not None and len(found) > most:
            break
    return found
