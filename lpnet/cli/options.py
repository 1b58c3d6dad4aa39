"""Options that commands share, and what their texts mean."""

import os
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, TypeVar

import numpy as np
import typer

from lpnet.boundary.engines import ENGINES
from lpnet.cli import completion
from lpnet.console import described
from lpnet.errors import InputError
from lpnet.io import READERS, check_replaceable, check_writable, load, load_domain, load_examples, read_and_warn
from lpnet.io.examples import SUFFIXES
from lpnet.io.kinds import Choice
from lpnet.io.vnnlib import load_property
from lpnet.networks import Box, Polyhedron, ReLUNetwork, StepNetwork
from lpnet.networks.classifier import Classifier
from lpnet.networks.examples import Examples
from lpnet.networks.step import as_steps
from lpnet.networks.trees import TreeEnsemble

N = TypeVar("N", bound=Any)

NETWORKS = completion.files(READERS)
Files = Annotated[
    list[Path],
    typer.Argument(
        metavar="FILE",
        readable=False,
        help=f"Network files: {', '.join(READERS)}.",
        show_default=False,
        autocompletion=NETWORKS,
    ),
]
ONE_FILE = f"A network file: {', '.join(READERS)}."
File = Annotated[Path, typer.Argument(metavar="FILE", readable=False, help=ONE_FILE, autocompletion=NETWORKS)]
FileA = Annotated[Path, typer.Argument(metavar="A", readable=False, help=ONE_FILE, autocompletion=NETWORKS)]
FileB = Annotated[Path, typer.Argument(metavar="B", readable=False, help="Another one.", autocompletion=NETWORKS)]
Outputs = Annotated[
    str | None,
    typer.Option(
        metavar="I,J",
        autocompletion=completion.outputs,
        help="For a model with several outputs: +1 where output I is at least output J; where a command takes the class of all "
        "outputs, argmax or argmin, too. Numbers from 0, or names.",
    ),
]
Group = Annotated[
    str | None,
    typer.Option("--group", metavar="I,J,…", help="For a model with several outputs: one of these classes, or the rest."),
]
Threshold = Annotated[
    str | None,
    typer.Option("--threshold", metavar="T", help="+1 where the output (of several that of --outputs I) is at least T."),
]
DomainOption = Annotated[
    str | None,
    typer.Option(
        "--domain",
        metavar="LO,HI",
        help="Only inputs between LO and HI; LO:HI,LO:HI,…: each between its own, or without one; or in a .vnnlib file, or a "
        "domain.json "
        '{"lower": […], "upper": […], "inequalities": [[v1, …, vd, c], …]}, v·x + c > 0.',
    ),
]
EngineOption = Annotated[
    str,
    typer.Option(
        metavar="NAME",
        help="How to search: auto, " + ", ".join(ENGINES) + ".",
        autocompletion=completion.values("auto", *ENGINES),
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object a file, on one line, instead of text.")]
Count = Annotated[bool, typer.Option("--count", help="Only count the boundary pieces, without storing them.")]
Scheduler = Annotated[
    str | None, typer.Option(metavar="ADDRESS", help="Count by the workers of this Dask scheduler, tcp://HOST:PORT.")
]
MaxUnits = Annotated[
    int | None, typer.Option(min=1, metavar="N", help="Stop after so many boundary pieces, if there are more (exit code 3).")
]
TimeLimit = Annotated[float | None, typer.Option(min=0, metavar="SECONDS", help="End then with what was found (exit code 3).")]
Out = Annotated[
    Path | None,
    typer.Option(
        "-o",
        "--out",
        metavar="OUT",
        help="Write the network found: .json, .npz, .onnx; in words .txt, .md, .html; as a function .py, .c.",
    ),
]
ReLUOut = Annotated[
    Path | None, typer.Option("-o", "--out", metavar="OUT", help="Write the ReLU network found (.json, .npz or .onnx).")
]
Circuit = Annotated[
    bool, typer.Option("--circuit", help="Also find the smallest network on these units, and compare it with Theorem 1's.")
]
DataOption = Annotated[
    Path | None,
    typer.Option(
        "--data",
        metavar="DATA",
        autocompletion=completion.files(SUFFIXES),
        help="A table of inputs, with classes or without (.csv, .npz, .npy, .parquet): ask on the box around its rows, and "
        "count them.",
    ),
]
Digits = Annotated[
    int | None, typer.Option(min=1, metavar="N", help="Show numbers of rules in so many digits (.txt, .md, .html).")
]
Keep = Annotated[
    float | None,
    typer.Option(
        min=0, max=100, metavar="PERCENT", help="Beside the exact rules few ones that keep so many decisions on --data."
    ),
]
Names = Annotated[str | None, typer.Option("--names", metavar="A,B,...", help="Names of the inputs, for texts and pictures.")]
ProofOut = Annotated[Path | None, typer.Option("--proof", metavar="OUT", help="Write a proof, for lpnet verify.")]


def choice(outputs: str | None, group: str | None = None, threshold: str | None = None, default: str = "own") -> Choice:
    """What --outputs, --group and --threshold ask of a model."""
    members = tuple(outputs.split(",")) if outputs else ()
    if group is not None:
        if threshold is not None or outputs not in (None, "argmax", "argmin"):
            raise InputError("--group: wanted without --threshold, and beside --outputs argmax or argmin alone")
        return Choice("group", tuple(group.split(",")), least=outputs == "argmin")
    if threshold is not None:
        try:
            return Choice("single", members, Fraction(threshold))
        except (ValueError, ZeroDivisionError):
            raise InputError(f"--threshold: wanted a number, got {threshold!r}") from None
    if outputs is None or outputs in ("argmax", "argmin"):
        return Choice(outputs or default)
    if len(members) != 2:
        raise InputError(f"--outputs: wanted argmax, argmin, or two with a comma between them, got {outputs!r}")
    return Choice("pair", members)


def read_network(file: Path, asked: Choice) -> ReLUNetwork | Classifier | StepNetwork | TreeEnsemble:
    """The network or the trees in a file; threshold units as a network of steps, of several outputs InputError."""
    network = read_and_warn(file, asked).network
    if isinstance(network, Classifier) and not isinstance(network.scores[0], ReLUNetwork):
        raise InputError(f"{file}: holds a {described(network)}; wanted a ReLU network, or threshold units with one output")
    return network if isinstance(network, ReLUNetwork | Classifier | TreeEnsemble) else as_steps(network)


def read_decision(file: Path, asked: Choice) -> ReLUNetwork | Classifier:
    """The ReLU network or the classifier in a file, or InputError."""
    network = read_and_warn(file, asked).network
    if not isinstance(network, ReLUNetwork | Classifier):
        raise InputError(f"{file}: holds a {described(network)}; wanted a ReLU network")
    return network


def read_relu(file: Path, outputs: str | None) -> ReLUNetwork:
    """The ReLU network in a file, or InputError."""
    network = load(file, choice(outputs) if outputs else None)
    if not isinstance(network, ReLUNetwork):
        raise InputError(f"{file}: holds a {described(network)}; wanted a ReLU network")
    return network


def check_network_output(out: Path, file: Path, relu: bool = False) -> None:
    """`check_output` for -o, where the suffix tells the format too; relu: for a ReLU network."""
    check_output("-o", out, file)
    check_writable(out, relu)


def check_output(option: str, out: Path, file: Path) -> None:
    """InputError for a place that cannot be written to, before anything is computed."""
    try:
        if not out.parent.is_dir():
            raise InputError(f"{option}: {out} cannot be written: there is no such folder")
        if os.path.realpath(out) == os.path.realpath(file):
            raise InputError(f"{option}: {out} is the input itself; give another name")
        check_replaceable(out)
    except OSError as error:  # a name that is too long
        raise InputError(f"{option}: {out} cannot be written: {error.strerror or error}") from None


def own_file(out: Path | None, file: Path, suffix: str) -> Path:
    """Where a command writes: -o, else beside nobody's file in this folder, under the input's name."""
    if out:
        return out
    target = Path(file.stem + suffix)
    check_output("-o", target, file)
    if target.exists():
        raise InputError(f"{target} exists already; name it with -o to replace it")
    return target


def renamed(network: N, names: str | None) -> N:
    """The network with the names of --names for its inputs."""
    given, inputs = names.split(",") if names is not None else None, network.inputs
    if given and (len(given) != inputs or len(set(given)) != inputs):
        raise InputError(f"--names: wanted {inputs} different names with commas between them, got {names}")
    return network.named(given) if given else network


def about(network: N, domain: str | None, data: Path | None) -> tuple[N, Polyhedron | None, Examples | None]:
    """What --domain and --data ask about: the network, inputs that are the same in all rows substituted, a domain, the rows."""
    place = polyhedron(domain, network.inputs)
    if data is None:
        return network, place, None
    if isinstance(network, TreeEnsemble):
        raise InputError("--data: wanted a network; of trees --domain LO:HI,… says where the inputs lie")
    examples = load_examples(data, network)
    if examples.features and not network.features:
        network = network.named(examples.features)
    return *examples.about(network, place), examples


def polyhedron(domain: str | None, inputs: int) -> Polyhedron | None:
    """The polyhedron of --domain."""
    if domain is None:
        return None
    if domain.endswith(".json"):
        return load_domain(domain, inputs)
    if domain.endswith(".vnnlib"):
        return allowed_inputs(domain, inputs)
    if ":" in domain:
        return Box(*zip(*intervals(domain, inputs), strict=True))
    bounds = pair("--domain", domain, float)
    assert bounds
    if not bounds[0] < bounds[1]:
        raise InputError(f"--domain: wanted LO < HI, got {domain}")
    return Box(np.full(inputs, bounds[0]), np.full(inputs, bounds[1]))


def allowed_inputs(file: str, inputs: int) -> Polyhedron:
    """The interior of the inputs that a VNN-LIB file allows."""
    asked = load_property(file)
    if len(asked.inputs) != inputs:
        raise InputError(f"{file}: wanted {inputs} inputs as the network has, got {len(asked.inputs)}")
    if asked.rest.parts:
        raise InputError(f'{file}: says more than linear constraints on the inputs; that is what "lpnet check" is for')
    return asked.domain


def intervals(domain: str, inputs: int) -> list[tuple[float, float]]:
    """The bounds of each input in LO:HI,LO:HI,…"""
    try:
        ends = [part.split(":") for part in domain.split(",")]
        found = [(float(low or "-inf"), float(high or "inf")) for low, high in ends]
    except ValueError:
        found = []
    if len(found) != inputs:
        raise InputError(f"--domain: wanted LO:HI for each of the {inputs} inputs, with commas between them, got {domain!r}")
    return found


def pair(option: str, text: str | None, number: type) -> tuple[Any, Any] | None:
    """Two numbers with a comma between them."""
    if text is None:
        return None
    try:
        first, second = map(number, text.split(","))
    except ValueError:
        kind = "whole numbers" if number is int else "numbers"
        raise InputError(f"{option}: wanted two {kind} with a comma between them, got {text!r}") from None
    return first, second
