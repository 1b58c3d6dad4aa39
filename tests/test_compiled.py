"""The compiled engines: said when they are compiled, compiled once where the result can be kept, working where it cannot."""

import os
import subprocess
import sys

PROGRAM = """
import logging, sys
logging.basicConfig(format="%(message)s", level=logging.INFO, stream=sys.stdout)
from numba.core import caching
if "unwritable" in sys.argv:  # what numba finds where neither the package's folder nor the user's own cache may be written to
    caching.CacheImpl._locator_classes = []
import numpy as np
from lpnet.boundary.vertices.order_kernel import sort_words, unpack
words, patterns = np.array([[3], [1], [2]], dtype=np.uint64) << np.uint64(62), np.empty((3, 2), dtype=np.bool_)
unpack(sort_words(words, np.empty_like(words), 2), patterns)
assert patterns.tolist() == [[False, True], [True, False], [True, True]]
"""


def start(folder, *arguments):
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(folder)}
    return subprocess.Popen([sys.executable, "-c", PROGRAM, *arguments], env=environment, stdout=subprocess.PIPE, text=True)


def said(*runs):
    """What each of the runs said, all of which must end well."""
    texts = [run.communicate()[0] for run in runs]
    assert [run.returncode for run in runs] == [0] * len(runs)
    return texts


def test_compiling_is_said_once_and_only_where_it_happens(tmp_path):
    assert said(start(tmp_path)) == ["compiling the engines, once; about a minute\n"]
    assert said(start(tmp_path)) == [""]


def test_without_a_folder_to_write_to(tmp_path):
    (text,) = said(start(tmp_path, "unwritable"))
    assert text.count("\n") == 1
    assert "set NUMBA_CACHE_DIR to a folder to keep them in" in text
    assert not list(tmp_path.iterdir())


def test_two_processes_that_compile_at_the_same_time(tmp_path):
    said(*(start(tmp_path) for _ in range(2)))
    assert said(start(tmp_path)) == [""]
