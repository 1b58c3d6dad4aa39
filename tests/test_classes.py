"""Decisions of several outputs: against an oracle of all cells and classes, by hand, and between engines."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from class_oracle import Classes, Outputs, classifier, solve_classes
from deep_cases import golden, golden_layers, random_deep, random_degenerate_deep, relu_network
from oracle import Units, exact_units

from lpnet import Box, Polyhedron, ReLUNetwork, estimate_pieces, minimal_equivalent
from lpnet.boundary.classes import expand_classes
from lpnet.boundary.pieces import Pieces
from lpnet.boundary.tree.engine import class_tree
from lpnet.equality.classes import equal_classes
from lpnet.equivalents.class_circuits import class_circuits, limit
from lpnet.equivalents.classes import minimal_classes, units_of_pieces
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


@pytest.mark.parametrize("seed", [0, 1, *(pytest.param(k, marks=pytest.mark.slow) for k in range(2, 8))])
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


@pytest.mark.parametrize("seed", [0, *(pytest.param(k, marks=pytest.mark.slow) for k in range(1, 6))])
@pytest.mark.parametrize("boxed", [False, True])
def test_the_tree_is_the_plain_engine(seed, boxed):
    rng = np.random.default_rng(seed)
    for inputs, widths in 2 * SHAPES:
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


@pytest.mark.parametrize("seed", [0, 1, *(pytest.param(k, marks=pytest.mark.slow) for k in range(2, 8))])
def test_threshold_networks_of_classes(seed):
    """An output a class, +1 for it alone at all points of a grid, ties included, and proved equal."""
    rng = np.random.default_rng(seed)
    for inputs, widths in SHAPES[:5]:
        network = classifier(degenerate(rng, inputs, widths, int(rng.integers(2, 5))))
        domain = Box([-4] * inputs, [4] * inputs)
        answer = minimal_classes(network, domain)
        built = class_circuits(answer, Watch())
        points = rng.integers(-15, 16, (300, inputs)) / 4
        np.testing.assert_array_equal(built.network(points), network(points))
        assert np.sum([score(points) > 0 for score in built.network.scores], axis=0).tolist() == [1] * 300
        assert built.first_layer == answer.units or built.why
        assert equal_classes(network, built.network, domain).verdict == "equal"
        expected = solve_classes(Outputs(exact_units_of(network), rows_of(network)), domain)
        assert answer.never == tuple(c for c in range(len(network.names)) if c not in expected.winners)
        assert {p.halfspace for p in expected.pieces} == set(map(primitive, answer.halfspaces))


@pytest.mark.parametrize("seed", [0, *(pytest.param(k, marks=pytest.mark.slow) for k in range(1, 6))])
def test_a_point_of_each_class(seed):
    """Inside a region where it has one, on ties where it has none, as an oracle of all faces has it; or nowhere."""
    rng = np.random.default_rng(seed)
    for inputs, widths in SHAPES[:6]:
        network = degenerate(rng, inputs, widths, int(rng.integers(2, 5)))
        for domain in (None, Box([-2] * inputs, [2] * inputs)):
            answer, expected = minimal_classes(classifier(network), domain), solve_classes(network, domain)
            assert {c for c, at in enumerate(answer.points) if at} == expected.somewhere
            for c, at in enumerate(answer.points):
                if at:
                    assert answer.network.exact_form.class_at(at) == c
                    assert all(value(h, at) > 0 for h in (domain.inequalities() if domain else ()))
                    scores = answer.network.exact_form.scores_at(at)
                    assert c in answer.never or all(s < scores[c] for q, s in enumerate(scores) if s != scores[c] or q < c)


def test_units_are_shared_between_classes():
    """One class of three is where no term of the others holds; the terms of each are as few as the bound says, or more."""
    network = classifier(floats(np.random.default_rng(2), 2, (5,), 3))
    answer = minimal_classes(network)
    built = class_circuits(answer, Watch())
    own = [len(one.units) for c, one in enumerate(built.alone) if c != built.shared]
    assert built.shared is not None
    assert built.kinds[built.shared] == "the rest"
    assert (built.first_layer, built.second_layer, built.why) == (answer.units, sum(own), "")
    assert all(one.at_least is not None and one.at_least <= len(one.units) for one in built.alone)
    points = np.random.default_rng(3).normal(size=(400, 2))
    np.testing.assert_array_equal(built.network(points), network(points))


@pytest.mark.parametrize("side", [-1, 1])
def test_half_spaces_are_put_back(side):
    """What was moved by less than anything says where it was, and which way."""
    h, bits = (-6, 0, 4, 9), 5
    moved = (*(entry << 40 for entry in h[:-1]), (h[-1] << 40) + side)
    assert limit(moved, bits) == (primitive(tuple(side * entry for entry in h)), side)
    assert limit(primitive(tuple(3 * entry for entry in moved)), bits)[1] == side
    assert limit(h, bits) == (h, 1)


def exact_units_of(network: Classifier) -> Units:
    """The units of a classifier for the oracle."""
    return exact_units(network.scores[0])


def rows_of(network: Classifier) -> list[list[Fraction]]:
    """The outputs of a classifier for the oracle."""
    return [exact_units(score).output for score in network.scores]


def test_corner_cases():
    """By hand: equal outputs, a class that wins on ties alone, a class that never wins, outputs equal on a cell."""
    line = ReLUNetwork(np.zeros((0, 1)), np.zeros(0), np.zeros(0), 0.0)
    x, minus_x, nothing = (replace(line, skip=np.array([slope])) for slope in (1.0, -1.0, 0.0))
    below = replace(nothing, output_bias=-1.0)
    twice = minimal_classes(Classifier((x, x, minus_x)))
    assert (twice.units, twice.never) == (1, (1,))
    on_ties = minimal_classes(Classifier((nothing, x, minus_x)))
    assert (on_ties.units, on_ties.never, on_ties.network([[0.0], [1.0], [-1.0]]).tolist()) == (1, (0,), [0, 1, 2])
    assert class_circuits(on_ties, Watch()).network([[0.0], [1.0], [-1.0]]).tolist() == [0, 1, 2]
    never = minimal_classes(Classifier((x, below, minus_x)))
    assert (never.units, never.never, never.borders) == (1, (1,), {(0, 2): (1, 1)})
    unit = ReLUNetwork(np.ones((1, 1)), np.zeros(1), np.ones(1), 0.0)
    flat = replace(unit, output_weight=np.zeros(1))
    half = minimal_classes(Classifier((flat, unit)))  # equal where x ≤ 0: the class is 0 there
    assert [half.units, *map(primitive, half.halfspaces)] == [1, (-1, 0)]
    assert minimal_classes(Classifier((flat, flat))).constant == 0
    assert minimal_classes(Classifier((flat, replace(flat, output_bias=1.0)))).constant == 1


def test_two_outputs_are_one_with_ties_for_the_first():
    """(f | 0) is the binary decision: the same half-spaces."""
    rng = np.random.default_rng(5)
    for inputs, widths in SHAPES[2:]:
        network = relu_network(random_degenerate_deep(rng, inputs, widths))
        zero = replace(network, output_weight=0 * network.output_weight, output_bias=0.0, skip=None)
        both = minimal_classes(Classifier((network, zero)))
        assert set(map(primitive, both.halfspaces)) == set(map(primitive, minimal_equivalent(network).halfspaces))


def test_groups_and_least():
    """A group against the rest has the pieces between the two; the least of −s is the largest of s."""
    rng = np.random.default_rng(6)
    network = classifier(floats(rng, 2, (3, 2), 4))
    answer = minimal_classes(network)
    inside = [tuple(sorted(pair)) for pair in answer.pairs.tolist()]
    for members in ([0], [0, 1], [3, 1]):
        between = [k for k, pair in enumerate(inside) if (pair[0] in members) != (pair[1] in members)]
        group = minimal_classes(network.group(members, "group", "rest"))
        assert len(group.pieces.patterns) == len(between)
        assert group.units == len(np.unique(answer.piece_units[between]))
    points = rng.normal(size=(50, 2))
    np.testing.assert_array_equal(network.least().least()(points), network(points))
    worst = network.least()(points)
    scores = np.stack([score.score(points) for score in network.scores])
    np.testing.assert_array_equal(worst, scores.argmin(axis=0))


def test_golden():
    """A random network of three outputs, counted by three programs that share nothing with this one: 36, 21 on a box."""
    network = Classifier.of_layers(golden_layers("2-10-10-3"))
    everywhere, boxed = minimal_classes(network), minimal_classes(network, Box([-1, -1], [1, 1]))
    counts = golden()["2-10-10-3"]
    assert len(everywhere.pieces.patterns) == everywhere.units == counts["argmax_pair_pieces"] == 36
    assert len(boxed.pieces.patterns) == counts["box_-1_1"]["argmax_pair_pieces"]
    for at, pair in zip(everywhere.witnesses, everywhere.pairs[everywhere.first_piece], strict=True):
        scores = network.exact_form.scores_at(at)
        assert scores[pair[0]] == scores[pair[1]] == max(scores)


def test_equality():
    """Another network is told from it, with a point; a class that is renumbered, too; a scaled one is not."""
    rng = np.random.default_rng(8)
    network = classifier(floats(rng, 2, (3,), 3))
    assert equal_classes(network, network).verdict == "equal"
    scaled = replace(
        network,
        scores=tuple(
            replace(s, output_weight=2 * s.output_weight, output_bias=2 * s.output_bias, skip=2 * s.skip)
            for s in network.scores
        ),
    )
    assert equal_classes(network, scaled).verdict == "equal"
    other = classifier(floats(rng, 2, (3,), 3))
    found = equal_classes(network, other)
    assert found.verdict == "different"
    assert found.point is not None
    answers = [each.exact_form.class_at(found.point) for each in (network, other)]
    assert [found.answer_a, found.answer_b] == answers
    assert answers[0] != answers[1]


def test_residues_tell_half_spaces_apart():
    """The same half-spaces as all compared in integers, where many pieces share one."""
    rng = np.random.default_rng(9)
    shared = 0
    for inputs, widths in 4 * SHAPES:
        decision = classifier(degenerate(rng, inputs, widths, 4)).normal_form()
        found = expand_classes(decision, Polyhedron.everywhere(inputs), Watch())
        first, units = units_of_pieces(decision, found)
        exact = list(map(primitive, decision.halfspaces(found.patterns, found.pairs)))
        assert [exact[k] for k in first[units]] == exact
        assert len({exact[k] for k in first}) == len(first)
        shared += len(exact) - len(first)
    assert shared > 10


def test_estimates(monkeypatch):
    """Exact for a small tree, and within errors and bounds where it is drawn from; the cells too."""
    rng = np.random.default_rng(0)
    network = classifier(floats(rng, 2, (6, 4), 4))
    pieces = len(minimal_classes(network).pieces.patterns)
    exact = estimate_pieces(network)
    assert exact.exact
    assert exact.pieces == pieces
    monkeypatch.setattr("lpnet.boundary.sampling.descents.TOGETHER", 8)
    for seed in range(3):
        drawn = estimate_pieces(network, samples=160, seed=seed)
        assert not drawn.exact
        assert drawn.at_least <= pieces <= drawn.bound
        assert abs(drawn.unbiased - pieces) < 5 * drawn.standard_error
        assert abs(drawn.cells.unbiased - exact.cells.pieces) < 5 * drawn.cells.standard_error
