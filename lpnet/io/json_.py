"""Networks as JSON: one object, every number written so that it is read back to the last bit.

    {"kind": "relu", "inputs": 2,
     "hidden_weight": [[1.0, 1.0], [2.0, 0.0]], "hidden_bias": [2.0, 0.0], "output_weight": [1.0, -1.0], "output_bias": -1.0}

kind: "relu" (`ReLUNetwork`), "sign" (`SignNetwork`) or "circuit" (`SignCircuit`), the last with "middle_weight" (k, m) and
"middle_bias" (k) too; the other keys are the fields of these types, row by row. "inputs", d, is always written; it is needed
only where there are no hidden units, since [] does not say its number of columns. "comment" may hold anything and is ignored;
other keys, keys given twice, NaN, Infinity and whole numbers that float64 would round are refused.
`lpnet/schemas/network.schema.json` says the same as a JSON schema.
"""

import json
from pathlib import Path
from typing import Any

from lpnet.errors import InputError
from lpnet.io.kinds import NUMBERS, Network, Outputs, build, kind_of, numbers_of, single_output
from lpnet.io.reading import Reading
from lpnet.networks.arrays import describe


def to_dict(network: Network) -> dict[str, Any]:
    """The JSON form of a network, in plain lists, numbers and strings."""
    numbers = {name: value if isinstance(value, float) else value.tolist() for name, value in numbers_of(network).items()}
    return {"kind": kind_of(network), "inputs": network.inputs, **numbers}


def from_dict(data: Any) -> Network:
    """The network with this JSON form; InputError where it is not one, naming the field."""
    if not isinstance(data, dict):
        raise InputError(f'wanted an object {{"kind": …}}, got {describe(data)}')
    for field in NUMBERS:
        _check_numbers(field, data.get(field, 0.0))
    return build(data)


def encode(network: Network) -> bytes:
    """The JSON text of a network, UTF-8, one line for each field."""
    lines = (f"{json.dumps(key)}: {json.dumps(value)}" for key, value in to_dict(network).items())
    return ("{\n  " + ",\n  ".join(lines) + "\n}\n").encode()


def read(path: Path, outputs: Outputs | None = None) -> Reading:
    """The network in a JSON file; InputError where it cannot be read as one."""
    single_output(outputs)
    return Reading(from_dict(parse(path)))


def parse(path: Path) -> Any:
    """What a JSON file holds; InputError where it is no JSON or gives a key twice."""
    return parsed(path.read_bytes())


def parsed(content: bytes) -> Any:
    """What JSON text holds; InputError where it is no JSON or gives a key twice."""
    try:
        text = content.decode("utf-8-sig")
        return json.loads(text, object_pairs_hook=_unique_keys, parse_int=_whole)
    except UnicodeDecodeError as error:
        raise InputError(f"is not UTF-8 text (byte {error.start}); wanted JSON") from None
    except json.JSONDecodeError as error:
        raise InputError(f"is not JSON: {error.msg} in line {error.lineno}, column {error.colno}") from None
    except RecursionError:
        raise InputError("is nested too deeply; wanted an object of lists of numbers") from None


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise InputError(f"has the key {describe(key)} twice; each key may be given once")
        found[key] = value
    return found


def _whole(text: str) -> int | float:
    """Python refuses to read whole numbers of thousands of digits; float64 has none so large (it says inf)."""
    return int(text) if len(text) < 1000 else float(text)


def _check_numbers(field: str, value: Any, depth: int = 0) -> None:
    """InputError for anything but floats, and whole numbers that float64 holds, in lists in lists."""
    if isinstance(value, list):
        if depth == 2:
            raise InputError(f"{field}: wanted numbers, lists or lists of lists of them, got lists nested more deeply")
        for entry in value:
            _check_numbers(field, entry, depth + 1)
    elif isinstance(value, bool) or not isinstance(value, int | float):
        raise InputError(f"{field}: wanted numbers, got {describe(value)}")
    elif isinstance(value, int) and not exact(value):
        raise InputError(
            f"{field}: float64 would round the whole number {describe(value)}; write it as a decimal if that is meant"
        )


def exact(number: int) -> bool:
    """Whether float64 holds the whole number exactly."""
    try:
        return float(number) == number
    except OverflowError:
        return False
