"""Threshold networks with a sparse second layer, as `lpnet.io.onnx_write` writes them, back from ONNX.

Layers so wide are not followed symbol by symbol, which would make full tables of them: the numbers are taken from the tensors,
and the graph that is written for them has to be just the one that is read.
"""

from itertools import count, takewhile
from typing import Any

import numpy as np
from onnx import numpy_helper

from lpnet.errors import InputError
from lpnet.io.divided import exact_quotient
from lpnet.io.kinds import Network, build
from lpnet.io.onnx_write import model_of
from lpnet.networks.affine import Layer
from lpnet.networks.classifier import Classifier


def sparse_network(model: Any, names: list[str]) -> Network | Classifier | None:
    """The network whose second layer is sparse that this model is written for, if there is one; names: of the classes."""
    if not {"middle_units", "middle_signs"} <= {tensor.name for tensor in model.graph.initializer}:
        return None
    try:
        tensors = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
        made = build(_fields(tensors, {node.op_type for node in model.graph.node}, names))
    except (KeyError, IndexError, TypeError, ValueError, InputError):  # of damaged tensors, too
        return None
    return made if model_of(made).graph == model.graph else None


def _fields(tensors: dict[str, Any], operators: set[str], names: list[str]) -> dict[str, Any]:
    """The fields of the network in these tensors."""
    from scipy.sparse import csr_array

    units, signs = tensors["middle_units"], tensors["middle_signs"]
    own = np.column_stack([np.ones(len(units), dtype=bool), units[:, 1:] != units[:, :-1]])
    sizes, side = own.sum(axis=1), -1 if "ReduceMin" in operators else 1
    ends = np.cumsum([0, *sizes])
    middle = csr_array((signs[own], units[own], ends), (len(units), len(tensors["hidden_bias"])))
    middle.check_format(full_check=True)
    given = {name: tensors[name] for name in ("hidden_weight", "hidden_bias", "output_weight", "output_bias")}
    if len(given["output_weight"]) == 1:
        given |= {name: given[name][0] for name in ("output_weight", "output_bias")}
    elif names:
        given["names"] = names
    layers = takewhile(lambda number: f"front{number}_weight" in tensors, count(1))
    front = tuple(_front_layer(tensors, f"front{number}") for number in layers)
    middle_layer = {"middle_weight": middle, "middle_bias": side * (sizes - 1.0)}
    return {"kind": "circuit", **given, **middle_layer} | ({"front": front} if front else {})


def _front_layer(tensors: dict[str, Any], name: str) -> Layer:
    """A layer in front, each row over its divisor."""
    weight, bias = tensors[f"{name}_weight"], tensors[f"{name}_bias"]
    if f"{name}_divisor" not in tensors:
        return Layer(weight, bias)
    rows = exact_quotient(np.column_stack([weight, bias]), tensors[f"{name}_divisor"][:, None])
    return Layer(rows[:, :-1], rows[:, -1])
