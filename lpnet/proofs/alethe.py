"""The Farkas leaves of a proof, for checkers of SMT proofs: a problem in SMT-LIB and its refutation in Alethe.

The problem asks for a point in one of the parts that the proof says are empty, each a conjunction of inequalities in the
inputs, with the rows as they are on it. The refutation has one step `la_generic` a part, whose arguments are the multipliers
of the relation Σ z_j σ_j h_j + c = 0, and resolves them. What it does not say is what the tree and the network are: that the
rows are right, and that the parts and the other leaves cover all, is for `lpnet.checker`.
"""

import math
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from lpnet.checker.check import opened
from lpnet.checker.deep import Empty
from lpnet.checker.deep_proof import DeepProof
from lpnet.checker.proof import DEEP, read_header
from lpnet.checker.work import Work
from lpnet.errors import InputError
from lpnet.exact import Form
from lpnet.watch import Watch


def export_proof(path: str | Path, out: Path, watch: Watch) -> int:
    """Check a proof of version 3, and write its empty parts to OUT.smt2 and OUT.alethe; returns how many there are.

    Raises Refuted, InputError for other versions and where there is none, Stopped where the watch says so.
    """
    with opened(path) as stream, zipfile.ZipFile(stream) as file:
        work = Work(math.inf, watch.check)
        header = read_header(file, Path(path).stat().st_size, work)
        if header["version"] != DEEP:
            raise InputError(
                f"{path}: is of version {header['version']}; wanted a proof of several layers, of equal or of check"
            )
        proof = DeepProof(file, header, None, None, work, 0)
        proof.tree.heard = []
        proof.check()
    found = list(dict.fromkeys(proof.tree.heard))
    if not found:
        raise InputError(f"{path}: has no empty part")
    parts = [[inequality(h, strict) for h, _, strict in part] for part in found]
    wholes = [together("and", part) for part in parts]
    names = "".join(f"(declare-const x{k} Real)\n" for k in range(proof.inputs))
    some = together("or", wholes)
    out.with_suffix(".smt2").write_text(f"(set-logic QF_LRA)\n{names}(assert {some})\n(check-sat)\n")
    out.with_suffix(".alethe").write_text("\n".join(steps(some, wholes, parts, found)) + "\n")
    return len(found)


def steps(some: str, wholes: Sequence[str], parts: Sequence[Sequence[str]], found: Sequence[Empty]) -> Iterator[str]:
    """The lines of a refutation."""
    yield f"(assume a {some})"
    if len(wholes) > 1:
        yield f"(step o (cl {' '.join(wholes)}) :rule or :premises (a))"
    for number, (whole, part, empty) in enumerate(zip(wholes, parts, found, strict=True)):
        denied = " ".join(f"(not {literal})" for literal in part)
        yield f"(step p{number} (cl {denied}) :rule la_generic :args ({' '.join(real(z) for _, z, _ in empty)}))"
        if len(part) > 1:
            for k, literal in enumerate(part):
                yield f"(step p{number}.{k} (cl (not {whole}) {literal}) :rule and_pos :args ({k}))"
            premises = " ".join([f"p{number}", *(f"p{number}.{k}" for k in range(len(part)))])
            yield f"(step q{number} (cl (not {whole})) :rule resolution :premises ({premises}))"
    ends = " ".join(f"{'q' if len(part) > 1 else 'p'}{number}" for number, part in enumerate(parts))
    yield f"(step end (cl) :rule resolution :premises ({'o' if len(wholes) > 1 else 'a'} {ends}))"


def inequality(h: Form, strict: bool) -> str:
    """h > 0, or h ≥ 0."""
    terms = [f"(* {real(v)} x{k})" for k, v in enumerate(h[:-1]) if v] + [real(h[-1])] * bool(h[-1] or not any(h))
    return f"({'>' if strict else '>='} {together('+', terms)} 0.0)"


def together(word: str, terms: Sequence[str]) -> str:
    """Terms under one operator, if they are several."""
    return f"({word} {' '.join(terms)})" if len(terms) > 1 else terms[0]


def real(number: int) -> str:
    """A whole number as a real one."""
    return f"{number}.0" if number >= 0 else f"(- {-number}.0)"
