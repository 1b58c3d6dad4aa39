"""Networks as ONNX models: input x (batch, d), output y (batch, 1), in float64, with standard operators only.

A ReLU network is Gemm, Relu, Gemm, and y its score; a layer of threshold units is Gemm, GreaterOrEqual 0, Where +1, −1, so
that sgn(0) = +1, and y is ±1. The affine layers in front are Gemm, and Div where their rows are floats over a float. What
float64 holds is stored to the last bit, other numbers are rounded to it; a runtime rounds the sums too, lpnet does not.
`lpnet.io.onnx_` reads such files again.
"""

from typing import Any

import numpy as np
from onnx import TensorProto, checker, helper, numpy_helper

from lpnet.exact import FloatArray
from lpnet.io.divided import divided
from lpnet.io.kinds import Network, floats_of
from lpnet.networks import ReLUNetwork, SignCircuit

OPSET, IR_VERSION = 17, 8


def encode(network: Network) -> bytes:
    """The bytes of an ONNX file that holds the network."""
    numbers = floats_of(network)
    hidden = [(numbers["hidden_weight"], numbers["hidden_bias"])]
    if isinstance(network, SignCircuit):
        hidden.append((numbers["middle_weight"], numbers["middle_bias"]))
    layers = [*hidden, (numbers["output_weight"][None], numbers["output_bias"][None])]
    nodes, tensors, last = [], [], "x"
    for number, layer in enumerate(network.front.layers if network.front else ()):
        rows, divisor = divided(layer)
        name = f"front{number + 1}"
        tensors += [_tensor(f"{name}_weight", rows[:, :-1]), _tensor(f"{name}_bias", rows[:, -1])]
        nodes.append(helper.make_node("Gemm", [last, f"{name}_weight", f"{name}_bias"], [name], transB=1))
        last = name
        if (divisor != 1).any():
            tensors.append(_tensor(f"{name}_divisor", divisor))
            nodes.append(helper.make_node("Div", [name, f"{name}_divisor"], [f"{name}_divided"]))
            last = f"{name}_divided"
    for number, (weight, bias) in enumerate(layers):
        name = "score" if number == len(hidden) else f"layer{number + 1}"
        tensors += [_tensor(f"{name}_weight", weight), _tensor(f"{name}_bias", bias)]
        nodes.append(helper.make_node("Gemm", [last, f"{name}_weight", f"{name}_bias"], [name], transB=1))
        last = name
        if not isinstance(network, ReLUNetwork):
            nodes.append(helper.make_node("GreaterOrEqual", [name, "zero"], [f"{name}_holds"]))
            nodes.append(helper.make_node("Where", [f"{name}_holds", "plus", "minus"], [f"{name}_sign"]))
            last = f"{name}_sign"
        elif number < len(hidden):
            nodes.append(helper.make_node("Relu", [name], [f"{name}_relu"]))
            last = f"{name}_relu"
    nodes[-1].output[0] = "y"
    if not isinstance(network, ReLUNetwork):
        tensors += [_tensor("zero", np.zeros(())), _tensor("plus", np.ones(())), _tensor("minus", -np.ones(()))]
    ends = (helper.make_tensor_value_info(*end) for end in _ends(network.inputs))
    graph = helper.make_graph(nodes, "lpnet", [next(ends)], [next(ends)], tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
    checker.check_model(model)
    return bytes(model.SerializeToString())


def _ends(inputs: int) -> list[tuple[Any, ...]]:
    return [("x", TensorProto.DOUBLE, ["batch", inputs]), ("y", TensorProto.DOUBLE, ["batch", 1])]


def _tensor(name: str, values: FloatArray) -> Any:
    return numpy_helper.from_array(np.ascontiguousarray(values), name)
