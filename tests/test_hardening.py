"""Files from strangers: damaged, oversized or hostile ones give one sentence; nothing in them runs, nothing hangs.

And whatever stops a command leaves the file it was to write as it was.
"""

import json
import os
import pickle
import signal
import subprocess
import sys
import time
import zipfile
from io import BytesIO
from pathlib import Path

import h5py
import numpy as np
import onnx
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from real_files import NNET, write_all
from typer.testing import CliRunner

import lpnet
from lpnet import InputError
from lpnet.cli import app
from lpnet.io import hdf5, load, save

DATA = Path(__file__).parent.parent / "data"


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return write_all(tmp_path_factory.mktemp("real"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("damaged")


def read_or_refuse(path, content):
    """Whatever the file holds, there is a network or one short line with the file's name."""
    path.write_bytes(content)
    message = f"{path}: "
    try:
        load(path)
    except InputError as error:
        message = str(error)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    assert len(message) < 450 + len(str(path))


def refused(path, telling, seconds=60.0):
    started = time.process_time()
    with pytest.raises(InputError) as caught:
        load(path)
    assert telling in str(caught.value)
    assert "\n" not in str(caught.value)
    assert time.process_time() - started < seconds


@st.composite
def edits(draw):
    """Places in a file, as shares of its length, what goes there, and how many bytes it takes the place of."""
    place, content = (
        st.floats(0, 1, exclude_max=True),
        st.binary(max_size=6) | st.sampled_from([b"\xff" * 8, b"\0" * 8, b"-1", b"nan"]),
    )
    return draw(st.lists(st.tuples(place, content, st.integers(0, 8)), min_size=1, max_size=4))


def edited(content, changes):
    for place, new, old in changes:
        at = int(place * len(content))
        content = content[:at] + new + content[at + old :]
    return content or b"\0"


def damage(files, folder, suffix, number, changes):
    source = files[suffix][number % len(files[suffix])]
    read_or_refuse(folder / f"d{suffix}", edited(source.read_bytes(), changes))


fixtures_are_shared = settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


@pytest.mark.parametrize("suffix", [".json", ".npz", ".onnx", ".nnet", ".pt"])
@settings(fixtures_are_shared, max_examples=100)
@given(number=st.integers(0, 3), changes=edits())
def test_damaged_bytes(files, folder, suffix, number, changes):
    damage(files, folder, suffix, number, changes)


@pytest.mark.parametrize("suffix", [".h5", ".keras"])
@settings(fixtures_are_shared, max_examples=8)
@given(number=st.integers(0, 3), changes=edits())
def test_damaged_keras_files(files, folder, suffix, number, changes):
    """Few: each is read by a process of its own."""
    damage(files, folder, suffix, number, changes)


@pytest.fixture
def opened_once(monkeypatch):
    """HDF5 read by no more than one process for each content."""
    honest = hdf5.opened
    monkeypatch.setattr(hdf5, "opened", lambda content: STORED.get(content) or STORED.setdefault(content, honest(content)))


STORED = {}


@pytest.mark.parametrize(
    ("suffix", "member"), [(".npz", "hidden_bias.npy"), (".pt", "zip/data.pkl"), (".keras", "config.json")]
)
@settings(fixtures_are_shared, max_examples=50)
@given(number=st.integers(0, 3), changes=edits())
def test_damaged_members_of_archives(files, folder, opened_once, suffix, member, number, changes):
    """Damage behind the archive's checksums."""
    sources = [path for path in files[suffix] if zipfile.is_zipfile(path)]
    read_or_refuse(folder / f"m{suffix}", remade(sources[number % len(sources)], member, lambda old: edited(old, changes)))


def remade(source, member, change):
    """An archive with one member changed."""
    buffer = BytesIO()
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(buffer, "w") as new:
        for name in old.namelist():
            new.writestr(name, change(old.read(name)) if name == member else old.read(name))
    return buffer.getvalue()


LEAVES = st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats() | st.sampled_from(["", "relu", "dense"])
VALUES = LEAVES | st.lists(LEAVES, max_size=3) | st.dictionaries(st.text(max_size=3), LEAVES, max_size=2)


@settings(fixtures_are_shared, max_examples=60)
@given(number=st.integers(0, 3), place=st.integers(0, 10**6), value=VALUES)
def test_other_values_in_a_keras_configuration(files, folder, opened_once, number, place, value):
    source = files[".keras"][number % len(files[".keras"])]
    read_or_refuse(folder / "c.keras", remade(source, "config.json", lambda old: replaced(json.loads(old), place, value)))


def replaced(tree, place, value):
    """The JSON tree with one of its values replaced."""
    places = []

    def collect(node):
        for key in node if isinstance(node, dict) else range(len(node)):
            places.append((node, key))
            if isinstance(node[key], dict | list):
                collect(node[key])

    collect(tree)
    node, key = places[place % len(places)]
    node[key] = value
    return json.dumps(tree).encode()


@settings(fixtures_are_shared, max_examples=80)
@given(place=st.integers(0, 10**6), token=st.sampled_from(["-1", "0", "1e300", "1e9", "3", "inf", "", "x", "2.5", "9" * 400]))
def test_other_numbers_in_a_nnet_file(folder, place, token):
    tokens = NNET.replace("\n", " \n ").split(",")
    tokens[place % len(tokens)] = token
    read_or_refuse(folder / "t.nnet", ",".join(tokens).encode())


@settings(fixtures_are_shared, max_examples=120)
@given(number=st.integers(0, 3), node=st.integers(0, 30), other=st.integers(0, 30), change=st.integers(0, 5))
def test_other_graphs(files, folder, number, node, other, change):
    """Nodes with each other's operators, inputs and outputs, and tensors with other shapes."""
    model = onnx.load(files[".onnx"][number])
    nodes, tensors = model.graph.node, model.graph.initializer
    one, two = nodes[node % len(nodes)], nodes[other % len(nodes)]
    if change == 0:
        one.op_type, one.domain = two.op_type, two.domain
    elif change == 1:
        one.input[:] = two.input
    elif change == 2:
        one.output[:] = two.output
    elif change == 3:
        one.attribute.extend(two.attribute)
    elif change == 4:
        del nodes[node % len(nodes)]
    else:
        tensors[node % len(tensors)].dims[:] = [other, 1 << other]
    read_or_refuse(folder / "g.onnx", model.SerializeToString())


class Command:
    """Runs a command when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.system, (f"touch {self.path}",)


def test_pickles_are_never_run(tmp_path):
    trace = tmp_path / "trace"
    torch.save({"a.weight": torch.zeros(2, 2), "b": Command(trace)}, tmp_path / "new.pt")
    torch.save({"a": Command(trace)}, tmp_path / "old.pt", _use_new_zipfile_serialization=False)
    np.savez(tmp_path / "n.npz", kind="relu", hidden_weight=np.array([Command(trace)], dtype=object))
    for name in ("m.pkl", "m.pickle", "m.joblib"):
        (tmp_path / name).write_bytes(pickle.dumps(Command(trace)))
    (tmp_path / "renamed.pt").write_bytes(pickle.dumps(Command(trace)))
    for name in ("new.pt", "old.pt"):
        refused(tmp_path / name, "holds Python objects that run code when they are loaded, so it is not")
    refused(tmp_path / "n.npz", "Object arrays cannot be loaded")
    refused(tmp_path / "m.pkl", "is a pickle, which may run code; load it yourself")
    refused(tmp_path / "m.joblib", "is a pickle, which may run code")
    refused(tmp_path / "renamed.pt", "PyTorch")
    assert not trace.exists()
    pickle.loads((tmp_path / "m.pkl").read_bytes())
    assert trace.exists(), "the attack is a real one"


def bomb(path, member, source=None):
    """An archive with a member that unpacks to more than lpnet unpacks."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        if source:
            with zipfile.ZipFile(source) as old:
                for name in set(old.namelist()) - {member}:
                    archive.writestr(name, old.read(name))
        with archive.open(member, "w") as file:
            for _ in range(17):
                file.write(bytes(1 << 24))


def test_archives_that_unpack_to_too_much(files, tmp_path):
    zipped = next(path for path in files[".pt"] if zipfile.is_zipfile(path))
    for name, member, source in [
        ("b.npz", "hidden_weight.npy", None),
        ("b.pt", "zip/data/0", zipped),
        ("b.keras", "config.json", files[".keras"][0]),
    ]:
        bomb(tmp_path / name, member, source)
        assert (tmp_path / name).stat().st_size < 10**7
        refused(tmp_path / name, "unpacks to more than 256 MiB")


def test_shapes_that_are_declared_only(tmp_path):
    header = BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f8", "fortran_order": False, "shape": (2**40,)})
    with zipfile.ZipFile(tmp_path / "n.npz", "w") as archive:
        archive.writestr("hidden_weight.npy", header.getvalue())
    refused(tmp_path / "n.npz", "cannot be read as an .npz file")
    torch.save({"a.weight": torch.zeros(1).expand(10**9, 2), "b.weight": torch.zeros(1, 1)}, tmp_path / "n.pt")
    assert (tmp_path / "n.pt").stat().st_size < 10**4
    refused(tmp_path / "n.pt", "has 2000000000 numbers; lpnet reads up to")
    (tmp_path / "n.nnet").write_text("2,10000000,1,10000000,\n10000000,10000000,1,\n")
    refused(tmp_path / "n.nnet", "lpnet reads up to")
    (tmp_path / "line.nnet").write_text("1," * 10**6)
    refused(tmp_path / "line.nnet", "has more than 1000000 characters")
    with (tmp_path / "big.json").open("wb") as file:
        file.truncate(10**12)
    refused(tmp_path / "big.json", "is larger than 256 MiB")


def wide(*shapes):
    """An ONNX model of affine layers in a row."""
    names = ["x", *(f"v{k}" for k in range(len(shapes)))]
    nodes = [onnx.helper.make_node("MatMul", [names[k], f"w{k}"], [names[k + 1]]) for k in range(len(shapes))]
    tensors = [onnx.numpy_helper.from_array(np.ones(shape, np.float32), f"w{k}") for k, shape in enumerate(shapes)]
    ends = [onnx.helper.make_tensor_value_info(n, 1, [1, s]) for n, s in ((names[0], shapes[0][0]), (names[-1], shapes[-1][1]))]
    return onnx.helper.make_model(onnx.helper.make_graph(nodes, "g", ends[:1], ends[1:], tensors))


def field(number, content):
    """A field of a protobuf message that is a message itself."""
    length, size = bytearray(), len(content)
    while size > 127:
        length.append(size & 127 | 128)
        size >>= 7
    return bytes([number << 3 | 2, *length, size]) + content


def test_graphs_that_would_take_for_ever(tmp_path):
    onnx.save(wide(*[(2, 2)] * 1500), tmp_path / "long.onnx")
    refused(tmp_path / "long.onnx", "has 1500 nodes")
    deep = b""
    for _ in range(5000):  # a node with an attribute with a graph with a node …
        deep = field(5, field(6, field(1, deep)))
    (tmp_path / "deep.onnx").write_bytes(field(7, field(1, deep)))
    refused(tmp_path / "deep.onnx", "is not an ONNX file, or is cut off")
    spread = wide((2, 2))
    spread.graph.node.append(onnx.helper.make_node("Add", ["v0", "t"], ["z"]))
    spread.graph.node.append(onnx.helper.make_node("Add", ["z", "u"], ["zz"]))
    for name, shape in (("t", (10**4, 1, 1)), ("u", (10**4, 1))):
        spread.graph.initializer.append(onnx.numpy_helper.from_array(np.ones(shape, np.float32), name))
    spread.graph.output[0].name = "zz"
    onnx.save(spread, tmp_path / "spread.onnx")
    refused(tmp_path / "spread.onnx", "makes a table of")


class TestHostileHdf5:
    def weights(self, path, **members):
        """A file of weights with some members given otherwise."""
        with h5py.File(path, "w") as file:
            for key, shape in (("dense", (2, 3)), ("dense_1", (3, 1))):
                stored = file.create_group(f"layers/{key}/vars")
                stored.attrs["name"] = key
                if key in members:
                    members[key](stored)
                else:
                    stored["0"] = np.ones(shape)
        return path

    def test_the_plain_one_is_read(self, tmp_path):
        assert load(self.weights(tmp_path / "w.h5")).relus == 3

    def test_links_are_not_followed(self, tmp_path):
        self.weights(tmp_path / "secret.h5")
        external = h5py.ExternalLink("secret.h5", "/layers/dense/vars/0")
        for link in (external, h5py.SoftLink("/layers/dense_1/vars/0")):
            self.weights(tmp_path / "w.h5", dense=lambda stored, link=link: stored.__setitem__("0", link))
            refused(tmp_path / "w.h5", "'0' in it is a link to elsewhere, which is not followed")

    def test_arrays_elsewhere_are_not_read(self, tmp_path):
        (tmp_path / "secret").write_bytes(bytes(48))
        layout = h5py.VirtualLayout((2, 3), "f8")
        layout[:] = h5py.VirtualSource(str(self.weights(tmp_path / "secret.h5")), "layers/dense/vars/0", shape=(2, 3))
        outside = [(str(tmp_path / "secret"), 0, 48)]
        for make in (
            lambda stored: stored.create_virtual_dataset("0", layout),
            lambda stored: stored.create_dataset("0", (2, 3), "f8", external=outside),
            lambda stored: stored.create_dataset("0", (2, 3), "f8", compression="lzf"),
        ):
            self.weights(tmp_path / "w.h5", dense=make)
            refused(tmp_path / "w.h5", "is kept elsewhere or packed in an unusual way")

    def test_sizes(self, tmp_path):
        self.weights(tmp_path / "w.h5", dense=lambda stored: stored.create_dataset("0", (10**6, 10**6), "f8", chunks=(10, 10)))
        refused(tmp_path / "w.h5", "has more than 10000000 numbers")
        self.weights(tmp_path / "w.h5", dense=lambda stored: stored.__setitem__("loop", stored.file["/"]))
        refused(tmp_path / "w.h5", "has groups nested too deeply")
        self.weights(tmp_path / "w.h5", dense=lambda stored: [stored.create_group(str(k)) for k in range(10_001)])
        refused(tmp_path / "w.h5", "has more than 10000 groups and arrays")

    def test_a_configuration_nested_without_end(self, tmp_path):
        with h5py.File(tmp_path / "w.h5", "w") as file:
            file.attrs["model_config"] = "[" * 60_000
        refused(tmp_path / "w.h5", "nested too deeply")

    def test_a_configuration_that_is_no_text(self, tmp_path):
        with h5py.File(tmp_path / "w.h5", "w") as file:
            file.attrs.create("model_config", b'{"class_name": "\x80"}', dtype=h5py.string_dtype())
        refused(tmp_path / "w.h5", "is not UTF-8 text")

    def test_a_reader_that_hangs_or_crashes_is_stopped(self, tmp_path, monkeypatch):
        self.weights(tmp_path / "w.h5")
        for code in ("import time; time.sleep(60)", "import os; os.abort()", "print('nonsense')"):
            (tmp_path / "hdf5_child.py").write_text(code)
            monkeypatch.setattr(hdf5, "__file__", str(tmp_path / "hdf5.py"))
            monkeypatch.setattr(hdf5, "MOST_SECONDS", 2)
            refused(tmp_path / "w.h5", "is no HDF5 file, or a damaged one", 30)


COMMANDS = {
    "json": ["minimal", DATA / "theorem2_n8.json", "-o", "out.json"],
    "npz": ["minimal", DATA / "theorem2_n8.json", "-o", "out.npz"],
    "onnx": ["minimal", DATA / "theorem2_n8.json", "-o", "out.onnx"],
    "txt": ["minimal", DATA / "theorem2_n8.json", "-o", "out.txt"],
    "proof": ["minimal", DATA / "theorem2_n8.json", "--proof", "out.proof"],
    "compress": ["compress", "sign.json", "-o", "out.json"],
    "nearest": ["nearest", "sign.json", "-o", "out.json"],
}
PROGRAM = """
import resource, sys
from lpnet.cli import app
resource.setrlimit(resource.RLIMIT_FSIZE, ({most}, {most}))
app(sys.argv[1:])
"""


@pytest.mark.parametrize("name", COMMANDS)
def test_a_full_disk_leaves_the_old_file(tmp_path, name):
    """Every -o and --proof, where no file may grow beyond 100 bytes: exit code 2, one sentence, the old file as it was."""
    threshold = lpnet.minimal_equivalent(load(DATA / "theorem2_n3.json")).equivalent
    halfspaces = np.vstack([threshold.hidden_weight, np.zeros((1, 3))])
    save(lpnet.SignNetwork(halfspaces, [*threshold.hidden_bias, -1.0], np.ones(8), 7.0), tmp_path / "sign.json")
    arguments = [str(argument) for argument in COMMANDS[name]]
    (tmp_path / arguments[-1]).write_bytes(b"old")
    before = sorted(tmp_path.iterdir())
    for most, code in ((100, 2), (-1, 0))[: 2 if name in ("proof", "compress", "nearest") else 1]:
        program = [sys.executable, "-c", PROGRAM.format(most=most), *arguments]
        done = subprocess.run(program, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == code, done.stderr
        assert "Traceback" not in done.stderr
        assert ((tmp_path / arguments[-1]).read_bytes() == b"old") == (code == 2)
        assert sorted(tmp_path.iterdir()) == before
        assert ("cannot be written: File too large" in done.stderr) == (code == 2)


@pytest.mark.slow
def test_a_full_disk_where_compiled_code_is_kept(tmp_path):
    program = """
import resource, sys
from lpnet.cli import main
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
main()
"""
    arguments = ["minimal", str(DATA / "wine_pca3.onnx"), "--engine", "vertices"]
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0
    assert "14" in done.stdout
    assert ", not kept: set NUMBA_CACHE_DIR to a folder" in done.stderr
    assert "Traceback" not in done.stderr
    assert not [file for file in tmp_path.rglob("*") if file.is_file()]


def test_a_kill_in_the_middle_leaves_the_old_file(tmp_path):
    program = f"""
import os
from lpnet.io import hdf5, load, save
network = load({str(DATA / "theorem2_n3.json")!r})
os.fsync = lambda descriptor: os.kill(os.getpid(), {signal.SIGKILL.value})
save(network, "out.json")
"""
    (tmp_path / "out.json").write_bytes(b"old")
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == -signal.SIGKILL
    assert (tmp_path / "out.json").read_bytes() == b"old"
    assert len(list(tmp_path.iterdir())) == 2  # and the other half


def test_concurrent_runs_do_not_collide(tmp_path):
    """Several processes read one file and write to one name: what is there in the end is one of their answers, whole."""
    program = f"""
from lpnet.io import hdf5, load, save
network = load({str(DATA / "theorem2_n8.json")!r})
for _ in range(20):
    save(network, "out.json")
    assert load("out.json").relus == 8
"""
    runs = [subprocess.Popen([sys.executable, "-c", program], cwd=tmp_path) for _ in range(3)]
    assert [run.wait() for run in runs] == [0] * 3
    assert [path.name for path in tmp_path.iterdir()] == ["out.json"]


@pytest.mark.parametrize(
    ("option", "name"), [("-o", "out.json"), ("-o", "out.txt"), ("--proof", "out.proof"), ("-o", "out.html"), ("-o", "out.png")]
)
def test_only_files_are_replaced(tmp_path, option, name):
    """Not pipes (nor devices), folders or links that lead nowhere but to themselves."""
    command = {"out.html": "report", "out.png": "draw"}.get(name, "minimal")
    out, pipe = tmp_path / "folder" / name, tmp_path / "pipe"
    out.parent.mkdir()
    os.mkfifo(pipe)
    makers = {
        "is no regular file": (lambda: os.mkfifo(out), lambda: out.symlink_to(out), lambda: out.symlink_to(pipe)),
        "Is a directory": (out.mkdir,),
    }
    for telling, makes in makers.items():
        for make in makes:
            make()
            before = out.lstat()
            done = CliRunner().invoke(app, [command, str(DATA / "running_example.json"), option, str(out)])
            assert done.exit_code == 2
            assert done.stderr == f"lpnet: {option}: {out} cannot be written: {telling}\n"
            assert (out.lstat().st_ino, out.lstat().st_mode) == (before.st_ino, before.st_mode)
            assert [path.name for path in out.parent.iterdir()] == [name]
            out.rmdir() if telling == "Is a directory" else out.unlink()
    assert pipe.is_fifo()


def test_a_write_protected_file_stays(tmp_path, monkeypatch):
    """os.access says so; to the superuser it never does."""
    out = tmp_path / "out.json"
    out.write_bytes(b"old")
    monkeypatch.setattr(os, "access", lambda path, mode, **_: mode != os.W_OK)
    done = CliRunner().invoke(app, ["minimal", str(DATA / "running_example.json"), "-o", str(out)])
    assert (done.exit_code, done.stderr) == (2, f"lpnet: -o: {out} cannot be written: Permission denied\n")
    with pytest.raises(InputError, match="cannot be written: Permission denied"):
        save(load(DATA / "running_example.json"), out)
    assert out.read_bytes() == b"old"


def test_names_of_files_do_not_reach_the_terminal_as_they_are(tmp_path):
    names = ["two\nlines.json", "\x1b[31mred.json", b"\xff\xfe.json", "😀 ².json"]
    for name in map(os.fsdecode, names):
        (tmp_path / name).write_bytes((DATA / "running_example.json").read_bytes())
    for encoding in ("utf-8:strict", "ascii:strict"):
        program = [sys.executable, "-m", "lpnet", "minimal", *names, "no\nsuch.json"]
        done = subprocess.run(
            program, cwd=tmp_path, env={**os.environ, "PYTHONIOENCODING": encoding}, capture_output=True, text=True, check=False
        )
        assert done.returncode == 2
        assert done.stderr == "lpnet: no\\nsuch.json: no such file; check the name\n"
        assert len(done.stdout.partition("\n\n")[0].splitlines()) == 1 + len(names)
        assert "\x1b" not in done.stdout
