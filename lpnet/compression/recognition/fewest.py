"""The fewest units on given hyperplanes: mixed-integer programs.

With w_A ≥ 0 for how strongly f bends at A, λ_k h_k − λ_l h_l = Σ w_A A at every ridge, λ > 0: that is λ_k = Σ w α and
λ_l = Σ w β over the A = α h_k − β h_l there. First the fewest A are found, and turned into a network. If that takes one more
unit, active on all facets, then perhaps other strengths do without: the second program counts the units themselves.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pulp

from lpnet.compression.recognition.cone import Bends, Cone, Draft, Pair
from lpnet.compression.recognition.cuts import EQUAL, Cut, Skeleton, cuts, skeleton
from lpnet.compression.recognition.orientation import oriented
from lpnet.programs.integer import solver
from lpnet.watch import Watch

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


@dataclass
class Unit:
    """A variable strength on one hyperplane, of the given side or of both; used: whether it is not 0."""

    cut: int
    plane: Any
    strength: Any
    used: Any


class Model:
    """The variables, and the equations at the ridges; at least one unit passes each of them."""

    def __init__(self, cone: Cone, faces: Skeleton, found: Sequence[Cut], strongest: float, sides: bool, watch: Watch) -> None:
        self.cone, self.faces, self.found, self.strongest, self.watch = cone, faces, found, strongest, watch
        self.kind = "Binary" if len(found) <= MOST_CUTS else "Continuous"
        self.program = pulp.LpProblem("fewest", pulp.LpMinimize)
        self.scale = {k: self.program.add_variable(f"scale{k}", 1, strongest) for k in faces.facets}
        self.points = np.array([faces.rays[faces.tight[k]].mean(axis=0) for k in faces.facets])
        at_infinity = faces.rays[faces.tight[cone.infinity]]
        self.units = [
            self.unit(number, name, plane)
            for number, cut in enumerate(found)
            for name, plane in ([("up", cut.plane), ("down", -cut.plane)] if sides else [("cut", cut.plane)])
            if not (sides and (at_infinity @ plane > EQUAL).any())
        ]
        for ridge in faces.ridges:
            self.at_ridge(ridge)

    def unit(self, number: int, name: str, plane: Any) -> Unit:
        """One more unit."""
        most = self.strongest / max(max(pair) for pair in self.found[number].ridges.values())
        strength = self.program.add_variable(f"{name}{number}", 0, most)
        used = self.program.add_variable(f"used_{name}{number}", 0, 1, self.kind)
        self.program += strength <= most * used
        return Unit(number, plane, strength, used)

    def at_ridge(self, ridge: Pair) -> None:
        """λ_k = Σ w α and λ_l = Σ w β."""
        passing = [unit for unit in self.units if ridge in self.found[unit.cut].ridges]
        self.program += pulp.lpSum([unit.used for unit in passing]) >= 1
        for side, facet in enumerate(ridge):
            bends = [self.found[unit.cut].ridges[ridge][side] * unit.strength for unit in passing]
            self.program += pulp.lpSum(bends) == self.scale[facet]

    def solve(self, count: Any) -> list[Unit]:
        """The units that are used where `count` is least; none where there is no solution or no time."""
        self.program.setObjective(count)
        self.watch.check(0.5, len(self.found))
        self.program.solve(solver(timeLimit=min(SECONDS, self.watch.left)))
        self.watch.check(0.5, len(self.found))
        if self.program.sol_status not in (pulp.LpSolutionOptimal, pulp.LpSolutionIntegerFeasible):
            return []
        return [unit for unit in self.units if pulp.value(unit.strength) > CLEAR_STRENGTH]

    def through(self, chosen: Sequence[Unit]) -> tuple[tuple[Pair, ...], ...]:
        """The ridges that each unit passes."""
        return tuple(tuple(self.found[unit.cut].ridges) for unit in chosen)


def fewest_cuts(model: Model) -> Bends | None:
    """The bends with the fewest hyperplanes."""
    chosen = model.solve(pulp.lpSum([unit.used for unit in model.units]))
    if not chosen:
        return None
    units = np.array([pulp.value(unit.strength) * unit.plane for unit in chosen])
    gradients = np.array([pulp.value(model.scale[k]) * model.cone.rows[k] for k in model.faces.facets])
    affine = (gradients - (model.points @ units.T > 0) @ units).mean(axis=0)
    return Bends(np.array(model.faces.facets), model.points, affine, units, model.through(chosen))


def fewest_units(model: Model) -> Draft | None:
    """The network with the fewest units p R(A), q R(−A) and perhaps a_0, active on all facets.

    w = p + q, and λ_0 h_0 = −c e + a_0 + Σ_{A > 0 there} p A − Σ_{A < 0 there} q A on one facet, then on all; c > 0.
    """
    cone, program, most = model.cone, model.program, model.strongest
    extra = [program.add_variable(f"extra{j}", -most, most) for j in range(len(cone.centre))]
    used = program.add_variable("used_extra", 0, 1, model.kind)
    depth = program.add_variable("depth", 1 / most, most)
    for amount in extra:
        program += amount <= most * used
        program += -amount <= most * used
    first = model.faces.facets[0]
    for j, entry in enumerate(cone.rows[first]):
        beside = [unit.strength * unit.plane[j] for unit in model.units if model.points[0] @ unit.plane > 0]
        program += pulp.lpSum(beside) + extra[j] + depth * cone.rows[cone.infinity, j] == model.scale[first] * entry
    chosen = model.solve(pulp.lpSum([unit.used for unit in model.units]) + used)
    if not chosen:
        return None
    more = any(abs(pulp.value(amount)) > CLEAR_STRENGTH for amount in extra)
    affine = pulp.value(depth) * cone.rows[cone.infinity] + np.array([pulp.value(amount) for amount in extra])
    units = np.array([pulp.value(unit.strength) * unit.plane for unit in chosen])
    real = np.array(model.faces.facets) != cone.infinity
    active = np.column_stack([model.points @ units.T > 0, np.ones((len(model.points), int(more)), dtype=bool)])
    rows = np.vstack([units, affine]) @ cone.coordinates
    return Draft(np.array(model.faces.facets)[real], active[real], rows, more, model.through(chosen))
