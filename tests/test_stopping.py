"""Every stop is obeyed at once by every command, and it says what it has: Ctrl-C, the clock, the number of pieces."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest
from typer.testing import CliRunner

from lpnet.background import unattended
from lpnet.boundary.engines import ENGINES, find_pieces
from lpnet.cli import app
from lpnet.errors import Interrupted, Stopped
from lpnet.io import save
from lpnet.networks import Polyhedron, ReLUNetwork, SignNetwork, normal_form
from lpnet.watch import GRACE, Watch

SOON = 3.0  # seconds: one, and what a busy machine adds
POSIX = pytest.mark.skipif(os.name == "nt", reason="signals as on POSIX")


def random_network(relus, inputs, seed, output_bias=-1.0, one_sign=False):
    random = np.random.default_rng(seed)
    outputs = np.abs(random.normal(size=relus)) * (1 if one_sign else np.where(np.arange(relus) % 2, 1, -1))
    return ReLUNetwork(random.normal(size=(relus, inputs)), random.normal(size=relus), outputs, output_bias)


def nearly_relus(relus, inputs):
    """A threshold unit for each subset of the ReLUs, but for noise."""
    random = np.random.default_rng(0)
    subsets = np.arange(2**relus)[:, None] >> np.arange(relus)[::-1] & 1
    scores = subsets @ random.normal(size=(relus, inputs + 1)) + 0.1 * random.normal(size=(2**relus, inputs + 1))
    return SignNetwork.disjunction(scores[:, :-1], scores[:, -1])


def tangents(units, inputs):
    """Half-spaces around a ball, none of them redundant."""
    normals = np.random.default_rng(1).normal(size=(units, inputs))
    return SignNetwork.disjunction(normals / np.linalg.norm(normals, axis=1, keepdims=True), -np.ones(units))


NETWORKS = {
    "expand.json": lambda: random_network(20, 6, 0),
    "mixed.json": lambda: random_network(40, 7, 0),
    "positive.json": lambda: random_network(60, 8, 0, -30.0, one_sign=True),
    "degenerate.json": lambda: ReLUNetwork(
        np.sign(random_network(34, 9, 0).hidden_weight), np.zeros(34), np.tile([1, -1], 17), 0
    ),
    "independent.json": lambda: random_network(24, 24, 0),
    "wide.json": lambda: random_network(14, 13, 3),
    "flat.json": lambda: random_network(30, 4, 1),
    "large.json": lambda: random_network(128, 30, 0),
    "moved.json": lambda: replace(random_network(40, 7, 0), output_bias=-1.0 - 1e-9),
    "or.json": lambda: tangents(256, 2),
    "tangents.npz": lambda: tangents(800, 6),
    "nearly.npz": lambda: nearly_relus(13, 60),
}
# each keeps an idle machine busy for more than ten seconds
BUSY = {
    "expand": "minimal expand.json --engine expand",
    "tree": "minimal degenerate.json --engine tree",
    "box": "minimal mixed.json --domain=-9,9",
    "vertices": "minimal mixed.json",
    "one sign": "minimal positive.json",
    "count": "minimal positive.json --count",
    "independent": "minimal independent.json",
    "circuit": "minimal wide.json -o out.json",
    "another circuit": "minimal flat.json --circuit",
    "proof": "minimal mixed.json --max-units 400000 --proof out.proof",
    "estimate": "estimate large.json --relative-error 1e-6",
    "equal": "equal mixed.json moved.json",
    "compress": "compress tangents.npz",
    "nearest": "nearest nearly.npz",
    "draw": "draw or.json -o out.png",
    "report": "report or.json -o out.html",
    "tightness": "tightness --relus 12:14 --inputs 6:8 --trials 500 --out out",
    "trained": "trained --out out",
    "learn": "learn figure4 --out out",
}
QUICK = ["vertices", "circuit", "compress"]
LIMITED = [name for name in BUSY if name not in ("tightness", "trained", "learn")]  # these go on where they were stopped


def some(quick, slow):
    """Parameters, some of them only for those who have time."""
    return [*quick, *(pytest.param(value, marks=pytest.mark.slow) for value in slow if value not in quick)]


@contextmanager
def started(folder, line):
    """The command, at work."""
    for name in {word for word in line.split() if word in NETWORKS}:
        save(NETWORKS[name](), folder / name)
    command = [sys.executable, "-m", "lpnet", "-v", *line.split()]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            if "--out out" in line:  # it reads nothing
                while not (folder / "out").exists():
                    time.sleep(0.1)
            else:
                assert "read" in process.stderr.readline()
            yield process
        finally:
            process.kill()


def check_said(name, code, out, errors):
    """What is said beside the answer."""
    assert "Traceback" not in errors
    assert code in (3, 130)
    if code == 130:
        assert out == ""
        assert errors.splitlines()[-1] == "lpnet: interrupted"
    elif BUSY[name].startswith("minimal"):
        assert "at least" in out or "complete" not in out
        assert "interrupted" in errors or "time limit" in errors


@POSIX
@pytest.mark.parametrize("seconds", some([0.1, 1.7], [0.6, 4]))
@pytest.mark.parametrize("name", some(QUICK, BUSY))
def test_ctrl_c_ends_every_command_at_once(tmp_path, name, seconds):
    with started(tmp_path, BUSY[name]) as process:
        time.sleep(seconds)
        assert process.poll() is None, "it was to be busy"
        pressed = time.monotonic()
        process.send_signal(signal.SIGINT)
        out, errors = process.communicate(timeout=60)
        assert time.monotonic() - pressed < SOON
        check_said(name, process.returncode, out, errors)
    assert not list(tmp_path.glob(".lpnet-*"))


@pytest.mark.parametrize("limit", some([1], [3]))
@pytest.mark.parametrize("name", some(["vertices", "circuit", "estimate", "report"], LIMITED))
def test_a_time_limit_is_one_for_the_whole_command(tmp_path, name, limit):
    with started(tmp_path, f"{BUSY[name]} --time-limit {limit}") as process:
        begun = time.monotonic()
        out, errors = process.communicate(timeout=60)
        assert time.monotonic() - begun < limit + SOON
        if name == "report":
            assert process.returncode == 0
            assert "Left out" in (tmp_path / "out.html").read_text()
        else:
            check_said(name, process.returncode, out, errors)


def test_a_limit_is_one_for_all_files(tmp_path):
    files = []
    for number in range(4):
        files.append(tmp_path / f"{number}.json")
        save(random_network(20, 6, number), files[-1])
    started = time.monotonic()
    result = CliRunner().invoke(app, ["minimal", *map(str, files), "--engine", "expand", "--time-limit", "1", "--json"])
    assert time.monotonic() - started < 1 + SOON
    assert result.exit_code == 3
    (row,) = map(json.loads, result.stdout.splitlines())
    assert not row["complete"]
    assert f"3 files from {files[1]} on were not begun" in result.stderr


@pytest.mark.parametrize("engine", ["auto", *ENGINES])
def test_as_many_pieces_as_were_asked_for(engine):
    network = random_network(7, 7 if engine == "independent" else 3, 1)
    form, domain = normal_form(network), Polyhedron.everywhere(network.inputs)
    every = find_pieces(form, domain, Watch(), engine)[0]
    total = len(every.patterns)
    for most, complete in ((1, False), (5, False), (total - 1, False), (total, True), (total + 1, True)):
        watch = Watch(max_pieces=most)
        found = find_pieces(form, domain, watch, engine)[0]
        assert len(found.patterns) == min(most, total)
        assert (found.complete, watch.stopped is None) == (complete, complete)
        assert {*map(bytes, found.patterns)} <= {*map(bytes, every.patterns)}
        assert found.witnesses is None or len(found.witnesses) == len(found.patterns)


def test_a_proof_of_what_was_found_before_the_limit(tmp_path):
    save(random_network(7, 3, 1), tmp_path / "x.json")
    result = CliRunner().invoke(
        app, ["minimal", str(tmp_path / "x.json"), "--max-units", "2", "--proof", str(tmp_path / "proof")]
    )
    assert result.exit_code == 3
    assert "incomplete, the limit of 2 was reached: the 2 half-spaces found are needed" in result.stderr
    assert "at least 2" in result.stdout
    assert CliRunner().invoke(app, ["verify", str(tmp_path / "proof")]).exit_code == 3  # in part


def test_nothing_found_is_not_zero(tmp_path):
    save(random_network(20, 6, 0), tmp_path / "x.json")
    result = CliRunner().invoke(app, ["minimal", str(tmp_path / "x.json"), "--engine", "expand", "--time-limit", "0"])
    assert result.exit_code == 3
    assert "at least 0" in result.stdout
    assert "none was found" in result.stderr


def test_progress_never_goes_back():
    seen = []
    watch = Watch(report=lambda share, found: seen.append((share, found)))
    for share, found in ((0.1, 3), (0.05, 9), (0.4, 1)):
        watch(share, found)
    watch.part(0.2, 0.3)(0.5, 20)
    assert seen == [(0.1, 3), (0.1, 9), (0.4, 9), (0.4, 20)]


def test_work_that_looks_returns_what_it_has():
    watch = Watch(seconds=0.2)

    def count():
        done = 0
        while watch(0.5, done):
            done += 1
            time.sleep(0.01)
        return done

    assert 1 < watch.call(count) < 100


def test_work_that_does_not_look_is_given_up():
    finish = threading.Event()
    watch = Watch(seconds=0.2)
    started = time.monotonic()
    with pytest.raises(Stopped, match=r"the time limit of 0\.2 s was reached"):
        watch.call(finish.wait, 60)
    assert GRACE <= time.monotonic() - started < GRACE + SOON
    assert unattended()
    finish.set()
    while unattended():
        time.sleep(0.01)


def test_what_a_call_raises_and_returns():
    watch = Watch()
    assert watch.call(divmod, 7, 2) == (3, 1)
    with pytest.raises(ZeroDivisionError):
        watch.call(divmod, 7, 0)
    watch.stopped, watch.interrupted = "it was interrupted", True
    with pytest.raises(Interrupted):
        watch.call(time.sleep, 60)


def test_the_clock_of_a_part():
    watch = Watch(seconds=50)
    part = watch.part(0.0, 0.5)
    assert 40 < part.left <= 50
    part.seconds = 0
    assert part.left == 0
    assert not part(0.5, 1)
    assert watch(0.5, 1)


@POSIX
def test_a_process_does_not_wait_for_work_that_was_given_up(tmp_path):
    program = """
import sys, time
import lpnet.cli.equal
from lpnet.cli import main
lpnet.equal = lambda *_: time.sleep(60)
sys.argv = ["lpnet", "equal", "x.json", "x.json", "--time-limit", "0.1"]
main()
"""
    save(random_network(3, 2, 0), tmp_path / "x.json")
    started = time.monotonic()
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (3, "")
    assert "the time limit of 0.1 s was reached" in done.stderr
    assert time.monotonic() - started < 20


def test_nothing_is_drawn_after_the_time(tmp_path):
    save(tangents(256, 2), tmp_path / "or.json")
    result = CliRunner().invoke(app, ["draw", str(tmp_path / "or.json"), "-o", str(tmp_path / "x.png"), "--time-limit", "0"])
    assert result.exit_code == 3
    assert "not drawn, the time limit of 0 s was reached" in result.stderr
    assert [file.name for file in tmp_path.iterdir()] == ["or.json"]
