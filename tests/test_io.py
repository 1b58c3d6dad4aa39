"""Files hold networks to the last bit, and every file that cannot be read gives one sentence with its name."""

import importlib.util
import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from onnx.reference import ReferenceEvaluator
from real_files import write_all
from scipy.sparse import csr_array
from sklearn.cluster import KMeans
from sklearn.datasets import load_breast_cancer, load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier

from lpnet import InputError, ReLUNetwork, SignCircuit, SignNetwork, StepNetwork
from lpnet.console import abbreviated
from lpnet.equality import equal
from lpnet.exact import fractions
from lpnet.io import READERS, from_dict, from_sklearn, load, save, to_dict
from lpnet.io.files import FORMATS, look
from lpnet.networks.affine import AffineMap, Layer
from lpnet.networks.exact_form import ExactForm

DATA = Path(__file__).parent.parent / "data"
FIELDS = ("hidden_weight", "hidden_bias", "middle_weight", "middle_bias", "output_weight", "output_bias")
GOOD = {"kind": "relu", "hidden_weight": [[1.0, 2.0]], "hidden_bias": [0.5], "output_weight": [1.0], "output_bias": -1.0}

finite = st.floats(allow_nan=False, allow_infinity=False)


@st.composite
def networks(draw):
    d, m, k = draw(st.integers(1, 3)), draw(st.integers(0, 3)), draw(st.integers(0, 3))
    shapes = {ReLUNetwork: [(m, d), m, m], SignNetwork: [(m, d), m, m], SignCircuit: [(m, d), m, (k, m), k, k]}
    kind = draw(st.sampled_from(list(shapes)))
    return kind(*(draw(arrays(np.float64, shape, elements=finite)) for shape in shapes[kind]), draw(finite))


def bits(network):
    numbers = {field: np.asarray(getattr(network, field)) for field in FIELDS if hasattr(network, field)}
    return type(network), {field: (array.shape, array.tobytes()) for field, array in numbers.items()}


@given(networks())
def test_dict_round_trip_is_exact(network):
    assert bits(from_dict(json.loads(json.dumps(to_dict(network), allow_nan=False)))) == bits(network)


@pytest.mark.parametrize("suffix", [".json", ".npz", ".onnx", ".JSON"])
@given(network=networks())
def test_file_round_trip_is_exact(tmp_path_factory, suffix, network):
    path = tmp_path_factory.getbasetemp() / f"round_trip{suffix}"
    save(network, path)
    assert bits(load(path)) == bits(network)


@pytest.mark.parametrize("suffix", [".json", ".npz"])
def test_the_nasty_floats_come_back(tmp_path, suffix):
    network = ReLUNetwork([[-0.0, 5e-324]], [1.7976931348623157e308], [0.1], -0.0)
    save(network, tmp_path / f"n{suffix}")
    assert bits(load(str(tmp_path / f"n{suffix}"))) == bits(network)


def test_no_hidden_units_keep_their_inputs():
    data = to_dict(SignNetwork(np.zeros((0, 4)), [], [], 1))
    assert data["inputs"] == 4
    assert from_dict(data).inputs == 4


def test_comment_and_inputs_may_be_there(tmp_path):
    assert from_dict({**GOOD, "comment": {"by": ["hand"]}, "inputs": 2}).relus == 1
    (tmp_path / "bom.json").write_bytes(b"\xef\xbb\xbf" + json.dumps(GOOD).encode())
    assert load(tmp_path / "bom.json").inputs == 2
    np.savez(tmp_path / "n.npz", **{**GOOD, "kind": b"relu", "inputs": 2, "comment": "by hand"})
    assert load(tmp_path / "n.npz").inputs == 2


def npz(**changes):
    return lambda path: np.savez(path, **{**GOOD, **changes})


def text(content):
    return lambda path: path.write_bytes(content.encode() if isinstance(content, str) else content)


def relu(**changes):
    data = {**GOOD, **changes}
    return text(json.dumps({key: value for key, value in data.items() if value is not ...}))


def truncated_npz(path):
    npz()(path)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def corrupted_npz(path):
    npz()(path)
    content = bytearray(path.read_bytes())
    content[150] ^= 255
    path.write_bytes(bytes(content))


def bare_npy(path):
    with path.open("wb") as file:
        np.save(file, np.zeros(3))


BAD = [
    ("missing.json", lambda path: None, "no such file"),
    ("nul\0.json", lambda path: None, "no such file"),
    ("folder.json", lambda path: path.mkdir(), "is a directory"),
    ("empty.json", text(""), "is empty"),
    ("fifo.json", lambda path: os.mkfifo(path), "no regular file"),
    ("n.yaml", text("kind: relu"), "has the suffix .yaml"),
    ("n", text("{}"), "has no suffix"),
    ("latin.json", text("{é}".encode("latin-1")), "not UTF-8"),
    ("broken.json", text('{"kind": "relu",'), "not JSON: Expecting property name enclosed in double quotes in line 1"),
    ("deep.json", text("[" * 100_000), "nested too deeply"),
    ("deep_field.json", text(json.dumps(GOOD).replace("0.5", "[" * 90 + "1" + "]" * 90)), "hidden_bias: wanted numbers, lists"),
    ("list.json", text("[1, 2]"), "wanted an object"),
    ("twice.json", text('{"kind": "relu", "kind": "sign"}'), "'kind' twice"),
    ("no_kind.json", relu(kind=...), '"kind" is missing'),
    ("kind.json", relu(kind="tanh"), "wanted one of relu, sign, circuit, step, got str 'tanh'"),
    ("kind_list.json", relu(kind=["relu"]), "wanted one of relu, sign, circuit"),
    ("no_bias.json", relu(hidden_bias=...), "hidden_bias missing"),
    ("typo.json", relu(ouput_weight=[1.0]), "'ouput_weight': unknown"),
    ("middle.json", relu(middle_bias=[1.0]), "'middle_bias': unknown to a relu network"),
    ("circuit.json", relu(kind="circuit"), "middle_weight, middle_bias missing"),
    ("nan.json", relu(hidden_weight=[[1.0, float("nan")]]), "hidden_weight: wanted finite numbers, got nan at index (0, 1)"),
    ("inf.json", relu(output_bias=float("-inf")), "output_bias: wanted finite numbers, got -inf"),
    ("large.json", text(json.dumps(GOOD).replace("0.5", "1e999")), "hidden_bias: wanted finite numbers, got inf"),
    ("digits.json", text(json.dumps(GOOD).replace("0.5", "1" * 100_001)), "hidden_bias: wanted finite numbers, got inf"),
    ("fraction.json", relu(hidden_bias=["1/0"]), "hidden_bias: wanted numbers, got str"),
    ("long.json", relu(hidden_bias=["1" * 100_001]), "hidden_bias: wanted numbers of at most 100000 digits, got one of 100001"),
    ("front.json", relu(front=[{"weight": [[1.0]]}]), 'front: wanted a list of objects with "weight" and "bias"'),
    ("front_shape.json", relu(front=[{"weight": [[1.0]], "bias": [1.0]}]), "wanted 1 columns as the front has outputs"),
    ("string.json", relu(hidden_bias=["0.5"]), "hidden_bias: wanted numbers, got str '0.5'"),
    ("bool.json", relu(hidden_bias=[True]), "hidden_bias: wanted numbers, got bool True"),
    ("null.json", relu(output_bias=None), "output_bias: wanted numbers, got NoneType None"),
    ("ragged.json", relu(hidden_weight=[[1.0, 2.0], [1.0]]), "hidden_weight: wanted an array of real numbers"),
    ("flat.json", relu(hidden_weight=[1.0, 2.0]), "hidden_weight: wanted shape (any, any), got shape (2,)"),
    ("short.json", relu(hidden_bias=[]), "hidden_bias: wanted shape (1,), got shape (0,)"),
    ("wide.json", relu(output_bias=[1.0, 2.0]), "output_bias: wanted shape ()"),
    ("unknown_d.json", relu(hidden_weight=[], hidden_bias=[], output_weight=[]), 'give it as "inputs"'),
    ("inputs.json", relu(inputs=3), '"inputs" is 3, but hidden_weight has 2 columns'),
    ("inputs_zero.json", relu(inputs=0), '"inputs": wanted a whole number from 1'),
    ("inputs_huge.json", relu(hidden_weight=[], inputs=10**30), '"inputs": wanted a whole number from 1'),
    ("inputs_text.json", relu(inputs="2"), '"inputs": wanted a whole number from 1'),
    ("no_zip.npz", text("{}"), "is not an .npz file"),
    ("bare.npz", bare_npy, "is not an .npz file"),
    ("truncated.npz", truncated_npz, "is not an .npz file"),
    ("corrupted.npz", corrupted_npz, "cannot be read as an .npz file of plain arrays"),
    ("pickled.npz", npz(hidden_bias=np.array([None])), "Object arrays cannot be loaded"),
    ("no_kind.npz", lambda path: np.savez(path, hidden_bias=[1.0]), '"kind" is missing'),
    ("kind.npz", npz(kind=["relu", "sign"]), '"kind": wanted one of relu, sign, circuit, step, got ndarray'),
    ("extra.npz", npz(weights=[1.0]), "'weights': unknown to a relu network"),
    ("text.npz", npz(hidden_bias=["0.5"]), "hidden_bias: wanted an array of real numbers, got <U3"),
    ("complex.npz", npz(hidden_bias=[1j]), "hidden_bias: wanted an array of real numbers, got complex128"),
    ("nan.npz", npz(output_bias=np.nan), "output_bias: wanted finite numbers, got nan"),
    ("front.npz", npz(front0_weight=np.eye(2)), "front0_weight: wanted front0_weight and front0_bias"),
    ("empty_weight.npz", npz(hidden_weight=[], hidden_bias=[], output_weight=[]), "hidden_weight: wanted shape (any, any)"),
]


@pytest.mark.parametrize(("name", "make", "telling"), BAD, ids=[name.replace("\0", "") for name, _, _ in BAD])
def test_bad_files_give_one_sentence_with_their_name(tmp_path, name, make, telling):
    path = tmp_path / name
    make(path)
    with pytest.raises(InputError) as caught:
        load(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert telling in message
    assert "\n" not in message
    assert len(message) < 400 + len(str(path))


@given(content=st.binary(min_size=1, max_size=200), suffix=st.sampled_from([".json", ".npz", ".onnx"]))
def test_random_bytes_give_an_input_error(tmp_path_factory, content, suffix):
    path = tmp_path_factory.getbasetemp() / f"random{suffix}"
    path.write_bytes(content)
    with pytest.raises(InputError, match="random"):
        load(path)


KINDS = {
    ".json": "a JSON file",
    ".npz": "an .npz file",
    ".onnx": "an ONNX file",
    ".nnet": "a text file",
    ".keras": "a .keras archive",
    ".h5": "an HDF5 file",
    ".pt": "a PyTorch file",
}


def test_files_with_the_suffix_of_another_format_are_named(tmp_path):
    """Files of the real libraries under every wrong name are told what they look like, not that they are damaged."""
    (tmp_path / "real").mkdir()
    for suffix, files in write_all(tmp_path / "real").items():
        for file in files:
            looks = "a pickle" if file.name == "old.pt" else KINDS[suffix]
            for other in READERS:
                wrong = tmp_path / f"wrong{other}"
                wrong.write_bytes(file.read_bytes())
                if other in FORMATS[looks]:
                    continue
                with pytest.raises(InputError, match=f"it looks like {looks}$") as caught:
                    load(wrong)
                assert str(caught.value).startswith(f"{wrong}: is not a")


@pytest.mark.parametrize("suffix", [".json", ".npz"])
def test_a_single_output_cannot_be_compared(tmp_path, suffix):
    save(from_dict(GOOD), tmp_path / f"n{suffix}")
    with pytest.raises(InputError, match="single output"):
        load(tmp_path / f"n{suffix}", outputs=(0, 1))


def test_unreadable_file(tmp_path, monkeypatch):
    def denied(path, outputs):
        raise PermissionError(13, "Permission denied", str(path))

    (tmp_path / "n.json").write_text("{}")
    monkeypatch.setitem(READERS, ".json", denied)
    with pytest.raises(InputError, match=r"n\.json: cannot be read: Permission denied"):
        load(tmp_path / "n.json")


class TestSave:
    network = from_dict(GOOD)

    @pytest.mark.parametrize(
        ("name", "telling"),
        [
            ("n.csv", r"can be written"),
            ("n", "has no suffix"),
            ("missing/n.json", "cannot be written: No such file"),
            ("folder.json", "cannot be written: Is a directory"),
            ("nul\0.json", "cannot be written"),
            ("x" * 300 + ".json", "cannot be written: File name too long"),
        ],
    )
    def test_refusals(self, tmp_path, name, telling):
        (tmp_path / "folder.json").mkdir()
        with pytest.raises(InputError, match=telling) as caught:
            save(self.network, tmp_path / name)
        assert str(caught.value).startswith(str(tmp_path / name))
        assert [path.name for path in tmp_path.iterdir()] == ["folder.json"]

    def test_only_networks_are_written(self, tmp_path):
        with pytest.raises(InputError, match="wanted a ReLUNetwork, a SignNetwork, a SignCircuit or a StepNetwork, got int 3"):
            save(3, tmp_path / "n.npz")

    def test_a_failed_write_leaves_the_old_file(self, tmp_path, monkeypatch):
        path = tmp_path / "n.json"
        save(self.network, path)
        before = path.read_bytes()

        def full(descriptor):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(InputError, match="No space left"):
            save(ReLUNetwork([[9]], [9], [9], 9), path)
        assert path.read_bytes() == before
        assert list(tmp_path.iterdir()) == [path]

    def test_a_link_is_written_through(self, tmp_path):
        (tmp_path / "link.json").symlink_to(tmp_path / "target.json")
        save(self.network, tmp_path / "link.json")
        assert (tmp_path / "link.json").is_symlink()
        assert bits(load(tmp_path / "target.json")) == bits(self.network)


class TestSklearn:
    def fitted(self, classes, dtype=np.float64, **options):
        points, labels = load_iris(return_X_y=True)
        kept = labels < classes
        model = MLPClassifier(**{"hidden_layer_sizes": (5,), "random_state": 0, "max_iter": 5000, "alpha": 0.1, **options})
        return model.fit(points[kept].astype(dtype), labels[kept]), points[kept].astype(dtype)

    def test_two_classes(self):
        model, points = self.fitted(2)
        np.testing.assert_array_equal(from_sklearn(model)(points), np.where(model.predict(points) == 1, 1, -1))

    def test_real_data(self):
        points, labels = load_breast_cancer(return_X_y=True)
        points = (points - points.mean(axis=0)) / points.std(axis=0)
        model = MLPClassifier((6,), random_state=1, max_iter=3000).fit(points, labels)
        np.testing.assert_array_equal(from_sklearn(model)(points), 2 * model.predict(points) - 1)

    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    @pytest.mark.parametrize(("first", "second"), [(0, 1), (1, 0), (1, 2), (2, 0)])
    def test_of_more_classes_two_are_compared(self, first, second, dtype):
        model, points = self.fitted(3, dtype)
        probability = model.predict_proba(points)
        wanted = np.where(probability[:, first] >= probability[:, second], 1, -1)
        np.testing.assert_array_equal(from_sklearn(model, outputs=(first, second))(points), wanted)

    @pytest.mark.parametrize(
        ("options", "outputs", "telling"),
        [
            ({"classes": 3}, None, r"has 3 outputs; say which two to compare"),
            ({"classes": 3}, (0, 3), "two different numbers from 0 to 2"),
            ({"classes": 3}, (1, 1), "two different numbers"),
            ({"classes": 3}, (-1, 1), "two different numbers"),
            ({"classes": 3}, (True, 0), "two different numbers"),
            ({"classes": 3}, 1, "two different numbers"),
            ({"classes": 2}, (0, 1), "single output"),
            ({"classes": 2, "activation": "tanh"}, None, "wanted activation \"relu\", got str 'tanh'"),
            ({"classes": 2, "hidden_layer_sizes": ()}, None, "wanted a hidden layer of ReLUs at least, got none"),
        ],
    )
    def test_refusals(self, options, outputs, telling):
        with pytest.raises(InputError, match=telling):
            from_sklearn(self.fitted(**options)[0], outputs=outputs)

    def test_other_models(self):
        with pytest.raises(InputError, match="wanted an MLPClassifier or an MLPRegressor, a linear model such as"):
            from_sklearn(KMeans())
        with pytest.raises(InputError, match="wanted a fitted LogisticRegression"):
            from_sklearn(LogisticRegression())
        with pytest.raises(InputError, match="wanted a fitted MLPClassifier"):
            from_sklearn(MLPClassifier())
        labels = np.array([[0, 1], [1, 1], [1, 0], [0, 0]])
        model = MLPClassifier((2,), max_iter=3000, random_state=0).fit(np.eye(4), labels)
        with pytest.raises(InputError, match="2 labels at once"):
            from_sklearn(model)


def test_optional_packages_are_imported_only_when_needed(tmp_path):
    (tmp_path / "n.onnx").write_bytes(b"\x08\x08")
    program = f"""
import sys
import time
import lpnet.io
assert not {{"onnx", "sklearn"}} & set(sys.modules)
sys.modules["onnx"] = sys.modules["sklearn.neural_network"] = None
for call in (lambda: lpnet.io.load({str(tmp_path / "n.onnx")!r}), lambda: lpnet.io.from_sklearn(None)):
    try:
        call()
    except lpnet.InputError as error:
        print(error)
"""
    printed = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert 'pip install "lpnet[onnx]"' in printed
    assert 'pip install "lpnet[sklearn]"' in printed


@pytest.fixture(scope="module")
def make():
    spec = importlib.util.spec_from_file_location("make", DATA / "make.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["make"] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules["make"]


class TestData:
    @pytest.mark.parametrize("path", sorted(DATA.glob("*.json")) + sorted(DATA.glob("*.onnx")), ids=lambda path: path.name)
    def test_the_readme_is_right(self, make, path):
        assert make.row(path) in (DATA / "README.md").read_text().splitlines()

    @pytest.mark.parametrize("path", sorted(DATA.glob("*.onnx")), ids=lambda path: path.stem)
    def test_onnx_and_json_hold_the_same_numbers(self, make, path):
        network = load(path)
        assert bits(network) == bits(load(path.with_suffix(".json")))
        assert make.to_onnx(network, make.TASKS[path.stem].layers) == path.read_bytes()
        assert make.accuracy(path.stem, network) >= 0.95

    def test_hand_made_networks(self, make):
        assert bits(load(DATA / "running_example.json")) == bits(make.running_example())
        for n in range(3, 9):
            assert bits(load(DATA / f"theorem2_n{n}.json")) == bits(make.extremal(n))

    def test_the_running_example_is_the_square(self, make):
        points = np.stack(np.meshgrid(*[np.arange(-16, 17) / 8] * 2), axis=-1).reshape(-1, 2)
        np.testing.assert_array_equal(make.running_example()(points), np.where(np.abs(points).sum(axis=1) <= 1, 1, -1))

    def test_training_again_gives_networks_as_good(self, make):
        assert make.accuracy("wine_pca3", make.trained("wine_pca3")) >= 0.95


def test_a_good_file_is_read_whatever_it_looks_like(tmp_path):
    """What the first bytes look like is asked only where a reader has failed: here an HDF5 file with a text in front."""
    import h5py

    source, target = tmp_path / "n.h5", tmp_path / "t.h5"
    with h5py.File(source, "w", userblock_size=512) as file:
        for number, (weight, bias) in enumerate(((np.ones((2, 3)), np.zeros(3)), (np.ones((3, 1)), np.zeros(1)))):
            layer = file.create_group(f"layers/dense{f'_{number}' if number else ''}/vars")
            layer["0"], layer["1"] = weight, bias
    target.write_bytes(b"a few words ".ljust(512) + source.read_bytes()[512:])
    assert look(target) == "a text file"
    assert load(target).relus == 3


def test_brief_texts_and_arrays_take_no_time_for_what_is_not_shown():
    assert "affine" not in repr(ExactForm((10**5000, 1), (), (), 0))
    started = time.perf_counter()
    assert len(abbreviated(np.full((100_000, 20), 1 / 3))) == 100
    assert time.perf_counter() - started < 0.5


def sparse_circuit(side, front=None):
    """A circuit of five half-spaces and three conjunctions (side −1) or disjunctions, dense and with a sparse second layer."""
    rng = np.random.default_rng(2 + side)
    middle = np.array([[1, 0, -1, 0, 0], [0, 1, 0, 1, 1], [0, 0, 0, 0, -1.0]])
    numbers = rng.normal(size=(5, 2)), rng.normal(size=5), middle, side * (np.abs(middle).sum(axis=1) - 1)
    dense = SignCircuit(*numbers, np.ones(3), -2 * side, front)
    return dense, replace(dense, middle_weight=csr_array(middle))


@pytest.mark.parametrize("suffix", [".json", ".npz", ".onnx", ".txt"])
@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize("divisor", [None, 3.0])
def test_a_sparse_second_layer_is_written_and_read(tmp_path, suffix, side, divisor):
    scaler = Layer(fractions([Fraction(1, 3), Fraction(0), Fraction(0), Fraction(1)], (2, 2)), np.array([0.5, 1.0]))
    dense, sparse = sparse_circuit(side, AffineMap((scaler,)) if divisor else None)
    save(sparse, tmp_path / f"n{suffix}")
    if suffix == ".txt":
        save(dense, tmp_path / "dense.txt")
        assert (tmp_path / "n.txt").read_text() == (tmp_path / "dense.txt").read_text()
        return
    again = load(tmp_path / f"n{suffix}")
    assert isinstance(again.middle_weight, csr_array)
    points = np.random.default_rng(0).normal(size=(200, 2))
    assert bits(replace(again, middle_weight=again.middle_weight.toarray())) == bits(dense)
    assert (again(points) == dense(points)).all()
    if suffix == ".onnx":
        (answers,) = ReferenceEvaluator(str(tmp_path / "n.onnx")).run(None, {"x": points})
        assert (answers[:, 0] == dense(points)).all()


def test_sparse_and_full_second_layers_are_one_to_all_that_reads_them():
    for side in (1, -1):
        dense, sparse = sparse_circuit(side)
        assert equal(dense, sparse).verdict == "equal"
        other = replace(sparse, middle_bias=sparse.middle_bias + np.array([2, 0, 0]))
        assert equal(dense, other).verdict == "different"
        assert abbreviated(sparse.middle_weight) == abbreviated(dense.middle_weight)


def test_ones_are_sparse_where_a_full_table_is_too_large(monkeypatch):
    terms = [[0, 2, 2], [], [1]]
    dense = SignCircuit.dnf(np.eye(3), np.zeros(3), terms)
    monkeypatch.setattr("lpnet.networks.circuit.MOST_ENTRIES", 8)
    sparse = SignCircuit.dnf(np.eye(3), np.zeros(3), terms)
    assert isinstance(sparse.middle_weight, csr_array)
    assert (sparse.middle_weight.toarray() == dense.middle_weight).all()
    assert (sparse.middle_bias == dense.middle_bias).all()


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ([{"0": 1.0, "5": 1.0}, {}, {}], "middle_weight: wanted columns from 0 to 4, as hidden_weight has 5 rows, got 5"),
        ([{"0": 1.0}, [0, 0, 0, 0, 1], {}], "middle_weight: wanted lists of numbers as rows, or an object"),
        ([{"-1": 1.0}, {}, {}], "middle_weight: wanted lists of numbers as rows, or an object"),
        ([{"0": "1/3"}, {}, {}], "middle_weight: wanted an array of real numbers of shape"),
        ([{"0": None}, {}, {}], "middle_weight: wanted numbers, got NoneType"),
        ([{"0": 1.0}], "middle_bias: wanted shape"),
    ],
)
def test_bad_rows_of_a_sparse_second_layer(rows, sentence):
    with pytest.raises(InputError, match=sentence.replace("(", r"\(")):
        from_dict(to_dict(sparse_circuit(1)[1]) | {"middle_weight": rows})


def test_bad_arrays_of_a_sparse_second_layer(tmp_path):
    save(sparse_circuit(1)[1], tmp_path / "n.npz")
    good = dict(np.load(tmp_path / "n.npz"))
    for name, change in {
        "middle_weight_indices": lambda old: old + 9,
        "middle_weight_indptr": lambda old: old[::-1],
        "middle_weight_data": lambda old: old.astype(str),
        "hidden_weight": lambda old: np.float64(1),
    }.items():
        np.savez(tmp_path / "bad.npz", **good | {name: change(good[name])})
        with pytest.raises(InputError, match="middle_weight_data"):
            load(tmp_path / "bad.npz")
    del good["middle_weight_indices"]
    np.savez(tmp_path / "bad.npz", **good)
    with pytest.raises(InputError, match="middle_weight_indices is missing"):
        load(tmp_path / "bad.npz")


def test_a_changed_model_is_not_taken_for_a_sparse_one(tmp_path):
    save(sparse_circuit(-1)[1], tmp_path / "n.onnx")
    model = onnx.load(tmp_path / "n.onnx")
    next(node for node in model.graph.node if node.op_type == "GreaterOrEqual").op_type = "Greater"
    onnx.save(model, tmp_path / "n.onnx")
    assert isinstance(load(tmp_path / "n.onnx"), StepNetwork)  # what it is then


def test_sparse_weights_that_are_no_junctions_are_not_written_to_onnx(tmp_path):
    network = replace(sparse_circuit(1)[1], middle_bias=[0, 0, 0])
    with pytest.raises(InputError, match=r"wanted a \.json file"):
        save(network, tmp_path / "n.onnx")
    save(network, tmp_path / "n.json")
    assert (load(tmp_path / "n.json").middle_bias == 0).all()
