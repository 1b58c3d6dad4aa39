"""The theorem of the alternative, by exact simplex and by HiGHS with confirmation: they agree, and false proofs are refused."""

import itertools
import time
from dataclasses import replace

import cvxpy
import numpy as np
import pytest
from cases import random_network
from scipy.optimize import linprog

from lpnet import subset_verdict
from lpnet.exact import times, value
from lpnet.programs import Certificate, SignProgram, alternative
from lpnet.programs.alternative import holds
from lpnet.programs.below import Cone, vectors

RELATIONS = [-2, -1, 0, 1, 2]


def random_system(rng, degenerate):
    inputs, count = int(rng.integers(1, 5)), int(rng.integers(1, 8))
    forms = rng.integers(-2, 3, (count, inputs + 1)) if degenerate else rng.integers(-(10**6), 10**6, (count, inputs + 1))
    vanishing = tuple(map(int, rng.integers(-2, 3, inputs + 1))) if rng.random() < 0.5 else None
    if vanishing is not None and not any(vanishing[:-1]):
        vanishing = None
    return [tuple(map(int, form)) for form in forms], [int(r) for r in rng.choice(RELATIONS, count)], vanishing, inputs


def evidence_is_right(answer, forms, relations, vanishing):
    if isinstance(answer, Certificate):
        return answer.excludes(forms, relations, vanishing)
    return holds(forms, relations, answer, vanishing)


@pytest.mark.parametrize("degenerate", [True, False])
def test_both_routes_agree_and_bring_evidence(degenerate):
    rng = np.random.default_rng(5)
    feasible = 0
    for _ in range(400):
        forms, relations, vanishing, inputs = random_system(rng, degenerate)
        exact = alternative(forms, relations, vanishing)
        warm = SignProgram(forms, inputs).decide(relations, vanishing)
        assert evidence_is_right(exact, forms, relations, vanishing)
        assert evidence_is_right(warm, forms, relations, vanishing)
        assert isinstance(exact, Certificate) == isinstance(warm, Certificate)
        feasible += not isinstance(exact, Certificate)
    assert 50 < feasible < 350


def test_integers_of_ten_thousands_of_bits():
    """What exponents thousands of bits apart make of a system; a second, where quadratic division takes minutes."""
    rng = np.random.default_rng(9)
    forms = [tuple(int.from_bytes(rng.bytes(3_000)) * int(rng.choice([-1, 1])) for _ in range(4)) for _ in range(8)]
    outcomes = set()
    for relations in itertools.islice(itertools.product([-1, 1], repeat=8), 2, 4):
        started = time.perf_counter()
        answer = alternative(forms, relations)
        assert time.perf_counter() - started < 10
        assert evidence_is_right(answer, forms, relations, None)
        outcomes.add(type(answer))
    assert outcomes == {Certificate, tuple}


def test_one_warm_model_answers_many_questions_as_fresh_ones_do():
    rng = np.random.default_rng(6)
    forms = [tuple(map(int, form)) for form in rng.integers(-9, 10, (8, 4))]
    program = SignProgram(forms, 3)
    for _ in range(300):
        relations = [int(r) for r in rng.choice(RELATIONS, 8)]
        vanishing = forms[0] if rng.random() < 0.3 else None
        if vanishing:
            relations[0] = 0
        warm = program.decide(relations, vanishing)
        assert evidence_is_right(warm, forms, relations, vanishing)
        assert isinstance(warm, Certificate) == isinstance(alternative(forms, relations, vanishing), Certificate)
    assert program.solved == 300
    assert program.settled_exactly < 60


def test_agrees_with_scipy_where_the_margin_is_clear():
    rng = np.random.default_rng(7)
    for _ in range(100):
        weight, bias, sides = rng.normal(size=(7, 3)), rng.normal(size=7), rng.choice([-1, 1], 7)
        forms = [tuple(round(e * 2**40) for e in row) for row in np.column_stack([weight, bias])]
        length = np.linalg.norm(weight, axis=1)
        rows = np.column_stack([-sides[:, None] * weight / length[:, None], np.ones(7)])
        margin = -linprog([0, 0, 0, -1], rows, sides * bias / length, bounds=[(None, None)] * 3 + [(None, 1)]).fun
        if abs(margin) > 1e-6:
            answer = SignProgram(forms, 3).decide(sides)
            assert (margin > 0) == (not isinstance(answer, Certificate))


def test_the_compact_program_as_cvxpy_states_it():
    """maximise t ≤ 1 with c_S(x) = 0, a_k(x) ≥ t on S, a_k(x) ≤ −t off S: t* > 0 if and only if S carries a piece."""
    network = random_network(np.random.default_rng(9), 4, 2, "mixed")
    u, b, w = network.hidden_weight, network.hidden_bias, network.output_weight
    for subset in itertools.product([False, True], repeat=4):
        on = np.array(subset)
        x, t = cvxpy.Variable(2), cvxpy.Variable()
        side = np.where(on, 1, -1)
        vanish = network.output_bias + (w * on) @ b + ((w * on) @ u) @ x == 0
        problem = cvxpy.Problem(
            cvxpy.Maximize(t), [cvxpy.multiply(side, u @ x + b) >= t, t <= 1, *([vanish] if on.any() else [])]
        )
        problem.solve(solver=cvxpy.HIGHS)
        assert abs(t.value) > 1e-6  # clear, so that floats may judge
        assert (on.any() and t.value > 0) == subset_verdict(network, np.flatnonzero(on)).carries_piece


@pytest.mark.parametrize("scale", [1e-300, 1e-150, 1.0, 1e150, 1e300])
def test_scales_do_not_matter(scale):
    rng = np.random.default_rng(8)
    from lpnet.exact import forms as exact_forms

    weight, bias = rng.normal(size=(6, 3)), rng.normal(size=6) * scale
    program = SignProgram(exact_forms(weight, bias), 3)
    plain = SignProgram(exact_forms(weight, bias / scale), 3)
    for _ in range(30):
        relations = rng.choice([-1, 1], 6)
        assert isinstance(program.decide(relations), Certificate) == isinstance(plain.decide(relations), Certificate)


def test_no_forms_at_all():
    assert SignProgram([], 2).decide([])[-1] > 0


def test_false_certificates_are_refused():
    forms, relations = [(1, 0, -1), (-1, 0, 0), (0, 1, 5)], [1, 1, 0]  # x > 1 and x < 0
    proof = alternative(forms, relations)
    assert proof == Certificate(((0, 1), (1, 1)), 0, 1)
    assert proof.excludes(forms, relations)
    false = [
        replace(proof, multipliers=((0, 1),)),
        replace(proof, multipliers=((0, 1), (1, 2))),
        replace(proof, multipliers=((0, -1), (1, -1)), constant=-1),
        replace(proof, multipliers=((0, 1), (1, 1), (2, 1))),
        replace(proof, constant=0),
        replace(proof, constant=2),
        replace(proof, vanishing=1),
        Certificate((), 0, 0),
    ]
    for certificate in false:
        assert not certificate.excludes(forms, relations, vanishing=(0, 1, 0) if certificate.vanishing else None)
    assert not proof.excludes(forms, [1, -1, 0])
    assert not proof.excludes(forms, [2, 0, 0])


def test_a_certificate_of_equalities_needs_something_strict():
    forms = [(1, 0), (-1, 0)]  # x and −x
    weak = Certificate(((0, 1), (1, 1)), 0, 0)
    assert not weak.excludes(forms, [2, 2])  # x ≥ 0 and −x ≥ 0: x = 0 is there
    assert weak.excludes(forms, [1, 2])


def test_false_witnesses_are_refused():
    assert holds([(1, 0)], [1], (1, 1))
    assert not holds([(1, 0)], [1], (0, 1))
    assert holds([(1, 0)], [2], (0, 1))
    assert not holds([(1, 0)], [1], (-1, -1))  # q must be positive
    assert not holds([(1, 0)], [0], (1, 1), vanishing=(1, 0))


@pytest.mark.parametrize(("inputs", "weak"), [(1, True), (2, False), (3, True), (4, False)])
def test_forms_are_negative_all_over_a_cone_only_where_a_program_finds_no_point(inputs, weak):
    """Certain answers are right, on hyperplanes too, and nearly all are certain."""
    rng = np.random.default_rng(inputs)
    yes = real = 0
    for number in range(40):
        at = (*map(int, rng.integers(-5, 6, inputs)), 1)
        rows = [tuple(map(int, h)) for h in rng.integers(-9, 10, (3 * inputs + 2, inputs + 1)) if any(h[:-1])]
        plane = tuple(map(int, rng.integers(1, 9, inputs)))
        plane = (*plane, -value((*plane, 0), at)) if number % 2 and inputs > 1 else None
        sides = [1 if value(h, at) > 0 else -1 for h in rows if value(h, at)]
        rows = [h for h in rows if value(h, at)]
        strict = rng.random(len(rows) + 1) < 0.7
        targets = [tuple(map(int, h)) for h in rng.integers(-9, 10, (10, inputs + 1)) if any(h[:-1])]
        own = [times(side, h) for h, side in zip(rows, sides, strict=True)] + [(0,) * inputs + (1,)]
        cone, asked, x = vectors(own, range(inputs + 1)), vectors(targets, range(inputs + 1)), np.array(at, dtype=float)
        if plane:
            on = vectors([plane], range(inputs + 1))
            cone, asked, x = cone.within(on), asked.within(on), np.delete(x, np.argmax(np.abs(on.rows[0])))
        found = Cone(own, cone, strict, x, plane).negative(targets, asked, weak)
        relations = [side * (1 if s else 2) for side, s in zip(sides, strict[:-1], strict=True)]
        for h, certain in zip(targets, found, strict=True):
            answer = SignProgram([*rows, h], inputs).decide([*relations, 1 if weak else 2], plane)
            assert isinstance(answer, Certificate) or not certain
            real += isinstance(answer, Certificate)
            yes += bool(certain)
    assert yes > 0.8 * real > 20
