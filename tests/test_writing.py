"""Files are written beside the one they replace; what killed processes leave there goes, what living ones write stays."""

import os
import subprocess
import sys
from pathlib import Path

from lpnet.io import load, save, writing
from lpnet.io.writing import remove_abandoned, replacing

DATA = Path(__file__).parent.parent / "data"


def test_what_was_left_half_written_is_removed_by_the_next_write(tmp_path):
    (tmp_path / ".lpnet-0123456789abcdef").write_bytes(b"half")
    others = [tmp_path / name for name in (".lpnet-notes", ".lpnet-0123456789abcdef.txt", "lpnet-0123456789abcdef")]
    for other in others:
        other.write_bytes(b"mine")
    kept = [tmp_path / ".lpnet-0000000000000000", tmp_path / ".lpnet-1111111111111111"]
    kept[0].mkdir()
    os.mkfifo(kept[1])
    save(load(DATA / "theorem2_n3.json"), tmp_path / "out.json")
    assert sorted(tmp_path.iterdir()) == sorted([*others, *kept, tmp_path / "out.json"])


def test_writers_leave_each_other_alone(tmp_path):
    """Six processes write beside each other, each removing what it takes for abandoned before every write."""
    program = """
import sys, time
from lpnet.io.writing import remove_abandoned, replacing
for i in range(40):
    remove_abandoned.cache_clear()
    with replacing(f"{sys.argv[1]}-{i}") as file:
        file.write(sys.argv[1].encode())
        time.sleep(0.001)
"""
    runs = [subprocess.Popen([sys.executable, "-c", program, str(k)], cwd=tmp_path) for k in range(6)]
    assert [run.wait() for run in runs] == [0] * 6
    assert {file.name: file.read_text() for file in tmp_path.iterdir()} == {
        f"{k}-{i}": str(k) for k in range(6) for i in range(40)
    }


def test_a_half_written_file_of_a_living_process_stays(tmp_path):
    with replacing(tmp_path / "first") as first:
        first.write(b"1")
        remove_abandoned.cache_clear()
        with replacing(tmp_path / "second") as second:
            second.write(b"2")
        assert len(list(tmp_path.iterdir())) == 2
    assert (tmp_path / "first").read_bytes() == b"1"


def test_a_file_taken_for_abandoned_before_it_was_locked_is_begun_anew(tmp_path, monkeypatch):
    honest, calls = writing.fcntl.flock, []

    def removed(file, kind):
        calls.append(file)
        if len(calls) == 1:
            Path(file.name).unlink()
        honest(file, kind)

    monkeypatch.setattr(writing.fcntl, "flock", removed)
    with replacing(tmp_path / "out") as file:
        file.write(b"whole")
    assert len(calls) == 2
    assert [file.read_bytes() for file in tmp_path.iterdir()] == [b"whole"]
