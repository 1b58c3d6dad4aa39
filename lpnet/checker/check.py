"""All checks of a proof file, in order."""

import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lpnet.checker.counts import check_bound, check_closed_form, check_constant
from lpnet.checker.needed import check_needed
from lpnet.checker.proof import Progress, Proof
from lpnet.checker.question import FIELDS, Form, check_same_domain, check_same_network
from lpnet.checker.tree import check_tree
from lpnet.checker.vertices import check_vertices

UNREADABLE = (
    ArithmeticError, MemoryError,
    zlib.error, EOFError, RuntimeError, LookupError, TypeError, AttributeError, ValueError, OverflowError,
)  # fmt: skip


class BadProof(Exception):
    """The file is no proof that could be read."""


@dataclass(frozen=True)
class Report:
    """question: what the proof is about; units: how many half-spaces are needed; proved, unproved: statements in words."""

    question: str
    units: int
    proved: tuple[str, ...]
    unproved: tuple[str, ...]


def check(path: str | Path, network: Any = None, domain: Any = None, progress: Progress = lambda share, units: None) -> Report:
    """Check a proof file.

    With a network (anything with the fields of a ReLUNetwork), also that it is about that one; with a domain (anything with the
    `inequalities()` of a Domain, such as a Box), that it is about the network there.

    progress(share, rows) is called now and then. Raises Refuted, naming the place, or BadProof.
    """
    given = {name: np.asarray(getattr(network, name)) for name in FIELDS} if network is not None else None
    walls = domain.inequalities() if domain is not None else None
    try:
        with zipfile.ZipFile(path) as file:
            return run(Proof(file), given, walls, progress)
    except OSError as error:
        raise BadProof(f"{path}: cannot be read: {error.strerror or error}") from None
    except zipfile.BadZipFile:
        raise BadProof(f"{path}: is not a proof file; wanted what lpnet minimal --proof wrote, whole") from None
    except UNREADABLE as error:
        raise BadProof(f"{path}: is not a proof file that this version reads: {error}") from None


def run(proof: Proof, network: dict[str, Any] | None, walls: Sequence[Form] | None, progress: Progress) -> Report:
    """All checks of an open proof file."""
    checks = {"tree": check_tree, "vertices": check_vertices, "bound": check_bound}
    if proof.complete not in (None, "closed form", *checks):
        raise ValueError(f"unknown kind of completeness {proof.complete!r}")
    proved = []
    if network is not None:
        check_same_network(proof.network, network)
        proved.append("it is about the network given")
    if walls is not None:
        check_same_domain(proof.form.walls, walls)
        proved.append("it is about the domain given")
    if proof.complete == "closed form":
        check_closed_form(proof)
        proved.append(f"exactly {proof.rows} half-spaces are needed (closed form: the hidden weights are independent)")
        return Report(proof.question, proof.rows, tuple(proved), ())
    patterns = check_needed(proof, progress)
    proved.append(f"{proof.rows} different half-spaces are needed (two points for each)")
    if proof.complete is None:
        return Report(proof.question, proof.rows, tuple(proved), ("that no other half-space is needed",))
    proved.append(f"no other is needed ({checks[proof.complete](proof, patterns, progress)})")
    if not proof.rows:
        check_constant(proof)
        proved.append(f"the answer is the constant {proof.constant:+d}, wherever f ≠ 0")
    return Report(proof.question, proof.rows, tuple(proved), ())
