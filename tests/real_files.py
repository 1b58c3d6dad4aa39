"""Small files of every format, written by the real libraries: what the hardening tests and the fuzzers damage."""

import os
import warnings

import numpy as np

import lpnet
from lpnet.io import save

NNET = "2,2,1,3,\n2,3,1,\n0,\n-1,-1,\n1,1,\n0.5,0,1,\n2,1,3,\n1,2,\n-1,0.5,\n0.25,-1,\n0,\n1,\n-0.5,\n1,-1,2,\n0.5,\n"


def write_all(folder, suffix=""):
    """The files, by suffix; of one suffix alone where it is given."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for suffixes, write in WRITERS.items():
            if suffix in ("", *suffixes):
                write(folder)
    files = {}
    for path in sorted(folder.iterdir()):
        if suffix in ("", path.suffix):
            files.setdefault(path.suffix, []).append(path)
        else:
            path.unlink()
    return files


def _write_own(folder):
    network = lpnet.ReLUNetwork([[1.5, -2.0], [0.1, 3.0], [-1.0, 1.0]], [0.5, 0.0, 1.0], [1.0, -2.0, 0.5], -0.25)
    sign = lpnet.SignNetwork([[1.0, 2.0]], [0.5], [1.0], 0.0)
    for name in ("relu.json", "relu.npz", "relu.onnx"):
        save(network, folder / name)
    for name in ("sign.json", "sign.npz", "sign.onnx"):
        save(sign, folder / name)
    save(lpnet.SignCircuit.dnf([[1.0, 2.0], [-0.5, 1.0]], [0.5, 0.0], [[0, 1], [1]]), folder / "circuit.onnx")
    (folder / "relu.nnet").write_text(NNET)


def _write_torch(folder):
    import torch
    from torch import nn

    state = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1)).state_dict()
    torch.save(state, folder / "zip.pt")
    torch.save(state, folder / "old.pt", _use_new_zipfile_serialization=False)


def _write_keras(folder):
    os.environ.setdefault("KERAS_BACKEND", "jax")
    import keras
    from keras import layers

    start = keras.Input((2,))
    chain = layers.Dense(1, "sigmoid")(layers.ReLU()(layers.Dense(3)(layers.Normalization()(start))))
    plain = keras.Sequential([start, layers.Dense(3, "relu"), layers.Dense(1)])
    for name in ("chain.keras", "chain.h5"):
        keras.Model(start, chain).save(folder / name)
    plain.save(folder / "plain.keras")
    plain.save_weights(folder / "plain.weights.h5")


def _write_sklearn(folder):
    import skl2onnx
    from sklearn.neural_network import MLPClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    points = np.random.default_rng(0).standard_normal((30, 2)).astype(np.float32)
    model = make_pipeline(StandardScaler(), MLPClassifier((3,), max_iter=20, random_state=0))
    model.fit(points, points[:, 0] > 0)
    (folder / "pipeline.onnx").write_bytes(skl2onnx.to_onnx(model, points[:1]).SerializeToString())


WRITERS = {
    (".json", ".npz", ".onnx", ".nnet"): _write_own,
    (".pt",): _write_torch,
    (".h5", ".keras"): _write_keras,
    (".onnx",): _write_sklearn,
}
