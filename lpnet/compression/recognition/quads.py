"""Units read off the faces of codimension three: the generic case, r ≥ 3.

Where all w_k > 0 the function f is convex, and bends cannot cancel. So the hyperplane of a unit that meets the interior of K
meets its boundary in ridges only, and across a ridge between facets k and l, λ_k h_k − λ_l h_l = ±a for the unit a = 0 through
it (f = λ_k h_k beside facet k). In general position a face of codimension three lies on four facets: two units cross, and
λ_a h_a − λ_b h_b − λ_c h_c + λ_q h_q = 0. This is Bolker's criterion for zonotopes, up to a projective map: it fixes all λ
up to one factor, and then the units.
"""

from collections import deque
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from lpnet.compression.recognition.cone import CLEAR, TIGHT, Bends, Cone
from lpnet.exact import FloatArray
from lpnet.programs.linear import maximum
from lpnet.watch import Watch

STEPS = 3  # of a random walk in a facet before it is looked at
MORE_ROUNDS = 10  # looking round again on facets that are not yet joined to the others


@dataclass
class Walk:
    """What a walk on the boundary has seen.

    points: facet → a point inside it; quads: the four facets round a face → their one linear relation (4,);
    simple: the three facets round a face where only they meet → a point inside the face.
    """

    cone: Cone
    rng: np.random.Generator
    points: dict[int, FloatArray] = field(default_factory=dict)
    quads: dict[tuple[int, ...], FloatArray] = field(default_factory=dict)
    simple: dict[tuple[int, ...], FloatArray] = field(default_factory=dict)
    waiting: deque[int] = field(default_factory=deque)

    def arrive(self, facet: int, z: FloatArray) -> None:
        """Enter a facet by one of its points, if for the first time."""
        if facet not in self.points:
            self.points[facet] = z
            self.waiting.append(facet)

    def look_round(self, facet: int) -> None:
        """Shoot rays inside a facet, and from the ridges that they meet on to the faces of codimension three."""
        cone, rng, p = self.cone, self.rng, len(self.cone.centre)
        z = self.points[facet] = wander(cone, facet, self.points[facet], rng)
        for edge, other in zip(*cone.shoot(z, rng.normal(size=(2 * p, p)), [facet]), strict=True):
            away = cone.shoot(edge, -cone.rows[facet][None], [int(other)])[0][0]
            self.arrive(int(other), (edge + away) / 2)
            if p > 3:
                direction = rng.normal(size=p)
                for corner in cone.shoot(edge, np.array([direction, -direction]), [facet, int(other)])[0]:
                    self.look_at(corner)

    def look_at(self, corner: FloatArray) -> None:
        """Note the facets round a generic point of a face of codimension three, and enter those that are new."""
        cone = self.cone
        tight, clear = cone.tight(corner)
        facets = tuple(int(k) for k in np.flatnonzero(tight))
        if not clear or facets in self.quads or not 3 <= len(facets) <= 4:
            return
        if len(facets) == 3:
            self.simple.setdefault(facets, corner)
            return
        _, size, v = np.linalg.svd(cone.rows[list(facets)].T)
        relation = v[-1]
        if size[3] > TIGHT * cone.noise * size[0] or min(size[2] / size[0], np.abs(relation).min()) < CLEAR * cone.noise:
            return
        self.quads[facets] = relation
        for k, facet in enumerate(facets):
            beside = np.sign(relation) == -np.sign(relation[k])
            if facet not in self.points and beside.sum() == 2:
                speeds = np.append(-1 / np.abs(relation[beside]), [0.0, 0.0])
                fixed = [*np.array(facets)[beside], facet]
                normals = np.vstack([cone.rows[fixed], cone.rows.mean(axis=0)])
                away = cone.shoot(corner, np.linalg.lstsq(normals, speeds, rcond=None)[0][None], [facet])[0][0]
                self.arrive(facet, (corner + away) / 2)

    def apart(self) -> list[int]:
        """The facets that no chain of quads joins to the largest group of facets so joined; none if there are no quads."""
        group = {facet: {facet} for facet in self.points} if self.quads else {}
        for quad in self.quads:
            joined = set().union(*(group[facet] for facet in quad if facet in group))
            group.update(dict.fromkeys(joined, joined))
        most = max(group.values(), key=len, default=set())
        return [facet for facet in group if facet not in most]


def walk(cone: Cone, rng: np.random.Generator, watch: Watch) -> Walk:
    """From facet to facet, each one, its ridges and its faces of codimension three met in generic points."""
    seen = Walk(cone, rng)
    for z, facet in zip(*cone.shoot(cone.centre, rng.normal(size=(4, len(cone.centre))), []), strict=True):
        seen.arrive(int(facet), z)
    rest = iter(range(len(cone.rows)))
    while True:
        while seen.waiting:
            watch.check(1 - len(seen.waiting) / len(seen.points), len(seen.points))
            seen.look_round(seen.waiting.popleft())
        facet = next((k for k in rest if k not in seen.points), None)
        if facet is None:
            break
        z = inside_facet(cone, facet)
        if z is not None:
            seen.arrive(facet, z)
    for _ in range(MORE_ROUNDS):
        for facet in seen.apart():
            watch.check(1.0, len(seen.points))
            seen.look_round(facet)
    return seen


def wander(cone: Cone, facet: int, z: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Hit and run inside a facet: to a point less near to where it was entered."""
    for _ in range(STEPS):
        direction = rng.normal(size=len(z))
        z = cone.shoot(z, np.array([direction, -direction]), [facet])[0].mean(axis=0)
    return z


def inside_facet(cone: Cone, facet: int) -> FloatArray | None:
    """A point of the facet of a row, between the centre and a point of all other half-spaces beyond it; None if redundant."""
    row, others = cone.rows[facet], np.delete(cone.rows, facet, axis=0)
    section = cone.rows.mean(axis=0)[None]
    best = maximum(row, np.vstack([others, row]), np.append(np.zeros(len(others)), 1.0), (section, [-1]))
    if best is None or best.value < CLEAR * cone.noise:
        return None
    share = 1 / (1 + best.value)
    return cone.centre + share * (best.at - cone.centre)


def bends(seen: Walk) -> Bends | None:
    """The units, if the relations round all faces seen fit together."""
    cone, facets = seen.cone, np.array(sorted(seen.points))
    place = np.full(len(cone.rows), -1)
    place[facets] = np.arange(len(facets))
    if not seen.quads or any((relation > 0).sum() != 2 for relation in seen.quads.values()):
        return None
    quads = place[np.array(list(seen.quads))]
    relations = np.array(list(seen.quads.values()))
    weights = scales(len(facets), quads, np.log(np.abs(relations)))
    if weights is None:
        return None
    gradients = weights[:, None] * cone.rows[facets]
    units = distinct(differences(gradients, quads, relations))
    points = np.array([seen.points[int(k)] for k in facets])
    active = points @ units.T > 0
    affine = gradients - active @ units
    middle = affine.mean(axis=0)
    if np.abs(affine - middle).max() > np.sqrt(CLEAR * cone.noise) * np.abs(gradients).max():
        return None
    return Bends(facets, points, middle, units)


def scales(facets: int, quads: NDArray[np.intp], logs: FloatArray) -> FloatArray | None:
    """λ up to one factor, by least squares: log λ − log |relation| is constant round every quad. None if not determined."""
    laplacian, right = np.zeros((facets, facets)), np.zeros(facets)
    np.add.at(laplacian, (quads[:, :, None], quads[:, None, :]), np.eye(4) - 0.25)
    np.add.at(right, quads, logs - logs.mean(axis=1, keepdims=True))
    size, vectors = np.linalg.eigh(laplacian)
    if size[1] < 1e-9:  # a second component
        return None
    return np.exp(vectors[:, 1:] @ ((vectors[:, 1:].T @ right) / size[1:]))


def differences(gradients: FloatArray, quads: NDArray[np.intp], relations: FloatArray) -> FloatArray:
    """λ_k h_k − λ_l h_l over the four sides of every quad: a side joins facets whose relation entries differ in sign."""
    same = np.argsort(-relations, axis=1, kind="stable")  # two positive ones first
    a, q, b, c = np.take_along_axis(quads, same, axis=1).T
    sides = np.unique(
        np.sort(np.concatenate([np.stack(side, axis=1) for side in ((a, b), (a, c), (q, b), (q, c))]), axis=1), axis=0
    )
    return gradients[sides[:, 0]] - gradients[sides[:, 1]]


def distinct(vectors: FloatArray) -> FloatArray:
    """One mean vector for each group of vectors that are equal up to sign and error."""
    groups: list[FloatArray] = []
    left = vectors
    while len(left):
        first = left[np.abs(left).max(axis=1).argmax()]
        turned = left * np.sign(left @ first)[:, None]
        near = np.abs(turned - first).max(axis=1) < 1e-6 * np.abs(first).max()
        near |= (left == first).all(axis=1)
        groups.append(turned[near].mean(axis=0))
        left = left[~near]
    return np.array(groups)
