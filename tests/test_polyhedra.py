"""Polyhedra as domains: bounds, emptiness and membership against an oracle in rationals; inequalities against boxes."""

import io
import itertools
import json
import zipfile
from fractions import Fraction

import cases
import numpy as np
import oracle
import pytest
from flint import fmpq, fmpq_mat
from hypothesis import given, settings
from hypothesis import strategies as st

from lpnet import Box, InputError, Polyhedron, ReLUNetwork, equal, minimal_equivalent, normal_form
from lpnet.boundary.tree.bounds import chords_on
from lpnet.checker import BadProof, Refuted, check
from lpnet.exact import point, primitive, times, value
from lpnet.networks.polyhedron import rounded
from lpnet.programs import Certificate
from lpnet.programs.extent import Bound
from lpnet.proofs import write_proof

NEAR, FAR = 10**3, 10**9  # the vertices of small polyhedra are within NEAR; unbounded ones, cut at FAR, reach beyond it
TURN = np.array([[1, 1, 0], [-1, 1, 0], [0, 0, 1]])
small = st.integers(-4, 4)


def vertices(forms, inputs):
    """Those of {h ≥ 0}, by trying all d inequalities as equations."""
    for chosen in itertools.combinations(forms, inputs):
        gradients = fmpq_mat(inputs, inputs, [fmpq(entry) for h in chosen for entry in h[:-1]])
        if gradients.det() != 0:
            found = gradients.solve(fmpq_mat(inputs, 1, [fmpq(-h[-1]) for h in chosen])).entries()
            x = [Fraction(int(z.p), int(z.q)) for z in found]
            if all(sum(a * b for a, b in zip(h, [*x, 1], strict=True)) >= 0 for h in forms):
                yield x


@given(st.integers(1, 3).flatmap(lambda d: st.lists(st.tuples(*[small] * d, st.integers(-6, 9)), min_size=1, max_size=7)))
@settings(max_examples=150, deadline=None)
def test_small_polyhedra(forms):
    d = len(forms[0]) - 1
    domain = Polyhedron(d, tuple(forms))
    frame = [(*(side * (k == j) for k in range(d)), FAR) for j in range(d) for side in (1, -1)]
    corners = list(vertices([*forms, *frame], d))
    middle = [sum(column) / len(corners) for column in zip(*corners, strict=True)]  # inside, if anything is
    assert domain.empty == (not middle or any(sum(a * b for a, b in zip(h, [*middle, 1], strict=True)) <= 0 for h in forms))
    if domain.empty:
        assert isinstance(domain.interior, Certificate)
        assert domain.interior.excludes(forms, [1] * len(forms))
        return
    assert all(value(h, domain.interior) > 0 for h in forms)
    for j, (low, high) in enumerate(zip(*domain.bounds, strict=True)):
        least, most = min(x[j] for x in corners), max(x[j] for x in corners)
        assert least < -NEAR if low is None else 0 <= least - low < Fraction(1, 2**40)
        assert most > NEAR if high is None else 0 <= high - most < Fraction(1, 2**40)
    points = np.random.default_rng(0).integers(-4, 5, (20, d)) / 2
    np.testing.assert_array_equal(domain.contains(points), [all(value(h, point(x)) > 0 for h in forms) for x in points])


def test_bounds_are_the_tightest():
    simplex = Polyhedron.of([[1, 0, 0], [0, 1, 0], [0, 0, 1], [-1, -2, -4]], [0, 0, 0, 1])
    assert simplex.bounds == ([0, 0, 0], [1, Fraction(1, 2), Fraction(1, 4)])
    third = Polyhedron.of([[3, 1], [3, -1], [-1, 0]], [-1, -1, 1]).bounds[0][0]  # no float64: rounded outwards
    assert 0 < Fraction(1, 3) - third < Fraction(1, 2**53)
    assert rounded(Bound(0, 1, Fraction(-(10**400)), ())) is None
    assert Polyhedron.of([[1, 1]], [0]).bounds == ([None, None], [None, None])


@pytest.mark.parametrize("size", [1e-200, 1e-9, 1.0, 1e9, 1e200])
def test_bounds_of_turned_boxes_of_any_size(size):
    turned = Polyhedron.of(np.vstack([TURN, -TURN]) / size, np.ones(6))
    np.testing.assert_allclose([-turned.lower, turned.upper], size, rtol=1e-12)


def test_a_box_as_inequalities_gets_what_a_box_gets(tmp_path):
    rng = np.random.default_rng(0)
    for number in range(12):
        inputs = 2 + number % 2
        network = cases.random_network(rng, int(rng.integers(3, 9)), inputs)
        box = Box(-rng.uniform(0.2, 2, inputs), rng.uniform(0.2, 2, inputs))
        redundant = tuple(map(sum, zip(*box.forms[::2], strict=True))), (1,) * inputs + (10,)
        turned = Polyhedron(inputs, (*(times(3, h) for h in reversed(box.forms)), *redundant))
        assert turned.bounds == box.bounds
        assert not turned.implied
        form = normal_form(network, box)
        assert normal_form(network, turned) == form
        one, other = (chords_on(domain, form, range(form.inputs)) for domain in (box, turned))
        assert one == other
        assert one.forms
        answers = [minimal_equivalent(network, domain, "tree") for domain in (box, turned)]
        np.testing.assert_array_equal(answers[0].patterns, answers[1].patterns)
        assert set(map(primitive, answers[1].halfspaces)) == oracle.needed_halfspaces(network, box)
        write_proof(answers[1], tmp_path / "proof")
        assert check(tmp_path / "proof", network, turned).complete
        with pytest.raises(Refuted, match="another domain"):
            check(tmp_path / "proof", network, box)


def simplex(inputs):
    """A turned one around 0, in no input a box."""
    rows = np.eye(inputs) + np.roll(np.eye(inputs), 1, axis=1) / 4
    return Polyhedron.of(np.vstack([rows, -rows.sum(axis=0)]), np.ones(inputs + 1))


def test_on_a_simplex_and_a_half_space_the_tree_finds_what_subset_after_subset_finds(tmp_path):
    rng, settled = np.random.default_rng(1), 0
    for number in range(16):
        inputs = 2 + number % 3
        network = cases.random_network(rng, int(rng.integers(3, 8)), inputs)
        domain = simplex(inputs) if number % 4 else Polyhedron.of(rng.normal(size=(1, inputs)), [0.5])
        tree, expand = (minimal_equivalent(network, domain, engine) for engine in ("tree", "expand"))
        assert set(tree.halfspaces) == set(expand.halfspaces)
        form = normal_form(network, domain)
        settled += len(normal_form(network).units) - len(form.units)
        assert bool(chords_on(domain, form, range(form.inputs)).forms) == bool(number % 4 and form.units)
        write_proof(tree, tmp_path / "proof")
        report = check(tmp_path / "proof", network, domain)
        assert (report.complete, report.units) == (True, tree.units)
        assert equal(network, tree.equivalent, domain).verdict in ("equal", "equal off ties")
    assert settled


def with_header(path, **changes):
    """A proof file with other entries in its header."""
    made = io.BytesIO()
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(made, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            new.writestr(name, json.dumps(json.loads(content) | changes) if name == "header.json" else content)
    return made


def test_implied_bounds_that_do_not_follow_are_refused(tmp_path):
    """Each part of one of them changed a little, and parts of other kinds."""
    network = cases.random_network(np.random.default_rng(3), 6, 2)
    write_proof(minimal_equivalent(network, simplex(2), "tree"), tmp_path / "proof")
    with zipfile.ZipFile(tmp_path / "proof") as file:
        implied = json.loads(file.read("header.json"))["implied"]
    assert len(implied) == 4
    assert check(with_header(tmp_path / "proof", implied=implied), network, simplex(2)).complete
    bound = [int(entry, 16) for entry in implied[0]["bound"]]
    multipliers = [[int(entry, 16) for entry in pair] for pair in implied[0]["multipliers"]]
    false = [{"bound": [*bound[:-1], bound[-1] - 1], "multipliers": multipliers}]  # tighter
    false += [{"bound": [-entry for entry in bound], "multipliers": multipliers}]
    false += [{"bound": [*reversed(bound[:-1]), bound[-1]], "multipliers": multipliers}]  # of another input
    false += [{"bound": [1, 1, bound[-1]], "multipliers": multipliers}, {"bound": [0, 0, 1], "multipliers": multipliers}]
    false += [{"bound": bound, "multipliers": wrong} for wrong in ([], multipliers[:1], [[9, 1]], [[-1, 1]])]
    false += [{"bound": bound, "multipliers": [[i, -m] for i, m in multipliers]}]
    for entry in false:
        with pytest.raises(Refuted, match="implied bound"):
            check(with_header(tmp_path / "proof", implied=[entry, *implied[1:]]), network, simplex(2))
    for entry in ({"bound": bound[1:], "multipliers": multipliers}, {"bound": bound, "multipliers": [[0, "f" * 9999]]}, [], 1):
        with pytest.raises(BadProof):
            check(with_header(tmp_path / "proof", implied=[entry, *implied[1:]]), network, simplex(2))


def test_an_empty_domain_is_refused_wherever_one_is_named():
    network = ReLUNetwork(np.eye(2), np.zeros(2), np.ones(2), -1)
    for rows in ([(1, 1, 0), (-1, -1, 0)], [(1, 0, 0), (-1, 0, 0)], [(0, 0, 0)]):
        empty = Polyhedron(2, tuple(rows))
        for ask in (minimal_equivalent, normal_form, lambda given, domain: equal(given, given, domain)):
            with pytest.raises(InputError, match="domain: wanted a polyhedron with an interior, got one without"):
                ask(network, empty)
    with pytest.raises(InputError, match="wanted a Polyhedron, such as a Box"):
        minimal_equivalent(network, [0, 1])
    with pytest.raises(InputError, match="weight: wanted"):
        Polyhedron.of([1, 2], [0])


def test_a_thin_polyhedron_that_floats_do_not_see():
    """0 < x + y/3 < 2^−80, 1/3 exact: not empty, and y has no bound."""
    domain = Polyhedron.of([[1, Fraction(1, 3)], [-1, Fraction(-1, 3)]], [0, Fraction(1, 2**80)])
    assert not domain.empty
    assert all(value(h, domain.interior) > 0 for h in domain.forms)
    assert domain.bounds == ([None, None], [None, None])
