"""Networks of several hidden layers and with branches are read as their own libraries answer, and exactly."""

import os
import warnings
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import lpnet
from lpnet import ReLUNetwork, StepNetwork
from lpnet.io import read
from lpnet.io.activations import clip, leaky, maximum, minimum, relu, threshold
from lpnet.io.arithmetic import added, plus, product, scaled, subtracted
from lpnet.io.reading import affine, finished
from lpnet.io.rearranging import joined
from lpnet.io.signal import Signal

os.environ.setdefault("KERAS_BACKEND", "jax")
D = 3
points = (np.random.default_rng(5).standard_normal((200, D)) * 3).astype(np.float32).astype(np.float64)


def check(network, scores, rtol=1e-10):
    """The network's scores are these up to rounding, and its signs theirs."""
    np.testing.assert_allclose(network.score(points), scores, rtol=rtol, atol=rtol * np.abs(scores).max())
    sure = np.abs(scores) > 10 * rtol * np.abs(scores).max()
    assert sure.mean() > 0.9
    np.testing.assert_array_equal(network(points)[sure], np.where(scores > 0, 1, -1)[sure])


@pytest.mark.parametrize("sizes", [(5, 4), (4, 3, 2)])
@pytest.mark.parametrize("scaler", ["StandardScaler", "PCA", None])
def test_scikit_learn(sizes, scaler):
    from sklearn import decomposition, neural_network, pipeline, preprocessing

    rng = np.random.default_rng(1)
    given = rng.standard_normal((60, D))
    model = neural_network.MLPRegressor(hidden_layer_sizes=sizes, max_iter=20, random_state=0)
    if scaler:
        first = decomposition.PCA(2) if scaler == "PCA" else preprocessing.StandardScaler()
        model = pipeline.make_pipeline(first, model)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(given, np.sin(given).sum(axis=1))
    reading = read(model)
    check(reading.network, model.predict(points))
    assert len(reading.network.deeper) == len(sizes) - 1
    assert (reading.network.front is None) == (scaler is None)


@pytest.mark.parametrize("outputs", [(0, 1), (2, 0)])
def test_scikit_learn_of_several_outputs(outputs):
    """Softmax keeps the order of the scores; a regressor's are compared as they are."""
    from sklearn import neural_network

    given = np.random.default_rng(1).standard_normal((60, D))
    first, second = outputs
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = {"hidden_layer_sizes": (5, 4, 3), "max_iter": 20, "random_state": 0}
        classifier = neural_network.MLPClassifier(**made).fit(given, np.digitize(given[:, 0], [-0.5, 0.5]))
        regressor = neural_network.MLPRegressor(**made).fit(given, np.sin(given))
    logarithms = classifier.predict_log_proba(points)
    check(lpnet.load(classifier, outputs), logarithms[:, first] - logarithms[:, second], 1e-9)
    answers = regressor.predict(points)
    check(lpnet.load(regressor, outputs), answers[:, first] - answers[:, second])


def gates(nn):
    return [nn.ReLU(), nn.LeakyReLU(0.1), nn.PReLU(4), nn.ReLU6(), nn.Hardtanh(-0.7, 1.3), nn.Hardsigmoid()]


@pytest.mark.parametrize("gate", range(6))
def test_torch(gate):
    torch = pytest.importorskip("torch")
    nn = torch.nn
    torch.manual_seed(gate)
    model = nn.Sequential(
        nn.Linear(D, 4), nn.Linear(4, 4), gates(nn)[gate], nn.BatchNorm1d(4), nn.Linear(4, 4), gates(nn)[gate], nn.Linear(4, 1)
    ).double()
    model[3].running_mean += 0.3
    model[3].running_var *= 2
    with torch.no_grad():
        scores = model.eval()(torch.from_numpy(points))[:, 0].numpy()
    network = lpnet.load(model)
    check(network, scores)
    assert network.inputs == D
    if gate == 0:
        assert len(network.front.layers) == 1  # the layer through which alone the inputs are read


def test_a_state_dict_of_several_layers():
    torch = pytest.importorskip("torch")
    nn = torch.nn
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(D, 5), nn.ReLU(), nn.Linear(5, 4), nn.ReLU(), nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 2))
    reading = read(model.state_dict())
    assert "ReLUs there, and nothing else; the layers come in the file's order" in reading.assumed
    with torch.no_grad():
        scores = model.double()(torch.from_numpy(points)).numpy()
    check(reading.network, scores[:, 1] - scores[:, 0])


def keras_gates(layers):
    return [layers.ReLU(6, 0.1), layers.ReLU(), layers.LeakyReLU(), layers.PReLU("uniform"), layers.Activation("relu6")]


@pytest.mark.parametrize("gate", range(5))
@pytest.mark.parametrize("file", ["m.keras", "m.h5", None])
@pytest.mark.filterwarnings("ignore")  # what Keras's backends say to numpy
def test_keras(gate, file, tmp_path):
    keras = pytest.importorskip("keras")
    layers = keras.layers
    rng = np.random.default_rng(gate)
    model = keras.Sequential([keras.Input((D,))])
    for width in (5, 4):
        model.add(layers.Dense(width))
        model.add(keras_gates(layers)[gate])
    model.add(layers.Dense(3, "leaky_relu"))
    model.add(layers.Dense(1))
    model.set_weights([rng.standard_normal(array.shape) for array in model.get_weights()])
    if file:
        model.save(tmp_path / file)
    answers = model.predict(points, verbose=0)[:, 0]
    check(lpnet.load(tmp_path / file if file else model), answers.astype(np.float64), 1e-5)


def test_a_chain_keeps_its_weights_as_given():
    rng = np.random.default_rng(2)
    weights = [rng.standard_normal(shape) for shape in ((4, D), (5, 4), (6, 5), (1, 6))]
    signal = affine(Signal.of_features((D,)), "front", weights[0])
    for number, weight in enumerate(weights[1:]):
        signal = affine(relu(signal, f"relu {number}") if number > 0 else signal, f"layer {number}", weight)
    network = finished(signal, None).network
    np.testing.assert_array_equal(network.front.layers[0].weight, weights[0])
    np.testing.assert_array_equal(network.hidden_weight, weights[1])
    np.testing.assert_array_equal(network.deeper[0].weight[:, 4:], weights[2])
    np.testing.assert_array_equal(network.output_weight[5:], weights[3][0])
    assert network.skip is None


def test_a_residual_network_keeps_its_embedding_in_front():
    rng = np.random.default_rng(3)
    first = affine(Signal.of_features((6,)), "embedding", rng.standard_normal((2, 6)))
    inner = affine(relu(affine(first, "a", rng.standard_normal((4, 2))), "relu"), "b", rng.standard_normal((2, 4)))
    network = finished(affine(added(first, inner, "add"), "out", rng.standard_normal((1, 2))), None).network
    assert network.front.outputs == 2
    assert network.relus == 4
    assert network.skip is not None


def test_the_same_gate_twice_is_one_unit():
    signal = affine(Signal.of_features((D,)), "a", np.eye(D))
    once, twice = relu(signal, "r"), relu(signal, "s")
    network = finished(affine(joined([once, twice], 0), "out", np.ones((1, 2 * D))), None).network
    assert network.relus == D
    assert relu(once, "t").blocks == once.blocks


def test_relus_may_stand_behind_threshold_units():
    signs = threshold(affine(Signal.of_features((D,)), "a", np.eye(D)), "the step")
    behind = relu(affine(Signal(signs.blocks, signs.order), "b", np.eye(D)), "the gate")
    network = finished(affine(behind, "out", np.ones((1, D)), np.array([-1.5])), None).network
    assert isinstance(network, StepNetwork)
    points = np.random.default_rng(0).normal(size=(60, D))
    np.testing.assert_array_equal(network(points) > 0, (points >= 0).sum(axis=1) >= 1.5)


def test_many_layers_are_read_without_recursion():
    signal = start = Signal.of_features((1,))
    for number in range(1500):
        signal = plus(product(signal, f"layer {number}", np.eye(1)), f"layer {number}", np.ones(1))
    deep = finished(affine(added(relu(signal, "relu"), start, "add"), "out", np.ones((1, 1))), None).network
    assert (deep.hidden_weight.item(), deep.hidden_bias.item(), deep.skip.item()) == (1, 1500, 1)


small = st.integers(-3, 3)


@st.composite
def programs(draw):
    """Steps of a network with branches: what to do, to which values made so far, and numbers."""
    kinds = [
        "affine",
        "relu",
        "leaky",
        "abs",
        "clip",
        "from below",
        "from above",
        "max",
        "min",
        "add",
        "sub",
        "concat",
        "twice",
    ]
    steps = []
    for size in range(1, draw(st.integers(2, 9))):
        of = draw(st.tuples(st.integers(0, size - 1), st.integers(0, size - 1)))
        steps.append((draw(st.sampled_from(kinds)), *of, draw(st.lists(small, min_size=6, max_size=6))))
    return steps, draw(st.lists(small, min_size=4, max_size=4))


def followed(steps, last, start, do):
    """What a program makes of a start, with the operations `do`; all values have two entries."""
    made = [start]
    for kind, left, right, numbers in steps:
        made.append(do[kind](made[left], made[right], np.array(numbers[:4], dtype=float).reshape(2, 2), np.array(numbers[4:6])))
    return do["out"](made[-1], made[len(made) // 2], np.array([last], dtype=float))


def symbols():
    return {
        "affine": lambda a, b, w, c: affine(a, "affine", w, c.astype(float)),
        "relu": lambda a, b, w, c: relu(a, "relu"),
        "leaky": lambda a, b, w, c: leaky(a, "leaky", c / 4),
        "abs": lambda a, b, w, c: leaky(a, "abs", -1),
        "clip": lambda a, b, w, c: clip(a, "clip", c, c + 1.5),
        "from below": lambda a, b, w, c: clip(a, "from below", c.astype(float)),
        "from above": lambda a, b, w, c: clip(a, "from above", None, c.astype(float)),
        "max": lambda a, b, w, c: maximum([a, b, plus(a, "plus", c.astype(float))], "max"),
        "min": lambda a, b, w, c: minimum([a, b], "min"),
        "add": lambda a, b, w, c: added(a, b, "add"),
        "sub": lambda a, b, w, c: subtracted(a, b, "sub"),
        "concat": lambda a, b, w, c: product(joined([a, b], 0), "concat", np.vstack([w, w[::-1]])),
        "twice": lambda a, b, w, c: scaled(a, "twice", np.array(2.0)),
        "out": lambda a, b, w: affine(joined([relu(a, "end"), b], 0), "out", w, np.array([0.5])),
    }


def numbers():
    """The same on vectors of fractions."""
    zero = Fraction(0)
    return {
        "affine": lambda a, b, w, c: exact(w) @ a + exact(c),
        "relu": lambda a, b, w, c: np.maximum(a, zero),
        "leaky": lambda a, b, w, c: np.where(a >= 0, a, exact(c / 4) * a),
        "abs": lambda a, b, w, c: abs(a),
        "clip": lambda a, b, w, c: np.minimum(np.maximum(a, exact(c)), exact(c + 1.5)),
        "from below": lambda a, b, w, c: np.maximum(a, exact(c)),
        "from above": lambda a, b, w, c: np.minimum(a, exact(c)),
        "max": lambda a, b, w, c: np.maximum(np.maximum(a, b), a + exact(c)),
        "min": lambda a, b, w, c: np.minimum(a, b),
        "add": lambda a, b, w, c: a + b,
        "sub": lambda a, b, w, c: a - b,
        "concat": lambda a, b, w, c: np.concatenate([a, b]) @ exact(np.vstack([w, w[::-1]])),
        "twice": lambda a, b, w, c: 2 * a,
        "out": lambda a, b, w: exact(w) @ np.concatenate([np.maximum(a, zero), b]) + Fraction(1, 2),
    }


exact = np.vectorize(lambda number: Fraction(float(number)), otypes=[object])


def value(network: ReLUNetwork, x):
    """f(x) of the network as it is given, in fractions."""
    for layer in network.front.layers if network.front else ():
        x = exact_sum(layer, x)
    read = list(x)
    for layer in (network.hidden_layer, *network.deeper):
        read += [max(z, Fraction(0)) for z in exact_sum(layer, read)]
    skip = np.zeros(len(x)) if network.skip is None else network.skip
    weights = [*skip, *network.output_weight]
    return sum(Fraction(w) * z for w, z in zip(weights, read, strict=True)) + Fraction(network.output_bias)


def exact_sum(layer, x):
    return [
        sum(Fraction(w) * z for w, z in zip(row, x, strict=True)) + Fraction(b)
        for row, b in zip(layer.weight, layer.bias, strict=True)
    ]


@given(programs(), st.lists(st.tuples(small, small), min_size=3, max_size=3))
def test_branches_and_gates_are_exact(program, places):
    signal = followed(*program, Signal.of_features((2,)), symbols())
    network = finished(signal, None).network
    for place in places:
        x = np.array([Fraction(5 * z, 7) for z in place], dtype=object)
        assert value(network, x) == followed(*program, x, numbers()).item()
