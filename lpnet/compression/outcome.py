"""The answer to whether a sign network is a ReLU network."""

from dataclasses import dataclass
from typing import Literal

from lpnet.brief import brief
from lpnet.compression.bounds import LowerBound
from lpnet.compression.certificate import OneSignedCertificate
from lpnet.compression.output_layer import Action
from lpnet.exact import Form
from lpnet.networks import ReLUNetwork, SignNetwork

Verdict = Literal["exact", "nearest", "impossible", "undecided"]


@dataclass(frozen=True, eq=False)
class Compression:
    """Whether a sign network is a ReLU network with output weights of one sign.

    network: the question, None if it was asked in half-spaces; limit: the most ReLUs allowed, if any; action: what the output
    layer does.
    halfspaces: the needed units among those of `action`, exactly, behind a front of the network; inside a union
    K = {h_k ≤ 0} is where they answer −1, for an intersection where −h_k do.

    verdict: "exact": `relu_network` has the decisions of the sign network, up to `deviation`: if every needed half-space of
    either network is moved by at most this much, relative to its largest weight, the decisions are equal everywhere. This is
    proved in rationals; 0 means that they are equal as they stand.
    "impossible": no ReLU network with output weights of one sign (and at most `limit` units) has exactly the decisions of the
    weights as given, proved by `certificate` or by `bound`. Networks with both signs are not excluded.
    "nearest": `relu_network` is as for "exact" but for some points on the hyperplanes of the units `ties`, which the sign
    network takes for half-spaces without their boundary: there no ReLU network, of whatever signs, agrees (`output_layer`).
    "undecided": neither was found.
    reason: in a few words; bound: on the ReLUs of one-signed networks with the decisions of the half-spaces as given, or, where
    an "exact" answer moves them, as moved; complete: False where it was stopped; seconds: what it took.
    """

    network: SignNetwork | None
    limit: int | None
    action: Action
    halfspaces: tuple[Form, ...]
    verdict: Verdict
    reason: str
    relu_network: ReLUNetwork | None = None
    deviation: float | None = None
    certificate: OneSignedCertificate | None = None
    bound: LowerBound | None = None
    ties: tuple[int, ...] = ()
    complete: bool = True
    seconds: float = 0.0

    __repr__ = brief("relus")

    @property
    def inputs(self) -> int:
        """d."""
        return self.network.inputs if self.network else len(self.action.halfspaces[0]) - 1

    @property
    def union(self) -> bool:
        """Whether the output layer acts as OR."""
        return self.action.operation == "or"

    @property
    def relus(self) -> int | None:
        """n of the network found."""
        return self.relu_network.relus if self.relu_network else None

    @property
    def too_many(self) -> bool:
        """Whether the network found has more ReLUs than allowed."""
        return self.relus is not None and self.limit is not None and self.relus > self.limit

    @property
    def needed_units(self) -> int | None:
        """How many half-spaces are needed, where that is known."""
        return len(self.halfspaces) if self.halfspaces or self.relu_network else None
