"""`lpnet show`."""

import json

from lpnet.cli.app import app, failing_in_one_sentence
from lpnet.cli.options import AsJson, File, Names, Outputs, features, pair
from lpnet.console import abbreviated, described
from lpnet.io import read, to_dict
from lpnet.io.kinds import numbers_of
from lpnet.io.text import described_logic
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
        form = question(network).form
        zero = network.relus - len(network.positive) - len(network.negative)
        print(f"  output weights: {len(network.positive)} positive, {len(network.negative)} negative, {zero} zero")
        print(f"  normal form: {len(form.units)} distinct hyperplanes, {'an' if any(form.affine[:-1]) else 'no'} affine part")
        print(f"  Theorem 1 expands it to 2^{network.relus - zero} threshold units")
    for name, value in numbers_of(network).items():
        print(f"  {name}{getattr(value, 'shape', '')}: {abbreviated(value)}")
    if logic and network.hidden_weight.size <= MOST_SHOWN:
        print("", *logic.splitlines(), sep="\n  ")
