"""Files that hold weights alone: two linear layers, and the ReLU between them taken for granted."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from lpnet.errors import InputError
from lpnet.io.activations import relu
from lpnet.io.kinds import Outputs
from lpnet.io.reading import Reading, affine, finished
from lpnet.io.signal import Signal

Layer = tuple[str, Any, Any]  # what to call it, weight (out, in), bias (out,) or None


def two_layers(layers: Sequence[Layer], outputs: Outputs | None, holder: str, also: str = "") -> Reading:
    """The network of two linear layers in the order in which they fit; in the file's order where both orders do.

    holder: what they are in; also: what else is taken for granted.
    """
    tables = [np.ndim(weight) == 2 for _, weight, _ in layers]
    if len(layers) != 2 or not all(tables):
        odd = next((name for (name, _, _), table in zip(layers, tables, strict=True) if not table), None)
        got = f"{odd} is none" if odd else f"got {len(layers)}"
        if len(layers) > 2 and not odd:
            got += ", and weights alone do not say where a ReLU is; give lpnet.load the model, or export it to ONNX"
        raise InputError(f"wanted the weights of two linear layers, a hidden one and an output one; {got}")
    first, second = layers
    order = ""
    if len(first[1]) != second[1].shape[1]:
        if len(second[1]) != first[1].shape[1]:
            raise InputError(f"{first[0]} has {len(first[1])} outputs, but {second[0]} wants {second[1].shape[1]} numbers")
        first, second = second, first
        order = f"; {first[0]} comes first although it is stored last, for only so do the shapes fit"
    elif len(second[1]) == first[1].shape[1]:
        order = f"; the shapes fit in either order, and {first[0]} comes first as in the file"
    signal = relu(affine(Signal.of_features((first[1].shape[1],)), *first), "the layer ReLU (assumed)")
    made = finished(affine(signal, *second), outputs)
    assumed = f"{holder} does not say what is between its layers; a ReLU there, and nothing else{order}{also}"
    return replace(made, assumed=assumed).noted(f"assumed: {assumed}")
