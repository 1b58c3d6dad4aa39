"""The classical redundancy program against definitions, an outside oracle, and hand-made cases."""

import cdd
import numpy as np
import pytest
from cases import random_network, relu

from lpnet import Box, InputError, SignNetwork, irredundant, prune, subset_verdict
from lpnet.exact import forms, value


@pytest.mark.parametrize("inputs", [1, 2, 3, 5])
def test_agrees_with_cddlib_on_random_polyhedra(inputs):
    rng = np.random.default_rng(inputs)
    for _ in range(10):
        weight, bias = rng.normal(size=(15, inputs)), rng.uniform(0.5, 1.5, 15)  # the origin is inside
        matrix = cdd.matrix_from_array(np.column_stack([bias, weight]), rep_type=cdd.RepType.INEQUALITY)
        redundant = set(cdd.redundant_rows(matrix))
        assert set(irredundant(weight, bias, "intersection").kept) == set(range(15)) - redundant
        assert set(irredundant(-weight, -bias, "union").kept) == set(range(15)) - redundant


@pytest.mark.parametrize("operation", ["intersection", "union"])
@pytest.mark.parametrize("boxed", [False, True])
def test_pruning_changes_nothing_and_every_witness_is_decided_by_its_half_space_alone(operation, boxed):
    rng = np.random.default_rng(3)
    layer = SignNetwork.conjunction if operation == "intersection" else SignNetwork.disjunction
    for _ in range(40):
        inputs = int(rng.integers(1, 4))
        weight, bias = rng.integers(-2, 3, (9, inputs)) / 2, rng.integers(-2, 4, 9) / 2
        box = Box(-np.ones(inputs), np.full(inputs, 1.5)) if boxed else None
        answer = irredundant(weight, bias, operation, box)
        kept = list(answer.kept)
        points = np.concatenate([rng.integers(-6, 7, (200, inputs)) / 4, rng.normal(size=(100, inputs))])
        if box:
            points = points[((points > box.lower) & (points < box.upper)).all(axis=1)]
        whole, pruned = layer(weight, bias), layer(weight[kept], bias[kept])
        np.testing.assert_array_equal(whole(points), pruned(points))
        halfspaces = forms(weight, bias)
        for k, witness in zip(answer.kept, answer.witnesses, strict=True):
            outside = {j for j in kept if value(halfspaces[j], witness) < 0}
            assert outside == ({k} if operation == "intersection" else set(kept) - {k})
        assert answer.programs >= 9


def test_repeated_scaled_and_parallel_half_spaces():
    weight, bias = [[1, 0], [2, 0], [1, 0], [1, 0], [0, 1]], [0, 0, 0, 1, 0]
    assert irredundant(weight, bias, "intersection").kept == (0, 4)
    assert irredundant(weight, bias, "union").kept == (3, 4)


def test_an_empty_intersection_keeps_a_smallest_contradiction():
    assert len(irredundant([[1], [-1], [1]], [-1, 0, 5], "intersection").kept) == 2


def test_a_touching_intersection_keeps_both_sides():
    assert irredundant([[1], [-1], [1]], [0, 0, 1], "intersection").kept == (0, 1)


def test_prune_recognises_the_output_layer():
    weight, bias = [[1.0, 0.0], [2.0, 0.0], [0.0, 1.0]], [0.0, 0.0, 0.0]
    assert prune(SignNetwork.conjunction(weight, bias)).units == 2
    assert prune(SignNetwork.disjunction(weight, bias)).units == 2
    scaled = prune(SignNetwork(weight, bias, [0.1, 0.2, 0.3], 0.45))  # 0.45 − 0.6 < 0 ≤ 0.45 − 0.6 + 0.2: a disjunction
    assert (scaled.units, scaled.output_bias) == (2, 1)
    constant = SignNetwork(np.zeros((0, 2)), [], [], -1.0)
    assert prune(constant) is constant
    with pytest.raises(InputError, match="wanted a disjunction"):
        prune(SignNetwork(weight, bias, [1, 1, -1], 2))
    with pytest.raises(InputError, match="wanted 2 inputs"):
        irredundant(weight, bias, "union", Box([0], [1]))
    with pytest.raises(InputError, match="at least one input"):
        irredundant(np.zeros((2, 0)), [0, 0], "union")
    with pytest.raises(InputError, match='"intersection" or "union"'):
        irredundant(weight, bias, "xor")


def test_subset_verdicts_bring_their_evidence():
    network = random_network(np.random.default_rng(0), 4, 2, "positive", bias=0.0, output_bias=-1.0)
    form = network.exact_form
    for subset in range(16):
        chosen = [k for k in range(4) if subset >> k & 1]
        verdict = subset_verdict(network, chosen)
        if verdict.carries_piece:
            assert value(verdict.halfspace, verdict.witness) == 0
            assert [value(a, verdict.witness) > 0 for a in form.units] == [k in chosen for k in range(4)]
        elif chosen:
            assert verdict.certificate.excludes(form.units, verdict.pattern, verdict.halfspace)
        else:
            assert verdict.reason == "c_S is constant"
    with pytest.raises(InputError, match="unit indices from 0 to 3"):
        subset_verdict(network, [4])


def test_subset_verdicts_on_kinks_and_contradictory_subsets():
    kink = relu(-1, (1, 1, 0), (1, 1, -1))  # R(x) + R(x−1) − 1: one piece, x = 1
    assert [subset_verdict(kink, s).carries_piece for s in ([], [0], [1], [0, 1])] == [False, True, False, False]
    two_sided = relu(-1, (1, 1, 0), (1, -1, 0))  # |x| − 1
    assert [subset_verdict(two_sided, s).carries_piece for s in ([], [0], [1], [0, 1])] == [False, True, True, False]
    touching = relu(0, (-1, 1, 0), (-1, -1, 0))  # −|x|: 0 at one point
    assert not any(subset_verdict(touching, s).carries_piece for s in ([], [0], [1], [0, 1]))
