"""Files that hold weights alone: linear layers, and the ReLUs between them taken for granted."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np

from lpnet.errors import InputError
from lpnet.io.activations import relu
from lpnet.io.kinds import Outputs
from lpnet.io.reading import Reading, affine, finished
from lpnet.io.signal import Signal

Layer = tuple[str, Any, Any]  # what to call it, weight (out, in), bias (out,) or None


def of_weights(layers: Sequence[Layer], outputs: Outputs | None, holder: str, also: str = "") -> Reading:
    """The network of linear layers in the file's order where they fit in it; two also in the other one.

    holder: what they are in; also: what else is taken for granted.
    """
    odd = next((name for name, weight, _ in layers if np.ndim(weight) != 2), None)
    if odd or len(layers) < 2:
        got = f"{odd} is none" if odd else f"got {len(layers)}"
        raise InputError(f"wanted the weights of linear layers, hidden ones and an output one; {got}")
    order = ""
    if len(layers) == 2 and not _fit(*layers) and _fit(*layers[::-1]):
        layers = layers[::-1]
        order = f"; {layers[0][0]} comes first although it is stored last, for only so do the shapes fit"
    elif len(layers) == 2 and _fit(*layers) and _fit(*layers[::-1]):
        order = f"; the shapes fit in either order, and {layers[0][0]} comes first as in the file"
    elif len(layers) > 2:
        order = "; the layers come in the file's order"
    if wrong := next((pair for pair in pairwise(layers) if not _fit(*pair)), None):
        (first, weight, _), (second, other, _) = wrong
        raise InputError(
            f"{first} has {len(weight)} outputs, but {second} wants {other.shape[1]} numbers; weights alone do not say how "
            "layers are linked: give lpnet.load the model, or export it to ONNX"
        )
    start, *others = layers
    signal = affine(Signal.of_features((start[1].shape[1],)), *start)
    for number, layer in enumerate(others, 1):
        signal = affine(relu(signal, f"the layer ReLU {f'{number} ' if others[1:] else ''}(assumed)"), *layer)
    relus = "ReLUs there" if others[1:] else "a ReLU there"
    assumed = f"{holder} does not say what is between its layers; {relus}, and nothing else{order}{also}"
    return replace(finished(signal, outputs), assumed=assumed).noted(f"assumed: {assumed}")


def _fit(first: Layer, second: Layer) -> bool:
    """Whether the second one takes as many numbers as the first one gives."""
    return len(first[1]) == int(second[1].shape[1])
