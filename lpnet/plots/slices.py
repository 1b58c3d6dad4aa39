"""Two-dimensional slices {origin + s·e1 + t·e2} of the inputs: a network restricted to one is a network in s and t, exactly."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from lpnet.exact import FloatArray, Form, integers

MOST_NAMED = 4
FARTHEST = 1e100  # from 0: hyperplanes beyond do not count


@dataclass(frozen=True, eq=False)
class Slice:
    """x = origin + s·axes[0] + t·axes[1], its floats taken as exact numbers.

    origin: (d,); axes: (2, d), the second one 0 where d = 1; labels: of s and t; caption: what it is, "" for the whole of
    R^1 or R^2; one_scale: whether s and t mean the same length, and are to be drawn so.
    """

    origin: FloatArray
    axes: FloatArray
    labels: tuple[str, str]
    caption: str = ""
    one_scale: bool = False

    @property
    def flat(self) -> bool:
        """Whether it is a line, and t idle."""
        return not self.axes[1].any()

    def substitution(self) -> Callable[[Form], Form]:
        """v·x + c ↦ the same function of s and t, times a factor common to all forms."""
        table = np.column_stack([*self.axes, self.origin])
        whole, _ = integers(np.append(table.ravel(), 1.0))
        columns, one = whole[:-1].reshape(table.shape), int(whole[-1])

        def in_slice(form: Form) -> Form:
            s, t, at = np.array(form[:-1], dtype=object) @ columns
            return int(s), int(t), int(at) + form[-1] * one

        return in_slice

    def through(self, origin: FloatArray) -> "Slice":
        """The parallel one through another point."""
        return replace(self, origin=origin)


def along_inputs(names: Sequence[str], first: int, second: int | None, origin: FloatArray) -> Slice:
    """The plane of two inputs, the others fixed as in `origin`; of one input for second = None."""
    inputs = len(names)
    axes, at = np.zeros((2, inputs)), np.array(origin, dtype=np.float64)
    chosen = [first] if second is None else [first, second]
    for axis, k in zip(axes, chosen, strict=False):
        axis[k] = 1.0
        at[k] = 0.0
    others = [(name, x) for k, (name, x) in enumerate(zip(names, at.tolist(), strict=True)) if k not in chosen]
    fixed = ", ".join(f"{name} = {x:.4g}" for name, x in others)
    if len(others) > MOST_NAMED:
        values = {x for _, x in others}
        fixed = f"{f'{values.pop():.4g}' if len(values) == 1 else 'a point'} of the {len(others)} other inputs"
    labels = (names[first], "" if second is None else names[second])
    return Slice(at, axes, labels, f"slice at {fixed}" if fixed else "")


def leading_directions(weight: FloatArray, bias: FloatArray) -> Slice:
    """The slice in which hyperplanes weight·x + bias = 0 differ most; (m, d), (m,).

    Along the first two principal axes of their unit normals (right singular vectors), through the point `middle` of them.
    """
    inputs = weight.shape[1]
    normals, _ = normalised(weight, bias)
    if not len(normals):
        return along_inputs([f"x{k + 1}" for k in range(inputs)], 0, 1, np.zeros(inputs))
    spread, vectors = np.linalg.eigh(normals.T @ normals)
    axes = vectors[:, :-3:-1].T
    signs = np.sign(axes[range(2), np.abs(axes).argmax(axis=1)])
    share = spread[-2:].sum() / spread.sum()
    caption = f"slice of R^{inputs} in the boundary's two leading directions ({share:.0%} of its normals)"
    return Slice(middle(weight, bias), axes * signs[:, None], ("first direction", "second direction"), caption, True)


def middle(weight: FloatArray, bias: FloatArray) -> FloatArray:
    """The point nearest to hyperplanes weight·x + bias = 0, by least squares of the distances; (m, d), (m,) → (d,)."""
    normals, offsets = normalised(weight, bias)
    return np.asarray(np.linalg.lstsq(normals, -offsets, rcond=None)[0], dtype=np.float64)


def normalised(weight: FloatArray, bias: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Unit normals and offsets of hyperplanes, without those that floats cannot hold."""
    size = np.abs(weight).max(axis=1)
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        rows: FloatArray = np.column_stack([weight, bias]) / size[:, None]
        rows = rows / np.linalg.norm(rows[:, :-1], axis=1, keepdims=True)
    rows = rows[np.isfinite(rows).all(axis=1) & (np.abs(rows[:, -1]) < FARTHEST)]
    return rows[:, :-1], rows[:, -1]
