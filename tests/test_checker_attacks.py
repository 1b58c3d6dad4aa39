"""Attacks on the checker: false proofs made by hand, files that would fill the memory; and true proofs hard to find."""

import io
import itertools
import json
import os
import struct
import subprocess
import sys
import zipfile
import zlib

import cases
import numpy as np
import pytest

from lpnet import Box, Polyhedron, minimal_equivalent
from lpnet.checker import BadProof, Refuted, check
from lpnet.checker.lines import independent_inputs_of
from lpnet.checker.nodes import NEGATIVE, NOT_NEGATIVE, SPLIT, UNIT
from lpnet.checker.question import normal_form, numbers
from lpnet.checker.supports import Claims, Supports
from lpnet.checker.tree import LEAF, chords
from lpnet.networks import ReLUNetwork
from lpnet.proofs import write_proof

PRIME = 2147483647  # of the fingerprints


def header(network, units, complete, order, **others):
    known = {"format": "lpnet proof", "version": 1, "inputs": 2, "inequalities": [], "constant": None, "idle": []}
    return {**known, "network": network, "units": units, "complete": complete, "order": order, **others}


def packed(members, method=zipfile.ZIP_DEFLATED):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, value in members.items():
            archive.writestr(name, value if isinstance(value, bytes) else json.dumps(value))
    return file


# --- false proofs


@pytest.mark.parametrize("complete", [None, "tree"])
def test_one_half_space_in_two_rows_one_a_multiple_of_a_prime(complete):
    """f = x + R((p − 1) x + y) − R(y) is x for y < 0 and p x for y > 0: one half-space, claimed twice."""
    network = cases.relu(0, *cases.affine(1, 0), (1, PRIME - 1, 1, 0), (-1, 0, 1, 0))
    assert minimal_equivalent(network).units == 1
    written = {name: np.asarray(getattr(network, name)).tolist() for name in ("hidden_weight", "hidden_bias", "output_weight")}
    e = 2.0**-40
    patterns = bytes([0b00000000, 0b11000000])
    points = np.array([[[-e, -1], [e, -1]], [[-e, 1], [e, 1]]], "<f8").tobytes()
    number = f"{PRIME - 1:x}"
    # pattern 01, f = x − y < 0; pattern 10, f = p x + y > 0; the honest proof has a REPEAT as its last leaf
    bounds = [[number, [[0, "1"], [1, f"{PRIME:x}"]]], [number, [[0, f"{PRIME:x}"], [1, "1"]]]]
    kinds = [(2, 0, 0), (2, 4, 0), (2, 3, 1), (2, 0, 0)]
    members = {
        "header.json": header({**written, "output_bias": 0.0}, 2, complete, [0, 1]),
        "units/0/patterns": patterns,
        "units/0/points": points,
        "tree/0/leaves": np.array(kinds, LEAF).tobytes(),
        "tree/0/certificates.json": {"circuits": [], "bounds": bounds},
    }
    with pytest.raises(Refuted, match="are the same"):
        check(packed(members), network)


def test_weights_written_as_strings_are_another_network():
    """Rows "12", "34" are read as (1, 2), (3, 4), but compared as 12, 34."""
    network = ReLUNetwork([[12.0], [34.0]], [0.0, 0.0], [1.0, -1.0], -1.0)
    strings = {"hidden_weight": ["12", "34"], "hidden_bias": [0, 0], "output_weight": [1, -1], "output_bias": -1}
    assert minimal_equivalent(network).units == 0
    with pytest.raises((Refuted, BadProof)):
        check(packed({"header.json": header(strings, 2, "closed form", [0, 1])}), network)


def test_biases_and_weights_in_one_string_are_another_network():
    """One unit on R^2 against two units on R^1."""
    network = ReLUNetwork([[3.0, 4.0]], [12.0], [56.0], -500.0)
    strings = {"hidden_weight": [[3], [4]], "hidden_bias": "12", "output_weight": "56", "output_bias": -500}
    order = [0, 1]
    half = header(strings, 0, None, order)
    with pytest.raises((Refuted, BadProof)):
        check(packed({"header.json": half}), network)


@pytest.mark.parametrize("inputs", [3, -5, 0])
def test_without_units_the_number_of_inputs_is_compared(inputs):
    network = ReLUNetwork(np.zeros((0, 2)), np.zeros(0), np.zeros(0), -1.0)
    empty = {"hidden_weight": [], "hidden_bias": [], "output_weight": [], "output_bias": -1}
    with pytest.raises((Refuted, BadProof)):
        check(packed({"header.json": header(empty, 0, "closed form", [], inputs=inputs)}), network)


@pytest.mark.parametrize("weight", [None, [], {}, ""])
def test_an_output_weight_that_is_no_number_is_refused(weight):
    odd = {"hidden_weight": [[1.0], [1.0]], "hidden_bias": [0, None], "output_weight": [1.0, weight], "output_bias": -1}
    with pytest.raises(BadProof):
        check(packed({"header.json": header(odd, 1, "closed form", [0])}))


def in_place(row, signs):
    """Whether a pattern has the signs that are fixed."""
    return all(s in (0, 1 if active else -1) for active, s in zip(row, signs, strict=True))


@pytest.mark.parametrize("number", range(12))
def test_no_rows_close_a_leaf_below_which_a_piece_lies(number):
    """Random rows and shares for every partial sign vector: what floats are certain of holds exactly, and loses no piece."""
    rng = np.random.default_rng(number)
    network = [cases.random_network, cases.random_degenerate, cases.any_degenerate][number % 3](rng, 4, 2)
    box = [None, Box([-1.0, -0.5], [0.75, 1.0])][number // 3 % 2]
    walls = tuple(box.inequalities()) if box else ()
    answer = minimal_equivalent(network, box, "expand")
    fields = {name: getattr(network, name) for name in ("hidden_weight", "hidden_bias", "output_weight", "output_bias")}
    form = normal_form(numbers(fields, 2), 2, walls)
    m, forms = len(form.units), [form.affine, *form.units, *walls]
    denominator, ends = chords(form)
    supports = Supports(form, independent_inputs_of(forms), ends, denominator, lambda steps: None)
    accepted = closed = 0
    for signs in itertools.product((-1, 0, 1), repeat=m):
        lost = [row for row in answer.pieces.patterns.tolist() if in_place(row, signs)]
        count = 400 if lost else 60
        fixed, active = (np.broadcast_to(np.array(x, dtype=bool), (count, m)) for x in (np.abs(signs), np.array(signs) > 0))
        for side in (-1, 0, 1):
            rows = np.sort(rng.permuted(np.tile(np.arange(max(4, supports.none)), (count, 1)), axis=1)[:, :4], axis=1)
            rows[rows > supports.none] = supports.none
            rows[np.arange(4) >= rng.integers(0, 5, count)[:, None]] = supports.none
            bends = ~fixed & (np.array(form.signs, dtype=int).reshape(m) == -side)
            full = bends & (rng.random((count, m)) < 0.3)
            claims = Claims(np.full(count, side, np.int8), fixed, active, rows, full)
            allowed = supports.allowed(claims)
            certain = supports.certain(claims) & allowed
            exact = np.array([bool(ok) and supports.exactly(claims.take(k)) for k, ok in enumerate(allowed)])
            assert not (certain & ~exact).any()
            assert not (lost and exact.any()), (signs, side)
            accepted += np.count_nonzero(exact)
            closed += exact.any()
    assert accepted > closed > 0


@pytest.mark.parametrize("complete", [None, "tree"])
def test_one_half_space_in_two_rows_of_version_2(complete):
    """As above: x for y < 0, p x for y > 0, in a tree whose leaves all hold."""
    network = cases.relu(0, *cases.affine(1, 0), (1, PRIME - 1, 1, 0), (-1, 0, 1, 0))
    written = {name: np.asarray(getattr(network, name)).tolist() for name in ("hidden_weight", "hidden_bias", "output_weight")}
    e = 2.0**-40
    points = np.array([[[-e, -1], [e, -1]], [[-e, 1], [e, 1]]], "<f8").tobytes()
    none = 5  # two units, 1, and two shares
    members = {
        "header.json": header({**written, "output_bias": 0.0}, 2, complete, [0, 1], version=2),
        "units/0/patterns": bytes([0b00000000, 0b11000000]),
        "units/0/points": points,
        "tree/0/nodes": bytes([SPLIT, SPLIT + 1, UNIT, NEGATIVE, SPLIT + 1, NOT_NEGATIVE, UNIT]),
        "tree/0/rows": bytes([0, 1, none, none, 0, 1, none, none]),
        "tree/0/full": bytes(2),
    }
    with pytest.raises(Refuted, match="are the same"):
        check(packed(members), network)


# --- crashes and memory


def test_a_spoilt_lzma_member_is_a_bad_proof():
    file = packed({"header.json": {}}, zipfile.ZIP_LZMA).getvalue()
    at = file.index(b"header.json") + len(b"header.json") + 4
    with pytest.raises(BadProof):
        check(io.BytesIO(file[:at] + b"\xff\xff" + file[at + 2 :]))


def limited(file, tmp_path):
    """What the checker says of a file in 2 GiB."""
    path = tmp_path / "bomb"
    path.write_bytes(file if isinstance(file, bytes) else file.getvalue())
    program = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_AS, (1 << 31, 1 << 31))\n"
        "from lpnet.checker import *\n"
        "try: check(sys.argv[1])\n"
        "except (Refuted, BadProof): print('refused')"
    )
    run = subprocess.run(
        [sys.executable, "-c", program, str(path)],
        capture_output=True, text=True, timeout=300, check=False, env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
    )  # fmt: skip
    return run.stdout.strip() or run.stderr.strip().splitlines()[-1]


def test_a_number_of_inputs_does_not_fill_the_memory(tmp_path):
    empty = {"hidden_weight": [], "hidden_bias": [], "output_weight": [], "output_bias": -1}
    assert limited(packed({"header.json": header(empty, 0, "closed form", [], inputs=10**9)}), tmp_path) == "refused"


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_DEFLATED])
def test_a_member_longer_than_its_size_does_not_fill_the_memory(method, tmp_path):
    """The directory says 100 bytes; zipfile's read() decompresses all there is."""
    long = io.BytesIO()
    with zipfile.ZipFile(long, "w", method) as archive, archive.open("header.json", "w") as member:
        for _ in range(1 << 9):
            member.write(b" " * (1 << 20))
    file = bytearray(long.getvalue())
    for mark, offset in ((b"PK\x03\x04", 14), (b"PK\x01\x02", 16)):
        at = file.index(mark) + offset
        struct.pack_into("<L", file, at, zlib.crc32(b" " * 100))
        struct.pack_into("<L", file, at + 8, 100)
    path = tmp_path / "bomb"
    path.write_bytes(file)
    program = (
        "import sys\nfrom lpnet.checker import *\n"
        "try: check(sys.argv[1])\n"
        "except (Refuted, BadProof): print(open('/proc/self/status').read().split('VmHWM:')[1].split()[0])"
    )  # ru_maxrss begins with what the process had that started this one
    run = subprocess.run([sys.executable, "-c", program, str(path)], capture_output=True, text=True, timeout=300, check=False)
    assert int(run.stdout) < 300 << 10  # KiB


def test_lists_in_json_do_not_fill_the_memory(tmp_path):
    assert limited(packed({"header.json": b"[" + b"[]," * (80 << 20) + b"[]]"}), tmp_path) == "refused"


def test_a_long_block_of_patterns_does_not_fill_the_memory(tmp_path):
    units = {"hidden_weight": [[1.0]] * 64, "hidden_bias": [*range(64)], "output_weight": [1.0] * 64, "output_bias": -1}
    members = {
        "header.json": header(units, 1, None, [*range(64)]),
        "units/0/patterns": bytes(1 << 27),
        "units/0/points": bytes(1 << 28),
    }
    assert limited(packed(members), tmp_path) == "refused"


# --- true proofs that are not easy to find


def proved(network, path, domain=None):
    answer = minimal_equivalent(network, domain, "tree")
    write_proof(answer, path)
    assert check(path, network).units == answer.units


def test_a_hyperplane_that_is_no_side_of_the_cell(tmp_path):
    """f = R(x + y) − 2R(x) − 2R(y) is −(x + y) on x, y > 0, where x + y = 0 touches the origin only."""
    proved(cases.relu(0, (1, 1, 1, 0), (-2, 1, 0, 0), (-2, 0, 1, 0)), tmp_path / "proof")


def test_gaussian_networks_without_biases(tmp_path):
    rng = np.random.default_rng(0)
    for _ in range(60):
        relus, inputs = int(rng.integers(2, 8)), int(rng.integers(2, 4))
        proved(cases.random_network(rng, relus, inputs, bias=0.0, output_bias=0.0), tmp_path / "proof")


def test_a_domain_that_bounds_one_input(tmp_path):
    """R(x + 1) is always active there: the search and the checker drop it."""
    proved(cases.relu(-3, (1, 1, 0, 1), (-1, 0, 1, -1)), tmp_path / "proof", Polyhedron(2, ((1, 0, 0),)))
