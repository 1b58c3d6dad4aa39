"""Decisions of several outputs: against an oracle of all cells and classes, by hand, and between engines."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from class_oracle import Classes, Outputs, classifier, solve_classes
from deep_cases import random_deep, random_degenerate_deep

from lpnet import Box, Polyhedron, ReLUNetwork
from lpnet.boundary.classes import expand_classes
from lpnet.boundary.pieces import Pieces
from lpnet.boundary.tree.engine import class_tree
from lpnet.exact import primitive, value
from lpnet.laws import classes_bound
from lpnet.networks.classifier import Classifier
from lpnet.networks.decision import Decision
from lpnet.watch import Watch

SHAPES = [(1, ()), (2, ()), (2, (3,)), (3, (3,)), (1, (2, 2)), (2, (3, 2)), (2, (2, 2, 2)), (3, (3, 2)), (2, (4,))]


def degenerate(rng: np.random.Generator, inputs: int, widths: tuple[int, ...], outputs: int) -> Outputs:
    """Small integer weights; some outputs are copies of others, or differ from them by little."""
    units = random_degenerate_deep(rng, inputs, widths)
    size, rows = len(units.output), []
    for _ in range(outputs):
        fresh = [Fraction(int(z), 2) for z in rng.integers(-3, 4, size) * rng.integers(0, 2, size)]
        if rows and rng.random() < 0.4:
            other, k = list(rows[rng.integers(len(rows))]), int(rng.integers(size))
            other[k] += int(rng.integers(-1, 2))
            fresh = other
        rows.append(fresh)
    return Outputs(units, rows)


def floats(rng: np.random.Generator, inputs: int, widths: tuple[int, ...], outputs: int) -> Outputs:
    """Gaussian weights."""
    units = random_deep(rng, inputs, widths)
    return Outputs(units, [[Fraction(z) for z in rng.normal(size=len(units.output))] for _ in range(outputs)])


def assert_is_the_oracles(decision: Decision, found: Pieces, expected: Classes, domain: Polyhedron | None) -> None:
    """The same half-spaces between the same outputs; every witness a tie of the two that exceeds all others."""
    assert found.complete
    assert found.pairs is not None
    classes = np.array(decision.classes)
    halfspaces = list(map(primitive, decision.halfspaces(found.patterns, found.pairs)))
    pairs = [tuple(map(int, pair)) for pair in classes[found.pairs]]
    assert set(zip(pairs, halfspaces, strict=True)) == {(piece.pair, piece.halfspace) for piece in expected.pieces}
    assert len(pairs) <= len(expected.pieces)
    assert found.witnesses is not None
    for (i, j), h, at in zip(found.pairs, halfspaces, found.witnesses, strict=True):
        scores = decision.scores_at(at)
        assert value(h, at) == 0
        assert scores[i] == scores[j] == max(scores)
        assert at[-1] > 0
        assert all(value(g, at) > 0 for g in (domain.inequalities() if domain else ()))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("boxed", [False, True])
def test_degenerate(seed, boxed):
    """All patterns, all pairs: equal outputs, outputs equal on cells, pieces on kinks, classes that never win."""
    rng = np.random.default_rng(seed)
    for inputs, widths in SHAPES:
        network = degenerate(rng, inputs, widths, int(rng.integers(2, 5)))
        domain = Box([-2] * inputs, [2] * inputs) if boxed else None
        decision = classifier(network).normal_form(domain)
        found = expand_classes(decision, domain or Polyhedron.everywhere(inputs), Watch())
        assert_is_the_oracles(decision, found, solve_classes(network, domain), domain)


@pytest.mark.parametrize("count", [2, 3, 5, 8])
def test_power_diagrams(count):
    """Linear scores: all pairs meet for points on the moment curve in R^3, and where gradients are independent."""
    curve = np.array([[t, t**2, t**3] for t in range(1, count + 1)], dtype=float)
    independent = np.eye(count)[:, 1:] if count > 1 else np.zeros((1, 0))
    for weight, bias in [(2 * curve, -(curve**2).sum(axis=1)), (independent, np.arange(count) / 2.0)]:
        inputs = weight.shape[1]
        body = ReLUNetwork(np.zeros((0, inputs)), np.zeros(0), np.zeros(0), 0.0)
        scores = [replace(body, skip=row, output_bias=b) for row, b in zip(weight, bias, strict=True)]
        decision = Classifier(tuple(scores)).normal_form()
        found = expand_classes(decision, Polyhedron.everywhere(inputs), Watch())
        assert len(found.patterns) == classes_bound(1, count)


def test_predictions():
    """Points of small whole numbers, where ties are frequent: the classes are those of exact arithmetic."""
    rng = np.random.default_rng(3)
    for inputs, widths in SHAPES:
        network = degenerate(rng, inputs, widths, 4)
        points = rng.integers(-3, 4, (40, inputs)) / 2
        own = classifier(network)
        expected = [own.exact_form.class_at((*(int(2 * z) for z in point), 2)) for point in points]
        assert own(points).tolist() == expected
        normal = own.normal_form()
        assert [normal.class_at((*(int(2 * z) for z in point), 2)) for point in points] == expected


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("boxed", [False, True])
def test_the_tree_is_the_plain_engine(seed, boxed):
    rng = np.random.default_rng(seed)
    for inputs, widths in 3 * SHAPES:
        for made in (degenerate, floats):
            network = made(rng, inputs, widths, int(rng.integers(2, 6)))
            domain = Box([-2] * inputs, [2] * inputs) if boxed else Polyhedron.everywhere(inputs)
            decision = classifier(network).normal_form(domain)
            assert_agree(decision, expand_classes(decision, domain, Watch()), class_tree(decision, domain, Watch()))


def assert_agree(decision: Decision, plain: Pieces, found: Pieces) -> None:
    """The same patterns and pairs, and witnesses that are ties."""
    np.testing.assert_array_equal(found.patterns, plain.patterns)
    np.testing.assert_array_equal(found.pairs, plain.pairs)
    for (i, j), at in zip(found.pairs, found.witnesses, strict=True):
        scores = decision.scores_at(at)
        assert scores[i] == scores[j] == max(scores)
