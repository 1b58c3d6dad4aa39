"""Studies: the rows are right, and the same whoever computes them, however often the work is interrupted."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import oracle
import pytest
from pyarrow import parquet
from typer.testing import CliRunner

from lpnet import InputError, minimal_equivalent
from lpnet.cli import app
from lpnet.errors import Stopped
from lpnet.laws import central_number, independent_number, mixed_bound, one_sign_bound
from lpnet.studies.distributions import OUTPUT_BIASES, SIGNS, WEIGHTS, random_network
from lpnet.studies.folder import TABLE, load_study, locked
from lpnet.studies.grid import AT_ONCE, RandomStudy
from lpnet.studies.run import run
from lpnet.studies.study import from_parameters, measured, parameters
from lpnet.studies.summary import summary
from lpnet.studies.trained import DATA, TrainedStudy, examples, training
from lpnet.watch import Watch

FOLDER = Path(__file__).parent.parent / "data"
SMALL = RandomStudy(relus=(2, 3, 5), inputs=(1, 2, 4), signs=("positive", "random"), trials=10, seed=4)
KILLED = replace(SMALL, relus=(4, 6, 7), trials=60, inputs=(2, 4, 7))
FULL = RandomStudy(relus=tuple(range(2, 15)), inputs=tuple(range(1, 9)), bias=(0.0, 1.0), trials=33, seed=7)  # 20,592 networks


def rows(table):
    """All columns but the one that may differ."""
    return table.drop_columns(["seconds"]).to_pylist()


def direct(study):
    """The rows of a study without a folder."""
    found = [row for chunk in range(study.chunks) for row in study.rows(chunk)]
    return [{name: value for name, value in row.items() if name != "seconds"} for row in found]


def options(study):
    """The study as options of the command."""
    lists = {"--relus": study.relus, "--inputs": study.inputs, "--signs": study.signs, "--bias": study.bias}
    given = [part for name, values in lists.items() for part in (name, ",".join(map(str, values)))]
    return [*given, "--trials", str(study.trials), "--seed", str(study.seed)]


def command(*arguments):
    return [sys.executable, "-m", "lpnet", *map(str, arguments)]


def test_needed_is_what_other_engines_find():
    study = RandomStudy((3, 5), (2, 3), tuple(SIGNS), tuple(WEIGHTS), (0.0, 1.0), tuple(OUTPUT_BIASES), trials=1, seed=1)
    assert study.size == 2 * 2 * 3 * 6 * 2 * 4
    for number in range(0, study.size, 7):
        network, row = study.network(number)
        row |= measured(network)
        assert row["status"] == "complete"
        assert row["needed"] == minimal_equivalent(network, engine="tree").units
        if row["relus"] == 3:
            assert row["needed"] == len(oracle.needed_halfspaces(network))
        bound = mixed_bound if row["positive"] and row["negative"] else one_sign_bound
        assert row["law"] == bound(row["positive"] + row["negative"], row["inputs"])
        assert row["ratio"] == row["needed"] / row["law"] <= 1


def test_needed_is_the_closed_form_where_there_is_one():
    for row in direct(RandomStudy((2, 4), (4, 5), trials=3)):
        assert row["needed"] == independent_number(row["positive"], row["negative"], -1.0)
    central = RandomStudy((9,), (3,), ("positive",), bias=(0.0,), trials=20)
    for row in direct(central):
        assert row["needed"] in {central_number(9, 3, silent) for silent in (False, True)}


def test_a_network_does_not_depend_on_the_grid():
    larger = replace(SMALL, relus=(9, 5, 4), weights=("he", "gaussian"), trials=12)
    names = ("relus", "inputs", "signs", "weights", "bias", "output_bias", "trial")

    def by_name(study):
        made = map(study.network, range(study.size))
        return {tuple(row[name] for name in names): network for network, row in made}

    one, other = by_name(SMALL), by_name(larger)
    shared = one.keys() & other.keys()
    assert len(shared) == 60
    for key in shared:
        np.testing.assert_array_equal(one[key].hidden_weight, other[key].hidden_weight)
        assert one[key].output_bias == other[key].output_bias
    drawn = [network.hidden_weight.tobytes() for network in one.values()]
    assert len(set(drawn)) == len(drawn)
    assert by_name(replace(SMALL, seed=5))[next(iter(shared))].hidden_weight.tobytes() not in drawn


def test_the_distributions_are_what_they_say():
    def draw(weights, **others):
        given = {"signs": "random", "bias": 1.0, "output_bias": "balanced", **others}
        return random_network(np.random.default_rng(3), 2000, 5, given["signs"], weights, given["bias"], given["output_bias"])

    for name in WEIGHTS:
        network = draw(name)
        assert abs(np.sign(network.output_weight).mean()) < 0.1
        assert network.hidden_weight.any(axis=1).all()
        decisions = network(np.random.default_rng(4).normal(size=(1000, 5)))
        assert abs(decisions.mean()) < 0.4
    assert draw("gaussian").hidden_weight.var() == pytest.approx(1, abs=0.05)
    np.testing.assert_allclose(np.linalg.norm(draw("sphere").hidden_weight, axis=1), 1)
    assert (draw("sparse").hidden_weight == 0).mean() == pytest.approx(0.4, abs=0.02)  # of 5, 4 are 0 with probability ½
    assert set(np.unique(draw("integer").hidden_weight)) == set(range(-3, 4))
    assert draw("he").hidden_weight.var() == pytest.approx(2 / 5, abs=0.03)
    assert draw("he").output_weight.var() == pytest.approx(2 / 2000, abs=2e-4)
    rows = draw("correlated").hidden_weight
    assert rows.var(axis=0).mean() == pytest.approx(0.5, abs=0.05)  # the rest of the 1 is common to all
    assert draw("gaussian", signs="half").output_weight.sum() == 0
    assert not draw("gaussian", bias=0.0).hidden_bias.any()


def test_any_number_of_workers_and_an_interruption_give_the_same_rows(tmp_path):
    expected = direct(SMALL)
    table = run(SMALL, tmp_path / "one", workers=1)
    assert rows(table) == expected
    assert json.loads(table.schema.metadata[b"study"])["parameters"] == json.loads(json.dumps(parameters(SMALL)))
    assert json.loads(table.schema.metadata[b"study"])["versions"]["numpy"] == np.__version__
    assert rows(run(SMALL, tmp_path / "two", workers=2)) == expected
    done = []
    with pytest.raises(Stopped, match="stopped after"):
        run(SMALL, tmp_path / "stopped", 1, watch=Watch(report=lambda share, found: done.append(found), max_pieces=AT_ONCE - 1))
    assert len(list((tmp_path / "stopped" / "parts").iterdir())) == 1
    (tmp_path / "stopped" / "parts" / ".lpnet-0123456789abcdef").write_bytes(b"half a part")
    assert rows(run(SMALL, tmp_path / "stopped", workers=1)) == expected
    assert sorted(file.name for file in (tmp_path / "stopped").iterdir()) == ["lock", TABLE, "study.json"]
    before = (tmp_path / "stopped" / TABLE).stat().st_mtime_ns
    assert rows(run(SMALL, tmp_path / "stopped")) == rows(load_study(tmp_path / "stopped")) == expected
    assert (tmp_path / "stopped" / TABLE).stat().st_mtime_ns == before


def test_killed_after_the_table_was_written(tmp_path):
    """Between the last two steps: the table is there, and so are the parts."""
    expected = rows(run(SMALL, tmp_path, workers=1))
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "00000000.parquet").write_bytes(b"whatever")
    assert rows(run(SMALL, tmp_path)) == expected
    assert not (tmp_path / "parts").exists()


def kill_at_random(study, folder, kills, workers):
    """The rows of a study whose process is killed so many times, at random moments over its whole length."""
    dice = random.Random(5)
    arguments = command("tightness", *options(study), "--out", folder, "--workers", workers)
    for moment in sorted(dice.uniform(0, 0.95 * study.chunks) for _ in range(kills)):
        process = subprocess.Popen(arguments, stderr=subprocess.DEVNULL)
        while len(list(folder.glob("parts/*.parquet"))) < moment:
            time.sleep(0.01)
            assert process.poll() is None
        time.sleep(dice.uniform(0, 0.1))
        process.kill()
        assert process.wait() == -signal.SIGKILL
        assert not (folder / TABLE).exists()
    assert subprocess.run(arguments, capture_output=True).returncode == 0
    return rows(load_study(folder))


@pytest.mark.slow
def test_kill_9(tmp_path):
    assert kill_at_random(KILLED, tmp_path, 2, 1) == direct(KILLED)


@pytest.fixture(scope="module")
def full_rows():
    """The 20,592 rows of `FULL`, as they are in data/."""
    return parquet.read_table(FOLDER / "tightness.parquet").to_pylist()


@pytest.mark.slow
def test_kill_9_ten_times_among_20000_networks(tmp_path, full_rows):
    assert kill_at_random(FULL, tmp_path, 10, 2) == full_rows


def test_ctrl_c_stops_the_command_and_its_workers(tmp_path):
    """As at a terminal, where it reaches all of them."""
    process = subprocess.Popen(
        command("tightness", *options(replace(KILLED, trials=5000)), "--out", tmp_path, "--workers", 2),
        start_new_session=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    while not list(tmp_path.glob("parts/*.parquet")):
        time.sleep(0.1)
        assert process.poll() is None
    refused = CliRunner().invoke(app, ["tightness", "--out", str(tmp_path)])
    assert refused.exit_code == 2
    assert "another process is at work in it" in refused.stderr
    os.killpg(process.pid, signal.SIGINT)
    output, errors = process.communicate(timeout=60)
    assert (process.returncode, output) == (3, "")
    *progress, last = errors.splitlines()
    assert all("networks" in line for line in progress)
    assert last.startswith(f"lpnet: {tmp_path}: stopped after ")
    assert last.endswith(f"it was interrupted; lpnet tightness --out {tmp_path} goes on")


class Deadly(RandomStudy):
    """Kills whatever computes its last chunk."""

    def rows(self, chunk):
        if chunk == self.chunks - 1:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().rows(chunk)


def test_a_worker_is_lost(tmp_path):
    study = Deadly((2, 3), (1, 2), trials=20)
    with pytest.raises(Stopped, match="a worker was killed"):
        run(study, tmp_path, workers=2)
    alive = RandomStudy((2, 3), (1, 2), trials=20)
    assert rows(run(alive, tmp_path, workers=1)) == direct(alive)


@contextmanager
def cluster(folder):
    """A Dask scheduler and two workers on this machine, each a process: (address, the workers)."""
    python = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard"]
    file = folder / "scheduler.json"
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": folder}
    processes = [subprocess.Popen([*python, "--scheduler-file", str(file)], **quiet)]
    try:
        while not file.exists() or not file.read_text():
            time.sleep(0.1)
        address = json.loads(file.read_text())["address"]
        worker = [sys.executable, "-m", "distributed.cli.dask_worker", address, "--no-nanny", "--nthreads", "1"]
        worker += ["--host", "127.0.0.1", "--no-dashboard", "--local-directory", str(folder)]
        processes += [subprocess.Popen(worker, **quiet) for _ in range(2)]
        yield address, processes[1:]
    finally:
        for process in processes:
            process.kill()
            process.wait()


def on_a_cluster_that_loses_a_worker(study, tmp_path):
    """The rows of a study by two workers, one of which is killed after a third of the networks."""
    seen = []
    with cluster(tmp_path) as (address, workers):

        def look(share, found):
            seen.append(found)
            if found > study.size / 3 and workers[0].poll() is None:
                workers[0].kill()

        table = run(study, tmp_path / "study", scheduler=address, watch=Watch(report=look))
        assert workers[0].poll() is not None
        assert workers[1].poll() is None
    assert seen[0] == 0
    assert seen[-1] == study.size
    return rows(table)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
def test_a_cluster_gives_the_same_rows_though_a_worker_is_killed(tmp_path):
    study = replace(KILLED, trials=100)
    assert on_a_cluster_that_loses_a_worker(study, tmp_path) == direct(study)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
def test_a_cluster_gives_the_same_20000_rows(tmp_path, full_rows):
    assert on_a_cluster_that_loses_a_worker(FULL, tmp_path) == full_rows


def test_a_scheduler_that_is_not_there(tmp_path, monkeypatch):
    monkeypatch.setattr("lpnet.cluster.SECONDS", 1)
    for address in ("tcp://127.0.0.1:1", "nonsense:"):
        result = CliRunner().invoke(app, ["tightness", "--out", str(tmp_path / "a"), "--scheduler", address])
        assert result.exit_code == 2
        assert f"--scheduler: {address} cannot be reached" in result.stderr
        assert "Traceback" not in result.stderr


def test_one_process_at_a_time(tmp_path):
    with locked(tmp_path), pytest.raises(InputError, match="another process is at work in it"):
        run(SMALL, tmp_path)
    run(replace(SMALL, relus=(2,), trials=1), tmp_path, workers=1)  # the lock of a process that ended binds nobody


@pytest.mark.parametrize("arguments", [["tightness"], ["trained"], ["learn", "figure4", "--quick"]])
def test_a_second_run_into_a_folder_is_refused(tmp_path, arguments):
    with locked(tmp_path):
        second = CliRunner().invoke(app, [*arguments, "--out", str(tmp_path)])
    assert second.exit_code == 2
    assert second.stderr == f"lpnet: {tmp_path}: another process is at work in it; wait for its end, or name another folder\n"
    assert [file.name for file in tmp_path.iterdir()] == ["lock"]


def test_what_a_killed_run_left_half_written_is_removed(tmp_path):
    """At the next run, and not while another one is at work."""
    (tmp_path / "parts" / ".lpnet-folder").mkdir(parents=True)
    for folder in (tmp_path, tmp_path / "parts", tmp_path / "runs"):
        folder.mkdir(exist_ok=True)
        (folder / ".lpnet-0123456789abcdef").write_bytes(b"half")
        (folder / "mine").write_bytes(b"whole")
    with locked(tmp_path):
        assert {file.name for file in tmp_path.rglob("*") if not file.is_dir()} == {"mine", "lock"}
        (tmp_path / ".lpnet-0").touch()
        with pytest.raises(InputError, match="at work"), locked(tmp_path):
            pass
        assert (tmp_path / ".lpnet-0").exists()


def test_no_network_has_the_seconds_of_loading_the_engine(tmp_path):
    seconds = run(replace(SMALL, relus=(5,), inputs=(2,), signs=("random",)), tmp_path, workers=1)["seconds"].to_pylist()
    assert max(seconds) < 0.3 + 10 * float(np.median(seconds))


def test_somebody_elses_file_among_the_parts_is_left_alone(tmp_path):
    small = replace(SMALL, relus=(2,), trials=1)
    (tmp_path / "parts").mkdir()
    with pytest.raises(InputError, match="without study"):
        run(small, tmp_path)
    (tmp_path / "parts").rmdir()
    (tmp_path / "study.json").write_text(json.dumps({"parameters": parameters(small)}))
    (tmp_path / "parts").write_text("a file")
    with pytest.raises(InputError, match="cannot be written"):
        run(small, tmp_path)
    (tmp_path / "parts").unlink()
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / ".DS_Store").write_text("")
    assert run(small, tmp_path, workers=1).num_rows == small.size
    assert run(small, tmp_path).num_rows == small.size


def test_a_grid_beyond_all_bounds_is_refused(tmp_path):
    for relus in ("1100", "1:3000000000", "4:2"):
        result = CliRunner().invoke(app, ["tightness", "--out", str(tmp_path / "a"), "--relus", relus])
        assert result.exit_code == 2
        assert "relus: wanted" in result.stderr


def test_another_study_in_the_folder_is_refused(tmp_path):
    small = replace(SMALL, relus=(2,), trials=1)
    run(small, tmp_path, workers=1)
    before = (tmp_path / TABLE).read_bytes()
    for other, what in ((replace(small, seed=9), "seed 4, and 9"), (TrainedStudy(), "study tightness, and trained")):
        with pytest.raises(InputError, match=f"holds a study with {what} was asked for"):
            run(other, tmp_path)
    assert (tmp_path / TABLE).read_bytes() == before
    (tmp_path / "study.json").unlink()
    with pytest.raises(InputError, match="without study"):
        run(small, tmp_path)


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", '{"parameters": 3}', '{"parameters": {"relus": [2]}}', '{"parameters": {"study": "tightness", "size": 3}}'],
)
def test_a_damaged_manifest(tmp_path, content):
    (tmp_path / "study.json").write_text(content)
    result = CliRunner().invoke(app, ["tightness", "--out", str(tmp_path)])
    assert result.exit_code == 2
    assert result.stderr.startswith("lpnet: ")
    assert result.stderr.count("\n") == 1


def test_a_damaged_part(tmp_path):
    with pytest.raises(Stopped):
        run(SMALL, tmp_path, 1, watch=Watch(max_pieces=AT_ONCE - 1))
    (tmp_path / "parts" / "00000000.parquet").write_bytes(b"PAR1")
    with pytest.raises(InputError, match=r"00000000.parquet: cannot be read .*; remove it"):
        run(SMALL, tmp_path, 1)
    (tmp_path / "parts" / "00000000.parquet").unlink()
    assert rows(run(SMALL, tmp_path, 1)) == direct(SMALL)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (["--relus", "2:x"], "relus: wanted whole numbers like 2:9 or 3,5,8, got '2:x'"),
        (["--relus", "0:3"], "wanted numbers from 1 on"),
        (["--inputs", "5:2"], "inputs: wanted at least one value"),
        (["--inputs", "2,2"], "each once"),
        (["--relus", "2:9:0"], "relus: wanted whole numbers"),
        (["--bias", "much"], "bias: wanted numbers with commas between them"),
        (["--bias", "inf"], "bias: wanted finite numbers"),
        (["--signs", "negative"], "signs: wanted some of positive, half, random, got 'negative'"),
        (["--w0", "one"], "output_bias: wanted some of negative"),
    ],
)
def test_wrong_options_leave_nothing_behind(tmp_path, given, sentence):
    result = CliRunner().invoke(app, ["tightness", "--out", str(tmp_path / "out"), *given])
    assert result.exit_code == 2
    assert sentence in result.stderr
    assert not (tmp_path / "out").exists()


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    result = CliRunner().invoke(app, ["tightness", "--out", str(tmp_path / "file" / "out")])
    assert result.exit_code == 2
    assert "cannot be" in result.stderr


def test_the_command_goes_on_with_what_is_in_the_folder(tmp_path):
    first = [*options(replace(SMALL, trials=2)), "--out", str(tmp_path), "--workers", "1", "--csv"]
    result = CliRunner().invoke(app, ["tightness", *first])
    assert result.exit_code == 0
    assert f"{tmp_path / TABLE}: 36 networks" in result.stdout
    lines = (tmp_path / "networks.csv").read_text().splitlines()
    table = load_study(tmp_path)
    assert lines[0].replace('"', "").split(",") == table.column_names == list(RandomStudy.columns)
    assert len(lines) == 37
    assert CliRunner().invoke(app, ["tightness", "--out", str(tmp_path)]).stdout == result.stdout
    other = CliRunner().invoke(app, ["tightness", "--out", str(tmp_path), "--trials", "3"])
    assert other.exit_code == 2
    assert "holds a study with trials 2, and 3 was asked for" in other.stderr


def test_a_network_that_needs_too_many_is_given_up():
    study = RandomStudy((4, 50), (4,), ("positive",), bias=(0.0,), trials=1, max_units=5000)
    counted, given_up = direct(study)
    assert (counted["needed"], counted["status"]) == (15, "complete")
    assert given_up["status"].startswith("stopped after")
    assert {given_up[name] for name in ("needed", "law", "theorem2", "ratio", "engine")} == {None}


def test_parameters_are_all_there_is(tmp_path):
    for study in (SMALL, TrainedStudy()):
        assert from_parameters(type(study), json.loads(json.dumps(parameters(study)))) == study


def test_the_summary_is_the_table_in_short(tmp_path):
    table = run(replace(SMALL, relus=(2, 50), inputs=(4,), trials=3, max_units=5000), tmp_path, workers=1)
    found = table.to_pylist()
    assert [row["signs"] for row in summary(table)] == ["positive", "random"]
    for row in summary(table):
        own = [one for one in found if one["signs"] == row["signs"]]
        needed = [one["needed"] for one in own if one["needed"] is not None]
        assert (row["networks"], row["given_up"], row["most"]) == (len(own), len(own) - len(needed), max(needed))
        assert row["needed"] == pytest.approx(np.mean(needed))
        assert row["largest"] == max(one["ratio"] for one in own if one["ratio"] is not None)
        assert row["reached"] == sum(one["ratio"] == 1 for one in own)
        assert row["beyond"] == 0


def test_training_starts_where_it_says_and_learns():
    points, classes = examples("iris", 2)
    assert points.shape == (100, 2)
    assert classes.sum() == 0
    np.testing.assert_allclose(np.cov(points.T)[0, 1], 0, atol=1e-12)
    he, glorot = (dict(training(points, classes, 6, initial, [0, 1, 60], 3)) for initial in ("he", "glorot"))
    assert not he[0].hidden_bias.any()
    assert he[0].output_bias == 0
    assert np.abs(glorot[0].hidden_weight).max() <= np.sqrt(6 / (2 + 6))
    assert glorot[0].hidden_bias.all()
    for networks in (he, glorot):
        first, _, last = ((network(points) == classes).mean() for network in networks.values())
        assert last > first
        assert last >= 0.9
        assert np.abs(networks[1].hidden_weight - networks[0].hidden_weight).max() <= 0.011  # a step of Adam is its rate


def test_trained_rows(tmp_path):
    study = TrainedStudy(("iris", "wine"), (3,), (2,), epochs=(0, 2), trials=1)
    table = run(study, tmp_path, workers=1)
    assert rows(table) == direct(study)
    assert table["network"].to_pylist() == list(range(8))
    assert table["epoch"].to_pylist() == [0, 2] * 4
    assert set(table["status"].to_pylist()) == {"complete"}
    with pytest.raises(InputError, match="inputs: wanted at most 4, the features of iris, got 5"):
        TrainedStudy(inputs=(5,))
    with pytest.raises(InputError, match=f"data: wanted some of {', '.join(DATA)}, got 'mnist'"):
        TrainedStudy(data=("mnist",))


def test_trained_classifiers(tmp_path):
    """Of several classes: the law is that of classes, and the table and the pictures take them."""
    study = TrainedStudy(("iris_3", "iris"), (3,), (2,), ("he",), epochs=(0, 3), trials=1)
    table = run(study, tmp_path, workers=1)
    assert rows(table) == direct(study)
    three = [row for row in table.to_pylist() if row["data"] == "iris_3"]
    assert all(0 < row["needed"] <= row["law"] == 7 * 3 for row in three)
    assert three[-1]["accuracy"] > 0.5
    assert {row["positive"] for row in three} == {None}
    assert {row["data"] for row in summary(table)} == {"iris_3", "iris"}


def test_he_at_the_start_needs_a_cone():
    """b = 0 and w0 = 0: {f ≥ 0} is a union of cones, and at most half of the 2n sectors of the plane end at a piece."""
    for row in direct(TrainedStudy(("iris",), (5,), (2,), ("he",), (0,), trials=5)):
        assert row["needed"] <= 2 * row["relus"]
