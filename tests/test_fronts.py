"""Affine maps in front of a network: nothing is rounded, and it is asked about in as few coordinates as they leave."""

import json
import warnings
from dataclasses import replace
from fractions import Fraction

import jsonschema
import numpy as np
import pytest
import skl2onnx
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import load_digits, load_wine
from sklearn.decomposition import PCA
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from test_cli import run
from torch import nn

import lpnet
from lpnet import Box, InputError, ReLUNetwork, SignNetwork, equal, minimal_equivalent
from lpnet.checker import Refuted, check
from lpnet.equality.rounding import is_rounding
from lpnet.exact import fraction, point, primitive, value
from lpnet.io import from_dict, save, to_dict
from lpnet.io.kinds import numbers_of
from lpnet.io.writing import is_rounded
from lpnet.networks.affine import AffineMap, Layer
from lpnet.networks.question import question
from lpnet.plots.circuit import inequality, units
from lpnet.proofs import write_proof

SCHEMA = json.loads((lpnet.io.files.Path(lpnet.__file__).parent / "schemas" / "network.schema.json").read_text())


def over(numbers, divisors):
    """Fractions of whole numbers."""
    made = np.empty(np.shape(numbers), dtype=object)
    for at, number in np.ndenumerate(numbers):
        made[at] = Fraction(int(number), int(np.broadcast_to(divisors, np.shape(numbers))[at]))
    return made


def scaler(inputs, rng):
    """(x − m) / σ, by two layers as readers make them."""
    sigma = rng.integers(1, 10, inputs)
    return Layer(np.eye(inputs), rng.integers(-3, 4, inputs).astype(float)), Layer(
        over(np.eye(inputs, dtype=int), sigma[:, None]), np.zeros(inputs)
    )


def behind(front, relus, rng, whole=False):
    draw = (lambda *shape: rng.integers(-2, 3, shape).astype(float)) if whole else (lambda *shape: rng.normal(size=shape))
    return ReLUNetwork(draw(relus, front.outputs), draw(relus), draw(relus), -0.5, front)


def folded(network):
    """The same network without a front: its first layer in Fractions."""
    return replace(network, hidden_weight=network.input_layer.weight, hidden_bias=network.input_layer.bias, front=None)


def halfspaces(answer):
    return set(map(primitive, answer.halfspaces))


def dense(shape, rng):
    return Layer(rng.normal(size=shape), rng.normal(size=shape[0]))


def fronts(rng):
    """Onto, of fewer numbers; not onto, of more; of a rank below both; a scaler alone, and before others; a permutation."""
    low = dense((5, 2), rng)
    return {
        "onto": AffineMap((dense((2, 6), rng),)),
        "expanding": AffineMap((dense((5, 2), rng),)),
        "low rank": AffineMap((dense((2, 4), rng), low)),
        "scaler": AffineMap(scaler(3, rng)),
        "scaler, onto": AffineMap((*scaler(5, rng), dense((3, 5), rng))),
        "scaler, expanding": AffineMap((*scaler(2, rng), low)),
        "turned round": AffineMap((Layer(-np.eye(3)[[2, 0, 1]], np.ones(3)),)),
        "constant": AffineMap((Layer(np.zeros((2, 3)), np.ones(2)),)),
    }


NAMES = tuple(fronts(np.random.default_rng(0)))


@pytest.mark.parametrize("domain", [None, "box"])
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("whole", [False, True])
def test_the_half_spaces_are_those_of_the_folded_network(name, domain, whole):
    for seed in range(3):
        rng = np.random.default_rng(seed)
        network = behind(fronts(rng)[name], 4, rng, whole)
        box = Box(np.full(network.inputs, -2.0), np.full(network.inputs, 3.0)) if domain else None
        answer, plain = minimal_equivalent(network, box), minimal_equivalent(folded(network), box)
        assert halfspaces(answer) == halfspaces(plain)
        assert answer.constant == plain.constant
        for h, at in zip(answer.halfspaces, answer.witnesses, strict=True):
            assert value(h, at) == 0
            assert box is None or all(value(wall, at) > 0 for wall in box.inequalities())
        assert equal(network, answer.equivalent, box).verdict == "equal"
        assert equal(network, folded(network), box).verdict == "equal"


@pytest.mark.parametrize("name", NAMES)
def test_the_question_has_as_many_inputs_as_the_front_leaves(name):
    network = behind(fronts(np.random.default_rng(0))[name], 3, np.random.default_rng(1))
    expected = {
        "onto": 2,
        "expanding": 2,
        "low rank": 2,
        "scaler": 3,
        "scaler, onto": 3,
        "scaler, expanding": 2,
        "turned round": 3,
    }
    asked = question(network)
    assert asked.network.inputs == expected.get(name, 3)
    at = point(np.arange(1.0, network.inputs + 1))
    image = asked.onto.at(at) if asked.onto else at
    for inner, outer in zip(asked.network.exact_form.units, network.exact_form.units, strict=True):
        assert (value(inner, image) > 0) == (value(outer, at) > 0)
        if asked.onto:
            assert primitive(asked.onto.pulled(inner)) == primitive(outer)


@given(st.data())
def test_answers_are_exact(data):
    """At points on hyperplanes of x / 3 and the like, which no float computation decides."""
    numbers = st.fractions(-3, 3, max_denominator=7)
    rows = data.draw(st.lists(st.lists(numbers, min_size=3, max_size=3), min_size=1, max_size=3))
    layer = Layer(np.array([row[:2] for row in rows], dtype=object), np.array([row[2] for row in rows], dtype=object))
    outputs = data.draw(st.lists(st.integers(-2, 2), min_size=len(rows), max_size=len(rows)))
    network = ReLUNetwork(np.eye(len(rows)), np.zeros(len(rows)), outputs, 0, AffineMap((layer,)))
    points = np.array(data.draw(st.lists(st.lists(st.integers(-6, 6), min_size=2, max_size=2), min_size=1)), dtype=float)
    for x, y, active in zip(points, network(points), network.activation_pattern(points), strict=True):
        heights = [row[0] * Fraction(x[0]) + row[1] * Fraction(x[1]) + row[2] for row in rows]
        assert active.tolist() == [height > 0 for height in heights]
        assert y == (1 if sum(w * max(height, 0) for w, height in zip(outputs, heights, strict=True)) >= 0 else -1)


@given(st.lists(st.fractions(), min_size=4, max_size=4), st.fractions(), st.integers(-(10**40), 10**40))
def test_json_holds_exact_numbers(numbers, bias, whole):
    weight = np.array(numbers, dtype=object).reshape(2, 2)
    network = ReLUNetwork(weight, weight[0], [Fraction(whole), 0.1], bias, AffineMap((Layer(weight, weight[1]),)))
    data = json.loads(json.dumps(to_dict(network)))
    jsonschema.validate(data, SCHEMA)
    back = from_dict(data)
    for given_numbers, read_numbers in (
        (network.input_layer.rows, back.input_layer.rows), (network.hidden_weight, back.hidden_weight),
        (network.output_layer.rows, back.output_layer.rows),
    ):  # fmt: skip
        assert (given_numbers == read_numbers).all()
    assert fraction(back.output_weight[0]) == whole


# --- pipelines


def trained(front, relus, data, chosen):
    features, labels = data(return_X_y=True)
    kept = np.isin(labels, chosen) if len(chosen) > 1 else np.ones(len(labels), dtype=bool)
    model = make_pipeline(*front, MLPClassifier((relus,), max_iter=60, random_state=0))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return model.fit(features[kept], labels[kept] == chosen[0]), features[kept]


def as_torch(model):
    """The pipeline's own float64 numbers as PyTorch layers: subtraction, division and the product with components."""
    scaling, pca, perceptron = (step for _, step in model.steps)
    first = nn.Linear(len(scaling.scale_), pca.n_components_).double()
    modules = [first, nn.Linear(pca.n_components_, len(perceptron.intercepts_[0])).double(), nn.ReLU()]
    modules.append(nn.Linear(len(perceptron.intercepts_[0]), 1).double())
    with torch.no_grad():
        first.weight.copy_(torch.tensor(pca.components_ / scaling.scale_))
        first.bias.copy_(torch.tensor(-(pca.components_ @ (scaling.mean_ / scaling.scale_)) - pca.components_ @ pca.mean_))
        for k, layer in enumerate((modules[1], modules[3])):
            layer.weight.copy_(torch.tensor(perceptron.coefs_[k].T))
            layer.bias.copy_(torch.tensor(perceptron.intercepts_[k]))
    return nn.Sequential(*modules)


@pytest.mark.parametrize(
    ("kept", "relus", "data", "chosen"),
    [
        (2, 10, load_wine, (1,)),
        (6, 9, load_digits, (3, 8)),
        pytest.param(6, 14, load_digits, (3, 8), marks=pytest.mark.slow),
        pytest.param(4, 40, load_digits, (3, 8), marks=pytest.mark.slow),
    ],
)
def test_a_pipeline_needs_as_many_half_spaces_as_its_network_behind_the_projection(kept, relus, data, chosen):
    model, features = trained([StandardScaler(), PCA(kept, random_state=0)], relus, data, chosen)
    wanted = minimal_equivalent(model[-1]).units
    onnx = skl2onnx.to_onnx(model, features[:1])
    for source in (model, onnx, as_torch(model)):
        assert minimal_equivalent(source).units == wanted
    network = lpnet.load(model)
    assert (network(features) == np.where(model.predict(features), 1, -1)).all()


def test_two_linear_layers_need_what_the_second_needs():
    torch.manual_seed(0)
    narrow = nn.Sequential(nn.Linear(12, 2), nn.Linear(2, 9), nn.ReLU(), nn.Linear(9, 1))
    assert minimal_equivalent(narrow).units == minimal_equivalent(narrow[1:]).units
    wide = nn.Sequential(nn.Linear(2, 9), nn.Linear(9, 9), nn.ReLU(), nn.Linear(9, 1))
    answer = minimal_equivalent(wide)
    assert answer.form.inputs == 2
    assert answer.units == minimal_equivalent(folded(lpnet.load(wide))).units


def test_the_answer_written_is_equal_to_the_network(tmp_path):
    model, features = trained([StandardScaler(), PCA(2)], 6, load_wine, (1,))
    source = tmp_path / "x.onnx"
    source.write_bytes(skl2onnx.to_onnx(model, features[:1]).SerializeToString())
    shown = run("show", source).stdout
    assert "from 13 inputs to 2 numbers, kept as given; the network is asked about behind that" in shown
    assert "nothing is rounded" in shown
    for suffix, codes in ((".json", {0}), (".npz", {0, 4}), (".onnx", {0, 4})):
        out = tmp_path / f"y{suffix}"
        written = run("minimal", source, "-o", out).stderr
        compared = run("equal", source, out)
        assert compared.exit_code in codes
        assert (
            ("rounded to float64" in written) == (compared.exit_code == 4) == is_rounded(lpnet.load(tmp_path / "y.json"), out)
        )
        assert compared.exit_code == 0 or "with the exact ones they are equal, proved" in compared.stdout
    assert run("equal", tmp_path / "y.json", tmp_path / "y.npz").exit_code in {0, 4}


def test_rows_that_no_divisor_makes_floats_are_rounded_number_by_number(tmp_path):
    front = AffineMap((Layer(np.array([[0.1, Fraction(1, 3), 0.7], [0.2, 0.3, Fraction(1, 7)]], dtype=object), [0.3, 0.1]),))
    network = ReLUNetwork([[1.0, 0.5], [-0.3, 1.0]], [0.1, 0.2], [1.0, 1.0], -1.3, front)
    for suffix in (".npz", ".onnx"):
        save(network, tmp_path / f"x{suffix}")
        read = lpnet.load(tmp_path / f"x{suffix}")
        assert read.front.layers[0].weight.tolist() == [[0.1, 1 / 3, 0.7], [0.2, 0.3, 1 / 7]]
        assert equal(network, read).verdict == "different by rounding"
        save(minimal_equivalent(network).equivalent, tmp_path / f"y{suffix}")
        assert equal(network, lpnet.load(tmp_path / f"y{suffix}")).verdict == "different by rounding"


def test_numbers_beyond_floats(tmp_path):
    network = ReLUNetwork([[Fraction(10) ** 400]], [Fraction(1, 3)], [1.0], Fraction(-2, 3))
    save(network, tmp_path / "x.json")
    assert equal(network, lpnet.load(tmp_path / "x.json")).verdict == "equal"
    assert "output_bias: -0.66" in run("show", tmp_path / "x.json").stdout
    for suffix in (".npz", ".onnx"):
        with pytest.raises(InputError, match="hidden_weight: has a number that float64 does not reach"):
            save(network, tmp_path / f"x{suffix}")


@pytest.mark.parametrize("name", ["scaler", "onto"])
def test_pictures_are_of_the_inputs(tmp_path, name):
    """A circuit's inequalities are those in x, and its plane is cut by them, whatever is in front."""
    front = fronts(np.random.default_rng(4))[name]
    network = ReLUNetwork(np.eye(4, front.outputs) + 0.5, [1.0, -1.0, 0.5, 0.0], [1.0, -1.0, 1.0, -2.0], -0.5, front)
    save(network, tmp_path / "x.json")
    assert run("minimal", tmp_path / "x.json", "-o", tmp_path / "y.json").exit_code == 0
    threshold = lpnet.load(tmp_path / "y.json")
    texts = units(threshold, [threshold.input_layer.floats], [f"x{k + 1}" for k in range(threshold.inputs)])[1]
    if name == "scaler":
        assert texts[0] == f"h1: {inequality(*(part[0] for part in threshold.input_layer.floats), ['x1', 'x2', 'x3'])}"
    for source in ("x", "y"):
        for option in ([], ["--circuit"]):
            picture = tmp_path / f"{source}{len(option)}.png"
            assert run("draw", tmp_path / f"{source}.json", "-o", picture, *option).exit_code == 0


def test_a_wide_layer_in_front_is_no_trouble():
    """Of full rank by its rank modulo a prime; the exact echelon form would take a minute."""
    rng = np.random.default_rng(0)
    front = AffineMap((dense((500, 125), rng),))
    assert question(ReLUNetwork(rng.normal(size=(2, 500)), [0.0, 0.0], [1.0, 1.0], -1.0, front)).network.inputs == 125


def test_only_what_rounding_does_is_called_so(tmp_path):
    rng = np.random.default_rng(0)
    network = ReLUNetwork(rng.normal(size=(4, 2)), rng.normal(size=4), [1.3, -0.7, 0.9, -1.1], -0.1)
    assert minimal_equivalent(network).units > 2
    single = ReLUNetwork(*map(np.float32, numbers_of(network).values()))
    assert equal(network, single).detail == "the numbers of one are those of the other, rounded to float32"
    moved = replace(network, hidden_bias=network.hidden_bias + np.array([2.0**-40, 0, 0, 0]))
    assert equal(network, moved).verdict == "different"
    exact = minimal_equivalent(network).equivalent
    save(exact, tmp_path / "y.npz")
    rounded = lpnet.load(tmp_path / "y.npz")
    assert equal(network, rounded).verdict == "different by rounding"
    assert equal(exact, rounded).verdict == "different by rounding"
    for box in (Box([-9.0, -9.0], [9.0, 9.0]), Box([-0.5, -0.5], [2.0, 0.5])):
        assert equal(network, rounded, box).verdict in ("different by rounding", "equal")
    further = replace(rounded, hidden_bias=np.nextafter(np.nextafter(rounded.hidden_bias, 9), 9))
    assert equal(network, further).verdict == "different"


def test_what_is_a_rounding_of_a_form():
    form = (3**40, -(7**30), 5**25)
    row = np.array([float(entry) for entry in form])
    assert is_rounding(row, form)
    assert is_rounding(row * 0.5, form)
    assert not is_rounding(-row, form)
    assert not is_rounding(row + np.array([0, 0, np.spacing(row[2])]), form)
    assert not is_rounding(np.array([row[0], row[1], 0.0]), form)


# --- proofs


@pytest.mark.parametrize("name", ["onto", "expanding", "low rank", "scaler", "scaler, onto"])
@pytest.mark.parametrize("domain", [None, "box"])
def test_proofs(tmp_path, name, domain):
    rng = np.random.default_rng(3)
    network = behind(fronts(rng)[name], 4, rng)
    box = Box(np.full(network.inputs, -2.0), np.full(network.inputs, 3.0)) if domain else None
    write_proof(minimal_equivalent(network, box), tmp_path / "proof")
    report = check(tmp_path / "proof", network, box)
    assert report.complete
    assert report.units == minimal_equivalent(network, box).units
    check(tmp_path / "proof", folded(network), box)
    first, *rest = network.front.layers
    bias = first.bias.astype(object)
    bias[0] = fraction(bias[0]) + Fraction(1, 10**30)
    other = replace(network, front=AffineMap((Layer(first.weight, bias), *rest)))
    with pytest.raises(Refuted, match="about another network: the first layer differs"):
        check(tmp_path / "proof", other, box)


def test_a_map_that_is_not_onto_is_refused(tmp_path):
    """Behind it a half-space may be needed that no input reaches: here y = (x, x), and R(y1 − y2) − 1."""
    front = AffineMap((Layer(np.ones((2, 1)), np.zeros(2)),))
    network = ReLUNetwork([[1.0, -1.0]], [0.0], [1.0], -1.0, front)
    answer = minimal_equivalent(network)
    assert (answer.units, answer.constant) == (0, -1)
    lie = replace(minimal_equivalent(replace(network, front=None)), network=network)
    lie = replace(lie, question=replace(lie.question, onto=front))
    write_proof(lie, tmp_path / "proof")
    with pytest.raises(Refuted, match="does not reach all points"):
        check(tmp_path / "proof", network)


# --- what is refused


@pytest.mark.parametrize(
    ("front", "telling"),
    [
        (AffineMap.__new__, "front: wanted an AffineMap or None"),
        (AffineMap((Layer(np.eye(3), np.zeros(3)),)), "hidden_weight: wanted 3 columns as the front has outputs, got shape"),
    ],
)
def test_other_fronts_are_refused(front, telling):
    with pytest.raises(InputError, match=telling):
        ReLUNetwork(np.eye(2), np.zeros(2), np.ones(2), 0.0, front)


def test_layers_that_do_not_fit_are_refused():
    for layers, telling in (
        ((), "wanted at least one layer"),
        ((Layer(np.eye(2), np.zeros(3)),), r"front, bias: wanted shape \(2,\)"),
        ((Layer(np.eye(2), np.zeros(2)), Layer(np.eye(3), np.zeros(3))), "wanted 2 columns"),
        ((Layer(np.eye(2) * np.nan, np.zeros(2)),), "front, weight: wanted finite numbers"),
    ):
        with pytest.raises(InputError, match=telling):
            AffineMap(layers)


def test_sign_networks_have_fronts_too():
    front = AffineMap((Layer(over([[1, 2]], 3), over([1], 7)),))
    network = SignNetwork([[1.0]], [0.0], [1.0], 0.0, front)
    assert network(np.array([[1.0, 1.0], [-1.0, 0.0], [-3 / 7, 0.0]])).tolist() == [
        1,
        -1,
        -1 if Fraction(-3 / 7) < Fraction(-3, 7) else 1,
    ]
    assert equal(network, SignNetwork([[7.0, 14.0]], [3.0], [1.0], 0.0)).verdict == "equal"
