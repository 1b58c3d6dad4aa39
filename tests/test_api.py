"""The functions of `lpnet` itself, on files and on models of other libraries, and as a type checker sees them."""

import re
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_wine
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import lpnet
from lpnet import InputError, SignCircuit
from lpnet.errors import Stopped
from lpnet.io import to_dict
from lpnet.watch import Watch

ROOT = Path(__file__).parent.parent
DATA = ROOT / "data"
FILE = DATA / "wine_pca3.json"
CIRCUIT = SignCircuit.dnf(np.eye(2), [0, 0], [[0], [1]])


@pytest.mark.parametrize(
    "given", [FILE, str(FILE), to_dict(lpnet.load(FILE)), lpnet.load(FILE)], ids=["path", "name", "dict", "network"]
)
def test_functions_take_what_load_takes(given):
    network = lpnet.load(FILE)
    assert lpnet.minimal_equivalent(given).units == lpnet.minimal_equivalent(network).units == 14
    assert lpnet.tightness(given).needed == 14
    assert lpnet.estimate_pieces(given).pieces == 14
    assert lpnet.equal(given, network).verdict == "equal"
    assert lpnet.normal_form(given).units == lpnet.normal_form(network).units
    assert lpnet.subset_verdict(given, [0]).halfspace == lpnet.subset_verdict(network, [0]).halfspace


def test_functions_take_models():
    features, labels = load_wine(return_X_y=True)
    model = make_pipeline(StandardScaler(), MLPClassifier(hidden_layer_sizes=(3,), max_iter=2000, random_state=0))
    model.fit(features[labels < 2][:, :2], labels[labels < 2])
    answer = lpnet.minimal_equivalent(model)
    assert answer.complete
    assert lpnet.equal(model, answer.network).verdict == "equal"


def test_sign_networks_from_files(tmp_path):
    three = lpnet.minimal_equivalent(DATA / "theorem2_n3.json").equivalent
    path = tmp_path / "signs.json"
    lpnet.io.save(three, path)
    assert lpnet.compress(path).verdict == lpnet.compress(three).verdict == "exact"
    assert lpnet.prune(path).units == 7
    assert lpnet.equal(path, DATA / "theorem2_n3.json").verdict == "equal"
    eight = lpnet.SignNetwork.disjunction([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0], [1.0, 2.0]], [-1.0, -1.0, -1.0, -1.0])
    assert lpnet.nearest(to_dict(eight)).relus == 2


@pytest.mark.parametrize("function", [
    lpnet.minimal_equivalent, lpnet.tightness, lpnet.estimate_pieces, lpnet.normal_form, lambda n: lpnet.subset_verdict(n, [0]),
])  # fmt: skip
@pytest.mark.parametrize(("given", "telling"), [
    (CIRCUIT, "network: wanted a ReLUNetwork, or what can be read as one, got a SignCircuit"),
    (lpnet.SignNetwork.disjunction([[1.0]], [0.0]), "wanted a ReLUNetwork, or what can be read as one, got a SignNetwork"),
    ("nowhere.json", "nowhere.json: no such file; check the name"),
    (3, "wanted a file's name or a model of sklearn, keras, torch, onnx, got int 3"),
    (None, "wanted a file's name or a model of"),
])  # fmt: skip
def test_what_is_no_relu_network_is_refused_in_a_sentence(function, given, telling):
    with pytest.raises(InputError, match=re.escape(telling)):
        function(given)


@pytest.mark.parametrize("function", [lambda n: lpnet.compress(n, signs="one"), lpnet.nearest, lpnet.prune])
@pytest.mark.parametrize("given", [CIRCUIT, FILE, 3])
def test_what_is_no_sign_network_is_refused_in_a_sentence(function, given):
    with pytest.raises(InputError, match=r"wanted a (SignNetwork(, or what can be read as one)?, got |file's name or a model)"):
        function(given)


def test_time_limits():
    rng = np.random.default_rng(0)
    network = lpnet.ReLUNetwork(rng.normal(size=(16, 5)), rng.normal(size=16), rng.normal(size=16), 0.5)
    started = time.perf_counter()
    answer = lpnet.minimal_equivalent(network, engine="expand", time_limit=0.2)
    assert not answer.complete
    with pytest.raises(Stopped, match=r"time limit of 0\.2 s"):
        lpnet.tightness(network, engine="expand", time_limit=0.2)
    other = lpnet.ReLUNetwork(rng.normal(size=(16, 5)), rng.normal(size=16), rng.normal(size=16), 0.5)
    assert lpnet.equal(network, other, method="regions", time_limit=0.2).verdict in ("undecided", "different")
    assert time.perf_counter() - started < 10
    for limit in (0, -1, float("nan"), float("inf"), "3", True):
        with pytest.raises(InputError, match="time_limit: wanted a number of seconds > 0"):
            lpnet.minimal_equivalent(network, time_limit=limit)
    with pytest.raises(InputError, match="time_limit: there is a watch, too"):
        lpnet.minimal_equivalent(network, watch=Watch(), time_limit=1)


def python_of_the_readme():
    pages = [ROOT / "README.md", *sorted((ROOT / "notebooks").glob("*.md"))]
    return [
        block for page in pages for block in re.findall(r"^```python\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)
    ]


def test_the_lines_of_the_readme_run(monkeypatch):
    monkeypatch.chdir(ROOT)
    for block in python_of_the_readme():
        exec(compile(block, "README.md", "exec"), {})


def test_the_lines_of_the_readme_are_typed(tmp_path):
    pytest.importorskip("mypy", reason="needs mypy")
    blocks = python_of_the_readme()
    assert len(blocks) == 3
    for number, block in enumerate(blocks):
        (tmp_path / f"block_{number}.py").write_text(block)
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", "."]
    checked = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout + checked.stderr
