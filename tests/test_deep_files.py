"""Networks of several hidden layers in files: to the last bit in lpnet's own, as they compute in ONNX, or one sentence."""

import json
from fractions import Fraction
from pathlib import Path

import jsonschema
import numpy as np
import onnx
import pytest
from deep import chain, tangled
from onnx.reference import ReferenceEvaluator

import lpnet
from lpnet import InputError, ReLUNetwork
from lpnet.io import from_dict, load, save, to_dict
from lpnet.networks.affine import AffineMap, Layer

SCHEMA = json.loads((Path(lpnet.__file__).parent / "schemas" / "network.schema.json").read_text())
THIRDS = AffineMap((Layer(np.array([[Fraction(1, 3), 0, 1], [0, 1, Fraction(1, 7)]]), np.array([Fraction(2, 3), 0])),))


def networks():
    """Plain chains, skips of all kinds, a front, an exact number, a layer without units."""
    rng = np.random.default_rng(7)
    yield chain(rng, 3, 4, 5)
    yield chain(rng, 2, 3, 2, 4)
    yield tangled(rng, 3, 3, 4)
    yield tangled(rng, 2, 3, 3, 2, front=THIRDS)
    weight, bias = np.array([[1.0, 0.5, Fraction(1, 3), 0]]), np.array([Fraction(1, 3)])
    yield ReLUNetwork(np.eye(2), np.zeros(2), [1.0, 2.0, -1.0], 0.5, None, (Layer(weight, bias), Layer(np.zeros((0, 5)), [])))
    yield ReLUNetwork(np.eye(2), np.zeros(2), [1.0, 2.0], 0.5, skip=np.array([0.1, 0.0]))


def same(a, b):
    """Whether all numbers are the same, whatever holds them."""
    pairs = zip(to_dict(a).items(), to_dict(b).items(), strict=True)
    return all(mine == other for mine, other in pairs) and a.exact_form == b.exact_form


@pytest.mark.parametrize("suffix", [".json", ".npz"])
@pytest.mark.parametrize("number", range(6))
def test_own_files_hold_every_bit(tmp_path, number, suffix, caplog):
    network = list(networks())[number]
    save(network, tmp_path / f"net{suffix}")
    again = load(tmp_path / f"net{suffix}")
    assert same(network, again)
    assert not caplog.records  # nothing is rounded
    if suffix == ".json":
        jsonschema.validate(json.loads((tmp_path / "net.json").read_text()), SCHEMA)


@pytest.mark.parametrize("number", range(6))
def test_onnx_computes_the_score(tmp_path, number):
    network = list(networks())[number]
    save(network, tmp_path / "net.onnx")
    model = onnx.load(tmp_path / "net.onnx")
    points = np.random.default_rng(1).normal(size=(50, network.inputs))
    (scores,) = ReferenceEvaluator(model).run(None, {"x": points})
    assert scores[:, 0] == pytest.approx(network.score(points), abs=1e-12)


def test_a_plain_chain_needs_no_concat(tmp_path):
    save(chain(np.random.default_rng(0), 2, 3, 4, 2), tmp_path / "net.onnx")
    operators = [node.op_type for node in onnx.load(tmp_path / "net.onnx").graph.node]
    assert operators == ["Gemm", "Relu"] * 3 + ["Gemm"]


def test_layers_alone_say_a_plain_network(tmp_path):
    network = chain(np.random.default_rng(3), 2, 3, 4)
    (w1, b1), (w2, b2) = (network.hidden_weight, network.hidden_bias), (network.deeper[0].weight[:, 2:], network.deeper[0].bias)
    w3, b3 = network.output_weight[3:], network.output_bias
    layers = [{"weight": w.tolist(), "bias": b.tolist()} for w, b in ((w1, b1), (w2, b2))]
    for row, constant in ((w3.tolist(), b3), ([w3.tolist()], [b3])):
        data = {"kind": "relu", "layers": [*layers, {"weight": row, "bias": constant}]}
        assert same(from_dict(data), network)
    jsonschema.validate(data, SCHEMA)
    arrays = {"layers0_weight": w1, "layers0_bias": b1, "layers1_weight": w2, "layers1_bias": b2}
    np.savez(tmp_path / "net.npz", kind="relu", **arrays, layers2_weight=w3[None], layers2_bias=np.array([b3]))
    assert same(load(tmp_path / "net.npz"), network)
    big = {"weight": [[2**60 + 1, 0.5, 1, 1]], "bias": [0.5]}
    assert from_dict({"kind": "relu", "layers": [*layers, big]}).output_weight[3] == 2**60 + 1


ROW = {"weight": [[1.0, 2.0]], "bias": [0.0]}


@pytest.mark.parametrize(
    ("layers", "sentence"),
    [
        ([ROW], "wanted a hidden layer and an output layer at least, got 1"),
        ([ROW, {"weight": [[1.0, 2.0]], "bias": [0.0]}], "output layer, weight: wanted shape"),
        ([ROW, {"weight": [[1.0], [1.0, 2.0]], "bias": [0.0]}], "output layer, weight: wanted"),
        ([ROW, {"weight": [[1.0, 1.0]], "bias": [0.0]}, {"weight": [1.0], "bias": 0.0}], "layer 2, weight: wanted shape"),
        ([{"weight": [[1.0]]}], 'wanted a list of objects with "weight" and "bias"'),
        ("no", 'wanted a list of objects with "weight" and "bias"'),
    ],
)
def test_what_is_wrong_with_layers_is_said(layers, sentence):
    with pytest.raises(InputError, match=sentence):
        from_dict({"kind": "relu", "layers": layers})


def test_fields_that_do_not_go_together_are_refused(tmp_path):
    data = to_dict(chain(np.random.default_rng(3), 2, 3, 4))
    with pytest.raises(InputError, match=r"'layers': unknown to a relu network, which has .*deeper, skip, or layers alone"):
        from_dict({**data, "layers": []})
    sign = {"kind": "sign", "hidden_weight": [[1.0]], "hidden_bias": [0.0], "output_weight": [1.0], "output_bias": 0.0}
    with pytest.raises(InputError, match="'deeper': unknown to a sign network"):
        from_dict({**sign, "deeper": []})
    with pytest.raises(InputError, match=r"layer 2, weight: wanted shape \(any, 5\)"):
        from_dict({**data, "deeper": [ROW]})
    with pytest.raises(InputError, match="skip: wanted shape"):
        from_dict({**data, "skip": [1.0]})
    np.savez(tmp_path / "net.npz", kind="relu", layers0_weight=np.eye(2))
    with pytest.raises(InputError, match="layers0_weight: wanted layers0_weight and layers0_bias"):
        load(tmp_path / "net.npz")


def test_text_has_no_relu_network(tmp_path):
    with pytest.raises(InputError, match="has no logic to write in words"):
        save(chain(np.random.default_rng(3), 2, 3, 4), tmp_path / "net.txt")


@pytest.mark.parametrize("number", range(6))
def test_onnx_is_read_back_as_the_same_function(tmp_path, number):
    network = list(networks())[number]
    save(network, tmp_path / "net.onnx")
    again = load(tmp_path / "net.onnx", kind=ReLUNetwork)
    points = [(*map(int, at), 7) for at in np.random.default_rng(1).integers(-20, 21, (40, network.inputs))]
    ours, theirs = ([net.exact_form.scale * sum(net.exact_form.terms_at(at)) for at in points] for net in (network, again))
    assert ours == theirs
