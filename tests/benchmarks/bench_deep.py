"""Networks of several hidden layers: the tree engine against programs for their cells, all in one run.

    python tests/benchmarks/bench_deep.py [--sketch PROGRAM] [--python PYTHON] [--public FOLDER] [--limit SECONDS] [name ...]

PROGRAM: a compiled enumerator of cells that takes a network as text (the number of layers, their widths, then row by row and
layer by layer the weights and the biases, as hexadecimal floats) and half the width of a box, and prints JSON with "cells",
"boundary_cells" and "seconds". PYTHON: one in whose environment affinitree and relucent are, or one of them. FOLDER: with the
controllers of verivital/ARCH-COMP2020 and VerticalCAS of sisl/NeuralVerification.jl, where they are public, as ONNX files.
A rival that takes longer than the limit is given up. name: part of the names of those to run (default: all but one).

He-initialised networks have float32 weights; those of a name ending in "int" have whole ones of three values, of "int8" whole
ones of 8 bits. Columns: pieces; seconds of the search, as `lpnet minimal --json` says them, best of a few, one thread and one
a core; cells that were visited and the share without a piece; nodes dropped; programs; the share of exact questions; then each
rival's seconds and the ratio to the search with one a core. Processor time where a rival reports none of its own.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path

import numpy as np

from lpnet import Box, Polyhedron, ReLUNetwork
from lpnet.boundary.tree import tree
from lpnet.io import load
from lpnet.networks.polyhedron import as_domain
from lpnet.networks.question import question
from lpnet.watch import Watch

GOLDEN = Path(__file__).parent.parent / "deep"
RIVAL = """
import json, sys, time, warnings
warnings.simplefilter("ignore")
import numpy as np
data = np.load(sys.argv[2])
layers = [(data[f"W{k}"].astype(float), data[f"b{k}"].astype(float)) for k in range(len(data.files) // 2)]
if __name__ == "__main__":
    if sys.argv[1] == "affinitree":
        import affinitree
        architecture = affinitree.Architecture(layers[0][0].shape[1])
        started = time.perf_counter()
        for k, (weight, bias) in enumerate(layers):
            architecture.linear(affinitree.AffFunc.from_mats(weight, bias))
            if k < len(layers) - 1:
                architecture.relu()
        found = affinitree.builder.from_layers(architecture).num_terminals()
    else:
        import relucent
        started = time.perf_counter()
        complex = relucent.Complex(relucent.convert(layers))
        complex.bfs()
        found = len(complex)
    print(json.dumps({"seconds": time.perf_counter() - started, "cells": found}))
"""


def he(seed, sigma, *widths):
    """Layers (weight, bias) with variances 2 / n and sigma^2, rounded to float32."""
    rng = np.random.default_rng(seed)
    pairs = [(rng.normal(size=(m, n)) * np.sqrt(2 / n), rng.normal(size=m) * sigma) for n, m in pairwise(widths)]
    return [tuple(part.astype(np.float32).astype(np.float64) for part in pair) for pair in pairs]


def whole(seed, largest, *widths):
    """Layers of whole numbers."""
    rng = np.random.default_rng(seed)
    return [(rng.integers(-largest, largest + 1, (m, n)) * 1.0, rng.integers(-largest, largest + 1, m) * 1.0)
            for n, m in pairwise(widths)]  # fmt: skip


def golden(name):
    """The layers of a network in the tests."""
    with np.load(GOLDEN / f"{name}.npz") as data:
        return [(data[f"W{k}"].astype(float), data[f"b{k}"].astype(float)) for k in range(len(data.files) // 2)]


GIVEN = ("2-8-8-1", "3-6-6-1", "2-16-16-1", "3-10-10-1", "4-8-8-1", "10-6-6-1", "2-10-10-3")
DRAWN = {"2-32-32-1": (1002, 1.0), "2-16-16-16-1": (1003, 0.3), "3-16-16-1": (1006, 0.1), "4-8-8-8-1": (1008, 0.1),
         "5-10-10-1": (1010, 0.1), "3-8-8-4": (1014, 0.3), "4-6-6-10": (1015, 0.3), "2-50-50-1": (5, 0.3),
         "4-32-16-4-3": (6, 0.3)}  # fmt: skip
WHOLE = {"3-10-10-1 int": 1, "4-8-8-1 int": 1, "4-8-8-8-1 int": 1, "3-10-10-1 int8": 127, "4-8-8-1 int8": 127}
PUBLIC = {
    "single pendulum": ("controller_single_pendulum", None, None),
    "double pendulum, more robust, 0 against 1": ("controller_double_pendulum_more_robust", (0, 1), None),
    "VerticalCAS, 0 against 1, box": ("VertCAS_noResp_pra01_v9_20HU_200", (0, 1), Box(np.full(3, -0.5), np.full(3, 0.5))),
    "4-25-25-25-1, box": ("controllerB", None, Box(-np.ones(4), np.ones(4))),
}


def networks(public):
    """(name, layers or none, network, domain)."""
    drawn = {name: golden(name) for name in GIVEN}
    drawn |= {name: he(*seed, *map(int, name.split("-"))) for name, seed in DRAWN.items()}
    drawn |= {name: whole(1, most, *map(int, name.split()[0].split("-"))) for name, most in WHOLE.items()}
    for name, layers in drawn.items():
        weight, bias = layers[-1]
        pair = len(bias) > 1
        last = (weight[:1] - weight[1:2], bias[0] - bias[1]) if pair else (weight, bias[0])
        layers = [*layers[:-1], (last[0], np.atleast_1d(last[1]))]
        yield name + (" (0, 1)" if pair else ""), layers, ReLUNetwork.of_layers([*layers[:-1], (last[0], float(last[1]))]), None
    for name, (file, pair, domain) in PUBLIC.items() if public else ():
        yield name, None, load(Path(public) / f"{file}.onnx", pair), domain


def searched(network, domain, workers, seconds):
    """Seconds and the answer; the best of a few where it is short."""
    asked, best = question(network, as_domain(domain, network.inputs)), None
    for _ in range(3):
        started = time.perf_counter()
        found = tree(asked.form, asked.domain, Watch(seconds=seconds), workers)
        spent = time.perf_counter() - started
        best = min(best, spent) if best else spent
        if spent > 1:
            break
    return best, found


def written(folder, layers):
    """The network as text and as npz."""
    text = [str(len(layers)), " ".join(map(str, [layers[0][0].shape[1], *(len(bias) for _, bias in layers)]))]
    text += [" ".join(float(v).hex() for v in part.ravel()) for pair in layers for part in pair]
    (folder / "network.txt").write_text("\n".join(text))
    np.savez(
        folder / "network.npz",
        **{f"{kind}{k}": part for k, pair in enumerate(layers) for kind, part in zip("Wb", pair, strict=True)},
    )


def rival(command, seconds):
    """What a program says of itself; nothing where it takes too long or fails."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds)
        return json.loads(done.stdout.splitlines()[-1]) if done.returncode == 0 else None
    except (subprocess.TimeoutExpired, IndexError, ValueError):
        return None


def row(name, layers, network, domain, options):
    """A line of the table; says where a rival counts otherwise."""
    alone, found = searched(network, domain, 1, options.limit)
    shared, _ = searched(network, domain, os.cpu_count(), options.limit)
    effort, pieces = found.effort, len(found.patterns)
    own = [f"{pieces:,}" + ("" if found.complete else "+"), f"{alone:.3g} s", f"{shared:.3g} s", f"{effort.cells:,}",
           f"{effort.barren / max(1, effort.cells):.0%}", f"{effort.pruned:,}", f"{found.programs:,}",
           f"{effort.exact / max(1, found.programs):.1%}"]  # fmt: skip
    if layers is None:
        return [name, *own, "", "", ""]
    with tempfile.TemporaryDirectory() as folder:
        written(Path(folder), layers)
        text, npz = f"{folder}/network.txt", f"{folder}/network.npz"
        told = [rival([options.sketch, text], options.limit) if options.sketch else None]
        Path(folder, "rival.py").write_text(RIVAL)
        told += [rival([options.python, f"{folder}/rival.py", which, npz], options.limit) if options.python else None
                 for which in ("affinitree", "relucent")]  # fmt: skip
    note = "" if not told[0] or told[0]["boundary_cells"] == pieces else f" ({told[0]['boundary_cells']} by the sketch)"
    cells = [f"{one['seconds']:.3g} s, {one['seconds'] / shared:.3g}×" if one else "" for one in told]
    return [name + note, *own, *cells]


def main():
    parser = argparse.ArgumentParser()
    for option in ("--sketch", "--python", "--public"):
        parser.add_argument(option)
    parser.add_argument("--limit", type=float, default=120.0)
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    tree(
        question(ReLUNetwork.of_layers(he(0, 1.0, 2, 3, 3, 1)), Polyhedron.everywhere(2)).form,
        Polyhedron.everywhere(2),
        Watch(),
    )
    header = ["network", "pieces", "1 thread", f"{os.cpu_count()} threads", "cells", "without a piece", "dropped", "programs",
              "exact", "sketch", "affinitree", "relucent"]  # fmt: skip
    print("|", " | ".join(header), "|")
    print("|", " | ".join("---" for _ in header), "|")
    for name, *rest in networks(options.public):
        if any(part in name for part in options.names) if options.names else "25-25-25-1" not in name:
            print("|", " | ".join(row(name, *rest, options)), "|", flush=True)


if __name__ == "__main__":
    sys.exit(main())
