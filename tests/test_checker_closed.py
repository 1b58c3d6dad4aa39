"""The checker's closed form for hyperplanes through one point: the number that the tree finds, or none."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from cases import random_network
from flint import fmpz_mat
from hypothesis import given
from hypothesis import strategies as st

from lpnet import minimal_equivalent, normal_form
from lpnet.checker import Refuted, check
from lpnet.checker.closed import idle_cell, of_cones, signs_of_determinants
from lpnet.checker.lines import float_forms
from lpnet.checker.question import NormalForm
from lpnet.networks import ReLUNetwork
from lpnet.proofs import write_proof


def cones(network, **changed):
    """The closed form; changed: fields of the normal form."""
    form = normal_form(network)
    return of_cones(replace(NormalForm(form.affine, form.units, form.signs, ()), **changed), lambda steps: None)


def generic(gradients):
    """Whether any r of them are independent, r their rank."""
    r = fmpz_mat(gradients).rank()
    return all(fmpz_mat([list(row) for row in rows]).rank() == r for rows in itertools.combinations(gradients, r))


@given(st.data())
def test_any_small_integers(data):
    """With a common point anywhere, and weights of either sign: the tree's number where any r gradients are independent."""
    inputs, relus, side = data.draw(st.integers(1, 4)), data.draw(st.integers(1, 6)), data.draw(st.sampled_from([-1, 1]))
    row = st.lists(st.integers(-3, 3), min_size=inputs, max_size=inputs).filter(any)
    weight = np.array(data.draw(st.lists(row, min_size=relus, max_size=relus)), dtype=float)
    point = np.array(data.draw(st.lists(st.integers(-2, 2), min_size=inputs, max_size=inputs)), dtype=float)
    network = ReLUNetwork(weight, -weight @ point, np.full(relus, float(side)), -float(side))
    form = normal_form(network)
    found, gradients = cones(network), [list(a[:-1]) for a in form.units]
    applies = not any(form.affine[:-1]) and fmpz_mat(gradients).rank() > 1 and generic(gradients)
    assert found == (minimal_equivalent(network, engine="tree").units if applies else None)


def test_what_it_does_not_apply_to():
    network = random_network(np.random.default_rng(2), 6, 3, "positive", 0.0, -1.0)
    form = normal_form(network)
    assert cones(network) == minimal_equivalent(network, engine="tree").units
    assert cones(network, affine=(*form.affine[:-1], 1)) is None
    assert cones(network, affine=(*form.affine[:-1], 0)) is None
    assert cones(network, affine=(1, *form.affine[1:])) is None
    assert cones(network, signs=(-1, *form.signs[1:])) is None
    assert cones(network, walls=((1, 0, 0, 1),)) is None
    assert cones(network, units=((*form.units[0][:-1], 1), *form.units[1:])) is None
    dependent = tuple(map(sum, zip(*form.units[:2], strict=True)))
    assert cones(network, units=(*form.units[:5], dependent)) is None


@pytest.mark.parametrize("power", [0, 60, 400])
def test_signs_of_determinants_are_exact_or_in_doubt(power):
    """Rows that are nearly dependent, up to the last of many bits."""
    rng, doubts = np.random.default_rng(power), 0
    for r, trial in itertools.product(range(2, 6), range(4)):
        table = rng.integers(-2, 3, (7, r)).astype(object) << power
        units = [(*row, 0) for row in (table + rng.integers(-3, 4, table.shape)).tolist()]
        units = [unit for unit in units if any(unit)]
        rows = float_forms((0,) * (r + 1), units, [1] * len(units)).gradients[:-1]
        prefixes = list(itertools.combinations(range(len(units) - 1), r - 2))
        subsets, signs = signs_of_determinants(rows, np.array(prefixes, dtype=np.int64).reshape(len(prefixes), r - 2))
        assert list(map(tuple, subsets.tolist())) == list(itertools.combinations(range(len(units)), r - 1))
        true = [[fmpz_mat([list(units[i][:-1]) for i in (*s, k)]).det() for k in range(len(units))] for s in subsets.tolist()]
        true = np.array([[(det > 0) - (det < 0) for det in row] for row in true])
        assert (true[signs != 0] == signs[signs != 0]).all(), trial
        doubts += np.count_nonzero(signs != true)
    assert doubts > 0 if power else doubts == 0


def test_doubtful_determinants_are_decided():
    """Three rows, dependent but for the last of 200 bits."""
    one = 1 << 200
    nearly = [(one, 0, 0, 0), (0, one, 0, 0), (one, one, 1, 0), (one, -one, 3 * one, 0)]
    assert idle_cell(nearly, 3, lambda steps: None) is True  # any three, and so the cell, are there
    assert idle_cell([*nearly[:2], (one, one, 0, 0), nearly[3]], 3, lambda steps: None) is None
    around = [(one, 0, 0), (0, one, 0), (-one, -one - 1, 0)]
    assert idle_cell(around, 2, lambda steps: None) is False


def test_a_number_that_is_not_that_of_the_closed_form_is_refused(tmp_path, monkeypatch):
    network = random_network(np.random.default_rng(2), 9, 4, "positive", 0.0, -1.0)
    answer = minimal_equivalent(network, engine="vertices")
    assert write_proof(answer, tmp_path / "proof") == "closed form"
    assert check(tmp_path / "proof", network).units == answer.units
    for wrong in (-1, 1):
        monkeypatch.setattr(type(answer), "units", len(answer.first_piece) + wrong)
        assert write_proof(answer, tmp_path / "proof") in ("closed form", "vertices")
        with pytest.raises(Refuted):
            check(tmp_path / "proof", network)
