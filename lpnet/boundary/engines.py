"""The engines that find the boundary pieces, interchangeable: a normal form and its domain in, pieces out."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from lpnet.boundary.classes import expand_classes
from lpnet.boundary.independent import independent
from lpnet.boundary.pieces import NotApplicable, Pieces
from lpnet.boundary.sparse import sparse
from lpnet.boundary.subsets import expand
from lpnet.boundary.tree import class_tree, tree
from lpnet.boundary.vertices import vertices
from lpnet.boundary.vertices.engine import Spread
from lpnet.errors import InputError
from lpnet.networks import ExactForm, Polyhedron
from lpnet.networks.decision import Decision
from lpnet.watch import Watch

Engine = Callable[..., Pieces]

RECORDED = ("expand", "tree")  # engines that can record their tree, and take forms of several levels
ENGINES: dict[str, Engine] = {"expand": expand, "tree": tree, "vertices": vertices, "independent": independent}
SEVERAL: dict[str, Engine] = {"expand": expand_classes, "tree": class_tree}  # of outputs
SPARSE = "few of the vertex engine's lines meet the boundary"
FEW = 8  # units: their 2^8 subsets are asked faster than a compiled engine is loaded


def find_pieces(
    form: ExactForm | Decision, domain: Polyhedron, watch: Watch, engine: str = "auto", few: int = FEW, recorded: bool = False
) -> tuple[Pieces, str, str]:
    """The pieces, the name of the engine that found them, and why it was chosen.

    "auto" takes the closed form where the weights are independent, asks every subset where there are few, and else walks the
    vertices on all of R^d; the tree on a part of it, where few of the lines to be walked meet the boundary, or where the
    vertices turn out degenerate. few: units up to which it asks every subset; −1 where many forms will come and the compiled
    engines pay. recorded: whether an engine that walks a tree returns it, too. Where there are more than watch.max_pieces, they
    are so many of them.
    Raises InputError for an unknown engine or one that cannot take the form.
    """
    pieces, name, reason = all_pieces(form, domain, watch, engine, few, recorded)
    if watch.max_pieces is None or len(pieces.patterns) <= watch.max_pieces:
        return pieces, name, reason
    watch.stopped = watch.stopped or f"the limit of {watch.max_pieces} was reached"
    first = slice(watch.max_pieces)
    pairs = None if pieces.pairs is None else pieces.pairs[first]
    witnesses, tree = pieces.witnesses and pieces.witnesses[first], pieces.tree and pieces.tree.first(watch.max_pieces)
    kept = replace(pieces, patterns=pieces.patterns[first], witnesses=witnesses, complete=False, tree=tree, pairs=pairs)
    return kept, name, reason


def all_pieces(
    form: ExactForm | Decision, domain: Polyhedron, watch: Watch, engine: str, few: int, recorded: bool = False
) -> tuple[Pieces, str, str]:
    """`find_pieces` with as many pieces as the engine has found when it stops."""
    if isinstance(form, Decision):
        return pieces_of_classes(form, domain, watch, engine, few)
    record = {"recorded": True} if recorded and not (form.links and engine == "expand") else {}
    if engine in ENGINES:
        if form.links and engine not in RECORDED:
            raise InputError(f"engine {engine}: takes one hidden layer, and there are {len(form.levels)}; use auto")
        try:
            return ENGINES[engine](form, domain, watch, **(record if engine in RECORDED else {})), engine, "asked for"
        except NotApplicable as reason:
            raise InputError(f"engine {engine}: {reason}; use auto") from None
    if engine != "auto":
        raise InputError(f"engine: wanted auto or one of {', '.join(ENGINES)}, got {engine!r}")
    if form.links:
        return tree(form, domain, watch, recorded=recorded), "tree", f"{len(form.levels)} hidden layers"
    try:
        return independent(form, domain, watch), "independent", "the hidden weights are linearly independent"
    except NotApplicable:
        pass
    if len(form.units) <= few:
        return expand(form, domain, watch, recorded), "expand", f"2^{len(form.units)} subsets are few"
    try:
        return sparse(form, domain, watch, recorded), "tree", SPARSE
    except NotApplicable:
        pass
    try:
        return vertices(form, domain, watch), "vertices", "general position in R^d"
    except NotApplicable as reason:
        return tree(form, domain, watch, recorded=recorded), "tree", str(reason)


def pieces_of_classes(form: Decision, domain: Polyhedron, watch: Watch, engine: str, few: int) -> tuple[Pieces, str, str]:
    """The same of several outputs."""
    if engine not in ("auto", *SEVERAL):
        raise InputError(f"engine: wanted auto, {' or '.join(SEVERAL)} for several outputs, got {engine!r}")
    reason = f"{len(form.classes)} different outputs" if engine == "auto" else "asked for"
    name = ("expand" if len(form.body.units) <= few // 2 else "tree") if engine == "auto" else engine
    return SEVERAL[name](form, domain, watch), name, reason


def count_pieces(
    form: ExactForm, domain: Polyhedron, watch: Watch, engine: str = "auto", spread: Spread | None = None
) -> tuple[int, str, bool]:
    """The number of pieces, stored only where an engine cannot count without: (number, engine, complete).

    spread: who computes for the vertex engine and for the tree of several levels, see there.
    """
    counting: list[tuple[str, Engine]] = [
        ("independent", partial(independent, store=False)),
        ("vertices", partial(vertices, store=False, spread=spread)),
    ]
    if engine == "auto":
        counting.insert(1, ("tree", sparse))
    for name, count in [] if form.links else counting:
        if engine in (name, "auto"):
            try:
                pieces = count(form, domain, watch)
                return len(pieces.patterns) if pieces.count is None else pieces.count, name, pieces.complete
            except NotApplicable as reason:
                if engine == name:
                    raise InputError(f"engine {engine}: {reason}; use auto") from None
    if engine in ("auto", "tree"):
        pieces = tree(form, domain, watch, store=False, spread=spread)
        return pieces.count or 0, "tree", pieces.complete
    pieces, engine, _ = find_pieces(form, domain, watch, engine)
    return len(pieces.patterns), engine, pieces.complete
