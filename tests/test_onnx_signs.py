"""ONNX models with threshold units: what lpnet writes comes back, other spellings are read as onnx itself evaluates them."""

import json
import re
from fractions import Fraction

import numpy as np
import onnx
import pytest
from cases import random_degenerate
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto
from onnx.reference import ReferenceEvaluator
from test_cli import DATA, run
from test_onnx import model

import lpnet
from lpnet import InputError, ReLUNetwork, SignCircuit, SignNetwork, StepNetwork
from lpnet.equivalents import minimal_equivalent
from lpnet.exact import nearest
from lpnet.io import load, onnx_, read, save

D, M, K = 2, 4, 3
SIGNS = {  # sgn of z, zero being 0 and two 2
    "where": "z_b = GreaterOrEqual z zero | z_s = Where z_b one minus",
    "where, from the right": "z_b = LessOrEqual zero z | z_s = Where z_b one minus",
    "less": "z_b = Less z zero | z_s = Where z_b minus one",
    "greater, from the right": "z_b = Greater zero z | z_s = Where z_b minus one",
    "not less": "z_b = Less z zero | z_n = Not z_b | z_s = Where z_n one minus",
    "cast": "z_b = GreaterOrEqual z zero | z_c = Cast z_b to=1 | z_d = Mul two z_c | z_s = Sub z_d one",
    "cast, whole first": "z_b = GreaterOrEqual z zero | z_i = Cast z_b to=7 | z_c = Cast z_i to=1 | z_d = Mul z_c two"
    " | z_s = Add z_d minus",
    "against a constant": "z_t = Add z one | z_b = GreaterOrEqual z_t one | z_s = Where z_b one minus",
    "other numbers": "z_b = GreaterOrEqual z zero | z_h = Where z_b two zero | z_s = Sub z_h one",
}
ENDS = {
    "score": "y = Identity s",
    "±1": "y_b = GreaterOrEqual s zero | y = Where y_b one minus",
    "0 and 1": "y_b = GreaterOrEqual s zero | y = Cast y_b to=1",
    "0 and 1, by Less": "y_b = Less s zero | y = Where y_b zero one",
    "a Boolean": "y = GreaterOrEqual s zero",
    "not a Boolean": "y_b = Less s zero | y = Not y_b",
    "the contrary": "y_b = Less s zero | y = Cast y_b to=1",
}
NUMBERS = {"zero": np.float32(0), "one": np.float32(1), "two": np.float32(2), "minus": np.float32(-1)}


def threshold_model(layers, sign, end, dtype=TensorProto.FLOAT):
    """Gemm after Gemm with signs between them."""
    text, last, stored = [], "x", dict(NUMBERS)
    for number, (weight, bias) in enumerate(layers):
        name = "s" if number == len(layers) - 1 else f"l{number}"
        stored |= {f"{name}W": weight.astype(np.float32), f"{name}B": np.atleast_1d(bias).astype(np.float32)}
        text.append(f"{name} = Gemm {last} {name}W {name}B transB=1")
        if name != "s":
            text.append(re.sub(r"\bz(?=_|\b)", name, sign))
            last = f"{name}_s"
    kind = TensorProto.BOOL if end in ("a Boolean", "not a Boolean") else dtype
    made = model(" | ".join([*text, ENDS[end]]), stored, x=("batch", D))
    made.graph.output[0].type.tensor_type.elem_type = kind
    return made


def whole_layers(rng, *sizes):
    return [(rng.integers(-3, 4, shape), rng.integers(-3, 4, shape[0])) for shape in zip(sizes[1:], sizes[:-1], strict=True)]


LATTICE = np.stack(np.meshgrid(*[np.arange(-6, 7) / 2] * 2), axis=-1).reshape(-1, 2)


def evaluated(given, points=LATTICE):
    (answer,) = ReferenceEvaluator(given).run(None, {"x": points.astype(np.float32)})
    return answer[:, 0]


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("sign", SIGNS)
def test_every_spelling_is_read_as_onnx_evaluates_it(sign, end):
    """Whole weights on a lattice: full of ties, and onnx's sums are exact too."""
    rng = np.random.default_rng(len(sign) * 31 + len(end))
    for sizes, kind in (((D, M, 1), SignNetwork), ((D, M, K, 1), SignCircuit)):
        given = threshold_model(whole_layers(rng, *sizes), SIGNS[sign], end)
        if end == "the contrary" and kind is SignCircuit:
            kind = StepNetwork
        network = load(given)
        assert isinstance(network, SignCircuit if end == "the contrary" and kind is SignNetwork else kind)
        answer = evaluated(given)
        wanted = np.where(answer >= 0 if end == "score" else answer > 0, 1, -1)
        np.testing.assert_array_equal(network(LATTICE), wanted)


@pytest.mark.parametrize("sign", SIGNS)
def test_the_weights_are_those_given(sign):
    """Up to what Cast without 2 · − 1 would fold: rationals, here exact in float64."""
    rng = np.random.default_rng(3)
    layers = [(rng.standard_normal(shape).astype(np.float32), rng.standard_normal(shape[0]).astype(np.float32))
              for shape in ((M, D), (K, M), (1, K))]  # fmt: skip
    if sign == "against a constant":
        layers = [(np.round(4 * w), np.round(4 * b)) for w, b in layers]
    network = load(threshold_model(layers, SIGNS[sign], "±1"))
    for name, wanted in zip(("hidden", "middle", "output"), layers, strict=True):
        np.testing.assert_array_equal(np.atleast_2d(getattr(network, f"{name}_weight")), wanted[0])
        np.testing.assert_array_equal(np.atleast_1d(getattr(network, f"{name}_bias")), wanted[1])


def test_units_of_0_and_1_are_folded_exactly():
    """w·(1 + z)/2: half the weights, and half their sum in the bias, rounded once."""
    rng = np.random.default_rng(4)
    layers = [(rng.standard_normal(shape).astype(np.float32), rng.standard_normal(shape[0]).astype(np.float32))
              for shape in ((M, D), (1, M))]  # fmt: skip
    network = load(threshold_model(layers, "z_b = GreaterOrEqual z zero | z_s = Cast z_b to=1", "score"))
    weight, bias = layers[1][0][0], layers[1][1][0]
    np.testing.assert_array_equal(network.output_weight, weight.astype(np.float64) / 2)
    assert network.output_bias == float(Fraction(float(bias)) + sum(map(Fraction, weight.tolist())) / 2)


@pytest.mark.parametrize("end", [end for end in ENDS if end not in ("score", "the contrary")])
def test_relus_with_a_threshold_at_the_end(end):
    layers = whole_layers(np.random.default_rng(5), D, M, 1)
    given = threshold_model(layers, "z_s = Relu z", end)
    network = load(given)
    assert isinstance(network, ReLUNetwork)
    np.testing.assert_array_equal(network.hidden_weight, layers[0][0])
    np.testing.assert_array_equal(network(LATTICE), np.where(evaluated(given) > 0, 1, -1))


def test_a_single_threshold_unit():
    given = threshold_model([(np.array([[2, -1]]), 1)], "", "±1")
    network = load(given)
    assert isinstance(network, SignNetwork)
    np.testing.assert_array_equal(network(LATTICE), evaluated(given))


def test_two_threshold_outputs_are_compared():
    given = threshold_model(whole_layers(np.random.default_rng(6), D, M, 2), SIGNS["where"], "±1")
    (answer,) = ReferenceEvaluator(given).run(None, {"x": LATTICE.astype(np.float32)})
    np.testing.assert_array_equal(load(given)(LATTICE), np.where(answer[:, 1] >= answer[:, 0], 1, -1))


HEAD = "a = Gemm x U B transB=1 | b = GreaterOrEqual a zero"
STORED = {**NUMBERS, "U": np.ones((M, D), np.float32), "B": np.zeros(M, np.float32), "W": np.ones((1, M), np.float32)}
STORED |= {"S": np.eye(M, dtype=np.float32), "name": np.array(["yes"])}
BAD = {
    "where of scores": ("a = Gemm x U B transB=1 | y = Where a one zero", "Where 'make_y' takes no comparison"),
    "where a score": (f"{HEAD} | y = Where b a zero", "Where 'make_y' combines two computed values"),
    "sums of Booleans": (f"{HEAD} | y = Gemm b W transB=1", "Gemm 'make_y' comes behind a comparison"),
    "compared again": (f"{HEAD} | y = Less b zero", "Less 'make_y' comes behind a comparison"),
    "cast to text": (f"{HEAD} | y = Cast b to=8", "Cast 'make_y' rounds to STRING"),
    "several": (f"{HEAD} | y = Where b one minus", "has 4 outputs; say which two to compare"),
}


JUMPS = {
    "sign": "h = Sign a | y = Gemm h W transB=1",
    "two scores": "c = Gemm x V transB=1 | b = Less a c | d = Cast b to=1 | y = Gemm d W transB=1",
    "relus behind": "b = GreaterOrEqual a zero | c = Where b one minus | d = Gemm c S transB=1 | h = Relu d"
    " | y = Gemm h W transB=1",
    "relu at once": "b = Greater a zero | c = Where b two minus | h = Relu c | d = Sub h one | y = Gemm d W transB=1",
    "on relus": "h = Relu a | d = Gemm h S | b = Less d zero | c = Cast b to=1 | e = Sub c one | y = Gemm e W transB=1",
    "both and not": "p = Less a zero | c = Gemm x V transB=1 | q = Greater c zero | r = And p q | n = Not q | o = Or r n"
    " | d = Where o one minus | y = Gemm d W transB=1",
    "strict at the end": "h = Relu a | s = Gemm h W transB=1 | y_b = Greater s zero | y = Where y_b one minus",
}


@pytest.mark.parametrize("name", JUMPS)
def test_gates_that_jump_in_any_layer(name):
    """Whole weights on a lattice, so that Sign is 0 and comparisons are ties at many points."""
    rng = np.random.default_rng(7)
    stored = {
        k: rng.integers(-2, 3, np.shape(v)).astype(np.float32) if k in ("U", "B", "W", "S") else v for k, v in STORED.items()
    }
    stored["V"] = rng.integers(-2, 3, (M, D)).astype(np.float32)
    given = model(f"a = Gemm x U B transB=1 | {JUMPS[name]}", stored, x=("batch", D))
    network = load(given)
    np.testing.assert_array_equal(network(LATTICE), np.where(evaluated(given) >= 0, 1, -1))


@pytest.mark.parametrize("name", BAD)
def test_others_are_refused_in_one_sentence(name):
    graph, telling = BAD[name]
    with pytest.raises(InputError) as caught:
        load(model(graph, STORED, x=("batch", D)))
    assert telling in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("weight", ["hidden_weight", "middle_weight", "output_weight"])
def test_a_wrong_reading_is_not_handed_on(monkeypatch, tmp_path, weight):
    """A weight of the wrong sign is noticed, in any layer."""
    save(SignCircuit.dnf([[1.0, 0.5], [0.3, -2.0], [1.0, 1.0]], [0.1, 0.2, 0.3], [[0, 1], [2]]), tmp_path / "c.onnx")
    given = onnx.load(tmp_path / "c.onnx")
    honest = onnx_.follow

    def wrong(model, shape):
        other = onnx.ModelProto.FromString(model.SerializeToString())
        tensor = next(tensor for tensor in other.graph.initializer if tensor.name == weight)
        array = onnx.numpy_helper.to_array(tensor).copy()
        array.flat[0] = -array.flat[0]
        tensor.CopyFrom(onnx.numpy_helper.from_array(array, tensor.name))
        return honest(other, shape)

    monkeypatch.setattr(onnx_, "follow", wrong)
    with pytest.raises(InputError, match="disagrees with onnx's own evaluation"):
        load(given)


@given(seed=st.integers(0, 2**32), relus=st.integers(1, 5), inputs=st.integers(1, 3))
def test_threshold_equivalents_come_back(tmp_path_factory, seed, relus, inputs):
    path = tmp_path_factory.getbasetemp() / "equivalent.onnx"
    network = minimal_equivalent(random_degenerate(np.random.default_rng(seed), relus, inputs)).equivalent
    save(network, path)
    reading = read(path)
    assert type(reading.network) is type(network)
    for field in set(network.__dataclass_fields__) - {"front"}:
        assert np.asarray(getattr(reading.network, field)).tobytes() == nearest(np.asarray(getattr(network, field))).tobytes()


def test_commands_take_them(tmp_path):
    """The wine network, its circuit and the running example's two layers, as .onnx: equal, compressed, drawn, reported."""
    circuit, square = tmp_path / "wine.onnx", tmp_path / "square.onnx"
    assert run("minimal", DATA / "wine_pca3.onnx", "-o", circuit).exit_code == 0
    assert run("minimal", DATA / "theorem2_n3.json", "-o", square).exit_code == 0
    assert "sign circuit (three layers), 3 inputs, 14 + 3 threshold units" in run("show", circuit).stdout
    save(load(circuit), tmp_path / "wine.json")
    assert run("equal", circuit, tmp_path / "wine.json").stdout.startswith("equal: ")
    assert run("equal", DATA / "theorem2_n3.json", square).stdout.startswith("equal: ")
    (answer,) = [json.loads(line) for line in run("compress", square, "--json").stdout.splitlines()]
    assert (answer["relus"], answer["verdict"]) == (3, "exact")
    for suffix, command in ((".png", "draw"), (".html", "report")):
        for file in (circuit, square):
            done = run(command, file, "-o", tmp_path / f"{file.stem}{suffix}")
            assert (done.exit_code, done.stderr) == (0, "")
    (answer,) = [json.loads(line) for line in run("minimal", square, "--json").stdout.splitlines()]
    assert (answer["units"], answer["ties"]) == (7, "decided")


def test_wide_layers(tmp_path):
    rng = np.random.default_rng(1)
    wide = SignNetwork.disjunction(rng.standard_normal((50_000, 5)), rng.standard_normal(50_000) - 5)
    save(wide, tmp_path / "wide.onnx")
    np.testing.assert_array_equal(lpnet.load(tmp_path / "wide.onnx").hidden_weight, wide.hidden_weight)


@pytest.mark.parametrize(
    ("end", "sizes", "words"),
    [
        ("0 and 1", (D, M, 1), "last threshold unit, +1 where its sum is ≥ 0"),
        ("the contrary", (D, M, 1), "its label, +1 where the last comparison has it so"),
        ("score", (D, M, 1), "+1 where the output is ≥ 0"),
        ("score", (D, 1, 1), "+1 where the output is ≥ 0"),
    ],
)
def test_the_note_says_whose_answer_it_is(end, sizes, words):
    given = threshold_model(whole_layers(np.random.default_rng(1), *sizes), SIGNS["where"], end)
    assert words in read(given).notes[-1]


@pytest.mark.parametrize(
    "end",
    [
        "y = Greater s zero",
        "y = Less zero s",
        "b = Greater s zero | y = Cast b to=1",
        "b = LessOrEqual s zero | y = Not b",
        "b = LessOrEqual s zero | y = Where b minus one",
    ],
)
def test_a_strict_sign_of_relus_is_read_as_it_is(end):
    """+1 only where the score is > 0."""
    stored = NUMBERS | {"U": np.float32([[1, 2], [3, -1]]), "W": np.float32([[1, -1]])}
    graph = f"a = Gemm x U transB=1 | h = Relu a | s = Gemm h W transB=1 | {end}"
    network = load(model(graph, stored, x=("batch", D)))
    assert isinstance(network, StepNetwork)
    score = np.maximum(LATTICE @ stored["U"].T, 0) @ stored["W"][0]
    assert (score == 0).any()
    np.testing.assert_array_equal(network(LATTICE), np.where(score > 0, 1, -1))
