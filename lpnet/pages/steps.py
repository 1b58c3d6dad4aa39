"""What a report says of a network with gates that jump."""

from lpnet.console import described
from lpnet.equivalents.steps import MinimalSteps
from lpnet.networks import SignCircuit, SignNetwork
from lpnet.pages.page import Part
from lpnet.pages.parts import EQUIVALENT, MINIMAL, THRESHOLD, sizes
from lpnet.watch import Watch


def steps_part(answer: MinimalSteps) -> Part:
    """Its minimal equivalent in numbers."""
    stopped = "" if answer.complete else " or more: the search was stopped"
    needed = (
        "Every layered threshold network with the same answers has these half-spaces in its first layer. Each is closed on the "
        "side that answers as its hyperplane does; both sides of one hyperplane may be needed."
    )
    facts = [
        ("needed half-spaces", f"{answer.units:,}{stopped}"),
        ("facets of the boundary", f"{len(answer.pieces.facets):,}{stopped}"),
        ("slits", f"{answer.slits:,}, with one answer on both sides and the other one on them"),
        ("cells", f"{answer.pieces.cells:,}{stopped}, {answer.pieces.positive:,} of them with the answer +1"),
        ("time", f"{answer.seconds:.3g} s"),
    ]
    told = needed if answer.units or not answer.complete else f"The answer is the constant {answer.constant:+d}."
    where = " on the box of the data" if answer.examples is not None else ""
    headline = f"{described(answer.network)}: {answer.units:,} half-spaces needed{where}"
    return Part(MINIMAL, [told, THRESHOLD], facts, headline=headline if answer.complete else "")


def steps_circuit(answer: MinimalSteps, watch: Watch) -> tuple[SignNetwork | SignCircuit, Part]:
    """The smallest threshold network found on the needed half-spaces."""
    built = answer.build_equivalent(watch)
    facts = [("kind", built.kind), ("units", sizes(built.network))]
    if built.second_layer and built.at_least is not None:
        facts.append(("second layer at least", f"{built.at_least:,}, for every DNF or CNF on these half-spaces"))
    return built.network, Part(EQUIVALENT, [f"{built.why[0].upper()}{built.why[1:]}."] if built.why else [], facts)
