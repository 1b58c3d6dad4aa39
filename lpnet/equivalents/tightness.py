"""How near a network comes to the bounds on its threshold units."""

from dataclasses import dataclass

from lpnet.boundary.engines import count_pieces, find_pieces
from lpnet.equivalents.classes import minimal_classes
from lpnet.equivalents.minimal import all_differ, distinct_halfspaces
from lpnet.errors import Stopped
from lpnet.laws import classes_bound, deep_bound, mixed_bound, one_sign_bound, theorem2_bound
from lpnet.networks import ReLUNetwork
from lpnet.networks.classifier import Classifier
from lpnet.networks.question import question
from lpnet.watch import Watch


@dataclass(frozen=True)
class Tightness:
    """How many half-spaces a network needs on all of R^d, and how many networks of its kind can need.

    needed; theorem2: 2^n − 1, n the units with w_k ≠ 0, or all of several layers; of k outputs k(k − 1)/2 · 2^n; law: see
    `law_of`; engine: which one counted.
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


def tightness(network: ReLUNetwork | Classifier, engine: str = "auto", watch: Watch | None = None) -> Tightness:
    """Count the needed half-spaces, exactly, and compare them with the bounds. Raises Stopped if `watch` ends the count."""
    watch = watch or Watch()
    asked = question(network)
    if isinstance(network, Classifier):
        answer = minimal_classes(network, None, engine, watch)
        if not answer.complete:
            raise Stopped(f"stopped after {answer.units} half-spaces, {watch.stopped}")
        most = classes_bound(1 << network.relus, len(network.scores))
        return Tightness(answer.units, most, law_of(network, asked.network.inputs)[0], answer.engine)
    form = asked.form
    if all_differ(form):
        needed, engine, complete = count_pieces(form, asked.domain, watch, engine)
    else:  # several pieces may lie on one hyperplane
        pieces, engine, _ = find_pieces(form, asked.domain, watch, engine, few=-1)
        needed, complete = len(distinct_halfspaces(form, pieces.patterns)), pieces.complete
    if not complete:
        raise Stopped(f"stopped after {needed} half-spaces, {watch.stopped}")
    return Tightness(needed, theorem2_bound(len(network.used)), law_of(network, asked.network.inputs)[0], engine)


def law_of(network: ReLUNetwork | Classifier, inputs: int) -> tuple[int, str]:
    """The most half-spaces that networks of its layers and signs can need, as functions of so many inputs, and why."""
    if isinstance(network, Classifier):
        most = classes_bound(deep_bound(network.widths, inputs), len(network.scores))
        return most, "one for each cell that layers of so many ReLUs can have, and each two outputs"
    if network.deeper or network.skip is not None:
        return deep_bound(network.widths, inputs), "one for each cell that layers of so many ReLUs can have"
    relus = len(network.used)
    if len(network.positive) in (0, relus):
        return one_sign_bound(relus, inputs), "T(n, d), output weights of one sign"
    return mixed_bound(relus, inputs), "one for each cell of the ReLUs' hyperplanes"
