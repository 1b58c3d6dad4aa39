"""Files that Keras 2 writes, whole models and weights alone: pip install "tensorflow-cpu==2.15.*", or an older one."""

import numpy as np
from tensorflow import keras
from tensorflow.keras import layers
from writing import INPUTS, RELUS, done, path, points


def plain(start):
    return keras.Sequential([start, layers.Dense(RELUS, "relu"), layers.Dense(1)])


def sigmoid(start):
    hidden = [layers.Dense(RELUS), layers.Dropout(0.2), layers.ReLU()]
    return keras.Sequential([start, *hidden, layers.Dense(1, "sigmoid")])


def no_bias(start):
    return keras.Sequential([start, layers.Dense(RELUS, "relu"), layers.Dense(3, use_bias=False)])


def functional(start):
    """The layers are made, and so named, from the last to the first."""
    last, hidden, first = layers.Dense(2, "softmax"), layers.Dense(RELUS), layers.Dense(4)
    return keras.Model(start, last(layers.Activation("relu")(layers.Dropout(0.5)(hidden(first(start))))))


def batch(start):
    normal = layers.BatchNormalization()
    model = keras.Sequential([start, normal, layers.Dense(RELUS, "relu"), layers.Dense(2)])
    normal.set_weights([np.array(row) for row in ([0.5, -2, 3], [1, 0.1, -1], [0.3, 0.2, 0.1], [0.5, 2, 0.1])])
    return model


def normalised(start):
    normal = layers.Normalization()
    normal.adapt(points * [3, 0.2, 1] + [1, 0.1, -2])
    score = layers.Dense(1)(layers.Dense(RELUS, "relu")(normal(start)))
    return keras.Model(start, layers.Activation("sigmoid")(score))


def fixed(start):
    numbers = {"mean": [0.1, -0.2, 0.3], "variance": [0.7, 1.1, 2.3]}
    front = [layers.Normalization(**numbers), layers.Rescaling(1.7, 0.3)]
    return keras.Sequential([start, *front, layers.Dense(RELUS, "relu"), layers.Dense(1)])


def with_weights(model):
    """The model with other weights than those that it starts with, the same in all versions."""
    random = np.random.default_rng(5)
    for layer in model.layers:
        if isinstance(layer, layers.Dense):
            layer.set_weights([random.normal(size=array.shape) for array in layer.get_weights()])
    return model


def files(model, name, weights_alone):
    """The files that hold a model."""
    for suffix in (".h5", ".keras"):
        model.save(path(name + suffix))
        yield name + suffix
    for suffix in ("-alone.h5", "-alone.weights.h5") if weights_alone else ():
        model.save_weights(path(name + suffix))
        yield name + suffix


models = [plain, sigmoid, no_bias, functional, batch]
if hasattr(layers, "Normalization"):  # since Keras 2.6
    models += [normalised, fixed]
predictions = {}
for dtype in ("float32", "float64"):
    keras.backend.set_floatx(dtype)
    for made in models:
        model = with_weights(made(keras.Input((INPUTS,))))
        answers = model.predict(points.astype(dtype), verbose=0)
        for name in files(model, made.__name__ + "-" + dtype, made in (plain, sigmoid, no_bias)):
            predictions[name] = answers - 0.5 if made in (sigmoid, normalised) else answers
done(predictions)
