"""Does an output layer act as OR or as AND? Only on the sign vectors that occur, as linear programs tell.

A unit may count turned round, where z_k = −1: with a weight below 0, say. Its half-space is then {h_k < 0}, which is open, and
{−h_k ≥ 0} differs from it on the hyperplane. Where the answers differ there for that reason, the set {y = +1} is not closed
(points of it come near), and so it is {f ≥ 0} for no continuous f: no ReLU network has these decisions, whatever its signs.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from lpnet.brief import brief
from lpnet.exact import Form, common_integers, times
from lpnet.networks import SignNetwork
from lpnet.programs import Certificate, SignProgram
from lpnet.watch import Watch

MOST_PROGRAMS = 10_000


@dataclass(frozen=True)
class Action:
    """What y = sgn(w0 + Σ w_k z_k) is of the signs z_k = sgn h_k(x) of all points x.

    operation: "or": +1 where z_k = +1 for one of the `units`, or −1 for one of those `turned`; "and": for all of them;
    "neither"; "unknown": too many programs. Of no units at all these are the constants −1 and +1. halfspaces: h_k of the units,
    −h_k of those turned, closed though they should be open; reason: how it was found out.
    """

    operation: Literal["or", "and", "neither", "unknown"]
    units: tuple[int, ...]
    halfspaces: tuple[Form, ...]
    reason: str
    turned: tuple[int, ...] = ()

    __repr__ = brief()

    def ties(self) -> tuple[int, ...]:
        """The turned units on whose hyperplanes the answer changes if their half-spaces are closed; exact."""
        if not self.turned:
            return ()
        # Relations of h ≥ 0 as it stands: for OR no other half-space may hold, for AND all others have to.
        others, still = (-1, -2) if self.operation == "or" else (2, 2)
        program = SignProgram(self.halfspaces, len(self.halfspaces[0]) - 1)
        relations = [still if k in self.turned else others for k in self.units]
        at = (program.decide(relations, self.halfspaces[self.units.index(k)]) for k in self.turned)
        return tuple(k for k, found in zip(self.turned, at, strict=True) if not isinstance(found, Certificate))

    def empty(self) -> bool:
        """Whether an AND with units turned round holds nowhere."""
        program = SignProgram(self.halfspaces, len(self.halfspaces[0]) - 1)
        return isinstance(program.decide([1 if k in self.turned else 2 for k in self.units]), Certificate)


class _TooMany(Exception):
    pass


def output_action(network: SignNetwork, programs: int = MOST_PROGRAMS, watch: Watch | None = None) -> Action:
    """OR, AND or neither, exactly; Stopped where the watch says so.

    y is the OR of a set J of units if and only if z_k = +1 never occurs with y = −1 for k ∈ J, nor z_J = −1 with y = +1; the
    largest J will do if any does. AND is the same with all signs turned. Units turned round are tried where the others do not
    do. Each question is settled by the output weights alone where they suffice, otherwise by fixing signs one after the other
    and asking a program whether they occur together.
    """
    search = _Search(network, programs, watch or Watch())
    units, constant = range(network.units), [k for k in range(network.units) if not any(search.forms[k])]
    try:
        for turning in (False, True):
            for operation, one in (("or", 1), ("and", -1)):
                sides = {k: one for k in units if not search.occurs({k: one}, -one)}
                if turning:
                    rest = [k for k in units if k not in sides and k not in constant]
                    sides |= {k: -one for k in rest if not search.occurs({k: -one}, -one)}
                if not search.occurs({k: -side for k, side in sides.items()}, one):
                    return search.action(operation, one, sides)  # type: ignore[arg-type]
    except _TooMany:
        return Action("unknown", (), (), f"not settled by {programs} programs")
    return Action("neither", (), (), f"{search.solved} programs")


class _Search:
    """Asks whether given signs of some units occur together with an answer."""

    def __init__(self, network: SignNetwork, programs: int, watch: Watch) -> None:
        whole = common_integers(network.output_layer.rows[0])[0]
        *self.weights, self.bias = map(int, whole)
        self.reach = sum(map(abs, self.weights))
        self.forms = network.input_layer.forms
        self.order = sorted(range(len(self.weights)), key=lambda k: -abs(self.weights[k]))
        self.program = SignProgram(self.forms, network.inputs)
        self.programs, self.solved, self.watch = programs, 0, watch

    def action(self, operation: Literal["or", "and"], one: int, sides: Mapping[int, int]) -> Action:
        """The answer, given the sign that decides for each unit that counts."""
        units = tuple(sorted(sides))
        turned = tuple(k for k in units if sides[k] != one)
        halfspaces = tuple(times(-1 if k in turned else 1, self.forms[k]) for k in units)
        return Action(operation, units, halfspaces, f"{self.solved} programs" if self.solved else "its weights alone", turned)

    def occurs(self, signs: Mapping[int, int], answer: int) -> bool:
        """Whether some x has these signs and the answer, depth first over the signs of the other units."""
        known = self.bias + sum(self.weights[k] * z for k, z in signs.items())
        reach = self.reach - sum(abs(self.weights[k]) for k in signs)
        least, most = known - reach, known + reach
        if (most < 0) if answer > 0 else (least >= 0):
            return False
        if signs and not self._feasible(signs):
            return False
        if (least >= 0) if answer > 0 else (most < 0):
            return True
        free = next(k for k in self.order if k not in signs)
        return any(self.occurs({**signs, free: z}, answer) for z in (answer, -answer))

    def _feasible(self, signs: Mapping[int, int]) -> bool:
        if self.solved == self.programs:
            raise _TooMany
        self.watch.check(self.solved / self.programs, self.solved)
        self.solved += 1
        relations = [{1: 2, -1: -1}[signs[k]] if k in signs else 0 for k in range(len(self.forms))]
        return not isinstance(self.program.decide(relations), Certificate)
