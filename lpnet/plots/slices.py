"""Two-dimensional slices {origin + s·e1 + t·e2} of the inputs: a network restricted to one is a network in s and t, exactly."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from lpnet.exact import FloatArray, Form, integers

MOST_NAMED = 4  # inputs
MOST_TERMS = 3  # of a direction
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


def along_inputs(names: Sequence[str], first: int, second: int | None, origin: FloatArray, through: str = "") -> Slice:
    """The plane of two inputs, the others fixed as in `origin`; of one input for second = None. through: what `origin` is."""
    inputs = len(names)
    axes, at = np.zeros((2, inputs)), np.array(origin, dtype=np.float64)
    chosen = [first] if second is None else [first, second]
    for axis, k in zip(axes, chosen, strict=False):
        axis[k] = 1.0
        at[k] = 0.0
    others = [(name, x) for k, (name, x) in enumerate(zip(names, at.tolist(), strict=True)) if k not in chosen]
    labels = (names[first], "" if second is None else names[second])
    caption = f"slice {f'{through}, ' if through else ''}at {values_in_words(others)}" if others else ""
    return Slice(at, axes, labels, caption)


def values_in_words(values: Sequence[tuple[str, float]]) -> str:
    """The values of some inputs in three digits; of many the first few."""
    shown = [f"{name} = {f'{x + 0.0:.3g}'.replace('-', '−')}" for name, x in values[:MOST_NAMED]]
    return ", ".join(shown) + (f", … ({len(values)} inputs)" if len(values) > MOST_NAMED else "")


def leading_directions(weight: FloatArray, bias: FloatArray, names: Sequence[str], origin: FloatArray | None = None) -> Slice:
    """The slice in which hyperplanes weight·x + bias = 0 differ most; (m, d), (m,).

    Along the first two principal axes of their unit normals (right singular vectors), through `origin`, by default
    the point `middle` of them. The caption says which share of the normals' squared length lies in it: where it is all,
    nothing depends on what is across.
    """
    normals, _ = normalised(weight, bias)
    if not len(normals):
        return along_inputs(names, 0, 1, np.zeros(len(names)) if origin is None else origin)
    spread, vectors = np.linalg.eigh(normals.T @ normals)
    axes = vectors[:, :-3:-1].T
    axes = axes * np.sign(axes[range(2), np.abs(axes).argmax(axis=1)])[:, None]
    share = spread[-2:].sum() / spread.sum()
    at = middle(weight, bias) if origin is None else origin
    through = values_in_words(list(zip(names, at.tolist(), strict=True)))
    held = f"which hold {share:.0%} of their normals' squared length"
    caption = f"slice along its hyperplanes' two leading directions, {held}, through {through}"
    labels = (f"first direction: {in_words(axes[0], names)}", f"second direction: {in_words(axes[1], names)}")
    return Slice(at, axes, labels, caption, True)


def in_words(direction: FloatArray, names: Sequence[str]) -> str:
    """Its largest coefficients, in two digits, as a sum of inputs."""
    order = [k for k in np.abs(direction).argsort(kind="stable")[::-1] if round(abs(direction[k]), 2)]
    terms = [f"{'−' if direction[k] < 0 else '+'} {abs(direction[k]):.2g} {names[k]}" for k in order[:MOST_TERMS]]
    return " ".join(terms).removeprefix("+ ") + (" + …" if len(order) > MOST_TERMS else "")


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
