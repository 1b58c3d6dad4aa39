"""The vertex engine against the classical ways to prune the 2^n − 1 half-spaces of a one-signed network.

    python tests/benchmarks/bench_vertices.py [--quick]

All networks are f = −1 + Σ R(u_k·x), u_k Gaussian, and all sides of a row are timed in this one run, on the same network; the
answers are compared. lpnet starts from the normal form and ends with the sorted patterns, every sign exact; Qhull and cddlib
get the half-spaces ready made, in doubles. Times are the best of several runs where a run is short.
"""

import sys
from math import comb

import cdd
import numpy as np
from scipy.spatial import HalfspaceIntersection
from timing import best_time

from lpnet import Polyhedron, ReLUNetwork, normal_form
from lpnet.boundary.theorem1 import subset_forms
from lpnet.boundary.vertices import vertices
from lpnet.watch import Watch


def central(relus, inputs):
    """The network of a row, the same in every run."""
    return ReLUNetwork(
        np.random.default_rng(relus * 100 + inputs).normal(size=(relus, inputs)), np.zeros(relus), np.ones(relus), -1
    )


def by_vertices(form, store=True, workers=None):
    """lpnet's number of needed half-spaces."""
    return vertices(form, Polyhedron.everywhere(form.inputs), Watch(), store, workers).count


def half_spaces(network):
    """All v·x + c ≤ 0 with v ≠ 0, as rows (v, c)."""
    weight, bias = subset_forms(network)
    return np.column_stack([weight.reshape(-1, network.inputs), bias.ravel()])[1:]


def by_qhull(rows):
    """scipy's HalfspaceIntersection: the half-spaces that meet in a vertex."""
    hull = HalfspaceIntersection(rows, np.zeros(rows.shape[1] - 1))
    return len({int(k) for facet in hull.dual_facets for k in facet})


def by_cddlib(rows):
    """cddlib's redundancy removal in doubles, a linear program a half-space."""
    matrix = cdd.matrix_from_array(-np.roll(rows, 1, axis=1), rep_type=cdd.RepType.INEQUALITY)
    return len(rows) - len(cdd.redundant_rows(matrix))


def expected(relus, inputs):
    """2 Σ_{s<d} C(n−1, s), to be lessened by 1 where all u_k lie in an open half-space."""
    return 2 * sum(comb(relus - 1, s) for s in range(inputs))


def against(relus, inputs, other, name):
    """One row of the first table."""
    network = central(relus, inputs)
    form, rows = normal_form(network), half_spaces(network)
    mine, units = best_time(lambda: by_vertices(form))
    theirs, theirs_units = best_time(lambda: other(rows), enough=0.1)
    assert units == theirs_units in (expected(relus, inputs), expected(relus, inputs) - 1)
    ratio = f"{theirs / mine:,.0f}×"
    print(
        f"| {relus}, {inputs} | {2**relus - 1:,} | {units:,} | {1e3 * mine:.2f} ms | {name} | {theirs:.3g} s | {ratio} |",
        flush=True,
    )


def alone(relus, inputs):
    """One row of the second table."""
    form = normal_form(central(relus, inputs))
    stored, units = best_time(lambda: by_vertices(form), enough=3)
    counted, _ = best_time(lambda: by_vertices(form, store=False), enough=3)
    single, _ = best_time(lambda: by_vertices(form, store=False, workers=1), enough=3)
    assert units in (expected(relus, inputs), expected(relus, inputs) - 1)
    each = " | ".join(f"{seconds:.3g} s, {1e6 * seconds / units:.2f} µs" for seconds in (stored, counted, single))
    print(f"| {relus}, {inputs} | 2^{relus} − 1 | {units:,} | {each} |", flush=True)


def main():
    """Both tables; --quick leaves the long rows out."""
    quick = "--quick" in sys.argv
    by_vertices(normal_form(central(6, 3)))  # load the compiled engine
    print("| n, d | half-spaces | needed | lpnet | against | its time | ratio |\n|---|---|---|---|---|---|---|")
    against(10, 4, by_qhull, "scipy HalfspaceIntersection")
    against(10, 4, by_cddlib, "cddlib, doubles")
    if not quick:
        against(12, 5, by_qhull, "scipy HalfspaceIntersection")
        against(12, 5, by_cddlib, "cddlib, doubles")
        against(16, 5, by_qhull, "scipy HalfspaceIntersection")
    print("\n| n, d | half-spaces | needed | stored and sorted | counted | counted on one core |\n|---|---|---|---|---|---|")
    for relus, inputs in [(500, 2), (200, 3)] if quick else [(500, 2), (200, 3), (30, 6), (40, 5), (40, 6)]:
        alone(relus, inputs)


if __name__ == "__main__":
    main()
