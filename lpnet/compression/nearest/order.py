"""Which class for which subset? The order of the columns of V in [PS16] Eq. (10), where it is not given.

For an order, the norm of V − UT with the least-squares U is an upper bound of the best error, and every parallelogram of
subsets, t_a + t_d = t_b + t_c, gives a lower one, ‖v_a + v_d − v_b − v_c‖₁ / 4: the four residuals add up to that vector.
So do the two halves of a cube, Σ t_a over its even vertices = Σ t_b over its odd ones: ‖Σ v_a − Σ v_b‖₁ / 8.
"""

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import chain, combinations, count, permutations
from math import comb

import numpy as np
from numpy.typing import NDArray

from lpnet.compression.nearest.approximation import Approximation, approximate
from lpnet.compression.nearest.bounds import Bits, FactorProblem
from lpnet.compression.nearest.program import OWN
from lpnet.exact import FloatArray, rounding
from lpnet.watch import Watch

Orders = NDArray[np.intp]
# Local optima this close to the best, in fourth powers, are worth a linear program: 5 % of the norm.
NEAR = 1.05**4


def subsets(order: Orders, relus: int) -> Bits:
    """The columns of T_n with these numbers, (n, m): the first ReLU is the highest bit, as in T_n itself."""
    return ((order >> np.arange(relus)[::-1, None]) & 1).astype(bool)


def essentially_different(relus: int) -> Orders:
    """The subset of each class, (orders, 2^n), one order out of every 2^n·n! that differ by a symmetry of the cube.

    Where the last column of U is free, complementing a ReLU (u → −u, c → c + u) and exchanging two of them change the order
    and nothing else. One complement puts class 0 on the empty set, one permutation the classes on {1}, {2}, … in order.
    Of 4! orders 3 are left, of 8! 840.
    """
    singles = [1 << k for k in range(relus)]
    found = [(0, *rest) for rest in permutations(range(1, 1 << relus)) if _increasing([rest.index(s) for s in singles])]
    return np.array(found, dtype=np.intp)


def _increasing(places: list[int]) -> bool:
    return places == sorted(places)


def circuits(relus: int) -> Iterator[tuple[list[int], list[int]]]:
    """Two lists of subsets with the same sum of indicator vectors: parallelograms, and for n ≥ 3 the cubes on three units."""
    numbers = range(1 << relus)
    pairs: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for a, b in combinations(numbers, 2):
        pairs.setdefault((a & b, a | b), []).append((a, b))
    for same_sum in pairs.values():
        yield from (([*left], [*right]) for left, right in combinations(same_sum, 2))
    for axes in combinations([1 << k for k in range(relus)], 3):
        for corner in (c for c in numbers if not c & sum(axes)):
            vertices = [corner + sum(chosen) for size in range(4) for chosen in combinations(axes, size)]
            parity = [bin(v).count("1") - bin(corner).count("1") for v in vertices]
            yield (
                [v for v, p in zip(vertices, parity, strict=True) if p % 2 == 0],
                [v for v, p in zip(vertices, parity, strict=True) if p % 2],
            )


def lower_bounds(target: FloatArray, orders: Orders, relus: int) -> FloatArray:
    """The best of the circuits' lower bounds for each order, less its own rounding error; target (D, 2^n) → (orders,).

    They hold whatever entries of U's last column are free.
    """
    at = np.argsort(orders, axis=1)  # the class on each subset
    rounded = rounding(len(target) + 10, np.abs(target).sum(axis=0).max(keepdims=True))[0]
    best = np.zeros(len(orders))
    for left, right in circuits(relus):
        total = sum(target[:, at[:, j]] for j in left) - sum(target[:, at[:, j]] for j in right)
        best = np.maximum(best, np.abs(total).sum(axis=0) / (2 * len(left)))
    return best - rounded


def best_of(
    problem: FactorProblem, orders: Orders, watch: Watch, solver: str = OWN
) -> tuple[Orders, Approximation, Fraction, int]:
    """The best of these orders, the answer to Eq. (10) for it, a lower bound for all of them, and how many programs it took.

    problem: with any order. The orders come by increasing lower bound; once that is no better than the best error, none of
    the others can be. Where the watch stops it, the bound is one for those tried only.
    """
    bounds = lower_bounds(problem.target, orders, len(problem.encoding)) if len(orders) > 1 else np.zeros(1)
    found: list[Approximation] = []
    error, best = Fraction(0), 0
    for place in np.argsort(bounds, kind="stable"):
        if found and (watch.stopped or float(bounds[place]) >= error):
            break
        ordered = replace(problem, encoding=subsets(orders[place], len(problem.encoding)))
        done = len(found)
        found.append(approximate(ordered, watch.part(done / len(orders), (done + 1) / len(orders)), solver))
        if len(found) == 1 or found[-1].error < error:
            error, best = found[-1].error, int(place)
            answer = found[-1]
    return orders[best], answer, min(one.lower_bound for one in found), len(found)


def local_search(target: FloatArray, relus: int, free: Bits, watch: Watch, seed: int = 0, restarts: int = 20) -> Orders:
    """Orders (k, 2^n) with a small least-squares error: from random ones, exchange two classes as long as that helps.

    target (D, 2^n), free (D,): where U's last column is free. Compared are the fourth powers of ‖v_j − U t_j‖₁, summed: close
    to their maximum, but every exchange shows. Where the watch stops it, those that are the best until then.
    """
    rng = np.random.default_rng(seed)
    classes = target.shape[1]
    problem = FactorProblem(target, subsets(np.arange(classes), relus), np.zeros(len(target)), free)
    groups = [(target[rows], residual_projection(matrix)) for rows, matrix in problem.systems()]
    found: list[tuple[float, NDArray[np.intp]]] = []
    for at in _starts(rng, classes, restarts):
        if not found or watch(len(found) / (restarts + 1), len(found)):
            share = watch.part(len(found) / (restarts + 1), (len(found) + 1) / (restarts + 1))
            found.append(_descend([(rows[:, at], project) for rows, project in groups], at, share))
    least = min(value for value, _ in found)
    best = [np.argsort(at) for value, at in found if value < least * NEAR]
    return np.unique(best, axis=0)


def _starts(rng: np.random.Generator, classes: int, restarts: int) -> Iterator[NDArray[np.intp]]:
    yield np.arange(classes)
    for _ in range(restarts):
        yield rng.permutation(classes)


def _descend(groups: list[tuple[FloatArray, FloatArray]], at: NDArray[np.intp], watch: Watch) -> tuple[float, NDArray[np.intp]]:
    """Exchange the columns a and b of V until no exchange helps; at: the class on each subset. The value, and `at`."""
    groups, at = [(rows.copy(), project) for rows, project in groups], at.copy()
    residuals = [rows @ project for rows, project in groups]
    value, since_better, pairs = _fourth_powers(residuals), 0, comb(len(at), 2)
    for a, b in chain.from_iterable(combinations(range(len(at)), 2) for _ in count()):
        if since_better == pairs or not watch(since_better / pairs, since_better):
            break
        since_better += 1
        moved = [
            rest + np.outer(rows[:, b] - rows[:, a], project[a] - project[b])
            for (rows, project), rest in zip(groups, residuals, strict=True)
        ]
        tried = _fourth_powers(moved)
        if tried < value * (1 - 1e-9):
            value, since_better, residuals = tried, 0, moved
            at[[a, b]] = at[[b, a]]
            for rows, _ in groups:
                rows[:, [a, b]] = rows[:, [b, a]]
    return value, at


def _fourth_powers(residuals: list[FloatArray]) -> float:
    norms = sum(np.abs(rest).sum(axis=0) for rest in residuals)
    return float((norms**4).sum())


def residual_projection(matrix: NDArray[np.int64]) -> FloatArray:
    """P with R = V P the residual of the least-squares fit V ≈ U T; T (k, m) → (m, m)."""
    basis = np.linalg.qr(matrix.T.astype(float))[0]
    return np.eye(matrix.shape[1]) - basis @ basis.T
