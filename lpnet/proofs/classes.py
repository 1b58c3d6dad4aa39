"""Writes the proof of what several outputs need; its form is described in `lpnet.checker`."""

import json
import math
import zipfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from lpnet.checker.classes import cut_at, cuts_of, layers_of
from lpnet.checker.proof import CLASSES
from lpnet.checker.work import Work
from lpnet.equivalents.classes import MinimalClasses
from lpnet.equivalents.minimal import minimal_equivalent
from lpnet.errors import InputError, LpnetError
from lpnet.exact import Form, primitive, shortened
from lpnet.io import replacing
from lpnet.networks import ReLUNetwork
from lpnet.networks.affine import Layer
from lpnet.proofs.deep import DeepEvidence
from lpnet.proofs.members import Members, fields_of, header_fields, in_hexadecimal
from lpnet.watch import Watch


def write_classes(answer: MinimalClasses, path: str | Path, watch: Watch) -> str:
    """Write the proof that the half-spaces of a complete answer are needed to tell the classes apart, and no other: "tree".

    For every cut of the classes in two, the earlier ones and the rest, the tree of that decision (`lpnet.laws.classes_bound`).
    Stopped where the watch says so; InputError where the outputs of a class are not side by side.
    """
    if not answer.complete:
        raise watch.error()
    asked = answer.question
    network = asked.network
    try:
        places = cuts_of(network.classes, len(network.scores))
    except ValueError as error:
        raise InputError(f"a proof: {error}") from None
    fields = fields_of(network)
    layers = layers_of(fields, network.inputs, Work(math.inf, lambda share, units: None))
    found, cuts = set[Form](), list[dict[str, Any]]()
    with replacing(path) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file:
        members = Members(file)
        for number, place in enumerate(places):
            part = watch.part(number / len(places), (number + 1) / len(places))
            cut = minimal_equivalent(relu_network(cut_at(layers, place)), asked.domain, watch=part, recorded=True)
            if not cut.complete:
                raise part.error()
            evidence = DeepEvidence(cut, part)
            evidence.write_tree(partial(members.add, folder=f"{number}/"), part)
            found.update(map(primitive, cut.find_halfspaces(part)))
            idle = [in_hexadecimal(at) for at in evidence.idle]
            cuts.append({"units": f"{cut.units:x}", "constant": cut.constant, "idle": idle})
        if len(found) != answer.units:
            raise LpnetError(f"the cuts have {len(found)} half-spaces, the answer has {answer.units}; please report")
        header = header_fields(network, asked.domain, asked.onto) | {"version": CLASSES, "labels": list(network.classes)}
        header |= {"order": [], "units": f"{answer.units:x}", "complete": "tree", "constant": None, "idle": [], "cuts": cuts}
        members.add("header.json", json.dumps(header).encode())
    return "tree"


def relu_network(layers: Sequence[Any]) -> ReLUNetwork:
    """The network with these layers of Fractions, the last one its output."""
    first, *deeper, output = (Layer(shortened(rows[:, :-1]), shortened(rows[:, -1])) for rows in layers)
    inputs = first.weight.shape[1]
    skip, weight = np.split(output.weight[0], [inputs])
    return ReLUNetwork(first.weight, first.bias, weight, output.bias[0], None, tuple(deeper), skip)
