"""Keras models with branches, with models for layers, and with convolutions are read as they predict, from memory and files."""

import os
import warnings
import zipfile

import numpy as np
import pytest

import lpnet
from lpnet import InputError

os.environ.setdefault("KERAS_BACKEND", "jax")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import keras
    from keras import layers

D = 4
FILES = [None, "m.keras", "m.h5"]


def residual(start):
    inner = keras.Sequential([layers.Dense(5, "relu"), layers.BatchNormalization(), layers.Dense(D)], name="inner")
    return layers.Add()([start, inner(start)])


def shared(start):
    """A layer used twice, and a model in a model in a model."""
    twice = layers.Dense(D, "relu", name="twice")
    deepest = keras.Sequential([keras.Input((D,)), layers.Dense(3, "relu"), layers.Dense(D)], name="deepest")
    inside = keras.Input((D,))
    middle = keras.Model(inside, layers.Subtract()([inside, deepest(inside)]), name="middle")
    return layers.Concatenate(axis=1)([twice(start), twice(middle(start)), start])


def extremes(start):
    wide = [layers.Dense(3, activation)(start) for activation in ("hard_tanh", "leaky_relu", layers.ReLU(max_value=1.5))]
    largest, least = layers.Maximum()(wide), layers.Minimum()(wide[:2])
    return layers.Average()([largest, least, layers.Activation("hard_sigmoid")(wide[0])])


def image(start):
    square = layers.Reshape((2, 2, 1))(layers.Rescaling(0.5)(start))
    made = layers.Conv2D(2, 2, padding="same", activation="relu")(square)
    pooled = layers.MaxPooling2D(2, strides=1, padding="same")(made)
    means = layers.AveragePooling2D((2, 1), strides=1, padding="same")(pooled)
    ends = [layers.Flatten()(layers.PReLU(shared_axes=[1, 2])(layers.BatchNormalization()(means)))]
    return layers.Concatenate()([*ends, layers.GlobalAveragePooling2D()(made)])


def sequence(start):
    made = layers.Conv1D(2, 2, strides=2, use_bias=False, activation="relu")(
        layers.Permute((2, 1))(layers.Reshape((1, D))(start))
    )
    return layers.Flatten()(layers.AveragePooling1D(2)(layers.Dense(3, "relu6")(made)))


def made(calculation):
    """A model with random numbers for all its weights."""
    start = keras.Input((D,))
    rng = np.random.default_rng(3)
    model = keras.Model(start, layers.Dense(1)(calculation(start)))
    model.set_weights([rng.uniform(0.5, 1, w.shape) * rng.choice([1, 1, -1], w.shape) for w in model.get_weights()])
    for layer in model._flatten_layers():
        if isinstance(layer, layers.BatchNormalization):
            layer.moving_variance.assign(abs(np.asarray(layer.moving_variance)))
    return model


@pytest.fixture(scope="module")
def models():
    return {calculation: made(calculation) for calculation in (residual, shared, extremes, image, sequence)}


@pytest.mark.parametrize("calculation", [residual, shared, extremes, image, sequence])
@pytest.mark.parametrize("file", FILES)
@pytest.mark.filterwarnings("ignore")  # what Keras's backends say to numpy
def test_graphs(models, calculation, file, tmp_path):
    model = models[calculation]
    if file:
        model.save(tmp_path / file)
    network = lpnet.load(tmp_path / file if file else model)
    points = (np.random.default_rng(0).standard_normal((200, D)) * 2).astype(np.float32)
    scores = np.asarray(model(points, training=False))[:, 0].astype(np.float64)
    clear = np.abs(scores) > 1e-4
    assert clear.mean() > 0.9
    np.testing.assert_allclose(network.score(points), scores, rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(network(points)[clear], np.where(scores > 0, 1, -1)[clear])


@pytest.mark.filterwarnings("ignore")
def test_a_hard_sigmoid_of_another_keras(models, tmp_path):
    """Keras 2 has another slope under that name."""
    models[extremes].save(tmp_path / "m.keras")
    with zipfile.ZipFile(tmp_path / "m.keras") as whole, zipfile.ZipFile(tmp_path / "old.keras", "w") as old:
        for name in whole.namelist():
            content = whole.read(name)
            version = f'"keras_version": "{keras.__version__}"'.encode()
            old.writestr(name, content.replace(version, b'"keras_version": "2.15.0"') if name == "metadata.json" else content)
    with pytest.raises(InputError, match=r"whose slope is 0.2 in Keras 2 and 1/6 in Keras 3"):
        lpnet.load(tmp_path / "old.keras")
