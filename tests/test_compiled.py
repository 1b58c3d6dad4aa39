"""The compiled engines: never older than their sources, compiled once where they can be kept, and stopped at once."""

import ast
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from ctrl_c import heeding

import lpnet
from lpnet import compiled

DATA = Path(__file__).parent.parent / "data"
PACKAGE = Path(lpnet.__file__).parent
PROGRAM = """
import logging, sys
logging.basicConfig(format="%(message)s", level=logging.INFO, stream=sys.stdout)
import numpy as np
from lpnet.boundary.vertices.order_kernel import sort_words, unpack
from lpnet.compiled import ready
words, patterns = np.array([[3], [1], [2]], dtype=np.uint64) << np.uint64(62), np.empty((3, 2), dtype=np.bool_)
assert ready(lambda: True, (sort_words, words, words, 2), (unpack, words, patterns))
unpack(sort_words(words, np.empty_like(words), 2), patterns)
assert patterns.tolist() == [[False, True], [True, False], [True, True]]
"""
CALLEE = """
import numpy as np
from lpnet.boundary.tree.level_kernel import measure
heights = np.zeros(1)
measure(np.ones((1, 2)), np.ones(2), heights)
print(heights[0])
"""


def start(program, folder, **variables):
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(folder), **variables}
    command = [sys.executable, "-P", "-c", program]  # from PYTHONPATH, if it says so, and not from this folder
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)


def said(*runs):
    """What each of the runs said, all of which must end well."""
    texts = [run.communicate()[0] for run in runs]
    assert [run.returncode for run in runs] == [0] * len(runs)
    return texts


def kept(folder):
    return [file for file in folder.rglob("*") if file.is_file()]


def test_compiling_is_said_once_and_only_where_it_happens(tmp_path):
    (text,) = said(start(PROGRAM, tmp_path))
    first, *_, last = text.splitlines()
    assert first == "compiling the engines, once: about half a minute"
    assert last.startswith("compiling the engines: done in ")
    assert last.endswith(f", kept in {kept(tmp_path)[0].parent}")
    assert said(start(PROGRAM, tmp_path)) == [""]


def test_a_change_in_what_is_called_is_seen(tmp_path):
    """`measure` is in another file than `dot_row`, which it calls."""
    copy = shutil.copytree(PACKAGE, tmp_path / "copy" / "lpnet", ignore=shutil.ignore_patterns("__pycache__"))

    def run():
        return said(start(CALLEE, tmp_path / "cache", PYTHONPATH=str(copy.parent)))

    assert run() == ["2.0\n"]
    called = copy / "programs" / "cone_kernel.py"
    text = called.read_text()
    changed = text.replace("total += matrix[i, j] * vector[j]", "total -= matrix[i, j] * vector[j]")
    assert changed != text
    called.write_text(changed)
    assert run() == ["-2.0\n"]
    called.write_text(text)
    assert run() == ["2.0\n"]
    assert len(list((tmp_path / "cache" / "lpnet").iterdir())) == 2


def test_the_digest_covers_whatever_is_compiled():
    """Everything of lpnet that a kernel imports: what is compiled holds its functions and constants."""
    kernels = [source for source in compiled.SOURCES if source.name.endswith("_kernel.py")]
    assert len(kernels) >= 6
    for kernel in kernels:
        for node in ast.walk(ast.parse(kernel.read_text())):
            names = [node.module] if isinstance(node, ast.ImportFrom) else [n.name for n in getattr(node, "names", [])]
            for name in names if isinstance(node, ast.Import | ast.ImportFrom) else []:
                source = PACKAGE.parent / (name.replace(".", "/") + ".py")
                assert name in ("numpy", "numpy.typing", "typing") or source in compiled.SOURCES, f"{kernel} imports {name}"
    for source in PACKAGE.rglob("*.py"):
        assert "import compiled" not in source.read_text() or source in compiled.SOURCES, source


def test_where_it_is_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(compiled.CONFIG, "CACHE_DIR", "")
    for name, value, wanted in [
        ("XDG_CACHE_HOME", tmp_path / "x", tmp_path / "x"),
        ("XDG_CACHE_HOME", "", tmp_path / "home" / ".cache"),
    ]:
        monkeypatch.setenv("HOME", str(tmp_path / "home"))
        monkeypatch.setenv(name, str(value))
        assert compiled.folder.__wrapped__().parent == wanted / "lpnet"


def test_other_folders_are_removed_when_nobody_has_used_them_for_long(tmp_path):
    now = time.time()
    for name, days in [("old", 31), ("used", 29)]:
        (tmp_path / "lpnet" / name).mkdir(parents=True)
        (tmp_path / "lpnet" / name / "function").touch()
        os.utime(tmp_path / "lpnet" / name, (now, now - days * 86400))
    said(start(PROGRAM, tmp_path))
    assert len(list((tmp_path / "lpnet").iterdir())) == 2
    assert (tmp_path / "lpnet" / "used" / "function").exists()


def test_without_a_folder_to_write_to(tmp_path):
    (tmp_path / "file").touch()
    (text,) = said(start(PROGRAM, tmp_path / "file"))
    assert text.endswith(", not kept: set NUMBA_CACHE_DIR to a folder that can be written to\n")
    assert kept(tmp_path) == [tmp_path / "file"]


def test_damaged_files_are_compiled_anew(tmp_path):
    said(start(PROGRAM, tmp_path))
    for file in kept(tmp_path):
        content = file.read_bytes()
        file.write_bytes(content[:-100] + bytes(100) if "unpack" in file.name else content[:100])
    assert "compiling" in said(start(PROGRAM, tmp_path))[0]
    assert said(start(PROGRAM, tmp_path)) == [""]


@pytest.mark.slow
def test_two_processes_that_compile_at_the_same_time(tmp_path):
    said(*(start(PROGRAM, tmp_path) for _ in range(2)))
    assert said(start(PROGRAM, tmp_path)) == [""]
    assert len(kept(tmp_path)) == 2


@pytest.mark.parametrize("engine", ["vertices", pytest.param("tree", marks=pytest.mark.slow)])
@pytest.mark.parametrize("stop", ["the time limit of 2 s was reached", "it was interrupted"])
def test_a_stop_while_it_compiles(stop, engine, tmp_path):
    command = [sys.executable, "-m", "lpnet", "minimal", "--json", "wine_pca3.onnx", "--engine", engine]
    process = subprocess.Popen(
        heeding(command if stop == "it was interrupted" else [*command, "--time-limit=2"]), cwd=DATA, text=True,
        stderr=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)},
    )  # fmt: skip
    if stop == "it was interrupted":
        while process.stderr.readline() != "compiling the engines, once: about half a minute\n":
            assert process.poll() is None
        time.sleep(1)
        process.send_signal(signal.SIGINT)
    started = time.monotonic()
    out, err = process.communicate(timeout=60)
    if stop == "it was interrupted":
        assert time.monotonic() - started < 5  # on a busy machine
        assert (process.returncode, out) == (130, "")
    else:
        answer = json.loads(out)
        assert answer["seconds"] < 7
        assert (process.returncode, answer["complete"], answer["units"]) == (3, False, 0)
    assert "Traceback" not in err
    assert stop.removeprefix("it was ") in err
    assert "lpnet warm" in err


@pytest.mark.slow
def test_warm_leaves_nothing_to_compile(tmp_path):
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    lpnet_ = [sys.executable, "-m", "lpnet"]
    done = subprocess.run([*lpnet_, "warm"], env=environment, capture_output=True, text=True, check=True)
    assert str(tmp_path) in done.stdout
    again = subprocess.run([*lpnet_, "warm"], env=environment, capture_output=True, text=True, check=True)
    assert again.stderr == ""
    files = len(kept(tmp_path))
    for name, *options in [
        ("minimal", "--engine", "tree"), ("minimal", "--engine", "vertices"), ("minimal", "--domain", "-1,1"),
        ("minimal", "--count", "--engine", "vertices"), ("equal",), ("estimate",),
    ]:  # fmt: skip
        network = ["digits_3v8_pca6.json"] * (2 if name == "equal" else 1)
        done = subprocess.run([*lpnet_, name, *network, *options], cwd=DATA, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert "compiling" not in done.stderr
    assert len(kept(tmp_path)) == files
