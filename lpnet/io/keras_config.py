"""The configuration of a Keras model, of version 2 or 3: which layers it is a chain of."""

from collections.abc import Iterator
from typing import Any

from lpnet.errors import InputError
from lpnet.networks.arrays import describe

LIBRARIES = ("keras", "tf_keras", "tensorflow")


def layers_of(config: Any) -> list[Any]:
    """The configurations of the layers, one after the other; InputError for a model that is no chain."""
    if not isinstance(config, dict) or config.get("class_name") not in ("Sequential", "Functional", "Model"):
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
    if isinstance(inner, dict) and config["class_name"] != "Sequential":
        for before, layer in zip([None, *names], layers, strict=False):
            sources = list(_sources(layer.get("inbound_nodes")))
            if sources != ([before] if before else []):
                raise InputError(f"{said(layer)} takes {', '.join(map(repr, sources)) or 'nothing'}; wanted a chain of layers")
            if _training(layer.get("inbound_nodes")):
                raise InputError(f"{said(layer)} is called with training=True, also when it predicts; leave that out")
        if set(_flat(inner.get("output_layers"))) & set(names) != {names[-1]}:
            raise InputError(f"its output is not {said(layers[-1])} alone; wanted a chain of layers")
    return layers


def is_builtin(described: Any) -> bool:
    """Whether what a configuration describes is of Keras itself, as far as it says; up to Keras 2.11 it says nothing."""
    module, registered = described.get("module", "keras"), described.get("registered_name")
    kept = isinstance(module, str) and module.partition(".")[0] in LIBRARIES
    return kept and registered in (None, described.get("class_name"))


def given_shape(layer: Any) -> tuple[int, ...] | None:
    """The shape of one of the model's inputs, where a layer's own configuration says it."""
    return _sizes(layer["config"].get("batch_shape", layer["config"].get("batch_input_shape")))


def built_shape(layer: Any) -> tuple[int, ...] | None:
    """The shape of what comes into a layer for one point, where Keras 3 has noted it."""
    built = layer.get("build_config")
    return _sizes(built.get("input_shape")) if isinstance(built, dict) else None


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


def _sources(nodes: Any) -> Iterator[str]:
    """The names of the layers whose outputs a layer takes: [[["name", 0, 0, {}]]] in Keras 2, keras_history in Keras 3."""
    if isinstance(nodes, dict):
        history = nodes.get("keras_history")
        if isinstance(history, list) and history and isinstance(history[0], str):
            yield history[0]
        else:
            for value in nodes.values():
                yield from _sources(value)
    elif isinstance(nodes, list):
        if len(nodes) >= 3 and isinstance(nodes[0], str):
            yield nodes[0]
        else:
            for value in nodes:
                yield from _sources(value)


def _training(nodes: Any) -> bool:
    """Whether a layer is called with training=True, anywhere in what its configuration says of its calls."""
    if isinstance(nodes, dict):
        return bool(nodes.get("training")) or any(map(_training, nodes.values()))
    return isinstance(nodes, list) and any(map(_training, nodes))


def _flat(values: Any) -> list[str]:
    """The strings in lists in lists."""
    if isinstance(values, list):
        return [text for value in values for text in _flat(value)]
    return [values] if isinstance(values, str) else []
