"""What libraries write that cannot be installed beside lpnet, read back; a variable names an interpreter that has each.

python3.11 -m venv keras2 && keras2/bin/pip install "tensorflow-cpu==2.15.*"
LPNET_PYTHON_KERAS2=keras2/bin/python python -m pytest -m slow tests/test_elsewhere.py
"""

import os
import subprocess
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest

import lpnet

SCRIPTS = Path(__file__).parent / "elsewhere"


def written(library, folder):
    """The points and, by the file's name, the library's own predictions for what it wrote into a folder."""
    variable = f"LPNET_PYTHON_{library.upper()}"
    if variable not in os.environ:
        pytest.skip(f"{variable} names no interpreter that has the library, see tests/elsewhere/write_{library}.py")
    subprocess.run([os.environ[variable], SCRIPTS / f"write_{library}.py", folder], check=True)
    with np.load(folder / "predictions.npz") as archive:
        predictions = dict(archive)
    return predictions.pop("points"), predictions


def check(file, points, answers, pair=None):
    """The network decides as the margin does, except perhaps where the library may have rounded it over 0."""
    margin = answers[:, 0] if pair is None else answers[:, pair[0]] - answers[:, pair[1]]
    clear = np.abs(margin) > (1e-6 if answers.dtype == np.float32 else 1e-14) * max(10, np.abs(answers).max())
    assert clear.mean() > 0.9, file
    assert {*np.sign(margin[clear])} == {-1, 1}, file
    wrong = np.flatnonzero(lpnet.load(file, pair)(points[clear]) != np.sign(margin[clear]))
    assert not wrong.size, f"{file}, outputs {pair}: {wrong.size} of {clear.sum()} points"


@pytest.mark.slow
@pytest.mark.parametrize(("library", "least"), [("keras2", 32), ("keras2onnx", 12), ("tf2onnx", 5), ("nnet", 6)])
def test_files_are_read_as_the_library_predicts(library, least, tmp_path):
    points, predictions = written(library, tmp_path)
    assert len(predictions) >= least
    for name, answers in predictions.items():
        outputs = answers.shape[1]
        for pair in permutations(range(outputs), 2) if outputs > 1 else [None]:
            check(tmp_path / name, points, answers, pair)
