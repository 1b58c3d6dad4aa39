"""ONNX graphs in the styles of the usual exporters are read as onnx itself evaluates them; all others are refused by node."""

import ast
import contextlib
import re
from dataclasses import replace
from fractions import Fraction

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx.inliner import inline_local_functions
from onnx.reference import ReferenceEvaluator

from lpnet import InputError
from lpnet.io import load, onnx_
from lpnet.io.signal import Signal

D, N = 3, 5
rng = np.random.default_rng(7)
U, B = rng.standard_normal((N, D)).astype(np.float32), rng.standard_normal(N).astype(np.float32)
W1, C1 = rng.standard_normal((1, N)).astype(np.float32), rng.standard_normal(1).astype(np.float32)
W2, C2 = rng.standard_normal((2, N)).astype(np.float32), rng.standard_normal(2).astype(np.float32)
W4, C4 = rng.standard_normal((4, N)).astype(np.float32), rng.standard_normal(4).astype(np.float32)


def nodes(text):
    """Nodes written as "output = Operator inputs attribute=value | …", "_" for an input left out; named after their outputs."""
    return [_node(*line.split()) for line in text.split("|")]


def _node(output, equals, operator, *words):
    attributes = {key: ast.literal_eval(value) for key, value in (word.split("=") for word in words if "=" in word)}
    inputs = ["" if word == "_" else word for word in words if "=" not in word]
    return helper.make_node(operator, inputs, [output], f"make_{output}", **attributes)


def model(graph, stored, x=("batch", D), dtype=TensorProto.FLOAT, opset=17, ir_version=8, inputs=(), outputs=()):
    """A model of the graph (nodes or their text) with input x, output y and stored tensors."""
    graph = nodes(graph) if isinstance(graph, str) else graph
    tensors = [numpy_helper.from_array(np.asarray(array), name) for name, array in stored.items()]
    ends = info("x", dtype, x), info("y", dtype)
    graph = helper.make_graph(graph, "g", [ends[0], *inputs], [ends[1], *outputs], tensors)
    domains = [helper.make_opsetid("", opset), helper.make_opsetid("ai.onnx.ml", 3)]
    return helper.make_model(graph, opset_imports=domains, ir_version=ir_version)


def info(name, dtype=TensorProto.FLOAT, shape=None):
    return helper.make_tensor_value_info(name, dtype, shape)


def constant(name, array):
    return helper.make_node("Constant", [], [name], f"make_{name}", value=numpy_helper.from_array(np.asarray(array), name))


M, S = np.float32([0.3, -1.7, 2.1]), np.float32([0.5, 3.0, 0.7])
T = rng.standard_normal((D, D)).astype(np.float32)
V = rng.standard_normal((N, N)).astype(np.float32)
ONE = {"U": U, "B": B, "W": W1, "C": C1}
TWO = {"U": U, "B": B, "W": W2, "C": C2}
FOUR = {"U": U, "B": B, "W": W4, "C": C4}
KERNELS = {"UT": U.T, "B": B, "WT": W1.T, "C": C1}
COLUMN = {"U": U, "B": B[:, None], "W": W1, "C": C1}
DOUBLE = {name: array.astype(np.float64) for name, array in ONE.items()}
HEAD = "a = Gemm x U B transB=1 | h = Relu a"
FROM_Z = "a = Gemm z U B transB=1 | h = Relu a | y = Gemm h W C transB=1"
SCORE = f"{HEAD} | s = Gemm h W C transB=1"
GEMMS = f"{HEAD} | y = Gemm h W C transB=1"
MATMULS = "p = MatMul x UT | a = Add p B | h = Relu a | q = MatMul h WT | y = Add q C"
CLIPPED = MATMULS.replace("Relu a", "Clip a {}")
NORMAL = "z = BatchNormalization x S M M V epsilon=0.001 | a = Gemm z UT B | h = Relu a | y = Gemm h WT C"
LEFT = "p = MatMul U x | a = Add p B | h = Relu a | q = MatMul W h | y = Add q C"
INT = np.int64

GOOD = {
    "second hidden layer": model(
        f"{HEAD} | g = Gemm h V | r = Relu g | y = Gemm r W C transB=1", {**ONE, "V": np.eye(N, dtype=np.float32)}
    ),
    "residual": model(f"{HEAD} | r = Add h a | y = Gemm r W C transB=1", ONE),
    "skips": model(
        "a = Gemm x U B transB=1 | h = Relu a | c = Concat x h axis=1 | d = Gemm c E | e = Relu d | f = Add e h | g = Gemm f W"
        " transB=1 | s = MatMul x Q | y = Sub g s",
        {**ONE, "E": np.vstack([U.T, V]), "Q": U[:1].T},
    ),
    "leaky, abs": model(
        "a = Gemm x U B transB=1 | h = LeakyRelu a alpha=0.1 | b = MatMul h V | c = Abs b | d = Neg c | p = MatMul d V"
        " | e = PRelu p B | y = Gemm e W C transB=1",
        {**ONE, "V": V},
    ),
    "clips": model(
        "a = Gemm x U B transB=1 | h = Clip a low high | b = MatMul h V | c = HardSigmoid b alpha=0.25"
        " | y = Gemm c W C transB=1",
        {**ONE, "V": V, "low": np.float32(-0.7), "high": np.float32(1.3)},
    ),
    "old clip": model("a = Gemm x U B transB=1 | h = Clip a min=1.0 | y = Gemm h W C transB=1", ONE, opset=10, ir_version=4),
    "extremes": model(
        "a = Gemm x U B transB=1 | b = MatMul x T | c = Concat b x axis=1 | h = Slice c from to ones | d = Max a h B"
        " | e = Min d C a h | y = Gemm e W C transB=1",
        {**ONE, "T": T, "from": INT([0]), "to": INT([N]), "ones": INT([1])},
    ),
    "pytorch": model(GEMMS, ONE),
    "pytorch, sigmoid": model(f"{SCORE} | y = Sigmoid s", ONE),
    "fixed batch of one": model(GEMMS, ONE, x=(1, D)),
    "fixed batch": model(GEMMS, ONE, x=(6, D)),
    "fixed batch beyond the points": model(GEMMS, ONE, x=(100, D)),
    "old opset": model(GEMMS, ONE, opset=9, ir_version=4),
    "opset 11, softmax": model(f"{SCORE} | y = Softmax s", TWO, opset=11, ir_version=6),
    "new opset": model(GEMMS, ONE, opset=21, ir_version=10),
    "initializers are inputs": model(
        GEMMS, ONE, opset=9, ir_version=3, inputs=[info(n, shape=a.shape) for n, a in ONE.items()]
    ),
    "gemm without trans": model("a = Gemm x UT B | h = Relu a | y = Gemm h WT C", KERNELS),
    "gemm without C": model("a = Gemm x U transB=1 | h = Relu a | y = Gemm h W transB=1", ONE),
    "gemm with C left out": model("a = Gemm x U _ transB=1 | h = Relu a | y = Gemm h W C transB=1", ONE),
    "alpha, beta": model(
        "a = Gemm x U B transB=1 alpha=0.3 beta=-1.7 | h = Relu a | y = Gemm h W C transB=1 alpha=-2.5 beta=0.0", ONE
    ),
    "gemm on a column": model("a = Gemm x UT B transA=1 | h = Relu a | y = Gemm h WT C", KERNELS, x=(D, 1)),
    "gemm from the left": model("a = Gemm U x B | h = Relu a | y = Gemm W h C", COLUMN, x=(D, 1)),
    "matmul, add": model(MATMULS, KERNELS),
    "matmul, bias first": model("p = MatMul x UT | a = Add B p | h = Relu a | q = MatMul h WT | y = Add C q", KERNELS),
    "matmul without bias": model("a = MatMul x UT | h = Relu a | y = MatMul h WT", KERNELS),
    "one column": model(LEFT, COLUMN, x=(D, 1)),
    "columns": model(LEFT, COLUMN, x=(D, "batch")),
    "as many outputs as rows in a column": model(LEFT, {**COLUMN, "U": U[:, :2], "W": W2, "C": C2[:, None]}, x=(2, "batch")),
    "one vector": model(MATMULS, KERNELS, x=(D,)),
    "one vector from the left": model(LEFT, ONE, x=(D,)),
    "output weights as a vector": model(MATMULS, {**KERNELS, "WT": W1[0], "C": C1[0]}),
    "rank three": model(MATMULS, KERNELS, x=("batch", 1, D)),
    "double": model(GEMMS, DOUBLE, dtype=TensorProto.DOUBLE),
    "double, cast": model(
        "z = Cast x to=1 | a = Gemm z U B transB=1 | h = Relu a | s = Gemm h W C transB=1 | y = Cast s to=11",
        ONE,
        dtype=TensorProto.DOUBLE,
    ),
    "constants as nodes": model([*(constant(name, array) for name, array in ONE.items()), *nodes(GEMMS)], {}),
    "stored sideways": model(
        f"UT = Transpose U | c = Cast b to=1 | B = Unsqueeze c axes | {MATMULS}",
        {"U": U, "b": B.astype(np.float64), "axes": INT([0]), "WT": W1.T, "C": C1},
    ),
    "an image": model(f"z = Flatten x | {FROM_Z}", ONE, x=("n", 1, 1, D)),
    "reshapes": model(
        "t = Reshape x wide | z = Squeeze t axis | a = Gemm z U B transB=1 | i = Identity a | r = Relu i | h = Dropout r"
        " | s = Gemm h W C transB=1 | y = Reshape s flat",
        {**ONE, "wide": INT([0, -1, 1]), "axis": INT([2]), "flat": INT([-1])},
    ),
    "old axes": model(f"t = Unsqueeze x axes=[1] | z = Squeeze t axes=[1] | {FROM_Z}", ONE, opset=11, ir_version=6),
    "transposed in front": model(f"z = Transpose x perm=[1,0] | {FROM_Z}", ONE, x=(D, "n")),
    "slice without axes": model(
        f"z = Slice x from to | {FROM_Z}", {**ONE, "from": INT([0, 1]), "to": INT([1, D + 1])}, x=("n", D + 1)
    ),
    "slice of the first axes": model(f"z = Slice x from to _ _ | {FROM_Z}", {**ONE, "from": INT([0]), "to": INT([9])}),
    "old slice": model(f"z = Slice x axes=[1] starts=[1] ends=[99] | {FROM_Z}", ONE, x=("n", D + 1), opset=9, ir_version=4),
    "old slice without axes": model(
        f"z = Slice x starts=[0,0] ends=[9,-1] | {FROM_Z}", ONE, x=("n", D + 1), opset=9, ir_version=4
    ),
    "inputs as units": model("h = Relu x | y = MatMul h w", {"w": W1[:, :D].T}),
    "one input, fixed batch": model(MATMULS, {**KERNELS, "UT": U.T[:1]}, x=(6, 1)),
    "a table for a vector": model(
        f"z = Reshape x s | {FROM_Z}", {**ONE, "U": np.tile(U, (1, 2)), "s": INT([1, 2 * D])}, x=(2, D)
    ),
    "unnamed nodes": model([helper.make_node("MatMul", ["x", "UT"], ["a"]), *nodes("h = Relu a | y = MatMul h WT")], KERNELS),
    "two outputs": model(GEMMS, TWO),
    "two outputs, softmax": model(f"{SCORE} | y = Softmax s", TWO),
    "two outputs, sigmoid": model(f"{SCORE} | t = Sigmoid s | y = Identity t", TWO),
    "two outputs, column softmax": model(
        "p = MatMul U x | a = Add p B | h = Relu a | q = MatMul W h | y = Softmax q axis=0", {**COLUMN, "W": W2}, x=(D, 1)
    ),
    # As tf2onnx and keras2onnx write Keras models
    "tf2onnx, normalised": model(f"d = Sub x M | z = Mul d S | {MATMULS.replace(' x ', ' z ')}", {**KERNELS, "M": M, "S": S}),
    "tf2onnx, two layers": model(
        f"e = MatMul x T | z = Add e E | {MATMULS.replace(' x ', ' z ')}", {**KERNELS, "T": T, "E": M}
    ),
    "tf2onnx, batch normalisation": model(
        "d = Mul x S | z = Add d M | p = MatMul z UT | b = Add p B | c = Mul b G | a = Add c B | h = Relu a | y = MatMul h WT",
        {**KERNELS, "M": M, "S": S, "G": B},
    ),
    "tf2onnx, transposed weights": model(
        f"UT = Transpose U perm=[1,0] | WT = Transpose W perm=[1,0] | {MATMULS}", {"U": U, "B": B, "W": W1, "C": C1}
    ),
    "keras2onnx, batch normalisation": model(
        "z = BatchNormalization x S M M V epsilon=0.001 | p = MatMul z UT | a = Add p B | h = Relu a | q = MatMul h WT"
        " | s = Add q C | t = Sigmoid s | y = Identity t",
        {**KERNELS, "M": M, "S": S, "V": S * S},
    ),
    "keras2onnx, clipped from 0": model(CLIPPED.format("zero"), {**KERNELS, "zero": np.float32(0)}, opset=11, ir_version=6),
    "keras2onnx, clipped from 0 by an attribute": model(CLIPPED.format("min=0.0"), KERNELS, opset=8, ir_version=4),
    "keras2onnx, channels last": model(
        f"t = Transpose x perm=[0,2,3,1] | z = Reshape t s | {FROM_Z}", {**ONE, "s": INT([-1, D])}, x=("n", D, 1, 1)
    ),
    "a scaler in front": model(
        [
            helper.make_node("Scaler", ["x"], ["z"], "s", domain="ai.onnx.ml", offset=M.tolist(), scale=S.tolist()),
            *nodes(FROM_Z),
        ],
        ONE,
    ),
    "divided, one from zero": model(f"d = Div x S | z = Sub M d | {FROM_Z}", {**ONE, "M": M, "S": S}),
    "two layers behind": model(f"{HEAD} | g = Gemm h V B | y = Gemm g W C transB=1", {**ONE, "V": V}),
    "log softmax": model(f"{SCORE} | y = LogSoftmax s", TWO),
    "tanh": model(f"{SCORE} | y = Tanh s", ONE),
    "a label too": model(f"{GEMMS} | label = ArgMax y axis=1", TWO, outputs=[info("label", TensorProto.INT64)]),
    "scores too": model(f"{HEAD} | s = Gemm h W C transB=1 | y = Softmax s", TWO, outputs=[info("s")]),
    "a map": model(
        [*nodes(SCORE), helper.make_node("ZipMap", ["s"], ["y"], domain="ai.onnx.ml", classlabels_int64s=[0, 1])], TWO
    ),
    "constants computed": model(f"B2 = Add B B | {GEMMS.replace(' B ', ' B2 ')}", ONE),
    "own shape": model(f"n = Shape x | z = Reshape x n | {FROM_Z}", ONE),
    "dead ends": model(f"{GEMMS} | dead = Conv x U", ONE),
    "four outputs": model(GEMMS, FOUR),
    "four outputs, softmax": model(f"{SCORE} | y = Softmax s", FOUR),
}
PAIRS = {"four outputs": (3, 1), "four outputs, softmax": (0, 2), "two outputs, sigmoid": (0, 1)}


@pytest.fixture
def read(tmp_path):
    def read_model(given, outputs=None):
        path = tmp_path / "model.onnx"
        path.write_bytes(given if isinstance(given, bytes) else given.SerializeToString())
        return load(path, outputs)

    return read_model


def evaluate(given, points):
    """onnx's own answer for each point: (points, outputs)."""
    x = given.graph.input[0]
    sizes = [dim.dim_value for dim in x.type.tensor_type.shape.dim]
    fixed_batch = sizes[0] > 1 and np.prod(sizes) > points.shape[1]
    batch = sizes[0] if fixed_batch else 1
    shape = [batch if fixed_batch and axis == 0 else size or 1 for axis, size in enumerate(sizes)]
    dtype = helper.tensor_dtype_to_np_dtype(x.type.tensor_type.elem_type)
    if given.graph.node[-1].op_type in ("Conv", "ZipMap"):  # a dead end, and what onnx's evaluator does not know
        given = onnx.ModelProto.FromString(given.SerializeToString())
        last = given.graph.node.pop()
        given.graph.output[0].name = "y" if last.op_type == "Conv" else last.input[0]
    evaluator = ReferenceEvaluator(given)
    chunks = [np.repeat(point[None], batch, axis=0).astype(dtype).reshape(shape) for point in points]
    return np.array(
        [np.ravel(evaluator.run(None, {"x": chunk})[0]).reshape(batch, -1)[0] for chunk in chunks], dtype=np.float64
    )


@pytest.mark.parametrize("name", GOOD)
def test_a_reading_agrees_with_onnx(read, name):
    given = GOOD[name]
    network = read(given, PAIRS.get(name))
    points = np.random.default_rng(1).standard_normal((200, network.inputs)).astype(np.float32) * 2
    answers = evaluate(given, points)
    first, second = PAIRS.get(name, (1, 0))
    ends_in_sigmoid = any(node.op_type == "Sigmoid" for node in given.graph.node)
    margin = answers[:, first] - answers[:, second] if answers.shape[1] > 1 else answers[:, 0] - 0.5 * ends_in_sigmoid
    clear = np.abs(margin) > 1e-5
    assert clear.mean() > 0.8
    np.testing.assert_array_equal(network(points)[clear], np.where(margin >= 0, 1, -1)[clear])


@pytest.mark.parametrize(
    "name", ["pytorch", "matmul, add", "one column", "columns", "constants as nodes", "stored sideways", "reshapes"]
)
def test_float32_weights_are_read_exactly(read, name):
    network = read(GOOD[name])
    for read_numbers, stored in [(network.hidden_weight, U), (network.hidden_bias, B), (network.output_weight, W1[0])]:
        np.testing.assert_array_equal(read_numbers, stored.astype(np.float64))
    assert network.output_bias == C1[0]


def test_the_difference_of_two_rows(read):
    network = read(GOOD["two outputs, softmax"])
    np.testing.assert_array_equal(network.output_weight, W2[1].astype(np.float64) - W2[0])
    assert network.output_bias == float(C2[1]) - float(C2[0])
    np.testing.assert_array_equal(read(GOOD["two outputs"], (0, 1)).output_weight, -network.output_weight)


def test_transb_makes_another_network(read):
    """The same square weights with and without transB."""
    stored = {"U": T, "B": M, "W": W1[:, :D], "C": C1}
    plain, turned = (model(f"a = Gemm x U B transB={t} | h = Relu a | y = Gemm h W C transB=1", stored) for t in (0, 1))
    np.testing.assert_array_equal(read(plain).hidden_weight, T.T.astype(np.float64))
    np.testing.assert_array_equal(read(turned).hidden_weight, T.astype(np.float64))
    left = model("a = MatMul U x | h = Relu a | y = MatMul W h", stored, x=(D, 1))
    right = model("a = MatMul x U | h = Relu a | y = MatMul h WT", {"U": T, "WT": W1[:, :D].T}, x=(1, D))
    np.testing.assert_array_equal(read(left).hidden_weight, T.astype(np.float64))
    np.testing.assert_array_equal(read(right).hidden_weight, T.T.astype(np.float64))


def test_a_tie_goes_to_the_output_named_first(read):
    """Two outputs that are equal everywhere: always +1, whichever is asked for; argmax says output 0."""
    same = model(GEMMS, {**TWO, "W": W2[[0, 0]], "C": C2[[0, 0]]})
    points = np.random.default_rng(0).standard_normal((50, D))
    for pair in (None, (0, 1), (1, 0)):
        assert (read(same, pair)(points) == 1).all()


def test_folded_layers_are_exact(read):
    """Against Fractions: products of three layers, number by number."""
    network = read(model(f"d = Sub x M | e = MatMul d T | z = Mul e S | {FROM_Z}", {**ONE, "M": M, "S": S, "T": T}))
    exact = np.vectorize(Fraction, otypes=[object])
    first = exact(T.astype(np.float64)) * exact(S.astype(np.float64))
    weight = first @ exact(U.astype(np.float64)).T
    bias = exact(B.astype(np.float64)) - exact(M.astype(np.float64)) @ weight
    np.testing.assert_array_equal(network.input_layer.weight, weight.T)
    np.testing.assert_array_equal(network.input_layer.bias, bias)


def test_a_feature_taken_twice_is_added_exactly():
    """Gather [0, 0, 0, 1], then 1e17, 1, −1e17: the weights of feature 0 add up to 1, and not to 0 as in floats."""
    weight = np.array([[1e17, 1.0], [1.0, 0.0], [-1e17, 0.0], [1.0, -1.0]])
    stored = {"idx": np.array([0, 0, 0, 1]), "W": weight, "b": np.zeros(2), "V": np.array([[1.0], [-1.0]]), "c": np.zeros(1)}
    steps = [
        helper.make_node("Gather", ["X", "idx"], ["G"], axis=1),
        helper.make_node("Gemm", ["G", "W", "b"], ["H"]),
        helper.make_node("Relu", ["H"], ["R"]),
        helper.make_node("Gemm", ["R", "V", "c"], ["Y"]),
    ]
    ends = [helper.make_tensor_value_info(name, TensorProto.DOUBLE, ["N", size]) for name, size in (("X", 2), ("Y", 1))]
    initializers = [numpy_helper.from_array(array, name) for name, array in stored.items()]
    graph = helper.make_graph(steps, "g", ends[:1], ends[1:], initializers)
    network = load(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)]))
    np.testing.assert_array_equal(network.input_layer.weight, [[1, 1], [1, -1]])


@pytest.mark.parametrize("opset", [7, 9, 13])
def test_old_batch_normalisation_with_one_output_takes_the_stored_statistics(read, opset):
    """As the standard has it; onnx's own evaluation takes those of the batch before opset 14."""
    stored = {**KERNELS, "M": M, "S": S, "V": S * S}
    old, new = (read(model(NORMAL, stored, opset=version, ir_version=4)) for version in (opset, 17))
    np.testing.assert_array_equal(old.input_layer.rows, new.input_layer.rows)
    np.testing.assert_array_equal(old.hidden_bias, new.hidden_bias)


def test_alpha_and_beta_are_folded(read):
    network = read(GOOD["alpha, beta"])
    np.testing.assert_array_equal(network.hidden_weight, U.astype(np.float64) * float(np.float32(0.3)))
    assert network.output_bias == 0


def test_wide_weights(read):
    """Large and tiny weights together: float32 rounding is allowed for, nothing is refused."""
    scales = (10.0 ** np.arange(-10, 11, 5)).astype(np.float32)
    read(model(GEMMS, {**ONE, "U": U * scales[:, None], "W": W1 / scales * 100}))


def test_a_classifier_of_images(read):
    weights = np.random.default_rng(3)
    shapes = {"U": (8, 784), "B": 8, "W": (10, 8), "C": 10}
    stored = {name: weights.standard_normal(shape).astype(np.float32) for name, shape in shapes.items()}
    text = "z = Flatten x | a = Gemm z U B transB=1 | h = Relu a | s = Gemm h W C transB=1 | y = Softmax s"
    assert read(model(text, stored, x=("n", 1, 28, 28)), (3, 8)).inputs == 784


def branching():
    branch = helper.make_graph([constant("c", np.float32([1]))], "branch", [], [info("c", shape=[1])])
    return helper.make_node("If", ["bit"], ["y"], "make_y", then_branch=branch, else_branch=branch)


def redefined():
    """A function that is called Relu and is none."""
    given = model(GEMMS, ONE)
    body = [helper.make_node("Neg", ["a"], ["b"])]
    given.functions.append(helper.make_function("ai.onnx", "Relu", ["a"], ["b"], body, [helper.make_opsetid("", 17)]))
    return given


def with_function(domain="own"):
    """A model with a layer as a function of its own."""
    body = [helper.make_node("Gemm", ["given", "weight", "bias"], ["made"], transB=1)]
    dense = helper.make_function(domain, "Dense", ["given", "weight", "bias"], ["made"], body, [helper.make_opsetid("", 17)])
    given = model([helper.make_node("Dense", ["x", "U", "B"], ["a"], "first", domain=domain), *nodes("h = Relu a")], ONE)
    given.graph.node.extend(nodes("y = Gemm h W C transB=1"))
    given.functions.append(dense)
    given.opset_import.append(helper.make_opsetid(domain, 1))
    return given


def damaged():
    given = model(GEMMS, ONE)
    given.graph.initializer[0].dims[0] = 4
    return given


def external(location):
    given = model(GEMMS, ONE)
    tensor = given.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", location
    return given


def sparse():
    given = model(GEMMS, ONE)
    given.graph.sparse_initializer.append(
        helper.make_sparse_tensor(numpy_helper.from_array(np.float32([1]), "Z"), numpy_helper.from_array(INT([0]), "i"), [4])
    )
    return given


SQUARE = {**ONE, "V": np.eye(N, dtype=np.float32), "S": np.eye(D, dtype=np.float32)}
MANY = {**ONE, "U": np.ones((6001, 1), np.float32), "B": np.zeros(6001, np.float32)}
LABEL = info("label", TensorProto.INT64)
BIT = {**ONE, "bit": np.array(True)}
SIX = {"UT": U.T[:1, :1], "WT": W1.T[:1], "s": INT([6, 1])}

BAD = {
    "text": (b'{"kind": "relu"}', "is not an ONNX file"),
    "cut off": (GOOD["pytorch"].SerializeToString()[:-40], "is not an ONNX file, or is cut off"),
    "tanh": (
        model("a = Gemm x U B transB=1 | h = Tanh a | y = Gemm h W C transB=1", ONE),
        "the node Gemm 'make_y' comes behind Tanh",
    ),
    "no name": (model([helper.make_node("Elu", ["x"], ["y"])], {}), "the node Elu 'y' cannot be taken"),
    "sigmoid hidden": (
        model("a = Gemm x U transB=1 | h = Sigmoid a | y = Gemm h W transB=1", ONE),
        "the node Gemm 'make_y' comes behind Sigmoid",
    ),
    "no relu, several": (model("y = Gemm x U B transB=1", ONE), "has 5 outputs; say which two to compare"),
    "if": (model([*nodes(HEAD), branching()], BIT), "the node If 'make_y' cannot be taken"),
    "labels of something else": (
        model(f"{GEMMS} | r = Gemm h W transB=1 | label = ArgMax r axis=1", TWO, outputs=[LABEL]),
        "has 2 outputs ('y', 'label'), which are different functions",
    ),
    "labels over points": (model(f"{GEMMS} | label = ArgMax y", TWO, outputs=[LABEL]), "ArgMax 'make_label' runs along axis 0"),
    "the last label": (
        model(f"{GEMMS} | label = ArgMax y axis=1 select_last_index=1", TWO, outputs=[LABEL]),
        "takes the last of equal scores",
    ),
    "a label computed with": (
        model(f"{SCORE} | l = ArgMax s axis=1 | y = Add l one", {**TWO, "one": INT([1])}),
        "Add 'make_y' works on a label",
    ),
    "final relu": (model(f"{SCORE} | y = Relu s", ONE), "ends in Relu 'make_y', so that its output"),
    "nothing behind the relu": (model("a = Gemm x U B transB=1 | y = Relu a", ONE), "has 5 outputs; say which two"),
    "division by zero": (model(f"z = Div x S | {FROM_Z}", {**ONE, "S": S * 0}), "Div 'make_z' divides by zero"),
    "divided by the input": (model(f"z = Div S x | {FROM_Z}", {**ONE, "S": S}), "divides by a computed value"),
    "squared": (model(f"z = Mul x x | {FROM_Z}", ONE), "Mul 'make_z' combines two computed values"),
    "training statistics": (
        model(f"z = BatchNormalization x S M M V training_mode=1 | {FROM_Z}", {**ONE, "M": M, "S": S, "V": S}),
        "BatchNormalization 'make_z' is in training mode",
    ),
    "a function": (
        with_function(),
        "the node Dense 'first' is a function that the model itself defines; put the function's nodes in its place by "
        "inline_local_functions(onnx.load(FILE)) of onnx.inliner, and save that",
    ),
    "own relu": (redefined(), "defines the standard operators anew"),
    "two results": (model(GEMMS, ONE, outputs=[info("h")]), "has 2 outputs ('y', 'h'), which are different functions"),
    "two inputs": (model(GEMMS, ONE, inputs=[info("z")]), "has 2 inputs ('x', 'z'); wanted one"),
    "behind sigmoid": (model(f"{SCORE} | p = Sigmoid s | y = Add p C", ONE), "Add 'make_y' comes behind Sigmoid"),
    "constants normalised": (
        model(f"B2 = BatchNormalization B B B B B | {GEMMS.replace(' B ', ' B2 ')}", ONE),
        "BatchNormalization 'make_B2' works on constants only",
    ),
    "transA": (model("a = Gemm x U B transA=1 | y = Relu a", ONE), "Gemm 'make_a' has transA=1, so that points are mixed"),
    "wrong width": (
        model(GEMMS, ONE, x=("n", 7)),
        "Gemm 'make_a' does not fit what comes into it, for one point the shapes (1, 7)",
    ),
    "no width": (model(GEMMS, ONE, x=("n", "d")), "does not say how many numbers a point has"),
    "no shape": (model(GEMMS, ONE, x=None), "does not say how many numbers a point has"),
    "too wide": (model(GEMMS, ONE, x=("n", 1_000_001)), "has a layer 1000001 wide"),
    "too wide to shift": (
        model(f"z = Add x C | {FROM_Z}", ONE, x=("n", 6001)),
        "makes a table of 6002 × 6001 numbers, for 6001 outputs of as many features before them; lpnet, which keeps layers as "
        "full tables, reads up to 30000000",
    ),
    "too many units to scale": (
        model(f"{HEAD} | g = Mul h C | y = Gemm g W transB=1", MANY, x=("n", 1)),
        "makes a table of 6002 × 6001 numbers",
    ),
    "huge": (model(GEMMS, ONE, x=(2**40, 2**40)), "export it for a single point"),
    "whole inputs": (model(GEMMS, ONE, dtype=TensorProto.INT64), "no tensor of float32 or float64 numbers"),
    "whole weights": (model(GEMMS, {**ONE, "U": U.astype(int)}), "wanted weights in a kind of float, up to float64, got int64"),
    "nan": (model(GEMMS, {**ONE, "B": B * np.float32(np.nan)}), "Gemm 'make_a': wanted finite weights, got nan"),
    "infinite alpha": (
        model("a = Gemm x U transB=1 alpha=1e999 | h = Relu a | y = Gemm h W transB=1", ONE),
        "wanted finite weights, got inf",
    ),
    "cast to whole numbers": (model(f"z = Cast x to=7 | {FROM_Z}", ONE), "Cast 'make_z' rounds to INT64"),
    "training": (model(f"z = Dropout x _ bit | {FROM_Z}", BIT), "Dropout 'make_z' is in training mode"),
    "softmax of one": (model(f"{SCORE} | y = Softmax s", ONE), "Softmax 'make_y' wants two or more outputs, got 1"),
    "no outputs": (model(GEMMS, {**ONE, "W": W1[:0], "C": C1[:0]}), "has 0 outputs"),
    "softmax of none": (
        model(f"{SCORE} | y = Softmax s", {**ONE, "W": W1[:0], "C": C1[:0]}),
        "wants two or more outputs, got 0",
    ),
    "no hidden units": (model(GEMMS, {**ONE, "U": U[:0], "B": B[:0]}), "Gemm 'make_y' does not fit"),
    "softmax over points": (model(f"{SCORE} | y = Softmax s axis=0", TWO), "Softmax 'make_y' runs along axis 0"),
    "table": (model("y = Relu x", {}, x=("n", 2, 2)), "the output 'y' gets an array of shape (1, 2, 2) for a single point"),
    "points as one": (
        model("z = Reshape x s | a = MatMul z UT | h = Relu a | y = MatMul h WT", SIX, x=(6, 1)),
        "takes either a batch of 6 points or one point with 6 outputs",
    ),
    "shape from input": (model("h = Relu x | y = Reshape h h", ONE), "takes a shape or places from the input"),
    "damaged name": (b":\n" + b"Z\x03\n\x01\xffZ\x03\n\x01x", "has 2 inputs"),
    "external": (external("weights.bin"), "keeps its weights in another file, which cannot be read"),
    "external elsewhere": (external("../../weights.bin"), "keeps its weights in another file, which cannot be read"),
    "sparse": (sparse(), "has sparse weights"),
    "unknown value": (model("a = Gemm x Q | y = Relu a", ONE), "Gemm 'make_a' takes 'Q', which no node before it makes"),
    "unknown operator": (model("y = Frobnicate x", {}), "the node Frobnicate 'make_y' cannot be taken"),
    "damaged tensor": (damaged(), "is damaged"),
    "empty graph": (onnx.ModelProto(ir_version=8), "has 0 inputs; wanted one"),
}


@pytest.mark.parametrize("name", BAD)
def test_other_models_are_refused_in_one_sentence(read, name):
    given, telling = BAD[name]
    with pytest.raises(InputError) as caught:
        read(given)
    message = str(caught.value)
    assert "model.onnx: " in message
    assert telling in message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("name", "outputs", "telling"),
    [
        ("four outputs", None, r"has 4 outputs; say which two to compare"),
        ("four outputs", (0, 4), "two different numbers from 0 to 3, got"),
        ("four outputs", (2, 2), "two different numbers"),
        ("four outputs", (0, 1, 2), "two different numbers"),
        ("pytorch", (0, 1), "has a single output"),
    ],
)
def test_outputs_that_are_not_there(read, name, outputs, telling):
    with pytest.raises(InputError, match=telling):
        read(GOOD[name], outputs)


def test_external_data_beside_the_file_is_read(tmp_path):
    onnx.save(model(GEMMS, ONE), tmp_path / "m.onnx", save_as_external_data=True, location="m.bin", size_threshold=0)
    np.testing.assert_array_equal(load(tmp_path / "m.onnx").hidden_weight, U)


def test_a_file_cut_off_anywhere_is_refused(read):
    content = GOOD["pytorch, sigmoid"].SerializeToString()
    for length in range(1, len(content), 7):
        with pytest.raises(InputError, match=r"model\.onnx: "):
            read(content[:length])


def test_changed_bytes_never_escape_as_another_error(read):
    content = GOOD["matmul, add"].SerializeToString()
    changes = np.random.default_rng(5)
    for _ in range(300):
        changed = bytearray(content)
        for place in changes.integers(0, len(content), 3):
            changed[place] = changes.integers(0, 256)
        with contextlib.suppress(InputError):
            read(bytes(changed))


def test_a_wrong_reading_is_not_handed_on(read, monkeypatch):
    honest = onnx_.follow

    def wrong(*given):
        return {name: spoilt(value) if isinstance(value, Signal) else value for name, value in honest(*given).items()}

    def spoilt(signal):
        coefficients = signal.coefficients.copy()
        coefficients.reshape(-1)[2] *= 1 + 1e-3
        return replace(signal, order=None, sums=(coefficients, signal.magnitude))

    monkeypatch.setattr(onnx_, "follow", wrong)
    for name in ("pytorch", "pytorch, sigmoid", "two outputs, softmax"):
        with pytest.raises(InputError, match="disagrees with onnx's own evaluation"):
            read(GOOD[name])


def test_a_function_is_read_when_it_is_put_in_place():
    found, wanted = load(inline_local_functions(with_function())), load(model(GEMMS, ONE))
    np.testing.assert_array_equal(found.hidden_weight, wanted.hidden_weight)


def test_a_sum_that_overflows_far_out_is_no_disagreement():
    """At points of size 1000 alone in float32, or at every point: what is read is the model in real numbers."""
    for large in (np.float32(2**58), np.float32(2**100)):
        np.testing.assert_array_equal(load(model(GEMMS, {**ONE, "U": U * large, "W": W1 * large})).hidden_weight, U * large)


HEADS = "a = Gemm x U B transB=1 | h = Relu a | y = Gemm h W C transB=1"


@pytest.mark.parametrize(
    ("head", "factor"),
    [
        ("z = Mul y third", -1),  # one head as it is given, the other in rationals: z ≥ y where y ≤ 0
        ("z = Sigmoid y", 1),  # the same number before and behind a Sigmoid
    ],
)
def test_outputs_beside_each_other(head, factor):
    network = load(model(f"{HEADS} | {head}", ONE | {"third": np.float32(1 / 3)}, outputs=[info("z")]))
    points = rng.normal(size=(500, D))
    np.testing.assert_array_equal(network(points), factor * load(model(HEADS, ONE))(points))


@pytest.mark.parametrize(
    ("graph", "words"),
    [
        (f"{HEADS} | b = GreaterOrEqual y zero | z = Cast b to=1", "has 2 outputs ('y', 'z'), which are different functions"),
        ("a = Gemm x U B transB=1 | h = Relu a | y = Gemm h W C transB=1 | i = Gemm x U transB=1 | j = Relu i"
         " | z = Gemm j W C transB=1", "has 2 outputs ('y', 'z'), which are different functions"),
    ],
)  # fmt: skip
def test_outputs_of_different_kinds_are_refused(graph, words):
    with pytest.raises(InputError, match=re.escape(words)):
        load(model(graph, ONE | {"zero": np.float32(0)}, outputs=[info("z")]))


def test_products_beyond_float64_are_refused():
    grown = " | ".join(f"m{k} = Mul m{k - 1} big" for k in range(1, 10)).replace("m0", "a")
    with pytest.raises(InputError, match="weights that float64 cannot hold"):
        load(
            model(f"a = Gemm x U B transB=1 | {grown} | h = Relu m9 | y = Gemm h W C transB=1", ONE | {"big": np.float32(1e38)})
        )


def test_the_standard_epsilon_of_a_normalisation_is_a_float32():
    stored = ONE | {"s": S, "o": M, "m": M, "v": np.float32([1e-6, 1e-7, 1.0])}
    graph = "n = BatchNormalization x s o m v {} | a = Gemm n U B transB=1 | h = Relu a | y = Gemm h W C transB=1"
    made = [model(graph.format(text), stored) for text in ("epsilon=1.0", "")]
    node = made[0].graph.node[0]
    node.attribute[0].f = 1e-5
    first, second = map(load, made)
    np.testing.assert_array_equal(first.hidden_weight, second.hidden_weight)
    np.testing.assert_array_equal(first.hidden_bias, second.hidden_bias)


def test_the_largest_float32_is_a_limit_in_a_float64_model():
    graph, stored = "a = Gemm x U B transB=1 | h = Clip a zero top | y = Gemm h W C transB=1", {"zero": np.float64(0)}
    doubles = {name: array.astype(np.float64) for name, array in ONE.items()} | stored
    for top, relus in ((np.finfo(np.float64).max, N), (np.inf, N), (np.finfo(np.float32).max, 2 * N)):
        assert load(model(graph, doubles | {"top": np.float64(top)}, dtype=TensorProto.DOUBLE)).relus == relus
