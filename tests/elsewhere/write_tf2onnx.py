"""Files that tf2onnx writes: pip install tensorflow-cpu tf2onnx"""

import numpy as np
import tensorflow as tf
import tf2onnx
from writing import INPUTS, RELUS, done, path, points


def hidden(random, x):
    """R(x Uᵀ + b)."""
    weight, bias = random.normal(size=(INPUTS, RELUS)), random.normal(size=RELUS)
    return tf.nn.relu(tf.matmul(x, tf.constant(weight, tf.float32)) + tf.constant(bias, tf.float32))


def outputs(random, h, count):
    """h W + w0, for so many outputs."""
    weight, bias = random.normal(size=(RELUS, count)), random.normal(size=count)
    return tf.matmul(h, tf.constant(weight, tf.float32)) + tf.constant(bias, tf.float32)


def plain(random, x):
    return tf.nn.sigmoid(outputs(random, hidden(random, x), 1))


def softmax(random, x):
    return tf.nn.softmax(outputs(random, hidden(random, x), 2))


def scaled(random, x):
    mean, deviation = random.normal(size=INPUTS), random.uniform(0.5, 2.0, size=INPUTS)
    return plain(random, (x - tf.constant(mean, tf.float32)) / tf.constant(deviation, tf.float32))


def two_affine_layers(random, x):
    between = tf.constant(random.normal(size=(INPUTS, INPUTS)), tf.float32)
    return plain(random, tf.matmul(x, between) + tf.constant(random.normal(size=INPUTS), tf.float32))


def weights_on_the_left(random, x):
    """W R(U x + b) + w0, examples in columns, written with transposes around."""
    first, last = random.normal(size=(RELUS, INPUTS)), random.normal(size=(1, RELUS))
    h = tf.nn.relu(tf.matmul(tf.constant(first, tf.float32), tf.transpose(x)) + tf.constant(random.normal(), tf.float32))
    return tf.transpose(tf.nn.sigmoid(tf.matmul(tf.constant(last, tf.float32), h) - 0.1))


predictions = {}
for model in (plain, softmax, scaled, two_affine_layers, weights_on_the_left):

    @tf.function(input_signature=[tf.TensorSpec((None, INPUTS), tf.float32)])
    def function(x, model=model):
        return model(np.random.default_rng(3), x)

    name = f"{model.__name__}.onnx"
    tf2onnx.convert.from_function(function, function.input_signature, output_path=path(name))
    answers = function(tf.constant(points)).numpy()
    predictions[name] = answers if model is softmax else answers - 0.5
done(predictions)
