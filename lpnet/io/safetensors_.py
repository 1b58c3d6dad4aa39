"""Weights in a .safetensors file: a header in JSON, then the numbers; nothing in it can run.

The layers come in the order of the numbers in their names ("net.0.weight" before "net.10.weight"), ReLUs between them assumed.
"""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np

from lpnet.errors import InputError
from lpnet.io.kinds import Outputs
from lpnet.io.layers import of_weights
from lpnet.io.reading import Reading

KINDS = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "i1", "U8": "u1"}


def read(path: Path, outputs: Outputs | None = None) -> Reading:
    """The network whose weights are in the file; InputError where it holds other things than linear layers."""
    weights, biases = list[tuple[str, Any]](), dict[str, Any]()
    for name, values in sorted(tensors(path.read_bytes()).items(), key=lambda item: numbered(item[0])):
        layer, _, kind = name.rpartition(".")
        if kind not in ("weight", "bias"):
            raise InputError(
                f"holds {name!r:.80}, which belongs to no linear layer; give lpnet.load the module, or export it to ONNX"
            )
        if kind == "bias":
            biases[layer] = values
        else:
            weights.append((layer, values))
    layers = [(f"the layer {name!r}", weight, biases.pop(name, None)) for name, weight in weights]
    if biases:
        raise InputError(f"has the bias of {next(iter(biases))!r} without a weight")
    return of_weights(layers, outputs, "a .safetensors file")


def numbered(name: str) -> list[tuple[bool, int, str]]:
    """A name in parts that are compared as numbers where they are such."""
    return [(part.isdecimal(), int(part) if part.isdecimal() else 0, part) for part in re.split("([0-9]+)", name)]


def tensors(content: bytes) -> dict[str, Any]:
    """The arrays in the file, exactly; bfloat16 as the upper half of a float32."""
    try:
        length = int.from_bytes(content[:8], "little")
        header = json.loads(content[8 : 8 + length])
        return {name: tensor(content[8 + length :], about) for name, about in header.items() if name != "__metadata__"}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError("is not a .safetensors file, or is damaged") from None


def tensor(content: bytes, about: dict[str, Any]) -> Any:
    """One array."""
    kind, (start, end), shape = about["dtype"], about["data_offsets"], about["shape"]
    if kind == "BF16":
        halves = np.frombuffer(content[start:end], "<u2").astype(np.uint32) << 16
        return halves.view(np.float32).astype(np.float64).reshape(shape)
    if kind not in KINDS:
        raise InputError(f"has numbers of the kind {kind!r:.20}; wanted {', '.join(KINDS)} or BF16")
    return np.frombuffer(content[start:end], KINDS[kind]).astype(np.float64).reshape(shape)
