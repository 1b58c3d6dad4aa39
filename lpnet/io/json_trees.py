"""Tree ensembles as JSON: the fields of `TreeEnsemble` under their names, every number written so that it is read back exactly.

    {"kind": "trees", "columns": 2, "feature": [0, -1, -1], "threshold": [0.5, 0, 0], "children": [[1, 2], [-1, -1], [-1, -1]],
     "value": [[0], [-1], [1]], "roots": [0], "output_weight": [[1], [0]], "output_bias": [0, 0], "classes": [1, 0],
     "names": ["-1", "+1"]}

Optional are "strict", a list of true and false, for splits by < (default: all by ≤), "classes", "names", "features" and
"front", as in `lpnet.io.json_`; "inputs" has to agree, where it is given.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from lpnet.errors import InputError
from lpnet.exact import Numbers, fractions, shortened
from lpnet.networks.affine import AffineMap, Layer
from lpnet.networks.arrays import describe
from lpnet.networks.trees import TreeEnsemble

KIND = "trees"
WHOLE = {"feature": 1, "children": 2, "roots": 1}  # with their dimensions
EXACT = {"threshold": 1, "value": 2, "output_weight": 2, "output_bias": 1}
OPTIONAL = ("kind", "inputs", "comment", "strict", "classes", "names", "front", "features")


def plain_trees(ensemble: TreeEnsemble, plain: Callable[[Any], Any], layer: Callable[[Layer], Any]) -> dict[str, Any]:
    """The JSON form; plain, layer: that of numbers, and of a layer."""
    front = {"front": list(map(layer, ensemble.front.layers))} if ensemble.front else {}
    strict = {"strict": ensemble.strict.tolist()} if ensemble.strict.any() else {}
    own = {name: getattr(ensemble, name).tolist() for name in WHOLE} | {name: plain(getattr(ensemble, name)) for name in EXACT}
    words = {"names": list(ensemble.names), "classes": list(ensemble.classes)}
    words |= {"features": list(ensemble.features)} if ensemble.features else {}
    return {"kind": KIND, "inputs": ensemble.inputs, **words, **front, "columns": ensemble.columns, **own, **strict}


def built_trees(given: Mapping[str, Any], front: tuple[Layer, ...]) -> TreeEnsemble:
    """The ensemble with these fields, numbers being floats, whole numbers and Fractions; InputError naming what is wrong."""
    wanted = ("columns", *WHOLE, *EXACT)
    if missing := [name for name in wanted if name not in given]:
        raise InputError(f"{', '.join(missing)} missing: trees have {', '.join(wanted)}")
    if unknown := [name for name in given if name not in (*wanted, *OPTIONAL)]:
        raise InputError(f'{", ".join(map(repr, unknown))}: unknown to trees; notes go under "comment"')
    if type(given["columns"]) is not int or not 1 <= given["columns"] < 2**31:
        raise InputError(f'"columns": wanted a whole number ≥ 1, got {describe(given["columns"])}')
    numbers = {name: _numbers(name, given[name], EXACT[name]) for name in EXACT}
    whole = {name: _whole(name, given[name], WHOLE[name]) for name in WHOLE}
    strict = given.get("strict", [False] * len(whole["feature"]))
    if not isinstance(strict, list) or not all(type(entry) is bool for entry in strict):
        raise InputError(f"strict: wanted a list of true and false, got {describe(strict)}")
    classes, names = given.get("classes", []), given.get("names", [])
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise InputError(f"names: wanted a list of texts, got {describe(names)}")
    if not isinstance(classes, list) or not all(type(c) is int for c in classes):
        raise InputError(f"classes: wanted a list of whole numbers, got {describe(classes)}")
    made = TreeEnsemble(
        columns=given["columns"],
        strict=np.array(strict, dtype=bool),
        classes=tuple(classes),
        names=tuple(names),
        front=AffineMap(front) if front else None,
        **numbers,
        **whole,
    )
    if given.get("inputs", made.inputs) != made.inputs:
        raise InputError(f'"inputs" is {describe(given["inputs"])}, but the trees have {made.inputs}')
    return made.named(given.get("features"))


def _numbers(field: str, given: Any, dimensions: int) -> Numbers:
    rows = given if dimensions == 2 else [given]
    if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows) or len({len(row) for row in rows}) > 1:
        raise InputError(f"{field}: wanted {'rows of as many numbers each' if dimensions == 2 else 'a list of numbers'}")
    made = shortened(fractions([entry for row in rows for entry in row], (len(rows), len(rows[0]) if rows else 0)))
    return made if dimensions == 2 else made[0]


def _whole(field: str, given: Any, dimensions: int) -> Any:
    rows = given if dimensions == 2 else [given]
    good = isinstance(rows, list) and all(isinstance(row, list) and all(type(k) is int for k in row) for row in rows)
    if not good or (dimensions == 2 and any(len(row) != 2 for row in rows)) or any(abs(k) > 2**62 for row in rows for k in row):
        raise InputError(f"{field}: wanted whole numbers, {'two in a row' if dimensions == 2 else 'in a list'}")
    made = np.array(rows, dtype=np.int64).reshape(len(rows), -1) if rows else np.zeros((0, 2), dtype=np.int64)
    return made if dimensions == 2 else made[0]
