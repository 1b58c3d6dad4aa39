"""The parts of a page about a network with several outputs."""

from lpnet.console import described
from lpnet.equivalents.class_circuits import class_circuits
from lpnet.equivalents.classes import MinimalClasses
from lpnet.errors import InputError
from lpnet.io import Reading
from lpnet.networks import Polyhedron
from lpnet.networks.classifier import Classifier
from lpnet.networks.examples import Examples
from lpnet.pages.page import Part
from lpnet.pages.parts import BOUNDARY, EQUIVALENT, LAYERS, MINIMAL, PROJECTED, THRESHOLD, in_words
from lpnet.plots.classes import draw_classes
from lpnet.plots.figure import rendered
from lpnet.plots.picture import chosen_slice
from lpnet.watch import Watch

MOST_SHOWN = 45  # pairs of classes


def classifier_part(reading: Reading, network: Classifier, domain: Polyhedron | None) -> Part:
    """What it is, and how its file was read."""
    facts = [
        ("kind", described(network)),
        ("domain", in_words(domain) if domain else f"all of R^{network.inputs}"),
        ("classes", ", ".join(network.names)),
        ("hidden layers", f"{' + '.join(map(str, network.widths))} ReLUs"),
    ]
    facts += [(name, text) for name, _, text in (note.partition(": ") for note in reading.notes)]
    answers = "It answers with the class of the largest score; a tie is for the first."
    return Part("The network", [answers, LAYERS], facts)


def classes_part(answer: MinimalClasses) -> Part:
    """The half-spaces needed in numbers, of all classes, of each two, and which class never is."""
    names, stopped = answer.network.names, "" if answer.complete else " or more: the search was stopped"
    sentences = [
        "Every layered threshold network that tells the classes apart has at least these half-spaces in its first layer."
    ]
    if answer.complete:
        sentences.append("No other is needed, as these decide every input but on ties.")
        if answer.never:
            sentences.append(f"On no open set the answer is {', '.join(names[c] for c in answer.never)}.")
    facts = [
        ("needed half-spaces", f"{answer.units:,}{stopped}"),
        ("pieces of the boundary", f"{len(answer.pieces.patterns):,}{stopped}"),
        ("pairs of classes that touch", f"{len(answer.borders)} of {len(names) * (len(names) - 1) // 2}"),
        ("time", f"{answer.seconds:.3g} s"),
    ]
    rows = [("classes", "half-spaces between them")]
    rows += [(f"{names[i]} | {names[j]}", f"{border.units:,}") for (i, j), border in list(answer.borders.items())[:MOST_SHOWN]]
    where = " on the box of the data" if answer.examples is not None else ""
    headline = f"{answer.network.relus} ReLUs, {len(names)} classes: {answer.units:,} half-spaces are needed{where}"
    return Part(
        MINIMAL,
        [*sentences, THRESHOLD],
        facts,
        table=rows if answer.borders else [],
        headline=headline if answer.complete else "",
    )


def regions_part(network: Classifier, domain: Polyhedron | None, rows: Examples | None) -> Part:
    """The picture of the classes' regions."""
    try:
        place = chosen_slice(network.scores[0], None, network.input_names, None, None, rows)
        figure = draw_classes(network, place, domain, "", rows)
    except InputError as error:
        return Part(BOUNDARY, [f"Not drawn: {error}."])
    what = f"a {place.caption}" if place.caption else "the inputs"
    return Part(
        BOUNDARY,
        picture=rendered(figure, ".svg"),
        caption=f"Which class the network answers with, in {what}.{PROJECTED * bool(rows)}",
    )


def circuits_part(answer: MinimalClasses, watch: Watch) -> tuple[Classifier, Part]:
    """The threshold network with an output for each class."""
    built = class_circuits(answer, watch)
    layers = f"{built.first_layer:,} in the first layer, {built.second_layer:,} in the second, an output for each class"
    facts = [("units", layers)]
    for number, name in enumerate(built.network.names):
        facts.append((name, f"{built.kinds[number]}, of {built.terms_of(number)} in the second layer"))
    return built.network, Part(EQUIVALENT, [f"{built.why}."] if built.why else [], facts)
