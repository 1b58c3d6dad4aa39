"""The estimate of the number of needed half-spaces against the exact one, and where only the law or nothing is known.

    python tests/benchmarks/bench_estimate.py

Extremal networks reach T(n, d), so theirs is known whatever n and d; mixed ones have Gaussian weights, biases and w0, and are
counted by the vertex engine where they can be.
"""

import time
from decimal import Decimal

import numpy as np

from lpnet import Polyhedron, ReLUNetwork, estimate_pieces, extremal_network, normal_form
from lpnet.boundary.engines import count_pieces
from lpnet.laws import one_sign_bound
from lpnet.watch import Watch


def mixed(relus, inputs):
    """The network of a row, the same in every run."""
    rng = np.random.default_rng(relus * 100 + inputs)
    return ReLUNetwork(rng.normal(size=(relus, inputs)), rng.normal(size=relus), rng.normal(size=relus), rng.normal())


def pieces(network):
    """How many boundary pieces there are, exactly; in general position, as many as needed half-spaces."""
    return count_pieces(normal_form(network), Polyhedron.everywhere(network.inputs), Watch())[0]


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
        row("extremal", extremal_network(relus, inputs), one_sign_bound(relus, inputs))
        if inputs != 12:  # where the exact count takes minutes
            row("mixed", mixed(relus, inputs), pieces(mixed(relus, inputs)) if inputs < 12 else None)


if __name__ == "__main__":
    main()
