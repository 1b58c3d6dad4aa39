"""[PS16] Theorem 1, executable: a ReLU network as a disjunction of conjunctions, and as a conjunction of disjunctions.

For the general form (Eq. 3) with positive units P and negative units N, c_{S1,S2} = w0 + Σ_{S1} a_k − Σ_{S2} a_k and
B_{S1,S2}(x) = [c_{S1,S2}(x) ≥ 0], these are equivalent for every x:
1. the network answers +1;
2. there is S1 ⊆ P such that for all S2 ⊆ N, B_{S1,S2}(x);
3. for all S2 ⊆ N there is S1 ⊆ P such that B_{S1,S2}(x).

Subsets are counted as the columns of the paper's binary encoding matrix T_n: the first unit is the highest bit.
The Boolean functions and conditions are exact; the coefficients of c_{S1,S2} in `subset_forms` and the circuits are
sums rounded to float64. All of it is about one hidden layer: InputError for more.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lpnet.errors import InputError, SizeError
from lpnet.exact import SMALLEST_NORMAL, FloatArray, point, reach, rounding, value
from lpnet.networks import ReLUNetwork, SignCircuit, SignNetwork
from lpnet.networks.arrays import as_points

MEMORY = 4 << 30


@dataclass(frozen=True)
class Conditions:
    """The three conditions of Theorem 1 at a batch of points, each (batch,) of Booleans."""

    network_positive: NDArray[np.bool_]
    exists_forall: NDArray[np.bool_]
    forall_exists: NDArray[np.bool_]


def binary_encoding(units: int) -> FloatArray:
    """T_n of [PS16] section 3.3, shape (n, 2^n): column i is the number i in binary, highest bit first."""
    return ((np.arange(1 << units) >> np.arange(units)[::-1, None]) & 1).astype(np.float64)


def subset_forms(network: ReLUNetwork, memory: int = MEMORY) -> tuple[FloatArray, FloatArray]:
    """All c_{S1,S2}: weights (2^n1, 2^n2, d) and biases (2^n1, 2^n2).

    Raises SizeError, before anything is allocated, where they would need more than `memory` bytes.
    """
    _refuse_beyond(memory, _units(network), network.inputs + 1)
    general = network.general_form()
    positive, negative = general.positive, general.negative
    forms = np.column_stack([general.hidden_weight, general.hidden_bias])
    over_positive = binary_encoding(len(positive)).T @ forms[positive]
    over_negative = binary_encoding(len(negative)).T @ forms[negative]
    c = over_positive[:, None] - over_negative[None]
    c[:, :, -1] += general.output_bias
    return c[:, :, :-1], c[:, :, -1]


def boolean_functions(network: ReLUNetwork, points: Any, memory: int = MEMORY) -> NDArray[np.bool_]:
    """B_{S1,S2}(x) of Eq. (6); (batch, d) → (batch, 2^n1, 2^n2). Raises SizeError as `subset_forms`.

    Exact: where rounding leaves the sign of c_{S1,S2}(x) in doubt, it is computed in integers.
    """
    points = as_points(points, network.inputs)
    units = _units(network)
    _refuse_beyond(memory, units, 4 * len(points))
    weight, bias = subset_forms(network, memory)
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        values = (points @ weight.reshape(-1, network.inputs).T + bias.ravel()).reshape(-1, *bias.shape)
        size = np.abs(points) @ network.input_layer.reach[0].T + network.input_layer.reach[1] + SMALLEST_NORMAL
        magnitude = size @ reach(network.output_weight) + abs(float(network.output_bias))
        doubtful = ~(np.abs(values) > rounding(network.inputs + units + 8, magnitude)[:, None, None])
    holds = values >= 0
    form, subsets = network.exact_form, _patterns(network)
    for row, i, j in np.argwhere(doubtful):
        holds[row, i, j] = value(form.on_cell(subsets[i, j]), point(points[row])) >= 0
    return holds


def _patterns(network: ReLUNetwork) -> NDArray[np.bool_]:
    """Which units with w_k ≠ 0 are in S1 ∪ S2, (2^n1, 2^n2, n1 + n2)."""
    signs = np.where(network.output_weight[network.output_weight != 0] > 0, 1, -1)
    over_positive, over_negative = (binary_encoding(int((signs == s).sum())).T > 0 for s in (1, -1))
    patterns = np.zeros((len(over_positive), len(over_negative), len(signs)), dtype=bool)
    patterns[:, :, signs > 0] = over_positive[:, None]
    patterns[:, :, signs < 0] = over_negative[None]
    return patterns


def conditions(network: ReLUNetwork, points: Any, memory: int = MEMORY) -> Conditions:
    """The three equivalent conditions; points (batch, d). Raises SizeError as `subset_forms`."""
    holds = boolean_functions(network, points, memory)
    return Conditions(network(points) > 0, np.any(holds.all(axis=2), axis=1), np.all(holds.any(axis=1), axis=1))


def dnf(network: ReLUNetwork, memory: int = MEMORY) -> SignCircuit:
    """Condition 2 as a circuit: 2^(n1+n2) threshold units, a conjunction for every S1, one disjunction (Figure 3)."""
    weight, bias, groups = _first_layer(network, memory, terms=len(network.positive))
    return SignCircuit.dnf(weight, bias, groups)


def cnf(network: ReLUNetwork, memory: int = MEMORY) -> SignCircuit:
    """Condition 3 as a circuit: 2^(n1+n2) threshold units, a disjunction for every S2, one conjunction."""
    weight, bias, groups = _first_layer(network, memory, terms=len(network.negative))
    return SignCircuit.cnf(weight, bias, groups.T)


def two_layers(network: ReLUNetwork, memory: int = MEMORY) -> SignNetwork:
    """The corollary for one-signed networks: 2^n threshold units in a pure disjunction (N empty) or conjunction (P empty).

    Raises InputError for a network with units of both signs.
    """
    units, positive = _units(network), len(network.positive)
    negative = units - positive
    if positive and negative:
        raise InputError(
            f"two layers need output weights of one sign, got {positive} positive and {negative} negative; use dnf"
        )
    weight, bias = subset_forms(network, memory)
    layer = SignNetwork.conjunction if negative else SignNetwork.disjunction
    return layer(weight.reshape(-1, network.inputs), bias.ravel())


def _first_layer(network: ReLUNetwork, memory: int, terms: int) -> tuple[FloatArray, FloatArray, NDArray[np.intp]]:
    """The 2^n threshold units, and their numbers as a table (2^n1, 2^n2); the second layer counts into the memory."""
    _refuse_beyond(memory, _units(network), network.inputs + 1 + (1 << terms))
    weight, bias = subset_forms(network, memory)
    return weight.reshape(-1, network.inputs), bias.ravel(), np.arange(bias.size).reshape(bias.shape)


def _units(network: ReLUNetwork) -> int:
    """n1 + n2, the units with w_k ≠ 0; InputError for several hidden layers."""
    network.check_one_layer("Theorem 1's expansion")
    return len(network.positive) + len(network.negative)


def _refuse_beyond(memory: int, units: int, floats_each: int) -> None:
    """SizeError where 2^units times `floats_each` floats would need more than `memory` bytes."""
    needed = (8 * floats_each) << units
    if needed > memory:
        count = f"2^{units}" + (f" = {1 << units}" if units <= 64 else "")
        size = f"{needed}" if units <= 64 else f"{8 * floats_each}·2^{units}"
        raise SizeError(
            f"Theorem 1's expansion of {units} ReLUs has {count} threshold units and needs {size} bytes, "
            f"more than the {memory} allowed; ask for the minimal equivalent instead"
        )
