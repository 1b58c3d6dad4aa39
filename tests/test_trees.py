"""What trees need, against all cells of their grid; their threshold circuits; both at thresholds, too."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from tree_cases import answer, ensemble_of, ensembles, grid_points, needed, random_ensemble

import lpnet
from lpnet import Box, Polyhedron
from lpnet.boundary import thresholds
from lpnet.equivalents import tree_circuits
from lpnet.equivalents.tree_circuits import tree_circuit
from lpnet.equivalents.trees import minimal_trees
from lpnet.errors import InputError, LpnetError
from lpnet.exact import point
from lpnet.networks.affine import AffineMap, Layer
from lpnet.watch import Watch


def halves(ensemble, count=200, seed=0):
    """Points on and between the thresholds of whole numbers."""
    return np.random.default_rng(seed).integers(-8, 9, size=(count, ensemble.columns)) / 2


def check_all(ensemble):
    """Everything about an ensemble, against the oracle."""
    answer_, (found, table) = minimal_trees(ensemble), needed(ensemble)
    assert set(answer_.halfspaces) == set(found)
    classes = sorted(set(table.ravel().tolist()))
    assert answer_.never == tuple(c for c in range(len(ensemble.names)) if c not in classes)
    if not found:
        assert answer_.constant == classes[0]
    pairs = {tuple(sorted((int(a), int(b)))) for own in found.values() for a, b in own}
    assert set(answer_.borders) == pairs
    for pair in pairs:
        units = sum(any({int(a), int(b)} == set(pair) for a, b in own) for own in found.values())
        assert answer_.borders[pair].units == units
    for number in range(len(ensemble.names)):
        assert len(answer_.units_of(number)) == sum(any(number in own for own in pairs) for pairs in found.values())
    return answer_


@pytest.mark.parametrize("seed", range(60))
def test_needed_is_what_the_grid_says(seed):
    ensemble = random_ensemble(seed)
    found = check_all(ensemble)
    points = halves(ensemble)
    given = [answer(ensemble, [Fraction(x) for x in z]) for z in points]
    assert (ensemble(points) == ensemble.answer(np.array(given))).all()
    assert (found.reduced(points) == ensemble(points)).all()
    for z in points[:5]:
        assert ensemble.answer_at(point(z)) == ensemble(z)


@given(ensembles())
@settings(max_examples=60)
def test_needed_with_ties_everywhere(ensemble):
    found = check_all(ensemble)
    circuit = tree_circuit(found, Watch())
    points = halves(ensemble, 60)
    assert (circuit.network(points) == ensemble(points)).all()


@pytest.mark.parametrize("few", [True, False])
@pytest.mark.parametrize("seed", range(40))
def test_circuits_answer_alike(seed, few, monkeypatch):
    """Of few cells, and as of many; on a box, too."""
    monkeypatch.setattr(tree_circuits, "MOST_CELLS", 1000 if few else 0)
    ensemble = random_ensemble(seed)
    domain = Box(np.full(ensemble.columns, -1.5), np.full(ensemble.columns, 2.0)) if seed % 3 == 0 else None
    found = minimal_trees(ensemble, domain)
    circuit = tree_circuit(found, Watch())
    assert circuit.first_layer == found.units
    points = halves(ensemble) / (4 if domain else 1)
    points = points[domain.contains(points)] if domain else points
    assert len(points)
    assert (circuit.network(points) == ensemble(points)).all()


def test_on_a_box_what_meets_it_alone():
    """x ≤ 1 and then y ≤ 2: of x < 0 only the second is left, and on its own threshold none is."""
    ensemble = ensemble_of([(0, 1.0, False, (1, 2.0, False, (1,), (-1,)), (-1,))], 2, 1)
    assert minimal_trees(ensemble).halfspaces == ((-1, 0, 1), (0, -1, 2))
    assert minimal_trees(ensemble, Box([-np.inf, -np.inf], [0, np.inf])).halfspaces == ((0, -1, 2),)
    assert minimal_trees(ensemble, Box([1, 0], [3, 3])).constant == 0
    assert minimal_trees(ensemble, Box([0, 0], [1, 2])).constant == 1
    with pytest.raises(InputError, match="wanted a box"):
        minimal_trees(ensemble, Polyhedron.of([[1.0, 1.0]], [0.0]))


def test_the_closed_side_is_that_of_the_split():
    """x ≤ 0 and x < 0 are other half-spaces, and both are needed where 0 itself is another class."""
    below, above = (ensemble_of([(0, 0.0, strict, (1,), (-1,))], 1, 1) for strict in (False, True))
    assert minimal_trees(below).halfspaces == ((-1, 0),)
    assert minimal_trees(above).halfspaces == ((1, 0),)
    slit = ensemble_of([(0, 0.0, False, (0, 0.0, True, (-1,), (1,)), (-1,))], 1, 1)
    assert set(minimal_trees(slit).halfspaces) == {(-1, 0), (1, 0)}
    assert slit([[-1.0], [0.0], [np.nextafter(0, 1)]]).tolist() == [-1, 1, -1]


def test_sums_are_exact():
    """1 − 1/3 − 1/3 − 1/3 in floats is 0; exactly it is above 0, since the nearest float to 1/3 is below it."""
    third = 1 / 3
    ensemble = ensemble_of([(0, float(k), False, (-third,), (0.0,)) for k in range(3)] + [((1.0,))], 1, 1)
    assert 1.0 - (third + third + third) == 0 < ensemble.scores_at((-1, 1))[0]
    tie = ensemble_of([(0, 0.0, False, (0.1, 0.2), (0.2, 0.1)), (0, 0.0, False, (0.2, 0.1), (0.1, 0.2))], 1, 2)
    assert minimal_trees(tie).constant == 0  # equal everywhere, for the first


def test_a_scale_of_many_digits():
    """Values from 2^-300 to 2^300: no sum of int64 holds them."""
    trees = [(0, 0.0, False, (2.0**300,), (-(2.0**300),)), (1, 0.0, False, (2.0**-300,), (-(2.0**-300),))]
    ensemble = ensemble_of([*trees, (0, 0.0, False, (-(2.0**300),), (2.0**300,))], 2, 1)
    assert minimal_trees(ensemble).halfspaces == ((0, -1, 0),)
    assert ensemble([[-1.0, 0.0], [1.0, 1.0]]).tolist() == [1, -1]
    deeper = ensemble_of([(0, 0.0, False, (1, 1.0, False, (2.0**300,), (1.0,)), (2.0**-300,)), (-(2.0**-300),)], 2, 1)
    check_all(deeper)


def test_budgets_do_not_change_the_answer(monkeypatch):
    """A cut that takes more boxes than are allowed comes again."""
    monkeypatch.setattr(thresholds, "FEW_BOXES", 1)
    monkeypatch.setattr(thresholds, "IDLE", 0)
    monkeypatch.setattr(thresholds, "ROUNDS", 0)
    for seed in range(12):
        check_all(random_ensemble(seed))


def test_a_front_of_scales_and_one_onto_fewer():
    ensemble = random_ensemble(7)
    d = ensemble.columns
    front = AffineMap((Layer(np.diag([2.0, -4.0, 1 / 3][:d]), np.array([1.0, 0.5, 0.1][:d])),))
    behind = replace(ensemble, front=front)
    folded = behind.behind(front.composed)
    x = np.random.default_rng(1).normal(size=(300, d))
    assert (folded(x) == behind(x)).all()
    assert set(minimal_trees(behind).halfspaces) == set(minimal_trees(folded).halfspaces)
    box = Box(np.full(d, -1.0), np.full(d, 1.0))
    assert set(minimal_trees(behind, box).halfspaces) == set(minimal_trees(folded, box).halfspaces)
    for h, at in zip(minimal_trees(behind, box).halfspaces, minimal_trees(behind, box).witnesses, strict=True):
        assert sum(a * b for a, b in zip(h, at, strict=True)) == 0
    turned = replace(ensemble, front=AffineMap((Layer(np.ones((d, 4)) + np.eye(d, 4), np.zeros(d)),)))
    assert minimal_trees(turned).units == minimal_trees(ensemble).units
    twice = replace(ensemble, front=AffineMap((Layer(np.ones((d, 1)), np.zeros(d)),)))
    if d > 1:
        with pytest.raises(InputError, match="front"):
            minimal_trees(twice)


def test_stopped_searches_say_so():
    """What they have found is needed."""
    ensemble = random_ensemble(12)
    watch = Watch()
    watch.stopped = "somebody said so"
    found = minimal_trees(ensemble, watch=watch)
    assert not found.complete
    assert set(found.halfspaces) <= set(needed(ensemble)[0])
    with pytest.raises(LpnetError, match="was stopped"):
        _ = found.reduced


@pytest.mark.parametrize("field", ["children", "roots", "feature", "value", "output_weight"])
def test_bad_tables_are_refused(field):
    ensemble = random_ensemble(12)
    fields = vars(ensemble)
    wrong = {
        "children": np.zeros_like(fields["children"]),
        "roots": np.array([10**6]),
        "feature": np.full_like(fields["feature"], 99),
        "value": fields["value"] * np.nan,
        "output_weight": fields["output_weight"][:, :0],
    }
    with pytest.raises(InputError, match=field):
        replace(ensemble, **{field: wrong[field]})


def test_a_cell_has_a_number():
    """Between neighbouring floats, too."""
    ensemble = ensemble_of([(0, 1.0, False, (1,), (0, float(np.nextafter(1, 2)), False, (-1,), (1,)))], 1, 1)
    points, _ = grid_points(ensemble)
    assert ensemble.answer_at((points[0][1].numerator, points[0][1].denominator)) == -1
    found = minimal_trees(ensemble)
    assert found.units == 2
    between = found.grid.within(0, 1)
    assert 1 < between <= Fraction(np.nextafter(1, 2))
    assert lpnet.minimal_trees(ensemble).units == 2
