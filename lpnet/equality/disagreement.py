"""Where two networks differ: all regions, convex, that have no inner point in common, each with a point of it and its share.

Two ReLU networks with scores f and g differ inside cells of the tree of R(f + g) − R(f − g) − g: the leaves where it is not
negative are left out. What else there is, is searched by the reasons of both answers (`lpnet.regions.search`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import inf
from typing import Any

from lpnet.boundary.tree.crossings import Crossings
from lpnet.boundary.tree.search import STEPS, TreeSearch
from lpnet.boundary.walk import EMPTY, NOT_NEGATIVE, OUTSIDE, SPLIT
from lpnet.checker.deep import DeepTree
from lpnet.checker.deep_form import deep_form
from lpnet.checker.question import rationals
from lpnet.checker.work import Work
from lpnet.equality.classes import reasons_of
from lpnet.errors import InputError
from lpnet.exact import Form, Point, times
from lpnet.networks import Polyhedron, ReLUNetwork, normal_form
from lpnet.networks.claim import same
from lpnet.networks.classifier import Classifier
from lpnet.networks.polyhedron import as_domain
from lpnet.programs import Certificate
from lpnet.regions.reasons import ABOVE, BELOW, Literal, Reasons, Region, halfspace, meet, reasons, values_at
from lpnet.regions.search import Questions, compare, parts, search
from lpnet.regions.volume import share_of, volume
from lpnet.watch import Watch


@dataclass(frozen=True)
class Differing:
    """An open convex region in which two networks have these two answers: {h > 0}, and a point in it.

    share: of the domain, exact or estimated, with its standard error (0: exact); None where there is none.
    """

    point: Point
    answers: tuple[int, int]
    inequalities: tuple[Form, ...]
    share: Fraction | None
    error: float


@dataclass(frozen=True)
class Disagreement:
    """All regions, largest first; complete: whether there is no other, off a set of measure zero."""

    regions: tuple[Differing, ...]
    complete: bool

    @property
    def share(self) -> Fraction | None:
        """Of all of them; None without bounds."""
        shares = [region.share for region in self.regions]
        return None if None in shares else sum((share for share in shares if share is not None), Fraction(0))

    @property
    def error(self) -> float:
        """The standard error of that, 0 where it is exact."""
        return float(sum(region.error**2 for region in self.regions) ** 0.5)


def disagreement(network_a: Any, network_b: Any, domain: Polyhedron | None = None, watch: Watch | None = None) -> Disagreement:
    """Where two networks of any kinds differ inside a domain, off a set of measure zero; watch may stop the work.

    Raises InputError for networks that cannot be compared.
    """
    if network_a.inputs != network_b.inputs:
        raise InputError(f"wanted networks with equally many inputs, got {network_a.inputs} and {network_b.inputs}")
    watch, domain = watch or Watch(), as_domain(domain, network_a.inputs)
    questions, found, shown = Questions(domain), list[Differing](), set[Any]()
    a, b = (why(network, domain) for network in (network_a, network_b))
    both = isinstance(network_a, ReLUNetwork) and isinstance(network_b, ReLUNetwork)
    total = volume(domain) if domain.forms else None
    cells = cells_of(network_a, network_b, domain, watch) if both else iter([(0.0, dict[Form, int]())])
    complete = watch(0.0, 0)
    for done, cell in cells if complete else ():
        look = Looking(a, b, questions)
        for _, differing in search(meet(questions.walls, cell.items()), questions.point_in, look, parts):
            if differing and (region := opened(*differing, domain, total)) and region.inequalities not in shown:
                shown.add(region.inequalities)
                found.append(region)
            complete = watch(done, len(found))
            if not complete:
                break
        if not complete:
            break
    found.sort(key=lambda region: -(region.share or 0))
    return Disagreement(tuple(found), complete and watch.stopped is None)


def why(network: Any, domain: Polyhedron) -> Reasons:
    """The reasons of a network's answers."""
    return reasons_of(network, domain) if isinstance(network, Classifier) else reasons(network, domain)


class Looking:
    """What `search` asks at a point: whether the answers differ, and the reasons of both."""

    def __init__(self, a: Reasons, b: Reasons, questions: Questions) -> None:
        self.a, self.b, self.questions = a, b, questions

    def __call__(self, at: Point, part: Region) -> tuple[tuple[Region, tuple[int, int]] | None, Sequence[Literal]]:
        difference, literals = compare(self.a, self.b, values_at(at), part, self.questions)
        if difference is None:
            return None, literals
        region = meet(part.items(), literals)
        answers = self.a(values_at(at), region)[0], self.b(values_at(at), region)[0]
        return (region, answers), literals


def opened(region: Region, answers: tuple[int, int], domain: Polyhedron, total: Any) -> Differing | None:
    """The interior of a region; None where there is none."""
    if any(not sides & (ABOVE | BELOW) for sides in region.values()):
        return None
    forms = [times(1 if sides & ABOVE else -1, h) for h, sides in region.items() if sides & (ABOVE | BELOW) != ABOVE | BELOW]
    place = Polyhedron(domain.inputs, tuple(forms))
    if isinstance(place.interior, Certificate):
        return None
    share = share_of(place, total[0]) if total else None
    return Differing(place.interior, answers, place.forms, *(share or (None, 0.0)))


def cells_of(
    network_a: ReLUNetwork, network_b: ReLUNetwork, domain: Polyhedron, watch: Watch
) -> Iterator[tuple[float, Region]]:
    """Cells on which the scores of two networks may have opposite signs, and the share that is done."""
    network = same(network_a, network_b).network
    form = normal_form(network, domain)
    if not form.units:
        yield 0.0, {}
        return
    search = TreeSearch(form, domain, boxed=True, recorded=True)
    search.plant()
    while search.go_on(STEPS):
        if not watch(0.2, search.count):
            return
    assert search.stream
    nodes = search.stream.joined(Crossings(search).places).nodes.tolist()
    layers = [rationals(layer.rows, lambda steps: None).tolist() for layer in network.given_layers]
    implied = [bound.form(domain.inputs) for bound in domain.implied]
    theirs = deep_form(layers, domain.inputs, domain.inequalities(), implied, lambda steps: None)
    tree = DeepTree(theirs, Work(inf, lambda share, rows: None), inf)
    for number, node in enumerate(nodes):
        if node >= SPLIT:
            tree.split((node - SPLIT) // 2, 1 if (node - SPLIT) % 2 else -1)
            continue
        if node not in (EMPTY, NOT_NEGATIVE, OUTSIDE):
            rows = ((tree.rows[k], tree.signs[k]) for k in range(len(tree.rows)) if tree.signs[k] and any(tree.rows[k][:-1]))
            yield 0.2 + 0.8 * number / len(nodes), meet(halfspace(row, ABOVE if side > 0 else BELOW) for row, side in rows)
        tree.back()
