"""Sizes of threshold networks for the networks in data/: the smallest found, Theorem 1's reduced, Theorem 1's in full.

    python tests/benchmarks/bench_circuits.py [name ...]

First and second layer of each; "at least" is a proved lower bound on the terms of any DNF or CNF over the needed half-spaces.
Theorem 1's circuit has 2^(n1+n2) units in its first layer and 2^n1 in its second; reduced, it has lost its redundant
inequalities and conjuncts, but its conjuncts also use half-spaces that are not needed. Times are processor time.
"""

import sys
import time
from pathlib import Path

from lpnet import minimal_equivalent
from lpnet.io import load

DATA = Path(__file__).parent.parent.parent / "data"


def row(file):
    """A line of the table."""
    network = load(file)
    answer = minimal_equivalent(network)
    started = time.process_time()
    built = answer.build_equivalent()
    seconds = time.process_time() - started
    started = time.process_time()
    reduced = built.reduced or answer.reduced
    reducing = time.process_time() - started
    n1, n2 = len(network.positive), len(network.negative)
    second = str(built.second_layer) if built.second_layer else "-"
    bound = "" if built.at_least is None else str(built.at_least or "-")
    own = [built.kind, f"{built.first_layer:,}", second, bound, f"{seconds:.2g} s"]
    return [file.stem, str(network.inputs), f"{n1} + {n2}", *own, f"{len(reduced.halfspaces):,} + {len(reduced.terms)}",
            f"{reducing:.2g} s" if reducing > 1e-3 else "", f"2^{n1 + n2} + 2^{n1}"]  # fmt: skip


def main():
    names = sys.argv[1:] or sorted(file.stem for file in DATA.glob("*.json"))
    header = ["network", "d", "n1 + n2", "kind", "first layer", "second", "at least", "time"]
    header += ["Theorem 1 reduced", "time", "Theorem 1"]
    print("|", " | ".join(header), "|")
    print("|", " | ".join("---" for _ in header), "|")
    for name in names:
        print("|", " | ".join(row(DATA / f"{name}.json")), "|", flush=True)


if __name__ == "__main__":
    main()
