"""What a network computes, followed layer by layer in symbols: each value is affine in features, and nothing is executed.

Features come in blocks: the inputs x; R(s) or sgn(s) of another signal s; or that signal's entries themselves, kept as they are
behind a layer that is not just a change of scales, so that no two matrices are multiplied. Every number stays exact.
A reader starts with `Signal.of_features(shape)`, the inputs, and goes on with
`product`, `plus`, `scaled`, `added`, `subtracted`, `normalised` of `lpnet.io.arithmetic` (affine layers, sums of branches),
`relu`, `leaky`, `clip`, `maximum`, `minimum`, `threshold`, `ended` of `lpnet.io.activations` (gates, and Sigmoid at the end),
`reshaped`, `transposed`, `chosen`, `joined`, `each` of `lpnet.io.rearranging` (also branches side by side),
and hands the outputs to `finished` of `lpnet.io.reading`, which composes what was kept (`lpnet.io.levels`).
Branches are signals used twice: hand on the same object, and its features and its ReLUs are made once.
`where` names the layer in messages: "the layer Linear '0'".
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import accumulate, count
from math import prod
from typing import Any

import numpy as np
from flint import fmpq
from numpy.typing import NDArray

from lpnet.errors import InputError
from lpnet.exact import FloatArray

Numbers = NDArray[Any]  # float64, or exact rationals (flint.fmpq) as objects
Shape = tuple[int, ...]
MOST_FEATURES, MOST_SQUARED = 10**6, 5000  # in all; where a table of all of them by all of them is made
MOST_ENTRIES = 3 * 10**7
BOOLEAN = "a comparison"  # the tail of features ±1 that stand for a Boolean
TAILS = ("Sigmoid", "Softmax", "LogSoftmax", "Tanh")
RELUS, SIGNS = "ReLUs", "threshold units"
_numbers = count()


@dataclass(frozen=True, eq=False)
class Block:
    """Features that come together: the inputs, without a source, or of each entry of a signal R, sgn, or the entry itself.

    gate: RELUS, SIGNS or ""; number: greater than those of all blocks that it comes from; level: the most gates on a way to it.
    """

    size: int
    source: "Signal | None" = None
    gate: str = ""
    number: int = field(default_factory=_numbers.__next__)

    @cached_property
    def level(self) -> int:
        """The most gates on a way to it."""
        return (self.source.level if self.source else 0) + bool(self.gate)

    def __post_init__(self) -> None:
        if self.size > MOST_FEATURES:
            raise InputError(f"has a layer {self.size} wide, inputs included; lpnet reads up to {MOST_FEATURES}")
        self.level  # noqa: B018  (known before those behind it ask, so that no recursion is deep)


@dataclass(frozen=True)
class Signal:
    """What a value is for one point: each entry is Σ_k c_k h_k + c_0, with the features h_k of its blocks, in their order.

    order: where the entries are features themselves, only rearranged, each at most once: their numbers k, in its shape;
    sums: else the coefficients (1 + features, *shape), the constants c_0 last, and their magnitude: the same sums with the
    absolute value of every number that went into them, rounded: what bounds an evaluation's errors;
    steps: the layers that made it since the last gates; tail: the Sigmoid or the like that was put on it, or "";
    names: of the entries, where they have some; products: how many products and sums of rationals it took.
    """

    blocks: tuple[Block, ...]
    order: NDArray[np.intp] | None
    sums: tuple[Numbers, FloatArray] | None = None
    steps: tuple[str, ...] = ()
    tail: str = ""
    names: tuple[str, ...] = ()
    products: int = 0

    @classmethod
    def of_features(cls, shape: Shape, block: Block | None = None, steps: tuple[str, ...] = ()) -> "Signal":
        """A block's features themselves, the inputs if it is not given, in this shape."""
        block = block or Block(prod(shape))
        return cls((block,), np.arange(block.size).reshape(shape), steps=steps)

    def as_features(self) -> "Signal":
        """The same with its entries for features."""
        made = Signal.of_features(self.shape, self.kept, self.steps)
        return replace(made, names=self.names, products=self.products)

    @cached_property
    def kept(self) -> Block:
        """The entries as features."""
        return Block(prod(self.shape), self)

    @cached_property
    def relus(self) -> Block:
        """R of the entries."""
        return Block(prod(self.shape), self, RELUS)

    @property
    def is_kept(self) -> bool:
        """Whether something reads its entries as features already."""
        return "kept" in vars(self)

    @property
    def features(self) -> int:
        """How many h_k there are."""
        return sum(block.size for block in self.blocks)

    @property
    def level(self) -> int:
        """The most gates on a way to it."""
        return max(block.level for block in self.blocks)

    def is_only(self, gate: str) -> bool:
        """Whether the entries are outputs of such gates themselves, only rearranged."""
        return self.plain and all(block.gate == gate for block in self.blocks)

    @property
    def plain(self) -> bool:
        """Whether the entries are the features themselves, only rearranged."""
        return self.order is not None

    @property
    def shape(self) -> Shape:
        """The shape of the value for one point."""
        return self.order.shape if self.order is not None else self.coefficients.shape[1:]

    @property
    def coefficients(self) -> Numbers:
        """The coefficients; of plain features zeros and ones."""
        return self._sums()[0]

    @property
    def magnitude(self) -> FloatArray:
        """The magnitude of the coefficients."""
        return self._sums()[1]

    def _sums(self) -> tuple[Numbers, FloatArray]:
        if self.sums is not None:
            return self.sums
        if self.features > MOST_SQUARED:
            raise InputError(
                f"has a layer {self.features} wide, inputs included, with more behind it than the product with a matrix; "
                f"lpnet reads such layers up to {MOST_SQUARED}"
            )
        assert self.order is not None
        made = np.zeros((self.features + 1, *self.shape))
        made[self.order, *np.indices(self.shape)] = 1
        return made, made

    def affine(self) -> tuple[Numbers, Numbers]:
        """Weights (entries, features) and constants (entries,)."""
        return _flat(self.coefficients)

    def magnitudes(self) -> tuple[FloatArray, FloatArray]:
        """The magnitudes of `affine`."""
        return _flat(self.magnitude)


def _flat(coefficients: Numbers) -> tuple[Numbers, Numbers]:
    flat = coefficients.reshape(len(coefficients), -1)
    return flat[:-1].T, flat[-1]


def exact(numbers: Any) -> Numbers:
    """Floats as rationals; zeros as the whole number 0."""
    numbers = np.asarray(numbers)
    return numbers if numbers.dtype == object else np.asarray(_rational(numbers.astype(np.float64)), dtype=object)


_rational = np.frompyfunc(lambda number: fmpq(*float(number).as_integer_ratio()) if number else 0, 1, 1)


def checked(where: str, numbers: Any) -> FloatArray:
    """Weights or biases as float64, which holds them exactly, or InputError."""
    numbers = np.asarray(numbers)
    if numbers.dtype not in (np.float32, np.float64):
        raise InputError(f"{where}: wanted float32 or float64 weights, got {numbers.dtype}")
    if not np.isfinite(numbers).all():
        raise InputError(f"{where}: wanted finite weights, got {numbers[~np.isfinite(numbers)].flat[0]}")
    return numbers.astype(np.float64)


def same_features(left: Signal, right: Signal) -> bool:
    """Whether two signals are of the same features."""
    return left.blocks == right.blocks


def blocks_of(*signals: Signal) -> list[Block]:
    """All blocks that these signals come from, each behind those that it comes from itself."""
    found: set[Block] = set()
    left = [block for signal in signals for block in signal.blocks]
    while left:
        block = left.pop()
        if block not in found:
            found.add(block)
            left += block.source.blocks if block.source else ()
    return sorted(found, key=lambda block: block.number)


def in_common(signals: Sequence[Signal]) -> list[Signal]:
    """The same signals, all of the same blocks: those of any of them."""
    blocks = tuple(dict.fromkeys(block for signal in signals for block in signal.blocks))
    return [_over(signal, blocks) for signal in signals]


def _over(signal: Signal, blocks: tuple[Block, ...]) -> Signal:
    """The same as a signal of these blocks, its own among them."""
    if signal.blocks == blocks:
        return signal
    places = columns(signal.blocks, blocks)
    if signal.order is not None:
        return replace(signal, blocks=blocks, order=places[signal.order])
    rows, made = [*places, -1], []
    for numbers in (signal.coefficients, signal.magnitude):
        made.append(np.zeros((sum(block.size for block in blocks) + 1, *signal.shape), dtype=numbers.dtype))
        made[-1][rows] = numbers
    return replace(signal, blocks=blocks, sums=(made[0], made[1]))


def columns(chosen: Sequence[Block], blocks: Sequence[Block]) -> NDArray[np.intp]:
    """Which of the features of `blocks` are those of the chosen ones among them, in their order."""
    starts = dict(zip(blocks, accumulate((block.size for block in blocks), initial=0), strict=False))
    return np.concatenate([starts[block] + np.arange(block.size) for block in chosen])


def all_steps(signals: Sequence[Signal]) -> tuple[str, ...]:
    """The steps that made these signals, each once."""
    return tuple(dict.fromkeys(step for signal in signals for step in signal.steps))


def check_vector(where: str, shape: Shape) -> None:
    """InputError where one point gives a table and no vector."""
    if sum(size > 1 for size in shape) > 1:
        raise InputError(f"{where} gets an array of shape {shape} for a single point; wanted a vector")


def check_before_tail(signal: Signal, where: str) -> None:
    """InputError for what comes behind a Sigmoid or the like."""
    if signal.tail:
        raise InputError(f"{where} comes behind {signal.tail}; wanted nothing but reshaping there")


def check_entries(where: str, entries: int) -> None:
    """InputError for too large a table."""
    if entries > MOST_ENTRIES:
        raise InputError(f"{where} makes a table of {entries} numbers; wanted a vector for each point")


def stepped(signal: Signal, where: str) -> Signal:
    """The same with one more step, once."""
    short = step_name(where)
    return signal if signal.steps[-1:] == (short,) else replace(signal, steps=(*signal.steps, short))


def step_name(where: str) -> str:
    """A step without "the node" or the like in front."""
    first, _, rest = where.removeprefix("the ").partition(" ")
    return rest if first in ("node", "layer", "step", "activation", "operation") else where
