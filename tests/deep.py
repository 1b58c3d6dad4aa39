"""Networks of several hidden layers for the tests."""

from itertools import pairwise
from typing import Any

import numpy as np

from lpnet.networks import ReLUNetwork
from lpnet.networks.affine import AffineMap, Layer


def chain(rng: np.random.Generator, inputs: int, *widths: int, w0: float | None = None) -> ReLUNetwork:
    """Gaussian weights, each layer reading the one before."""
    sizes = [inputs, *widths, 1]
    layers = [(rng.normal(size=(m, n)), 0.5 * rng.normal(size=m)) for n, m in pairwise(sizes)]
    weight, bias = layers.pop()
    return ReLUNetwork.of_layers([*layers, (weight, bias[0] if w0 is None else w0)])


def tangled(rng: np.random.Generator, inputs: int, *widths: int, front: AffineMap | None = None) -> ReLUNetwork:
    """Small whole weights, each layer and the output reading all before it, with many zeros."""

    def whole(*shape: int) -> Any:
        return rng.integers(-2, 3, shape) * (rng.random(shape) < 0.6)

    first, *others = widths
    deeper, read = [], inputs + first
    for width in others:
        deeper.append(Layer(whole(width, read), whole(width)))
        read += width
    skip = whole(inputs)
    return ReLUNetwork(whole(first, inputs), whole(first), whole(read - inputs), -1.0, front, tuple(deeper), skip)


def tent(levels: int, *scales: float, w0: float) -> ReLUNetwork:
    """Σ_i α_i T^L(x_i) − w0 with T(x) = 2R(x) − 4R(x − ½) on [0, 1], in L layers of 2 d ReLUs."""
    d = len(scales)
    bias = np.tile([0.0, -0.5], d)
    first = np.repeat(np.eye(d), 2, axis=0)
    fold = np.repeat(np.kron(np.eye(d), [[2.0, -4.0]]), 2, axis=0)
    output = np.concatenate([[2.0 * a, -4.0 * a] for a in scales])
    return ReLUNetwork.of_layers([(first, bias), *[(fold, bias)] * (levels - 1), (output, -w0)])
