"""From the outputs of a followed network to a `ReLUNetwork`, and what has to be said about it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce
from math import prod
from textwrap import shorten
from typing import Any

import numpy as np

from lpnet.errors import InputError
from lpnet.exact import Numbers, fraction, fractions, shortened
from lpnet.io.arithmetic import plus, product, scaled
from lpnet.io.kinds import Network, Outputs, single_output
from lpnet.io.signal import BOOLEAN, Signal, checked
from lpnet.networks import ReLUNetwork, SignCircuit, SignNetwork
from lpnet.networks.affine import AffineMap, Layer, after


@dataclass(frozen=True)
class Reading:
    """A network and how it was read.

    notes: sentences for people, each "what: …", `lpnet show` prints them; assumed: what the file does not say and was taken for
    granted, in words, or "". No number is rounded.
    """

    network: Network
    notes: tuple[str, ...] = ()
    assumed: str = ""

    def noted(self, *notes: str) -> "Reading":
        """The same with more notes in front."""
        return replace(self, notes=(*notes, *self.notes))


def affine(signal: Signal, where: str, weight: Any, bias: Any = None) -> Signal:
    """A fully connected layer: weight (out, in), bias (out,) or None; InputError where they do not fit, naming the layer."""
    weight = checked(where, weight)
    bias = np.zeros(len(weight) if weight.ndim else 0) if bias is None else checked(where, bias)
    if weight.ndim != 2 or bias.shape != weight.shape[:1]:
        raise InputError(f"{where}: weights of shape {weight.shape} and biases of shape {bias.shape} are no layer")
    if signal.shape != weight.shape[1:]:
        raise InputError(f"{where} has {weight.shape[1]} inputs, but {signal.shape[0]} numbers come into it")
    return plus(product(signal, where, weight.T), where, bias)


def finished(signal: Signal, outputs: Outputs | None, names: Sequence[Any] = ()) -> Reading:
    """The network whose outputs these are; names: of the outputs, where they have some.

    One output: it is the score f, +1 where f ≥ 0 (behind a Sigmoid: where it is ≥ 1/2). Two: output 1 ≥ output 0.
    outputs=(I, J): output I ≥ output J. Affine layers in front of the first hidden one are kept one by one, those behind it
    composed with the next; sums, products and differences are exact.
    """
    check_output_layer(signal)
    score = _thresholded(signal)
    kind, (first, *later) = _kind(score), [_chain(layer) for layer in _hidden(score)]
    last = composed(score)
    weight, bias, tie = score_of(last.weight, last.bias, outputs, names)
    parts = [first[-1], *map(_composed, later)]
    front = AffineMap(tuple(first[:-1])) if first[1:] else None
    numbers: dict[str, Any] = {"output_weight": weight, "output_bias": bias, "front": front}
    for name, layer in zip(("hidden", "middle"), parts, strict=False):
        numbers |= {f"{name}_weight": layer.weight, f"{name}_bias": layer.bias}
    network = kind(**numbers)
    return Reading(network, (_layers([*_hidden(signal), signal]), *numbers_notes(network), _answer(signal, score, tie)))


def composed(signal: Signal) -> Layer:
    """The entries as one affine layer of the features behind the last hidden layer, exactly."""
    return _composed(_chain(signal))


def _composed(layers: list[Layer]) -> Layer:
    return reduce(lambda first, second: after(second, first), layers)


def _chain(signal: Signal) -> list[Layer]:
    """The affine layers since the last hidden one."""
    weight, bias = map(shortened, signal.affine())
    return [*(_chain(signal.base) if signal.base else []), Layer(weight, bias)]


def _hidden(signal: Signal) -> list[Signal]:
    """U x + b of the hidden layers in front of a signal, the first one first."""
    return [*_hidden(signal.hidden), signal.hidden] if signal.hidden else []


def _kind(score: Signal) -> type[Network]:
    """The kind of network with this score; InputError for hidden layers that lpnet has no network of."""
    kinds = ["threshold units" if s.signs else "ReLUs" for s in (*_hidden(score), score)][1:]
    for kind, wanted in LAYERS.items():
        if kinds == wanted:
            return kind
    if kinds == ["ReLUs", "threshold units"] and score.features == 1 and score.affine()[0].item() < 0:
        raise InputError(
            "ends in a strict comparison, +1 only where its score is > 0, while lpnet's networks are +1 at 0 too; "
            "compare by ≥ (GreaterOrEqual), or leave the comparison out, if ties may count as +1"
        )
    raise InputError(
        f"has hidden layers of {', '.join(kinds)}; wanted one of ReLUs or threshold units, or two of threshold units"
    )


LAYERS: dict[type[Network], list[str]] = {
    ReLUNetwork: ["ReLUs"],
    SignNetwork: ["threshold units"],
    SignCircuit: ["threshold units", "threshold units"],
}


def _thresholded(signal: Signal) -> Signal:
    """The score that decides: for one threshold unit behind a hidden layer, as ±1 or as 0 and 1, the sum in it."""
    single = signal.features == 1 and prod(signal.shape) == 1 and signal.base is None
    if not signal.signs or not single or signal.tail not in ("", BOOLEAN):
        return signal
    unit = replace(signal, tail="") if signal.tail == BOOLEAN else signal
    weight, bias = (numbers.item() for numbers in unit.affine())
    if 2 * abs(weight) == 2 * bias == 1:  # 0 and 1
        unit = plus(scaled(unit, "", np.array(2.0)), "", np.array(-1.0))
    weight, bias = (numbers.item() for numbers in unit.affine())
    assert unit.hidden is not None
    return unit.hidden if weight == 1 and bias == 0 and unit.hidden.hidden else unit


def check_output_layer(signal: Signal) -> None:
    """InputError for what has no hidden layer, or nothing behind it."""
    if signal.hidden is None:
        raise InputError("has no ReLU; wanted one hidden layer of ReLUs and an output layer")
    if signal.plain and not signal.signs:
        raise InputError(
            f"ends in {signal.steps[0]}, so that no output is ever negative; wanted an output layer behind the one hidden layer"
        )


def score_of(weight: Numbers, bias: Numbers, outputs: Outputs | None, names: Sequence[Any] = ()) -> tuple[Numbers, Any, str]:
    """Output weights (n,) and bias of the score f from those of all m outputs, (m, n) and (m,), and who wins a tie, in words.

    Raises InputError where `outputs` is missing, needless or out of range.
    """
    count = len(bias)
    if count == 1:
        single_output(outputs)
        return weight[0], bias[0], ""
    if outputs is None and count != 2:
        raise InputError(
            f"has {count} outputs; say which two to compare (--outputs I,J or outputs=(I, J)): +1 where output I ≥ output J"
        )
    first, second = _pair(outputs or (1, 0), count)
    named = [f"output {k}" + (f" ({shorten(str(names[k]), 40)})" if len(names) == count else "") for k in (first, second)]
    tie = f"+1 where {named[0]} ≥ {named[1]}; a tie is +1, for {named[0]}, where argmax takes output {min(first, second)}"
    if first < second:
        tie = tie.replace(", where argmax takes", " as argmax takes")
    if count == 2 and (weight[0] == -weight[1]).all() and bias[0] == -bias[1]:
        return weight[first], bias[first], tie  # f and −f: half of their difference
    rows = np.column_stack([weight, bias])
    *difference, constant = (fraction(a) - fraction(b) for a, b in zip(rows[first], rows[second], strict=True))
    return shortened(fractions(difference, (-1,))), constant, tie


def _pair(outputs: Any, count: int) -> Outputs:
    """Two different indices of outputs, or InputError."""
    whole = isinstance(outputs, tuple | list) and all(
        isinstance(o, int | np.integer) and not isinstance(o, bool) for o in outputs
    )
    if not whole or len(set(outputs)) != 2 or len(outputs) != 2 or not all(0 <= o < count for o in outputs):
        raise InputError(f"outputs: wanted two different numbers from 0 to {count - 1}, got {outputs!r}")
    return int(outputs[0]), int(outputs[1])


def _layers(layers: list[Signal]) -> str:
    return "layers: " + shorten(", ".join(step for layer in layers for step in layer.steps), 2000, placeholder=" …")


def numbers_notes(network: Network) -> tuple[str, ...]:
    """What became of the numbers."""
    numbers = "numbers: exactly those given, and their sums, products and quotients; nothing is rounded"
    if not network.front:
        return (numbers,)
    count, inputs, outputs = len(network.front.layers), network.front.inputs, network.front.outputs
    layers = f"{count} affine layer{'s' * (count > 1)} from {inputs} inputs to {outputs} numbers"
    return f"front: {layers}, kept as given; the network is asked about behind that", numbers


def _answer(signal: Signal, score: Signal, tie: str) -> str:
    if tie:
        return f"answer: {tie}"
    if score is signal.hidden:
        return "answer: that of its last threshold unit, +1 where its sum is ≥ 0, so that 0 itself is +1"
    if score is not signal:
        return "answer: its label, +1 where the last comparison has it so"
    half = signal.tail == "Sigmoid"
    return "answer: +1 where the output is ≥ " + ("1/2, so that 1/2 itself is +1" if half else "0, so that 0 itself is +1")
