"""Boxes and examples from files."""

import os
from pathlib import Path

import numpy as np

from lpnet.errors import InputError
from lpnet.exact import FloatArray
from lpnet.io import json_, npz
from lpnet.io.files import check_file, naming
from lpnet.networks import Box
from lpnet.networks.arrays import as_array


def load_box(path: str | os.PathLike[str]) -> Box:
    """The box in a JSON file: {"lower": [...], "upper": [...]}, one number or null (no bound) for each input."""
    path = Path(path)
    with naming(path):
        check_file(path, [".json"], "read as a box")
        data = json_.parse(path)
        if not isinstance(data, dict) or set(data) != {"lower", "upper"}:
            raise InputError('wanted a box {"lower": [...], "upper": [...]}')
        ends = {"lower": -np.inf, "upper": np.inf}
        if not all(isinstance(data[name], list) for name in ends):
            raise InputError('wanted lists of numbers for "lower" and "upper"')
        lower, upper = ([end if bound is None else bound for bound in data[name]] for name, end in ends.items())
        return Box(as_array("lower", lower, (None,), finite=False), as_array("upper", upper, (len(lower),), finite=False))


def load_examples(path: str | os.PathLike[str], inputs: int) -> tuple[FloatArray, FloatArray | None]:
    """The examples X (N, inputs), N ≥ 1, in an .npz file, and their classes y (N,) as ±1 if it has them (as ±1 or 0/1)."""
    path = Path(path)
    with naming(path):
        check_file(path, [".npz"], "read as examples")
        arrays = npz.read_examples(path)
        points = as_array("X", arrays["X"], (None, inputs))
        if len(points) == 0:
            raise InputError("X: wanted at least one example, got none")
        if "y" not in arrays:
            return points, None
        classes = as_array("y", arrays["y"], (len(points),))
        if not np.isin(classes, [-1, 1]).all() and not np.isin(classes, [0, 1]).all():
            raise InputError("y: wanted the classes −1 and +1, or 0 and 1")
        return points, np.where(classes > 0, 1.0, -1.0)
