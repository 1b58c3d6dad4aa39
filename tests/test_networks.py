"""The objects: what they compute, ties included, and what they refuse."""

from fractions import Fraction

import numpy as np
import pytest
from cases import networks, random_network
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from lpnet import Box, InputError, ReLUNetwork, SignCircuit, SignNetwork, normal_form
from lpnet.exact import forms, in_range, integers, point, primitive, sign, to_floats, value
from lpnet.networks.affine import Layer

ONE_RELU = {"hidden_weight": [[1.0, 2.0]], "hidden_bias": [0.5], "output_weight": [1.0], "output_bias": 0.0}
any_float = st.floats(allow_nan=False, allow_infinity=False)


def exact_score(network, x):
    """f(x) in rationals, straight from Eq. (2)."""
    score = Fraction(network.output_bias)
    for u, b, w in zip(network.hidden_weight, network.hidden_bias, network.output_weight, strict=True):
        a = sum((Fraction(p) * Fraction(q) for p, q in zip(u, x, strict=True)), Fraction(b))
        score += Fraction(w) * max(Fraction(0), a)
    return score


def test_relu_network_computes_equation_2():
    network = ReLUNetwork([[1, 0], [0, 1]], [0, -1], [2, -1], -1)
    points = [[0, 0], [1, 0], [0.5, 0], [1, 5], [0.5, 1.25]]
    np.testing.assert_array_equal(network.score(points), [-1, 1, 0, -3, -0.25])
    np.testing.assert_array_equal(network(points), [-1, 1, 1, -1, -1])
    np.testing.assert_array_equal(network.activation_pattern(points)[3], [True, True])
    np.testing.assert_array_equal(network.activation_pattern([[0, 1]])[0], [False, False])


@given(networks(), st.data())
def test_relu_network_is_right_at_every_float_point(network, data):
    x = data.draw(arrays(np.float64, (1, network.inputs), elements=st.floats(-1e3, 1e3)))
    assert network(x)[0] == (1 if exact_score(network, x[0]) >= 0 else -1)


def test_a_tie_that_rounding_would_lose():
    # 0.1 + 0.2 − 0.3 is 5.6e-17 in floats, and exactly 2^-55·1 in rationals; the sum below is exactly 0.
    network = ReLUNetwork([[1.0]], [0.0], [1.0], -(0.1 + 0.2))
    below = np.nextafter(0.1 + 0.2, 0)
    np.testing.assert_array_equal(network([[0.1 + 0.2], [below]]), [1, -1])
    tiny = ReLUNetwork([[1.0, 1.0, 1.0]], [0.0], [1.0], 0.0)
    np.testing.assert_array_equal(tiny([[1.0, 2.0**-60, -1.0]]), [1])
    negative = ReLUNetwork([[1.0, 1.0, 1.0]], [0.0], [-1.0], 0.0)
    np.testing.assert_array_equal(negative([[1.0, 2.0**-60, -1.0]]), [-1])


@given(arrays(np.float64, (3, 4), elements=any_float))
def test_integers_are_exact(values):
    whole, exponent = integers(values)
    for number, m in zip(values.ravel(), whole.ravel(), strict=True):
        assert Fraction(number) == m * Fraction(2) ** exponent


@given(arrays(np.float64, (2, 3), elements=any_float), arrays(np.float64, (2,), elements=any_float), st.data())
def test_the_signs_of_a_layer_are_exact(weight, bias, data):
    x = data.draw(arrays(np.float64, (2, 3), elements=any_float))
    expected = [[sign(value(h, point(row))) for h in forms(weight, bias)] for row in x]
    np.testing.assert_array_equal(Layer(weight, bias).signs(x), expected)


def test_forms_too_large_for_floats_keep_their_direction():
    for shift in (-1100, 2000):
        form = (3 << 2000, -(4 << 2000))
        large, small = to_floats(form, in_range(form, shift - 2000))
        assert large / small == -0.75
    form = (1, 1 << 1500)
    assert to_floats(form, in_range(form, -1100))[0] > 0  # 2^−1100 and 2^400 both fit once the latter is 2^1000
    np.testing.assert_array_equal(to_floats((1 << 2000, -(1 << 2000), 1), 0), [np.inf, -np.inf, 1])


@settings(max_examples=50)
@given(networks(), st.integers(0, 2**32 - 1))
def test_general_form_keeps_the_decision(network, seed):
    general = network.general_form()
    assert set(general.output_weight) <= {-1.0, 1.0}
    assert len(general.positive) + len(general.negative) == np.count_nonzero(network.output_weight)
    points = np.random.default_rng(seed).normal(size=(50, network.inputs))
    clear = np.abs(network.score(points)) > 1e-9
    np.testing.assert_array_equal(network(points)[clear], general(points)[clear])


@settings(max_examples=100)
@given(networks(), st.booleans(), st.integers(0, 2**32 - 1))
def test_normal_form_is_the_same_function_with_distinct_hyperplanes(network, boxed, seed):
    rng = np.random.default_rng(seed)
    box = Box(-rng.uniform(0.1, 2, network.inputs), rng.uniform(0.1, 2, network.inputs)) if boxed else None
    form = normal_form(network, box)
    axes = [primitive([e * sign(next(filter(None, a))) for e in a]) for a in form.units]
    assert len(set(axes)) == len(axes)
    assert all(any(a[:-1]) for a in form.units)
    points = rng.uniform(-2, 2, size=(30, network.inputs))
    for x in points if box is None else points[box.contains(points)]:
        assert form.sign_at(point(x)) == sign(exact_score(network, x).numerator)


def test_sign_network_disjunction_and_conjunction_at_ties():
    weight, bias = [[1.0, 0.0], [0.0, 1.0]], [0.0, 0.0]
    points = [[0, 0], [0, -1], [-1, 0], [-1, -1], [1, 1]]
    np.testing.assert_array_equal(SignNetwork.disjunction(weight, bias)(points), [1, 1, 1, -1, 1])
    np.testing.assert_array_equal(SignNetwork.conjunction(weight, bias)(points), [1, -1, -1, -1, 1])
    assert SignNetwork.disjunction(weight, bias).output_bias == 1
    assert SignNetwork.conjunction(weight, bias).output_bias == -1


def test_empty_disjunction_is_false_and_empty_conjunction_true():
    nothing = np.zeros((0, 2))
    assert SignNetwork.disjunction(nothing, [])([[1, 2]]) == -1
    assert SignNetwork.conjunction(nothing, [])([[1, 2]]) == 1


def test_circuit_biases():
    """Section 3.1 has them with the other sign, which would make every conjunction a disjunction."""
    circuit = SignCircuit.dnf([[1.0], [-1.0], [1.0]], [0, 1, -3], [[0, 1], [2]])
    np.testing.assert_array_equal(circuit.middle_bias, [-1, 0])
    assert circuit.output_bias == 1
    np.testing.assert_array_equal(circuit([[-1], [0], [1], [2], [3]]), [-1, 1, 1, -1, 1])
    circuit = SignCircuit.cnf([[1.0], [-1.0], [1.0]], [0, 1, -3], [[0, 1], [2]])
    np.testing.assert_array_equal(circuit.middle_bias, [1, 0])
    assert circuit.output_bias == -1
    np.testing.assert_array_equal(circuit([[-1], [0], [1], [2], [3]]), [-1, -1, -1, -1, 1])


def test_networks_are_frozen():
    weight = np.array([[1.0, 2.0]])
    network = ReLUNetwork(weight, [0.5], [1.0], 0.0)
    weight[0, 0] = 7
    assert network.hidden_weight[0, 0] == 1
    with pytest.raises(ValueError, match="read-only"):
        network.hidden_weight[0, 0] = 7
    with pytest.raises(AttributeError):
        network.output_bias = 1.0


@pytest.mark.parametrize(
    ("field", "given", "sentence"),
    [
        ("hidden_weight", [1.0, 2.0], r"hidden_weight: wanted shape \(any, any\), got shape \(2,\)"),
        ("hidden_weight", [[1.0, np.nan]], r"hidden_weight: wanted finite numbers, got nan at index \(0, 1\)"),
        ("hidden_weight", [["a", "b"]], r"hidden_weight: wanted an array of real numbers of shape \(any, any\), got list"),
        ("hidden_weight", [[1.0], [2.0, 3.0]], "hidden_weight: wanted an array"),
        ("hidden_weight", [[1j, 2.0]], "hidden_weight: wanted an array of real numbers"),
        ("hidden_weight", [[]], r"hidden_weight: wanted at least one input, got shape \(1, 0\)"),
        ("hidden_bias", [1.0, 2.0], r"hidden_bias: wanted shape \(1,\), got shape \(2,\)"),
        ("output_weight", [np.inf], r"output_weight: wanted finite numbers, got inf at index \(0,\)"),
        ("output_bias", None, "output_bias: wanted an array of real numbers"),
        ("output_bias", [1.0, 2.0], r"output_bias: wanted shape \(\), got shape \(2,\)"),
    ],
)
def test_bad_fields_are_named(field, given, sentence):
    with pytest.raises(InputError, match=sentence):
        ReLUNetwork(**{**ONE_RELU, field: given})


def test_terms_of_a_circuit_are_indices_of_units():
    for term in ([0, 5], [-1]):
        with pytest.raises(InputError, match="term 0: wanted indices of units from 0 to 1"):
            SignCircuit.dnf(np.eye(2), [0, 0], [term])


def test_points_of_the_wrong_size_are_refused():
    with pytest.raises(InputError, match=r"points: wanted shape \(any, 2\), got shape \(1, 3\)"):
        ReLUNetwork(**ONE_RELU)([[1, 2, 3]])


def test_a_single_point_has_a_single_answer():
    rng = np.random.default_rng(0)
    relu, points = random_network(rng, 4, 3), rng.normal(size=(20, 3))
    threshold = SignNetwork(rng.normal(size=(4, 3)), rng.normal(size=4), rng.normal(size=4), 0.1)
    circuit = SignCircuit.dnf(rng.normal(size=(4, 3)), rng.normal(size=4), [[0, 1], [2, 3]])
    for answer in (relu, relu.score, relu.activation_pattern, relu.preactivations, threshold, circuit):
        together = answer(points)
        for at, expected in zip(points, together, strict=True):
            for single in (at, at.tolist()):
                assert np.shape(answer(single)) == together.shape[1:]
                np.testing.assert_allclose(answer(single), expected, rtol=1e-12)
    for wrong in ([1.0, 2.0], [[1.0, 2.0, 3.0], [1.0]], 1.0, "abc", None):
        with pytest.raises(InputError, match=r"points: wanted"):
            relu(wrong)


def test_points_of_one_input_are_a_batch_unless_they_are_one():
    network = SignNetwork([[1.0]], [0.0], [1.0], 0.0)
    assert network([2.0]).shape == ()
    assert network([[2.0]]).shape == (1,)
    with pytest.raises(InputError, match=r"wanted shape \(any, 1\), got shape \(2,\)"):
        network([2.0, 3.0])


def test_a_box_without_interior_is_refused():
    with pytest.raises(InputError, match=r"wanted lower < upper for every input, got \[1, 1\] for input 1"):
        Box([0, 1], [1, 1])


def test_a_box_knows_its_inequalities():
    box = Box([0, -np.inf], [2, 1])
    inside, outside = [[1.0, -50.0], [np.nextafter(2.0, 0.0), 0.0]], [[3.0, 0.0], [2.0, 0.0]]
    np.testing.assert_array_equal(box.contains(inside + outside), [True, True, False, False])
    assert len(box.inequalities()) == 3
    assert all(value(h, point([1.0, -50.0])) > 0 for h in box.inequalities())


def test_large_networks_are_evaluated_in_batches():
    network = random_network(np.random.default_rng(0), 8, 3)
    circuit = SignCircuit.dnf(np.tile(np.eye(3), (2000, 1)), np.zeros(6000), [range(6000)])
    points = np.random.default_rng(1).normal(size=(5000, 3))
    np.testing.assert_array_equal(circuit(points), np.where((points >= 0).all(axis=1), 1, -1))
    assert network(points).shape == (5000,)
