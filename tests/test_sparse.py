"""Constant and nearly constant networks, whose boundary few lines meet: the tree finds the pieces, and the same ones."""

import numpy as np
import pytest
from cases import random_degenerate, random_network

from lpnet import Polyhedron, ReLUNetwork, minimal_equivalent, normal_form
from lpnet.boundary import sparse
from lpnet.boundary.engines import SPARSE, count_pieces, find_pieces
from lpnet.boundary.pieces import NotApplicable
from lpnet.boundary.tree import tree
from lpnet.watch import Watch

SIGNS = ["positive", "negative", "mixed"]


def constant_network(relus, inputs, signs):
    """b > 0 and the output bias of the same sign: nothing on R^d is left for a boundary."""
    rng = np.random.default_rng(relus)
    sign = -1.0 if signs == "negative" else 1.0
    return ReLUNetwork(rng.normal(size=(relus, inputs)), np.ones(relus), sign * rng.uniform(0.5, 2, relus), sign)


@pytest.mark.parametrize("signs", ["positive", "negative"])
def test_constant_networks_are_not_walked(signs):
    """5.5 million lines, none of which meets a boundary: the tree's root says so in one program."""
    network = constant_network(60, 6, signs)
    answer = minimal_equivalent(network)
    assert (answer.units, answer.engine, answer.reason, answer.pieces.programs) == (0, "tree", SPARSE, 1)
    assert answer.constant == (1 if signs == "positive" else -1)
    assert count_pieces(normal_form(network), Polyhedron.everywhere(6), Watch()) == (0, "tree", True)


def test_few_pieces_by_the_tree_are_those_of_the_vertices(monkeypatch):
    """Whatever the sample says, and wherever the tree is given up, the pieces are the same."""
    rng, engines = np.random.default_rng(21), []
    monkeypatch.setattr(sparse, "WORTH_IT", 0)
    for trial in range(60):
        inputs = int(rng.integers(1, 5))
        network = random_network(
            rng, int(rng.integers(9, 14)), inputs, SIGNS[trial % 3], rng.choice([0.3, 1, 3]), rng.choice([-1.0, 1.0])
        )
        if trial % 4 == 0:
            network = random_degenerate(rng, 10, inputs)
        monkeypatch.setattr(sparse, "LINES_FOR_A_PROGRAM", rng.choice([1, 8]))
        monkeypatch.setattr(sparse, "FEW_PIECES", rng.choice([3, 1000]))
        form, everywhere = normal_form(network), Polyhedron.everywhere(inputs)
        found, engine, reason = find_pieces(form, everywhere, Watch())
        engines.append((engine, reason == SPARSE))
        assert (found.patterns == tree(form, everywhere, Watch()).patterns).all()
        assert count_pieces(form, everywhere, Watch())[0] == len(found.patterns)
    assert {("tree", True), ("vertices", False)} <= set(engines)


def test_the_tree_is_given_up_after_so_many_programs():
    form = normal_form(random_network(np.random.default_rng(22), 20, 4))
    with pytest.raises(NotApplicable, match="more than 50 programs"):
        tree(form, Polyhedron.everywhere(4), Watch(), most=50)


def test_a_stop_during_the_sparse_search_is_obeyed():
    network = constant_network(60, 6, "positive")
    shifted = ReLUNetwork(network.hidden_weight, network.hidden_bias - 4, network.output_weight, -1.0)
    answer = minimal_equivalent(shifted, watch=Watch(max_pieces=5))
    assert 5 <= answer.units <= 5_000
    assert not answer.complete
