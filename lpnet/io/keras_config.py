"""The configuration of a Keras model, of version 2 or 3: its layers, and how they are linked."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lpnet.errors import InputError
from lpnet.networks.arrays import describe

MODELS = ("Sequential", "Functional", "Model")
Value = tuple[str, int]
START: Value = ("", 0)
LIBRARIES = ("keras", "tf_keras", "tensorflow")


def is_model(layer: Any) -> bool:
    """Whether a configuration is that of a model, alone or as a layer of another one."""
    return isinstance(layer, dict) and layer.get("class_name") in MODELS


def layers_of(config: Any) -> list[Any]:
    """The configurations of a model's layers; InputError for what is no model of Keras's own."""
    if not is_model(config):
        got = config.get("class_name") if isinstance(config, dict) else config
        raise InputError(f"holds a model {describe(got)}; wanted a Sequential or Functional one, other classes are code")
    if not is_builtin(config):
        raise InputError(f"holds a model of a class {config['class_name']} that is not Keras's own; lpnet never runs code")
    inner = config.get("config")
    layers = inner.get("layers") if isinstance(inner, dict) else inner
    if not isinstance(layers, list) or not layers or not all(_is_layer(layer) for layer in layers):
        raise InputError("its configuration lists no layers; write it anew with model.save")
    names = [name_of(layer) for layer in layers]
    if len(set(names)) < len(names):
        raise InputError("its configuration gives two layers one name")
    return layers


@dataclass(frozen=True)
class Call:
    """One use of a layer: what it makes, and of what; a value is called by its layer's name and the number of the use."""

    layer: Any
    made: Value
    sources: tuple[Value, ...]


def calls_of(config: Any) -> tuple[list[Call], Value]:
    """The uses of a model's layers, each behind those that it takes values of, and the model's output; START is its input."""
    layers, inner = layers_of(config), config["config"]
    if config["class_name"] == "Sequential" or not isinstance(inner, dict):
        made: list[Value] = [(name_of(layer), 0) for layer in layers]
        sources = [(source,) for source in (START, *made)]
        return list(map(Call, layers, made, sources)), made[-1]
    inputs, outputs = (list(_values(inner.get(f"{side}_layers"))) for side in ("input", "output"))
    if len(inputs) != 1 or len(outputs) != 1:
        raise InputError(f"a model with {len(inputs)} inputs and {len(outputs)} outputs; wanted one of each")
    left = [call for layer in layers for call in _calls(layer, inputs[0])]
    calls: list[Call] = []
    known = {START}
    while ready := [call for call in left if known.issuperset(call.sources)]:
        calls += ready
        known |= {call.made for call in ready}
        left = [call for call in left if call.made not in known]
    if outputs[0] not in known:
        raise InputError(f"its configuration does not lead from its input to its output, {outputs[0][0]!r}")
    return calls, outputs[0]


def _calls(layer: Any, first: Value) -> Iterator[Call]:
    """The uses of a layer of a functional model."""
    nodes = layer.get("inbound_nodes") or []
    if not isinstance(nodes, list):
        raise InputError(f"{said(layer)} is called on {describe(nodes)}; wanted a list of its uses")
    if class_of(layer) == "InputLayer":
        yield from [Call(layer, first, (START,))] if first[0] == name_of(layer) else []
    for number, node in enumerate(nodes):
        if given := list(_constants(node)):
            raise InputError(f"{said(layer)} is called with {', '.join(given)}, also when it predicts; wanted tensors alone")
        yield Call(layer, (name_of(layer), number), tuple(_values(node)))


def is_builtin(described: Any) -> bool:
    """Whether what a configuration describes is of Keras itself, as far as it says; up to Keras 2.11 it says nothing."""
    module, registered = described.get("module", "keras"), described.get("registered_name")
    kept = isinstance(module, str) and module.partition(".")[0] in LIBRARIES
    return kept and registered in (None, described.get("class_name"))


def shape_of(config: Any) -> tuple[int, ...] | None:
    """The shape of a model's input for one point, where its configuration says it."""
    layers = layers_of(config)
    places = [(layer["config"], name) for layer in layers for name in ("batch_shape", "batch_input_shape")]
    places += [(config["config"], "build_input_shape"), (layers[0].get("build_config"), "input_shape")]
    found = (_sizes(place.get(name)) for place, name in places if isinstance(place, dict))
    return next(filter(None, found), None) or (shape_of(layers[0]) if is_model(layers[0]) else None)


def _sizes(shape: Any) -> tuple[int, ...] | None:
    known = isinstance(shape, list) and len(shape) > 1 and all(isinstance(size, int) and size > 0 for size in shape[1:])
    return tuple(shape[1:]) if known else None


def precision_of(layer: Any) -> Any:
    """The name of what a layer computes in: its dtype is a name in Keras 1 and 2, an object with a name since then."""
    policy = layer["config"].get("dtype")
    inner = policy.get("config") if isinstance(policy, dict) else None
    return inner.get("name", policy) if isinstance(inner, dict) else policy


def _is_layer(layer: Any) -> bool:
    return (
        isinstance(layer, dict)
        and isinstance(layer.get("class_name"), str)
        and isinstance(layer.get("config"), dict)
        and isinstance(layer["config"].get("name", layer.get("name", "")), str)
    )


def name_of(layer: Any) -> str:
    """A layer's name."""
    return str(layer["config"].get("name", layer.get("name", "")))


def class_of(layer: Any) -> str:
    """A layer's class."""
    return str(layer["class_name"])


def said(layer: Any) -> str:
    """A layer's class and name, for messages."""
    return f"the layer {class_of(layer)} {name_of(layer)!r}"


def _values(nodes: Any) -> Iterator[Value]:
    """The values in what a configuration says of a call: ["name", 0, 0, {}] in Keras 2, keras_history in Keras 3."""
    if isinstance(nodes, dict):
        history = nodes.get("keras_history")
        yield from _values(history if isinstance(history, list) else list(nodes.values()))
    elif isinstance(nodes, list):
        if len(nodes) >= 3 and isinstance(nodes[0], str):
            yield nodes[0], int(nodes[1]) if isinstance(nodes[1], int) else 0
        else:
            for value in nodes:
                yield from _values(value)


def _constants(node: Any, name: str = "") -> Iterator[str]:
    """What is given to a layer besides values, and is not None or False."""
    if isinstance(node, dict) and node.get("class_name") != "__keras_tensor__":
        for key, value in node.items():
            yield from _constants(value, f"{key}=" if key not in ("args", "kwargs") else "")
    elif isinstance(node, list) and len(node) >= 3 and isinstance(node[0], str):
        yield from _constants(node[3:])
    elif isinstance(node, list):
        for value in node:
            yield from _constants(value, name)
    elif not isinstance(node, dict) and node is not None and node is not False:
        yield f"{name}{node!r:.40}"
