"""The tree engine: fix the signs of the units one by one; most of the 2^n sign vectors are never looked at.

A node is a partial sign vector with a point where the units have these signs. It is dropped when a circuit proves that no point
has them (Gordan's theorem: at most d + 2 forms with a positive combination 0), or when f is proved to keep one sign on it:
f ≥ 0 on the node or f < 0 on its closure, where units still free on the wrong side are left out (R^d) or replaced by chords
(boxes). Points come from the parent, from a ratio test, or from one small program (`lpnet.programs.cone_kernel`).
The float side only proposes: signs count when larger than a bound on their error, proofs when they are verified beyond
rounding or in integers, and what is left is settled by `SignProgram` in exact arithmetic.

Circuits of units of the first level hold on all nodes: they are kept, and dropping by them costs nothing.
With several levels a node is covered by boxes, its domain's or the facets of a cube around 0 in homogeneous coordinates, over
which units are settled, replaced by chords, and f is bounded (`lpnet.boundary.tree.relax_kernel`).

Depth first, so memory stays bounded; threads take nodes off each other's stacks. Ideas: Rada & Černý (SIAM J.
Discrete Math. 2018), and Dussault, Gilbert & Plaquevent-Jourdain's ISF (Math. Prog. Comp. 2025).
"""

from collections.abc import Sequence

from lpnet.boundary.pieces import Pieces
from lpnet.boundary.vertices.engine import Spread
from lpnet.errors import InputError
from lpnet.exact import Form
from lpnet.networks import ExactForm, Polyhedron
from lpnet.networks.decision import Decision
from lpnet.watch import Watch


def tree(
    form: ExactForm,
    domain: Polyhedron,
    watch: Watch,
    workers: int | None = None,
    most: int | None = None,
    recorded: bool = False,
    deep: bool = False,
    store: bool = True,
    spread: Spread | None = None,
) -> Pieces:
    """The tree engine: the pieces of a normal form on a domain, by fixing the signs of its units one by one.

    workers: threads (default: one a core); their number does not change the answer. most: NotApplicable is raised when more
    programs than these would have to be solved. recorded: whether the pieces come with the tree, as a proof; deep: whether as
    that of a network of several hidden layers, even where one layer is left. store: whether the pieces are wanted and not only
    their number; spread: others to count them, see `vertices`.
    """
    from lpnet.boundary.tree.crew import Crew  # numba takes its time to load
    from lpnet.boundary.tree.spread import count_elsewhere

    if spread and not store:
        return count_elsewhere(form, domain, watch, spread)
    crew = Crew(form, domain, True, workers, recorded, store, deep)
    crew.run(watch, most)
    return crew.found()


def class_tree(decision: Decision, domain: Polyhedron, watch: Watch, workers: int | None = None) -> Pieces:
    """The tree engine for several outputs: the pieces between classes, each with its pair of outputs."""
    from lpnet.boundary.tree.crew import Crew  # numba takes its time to load

    crew = Crew(decision, domain, workers=workers)
    crew.run(watch)
    return crew.found()


def cells(forms: Sequence[Form], domain: Polyhedron, watch: Watch, workers: int | None = None) -> Pieces:
    """The cells of the arrangement of hyperplanes {h_k = 0} inside a domain: on which sides of them an open set lies.

    Returns them like pieces: patterns (cells, m), True for h_k > 0, in lexicographic order.
    """
    if not all(map(any, forms)):
        raise InputError("cells: wanted forms that are not identically 0")
    nothing = (0,) * (domain.inputs + 1)
    return cells_of(ExactForm(nothing, tuple(forms), (1,) * len(forms), 0), domain, watch, workers)


def cells_of(form: ExactForm, domain: Polyhedron, watch: Watch, workers: int | None = None) -> Pieces:
    """The activation patterns that the units of a form take on open sets of a domain, as `cells`; none is 0 everywhere."""
    from lpnet.boundary.tree.crew import Crew  # numba takes its time to load

    crew = Crew(form, domain, False, workers)
    crew.run(watch)
    return crew.found()
