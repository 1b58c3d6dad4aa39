"""Trees against trees, threshold networks and ReLU networks: proved equal, or a point; ties included."""

import numpy as np
import pytest
from tree_cases import answer, ensemble_of, random_ensemble

import lpnet
from lpnet import Box, ReLUNetwork, SignCircuit, SignNetwork, StepNetwork
from lpnet.equivalents.tree_circuits import tree_circuit
from lpnet.equivalents.trees import minimal_trees
from lpnet.errors import InputError
from lpnet.exact import coordinates
from lpnet.networks.step import as_steps
from lpnet.watch import Watch

BOX = (0, 1.0, False, (0, 0.0, True, (-1,), (1, 1.0, False, (1, 0.0, True, (-1,), (1,)), (-1,))), (-1,))
SQUARE = ReLUNetwork([[1, 0], [-1, 0], [0, 1], [0, -1.0]], [-1, 0, -1, 0.0], [-1.0, -1, -1, -1], 0.0)


@pytest.mark.parametrize("seed", range(30))
def test_with_its_own_circuit_and_reduction(seed):
    ensemble = random_ensemble(seed)
    found = minimal_trees(ensemble)
    for other in (tree_circuit(found, Watch()).network, found.reduced):
        result = lpnet.equal(ensemble, other)
        assert (result.verdict, result.method) == ("equal", "boxes")


@pytest.mark.parametrize("seed", range(20))
def test_a_difference_is_one(seed):
    """Against the answers in all cells of both, by the oracle's walk; the point is one of difference."""
    first = random_ensemble(seed)
    others = (random_ensemble(seed + 100 * k) for k in range(1, 50))
    second = next(e for e in others if e.columns == first.columns and len(e.names) == len(first.names))
    result = lpnet.equal(first, second)
    points = np.random.default_rng(0).integers(-8, 9, size=(500, first.columns)) / 2
    if (first(points) != second(points)).any():
        assert result.verdict in ("different", "equal off ties")
    if result.point:
        z = coordinates(result.point)
        assert first.answer(np.array([answer(first, z)]))[0] == result.answer_a
        assert second.answer(np.array([answer(second, z)]))[0] == result.answer_b != result.answer_a


def test_off_ties():
    """x ≤ ½ and x < ½ differ at ½ alone."""
    closed, open_ = (ensemble_of([(0, 0.5, strict, (1,), (-1,))], 1, 1) for strict in (False, True))
    result = lpnet.equal(closed, open_)
    assert (result.verdict, result.digits, result.planes) == ("equal off ties", ("0.5",), ((-2, 1),))


def test_with_relus():
    """A closed square is a ReLU network; one without a side is that off ties."""
    assert lpnet.equal(ensemble_of([BOX], 2, 1), SQUARE).verdict == "equal"
    without = ensemble_of([(0, 1.0, True, *BOX[3:])], 2, 1)
    result = lpnet.equal(without, SQUARE)
    assert result.verdict == "equal off ties"
    assert without.answer_at(result.point) == result.answer_a != result.answer_b
    smaller = ensemble_of([(0, 0.75, False, *BOX[3:])], 2, 1)
    assert lpnet.equal(SQUARE, smaller).verdict == "different"
    assert lpnet.equal(SQUARE, smaller, Box([-1, -1], [0.5, 2])).verdict == "equal"


@pytest.mark.parametrize("seed", range(10))
def test_with_steps(seed):
    """A circuit of trees is a network of steps, and needs as such what the trees need."""
    found = minimal_trees(random_ensemble(seed))
    circuit = tree_circuit(found, Watch()).network
    if isinstance(circuit, SignNetwork | SignCircuit):
        for pair in ((found.network, as_steps(circuit)), (as_steps(circuit), found.network)):
            assert (lpnet.equal(*pair).verdict, lpnet.equal(*pair).method) == ("equal", "regions")
        assert lpnet.minimal_steps(circuit).units == found.units


def test_with_a_step_off_ties():
    """x ≤ ½ as a tree, and x < ½ as a step."""
    closed = ensemble_of([(0, 0.5, False, (1,), (-1,))], 1, 1)
    step = StepNetwork(ReLUNetwork([[-1.0]], [0.5], [1.0], -0.5), ("strict_step",))
    result = lpnet.equal(closed, step)
    assert (result.verdict, result.digits, result.answer_a, result.answer_b) == ("equal off ties", ("0.5",), 1, -1)
    with pytest.raises(InputError, match="minimal_trees"):
        lpnet.minimal_steps(closed)


def test_with_a_relu_classifier():
    """The class of the larger of x and y, and trees that have it on a part of the plane alone."""
    both_ways = np.vstack([np.eye(2), -np.eye(2)])
    scores = np.vstack([np.hstack([np.eye(2), -np.eye(2)]), np.zeros((1, 4))])
    classifier = lpnet.Classifier.of_layers([(both_ways, np.zeros(4)), (scores, np.array([0.0, 0.0, -9.0]))])
    ensemble = ensemble_of([(0, 0.0, False, (0, 1, 0), (1, 0, 0))], 2, 3)
    assert lpnet.equal(ensemble, classifier).verdict == "different"
    assert lpnet.equal(ensemble, classifier, Box([0, -2], [1, 0])).verdict == "equal"
    assert lpnet.equal(ensemble, classifier, Box([-1, 0], [0, 2])).verdict == "equal"


def test_compress_says_where_no_relu_network_can():
    """A closed square has its three ReLUs; where a side is open, that is so but for ties."""
    exact = lpnet.compress(ensemble_of([BOX], 2, 1))
    assert (exact.verdict, exact.relu_network.relus) == ("exact", 3)
    assert lpnet.equal(ensemble_of([BOX], 2, 1), exact.relu_network).verdict == "equal"
    assert lpnet.compress(ensemble_of([(0, 1.0, True, *BOX[3:])], 2, 1)).verdict == "nearest"


def test_what_cannot_be_compared():
    with pytest.raises(InputError, match="classes"):
        lpnet.equal(ensemble_of([BOX], 2, 1), ensemble_of([(0, 0.0, False, (0, 1, 0), (1, 0, 0))], 2, 3))
    with pytest.raises(InputError, match="inputs"):
        lpnet.equal(ensemble_of([BOX], 2, 1), ensemble_of([(0, 0.0, False, (1,), (-1,))], 1, 1))


def test_a_stopped_comparison_is_undecided():
    watch = Watch()
    watch.stopped = "somebody said so"
    assert lpnet.equal(random_ensemble(9), minimal_trees(random_ensemble(9)).reduced, watch=watch).verdict in (
        "undecided",
        "equal",
    )
