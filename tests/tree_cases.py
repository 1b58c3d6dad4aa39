"""Small tree ensembles, and an oracle that goes through all cells of their grid, in rationals, by the tables alone."""

import itertools
from dataclasses import replace
from fractions import Fraction

import numpy as np
from hypothesis import strategies as st

from lpnet.networks.tree_table import Node, Table

LEAST, MOST = -3, 3


def ensemble_of(trees, features, width, names=()):
    """Trees in nested tuples: values, or (feature, threshold, strict, left, right); one score is +1 where it is ≥ 0."""
    table = Table(width)
    for tree in trees:
        table.add(tree, lambda node: Node((), *node) if len(node) == 5 else Node(node))
    made = table.ensemble(features, np.eye(width), np.zeros(width))
    return replace(made, names=names, classes=(1, 0) if width == 1 else ())


def random_tree(rng, features, width, depth, strict):
    """A tree with whole numbers."""
    if depth == 0 or rng.random() < 0.2:
        return tuple(int(v) for v in rng.integers(LEAST, MOST + 1, size=width)) if width != 5 else (0,) * 5
    children = (random_tree(rng, features, width, depth - 1, strict) for _ in range(2))
    side = bool(strict and rng.random() < 0.5)
    return (int(rng.integers(features)), float(rng.integers(LEAST, MOST + 1)), side, *children)


def random_ensemble(seed):
    """One of many kinds: one tree, stumps, several trees; one score or several; splits by < among those by ≤, or not."""
    rng = np.random.default_rng(seed)
    features, width = int(rng.integers(1, 4)), int(rng.integers(1, 5))
    depth = 1 if seed % 5 == 0 else int(rng.integers(0, 4))
    trees = [random_tree(rng, features, width, depth, seed % 2) for _ in range(1 if seed % 5 == 1 else rng.integers(1, 6))]
    return ensemble_of(trees, features, width)


@st.composite
def ensembles(draw):
    """Ensembles of a few trees for Hypothesis, with ties everywhere."""
    features, width = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    leaf = st.tuples(*[st.integers(-1, 1)] * width)
    split = st.integers(0, features - 1), st.integers(-1, 1).map(float), st.booleans()
    tree = st.recursive(leaf, lambda below: st.tuples(*split, below, below), max_leaves=5)
    return ensemble_of(draw(st.lists(tree, min_size=1, max_size=4)), features, width)


def answer(ensemble, z):
    """The class at a point, by the definition."""
    total = [Fraction(0)] * ensemble.value.shape[1]
    for node in ensemble.roots:
        while ensemble.feature[node] >= 0:
            x, t = z[ensemble.feature[node]], Fraction(ensemble.threshold[node])
            node = ensemble.children[node][0 if (x < t if ensemble.strict[node] else x <= t) else 1]
        total = [s + Fraction(v) for s, v in zip(total, ensemble.value[node], strict=True)]
    scores = [
        sum((Fraction(w) * s for w, s in zip(row, total, strict=True)), Fraction(b))
        for row, b in zip(ensemble.output_weight, ensemble.output_bias, strict=True)
    ]
    return ensemble.classes[scores.index(max(scores))]


def grid_points(ensemble):
    """For each input a number in each cell of its thresholds, in order, and the cuts (t, closed below) between them."""
    points, cuts = [], []
    for j in range(ensemble.columns):
        own = sorted(
            {
                (Fraction(t), int(not s))
                for f, t, s in zip(ensemble.feature, ensemble.threshold, ensemble.strict, strict=True)
                if f == j
            }
        )
        ends = [own[0][0] - 1, *(t for t, _ in own), own[-1][0] + 1] if own else [Fraction(0), Fraction(0)]
        points.append([(a + b) / 2 for a, b in itertools.pairwise(ends)])
        cuts.append(own)
    return points, cuts


def needed(ensemble):
    """The half-spaces {h ≥ 0} with two cells beside them that differ in answer, and the pairs of classes at each."""
    points, cuts = grid_points(ensemble)
    table = np.empty([len(own) for own in points], dtype=int)
    for cell in itertools.product(*(range(len(own)) for own in points)):
        table[cell] = answer(ensemble, [own[k] for own, k in zip(points, cell, strict=True)])
    found = {}
    for j, own in enumerate(cuts):
        lines = np.moveaxis(table, j, 0)
        for k, (t, closed) in enumerate(own):
            pairs = {(a, b) for a, b in zip(lines[k].ravel(), lines[k + 1].ravel(), strict=True) if a != b}
            if pairs:
                sign = -1 if closed else 1
                h = [0] * ensemble.columns + [-sign * t.numerator]
                h[j] = sign * t.denominator
                found[tuple(h)] = pairs
    return found, table
