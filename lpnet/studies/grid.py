"""How many threshold units random networks need: the question that [PS16] leaves open after Theorem 2."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, ClassVar

import numpy as np

from lpnet.errors import InputError
from lpnet.networks import ReLUNetwork
from lpnet.studies.distributions import OUTPUT_BIASES, SIGNS, WEIGHTS, random_network
from lpnet.studies.study import MEASURED, MOST_RELUS, Row, combination, measured

AT_ONCE = 32  # networks; what a worker is given, and what a kill can cost


@dataclass(frozen=True)
class RandomStudy:
    """`trials` networks for every combination of the others.

    relus, inputs: n and d; signs, weights, bias, output_bias: see `lpnet.studies.distributions.random_network`; seed: of all;
    max_units: where counting a network stops. The networks of one combination are the same in every grid that has it: each
    has its own stream of random numbers, by (seed, the combination, trial).
    Raises InputError for a name that is none, numbers out of range, and an empty grid.
    """

    relus: tuple[int, ...] = (2, 3, 4, 5, 6, 7, 8, 9)
    inputs: tuple[int, ...] = (1, 2, 3, 4, 5)
    signs: tuple[str, ...] = ("positive", "half", "random")
    weights: tuple[str, ...] = ("gaussian",)
    bias: tuple[float, ...] = (1.0,)
    output_bias: tuple[str, ...] = ("negative",)
    trials: int = 40
    seed: int = 0
    max_units: int | None = None

    name: ClassVar[str] = "tightness"
    columns: ClassVar[dict[str, type]] = {
        "network": int,
        "relus": int,
        "inputs": int,
        "signs": str,
        "weights": str,
        "bias": float,
        "output_bias": str,
        "trial": int,
        **MEASURED,
    }

    def __post_init__(self) -> None:
        for what, known in (("signs", SIGNS), ("weights", WEIGHTS), ("output_bias", OUTPUT_BIASES)):
            if unknown := [name for name in getattr(self, what) if name not in known]:
                raise InputError(f"{what}: wanted some of {', '.join(known)}, got {unknown[0]!r}")
        if min(*self.relus, *self.inputs, self.trials, 1) < 1:
            raise InputError("relus, inputs, trials: wanted numbers from 1 on")
        if max(self.relus) > MOST_RELUS:
            raise InputError(f"relus: wanted at most {MOST_RELUS}, whose 2^n − 1 is a float, got {max(self.relus)}")
        if self.seed < 0 or not all(0 <= bias < np.inf for bias in self.bias):
            raise InputError("seed, bias: wanted finite numbers from 0 on")
        for what in ("relus", "inputs", "signs", "weights", "bias", "output_bias"):
            values = getattr(self, what)
            if not values or len(set(values)) < len(values):
                raise InputError(f"{what}: wanted at least one value, and each once, got {list(values)}")

    @property
    def size(self) -> int:
        """How many networks."""
        return prod(map(len, self._axes))

    @property
    def chunks(self) -> int:
        """How many chunks of `AT_ONCE` networks."""
        return -(-self.size // AT_ONCE)

    @property
    def _axes(self) -> tuple[Sequence[Any], ...]:
        return self.signs, self.weights, self.bias, self.output_bias, self.relus, self.inputs, range(self.trials)

    def network(self, number: int) -> tuple[ReLUNetwork, Row]:
        """Network `number` and the parameters that made it."""
        signs, weights, bias, output_bias, relus, inputs, trial = combination(self._axes, number)
        names = (list(SIGNS).index(signs), list(WEIGHTS).index(weights), list(OUTPUT_BIASES).index(output_bias))
        key = (relus, inputs, *names, int(np.float64(bias).view(np.uint64)), trial)
        random = np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=key))
        network = random_network(random, relus, inputs, signs, weights, bias, output_bias)
        row = {"network": number, "relus": relus, "inputs": inputs, "signs": signs, "weights": weights}
        return network, {**row, "bias": bias, "output_bias": output_bias, "trial": trial}

    def rows(self, chunk: int) -> list[Row]:
        """The rows of a chunk."""
        numbers = range(chunk * AT_ONCE, min(self.size, (chunk + 1) * AT_ONCE))
        return [row | measured(network, self.max_units) for network, row in map(self.network, numbers)]
