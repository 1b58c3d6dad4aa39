"""`lpnet show`."""

import json
from collections.abc import Iterator

from lpnet.cli.app import app, failing_in_one_sentence
from lpnet.cli.options import AsJson, File, Names, Outputs, features, pair
from lpnet.console import abbreviated, described, shown
from lpnet.io import read, to_dict
from lpnet.io.kinds import DEEPER, layers_of, numbers_of
from lpnet.io.text import described_logic
from lpnet.laws import deep_bound
from lpnet.networks import ReLUNetwork
from lpnet.networks.question import question

MOST_SHOWN = 1000  # numbers


@app.command()
def show(file: File, outputs: Outputs = None, names: Names = None, as_json: AsJson = False) -> None:
    """Print what a file holds.

    With --json all numbers in full, as lpnet reads them from a .json file, and as its comment how the file was read.
    """
    with failing_in_one_sentence():
        reading = read(file, pair("--outputs", outputs, int))
        network = reading.network
        logic = "" if isinstance(network, ReLUNetwork) else described_logic(network, features(names, network.inputs))
    if as_json:
        print(json.dumps({**to_dict(network), "comment": {"file": str(file), "notes": reading.notes}}))
        return
    print(f"{file}: {described(network)}", *reading.notes, sep="\n  ")
    if isinstance(network, ReLUNetwork):
        print(*structure(network), sep="\n")
    deeper = layers_of(network).get(DEEPER, ())
    numbers = {f"layer {k} {name}": getattr(layer, name) for k, layer in enumerate(deeper, 2) for name in ("weight", "bias")}
    for name, value in (numbers_of(network) | numbers).items():
        print(f"  {name}{getattr(value, 'shape', '')}: {abbreviated(value)}")
    if logic and network.hidden_weight.size <= MOST_SHOWN:
        print("", *logic.splitlines(), sep="\n  ")


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
    for number, blocks in enumerate(network.reads[1:], 2):
        if blocks and blocks != (number - 1,):
            reader = "the output" if number > len(network.widths) else f"layer {number}"
            yield f"  {reader} reads {', '.join(f'layer {k}' if k else 'the inputs' for k in blocks)}"
