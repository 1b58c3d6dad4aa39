"""Fewest ReLUs for several classes, and from many half-spaces."""

import json
from dataclasses import replace

import numpy as np
import pytest
from typer.testing import CliRunner

import lpnet
from lpnet import Box, SignNetwork
from lpnet.checker import bends as checker
from lpnet.cli import app
from lpnet.compression.bends import contains
from lpnet.compression.both_signs import fewest_relus
from lpnet.compression.equations import Equations, NoBends
from lpnet.compression.evidence import layers_of, statement
from lpnet.compression.flats import flat_of
from lpnet.compression.lemma3 import solve, stated
from lpnet.compression.surface import surface
from lpnet.compression.walk import walked
from lpnet.equality.classes import equal_classes
from lpnet.equivalents.class_circuits import class_circuits
from lpnet.equivalents.classes import minimal_classes
from lpnet.io import load, save
from lpnet.networks import Polyhedron, ReLUNetwork
from lpnet.networks.classifier import Classifier
from lpnet.watch import Watch


def classifier(rng, inputs, relus, classes):
    """Integer weights."""
    rows, weights = rng.integers(-9, 10, (relus, inputs + 1)), rng.integers(-4, 5, (classes, relus))
    return Classifier.of_layers([(rows[:, :-1], rows[:, -1]), (weights, rng.integers(-9, 10, classes))])


@pytest.mark.parametrize(("inputs", "relus", "classes"), [(3, 4, 3), (4, 5, 3), pytest.param(3, 6, 5, marks=pytest.mark.slow)])
def test_round_trips(inputs, relus, classes):
    """The bends on which a ridge lies come back, shared by all scores, and the classes everywhere, ties included."""
    rng = np.random.default_rng([inputs, relus, classes, 1])
    for _ in range(3):
        network = classifier(rng, inputs, relus, classes)
        answer = fewest_relus(network)
        assert answer.verdict == "exact"
        assert isinstance(answer.relu_network, Classifier)
        assert equal_classes(answer.relu_network, network).verdict == "equal"
        met = sum(any(contains(a, ridge) for ridge in answer.surface.ridges) for a in network.normal_form().body.units)
        assert answer.least_bends <= answer.bends <= met
        assert answer.least <= answer.relus <= relus


def test_linear_scores_need_no_bend():
    """Three linear scores in the plane: no ridge, though three pieces meet; a ReLU for each dimension of them on a box."""
    rows = np.array([[1.0, 0, 1], [0, 1, 1], [-1, -1, 1]])
    shifted = Classifier.of_layers([(np.vstack([np.eye(2), -np.eye(2)]), np.zeros(4)),
                                    (np.hstack([rows[:, :2], -rows[:, :2]]), rows[:, 2])])  # fmt: skip
    everywhere, inside = fewest_relus(shifted), fewest_relus(shifted, Box([-1.0] * 2, [1.0] * 2))
    for answer in (everywhere, inside):
        assert (answer.verdict, answer.bends, answer.surface.ridges) == ("exact", 0, ())
        assert len(answer.surface.pieces) == 3
    assert (everywhere.relus, inside.relus) == (4, 2)


def test_planted_redundancy_and_classes_that_never_win():
    rng = np.random.default_rng(3)
    network = classifier(rng, 3, 4, 3)
    weight, bias = network.scores[0].hidden_weight, network.scores[0].hidden_bias
    table = np.array([score.output_weight for score in network.scores])
    rows, biases = np.vstack([weight, weight[:1], [[0.0, 0, 0]]]), np.append(bias, [bias[0], 5.0])
    table = np.column_stack([table, table[:, 0], np.zeros(3)])
    table[:, 0] /= 2
    table[:, 4] /= 2
    constants = [score.output_bias for score in network.scores]
    planted = Classifier.of_layers([(rows, biases), (np.vstack([table, table[:1]]), [*constants, constants[0] - 1])])
    plain, answer = fewest_relus(network), fewest_relus(planted)
    assert (answer.verdict, answer.bends, answer.relus) == ("exact", plain.bends, plain.relus)
    assert len(answer.relu_network.names) == 4
    assert equal_classes(answer.relu_network, planted).verdict == "equal"


def test_circuits_of_classes_come_back():
    network = classifier(np.random.default_rng([3, 4, 3, 1]), 3, 4, 3)
    circuit = class_circuits(minimal_classes(network), Watch()).network
    found, back = fewest_relus(network), fewest_relus(circuit)
    assert back.verdict in ("exact", "nearest")
    assert back.bends == found.bends
    assert equal_classes(back.relu_network, network).verdict in ("equal", "equal off ties")


def test_the_model_in_cvxpy_agrees():
    answer = fewest_relus(classifier(np.random.default_rng([3, 4, 3, 1]), 3, 4, 3))
    bends = [bend for bend in answer.candidates if not bend.side]
    for chosen in (bends, bends[1:]):
        posed = Equations(chosen, answer.surface)
        problem, *_ = stated(posed)
        problem.solve(solver="HIGHS")
        assert isinstance(posed.solve(), NoBends) == (problem.value < 1e-6)
        assert isinstance(solve(posed, "HIGHS"), NoBends) == (problem.value < 1e-6)


def test_the_checker_on_classes():
    """Refutations and ridges of classes, and what is changed in them is refused."""
    answer = fewest_relus(classifier(np.random.default_rng([3, 4, 3, 1]), 3, 4, 3))
    layers = layers_of(answer.network, answer.domain)
    bends = [bend for bend in answer.candidates if not bend.side][1:]
    refuted = Equations(bends, answer.surface).solve()
    assert isinstance(refuted, NoBends)
    units, proof = statement(answer.surface, bends, (), refuted)
    checker.no_bends(layers, units, proof)
    k = next(iter(proof.multipliers))
    h, at, (above, below) = proof.pieces[k]
    for wrong in ({k: (h, at, (below, above))}, {k: (h, at, (above, below - 1))}):
        with pytest.raises(ValueError, match="a piece that is none"):
            checker.no_bends(layers, units, replace(proof, pieces=proof.pieces | wrong))
    ridge = answer.surface.ridges[next(iter(answer.weights))]
    given = checker.Ridge(*ridge.forms, ridge.point, ridge.terms, 1)
    assert checker.ridge_bound(layers, [given]) == 1
    with pytest.raises(ValueError, match="it is none"):
        checker.ridge_bound(layers, [replace(given, terms=[term for term in given.terms if term.turn])])


def test_a_junction_on_a_straight_line():
    """A class above a line, two below it: sectors of half a turn at most, but no affine scores have these classes."""
    body = {"hidden_weight": [[0.0, 1], [1, 0]], "hidden_bias": [0.0, 0.0]}
    made = [SignNetwork(**body, output_weight=w, output_bias=b) for w, b in (([1.0, 0], 0), ([-1.0, 1], -1), ([0, 0], 1))]
    answer = fewest_relus(Classifier(tuple(made)))
    assert (len(answer.surface.ridges), answer.least_bends) == (1, 1)
    assert answer.verdict in ("exact", "nearest")


def test_the_boundary_of_many_half_spaces():
    """From piece to piece: the pieces and ridges of the ReLU network behind a circuit, all of them."""
    rng = np.random.default_rng(0)
    numbers = rng.integers(-9, 10, (5, 5)).astype(float)
    network = ReLUNetwork(numbers[:, :-1], numbers[:, -1], [1.0, -1, 2, -1, 3], 2.0)
    circuit = lpnet.minimal_equivalent(network).equivalent
    everywhere = Polyhedron.everywhere(4)
    one, other = surface(network, everywhere, Watch()), walked(circuit, everywhere, Watch())
    assert {piece.halfspace for piece in one.pieces} == {piece.halfspace for piece in other.pieces}
    assert {flat_of(ridge.forms) for ridge in one.ridges} == {flat_of(ridge.forms) for ridge in other.ridges}
    assert not other.complete
    layers = layers_of(circuit, everywhere)
    assert all(checker.is_ridge(layers, checker.Ridge(*r.forms, r.point, r.terms, 1)) for r in other.ridges)


def test_command(tmp_path):
    network = classifier(np.random.default_rng([3, 4, 3, 1]), 3, 4, 3)
    save(network, tmp_path / "net.json")
    files = [str(tmp_path / "net.json"), str(tmp_path / "few.onnx")]
    result = CliRunner().invoke(app, ["compress", files[0], "-o", files[1], "--json"])
    row = json.loads(result.stdout)
    assert (result.exit_code, row["verdict"], row["classes"], row["relus_before"]) == (0, "exact", 3, 4)
    assert CliRunner().invoke(app, ["equal", *files]).exit_code == 0
    pair = CliRunner().invoke(app, ["compress", files[0], "--outputs", "0,1", "--json"])
    assert json.loads(pair.stdout)["verdict"] == "exact"


def test_proof_files(tmp_path):
    """Written, verified against the network, and refused where they are about another one, or changed."""
    star = SignNetwork([[1.0, 0], [0, 1.0], [1, 1]], [0, 0, 0.0], [1, 1, -1], -0.5)
    network = classifier(np.random.default_rng([3, 4, 3, 1]), 3, 4, 3)
    for name, given, words in (("star", star, "whatever its weights"), ("net", network, "fewer than")):
        file, proof = str(tmp_path / f"{name}.json"), str(tmp_path / f"{name}.proof")
        save(given, file)
        CliRunner().invoke(app, ["compress", file, "--signs", "both", "--proof", proof])
        result = CliRunner().invoke(app, ["verify", proof, "--network", file])
        assert (result.exit_code, words in result.stdout) == (0, True)
        assert "about the network given" in result.stdout
    assert CliRunner().invoke(app, ["verify", proof, "--network", str(tmp_path / "star.json")]).exit_code == 1
    content = json.loads((tmp_path / "star.proof").read_text())
    content["refutation"]["multipliers"].pop()
    (tmp_path / "wrong.proof").write_text(json.dumps(content))
    assert CliRunner().invoke(app, ["verify", str(tmp_path / "wrong.proof")]).exit_code == 1
    (tmp_path / "none.proof").write_text("{}")
    assert CliRunner().invoke(app, ["verify", str(tmp_path / "none.proof")]).exit_code == 2
    one = CliRunner().invoke(app, ["compress", str(tmp_path / "star.json"), "--signs", "one", "--proof", proof])
    assert one.exit_code == 2


def test_one_class_against_the_rest(tmp_path):
    """s_0 ≥ max(s_1, s_2) for three linear scores: a wedge, so one bend."""
    rows = np.array([[1.0, 0, 1], [0, 1, 1], [-1, -1, 1]])
    file, proof, out = (tmp_path / name for name in ("net.npz", "few.proof", "few.json"))
    twice = np.vstack([np.eye(2), -np.eye(2)]), np.zeros(4)  # x = R(x) − R(−x)
    save(Classifier.of_layers([twice, (np.hstack([rows[:, :2], -rows[:, :2]]), rows[:, 2])]), file)
    told = ["--group", "0", "--proof", str(proof), "-o", str(out)]
    result = CliRunner().invoke(app, ["compress", str(file), *told, "--json"])
    assert result.exit_code == 0, result.output
    answer = json.loads(result.stdout.splitlines()[0])
    assert (answer["verdict"], answer["bends"], answer["least_bends"]) == ("exact", 1, 1)
    assert CliRunner().invoke(app, ["verify", str(proof), "--network", str(file), "--group", "0"]).exit_code == 0
    assert CliRunner().invoke(app, ["verify", str(proof), "--network", str(file), "--group", "1"]).exit_code == 1
    points = np.random.default_rng(0).normal(size=(1000, 2))
    scores = points @ rows[:, :2].T + rows[:, 2]
    few = load(out, kind=Classifier)
    assert few.names == ("0", "the rest")
    np.testing.assert_array_equal(few(points) == 0, scores[:, 0] >= scores[:, 1:].max(axis=1))


def test_margins(tmp_path):
    """A larger margin needs no fewer ReLUs, or there is none."""
    network = classifier(np.random.default_rng(2), 3, 5, 3).scores[0]
    save(network, tmp_path / "net.json")
    np.savez(tmp_path / "x.npz", X=np.random.default_rng(1).normal(size=(40, 3)) * 3)
    found = []
    for margin in ("1e-4", "0.05"):
        arguments = [str(tmp_path / "net.json"), "--data", str(tmp_path / "x.npz"), "--margin", margin, "--json"]
        row = json.loads(CliRunner().invoke(app, ["compress", *arguments]).stdout)
        assert row["margin"] == float(margin)
        found.append(row["relus"] if row["relus"] is not None else 99)
    assert found[0] <= found[1]
    assert CliRunner().invoke(app, ["compress", str(tmp_path / "net.json"), "--margin", "0.1"]).exit_code == 2
