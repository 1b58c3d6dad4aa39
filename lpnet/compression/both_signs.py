"""The fewest ReLUs, in one hidden layer and with weights of both signs, that decide like a given network of any kind.

A network with several outputs, too: then with one score for each class that there is, all of the same ReLUs.
"""

import math
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import chain
from typing import Any, Literal

import numpy as np

from lpnet.brief import brief
from lpnet.compression.bends import Bend, between, cover_bound, forced, known_bends, on_several, oriented, through_one
from lpnet.compression.bounds import least_by_rank
from lpnet.compression.choice import Search, around
from lpnet.compression.equations import Known, NoBends
from lpnet.compression.evidence import check_bound, check_refutation, layers_of
from lpnet.compression.scores import Scores, fewer, own_scores, parallel, realised, same
from lpnet.compression.surface import Network, Surface, exact_answer, numbers, surface
from lpnet.compression.walk import walked
from lpnet.equality.classes import equal_classes
from lpnet.equality.equality import Comparison, equal
from lpnet.errors import Stopped
from lpnet.exact import Form, independent_inputs
from lpnet.laws import line_relus
from lpnet.networks import Polyhedron, ReLUNetwork, SignCircuit, SignNetwork
from lpnet.networks.affine import Layer
from lpnet.networks.classifier import Classifier
from lpnet.networks.polyhedron import as_domain
from lpnet.networks.question import Question, question
from lpnet.programs import Certificate
from lpnet.watch import Watch

ROUNDS = 50
MOST_CUT = 24  # threshold units whose whole hyperplanes are looked at, for all of the boundary
NONE_AT_ALL = "no network of one hidden layer, unless units bend pieces of the boundary together"
NONE_SO_FAR = "no network with bends through several ridges, where there are such, unless units bend pieces together"


Verdict = Literal["exact", "nearest", "not so few", "not with these bends", "undecided"]


@dataclass(frozen=True, eq=False)
class FewestReLUs:
    """A network of one hidden layer with the decisions of another one, with weights of both signs.

    network, domain: the question; limit: the most ReLUs allowed, if any.
    verdict: "exact": `relu_network` equals the network in the domain, ties included, as `lpnet.equal` proves; "nearest": but
    for ties; "not so few": more than `limit` ReLUs are needed (`least`); "not with these bends": no network with the
    `candidates` as bends has the decisions, whatever its weights (`certificate`). These are all hyperplanes along which a unit
    can bend f, if no units bend a piece of the boundary together; "undecided".
    reason: in a few words; bends: along how many hyperplanes f has to bend, as found; `relu_network` may bend along more
    where it then has fewer units.
    surface: the boundary, behind the front; weights: of ridges, the evidence that `least_bends` are needed
    (`lpnet.compression.bends.cover_bound`); least: no fewer ReLUs have the decisions; known: points that candidates had wrong.
    complete: False where it was stopped; seconds: what it took; asked: the network and the domain behind the front.
    """

    network: Network
    domain: Polyhedron
    limit: int | None
    verdict: Verdict
    reason: str
    relu_network: ReLUNetwork | Classifier | None = None
    bends: int | None = None
    surface: Surface | None = None
    weights: Mapping[int, Fraction] = field(default_factory=dict)
    least: int = 0
    candidates: tuple[Bend, ...] = ()
    known: tuple[Known, ...] = ()
    certificate: NoBends | None = None
    complete: bool = True
    seconds: float = 0.0
    asked: tuple[Network, Polyhedron] | None = None

    __repr__ = brief("relus")

    @property
    def inputs(self) -> int:
        """d."""
        return self.network.inputs

    @property
    def least_bends(self) -> int:
        """No network with fewer bends has the decisions, as every ridge has one through it."""
        return math.ceil(sum(self.weights.values()))

    @property
    def relus(self) -> int | None:
        """n of the network found."""
        return self.relu_network.relus if self.relu_network else None

    @property
    def too_many(self) -> bool:
        """Whether the network found has more ReLUs than allowed."""
        return self.relus is not None and self.limit is not None and self.relus > self.limit


def fewest_relus(
    network: Network, domain: Polyhedron | None = None, relus: int | None = None, watch: Watch | None = None
) -> FewestReLUs:
    """The fewest ReLUs found, in one hidden layer, that decide like a network of any kind inside a domain (default: R^d).

    relus: the most ReLUs allowed; watch: may stop the work. The ridges of the boundary tell where units have to bend
    (`lpnet.compression.bends`), linear equations tell their weights (`lpnet.compression.equations`), and a point at which
    `equal` finds another answer is one more condition.
    """
    started, watch = time.perf_counter(), watch or Watch()
    asked, (behind, inside) = behind_front(network, domain)
    one = asked.network.inputs == 1
    found = FewestReLUs(behind, inside, relus, "undecided", "", asked=(behind, inside))
    try:
        found = answered(found, watch)
    except Stopped as reason:
        found = replace(found, reason=str(reason), complete=False)
    back = found.relu_network
    if isinstance(back, ReLUNetwork):
        back = in_front(back, asked.onto, one)
    elif back:
        back = replace(back, scores=tuple(in_front(score, asked.onto, one) for score in back.scores))
    seconds = time.perf_counter() - started
    return replace(found, network=network, domain=as_domain(domain, network.inputs), relu_network=back, seconds=seconds)


def behind_front(network: Network, domain: Polyhedron | None) -> tuple[Question[Any], tuple[Network, Polyhedron]]:
    """The question behind a network's front; and with two inputs at least."""
    asked: Question[Any] = question(network, domain)
    return asked, flat(asked.network, asked.domain) if asked.network.inputs == 1 else (asked.network, asked.domain)


def in_front(network: ReLUNetwork, front: Any, one: bool) -> ReLUNetwork:
    """The network with its front, and without a second input that says nothing."""
    return replace(network, hidden_weight=network.hidden_weight[:, :1] if one else network.hidden_weight, front=front)


def flat(network: Network, domain: Polyhedron) -> tuple[Network, Polyhedron]:
    """A network of one input in the plane, where the second input says nothing."""
    return network.behind(Layer(np.array([[1.0, 0.0]]), np.zeros(1))), Polyhedron(2, tuple((a, 0, c) for a, c in domain.forms))


def answered(asked: FewestReLUs, watch: Watch) -> FewestReLUs:
    """The answer behind the front."""
    network, domain = asked.network, asked.domain
    body = network.scores[0] if isinstance(network, Classifier) else network
    many = isinstance(body, SignNetwork | SignCircuit) and body.units > MOST_CUT
    seen = (walked if many else surface)(network, domain, watch.part(0.0, 0.6))
    asked = replace(asked, surface=seen)
    try:
        found = with_surface(asked, seen, watch)
        if found.relu_network is None and found.known and not seen.complete:  # there may be other components
            more = walked(network, domain, watch.part(0.8, 0.9), [known.at for known in found.known if not known.toward])
            if len(more.pieces) > len(seen.pieces):
                asked = replace(asked, surface=more)
                found = with_surface(asked, more, watch)
        return found
    except Stopped as reason:
        return replace(asked, reason=str(reason), complete=False)


def with_surface(asked: FewestReLUs, seen: Surface, watch: Watch) -> FewestReLUs:
    """The answer, once the boundary is known."""
    network, domain = asked.network, asked.domain
    if not seen.pieces:
        return constant(asked, watch.part(0.6, 1.0))
    if len(seen.answers) == 2 and len(independent_inputs([piece.halfspace for piece in seen.pieces])) == 1:
        return on_a_line(asked, watch.part(0.6, 1.0))
    several = on_several(seen)
    groups = [on for _, on in several]
    asked = replace(asked, weights=cover_bound(len(seen.ridges), groups))
    layers = layers_of(network, domain)
    check_bound(layers, seen, asked.weights)
    asked = replace(asked, least=max(asked.least_bends, least_by_rank(seen)))
    if asked.limit is not None and asked.least > asked.limit:
        return replace(asked, verdict="not so few", reason=f"at least {asked.least} ReLUs are needed")
    planes, scores = own_scores(network, domain, seen.answers)
    own = list(map(oriented, planes))
    search = Search(seen, bends_of(seen, [*own, *(plane for plane, _ in several)]), own)
    found = searched(asked, search, scores, watch)
    if found.certificate:
        check_refutation(layers, seen, found.candidates, found.known, found.certificate)
    if found.verdict == "exact" and found.bends == found.least == found.least_bends:
        only = search.unique and all(weight == 1 for weight in found.weights.values()) and forced(found.weights, groups)
        found = replace(found, least=found.least + (only and found.relus != found.bends))
    if found.too_many:
        verdict: Verdict = "not so few" if found.limit is not None and found.least > found.limit else "undecided"
        return replace(found, verdict=verdict, reason=f"{found.relus} ReLUs suffice, {found.least} are needed")
    return found


def searched(asked: FewestReLUs, search: "Search", own: Scores | None, watch: Watch) -> FewestReLUs:
    """Solutions of (∗), until `equal` agrees."""
    network, nearest = asked.network, None
    for number in range(ROUNDS):
        watch.check(0.6 + 0.3 * number / ROUNDS, number)
        solution = search.fewest(watch)
        asked = replace(asked, candidates=tuple(search.bends), known=tuple(search.known))
        if solution is None:
            return nearest or replace(asked, reason=f"given up after {len(search.cuts)} choices of bends")
        if isinstance(solution, NoBends):
            if nearest is None and (further := search.extended()):
                search = further
                continue
            reason = NONE_AT_ALL if search.complete else NONE_SO_FAR
            return nearest or replace(asked, verdict="not with these bends", reason=reason, certificate=solution)
        scores, bends = Scores(solution.affine, solution.units), len(solution.units)
        found = realised(network, search.seen, same(scores))
        answer = compared(found, asked, watch.part(0.7, 0.9))
        if answer.verdict == "equal":
            for other in chain(map(same, search.constant()), fewer(scores, search.seen, own)):
                if len(other.units) < found.relus:
                    smaller = realised(network, search.seen, other)
                    if compared(smaller, asked, watch.part(0.9, 1.0)).verdict == "equal":
                        found = smaller
            return replace(
                asked,
                verdict="exact",
                reason=told(asked, bends, search.complete and search.most > 0),
                relu_network=found,
                bends=bends,
            )
        if answer.point is None:
            break
        if answer.verdict == "equal off ties":
            reason = f"but for ties, as at {', '.join(answer.digits)}"
            nearest = replace(asked, verdict="nearest", reason=reason, relu_network=found, bends=bends)
        at, right = answer.point, exact_answer(network, answer.point)
        search.learn(at, right)
        corner = search.corner(solution, at, right, around(network, asked.domain, at))
        if corner:
            search.learn(corner, right, at)
    return nearest or asked


def told(asked: FewestReLUs, bends: int, all_tried: bool) -> str:
    """What is known of the number of bends; in the plane all hyperplanes that cross no piece may have been tried."""
    if bends == asked.least_bends:
        return f"{bends} bends, and no fewer do"
    only = "; fewer only where units bend a piece of the boundary together" if all_tried and asked.network.inputs == 2 else ""
    return f"{bends} bends, at least {asked.least_bends} are needed{only}"


def bends_of(seen: Surface, planes: Iterable[Form]) -> list[Bend]:
    """Where units can bend: in given hyperplanes, through a single ridge, through none but between components."""
    bends = known_bends(seen, planes)
    alone = set(range(len(seen.ridges)))
    if seen.inputs > 2:
        alone.difference_update(*(bend.ridges for bend in bends))  # the others: `Search.extended`
    own = {oriented(seen.pieces[k].halfspace) for r in alone for k in seen.ridges[r].pieces}
    bends += known_bends(seen, own.difference(bend.generators[0] for bend in bends))
    return [*bends, *through_one(seen, alone), *between(seen)]


def on_a_line(asked: FewestReLUs, watch: Watch) -> FewestReLUs:
    """The answer where all pieces are parallel."""
    assert asked.surface is not None
    count = len({piece.halfspace for piece in asked.surface.pieces})
    found = realised(asked.network, asked.surface, parallel(asked.surface.pieces))
    verdict, reason = judged(compared(found, asked, watch))
    asked = replace(asked, least=line_relus(count), bends=found.relus)
    return replace(asked, verdict=verdict, reason=reason or f"{count} parallel hyperplanes", relu_network=found)


def compared(found: ReLUNetwork | Classifier, asked: FewestReLUs, watch: Watch) -> Comparison:
    """Whether a network has the decisions."""
    if isinstance(found, Classifier):
        return equal_classes(found, asked.network, asked.domain, watch)  # type: ignore[arg-type]
    return equal(found, asked.network, asked.domain, watch)  # type: ignore[arg-type]


def judged(answer: Comparison) -> tuple[Verdict, str]:
    """The verdict for a network, and the reason if there is something to say."""
    if answer.verdict == "equal off ties":
        return "nearest", f"but for ties, as at {', '.join(answer.digits)}"
    return ("exact", "") if answer.verdict == "equal" else ("undecided", answer.verdict)


def constant(asked: FewestReLUs, watch: Watch) -> FewestReLUs:
    """The answer where there is no boundary."""
    inside, network = asked.domain.interior, asked.network
    assert not isinstance(inside, Certificate)  # as `question` wants
    assert asked.surface is not None
    first = exact_answer(network, inside)
    others = numbers(network).values() if isinstance(network, Classifier) else (1, -1)
    for answer in (first, *(c for c in others if c != first)):  # the point may be a tie
        seen = replace(asked.surface, answers=(answer,))
        found = realised(network, seen, Scores((), ()))
        verdict, reason = judged(compared(found, asked, watch))
        if verdict != "undecided":
            break
    return replace(asked, verdict=verdict, reason=reason or "constant", relu_network=found, bends=0)
