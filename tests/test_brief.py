"""What results look like at a prompt: short, however much they hold."""

from pathlib import Path

import numpy as np

import lpnet
from lpnet.compression.compress import compress
from lpnet.compression.nearest.nearest import nearest

DATA = Path(__file__).parent.parent / "data"


def test_small_networks_are_shown_in_full():
    network = lpnet.load(DATA / "running_example.json")
    assert repr(network) == (
        "ReLUNetwork(inputs=2, relus=3, hidden_weight=[[1.0, 1.0], [2.0, 0.0], [0.0, 2.0]], hidden_bias=[2.0, 0.0, 0.0], "
        "output_weight=[1.0, -1.0, -1.0], output_bias=-1.0)"
    )


def test_long_arrays_are_left_out():
    wide = lpnet.ReLUNetwork(np.ones((3, 1000)), np.zeros(3), np.ones(3), -1.0)
    assert repr(wide) == (
        "ReLUNetwork(inputs=1000, relus=3, hidden_bias=[0.0, 0.0, 0.0], output_weight=[1.0, 1.0, 1.0], output_bias=-1.0, …)"
    )


def test_results_are_a_few_lines():
    network = lpnet.load(DATA / "cancer_pca5.json")
    answer = lpnet.minimal_equivalent(network)
    built = answer.build_equivalent()
    signs = lpnet.minimal_equivalent(lpnet.load(DATA / "theorem2_n5.json")).equivalent
    results = [answer, built, answer.reduced, lpnet.equal(network, network), compress(signs), lpnet.estimate_pieces(network)]
    results += [nearest(lpnet.SignNetwork.disjunction(np.eye(8, 20), np.zeros(8)))]
    for result in results:
        assert len(repr(result)) < 500
        assert repr(result).startswith(f"{type(result).__name__}(")
    assert repr(answer).startswith("MinimalEquivalent(units=436, candidates=1024, complete=True, network=ReLUNetwork(")
    assert repr(built).startswith("ThresholdEquivalent(first_layer=436, second_layer=8, kind='DNF'")
