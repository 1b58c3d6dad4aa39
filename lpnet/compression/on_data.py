"""The fewest ReLUs that keep the answers of a network at given points, with a margin: an integer program."""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lpnet.brief import brief
from lpnet.equivalents.tree_circuits import threshold_network
from lpnet.errors import InputError, Stopped
from lpnet.exact import FloatArray
from lpnet.networks import ReLUNetwork, StepNetwork
from lpnet.networks.arrays import as_points
from lpnet.networks.classifier import Classifier
from lpnet.networks.question import Network as OneOutput
from lpnet.networks.trees import TreeEnsemble
from lpnet.programs.integer import fewest_groups
from lpnet.watch import Watch

Network = OneOutput | StepNetwork

MARGIN = 1e-3
SECONDS = 60.0  # without a time limit
AT_ONCE = 200  # points that are added, those with the least margin first
ALL = -1  # the group of the constant, which costs no ReLU


@dataclass(frozen=True, eq=False)
class OnData:
    """Few ReLUs with the answers of a network at all points.

    relu_network: w0 + Σ ω_k R(a_k), one hidden layer, each a_k of a unit of the first layer of the network, or affine (one unit
    that is active at all points); None where none was found. at_least: no fewer units of this kind do, with the margin, by
    the solver's word; margin: y f is at least this share of the most that any |ω_k R(a_k)| may be at a point;
    points: how many; seconds: what it took.
    """

    network: Network
    relu_network: ReLUNetwork | None
    at_least: int
    margin: float
    points: int
    complete: bool
    seconds: float

    __repr__ = brief("relus")

    @property
    def verdict(self) -> str:
        """Exact where the answers at all points are kept, undecided where none was found."""
        return "exact" if self.relu_network else "undecided"

    @property
    def reason(self) -> str:
        """In a few words."""
        if self.relus is None:
            return "none was found with this margin"
        return f"{self.relus} ReLUs keep {self.points} answers, at least {self.at_least} are needed with these bends"

    @property
    def relus(self) -> int | None:
        """n of the network found."""
        return self.relu_network.relus if self.relu_network else None


def fewest_on_data(
    network: Network | Classifier, points: FloatArray, margin: float = MARGIN, watch: Watch | None = None
) -> OnData:
    """The fewest ReLUs, of the hyperplanes of the network's first layer, that answer as it does at all points (N, d).

    f = w0 + g·x + Σ_k ω_k R(a_k), y_i f(x_i) ≥ margin, |ω_k R(a_k)| ≤ 1 at all points; g ≠ 0 costs a unit. Only the points with
    the least margins enter the integer program, until no other one has less. That the answers are kept is decided exactly.
    """
    started, watch = time.perf_counter(), watch or Watch()
    if isinstance(network, TreeEnsemble):
        network = threshold_network(network, None, watch)
    if isinstance(network, Classifier):
        raise InputError(f"data: wanted a network with one output, got {len(network.scores)}; say which two to compare")
    points = as_points(points, network.inputs)
    if not 0 < margin < 1:
        raise InputError(f"margin: wanted a number between 0 and 1, got {margin}")
    answers = network(points).astype(float)
    features, groups, size = columns(network, points)
    rows = answers[:, None] * features / size
    chosen = np.zeros(len(points), dtype=bool)
    chosen[:: max(1, len(points) // AT_ONCE)] = True
    found: ReLUNetwork | None = None
    bound, complete = 0, True
    try:
        while True:
            watch.check(0.5, int(chosen.sum()))
            weights, least = fewest_groups(rows[chosen], groups, 1 / margin, min(SECONDS, watch.left))
            bound = max(bound, math.ceil(least - 1e-6)) if math.isfinite(least) else bound
            if weights is None:
                break
            short = rows @ weights
            worst = np.argsort(short)[:AT_ONCE]
            worst = worst[(short[worst] < 1 - 1e-6) & ~chosen[worst]]
            if len(worst) == 0:
                found = made(network, weights / size, groups, points)
                break
            chosen[worst] = True
    except Stopped:
        complete = False
    if found is not None and not bool((found(points) == answers).all()):
        found = None
    return OnData(network, found, bound, margin, len(points), complete, time.perf_counter() - started)


def columns(network: Network, points: FloatArray) -> tuple[FloatArray, list[int], FloatArray]:
    """What f is a combination of, at the points; the group of each column, a ReLU each; and how large each is at most."""
    weight, bias = network.input_layer.floats
    values = points @ weight.T + bias
    bends = np.flatnonzero((values > 0).any(axis=0) & (values < 0).any(axis=0))
    features = np.column_stack([np.ones(len(points)), points, np.maximum(values[:, bends], 0)])
    groups = [ALL, *[len(weight)] * network.inputs, *map(int, bends)]
    size = np.abs(features).max(axis=0)
    return features, groups, np.where(size > 0, size, 1.0)


def made(network: Network, weights: FloatArray, groups: Sequence[int], points: FloatArray) -> ReLUNetwork:
    """The network of these weights: a unit a group."""
    weight, bias = network.input_layer.floats
    gradient, constant = weights[1 : network.inputs + 1], weights[0]
    bends = [(k, w) for k, w in zip(groups[network.inputs + 1 :], weights[network.inputs + 1 :], strict=True) if w]
    rows: list[FloatArray] = [weight[k] for k, _ in bends]
    biases, outputs = [bias[k] for k, _ in bends], [w for _, w in bends]
    if gradient.any():
        lowest = float(np.ceil(-(points @ gradient).min())) + 1.0
        rows, biases, outputs, constant = [*rows, gradient], [*biases, lowest], [*outputs, 1.0], constant - lowest
    hidden: NDArray[np.float64] = np.array(rows).reshape(-1, network.inputs)
    return ReLUNetwork(hidden, np.array(biases), np.array(outputs), float(constant))
