"""The command line: what it prints, where, and with which exit code."""

import json
import logging
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import skl2onnx
from sklearn.neural_network import MLPClassifier
from typer.testing import CliRunner

import lpnet
from lpnet.boundary.engines import ENGINES
from lpnet.cli import app, minimal
from lpnet.cli.app import COMMANDS
from lpnet.console import print_answers, shown_progress
from lpnet.errors import Stopped
from lpnet.io import load, save

DATA = Path(__file__).parent.parent / "data"
KEYS = ["file", "inputs", "relus", "positive", "negative", "candidates", "units", "constant", "engine", "seconds"]


def run(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def records(result):
    return [json.loads(line) for line in result.stdout.splitlines()]


@pytest.fixture
def bad(tmp_path):
    """Files that nothing can be done with."""
    contents = {
        "empty.json": b"",
        "broken.json": b'{"kind": "relu", ',
        "nan.json": b'{"kind":"relu","hidden_weight":[[NaN]],"hidden_bias":[0],"output_weight":[1],"output_bias":0}',
        "shapes.json": b'{"kind":"relu","hidden_weight":[[1]],"hidden_bias":[0,1],"output_weight":[1],"output_bias":0}',
        "noise.onnx": b"\x00\x01\x02 not a model",
        "noise.npz": b"not a zip",
        "unknown.pickle": b"whatever",
    }
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "folder.json").mkdir()
    return [tmp_path / name for name in [*contents, "folder.json", "missing.json"]]


def test_json_is_one_object_a_file_and_nothing_else():
    files = [DATA / "running_example.json", DATA / "theorem2_n3.json", DATA / "wine_pca3.onnx"]
    result = run("minimal", *files, "--json")
    assert result.exit_code == 0
    answers = records(result)
    assert [answer["file"] for answer in answers] == [str(file) for file in files]
    assert all(set(KEYS) <= set(answer) for answer in answers)
    assert [answer["units"] for answer in answers[:2]] == [4, 7]
    for answer in answers:
        assert answer["candidates"] == 2 ** (answer["positive"] + answer["negative"])
        assert answer["constant"] is None
        assert answer["engine"] in ENGINES
        assert answer["complete"]


def test_onnx_and_json_of_one_network_have_one_answer():
    first, second = records(run("minimal", DATA / "wine_pca3.onnx", DATA / "wine_pca3.json", "--json"))
    assert first["units"] == second["units"]


def listed(result):
    """The names and values of a single answer, as a person reads it."""
    return dict(re.split(" {2,}", line, maxsplit=1) for line in result.stdout.partition("\n\n")[0].splitlines())


def test_one_answer_is_a_list():
    result = run("minimal", DATA / "running_example.json", "--circuit")
    assert result.exit_code == 0
    assert max(map(len, result.stdout.splitlines())) <= 80
    answer = listed(result)
    assert list(answer)[:5] == ["file", "inputs", "ReLUs", "Theorem 1 offers", "needed half-spaces"]
    assert list(answer.values())[1:5] == ["2", "3", "8", "4"]
    assert (answer["threshold network"], answer["its half-spaces"]) == ("two layers", "4")
    assert not {"always answers", "its terms", "terms at least", "complete"} & set(answer)  # without a meaning here
    assert not {"engine", "reason", "programs"} & set(answer)
    assert "4 half-spaces are needed, and no other" in result.stdout
    inside = listed(run("-v", "minimal", DATA / "running_example.json"))
    assert {"engine", "reason", "programs", "positive output weights"} <= set(inside)


def test_several_answers_are_a_table():
    files = ["running_example.json", "wine_pca3.onnx"]
    result = run("minimal", *(DATA / file for file in files))
    header, *rows = result.stdout.partition("\n\n")[0].splitlines()
    names = ["file", "inputs", "ReLUs", "Theorem 1 offers", "needed half-spaces", "seconds"]
    assert re.split(" {2,}", header) == names
    assert [row.split()[1:5] for row in rows] == [["2", "3", "8", "4"], ["3", "5", "32", "14"]]
    assert max(map(len, result.stdout.splitlines())) <= 90 + len(str(DATA))


@pytest.mark.parametrize(("columns", "lists"), [(80, True), (400, False)])
def test_a_table_that_is_too_wide_for_the_terminal_is_lists(monkeypatch, capsys, columns, lists):
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    rows = [{f"a_long_name_{k}": None if k == 3 else n for k in range(9)} for n in range(2)]
    print_answers(rows)
    lines = capsys.readouterr().out.splitlines()
    assert (lines[0] == "a_long_name_0  0") == lists
    assert max(map(len, lines)) <= columns
    assert not any("a_long_name_3" in line for line in lines)


def test_a_constant_is_in_the_table_where_there_is_one(tmp_path):
    save(lpnet.ReLUNetwork([[1.0]], [0.0], [-1.0], -1.0), tmp_path / "never.json")
    header, *rows = run("minimal", tmp_path / "never.json", DATA / "running_example.json").stdout.splitlines()[:3]
    place = re.split(" {2,}", header).index("always answers")
    assert [row.split()[place] for row in rows] == ["-1", "-"]


def test_every_command_is_in_the_help_in_order_and_every_option_has_a_text():
    from typer.main import get_command

    names = [
        "minimal",
        "verify",
        "export-proof",
        "equal",
        "check",
        "show",
        "predict",
        "draw",
        "report",
        "compress",
        "nearest",
        "estimate",
        "tightness",
        "trained",
        "warm",
        "learn",
    ]
    lines = run("--help").stdout.partition("Commands:\n")[2].splitlines()
    assert [line.split()[0] for line in lines] == names
    assert all(line.endswith(".") and not line.endswith("...") for line in lines)
    group = get_command(app)
    commands = {name: group.get_command(None, name) for name in group.list_commands(None)}
    for name, (_, text) in COMMANDS.items():
        assert commands[name].help.startswith(text[:-1]), name  # what is said before the module is loaded
    for command in [*commands.values(), *commands["learn"].commands.values()]:
        assert all(parameter.help for parameter in command.params), command.name


def test_constants_are_named(tmp_path):
    save(lpnet.ReLUNetwork([[1.0]], [0.0], [-1.0], -1.0), tmp_path / "never.json")
    save(lpnet.ReLUNetwork([[1.0]], [0.0], [1.0], 1.0), tmp_path / "always.json")
    never, always = records(run("minimal", tmp_path / "never.json", tmp_path / "always.json", "--json"))
    assert (never["units"], never["constant"]) == (0, -1)
    assert (always["units"], always["constant"]) == (0, 1)


@pytest.mark.parametrize("suffix", ["json", "npz"])
def test_the_threshold_network_is_written_and_equal(tmp_path, suffix):
    for name in ("wine_pca3.onnx", "theorem2_n4.json"):
        out = tmp_path / f"{name}.{suffix}"
        result = run("minimal", DATA / name, "-o", out)
        assert result.exit_code == 0
        assert str(out) in result.stdout
        network, threshold = load(DATA / name), load(out)
        points = 3 * np.random.default_rng(0).normal(size=(20_000, network.inputs))
        np.testing.assert_array_equal(network(points), threshold(points))


def test_domain():
    everywhere, boxed = (
        records(run("minimal", DATA / "theorem2_n4.json", "--json", *more))[0]["units"] for more in ([], ["--domain", "0,0.5"])
    )
    assert (everywhere, boxed) == (15, 1)  # all units active: the one hyperplane Σ x_k = 1
    for text, sentence in [
        ("3", "wanted two numbers"),
        ("1,0", "LO < HI"),
        ("a,b", "wanted two numbers"),
        ("0:1,0:1", "wanted LO:HI for each of the 4 inputs"),
        ("0:1,0:1,0:1,0:x", "wanted LO:HI for each of the 4 inputs"),
        ("0:1,0:1,0:1,1:0", "wanted lower < upper for every input"),
    ]:
        result = run("minimal", DATA / "theorem2_n4.json", "--domain", text)
        assert result.exit_code == 2
        assert sentence in result.stderr


def test_bad_input_is_one_sentence_each_and_the_others_are_done(bad):
    good = DATA / "running_example.json"
    result = run("minimal", *bad[:4], good, *bad[4:], good, "--json")
    assert result.exit_code == 2
    assert [answer["units"] for answer in records(result)] == [4, 4]
    lines = result.stderr.splitlines()
    assert len(lines) == len(bad)
    assert all(line.startswith(f"lpnet: {file}: ") for line, file in zip(lines, bad, strict=True))


def test_show_refuses_the_same_way(bad):
    for file in bad:
        result = run("show", file)
        assert (result.exit_code, result.stdout) == (2, "")
        assert result.stderr.startswith(f"lpnet: {file}: ")
        assert len(result.stderr.splitlines()) == 1


def test_show_says_what_a_file_holds(tmp_path):
    text = run("show", DATA / "running_example.json").stdout
    assert "ReLU network, 2 inputs, 3 ReLUs" in text
    assert "1 positive, 2 negative, 0 zero" in text
    assert "2^3 threshold units" in text
    save(lpnet.ReLUNetwork([[-0.0, 2.0]], [-0.0], [1.0], -0.0), tmp_path / "zeros.json")
    assert "-0.0" not in run("show", tmp_path / "zeros.json").stdout
    out = tmp_path / "circuit.npz"
    run("minimal", DATA / "wine_pca3.onnx", "-o", out)
    assert "sign circuit (three layers), 3 inputs" in run("show", out).stdout


def test_nothing_is_overwritten_by_mistake(tmp_path):
    source = tmp_path / "network.json"
    source.write_bytes((DATA / "running_example.json").read_bytes())
    before = source.read_bytes()
    result = run("minimal", source, "-o", source)
    assert result.exit_code == 2
    assert "is the input itself" in result.stderr
    result = run("minimal", source, DATA / "theorem2_n3.json", "-o", tmp_path / "out.json")
    assert result.exit_code == 2
    assert "one input file" in result.stderr
    result = run("minimal", tmp_path / "missing.json", "-o", source)
    assert result.exit_code == 2
    assert source.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["network.json"]


def test_a_threshold_network_is_one_of_steps(tmp_path):
    save(lpnet.SignNetwork.disjunction([[1.0]], [0.0]), tmp_path / "sign.json")
    assert json.loads(run("minimal", tmp_path / "sign.json", "--json").stdout)["units"] == 1
    result = run("estimate", tmp_path / "sign.json")
    assert result.exit_code == 2
    assert "wanted a ReLU network" in result.stderr


def test_the_installed_command_and_the_module_are_the_same():
    for command in (["lpnet"], [sys.executable, "-m", "lpnet"]):
        program = [str(Path(sys.executable).parent / command[0]), *command[1:]] if len(command) == 1 else command
        done = subprocess.run(
            [*program, "minimal", DATA / "running_example.json", "--json"], capture_output=True, text=True, check=True
        )
        assert json.loads(done.stdout)["units"] == 4
        assert done.stderr == ""
    assert run("--version").stdout == f"lpnet {lpnet.__version__}\n"


def test_progress_goes_to_stderr(monkeypatch):
    monkeypatch.setattr("lpnet.console.PROGRESS_AFTER", 0.0)
    result = run("minimal", DATA / "wine_pca3.onnx", "--json")
    assert len(records(result)) == 1
    assert "wine_pca3.onnx: 0.0% done, 0 pieces found" in result.stderr


def test_nothing_is_done_before_it_is(monkeypatch, caplog):
    """99.99 % is shown as 99.9 %: a person who reads 100 % reads the final number beside it."""
    monkeypatch.setattr("lpnet.console.PROGRESS_AFTER", 0.0)
    monkeypatch.setattr("lpnet.console.LINE_EVERY", 0.0)
    with caplog.at_level("INFO", logger="lpnet"), shown_progress("work") as report:
        report(0.0, 0)
        report(0.9999, 3)
        report(1.0, 4)
    assert [message.partition("% done, ")[0] for message in caplog.messages] == ["work: 0.0", "work: 99.9", "work: 100.0"]
    assert "100.0% done, 4 found" in caplog.messages[-1]


def test_a_domain_by_input_and_by_inequalities(tmp_path):
    """x_4 < 0 leaves three units; decimals are exact, so that 0.1 + 0.2 = 0.3; a proof is about its own domain."""
    place, network, proof = tmp_path / "domain.json", DATA / "theorem2_n4.json", tmp_path / "proof"

    def units(domain):
        return records(run("minimal", network, "--json", "--domain", domain))[0]["units"]

    assert units("0:0.5,0:0.5,0:0.5,:0") == 1
    place.write_text('{"inequalities": [[0, 0, 0, "-1/3", 0]]}')
    assert units(place) == units(":,:,:,:0") == 7
    place.write_text('{"lower": [0, 0, 0, null], "upper": [0.5, 0.5, 0.5, 0], "inequalities": [[1, 1, 1, 0, -0.1]]}')
    assert units(place) == 1
    place.write_text('{"inequalities": [[0.1, 0.2, 0, 0, -0.3], [-1, -2, 0, 0, 3]]}')
    assert "with an interior, got one without" in run("minimal", network, "--domain", place).stderr
    place.write_text(
        '{"inequalities": [[-1, -1, -1, -1, 2], [1, 0, 0, 0, 0], [0, 1, 0, 0, 0], [0, 0, 1, 0, 0], [0, 0, 0, 1, 0]]}'
    )
    assert run("minimal", network, "--domain", place, "--proof", proof).exit_code == 0
    assert run("verify", proof, "--network", network, "--domain", place).exit_code == 0
    assert run("verify", proof, "--network", network).exit_code == 4
    assert run("verify", proof, "--network", network, "--domain", "0,2").exit_code == 1
    for content, sentence in (
        ('{"inequalities": [[0, 0, 0, 1, 0], [1, 2]]}', "inequalities, row 1: wanted 5 numbers"),
        ('{"inequalities": [[0, 0, 0, "x", 0]]}', "inequalities, row 0: wanted numbers"),
        ('{"inequalities": [[0, 0, 0, 1e99999, 0]]}', "wanted decimals of at most"),
        ('{"inequalities": 3}', "inequalities: wanted a list of rows"),
        ('{"lower": [0], "upper": [1]}', "wanted bounds of 4 inputs, got 1"),
        ('{"lower": [0], "inequalities": []}', "wanted a domain"),
    ):
        place.write_text(content)
        result = run("minimal", network, "--domain", place)
        assert (result.exit_code, len(result.stderr.splitlines())) == (2, 1)
        assert f"{place}: {sentence}" in result.stderr


def test_a_box_file(tmp_path):
    place = tmp_path / "box.json"
    place.write_text('{"lower": [0, 0, 0, null], "upper": [0.5, 0.5, 0.5, 0]}')
    (answer,) = records(run("minimal", DATA / "theorem2_n4.json", "--json", "--domain", place))
    assert answer["units"] == 1  # the last unit is never active on x_4 < 0
    for content in (
        '{"lower": [0]}',
        '{"lower": [0], "upper": [1]}',
        '{"lower": 0, "upper": 1}',
        "[]",
        "{",
        '{"lower":["a"],"upper":[1]}',
    ):
        place.write_text(content)
        result = run("minimal", DATA / "theorem2_n4.json", "--domain", place)
        assert result.exit_code == 2
        assert len(result.stderr.splitlines()) == 1


def test_every_engine_can_be_forced_and_gives_the_same_answer():
    file = DATA / "theorem2_n5.json"
    answers = [records(run("minimal", file, "--engine", engine, "--json"))[0] for engine in ["auto", *ENGINES]]
    assert [answer["units"] for answer in answers] == [31] * 5
    assert [answer["engine"] for answer in answers] == ["independent", *ENGINES]
    assert run("minimal", file, "--engine", "guess").exit_code == 2
    result = run("minimal", DATA / "wine_pca3.onnx", "--engine", "independent")
    assert result.exit_code == 2
    assert "not linearly independent" in result.stderr


def test_limits_give_what_was_found_marked_incomplete_with_exit_code_3(tmp_path):
    out = tmp_path / "out.json"
    for limit in (["--max-units", 3], ["--time-limit", 0]):
        result = run("minimal", DATA / "wine_pca3.onnx", "--engine", "expand", "--json", *limit, "-o", out)
        assert result.exit_code == 3
        (answer,) = records(result)
        assert not answer["complete"]
        assert answer["constant"] is None
        assert answer["units"] == (3 if limit[0] == "--max-units" else 0)
        assert "incomplete" in result.stderr
        assert not out.exists()


def test_the_table_marks_an_incomplete_answer():
    assert listed(run("minimal", DATA / "wine_pca3.onnx", "--engine", "expand", "--max-units", 3))["complete"] == "no"


def test_interrupting_once_gives_what_was_found(tmp_path):
    network = lpnet.ReLUNetwork(np.random.default_rng(0).normal(size=(20, 6)), np.zeros(20), np.ones(20), -1.0)
    save(network, tmp_path / "large.json")
    command = [sys.executable, "-m", "lpnet", "minimal", tmp_path / "large.json", "--engine", "expand", "--json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert "done" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=30)
    assert process.returncode == 3
    assert "interrupted" in stderr
    assert not json.loads(stdout)["complete"]


def test_interrupting_where_nothing_is_found_yet():
    program = """
import signal, sys
import lpnet.cli.show
from lpnet.cli import main
lpnet.cli.show.read = lambda *_: signal.raise_signal(signal.SIGINT)
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell has its background jobs ignore it
sys.argv = ["lpnet", "show", "wine_pca3.json"]
main()
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=DATA, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "lpnet: interrupted\n")


def test_interrupting_between_two_steps_stops_the_second(tmp_path, monkeypatch):
    """Ctrl-C in the last moment of a search that is then complete."""
    honest = minimal.minimal_equivalent

    def interrupted(network, domain, engine, watch, recorded):
        answer = honest(network, domain, engine, watch, recorded)
        signal.raise_signal(signal.SIGINT)
        return answer

    monkeypatch.setattr(minimal, "minimal_equivalent", interrupted)
    for option, suffix in (("-o", "json"), ("--proof", "proof")):
        result = run("minimal", DATA / "wine_pca3.onnx", option, tmp_path / f"out.{suffix}")
        assert result.exit_code == 3
        assert "it was interrupted" in result.stderr
        assert "not written, stopped" in result.stderr
    assert not list(tmp_path.iterdir())


def test_counting(tmp_path):
    large = lpnet.ReLUNetwork(np.eye(60), np.zeros(60), np.ones(60), -1.0)
    save(large, tmp_path / "large.json")
    (answer,) = records(run("minimal", tmp_path / "large.json", "--count", "--json"))
    assert (answer["units"], answer["engine"]) == (2**60 - 1, "independent")
    result = run("minimal", tmp_path / "large.json")
    assert result.exit_code == 2
    assert f"needs {2**60 - 1} threshold units" in result.stderr
    (answer,) = records(run("minimal", DATA / "wine_pca3.onnx", "--count", "--json"))
    assert (answer["units"], answer["pieces"]) == (None, 14)
    (answer,) = records(run("minimal", tmp_path / "large.json", "--count", "--json", "--engine", "independent"))
    assert answer["units"] == 2**60 - 1
    result = run("minimal", tmp_path / "large.json", "--json", "--max-units", 10)
    assert result.exit_code == 3
    assert records(result)[0]["units"] >= 10
    for option in (["-o", tmp_path / "out.json"], ["--circuit"]):
        result = run("minimal", tmp_path / "large.json", "--count", *option)
        assert (result.exit_code, result.stdout) == (2, "")
        assert result.stderr.startswith(f"lpnet: {option[0]}: wanted ")
    assert "units" not in listed(run("minimal", DATA / "wine_pca3.onnx", "--count"))


def test_a_limit_while_the_circuit_is_built_keeps_the_answer(tmp_path, monkeypatch):
    from lpnet.watch import Watch

    def stop(watch, share, found):
        watch.stopped = "the limit"
        raise Stopped("stopped after 10 %, the limit")

    monkeypatch.setattr(Watch, "check", stop)
    result = run("minimal", DATA / "wine_pca3.onnx", "-o", tmp_path / "out.json", "--json")
    assert result.exit_code == 3
    assert records(result)[0]["units"] == 14
    assert "not written, stopped" in result.stderr
    assert not (tmp_path / "out.json").exists()


def test_the_smallest_circuit_next_to_theorem_1(tmp_path):
    result = run("minimal", DATA / "wine_pca3.onnx", DATA / "theorem2_n3.json", "--circuit", "--json")
    wine, extremal = records(result)
    sizes = ["circuit", "first_layer", "second_layer", "at_least", "reduced_first", "reduced_second", "theorem1_second"]
    assert [wine[name] for name in sizes] == ["CNF", 14, 3, 3, 20, 5, 8]
    assert [extremal[name] for name in sizes] == ["two layers", 7, 0, 0, 7, 7, 8]
    assert "circuit" not in records(run("minimal", DATA / "wine_pca3.onnx", "--json"))[0]
    assert run("minimal", DATA / "running_example.json", DATA / "wine_pca3.onnx", "--circuit").exit_code == 0


def test_the_circuit_in_words(tmp_path):
    out = tmp_path / "logic.txt"
    assert run("minimal", DATA / "running_example.json", "-o", out, "--names", "width,height").exit_code == 0
    assert out.read_text().splitlines()[:2] == ["positive if h1 and h2 and h3 and h4", "h1: width + height >= -1"]
    run("minimal", DATA / "running_example.json", "-o", tmp_path / "circuit.json")
    shown = run("show", tmp_path / "circuit.json", "--names", "width,height").stdout
    assert "positive if h1 and h2 and h3 and h4" in shown
    assert "h4: -width - height >= -1" in shown
    result = run("minimal", DATA / "running_example.json", "-o", tmp_path / "other.txt", "--names", "width")
    assert result.exit_code == 2
    assert "--names: wanted 2 different names" in result.stderr
    assert not (tmp_path / "other.txt").exists()


def test_the_place_to_write_is_checked_before_the_work(tmp_path):
    (tmp_path / "folder.json").mkdir()
    for name in ("missing/out.json", "folder.json", "out.csv", "out"):
        result = run("minimal", DATA / "wine_pca3.onnx", "-o", tmp_path / name)
        assert result.exit_code == 2
        assert result.stdout == ""
        assert len(result.stderr.splitlines()) == 1


def test_a_file_that_may_not_be_read_is_one_sentence_and_the_others_are_done(monkeypatch):
    good, closed = DATA / "running_example.json", DATA / "wine_pca3.json"
    read = Path.read_bytes

    def refuse(path):
        if path == closed:
            raise PermissionError(13, "Permission denied")
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", refuse)
    result = run("minimal", closed, good, "--json")
    assert result.exit_code == 2
    assert len(records(result)) == 1
    assert result.stderr == f"lpnet: {closed}: cannot be read: Permission denied\n"


@pytest.mark.parametrize("command", ["minimal", "draw", "report"])
def test_names_too_long_for_the_system_are_one_sentence(command, tmp_path):
    long = str(tmp_path / ("a" * 5000))
    for arguments in ([f"{long}.json"], [DATA / "wine_pca3.json", "-o", f"{long}.json"]):
        result = run(command, *arguments)
        assert result.exit_code == 2
        assert len(result.stderr.splitlines()) == 1


def test_quiet_says_nothing_on_the_way_and_verbose_says_more(monkeypatch):
    monkeypatch.setattr("lpnet.console.PROGRESS_AFTER", 0.0)
    file = DATA / "wine_pca3.onnx"
    quiet, usual, verbose = (run(*options, "minimal", file, "--json") for options in (["-q"], [], ["--verbose"]))
    answers = [{**records(result)[0], "seconds": 0} for result in (quiet, usual, verbose)]
    assert answers[0] == answers[1] == answers[2]
    assert quiet.stderr == ""
    assert "0.0% done" in usual.stderr
    assert f"{file}: read" not in usual.stderr
    assert f"{file}: read, a ReLUNetwork with 3 inputs" in verbose.stderr
    assert "engine expand (2^5 subsets are few): 14 pieces, 14 half-spaces" in verbose.stderr
    assert not logging.getLogger("lpnet").handlers
    missing = run("-q", "minimal", DATA / "missing.json")
    assert missing.exit_code == 2
    assert "no such file" in missing.stderr


def test_the_library_logs_and_does_not_print(caplog, capsys):
    with caplog.at_level("DEBUG", logger="lpnet"):
        lpnet.minimal_equivalent(load(DATA / "running_example.json"))
    assert [record.name for record in caplog.records] == ["lpnet.io", "lpnet.equivalents.minimal"]
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(("shell", "words"), [("bash", {"COMP_WORDS": "lpnet mi", "COMP_CWORD": "1"})])
def test_the_shell_completes_commands(shell, words):
    program = Path(sys.executable).parent / "lpnet"
    environment = {**os.environ, **words, "_LPNET_COMPLETE": f"complete_{shell}"}
    done = subprocess.run([program], env=environment, capture_output=True, text=True)
    assert done.stdout.split() == ["minimal"]
    environment = {**os.environ, "_LPNET_COMPLETE": f"source_{shell}"}
    done = subprocess.run([program], env=environment, capture_output=True, text=True)
    assert "complete " in done.stdout


def test_what_is_assumed_is_said(tmp_path):
    """A state_dict: by show among its notes, by every other command as one line a file on stderr; -q hides it."""
    torch = pytest.importorskip("torch")
    file = tmp_path / "m.pt"
    torch.save({"0.weight": torch.tensor([[1.0, 2.0]]), "2.weight": torch.tensor([[1.0]]), "2.bias": -torch.ones(1)}, file)
    assumed = "assumed: a state_dict does not say what is between its layers; a ReLU there, and nothing else"
    shown = run("show", file)
    assert assumed in shown.stdout
    assert not shown.stderr
    page, picture = ("-o", tmp_path / "m.html"), ("-o", tmp_path / "m.svg")
    commands = [("minimal", file), ("equal", file, file), ("report", file, *page), ("draw", file, *picture)]
    for arguments in commands:
        done = run(*arguments)
        assert done.exit_code == 0
        assert done.stderr.splitlines() == [f"{file}: {assumed}"] * arguments.count(file)
        assert not run("-q", *arguments).stderr


def test_show_json(tmp_path):
    """All numbers, which load reads back, and how the file was read."""
    from real_files import NNET

    (tmp_path / "m.nnet").write_text(NNET)
    printed = run("show", tmp_path / "m.nnet", "--json").stdout
    (tmp_path / "m.json").write_text(printed)
    assert lpnet.io.to_dict(load(tmp_path / "m.json")) == lpnet.io.to_dict(load(tmp_path / "m.nnet"))
    assert json.loads(printed)["comment"]["notes"] == list(lpnet.io.read(tmp_path / "m.nnet").notes)


def test_what_was_folded_is_said(tmp_path):
    """A .nnet file with a normalisation: by show among its notes."""
    from real_files import NNET

    (tmp_path / "m.nnet").write_text(NNET.replace("\n2,1,3,\n", "\n3,7,3,\n"))
    shown = run("show", tmp_path / "m.nnet")
    assert shown.exit_code == 0
    for telling in (
        "layers: mean, range, 1, ReLU, 2",
        "front: 1 affine layer from 2 inputs to 2 numbers, kept as given",
        "nothing is rounded",
        "so that 0 itself is +1",
    ):
        assert telling in shown.stdout
    done = run("minimal", tmp_path / "m.nnet", "--json")
    assert json.loads(done.stdout)["relus"] == 3
    assert not done.stderr
    exact = run("show", DATA / "wine_pca3.onnx")
    assert "numbers: exactly those given" in exact.stdout


def test_a_model_with_several_outputs_is_compared_with_a_network_of_two_of_them(tmp_path):
    """--outputs is for the model alone; without it the model is refused, and so is --outputs where no file has several."""
    points = np.random.default_rng(0).normal(size=(60, 2))
    model = MLPClassifier((4,), random_state=0).partial_fit(points, np.arange(60) % 3, classes=[0, 1, 2])
    (tmp_path / "m.onnx").write_bytes(skl2onnx.to_onnx(model, points[:1]).SerializeToString())
    save(lpnet.load(model, (0, 2)), tmp_path / "n.json")
    model, network = str(tmp_path / "m.onnx"), str(tmp_path / "n.json")
    assert run("equal", model, network, "--outputs", "0,2").exit_code == 0
    assert run("equal", network, model, "--outputs", "2,0").exit_code == 1
    assert "has 3 outputs" in run("equal", model, network).stderr
    assert "n.json: has a single output" in run("equal", network, network, "--outputs", "0,2").stderr


def test_a_difference_by_rounding_is_called_one(tmp_path):
    """f = R(x) − R(3x − 1) and the same with the last bit of a weight changed differ; and so do quite different networks."""
    for name, change in (("a", 0), ("b", 2**-51), ("c", 0.5)):
        network = lpnet.ReLUNetwork([[1.0], [3.0 + change]], [0.0, -1.0], [1.0, -1.0], 0.0)
        save(network, tmp_path / f"{name}.json")
    shown = [run("equal", str(tmp_path / "a.json"), str(tmp_path / f"{other}.json")).stdout for other in "bc"]
    assert "rounding weights to float64 can be why" in shown[0]
    assert "the second has a score of" in shown[1]
    assert "rounding" not in shown[1]


def test_an_answer_and_its_proof_want_two_files(tmp_path):
    out = str(tmp_path / "x.json")
    result = run("minimal", str(DATA / "running_example.json"), "-o", out, "--proof", out)
    assert (result.exit_code, result.stderr) == (2, f"lpnet: -o, --proof: wanted two files, got {out} for both\n")
    assert not (tmp_path / "x.json").exists()


def test_names_have_to_differ():
    result = run("minimal", str(DATA / "running_example.json"), "--circuit", "--names", "a,a")
    assert result.stderr == "lpnet: --names: wanted 2 different names with commas between them, got a,a\n"


def test_a_picture_and_its_circuit_have_names_of_their_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for options in ([], ["--circuit"]):
        assert run("draw", DATA / "running_example.json", *options).exit_code == 0
    assert {file.name for file in tmp_path.iterdir()} == {"running_example.png", "running_example_circuit.png"}
