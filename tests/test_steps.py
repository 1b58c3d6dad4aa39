"""Networks with gates that jump: what they need, against brute force; circuits, equality and ties."""

import json
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
import step_oracle as oracle
from cases import random_network
from hypothesis import given, settings
from hypothesis import strategies as st
from test_cli import DATA, run

import lpnet
from lpnet import Box, InputError, Polyhedron, ReLUNetwork, SignCircuit, SignNetwork, StepNetwork
from lpnet.boundary.steps.faces import find_classes
from lpnet.circuits.classes import TooLarge
from lpnet.equivalents.steps import minimal_steps
from lpnet.exact import point, primitive, value
from lpnet.io import load, save
from lpnet.networks.step import GATES, as_steps
from lpnet.watch import Watch

LATTICE = {d: np.stack(np.meshgrid(*[np.arange(-5, 6) / 2] * d), axis=-1).reshape(-1, d) for d in (1, 2, 3)}


def whole(rng, d, widths):
    """Layers of small integers, and gates of all kinds in each."""
    sizes = [d, *widths, 1]
    layers = [(rng.integers(-2, 3, (n, m)).tolist(), rng.integers(-2, 3, n).tolist()) for m, n in pairwise(sizes)]
    return layers, [[str(rng.choice(GATES)) for _ in range(n)] for n in widths]


def network_of(layers, gates):
    *hidden, (weight, (bias,)) = [(np.array(w, float), np.array(b, float)) for w, b in layers]
    return StepNetwork.of_layers([*hidden, (weight, bias)], gates)


def scaled(h):
    lead = abs(next(v for v in h if v))
    return tuple(Fraction(v, lead) for v in h)


def gaussian(d, widths, gates, seed=0):
    rng = np.random.default_rng(seed)
    sizes = [d, *widths, 1]
    *hidden, (weight, (bias,)) = [(rng.normal(size=(n, m)), rng.normal(size=n)) for m, n in pairwise(sizes)]
    return StepNetwork.of_layers([*hidden, (weight, bias)], gates)


@st.composite
def small(draw, most=8):
    """A network of a handful of units, few enough for the oracle."""
    d = draw(st.integers(1, 3))
    widths = draw(st.lists(st.integers(1, 3 if d < 3 else 2), min_size=1, max_size=2))
    layers, gates = whole(np.random.default_rng(draw(st.integers(0, 2**32))), d, widths)
    net = oracle.Net(layers, gates)
    rows = net.rows()
    return (net, rows, network_of(layers, gates)) if 0 < len(rows) <= most else None


@settings(max_examples=30, deadline=None)
@given(small())
def test_what_is_needed_is_the_oracles(case):
    """The half-spaces, whichever side is closed; and whether they tell all answers, ridges and vertices included."""
    if case is None:
        return
    net, rows, network = case
    answer = minimal_steps(network)
    assert answer.complete
    assert {scaled(h) for h in answer.halfspaces} == oracle.needed(net, rows)
    assert (answer.exception is not None) == oracle.undetermined(net, [scaled(h) for h in answer.halfspaces], rows)
    if answer.exception:
        p, q = answer.exception
        assert all((value(h, p) >= 0) == (value(h, q) >= 0) for h in answer.halfspaces)
        x, y = (tuple(Fraction(z, at[-1]) for z in at[:-1]) for at in answer.exception)
        assert net(x) != net(y)
    for h, at in zip(answer.halfspaces, answer.witnesses, strict=True):
        assert value(h, at) == 0


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 3), st.lists(st.integers(1, 4), min_size=1, max_size=3))
def test_answers_at_ties(seed, d, widths):
    """Whole weights on a lattice: numpy's sums are exact, and many of them are 0."""
    layers, gates = whole(np.random.default_rng(seed), d, widths)
    network, net, points = network_of(layers, gates), oracle.Net(layers, gates), LATTICE[d][:: 1 + 7 * (d == 3)]
    wanted = [net(tuple(map(Fraction, x))) for x in points.tolist()]
    assert network(points).tolist() == wanted
    assert [network.exact_form.sign_at(point(x)) for x in points] == wanted


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 2), st.lists(st.integers(1, 3), min_size=1, max_size=3))
def test_circuits_are_equal_and_need_the_same(seed, d, widths):
    """Ties included; the circuit goes through the same door."""
    network = network_of(*whole(np.random.default_rng(seed), d, widths))
    answer = minimal_steps(network)
    built = answer.build_equivalent()
    assert lpnet.equal(network, built.network).verdict == "equal"
    assert (built.network(LATTICE[d]) == network(LATTICE[d])).all()
    again = minimal_steps(as_steps(built.network))
    assert set(again.halfspaces) == set(answer.halfspaces)
    assert (answer.exception is None) == (not built.reason)


def test_slits_and_half_a_line():
    """{y = 0, x ≥ 0}: both sides of the line are needed, and do not tell which half of it."""
    network = StepNetwork.of_layers([([[0, 1], [0, -1], [1, 0]], [0, 0, 0]), ([[1, 1, 1]], -3)], ["step"])
    answer = minimal_steps(network)
    assert set(answer.halfspaces) == {(0, 1, 0), (0, -1, 0)}
    assert answer.slits == 1
    p, q = answer.exception
    assert p[1] == q[1] == 0
    assert (p[0] >= 0) != (q[0] >= 0)
    assert answer.build_equivalent().first_layer == 3


def test_a_point_alone():
    """−|x| − |y| ≥ 0 holds at the origin alone: nothing is needed, and nothing but lines through it would tell it."""
    body = ReLUNetwork([[1, 0], [-1, 0], [0, 1], [0, -1]], np.zeros(4), -np.ones(4), 0)
    answer = minimal_steps(as_steps(body))
    assert (answer.units, answer.constant) == (0, -1)
    assert (0, 0, 1) in {primitive(at) for at in answer.exception}
    built = answer.build_equivalent()
    assert lpnet.equal(body, built.network).verdict == "equal"


@pytest.mark.parametrize(("gate", "needed"), [("step", (1, -2)), ("strict_step", (-1, 2)), ("sign", (1, -2))])
def test_the_closed_side(gate, needed):
    """x ≥ 2 needs {x ≥ 2}; x > 2 needs {x ≤ 2}, which points to the side of −1."""
    network = StepNetwork.of_layers([([[1]], [-2]), ([[2]], -1)], [gate])
    assert minimal_steps(network).halfspaces == (needed,)


@pytest.mark.parametrize("name", ["running_example.json", "theorem2_n3.json"])
def test_relu_networks_through_the_same_door(name):
    """The same half-spaces as by the engines for ReLUs, from the network itself and from its circuit."""
    network = load(DATA / name)
    answer = lpnet.minimal_equivalent(network)
    needed = {primitive(h) for h in answer.halfspaces}
    for given_ in (network, answer.equivalent):
        assert {primitive(h) for h in lpnet.minimal_steps(given_).halfspaces} == needed


@pytest.mark.slow
@pytest.mark.parametrize("name", ["wine_pca3.json", "wine_pca3_deep.json"])
def test_trained_networks_through_the_same_door(name):
    network = load(DATA / name)
    answer = lpnet.minimal_equivalent(network)
    needed = {primitive(h) for h in answer.halfspaces}
    for given_ in (network, answer.equivalent):
        assert {primitive(h) for h in lpnet.minimal_steps(given_).halfspaces} == needed


@pytest.mark.parametrize("d", [2, 3, 4])
def test_random_relu_networks(d):
    for seed in range(4):
        network = random_network(np.random.default_rng(seed), 4, d)
        needed = {primitive(h) for h in lpnet.minimal_equivalent(network).halfspaces}
        assert {primitive(h) for h in lpnet.minimal_steps(network).halfspaces} == needed


@pytest.mark.parametrize("operation", ["intersection", "union"])
def test_two_layers_need_what_is_irredundant(operation):
    rng = np.random.default_rng(3)
    for d in (2, 3):
        weight, bias = rng.normal(size=(8, d)), (0.1 + np.abs(rng.normal(size=8))) * (1 if operation == "intersection" else -1)
        layer = SignNetwork.conjunction if operation == "intersection" else SignNetwork.disjunction
        network = layer(weight, bias)
        kept = lpnet.irredundant(weight, bias, operation).kept
        forms = [primitive(network.input_layer.forms[k]) for k in kept]
        assert set(lpnet.minimal_steps(network).halfspaces) == set(forms)


def test_domains_and_fronts():
    """On a box fewer are needed; behind a scaler the half-spaces are those of the inputs."""
    network = gaussian(2, (6, 3), ["sign", "sign"])
    box = Box([-0.2, -0.2], [0.2, 0.2])
    everywhere, inside = minimal_steps(network), minimal_steps(network, box)
    assert set(inside.halfspaces) < set(everywhere.halfspaces)
    assert all(box.contains(np.array(at[:-1]) / at[-1]) for at in inside.witnesses)
    front = lpnet.networks.affine.AffineMap((lpnet.networks.affine.Layer(np.diag([2.0, -0.5]), np.array([1.0, 3.0])),))
    behind = StepNetwork(ReLUNetwork(*network.body.hidden_layer.__dict__.values(), network.body.output_weight,
                                     network.body.output_bias, front, network.body.deeper), network.gates)  # fmt: skip
    moved = {primitive(front.pulled(h)) for h in everywhere.halfspaces}
    assert {primitive(h) for h in minimal_steps(behind).halfspaces} == moved


@pytest.mark.parametrize(("gates", "cells"), [(("sign", "sign"), 176), (("sign", "relu"), 176)])
def test_sizes(gates, cells):
    """Ten planes in general position cut space into 176 parts; units of steps alone do not cut them further."""
    answer = minimal_steps(gaussian(3, (10, 10), gates))
    assert answer.pieces.cells == cells
    assert answer.units <= 10


def test_stopping_keeps_what_was_found():
    watch = Watch(max_pieces=3)
    answer = minimal_steps(gaussian(2, (12, 5), ["sign", "sign"]), watch=watch)
    assert not answer.complete
    assert answer.units >= 3
    with pytest.raises(lpnet.LpnetError, match="stopped"):
        answer.build_equivalent()


def test_too_many_faces_are_left_open():
    network = gaussian(2, (6, 3), ["sign", "sign"])
    answer = minimal_steps(network)
    few = find_classes(answer.form, Polyhedron.everywhere(2), answer.find_halfspaces(Watch()), most=10)
    assert not few.complete
    with pytest.raises(TooLarge, match="faces"):
        answer.exception_in(few)


def test_differences_are_found():
    """A threshold moved, a side closed, a weight turned: on an open set or at ties alone, at exact points."""
    layers, gates = [([[1, 0], [0, 1]], [0, 0]), ([[1, 1]], -2)], ["step"]
    square = StepNetwork.of_layers(layers, gates)
    strict = StepNetwork.of_layers(layers, [["strict_step", "step"]])
    moved = StepNetwork.of_layers([([[1, 0], [0, 1]], [0, 1]), layers[1]], gates)
    ties, open_ = lpnet.equal(square, strict), lpnet.equal(square, moved)
    assert (ties.verdict, open_.verdict) == ("equal off ties", "different")
    assert ties.planes == ((1, 0, 0),)
    for found, other in ((ties, strict), (open_, moved)):
        assert square.exact_form.sign_at(found.point) != other.exact_form.sign_at(found.point)
    assert lpnet.equal(square, SignNetwork.conjunction([[1, 0], [0, 1]], [0, 0])).verdict == "equal"


@pytest.mark.parametrize("suffix", [".json", ".npz", ".onnx"])
def test_files(tmp_path, suffix):
    """All gates, in layers of their own and mixed; what comes back is equal, and in JSON and npz the same to the last bit."""
    for gates in (["sign", "relu", "step"], [list(GATES), "strict_sign", ["relu", "step", "relu"]]):
        network = gaussian(2, (5, 4, 3), gates, seed=2)
        save(network, tmp_path / f"net{suffix}")
        again = load(tmp_path / f"net{suffix}")
        points = np.random.default_rng(0).normal(size=(200, 2))
        assert (again(points) == network(points)).all()
        assert lpnet.equal(network, again).verdict == "equal"
        if suffix != ".onnx":
            assert again.gates == network.gates
            assert (again.body.deeper[1].weight == network.body.deeper[1].weight).all()


@pytest.mark.parametrize(
    ("gates", "telling"),
    [
        (["sign"], "an entry for each of the 2 hidden layers"),
        (["sign", "tanh"], "wanted relu, step, strict_step, sign, strict_sign, got str 'tanh'"),
        (["sign", ["relu"]], "wanted a name, or 2 of them, for layer 2"),
    ],
)
def test_wrong_gates_are_refused(gates, telling):
    with pytest.raises(InputError, match=telling):
        StepNetwork.of_layers([(np.eye(2), [0, 0]), (np.eye(2), [0, 0]), ([[1, 1]], 0)], gates)


def test_commands(tmp_path):
    """minimal with a circuit, equal with a proof, show, draw, report and compress."""
    net, out, proof = tmp_path / "net.json", tmp_path / "out.json", tmp_path / "equal.proof"
    save(gaussian(2, (5, 3), ["sign", "sign"]), net)
    done = run("minimal", net, "-o", out, "--json")
    assert done.exit_code == 0, done.stderr
    row = json.loads(done.stdout)
    assert (row["ties"], row["steps"], row["units"]) == ("decided", 8, row["first_layer"])
    assert isinstance(load(out), SignNetwork | SignCircuit)
    assert json.loads(run("minimal", net, "--count", "--json").stdout)["units"] == row["units"]
    assert run("equal", net, out, "--proof", proof).stdout.startswith("equal: proved, ties included")
    assert run("verify", proof, "--network", net, "--against", out).exit_code == 0
    assert "layer 2: 3 signs" in run("show", net).stdout
    for command, suffix in (("draw", ".png"), ("report", ".html")):
        assert run(command, net, "-o", tmp_path / f"net{suffix}").exit_code == 0
    refused = run("minimal", net, "--proof", tmp_path / "p")
    assert refused.exit_code == 2
    assert "there are no proofs for networks with steps yet" in refused.stderr


def test_compress_takes_the_circuit():
    """A conjunction of strict comparisons is no set that ReLUs answer +1 on, but for its border."""
    closed = StepNetwork.of_layers([([[1, 0], [0, 1]], [0, 0]), ([[1, 1]], -2)], ["step"])
    found = lpnet.compress(closed)
    assert found.verdict == "exact"
    assert lpnet.equal(found.relu_network, closed).verdict == "equal"
