"""Leaves of the tree that prove that no half-space is missed: the units' signs one by one, in the order of the patterns.

A node below which pieces lie is split. The others are closed as high up as possible: by a circuit that excludes the signs
fixed, or by a bound that f keeps one sign there; the kinds of leaves and their theorems are in `lpnet.checker`. Where exact
programs close neither (units free on the wrong side leave no bound, or f vanishes at a kink), the node is split further.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

from lpnet.checker.question import NormalForm
from lpnet.checker.tree import EMPTY, NEGATIVE, NOT_NEGATIVE, REPEAT, TOUCHING, UNIT, Tree
from lpnet.errors import LpnetError
from lpnet.exact import Form, sign, times
from lpnet.networks import ExactForm
from lpnet.programs import Certificate, SignProgram

Leaf = tuple[int, int, int]  # depth, kind, number


class TreeProver:
    """Walks the tree; `circuits` and `bounds` gather what its leaves refer to until they are taken, of `length` digits.

    pieces: the patterns of all pieces as increasing numbers, first unit highest; numbers: the half-space each carries.
    """

    def __init__(self, form: NormalForm, pieces: Sequence[int], numbers: Sequence[int]) -> None:
        self.form, self.pieces, self.numbers = form, pieces, numbers
        self.circuits: list[Any] = []
        self.bounds: list[Any] = []
        self.known: dict[tuple[int, bool], list[tuple[int, int, int]]] = defaultdict(list)
        self.rows = self.length = 0
        self.f = ExactForm(form.affine, form.units, form.signs, 0)
        self.checker = Tree(form)
        self.cells = SignProgram(self.checker.rows, len(form.affine) - 1)

    def leaves(self) -> Iterator[Leaf]:
        """All leaves in order."""
        m = len(self.form.units)
        open_nodes = [(0, 0, 0, len(self.pieces))]
        while open_nodes:
            depth, position, first, last = open_nodes.pop()
            if first == last:
                leaf = self.closed(depth, position)
            elif depth == m:
                leaf = self.half_space(depth, first)
            else:
                leaf = None
            if leaf:
                yield leaf
                continue
            if depth == m:
                raise LpnetError(f"a piece that the engine does not know: the pattern {position:0{m}b}; please report")
            middle = position | 1 << (m - 1 - depth)
            cut = bisect_left(self.pieces, middle, first, last)
            open_nodes += [(depth + 1, middle, cut, last), (depth + 1, position, first, cut)]

    def half_space(self, depth: int, piece: int) -> Leaf:
        """The leaf of a pattern that carries a piece."""
        number = self.numbers[piece]
        if number == self.rows:
            self.rows += 1
            return depth, UNIT, 0
        return depth, REPEAT, number

    def closed(self, depth: int, position: int) -> Leaf | None:
        """The leaf that closes a node without pieces; None where it has to be split."""
        m = len(self.form.units)
        fixed = [1 if position >> (m - 1 - k) & 1 else -1 for k in range(depth)]
        number = self.circuit(depth, position)
        if number is not None:
            return depth, EMPTY, number
        if depth == m:
            return self.closed_cell(position, fixed)
        point = self.cells.decide([*fixed, *([0] * (m - depth)), *([1] * len(self.form.walls))])
        if isinstance(point, Certificate):
            return depth, EMPTY, self.add_circuit(point)
        side = self.f.sign_at(point) or 1
        return self.one_sign(depth, position, side, self.bound(depth, position, fixed, side))

    def closed_cell(self, position: int, fixed: Sequence[int]) -> Leaf | None:
        """The leaf of a full pattern without a piece: no point of it has c_S = 0, and the multipliers say why."""
        m, c = len(fixed), self.form.on_cell(position)
        if not any(c[:-1]):
            return self.one_sign(m, position, 1 if c[-1] >= 0 else -1, ["1", []])
        found = self.cells.decide([*fixed, *([1] * len(self.form.walls))], vanishing=c)
        if not isinstance(found, Certificate):
            return None
        if not found.vanishing:
            return m, EMPTY, self.add_circuit(found)
        side = -sign(found.vanishing)
        rows = [[row, f"{abs(multiplier):x}"] for row, multiplier in found.multipliers]
        leaf = self.one_sign(m, position, side, [f"{abs(found.vanishing):x}", rows])
        if leaf or 0 in fixed:
            return leaf
        ((unit, _),) = found.multipliers  # c_S is a negative multiple of its distance
        if self.checker.not_touching(position, m, unit) is None:
            return m, TOUCHING, unit
        # Its hyperplane is no side of the cell, or the pattern would touch or carry a piece: the others will do without it
        return self.closed_cell(position, [*fixed[:unit], 0, *fixed[unit + 1 :]])

    def one_sign(self, depth: int, position: int, side: int, bound: Any) -> Leaf | None:
        """The leaf of a bound, if it is one."""
        if not bound or self.checker.not_one_sign(position, depth, side, bound):
            return None
        self.bounds.append(bound)
        self.length += digits([[None, bound[0]], *bound[1]])
        return depth, NOT_NEGATIVE if side > 0 else NEGATIVE, len(self.bounds) - 1

    def circuit(self, depth: int, position: int) -> int | None:
        """A known circuit that excludes the signs fixed; its last unit is the one fixed last."""
        m = len(self.form.units)
        if not depth:
            return None
        inactive = ((1 << depth) - 1) << (m - depth) & ~position
        bit = bool(position >> (m - depth) & 1)
        for number, wants_active, wants_inactive in self.known[depth - 1, bit]:
            if not wants_active & ~position and not wants_inactive & ~inactive:
                return number
        return None

    def add_circuit(self, certificate: Certificate) -> int:
        """Note a new circuit."""
        pairs = [[row, f"{multiplier:x}"] for row, multiplier in certificate.multipliers]
        number = len(self.checker.circuits)
        self.circuits.append(pairs)
        self.length += digits(pairs)
        self.checker.add_circuits([pairs])
        active, inactive, reversible = self.checker.circuits[-1]
        m = len(self.form.units)
        last = max((row for row, _ in certificate.multipliers if row < m), default=-1)
        for wants_active, wants_inactive in ((active, inactive), (inactive, active))[: 1 + reversible]:
            self.known[last, bool(wants_active >> (m - 1 - last) & 1)].append((number, wants_active, wants_inactive))
        return number

    def bound(self, depth: int, position: int, fixed: Sequence[int], side: int) -> Any:
        """Multipliers that prove side · f ≥ 0 on a node (> 0 for side = −1), from a program in x and r_k between R(a_k) and f.

        With s_k = side, r_k ≥ R(a_k) is asked for; otherwise r_k ≤ R(a_k), for units still free r_k ≤ their chord.
        """
        form, m = self.form, len(self.form.units)
        free = range(depth, m)
        if self.checker.chords is None and any(form.signs[k] != side for k in free):
            return None
        walls, same = len(form.walls), [s == side for s in form.signs]
        active = [f > 0 for f in fixed]
        zero = [(2 if same[k] else -2) * (not active[k]) for k in range(depth)] + [2 * same[k] for k in free]
        ramp = [(2 if same[k] else -2) * active[k] for k in range(depth)] + [2 * same[k] for k in free]
        chord = [0] * depth + [2 * (not same[k]) for k in free]
        relations = [-1 if side > 0 else 2, *fixed, *[0] * len(free), *[1] * walls, *zero, *ramp]
        found = self.lifted.decide([*relations, *(chord if self.checker.chords is not None else [])])
        if not isinstance(found, Certificate):
            return None
        multipliers = dict(found.multipliers)
        scale = abs(multipliers.get(0, 0))
        if not scale:
            return None
        first_ramp = 1 + 2 * m + walls
        rows = {k: abs(multipliers.get(1 + k, 0)) for k in [*range(depth), *range(m, m + walls)]}
        rows |= {k: multipliers.get(first_ramp + k, 0) for k in free if same[k]}
        return [f"{scale:x}", [[k, f"{factor:x}"] for k, factor in rows.items() if factor]]

    @cached_property
    def lifted(self) -> SignProgram:
        """The program in (x, r): f = l + Σ s_k r_k, then the a_k, the walls, r_k, r_k − a_k, and the chords less r_k.

        The unit of r is a large power of two, so that r and the a_k are of a size.
        """
        form, m, d = self.form, len(self.form.units), len(self.form.affine) - 1
        unit = [tuple(int(i == k) for i in range(m)) for k in range(m)]
        power = max(abs(entry) for a in form.units for entry in a).bit_length()

        def lift(a: Form, r: Form = (0,) * m) -> Form:
            return (*a[:-1], *times(1 << power, r), a[-1])

        rows = [lift(form.affine, form.signs), *map(lift, self.checker.rows)]
        rows += [lift((0,) * (d + 1), r) for r in unit]
        rows += [lift(times(-1, a), r) for a, r in zip(form.units, unit, strict=True)]
        if self.checker.chords is not None:
            scale = -(1 << self.checker.shift)
            rows += [lift(chord, times(scale, r)) for chord, r in zip(self.checker.chords, unit, strict=True)]
        return SignProgram(rows, d + m)

    def take(self) -> dict[str, Any]:
        """The certificates of a block of leaves; the numbers of bounds start anew, those of circuits go on."""
        taken = {"circuits": self.circuits, "bounds": self.bounds}
        self.circuits, self.bounds, self.length = [], [], 0
        return taken


def digits(pairs: Sequence[Sequence[Any]]) -> int:
    """How many digits there are in multipliers, the second entries."""
    return sum(len(multiplier) for _, multiplier in pairs)
