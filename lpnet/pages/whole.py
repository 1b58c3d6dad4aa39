"""A whole page about a network, and `lpnet.report`."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from html import escape
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from lpnet.circuits.classes import TooLarge
from lpnet.console import described, watched
from lpnet.equivalents import MinimalEquivalent, minimal_equivalent
from lpnet.equivalents.classes import MinimalClasses, minimal_classes
from lpnet.equivalents.steps import minimal_steps
from lpnet.equivalents.trees import minimal_trees
from lpnet.errors import InputError, Stopped
from lpnet.io import Reading, load_examples, read_and_warn, replacing
from lpnet.io.kinds import Choice
from lpnet.networks import Polyhedron, ReLUNetwork, StepNetwork
from lpnet.networks.classifier import Classifier
from lpnet.networks.examples import Examples
from lpnet.networks.trees import TreeEnsemble
from lpnet.pages.classes import circuits_part, classes_part, classifier_part, regions_part
from lpnet.pages.data import data_part, rules_part
from lpnet.pages.page import Part, page
from lpnet.pages.parts import (
    BACK,
    BOUNDARY,
    CIRCUIT,
    EQUIVALENT,
    MINIMAL,
    PROOF,
    PROVED,
    RULES,
    boundary_part,
    circuit_part,
    compression_part,
    equivalent_of,
    minimal_part,
    network_part,
    proof_part,
)
from lpnet.pages.steps import steps_circuit, steps_part
from lpnet.pages.trees import thresholds_part, tree_circuit_part, tree_picture_part, trees_part
from lpnet.watch import Watch

SECONDS = 60.0
Answer = MinimalEquivalent | MinimalClasses


@dataclass(frozen=True)
class Page:
    """A page in HTML: `content`, UTF-8."""

    content: bytes

    def save(self, path: Any) -> None:
        """Write it; an existing file is replaced."""
        with replacing(path) as file:
            file.write(self.content)

    def _repr_html_(self) -> str:
        source = escape(self.content.decode(), quote=True)
        return f'<iframe srcdoc="{source}" style="width: 100%; height: 40rem; border: 1px solid #8886"></iframe>'


def report(
    network: Any,
    out: Any = None,
    domain: Polyhedron | None = None,
    data: Any = None,
    time_limit: float = SECONDS,
    title: str = "",
) -> Page:
    """The page of `lpnet report`, about a network, a model or a file; written to `out` where that is given.

    domain, data: as in `lpnet.minimal_equivalent`; time_limit: seconds for all of it, what takes longer being left out.
    """
    reading = read_and_warn(network, Choice("own"))
    asked, place, rows = reading.network, domain, None
    if data is not None:
        rows = load_examples(data, asked)
        asked, place = rows.about(asked, domain)
    name = title or (Path(network).name if isinstance(network, str | Path) else type(network).__name__)
    made = Page(whole_page(reading.of(asked), place, rows, name, Watch(seconds=time_limit)))
    if out is not None:
        made.save(out)
    return made


def whole_page(reading: Reading, domain: Polyhedron | None, rows: Examples | None, name: str, clock: Watch) -> bytes:
    """The page about a network on a domain, with the rows of data; `clock` says in the end what stopped it."""
    network = reading.network
    kinds = ((Classifier, parts_of_classes), (StepNetwork, parts_of_steps), (TreeEnsemble, parts_of_trees))
    own = next((own for kind, own in kinds if isinstance(network, kind)), parts_of)
    parts = list(own(reading, domain, rows, name, clock))
    headline = next((part.headline for part in parts if part.headline), described(network))
    if any(part.title == PROOF and PROVED in " ".join(part.sentences) for part in parts):
        headline += ", proved"
    return page(name, headline, f"{described(network)}; report by lpnet {import_module('lpnet').__version__}", parts)


def parts_of(reading: Reading, domain: Polyhedron | None, rows: Examples | None, name: str, clock: Watch) -> Iterator[Part]:
    """The parts of the page, in order, each with an equal share of the time that is left; Ctrl-C leaves out the rest."""
    network: Any = reading.network
    answer, threshold = None, None if isinstance(network, ReLUNetwork) else network
    if isinstance(network, ReLUNetwork):
        with step(name, clock, 6, "pieces found") as watch:
            try:
                answer = replace(watch.call(minimal_equivalent, network, domain, watch=watch), examples=rows)
                yield minimal_part(answer)
            except Stopped:
                yield Part(MINIMAL, [f"There are at least {watch.found} boundary pieces: the search was stopped."])
            if not (answer and answer.complete):
                clock.stopped = clock.stopped or watch.stopped
    with step(f"{name}, picture", clock, 5) as watch:
        yield in_time(watch, BOUNDARY, boundary_part, network, answer, domain, rows)
    part = None
    if answer:
        with step(f"{name}, circuit", clock, 4) as watch:
            try:
                threshold, part = watch.call(equivalent_of, answer, watch)
                threshold = threshold and threshold.named_like(network)
            except Stopped as error:
                part = Part(EQUIVALENT, [f"Left out: {error}."])
    with step(f"{name}, rules", clock, 4) as watch:
        if rows and answer:
            yield in_time(watch, "The data", data_part, answer)
        if threshold:
            yield in_time(watch, RULES, rules_part, threshold, rows, answer)
    if answer and part:
        yield part
    if threshold:
        with step(f"{name}, circuit's picture", clock, 3) as watch:
            yield in_time(watch, CIRCUIT, circuit_part, threshold)
    if answer:
        with TemporaryDirectory(ignore_cleanup_errors=True) as folder, step(f"{name}, proof", clock, 2) as watch:
            yield in_time(watch, PROOF, proof_part, answer, domain, watch, Path(folder))
    if threshold:
        with step(f"{name}, compression", clock, 1, "steps") as watch:
            yield in_time(watch, BACK, compression_part, threshold, answer, watch)
    yield network_part(reading, domain)


def parts_of_steps(
    reading: Reading, domain: Polyhedron | None, rows: Examples | None, name: str, clock: Watch
) -> Iterator[Part]:
    """Likewise of ReLUs and steps."""
    network: Any = reading.network
    threshold = None
    with step(name, clock, 5, "pieces found") as watch:
        answer = replace(watch.call(minimal_steps, network, domain, watch), examples=rows)
        yield steps_part(answer)
    with step(f"{name}, picture", clock, 4) as watch:
        yield in_time(watch, BOUNDARY, boundary_part, network, answer, domain, rows)
    if rows:
        with step(f"{name}, data", clock, 4) as watch:
            yield in_time(watch, "The data", data_part, answer)
    if answer.complete:
        with step(f"{name}, circuit", clock, 3) as watch:
            try:
                threshold, part = watch.call(steps_circuit, answer, watch)
                yield in_time(watch, RULES, rules_part, threshold, rows, answer)
                yield part
            except (Stopped, TooLarge) as error:
                yield Part(EQUIVALENT, [f"Left out: {error}."])
    if threshold:
        with step(f"{name}, circuit's picture", clock, 2) as watch:
            yield in_time(watch, CIRCUIT, circuit_part, threshold)
    clock.stopped = clock.stopped or (None if answer.complete else "the search was stopped")
    yield network_part(reading, domain)


def parts_of_classes(
    reading: Reading, domain: Polyhedron | None, rows: Examples | None, name: str, clock: Watch
) -> Iterator[Part]:
    """Likewise of several outputs."""
    network: Any = reading.network
    if not isinstance(network.scores[0], ReLUNetwork):
        raise InputError("a page is about ReLU networks, and threshold networks with one output")
    with step(name, clock, 5, "pieces found") as watch:
        answer = replace(watch.call(minimal_classes, network, domain, watch=watch), examples=rows)
        yield classes_part(answer)
    with step(f"{name}, picture", clock, 4) as watch:
        yield in_time(watch, BOUNDARY, regions_part, network, domain, rows)
    if rows:
        with step(f"{name}, data", clock, 4) as watch:
            yield in_time(watch, "The data", data_part, answer)
    if answer.complete:
        with step(f"{name}, circuit", clock, 3) as watch:
            try:
                threshold, part = watch.call(circuits_part, answer, watch)
                yield in_time(watch, RULES, rules_part, threshold, rows, answer)
                yield part
                yield in_time(watch, CIRCUIT, circuit_part, threshold)
            except Stopped as error:
                yield Part(EQUIVALENT, [f"Left out: {error}."])
        with TemporaryDirectory(ignore_cleanup_errors=True) as folder, step(f"{name}, proof", clock, 1) as watch:
            yield in_time(watch, PROOF, proof_part, answer, domain, watch, Path(folder))
    clock.stopped = clock.stopped or (None if answer.complete else "the search was stopped")
    yield classifier_part(reading, network, domain)


def parts_of_trees(
    reading: Reading, domain: Polyhedron | None, rows: Examples | None, name: str, clock: Watch
) -> Iterator[Part]:
    """Likewise of trees."""
    network: Any = reading.network
    with step(name, clock, 4) as watch:
        answer = watch.call(minimal_trees, network, domain, watch)
        yield thresholds_part(answer)
    with step(f"{name}, picture", clock, 3) as watch:
        yield in_time(watch, BOUNDARY, tree_picture_part, network, domain)
    if answer.complete:
        with step(f"{name}, circuit", clock, 2) as watch:
            try:
                built, part = watch.call(tree_circuit_part, answer, watch)
                threshold = built.network.named(network.features or None)
                yield in_time(watch, RULES, rules_part, threshold, rows, answer)
                yield part
                yield in_time(watch, CIRCUIT, circuit_part, threshold)
            except (Stopped, TooLarge) as error:
                yield Part(EQUIVALENT, [f"Left out: {error}."])
    clock.stopped = clock.stopped or (None if answer.complete else "the search was stopped")
    yield trees_part(reading, network, domain)


@contextmanager
def step(name: str, clock: Watch, steps: int, counted: str = "found") -> Iterator[Watch]:
    """A watch for the next of so many steps."""
    with watched(name, None, clock.left / steps, counted) as watch:
        watch.stopped, watch.interrupted = (clock.stopped, True) if clock.interrupted else (None, False)
        yield watch
        if watch.interrupted:
            clock.stopped, clock.interrupted = watch.stopped, True


def in_time(watch: Watch, title: str, part: Callable[..., Part], *arguments: Any) -> Part:
    """A part of the page, or that it was left out."""
    try:
        return watch.call(part, *arguments)
    except Stopped as error:
        return Part(title, [f"Left out: {error}."])
