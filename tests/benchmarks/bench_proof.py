"""What a proof costs: the search, the search that records its tree, writing the proof, and checking it, in one run.

    python tests/benchmarks/bench_proof.py [--quick]

The networks are Gaussian; "mixed" ones have biases. Times are the best of several runs. "proof/search" is the recorded search
and writing, against the search alone. "bytes" are those of a leaf, or of a half-space where there is no tree. "MB" is the most
that a process which does nothing but check the proof ever holds.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from timing import best_time

from lpnet import ReLUNetwork, minimal_equivalent
from lpnet.checker import check
from lpnet.proofs import write_proof


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


def row(relus, inputs, signs, engine, folder):
    """One row of the table."""
    asked, path = network(relus, inputs, signs), folder / "proof"
    search, _ = best_time(lambda: minimal_equivalent(asked, engine=engine))
    recorded, answer = best_time(lambda: minimal_equivalent(asked, engine=engine, recorded=True))
    write, kind = best_time(lambda: write_proof(answer, path))
    checked, report = best_time(lambda: check(path, asked))
    assert report.units == answer.units
    tree = answer.pieces.tree
    parts, each = max(answer.units if tree is None else (len(tree.nodes) + 1) // 2, 1), 1e6 * checked / max(answer.units, 1)
    times = f"{search:.3g} s | {recorded:.3g} s | {write:.3g} s | {(recorded + write) / search:.1f}"
    times += f" | {checked:.3g} s | {checked / search:.1f} | {each:.1f} µs"
    size = path.stat().st_size / parts
    question = f"{relus}, {inputs}, {signs} | {answer.units:,} | {engine} | {kind}"
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
        for case in rows:
            row(*case, Path(folder))


if __name__ == "__main__":
    main()
