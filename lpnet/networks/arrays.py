"""Turning what a user gives into frozen float64 arrays, or saying what is wrong with it."""

import itertools
from collections.abc import Iterator
from fractions import Fraction
from numbers import Rational
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lpnet.errors import InputError, SizeError
from lpnet.exact import FloatArray, Numbers, shortened

MOST_ENTRIES = 1 << 26  # of a matrix that is held as a full table


def as_array(field: str, given: Any, shape: tuple[int | None, ...], finite: bool = True) -> FloatArray:
    """A read-only float64 copy of `given`, of the wanted shape (None: any size).

    Raises InputError, naming the field, what arrived and what was wanted.
    """
    wanted = "(" + ", ".join("any" if size is None else str(size) for size in shape) + ("," if len(shape) == 1 else "") + ")"
    try:
        array = np.asarray(given)
        if array.dtype.kind not in "fiub" and array.size:
            raise TypeError
        array = np.array(array, dtype=np.float64, order="C")
    except (TypeError, ValueError, OverflowError):
        raise InputError(f"{field}: wanted an array of real numbers of shape {wanted}, got {describe(given)}") from None
    if len(array.shape) != len(shape) or any(w not in (None, s) for w, s in zip(shape, array.shape, strict=True)):
        raise InputError(f"{field}: wanted shape {wanted}, got shape {array.shape}")
    bad = ~np.isfinite(array) if finite else np.isnan(array)
    if bad.any():
        where = tuple(int(i) for i in np.argwhere(bad)[0])
        raise InputError(f"{field}: wanted {'finite ' * finite}numbers, got {array[where]} at index {where}")
    array.setflags(write=False)
    return array


def as_numbers(field: str, given: Any, shape: tuple[int | None, ...]) -> Numbers:
    """As `as_array`, but nothing is rounded: whole numbers and Fractions that float64 does not hold stay Fractions."""
    entries = _beyond_floats(given)
    if entries is None:
        return as_array(field, given, shape)
    exact = shortened(entries)
    if exact.dtype != object:
        return as_array(field, exact, shape)
    as_array(field, np.zeros(exact.shape), shape)
    exact.setflags(write=False)
    return exact


def _beyond_floats(given: Any) -> Numbers | None:
    """The real numbers given, where some of them may be none of float64."""
    try:
        array = given if isinstance(given, np.ndarray) else np.array(given, dtype=object)
    except (TypeError, ValueError, OverflowError):
        return None
    if array.dtype.kind in "iu" or (array.dtype.kind == "f" and array.dtype.itemsize > 8 and np.isfinite(array).all()):
        return array
    if array.dtype != object or (array is not given and all(isinstance(entry, float) for entry in array.flat)):
        return None
    real = (isinstance(z, Rational | np.integer) or (isinstance(z, float | np.floating) and np.isfinite(z)) for z in array.flat)
    return array if all(real) else None


def as_weights(field: str, given: Any) -> Numbers:
    """The weights of a layer, (units, d) with d ≥ 1."""
    weights = as_numbers(field, given, (None, None))
    if weights.shape[1] == 0:
        raise InputError(f"{field}: wanted at least one input, got shape {weights.shape}")
    return weights


def as_matrix(field: str, given: Any, columns: int) -> Any:
    """As `as_numbers`, (any, columns); a sparse matrix of scipy stays one, a csr_array of float64."""
    if not is_sparse(given):
        return as_numbers(field, given, (None, columns))
    from scipy.sparse import csr_array

    made = csr_array(given, dtype=np.float64, copy=True)
    made.sum_duplicates()
    made.eliminate_zeros()
    if made.ndim != 2 or made.shape[1] != columns:
        raise InputError(f"{field}: wanted shape (any, {columns}), got shape {made.shape}")
    made.data = as_array(field, made.data, (None,))
    return made


def is_sparse(matrix: Any) -> bool:
    """Whether it is a sparse matrix of scipy."""
    return hasattr(matrix, "tocsr")


def full(matrix: Any) -> Numbers:
    """A matrix as a full table; SizeError where it would have more than MOST_ENTRIES numbers."""
    if not is_sparse(matrix):
        return matrix
    if matrix.shape[0] * matrix.shape[1] > MOST_ENTRIES:
        raise SizeError("a second layer of {:,} units on {:,} half-spaces is too large for that".format(*matrix.shape))
    return matrix.toarray()


def used_in_rows(matrix: Any) -> Iterator[tuple[NDArray[np.intp], Numbers]]:
    """The columns of the numbers other than 0 in each row, and these numbers."""
    if not is_sparse(matrix):
        yield from ((used := np.flatnonzero(row), row[used]) for row in matrix)
        return
    for start, end in itertools.pairwise(matrix.indptr.tolist()):
        yield matrix.indices[start:end].astype(np.intp), matrix.data[start:end]


def as_number(field: str, given: Any) -> float | Fraction:
    """A finite number, or InputError."""
    if np.shape(given) == (1,):
        given = np.asarray(given)[0]
    number = as_numbers(field, given, ())
    return Fraction(number.item()) if number.dtype == object else float(number)


def as_points(given: Any, inputs: int) -> FloatArray:
    """A batch of points (batch, d)."""
    return as_array("points", given, (None, inputs))


def describe(given: Any) -> str:
    """What arrived, short enough for one sentence."""
    try:
        text = repr(given)
    except ValueError:  # Python writes no whole number of more than 4300 digits
        return type(given).__name__
    return f"{type(given).__name__} {text if len(text) <= 40 else text[:37] + '...'}"
