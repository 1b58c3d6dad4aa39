"""Sizes of threshold networks, of data/ or of files: the smallest found, Theorem 1's reduced, Theorem 1's in full.

    python tests/benchmarks/bench_circuits.py [name or file ...]

First and second layer of each; "at least" is a proved lower bound on the terms of any DNF or CNF over the needed half-spaces.
Theorem 1's circuit has 2^(n1+n2) units in its first layer and 2^n1 in its second; reduced, it has lost its redundant
inequalities and conjuncts, but its conjuncts also use half-spaces that are not needed; of several layers it is left out, and
their widths stand for n1 + n2. Times are processor time.
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
    reduced = built.reduced or (None if network.deeper else answer.reduced)
    reducing = time.process_time() - started
    n1, n2 = len(network.positive), len(network.negative)
    second = str(built.second_layer) if built.second_layer else "-"
    bound = "" if built.at_least is None else str(built.at_least or "-")
    own = [built.kind, f"{built.first_layer:,}", second, bound, f"{seconds:.2g} s"]
    least = f"{len(reduced.halfspaces):,} + {len(reduced.terms)}" if reduced else ""
    full = "" if network.deeper else f"2^{n1 + n2} + 2^{n1}"
    return [file.stem, str(network.inputs), " + ".join(map(str, network.widths)) if network.deeper else f"{n1} + {n2}", *own,
            least, f"{reducing:.2g} s" if reducing > 1e-3 else "", full]  # fmt: skip


def main():
    names = sys.argv[1:] or sorted(file.stem for file in DATA.glob("*.json"))
    header = ["network", "d", "n1 + n2", "kind", "first layer", "second", "at least", "time"]
    header += ["Theorem 1 reduced", "time", "Theorem 1"]
    print("|", " | ".join(header), "|")
    print("|", " | ".join("---" for _ in header), "|")
    for name in names:
        file = Path(name)
        print("|", " | ".join(row(file if file.is_file() else DATA / f"{name}.json")), "|", flush=True)


if __name__ == "__main__":
    main()
