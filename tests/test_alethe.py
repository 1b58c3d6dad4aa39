"""Empty parts of proofs in Alethe: every step is gone over in fractions; carcara, where it is installed, agrees."""

import shutil
import subprocess
from fractions import Fraction

import numpy as np
import pytest
from deep_cases import random_deep, relu_network
from test_deep_proof import domains
from typer.testing import CliRunner

from lpnet import ReLUNetwork, minimal_equivalent
from lpnet.cli import app
from lpnet.io.vnnlib import expressions, linear
from lpnet.proofs import write_equality, write_proof


def confirmed(problem, proof):
    """The number of parts, each step being right: la_generic by the sum of its inequalities, the others by their words."""
    (asserted,) = (command[1] for command in expressions(problem) if command[0] == "assert")
    clauses, parts = {}, 0
    for kind, name, *rest in expressions(proof):
        if kind == "assume":
            assert rest == [asserted]
            clauses[name] = [asserted]
            continue
        (_, *clause), _, rule, *options = rest
        given = dict(zip(options[::2], options[1::2], strict=True))
        if rule == "or":
            assert ["or", *clause] == clauses[given[":premises"][0]][0]
        elif rule == "la_generic":
            parts += 1
            total, strict = {}, False
            for (_, (relation, term, zero)), factor in zip(clause, given[":args"], strict=True):
                assert (relation in (">", ">="), zero) == (True, "0.0")
                assert Fraction(factor) > 0
                strict |= relation == ">"
                for variable, entry in linear(term, {}).items():
                    total[variable] = total.get(variable, 0) + Fraction(factor) * entry
            constant = total.pop("", 0)
            assert not any(total.values())
            assert constant < 0 or (strict and constant == 0)
        elif rule == "and_pos":
            (_, whole), literal = clause
            assert whole[1:][int(given[":args"][0])] == literal
        else:
            assert rule == "resolution"
            first, *others = (clauses[premise] for premise in given[":premises"])
            left = [*first]
            for other in others:
                for literal in other:
                    opposite = literal[1] if literal[0] == "not" and literal[1] in left else ["not", literal]
                    if opposite in left:
                        left.remove(opposite)
                    elif literal not in left:
                        left.append(literal)
            assert all(literal in clause for literal in left)
        clauses[name] = clause
    assert clause == []
    return parts


@pytest.mark.parametrize("case", range(4))
def test_all_parts_are_confirmed(case, tmp_path):
    network, proof = relu_network(random_deep(np.random.default_rng(6), 2, (4, 3))), tmp_path / "p.zip"
    domain = domains(2)[case % 2]
    answer = minimal_equivalent(network, domain, recorded=True)
    if case < 2:
        write_proof(answer, proof)
    else:
        write_equality(network, answer.reduced_equivalent, domain, proof)
    said = CliRunner().invoke(app, ["export-proof", str(proof), str(tmp_path / "p")])
    assert said.exit_code == 0, said.output
    files = tmp_path / "p.smt2", tmp_path / "p.alethe"
    count = confirmed(*(file.read_text() for file in files))
    assert f"{count} empty parts" in said.output
    assert count > 5
    if shutil.which("carcara"):
        assert subprocess.run(["carcara", "check", files[1], files[0]], check=False).returncode == 0


def test_what_cannot_be_exported_is_said(tmp_path):
    network = ReLUNetwork([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]], [0.0, 0.0, -1.0], [1.0, -1.0, 1.0], 0.5)
    write_proof(minimal_equivalent(network), tmp_path / "p.zip")
    said = CliRunner().invoke(app, ["export-proof", str(tmp_path / "p.zip"), str(tmp_path / "p")])
    assert said.exit_code == 2
    assert "wanted a proof of several layers" in said.output
