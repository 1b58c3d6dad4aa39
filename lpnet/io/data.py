"""Domains from files."""

import os
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from lpnet.errors import InputError
from lpnet.exact import Form, forms, to_float
from lpnet.io import json_
from lpnet.io.files import check_file, naming
from lpnet.networks import Box, Polyhedron
from lpnet.networks.arrays import as_numbers, describe

BOUNDS, INEQUALITIES = {"lower", "upper"}, {"inequalities"}
WANTED = 'a domain {"lower": [...], "upper": [...]}, or {"inequalities": [[v1, ..., vd, c], ...]} for v·x + c > 0, or both'


def load_domain(path: str | os.PathLike[str], inputs: int) -> Polyhedron:
    """The polyhedron in a JSON file: {"lower": […], "upper": […]}, {"inequalities": [[v1, …, vd, c], …]} or both.

    A bound is the nearest float64, or null for none. v·x + c > 0 is exact: a decimal stands for itself, "-1/3" for a fraction.
    """
    path = Path(path)
    with naming(path):
        check_file(path, [".json"], "read as a domain")
        data = json_.parse(path, json_.exact_decimal)
        if not isinstance(data, dict) or set(data) not in (BOUNDS, INEQUALITIES, BOUNDS | INEQUALITIES):
            raise InputError(f"wanted {WANTED}")
        box = _box(data) if "lower" in data else Polyhedron.everywhere(inputs)
        if box.inputs != inputs:
            raise InputError(f"wanted bounds of {inputs} inputs, got {box.inputs}")
        return Polyhedron(inputs, (*box.forms, *_halfspaces(data.get("inequalities", []), inputs)))


def _box(data: dict[str, Any]) -> Polyhedron:
    """The box of lower and upper bounds."""
    ends = {"lower": -np.inf, "upper": np.inf}
    if not all(isinstance(data[name], list) for name in ends):
        raise InputError('wanted lists of numbers for "lower" and "upper"')
    bounds = ([end if z is None else to_float(z) if isinstance(z, Fraction) else z for z in data[k]] for k, end in ends.items())
    return Box(*bounds)


def _halfspaces(rows: Any, inputs: int) -> tuple[Form, ...]:
    """Each [v1, …, vd, c] as a form."""
    if not isinstance(rows, list):
        raise InputError(f"inequalities: wanted a list of rows [v1, …, vd, c], got {describe(rows)}")
    found: list[Form] = []
    for number, row in enumerate(rows):
        field = f"inequalities, row {number}"
        if not isinstance(row, list) or len(row) != inputs + 1:
            got = len(row) if isinstance(row, list) else describe(row)
            raise InputError(f"{field}: wanted {inputs + 1} numbers, v of the {inputs} inputs and c for v·x + c > 0, got {got}")
        exact = as_numbers(field, json_.numbers(field, row), (inputs + 1,))
        found += forms(exact[None, :-1], exact[-1:])
    return tuple(found)
