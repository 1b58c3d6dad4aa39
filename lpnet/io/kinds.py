"""What every file format holds: a kind and the fields of a network, under their names in lpnet."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from fractions import Fraction
from typing import Any
from zipfile import BadZipFile, is_zipfile

import numpy as np

from lpnet.errors import InputError
from lpnet.exact import nearest, shortened
from lpnet.networks import ReLUNetwork, SignCircuit, SignNetwork, StepNetwork
from lpnet.networks.affine import AffineMap, Layer
from lpnet.networks.arrays import describe, is_sparse
from lpnet.networks.classifier import Classifier

Network = ReLUNetwork | SignNetwork | SignCircuit | StepNetwork


@dataclass(frozen=True)
class Choice:
    """What is asked of a model with several outputs.

    rule: "argmax" or "argmin", the class of the largest or the least output, ties to the first one; "own": what the model says
    itself, else argmax, but of two outputs one against the other; "pair": +1 where the first of two members is at least the
    second; "group": whether the class is one of the members, or of the rest; "single": +1 where the one member, or the only
    output there is, is at least `threshold`; "itself": +1 where the one member is at least 0, and then its value is the score,
    whatever stands behind it being refused. members: numbers or names of outputs. least: whether groups are of argmin.
    """

    rule: str
    members: tuple[int | str, ...] = ()
    threshold: Fraction | None = None
    least: bool = False

    def __str__(self) -> str:
        return ",".join(map(str, self.members)) if self.rule == "pair" else self.rule


Outputs = tuple[int, int] | Choice

KINDS: dict[str, type[Any]] = {"relu": ReLUNetwork, "sign": SignNetwork, "circuit": SignCircuit, "step": StepNetwork}
FRONT, DEEPER, SKIP = "front", "deeper", "skip"
OPTIONAL = (FRONT, DEEPER, SKIP)
PLAIN = "layers"  # all of a ReLU network whose layers read only the one before
LISTS = (FRONT, DEEPER, PLAIN)  # of layers
NUMBERS = (*(field.name for field in fields(SignCircuit) if field.name != FRONT), SKIP)
IGNORED = "comment"
NAMES, CLASSES, GATES, FEATURES, LABELS = WORDS = ("names", "classes", "gates", "features", "labels")  # texts
MOST_BYTES = 2**28  # of a file, and of what is packed in it
MOST_NUMBERS = 10**7  # of an array


def kind_of(network: Network | Classifier) -> str:
    """The name of a network's kind in files; of a classifier that of its scores."""
    network = network.scores[0] if isinstance(network, Classifier) else network
    for kind, network_type in KINDS.items():
        if isinstance(network, network_type):
            return kind
    raise InputError(f"wanted a ReLUNetwork, a SignNetwork, a SignCircuit or a StepNetwork, got {describe(network)}")


def body_of(network: Network | Classifier) -> Any:
    """The network itself, the body of a step network, the first score of a classifier."""
    network = network.scores[0] if isinstance(network, Classifier) else network
    return network.body if isinstance(network, StepNetwork) else network


def numbers_of(network: Network | Classifier) -> dict[str, Any]:
    """The numbers of a network under their names, without those in lists of layers; of a classifier rows of outputs."""
    kind_of(network)
    if isinstance(network, Classifier):
        parts = [numbers_of(score) for score in network.scores]
        skips = {SKIP: np.zeros(parts[0]["hidden_weight"].shape[1])} if any(SKIP in part for part in parts) else {}
        rows = {name: [(skips | part)[name] for part in parts] for name in ("output_weight", "output_bias", *skips)}
        stacked = {name: np.stack([np.asarray(row) for row in own]) for name, own in rows.items()}
        return parts[0] | {name: shortened(own) if own.dtype == object else own for name, own in stacked.items()}
    network = body_of(network)
    skip = {SKIP: network.skip} if isinstance(network, ReLUNetwork) and network.skip is not None else {}
    return {field.name: getattr(network, field.name) for field in fields(network) if field.name not in OPTIONAL} | skip


def words_of(network: Network | Classifier) -> dict[str, list[Any]]:
    """The names of inputs and answers, of a classifier which class its outputs speak for, where that says something; the gates
    of a step network's units.
    """
    own = {name: list(given) for name, given in ((FEATURES, network.features), (LABELS, network.labels)) if given}
    if isinstance(network, StepNetwork):
        own |= {GATES: list(network.gates)}
    if not isinstance(network, Classifier):
        return own
    count = range(len(network.scores))
    names = own | {NAMES: list(network.names)} if network.names != tuple(map(str, count)) else {}
    return names | ({CLASSES: list(network.classes)} if network.classes != tuple(count) else {})


def layers_of(network: Network | Classifier) -> dict[str, tuple[Layer, ...]]:
    """The layers in front of a network and those behind its first one, as far as there are any; without those of no unit."""
    network = body_of(network)
    found = {FRONT: network.front.layers if network.front else ()}
    if isinstance(network, ReLUNetwork):
        found[DEEPER] = tuple(layer for layer in network.deeper if len(layer.bias))
    return {name: layers for name, layers in found.items() if layers}


def floats_of(network: Network | Classifier) -> dict[str, Any]:
    """The same as float64, rounded where need be, sparse where it is; InputError for a number beyond it."""
    floats = {name: value if is_sparse(value) else nearest(np.asarray(value)) for name, value in numbers_of(network).items()}
    for name, array in floats.items():
        if not is_sparse(array) and not np.isfinite(array).all():
            raise InputError(f"{name}: has a number that float64 does not reach; a .json file holds it")
    return floats


def build(given: Mapping[str, Any]) -> Network | Classifier:
    """The network with the given kind and fields; "comment" is ignored, "inputs" (d) must agree if given.

    "features" and "labels" are names of the inputs and of the answers −1 and +1.
    Where "output_weight" has rows, it is a classifier with an output for each, and may have "names" and "classes".

    Optional are "front" and, of ReLU networks, "deeper", both tuples of layers, and "skip"; "layers", in the place of all but
    "front", are those of `ReLUNetwork.of_layers`. Empty weights of the shape (0,) are taken for the (0, d) or (0, m) that they
    must be.
    Raises InputError for an unknown kind, for fields that are missing or unknown, and for what the network itself refuses.
    """
    if FEATURES in given or LABELS in given:
        bare = build({name: value for name, value in given.items() if name not in (FEATURES, LABELS)})
        if isinstance(bare, Classifier) and LABELS in given:
            raise InputError(f'{LABELS}: wanted for one output alone; of several the classes have "{NAMES}"')
        return bare.named(given.get(FEATURES), given.get(LABELS))
    if isinstance(given.get("kind"), str) and given["kind"] == "step":
        return _step(given)
    if _rows(given.get("output_weight")):
        return _classifier(given)
    kind, layers = given.get("kind"), given.get(PLAIN)
    if isinstance(kind, str) and kind == "relu" and isinstance(layers, tuple) and layers and np.size(layers[-1].bias) > 1:
        front = AffineMap(tuple(given[FRONT])) if given.get(FRONT) else None
        return Classifier.of_layers([(layer.weight, layer.bias) for layer in layers], front, given.get(NAMES, ()))
    if "kind" not in given:
        raise InputError(f'"kind" is missing: wanted one of {", ".join(KINDS)}')
    kind = given["kind"]
    if not isinstance(kind, str) or kind not in KINDS:
        raise InputError(f'"kind": wanted one of {", ".join(KINDS)}, got {describe(kind)}')
    wanted = [field.name for field in fields(KINDS[kind]) if field.name not in OPTIONAL]
    optional = [field.name for field in fields(KINDS[kind]) if field.name in (DEEPER, SKIP)]
    numbers = {name: value for name, value in given.items() if name not in ("kind", "inputs", FRONT, IGNORED)}
    if optional and numbers.keys() == {PLAIN}:
        numbers = numbers_of(plain := ReLUNetwork.of_layers([(layer.weight, layer.bias) for layer in numbers[PLAIN]]))
        numbers |= layers_of(plain)
    if missing := [name for name in wanted if name not in numbers]:
        raise InputError(f"{', '.join(missing)} missing: a {kind} network has {', '.join(wanted)}")
    if unknown := [name for name in numbers if name not in (*wanted, *optional)]:
        names, known = ", ".join(map(repr, unknown)), ", ".join((*wanted, *optional))
        alone = f", or {PLAIN} alone" * bool(optional)
        raise InputError(f'{names}: unknown to a {kind} network, which has {known}{alone}; notes go under "comment"')
    front = given.get(FRONT)
    return _with_inputs(kind, numbers, given.get("inputs"), None if front is None else AffineMap(tuple(front)))


def _step(given: Mapping[str, Any]) -> StepNetwork:
    """The network of ReLUs and steps with these fields: those of a ReLU network, and the gates of its units."""
    gates = given.get(GATES)
    if not isinstance(gates, str | list):
        raise InputError(f"{GATES}: wanted the gate of each hidden unit by its name, or of each layer, got {describe(gates)}")
    body = build({name: value for name, value in given.items() if name != GATES} | {"kind": "relu"})
    if not isinstance(body, ReLUNetwork):
        raise InputError("output_weight: wanted one output, as a step network has, got several")
    return StepNetwork(body, gates if isinstance(gates, str) else tuple(gates))


def _rows(weight: Any) -> bool:
    """Whether output weights are those of several outputs."""
    several = isinstance(weight, list) and any(isinstance(row, list) for row in weight)
    return several or (isinstance(weight, np.ndarray) and weight.ndim == 2)


def _classifier(given: Mapping[str, Any]) -> Classifier:
    """The classifier with these fields."""
    own = {name: value for name, value in given.items() if name not in (NAMES, CLASSES)}
    rows = {name: given[name] for name in ("output_weight", "output_bias", SKIP) if name in given}
    counts = {len(value) if np.ndim(np.asarray(value, dtype=object)) else 0 for value in rows.values()}
    if len(rows) < 2 or len(counts) > 1:
        raise InputError("output_weight, output_bias: wanted a row and a number for each of the outputs, as many of each")
    scores = [build(own | {name: value[o] for name, value in rows.items()}) for o in range(counts.pop())]
    names, classes = given.get(NAMES, ()), given.get(CLASSES, ())
    if not isinstance(names, list | tuple) or not isinstance(classes, list | tuple):
        raise InputError(f"{NAMES}, {CLASSES}: wanted a list of texts and one of whole numbers")
    if not all(isinstance(name, str) for name in names) or not all(type(c) is int for c in classes):
        raise InputError(f"{NAMES}, {CLASSES}: wanted a list of texts and one of whole numbers")
    return Classifier(tuple(scores), tuple(classes), tuple(names))


def _with_inputs(kind: str, numbers: dict[str, Any], inputs: Any, front: AffineMap | None) -> Network:
    """The network of a kind behind a front, its number of inputs settled or checked by `inputs`."""
    if inputs is not None and (isinstance(inputs, bool) or not isinstance(inputs, int) or not 1 <= inputs < 2**31):
        raise InputError(f'"inputs": wanted a whole number from 1 to 2^31 − 1, got {describe(inputs)}')
    if _empty(numbers["hidden_weight"]):
        if inputs is None and front is None:
            raise InputError('hidden_weight: no units, so the number of inputs is unknown; give it as "inputs"')
        numbers["hidden_weight"] = np.zeros((0, front.outputs if front else inputs))
    if _empty(numbers.get("middle_weight")):
        numbers["middle_weight"] = np.zeros((0, len(numbers["hidden_weight"])))
    network = KINDS[kind](**numbers, front=front)
    if inputs not in (None, network.inputs):
        where = "the front" if front else "hidden_weight"
        raise InputError(f'"inputs" is {inputs}, but {where} has {network.inputs} columns')
    return network


def _empty(value: Any) -> bool:
    return isinstance(value, list) and value == []


class SingleOutput(InputError):
    """Other outputs are asked for than there are: but one, or a decision already made among them."""


def single_output(outputs: Outputs | None) -> None:
    """SingleOutput where two outputs are asked for."""
    if isinstance(outputs, Choice) and outputs.rule == "own":
        return
    if outputs is not None:
        wanted = f"two of them ({outputs[0]},{outputs[1]})" if not isinstance(outputs, Choice) else f"several ({outputs})"
        raise SingleOutput(f"has a single output, so {wanted} cannot be compared")


def is_zip(source: Any) -> bool:
    """Whether a file or a stream is a zip archive; a damaged one may count as either."""
    try:
        return is_zipfile(source)
    except BadZipFile:
        return True
