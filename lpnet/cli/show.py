"""`lpnet show`."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from lpnet.cli.app import app, failing_in_one_sentence
from lpnet.cli.options import AsJson, File, Group, Names, Outputs, Threshold, choice, renamed
from lpnet.cli.words import closing
from lpnet.console import abbreviated, described, printable, shown
from lpnet.io import Reading, read, to_dict
from lpnet.io.kinds import DEEPER, layers_of, numbers_of
from lpnet.io.text import described_logic
from lpnet.laws import classes_bound, deep_bound
from lpnet.networks import ReLUNetwork, StepNetwork
from lpnet.networks.classifier import Classifier
from lpnet.networks.question import question
from lpnet.networks.trees import TreeEnsemble

MOST_SHOWN = 1000  # numbers
WORDS = {
    "relu": "ReLUs",
    "step": "steps (1 where z ≥ 0, else 0)",
    "strict_step": "strict steps (1 where z > 0, else 0)",
    "sign": "signs (+1 where z ≥ 0, else −1)",
    "strict_sign": "strict signs (+1 where z > 0, else −1)",
}


@app.command()
def show(
    file: File,
    outputs: Outputs = None,
    group: Group = None,
    threshold: Threshold = None,
    names: Names = None,
    as_json: AsJson = False,
) -> None:
    """Print what a file holds.

    With --json all numbers in full, as lpnet reads them from a .json file, and as its comment how the file was read.
    """
    with failing_in_one_sentence():
        reading = read(file, choice(outputs, group, threshold))
        network = renamed(reading.network, names)
        if isinstance(network, TreeEnsemble):
            show_trees(file, reading, network, as_json)
            return
        of_signs = not isinstance(network, ReLUNetwork | StepNetwork | Classifier)
        logic = described_logic(network) if of_signs else ""
    if as_json:
        print(json.dumps({**to_dict(network), "comment": {"file": str(file), "notes": reading.notes}}))
        return
    print(f"{file}: {described(network)}", *reading.notes, sep="\n  ")
    if network.features:
        print(printable(f"  inputs: {', '.join(network.features)}"))
    if network.labels:
        print(printable(f"  answers: −1 is {network.labels[0]}, +1 is {network.labels[1]}"))
    if isinstance(network, ReLUNetwork):
        print(*structure(network), sep="\n")
    elif isinstance(network, Classifier):
        print(*structure_of_classes(network), sep="\n")
    elif isinstance(network, StepNetwork):
        print(*structure_of_steps(network), sep="\n")
    deeper = layers_of(network).get(DEEPER, ())
    numbers = {f"layer {k} {name}": getattr(layer, name) for k, layer in enumerate(deeper, 2) for name in ("weight", "bias")}
    for name, value in (numbers_of(network) | numbers).items():
        print(f"  {name}{getattr(value, 'shape', '')}: {abbreviated(value)}")
    if isinstance(network, ReLUNetwork | Classifier):
        closing("lpnet minimal FILE says which half-spaces it needs; lpnet report FILE makes a page of all that is known.")
    if logic and numbers_of(network)["hidden_weight"].size <= MOST_SHOWN:
        print("", *logic.splitlines(), sep="\n  ")


def show_trees(file: Path, reading: Reading, network: TreeEnsemble, as_json: bool) -> None:
    """Print what trees a file holds."""
    if as_json:
        print(json.dumps({**to_dict(network), "comment": {"file": str(file), "notes": reading.notes}}))
        return
    print(f"{file}: {described(network)}", *reading.notes, sep="\n  ")
    splits = np.bincount(network.feature[network.feature >= 0], minlength=network.columns)
    print(f"  splits of each {'input' if network.front is None else 'number'}: {abbreviated(splits)}")
    for name in ("feature", "threshold", "children", "value", "output_weight", "output_bias"):
        value = getattr(network, name)
        print(f"  {name}{value.shape}: {abbreviated(value)}")


def structure(network: ReLUNetwork) -> Iterator[str]:
    """The layers of a ReLU network, and what is left of them in its normal form."""
    form = question(network).form
    positive, negative, affine = len(network.positive), len(network.negative), "an" if any(form.affine[:-1]) else "no"
    if not network.deeper:
        yield f"  output weights: {positive} positive, {negative} negative, {network.relus - positive - negative} zero"
        yield f"  normal form: {len(form.units)} distinct hyperplanes, {affine} affine part"
        if network.skip is None:
            yield f"  Theorem 1 expands it to 2^{positive + negative} threshold units"
    else:
        weights = f"output weights: {positive} positive, {negative} negative"
        levels, most = " + ".join(str(len(level)) for level in form.levels), deep_bound(map(len, form.levels), form.inputs)
        yield f"  hidden layers: {' + '.join(map(str, network.widths))} ReLUs; {weights}"
        yield f"  normal form: {levels} ReLUs, {affine} affine part, at most {shown(most)} cells"
    yield from links(network)


def structure_of_classes(network: Classifier) -> Iterator[str]:
    """The layers of a classifier, and what is left of them in its normal form."""
    first = network.scores[0]
    yield f"  classes: {', '.join(network.names)}"
    if isinstance(first, ReLUNetwork):
        form = question(network).network.normal_form()
        levels, most = " + ".join(str(len(level)) for level in form.body.levels), classes_bound(1, len(set(form.classes)))
        yield f"  hidden layers: {' + '.join(map(str, first.widths))} ReLUs, {len(network.scores)} outputs"
        yield f"  normal form: {levels} ReLUs, {len(form.classes)} different outputs, at most {most} half-spaces on a cell"
        yield from links(first)


def structure_of_steps(network: StepNetwork) -> Iterator[str]:
    """The layers of a network of ReLUs and steps, and how many of each there are in them."""
    start = 0
    for number, width in enumerate(network.widths, 1):
        kinds = Counter(network.gates[start : start + width])
        start += width
        yield f"  layer {number}: {' + '.join(f'{count} {WORDS[gate]}' for gate, count in kinds.items())}"
    yield from links(network.body)


def links(network: ReLUNetwork) -> Iterator[str]:
    """What layers read but the one before."""
    for number, blocks in enumerate(network.reads[1:], 2):
        if blocks and blocks != (number - 1,):
            reader = "the output" if number > len(network.widths) else f"layer {number}"
            yield f"  {reader} reads {', '.join(f'layer {k}' if k else 'the inputs' for k in blocks)}"
