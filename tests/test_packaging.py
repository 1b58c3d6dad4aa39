"""What is shipped with the code: versions that agree, schemas that real files satisfy, a wheel with everything in it."""

import json
import subprocess
import sys
import tomllib
import zipfile
from importlib.resources import files
from pathlib import Path

import jsonschema
import numpy as np
import pytest
import yaml

import lpnet
from lpnet.boundary.theorem1 import dnf
from lpnet.io import load, save
from lpnet.proofs import write_proof

ROOT = Path(__file__).parent.parent
NETWORKS = sorted((ROOT / "data").glob("*.json"))


def validator(name):
    schema = json.loads(files("lpnet").joinpath(f"schemas/{name}.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@pytest.mark.parametrize("path", NETWORKS, ids=lambda path: path.stem)
def test_networks_satisfy_the_schema(path, tmp_path):
    network = load(path)
    networks = {"relu": network, "sign": lpnet.SignNetwork.disjunction([[1.0]], [0.0])}
    if network.relus <= 5:
        networks["circuit"] = dnf(network)
    validator("network").validate(json.loads(path.read_text()))
    for name, each in networks.items():
        save(each, tmp_path / f"{name}.json")
        validator("network").validate(json.loads((tmp_path / f"{name}.json").read_text()))


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "tanh"}, {"inputs": 0}, {"output_bias": "1.5"}, {"hidden_bias": [[1]]}, {"hidden_weight": [1, 2]},
        {"middle_bias": [1]}, {"kind": "circuit"}, {"extra": 1}, {"hidden_bias": None},
    ],
    ids=str,
)  # fmt: skip
def test_the_schema_and_the_reader_refuse_the_same(change, tmp_path):
    data = {**json.loads((ROOT / "data" / "running_example.json").read_text()), **change}
    assert not validator("network").is_valid(data)
    (tmp_path / "network.json").write_text(json.dumps(data))
    with pytest.raises(lpnet.InputError):
        load(tmp_path / "network.json")


def test_proof_headers_satisfy_the_schema(tmp_path):
    box = lpnet.Box(np.array([-1.5, -2.0]), np.array([1.0, 2.0]))
    constant = lpnet.ReLUNetwork([[1.0, 1 / 3]], [0.1], [1.0], 1.0)
    running = load(ROOT / "data" / "running_example.json")
    kinds = set()
    for network, domain, engine in [
        (running, None, "tree"), (running, box, "auto"), (constant, None, "auto"),
        (load(ROOT / "data" / "theorem2_n3.json"), None, "auto"),
    ]:  # fmt: skip
        kinds.add(write_proof(lpnet.minimal_equivalent(network, domain, engine), tmp_path / "proof"))
        header = json.loads(zipfile.ZipFile(tmp_path / "proof").read("header.json"))
        validator("proof-header").validate(header)
        assert not validator("proof-header").is_valid({**header, "complete": "trust me"})
    assert kinds >= {"tree", "closed form"}


def test_versions_agree():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    changes = (ROOT / "CHANGELOG.md").read_text()
    assert citation["version"] == lpnet.__version__
    newest = changes[changes.index("\n## ") + 4 :].split()[0]
    assert newest == lpnet.__version__
    assert [int(part) >= 0 for part in newest.split(".")] == [True] * 3
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert citation["license"] == project["license"]


@pytest.mark.slow
def test_the_wheel_has_types_and_schemas_and_imports_alone(tmp_path):
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    subprocess.run([*pip, "wheel", "--no-deps", "--wheel-dir", tmp_path, ROOT], check=True)
    (wheel,) = tmp_path.glob("lpnet-*.whl")
    assert wheel.name == f"lpnet-{lpnet.__version__}-py3-none-any.whl"
    names = zipfile.ZipFile(wheel).namelist()
    assert {"lpnet/py.typed", "lpnet/schemas/network.schema.json", "lpnet/schemas/proof-header.schema.json"} <= set(names)
    assert {name.split("/")[0] for name in names} == {"lpnet", f"lpnet-{lpnet.__version__}.dist-info"}
    assert any(name.endswith("licenses/LICENSE") for name in names)
    subprocess.run([*pip, "install", "--no-deps", "--target", tmp_path / "installed", wheel], check=True)
    command, path = [sys.executable, "-c", "import lpnet; print(lpnet.__file__)"], {"PYTHONPATH": str(tmp_path / "installed")}
    done = subprocess.run(command, env=path, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.startswith(str(tmp_path))
