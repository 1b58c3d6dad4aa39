"""Random networks and the points that they label ([PS16] section 5.1)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lpnet.exact import FloatArray
from lpnet.learning.configuration import Configuration
from lpnet.networks import ReLUNetwork


@dataclass(frozen=True)
class Setting:
    """A group of bars of Figure 4 and the number of one of its networks, 0, 1, …"""

    inputs: int
    relus: int
    network: int


@dataclass(frozen=True, eq=False)
class Problem:
    """What is to be learned: a ReLU network, points (count, d), exact in float32, and their labels ±1; the last ones test."""

    network: ReLUNetwork
    points: FloatArray
    labels: NDArray[np.int8]
    test_points: int

    @property
    def train(self) -> slice:
        """The rows to learn from."""
        return slice(0, len(self.points) - self.test_points)

    @property
    def test(self) -> slice:
        """The rows kept for test."""
        return slice(len(self.points) - self.test_points, None)


def make_problem(configuration: Configuration, setting: Setting) -> Problem:
    """A random network with positive output weights and its points; see `Configuration` for the distributions.

    w0 is minus the median of Σ R(a_k), so that half of all points, test points included, are labelled +1.
    """
    rng = np.random.default_rng([configuration.seed, setting.inputs, setting.relus, setting.network])
    weight = rng.normal(size=(setting.relus, setting.inputs)) / np.sqrt(setting.inputs)
    bias = rng.normal(size=setting.relus)
    points = rng.normal(size=(configuration.points, setting.inputs)).astype(np.float32).astype(np.float64)
    unshifted = ReLUNetwork(weight, bias, np.ones(setting.relus), 0.0)
    network = ReLUNetwork(weight, bias, np.ones(setting.relus), -float(np.median(unshifted.score(points))))
    return Problem(network, points, network(points), configuration.test_points)
