"""All hyperplanes that a unit could have, and the fewest units on them by mixed-integer programs.

A unit contains every ridge that it meets off the lower faces (see `lpnet.compression.certificate`), so that its hyperplane
A_τ = h_k − τ h_l through the ridge of k and l has a τ that no third facet's ratios h_k / h_l enclose: few remain. This finds
what the generic methods leave: parallel and concurrent units, units that meet in the boundary, several through a ridge.

With w_A ≥ 0 for how strongly f bends at A, λ_k h_k − λ_l h_l = Σ w_A A at every ridge, λ > 0: that is λ_k = Σ w α and
λ_l = Σ w β over the A = α h_k − β h_l there. First the fewest A are found, and turned into a network. If that takes one more
unit, active on all facets, then perhaps other strengths do without: the second program counts the units themselves.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import ConvexHull, QhullError

from lpnet.compression.recognition.cone import Bends, Cone, Draft, Pair, oriented
from lpnet.exact import FloatArray
from lpnet.programs.integer import minimum
from lpnet.watch import Watch

EQUAL = 1e-6  # hyperplanes and ratios nearer than this are taken for the same
STRONGEST = (2.0**8, 2.0**14)  # the largest λ against the smallest: first a bound that makes the programs easier
SECONDS = 10  # for each program
MOST_CUTS = 150  # beyond, linear relaxations: a network, perhaps with more units than it needs
CLEAR_STRENGTH = 1e-9


def all_cuts(cone: Cone, watch: Watch) -> Iterator[Draft]:
    """Networks on the hyperplanes that are possible, with few units."""
    watch.check(0.0, 0)
    faces = skeleton(cone)
    if faces is None:
        return
    found = cuts(cone, faces, watch)
    if not {ridge for cut in found for ridge in cut.ridges} >= set(faces.ridges) or not found:
        return
    for strongest in STRONGEST:
        bends = fewest_cuts(Model(cone, faces, found, strongest, False, watch))
        draft = oriented(cone, bends) if bends else None
        if bends is None or (draft and not draft.extra):
            drafts = [draft]
        else:
            drafts = [fewest_units(Model(cone, faces, found, strongest, True, watch)), draft]
        known = [draft for draft in drafts if draft]
        yield from sorted(known, key=lambda draft: draft.active.shape[1])
        if known:
            return


@dataclass(frozen=True)
class Skeleton:
    """The extreme rays of C and its ridges.

    rays: (V, p); tight: which rows vanish on which rays, (m + 1, V); ridges: pairs of facets.
    """

    rays: FloatArray
    tight: NDArray[np.bool_]
    facets: tuple[int, ...]
    ridges: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Cut:
    """A hyperplane and the ridges that it contains, each with α and β > 0 such that it is α h_k − β h_l up to its sign."""

    plane: FloatArray
    ridges: dict[tuple[int, int], tuple[float, float]]


def skeleton(cone: Cone) -> Skeleton | None:
    """By Qhull: the rows are points of the plane {row·centre = −1}, and the facets of their hull are the rays of C."""
    across = np.linalg.svd(cone.centre[None])[2][1:]
    try:
        hull = ConvexHull(cone.rows @ across.T)
    except QhullError:
        return None
    rays = hull.equations[:, :-1] @ across - hull.equations[:, -1:] * cone.centre
    rays /= -(rays @ cone.rows.mean(axis=0))[:, None]
    distinct = {}
    for ray in rays:
        tight, clear = cone.tight(ray)
        if not clear:
            return None
        distinct[tight.tobytes()] = (ray, tight)
    rays, tight = (np.array(part) for part in zip(*distinct.values(), strict=True))
    tight = tight.T
    p = len(cone.centre)
    facets = tuple(k for k in range(len(tight)) if spans(rays[tight[k]], p - 1))
    ridges = tuple(pair for pair in combinations(facets, 2) if spans(rays[tight[list(pair)].all(axis=0)], p - 2))
    return Skeleton(rays, tight, facets, ridges)


def spans(rays: FloatArray, dimension: int) -> bool:
    """Whether the rays span this dimension."""
    return len(rays) >= dimension and int(np.linalg.matrix_rank(rays, tol=EQUAL)) >= dimension


def cuts(cone: Cone, faces: Skeleton, watch: Watch) -> list[Cut]:
    """The hyperplanes that no third facet forbids."""
    found: list[Cut] = []
    for done, (k, l) in enumerate(faces.ridges):  # noqa: E741
        watch.check(done / len(faces.ridges) / 2, len(found))
        for ratio in ratios(cone, faces, k, l):
            plane = cone.rows[k] - ratio * cone.rows[l]
            size = float(np.linalg.norm(plane))
            plane /= size
            same = next(
                (cut for cut in found if min(np.abs(cut.plane - plane).max(), np.abs(cut.plane + plane).max()) < EQUAL), None
            )
            if same is None:
                same = Cut(plane, {})
                found.append(same)
            same.ridges[k, l] = (float(1 / size), float(ratio / size))
    return found


def ratios(cone: Cone, faces: Skeleton, k: int, l: int) -> FloatArray:  # noqa: E741
    """The τ > 0 at which h_k − τ h_l separates the rays of no third facet."""
    first, second = (np.where(faces.tight[i], 0.0, -(cone.rows[i] @ faces.rays.T)) for i in (k, l))
    on = (first > 0) | (second > 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        angle = np.where(on, np.log(first) - np.log(second), np.nan)
    others = faces.tight.copy()
    others[[k, l]] = False
    low = np.where(others & on, angle, np.inf).min(axis=1)
    high = np.where(others & on, angle, -np.inf).max(axis=1)
    ends = np.unique(angle[np.isfinite(angle)])
    free = ends[~((low[:, None] < ends - EQUAL) & (ends + EQUAL < high[:, None])).any(axis=0)]
    return np.exp(free[np.append(True, np.diff(free) > EQUAL)]) if len(free) else free


class Unit(NamedTuple):
    """A variable strength on one hyperplane, of the given side or of both; used: whether it is not 0. Variables by number."""

    cut: int
    plane: FloatArray
    strength: int
    used: int


class Model:
    """The variables, and the equations at the ridges; at least one unit passes each of them."""

    def __init__(self, cone: Cone, faces: Skeleton, found: Sequence[Cut], strongest: float, sides: bool, watch: Watch) -> None:
        self.cone, self.faces, self.found, self.strongest, self.watch = cone, faces, found, strongest, watch
        self.whole = len(found) <= MOST_CUTS
        self.variables: list[tuple[float, float, bool]] = []
        self.rows: list[tuple[dict[int, float], float, float]] = []
        self.scale = {k: self.variable(1, strongest) for k in faces.facets}
        self.points = np.array([faces.rays[faces.tight[k]].mean(axis=0) for k in faces.facets])
        at_infinity = faces.rays[faces.tight[cone.infinity]]
        self.units = [
            self.unit(number, plane)
            for number, cut in enumerate(found)
            for plane in ([cut.plane, -cut.plane] if sides else [cut.plane])
            if not (sides and (at_infinity @ plane > EQUAL).any())
        ]
        for ridge in faces.ridges:
            self.at_ridge(ridge)

    def variable(self, low: float, high: float, whole: bool = False) -> int:
        """The number of one more variable."""
        self.variables.append((low, high, whole))
        return len(self.variables) - 1

    def row(self, terms: dict[int, float], low: float, high: float) -> None:
        """low ≤ Σ coefficient · variable ≤ high."""
        self.rows.append((terms, low, high))

    def unit(self, number: int, plane: FloatArray) -> Unit:
        """One more unit: strength ≤ most · used."""
        most = self.strongest / max(max(pair) for pair in self.found[number].ridges.values())
        strength, used = self.variable(0, most), self.variable(0, 1, self.whole)
        self.row({strength: 1, used: -most}, -np.inf, 0)
        return Unit(number, plane, strength, used)

    def at_ridge(self, ridge: Pair) -> None:
        """λ_k = Σ w α and λ_l = Σ w β."""
        passing = [unit for unit in self.units if ridge in self.found[unit.cut].ridges]
        self.row({unit.used: 1 for unit in passing}, 1, np.inf)
        for side, facet in enumerate(ridge):
            bends = {unit.strength: self.found[unit.cut].ridges[ridge][side] for unit in passing}
            self.row({**bends, self.scale[facet]: -1}, 0, 0)

    def solve(self, *more: int) -> tuple[list[Unit], FloatArray]:
        """The units that are used where they, and so many more variables, are fewest; none if there is no solution, or no time.

        And all values.
        """
        cost, table = np.zeros(len(self.variables)), np.zeros((len(self.rows), len(self.variables)))
        cost[[*more, *(unit.used for unit in self.units)]] = 1
        for row, (terms, *_) in zip(table, self.rows, strict=True):
            row[list(terms)] = list(terms.values())
        reach, ends = np.array([row[1:] for row in self.rows]).T, np.array(self.variables).T
        self.watch.check(0.5, len(self.found))
        at, _ = minimum(cost, table, (reach[0], reach[1]), (ends[0], ends[1]), ends[2] > 0, min(SECONDS, self.watch.left))
        self.watch.check(0.5, len(self.found))
        if at is None:
            return [], cost
        return [unit for unit in self.units if at[unit.strength] > CLEAR_STRENGTH], at

    def through(self, chosen: Sequence[Unit]) -> tuple[tuple[Pair, ...], ...]:
        """The ridges that each unit passes."""
        return tuple(tuple(self.found[unit.cut].ridges) for unit in chosen)


def fewest_cuts(model: Model) -> Bends | None:
    """The bends with the fewest hyperplanes."""
    chosen, at = model.solve()
    if not chosen:
        return None
    units = np.array([at[unit.strength] * unit.plane for unit in chosen])
    gradients = np.array([at[model.scale[k]] * model.cone.rows[k] for k in model.faces.facets])
    affine = (gradients - (model.points @ units.T > 0) @ units).mean(axis=0)
    return Bends(np.array(model.faces.facets), model.points, affine, units, model.through(chosen))


def fewest_units(model: Model) -> Draft | None:
    """The network with the fewest units p R(A), q R(−A) and perhaps a_0, active on all facets.

    w = p + q, and λ_0 h_0 = −c e + a_0 + Σ_{A > 0 there} p A − Σ_{A < 0 there} q A on one facet, then on all; c > 0.
    """
    cone, most = model.cone, model.strongest
    extra = [model.variable(-most, most) for _ in cone.centre]
    used, depth = model.variable(0, 1, model.whole), model.variable(1 / most, most)
    for amount in extra:
        model.row({amount: 1, used: -most}, -np.inf, 0)
        model.row({amount: -1, used: -most}, -np.inf, 0)
    first = model.faces.facets[0]
    for j, entry in enumerate(cone.rows[first]):
        beside = {unit.strength: unit.plane[j] for unit in model.units if model.points[0] @ unit.plane > 0}
        model.row({**beside, extra[j]: 1, depth: cone.rows[cone.infinity, j], model.scale[first]: -entry}, 0, 0)
    chosen, at = model.solve(used)
    if not chosen:
        return None
    more = bool((np.abs(at[extra]) > CLEAR_STRENGTH).any())
    affine = at[depth] * cone.rows[cone.infinity] + at[extra]
    units = np.array([at[unit.strength] * unit.plane for unit in chosen])
    real = np.array(model.faces.facets) != cone.infinity
    active = np.column_stack([model.points @ units.T > 0, np.ones((len(model.points), int(more)), dtype=bool)])
    rows = np.vstack([units, affine]) @ cone.coordinates
    return Draft(np.array(model.faces.facets)[real], active[real], rows, more, model.through(chosen))
