"""The tree engine: the set the expanding engine finds, counts from theorems and from the literature, limits."""

import itertools
import time
from math import comb, factorial

import numpy as np
import oracle
import pytest
from cases import boxed_cases, degenerate_networks, random_degenerate, random_network

from lpnet.boundary.subsets import expand
from lpnet.boundary.tree import cells, tree
from lpnet.boundary.tree.problem import with_largest
from lpnet.boundary.tree.search import tree_search
from lpnet.errors import InputError
from lpnet.exact import forms, primitive
from lpnet.networks import Box, ExactForm, Polyhedron, ReLUNetwork, normal_form
from lpnet.programs import Certificate, SignProgram
from lpnet.programs.certain_kernel import inside, positive
from lpnet.programs.cone_kernel import FOUND, VANISHES, program, workspace
from lpnet.watch import Watch

SIGNS = ["positive", "negative", "mixed"]


def domain_of(network, box):
    return box or Polyhedron.everywhere(network.inputs)


def assert_as_expand(network, box=None):
    """The same patterns in the same order; returns how many."""
    domain = domain_of(network, box)
    form = normal_form(network, domain)
    found, expected = tree(form, domain, Watch()), expand(form, domain, Watch())
    np.testing.assert_array_equal(found.patterns, expected.patterns)
    assert found.complete
    return len(found.patterns)


def assert_as_oracle(network, box=None):
    """The half-spaces of the oracle."""
    domain = domain_of(network, box)
    form = normal_form(network, domain)
    found = {primitive(form.on_cell(pattern)) for pattern in tree(form, domain, Watch()).patterns}
    assert found == oracle.needed_halfspaces(network, box)


def random_box(rng, inputs):
    """A box around 0, with infinite bounds at times."""
    lower, upper = -rng.integers(1, 4, inputs) / 2, rng.integers(1, 4, inputs) / 2
    if rng.random() < 0.3:
        lower, upper = np.where(rng.random(inputs) < 0.5, lower, -np.inf), np.where(rng.random(inputs) < 0.5, upper, np.inf)
    return Box(lower, upper)


@pytest.mark.parametrize("case", degenerate_networks(), ids=lambda case: case.name)
def test_degenerate_by_hand(case):
    assert_as_expand(case.network)


@pytest.mark.parametrize("case", boxed_cases(), ids=lambda case: case.name)
def test_boxes_by_hand(case):
    assert_as_expand(case.network, case.box)


@pytest.mark.parametrize("seed", range(6))
def test_600_random_networks_against_expand(seed):
    """Gaussian and degenerate, one-signed and mixed, on R^d, boxes and half-infinite boxes."""
    rng = np.random.default_rng(seed)
    for trial in range(100):
        relus, inputs = int(rng.integers(1, 8)), int(rng.integers(1, 5))
        if trial % 2:
            network = random_degenerate(rng, relus, inputs)
        else:
            w0 = [None, 0.0, -1.0, 1.0][trial // 6 % 4]
            network = random_network(rng, relus, inputs, SIGNS[trial // 2 % 3], rng.choice([0, 0.3, 1]), w0)
        assert_as_expand(network, random_box(rng, inputs) if trial % 5 > 2 else None)


@pytest.mark.parametrize("seed", range(3))
def test_random_networks_against_the_oracle(seed):
    rng = np.random.default_rng(100 + seed)
    for trial in range(20):
        relus, inputs = int(rng.integers(1, 8)), int(rng.integers(1, 5))
        network = random_degenerate(rng, relus, inputs) if trial % 2 else random_network(rng, relus, inputs)
        assert_as_oracle(network, random_box(rng, inputs) if trial % 5 == 4 else None)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20))
def test_2000_larger_networks_against_expand(seed):
    rng = np.random.default_rng(200 + seed)
    for trial in range(100):
        relus, inputs = int(rng.integers(1, 11)), int(rng.integers(1, 7))
        network = random_degenerate(rng, relus, inputs) if trial % 2 else random_network(rng, relus, inputs, SIGNS[trial % 3])
        assert_as_expand(network, random_box(rng, inputs) if trial % 3 == 2 else None)


# --- near-degenerate and badly scaled: nothing may hang on a tolerance


def perturbed(rng, network, size):
    """The network with every weight off by about `size`, relatively."""

    def off(values):
        return values * (1 + size * rng.normal(size=np.shape(values)))

    return ReLUNetwork(
        off(network.hidden_weight), off(network.hidden_bias), off(network.output_weight), off(network.output_bias)
    )


@pytest.mark.parametrize("size", [1e-9, 1e-12, 1e-14, 1e-15, 2.0**-53])
def test_coincidences_missed_by_a_little(size):
    rng = np.random.default_rng(7)
    for _ in range(12):
        network = perturbed(rng, random_degenerate(rng, int(rng.integers(2, 7)), int(rng.integers(1, 4))), size)
        assert_as_oracle(network)


@pytest.mark.parametrize("bits", [8, 4])
def test_weights_rounded_to_few_bits(bits):
    rng = np.random.default_rng(bits)
    for trial in range(10):
        gaussian = random_network(rng, int(rng.integers(2, 8)), int(rng.integers(1, 5)), SIGNS[trial % 3])
        step = 2.0 ** (2 - bits)
        rounded = (
            np.round(part / step) * step for part in (gaussian.hidden_weight, gaussian.hidden_bias, gaussian.output_weight)
        )
        assert_as_oracle(ReLUNetwork(*rounded, round(gaussian.output_bias / step) * step))


def test_single_precision_weights():
    rng = np.random.default_rng(5)
    for trial in range(10):
        network = random_network(rng, 6, 3, SIGNS[trial % 3])
        parts = (network.hidden_weight, network.hidden_bias, network.output_weight)
        assert_as_oracle(ReLUNetwork(*(part.astype(np.float32) for part in parts), float(np.float32(network.output_bias))))


@pytest.mark.parametrize("size", [1e-150, 1e-30, 1e30, 1e150])
def test_scales(size):
    """All weights, one column, one unit, or every other output weight out of the ordinary."""
    rng = np.random.default_rng(11)
    for trial in range(8):
        network = random_degenerate(rng, 5, 3) if trial % 2 else random_network(rng, 5, 3)
        weight, output = network.hidden_weight.copy(), network.output_weight.copy()
        if trial < 2:
            weight, bias, w0 = weight * size, network.hidden_bias * size, network.output_bias * size
        else:
            bias, w0 = network.hidden_bias, network.output_bias
            part = [weight[:, 0], weight[0], output[::2]][trial // 2 - 1]
            part *= size
        assert_as_oracle(ReLUNetwork(weight, bias, output, w0))


def test_a_domain_too_thin_for_floats():
    """Four inputs within one unit of roundoff of 1, and the hyperplanes x_i = x_j through the corner cube."""
    box = Box(np.full(3, np.nextafter(1, 0)), np.full(3, np.nextafter(1, 2)))
    weight = np.array([[1, -1, 0], [0, 1, -1], [1, 0, -1]])
    for w0 in (-(2.0**-53), 0.0, 2.0**-53):
        assert_as_oracle(ReLUNetwork(weight, np.zeros(3), [1, -1, -1], w0), box)


# --- arrangements with known numbers of cells


def arrangement(normals, offsets=None, box=None):
    """The cells of {normals·x + offsets = 0}, default offsets 0."""
    normals = np.array(normals, dtype=float)
    offsets = np.zeros(len(normals)) if offsets is None else offsets
    return cells(forms(normals, offsets), box or Polyhedron.everywhere(normals.shape[1]), Watch())


def cube(dimension):
    """All 0/1 vectors."""
    return np.array(list(itertools.product((0, 1), repeat=dimension)))


def differences(dimension, signs=(-1,)):
    """x_i − x_j, and for signs = (−1, 1) also x_i + x_j, i < j."""
    unit = np.eye(dimension)
    return [unit[i] + sign * unit[j] for i, j in itertools.combinations(range(dimension), 2) for sign in signs]


STRUCTURED = [
    ("braid 4", differences(4), factorial(4)),
    ("braid 6", differences(6), factorial(6)),
    ("braid 8, 28 hyperplanes", differences(8), factorial(8)),
    ("resonance 3", cube(3)[1:], 32),
    ("resonance 4", cube(4)[1:], 370),
    ("resonance 5", cube(5)[1:], 11_292),
    ("threshold 1", np.insert(cube(1), 0, 1, axis=1), 4),
    ("threshold 2", np.insert(cube(2), 0, 1, axis=1), 14),
    ("threshold 3", np.insert(cube(3), 0, 1, axis=1), 104),
    ("threshold 4", np.insert(cube(4), 0, 1, axis=1), 1_882),
    ("B 3", [*np.eye(3), *differences(3, (-1, 1))], 2**3 * factorial(3)),
    ("B 5", [*np.eye(5), *differences(5, (-1, 1))], 2**5 * factorial(5)),
    ("D 4", differences(4, (-1, 1)), 2**3 * factorial(4)),
    ("D 5", differences(5, (-1, 1)), 2**4 * factorial(5)),
    ("coordinate", np.eye(7), 2**7),
]


@pytest.mark.parametrize(("name", "normals", "expected"), STRUCTURED, ids=[name for name, _, _ in STRUCTURED])
def test_published_numbers_of_cells(name, normals, expected):
    found = arrangement(normals)
    assert len(found.patterns) == expected
    assert 2 * found.programs < found.effort.nodes  # most nodes need no program


@pytest.mark.slow
@pytest.mark.parametrize(
    ("normals", "expected"),
    [
        (np.insert(cube(5), 0, 1, axis=1), 94_572),
        (differences(9), factorial(9)),
        ([*np.eye(6), *differences(6, (-1, 1))], 2**6 * factorial(6)),
        (np.insert(cube(6)[cube(6).sum(axis=1) % 2 == 0], 0, 1, axis=1), 291_558),
    ],
    ids=["threshold 5", "braid 9", "B 6", "demicube 7"],
)
def test_larger_published_numbers_of_cells(normals, expected):
    assert len(arrangement(normals).patterns) == expected


@pytest.mark.parametrize(("planes", "inputs"), [(1, 1), (6, 1), (5, 3), (9, 2), (9, 4), (12, 3), (8, 8), (4, 7), (12, 6)])
def test_zaslavsky(planes, inputs):
    """General position: Σ_{s≤d} C(n, s) cells, and 2 Σ_{s<d} C(n−1, s) where all hyperplanes contain 0."""
    rng = np.random.default_rng(planes)
    normals, offsets = rng.normal(size=(planes, inputs)), rng.normal(size=planes)
    assert len(arrangement(normals, offsets).patterns) == sum(comb(planes, s) for s in range(inputs + 1))
    assert len(arrangement(normals).patterns) == 2 * sum(comb(planes - 1, s) for s in range(inputs))


def test_more_than_64_hyperplanes():
    rng = np.random.default_rng(0)
    found = arrangement(rng.normal(size=(130, 2)), rng.normal(size=130))
    assert len(found.patterns) == 1 + 130 + comb(130, 2)
    assert len(np.unique(found.patterns, axis=0)) == len(found.patterns)


def test_cells_are_cells_in_order():
    """A grid, repeated and parallel lines, a constant, an input nobody reads; the sign vectors of a fine lattice."""
    rows = np.array([[1, 0, 0, 0], [1, 0, 0, -1], [-2, 0, 0, 0], [0, 1, 0, 0], [1, 1, 0, -1], [0, 0, 0, 3]], dtype=float)
    found = cells(forms(rows[:, :3], rows[:, 3]), Polyhedron.everywhere(3), Watch())
    axis = np.arange(-20, 21) / 7 + 0.01
    lattice = np.array([(x, y, 0) for x in axis for y in axis * 1.01])
    expected = np.unique(lattice @ rows[:, :3].T + rows[:, 3] > 0, axis=0)
    np.testing.assert_array_equal(found.patterns, expected)


def test_cells_of_boxes_and_of_nothing():
    box = Box(np.zeros(5), np.ones(5))
    assert len(arrangement(differences(5), box=box).patterns) == factorial(5)
    assert len(arrangement(np.eye(5), -np.full(5, 0.5), box).patterns) == 2**5
    assert len(arrangement(np.eye(5), -np.ones(5), box).patterns) == 1
    assert cells([], Polyhedron.everywhere(2), Watch()).patterns.shape == (1, 0)
    with pytest.raises(InputError, match="cells: wanted forms that are not identically 0"):
        cells([(0, 0, 0)], Polyhedron.everywhere(2), Watch())


@pytest.mark.parametrize("inputs", [1, 3, 6])
def test_the_small_program_against_the_exact_one(inputs):
    """Random cones through 0 and one more form: the compiled verdicts, certain or not, are those of `SignProgram`."""
    rng = np.random.default_rng(inputs)
    verdicts = []
    for _ in range(200):
        rows = rng.integers(-3, 4, (int(rng.integers(1, 3 * inputs)), inputs)).astype(float)
        x = rng.normal(size=inputs)
        rows = rows[(rows @ x != 0) & (rows.any(axis=1))]
        if len(rows) < 2:
            continue
        rows = rows * np.sign(rows @ x)[:, None] / np.linalg.norm(rows, axis=1)[:, None]
        work, signs = workspace(len(rows), 0, inputs), np.ones(len(rows), dtype=np.int8)
        work.base[:], work.heights[:], signs[-1] = -rows[-1], rows @ x, 0
        verdict, count, _ = program(rows, signs, np.zeros((0, inputs)), np.zeros(0), x, -work.heights[-1], work)
        off = with_largest(3 * 2.0**-53 * np.abs(rows))
        exact = SignProgram(forms(rows, np.zeros(len(rows))), inputs).decide([*signs[:-1], -1])
        if verdict == FOUND and inside(rows, off, signs, work.trial):
            assert not isinstance(exact, Certificate)
        elif verdict == VANISHES and positive(work, count, off, np.zeros((0, inputs)), 3e-16 * np.abs(rows[-1])):
            assert isinstance(exact, Certificate)
        verdicts.append(verdict)
    assert set(verdicts) >= {FOUND}


# --- what bounds of f save, and limits


def test_far_from_the_boundary_little_is_searched():
    """n = 60, d = 4: 523,686 cells, of which few are near the boundary."""
    rng = np.random.default_rng(1)
    weight = rng.normal(size=(60, 4))
    weight /= np.linalg.norm(weight, axis=1)[:, None]
    bias, output = -3 - 0.3 * np.abs(rng.normal(size=60)), 0.1 + np.abs(rng.normal(size=60))
    for network in (ReLUNetwork(weight, bias, output, -1.0), ReLUNetwork(weight, bias, -output, 1.0)):
        form = normal_form(network)
        found = tree(form, Polyhedron.everywhere(4), Watch())
        assert len(found.patterns) > 1000
        assert found.programs < 60_000


def test_central_one_signed_networks_have_the_number_of_the_theorem():
    rng = np.random.default_rng(2)
    weight = rng.normal(size=(18, 4))
    for sign in (1.0, -1.0):
        form = normal_form(ReLUNetwork(weight, np.zeros(18), np.full(18, sign), -sign))
        law = 2 * sum(comb(17, s) for s in range(4))
        assert len(tree(form, Polyhedron.everywhere(4), Watch()).patterns) in (law, law - 1)


def image_network(rng, undecided):
    """d = 30 inputs in [0, 1], n = 128 units of which the box leaves some undecided; 0 is in the middle of its values."""
    weight = rng.normal(size=(128, 30)) / np.sqrt(30)
    reach = np.abs(weight).sum(axis=1) / 2
    away = rng.choice([-1.05, 1.05], 128) * reach
    bias = np.where(np.arange(128) < undecided, 0.3 * rng.normal(size=128), away) - weight @ np.full(30, 0.5)
    network = ReLUNetwork(weight, bias, rng.normal(size=128), 0.0)
    middle = float(np.median(network.score(rng.random((1000, 30)))))
    return ReLUNetwork(weight, bias, network.output_weight, -middle), Box(np.zeros(30), np.ones(30))


def test_a_box_that_leaves_ten_of_128_units_undecided():
    network, box = image_network(np.random.default_rng(3), 10)
    form = normal_form(network, box)
    assert len(form.units) == 10
    assert len(tree(form, box, Watch()).patterns) == len(expand(form, box, Watch()).patterns) > 0


def test_limits_are_obeyed_and_progress_is_told():
    """40 undecided units in d = 30: what was found is returned, marked incomplete, in order and without repetition."""
    network, box = image_network(np.random.default_rng(4), 40)
    form = normal_form(network, box)
    shares = []
    watch = Watch(seconds=2, report=lambda share, found: shares.append(share))
    started = time.perf_counter()
    found = tree(form, box, watch)
    assert time.perf_counter() - started < 30
    assert not found.complete
    assert watch.stopped == "the time limit of 2 s was reached"
    assert shares == sorted(shares)
    assert 0 <= shares[-1] < 1
    assert len(np.unique(found.patterns, axis=0)) == len(found.patterns)
    assert len(tree(form, box, Watch(max_pieces=10)).patterns) >= 10


def test_the_number_of_threads_changes_nothing():
    rng = np.random.default_rng(6)
    planes = forms(rng.normal(size=(14, 5)), rng.normal(size=14))
    form = normal_form(random_network(rng, 14, 4))
    for search in (
        lambda w: cells(planes, Polyhedron.everywhere(5), Watch(), w),
        lambda w: tree(form, Polyhedron.everywhere(4), Watch(), w),
    ):
        alone, shared = search(1), search(3)
        np.testing.assert_array_equal(alone.patterns, shared.patterns)


@pytest.mark.parametrize("normals", [differences(6), cube(4)[1:]], ids=["braid", "resonance"])
def test_the_whole_share_is_done_in_the_end(normals):
    planes = tuple(forms(normals, np.zeros(len(normals))))
    form = ExactForm((0,) * (len(normals[0]) + 1), planes, (1,) * len(normals), 0)
    search, shares = tree_search(form, Polyhedron.everywhere(len(normals[0])), False), [0.0]
    search.plant()
    while search.go_on(100):
        shares.append(float(search.found.share[0]))
    assert len(shares) > 2
    assert shares == sorted(shares)
    assert shares[-1] < 1
    assert search.found.share[0] == pytest.approx(1, abs=1e-9)
