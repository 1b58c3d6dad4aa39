"""Files that keras2onnx writes, with Python 3.8.

pip install tensorflow-cpu==2.2.* keras2onnx==1.7.0 onnx==1.8.1 onnxconverter-common==1.7.0 protobuf==3.20.*
"""

import keras2onnx
import numpy as np
from tensorflow import keras
from tensorflow.keras import layers
from writing import INPUTS, RELUS, done, path, points


def plain(start):
    return keras.Sequential([start, layers.Dense(RELUS, "relu"), layers.Dense(1)])


def sigmoid(start):
    hidden = [layers.Dense(RELUS), layers.Dropout(0.2), layers.ReLU()]
    return keras.Sequential([start, *hidden, layers.Dense(1), layers.Activation("sigmoid")])


def softmax(start):
    return keras.Sequential([start, layers.Dense(RELUS, "relu", use_bias=False), layers.Dense(3, "softmax")])


def functional(start):
    last, hidden, first = layers.Dense(2, "softmax"), layers.Dense(RELUS), layers.Dense(4)
    return keras.Model(start, last(layers.Activation("relu")(layers.Dropout(0.5)(hidden(first(start))))))


def batch(start):
    """Batch normalisation in front, and between the hidden layer and its ReLU."""
    between = [layers.Dense(RELUS), layers.BatchNormalization(), layers.ReLU()]
    return keras.Sequential([start, layers.BatchNormalization(), *between, layers.Dense(2)])


def scaled(start):
    """A scaler of TensorFlow's own operations."""
    mean, deviation = np.array([0.1, -0.2, 0.3], np.float32), np.array([0.7, 1.1, 2.3], np.float32)
    scaler = layers.Lambda(lambda x: (x - mean) / deviation)
    return keras.Sequential([start, scaler, layers.Dense(RELUS, "relu"), layers.Dense(1, "sigmoid")])


def with_weights(model):
    """The model with other weights than those that it starts with; variances of batch normalisation are positive."""
    random = np.random.default_rng(5)
    for layer in model.layers:
        made = [random.normal(size=array.shape) for array in layer.get_weights()]
        layer.set_weights([*made[:3], *(np.abs(array) for array in made[3:])])
    return model


predictions = {}
for made in (plain, sigmoid, softmax, functional, batch, scaled):
    model = with_weights(made(keras.Input((INPUTS,))))
    answers = model.predict(points)
    for opset in (8, 11):
        name = f"{made.__name__}-{opset}.onnx"
        keras2onnx.save_model(keras2onnx.convert_keras(model, model.name, target_opset=opset), path(name))
        predictions[name] = answers - 0.5 if made in (sigmoid, scaled) else answers
done(predictions)
