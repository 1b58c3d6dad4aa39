"""What tf2onnx itself writes, read back; TensorFlow is large: pip install tensorflow-cpu tf2onnx, then -m slow."""

import numpy as np
import pytest

import lpnet

INPUTS, RELUS, POINTS = 3, 5, 1000


def hidden(tf, random, x):
    """R(x Uᵀ + b)."""
    weight, bias = random.normal(size=(INPUTS, RELUS)), random.normal(size=RELUS)
    return tf.nn.relu(tf.matmul(x, tf.constant(weight, tf.float32)) + tf.constant(bias, tf.float32))


def outputs(tf, random, h, count):
    """h W + w0, for so many outputs."""
    weight, bias = random.normal(size=(RELUS, count)), random.normal(size=count)
    return tf.matmul(h, tf.constant(weight, tf.float32)) + tf.constant(bias, tf.float32)


def plain(tf, random, x):
    return tf.nn.sigmoid(outputs(tf, random, hidden(tf, random, x), 1))


def softmax(tf, random, x):
    return tf.nn.softmax(outputs(tf, random, hidden(tf, random, x), 2))


def scaled(tf, random, x):
    mean, deviation = random.normal(size=INPUTS), random.uniform(0.5, 2.0, size=INPUTS)
    return plain(tf, random, (x - tf.constant(mean, tf.float32)) / tf.constant(deviation, tf.float32))


def two_affine_layers(tf, random, x):
    between = tf.constant(random.normal(size=(INPUTS, INPUTS)), tf.float32)
    return plain(tf, random, tf.matmul(x, between) + tf.constant(random.normal(size=INPUTS), tf.float32))


def weights_on_the_left(tf, random, x):
    """W R(U x + b) + w0, examples in columns, written with transposes around."""
    first, last = random.normal(size=(RELUS, INPUTS)), random.normal(size=(1, RELUS))
    h = tf.nn.relu(tf.matmul(tf.constant(first, tf.float32), tf.transpose(x)) + tf.constant(random.normal(), tf.float32))
    return tf.transpose(tf.nn.sigmoid(tf.matmul(tf.constant(last, tf.float32), h) - 0.1))


@pytest.mark.slow
@pytest.mark.filterwarnings("default")  # TensorFlow's own
@pytest.mark.parametrize("model", [plain, softmax, scaled, two_affine_layers, weights_on_the_left])
def test_files_of_tf2onnx_are_read(model, tmp_path):
    tf = pytest.importorskip("tensorflow")
    tf2onnx = pytest.importorskip("tf2onnx")

    def function(x):
        return model(tf, np.random.default_rng(3), x)

    file = tmp_path / "model.onnx"
    signature = [tf.TensorSpec((None, INPUTS), tf.float32)]
    tf2onnx.convert.from_function(tf.function(function), signature, output_path=str(file))
    points = np.random.default_rng(4).normal(size=(POINTS, INPUTS)).astype(np.float32)
    answers = function(tf.constant(points)).numpy()
    margins = answers[:, 1] - answers[:, 0] if answers.shape[1] == 2 else answers[:, 0] - 0.5
    clear = np.abs(margins) > 1e-5
    assert clear.mean() > 0.9
    assert {*np.sign(margins[clear])} == {-1, 1}
    np.testing.assert_array_equal(lpnet.load(file)(points[clear]), np.where(margins[clear] > 0, 1, -1))
