"""Models with several outputs from files and libraries: what they decide, what `lpnet minimal` says, what it writes."""

import json
import os
import warnings
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from typer.testing import CliRunner

import lpnet
from lpnet import Box, Classifier, ReLUNetwork, load, minimal_classes
from lpnet.cli import app
from lpnet.equivalents.class_circuits import class_circuits
from lpnet.errors import InputError
from lpnet.io import read, save
from lpnet.io.kinds import Choice, SingleOutput
from lpnet.laws import classes_bound
from lpnet.networks.affine import Layer
from lpnet.watch import Watch

SCHEMA = json.loads((Path(lpnet.__file__).parent / "schemas" / "network.schema.json").read_text())
NAMES = ("low", "middle", "high")


def network(classes: int = 3) -> Classifier:
    """Two hidden layers on two inputs."""
    rng = np.random.default_rng(25)
    layers = [(rng.normal(size=(m, n)), 0.3 * rng.normal(size=m)) for n, m in ((2, 3), (3, 2), (2, classes))]
    return Classifier.of_layers(layers, names=NAMES[:classes])


def run(*arguments: object):
    """The command."""
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.mark.parametrize("suffix", [".json", ".npz", ".onnx"])
def test_files_hold_all_outputs(tmp_path, suffix):
    if suffix == ".onnx":
        pytest.importorskip("onnx")
    given, file = network(), tmp_path / f"n{suffix}"
    save(given, file)
    if suffix == ".json":
        jsonschema.validate(json.loads(file.read_text()), SCHEMA)
    again = load(file, Choice("own"), kind=Classifier)
    points = np.random.default_rng(0).normal(size=(40, 2))
    np.testing.assert_array_equal(again(points), given(points))
    assert again.names == given.names
    for i, j in ((0, 2), (2, 1)):
        scores = [given.scores[k].score(points) for k in (i, j)]
        np.testing.assert_array_equal(load(file, (i, j), kind=ReLUNetwork)(points) > 0, scores[0] >= scores[1])


def test_layers_alone():
    """The short form in JSON, its last layer the scores."""
    rng = np.random.default_rng(5)
    layers = [(rng.normal(size=(m, n)), rng.normal(size=m)) for n, m in ((2, 3), (3, 3))]
    data = {"kind": "relu", "names": list(NAMES), "layers": [{"weight": w.tolist(), "bias": b.tolist()} for w, b in layers]}
    jsonschema.validate(data, SCHEMA)
    points = rng.normal(size=(30, 2))
    expected = (np.maximum(points @ layers[0][0].T + layers[0][1], 0) @ layers[1][0].T + layers[1][1]).argmax(axis=1)
    np.testing.assert_array_equal(load(data, kind=Classifier)(points), expected)


def test_choices(tmp_path):
    given, file = network(), tmp_path / "n.json"
    save(given, file)
    points = np.random.default_rng(1).normal(size=(60, 2))
    scores = np.stack([score.score(points) for score in given.scores])
    np.testing.assert_array_equal(load(file, Choice("argmin"), kind=Classifier)(points), scores.argmin(axis=0))
    group = load(file, Choice("group", ("high", 0)), kind=Classifier)
    assert group.names == ("high+low", "the rest")
    np.testing.assert_array_equal(group(points) == 0, scores.argmax(axis=0) != 1)
    single = load(file, Choice("single", ("middle",), Fraction(1, 4)), kind=ReLUNetwork)
    np.testing.assert_array_equal(single(points) > 0, scores[1] >= 0.25)
    pair = load(file, Choice("pair", ("high", "low")), kind=ReLUNetwork)
    np.testing.assert_array_equal(pair(points) > 0, scores[2] >= scores[0])
    for wrong, said in [
        (Choice("pair", ("high", "tall")), "wanted numbers from 0 to 2, or one of low, middle, high, got 'tall'"),
        (Choice("group", ("0", "1", "2")), "some but not all of its 3 outputs"),
        (Choice("single", (), Fraction(1, 2)), "say which one is to be compared with 0.5"),
    ]:
        with pytest.raises(InputError, match=said):
            read(file, wrong)
    save(given.scores[0], file)
    with pytest.raises(SingleOutput, match="single output"):
        read(file, Choice("argmax"))


def test_minimal_of_classes(tmp_path):
    """Counts of pairs and classes; a threshold network in every format that is read back, equal to the network."""
    given, file = network(), tmp_path / "n.json"
    save(given, file)
    answer = minimal_classes(given)
    row = json.loads(run("minimal", file, "--json").stdout)
    assert (row["units"], row["pieces"]) == (answer.units, len(answer.pieces.patterns))
    assert sum(pair["pieces"] for pair in row["pairs"]) == row["pieces"]
    assert list(row["never"]) == [NAMES[c] for c in answer.never]
    assert json.loads(run("minimal", file, "--json", "--count").stdout)["pieces"] == row["pieces"]
    text = run("minimal", file).stdout
    assert all(" | ".join(pair["classes"]) in text for pair in row["pairs"])
    for suffix in (".json", ".npz", ".txt"):
        out = tmp_path / f"out{suffix}"
        assert run("minimal", file, "-o", out).exit_code == 0
        assert "class low if" in (out.read_text() if suffix == ".txt" else run("show", out).stdout + "class low if")
    assert run("equal", file, tmp_path / "out.json").stdout.startswith("equal: proved, ties included")
    points = np.random.default_rng(3).normal(size=(40, 2))
    np.testing.assert_array_equal(load(tmp_path / "out.npz", kind=Classifier)(points), given(points))
    for option in ("--threshold", "x"), ("--group", "0", "--threshold", "1"):
        result = run("minimal", file, *option)
        assert result.exit_code == 2
        assert result.stderr.count("\n") == 1


def test_groups_are_compared_and_drawn(tmp_path):
    """A group against the rest, as the network and as the threshold network written for it."""
    given, file, out = network(), tmp_path / "n.json", tmp_path / "group.json"
    save(given, file)
    assert run("minimal", file, "--group", "low,high", "-o", out).exit_code == 0
    assert run("equal", file, out, "--group", "low,high").stdout.startswith("equal: proved, ties included")
    assert run("equal", file, out, "--group", "low").exit_code == 1
    assert run("minimal", out, "--group", "0").exit_code == 2
    pytest.importorskip("matplotlib")
    assert run("draw", file, "--group", "low", "-o", tmp_path / "n.svg").exit_code == 0
    assert "the rest" in (tmp_path / "n.svg").read_text()


def test_classes_without_an_open_set(tmp_path):
    """One that wins on a tie alone, one that is nowhere, one that equals an earlier one."""
    unit = {"kind": "relu", "hidden_weight": [[1.0]], "hidden_bias": [0.0], "output_weight": [[0.0]] * 5}
    data = unit | {"skip": [[0.0], [1.0], [-1.0], [0.0], [1.0]], "output_bias": [0.0, 0.0, 0.0, -1.0, 0.0], "names": [*"abcde"]}
    file = tmp_path / "n.json"
    file.write_text(json.dumps(data))
    row = json.loads(run("minimal", file, "--json").stdout)
    assert row["never"] == {"a": True, "d": False, "e": False}
    own = load(file, Choice("own"))
    assert [at and own(at) for at in row["points"].values()] == [0, 1, 2, None, None]
    text = run("minimal", file).stdout
    assert "never the class: d, e" in text
    assert "the class on ties alone: a" in text
    out = tmp_path / "o.json"
    assert run("minimal", file, "-o", out).exit_code == 0
    assert load(out, kind=Classifier)([[0.0], [2.0], [-2.0]]).tolist() == [0, 1, 2]
    assert run("equal", file, out).stdout.startswith("equal: proved, ties included")


def test_classes_on_ties_of_larger_networks(tmp_path):
    """18 units: 0, which |x| exceeds off a line, where it wins; and less than that, which never does."""
    weight = [[1.0, 0.0], [-1.0, 0.0], *([k - 7.5, 3.0] for k in range(16))]
    data = {"kind": "relu", "hidden_weight": weight, "hidden_bias": [0.0] * 2 + [1.0] * 16, "names": [*"abcd"]}
    data |= {"output_weight": [[0.0] * 18, [1.0] * 2 + [0.0] * 16, [0.0] * 2 + [1.0] * 16, [0.0] * 18]}
    data |= {"output_bias": [0.0, 0.0, -40.0, -0.5]}
    file = tmp_path / "n.json"
    file.write_text(json.dumps(data))
    assert json.loads(run("minimal", file, "--json").stdout)["never"] == {"a": True, "d": False}


def test_show_says_the_rule(tmp_path):
    file = tmp_path / "n.json"
    save(network(), file)
    assert "the class of the largest of 3 outputs" in run("show", file).stdout
    assert "the class of the least of 3 outputs" in run("show", file, "--outputs", "argmin").stdout
    assert "whether the largest output is one of output 0 (low)" in run("show", file, "--group", "low").stdout
    assert "+1 where output 1 (middle) is ≥ 0.5" in run("show", file, "--outputs", "1", "--threshold", "0.5").stdout
    assert json.loads(run("show", file, "--json").stdout)["names"] == list(NAMES)


def test_sklearn_models():
    """Predictions of scikit-learn's own, at data and at random points; argmax of its classes."""
    warnings.simplefilter("ignore")  # that training has not converged
    datasets, neural = pytest.importorskip("sklearn.datasets"), pytest.importorskip("sklearn.neural_network")
    from sklearn.decomposition import PCA
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    rng = np.random.default_rng(0)
    for loader, steps, widths in [
        (datasets.load_iris, [], (5,)),
        (datasets.load_wine, [PCA(3)], (4, 3)),
        (datasets.load_digits, [PCA(2)], (6,)),
    ]:
        data = loader()
        names = data.target_names[data.target]
        model = make_pipeline(StandardScaler(), *steps, neural.MLPClassifier(widths, max_iter=60, random_state=0))
        own = load(model.fit(data.data, names), Choice("own"), kind=Classifier)
        points = np.vstack([data.data[::7], data.data[::9] + rng.normal(size=data.data[::9].shape) * data.data.std()])
        assert [own.names[c] for c in own(points)] == list(map(str, model.predict(points)))
        if widths == (6,):
            answer = minimal_classes(own)
            assert answer.units == len(answer.pieces.patterns) > 0
            for (i, j), at in zip(answer.pieces.pairs, answer.pieces.witnesses, strict=True):
                scores = answer.form.scores_at(at)
                assert scores[i] == scores[j] == max(scores)


@pytest.mark.parametrize("units", ["ReLUs", "threshold units"])
def test_pictures_show_the_classes(units):
    """The regions cover the window once, and every point of a grid lies in that of its class."""
    pytest.importorskip("matplotlib")
    from matplotlib.path import Path

    from lpnet.plots.classes import draw_classes, sections
    from lpnet.plots.slices import along_inputs
    from lpnet.plots.window import rounded

    given, place = network(), along_inputs(["x1", "x2"], 0, 1, np.zeros(2))
    drawn = given if units == "ReLUs" else class_circuits(minimal_classes(given), Watch()).network
    shown = sections(drawn, place, Box([-2, -2], [2, 2]))
    points = np.random.default_rng(4).uniform(-2, 2, (200, 2))
    classes = given(points)
    for number, each in enumerate(shown):
        inside = np.zeros(len(points), dtype=int)
        for ring in each.positive:
            inside += Path([*map(rounded, ring)], closed=False).contains_points(points)
        np.testing.assert_array_equal(inside % 2 == 1, classes == number)
    figure = draw_classes(given, place)
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert set(labels) >= {NAMES[c] for c in set(classes.tolist())} | {"decision boundary"}


def test_names_in_metadata(tmp_path):
    """A list, or the values of an object; what is neither, or not as many as outputs, is left."""
    onnx = pytest.importorskip("onnx")
    given, file = network(), tmp_path / "n.onnx"
    save(given, file)
    for key, text, names in (
        ("labels", '{"0": "x", "1": "y", "2": "z"}', ("x", "y", "z")),
        ("classes", "[1, 2, 3]", ("1", "2", "3")),
        ("names", '["x", "y"]', ("0", "1", "2")),
        ("classes", '["x", "x", "y"]', ("0", "1", "2")),
        ("classes", "x, y, z", ("0", "1", "2")),
        ("classes", "[" * 100_000, ("0", "1", "2")),
    ):
        model = onnx.load(file)
        del model.metadata_props[:]
        onnx.helper.set_model_props(model, {key: text})
        assert load(model, Choice("own"), kind=Classifier).names == names


def test_torch_and_keras_models():
    """Their own predictions; a softmax at the end changes nothing."""
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    module = torch.nn.Sequential(
        torch.nn.Linear(3, 5), torch.nn.ReLU(), torch.nn.Linear(5, 4), torch.nn.Softmax(dim=1)
    ).double()
    points = np.random.default_rng(6).normal(size=(50, 3))
    with torch.no_grad():
        expected = module(torch.tensor(points)).argmax(dim=1).numpy()
    np.testing.assert_array_equal(load(module, Choice("own"), kind=Classifier)(points), expected)
    os.environ.setdefault("KERAS_BACKEND", "jax")
    keras = pytest.importorskip("keras")
    layers = [keras.layers.Dense(4, activation="relu"), keras.layers.Dense(3, activation="softmax")]
    model = keras.Sequential([keras.layers.Input((3,)), *layers])
    own = load(model, Choice("own"), kind=Classifier)
    scores = np.asarray(model.predict(points.astype(np.float32), verbose=0))
    clear = np.sort(scores, axis=1)[:, -1] - np.sort(scores, axis=1)[:, -2] > 1e-4
    np.testing.assert_array_equal(own(points)[clear], scores.argmax(axis=1)[clear])
    assert minimal_classes(own).complete


def test_a_page_about_classes(tmp_path):
    pytest.importorskip("matplotlib")
    given, file = network(), tmp_path / "n.json"
    save(given, file)
    assert run("report", file, "-o", tmp_path / "n.html").exit_code == 0
    page, answer = (tmp_path / "n.html").read_text(), minimal_classes(given)
    assert f"{len(answer.borders)} of 3" in page
    assert all(name in page for name in (*NAMES, ">if ", "PROVED, in exact arithmetic"))
    assert page.count("data:image/svg") == 2
    for what in (file, tmp_path / "t.json"):
        assert run("draw", what, "--circuit", "-o", tmp_path / "c.svg").exit_code == 0
        assert all(f"{name}: " in (tmp_path / "c.svg").read_text() for name in NAMES)
        assert run("minimal", file, "-o", tmp_path / "t.json").exit_code == 0


def test_labels_of_onnx(tmp_path):
    """A model that ends in ArgMax or ArgMin decides so."""
    onnx = pytest.importorskip("onnx")
    given = network()
    points = np.random.default_rng(7).normal(size=(60, 2))
    scores = np.stack([score.score(points) for score in given.scores])
    for operator, expected in (("ArgMax", scores.argmax(axis=0)), ("ArgMin", scores.argmin(axis=0))):
        file = tmp_path / f"{operator}.onnx"
        save(given, file)
        model = onnx.load(file)
        model.graph.node.append(onnx.helper.make_node(operator, ["y"], ["label"], axis=1, keepdims=0))
        model.graph.output[0].CopyFrom(onnx.helper.make_tensor_value_info("label", onnx.TensorProto.INT64, ["batch"]))
        onnx.save(model, file)
        np.testing.assert_array_equal(load(file, Choice("own"), kind=Classifier)(points), expected)


def test_an_output_behind_a_relu_can_be_compared_with_a_number():
    torch = pytest.importorskip("torch")
    module = torch.nn.Sequential(torch.nn.Linear(2, 4), torch.nn.ReLU(), torch.nn.Linear(4, 1), torch.nn.ReLU()).double()
    points = np.random.default_rng(3).normal(size=(200, 2)) * 4
    values = module(torch.tensor(points)).detach().numpy()[:, 0]
    level = Fraction(float(np.median(values[values > 0])))
    np.testing.assert_array_equal(load(module, Choice("single", (), level))(points) > 0, values >= float(level))
    for without in (None, Choice("single", (), Fraction(0))):
        with pytest.raises(InputError, match="--threshold"):
            load(module, without)


def test_linear_models(tmp_path):
    """Networks without hidden layers: scikit-learn's own predictions, and probabilities as thresholds."""
    pytest.importorskip("sklearn")
    from sklearn import datasets, discriminant_analysis, linear_model, svm
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    warnings.simplefilter("ignore")  # that training has not converged
    data, labels = datasets.load_iris(return_X_y=True)
    points = np.vstack([data, data + np.random.default_rng(0).normal(size=data.shape)])
    for model in (
        linear_model.LogisticRegression(max_iter=50),
        svm.LinearSVC(max_iter=50),
        discriminant_analysis.LinearDiscriminantAnalysis(),
        linear_model.SGDClassifier(random_state=0),
    ):
        three = make_pipeline(StandardScaler(), model).fit(data, labels)
        answer = minimal_classes(three)
        np.testing.assert_array_equal(answer.network(points), three.predict(points))
        assert answer.units == classes_bound(1, 3) == 3
        two = model.fit(data[50:], labels[50:])
        np.testing.assert_array_equal(lpnet.load(two)(points) > 0, two.predict(points) == 2)
        assert lpnet.minimal_equivalent(two).units == 1
    two = linear_model.LogisticRegression(max_iter=50).fit(data[50:], labels[50:])
    likely = lpnet.load(two, Choice("single", (), Fraction(1, 4)))
    np.testing.assert_array_equal(likely(points) > 0, two.predict_proba(points)[:, 1] >= 0.25)
    assert lpnet.minimal_equivalent(linear_model.Ridge().fit(data, labels)).units == 1
    files = [tmp_path / "a.json", tmp_path / "b.json"]
    save(answer.network, files[0])
    save(likely, files[1])
    assert load(files[0], kind=Classifier).relus == load(files[1]).relus == 0
    assert run("minimal", *files).exit_code == 0
    assert run("minimal", files[0], "--proof", tmp_path / "p", "-o", tmp_path / "o.json").exit_code == 0
    assert run("verify", tmp_path / "p", "--network", files[0]).exit_code == 0
    assert run("equal", files[0], tmp_path / "o.json").stdout.startswith("equal: proved, ties included")


def test_single_linear_layers(tmp_path):
    """Of PyTorch and in ONNX, a softmax behind it or not."""
    torch, onnx = pytest.importorskip("torch"), pytest.importorskip("onnx")
    torch.manual_seed(1)
    layer = torch.nn.Linear(3, 4).double()
    points = np.random.default_rng(6).normal(size=(50, 3))
    with torch.no_grad():
        expected = layer(torch.tensor(points)).argmax(dim=1).numpy()
    for model in (layer, torch.nn.Sequential(layer, torch.nn.Softmax(dim=1))):
        np.testing.assert_array_equal(load(model, Choice("own"), kind=Classifier)(points), expected)
    own = load(layer, Choice("own"), kind=Classifier)
    save(own, tmp_path / "n.onnx")
    assert len(onnx.load(tmp_path / "n.onnx").graph.node) < 4
    np.testing.assert_array_equal(load(tmp_path / "n.onnx", Choice("own"), kind=Classifier)(points), expected)
    assert minimal_classes(own).units == classes_bound(1, 4) == 6


def test_only_rounded(tmp_path):
    """The threshold network with half-spaces in floats, and all numbers in float32, are told from others."""
    given = network()
    save(given, tmp_path / "n.json")
    assert run("minimal", tmp_path / "n.json", "-o", tmp_path / "t.npz").exit_code == 0
    made = load(tmp_path / "t.npz", kind=Classifier)
    near = replace(
        made,
        scores=tuple(
            replace(score, hidden_weight=floats(score.hidden_weight), hidden_bias=floats(score.hidden_bias))
            for score in made.scores
        ),
    )
    short = Classifier(tuple(in_float32(score) for score in given.scores), (), NAMES)
    for other in (near, short):
        found = lpnet.equal(given, other)
        assert found.verdict == "different by rounding"
        assert found.answer_a != found.answer_b
    assert lpnet.equal(given, given.least()).verdict == "different"
    save(short, tmp_path / "s.json")
    assert run("equal", tmp_path / "n.json", tmp_path / "s.json").exit_code == 4


def floats(numbers):
    """Rounded."""
    return np.array(numbers, dtype=float)


def in_float32(score):
    """The network with its numbers in float32."""

    def short(numbers):
        return np.asarray(numbers, dtype=np.float32).astype(float)

    deeper = tuple(Layer(short(layer.weight), short(layer.bias)) for layer in score.deeper)
    numbers = {name: short(getattr(score, name)) for name in ("hidden_weight", "hidden_bias", "output_weight")}
    return replace(score, **numbers, deeper=deeper, output_bias=float(np.float32(score.output_bias)))
