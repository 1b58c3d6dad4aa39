"""[PS16] Lemma 3: a disjunction of 2^n threshold units is a network of n ReLUs if V = U T.

The columns of V, (d + 1) × 2^n, are the units (v_S, d_S), S counted as in T_n, the binary encoding; column S of U T is
w0·e + Σ_{i∈S} a_i with a_i = (u_i, b_i) and e = (0, …, 0, 1). So a_i = v_{i} − v_∅; the rest are conditions on V.
A threshold unit is fixed up to a positive factor only; V diag(λ) = U T, λ > 0, is a linear program in U and λ.

Rows of arrays here are columns of the paper: `forms` is Vᵀ, shape (2^n, d + 1).
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from operator import mul

import cvxpy as cp
import numpy as np

from lpnet.boundary.theorem1 import binary_encoding
from lpnet.brief import brief
from lpnet.compression.construction import distance, relative
from lpnet.errors import InputError
from lpnet.exact import FloatArray, Form, common_integers, times
from lpnet.networks import ReLUNetwork, SignNetwork
from lpnet.programs import Certificate, SignProgram

ROUNDING = 2.0**-40  # as for `lpnet.compression.compress`
CLEAR = 1e-7  # duals below this share of the largest count as 0 when the support of a certificate is guessed
LARGEST_SUPPORT = 12


@dataclass(frozen=True)
class NoFactorisation:
    """Multipliers Y_S, |S| ≥ 2, (d + 1,) integers each, that refute the equations of column S.

    The equations are λ_S v_S − Σ_{i∈S} λ_i v_i + (|S| − 1) λ_∅ v_∅ = 0 and λ_∅ v_∅ = (0, w0), or the same with λ = 1 (`scaled`
    False). Y_∅ is for the latter; its last entry is 0.
    """

    multipliers: dict[int, Form]
    scaled: bool

    def excludes(self, forms: Sequence[Form]) -> bool:
        """Whether this proves, by arithmetic alone, that V (rows: integers, up to one factor for all) is no U T.

        The sum of the equations, each times its Y_S, is Σ_S λ_S s_S = 0. Without scales it is refuted by Σ s_S ≠ 0; with
        scales λ > 0 by s ≥ 0, s ≠ 0.
        """
        sums: dict[int, int] = {}
        for subset, y in self.multipliers.items():
            if subset == 0 and y[-1] != 0:
                return False
            for column, factor in equation(subset):
                sums[column] = sums.get(column, 0) + factor * sum(map(mul, y, forms[column]))
        if self.scaled:
            return all(s >= 0 for s in sums.values()) and any(sums.values())
        return sum(sums.values()) != 0


@dataclass(frozen=True, eq=False)
class Factorisation:
    """An answer to V = U T, or V diag(λ) = U T.

    relu_network: w0 + Σ R(a_i), or None; residual: the largest difference of a column of V (for some λ > 0 if scaled) and of
    the network's, relative to the column's largest entry, computed exactly and rounded up; 0 proves the factorisation.
    certificate: where no network was found, the proof that there is none for the numbers as given.
    """

    relu_network: ReLUNetwork | None
    residual: float | None
    certificate: NoFactorisation | None

    __repr__ = brief()


def equation(subset: int) -> list[tuple[int, int]]:
    """(column, factor): those of v_S − Σ_{i∈S} v_i + (|S| − 1) v_∅."""
    singles = [1 << k for k in range(subset.bit_length()) if subset >> k & 1]
    return [(subset, 1), *((single, -1) for single in singles), (0, len(singles) - 1)] if subset else [(0, 1)]


def factorise(network: SignNetwork, scaled: bool = False, rounding: float = ROUNDING) -> Factorisation:
    """U with V = U T, or with V diag(λ) = U T for some λ > 0 if `scaled`, by linear programming; or the proof of none.

    network: its 2^n units in the order of T_n, the first ReLU the highest bit; only its hidden layer counts. rounding: the
    residual allowed. Raises InputError for another number of units. Neither a network nor a certificate: the program was too
    near to both for floats, and nothing is claimed.
    """
    count = network.units
    if count < 2 or count & (count - 1):
        raise InputError(f"network: wanted 2^n threshold units, one for each subset of n ≥ 1 ReLUs, got {count}")
    rows = np.column_stack(network.input_layer.floats)
    integer, exponent, divisor = common_integers(network.input_layer.rows)
    unit = Fraction(2) ** exponent / divisor
    whole = [tuple(map(int, row)) for row in integer]
    size = np.abs(rows).max(axis=1, keepdims=True)
    scales, duals = solve_scaled(rows / np.where(size, size, 1)) if scaled else solve(rows)
    if scales is not None:
        found = from_columns(rows * (scales / np.where(size[:, 0], size[:, 0], 1))[:, None] if scaled else rows)
        residual = difference(whole, unit, found, scaled)
        if residual <= rounding:
            return Factorisation(found, residual, None)
    constant = NoFactorisation({0: (*whole[0][:-1], 0)}, scaled)
    candidates = [constant] if any(whole[0][:-1]) else supports(whole, duals) if scaled else [rounded(duals)]
    return Factorisation(None, None, next((c for c in candidates if c.excludes(whole)), None))


def solve(rows: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Ones, and the duals Y_S of: minimise the largest entry of V − U T; (2^n,), (2^n, d + 1)."""
    count, width = rows.shape
    encoding = binary_encoding(count.bit_length() - 1).T
    units, w0, size = cp.Variable((encoding.shape[1], width)), cp.Variable(), cp.Variable()
    error = rows - encoding @ units - np.ones((count, 1)) @ (w0 * np.eye(width)[-1:])
    above, below = error <= size, -error <= size
    cp.Problem(cp.Minimize(size), [above, below]).solve(solver=cp.SCIPY)
    return np.ones(count), np.asarray(above.dual_value - below.dual_value, dtype=np.float64)


def solve_scaled(rows: FloatArray) -> tuple[FloatArray | None, FloatArray]:
    """λ if there is one, and the duals Y_S of: maximise t ≤ 1 with V diag(λ) = U T, λ ≥ t; (2^n,), (2^n, d + 1)."""
    count, width = rows.shape
    encoding = binary_encoding(count.bit_length() - 1).T
    scales, margin = cp.Variable(count), cp.Variable()
    units, w0 = cp.Variable((encoding.shape[1], width)), cp.Variable()
    equal = cp.diag(scales) @ rows - encoding @ units - np.ones((count, 1)) @ (w0 * np.eye(width)[-1:]) == 0
    cp.Problem(cp.Maximize(margin), [equal, scales >= margin, margin <= 1]).solve(solver=cp.SCIPY)
    duals = np.asarray(equal.dual_value, dtype=np.float64)
    return (projected(rows, np.asarray(scales.value)) if float(margin.value) > 0.5 else None), duals


def projected(rows: FloatArray, scales: FloatArray) -> FloatArray:
    """The nearest solution of the equations in λ: the program's is good to its tolerance only."""
    count, width = rows.shape
    matrix = np.zeros((count, width, count))
    for subset in range(count):
        for column, factor in equation(subset):
            matrix[subset, :, column] += factor * rows[column]
    matrix[0, -1] = 0  # the bias of v_∅ is free
    flat = matrix.reshape(-1, count)
    return scales - np.linalg.lstsq(flat, flat @ scales, rcond=None)[0]


def from_columns(columns: FloatArray) -> ReLUNetwork:
    """w0 + Σ R(a_i), w0 and a_i read off the columns of ∅ and {i}."""
    singles = [1 << k for k in reversed(range(len(columns).bit_length() - 1))]
    units = columns[singles] - columns[0]
    return ReLUNetwork(units[:, :-1], units[:, -1], np.ones(len(units)), float(columns[0, -1]))


def difference(whole: Sequence[Form], scale: Fraction, network: ReLUNetwork, scaled: bool) -> float:
    """The residual of `Factorisation`; Vᵀ is whole · scale."""
    form = network.exact_form
    columns = [form.on_cell(pattern) for pattern in binary_encoding(network.relus).T]
    unit = form.scale / scale

    def apart(v: Form, c: Form) -> float:
        if not any(v):
            return math.inf if any(c) else 0.0
        return distance(v, c) if scaled else relative(v, [unit * z for z in c])

    return max(map(apart, whole, columns))


def rounded(duals: FloatArray) -> NoFactorisation:
    """Y as given is proof enough, whatever its digits: the equations hold for every Y."""
    digits = np.round(duals / (np.abs(duals).max() or 1.0) * 2.0**20)
    return NoFactorisation({s: tuple(map(int, y)) for s, y in enumerate(digits) if s & (s - 1) and any(y)}, False)


def supports(whole: Sequence[Form], duals: FloatArray) -> Iterator[NoFactorisation]:
    """Exact Y on the columns where the float ones are large: on a single one if that suffices."""
    size = np.abs(duals).max(axis=1)
    size[[s for s in range(len(size)) if s & (s - 1) == 0]] = 0
    order = [int(s) for s in np.argsort(-size) if size[s] > CLEAR * size.max()]
    for chosen in [*([s] for s in order), order[:LARGEST_SUPPORT]] if order else []:
        found = refutation(whole, chosen)
        if found:
            yield found


def refutation(whole: Sequence[Form], subsets: Sequence[int]) -> NoFactorisation | None:
    """Y_S on these columns with all sums s ≥ 0, one of them > 0."""
    width = len(whole[0])
    rows: dict[int, list[int]] = {}
    for place, subset in enumerate(subsets):
        for column, factor in equation(subset):
            row = rows.setdefault(column, [0] * (width * len(subsets) + 1))
            row[place * width : (place + 1) * width] = times(factor, whole[column])
    forms = [tuple(row) for row in rows.values()]
    total = tuple(map(sum, zip(*forms, strict=True)))
    at = SignProgram([*forms, total], len(total) - 1).decide([2] * len(forms) + [1])
    if isinstance(at, Certificate):
        return None
    return NoFactorisation({s: at[k * width : (k + 1) * width] for k, s in enumerate(subsets)}, True)
