"""Data, names and rules: what the box of data asks, what names survive, that rules and code decide exactly."""

import ctypes
import io
import json
import shutil
import subprocess
import sys
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

import lpnet
from lpnet.cli import app
from lpnet.errors import InputError
from lpnet.io import load, load_examples, read, save
from lpnet.io.kinds import Choice
from lpnet.networks.affine import AffineMap, Layer
from lpnet.networks.classifier import Classifier
from lpnet.networks.question import substituted
from lpnet.rules import rules
from lpnet.rules.code import as_c, as_python
from lpnet.rules.logic import first_answers, holds_at, words_at

NAMES, LABELS = ("width", "height"), ("out", "in")
CC = shutil.which("cc")


def run(*arguments, **options):
    return CliRunner().invoke(app, [str(argument) for argument in arguments], **options)


def network(seed=0, inputs=2, relus=4, front=None):
    random = np.random.default_rng(seed)
    whole = random.integers(-3, 4, (relus, inputs + 2)).astype(float)
    signs = np.where(np.arange(relus) % 2, 1.0, -1.0)
    return lpnet.ReLUNetwork(whole[:, :inputs], whole[:, inputs], signs, 1.0, front)


def classifier(seed=0):
    random = np.random.default_rng(seed)
    layers = [(random.normal(size=(5, 2)), random.normal(size=5)), (random.normal(size=(3, 5)), random.normal(size=3))]
    return Classifier.of_layers(layers, None, ("low", "middle", "high"))


def points(inputs=2, seed=1):
    """Whole ones, many of them on hyperplanes of `network`, and others."""
    random = np.random.default_rng(seed)
    return np.vstack(
        [random.integers(-4, 5, (200, inputs)), random.integers(-8, 9, (200, inputs)) / 3, random.normal(size=(50, inputs))]
    )


# Data


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.dictionaries(st.integers(0, 2), st.fractions(max_denominator=7), max_size=2), st.booleans())
def test_substituted_inputs_are_no_longer_read(seed, values, scaled):
    """On the plane of these values nothing changes, exactly, and off it nothing depends on them."""
    random = np.random.default_rng(seed)
    front = AffineMap((Layer(np.diag(random.integers(1, 5, 3) / 2), random.normal(size=3)),)) if scaled else None
    whole = network(seed, 3, front=front)
    less = substituted(whole, values)
    at = points(3, seed)[:60]
    on = at.copy()
    on[:, list(values)] = [float(x) for x in values.values()]
    exact = all(Fraction(float(x)) == x for x in values.values())
    np.testing.assert_array_equal(less(at), less(on))
    if exact:
        np.testing.assert_array_equal(less(at), whole(on))


def test_the_box_of_the_data_holds_every_row_and_the_answer_is_right_there():
    rows = points()
    examples = lpnet.Examples(rows)
    assert examples.box.contains(rows).all()
    assert not examples.box.contains(rows + 1e-9 * np.sign(rows) * np.abs(rows).max()).all()
    for seed in range(4):
        answer = lpnet.minimal_equivalent(network(seed), data=rows)
        np.testing.assert_array_equal(answer.equivalent(rows), network(seed)(rows))
        assert answer.units <= lpnet.minimal_equivalent(network(seed)).units
        seen = answer.seen
        assert seen.rows_that_hold == tuple(holds_at(answer.equivalent, rows).sum(axis=0)) or not answer.units
        active = network(seed).activation_pattern(rows)
        assert seen.never_active == tuple(np.flatnonzero(~active.any(axis=0)))
        assert seen.always_active == tuple(np.flatnonzero(active.all(axis=0)))


def test_constant_columns_are_folded():
    rows = np.column_stack([points()[:, 0], np.full(450, 0.5)])
    given = network(3)
    answer = lpnet.minimal_equivalent(given, data=rows)
    line = lpnet.ReLUNetwork(
        given.hidden_weight[:, :1], given.hidden_bias + 0.5 * given.hidden_weight[:, 1], given.output_weight, given.output_bias
    )
    assert answer.units == lpnet.minimal_equivalent(line, data=rows[:, :1]).units
    np.testing.assert_array_equal(answer.equivalent(rows), given(rows))
    assert not answer.hidden_weight[:, 1].any()


def tables(folder, rows, classes, names=NAMES):
    """The same table in all forms."""
    head = ",".join((*names, "class"))
    text = "\n".join([head, *(f"{a!r},{b!r},{c}" for (a, b), c in zip(rows.tolist(), classes, strict=True))])
    (folder / "t.csv").write_text(text)
    (folder / "swapped.csv").write_text(
        "\n".join(
            [f"class,{names[1]},{names[0]}", *(f"{c},{b!r},{a!r}" for (a, b), c in zip(rows.tolist(), classes, strict=True))]
        )
    )
    np.savez(folder / "t.npz", X=rows, y=np.array(classes))
    import pyarrow
    import pyarrow.parquet

    columns = {names[0]: rows[:, 0], names[1]: rows[:, 1], "class": classes}
    pyarrow.parquet.write_table(pyarrow.table(columns), folder / "t.parquet")
    return [folder / name for name in ("t.csv", "swapped.csv", "t.npz", "t.parquet")]


def test_every_table_is_read_alike(tmp_path):
    pytest.importorskip("pyarrow")
    named, rows = network(2).named(NAMES, LABELS), points()
    classes = words_at(named, rows).tolist()
    for file in tables(tmp_path, rows, classes):
        found = load_examples(file, named)
        np.testing.assert_array_equal(found.points, rows)
        assert found.classes.tolist() == classes
        row = json.loads(run("minimal", saved(named, tmp_path), "--data", file, "--json").stdout)
        assert (row["rows"], row["accuracy"]) == (len(rows), 1.0)
    np.testing.assert_array_equal(load_examples((rows, classes), named).points, rows)
    numbers = "\n".join(f"{a!r};{b!r}" for a, b in rows.tolist())
    (tmp_path / "bare.csv").write_text(numbers)
    np.testing.assert_array_equal(load_examples(tmp_path / "bare.csv", named).points, rows)


def test_data_frames_are_read_by_name():
    pandas = pytest.importorskip("pandas")
    named, rows = network(2).named(NAMES, LABELS), points()
    frame = pandas.DataFrame({"height": rows[:, 1], "width": rows[:, 0], "target": words_at(named, rows)})
    found = load_examples(frame, named)
    np.testing.assert_array_equal(found.points, rows)
    assert found.classes.tolist() == frame["target"].tolist()
    assert lpnet.equal(named, named, data=frame).verdict == "equal"


def saved(net, folder, suffix=".json"):
    file = folder / f"saved{suffix}"
    save(net, file)
    return file


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("a,b\n1,2\n3\n", "row 2 has 1 entries, but there are 2 columns"),
        ("a,b\n1,x\n", "column 'b': wanted a number, got str 'x' in row 1"),
        ("a,b\n1,nan\n", "column 'b': wanted a finite number"),
        ("a,b,c,d\n1,2,3,4\n", "wanted 2 columns"),
        ("a,b\n", "wanted at least one row"),
        ("a,a\n1,2\n", "two columns of the same name"),
        ("", "is empty"),
    ],
)
def test_bad_tables_are_refused_in_a_sentence(tmp_path, content, told):
    (tmp_path / "bad.csv").write_text(content)
    result = run("minimal", saved(network(), tmp_path), "--data", tmp_path / "bad.csv")
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
    assert told in result.stderr


def test_data_in_the_other_commands(tmp_path):
    pytest.importorskip("matplotlib")
    pytest.importorskip("pyarrow")
    named, rows = network(2).named(NAMES, LABELS), points()
    file = saved(named, tmp_path)
    table = tables(tmp_path, rows, words_at(named, rows).tolist())[0]
    proof = tmp_path / "proof"
    assert run("minimal", file, "--data", table, "--proof", proof).exit_code == 0
    assert run("verify", proof, "--network", file, "--data", table).exit_code == 0
    assert run("verify", proof, "--network", file).exit_code == 4  # on a domain that nobody named
    assert f"alike: {len(rows)} of {len(rows)}" in run("equal", file, file, "--data", table).stdout
    picture = tmp_path / "p.svg"
    assert run("draw", file, "--data", table, "-o", picture).exit_code == 0
    assert "row: in" in picture.read_text()  # a comment beside its letters
    page = tmp_path / "page.html"
    assert run("report", file, "--data", table, "-o", page).exit_code == 0
    content = page.read_text()
    assert all(words in content for words in ("on the box of the data, proved", "<th>decided right</th><td>100.0%", "In short"))
    answers = run("predict", file, table)
    assert answers.stdout.split() == words_at(named, rows).tolist()
    assert "100.0% of 450 rows" in answers.stderr


# Names


@pytest.mark.parametrize("suffix", [".json", ".npz", ".onnx"])
def test_names_are_kept_in_files(tmp_path, suffix):
    named = network().named(NAMES, LABELS)
    again = load(saved(named, tmp_path, suffix))
    assert (again.features, again.labels) == (NAMES, LABELS)
    several = load(saved(classifier().named(NAMES), tmp_path, suffix), Choice("argmax"))
    assert (several.features, several.names) == (NAMES, ("low", "middle", "high"))
    pair = load(tmp_path / f"saved{suffix}", Choice("pair", ("high", "low")))
    assert (pair.features, pair.labels) == (NAMES, ("low", "high"))
    out = tmp_path / f"equivalent{suffix}"
    save(named, tmp_path / f"n{suffix}")
    assert run("minimal", tmp_path / f"n{suffix}", "-o", out).exit_code == 0
    assert (load(out).features, load(out).labels) == (NAMES, LABELS)


def test_names_come_from_models_fitted_on_data_frames(tmp_path):
    pandas = pytest.importorskip("pandas")
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    rows = points()
    frame, target = pandas.DataFrame(rows, columns=list(NAMES)), np.array(LABELS)[(rows.sum(axis=1) > 0).astype(int)]
    model = make_pipeline(StandardScaler(), MLPClassifier((3,), max_iter=20, random_state=0))
    with pytest.warns(ConvergenceWarning):
        model.fit(frame, target)
    named = load(model)
    assert (named.features, named.labels) == (NAMES, ("in", "out"))
    np.testing.assert_array_equal(words_at(named, rows), model.predict(frame))
    skl2onnx = pytest.importorskip("skl2onnx")
    content = skl2onnx.to_onnx(model, frame[:1])  # an input for each column
    (tmp_path / "m.onnx").write_bytes(content.SerializeToString())
    again = load(tmp_path / "m.onnx")
    assert (again.features, again.labels) == (NAMES, ("in", "out"))
    np.testing.assert_array_equal(again(rows), named(rows))


def test_names_that_do_not_fit_are_refused():
    for features, labels in (("ab", None), (["a"], None), (["a", "a"], None), (None, ["x"]), ([1, 2], None)):
        with pytest.raises(InputError, match="wanted"):
            network().named(features, labels)


# Rules


@pytest.mark.parametrize("seed", range(6))
def test_rules_decide_like_the_network_ties_included(seed):
    answer = lpnet.minimal_equivalent(network(seed).named(NAMES, LABELS))
    made = answer.rules()
    at = points(seed=seed)
    np.testing.assert_array_equal(
        first_answers(made.lists, holds_at(answer.equivalent, at)), words_at(network(seed).named(NAMES, LABELS), at)
    )
    several = lpnet.minimal_classes(classifier(seed))
    found = first_answers(several.rules().lists, holds_at(several.equivalent, at))
    np.testing.assert_array_equal(found, words_at(classifier(seed), at))


@pytest.mark.parametrize("keep", [0.9, 0.99, 1.0])
def test_few_rules_keep_what_they_say(keep):
    for asked in (network(2).named(NAMES, LABELS), classifier(1)):
        rows = points()
        find = lpnet.minimal_classes if isinstance(asked, Classifier) else lpnet.minimal_equivalent
        made = find(asked, data=rows).rules(keep=keep)
        right = made.few.answers(made.holds) == words_at(asked, rows)
        assert right.mean() == made.fidelity >= keep
        counts = made.few.rows(made.holds)
        assert sum(counts) == len(rows)


def test_rules_in_all_forms(tmp_path):
    pytest.importorskip("pyarrow")
    named, rows = network(2).named(("width | <b>", "height"), LABELS), points()
    file, table = saved(named, tmp_path), tables(tmp_path, rows, words_at(named, rows).tolist(), named.features)[0]
    for suffix, told in ((".txt", "In short"), (".md", "| in | if "), (".html", "width | &lt;b&gt;")):
        out = tmp_path / f"rules{suffix}"
        assert run("minimal", file, "--data", table, "-o", out, "--digits", 3, "--keep", 99).exit_code == 0
        text = out.read_text()
        assert told in text
        assert "of 450 rows as the network decides them" in text
    assert "width \\| <b>" in (tmp_path / "rules.md").read_text()
    assert run("minimal", file, "-o", tmp_path / "bare.txt").exit_code == 0
    assert (tmp_path / "bare.txt").read_text().startswith("in if ")
    for options in (
        ["--keep", 99],
        ["--digits", 3],
        ["--keep", 99, "-o", tmp_path / "x.md"],
        ["--digits", 3, "-o", tmp_path / "x.json"],
    ):
        assert run("minimal", file, *options).exit_code == 2
    with pytest.raises(InputError, match="wanted data"):
        lpnet.minimal_equivalent(named).rules(keep=0.9)


NASTY = st.floats(allow_nan=False, allow_infinity=False)


def python_of(net):
    space = {}
    exec(as_python(net), space)
    return space["predict"]


def c_of(net, folder):
    (folder / "f.c").write_text(as_c(net))
    flags = ["-std=c99", "-Wall", "-Wextra", "-Werror", "-O2", "-shared", "-fPIC"]
    subprocess.run([CC, *flags, str(folder / "f.c"), "-o", str(folder / "f.so"), "-lm"], check=True)
    function = ctypes.CDLL(str(folder / "f.so")).predict
    function.argtypes = [ctypes.POINTER(ctypes.c_double)]
    return lambda x: function((ctypes.c_double * len(x))(*x))


def wild():
    """Weights of all sizes, sums that cancel to the last bit, and thirds."""
    weight = [[1e300, -1e300, 1e-300], [3.0, 1e-320, -1.0], [Fraction(1, 3), Fraction(1, 7), 0.0]]
    return lpnet.SignNetwork(weight, [0.0, 1e-310, Fraction(-10, 21)], [1.0, 1.0, 1.0], 0.0)


@pytest.mark.skipif(CC is None, reason="needs a C compiler")
@pytest.mark.parametrize("kind", ["whole", "classes", "constant", "wild"])
def test_code_decides_exactly(tmp_path, kind):
    """At ties, at the ends of float64, and at random: C, Python and the network itself."""
    made = {
        "whole": lambda: lpnet.minimal_equivalent(network(1)).equivalent,
        "classes": lambda: lpnet.minimal_classes(classifier(2)).equivalent,
        "constant": lambda: lpnet.SignNetwork(np.zeros((0, 2)), [], [], -1.0),
        "wild": wild,
    }[kind]()
    in_python, in_c = python_of(made), c_of(made, tmp_path)
    random = np.random.default_rng(0)
    sizes = 10.0 ** random.integers(-320, 308, (100, made.inputs))
    ends = random.choice([5e-324, -5e-324, 1.7e308, -1.7e308, 1.0, 0.0, -0.0], (100, made.inputs))
    at = np.vstack([points(made.inputs), random.normal(size=sizes.shape) * sizes, ends])
    wanted = made(at).tolist()
    assert [in_python(x) for x in at.tolist()] == wanted
    assert [in_c(x) for x in at.tolist()] == wanted
    assert in_c([np.inf] * made.inputs) == (-1 if kind == "classes" else 0)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(NASTY, min_size=3, max_size=3), min_size=1, max_size=3), st.lists(NASTY, min_size=2, max_size=2))
def test_python_of_any_floats(rows, x):
    net = lpnet.SignNetwork([row[:2] for row in rows], [row[2] for row in rows], np.ones(len(rows)), 0.0)
    assert python_of(net)(x) == int(net(x))


# Python and places


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
def test_the_estimator_is_one_of_scikit_learn():
    from sklearn.utils.estimator_checks import check_estimator

    check_estimator(lpnet.ThresholdClassifier(random_state=0))


def test_the_estimator_answers_like_what_it_holds():
    rows = points()
    target = np.array(["a", "b", "c"])[(rows[:, 0] > 0).astype(int) + (rows[:, 1] > 1)]
    for labels in (target, np.where(target == "a", 0, 1)):
        found = lpnet.ThresholdClassifier(random_state=1).fit(rows, labels)
        np.testing.assert_array_equal(found.predict(rows), found.estimator_.predict(rows))
        assert found.rules(keep=0.9, data=rows).fidelity >= 0.9


def test_notebooks_show_answers_and_pages():
    answer = lpnet.minimal_equivalent(network(1).named(("<b>", "h"), LABELS), data=points())
    assert "&lt;b&gt;" in answer._repr_html_()
    assert "<td>450</td>" in answer._repr_html_()
    assert answer.predict(points()[:3]).tolist() == words_at(answer.network, points()[:3]).tolist()
    pytest.importorskip("matplotlib")
    assert lpnet.draw(network(1), data=points()).axes
    page = lpnet.report(network(1), time_limit=20)
    assert b"half-spaces of 16" in page.content
    assert "srcdoc" in page._repr_html_()


def safetensors(folder, arrays, kind="F32"):
    header, content = {}, b""
    for name, array in arrays.items():
        raw = np.asarray(array, dtype={"F32": "<f4", "F64": "<f8"}[kind]).tobytes()
        header[name] = {"dtype": kind, "shape": list(np.shape(array)), "data_offsets": [len(content), len(content) + len(raw)]}
        content += raw
    text = json.dumps(header).encode()
    (folder / "model.safetensors").write_bytes(len(text).to_bytes(8, "little") + text + content)
    return folder / "model.safetensors"


def test_safetensors_and_folders(tmp_path):
    hidden, output = np.arange(6.0).reshape(3, 2) - 2, np.array([[1.0, -2.0, 1.0]])
    arrays = {"net.10.weight": output, "net.10.bias": [0.5], "net.2.weight": hidden, "net.2.bias": [0.0, 1.0, -1.0]}
    wanted = lpnet.ReLUNetwork(hidden, [0.0, 1.0, -1.0], output[0], 0.5)
    file = safetensors(tmp_path, arrays)
    np.testing.assert_array_equal(load(file)(points()), wanted(points()))
    assert "does not say what is between its layers" in read(file).assumed
    (tmp_path / "config.json").write_text(json.dumps({"hidden_act": "relu", "id2label": {"0": "no", "1": "yes"}}))
    assert load(tmp_path).labels == ("no", "yes")
    (tmp_path / "config.json").write_text(json.dumps({"hidden_act": "gelu"}))
    with pytest.raises(InputError, match="wanted relu"):
        load(tmp_path)
    for bad in (b"", b"\0" * 9, b"\xff" * 40, file.read_bytes()[:-4]):
        file.write_bytes(bad)
        with pytest.raises(InputError):
            load(file)


def test_checkpoints_of_lightning(tmp_path):
    torch = pytest.importorskip("torch")
    state = {"model.0.weight": torch.ones(2, 3), "model.0.bias": torch.zeros(2), "model.2.weight": torch.ones(1, 2)}
    torch.save({"epoch": 3, "state_dict": state, "callbacks": {}, "hyper_parameters": {"lr": 0.1}}, tmp_path / "last.ckpt")
    assert load(tmp_path / "last.ckpt").relus == 2


def test_a_network_from_the_standard_input(tmp_path):
    file = saved(network(1), tmp_path)
    command = [sys.executable, "-m", "lpnet", "minimal", "-", "--json"]
    with file.open("rb") as source:
        done = subprocess.run(command, stdin=source, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["units"] == lpnet.minimal_equivalent(network(1)).units
    empty = subprocess.run(command, input="", capture_output=True, text=True, check=False)
    assert (empty.returncode, empty.stderr.count("\n")) == (2, 1)


def test_files_for_rules_are_of_threshold_networks_alone(tmp_path):
    for suffix in (".md", ".html", ".py", ".c"):
        with pytest.raises(InputError, match="has no rules"):
            save(network(), tmp_path / f"x{suffix}")
    with pytest.raises(InputError, match="weighs"):
        rules(lpnet.SignCircuit(np.eye(2), [0, 0], np.eye(2), [0, 0], [1.0, 3.0], 0.0))
    assert io.StringIO(as_python(wild())).readline().startswith('"""')
