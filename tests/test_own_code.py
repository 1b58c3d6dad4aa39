"""Whatever can run code of its own is refused by what it is, or read as it itself answers: models in memory and their files."""

import contextlib
import os
import re
import warnings
import zipfile

import numpy as np
import pytest
from sklearn.datasets import load_wine
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

import lpnet
from lpnet import InputError
from lpnet.io import compare, read, torch_operators

os.environ.setdefault("KERAS_BACKEND", "jax")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import keras
    import torch
    from keras import layers
    from torch import nn
    from torch.nn.utils import prune

D, N = 3, 4


def refused(model, telling):
    with pytest.raises(InputError) as caught:
        lpnet.load(model)
    assert telling in str(caught.value)
    assert "\n" not in str(caught.value)


def agrees(network, points, margin):
    clear = np.abs(margin) > 1e-5 * np.abs(margin).max()
    assert {*np.sign(margin[clear])} == {-1, 1}
    np.testing.assert_array_equal(network(points)[clear], np.sign(margin[clear]))


class TestTorch:
    def sequential(self, *end):
        torch.manual_seed(1)
        return nn.Sequential(nn.Linear(D, N), nn.ReLU(), nn.Linear(N, 1), *end)

    def test_methods_that_were_replaced(self):
        for change in (lambda model: model, lambda model: model[0]):
            model = self.sequential()
            change(model).forward = lambda given: -given
            refused(model, "has a forward of its own in place of its class's")

    @pytest.mark.parametrize("kind", ["forward_hook", "forward_pre_hook"])
    def test_hooks_of_all_modules(self, kind):
        hook = getattr(nn.modules.module, f"register_module_{kind}")(lambda *given: None)
        try:
            refused(self.sequential(), "there are forward hooks for all modules")
        finally:
            hook.remove()
        lpnet.load(self.sequential())

    def test_a_method_replaced_on_a_class(self, monkeypatch):
        """It is followed as well."""
        monkeypatch.setattr(nn.Linear, "forward", lambda self, given: nn.functional.linear(given, -self.weight, self.bias))
        model = self.sequential()
        np.testing.assert_array_equal(lpnet.load(model).hidden_weight, -model[0].weight.detach().double().numpy())

    def test_a_layer_that_comes_twice(self):
        """PyTorch lists it once, under its first name, and runs it twice."""
        relu, square = nn.ReLU(), nn.Linear(D, D)
        refused(nn.Sequential(nn.Linear(D, N), relu, nn.Linear(N, 1), relu), "ends in ReLU '1'")
        network = lpnet.load(nn.Sequential(square, nn.ReLU(), square), (0, 1))
        np.testing.assert_array_equal(network.hidden_weight, square.weight.detach().double().numpy())

    @pytest.mark.parametrize("make", [
        nn.utils.parametrizations.weight_norm,
        nn.utils.parametrizations.spectral_norm,
        nn.utils.parametrizations.orthogonal,
        nn.utils.weight_norm,
        nn.utils.spectral_norm,
        lambda layer: prune.l1_unstructured(layer, "weight", 0.5),
    ])  # fmt: skip
    def test_weights_that_are_made_anew_at_every_call(self, make):
        model = self.sequential()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            make(model[0])
        for given in (model, model.state_dict()):
            refused(given, "make a weight anew at every call; make it a plain one first, with remove_parametrizations(")
        if nn.utils.parametrize.is_parametrized(model[0]):
            nn.utils.parametrize.remove_parametrizations(model[0], "weight")
            lpnet.load(model)

    def test_a_tensor_of_another_class(self):
        class Own(torch.Tensor):
            pass

        model = self.sequential()
        model[0].weight = nn.Parameter(torch.zeros(N, D).as_subclass(Own))
        refused(model, "a Own may run code of its own")

    def test_other_layers_are_refused(self):
        refused(nn.Sequential(nn.Flatten(1, 2), *self.sequential()), "the layer Flatten '0' cannot be taken")

    def test_nothing_is_changed(self):
        model = nn.Sequential(nn.Linear(D, N), nn.BatchNorm1d(N), nn.ReLU(), nn.Dropout(), nn.Linear(N, 1)).bfloat16()
        before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
        lpnet.load(model)
        assert model.training
        assert all(layer.training for layer in model)
        assert all(
            (tensor == before[name]).all() and tensor.dtype == before[name].dtype for name, tensor in model.state_dict().items()
        )
        assert all(parameter.grad is None for parameter in model.parameters())

    def test_numbers_beyond_float32_are_read(self):
        """They are compared in float64."""
        model = self.sequential()
        with torch.no_grad():
            for layer in (model[0], model[2]):
                layer.weight *= 1e30
        np.testing.assert_array_equal(lpnet.load(model).hidden_weight, model[0].weight.detach().double().numpy())

    def test_several_state_dicts(self, tmp_path):
        state = self.sequential().state_dict()
        torch.save({"model": state, "ema": state, "epoch": 3}, tmp_path / "two.pt")
        refused(
            tmp_path / "two.pt", "holds several state_dicts, 'model', 'ema'; save the one that is meant: torch.save(torch.load("
        )
        refused({**state, "ema": state}, "holds several state_dicts")
        torch.save({"epoch": 3, "net": state, "optimizer": {"state": {}, "param_groups": []}}, tmp_path / "one.pt")
        for given in (tmp_path / "one.pt", {"epoch": 3, "net": state}):
            np.testing.assert_array_equal(lpnet.load(given).hidden_weight, state["0.weight"].double().numpy())
        torch.save({"epoch": 3}, tmp_path / "none.pt")
        refused(tmp_path / "none.pt", "holds 'epoch', which is int 3 and no tensor; wanted a state_dict")

    @pytest.mark.parametrize("name", ["exported.pt", "exported.pth", "exported.pt2"])
    @pytest.mark.parametrize("member", ["exported/archive_format", "serialized_exported_program.json"])
    def test_exported_programs(self, tmp_path, name, member):
        """In the layouts of torch.export.save, of today and of versions up to 2.6."""
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            archive.writestr(member, "pt2")
        refused(tmp_path / name, "is an archive of torch.export, which holds a program and is not read; save the weights")

    def test_an_exported_program(self, tmp_path):
        with warnings.catch_warnings(), contextlib.redirect_stderr(None):
            warnings.simplefilter("ignore")
            torch.export.save(torch.export.export(self.sequential(), (torch.zeros(1, D),)), tmp_path / "exported.pt2")
        (tmp_path / "exported.pt2").rename(tmp_path / "exported.pt")
        refused(tmp_path / "exported.pt", "is an archive of torch.export")

    def test_a_wrong_reading_is_not_handed_on(self, monkeypatch):
        monkeypatch.setitem(torch_operators.FUNCTIONS, "sigmoid", torch_operators.FUNCTIONS["tanh"])
        refused(self.sequential(nn.Sigmoid()), "disagrees with its own evaluation, so it is not used")


class TestSklearn:
    def fitted(self, kind=MLPClassifier, *steps, moved=0.0):
        features, labels = load_wine(return_X_y=True)
        features, kept = features + moved, labels < 2
        model = make_pipeline(*(steps or [StandardScaler()]), kind(hidden_layer_sizes=(N,), max_iter=300, random_state=0))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model.fit(features[kept], labels[kept])
        return model, features[kept]

    def test_subclasses(self):
        class Classifier(MLPClassifier):
            def predict_proba(self, given):
                return super().predict_proba(given)[:, ::-1]

        class Regressor(MLPRegressor):
            def predict(self, given):
                return -super().predict(given)

        class Line(Pipeline):
            def predict_proba(self, given, **more):
                return super().predict_proba(given)[:, ::-1]

        for kind in (Classifier, Regressor):
            model, _ = self.fitted(kind)
            for given in (model, model[-1]):
                refused(given, "a class of its own may answer in its own way")
        model, _ = self.fitted()
        refused(Line(model.steps), "a class of its own may answer in its own way")
        refused(Pipeline([("inner", Line(model.steps[:1])), *model.steps[1:]]), "the step Line 'inner' is not read")

    def test_methods_that_were_replaced(self):
        for change, name in [
            (lambda model: model, "predict_proba"),
            (lambda model: model[-1], "predict_proba"),
            (lambda model: model[-1], "predict"),
            (lambda model: model[0], "transform"),
        ]:
            model, _ = self.fitted()
            setattr(change(model), name, lambda given: given)
            refused(model, f"has a {name} of its own in place of scikit-learn's")

    def test_a_class_that_is_called_like_one_of_scikit_learns(self):
        own = type("StandardScaler", (StandardScaler,), {"__module__": "sklearn.preprocessing._data"})
        refused(self.fitted(MLPClassifier, own())[0], "the step StandardScaler 'standardscaler' is not read")

    def test_functions_are_refused(self):
        refused(self.fitted(MLPClassifier, FunctionTransformer(np.abs))[0], "'functiontransformer' is not read")

    def test_a_method_replaced_on_a_class(self, monkeypatch):
        model, _ = self.fitted()
        honest = StandardScaler.transform
        monkeypatch.setattr(StandardScaler, "transform", lambda self, given, copy=None: honest(self, given) * 1.01)
        refused(model, "disagrees with its own prediction")

    def test_what_is_far_from_0_is_compared_where_it_bends(self, monkeypatch):
        """At every other point a slope on the negative side would be lost in a saturated probability."""
        model, _ = self.fitted(moved=1e6)
        lpnet.load(model)
        leaky = MLPClassifier._forward_pass_fast.__globals__["ACTIVATIONS"]
        monkeypatch.setitem(leaky, "relu", lambda given: np.maximum(given, 0.1 * given, out=given))
        refused(model, "disagrees with its own prediction")

    def test_names_of_features(self):
        """scikit-learn warns of points that have none."""
        model, features = self.fitted()
        model[0].feature_names_in_ = np.array([f"x{k}" for k in range(features.shape[1])], dtype=object)
        with pytest.warns(UserWarning, match="does not have valid feature names"):
            model.predict(features)
        lpnet.load(model)


class TestKeras:
    def sequential(self, *front, shape=(D,), hidden="relu", **more):
        keras.utils.set_random_seed(3)
        dense = layers.Dense(N, hidden, bias_initializer="normal", **more)
        return keras.Sequential([keras.Input(shape), *front, dense, layers.Dense(1, bias_initializer="normal")])

    def saved(self, model, path):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model.save(path)
        return path

    def sources(self, model, folder):
        return model, self.saved(model, folder / "m.keras"), self.saved(model, folder / "m.h5")

    @pytest.mark.parametrize("shape", [(2, 3), (2, 3, 4), (5,)])
    @pytest.mark.parametrize("globally", [False, True])
    def test_channels_first(self, tmp_path, shape, globally):
        before = keras.config.image_data_format()
        try:
            keras.config.set_image_data_format("channels_first" if globally else before)
            flatten = layers.Flatten(data_format=None if globally else "channels_first")
            model = self.sequential(layers.Rescaling(2.0), flatten, shape=shape)
            assert flatten.data_format == "channels_first"
        finally:
            keras.config.set_image_data_format(before)
        points = np.random.default_rng(0).standard_normal((400, np.prod(shape))).astype(np.float32) * 3
        margin = np.ravel(model(points.reshape(-1, *shape)))
        for source in self.sources(model, tmp_path):
            agrees(lpnet.load(source), points, margin)

    def test_channels_first_of_what_is_not_said(self, tmp_path):
        flatten, dense = layers.Flatten(data_format="channels_first"), layers.Dense(N, "relu")
        model = keras.Sequential([flatten, dense, layers.Dense(1)])
        model(np.zeros((1, 2, 3)))
        source, other = self.saved(model, tmp_path / "m.keras"), tmp_path / "other.keras"
        with zipfile.ZipFile(source) as whole, zipfile.ZipFile(other, "w") as lie:
            for name in whole.namelist():
                content = re.sub(rb'"(batch_shape|input_shape|build_input_shape)": \[[^]]*\]', b'"\\1": null', whole.read(name))
                lie.writestr(name, content if name == "config.json" else whole.read(name))
        refused(other, "moves channels, and of what shape is not said; give the model an Input")

    def test_classes_that_are_called_like_keras_own(self, tmp_path):
        class Dense(layers.Dense):
            def call(self, given):
                return -super().call(given)

        class Normalization(layers.Layer):
            def call(self, given):
                return given**2

        class Sequential(keras.Sequential):
            def call(self, given, **more):
                return -super().call(given, **more)

        plain = self.sequential()
        own = Sequential(plain.layers)
        own(np.zeros((1, D)))
        for model, telling in [
            (keras.Sequential([keras.Input((D,)), Dense(N, "relu"), layers.Dense(1)]), "is code of its own"),
            (self.sequential(Normalization()), "the layer Normalization 'normalization"),
            (own, "Sequential"),
        ]:
            refused(model, telling)
            refused(self.saved(model, tmp_path / "m.keras"), telling)

    def test_functions_that_are_called_like_keras_own(self):
        def relu(given):
            return keras.ops.maximum(given, 0.1 * given)

        telling = "has an activation of its own, relu; name one of Keras's"
        refused(self.sequential(hidden=relu), telling)
        refused(self.sequential(layers.Dense(N), layers.Activation(relu)), telling)

    def test_an_activation_that_is_a_layer(self, tmp_path):
        model = self.sequential(hidden=layers.ReLU())
        for source in self.sources(model, tmp_path):
            kernel = np.asarray(model.layers[0].kernel, dtype=np.float64)
            np.testing.assert_array_equal(lpnet.load(source).hidden_weight, kernel.T)

    def test_what_a_file_does_not_say(self, tmp_path):
        _, archive, old = self.sources(self.sequential(), tmp_path)
        assert read(archive).notes[0] == (
            "names: of activation functions the file says the names alone, and they are taken for Keras's own"
        )
        assert "of layers and activation functions the file says the names alone" in read(old).notes[0]

    def test_methods_that_were_replaced(self):
        for change in (lambda model: model, lambda model: model.layers[0]):
            model = self.sequential()
            change(model).call = lambda given, **more: -given
            refused(model, "has a call of its own in place of Keras's")

    def test_a_method_replaced_on_a_class(self, monkeypatch):
        model, honest = self.sequential(), layers.Dense.call
        monkeypatch.setattr(layers.Dense, "call", lambda self, given, **more: 1.01 * honest(self, given))
        refused(model, "disagrees with its own prediction")

    @pytest.mark.parametrize("dtype", ["mixed_bfloat16", "mixed_float16", "bfloat16"])
    def test_computation_in_other_precisions(self, tmp_path, dtype):
        for source in self.sources(self.sequential(dtype=dtype), tmp_path):
            refused(source, f"computes in str '{dtype}', and lpnet reads only what computes in float32 or float64")

    def test_quantised_layers(self, tmp_path):
        model = self.sequential()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model.layers[0].quantize("int8")
        for source in (model, self.saved(model, tmp_path / "m.keras")):
            refused(source, "lpnet reads only what computes in float32 or float64")

    def test_inputs_in_half_precision(self):
        start = keras.Input((D,), dtype="bfloat16")
        refused(keras.Sequential([start, layers.Dense(N, "relu"), layers.Dense(1)]), "InputLayer")

    def test_inputs_that_are_whole_numbers(self):
        start = keras.Input((D,), dtype="int32")
        lpnet.load(keras.Model(start, layers.Dense(1)(layers.Dense(N, "relu")(keras.ops.cast(start, "float32")))))

    def test_layers_that_train_when_they_predict(self, tmp_path):
        start = keras.Input((D,))
        for training in (True, False):
            normal = layers.BatchNormalization()(start, training=training)
            model = keras.Model(start, layers.Dense(1)(layers.Dense(N, "relu")(normal)))
            for source in self.sources(model, tmp_path):
                if training:
                    refused(source, "is called with training=True, also when it predicts")
                else:
                    lpnet.load(source)

    def test_a_flatten_in_a_file_of_weights(self, tmp_path):
        for front in ([layers.Flatten()], []):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                self.sequential(*front).save_weights(tmp_path / "m.weights.h5")
            assumed = read(tmp_path / "m.weights.h5").assumed
            assert assumed.endswith("; its Flatten is taken to be channels_last") == bool(front)

    def test_weights_of_a_class_of_its_own(self, tmp_path):
        class Own(keras.Model):
            def __init__(self):
                super().__init__()
                self.hidden, self.score = layers.Dense(N, "relu"), layers.Dense(1)

            def call(self, given):
                return self.score(self.hidden(given))

        model, path = Own(), tmp_path / "own.weights.h5"
        model(np.zeros((1, D)))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model.save_weights(path)
        refused(path, "holds weights in a group 'hidden', an attribute of a class of its own")
        refused(model, "a Own runs code of its own")


def test_what_a_comparison_allows_is_of_the_precision():
    """A weight that is off by more than the rounding of float64 is found, one that float32 may have rounded is not."""
    from lpnet.io.activations import relu
    from lpnet.io.reading import affine
    from lpnet.io.signal import Signal

    rng = np.random.default_rng(0)
    weight, last = rng.standard_normal((N, D)), rng.standard_normal((1, N))
    signal = affine(relu(affine(Signal.of_features((D,)), "first", weight), "relu"), "second", last)
    points = compare.points_for(signal)
    answers = np.maximum(points @ weight.T, 0) @ last.T
    compare.check_same(signal, points, answers, np.finfo(np.float64), "it")
    for precision, factor, found in [(np.float64, 1 + 1e-9, True), (np.float32, 1 + 1e-9, False), (np.float32, 1 + 1e-3, True)]:
        with pytest.raises(InputError, match="disagrees") if found else contextlib.nullcontext():
            compare.check_same(signal, points, answers * factor, np.finfo(precision), "it")
