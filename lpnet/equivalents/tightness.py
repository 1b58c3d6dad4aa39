"""How near a network comes to the bounds on its threshold units."""

from dataclasses import dataclass

from lpnet.boundary.engines import count_pieces, find_pieces
from lpnet.equivalents.minimal import distinct_halfspaces
from lpnet.errors import Stopped
from lpnet.laws import mixed_bound, one_sign_bound, theorem2_bound
from lpnet.networks import ReLUNetwork
from lpnet.networks.question import question
from lpnet.watch import Watch


@dataclass(frozen=True)
class Tightness:
    """How many half-spaces a network needs on all of R^d, and how many networks of its kind can need.

    needed; theorem2: 2^n − 1, n the units with w_k ≠ 0; law: the bound by n and d, that of `lpnet.laws.one_sign_bound` if all
    w_k have one sign, else `mixed_bound`; engine: which one counted.
    """

    needed: int
    theorem2: int
    law: int
    engine: str

    @property
    def of_theorem2(self) -> float:
        """needed / (2^n − 1); 0 for a network without units."""
        return self.needed / self.theorem2 if self.theorem2 else 0.0

    @property
    def of_law(self) -> float:
        """needed / the bound by n and d; 0 for a network without units."""
        return self.needed / self.law if self.law else 0.0


def tightness(network: ReLUNetwork, engine: str = "auto", watch: Watch | None = None) -> Tightness:
    """Count the needed half-spaces, exactly, and compare them with the bounds. Raises Stopped if `watch` ends the count."""
    watch = watch or Watch()
    positive, negative = len(network.positive), len(network.negative)
    asked = question(network)
    form = asked.form
    if form.convex or form.concave:
        needed, engine, complete = count_pieces(form, asked.domain, watch, engine)
    else:  # several pieces may lie on one hyperplane
        pieces, engine, _ = find_pieces(form, asked.domain, watch, engine, few=-1)
        needed, complete = len(distinct_halfspaces(form, pieces.patterns)), pieces.complete
    if not complete:
        raise Stopped(f"stopped after {needed} half-spaces, {watch.stopped}")
    relus = positive + negative
    law = mixed_bound if positive and negative else one_sign_bound
    return Tightness(needed, theorem2_bound(relus), law(relus, asked.network.inputs), engine)
