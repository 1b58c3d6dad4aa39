"""All hyperplanes that a unit could have.

A unit contains every ridge that it meets off the lower faces (see `lpnet.compression.certificate`), so that its hyperplane
A_τ = h_k − τ h_l through the ridge of k and l has a τ that no third facet's ratios h_k / h_l enclose: few remain. This finds
what the generic methods leave: parallel and concurrent units, units that meet in the boundary, several through a ridge.
"""

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import ConvexHull, QhullError

from lpnet.compression.recognition.cone import Cone
from lpnet.exact import FloatArray
from lpnet.watch import Watch

EQUAL = 1e-6  # hyperplanes and ratios nearer than this are taken for the same


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
