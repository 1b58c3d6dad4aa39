"""Operators that onnx's own evaluation gets wrong in some cases, or fails on, as the standard has them."""

from typing import Any

import numpy as np
from onnx import helper
from onnx.reference.op_run import OpRun

from lpnet.io.windows import pooling, transposed_convolution


def corrected(opset: int) -> list[type[OpRun]]:
    """Those of a model with this opset."""
    return [AveragePool, ConvTranspose, GlobalMaxPool, MaxPool, *([BatchNormalization] if 7 <= opset < 14 else [])]


class BatchNormalization(OpRun):
    """With the stored statistics, as the standard has it from opset 7 on for a node with one output.

    Below opset 14 onnx's own takes the statistics of the batch.
    """

    op_domain = ""

    def _run(self, x: Any, scale: Any, bias: Any, mean: Any, var: Any, epsilon: float, **_: Any) -> tuple[Any]:
        scale, bias, mean, var = (array.reshape(-1, *[1] * (x.ndim - 2)) for array in (scale, bias, mean, var))
        return (scale * (x - mean) / np.sqrt(var + epsilon) + bias,)


class ConvTranspose(OpRun):
    """Also with groups; onnx's own has other shapes for some paddings."""

    op_domain = ""

    def _run(self, x: Any, weight: Any, bias: Any = None, **_: Any) -> tuple[Any]:
        terms = transposed_convolution(_attributes(self), x.shape, weight)
        made = (np.append(0, x)[terms.numbers] * terms.weights).sum(axis=-1).reshape(terms.shape)
        return (made if bias is None else made + bias.reshape(-1, *[1] * (x.ndim - 2)),)


class GlobalMaxPool(OpRun):
    """Also with other than two axes of places."""

    op_domain = ""

    def _run(self, x: Any) -> tuple[Any]:
        return (x.max(axis=tuple(range(2, x.ndim)), keepdims=True),)


class MaxPool(OpRun):
    """Also with padding in one dimension, and in three."""

    op_domain = ""

    def _run(self, x: Any, **_: Any) -> tuple[Any]:
        return (np.append(-np.inf, x)[pooling(_attributes(self), x.shape)[0]].max(axis=-1),)


class AveragePool(OpRun):
    """Also with dilations, and with windows over the edge."""

    op_domain = ""

    def _run(self, x: Any, **_: Any) -> tuple[Any]:
        groups, counts = pooling(_attributes(self), x.shape)
        return (np.append(0, x)[groups].sum(axis=-1) / counts[..., 0],)


def _attributes(operator: OpRun) -> dict[str, Any]:
    return {attribute.name: helper.get_attribute_value(attribute) for attribute in operator.onnx_node.attribute}
