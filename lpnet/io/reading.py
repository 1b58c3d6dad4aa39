"""From the outputs of a followed network to a `ReLUNetwork`, and what has to be said about it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import prod
from textwrap import shorten
from typing import Any

import numpy as np

from lpnet.errors import InputError
from lpnet.exact import Numbers, shortened
from lpnet.io.arithmetic import plus, product, scaled
from lpnet.io.choice import among_answers, chosen_of
from lpnet.io.kinds import Choice, Network, Outputs, SingleOutput, single_output
from lpnet.io.levels import Levels
from lpnet.io.signal import BOOLEAN, RELUS, SIGNS, Signal, all_steps, checked
from lpnet.networks import ReLUNetwork, SignCircuit, SignNetwork, StepNetwork
from lpnet.networks.affine import AffineMap, Layer
from lpnet.networks.classifier import Classifier
from lpnet.networks.trees import TreeEnsemble


@dataclass(frozen=True)
class Reading:
    """A network and how it was read.

    notes: sentences for people, each "what: …", `lpnet show` prints them; assumed: what the file does not say and was taken for
    granted, in words, or "". No number is rounded.
    """

    network: Network | Classifier | TreeEnsemble
    notes: tuple[str, ...] = ()
    assumed: str = ""

    def of(self, network: Network | Classifier | TreeEnsemble) -> "Reading":
        """The same of another network, as one with other names."""
        return replace(self, network=network)

    def noted(self, *notes: str) -> "Reading":
        """The same with more notes in front."""
        return replace(self, notes=(*notes, *self.notes))

    def with_features(self, names: Sequence[Any]) -> "Reading":
        """The same with names of the inputs, if there are as many different ones."""
        texts = [str(name) for name in names]
        fit = len(texts) == self.network.inputs == len(set(texts))
        return replace(self, network=self.network.named(texts)) if fit else self


def affine(signal: Signal, where: str, weight: Any, bias: Any = None) -> Signal:
    """A fully connected layer along the last axis: weight (out, in), bias (out,) or None; InputError where they do not fit."""
    weight = checked(where, weight)
    bias = np.zeros(len(weight) if weight.ndim else 0) if bias is None else checked(where, bias)
    if weight.ndim != 2 or bias.shape != weight.shape[:1]:
        raise InputError(f"{where}: weights of shape {weight.shape} and biases of shape {bias.shape} are no layer")
    if signal.shape[-1:] != weight.shape[1:]:
        raise InputError(f"{where} has {weight.shape[1]} inputs, but {signal.shape[-1]} numbers come into it")
    return plus(product(signal, where, weight.T), where, bias)


def finished(signal: Signal, outputs: Outputs | None, names: Sequence[Any] = ()) -> Reading:
    """The network whose outputs these are; names: of the outputs, where they have some.

    One output: it is the score f, +1 where f ≥ 0 (behind a Sigmoid: where it is ≥ 1/2). Two: output 1 ≥ output 0.
    outputs: another decision, see `lpnet.io.choice`; (I, J): output I ≥ output J. Affine layers through which alone the inputs
    are read are kept one by one, those behind them composed with the next; sums, products and differences are exact.
    """
    itself = isinstance(outputs, Choice) and outputs.rule == "itself"
    check_output_layer(signal, itself or (isinstance(outputs, Choice) and bool(outputs.threshold)))
    if itself and signal.tail:
        raise InputError(f"ends in {signal.tail}; wanted outputs that are affine functions of ReLUs")
    count = prod(signal.shape)
    among = isinstance(outputs, Choice) and (outputs.rule == "argmax" or (outputs.rule == "own" and count > 2))
    score = _thresholded(signal, among)
    levels = Levels(score)
    kind = _kind(levels)
    first, *deeper, last = levels.layers
    front = AffineMap(levels.front_layers) if levels.front_layers else None
    if score is not signal and count > 1:
        chosen = among_answers(last.weight, last.bias, outputs, names)
    else:
        chosen = chosen_of(last.weight, last.bias, outputs, names, signal.tail)
    made = [_network(kind, first, deeper, front, *row) for row in zip(chosen.weight, chosen.bias, strict=True)]
    if kind is StepNetwork:
        if chosen.classes:
            raise InputError(f"has {count} outputs behind units that jump; say which two to compare (--outputs I,J)")
        made = [StepNetwork(body, levels.gate_names) for body in made]
    network = Classifier(tuple(made), chosen.classes, chosen.names) if chosen.classes else made[0].named(labels=chosen.labels)
    ends = [*levels.sources, score] if score is signal else [*levels.sources, score, signal]
    return Reading(network, (_layers(ends), *numbers_notes(network), _answer(signal, score, chosen.said)))


def chosen_again(network: Network | Classifier, outputs: Outputs | None) -> Reading:
    """A network that is as lpnet keeps it, and what of its outputs is asked for."""
    notes = numbers_notes(network)
    if not isinstance(network, Classifier):
        if not (isinstance(outputs, Choice) and outputs.rule in ("single", "itself") and isinstance(network, ReLUNetwork)):
            single_output(outputs)
            return Reading(network, notes)
        chosen = chosen_of(network.output_weight[None], shortened([network.output_bias]), outputs, (), "")
        again = replace(network, output_bias=chosen.bias[0]).named_like(network)
        return Reading(again, (*notes, f"answer: {chosen.said}"))
    if outputs is None or (isinstance(outputs, Choice) and outputs.rule in ("own", "argmax")):
        said = f"answer: the class of the largest of {len(network.scores)} outputs; a tie is for the first of them"
        return Reading(network, (*notes, said))
    first = network.scores[0]
    if network.classes != tuple(range(len(network.scores))) or not isinstance(first, ReLUNetwork):
        raise SingleOutput("is a decision among classes, of which no other one can be made")
    weight = np.vstack([score.given_layers[-1].weight for score in network.scores])
    bias = shortened([score.output_bias for score in network.scores])
    chosen, inputs = chosen_of(weight, bias, outputs, network.names, ""), first.hidden_weight.shape[1]
    made = [
        replace(first, skip=row[:inputs], output_weight=row[inputs:], output_bias=constant)
        for row, constant in zip(chosen.weight, chosen.bias, strict=True)
    ]
    several: Network | Classifier = made[0].named(labels=chosen.labels)
    several = Classifier(tuple(made), chosen.classes, chosen.names) if chosen.classes else several
    return Reading(several.named(network.features), (*notes, f"answer: {chosen.said}"))


def _network(
    kind: type[Network], first: Layer, deeper: Sequence[Layer], front: AffineMap | None, weight: Numbers, bias: Any
) -> Any:
    """The network of these hidden layers and one output; of a network of ReLUs and steps its body."""
    inputs = first.weight.shape[1]
    numbers: dict[str, Any] = {"hidden_weight": first.weight, "hidden_bias": first.bias, "output_bias": bias, "front": front}
    if kind in (ReLUNetwork, StepNetwork):
        kind = ReLUNetwork
        numbers |= {"deeper": tuple(deeper), "skip": weight[:inputs], "output_weight": weight[inputs:]}
    else:
        numbers["output_weight"] = weight[len(weight) - len((deeper or [first])[-1].bias) :]
        for middle in deeper:
            numbers |= {"middle_weight": middle.weight[:, inputs:], "middle_bias": middle.bias}
    return kind(**numbers)


def _kind(levels: Levels) -> type[Network]:
    """The kind of network with these levels."""
    kinds = levels.kinds
    if set(kinds) <= {RELUS}:
        return ReLUNetwork
    if levels.is_chain and kinds in ([SIGNS], [SIGNS, SIGNS]):
        return SignCircuit if kinds[1:] else SignNetwork
    return StepNetwork


def _thresholded(signal: Signal, among: bool) -> Signal:
    """The score that decides: the sum in one threshold unit behind a hidden layer, ±1 or 0 and 1; among several, ±1, sums."""
    source, size = signal.blocks[0].source, prod(signal.shape)
    if (
        among
        and source
        and source.level
        and size > 1
        and len(signal.blocks) == 1
        and signal.blocks[0].gate == SIGNS
        and not signal.tail
    ):
        weight, bias = signal.affine()
        if signal.features == size and not bias.any() and (weight == np.eye(size)).all():
            return source
    single = len(signal.blocks) == 1 and signal.features == 1 and prod(signal.shape) == 1
    if source is None or not single or signal.blocks[0].gate != SIGNS or signal.tail not in ("", BOOLEAN):
        return signal
    unit = replace(signal, tail="") if signal.tail == BOOLEAN else signal
    weight, bias = (numbers.item() for numbers in unit.affine())
    if 2 * abs(weight) == 2 * bias == 1:  # 0 and 1
        unit = plus(scaled(unit, "", np.array(2.0)), "", np.array(-1.0))
    weight, bias = (numbers.item() for numbers in unit.affine())
    return source if weight == 1 and bias == 0 and source.level else unit


def check_output_layer(signal: Signal, meant: bool = False) -> None:
    """InputError for a ReLU as the only output, if that is not meant: asked for by its number, or compared with one."""
    if prod(signal.shape) == 1 and signal.is_only(RELUS) and not meant:
        raise InputError(
            f"ends in {signal.steps[0]}, so that its output is never negative; wanted an output layer behind the hidden ones, "
            "or the number that the output is compared with (--threshold)"
        )


def _layers(layers: list[Signal]) -> str:
    return "layers: " + shorten(", ".join(all_steps(layers)), 2000, placeholder=" …")


def numbers_notes(network: Network | Classifier) -> tuple[str, ...]:
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
    if score is signal.blocks[0].source:
        return "answer: that of its last threshold unit, +1 where its sum is ≥ 0, so that 0 itself is +1"
    if score is not signal:
        return "answer: its label, +1 where the last comparison has it so"
    half = signal.tail == "Sigmoid"
    return "answer: +1 where the output is ≥ " + ("1/2, so that 1/2 itself is +1" if half else "0, so that 0 itself is +1")
