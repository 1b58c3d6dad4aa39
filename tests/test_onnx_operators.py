"""ONNX operators on images, along axes and on shapes: against PyTorch's own functions, onnx's evaluation and fractions."""

import io
from fractions import Fraction

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator
from test_onnx import model, nodes

from lpnet import InputError
from lpnet.io import levels, load
from lpnet.io.onnx_ import of_model
from lpnet.io.windows import convolution, pooling, transposed_convolution

torch = pytest.importorskip("torch")
rng = np.random.default_rng(11)
F32 = np.float32


def floats(*shape):
    return rng.standard_normal(shape).astype(F32)


def ints(*numbers):
    return np.array(numbers, dtype=np.int64)


def geometry(choose, axes, padded=True):
    kernel, strides, dilations = (choose.integers(1, most, axes).tolist() for most in (4, 4, 3))
    pads = [int(choose.integers(0, size // 2 + 1)) if padded else 0 for size in kernel]
    made = {"kernel_shape": kernel, "strides": strides, "dilations": dilations, "pads": pads * 2}
    sizes = [(size - 1) * step + int(choose.integers(1, 5)) for size, step in zip(kernel, dilations, strict=True)]
    return made, sizes


@pytest.mark.parametrize("seed", range(30))
def test_windows_are_those_of_pytorch(seed):
    choose = np.random.default_rng(seed)
    axes, groups = 1 + seed % 3, 1 + seed % 2
    made, sizes = geometry(choose, axes)
    x = choose.standard_normal((1, 2 * groups, *sizes))
    tensor = torch.tensor(x)
    functions = torch.nn.functional
    call = {"stride": made["strides"], "padding": made["pads"][:axes], "dilation": made["dilations"]}
    for name, turned in (("conv", convolution), ("conv_transpose", transposed_convolution)):
        shape = (2 * groups, 3) if name == "conv_transpose" else (3 * groups, 2)
        weight = choose.standard_normal((*shape, *made["kernel_shape"]))
        own = {"output_padding": [step - 1 for step in made["strides"]]} if name == "conv_transpose" else {}
        terms = turned({**made, **own, "group": groups}, x.shape, weight)
        found = (np.append(0, x)[terms.numbers] * terms.weights).sum(axis=-1).reshape(terms.shape)
        wanted = getattr(functions, f"{name}{axes}d")(tensor, torch.tensor(weight), groups=groups, **call, **own)
        np.testing.assert_allclose(found, wanted.numpy(), atol=1e-12)
    rounded = seed % 2 == 0
    found = np.append(-np.inf, x)[pooling({**made, "ceil_mode": rounded}, x.shape)[0]].max(axis=-1)
    wanted = getattr(functions, f"max_pool{axes}d")(tensor, made["kernel_shape"], ceil_mode=rounded, **call)
    np.testing.assert_array_equal(found, wanted.numpy())
    del call["dilation"], made["dilations"]
    attributes = {**made, "ceil_mode": rounded, "count_include_pad": seed % 4 // 2}
    groups_of, counts = pooling(attributes, x.shape)
    found = np.append(0, x)[groups_of].sum(axis=-1) / counts[..., 0]
    own = {"ceil_mode": rounded, "count_include_pad": bool(seed % 4 // 2)}
    wanted = getattr(functions, f"avg_pool{axes}d")(tensor, made["kernel_shape"], **call, **own)
    np.testing.assert_allclose(found, wanted.numpy(), atol=1e-12)


IMAGE = ("n", 2, 4, 4)
STORED = {
    "K": floats(4, 1, 2, 2),
    "L": floats(4, 4, 2, 2),
    "T": floats(2, 2, 3, 3),
    "b": floats(4),
    "v": np.abs(floats(4)) + F32(0.1),
    "s": floats(4, 1, 1),
    "half": F32(0.5),
    "pads": ints(0, 0, 1, 0, 0, 0, 0, 1),
    "axes": ints(2, 3),
    "channel": ints(1),
    "twice": ints(1, 2, 1, 1),
    "parts": ints(1, 3),
    "from": ints(-1),
    "to": ints(-9),
    "back": ints(-1),
    "rows": ints(3, 0, 0),
    "one": ints(1),
    "wide": ints(3, 2, 4, 4),
    "flat": ints(0, -1),
    "mask": rng.random((4, 4)) < 0.5,
    "places": ints([[0, 1, 2, 3]], [[1, 0, 0, 2]]),
}
OPERATORS = {
    "conv, groups": "a = Conv x K b group=2 strides=[2,1] pads=[1,0,0,1] | h = Relu a",
    "conv, dilations, automatic": "a = Conv x K group=2 dilations=[2,1] auto_pad='SAME_LOWER' | h = Relu a",
    "conv behind conv": "a = Conv x K b group=2 auto_pad='SAME_UPPER' | e = Conv a L b | h = Relu e",
    "transposed conv": "a = ConvTranspose x T strides=[2,2] output_padding=[1,0] pads=[1,1,0,1] | h = Relu a",
    "transposed conv, shape": "a = ConvTranspose x T strides=[2,2] output_shape=[8,9] auto_pad='SAME_UPPER' | h = Relu a",
    "max pool": "a = Conv x K group=2 | r = Relu a | h = MaxPool r kernel_shape=[2,2]",
    "max pool of sums": "a = Conv x K group=2 | h = MaxPool a kernel_shape=[2,3] pads=[1,1,0,1] strides=[2,1]",
    "average pool": "r = Relu x | h = AveragePool r kernel_shape=[3,2] pads=[1,0,1,1] count_include_pad=1",
    "average pool of edges": "r = Relu x | h = AveragePool r kernel_shape=[3,2] strides=[2,2] ceil_mode=1",
    "global": "r = Abs x | g = GlobalAveragePool r | m = GlobalMaxPool r | h = Concat g m axis=1",
    "batch normalisation": "a = Conv x K group=2 | e = BatchNormalization a b b b v | h = LeakyRelu e alpha=0.25",
    "slopes": "a = Conv x K group=2 | h = PRelu a s",
    "means": "r = Relu x | m = ReduceMean r axes=[-1] keepdims=0 | h = Sub m half",
    "sums": "r = Relu x | h = ReduceSum r axes",
    "largest": "h = ReduceMax x axes=[1,3]",
    "least": "r = Relu x | h = ReduceMin r axes=[2] keepdims=0",
    "sizes": "h = ReduceL1 x axes=[1]",
    "sum and mean": "r = Relu x | a = Sum x r x | e = Mean r half x | h = Add a e",
    "padded": "p = Pad x pads half | h = Relu p",
    "reflected": "p = Pad x pads mode='reflect' | h = Relu p",
    "repeated": "t = Tile x twice | e = Unsqueeze t one | f = Squeeze e one | h = Relu f",
    "expanded": "e = Unsqueeze x one | f = Squeeze e one | g = Expand f wide | h = Relu g",
    "turned": "t = Slice x from to axes2 back | h = Relu t",
    "gathered": "g = Gather x rows axis=-1 | t = Transpose g perm=[0,3,1,2] | h = Relu t",
    "one entry": "g = Gather x one0 axis=2 | h = Relu g",
    "elements": "f = Reshape x flat | g = Reshape f four | e = GatherElements g places axis=0 | h = Relu e",
    "deep": "k = Tile x four1 | d = DepthToSpace k blocksize=2 | e = SpaceToDepth d blocksize=4 | h = Relu e",
    "masked": "w = Where mask x half | h = Relu w",
    "shape arithmetic": "n = Shape x | c = Gather n one0 | m = Mul c c | u = Unsqueeze m zero | q = Concat u back axis=0"
    " | f = Reshape x q | h = Relu f",
    "constants of a shape": "n = Shape x | o = ConstantOfShape n | a = Sub x o | h = Relu a",
    "constants between": "e = Unsqueeze s zero | t = Tile e spread | g = Concat x t axis=1 | h = Relu g",
    "by matrices": "m = MatMul left x | q = MatMul m right | h = Relu q",
    "float16": "c = Cast half to=10 | a = Cast x to=10 | e = Add a c | f = Cast e to=1 | h = Relu f",
}
STORED |= {"axes2": ints(3), "one0": np.int64(1), "four": ints(4, 8), "four1": ints(1, 8, 1, 1), "zero": ints(0)}
STORED |= {"spread": ints(1, 1, 4, 4), "left": floats(2, 3, 4), "right": floats(4, 2), "places": rng.integers(0, 4, (4, 8))}


def ended(text, opset=17, x=IMAGE):
    """The model with two sums of all of h as outputs."""
    body = nodes(text)
    used = {name: array for name, array in STORED.items() if any(name in node.input for node in body)}
    body = model(body, used, x=x, opset=opset)
    body.graph.output[0].name = "h"
    shape = [size if isinstance(size, int) else 1 for size in x]
    (made,) = ReferenceEvaluator(body).run(None, {"x": np.zeros(shape, F32)})
    last = np.random.default_rng(5).standard_normal((made.size, 2)).astype(F32)
    body.graph.initializer.extend([numpy_helper.from_array(last, "last"), numpy_helper.from_array(ints(1, -1), "row")])
    body.graph.node.extend(nodes("z = Reshape h row | y = MatMul z last"))
    body.graph.output[0].name = "y"
    return body


def scores(given, points):
    """f of the model at points, in float32 as it computes."""
    shape = [dim.dim_value or 1 for dim in given.graph.input[0].type.tensor_type.shape.dim]
    evaluator = ReferenceEvaluator(given)
    answers = np.array([evaluator.run(None, {"x": point.reshape(shape)})[0][0] for point in points.astype(F32)], dtype=float)
    return answers[:, 1] - answers[:, 0]


@pytest.mark.parametrize("name", OPERATORS)
def test_operators_are_read_as_onnx_evaluates_them(name):
    given = ended(OPERATORS[name])
    network = load(given)
    points = np.random.default_rng(2).standard_normal((20, network.inputs)).astype(F32)
    wanted = scores(given, points)
    tolerance = 1e-2 if name == "float16" else 1e-5
    np.testing.assert_allclose(network.score(points), wanted, atol=tolerance * np.abs(wanted).max())


@pytest.mark.parametrize(
    ("opset", "text"),
    [
        (9, "p = Pad x pads=[0,0,1,0,0,0,0,1] value=0.5 | h = Relu p"),
        (11, "a = Split x axis=2 split=[1,3] | h = Relu a"),
        (13, "a = Split x parts axis=3 | h = Relu a"),
        (18, "a = ReduceMean x axes keepdims=0 | h = Relu a"),
        (18, "a = Split x axis=2 num_outputs=2 | h = Relu a"),
        (9, "a = Upsample x scales | h = Relu a"),
    ],
)
def test_attributes_of_all_times(opset, text):
    STORED["scales"] = F32([1, 1, 2, 2])
    body = nodes(text)
    if body[0].op_type == "Split":
        body[0].output.append("rest")
    given = model(body, {name: array for name, array in STORED.items() if name in body[0].input}, x=IMAGE, opset=opset)
    given.graph.output[0].name = "h"
    (made,) = ReferenceEvaluator(given).run(None, {"x": np.zeros((1, *IMAGE[1:]), F32)})
    given.graph.initializer.extend(
        [numpy_helper.from_array(floats(made.size, 2), "last"), numpy_helper.from_array(ints(1, -1), "row")]
    )
    given.graph.node.extend(nodes("z = Reshape h row | y = MatMul z last"))
    given.graph.output[0].name = "y"
    network = load(given)
    points = floats(20, network.inputs)
    np.testing.assert_allclose(network.score(points), scores(given, points), atol=1e-4)


def test_a_network_of_convolutions_and_residues_from_pytorch(tmp_path):
    torch.manual_seed(1)
    layers = torch.nn

    class Block(layers.Module):
        def __init__(self):
            super().__init__()
            self.first, self.second = (layers.Conv2d(2, 2, 3, padding=1) for _ in range(2))
            self.normal = layers.BatchNorm2d(2)

        def forward(self, x):
            return torch.relu(x + self.second(torch.relu(self.normal(self.first(x)))))

    net = layers.Sequential(
        layers.Conv2d(1, 2, 3), Block(), layers.MaxPool2d(2), layers.ReLU6(), layers.Flatten(), layers.Linear(8, 2)
    ).eval()
    file = io.BytesIO()
    with pytest.deprecated_call():
        torch.onnx.export(net, (torch.zeros(1, 1, 6, 6),), file, dynamo=False)
    network = load(onnx.load_from_string(file.getvalue()))
    points = np.random.default_rng(3).standard_normal((50, 36))
    with torch.no_grad():
        wanted = net.double()(torch.tensor(points).reshape(-1, 1, 6, 6)).numpy()
    # the exporter folds the normalisation in float32
    np.testing.assert_allclose(network.score(points), wanted[:, 1] - wanted[:, 0], atol=1e-5)


def test_a_mean_is_exact():
    """Of three: thirds, which no float is."""
    network = load(model("r = Relu x | m = ReduceMean r axes=[1] | y = Mul m w", {"w": F32(0.7)}, x=("n", 3)))
    assert list(network.output_weight) == [Fraction(float(F32(0.7))) / 3] * 3


def test_a_pair_is_compared_once():
    """Four windows of two of the last three columns have seven pairs of neighbours; maxima come in front of ReLUs."""
    pool = "MaxPool {} kernel_shape=[2,1] strides=[1,1]"
    stored = {"K": floats(1, 1, 1, 1), "w": floats(6, 1), "row": ints(1, -1)}
    text = f"a = Conv x K | r = Relu a | h = {pool.format('r')} | z = Reshape h row | y = MatMul z w"
    assert load(model(text, stored, x=("n", 1, 3, 3))).relus == 6 + 6
    text = f"h = {pool.format('x')} | z = Reshape h row | y = MatMul z w"
    assert load(model(text, stored, x=("n", 1, 3, 3))).relus == 6
    text = "h = MaxPool x kernel_shape=[3,3] strides=[1,1] | z = Reshape h row | y = MatMul z w"
    four = model(text, stored | {"w": floats(4, 1)}, x=("n", 1, 4, 4))
    assert load(four).relus < 4 * 8


@pytest.mark.parametrize("kind", ["float16", "bfloat16"])
def test_short_floats_are_read_exactly(kind):
    if kind == "bfloat16":
        kind = pytest.importorskip("ml_dtypes").bfloat16
    stored = {"U": floats(3, 4).astype(kind), "W": floats(4, 1).astype(kind)}
    dtype = onnx.helper.np_dtype_to_tensor_dtype(stored["U"].dtype)
    network = load(model("a = MatMul x U | h = Relu a | y = MatMul h W", stored, x=("n", 3), dtype=dtype))
    np.testing.assert_array_equal(network.hidden_weight, stored["U"].astype(float).T)


def test_what_the_model_computes_of_constants_is_said():
    text = "v = Sqrt u | w = Div one v | a = Mul x w | h = Relu a | y = ReduceSum h axes keepdims=0"
    reading = of_model(model(text, {"u": F32([2, 3]), "one": F32(1), "axes": ints(1)}, x=("n", 2)))
    assert reading.notes[0] == "constants: those that Sqrt 'make_v', Div 'make_w' make, rounded as the model itself does"
    wanted = np.diag(F32(1) / np.sqrt(F32([2, 3]))).astype(float)
    np.testing.assert_array_equal(reading.network.input_layer.weight, wanted)


LONG = {"n": ints(10**6, 10**6)}
BAD = {
    "smooth": ("a = Relu x | y = Erf a", {}, "the node Erf 'make_y' cannot be taken"),
    "jumps": ("y = ThresholdedRelu x alpha=1.0", {}, "the node ThresholdedRelu 'make_y' cannot be taken"),
    "attention": ("h = Relu x | y = MatMul h h", {}, "MatMul 'make_y' combines two computed values"),
    "softmax within": (
        "r = Relu x | h = Flatten r | p = Softmax h axis=-1 | y = Mul p two",
        {"two": F32(2)},
        "Mul 'make_y' comes behind Softmax",
    ),
    "too long": ("c = ConstantOfShape n | y = Add x c", LONG, "ConstantOfShape 'make_c' makes 1000000000000 numbers"),
    "wider": ("z = Tile x n | y = Relu z", {"n": ints(1, 1, 10**6, 10**6)}, "Tile 'make_z' makes 16000000000000 numbers"),
    "of no shape": ("z = Expand x n | y = Relu z", LONG, "Expand 'make_z' does not fit"),
    "other channels": ("y = Conv x K", {"K": floats(1, 3, 1, 1)}, "Conv 'make_y' does not fit"),
    "new entries": (
        "z = Resize x _ s mode='linear' | y = Relu z",
        {"s": F32([1, 1, 2, 2])},
        "Resize 'make_z' computes new entries",
    ),
    "random": ("r = RandomNormal shape=[2] | y = Add x r", {}, "the node RandomNormal 'make_r' cannot be taken"),
    "a rearranging": ("y = Transpose x perm=[0,7]", {}, "Transpose 'make_y' does not fit"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_not_linear_in_pieces_is_refused_by_node(name):
    text, stored, words = BAD[name]
    with pytest.raises(InputError) as caught:
        load(model(text, stored, x=("n", 1, 4, 4)))
    assert words in str(caught.value)


def test_constants_are_computed_within_bounds():
    text = " | ".join(f"c{k} = ConstantOfShape n" for k in range(11)) + " | y = Sum x " + " ".join(f"c{k}" for k in range(11))
    with pytest.raises(InputError, match="makes 110000000 constants with those before it"):
        load(model(text, {"n": ints(10**7)}, x=("n", 1)))


def test_layers_beyond_memory_are_refused(monkeypatch):
    monkeypatch.setattr(levels, "MOST_NUMBERS", 40)
    given = model("a = MatMul x U | h = Relu a | b = MatMul h V | g = Relu b | y = MatMul g W",
                  {"U": floats(3, 4), "V": floats(4, 4), "W": floats(4, 1)}, x=("n", 3))  # fmt: skip
    assert load(given).relus == 8
    monkeypatch.setattr(levels, "MOST_NUMBERS", 39)
    with pytest.raises(
        InputError, match="has 8 ReLUs on 2 levels behind 3 inputs; lpnet, which keeps each level as a full table"
    ):
        load(given)


def test_several_outputs_of_a_node_may_be_used():
    text = [*nodes("h = Relu x"), onnx.helper.make_node("Split", ["h"], ["p", "q"], axis=1), *nodes("y = Sub p q")]
    network = load(model(text, {}, x=("n", 2), opset=13, outputs=[]))
    points = floats(50, 2)
    np.testing.assert_allclose(network.score(points), np.maximum(points, 0) @ [1, -1], atol=1e-7)


@pytest.mark.parametrize("per_row", [False, True])
def test_quantised_weights(per_row, tmp_path):
    """Weights stored as int8, or quantised in the graph, are those numbers that the runtime makes of them."""
    rng = np.random.default_rng(3)
    weight, last = rng.normal(size=(3, 2)).astype(np.float32), rng.normal(size=(1, 3)).astype(np.float32)
    scale = (np.abs(weight).max(axis=1) / 127 if per_row else np.abs(weight).max() / 127).astype(np.float32)
    zero = np.array([3, -2, 0] if per_row else 5, dtype=np.int8)
    kept = np.clip(np.rint(weight / np.reshape(scale, (-1, 1))) + np.reshape(zero, (-1, 1)), -128, 127).astype(np.int8)
    nodes = [
        helper.make_node("QuantizeLinear", ["W", "s", "z"], ["Q"], axis=0),
        helper.make_node("DequantizeLinear", ["Q", "s", "z"], ["D"], axis=0),
        helper.make_node("Gemm", ["x", "D", "b"], ["h"], transB=1),
        helper.make_node("Relu", ["h"], ["r"]),
        helper.make_node("Gemm", ["r", "L"], ["y"], transB=1),
    ]
    stored = {"W": weight, "s": scale, "z": zero, "b": np.ones(3, np.float32), "L": last}
    files = tmp_path / "graph.onnx", tmp_path / "stored.onnx"
    for file, own, kept_in in zip(files, (nodes, nodes[1:]), (stored, {**stored, "Q": kept}), strict=True):
        numbers = [numpy_helper.from_array(array, name) for name, array in kept_in.items() if own is nodes or name != "W"]
        ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, n]) for name, n in (("x", 2), ("y", 1))]
        graph = helper.make_graph(own, "quantised", ends[:1], ends[1:], numbers)
        onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9), file)
        made = load(file)
        wanted = (kept.astype(np.float32) - np.reshape(zero, (-1, 1))) * np.reshape(scale, (-1, 1))
        np.testing.assert_array_equal(made.hidden_weight, wanted.astype(np.float64))
    computed = [helper.make_node("QuantizeLinear", ["x", "t", "z"], ["Q"]), helper.make_node("MatMul", ["Q", "M"], ["y"])]
    given = {"t": np.float32(0.1), "z": np.int8(0), "M": np.ones((2, 1), np.float32)}
    numbers = [numpy_helper.from_array(np.asarray(array), name) for name, array in given.items()]
    graph = helper.make_graph(computed, "q", ends[:1], ends[1:], numbers)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9), files[0])
    with pytest.raises(InputError, match="quantises computed values"):
        load(files[0])
