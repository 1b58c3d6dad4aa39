"""PyTorch modules in memory, in evaluation mode: `torch.fx` lists what they calculate, and that is followed in symbols.

What depends on the input in Python's own words (if, for, len), and what lpnet does not follow, is refused; ONNX may say it.
"""

import builtins
import operator
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import replace
from math import prod
from textwrap import shorten
from typing import Any

import numpy as np

from lpnet.errors import InputError
from lpnet.io.compare import check_same, points_for
from lpnet.io.kinds import Outputs
from lpnet.io.own_code import replaced
from lpnet.io.reading import Reading, finished
from lpnet.io.signal import Shape, Signal
from lpnet.io.torch_numbers import array
from lpnet.io.torch_operators import FUNCTIONS

PARAMETRIZED = (
    "weight_norm, spectral_norm, pruning and their like make a weight anew at every call; make it a plain one first, with "
    'remove_parametrizations(layer, "weight") of torch.nn.utils.parametrize, or remove_weight_norm and the like'
)
PARTS = ("weight_g", "weight_v", "weight_orig", "weight_u", "weight_mask")  # of weights that hooks make
EXPORT = "export it to ONNX (torch.onnx.export) and give lpnet that file"
LONGEST, MOST_SIDE = 1024, 64  # of sequences and of square images, when their size is looked for


def of_module(model: Any, outputs: Outputs | None = None) -> Reading:
    """The network of an nn.Module, as it is in evaluation mode.

    A copy in float64 and on the processor is followed and asked, where graphics processors and half precision round nothing.
    """
    import torch
    from torch import fx

    _check_modules(model)
    try:
        module = deepcopy(model).eval().to("cpu", torch.float64)
    except Exception as error:  # whatever its own code raises
        raise InputError(f"a {type(model).__name__} cannot be copied ({shorten(str(error), 200)}); {EXPORT}") from None
    graph = _graph(module)
    if widened(graph):
        module = fx.GraphModule(module, graph)
    nodes = list(graph.nodes)
    with float64_by_default():
        shape = _input_shape(module, nodes, deepcopy(fx.GraphModule(module, graph)).to("meta"))
        signal = _followed(module, nodes, shape)
        made = finished(signal, outputs)
        _compare(module, signal, shape)
    if len(shape) < 3:
        return made
    assumed = f"the module does not say of what shape its inputs are; {shape}, a square"
    return replace(made, assumed=assumed).noted(f"assumed: {assumed}")


def _check_modules(model: Any) -> None:
    """InputError for hooks, of a module or of all, for methods replaced on a module, and for tensors of another class."""
    from torch import nn
    from torch.nn.modules import module as all_modules

    if all_modules._global_forward_hooks or all_modules._global_forward_pre_hooks:
        raise InputError("there are forward hooks for all modules, which lpnet does not run; remove them first")
    for name, module in model.named_modules():
        where = f"the layer {type(module).__name__} {name!r}" if name else f"the {type(module).__name__}"
        if nn.utils.parametrize.is_parametrized(module):
            raise InputError(f"{where} has a parametrization; {PARAMETRIZED}")
        if module._forward_hooks or module._forward_pre_hooks:
            norm = f"; {PARAMETRIZED}" if any(hasattr(module, part) for part in PARTS) else ""
            raise InputError(f"{where} has hooks, which lpnet does not run{norm}")
        if own := replaced(module):
            raise InputError(f"{where} has a {own} of its own in place of its class's, which lpnet does not follow")
    for name, tensor in (*model.named_parameters(), *model.named_buffers()):
        if tensor.is_floating_point() or tensor.is_quantized:
            array(name, tensor)


def _graph(module: Any) -> Any:
    """What `torch.fx` says that a module does, its layers opened down to functions but for batch normalisation."""
    from torch import fx, nn

    class Tracer(fx.Tracer):
        def is_leaf_module(self, m: Any, module_qualified_name: str) -> bool:
            return isinstance(m, nn.modules.batchnorm._BatchNorm)

    try:
        return Tracer().trace(module)
    except Exception as error:  # whatever its own code raises
        why = shorten(str(error), 200)
        raise InputError(f"a {type(module).__name__} runs code that torch.fx does not follow ({why}); {EXPORT}") from None


@contextmanager
def float64_by_default() -> Iterator[None]:
    """Numbers of Python, as torch.where takes them, are float64 as the copy is."""
    import torch

    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


def widened(graph: Any) -> bool:
    """Whether there were comparisons turned into float32, which are made float64 as the rest of the copy is."""
    import torch

    changed = False
    for node in graph.nodes:
        if node.op == "call_method" and node.target == "float":
            node.target, changed = "double", True
        if node.op == "call_method" and node.target in ("to", "type") and torch.float32 in (*node.args, *node.kwargs.values()):
            node.args = tuple(torch.float64 if given is torch.float32 else given for given in node.args)
            node.kwargs = {name: torch.float64 if given is torch.float32 else given for name, given in node.kwargs.items()}
            changed = True
    return changed


def _followed(module: Any, nodes: list[Any], shape: Shape) -> Signal:
    """The outputs for one point of this shape, followed from node to node."""
    values: dict[Any, Any] = {}
    for node in nodes:
        if node.op == "placeholder":
            values[node] = node.args[0] if node.args else None
            if not values.keys() - {node}:
                values[node] = Signal.of_features((1, *shape))
            elif not node.args:
                raise InputError(f"its forward takes {node.target!r} as well; wanted a single input")
        elif node.op == "get_attr":
            values[node] = operator.attrgetter(node.target)(module)
        else:
            values[node] = _value(module, node, values)
    if not isinstance(values[nodes[-1]], Signal):
        raise InputError(f"a {type(module).__name__} gives no single tensor that depends on its input; wanted its scores")
    return values[nodes[-1]]


def _value(module: Any, node: Any, values: dict[Any, Any]) -> Any:
    """What a node makes of the values before it; what is constant there, PyTorch computes itself."""
    from torch.fx.node import map_arg

    args, kwargs = (map_arg(given, values.__getitem__) for given in (node.args, node.kwargs))
    if node.op == "output":
        return args[0]
    where, name = _where(node), _name(node)
    if node.op != "call_module" and not any(_is_computed(values[source]) for source in node.all_input_nodes):
        return getattr(args[0], name)(*args[1:], **kwargs) if node.op == "call_method" else node.target(*args, **kwargs)
    try:
        if node.op == "call_module":
            layer = module.get_submodule(node.target)
            stored = layer.running_mean, layer.running_var, layer.weight, layer.bias
            return FUNCTIONS["batch_norm"](where, *args, *stored, eps=layer.eps, **kwargs)
        if not _is_pytorchs(node, name) or name not in FUNCTIONS:
            raise InputError(f"{where} cannot be taken: {name} is not affine or linear in pieces, or lpnet does not follow it")
        return FUNCTIONS[name](where, *args, **kwargs)
    except InputError:
        raise
    except (TypeError, ValueError, IndexError, KeyError, AttributeError) as error:
        raise InputError(f"{where} cannot be taken ({shorten(str(error), 200)}); {EXPORT}") from None


def _is_computed(value: Any) -> bool:
    return isinstance(value, Signal) or (isinstance(value, list) and any(map(_is_computed, value)))


def _name(node: Any) -> str:
    """A function's name, without the _ of those that write into their input."""
    return str(getattr(node.target, "__name__", node.target)).removesuffix("_")


def _is_pytorchs(node: Any, name: str) -> bool:
    """Whether a function is the one that PyTorch or Python itself has under its name."""
    import torch

    homes = torch, torch.nn.functional, torch._C._nn, operator, builtins
    names = name, f"{name}_"
    return node.op == "call_method" or any(getattr(home, n, None) is node.target for home in homes for n in names)


def _where(node: Any) -> str:
    """A node's name in messages: that of PyTorch's own layer that it is in."""
    stack = list(node.meta.get("nn_module_stack", {}).values())
    name, kind = stack[-1] if stack else ("", type(None))
    if kind.__module__.startswith("torch.nn.modules") and kind.__name__ != "Sequential":
        return f"the layer {kind.__name__} {name!r}"
    return f"the operation {_name(node)} {node.name!r}" + (f" of {name!r}" if name else "")


def _input_shape(module: Any, nodes: list[Any], empty: Any) -> Shape:
    """The only shape of one point that goes through a module, found by trying sizes that occur in it.

    empty: the same module without numbers, to try them on.
    """
    sizes = list(dict.fromkeys(_sizes(module, nodes)))
    if not sizes:
        raise InputError("has no Linear layer; wanted hidden layers of ReLUs")
    fitting = [size for size in sizes if _fits(empty, (size,))]
    shapes: list[Shape] = [(size + more,) for size in fitting for more in (0, 1) if not more or _fits(empty, (size + 1,))]
    if not shapes:
        shapes = [shape for shape in _images(module) if _fits(empty, shape)]
    if len(shapes) > 1:
        raise InputError(
            f"the module takes inputs of several shapes, {str(shapes)[1:-1]:.60}; put a layer in front that "
            "says which: nn.Sequential(nn.Unflatten(1, SHAPE), model), or an nn.Linear whose weight is the identity"
        )
    return shapes[0] if shapes else (sizes[0],)


def _sizes(module: Any, nodes: list[Any]) -> Iterator[int]:
    """Sizes that the input may have, those that layers say first."""
    for layer in module.modules():
        yield from (getattr(layer, name) for name in ("in_features", "num_features") if hasattr(layer, name))
    for tensor in (*module.parameters(), *module.buffers()):
        yield from (*tensor.shape, tensor.numel())
    for node in nodes:
        for shape in (node.args[1:], *node.args[1:]) if _name(node) in ("view", "reshape", "unflatten") else ():
            wanted = [size for size in shape if isinstance(size, int) and size > 0] if isinstance(shape, tuple) else []
            yield from [prod(wanted)] if wanted else []


def _images(module: Any) -> Iterator[Shape]:
    """Shapes of sequences or square images, of as many channels as the first convolution takes."""
    kernels = [layer for layer in module.modules() if hasattr(layer, "in_channels")]
    for layer in kernels[:1]:
        count = layer.weight.ndim - 2
        yield from ((layer.in_channels, *(side,) * count) for side in range(1, LONGEST if count == 1 else MOST_SIDE))


def _fits(module: Any, shape: Shape) -> bool:
    import torch

    try:
        with torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return len(module(torch.empty(2, *shape, dtype=torch.float64, device="meta"))) == 2
    except Exception:  # whatever its layers raise
        return False


def _compare(module: Any, signal: Signal, shape: Shape) -> None:
    """InputError where the module itself answers otherwise at some points."""
    import torch

    points = points_for(signal)
    try:
        with torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a Softmax without dim
            answers = module(torch.from_numpy(points.reshape(-1, *shape))).numpy()
    except Exception as error:  # whatever its layers raise
        raise InputError(f"its own evaluation fails ({shorten(str(error), 200)})") from None
    check_same(signal, points, answers, np.finfo(np.float64), "its own evaluation")
