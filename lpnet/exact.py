"""Exact arithmetic on floating-point data: every float64 is a dyadic rational, so every sign can be known.

*Numbers* are an array of float64, or of Fractions where float64 does not hold them all.
A *form* is an affine function v·x + c as d+1 integers (v, c), meaningful up to a positive factor.
A *point* is d+1 integers (X, q) with q > 0, standing for x = X / q; a form's sign there is that of v·X + c·q.
"""

import math
import operator
from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from flint import fmpq, fmpq_mat, fmpz_mat, nmod_mat
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]
Numbers = NDArray[Any]
Form = tuple[int, ...]
Point = tuple[int, ...]

UNIT_ROUNDOFF = 2.0**-53
SMALLEST_NORMAL = float(np.finfo(np.float64).tiny)
LARGE_PRIME = 2**61 - 1
IN_PROPORTION = 2  # bits
SPARSE = 8  # fold fewer products than with zeros, and they are left out
ABSENT = -(1 << 30)  # the length of 0


def integers(values: ArrayLike) -> tuple[NDArray[np.object_], int]:
    """Python integers `m` (shape of `values`) and an exponent `e` with values = m · 2^e exactly."""
    mantissa, exponent = np.frexp(np.asarray(values, dtype=np.float64))
    whole = (mantissa * 2.0**53).astype(np.int64)
    used = whole != 0
    trailing_zeros = np.frexp((whole & -whole).astype(np.float64))[1] - 1
    exponent = np.where(used, exponent - 53 + trailing_zeros, 0)
    smallest = int(exponent[used].min()) if used.any() else 0
    shift = np.where(used, exponent - smallest, 0).astype(object)
    return np.left_shift((whole >> np.where(used, trailing_zeros, 0)).astype(object), shift), smallest


def common_integers(numbers: Numbers) -> tuple[NDArray[np.object_], int, int]:
    """Python integers `m` (shape of `numbers`), an exponent `e` and an odd `q` > 0 with numbers = m · 2^e / q exactly."""
    if numbers.dtype != object:
        return *integers(numbers), 1
    entries = list(map(fraction, numbers.flat))
    common = math.lcm(*(entry.denominator for entry in entries))
    exponent = (common & -common).bit_length() - 1
    made = fractions([entry.numerator * (common // entry.denominator) for entry in entries], numbers.shape)
    return made, -exponent, common >> exponent


def shortened(numbers: Any) -> Numbers:
    """The same numbers as float64 where that holds them all, else as Fractions."""
    array = np.asarray(numbers)
    if array.dtype.kind == "f" and array.dtype.itemsize <= 8:
        return array.astype(np.float64)
    array = array.astype(object)
    used = array != 0
    exact = rationals(array[used])
    floats = list(map(to_float, exact))
    fit = math.inf not in map(abs, floats) and rationals(np.array(floats)) == exact
    made = np.full(array.shape, 0.0 if fit else Fraction())
    made[used] = floats if fit else fractions(list(map(fraction, exact)), (-1,))
    return made


def fractions(entries: Sequence[Any], shape: tuple[int, ...]) -> Numbers:
    """An array of this shape of any kind of numbers."""
    made = np.empty(len(entries), dtype=object)
    made[:] = entries
    return made.reshape(shape)


def fraction(number: Any) -> Fraction:
    """A real number of Python, numpy or flint, exactly."""
    if isinstance(number, Fraction):
        return number
    if isinstance(number, fmpq):
        return Fraction(int(number.p), int(number.q))
    return Fraction(*_ratio(number))


def _ratio(number: Any) -> tuple[int, int]:
    return (int(number), 1) if isinstance(number, np.integer) else number.as_integer_ratio()


def to_float(number: Fraction | fmpq) -> float:
    """The nearest float64; infinite where it is too large."""
    try:
        return float(number)
    except OverflowError:
        return math.inf if number > 0 else -math.inf


def nearest(numbers: Numbers) -> FloatArray:
    """The nearest float64 to each number."""
    if numbers.dtype != object:
        return numbers
    made, used = np.zeros(numbers.shape), numbers != 0
    made[used] = list(map(to_float, numbers[used]))
    return made


def product(left: Numbers, right: Numbers) -> Numbers:
    """The matrix product of numbers (m, k) and (k, d), exactly."""
    m, k, d = *left.shape, right.shape[1]
    if not (m and k and d):
        return np.zeros((m, d))
    if int((left != 0).sum(axis=0) @ (right != 0).sum(axis=1)) * SPARSE < m * k * d:
        return shortened(_sparse_product(as_rationals(left), as_rationals(right)))
    made = fmpq_mat(m, k, rationals(left)) * fmpq_mat(k, d, rationals(right))
    return shortened(fractions(made.entries(), (m, d)))


def _sparse_product(left: Numbers, right: Numbers) -> Numbers:
    """The same, of rationals, without the products of zeros."""
    made = np.zeros((len(left), right.shape[1]), dtype=object)
    for column, row in zip(left.T, right, strict=True):
        above, beside = np.flatnonzero(column), np.flatnonzero(row)
        made[np.ix_(above, beside)] += np.multiply.outer(column[above], row[beside])
    return made


def as_rationals(numbers: Numbers) -> Numbers:
    """The numbers as rationals in their shape; zeros as the whole number 0."""
    made, used = np.zeros(numbers.shape, dtype=object), numbers != 0
    made[used] = rationals(numbers[used])
    return made


def rationals(numbers: Numbers) -> list[fmpq]:
    """The numbers one after the other."""
    return [entry if isinstance(entry, fmpq) else fmpq(*_ratio(entry)) for entry in numbers.flat]


def forms(weight: ArrayLike, bias: ArrayLike) -> list[Form]:
    """The rows of weight·x + bias as forms, each scaled to integers on its own; numbers of shapes (m, d), (m,)."""
    return [tuple(common_integers(row)[0]) for row in np.column_stack([np.asarray(weight), np.asarray(bias)])]


def point(coordinates: ArrayLike) -> Point:
    """The point with these float64 coordinates (d,)."""
    whole, exponent = integers(coordinates)
    if exponent >= 0:
        return (*(int(value) << exponent for value in whole), 1)
    return (*(int(value) for value in whole), 1 << -exponent)


def coordinates(at: Point) -> tuple[Fraction, ...]:
    """The rational coordinates of a point."""
    return tuple(Fraction(value, at[-1]) for value in at[:-1])


def add(left: Form, right: Form) -> Form:
    """The sum of two forms."""
    return tuple(map(operator.add, left, right))


def times(factor: int, form: Form) -> Form:
    """A multiple of a form."""
    return tuple([factor * entry for entry in form])


def value(form: Form, at: Point) -> int:
    """v·X + c·q: q times the form's value at the point, so of the same sign."""
    return sum(map(operator.mul, form, at))


def nudged(at: Point, v: Sequence[int], forms: Iterable[Form]) -> Point:
    """at + t v, t > 0 so small that no form that is not 0 at the point changes its sign."""
    reach = 1
    for g in forms:
        if here := value(g, at):
            reach = max(reach, 1 + abs(sum(a * b for a, b in zip(g, v, strict=False))) * at[-1] // abs(here))
    return primitive((*(reach * x + at[-1] * step for x, step in zip(at, v, strict=False)), reach * at[-1]))


def sign(number: int) -> int:
    """−1, 0 or +1."""
    return (number > 0) - (number < 0)


def primitive(form: Sequence[int]) -> Form:
    """The shortest integer vector that is a positive multiple of `form`."""
    divisor = math.gcd(*form)
    return tuple(entry // divisor for entry in form) if divisor > 1 else tuple(form)


def independent_inputs(forms: Sequence[Form]) -> list[int]:
    """A largest set of inputs whose columns in the forms' gradients are linearly independent.

    Columns that are independent modulo a prime are independent; nearly always they are as many as there can be.
    """
    gradients = [list(form[:-1]) for form in forms]
    most = min(len(gradients), len(forms[0]) - 1)
    if not most:
        return []
    echelon: Any
    echelon, rank = nmod_mat(gradients, LARGE_PRIME).rref()
    if rank < most:
        echelon, _, rank = fmpz_mat(gradients).rref()
    return [next(j for j in range(echelon.ncols()) if echelon[row, j] != 0) for row in range(rank)]


def leading(rows: Sequence[Form]) -> tuple[FloatArray, NDArray[np.intp]]:
    """Mantissas, rounded to nearest, and exponents: entries are mantissa · 2^exponent, ½ ≤ |mantissa| ≤ 1, or 0 · 2^ABSENT."""
    try:
        mantissa, exponent = np.frexp(np.array(rows, dtype=np.float64))
    except OverflowError:
        exponent = np.array([[abs(entry).bit_length() for entry in row] for row in rows])
        mantissa = np.array([[entry / (1 << abs(entry).bit_length()) for entry in row] for row in rows])
    return mantissa, np.where(mantissa, exponent.astype(np.intp), ABSENT)


def balance(rows: Sequence[Form]) -> tuple[int, ...]:
    """Powers of two for the columns that bring the largest entry of each near that of the others, rows counting by length.

    Zeros where they are near already.
    """
    _, size = leading(rows)
    column = np.zeros(size.shape[1], dtype=np.intp)
    for _ in range(3):
        row = (size + column).max(axis=1, keepdims=True)
        largest = np.where(row > ABSENT // 2, size - row, ABSENT).max(axis=0)
        if not column.any() and largest.min() >= -IN_PROPORTION:
            break
        column = np.where(largest > ABSENT // 2, -largest, 0)
    return tuple(column.tolist())


def to_floats(form: Sequence[int], exponent: int) -> FloatArray:
    """The nearest float64 to each entry of form · 2^exponent; infinite where it is too large, 0 where too small."""
    return np.array([_to_float(entry, exponent) for entry in form])


def _to_float(entry: int, exponent: int) -> float:
    try:
        return float(entry << exponent) if exponent >= 0 else entry / (1 << -exponent)
    except OverflowError:
        return math.inf if entry > 0 else -math.inf


def in_range(form: Sequence[int], exponent: int) -> int:
    """The exponent itself, or, where float64 could not hold every entry of form · 2^exponent, one to bring it into range.

    Then the largest entry comes near 2^1000: only the signs of a form matter.
    """
    sizes = [abs(entry).bit_length() + exponent for entry in form if entry]
    if sizes and (max(sizes) > 1000 or min(sizes) < -1000):
        return exponent + 1000 - max(sizes)
    return exponent


def reach(numbers: Numbers) -> FloatArray:
    """|numbers| in floats, for `rounding`: what is lost where the nearest float64 is subnormal counts too."""
    size = np.abs(nearest(numbers))
    return size + SMALLEST_NORMAL if numbers.dtype == object else size


def rounding(operations: int, magnitude: FloatArray) -> FloatArray:
    """An upper bound on the error of a sum of products whose absolute values add up to `magnitude`.

    Twice the γ of the textbook, because `magnitude` is itself rounded, and a term for underflow.
    """
    return 2 * operations * UNIT_ROUNDOFF * magnitude + operations * SMALLEST_NORMAL


def rounded_up(number: Fraction) -> float:
    """The smallest float64 that is not below the number."""
    return 0.0 - rounded_down(-number)


def rounded_down(number: Fraction) -> float:
    """The largest float64 that is not above the number."""
    try:
        nearest = float(number)
    except OverflowError:
        return float(np.finfo(np.float64).max) if number > 0 else -math.inf
    return float(np.nextafter(nearest, -np.inf)) if nearest > number else nearest
