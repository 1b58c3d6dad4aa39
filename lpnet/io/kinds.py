"""What every file format holds: a kind and the fields of a network, under their names in lpnet."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any
from zipfile import BadZipFile, is_zipfile

import numpy as np

from lpnet.errors import InputError
from lpnet.exact import FloatArray, nearest
from lpnet.networks import ReLUNetwork, SignCircuit, SignNetwork
from lpnet.networks.affine import AffineMap, Layer
from lpnet.networks.arrays import describe

Network = ReLUNetwork | SignNetwork | SignCircuit
Outputs = tuple[int, int]

KINDS: dict[str, type[Network]] = {"relu": ReLUNetwork, "sign": SignNetwork, "circuit": SignCircuit}
FRONT, DEEPER, SKIP = "front", "deeper", "skip"
OPTIONAL = (FRONT, DEEPER, SKIP)
PLAIN = "layers"  # all of a ReLU network whose layers read only the one before
LISTS = (FRONT, DEEPER, PLAIN)  # of layers
NUMBERS = (*(field.name for field in fields(SignCircuit) if field.name != FRONT), SKIP)
IGNORED = "comment"
MOST_BYTES = 2**28  # of a file, and of what is packed in it
MOST_NUMBERS = 10**7  # of an array


def kind_of(network: Network) -> str:
    """The name of a network's kind in files."""
    for kind, network_type in KINDS.items():
        if isinstance(network, network_type):
            return kind
    raise InputError(f"wanted a ReLUNetwork, a SignNetwork or a SignCircuit, got {describe(network)}")


def numbers_of(network: Network) -> dict[str, Any]:
    """The numbers of a network under their names, without those in lists of layers."""
    kind_of(network)
    skip = {SKIP: network.skip} if isinstance(network, ReLUNetwork) and network.skip is not None else {}
    return {field.name: getattr(network, field.name) for field in fields(network) if field.name not in OPTIONAL} | skip


def layers_of(network: Network) -> dict[str, tuple[Layer, ...]]:
    """The layers in front of a network and those behind its first one, as far as there are any; without those of no unit."""
    found = {FRONT: network.front.layers if network.front else ()}
    if isinstance(network, ReLUNetwork):
        found[DEEPER] = tuple(layer for layer in network.deeper if len(layer.bias))
    return {name: layers for name, layers in found.items() if layers}


def floats_of(network: Network) -> dict[str, FloatArray]:
    """The same as float64, rounded where need be; InputError for a number beyond it."""
    floats = {name: nearest(np.asarray(value)) for name, value in numbers_of(network).items()}
    for name, array in floats.items():
        if not np.isfinite(array).all():
            raise InputError(f"{name}: has a number that float64 does not reach; a .json file holds it")
    return floats


def build(given: Mapping[str, Any]) -> Network:
    """The network with the given kind and fields; "comment" is ignored, "inputs" (d) must agree if given.

    Optional are "front" and, of ReLU networks, "deeper", both tuples of layers, and "skip"; "layers", in the place of all but
    "front", are those of `ReLUNetwork.of_layers`. Empty weights of the shape (0,) are taken for the (0, d) or (0, m) that they
    must be.
    Raises InputError for an unknown kind, for fields that are missing or unknown, and for what the network itself refuses.
    """
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
    """Two outputs are asked for, and there is but one."""


def single_output(outputs: Outputs | None) -> None:
    """SingleOutput where two outputs are asked for."""
    if outputs is not None:
        raise SingleOutput(f"has a single output, so two of them ({outputs[0]},{outputs[1]}) cannot be compared")


def is_zip(source: Any) -> bool:
    """Whether a file or a stream is a zip archive; a damaged one may count as either."""
    try:
        return is_zipfile(source)
    except BadZipFile:
        return True
