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

from lpnet.compression.recognition.bends import Bends
from lpnet.compression.recognition.cone import Cone
from lpnet.exact import FloatArray

EQUAL = 1e-6  # hyperplanes and ratios nearer than this are taken for the same
STRONGEST = 2.0**12  # the largest bend against the smallest λ in the mixed-integer program
SECONDS = 30  # for the mixed-integer program


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


def fewest(cone: Cone, faces: Skeleton, found: Sequence[Cut]) -> Bends | None:
    """The bends with the fewest cuts: minimise Σ b_A with λ_k = Σ w_A α, λ_l = Σ w_A β at every ridge, w ≤ M b, b binary."""
    through: dict[tuple[int, int], list[int]] = {ridge: [] for ridge in faces.ridges}
    for number, cut in enumerate(found):
        for ridge in cut.ridges:
            through[ridge].append(number)
    if not faces.ridges or not all(through.values()):
        return None
    program = pulp.LpProblem("fewest_cuts", pulp.LpMinimize)
    scale = {k: program.add_variable(f"scale{k}", 1, STRONGEST) for k in faces.facets}
    strength = [program.add_variable(f"strength{c}", 0) for c in range(len(found))]
    forced = {cuts[0] for cuts in through.values() if len(cuts) == 1}
    used = [1 if c in forced else program.add_variable(f"used{c}", cat="Binary") for c in range(len(found))]
    program += pulp.lpSum(used)
    for ridge, cuts in through.items():
        for side, facet in enumerate(ridge):
            program += pulp.lpSum(found[c].ridges[ridge][side] * strength[c] for c in cuts) == scale[facet]
    for c, variable in enumerate(used):
        if c not in forced:
            most = STRONGEST / max(max(pair) for pair in found[c].ridges.values())
            program += strength[c] <= most * variable
    with warnings.catch_warnings():
        # PuLP 4 will no longer bring its own CBC; its HiGHS prints a banner on stdout before it can be told not to
        warnings.simplefilter("ignore", DeprecationWarning)
        program.solve(pulp.PULP_CBC_CMD(msg=False, timeLimit=SECONDS))
    if program.sol_status not in (pulp.LpSolutionOptimal, pulp.LpSolutionIntegerFeasible):
        return None
    chosen = [c for c, variable in enumerate(used) if pulp.value(variable) > 0.5 and pulp.value(strength[c]) > 0]
    units = np.array([pulp.value(strength[c]) * found[c].plane for c in chosen])
    gradients = np.array([pulp.value(scale[k]) * cone.rows[k] for k in faces.facets])
    points = np.array([faces.rays[faces.tight[k]].mean(axis=0) for k in faces.facets])
    active = points @ units.T > 0
    contained = tuple(tuple(found[c].ridges) for c in chosen)
    return Bends(np.array(faces.facets), points, (gradients - active @ units).mean(axis=0), units, contained)


def all_cuts(cone: Cone) -> Bends | None:
    """The bends with the fewest cuts, by this method from start to end."""
    faces = skeleton(cone)
    return fewest(cone, faces, cuts(cone, faces)) if faces else None
