"""The tree engine against one linear program per cell.

    python tests/benchmarks/bench_tree.py [--quick]

First table: the cells of arrangements, every sign exact, in lexicographic order. The rivals are asked one question a cell, the
least that enumeration needs (incremental enumeration asks several times as many): has this sign vector a point with margin
1e-6; no verdict is confirmed. They are timed in the same run, on 300 cells (linprog: 100) that follow each other in
lexicographic order, so that a warm start is one, and scaled to all cells.
linprog: scipy.optimize.linprog; HiGHS: one warm model, presolve off, only changed row bounds; daqp: the point nearest to 0.
Times are the best of several runs where a run is short; the tree's with one thread and with one a core.

Second table: boundary pieces of networks, where bounds of f prune. Compiling the kernels, once per installation, is not timed.
"""

import itertools
import os
import sys
import time

import daqp
import highspy
import numpy as np
from highspy._core import _Highs
from scipy.optimize import linprog
from timing import best_time

from lpnet import Box, Polyhedron, ReLUNetwork, normal_form
from lpnet.boundary.tree import cells, tree
from lpnet.exact import forms
from lpnet.watch import Watch

MARGIN = 1e-6


def cube(dimension):
    """All 0/1 vectors."""
    return np.array(list(itertools.product((0, 1), repeat=dimension)))


def differences(dimension, signs=(-1,)):
    """x_i − x_j, and for signs = (−1, 1) also x_i + x_j, i < j."""
    unit = np.eye(dimension)
    return np.array([unit[i] + sign * unit[j] for i, j in itertools.combinations(range(dimension), 2) for sign in signs])


def arrangements(quick):
    """(name, normals, offsets)."""
    rng = np.random.default_rng(2016)
    for planes, inputs in ((15, 7), (20, 4)) if quick else ((15, 7), (20, 4), (17, 9), (30, 5)):
        yield f"generic, d = {inputs}", rng.normal(size=(planes, inputs)), rng.normal(size=planes)
    families = [("braid", differences(8)), ("resonance 5", cube(5)[1:]), ("threshold 4", np.insert(cube(4), 0, 1, axis=1))]
    if not quick:
        half = cube(6)[cube(6).sum(axis=1) % 2 == 0]
        families += [
            ("braid", differences(9)),
            ("threshold 5", np.insert(cube(5), 0, 1, axis=1)),
            ("type B, d = 6", np.vstack([np.eye(6), differences(6, (-1, 1))])),
            ("type D, d = 6", differences(6, (-1, 1))),
            ("demicube 7", np.insert(half, 0, 1, axis=1)),
        ]
    for name, normals in families:
        yield name, normals, np.zeros(len(normals))


def by_linprog(normals, offsets, sample):
    """Seconds a question."""
    started = time.perf_counter()
    for signs in sample:
        answer = linprog(np.zeros(normals.shape[1]), -signs[:, None] * normals, signs * offsets - MARGIN, bounds=(None, None))
        assert answer.status == 0
    return (time.perf_counter() - started) / len(sample)


def by_highs(normals, offsets, sample):
    """Seconds a question: only the bounds of the rows that change sides are passed on."""
    planes, inputs = normals.shape
    model = _Highs()  # highspy.Highs() would print a banner
    for option, setting in {"output_flag": False, "presolve": "off", "threads": 1, "simplex_strategy": 1}.items():
        model.setOptionValue(option, setting)
    model.addVars(inputs, np.full(inputs, -np.inf), np.full(inputs, np.inf))
    for row in normals:
        model.addRow(-np.inf, np.inf, inputs, np.arange(inputs, dtype=np.int32), row)
    before = np.zeros(planes)
    started = time.perf_counter()
    for signs in sample:
        for row in np.flatnonzero(signs != before):
            bound = MARGIN * signs[row] - offsets[row]
            model.changeRowBounds(int(row), bound if signs[row] > 0 else -np.inf, bound if signs[row] < 0 else np.inf)
        model.run()
        assert model.getModelStatus() == highspy.HighsModelStatus.kOptimal
        before = signs
    return (time.perf_counter() - started) / len(sample)


def by_daqp(normals, offsets, sample):
    """Seconds a question."""
    planes, inputs = normals.shape
    identity, zero, below, kind = np.eye(inputs), np.zeros(inputs), np.full(planes, -1e30), np.zeros(planes, dtype=np.int32)
    started = time.perf_counter()
    for signs in sample:
        answer = daqp.solve(identity, zero, -signs[:, None] * normals, signs * offsets - MARGIN, below, kind, primal_tol=1e-9)
        assert answer[2] == 1
    return (time.perf_counter() - started) / len(sample)


def arrangement_row(name, normals, offsets):
    """A line of the first table."""
    planes, domain = forms(normals, offsets), Polyhedron.everywhere(normals.shape[1])
    alone, found = best_time(lambda: cells(planes, domain, Watch(), 1))
    shared, _ = best_time(lambda: cells(planes, domain, Watch()))
    count = len(found.patterns)
    first = max(0, count // 3 - 150)
    sample = np.where(found.patterns[first : first + 300], 1.0, -1.0)
    rivals = [by_linprog(normals, offsets, sample[:100]), by_highs(normals, offsets, sample), by_daqp(normals, offsets, sample)]
    figures = [f"{seconds * count:.3g} s, {seconds * count / alone:.3g}×" for seconds in rivals]
    own = [f"{alone:.3g} s", f"{shared:.3g} s", f"{count / alone:,.0f}", f"{found.programs / count:.2f}"]
    return [name, str(len(normals)), f"{count:,}", *own, *figures]


def networks(quick):
    """(name, network, domain, seconds allowed)."""
    rng = np.random.default_rng(2016)
    weight = rng.normal(size=(60, 4))
    weight /= np.linalg.norm(weight, axis=1)[:, None]
    bias, output = -3 - 0.3 * np.abs(rng.normal(size=60)), 0.1 + np.abs(rng.normal(size=60))
    yield "far from 0, convex, d = 4", ReLUNetwork(weight, bias, output, -1.0), None, None
    yield "far from 0, concave, d = 4", ReLUNetwork(weight, bias, -output, 1.0), None, None
    yield "mixed, d = 4", ReLUNetwork(rng.normal(size=(30, 4)), rng.normal(size=30), rng.normal(size=30), 0.3), None, None
    yield "central, one sign, d = 5", ReLUNetwork(rng.normal(size=(30, 5)), np.zeros(30), np.ones(30), -1.0), None, None
    for undecided, seconds in ((12, None),) if quick else ((16, None), (40, 20)):
        network, box = on_box(rng, undecided)
        yield f"128 units, {undecided} undecided on a box, d = 30", network, box, seconds


def on_box(rng, undecided):
    """128 units on [0, 1]^30 that the box settles but for some, f = 0 in the middle of its values."""
    weight = rng.normal(size=(128, 30)) / np.sqrt(30)
    away = rng.choice([-0.525, 0.525], 128) * np.abs(weight).sum(axis=1)
    bias = np.where(np.arange(128) < undecided, 0.3 * rng.normal(size=128), away) - weight @ np.full(30, 0.5)
    output = rng.normal(size=128)
    values = ReLUNetwork(weight, bias, output, 0.0).score(rng.random((1000, 30)))
    return ReLUNetwork(weight, bias, output, -float(np.median(values))), Box(np.zeros(30), np.ones(30))


def network_row(name, network, box, seconds):
    """A line of the second table."""
    domain = box or Polyhedron.everywhere(network.inputs)
    form = normal_form(network, domain)
    shares = [0.0]
    watch = Watch(seconds=seconds, report=lambda share, found: shares.append(share))
    started = time.perf_counter()
    found = tree(form, domain, watch)
    spent = time.perf_counter() - started
    share = "all" if found.complete else f"{shares[-1]:.1%}, stopped"
    pieces = len(found.patterns)
    return [name, str(len(form.units)), f"{pieces:,}", f"{spent:.3g} s", f"{found.programs / max(1, pieces):.2f}", share]


def show(header, rows):
    """Print a markdown table line by line, as its rows come."""
    print("|", " | ".join(header), "|")
    print("|", " | ".join("---" for _ in header), "|")
    for row in rows:
        print("|", " | ".join(row), "|", flush=True)
    print()


def main():
    quick = "--quick" in sys.argv[1:]
    cells(forms(np.eye(2), np.zeros(2)), Polyhedron.everywhere(2), Watch())  # compiles
    own = ["tree, 1 thread", f"{os.cpu_count()} threads", "cells a second", "programs a cell"]
    rivals = ["linprog a cell", "warm HiGHS a cell", "daqp a cell"]
    show(["arrangement", "n", "cells", *own, *rivals], itertools.starmap(arrangement_row, arrangements(quick)))
    header = ["network", "units", "pieces", "tree", "programs a piece", "searched"]
    show(header, itertools.starmap(network_row, networks(quick)))


if __name__ == "__main__":
    main()
