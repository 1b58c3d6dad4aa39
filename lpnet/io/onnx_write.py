"""Networks as ONNX models: input x (batch, d), output y (batch, 1), in float64, with standard operators only.

A ReLU network is Gemm, Relu, …, Gemm, with a Concat in front of a Gemm that reads more than the layer before, and y its score;
a layer of threshold units is Gemm, GreaterOrEqual 0, Where +1, −1, so that sgn(0) = +1, and y is ±1. Steps of other kinds are
likewise, with Greater for strict ones; where kinds differ in a layer, Gather takes them apart and Concat joins them. Affine
layers in front are Gemm, and Div where their rows are floats over a float, and so are hidden layers from the second one on.
What float64 holds is stored to the last bit, other numbers are rounded to it; a runtime rounds the sums too, lpnet does not.
A sparse second layer of conjunctions or disjunctions is Gather, Mul by ±1, ReduceMin or ReduceMax: of each unit those that it
reads, the last one again where others read more. The names of classes and inputs are in the metadata, as lists in JSON.
`lpnet.io.onnx_` reads such files again.
"""

import json
from collections.abc import Sequence
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto, checker, helper, numpy_helper

from lpnet.errors import InputError
from lpnet.exact import FloatArray, Numbers
from lpnet.io.divided import divided
from lpnet.io.kinds import Network, body_of, floats_of, kind_of
from lpnet.networks.affine import Layer
from lpnet.networks.arrays import is_sparse
from lpnet.networks.classifier import Classifier
from lpnet.networks.step import SIGN, STRICT_SIGN, StepNetwork
from lpnet.networks.step_form import RELU, STRICT

OPSET, IR_VERSION = 17, 8


def encode(network: Network | Classifier) -> bytes:
    """The bytes of an ONNX file that holds the network."""
    return bytes(model_of(network).SerializeToString())


def model_of(network: Network | Classifier) -> Any:
    """The network as an onnx.ModelProto."""
    made = Nodes()
    last, front = "x", scores_of(network)[0].front
    for number, layer in enumerate(front.layers if front else (), 1):
        last = made.layer(f"front{number}", layer, last)
    if kind_of(network) in ("relu", "step"):
        made.relus(network, last)
    else:
        made.signs(network, last)
    made.nodes[-1].output[0] = "y"
    ends = (helper.make_tensor_value_info(*end) for end in _ends(network.inputs, len(scores_of(network))))
    graph = helper.make_graph(made.nodes, "lpnet", [next(ends)], [next(ends)], made.tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
    classes = network.labels
    if isinstance(network, Classifier) and network.classes == tuple(range(len(network.names))):
        classes = network.names
    known = {"classes": classes, "features": network.features}
    if props := {key: json.dumps(list(names)) for key, names in known.items() if names}:
        helper.set_model_props(model, props)
    checker.check_model(model)
    return model


class Nodes:
    """The nodes and tensors of a graph, one after the other; each method returns the name of what comes out."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.tensors: list[Any] = []

    def tensor(self, name: str, values: Numbers) -> str:
        """A constant."""
        self.tensors.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def node(self, operator: str, read: list[str], name: str, **attributes: Any) -> str:
        """An operator on what is read."""
        self.nodes.append(helper.make_node(operator, read, [name], **attributes))
        return name

    def gemm(self, name: str, weight: FloatArray, bias: FloatArray, read: str) -> str:
        """weight · read + bias."""
        numbers = [self.tensor(f"{name}_weight", weight), self.tensor(f"{name}_bias", bias)]
        return self.node("Gemm", [read, *numbers], name, transB=1)

    def layer(self, name: str, layer: Layer, read: str) -> str:
        """An affine layer, its rows over a divisor each where floats hold them so."""
        rows, divisor = divided(layer)
        made = self.gemm(name, rows[:, :-1], rows[:, -1], read)
        if (divisor == 1).all():
            return made
        return self.node("Div", [made, self.tensor(f"{name}_divisor", divisor)], f"{name}_divided")

    def relus(self, network: Network | Classifier, read: str) -> str:
        """The hidden layers and the scores; a layer reads but those of the layers before that have a weight other than 0."""
        scores = [body_of(score) for score in scores_of(network)]
        gates = list(network.gates) if isinstance(network, StepNetwork) else [RELU] * scores[0].relus
        first, numbers, (_, *deeper, _) = scores[0], floats_of(network), scores[0].given_layers
        last = np.vstack([score.given_layers[-1].rows for score in scores])
        output, reads = Layer(last[:, :-1], last[:, -1]), list(first.reads)
        reads[-1] = tuple(sorted({k for score in scores for k in score.reads[-1]}))
        starts = np.cumsum([0, first.hidden_weight.shape[1], *first.widths])
        hidden = self.gemm("layer1", numbers["hidden_weight"], numbers["hidden_bias"], read)
        outputs, done = [read, self.gated("layer1", hidden, gates[: first.widths[0]])], first.widths[0]

        def read_by(number: int) -> tuple[str, NDArray[np.intp]]:
            used = reads[number] or (number,)
            columns = np.concatenate([np.arange(starts[j], starts[j + 1]) for j in used])
            several = len(used) > 1
            return self.node("Concat", [outputs[j] for j in used], f"read{number + 1}", axis=1) if several else outputs[
                used[0]
            ], columns

        for number, layer in enumerate(deeper, 1):
            read, columns = read_by(number)
            hidden = self.layer(f"layer{number + 1}", Layer(layer.weight[:, columns], layer.bias), read)
            outputs.append(self.gated(f"layer{number + 1}", hidden, gates[done : done + len(layer.bias)]))
            done += len(layer.bias)
        read, columns = read_by(len(first.widths))
        return self.gemm("score", output.floats[0][:, columns], output.floats[1], read)

    def gated(self, name: str, read: str, gates: Sequence[str]) -> str:
        """The units of a layer behind their sums; where their gates differ, run by run."""
        runs = [(gate, len(list(same))) for gate, same in groupby(gates)]
        if len(runs) < 2:
            return self.gate(name, read, runs[0][0] if runs else RELU)
        start, parts = 0, []
        for number, (gate, count) in enumerate(runs, 1):
            numbers = self.tensor(f"{name}_part{number}_units", np.arange(start, start + count))
            part = self.node("Gather", [read, numbers], f"{name}_part{number}", axis=1)
            parts.append(self.gate(f"{name}_part{number}", part, gate))
            start += count
        return self.node("Concat", parts, f"{name}_units", axis=1)

    def gate(self, name: str, read: str, gate: str) -> str:
        """What units of one kind make of their sums."""
        if gate == RELU:
            return self.node("Relu", [read], f"{name}_relu")
        self.constants()
        strict, signs = gate in (STRICT, STRICT_SIGN), gate in (SIGN, STRICT_SIGN)
        holds = self.node("Greater" if strict else "GreaterOrEqual", [read, "zero"], f"{name}_holds")
        return self.node("Where", [holds, "plus", "minus" if signs else "zero"], f"{name}_sign")

    def constants(self) -> None:
        """0, 1 and −1, once."""
        if "zero" not in (tensor.name for tensor in self.tensors):
            for name, value in (("zero", np.zeros(())), ("plus", np.ones(())), ("minus", -np.ones(()))):
                self.tensor(name, value)

    def signs(self, network: Network | Classifier, read: str) -> str:
        """The layers of threshold units."""
        numbers = floats_of(network)
        self.constants()
        for name in ["hidden", "middle", "output"] if kind_of(network) == "circuit" else ["hidden", "output"]:
            if is_sparse(numbers[f"{name}_weight"]):
                read = self.junctions(name, numbers[f"{name}_weight"], numbers[f"{name}_bias"], read)
                continue
            weight, bias = np.atleast_2d(numbers[f"{name}_weight"]), np.atleast_1d(numbers[f"{name}_bias"])
            last = self.gemm(name, weight, bias, read)
            read = self.gate(name, last, SIGN)
        return read

    def junctions(self, name: str, weight: Any, bias: FloatArray, read: str) -> str:
        """Conjunctions, or disjunctions, of a few of the units before each: of these, times ±1, the least, or the largest."""
        sizes = np.diff(weight.indptr)
        side = next((side for side in (-1, 1) if (bias == side * (sizes - 1)).all()), 0)
        if not side or (abs(weight.data) != 1).any() or not sizes.all():
            raise InputError(
                f"{name}_weight: is sparse, and not of conjunctions alone or disjunctions alone; wanted a .json file"
            )
        places = (
            np.minimum(np.arange(sizes.max()), sizes[:, None] - 1) + weight.indptr[:-1, None]
        )  # the last one again and again
        chosen = self.node(
            "Gather", [read, self.tensor(f"{name}_units", weight.indices[places].astype(np.int64))], f"{name}_read", axis=1
        )
        signed = self.node("Mul", [chosen, self.tensor(f"{name}_signs", weight.data[places])], f"{name}_literals")
        return self.node("ReduceMin" if side < 0 else "ReduceMax", [signed], f"{name}_sign", axes=[2], keepdims=0)


def _ends(inputs: int, outputs: int) -> list[tuple[Any, ...]]:
    return [("x", TensorProto.DOUBLE, ["batch", inputs]), ("y", TensorProto.DOUBLE, ["batch", outputs])]


def scores_of(network: Network | Classifier) -> tuple[Any, ...]:
    """The outputs, each as a network."""
    return network.scores if isinstance(network, Classifier) else (network,)
