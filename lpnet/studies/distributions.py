"""Random ReLU networks f = w0 + Σ w_k R(u_k·x + b_k): what a study draws them from.

Every name below is part of a network's seed by its place in its table: add new ones at the end.
"""

from collections.abc import Callable

import numpy as np

from lpnet.exact import FloatArray
from lpnet.networks import ReLUNetwork

Random = np.random.Generator
LARGEST = 3  # of the integers
POINTS = 101  # at which a balanced network is as often positive as negative; odd, for a median that is attained


def gaussian(random: Random, relus: int, inputs: int) -> FloatArray:
    """Every weight N(0, 1)."""
    return random.normal(size=(relus, inputs))


def sphere(random: Random, relus: int, inputs: int) -> FloatArray:
    """u_k uniform on the unit sphere."""
    rows = random.normal(size=(relus, inputs))
    return rows / np.sqrt((rows**2).sum(axis=1, keepdims=True))


def sparse(random: Random, relus: int, inputs: int) -> FloatArray:
    """N(0, 1), every weight 0 with probability ½, but for one of each unit."""
    kept = random.random((relus, inputs)) < 0.5
    kept[np.arange(relus), random.integers(inputs, size=relus)] = True
    return random.normal(size=(relus, inputs)) * kept


def integer(random: Random, relus: int, inputs: int) -> FloatArray:
    """Whole numbers from −3 to 3; a row of zeros becomes (1, 0, …). The biases are rounded."""
    rows = random.integers(-LARGEST, LARGEST + 1, size=(relus, inputs)).astype(np.float64)
    rows[~rows.any(axis=1), 0] = 1.0
    return rows


def he(random: Random, relus: int, inputs: int) -> FloatArray:
    """N(0, 2/d), and N(0, 2/n) for the output weights: networks before training (He et al. 2015; they take b = 0, w0 = 0)."""
    return random.normal(size=(relus, inputs)) * np.sqrt(2 / inputs)


def correlated(random: Random, relus: int, inputs: int) -> FloatArray:
    """N(0, 1), with correlation ½ between the units: (c + g_k) / √2 with one c for all."""
    return (random.normal(size=inputs) + random.normal(size=(relus, inputs))) / np.sqrt(2)


def half(random: Random, relus: int) -> FloatArray:
    """n1 = ⌈n/2⌉ positive units."""
    return np.where(np.arange(relus) < (relus + 1) // 2, 1.0, -1.0)


WEIGHTS: dict[str, Callable[[Random, int, int], FloatArray]] = {
    "gaussian": gaussian,
    "sphere": sphere,
    "sparse": sparse,
    "integer": integer,
    "he": he,
    "correlated": correlated,
}
SIGNS: dict[str, Callable[[Random, int], FloatArray]] = {
    "positive": lambda random, relus: np.ones(relus),
    "half": half,
    "random": lambda random, relus: random.choice([-1.0, 1.0], size=relus),
}
OUTPUT_BIASES: dict[str, Callable[[Random, ReLUNetwork], float]] = {
    "negative": lambda random, network: -1.0,
    "zero": lambda random, network: 0.0,
    "gaussian": lambda random, network: float(random.normal()),
    "balanced": lambda random, network: -float(np.median(network.score(random.normal(size=(POINTS, network.inputs))))),
}


def random_network(
    random: Random, relus: int, inputs: int, signs: str, weights: str, bias: float, output_bias: str
) -> ReLUNetwork:
    """A network of n units on d inputs.

    signs: of the w_k, whose sizes are 1 (they may be moved into the hidden layer), but for "he"; weights: of the u_k;
    bias: the deviation of the Gaussian b_k; output_bias: w0 = −1, 0, N(0, 1), or such that both answers are equally frequent
    for Gaussian inputs.
    """
    hidden = WEIGHTS[weights](random, relus, inputs)
    hidden_bias = bias * random.normal(size=relus)
    if weights == "integer":
        hidden_bias = np.round(hidden_bias)
    output = SIGNS[signs](random, relus)
    if weights == "he":
        output *= np.abs(he(random, 1, relus)[0])
    without = ReLUNetwork(hidden, hidden_bias, output, 0.0)
    return ReLUNetwork(hidden, hidden_bias, output, OUTPUT_BIASES[output_bias](random, without))
