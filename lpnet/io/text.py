"""Threshold networks in words: `positive if (h1 and not h3) or h2`, and each h as an inequality in the features."""

from collections.abc import Iterable, Sequence
from typing import Any

from lpnet.errors import InputError
from lpnet.exact import Numbers
from lpnet.io.kinds import Network
from lpnet.networks import ReLUNetwork, SignCircuit, StepNetwork
from lpnet.networks.arrays import describe
from lpnet.networks.classifier import Classifier


def encode(network: Network | Classifier, features: Sequence[str] | None = None) -> bytes:
    """`described_logic` as UTF-8."""
    return described_logic(network, features).encode()


def described_logic(network: Network | Classifier, features: Sequence[str] | None = None) -> str:
    """A sign network or circuit in words, or several for the classes; features: names of the inputs, by default its own.

    A unit that is a conjunction or disjunction of literals reads so; of any other one the weighted sum is given, in which a
    half-space counts +1 where it holds and −1 where it does not.
    """
    scores = network.scores if isinstance(network, Classifier) else (network,)
    first = scores[0]
    if isinstance(first, ReLUNetwork | StepNetwork):
        raise InputError("has no logic to write in words; wanted a sign network or circuit")
    names = list(features) if features is not None else network.input_names
    if len(names) != network.inputs or not all(isinstance(name, str) for name in names):
        raise InputError(f"features: wanted {network.inputs} names, got {describe(features)}")
    halfspaces = [f"h{k + 1}" for k in range(first.units)]
    last, lines = halfspaces, []
    if isinstance(first, SignCircuit):
        last = []
        for number, (used, weight, bias) in enumerate(first.middle_units):
            text = _unit(weight, bias, [halfspaces[k] for k in used])
            if ">=" in text:
                lines.append(f"g{number + 1}: {text}")
                text = f"g{number + 1}"
            last.append(f"({text})" if " " in text.removeprefix("not ") else text)
    heads = [f"class {network.names[c]}" for c in network.classes] if isinstance(network, Classifier) else network.labels[1:]
    heads = heads or ["positive"]
    units = (_unit(score.output_weight, score.output_bias, last) for score in scores)
    several = ["the first that holds:"] if isinstance(network, Classifier) else []
    lines = [*several, *(f"{head} if {unit}" for head, unit in zip(heads, units, strict=True)), *lines]
    for name, weight, bias in zip(halfspaces, *first.input_layer.floats, strict=True):
        lines.append(f"{name}: {_sum(weight, names)} >= {_number(-bias)}")
    return "\n".join(lines) + "\n"


def _unit(weight: Numbers, bias: Any, names: Sequence[str]) -> str:
    """A threshold unit on inputs ±1."""
    used = [(float(w), name) for w, name in zip(weight, names, strict=True) if w]
    literals = [name if w > 0 else f"not {name}" for w, name in used]
    if not used:
        return "always" if bias >= 0 else "never"
    if all(abs(w) == 1 for w, _ in used) and abs(bias) == len(used) - 1:
        return (" or " if bias > 0 else " and ").join(literals)
    return f"{_sum((w for w, _ in used), [name for _, name in used])} >= {_number(-bias)}"


def _sum(weights: Iterable[float], names: Sequence[str]) -> str:
    """Σ w·name, without the terms of weight 0."""
    text = ""
    for w, name in zip(map(float, weights), names, strict=True):
        if w:
            size = "" if abs(w) == 1 else f"{_number(abs(w))} "
            text += (" - " if w < 0 else " + ") + size + name
    return text.removeprefix(" + ").replace(" - ", "-", 1) if text.startswith(" - ") else text.removeprefix(" + ") or "0"


def _number(value: float) -> str:
    """To the last digit, a whole one without a point."""
    return repr(float(value) + 0.0).removesuffix(".0")
