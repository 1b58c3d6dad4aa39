"""Does an output layer act as OR or as AND? Only on the sign vectors that occur, as linear programs tell."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from lpnet.exact import Form, forms, integers
from lpnet.networks import SignNetwork
from lpnet.programs import Certificate, SignProgram

MOST_PROGRAMS = 10_000


@dataclass(frozen=True)
class Action:
    """What y = sgn(w0 + Σ w_k z_k) is of the signs z_k = sgn h_k(x) of all points x.

    operation: "or": +1 where z_k = +1 for one of the `units`; "and": for all of them; "neither"; "unknown": too many programs.
    Of no units at all these are the constants −1 and +1. reason: how it was found out.
    """

    operation: Literal["or", "and", "neither", "unknown"]
    units: tuple[int, ...]
    halfspaces: tuple[Form, ...]
    reason: str


class _TooMany(Exception):
    pass


def output_action(network: SignNetwork, programs: int = MOST_PROGRAMS) -> Action:
    """OR, AND or neither, exactly.

    y is the OR of a set J of units if and only if z_k = +1 never occurs with y = −1 for k ∈ J, nor z_J = −1 with y = +1; the
    largest J will do if any does. AND is the same with all signs turned. Each question is settled by the output weights alone
    where they suffice, otherwise by fixing signs one after the other and asking a program whether they occur together.
    """
    search = _Search(network, programs)
    try:
        for operation, one in (("or", 1), ("and", -1)):
            units = tuple(k for k in range(network.units) if not search.occurs({k: one}, -one))
            if not search.occurs(dict.fromkeys(units, -one), one):
                reason = f"{search.solved} programs" if search.solved else "its weights alone"
                return Action(operation, units, tuple(search.forms[k] for k in units), reason)  # type: ignore[arg-type]
    except _TooMany:
        return Action("unknown", (), (), f"not settled by {programs} programs")
    return Action("neither", (), (), f"{search.solved} programs")


class _Search:
    """Asks whether given signs of some units occur together with an answer."""

    def __init__(self, network: SignNetwork, programs: int) -> None:
        whole, _ = integers([*network.output_weight, network.output_bias])
        *self.weights, self.bias = map(int, whole)
        self.reach = sum(map(abs, self.weights))
        self.forms = forms(network.hidden_weight, network.hidden_bias)
        self.order = sorted(range(len(self.weights)), key=lambda k: -abs(self.weights[k]))
        self.program = SignProgram(self.forms, network.inputs)
        self.programs, self.solved = programs, 0

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
        self.solved += 1
        relations = [{1: 2, -1: -1}[signs[k]] if k in signs else 0 for k in range(len(self.forms))]
        return not isinstance(self.program.decide(relations), Certificate)
