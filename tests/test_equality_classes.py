"""Proofs that two networks with several outputs have the same class everywhere, ties included."""

from dataclasses import replace

import numpy as np
import pytest
from typer.testing import CliRunner

from lpnet import Box, Classifier, ReLUNetwork, SignCircuit, SignNetwork, minimal_classes
from lpnet.checker import Refuted, check
from lpnet.checker.claim import Claim
from lpnet.cli import app
from lpnet.equivalents.class_circuits import class_circuits
from lpnet.io import save
from lpnet.io.json_ import plain_layer
from lpnet.networks.claim import same_classes
from lpnet.proofs import write_equality
from lpnet.proofs.claims import Different
from lpnet.watch import Watch

BOX = Box([-1.0, -1.0], [1.0, 1.0])


def layers(number, outputs=3):
    """Two hidden layers of four units, whole numbers over 8."""
    rng = np.random.default_rng(number)
    sizes = [(4, 2), (4, 4), (outputs, 4)]
    return [(rng.integers(-16, 17, size) / 8, rng.integers(-8, 9, size[0]) / 8) for size in sizes]


def permuted(given):
    """The same function, the units of the hidden layers in another order, twice and half as large."""
    (v, b), (w, c), (o, e) = given
    order, scale = [2, 0, 3, 1], np.array([2.0, 0.5, 1.0, 4.0])
    v, b, w = v[order] * scale[:, None], b[order] * scale, w[:, order] / scale
    return [(v, b), (w[order] * scale[:, None], c[order] * scale), (o[:, order] / scale, e)]


def proved(first, second, path):
    """The report on the proof that two classifiers are the same on the box."""
    write_equality(first, second, BOX, path)
    claim = same_classes(first, second)
    return check(path, claim.network, BOX, claim=claim)


@pytest.mark.parametrize("number", range(4))
def test_a_network_is_its_permuted_copy_and_its_own_circuit(number, tmp_path):
    """And a proof about one of them is none about another."""
    given = layers(number)
    network, copy = Classifier.of_layers(given), Classifier.of_layers(permuted(given))
    circuit = class_circuits(minimal_classes(network, BOX), Watch()).network
    for other in (copy, circuit):
        report = proved(network, other, tmp_path / "proof")
        assert report.evidence == "agreement"
        assert "+1 at every point, ties included" in report.proved[-1]
    claim = same_classes(network, Classifier.of_layers([*given[:-1], (given[-1][0], given[-1][1] + [1, 0, 0])]))
    with pytest.raises(Refuted):
        check(tmp_path / "proof", claim.network, BOX, claim=claim)


def test_other_classes_have_no_proof(tmp_path):
    """A point is the answer, also where it is a tie alone: the larger of x and y, and of y and x."""
    body = ReLUNetwork.of_layers([(np.eye(2), np.zeros(2)), (np.zeros(2), 0.0)])
    scores = [replace(body, skip=w) for w in np.eye(2)]
    first, second = Classifier(tuple(scores), (0, 1)), Classifier(tuple(scores[::-1]), (1, 0))
    with pytest.raises(Different) as found:
        write_equality(first, second, BOX, tmp_path / "proof")
    assert found.value.point[0] == found.value.point[1]
    write_equality(first, second, BOX, tmp_path / "proof", ties=False)
    claim = same_classes(first, second)
    assert check(tmp_path / "proof", claim.network, BOX, claim=claim).evidence == "agreement off ties"
    relus = [replace(body, output_weight=w) for w in np.eye(2)]  # both are 0 on a quarter of the plane
    first, second = Classifier(tuple(relus), (0, 1)), Classifier(tuple(relus[::-1]), (1, 0))
    with pytest.raises(Different):
        write_equality(first, second, BOX, tmp_path / "proof", ties=False)


@pytest.mark.parametrize("number", range(6))
def test_the_claim_says_that_the_classes_are_the_same(number):
    """At points of a grid, many of them ties; threshold networks of two and three layers among them."""
    rng = np.random.default_rng(number)
    v, b = rng.integers(-2, 3, (5, 2)).astype(float), rng.integers(-2, 3, 5).astype(float)
    out, bias = rng.integers(-2, 3, (3, 5)).astype(float), rng.integers(-1, 2, 3).astype(float)
    relu = Classifier.of_layers([(v, b), (out, bias)])
    flat = Classifier(tuple(SignNetwork(v, b, w, c) for w, c in zip(out, bias, strict=True)), (1, 0, 1))
    middle, constants = rng.integers(-1, 2, (4, 5)).astype(float), rng.integers(-1, 2, 4).astype(float)
    deep = Classifier(tuple(SignCircuit(v, b, middle, constants, w[:4], c) for w, c in zip(out, bias, strict=True)))
    for one, other in [(relu, flat), (flat, deep), (deep, relu), (relu, relu.group([0, 2], "a", "b")), (flat, flat)]:
        claim = same_classes(one, other)
        header = {"ties": True, "rows": plain_layer(claim.rows)}
        header["decisions"] = [[plain_layer(layer) for layer in decision] for decision in claim.decisions]
        theirs = Claim(header, 2, claim.network.relus, lambda steps: None)
        for x in [np.array([p, q]) / 2 for p in range(-3, 4) for q in range(-3, 4)]:
            units = np.zeros(0)
            for layer in claim.network.layers[:-1]:
                units = np.append(units, np.maximum(layer.weight.astype(float) @ [*x, *units] + layer.bias.astype(float), 0))
            rows = claim.rows.weight.astype(float) @ [*x, *units] + claim.rows.bias.astype(float)
            same, yes = theirs.answers(np.where(rows >= 0, 1, -1).tolist())
            assert yes == 1
            assert same == (1 if one(x) == other(x) else -1)


def test_the_commands(tmp_path):
    """`equal --proof` and `verify --against` of two files with several outputs."""
    given = layers(1)
    files = [tmp_path / name for name in ("a.json", "b.json", "proof")]
    for file, own in zip(files, (given, permuted(given)), strict=False):
        save(Classifier.of_layers(own), file)
    a, b, proof = map(str, files)
    run = CliRunner().invoke
    assert run(app, ["equal", a, b, "--proof", proof, "--domain=-1,1"]).exit_code == 0
    found = run(app, ["verify", proof, "--network", a, "--against", b, "--domain=-1,1"])
    assert (found.exit_code, "the same class" in found.stdout) == (0, True)
    assert run(app, ["verify", proof, "--network", a, "--domain=-1,1"]).exit_code == 1
