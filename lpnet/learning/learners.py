"""The networks that are to learn: those of [PS16] Figure 4, and what lpnet adds."""

from dataclasses import dataclass

import numpy as np

from lpnet.equivalents import minimal_equivalent
from lpnet.exact import FloatArray
from lpnet.networks import ReLUNetwork, SignNetwork


@dataclass(frozen=True)
class Learner:
    """A network with one hidden layer.

    label: as in the chart; activation: see `lpnet.learning.training`; units: "relus" (n), "subsets" (2^n) or "needed", the
    number of threshold units that `minimal_equivalent` proves necessary; exact_start: whether it starts as the minimal
    threshold equivalent itself; trains_hidden: whether the hidden layer changes at all.
    """

    label: str
    activation: str
    units: str
    exact_start: bool = False
    trains_hidden: bool = True


LEARNERS = {
    "relu": Learner("n ReLUs", "relu", "relus"),
    "tanh_relus": Learner("n compressed tanh", "compressed_tanh", "relus"),
    "tanh_subsets": Learner("2ⁿ compressed tanh", "compressed_tanh", "subsets"),
    "tanh_needed": Learner("compressed tanh, as many as needed", "compressed_tanh", "needed"),
    "exact_start": Learner("compressed tanh, exact start", "compressed_tanh", "needed", exact_start=True),
    "straight_through": Learner("straight-through, as many as needed", "straight_through", "needed"),
    "random_subsets": Learner("2ⁿ compressed tanh, hidden layer as drawn", "compressed_tanh", "subsets", trains_hidden=False),
}
PAPER = ("relu", "tanh_relus", "tanh_subsets")


def hidden_units(learner: Learner, network: ReLUNetwork) -> int:
    """How many hidden units a learner has for a network."""
    if learner.units == "needed":
        return minimal_equivalent(network).units
    return network.relus if learner.units == "relus" else 1 << network.relus


def layers(network: SignNetwork) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """A sign network as the arrays that are trained: hidden weight (d, m) and bias (m,), output weight (m,) and bias ()."""
    return network.hidden_weight.T, network.hidden_bias, network.output_weight, np.asarray(network.output_bias)


def exact_equivalent(network: ReLUNetwork) -> SignNetwork:
    """The minimal threshold equivalent of a network with positive output weights: a disjunction, in two layers."""
    equivalent = minimal_equivalent(network).equivalent
    assert isinstance(equivalent, SignNetwork), "output weights are positive"
    return equivalent
