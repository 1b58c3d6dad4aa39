"""The checker's vertices: all the pieces, and no other, or NotSimple; floats and integers find the same zeros."""

import itertools
from dataclasses import replace
from math import comb, gcd

import numpy as np
import pytest
from cases import degenerate_networks, networks, random_degenerate, random_network, relu
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from lpnet import Polyhedron, normal_form
from lpnet.boundary.subsets import expand
from lpnet.boundary.tree import tree
from lpnet.boundary.vertices.engine import vertices
from lpnet.checker.lines import NotSimple, boundary_vertices, certain_zeros, exact_zeros, float_forms, independent_inputs
from lpnet.networks import ExactForm
from lpnet.watch import Watch

SIGNS = ["positive", "negative", "mixed"]


def patterns_around(subset, active):
    """The 2^(r−1) patterns at a vertex."""
    for choice in itertools.product((False, True), repeat=len(subset)):
        pattern = active.copy()
        pattern[subset] = choice
        yield tuple(pattern.tolist())


def pieces_of(form, **options):
    """The patterns around the vertices, in lexicographic order; None where the form is not simple."""
    found = set()
    try:
        for subsets, active in boundary_vertices(form.affine, form.units, form.signs, **options):
            assert subsets.dtype == np.int64
            assert active.dtype == np.bool_
            assert active.shape == (len(subsets), len(form.units))
            for subset, signs in zip(subsets, active, strict=True):
                assert not signs[subset].any()
                found.update(patterns_around(subset, signs))
    except NotSimple:
        return None
    return sorted(found)


def pieces_by(engine, form):
    return [tuple(pattern) for pattern in engine(form, Polyhedron.everywhere(form.inputs), Watch()).patterns.tolist()]


def by_line(subsets, active):
    return sorted((*subset, *signs) for subset, signs in zip(subsets.tolist(), active.tolist(), strict=True))


def assert_float_lines_are_exact(form):
    """Every line that floats decide has the zeros that integers find; returns the numbers of lines and of decided ones."""
    affine, *units = independent_inputs([form.affine, *form.units])
    subsets = np.array(list(itertools.combinations(range(len(units)), len(affine) - 2)), dtype=np.int64)
    subsets = subsets.reshape(len(subsets), len(affine) - 2)
    line, active, certain = certain_zeros(float_forms(affine, units, form.signs), subsets)
    expected = {index: exact_zeros(affine, units, form.signs, subsets[index].tolist()) for index in np.flatnonzero(certain)}
    assert set(line) <= set(expected)
    for index, rows in expected.items():
        assert sorted(active[line == index].tolist()) == sorted(rows.tolist())
    return len(subsets), len(expected)


def scaled_rows(form, rng, power):
    """Another form: each a_k, and l, times a power of two of its own, up to 2^power."""
    shifts = rng.integers(0, power + 1, len(form.units) + 1).tolist()
    affine, *units = [tuple(e << s for e in a) for a, s in zip((form.affine, *form.units), shifts, strict=True)]
    return replace(form, affine=affine, units=tuple(units))


def scaled_inputs(form, rng, power):
    """The same pieces: each input, and the unit of length, times a power of two of its own."""
    shifts = rng.integers(0, power + 1, form.inputs + 1).tolist()
    return form.each(lambda a: tuple(e << s for e, s in zip(a, shifts, strict=True)))


def integer_form(rows, affine, signs):
    """A form of distinct hyperplanes with gradients, from any integers."""
    seen, units = set(), []
    for row in rows:
        if any(row[:-1]):
            first = next(e for e in row if e)
            size = gcd(*row) * (1 if first > 0 else -1)
            if (line := tuple(e // size for e in row)) not in seen:
                seen.add(line)
                units.append(tuple(row))
    return ExactForm(tuple(affine), tuple(units), tuple(signs[: len(units)]), 0)


@pytest.mark.parametrize("seed", range(3))
def test_gaussian_networks(seed):
    """Against the tree and the vertex engine, one sign or mixed, with and without biases, d = 1, …, 5; n < d too."""
    rng = np.random.default_rng(seed)
    for trial in range(30):
        relus, inputs = int(rng.integers(1, 10)), 1 + trial % 5
        network = random_network(rng, relus, inputs, SIGNS[trial % 3], bias=rng.choice([0, 0.3, 1]))
        form = normal_form(network)
        assert pieces_of(form) == pieces_by(tree, form) == pieces_by(vertices, form)


def test_expanding_engine():
    rng = np.random.default_rng(3)
    for trial in range(20):
        form = normal_form(random_network(rng, 6, 1 + trial % 4, SIGNS[trial % 3]))
        assert pieces_of(form) == pieces_by(expand, form)


def test_batches_change_nothing():
    form = normal_form(random_network(np.random.default_rng(4), 9, 3))
    assert pieces_of(form, at_once=1) == pieces_of(form, at_once=7) == pieces_of(form) != []


@pytest.mark.parametrize(("relus", "inputs"), [(60, 2), (25, 3), (14, 4), (12, 5), (16, 6)])
def test_central_one_signed_networks_meet_every_line_twice(relus, inputs):
    form = normal_form(random_network(np.random.default_rng(relus), relus, inputs, "positive", bias=0.0, output_bias=-1.0))
    batches = list(boundary_vertices(form.affine, form.units, form.signs))
    assert sum(len(active) for _, active in batches) == 2 * comb(relus, inputs - 1)
    pieces = {p for s, a in batches for row in zip(s, a, strict=True) for p in patterns_around(*row)}
    assert len(pieces) == 2 * sum(comb(relus - 1, s) for s in range(inputs))


@pytest.mark.parametrize("inputs", [1, 2, 3, 4, 5])
def test_floats_decide_gaussian_lines_and_rightly(inputs):
    rng = np.random.default_rng(inputs)
    for trial in range(6):
        relus = int(rng.integers(inputs, 10))
        form = normal_form(random_network(rng, relus, inputs, SIGNS[trial % 3], bias=trial // 3))
        lines, decided = assert_float_lines_are_exact(form)
        assert lines == decided


def test_low_rank():
    """The rank of the first layer below the number of inputs, with an affine part within it or beyond."""
    rng = np.random.default_rng(5)
    for trial in range(40):
        rank, inputs, relus = int(rng.integers(1, 4)), int(rng.integers(4, 6)), int(rng.integers(3, 8))
        gradients = rng.integers(-99, 100, (relus, rank)) @ rng.integers(-9, 10, (rank, inputs))
        rows = np.column_stack([gradients, rng.integers(-99, 100, relus)]).tolist()
        affine = [0] * inputs if trial % 3 else rng.integers(-9, 10, inputs).tolist()
        form = integer_form(rows, [*affine, int(rng.integers(-200, 201))], rng.choice([-1, 1], relus).tolist())
        found = pieces_of(form)
        assert found is None or found == pieces_by(tree, form)
        assert found is not None or trial % 3


@pytest.mark.parametrize("power", [8, 40, 200, 1200, 3000])
def test_badly_scaled(power):
    rng = np.random.default_rng(power)
    for trial in range(8 if power < 1000 else 3):
        plain = normal_form(random_network(rng, int(rng.integers(2, 8)), 1 + trial % 4, SIGNS[trial % 3]))
        lines, decided = assert_float_lines_are_exact(turned := scaled_inputs(plain, rng, power))
        assert pieces_of(turned) == pieces_of(plain) == pieces_by(tree, plain)
        assert decided == lines or power > 40
        form = scaled_rows(plain, rng, power)
        assert_float_lines_are_exact(form)
        assert pieces_of(form) == pieces_by(tree, form)


def test_almost_degenerate():
    """Degenerate forms, moved in the last of many bits: simple, but floats cannot know."""
    rng = np.random.default_rng(6)
    doubts = simple = 0
    for trial in range(60):
        relus, inputs = int(rng.integers(2, 8)), 1 + trial % 3
        table = rng.integers(-2, 3, (relus + 1, inputs + 1)).astype(object) << int(rng.integers(10, 100))
        table += rng.integers(-3, 4, table.shape)
        form = integer_form(table[1:].tolist(), table[0].tolist(), rng.choice([-1, 1], relus).tolist())
        lines, decided = assert_float_lines_are_exact(form)
        found = pieces_of(form)
        assert found is None or found == pieces_by(tree, form)
        doubts, simple = doubts + lines - decided, simple + (found is not None)
    assert doubts > 50
    assert simple > 40


def test_degenerate_networks_by_hand():
    answers = []
    for case in degenerate_networks():
        form = normal_form(case.network)
        if len(form.units) < 9:
            answers.append(pieces_of(form))
            assert answers[-1] is None or answers[-1] == pieces_by(expand, form), case.name
    assert answers.count(None) > 20
    assert len(answers) - answers.count(None) > 40


def test_degenerate_networks_at_random():
    rng = np.random.default_rng(7)
    answers = []
    for _ in range(200):
        form = normal_form(random_degenerate(rng, int(rng.integers(1, 7)), int(rng.integers(1, 5))))
        if any(form.affine[:-1]) or form.units:
            assert_float_lines_are_exact(form)
        answers.append(pieces_of(form))
        assert answers[-1] is None or answers[-1] == pieces_by(tree, form)
    assert answers.count(None) > 20
    assert len(answers) - answers.count(None) > 20


@hypothesis_settings(max_examples=150)
@given(networks())
def test_any_network(network):
    form = normal_form(network)
    found = pieces_of(form)
    assert found is None or found == pieces_by(expand, form)


@hypothesis_settings(max_examples=200)
@given(st.data())
def test_small_integers(data):
    inputs, relus = data.draw(st.integers(1, 3)), data.draw(st.integers(0, 5))
    row = st.lists(st.integers(-3, 3), min_size=inputs + 1, max_size=inputs + 1)
    rows = data.draw(st.lists(row, min_size=relus, max_size=relus))
    signs = data.draw(st.lists(st.sampled_from([-1, 1]), min_size=relus, max_size=relus))
    form = integer_form(rows, data.draw(row), signs)
    found = pieces_of(form)
    assert found is None or found == pieces_by(expand, form)


@pytest.mark.parametrize(
    "network",
    [
        relu(0, (1, 1, 0, 0), (1, 0, 1, 0)),  # f = 0 on a cell
        relu(-1, (1, 1, 0), (1, 1, -1)),  # a piece on a kink
        relu(-1, (1, 1, 0, 0), (1, 0, 1, 0), (1, 1, 1, -1)),  # three units through a point of the boundary
        relu(0, (-1, 1, 0), (-1, -1, 0)),  # f touches 0
        relu(-1, (1, 1, 0, 0, 0), (1, 0, 1, 0, 0), (1, 1, 1, 0, 0), (1, 0, 0, 1, 0)),  # three units through a line
    ],
)
def test_not_simple(network):
    form = normal_form(network)
    with pytest.raises(NotSimple, match="vanish"):
        list(boundary_vertices(form.affine, form.units, form.signs))


def test_units_that_meet_off_the_boundary_do_not_matter():
    """Three units meet where x = y = 0, in a line or a plane, on which f ≥ 1."""
    for others in ([[0, 0, 1, 5]], [[0, 0, 1, 0, 5], [0, 0, 0, 1, -2]]):
        zeros = [0] * (len(others) + 1)
        form = integer_form(
            [[1, 0, *zeros], [0, 1, *zeros], [1, 1, *zeros], *others], [0, 0, *zeros[1:], 1], [-1, -1, -1, 1, 1]
        )
        assert pieces_of(form) == pieces_by(expand, form) != []


def test_constants_and_affine_functions():
    assert list(boundary_vertices((0, 0, 3), [], [])) == []
    ((subsets, active),) = boundary_vertices((2, -1, 3), [], [])
    assert subsets.shape == active.shape == (1, 0)
    assert [len(a) for _, a in boundary_vertices((0, 0, -1), [(1, 1, 0)], [1])] == [1]


def test_the_exact_path_is_rarely_taken(monkeypatch):
    def never(*arguments):
        raise AssertionError(arguments)

    monkeypatch.setattr("lpnet.checker.lines.exact_zeros", never)
    form = normal_form(random_network(np.random.default_rng(8), 100, 3, "mixed", output_bias=-1.0))
    assert sum(len(active) for _, active in boundary_vertices(form.affine, form.units, form.signs)) > 1000
