"""Fewest ReLUs by exhaustive search over all networks of one hidden layer: an oracle that shares nothing with `compress`.

Labelled points in R^d: whether some w0 + Σ_{k≤n} ω_k R(a_k) has f ≥ 0 and f ≤ −1 where it should is decided by branching over
which units are active at which points. Where this is settled, what unit k adds, v_ik, is b_k(x_i) ≥ 0 or 0 ≥ b_k(x_i),
b_k = ω_k a_k for ω_k > 0; where it is not, v_ik ≥ 0 and v_ik ≥ b_k(x_i) (and likewise for ω_k < 0). It is a linear program; if
it has no solution, no network in this part of the search has the labels. In floats, with a margin.
"""

import numpy as np
from scipy.optimize import linprog

MARGIN = 1e-7
FREE, ACTIVE, INACTIVE = 0, 1, 2


def fits(points, labels, units, affine=False, most=20_000):
    """A network (w0, g, b, signs) of so many units with these labels, (N, d) and ±1; None where there is none.

    affine: with an affine part g·x, so that units are bends. TimeoutError after so many programs.
    """
    left = [most]
    for positive in range(units + 1):
        signs = np.repeat([1.0, -1.0], [positive, units - positive])
        found = branched(points, labels, signs, affine, left)
        if found is not None:
            return found
    return None


def branched(points, labels, signs, affine, left):
    """The same for given signs of the ω_k, depth first."""
    stack = [np.zeros((len(signs), len(points)), dtype=int)]
    while stack:
        settled = stack.pop()
        left[0] -= 1
        if left[0] < 0:
            raise TimeoutError
        found = relaxed(points, labels, signs, affine, settled)
        if found is None:
            continue
        w0, g, b, added = found
        own = signs[:, None] * np.maximum(0.0, signs[:, None] * (b[:, :-1] @ points.T + b[:, -1:]))
        wrong = np.where(labels > 0, -1, 1) * (w0 + points @ g + own.sum(axis=0)) + (labels < 0)
        i = int(wrong.argmax())
        if wrong[i] <= MARGIN:
            return w0, g, b, signs
        apart = np.where(settled[:, i] == FREE, np.abs(added - own)[:, i], -1.0)
        for side in (ACTIVE, INACTIVE):
            stack.append(settled.copy())
            stack[-1][apart.argmax(), i] = side
    return None


def relaxed(points, labels, signs, affine, settled):
    """w0, g, the b_k and v_ik of the program; None where it has no solution."""
    (count, inputs), units = points.shape, len(signs)
    ones = np.column_stack([points, np.ones(count)])
    start, size = inputs + 1, units * (inputs + 1)
    width = start + size + units * count + 1
    rows, equal = [], []
    for k, s in enumerate(signs):
        here = slice(start + k * (inputs + 1), start + (k + 1) * (inputs + 1))
        for i in range(count):
            v = start + size + k * count + i
            above, least, value = np.zeros(width), np.zeros(width), np.zeros(width)
            above[here], least[v] = s * ones[i], -s
            value[v] = 1.0
            if settled[k, i] == ACTIVE:
                value[here] = -ones[i]
                equal.append(value)
                rows.append(-above)
            elif settled[k, i] == INACTIVE:
                equal.append(value)
                rows.append(above)
            else:
                rows += [above + least, least]
    most = [0.0] * len(rows)
    for i, label in enumerate(labels):
        row = np.zeros(width)
        row[0], row[1:start] = 1.0, points[i]
        row[start + size + i : -1 : count] = 1.0
        row = -label * row
        row[-1] = 0.0 if label > 0 else 1.0
        rows.append(row)
        most.append(0.0)
    gain = np.zeros(width)
    gain[-1] = -1.0
    free = (None, None)
    bounds = [free, *[free if affine else (0, 0)] * inputs, *[free] * (size + units * count), (0, 1)]
    a_eq = np.array(equal) if equal else None
    best = linprog(gain, np.array(rows), most, a_eq, None if a_eq is None else np.zeros(len(equal)), bounds)
    if best.status != 0 or best.x[-1] < MARGIN:
        return None
    x = best.x / best.x[-1]
    b = x[start : start + size].reshape(units, inputs + 1)
    return x[0], x[1:start], b, x[start + size : -1].reshape(units, count)


def value(found, points):
    """f at points."""
    w0, g, b, signs = found
    return w0 + points @ g + (signs * np.maximum(0.0, signs * (points @ b[:, :-1].T + b[:, -1]))).sum(axis=1)


def near(answer, rng, chords, around, apart=2.0**-12):
    """Pairs of points close to the boundary of a decision, on both of its sides, where chords of all sizes meet it; labels."""
    found = []
    while len(found) < 2 * chords:
        size = 10 ** rng.uniform(-3, 1.5)
        ends = around[rng.integers(len(around))] + rng.normal(size=(2, 2)) * size
        if len(set(answer(ends))) < 2:
            continue
        while np.abs(ends[0] - ends[1]).max() > apart * size:
            middle = ends.mean(axis=0)
            ends[int(answer(middle[None])[0] == answer(ends[1:])[0])] = middle
        found += list(ends)
    points = np.array(found)
    return points, np.asarray(answer(points), dtype=float)


def excludes(answer, units, affine=False, around=((0.0, 0.0),), seed=0, dense=100, most=20_000):
    """How many labelled points prove that no network of so many units has a decision in the plane.

    None where one has all the labels of the sample: pairs on chords around the given points, and others far out. Points at
    which a network is wrong join the others one by one.
    """
    rng = np.random.default_rng(seed)
    points, labels = near(answer, rng, dense, np.array(around))
    wide = rng.normal(size=(dense, 2)) * 10
    points, labels = np.vstack([points, wide]), np.append(labels, answer(wide))
    chosen = list(range(6))
    while True:
        found = fits(points[chosen], labels[chosen], units, affine, most)
        if found is None:
            return len(chosen)
        f = value(found, points)
        wrong = np.where((f >= 0) == (labels > 0), -1.0, np.abs(f))
        wrong[chosen] = -1.0
        worst = int(wrong.argmax())
        if wrong[worst] < 0:
            return None
        chosen.append(worst)
