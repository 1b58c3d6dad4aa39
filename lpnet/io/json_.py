"""Networks as JSON: one object, every number written so that it is read back to the last bit.

    {"kind": "relu", "inputs": 2,
     "hidden_weight": [[1.0, 1.0], [2.0, 0.0]], "hidden_bias": [2.0, 0.0], "output_weight": [1.0, -1.0], "output_bias": -1.0}

kind: "relu" (`ReLUNetwork`), "sign" (`SignNetwork`) or "circuit" (`SignCircuit`), the last with "middle_weight" (k, m) and
"middle_bias" (k) too; the other keys are the fields of these types, row by row. "front", a list of objects with "weight" and
"bias", holds the affine layers in front of the first one. A ReLU network of several hidden layers has "deeper", such a list
too, of layers that read the inputs and all ReLUs before them, and "skip" where its output reads the inputs themselves; see
`ReLUNetwork`. Where every layer reads but the one before, "layers" may stand in the place of all fields, the output the last:

    {"kind": "relu", "layers": [{"weight": [[1, 1], [2, 0]], "bias": [2, 0]}, {"weight": [[1, -1]], "bias": [-1]}]}

A network of ReLUs and steps, kind "step" (`StepNetwork`), has the fields of a ReLU network, or "layers", and "gates": the name
of each hidden unit's gate, "relu", "step" (1 where z ≥ 0, else 0), "sign" (±1), "strict_step" or "strict_sign" (z > 0), or one
for each layer, or for all:

    {"kind": "step", "gates": ["sign", "relu"], "layers": [{"weight": …, "bias": …}, …, …]}

"inputs", d, is always written; it is needed only where there are no hidden units, since [] does not say its number of columns.
A ReLU network of several outputs has a row of "output_weight" for each of them, an "output_bias" for each, and "names" of the
classes, perhaps; so has a threshold network of several: its class is the first output that is +1.
The rows of a large "middle_weight" are objects of what is not 0, {"0": 1.0, "17": -1.0}, with the columns from 0 on as keys.
"features" are names of the inputs, "labels" of the answers −1 and +1 of one output.
"kind": "trees" are decision trees, forests and boosting (`lpnet.io.json_trees`).
"comment" may hold anything and is ignored; other keys, keys given twice, NaN and Infinity are refused.

Nothing is rounded: a number that float64 does not hold is a whole number, or a string of one or of two with a slash between
them, "-1/3". A decimal, 0.1, stands for the nearest float64. `lpnet/schemas/network.schema.json` says so as a JSON schema.
"""

import json
import re
from collections.abc import Callable
from fractions import Fraction
from itertools import accumulate
from pathlib import Path
from textwrap import shorten
from typing import Any

import numpy as np
from flint import fmpz

from lpnet.errors import InputError
from lpnet.exact import to_float
from lpnet.io.json_trees import EXACT as EXACT_OF_TREES
from lpnet.io.json_trees import KIND, built_trees, plain_trees
from lpnet.io.kinds import LISTS, NUMBERS, Network, Outputs, build, kind_of, layers_of, numbers_of, words_of
from lpnet.io.reading import Reading, chosen_again
from lpnet.io.trees import trees_again
from lpnet.networks.affine import Layer
from lpnet.networks.arrays import as_array, describe, is_sparse, used_in_rows
from lpnet.networks.classifier import Classifier
from lpnet.networks.trees import TreeEnsemble

COLUMN = re.compile(r"0|[1-9][0-9]{0,8}")
EXACT = re.compile(r"-?[0-9]+(/0*[1-9][0-9]*)?")
MOST_DIGITS = 100_000
LONGEST_DECIMAL = 4000


def to_dict(network: Network | Classifier | TreeEnsemble) -> dict[str, Any]:
    """The JSON form of a network, in plain lists, numbers and strings."""
    if isinstance(network, TreeEnsemble):
        return plain_trees(network, _plain, plain_layer)
    lists = {name: list(map(plain_layer, layers)) for name, layers in layers_of(network).items()}
    numbers = {name: _plain(value) for name, value in numbers_of(network).items()}
    return {"kind": kind_of(network), "inputs": network.inputs, **words_of(network), **lists, **numbers}


def _plain_rows(matrix: Any) -> list[dict[str, float]]:
    """The rows of a sparse matrix, each an object of what is not 0: the number of a column, from 0 on, and its entry."""
    rows = used_in_rows(matrix)
    return [dict(zip(map(str, used.tolist()), entries.tolist(), strict=True)) for used, entries in rows]


def plain_layer(layer: Layer) -> dict[str, Any]:
    """A layer in lists, numbers and strings."""
    return {"weight": _plain(layer.weight), "bias": _plain(layer.bias)}


def _plain(numbers: Any) -> Any:
    """Numbers in lists, those that float64 does not hold as strings."""
    if is_sparse(numbers):
        return _plain_rows(numbers)
    if isinstance(numbers, np.ndarray):
        return numbers.tolist() if numbers.dtype != object else list(map(_plain, numbers))
    near = to_float(numbers)
    if near == numbers:
        return near
    parts = [str(fmpz(part)) for part in numbers.as_integer_ratio()]  # Python's own take time with the square of the digits
    if sum(map(len, parts)) >= MOST_DIGITS:
        raise InputError(f"has a number of {sum(map(len, parts))} digits, beyond {MOST_DIGITS}")
    return parts[0] if parts[1] == "1" else "/".join(parts)


def from_dict(data: Any) -> Network | Classifier | TreeEnsemble:
    """The network with this JSON form; InputError where it is not one, naming the field."""
    if not isinstance(data, dict):
        raise InputError(f'wanted an object {{"kind": …}}, got {describe(data)}')
    if data.get("kind") == KIND:
        made = {name: numbers(name, value) if name in EXACT_OF_TREES else value for name, value in data.items()}
        return built_trees(made, _layers("front", data["front"]) if "front" in data else ())
    made = {name: data[name] if name not in NUMBERS else _rows_or_numbers(data, name) for name in data}
    return build(made | {name: _layers(name, data[name]) for name in LISTS if name in data})


def _rows_or_numbers(data: dict[str, Any], field: str) -> Any:
    """Numbers in lists, or, of a second layer, a sparse matrix: its rows as `_plain_rows` writes them."""
    rows = data[field]
    if not (field == "middle_weight" and isinstance(rows, list) and any(isinstance(row, dict) for row in rows)):
        return numbers(field, rows)
    from scipy.sparse import csr_array

    if not all(isinstance(row, dict) and all(COLUMN.fullmatch(key) for key in row) for row in rows):
        raise InputError(f"{field}: wanted lists of numbers as rows, or an object {{column: number}} for each row")
    columns = [int(key) for row in rows for key in row]
    units = len(data["hidden_weight"]) if isinstance(data.get("hidden_weight"), list) else 0
    if max(columns, default=-1) >= units:
        raise InputError(
            f"{field}: wanted columns from 0 to {units - 1}, as hidden_weight has {units} rows, got {max(columns)}"
        )
    entries = as_array(field, numbers(field, [entry for row in rows for entry in row.values()]), (None,))
    ends = list(accumulate(map(len, rows), initial=0))
    return csr_array((entries, columns, ends), (len(rows), units))


def _layers(field: str, given: Any) -> tuple[Layer, ...]:
    """A list of layers."""
    keys = {"weight", "bias"}
    if not isinstance(given, list) or not all(isinstance(layer, dict) and layer.keys() == keys for layer in given):
        raise InputError(f'{field}: wanted a list of objects with "weight" and "bias", got {describe(given)}')
    return tuple(Layer(*(numbers(f"{field}, {key}", layer[key]) for key in ("weight", "bias"))) for layer in given)


def encode(network: Network | Classifier | TreeEnsemble) -> bytes:
    """The JSON text of a network, UTF-8, one line for each field."""
    lines = (f"{json.dumps(key)}: {json.dumps(value)}" for key, value in to_dict(network).items())
    return ("{\n  " + ",\n  ".join(lines) + "\n}\n").encode()


def read(path: Path, outputs: Outputs | None = None) -> Reading:
    """The network in a JSON file; InputError where it cannot be read as one."""
    network = from_dict(parse(path))
    return trees_again(network, outputs) if isinstance(network, TreeEnsemble) else chosen_again(network, outputs)


def parse(path: Path, decimal: Callable[[str], Any] = float) -> Any:
    """What a JSON file holds; InputError where it is no JSON or gives a key twice. decimal: what a decimal stands for."""
    return parsed(path.read_bytes(), decimal)


def parsed(content: bytes, decimal: Callable[[str], Any] = float) -> Any:
    """What JSON text holds; InputError where it is no JSON or gives a key twice."""
    try:
        text = content.decode("utf-8-sig")
        return json.loads(text, object_pairs_hook=_unique_keys, parse_int=_whole, parse_float=decimal)
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
    """Python refuses to read whole numbers of thousands of digits; of one too long float64 says inf."""
    return int(fmpz(text)) if len(text) < MOST_DIGITS else float(text)


def exact_decimal(text: str) -> Fraction:
    """A decimal as it stands, 0.1 as 1/10."""
    if len(text) > LONGEST_DECIMAL or abs(int(text.lower().partition("e")[2] or "0")) > LONGEST_DECIMAL:
        raise InputError(f"wanted decimals of at most {LONGEST_DECIMAL} digits, got {shorten(text, 40)}")
    return Fraction(text)


def numbers(field: str, value: Any, depth: int = 0) -> Any:
    """Numbers in lists in lists, strings as the Fractions that they stand for; InputError for anything else."""
    if isinstance(value, list):
        if depth == 2:
            raise InputError(f"{field}: wanted numbers, lists or lists of lists of them, got lists nested more deeply")
        return [numbers(field, entry, depth + 1) for entry in value]
    if isinstance(value, str) and len(value) > MOST_DIGITS:
        raise InputError(f"{field}: wanted numbers of at most {MOST_DIGITS} digits, got one of {len(value)}")
    if isinstance(value, str) and EXACT.fullmatch(value):
        parts = [int(fmpz(part)) for part in value.split("/")]
        return Fraction(*parts)
    if isinstance(value, bool) or not isinstance(value, int | float | Fraction):
        hint = '; exact ones are written "-1/3"' * isinstance(value, str)
        raise InputError(f"{field}: wanted numbers, got {describe(value)}{hint}")
    return value
