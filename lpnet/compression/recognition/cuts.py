"""All hyperplanes that a unit could have, and how strongly each bends: a linear or mixed-integer program.

This takes what the generic methods leave: parallel and concurrent units, units that meet in the boundary, several units through
a ridge. A unit contains every ridge that it meets off the lower faces (see `lpnet.compression.certificate`), so that its
hyperplane A_τ = h_k − τ h_l through the ridge of k and l has a τ that no third facet's ratios h_k / h_l enclose: few remain.
With w ≥ 0 for the strength of each, λ_k h_k − λ_l h_l = Σ w_A A at every ridge, λ > 0. The fewest units are those of a
mixed-integer program.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pulp
from numpy.typing import NDArray
from scipy.spatial import ConvexHull, QhullError

from lpnet.compression.recognition.bends import Draft
from lpnet.compression.recognition.cone import Cone
from lpnet.exact import FloatArray

EQUAL = 1e-6  # hyperplanes and ratios nearer than this are taken for the same
STRONGEST = 2.0**12  # the largest bend against the smallest λ in the mixed-integer program
SECONDS = 20  # for the mixed-integer program
MOST_BINARIES = 300  # beyond, the linear relaxation: a network, perhaps with more units than it needs
CLEAR_STRENGTH = 1e-9


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


def cuts(cone: Cone, faces: Skeleton) -> list[Cut]:
    """The hyperplanes that no third facet forbids."""
    found: list[Cut] = []
    for k, l in faces.ridges:  # noqa: E741
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


def same_plane(left: FloatArray, right: FloatArray) -> bool:
    """Whether two forms of length 1 vanish on the same hyperplane."""
    return bool(min(np.abs(left - right).max(), np.abs(left + right).max()) < EQUAL)


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


def fewest(cone: Cone, faces: Skeleton, found: Sequence[Cut]) -> Draft | None:
    """The network with the fewest units: a mixed-integer program.

    Of a cut A there may be a unit p R(A) and a unit q R(−A), and there may be one more unit, active on all facets. On facet k
    λ_k h_k = −c e + a_0 + Σ_{A > 0 there} p A − Σ_{A < 0 there} q A, λ ≥ 1, c, p, q ≥ 0; minimise how many are not 0.
    """
    points = np.array([faces.rays[faces.tight[k]].mean(axis=0) for k in faces.facets])
    at_infinity = faces.rays[faces.tight[cone.infinity]]
    sides = [(n, side) for n, cut in enumerate(found) for side in (1, -1) if not (side * at_infinity @ cut.plane > EQUAL).any()]
    planes = np.array([side * found[n].plane for n, side in sides]).reshape(-1, len(cone.centre))
    active = points @ planes.T > 0
    covered = {ridge for cut in found for ridge in cut.ridges}
    if not covered >= set(faces.ridges):
        return None

    program = pulp.LpProblem("fewest_units", pulp.LpMinimize)
    scale = [program.add_variable(f"scale{k}", 1, STRONGEST) for k in faces.facets]
    strength = [program.add_variable(f"strength{n}", 0, STRONGEST) for n in range(len(sides))]
    kind = "Binary" if len(sides) <= MOST_BINARIES else "Continuous"
    used = [program.add_variable(f"used{n}", 0, 1, kind) for n in range(len(sides) + 1)]
    extra = [program.add_variable(f"extra{j}", -STRONGEST, STRONGEST) for j in range(len(cone.centre))]
    depth = program.add_variable("depth", 2.0**-10, STRONGEST)
    program += pulp.lpSum(used)
    for k, facet in enumerate(faces.facets):
        for j in range(len(cone.centre)):
            terms = [strength[n] * planes[n, j] for n in np.flatnonzero(active[k])]
            total = pulp.lpSum(terms) + extra[j] + depth * cone.rows[cone.infinity, j]
            program += total == scale[k] * cone.rows[facet, j]
    for amount, switch in [
        *zip(strength, used, strict=False),
        *((z, used[-1]) for z in extra),
        *((-z, used[-1]) for z in extra),
    ]:
        program += amount <= STRONGEST * switch
    with warnings.catch_warnings():
        # PuLP 4 will no longer bring its own CBC; its HiGHS prints a banner on stdout before it can be told not to
        warnings.simplefilter("ignore", DeprecationWarning)
        program.solve(pulp.PULP_CBC_CMD(msg=False, timeLimit=SECONDS))
    if program.sol_status not in (pulp.LpSolutionOptimal, pulp.LpSolutionIntegerFeasible):
        return None
    chosen = [n for n in range(len(sides)) if pulp.value(strength[n]) > CLEAR_STRENGTH]
    more = any(abs(pulp.value(z)) > CLEAR_STRENGTH for z in extra)
    affine = pulp.value(depth) * cone.rows[cone.infinity] + np.array([pulp.value(z) for z in extra])
    rows = np.vstack([np.array([pulp.value(strength[n]) for n in chosen])[:, None] * planes[chosen], affine]) @ cone.coordinates
    real = np.array(faces.facets) != cone.infinity
    patterns = np.column_stack([active[:, chosen], np.ones((len(points), int(more)), dtype=bool)])[real]
    through = tuple(tuple(found[sides[n][0]].ridges) for n in chosen)
    return Draft(np.array(faces.facets)[real], patterns, rows, more, through)


def all_cuts(cone: Cone) -> Draft | None:
    """The network with the fewest units, by this method from start to end."""
    faces = skeleton(cone)
    return fewest(cone, faces, cuts(cone, faces)) if faces else None
