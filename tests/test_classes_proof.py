"""Proofs about several outputs: written and accepted for all of them; nothing false passes the checker."""

import json
import time
import zipfile
from dataclasses import replace
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from class_oracle import classifier
from forged import Forged
from test_classes import SHAPES, degenerate, floats
from typer.testing import CliRunner

import lpnet
from lpnet import Box, Classifier, minimal_classes, minimal_equivalent
from lpnet.checker import BadProof, Refuted, check
from lpnet.checker.classes import cut_at, layers_of
from lpnet.checker.work import Work
from lpnet.cli import app
from lpnet.errors import InputError
from lpnet.io import save
from lpnet.networks.affine import AffineMap, Layer
from lpnet.proofs import write_proof
from lpnet.proofs.classes import relu_network
from lpnet.proofs.members import fields_of


def proved(network, path, domain=None):
    """The checker's report on a proof, which has to be complete."""
    answer = minimal_classes(network, domain)
    assert write_proof(answer, path) == "tree"
    report = check(path, network, domain)
    assert report.complete
    assert report.units == answer.units
    named = [words for words in report.proved if words.startswith("the class is")]
    assert named == [f"the class is {answer.constant} everywhere, but perhaps on ties"] * (answer.constant is not None)
    return report


@pytest.mark.parametrize("seed", [0, *(pytest.param(k, marks=pytest.mark.slow) for k in range(1, 6))])
def test_proofs(seed, tmp_path):
    """Equal outputs, classes that never win, linear scores, networks behind maps."""
    rng = np.random.default_rng(seed)
    for inputs, widths in SHAPES[:6]:
        for made in (degenerate, floats):
            network = classifier(made(rng, inputs, widths, int(rng.integers(2, 5))))
            for domain in (None, Box([-2] * inputs, [2] * inputs)):
                proved(network, tmp_path / "proof", domain)
                check(tmp_path / "proof")


def test_the_same_classes_by_other_names(tmp_path):
    """Groups, the least output, a map in front; outputs of one class that are not side by side are refused."""
    rng = np.random.default_rng(3)
    layers = [(rng.normal(size=(m, n)), rng.normal(size=m)) for n, m in ((2, 4), (4, 4))]
    network = Classifier.of_layers(layers)
    front = AffineMap((Layer(rng.normal(size=(2, 3)), rng.normal(size=2)),))
    for each in (network.group([2, 0], "a", "b"), network.least(), Classifier.of_layers(layers, front)):
        proved(each, tmp_path / "proof")
        with pytest.raises(Refuted, match="about"):
            check(tmp_path / "proof", network)
    with pytest.raises(InputError, match="side by side"):
        proved(Classifier(network.scores, (0, 1, 0, 2)), tmp_path / "proof")


def test_cuts_are_decisions():
    """Each is ≥ 0 just where the class is one of the earlier ones."""
    rng = np.random.default_rng(4)
    network = classifier(degenerate(rng, 2, (3, 2), 4))
    layers = layers_of(fields_of(network), 2, Work(np.inf, lambda share, units: None))
    points = rng.integers(-6, 7, (60, 2)) / 2
    for place in (1, 2, 3):
        cut = relu_network(cut_at(layers, place))
        np.testing.assert_array_equal(cut(points) > 0, network(points) < place)


def small():
    """Three classes on a square."""
    rng = np.random.default_rng(24)
    return Classifier.of_layers([(rng.normal(size=(m, n)), 0.3 * rng.normal(size=m)) for n, m in ((2, 4), (4, 3))])


NETWORK, BOX = small(), Box([-1.0, -1.0], [1.0, 1.0])


@pytest.fixture
def forged(tmp_path):
    """The proof of three classes on two inputs."""
    proved(NETWORK, tmp_path / "proof", BOX)
    return Forged(tmp_path / "proof")


def test_what_is_written_counts(forged):
    assert forged.verdict({}) is None
    units = forged.report.units
    assert units == minimal_classes(NETWORK, BOX).units > 4
    schema = Path(lpnet.__file__).parent / "schemas" / "proof-header.schema.json"
    jsonschema.validate(forged.header, json.loads(schema.read_text()))
    cuts, network = forged.header["cuts"], forged.header["network"]
    swapped = {f"{1 - int(name[0])}{name[1:]}": content for name, content in forged.members.items() if name[0] in "01"}
    weight, bias = network["output_weight"], network["output_bias"]
    claims = [{"units": f"{units + more:x}"} for more in (-1, 1)]
    claims += [{"labels": labels} for labels in ([0, 1], [0, 0, 1], [0, 1, 0], None)]
    claims += [{"cuts": own} for own in (cuts[:1], [*cuts, cuts[0]], cuts[::-1], [{**cuts[0], "units": "0"}, cuts[1]])]
    claims += [{"complete": None}, {"complete": "bound"}, {"inequalities": []}, {"version": 3}]
    others = {"output_bias": bias[::-1]}, {"output_weight": weight[0]}, {"output_weight": weight[:1], "output_bias": bias[:1]}
    claims += [{"network": network | other} for other in others]
    changes = [({}, claim) for claim in claims] + [
        (swapped, {}),
        (swapped, {"cuts": cuts[::-1]}),
        ({"0/tree/0/nodes": b"\x06"}, {}),
    ]
    changes += [({"1/tree/0/nodes": b"\x08"}, {"cuts": [cuts[0], {**cuts[1], "units": "0", "constant": 1}]})]
    for members, claim in changes:
        assert isinstance(forged.verdict(members, **claim), str), claim


def test_no_half_space_can_be_left_out(forged):
    """Each leaf of a half-space turned into one of another kind, with the counts that would follow from it."""
    cuts, total = forged.header["cuts"], int(forged.header["units"], 16)
    for cut in (0, 1):
        name = f"{cut}/tree/0/nodes"
        points, nodes = forged.members[f"{cut}/tree/0/points"], forged.members[name]
        claim = [dict(own) for own in cuts]
        claim[cut]["units"] = f"{int(cuts[cut]['units'], 16) - 1:x}"
        for number, at in enumerate(k for k, node in enumerate(nodes) if node == 0):
            rest = points[: 32 * number] + points[32 * (number + 1) :]
            for kind in (1, 3, 4, 7, 8):
                changed = {name: bytes([*nodes[:at], kind, *nodes[at + 1 :]]), f"{cut}/tree/0/points": rest}
                assert isinstance(forged.verdict(changed, cuts=claim, units=f"{total - number % 2:x}"), str)


def test_another_network_is_told_from_it(forged, tmp_path):
    network, box = NETWORK, BOX
    check(forged.path, network, box)
    first = network.scores[0]
    moved = replace(first, output_bias=np.nextafter(first.output_bias, 9))
    for other, domain in (
        (Classifier((moved, *network.scores[1:])), box),
        (network, Box([-1.0, -1.0], [1.0, 2.0])),
        (network.least(), box),
    ):
        with pytest.raises(Refuted, match="another"):
            check(forged.path, other, domain)
    for other in (network.scores[0], Classifier(network.scores, (0, 0, 1))):
        with pytest.raises(Refuted, match=r"another network|other classes"):
            check(forged.path, other, box)
    one = tmp_path / "one"
    write_proof(minimal_equivalent(network.scores[0], box, recorded=True), one)
    with pytest.raises(Refuted, match="another network"):
        check(one, network, box)


def test_many_outputs_are_given_up(tmp_path):
    """Of a file that asks for the cuts of many outputs, which is none."""
    count, file = 300, tmp_path / "proof"
    network = {"hidden_weight": [[1.0]], "hidden_bias": [0.0], "output_weight": [[k / 7] for k in range(count)]}
    network |= {"output_bias": [0.5] * count}
    header = {
        "format": "lpnet proof",
        "version": 4,
        "network": network,
        "inputs": 1,
        "inequalities": [],
        "order": [],
        "units": "0",
    }
    header |= {"complete": "tree", "constant": None, "idle": [], "labels": list(range(count))}
    header |= {"cuts": [{"units": "0", "constant": 1, "idle": [["0", "1"]]}] * (count - 1)}
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("header.json", json.dumps(header))
        for number in range(count - 1):
            archive.writestr(f"{number}/tree/0/nodes", b"\x08")
    started = time.process_time()
    with pytest.raises((BadProof, Refuted)):
        check(file)
    assert time.process_time() - started < 20


def test_the_command_line(tmp_path):
    """Written and verified; for other outputs or on another domain it is not."""
    file, proof = tmp_path / "n.json", tmp_path / "p.zip"
    save(replace(NETWORK, names=("a", "b", "c")), file)

    def run(*arguments):
        return CliRunner().invoke(app, [str(argument) for argument in arguments])

    domain = ("--domain", "-1,1")
    assert (
        f"{minimal_classes(NETWORK, BOX).units} half-spaces are needed"
        in run("minimal", file, *domain, "--proof", proof).stdout
    )
    assert run("verify", proof, "--network", file, *domain).exit_code == 0
    assert run("verify", proof).exit_code == 4
    assert run("verify", proof, "--network", file, *domain, "--outputs", "argmin").exit_code == 1
    assert run("verify", proof, "--network", file, *domain, "--outputs", "a,b").exit_code == 1
    assert run("minimal", file, *domain, "--group", "c", "--proof", proof).exit_code == 0
    assert run("verify", proof, "--network", file, *domain, "--group", "c").exit_code == 0
    assert run("minimal", file, *domain, "--outputs", "a", "--threshold", "0.25", "--proof", proof).exit_code == 0
    assert run("verify", proof, "--network", file, *domain, "--outputs", "a", "--threshold", "0.25").exit_code == 0
    assert run("verify", proof, "--network", file, *domain, "--outputs", "a", "--threshold", "0.5").exit_code == 1
    stopped = run("minimal", file, "--max-units", 2, "--proof", tmp_path / "none.zip")
    assert stopped.exit_code == 3
    assert not (tmp_path / "none.zip").exists()
