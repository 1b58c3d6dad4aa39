"""Trees and linear models of scikit-learn, in memory, as ONNX and as JSON: against their own answers, at thresholds too."""

import contextlib
import json
import warnings
from pathlib import Path

import jsonschema
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator
from skl2onnx import to_onnx
from sklearn import discriminant_analysis, ensemble, linear_model, svm, tree
from sklearn.datasets import load_iris
from sklearn.decomposition import PCA
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from threadpoolctl import threadpool_limits
from tree_cases import random_ensemble
from typer.testing import CliRunner

import lpnet
from lpnet import TreeEnsemble, load
from lpnet.cli import app
from lpnet.errors import InputError
from lpnet.io import from_dict, read, save, to_dict
from lpnet.io.kinds import Choice

SCHEMA = json.loads((Path(lpnet.__file__).parent / "schemas" / "network.schema.json").read_text())
X, Y = load_iris(return_X_y=True)
TREES = [
    tree.DecisionTreeClassifier(max_depth=4, random_state=0),
    tree.ExtraTreeClassifier(max_depth=4, random_state=0),
    ensemble.RandomForestClassifier(8, max_depth=4, random_state=0),
    ensemble.ExtraTreesClassifier(8, max_depth=4, random_state=0),
    ensemble.GradientBoostingClassifier(n_estimators=8, random_state=0),
    ensemble.HistGradientBoostingClassifier(max_iter=8, random_state=0),
    tree.DecisionTreeRegressor(max_depth=3, random_state=0),
    tree.ExtraTreeRegressor(max_depth=3, random_state=0),
    ensemble.RandomForestRegressor(7, max_depth=3, random_state=0),
    ensemble.ExtraTreesRegressor(7, max_depth=3, random_state=0),
    ensemble.GradientBoostingRegressor(n_estimators=7, random_state=0),
    ensemble.HistGradientBoostingRegressor(max_iter=7, random_state=0),
    make_pipeline(StandardScaler(), tree.DecisionTreeClassifier(max_depth=4, random_state=0)),
    make_pipeline(MinMaxScaler(), ensemble.RandomForestClassifier(5, max_depth=4, random_state=0)),
    make_pipeline(PCA(3), ensemble.GradientBoostingClassifier(n_estimators=5, random_state=0)),
]


def named(model):
    """For the tests' names."""
    return "-".join(type(step).__name__ for _, step in getattr(model, "steps", [("", model)]))


def fitted(model, two):
    """The model on iris: of all classes, of one against the rest, or of a number of both signs."""
    last = model.steps[-1][1] if hasattr(model, "steps") else model
    target = Y - 0.7 if not hasattr(last, "predict_proba") else (Y == 1).astype(int) if two else Y
    with threadpool_limits(1):
        return model.fit(X, target)


def points_at(ensemble_):
    """Points of float32: near the data, and where there is nothing in front at thresholds and the next floats."""
    random = np.random.default_rng(3)
    points = (X + random.normal(size=X.shape)).astype(np.float32)
    if ensemble_.front is None:
        for j in range(4):
            own = ensemble_.threshold[ensemble_.feature == j].astype(np.float32)
            if len(own):
                at = random.choice(own, size=len(points))
                side = random.choice([at, np.nextafter(at, np.float32(np.inf)), np.nextafter(at, np.float32(-np.inf))])
                points[:, j] = np.where(random.random(len(points)) < 0.6, side, points[:, j])
    return points


def assert_same(made, points, wanted, rounding):
    """The same answers but where the two largest sums are as near to each other as rounding them explains."""
    scores = np.sort(made.scores(points.astype(float)), axis=1)
    clear = scores[:, -1] - scores[:, -2] > rounding
    assert clear.mean() > 0.5
    assert (made(points) == wanted)[clear].all()


def answers(model, points, read_as):
    """What scikit-learn answers, as lpnet says it."""
    given = model.predict(points)
    if not hasattr(model, "classes_"):
        return np.where(given >= 0, 1, -1)
    return 2 * given - 1 if read_as.binary else given


@pytest.mark.parametrize("two", [True, False])
@pytest.mark.parametrize("model", TREES, ids=named)
def test_models_answer_as_scikit_learn(model, two):
    fitted(model, two)
    made = load(model, Choice("own"))
    assert isinstance(made, TreeEnsemble)
    points = points_at(made)
    assert_same(made, points, answers(model, points, made), 1e-12)
    assert not hasattr(model, "classes_") or made.names == tuple(map(str, model.classes_))


@pytest.mark.parametrize("two", [True, False])
@pytest.mark.parametrize("model", [m for m in TREES if "Hist" not in named(m) and "PCA" not in named(m)], ids=named)
def test_onnx_files_answer_as_onnx(model, two, tmp_path):
    fitted(model, two)
    options = {id(model): {"zipmap": False}} if hasattr(model, "classes_") else None
    proto = to_onnx(model, X[:1].astype(np.float32), options=options)
    (tmp_path / "trees.onnx").write_bytes(proto.SerializeToString())
    made = load(tmp_path / "trees.onnx", Choice("own"))
    points = points_at(made)
    given = ReferenceEvaluator(proto).run(None, {proto.graph.input[0].name: points})[0].ravel()
    wanted = np.where(given >= 0, 1, -1) if not hasattr(model, "classes_") else 2 * given - 1 if made.binary else given
    assert_same(made, points, wanted, 1e-6)


def test_ties_are_as_the_library_has_them():
    """Two leaves of one half each: a forest says class 0, and so does the search; boosting of 0 says class 1."""
    data, target = np.array([[0.0], [0.0], [1.0], [1.0], [1.0]]), np.array([0, 1, 1, 1, 0])
    forest = ensemble.RandomForestClassifier(4, bootstrap=False, random_state=0).fit(data, target)
    made = load(forest)
    assert forest.predict_proba([[0.0]]).tolist() == [[0.5, 0.5]]
    assert made([[0.0], [1.0]]).tolist() == (2 * forest.predict([[0.0], [1.0]]) - 1).tolist() == [-1, 1]
    boosting = ensemble.GradientBoostingClassifier(n_estimators=1, init="zero", max_depth=1, learning_rate=0.5)
    boosting.fit([[0.0], [0.0], [1.0], [1.0]], [0, 1, 0, 1])
    assert boosting.decision_function([[0.0]]).tolist() == [0]
    assert load(boosting)([[0.0]]).tolist() == (2 * boosting.predict([[0.0]]) - 1).tolist() == [1]


def test_the_reading_says_how_inputs_are_compared():
    notes = read(fitted(TREES[2], False), Choice("own")).notes
    assert any("float32" in note for note in notes)
    assert any(note.startswith("answer: the class of the largest") for note in notes)
    assert any("missing" in note for note in read(fitted(TREES[5], True)).notes)


def test_other_decisions_of_the_same_trees():
    model = fitted(TREES[2], False)
    shares = model.predict_proba(X)
    assert (load(model, (2, 1))(X) == np.where(shares[:, 2] >= shares[:, 1], 1, -1)).mean() == 1
    inside = load(model, Choice("group", (0, 2)))
    assert (inside(X) == np.where(shares.argmax(axis=1) != 1, 1, -1)).all()
    high = load(model, Choice("single", (1,), lpnet.exact.fraction(0.75)))
    assert (high(X) == np.where(shares[:, 1] >= 0.75, 1, -1)).all()


@pytest.mark.parametrize(
    ("model", "why"),
    [
        (ensemble.RandomForestClassifier(2).fit(X, np.column_stack([Y, Y])), "outputs at once"),
        (ensemble.RandomForestClassifier(2), "fitted"),
        (ensemble.GradientBoostingClassifier(n_estimators=2, init=linear_model.LogisticRegression()).fit(X, Y > 0), "init"),
        (ensemble.HistGradientBoostingRegressor(loss="poisson", max_iter=2).fit(X, Y + 1.0), "logarithm"),
        (ensemble.HistGradientBoostingClassifier(max_iter=2, categorical_features=[0]).fit(np.round(X), Y), "categor"),
        (svm.SVC().fit(X, Y), "kernel"),
        (svm.SVC(kernel="linear").fit(X, Y), "vote"),
        (ensemble.AdaBoostClassifier(n_estimators=2).fit(X, Y), "wanted"),
    ],
)
def test_what_is_not_read_is_named(model, why):
    with pytest.raises(InputError, match=why):
        load(model, Choice("own"))


@pytest.mark.parametrize(
    "model",
    [
        linear_model.LogisticRegression(),
        linear_model.Perceptron(),
        linear_model.RidgeClassifier(),
        linear_model.SGDClassifier(random_state=0),
        svm.LinearSVC(),
        discriminant_analysis.LinearDiscriminantAnalysis(),
        make_pipeline(StandardScaler(), linear_model.LogisticRegression()),
    ],
    ids=named,
)
@pytest.mark.parametrize("labels", [Y, Y == 1, np.array(["a", "b", "c"])[Y]], ids=["numbers", "two", "words"])
def test_linear_models_as_onnx(model, labels):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(X, labels.astype(int) if labels.dtype == bool else labels)
        from_file, own = (load(made, Choice("own")) for made in (to_onnx(model, X[:1].astype(np.float32)), model))
    points = (X + np.random.default_rng(1).normal(size=X.shape)).astype(np.float32)
    assert (from_file(points) == own(points)).all()
    if hasattr(own, "classes"):
        assert from_file.names == own.names
        assert lpnet.minimal_classes(from_file).units <= 3
    else:
        assert lpnet.minimal_equivalent(from_file).units == 1


@pytest.mark.parametrize("model", [svm.SVC(kernel="linear"), svm.NuSVC(kernel="linear", nu=0.2), svm.SVR(kernel="linear")])
def test_linear_kernels(model):
    target = (Y > 0).astype(int)
    model.fit(X, target if hasattr(model, "classes_") or "SVC" in named(model) else target - 0.5)
    given = model.predict(X)
    assert (load(model)(X) == (2 * given - 1 if "SVC" in named(model) else np.where(given >= 0, 1, -1))).all()
    if named(model) == "SVR":
        assert (load(to_onnx(model, X[:1].astype(np.float32)))(X) == load(model)(X)).all()


def regressor(modes, values):
    """An ONNX model of one tree: a chain of comparisons of one input, 1 at the first true one, else −1."""
    count = len(modes)
    nodes = list(range(2 * count + 1))
    trees = {
        "nodes_treeids": [0] * len(nodes),
        "nodes_nodeids": nodes,
        "nodes_featureids": [0] * len(nodes),
        "nodes_modes": modes + ["LEAF"] * (count + 1),
        "nodes_values": [*values, *[0.0] * (count + 1)],
        "nodes_truenodeids": [count + k for k in range(count)] + [0] * (count + 1),
        "nodes_falsenodeids": [*range(1, count), 2 * count, *[0] * (count + 1)],
        "target_treeids": [0] * (count + 1),
        "target_nodeids": nodes[count:],
        "target_ids": [0] * (count + 1),
        "target_weights": [1.0] * count + [-1.0],
        "n_targets": 1,
        "aggregate_function": "SUM",
        "post_transform": "NONE",
    }
    node = helper.make_node("TreeEnsembleRegressor", ["x"], ["y"], domain="ai.onnx.ml", **trees)
    ends = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, 1]) for name in ("x", "y"))
    graph = helper.make_graph([node], "trees", [next(ends)], [next(ends)])
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 3)]
    return helper.make_model(graph, opset_imports=opsets)


@pytest.mark.parametrize("mode", ["LEQ", "LT", "GTE", "GT", "EQ", "NEQ"])
def test_all_comparisons_of_onnx(mode):
    model = regressor([f"BRANCH_{mode}", "BRANCH_GT"], [0.5, 3.0])
    points = np.array([[0.5], [np.nextafter(np.float32(0.5), np.float32(1))], [0.4], [3.0], [4.0]], dtype=np.float32)
    given = ReferenceEvaluator(model).run(None, {"x": points})[0].ravel()
    assert (load(model)(points) == np.where(given >= 0, 1, -1)).all()
    assert len({"LEQ": [1, 1], "EQ": [1, 1, 1], "NEQ": [1, 1], "LT": [1, 1], "GTE": [1], "GT": [1]}[mode]) == (
        lpnet.minimal_trees(model).units
    )


def test_an_onnx_model_that_does_more_is_refused():
    model = regressor(["BRANCH_LEQ"], [0.5])
    model.graph.node.append(helper.make_node("Neg", ["y"], ["z"]))
    model.graph.output[0].name = "z"
    with pytest.raises(InputError, match="Neg"):
        load(model)
    unknown = regressor(["BRANCH_MEMBER"], [0.5])
    with pytest.raises(InputError, match="BRANCH_MEMBER"):
        load(unknown)
    assert onnx.__version__


@pytest.mark.parametrize("model", [TREES[2], TREES[12], linear_model.RidgeClassifier()], ids=named)
def test_changed_bytes_are_refused_in_one_sentence(model):
    """Where the tables of trees do not fit together, above all; tensors beside them are another reader's."""
    random = np.random.default_rng(5)
    content = to_onnx(model.fit(X, Y), X[:1].astype(np.float32)).SerializeToString()
    for _ in range(60):
        changed = bytearray(content)
        changed[random.integers(len(content))] = random.integers(256)
        try:
            damaged = onnx.load_from_string(bytes(changed))
            for tensor in damaged.graph.initializer:
                onnx.numpy_helper.to_array(tensor)
        except Exception:  # whatever protobuf raises
            continue
        with contextlib.suppress(InputError):
            load(damaged, Choice("own"))


@pytest.mark.parametrize("seed", range(12))
def test_json_is_read_back(seed, tmp_path):
    """To the last digit, a front of thirds included."""
    made = random_ensemble(seed)
    save(made, tmp_path / "trees.json")
    data = json.loads((tmp_path / "trees.json").read_text())
    jsonschema.validate(data, SCHEMA)
    again = load(tmp_path / "trees.json")
    assert to_dict(again) == to_dict(made) == data
    pipeline = load(fitted(TREES[13], True))
    assert to_dict(from_dict(to_dict(pipeline))) == to_dict(pipeline)


@pytest.mark.parametrize(
    "wrong",
    [
        {"feature": "x"},
        {"feature": [9]},
        {"children": [[0, 0]]},
        {"strict": [1]},
        {"roots": [-1]},
        {"value": [[1], [2, 3]]},
        {"columns": 0},
        {"more": 1},
        {"names": [1, 2]},
        {"classes": [7, 8]},
        {"inputs": 99},
        {"threshold": ["a"]},
        {"output_weight": []},
    ],
    ids=str,
)
def test_damaged_json_is_refused(wrong):
    with pytest.raises(InputError):
        from_dict(to_dict(random_ensemble(12)) | wrong)


def run(*arguments):
    """The command."""
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_commands(tmp_path):
    """minimal, its circuit, equal, show; what is not for trees says so."""
    file, out = tmp_path / "forest.json", tmp_path / "circuit.json"
    save(load(fitted(TREES[2], False), Choice("own")), file)
    row = json.loads(run("minimal", file, "--json", "-o", out).stdout)
    assert row["units"] <= row["thresholds"] <= row["splits"]
    assert set(row["units_of_class"]) == {"0", "1", "2"}
    assert run("equal", file, out).exit_code == 0
    assert json.loads(run("minimal", file, "--count", "--json").stdout)["units"] == row["units"]
    assert "different thresholds" in run("show", file).stdout
    shown = json.loads(run("show", file, "--json").stdout)
    jsonschema.validate(shown, SCHEMA)
    two = tmp_path / "two.json"
    save(load(fitted(TREES[0], True)), two)
    assert run("minimal", two, "-o", tmp_path / "two.txt", "--names", "a,b,c,d").exit_code == 0
    assert "positive if" in (tmp_path / "two.txt").read_text()
    assert run("minimal", two, "-o", tmp_path / "two.onnx").exit_code == 0
    assert run("equal", two, tmp_path / "two.onnx").exit_code == 0
    for arguments in (
        ("minimal", file, "--proof", tmp_path / "p"),
        ("minimal", file, "--engine", "tree"),
        ("equal", file, file, "--regions", "--domain", "0,1"),
        ("equal", file, two),
        ("estimate", file),
        ("nearest", two),
        ("tightness", two),
    ):
        assert run(*arguments).exit_code == 2, arguments


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A small tree in a file."""
    file = tmp_path_factory.mktemp("trees") / "small.json"
    save(load(fitted(tree.DecisionTreeClassifier(max_depth=2, random_state=0), False), Choice("own")), file)
    return file


def test_pictures(small, tmp_path):
    assert run("draw", small, "-o", tmp_path / "a.png", "--slice", "x3,x4").exit_code == 0
    assert run("draw", small, "-o", tmp_path / "b.png", "--slice", "x3,y").exit_code == 2
    assert run("draw", small, "-o", tmp_path / "b.svg", "--circuit").exit_code == 0


def test_a_page(small, tmp_path):
    assert run("report", small, "-o", tmp_path / "a.html").exit_code == 0
    assert "thresholds of the trees" in (tmp_path / "a.html").read_text()


def test_equal_says_where(tmp_path):
    """A tree and its pruned version: the point is one at which they differ, by scikit-learn's own word."""
    full, pruned = (tree.DecisionTreeClassifier(ccp_alpha=a, random_state=0).fit(X, Y) for a in (0.0, 0.02))
    for name, model in (("full", full), ("pruned", pruned)):
        save(load(model, Choice("own")), tmp_path / f"{name}.json")
    result = run("equal", tmp_path / "full.json", tmp_path / "pruned.json", "--json")
    found = json.loads(result.stdout)
    assert result.exit_code == 1
    assert found["verdict"] == "different"
    at = np.array([[float(x) for x in found["point"]]])
    assert (full.predict(at), pruned.predict(at)) == (found["answer_a"], found["answer_b"])
