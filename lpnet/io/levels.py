"""The layers of a followed network (`lpnet.io.signal`): affine maps between gates composed, exactly, and gates by levels."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, pairwise

import numpy as np

from lpnet.errors import InputError
from lpnet.exact import Numbers, fraction, fractions, shortened
from lpnet.io.signal import RELUS, SIGNS, Block, Signal, blocks_of, columns
from lpnet.networks.affine import Layer, after, side_by_side
from lpnet.networks.step import SIGN
from lpnet.networks.step_form import RELU

MOST_NUMBERS = 10**8  # in all layers
NAMES = {RELUS: RELU, SIGNS: SIGN}

Sum = tuple[tuple[Block, ...], Layer]  # an affine map of the features of these blocks


class Composition:
    """Signals as affine maps of the outputs of gates and of one block of affine ones, the base; None for the inputs."""

    def __init__(self, base: Block | None = None) -> None:
        self.base = base
        self.made: dict[Block, Sum] = {}

    def of(self, signal: Signal) -> Sum:
        """The entries, all that was kept on the way to them composed."""
        for block in self._kept(signal):
            assert block.source is not None
            self.made[block] = self._composed(block.source)
        return self._composed(signal)

    def _kept(self, signal: Signal) -> list[Block]:
        """The blocks of kept entries since the last gates that are not composed yet, in their order."""
        found: set[Block] = set()
        left = list(signal.blocks)
        while left:
            block = left.pop()
            if block.source and not block.gate and block is not self.base and block not in self.made and block not in found:
                found.add(block)
                left += block.source.blocks
        return sorted(found, key=lambda block: block.number)

    def _composed(self, signal: Signal) -> Sum:
        own = Layer(*map(shortened, signal.affine()))
        kept = [block for block in signal.blocks if block in self.made]
        if not kept:
            return signal.blocks, own
        others = tuple(block for block in signal.blocks if block not in self.made)
        inner = tuple(dict.fromkeys(below for block in kept for below in self.made[block][0]))
        behind = after(Layer(own.weight[:, columns(kept, signal.blocks)], own.bias), self._stacked(kept, inner))
        blocks = tuple(dict.fromkeys((*inner, *others)))
        weight = placed(behind.weight, inner, blocks)
        if others:
            weight = _sum(weight, placed(own.weight[:, columns(others, signal.blocks)], others, blocks))
        return blocks, Layer(weight, behind.bias)

    def _stacked(self, kept: Sequence[Block], inner: tuple[Block, ...]) -> Layer:
        """The kept entries, one block after the other, as a map of the features of `inner`."""
        return stacked([_reading(self.made[block], inner) for block in kept])


def stacked(parts: Sequence[tuple[Numbers, Numbers]]) -> Layer:
    """Layers that read the same, one below the other."""
    if len(parts) == 1:
        return Layer(*parts[0])
    weights, biases = zip(*parts, strict=True)
    return Layer(side_by_side(*(weight.T for weight in weights)).T, side_by_side(*(bias[None] for bias in biases))[0])


def placed(weight: Numbers, blocks: Sequence[Block], among: Sequence[Block]) -> Numbers:
    """Weights of the features of some blocks as weights of those of more, the others 0."""
    if tuple(blocks) == tuple(among):
        return weight
    made = np.zeros((len(weight), sum(block.size for block in among)), dtype=weight.dtype)
    made[:, columns(blocks, among)] = weight
    return made


def _sum(left: Numbers, right: Numbers) -> Numbers:
    both = (left != 0) & (right != 0)
    made = np.where(right != 0, right, left)
    if both.any():
        made = made.astype(object)
        made[both] = fractions([fraction(a) + fraction(b) for a, b in zip(left[both], right[both], strict=True)], (-1,))
    return shortened(made) if made.dtype == object else made


@dataclass(frozen=True)
class Levels:
    """The layers of the network that computes a signal."""

    signal: Signal

    @cached_property
    def front(self) -> list[Block]:
        """The inputs, and the kept entries through which alone all that comes behind them reads the inputs."""
        blocks = blocks_of(self.signal)
        front = [blocks[0]]
        while front[-1] not in self.signal.blocks:
            readers = [block for block in blocks if block.source and front[-1] in block.source.blocks]
            if len(readers) > 1 or readers[0].gate or _source(readers[0]).blocks != (front[-1],):
                break
            front.append(readers[0])
        return front

    @cached_property
    def front_layers(self) -> tuple[Layer, ...]:
        """What is between the inputs and the network, layer by layer as it is given."""
        return tuple(Layer(*map(shortened, _source(block).affine())) for block in self.front[1:])

    @cached_property
    def gates(self) -> list[list[Block]]:
        """The gates of each level."""
        gates = [block for block in blocks_of(self.signal) if block.gate]
        return [[block for block in gates if block.level == level + 1] for level in range(self.signal.level)]

    @cached_property
    def layers(self) -> list[Layer]:
        """A layer for each level and one for the signal, each reading what the front gives and all gates before it.

        Of no level one without units.
        """
        self._check_size()
        composition, read = Composition(self.front[-1]), [self.front[-1]]
        size = self.front[-1].size
        made = [] if self.gates else [Layer(np.zeros((0, size)), np.zeros(0))]
        for gates in self.gates:
            made.append(stacked([_reading(composition.of(_source(gate)), read) for gate in gates]))
            read += gates
        return [*made, Layer(*_reading(composition.of(self.signal), read))]

    def _check_size(self) -> None:
        """InputError where the layers would be too large."""
        widths = [self.front[-1].size, *(sum(gate.size for gate in gates) for gates in self.gates)]
        numbers = sum(width * before for width, before in zip(widths[1:], accumulate(widths), strict=False))
        if numbers > MOST_NUMBERS:
            raise InputError(
                f"has {sum(widths[1:])} ReLUs on {len(self.gates)} levels behind {widths[0]} inputs; lpnet, which keeps each "
                f"level as a full table over all before it, {numbers} numbers here, reads up to {MOST_NUMBERS}"
            )

    @property
    def is_chain(self) -> bool:
        """Whether each layer reads the one before alone."""
        return not any(
            layer.weight[:, : layer.weight.shape[1] - len(before.bias)].any() for before, layer in pairwise(self.layers)
        )

    @property
    def kinds(self) -> list[str]:
        """What the gates of each level are."""
        return [" and ".join(dict.fromkeys(gate.gate for gate in gates)) for gates in self.gates]

    @property
    def gate_names(self) -> tuple[str, ...]:
        """The gate of each unit, as `StepNetwork` names it."""
        return tuple(NAMES[gate.gate] for gates in self.gates for gate in gates for _ in range(gate.size))

    @property
    def sources(self) -> list[Signal]:
        """What goes into the gates, by levels."""
        return [_source(gate) for gates in self.gates for gate in gates]


def _reading(made: Sum, read: Sequence[Block]) -> tuple[Numbers, Numbers]:
    blocks, layer = made
    return placed(layer.weight, blocks, read), layer.bias


def _source(block: Block) -> Signal:
    assert block.source is not None
    return block.source


def same_function(left: Signal, right: Signal) -> bool:
    """Whether two signals have the same entries as sums of the same features."""
    composition = Composition()
    (blocks, first), (others, second) = composition.of(left), composition.of(right)
    common = tuple(dict.fromkeys((*blocks, *others)))
    if len(first.bias) != len(second.bias):
        return False
    one, other = (Layer(*_reading(made, common)).rows for made in ((blocks, first), (others, second)))
    return bool((one == other).all())
