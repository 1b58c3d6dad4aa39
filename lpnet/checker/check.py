"""All checks of a proof file, in order."""

import math
import os
import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from lpnet.checker.classes import ClassProof
from lpnet.checker.closed import check_closed_form
from lpnet.checker.counts import check_bound, check_constant
from lpnet.checker.deep_proof import DeepProof
from lpnet.checker.needed import check_needed
from lpnet.checker.nodes import check_nodes
from lpnet.checker.proof import CLASSES, DEEP, Proof, read_header
from lpnet.checker.question import Form, Refuted
from lpnet.checker.tree import check_tree
from lpnet.checker.vertices import check_vertices
from lpnet.checker.work import FREE_STEPS, STEPS_PER_BYTE, Progress, Work, brief

UNREADABLE = (
    ArithmeticError, MemoryError,
    zlib.error, EOFError, RuntimeError, LookupError, TypeError, AttributeError, ValueError, OverflowError,
)  # fmt: skip
LONGEST_REASON = 300


class BadProof(Exception):
    """The file is no proof that could be read."""


@dataclass(frozen=True)
class Report:
    """What a proof file proves.

    question: what it is about, in words; units: how many half-spaces are needed; proved, unproved: statements in words;
    evidence: the kind of evidence that there is no other half-space, None for a proof in part, which claims no such thing, or
    "agreement", perhaps "off ties", of two decisions;
    place, inequalities: the domain in words and as (v, c) with v·x + c > 0, none for all of R^d; constant: the one answer
    wherever f ≠ 0, if there is no half-space and that is proved.
    """

    question: str
    units: int
    proved: tuple[str, ...]
    unproved: tuple[str, ...]
    evidence: str | None
    place: str
    inequalities: tuple[Form, ...]
    constant: int | None = None

    @property
    def complete(self) -> bool:
        """Whether it is proved that no other half-space is needed."""
        return self.evidence is not None


def check(
    path: str | Path,
    network: Any = None,
    domain: Any = None,
    progress: Progress = lambda share, units: None,
    limited: bool = True,
    claim: Any = None,
) -> Report:
    """Check a proof file.

    With a network (anything with the fields of a ReLUNetwork, or with such scores and classes, as a Classifier), also that it
    is about that one; with a domain (anything with the `inequalities()` of a Polyhedron, such as a Box), that it is about the
    network there.

    With a claim (anything with the fields of a `lpnet.networks.claim.Claim`), that it is about these two decisions over the
    ReLUs of the network; a proof about two decisions is taken as nothing else.

    progress(share, rows) is called some ten times a second, and may raise. limited: whether a file that asks for more work than
    one of its size should (`lpnet.checker.work`) is refused. Raises Refuted, naming the place, or BadProof.
    """
    walls = domain.inequalities() if domain is not None else None
    try:
        with opened(path) as stream, zipfile.ZipFile(stream) as file:
            size = stream.seek(0, os.SEEK_END)
            work = Work(FREE_STEPS + STEPS_PER_BYTE * size if limited else math.inf, progress)
            header, known = read_header(file, size, work), (network is not None, domain is not None)
            if network is not None and hasattr(network, "scores") != (header["version"] == CLASSES):
                raise Refuted("the proof is about another network: of one output, where the other one has several")
            if header["version"] == CLASSES and claim is None:
                return run_classes(ClassProof(file, header, network, walls, work), *known)
            if header["version"] == DEEP:
                return run_deep(DeepProof(file, header, network, walls, work, size), *known, claim)
            if claim is not None:
                raise Refuted("the proof is about one network alone")
            return run(Proof(file, header, network, walls, work), *known)
    except OSError as error:
        raise BadProof(f"{path}: cannot be read: {error.strerror or error}") from None
    except zipfile.BadZipFile:
        raise BadProof(f"{path}: is not a proof file; wanted what lpnet minimal --proof wrote, whole") from None
    except UNREADABLE as error:
        reason = brief(str(error), LONGEST_REASON)
        raise BadProof(f"{path}: is not a proof file that this version reads: {reason}") from None


@contextmanager
def opened(path: str | Path | IO[bytes]) -> Iterator[IO[bytes]]:
    """A regular file, open for reading, or a stream as it is; OSError for a pipe or a device, which could keep one waiting."""
    if not isinstance(path, (str, os.PathLike)):
        yield path
        return
    with open(path, "rb", opener=lambda name, flags: os.open(name, flags | getattr(os, "O_NONBLOCK", 0))) as stream:
        if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
            raise OSError("is no regular file")
        yield stream


def run(proof: Proof, network_known: bool, domain_known: bool) -> Report:
    """All checks of an open proof file, which is about the network and the domain that are known."""
    checks = {"tree": check_tree if proof.version == 1 else check_nodes, "bound": check_bound}
    kind = proof.complete
    if kind not in (None, "closed form", "vertices", *checks):
        raise ValueError(f"unknown kind of completeness {brief(kind)}")
    proved, unproved = [], []
    if network_known:
        proved.append("it is about the network given")
    if domain_known:
        proved.append("it is about the domain given")
    if kind == "closed form":
        why = check_closed_form(proof)
        proved.append(f"exactly {proof.rows} half-spaces are needed (closed form: {why})")
    elif kind == "vertices":
        proved.append(f"{proof.rows} different half-spaces are needed and no other ({check_vertices(proof)})")
    else:
        patterns = check_needed(proof)
        proved.append(f"{proof.rows} different half-spaces are needed (two points for each)")
        if kind is None:
            if any(proof.blocks("tree")) and proof.version > 1:
                proved.append(f"no other is needed by a part of the patterns ({check_nodes(proof, patterns)})")
            unproved.append("that no other half-space is needed")
        else:
            proved.append(f"no other is needed ({checks[kind](proof, patterns)})")
    if not proof.rows and kind not in (None, "closed form"):
        check_constant(proof)
        proved.append(f"the answer is the constant {proof.constant:+d}, wherever f ≠ 0")
    constant = proof.constant if not proof.rows and kind not in (None, "closed form") else None
    return Report(proof.question, proof.rows, tuple(proved), tuple(unproved), kind, proof.place, proof.inequalities, constant)


def run_deep(proof: DeepProof, network_known: bool, domain_known: bool, claim: Any) -> Report:
    """`run` for a file of version 3; circuit: what it has to be about, too, if anything."""
    if proof.complete not in (None, "tree"):
        raise ValueError(f"unknown kind of completeness {brief(proof.complete)}")
    if proof.claim is None and claim is not None:
        raise Refuted("the proof is about one network alone")
    if proof.claim and network_known and claim is None:
        raise Refuted("the proof is about two decisions, which both have to be named")
    if proof.claim and claim is not None:
        proof.claim.check_same(claim, lambda steps: proof.work.spend(steps, False))
    why = proof.check()
    proved = ["it is about the network given"] * network_known + ["it is about the domain given"] * domain_known
    if proof.claim:
        proved = [words.replace("network", "decisions") for words in proved]
        same = f"it is {proof.claim.constant:+d}" if proof.claim.constant else "they are the same"
        alike = f"{same} at every point, ties included" if proof.claim.ties else f"{same} off ties"
        proved += [f"{alike} ({why})"] if proof.complete else []
        rest = [] if proof.complete else [f"that {same}: {why}"]
        rest += [] if proof.claim.ties else [f"that {same} where a score is 0: a set of measure zero"]
        evidence = ("agreement" if proof.claim.ties else "agreement off ties") if proof.complete else None
        return Report(proof.question, 0, tuple(proved), tuple(rest), evidence, proof.place, proof.inequalities)
    proved.append(f"{proof.rows} different half-spaces are needed (two points for each)")
    unproved: list[str] = []
    if proof.complete is None:
        proved.append(f"no other is needed by a part of the patterns ({why})")
        unproved.append("that no other half-space is needed")
    else:
        proved.append(f"no other is needed ({why})")
        if not proof.rows:
            proof.check_constant()
            proved.append(f"the answer is the constant {proof.constant:+d}, wherever f ≠ 0")
    constant = proof.constant if proof.complete and not proof.rows else None
    place = proof.place, proof.inequalities
    return Report(proof.question, proof.rows, tuple(proved), tuple(unproved), proof.complete, *place, constant)


def run_classes(proof: ClassProof, network_known: bool, domain_known: bool) -> Report:
    """`run` for a file of version 4."""
    why, constant = proof.check()
    proved = ["it is about the network given"] * network_known + ["it is about the domain given"] * domain_known
    proved += [f"{proof.rows} different half-spaces are needed (two points for each)", f"no other is needed ({why})"]
    if constant is not None:
        proved.append(f"the class is {constant} everywhere, but perhaps on ties")
    return Report(proof.question, proof.rows, tuple(proved), (), "tree", proof.place, proof.inequalities)
