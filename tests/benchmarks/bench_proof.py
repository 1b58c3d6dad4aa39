"""What a proof costs: the search, the search that records its tree, writing the proof, and checking it, in one run.

    python tests/benchmarks/bench_proof.py [--quick | --deep]

--deep: of two hidden layers, those of tests/deep, on R^d and on the box ±1. Else the networks are Gaussian; "mixed" ones have
biases. Times are the best of several runs. "proof/search" is the recorded search and writing, against the search alone. "bytes"
are those of a leaf, or of a half-space where there is no tree. "MB" is the most that a process which does nothing but check the
proof ever holds.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from timing import best_time

from lpnet import Box, ReLUNetwork, minimal_equivalent
from lpnet.checker import check
from lpnet.proofs import write_proof

DEEP = ("2-8-8-1", "2-16-16-1", "3-6-6-1", "3-10-10-1", "4-8-8-1", "10-6-6-1")


def network(relus, inputs, signs):
    """The network of a row, the same in every run."""
    random = np.random.default_rng(relus * 100 + inputs)
    weight, output = random.normal(size=(relus, inputs)), random.normal(size=relus)
    if signs == "central":
        return ReLUNetwork(weight, np.zeros(relus), np.abs(output), -1)
    bias = random.normal(size=relus)
    return ReLUNetwork(weight, bias, np.abs(output), -20) if signs == "positive" else ReLUNetwork(weight, bias, output, -2)


def memory_of_check(path):
    """The peak memory of a process that checks a proof, in MB."""
    code = f"from lpnet.checker import check; check({str(path)!r}); print(open('/proc/self/status').read())"
    status = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))) // 1024


def deep(name):
    """A network of two hidden layers."""
    with np.load(Path(__file__).parents[1] / "deep" / f"{name}.npz") as arrays:
        return ReLUNetwork.of_layers([(arrays[f"W{i}"], arrays[f"b{i}"]) for i in range(len(arrays.files) // 2)])


def row(asked, named, engine, folder, domain=None):
    """One row of the table."""
    path = folder / "proof"
    search, _ = best_time(lambda: minimal_equivalent(asked, domain, engine))
    recorded, answer = best_time(lambda: minimal_equivalent(asked, domain, engine, recorded=True))
    write, kind = best_time(lambda: write_proof(answer, path))
    checked, report = best_time(lambda: check(path, asked, domain))
    assert report.units == answer.units
    tree = answer.pieces.tree
    parts, each = max(answer.units if tree is None else (len(tree.nodes) + 1) // 2, 1), 1e6 * checked / max(answer.units, 1)
    times = f"{search:.3g} s | {recorded:.3g} s | {write:.3g} s | {(recorded + write) / search:.1f}"
    times += f" | {checked:.3g} s | {checked / search:.1f} | {each:.1f} µs"
    size = path.stat().st_size / parts
    question = f"{named} | {answer.units:,} | {engine} | {kind}"
    print(f"| {question} | {times} | {size:.0f} | {memory_of_check(path)} |", flush=True)


def main():
    """The table; --quick leaves the long rows out."""
    minimal_equivalent(network(6, 3, "mixed"), engine="tree", recorded=True)  # load the compiled engines
    minimal_equivalent(network(6, 3, "mixed"), engine="vertices")
    columns = ["n, d", "half-spaces", "engine", "no other by", "search", "recorded", "write", "proof/search"]
    columns += ["check", "check/search", "a half-space", "bytes", "MB"]
    print(f"| {' | '.join(columns)} |\n|{'---|' * len(columns)}")
    rows = [(10, 4, "mixed", "tree"), (12, 5, "mixed", "tree"), (14, 4, "positive", "tree"), (14, 4, "mixed", "tree")]
    rows += [
        (14, 5, "mixed", "tree"),
        (16, 6, "mixed", "tree"),
        (14, 5, "mixed", "vertices"),
        (30, 4, "mixed", "vertices"),
        (30, 5, "central", "vertices"),
    ]
    if "--quick" not in sys.argv:
        rows += [(30, 6, "mixed", "vertices"), (30, 6, "positive", "vertices"), (40, 6, "central", "vertices")]
    with tempfile.TemporaryDirectory() as folder:
        for name in DEEP if "--deep" in sys.argv else ():
            asked = deep(name)
            row(asked, name, "auto", Path(folder))
            row(asked, f"{name}, ±1", "auto", Path(folder), Box(-np.ones(asked.inputs), np.ones(asked.inputs)))
        for relus, inputs, signs, engine in rows if "--deep" not in sys.argv else ():
            row(network(relus, inputs, signs), f"{relus}, {inputs}, {signs}", engine, Path(folder))


if __name__ == "__main__":
    main()
