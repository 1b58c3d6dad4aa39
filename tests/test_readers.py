"""Files and models of the real libraries, written here by those libraries, are read as they themselves predict."""

import contextlib
import io
import logging
import os
import warnings
import zipfile
from fractions import Fraction

import numpy as np
import onnx
import pytest
from sklearn.datasets import load_iris, load_wine
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.feature_selection import SelectKBest, VarianceThreshold
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, Normalizer, RobustScaler, StandardScaler

import lpnet
from lpnet import InputError, ReLUNetwork
from lpnet.io import read

os.environ.setdefault("KERAS_BACKEND", "jax")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import keras
    import skl2onnx
    import torch
    from keras import layers
    from torch import nn

D, N = 4, 5
points = np.random.default_rng(1).standard_normal((300, D)).astype(np.float32) * 2


def check(network, points, margin, least=0.9):
    """The network decides by the sign of the margin, except perhaps where float32 may have rounded it over 0."""
    margin = np.asarray(margin, dtype=np.float64).reshape(len(points))
    clear = np.abs(margin) > 1e-5
    assert clear.mean() > least
    np.testing.assert_array_equal(network(points)[clear], np.where(margin > 0, 1, -1)[clear])


class TestTorch:
    """In memory, as a state_dict in files of both kinds and in a checkpoint, and by both ONNX exporters."""

    def sequential(self, *end, outputs=1):
        torch.manual_seed(3)
        return nn.Sequential(nn.Linear(D, N), nn.ReLU(), nn.Dropout(), nn.Linear(N, outputs), *end).eval()

    def margin(self, model, pair=(1, 0), half=0.0):
        with torch.no_grad():
            answers = model(torch.tensor(points)).numpy()
        return answers[:, pair[0]] - answers[:, pair[1]] if answers.ndim > 1 and answers.shape[1] > 1 else answers - half

    def exactly(self, network, model, rows=None):
        hidden, output = (layer for layer in model.modules() if isinstance(layer, nn.Linear))
        np.testing.assert_array_equal(network.hidden_weight, hidden.weight.detach().numpy().astype(np.float64))
        np.testing.assert_array_equal(network.hidden_bias, hidden.bias.detach().numpy().astype(np.float64))
        if rows is None:
            np.testing.assert_array_equal(network.output_weight, output.weight[0].detach().numpy().astype(np.float64))
            assert network.output_bias == output.bias[0].item()

    @pytest.mark.parametrize(
        ("end", "outputs", "pair", "half"),
        [
            ((), 1, None, 0.0),
            ((nn.Sigmoid(),), 1, None, 0.5),
            ((nn.Tanh(),), 1, None, 0.0),
            ((nn.Softmax(dim=1),), 2, None, 0.0),
            ((nn.LogSoftmax(dim=-1),), 3, (2, 0), 0.0),
            ((nn.Flatten(), nn.Identity()), 3, (0, 1), 0.0),
        ],
    )
    def test_a_sequential(self, end, outputs, pair, half):
        model = self.sequential(*end, outputs=outputs)
        network = lpnet.load(model, pair)
        self.exactly(network, model, pair or outputs > 1 or None)
        check(network, points, self.margin(model, pair or (1, 0), half))

    @pytest.mark.parametrize("legacy", [False, True])
    @pytest.mark.parametrize("wrap", [lambda d: d, lambda d: {"epoch": 3, "model_state_dict": d}])
    @pytest.mark.parametrize("suffix", [".pt", ".pth"])
    def test_a_state_dict_in_a_file(self, tmp_path, legacy, wrap, suffix):
        model, path = self.sequential(), tmp_path / f"m{suffix}"
        torch.save(wrap(model.state_dict()), path, _use_new_zipfile_serialization=not legacy)
        reading = read(path)
        self.exactly(reading.network, model)
        check(reading.network, points, self.margin(model))
        assert "assumed: a state_dict does not say what is between its layers" in reading.notes[0]
        self.exactly(lpnet.load(model.state_dict()), model)

    def test_the_assumed_relu_is_a_warning(self, tmp_path, caplog):
        """Of a state_dict, also of a tanh net's, since it cannot be told apart; nothing is assumed of an nn.Sequential."""
        path, tanh = tmp_path / "tanh.pt", nn.Sequential(nn.Linear(D, N), nn.Tanh(), nn.Linear(N, 1))
        torch.save(tanh.state_dict(), path)
        lpnet.load(path)
        ((_, level, message),) = caplog.record_tuples
        assert level == logging.WARNING
        assert message.startswith(f"{path}: assumed: a state_dict does not say what is between its layers; a ReLU there")
        caplog.clear()
        lpnet.load(tanh.state_dict())
        assert "OrderedDict: assumed: a state_dict" in caplog.text
        caplog.clear()
        lpnet.load(self.sequential())
        assert not caplog.text

    def test_a_product_that_no_float_holds_is_kept(self):
        """3e-162 · 7e-162 = 2.1e-323, which float64 has only as 2e-323 (4 · 2^-1074)."""
        model = nn.Sequential(nn.Linear(1, 1), nn.Linear(1, 1), nn.ReLU(), nn.Linear(1, 1)).double()
        with torch.no_grad():
            model[0].weight.fill_(3e-162)
            model[1].weight.fill_(7e-162)
        assert lpnet.load(model).input_layer.weight.item() == Fraction(3e-162) * Fraction(7e-162)

    def test_half_precision_and_no_bias(self):
        model = nn.Sequential(nn.Linear(D, N, bias=False), nn.ReLU(), nn.Linear(N, 1)).bfloat16()
        np.testing.assert_array_equal(lpnet.load(model).hidden_weight, model[0].weight.detach().double().numpy())
        assert not lpnet.load(model.state_dict()).hidden_bias.any()

    def test_layers_registered_in_the_wrong_order(self):
        """The shapes tell, where they can; else the order of the file counts, and that is said."""
        model = self.sequential()
        state = model.state_dict()
        turned = {name: state[name] for name in ("3.weight", "3.bias", "0.weight", "0.bias")}
        reading = read(turned)
        self.exactly(reading.network, model)
        assert "comes first although it is stored last" in reading.notes[0]
        square = nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 2)).state_dict()
        assert "the shapes fit in either order" in read(square).notes[0]

    def test_affine_layers_in_front(self):
        torch.manual_seed(0)
        model = nn.Sequential(nn.BatchNorm1d(D), nn.Linear(D, 7), nn.Sequential(nn.Linear(7, N), nn.ReLU()), nn.Linear(N, 1))
        model(torch.randn(100, D) * 3 + 1)
        reading = read(model.eval())
        check(reading.network, points, self.margin(model))
        assert len(reading.network.front.layers) == 3
        assert "√(variance + ε) as the nearest float64" in reading.notes[0]

    @pytest.mark.parametrize("dynamo", [False, True])
    @pytest.mark.parametrize("front", [False, True])
    def test_onnx_by_both_exporters(self, tmp_path, dynamo, front):
        class Front(nn.Module):
            def __init__(self, inner):
                super().__init__()
                self.inner, self.before = inner, nn.Linear(D, D)
                self.register_buffer("mean", torch.arange(float(D)))
                self.register_buffer("deviation", torch.tensor([0.5, 2.0, 3.0, 0.7]))

            def forward(self, x):
                return self.inner(self.before((x - self.mean) / self.deviation)).squeeze(1)

        model, path = self.sequential(nn.Sigmoid()), tmp_path / "m.onnx"
        exported = Front(model).eval() if front else model
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            torch.onnx.export(exported, (torch.zeros(1, D),), path, dynamo=dynamo)
        reading = read(path)
        check(reading.network, points, self.margin(exported, half=0.5))
        assert (reading.network.front is not None) == front
        if not front:
            self.exactly(reading.network, model)

    @pytest.mark.parametrize("opset", [9, 12, 13])
    def test_batch_normalisation_in_old_opsets(self, tmp_path, opset):
        torch.manual_seed(0)
        model, path = nn.Sequential(nn.BatchNorm1d(D), *self.sequential()), tmp_path / "m.onnx"
        model.train()(torch.randn(100, D) * 3 + 1)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.onnx.export(model.eval(), (torch.zeros(1, D),), path, dynamo=False, opset_version=opset)
        assert any(node.op_type == "BatchNormalization" for node in onnx.load(path).graph.node)
        check(lpnet.load(path), points, self.margin(model))

    def test_refusals(self, tmp_path):
        linear = nn.Linear(D, N)
        hooked = self.sequential()
        hooked[0].register_forward_hook(lambda *given: None)
        for model, telling in [
            (nn.Sequential(linear, nn.Tanh(), nn.Linear(N, 1)), "Linear '2' comes behind Tanh"),
            (nn.Sequential(linear, nn.GELU(), nn.Linear(N, 1)), "the layer GELU '1' cannot be taken"),
            (nn.Sequential(linear, nn.ReLU(), nn.Linear(N, 1), nn.ReLU()), "ends in ReLU '3', so that its output is never"),
            (nn.Sequential(linear, nn.ReLU(), nn.Sigmoid(), nn.Linear(N, 1)), "Linear '3' comes behind Sigmoid"),
            (nn.Sequential(linear), "has 5 outputs; say which"),
            (nn.Sequential(linear, nn.ReLU(), nn.Linear(N + 1, 1)), "Linear '2' has 6 inputs, but 5 numbers come"),
            (nn.Sequential(linear, nn.ReLU(), nn.Linear(N, 1), nn.Softmax(1)), "wants two or more outputs"),
            (nn.Sequential(linear, nn.ReLU(), nn.Linear(N, 3), nn.Softmax(0)), "runs over dim=0"),
            (hooked, "the layer Linear '0' has hooks"),
            (nn.Sequential(nn.Flatten(0), linear, nn.ReLU(), nn.Linear(N, 1)), "mixes the points, start_dim=0"),
            (nn.Sequential(), "has no Linear layer"),
            (
                {"a.weight": torch.zeros(2, 2), "bn.running_mean": torch.zeros(2)},
                "holds 'bn.running_mean', which belongs to no linear layer (BatchNorm?); give lpnet.load the module, or exp",
            ),
            ({"a.weight": torch.zeros(2, 2)}, "wanted the weights of linear layers, hidden ones and an output one; got 1"),
            (
                {f"{k}.weight": torch.zeros(2, k) for k in (3, 2, 4)},
                "the layer '2' has 2 outputs, but the layer '4' wants 4 numbers; weights alone do not say how",
            ),
            ({"a.weight": torch.zeros(2, 2), "b.weight": torch.zeros(2)}, "the layer 'b' is none"),
            ({"a.weight": torch.zeros(2, 3), "b.weight": torch.zeros(4, 5)}, "'a' has 2 outputs, but the layer 'b' wants 5"),
            (
                {"a.weight": torch.zeros(2, 2, dtype=torch.int8), "b.weight": torch.zeros(2, 2)},
                "wanted a plain tensor of floats",
            ),
            ({"a.weight": torch.zeros(1).expand(10**8, 1), "b.weight": torch.zeros(2, 2)}, "has 100000000 numbers"),
            ({"a.weight": torch.full((2, 2), torch.nan), "b.weight": torch.zeros(1, 2)}, "wanted finite weights, got nan"),
        ]:
            with pytest.raises(InputError) as caught:
                lpnet.load(model)
            assert telling in str(caught.value)

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.jit.script(self.sequential()).save(tmp_path / "script.pt")
        torch.save(self.sequential(), tmp_path / "whole.pt")
        torch.save(self.sequential(), tmp_path / "old.pt", _use_new_zipfile_serialization=False)
        torch.save([1, 2], tmp_path / "list.pt")
        (tmp_path / "noise.pt").write_bytes(b"\0not a model")
        for name, telling in [
            ("script.pt", "is a TorchScript archive, which holds code and is not read"),
            ("whole.pt", "holds Python objects that run code when they are loaded, so it is not"),
            ("old.pt", "holds Python objects that run code when they are loaded, so it is not"),
            ("list.pt", "wanted a state_dict"),
            ("noise.pt", "is not a PyTorch file, or is damaged"),
        ]:
            with pytest.raises(InputError) as caught:
                lpnet.load(tmp_path / name)
            assert telling in str(caught.value)
            assert "torch.save(model.state_dict(), FILE)" in str(caught.value)


def fitted(*steps, classes=3, data=load_iris, dtype=np.float64, names=None):
    features, labels = data(return_X_y=True)
    kept = labels < classes
    labels = np.array(names)[labels] if names else labels
    model = make_pipeline(*steps, MLPClassifier((N,), max_iter=400, random_state=0, alpha=0.1, learning_rate_init=0.01))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return model.fit(features[kept].astype(dtype), labels[kept]), features[kept].astype(dtype)


SCALERS = {
    "standard": [StandardScaler()],
    "not centred": [StandardScaler(with_mean=False)],
    "min, max": [MinMaxScaler((-1, 2))],
    "max": [MaxAbsScaler()],
    "robust": [RobustScaler()],
    "pca": [StandardScaler(), PCA(3)],
    "whitened": [PCA(2, whiten=True)],
    "svd": [TruncatedSVD(2), StandardScaler()],
    "chosen": [VarianceThreshold(0.3), SelectKBest(k=2), "passthrough"],
    "nested": [make_pipeline(StandardScaler(), MinMaxScaler())],
}


class TestSklearn:
    @pytest.mark.parametrize("steps", SCALERS.values(), ids=SCALERS)
    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_pipelines(self, steps, dtype):
        model, features = fitted(*steps, dtype=dtype)
        probability = model.predict_proba(features)
        for pair in [(0, 1), (2, 1)]:
            reading = read(model, pair)
            check(reading.network, features, probability[:, pair[0]] - probability[:, pair[1]])
            assert (reading.network.front is not None) == bool(steps)

    def test_two_classes_with_names(self):
        model, features = fitted(StandardScaler(), PCA(5), classes=2, data=load_wine, names=["dry", "sweet", "other"])
        reading = read(model)
        check(reading.network, features, model.predict_proba(features)[:, 1] - 0.5)
        assert "StandardScaler 'standardscaler', PCA 'pca', MLPClassifier 'mlpclassifier', layer 1" in reading.notes[0]

    def test_folding_is_exact(self):
        """Against the same sums in Fractions, number by number; behind the scaler the weights are those stored."""
        model, _ = fitted(StandardScaler(), classes=2)
        scaler, mlp = model[0], model[1]
        network = lpnet.load(model)
        np.testing.assert_array_equal(network.hidden_weight, mlp.coefs_[0].T)
        for unit in range(N):
            weights = [Fraction(w) / Fraction(s) for w, s in zip(mlp.coefs_[0][:, unit], scaler.scale_, strict=True)]
            bias = Fraction(mlp.intercepts_[0][unit]) - sum(w * Fraction(m) for w, m in zip(weights, scaler.mean_, strict=True))
            assert network.input_layer.weight[unit].tolist() == weights
            assert network.input_layer.bias[unit] == bias

    @pytest.mark.parametrize(("outputs", "pair"), [(1, None), (2, None), (3, (0, 2))])
    @pytest.mark.parametrize("steps", [[], [StandardScaler(), PCA(3)]], ids=["alone", "in a pipeline"])
    def test_regressors(self, tmp_path, steps, outputs, pair):
        features, _ = load_iris(return_X_y=True)
        targets = (2 * StandardScaler().fit_transform(features))[:, :outputs]
        model = make_pipeline(
            *steps, MLPRegressor(hidden_layer_sizes=(N,), max_iter=400, random_state=0, learning_rate_init=0.01)
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model.fit(features, targets.squeeze())
            scores = model.predict(features)
            as_onnx = skl2onnx.to_onnx(model, features[:1])
        first, second = pair or (1, 0)
        margin = scores[:, first] - scores[:, second] if outputs > 1 else scores
        assert {*np.sign(margin)} == {-1, 1}
        network = lpnet.load(model if steps else model[-1], pair)
        check(network, features, margin)
        np.testing.assert_array_equal(lpnet.load(as_onnx, pair)(features), network(features))

    def test_a_regressor_whose_output_is_positive_is_refused(self):
        features, _ = load_iris(return_X_y=True)
        model = MLPRegressor(hidden_layer_sizes=(N,), max_iter=5, loss="poisson")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model.fit(features, features[:, 0])
        with pytest.raises(InputError, match="its output goes through str 'exp'; wanted scores of both signs"):
            lpnet.load(model)

    def test_refusals(self):
        class Doubling(StandardScaler):
            def transform(self, given, copy=None):
                return 2 * super().transform(given)

        for steps, telling in [
            ([Normalizer()], "the step Normalizer 'normalizer' is not read; lpnet reads"),
            ([MinMaxScaler(clip=True)], "MinMaxScaler 'minmaxscaler' clips"),
            ([Doubling()], "the step Doubling 'doubling' is not read"),
        ]:
            with pytest.raises(InputError, match=telling):
                lpnet.load(fitted(*steps, classes=2)[0])
        with pytest.raises(InputError, match="wanted a fitted MLPClassifier"):
            lpnet.load(make_pipeline(StandardScaler(), MLPClassifier()))
        with pytest.raises(InputError, match="wanted an MLPClassifier or an MLPRegressor"):
            lpnet.load(Pipeline([("scaler", StandardScaler())]))
        unfitted = Pipeline([("scaler", StandardScaler()), ("mlp", fitted(classes=2)[0][0])])
        with pytest.raises(InputError, match="StandardScaler 'scaler' cannot be read"):
            lpnet.load(unfitted)

    @pytest.mark.parametrize("steps", SCALERS.values(), ids=SCALERS)
    @pytest.mark.parametrize("classes", [2, 3])
    def test_skl2onnx(self, tmp_path, steps, classes):
        """Labels and probabilities, in a ZipMap, in a table, in columns; scalers in front; float32 and float64."""
        model, features = fitted(*(step for step in steps if step != "passthrough"), classes=classes)
        pair = None if classes == 2 else (0, 2)
        first, second = pair or (1, 0)
        for zipmap, dtype in [(True, np.float32), (False, np.float64), ("columns", np.float32)]:
            options = {id(model): {"zipmap": zipmap}}
            content = skl2onnx.to_onnx(model, features[:1].astype(dtype), options=options).SerializeToString()
            (tmp_path / "m.onnx").write_bytes(content)
            reading = read(tmp_path / "m.onnx", pair)
            probability = model.predict_proba(features)
            check(reading.network, features, probability[:, first] - probability[:, second])
            assert "a tie is +1" in reading.notes[-1]

    def test_skl2onnx_says_which_class_is_which(self, tmp_path):
        model, features = fitted(classes=2, names=["setosa", "versicolor", "virginica"])
        converted = skl2onnx.to_onnx(model, features[:1].astype(np.float32))
        reading = read(converted)
        assert "+1 where output 1 (versicolor) ≥ output 0 (setosa); a tie is +1" in reading.notes[-1]
        direct = lpnet.load(model)
        np.testing.assert_array_equal(reading.network.hidden_weight, direct.hidden_weight.astype(np.float32))
        np.testing.assert_array_equal(reading.network.output_weight, direct.output_weight.astype(np.float32))
        names = next(node for node in converted.graph.node if node.op_type == "ZipMap").attribute[0].strings
        names[0], names[1] = names[1], names[0]
        with pytest.raises(InputError, match="different names for the classes"):
            read(converted)


def keras_models():
    """Chains of layers, and what their answer is compared with."""
    keras.utils.set_random_seed(5)
    normal = layers.Normalization()
    normal.adapt(points * 3 + 1)
    fixed = layers.Normalization(mean=[1.0, 2.0, 3.0, 4.0], variance=[0.5, 1.5, 2.5, 0.3])
    start = keras.Input((D,))
    chain = layers.ReLU()(layers.Dense(N, bias_initializer="normal")(layers.Dropout(0.2)(start)))
    chain = layers.Softmax()(layers.Dense(2, use_bias=False)(chain))
    relu = layers.Dense(N, activation="relu", bias_initializer="normal")
    return {
        "sigmoid": (keras.Sequential([start, relu, layers.Dense(1, activation="sigmoid")]), 0.5),
        "scores": (keras.Sequential([start, layers.Dense(N), layers.Activation("relu"), layers.Dense(3, "linear")]), 0.0),
        "functional": (keras.Model(start, chain), 0.0),
        "in front": (keras.Sequential([start, normal, layers.Dense(6), layers.Dense(N, "relu"), layers.Dense(1, "tanh")]), 0.0),
        "fixed": (keras.Sequential([start, fixed, layers.Dense(N, "relu"), layers.Dense(1)]), 0.0),
        "batch": (keras.Sequential([start, layers.BatchNormalization(), layers.Dense(N, "relu"), layers.Dense(1)]), 0.0),
        "rescaled": (
            keras.Sequential([start, layers.Rescaling(1 / 3, offset=-1), layers.Dense(N, "relu"), layers.Dense(1)]),
            0.0,
        ),
        "image": (keras.Sequential([keras.Input((2, 2)), layers.Flatten(), layers.Dense(N, "relu"), layers.Dense(1)]), 0.0),
    }


@pytest.fixture(scope="module")
def models():
    return keras_models()


def relu_layer():
    return layers.Activation("relu")


class TestKeras:
    def predicted(self, model, half):
        given = points.reshape(-1, *model.input_shape[1:])
        answers = np.asarray(model(given, training=False))
        return answers[:, 1] - answers[:, 0] if answers.shape[1] > 1 else answers - half

    def saved(self, model, path):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            (model.save_weights if ".weights." in path.name else model.save)(path)
        return path

    @pytest.mark.parametrize("name", ["sigmoid", "scores", "functional", "in front", "fixed", "batch", "rescaled", "image"])
    @pytest.mark.parametrize("file", [None, "m.keras", "m.h5"])
    def test_whole_models(self, models, tmp_path, name, file):
        model, half = models[name]
        source = self.saved(model, tmp_path / file) if file else model
        reading = read(source, (1, 0) if model.output_shape[1] == 3 else None)
        check(reading.network, points, self.predicted(model, half), 0.8)
        if name == "sigmoid":
            np.testing.assert_array_equal(reading.network.hidden_weight.T, np.asarray(model.layers[0].kernel, dtype=np.float64))

    def weights_alone(self, path, *between, outputs=1, front=()):
        keras.utils.set_random_seed(5)
        hidden = layers.Dense(N, bias_initializer="normal", activation=None if between else "relu")
        model = keras.Sequential([keras.Input((D,)), *front, hidden, *between, layers.Dense(outputs)])
        return model, self.saved(model, path)

    @pytest.mark.parametrize("between", [(), (layers.ReLU,), (layers.ReLU, layers.Dropout, layers.Flatten), (relu_layer,)])
    @pytest.mark.parametrize("outputs", [1, 2, 3])
    def test_weights_alone(self, tmp_path, caplog, between, outputs):
        made = (layer(0.1) if layer is layers.Dropout else layer() for layer in between)
        model, path = self.weights_alone(tmp_path / "m.weights.h5", *made, outputs=outputs)
        network = lpnet.load(path, (1, 0) if outputs == 3 else None)
        check(network, points, self.predicted(model, 0.0), 0.8)
        assert f"{path}: assumed: a file of weights does not say what is between its layers; a ReLU there" in caplog.text
        caplog.clear()
        lpnet.load(model, (1, 0) if outputs == 3 else None)
        assert not caplog.text

    @pytest.mark.parametrize(
        ("front", "between", "named"),
        [
            ([layers.Rescaling(2.0)], [layers.ReLU()], "'rescaling'"),
            ([layers.Normalization(mean=1.0, variance=2.0)], [], "'normalization'"),
            ([layers.BatchNormalization()], [], "'batch_normalization'"),
            ([], [layers.LeakyReLU()], "'leaky_re_lu'"),
            ([], [layers.ReLU(), layers.ReLU(max_value=1.0)], "'re_lu_1'"),
            ([keras.Sequential([layers.Rescaling(2.0)])], [], "'sequential'"),
        ],
    )
    def test_weights_alone_with_layers_of_unknown_effect(self, tmp_path, front, between, named):
        """Keras names layers by their class, weights or not; what they do and where is not in the file."""
        _, path = self.weights_alone(tmp_path / "m.weights.h5", *between, front=front)
        with pytest.raises(InputError, match=f"has a layer {named}, whose place and settings are not in the file"):
            lpnet.load(path)

    def test_a_weights_file_of_keras_2(self, models, tmp_path):
        """Keras 3 writes Keras 2's layout into whole .h5 files; alone it is the same group."""
        import h5py

        model, half = models["sigmoid"]
        with h5py.File(self.saved(model, tmp_path / "m.h5")) as file, h5py.File(tmp_path / "w.h5", "w") as weights:
            for name in file["model_weights"]:
                file.copy(f"model_weights/{name}", weights)
            for name, value in file["model_weights"].attrs.items():
                weights.attrs[name] = value
        check(lpnet.load(tmp_path / "w.h5"), points, self.predicted(model, half))

    @pytest.mark.filterwarnings("ignore:Explicitly requested dtype")  # JAX takes float32 for the layer's own sums
    def test_numbers_are_of_the_layers_own_precision(self):
        for dtype in (np.float32, np.float64):
            front = layers.Normalization(mean=0.1, variance=1.0, dtype=np.dtype(dtype).name)
            network = lpnet.load(keras.Sequential([keras.Input((1,)), front, layers.Dense(N, "relu"), layers.Dense(1)]))
            expected = [-Fraction(weight) * Fraction(float(dtype(0.1))) for weight in network.hidden_weight[:, 0]]
            assert network.input_layer.bias.tolist() == expected

    @pytest.mark.parametrize("suffix", [".keras", ".h5"])
    def test_an_input_that_is_cast(self, tmp_path, suffix):
        keras.utils.set_random_seed(5)
        start, whole = keras.Input((D,), dtype="int32"), points.round()
        for dtype, telling in [("float32", ""), ("int16", "the layer Cast 'cast")]:
            chain = layers.Dense(1)(layers.Dense(N, "relu")(keras.ops.cast(start, dtype)))
            model = keras.Model(start, chain)
            path = self.saved(model, tmp_path / f"{dtype}{suffix}")
            if telling:
                with pytest.raises(InputError, match=telling):
                    lpnet.load(path)
            else:
                check(lpnet.load(path), whole, model(whole.astype(np.int32)))

    @pytest.mark.parametrize("name", ["sigmoid", "in front"])
    def test_older_layouts(self, models, tmp_path, name):
        """Up to Keras 2.12 .keras files are HDF5; 2.12 and 2.13 call the groups dense, dense_2, dense_4 in their archives."""
        import h5py

        model, half = models[name]
        self.saved(model, tmp_path / "m.h5").rename(tmp_path / "hdf5.keras")
        with zipfile.ZipFile(self.saved(model, tmp_path / "m.keras")) as archive:
            config, weights = archive.read("config.json"), io.BytesIO(archive.read("model.weights.h5"))
        with h5py.File(weights, "a") as file:
            for number in reversed(range(1, sum(key.startswith("dense") for key in file["layers"]))):
                file.move(f"layers/dense_{number}", f"layers/dense_{2 * number}")
            file.move("layers", "_layer_checkpoint_dependencies")
        with zipfile.ZipFile(tmp_path / "a.keras", "w") as archive:
            archive.writestr("config.json", config)
            archive.writestr("model.weights.h5", weights.getvalue())
        for file in ("hdf5.keras", "a.keras"):
            check(lpnet.load(tmp_path / file), points, self.predicted(model, half), 0.8)

    def test_refusals(self, tmp_path):
        start = keras.Input((D,))

        @keras.saving.register_keras_serializable("own")
        class Dense(layers.Dense):
            def call(self, given):
                return -super().call(given)

        hidden, one = layers.Dense(N, "relu"), layers.Dense(1)
        product = layers.Multiply()([hidden(start), layers.Dense(N)(start)])
        for name, model, telling in [
            (
                "lambda",
                keras.Sequential([start, layers.Lambda(lambda x: 2 * x), hidden, one]),
                "Lambda 'lambda' is code of its own",
            ),
            ("own", keras.Sequential([start, Dense(N, "relu"), one]), "is code of its own, which lpnet never runs"),
            ("gelu", keras.Sequential([start, layers.Dense(N, "gelu"), one]), "has the activation str 'gelu'"),
            ("end", keras.Sequential([start, hidden, layers.Dense(1, "relu")]), "ends in relu of Dense"),
            ("jump", keras.Sequential([start, layers.Dense(N), layers.ReLU(threshold=1), one]), "where it jumps"),
            (
                "norm",
                keras.Sequential([start, layers.LayerNormalization(), hidden, one]),
                "LayerNormalization 'layer_normalization",
            ),
            ("product", keras.Model(start, product), "the layer Multiply 'multiply"),
            ("number", keras.Model(start, one(hidden(start + 2.5))), "is called with 2.5, also when it predicts"),
            ("two", keras.Model([start, keras.Input((D,))], one(hidden(start))), "a model with 2 inputs and 1 outputs"),
            ("ends", keras.Model(start, [hidden(start), one(hidden(start))]), "a model with 1 inputs and 2 outputs"),
        ]:
            for file in ("m.keras", "m.h5"):
                with pytest.raises(InputError) as caught:
                    lpnet.load(self.saved(model, tmp_path / file))
                assert telling in str(caught.value), name

    def test_metadata_that_lies(self, models, tmp_path):
        """A configuration that contradicts the weights is refused, whichever of the two is right."""
        source = self.saved(models["sigmoid"][0], tmp_path / "m.keras")
        self.check_lies(source, tmp_path, [
            ('"units": 5', '"units": 6', "has int 6 units by its configuration, and 5 by its weights"),
            (
                '"batch_shape": [null, 4]',
                '"batch_shape": [null, 3]',
                "has 4 inputs, but 3 numbers come into it",
            ),
            ('"use_bias": true', '"use_bias": false', "has 2 arrays of weights, but its configuration says otherwise"),
            ('"name": "dense', '"name": "other', "its weights call"),
            ('"layers": [', '"layers": [], "old": [', "lists no layers"),
        ])  # fmt: skip

    def test_numbers_that_no_float_holds(self, tmp_path):
        model = keras.Sequential([keras.Input((D,)), layers.Rescaling(0.5), layers.Dense(N, "relu"), layers.Dense(1)])
        source = self.saved(model, tmp_path / "m.keras")
        self.check_lies(source, tmp_path, [('"scale": 0.5', f'"scale": 1{"0" * 400}', "wanted 4 numbers, got int 1000")])

    def check_lies(self, source, tmp_path, lies):
        """A .keras file with a text of its configuration replaced, one at a time."""
        for old, new, telling in lies:
            with zipfile.ZipFile(source) as whole, zipfile.ZipFile(tmp_path / "lie.keras", "w") as lie:
                for name in whole.namelist():
                    content = whole.read(name)
                    if name == "config.json":
                        assert old.encode() in content
                        content = content.replace(old.encode(), new.encode(), 1)
                    lie.writestr(name, content)
            with pytest.raises(InputError) as caught:
                lpnet.load(tmp_path / "lie.keras")
            assert telling in str(caught.value)


NNET = """// a network by hand
2,{inputs},{outputs},3,
{inputs},3,{outputs},
0,
-10.0,-10.0,
10.0,10.0,
{means}
{ranges}
0.5,-1.25,
2.0,0.1,
-0.7,1.5,
0.25,
-0.5,
0.125,
"""


class TestNnet:
    means, ranges = [0.3, -1.7, 7.25], [2.5, 0.3, 3.7]
    hidden, bias = np.array([[0.5, -1.25], [2.0, 0.1], [-0.7, 1.5]]), np.array([0.25, -0.5, 0.125])

    def text(self, outputs, means=None, ranges=None):
        rows = "".join(f"{0.3 * (k + 1)},-1.{k},0.5,\n" for k in range(outputs))
        biases = "".join(f"{0.1 * k - 2.5},\n" for k in range(outputs))
        means, ranges = (",".join(map(str, given)) + "," for given in (means or self.means, ranges or self.ranges))
        return NNET.format(inputs=2, outputs=outputs, means=means, ranges=ranges) + rows + biases

    def evaluated(self, outputs, given):
        """As the format's own reader evaluates it, in floating point."""
        normal = (given - self.means[:2]) / self.ranges[:2]
        weight = np.array([[0.3 * (k + 1), float(f"-1.{k}"), 0.5] for k in range(outputs)])
        bias = np.array([0.1 * k - 2.5 for k in range(outputs)])
        return (np.maximum(normal @ self.hidden.T + self.bias, 0) @ weight.T + bias) * self.ranges[2] + self.means[2]

    @pytest.mark.parametrize(("outputs", "pair"), [(1, None), (2, None), (5, (3, 1))])
    def test_it_is_evaluated_alike(self, tmp_path, outputs, pair):
        (tmp_path / "m.nnet").write_text(self.text(outputs))
        reading = read(tmp_path / "m.nnet", pair)
        given = np.random.default_rng(0).uniform(-10, 10, (500, 2))
        answers = self.evaluated(outputs, given)
        first, second = pair or (1, 0)
        check(reading.network, given, answers[:, first] - answers[:, second] if outputs > 1 else answers[:, 0])
        assert "[-10, 10], [-10, 10]" in reading.notes[0]

    def test_without_normalisation_the_numbers_are_the_files(self, tmp_path):
        (tmp_path / "m.nnet").write_text(self.text(1, [0, 0, 0], [1, 1, 1]))
        reading = read(tmp_path / "m.nnet")
        np.testing.assert_array_equal(reading.network.hidden_weight, self.hidden)

    def test_a_single_layer_is_a_linear_model(self, tmp_path):
        (tmp_path / "m.nnet").write_text("// linear\n1,2,1,2,\n2,1,\n0\n0\n0\n0\n0\n3.0,-1.0,\n0.5,\n")
        network = read(tmp_path / "m.nnet").network
        points = np.random.default_rng(0).normal(size=(50, 2))
        np.testing.assert_array_equal(network(points) > 0, points @ [3.0, -1.0] + 0.5 >= 0)

    @pytest.mark.parametrize(
        ("old", "new", "means", "ranges", "count", "noted", "assumed"),
        [
            ("2,{i},{o},3,", "2", means, ranges, (means, ranges), "", False),
            ("\n{i},3,{o},", "\n{i}, 3, {o}, {o} // twice", means, ranges, (means, ranges), "", False),
            ("10.0,10.0,", "10.0,10.0,99.0", means, ranges, (means, ranges), "by the first 2 of 3 limits", False),
            ("10.0,10.0,", "0", [0], [0], ([0, 0, 0], [1, 1, 1]), "normalisation: the file gives none", False),
            ("", "", [0], [1], ([0, 0, 0], [1, 1, 1]), "", False),
            (
                "",
                "",
                [0.5],
                [2],
                ([0.5, 0.5, 0], [2, 2, 1]),
                "0.5 for the means of all inputs; the file gives",
                True,
            ),
            ("", "", [0], [2], ([0, 0, 0], [2, 2, 1]), "2 for the ranges of all inputs", True),
            ("", "", [0.5, 1.5], [2.5, 3], ([0.5, 1.5, 0], [2.5, 3, 1]), "the file gives no means of outputs", True),
            (
                "",
                "",
                [1, 2, 9, 0.5],
                [2, 4, 1, 3],
                ([1, 2, 0.5], [2, 4, 3]),
                "of 4 means the first 2 are the inputs'",
                True,
            ),
            ("", "", [-1] * 4, [-1] * 4, ([0, 0, 0], [1, 1, 1]), "but -1 for all means and -1 for all ranges", True),
        ],
    )
    @pytest.mark.parametrize("outputs", [1, 3])
    def test_dialects(self, tmp_path, old, new, means, ranges, count, noted, assumed, outputs):
        """count: the means and ranges that count."""
        text = self.text(outputs, means, ranges).replace(*(part.format(i=2, o=outputs) for part in (old, new)), 1)
        (tmp_path / "m.nnet").write_text(text)
        reading = read(tmp_path / "m.nnet", (2, 0) if outputs > 1 else None)
        given = np.random.default_rng(0).uniform(-10, 10, (500, 2))
        self.means, self.ranges = count
        answers = self.evaluated(outputs, given)
        check(reading.network, given, answers[:, 2] - answers[:, 0] if outputs > 1 else answers[:, 0])
        assert noted in "; ".join(reading.notes)
        assert bool(reading.assumed) == (assumed and (outputs == 1 or means[0] == -1))

    @pytest.mark.parametrize(
        ("old", "new", "telling"),
        [
            ("2,2,1,3,", "3,2,1,3,", "says 3 layers, but lists sizes 2, 3, 1; wanted one more than layers, inputs first"),
            ("2,2,1,3,", "2,2,1,", "wanted 4 numbers in its first line, or that of its layers alone, got 3"),
            ("2.5,0.3,3.7,", "0.0,", "wanted ranges > 0"),
            ("2,2,1,3,\n2,3,1,", "3,2,1,3,\n2,3,3,1,", "wanted 3 numbers in line 16, got 1"),
            ("2,2,1,3,\n2,3,1,", "0,2,1,3,\n2,1,", "says 0 layers; wanted one at least"),
            ("2,3,1,", "2,3,2,", "says 2 inputs and 1 outputs, but lists layers of sizes 2, 3, 2"),
            ("2,3,1,", "2,4,1,", "wanted 2 numbers in line 12, got 1"),
            ("2,3,1,", "2,1e9,1,", "wanted whole numbers"),
            ("2,3,1,", "2,-3,1,", "has layers of sizes 2, -3, 1"),
            ("2.5,0.3,3.7,", "2.5,0.0,3.7,", "wanted ranges > 0"),
            ("0.5,-1.25,", "0.5,x,", "wanted numbers with commas between them in line 9"),
            ("0.5,-1.25,", "0.5,nan,", "wanted finite numbers in line 9, got nan"),
            ("-2.5,\n", "", "is cut off"),
            ("-2.5,\n", "-2.5,\n1.0,\n", "goes on after its last bias, in line 17"),
        ],
    )
    def test_refusals(self, tmp_path, old, new, telling):
        text = self.text(1)
        assert old in text
        (tmp_path / "m.nnet").write_text(text.replace(old, new, 1))
        with pytest.raises(InputError) as caught:
            lpnet.load(tmp_path / "m.nnet")
        assert telling in str(caught.value)


def test_objects_that_are_no_models():
    network = ReLUNetwork([[1.0]], [0.0], [1.0], -1.0)
    assert lpnet.load(network) is network
    assert lpnet.load(lpnet.io.to_dict(network)).inputs == 1
    for given in (3, None, [1, 2], {}, {"a": 1}, object()):
        with pytest.raises(InputError, match="wanted a file's name or a model of sklearn, keras, torch, onnx, got"):
            lpnet.load(given)
    with pytest.raises(InputError, match="has 0 inputs"):
        lpnet.load(onnx.ModelProto())
