"""What a small file can ask of the checker: seconds and bytes are bounded by the file's size, and lengths by the network."""

import io
import json
import math
import os
import socket
import subprocess
import sys
import time
import zipfile
from contextlib import nullcontext
from pathlib import Path

import cases
import numpy as np
import pytest
from test_checker_attacks import header, packed
from test_cli import DATA, run

import lpnet.checker.proof as proof_file
from lpnet import Box, Polyhedron, minimal_equivalent
from lpnet.checker import BadProof, check, nodes, work
from lpnet.checker.tree import EMPTY, LEAF, NEGATIVE, NOT_NEGATIVE, REPEAT, TOUCHING
from lpnet.errors import InputError
from lpnet.io import load
from lpnet.networks import ReLUNetwork
from lpnet.proofs import members as written
from lpnet.proofs import write, write_proof
from lpnet.watch import Watch

LONGER = ("long denominators", "bound of many cells", "bounds that hold", "bounds that hold, version 2", "a deep tree")
WIDE = f"{(1 << 16384) - 1:x}"
rng = np.random.default_rng(0)


def weights(hidden, bias, output, last=-1.0):
    return {"hidden_weight": hidden, "hidden_bias": bias, "output_weight": output, "output_bias": last}


def cyclic(units, inputs, numbers):
    """A matrix that deflates well: every row is the one above it, moved on by one."""
    return [[numbers[(row + column) % len(numbers)] for column in range(inputs)] for row in range(units)]


def plain(units, inputs, numbers=tuple(float(k * k % 211) for k in range(1, 400)), last=-1.0):
    return weights(cyclic(units, inputs, numbers), [1.0] * units, [1.0, -1.0] * (units // 2), last)


def leaves(count, leaf):
    return np.array(leaf, LEAF).tobytes() * count


def proof(network, inputs, complete, units=0, members=(), **others):
    order = [*range(len(network["output_weight"]))]
    return {"header.json": header(network, units, complete, order, inputs=inputs, **others), **dict(members)}


def tree(network, inputs, found, circuits=(), bounds=(), **others):
    certificates = {"circuits": list(circuits), "bounds": list(bounds)}
    return proof(network, inputs, "tree", 0, {"tree/0/leaves": found, "tree/0/certificates.json": certificates}, **others)


def walked(network, inputs, found, named=b"", full=b"", complete="tree", **others):
    """A tree of version 2."""
    members = {"tree/0/nodes": bytes(found), "tree/0/rows": named, "tree/0/full": full}
    return proof(network, inputs, complete, 0, members, version=2, **others)


def every_pattern(units, leaf, block=4096):
    """The nodes of the tree of all patterns, in blocks."""
    found = [leaf]
    for unit in reversed(range(units)):
        found = [nodes.SPLIT + unit, *found, *found]
    return [bytes(found[start : start + block]) for start in range(0, len(found), block)]


def rows(network, inputs, count, points, exact=None, complete=None):
    members = {"units/0/patterns": bytes(count * max(1, -(-len(network["output_weight"]) // 8))), "units/0/points": points}
    return proof(network, inputs, complete, count, members | ({"units/0/exact.json": exact} if exact else {}))


def attacks():
    """Members by name, or whole files as bytes."""
    three = weights([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]], [0.0, 0.0, -1.0], [1.0, 1.0, -1.0])
    square = [["1", "0", "3"], ["0", "1", "3"], ["-1", "0", "3"], ["0", "-1", "3"]]
    known = proof(three, 2, "tree")["header.json"]
    text = json.dumps(known)
    spread = [math.ldexp(1 + k / 64, (k * 577) % 2000 - 1000) for k in range(60)]
    full = [float(x) for x in rng.normal(size=100)]
    wide = plain(60, 60, spread)
    flat = plain(14, 6)
    for digits in (10**6, 5 * 10**6):
        yield f"{digits} digits", {"header.json": text.replace('"inputs": 2', '"inputs": ' + "1" * digits).encode()}
    yield "digits of a float", {"header.json": text.replace("-1.0", "-1." + "1" * 10**6).encode()}
    yield "digits of a row", tree(three, 2, b"", [[[10**399 + 1, "1"]]], inequalities=square)
    ones = {"weight": [[1.0] * (k + 1) + [0.0] * (499 - k) for k in range(100)], "bias": [0.0] * 100}
    nothing = weights([], [], [])
    yield "walls behind a map", proof(nothing, 100, "tree", inequalities=[["1"] * 101] * 1000, onto=ones)
    yield "a map of long numbers", proof(three, 2, "tree", onto={"weight": [["1/" + "3" * 50_000, 1]] * 2, "bias": [0, 0]})
    yield "a map of rank 1", proof(three, 2, "tree", onto={"weight": [[1, 2], [2, 4]], "bias": [0, 0]})
    yield "4-Mbit walls", proof(three, 2, "tree", inequalities=[["1" + "0" * 10**6, "0", "3"]])
    yield "long walls", proof(plain(60, 8), 8, "tree", inequalities=[[WIDE] * 9] * 9)
    box = [[WIDE[k:] if j in (k, 60) else "0" for j in range(61)] for k in range(60)]
    yield "a box of long walls", proof(wide, 60, "tree", inequalities=box)
    odd = [f"{(1 << 16383) + 2 * k + 1:x}" for k in range(40)]
    sides = [[odd[j] if i == j else "0" for i in range(40)] + [odd[j - 1]] for j in range(40)]
    sides += [[f"-{x}" if x != "0" else x for x in h[:-1]] + h[-1:] for h in sides]
    yield "a bounded box of long walls", proof(plain(60, 40), 40, "tree", inequalities=sides)
    yield "wide weights", proof(wide, 60, "tree")
    yield "wide weights, closed form", proof(wide, 60, "closed form", 7)
    yield "full weights, closed form", proof(weights(cyclic(99, 140, full), [1.0] * 99, [1.0] * 99), 140, "closed form", 7)
    yield "all zero", proof(plain(380, 380, (0.0,)), 380, "closed form", 1)
    paired = [[float(x)] for x in (*range(3, 6003, 2), *range(7, 6007, 2))]
    yield "long denominators", proof(weights(paired, [1.0] * 6000, [1.0] * 6000), 1, "tree")
    yield "nested", {"header.json": b"[" * 10**6}
    yield "lists", {"header.json": b"[" + b"[]," * 350_000 + b"[]]"}
    yield "keys", {"header.json": ("{" + ",".join(f'"{k}":{{}}' for k in range(3000)) + "}").encode()}
    yield "circuits", tree(three, 2, b"", [[[0, "1"], [1, "1"]]] * 60_000, inequalities=[["0", "0", "-1"]])
    yield "circuits that hold", tree(three, 2, b"", [[[3, "1"]]] * 90_000, inequalities=[["0", "0", "-1"]])
    yield "long circuits", tree(flat, 6, b"", [[[0, "f" * 700]] * 50] * 20)
    for kind in (EMPTY, NOT_NEGATIVE, NEGATIVE, TOUCHING, REPEAT):
        yield f"leaves of kind {kind}", tree(flat, 6, leaves(65_000, [(14, kind, 0)]), [], [["1", []]])
        yield f"wide leaves of kind {kind}", tree(plain(100, 50), 50, leaves(65_000, [(100, kind, 0)]), [], [["1", []]])
    zero = plain(60, 40, last=0.0)
    yield (
        "f < 0 again and again",
        tree(
            weights([[1.0] * 40] * 40, [-float(k) for k in range(40)], [-1.0] * 40, -1.0),
            40,
            leaves(65_000, [(1, NEGATIVE, 0)]),
            [],
            [["1", []]] * 10,
        ),
    )
    yield (
        "vertices of a constant",
        proof(weights(plain(60, 10)["hidden_weight"], [*range(60)], [1.0] * 60, 1.0), 10, "vertices"),
    )
    many = weights([[float(k == j) for j in range(24)] for k in range(24)], [0.0] * 24, [1.0] * 24, -1.0)
    yield "vertices of many patterns", proof(many, 24, "vertices")
    central = weights(plain(60, 10)["hidden_weight"], [0.0] * 60, [1.0] * 60, -1.0)
    for name, network in (("alike", central), ("full", weights(cyclic(60, 10, full), [0.0] * 60, [1.0] * 60, -1.0))):
        yield f"closed form of many cones, {name}", proof(network, 10, "closed form", 7)
    for name, network in (("convex", central), ("mixed", {**central, "output_weight": [1.0, -1.0] * 30})):
        patterns = {"units/0/patterns": bytes(8 * 60_000)}
        yield f"rows at no vertex, {name}", proof(network, 10, "vertices", 60_000, patterns, version=2)
    nothing = [["0"] * 6 + ["-1"]]  # an empty domain, on which whatever one says holds
    half = leaves(1 << 13, [(14, EMPTY, 0)])
    halves = {"tree/0/leaves": half, "tree/1/leaves": half} | {
        f"tree/{k}/certificates.json": {"circuits": [[[14, "1"]]], "bounds": []} for k in (0, 1)
    }
    yield "leaves that hold", proof(flat, 6, "tree", 0, halves, inequalities=nothing)
    below = [["1", [[k, "1"] for k in range(12) if place >> (11 - k) & 1]] for place in range(1 << 12)]
    numbered = b"".join(leaves(1, [(12, NEGATIVE, k)]) for k in range(1 << 12))
    yield "bounds that hold", tree(weights(cyclic(60, 40, range(1, 99)), [-1.0] * 60, [-1.0] * 60), 40, numbered, [], below)
    short = plain(12, 6)
    held = {}
    for k, part in enumerate(every_pattern(12, nodes.EMPTY)):
        held[f"tree/{k}/nodes"], count = part, sum(node < nodes.SPLIT for node in part)
        held[f"tree/{k}/rows"] = bytes([12, 13, *[26] * 6]) * count
    yield "leaves that hold, version 2", proof(short, 6, "tree", 0, held, version=2, inequalities=[["0"] * 6 + ["-1"]])
    negative = weights(plain(60, 40)["hidden_weight"], [-1.0] * 60, [-1.0] * 60)
    held, place = {}, 0
    for k, part in enumerate(every_pattern(12, nodes.NEGATIVE)):
        held[f"tree/{k}/nodes"], held[f"tree/{k}/rows"] = part, b""
        for _ in range(sum(node < nodes.SPLIT for node in part)):
            active = [unit for unit in range(12) if place >> (11 - unit) & 1]
            held[f"tree/{k}/rows"] += bytes([*active, 60, *[121] * (41 - len(active))])
            place += 1
        held[f"tree/{k}/full"] = bytes(len(held[f"tree/{k}/rows"]) // 42 * 8)
    yield "bounds that hold, version 2", proof(negative, 40, "tree", 0, held, version=2)
    for kind in nodes.WITH_ROWS + nodes.BOUNDS:
        yield f"leaf of kind {kind}, version 2", walked(flat, 6, [kind] * 4000, bytes(8 * 4000), bytes(2 * 4000))
    many = {"hidden_weight": [[1] * 8000], "hidden_bias": [0], "output_weight": [1], "output_bias": -1}
    yield "one row, named by every place", walked(many, 8000, [nodes.EMPTY], bytes([1]) * 8002)
    yield "splits", walked(flat, 6, [nodes.SPLIT] * 4000)
    yield "open leaves", walked(flat, 6, every_pattern(11, nodes.OPEN)[0][:-1], complete=None)
    many_units = weights([[float(k)] for k in range(1, 3001)], [1.0] * 3000, [1.0] * 3000)
    deep = np.array([nodes.SPLIT + k for k in range(1300)], "<u2").tobytes()
    yield "a deep tree", walked(many_units, 1, deep)
    yield "more nodes than a block may have", walked(flat, 6, [nodes.OPEN] * 900_000, complete=None)
    yield "a long block of rows", walked(flat, 6, [nodes.EMPTY], bytes(800_000))
    yield "long walls, version 2", walked(plain(60, 8), 8, [nodes.OPEN], inequalities=[[WIDE] * 9] * 9)
    yield "a bounded box of long walls, version 2", walked(plain(60, 40), 40, [nodes.OPEN], inequalities=sides)
    yield "wide weights, version 2", walked(wide, 60, [nodes.OPEN])
    far = [["1", *["0"] * 39, "2"], ["2", *["0"] * 39, "1"]]
    near = np.zeros((900, 2, 40))
    near[:, 0, 0], near[:, 1, 0] = 0.5, 2.0
    for name, numbers in (("rows that hold", range(-99, -1)), ("wide rows that hold", [-abs(x) for x in spread])):
        one_cell = weights([[1.0] + [0.0] * 39, *cyclic(59, 40, numbers)], [0.0] + [-1.0] * 59, [1.0] * 60)
        exact = rows(one_cell, 40, 900, np.full((900, 2, 40), np.nan).tobytes(), {str(k): far for k in range(900)})
        for kind, members in (("float", rows(one_cell, 40, 900, near.tobytes())), ("exact", exact)):
            yield f"{kind} {name}", members | {"units/0/patterns": (b"\x80" + bytes(7)) * 900}
    yield (
        "repeats",
        proof(zero, 40, "vertices", 0, {"repeats/0/patterns": bytes(8 * 60_000), "repeats/0/numbers": bytes(8 * 60_000)}),
    )
    yield "bound", proof(zero, 40, "bound", 0, idle=[["0"] * 40 + ["1"]] * 3000)
    yield "bound of many cells", proof(weights([[float(k)] for k in range(1, 9001)], [1.0] * 9000, [1.0] * 9000), 1, "bound")
    yield "idle", proof(zero, 40, "tree", 0, idle=[["f" * 4000] * 41] * 6)
    yield "points", rows(flat, 6, 10_000, bytes(10_000 * 96))
    yield "tiny points", rows(wide, 60, 1000, np.full((1000, 2, 60), 5e-324).tobytes())
    yield "not finite", rows(flat, 6, 10_000, np.full((10_000, 2, 6), np.nan).tobytes())
    pair = [["1" + "0" * 400] * 6 + ["1"]] * 2
    yield "exact points", rows(flat, 6, 150, bytes(150 * 96), {str(k): pair for k in range(150)})
    yield "no rows", proof(flat, 6, None, 1, {f"units/{k}/{name}": b"" for k in range(25) for name in ("patterns", "points")})
    twice = io.BytesIO()
    with zipfile.ZipFile(twice, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("header.json", text)
        archive.writestr("tree/0/leaves", bytes(900_000))
    content = twice.getvalue()
    at = content.index(b"PK\x01\x02")
    at = content.index(b"PK\x01\x02", at + 1)
    end = content.index(b"PK\x05\x06")
    entry, tail = content[at:end], bytearray(content[end:])
    more = [entry.replace(b"tree/0/leaves", f"tree/{k}/leaves".encode()) for k in range(1, 10)]
    tail[8:12] = (11).to_bytes(2, "little") * 2
    tail[12:16] = (len(entry) * 10 + at - content.index(b"PK\x01\x02")).to_bytes(4, "little")
    yield "over each other", content[:end] + b"".join(more) + bytes(tail)


def files():
    for name, members in attacks():
        yield name, members if isinstance(members, bytes) else packed(members).getvalue()


PROGRAM = """
import json, sys, time
from lpnet.checker import *
for path in sys.argv[1:]:
    started = time.process_time()
    try: said = str(check(path))
    except (Refuted, BadProof) as error: said = f"{type(error).__name__} {error}"
    peak = int(open("/proc/self/status").read().split("VmHWM:")[1].split()[0])
    print(json.dumps([said, time.process_time() - started, peak]), flush=True)
"""


def test_small_hostile_files_take_seconds_at_most(tmp_path):
    """Two seconds of work and 20 µs a byte, by the count of steps; with room for a busy machine."""
    paths, names = [], []
    for number, (name, content) in enumerate(files()):
        assert len(content) < (50_000 if name in LONGER else 8000), name
        names.append(name)
        paths.append(tmp_path / str(number))
        paths[-1].write_bytes(content)
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM, *map(str, paths)],
        capture_output=True, text=True, timeout=500, check=False, env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    for name, line in zip(names, run.stdout.splitlines(), strict=True):
        said, seconds, peak = json.loads(line)
        assert said.startswith(("Refuted", "BadProof")), (name, said)
        assert len(said) < 1000, name
        assert seconds < 6, name
        assert peak < 300 << 10, name  # KiB


@pytest.mark.parametrize("kind", ["fifo", "socket", "folder", "device"])
def test_what_is_no_file_is_not_waited_for(kind, tmp_path):
    place = tmp_path / "proof"
    with socket.socket(socket.AF_UNIX) if kind == "socket" else nullcontext() as server:
        if kind == "fifo":
            os.mkfifo(place)
        elif kind == "folder":
            place.mkdir()
        elif server:
            server.bind(str(place))
        with pytest.raises(BadProof, match="cannot be read"):
            check(Path("/dev/zero") if kind == "device" else place)


def test_of_a_file_too_much_is_allowed_on_demand(tmp_path):
    """All vertices of a constant: 15 billion lines, for a file of less than a thousand bytes."""
    members = dict(attacks())["vertices of a constant"]
    with pytest.raises(BadProof, match="more work than a file of its size"):
        check(packed(members))

    class Enough(Exception):
        pass

    def progress(share, rows):
        seen.append(share)
        if len(seen) > 30:
            raise Enough

    written = members["header.json"]["network"]
    for network, limited in ((ReLUNetwork(*map(np.array, written.values())), True), (None, False)):
        seen = []
        with pytest.raises(Enough):
            check(packed(members), network, None, progress, limited)
        assert seen == sorted(seen)


def test_progress_is_reported_in_every_part_of_a_check(tmp_path, monkeypatch):
    """Often enough to be stopped within a fraction of a second, and never backwards."""
    monkeypatch.setattr(work, "LOOK_EVERY", 1000)
    network = cases.random_network(np.random.default_rng(3), 16, 5, "positive", 0.2, -1.0)
    for engine in ("vertices", "tree"):
        write_proof(minimal_equivalent(network, engine=engine), tmp_path / engine)
        seen = []
        check(tmp_path / engine, network, None, lambda share, rows: seen.append((time.perf_counter(), share, rows)))  # noqa: B023
        times, shares, found = map(np.array, zip(*seen, strict=True))
        assert np.diff(times).max() < 1
        assert (np.diff(shares) >= 0).all()
        assert (np.diff(found) >= 0).all()
        assert engine == "vertices" or shares.max() > 0.9


# --- what lpnet writes stays within the limits


def test_a_proof_that_deflates_well_is_stored_so_that_it_is_read(tmp_path, monkeypatch):
    """2^12 − 1 half-spaces of 12 unit vectors: leaves that are all alike, points in few numbers."""
    for name, number in (("FREE_BYTES", 0), ("RATIO", 4)):
        monkeypatch.setattr(written, name, number)
        monkeypatch.setattr(proof_file, name, number)
    network = cases.relu(-1.0, *[(1, *row, 0) for row in np.eye(12).tolist()])
    answer = minimal_equivalent(network, engine="tree")
    write_proof(answer, tmp_path / "proof")
    assert check(tmp_path / "proof").units == answer.units == 4095
    with zipfile.ZipFile(tmp_path / "proof") as file:
        assert {member.compress_type for member in file.infolist()} == {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}


def test_long_points_and_many_nodes_end_a_block(tmp_path, monkeypatch):
    monkeypatch.setattr(write, "LARGE", 2)
    monkeypatch.setattr(nodes, "LONGEST_BLOCK", 20)
    kink = cases.relu(-1.0, (1, 1, 0, 0), (1, 1, 0, -1), (1, 0, 1, 0))
    mixed = cases.random_network(np.random.default_rng(11), 6, 3)
    for network, parts in ((kink, {"units/1/exact.json"}), (mixed, {"tree/1/nodes", "tree/2/rows"})):
        answer = minimal_equivalent(network, engine="tree", recorded=True)
        write_proof(answer, tmp_path / "proof")
        assert check(tmp_path / "proof", network).units == answer.units
        with zipfile.ZipFile(tmp_path / "proof") as file:
            assert parts <= set(file.namelist())


def wide(rng, relus, inputs):
    """A network whose weights are hundreds of binary orders apart."""
    network = cases.random_network(rng, relus, inputs)
    parts = (network.hidden_weight, network.hidden_bias, network.output_weight)
    return ReLUNetwork(*(part * np.ldexp(1.0, rng.integers(-300, 300, part.shape)) for part in parts), network.output_bias)


def test_numbers_that_lpnet_writes_are_within_their_lengths(tmp_path):
    rng = np.random.default_rng(5)
    for number in range(30):
        relus, inputs = int(rng.integers(2, 7)), int(rng.integers(1, 4))
        network = cases.any_degenerate(rng, relus, inputs) if number % 3 == 0 else wide(rng, relus, inputs)
        box = [None, Box(np.full(inputs, -1e-300), np.full(inputs, 1e250))][number % 2]
        write_proof(minimal_equivalent(network, box, "tree"), tmp_path / "proof")
        assert check(tmp_path / "proof", network, box).complete


def strip(bits):
    """|x| < 1, with bounds of so many bits."""
    factor = (1 << bits - 1) + 1
    return Polyhedron(2, ((factor, 0, factor - 2), (-factor, 0, factor - 2)))


def test_long_inequalities_are_written_as_far_as_they_are_read(tmp_path):
    network = cases.relu(-1.0, (1, 1, 1, 0), (1, -1, 1, 0))
    report = check_written(network, strip(16_000), tmp_path / "proof")
    assert report.place == "(-1, 1) × (−∞, ∞)"
    with pytest.raises(InputError, match="16384 bits"):
        check_written(network, strip(20_000), tmp_path / "proof")


def check_written(network, domain, path):
    write_proof(minimal_equivalent(network, domain), path)
    return check(path, network)


# --- the command


def test_verify_tells_proved_in_part_and_on_a_domain_apart(tmp_path):
    network, proof = DATA / "wine_pca3.json", tmp_path / "proof"

    def verdict(*options):
        done = run("verify", proof, "--json", *options)
        return done.exit_code, json.loads(done.stdout)

    run("minimal", network, "--proof", proof)
    code, answer = verdict()
    assert (code, answer["verdict"], answer["domain"], answer["complete"]) == (0, "proved", None, True)
    assert verdict("--network", network, "--domain=-1,2")[0] == 1
    run("minimal", network, "--proof", proof, "--domain=-1,2")
    code, answer = verdict()
    assert (code, answer["verdict"], answer["domain"]) == (4, "proved on a domain", "(-1, 2) × (-1, 2) × (-1, 2)")
    assert answer["inequalities"][0] == ["1", "0", "0", "1"]
    assert verdict("--network", network)[0] == 4
    code, answer = verdict("--network", network, "--domain=-1,2")
    assert (code, answer["verdict"]) == (0, "proved")
    assert verdict("--network", network, "--domain=-1,3")[0] == 1
    write_proof(minimal_equivalent(load(network), engine="expand", watch=Watch(max_pieces=5)), proof)
    code, answer = verdict()
    assert (code, answer["verdict"], answer["units"], answer["evidence"]) == (3, "proved in part", 5, None)
    assert "NOT proved" in run("verify", proof).stdout


def test_verify_is_stopped_by_its_limit(tmp_path):
    place = tmp_path / "proof"
    place.write_bytes(packed(dict(attacks())["vertices of a constant"]).getvalue())
    assert run("verify", place).exit_code == 2
    started = time.perf_counter()
    done = run("verify", place, "--time-limit", 1, "--json")
    assert time.perf_counter() - started < 5
    assert (done.exit_code, json.loads(done.stdout)["verdict"]) == (3, "stopped")
