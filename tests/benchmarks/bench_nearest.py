"""[PS16] Eq. (10), the nearest ReLU network, against the plain cvxpy model.

    python tests/benchmarks/bench_nearest.py [--quick] [--limit SECONDS]

V = UT + noise, U and the noise Gaussian, the noise of deviation 0.1. The rivals get the program as one writes it down, minimise
max_j ‖v_j − U t_j‖₁, with cvxpy's default solver (named in the table), with Clarabel and with HiGHS, one after the other; one
that is not done within the limit is stopped. Their optimum is checked against lpnet's. lpnet's time contains the proof, the
error and the lower bound in exact arithmetic; the column before the rivals is lpnet with Clarabel for the programs that it
generates. Importing cvxpy is not timed.
"""

import argparse
import multiprocessing
import os
import time

import numpy as np

import lpnet
from lpnet.boundary.theorem1 import binary_encoding
from lpnet.compression.nearest.nearest import nearest

IMPORTS = 30  # seconds a fresh process may take before it starts to count


def problem(relus, inputs, noise=0.1):
    """V = UT + noise, (d+1, 2^n), w0 = −1."""
    rng = np.random.default_rng(2016)
    factor = rng.normal(size=(inputs + 1, relus + 1))
    factor[:, -1] = np.append(np.zeros(inputs), -1)
    subsets = np.vstack([binary_encoding(relus), np.ones(1 << relus)])
    return factor @ subsets + noise * rng.normal(size=(inputs + 1, 1 << relus))


def plain(relus, inputs, solver, connection):
    """Solve the plain model in a process of its own; sends the seconds and the optimum."""
    import warnings

    import cvxpy as cp

    warnings.simplefilter("ignore")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # HiGHS prints a banner
    target = problem(relus, inputs)
    connection.send("ready")
    started = time.perf_counter()
    weights, constant = cp.Variable((inputs + 1, relus)), cp.Variable((1, 1))
    last = np.eye(inputs + 1)[:, -1:] @ constant
    rest = target - weights @ binary_encoding(relus) - last @ np.ones((1, 1 << relus))
    model = cp.Problem(cp.Minimize(cp.max(cp.sum(cp.abs(rest), axis=0))))
    model.solve(solver=solver)
    connection.send((time.perf_counter() - started, float(model.value), model.solver_stats.solver_name))


def rival(relus, inputs, solver, limit, optimum):
    """What `plain` took, or that it was stopped."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=plain, args=(relus, inputs, solver, there), daemon=True)
    process.start()
    try:
        assert here.poll(IMPORTS)
        here.recv()
        if not here.poll(limit):
            return f"> {limit:g} s"
        seconds, value, name = here.recv()
        assert abs(value - optimum) < 1e-4 * optimum
        return f"{seconds:.3g} s" + f" ({name.capitalize()})" * (solver is None)
    finally:
        process.kill()
        process.join()


def own(network, solver):
    """The answer, checked, and the seconds it took."""
    started = time.perf_counter()
    answer = nearest(network, solver=solver)
    assert answer.verdict == "nearest"  # both bounds are computed here
    seconds = time.perf_counter() - started
    assert answer.verify()
    return answer, f"{seconds:.3g} s"


def row(relus, inputs, rivals, limit):
    """A line of the table."""
    target = problem(relus, inputs)
    network = lpnet.SignNetwork.disjunction(target[:-1].T, target[-1])
    answer, seconds = own(network, "interior")
    bounds = [f"{float(answer.error):.6g}", f"{float(answer.approximation.gap):.0e}", str(answer.approximation.columns)]
    others = [own(network, "CLARABEL")[1]]
    others += [rival(relus, inputs, solver, limit, answer.error) if rivals else "" for solver in (None, "CLARABEL", "HIGHS")]
    return [f"{relus}, {inputs}", f"{1 << relus:,}", *bounds, seconds, *others]


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="only n = 6, d = 20")
    parser.add_argument("--limit", type=float, default=120, help="seconds for a rival")
    options = parser.parse_args()
    import cvxpy  # noqa: F401

    head = ["n, d", "units", "error", "gap", "units used", "lpnet", "lpnet, Clarabel"]
    head += ["plain cvxpy, default", "plain, Clarabel", "plain, HiGHS"]
    print("| " + " | ".join(head) + " |\n|" + "---|" * len(head))
    cases = [(6, 20, True)] if options.quick else [(8, 50, True), (10, 50, True), (14, 50, False)]
    for relus, inputs, rivals in cases:
        print("| " + " | ".join(row(relus, inputs, rivals, options.limit)) + " |", flush=True)


if __name__ == "__main__":
    main()
