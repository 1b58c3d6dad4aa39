"""What a report says, part by part; what takes too long is left out, and the page says so."""

import time
from pathlib import Path
from typing import TYPE_CHECKING

from lpnet.checker import Report, check
from lpnet.circuits.theorem1 import reduced_dnf
from lpnet.compression.bounds import smallest
from lpnet.console import described, shown
from lpnet.equivalents import MinimalEquivalent
from lpnet.equivalents.classes import MinimalClasses
from lpnet.equivalents.steps import MinimalSteps
from lpnet.equivalents.threshold import reduced_network
from lpnet.equivalents.tightness import law_of
from lpnet.errors import InputError, LpnetError, Stopped
from lpnet.io.reading import Reading
from lpnet.laws import mixed_bound
from lpnet.networks import Polyhedron, ReLUNetwork, SignCircuit, SignNetwork, StepNetwork
from lpnet.networks.classifier import Classifier
from lpnet.networks.examples import Examples
from lpnet.networks.question import question
from lpnet.pages.page import Part
from lpnet.plots.circuit import MOST_UNITS, draw_circuit, inequality
from lpnet.plots.figure import rendered
from lpnet.plots.picture import chosen_slice, draw_slice
from lpnet.proofs import write_proof
from lpnet.watch import Watch

if TYPE_CHECKING:
    from lpnet.compression.outcome import Compression

Threshold = SignNetwork | SignCircuit

THEOREM_1 = "Theorem 1's, without what is redundant; its half-spaces have numbers of their own"
MINIMAL, BOUNDARY, EQUIVALENT = "Minimal threshold equivalent", "Decision boundary", "As a threshold network"
RULES, PROVED = "In words", "PROVED, in exact arithmetic"
CIRCUIT, PROOF, BACK = "Threshold network, layer by layer", "Proof", "Back to ReLUs"
WORDS = {"DNF": "DNF: an OR of ANDs", "CNF": "CNF: an AND of ORs"}
ONE_LAYER = "A ReLU network with one hidden layer has the score f(x) = w0 + Σ w_k max(0, u_k·x + b_k)."
LAYERS = "The score f(x) of a ReLU network is continuous, and affine on every cell, where the same ReLUs are active."
THRESHOLD = (
    "A threshold unit only says on which side of a hyperplane x lies, whether it is in a half-space. This page says which "
    "half-spaces any layered network of threshold units needs that answers like the network."
)
PAPER = "Theorem 1 of X. Pan and V. Srikumar, Expressiveness of Rectifier Networks (ICML 2016), offers 2^n of them for n ReLUs."
LEADING = "Leading are the two directions in which the normals point most; at 100% the answer would depend on these alone. "
PROJECTED = " Rows of data are projected on the plane; the colours are those of the plane itself."
MOST_TOLD = 2000  # half-spaces that say what they are
ARROWS = "Arrows point into needed half-spaces h; short edges have none."
MOST_COMPRESSED = 300  # half-spaces; of more, lpnet compress may take minutes


def network_part(reading: Reading, domain: Polyhedron | None) -> Part:
    """What it is, and how its file was read."""
    network, about = reading.network, list[str]()
    facts = [("kind", described(network)), ("domain", in_words(domain) if domain else f"all of R^{network.inputs}")]
    if isinstance(network, ReLUNetwork):
        asked = question(network, domain)
        form = asked.form
        positive, negative = len(network.positive), len(network.negative)
        zero = "" if network.deeper else f", {network.relus - positive - negative} zero"
        facts += [
            *([("hidden layers", f"{' + '.join(map(str, network.widths))} ReLUs")] if network.deeper else []),
            ("output weights", f"{positive} positive, {negative} negative{zero}"),
            ("output bias w0", f"{float(network.output_bias):.6g}"),
            ("bends", f"{len(form.units)} different hyperplanes on which a ReLU turns on or off")
            if not form.links
            else ("units", f"{' + '.join(str(len(level)) for level in form.levels)} ReLUs left, level by level"),
        ]
        about = [LAYERS] if network.deeper else [ONE_LAYER, PAPER]
    facts += [(name, text) for name, _, text in (note.partition(": ") for note in reading.notes)]
    return Part(
        "The network",
        [
            f"It answers {network.answer_names[1]} where its score is at least 0, and {network.answer_names[0]} elsewhere.",
            *about,
        ],
        facts,
    )


def in_words(domain: Polyhedron) -> str:
    """Its bounds, where these are the same for all inputs and all there is."""
    bounds = set(zip(domain.lower.tolist(), domain.upper.tolist(), strict=True))
    if not domain.box:
        return f"the polyhedron of {len(domain.forms):,} inequalities given"
    return "the box given" if len(bounds) > 1 else "every input from {:g} to {:g}".format(*bounds.pop())


def minimal_part(answer: MinimalEquivalent) -> Part:
    """Its minimal equivalent in numbers."""
    network = answer.network
    most, why = law_of(network, answer.question.network.inputs)
    stopped = "" if answer.complete else " or more: the search was stopped"
    sentences = [
        f"Every layered threshold network with the same decisions has at least these {answer.units:,} half-spaces in its first "
        "layer; no other is needed, as these decide every input off {f = 0}."
        if answer.units and answer.complete
        else f"These {answer.units:,} half-spaces are needed, but there may be more."
        if not answer.complete
        else f"The answer is the constant {answer.constant:+d}."
    ]
    of = "" if network.deeper else f" of {1 << len(network.used):,}" if len(network.used) < 40 else f" of 2^{len(network.used)}"
    relus = f"{network.relus} ReLU{'s' * (network.relus != 1)}"
    headline = (
        f"{relus}: {answer.units:,} half-space{'s' * (answer.units != 1)}{of} {'are' if answer.units != 1 else 'is'} needed"
    )
    if answer.examples is not None:
        headline += " on the box of the data"
    if answer.constant is not None:
        headline = f"{relus}: always {network.answer_names[int(answer.constant > 0)]}"
    facts = [
        ("needed half-spaces", f"{answer.units:,}{stopped}"),
        ("pieces of the boundary", f"{len(answer.pieces.patterns):,}{stopped}, each on the hyperplane of one of these"),
        *([("Theorem 1 offers", powers(len(network.used)))] if not network.deeper else []),
        ("at most, for so many ReLUs and inputs", f"{shown(most)} ({why})"),
        ("time", f"{answer.seconds:.3g} s"),
    ]
    return Part(MINIMAL, [*sentences, THRESHOLD], facts, headline=headline if answer.complete else "")


def powers(n: int) -> str:
    """2^n, in digits too where these are few."""
    return f"2^{n}" + (f" = {1 << n:,}" if n <= 64 else "")


def equivalent_of(answer: MinimalEquivalent, watch: Watch) -> tuple[Threshold | None, Part]:
    """The threshold network, the smallest one if it is found in time, else Theorem 1's without what is redundant in it."""
    title = EQUIVALENT
    if not answer.complete:
        return None, Part(title, ["The search was stopped, so there is none."])
    first = watch.part(0.0, 0.5)
    first.seconds = watch.left / 2
    try:
        built = first.call(answer.build_equivalent, first)
    except Stopped as error:
        return reduced_of(answer, watch, title, f"No smallest one: {error}.")
    facts = [
        ("kind", THEOREM_1 if built.kind == "Theorem 1" else WORDS.get(built.kind, built.kind)),
        ("units", sizes(built.network)),
    ]
    if built.second_layer and built.at_least is not None:
        facts.append(("second layer at least", f"{built.at_least:,}, for every DNF or CNF on these half-spaces"))
    return built.network, Part(title, [f"{built.why[0].upper()}{built.why[1:]}."] if built.why else [], facts)


def reduced_of(answer: MinimalEquivalent, watch: Watch, title: str, why: str) -> tuple[Threshold | None, Part]:
    """Theorem 1's threshold network without what is redundant in it, if it is found in time."""
    try:
        reduced = reduced_dnf(answer.form, answer.question.domain, answer.pieces.patterns, watch)
    except Stopped as error:
        return None, Part(title, [why, f"Nor Theorem 1's: {error}."])
    network = reduced_network(reduced, answer.form, answer.question.onto)
    return network, Part(title, [why], [("kind", THEOREM_1), ("units", sizes(network))])


def sizes(network: Threshold) -> str:
    """Of its layers."""
    second = f"{network.terms:,} in the second, " if isinstance(network, SignCircuit) else ""
    return f"{network.units:,} in the first layer, {second}and the output"


def boundary_part(
    network: ReLUNetwork | StepNetwork | Threshold,
    answer: MinimalEquivalent | MinimalSteps | None,
    domain: Polyhedron | None,
    rows: Examples | None,
) -> Part:
    """The picture of the decision boundary."""
    title = BOUNDARY
    try:
        place = chosen_slice(network, answer, None, None, None, rows)
        figure = draw_slice(network, place, answer, domain, "", rows)
    except InputError as error:
        return Part(title, [f"Not drawn: {error}."])
    what = f"a {place.caption}" if place.caption else "the inputs"
    leading = LEADING if place.one_scale else ""
    return Part(
        title,
        picture=rendered(figure, ".svg"),
        caption=f"Where the network answers {network.answer_names[1]}, in {what}. {leading}{ARROWS}{PROJECTED * bool(rows)}",
        pieces=told(answer),
    )


def told(answer: MinimalEquivalent | MinimalSteps | None) -> dict[str, str]:
    """What to say of the half-spaces in the picture, by the ids of their edges."""
    if not answer or not answer.complete or answer.units > MOST_TOLD:
        return {}
    found, (weight, bias) = (answer.seen if answer.examples else None), answer.hidden_layer.floats
    texts = {}
    for k in range(answer.units):
        text = f"h{k + 1}: {inequality(weight[k], bias[k], answer.network.input_names)}"
        if found and found.rows_that_hold:
            text += f"; {found.rows_that_hold[k]:,} of {found.rows:,} rows hold"
        texts[f"piece-h{k + 1}"] = text
    return texts


def circuit_part(network: Threshold | Classifier) -> Part:
    """The picture of a threshold network that is small enough for one."""
    first = network.scores[0] if isinstance(network, Classifier) else network
    if first.units > MOST_UNITS:
        return Part(CIRCUIT, [f"{described(network)}: too large for a picture that shows more than these numbers."])
    picture = rendered(draw_circuit(network), ".svg")
    return Part(
        CIRCUIT,
        picture=picture,
        caption=described(network),
        large=first.units <= MOST_UNITS,
    )


def proof_part(answer: MinimalEquivalent | MinimalClasses, domain: Polyhedron | None, watch: Watch, folder: Path) -> Part:
    """The proof's status: it is written into a folder and checked."""
    title = PROOF
    try:
        file = folder / "proof"
        started = time.perf_counter()
        write_proof(answer, file, watch)
        written = time.perf_counter()
        report = check(file, answer.network, domain, watch.check, limited=False)
        facts = [
            ("size", f"{file.stat().st_size:,} bytes"),
            ("written in", f"{written - started:.3g} s"),
            ("checked in", f"{time.perf_counter() - written:.3g} s"),
        ]
    except (Stopped, LpnetError, OSError) as error:
        return Part(
            title, [f"Not proved here: {error}.", "lpnet minimal FILE --proof OUT writes one, lpnet verify OUT checks it."]
        )
    return Part(title, proof_sentences(report), facts)


def proof_sentences(report: Report) -> list[str]:
    """What was proved and what was not."""
    status = "NOT PROVED IN FULL" if report.unproved else "PROVED"
    statements = [f"proved: {statement}." for statement in report.proved]
    statements += [f"not proved: {statement}." for statement in report.unproved]
    return [f"{status}, in exact arithmetic, by a checker that shares no code with the search:", *statements]


def compression_part(network: Threshold, answer: MinimalEquivalent | None, watch: Watch) -> Part:
    """Whether few ReLUs with output weights of one sign decide like the threshold network."""
    title = BACK
    sentences = ["The other way round: do few ReLUs, with output weights of one sign, decide like the threshold units?"]
    if answer and answer.units:
        least = smallest(answer.units, network.inputs, mixed_bound)
        sentences.append(
            f"Every ReLU network of one hidden layer with these decisions has at least {least} ReLUs: "
            "each half-space needs a cell."
        )
    if isinstance(network, SignCircuit):
        return Part(title, [*sentences, "The threshold network has three layers; compression asks for two."])
    if network.units > MOST_COMPRESSED:
        return Part(
            title, [*sentences, f"More than {MOST_COMPRESSED} half-spaces; lpnet compress may take long and was not asked."]
        )
    from lpnet.compression.compress import compress, compress_halfspaces

    if answer and answer.units and (answer.form.convex or answer.form.concave):
        found = compress_halfspaces(answer.halfspaces, "or" if answer.form.convex else "and", watch=watch)
    else:
        found = compress(network, watch=watch)
    return Part(title, sentences, compression_facts(found))


def compression_facts(found: "Compression") -> list[tuple[str, str]]:
    """The verdict in numbers."""
    facts = [("verdict", found.verdict), ("why", found.reason)]
    if found.relu_network:
        facts.append(("ReLUs", f"{found.relu_network.relus}"))
    if found.bound:
        facts.append(("at least so many ReLUs", f"{found.bound.relus}: {found.bound.reason}"))
    if found.deviation:
        facts.append(("after moving half-spaces by at most", f"{found.deviation:.3g}"))
    return [*facts, ("time", f"{found.seconds:.3g} s")]
