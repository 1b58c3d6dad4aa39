"""The estimate of the number of needed half-spaces against the exact one, and where only the law or nothing is known.

    python tests/benchmarks/bench_estimate.py

Extremal networks reach T(n, d), so theirs is known whatever n and d; mixed ones have Gaussian weights, biases and w0, and are
counted by the vertex engine where they can be.
"""

import time
from decimal import Decimal

import numpy as np

from lpnet import ReLUNetwork, estimate_pieces, extremal_network, tightness
from lpnet.laws import one_sign_bound


def mixed(relus, inputs):
    """The network of a row, the same in every run."""
    rng = np.random.default_rng(relus * 100 + inputs)
    return ReLUNetwork(rng.normal(size=(relus, inputs)), rng.normal(size=relus), rng.normal(size=relus), rng.normal())


def row(name, network, exact):
    """One line of the table."""
    started = time.perf_counter()
    answer = estimate_pieces(network)
    seconds = time.perf_counter() - started
    low, high = answer.interval
    cells = [f"{network.relus}, {network.inputs}, {name}", written(answer.lines), written(exact) if exact else "unknown"]
    cells += [written(answer.pieces), f"{answer.relative_error:.2%}", f"{written(low)} to {written(high)}"]
    print("| " + " | ".join([*cells, f"{seconds:.2g} s"]) + " |", flush=True)


def written(number):
    """Long numbers with five digits."""
    return f"{number:,}" if number < 10**9 else f"{Decimal(number):.4e}"


def main():
    """The table of the README."""
    print("| n, d | lines | exact | estimate | standard error | interval of 95 % | time |")
    print("|---|---|---|---|---|---|---|")
    for relus, inputs in ((40, 6), (24, 12), (128, 30)):
        network = mixed(relus, inputs)
        row("extremal", extremal_network(relus, inputs), one_sign_bound(relus, inputs))
        row("mixed", network, None if relus > 100 else tightness(network).needed)


if __name__ == "__main__":
    main()
