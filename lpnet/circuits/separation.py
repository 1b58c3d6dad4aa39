"""Two layers or not: is there one threshold unit over the needed half-spaces that decides like the network?"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lpnet.circuits.classes import Classes
from lpnet.circuits.cover import Signs
from lpnet.exact import Form, Point, value
from lpnet.networks import ExactForm
from lpnet.programs import Certificate, SignProgram
from lpnet.programs.integer import small_weights
from lpnet.regions.reasons import Gate, gate_reasons
from lpnet.regions.search import first_difference
from lpnet.watch import Watch

AT_ONCE = 50
FEW_UNITS = 40  # up to so many the smallest integer weights are sought


@dataclass(frozen=True)
class Inseparable:
    """Why no output unit over these half-spaces decides like f: points and integer multipliers, none of them 0.

    With z(p) the signs of the half-spaces at p and a last 1, Σ μ_p z(p) = 0, where μ_p > 0 only if f(p) ≥ 0 and μ_p < 0 only
    if f(p) < 0. Weights w with w·z ≥ 0 at the first and w·z < 0 at the others would give 0 = Σ μ_p w·z(p) > 0.
    """

    points: tuple[Point, ...]
    multipliers: tuple[int, ...]

    def holds(self, form: ExactForm, halfspaces: Sequence[Form]) -> bool:
        """Whether that is so, by arithmetic alone."""
        total = [0] * (len(halfspaces) + 1)
        for at, multiplier in zip(self.points, self.multipliers, strict=True):
            if not multiplier or (form.sign_at(at) >= 0) != (multiplier > 0):
                return False
            signs = [*(1 if value(h, at) >= 0 else -1 for h in halfspaces), 1]
            total = [before + multiplier * sign for before, sign in zip(total, signs, strict=True)]
        return bool(self.points) and any(m < 0 for m in self.multipliers) and not any(total)


def separate(classes: Classes) -> tuple[int, ...] | Inseparable | None:
    """Integer weights w_1, …, w_m, w_0 with sgn(w_0 + Σ w_k sgn h_k) the network's answer everywhere, or why there are none.

    Separating weights of the classes met so far are compared with the network everywhere; a class at which they are wrong is
    added. One that cannot be separated from the others settles the question. None: it was left open after most_programs.
    """
    last = classes.questions.asked + classes.most_programs

    def look(share: float, found: int) -> None:
        classes.watch.check(0.5, len(classes.points))

    identity = [Gate(((k, 1),), 0) for k in range(len(classes.halfspaces))]
    while True:
        weights = separating_weights(classes.vectors, np.array(classes.answers, dtype=np.int8))
        if isinstance(weights, Certificate):
            members = [i for i, _ in weights.multipliers]
            return Inseparable(tuple(classes.points[i] for i in members), tuple(m for _, m in weights.multipliers))
        output = Gate(tuple((k, w) for k, w in enumerate(weights[:-1]) if w), weights[-1])
        network = gate_reasons(classes.halfspaces, identity, output)
        patience = Watch(max_pieces=max(0, last - classes.questions.asked), report=look)
        difference, complete = first_difference(classes.why, network, classes.questions, patience)
        if difference:
            classes.add(difference.point)
        elif complete:
            return weights
        else:
            return None


def separating_weights(vectors: Signs, answers: Signs) -> tuple[int, ...] | Certificate:
    """Integers (w, w_0) with w·z + w_0 ≥ 0 for the vectors with answer +1 and < 0 for the others, small ones if found; or the
    multipliers of vectors that exclude them. (count, m), (count,). A few vectors first, then those that come out wrong.
    """
    table = np.column_stack([vectors, np.ones(len(vectors), dtype=np.int8)])
    rng = np.random.default_rng(0)
    active = sorted(rng.permutation(len(table))[:AT_ONCE].tolist())
    while True:
        program = SignProgram([(*row, 0) for row in table[active].tolist()], table.shape[1])
        found = program.decide([int(answer) for answer in answers[active]])
        if isinstance(found, Certificate):
            return Certificate(tuple((active[i], m) for i, m in found.multipliers), 0, 0)
        exact = [int(w) for w in found[:-1]]
        wrong = wrong_at(exact, table, answers)
        if not len(wrong):
            break
        active = sorted({*active, *rng.permutation(wrong)[:AT_ONCE].tolist()})
    small = small_weights(table[answers > 0], table[answers < 0]) if vectors.shape[1] <= FEW_UNITS else None
    return tuple(exact if small is None or len(wrong_at(small, table, answers)) else small)


def wrong_at(weights: Sequence[int], table: Signs, answers: Signs) -> np.ndarray:
    """The rows z at which sgn(w·z) is not the answer, in integers."""
    scores = table.astype(object) @ np.array(weights, dtype=object)
    return np.flatnonzero((scores >= 0) != (answers > 0))
