"""Networks of ReLUs and steps in any mixture, of any depth: gates that jump."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lpnet.brief import brief
from lpnet.errors import InputError
from lpnet.exact import SMALLEST_NORMAL, FloatArray, Numbers, fraction, fractions, point, rounding, shortened, sign
from lpnet.networks.affine import AffineMap, Layer
from lpnet.networks.arrays import as_points, describe, full
from lpnet.networks.batches import or_single
from lpnet.networks.circuit import SignCircuit
from lpnet.networks.named import Named
from lpnet.networks.relu import ReLUNetwork
from lpnet.networks.sign import SignNetwork
from lpnet.networks.step_form import RELU, STEP, STRICT, StepForm, step_form

SIGN, STRICT_SIGN = "sign", "strict_sign"  # +1 where z ≥ 0 (z > 0), else −1
GATES = (RELU, STEP, STRICT, SIGN, STRICT_SIGN)
OF_SIGNS = {SIGN: STEP, STRICT_SIGN: STRICT}  # ±1 as 2 · (0 or 1) − 1


@dataclass(frozen=True, eq=False)
class StepNetwork(Named):
    """y = +1 where f(x) ≥ 0, else −1, of a network whose hidden units are ReLUs or steps in any mixture.

    body: the weights, as if all units were ReLUs (`ReLUNetwork`: a front, hidden layers, each of which reads z and all units
    before it, an output); gates: what unit k makes of its sum z, of all layers in order:
    "relu": max(0, z); "step": 1 where z ≥ 0, else 0; "sign": +1 where z ≥ 0, else −1; "strict_step", "strict_sign": likewise
    with z > 0. A single name is that of all units; or there is an entry for each layer, a name or names of its units.
    Raises InputError for an unknown gate or a wrong number of them.
    """

    body: ReLUNetwork
    gates: Any

    __repr__ = brief("inputs", "units")

    def __post_init__(self) -> None:
        if not isinstance(self.body, ReLUNetwork):
            raise InputError(f"body: wanted a ReLUNetwork, got {describe(self.body)}")
        gates = [self.gates] * len(self.widths) if isinstance(self.gates, str) else list(self.gates)
        if len(gates) == len(self.widths) != self.units or not all(isinstance(gate, str) for gate in gates):
            gates = of_units(gates, self.widths)
        if unknown := [gate for gate in gates if gate not in GATES]:
            raise InputError(f"gates: wanted {', '.join(GATES)}, got {describe(unknown[0])}")
        if len(gates) != self.units:
            raise InputError(f"gates: wanted one for each of the {self.units} units, got {len(gates)}")
        object.__setattr__(self, "gates", tuple(gates))

    @classmethod
    def of_layers(
        cls, layers: Sequence[tuple[Any, Any]], gates: Iterable[str | Sequence[str]], front: AffineMap | None = None
    ) -> "StepNetwork":
        """The network of dense layers as in `ReLUNetwork.of_layers`; gates: for each hidden layer a name, or one a unit."""
        body = ReLUNetwork.of_layers(layers, front)
        return cls(body, tuple(of_units(list(gates), body.widths)))

    @property
    def inputs(self) -> int:
        """d, the number of inputs."""
        return self.body.inputs

    @property
    def front(self) -> AffineMap | None:
        """The map from the inputs to what the first layer reads."""
        return self.body.front

    @property
    def input_layer(self) -> Layer:
        """The first layer as one of the inputs themselves, exactly."""
        return self.body.input_layer

    @property
    def units(self) -> int:
        """The number of hidden units, of all layers."""
        return self.body.relus

    @property
    def widths(self) -> tuple[int, ...]:
        """The numbers of units of the hidden layers."""
        return self.body.widths

    @property
    def steps(self) -> int:
        """How many of the hidden units are steps."""
        return sum(gate != RELU for gate in self.gates)

    def behind(self, back: Layer | None) -> "StepNetwork":
        """The network of y, z = back(y), without a front; None for z = y."""
        return replace(self, body=self.body.behind(back))

    @cached_property
    def layers(self) -> tuple[Layer, ...]:
        """The layers as those of units that are 0 or 1, or ReLUs: each reads the inputs and all units before it."""
        made = []
        for layer in self.body.layers:
            read = np.array([False] * self.inputs + [gate in OF_SIGNS for gate in self.gates])[: layer.weight.shape[1]]
            made.append(doubled(layer, read) if layer.weight[:, read].any() else layer)
        return tuple(made)

    @cached_property
    def exact_form(self) -> StepForm:
        """The network in integers, the output as one more step."""
        gates = (OF_SIGNS.get(gate, gate) for gate in self.gates)
        return step_form([layer.rows for layer in self.layers], (*gates, STEP), self.inputs)

    @or_single
    def __call__(self, points: Any) -> NDArray[np.int8]:
        """y ∈ {−1, +1}; (batch, d) → (batch,), and for a single point (d,) → ().

        Never wrong by rounding: what the floating-point error bounds leave in doubt is settled in integers.
        """
        points = as_points(points, self.inputs)
        score, doubtful, *_ = self._followed(points)
        answer = np.where(score >= 0, 1, -1).astype(np.int8)
        for row in np.flatnonzero(doubtful):
            answer[row] = self.exact_form.sign_at(point(points[row]))
        return answer

    def activation_pattern(self, points: Any) -> NDArray[np.bool_]:
        """Which units are active, z_k(x) > 0 or, of steps that are not strict, ≥ 0, exactly; (batch, d) → (batch, units)."""
        points = as_points(points, self.inputs)
        *_, active, doubtful = self._followed(points)
        form = self.exact_form
        for row in np.flatnonzero(doubtful):
            values = form.units_at(point(points[row]))[:-1]
            active[row] = [form.active(k, sign(z)) for k, z in enumerate(values)]
        return active

    def _followed(self, points: FloatArray) -> tuple[FloatArray, NDArray[np.bool_], NDArray[np.bool_], NDArray[np.bool_]]:
        """f(x) in floating point, and where some step, or f itself, is nearer to 0 than it may be wrong; (batch,) each.

        Which units are active, (batch, units), and where one of them, or a step before it, is so near to 0, (batch,).
        The bounds are those of `ReLUNetwork`; what a step gives out is exact again.
        """
        read, sizes, operations, start = points, np.abs(points), 0, 0
        doubtful = np.zeros(len(points), dtype=bool)
        patterns, unsure = [np.zeros((len(points), 0), dtype=bool)], doubtful.copy()
        closed = np.array([gate not in (RELU, STRICT) and OF_SIGNS.get(gate) != STRICT for gate in self.gates])
        steps = np.array([gate != RELU for gate in self.gates], dtype=bool)
        with np.errstate(over="ignore", invalid="ignore", under="ignore"):
            for layer in self.layers:
                weight, bias = layer.floats
                values = read @ weight.T + bias
                size = sizes @ layer.reach[0].T + layer.reach[1] + SMALLEST_NORMAL
                operations += weight.shape[1] + 6
                near = ~(np.abs(values) > rounding(operations, size))
                own = slice(start, start + len(bias))
                if own.start == self.units:
                    return values[:, 0], doubtful | near[:, 0], np.hstack(patterns), unsure
                jumps = steps[own]
                doubtful |= near[:, jumps].any(axis=1)
                unsure |= near.any(axis=1)
                active = np.where(closed[own], values >= 0, values > 0)
                patterns.append(active)
                read = np.hstack([read, np.where(jumps, active, np.maximum(values, 0))])
                sizes = np.hstack([sizes, np.where(jumps, 1.0, size)])
                start = own.stop
        raise AssertionError  # the last layer has no hidden unit


def of_units(gates: Sequence[Any], widths: Sequence[int]) -> list[str]:
    """The gates of all units, given for each layer as one name, or as names of its units; InputError where they do not fit."""
    if len(gates) != len(widths):
        raise InputError(f"gates: wanted an entry for each of the {len(widths)} hidden layers, got {len(gates)}")
    named = [[own] * size if isinstance(own, str) else own for own, size in zip(gates, widths, strict=True)]
    for number, (own, size) in enumerate(zip(named, widths, strict=True), 1):
        if not isinstance(own, list | tuple) or len(own) != size:
            raise InputError(f"gates: wanted a name, or {size} of them, for layer {number}, got {describe(own)}")
    return [gate for own in named for gate in own]


def doubled(layer: Layer, read: NDArray[np.bool_]) -> Layer:
    """A layer that reads some units as ±1, as one that reads them as 0 and 1: w (2g − 1) = 2w g − w."""
    rows = fractions(list(map(fraction, layer.weight.flat)), layer.weight.shape)
    bias = [fraction(b) - sum(row[read]) for b, row in zip(layer.bias, rows, strict=True)]
    return Layer(shortened(np.where(read, 2 * rows, rows)), shortened(fractions(bias, (-1,))))


def as_steps(network: ReLUNetwork | SignNetwork | SignCircuit | StepNetwork) -> StepNetwork:
    """Any network of one output as a network of ReLUs and steps: a sign network or a circuit is one of two or three layers."""
    if isinstance(network, StepNetwork):
        return network
    if isinstance(network, ReLUNetwork):
        return StepNetwork(network, (RELU,) * network.relus)
    hidden = (network.hidden_weight, network.hidden_bias)
    middle = [(full(network.middle_weight), network.middle_bias)] if isinstance(network, SignCircuit) else []
    output: tuple[Numbers, Any] = (network.output_weight, network.output_bias)
    return StepNetwork.of_layers([hidden, *middle, output], [SIGN] * (1 + len(middle)), network.front)
