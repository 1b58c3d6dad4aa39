"""Deep networks for the tests, as exact units (see `oracle.Units`): golden, by hand, iterated tents, at random.

Golden are the networks of `deep/`: float32, and `golden.json`: their numbers of cells, of cells in whose
interior f changes sign, and of distinct half-spaces, on R^d and on the box [−1, 1]^d, as several programs counted them (an
enumerator in long double, one in rationals, relucent 1.0 and affinitree, wherever these finish; its remarks say which).
"""

import json
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from cases import quantised
from hypothesis import strategies as st
from numpy.typing import NDArray
from oracle import Units, Vector, exact_units, exact_value

from lpnet import ReLUNetwork
from lpnet.networks.affine import Layer

Quantity = NDArray[Any]  # exact coefficients of x_1, …, x_d, 1 and the units' outputs
FOLDER = Path(__file__).parent / "deep"
HALF = Fraction(1, 2)


class Sketch:
    """Units as they are put down one after another, up to `most`; other gates are made of them and of links past them."""

    def __init__(self, inputs: int, most: int = 32) -> None:
        basis = np.array([[Fraction(int(i == j)) for j in range(inputs + 1 + most)] for i in range(inputs + 1 + most)])
        self.inputs, self.rows = inputs, list[Quantity]()
        self.x, self.one, self.outputs = list(basis[:inputs]), basis[inputs], list(basis[inputs + 1 :])

    def relu(self, z: Quantity) -> Quantity:
        """R(z): one more unit."""
        self.rows.append(z)
        return self.outputs[len(self.rows) - 1]

    def leaky(self, z: Quantity, slope: Fraction) -> Quantity:
        """z for z ≥ 0, slope·z below."""
        return slope * z + (1 - slope) * self.relu(z)

    def absolute(self, z: Quantity) -> Quantity:
        """|z| = 2 R(z) − z."""
        return 2 * self.relu(z) - z

    def clip(self, z: Quantity, lower: Fraction | int, upper: Fraction | int) -> Quantity:
        """min(max(z, lower), upper), the difference of two ReLUs."""
        return lower * self.one + self.relu(z - lower * self.one) - self.relu(z - upper * self.one)

    def maximum(self, p: Quantity, q: Quantity) -> Quantity:
        """max(p, q) = q + R(p − q)."""
        return q + self.relu(p - q)

    def minimum(self, p: Quantity, q: Quantity) -> Quantity:
        """min(p, q) = p − R(p − q)."""
        return p - self.relu(p - q)

    def units(self, f: Quantity) -> Units:
        """The network whose output is f."""
        rows = [row[: self.inputs + 1 + k].tolist() for k, row in enumerate([*self.rows, f])]
        return Units(self.inputs, rows[:-1], rows[-1])


def of_layers(*layers: tuple[Any, Any]) -> Units:
    """A plain sequence of dense layers (weight, bias), the last one f; ReLUs between them."""
    sketch = Sketch(np.shape(layers[0][0])[1], sum(len(bias) for _, bias in layers))
    known = sketch.x
    for number, (weight, bias) in enumerate(layers, 1):
        sums = [total(row, known) + exact(b) * sketch.one for row, b in zip(weight, bias, strict=True)]
        known = [sketch.relu(z) for z in sums] if number < len(layers) else sums
    return sketch.units(known[0])


def exact(number: Any) -> Fraction:
    """The number, whatever its type."""
    return Fraction(number.item() if isinstance(number, np.generic) else number)


def total(weights: Sequence[Any], quantities: Sequence[Quantity]) -> Quantity:
    """The weighted sum."""
    return sum(exact(w) * q for w, q in zip(weights, quantities, strict=True))


def relu_network(units: Units) -> ReLUNetwork:
    """The network level by level, a unit's level the longest way to it from the inputs."""
    d, level = units.inputs, list[int]()
    for row in units.rows:
        level.append(1 + max((level[j] for j, c in enumerate(row[d + 1 :]) if c), default=0))
    layers, order = list[tuple[Any, Any]](), list[int]()
    for number in sorted(set(level)):
        own = [k for k, at in enumerate(level) if at == number]
        rows = [units.rows[k] + [Fraction(0)] * len(level) for k in own]
        weight = [[*row[:d], *(row[d + 1 + j] for j in order)] for row in rows]
        layers.append((np.array(weight, dtype=object), np.array([row[d] for row in rows], dtype=object)))
        order += own
    output = np.array([units.output[d + 1 + j] for j in order], dtype=object)
    skip, deeper = np.array(units.output[:d], dtype=object), tuple(Layer(*layer) for layer in layers[1:])
    first = layers[0] if layers else (np.zeros((0, d)), np.zeros(0))
    return ReLUNetwork(*first, output, units.output[d], deeper=deeper, skip=skip)


# --- golden


def golden() -> dict[str, dict[str, Any]]:
    """The counts of `golden.json`, by name."""
    return json.loads((FOLDER / "golden.json").read_text())


def golden_layers(name: str) -> list[tuple[Any, Any]]:
    """The dense layers of a golden network, in float32."""
    with np.load(FOLDER / f"{name}.npz") as arrays:
        return [(arrays[f"W{i}"], arrays[f"b{i}"]) for i in range(len(arrays.files) // 2)]


# --- by hand


class DeepCase(NamedTuple):
    """A network, the half-spaces it needs, how many cells carry a piece, and whether {f ≥ 0} is the closure of its interior."""

    name: str
    units: Units
    halfspaces: set[Vector]
    pieces: int
    constant: int | None = None
    regular: bool = True


def by_hand() -> list[DeepCase]:
    """Every gate, links past levels, and what is degenerate at depth only."""
    return [*gates(), *on_kinks(), *constant(), *spare_units()]


def case(name: str, inputs: int, f: Callable[..., Quantity], *answer: Any, **more: Any) -> DeepCase:
    """A case from f(sketch, x_1, …, x_d)."""
    sketch = Sketch(inputs)
    return DeepCase(name, sketch.units(f(sketch, *sketch.x)), *answer, **more)


def gates() -> list[DeepCase]:
    """Leaky, abs, clip, max and min, one after another."""
    four = {(1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0)}
    return [
        case("max(x, y) - 1", 2, lambda s, x, y: s.maximum(x, y) - s.one, {(1, 0, -1), (0, 1, -1)}, 2),
        case("max(min(x, y), min(-x, -y))", 2, lambda s, x, y: s.maximum(s.minimum(x, y), s.minimum(-x, -y)), four, 4),
        case(
            "max of four, pairwise, - 1",
            2,
            lambda s, x, y: s.maximum(s.maximum(x, -x), s.maximum(y, -y)) - s.one,
            {(1, 0, -1), (-1, 0, -1), (0, 1, -1), (0, -1, -1)},
            8,
        ),
        case(
            "||x| - 1| - 1/2",
            1,
            lambda s, x: s.absolute(s.absolute(x) - s.one) - HALF * s.one,
            {(-2, -3), (2, 1), (-2, 1), (2, -3)},
            4,
        ),
        case("leaky(leaky(x) + 1) + x", 1, lambda s, x: s.leaky(s.leaky(x, HALF) + s.one, HALF) + x, {(3, 2)}, 1),
        case("y + R(R(x) - 1) - 1", 2, lambda s, x, y: y + s.relu(s.relu(x) - s.one) - s.one, {(0, 1, -1), (1, 1, -2)}, 3),
    ]


def on_kinks() -> list[DeepCase]:
    """Pieces between two cells, f ≡ 0 beyond."""
    return [
        case(
            "clip(x) + clip(y) - 1",
            2,
            lambda s, x, y: s.clip(x, 0, 1) + s.clip(y, 0, 1) - s.one,
            {(1, 1, -1), (1, 0, -1), (0, 1, -1)},
            3,
        ),
        case(
            "-R(R(x) + R(y) - 1)",
            2,
            lambda s, x, y: -s.relu(s.relu(x) + s.relu(y) - s.one),
            {(-1, -1, 1), (-1, 0, 1), (0, -1, 1)},
            3,
        ),
        case("x - R(x) + R(R(x) - 1)", 1, lambda s, x: x - s.relu(x) + s.relu(s.relu(x) - s.one), {(1, 0)}, 1),
    ]


def constant() -> list[DeepCase]:
    """No half-space at all."""
    return [
        case("R(R(x) + R(y) - 1)", 2, lambda s, x, y: s.relu(s.relu(x) + s.relu(y) - s.one), set(), 0, 1),
        case("-||x| - 1|", 1, lambda s, x: -s.absolute(s.absolute(x) - s.one), set(), 0, -1, False),
        case("-|max(x, y)|", 2, lambda s, x, y: -s.absolute(s.maximum(x, y)), set(), 0, -1, False),
        case("R(R(x)) - R(x)", 1, lambda s, x: s.relu(s.relu(x)) - s.relu(x), set(), 0, 1),
        case("R(-R(x) - 1) - 1", 1, lambda s, x: s.relu(-s.relu(x) - s.one) - s.one, set(), 0, -1),
        case("-R(-R(-x))", 1, lambda s, x: -s.relu(-s.relu(-x)), set(), 0, 1),
    ]


def spare_units() -> list[DeepCase]:
    """Dead and repeated units, and such as are 0 on a cell: pieces are counted by the cells of all units given."""
    return [
        case("R(R(x)) - R(x) + y", 2, lambda s, x, y: s.relu(s.relu(x)) - s.relu(x) + y, {(0, 1, 0)}, 2),
        case("R(|x|) - 1", 1, lambda s, x: s.relu(s.absolute(x)) - s.one, {(1, -1), (-1, -1)}, 2),
        case(
            "R(R(x) - y) + R(R(x) - y) - 1", 2, lambda s, x, y: twice(s, s.relu(x) - y) - s.one, {(2, -2, -1), (0, -2, -1)}, 2
        ),
        case("x + 0 R(R(y))", 2, lambda s, x, y: x + 0 * s.relu(s.relu(y)), {(1, 0, 0)}, 2),
    ]


def twice(sketch: Sketch, z: Quantity) -> Quantity:
    """R(z) + R(z), of two units."""
    return sketch.relu(z) + sketch.relu(z)


# --- depth that counts


def iterated_tents(slopes: Sequence[float], times: int, w0: float) -> Units:
    """f = Σ α_i T^L(x_i) − w0, T(x) = 2 R(x) − 4 R(x − ½): T^L has 2^L affine parts on [0, 1] (Telgarsky 2015)."""
    sketch = Sketch(len(slopes))
    values = sketch.x
    for _ in range(times):
        values = [2 * sketch.relu(y) - 4 * sketch.relu(y - HALF * sketch.one) for y in values]
    return sketch.units(total(slopes, values) - exact(w0) * sketch.one)


def one_as_two(network: ReLUNetwork) -> Units:
    """One hidden layer written as two: x = R(x) − R(−x) before it."""
    layer = exact_units(network)
    sketch = Sketch(layer.inputs, 2 * layer.inputs + len(layer.rows))
    known = [sketch.relu(x) - sketch.relu(-x) for x in sketch.x] + [sketch.one]
    outputs = [sketch.relu(total(row[: layer.inputs + 1], known)) for row in layer.rows]
    return sketch.units(total(layer.output, [*known, *outputs]))


# --- at random


def random_deep(rng: np.random.Generator, inputs: int, widths: Sequence[int], links: bool = False) -> Units:
    """Gaussian weights of deviation √(2 / fan-in), biases of deviation 0.3; links from all that is before a level, or none."""
    sketch = Sketch(inputs, sum(widths))
    known = sketch.x
    for width in widths:
        outputs = [sketch.relu(gaussian(rng, sketch, known)) for _ in range(width)]
        known = [*known, *outputs] if links else outputs
    return sketch.units(gaussian(rng, sketch, known))


def gaussian(rng: np.random.Generator, sketch: Sketch, known: Sequence[Quantity]) -> Quantity:
    """A random affine function of what is known."""
    return total(rng.normal(size=len(known)) * np.sqrt(2 / len(known)), known) + exact(0.3 * rng.normal()) * sketch.one


def random_degenerate_deep(rng: np.random.Generator, inputs: int, widths: Sequence[int]) -> Units:
    """Weights in {−2, …, 2}/2, links past levels at times; copies, opposites, dead units. Most have both answers."""
    for _ in range(4):
        units = any_degenerate_deep(rng, inputs, widths)
        points = rng.integers(-12, 13, (40, inputs)).tolist()
        if len({exact_value(units, [Fraction(z, 4) for z in point]) >= 0 for point in points}) == 2:
            break
    return units


def any_degenerate_deep(rng: np.random.Generator, inputs: int, widths: Sequence[int]) -> Units:
    """`random_degenerate_deep`, without a second try at a constant one."""
    sketch = Sketch(inputs, sum(widths))
    earlier, last = list[Quantity](), sketch.x
    for width in widths:
        level = list[Quantity]()
        for _ in range(width):
            level.append(special(rng, level, coarse(rng, sketch, earlier, last), sketch.one))
        earlier, last = [*earlier, *last], [sketch.relu(z) for z in level]
    return sketch.units(coarse(rng, sketch, earlier, last))


def coarse(rng: np.random.Generator, sketch: Sketch, earlier: Sequence[Quantity], last: Sequence[Quantity]) -> Quantity:
    """A sum with quantised weights of the last level and, one time in three, of what is before it."""
    linked = [*last, *earlier] if rng.random() < 0.35 else last
    return total(quantised(rng, len(linked)), linked) + exact(quantised(rng, ())) * sketch.one


def special(rng: np.random.Generator, level: Sequence[Quantity], fresh: Quantity, one: Quantity) -> Quantity:
    """The fresh row, a multiple of one of its level, or that shifted, or a constant."""
    kind = rng.random()
    if kind < 0.65 or (kind < 0.9 and not level):
        return fresh
    if kind >= 0.9:
        return exact(quantised(rng, ())) * one
    copy = exact(rng.choice([-2.0, -1.0, 0.5, 1.0])) * level[rng.integers(len(level))]
    return copy + exact(rng.choice([0.0, 0.0, 0.5])) * one


@st.composite
def deep_networks(draw: st.DrawFn, max_units: int = 7, max_inputs: int = 3) -> Units:
    """Small integer networks of ReLU, leaky, abs, clip, max and min gates, each of which may read all that is before it."""
    sketch = Sketch(draw(st.integers(1, max_inputs)), max_units)
    known, weight = [sketch.one, *sketch.x], st.sampled_from([0, 0, 1, -1, 1, -1, 2, -3])
    kinds = ["relu", "relu", "relu", "leaky", "absolute", "clip", "maximum", "minimum"]

    def quantity() -> Quantity:
        return total([draw(weight) for _ in known], known)

    more = {
        "leaky": lambda: [HALF], "clip": lambda: [-1, 1], "maximum": lambda: [quantity()], "minimum": lambda: [quantity()]
    }  # fmt: skip
    for kind in draw(st.lists(st.sampled_from(kinds), min_size=1, max_size=max_units)):
        if len(sketch.rows) + 1 + (kind == "clip") <= max_units:
            known.append(getattr(sketch, kind)(quantity(), *more.get(kind, list)()))
    return sketch.units(quantity())
