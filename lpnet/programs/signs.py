"""Which signs can given forms take together? The margin program on one warm HiGHS model, confirmed exactly."""

from collections.abc import Sequence
from typing import Any

import highspy
import numpy as np
from flint import fmpz_mat
from highspy._core import _Highs

from lpnet.exact import FloatArray, Form, Point, point, primitive, sign, to_floats, value
from lpnet.programs.alternative import Certificate, alternative, holds

# A margin below this is left to the multipliers, then to exact arithmetic; it steers the effort, never the answer.
CLEAR_MARGIN = 1e-9
# Duals below this share of the largest count as zero when the support of a certificate is guessed.
CLEAR_DUAL = 1e-9
# Presolve would throw the warm basis away; strategy 1 is the dual simplex, the one that a changed row leaves feasible.
OPTIONS: dict[str, bool | str | int] = {"output_flag": False, "presolve": "off", "threads": 1, "simplex_strategy": 1}


class SignProgram:
    """Decides whether some x gives the forms h_i wanted signs (and makes one more form vanish).

    The float side: maximise t ≤ 1 over (x, t) with ±h_i(x) ≥ t for the forms in use, g(x) = 0, every form divided by the
    length of its gradient; always feasible and bounded. The optimal x, or the support of the optimal multipliers, is only
    a proposal: it becomes an answer when integers confirm it, and `alternative` answers where they do not.
    Relations are those of `lpnet.programs.alternative`.
    """

    def __init__(self, forms: Sequence[Form], inputs: int) -> None:
        self.forms = list(forms)
        self.inputs = inputs
        self.solved = 0
        self.settled_exactly = 0
        rows = [normalised(form) for form in self.forms]
        self._scale = _power_of_two(max((abs(row[-1]) for row in rows), default=0.0))
        self._relations = np.zeros(len(rows), dtype=np.int8)
        self._bias = np.array([row[-1] for row in rows]) / self._scale
        gradients = np.array([row[:-1] for row in rows]).reshape(len(rows), inputs)
        self._model = warm_model(np.pad(gradients, ((0, 1), (0, 1))), [0.0] * inputs + [1.0], [np.inf] * inputs + [1.0])

    def decide(self, relations: Sequence[int], vanishing: Form | None = None) -> Point | Certificate:
        """A point with these relations (and g = 0 for `vanishing`), or the proof that there is none; both exact."""
        self.solved += 1
        relations = [int(relation) for relation in relations]
        row = self._constrain(relations, vanishing)
        self._model.run()
        if self._model.getModelStatus() == highspy.HighsModelStatus.kOptimal:
            solution = self._model.getSolution()
            margin = solution.col_value[-1]
            if margin > CLEAR_MARGIN:
                at = self._exact_point(np.array(solution.col_value[:-1]), margin, row, vanishing)
                if at and holds(self.forms, relations, at, vanishing):
                    return at
            certificate = self._certificate(np.abs(solution.row_dual), relations, vanishing)
            if certificate and certificate.excludes(self.forms, relations, vanishing):
                return certificate
        self.settled_exactly += 1
        return alternative(self.forms, relations, vanishing)

    def replace(self, row: int, form: Form) -> None:
        """Put another form in the place of one, for the questions to come."""
        line = normalised(form)
        with np.errstate(over="ignore"):
            bias = line[-1] / self._scale
        for column in range(self.inputs):
            self._model.changeCoeff(row, column, line[column])
        self._model.changeCoeff(row, self.inputs, 0.0)
        self._model.changeRowBounds(row, -np.inf, np.inf)
        self.forms[row], self._bias[row], self._relations[row] = form, bias, 0

    def _constrain(self, relations: Sequence[int], vanishing: Form | None) -> FloatArray | None:
        """Bring the model to these relations, touching only the rows that change; returns g as a row of the model."""
        for row, relation in enumerate(relations):
            side = sign(relation)
            if side != self._relations[row]:
                bound = -self._bias[row]
                self._model.changeCoeff(row, self.inputs, -side)
                self._model.changeRowBounds(row, bound if side > 0 else -np.inf, bound if side < 0 else np.inf)
                self._relations[row] = side
        last = len(self.forms)
        if not vanishing:
            self._model.changeRowBounds(last, -np.inf, np.inf)
            return None
        g = normalised(vanishing)
        for column in range(self.inputs):
            self._model.changeCoeff(last, column, g[column])
        with np.errstate(over="ignore"):  # an infinite bound makes the program infeasible, and the answer an exact one
            bound = -g[-1] / self._scale
        self._model.changeRowBounds(last, bound, bound)
        return g

    def _exact_point(self, x: FloatArray, margin: float, g: FloatArray | None, vanishing: Form | None) -> Point | None:
        """The proposal x, rounded to as few bits as the margin allows and moved along one axis until g vanishes exactly."""
        grid = _power_of_two(margin / (4 * self.inputs))
        with np.errstate(over="ignore", under="ignore"):
            x = np.round(x / grid) * grid * self._scale
        if not np.isfinite(x).all():
            return None
        at = point(x)
        if vanishing is None or g is None:
            return at
        axis = int(np.argmax(np.abs(g[:-1])))
        steepness = vanishing[axis]
        residual = value(vanishing, at) - steepness * at[axis]
        moved = [entry * abs(steepness) for entry in at]
        moved[axis] = -residual * sign(steepness)
        return primitive(moved)

    def _certificate(self, duals: FloatArray, relations: Sequence[int], vanishing: Form | None) -> Certificate | None:
        """The exact multipliers on the support of the float ones, if the support has just one dependency."""
        used = np.flatnonzero(duals[: len(self.forms)] > CLEAR_DUAL * duals.max(initial=0))
        support = [int(i) for i in used]
        columns = [self.forms[i] for i in support] + ([vanishing] if vanishing else [])
        columns.append((0,) * self.inputs + (1,))
        kernel, nullity = fmpz_mat(columns).transpose().nullspace()
        if nullity != 1:
            return None
        found = [int(kernel[row, 0]) for row in range(len(columns))]
        leading = next((sign(m) * sign(relations[i]) for i, m in zip(support, found, strict=False) if m), 0) or sign(found[-1])
        found = [leading * multiplier for multiplier in primitive(found)]
        pairs = tuple((i, m) for i, m in zip(support, found, strict=False) if m)
        return Certificate(pairs, found[-2] if vanishing else 0, found[-1])


def normalised(form: Form) -> FloatArray:
    """The form in floats, its gradient of length 1 (left alone where it is 0)."""
    row = to_floats(form, -max(abs(entry) for entry in form[:-1]).bit_length())
    length = float(np.linalg.norm(row[:-1]))
    with np.errstate(over="ignore"):
        return row / length if length else row


def _power_of_two(size: float) -> float:
    """The largest power of two at most `size`, within the range where scaling by it is exact; 1 for 0."""
    return float(np.ldexp(1.0, int(np.clip(np.frexp(size)[1] - 1, -1000, 1000)))) if size else 1.0


def warm_model(rows: FloatArray, cost: Sequence[float], most: Sequence[float]) -> Any:
    """max cost·z over z ≤ most, with a row, free as yet, for each of the rows (m, n)."""
    lp, (count, size) = highspy.HighsLp(), rows.shape
    lp.num_col_, lp.num_row_ = size, count
    lp.sense_ = highspy.ObjSense.kMaximize
    lp.col_cost_, lp.col_lower_, lp.col_upper_ = np.array(cost), np.full(size, -np.inf), np.array(most)
    lp.row_lower_, lp.row_upper_ = np.full(count, -np.inf), np.full(count, np.inf)
    lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    lp.a_matrix_.start_ = (np.arange(count + 1) * size).astype(np.int32)
    lp.a_matrix_.index_ = np.tile(np.arange(size, dtype=np.int32), count)
    lp.a_matrix_.value_ = rows.ravel()
    model = _Highs()  # highspy.Highs() would print a banner on stdout before it can be told not to
    for option, setting in OPTIONS.items():
        model.setOptionValue(option, setting)
    model.passModel(lp)
    return model
