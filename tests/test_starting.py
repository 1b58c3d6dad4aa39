"""Before a command begins and after it has ended: Ctrl-C at any moment, closed streams, readers that go away."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from ctrl_c import heeding

DATA = Path(__file__).parent.parent / "data"
LPNET = [sys.executable, "-m", "lpnet"]
SHOW = ["show", "wine_pca3.onnx"]
SENTENCE = re.compile(r"lpnet: [^\n]*\n\Z")


@pytest.mark.parametrize("entry", [["-m", "lpnet"], ["-c", "from lpnet.__main__ import main; main()"]], ids=["-m", "script"])
@pytest.mark.parametrize(
    "module",
    ["numpy.linalg", "lpnet.exact", "lpnet.boundary", "typer", "lpnet.console", "lpnet.cli.options", "onnx"],
)
def test_ctrl_c_while_modules_are_loaded(entry, module):
    command = [sys.executable, "-X", "importtime", *entry, *SHOW]
    process = subprocess.Popen(heeding(command), cwd=DATA, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while line := process.stderr.readline():
        if line.rsplit("|")[-1].strip() == module:
            process.send_signal(signal.SIGINT)
            break
    else:
        raise AssertionError(f"{module} was not loaded")
    out, err = process.communicate(timeout=60)
    said = [line for line in err.splitlines() if not line.startswith("import time:")]
    assert (process.returncode, out, said) == (130, "", ["lpnet: interrupted"])


def test_ctrl_c_is_ignored_where_the_shell_wants_that():
    command = heeding([sys.executable, "-X", "importtime", "-m", "lpnet", *SHOW], heeded=False)
    process = subprocess.Popen(command, cwd=DATA, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    for _ in range(20):
        process.stderr.readline()
        process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert out


@pytest.mark.parametrize(
    ("closed", "code"),
    [("<&-", 0), ("2>&-", 0), (">&-", 2), ("<&- >&-", 2), (">&- 2>&-", 2), ("<&- >&- 2>&-", 2), ("<&- 2>&-", 0)],
)
def test_closed_streams(closed, code, tmp_path):
    """-o: a file that is opened while 1 or 2 is free must not get what is printed."""
    target = tmp_path / "out.json"
    command = f'exec "$@" {closed}'
    arguments = [*LPNET, "minimal", "running_example.json", "-o", target]
    done = subprocess.run(["bash", "-c", command, "bash", *arguments], cwd=DATA, capture_output=True, text=True, check=False)
    assert done.returncode == code
    assert ("units" in done.stdout) == (">&-" not in re.sub("2>&-", "", closed))
    assert target.exists() == (code == 0)
    if "2>&-" in closed or code == 0:
        assert not [line for line in done.stderr.splitlines() if "% done" not in line]  # a slow machine shows progress
    else:
        assert SENTENCE.fullmatch(done.stderr)
        assert "standard output is closed" in done.stderr
    if target.exists():
        assert target.read_text().startswith("{")


SIGNS = {"kind": "sign", "inputs": 2, "output_weight": [1.0] * 4, "output_bias": 3.0}
SIGNS |= {"hidden_weight": [[1.0, 0.0], [0.0, 1.0], [1.0, 1.0], [1.0, -1.0]], "hidden_bias": [0.0, 1.0, -1.0, 0.5]}
COMMANDS = [
    ["--help"],
    ["minimal", "--help"],
    ["--version"],
    SHOW,
    ["minimal", "running_example.json"],
    ["minimal", "--json", "running_example.json", "theorem2_n3.json"],
    ["estimate", "running_example.json"],
    ["equal", "running_example.json", "running_example.json"],
    ["equal", "theorem2_n3.json", "wine_pca3.json"],
    ["verify", "{folder}/proof"],
    ["draw", "running_example.json", "-o", "{folder}/picture.svg"],
    ["report", "running_example.json", "-o", "{folder}/report.html"],
    ["compress", "{folder}/signs.json"],
    ["nearest", "{folder}/signs.json"],
    ["tightness", "--out", "{folder}/study", "--trials", "1", "--relus", "2", "--inputs", "2", "--workers", "1"],
    [
        "trained",
        "--out",
        "{folder}/trained",
        "--data",
        "iris",
        "--trials",
        "1",
        "--relus",
        "2",
        "--inputs",
        "2",
        "--epochs",
        "0",
    ],
    ["warm"],
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """What the commands read."""
    folder = tmp_path_factory.mktemp("starting")
    (folder / "signs.json").write_text(json.dumps(SIGNS))
    subprocess.run([*LPNET, "minimal", "running_example.json", "--proof", folder / "proof"], cwd=DATA, check=True)
    return folder


@pytest.mark.parametrize(
    "arguments", [*COMMANDS[:6], *(pytest.param(line, marks=pytest.mark.slow) for line in COMMANDS[6:])], ids=" ".join
)
def test_an_output_that_nobody_reads(arguments, folder):
    """Not 1, which is an answer; and nothing is said of it."""
    reader, writer = os.pipe()
    os.close(reader)
    command = [*LPNET, *(argument.format(folder=folder) for argument in arguments)]
    done = subprocess.run(command, cwd=DATA, stdout=writer, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writer)
    assert done.returncode == 141, done.stderr
    assert "Traceback" not in done.stderr
    assert "Broken" not in done.stderr


def test_messages_that_nobody_reads():
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run([*LPNET, "show", "nothing.json"], cwd=DATA, stderr=writer, check=False)
    os.close(writer)
    assert done.returncode == 141


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
@pytest.mark.parametrize(
    "arguments", [SHOW, ["--help"], ["equal", "running_example.json", "running_example.json"]], ids=" ".join
)
def test_an_output_with_no_room(arguments):
    with open("/dev/full", "w") as full:
        done = subprocess.run([*LPNET, *arguments], cwd=DATA, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (2, "lpnet: stopped by the system: No space left on device\n")
