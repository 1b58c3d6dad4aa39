"""Proofs that a network is positive, by bounds over boxes that are halved until they hold."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from test_deep_proof import Forged

from lpnet import Box, ReLUNetwork, minimal_equivalent
from lpnet.checker import Refuted, check
from lpnet.checker import deep as leaf
from lpnet.io.vnnlib import parsed
from lpnet.proofs.boxes import BoxTree
from lpnet.properties import Question, check_property
from lpnet.watch import Watch

BOX = Box([-1.0, -2.0], [1.0, 0.5])


def network(number, widths=(6, 6)):
    """Gaussian weights; f is moved up so that it is positive at 4,096 points at random, by a little."""
    rng = np.random.default_rng(number)
    sizes = [2, *widths, 1]
    layers = [(rng.normal(size=(n, k)) / k**0.5, rng.normal(size=n) / 2) for k, n in pairwise(sizes)]
    made = ReLUNetwork.of_layers(layers)
    lowest = made.score(BOX.lower + (BOX.upper - BOX.lower) * rng.random((4096, 2))).min()
    return ReLUNetwork.of_layers([*layers[:-1], (layers[-1][0], layers[-1][1] - lowest + 0.02)])


@pytest.mark.parametrize("number", range(8))
def test_boxes_prove_what_the_search_finds(number, tmp_path):
    """The constant +1, and the checker agrees; where a box is left out, or its bound does not hold, it refuses."""
    f = network(number)
    boxes = BoxTree(f, BOX, lambda at: None)
    grown = boxes.grow(Watch(), 1 << 12)
    assert grown is (minimal_equivalent(f, BOX).constant == 1)
    if not grown:
        return
    boxes.write(tmp_path / "proof")
    report = check(tmp_path / "proof", f, BOX)
    assert (report.units, report.constant, report.complete) == (0, 1, True)
    with pytest.raises(Refuted):
        check(tmp_path / "proof", f, Box([-1.0, -2.0], [1.0, 0.75]))
    nodes = [*boxes.in_order(0, tuple(range(len(boxes.forms))))]
    if len(nodes) > 1:
        forged = Forged(tmp_path / "proof")
        kind = np.uint8 if len(forged.members["tree/0/nodes"]) == len(nodes) else np.uint16
        there = np.frombuffer(forged.members["tree/0/nodes"], kind)
        forks = np.flatnonzero((there[:-2] >= leaf.SPLIT) & (there[1:-1] == leaf.KEEPS) & (there[2:] == leaf.KEEPS))
        width = len(forged.members["tree/0/rows"]) // np.count_nonzero(there == leaf.KEEPS)
        for at in forks[:5]:  # a box that had to be halved is said to be fine
            made = np.concatenate([there[:at], [leaf.KEEPS], there[at + 3 :]]).astype(kind)
            rows = forged.members["tree/0/rows"][width:]
            assert "do not bound f" in forged.verdict({"tree/0/nodes": made.tobytes(), "tree/0/rows": rows})
        made = np.append(there[:-1], leaf.OUTSIDE).astype(kind)
        rows = forged.members["tree/0/rows"][width:]
        assert "does not exclude" in forged.verdict({"tree/0/nodes": made.tobytes(), "tree/0/rows": rows})


def test_a_network_that_is_not_positive_has_no_such_proof():
    """A point where it is 0 is in a box of whatever size; one where it is negative is told."""
    touching = ReLUNetwork.of_layers([(np.array([[3.0, 1.0], [-3.0, -1.0]]), np.zeros(2)), (np.ones(2), 0.0)])  # |3x + y|
    assert BoxTree(touching, BOX, lambda at: None).grow(Watch(), 1 << 10) is False
    lower = ReLUNetwork.of_layers([(np.array([[3.0, 1.0], [-3.0, -1.0]]), np.zeros(2)), (np.ones(2), -0.125)])
    seen = BoxTree(lower, BOX, lambda at: at if abs(3 * at[0] + at[1]) * 8 < at[2] else None).grow(Watch(), 1 << 14)
    assert isinstance(seen, tuple)


def test_deep_networks_are_decided_by_bounds(tmp_path):
    """Six layers of 20 units, of which no list of pieces could be made, on a box of ±0.02: unsat, and sat beyond the bound."""
    rng = np.random.default_rng(5)
    sizes = [3, *[20] * 6, 1]
    layers = [(rng.normal(size=(n, k)) * (2 / k) ** 0.5, rng.normal(size=n) / 2) for k, n in pairwise(sizes)]
    f = ReLUNetwork.of_layers(layers)
    highest = f.score(rng.uniform(-0.02, 0.02, (4096, 3))).max()
    inputs = "".join(f"(declare-const X_{j} Real)(assert (<= X_{j} 0.02))(assert (>= X_{j} -0.02))" for j in range(3))
    for bound, verdict in [(highest + 0.01, "unsat"), (highest - 0.01, "sat")]:
        asked = parsed(f"{inputs}(declare-const Y_0 Real)(assert (>= Y_0 {bound:.6f}))")
        found = check_property({"Y_0": f}, asked, None, tmp_path / "proof")
        assert found.verdict == verdict
        question = Question({"Y_0": f}, asked)
        if verdict == "unsat":
            report = check(tmp_path / "proof", question.network(question.rooms[-1]), question.domain)
            assert (report.constant, report.units) == (1, 0)
        else:
            assert found.outputs[0] >= Fraction(f"{bound:.6f}")
