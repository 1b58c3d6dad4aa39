"""The parts of a page about trees."""

from lpnet.console import described
from lpnet.equivalents.tree_circuits import TreeCircuit, tree_circuit
from lpnet.equivalents.trees import MinimalTrees
from lpnet.errors import InputError
from lpnet.io import Reading
from lpnet.networks import Polyhedron
from lpnet.networks.trees import TreeEnsemble
from lpnet.pages.page import Part
from lpnet.pages.parts import BOUNDARY, EQUIVALENT, MINIMAL, THRESHOLD, in_words
from lpnet.plots.figure import rendered
from lpnet.plots.trees import draw_trees
from lpnet.watch import Watch

MOST_SHOWN = 45  # pairs of classes, and inputs
SUMS = "Each tree sends the input to a leaf, by comparing single inputs with thresholds; what the leaves say is added up."
KINDS = {
    "leaves": "a unit for each leaf, and the weighted sum of them",
    "DNF": "DNF: an OR of ANDs",
    "CNF": "CNF: an AND of ORs",
    "classes": "an OR of ANDs for each class",
}


def trees_part(reading: Reading, network: TreeEnsemble, domain: Polyhedron | None) -> Part:
    """What it is, and how its file was read."""
    facts = [("kind", described(network)), ("domain", in_words(domain) if domain else f"all of R^{network.inputs}")]
    facts += [(name, text) for name, _, text in (note.partition(": ") for note in reading.notes)]
    return Part("The trees", [SUMS, THRESHOLD.replace("answers like the network", "answers like the trees")], facts)


def thresholds_part(answer: MinimalTrees) -> Part:
    """The half-spaces needed in numbers, of all, of each two classes, and of each input."""
    stopped = "" if answer.complete else " or more: the search was stopped"
    sentences = ["Every layered threshold network with the same answers has at least these half-spaces in its first layer."]
    if answer.complete:
        sentences.append("No other is needed: these decide every input, thresholds included.")
    facts = [
        ("needed half-spaces", f"{answer.units:,}{stopped}"),
        ("thresholds of the trees", f"{answer.thresholds:,}, in {answer.network.splits:,} splits"),
        ("boxes looked at", f"{answer.changes.boxes:,}"),
        ("time", f"{answer.seconds:.3g} s"),
    ]
    rows = [("", "half-spaces needed")]
    labels = answer.network.names
    if not answer.network.binary:
        rows += [(f"{labels[i]} | {labels[j]}", f"{b.units:,}") for (i, j), b in list(answer.borders.items())[:MOST_SHOWN]]
    if answer.network.front is None:
        names = answer.network.input_names
        counts = [int((answer.changes.cuts[:, 0] == j).sum()) for j in range(len(names))]
        rows += [(f"on {name}", f"{count:,}") for name, count in list(zip(names, counts, strict=True))[:MOST_SHOWN]]
    return Part(MINIMAL, sentences, facts, table=rows if len(rows) > 1 else [])


def tree_picture_part(network: TreeEnsemble, domain: Polyhedron | None) -> Part:
    """The picture of the answers."""
    try:
        figure, caption = draw_trees(network, network.input_names, None, None, domain)
    except InputError as error:
        return Part(BOUNDARY, [f"Not drawn: {error}."])
    return Part(BOUNDARY, picture=rendered(figure, ".svg"), caption=f"What the trees answer, in {caption or 'the inputs'}.")


def tree_circuit_part(answer: MinimalTrees, watch: Watch) -> tuple[TreeCircuit, Part]:
    """The threshold network."""
    built = tree_circuit(answer, watch)
    second = f", {built.second_layer:,} in the second" if built.second_layer else ""
    facts = [("kind", KINDS.get(built.kind, built.kind)), ("units", f"{built.first_layer:,} in the first layer{second}")]
    if built.at_least:
        facts.append(("second layer at least", f"{built.at_least:,}, for every DNF or CNF on these half-spaces"))
    return built, Part(EQUIVALENT, facts=facts)
