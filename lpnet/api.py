"""What `import lpnet` offers; its functions take a network as whatever `lpnet.load` takes, and a limit of time."""

import math
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, overload

from lpnet.boundary import redundancy, sampling, subsets
from lpnet.boundary.redundancy import irredundant
from lpnet.boundary.sampling import Estimate
from lpnet.equality import Comparison
from lpnet.equality import equality as comparison
from lpnet.equality.classes import equal_classes
from lpnet.equality.trees import equal_trees
from lpnet.equivalents import MinimalEquivalent, classes, minimal, steps
from lpnet.equivalents import tightness as bounds
from lpnet.equivalents import trees as of_trees
from lpnet.equivalents.tightness import Tightness
from lpnet.errors import InputError, LpnetError, SizeError
from lpnet.io import load, load_examples
from lpnet.io.kinds import Choice
from lpnet.networks import Box, ExactForm, Polyhedron, ReLUNetwork, SignCircuit, SignNetwork, StepNetwork
from lpnet.networks import normal_form as form
from lpnet.networks.arrays import describe
from lpnet.networks.classifier import Classifier
from lpnet.networks.examples import Examples
from lpnet.networks.extremal import extremal_network
from lpnet.networks.step import as_steps
from lpnet.networks.trees import TreeEnsemble
from lpnet.watch import Watch

if TYPE_CHECKING:
    from lpnet.compression.both_signs import FewestReLUs
    from lpnet.compression.nearest.nearest import NearestReLU
    from lpnet.compression.on_data import OnData
    from lpnet.compression.outcome import Compression

__all__ = [
    "Box",
    "Classifier",
    "Comparison",
    "Estimate",
    "ExactForm",
    "Examples",
    "InputError",
    "LpnetError",
    "MinimalEquivalent",
    "Polyhedron",
    "ReLUNetwork",
    "SignCircuit",
    "SignNetwork",
    "SizeError",
    "StepNetwork",
    "Tightness",
    "TreeEnsemble",
    "compress",
    "equal",
    "estimate_pieces",
    "extremal_network",
    "irredundant",
    "load",
    "load_examples",
    "minimal_classes",
    "minimal_equivalent",
    "minimal_steps",
    "minimal_trees",
    "nearest",
    "normal_form",
    "prune",
    "subset_verdict",
    "tightness",
]


def minimal_equivalent(
    network: Any,
    domain: Polyhedron | None = None,
    engine: str = "auto",
    watch: Watch | None = None,
    time_limit: float | None = None,
    recorded: bool = False,
    data: Any = None,
) -> MinimalEquivalent:
    """Find the needed half-spaces of a ReLU network on a domain (default: all of R^d, or the box of the data).

    Of other networks `minimal_steps` does.

    network: a ReLUNetwork, or a file or a model to `lpnet.load`, as in all functions of `lpnet`; engine: "auto" or one of
    `lpnet.boundary.engines.ENGINES`; time_limit: seconds, after which the answer has what was found, with `complete` False;
    watch: in its place, to follow the search as well; recorded: whether the search keeps what `lpnet.proofs.write_proof` needs.
    data: a file, a data frame, an array (rows, d) or a pair (X, y), see `lpnet.io.examples`; the answer is then about the box
    around its rows, with inputs that are the same in all rows substituted.
    Raises InputError for what is no ReLU network and cannot be read as one, and for data that does not fit.
    """
    asked, place, rows = _about(load(network, kind=ReLUNetwork), domain, data)
    answer = minimal.minimal_equivalent(asked, place, engine, _watch(watch, time_limit), recorded)
    return replace(answer, examples=rows)


def minimal_steps(
    network: Any, domain: Polyhedron | None = None, watch: Watch | None = None, time_limit: float | None = None
) -> steps.MinimalSteps:
    """Find the needed half-spaces of a network of ReLUs and steps, of sign units and circuits, too, on a domain (default: R^d).

    network: any network of one output, or a file or a model to `lpnet.load`; the rest as in `minimal_equivalent`.
    Raises InputError for several outputs, and for trees.
    """
    chosen = load(network)
    if isinstance(chosen, TreeEnsemble):
        raise InputError("network: wanted a network, got trees, of which minimal_trees says what they need")
    if isinstance(chosen, Classifier):
        raise InputError(f"has {len(chosen.scores)} outputs; say which two to compare (outputs=(I, J))")
    return steps.minimal_steps(as_steps(chosen), domain, _watch(watch, time_limit))


def minimal_classes(
    network: Any,
    domain: Polyhedron | None = None,
    engine: str = "auto",
    watch: Watch | None = None,
    time_limit: float | None = None,
    data: Any = None,
) -> classes.MinimalClasses:
    """Find the half-spaces needed to tell apart the classes of a network with several outputs, on a domain (default: R^d).

    network: a Classifier, or a file or a model to `lpnet.load` with the class of the largest output; the rest as in
    `minimal_equivalent`. Raises InputError for what is none.
    """
    asked, place, rows = _about(load(network, Choice("argmax"), kind=Classifier), domain, data)
    return replace(classes.minimal_classes(asked, place, engine, _watch(watch, time_limit)), examples=rows)


def minimal_trees(
    network: Any, domain: Polyhedron | None = None, watch: Watch | None = None, time_limit: float | None = None
) -> of_trees.MinimalTrees:
    """Find the half-spaces, thresholds of single inputs, that trees, forests or boosting need on a box (default: R^d).

    network: a TreeEnsemble, or a file or a model to `lpnet.load`, several classes being told apart; the rest as in
    `minimal_equivalent`. Raises InputError for what is none.
    """
    chosen = load(network, Choice("own"), kind=TreeEnsemble)
    return of_trees.minimal_trees(chosen, domain, _watch(watch, time_limit))


def equal(
    network_a: Any,
    network_b: Any,
    domain: Polyhedron | None = None,
    watch: Watch | None = None,
    method: str = "auto",
    time_limit: float | None = None,
    data: Any = None,
) -> Comparison:
    """Decide in exact arithmetic whether two networks, of any kinds, are the same function inside a domain (default: R^d).

    As `lpnet.equality.equality.equal`; three outputs or more: do they have the same class, as `lpnet.equality.classes` has it;
    trees: as `lpnet.equality.trees` has it; time_limit: seconds, after which the verdict is "undecided"; data: as in
    `minimal_equivalent`.
    """
    first, second = load(network_a, Choice("own")), load(network_b, Choice("own"))
    if data is not None:
        examples, given = load_examples(data, first), domain
        first, domain = examples.about(first, given)
        second, _ = examples.about(second, given)
    if isinstance(first, TreeEnsemble) or isinstance(second, TreeEnsemble):
        return equal_trees(first, second, domain, _watch(watch, time_limit))
    if isinstance(first, Classifier) and isinstance(second, Classifier):
        return equal_classes(first, second, domain, _watch(watch, time_limit))
    for name, network in (("first", first), ("second", second)):
        if isinstance(network, Classifier):
            raise InputError(
                f"the {name} network has {len(network.scores)} outputs, and the other one answers +1 or −1; say which two of "
                "them to compare (--outputs I,J or outputs=(I, J))"
            )
    return comparison.equal(first, second, domain, _watch(watch, time_limit), method)


def tightness(
    network: Any, engine: str = "auto", watch: Watch | None = None, time_limit: float | None = None
) -> bounds.Tightness:
    """Count the needed half-spaces of a ReLU network, exactly, and compare them with the bounds.

    Raises Stopped after time_limit seconds, or where `watch` ends the count.
    """
    return bounds.tightness(load(network, kind=ReLUNetwork), engine, _watch(watch, time_limit))


def estimate_pieces(
    network: Any,
    samples: int | None = None,
    relative_error: float | None = None,
    seed: int = 0,
    watch: Watch | None = None,
    workers: int | None = None,
    time_limit: float | None = None,
    domain: Polyhedron | None = None,
) -> sampling.Estimate:
    """Estimate how many half-spaces the minimal threshold equivalent of a ReLU network has, on all of R^d.

    Of a Classifier, or a model with three outputs or more: how many pieces the boundary between its classes has.
    On a domain: how many pieces are there, of a network of one hidden layer too.

    As `lpnet.boundary.sampling.estimate.estimate_pieces`; time_limit: seconds, after which no more is drawn.
    """
    chosen = load(network, Choice("own"))
    chosen = chosen if isinstance(chosen, Classifier) else load(chosen, kind=ReLUNetwork)
    return sampling.estimate_pieces(chosen, samples, relative_error, seed, _watch(watch, time_limit), workers, domain)


def subset_verdict(network: Any, subset: Iterable[int], domain: Polyhedron | None = None) -> subsets.Verdict:
    """Whether the hyperplane of one subset S of the units carries a piece of a ReLU network's decision boundary.

    subset: indices of units (from 0); those with output weight 0 have no say. domain: default all of R^d.
    """
    return subsets.subset_verdict(load(network, kind=ReLUNetwork), subset, domain)


def normal_form(network: Any, domain: Polyhedron | None = None) -> ExactForm:
    """f of a ReLU network on a domain (default: all of R^d) with no constant a_k and no two proportional ones, in integers."""
    return form(load(network, kind=ReLUNetwork), domain)


def prune(network: Any, domain: Polyhedron | None = None) -> SignNetwork:
    """The same disjunction or conjunction, of a sign network of two layers, without its redundant units, with weights 1.

    Raises InputError where the output layer is neither.
    """
    return redundancy.prune(load(network, kind=SignNetwork), domain)


@overload
def compress(
    network: Any,
    relus: int | None = None,
    rounding: None = None,
    watch: Watch | None = None,
    time_limit: float | None = None,
    domain: Polyhedron | None = None,
    *,
    signs: Literal["both"],
) -> "FewestReLUs": ...


@overload
def compress(
    network: Any,
    relus: int | None = None,
    rounding: float | None = None,
    watch: Watch | None = None,
    time_limit: float | None = None,
    *,
    signs: Literal["one"],
) -> "Compression": ...


@overload
def compress(
    network: Any,
    relus: int | None = None,
    rounding: float | None = None,
    watch: Watch | None = None,
    time_limit: float | None = None,
    domain: Polyhedron | None = None,
    signs: str = "auto",
    data: Any = None,
) -> "Compression | FewestReLUs | OnData": ...


def compress(
    network: Any,
    relus: int | None = None,
    rounding: float | None = None,
    watch: Watch | None = None,
    time_limit: float | None = None,
    domain: Polyhedron | None = None,
    signs: str = "auto",
    data: Any = None,
) -> "Compression | FewestReLUs | OnData":
    """The fewest ReLUs found, in one hidden layer, that decide like a network of any kind, with one output or several.

    data: rows at which alone they are to decide alike (see `minimal_equivalent`), as
    `lpnet.compression.on_data.fewest_on_data` has it. Without:

    signs: "both": with output weights of both signs, as `lpnet.compression.both_signs.fewest_relus`, perhaps on a domain;
    "one": of one sign, for a sign network of two layers, as `lpnet.compression.compress.compress`, rounding by default 2^-40;
    "auto": of one sign where that is possible, else of both. time_limit: seconds, after which it is "undecided".
    """
    from lpnet.compression.compress import ROUNDING, few_relus
    from lpnet.compression.on_data import fewest_on_data

    if data is not None:
        if (relus, rounding, domain, signs) != (None, None, None, "auto"):
            raise InputError("data: asked about points alone; leave relus, rounding, domain and signs out")
        chosen = load(network, Choice("own"))
        return fewest_on_data(chosen, load_examples(data, chosen).points, watch=_watch(watch, time_limit))
    allowed = ROUNDING if rounding is None else rounding
    return few_relus(load(network, Choice("own")), relus, allowed, _watch(watch, time_limit), domain, signs)


def nearest(
    network: Any,
    relus: int | None = None,
    order: Any = "binary",
    output_bias: float | None = None,
    watch: Watch | None = None,
    solver: str = "interior",
    time_limit: float | None = None,
) -> "NearestReLU":
    """Minimise ‖(V − UT)^T‖_∞ over U for a disjunction or conjunction of 2^n units ([PS16] Eq. 10, Theorem 3).

    As `lpnet.compression.nearest.nearest.nearest`; time_limit: seconds, after which it is "undecided".
    """
    from lpnet.compression.nearest import nearest as there

    return there.nearest(load(network, kind=SignNetwork), relus, order, output_bias, _watch(watch, time_limit), solver)


def _about(network: Any, domain: Polyhedron | None, data: Any) -> tuple[Any, Polyhedron | None, Examples | None]:
    """The network and the domain that a question is about, and the rows of the data."""
    if data is None:
        return network, domain, None
    rows: Examples = load_examples(data, network)
    return *rows.about(network, domain), rows


def _watch(watch: Watch | None, time_limit: float | None) -> Watch | None:
    """The watch with this limit."""
    if time_limit is None:
        return watch
    if watch is not None:
        raise InputError("time_limit: there is a watch, too; give it the limit as its seconds")
    if isinstance(time_limit, bool) or not isinstance(time_limit, int | float) or not 0 < time_limit < math.inf:
        raise InputError(f"time_limit: wanted a number of seconds > 0, got {describe(time_limit)}")
    return Watch(seconds=time_limit)
