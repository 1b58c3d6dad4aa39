"""Properties in VNN-LIB, and proofs that two networks are equal: exact answers, points and proofs that are confirmed."""

import zipfile
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from cases import random_network
from deep_cases import Sketch, golden_layers, one_as_two, random_deep, relu_network
from test_deep_proof import Forged as Spoilt
from test_deep_proof import domains
from typer.testing import CliRunner

from lpnet import Box, ReLUNetwork, equal, minimal_equivalent
from lpnet.checker import BadProof, Refuted, check
from lpnet.checker import deep as leaf
from lpnet.cli import app
from lpnet.errors import InputError, LpnetError
from lpnet.io import save
from lpnet.io.vnnlib import Atom, load_property, parsed
from lpnet.networks.affine import AffineMap, Layer
from lpnet.networks.sketch import agreement
from lpnet.proofs import shows_equality, write_equality
from lpnet.properties import Question, check_property

X = "(declare-const X_0 Real)(declare-const Y_0 Real)(assert (<= -1 X_0))(assert (>= 1 X_0))"


def absolute():
    """y = |x|."""
    sketch = Sketch(1)
    return relu_network(sketch.units(sketch.absolute(*sketch.x)))


# --- reading


def test_numbers_are_read_exactly():
    both = "(and (<= X_0 0.1) (< (+ Y_0 (* 2 X_0) -1e-2) 3))"
    asked = parsed(f"; words\n(declare-const Y_0 Real)(declare-fun X_0 () Real)(assert (or {both}))")
    assert asked.walls == (Atom({"X_0": Fraction(-1), "": Fraction(1, 10)}, False),)
    assert asked.rest.parts == (Atom({"Y_0": Fraction(-1), "X_0": Fraction(-2), "": Fraction(301, 100)}, True),)
    assert asked.domain.forms == ((-10, 1),)


def test_version_2_names_places_row_by_row():
    text = """(vnnlib-version <2.0>) (declare-network N (declare-input X float32 [2, 2]) (declare-output Y float32 [1, 2]))
    (assert (and (<= X[1,0] 3) (>= X[0,1] (- 2)))) (assert (= Y[0,0] Y[0,1]))"""
    asked = parsed(text)
    assert asked.inputs == ("X_0", "X_1", "X_2", "X_3")
    assert [wall.linear for wall in asked.walls] == [{"X_2": -1, "": 3}, {"X_1": 1, "": 2}]
    assert asked.rest.parts == (Atom({"Y_0": 1, "Y_1": -1}, False), Atom({"Y_0": -1, "Y_1": 1}, False))


@pytest.mark.parametrize(
    "text",
    [
        "(assert (<= X_0 1))", "(declare-const X_1 Real)", "(declare-const X_0 Int)", f"{X}(assert (not (<= Y_0 1)))",
        f"{X}(assert (<= (* X_0 Y_0) 1))", f"{X}(assert (<= Y_0))", f"{X}(assert", f"{X})", f"{X}(assert (<= Y_0 0x1))",
        f"{X}(assert (ite X_0 X_0 Y_0))", "(" * 500, f"{X}(assert (<= (foo Y_0) 1))", f"{X}(check-sat)",
        f"{X}(assert (<= (-) 1))",
        "(declare-network N (declare-input X Real [2]) (declare-hidden H Real [1]) (declare-output Y Real [1]))",
    ],
)  # fmt: skip
def test_what_is_not_read_is_refused(text, tmp_path):
    (tmp_path / "p.vnnlib").write_text(text)
    with pytest.raises(InputError, match=r"p\.vnnlib: "):
        load_property(tmp_path / "p.vnnlib")


# --- answers


@pytest.mark.parametrize(
    ("asserted", "verdict", "points"),
    [
        ("(>= Y_0 0.5)", "sat", None),
        ("(>= Y_0 1)", "sat", {-1, 1}),
        ("(> Y_0 1)", "unsat", None),
        ("(>= Y_0 1.0000001)", "unsat", None),
        ("(<= Y_0 0)", "sat", {0}),
        ("(< Y_0 0)", "unsat", None),
        ("(<= Y_0 -1e-20)", "unsat", None),
        ("(= Y_0 0.25)", "sat", {Fraction(1, 4), Fraction(-1, 4)}),
        ("(or (< Y_0 0) (>= (- Y_0 X_0) 2))", "sat", {-1}),
        ("(or (< Y_0 0) (> (- Y_0 X_0) 2))", "unsat", None),
        ("(and (<= Y_0 0.5) (>= X_0 0.75))", "unsat", None),
        ("(and (< Y_0 X_0) (>= X_0 0.75))", "unsat", None),
        ("(and (< Y_0 X_0) (>= Y_0 0.75))", "undecided", None),
    ],
)
def test_closed_and_strict(asserted, verdict, points, tmp_path):
    """Of |x| on [−1, 1]; what holds at single points only is found where it is closed."""
    asked = parsed(f"{X}(assert {asserted})")
    scores = {"Y_0": absolute()}
    found = check_property(scores, asked, proof=tmp_path / "p.zip")
    assert found.verdict == verdict
    if found.point:
        assert found.outputs == (abs(found.point[0]),)
        assert points is None or found.point[0] in points
    if verdict == "unsat":
        question = Question(scores, asked)
        reports = []
        for room in question.rooms:
            try:
                reports.append(check(tmp_path / "p.zip", question.network(room), question.domain))
            except Refuted:
                continue
        assert len(reports) == 1
        assert shows_equality(reports[0])


@pytest.mark.parametrize("seed", range(4))
def test_the_largest_value_of_a_random_network(seed):
    """Bisection by answers: what is sat is so at the point, and what is unsat is not so at any of many."""
    rng = np.random.default_rng(seed)
    network = relu_network(random_deep(rng, 2, (4, 3)))
    box = "".join(f"(declare-const X_{k} Real)(assert (<= X_{k} 1))(assert (>= X_{k} -1))" for k in range(2))
    points = rng.uniform(-1, 1, (2000, 2))
    low, high = float(network.score(points).max()), 100.0
    for _ in range(6):
        middle = (low + high) / 2
        asked = parsed(f"{box}(declare-const Y_0 Real)(assert (>= Y_0 {middle!r}))")
        found = check_property({"Y_0": network}, asked)
        assert found.verdict in ("sat", "unsat")
        if found.verdict == "sat":
            assert found.outputs[0] >= Fraction(middle)
            low = middle
        else:
            high = middle
    assert network.score(points).max() < high


def test_fixed_inputs_are_put_in():
    network = relu_network(random_deep(np.random.default_rng(2), 3, (3, 3)))
    text = "".join(f"(declare-const X_{k} Real)" for k in range(3)) + "(declare-const Y_0 Real)(assert (= X_1 0.5))"
    text += "(assert (<= -1 X_0))(assert (<= X_0 1))(assert (<= -1 X_2))(assert (<= X_2 1))"
    found = check_property({"Y_0": network}, parsed(f"{text}(assert (>= Y_0 -1000))"))
    assert found.verdict == "sat"
    assert found.point[1] == Fraction(1, 2)


def test_the_commands(tmp_path):
    network, asked, proof = tmp_path / "net.json", tmp_path / "p.vnnlib", tmp_path / "p.zip"
    save(absolute(), network)
    asked.write_text(f"{X}(assert (>= Y_0 2))")
    made = CliRunner().invoke(app, ["check", str(network), "--property", str(asked), "--proof", str(proof)])
    assert (made.exit_code, made.output.splitlines()[-1]) == (0, "unsat: the assertions hold at no input, proved")
    checked = CliRunner().invoke(app, ["verify", str(proof), "--network", str(network), "--property", str(asked)])
    assert checked.exit_code == 0, checked.output
    assert "at no input allowed are the outputs as the property asserts" in checked.output
    asked.write_text(f"{X}(assert (>= Y_0 0.5))")
    assert CliRunner().invoke(app, ["verify", str(proof), "--network", str(network), "--property", str(asked)]).exit_code == 1
    found = CliRunner().invoke(app, ["check", str(network), "--property", str(asked)])
    assert found.exit_code == 1
    assert "sat: the assertions hold at an input, exactly\n  inputs: X_0 = " in found.output
    (tmp_path / "d.vnnlib").write_text(X)
    text = CliRunner().invoke(app, ["minimal", str(network), "--domain", str(tmp_path / "d.vnnlib")])
    assert text.exit_code == 0, text.output
    assert CliRunner().invoke(app, ["minimal", str(network), "--domain", str(asked)]).exit_code == 2


# --- two networks


def rewritten(layers, rng):
    """The same network with its units in another order, multiplied by powers of two."""
    made = [(np.array(weight, dtype=float), np.array(bias, dtype=float)) for weight, bias in layers]
    for number in range(len(made) - 1):
        (weight, bias), (later, constant) = made[number], made[number + 1]
        order, size = rng.permutation(len(bias)), 2.0 ** rng.integers(-2, 3, len(bias))
        made[number] = weight[order] * size[:, None], bias[order] * size
        made[number + 1] = later[:, order] / size, constant
    return made


@pytest.mark.parametrize("name", ["2-8-8-1", "3-6-6-1", "deg-int-0", "deg-diamond"])
def test_a_network_and_itself_in_other_words(name, tmp_path):
    layers, path = golden_layers(name), tmp_path / "p.zip"
    network, other = ReLUNetwork.of_layers(layers), ReLUNetwork.of_layers(rewritten(layers, np.random.default_rng(1)))
    for domain in (None, Box(-np.ones(network.inputs), np.ones(network.inputs))):
        write_equality(network, other, domain, path)
        assert shows_equality(check(path, agreement(network, other), domain))
    changed = rewritten(layers, np.random.default_rng(1))
    changed[0][0][0, 0] = np.nextafter(changed[0][0][0, 0], 9)
    different = ReLUNetwork.of_layers(changed)
    with pytest.raises(Refuted, match="another network"):
        check(path, agreement(network, different), domain)
    if equal(network, different).verdict == "different":
        with pytest.raises(LpnetError, match="opposite signs"):
            write_equality(network, different, None, path)


@pytest.mark.parametrize("seed", range(3))
def test_one_layer_and_the_same_as_two(seed, tmp_path):
    network = random_network(np.random.default_rng(seed), 5, 2)
    other = relu_network(one_as_two(network))
    for domain in domains(2):
        write_equality(network, other, domain, tmp_path / "p.zip")
        assert shows_equality(check(tmp_path / "p.zip", agreement(network, other), domain))


@pytest.mark.parametrize("seed", range(3))
def test_agreement_is_the_smaller_score_with_the_sign_of_both(seed):
    rng = np.random.default_rng(seed)
    first, second = (relu_network(random_deep(rng, 2, (3, 2))) for _ in range(2))
    points = rng.normal(size=(50, 2))
    a, b = first.score(points), second.score(points)
    np.testing.assert_allclose(agreement(first, second).score(points), np.minimum(abs(a), abs(b)) * np.sign(a * b), atol=1e-9)


def test_equal_and_verify_against(tmp_path):
    rng, layers = np.random.default_rng(4), golden_layers("3-6-6-1")
    files = [tmp_path / f"{name}.json" for name in "abc"]
    weight, bias = layers[-1]
    for file, made in zip(files, (layers, rewritten(layers, rng), [*layers[:-1], (-weight, bias)]), strict=True):
        save(ReLUNetwork.of_layers(made), file)
    a, b, c = map(str, files)
    proof = str(tmp_path / "p.zip")
    made = CliRunner().invoke(app, ["equal", a, b, "--proof", proof])
    assert made.exit_code == 0, made.output
    checked = CliRunner().invoke(app, ["verify", proof, "--network", a, "--against", b])
    assert checked.exit_code == 0, checked.output
    assert "the scores of the two networks have nowhere opposite signs" in checked.output
    assert CliRunner().invoke(app, ["verify", proof, "--network", a, "--against", c]).exit_code == 1
    assert CliRunner().invoke(app, ["verify", proof, "--against", b]).exit_code == 2
    other = CliRunner().invoke(app, ["equal", a, c, "--proof", str(tmp_path / "q.zip")])
    assert other.exit_code == 1
    assert not (tmp_path / "q.zip").exists()


@pytest.mark.parametrize("box", [False, True])
def test_a_network_and_its_threshold_circuit(box, tmp_path):
    """Its equivalents; with another bias or output there is no proof, nor is that of these taken for one."""
    network, path = ReLUNetwork.of_layers(golden_layers("deg-diamond")), tmp_path / "p.zip"
    for domain in [Box(-np.ones(2), 2 * np.ones(2)) if box else None]:
        answer = minimal_equivalent(network, domain)
        for circuit in (answer.equivalent, answer.reduced_equivalent)[: 2 - box]:
            write_equality(network, circuit, domain, path)
            report = check(path, network, domain, circuit=circuit)
            assert (report.evidence, report.unproved) == ("agreement", ())
            with pytest.raises(Refuted, match="has to be named"):
                check(path, network, domain)
            for field in ("hidden_bias", "output_weight", "output_bias"):
                other = replace(circuit, **{field: np.asarray(getattr(circuit, field)) - 9})
                with pytest.raises(Refuted, match="another circuit"):
                    check(path, network, domain, circuit=other)
                if field == "output_bias":
                    with pytest.raises(LpnetError, match="circuit answers"):
                        write_equality(other, network, domain, path.with_suffix(".no"))
            forged = Forged(path)
            nodes = np.frombuffer(forged.members["tree/0/nodes"], np.uint8)
            for at in np.flatnonzero(np.isin(nodes, (leaf.BOTH_ABOVE, leaf.BOTH_BELOW)))[::7]:
                turned = nodes.copy()
                turned[at] = leaf.BOTH_ABOVE + leaf.BOTH_BELOW - nodes[at]
                assert forged.refused(turned, circuit)


class Forged(Spoilt):
    """A proof about a circuit, its nodes to be spoilt."""

    def refused(self, nodes, circuit):
        target = self.path.with_suffix(".forged")
        with zipfile.ZipFile(target, "w") as file:
            for name, value in {**self.members, "tree/0/nodes": nodes.tobytes()}.items():
                file.writestr(name, value)
        try:
            check(target, circuit=circuit)
        except (Refuted, BadProof):
            return True
        return False


def test_a_circuit_behind_a_front(tmp_path):
    rng = np.random.default_rng(2)
    front = AffineMap((Layer(rng.normal(size=(2, 3)), rng.normal(size=2)),))
    shapes = ((3, 2), (2, 3))
    layers = [(rng.normal(size=shape), rng.normal(size=shape[0])) for shape in shapes]
    network = ReLUNetwork.of_layers([*layers, ([1.0, -1.0], -0.1)], front)
    circuit = minimal_equivalent(network).equivalent
    write_equality(circuit, network, None, tmp_path / "p.zip")
    assert check(tmp_path / "p.zip", network, circuit=circuit).evidence == "agreement"


def test_equal_and_verify_against_a_circuit(tmp_path):
    files = {name: str(tmp_path / name) for name in ("net.json", "circuit.json", "p.zip")}
    network = ReLUNetwork.of_layers(golden_layers("deg-diamond"))
    save(network, tmp_path / "net.json")
    save(minimal_equivalent(network).equivalent, tmp_path / "circuit.json")
    made = CliRunner().invoke(app, ["equal", files["circuit.json"], files["net.json"], "--proof", files["p.zip"]])
    assert made.exit_code == 0, made.output
    ask = ["verify", files["p.zip"], "--network", files["net.json"]]
    checked = CliRunner().invoke(app, [*ask, "--against", files["circuit.json"]])
    assert checked.exit_code == 0, checked.output
    assert "the circuit decides like the network off a set of measure zero" in checked.output
    assert CliRunner().invoke(app, ask).exit_code == 1
