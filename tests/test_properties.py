"""Properties in VNN-LIB, and proofs that two networks are equal: exact answers, points and proofs that are confirmed."""

import math
import zipfile
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from cases import random_network
from deep_cases import Sketch, golden_layers, one_as_two, random_deep, relu_network
from test_deep_proof import NO_WORK, domains, exact_score
from test_deep_proof import Forged as Spoilt
from typer.testing import CliRunner

from lpnet import Box, ReLUNetwork, SignNetwork, equal, minimal_equivalent
from lpnet.checker import Refuted, check
from lpnet.checker import claim as checked_claim
from lpnet.checker import deep as leaf
from lpnet.checker.deep_form import deep_form
from lpnet.checker.deep_proof import read_layers
from lpnet.cli import app
from lpnet.errors import InputError
from lpnet.io import save
from lpnet.io.json_ import plain_layer
from lpnet.io.vnnlib import Atom, Formula, flat, load_property, parsed
from lpnet.networks.affine import AffineMap, Layer
from lpnet.networks.claim import same
from lpnet.networks.polyhedron import as_domain
from lpnet.networks.sketch import Sketch as lpnet_sketch
from lpnet.networks.sketch import times, total
from lpnet.proofs import shows_equality, write_equality
from lpnet.proofs.claims import Agreement, Different
from lpnet.proofs.members import fields_of
from lpnet.properties import Question, check_property
from lpnet.regions.reasons import answer_at
from lpnet.watch import Watch

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
        "(assert (<= X_0 1))", "(declare-const X_1 Real)", "(declare-const X_0 Int)", f"{X}(assert (xor (<= Y_0 1)))",
        f"{X}(assert (<= (* X_0 Y_0) 1))", f"{X}(assert (<= Y_0))", f"{X}(assert", f"{X})", f"{X}(assert (<= Y_0 0x1))",
        f"{X}(assert (ite X_0 X_0 Y_0))", "(" * 500, f"{X}(assert (<= (foo Y_0) 1))", f"{X}(push)",
        f"{X}(assert (<= (-) 1))",
        "(declare-network N (declare-input X Real [2]) (declare-hidden H Real [1]) (declare-output Y Real [1]))",
    ],
)  # fmt: skip
def test_what_is_not_read_is_refused(text, tmp_path):
    (tmp_path / "p.vnnlib").write_text(text)
    with pytest.raises(InputError, match=r"p\.vnnlib: "):
        load_property(tmp_path / "p.vnnlib")


def test_negations_and_either_spelling_of_places():
    """not, =>, != by their parts; commands to a solver, X [0] and == of version 2.0."""
    left, right = Atom({"X_0": Fraction(-1), "": Fraction(1)}, False), Atom({"Y_0": Fraction(1)}, True)
    away = Atom({"X_0": Fraction(1), "": Fraction(-1)}, True)
    for text, wanted in [
        ("(not (or (> X_0 1) (<= Y_0 0)))", Formula(True, (left, right))),
        ("(=> (<= X_0 1) (> Y_0 0))", Formula(False, (away, right))),
        ("(!= X_0 1)", Formula(False, (away, Atom({"X_0": Fraction(-1), "": Fraction(1)}, True)))),
    ]:
        asked = parsed(f"(set-logic QF_LRA)(declare-const X_0 Real)(declare-const Y_0 Real)(assert {text})(check-sat)")
        assert flat(Formula(True, (*asked.walls, asked.rest))) == flat(Formula(True, (wanted,)))
    spaced = "(vnnlib-version <2.0>)(declare-network N (declare-input X Real [1,2])(declare-output Y Real []))"
    asked = parsed(f"{spaced}(assert (== X [0, 1] 2.0))(assert (>= Y (- X [0,0])))")
    assert [wall.linear for wall in asked.walls] == [{"X_1": 1, "": -2}, {"X_1": -1, "": 2}]
    assert asked.rest.parts == (Atom({"Y_0": Fraction(1), "X_0": Fraction(1)}, False),)


def test_inputs_within_any_of_some_boxes():
    """The box around all of them bounds the domain; what is asked is of the boxes themselves."""
    boxes = "(or (and (<= X_0 -1) (>= X_0 -2)) (and (< X_0 3) (>= X_0 2) (<= Y_0 9)))"
    names = "(declare-const X_0 Real)(declare-const Y_0 Real)"
    asked = parsed(f"{names}(assert {boxes})(assert (<= Y_0 0.5))")
    assert sorted(asked.domain.forms) == [(-1, 3), (1, 2)]
    assert check_property({"Y_0": absolute()}, asked).verdict == "unsat"
    assert check_property({"Y_0": absolute()}, parsed(f"{names}(assert {boxes})(assert (>= Y_0 2.75))")).verdict == "sat"
    assert not parsed(f"{names}(assert (or (<= X_0 1) (<= Y_0 0)))").walls


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
        ("(and (< Y_0 X_0) (>= Y_0 0.75))", "unsat", None),
        ("(and (<= Y_0 X_0) (> X_0 0.999999))", "sat", None),
        ("(and (> (+ Y_0 X_0) 0) (<= Y_0 (* -1 X_0)))", "unsat", None),
        ("(or (and (> Y_0 1) (<= Y_0 1)) (and (< X_0 -0.5) (> (+ X_0 Y_0) 0)))", "unsat", None),
        ("(and (> Y_0 0) (<= Y_0 0))", "unsat", None),
        ("(and (< X_0 0) (>= X_0 -1) (<= Y_0 0))", "unsat", None),
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
        claim, around = question.claim()
        attempts = [(question.network(room), question.domain, None) for room in question.rooms]
        attempts.append((claim.network, around, claim))
        reports = []
        for network, domain, claimed in attempts:
            try:
                reports.append(check(tmp_path / "p.zip", network, domain, claim=claimed))
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


def proved(first, second, path, domain=None, ties=True):
    """The checker's report on the proof that two networks are equal."""
    claim = same(first, second)
    write_equality(first, second, domain, path, ties=ties)
    report = check(path, claim.network, domain, claim=claim)
    assert shows_equality(report)
    assert report.evidence == ("agreement" if ties else "agreement off ties")
    assert bool(report.unproved) != ties
    return report


@pytest.mark.parametrize("name", ["2-8-8-1", "3-6-6-1", "deg-int-0", "deg-diamond"])
def test_a_network_and_itself_in_other_words(name, tmp_path):
    layers, path = golden_layers(name), tmp_path / "p.zip"
    network, other = ReLUNetwork.of_layers(layers), ReLUNetwork.of_layers(rewritten(layers, np.random.default_rng(1)))
    for domain in (None, Box(-np.ones(network.inputs), np.ones(network.inputs))):
        assert "(2 leaves" in proved(network, other, path, domain).proved[-1]
    changed = rewritten(layers, np.random.default_rng(1))
    changed[0][0][0, 0] = np.nextafter(changed[0][0][0, 0], 9)
    different = ReLUNetwork.of_layers(changed)
    claim = same(network, different)
    with pytest.raises(Refuted, match="another network"):
        check(path, claim.network, domain, claim=claim)
    if name == "deg-diamond":
        assert equal(network, different).verdict == "different"
        with pytest.raises(Different) as error:
            write_equality(network, different, None, path)
        assert answer_at(network, error.value.point) != answer_at(different, error.value.point)


@pytest.mark.parametrize("seed", range(3))
def test_one_layer_and_the_same_as_two(seed, tmp_path):
    network = random_network(np.random.default_rng(seed), 5, 2)
    for domain in domains(2):
        proved(network, relu_network(one_as_two(network)), tmp_path / "p.zip", domain)


@pytest.mark.parametrize("seed", range(4))
def test_networks_of_other_scores_with_the_same_decisions(seed, tmp_path):
    """f and f (1 + R(f)) bend in other places; so do max(f, 2 f) and f."""
    sketch = lpnet_sketch(2)
    network = relu_network(random_deep(np.random.default_rng(seed), 2, (3, 2)))
    f = sketch.score(network)
    other = sketch.network(total([f, sketch.relu(f), times(-2, sketch.relu(times(-1, f)))]))
    for domain in domains(2)[:2]:
        proved(network, other, tmp_path / "p.zip", domain)


@pytest.mark.parametrize("seed", range(3))
def test_the_smaller_score_has_the_sign_of_both(seed):
    rng = np.random.default_rng(seed)
    first, second = (relu_network(random_deep(rng, 2, (3, 2))) for _ in range(2))
    points = rng.normal(size=(50, 2))
    a, b = first.score(points), second.score(points)
    found = same(first, second).network.score(points)
    np.testing.assert_allclose(found, np.minimum(abs(a), abs(b)) * np.sign(a * b), atol=1e-9)


def test_ties_are_told_apart(tmp_path):
    """−|x| is not negative at 0 only, −|x| − 1 nowhere: equal off ties, and no more can be proved or forged."""
    first = ReLUNetwork([[1.0], [-1.0]], [0.0, 0.0], [-1.0, -1.0], 0.0)
    second, path = ReLUNetwork([[1.0], [-1.0]], [0.0, 0.0], [-1.0, -1.0], -1.0), tmp_path / "p.zip"
    assert equal(first, second).verdict == "equal off ties"
    with pytest.raises(Different) as error:
        write_equality(first, second, None, path)
    assert error.value.point[0] == 0
    proved(first, second, path, ties=False)
    forged = Spoilt(path)
    assert forged.verdict({}, claim={**forged.header["claim"], "ties": True})
    for name, network in (("a", first), ("b", second)):
        save(network, tmp_path / f"{name}.json")
    a, b = str(tmp_path / "a.json"), str(tmp_path / "b.json")
    made = CliRunner().invoke(app, ["equal", a, b, "--proof", str(path)])
    assert made.exit_code == 1
    checked = CliRunner().invoke(app, ["verify", str(path), "--network", a, "--against", b])
    assert checked.exit_code == 4, checked.output
    assert "NOT proved: that they are the same where a score is 0" in checked.output


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
    assert "they are the same at every point, ties included" in checked.output
    assert CliRunner().invoke(app, ["verify", proof, "--network", a, "--against", c]).exit_code == 1
    assert CliRunner().invoke(app, ["verify", proof, "--network", a]).exit_code == 1
    assert CliRunner().invoke(app, ["verify", proof, "--against", b]).exit_code == 2
    other = CliRunner().invoke(app, ["equal", a, c, "--proof", str(tmp_path / "q.zip")])
    assert other.exit_code == 1
    assert not (tmp_path / "q.zip").exists()


@pytest.mark.parametrize("box", [False, True])
def test_a_network_and_its_threshold_circuits(box, tmp_path):
    """Its equivalents, and these among themselves; with another bias or output there is no proof, nor is one taken."""
    network, path = ReLUNetwork.of_layers(golden_layers("deg-diamond")), tmp_path / "p.zip"
    domain = Box(-np.ones(2), 2 * np.ones(2)) if box else None
    answer = minimal_equivalent(network, domain)
    circuits = answer.equivalent, answer.reduced_equivalent
    proved(*circuits, path, domain)
    for circuit in circuits:
        proved(circuit, network, path, domain, ties=False)
        proved(network, circuit, path, domain)
        with pytest.raises(Refuted, match="have to be named"):
            check(path, same(network, circuit).network, domain)
        for field in ("hidden_bias", "output_weight", "output_bias"):
            other = replace(circuit, **{field: np.asarray(getattr(circuit, field)) - 9})
            claim = same(network, other)
            with pytest.raises(Refuted, match="other decisions"):
                check(path, claim.network, domain, claim=claim)
            if field == "output_bias":
                with pytest.raises(Different):
                    write_equality(other, network, domain, path.with_suffix(".no"))


def test_a_circuit_behind_a_front(tmp_path):
    rng = np.random.default_rng(2)
    front = AffineMap((Layer(rng.normal(size=(2, 3)), rng.normal(size=2)),))
    shapes = ((3, 2), (2, 3))
    layers = [(rng.normal(size=shape), rng.normal(size=shape[0])) for shape in shapes]
    network = ReLUNetwork.of_layers([*layers, ([1.0, -1.0], -0.1)], front)
    proved(minimal_equivalent(network).equivalent, network, tmp_path / "p.zip")


# --- false claims


def decided(rows, layers):
    """What a circuit answers where its rows have these values."""
    signs = np.where(np.array(rows) >= 0, 1, -1)
    for layer in layers:
        signs = np.where(layer[:, :-1] @ signs + layer[:, -1] >= 0, 1, -1)
    return int(signs[0])


def values(form, at):
    """The z_k of a checker's form, and its scores."""
    _, z = exact_score(form, at)
    outputs = [max(here, 0) for here in z]
    scores = [
        sum(v * x for v, x in zip(affine, (*at, 1), strict=True)) + sum(w * r for w, r in zip(weights, outputs, strict=True))
        for affine, weights in form.scores
    ]
    return z, scores


@pytest.mark.parametrize("number", range(8))
def test_no_leaf_hides_a_point_of_difference(number):
    """All kinds of leaves, with any rows, at the nodes of random walks: none is taken at a node where two decisions differ."""
    rng = np.random.default_rng(number)
    first = relu_network(random_deep(rng, 2, (2, 2)))
    second = [relu_network(random_deep(rng, 2, (2,))), SignNetwork([[1.0, 2.0], [1.0, -1.0]], [0.0, 1.0], [1.0, 1.0], 0.5)][
        number % 2
    ]
    ties = number < 6
    claim, box = same(first, second), Box([-1.0, -1.0], [1.0, 1.0])
    fields = {
        "ties": ties,
        "rows": plain_layer(claim.rows),
        "decisions": [[*map(plain_layer, part)] for part in claim.decisions],
    }
    read = checked_claim.Claim(fields, 2, claim.network.relus, lambda steps: None)
    layers = [rows.tolist() for rows in read_layers(fields_of(claim.network), 2, NO_WORK)]
    form = deep_form(layers, 2, tuple(box.inequalities()), (), lambda steps: None, read.rows.tolist())
    points = [(Fraction(int(x), 16), Fraction(int(y), 16)) for x, y in rng.integers(-15, 16, (200, 2))]
    known = [(*values(form, at),) for at in points]
    differing = []
    for z, scores in known:
        given = [scores[k] for k in form.number]
        generic = ties or (all(z) and all(scores))
        if generic and decided(given, read.layers[0]) != decided(given, read.layers[1]):
            differing.append((z, scores))
    assert differing
    hidden = taken = 0
    for _ in range(4):
        tree = leaf.DeepTree(form, NO_WORK, math.inf, ties)
        for _ in range(40):
            if tree.done:
                break
            here = [
                (z, s) for z, s in differing
                if all(sign * x >= 0 for sign, x in zip(tree.signs, z, strict=False))
                and all(sign == 0 or (x >= 0) == (sign > 0) for sign, x in zip(tree.signs[tree.m :], s, strict=False))
            ]  # fmt: skip
            last = form.levels[-1]
            for _ in range(8):
                named = rng.choice(tree.none, rng.integers(0, 4), replace=False).tolist()
                full = [k for k in last if not tree.signs[k] and rng.random() < 0.3]
                score = int(rng.integers(len(form.scores)))
                row = tree.m + score
                claims = [tree.empty(named), tree.not_outside()]
                if tree.signs[row]:
                    claims += [tree.not_kept(named, score), tree.not_bounded(tree.signs[row], named, full, score)]
                answers = read.answers([tree.signs[tree.m + k] for k in form.number])
                claims.append(None if answers[0] and answers[0] == answers[1] else "no")
                taken += claims.count(None)
                hidden += bool(here)
                assert not (here and None in claims), (named, tree.signs)
            free = [k for k in range(tree.first_wall) if not tree.signs[k] and (k >= tree.m or k < len(tree.rows))]
            if free and rng.random() < 0.8:
                tree.split(int(rng.choice(free)), int(rng.choice([-1, 1])))
            else:
                tree.back()
    assert taken > 20
    assert hidden > 20


def test_a_spoilt_claim_is_refused(tmp_path):
    """Every leaf becomes another one, and rows are exchanged: what is taken all the same, is still a proof of what is true."""
    network, path = ReLUNetwork.of_layers(golden_layers("deg-diamond")), tmp_path / "p.zip"
    circuit = minimal_equivalent(network).equivalent
    proved(network, circuit, path)
    forged = Spoilt(path)
    nodes = np.frombuffer(forged.members["tree/0/nodes"], np.uint8)
    for at in np.flatnonzero(nodes == leaf.EMPTY):
        for kind in (leaf.ALIKE, leaf.UNIT, leaf.REPEAT, leaf.OPEN, leaf.OUTSIDE):
            turned = nodes.copy()
            turned[at] = kind
            assert forged.verdict({"tree/0/nodes": turned.tobytes()})
    claim = forged.header["claim"]
    (first, second), rows = claim["decisions"], claim["rows"]
    for wrong in (
        {**claim, "decisions": [first]}, {**claim, "decisions": [first, []]}, {**claim, "decisions": [first, second, first]},
        {**claim, "rows": {**rows, "bias": [1.0]}}, {**claim, "rows": {**rows, "bias": [[1]]}}, {**claim, "rows": 1},
        {**claim, "decisions": [first, [{"weight": [["1/0"]], "bias": [0]}]]}, {**claim, "decisions": [first, first * 99]},
        {**claim, "decisions": [[{**first[-1], "bias": [x - 99 for x in first[-1]["bias"]]}], second]}, {"ties": True}, 3,
    ):  # fmt: skip
        assert forged.verdict({}, claim=wrong)


@pytest.mark.parametrize("by_bounds", [True, False])
def test_a_score_that_vanishes_on_an_open_set_is_no_tie(by_bounds, tmp_path):
    """−R(x) answers +1 at x < 0, the constant −1 does not: off ties no leaf of the side −R(x) > 0 closes what lies at x < 0."""
    first = ReLUNetwork.of_layers([([[1.0]], [0.0]), ([-1.0], 0.0)])
    second = ReLUNetwork.of_layers([([[1.0]], [0.0]), ([0.0], -1.0)])
    assert equal(first, second).verdict == "different"
    with pytest.raises(Different):
        write_equality(first, second, None, tmp_path / "proof", ties=False)
    claim = same(first, second)
    made = Agreement(claim, as_domain(None, 1), Watch(), False)
    bent, constant = sorted(range(made.m, made.m + 2), key=made.tree.bends, reverse=True)
    made.split(constant, 1)
    made.leaf(leaf.EMPTY, [constant, made.tree.constant])
    made.split(bent, 1)
    made.split(0, -1)
    for named in ([], [0]):
        made.leaf(leaf.NEGATIVE if by_bounds else leaf.EMPTY, [bent, *named])
    made.leaf(leaf.ALIKE)
    with zipfile.ZipFile(tmp_path / "false", "w") as file:
        made.write(file)
    with pytest.raises(Refuted, match="leaf 1"):
        check(tmp_path / "false", claim.network, None, claim=claim)
