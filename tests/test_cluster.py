"""One network counted by several processes: the same answer, by other means."""

import json
import pickle
import subprocess
import sys
import time
from contextlib import contextmanager

import numpy as np
import pytest
from cases import random_network
from deep import chain
from typer.testing import CliRunner

from lpnet import Polyhedron, normal_form
from lpnet.boundary.engines import count_pieces
from lpnet.boundary.tree import tree
from lpnet.boundary.vertices import vertices
from lpnet.boundary.vertices.cluster import on_cluster
from lpnet.cli import app
from lpnet.io import save
from lpnet.watch import Watch


def test_what_is_spread_can_be_sent_away():
    """The work survives pickling, and the pieces are the same."""
    form, everywhere = normal_form(random_network(np.random.default_rng(1), 18, 5)), Polyhedron.everywhere(5)
    spread = vertices(form, everywhere, Watch(), spread=lambda work, prefixes: map(pickle.loads(pickle.dumps(work)), prefixes))
    alone = vertices(form, everywhere, Watch(), workers=1)
    np.testing.assert_array_equal(spread.patterns, alone.patterns)
    assert spread.count == alone.count


@pytest.mark.parametrize("seconds", [0.0, 2.0])
def test_nodes_of_a_deep_tree_can_be_sent_away(seconds, monkeypatch):
    """However often what is left is shared out anew: at 0 s nearly nothing is done at a time."""
    monkeypatch.setattr("lpnet.boundary.tree.spread.SECONDS", seconds)
    monkeypatch.setattr("lpnet.boundary.tree.spread.STEPS", 8)
    form, sent = normal_form(chain(np.random.default_rng(4), 2, 5, 4)), []

    def spread(work, nodes):
        for node in nodes:
            sent.append(node)
            yield pickle.loads(pickle.dumps(pickle.loads(pickle.dumps(work))(pickle.loads(pickle.dumps(node)))))

    alone = tree(form, Polyhedron.everywhere(2), Watch(), workers=1)
    assert count_pieces(form, Polyhedron.everywhere(2), Watch(), spread=spread) == (len(alone.patterns), "tree", True)
    assert (len(sent) > 3) == (seconds == 0.0)
    assert count_pieces(form, Polyhedron.everywhere(2), Watch()) == (len(alone.patterns), "tree", True)
    number, _, complete = count_pieces(form, Polyhedron.everywhere(2), Watch(max_pieces=2), spread=spread)
    assert complete == (number == len(alone.patterns))
    assert not complete or seconds


@contextmanager
def cluster(folder):
    """A Dask scheduler and two workers on this machine, each a process: (address, the workers)."""
    python, file = [sys.executable, "-m"], folder / "scheduler.json"
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": folder}
    local = ["--host", "127.0.0.1", "--no-dashboard"]
    scheduler = [*python, "distributed.cli.dask_scheduler", *local, "--port", "0", "--scheduler-file", str(file)]
    processes = [subprocess.Popen(scheduler, **quiet)]
    try:
        while not file.exists() or not file.read_text():
            time.sleep(0.1)
        address = json.loads(file.read_text())["address"]
        worker = [*python, "distributed.cli.dask_worker", address, *local, "--no-nanny", "--nthreads", "1"]
        processes += [subprocess.Popen([*worker, "--local-directory", str(folder)], **quiet) for _ in range(2)]
        yield address, processes[1:]
    finally:
        for process in processes:
            process.kill()
            process.wait()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
def test_a_cluster_gives_the_same_number_though_a_worker_is_killed(tmp_path):
    network = random_network(np.random.default_rng(2), 44, 6, "mixed")
    form, everywhere, seen = normal_form(network), Polyhedron.everywhere(6), []
    alone = count_pieces(form, everywhere, Watch())[0]
    with cluster(tmp_path) as (address, workers):

        def look(share, found):
            seen.append(found)
            if found > alone / 4 and workers[0].poll() is None:
                workers[0].kill()

        with on_cluster(address) as spread:
            assert count_pieces(form, everywhere, Watch(report=look), spread=spread) == (alone, "vertices", True)
        assert workers[0].poll() is not None
        assert workers[1].poll() is None
        save(network, tmp_path / "network.json")
        done = CliRunner().invoke(app, ["minimal", str(tmp_path / "network.json"), "--count", "--scheduler", address, "--json"])
        assert json.loads(done.stdout)["pieces"] == alone


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
def test_a_deep_network_on_a_cluster_whose_worker_is_killed(tmp_path, monkeypatch):
    monkeypatch.setattr("lpnet.boundary.vertices.cluster.A_RANGE", 1)
    network = chain(np.random.default_rng(5), 4, 14, 12)
    form, everywhere, seen = normal_form(network), Polyhedron.everywhere(4), []
    alone = count_pieces(form, everywhere, Watch())[0]
    with cluster(tmp_path) as (address, workers):

        def look(share, found):
            seen.append(found)
            if found and workers[0].poll() is None:
                workers[0].kill()

        with on_cluster(address) as spread:
            assert count_pieces(form, everywhere, Watch(report=look), spread=spread) == (alone, "tree", True)
        assert workers[0].poll() is not None


def test_a_scheduler_that_is_not_there(tmp_path, monkeypatch):
    monkeypatch.setattr("lpnet.cluster.SECONDS", 1)
    file = tmp_path / "network.json"
    save(random_network(np.random.default_rng(3), 9, 3), file)
    for address in ("tcp://127.0.0.1:1", "nonsense:"):
        refused = CliRunner().invoke(app, ["minimal", str(file), "--count", "--scheduler", address])
        assert refused.exit_code == 2
        assert f"--scheduler: {address} cannot be reached" in refused.stderr
    refused = CliRunner().invoke(app, ["minimal", str(file), "--scheduler", "tcp://127.0.0.1:1"])
    assert refused.exit_code == 2
    assert "--scheduler: wanted --count beside it" in refused.stderr
